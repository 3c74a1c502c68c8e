"""Single values on both sides of what can be read: texts, numbers, days, times and their zones."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from evalkit.errors import ProtocolError
from evalkit.intake._raw import MISSING, NO, YES, Broken, Reading, check_date_format, convert

CHICAGO, EXCEL, MAC = ZoneInfo("America/Chicago"), dt.datetime(1899, 12, 30), dt.datetime(1904, 1, 1)
BAD = "unreadable"


def read(value: object, kind: str, **how: object) -> object:
    values, unreadable = convert([value], Reading(kind, how.pop("values", {}), how.pop("zone", CHICAGO), **how))
    assert unreadable == ([] if not unreadable else [0])
    return BAD if unreadable else values[0]


Pairs = tuple[tuple[object, object], ...]


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


FEB_3 = day("2022-02-03")
DAYS: Pairs = (
    ("2022-02-03", FEB_3), (" 2022-02-03\t", FEB_3), ("2020-02-29", day("2020-02-29")),
    ("2000-02-29", day("2000-02-29")), ("2021-02-29", BAD), ("1900-02-29", BAD), ("2022-04-31", BAD),
    ("2022-00-03", BAD), ("2022-13-03", BAD), ("2022-02-00", BAD), ("1900-01-01", day("1900-01-01")),
    ("1899-12-31", BAD), ("2199-12-31", day("2199-12-31")), ("2200-01-01", BAD), ("0022-02-03", BAD), ("22-02-03", BAD),
    ("2022-2-3", BAD), ("20220203", BAD), ("2022/02/03", BAD), ("2022-02-03x", BAD), ("x2022-02-03", BAD),
    ("2022-034", BAD), ("2022-W05-4", BAD), ("٢٠٢٢-٠٢-٠٣", BAD), ("44595", BAD),
    # times: of a day
    ("2022-02-03 00:00", FEB_3), ("2022-02-03T23:59", FEB_3), ("2022-02-03 23:59:59", FEB_3),
    ("2022-02-03 23:59:59.999999", FEB_3), ("2022-02-03 24:00", BAD), ("2022-02-03 23:60", BAD),
    ("2022-02-03 23:59:60", BAD), ("2022-02-03 2:05", BAD), ("2022-02-03T", BAD), ("2022-02-03  23:59", BAD),
    ("2022-02-03 23:59:59.", BAD), ("2022-02-03 11:59 PM", BAD),
    # times with an offset, as Chicago's clock shows them: six hours behind in February, five in July
    ("2022-02-03T05:59Z", day("2022-02-02")), ("2022-02-03T06:00Z", FEB_3), ("2022-02-03 05:59 UTC", day("2022-02-02")),
    ("2022-07-03T04:59Z", day("2022-07-02")), ("2022-07-03T05:00Z", day("2022-07-03")), ("2022-02-03T06:00+00", FEB_3),
    ("2022-02-03T05:59+0000", day("2022-02-02")), ("2022-02-03T23:59-06:00", FEB_3),
    ("2022-02-03T00:00-05:00", day("2022-02-02")), ("2022-02-03T20:59+15:00", day("2022-02-02")),
    ("2022-02-03T21:00+15:00", FEB_3), ("2022-02-03T00:29+05:30", day("2022-02-02")), ("2022-02-03T14:59-15:00", FEB_3),
    ("2022-02-03T15:00-15:00", day("2022-02-04")), ("2022-02-03T21:00+16:00", BAD), ("2022-02-03T06:00+05:60", BAD),
    ("2022-02-03T06:00 CST", BAD), ("2022-02-03 06:00:30.5Z", FEB_3),
    # typed
    (FEB_3, FEB_3), (day("1899-12-31"), BAD), (day("2200-01-01"), BAD), (dt.datetime(2022, 2, 3, 23, 59), FEB_3),
    (dt.datetime(2022, 2, 3, 5, 59, tzinfo=dt.UTC), day("2022-02-02")),
    (dt.datetime(2022, 2, 3, 6, tzinfo=dt.UTC), FEB_3),
    (dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-12))), BAD), (44595, BAD), (44595.5, BAD),
    (True, BAD), (Decimal(44595), BAD), (b"2022-02-03", BAD), (None, None), ("", None), ("NA", None), ("  ", None),
)  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), DAYS)
def test_a_day(value: object, expected: object) -> None:
    assert read(value, "date") == expected


@pytest.mark.parametrize(
    ("number", "epoch", "expected"),
    [
        (61, EXCEL, day("1900-03-01")), (60, EXCEL, BAD), (60.99, EXCEL, BAD), (61.99, EXCEL, day("1900-03-01")),
        (44595, EXCEL, FEB_3), (44595.999, EXCEL, FEB_3), (109_574, EXCEL, day("2199-12-31")),
        (109_575, EXCEL, BAD), (110_000, EXCEL, BAD), (108_112, MAC, day("2199-12-31")), (108_113, MAC, BAD), (43133, MAC, FEB_3), (-1, EXCEL, BAD), (float("nan"), EXCEL, None), (float("inf"), EXCEL, BAD),
        (True, EXCEL, BAD), (44595, None, BAD), (float("nan"), None, None),
    ],
)  # fmt: skip
def test_a_serial_number_of_a_day(number: float, epoch: dt.datetime | None, expected: object) -> None:
    assert read(number, "date", epoch=epoch) == expected


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("%m/%d/%Y", "02/03/2022", FEB_3), ("%m/%d/%Y", "13/03/2022", BAD), ("%m/%d/%Y", "2022-02-03", BAD),
        ("%m/%d/%y", "02/03/68", day("2068-02-03")), ("%m/%d/%y", "02/03/69", day("1969-02-03")),
        ("%m/%d/%y", "02/03/00", day("2000-02-03")), ("%m/%d/%Y", "02/03/22", BAD), ("%m/%d/%y", "02/03/2022", BAD),
        ("%Y-%m-%d %z", "2022-02-03 +0000", day("2022-02-02")), ("%Y-%m-%dT%H:%M%z", "2022-02-03T06:00Z", FEB_3),
        ("%d.%m.%Y", "31.12.2199", day("2199-12-31")), ("%d.%m.%Y", "01.01.2200", BAD), ("%d.%m.%Y", "", None),
    ],
)  # fmt: skip
def test_a_day_in_another_form(form: str, text: str, expected: object) -> None:
    assert read(text, "date", date_format=form) == expected


@pytest.mark.parametrize("form", ["%m/%d/%Y", "%d.%m.%y", "%b %d, %Y", "%d %B %Y", "%Y%j", "%Y-%m-%dT%H:%M%z"])
def test_a_form_with_day_month_and_year(form: str) -> None:
    assert check_date_format(form, "here") is None


@pytest.mark.parametrize(
    "form", ["%m/%Y", "%d/%Y", "%d/%m", "%Y", "%j", "%H:%M", "%m/%d/%Y %Z", "%Y-%m-%d %Q", "%y %j %", "", "%Y (%m"]
)
def test_a_form_that_is_none(form: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        check_date_format(form, "here")
    assert str(refused.value) == (
        f"here: '{form}' is not a date format with day, month and year, such as %m/%d/%Y (a zone as %z, not %Z)"
    )


NUMBERS: Pairs = (
    ("1.5", 1.5), (" 1.5 ", 1.5), ("-1.5", -1.5), ("+2", 2.0), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0),
    ("1E-2", 0.01), ("0", 0.0), ("1,5", BAD), ("1 000", BAD), ("1e", BAD), ("e3", BAD), (".", BAD), ("--1", BAD),
    ("1.5.1", BAD), ("0x10", BAD), ("inf", BAD), ("1e400", BAD), ("1_000", BAD), ("", None), ("NaN", None),
    ("#N/A", None), ("n/a", BAD), (3, 3.0), (3.25, 3.25), (Decimal("3.25"), 3.25), (float("inf"), BAD), (True, BAD),
    (False, BAD), (FEB_3, BAD), (dt.datetime(2022, 2, 3), BAD), (b"1", BAD), (None, None),
)  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), NUMBERS)
def test_a_number(value: object, expected: object) -> None:
    assert read(value, "number") == expected


@pytest.mark.parametrize("word", sorted(YES | NO))
def test_yes_and_no(word: str) -> None:
    expected = float(word in {"yes", "y", "true", "t", "1", "1.0"})
    assert (read(word, "yes_no"), read(f" {word.upper()} ", "yes_no")) == (expected, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, 1.0), (False, 0.0), (1, 1.0), (0, 0.0), (1.0, 1.0), (2, BAD), ("2", BAD), ("ye", BAD), ("", None), (None, None), (0.5, BAD)],
)  # fmt: skip
def test_neither_yes_nor_no(value: object, expected: object) -> None:
    assert read(value, "yes_no") == expected


IDENTIFIERS: Pairs = (
    ("007", "007"), (" 7 ", "7"), (7, "7"), (7.0, "7"), (7.5, BAD), (999_999_999_999_999.0, "999999999999999"),
    (1e15, BAD), (-1e15, BAD), (10**15, "1000000000000000"), (10**20, str(10**20)), (float("nan"), None), (True, BAD),
    (FEB_3, BAD), ("NA", None), ("", None), (None, None), (Decimal(7), "7"),
)  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), IDENTIFIERS)
def test_an_identifier(value: object, expected: object) -> None:
    assert read(value, "identifier") == expected


TEXTS: Pairs = (
    (" a b ", "a b"), (7, "7"), (7.0, "7"), (7.5, "7.5"), (1e15, "1000000000000000.0"),
    (999_999_999_999_999.0, "999999999999999"), (float("inf"), BAD), (float("nan"), None), (True, "true"),
    (False, "false"), (FEB_3, "2022-02-03"), (dt.datetime(2022, 2, 3), "2022-02-03"),
    (dt.datetime(2022, 2, 3, 4, 5), "2022-02-03T04:05:00"), (b"a", BAD),
)  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), TEXTS)
def test_a_text(value: object, expected: object) -> None:
    assert read(value, "text") == expected


@pytest.mark.parametrize("word", ["", "NA", "N/A", "NULL", "null", "NaN", "nan", "None", "#N/A"])
def test_words_for_nothing_unless_they_are_named(word: str) -> None:
    assert read(f" {word} ", "text") is None
    assert read(f" {word} ", "text", named=frozenset({word})) == word
    assert read(f"{word}x", "text") == f"{word}x"
    assert len(MISSING) == 9  # each of them is tried here


def test_values_are_put_in_place_before_they_are_read() -> None:
    assert read(" Court ", "text", values={"Court": "paip"}) == "paip"
    assert read("court", "text", values={"Court": "paip"}) == "court"
    assert read(3, "text", values={"3": "paip"}) == "paip"
    assert read(3.0, "text", values={"3": "paip"}) == "paip"
    assert read(None, "text", values={"": "unknown"}) == "unknown"
    assert read("NA", "text", values={"NA": "none at all"}) == "none at all"
    assert read("8", "number", values={"88": "", "99": ""}) == 8.0
    assert read("99", "number", values={"88": "", "99": ""}) is None
    assert read("unknown", "date", values={"unknown": ""}) is None


def test_each_unreadable_value_is_counted_and_equal_ones_of_other_types_are_not_mixed_up() -> None:
    how = Reading("number", {}, CHICAGO)
    assert convert(["1", True, 1, "x", [1], "x", {}, Broken.ERROR], how) == (
        [1.0, None, 1.0, None, None, None, None, None],
        [1, 3, 4, 5, 6, 7],
    )
