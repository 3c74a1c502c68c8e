"""How long people wait: days from referral to the first attended session, and who waits no longer than two weeks."""

from __future__ import annotations

__all__ = ["WAITS", "starting_by_wait", "waiting", "waiting_days"]

import numpy as np
import pandas as pd

from evalkit.analyses._analyses import ShareOf, count_true, groups_of, tally
from evalkit.analyses._dose import waiting_times
from evalkit.analyses._leaving import STAGES, WAIT, stage
from evalkit.cohort import Cohort, needs, nobody
from evalkit.estimates import Estimates
from evalkit.glossary import NOT_RECORDED
from evalkit.levels import in_words
from evalkit.stats import cumulative_incidence, survival_quantile

WITHIN = 14  # days; a service that answers within two weeks is what referrers ask for
QUARTILES = (0.25, 0.5, 0.75)
_BY, _WHAT = "referral_source", "waiting times"


@needs("sessions", _WHAT)
def waiting_days(cohort: Cohort) -> Estimates:
    """Return the days by which a quarter, a half and three quarters of the people referred had a first session, by arm.

    People who left before it never had one: they count as still waiting, so that quartiles are of everybody referred.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    Estimates
        As `evalkit.stats.survival_quantile`; missing where so large a share has not been reached.

    Examples
    --------
    >>> from evalkit.analyses import waiting_days
    >>> waiting_days(cohort).tidy()[["group", "q", "estimate", "n_event"]].head(2).round(3)
                    group     q  estimate  n_event
    0  Non-mandated pilot  0.25      14.0      115
    1  Non-mandated pilot  0.50      24.0      115
    """
    what = "days from referral by which so large a share had attended a first session"
    rows = waiting_times(cohort)
    if rows.empty:
        columns = ["group", "q", "estimate"]
        return nobody(cohort, "survival_quantile", what, columns, "all referred", "waiting_days", "quantiles")
    found = survival_quantile(rows, "time", "event", q=QUARTILES, by="group")
    return found.about(estimand=what, population="all referred", cut=cohort.cut, asked={"question": "waiting_days"})


@needs("sessions", _WHAT)
def waiting(cohort: Cohort, *, days: int = WITHIN, conf_level: float = 0.95) -> Estimates:
    """Return the share with a first session within some days of referral, by arm and referral source.

    Parameters
    ----------
    cohort : Cohort
    days : int, default 14
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`, of everybody referred at least so many days before the cut.

    Examples
    --------
    >>> from evalkit.analyses import waiting
    >>> waiting(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group term  estimate  n_event
    0  Non-mandated pilot  all     0.268       42
    1                PAIP  all     0.232      172
    """
    # Of everybody referred, also of who left before: a service is not quick because the slow ones gave up.
    people = cohort.people.assign(eligible=cohort.people["days_from_referral"] >= days)
    waited = (people["first_session_date"] - people["referral_date"]).dt.days
    people = people.assign(met=waited <= days, source=people[_BY].fillna(NOT_RECORDED))
    groups, rows = groups_of(cohort), []
    sources = people["source"].value_counts().index  # the largest first
    named = [("Referral source", f"{_BY}: {s}", in_words(str(s)), people[people["source"] == s]) for s in sources]
    parts = [("Everybody", "all", "Everybody", people), *named]
    for variable, term, label, own in parts:
        found = count_true(own, groups, term, label, "met", "eligible")
        rows += [{**row, "variable": variable} for row in found if row["n"]]
    analysis = ShareOf(
        kind="waiting",
        view="waiting",
        estimand=f"share with a first attended session within {days} days of referral",
        population=f"people referred at least {days} days before the cut",
        conf_level=conf_level,
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"days": days})


WAITS = ((0, 7), (8, 14), (15, 30), (31, None))
"""Classes of days waited, both ends included."""


@needs("sessions", _WHAT)
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

    Examples
    --------
    >>> from evalkit.analyses import starting_by_wait
    >>> starting_by_wait(cohort).tidy()[["group", "cause", "time", "estimate"]].query("time <= 182").tail(1).round(3)
                                     group              cause  time  estimate
    408  people who waited 31 days or more  leaving before it  50.0     0.108
    """
    rows = stage(cohort, "before_session")
    event, other, people = STAGES["before_session"]
    if rows.empty:
        return nobody(cohort, "cumulative_incidence", event, ["group", "cause"], people, "starting_by_wait")
    # as a sentence names a group: "84% among people who waited 0 to 7 days"
    names = [
        f"people who waited {low} to {high} days" if high is not None else f"people who waited {low} days or more"
        for low, high in WAITS
    ]
    # Half a day below, so that each class holds both its ends.
    ends = [low - 0.5 for low, _ in WAITS] + [np.inf]
    rows["wait"] = pd.cut(rows[WAIT], ends, labels=names)
    causes = [event, other] if cohort.has("exits") else [event]  # without exits nobody is known to have left
    found = cumulative_incidence(rows, "time", "event", by="wait", causes=causes)
    return found.about(population=people, cut=cohort.cut, asked={"question": "starting_by_wait"})
