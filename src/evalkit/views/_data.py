"""Safe numbers as plain values: what a mark holds, and what a table of restatements writes."""

from __future__ import annotations

__all__ = ["as_mark", "in_words", "restatement_numbers"]

import math
from typing import Any

import pandas as pd

from evalkit.words import translated

_NAMED = ("group", "label", "variable", "cause", "contrast", "measure", "sentence")
_DIGITS = 6  # significant; fewer than a figure's own coordinates hold


def in_words(data: pd.DataFrame) -> pd.DataFrame:
    """Return numbers with their names in the language in force.

    Parameters
    ----------
    data : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
    """
    names = [name for name in _NAMED if name in data]
    return data.assign(**{name: data[name].map(lambda v: translated(v) if isinstance(v, str) else v) for name in names})


def as_mark(frame: pd.DataFrame) -> dict[str, Any]:
    """Return rows as plain values that a notebook's metadata can hold, the same for the same rows.

    Parameters
    ----------
    frame : pandas.DataFrame

    Returns
    -------
    dict
        ``columns``: names; ``rows``: one list per row, numbers to six significant digits, None where missing.

    Examples
    --------
    >>> as_mark(pd.DataFrame({"group": ["a", "b"], "estimate": [1 / 3, float("nan")], "n": [120.0, 5.0]}))["rows"]
    [['a', 0.333333, 120], ['b', None, 5]]
    """
    rows = frame.astype(object).to_numpy().tolist()
    return {"columns": [str(name) for name in frame.columns], "rows": [[_plain(v) for v in row] for row in rows]}


def _plain(value: Any) -> str | float | int | None:  # noqa: ANN401 - whatever a cell holds
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, str):
        return value
    number = float(value)
    if not math.isfinite(number):
        return None
    number = float(f"{number:.{_DIGITS}g}")
    return int(number) if number.is_integer() else number


def restatement_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return figures of an earlier period that changed since.

    Parameters
    ----------
    rows : pandas.DataFrame
        From disclosure control: figure, group, old, new, reason.

    Returns
    -------
    pandas.DataFrame
        label, group, baseline (as known then), estimate (as known now), sentence; as the table, without those that
        changed slightly unless all did.
    """
    slight = rows["new"].isna()
    rows = rows if slight.all() else rows[~slight]
    names = {"figure": "label", "old": "baseline", "new": "estimate", "reason": "sentence"}
    return rows.rename(columns=names)[["label", "group", "baseline", "estimate", "sentence"]]
