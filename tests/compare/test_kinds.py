"""Kinds of input that once gave an answer that was none: E-values, diagnostics, propensity scores, ratios."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from evalkit import stats
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates


# -- E-values: a limit that is not given is not known --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("estimate", "low", "high"),
    [(0.8, 0.6, None), (1.7, None, 2.5), (0.2, 0.01, None), (40, None, 1e6), (3, None, None)],
)
def test_no_limit_row_is_invented(estimate, low, high):
    assert stats.e_value(estimate, low, high).tidy()["term"].tolist() == ["estimate"]


@pytest.mark.parametrize(
    ("estimate", "low", "high", "near"),
    [(0.8, None, 0.9, 0.9), (1.7, 1.2, None, 1.2), (0.8, 0.6, 1.1, 1.1), (1.0, 0.5, None, 0.5), (1.0, None, 2, 2)],
)
def test_the_limit_nearest_to_1_has_the_row(estimate, low, high, near):
    row = stats.e_value(estimate, low, high).tidy().set_index("term").loc["limit"]
    apart = (near - 1) * (estimate - 1) > 0
    ratio = max(near, 1 / near)
    assert row["estimate"] == near
    assert row["e_value"] == pytest.approx(ratio + np.sqrt(ratio * (ratio - 1)) if apart else 1)


@pytest.mark.parametrize("hazard", [1e-40, 1e-9, 1e9, 1e40])
def test_enormous_hazard_ratios_have_an_e_value(hazard):
    value = stats.e_value(hazard, measure="HR").tidy()["e_value"].item()
    turned = stats.e_value(1 / hazard, measure="HR").tidy()["e_value"].item()
    assert np.isfinite(value) and value == pytest.approx(turned) and value > 1e3


# -- equipoise: by the study's range ------------------------------------------------------------------------------------
def drawn(seed=0, n=300):
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, n)
    return pd.DataFrame({"arm": (rng.random(n) < 1 / (1 + np.exp(-(age - 40) / 6))).astype(int), "age": age})


@pytest.mark.parametrize("between", [(0.3, 0.7), (0.45, 0.55), (0.1, 0.9), (0.0, 1.0)])
def test_equipoise_is_judged_within_the_range_asked(between):
    fit = stats.propensity(drawn(), "arm", ["age"])
    share = float(((fit.preference >= between[0]) & (fit.preference <= between[1])).mean())
    row = stats.diagnose(fit, preference=between, equipoise=0.4).tidy().set_index("term").loc["equipoise"]
    assert row["estimate"] == share and row["verdict"] == ("pass" if share >= 0.4 else "fail")
    overlap = fit.overlap(between).tidy()
    assert overlap.loc[overlap["term"].eq("equipoise") & overlap["group"].eq("all"), "estimate"].item() == share


@pytest.mark.parametrize("between", [(0.7, 0.3), (0.5, 0.5), (-0.1, 0.5), (0.2, 1.2)])
def test_a_range_that_is_none_is_refused(between):
    with pytest.raises(AnalysisError, match="equipoise must rise"):
        stats.diagnose(stats.propensity(drawn(), "arm", ["age"]), preference=between)


# -- propensity scores: outliers are data, units are none ------------------------------------------------------------------
@pytest.mark.parametrize("age", [999, 1e5, 1e8])
@pytest.mark.parametrize("arm", [0, 1])
def test_an_outlier_does_not_tell_the_arms_apart(age, arm):
    data = drawn(1)
    data.loc[data.index[data["arm"] == arm][0], "age"] = age
    scores = stats.propensity(data, "arm", ["age"]).scores
    others = data["age"].to_numpy() < 900
    assert np.isfinite(scores).all() and scores.sum() == pytest.approx(data["arm"].sum())  # the score equation holds
    if arm == 1:  # its score is 1, and the rest is fitted without it
        rest = stats.propensity(data[others], "arm", ["age"]).scores
        np.testing.assert_allclose(scores[others], rest, rtol=1e-6)


@pytest.mark.parametrize("k", [1e-9, 1e9])
@pytest.mark.parametrize("shift", [0, 1e6])
def test_scores_do_not_depend_on_units(k, shift):
    data = drawn(2)
    one, two = (stats.propensity(d, "arm", ["age"]).scores for d in (data, data.assign(age=(data["age"] + shift) * k)))
    np.testing.assert_allclose(one, two, rtol=1e-6)


@pytest.mark.parametrize("estimand", ["att", "ate", "overlap"])
def test_arms_that_are_told_apart_are_still_refused(estimand):
    data = drawn(3).assign(arm=lambda d: (d["age"] > 40).astype(int))
    with pytest.raises(AnalysisError, match="tell the arms apart completely"):
        stats.propensity(data, "arm", ["age"], estimand=estimand)


# -- a bootstrap that never varies has no error --------------------------------------------------------------------------------
@pytest.mark.parametrize("measure", ["rmst_difference", "risk_difference", "cif_difference"])
def test_replicates_that_are_all_the_same_have_no_standard_error(measure):
    data = drawn(4).assign(day=100, event=0)
    found = stats.adjusted_effect(data, "day", "event", "arm", ["age"], measure=measure, tau=90, n_boot=20)
    assert found.tidy()[["std_error", "p_value", "conf_low", "conf_high"]].isna().all(axis=None) and found.notes


# -- a risk before anything has happened is 0 in every replicate, but for rounding ---------------------------------------------
@pytest.mark.parametrize("method", ["standardised", "doubly_robust"])
@pytest.mark.parametrize("measure", ["rmst_difference", "risk_difference", "cif_difference"])
def test_replicates_that_differ_by_rounding_have_no_standard_error(measure, method):
    data = drawn(5).assign(day=lambda d: 50 + d.index % 40, event=1)
    found = stats.adjusted_effect(
        data, "day", "event", "arm", ["age"], measure=measure, method=method, tau=49, n_boot=20
    )
    row = found.tidy()[["std_error", "statistic", "p_value", "conf_low", "conf_high"]]
    assert row.isna().all(axis=None) and found.tidy()["estimate"].item() == pytest.approx(0, abs=1e-6)
    assert found.notes == ("All bootstrap replicates are the same: there is no standard error and no test.",)


def test_who_is_told_apart_completely_has_a_standardised_risk_without_an_error():
    data = pd.DataFrame({"x": [0] * 20 + [1] * 20, "day": [30] * 20 + [*range(1, 21)], "left": [0] * 20 + [1] * 20})
    found = stats.standardised_risks(data, "day", "left", ["x"], tau=25, n_boot=20)
    row = found.tidy()[["std_error", "statistic", "p_value", "conf_low", "conf_high"]]
    assert row.isna().all(axis=None) and found.tidy()["estimate"].item() == pytest.approx(1)
    assert found.notes == ("All bootstrap replicates are the same: there is no standard error and no test.",)


# -- a ratio is pooled by its logarithm: the question is whether it is 1 -------------------------------------------------------
@pytest.mark.parametrize("ratios", [(0.8, 1.1, 0.9), (2.0, 2.6, 1.7), (1.0, 1.0, 1.3)])
def test_a_ratio_is_pooled_by_its_logarithm(ratios):
    def one(ratio):
        rows = {
            "contrast": ["a - b", "a / b"],
            "measure": ["rmst_difference", "rmst_ratio"],
            "estimate": [ratio - 1, ratio],
            "std_error": [0.3, 0.2 * ratio],
        }
        return Estimates(pd.DataFrame(rows), "rmst_contrast", "x")

    found = stats.pool([one(ratio) for ratio in ratios], conf_level=0.9).tidy()
    for row, values, error in ((0, np.array(ratios) - 1, 0.3), (1, np.log(ratios), 0.2)):
        between = 4 / 3 * values.var(ddof=1)
        total = error**2 + between
        df = 2 / (between / total) ** 2
        mean, wide = values.mean(), student.ppf(0.95, df) * np.sqrt(total)
        back = np.exp if row else (lambda v: v)
        assert found["estimate"][row] == pytest.approx(back(mean))
        assert found.loc[row, ["conf_low", "conf_high"]].tolist() == pytest.approx(
            [back(mean - wide), back(mean + wide)]
        )
        assert found["std_error"][row] == pytest.approx(np.sqrt(total) * (np.exp(mean) if row else 1))
        assert found["statistic"][row] == pytest.approx(mean / np.sqrt(total))
        assert found["p_value"][row] == pytest.approx(2 * student.sf(abs(mean) / np.sqrt(total), df))


def test_a_difference_of_groups_whose_labels_hold_a_slash_is_no_ratio():
    rows = [
        pd.DataFrame(
            {"contrast": ["Men / boys - PAIP"], "measure": ["rmst_difference"], "estimate": [v], "std_error": [0.1]}
        )
        for v in (0.2, 0.4)
    ]
    found = stats.pool([Estimates(frame, "rmst_contrast", "x") for frame in rows]).tidy()
    assert found["estimate"].item() == pytest.approx(0.3)


def test_a_ratio_of_0_in_one_data_set_is_not_pooled():
    rows = [pd.DataFrame({"contrast": ["a / b"], "estimate": [v], "std_error": [0.1]}) for v in (0.0, 0.4)]
    found = stats.pool([Estimates(frame, "risk_ratio", "x") for frame in rows]).tidy()
    assert found[["estimate", "std_error", "p_value", "conf_low"]].isna().all(axis=None)


def test_what_is_pooled_is_told_as_the_first_and_how_many_there_were():
    rows = pd.DataFrame({"group": ["a"], "estimate": [0.4], "std_error": [0.1]})
    first = stats.proportion(10, 50).about(
        data=rows, population="people", cut=date(2023, 12, 31), notes=("of one",), asked={"by": "arm"}
    )
    found = stats.pool([first, first.about(population="others", cut=None, asked={}, kind="other", counts=None)], n=30)
    told = (found.kind, found.estimand, found.population, found.cut, found.asked, found.counts is first.counts)
    assert told == (first.kind, first.estimand, "people", date(2023, 12, 31), {"by": "arm"}, True)
    assert (found.conf_level, found.summary, found.analysis) == (0.95, {"m": 2}, None)
    assert found.notes == ("Pooled over 2 imputed data sets.",)
    with pytest.raises(AnalysisError, match=r"^pool needs two results or more$"):
        stats.pool([first])
    with pytest.raises(
        AnalysisError, match=r"^pool needs results with the same rows, each with columns estimate and std_"
    ):
        stats.pool([first, first.about(data=rows.assign(group="b"))])
