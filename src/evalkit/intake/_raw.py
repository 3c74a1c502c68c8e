"""Raw values and tables: how a value becomes one of ours, and a table as its file holds it.

Of a value nothing is guessed, and what cannot be read is counted, never shown. Of a table: where its header is, and
what is no part of it, with nothing converted yet.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from evalkit.errors import DataError, ProtocolError
from evalkit.intake._spec import Kind, TableSpec
from evalkit.protocol import Table
from evalkit.spreadsheet import unseen

MISSING = frozenset({"", "NA", "N/A", "NULL", "null", "NaN", "nan", "None", "#N/A"})
YES = frozenset({"yes", "y", "true", "t", "1", "1.0"})
NO = frozenset({"no", "n", "false", "f", "0", "0.0"})
# Outside of these a day is a slip (0202, 9999) or a spreadsheet's sign for none, and no day that anything happened on.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)

DAY, TIME, OFFSET = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    r"[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::[0-5][0-9](?:[.][0-9]+)?)?",
    r" ?(Z|UTC|[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?)",
)
"""A day, a time and an offset in text, as regular expressions that Python and every engine read alike."""

_ISO = re.compile(f"({DAY})(?:{TIME}(?:{OFFSET})?)?")
# No signs between thousands: "1,500" is read as one and a half where a comma is the decimal sign.
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")

# A double, and so a spreadsheet, keeps 15 digits of a number.
_EXACT = 1e15

TYPES: dict[str, pa.DataType] = {
    "identifier": pa.string(),
    "text": pa.string(),
    "date": pa.date32(),
    "number": pa.float64(),
    "yes_no": pa.float64(),
}
TEXTS: dict[str, str] = {
    "identifier": "cannot be read as an identifier",
    "text": "cannot be read as text",
    "date": "is not a date",
    "number": "is not a number",
    "yes_no": "is neither yes nor no",
}


class Broken(Enum):
    """A cell of a workbook that holds no value, though something stands in it. Nothing can be read from it."""

    UNCALCULATED = "holds formulas that were never calculated"
    ERROR = "holds a formula's error"


class Unreadable(Exception):  # noqa: N818 - never leaves this package
    """A raw value that cannot be what its column says. Carries no value."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How one column's raw values are to be read."""

    kind: Kind
    values: Mapping[str, str]  # raw value to ours
    zone: ZoneInfo  # where the day of a time with a zone or offset is taken
    date_format: str | None = None  # strptime format of days in text; None: ISO
    epoch: datetime | None = None  # day zero of Excel's serial dates; None: a number is no day
    # One of these is a value, though another column's ``NA`` is a missing one.
    named: frozenset[str] = frozenset()


def check_date_format(text: str, where: str) -> None:
    """Refuse a strptime format that does not say day, month and year; ``where`` is the protocol's key."""
    codes = set(re.findall(r"%-?([A-Za-z])", text))
    day_known = "j" in codes or ("d" in codes and codes & set("mbB"))
    # Names of zones (%Z) are read by the machine's own zone: the same text would be another day elsewhere.
    ok = bool(codes & set("yY")) and bool(day_known) and "Z" not in codes
    try:
        ok = ok and isinstance(datetime.strptime(datetime(2020, 2, 3, tzinfo=UTC).strftime(text), text), datetime)
    except (ValueError, re.error):
        ok = False
    if not ok:
        msg = (
            f"{where}: '{text}' is not a date format with day, month and year, such as %m/%d/%Y (a zone as %z, not %Z)"
        )
        raise ProtocolError(msg)


def as_text(value: object) -> str | None:
    """Return a raw value as text, None when it is missing; `Unreadable` for what is no text, number, day or None."""
    if value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        return None if text in MISSING else text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return _number_text(value)
    raise Unreadable


def _number_text(value: float | Decimal) -> str | None:
    if isinstance(value, Decimal) and value.is_finite():  # exactly: a long number's last digits tell people apart
        whole = value.to_integral_value()
        return str(int(whole)) if value == whole else format(value.normalize(), "f")
    number = float(value)
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise Unreadable
    if isinstance(value, int):
        return str(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _to_date(value: object, how: Reading) -> date | None:
    found = _any_date(value, how)
    if found is not None and not FIRST_DAY <= found <= LAST_DAY:
        raise Unreadable
    return found


def _any_date(value: object, how: Reading) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, bool):
        raise Unreadable
    if isinstance(value, int | float) and how.epoch is not None and not math.isnan(value):
        return _serial(float(value), how.epoch)
    if not isinstance(value, str) and value is not None and not _is_nan(value):
        raise Unreadable
    text = as_text(value)
    return None if text is None else _written_date(text, how)


