"""Safe counts: which rows are small and not shown, and the noised numbers of the others; restatements of such."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.counts import Codes, Counts, DayCounts, Moments, Tally, TransitionCounts
from evalkit.disclosure._curves import safe_day_counts
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._transitions import safe_transitions

__all__ = [
    "asked_of",
    "coarse_error",
    "hidden_rows",
    "noised_tally",
    "safe_counts",
    "safe_restatements",
    "untold",
    "whose_of",
]


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


def whose_of(counts: Tally | Moments) -> list[Mapping[str, Codes]]:
    """Return who stands behind the counts of each row, where it is known."""
    return list(counts.people) or [{}] * len(counts.data)


def noised_tally(
    counts: Tally, hidden: NDArray[np.bool_], policy: Policy, asked: str = ""
) -> tuple[Tally | None, tuple[str, ...]]:
    """Put noise on a tally's counts and sums of quantities, leave hidden rows out (None if all), and name these."""
    frame = _noised_sums(counts, policy, asked)
    x, every = counts.data["n_event"].to_numpy(dtype=int), counts.data["n"].to_numpy(dtype=int)
    public = []
    for k, (whose, all_) in enumerate(zip(whose_of(counts), counts.quantities, strict=True)):
        n, named = int(frame["n"].iloc[k]), asked_of(asked, frame.iloc[k])
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
    # Less one standard deviation of the noise: the exact count is rarely below it, so the error is rarely too small.
    # (ADR 15)
    told = np.maximum(public.to_numpy(dtype=float) - np.sqrt(policy.noise_variance), 1)
    return np.asarray(np.ceil(100 * error * np.sqrt(events / told) - 1e-9) / 100, dtype=np.float64)


def asked_of(asked: str, row: pd.Series) -> str:
    """Return what is asked of a row: it decides the noise where it is not known who stands behind it."""
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
    for k, whose in enumerate(whose_of(counts)):
        row, who = rows.iloc[k], whose.get("n")
        public.append(policy.public(n[k], who, f"{asked_of(asked, row)}, people"))
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


def safe_restatements(changes: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Keep the changed figures that may be shown, rounded; how many rows changed them is left out.

    Parameters
    ----------
    changes : pandas.DataFrame
        Exact: figure, group, old, new, reason; n_people, who are behind the change; who_old, who_new, largest_old and
        largest_new, where it is known who is counted. One row per figure and group.
    policy : Policy

    Returns
    -------
    pandas.DataFrame
        figure, group, old, new (as published), reason; without figures that are too small, and without that
        of everybody where it would give a small one away. New is missing where the change itself is about too few
        people to be shown. The reasons of a figure are given together: which group's records were withdrawn is not
        said.
    """
    told = [own for _, figure in changes.groupby("figure", sort=False) for own in _figure(figure, policy)]
    return pd.DataFrame(told, columns=["figure", "group", "old", "new", "reason"])


EVERYBODY = "all"
UNTOLD = "records changed"
"""Reason of a change that fewer people than the minimum stand behind."""


def _figure(rows: pd.DataFrame, policy: Policy) -> list[tuple[object, ...]]:
    """Return what may be shown of one figure; nothing small of one group is left between everybody and the other."""
    few = rows["n_people"].astype(int) if "n_people" in rows else pd.Series(0, index=rows.index)
    rows = rows.assign(old=rows["old"].round().astype(int), new=rows["new"].round().astype(int), few=few)
    change = rows["new"] - rows["old"]
    # subtracting would say how few people a change is about, or what few people's sessions are
    rows["slight"] = [policy.is_small(abs(c)) or policy.is_small(n) for c, n in zip(change, rows["few"], strict=True)]
    hidden = [policy.hides(old) or policy.hides(new) for old, new in zip(rows["old"], rows["new"], strict=True)]
    shown = rows[~np.array(hidden, dtype=bool)]
    # One part and the whole: their difference is the other part, which a reader gets by subtracting.
    whole, parts = shown[shown["group"] == EVERYBODY], shown[shown["group"] != EVERYBODY]
    if len(whole) and len(parts) == 1:
        rest = {name: int(whole[name].iloc[0] - parts[name].iloc[0]) for name in ("old", "new")}
        if any(policy.hides(n) for n in rest.values()):
            shown, whole = parts, whole.iloc[:0]
        elif policy.is_small(abs(rest["new"] - rest["old"])):
            shown = shown.assign(slight=shown["slight"] | (shown["group"] == EVERYBODY))
    shown = shown[np.array([_tells(row, "old", policy) for _, row in shown.iterrows()], dtype=bool)]
    more = [bool(row["slight"]) or not _tells(row, "new", policy) for _, row in shown.iterrows()]
    shown = shown.assign(slight=np.array(more, dtype=bool))  # an empty list would be numbers
    why = list(dict.fromkeys(part for text in shown.loc[~shown["slight"], "reason"] for part in str(text).split(", ")))
    return [
        (
            row["figure"],
            row["group"],
            _public(row, "old", policy),
            np.nan if row["slight"] else _public(row, "new", policy),
            UNTOLD if row["slight"] else ", ".join(why),
        )
        for _, row in shown.iterrows()
    ]


def _tells(row: pd.Series, end: str, policy: Policy) -> bool:
    """Whether a number of the people behind a figure may be told: see `Policy.tells`."""
    who = row.get(f"who_{end}")
    return who is None or policy.tells(len(who), policy.noise.key(who))


def _public(row: pd.Series, end: str, policy: Policy) -> int:
    """Return a figure as published: a number of people as everywhere, a sum over people with noise as means have it."""
    exact, who, largest = int(row[end]), row.get(f"who_{end}"), float(row.get(f"largest_{end}", 1.0))
    if who is None or len(who) == 0 or (len(who) == exact and largest == 1):
        return policy.public(exact, who, f"restated {row['figure']}|{row['group']}")
    if policy.noise_variance == 0:
        return policy.displayed(exact)
    n = policy.public(len(who), who)
    # With the sum in the key: two sums of the same people, before and after, must not be off by the same amount.
    off = policy.noise.unit(f"{policy.noise.key(who)}|sum|{float(exact)!r}")
    return policy.displayed(max(round(exact * n / len(who) + off * largest), 0))
