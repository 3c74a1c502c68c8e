"""Making estimates of states safe: the same analysis of safe moves, limits with the noise, and what is not told."""

from __future__ import annotations

__all__ = ["safe_states"]

import dataclasses

import numpy as np
import pandas as pd

from evalkit.counts import TransitionCounts
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._state_days import enough_in, told_days
from evalkit.disclosure._transitions import OTHER, Stocks, known_states, merged, stocks_of
from evalkit.estimates import Estimates

_NUMBERS = ("estimate", "std_error", "conf_low", "conf_high")


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
    errors = told_days(estimates, exact, counts, stocks, policy) if days else _errors(estimates.tidy(), stocks, policy)
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
    rows.loc[never.to_numpy(), list(_NUMBERS)] = np.nan
    notes = (*estimates.notes, *_notes(policy))
    about = {"population": estimates.population, "cut": estimates.cut, "asked": estimates.asked, "notes": notes}
    about["view"] = estimates.view
    summary = {k: v for k, v in estimates.summary.items() if k != "n"}
    summary["n"] = sum(one.everybody() for one in stocks)
    return again.about(data=rows, counts=counts, summary=summary, **about), (*groups, *absent)


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
            part.loc[hidden, list(_NUMBERS)] = np.nan
            # At risk on a day are those observed after the day before.
            part["n_risk"] = (one.after(day - 1) if one.tells(day - 1) else np.nan) if told else 0
            if told and few.sum() > 1 and not one.together(day, few):
                row = {
                    "group": one.group,
                    "state": OTHER,
                    "time": day,
                    "n_risk": part["n_risk"].iloc[0],
                    "estimate": together,
                }
                parts.append(pd.DataFrame([row]))
            parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else rows
