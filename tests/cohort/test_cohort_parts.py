"""Every figure that may be restated, under its own name and with its own reason; and what a step of eligibility counts."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from cohort.spec import START, spec_cohort, spec_data
from evalkit.cohort import build, restatements, told_apart
from evalkit.cohort._build import Step, attrition
from evalkit.cohort._restatements import _FIGURES, _pairs, _why

CUT, SEEN = START + timedelta(days=60), START + timedelta(days=120)
PEOPLE = """participant_id | referral_date | intake_date | recorded_on | pathway
a | +0 | +1 | +0 | non_mandated
b | +0 | +1 | +0 | non_mandated
c | +0 | +1 | +0 | paip"""
SESSIONS = """participant_id | session_date | hours | recorded_on
a | +5 | 1.5 | +5
a | +30 | 1.5 | +30
a | +55 | 1.5 | +55
b | +5 | 1.5 | +5
b | +30 | 1.5 | +30
b | +55 | 1.5 | +55
c | +5 | 1.5 | +5
c | +30 | 1.5 | +30
c | +55 | 1.5 | +55"""
EXITS = "participant_id | exit_date | reason | recorded_on"
OUTCOMES = "participant_id | outcome_date | kind | recorded_on"


def told(**tables: str) -> dict[tuple[str, str], tuple[float, float, str, int, int]]:
    given = {"participants": PEOPLE, "sessions": SESSIONS, "exits": EXITS, "outcomes": OUTCOMES} | tables
    found = restatements(spec_data(given), CUT, known_on=SEEN)
    return {(r.figure, r.group): (r.old, r.new, r.reason, r.n_late, r.n_people) for r in found.itertuples()}


def test_nothing_new_restates_nothing() -> None:
    assert told() == {}


@pytest.mark.parametrize(("reason", "figure"), [("completed", "completed"), ("dropped_out", "disengaged"), ("terminated", "disengaged")])  # fmt: skip
def test_an_exit_entered_late(reason: str, figure: str) -> None:
    late = told(exits=f"{EXITS}\nb | +57 | {reason} | +70\nc | +57 | moved | +70")
    assert late == {
        (figure, "all"): (0, 1, "late entry", 2, 2), (figure, "Pilot"): (0, 1, "late entry", 1, 1),
    }  # fmt: skip


def test_a_session_entered_late_is_of_the_figures_of_sessions() -> None:
    late = told(sessions=SESSIONS + "\nc | +56 | 2 | +70")
    one = (9, 10, "late entry", 1, 1)
    assert late == {
        ("attended sessions", "all"): one, ("attended sessions", "PAIP"): (3, 4, *one[2:]),
        ("attended hours", "all"): (13.5, 15.5, *one[2:]), ("attended hours", "PAIP"): (4.5, 6.5, *one[2:]),
    }  # fmt: skip


def test_a_first_session_entered_late() -> None:
    people = PEOPLE + "\nd | +3 | +4 | +3 | paip"
    late = told(participants=people, sessions=SESSIONS + "\nd | +58 | 1 | +70")
    assert late["first sessions", "all"] == (3, 4, "late entry", 1, 1) and late["first sessions", "PAIP"] == (
        1,
        2,
        "late entry",
        1,
        1,
    )
    assert set(late) == {
        (f, g) for f in ("first sessions", "attended sessions", "attended hours") for g in ("all", "PAIP")
    }


def test_a_gap_that_is_filled_later_takes_a_disengagement_back() -> None:
    known = "\n".join(row for row in SESSIONS.splitlines() if not row.startswith("b | +30"))
    late = told(sessions=known + "\nb | +30 | 1.5 | +70")
    assert late["disengaged", "all"] == (1, 0, "late entry", 1, 1) and late["disengaged", "Pilot"] == (
        1,
        0,
        "late entry",
        1,
        1,
    )
    assert set(late) == {
        (f, g) for f in ("disengaged", "attended sessions", "attended hours") for g in ("all", "Pilot")
    }


def test_harm_entered_late() -> None:
    late = told(
        outcomes=f"{OUTCOMES}\na | +9 | dv_arrest | +9\na | +12 | dv_arrest | +70\nc | +20 | dv_arrest | +70\nc | +20 | dv_arrest | +71"
    )
    assert late == {
        ("with harm", "all"): (1, 2, "late entry", 3, 2), ("harm events", "all"): (1, 3, "late entry", 3, 2),
        ("harm events", "Pilot"): (1, 2, "late entry", 1, 1), ("with harm", "PAIP"): (0, 1, "late entry", 2, 1),
        ("harm events", "PAIP"): (0, 1, "late entry", 2, 1),
    }  # fmt: skip


def test_a_person_entered_late() -> None:
    late = told(participants=PEOPLE + "\nd | +3 | - | +70 | paip")
    assert late == {("referrals", "all"): (3, 4, "late entry", 1, 1), ("referrals", "PAIP"): (1, 2, "late entry", 1, 1)}
    assert [name for name, _, _ in _FIGURES] == [
        "referrals", "intakes", "first sessions", "attended sessions", "attended hours", "disengaged", "completed", "with harm", "harm events",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, ("changed without a trace", 0, 0, 0)), ({"late entry": 2}, ("late entry", 2, 0, 0)), ({"correction": 1}, ("correction", 0, 1, 0)),
        ({"retraction": 3}, ("retraction", 0, 0, 3)), ({"retraction": 3, "late entry": 1, "correction": 2}, ("late entry, correction, retraction", 1, 2, 3)),
    ],
)  # fmt: skip
def test_reasons_in_words(counts: dict[str, int], words: tuple[str, int, int, int]) -> None:
    assert _why(pd.Series(counts, dtype="int64")) == words


def test_a_person_and_a_day_are_one_key() -> None:
    rows = pd.DataFrame({"participant_id": ["a", "a|b"], "day": pd.to_datetime(["2022-01-02", "2022-01-03"])})
    assert _pairs(rows, "day").tolist() == ["a|2022-01-02", "a|b|2022-01-03"]


def test_steps_of_eligibility() -> None:
    codes = np.array([1, 2, 3], dtype=np.uint64)
    found = attrition(
        [Step("all", "cohort", "x", "X", 3, 2, {"n": codes, "n_event": codes[:2]}), Step("b", "harm", "y", "Y", 0, 0)], date(2022, 3, 1)
    )  # fmt: skip
    assert found.tidy().drop(columns="estimate").to_dict("list") == {
        "group": ["all", "b"], "variable": ["cohort", "harm"], "term": ["x", "y"], "label": ["X", "Y"], "n": [3, 0], "n_event": [2, 0], "n_excluded": [1, 0],
    }  # fmt: skip
    assert found.tidy()["estimate"].round(4).tolist()[0] == 0.6667 and np.isnan(found.tidy()["estimate"][1])
    assert (found.cut, found.kind, found.population) == (
        date(2022, 3, 1),
        "attrition",
        "all referrals known at the cut",
    )
    assert [{k: v.tolist() for k, v in one.items()} for one in found.counts.people] == [
        {"n": [1, 2, 3], "n_event": [1, 2]},
        {},
    ]


PEOPLE_OF_HARM = """participant_id | referral_date | intake_date | recorded_on | pathway | outcome_follow_up_end
a | +0 | +2 | +0 | paip | +1
b | +0 | - | +0 | paip | -
c | +3 | +4 | +3 | paip | +4
d | +3 | +4 | +3 | non_mandated | -"""


@pytest.mark.parametrize(
    ("origin", "followed"),
    [
        ("intake", {"all": (3, 2), "Pilot": (1, 1), "PAIP": (2, 1)}),
        ("referral", {"all": (4, 4), "Pilot": (1, 1), "PAIP": (3, 3)}),
    ],
)
def test_who_is_followed_for_harm_is_counted_of_those_with_an_origin(
    origin: str, followed: dict[str, tuple[int, int]]
) -> None:
    tables = {"participants": PEOPLE_OF_HARM, "sessions": SESSIONS, "exits": EXITS, "outcomes": OUTCOMES}
    rows = spec_cohort(tables, "+60", harm={"origin": origin}).attrition.tidy()
    own = rows[rows["variable"] == "harm"]
    assert {row.group: (row.n, row.n_event) for row in own.itertuples() if row.term == "followed"} == followed
    begun = {"all": (4, 3), "Pilot": (1, 1), "PAIP": (3, 2)} if origin == "intake" else {}
    assert {row.group: (row.n, row.n_event) for row in own.itertuples() if row.term == "intake"} == begun
    assert set(own.loc[own["term"] == "followed", "label"]) == {f"follow-up does not end before the {origin}"}


@pytest.mark.parametrize(("smallest", "told"), [(0, True), (1, True), (2, False)])
def test_an_end_is_told_apart_where_enough_of_each_group_had_it(*, smallest: int, told: bool) -> None:
    exits = f"{EXITS}\na | +40 | deceased | +40\nc | +40 | deceased | +40"
    cohort = spec_cohort(
        {"participants": PEOPLE, "exits": exits, "outcomes": OUTCOMES}, "+60", harm={"death": "competing"}
    )
    rows = cohort.harm()
    kept, names, notes = told_apart(cohort, rows, smallest)
    assert sorted(kept["event"]) == ([0, 2, 2] if told else [0, 0, 0])
    assert (len(names), bool(notes)) == ((2, False) if told else (1, True))
    # Nobody of a group had it: that is not told apart, whatever is asked for.
    _, names, _ = told_apart(cohort, rows[rows["group"] != "Pilot"], smallest)
    assert len(names) == 1


def test_what_was_given_back_is_computed_again() -> None:
    data = spec_data({"participants": PEOPLE, "sessions": SESSIONS, "exits": f"{EXITS}\nb | +57 | moved | +57"})
    kept, given_back = build(data.at(CUT)), build(data.at(CUT))
    connection = data.connection.con  # ibis' own list of tables warns
    tables = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
    given_back.release()
    assert len(tables - {name for (name,) in connection.execute("SHOW TABLES").fetchall()}) > 5
    for asked in ("retention", "initiation", "harm", "sessions", "exits", "due"):
        pd.testing.assert_frame_equal(getattr(given_back, asked)(), getattr(kept, asked)())


def test_sessions_in_windows_of_days_hold_their_first_and_last_day() -> None:
    rows = "a | +2 | 1 | +2\na | +31 | 2 | +31\na | +32 | 4 | +32\nc | +5 | 1 | +5"
    sessions = f"participant_id | session_date | hours | recorded_on\n{rows}"
    cohort = build(spec_data({"participants": PEOPLE, "sessions": sessions}).at(CUT))
    since_intake = cohort.attended("intake", [(0, 29), (1, 30), (2, 31)])
    assert [one.to_dict("list") for one in since_intake] == [
        {"sessions": [1, 0, 1], "hours": [1, 0, 1]},
        {"sessions": [2, 0, 1], "hours": [3, 0, 1]},
        {"sessions": [2, 0, 1], "hours": [6, 0, 1]},
    ]
    (since_first,) = cohort.attended("first_session", [(0, 29)], counting=True)
    assert since_first.to_dict("list") == {"sessions": [2, 0, 1], "hours": [3, 0, 1]}


def test_days_of_people_are_of_one_type_whatever_the_engine_gives() -> None:
    people = "participant_id | referral_date | intake_date | outcome_follow_up_end\na | +0 | +3 | +90\nb | +1 | - | -"
    frame = spec_cohort({"participants": people, "sessions": "participant_id | session_date\na | +4"}, "+100").people
    days = {
        name: str(kind)
        for name, kind in frame.dtypes.items()
        if name.endswith("_date") or name == "outcome_follow_up_end"
    }
    assert set(days.values()) == {"datetime64[ns]"}
    assert {"referral_date", "intake_date"} <= set(days)
