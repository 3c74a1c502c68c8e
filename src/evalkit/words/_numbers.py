"""The one place where numbers and dates become text: rounding, units, what is not shown, the signs of a locale."""

from __future__ import annotations

__all__ = [
    "NOT_SHOWN",
    "between",
    "count",
    "decimal",
    "horizon",
    "interval",
    "joined",
    "long_date",
    "months_of",
    "p_value",
    "percent",
    "percent_sign",
    "points",
    "span",
    "whole_percent",
]

import math
import re
from datetime import date
from functools import cache

from babel.dates import format_date
from babel.numbers import format_percent, get_decimal_symbol, get_group_symbol

from evalkit.rounding import half_up
from evalkit.words._catalogue import language_of, messages, speech

NOT_SHOWN = "–"
"""Stands in tables where a number may not be shown or is not defined."""

_ARTICLE = re.compile(r"\b([Ee]l|[Dd]el|un) ((?:menos|más) del)\b")


def _babel(locale: str) -> str:
    """Return a locale as babel names it: of a language that has messages."""
    # Of a language without messages numbers are English as well: a sentence has the signs of one language.
    known = locale.partition("-")[0] == language_of(locale)
    return (locale if known else "en-US").replace("-", "_")


@cache
def _signs(locale: str) -> tuple[dict[int, str], str]:
    """Return what stands for point and comma in a locale, and its percent sign with the space before it."""
    babel = _babel(locale)
    separators = {ord("."): get_decimal_symbol(babel), ord(","): get_group_symbol(babel)}
    # From a share of 0 with its digit taken off: babel names the sign, but not the space that a locale puts before it.
    return separators, str(format_percent(0, locale=babel))[1:]


def _local(text: str, locale: str = "") -> str:
    """Write a number with the separators of a locale: the one in force where none is named."""
    return text.translate(_signs(locale or speech().locale)[0])


def whole_percent(share: float) -> int:
    """Return a share in whole percent, as it is written: for what draws the number beside it.

    Parameters
    ----------
    share : float

    Returns
    -------
    int

    Examples
    --------
    >>> whole_percent(0.625), whole_percent(-0.5)
    (63, -50)
    """
    return int(half_up(100 * share, 0))


def percent_sign(locale: str = "") -> str:
    """Return the percent sign, with the space before it where the locale has one."""
    return _signs(locale or speech().locale)[1]


def percent(value: float | None, digits: int = 0, *, locale: str = "") -> str:
    """Write a share as a percentage.

    Parameters
    ----------
    value : float or None
        0 to 1.
    digits : int, default 0
    locale : str
        The one in force where none is named.

    Returns
    -------
    str

    Examples
    --------
    >>> percent(0.734), percent(0.625), percent(0.9996), percent(0.0), percent(None)
    ('73%', '63%', 'over 99%', '0%', '–')
    """
    if value is None or not math.isfinite(value):
        return NOT_SHOWN
    text = half_up(100 * value, digits)
    sign, said = percent_sign(locale), messages(language_of(locale or speech().locale))
    # "100%" of people would say that nobody was left, which says something of each of them (`Digits.apart`).
    if value < 1 and float(text) == 100:
        return said["percent.over"].format(share=f"99{sign}")
    if value > 0 and float(text) == 0:
        return said["percent.under"].format(share=f"1{sign}")
    return f"{_local(text.lstrip('-') if float(text) == 0 else text, locale)}{sign}"


def joined(text: str, language: str) -> str:
    """Take the article from a share that begins with a word of its own: Spanish has "el 5%", and "menos del 1%".

    Examples
    --------
    >>> joined("El menos del 1% vino; fue del más del 99%; el 5%", "es")
    'Menos del 1% vino; fue de más del 99%; el 5%'
    """
    return _ARTICLE.sub(_without_article, text) if language == "es" else text


def _without_article(found: re.Match[str]) -> str:
    article, share = found.groups()
    if article.lower() == "del":
        return f"{article[:-1]} {share}"
    return share.capitalize() if article[0].isupper() else share


def points(value: float | None, digits: int = 1) -> str:
    """Write a difference of shares in percentage points, with its sign.

    Parameters
    ----------
    value : float or None
        -1 to 1.
    digits : int, default 1

    Returns
    -------
    str

    Examples
    --------
    >>> points(0.1345), points(-0.13), points(0.0), points(0.1345, 0)
    ('+13.5', '−13.0', '0.0', '+13')
    """
    if value is None or not math.isfinite(value):
        return NOT_SHOWN
    text = decimal(100 * value, digits)
    # The sign follows what is printed: +0.0 would claim a direction that its digits do not show.
    return f"+{text}" if value > 0 and text != decimal(0, digits) else text


