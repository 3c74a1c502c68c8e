"""Disclosure control: nothing that leaves speaks of fewer people than the policy allows, and curves stay usable."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.analyses import ChangeOf, MeanCountOf, MeanOf, ShareOf
from evalkit.analyses._analyses import RatioOf
from evalkit.counts import DayCounts, Moments, Tally, codes_of
from evalkit.disclosure import Policy, make_safe, safe_counts, safe_restatements
from evalkit.disclosure._limits import widened
from evalkit.errors import DisclosureError
from evalkit.estimates import Estimates
from evalkit.stats import Benchmark, Proportion, cumulative_incidence, day_counts, kaplan_meier, rmst, rmst_contrast
from evalkit.wilson import wilson

POLICY = Policy(secret=bytes(range(32)))
PLAIN = Policy(noise_variance=0)


def people(n: int, seed: int, rate: float = 0.004) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    event, censor = rng.exponential(1 / rate, n), rng.uniform(100, 700, n)
    time = np.floor(np.minimum(event, censor))
    names = [f"{seed}-{rate}-{i}" for i in range(n)]
    return pd.DataFrame({"participant_id": names, "time": time, "event": event <= censor, "group": "pilot"})


@given(n=st.integers(0, 400), seed=st.integers(0, 10_000), rate=st.floats(0.0001, 0.05))
@settings(max_examples=60, deadline=None)
def test_what_a_safe_curve_is_made_of(n: int, seed: int, rate: float) -> None:
    data = people(n, seed, rate)
    if n == 0:
        return
    exact = day_counts(data, "time", "event", by="group")
    safe, withheld = safe_counts(exact, POLICY)
    if safe is None:
        assert withheld == ("pilot",)
        assert n < POLICY.minimum_count or POLICY.hides(int(data["event"].sum()))
        return
    frame, everybody = safe.frame, codes_of(data)
    assert frame["n_entry"].sum() == POLICY.public(n, everybody)  # as in every table
    flows = frame[["n_event_1", "n_censor"]]
    assert (flows >= 0).all().all()
    leaving = flows.sum(axis=1)
    at_risk = frame["n_entry"].sum() - leaving.cumsum().shift(fill_value=0)
    assert (at_risk >= POLICY.minimum_at_risk).all()
    events = frame[frame["n_event_1"] > 0]
    for by_then, until in zip(events["n_event_1"].cumsum(), events["end_n_event_1"], strict=True):
        if until in POLICY.landmarks and by_then < events["n_event_1"].sum():
            had = (data["event"] & data["time"].le(until)).to_numpy()
            assert had.sum() >= POLICY.minimum_count
            assert by_then == POLICY.public(had.sum(), everybody[had])


def test_no_day_is_told_of_fewer_than_the_minimum() -> None:
    """Between two landmarks lie five events: whichever their days are, the curve is the same."""
    days = [*np.linspace(1, 59, 30).round(), 61, 62, 63, 64, 65, *np.linspace(91, 180, 30).round()]
    names = [f"p{i}" for i in range(200)]
    curves = []
    for moved in (0, 20):
        times = [day + moved if 60 < day < 70 else day for day in days]
        data = pd.DataFrame({"participant_id": names, "time": [*times, *[400.0] * 135], "group": "pilot"})
        data["event"] = data["time"] < 400
        curves.append(safe_counts(day_counts(data, "time", "event", by="group"), POLICY)[0].frame)
    pd.testing.assert_frame_equal(*curves)


def test_curve_keeps_its_landmarks_and_its_area() -> None:
    data = people(900, 7)
    exact = kaplan_meier(data, "time", "event", by="group", times=[30, 60, 90, 182, 365]).tidy()
    safe = make_safe(kaplan_meier(data, "time", "event", by="group"), POLICY).landmark_rows()
    both = exact.merge(safe, on="time", suffixes=("", "_safe"))
    assert len(both) == 5
    assert (both["estimate"] - both["estimate_safe"]).abs().max() < 0.01
    plain = make_safe(kaplan_meier(data, "time", "event", by="group"), PLAIN).landmark_rows()
    assert (exact["estimate"] - plain["estimate"][:5]).abs().max() < 0.002  # laying events into blocks costs nothing
    mean = rmst(data, "time", "event", tau=365, by="group")
    kept = make_safe(mean, POLICY).estimates.tidy()["estimate"].iloc[0]
    assert kept == pytest.approx(mean.tidy()["estimate"].iloc[0], abs=2.0)


@pytest.mark.parametrize(("n", "rate"), [(125, 0.002), (145, 0.0005), (125, 0.006)])
def test_what_is_quoted_of_a_small_group_is_near_and_its_limits_hold_the_noise(n: int, rate: float) -> None:
    off, wider = [], []
    for seed in range(20):
        data = people(n, seed, rate)
        safe = make_safe(kaplan_meier(data, "time", "event", by="group"), POLICY)
        exact = kaplan_meier(data, "time", "event", by="group", times=POLICY.landmarks).tidy()
        both = safe.landmark_rows().merge(exact, on="time", suffixes=("_safe", ""))
        off += list((both["estimate_safe"] - both["estimate"]).abs())
        some = both[both["std_error"] > 0]
        wider += list(some["std_error_safe"] / some["std_error"])
    assert len(off) > 20
    assert np.median(off) < 0.012
    assert max(off) < 0.06
    assert 1.0 < np.median(wider) < 1.25


def test_every_landmark_with_enough_on_both_sides_is_quoted() -> None:
    days = 0
    for seed in range(20):
        data = people(140, seed)
        quoted = set(make_safe(kaplan_meier(data, "time", "event", by="group"), POLICY).landmark_rows()["time"])
        for day in POLICY.landmarks:
            had, at_risk = int((data["event"] & data["time"].le(day)).sum()), int(data["time"].ge(day).sum())
            assert (day in quoted) is (had >= 11 and at_risk >= 11 and 140 - had >= 11)
            days += day in quoted
    assert days > 60


def test_harm_of_eighteen_among_144_is_quoted() -> None:
    """What rounding could not say: the demo's pilot by day 365."""
    times = [*np.linspace(20, 360, 18).round(), *np.linspace(60, 700, 126).round()]
    data = pd.DataFrame({"participant_id": [f"p{i}" for i in range(144)], "time": times, "group": "pilot"})
    data["event"] = np.arange(144) < 18
    told = make_safe(kaplan_meier(data, "time", "event", by="group"), POLICY).landmark_rows().set_index("time")
    exact = kaplan_meier(data, "time", "event", by="group", times=[365]).tidy()["estimate"].iloc[0]
    assert told.loc[365, "estimate"] == pytest.approx(exact, abs=0.04)


