"""Safe counts: which rows are small and are not shown, and the noised numbers of the others."""

from __future__ import annotations

__all__ = ["coarse_error", "hidden_rows", "noised_tally", "safe_counts", "untold"]

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.counts import Codes, Counts, DayCounts, Moments, Tally, TransitionCounts
from evalkit.disclosure._curves import safe_day_counts
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._transitions import safe_transitions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def safe_counts(counts: Counts, policy: Policy, asked: str = "") -> tuple[Counts | None, tuple[str, ...]]:
    """Make counts safe.

    Parameters
    ----------
    counts : DayCounts, TransitionCounts, Tally or Moments
        Exact; not changed.
    policy : Policy
    asked : str
        What is counted; it decides the noise of counts that do not say who stands behind them.

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
        safe, groups = safe_day_counts(counts, policy, asked)
        return safe, tuple(groups)
    if isinstance(counts, TransitionCounts):
        moves, groups = safe_transitions(counts, policy, asked)
        return moves, tuple(groups)
    hidden = hidden_rows(counts, policy)
    if isinstance(counts, Tally):
        return noised_tally(counts, hidden, policy, asked)
    rows = _noised_sums(counts, policy, asked)[~hidden]
    return (Moments(rows) if len(rows) else None), _names(counts.data, hidden)


def hidden_rows(counts: Tally | Moments, policy: Policy) -> NDArray[np.bool_]:
    """Return which rows are not shown: a count or its rest is small, few make up most of a total, or as `untold`."""
    frame = counts.data
    n = frame["n"].to_numpy(dtype=int)
    few = (n > 0) & (n < policy.minimum_subgroup)
    if isinstance(counts, Tally):
        x, one = frame["n_event"].to_numpy(dtype=int), counts.quantities
        small = [
            # the others are seen as well: whoever knows the whole takes the part off
            policy.hides(b) or (not all_ and (policy.hides(a) or policy.hides(b - a)))
            for a, b, all_ in zip(x, n, one, strict=True)
        ]
        # `Told` is asked last: a row that is hidden anyway must not use up a look at somebody.
        return _untold(counts, np.array(small, dtype=bool) | few, policy)
    total, largest = np.abs(frame["total"].to_numpy(dtype=float)), frame["largest"].to_numpy(dtype=float)
    # a total that one person makes up most of is nearly that person's own value
    dominated = (largest > policy.dominance * np.maximum(total, 1e-300)) & (total != 0)
    # where it is not counted how many add to it: no fewer than this
    fewest = np.ceil(np.divide(total, largest, out=np.zeros(len(n)), where=largest > 0) - 1e-9)
    contributing = frame["n_nonzero"].to_numpy(dtype=int) if "n_nonzero" in frame else fewest.astype(int)
    small = [policy.hides(a) or policy.hides(b) for a, b in zip(n, contributing, strict=True)]
    return _untold(counts, np.array(small, dtype=bool) | dominated | few, policy)


def untold(counts: Tally | Moments, policy: Policy) -> NDArray[np.bool_]:
    """Return which rows have a number that would show few people once too often, beside all others told (`Told`)."""
    return _untold(counts, np.zeros(len(counts.data), dtype=bool), policy)


def _untold(counts: Tally | Moments, hidden: NDArray[np.bool_], policy: Policy) -> NDArray[np.bool_]:
    """Return which rows are hidden, and which of the others have such a number: of hidden ones nothing is told."""
    found = hidden.copy()
    for k in np.flatnonzero(~hidden) if counts.people and policy.told is not None else ():
        found[k] = not all(policy.tells(len(who), policy.noise.key(who)) for who in counts.people[k].values())
    return found


def _names(frame: pd.DataFrame, rows: np.ndarray) -> tuple[str, ...]:
    chosen = frame[rows]
    return tuple(f"{g}: {t}" for g, t in zip(chosen["group"], chosen["term"], strict=True))


def _whose(counts: Tally | Moments) -> list[Mapping[str, Codes]]:
    return list(counts.people) or [{}] * len(counts.data)


def noised_tally(
    counts: Tally, hidden: NDArray[np.bool_], policy: Policy, asked: str = ""
) -> tuple[Tally | None, tuple[str, ...]]:
    """Put noise on a tally's counts and sums of quantities, leave hidden rows out (None if all), and name these."""
    frame = _noised_sums(counts, policy, asked)
    x, every = counts.data["n_event"].to_numpy(dtype=int), counts.data["n"].to_numpy(dtype=int)
    public = []
    for k, (whose, all_) in enumerate(zip(_whose(counts), counts.quantities, strict=True)):
        n, named = int(frame["n"].iloc[k]), _asked(asked, frame.iloc[k])
        same = all_ or x[k] == every[k]  # the same people
        own = policy.public(x[k], whose.get("n_event"), f"{named}, with it")
        # the same people have the same number; and a part is never more than its whole
        public.append(n if same else min(own, n))
    frame["n_event"] = np.array(public, dtype="int64")
    if "std_error" in frame:
        # an exact error beside the published count would give the exact count back
        frame["std_error"] = coarse_error(frame["std_error"].to_numpy(dtype=float), x, frame["n_event"], policy)
    kept = frame[~hidden]
    return (Tally(kept) if len(kept) else None), _names(frame, hidden)


