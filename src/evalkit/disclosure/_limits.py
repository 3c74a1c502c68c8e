r"""Limits that hold with the noise: an interval is as wide as sampling and noise together make it.

Noise adds its own variance to that of a sample. For a share x of n it is :math:`\sigma^2 (1 + p^2) / n^2` beside
:math:`p (1 - p) / n` (the delta method on x / n); what it is to the variance of a sample decides how much wider the
distance from the estimate to each limit is made.
"""

from __future__ import annotations

__all__ = ["widened"]

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.counts import Counts, DayCounts, Moments, Tally, TransitionCounts
from evalkit.disclosure._noise import UNIT_VARIANCE
from evalkit.disclosure._policy import Policy

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
