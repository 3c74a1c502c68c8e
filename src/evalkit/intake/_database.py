"""Tables that stay where they are: a database's columns turned into ours by expressions.

Days come of dates, of times as the study's clock shows them, and of text as files have it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from evalkit.errors import DataError, ProtocolError, did_you_mean
from evalkit.intake._findings import Finding, clean_errors
from evalkit.intake._raw import FIRST_DAY, LAST_DAY, MISSING, NO, OFFSET, TEXTS, TIME, YES
from evalkit.intake._read import MIDNIGHT, OUTER_BLANKS, missing_columns
from evalkit.intake._spec import ColumnSpec, TableSpec
from evalkit.protocol import Study, Table

_MOMENT = dt.Timestamp(timezone="UTC")
# Engines' own strip() knows the blank alone, or those of ASCII: Python's knows these.
_BLANKS = "[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"

# The days that were, from FIRST_DAY to LAST_DAY: engines differ in what they do with the others. A regular expression,
# as a query repeats an expression wherever it is used: year, month and day taken apart made megabytes of it.
_LEAP = "(?:19|20|21)(?:0[48]|[2468][048]|[13579][26])|2000"
_LONG = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
_SHORT = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
_FEBRUARY = "02-(?:0[1-9]|1[0-9]|2[0-8])"
_DAY = f"(?:(?:19|20|21)[0-9][0-9]-(?:{_LONG}|{_SHORT}|{_FEBRUARY})|(?:{_LEAP})-02-29)"
_WITH_OFFSET = f"^{_DAY}{TIME}{OFFSET}$"
_ISO = f"^{_DAY}({TIME}({OFFSET})?)?$"


# A moment as a zone's clock shows it: in DuckDB and Postgres whatever zone their session is in, in Spark from UTC.
_timezone = ibis.udf.scalar.builtin(
    lambda _zone, _moment: None, name="timezone", signature=((dt.string, _MOMENT), dt.timestamp)
)
_from_utc = ibis.udf.scalar.builtin(
    lambda _moment, _zone: None, name="from_utc_timestamp", signature=((_MOMENT, dt.string), dt.timestamp)
)


def in_utc(backend: ibis.BaseBackend) -> None:
    """Put a Spark session into UTC: there its zone decides what a time is written as, and read from.

    In other engines no expression of ours asks for the session's zone.
    """
    if backend.name == "pyspark":
        backend._session.conf.set("spark.sql.session.timeZone", "UTC")


def zoned(table: ir.Table, backend: ibis.BaseBackend, name: str) -> ir.Table:
    """Return a table whose columns say whether their times have a zone; of Spark's Ibis does not tell."""
    if backend.name != "pyspark":
        return table
    fields = backend._session.table(name).schema.fields
    moments = [field.name for field in fields if field.dataType.typeName() == "timestamp"]
    return table.cast(dict.fromkeys(moments, _MOMENT)) if moments else table


def local(value: ir.Value, zone: str) -> ir.Value | None:
    """Return a time as a zone's clock shows it."""
    if not value.type().is_timestamp() or value.type().timezone is None:
        return value
    engine = value.get_backend().name
    if engine in {"duckdb", "postgres"}:
        return _timezone(zone, value)
    return _from_utc(value, zone) if engine == "pyspark" else None


def stripped(text: ir.StringValue) -> ir.StringValue:
    """Return a text without the blanks around it, of every kind."""
    return text.re_replace(f"^{_BLANKS}|{_BLANKS}$", "")


def midnights(value: ir.Value, zone: str) -> ir.BooleanValue | None:
    """Return whether a time is midnight in UTC and counts on another day; None for a column without zones."""
    there, here = local(value, "UTC"), local(value, zone)
    if there is None or here is None or there is value:
        return None
    start = (there.hour() == 0) & (there.minute() == 0) & (there.second() == 0)
    return start & (there.cast("date") != here.cast("date"))


