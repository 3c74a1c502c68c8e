"""Retention, as the definitions draw it: origin the first attended session; + n is day n since January 1."""

from __future__ import annotations

import pytest

from cohort.spec import Case, Together, ends

S = "participant_id | session_date | status | hours | kind\n"
X = "participant_id | exit_date | reason\n"


def sessions(*days: str, status: str = "attended", hours: str = "1.5", kind: str = "group") -> str:
    return S + "\n".join(f"a | {d} | {status} | {hours} | {kind}" for d in days)


GAP = [
    Case("one session, the gap not over yet the day before", "a 29 0 cut", "+29", sessions=sessions("+0")),
    Case("the gap is over on the cut", "a 30 1 gap", "+30", sessions=sessions("+0")),
    Case("the gap was over the day before the cut", "a 30 1 gap", "+31", sessions=sessions("+0")),
    Case("long after, the event stays on day 30", "a 30 1 gap", "+400", sessions=sessions("+0")),
    Case("a session on day 29 prevents it", "a 59 1 gap", sessions=sessions("+0", "+29")),
    Case("a session on day 30 itself prevents it", "a 60 1 gap", sessions=sessions("+0", "+30")),
    Case("a session on day 31 comes too late", "a 30 1 gap", sessions=sessions("+0", "+31")),
    Case("the first such session decides", "a 40 1 gap", sessions=sessions("+0", "+10", "+50", "+100")),
    Case("never dated back: known only when met", "a 39 0 cut", "+39", sessions=sessions("+0", "+10")),
    Case("the origin is the first session, not the referral", "a 30 1 gap", sessions=sessions("+17")),
    Case("two sessions on one day are one day of attendance", "a 30 1 gap", sessions=sessions("+0", "+0", "+31")),
    Case(
        "an individual session keeps the gap from opening",
        "a 50 1 gap",
        sessions=sessions("+0") + "\na | +20 | attended | 1 | individual",
    ),
    Case(
        "an absence does not",
        "a 30 1 gap",
        sessions=sessions("+0") + "\na | +20 | absent | 1.5 | group",
    ),
    Case(
        "an excused or cancelled session does not either",
        "a 30 1 gap",
        sessions=sessions("+0") + "\na | +20 | excused | 1.5 | group\na | +25 | cancelled | 1.5 | group",
    ),
    Case(
        "an absence before the first session is no origin",
        "a 30 1 gap",
        sessions=sessions("+5") + "\na | +1 | absent | 0 | group",
    ),
    Case("another gap in the protocol", "a 10 1 gap", sessions=sessions("+0"), rules={"disengagement_gap_days": 10}),
    Case("no attended session: not in this set", "", sessions=sessions("+3", status="absent")),
    Case("no session at all: not in this set", ""),
    Case("first session on the cut: time 0", "a 0 0 cut", "+7", sessions=sessions("+7")),
    Case("first session the day after the cut: not in this set", "", "+6", sessions=sessions("+7")),
]

COMPLETION = [
    Case("the dose is reached", "a 14 2 dose", sessions=sessions("+0", "+7", "+14")),
    Case("completion on the cut is known", "a 14 2 dose", "+14", sessions=sessions("+0", "+7", "+14")),
    Case("completion the day after the cut is not", "a 13 0 cut", "+13", sessions=sessions("+0", "+7", "+14")),
    Case(
        "sessions reached, hours not: the day the hours are",
        "a 21 2 dose",
        sessions=sessions("+0", "+7", "+14", "+21", hours="1.2"),
    ),
    Case(
        "hours reached, sessions not: the day the sessions are",
        "a 14 2 dose",
        sessions=sessions("+0", "+7", "+14", hours="3"),
    ),
    Case(
        "kinds that do not count add nothing",
        "a 44 1 gap",
        sessions=sessions("+0", "+7") + "\na | +14 | attended | 1.5 | individual",
    ),
    Case("two sessions on one day both count", "a 7 2 dose", sessions=sessions("+0", "+7", "+7")),
    Case("a recorded exit completed", "a 9 2 completed", sessions=sessions("+0"), exits=X + "a | +9 | completed"),
    Case(
        "the exit comes before the dose",
        "a 9 2 completed",
        sessions=sessions("+0", "+7", "+14"),
        exits=X + "a | +9 | completed",
    ),
    Case(
        "the dose comes before the exit",
        "a 14 2 dose",
        sessions=sessions("+0", "+7", "+14"),
        exits=X + "a | +15 | completed",
    ),
    Case("completion before the gap", "a 14 2 dose", sessions=sessions("+0", "+7", "+14"), cut="+300"),
    Case("the gap before completion: disengaged", "a 30 1 gap", sessions=sessions("+0", "+40", "+41")),
    Case(
        "the whole dose of the protocol: 24 sessions, 36 hours",
        "a 161 2 dose",
        sessions=sessions(*(f"+{7 * k}" for k in range(24))),
        rules={"dose_sessions": 24, "dose_hours": 36, "funnel": {}},
    ),
    Case(
        "three times 1.4 hours are 4.2 hours, whatever binary fractions say",
        "a 14 2 dose",
        sessions=sessions("+0", "+7", "+14", hours="1.4"),
        rules={"dose_hours": 4.2},
    ),
    Case(
        "thirty times 1.2 hours are 36 hours",
        "a 174 2 dose",
        sessions=sessions(*(f"+{6 * k}" for k in range(30)), hours="1.2"),
        rules={"dose_sessions": 24, "dose_hours": 36, "funnel": {}},
    ),
    Case("hours not recorded add nothing", "a 44 1 gap", sessions=sessions("+0", "+7", "+14", hours="-")),
]

