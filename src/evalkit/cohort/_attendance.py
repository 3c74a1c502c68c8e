"""What people's sessions add up to: counted where the rows are, so that no frame of all sessions is made for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import ibis.expr.types as ir

from evalkit.cohort._episodes import KEY, Setting, analysed, attended, sessions
from evalkit.cohort._scales import first_sessions

Since = Literal["intake", "first_session"]
Window = tuple[int, int]
"""First and last day, both in it."""


def within(setting: Setting, since: Since, windows: Sequence[Window], *, counting: bool) -> ir.Table:
    """Return sessions_k and hours_k that each episode attended in window k; no row for one without any session."""
    rows = attended(setting)
    origins = analysed(setting) if since == "intake" else first_sessions(setting)
    origins = origins.select(*KEY, origin=origins[f"{since}_date"])
    rows = (rows.filter(rows.counting) if counting else rows).join(origins, list(KEY))
    rows = rows.mutate(since=rows.day.delta(rows.origin, unit="day"))
    sums: dict[str, ir.Value] = {}
    # all windows in one question, as each would walk through every session
    for place, (first, last) in enumerate(windows):
        inside = rows.since.between(first, last)
        sums[f"sessions_{place}"] = rows.count(where=inside)
        sums[f"hours_{place}"] = rows.hours.sum(where=inside)
    return rows.group_by(*KEY).aggregate(**sums)


def due(setting: Setting) -> ir.Table:
    """Return how many sessions each episode attended (numerator) of those due (denominator); no row without one."""
    rows = sessions(setting)
    # what was excused or cancelled nobody missed
    rows = rows.filter(rows.status.isin(["attended", "absent"]))
    return rows.group_by(*KEY).aggregate(numerator=rows.count(where=rows.attended), denominator=rows.count())