def day(value: ir.Value, zone: str, form: str | None) -> tuple[ir.Value, ir.Value]:
    """Return the day of a column's values, and whether what stands there has none: only days, times and texts do.

    ``zone`` is where the day of a text with an offset is taken; ``form`` a format other than ISO, which no engine reads
    as Python does.
    """
    kind = value.type()
    if kind.is_date() or kind.is_timestamp():
        found = value.cast("date")
        real = found.between(ibis.literal(FIRST_DAY), ibis.literal(LAST_DAY))
        return real.ifelse(found, ibis.null().cast("date")), found.notnull() & ~real
    nothing = ibis.null().cast("string")
    if not kind.is_string() or form is not None:
        return nothing.cast("date"), value.notnull()
    bare = stripped(value)
    text = bare.isin(sorted(MISSING)).ifelse(nothing, bare)
    real, offset = text.re_search(_ISO), text.re_search(_WITH_OFFSET)
    written = real.ifelse(text.substr(0, 10), nothing)
    there = local(_moment(offset.ifelse(text, nothing)), zone)
    if there is None:
        return (~offset).ifelse(written, nothing).cast("date"), text.notnull() & (~real | offset)
    return offset.ifelse(there.cast("date"), written.cast("date")), text.notnull() & ~real


def _moment(text: ir.StringValue) -> ir.Value:
    """Return the moment of a text with an offset, written out in the one form that every engine reads."""
    digits = text.re_extract(f"{OFFSET}$", 1).replace(":", "")
    utc = digits.isin(["Z", "UTC"])
    minutes = (digits.length() > 3).ifelse(digits.substr(3, 2), "00")
    offset = utc.ifelse("+00:00", digits.substr(0, 3) + ":" + minutes)
    return (text.substr(0, 10) + " " + text.substr(11, 5) + ":00" + offset).cast(_MOMENT)


_TYPES = {"identifier": "string", "text": "string", "date": "date", "number": "float64", "yes_no": "float64"}
_PADDED = "padded "  # no column of ours has a blank in its name
_NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"


