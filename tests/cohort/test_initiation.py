"""Initiation: from referral to the first attended session, or an exit before it."""

from __future__ import annotations

import pytest

from cohort.spec import Case, Together, ends

P = "participant_id | referral_date | intake_date\n"
S = "participant_id | session_date | status\n"
X = "participant_id | exit_date | reason\n"

CASES = [
    Case("the first attended session", "a 12 1 first_session", sessions=S + "a | +12 | attended"),
    Case("on the day of the referral", "a 0 1 first_session", sessions=S + "a | +0 | attended"),
    Case("the first of several", "a 12 1 first_session", sessions=S + "a | +20 | attended\na | +12 | attended"),
    Case("an absence is no session", "a 12 1 first_session", sessions=S + "a | +5 | absent\na | +12 | attended"),
    Case("on the cut", "a 12 1 first_session", "+12", sessions=S + "a | +12 | attended"),
    Case("the day after the cut", "a 11 0 cut", "+11", sessions=S + "a | +12 | attended"),
    Case("nothing yet", "a 200 0 cut"),
    Case("referral on the cut", "a 0 0 cut", "+0"),
    Case("referral the day after the cut: not in this set", "", "+0", participants=P + "a | +1 | -"),
    Case("dropped out before", "a 9 2 dropped_out", exits=X + "a | +9 | dropped_out"),
    Case("terminated before", "a 9 2 terminated", exits=X + "a | +9 | terminated"),
    Case("completed before", "a 9 2 completed", exits=X + "a | +9 | completed"),
    Case(
        "completed before, where completing is the dose",
        "a 9 2 completed",
        exits=X + "a | +9 | completed",
        rules={"completion": "dose"},
    ),
    Case("moved before: censored that day", "a 9 0 moved", exits=X + "a | +9 | moved"),
    Case("deceased before: censored that day", "a 9 0 deceased", exits=X + "a | +9 | deceased"),
    Case("administrative before: censored that day", "a 9 0 administrative", exits=X + "a | +9 | administrative"),
    Case(
        "an exit the day before the first session",
        "a 9 2 dropped_out",
        sessions=S + "a | +10 | attended",
        exits=X + "a | +9 | dropped_out",
    ),
    Case(
        "an exit on the day of the first session is not before it",
        "a 9 1 first_session",
        sessions=S + "a | +9 | attended",
        exits=X + "a | +9 | dropped_out",
    ),
    Case(
        "an exit the day after",
        "a 9 1 first_session",
        sessions=S + "a | +9 | attended",
        exits=X + "a | +10 | dropped_out",
    ),
    Case(
        "two exits on one day: the event before the censoring",
        "a 9 2 dropped_out",
        exits=X + "a | +9 | administrative\na | +9 | dropped_out",
    ),
    Case(
        "moved first, a session later: censored when moved",
        "a 9 0 moved",
        sessions=S + "a | +20 | attended",
        exits=X + "a | +9 | moved",
    ),
    Case(
        "no intake is needed", "a 12 1 first_session", participants=P + "a | +0 | -", sessions=S + "a | +12 | attended"
    ),
    Case("an exit on the cut", "a 9 2 dropped_out", "+9", exits=X + "a | +9 | dropped_out"),
    Case("an exit after the cut", "a 8 0 cut", "+8", exits=X + "a | +9 | dropped_out"),
]

TOGETHER = Together(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_initiation(case: Case) -> None:
    assert ends(TOGETHER.rows(case, "initiation")) == case.expect