EXITS = [
    Case("dropped out before the gap", "a 5 1 dropped_out", sessions=sessions("+0"), exits=X + "a | +5 | dropped_out"),
    Case(
        "terminated the day before the gap",
        "a 29 1 terminated",
        sessions=sessions("+0"),
        exits=X + "a | +29 | terminated",
    ),
    Case(
        "dropped out after the gap: the gap stays",
        "a 30 1 gap",
        sessions=sessions("+0"),
        exits=X + "a | +31 | dropped_out",
    ),
    Case(
        "transferred before the gap", "a 12 0 transferred", sessions=sessions("+0"), exits=X + "a | +12 | transferred"
    ),
    Case("moved the day before the gap", "a 29 0 moved", sessions=sessions("+0"), exits=X + "a | +29 | moved"),
    Case(
        "moved on the day of the gap: the event goes first",
        "a 30 1 gap",
        sessions=sessions("+0"),
        exits=X + "a | +30 | moved",
    ),
    Case("moved the day after the gap", "a 30 1 gap", sessions=sessions("+0"), exits=X + "a | +31 | moved"),
    Case("deceased", "a 8 0 deceased", sessions=sessions("+0"), exits=X + "a | +8 | deceased"),
    Case("administrative", "a 8 0 administrative", sessions=sessions("+0"), exits=X + "a | +8 | administrative"),
    Case(
        "completion and dropping out on one day: completion",
        "a 9 2 completed",
        sessions=sessions("+0"),
        exits=X + "a | +9 | dropped_out\na | +9 | completed",
    ),
    Case(
        "dose and gap cannot meet, dose and moving can: completion",
        "a 14 2 dose",
        sessions=sessions("+0", "+7", "+14"),
        exits=X + "a | +14 | moved",
    ),
    Case(
        "an exit completed on the day of the gap: completion",
        "a 30 2 completed",
        sessions=sessions("+0"),
        exits=X + "a | +30 | completed",
    ),
    Case(
        "dropped out and moved on one day: disengagement",
        "a 6 1 dropped_out",
        sessions=sessions("+0"),
        exits=X + "a | +6 | moved\na | +6 | dropped_out",
    ),
    Case(
        "an exit on the day of the first session counts",
        "a 0 1 dropped_out",
        sessions=sessions("+4"),
        exits=X + "a | +4 | dropped_out",
    ),
    Case(
        "an exit before the first session does not",
        "a 30 1 gap",
        sessions=sessions("+4"),
        exits=X + "a | +3 | dropped_out",
    ),
    Case("an exit on the cut is known", "a 10 0 moved", "+10", sessions=sessions("+0"), exits=X + "a | +10 | moved"),
    Case("an exit after the cut is not", "a 9 0 cut", "+9", sessions=sessions("+0"), exits=X + "a | +10 | moved"),
    Case(
        "the first of two exits decides",
        "a 5 0 moved",
        sessions=sessions("+0"),
        exits=X + "a | +9 | dropped_out\na | +5 | moved",
    ),
    Case(
        "a reason the protocol makes a disengagement",
        "a 12 1 transferred",
        sessions=sessions("+0"),
        exits=X + "a | +12 | transferred",
        rules={"exits": {"transferred": "disengagement"}},
    ),
    Case(
        "a reason the protocol ignores",
        "a 30 1 gap",
        sessions=sessions("+0"),
        exits=X + "a | +12 | administrative",
        rules={"exits": {"administrative": "ignored"}},
    ),
]


CASES = Together([*GAP, *COMPLETION, *EXITS])


@pytest.mark.parametrize("case", CASES.cases, ids=lambda case: case.name)
def test_retention(case: Case) -> None:
    assert ends(CASES.rows(case, "retention")) == case.expect


RETURNS = [
    Case("no return", "nan 0", sessions=sessions("+0")),
    Case("back after the gap", "35 1", sessions=sessions("+0", "+35")),
    Case("back and staying is one return", "35 1", sessions=sessions("+0", "+35", "+40", "+60")),
    Case("back twice", "35 2", sessions=sessions("+0", "+35", "+80")),
    Case("back after dropping out", "8 1", sessions=sessions("+0", "+8", "+12"), exits=X + "a | +5 | dropped_out"),
    Case(
        "a session on the day of dropping out is no return",
        "nan 0",
        sessions=sessions("+0", "+5"),
        exits=X + "a | +5 | dropped_out",
    ),
    Case("a return after the cut is not known", "nan 0", "+34", sessions=sessions("+0", "+35")),
    Case("a session after completion is no return", "nan 0", sessions=sessions("+0", "+7", "+14", "+80")),
]


RETURN_CASES = Together(RETURNS)


@pytest.mark.parametrize("case", RETURNS, ids=lambda case: case.name)
def test_returns(case: Case) -> None:
    person = RETURN_CASES.rows(case, "people").iloc[0]
    days = (person["return_date"] - person["first_session_date"]).days
    assert f"{days} {person['n_returns']}" == case.expect


def test_a_return_does_not_undo_the_event() -> None:
    case = Case("", "a 30 1 gap", sessions=sessions("+0", "+35", "+42"))
    assert ends(case.cohort().retention()) == case.expect


def test_completion_is_dated_whatever_came_before_it() -> None:
    person = Case("", "", sessions=sessions("+0", "+40", "+41")).cohort().people.iloc[0]
    assert (person["completion_date"] - person["first_session_date"]).days == 41
    assert (person["disengagement_date"] - person["first_session_date"]).days == 30
