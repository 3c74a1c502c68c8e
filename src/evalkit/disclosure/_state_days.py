"""Mean days in states as they may be told: a mean of people like any other, with the noise of what one of them gives.

Numbers on the days of the grid do not say when between two of them people moved. Most first sessions lie early between
two days, and an area under straight lines had people wait five days too long (ADR 21).
"""

from __future__ import annotations

__all__ = ["enough_in", "told_days"]

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.counts import TransitionCounts
from evalkit.disclosure._noise import UNIT_VARIANCE
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._transitions import Stocks
from evalkit.estimates import Estimates

Floats = NDArray[np.float64]


def told_days(
    estimates: Estimates, exact: TransitionCounts, safe: TransitionCounts, stocks: list[Stocks], policy: Policy
) -> pd.DataFrame:
    r"""Return mean days up to the horizon by group and state, and their standard errors before these are made coarse.

    Up to the grid's last day it is the exact mean with noise :math:`u_h m`, :math:`m` what one person gives most and
    :math:`\operatorname{var} u = 1/6`; from there on the area that safe moves give. With :math:`S` states held to the
    horizon the variance of a mean of :math:`p` horizons grows by :math:`m^2 (1 - 2 p + S p^2) / 6`.
    """
    rows, parts = estimates.tidy(), []
    tau = float(rows["tau"].iloc[0])
    for one in stocks:
        grid = one.grid
        if not grid or grid[-1] < tau:
            continue
        last = max(day for day in (0.0, *grid) if day <= tau)
        own = rows[rows["group"] == one.group].set_index("state").reindex(one.states)
        told = enough_in(one, tau, policy)
        most, mean = _most(one, [day for day in grid if 0 < day <= last]), _until(estimates, exact, one, last)
        days, variance = _noised(one, mean, told, last, most)
        after = _until(estimates, safe, one, tau) - _until(estimates, safe, one, last)
        everybody = one.everybody()
        # From the last day of the grid to the horizon: the noise of a share, times the days that it is held for.
        of_grid = policy.noise_variance * (1 + (days / tau) ** 2) * (tau - last) ** 2 / everybody**2
        observed = max(one.observed(0.0), 1)
        wider = observed / max(one.after(0.0) - np.sqrt(policy.noise_variance), 1)
        error = np.sqrt(own["std_error"].to_numpy(dtype=float) ** 2 * wider + variance + of_grid)
        parts.append(
            pd.DataFrame(
                {"group": one.group, "state": one.states, "time": tau, "days": days + after, "std_error": error}
            )
        )
    columns = ["group", "state", "time", "days", "std_error"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def enough_in(one: Stocks, until: float, policy: Policy) -> NDArray[np.bool_]:
    """Say of which states mean days may be told (S,): as of every mean, many or nobody in it, no one most of it."""
    spent = one.spent(until)
    total = spent.sum(axis=0)
    few = np.array([policy.hides(n) for n in (spent > 0).sum(axis=0)], dtype=bool)
    alone = (spent.max(axis=0) > policy.dominance * total) & (total > 0)
    return np.asarray(~few & ~alone)


def _until(estimates: Estimates, counts: TransitionCounts, one: Stocks, day: float) -> Floats:
    """Return the mean days in each state up to a day (S,), as the analysis finds them."""
    if day == 0:
        return np.zeros(len(one.states))
    analysis: Any = dataclasses.replace(estimates.analysis, tau=day)  # type: ignore[type-var]
    rows = analysis.estimate(dataclasses.replace(counts, paths=None)).tidy()
    own = rows[rows["group"] == one.group].set_index("state")["estimate"]
    return np.asarray(own.reindex(one.states).to_numpy(dtype=np.float64))


def _most(one: Stocks, grid: list[float]) -> float:
    """Return what one person adds to a mean most: in the state all the time, and standing for those censored."""
    observed = np.array([one.everybody(), *(one.after(day) for day in grid)], dtype=np.float64)
    return float(np.trapezoid(1 / np.maximum(observed, 1), [0.0, *grid]))


def _noised(one: Stocks, mean: Floats, told: NDArray[np.bool_], day: float, most: float) -> tuple[Floats, Floats]:
    """Return mean days with noise that add up to the day, and what that adds to their variances (S,).

    Those that are not told keep what the others leave, so that this has the noise of all others.
    """
    some = mean > 0
    if one.policy.noise_variance == 0 or not some.any():
        return mean, np.zeros(len(mean))
    noise = np.array([one.unit(f"days {state} to {day:g}") for state in one.states])
    days = np.where(some, np.clip(mean + most * noise, 0.0, day), 0.0)
    whole = bool((told | ~some).all())
    left = day - days[told].sum()
    # Scaled to the horizon, so that a reader who adds them up finds no noise to take off.
    if whole or left < 0:
        days[told] *= day / days[told].sum()
        left = 0.0
    hidden = some & ~told
    if hidden.any():
        days[hidden] = left / hidden.sum()
    p = days / max(day, 1.0)
    factor = 1 - 2 * p + some.sum() * p**2 if whole else np.ones(len(mean))
    return days, np.where(some, UNIT_VARIANCE * most**2 * factor, 0.0)
