"""Harm from the intake on, deaths censored: to the first outcome of the kinds named, dated after the intake day.

The other choices of the protocol (from the referral on, deaths that compete, searches) are in `test_harm_rules`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from cohort.spec import Case, Together, ends

P = "participant_id | referral_date | intake_date | outcome_follow_up_end\n"
O = "participant_id | outcome_date | kind\n"  # noqa: E741
X = "participant_id | exit_date | reason\n"

CASES = [
    Case("an outcome", "a 50 1 dv_arrest", outcomes=O + "a | +50 | dv_arrest"),
    Case("the first of two", "a 50 1 dv_arrest", outcomes=O + "a | +70 | dv_arrest\na | +50 | dv_arrest"),
    Case(
        "the origin is the intake",
        "a 40 1 dv_arrest",
        participants=P + "a | +0 | +10 | -",
        outcomes=O + "a | +50 | dv_arrest",
    ),
    Case(
        "the day before the intake",
        "a 190 0 cut",
        participants=P + "a | +0 | +10 | -",
        outcomes=O + "a | +9 | dv_arrest",
    ),
    Case(
        "on the day of the intake: not after it",
        "a 190 0 cut",
        participants=P + "a | +0 | +10 | -",
        outcomes=O + "a | +10 | dv_arrest",
    ),
    Case(
        "the day after the intake",
        "a 1 1 dv_arrest",
        participants=P + "a | +0 | +10 | -",
        outcomes=O + "a | +11 | dv_arrest",
    ),
    Case("another kind is no event", "a 200 0 cut", outcomes=O + "a | +50 | any_arrest"),
    Case("none", "a 200 0 cut"),
    Case("on the cut", "a 50 1 dv_arrest", "+50", outcomes=O + "a | +50 | dv_arrest"),
    Case("the day after the cut", "a 49 0 cut", "+49", outcomes=O + "a | +50 | dv_arrest"),
    Case("searched up to a day", "a 80 0 follow_up_end", participants=P + "a | +0 | +0 | +80"),
    Case(
        "on the last day searched",
        "a 80 1 dv_arrest",
        participants=P + "a | +0 | +0 | +80",
        outcomes=O + "a | +80 | dv_arrest",
    ),
    Case(
        "the day after the last day searched",
        "a 80 0 follow_up_end",
        participants=P + "a | +0 | +0 | +80",
        outcomes=O + "a | +81 | dv_arrest",
    ),
    Case("searched beyond the cut", "a 200 0 cut", participants=P + "a | +0 | +0 | +300"),
    Case("searched up to the day before the intake: not in this set", "", participants=P + "a | +0 | +10 | +9"),
    Case("searched up to the intake: time 0", "a 0 0 follow_up_end", participants=P + "a | +0 | +10 | +10"),
    Case("no intake: not in this set", "", participants=P + "a | +0 | - | -", outcomes=O + "a | +50 | dv_arrest"),
    Case("an intake after the cut is not known yet", "", "+9", participants=P + "a | +0 | +10 | -"),
    Case("an intake on the cut", "a 0 0 cut", "+10", participants=P + "a | +0 | +10 | -"),
    Case("a death ends the follow-up", "a 60 0 deceased", exits=X + "a | +60 | deceased"),
    Case(
        "an outcome on the day of death counts",
        "a 60 1 dv_arrest",
        exits=X + "a | +60 | deceased",
        outcomes=O + "a | +60 | dv_arrest",
    ),
    Case(
        "an outcome after death does not",
        "a 60 0 deceased",
        exits=X + "a | +60 | deceased",
        outcomes=O + "a | +61 | dv_arrest",
    ),
    Case(
        "other exits end nothing",
        "a 200 0 cut",
        exits=X + "a | +60 | moved\na | +70 | completed\na | +80 | dropped_out",
    ),
    Case(
        "a death before the intake: not in this set",
        "",
        participants=P + "a | +0 | +10 | -",
        exits=X + "a | +9 | deceased",
    ),
    Case(
        "harm does not stop at the next referral",
        "a 50 1 dv_arrest",
        participants=P + "a | +0 | +0 | -\na | +30 | +31 | -",
        outcomes=O + "a | +50 | dv_arrest",
    ),
    Case(
        "a death recorded in a later episode is the person's",
        "a 60 0 deceased",
        participants=P + "a | +0 | +0 | -\na | +30 | +31 | -",
        exits=X + "a | +60 | deceased",
    ),
]

FROM_INTAKE = {"origin": "intake", "death": "censored"}
CASES = [replace(case, harm=FROM_INTAKE) for case in CASES]
TOGETHER = Together(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_harm(case: Case) -> None:
    assert ends(TOGETHER.rows(case, "harm")) == case.expect


RECURRENT = [
    Case("none: the end only", "a 200 0 cut"),
    Case(
        "each counts",
        "a 50 1 dv_arrest; a 70 1 dv_arrest; a 200 0 cut",
        outcomes=O + "a | +70 | dv_arrest\na | +50 | dv_arrest",
    ),
    Case("at most one a day", "a 50 1 dv_arrest; a 200 0 cut", outcomes=O + "a | +50 | dv_arrest\na | +50 | dv_arrest"),
    Case(
        "on the last day: the event, then the end",
        "a 50 1 dv_arrest; a 50 0 cut",
        "+50",
        outcomes=O + "a | +50 | dv_arrest",
    ),
    Case("after the end: not", "a 60 0 deceased", exits=X + "a | +60 | deceased", outcomes=O + "a | +61 | dv_arrest"),
    Case("not on the intake day", "a 200 0 cut", outcomes=O + "a | +0 | dv_arrest"),
    Case("no intake: not in this set", "", participants=P + "a | +0 | - | -", outcomes=O + "a | +50 | dv_arrest"),
]

RECURRENT = [replace(case, harm=FROM_INTAKE) for case in RECURRENT]
RECURRENT_CASES = Together(RECURRENT)


@pytest.mark.parametrize("case", RECURRENT, ids=lambda case: case.name)
def test_harm_recurrent(case: Case) -> None:
    frame = RECURRENT_CASES.rows(case, "harm_recurrent")
    assert ends(frame) == case.expect
    assert (frame["time_from"] <= frame["time"]).all()


def test_harm_of_any_of_several_kinds() -> None:
    from cohort.spec import spec_cohort

    tables = {
        "participants": "participant_id | referral_date | intake_date\n a | +0 | +0",
        "outcomes": O + "a | +50 | order_violation\na | +60 | dv_arrest",
    }
    harm = {"kinds": ["dv_arrest", "order_violation"]}
    cohort = spec_cohort(tables, "+100", harm=harm)
    assert ends(cohort.harm()) == "a 50 1 order_violation"


@pytest.mark.parametrize("booked", [("order_violation", "dv_arrest"), ("dv_arrest", "order_violation")])
def test_of_several_kinds_on_one_day_the_first_that_the_protocol_names_is_told(booked: tuple[str, str]) -> None:
    from cohort.spec import spec_cohort

    tables = {
        "participants": "participant_id | referral_date | intake_date\n a | +0 | +0",
        "outcomes": O + "\n".join(f"a | +50 | {kind}" for kind in booked),
    }
    cohort = spec_cohort(tables, "+100", harm={"kinds": ["dv_arrest", "order_violation"]})
    assert ends(cohort.harm()) == "a 50 1 dv_arrest"
    assert ends(cohort.harm_recurrent()) == "a 50 1 dv_arrest; a 100 0 cut"
