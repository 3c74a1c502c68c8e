"""The study's rules about raw tables: each one a name, a severity, a sentence, and which rows break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pandas as pd

from evalkit.intake._codes import spelt_alike
from evalkit.intake._findings import Severity
from evalkit.intake._spec import ColumnSpec, TableSpec

Frame = pd.DataFrame
_SHOWN = 20  # a list of all of a state's sites would hide what is wrong

# An address of mail, words, a social security number, a telephone number of the United States.
_NOT_OPAQUE = r"@|\s|^\d{3}-\d{2}-\d{4}$|^\(?\d{3}\)?[-.]\d{3}[-.]\d{4}$"


@dataclass(frozen=True)
class Rule:
    """One rule about a table's rows."""

    column: str  # empty for several
    name: str  # stable from version to version: excuses and tests name it
    severity: Severity
    text: str  # what a row that breaks it is like, in words
    # A table's standing rows, with the helper columns of `_validate`, in; one flag per row out.
    broken: Callable[[Frame], pd.Series[bool]]


def after(first: str, second: str) -> Callable[[Frame], pd.Series[bool]]:
    """Return what flags rows whose first day is after the second; a missing day breaks nothing."""
    return lambda frame: frame[first] > frame[second]


def doubled(columns: list[str]) -> Callable[[Frame], pd.Series[bool]]:
    """Return what flags rows that repeat an earlier one in these columns, of which the first must have a value."""
    return lambda frame: frame.duplicated(columns, keep="first") & frame[columns[0]].notna()


def _later_than(column: str, day: date) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame[column] > pd.Timestamp(day)


def _outside(column: ColumnSpec) -> Callable[[Frame], pd.Series[bool]]:
    low = float("-inf") if column.minimum is None else column.minimum
    high = float("inf") if column.maximum is None else column.maximum
    return lambda frame: frame[column.name].notna() & ~frame[column.name].between(low, high)


def _not_in(column: str, allowed: tuple[str, ...]) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame[column].notna() & ~frame[column].isin(allowed)


def _alike(column: str) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame[column].isin(spelt_alike(frame[column]))


def _empty(column: str) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame[column].isna()


def _not_opaque(frame: Frame) -> pd.Series[bool]:
    names = pd.Series(frame["participant_id"].unique(), dtype=object)  # a person has many rows
    return frame["participant_id"].isin(names[names.str.contains(_NOT_OPAQUE, na=False).astype(bool)])


def column_rules(spec: TableSpec, today: date) -> list[Rule]:
    """Return the rules that follow from a table's columns; days later than ``today`` have not happened yet."""
    rules = []
    for column in spec.columns:
        name = column.name
        if column.filled:
            rules.append(Rule(name, "missing_value", "error", "is empty", _empty(name)))
        severe: Severity = "error" if column.counted else "warning"
        if column.allowed is not None:
            text = f"is none of the values that the protocol names: {_listed(column.allowed)}"
            rules.append(Rule(name, "not_allowed", severe, text, _not_in(name, column.allowed)))
        elif column.kind == "text":
            text = "is a value of other rows in another spelling (letter case, blanks, characters that are not seen)"
            rules.append(Rule(name, "spelt_alike", severe, text, _alike(name)))
        if column.minimum is not None or column.maximum is not None:
            rule = "impossible_hours" if name == "hours" else "out_of_range"
            rules.append(Rule(name, rule, "error", _range_text(column), _outside(column)))
        if column.kind == "date" and name != "retracted_on":
            # An end of follow-up that lies ahead changes no number: the cut ends it first.
            severity: Severity = "warning" if name in ("outcome_follow_up_end", "searched_to") else "error"
            text = "is a day that has not come yet"
            rules.append(Rule(name, "future_date", severity, text, _later_than(name, today)))
    rules += _entry_rules(spec)
    return rules


def _listed(values: tuple[str, ...]) -> str:
    """List the protocol's own values: they are no participant's."""
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(values[:_SHOWN]) + more


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
            _not_opaque,
        ),
        Rule(
            "recorded_on",
            "recorded_before_event",
            "warning",
            f"is before {spec.event_date}",
            after(spec.event_date, "recorded_on"),
        ),
        Rule(
            "retracted_on",
            "retracted_before_recorded",
            "error",
            "is before recorded_on",
            after("recorded_on", "retracted_on"),
        ),
    ]
