"""Kinds of input that once gave an answer that was none: each with several inputs, and what must not depend on units."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit import stats
from evalkit.errors import AnalysisError

quick = settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def people(seed, n=50):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.integers(0, 2, n).astype(float)
    day = np.ceil(rng.exponential(100 * np.exp(-0.5 * x + 0.3 * z)))
    return pd.DataFrame(
        {
            "day": np.minimum(day, 150),
            "event": (day < 150).astype(int),
            "cause": np.where(day < 150, rng.integers(1, 3, n), 0),
            "x": x,
            "z": z,
            "w": rng.uniform(0.2, 3, n),
            "site": rng.integers(0, 4, n),
            "arm": rng.permutation(np.arange(n) % 2),
        }
    )


# -- what is not identified is said as that ----------------------------------------------------------------------------
ONE_HOT = {f"site{k}": lambda d, k=k: (d["site"] == k).astype(float) for k in range(4)}
UNIDENTIFIED = {
    "constant at risk": (pd.DataFrame({"day": [4, 2, 4, 1], "event": [1, 0, 1, 0], "x": [1.3, 1.1, -1.3, -1.2], "z": [1, 0, 1, 1]}), ["x", "z"], "z"),
    "alone at risk": (pd.DataFrame({"day": [1, 2, 3, 9], "event": [0, 0, 0, 1], "x": [1.0, 2, 3, 4], "z": [0, 1, 0, 1]}), ["x", "z"], "x"),
    "site level": (people(1).assign(z=lambda d: d["site"] * 2.5), ["x", "z"], "z"),
    "site level, large": (people(2).assign(z=lambda d: d["site"] * 1e7 + 3), ["z", "x"], "z"),
    "sum with a site level": (people(3).assign(z=lambda d: 3 * d["x"] + 7.0 * d["site"]), ["x", "z"], "z"),
    "one-hot": (people(4).assign(**ONE_HOT), ["x", "site1", "site2", "site3"], "site1"),
    "one-hot whole": (people(5).assign(**ONE_HOT), ["site0", "site1", "site2", "site3"], "site3"),
}  # fmt: skip


@pytest.mark.parametrize("penalizer", [None, "firth"])
@pytest.mark.parametrize("name", UNIDENTIFIED)
def test_a_covariate_that_is_not_identified_is_named(name, penalizer):
    data, covariates, which = UNIDENTIFIED[name]
    strata = "site" if "site" in data else None
    with pytest.raises(AnalysisError, match=rf"covariate '{which}' .*not identified"):
        stats.cox(data, "day", "event", covariates, strata=strata, penalizer=penalizer)


@pytest.mark.parametrize(
    "make",
    [lambda d: d["x"] * 2, lambda d: 1e6 - d["x"] * 1e-6, lambda d: d["x"] + d["z"] * 5, lambda d: d["x"] * 0 + 7],
)
@pytest.mark.parametrize("fit", [stats.cox, lambda d, t, e, c: stats.fine_gray(d, t, "cause", c)])
def test_collinear_columns_are_not_identified(make, fit):
    data = people(6).assign(more=make)
    with pytest.raises(AnalysisError, match=r"covariate 'more' .*not identified"):
        fit(data, "day", "event", ["x", "z", "more"])


def test_almost_collinear_columns_are_fitted():
    data = people(7).assign(more=lambda d: d["x"] + 1e-4 * np.random.default_rng(0).normal(size=len(d)))
    assert np.isfinite(stats.cox(data, "day", "event", ["x", "more"]).data["std_error"]).all()


# -- perfect order, and one covariate that separates --------------------------------------------------------------------
ORDER = pd.DataFrame({"day": np.arange(1, 21), "event": 1, "x": -np.arange(1, 21.0), "four": np.arange(20) // 4})
PERFECT = {
    "falling": ORDER,
    "rising": ORDER.assign(x=lambda d: -d["x"]),
    "large": ORDER.assign(x=lambda d: d["x"] * 1e9),
    "tiny and shifted": ORDER.assign(x=lambda d: 3 + d["x"] * 1e-6),
    "uneven": ORDER.assign(x=lambda d: -np.exp(d["day"] / 2)),
    "some censored": ORDER.assign(event=lambda d: (d["day"] % 3 > 0).astype(int)),
}


@pytest.mark.parametrize("strata", [None, "four"])
@pytest.mark.parametrize("name", PERFECT)
def test_events_in_perfect_order_have_an_infinite_estimate(name, strata):
    data = PERFECT[name]
    fit = stats.cox(data, "day", "event", ["x"], strata=strata)
    way = -1 if name == "rising" else 1
    assert fit.data["estimate"].item() == way * np.inf and np.isnan(fit.data["std_error"].item())
    assert "Separation: 'x'" in fit.notes[0] and fit.summary["log_likelihood"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("strata", [None, "four"])
def test_beside_a_perfect_order_nothing_is_left_to_tell(strata):
    data = ORDER.assign(z=np.random.default_rng(3).normal(size=20))
    for covariates in (["x", "z"], ["z", "x"]):
        fit = stats.cox(data, "day", "event", covariates, strata=strata)
        rows = fit.data.set_index("term")
        assert rows.loc["x", "estimate"] == np.inf and rows.loc["z"].isna().all()
        assert any("nothing is left to tell of 'z'" in note for note in fit.notes)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("scale", [1, 1e-9, 1e9])
def test_of_several_covariates_the_one_that_separates_is_infinite(seed, scale):
    rng = np.random.default_rng(seed)
    data = people(seed).assign(q=lambda d: scale * ((d["event"] == 0) & (rng.random(len(d)) < 0.6)))
    assert data["q"].any()
    found = stats.cox(data, "day", "event", ["x", "q", "z"]).data.set_index("term")
    # in the limit nobody of theirs is at risk, and the rest is fitted without them
    rest = stats.cox(data[data["q"] == 0], "day", "event", ["x", "z"]).data.set_index("term")
    assert found.loc["q", "estimate"] == -np.inf
    pd.testing.assert_frame_equal(found.loc[["x", "z"]], rest, rtol=1e-6)


# -- the same answers on any scale ---------------------------------------------------------------------------------------
def the_same(one, other, **factor):
    for name, values in one.select_dtypes("number").items():
        np.testing.assert_allclose(other[name], values * factor.get(name, 1), rtol=1e-6, err_msg=str(name))


UNITS = st.sampled_from([1e-6, 1e-3, 7.0, 1e6])
MODEL = ["estimate", "std_error", "p_value", "conf_low", "conf_high"]


@quick
@given(st.integers(0, 10**6), UNITS)
def test_the_unit_of_time_changes_nothing_but_times(seed, k):
    one = people(seed).assign(day=lambda d: d["day"] + np.random.default_rng(seed).uniform(0, 1, len(d)))
    other = one.assign(day=one["day"] * k)
    for ask in (
        lambda d: stats.cox(d, "day", "event", ["x", "z"], strata="site"),
        lambda d: stats.fine_gray(d, "day", "cause", ["x", "z"]),
        lambda d: stats.logrank(d, "day", "event", "arm"),
        lambda d: stats.gray_test(d, "day", "cause", "arm"),
    ):
        the_same(ask(one).tidy(), ask(other).tidy())
    the_same(
        stats.kaplan_meier(one, "day", "event", by="arm").tidy(),
        stats.kaplan_meier(other, "day", "event", by="arm").tidy(),
        time=k,
    )
    times = dict.fromkeys(("estimate", "conf_low", "conf_high"), k)
    the_same(stats.survival_quantile(one, "day", "event").tidy(), stats.survival_quantile(other, "day", "event").tidy(), **times)  # fmt: skip
    cif = [stats.cumulative_incidence(d, "day", "cause").tidy() for d in (one, other)]
    the_same(*cif, time=k)


@quick
@given(st.integers(0, 10**6), st.sampled_from([1e-9, 1e-3, 1e9]), st.sampled_from([0.0, 1e6, -1e6]))
def test_covariates_may_have_any_unit_and_zero(seed, k, shift):
    one = people(seed)
    other = one.assign(x=one["x"] * k, z=one["z"] + shift)
    for ask in (
        lambda d: stats.cox(d, "day", "event", ["x", "z"], strata="site"),
        lambda d: stats.cox(d, "day", "event", ["x", "z"], ties="breslow", robust=True),
        lambda d: stats.fine_gray(d, "day", "cause", ["x", "z"]),
    ):
        a, b = ask(one).tidy()[MODEL], ask(other).tidy()[MODEL]
        per = np.array([1 / k, 1.0])
        for name in MODEL:
            np.testing.assert_allclose(b[name], a[name] * (1 if name == "p_value" else per), rtol=1e-6, err_msg=name)


@quick
@given(st.integers(0, 10**6), st.sampled_from([1e-13, 1e-6, 1e13]))
def test_weights_may_have_any_size(seed, k):
    one = people(seed)
    other = one.assign(w=one["w"] * k)
    for ask in (
        lambda d: stats.cox(d, "day", "event", ["x", "z"], weights="w", robust=True),
        lambda d: stats.kaplan_meier(d, "day", "event", by="arm", weights="w", robust=True),
        lambda d: stats.survival_quantile(d, "day", "event", by="arm", weights="w", robust=True),
        lambda d: stats.rmst(d, "day", "event", tau=60, by="arm", weights="w", robust=True),
        lambda d: stats.cumulative_incidence(d, "day", "cause", weights="w", variance="greenwood"),
    ):
        weighted = dict.fromkeys(("w_risk", "w_event", "w_censor"), k)
        the_same(ask(one).tidy(), ask(other).tidy(), **weighted)
    wald = [stats.cox(d, "day", "event", ["x", "z"], weights="w").tidy() for d in (one, other)]
    np.testing.assert_allclose(wald[1]["estimate"], wald[0]["estimate"], rtol=1e-6)
    np.testing.assert_allclose(wald[1]["std_error"] * np.sqrt(k), wald[0]["std_error"], rtol=1e-6)


@quick
@given(st.integers(0, 10**6))
def test_people_without_a_weight_are_not_there(seed):
    rng = np.random.default_rng(seed)
    data = people(seed).assign(w=lambda d: d["w"] * (rng.random(len(d)) < 0.7))
    there = data[data["w"] > 0]
    ask = {"robust": True, "weights": "w"}
    the_same(
        stats.kaplan_meier(there, "day", "event", times=[20, 60], **ask).tidy()[["estimate", "std_error", "conf_low"]],
        stats.kaplan_meier(data, "day", "event", times=[20, 60], **ask).tidy()[["estimate", "std_error", "conf_low"]],
    )
    the_same(*(stats.cox(d, "day", "event", ["x", "z"], strata="site", **ask).tidy() for d in (there, data)))


@pytest.mark.parametrize(("day", "w"), [(1e-6, 1), (1e6, 1e13), (1, 1e-13)])
def test_parametric_curves_on_any_scale(day, w, models=("weibull", "log-logistic", "log-normal")):
    models, data = list(models), people(11).assign(day=lambda d: d["day"] + 0.5)
    one = stats.parametric(data, "day", "event", models=models, weights="w").tidy().set_index("term")
    other = data.assign(day=data["day"] * day, w=data["w"] * w)
    two = stats.parametric(other, "day", "event", models=models, weights="w").tidy().set_index("term")
    np.testing.assert_allclose(two.loc[models, "median"], one.loc[models, "median"] * day, rtol=1e-6)


@pytest.mark.parametrize("level", [14, -1e3, 1e6])
@pytest.mark.parametrize("robust", [True, False])
def test_strata_may_lie_far_apart(level, robust):
    one = people(12)
    other = one.assign(x=one["x"] + np.where(one["site"] == 2, level, 0.0))
    the_same(*(stats.cox(d, "day", "event", ["x", "z"], strata="site", robust=robust).tidy() for d in (one, other)))


# -- outliers ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("age", [999, 1e5, -1e9])
def test_somebody_in_no_risk_set_may_have_any_value(age):
    data = people(13)
    usual, outlier = (pd.concat([data, data.iloc[:1].assign(day=0.5, event=0, cause=0, x=x)]) for x in (0.0, age))
    for ask in (
        lambda d: stats.fine_gray(d, "day", "cause", ["x", "z"]),
        lambda d: stats.cox(d, "day", "event", ["x", "z"]),
    ):
        the_same(ask(usual).tidy(), ask(outlier).tidy())


# -- curves that end at 0 or 1 --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [2, 3, 6, 7, 19, 49, 103])
@pytest.mark.parametrize("conf_type", ["log-log", "log", "plain"])
def test_an_incidence_of_1_has_no_limits(n, conf_type):
    data = pd.DataFrame({"day": np.arange(n), "cause": 1, "w": np.linspace(0.1, 3, n)})
    for more in ({}, {"weights": "w"}, {"variance": "greenwood"}, {"variance": "greenwood", "weights": "w"}):
        last = stats.cumulative_incidence(data, "day", "cause", conf_type=conf_type, **more).tidy().iloc[-1]
        assert last["estimate"] == 1 and np.isnan(last["conf_low"]) and np.isnan(last["conf_high"])
    km = stats.kaplan_meier(data, "day", "cause", conf_type=conf_type, weights="w").tidy().iloc[-1]
    assert km["estimate"] == 0 and np.isnan(km["conf_low"])


@pytest.mark.parametrize("tail", [1e-13, 1e-6, 1.0])
def test_the_last_one_followed_keeps_the_curve_above_0(tail):
    data = pd.DataFrame({"day": [1, 2, 3, 4], "event": [1, 1, 1, 0], "w": [1.0, 2.0, 5.0, tail]})
    found = stats.kaplan_meier(data, "day", "event", weights="w").tidy()["estimate"]
    np.testing.assert_allclose(found.iloc[-1], tail / (8 + tail), rtol=1e-9)


@pytest.mark.parametrize("who", [[0], [0, 2], [1, 2]])
def test_a_group_without_weights_has_no_curve(who):
    data = people(14).assign(arm=lambda d: d["site"] % 3)
    data.loc[data["arm"].isin(who), "w"] = 0.0
    left = next(g for g in (0, 1, 2) if g not in who)
    ask = {"by": "arm", "weights": "w"}
    for found in (
        stats.kaplan_meier(data, "day", "event", **ask),
        stats.cumulative_incidence(data, "day", "cause", **ask),
        stats.survival_quantile(data, "day", "event", q=0.2, **ask),
        stats.rmst(data, "day", "event", tau=40, **ask),
        stats.rmst_contrast(data, "day", "event", tau=40, reference=left, **ask),
    ):
        rows = found.tidy()
        name = rows["group"] if "group" in rows else rows["contrast"].str[0]
        bare = rows[name.isin([str(g) for g in who])]
        assert len(bare) and bare[["estimate", "conf_low"]].isna().all(axis=None) and found.notes


# -- without events there is no error --------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [2, 5, 40])
def test_all_censored_has_no_standard_error(n):
    data = pd.DataFrame({"day": np.arange(n) + 50, "event": 0, "arm": np.arange(n) % 2})
    contrast = stats.rmst_contrast(data, "day", "event", by="arm", tau=40, reference=0)
    difference = stats.survival_difference(data, "day", "event", "arm", times=[10, 30], reference=0)
    for found in (contrast, difference):
        rows = found.tidy()
        assert rows[["std_error", "statistic", "p_value", "conf_low", "conf_high"]].isna().all(axis=None)
        assert len(found.notes) == 1 and "no standard error" in found.notes[0]


# -- a ratio beyond the largest number ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("k", [1e-3, 1e-6, 1e-9])
def test_a_ratio_beyond_the_largest_number_is_infinite(k):
    data = people(15).assign(x=lambda d: d["x"] * k)
    rows = stats.cox(data, "day", "event", ["x"])
    high = rows.data["conf_high"].item()
    assert rows.data["hr_high"].item() == (np.inf if high > 709.7 else pytest.approx(np.exp(high)))
    if high > 709.7:
        assert any("infinite" in note for note in rows.notes)


# -- a landmark's days are numbers ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "values",
    [
        pd.to_datetime(["2022-01-01", None, "2022-03-01"]),
        ["2022-01-01", None, "2022-03-01"],
        ["150", None, "200"],
        pd.to_timedelta([150, None, 200], unit="D"),
        [True, False, True],
        pd.Categorical(["early", "late", None]),
    ],
)
def test_a_landmark_refuses_what_is_no_day(values):
    data = pd.DataFrame({"day": [100, 300, 400], "done": values})
    with pytest.raises(AnalysisError, match="column 'done' must hold days"):
        stats.landmark(data, "day", at=182, known="done")


@pytest.mark.parametrize(
    "values", [[None, 150, 200], [np.nan, 150.5, np.inf], pd.array([None, 150, 200], dtype="Int64")]
)
def test_a_landmark_takes_days_of_any_numeric_kind(values):
    data = pd.DataFrame({"day": [100, 300, 400], "done": values}, dtype=None)
    assert stats.landmark(data, "day", at=182, known="done")["by_landmark"].tolist() == ["yes", "no"]


def test_a_landmark_that_nobody_reached():
    data = pd.DataFrame({"day": [300, 400], "done": [None, None]})
    assert stats.landmark(data, "day", at=182, known="done")["by_landmark"].tolist() == ["no", "no"]


# -- levels nobody has ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("formula", ["level", "x + level", "x * level", "C(level)"])
def test_a_level_nobody_has_is_no_term(formula):
    data = people(16).assign(
        level=lambda d: pd.Categorical(d["site"].map({0: "a", 1: "b", 2: "c", 3: "a"}), list("dabce"))
    )
    bare = data.assign(level=data["level"].astype(str))
    one, two = (stats.cox(d, "day", "event", formula).tidy() for d in (data, bare))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize("k", [1e-51, 1e-160, 5e-310, 1e51, 1e200])
@pytest.mark.parametrize("fit", [stats.kaplan_meier, stats.cumulative_incidence])
def test_weights_of_which_the_squares_are_lost_are_refused(k, fit):
    """With 1e-200 a standard error was 0, and the limits were the estimate."""
    data = people(3).assign(w=lambda d: d["w"] * k)
    with pytest.raises(AnalysisError, match=r"column 'w' has weights of a size .* divide all by the largest"):
        fit(data, "day", "event", weights="w")


def test_a_weight_that_is_next_to_nothing_beside_others_is_nobody():
    data = people(4)
    tiny = data.assign(w=np.where(data.index == 0, 1e-70, data["w"]))
    none = data.assign(w=np.where(data.index == 0, 0.0, data["w"]))
    found, want = (stats.kaplan_meier(d, "day", "event", weights="w", times=[20]).data for d in (tiny, none))
    np.testing.assert_allclose(found["estimate"], want["estimate"], rtol=1e-12)
