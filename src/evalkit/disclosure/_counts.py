"""Safe counts: which rows are small and are not shown, and the totals of the others, rounded."""

from __future__ import annotations

__all__ = ["hidden_rows", "rounded_tally", "safe_counts"]

import dataclasses

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.counts import Counts, DayCounts, Moments, Tally
from evalkit.disclosure._curves import safe_day_counts
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._sums import rounded_sums


def safe_counts(
    counts: Counts, policy: Policy, also: frozenset[int] = frozenset()
) -> tuple[Counts | None, tuple[str, ...]]:
    """Make counts safe.

    Parameters
    ----------
    counts : DayCounts, Tally or Moments
        Exact; not changed.
    policy : Policy
    also : frozenset of int
        Rows (of counts by day: groups) to withhold beside those that are small, by their place.

    Returns
    -------
    counts : of the same type, or None when nothing may be shown
    withheld : tuple of str
        What was left out.

    Raises
    ------
    DisclosureError
        If there is no safe form of such counts.
    """
    if isinstance(counts, DayCounts):
        kept = [group for k, group in enumerate(counts.groups) if k not in also]
        rows = counts.frame
        chosen = dataclasses.replace(counts, data=rows[rows["group"].isin(kept)])
        safe, groups = safe_day_counts(chosen, policy)
        return safe, tuple(g for g in counts.groups if g not in kept or g in groups)
    hidden = hidden_rows(counts, policy)
    hidden[list(also)] = True
    if isinstance(counts, Tally):
        return rounded_tally(counts, hidden, policy)
    return _safe_moments(counts, hidden, policy)


def hidden_rows(counts: Tally | Moments, policy: Policy) -> NDArray[np.bool_]:
    """Return which rows are not shown: a count is small, its complement is, or few people make up most of a total.

    Parameters
    ----------
    counts : Tally or Moments
    policy : Policy

    Returns
    -------
    numpy.ndarray of bool, shape (rows,)
    """
    frame = counts.data
    n = frame["n"].to_numpy(dtype=int)
    few = (n > 0) & (n < policy.minimum_subgroup)
    if isinstance(counts, Tally):
        x, one = frame["n_event"].to_numpy(dtype=int), counts.quantities
        small = [
            policy.hides(b) or (not all_ and (policy.hides(a) or policy.hides(b - a)))
            for a, b, all_ in zip(x, n, one, strict=True)
        ]
        return np.asarray(np.array(small, dtype=bool) | few, dtype=bool)
    total, largest = np.abs(frame["total"].to_numpy(dtype=float)), frame["largest"].to_numpy(dtype=float)
    dominated = (largest > policy.dominance * np.maximum(total, 1e-300)) & (total != 0)
    fewest = np.ceil(np.divide(total, largest, out=np.zeros(len(n)), where=largest > 0) - 1e-9)
    contributing = frame["n_nonzero"].to_numpy(dtype=int) if "n_nonzero" in frame else fewest.astype(int)
    small = [policy.hides(a) or policy.hides(b) for a, b in zip(n, contributing, strict=True)]
    return np.asarray(np.array(small, dtype=bool) | dominated | few, dtype=bool)


def _names(frame: pd.DataFrame, rows: np.ndarray) -> tuple[str, ...]:
    chosen = frame[rows]
    return tuple(f"{g}: {t}" for g, t in zip(chosen["group"], chosen["term"], strict=True))


def rounded_tally(counts: Tally, hidden: NDArray[np.bool_], policy: Policy) -> tuple[Tally | None, tuple[str, ...]]:
    """Round a tally's totals, and the sums of its quantities, to multiples of the base, and leave rows out.

    Parameters
    ----------
    counts : Tally
    hidden : numpy.ndarray of bool, shape (rows,)
        Rows that are left out.
    policy : Policy

    Returns
    -------
    counts : Tally or None
    withheld : tuple of str
        Names of the rows left out.
    """
    frame = counts.frame
    x, n = frame["n_event"].to_numpy(dtype=int), frame["n"].to_numpy(dtype=int)
    if counts.quantities.any():
        frame[["total", "total_sq"]] = rounded_sums(frame, policy)[["total", "total_sq"]]
    frame["n_event"] = [min(policy.rounded(a), policy.rounded(b)) for a, b in zip(x, n, strict=True)]
    frame["n"] = [policy.rounded(b) for b in n]
    withheld = _names(frame, hidden)
    kept = frame[~hidden]
    return (Tally(kept) if len(kept) else None), withheld


def _safe_moments(counts: Moments, hidden: NDArray[np.bool_], policy: Policy) -> tuple[Moments | None, tuple[str, ...]]:
    kept = rounded_sums(counts.frame, policy)[~hidden]
    return (Moments(kept) if len(kept) else None), _names(counts.frame, hidden)
