"""The one place where numbers become text: rounding, units, what is not shown."""

from __future__ import annotations

__all__ = ["NOT_SHOWN", "between", "count", "decimal", "interval", "p_value", "percent", "points"]

import math

NOT_SHOWN = "–"
"""Stands in tables where a number may not be shown or is not defined."""


def _absent(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def percent(value: float | None, digits: int = 0) -> str:
    """Write a share as a percentage.

    Parameters
    ----------
    value : float or None
        0 to 1.
    digits : int, default 0

    Returns
    -------
    str

    Examples
    --------
    >>> percent(0.734), percent(0.9996), percent(0.0), percent(None)
    ('73%', 'over 99%', '0%', '–')
    """
    if value is None or _absent(value):
        return NOT_SHOWN
    text = f"{100 * value:.{digits}f}"
    if value < 1 and float(text) == 100:
        return "over 99%"
    if value > 0 and float(text) == 0:
        return "under 1%"
    return f"{text.lstrip('-') if float(text) == 0 else text}%"


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
    if value is None or _absent(value):
        return NOT_SHOWN
    text = decimal(100 * value, digits)
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
    if value is None or _absent(value):
        return NOT_SHOWN
    text = f"{value:.{digits}f}"
    return f"−{text[1:]}" if text.startswith("-") and float(text) != 0 else text.lstrip("-")


def count(value: float | None) -> str:
    """Write a count with separators between thousands.

    Parameters
    ----------
    value : float or None

    Returns
    -------
    str

    Examples
    --------
    >>> count(1060)
    '1,060'
    """
    return NOT_SHOWN if value is None or _absent(value) else f"{round(value):,}"


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
    return f"{low}\u00a0to\u00a0{high}"


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
    if value is None or _absent(value):
        return NOT_SHOWN
    if coarse:
        return "≤0.01" if value < 0.015 else f"{value:.2f}"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
