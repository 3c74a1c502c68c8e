"""What must hold for any data, with the numbers drawn by hypothesis."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit import stats

quick = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def frames(draw, causes=1, groups=2):
    n = draw(st.integers(4, 40))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    top = draw(st.sampled_from([3, 12, 400]))
    return pd.DataFrame(
        {
            "day": rng.integers(0, top, n),
            "event": rng.integers(0, causes + 1, n),
            "arm": rng.permutation(np.arange(n) % groups),
            "w": rng.uniform(0.1, 3, n),
            "iw": rng.integers(1, 4, n),
        }
    )


def km(data, **more):
    return stats.kaplan_meier(data, "day", "event", by="arm", **more).tidy()


@quick
@given(frames())
def test_curve_is_bounded_and_monotone(data):
    frame = km(data)
    for _, part in frame.groupby("group"):
        values = part["estimate"].to_numpy()
        assert ((values >= 0) & (values <= 1)).all()
        assert (np.diff(values) <= 0).all()
        inside = part.dropna(subset=["conf_low"])
        assert (inside["conf_low"] <= inside["estimate"] + 1e-12).all()
        assert (inside["conf_high"] >= inside["estimate"] - 1e-12).all()


@quick
@given(frames(causes=3))
def test_incidences_and_survival_sum_to_one(data):
    days = sorted(data["day"].unique())
    cif = stats.cumulative_incidence(data, "day", "event", by="arm").tidy()
    any_event = data.assign(event=(data["event"] > 0).astype(int))
    surv = km(any_event)
    total = cif.groupby(["group", "time"])["estimate"].sum().reset_index()
    both = total.merge(surv, on=["group", "time"], suffixes=("_f", "_s"))
    assert len(both) == len(surv) and days
    np.testing.assert_allclose(both["estimate_f"] + both["estimate_s"], 1, atol=1e-12)


@quick
@given(frames())
def test_weights_of_one_change_nothing(data):
    ones = data.assign(w=1.0)
    same = ["n_risk", "estimate", "std_error", "conf_low", "conf_high"]
    pd.testing.assert_frame_equal(km(ones, weights="w")[same], km(data)[same])


@quick
@given(frames())
def test_whole_weights_are_repeated_rows(data):
    twice = data.loc[np.repeat(data.index, data["iw"])].reset_index(drop=True)
    same = ["estimate", "std_error"]
    pd.testing.assert_frame_equal(km(data, weights="iw")[same], km(twice)[same])


@quick
@given(frames())
def test_scale_of_weights_does_not_move_the_curve(data):
    bigger = data.assign(w=data["w"] * 17)
    np.testing.assert_allclose(km(data, weights="w")["estimate"], km(bigger, weights="w")["estimate"], atol=1e-12)


@quick
@given(frames())
def test_order_of_rows_does_not_matter(data):
    pd.testing.assert_frame_equal(km(data), km(data.sample(frac=1, random_state=1)))


@quick
@given(frames(), st.sampled_from([7, 0.1, 1 / 3]))
def test_time_can_be_scaled(data, factor):
    scaled = data.assign(day=data["day"] * factor)
    a, b = km(data), km(scaled)
    np.testing.assert_allclose(a["estimate"], b["estimate"], rtol=1e-12)
    np.testing.assert_allclose(a["time"] * factor, b["time"])
    one = stats.logrank(data, "day", "event", "arm").summary["statistic"]
    two = stats.logrank(scaled, "day", "event", "arm").summary["statistic"]
    np.testing.assert_allclose(one, two, rtol=1e-9)


@quick
@given(frames())
def test_relabelling_flips_signs(data):
    tau = float(min(data.loc[data["arm"] == a, "day"].max() for a in (0, 1)))
    if tau <= 0:
        return
    one = stats.rmst_contrast(data, "day", "event", by="arm", tau=tau, reference=0).tidy()
    other = stats.rmst_contrast(data, "day", "event", by="arm", tau=tau, reference=1).tidy()
    np.testing.assert_allclose(one["estimate"][0], -other["estimate"][0], atol=1e-12)
    if not np.isnan(one["estimate"][1]):
        np.testing.assert_allclose(one["estimate"][1], 1 / other["estimate"][1])
    a = stats.logrank(data, "day", "event", "arm").summary["statistic"]
    b = stats.logrank(data.assign(arm=1 - data["arm"]), "day", "event", "arm").summary["statistic"]
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@quick
@given(frames())
def test_without_censoring_the_mean_is_the_mean(data):
    died = data.assign(event=1)
    tau = float(died["day"].max()) + 1
    found = stats.rmst(died, "day", "event", by="arm", tau=tau).tidy().set_index("group")
    for arm, part in died.groupby("arm"):
        np.testing.assert_allclose(found.loc[str(arm), "estimate"], part["day"].mean(), rtol=1e-12)
        spread = part["day"].std(ddof=0) / np.sqrt(len(part))
        np.testing.assert_allclose(found.loc[str(arm), "std_error"], spread, rtol=1e-9, atol=1e-9)


@quick
@given(frames(causes=2))
def test_one_row_per_group_and_time_with_conserved_people(data):
    counts = stats.day_counts(data, "day", "event", by="arm", causes=["a", "b"]).frame
    left = counts[["n_event_1", "n_event_2", "n_censor"]].to_numpy().sum()
    assert counts["n_entry"].sum() == left == len(data)
    assert not counts.duplicated(["group", "time"]).any()


@quick
@given(frames(causes=2))
def test_merged_days_keep_the_curve_where_they_end(data):
    """Counts with the events of several days in one row give a curve again, as disclosure asks."""
    counts = stats.day_counts(data, "day", "event", by="arm", causes=["a", "b"])
    frame = counts.frame
    frame.loc[np.isfinite(frame["time"]), "time"] = (frame["time"] // 5 * 5 + 4)[np.isfinite(frame["time"])]
    merged = frame.groupby(["group", "time"], as_index=False, sort=False).sum()
    safe = type(counts)(merged, counts.causes)
    for analysis in (stats.KaplanMeier(), stats.CumulativeIncidence(), stats.LogRank(), stats.FollowUp()):
        again = analysis.estimate(safe).tidy()
        assert len(again)
    plain = stats.KaplanMeier().estimate(safe).tidy()
    assert plain["estimate"].between(0, 1).all()


def cox_data(seed=0, n=200):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    day = np.ceil(rng.exponential(200 * np.exp(-x @ [0.6, -0.3])))
    return pd.DataFrame({"day": np.minimum(day, 400), "event": (day < 400).astype(int), "x": x[:, 0], "z": x[:, 1]})


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_does_not_depend_on_the_units_of_time_or_covariates(ties):
    data = cox_data()
    one = stats.cox(data, "day", "event", ["x", "z"], ties=ties).tidy()
    two = stats.cox(data.assign(day=data.day * 3.5, x=data.x * 1e4 + 7e6), "day", "event", ["x", "z"], ties=ties).tidy()
    np.testing.assert_allclose(one["estimate"][0], two["estimate"][0] * 1e4, rtol=1e-6)
    np.testing.assert_allclose(one["p_value"], two["p_value"], rtol=1e-5)


def test_cox_breslow_with_whole_weights_is_repeated_rows():
    data = cox_data().assign(iw=np.arange(200) % 3 + 1)
    twice = data.loc[np.repeat(data.index, data["iw"])]
    one = stats.cox(data, "day", "event", ["x", "z"], ties="breslow", weights="iw").tidy()
    two = stats.cox(twice, "day", "event", ["x", "z"], ties="breslow").tidy()
    np.testing.assert_allclose(one[["estimate", "std_error"]], two[["estimate", "std_error"]], rtol=1e-9)


def test_cox_score_test_of_a_group_is_the_logrank_test_without_ties():
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        {"day": rng.permutation(80) + 1.0, "event": rng.integers(0, 2, 80), "arm": rng.integers(0, 2, 80)}
    )
    fit = stats.cox(data, "day", "event", ["arm"])
    np.testing.assert_allclose(
        fit.summary["score_statistic"], stats.logrank(data, "day", "event", "arm").summary["statistic"], rtol=1e-9
    )


def test_concordance_equals_counting_pairs():
    rng = np.random.default_rng(5)
    n = 60
    day, event = rng.integers(1, 15, n), rng.integers(0, 2, n)
    x = rng.integers(0, 6, n).astype(float)
    data = pd.DataFrame({"day": day, "event": event, "x": x})
    fit = stats.cox(data, "day", "event", ["x"])
    risk = x * fit.tidy()["estimate"].item()
    good = pairs = 0.0
    for i in range(n):
        for j in range(n):
            if event[i] and (day[j] > day[i] or (day[j] == day[i] and not event[j])):
                pairs += 1
                good += 1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0
    np.testing.assert_allclose(fit.summary["concordance"], good / pairs)


def test_simultaneous_limits_are_wider_and_reproducible():
    data = cox_data().assign(arm=np.arange(200) % 2)
    one = stats.survival_difference(data, "day", "event", "arm", times=[50, 100, 200, 300], reference=0).tidy()
    two = stats.survival_difference(data, "day", "event", "arm", times=[50, 100, 200, 300], reference=0).tidy()
    pd.testing.assert_frame_equal(one, two)
    assert (one["sim_low"] < one["conf_low"]).all() and (one["sim_high"] > one["conf_high"]).all()
    alone = stats.survival_difference(data, "day", "event", "arm", times=[100], reference=0).tidy()
    np.testing.assert_allclose(alone["sim_low"], alone["conf_low"], atol=2e-3)
