"""What becomes of people who attend: disengagement and completion, what their sessions add up to, and the pathway.

Sums of sessions are counted where the rows are, so that no frame of all sessions is made for them.

The pathway says in which state each person is at the end of each day since referral, as the moves between states.
Everything a person does is an event of a day: attending, the day on which the gap is over, completing, an exit. Events
stand in order of days, and within a day in that of the definitions (attending, gap, completion, exit); each of them
says in which state it leaves the person, and the last of a day decides. So no state has to be carried along from row
to row, and every engine can say it with windows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import ibis
import ibis.expr.types as ir

from evalkit.cohort._episodes import (
    KEY,
    Setting,
    analysed,
    attended,
    candidate,
    earliest,
    exit_candidates,
    first_sessions,
    owned,
    sessions,
    stays,
)
from evalkit.intake import exit_effects

# A sum of hours such as 30 x 1.2 falls short of 36 by a rounding error; no session is that short.
HOURS_SLACK = 1e-6


def _days(setting: Setting) -> ir.Table:
    return setting.kept("days", lambda: attended(setting).select(*KEY, "day").distinct())


def gaps(setting: Setting) -> ir.Table:
    """Return the day on which each episode first met the disengagement rule; no row where not by the cut."""
    met = all_gaps(setting)
    return met.group_by(*KEY).aggregate(day=met.due.min())


def all_gaps(setting: Setting) -> ir.Table:
    """Return days on which episodes met the rule by the cut: participant_id, referral_date, day (a session's), due."""
    days = due_days(setting)
    ahead = days.mutate(following=days.day.lead().over(group_by=KEY, order_by="day"))
    # The event is on the day that the rule is met, never dated back to the last session: else nobody could be
    # disengaged in the last days before a cut, and the curve would be too high there.
    met = ahead.filter(ahead.following.isnull() | (ahead.following > ahead.due), ahead.due <= setting.cut.last)
    return met.select(*KEY, "day", "due")


def due_days(setting: Setting) -> ir.Table:
    """Return for each attended day the day on which the rule is met, unless somebody attends before it or on it (due).

    The n-th paused day after it, p, moves it by one where p - (n - 1) is no later than the day would be without any.
    """
    days, gap = _days(setting), ibis.interval(days=setting.rules.disengagement_gap_days)
    plain = days.mutate(due=(days.day + gap).cast("date"))
    if not (setting.rules.closures or setting.rules.cancelled_pauses):
        return plain
    return setting.kept("due_days", lambda: _moved(setting, plain))


def _moved(setting: Setting, plain: ir.Table) -> ir.Table:
    pauses = setting.kept("pauses", lambda: _pauses(setting))
    later = plain.join(pauses, list(KEY))
    later = later.filter(later.paused > later.day)
    later = later.mutate(before=ibis.row_number().over(group_by=(*KEY, "day"), order_by="paused"))
    late = later.paused.delta(later.due, unit="day")
    # each paused day moves the day by one, where it lies no later than the day as moved by the pauses before it
    moving = later.filter(late <= later.before).group_by(*KEY, "day").aggregate(n=ibis._.count())
    both = plain.left_join(moving, [*KEY, "day"])
    by = both.n.fill_null(0).cast("int64")
    return both.select(*KEY, "day", due=(both.due + by.as_interval("D")).cast("date"))


def _pauses(setting: Setting) -> ir.Table:
    """Return the days that do not count toward each episode's gap: participant_id, referral_date, paused."""
    places, parts = stays(setting), []
    for site in dict.fromkeys(closure.site for closure in setting.rules.closures):
        closed = [c for c in setting.rules.closures if c.site == site]
        days = sorted({c.first + timedelta(days=n) for c in closed for n in range((c.last - c.first).days + 1)})
        where = places if site is None else places.filter(places.site == site)
        shut = where.select(*KEY, "since", "until", paused=ibis.literal(days, type="array<date>").unnest())
        if setting.continued:  # a later referral may be to another site
            shut = shut.filter(shut.paused >= shut.since, shut.until.isnull() | (shut.paused < shut.until))
        parts.append(shut.select(*KEY, "paused"))
    if setting.rules.cancelled_pauses:
        rows = setting.cut.table("sessions")
        daily = rows.group_by(person=rows.participant_id, paused=rows.session_date).aggregate(
            n=rows.count(), cancelled=(rows.status == "cancelled").ifelse(1, 0).sum()
        )
        # A day with any other session was one on which somebody could come; whichever referral a cancelled one is of,
        # the person could not.
        idle, episodes = daily.filter(daily.n == daily.cancelled), analysed(setting)
        met = episodes.join(idle, [episodes.participant_id == idle.person, idle.paused >= episodes.referral_date])
        parts.append(met.select(*KEY, "paused"))
    # not by the union's own `distinct`: of a single table it takes no notice
    return ibis.union(*parts).distinct()


def doses(setting: Setting) -> ir.Table:
    """Return the day on which each episode's counting sessions reached the dose; no row where they did not."""
    rows = attended(setting)
    rows = rows.filter(rows.counting)
    daily = rows.group_by(*KEY, "day").aggregate(n=rows.count(), hours=rows.hours.sum())
    so_far = ibis.cumulative_window(group_by=KEY, order_by="day")
    totals = daily.mutate(n_total=daily.n.sum().over(so_far), hours_total=daily.hours.sum().over(so_far))
    reached = totals.filter(
        totals.n_total >= setting.rules.dose_sessions,
        totals.hours_total >= setting.rules.dose_hours - HOURS_SLACK,
    )
    return reached.group_by(*KEY).aggregate(day=reached.day.min())


def _exits_since_first(setting: Setting) -> ir.Table:
    first = first_sessions(setting)
    rows = owned(setting, "exits", "exit_date").join(first, list(KEY))
    # an earlier exit is of the wait before it, and decides initiation
    return rows.filter(rows.exit_date >= rows.first_session_date)


def completions(setting: Setting) -> ir.Table:
    """Return days of completion, by dose or a recorded exit, as candidates; at most two rows per episode and day."""
    return setting.kept("completions", lambda: _completions(setting))


def _completions(setting: Setting) -> ir.Table:
    dose, rule = doses(setting), setting.rules.completion
    by_dose = candidate(setting, dose, dose.day, (0, 2, "dose"))
    if rule == "dose" or (rule == "either" and not setting.has("exits")):
        return by_dose
    recorded = exit_candidates(setting, _exits_since_first(setting), {"completion": (0, 2)})
    return recorded if rule == "recorded" else by_dose.union(recorded)


def retention(setting: Setting) -> ir.Table:
    """Return how the time from the first attended session ended, as `earliest`: 1 disengagement, 2 completion."""
    return setting.kept("retention", lambda: _retention(setting))


def _retention(setting: Setting) -> ir.Table:
    first, gap = first_sessions(setting), gaps(setting)
    # Priorities decide within one day: completion before disengagement, both before censoring. Who completes on the day
    # on which the gap would be over has completed.
    candidates = [
        completions(setting),
        candidate(setting, gap, gap.day, (1, 1, "gap")),
        candidate(setting, first, setting.cut.last, (3, 0, "cut")),
    ]
    if setting.has("exits"):
        order = {"disengagement": (1, 1), "censored": (2, 0)}
        if setting.rules.completion == "dose":  # who is said to have completed without it is not followed any longer
            order["completion"] = (2, 0)
        candidates.append(exit_candidates(setting, _exits_since_first(setting), order))
    return earliest(candidates)


def returns(setting: Setting) -> ir.Table:
    """Return who attended again after disengagement: return_date (the first), n_returns; no row without a return."""
    ended = retention(setting)
    ended = ended.filter(ended.cause == 1).select(*KEY, left_on="day")
    after = due_days(setting).join(ended, list(KEY))
    after = after.filter(after.day > after.left_on)
    due = after.due.lag().over(group_by=KEY, order_by="day")
    # whoever comes back and stays has returned once: another return takes another gap before it
    seen = after.mutate(again=due.isnull() | (after.day > due))
    seen = seen.filter(seen.again)
    return seen.group_by(*KEY).aggregate(return_date=seen.day.min(), n_returns=seen.count())


def summary(setting: Setting) -> ir.Table:
    """Return what each episode's attended sessions add up to; no row without any."""
    rows = attended(setting)
    return rows.group_by(*KEY).aggregate(
        first_session_date=rows.day.min(),
        last_session_date=rows.day.max(),
        n_attended=rows.count(),
        hours_attended=rows.hours.sum(),
        n_counting=rows.count(where=rows.counting),
        hours_counting=rows.counting.ifelse(rows.hours, 0.0).sum(),
    )


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
