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
    from evalkit.cohort import Cohort
    from evalkit.report._report import Report


_HALF_A_YEAR = 182  # in which a weekly dose can be reached


@dataclass(frozen=True, eq=False)
class EventShare:
    """The share with an event on the days that may be quoted."""

    safe: Safe  # the curves they are read from
    rows: pd.DataFrame = field(repr=False)  # group, time, estimate, limits, and n: with whom the curve begins
    gap: Gap | None  # on the last day quoted of both groups
    last: float  # day up to the horizon that all curves reach, quoted or not; nan: none
    cause: str  # the event

    def on_a_day(self, groups: tuple[str, str]) -> tuple[pd.Series | None, pd.Series | None]:
        """Return the rows of the focus and the comparison on the last day quoted of both, or else of the focus."""
        day = common_day(self.rows, groups)
        own, other = (self.row(group, day) for group in groups)
        # Of the focus alone, then: page one is about it.
        if own is None:
            day = common_day(self.rows[self.rows["group"] == groups[0]], groups)
            own, other = (self.row(group, day) for group in groups)
        return own, other

    def gap_on(self, day: float) -> Gap | None:
        """Return the difference between the groups if it is that of a day."""
        return self.gap if self.gap is not None and self.gap.day == day else None

    def gap_told(self, groups: tuple[str, str]) -> Gap | None:
        """Return the difference between the groups on the day that page one quotes."""
        own, other = self.on_a_day(groups)
        return None if own is None or other is None else self.gap_on(float(own["time"]))

    def row(self, group: str, day: float) -> pd.Series | None:
        """Return what is quoted of a group on a day."""
        found = self.rows[(self.rows["group"] == group) & (self.rows["time"] == day)]
        return found.iloc[0] if len(found) else None

    def withheld(self, groups: tuple[str, str]) -> bool:
        """Whether the curve of the focus reaches a day of which nothing may be quoted, and none before it can be."""
        return self.last > 0 and self.on_a_day(groups)[0] is None


def left_by(report: Report) -> int:
    """Return the day by which page one and the brief say who had left: half a year, or an earlier landmark."""
    return min(report.cohort.rules.landmark_day, _HALF_A_YEAR)


def share_left(report: Report, cohort: Cohort) -> EventShare | None:
    """Return the share of starters who had left, of the report's cohort or one known before; None: not to be shown."""
    return _share(report, _known(report, cohort, analyses.leaving(cohort)), str(cohort.causes[1]), left_by(report))


def share_harmed(report: Report, cohort: Cohort) -> EventShare | None:
    """Return the share with recorded harm, of the report's cohort or one known before; None: not to be shown."""
    exact = _known(report, cohort, first_harm(cohort, report.policy.minimum_count))
    return _share(report, exact, report.study.harm.label, max(report.study.harm.horizons, default=0))


def _known(report: Report, cohort: Cohort, exact: Estimates) -> Estimates:
    """Name a question that is asked of what was known before: it is another one than today's."""
    # Under today's name a number of then would be followed from release to release as today's.
    return exact if cohort is report.cohort else exact.about(asked={**exact.asked, "known": "before"})


def _share(report: Report, exact: Estimates, cause: str, horizon: float) -> EventShare | None:
    safe = report.safe(exact).until(horizon)
    if safe.smooth is None:
        return None
    rows, every = safe.landmark_rows(), safe.estimates.tidy()
    rows = rows[rows["cause"] == cause]
    people = every.groupby("group")["n_risk"].max()  # at risk when the curve begins: everybody
    rows = rows.assign(n=rows["group"].map(people))
    return EventShare(safe, rows, report.gaps(safe).get(cause), min(_last(safe, report, cause), horizon), cause)


def _last(safe: Safe, report: Report, cause: str) -> float:
    """Return the last landmark that both curves reach, or that of the focus where there is no other."""
    own = last_day(safe, report.groups[:1], cause)
    return last_day(safe, report.groups, cause) if own > 0 else own
