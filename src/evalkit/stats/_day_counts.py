"""Counts by day, made once from plain columns."""

from __future__ import annotations

__all__ = ["day_counts", "tally_days"]

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.counts import DayCounts, codes_of
from evalkit.errors import AnalysisError
from evalkit.stats._columns import LARGEST_DAY, Floats, Ints, Rows, read_rows, whole_days

# Up to so many days (274 years) each has a place of its own and nothing is sorted; beyond, only days that occur.
DIRECT_DAYS = 100_000
Whole = npt.NDArray[np.int32] | Ints


def _grid(rows: Rows) -> tuple[Floats, Whole, Whole | None]:
    """Distinct times (m,), and where each row's time and entry stand on them (-1: origin)."""
    index = whole_days(rows.time) if rows.days is None else rows.days
    if index is not None and (top := int(index.max())) < DIRECT_DAYS:
        # minus infinity, the origin, has place -1
        late = None if rows.entry is None else whole_days(np.maximum(rows.entry, -1.0))
        if rows.entry is None or late is not None:
            return np.arange(top + 1, dtype=np.float64), index, late
    times = rows.time if rows.entry is None else np.concatenate([rows.time, rows.entry])
    grid = np.unique(times[np.isfinite(times)])
    index = np.searchsorted(grid, rows.time).astype(np.int64)
    if rows.entry is None:
        return grid, index, None
    begun = np.isneginf(rows.entry)
    entry = np.where(begun, -1, np.searchsorted(grid, np.where(begun, grid[0], rows.entry)))
    return grid, index, entry.astype(np.int64)


def tally_days(rows: Rows, names: Sequence[str]) -> DayCounts:
    """Return the counts of checked rows."""
    grid, index, entry = _grid(rows)
    g, k, width = len(rows.groups.labels), len(names), len(grid) + 1
    fits = g * (k + 1) * width < LARGEST_DAY
    exits: npt.NDArray[Any] = rows.groups.codes.astype(
        np.int32 if fits else np.int64
    )  # sums of millions of small numbers are quicker
    exits *= k + 1
    exits += rows.cause.astype(exits.dtype, copy=False)
    exits *= width
    exits += index.astype(exits.dtype, copy=False)
    exits += 1
    starts = None if entry is None else rows.groups.codes * width + entry + 1
    columns: dict[str, Floats | Ints] = {}

    def put(prefix: str, mass: Floats | None) -> None:
        left = np.bincount(exits, weights=mass, minlength=g * (k + 1) * width).reshape(g, k + 1, width)
        if starts is None:
            began = np.zeros((g, width), dtype=left.dtype)
            began[:, 0] = left.sum(axis=(1, 2))
        else:
            began = np.bincount(starts, weights=mass, minlength=g * width).reshape(g, width)
        columns[f"{prefix}_entry"] = began.ravel()
        for j in range(1, k + 1):
            columns[f"{prefix}_event_{j}"] = left[:, j].ravel()
        columns[f"{prefix}_censor"] = left[:, 0].ravel()

    put("n", None)
    if rows.weights is not None:
        put("w", rows.weights)
        put("w2", rows.weights**2)
    raw = [v for name, v in columns.items() if name.startswith("n_")]
    used = np.flatnonzero(np.sum(raw, axis=0) > 0)
    # before every time: those who are observed from their origin
    times = np.concatenate([[-np.inf], grid])[used % width]
    groups = np.array(rows.groups.labels, dtype=object)[used // width]
    frame = pd.DataFrame({"group": groups, "time": times} | {k: v[used] for k, v in columns.items()})
    return DayCounts(frame, causes=tuple(names))


def day_counts(
    data: pd.DataFrame,
    time: str,
    event: str,
    *,
    by: str | None = None,
    entry: str | None = None,
    weights: str | None = None,
    causes: Sequence[str] | None = None,
) -> DayCounts:
    """Count entries, events and censorings by day and group.

    The counts are sufficient for Kaplan-Meier, log-rank, restricted means and cumulative incidence [1]_.
    Whole days are counted without a sort; other times by one sort, with times that differ by rounding
    error only taken as ties.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
        One row per person (or per spell under observation). Not changed.
    time : str
        Column: end of observation, days since the origin, >= 0.
    event : str
        Column: bool or 0/1; with competing causes 0 (censored), 1 ... K.
    by : str, optional
        Column of groups; without it there is one group, 'all'.
    entry : str, optional
        Column: observed only after this day (entry < time); -inf means from the origin.
    weights : str, optional
        Column of case weights, >= 0.
    causes : sequence of str, optional
        Names of the causes 1 ... K; default ``("event",)`` for one, ``("1", "2", ...)`` for several.

    Returns
    -------
    DayCounts
        Where there are weights, their sums (``w_...``) and sums of squares (``w2_...``, for robust
        variances) stand beside the raw counts.

    Raises
    ------
    AnalysisError
        Naming the column that is missing, of the wrong type, negative, or has missing values.

    References
    ----------
    .. [1] Andersen, Borgan, Gill, Keiding (1993), Statistical Models Based on Counting Processes, chapter IV.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [3, 5, 5, 9], "left": [1, 1, 0, 0]})
    >>> day_counts(people, "day", "left").frame[["time", "n_entry", "n_event_1", "n_censor"]]
       time  n_entry  n_event_1  n_censor
    0  -inf        4          0         0
    1   3.0        0          1         0
    2   5.0        0          1         1
    3   9.0        0          0         1
    """
    if causes is not None and not tuple(causes):
        msg = "day_counts: causes must name at least one cause"
        raise AnalysisError(msg)
    high = None if causes is None else len(tuple(causes))
    rows = read_rows(data, time, event, by=by, entry=entry, weights=weights, causes=high)
    if causes is None:
        found = int(rows.cause.max(initial=1))
        names = ("event",) if found <= 1 else tuple(str(k) for k in range(1, found + 1))
    else:
        names = tuple(causes)
    counts = tally_days(rows, names)
    codes = codes_of(data)
    # curves with late entry have no safe form, so nobody need be known by a code
    if codes is None or entry is not None:
        return counts
    labels = np.array(rows.groups.labels, dtype=object)[rows.groups.codes]
    people = pd.DataFrame({"code": codes, "group": labels, "time": rows.time, "cause": rows.cause})
    return dataclasses.replace(counts, people=people)
