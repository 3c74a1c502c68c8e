"""What does not count toward the gap, what completing is, and which sessions count, as the definitions draw them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from cohort.spec import SHORT, START, Case, Together, ends, open_frames, spec_cohort, table
from cohort.test_retention import X, sessions
from cohort.worlds import Row, found, frames, known, random_people, world
from evalkit.cohort import build
from evalkit.intake import MissingTableError
from evalkit.protocol import Closure, Rules, Study


def closed(*spans: tuple[int, int], site: str | None = None) -> dict[str, object]:
    """Rules with closures from one day to another."""
    days = [[(START + timedelta(days=n)).isoformat() for n in span] for span in spans]
    return {"closures": [{"from": first, "to": last, "site": site, "why": "holidays"} for first, last in days]}


NORTH = "participant_id | referral_date | intake_date | site\n a | +0 | +0 | North"
TWICE = "participant_id | referral_date | intake_date\n a | +0 | +0\n a | +50 | +50"
CANCELLED = {"cancelled_pauses": True}


def cancelled(*days: str) -> str:
    return "\n" + "\n".join(f"a | {d} | cancelled | 1.5 | group" for d in days)


PAUSES = [
    Case("ten closed days move the gap by ten", "a 40 1 gap", sessions=sessions("+0"), rules=closed((10, 19))),
    Case("a closure of one day", "a 31 1 gap", sessions=sessions("+0"), rules=closed((30, 30))),
    Case("it begins on the day the gap is over", "a 32 1 gap", sessions=sessions("+0"), rules=closed((30, 31))),
    Case("it begins the day after", "a 30 1 gap", sessions=sessions("+0"), rules=closed((31, 40))),
    Case("it ended before the last session", "a 30 1 gap", sessions=sessions("+20"), rules=closed((10, 19))),
    Case("it ends on the last session's day", "a 30 1 gap", sessions=sessions("+19"), rules=closed((10, 19))),
    Case("it begins on the last session's day", "a 39 1 gap", sessions=sessions("+10"), rules=closed((10, 19))),
    Case("days that two closures share count once", "a 40 1 gap", sessions=sessions("+0"), rules=closed((10, 15), (12, 19))),
    Case("the first moves the gap into the second", "a 42 1 gap", sessions=sessions("+0"), rules=closed((10, 19), (39, 40))),
    Case("a closure in the days it was moved by", "a 42 1 gap", sessions=sessions("+0"), rules=closed((10, 19), (40, 41))),
    Case("and not the day after those", "a 40 1 gap", sessions=sessions("+0"), rules=closed((10, 19), (41, 42))),
    Case("attending on a closed day is attending", "a 49 1 gap", sessions=sessions("+0", "+15"), rules=closed((10, 19))),
    Case("a session on the moved day prevents it", "a 70 1 gap", sessions=sessions("+0", "+40"), rules=closed((10, 19))),
    Case("a session the day after does not", "a 40 1 gap", sessions=sessions("+0", "+41"), rules=closed((10, 19))),
    Case("known on the moved day only", "a 39 0 cut", "+39", sessions=sessions("+0"), rules=closed((10, 19))),
    Case("and then it is", "a 40 1 gap", "+40", sessions=sessions("+0"), rules=closed((10, 19))),
    Case("a closure of one's own site", "a 40 1 gap", participants=NORTH, sessions=sessions("+0"), rules=closed((10, 19), site="North")),
    Case("of another site", "a 30 1 gap", participants=NORTH, sessions=sessions("+0"), rules=closed((10, 19), site="South")),
    Case("where the site is not known", "a 30 1 gap", sessions=sessions("+0"), rules=closed((10, 19), site="North")),
    Case("one's own site closed within a closure of all: once", "a 40 1 gap", participants=NORTH, sessions=sessions("+0"), rules={"closures": [*closed((10, 19))["closures"], *closed((12, 15), site="North")["closures"]]}),
    Case("a day of cancelled sessions only", "a 31 1 gap", sessions=sessions("+0") + cancelled("+10"), rules=CANCELLED),
    Case("two cancelled on one day are one day", "a 31 1 gap", sessions=sessions("+0") + cancelled("+10", "+10"), rules=CANCELLED),
    Case(
        "cancelled, and another that was not",
        "a 30 1 gap",
        sessions=sessions("+0") + cancelled("+10") + "\na | +10 | absent | 1.5 | group",
        rules=CANCELLED,
    ),
    Case("cancelled on the day on which the gap would be over", "a 31 1 gap", sessions=sessions("+0") + cancelled("+30"), rules=CANCELLED),
    Case("cancelled the day after", "a 30 1 gap", sessions=sessions("+0") + cancelled("+31"), rules=CANCELLED),
    Case("cancelled on the last session's day: attending", "a 40 1 gap", sessions=sessions("+0", "+10") + cancelled("+10"), rules=CANCELLED),
    Case("where the protocol does not say so", "a 30 1 gap", sessions=sessions("+0") + cancelled("+10")),
    Case("cancelled of the person's next referral", "a 31 1 gap", participants=TWICE, sessions=sessions("+20") + cancelled("+50"), rules=CANCELLED),
    Case("and attended beside it", "a 30 1 gap", participants=TWICE, sessions=sessions("+20") + cancelled("+50") + "\na | +50 | attended | 1.5 | group", rules=CANCELLED),
    Case(
        "cancelled on a closed day: once",
        "a 40 1 gap",
        sessions=sessions("+0") + cancelled("+10"),
        rules={**closed((10, 19)), **CANCELLED},
    ),
    Case("an exit in the closure is on its own day", "a 12 1 dropped_out", sessions=sessions("+0"), exits=X + "a | +12 | dropped_out", rules=closed((10, 19))),
]  # fmt: skip
DOSE = sessions("+0", "+7", "+14")
DONE = X + "a | +9 | completed"
COMPLETING = [
    Case("recorded: the dose is no completion", "a 44 1 gap", sessions=DOSE, rules={"completion": "recorded"}),
    Case("recorded: the exit is", "a 9 2 completed", sessions=DOSE, exits=DONE, rules={"completion": "recorded"}),
    Case("recorded: after the dose", "a 15 2 completed", sessions=DOSE, exits=X + "a | +15 | completed", rules={"completion": "recorded"}),
    Case("dose: the dose is", "a 14 2 dose", sessions=DOSE, rules={"completion": "dose"}),
    Case("dose: an exit without it is where following ends", "a 9 0 completed", sessions=DOSE, exits=DONE, rules={"completion": "dose"}),
    Case("dose: reached that day", "a 9 2 dose", sessions=sessions("+0", "+7", "+9"), exits=DONE, rules={"completion": "dose"}),
    Case("dose: reached before", "a 7 2 dose", sessions=sessions("+0", "+7", "+7"), exits=DONE, rules={"completion": "dose"}),
    Case("dose: an exit without it on the day of the gap: the event goes first", "a 30 1 gap", sessions=sessions("+0"), exits=X + "a | +30 | completed", rules={"completion": "dose"}),
    Case("dose: the day before the gap", "a 29 0 completed", sessions=sessions("+0"), exits=X + "a | +29 | completed", rules={"completion": "dose"}),
    Case("recorded: an exit before the first session does not count", "a 30 1 gap", sessions=sessions("+4"), exits=X + "a | +3 | completed", rules={"completion": "recorded"}),
    Case("either: the exit, when it is first", "a 9 2 completed", sessions=DOSE, exits=DONE, rules={"completion": "either"}),
    Case("either: the dose, when it is", "a 14 2 dose", sessions=DOSE, exits=X + "a | +15 | completed", rules={"completion": "either"}),
]  # fmt: skip


def alone(*days: str, hours: str = "1.5") -> str:
    return "".join(f"\na | {d} | attended | {hours} | individual" for d in days)


TWO = {
    "counting_kinds": {"group": "all", "individual": 2},
    "dose_sessions": 4,
    "dose_hours": 6,
    "funnel": {"half_dose_sessions": 1},
}
USUAL = {"counting_kinds": {"group": "all", "individual": 4}, "dose_sessions": 24, "dose_hours": 36, "funnel": {}}
COUNTING = [
    Case("of the usual dose four individual sessions count", "a 137 2 dose", sessions=sessions(*(f"+{7 * k}" for k in range(20))) + alone("+134", "+135", "+136", "+137"), rules=USUAL),
    Case("and not a fifth", "a 161 1 gap", sessions=sessions(*(f"+{7 * k}" for k in range(19))) + alone("+127", "+128", "+129", "+130", "+131"), rules=USUAL),
    Case("one that was missed uses nothing up", "a 9 2 dose", sessions=sessions("+0", "+7") + alone("+8", "+9") + "\na | +3 | absent | 1.5 | individual", rules=TWO),
    Case("two individual sessions count", "a 9 2 dose", sessions=sessions("+0", "+7") + alone("+8", "+9"), rules=TWO),
    Case("a third does not", "a 40 1 gap", sessions=sessions("+0") + alone("+8", "+9", "+10"), rules=TWO),
    Case("the earliest do, in whatever order they stand", "a 12 2 dose", sessions=sessions("+0", "+12") + alone("+9", "+20", "+8"), rules=TWO),
    Case(
        "within a day the longest first",
        "a 9 2 dose",
        sessions=sessions("+0", "+7") + alone("+8") + alone("+9", hours="0.5") + alone("+9"),
        rules=TWO,
    ),
    Case(
        "hours beyond the limit do not count either",
        "a 60 1 gap",
        sessions=sessions("+0", "+30", hours="1") + alone("+1", "+2", hours="1") + alone("+3", hours="9"),
        rules=TWO,
    ),
    Case(
        "of unknown length goes last on its day",
        "a 9 2 dose",
        sessions=sessions("+0", "+7") + alone("+8") + alone("+9", hours="-") + alone("+9"),
        rules=TWO,
    ),
    Case("a kind that is not named does not count", "a 39 1 gap", sessions=sessions("+0", "+7", "+9") + "\na | +8 | attended | 9 | case_management", rules=TWO),
    Case("before the intake they count", "a 9 2 dose", participants="participant_id | referral_date | intake_date\n a | +0 | +30", sessions=sessions("+0", "+7") + alone("+8", "+9"), rules=TWO),
]  # fmt: skip
CASES = Together([*PAUSES, *COMPLETING, *COUNTING])


@pytest.mark.parametrize("case", CASES.cases, ids=lambda case: case.name)
def test_rules(case: Case) -> None:
    assert ends(CASES.rows(case, "retention")) == case.expect


@pytest.mark.parametrize("case", COUNTING, ids=lambda case: case.name)
def test_sessions_say_the_same_of_what_counts(case: Case) -> None:
    cohort = case.cohort()
    rows, person = cohort.sessions(), cohort.people.iloc[0]
    assert (rows["counting"].sum(), rows.loc[rows["counting"], "hours"].sum()) == (
        person["n_counting"],
        person["hours_counting"],
    )
    assert not (rows["counting"] & ~rows["attended"]).any()


@pytest.mark.parametrize(("cut", "expect"), [("+44", "a 40 1 gap"), ("+45", "a 30 1 gap")])
def test_the_site_is_the_one_known_at_the_cut(cut: str, expect: str) -> None:
    """North was closed; on day 45 it is corrected: it has been South all along."""
    rows = "participant_id | referral_date | intake_date | site | recorded_on | retracted_on\n"
    people = rows + "a | +0 | +0 | North | +0 | +45\na | +0 | +0 | South | +45 | -"
    tables = {"participants": people, "sessions": sessions("+0")}
    assert ends(spec_cohort(tables, cut, rules=closed((10, 19), site="North")).retention()) == expect


def test_a_closure_of_ten_years_is_as_long_as_one_may_be() -> None:
    long = Closure.model_validate({"from": "2022-01-01", "to": "2032-01-08"})
    assert (long.last - long.first).days == 3659


def test_without_exits_nothing_is_recorded() -> None:
    """Rules of a sensitivity analysis meet a study that they do not fit: it is said, and the dose is not taken for it."""
    own = {"participants": table("participants", NORTH), "sessions": table("sessions", DOSE)}
    data = open_frames(own, rules=SHORT)
    with pytest.raises(MissingTableError):
        build(data.at(date(2022, 7, 1)), rules=Rules.model_validate({**SHORT, "completion": "recorded"}))


def test_a_return_is_counted_by_the_same_days() -> None:
    """Away longer than the gap, but not by days on which somebody could come: no second return."""
    rows = sessions("+0", "+50", "+90")
    tables = {"participants": "participant_id | referral_date | intake_date\n a | +0 | +0", "sessions": rows}
    open_all, shut = (spec_cohort(tables, "+200", rules=rules) for rules in ({}, closed((60, 69))))
    assert open_all.people["n_returns"].tolist() == [2]
    assert shut.people["n_returns"].tolist() == [1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rules": {"completion": "recorded"}, "tables": {"participants": {}, "sessions": {}}}, "recorded needs the table exits"),
        ({"rules": {"closures": [{"from": "2022-02-02", "to": "2022-02-01"}]}}, "ends before it begins"),
        ({"rules": {"closures": [{"from": "2022-02-02", "to": "2022-02-02", "site": "Nord"}]}, "sites": ["North"]}, "'Nord' is none of the sites"),
        ({"rules": {"closures": [{"from": "2022-01-01", "to": "2032-01-09"}]}}, "has 3660 days at most"),
        ({"rules": {"counting_kinds": {"group": 0}}}, "greater than or equal to 1"),
        ({"rules": {"counting_kinds": {"group": "some"}}}, "counting_kinds"),
    ],
)  # fmt: skip
def test_rules_that_cannot_be_meant(changes: dict[str, object], said: str) -> None:
    arms = {"focus": {"value": "a", "label": "A"}, "comparison": {"value": "b", "label": "B"}}
    study = {
        "id": "s",
        "title": "S",
        "starts": date(2022, 1, 1),
        "arms": arms,
        "tables": {"participants": {"path": "p.csv"}},
    }
    with pytest.raises(ValidationError, match=said):
        Study.model_validate({**study, **changes})


# -- the same once more, by walking through the days -------------------------------------------------------------------

SHUT = ((20, 29), (25, 33), (60, 60))
VARIANTS = {
    "closures": closed(*SHUT),
    "cancelled": CANCELLED,
    "both, the dose": {**closed(*SHUT), **CANCELLED, "completion": "dose"},
    "recorded, one individual session": {"completion": "recorded", "counting_kinds": {"group": "all", "individual": 1}},
    "either, two of a kind": {"counting_kinds": {"group": 2, "individual": 2}},
}


def drawn(seed: int) -> dict[str, list[Row]]:
    """Many people, with sessions of several lengths, half of the missed ones cancelled."""
    rows = world(random_people(seed, 150))
    lengths = itertools.cycle([1.5, 0.5, 2.0, 1.2, 1.5])
    mixed = []
    for number, row in enumerate(rows["sessions"]):
        kind, status, _ = row.rest
        missed = "cancelled" if number % 2 else "absent"
        mixed.append(replace(row, rest=(kind, missed if status == "absent" else status, next(lengths))))
    return {**rows, "sessions": mixed}


def walk(sessions: list[Row], exits: list[Row], every: list[Row], rules: Rules, cut: int) -> tuple[int, int]:
    """How the time since the first attended session ended, day by day; cancelled are all of the person's sessions."""
    attended = sorted((r for r in sessions if r.rest[1] == "attended"), key=lambda r: (r.day, -r.rest[2]))
    first, quiet, used = attended[0].day, 0, dict.fromkeys(rules.counting_limits, 0)
    n, tenths = 0, 0
    for day in range(first, cut + 1):
        today = [r for r in attended if r.day == day]
        for kind, _, hours in (r.rest for r in today):
            most = rules.counting_limits.get(kind, 0)
            if most is None or used.get(kind, 0) < most:
                used[kind] += 1
                n, tenths = n + 1, tenths + round(10 * hours)
        reasons = {r.rest[0] for r in exits if r.day == day}
        dose = n >= rules.dose_sessions and tenths >= 10 * rules.dose_hours
        recorded = "completed" in reasons
        if {"dose": dose, "recorded": recorded, "either": dose or recorded}[rules.completion]:
            return day - first, 2
        shut = any(c.first <= START + timedelta(days=day) <= c.last for c in rules.closures)
        held = {r.rest[1] for r in every if r.day == day}
        paused = shut or (rules.cancelled_pauses and held == {"cancelled"})
        quiet = 0 if today else quiet + (not paused)
        if (quiet == rules.disengagement_gap_days and not paused) or reasons & {"dropped_out", "terminated"}:
            return day - first, 1
        if reasons:
            return day - first, 0
    return cut - first, 0


@pytest.mark.parametrize("name", VARIANTS)
def test_retention_is_that_of_a_walk_through_the_days(name: str) -> None:
    rows, cut = drawn(len(name)), 130
    rules = Rules.model_validate({**SHORT, **VARIANTS[name]})
    cohort = build(open_frames(frames(rows), rules=SHORT).at(START + timedelta(days=cut)), rules=rules)
    seen = {table: known(own, cut) for table, own in rows.items()}
    expected = []
    for who in sorted({r.who for r in seen["participants"]}):
        start, *later = sorted(r.day for r in seen["participants"] if r.who == who)
        own = {
            t: [r for r in seen[t] if r.who == who and start <= r.day < min(later, default=10**6)]
            for t in ("sessions", "exits")
        }
        if any(r.rest[1] == "attended" for r in own["sessions"]):
            every = [r for r in seen["sessions"] if r.who == who]
            expected.append((who, 1, *walk(own["sessions"], own["exits"], every, rules, cut)))
    assert found(cohort, "retention") == expected
    assert {event for *_, event in expected} == {0, 1, 2}
    usual = found(build(cohort._setting.cut), "retention")
    assert usual != expected  # each of the rules decides something here
