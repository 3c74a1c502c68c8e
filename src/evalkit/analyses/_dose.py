"""Attendance and dose: rate, sessions and hours by week, distribution, share of the dose reached."""

from __future__ import annotations

__all__ = [
    "attendance_rate",
    "dose_by_week",
    "dose_distribution",
    "dose_reached",
    "first_session_times",
    "time_to_first_session",
]

from typing import Literal

import numpy as np
import pandas as pd

from evalkit.analyses._analyses import MeanOf, RatioOf, ShareOf, count_true, groups_of, moments, moments_of, tally
from evalkit.cohort import Cohort, needs, nobody
from evalkit.errors import UsageError
from evalkit.estimates import Estimates
from evalkit.stats import cumulative_incidence

_KEY = ["participant_id", "episode"]


def first_session_times(cohort: Cohort) -> pd.DataFrame:
    """Return time from referral to the first attended session, as columns for `evalkit.stats`.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    pandas.DataFrame
        participant_id, group, referral_source, site, community_area, time (days), event (0 censored,
        1 first session, 2 exit before it).

    Raises
    ------
    MissingTableError
        If sessions are not part of the study.

    Examples
    --------
    >>> from evalkit.analyses import first_session_times
    >>> len(first_session_times(cohort))
    917
    """
    columns = ["participant_id", "group", "referral_source", "site", "community_area", "time", "event"]
    return cohort.initiation()[columns]


def waiting_times(cohort: Cohort) -> pd.DataFrame:
    """Return time to a first session with those who left before it still waiting: a share of everybody referred."""
    rows = cohort.initiation().merge(cohort.people[[*_KEY, "days_from_referral"]], on=_KEY)
    # Censored on the day of leaving they would count as if they might still come, and the share would be too high.
    rows["time"] = rows["time"].mask(rows["event"].eq(2), rows["days_from_referral"]).astype("int64")
    return rows.assign(event=rows["event"].eq(1).astype("int64"))


@needs("sessions", "the time to a first session")
def time_to_first_session(cohort: Cohort) -> Estimates:
    """Return the share of people who have attended a first session by each day since their referral, by arm.

    People who left before one never come: they stay in the denominator as long as they could have been followed, so the
    share is of everybody referred.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    Estimates
        A cumulative incidence made from `DayCounts`; no rows where nobody was referred.

    Examples
    --------
    >>> from evalkit.analyses import time_to_first_session
    >>> found = time_to_first_session(cohort)
    >>> found.tidy()[["group", "cause", "time", "estimate"]].query("time <= 182").tail(1).round(3)
        group          cause   time  estimate
    158  PAIP  first session  180.0     0.719
    """
    if cohort.initiation().empty:
        return nobody(
            cohort, "cumulative_incidence", "first session", ["group", "cause"], "all referred", "time_to_first_session"
        )
    rows = waiting_times(cohort)
    found = cumulative_incidence(rows, "time", "event", by="group", causes=["first session"])
    return found.about(population="all referred", cut=cohort.cut, asked={"question": "time_to_first_session"})