def test_a_curve_of_one_step_does_not_fall_all_at_once() -> None:
    safe = make_safe(kaplan_meier(people(145, 11, 0.0004), "time", "event", by="group"), PLAIN)
    assert (safe.estimates.tidy()["n_event"] > 0).sum() <= 2
    read = safe.at([0, 60, 120, 180, 240, 300])["estimate"].to_numpy()
    assert read[0] == 1.0
    falls = -np.diff(read)
    assert (falls > 0).all()
    assert falls.max() < 3 * falls.min()  # near evenly


def test_spreading_keeps_totals_and_mean_days() -> None:
    for seed in range(10):
        safe = make_safe(kaplan_meier(people(300, seed), "time", "event", by="group"), POLICY)
        blocks, days = safe.estimates.counts.frame, safe.smooth.counts.frame
        for name in ("n_event_1", "n_censor"):
            assert days[name].sum() == blocks[name].sum()
            mean = [np.average(f["time"].clip(lower=0), weights=f[name]) for f in (days, blocks)]
            assert abs(mean[0] - mean[1]) < 15


def test_incidences_are_near_and_add_up() -> None:
    quoted = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        data = people(400, seed).assign(cause=lambda d: np.where(d["event"], rng.integers(1, 3, len(d)), 0))  # noqa: B023
        exact = cumulative_incidence(data, "time", "cause", by="group", causes=["left", "done"])
        safe = make_safe(exact, POLICY)
        true = cumulative_incidence(data, "time", "cause", by="group", causes=["left", "done"], times=POLICY.landmarks)
        rows = safe.landmark_rows().merge(true.tidy(), on=["cause", "time"], suffixes=("_safe", ""))
        off = (rows["estimate_safe"] - rows["estimate"]).abs()
        assert off.max() < 0.025
        quoted += len(rows)
        read = safe.at(POLICY.landmarks).pivot_table(index="time", columns="cause", values="estimate")
        assert (read.sum(axis=1) <= 1 + 1e-12).all()
        assert (read.diff().dropna() >= -1e-12).all().all()
    assert quoted > 100


def test_a_contrast_without_one_of_its_groups_is_withheld() -> None:
    data = pd.concat([people(300, 1), people(9, 2).assign(group="few")])
    found = rmst_contrast(data, "time", "event", by="group", tau=100, reference="few")
    safe = make_safe(found, POLICY)
    assert safe.verdict == "withheld"
    assert safe.estimates.tidy().empty


def test_a_contrast_is_near_the_exact_one() -> None:
    for seed in range(10):
        data = pd.concat([people(140, seed), people(900, seed + 50).assign(group="other")])
        exact = rmst_contrast(data, "time", "event", by="group", tau=182, reference="other")
        rows, true = make_safe(exact, POLICY).estimates.tidy(), exact.tidy()
        assert ((rows["estimate"] - true["estimate"]).abs() <= true["std_error"] / 2 + 0.5).all()
        assert (rows["std_error"] >= true["std_error"] * 0.9).all()


