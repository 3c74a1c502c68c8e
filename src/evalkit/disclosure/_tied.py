"""One rule for a whole release: what may not be told in one place is not weighted, subtracted or counted in another.

A share with an event by a day may be told of enough people only (`Policy.gives`). An adjusted difference by that day,
a restricted mean up to it, a count of harms per hundred or an E-value says more of the same people. So such a result
holds the counts of the share (`Estimates.tied`), and only those of its rows are left whose day may be told.
"""

from __future__ import annotations

__all__ = ["held", "is_curve", "only_rows_of", "quoted_by_all"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit.counts import DayCounts, Tally, Tie
from evalkit.disclosure._curves import told_on
from evalkit.disclosure._policy import Policy
from evalkit.estimates import Estimates
from evalkit.glossary import COLUMNS

_PLACES = ("tau", "time", "q")


def is_curve(estimates: Estimates) -> bool:
    """Say whether an estimate is of curves."""
    return isinstance(estimates.counts, DayCounts) and {"time", "n_risk", "n_event"} <= set(estimates.data.columns)


def held(estimates: Estimates, policy: Policy) -> tuple[Estimates, tuple[str, ...]]:
    """Leave out the rows of a result of whose day a share may not be told, and name their groups (and terms)."""
    rows, ties = estimates.tidy(), _ties(estimates)
    if rows.empty or not ties or not policy.safe_curves:
        return estimates, ()
    missing = [_untold(row, ties, day, policy) for (_, row), day in zip(rows.iterrows(), _days(estimates), strict=True)]
    kept = np.array([not groups for groups in missing])
    if kept.all():
        return estimates, ()
    counts = estimates.counts
    if estimates.analysis is not None and isinstance(counts, Tally):  # a row of the result for each of the counts
        people = (
            tuple(who for who, is_kept in zip(counts.people, kept, strict=True) if is_kept) if counts.people else ()
        )
        counts = Tally(counts.data[kept], people=people)
    return estimates.about(data=rows[kept], counts=counts), tuple(dict.fromkeys(g for own in missing for g in own))


def only_rows_of(made: Estimates, kept: Estimates) -> Estimates:
    """Return a result made again from safe counts without the rows that were left out before."""
    rows, names = (
        made.tidy(),
        [c for c in kept.data if c in made.data and (c in _PLACES or COLUMNS[str(c)].kind == "text")],
    )
    there = kept.data[names].drop_duplicates()
    return made.about(data=rows.merge(there, on=names) if names else rows)


def quoted_by_all(
    found: frozenset[tuple[str, str, float]], ties: Sequence[Tie], policy: Policy
) -> frozenset[tuple[str, str, float]]:
    """Return the days of curves that may be quoted of the shares that they are tied to, too: group, cause and day."""
    return frozenset(
        (group, cause, day)
        for group, cause, day in found
        if all(group in told_on(tie.counts, policy, day, cause) for tie in ties)
    )


def _ties(estimates: Estimates) -> tuple[Tie, ...]:
    """Return what a result is held to: of counts by day that are no curve, these very counts, too."""
    counts = estimates.counts
    if is_curve(estimates):  # its own days are quoted one by one
        return ()
    return (*estimates.tied, Tie(counts)) if isinstance(counts, DayCounts) else estimates.tied


def _days(estimates: Estimates) -> list[float]:
    """Return the day that each row speaks of; nan where it speaks of none in particular."""
    rows = estimates.tidy()
    if "q" in rows:  # a day by which so many had the event: never, where it is missing
        return rows["estimate"].astype(float).fillna(-np.inf).tolist()
    name = next((one for one in ("tau", "time") if one in rows), "")
    return (rows[name].astype(float) if name else pd.Series(_asked_day(estimates), index=rows.index)).tolist()


def _asked_day(estimates: Estimates) -> float:
    return float(estimates.asked.get("days", np.nan))


def _untold(row: pd.Series, ties: Sequence[Tie], day: float, policy: Policy) -> list[str]:
    """Return the groups that a row speaks of though nothing may be told of them by its day."""
    # "Never reached" is said of a quantile: there is no day by which anybody would be counted.
    if day == -np.inf:
        return []
    found = []
    for tie in ties:
        if tie.terms and row.get("term") not in tie.terms:
            continue
        # A contrast names no arm: it tells of both, so both have to be tellable.
        spoken = [row.get("group")] if row.get("group") in tie.counts.groups else tie.counts.groups
        told = told_on(tie.counts, policy, None if np.isnan(day) else day)
        found += [str(group) for group in spoken if group not in told]
    return found
