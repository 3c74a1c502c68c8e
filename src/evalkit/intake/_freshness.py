"""Freshness: how far each table reaches, and months in which rows are missing, it seems."""

from __future__ import annotations

__all__ = ["entered_late", "fall_of_rows", "reaches", "stale"]

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import pandas as pd

from evalkit.intake._cut import fetch
from evalkit.intake._data import StudyData, kept_in
from evalkit.intake._findings import Finding
from evalkit.intake._spec import table_spec
from evalkit.periods import Period
from evalkit.protocol import Study

_SEVERAL = 5  # rows: fewer that were entered late are late, and no other kind of day
_BEFORE = 6  # months that say what is usual: half a year, so that one holiday does not


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a table reaches."""

    newest: date | None  # None: no day at all, so that the study's first day stands for it
    days: int  # by which a period may end later
    until: date  # the last day on which a period may end


def reaches(data: StudyData, today: date) -> dict[str, Reach]:
    """Return how far each table of a study reaches."""
    found = {}
    for name, newest in data.newest_days(today).items():
        days = data.study.freshness_of(name)
        found[name] = Reach(newest, days, (newest or data.study.starts) + timedelta(days=days))
    return found


def stale(reach: Mapping[str, Reach], period: Period) -> list[Finding]:
    """Return a finding for each table that does not reach a period's cut."""
    found = []
    for name, own in reach.items():
        if own.until < period.cut:
            newest = f"its newest day is {own.newest}" if own.newest else "it has no day up to today"
            text = (
                f"{newest}, and period {period.name} ends on {period.cut}: more than {own.days} days later "
                f"(tables.{name}.freshness_days)"
            )
            found.append(Finding(name, "", "stale_table", "error", 0, (), text))
    return found


def entered_late(data: StudyData, reach: Mapping[str, Reach], cut: date, today: date) -> list[Finding]:
    """Return a finding for each table of which most rows were entered after a cut, though they happened well before.

    A report knows nothing of them. Where an export writes its own day as ``recorded_on``, that is nearly all of a
    table, and the report would say that nobody came. Rows withdrawn up to ``today`` are not missed.
    """
    found = []
    for name, own in reach.items():
        if "recorded_on" in data.absent.get(name, ()):
            continue
        event, last = table_spec(data.study, name).event_date, cut - timedelta(days=own.days)
        table = kept_in(data.study, name, data.table(name))
        past = table.filter(table[event] <= ibis.literal(last))
        seen = past.recorded_on.fill_null(past[event]) <= ibis.literal(cut)
        gone = past.retracted_on.fill_null(ibis.literal(date.max))
        counts = past.aggregate(
            there=(gone > ibis.literal(today)).ifelse(1, 0).sum(),
            known=(seen & (gone > ibis.literal(cut))).ifelse(1, 0).sum(),
        )
        there, known = (0 if pd.isna(n) else int(n) for n in fetch(counts, [], name).iloc[0])
        if there - known >= _SEVERAL and 2 * known < there:
            text = (
                f"most of the rows up to {last} were entered after {cut}, so that a report of that day knows nothing "
                "of them: recorded_on is to be the day a row was entered, not that of an export"
            )
            found.append(Finding(name, "recorded_on", "entered_late", "error", 0, (), text))
    return found


def fall_of_rows(study: Study, sessions: pd.DataFrame, last: date, *, to_last: bool) -> list[Finding]:
    """Look for months with fewer than half of the sessions that the six months before had at their median; one finding.

    ``last`` is the last day that the rows speak of: a month that ends later is not over in them. ``to_last``: whether
    months up to that day count that have no row any more; else up to the newest session's.
    """
    months = sessions["session_date"].dropna().dt.to_period("M")
    months = months[months <= pd.Period(last, "M")]
    if months.empty:
        return []
    end = pd.Period(last, "M") if to_last else months.max()
    if end.end_time.date() > last:
        end -= 1
    rows = months.value_counts().reindex(pd.period_range(months.min(), end, freq="M"), fill_value=0)
    # Shifted: a month is no part of what was usual before it. The first six have nothing to be held against.
    usual = rows.rolling(_BEFORE).median().shift(1)
    fallen = rows.index[rows < usual / 2]
    if not len(fallen):
        return []
    several = f" and {len(fallen) - 1} more" if len(fallen) > 1 else ""
    text = f"{fallen[-1]}{several}: fewer than half of the sessions that were usual in the {_BEFORE} months before"
    return [Finding("sessions", "session_date", "fall_of_rows", study.fall_of_rows, 0, (), text)]
