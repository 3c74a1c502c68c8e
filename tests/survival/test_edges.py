"""Degenerate input: a defined answer, or an error that names the column and never a value."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from evalkit import stats
from evalkit.errors import AnalysisError


def people(**columns):
    base = {"day": [3, 5, 5, 9, 12, 15], "event": [1, 1, 0, 0, 1, 1], "arm": list("aaabbb")}
    return pd.DataFrame(base | columns)


BAD = [
    ({"day": [3, 5, None, 9, 12, 15]}, "'day' has missing values"),
    ({"day": [3, 5, -7777, 9, 12, 15]}, "'day' has values below 0"),
    ({"day": [3, 5, np.inf, 9, 12, 15]}, "'day' has values that are not finite"),
    ({"day": list("abcdef")}, "'day' must be numeric"),
    ({"event": [1, 1, 7777, 0, 1, 1]}, "'event' must hold 0 to 1"),
    ({"event": [1, 1, 0.5, 0, 1, 1]}, "'event' must hold whole numbers"),
    ({"event": [1, 1, None, 0, 1, 1]}, "'event' has missing values"),
    ({"event": [1, 1, -1, 0, 1, 1]}, "'event' has values below 0"),
    ({"arm": ["a", "a", None, "b", "b", "b"]}, "'arm' has missing values"),
]


@pytest.mark.parametrize(("columns", "message"), BAD)
def test_bad_columns_are_named_without_their_values(columns, message):
    with pytest.raises(AnalysisError, match=message) as caught:
        stats.kaplan_meier(people(**columns), "day", "event", by="arm")
    assert "7777" not in str(caught.value)


def test_unknown_column_has_a_hint():
    with pytest.raises(AnalysisError, match="did you mean 'event'"):
        stats.kaplan_meier(people(), "day", "evnt")


def test_entry_must_be_before_time():
    with pytest.raises(AnalysisError, match="'start' must be before column 'day': 2 rows"):
        stats.kaplan_meier(people(start=[3, 6, 0, 0, 0, 0]), "day", "event", entry="start")


def test_no_rows():
    with pytest.raises(AnalysisError, match="'day' has no rows"):
        stats.kaplan_meier(people().head(0), "day", "event")


@pytest.mark.parametrize("dtype", ["bool", "boolean", "Int64", "float64", "int8"])
def test_types_of_event(dtype):
    data = people()
    typed = data.assign(event=data["event"].astype(dtype))
    one = stats.kaplan_meier(data, "day", "event").tidy()
    pd.testing.assert_frame_equal(one, stats.kaplan_meier(typed, "day", "event").tidy())


def test_day_zero_counts():
    data = pd.DataFrame({"day": [0, 0, 4], "event": [1, 0, 1]})
    frame = stats.kaplan_meier(data, "day", "event").tidy()
    assert frame["n_risk"].tolist() == [3, 1]
    np.testing.assert_allclose(frame["estimate"], [2 / 3, 0])


def test_one_person():
    frame = stats.kaplan_meier(pd.DataFrame({"day": [4], "event": [1]}), "day", "event").tidy()
    assert frame["estimate"].tolist() == [0.0] and frame["std_error"].isna().all()


def test_nan_always_has_a_note():
    found = stats.kaplan_meier(people(), "day", "event", times=[1, 100], by="arm")
    assert found.tidy()["estimate"].isna().any()
    assert found.notes


def test_no_events():
    data = people(event=0)
    frame = stats.kaplan_meier(data, "day", "event").tidy()
    assert (frame["estimate"] == 1).all()
    test = stats.logrank(data, "day", "event", "arm")
    assert np.isnan(test.summary["p_value"]) and test.notes
    with pytest.raises(AnalysisError, match="'event' has no events"):
        stats.cox(data.assign(x=range(6)), "day", "event", ["x"])


def test_groups_that_strata_keep_apart_are_tested_within_their_own():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"day": rng.integers(1, 40, 160), "cause": rng.integers(0, 3, 160), "arm": [*"abcd"] * 40})
    data = data.assign(site=data["arm"].isin(["c", "d"]).map({False: "one", True: "two"}), event=data["cause"] > 0)
    for test in (
        lambda d, **more: stats.logrank(d, "day", "event", "arm", **more),
        lambda d, **more: stats.gray_test(d, "day", "cause", "arm", **more),
    ):
        whole = test(data, strata="site").tidy().iloc[0]
        parts = [test(data[data["site"] == site]).tidy().iloc[0] for site in ("one", "two")]
        assert whole["df"] == 2 == sum(part["df"] for part in parts)
        assert whole["statistic"] == pytest.approx(sum(part["statistic"] for part in parts))
        assert whole["p_value"] == pytest.approx(chi2.sf(whole["statistic"], 2))


def test_all_events_on_one_day():
    data = people(day=5, event=1)
    assert stats.kaplan_meier(data, "day", "event").tidy()["estimate"].tolist() == [0.0]
    assert np.isnan(stats.logrank(data, "day", "event", "arm").summary["p_value"])
    assert stats.rmst(data, "day", "event", tau=9).tidy()["estimate"].item() == 5.0


def test_one_group():
    with pytest.raises(AnalysisError, match="two groups"):
        stats.logrank(people(arm="a"), "day", "event", "arm")
    with pytest.raises(AnalysisError, match="two groups"):
        stats.rmst_contrast(people(arm="a"), "day", "event", by="arm", tau=5, reference="a")


def test_groups_numbered_beyond_64_bits_with_a_sign_keep_their_numbers():
    data = people(arm=np.array([0, 0, 0, 2**64 - 1, 2**64 - 1, 2**64 - 1], dtype=np.uint64))
    found = stats.kaplan_meier(data, "day", "event", by="arm").tidy()
    assert found["group"].unique().tolist() == ["0", "18446744073709551615"]


def test_reference_is_checked():
    with pytest.raises(AnalysisError, match="reference 'c' is not one of the 2 groups"):
        stats.rmst_contrast(people(), "day", "event", by="arm", tau=5, reference="c")


def test_tau_beyond_follow_up():
    with pytest.raises(AnalysisError, match="beyond the last day of follow-up of a group"):
        stats.rmst(people(), "day", "event", by="arm", tau=8)
    assert stats.rmst(people(), "day", "event", tau=40).tidy()["estimate"].item() > 0


def test_weights_of_zero_leave_the_person_in_the_raw_numbers():
    data = people(w=[1, 0, 1, 1, 1, 1])
    frame = stats.kaplan_meier(data, "day", "event", weights="w").tidy()
    without = stats.kaplan_meier(data.drop(index=1), "day", "event").tidy()
    np.testing.assert_allclose(frame["estimate"], without["estimate"])
    assert frame["n_risk"].iloc[0] == 6 and frame["w_risk"].iloc[0] == 5
    with pytest.raises(AnalysisError, match="'w' has no positive weight"):
        stats.kaplan_meier(people(w=0), "day", "event", weights="w")


def test_rounding_error_is_a_tie():
    data = pd.DataFrame({"day": [0.1 + 0.2, 0.3, 0.7], "event": [1, 1, 1]})
    assert stats.kaplan_meier(data, "day", "event").tidy()["n_event"].tolist() == [2, 1]


def test_robust_needs_no_late_entry():
    data = people(start=[0, 0, 1, 0, 0, 0], w=1.5)
    with pytest.raises(AnalysisError, match="robust"):
        stats.kaplan_meier(data, "day", "event", entry="start", weights="w", robust=True)


def test_truncated_tail_is_not_invented():
    counts = stats.day_counts(people(), "day", "event")
    cut = type(counts)(counts.frame[counts.frame["time"] < 9], counts.causes)
    found = stats.KaplanMeier(times=(5, 9)).estimate(cut)
    assert found.tidy()["estimate"].isna().tolist() == [False, True]
    assert np.isnan(stats.RestrictedMean(9).estimate(cut).tidy()["estimate"].item())


def test_separation_is_said_and_firth_is_finite():
    data = pd.DataFrame({"day": range(1, 21), "event": [1] * 10 + [0] * 10, "x": [1] * 10 + [0] * 10, "z": [0, 1] * 10})
    fit = stats.cox(data, "day", "event", ["x", "z"])
    assert np.isposinf(fit.tidy()["estimate"][0]) and np.isfinite(fit.tidy()["estimate"][1])
    assert "Separation: 'x'" in fit.notes[0]
    firth = stats.cox(data, "day", "event", ["x", "z"], penalizer="firth").tidy()
    assert np.isfinite(firth["estimate"]).all() and firth["conf_low"][0] > 0


def test_firth_converges_where_newton_overshoots():
    data = pd.DataFrame(
        {
            "day": [0] * 7 + [1] * 3,
            "event": [0, 0, 0, 0, 1, 0, 0, 1, 0, 0],
            "x": [0.457, -1.641, -0.915, -1.641, 1.718, 0.241, -0.474, -1.561, 1.316, 1.451],
            "b": [1, 0, 0, 0, 0, 1, 1, 1, 1, 1],
        }
    )
    found = stats.cox(data, "day", "event", ["x", "b"], penalizer="firth").tidy()
    assert (found["conf_low"] < found["estimate"]).all() and (found["estimate"] < found["conf_high"]).all()


def test_fine_gray_names_separation():
    data = pd.DataFrame({"day": range(1, 13), "cause": [1, 2, 0] * 4, "x": [1, 0, 0] * 4})
    with pytest.raises(AnalysisError, match="separates"):
        stats.fine_gray(data, "day", "cause", ["x"])


def test_cox_refuses_flat_and_dependent_covariates():
    data = people(x=range(6), flat=2, twice=[2 * v for v in range(6)])
    with pytest.raises(AnalysisError, match="covariate 'flat' does not vary"):
        stats.cox(data, "day", "event", ["x", "flat"])
    with pytest.raises(AnalysisError, match="'twice' is a linear combination"):
        stats.cox(data, "day", "event", ["x", "twice"])


def test_cox_writes_text_levels_as_terms():
    data = people(x=[5, 1, 4, 2, 3, 6], arm=list("abcabc"))
    fit = stats.cox(data, "day", "event", ["arm", "x"], penalizer="firth")
    assert fit.tidy()["term"].tolist() == ["arm[b]", "arm[c]", "x"]


def test_landmark_leaves_out_those_not_at_risk():
    data = people(done=[1, None, None, 4, 20, 2])
    found = stats.landmark(data, "day", at=5, known="done")
    assert found["day"].tolist() == [4, 7, 10] and found["by_landmark"].tolist() == ["yes", "no", "yes"]


def test_recurrent_rows_of_one_person_in_two_groups():
    rows = pd.DataFrame({"who": [1, 1, 2], "day": [3, 5, 6], "harm": [1, 0, 0], "arm": ["a", "b", "a"]})
    with pytest.raises(AnalysisError, match="'who'"):
        stats.mean_cumulative_count(rows, "day", "harm", "who", by="arm")


def test_hybrid_limits_are_newcombes_idea_with_the_curves_own_limits():
    """Without a transformation of their own limits they are the square-and-add ones, within [-1, 1]."""
    data = cox_like(160)
    wanted = {"times": [50, 150], "reference": 0}
    found = stats.survival_difference(data, "day", "event", "arm", **wanted, conf_type="log-log").tidy()
    curves = stats.kaplan_meier(data, "day", "event", by="arm", times=[50, 150]).tidy()
    zero, one = (curves[curves["group"] == g] for g in ("0", "1"))
    d = one["estimate"].to_numpy() - zero["estimate"].to_numpy()
    down = np.hypot(one["estimate"].to_numpy() - one["conf_low"], (zero["conf_high"] - zero["estimate"]).to_numpy())
    up = np.hypot((one["conf_high"] - one["estimate"]).to_numpy(), zero["estimate"].to_numpy() - zero["conf_low"])
    np.testing.assert_allclose(found["conf_low"], d - down)
    np.testing.assert_allclose(found["conf_high"], d + up)
    assert (found["sim_low"] < found["conf_low"]).all() and (found["sim_high"] > found["conf_high"]).all()
    plain = stats.survival_difference(data, "day", "event", "arm", **wanted).tidy()
    np.testing.assert_allclose(found[["estimate", "std_error", "p_value"]], plain[["estimate", "std_error", "p_value"]])


def cox_like(n):
    rng = np.random.default_rng(4)
    event, end = rng.exponential(200, n), rng.uniform(60, 400, n)
    day = np.ceil(np.minimum(event, end))
    return pd.DataFrame({"day": day, "event": (event <= end).astype(int), "arm": np.arange(n) % 2})


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_every_result_says_its_level(level):
    data = people(cause=[1, 2, 0, 0, 1, 2], x=[5, 1, 4, 2, 3, 6], who=range(6))
    asked = {"conf_level": level}
    found = [
        stats.kaplan_meier(data, "day", "event", **asked),
        stats.cumulative_incidence(data, "day", "cause", **asked),
        stats.rmst(data, "day", "event", tau=5, **asked),
        stats.rmst_contrast(data, "day", "event", by="arm", tau=5, reference="a", **asked),
        stats.survival_difference(data, "day", "event", "arm", times=4, reference="a", **asked),
        stats.survival_quantile(data, "day", "event", **asked),
        stats.follow_up(data, "day", "event", **asked),
        stats.mean_cumulative_count(data, "day", "event", "who", **asked),
        stats.cox(data, "day", "event", ["x"], **asked),
        stats.cox(data, "day", "event", ["x"], penalizer="firth", **asked),
        stats.fine_gray(data, "day", "cause", ["x"], **asked),
    ]
    assert [one.conf_level for one in found] == [level] * len(found)


def test_observed_from_the_origin_is_entry_before_any_day():
    data = people(w=[1, 2, 0.5, 1, 1, 2])
    for entry in (-np.inf, 0):
        own = data.assign(start=entry)
        for ask in (stats.kaplan_meier, stats.parametric):
            more = {"models": ["weibull"]} if ask is stats.parametric else {}
            one, two = (
                ask(data, "day", "event", weights="w", **more),
                ask(own, "day", "event", weights="w", entry="start", **more),
            )
            pd.testing.assert_frame_equal(one.tidy(), two.tidy())


def test_a_profile_that_is_lost_far_out_has_no_limit_there():
    data = pd.DataFrame({
        "day": [3, 3, 0, 2, 7, 8, 8, 2], "event": [0, 0, 0, 0, 0, 0, 0, 1], "z": [0, 0, 0, 1, 1, 0, 0, 1],
        "x": [0.257232, -0.459390, 0.684207, -1.012361, -2.447560, -1.273557, 3.171580, -0.718660],
    })  # fmt: skip
    found = stats.cox(data, "day", "event", ["x", "z"], penalizer="firth").tidy().set_index("term")
    assert np.isposinf(found.loc["x", ["conf_high", "hr_high"]]).all()
    assert np.isfinite(found.loc[["x", "z"], ["estimate", "conf_low", "p_value"]].to_numpy()).all()
    assert np.isfinite(found.loc["z", "conf_high"])
