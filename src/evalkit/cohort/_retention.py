"""The retention scale: disengagement, completion, and what attended sessions add up to."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from evalkit.cohort._episodes import KEY, Setting, attended, owned
from evalkit.cohort._scales import candidate, earliest, exit_candidates, first_sessions

# A sum of hours such as 30 x 1.2 falls short of 36 by a rounding error; no session is that short.
HOURS_SLACK = 1e-6


def _days(setting: Setting) -> ir.Table:
    return setting.kept("days", lambda: attended(setting).select(*KEY, "day").distinct())


def gaps(setting: Setting) -> ir.Table:
    """Return the day on which each episode first met the disengagement rule, if it is known.

    Parameters
    ----------
    setting : Setting

    Returns
    -------
    ibis Table
        participant_id, referral_date, day; no row where the rule is not met on or before the cut.
    """
    days = _days(setting)
    following = days.day.lead().over(group_by=KEY, order_by="day")
    due = (days.day + ibis.interval(days=setting.rules.disengagement_gap_days)).cast("date")
    ahead = days.mutate(following=following, due=due)
    met = ahead.filter(ahead.following.isnull() | (ahead.following > ahead.due), ahead.due <= setting.cut.last)
    return met.group_by(*KEY).aggregate(day=met.due.min())


def doses(setting: Setting) -> ir.Table:
    """Return the day on which each episode's counting sessions reached the dose.

    Parameters
    ----------
    setting : Setting

    Returns
    -------
    ibis Table
        participant_id, referral_date, day; no row where it is not reached.
    """
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
    return rows.filter(rows.exit_date >= rows.first_session_date)


def completions(setting: Setting) -> ir.Table:
    """Return the day of completion, by dose or by a recorded exit, as candidates.

    Parameters
    ----------
    setting : Setting

    Returns
    -------
    ibis Table
        Columns of a candidate; at most two rows per episode and day.
    """
    return setting.kept("completions", lambda: _completions(setting))


def _completions(setting: Setting) -> ir.Table:
    dose = doses(setting)
    found = candidate(setting, dose, dose.day, (0, 2, "dose"))
    if setting.has("exits"):
        exits = exit_candidates(setting, _exits_since_first(setting), {"completion": (0, 2)})
        found = found.union(exits)
    return found


def retention(setting: Setting) -> ir.Table:
    """Return how the time from the first attended session ended.

    Parameters
    ----------
    setting : Setting

    Returns
    -------
    ibis Table
        As `earliest`; cause 1 disengagement, 2 completion, 0 censored.
    """
    return setting.kept("retention", lambda: _retention(setting))


def _retention(setting: Setting) -> ir.Table:
    first, gap = first_sessions(setting), gaps(setting)
    candidates = [
        completions(setting),
        candidate(setting, gap, gap.day, (1, 1, "gap")),
        candidate(setting, first, setting.cut.last, (3, 0, "cut")),
    ]
    if setting.has("exits"):
        order = {"disengagement": (1, 1), "censored": (2, 0)}
        candidates.append(exit_candidates(setting, _exits_since_first(setting), order))
    return earliest(candidates)


def returns(setting: Setting) -> ir.Table:
    """Return who attended again after disengagement, and how often.

    A return is an attended day after the day of disengagement that is the first such day, or that follows
    the attended day before it by more than the gap.

    Parameters
    ----------
    setting : Setting

    Returns
    -------
    ibis Table
        participant_id, referral_date, return_date (the first), n_returns; no row without a return.
    """
    ended = retention(setting)
    ended = ended.filter(ended.cause == 1).select(*KEY, left_on="day")
    days = _days(setting)
    after = days.join(ended, list(KEY))
    after = after.filter(after.day > after.left_on)
    previous = after.day.lag().over(group_by=KEY, order_by="day")
    due = (previous + ibis.interval(days=setting.rules.disengagement_gap_days)).cast("date")
    seen = after.mutate(again=previous.isnull() | (after.day > due))
    seen = seen.filter(seen.again)
    return seen.group_by(*KEY).aggregate(return_date=seen.day.min(), n_returns=seen.count())


def summary(setting: Setting) -> ir.Table:
    """Return what each episode's attended sessions add up to.

    Parameters
    ----------
    setting : Setting

    Returns
    -------
    ibis Table
        participant_id, referral_date, first_session_date, last_session_date, n_attended, hours_attended,
        n_counting, hours_counting.
    """
    rows = attended(setting)
    return rows.group_by(*KEY).aggregate(
        first_session_date=rows.day.min(),
        last_session_date=rows.day.max(),
        n_attended=rows.count(),
        hours_attended=rows.hours.sum(),
        n_counting=rows.counting.ifelse(1, 0).sum().cast("int64"),
        hours_counting=rows.counting.ifelse(rows.hours, 0.0).sum(),
    )
