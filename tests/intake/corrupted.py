"""A good study, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from evalkit.protocol import Study

TODAY = date(2023, 1, 31)
Frames = dict[str, pd.DataFrame]

ARMS = {
    "column": "pathway",
    "focus": {"value": "non_mandated", "label": "Pilot"},
    "comparison": {"value": "paip", "label": "PAIP"},
}
COVARIATES = [
    {"name": "age", "label": "Age", "minimum": 16, "maximum": 100},
    {"name": "gender", "label": "Gender", "kind": "categorical", "levels": ["man", "woman", "another"]},
    {"name": "employment", "label": "Employed", "kind": "yes_no"},
]


def good() -> Frames:
    """Tables without a fault; every value is a word that no message of ours uses."""
    ids = [f"ZQX{n:04d}" for n in range(7001, 7021)]
    days = pd.date_range("2022-02-03", periods=20, freq="7D")
    participants = pd.DataFrame(
        {
            "participant_id": ids,
            "pathway": ["non_mandated", "paip"] * 10,
            "referral_date": days.strftime("%Y-%m-%d"),
            "referral_source": "community_outreach",
            "intake_date": (days + pd.Timedelta(days=5)).strftime("%Y-%m-%d"),
            "site": "southside",
            "community_area": "Englewood",
            "age": [str(23 + n) for n in range(20)],
            "gender": "man",
            "employment": ["yes", "no"] * 10,
            "outcome_follow_up_end": "2022-12-29",
        }
    )
    at = (days + pd.Timedelta(days=12)).strftime("%Y-%m-%d")
    sessions = pd.DataFrame(
        {"participant_id": ids, "session_date": at, "kind": "group", "status": "attended", "hours": "1.75"}
    )
    exits = pd.DataFrame(
        {
            "participant_id": ids[:6],
            "exit_date": (days[:6] + pd.Timedelta(days=60)).strftime("%Y-%m-%d"),
            "reason": ["completed", "dropped_out", "terminated", "transferred", "moved", "administrative"],
        }
    )
    outcomes = pd.DataFrame(
        {
            "participant_id": ids[3:8],
            "outcome_date": (days[3:8] + pd.Timedelta(days=90)).strftime("%Y-%m-%d"),
            "kind": "dv_arrest",
            "source": "police_department",
        }
    )
    measures = pd.DataFrame(
        {"participant_id": ids, "measure_date": at, "instrument": "questionnaire", "score": "13.25"}
    )
    tables = {
        "participants": participants,
        "sessions": sessions,
        "exits": exits,
        "outcomes": outcomes,
        "measures": measures,
    }
    for frame in tables.values():
        frame["recorded_on"] = "2022-12-30"
        frame["retracted_on"] = ""
    return tables


def study_of(folder: Path, tables: Frames, /, **changes: object) -> Study:
    """Write tables as CSV files and return a study of them."""
    content: dict[str, object] = {
        "id": "corrupted",
        "title": "A study",
        "starts": "2022-01-01",
        "arms": ARMS,
        "covariates": COVARIATES,
        "sites": ["southside", "westside"],
        "community_areas": ["Englewood", "Chicago Lawn"],
        "referral_sources": ["community_outreach", "court"],
        "tables": {name: {"path": f"{name}.csv"} for name in tables},
    }
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    content["harm"] = {"origin": "intake"}
    content.update(changes)
    return Study.model_validate(content).with_path(folder / "study.yaml")


@dataclass(frozen=True)
class Spoiled:
    """One way to spoil tables, and the finding it must lead to."""

    name: str
    rule: str
    place: str
    severity: str
    n_rows: int
    rows: tuple[int, ...]
    spoil: Callable[[Frames], object]
    also: tuple[tuple[str, str, str, int, tuple[int, ...]], ...] = ()
    """What else follows from it: rule, place, severity, number of rows, first rows."""


def put(table: str, column: str, value: object, *rows: int) -> Callable[[Frames], object]:
    """Set cells (rows count from 0)."""

    def spoil(tables: Frames) -> None:
        tables[table].loc[list(rows), column] = value

    return spoil


def again(table: str, row: int, **changes: object) -> Callable[[Frames], object]:
    """Append a copy of a row, changed."""

    def spoil(tables: Frames) -> None:
        copy = tables[table].loc[[row]].assign(**changes)
        tables[table] = pd.concat([tables[table], copy], ignore_index=True)

    return spoil


def without(table: str, column: str) -> Callable[[Frames], object]:
    def spoil(tables: Frames) -> None:
        tables[table] = tables[table].drop(columns=column)

    return spoil


def renamed(table: str, old: str, new: str) -> Callable[[Frames], object]:
    def spoil(tables: Frames) -> None:
        tables[table] = tables[table].rename(columns={old: new})

    return spoil


def emptied(table: str) -> Callable[[Frames], object]:
    def spoil(tables: Frames) -> None:
        tables[table] = tables[table].iloc[:0]

    return spoil


def both(*ways: Callable[[Frames], object]) -> Callable[[Frames], object]:
    def spoil(tables: Frames) -> None:
        for way in ways:
            way(tables)

    return spoil


E_, W_ = "error", "warning"
P, S, X, O, M = "participants", "sessions", "exits", "outcomes", "measures"  # noqa: E741
SPOILED = [
    # -- values that cannot be what their column says
    Spoiled(
        "a day in another order",
        "unreadable_date",
        f"{P}.referral_date",
        E_,
        2,
        (4, 6),
        put(P, "referral_date", "03/17/2022", 2, 4),
    ),
    Spoiled(
        "a day that never was",
        "unreadable_date",
        f"{S}.session_date",
        E_,
        1,
        (5,),
        put(S, "session_date", "2022-02-30", 3),
    ),
    Spoiled(
        "a word for a day", "unreadable_date", f"{X}.exit_date", E_, 1, (2,), put(X, "exit_date", "yesterday-ish", 0)
    ),
    Spoiled(
        "a serial number for a day",
        "unreadable_date",
        f"{O}.outcome_date",
        E_,
        1,
        (3,),
        put(O, "outcome_date", "44713", 1),
    ),
    Spoiled(
        "a day of the year 22",
        "unreadable_date",
        f"{M}.measure_date",
        E_,
        1,
        (2,),
        put(M, "measure_date", "0022-05-03", 0),
    ),
    Spoiled(
        "a day of the year 3022",
        "unreadable_date",
        f"{P}.intake_date",
        E_,
        1,
        (9,),
        put(P, "intake_date", "3022-05-03", 7),
    ),
    Spoiled(
        "a compact day",
        "unreadable_date",
        f"{P}.outcome_follow_up_end",
        E_,
        1,
        (2,),
        put(P, "outcome_follow_up_end", "20221229", 0),
    ),
    Spoiled(
        "a month for a day of entry",
        "unreadable_date",
        f"{S}.recorded_on",
        E_,
        3,
        (2, 3, 4),
        put(S, "recorded_on", "2022-12", 0, 1, 2),
    ),
    Spoiled(
        "a word for a retraction",
        "unreadable_date",
        f"{S}.retracted_on",
        E_,
        1,
        (2,),
        put(S, "retracted_on", "withdrawn-xy", 0),
    ),
    Spoiled("a word for hours", "unreadable_number", f"{S}.hours", E_, 1, (12,), put(S, "hours", "ninety min", 10)),
    Spoiled("a decimal comma", "unreadable_number", f"{S}.hours", E_, 1, (2,), put(S, "hours", "1,75", 0)),
    Spoiled("an age in words", "unreadable_number", f"{P}.age", E_, 1, (3,), put(P, "age", "forty-one", 1)),
    Spoiled("an infinite score", "unreadable_number", f"{M}.score", E_, 1, (2,), put(M, "score", "1e999", 0)),
    Spoiled(
        "neither yes nor no",
        "unreadable_yes_no",
        f"{P}.employment",
        E_,
        2,
        (2, 3),
        put(P, "employment", "part-time-xy", 0, 1),
    ),
    # -- columns and tables
    Spoiled(
        "a column that is not there", "missing_column", f"{P}.referral_date", E_, 0, (), without(P, "referral_date")
    ),
    Spoiled(
        "a misspelt column", "missing_column", f"{S}.session_date", E_, 0, (), renamed(S, "session_date", "sesion_date")
    ),
    Spoiled("a covariate that is not there", "missing_column", f"{P}.age", E_, 0, (), without(P, "age")),
    Spoiled("exits without reasons", "missing_column", f"{X}.reason", E_, 0, (), without(X, "reason")),
    Spoiled("sessions without hours", "missing_column", f"{S}.hours", E_, 0, (), without(S, "hours")),
    Spoiled(
        "outcomes without identifiers", "missing_column", f"{O}.participant_id", E_, 0, (), without(O, "participant_id")
    ),
    Spoiled("nobody", "empty_table", P, E_, 0, (), emptied(P)),
    Spoiled("no session", "empty_table", S, W_, 0, (), emptied(S)),
    Spoiled("no day of entry", "absent_column", f"{S}.recorded_on", W_, 0, (), without(S, "recorded_on")),
    Spoiled(
        "no end of follow-up",
        "absent_column",
        f"{P}.outcome_follow_up_end",
        W_,
        0,
        (),
        without(P, "outcome_follow_up_end"),
        also=(("follow_up_unknown", f"{P}.outcome_follow_up_end", W_, 20, (2, 3, 4, 5, 6)),),
    ),
    Spoiled("a covariate without a value", "empty_column", f"{P}.gender", W_, 0, (), put(P, "gender", "", *range(20))),
    Spoiled(
        "an arm without people",
        "expected_value_absent",
        f"{P}.pathway",
        W_,
        0,
        (),
        put(P, "pathway", "paip", *range(20)),
    ),
    Spoiled(
        "no session of a counting kind",
        "expected_value_absent",
        f"{S}.kind",
        W_,
        0,
        (),
        put(S, "kind", "grp-night", *range(20)),
        also=(("not_allowed", f"{S}.kind", E_, 20, (2, 3, 4, 5, 6)),),
    ),
    Spoiled(
        "no outcome of the kinds named",
        "expected_value_absent",
        f"{O}.kind",
        W_,
        0,
        (),
        put(O, "kind", "DVA-77", *range(5)),
        also=(("not_allowed", f"{O}.kind", E_, 5, (2, 3, 4, 5, 6)),),
    ),
    # -- values missing, or none of those allowed
    Spoiled("no identifier", "missing_value", f"{P}.participant_id", E_, 1, (6,), put(P, "participant_id", "", 4)),
    Spoiled("no day of referral", "missing_value", f"{P}.referral_date", E_, 1, (6,), put(P, "referral_date", "", 4)),
    Spoiled("no arm", "missing_value", f"{P}.pathway", E_, 1, (6,), put(P, "pathway", "", 4)),
    Spoiled("no day of a session", "missing_value", f"{S}.session_date", E_, 1, (6,), put(S, "session_date", "NA", 4)),
    Spoiled("no status", "missing_value", f"{S}.status", E_, 1, (6,), put(S, "status", "", 4)),
    Spoiled("no reason", "missing_value", f"{X}.reason", E_, 1, (6,), put(X, "reason", "", 4)),
    Spoiled("no kind of outcome", "missing_value", f"{O}.kind", E_, 1, (6,), put(O, "kind", "", 4)),
    Spoiled("no instrument", "missing_value", f"{M}.instrument", E_, 1, (6,), put(M, "instrument", "", 4)),
    Spoiled("an arm nobody knows", "not_allowed", f"{P}.pathway", E_, 1, (4,), put(P, "pathway", "voluntary-xy", 2)),
    Spoiled("an arm in capitals", "not_allowed", f"{P}.pathway", E_, 1, (4,), put(P, "pathway", "PAIP", 2)),
    Spoiled("a status nobody knows", "not_allowed", f"{S}.status", E_, 2, (4, 5), put(S, "status", "present-xy", 2, 3)),
    Spoiled("a reason nobody knows", "not_allowed", f"{X}.reason", E_, 1, (4,), put(X, "reason", "jailed-xy", 2)),
    Spoiled("a site nobody knows", "not_allowed", f"{P}.site", E_, 1, (4,), put(P, "site", "northside", 2)),
    Spoiled(
        "a community area nobody knows",
        "not_allowed",
        f"{P}.community_area",
        E_,
        1,
        (4,),
        put(P, "community_area", "Hyde Park", 2),
    ),
    Spoiled(
        "a referral source nobody knows",
        "not_allowed",
        f"{P}.referral_source",
        E_,
        1,
        (4,),
        put(P, "referral_source", "aunt-xy", 2),
    ),
    Spoiled("a level nobody knows", "not_allowed", f"{P}.gender", E_, 1, (4,), put(P, "gender", "M-xy", 2)),
    Spoiled("an age of 7", "out_of_range", f"{P}.age", E_, 1, (4,), put(P, "age", "7.125", 2)),
    Spoiled("an age of 400", "out_of_range", f"{P}.age", E_, 1, (4,), put(P, "age", "417", 2)),
    Spoiled("hours below 0", "impossible_hours", f"{S}.hours", E_, 1, (4,), put(S, "hours", "-1.25", 2)),
    Spoiled("a session of 90 hours", "impossible_hours", f"{S}.hours", E_, 1, (4,), put(S, "hours", "90.5", 2)),
    Spoiled("a session of 12 hours", "unusual_hours", f"{S}.hours", W_, 1, (4,), put(S, "hours", "12.75", 2)),
    Spoiled("attended for no time", "hours_unknown", f"{S}.hours", W_, 1, (4,), put(S, "hours", "0", 2)),
    Spoiled("attended for who knows how long", "hours_unknown", f"{S}.hours", W_, 1, (4,), put(S, "hours", "", 2)),
    Spoiled(
        "a name for an identifier",
        "identifier_not_opaque",
        f"{P}.participant_id",
        W_,
        1,
        (22,),
        again(P, 2, participant_id="Jane Roe-Xy"),
    ),
    Spoiled(
        "an address for an identifier",
        "identifier_not_opaque",
        f"{P}.participant_id",
        W_,
        1,
        (22,),
        again(P, 2, participant_id="roe@example.org"),
    ),
    # -- keys
    Spoiled("a referral twice", "duplicate_key", P, E_, 1, (22,), again(P, 2)),
    Spoiled(
        "a referral twice, corrected without retraction",
        "duplicate_key",
        P,
        E_,
        1,
        (22,),
        again(P, 2, intake_date="2022-02-28"),
    ),
    Spoiled("a session twice", "duplicate_row", S, E_, 1, (22,), again(S, 2)),
    Spoiled("two of a kind on one day", "same_day_session", S, W_, 1, (22,), again(S, 2, status="absent")),
    Spoiled("an exit twice", "duplicate_row", X, W_, 1, (8,), again(X, 2)),
    Spoiled("two exits", "several_exits", X, W_, 1, (8,), again(X, 2, exit_date="2022-04-30")),
    Spoiled("an outcome twice", "duplicate_row", O, W_, 1, (7,), again(O, 2)),
    Spoiled("two scores on one day", "duplicate_row", M, W_, 1, (22,), again(M, 2, score="14.75")),
    Spoiled(
        "a session of nobody",
        "unknown_participant",
        f"{S}.participant_id",
        E_,
        1,
        (4,),
        put(S, "participant_id", "ZQX9999", 2),
    ),
    Spoiled(
        "an exit of nobody",
        "unknown_participant",
        f"{X}.participant_id",
        E_,
        1,
        (4,),
        put(X, "participant_id", "ZQX9999", 2),
    ),
    Spoiled(
        "an outcome of nobody",
        "unknown_participant",
        f"{O}.participant_id",
        E_,
        1,
        (4,),
        put(O, "participant_id", "zqx7006", 2),
    ),
    Spoiled(
        "a measure of nobody",
        "unknown_participant",
        f"{M}.participant_id",
        E_,
        1,
        (4,),
        put(M, "participant_id", "7003", 2),
    ),
    # -- days in order
    Spoiled(
        "intake before referral",
        "intake_before_referral",
        f"{P}.intake_date",
        E_,
        1,
        (4,),
        put(P, "intake_date", "2022-02-16", 2),
    ),
    Spoiled(
        "intake after the next referral",
        "intake_after_next_referral",
        f"{P}.intake_date",
        W_,
        1,
        (4,),
        again(P, 2, referral_date="2022-02-20", intake_date="2022-02-27"),
    ),
    Spoiled(
        "a referral before the study",
        "referral_before_study",
        f"{P}.referral_date",
        W_,
        1,
        (2,),
        put(P, "referral_date", "2021-12-31", 0),
    ),
    Spoiled(
        "a referral to come",
        "future_date",
        f"{P}.referral_date",
        E_,
        1,
        (21,),
        put(P, "referral_date", "2023-02-01", 19),
        also=(
            (
                ("intake_before_referral", f"{P}.intake_date", E_, 1, (21,)),
                ("recorded_before_event", f"{P}.recorded_on", W_, 1, (21,)),
            )
        ),
    ),
    Spoiled(
        "a session to come",
        "future_date",
        f"{S}.session_date",
        E_,
        1,
        (4,),
        put(S, "session_date", "2023-02-01", 2),
        also=(("recorded_before_event", f"{S}.recorded_on", W_, 1, (4,)),),
    ),
    Spoiled(
        "an outcome to come",
        "future_date",
        f"{O}.outcome_date",
        E_,
        1,
        (4,),
        put(O, "outcome_date", "2023-02-01", 2),
        also=(
            ("outcome_after_follow_up", f"{O}.outcome_date", W_, 1, (4,)),
            ("recorded_before_event", f"{O}.recorded_on", W_, 1, (4,)),
        ),
    ),
    Spoiled("an entry to come", "future_date", f"{X}.recorded_on", E_, 1, (4,), put(X, "recorded_on", "2023-02-01", 2)),
    Spoiled(
        "follow-up to come",
        "future_date",
        f"{P}.outcome_follow_up_end",
        W_,
        1,
        (4,),
        put(P, "outcome_follow_up_end", "2023-02-01", 2),
    ),
    Spoiled(
        "follow-up before intake",
        "follow_up_before_intake",
        f"{P}.outcome_follow_up_end",
        W_,
        1,
        (4,),
        put(P, "outcome_follow_up_end", "2022-02-17", 2),
    ),
    Spoiled(
        "follow-up unknown",
        "follow_up_unknown",
        f"{P}.outcome_follow_up_end",
        W_,
        1,
        (4,),
        put(P, "outcome_follow_up_end", "", 2),
    ),
    Spoiled(
        "an outcome after follow-up",
        "outcome_after_follow_up",
        f"{O}.outcome_date",
        W_,
        1,
        (4,),
        put(O, "outcome_date", "2022-12-30", 2),
    ),
    Spoiled(
        "a session before any referral",
        "before_referral",
        f"{S}.session_date",
        E_,
        1,
        (4,),
        put(S, "session_date", "2022-02-16", 2),
    ),
    Spoiled(
        "an exit before any referral",
        "before_referral",
        f"{X}.exit_date",
        E_,
        1,
        (4,),
        put(X, "exit_date", "2022-02-16", 2),
    ),
    Spoiled(
        "a measure before any referral",
        "before_referral",
        f"{M}.measure_date",
        W_,
        1,
        (4,),
        put(M, "measure_date", "2022-02-16", 2),
    ),
    Spoiled(
        "a session before intake",
        "session_before_intake",
        f"{S}.session_date",
        W_,
        1,
        (4,),
        put(S, "session_date", "2022-02-21", 2),
    ),
    Spoiled(
        "a session without intake",
        "session_without_intake",
        f"{S}.session_date",
        W_,
        1,
        (4,),
        put(P, "intake_date", "", 2),
    ),
    Spoiled(
        "a session after the exit",
        "session_after_exit",
        f"{S}.session_date",
        W_,
        1,
        (4,),
        put(S, "session_date", "2022-05-01", 2),
    ),
    Spoiled(
        "a session after death",
        "after_death",
        f"{S}.session_date",
        E_,
        1,
        (4,),
        both(put(X, "reason", "deceased", 2), put(S, "session_date", "2022-05-01", 2)),
        also=(("session_after_exit", f"{S}.session_date", W_, 1, (4,)),),
    ),
    Spoiled(
        "a measure after death",
        "after_death",
        f"{M}.measure_date",
        E_,
        1,
        (4,),
        both(put(X, "reason", "deceased", 2), put(M, "measure_date", "2022-05-01", 2)),
    ),
    Spoiled(
        "a referral after death",
        "referral_after_death",
        f"{P}.referral_date",
        E_,
        1,
        (22,),
        both(put(X, "reason", "deceased", 2), again(P, 2, referral_date="2022-06-01", intake_date="2022-06-02")),
    ),
    Spoiled(
        "entered before it happened",
        "recorded_before_event",
        f"{S}.recorded_on",
        W_,
        1,
        (4,),
        put(S, "recorded_on", "2022-02-28", 2),
    ),
    Spoiled(
        "withdrawn before it was entered",
        "retracted_before_recorded",
        f"{S}.retracted_on",
        E_,
        1,
        (4,),
        put(S, "retracted_on", "2022-12-29", 2),
    ),
]
