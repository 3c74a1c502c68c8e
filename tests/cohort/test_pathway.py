"""The pathway: the state of each person at the end of each day, as the definitions draw it."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from cohort.spec import SHORT, START, Case, Together, open_frames, table
from cohort.test_pauses import CANCELLED, TWICE, VARIANTS, cancelled, closed, drawn
from cohort.test_retention import X, sessions
from cohort.worlds import Row, frames, known
from evalkit.cohort import Cohort, build
from evalkit.intake import MissingTableError
from evalkit.protocol import Rules

MOVED = "participant_id | referral_date | intake_date | site\n a | +0 | +0 | North\n a | +15 | +15 | South"


def path(rows: pd.DataFrame) -> str:
    """A pathway as text: each state, and the day on which it begins."""
    found = [
        f"{state} {time_from if time_from >= 0 else ''}".strip()
        for state, time_from in zip(rows["state"], rows["time_from"], strict=True)
    ]
    last = rows.iloc[-1]
    assert rows["time_from"].tolist() == [-1, *rows["time"].tolist()[:-1]]
    assert rows["state"].tolist()[1:] == rows["to"].tolist()[:-1]
    return "; ".join([*found, f"{last['to']} {last['time']}" if last["to"] else f"to {last['time']}"])


RECORDED = {"completion": "recorded"}
DOSE = {"completion": "dose"}
CASES = Together([
    Case("nobody attends: waiting up to the cut", "waiting; to 200"),
    Case("a first session", "waiting; active 7; lapsed 37; to 200", sessions=sessions("+7")),
    Case("on the day of referral: never waiting at a day's end", "waiting; active 0; lapsed 30; to 200", sessions=sessions("+0")),
    Case("a session missed is none", "waiting; to 200", sessions="participant_id | session_date | status\n a | +7 | absent"),
    Case("a session before the referral", "waiting; to 200", participants="participant_id | referral_date | intake_date\n a | +5 | +5", sessions=sessions("+4"), cut="+205"),
    Case("the gap is over the day after the cut", "waiting; active 7; to 36", "+36", sessions=sessions("+7")),
    Case("on the cut", "waiting; active 7; lapsed 37", "+37", sessions=sessions("+7")),
    Case("the day after", "waiting; active 7; lapsed 37; to 38", "+38", sessions=sessions("+7")),
    Case("attending the day before the gap is over", "waiting; active 7; lapsed 66; to 200", sessions=sessions("+7", "+36")),
    Case("on that day", "waiting; active 7; lapsed 67; to 200", sessions=sessions("+7", "+37")),
    Case("the day after: returned", "waiting; active 7; lapsed 37; returned 38; lapsed 68; to 200", sessions=sessions("+7", "+38")),
    Case("lapses repeat", "waiting; active 0; lapsed 30; returned 50; lapsed 80; returned 100; lapsed 130; to 200", sessions=sessions("+0", "+50", "+100"), rules=RECORDED),
    Case("leaving before a session, then attending: active", "waiting; left 5; active 9; lapsed 39; to 200", sessions=sessions("+9"), exits=X + "a | +5 | dropped_out"),
    Case("leaving on the day of the first session: attending goes first", "waiting; left 9; to 200", sessions=sessions("+9"), exits=X + "a | +9 | dropped_out"),
    Case("and attending again: returned", "waiting; left 9; returned 12; lapsed 42; to 200", sessions=sessions("+9", "+12"), exits=X + "a | +9 | dropped_out"),
    Case("who has left does not lapse", "waiting; active 0; left 29; to 200", sessions=sessions("+0"), exits=X + "a | +29 | moved"),
    Case("leaving on the day of the gap: the gap first, the exit decides", "waiting; active 0; left 30; to 200", sessions=sessions("+0"), exits=X + "a | +30 | moved"),
    Case("the day after", "waiting; active 0; lapsed 30; left 31; to 200", sessions=sessions("+0"), exits=X + "a | +31 | moved"),
    Case("attending after leaving is returned", "waiting; active 0; left 20; returned 25; lapsed 55; to 200", sessions=sessions("+0", "+25"), exits=X + "a | +20 | transferred"),
    Case("every other exit is left", "waiting; active 0; left 3; to 200", sessions=sessions("+0"), exits=X + "a | +3 | administrative"),
    Case("a second exit changes nothing", "waiting; active 0; left 3; to 200", sessions=sessions("+0"), exits=X + "a | +3 | moved\na | +5 | dropped_out"),
    Case("an exit that the protocol ignores", "waiting; active 0; lapsed 30; to 200", sessions=sessions("+0"), exits=X + "a | +3 | moved", rules={"exits": {"moved": "ignored"}}),
    Case("completed is final", "waiting; active 0; completed 9; to 200", sessions=sessions("+0", "+60"), exits=X + "a | +9 | completed\na | +70 | dropped_out", rules=RECORDED),
    Case("before another exit of the day", "waiting; active 0; completed 9; to 200", sessions=sessions("+0"), exits=X + "a | +9 | dropped_out\na | +9 | completed", rules=RECORDED),
    Case("on the day of the first session", "waiting; completed 9; to 200", sessions=sessions("+9"), exits=X + "a | +9 | completed", rules=RECORDED),
    Case("the day before it: left", "waiting; left 8; active 9; lapsed 39; to 200", sessions=sessions("+9"), exits=X + "a | +8 | completed", rules=RECORDED),
    Case("without any session: left", "waiting; left 8; to 200", exits=X + "a | +8 | completed", rules=RECORDED),
    Case("completing after a lapse", "waiting; active 0; lapsed 30; completed 90; to 200", sessions=sessions("+0"), exits=X + "a | +90 | completed", rules=RECORDED),
    Case("completing on the day of the gap", "waiting; active 0; completed 30; to 200", sessions=sessions("+0"), exits=X + "a | +30 | completed", rules=RECORDED),
    Case("completing after having left", "waiting; active 0; left 5; completed 9; to 200", sessions=sessions("+0"), exits=X + "a | +5 | moved\na | +9 | completed", rules=RECORDED),
    Case("deceased is final", "waiting; active 0; left 9; to 200", sessions=sessions("+0", "+12"), exits=X + "a | +9 | deceased\na | +15 | completed", rules=RECORDED),
    Case("deceased before a session", "waiting; left 9; to 200", sessions=sessions("+12"), exits=X + "a | +9 | deceased"),
    Case("died on the day of completing: completed", "waiting; active 0; completed 9; to 200", sessions=sessions("+0"), exits=X + "a | +9 | deceased\na | +9 | completed", rules=RECORDED),
    Case("dose: the day it is reached", "waiting; active 0; completed 14; to 200", sessions=sessions("+0", "+7", "+14"), rules=DOSE),
    Case("dose: an exit without it is another exit", "waiting; active 0; left 9; to 200", sessions=sessions("+0", "+7"), exits=X + "a | +9 | completed", rules=DOSE),
    Case("dose: reached on that day", "waiting; active 0; completed 9; to 200", sessions=sessions("+0", "+7", "+9"), exits=X + "a | +9 | completed", rules=DOSE),
    Case("recorded: the dose is no completion", "waiting; active 0; lapsed 44; to 200", sessions=sessions("+0", "+7", "+14"), rules=RECORDED),
    Case("a referral alone changes nothing", "waiting; active 0; lapsed 30; to 200", participants=TWICE, sessions=sessions("+0")),
    Case("attending in a later episode is returning", "waiting; active 0; lapsed 30; returned 60; lapsed 90; to 200", participants=TWICE, sessions=sessions("+0", "+60")),
    Case("it prevents a lapse of the earlier one", "waiting; active 30; lapsed 85; to 200", participants=TWICE, sessions=sessions("+30", "+55")),
    Case("first attending in a later episode: active", "waiting; active 60; lapsed 90; to 200", participants=TWICE, sessions=sessions("+60")),
    Case("an exit of a later episode", "waiting; active 40; left 55; to 200", participants=TWICE, sessions=sessions("+40"), exits=X + "a | +55 | moved"),
    Case("the dose goes on over referrals", "waiting; active 40; completed 60; to 200", participants=TWICE, sessions=sessions("+40", "+49", "+60"), rules=DOSE),
    Case("a closure moves the gap", "waiting; active 0; lapsed 40; to 200", sessions=sessions("+0"), rules=closed((10, 19))),
    Case("a day of cancelled sessions moves it", "waiting; active 0; lapsed 31; to 200", sessions=sessions("+0") + cancelled("+10"), rules=CANCELLED),
    Case("of a later referral, too", "waiting; active 30; lapsed 61; to 200", participants=TWICE, sessions=sessions("+30") + cancelled("+52"), rules=CANCELLED),
    Case("of the site at which the person was then", "waiting; active 0; lapsed 35; to 200", participants=MOVED, sessions=sessions("+0"), rules=closed((10, 19), site="North")),
    Case("of the site at which the person is now", "waiting; active 0; lapsed 35; to 200", participants=MOVED, sessions=sessions("+0"), rules=closed((10, 19), site="South")),
])  # fmt: skip


@pytest.mark.parametrize("case", CASES.cases, ids=lambda case: case.name)
def test_pathway(case: Case) -> None:
    assert path(CASES.rows(case, "pathway")) == case.expect


def test_one_pathway_per_person_whichever_episodes_are_analysed() -> None:
    people = "participant_id | referral_date | pathway\n a | +0 | other\n a | +9 | paip\n b | +2 | paip\n b | +9 | non_mandated"
    shown = {n: table(n, text) for n, text in {"participants": people, "sessions": sessions("+20"), "exits": X}.items()}
    data = open_frames(shown, rules=SHORT)
    told = {}
    for episodes in ("first", "all"):
        rows = build(data.at(START + timedelta(days=30)), episodes=episodes).pathway()
        told[episodes] = list(
            rows[["participant_id", "episode", "group", "time_from", "time", "state", "to"]].itertuples(
                index=False, name=None
            )
        )
    b = ("b", 1, "PAIP", -1, 28, "waiting", "")
    assert told["first"] == [b]
    assert told["all"] == [("a", 2, "PAIP", -1, 11, "waiting", "active"), ("a", 2, "PAIP", 11, 21, "active", ""), b]


def test_without_sessions_there_is_no_pathway() -> None:
    data = open_frames(
        {"participants": table("participants", "participant_id | referral_date\n a | +0")}, rules={"completion": "dose"}
    )
    with pytest.raises(MissingTableError):
        build(data.at(START + timedelta(days=30))).pathway()


# -- the same once more, by walking through the days -------------------------------------------------------------------


def walked(start: int, sessions: list[Row], exits: list[Row], rules: Rules, cut: int) -> list[str]:
    """The state at the end of each day from the referral to the cut."""
    states, state, quiet, final, ever = [], "waiting", 0, False, False
    used, n, tenths = dict.fromkeys(rules.counting_limits, 0), 0, 0
    for day in range(start, cut + 1):
        today = sorted((r for r in sessions if r.day == day), key=lambda r: -r.rest[2])
        came = [r for r in today if r.rest[1] == "attended"]
        for kind, _, hours in (r.rest for r in came):
            most = rules.counting_limits.get(kind, 0)
            if most is None or used.get(kind, 0) < most:
                used[kind] += 1
                n, tenths = n + 1, tenths + round(10 * hours)
        reasons = {r.rest[0] for r in exits if r.day == day}
        shut = any(c.first <= START + timedelta(days=day) <= c.last for c in rules.closures)
        paused = shut or (rules.cancelled_pauses and {r.rest[1] for r in today} == {"cancelled"})
        quiet = 0 if came else quiet + (not paused)
        if not final:
            if came and state not in {"active", "returned"}:
                state = "returned" if ever else "active"
            ever = ever or bool(came)
            if state in {"active", "returned"} and quiet == rules.disengagement_gap_days and not paused and not came:
                state = "lapsed"
            dose = n >= rules.dose_sessions and tenths >= 10 * rules.dose_hours and bool(came)
            recorded = "completed" in reasons and ever
            if {"dose": dose, "recorded": recorded, "either": dose or recorded}[rules.completion]:
                state, final = "completed", True
            elif reasons:
                state, final = "left", "deceased" in reasons
        states.append(state)
    return states


def by_day(cohort: Cohort) -> dict[str, list[str]]:
    found = {}
    for who, rows in cohort.pathway().groupby("participant_id"):
        days: list[str] = []
        for time_from, time, state, to in rows[["time_from", "time", "state", "to"]].itertuples(index=False):
            days += [state] * (time - time_from - 1) + [to or state]
        found[str(who)] = days
    return found


@pytest.mark.parametrize("name", VARIANTS)
def test_it_is_that_of_a_walk_through_the_days(name: str) -> None:
    rows, cut = drawn(len(name) + 7), 130
    rules = Rules.model_validate({**SHORT, **VARIANTS[name]})
    cohort = build(open_frames(frames(rows), rules=SHORT).at(START + timedelta(days=cut)), rules=rules)
    seen = {name: known(own, cut) for name, own in rows.items()}
    expected = {}
    for who in sorted({r.who for r in seen["participants"]}):
        start = min(r.day for r in seen["participants"] if r.who == who)
        own = {t: [r for r in seen[t] if r.who == who and r.day >= start] for t in ("sessions", "exits")}
        expected[who] = walked(start, own["sessions"], own["exits"], rules, cut)
    assert by_day(cohort) == expected
    assert {state for days in expected.values() for state in days} == {
        "waiting",
        "active",
        "lapsed",
        "returned",
        "completed",
        "left",
    }
