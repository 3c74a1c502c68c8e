"""From a raw table to ours: the columns we know, of the types we say, each problem counted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from types import NoneType
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from evalkit.errors import ProtocolError, did_you_mean
from evalkit.intake._convert import (
    TEXTS,
    TYPES,
    YES,
    Broken,
    Reading,
    as_array,
    as_text,
    check_date_format,
    convert,
)
from evalkit.intake._findings import Finding, finding
from evalkit.intake._raw import RawTable
from evalkit.intake._spec import ColumnSpec, TableSpec
from evalkit.protocol import Table

# What looks like a name of a column may be shown; anything else in a header may be somebody's value.
PLAIN_NAME = re.compile(r"[^\W\d][\w .()/-]{0,60}")

_MIDNIGHT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]00:00(?::00(?:[.]0+)?)?(?:Z|[+]00(?::?00)?)")

OUTER_BLANKS = "has blanks around it, which are not read"
ROW = "_row"
"""Column of our tables that holds the raw row number."""

SWAPPED = (
    "days that are typed are all up to the 12th and those in text all after it: a spreadsheet took days for months "
    "where it could; export the column anew, as text or as typed days only"
)
_FEW_DAYS = 5  # fewer may lie so by chance: of these hardly one column in a thousand

MIDNIGHT = (
    "every time is midnight in UTC, which is another day in the study's time_zone: "
    "if these are days, hand over days, or say time_zone: UTC"
)


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A table in our columns and types."""

    data: pa.Table  # every column of the specification, and the row number
    absent: tuple[str, ...]  # optional columns that the raw table does not have
    synthetic: bool  # whether the raw table says so
    findings: tuple[Finding, ...]  # what could not be read


def check_mapping(spec: TableSpec, table: Table) -> None:
    """Refuse a mapping that names columns we do not know: a `ProtocolError` that names the key."""
    known: dict[str, tuple[Iterable[str], tuple[str, ...]]] = {
        "columns": (table.columns, (*spec.names, "synthetic")),
        "values": (table.values, spec.names),
        "date_formats": (table.date_formats, (*spec.dates, *(c for c in table.columns if _born(table, c)))),
    }
    for key, (names, allowed) in known.items():
        for name in names:
            if name not in allowed:
                what = "date columns" if key == "date_formats" else "columns"
                near = did_you_mean(name, allowed)
                msg = f"tables.{spec.name}.{key}: '{name}' is not one of our {what}{near}"
                raise ProtocolError(msg)
    for name in table.columns:
        _check_made(spec, table, name)
    for name, form in table.date_formats.items():
        check_date_format(form, f"tables.{spec.name}.date_formats.{name}")
    if table.date_format is not None:
        check_date_format(table.date_format, f"tables.{spec.name}.date_format")


def _born(table: Table, name: str) -> bool:
    made = table.made_from(name)
    return made is not None and made.years_to is not None


def _check_made(spec: TableSpec, table: Table, name: str) -> None:
    """Refuse a way of making a column that its kind does not have."""
    made = table.made_from(name)
    if made is None or (made.divide is None and made.years_to is None):
        return
    where, kinds = f"tables.{spec.name}.columns.{name}", {column.name: column.kind for column in spec.columns}
    if kinds.get(name) != "number":
        msg = f"{where}: only a column of numbers can be made so, and '{name}' is none"
        raise ProtocolError(msg)
    if made.years_to is not None and made.years_to not in spec.dates:
        near = did_you_mean(made.years_to, spec.dates)
        msg = f"{where}.years_to: '{made.years_to}' is not one of our date columns{near}"
        raise ProtocolError(msg)


