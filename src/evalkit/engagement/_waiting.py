"""Waiting: how many are seen within so many days, and what a long wait for the intake does to starting."""

from __future__ import annotations

__all__ = ["WAITS", "starting_by_wait", "waiting"]

import numpy as np
import pandas as pd

from evalkit.cohort import Cohort, nothing
from evalkit.counts import Tally, who
from evalkit.engagement._analyses import ShareOf
from evalkit.engagement._leaving import STAGES, WAIT, stage
from evalkit.estimates import Estimates
from evalkit.levels import in_words
from evalkit.survival import cumulative_incidence

WAITS = ((0, 7), (8, 14), (15, 30), (31, None))
"""Classes of days waited, both ends included."""


def starting_by_wait(cohort: Cohort) -> Estimates:
    """Return the share with a first session by each day since intake, by how long people had waited for the intake.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    Estimates
        Cumulative incidences made from `DayCounts`, of both arms together; groups are classes of days waited. No rows
        where nobody has an intake.

    Raises
    ------
    MissingTableError
        If sessions are not part of the study.
    """
    rows = stage(cohort, "before_session")
    event, other, people = STAGES["before_session"]
    if rows.empty:
        return nothing(cohort, "cumulative_incidence", event, ["group", "cause"], people, "starting_by_wait")
    names = [f"{low} to {high} days" if high is not None else f"{low} days and more" for low, high in WAITS]
    ends = [low - 0.5 for low, _ in WAITS] + [np.inf]
    rows["wait"] = pd.cut(rows[WAIT], ends, labels=names)
    found = cumulative_incidence(rows, "time", "event", by="wait", causes=[event, other])
    return found.about(population=people, cut=cohort.cut, asked={"question": "starting_by_wait"})


def waiting(cohort: Cohort, days: int = 14) -> Estimates:
    """Return the share of people with an intake, and with a first session, within so many days of referral, by arm.

    Parameters
    ----------
    cohort : Cohort
    days : int

    Returns
    -------
    Estimates
        A share per arm and step, of all referred at least so many days before the cut. Made from a `Tally`.

    Raises
    ------
    MissingTableError
        If sessions are not part of the study.
    """
    cohort.sessions()
    people = cohort.people[cohort.people["days_from_referral"] >= days]
    steps = {"intake": "intake_date", "first_session": "first_session_date"}
    rows, whose = [], []
    for group in cohort.groups:
        own = people["group"].eq(group).to_numpy()
        for term, column in steps.items():
            after = (people[column] - people["referral_date"]).dt.days
            met = own & after.le(days).to_numpy()
            label = f"{in_words(term)} within {days} days"
            rows.append({"group": group, "term": term, "label": label, "n_event": int(met.sum()), "n": int(own.sum())})
            whose.append(who(people, n=own, n_event=met))
    analysis = ShareOf(
        "waiting", f"share within {days} days of referral", f"people referred at least {days} days before the cut"
    )
    return analysis.estimate(Tally(pd.DataFrame(rows), people=tuple(whose))).about(
        cut=cohort.cut, asked={"question": "waiting", "days": days}
    )