def _written_date(text: str, how: Reading) -> date:
    try:
        if how.date_format is not None:
            return _local(datetime.strptime(text, how.date_format), how.zone).date()
        if (match := _ISO.fullmatch(text)) and match[3]:
            offset = match[3].replace("UTC", "Z")
            return _local(datetime.fromisoformat(f"{match[1]}T{match[2]}{offset}"), how.zone).date()
        if match:
            return date.fromisoformat(match[1])
    except ValueError:
        pass
    raise Unreadable


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return a time as the study's clock shows it; without a zone it is taken to be that already."""
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(zone).replace(tzinfo=None)
    except OverflowError:  # the first or last day that Python knows
        raise Unreadable from None


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _serial(number: float, epoch: datetime) -> date:
    # Excel's 1900 system has a 29 February 1900 that never was; serials below 61 are ambiguous.
    # Serial 110,000 is in 2201, past LAST_DAY; what is much larger than any serial no timedelta holds.
    if not 61 <= number < 110_000:
        raise Unreadable
    return (epoch + timedelta(days=math.floor(number))).date()


def _to_number(value: object, how: Reading) -> float | None:
    del how
    if isinstance(value, bool | date):
        raise Unreadable
    text = as_text(value)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise Unreadable
    number = float(text)
    if math.isinf(number):
        raise Unreadable
    return number


def _to_yes_no(value: object, how: Reading) -> float | None:
    del how
    text = as_text(value)
    if text is None:
        return None
    if text.lower() in YES:
        return 1.0
    if text.lower() in NO:
        return 0.0
    raise Unreadable


def _to_text(value: object, how: Reading) -> str | None:
    if isinstance(value, str) and value.strip() in how.named:
        return value.strip()
    return as_text(value)


def _to_identifier(value: object, how: Reading) -> str | None:
    del how
    if isinstance(value, bool | date):
        raise Unreadable
    if isinstance(value, float | Decimal) and math.isfinite(value) and value != int(value):
        raise Unreadable
    if isinstance(value, float) and abs(value) >= _EXACT:  # of a longer number the last digits are lost already
        raise Unreadable
    return as_text(value)


_CONVERTERS: dict[str, Callable[[object, Reading], Any]] = {
    "identifier": _to_identifier,
    "text": _to_text,
    "date": _to_date,
    "number": _to_number,
    "yes_no": _to_yes_no,
}


def convert(raw: Sequence[object], how: Reading) -> tuple[list[Any], list[int]]:
    """Read a column: str, datetime.date or float, None where missing or unreadable; and which places are unreadable."""
    to_ours = _CONVERTERS[how.kind]
    known: dict[tuple[type, object], tuple[Any, bool]] = {}
    values: list[Any] = []
    unreadable: list[int] = []
    for position, value in enumerate(raw):
        # What Parquet and DuckDB nest can be no key, and nothing is read from it.
        if isinstance(value, list | dict):
            values.append(None)
            unreadable.append(position)
            continue
        # A column has few different values. By type, too: 1, 1.0 and True are equal, and not read alike.
        key = (type(value), value)
        if key not in known:
            known[key] = _convert_one(value, how, to_ours)
        ours, bad = known[key]
        values.append(ours)
        if bad:
            unreadable.append(position)
    return values, unreadable


def as_array(raw: Sequence[object], how: Reading) -> tuple[pa.Array, list[int]]:
    """Read a column, as `convert`, into an array of its type: of a column of texts each text once."""
    if not set(map(type, raw)) <= {str, NoneType}:  # 1, 1.0 and True are equal, and not the same
        values, unreadable = convert(raw, how)
        return pa.array(values, TYPES[how.kind]), unreadable
    different = list(dict.fromkeys(raw))
    values, wrong = convert(different, how)
    place_of = {text: place for place, text in enumerate(different)}
    places = np.fromiter(map(place_of.__getitem__, raw), dtype=np.int32, count=len(raw))
    unreadable = np.flatnonzero(np.isin(places, wrong)).tolist() if wrong else []
    return pa.array(values, TYPES[how.kind]).take(pa.array(places)), unreadable