def test_no_share_of_fewer_than_the_minimum_is_quoted() -> None:
    near = 0
    for seed in range(20):
        data = people(140, seed)
        causes = np.where(data["event"], 1 + np.random.default_rng(seed).integers(0, 2, len(data)), 0)
        for cause, exact in (
            (None, kaplan_meier(data, "time", "event", by="group")),
            (
                "left",
                cumulative_incidence(data.assign(cause=causes), "time", "cause", by="group", causes=["left", "done"]),
            ),
        ):
            safe = make_safe(exact, POLICY)
            had = data["event"] if cause is None else causes == 1
            by_then = {day: int((had & (data["time"] <= day)).sum()) for day in POLICY.landmarks}
            told = safe.landmark_rows()
            told = told if cause is None else told[told["cause"] == cause]
            assert all(by_then[day] >= POLICY.minimum_count for day in told["time"])
            near += sum(0 < few < POLICY.minimum_count for few in by_then.values())
    assert near > 20  # there were such days


def test_people_who_all_leave_on_one_day_are_not_spread_over_the_time_before() -> None:
    early = pd.DataFrame({"time": np.arange(10, 310, 5.0), "event": True, "group": "pilot"})
    late = pd.DataFrame({"time": np.full(160, 364.0), "event": False, "group": "pilot"})
    data = pd.concat([early, late])
    exact = kaplan_meier(data, "time", "event", by="group", times=[91, 182, 273, 364]).tidy()
    read = make_safe(kaplan_meier(data, "time", "event", by="group"), POLICY).at([91, 182, 273, 364])
    assert (read["n_risk"] - exact["n_risk"]).abs().max() <= 5
    safe = make_safe(kaplan_meier(data, "time", "event", by="group"), POLICY).landmark_rows()
    true = kaplan_meier(data, "time", "event", by="group", times=safe["time"].to_list()).tidy()
    assert len(safe)
    assert (safe["estimate"] - true["estimate"]).abs().max() < 0.03


def test_small_restatements_are_not_given_by_subtraction() -> None:
    changes = pd.DataFrame(
        [
            ("referrals", "all", 935.0, 944.0, "late entry"),
            ("sessions", "all", 900.0, 950.0, "late entry"),
            ("exits", "all", 4.0, 30.0, "late entry"),
        ],
        columns=["figure", "group", "old", "new", "reason"],
    )
    shown = safe_restatements(changes, POLICY)
    assert shown["figure"].tolist() == ["referrals", "sessions"]
    assert shown["new"].isna().tolist() == [True, False]


def test_everybody_less_one_group_does_not_give_the_other_away() -> None:
    columns = ["figure", "group", "old", "new", "reason", "n_people"]
    few = [("with harm", "all", 33.0, 58.0, "late entry", 25), ("with harm", "PAIP", 30.0, 50.0, "late entry", 20)]
    told = safe_restatements(pd.DataFrame(few, columns=columns), POLICY)
    assert told["group"].tolist() == ["PAIP"]  # 3 in the other group, 8 later
    slight = [("exits", "all", 80.0, 104.0, "late entry", 24), ("exits", "PAIP", 50.0, 70.0, "late entry", 20)]
    told = safe_restatements(pd.DataFrame(slight, columns=columns), POLICY).set_index("group")
    assert told["new"].isna().to_dict() == {"all": True, "PAIP": False}  # 4 more in the other group
    large = [("exits", "all", 80.0, 125.0, "late entry", 45), ("exits", "PAIP", 50.0, 70.0, "late entry", 20)]
    assert safe_restatements(pd.DataFrame(large, columns=columns), POLICY)["new"].notna().all()


def test_which_groups_records_were_withdrawn_is_not_said() -> None:
    columns = ["figure", "group", "old", "new", "reason", "n_people"]
    rows = [
        ("with harm", "all", 60.0, 85.0, "late entry, retraction", 27),
        ("with harm", "PAIP", 40.0, 62.0, "late entry", 24),
        ("with harm", "Pilot", 20.0, 23.0, "late entry, retraction", 3),
    ]
    told = safe_restatements(pd.DataFrame(rows, columns=columns), POLICY).set_index("group")
    assert told["reason"].to_dict() == {
        "all": "late entry, retraction", "PAIP": "late entry, retraction", "Pilot": "records changed",
    }  # fmt: skip


def test_a_change_that_few_people_are_behind_is_not_given() -> None:
    """Fifty sessions may be one person's."""
    row = {"figure": "sessions", "group": "all", "old": 900.0, "new": 950.0, "reason": "late entry"}
    for people_behind, shown in ((3, False), (11, True), (0, True)):  # 0: changed without a trace
        told = safe_restatements(pd.DataFrame([{**row, "n_people": people_behind}]), POLICY)
        assert told["new"].notna().tolist() == [shown]


