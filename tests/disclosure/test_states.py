"""States: nothing is told of few people in one, on any day, and probabilities are made of safe moves alone."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from disclosure.attacker import from_days, observed, printed, recovered, sureness
from disclosure.quarters import QUARTERS, Published, study, tables
from evalkit.counts import TransitionCounts, codes_of
from evalkit.disclosure import Policy, Told, make_safe, name_of, safe_counts
from evalkit.disclosure._record import cells_of
from evalkit.disclosure._states import _noised, enough_in
from evalkit.disclosure._transitions import Stocks
from evalkit.errors import DisclosureError
from evalkit.estimates import Estimates
from evalkit.stats import StateDays, StateOccupation, from_landmark, transition_counts

STATES = ("waiting", "active", "lapsed", "returned", "completed", "left")
MOVES = {
    "waiting": ((0.03, "active"), (0.004, "left")),
    "active": ((0.006, "lapsed"), (0.004, "left"), (0.004, "completed")),
    "lapsed": ((0.01, "returned"), (0.004, "left"), (0.0005, "completed")),
    "returned": ((0.01, "lapsed"), (0.004, "completed"), (0.001, "left")),
    "left": ((0.0005, "returned"),),
    "completed": (),
}
POLICY = Policy(secret=bytes(range(32)))
PLAIN = Policy(noise_variance=0)
TIMES = (30.0, 60.0, 90.0, 120.0, 182.0, 240.0, 365.0)


def lives(seed: int, people: pd.DataFrame) -> pd.DataFrame:
    """Whole stays of each of these people, long enough for every cut."""
    rng = np.random.default_rng(seed)
    rows = []
    for name in people["participant_id"]:
        state, time = "waiting", -1
        while time < 800:
            ways = MOVES[state]
            total = sum(rate for rate, _ in ways)
            stay = int(rng.geometric(total)) if total else 10_000
            to = str(rng.choice([way for _, way in ways], p=[rate / total for rate, _ in ways])) if ways else ""
            rows.append((name, time, time + stay, state, to))
            time, state = time + stay, to
    return pd.DataFrame(rows, columns=["participant_id", "time_from", "time", "state", "to"])


def until(stays: pd.DataFrame, people: pd.DataFrame, cut: int) -> pd.DataFrame:
    """The stays as they are known on a cut."""
    known = people[people["day"] < cut].set_index("participant_id")["day"]
    rows = stays[stays["participant_id"].isin(known.index)].copy()
    end = cut - rows["participant_id"].map(known)
    rows = rows[rows["time_from"] < end].assign(end=end)
    late = rows["time"] > rows["end"]
    return rows.assign(time=rows["time"].clip(upper=rows["end"]), to=rows["to"].mask(late, ""), group="pilot")


def occupation(rows: pd.DataFrame, times: tuple[float, ...] = TIMES) -> Estimates:
    return StateOccupation(times).estimate(transition_counts(rows, states=STATES, by="group"))


def a_study(seed: int, n: int = 160, cut: int = 8 * 91) -> pd.DataFrame:
    people = study(seed, n)
    return until(lives(seed, people), people, cut)


def stock(rows: pd.DataFrame, day: float) -> pd.DataFrame:
    """By state: people whose last known state by a day it is, and those of them who are observed after it."""
    last = rows[rows["time_from"] <= day].groupby("participant_id").tail(1)
    now = last["state"].mask((last["time"] <= day) & last["to"].ne(""), last["to"])
    seen = last["time"] > day
    found = pd.DataFrame({"known": now.value_counts(), "seen": now[seen].value_counts()})
    return found.reindex(STATES).fillna(0).astype(int)


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_told_of_few_people_in_a_state(seed: int) -> None:
    rows = a_study(seed)
    safe = make_safe(occupation(rows), POLICY)
    shown = safe.estimates.tidy()
    assert safe.estimates.counts.paths is None
    told = 0
    for day in TIMES:
        here, now = shown[shown["time"] == day].set_index("state")["estimate"], stock(rows, day)
        for state in STATES:
            sizes = [
                (n, total - n) for n, total in ((now["known"][state], 160), (now["seen"][state], now["seen"].sum()))
            ]
            small = any(0 < one < 11 for pair in sizes for one in pair)
            assert np.isnan(here[state]) == small, (day, state)
            told += not small
        if "other" in here:
            few = [state for state in STATES if np.isnan(here[state])]
            assert len(few) > 1
            assert min(now.loc[few].sum()) >= 11 or now.loc[few, "seen"].sum() == 0
    assert told > 15


def test_nothing_is_told_of_people_who_would_be_seen_once_too_often() -> None:
    """Of one state on one day; where it is all who are observed after it, nothing of that day."""
    rows = a_study(6).reset_index(drop=True)
    exact, codes = occupation(rows), codes_of(rows)
    full = make_safe(exact, POLICY).estimates.tidy().set_index(["time", "state"])["estimate"]
    last = rows[rows["time_from"] <= 182].groupby("participant_id").tail(1)
    seen = codes[last.index[last["time"] > 182]]
    here = codes[last.index[(last["time"] > 182) & last["state"].eq("active")]]
    for who, gone in ((here, [(182.0, "active")]), (seen, [(182.0, state) for state in STATES])):
        told = Told(decided=frozenset({name_of(POLICY.noise.key(who))}))
        safe = make_safe(exact, dataclasses.replace(POLICY, told=told)).estimates.tidy()
        now = safe.set_index(["time", "state"])["estimate"].reindex(full.index)
        assert set(full.index[full.notna() & now.isna()]) == {place for place in gone if full.notna()[place]}


def test_probabilities_are_made_of_numbers_of_the_grid_alone() -> None:
    """Moves between two of its days can be on any of them, in any order, and by any way: the same is told."""
    people = pd.DataFrame({"participant_id": [f"p{i}" for i in range(200)]})
    told = []
    for way in (5, 20):
        stays = []
        for k, name in enumerate(people["participant_id"]):
            if k < 60:  # by day 30 they have left: at once, or by way of attending
                steps = (
                    [("waiting", -1, way), ("left", way, 300)]
                    if way == 5
                    else [("waiting", -1, 2), ("active", 2, way), ("left", way, 300)]
                )
            elif k < 130:
                steps = [("waiting", -1, 30 - way), ("active", 30 - way, 300)]
            else:
                steps = [("waiting", -1, 300)]
            states = [s for s, _, _ in steps]
            stays += [(name, a, b, s, to) for (s, a, b), to in zip(steps, [*states[1:], ""], strict=True)]
        rows = pd.DataFrame(stays, columns=["participant_id", "time_from", "time", "state", "to"]).assign(group="pilot")
        told.append(safe_counts(occupation(rows).counts, POLICY)[0].frame)
    pd.testing.assert_frame_equal(*told)


def test_safe_moves_lead_from_one_day_s_published_numbers_to_the_next_and_nobody_gets_lost() -> None:
    rows = a_study(3, 900)
    safe, withheld = safe_counts(occupation(rows).counts, POLICY)
    assert withheld == ()
    frame = safe.frame
    from evalkit.counts import codes_of

    firsts = rows.drop_duplicates("participant_id")
    assert frame["n_entry"].sum() == POLICY.public(900, codes_of(firsts))
    moves = frame[[f"n_to_{k}" for k in range(1, 7)]]
    assert (moves.to_numpy() >= 0).all()
    last = frame["time"].max()
    gone = frame["n_censor"].sum()
    assert frame["n_entry"].sum() - gone >= 11 - 5
    assert last in {*POLICY.landmarks, *range(30, 800, 30)}


@pytest.mark.parametrize("policy", [PLAIN, POLICY], ids=["plain", "noise"])
def test_what_is_shown_is_near_what_is_so(policy: Policy) -> None:
    off = []
    for seed in range(6):
        rows = a_study(seed + 50, 900)
        exact = occupation(rows)
        both = make_safe(exact, policy).estimates.tidy().merge(exact.tidy(), on=["group", "state", "time"])
        both = both[both["estimate_x"].notna() & both["std_error_y"].gt(0)]
        off += list((both["estimate_x"] - both["estimate_y"]) / both["std_error_y"])
        assert (both["std_error_x"] >= both["std_error_y"] - 1e-9).all()
    assert len(off) > 120
    assert np.median(np.abs(off)) < (0.15 if policy is PLAIN else 0.3)
    assert np.abs(off).max() < (1.0 if policy is PLAIN else 1.5)


def test_without_censoring_and_noise_shares_are_exact() -> None:
    rows = a_study(1)
    rows = rows[rows["participant_id"].isin(rows.loc[rows["time"].ge(300), "participant_id"])]
    assert rows["participant_id"].nunique() > 60
    exact = occupation(rows, (30.0, 90.0, 240.0))
    both = make_safe(exact, PLAIN).estimates.tidy().merge(exact.tidy(), on=["group", "state", "time"])
    known = both.dropna(subset=["estimate_x"])
    assert len(known) > 8
    np.testing.assert_allclose(known["estimate_x"], known["estimate_y"], atol=1e-9)


def test_days_in_states_add_up_and_are_not_told_of_a_state_with_few() -> None:
    rows = a_study(2, 900)
    few = set(rows.loc[rows["state"].eq("returned") | rows["to"].eq("returned"), "participant_id"])
    kept = rows[~rows["participant_id"].isin(sorted(few)[7:])]
    for frame, hidden in ((rows, []), (kept, ["pilot: returned"])):
        exact = StateDays(365).estimate(transition_counts(frame, states=STATES, by="group"))
        safe = make_safe(exact, POLICY)
        assert list(safe.withheld) == hidden
        shown = safe.estimates.tidy().set_index("state")["estimate"]
        assert shown.isna().sum() == len(hidden)
        if not hidden:
            assert shown.sum() == pytest.approx(365)
            assert (shown - exact.tidy().set_index("state")["estimate"]).abs().max() < 4


def days_of(rows: pd.DataFrame, tau: float = 365) -> Estimates:
    return StateDays(tau).estimate(transition_counts(rows, states=STATES, by="group"))


def early(n: int = 200) -> pd.DataFrame:
    """People who all have a first session in the week after their referral, and stay; some are not followed as long."""
    k = np.arange(n)
    first = pd.DataFrame({"participant_id": [f"e{i}" for i in k], "time_from": -1, "time": k % 7, "state": "waiting"})
    stay = first.assign(time_from=first["time"], time=np.where(k % 4 == 0, 40 + k, 400), state="active", to="")
    return pd.concat([first.assign(to="active"), stay], ignore_index=True).assign(group="pilot")


@pytest.mark.parametrize("tau", [90, 182, 200, 365])
def test_days_are_those_that_people_stayed_and_not_the_area_under_straight_lines(tau: int) -> None:
    """All moves are early between two days of the grid: straight lines would have everybody wait 15 days, not 3."""
    exact = days_of(early(), tau).tidy().set_index("state")["estimate"]
    assert exact["waiting"] == pytest.approx(3, abs=0.05)
    plain = make_safe(days_of(early(), tau), PLAIN).estimates.tidy().set_index("state")["estimate"]
    assert plain["waiting"] == pytest.approx(exact["waiting"], abs=0.06)  # as printed
    noised = make_safe(days_of(early(), tau), POLICY).estimates.tidy().set_index("state")["estimate"]
    assert abs(noised["waiting"] - exact["waiting"]) <= tau / 150
    assert noised.sum() == pytest.approx(tau, abs=0.06)


def test_published_days_are_right_on_average_whatever_people_did_between_two_days() -> None:
    rows = a_study(8, 400)
    found = days_of(rows)
    exact = found.tidy().set_index("state")["estimate"]
    off = [
        make_safe(found, Policy(secret=bytes([k]) * 32)).estimates.tidy().set_index("state")["estimate"] - exact
        for k in range(15)
    ]
    # noise of what one person gives: at most 365 / 400 days, of those who are followed to the end some more
    assert np.abs(np.mean(off, axis=0)).max() < 0.4
    assert 0.2 < np.std(off, axis=0).max() < 1.0


def test_what_one_person_did_cannot_be_taken_from_the_days_with_him_and_without() -> None:
    """Two releases that differ by one person: the attacker knows of everybody else, and takes one from the other."""
    rows = a_study(9)
    long = rows[rows["time_from"].le(365)].groupby("participant_id")["time"].max()
    rows = rows[rows["participant_id"].isin(long.index[long >= 365])]  # a plain mean: nobody is censored before
    names = sorted(rows["participant_id"].unique())
    with_all, n = days_of(rows), len(names)
    told = make_safe(with_all, POLICY).estimates.tidy().set_index("state")["estimate"]["active"]
    mean, off = with_all.tidy().set_index("state")["estimate"]["active"], []
    for name in names[:12]:
        others = days_of(rows[rows["participant_id"] != name])
        own = n * mean - (n - 1) * others.tidy().set_index("state")["estimate"]["active"]
        without = make_safe(others, POLICY).estimates.tidy().set_index("state")["estimate"]["active"]
        off.append(n * told - (n - 1) * without - own)
    # as wide as what he might have done at all: 0 to 365 days
    assert np.sqrt(np.mean(np.square(off))) > 365 / np.sqrt(12)


def test_days_of_which_one_person_has_more_than_half_are_not_told() -> None:
    rows = early(40).assign(time=lambda r: r["time"].where(r["state"].eq("active"), 0))
    slow = rows["participant_id"].eq("e0")
    rows.loc[slow & rows["state"].eq("waiting"), "time"] = 300
    rows.loc[slow & rows["state"].eq("active"), ["time_from", "time"]] = 300, 400
    rows.loc[rows["state"].eq("active") & ~slow, "time_from"] = 0
    safe = make_safe(days_of(rows), POLICY)
    assert safe.withheld == ("pilot: waiting",)
    assert np.isnan(safe.estimates.tidy().set_index("state")["estimate"]["waiting"])


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ([11] + [1] * 11, True),  # half of 22
        ([12] + [1] * 11, False),
        ([1] * 11 + [0] * 9, True),
        ([1] * 10 + [0] * 9, False),
        ([0] * 20, True),  # nobody was in it
    ],
)
def test_of_a_mean_of_days_no_one_person_is_more_than_half_and_enough_have_some(days: list[int], told: bool) -> None:
    stays = SimpleNamespace(spent=lambda _: np.array(days, dtype=float)[:, None])
    assert enough_in(stays, 90.0, POLICY).tolist() == [told]


@pytest.mark.parametrize(("told", "variance"), [([True, True], 3**2 / 6 * 5 / 9), ([True, False], 3**2 / 6)])
def test_noise_of_mean_days_widens_their_errors_as_the_formula_has_it(told: list[bool], variance: float) -> None:
    """Of a third and two thirds of 90 days, held to them: 1 - 2 p + 2 p^2 is 5/9; what is not told takes the rest."""
    stays = SimpleNamespace(policy=POLICY, states=("waiting", "active"), unit=lambda _: 0.0)
    days, added = _noised(stays, np.array([30.0, 60.0]), np.array(told), 90.0, 3.0)
    np.testing.assert_allclose(days, [30, 60])
    np.testing.assert_allclose(added, [variance, variance])


@pytest.mark.parametrize(
    ("told", "days"),
    [([True, False, False], [30, 30, 30]), ([True, True, False], [30, 40, 20]), ([False, False, False], [30, 30, 30])],
)
def test_what_told_states_leave_of_the_days_is_shared_by_those_not_told(told: list[bool], days: list[float]) -> None:
    stays = SimpleNamespace(policy=POLICY, states=("waiting", "active", "lapsed"), unit=lambda _: 0.0)
    found, added = _noised(stays, np.array([30.0, 40.0, 20.0]), np.array(told), 90.0, 3.0)
    np.testing.assert_allclose(found, days)
    np.testing.assert_allclose(added, [3**2 / 6] * 3)


def test_a_small_group_is_withheld_and_another_is_not() -> None:
    rows = a_study(4)
    names = sorted(rows["participant_id"].unique())
    rows["group"] = np.where(rows["participant_id"].isin(names[:10]), "small", "pilot")
    safe = make_safe(occupation(rows), POLICY)
    assert (safe.verdict, safe.withheld[0]) == ("partly", "small")
    assert set(safe.estimates.data["group"]) == {"pilot"}
    assert make_safe(occupation(rows[rows["group"] == "small"]), POLICY).verdict == "withheld"


def test_a_horizon_after_the_last_day_that_may_be_told() -> None:
    rows = a_study(4, 60, cut=400)
    exact = StateDays(380).estimate(transition_counts(rows, states=STATES, by="group"))
    assert make_safe(exact, POLICY).verdict == "withheld"


def test_counts_without_a_safe_form() -> None:
    rows = a_study(5)
    late = rows.assign(
        time_from=rows["time_from"].where(
            rows["participant_id"].ne(rows["participant_id"].iloc[0]) | rows["time_from"].ge(0), 0
        )
    )
    for exact, said in (
        (occupation(late), "delayed entry"),
        (
            StateOccupation(TIMES).estimate(
                transition_counts(rows.assign(w=1.5), states=STATES, by="group", weights="w")
            ),
            "weighted",
        ),
        (
            StateOccupation(TIMES).estimate(TransitionCounts(occupation(rows).counts.frame, states=STATES)),
            "do not say who",
        ),
    ):
        with pytest.raises(DisclosureError, match=said):
            make_safe(exact, POLICY)


def test_those_of_a_landmark_begin_there() -> None:
    counts = from_landmark(occupation(a_study(7, 900)).counts, "lapsed", 90)
    safe = make_safe(StateOccupation((90.0, 182.0)).estimate(counts), POLICY).estimates.tidy()
    at = safe.set_index(["time", "state"])["estimate"]
    assert at[90.0, "lapsed"] == 1.0
    assert 0.1 < at[182.0, "lapsed"] < 0.9
    assert safe["n_risk"].max() < 200


def test_the_record_has_every_number() -> None:
    exact = occupation(a_study(6))
    safe = make_safe(exact, POLICY)
    cells = {cell.name: cell for cell in cells_of(exact, safe)}
    whole = cells["state_occupation: pilot, people"]
    assert (whole.count, whole.public, whole.shown, whole.linked) == (
        160,
        safe.estimates.counts.data["n_entry"].sum(),
        True,
        True,
    )
    shown = safe.estimates.tidy().set_index(["time", "state"])["estimate"]
    for day in (60.0, 182.0):
        now = stock(a_study(6), day)["known"]
        for state in STATES:
            cell = cells[f"state_occupation: pilot, {state} by day {day:g}"]
            assert (cell.count, cell.shown) == (now[state], not np.isnan(shown[day, state]))


# -- attackers ---------------------------------------------------------------------------------------------------------


def pathway_tables(known: pd.DataFrame, quarter: int) -> list[Estimates]:
    """What a report says of the pathway: shares in states, days in them, and where people went who had lapsed."""
    last = (quarter + 1) * 91
    found = [occupation(known)]
    found += [days_of(known, tau) for tau in (60, 90, 182, 365) if known["time"].max() >= tau]
    late = from_landmark(occupation(known).counts, "lapsed", 90.0) if last > 190 else None
    if late is not None and len(late.data):
        found.append(StateOccupation((182.0,)).estimate(late))
    return found


def releases(seed: int, policy: Policy, n: int = 160) -> list[Published]:
    """What eight quarters publish of one arm: the pathway beside the other tables."""
    people = study(seed, n)
    stays, found = lives(seed, people), []
    for quarter in range(QUARTERS):
        exact = tables(people, quarter)
        known = until(stays, people, (quarter + 1) * 91)
        if len(known):
            exact = [*exact, *pathway_tables(known, quarter)]
        found.append(Published(tuple(make_safe(one, policy) for one in exact), tuple(exact)))
    return found


@pytest.mark.parametrize("seed", [0, 3])
def test_the_attacker_recovers_no_small_count(seed: int) -> None:
    made = releases(seed, POLICY)
    states = [e for release in made for e in release.exact if isinstance(e.counts, TransitionCounts)]
    assert len(states) > 3 * QUARTERS
    of_states = [[isinstance(e.counts, TransitionCounts) for e in r.exact] for r in made]
    alone = [
        Published(*(tuple(x for x, own in zip(xs, mine, strict=True) if own) for xs in (r.safe, r.exact)))
        for r, mine in zip(made, of_states, strict=True)
    ]
    assert len(observed(alone)) > 60  # the same people, the same number, or it raises
    assert printed(made) == []
    assert recovered(made, POLICY, 2, most=40) == []
    assert max(sureness(made, POLICY)) <= 0.5


@pytest.mark.parametrize("seed", [1, 4])
def test_the_attacker_finds_no_size_from_days_in_states(seed: int) -> None:
    """Some ten people are new in a quarter: their days are in the mean of all, and were not a quarter before."""
    made = releases(seed, POLICY, 80)
    assert sum(len(own) for own in from_days(made, POLICY).values()) > 3  # all states of a pair are one look
    assert printed(made) == []
    assert most_sure(made, POLICY) <= 0.5
    # If he even knew how many days those few spent in each state, the noise would be all that hides how many they are.
    assert most_sure(made, POLICY, knowing=True) <= 0.5
    assert most_sure(releases(seed, PLAIN, 80), PLAIN, knowing=True) > 0.5


@pytest.mark.parametrize(("seed", "n"), [(1, 80), (4, 80), (3, 40), (5, 40)])
def test_in_small_studies_he_is_not_sure_of_anybody(seed: int, n: int) -> None:
    """As a release tells them: where a number would be one look too many at the same few, it is left out."""
    told = Told()
    made = releases(seed, dataclasses.replace(POLICY, told=told), n)
    assert printed(made) == []
    assert max(sureness(made, POLICY)) <= 0.5
    assert 0 < told.left_out < told.asked / 5


def test_with_no_look_for_differences_that_return_he_is() -> None:
    assert max(sureness(releases(1, POLICY, 80), POLICY)) > 0.55


def most_sure(made: list[Published], policy: Policy, *, knowing: bool = False) -> float:
    """How sure he is of the likeliest size of one small group, of days alone."""
    likely = [np.prod(own, axis=0) for own in from_days(made, policy, knowing=knowing).values()]
    return max(float(one[1:].max() / one.sum()) for one in likely if one.sum() > 0)


@pytest.mark.parametrize(
    ("stays", "late"),
    [
        ([(1, 0, 10), (1, 10, 20), (2, 0, 30)], False),
        ([(1, 0, 10), (2, 5, 30)], True),  # one comes later
        ([(1, 0, 10), (1, 15, 20), (2, 0, 30)], True),  # one goes, and comes again
    ],
)
def test_who_comes_late_or_again(stays: list[tuple[int, int, int]], late: bool) -> None:
    paths = pd.DataFrame(stays, columns=["person", "time_from", "time"])
    assert Stocks("Pilot", paths, STATES, POLICY, "").late is late


def test_states_that_few_are_in_stand_together_with_those_at_risk() -> None:
    """Of several states that may not be told one by one their sum is, and it is a probability."""
    rows = make_safe(occupation(a_study(1)), POLICY).estimates.tidy()
    other = rows[rows["state"] == "other"]
    assert len(other) > 0
    assert other["estimate"].between(0, 1).all()
    at_risk = rows[rows["state"] != "other"].groupby("time")["n_risk"].first()
    assert list(other["n_risk"]) == [at_risk[day] for day in other["time"]]
