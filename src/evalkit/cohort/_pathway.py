"""The pathway: in which state each person is at the end of each day since referral, as the moves between states.

Everything a person does is an event of a day: attending, the day on which the gap is over, completing, an exit. Events
stand in order of days, and within a day in that of the definitions (attending, gap, completion, exit); each of them
says in which state it leaves the person, and the last of a day decides. So no state has to be carried along from row
to row, and every engine can say it with windows.
"""

from __future__ import annotations

__all__ = ["STATES", "moves"]

import dataclasses

import ibis
import ibis.expr.types as ir

from evalkit.cohort._episodes import KEY, Setting, owned
from evalkit.cohort._retention import all_gaps, completions, due_days
from evalkit.cohort._scales import first_sessions
from evalkit.intake import exit_effects

STATES = ("waiting", "active", "lapsed", "returned", "completed", "left")
"""In the order in which a figure lays them."""
_WAITING, _ACTIVE, _LAPSED, _RETURNED, _COMPLETED, _LEFT = range(len(STATES))
# Priorities within a day.
_ATTENDS, _GAP, _COMPLETES, _EXITS = range(4)


def moves(setting: Setting) -> ir.Table:
    """Return each day at whose end a person is in another state than a day before, and that state's place.

    Columns participant_id, referral_date (of the first analysed episode), day, state; no row of who has only waited.
    """
    # with a memory of its own: what single episodes own is kept under the same names
    whole = dataclasses.replace(setting, continued=True, _kept={})
    return whole.kept("moves", lambda: _moves(whole))


def _event(rows: ir.Table, day: ir.Value, priority: int, *, final: ir.Value | bool = False) -> ir.Table:
    last = ibis.literal(final) if isinstance(final, bool) else final
    return rows.select(*KEY, day=day.cast("date"), priority=ibis.literal(priority, "int64"), final=last.cast("boolean"))


def _events(setting: Setting) -> ir.Table:
    """Return what happens to each person: day, priority, and whether nothing counts after it."""
    days, gaps, done = due_days(setting), all_gaps(setting), completions(setting)
    parts = [
        _event(days, days.day, _ATTENDS),
        _event(gaps, gaps.due, _GAP),
        _event(done, done.day, _COMPLETES, final=True),
    ]
    if setting.has("exits"):
        effects = exit_effects(setting.rules)
        known = [reason for reason, effect in effects.items() if effect != "ignored"]
        exits = owned(setting, "exits", "exit_date")
        exits = exits.filter(exits.reason.isin([*known, "deceased"]))
        parts.append(_event(exits, exits.exit_date, _EXITS, final=exits.reason == "deceased"))
    # completing by the dose and by a record on one day is one event
    return ibis.union(*parts, distinct=True)


def _moves(setting: Setting) -> ir.Table:
    events = _until_final(_events(setting))
    order = ("day", "priority")
    events = events.mutate(before=events.priority.lag().over(group_by=KEY, order_by=order))
    # Who has left does not lapse: between the last session and the gap's end there is nothing but that session.
    events = events.filter((events.priority != _GAP) | (events.before == _ATTENDS))
    events = events.left_join(first_sessions(setting), list(KEY)).drop(*(f"{k}_right" for k in KEY))
    so_far = ibis.cumulative_window(group_by=KEY, order_by=order)
    # an exit while waiting interrupts nothing: who comes after it is there for the first time
    interrupts = (events.priority.isin([_GAP, _EXITS]) & (events.day >= events.first_session_date)).fill_null(False)
    events = events.mutate(interruptions=interrupts.ifelse(1, 0).sum().over(so_far))
    state = events.priority.cases(
        (_ATTENDS, (events.interruptions > 0).ifelse(_RETURNED, _ACTIVE)),
        (_GAP, _LAPSED),
        (_COMPLETES, _COMPLETED),
        else_=_LEFT,
    )
    events = events.mutate(state=state.cast("int64"))
    last = ibis.row_number().over(group_by=(*KEY, "day"), order_by=ibis.desc("priority"))
    ends = events.mutate(place=last)
    ends = ends.filter(ends.place == 0)
    ends = ends.mutate(previous=ends.state.lag().over(group_by=KEY, order_by="day").fill_null(_WAITING))
    return ends.filter(ends.state != ends.previous).select(*KEY, "day", "state")


def _until_final(events: ir.Table) -> ir.Table:
    """Leave out what comes after completing or death; on one day completing goes before any exit."""
    # day and priority in one number, so that the least of them is what happened first
    rank = events.day.delta(ibis.date("1900-01-01"), unit="day") * 10 + events.priority
    events = events.mutate(rank=rank)
    final = events.filter(events.final)
    final = final.group_by(*KEY).aggregate(stop=final["rank"].min())
    both = events.left_join(final, list(KEY)).drop(*(f"{k}_right" for k in KEY))
    both = both.filter(both.stop.isnull() | (both["rank"] <= both.stop))
    # A death and another exit of one day are one event: there is only one row of a person, day and priority.
    return both.group_by(*KEY, "day", "priority").aggregate(final=both.final.any())
