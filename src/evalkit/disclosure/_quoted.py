"""Which landmarks of a safe curve are quoted: those at which it is true, and of enough people with the event."""

from __future__ import annotations

__all__ = ["NEARNESS", "TOLERANCE", "curve_keys", "is_curve", "places", "quotable"]

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from evalkit.counts import DayCounts
from evalkit.disclosure._policy import Policy
from evalkit.estimates import Estimates

TOLERANCE = 0.02
"""Largest distance of a safe curve from the exact one at a landmark that is quoted, or `NEARNESS`."""

NEARNESS = 1 / 2
"""The same in standard errors."""


def curve_keys(rows: pd.DataFrame) -> list[str]:
    """Return the columns that tell one curve from another.

    Parameters
    ----------
    rows : pandas.DataFrame

    Returns
    -------
    list of str
    """
    return ["group", "cause"] if "cause" in rows else ["group"]


def places(rows: pd.DataFrame) -> list[tuple[str, float]]:
    """Name each row's curve (``group``, or ``group: cause``) and day.

    Parameters
    ----------
    rows : pandas.DataFrame

    Returns
    -------
    list of (str, float)
    """
    groups = rows["group"].astype(str)
    names = groups + ": " + rows["cause"].astype(str) if "cause" in rows else groups
    return [(str(name), float(time)) for name, time in zip(names, rows["time"], strict=True)]


def is_curve(estimates: Estimates) -> bool:
    """Say whether an estimate is of curves.

    Parameters
    ----------
    estimates : Estimates

    Returns
    -------
    bool
    """
    return isinstance(estimates.counts, DayCounts) and {"time", "n_risk", "n_event"} <= set(estimates.data.columns)


def quotable(
    exact: Estimates, shown: Estimates, read: pd.DataFrame, policy: Policy
) -> tuple[frozenset[tuple[str, float]], frozenset[tuple[str, float]]]:
    """Choose the landmarks at which a safe curve is quoted, and those at which it is only too far from the exact one.

    It is close to the exact one there, enough people are at risk, and as many as the minimum have had the event by
    then: a share of fewer that is known to be near the truth would give their number away, smoothed or not.

    Parameters
    ----------
    exact, shown : Estimates
        The exact curves, and those of safe counts.
    read : pandas.DataFrame
        The safe curves at the policy's landmarks, as `Safe.at` gives them.
    policy : Policy

    Returns
    -------
    quoted, far : frozenset of (str, float)
        As `places`.
    """
    again: Any = dataclasses.replace(exact.analysis, times=policy.landmarks)  # type: ignore[type-var]
    rows = shown.tidy()
    curve = curve_keys(rows)
    keys = [*curve, "time"]
    true = again.estimate(exact.counts).tidy()[[*keys, "estimate", "std_error"]]
    events = rows.groupby(curve, as_index=False).agg(events=("n_event", "sum"))
    both = read.merge(true, on=keys, suffixes=("", "_exact")).merge(events, on=curve)
    off = (both["estimate"] - both["estimate_exact"]).abs()
    error = both["std_error_exact"].fillna(0.0)
    by_then = np.array([_events_by(exact.counts, row) for _, row in both.iterrows()], dtype=np.int64)
    many = (by_then >= policy.minimum_count) | ((by_then == 0) & (off < 1e-9) & policy.zero)
    enough = many & both["n_risk"].ge(policy.minimum_at_risk) & both["events"].gt(0)
    close = off <= np.maximum(TOLERANCE, error * NEARNESS)
    return frozenset(places(both[enough & close])), frozenset(places(both[enough & ~close]))


def _events_by(counts: object, row: pd.Series) -> int:
    """Count the people of a curve who have had the event by a day."""
    if not isinstance(counts, DayCounts):
        return 0
    k = counts.causes.index(str(row["cause"])) if "cause" in row else 0
    own = counts.data[(counts.data["group"] == row["group"]) & (counts.data["time"] <= row["time"])]
    return int(own[counts.event_columns[k]].sum())