def decimal(value: float | None, digits: int = 2) -> str:
    """Write a number with a fixed number of decimals, a true minus sign before negative ones.

    Parameters
    ----------
    value : float or None
    digits : int, default 2

    Returns
    -------
    str

    Examples
    --------
    >>> decimal(-0.3794, 3), decimal(float("inf")), decimal(float("nan"))
    ('−0.379', '∞', '–')
    """
    if value is not None and math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value is None or not math.isfinite(value):
        return NOT_SHOWN
    text = half_up(value, digits)
    return _local(f"−{text[1:]}" if text.startswith("-") and float(text) != 0 else text.lstrip("-"))


def count(value: float | None, *, locale: str = "") -> str:
    """Write a count with separators between thousands.

    Parameters
    ----------
    value : float or None
    locale : str
        The one in force where none is named.

    Returns
    -------
    str

    Examples
    --------
    >>> count(1060)
    '1,060'
    """
    return NOT_SHOWN if value is None or not math.isfinite(value) else _local(f"{int(half_up(value, 0)):,}", locale)


def interval(low: float | None, high: float | None, *, share: bool = True, digits: int = 0) -> str:
    r"""Write a confidence interval's limits.

    Parameters
    ----------
    low, high : float or None
    share : bool, default True
        Whether they are shares, to be written as percentages.
    digits : int, default 0

    Returns
    -------
    str

    Examples
    --------
    >>> interval(0.42, 0.58), interval(-1.5, 2.0, share=False, digits=1)
    ('42%\xa0to\xa058%', '−1.5\xa0to\xa02.0')
    """
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return NOT_SHOWN
    write = percent if share else decimal
    return between(write(low, digits), write(high, digits))


def between(low: str, high: str) -> str:
    """Write two limits that are written out already."""
    return messages(speech().language)["between"].format(low=low, high=high)


def p_value(value: float | None, *, coarse: bool = False) -> str:
    """Write a p value.

    Parameters
    ----------
    value : float or None
    coarse : bool, default False
        Whether it is known in hundredths only, 0.01 standing for smaller ones.

    Returns
    -------
    str

    Examples
    --------
    >>> p_value(0.0474), p_value(0.00004), p_value(0.14, coarse=True), p_value(0.01, coarse=True)
    ('0.047', '<0.001', '0.14', '≤0.01')
    """
    if value is None or not math.isfinite(value):
        return NOT_SHOWN
    if coarse:
        return _local("≤0.01" if value < 0.015 else half_up(value, 2))
    return _local("<0.001" if value < 0.001 else half_up(value, 3))


# Months that a reader takes for so many days.
# 270 and not 273: nine months as the funnel's window has them; 547 and 548 are both one and a half years.
_MONTHS = {90: 3, 91: 3, 182: 6, 183: 6, 270: 9, 365: 12, 547: 18, 548: 18, 730: 24}


def months_of(days: float) -> int:
    """Return the months that so many days are commonly called; 0 where they are not."""
    return _MONTHS.get(round(days), 0) if float(days).is_integer() else 0


def horizon(days: float) -> str:
    """Write up to when something is told, after "by" or "at": in months where the days are commonly called so.

    Parameters
    ----------
    days : float

    Returns
    -------
    str
        In Spanish with its preposition, which depends on what follows.

    Examples
    --------
    >>> horizon(182), horizon(365), horizon(60), horizon(1060)
    ('six months', 'one year', 'day 60', 'day 1,060')
    """
    return _in_months(days, f"horizon.{months_of(days)}", "horizon.day")


def span(days: float) -> str:
    """Write a length of time: in months where the days are commonly called so.

    Parameters
    ----------
    days : float

    Returns
    -------
    str

    Examples
    --------
    >>> span(182), span(365), span(60)
    ('six months', 'one year', '60 days')
    """
    return _in_months(days, f"time.{months_of(days)}", "time.days")


def _in_months(days: float, months: str, otherwise: str) -> str:
    said = messages(speech().language)
    return said.get(months) or said[otherwise].format(n=count(days))


def long_date(day: date, *, locale: str = "") -> str:
    """Return a day in words.

    Parameters
    ----------
    day : datetime.date
    locale : str
        The one in force where none is named.

    Returns
    -------
    str

    Examples
    --------
    >>> long_date(date(2022, 9, 30)), long_date(date(2022, 9, 30), locale="es-US")
    ('September 30, 2022', '30 de septiembre de 2022')
    """
    return str(format_date(day, format="long", locale=_babel(locale or speech().locale)))
