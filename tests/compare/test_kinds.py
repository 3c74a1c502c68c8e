"""Kinds of input that once gave an answer that was none: E-values, diagnostics, propensity scores, ratios."""

import numpy as np
import pandas as pd
import pytest

from evalkit import compare
from evalkit.errors import AnalysisError


# -- E-values: a limit that is not given is not known --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("estimate", "low", "high"),
    [(0.8, 0.6, None), (1.7, None, 2.5), (0.2, 0.01, None), (40, None, 1e6), (3, None, None)],
)
def test_no_limit_row_is_invented(estimate, low, high):
    assert compare.e_value(estimate, low, high).tidy()["term"].tolist() == ["estimate"]


@pytest.mark.parametrize(
    ("estimate", "low", "high", "near"),
    [(0.8, None, 0.9, 0.9), (1.7, 1.2, None, 1.2), (0.8, 0.6, 1.1, 1.1), (1.0, 0.5, None, 0.5), (1.0, None, 2, 2)],
)
def test_the_limit_nearest_to_1_has_the_row(estimate, low, high, near):
    row = compare.e_value(estimate, low, high).tidy().set_index("term").loc["limit"]
    apart = (near - 1) * (estimate - 1) > 0
    ratio = max(near, 1 / near)
    assert row["estimate"] == near
    assert row["e_value"] == pytest.approx(ratio + np.sqrt(ratio * (ratio - 1)) if apart else 1)


@pytest.mark.parametrize("hazard", [1e-40, 1e-9, 1e9, 1e40])
def test_enormous_hazard_ratios_have_an_e_value(hazard):
    value = compare.e_value(hazard, measure="HR").tidy()["e_value"].item()
    turned = compare.e_value(1 / hazard, measure="HR").tidy()["e_value"].item()
    assert np.isfinite(value) and value == pytest.approx(turned) and value > 1e3


# -- equipoise: by the study's range ------------------------------------------------------------------------------------
def drawn(seed=0, n=300):
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, n)
    return pd.DataFrame({"arm": (rng.random(n) < 1 / (1 + np.exp(-(age - 40) / 6))).astype(int), "age": age})


@pytest.mark.parametrize("between", [(0.3, 0.7), (0.45, 0.55), (0.1, 0.9), (0.0, 1.0)])
def test_equipoise_is_judged_within_the_range_asked(between):
    fit = compare.propensity(drawn(), "arm", ["age"])
    share = float(((fit.preference >= between[0]) & (fit.preference <= between[1])).mean())
    row = compare.diagnose(fit, preference=between, equipoise=0.4).tidy().set_index("term").loc["equipoise"]
    assert row["estimate"] == share and row["verdict"] == ("pass" if share >= 0.4 else "fail")
    overlap = fit.overlap(between).tidy()
    assert overlap.loc[overlap["term"].eq("equipoise") & overlap["group"].eq("all"), "estimate"].item() == share


@pytest.mark.parametrize("between", [(0.7, 0.3), (0.5, 0.5), (-0.1, 0.5), (0.2, 1.2)])
def test_a_range_that_is_none_is_refused(between):
    with pytest.raises(AnalysisError, match="equipoise must rise"):
        compare.diagnose(compare.propensity(drawn(), "arm", ["age"]), preference=between)


# -- propensity scores: outliers are data, units are none ------------------------------------------------------------------
@pytest.mark.parametrize("age", [999, 1e5, 1e8])
@pytest.mark.parametrize("arm", [0, 1])
def test_an_outlier_does_not_tell_the_arms_apart(age, arm):
    data = drawn(1)
    data.loc[data.index[data["arm"] == arm][0], "age"] = age
    scores = compare.propensity(data, "arm", ["age"]).scores
    others = data["age"].to_numpy() < 900
    assert np.isfinite(scores).all() and scores.sum() == pytest.approx(data["arm"].sum())  # the score equation holds
    if arm == 1:  # its score is 1, and the rest is fitted without it
        rest = compare.propensity(data[others], "arm", ["age"]).scores
        np.testing.assert_allclose(scores[others], rest, rtol=1e-6)


@pytest.mark.parametrize("k", [1e-9, 1e9])
@pytest.mark.parametrize("shift", [0, 1e6])
def test_scores_do_not_depend_on_units(k, shift):
    data = drawn(2)
    one, two = (
        compare.propensity(d, "arm", ["age"]).scores for d in (data, data.assign(age=(data["age"] + shift) * k))
    )
    np.testing.assert_allclose(one, two, rtol=1e-6)


@pytest.mark.parametrize("estimand", ["att", "ate", "overlap"])
def test_arms_that_are_told_apart_are_still_refused(estimand):
    data = drawn(3).assign(arm=lambda d: (d["age"] > 40).astype(int))
    with pytest.raises(AnalysisError, match="tell the arms apart completely"):
        compare.propensity(data, "arm", ["age"], estimand=estimand)


# -- a bootstrap that never varies has no error --------------------------------------------------------------------------------
@pytest.mark.parametrize("measure", ["rmst_difference", "risk_difference", "cif_difference"])
def test_replicates_that_are_all_the_same_have_no_standard_error(measure):
    data = drawn(4).assign(day=100, event=0)
    found = compare.adjusted_effect(data, "day", "event", "arm", ["age"], measure=measure, tau=90, n_boot=20)
    assert found.tidy()[["std_error", "p_value", "conf_low", "conf_high"]].isna().all(axis=None) and found.notes
