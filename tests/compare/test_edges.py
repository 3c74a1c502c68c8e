"""Comparison: published examples, degenerate input, reproducibility."""

import numpy as np
import pandas as pd
import pytest

from evalkit import stats
from evalkit.counts import Tally
from evalkit.errors import AnalysisError


def study(n=300, seed=0, effect=40.0):
    rng = np.random.default_rng(seed)
    age = rng.normal(size=n)
    arm = (rng.random(n) < 1 / (1 + np.exp(-0.8 * age))).astype(int)
    event = rng.exponential(150 + effect * arm + 60 * age.clip(-1.5, 1.5))
    end = rng.uniform(100, 500, n)
    return pd.DataFrame(
        {
            "arm": arm,
            "age": age,
            "site": rng.integers(0, 8, n),
            "day": np.ceil(np.minimum(event, end)),
            "event": (event <= end).astype(int),
        }
    )


NEWCOMBE = [  # Newcombe (1998), Stat. Med. 17:873-890, table II: methods 10 and 5 (Mee's without N/(N-1) differs)
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0000)),
]


@pytest.mark.parametrize(("counts", "limits"), NEWCOMBE)
def test_newcombe_1998_table(counts, limits):
    found = stats.proportion_difference(*counts).tidy()
    np.testing.assert_allclose(found[["conf_low", "conf_high"]].to_numpy()[0], limits, atol=6e-5)


def test_e_values_of_vanderweele_and_ding():
    """VanderWeele and Ding (2017): RR 3.9 (1.8, 8.7) has E-values 7.2 and 3.0."""
    found = stats.e_value(3.9, 1.8, 8.7).tidy()["e_value"]
    np.testing.assert_allclose(found, [7.26, 3.0], atol=0.005)
    np.testing.assert_allclose(stats.e_value(1 / 3.9).tidy()["e_value"], [found[0]])
    assert stats.e_value(1.2, 0.9, 1.6).tidy()["e_value"][1] == 1


def test_power_functions_undo_one_another():
    events = float(stats.schoenfeld_events(0.7, power=0.9, allocation=0.15))
    np.testing.assert_allclose(float(stats.power(events, 0.7, allocation=0.15)), 0.9)
    detectable = stats.minimum_detectable_hazard_ratio(events, power=0.9, allocation=0.15)
    np.testing.assert_allclose(float(detectable), 1 / 0.7)


def test_proportions_of_nobody_are_not_given():
    tally = Tally(pd.DataFrame({"group": ["a", "b"], "term": "x", "n_event": [0, 1], "n": [0, 3]}))
    found = stats.Proportion().estimate(tally)
    assert found.tidy()["estimate"].isna().tolist() == [True, False] and found.notes
    for analysis in (
        stats.ProportionDifference("b"),
        stats.RiskRatio("b"),
        stats.Benchmark(0.5, 40),
        stats.NonInferiority(0.5, 0.1),
    ):
        assert analysis.estimate(tally).notes


@pytest.mark.parametrize(("x", "n"), [(3, 2), (-1, 5), (0, 0), (1.5, 3)])
def test_impossible_counts(x, n):
    with pytest.raises(AnalysisError, match="0 <= x <= n"):
        stats.proportion(x, n)


@pytest.mark.parametrize("method", ["newcombe", "miettinen-nurminen"])
def test_difference_is_antisymmetric(method):
    one = stats.proportion_difference(7, 20, 11, 25, method=method).tidy()
    other = stats.proportion_difference(11, 25, 7, 20, method=method).tidy()
    np.testing.assert_allclose(one["conf_low"], -other["conf_high"], atol=1e-10)


def test_weighting_balances_what_it_models():
    fit = stats.propensity(study(), "arm", ["age"], estimand="overlap")
    assert abs(fit.balance().tidy()["smd_weighted"].item()) < 1e-8


def test_bootstrap_is_reproducible_and_seeded():
    def run(seed):
        return stats.adjusted_effect(
            study(), "day", "event", "arm", ["age"], tau=90, n_boot=60, seed=seed, method="doubly_robust"
        ).tidy()

    pd.testing.assert_frame_equal(run(1), run(1))
    assert run(1)["conf_low"].item() != run(2)["conf_low"].item()


def test_bootstrap_interval_agrees_with_theory_without_confounding():
    """With a covariate that explains nothing the bootstrap's error is Greenwood's, within Monte Carlo error."""
    data = study(800, 3).assign(age=np.random.default_rng(9).normal(size=800))
    found = stats.adjusted_effect(data, "day", "event", "arm", ["age"], tau=90, n_boot=1500, estimand="ate").tidy()
    plain = stats.rmst_contrast(data, "day", "event", by="arm", tau=90, reference=0).tidy()
    np.testing.assert_allclose(found["std_error"].item(), plain["std_error"][0], rtol=0.08)


def test_resampling_one_by_one_agrees_with_the_array_program():
    """A replicate is what the same rows, repeated, would give."""
    data = study(120, 5)
    rng = np.random.default_rng(0)
    from evalkit.stats import _problem as inner
    from evalkit.stats._arms import read_arms
    from evalkit.stats._columns import read_rows

    for kind, measure in (("rmst", "rmst_difference"), ("survival", "risk_difference"), ("hazard", "hazard_ratio")):
        for method in ("iptw",) if kind == "hazard" else ("iptw", "standardised", "doubly_robust"):
            arms, rows = read_arms(data, "arm", ["age"]), read_rows(data, "day", "event")
            problem = inner.make_problem(rows, arms, "att", [inner.Ask(method, inner.Horizon(kind, 80.0))])
            counts = rng.integers(1, 3, size=(3, len(data))).astype(float)
            values = problem.levels(counts)[:, 0]
            for row, value in zip(counts, values, strict=True):
                drawn = data.loc[np.repeat(data.index, row.astype(int))]
                if kind == "hazard":
                    continue
                again = stats.adjusted_effect(
                    drawn, "day", "event", "arm", ["age"], measure=measure, method=method, tau=80, n_boot=20
                ).tidy()
                np.testing.assert_allclose(value[0] - value[1], again["estimate"].item(), rtol=1e-8)