def _convert_one(value: object, how: Reading, to_ours: Callable[[object, Reading], Any]) -> tuple[Any, bool]:
    try:
        if isinstance(value, datetime):
            value = _local(value, how.zone)
        # Mapped before it is read: the protocol may also name what would be missing ("NA") or unreadable otherwise.
        if how.values:
            text = "" if value is None else (value.strip() if isinstance(value, str) else as_text(value) or "")
            value = how.values.get(text, value)
        return to_ours(value, how), False
    except Unreadable:
        return None, True


LOOKED_THROUGH = 20  # a header line further down than this is not looked for

Line = tuple[int, list[Any]]
"""A row's number, as a spreadsheet shows it, and its cells."""


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as its file holds it."""

    columns: dict[str, list[Any]]  # raw column name to raw values
    rows: list[int]  # row numbers, for messages
    epoch: datetime | None = None  # day zero of serial dates, in a workbook
    sheet: str = ""
    footer: dict[str, list[Any]] = field(default_factory=dict)  # what ``skip_footer`` left out, by raw column name
    footer_rows: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The names that a table's header is to have: our name of the table, and raw names of its columns."""

    name: str
    required: frozenset[str] = frozenset()  # those that must be there
    known: frozenset[str] = frozenset()  # all that we read

    @classmethod
    def of(cls, spec: TableSpec, table: Table) -> Wanted:
        """Return what the protocol and our columns say of a table's header."""
        raw = {column.name: table.raw_name(column.name) for column in spec.columns}
        required = frozenset(raw[column.name] for column in spec.columns if column.required)
        return cls(spec.name, required, frozenset(raw.values()))


def names_in(cells: Iterable[object]) -> set[str]:
    """Return the texts of a line as a header's names are read."""
    return {_name(cell) for cell in cells}


def _name(cell: object) -> str:
    return "".join(c for c in str(cell) if c.isspace() or not unseen(c)).strip()


def header(cells: Iterable[object], where: str) -> list[str]:
    """Return the names in a header line, without what is not seen of them.

    A `DataError` where there is none, a name stands twice, or one is a formula without a value.
    """
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        if isinstance(cell, Broken):
            msg = f"{where}: the name of column {place} {cell.value}; open the file in Excel and save it"
            raise DataError(msg)
        names.append("" if cell is None else _name(cell))
    while names and not names[-1]:
        names.pop()
    if not any(names):
        msg = f"{where} has no header line"
        raise DataError(msg)
    doubled = next((i for i, n in enumerate(names) if n and n in names[:i]), None)
    if doubled is not None:
        # By place: in a file without header line these are not names, but somebody's values.
        first = names.index(names[doubled])
        msg = f"{where}: columns {first + 1} and {doubled + 1} have the same name in the header line"
        raise DataError(msg)
    return names


def check_header(lines: Sequence[Line], wanted: Wanted, where: str) -> None:
    """Refuse a table whose header line seems to stand further down: a `DataError` that names the line.

    So it seems where none of the wanted names stands in the first line, and two or more do in one of the next.
    """
    if names_in(lines[0][1]) & wanted.known:
        return
    for number, cells in lines[1:LOOKED_THROUGH]:
        if len(names_in(cells) & wanted.known) > 1:
            msg = f"{where}: row {number} looks like its header line; say skip_rows: {number - 1} in the protocol"
            raise DataError(msg)


def assembled(
    lines: Sequence[Line], where: str, *, footer: Sequence[Line] = (), epoch: datetime | None = None, sheet: str = ""
) -> RawTable:
    """Return the table that a header line and the rows below it make; each row has at least the header's cells.

    A `DataError` where there is no header line.
    """
    names = header(lines[0][1], where)

    def columns(rows: Sequence[Line]) -> dict[str, list[Any]]:
        return {
            name: [cells[place] if place < len(cells) else None for _, cells in rows]
            for place, name in enumerate(names)
            if name
        }

    numbers, left_out = [number for number, _ in lines[1:]], [number for number, _ in footer]
    return RawTable(columns(lines[1:]), numbers, epoch, sheet, columns(footer), left_out)