def coarse_error(error: Floats, events: Ints, public: pd.Series[int], policy: Policy) -> Floats:
    """Return standard errors, in hundredths rounded up, as of the published events less what noise usually does.

    A variance is close to 1/events: with a few digits of it, they would be known.
    """
    if policy.noise_variance == 0:
        return np.asarray(error.round(2), dtype=np.float64)
    # Less one standard deviation of the noise: the exact count is rarely
    # below it, so the error is rarely too small (ADR 15).
    told = np.maximum(public.to_numpy(dtype=float) - np.sqrt(policy.noise_variance), 1)
    return np.asarray(np.ceil(100 * error * np.sqrt(events / told) - 1e-9) / 100, dtype=np.float64)


def _asked(asked: str, row: pd.Series) -> str:
    return f"{asked}|{row['group']}|{row['term']}"


def _noised_sums(counts: Tally | Moments, policy: Policy, asked: str) -> pd.DataFrame:
    """Put noise on numbers of people and on sums over them (Thompson, Broadfoot and Elazar 2013).

    Sums are those of the published number with the same mean and mean square, off by up to what one person gives most:
    of a mean nobody counts back, and nobody's own part shows.
    """
    rows = counts.frame
    if rows.empty:
        return rows.drop(columns="n_nonzero", errors="ignore")
    n, public, sums = rows["n"].to_numpy(dtype=int), [], "total" in rows
    totals: dict[str, list[float]] = {"total": [], "total_sq": []}
    for k, whose in enumerate(_whose(counts)):
        row, who = rows.iloc[k], whose.get("n")
        public.append(policy.public(n[k], who, f"{_asked(asked, row)}, people"))
        if sums:
            key = str(policy.noise.key(who)) if who is not None else f"{asked}|{row['group']}"
            for name, value in zip(totals, _sums(row, int(n[k]), public[-1], key, policy), strict=True):
                totals[name].append(value)
    rows = rows.assign(n=np.array(public, dtype="int64"), **(totals if sums else {}))
    if "largest" in rows:
        # one person's own value: it decided what is shown, and goes no further
        rows["largest"] = 0.0
    # So does how many contribute: an exact number of people, which nothing after this asks for.
    return rows.drop(columns="n_nonzero", errors="ignore")


def _sums(row: pd.Series, n: int, public: int, key: str, policy: Policy) -> tuple[float, float]:
    """Return the published sum and sum of squares of one row."""
    total, squares = float(row["total"]), float(row["total_sq"])
    if n == 0 or np.isnan(total):
        return total, squares
    if policy.noise_variance == 0:
        return total * public / n, squares * public / n
    largest = float(row["largest"]) if "largest" in row else np.sqrt(squares / n)
    # One draw for every quantity of the same people, as if one person more or less were in all of them: the ratio of
    # two sums is hardly off then, and its error, made of three variances, is still that of one sample.
    noised = total * public / n + policy.noise.unit(f"{key}|sum") * largest
    # The variance is noised by itself: a sum of squares off by the sum's own draw would give that draw away.
    spread = max(squares / n - (total / n) ** 2, 0.0) * (1 + policy.noise.unit(f"{key}|spread") / np.sqrt(n))
    return noised, public * spread + noised**2 / max(public, 1)
