"""Every rule about rows on both sides of its limit: the last row that is right, the first that is wrong, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from evalkit.intake import validate
from evalkit.intake._read import ROW
from evalkit.intake._spec import table_spec
from evalkit.intake._validate import Frames as Checked
from evalkit.intake._validate import _with_helpers, broken_rules, known_at
from evalkit.protocol import Study
from intake.corrupted import E_, TODAY, W_, Frames, M, O, P, S, X, again, both, good, put, study_of

# Row 2 of `good`: referred 2022-02-17, intake 02-22, session and measure 03-01, exit 04-18; outcome 2022-06-09 (row 0 of
# outcomes is person 3's); all entered on 2022-12-30, followed to 12-29; today is 2023-01-31, the study starts 2022-01-01.
Found = set[tuple[str, str, str, tuple[int, ...]]]
NOTHING: Found = set()


def one(severity: str, place: str, rule: str, *rows: int) -> Found:
    return {(severity, place, rule, rows or (4,))}


def checked(study: Study, tables: Frames) -> Checked:
    """Tables as the gate's rules get them: in our types, with what they need from each other."""
    frames = {}
    for name, raw in tables.items():
        frame = raw.replace("", None).reset_index(drop=True)
        for column in table_spec(study, name).columns:  # as reading makes what is not there
            frame[column.name] = frame.get(column.name, None)
        for column in table_spec(study, name).columns:
            if column.kind == "date":
                frame[column.name] = pd.to_datetime(frame[column.name]).astype("datetime64[ns]")
            elif column.kind == "number":
                frame[column.name] = frame[column.name].astype("float64")
        frames[name] = frame.assign(**{ROW: range(2, len(frame) + 2)})
    return _with_helpers(frames)


STUDY = Study.model_validate({
    "id": "limits", "title": "Limits", "starts": "2022-01-01",
    "arms": {"column": "pathway", "focus": {"value": "non_mandated", "label": "Pilot"},
             "comparison": {"value": "paip", "label": "PAIP"}},
    "covariates": [{"name": "age", "label": "Age", "minimum": 16, "maximum": 100}],
    "harm": {"origin": "intake"},
    "tables": {name: {"path": f"{name}.csv"} for name in (P, S, X, O, M)},
})  # fmt: skip


def entered(table: str, column: str, day: str, row: int = 2):
    return both(put(table, column, day, row), put(table, "recorded_on", day, row))


def without_intake(row: int = 2):
    return both(put(P, "intake_date", "", row), put(P, "outcome_follow_up_end", "", row))


def alone(*tables: str):
    """Leave the other tables away."""

    def spoil(found: Frames) -> None:
        for name in {*found} - {*tables}:
            del found[name]

    return spoil


