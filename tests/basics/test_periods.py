"""Quarters and ranges: every boundary on both sides, for calendar and fiscal years."""

from __future__ import annotations

from datetime import date

import pytest

from evalkit.errors import UsageError
from evalkit.periods import Period, newest_complete, quarters_between
from evalkit.words import long_date

QUARTERS = [
    ("2022Q1", 1, date(2022, 1, 1), date(2022, 3, 31)),
    ("2022Q2", 1, date(2022, 4, 1), date(2022, 6, 30)),
    ("2022Q3", 1, date(2022, 7, 1), date(2022, 9, 30)),
    ("2022Q4", 1, date(2022, 10, 1), date(2022, 12, 31)),
    ("2022Q1", 2, date(2021, 2, 1), date(2021, 4, 30)),
    ("2022Q4", 2, date(2021, 11, 1), date(2022, 1, 31)),
    ("2022Q1", 7, date(2021, 7, 1), date(2021, 9, 30)),
    ("2022Q2", 7, date(2021, 10, 1), date(2021, 12, 31)),
    ("2022Q3", 7, date(2022, 1, 1), date(2022, 3, 31)),
    ("2022Q4", 7, date(2022, 4, 1), date(2022, 6, 30)),
    ("2020Q3", 9, date(2020, 3, 1), date(2020, 5, 31)),
    ("2020Q2", 9, date(2019, 12, 1), date(2020, 2, 29)),
    ("2022Q1", 12, date(2021, 12, 1), date(2022, 2, 28)),
]


@pytest.mark.parametrize(("name", "fiscal", "first", "last"), QUARTERS)
def test_a_quarter_and_the_days_on_either_side(name: str, fiscal: int, first: date, last: date) -> None:
    period = Period.parse(name, fiscal)
    assert (period.first, period.last, period.cut, period.name) == (first, last, last, name)
    assert Period.containing(first, fiscal) == Period.containing(last, fiscal) == period
    before, after = (date.fromordinal(d) for d in (first.toordinal() - 1, last.toordinal() + 1))
    assert Period.containing(before, fiscal).last == before
    assert Period.containing(after, fiscal).first == after
    assert period.next(fiscal) == Period.containing(after, fiscal)
    assert newest_complete(last, fiscal) == newest_complete(after, fiscal) == period
    assert newest_complete(date.fromordinal(last.toordinal() - 1), fiscal) == Period.containing(before, fiscal)


def test_ranges() -> None:
    for text, days in (("2022-01-01..2022-01-01", 1), ("2022-01-01..2022-06-30", 181)):
        period = Period.parse(text)
        assert ((period.last - period.first).days + 1, period.name, period.cut) == (days, text, period.last)
    assert Period.parse("2022-01-31..2022-06-30").title == "January 31, 2022 to June 30, 2022"
    assert [Period.parse(f"2023Q{k}").title for k in (1, 2, 3, 4)] == [
        "first quarter of 2023", "second quarter of 2023", "third quarter of 2023", "fourth quarter of 2023",
    ]  # fmt: skip
    assert long_date(date(2022, 12, 1)) == "December 1, 2022"


@pytest.mark.parametrize("text", ["2022Q0", "2022Q5", "22Q1", "2022q1", "2022Q1 ", "x2022Q1", "2022-01-02..2022-01-01", "2022-02-30..2022-03-01", "2022-01-01..2022-13-01", "2022-01-01", "2022-01-01..2022-02-01x", ""])  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Period.parse(text)
    assert (
        str(caught.value) == f"period '{text}' is neither a quarter like 2022Q3 nor a range like 2022-01-01..2022-06-30"
    )


@pytest.mark.parametrize(
    ("first", "last", "fiscal", "names"),
    [
        (date(2021, 12, 31), date(2022, 1, 1), 1, ["2021Q4", "2022Q1"]),
        (date(2022, 1, 1), date(2022, 3, 31), 1, ["2022Q1"]),
        (date(2022, 1, 1), date(2022, 4, 1), 1, ["2022Q1", "2022Q2"]),
        (date(2022, 5, 5), date(2022, 4, 1), 1, ["2022Q2"]),
        (date(2022, 5, 5), date(2022, 3, 31), 1, []),
        (date(2022, 6, 30), date(2022, 7, 1), 7, ["2022Q4", "2023Q1"]),
    ],
)
def test_quarters_between(first: date, last: date, fiscal: int, names: list[str]) -> None:
    assert [p.name for p in quarters_between(first, last, fiscal)] == names
