"""What does not count toward the gap, what completing is, and which sessions count, as the definitions draw them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from cohort.spec import START, Case, Together, ends, spec_cohort
from cohort.test_retention import X, sessions
from evalkit.protocol import Study


def closed(*spans: tuple[int, int], site: str | None = None) -> dict[str, object]:
    """Rules with closures from one day to another."""
    days = [[(START + timedelta(days=n)).isoformat() for n in span] for span in spans]
    return {"closures": [{"from": first, "to": last, "site": site, "why": "holidays"} for first, last in days]}


NORTH = "participant_id | referral_date | intake_date | site\n a | +0 | +0 | North"
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
    Case("a day of cancelled sessions only", "a 31 1 gap", sessions=sessions("+0") + cancelled("+10"), rules=CANCELLED),
    Case("two cancelled on one day are one day", "a 31 1 gap", sessions=sessions("+0") + cancelled("+10", "+10"), rules=CANCELLED),
    Case(
        "cancelled, and another that was not",
        "a 30 1 gap",
        sessions=sessions("+0") + cancelled("+10") + "\na | +10 | absent | 1.5 | group",
        rules=CANCELLED,
    ),
    Case("where the protocol does not say so", "a 30 1 gap", sessions=sessions("+0") + cancelled("+10")),
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
COUNTING = [
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
        ({"rules": {"completion": "recorded"}}, "recorded needs the table exits"),
        ({"rules": {"closures": [{"from": "2022-02-02", "to": "2022-02-01"}]}}, "ends before it begins"),
        ({"rules": {"closures": [{"from": "2022-02-02", "to": "2022-02-02", "site": "Nord"}]}, "sites": ["North"]}, "'Nord' is none of the sites"),
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
