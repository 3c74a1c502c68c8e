"""From raw tables to ours: the columns we know, of the types we say, each problem counted.

Several files and sheets may make one table: which they are, what is said of each, and their rows put together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from glob import has_magic
from pathlib import Path
from types import NoneType
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from evalkit.errors import DataError, ProtocolError, did_you_mean
from evalkit.intake._findings import SHOWN_ROWS, Finding, finding
from evalkit.intake._raw import (
    TEXTS,
    TYPES,
    YES,
    Broken,
    RawTable,
    Reading,
    as_array,
    as_text,
    check_date_format,
    convert,
)
from evalkit.intake._spec import ColumnSpec, TableSpec
from evalkit.intake._workbook import BOOKS, sheet_names
from evalkit.protocol import Study, Table

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


PART = 1 << 32
"""Row numbers of a table's second file or sheet begin here, those of its third at twice of it: no sheet is longer."""


@dataclass(frozen=True, slots=True)
class TablePart:
    """One file or sheet of a table."""

    path: Path
    table: Table  # what the protocol says of this part alone
    label: str  # how messages name it, where there are several


def parts_of(study: Study, name: str) -> list[TablePart]:
    """Return the files and sheets that make a table, in the protocol's order, those of a pattern by name.

    A `DataError` where the protocol names no file, a pattern has none, a sheet is not there, or lines are to be skipped
    in a part that there is not.
    """
    table = study.tables[name]  # type: ignore[index]
    if not table.paths:
        msg = f"{name}: the protocol says neither a path nor a database"
        raise DataError(msg)
    files = [file for text in table.paths for file in _files(study, text, name)]
    doubled = next((f for place, f in enumerate(files) if f in files[:place]), None)
    if doubled is not None:
        msg = f"{name}: its path names file {doubled.name} twice; each of its rows would count twice"
        raise DataError(msg)
    pairs = [(file, sheet) for file in files for sheet in _sheets(file, table, name, alone=len(files) == 1)]
    unmet = [sheet for sheet in table.sheets if sheet not in {found for _, found in pairs}]
    if unmet:
        msg = f"{name}: none of its files has a sheet '{unmet[0]}'"
        raise DataError(msg)
    _check_skipped(table, pairs, name)
    return [_part(table, file, sheet) for file, sheet in pairs]


def _files(study: Study, text: str, name: str) -> list[Path]:
    try:
        place = study.folder / text
        if not has_magic(text) or place.exists():
            return [_resolved(place, name)]
        found = files_like(place)
    except (OSError, ValueError):  # a name that none can have
        found = []
    if not found:
        where = " (only the file's own name can be a pattern)" if has_magic(str(Path(text).parent)) else ""
        msg = f"{name}: no file is like {place}{where}"
        raise DataError(msg)
    return [_resolved(file, name) for file in found]


def files_like(pattern: Path) -> list[Path]:
    """Return the files that a pattern names, by name.

    Parameters
    ----------
    pattern : pathlib.Path
        Whose last part is one.

    Returns
    -------
    list of pathlib.Path
        Without what Excel and editors leave beside a file that is open.
    """
    return [file for file in sorted(pattern.parent.glob(pattern.name)) if not file.name.startswith(("~$", "."))]


def _resolved(place: Path, name: str) -> Path:
    try:
        path = place.resolve()
        nowhere = path.is_symlink()  # links in a circle: Python 3.13 leaves them as they are
    except (OSError, RuntimeError, ValueError):  # up to 3.12 it refuses them; a name that none can have
        nowhere = True
    if nowhere:
        msg = f"{name}: its path leads to no file; say the file itself"
        raise DataError(msg)
    return path