def expand(url: str) -> str:
    """Fill ``${NAME}`` in a database URL from the environment; where it is not set, a `ProtocolError` names it."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in os.environ:
            msg = f"database: environment variable {name} is not set"
            raise ProtocolError(msg)
        return os.environ[name]

    return re.sub(r"\$\{(\w+)\}", value, url)


def redacted(url: str) -> str:
    """Return a database URL without user, password and options.

    >>> redacted("postgresql://ann:secret@host:5432/study?sslmode=require")
    'postgresql://host:5432/study'
    >>> redacted("postgresql://ann:se/cret@host/study")
    'postgresql://...'
    """
    scheme, _, rest = url.partition("://")
    if not rest or not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme, re.IGNORECASE):
        return "(no address of the form engine://host/name)"
    account, at, place = rest.rpartition("@")
    if at and any(sign in account for sign in "/?#;@"):
        return f"{scheme}://..."  # a password that is not escaped: where it ends is anybody's guess
    return f"{scheme}://{re.split('[?#;]', place if at else rest)[0]}"


def secrets_of(study: Study) -> frozenset[str]:
    """Return what must never be shown of a study's database: its address and everything in it that opens it.

    Parameters
    ----------
    study : Study

    Returns
    -------
    frozenset of str
        Empty when the study is read from files.
    """
    if study.database is None:
        return frozenset()
    named = re.findall(r"\$\{(\w+)\}", study.database)
    values = {os.environ[name] for name in named if name in os.environ}
    url = re.sub(r"\$\{(\w+)\}", lambda match: os.environ.get(match[1], ""), study.database)
    account = url.partition("://")[2].rpartition("@")[0]
    password = account.partition(":")[2]
    options = re.findall(r"(?i)(?:pass\w*|pwd|token|secret|\w*key)=([^&;]+)", url)
    found = {url, account, password, *options, *values}
    # As the address has them and as the driver was given them: a message may hold either.
    return frozenset(text for each in found for text in (each, unquote(each)) if text)


def connect(study: Study) -> ibis.BaseBackend:
    """Connect to a study's database; a `DataError` without a password where it cannot be reached.

    A `ProtocolError` where an environment variable of its URL is not set.
    """
    url = expand(study.database or "")
    try:
        backend = ibis.connect(url)
        in_utc(backend)
        if backend.name == "duckdb":
            # DuckDB's views and functions read any file of the machine; a study's database is to lead to none (ADR 11).
            backend.con.execute("SET enable_external_access = false")
    except Exception as error:
        # Drivers put the address into their messages, with its password: only the kind of error is told.
        kind = type(error).__name__
    else:
        return backend
    msg = f"database {redacted(url)} cannot be reached ({kind}); check address, rights and driver"
    raise DataError(msg)


def raw_table(backend: ibis.BaseBackend, table: Table, name: str, *, own: bool) -> ir.Table:
    """Return a database's table, whose times say whether they have a zone.

    ``name`` is ours, and theirs where `table` names none. ``own``: whether `connect` made the connection; what a given
    one may read its owner has decided, views too. A `DataError` where there is no such table.
    """
    schema, _, raw = (table.table or name).rpartition(".")
    with clean_errors(name):
        known = backend.list_tables(database=schema or None)
        if raw in known and not (own and _is_view(backend, raw)):
            return zoned(backend.table(raw, database=schema or None), backend, table.table or name)
    if raw in known:
        msg = f"{name}: '{raw}' is a view of a DuckDB file, which may read other files; store its rows as a table"
        raise DataError(msg)
    msg = f"{name}: the database has no table '{raw}'{did_you_mean(raw, known)}"
    raise DataError(msg)


def _is_view(backend: ibis.BaseBackend, name: str) -> bool:
    """Say whether a DuckDB database has a view of that name; other databases read nothing but themselves."""
    if backend.name != "duckdb":
        return False
    found = backend.con.execute("SELECT 1 FROM duckdb_views() WHERE NOT internal AND view_name = ?", [name])
    return found.fetchone() is not None


def our_columns(spec: TableSpec, table: Table, raw: ir.Table, zone: str) -> tuple[ir.Table, list[Finding], list[str]]:
    """Return a raw table in our columns and types as an expression, what cannot be read, and which columns it lacks.

    ``zone`` is where the day of a time with a zone or offset is taken.
    """
    findings = missing_columns(spec, table, raw.columns)
    ours: dict[str, ir.Value] = {}
    bad: dict[str, ir.Value] = {}
    days: dict[str, ir.Value] = {}
    padded: dict[str, ir.Value] = {}
    absent = []
    for column in spec.columns:
        name, made = table.raw_name(column.name), table.made_from(column.name)
        if name not in raw.columns:
            absent.append(column.name)
            ours[column.name] = ibis.null().cast(_TYPES[column.kind])
            continue
        there = local(raw[name], zone)
        if there is None:  # a time with a zone, in an engine that we cannot ask for its day
            ours[column.name], bad[column.name] = ibis.null().cast(_TYPES[column.kind]), raw[name].notnull()
            continue
        if column.kind == "date" and (midnight := midnights(raw[name], zone)) is not None:
            days[column.name] = midnight
        value = _mapped(there, table.values.get(column.name, {}))
        if made is not None and made.years_to is not None:
            ours[column.name], bad[column.name] = _column(replace(column, kind="date"), value, table, zone)
        else:
            ours[column.name], bad[column.name] = _column(column, value, table, zone)
        if made is not None and made.divide is not None:
            ours[column.name] = ours[column.name] / made.divide
        if column.allowed is not None and raw[name].type().is_string():
            kept = stripped(raw[name]).length()
            padded[f"{_PADDED}{column.name}"] = (kept > 0) & (kept != raw[name].length())
    for column in spec.columns:
        made = table.made_from(column.name)
        if made is not None and made.years_to is not None and column.name not in absent:
            ours[column.name] = _years(ours[column.name], ours[made.years_to])
    counts = _counted(spec, raw, {**bad, **padded})
    findings += [*_unreadable(spec, bad, counts), *_day_like(spec, raw, days)]
    for name in (n for n in padded if counts[n]):
        column_name = name.removeprefix(_PADDED)
        findings.append(Finding(spec.name, column_name, "outer_blanks", "warning", counts[name], (), OUTER_BLANKS))
    return raw.select(**ours), findings, absent


def _years(born: ir.Value, until: ir.Value) -> ir.Value:
    """Return how many birthdays somebody has had, as `evalkit.intake` counts them in files."""
    later = (until.month() * 100 + until.day()) < (born.month() * 100 + born.day())
    return (until.year() - born.year() - later.ifelse(1, 0)).cast("float64")


def _counted(spec: TableSpec, raw: ir.Table, flags: dict[str, ir.Value]) -> dict[str, int]:
    """Count the rows of each flag, in one query."""
    if not flags:
        return {}
    numbers = raw.select(**{name: flag.ifelse(1, 0) for name, flag in flags.items()})
    counts = numbers.aggregate(**{name: numbers[name].sum() for name in flags})
    with clean_errors(spec.name):
        row = counts.to_pandas().iloc[0]
    # Over no rows an engine's sum is missing (NaN), not 0.
    return {name: 0 if row[name] != row[name] else int(row[name] or 0) for name in flags}


def _unreadable(spec: TableSpec, bad: dict[str, ir.Value], counts: dict[str, int]) -> list[Finding]:
    kinds = {column.name: column.kind for column in spec.columns}
    return [
        Finding(spec.name, name, f"unreadable_{kinds[name]}", "error", counts[name], (), TEXTS[kinds[name]])
        for name in bad
        if counts[name]
    ]


def _day_like(spec: TableSpec, raw: ir.Table, days: dict[str, ir.Value]) -> list[Finding]:
    """Find columns whose times are all midnight in UTC: days, most likely, that would count on the day before."""
    if not days:
        return []
    flags = raw.select(**{name: flag.ifelse(1, 0) for name, flag in days.items()})
    with clean_errors(spec.name):
        row = flags.aggregate(**{name: flags[name].min() for name in days}).to_pandas().iloc[0]
    return [Finding(spec.name, n, "midnight_in_utc", "warning", 0, (), MIDNIGHT) for n in days if row[n] == 1]


def _mapped(value: ir.Value, values: dict[str, str]) -> ir.Value:
    if not values:
        return value
    text = _written(value)
    found = text.cases(*values.items(), else_=text)
    return found.fill_null(values[""]) if "" in values else found


def _written(value: ir.Value) -> ir.StringValue:
    """Return a value as files have it: 7 is not 7.0, and no blanks stand around it."""
    kind, text = value.type(), value.cast("string")
    if kind.is_floating() or kind.is_decimal():
        return text.re_replace(r"[.]0+$", "")
    return stripped(text) if kind.is_string() else text


def _text(value: ir.Value, named: Iterable[str] = ()) -> ir.Value:
    text = _written(value)
    return text.isin(sorted(MISSING.difference(named))).ifelse(ibis.null().cast("string"), text)


def _column(column: ColumnSpec, value: ir.Value, table: Table, zone: str) -> tuple[ir.Value, ir.Value]:
    """Return our value, and whether it cannot be read."""
    kind: Any = value.type()
    if column.kind == "date":
        return day(value, zone, table.form_of(column.name))
    if column.kind == "number":
        if kind.is_numeric() and not kind.is_boolean():
            number, bad = value.cast("float64"), ibis.literal(False)
        else:
            text = _text(value)
            bad = text.notnull() & ~text.re_search(_NUMBER)
            number = bad.ifelse(ibis.null().cast("string"), text).cast("float64")
        endless = number.isinf().fill_null(False)
        return endless.ifelse(ibis.null().cast("float64"), number), bad | endless
    if column.kind == "yes_no":
        return _yes_no(value, kind)
    wrong = kind.is_nested() or kind.is_binary() or kind.is_interval() or kind.is_time()
    if column.kind == "identifier":
        # In a column of doubles the last digits of long identifiers are lost, and nobody can tell of which.
        wrong = wrong or kind.is_floating() or kind.is_temporal() or kind.is_boolean()
    if wrong:
        return ibis.null().cast("string"), value.notnull()
    text = _text(value, column.allowed or ())
    broken = column.kind == "identifier" and kind.is_decimal()  # a part of a person
    return text, text.contains(".") if broken else ibis.literal(False)


def _yes_no(value: ir.Value, kind: dt.DataType) -> tuple[ir.Value, ir.Value]:
    if kind.is_boolean():
        return value.ifelse(1, 0).cast("float64"), ibis.literal(False)
    text = _text(value).lower()
    number = ibis.cases(
        (text.isin(sorted(YES)), ibis.literal(1)),
        (text.isin(sorted(NO)), ibis.literal(0)),
        else_=ibis.null().cast("int8"),
    )
    return number.cast("float64"), text.notnull() & number.isnull()


def says_synthetic(table: Table, raw: ir.Table) -> bool:
    """Return whether a raw table's column ``synthetic`` is true anywhere."""
    name = table.raw_name("synthetic")
    if name not in raw.columns:
        return False
    with clean_errors("synthetic"):
        found = raw[name].cast("string").lower().isin(sorted(YES)).ifelse(1, 0).max().to_pandas()
    return bool(found == 1)
