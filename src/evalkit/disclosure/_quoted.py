"""Curves: what they are, and how one is named."""

from __future__ import annotations

__all__ = ["curve_keys", "is_curve", "places"]

import pandas as pd

from evalkit.counts import DayCounts
from evalkit.estimates import Estimates


def curve_keys(rows: pd.DataFrame) -> list[str]:
    """Return the columns that tell one curve from another."""
    return ["group", "cause"] if "cause" in rows else ["group"]


def places(rows: pd.DataFrame) -> list[tuple[str, float]]:
    """Name each row's curve (``group``, or ``group: cause``) and day.

    Returns
    -------
    list of (str, float)
    """
    groups = rows["group"].astype(str)
    names = groups + ": " + rows["cause"].astype(str) if "cause" in rows else groups
    return [(str(name), float(time)) for name, time in zip(names, rows["time"], strict=True)]


def is_curve(estimates: Estimates) -> bool:
    """Say whether an estimate is of curves."""
    return isinstance(estimates.counts, DayCounts) and {"time", "n_risk", "n_event"} <= set(estimates.data.columns)