def _sheets(file: Path, table: Table, name: str, *, alone: bool) -> list[str]:
    """Return the sheets that are read of a file; one without a name where the protocol names none."""
    if not table.sheets:
        return [table.table or ""]
    if file.suffix.lower() not in BOOKS:
        msg = f"{name}: file {file.name} has no sheets; leave sheet out"
        raise DataError(msg)
    if alone and len(table.sheets) == 1:
        return list(table.sheets)  # the reader says what is wrong with it
    if not file.is_file():
        return list(table.sheets)  # the reader says that it is not there
    known = sheet_names(file, f"{name}: file {file.name}")
    missing = next((sheet for sheet in table.sheets if sheet not in known), None)
    if missing is not None and (alone or not set(known) & set(table.sheets)):
        msg = f"{name}: file {file.name} has no sheet '{missing}'{did_you_mean(missing, known)}"
        raise DataError(msg)
    return [sheet for sheet in table.sheets if sheet in known]


def _check_skipped(table: Table, pairs: Sequence[tuple[Path, str]], name: str) -> None:
    known = {part for file, sheet in pairs for part in (file.name, sheet) if part}
    for key, said in (("skip_rows", table.skip_rows), ("skip_footer", table.skip_footer)):
        unmet = next((part for part in said if part not in known), None) if isinstance(said, dict) else None
        if unmet is not None:
            msg = f"{name}: {key} names '{unmet}', which is no file or sheet of it{did_you_mean(unmet, known)}"
            raise DataError(msg)


def _part(table: Table, file: Path, sheet: str) -> TablePart:
    def lines(said: int | dict[str, int]) -> int:
        return said if isinstance(said, int) else said.get(sheet, said.get(file.name, 0))

    own = {
        "path": str(file),
        "table": sheet or None,
        "sheet": None,
        "skip_rows": lines(table.skip_rows),
        "skip_footer": lines(table.skip_footer),
    }
    label = f"{file.name}, sheet '{sheet}'" if sheet else file.name
    return TablePart(file, table.model_copy(update=own), label)


def numbered(raw: RawTable, place: int) -> RawTable:
    """Return the raw table of the part at a place, from 0, with row numbers that no other part has."""
    if place == 0:
        return raw
    first = place * PART
    return replace(raw, rows=[first + n for n in raw.rows], footer_rows=[first + n for n in raw.footer_rows])


def together(read: Sequence[ReadTable], labels: Sequence[str], name: str) -> ReadTable:
    """Put the parts of a table together.

    A column that some parts lack, though none needs it, is an error: their rows would seem to have no values.
    """
    if len(read) == 1:
        return read[0]
    findings = [
        replace(f, text=f"{label}: {f.text}") if not f.n_rows else f
        for part, label in zip(read, labels, strict=True)
        for f in part.findings
    ]
    absent = [column for column in read[0].absent if all(column in part.absent for part in read)]
    for column in dict.fromkeys(column for part in read for column in part.absent):
        lacking = [label for part, label in zip(read, labels, strict=True) if column in part.absent]
        known = any(f.rule == "missing_column" and f.column == column for f in findings)
        if column not in absent and not known:
            text = f"{lacking[0]}: the column is not there, and other parts of the table have it"
            findings.append(Finding(name, column, "missing_column", "error", 0, (), text))
    data = pa.concat_tables([part.data for part in read])
    return ReadTable(data, tuple(absent), any(part.synthetic for part in read), tuple(merged(findings)))


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Put findings together that say the same of several parts."""
    found: dict[tuple[str, ...], Finding] = {}
    for one in findings:
        key = (one.table, one.column, one.rule, one.severity, one.text)
        before = found.get(key)
        rows = (*before.rows, *one.rows) if before else one.rows
        n_rows = before.n_rows + one.n_rows if before else one.n_rows
        found[key] = replace(one, rows=rows[:SHOWN_ROWS], n_rows=n_rows)
    return list(found.values())


def located(findings: Iterable[Finding], parts: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """Say of rows of a table of several parts, whose labels are in ``parts``, in which part they are."""

    def one(finding: Finding) -> Finding:
        labels = parts.get(finding.table, ())
        if len(labels) < 2 or not finding.rows or finding.places:
            return finding
        rows = tuple(row % PART for row in finding.rows)
        return replace(finding, rows=rows, places=tuple(labels[row // PART] for row in finding.rows))

    return tuple(one(finding) for finding in findings)
