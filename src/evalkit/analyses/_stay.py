"""How long people stay: disengagement and completion, the time without disengagement, its mean."""

from __future__ import annotations

__all__ = ["leaving", "mean_stay", "staying"]

import pandas as pd

from evalkit.cohort import Cohort, needs, nobody
from evalkit.counts import DayCounts, Tie
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats import cumulative_incidence, kaplan_meier, rmst_contrast

_STARTERS = "people with a first session"


@needs("sessions", "retention")
def leaving(cohort: Cohort) -> Estimates:
    """Return the share who have disengaged, and who have completed, by each day since their first session, by arm.

    Disengagement and completion compete: a person has at most one of them first.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    Estimates
        Cumulative incidences made from `DayCounts`; no rows where nobody has started.

    Examples
    --------
    >>> from evalkit.analyses import leaving
    >>> leaving(cohort).tidy()[["group", "cause", "time", "estimate"]].query("time <= 182").tail(1).round(3)
        group       cause   time  estimate
    458  PAIP  completion  182.0     0.164
    """
    rows = cohort.retention()
    if rows.empty:
        return nobody(
            cohort, "cumulative_incidence", "disengagement and completion", ["group", "cause"], _STARTERS, "leaving"
        )
    found = cumulative_incidence(rows, "time", "event", by="group", causes=list(cohort.causes.values()))
    return found.about(population=_STARTERS, cut=cohort.cut, asked={"question": "leaving"})


def tied_to_leaving(cohort: Cohort, *terms: str) -> tuple[Tie, ...]:
    """Return the share who have left, to which all else that is said of leaving is tied: only `terms`, or all rows."""
    counts = leaving(cohort).counts
    return (Tie(counts, terms),) if isinstance(counts, DayCounts) else ()


def _disengaged(cohort: Cohort) -> pd.DataFrame:
    rows = cohort.retention()
    return rows.assign(disengaged=rows["event"].eq(1))


@needs("sessions", "the time to disengagement")
def staying(cohort: Cohort) -> Estimates:
    """Return the probability of not having disengaged by each day since the first session, by arm; completion censored.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    Estimates
        Kaplan-Meier curves made from `DayCounts`; no rows where nobody has started.

    Examples
    --------
    >>> from evalkit.analyses import staying
    >>> staying(cohort).tidy()[["group", "time", "estimate"]].query("time <= 182").tail(1).round(3)
        group   time  estimate
    203  PAIP  182.0      0.64
    """
    rows = _disengaged(cohort)
    if rows.empty:
        return nobody(cohort, "kaplan_meier", "no disengagement", ["group"], _STARTERS, "staying")
    found = kaplan_meier(rows, "time", "disengaged", by="group")
    return found.about(
        population=f"{_STARTERS}, completion censored",
        cut=cohort.cut,
        asked={"question": "staying"},
        tied=tied_to_leaving(cohort),
    )


@needs("sessions", "the time to disengagement")
def mean_stay(cohort: Cohort, days: int) -> Estimates:
    """Return the difference between the arms in the mean days without disengagement up to a day; completion censored.

    Parameters
    ----------
    cohort : Cohort
    days : int
        Horizon.

    Returns
    -------
    Estimates
        A contrast of restricted means; no rows where it is not defined: an arm without starters, or none followed for
        so long.

    Examples
    --------
    >>> from evalkit.analyses import mean_stay
    >>> mean_stay(cohort, 182).tidy()[["estimate", "n_event", "n"]].head(2).round(3)
       estimate  n_event    n
    0    13.720      184  637
    1     1.094      184  637
    """
    rows = _disengaged(cohort)
    try:
        reference = cohort.groups[1]
        found = rmst_contrast(rows, "time", "disengaged", by="group", tau=days, reference=reference)
    except AnalysisError:
        what = f"difference of mean days without disengagement in the first {days} days"
        return nobody(cohort, "rmst_contrast", what, ["measure", "estimate"], _STARTERS, "mean_stay", "mean_gap")
    return found.about(
        population=f"{_STARTERS}, completion censored", cut=cohort.cut, asked={"question": "mean_stay"},
        tied=tied_to_leaving(cohort),
    )  # fmt: skip