def missing_columns(spec: TableSpec, table: Table, raw_names: Iterable[str]) -> list[Finding]:
    """Return a finding per column that ought to be among the raw names and is not."""
    names = list(raw_names)
    alike = {_letters(name): name for name in names}
    required = [table.raw_name(c.name) for c in spec.columns if c.required]
    if not set(required) & set(names) and not set(map(_letters, required)) & set(alike):
        # No suggestion: what looks like names may be somebody's values.
        text = f"none of the columns {', '.join(required)} is there: is the first line the header?"
        return [Finding(spec.name, "", "missing_column", "error", 0, (), text)]
    found = []
    for column in spec.columns:
        raw = table.raw_name(column.name)
        other = alike.get(_letters(raw))
        # A column that may be absent is not absent where it stands in another spelling: nobody would miss its values.
        if raw in names or not (column.required or column.name in table.columns or other):
            continue
        near = (
            f"; did you mean '{other}'?"
            if other and PLAIN_NAME.fullmatch(other)
            else did_you_mean(raw, (n for n in names if PLAIN_NAME.fullmatch(n)))
        )
        text = f"column '{raw}' is missing{near}"
        found.append(Finding(spec.name, column.name, "missing_column", "error", 0, (), text))
    return found


def _letters(name: str) -> str:
    """Return a column's name as a reader may take it for another: without letter case, blanks, signs between words."""
    return re.sub(r"[\W_]+", "", name).casefold()


def read_table(spec: TableSpec, table: Table, raw: RawTable, zone: ZoneInfo) -> ReadTable:
    """Read a raw table's columns; ``zone`` is where the day of a time with a zone is taken."""
    findings = missing_columns(spec, table, raw.columns)
    arrays: dict[str, pa.Array] = {ROW: pa.array(raw.rows, pa.int64())}
    absent = []
    for column in spec.columns:
        name, made = table.raw_name(column.name), table.made_from(column.name)
        if name not in raw.columns:
            absent.append(column.name)
            arrays[column.name] = pa.nulls(len(raw.rows), TYPES[column.kind])
            continue
        read = replace(column, kind="date") if made is not None and made.years_to is not None else column
        how = _reading(read, table, raw, zone)
        arrays[column.name], problem = _column(spec, read, how, raw, name)
        findings += problem
        if made is not None and made.divide is not None:
            arrays[column.name] = pc.divide(arrays[column.name], made.divide)
    for column in spec.columns:  # when all days are there
        made = table.made_from(column.name)
        if made is not None and made.years_to is not None and column.name not in absent:
            arrays[column.name] = _years(arrays[column.name], arrays[made.years_to], table.form_of(column.name))
    flag = raw.columns.get(table.raw_name("synthetic"), [])
    return ReadTable(pa.table(arrays), tuple(absent), any(map(_true, flag)), tuple(findings))


def _years(born: pa.Array, until: pa.Array, form: str | None) -> pa.Array:
    """Return how many birthdays somebody has had; who is born on 29 February has the other years' on 1 March.

    Of a year in two digits Python takes 65 for 2065. Nobody is born after the day, so it is the century before.
    """

    def day(dates: pa.Array) -> pa.Array:
        return pc.add(pc.multiply(pc.month(dates), 100), pc.day(dates))

    early = pc.cast(pc.less(day(until), day(born)), pa.int64())
    years = pc.cast(pc.subtract(pc.subtract(pc.year(until), pc.year(born)), early), pa.float64())
    return pc.if_else(pc.less(years, 0), pc.add(years, 100.0), years) if "%y" in (form or "") else years


def _reading(column: ColumnSpec, table: Table, raw: RawTable, zone: ZoneInfo) -> Reading:
    form = table.form_of(column.name)
    named = frozenset(column.allowed or ())
    return Reading(column.kind, table.values.get(column.name, {}), zone, form, raw.epoch, named)