@needs("sessions", "attendance")
def attendance_rate(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return attended / (attended + absent) sessions, by arm.

    Excused and cancelled sessions are not counted. Sessions are clustered in people; the interval allows for
    it.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        One row per arm, made from `Moments`.

    Examples
    --------
    >>> from evalkit.analyses import attendance_rate
    >>> attendance_rate(cohort).tidy()[["group", "term", "estimate", "n"]].head(2).round(3)
                    group        term  estimate      n
    0  Non-mandated pilot  attendance     0.921  115.0
    1                PAIP  attendance     0.900  522.0
    """
    each = cohort.due()
    # The sum's square is how a covariance travels in sums alone: see `RatioOf`.
    each["both"] = each["numerator"] + each["denominator"]
    rows = [
        row
        for term in ("numerator", "denominator", "both")
        for row in moments_of(each, groups_of(cohort), term, term, term)
    ]
    analysis = RatioOf(
        kind="attendance_rate",
        view="attendance_rate",
        estimand="attended sessions over attended and absent ones",
        population="people with a session attended or missed",
        term="attendance",
        label="Attendance rate",
        conf_level=conf_level,
        notes=("People with more sessions weigh more; excused and cancelled sessions are left out.",),
    )
    return analysis.estimate(moments(rows)).about(cut=cohort.cut)


@needs("sessions", "attendance")
def dose_by_week(
    cohort: Cohort, what: Literal["sessions", "hours"] = "sessions", *, weeks: int = 26, conf_level: float = 0.95
) -> Estimates:
    """Return mean attended sessions or hours in each week since the first session, by arm.

    A week's mean is over everybody whose week is over at the cut, with 0 for those who have left: it is the
    dose delivered, not the dose of those who stay.

    Parameters
    ----------
    cohort : Cohort
    what : {"sessions", "hours"}, default "sessions"
        Attended sessions of any kind, or their hours.
    weeks : int, default 26
        Week k holds days 7 (k - 1) to 7 k - 1 since the first session.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from `Moments`; term is the week, time_from and time its first and last day.

    Raises
    ------
    UsageError
        If what is neither, or weeks is below 1.

    Examples
    --------
    >>> from evalkit.analyses import dose_by_week
    >>> dose_by_week(cohort).tidy()[["group", "time", "term", "estimate"]].head(2).round(3)
                    group  time    term  estimate
    0  Non-mandated pilot     6  week 1     1.148
    1                PAIP     6  week 1     1.150
    """
    if what not in ("sessions", "hours") or weeks < 1:
        msg = "dose_by_week: what must be sessions or hours, and weeks 1 or more"
        raise UsageError(msg)
    windows = [(7 * week, 7 * week + 6) for week in range(weeks)]
    rows: list[dict[str, object]] = []
    for week, ((first, last), sums) in enumerate(
        zip(windows, cohort.attended("first_session", windows), strict=True), start=1
    ):
        # Whoever has left counts with 0: a mean of those who stay rises because the others go.
        over = cohort.people["days_from_first_session"] >= last
        table = cohort.people.loc[over, [*_KEY, "group"]].join(sums)
        found = moments_of(table, groups_of(cohort), f"week {week}", f"Week {week}", what)
        rows += [{**row, "time_from": first, "time": last} for row in found if row["n"]]
    analysis = MeanOf(
        kind=f"{what}_by_week",
        view="hours_by_week" if what == "hours" else "weeks",
        estimand=f"mean attended {what} in a week since the first session",
        population="people with a first session whose week is over, with 0 for those who have left",
        conf_level=conf_level,
    )
    return analysis.estimate(moments(rows)).about(cut=cohort.cut)


def _window(cohort: Cohort) -> tuple[pd.DataFrame, int]:
    """Return counting sessions and hours within the completion window, of those whose window is over."""
    days = cohort.rules.funnel.completion_days
    over = cohort.people["days_from_first_session"] >= days
    (sums,) = cohort.attended("first_session", [(0, days)], counting=True)
    return cohort.people.loc[over, [*_KEY, "group"]].join(sums), days


def _class(low: int, high: int | None) -> str:
    if high is None:
        return f"{low} or more"
    return str(low) if high == low + 1 else f"{low} to {high - 1}"


@needs("sessions", "attendance")
def dose_distribution(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return how many people attended how many counting sessions, by arm.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; terms are classes of sessions, bounded by a quarter, a half and the whole of
        the dose. Sessions within the completion window, of starters whose window is over.

    Examples
    --------
    >>> from evalkit.analyses import dose_distribution
    >>> dose_distribution(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group term  estimate  n_event
    0  Non-mandated pilot    0       0.0        0
    1                PAIP    0       0.0        0
    """
    table, days = _window(cohort)
    dose = cohort.rules.dose_sessions
    # Rounded up: half of an odd dose is reached by the session that passes it.
    edges = sorted({0, 1, -(-dose // 4), -(-dose // 2), dose})
    rows: list[dict[str, object]] = []
    for low, high in zip(edges, [*edges[1:], None], strict=True):
        label = _class(low, high)
        inside = table["sessions"].ge(low) & table["sessions"].lt(np.inf if high is None else high)
        counted = table.assign(met=inside, eligible=True)
        rows += count_true(counted, groups_of(cohort), label, f"{label} sessions", "met", "eligible")
    analysis = ShareOf(
        kind="dose_distribution",
        view="dose_distribution",
        estimand=f"share with so many counting sessions within {days} days of the first session",
        population=f"people with a first session at least {days} days before the cut",
        conf_level=conf_level,
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"days": days})


@needs("sessions", "attendance")
def dose_reached(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return the mean share of the dose's sessions and hours that was reached, by arm.

    Each person's share is cut off at 1, so that one person's surplus does not fill another's gap.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from `Moments`; terms sessions and hours. Within the completion window, of starters whose
        window is over.

    Examples
    --------
    >>> from evalkit.analyses import dose_reached
    >>> dose_reached(cohort).tidy()[["group", "term", "estimate", "n"]].head(2).round(3)
                    group      term  estimate    n
    0  Non-mandated pilot  sessions     0.775   74
    1                PAIP  sessions     0.758  330
    """
    table, days = _window(cohort)
    rules = cohort.rules
    labels = {
        "sessions": (rules.dose_sessions, f"Share of {rules.dose_sessions} sessions"),
        "hours": (rules.dose_hours, f"Share of {rules.dose_hours:g} hours"),
    }
    rows: list[dict[str, object]] = []
    for term, (full, label) in labels.items():
        table[term] = np.minimum(table[term] / full, 1.0)
        rows += moments_of(table, groups_of(cohort), term, label, term)
    analysis = MeanOf(
        kind="dose_reached",
        view="dose_reached",
        of_shares=True,
        estimand=f"mean share of the dose reached within {days} days of the first session",
        population=f"people with a first session at least {days} days before the cut",
        conf_level=conf_level,
    )
    return analysis.estimate(moments(rows)).about(cut=cohort.cut, asked={"days": days})