def test_rows_that_are_not_shown_are_seen_not_to_be() -> None:
    tally = Tally(pd.DataFrame({"group": ["a", "b"], "term": ["t", "t"], "n_event": [3, 40], "n": [30, 80]}))
    rows = make_safe(Proportion().estimate(tally), POLICY).estimates.tidy()
    assert rows["group"].tolist() == ["a", "b"]
    assert rows["n_event"].isna().tolist() == [True, False]


def test_the_exact_counts_go_no_further() -> None:
    exact = kaplan_meier(people(163, 3), "time", "event", by="group")
    safe = make_safe(exact, POLICY)
    assert safe.estimates.counts is not exact.counts
    public = POLICY.public(163, codes_of(people(163, 3)))
    assert safe.estimates.counts.frame["n_entry"].sum() == public
    assert safe.estimates.summary["n"] == public


def test_small_groups_are_withheld_and_others_are_not() -> None:
    data = pd.concat([people(300, 1), people(9, 2).assign(group="few")])
    safe = make_safe(kaplan_meier(data, "time", "event", by="group"), POLICY)
    assert safe.verdict == "partly"
    assert safe.withheld == ("few",)
    assert set(safe.estimates.tidy()["group"]) == {"pilot"}
    assert "fewer than 11" in safe.note


@pytest.mark.parametrize("n", [10, 11])
def test_a_group_of_less_than_the_minimum_has_no_curve(n: int) -> None:
    data = pd.concat([people(n, 5, 0.02), people(300, 1).assign(group="many")])
    data["event"] = True
    safe = make_safe(kaplan_meier(data, "time", "event", by="group"), POLICY)
    assert safe.withheld == (("pilot",) if n == 10 else ())


def test_delayed_entry_is_refused() -> None:
    late = people(100, 4).assign(start=5.0).query("time > 5")
    with pytest.raises(DisclosureError, match="delayed entry"):
        make_safe(kaplan_meier(late, "time", "event", by="group", entry="start"), POLICY)


def weighted(n: int, seed: int) -> pd.DataFrame:
    """People whose weights go with how soon they leave, as propensity weights do."""
    rng = np.random.default_rng(seed)
    data = people(n, seed)
    return data.assign(w=np.exp(0.5 * rng.standard_normal(n) + 0.002 * (data["time"] - 200)))


def test_equal_weights_change_no_safe_curve() -> None:
    data = people(400, 3).assign(w=2.5)
    plain = make_safe(kaplan_meier(data, "time", "event", by="group"), POLICY)
    equal = make_safe(kaplan_meier(data, "time", "event", by="group", weights="w"), POLICY)
    for one, other in ((plain.knots("pilot"), equal.knots("pilot")), (plain.landmark_rows(), equal.landmark_rows())):
        assert one["time"].tolist() == other["time"].tolist()
        np.testing.assert_allclose(other["estimate"], one["estimate"], rtol=1e-9)
    assert plain.landmark_rows()["n_risk"].tolist() == equal.landmark_rows()["n_risk"].tolist()  # people, not weights


@pytest.mark.parametrize("seed", range(5))
def test_a_weighted_curve_keeps_its_landmarks(seed: int) -> None:
    data = weighted(900, seed)
    exact = kaplan_meier(data, "time", "event", by="group", weights="w", robust=True)
    true = kaplan_meier(data, "time", "event", by="group", weights="w", robust=True, times=POLICY.landmarks[:5]).tidy()
    crude = kaplan_meier(data, "time", "event", by="group", times=POLICY.landmarks[:5]).tidy()
    told = make_safe(exact, POLICY).landmark_rows().set_index("time")
    assert len(told) >= 4
    both = true.set_index("time").loc[told.index]
    assert (both["estimate"] - told["estimate"]).abs().max() < 0.015
    assert (both["std_error"] / told["std_error"] - 1).abs().max() < 0.15
    assert (true["estimate"] - crude["estimate"]).abs().max() > 0.05  # the weights do matter


def test_weights_of_a_block_are_means_over_the_minimum() -> None:
    data = weighted(300, 1)
    exact = day_counts(data, "time", "event", by="group", weights="w")
    safe, _ = safe_counts(exact, POLICY)
    assert safe is not None
    frame = safe.frame
    one = data.assign(w=np.where(data["time"].eq(data["time"].max()), data["w"] + 1, data["w"]))
    other, _ = safe_counts(day_counts(one, "time", "event", by="group", weights="w"), POLICY)
    changed = ~np.isclose(frame["w_censor"] + frame["w_event_1"], other.frame["w_censor"] + other.frame["w_event_1"])
    assert changed.sum() <= 2  # the block in which that person leaves, and those of which no day may be told
    everybody = frame["w_entry"].sum() / frame["n_entry"].sum()
    assert everybody == pytest.approx(data["w"].mean(), rel=0.05)


