"""The harm scale: from its origin to the first, or every, outcome of the kinds named."""

from __future__ import annotations

from functools import partial

import ibis
import ibis.expr.types as ir

from evalkit.cohort._episodes import KEY, Setting, analysed, as_candidate, candidate, earliest, pick, reasons


def competing(setting: Setting) -> dict[str, int]:
    """Return what competes with harm in this study, and its cause's number."""
    death = setting.harm.death == "competing" and setting.has("exits")
    names = [*(["death"] if death else []), *([] if setting.harm.custody is None else ["custody"])]
    return {name: number for number, name in enumerate(names, start=2)}


def _origins(setting: Setting) -> ir.Table:
    """Return the episodes that have an origin: participant_id, referral_date, start, outcome_follow_up_end."""
    episodes = analysed(setting)
    start = episodes[f"{setting.harm.origin}_date"]
    return episodes.filter(start.notnull()).select(*KEY, "outcome_follow_up_end", start=start)


def _runs(setting: Setting) -> ir.Table:
    """Return the unbroken runs of searched days of each person and source: participant_id, source, first, last."""
    rows = setting.cut.table("searches")
    rows = rows.filter(rows.source.notnull(), rows.searched_from <= rows.searched_to)
    of, order = ("participant_id", "source"), ("searched_from", "searched_to")
    rows = rows.mutate(so_far=rows.searched_to.max().over(ibis.cumulative_window(group_by=of, order_by=order)))
    rows = rows.mutate(before=rows.so_far.lag().over(group_by=of, order_by=order))
    # A run goes on where a search begins no later than the day after all earlier ones.
    next_day = (rows.before + ibis.interval(days=1)).cast("date")
    rows = rows.mutate(opens=(rows.before.isnull() | (rows.searched_from > next_day)).ifelse(1, 0))
    rows = rows.mutate(run=rows.opens.sum().over(ibis.cumulative_window(group_by=of, order_by=order)))
    return rows.group_by(*of, "run").aggregate(first=rows.searched_from.min(), last=rows.searched_to.max())


def _searched(setting: Setting, source: str | None) -> ir.Table:
    """Return the end of the search of each episode that is followed: participant_id, referral_date, start, day."""
    runs = setting.kept("search_runs", lambda: _runs(setting))
    episodes = _origins(setting)
    if source is not None:
        runs = runs.filter(runs.source == source)
    sources = setting.cut.table("searches").source
    runs = runs.rename(person="participant_id")
    # the run that covers the origin or the day after it: one at most, since two such would be one
    met = episodes.join(
        runs,
        [
            episodes.participant_id == runs.person,
            runs["first"] <= (episodes.start + ibis.interval(days=1)).cast("date"),
            runs["last"] >= episodes.start,
        ],
    )
    # of all sources the earliest end: later harm would be that of some sources only
    ends = met.group_by(*KEY, "start").aggregate(day=met["last"].min(), n=met.source.nunique())
    if source is None:
        both = ends.cross_join(setting.cut.table("searches").aggregate(wanted=sources.nunique()))
        # Whoever a source did not search would look harmless in a composite.
        ends = both.filter(both.n == both.wanted)
    return ends.select(*KEY, "start", "day")


def _followed(setting: Setting, source: str | None) -> ir.Table:
    """Return the episodes that can be followed: participant_id, referral_date, start, day (of the search's end)."""
    if setting.has("searches"):
        return setting.kept(f"searched, {source}", partial(_searched, setting, source))
    return _origins(setting).rename(day="outcome_follow_up_end")


def ends(setting: Setting, source: str | None = None) -> list[ir.Table]:
    """Return what could end each episode's follow-up, as candidates: the cut, the end of the search, a death."""
    episodes = _followed(setting, source)
    searched = episodes.filter(episodes.day.notnull())
    # within a day an outcome (0) goes first, then death, then the ends of what is known: the last day counts
    found = [
        candidate(setting, episodes, setting.cut.last, (3, 0, "cut")),
        candidate(setting, searched, searched.day, (2, 0, "follow_up_end")),
    ]
    if setting.has("exits"):
        # A death is the person's, not an episode's.
        exits = setting.cut.table("exits")
        deaths = exits.filter(exits.reason == "deceased").select(person="participant_id", died="exit_date")
        dead = episodes.select(*KEY).join(deaths, [episodes.participant_id == deaths.person])
        cause = competing(setting).get("death", 0)
        found.append(candidate(setting, dead, dead.died, (1, cause, "deceased")))
    return found


def _outcomes(setting: Setting, source: str | None) -> ir.Table:
    """Return outcomes of the sources that are followed."""
    rows = setting.cut.table("outcomes")
    if source is not None:
        return rows.filter(rows.source == source)
    if setting.has("searches"):
        searches = setting.cut.table("searches").select("source").distinct()
        return rows.semi_join(searches, "source")
    return rows


def _after_origin(setting: Setting, rows: ir.Table, source: str | None) -> ir.Table:
    """Return outcomes dated after the origin of each episode of the person: participant_id, referral_date, on, what."""
    outcomes = rows.select(person=rows.participant_id, on=rows.outcome_date, what=rows.kind)
    episodes = _followed(setting, source).select(*KEY, "start")
    # After the origin's day, not on it: what happened that day may be what led to the referral.
    return episodes.join(outcomes, [episodes.participant_id == outcomes.person, outcomes.on > episodes.start])


def events(setting: Setting, source: str | None = None) -> ir.Table:
    """Return every outcome of the kinds named after the origin, as candidates; also those after follow-up."""
    kinds, words = setting.harm.kinds, reasons(setting)
    outcomes = _outcomes(setting, source)
    rows = _after_origin(setting, outcomes.filter(outcomes.kind.isin(kinds)), source)
    rank = pick(rows.what, {kind: words.index(kind) for kind in kinds})
    return as_candidate(rows, rows.on, 0, 1, rank)


def _custody(setting: Setting, source: str | None) -> list[ir.Table]:
    """Return days in custody after the origin, where the protocol names them: whoever reports it, as with a death."""
    kind = setting.harm.custody
    if kind is None:
        return []
    outcomes = setting.cut.table("outcomes")
    rows = _after_origin(setting, outcomes.filter(outcomes.kind == kind), source)
    return [candidate(setting, rows, rows.on, (1, competing(setting)["custody"], kind))]


def harm(setting: Setting, source: str | None = None) -> ir.Table:
    """Return how each harm-free time ended, as `earliest`: 1 an outcome, then what competes; also before the origin."""
    return earliest([events(setting, source), *_custody(setting, source), *ends(setting, source)])


def harm_ends(setting: Setting, source: str | None = None) -> ir.Table:
    """Return the end of each episode's follow-up for harm, as `earliest`."""
    return setting.kept(f"harm_ends, {source}", lambda: earliest(ends(setting, source)))


def harm_days(setting: Setting, source: str | None = None) -> ir.Table:
    """Return days of follow-up with an outcome of the kinds named: participant_id, referral_date, day, cause, rank."""
    found = events(setting, source)
    daily = found.group_by(*KEY, "day").aggregate(cause=found.cause.max(), rank=found["rank"].min())
    limits = harm_ends(setting, source).select(*KEY, last="day")
    # At most one event a day: an arrest is often booked as several outcomes.
    within = daily.join(limits, list(KEY))
    return within.filter(within.day <= within["last"]).select(*KEY, "day", "cause", "rank")
