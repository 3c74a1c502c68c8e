"""Days of a database's columns: of dates, of times as the study's clock shows them, and of text as files have it."""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from evalkit.intake._convert import FIRST_DAY, LAST_DAY, MISSING, OFFSET, TIME

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