def test_what_few_who_stay_weigh_is_not_told() -> None:
    """Of sixty-four people four are left at day 30; their own mean weight would be read off the weight of all."""
    days = [*np.repeat(np.arange(1, 31), 2), 100, 110, 120, 130]
    data = pd.DataFrame({"time": days, "event": 1, "group": "pilot", "w": [*np.ones(60), *np.full(4, 1.6)]})
    safe, _ = safe_counts(day_counts(data, "time", "event", by="group", weights="w"), PLAIN)
    assert safe is not None
    frame = safe.frame
    left = frame["n_entry"].sum() - frame["n_event_1"].sum() - frame["n_censor"].sum()
    weight = frame["w_entry"].sum() - frame["w_event_1"].sum() - frame["w_censor"].sum()
    last = frame[frame["time"] > 30]
    means = [weight / left] if left else list(last["w_event_1"] / last["n_event_1"])
    assert means == pytest.approx([float(f"{data['w'].mean():.2e}")] * len(means))  # 1.0375: three digits are told


def test_a_curve_that_one_person_weighs_down_is_not_shown() -> None:
    data = weighted(300, 2)
    data.loc[data["event"].idxmax(), "w"] = 60.0
    assert make_safe(kaplan_meier(data, "time", "event", by="group", weights="w"), POLICY).verdict == "withheld"


def test_a_weighted_incidence_is_safe_too() -> None:
    rng = np.random.default_rng(5)
    data = weighted(800, 5)
    data["cause"] = np.where(data["event"], rng.integers(1, 3, len(data)), 0)
    ask = {"by": "group", "weights": "w", "causes": ("left", "completed")}
    exact = cumulative_incidence(data, "time", "cause", **ask)
    true = cumulative_incidence(data, "time", "cause", **ask, times=POLICY.landmarks[:5]).tidy()
    told = make_safe(exact, POLICY).landmark_rows()
    both = told.merge(true, on=["group", "cause", "time"])
    assert len(both) >= 6
    assert (both["estimate_x"] - both["estimate_y"]).abs().max() < 0.015


@pytest.mark.parametrize(
    ("x", "n", "shown"),
    [(0, 40, True), (10, 40, False), (11, 40, True), (29, 40, True), (30, 40, False), (40, 40, True), (3, 9, False), (0, 0, True)],
)  # fmt: skip
def test_shares_hide_small_counts_and_their_complements(x: int, n: int, shown: bool) -> None:
    tally = Tally(pd.DataFrame({"group": ["a"], "term": ["t"], "n_event": [x], "n": [n]}))
    safe, withheld = safe_counts(tally, POLICY)
    if not shown:
        assert safe is None
        assert withheld == ("a: t",)
        return
    told = tuple(safe.frame.loc[0, ["n_event", "n"]])
    assert abs(told[1] - n) <= 5
    assert abs(told[0] - x) <= 5
    assert bool(told[0] == 0) is (x == 0)
    assert bool(told[0] == told[1]) is (x == n)
    assert tuple(safe_counts(tally, PLAIN)[0].frame.loc[0, ["n_event", "n"]]) == (x, n)


def test_a_share_is_computed_from_published_counts_and_its_limits_hold_the_noise() -> None:
    names = pd.DataFrame({"participant_id": [f"p{i}" for i in range(78)]})
    frame = pd.DataFrame({"group": ["a"], "term": ["t"], "n_event": [23], "n": [78]})
    codes = codes_of(names)
    tally = Tally(frame, people=({"n": codes, "n_event": codes[:23]},))
    row = make_safe(Proportion().estimate(tally), POLICY).estimates.tidy().iloc[0]
    x, n = POLICY.public(23, codes[:23]), POLICY.public(78, codes)
    assert (row["n_event"], row["n"], row["estimate"]) == (x, n, x / n)
    low, high = wilson([x], [n])
    p = x / n
    wider = np.sqrt(1 + 2.0 * (1 + p**2) / n / (p * (1 - p)))
    assert row["conf_low"] == pytest.approx(p - wider * (p - low[0]), rel=1e-9)
    assert row["conf_high"] == pytest.approx(p + wider * (high[0] - p), rel=1e-9)


GIVEN = "Of death, few or none in a group, only the end of follow-up is counted."


@pytest.mark.parametrize("curve", [True, False])
def test_what_a_question_notes_is_kept_and_what_its_analysis_notes_of_exact_counts_is_not(curve: bool) -> None:
    data = people(300, 3)
    late = [float(data["time"].max()) + 1]
    ended = kaplan_meier(data, "time", "event", by="group", times=late)
    own = ended if curve else rmst(data, "time", "event", tau=365, by="group")
    assert bool(own.notes) is curve
    safe = make_safe(own.about(notes=(*own.notes, GIVEN)), POLICY)
    assert safe.estimates.notes == (GIVEN,)
    shares = Proportion().estimate(Tally(pd.DataFrame({"group": ["a"], "term": "t", "n_event": 23, "n": 78})))
    assert make_safe(shares.about(notes=(GIVEN,)), POLICY).estimates.notes == (GIVEN,)


