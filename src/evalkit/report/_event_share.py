"""Shares with an event by a day, as page one and the brief quote them: of which day, and whether the groups differ."""

from __future__ import annotations

__all__ = ["EventShare", "left_by", "share_harmed", "share_left"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import analyses
from evalkit.analyses import first_harm
from evalkit.disclosure import Safe
from evalkit.estimates import Estimates
from evalkit.views import Gap, common_day, last_day

if TYPE_CHECKING:
    from evalkit.report._report import Report


_HALF_A_YEAR = 182  # in which a weekly dose can be reached


@dataclass(frozen=True, eq=False)
class EventShare:
    """The share with an event on the days that may be quoted.

    Attributes
    ----------
    safe : Safe
        The curves they are read from.
    rows : pandas.DataFrame
        group, time, estimate, conf_low, conf_high.
    gap : Gap or None
        Difference between the groups on the last day quoted of both.
    last : float
        Last landmark that the curves of all groups reach, quoted or not; nan if there is none.
    cause : str
        The event.
    """

    safe: Safe
    rows: pd.DataFrame = field(repr=False)
    gap: Gap | None
    last: float
    cause: str

    def on_a_day(
        self, groups: tuple[str, str], horizon: float = float("inf")
    ) -> tuple[pd.Series | None, pd.Series | None]:
        """Return the rows of the focus and the comparison on the last day quoted of both, or else of the focus.

        Parameters
        ----------
        groups : (str, str)
        horizon : float
            No later day.

        Returns
        -------
        tuple of pandas.Series or None
        """
        rows = self.rows[self.rows["time"] <= horizon]
        day = common_day(rows, groups)
        if not ((rows["group"] == groups[0]) & (rows["time"] == day)).any():
            day = common_day(rows[rows["group"] == groups[0]], groups)
        found = [rows[(rows["group"] == group) & (rows["time"] == day)] for group in groups]
        own, other = (one.iloc[0] if len(one) else None for one in found)
        return own, other

    def gap_on(self, day: float) -> Gap | None:
        """Return the difference between the groups if it is that of a day.

        Parameters
        ----------
        day : float

        Returns
        -------
        Gap or None
        """
        return self.gap if self.gap is not None and self.gap.day == day else None

    def row(self, group: str, day: float) -> pd.Series | None:
        """Return what is quoted of a group on a day.

        Parameters
        ----------
        group : str
        day : float

        Returns
        -------
        pandas.Series or None
        """
        found = self.rows[(self.rows["group"] == group) & (self.rows["time"] == day)]
        return found.iloc[0] if len(found) else None

    def sooner(self, groups: tuple[str, str], horizon: float) -> float:
        """Return the last landmark up to a horizon that the curves reach, if it cannot be quoted of the focus.

        Parameters
        ----------
        groups : (str, str)
        horizon : float

        Returns
        -------
        float
            nan where it can be.
        """
        if not self.last > 0:  # the curve of the focus is not shown at all
            return float("nan")
        own, _ = self.on_a_day(groups, horizon)
        wanted = max((day for day in self.safe.policy.landmarks if day <= min(horizon, self.last)), default=0)
        return float(wanted) if wanted > (0 if own is None else own["time"]) else float("nan")


def left_by(report: Report) -> int:
    """Return the day by which page one and the brief say who had left: half a year, or an earlier landmark.

    Parameters
    ----------
    report : Report

    Returns
    -------
    int
    """
    return min(report.cohort.rules.landmark_day, _HALF_A_YEAR)


def share_left(report: Report) -> EventShare | None:
    """Return the share of starters who had disengaged.

    Parameters
    ----------
    report : Report

    Returns
    -------
    EventShare or None
        None where nothing of it may be shown.
    """
    return _share(report, analyses.leaving(report.cohort), str(report.cohort.causes[1]))


def share_harmed(report: Report) -> EventShare | None:
    """Return the share of people with recorded harm.

    Parameters
    ----------
    report : Report

    Returns
    -------
    EventShare or None
        None where nothing of it may be shown.
    """
    return _share(report, first_harm(report.cohort, report.policy.minimum_count), report.study.harm.label)


def _share(report: Report, exact: Estimates, cause: str) -> EventShare | None:
    safe = report.safe(exact)
    if safe.smooth is None:
        return None
    rows = safe.landmark_rows()
    rows = rows[rows["cause"] == cause]
    return EventShare(safe, rows, report.gaps(safe).get(cause), _last(safe, report, cause), cause)


def _last(safe: Safe, report: Report, cause: str) -> float:
    """Return the last landmark that both curves reach, or that of the focus where there is no other."""
    own = last_day(safe, report.groups[:1], cause)
    return last_day(safe, report.groups, cause) if own > 0 else own
