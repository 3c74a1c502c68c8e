"""Periods: a quarter such as ``2022Q3``, or a closed range of days.

A report's data cut is the last day of its period.
"""

from __future__ import annotations

__all__ = ["Period", "newest_complete", "quarters_between"]

import calendar
import re
from dataclasses import dataclass
from datetime import date

from evalkit.errors import UsageError
from evalkit.words import long_date, marked, words

_QUARTER = re.compile(r"(\d{4})Q([1-4])")
_QUARTERS = (
    marked("first quarter of {year}"),
    marked("second quarter of {year}"),
    marked("third quarter of {year}"),
    marked("fourth quarter of {year}"),
)
_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """A closed range of days with a name.

    Attributes
    ----------
    first, last : datetime.date
        Both included.
    name : str
        ``2022Q3``, or ``2022-01-01..2022-06-30``.

    Examples
    --------
    >>> from datetime import date
    >>> from evalkit.periods import Period
    >>> Period(date(2022, 7, 1), date(2022, 9, 30), "2022Q3").last
    datetime.date(2022, 9, 30)
    """

    first: date
    last: date
    name: str

    @property
    def cut(self) -> date:
        """The data cut: the last day of the period."""
        return self.last

    @property
    def title(self) -> str:
        """The period in words.

        Examples
        --------
        >>> Period.parse("2022Q3").title
        'third quarter of 2022'
        """
        match = _QUARTER.fullmatch(self.name)
        if match is None:
            return words("{first} to {last}", first=long_date(self.first), last=long_date(self.last))
        return words(_QUARTERS[int(match[2]) - 1], year=match[1])

    @staticmethod
    def parse(text: str, fiscal_start: int = 1) -> Period:
        """Read a period.

        Parameters
        ----------
        text : str
            ``2022Q3`` or ``2022-01-01..2022-06-30``.
        fiscal_start : int, default 1
            First month of the fiscal year (1-12). A fiscal year is named for the calendar year in which
            it ends; with 1 that is the calendar year.

        Returns
        -------
        Period

        Raises
        ------
        UsageError
            If the text is neither.

        Examples
        --------
        >>> Period.parse("2022Q3").last
        datetime.date(2022, 9, 30)
        >>> Period.parse("2022Q1", fiscal_start=7).first
        datetime.date(2021, 7, 1)
        """
        if match := _QUARTER.fullmatch(text):
            return _quarter(int(match[1]), int(match[2]), fiscal_start)
        if match := _RANGE.fullmatch(text):
            try:
                first, last = date.fromisoformat(match[1]), date.fromisoformat(match[2])
            except ValueError:
                first, last = date.max, date.min
            if first <= last:
                return Period(first, last, text)
        msg = f"period '{text}' is neither a quarter like 2022Q3 nor a range like 2022-01-01..2022-06-30"
        raise UsageError(msg)

    @staticmethod
    def containing(day: date, fiscal_start: int = 1) -> Period:
        """Return the quarter a day lies in.

        Parameters
        ----------
        day : datetime.date
        fiscal_start : int, default 1
            First month of the fiscal year.

        Returns
        -------
        Period

        Examples
        --------
        >>> Period.containing(date(2021, 11, 18)).name
        '2021Q4'
        >>> Period.containing(date(2021, 11, 18), fiscal_start=7).name
        '2022Q2'
        """
        months = day.month - fiscal_start
        year = day.year + (1 if fiscal_start > 1 and months >= 0 else 0)
        return _quarter(year, months % 12 // 3 + 1, fiscal_start)

    def next(self, fiscal_start: int = 1) -> Period:
        """Return the quarter after this one's last day.

        Parameters
        ----------
        fiscal_start : int, default 1

        Returns
        -------
        Period
        """
        return Period.containing(date.fromordinal(self.last.toordinal() + 1), fiscal_start)


def _quarter(year: int, quarter: int, fiscal_start: int) -> Period:
    month0 = (year - (1 if fiscal_start > 1 else 0)) * 12 + fiscal_start - 1 + 3 * (quarter - 1)
    (y0, m0), (y1, m1) = divmod(month0, 12), divmod(month0 + 2, 12)
    last_day = calendar.monthrange(y1, m1 + 1)[1]
    return Period(date(y0, m0 + 1, 1), date(y1, m1 + 1, last_day), f"{year}Q{quarter}")


def quarters_between(first: date, last: date, fiscal_start: int = 1) -> list[Period]:
    """Return the quarters from the one holding ``first`` to the one holding ``last``.

    Parameters
    ----------
    first, last : datetime.date
    fiscal_start : int, default 1

    Returns
    -------
    list of Period
        Ascending; empty when ``last`` is before ``first``'s quarter.

    Examples
    --------
    >>> [p.name for p in quarters_between(date(2021, 11, 18), date(2022, 4, 1))]
    ['2021Q4', '2022Q1', '2022Q2']
    """
    found, period = [], Period.containing(first, fiscal_start)
    while period.first <= last:
        found.append(period)
        period = period.next(fiscal_start)
    return found


def newest_complete(day: date, fiscal_start: int = 1) -> Period:
    """Return the newest quarter that is over on a day (its last day may be that day).

    Parameters
    ----------
    day : datetime.date
    fiscal_start : int, default 1

    Returns
    -------
    Period

    Examples
    --------
    >>> newest_complete(date(2022, 9, 30)).name, newest_complete(date(2022, 9, 29)).name
    ('2022Q3', '2022Q2')
    """
    period = Period.containing(day, fiscal_start)
    if period.last <= day:
        return period
    return Period.containing(date.fromordinal(period.first.toordinal() - 1), fiscal_start)