def _column(
    spec: TableSpec, column: ColumnSpec, how: Reading, raw: RawTable, name: str
) -> tuple[pa.Array, list[Finding]]:
    cells = raw.columns[name]
    array, unreadable = as_array(cells, how)
    found = []
    for broken, rule in ((Broken.UNCALCULATED, "uncalculated_formula"), (Broken.ERROR, "formula_error")):
        if rows := [raw.rows[position] for position in unreadable if cells[position] is broken]:
            text = (
                f"{len(rows)} cell(s) of column '{name}' on sheet '{raw.sheet}': {broken.value}; mend, save, send again"
            )
            found.append(finding(spec.name, column.name, rule, "error", rows, text))
    if rows := [raw.rows[position] for position in unreadable if not isinstance(cells[position], Broken)]:
        text = TEXTS[column.kind]
        if column.kind == "date":
            text += f" in the form {how.date_format or 'YYYY-MM-DD'}, from 1900 to 2199"
        found.append(finding(spec.name, column.name, f"unreadable_{column.kind}", "error", rows, text))
    if column.name == spec.event_date and raw.footer:
        found += _footer(spec, how, raw, name)
    if column.kind == "date" and (rows := _swapped(cells, array, raw.rows)):
        found.append(finding(spec.name, column.name, "swapped_days", "error", rows, SWAPPED))
    if column.kind == "date" and _midnights(cells, how.zone):
        found.append(Finding(spec.name, column.name, "midnight_in_utc", "warning", 0, (), MIDNIGHT))
    return array, [*found, *_blanks(spec.name, column, raw, name)]


def _footer(spec: TableSpec, how: Reading, raw: RawTable, name: str) -> list[Finding]:
    """Find rows in the footer that are rows of the table: one day the provider leaves the totals away."""
    column, footer = raw.columns[name], raw.footer[name]
    days, _ = convert(footer, how)
    if not any(isinstance(cell, int | float) for cell in column):
        # Below typed days a number of rows can be read as a day, too: of a time long before the table's first.
        first = min((day for day in convert(column, how)[0] if day is not None), default=date.min)
        typed = [not isinstance(cell, int | float) for cell in footer]
        said = zip(days, typed, strict=True)
        days = [day if day is not None and (own or day >= first) else None for day, own in said]
    rows = [raw.footer_rows[position] for position, day in enumerate(days) if day is not None]
    text = "skip_footer leaves out rows that hold a day; say how many lines of the file's end are no part of the table"
    return [finding(spec.name, spec.event_date, "row_in_footer", "error", rows, text)] if rows else []


def _swapped(cells: list[object], days: pa.Array, numbers: list[int]) -> list[int]:
    """Return the rows whose day a spreadsheet took for a month: what it could not read so is left as text."""
    if not {str} < set(map(type, cells)) - {NoneType}:
        return []
    read = [(n, type(cell), day.day) for n, cell, day in zip(numbers, cells, days.to_pylist(), strict=True) if day]
    typed = [(n, day) for n, kind, day in read if issubclass(kind, date)]
    texts = [day for _, kind, day in read if kind is str]
    certain = min(len(typed), len(texts)) >= _FEW_DAYS and max(d for _, d in typed) <= 12 < min(texts)
    return [n for n, _ in typed] if certain else []


def _midnights(cells: list[object], zone: ZoneInfo) -> bool:
    """Say whether all times of a column are midnight in UTC and count on another day: most likely they are days."""
    first = next((cell for cell in cells if cell is not None and cell != ""), None)
    if first is None or not _midnight(first, zone):  # so it is nearly everywhere
        return False
    return all(_midnight(cell, zone) for cell in cells if cell is not None and cell != "")


def _midnight(cell: object, zone: ZoneInfo) -> bool:
    if isinstance(cell, str):
        cell = datetime.fromisoformat(cell.strip()) if _MIDNIGHT.fullmatch(cell.strip()) else None
    if not isinstance(cell, datetime) or cell.utcoffset() is None:
        return False
    there = cell.astimezone(UTC)
    return there.time() == time() and there.astimezone(zone).date() != there.date()


def _blanks(where: str, column: ColumnSpec, raw: RawTable, name: str) -> list[Finding]:
    """Warn of blanks around values of a list: they are not read, and tell of an export that is not as it was."""
    if column.allowed is None:
        return []
    held = {v for v in set(raw.columns[name]) if isinstance(v, str)}
    padded = {v for v in held if v.strip() and v != v.strip()}
    rows = [number for number, v in zip(raw.rows, raw.columns[name], strict=True) if v in padded] if padded else []
    return [finding(where, column.name, "outer_blanks", "warning", rows, OUTER_BLANKS)] if rows else []


def _true(value: object) -> bool:
    if isinstance(value, str | bool | int | float):
        text = (as_text(value) or "no").lower()
        return text in YES
    return False
