r"""Limits that hold with the noise, and models of which few events cannot be counted back.

Noise adds its own variance to that of a sample. For a share x of n it is :math:`\sigma^2 (1 + p^2) / n^2` beside
:math:`p (1 - p) / n` (the delta method on x / n); what it is to the variance of a sample decides how much wider the
distance from the estimate to each limit is made.

The variance of a coefficient of a Cox model is close to 1/d + 1/d0, d events at its level and d0 at the reference's.
With a few digits of it, d is known. So a level with few events makes the model unfit to be shown, and what is shown is
computed as if the events were those that are published, less what noise usually does.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from evalkit.counts import Counts, DayCounts, Moments, Tally, TransitionCounts
from evalkit.disclosure._policy import UNIT_VARIANCE, Policy
from evalkit.wilson import normal_quantile

__all__ = ["any_small", "coarser", "widened"]


Floats = NDArray[np.float64]


def widened(rows: pd.DataFrame, counts: Counts, policy: Policy, *, shares: bool) -> pd.DataFrame:
    """Widen limits and standard errors of estimates made from published counts; rows without limits stay.

    Those of shares stay within 0 and 1; differences and means may leave them, wherever their limits lay before.
    """
    if isinstance(counts, TransitionCounts):  # whose errors hold the noise
        return rows
    if policy.noise_variance == 0 or not {"estimate", "conf_low", "conf_high"} <= set(rows.columns) or rows.empty:
        return rows
    wider = np.sqrt(1 + _ratio(rows, counts, policy.noise_variance))
    rows, value = rows.copy(), rows["estimate"].to_numpy(dtype=np.float64)
    limits = rows[["conf_low", "conf_high"]].to_numpy(dtype=np.float64)
    limits = value[:, None] + (limits - value[:, None]) * wider[:, None]
    rows[["conf_low", "conf_high"]] = np.where(_within_one(rows, shares), np.clip(limits, 0, 1), limits)
    if "std_error" in rows:
        rows["std_error"] = rows["std_error"] * wider
    return rows


def _within_one(rows: pd.DataFrame, shares: bool) -> NDArray[np.bool_]:
    """Say which rows are shares (rows, 1): beside a difference from a published share, that of the study by itself."""
    alone = rows["measure"].eq("proportion") if "measure" in rows else pd.Series(data=True, index=rows.index)
    return np.asarray(alone.to_numpy(dtype=bool)[:, None] & shares)


def _ratio(rows: pd.DataFrame, counts: DayCounts | Tally | Moments, variance: float) -> Floats:
    """Return the variance of the noise as a multiple of the sample's, for each row."""
    if isinstance(counts, DayCounts):
        return _of_curves(rows, counts, variance)
    data = counts.data
    n = np.maximum(data["n"].to_numpy(dtype=np.float64), 1)
    if isinstance(counts, Tally):
        p = data["n_event"].to_numpy(dtype=np.float64) / n
        sample, noise = p * (1 - p) / n, np.where((p > 0) & (p < 1), variance * (1 + p**2) / n**2, 0.0)
    else:
        sample, noise = _of_sums(counts, n)
    names = {name: data[name].astype(str).to_numpy() for name in ("group", "term")}
    return np.array([_of_row(row, names, sample, noise) for _, row in rows.iterrows()], dtype=np.float64)


def _of_row(row: pd.Series, names: Mapping[str, NDArray[np.object_]], sample: Floats, noise: Floats) -> float:
    """Return the ratio for the counts that a row was made of: its own, or those of all groups that it compares."""
    own = np.ones(len(sample), dtype=bool)
    for keys in (("group", "term"), ("term",), ("group",)):
        if all(key in row.index for key in keys):
            these = np.logical_and.reduce([names[key] == str(row[key]) for key in keys])
            if these.any():
                own = these
                break
    total = float(sample[own].sum())
    return float(noise[own].sum()) / total if total > 0 else 0.0


def _of_sums(counts: Moments, n: Floats) -> tuple[Floats, Floats]:
    """Return the variance of means, and what noise adds: one person gives three times the root of the mean square."""
    data = counts.data
    mean, square = data["total"].to_numpy(dtype=np.float64) / n, data["total_sq"].to_numpy(dtype=np.float64) / n
    return np.maximum(square - mean**2, 0) / n, UNIT_VARIANCE * 9 * square / n**2