def ends(*counts: int) -> Tally:
    rows = [("a", "before", *counts[:2]), ("a", "now", *counts[2:])]
    return Tally(pd.DataFrame(rows, columns=["group", "term", "n_event", "n"]))


def test_limits_that_hold_the_noise_are_not_widened_again() -> None:
    exact = ChangeOf("change", noise_variance=2.0).estimate(ends(70, 100, 105, 140))
    safe = make_safe(exact, POLICY).estimates
    limits = ["estimate", "conf_low", "conf_high"]
    once = exact.analysis.estimate(safe.counts).tidy()[limits]  # type: ignore[union-attr,arg-type]
    assert np.abs(safe.tidy()[limits] - once).max(axis=None) < 0.0006  # tenths of a point are printed
    bare = make_safe(ChangeOf("change").estimate(ends(70, 100, 105, 140)), POLICY).estimates
    without = ChangeOf("change").estimate(bare.counts).tidy()  # type: ignore[arg-type]
    wide, narrow = ((rows["conf_high"] - rows["conf_low"]).item() for rows in (bare.tidy(), without))
    assert wide > narrow + 0.002  # asked without the noise, it is put in as elsewhere


@pytest.mark.parametrize(("events", "n"), [(12, 90), (31, 120), (120, 420)])
def test_the_error_of_a_published_mean_count_holds_the_noise(events: int, n: int) -> None:
    """On average over many secrets; and limits are those of the published counts and their error, no wider."""
    error, off = 1.1 / np.sqrt(events), []
    row = {"group": "a", "term": "by day 365", "label": "By day 365", "time": 365.0, "n_event": events, "n": n}
    exact = MeanCountOf("mean count").estimate(Tally(pd.DataFrame([{**row, "std_error": error}])))
    for k in range(200):
        safe = make_safe(exact, Policy(secret=k.to_bytes(32, "big"))).estimates
        (told,), (counts,) = safe.tidy().to_dict("records"), safe.counts.data.to_dict("records")  # type: ignore[union-attr]
        assert told["conf_high"] == pytest.approx(told["estimate"] * np.exp(1.959964 * counts["std_error"]), rel=1e-6)
        off.append((error**2 + np.log(told["estimate"] / (events / n)) ** 2) / counts["std_error"] ** 2)
    assert 0.75 < np.mean(off) < 1.02


def test_only_limits_of_shares_end_at_0_and_1() -> None:
    """A mean of 0.9 a person, and a difference that is clear before the noise, are no shares."""
    row = {"group": "a", "term": "t", "n": 40, "total": 36.0, "total_sq": 36.0 + 6.0, "largest": 2.0, "n_nonzero": 34}
    high = []
    for k in range(20):
        policy = Policy(secret=k.to_bytes(32, "big"))
        mean = make_safe(MeanOf("mean", "sessions").estimate(Moments(pd.DataFrame([row]))), policy).estimates.tidy()
        high += mean["conf_high"].tolist()
    assert max(high) > 1
    rows = pd.DataFrame({"estimate": [0.02], "conf_low": [0.001], "conf_high": [0.039], "group": ["pilot"]})
    counts = day_counts(people(60, 1), "time", "event", by="group")
    assert widened(rows, counts, POLICY, shares=False)["conf_low"].iloc[0] < 0
    assert widened(rows, counts, POLICY, shares=True)["conf_low"].iloc[0] == 0
    both = pd.concat([rows.assign(measure="proportion"), rows.assign(measure="difference")], ignore_index=True)
    low = widened(both, counts, POLICY, shares=True)["conf_low"].tolist()
    assert low[0] == 0 and low[1] < 0


def test_limits_of_a_high_share_do_not_pass_1() -> None:
    tally = Tally(pd.DataFrame({"group": ["a"], "term": "t", "n_event": 49, "n": 60}))
    for k in range(20):
        policy = Policy(secret=k.to_bytes(32, "big"), noise_variance=5.0)
        for analysis in (Proportion(), ShareOf("shares", "share"), Benchmark(0.5)):
            row = make_safe(analysis.estimate(tally), policy).estimates.tidy().iloc[0]
            assert row["conf_high"] <= 1


def test_means_stay_close_and_hide_dominance() -> None:
    frame = pd.DataFrame(
        {
            "group": ["a", "b", "c"],
            "term": "t",
            "n": [52, 7, 40],
            "total": [104.0, 14.0, 100.0],
            "total_sq": [300.0, 30.0, 4000.0],
            "largest": [9.0, 3.0, 60.0],
        }
    )
    safe, withheld = safe_counts(Moments(frame), POLICY)
    assert withheld == ("b: t", "c: t")
    row = safe.frame.iloc[0]
    assert abs(row["n"] - 52) <= 5
    assert abs(row["total"] - 2.0 * row["n"]) < 9.0  # nobody gives more than nine
    assert row["largest"] == 0.0
    plain, _ = safe_counts(Moments(frame), PLAIN)
    assert plain.frame["total"].tolist() == [104.0]


