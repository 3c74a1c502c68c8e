"""Landmark analysis: those still at risk on a day, grouped by what was known then."""

from __future__ import annotations

__all__ = ["landmark"]

import numpy as np
import pandas as pd

from evalkit.errors import AnalysisError
from evalkit.stats._columns import Floats, any_column, number_column


def _days_or_missing(data: pd.DataFrame, name: str) -> Floats:
    """Return a column of days, nan where missing; what is not a number is refused, as it would read as never."""
    values = any_column(data, name)
    present = values[values.notna()]
    kind = pd.api.types
    # true and false are numbers to numpy, and would read as days 1 and 0
    numbers = kind.is_numeric_dtype(values.dtype) and not kind.is_bool_dtype(values.dtype)
    numbers = numbers and not kind.is_complex_dtype(values.dtype)
    if values.dtype == object:
        numbers = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in present)
    if len(present) and not numbers:
        msg = f"column '{name}' must hold days since the origin as numbers, it is {values.dtype}"
        raise AnalysisError(msg)
    days = np.full(len(values), np.nan)
    if len(present):
        days[values.notna().to_numpy()] = present.to_numpy(dtype=np.float64)
    return days


def landmark(
    data: pd.DataFrame,
    time: str,
    *,
    at: float,
    known: str | None = None,
    label: str = "by_landmark",
    yes: str = "yes",
    no: str = "no",
) -> pd.DataFrame:
    """Return the rows still at risk after a landmark day, with time counted from it.

    Comparing people by something that happens during follow-up (completing a programme) from its start is
    immortal-time biased; from the landmark on, grouped by what had happened by then, it is not. [1]_

    Parameters
    ----------
    data : pandas.DataFrame, n rows
        Not changed.
    time : str
        Column: days since the origin.
    at : float
        The landmark day. Those whose time is at or before it are left out.
    known : str, optional
        Column: day of what is grouped by, as a number of days since the origin; missing where it never happened.
    label, yes, no : str
        Name and levels of the new column: `yes` where ``known`` is at or before the landmark.

    Returns
    -------
    pandas.DataFrame
        The rows with time > at, their time less at, and the new column.

    Raises
    ------
    AnalysisError
        If nobody is at risk after the landmark, or a column is missing or wrong: dates, text or yes and no in
        ``known`` are no days.

    References
    ----------
    .. [1] Anderson, Cain, Gelber (1983), J. Clin. Oncol. 1:710-719.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [100, 300, 400], "completed_on": [None, 150.0, 200.0]})
    >>> landmark(people, "day", at=182, known="completed_on")["by_landmark"].tolist()
    ['yes', 'no']
    """
    days = number_column(data, time, low=0)
    if not (np.isfinite(at) and at >= 0):
        msg = f"at must be a day, 0 or later, it is {at}"
        raise AnalysisError(msg)
    # whoever leaves on the landmark's day is not at risk after it
    kept = days > at
    if not kept.any():
        msg = f"column '{time}': nobody is at risk after day {at:g}"
        raise AnalysisError(msg)
    out = data.loc[kept].copy()
    out[time] = days[kept] - at
    if known is not None:
        if label in data.columns:
            msg = f"there is a column '{label}' already; choose another label"
            raise AnalysisError(msg)
        when = _days_or_missing(data, known)[kept]
        out[label] = np.where(np.nan_to_num(when, nan=np.inf) <= at, yes, no)
    return out