def test_clusters_widen_or_keep_the_interval_and_run():
    found = stats.adjusted_effect(
        study(), "day", "event", "arm", ["age"], tau=90, n_boot=60, cluster="site", measure="risk_difference"
    ).tidy()
    assert found["conf_low"].item() < found["estimate"].item() < found["conf_high"].item()


def test_arms_told_apart_completely():
    data = study().assign(flag=lambda d: d["arm"])
    with pytest.raises(AnalysisError, match="tell the arms apart completely"):
        stats.propensity(data, "arm", ["flag"])


def test_hazard_ratio_is_not_standardised():
    with pytest.raises(AnalysisError, match="cannot be standardised"):
        stats.adjusted_effect(study(), "day", "event", "arm", ["age"], measure="hazard_ratio", method="standardised")


def test_horizon_beyond_follow_up():
    with pytest.raises(AnalysisError, match="beyond the last day of follow-up of the"):
        stats.adjusted_effect(study(), "day", "event", "arm", ["age"], tau=5000)


def test_text_arms_and_focus():
    data = study().assign(arm=lambda d: np.where(d["arm"] == 1, "non_mandated", "paip"))
    found = stats.adjusted_effect(data, "day", "event", "arm", ["age"], tau=90, n_boot=20, focus="non_mandated")
    assert found.tidy()["contrast"].item() == "non_mandated - paip"
    with pytest.raises(AnalysisError, match="focus 'pilot' is not one of the 2 groups"):
        stats.propensity(data, "arm", ["age"], focus="pilot")


def test_diagnose_says_what_fails():
    data = study(60)
    fit = stats.propensity(data, "arm", ["age"])
    test = stats.proportional_hazards_test(stats.cox(data, "day", "event", ["arm", "age"]))
    found = stats.diagnose(fit, test, effective_sample_size=1000)
    table = found.tidy().set_index("term")
    assert table.loc["effective sample size", "verdict"] == "fail"
    assert table.loc["effective sample size", "sentence"] in found.notes
    assert set(table["verdict"]) <= {"pass", "fail", "unknown"}


def test_imputation_is_seeded_and_leaves_the_data_alone():
    data = study(80).assign(prior=np.where(np.arange(80) % 7 == 0, np.nan, np.arange(80) % 3))
    data["sex"] = np.where(np.arange(80) % 9 == 0, None, np.where(np.arange(80) % 2, "f", "m"))
    before = data.copy()
    one = stats.impute(data, ["age", "prior", "sex"], time="day", event="event", m=3, burn_in=2, seed=4)
    two = stats.impute(data, ["age", "prior", "sex"], time="day", event="event", m=3, burn_in=2, seed=4)
    pd.testing.assert_frame_equal(one[0], two[0])
    pd.testing.assert_frame_equal(data, before)
    assert not one[0]["sex"].isna().any() and set(one[0]["sex"]) == {"f", "m"}
    fits = [stats.cox(frame, "day", "event", ["age", "prior", "sex"]) for frame in one]
    pooled = stats.pool(fits).tidy()
    assert (pooled["std_error"] >= np.min([f.tidy()["std_error"] for f in fits], axis=0) * 0.99).all()


def test_pool_is_rubins():
    """As R's mice::pool.scalar(c(.2, .25, .3), c(.01, .012, .011)): qbar .25, ubar .011, t .01433, df 36.98."""
    from evalkit.stats._impute import rubin

    mean, error, df = rubin(np.array([[0.2], [0.25], [0.3]]), np.array([[0.01], [0.012], [0.011]]), None)
    np.testing.assert_allclose([mean[0], error[0] ** 2], [0.25, 0.011 + 4 / 3 * 0.0025])
    np.testing.assert_allclose(df[0], 2 / ((4 / 3 * 0.0025) / (0.011 + 4 / 3 * 0.0025)) ** 2)


def test_several_measures_and_methods_share_replicates_and_change_nothing():
    data = study()
    asked = {"tau": 90, "n_boot": 59, "seed": 3}
    both = stats.adjusted_effect(
        data, "day", "event", "arm", ["age"], measure=["rmst_difference", "hazard_ratio"],
        method=["iptw", "doubly_robust"], **asked,
    ).tidy()  # fmt: skip
    assert list(zip(both["measure"], both["method"], strict=True)) == [
        ("rmst_difference", "iptw"), ("rmst_difference", "doubly_robust"), ("hazard_ratio", "iptw"),
    ]  # fmt: skip
    for _, row in both.iterrows():
        alone = stats.adjusted_effect(
            data, "day", "event", "arm", ["age"], measure=row["measure"], method=row["method"], **asked
        ).tidy()
        for name in ("contrast", "estimate", "std_error", "conf_low", "conf_high"):
            assert alone[name].item() == row[name]


def test_percentile_limits_stand_at_whole_order_statistics():
    """199 replicates: the 5th and the 195th; between neighbours the step is taken on the normal scale."""
    from evalkit.stats._adjusted import percentile_limits

    drawn = np.random.default_rng(0).permutation(np.arange(1.0, 200.0))
    low, high = percentile_limits(drawn, 0.95)
    np.testing.assert_allclose([float(low), float(high)], [5, 195])
    low, high = percentile_limits(np.stack([drawn, -drawn], axis=1), 0.9)
    np.testing.assert_allclose([low, high], [[10, -190], [190, -10]])