DEAD = put(X, "reason", "deceased", 2)
SECOND = {"referral_date": "2022-03-10", "intake_date": "2022-03-15"}
LIMITS = {
    # -- numbers
    "the lowest age": (put(P, "age", "16", 2), NOTHING),
    "below the lowest age": (put(P, "age", "15.9", 2), one(E_, f"{P}.age", "out_of_range")),
    "the highest age": (put(P, "age", "100", 2), NOTHING),
    "above the highest age": (put(P, "age", "100.1", 2), one(E_, f"{P}.age", "out_of_range")),
    "no age": (put(P, "age", "", 2), NOTHING),
    "0 hours of who was absent": (both(put(S, "hours", "0", 2), put(S, "status", "absent", 2)), NOTHING),
    "below 0 hours": (
        both(put(S, "hours", "-0.1", 2), put(S, "status", "absent", 2)), one(E_, f"{S}.hours", "impossible_hours")
    ),
    "8 hours": (put(S, "hours", "8", 2), NOTHING),
    "above 8 hours": (put(S, "hours", "8.1", 2), one(W_, f"{S}.hours", "unusual_hours")),
    "24 hours": (put(S, "hours", "24", 2), one(W_, f"{S}.hours", "unusual_hours")),
    "above 24 hours": (put(S, "hours", "24.1", 2), one(E_, f"{S}.hours", "impossible_hours")),
    "0 hours attended": (put(S, "hours", "0", 2), one(W_, f"{S}.hours", "hours_unknown")),
    "no hours attended": (put(S, "hours", "", 2), one(W_, f"{S}.hours", "hours_unknown")),
    "a few minutes attended": (put(S, "hours", "0.01", 2), NOTHING),
    "no hours of who was excused": (both(put(S, "hours", "", 2), put(S, "status", "excused", 2)), NOTHING),
    # -- days that have not come yet
    "a referral of today": (
        both(alone(P), entered(P, "referral_date", "2023-01-31"), without_intake()), NOTHING
    ),
    "a referral of tomorrow": (
        both(alone(P), entered(P, "referral_date", "2023-02-01"), without_intake()),
        one(E_, f"{P}.referral_date", "future_date") | one(E_, f"{P}.recorded_on", "future_date"),
    ),
    "an intake of today": (
        both(alone(P), put(P, "intake_date", "2023-01-31", 2), put(P, "outcome_follow_up_end", "2023-01-31", 2)), NOTHING
    ),
    "an intake of tomorrow": (
        both(alone(P), put(P, "intake_date", "2023-02-01", 2), put(P, "outcome_follow_up_end", "2023-02-01", 2)),
        one(E_, f"{P}.intake_date", "future_date") | one(W_, f"{P}.outcome_follow_up_end", "future_date"),
    ),
    "a session of today": (both(alone(P, S), entered(S, "session_date", "2023-01-31")), NOTHING),
    "a session of tomorrow": (
        both(alone(P, S), entered(S, "session_date", "2023-02-01")),
        one(E_, f"{S}.session_date", "future_date") | one(E_, f"{S}.recorded_on", "future_date"),
    ),
    "an exit of today": (entered(X, "exit_date", "2023-01-31"), NOTHING),
    "a measure of today": (entered(M, "measure_date", "2023-01-31"), NOTHING),
    "a measure entered tomorrow": (put(M, "recorded_on", "2023-02-01", 2), one(E_, f"{M}.recorded_on", "future_date")),
    "to be withdrawn tomorrow": (put(M, "retracted_on", "2023-02-01", 2), NOTHING),
    # -- entry and withdrawal
    "entered on its day": (put(S, "recorded_on", "2022-03-01", 2), NOTHING),
    "entered the day before": (
        put(S, "recorded_on", "2022-02-28", 2), one(W_, f"{S}.recorded_on", "recorded_before_event")
    ),
    "withdrawn on the day of entry": (put(S, "retracted_on", "2022-12-30", 2), NOTHING),
    "withdrawn the day before entry": (
        put(S, "retracted_on", "2022-12-29", 2), one(E_, f"{S}.retracted_on", "retracted_before_recorded")
    ),
    # -- participants
    "intake on the day of referral": (put(P, "intake_date", "2022-02-17", 2), NOTHING),
    "intake the day before referral": (
        put(P, "intake_date", "2022-02-16", 2), one(E_, f"{P}.intake_date", "intake_before_referral")
    ),
    "intake the day before the next referral": (
        again(P, 2, referral_date="2022-02-23", intake_date="2022-02-28"), NOTHING
    ),
    "intake on the day of the next referral": (
        again(P, 2, referral_date="2022-02-22", intake_date="2022-02-28"),
        one(W_, f"{P}.intake_date", "intake_after_next_referral"),
    ),
    "referral on the study's first day": (put(P, "referral_date", "2022-01-01", 2), NOTHING),
    "referral the day before": (
        put(P, "referral_date", "2021-12-31", 2), one(W_, f"{P}.referral_date", "referral_before_study")
    ),
    "referral on the day of death": (
        both(DEAD, again(P, 2, referral_date="2022-04-18", intake_date="2022-04-18")), NOTHING
    ),
    "referral the day after death": (
        both(DEAD, again(P, 2, referral_date="2022-04-19", intake_date="2022-04-19")),
        one(E_, f"{P}.referral_date", "referral_after_death", 22),
    ),
    "followed up to intake": (put(P, "outcome_follow_up_end", "2022-02-22", 2), NOTHING),
    "followed up to the day before intake": (
        put(P, "outcome_follow_up_end", "2022-02-21", 2), one(W_, f"{P}.outcome_follow_up_end", "follow_up_before_intake")
    ),
    "no end of follow-up before any intake": (
        both(put(S, "status", "absent", 2), without_intake()), NOTHING
    ),
    "no end of follow-up after an intake": (
        put(P, "outcome_follow_up_end", "", 2), one(W_, f"{P}.outcome_follow_up_end", "follow_up_unknown")
    ),
    "the same referral": (
        again(P, 2), one(E_, P, "duplicate_key", 22)
    ),
    "two people without an identifier": (
        both(alone(P), put(P, "participant_id", "", 18, 19)), one(E_, f"{P}.participant_id", "missing_value", 20, 21)
    ),
    # -- who and when
    "a row of nobody's": (put(M, "participant_id", "ZQX7021", 2), one(E_, f"{M}.participant_id", "unknown_participant")),
    "a row without an identifier": (put(M, "participant_id", "", 2), one(E_, f"{M}.participant_id", "missing_value")),
    "an exit on the day of referral": (
        both(put(X, "exit_date", "2022-02-17", 2), put(S, "status", "absent", 2)), NOTHING
    ),
    "an exit the day before": (put(X, "exit_date", "2022-02-16", 2), one(E_, f"{X}.exit_date", "before_referral")),
    "a measure on the day of referral": (put(M, "measure_date", "2022-02-17", 2), NOTHING),
    "a measure the day before": (put(M, "measure_date", "2022-02-16", 2), one(W_, f"{M}.measure_date", "before_referral")),
    "an outcome before any referral": (put(O, "outcome_date", "2021-01-01", 2), NOTHING),
    "between two referrals": (
        both(again(P, 2, **SECOND), put(M, "measure_date", "2022-03-09", 2)), NOTHING
    ),
    "a measure on the day of death": (both(DEAD, put(M, "measure_date", "2022-04-18", 2)), NOTHING),
    "a measure the day after": (
        both(DEAD, put(M, "measure_date", "2022-04-19", 2)), one(E_, f"{M}.measure_date", "after_death")
    ),
    "a measure after another exit": (put(M, "measure_date", "2022-04-19", 2), NOTHING),
    "an outcome after death": (
        both(put(X, "reason", "deceased", 3), put(O, "outcome_date", "2022-11-01", 0)), NOTHING
    ),
    "the first of two deaths": (
        both(put(X, "reason", "deceased", 2), again(X, 2, exit_date="2022-05-01"), put(M, "measure_date", "2022-04-25", 2)),
        one(E_, f"{M}.measure_date", "after_death") | one(E_, f"{X}.exit_date", "after_death", 8)
        | one(W_, X, "several_exits", 8),
    ),
    # -- sessions
    "a session on the day of intake": (put(S, "session_date", "2022-02-22", 2), NOTHING),
    "a session the day before": (
        put(S, "session_date", "2022-02-21", 2), one(W_, f"{S}.session_date", "session_before_intake")
    ),
    "absent the day before intake": (
        both(put(S, "session_date", "2022-02-21", 2), put(S, "status", "absent", 2)), NOTHING
    ),
    "a session before any referral is of no episode": (
        put(S, "session_date", "2022-02-16", 2), one(E_, f"{S}.session_date", "before_referral")
    ),
    "a session of an episode without intake": (
        without_intake(), one(W_, f"{S}.session_date", "session_without_intake")
    ),
    "a session on the day of the exit": (put(S, "session_date", "2022-04-18", 2), NOTHING),
    "a session the day after": (
        put(S, "session_date", "2022-04-19", 2), one(W_, f"{S}.session_date", "session_after_exit")
    ),
    "a session between two exits of one episode": (
        both(again(X, 2, exit_date="2022-05-01"), put(S, "session_date", "2022-04-19", 2)),
        one(W_, f"{S}.session_date", "session_after_exit") | one(W_, X, "several_exits", 8),
    ),
    "excused the day after the exit": (
        both(put(S, "session_date", "2022-04-19", 2), put(S, "status", "excused", 2)), NOTHING
    ),
    "a session of the next episode, after the exit": (
        both(again(P, 2, referral_date="2022-05-01", intake_date="2022-05-05"), put(S, "session_date", "2022-05-05", 2)), NOTHING
    ),
    "a session of the next episode, before its intake": (
        both(again(P, 2, referral_date="2022-05-01", intake_date="2022-05-05"), put(S, "session_date", "2022-05-04", 2)),
        one(W_, f"{S}.session_date", "session_before_intake"),
    ),
    "two kinds on one day": (again(S, 2, kind="individual"), NOTHING),
    "one kind on two days": (again(S, 2, session_date="2022-03-02"), NOTHING),
    "one kind twice on one day": (again(S, 2, hours="1.5"), one(W_, S, "same_day_session", 22)),
    "one row twice": (again(S, 2), one(E_, S, "duplicate_row", 22)),
    # -- exits, outcomes, measures
    "exits of two episodes": (
        both(again(P, 2, referral_date="2022-05-01", intake_date="2022-05-05"), again(X, 2, exit_date="2022-05-06")), NOTHING
    ),
    "two exits of one episode": (again(X, 2, reason="moved"), one(W_, X, "several_exits", 8)),
    "one exit twice": (again(X, 2), one(W_, X, "duplicate_row", 8)),
    "an outcome on the last day of follow-up": (put(O, "outcome_date", "2022-12-29", 2), NOTHING),
    "an outcome the day after": (
        put(O, "outcome_date", "2022-12-30", 2), one(W_, f"{O}.outcome_date", "outcome_after_follow_up")
    ),
    "an outcome up to the longest follow-up": (
        both(put(O, "outcome_date", "2022-12-29", 2), again(P, 5, outcome_follow_up_end="2022-10-01", referral_date="2022-06-10", intake_date="2022-06-10")), NOTHING,
    ),
    "one outcome of two sources": (again(O, 2, source="court"), NOTHING),
    "two kinds of outcome": (again(O, 2, kind="any_arrest"), NOTHING),
    "one outcome twice": (again(O, 2), one(W_, O, "duplicate_row", 7)),
    "two instruments": (again(M, 2, instrument="interview"), NOTHING),
    "one instrument on two days": (again(M, 2, measure_date="2022-03-02"), NOTHING),
    "two scores of one instrument": (again(M, 2, score="14"), one(W_, M, "duplicate_row", 22)),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_limit(name: str) -> None:
    way, expected = LIMITS[name]
    tables = good()
    way(tables)
    found = broken_rules(STUDY, checked(STUDY, tables), TODAY, ())
    assert {(f.severity, f"{f.table}.{f.column}" if f.column else f.table, f.rule, f.rows) for f in found} == expected


@pytest.mark.parametrize(
    ("identifier", "opaque"),
    [
        ("312-555-0199", False), ("312.555.0199", False), ("(312)-555-0199", False), ("3125550199", True),
        ("312-555-01999", True), ("1312-555-0199", True), ("123-45-6789", False), ("123-45-678", True),
        ("1123-45-6789", True), ("a@b", False), ("a b", False), ("a-b_c.1", True),
    ],
)  # fmt: skip
def test_identifiers_that_are_a_persons(identifier: str, opaque: bool) -> None:
    tables = good()
    tables[P].loc[19, "participant_id"] = identifier
    found = broken_rules(STUDY, checked(STUDY, {P: tables[P]}), TODAY, ())
    assert [(f.rule, f.rows) for f in found] == ([] if opaque else [("identifier_not_opaque", (21,))])


def test_rows_at_all_their_limits_are_no_finding_through_the_whole_gate(tmp_path: Path) -> None:
    tables = good()
    for way in (
        put(P, "age", "16", 0), put(P, "age", "100", 1), put(S, "hours", "8", 4), put(X, "exit_date", "2023-01-31", 0),
        put(X, "recorded_on", "2023-01-31", 0), put(P, "referral_date", "2022-01-01", 0), put(P, "intake_date", "2022-02-17", 2),
        put(P, "outcome_follow_up_end", "2023-01-31", 3), put(O, "outcome_date", "2022-12-29", 2),
        put(S, "session_date", "2022-03-08", 4), put(S, "recorded_on", "2022-03-08", 4), again(M, 2, instrument="interview"),
    ):  # fmt: skip
        way(tables)
    assert str(validate(study_of(tmp_path, tables), today=TODAY)) == "No problem found."


def test_what_is_known_at_a_cut() -> None:
    """Dated and entered up to the cut; what has not come yet today may be a slip of the pen, and counts as known."""
    tables = good()
    days = ["2022-09-30", "2022-10-01", "2023-01-31", "2023-02-01"]
    tables[M].loc[:3, "measure_date"] = days
    tables[M]["recorded_on"] = ""
    tables[M].loc[4:7, "recorded_on"] = days
    tables[S]["recorded_on"] = ""
    frames = checked(STUDY, {P: tables[P].assign(recorded_on=""), S: tables[S], M: tables[M]})
    known = known_at(frames, STUDY, pd.Timestamp("2022-09-30").date(), TODAY)
    assert [row for row in frames[M][ROW] if row not in set(known[M][ROW])] == [3, 4, 7, 8]
    assert known[S] is frames[S]