def _of_curves(rows: pd.DataFrame, counts: DayCounts, variance: float) -> Floats:
    """Return the ratio for curves: of a share p with the sample that its standard error speaks of; else of one half."""
    everybody = counts.data.groupby("group")["n_entry"].sum()
    if {"std_error", "time"} <= set(rows.columns) and "group" in rows:
        p = rows["estimate"].to_numpy(dtype=np.float64)
        spread, square = p * (1 - p), rows["std_error"].to_numpy(dtype=np.float64) ** 2
        size = np.divide(spread, square, out=np.full(len(p), np.inf), where=square > 0)
        # An incidence is the share with the event; a survival curve, which names no cause, that without it.
        had = np.where("cause" in rows, p, 1 - p)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = variance * (1 + had**2) / (spread * size)
        return np.where(np.isfinite(ratio) & (spread > 0), ratio, 0.0)
    named = rows["group"].astype(str).map(everybody) if "group" in rows else pd.Series(np.nan, index=rows.index)
    size = named.fillna(float(everybody.min())).to_numpy(dtype=np.float64)
    # No share to go by: of one half, (1 + 1/4) / (1/4) = 5, in the smallest group where none is named.
    return 5 * variance / np.maximum(size, 1)


_ARMS = "model"


def any_small(counts: Tally, policy: Policy) -> bool:
    """Say whether a model speaks of too few people, with the event or without, in an arm or at a level of a term.

    One row per arm (term ``model``) and per level of each term (``name[level]``).
    """
    rows = counts.data
    with_it, without = rows["n_event"].to_numpy(dtype=int), (rows["n"] - rows["n_event"]).to_numpy(dtype=int)
    # Nobody with the event is refused here even where zero is published: such an arm has no finite coefficient.
    small = [policy.hides(x) or x == 0 or policy.hides(y) for x, y in zip(with_it, without, strict=True)]
    level = rows["term"].str.contains("[", regex=False).to_numpy(dtype=bool)
    below = np.minimum(with_it, without) < policy.minimum_level
    return bool(np.where(level, below, np.array(small, dtype=bool)).any())


def coarser(rows: pd.DataFrame, counts: Tally, public: Tally, policy: Policy, conf_level: float) -> pd.DataFrame:
    """Make standard errors, and the statistic, p value and limits that follow, those of published numbers of events.

    Rows come back as they are where there is no noise, or where there are no coefficients (no hr_low or or_low).
    """
    needed = {"term", "estimate", "std_error", "conf_low", "conf_high"}
    ratio = next((name for name in ("hr", "or") if {f"{name}_low", f"{name}_high"} <= set(rows.columns)), "")
    if not ratio or not needed <= set(rows.columns) or policy.noise_variance == 0 or policy.minimum_level == 1:
        return rows
    # As in `coarse_error`: what the error can be counted back to is a
    # published number, less what noise usually does (ADR 15).
    usual = np.sqrt(policy.noise_variance)
    exact, told = ([_events(str(term), c.data) for term in rows["term"]] for c in (counts, public))
    wider = np.sqrt([d / max(d_told - usual, 1) for d, d_told in zip(exact, told, strict=True)])
    rows = rows.assign(std_error=rows["std_error"] * wider)
    if "statistic" in rows:
        rows["statistic"] = rows["estimate"] / rows["std_error"].where(rows["std_error"] > 0)
        rows["p_value"] = 2 * scipy.special.ndtr(-rows["statistic"].abs().to_numpy(dtype=float))
    reach = normal_quantile(conf_level) * rows["std_error"]
    for name, limit in (("conf_low", rows["estimate"] - reach), ("conf_high", rows["estimate"] + reach)):
        rows[name] = limit
        with np.errstate(over="ignore"):  # beyond the largest number a limit is infinite
            rows[name.replace("conf", ratio)] = np.exp(limit)
    return rows


def _events(term: str, counts: pd.DataFrame) -> int:
    """Return how many events stand behind a coefficient: those at its level, or in the smaller arm."""
    name, bracket, level = term.partition("[")
    own = counts["term"] == (f"{name}[{level.removeprefix('T.')}" if bracket else "")
    # A number's coefficient has no level of its own: its smallest part decides; a term without counts goes by the arms.
    own = own if own.any() else counts["term"].str.startswith(f"{name}[")
    own = own if own.any() else counts["term"] == _ARMS
    return int(counts.loc[own, "n_event"].min())
