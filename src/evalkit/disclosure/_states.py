"""Making estimates of states safe: the same analysis of safe moves, limits with the noise, and what is not told.

Mean days in states are a mean of people like any other, with the noise of what one of them gives: numbers on the days
of the grid do not say when between two of them people moved. Most first sessions lie early between two days, and an
area under straight lines had people wait five days too long (ADR 21).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.counts import TransitionCounts
from evalkit.disclosure._lines import VALUES
from evalkit.disclosure._policy import UNIT_VARIANCE, Policy
from evalkit.disclosure._transitions import OTHER, Stocks, known_states, merged, stocks_of
from evalkit.estimates import Estimates

__all__ = ["enough_in", "safe_states"]


Floats = NDArray[np.float64]


def safe_states(
    estimates: Estimates, exact: TransitionCounts, policy: Policy
) -> tuple[Estimates | None, tuple[str, ...]]:
    """Return what an analysis of moves says of safe counts (None: nothing may be shown), and what is withheld.

    Rows of states with few people on a day have no numbers; several such that are together not few get a row 'other'.
    DisclosureError if such counts have no safe form, AnalysisError if the safe ones end before the horizon.
    """
    stocks = stocks_of(exact, policy, estimates.noise_name)
    counts, groups = merged(stocks, exact.states)
    if counts is None or estimates.analysis is None:
        return None, tuple(groups)
    stocks = [one for one in stocks if one.group not in groups]
    days = "tau" in estimates.data
    errors = _told_days(estimates, exact, counts, stocks, policy) if days else _errors(estimates.tidy(), stocks, policy)
    # Safe moves have no people, so the jackknife of the analysis cannot run on them: their errors are handed over.
    again = estimates.analysis.estimate(dataclasses.replace(counts, errors=_coarse(errors, 0.1 if days else 0.001)))
    rows = again.tidy()
    if days:
        tau = float(estimates.data["tau"].iloc[0])
        known = {(one.group, s) for one in stocks for s in np.array(one.states)[enough_in(one, tau, policy)]}
        # Nobody was ever in it: a published zero, which chance does not move.
        rows.loc[rows["estimate"].eq(0) & rows["std_error"].eq(0), ["conf_low", "conf_high"]] = np.nan
    else:
        known = known_states(stocks)
    absent = [f"{one.group}: {state}" for one in stocks for state in one.states if (one.group, state) not in known]
    if not days:
        rows = _by_day(_emptied(rows, estimates.tidy()), stocks)
    never = pd.Series([(g, s) not in known and s != OTHER for g, s in zip(rows["group"], rows["state"], strict=True)])
    rows.loc[never.to_numpy(), VALUES] = np.nan
    notes = (*estimates.notes, *_notes(policy))
    about = {"population": estimates.population, "cut": estimates.cut, "asked": estimates.asked, "notes": notes}
    summary = {k: v for k, v in estimates.summary.items() if k != "n"}
    summary["n"] = sum(one.everybody() for one in stocks)
    safe = again.about(data=rows, counts=counts, summary=summary, view=estimates.view, **about)
    return safe, (*groups, *absent)


def _notes(policy: Policy) -> tuple[str, ...]:
    return (
        "Single moves between states are not told: those between two days of the table are merged into the fewest that "
        f"lead from one day's numbers to the next. States with fewer than {policy.minimum_count} people are not shown.",
    )


def _coarse(errors: pd.DataFrame, step: float) -> pd.DataFrame:
    """Round standard errors up: exact ones can be counted back to who is at risk; coarse ones still cover (ADR 21)."""
    return errors.assign(std_error=np.ceil(np.maximum(errors["std_error"] / step - 1e-9, 0)) * step)


def _errors(rows: pd.DataFrame, stocks: list[Stocks], policy: Policy) -> pd.DataFrame:
    r"""Return standard errors as if so many people were observed as is published, with the noise.

    Noise adds :math:`\sigma^2 (1 + p^2) / n^2` to the variance of a share.
    """
    found = []
    for one in stocks:
        own, grid = rows[rows["group"] == one.group], one.grid
        for time, part in own.groupby("time"):
            day = float(str(time))
            if not grid or day > grid[-1]:
                continue
            exact, told = max(one.observed(day), 1), one.after(day) if one.observed(day) else 1
            wider = np.sqrt(exact / max(told - np.sqrt(policy.noise_variance), 1))
            error = np.sqrt((part["std_error"] * wider) ** 2 + _noise(part, policy))
            found.append(part[["group", "state"]].assign(time=day, std_error=error))
    return (
        pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["group", "state", "time", "std_error"])
    )


def _noise(part: pd.DataFrame, policy: Policy) -> pd.Series:
    """Return what noise adds to the variance of probabilities."""
    p, square = part["estimate"], part["std_error"] ** 2
    size = (p * (1 - p) / square.where(square > 0)).fillna(np.inf)  # of a sample with such an error
    return policy.noise_variance * (1 + p**2) / size**2


def _emptied(rows: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    """Take noise out of states in which nobody can be on a day (a published zero), and give it to the others."""
    keys = ["group", "state", "time"]
    empty = exact[exact["estimate"] == 0][keys].assign(nobody=True)
    nobody = rows[keys].merge(empty, on=keys, how="left")["nobody"].eq(True).to_numpy(dtype=bool)
    left = rows["estimate"].where(~nobody, 0.0).groupby([rows["group"], rows["time"]]).transform("sum")
    scale = (1.0 / left.where(left > 0)).where(rows["estimate"].notna() & ~nobody, 1.0)
    values = ["estimate", "conf_low", "conf_high"]
    rows[values] = rows[values].mul(scale.fillna(1.0), axis=0).clip(upper=1.0)
    rows.loc[nobody, ["estimate", "std_error"]] = 0.0
    rows.loc[nobody, ["conf_low", "conf_high"]] = np.nan
    return rows


def _by_day(rows: pd.DataFrame, stocks: list[Stocks]) -> pd.DataFrame:
    """Take out the numbers of states with few people on a day, and after a group's last day; add them together."""
    parts = []
    for one in stocks:
        own, grid = rows[rows["group"] == one.group], one.grid
        for time, rows_of_day in own.groupby("time", sort=True):
            day, part = float(str(time)), rows_of_day.copy()
            told = day <= grid[-1] and one.tells(day)
            few = one.hidden(day) if told else np.ones(len(one.states), dtype=bool)
            hidden = part["state"].isin([s for s, no in zip(one.states, few, strict=True) if no])
            together = float(part.loc[hidden, "estimate"].sum())
            part.loc[hidden, VALUES] = np.nan
            # At risk on a day are those observed after the day before.
            part["n_risk"] = (one.after(day - 1) if one.tells(day - 1) else np.nan) if told else 0
            if told and few.sum() > 1 and not one.together(day, few):
                named = {"group": one.group, "state": OTHER, "time": day, "n_risk": part["n_risk"].iloc[0]}
                parts.append(pd.DataFrame([{**named, "estimate": together}]))
            parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else rows


def _told_days(
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