@given(n=st.integers(16, 400), mean=st.floats(0.2, 3), seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_published_mean_leaves_every_number_and_many_sums_possible(n: int, mean: float, seed: int) -> None:
    """Each number of people that may be published so can have it, with a sum whose noise is within its bounds."""
    values = np.random.default_rng(seed).poisson(mean, n).astype(float)
    total, largest = max(15.0, float(values.sum())), max(float(values.max()), 1.0)
    row = {"group": "a", "term": "t", "n": n, "total": total, "total_sq": float((values**2).sum()), "largest": largest}
    safe, _ = safe_counts(Moments(pd.DataFrame([{**row, "n_nonzero": 11}])), POLICY)
    public, told = safe.frame.loc[0, ["n", "total"]]
    sums: set[int] = set()
    for exact in range(max(11, int(public) - 5), int(public) + 6):
        own = {t for t in range(int(2 * total) + 20) if abs(told - t * public / exact) < largest}
        assert own
        sums |= own
    assert len(sums) >= 3


@pytest.mark.parametrize(
    ("contributing", "shown"), [(0, True), (4, False), (10, False), (11, True), (80, True), (None, False)]
)
def test_a_sum_to_which_few_contribute_is_not_shown(contributing: int | None, shown: bool) -> None:
    total = 0.0 if contributing == 0 else 8.0
    row = {"group": "a", "term": "arrests", "n": 80, "total": total, "total_sq": total, "largest": min(total, 1.0)}
    known = {} if contributing is None else {"n_nonzero": contributing}
    safe, withheld = safe_counts(Moments(pd.DataFrame([{**row, **known}])), POLICY)
    assert (safe is not None) is shown
    assert bool(withheld) is not shown


def test_of_a_group_below_the_policys_size_nothing_is_shown() -> None:
    wide = Policy(minimum_subgroup=40)
    mean = {"group": "a", "term": "one", "n": 30, "total": 120.0, "total_sq": 500.0, "largest": 9.0}
    share = {"group": "site", "term": "one", "n_event": 15, "n": 30}
    curve = day_counts(people(30, 1, 0.02), "time", "event", by="group")
    for counts in (Moments(pd.DataFrame([mean])), Tally(pd.DataFrame([share])), curve):
        assert safe_counts(counts, wide)[0] is None
        assert safe_counts(counts, POLICY)[0] is not None


@pytest.mark.parametrize(("n", "shown"), [(39, False), (40, True)])
def test_the_policys_size_is_enough(n: int, shown: bool) -> None:
    wide = Policy(minimum_subgroup=40)
    mean = {"group": "a", "term": "one", "n": n, "total": 120.0, "total_sq": 500.0, "largest": 9.0}
    share = {"group": "site", "term": "one", "n_event": 15, "n": n}
    curve = day_counts(people(n, 1, 0.02), "time", "event", by="group")
    for counts in (Moments(pd.DataFrame([mean])), Tally(pd.DataFrame([share])), curve):
        assert (safe_counts(counts, wide)[0] is not None) is shown


@pytest.mark.parametrize(
    ("total", "largest", "shown"),
    [(100.0, 50.0, True), (100.0, 50.1, False), (-100.0, 50.0, True), (-100.0, 50.1, False), (0.0, 50.0, True)],
)
def test_one_person_may_give_half_of_a_sum_and_no_more(total: float, largest: float, shown: bool) -> None:
    """Half is the policy's; of a sum of nothing, what the largest gives is no part."""
    row = {"group": "a", "term": "t", "n": 40, "total": total, "total_sq": 4000.0, "largest": largest, "n_nonzero": 30}
    safe, withheld = safe_counts(Moments(pd.DataFrame([row])), POLICY)
    assert ((safe is not None), withheld) == ((True, ()) if shown else (False, ("a: t",)))


@pytest.mark.parametrize(("n", "shown"), [(10, False), (11, True)])
def test_a_mean_is_of_the_minimum_of_people(n: int, shown: bool) -> None:
    row = {"group": "a", "term": "t", "n": n, "total": 22.0, "total_sq": 60.0, "largest": 4.0, "n_nonzero": n}
    small = Policy(secret=bytes(range(32)), minimum_subgroup=1)
    assert (safe_counts(Moments(pd.DataFrame([row])), small)[0] is not None) is shown


def test_a_model_of_few_events_in_one_arm_is_withheld() -> None:
    rows = pd.DataFrame({"group": ["a", "b"], "term": "model", "n_event": [6, 80], "n": [140, 800]})
    data = pd.DataFrame({"term": ["x", "y"], "estimate": [0.1, 0.2], "n": [7, 163]})
    model = Estimates(data=data, kind="cox", estimand="e", summary={"n": 940, "n_event": 86}, counts=Tally(rows))
    safe = make_safe(model, POLICY)
    assert safe.verdict == "withheld"
    assert safe.estimates.tidy().empty
    assert dict(safe.estimates.summary) == {}
    shown = make_safe(model.about(counts=Tally(rows.assign(n_event=[12, 80]))), POLICY)
    told = shown.estimates.counts.frame["n_event"]
    assert [abs(a - b) <= 5 for a, b in zip(told, [12, 80], strict=True)] == [True, True]
    assert shown.estimates.summary["n"] == shown.estimates.counts.frame["n"].sum()
    assert shown.estimates.tidy()["n"].isna().tolist() == [True, False]
    assert abs(shown.estimates.tidy()["n"].iloc[1] - 163) <= 5


def test_without_counts_nothing_is_shown() -> None:
    with pytest.raises(DisclosureError, match="carries no counts"):
        make_safe(Estimates(data=pd.DataFrame({"estimate": [1.0]}), kind="mine", estimand="e"), POLICY)


def test_day_counts_without_an_analysis_are_refused() -> None:
    counts = day_counts(people(50, 5), "time", "event", by="group")
    assert isinstance(counts, DayCounts)
    with pytest.raises(DisclosureError, match="cannot be shown"):
        make_safe(Estimates(data=pd.DataFrame({"estimate": [1.0]}), kind="mine", estimand="e", counts=counts), POLICY)


def test_of_a_curve_that_is_quoted_nowhere_nothing_is_drawn() -> None:
    found = {True: 0, False: 0}
    for seed in range(60):
        data = people(60, seed, 0.0005)
        safe = make_safe(kaplan_meier(data, "time", "event", by="group"), POLICY)
        if safe.smooth is None:
            continue
        knots, quoted = safe.knots("pilot"), {day for _, day in safe.quoted}
        found[bool(quoted)] += 1
        if quoted:
            assert knots["time"].iloc[-1] <= max(quoted)
        else:
            assert knots.empty
            assert safe.drawn([0, 30, 182])["estimate"].isna().all()
    assert min(found.values()) > 5


def test_numbers_at_risk_are_those_of_the_people() -> None:
    data = people(150, 4)
    safe, codes = make_safe(kaplan_meier(data, "time", "event", by="group"), POLICY), codes_of(data)
    for day in (0, 30, 91, 182, 365):
        own = data["time"].ge(day).to_numpy()
        assert safe.at([day])["n_risk"].iloc[0] == POLICY.public(own.sum(), codes[own])
    few = int(np.sort(data["time"])[-10])
    assert np.isnan(safe.at([few])["n_risk"].iloc[0])


def test_a_ratio_of_published_sums_keeps_its_error_and_is_hardly_off() -> None:
    """Its error is made of three variances: sums that were each off by themselves would leave none, or four times it."""
    rng = np.random.default_rng(9)
    held = rng.integers(5, 38, 49)
    attended = rng.binomial(held, 0.92)
    codes = codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(49)]}))
    rows, who = [], {"n": codes}
    for term, values in (("numerator", attended), ("denominator", held), ("both", attended + held)):
        sums = (float(values.sum()), float((values**2).sum()), float(values.max()), int((values > 0).sum()))
        rows.append(("a", term, term, 49, *sums))
    columns = ["group", "term", "label", "n", "total", "total_sq", "largest", "n_nonzero"]
    exact = RatioOf("attendance_rate", "e").estimate(Moments(pd.DataFrame(rows, columns=columns), people=(who,) * 3))
    true, secrets = exact.tidy().iloc[0], [bytes([k]) * 32 for k in range(60)]
    shown = pd.DataFrame([make_safe(exact, Policy(secret=secret)).estimates.tidy().iloc[0] for secret in secrets])
    assert (shown["estimate"] - true["estimate"]).abs().max() < 0.005
    assert shown["std_error"].between(0.9 * true["std_error"], 1.25 * true["std_error"]).all()
    assert len(set(shown["estimate"])) > 50


@pytest.mark.parametrize("events", [0, 10, 11])
def test_a_curve_is_quoted_from_the_minimum_of_events_on(events: int) -> None:
    """Of nobody a curve has no limits: "0 % (0 to 0)" beside another group's share would be said to be clearly lower."""
    rows = [("a", 40.0 if k < events else 400.0, int(k < events)) for k in range(60)]
    frame = pd.DataFrame(rows, columns=["group", "time", "event"]).assign(participant_id=[f"p{k}" for k in range(60)])
    safe = make_safe(kaplan_meier(frame, "time", "event", by="group"), POLICY)
    days = [day for _, day in sorted(safe.quoted)]
    assert days == ([60, 90, 182, 365] if events == 11 else [])
    assert len(safe.landmark_rows()) == len(days)
