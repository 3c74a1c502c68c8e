"""The cohort's frames: columns, types, missing tables, other rules, person-periods."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from cohort.spec import Case, open_frames, spec_cohort, table
from evalkit.cohort import Cohort, build
from evalkit.errors import UsageError
from evalkit.intake import MissingTableError

P = "participant_id | referral_date | intake_date | age | employment | gender\n"
PEOPLE = P + "a | +0 | +1 | 41 | yes | man\nb | +2 | - | - | no | -"
S = "participant_id | session_date | kind | status | hours\n"
COVARIATES = [
    {"name": "age", "label": "Age"},
    {"name": "employment", "label": "Employed", "kind": "yes_no"},
    {"name": "gender", "label": "Gender", "kind": "categorical"},
]


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    sessions = (
        S
        + "a | +5 | group | attended | 1.5\na | +12 | individual | attended | 1\na | +19 | group | absent | 1.5\na | +26 | group | attended | 2"
    )
    tables = {
        "participants": PEOPLE,
        "sessions": sessions,
        "outcomes": "participant_id | outcome_date | kind\n a | +40 | dv_arrest",
    }
    return spec_cohort(tables, "+60", covariates=COVARIATES, rules={"counting_kinds": ["group"]})


def test_people(cohort: Cohort) -> None:
    a, b = cohort.people.to_dict("records")
    assert (a["n_attended"], a["hours_attended"], a["n_counting"], a["hours_counting"]) == (3, 4.5, 2, 3.5)
    assert (b["n_attended"], b["hours_attended"], b["n_counting"], b["n_returns"]) == (0, 0.0, 0, 0)
    assert (a["days_from_referral"], a["days_from_intake"], a["days_from_first_session"]) == (60, 59, 55)
    assert (a["age"], a["employment"], a["gender"]) == (41.0, 1.0, "man")
    assert pd.isna(b["age"]) and b["employment"] == 0.0 and b["gender"] is None
    assert a["last_session_date"] == pd.Timestamp("2022-01-27")
    assert a["disengagement_date"] == pd.Timestamp("2022-02-26")
    assert pd.isna(b["first_session_date"])
    assert a["harm_end_date"] == b["harm_end_date"] == pd.Timestamp("2022-03-02")


def test_types_do_not_depend_on_what_there_is(cohort: Cohort) -> None:
    empty = spec_cohort({"participants": PEOPLE}, "-5", covariates=COVARIATES)
    assert len(empty.people) == 0
    assert empty.people.dtypes.to_dict() == cohort.people.dtypes.to_dict()
    for scale in ("initiation", "retention", "harm", "harm_recurrent", "sessions"):
        full, none = getattr(cohort, scale)(), getattr(empty, scale)()
        assert len(none) == 0
        assert list(none.columns) == list(full.columns)
        assert none.dtypes.to_dict() == full.dtypes.to_dict(), scale
    assert list(empty.person_period().columns) == list(cohort.person_period().columns)


def test_frames_are_copies(cohort: Cohort) -> None:
    cohort.retention()["time"] = -1
    assert cohort.retention()["time"].tolist() == [51]


def test_causes(cohort: Cohort) -> None:
    assert cohort.causes == {1: "disengagement", 2: "completion"}
    assert cohort.causes_of("harm") == {1: "domestic-violence re-arrest", 2: "death"}
    assert cohort.causes_of("initiation") == {1: "first session", 2: "exit before a session"}
    with pytest.raises(UsageError, match="no time scale 'retenion'; did you mean 'retention'"):
        cohort.causes_of("retenion")


def test_sessions_know_their_days(cohort: Cohort) -> None:
    frame = cohort.sessions()
    assert frame["day_from_first_session"].tolist() == [0, 7, 14, 21]
    assert frame["day_from_intake"].tolist() == [4, 11, 18, 25]
    assert frame["attended"].tolist() == [True, True, False, True]
    assert frame["counting"].tolist() == [True, False, False, True]


def test_person_period(cohort: Cohort) -> None:
    frame = cohort.person_period("retention", width=30)
    assert frame[["period_number", "time_from", "time", "event"]].to_numpy().tolist() == [[1, 0, 30, 0], [2, 30, 51, 1]]
    whole = cohort.person_period("retention", width=51)
    assert whole[["period_number", "time_from", "time", "event"]].to_numpy().tolist() == [[1, 0, 51, 1]]
    weeks = cohort.person_period()
    assert weeks["time_from"].tolist() == [0, 7, 14, 21, 28, 35, 42, 49]
    assert weeks["time"].tolist() == [7, 14, 21, 28, 35, 42, 49, 51]
    assert weeks["event"].tolist() == [0] * 7 + [1] and weeks["reason"].tolist() == [""] * 7 + ["gap"]
    day = cohort.person_period(width=1)
    assert (len(day), day["time"].iloc[-1], day["period_number"].iloc[-1]) == (51, 51, 51)
    for width in (0, -1, 1.5):
        with pytest.raises(UsageError, match=r"^person_period: width must be a whole number of days, 1 or more$"):
            cohort.person_period(width=width)
    with pytest.raises(UsageError, match=r"^there is no time scale 'people'$"):
        cohort.person_period("people")


def test_person_period_of_day_0() -> None:
    sessions = "participant_id | session_date\n a | +60"
    frame = spec_cohort({"participants": PEOPLE, "sessions": sessions}, "+60").person_period()
    assert frame[["period_number", "time_from", "time", "event"]].to_numpy().tolist() == [[1, 0, 0, 0]]


def test_person_period_adds_up(cohort: Cohort) -> None:
    for scale in ("initiation", "retention", "harm"):
        rows, ends = cohort.person_period(scale, 7), getattr(cohort, scale)()
        assert (rows["time"] - rows["time_from"]).sum() == ends["time"].sum()
        assert rows["event"].sum() == ends["event"].sum()


def test_missing_tables() -> None:
    data = open_frames({"participants": table("participants", PEOPLE)})
    cohort = build(data.at(date(2022, 3, 1)))
    assert cohort.people["n_attended"].isna().all()
    assert (
        cohort.notes[0] == "The sessions table is not part of this study: initiation, retention and dose are not known."
    )
    assert [cohort.has(name) for name in ("participants", "sessions", "exits", "outcomes")] == [
        True,
        False,
        False,
        False,
    ]
    said = {
        "initiation": "sessions",
        "retention": "sessions",
        "person_period": "sessions",
        "sessions": "sessions",
        "exits": "exits",
        "harm": "outcomes",
        "harm_recurrent": "outcomes",
        "measures": "measures",
    }
    for method, name in said.items():
        with pytest.raises(MissingTableError, match=rf"^The {name} table is not part of this study\.$"):
            getattr(cohort, method)()
    for method in ("harm", "harm_recurrent"):
        with pytest.raises(MissingTableError, match="outcomes"):
            getattr(cohort, method)("police")


def test_sessions_without_exits() -> None:
    frames = {
        "participants": table("participants", PEOPLE),
        "sessions": table("sessions", "participant_id | session_date\n a | +5"),
    }
    cohort = build(open_frames(frames, rules={"completion": "dose"}).at(date(2022, 3, 1)))
    assert cohort.retention()["reason"].tolist() == ["gap"]
    assert cohort.initiation()["event"].tolist() == [1, 0]


def test_harm_without_sessions() -> None:
    frames = {
        "participants": table("participants", PEOPLE),
        "outcomes": table("outcomes", "participant_id | outcome_date | kind\n a | +40 | dv_arrest"),
    }
    cohort = build(open_frames(frames).at(date(2022, 3, 1)))
    assert cohort.harm()[["time", "event"]].to_numpy().tolist() == [[40, 1], [57, 0]]
    assert cohort.causes_of("harm") == {1: "domestic-violence re-arrest"}


def test_other_rules(cohort: Cohort) -> None:
    case = Case("", "", "+60", sessions="participant_id | session_date\n a | +5\n a | +26")
    data = case.cohort()
    rules = data.rules.model_copy(update={"disengagement_gap_days": 14})
    other = build(data._setting.cut, rules=rules)
    assert other.retention()["time"].tolist() == [14]
    assert data.retention()["time"].tolist() == [51]


def test_equal_twice(cohort: Cohort) -> None:
    again = build(cohort._setting.cut)
    pd.testing.assert_frame_equal(again.people, cohort.people)
    pd.testing.assert_frame_equal(again.retention(), cohort.retention())


@pytest.mark.parametrize(
    ("rules", "harm", "ends"),
    [
        ({"counting_kinds": []}, {}, [[3, 0]]),
        ({"exits": {}}, {}, [[3, 0]]),
        ({"exits": {"deceased": "ignored"}}, {}, [[3, 0]]),
        ({"exits": dict.fromkeys(["moved", "completed"], "ignored")}, {}, [[30, 1]]),
        ({}, {"kinds": []}, [[3, 0]]),
    ],
)
def test_protocols_that_leave_things_out(
    rules: dict[str, object], harm: dict[str, object], ends: list[list[int]]
) -> None:
    tables = {
        "participants": PEOPLE,
        "sessions": "participant_id | session_date\n a | +5",
        "exits": "participant_id | exit_date | reason\n a | +8 | moved",
        "outcomes": "participant_id | outcome_date | kind\n a | +9 | dv_arrest",
    }
    cohort = spec_cohort(tables, "+60", rules=rules, harm=harm)
    assert cohort.retention()[["time", "event"]].to_numpy().tolist() == ends
    assert cohort.harm()["event"].sum() == (0 if harm else 1)
    assert cohort.harm_recurrent()["event"].sum() == (0 if harm else 1)


def test_words_with_quotes_and_signs() -> None:
    arms = {
        "column": "pathway",
        "focus": {"value": 'it\'s 100% "own"', "label": "Pilot; DROP TABLE"},
        "comparison": {"value": "ñandú \\ 'x'", "label": "PAIP"},
    }
    frames = {
        "participants": pd.DataFrame(
            {
                "participant_id": ["O'Neil;--", 'ü"%s'],
                "pathway": [arms["focus"]["value"], arms["comparison"]["value"]],
                "referral_date": "2022-01-01",
                "intake_date": "2022-01-02",
            }
        ),
        "sessions": pd.DataFrame(
            {
                "participant_id": ["O'Neil;--"],
                "session_date": ["2022-01-05"],
                "kind": ["group's"],
                "status": ["attended"],
                "hours": ["1"],
            }
        ),
    }
    cohort = build(
        open_frames(frames, arms=arms, rules={"counting_kinds": ["group's"], "completion": "dose"}).at(date(2022, 3, 1))
    )
    assert cohort.people["group"].tolist() == ["Pilot; DROP TABLE", "PAIP"]
    assert cohort.people["n_counting"].tolist() == [1, 0]
    assert cohort.retention()["participant_id"].tolist() == ["O'Neil;--"]
