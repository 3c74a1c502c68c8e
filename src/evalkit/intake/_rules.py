"""The study's rules about raw tables: each one a name, a severity, a sentence, and which rows break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pandas as pd

from evalkit.intake._findings import Severity
from evalkit.intake._spec import ColumnSpec, TableSpec
from evalkit.protocol import Study

Frame = pd.DataFrame

LONG_SESSION_HOURS = 8
_NOT_OPAQUE = r"@|\s|^\d{3}-\d{2}-\d{4}$|^\(?\d{3}\)?[-.]\d{3}[-.]\d{4}$"


@dataclass(frozen=True)
class Rule:
    """One rule about a table's rows.

    Attributes
    ----------
    column : str
        The column it is about; empty for several.
    name : str
        Stable short name.
    severity : {"error", "warning"}
    text : str
        What a row that breaks it is like, in words.
    broken : callable
        Frame (a table's standing rows with the helper columns of `evalkit.intake._validate`) in, one flag per
        row out.
    """

    column: str
    name: str
    severity: Severity
    text: str
    broken: Callable[[Frame], pd.Series[bool]]


def _after(first: str, second: str) -> Callable[[Frame], pd.Series[bool]]:
    """Flag rows whose first day is after the second; a missing day breaks nothing."""
    return lambda frame: frame[first] > frame[second]


def _doubled(columns: list[str]) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame.duplicated(columns, keep="first") & frame[columns[0]].notna()


def _later_than(column: str, day: date) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame[column] > pd.Timestamp(day)


def _outside(column: ColumnSpec) -> Callable[[Frame], pd.Series[bool]]:
    low = float("-inf") if column.minimum is None else column.minimum
    high = float("inf") if column.maximum is None else column.maximum
    return lambda frame: frame[column.name].notna() & ~frame[column.name].between(low, high)


def _not_in(column: str, allowed: tuple[str, ...]) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame[column].notna() & ~frame[column].isin(allowed)


def _empty(column: str) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame[column].isna()


def column_rules(spec: TableSpec, today: date) -> list[Rule]:
    """Return the rules that follow from a table's columns.

    Parameters
    ----------
    spec : TableSpec
    today : datetime.date
        Later days have not happened yet.

    Returns
    -------
    list of Rule
    """
    rules = []
    for column in spec.columns:
        name = column.name
        if column.filled:
            rules.append(Rule(name, "missing_value", "error", "is empty", _empty(name)))
        if column.allowed is not None:
            text = f"is none of the {len(column.allowed)} allowed values"
            rules.append(Rule(name, "not_allowed", "error", text, _not_in(name, column.allowed)))
        if column.minimum is not None or column.maximum is not None:
            rule = "impossible_hours" if name == "hours" else "out_of_range"
            rules.append(Rule(name, rule, "error", _range_text(column), _outside(column)))
        if column.kind == "date" and name != "retracted_on":
            severity: Severity = "warning" if name == "outcome_follow_up_end" else "error"
            text = "is a day that has not come yet"
            rules.append(Rule(name, "future_date", severity, text, _later_than(name, today)))
    rules += _entry_rules(spec)
    return rules


def _range_text(column: ColumnSpec) -> str:
    low = "" if column.minimum is None else f" {column.minimum:g} or more"
    high = "" if column.maximum is None else f" {column.maximum:g} or less"
    return f"is not{low}{' and' if low and high else ''}{high}"


def _entry_rules(spec: TableSpec) -> list[Rule]:
    opaque = "looks like a name, an address or a number of a person, and must be opaque"
    return [
        Rule(
            "participant_id",
            "identifier_not_opaque",
            "warning",
            opaque,
            lambda frame: frame["participant_id"].str.contains(_NOT_OPAQUE, na=False).astype(bool),
        ),
        Rule(
            "recorded_on",
            "recorded_before_event",
            "warning",
            f"is before {spec.event_date}",
            _after(spec.event_date, "recorded_on"),
        ),
        Rule(
            "retracted_on",
            "retracted_before_recorded",
            "error",
            "is before recorded_on",
            _after("recorded_on", "retracted_on"),
        ),
    ]


def _participants(study: Study) -> list[Rule]:
    start = pd.Timestamp(study.starts)
    return [
        Rule(
            "",
            "duplicate_key",
            "error",
            "repeats a participant_id and referral_date of a row that stands",
            _doubled(["participant_id", "referral_date"]),
        ),
        Rule(
            "intake_date",
            "intake_before_referral",
            "error",
            "is before referral_date",
            _after("referral_date", "intake_date"),
        ),
        Rule(
            "intake_date",
            "intake_after_next_referral",
            "warning",
            "is on or after the participant's next referral",
            lambda frame: frame["intake_date"] >= frame["_next_referral"],
        ),
        Rule(
            "referral_date",
            "referral_before_study",
            "warning",
            "is before the study's first day, so the row is not analysed",
            lambda frame: frame["referral_date"] < start,
        ),
        Rule(
            "referral_date",
            "referral_after_death",
            "error",
            "is after the participant's recorded death",
            _after("referral_date", "_death"),
        ),
        Rule(
            "outcome_follow_up_end",
            "follow_up_before_intake",
            "warning",
            "is before intake_date, so the row is not followed for harm",
            _after("intake_date", "outcome_follow_up_end"),
        ),
        Rule(
            "outcome_follow_up_end",
            "follow_up_unknown",
            "warning",
            "is empty though there is an intake: outcomes count as searched up to the cut",
            lambda frame: frame["outcome_follow_up_end"].isna() & frame["intake_date"].notna(),
        ),
    ]


def _events(spec: TableSpec) -> list[Rule]:
    """Rules of every table whose rows belong to a participant."""
    day = spec.event_date
    rules = [
        Rule(
            "participant_id",
            "unknown_participant",
            "error",
            "is not in participants",
            lambda frame: frame["participant_id"].notna() & ~frame["_known"].astype(bool),
        ),
    ]
    if spec.name == "outcomes":
        return rules
    severity: Severity = "warning" if spec.name == "measures" else "error"
    text = "is before the participant's first referral, so the row belongs to no episode"
    rules.append(Rule(day, "before_referral", severity, text, _after("_first_referral", day)))
    rules.append(Rule(day, "after_death", "error", "is after the participant's recorded death", _after(day, "_death")))
    return rules


def _sessions() -> list[Rule]:
    same = ["participant_id", "session_date", "kind"]
    whole = [*same, "status", "hours"]

    def attended(frame: Frame) -> pd.Series[bool]:
        return frame["status"].eq("attended")

    return [
        Rule("", "duplicate_row", "error", "repeats another row that stands", _doubled(whole)),
        Rule(
            "",
            "same_day_session",
            "warning",
            "is a second session of that kind on one day",
            lambda frame: frame.duplicated(same) & ~frame.duplicated(whole),
        ),
        Rule(
            "session_date",
            "session_before_intake",
            "warning",
            "is an attended session before its episode's intake_date",
            lambda frame: attended(frame) & (frame["session_date"] < frame["_intake"]),
        ),
        Rule(
            "session_date",
            "session_without_intake",
            "warning",
            "is an attended session of an episode without intake_date",
            lambda frame: attended(frame) & frame["_referral"].notna() & frame["_intake"].isna(),
        ),
        Rule(
            "session_date",
            "session_after_exit",
            "warning",
            "is an attended session after an exit of its episode",
            lambda frame: attended(frame) & (frame["session_date"] > frame["_exit"]),
        ),
        Rule(
            "hours",
            "hours_unknown",
            "warning",
            "is empty or 0 though the session was attended: it adds nothing to the dose",
            lambda frame: attended(frame) & ~(frame["hours"] != 0).where(frame["hours"].notna(), other=False),
        ),
        Rule(
            "hours",
            "unusual_hours",
            "warning",
            f"is more than {LONG_SESSION_HOURS}",
            lambda frame: frame["hours"].between(LONG_SESSION_HOURS, 24, inclusive="right"),
        ),
    ]


def _exits() -> list[Rule]:
    episode = ["participant_id", "_referral"]
    whole = ["participant_id", "exit_date", "reason"]
    return [
        Rule("", "duplicate_row", "warning", "repeats another row that stands", _doubled(whole)),
        Rule(
            "",
            "several_exits",
            "warning",
            "is a further exit of one episode; the first one counts",
            lambda frame: frame.duplicated(episode) & frame["_referral"].notna() & ~frame.duplicated(whole),
        ),
    ]


def _outcomes() -> list[Rule]:
    whole = ["participant_id", "outcome_date", "kind", "source"]
    return [
        Rule("", "duplicate_row", "warning", "repeats another row that stands", _doubled(whole)),
        Rule(
            "outcome_date",
            "outcome_after_follow_up",
            "warning",
            "is after the participant's outcome_follow_up_end, so it never counts",
            _after("outcome_date", "_follow_up"),
        ),
    ]


def _measures() -> list[Rule]:
    same = ["participant_id", "measure_date", "instrument"]
    text = "is a second score of one instrument on one day"
    return [Rule("", "duplicate_row", "warning", text, _doubled(same))]


def rules_of(study: Study, spec: TableSpec, today: date) -> list[Rule]:
    """Return every rule about a table's rows.

    Parameters
    ----------
    study : Study
    spec : TableSpec
    today : datetime.date

    Returns
    -------
    list of Rule
    """
    rules = column_rules(spec, today)
    if spec.name == "participants":
        return rules + _participants(study)
    own = {"sessions": _sessions, "exits": _exits, "outcomes": _outcomes, "measures": _measures}
    return rules + _events(spec) + own[spec.name]()
