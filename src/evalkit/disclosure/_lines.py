"""Reading a safe curve between its steps.

A step of a safe curve stands for at least the policy's minimum of events, on their mean day. Read as a step, it would
put all of them on that day: a group with twenty events would seem to lose nobody and then twenty people at once. So a
safe curve is read as straight lines between the days on which its value is known: the ends of the blocks. A block ends
at a landmark where one lies between two steps, else half-way to the next step; within a block the fall is even.
"""

from __future__ import annotations

__all__ = ["knots_of", "read_at"]

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_VALUES = ("estimate", "conf_low", "conf_high")


def knots_of(rows: pd.DataFrame, landmarks: Sequence[float], last_day: float) -> pd.DataFrame:
    """Return the days on which one group's safe curve is known, and its values there.

    Parameters
    ----------
    rows : pandas.DataFrame
        The curve's steps of one group, ascending: time, n_event, n_censor, n_risk, estimate and limits.
    landmarks : sequence of float
        The policy's landmarks.
    last_day : float
        Where the curve ends.

    Returns
    -------
    pandas.DataFrame
        time, estimate, conf_low, conf_high; the first row is day 0 with the value 1.
    """
    steps = rows[(rows["n_event"] > 0) & rows["estimate"].notna()]
    ends = _block_ends(steps["time"].to_numpy(dtype=float), landmarks, last_day)
    values = {name: np.concatenate([[1.0], steps[name].to_numpy(dtype=float)]) for name in _VALUES}
    knots = pd.DataFrame({"time": np.concatenate([[0.0], ends]), **values})
    if knots["time"].iloc[-1] < last_day:
        knots = pd.concat([knots, knots.iloc[[-1]].assign(time=last_day)], ignore_index=True)
    return knots


def _block_ends(days: Floats, landmarks: Sequence[float], last_day: float) -> Floats:
    ends: list[float] = []
    for k, day in enumerate(days):
        if k + 1 < len(days):
            middle = (day + days[k + 1]) / 2
            between = [mark for mark in landmarks if day <= mark < days[k + 1]]
            ends.append(float(min(between, key=lambda mark: abs(mark - middle))) if between else middle)
        else:
            before = ends[-1] if ends else 0.0
            ends.append(float(min(max(2 * day - before, day), max(last_day, day))))
    return np.maximum.accumulate(np.array(ends)) if ends else np.empty(0)


def read_at(rows: pd.DataFrame, times: Sequence[float], landmarks: Sequence[float], base: int) -> pd.DataFrame:
    """Read one group's safe curve at some days.

    Parameters
    ----------
    rows : pandas.DataFrame
        The curve's steps of one group.
    times : sequence of float
    landmarks : sequence of float
    base : int
        Numbers at risk are rounded to it.

    Returns
    -------
    pandas.DataFrame
        group, time, n_risk, estimate, conf_low, conf_high; missing after the curve's end.
    """
    at = np.asarray(times, dtype=float)
    last_day = float(rows["time"].max())
    knots = knots_of(rows, landmarks, last_day)
    beyond = at > last_day
    found = {name: np.where(beyond, np.nan, np.interp(at, knots["time"], knots[name])) for name in _VALUES}
    size = float(rows["n_risk"].iloc[0])
    gone = np.zeros(len(at))
    for column in ("n_event", "n_censor"):
        steps = rows[rows[column] > 0]
        ends = _block_ends(steps["time"].to_numpy(dtype=float), landmarks, last_day)
        total = np.concatenate([[0.0], np.cumsum(steps[column].to_numpy(dtype=float))])
        gone += np.interp(at, np.concatenate([[0.0], ends]), total) if len(ends) else 0.0
    risk = np.where(beyond, np.nan, np.round((size - gone) / base) * base)
    return pd.DataFrame({"group": rows["group"].iloc[0], "time": at, "n_risk": risk, **found})
