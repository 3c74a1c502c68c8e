"""What comparisons stand on, by itself and by hand: walks along a read curve, many regressions at once, weights, imputed columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from evalkit import stats
from evalkit.errors import AnalysisError
from evalkit.stats._arms import answered, read_arms, target_weights
from evalkit.stats._columns import read_rows
from evalkit.stats._diagnose import as_risk_ratio, hazard_to_risk, strength
from evalkit.stats._impute import _coded, _filled, _hazard, rubin
from evalkit.stats._limits import _restricted_p0, miettinen_nurminen, percentile_limits, score_statistic
from evalkit.stats._logistic import fit_logistic, predicted
from evalkit.stats._logrank import in_cells
from evalkit.stats._problem import Ask, Horizon, arm_hazards, make_problem
from evalkit.stats._reconstruct import _last, _settle, _spread_censorings, _walk

# -- a read curve ------------------------------------------------------------------------------------------------------
EDGES = np.array([0.0, 10, 20])


@pytest.mark.parametrize(
    ("n", "edges", "found"),
    [
        (3, EDGES, [1, 2]),  # on days 5, 10 and 15: one on a read point falls after it
        (4, EDGES, [2, 2]), (1, EDGES, [0, 1]), (0, EDGES, [0, 0]), (-2, EDGES, [0, 0]),
        (3, np.array([100.0, 104, 105, 108]), [1, 1, 1]),  # on days 102, 104 (its point) and 106
        (3, np.array([100.0, 103, 105, 108]), [1, 1, 1]),
    ],
)  # fmt: skip
def test_censorings_are_spread_evenly_between_two_days(n, edges, found):
    assert _spread_censorings(n, edges).tolist() == found


@pytest.mark.parametrize(
    ("surv", "n", "height", "censored", "died", "lost", "left", "end"),
    [
        ([0.9, 0.8], 100, 1.0, 0, [10, 10], [0, 0], 80, 0.8),
        ([0.9, 0.8], 100, 1.0, 4, [10, 10], [2, 2], 76, 0.9 * (1 - 10 / 88)),
        ([0.5, 0.25], 8, 0.5, 0, [0, 4], [0, 0], 4, 0.25),
        ([0.0, 0.0], 3, 1.0, 2, [3, 0], [0, 0], 0, 0.0),
        ([0.6, 0.3], 10, 0.5, 0, [0, 4], [0, 0], 6, 0.3),  # a point above the curve is no death
        ([0.0, 0.0], 10, 0.0, 3, [0, 0], [1, 2], 7, 0.0),
        ([1.0, 1.0], 2, 1.0, 9, [0, 0], [2, 0], 0, 1.0),  # nobody is censored twice
    ],
)
def test_deaths_bring_the_curve_to_the_points_read(surv, n, height, censored, died, lost, left, end):
    found = _walk(np.array(surv), EDGES, n, height, censored)
    assert (found.died.tolist(), found.censored.tolist(), found.left) == (died, lost, left)
    assert found.height == pytest.approx(end)


@pytest.mark.parametrize("following", [80, 79, 76, 70, 40, 12, 0])
def test_an_interval_leaves_as_many_as_were_published(following):
    found = _settle(np.array([0.9, 0.8]), EDGES, 100, following, 1.0)
    assert found.left == following
    assert found.died.sum() + found.censored.sum() == 100 - following


def test_an_interval_that_lost_too_many_already_has_no_censorings():
    found = _settle(np.array([0.9, 0.5]), EDGES, 100, 60, 1.0)
    assert (found.died.tolist(), found.censored.tolist(), found.left) == ([10, 40], [0, 0], 50)
    gone = _settle(np.array([0.5, 0.5]), EDGES, 10, 4, 0.0)  # a curve at 0 says nothing: all who left were censored
    assert (gone.died.tolist(), gone.left) == ([0, 0], 4)


@pytest.mark.parametrize(("rate", "censored"), [(0.0, 0), (0.2, 4), (0.22, 4), (0.23, 5), (50.0, 100)])
def test_after_the_last_number_censorings_go_on_at_their_rate(rate, censored):
    found = _last(np.array([0.9, 0.8]), EDGES, 100, 1.0, None, rate)
    plain = _walk(np.array([0.9, 0.8]), EDGES, 100, 1.0, censored)
    assert (found.died.tolist(), found.censored.tolist()) == (plain.died.tolist(), plain.censored.tolist())


@pytest.mark.parametrize("deaths", range(12, 21))
@pytest.mark.parametrize("rate", [0.0, 1.0, 3.0])
def test_or_as_many_as_leave_the_published_deaths(deaths, rate):
    surv = np.array([0.9, 0.8])
    possible = {c: int(_walk(surv, EDGES, 100, 1.0, c).died.sum()) for c in range(101)}
    found = _last(surv, EDGES, 100, 1.0, deaths, rate)
    if deaths in possible.values():
        assert found.died.sum() == deaths
    nearest = min(abs(d - deaths) for d in possible.values())
    assert abs(int(found.died.sum()) - deaths) <= nearest + 1


def test_more_deaths_than_the_curve_has_leave_nobody_censored():
    found = _last(np.array([0.9, 0.8]), EDGES, 100, 1.0, 50, 0.3)
    assert (found.died.tolist(), found.censored.tolist(), found.left) == ([10, 10], [0, 0], 80)
    fewest = _last(np.array([0.9, 0.8]), EDGES, 100, 1.0, 0, 0.3)
    assert fewest.censored.sum() + fewest.died.sum() == 100 - fewest.left and fewest.died.sum() <= 14


def test_people_behind_a_curve_in_whole():
    curve = pd.DataFrame(
        {"time": [20, 10, 30, 15], "estimate": [0.8, 0.9, 0.7, 0.95]}
    )  # not in order; a rise is flattened
    found = stats.reconstruct(curve, pd.DataFrame({"time": [0, 20], "n_risk": [10, 8]}), n_event=3)
    assert len(found) == 10 and found["event"].sum() == 3
    assert found["time"].is_monotonic_increasing and found["time"].max() == 30
    assert (found["time"] >= 20).sum() == 8
    assert found.loc[found["event"] == 1, "time"].isin([10, 15, 20, 30]).all()


# -- many regressions at once ------------------------------------------------------------------------------------------
def design(n: int = 60, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=n), rng.integers(0, 2, n)])
    return x, (rng.random(n) < 1 / (1 + np.exp(-(x @ [0.3, -0.8, 0.5])))).astype(float)


def test_logistic_regressions_are_the_maxima_of_their_likelihoods():
    x, y = design()
    rng = np.random.default_rng(5)
    weights = np.stack([np.ones(60), rng.integers(0, 4, 60).astype(float), rng.random(60)])
    beta, done = fit_logistic(x, y, weights)
    assert done.tolist() == [True] * 3
    for w, own in zip(weights, beta, strict=True):

        def against(b, w=w):
            eta = x @ b
            return float((w * (np.logaddexp(0, eta) - y * eta)).sum())

        wanted = optimize.minimize(against, np.zeros(3), method="BFGS", options={"gtol": 1e-9}).x
        assert own == pytest.approx(wanted, abs=1e-5)
    again, _ = fit_logistic(x, y, weights, start=np.array([2.0, 2.0, -2.0]))
    assert again == pytest.approx(beta, abs=1e-7)
    assert predicted(x, beta[:1])[0] == pytest.approx(1 / (1 + np.exp(-x @ beta[0])))


def test_a_resample_whose_arms_are_told_apart_has_no_fit_and_the_others_have():
    x, y = design()
    apart = (y == (x[:, 1] > 0)).astype(float)
    weights = np.stack([apart, np.ones(60)])
    beta, done = fit_logistic(x, y, weights)
    assert done.tolist() == [False, True]
    assert beta[1] == pytest.approx(fit_logistic(x, y, weights[1:])[0][0], abs=1e-9)
    assert (predicted(x, np.array([[1e6, 0, 0.0], [-1e6, 0, 0.0]])) == np.array([[1 - 1e-12], [1e-12]])).all()


def people(n: int = 80, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"arm": np.arange(n) % 2, "x": rng.normal(size=n), "day": rng.integers(1, 30, n).astype(float)}
    )
    return frame.assign(event=(rng.random(n) < 0.7).astype(int))


def test_levels_of_a_resample_without_a_fit_are_missing_and_of_every_kind_in_its_place():
    data = people()
    arms, rows = read_arms(data, "arm", ["x"]), read_rows(data, "day", "event")
    kinds = [("rmst", 20.0), ("survival", 10.0), ("cif", 10.0)]
    asks = [Ask(m, Horizon(k, t)) for k, t in kinds for m in ("iptw", "standardised", "doubly_robust")]
    asks.insert(2, Ask("iptw", Horizon("hazard", float("nan"))))
    problem = make_problem(rows, arms, "ate", asks)
    apart = ((data["arm"] == 1) == (data["x"] > 0)).to_numpy(dtype=float)
    found = problem.levels(np.stack([np.ones(len(data)), apart]))
    assert found.shape == (2, 10, 2)
    assert np.isfinite(found[0]).all() and np.isnan(found[1]).all()
    for k, ask in enumerate(asks):
        alone = make_problem(rows, arms, "ate", [ask]).levels(np.ones((1, len(data))))[0, 0]
        assert found[0, k] == pytest.approx(alone, nan_ok=True), ask
    # One minus a survival is the incidence where there is one cause; a log hazard ratio is over 0.
    assert found[0, 4] == pytest.approx(found[0, 7])
    assert found[0, 2, 1] == 0


@pytest.mark.parametrize("measure", ["rmst_difference", "hazard_ratio", "cif_difference"])
def test_arms_that_are_told_apart_have_no_adjusted_effect(measure):
    data = people().assign(x=lambda d: d["x"] + 20 * d["arm"])
    arms, rows = read_arms(data, "arm", ["x"]), read_rows(data, "day", "event")
    with pytest.raises(AnalysisError, match=r"^the covariates tell the arms apart completely"):
        make_problem(rows, arms, "att", [Ask("iptw", Horizon("rmst", 9.0))])
    with pytest.raises(AnalysisError, match=r"^the covariates tell the arms apart completely"):
        stats.adjusted_effect(data, "day", "event", "arm", ["x"], measure=measure, tau=9, n_boot=20)


def test_weighted_hazards_are_cox_models_with_those_weights():
    data = people().assign(day=lambda d: np.ceil(d["day"] / 3))  # many ties
    rng = np.random.default_rng(2)
    weights = np.stack([np.ones(80), rng.random(80) + 0.2])
    made = arm_hazards(data["arm"].to_numpy(float), data["day"].to_numpy(), data["event"].to_numpy() > 0)
    found = made.log_hazard_ratio(weights)
    for w, own in zip(weights, found, strict=True):
        fit = stats.cox(data.assign(w=w), "day", "event", ["arm"], weights="w")
        assert own == pytest.approx(fit.tidy()["estimate"].iloc[0], abs=1e-8)
    only = data["event"].to_numpy() * data["arm"].to_numpy()
    assert np.isnan(
        arm_hazards(data["arm"].to_numpy(float), data["day"].to_numpy(), only > 0).log_hazard_ratio(weights[:1])
    )


# -- arms and weights --------------------------------------------------------------------------------------------------
def test_weights_of_each_target():
    score, treated = np.array([0.2, 0.2, 0.5, 0.8]), np.array([1.0, 0, 1, 0])
    assert target_weights(score, treated, "att") == pytest.approx([1, 0.25, 1, 4])
    assert target_weights(score, treated, "ate") == pytest.approx([5, 1.25, 2, 5])
    assert target_weights(score, treated, "overlap") == pytest.approx([0.8, 0.2, 0.5, 0.8])


def test_arms_are_read_with_the_higher_level_in_focus_and_quartiles_as_scale():
    data = pd.DataFrame({"arm": list("aabba"), "x": [0.0, 1, 2, 3, 100], "y": [1.0, 1, 1, 1, 6]})
    arms = read_arms(data, "arm", ["x", "y"])
    assert (arms.treated.tolist(), arms.names, arms.size) == ([0, 0, 1, 1, 0], ("b", "a"), 5)
    assert arms.x[:, 0].tolist() == [1] * 5 and arms.x[:, 1].tolist() == [-1, -0.5, 0, 0.5, 49]
    assert arms.x[:, 2] == pytest.approx([0, 0, 0, 0, 2.5])  # no quartiles apart: by the standard deviation, 2
    other = read_arms(data, "arm", ["x"], focus="a")
    assert (other.treated.tolist(), other.names) == ([1, 1, 0, 0, 1], ("a", "b"))


# -- intervals ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("counts", [(31, 45, 52, 118), (1, 9, 7, 8), (5, 5, 2, 9), (0, 6, 3, 10)])
@pytest.mark.parametrize("delta", [-0.4, -0.05, 0.0, 0.21, 0.6])
def test_the_restricted_share_is_the_most_likely_one(counts, delta):
    x1, n1, x0, n0 = counts

    def against(p):
        p1 = p + delta
        parts = [(x1, p1), (n1 - x1, 1 - p1), (x0, p), (n0 - x0, 1 - p)]
        return -sum(k * np.log(max(q, 1e-300)) for k, q in parts if k)

    low, high = max(0.0, -delta), min(1.0, 1 - delta)
    wanted = optimize.minimize_scalar(against, bounds=(low, high), method="bounded", options={"xatol": 1e-10})
    found = _restricted_p0(*counts, delta)
    assert low <= found <= high and against(found) <= wanted.fun + 1e-7
    p0 = found
    p1, gap = p0 + delta, x1 / n1 - x0 / n0 - delta
    spread = (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * (n1 + n0) / (n1 + n0 - 1)
    if spread > 1e-9:
        assert score_statistic(*counts, delta) == pytest.approx(gap / np.sqrt(spread))


def test_a_score_without_spread_is_0_or_without_end():
    assert score_statistic(0, 5, 0, 7, 0.0) == 0
    assert score_statistic(5, 5, 0, 7, 1.0) == 0
    assert score_statistic(0, 5, 7, 7, 1.0) == -np.inf and score_statistic(5, 5, 0, 7, -1.0) == np.inf


@pytest.mark.parametrize("counts", [(31, 45, 52, 118), (0, 6, 3, 10), (6, 6, 0, 10), (0, 6, 10, 10)])
def test_limits_by_the_score_hold_it_at_the_quantile(counts):
    low, high = miettinen_nurminen(*counts, 0.95)
    z = 1.959963984540054
    assert -1 <= low < high <= 1
    assert low == -1 or score_statistic(*counts, low) == pytest.approx(z, abs=1e-6)
    assert high == 1 or score_statistic(*counts, high) == pytest.approx(-z, abs=1e-6)
    assert (low == -1) == (counts[0] == 0 and counts[2] == counts[3])
    assert (high == 1) == (counts[0] == counts[1] and counts[2] == 0)


@pytest.mark.parametrize("made", [stats.Proportion, lambda **k: stats.ProportionDifference("b", **k),
                                  lambda **k: stats.Benchmark(0.5, **k), lambda **k: stats.NonInferiority(0.5, 0.1, **k)])  # fmt: skip
def test_an_analysis_with_an_impossible_level_is_not_made(made):
    for level in (0, 1, 95):
        with pytest.raises(AnalysisError, match=f"conf_level must lie between 0 and 1, it is {level}"):
            made(conf_level=level)


# -- replicates --------------------------------------------------------------------------------------------------------
def test_limits_of_few_replicates_end_at_the_last_ones():
    drawn = np.array([[3.0, 1], [1, 5], [2, 3]])
    low, high = percentile_limits(drawn, 0.99)
    assert (low.tolist(), high.tolist()) == ([1, 1], [3, 5])
    low, high = percentile_limits(drawn, 0.5)  # the 1st and 3rd of three stand at 1/4 and 3/4
    assert (low, high) == (pytest.approx([1, 1]), pytest.approx([3, 5]))


@pytest.mark.parametrize(("failed", "of", "said"), [(0, 20, None), (1, 20, "1 of 20"), (5, 20, "5 of 20"), (6, 20, "")])
def test_replicates_that_failed_are_told_and_more_than_a_quarter_is_too_many(failed, of, said):
    drawn = np.array([np.nan] * failed + [1.0] * (of - failed))
    if said == "":
        with pytest.raises(AnalysisError, match="6 of 20 bootstrap replicates have no estimate: the data are too thin"):
            answered(drawn)
    else:
        found, notes = answered(drawn)
        assert found.tolist() == [1.0] * (of - failed)
        assert notes == ((f"{said} bootstrap replicates had no estimate and were left out.",) if said else ())


# -- E-values ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "measure", "rare", "found"),
    [(4.0, "RR", False, 4), (4.0, "OR", False, 2), (4.0, "OR", True, 4), (4.0, "HR", True, 4), (0.0, "HR", False, 0),
     (np.inf, "OR", False, np.inf), (4.0, "HR", False, (1 - 0.5**2) / (1 - 0.5**0.5)), (0.25, "HR", False, (1 - 0.5**0.5) / (1 - 0.5**2))],
)  # fmt: skip
def test_the_risk_ratio_a_measure_stands_for(value, measure, rare, found):
    assert as_risk_ratio(value, measure, rare=rare) == pytest.approx(found)


def test_strengths():
    assert hazard_to_risk(1.0) == pytest.approx(1)
    assert [strength(r) for r in (1.0, 2.0, 0.5)] == pytest.approx([1, 2 + np.sqrt(2), 2 + np.sqrt(2)])
    assert strength(0) == strength(np.inf) == np.inf
    rows = stats.e_value(1, 0.5, 2.5, covariates={"a": (2, 0.5)}).tidy()
    assert rows["term"].tolist() == ["estimate", "limit", "a"] and rows["e_value"].tolist()[:2] == [1, 1]
    assert rows["estimate"].tolist() == [1, 0.5, pytest.approx(4 / 3)]
    assert stats.e_value(1, conf_high=2.5).tidy()["estimate"].tolist() == [1, 2.5]
    assert stats.e_value(2, conf_high=2.5).tidy()["term"].tolist() == ["estimate"]
    assert stats.e_value(0.5, 0.4, 0.8).tidy()["estimate"].tolist() == [0.5, 0.8]


# -- imputed columns ---------------------------------------------------------------------------------------------------
def test_columns_as_numbers_and_back():
    data = pd.DataFrame({"age": [30.0, np.nan, 41], "sex": ["m", None, "f"], "full": ["b", "a", "b"]}, index=[5, 6, 7])
    coded = {name: _coded(data, name) for name in data}
    assert coded["age"][1] is None and coded["sex"][1] == ["f", "m"]
    assert coded["sex"][0].tolist()[::2] == [1, 0] and np.isnan(coded["sex"][0][1]) and np.isnan(coded["age"][0][1])
    values = pd.DataFrame({"c0": [30.0, 35.5, 41], "c1": [1.0, 0.6, 0], "c2": [1.0, 0, 1]})
    filled = _filled(data, ["age", "sex", "full"], coded, values)
    assert filled["age"].tolist() == [30, 35.5, 41] and filled["sex"].tolist() == ["m", "m", "f"]
    assert filled["full"].tolist() == ["b", "a", "b"] and filled.index.tolist() == [5, 6, 7]
    assert {type(v) for v in filled["sex"]} == {str} and data["sex"].isna().sum() == 1


def test_the_hazard_at_each_time_is_nelson_and_aalens():
    data = pd.DataFrame({"day": [2.0, 5, 2, 7, 1], "event": [1, 1, 1, 0, 0]})
    # Four at risk on day 2, two with the event; two on day 5, one with it; none on day 7.
    assert _hazard(data, "day", "event") == pytest.approx([0.5, 1, 0.5, 1, 0])


def test_nothing_missing_gives_copies_and_the_outcome_helps_to_fill_in():
    data = pd.DataFrame({"x": [1.0, 2, 3], "day": [1.0, 2, 3], "event": [1, 0, 1]})
    frames = stats.impute(data, ["x"], m=3)
    assert len(frames) == 3 and all(frame.equals(data) and frame is not data for frame in frames)


def test_rubins_rules_by_hand():
    estimates, variances = np.array([[1.0, 2.0], [3.0, 2.0]]), np.array([[0.5, 0.4], [0.7, 0.4]])
    mean, error, df = rubin(estimates, variances, None)
    total = 0.6 + 1.5 * 2
    assert mean.tolist() == [2, 2] and error == pytest.approx([np.sqrt(total), np.sqrt(0.4)])
    assert df[0] == pytest.approx(1 / (3 / total) ** 2) and df[1] == pytest.approx(1e20)
    _, _, small = rubin(estimates, variances, 20)
    seen = 21 / 23 * 20 * (1 - 3 / total)
    assert small[0] == pytest.approx(df[0] * seen / (df[0] + seen)) and small[1] == pytest.approx(21 / 23 * 20)


def test_curves_leave_out_the_replicates_without_a_score_as_effects_do():
    x = np.array([1.0] * 12 + [0.0] * 3 + [1.0] * 20 + [0.0] * 20)  # a resample without the 3 tells the arms apart
    data = pd.DataFrame({"arm": np.repeat([1, 0], [15, 40]), "x": x, "day": np.arange(55) % 29 + 1.0, "event": 1})
    asked = {"focus": 1, "n_boot": 200, "seed": 4}
    curves = stats.adjusted_curves(data, "day", "event", "arm", ["x"], times=[10], **asked)
    effect = stats.adjusted_effect(data, "day", "event", "arm", ["x"], measure="rmst_difference", tau=10, **asked)
    assert curves.notes == ("6 of 200 bootstrap replicates had no estimate and were left out.",)
    assert effect.notes[-1:] == curves.notes


def test_cells_are_the_groups_and_strata_that_occur_with_the_group_first():
    data = pd.DataFrame(
        {"day": range(1, 6), "event": 1, "arm": list("bbaab"), "site": ["east", "west", "west", "north", "west"]}
    )
    rows = read_rows(data, "day", "event", by="arm")
    found, cells = in_cells(rows, data, "site")
    assert cells == (
        ("a, north", "a", "north"),
        ("a, west", "a", "west"),
        ("b, east", "b", "east"),
        ("b, west", "b", "west"),
    )
    assert found.groups.labels == ("a, north", "a, west", "b, east", "b, west")
    assert found.groups.codes.tolist() == [2, 3, 1, 0, 3]
    assert in_cells(rows, data, None) == (rows, ())
