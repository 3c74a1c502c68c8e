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

from evalkit.disclosure._policy import Policy

Floats = NDArray[np.float64]
_VALUES = ("estimate", "conf_low", "conf_high")


def knots_of(rows: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Return the days on which one group's safe curve is known, and its values there.

    Parameters
    ----------
    rows : pandas.DataFrame
        The curve's steps of one group, ascending: time, n_event, n_censor, n_risk, estimate and limits.
    policy : Policy

    Returns
    -------
    pandas.DataFrame
        time, estimate, conf_low, conf_high; the first row is day 0 with the value 1, the last the curve's end.
    """
    last_day = float(rows["time"].max())
    steps = rows[(rows["n_event"] > 0) & rows["estimate"].notna()]
    days, which = _polygon(steps["time"].to_numpy(float), steps["n_event"].to_numpy(float), policy, last_day)
    values = {name: np.concatenate([[1.0], steps[name].to_numpy(dtype=float)])[which] for name in _VALUES}
    knots = pd.DataFrame({"time": days, **values})
    if knots["time"].iloc[-1] < last_day:
        knots = pd.concat([knots, knots.iloc[[-1]].assign(time=last_day)], ignore_index=True)
    return knots


def _polygon(days: Floats, sizes: Floats, policy: Policy, last_day: float) -> tuple[Floats, NDArray[np.intp]]:
    """Return the corners of the line: days, and how many steps lie behind each.

    A day that carries two blocks or more is a jump (many people left on that very day); any other step is the middle of
    a fall that ends at a landmark before the next step, or half-way to it.
    """
    at, behind = [0.0], [0]
    for k, day in enumerate(days):
        if sizes[k] >= 2 * policy.block:
            at += [max(at[-1], day - 1), day]
            behind += [k, k + 1]
            continue
        if k + 1 < len(days):
            middle = (day + days[k + 1]) / 2
            between = [float(mark) for mark in policy.landmarks if day <= mark < days[k + 1]]
            end = min(between, key=lambda mark: abs(mark - middle)) if between else middle
        else:
            end = min(max(2 * day - at[-1], day), max(last_day, day))
        at.append(max(at[-1], end))
        behind.append(k + 1)
    return np.array(at), np.array(behind)


def read_at(rows: pd.DataFrame, times: Sequence[float], policy: Policy) -> pd.DataFrame:
    """Read one group's safe curve at some days.

    Parameters
    ----------
    rows : pandas.DataFrame
        The curve's steps of one group.
    times : sequence of float
    policy : Policy

    Returns
    -------
    pandas.DataFrame
        group, time, n_risk (just before the day, a multiple of the rounding base), estimate, conf_low, conf_high;
        missing after the curve's end.
    """
    at = np.asarray(times, dtype=float)
    last_day = float(rows["time"].max())
    knots = knots_of(rows, policy)
    beyond = at > last_day
    found = {name: np.where(beyond, np.nan, np.interp(at, knots["time"], knots[name])) for name in _VALUES}
    gone = np.zeros(len(at))
    for column in ("n_event", "n_censor"):
        steps = rows[rows[column] > 0]
        sizes = steps[column].to_numpy(dtype=float)
        days, which = _polygon(steps["time"].to_numpy(dtype=float), sizes, policy, last_day)
        total = np.concatenate([[0.0], np.cumsum(sizes)])[which]
        gone += np.interp(at - 1, days, total)
    base = policy.rounding_base
    risk = np.where(beyond, np.nan, np.round((float(rows["n_risk"].iloc[0]) - gone) / base) * base)
    return pd.DataFrame({"group": rows["group"].iloc[0], "time": at, "n_risk": risk, **found})
