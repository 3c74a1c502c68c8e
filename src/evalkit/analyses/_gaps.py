"""Gaps between sessions, and returns after disengagement."""

from __future__ import annotations

__all__ = ["longest_gap", "return_times", "returns"]

import numpy as np
import pandas as pd

from evalkit.analyses._analyses import ShareOf, count_true, groups_of, tally
from evalkit.cohort import Cohort, needs
from evalkit.errors import UsageError
from evalkit.estimates import Estimates

_KEY = ["participant_id", "episode"]


@needs("sessions", "attendance")
def longest_gap(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return how long people's longest gap between attended sessions was, by arm.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; terms are classes of days, the last of them longer than the disengagement rule
        allows. The time after a person's last session is no gap.

    Examples
    --------
    >>> from evalkit.analyses import longest_gap
    >>> longest_gap(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group         term  estimate  n_event
    0  Non-mandated pilot  1 to 7 days     0.195       22
    1                PAIP  1 to 7 days     0.203      100
    """
    limit = cohort.rules.disengagement_gap_days
    sessions = cohort.sessions()
    # Two sessions on one day are one day: between them lies no gap.
    days = sessions[sessions["attended"]][[*_KEY, "group", "session_date"]].drop_duplicates()
    days = days.sort_values([*_KEY, "session_date"])
    days["gap"] = days.groupby(_KEY)["session_date"].diff().dt.days
    each = days.groupby([*_KEY, "group"])["gap"].max().dropna().reset_index()
    # One and two missed weekly sessions, as far as they lie below the study's own rule.
    edges = [0, *[d for d in (7, 14) if d < limit], limit]
    rows: list[dict[str, object]] = []
    for low, high in zip(edges, [*edges[1:], None], strict=True):
        label = f"More than {low} days" if high is None else f"{low + 1} to {high} days"
        inside = each["gap"].gt(low) & each["gap"].le(np.inf if high is None else high)
        rows += count_true(
            each.assign(met=inside, eligible=True), groups_of(cohort), label.lower(), label, "met", "eligible"
        )
    analysis = ShareOf(
        kind="longest_gap",
        view="longest_gap",
        estimand="share whose longest gap between attended sessions is so long",
        population="people who attended on two days or more",
        conf_level=conf_level,
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut)


def return_times(cohort: Cohort) -> pd.DataFrame:
    """Return time from disengagement to the next attended session, as columns for `evalkit.stats`.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    pandas.DataFrame
        participant_id, group, time (days), event (1 returned, 0 not by the cut); those who disengaged.

    Raises
    ------
    MissingTableError
        If sessions are not part of the study.

    Examples
    --------
    >>> from evalkit.analyses import return_times
    >>> len(return_times(cohort))
    205
    """
    cohort.require("sessions")
    people = cohort.people[cohort.people["disengagement_date"].notna()]
    back = people["return_date"].notna()
    end = people["return_date"].fillna(pd.Timestamp(cohort.cut))
    frame = people[["participant_id", "group"]].assign(
        time=(end - people["disengagement_date"]).dt.days.astype("int64"), event=back.astype("int64")
    )
    return frame.reset_index(drop=True)


@needs("sessions", "attendance")
def returns(cohort: Cohort, *, days: int = 90, conf_level: float = 0.95) -> Estimates:
    """Return the share who attend again after disengagement, by arm.

    Parameters
    ----------
    cohort : Cohort
    days : int, default 90
        Return within this many days of disengagement, of those for whom they are over at the cut.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; one row per arm.

    Raises
    ------
    UsageError
        If days is below 1.

    Examples
    --------
    >>> from evalkit.analyses import returns
    >>> returns(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group      term  estimate  n_event
    0  Non-mandated pilot  returned     0.111        3
    1                PAIP  returned     0.167       25
    """
    if days < 1:
        msg = "returns: days must be 1 or more"
        raise UsageError(msg)
    cohort.require("sessions")
    people = cohort.people
    left = people["disengagement_date"]
    since = (pd.Timestamp(cohort.cut) - left).dt.days
    # Only those whose window is over, whether they came back or not, as in the funnel.
    counted = people.assign(eligible=since >= days, met=(people["return_date"] - left).dt.days <= days)
    label = f"Came back within {days} days, of those who had disengaged"
    rows = count_true(counted, groups_of(cohort), "returned", label, "met", "eligible")
    analysis = ShareOf(
        kind="returns",
        view="returns",
        estimand=f"attending again within {days} days of disengagement",
        population=f"people who disengaged at least {days} days before the cut",
        conf_level=conf_level,
        notes=("A return does not undo the disengagement that is counted elsewhere.",),
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"days": days})
