"""The harm scale: from intake to the first, or every, outcome of the kinds named."""

from __future__ import annotations

import ibis.expr.types as ir

from evalkit.cohort._episodes import KEY, Setting, analysed
from evalkit.cohort._scales import as_candidate, candidate, earliest, pick, reasons


def _with_intake(setting: Setting) -> ir.Table:
    episodes = analysed(setting)
    return episodes.filter(episodes.intake_date.notnull())


def ends(setting: Setting) -> list[ir.Table]:
    """Return what could end each episode's follow-up, as candidates.

    Parameters
    ----------
    setting : Setting

    Returns
    -------
    list of ibis Table
        The cut, the end of the search for outcomes, and the participant's death.
    """
    episodes = _with_intake(setting)
    searched = episodes.filter(episodes.outcome_follow_up_end.notnull())
    found = [
        candidate(setting, episodes, setting.cut.last, (3, 0, "cut")),
        candidate(setting, searched, searched.outcome_follow_up_end, (2, 0, "follow_up_end")),
    ]
    if setting.has("exits"):
        # A death is the person's, not an episode's.
        exits = setting.cut.table("exits")
        deaths = exits.filter(exits.reason == "deceased").select(person="participant_id", died="exit_date")
        dead = episodes.select(*KEY).join(deaths, [episodes.participant_id == deaths.person])
        found.append(candidate(setting, dead, dead.died, (1, 0, "deceased")))
    return found


def events(setting: Setting) -> ir.Table:
    """Return every outcome of the kinds named after intake, as candidates.

    Parameters
    ----------
    setting : Setting

    Returns
    -------
    ibis Table
        Columns of a candidate; outcomes after the end of follow-up are still among them.

    Raises
    ------
    MissingTableError
        If outcomes are not part of the study.
    """
    kinds, words = setting.cut.study.harm.kinds, reasons(setting)
    outcomes = setting.cut.table("outcomes")
    outcomes = outcomes.filter(outcomes.kind.isin(kinds))
    outcomes = outcomes.select(person=outcomes.participant_id, on=outcomes.outcome_date, what=outcomes.kind)
    episodes = _with_intake(setting).select(*KEY, "intake_date")
    rows = episodes.join(outcomes, [episodes.participant_id == outcomes.person, outcomes.on > episodes.intake_date])
    rank = pick(rows.what, {kind: words.index(kind) for kind in kinds})
    return as_candidate(rows, rows.on, 0, 1, rank)


def harm(setting: Setting) -> ir.Table:
    """Return how each episode's harm-free time ended.

    Parameters
    ----------
    setting : Setting

    Returns
    -------
    ibis Table
        As `earliest`; cause 1 an outcome, 0 censored. Rows that end before intake are still among them.
    """
    return earliest([events(setting), *ends(setting)])


def harm_ends(setting: Setting) -> ir.Table:
    """Return the end of each episode's follow-up for harm.

    Parameters
    ----------
    setting : Setting

    Returns
    -------
    ibis Table
        As `earliest`, cause 0.
    """
    return setting.kept("harm_ends", lambda: earliest(ends(setting)))


def harm_days(setting: Setting) -> ir.Table:
    """Return every day with an outcome of the kinds named, at most one event a day.

    Parameters
    ----------
    setting : Setting

    Returns
    -------
    ibis Table
        participant_id, referral_date, day, cause, rank; within follow-up.
    """
    found = events(setting)
    daily = found.group_by(*KEY, "day").aggregate(cause=found.cause.max(), rank=found["rank"].min())
    limits = harm_ends(setting).select(*KEY, last="day")
    within = daily.join(limits, list(KEY))
    return within.filter(within.day <= within["last"]).select(*KEY, "day", "cause", "rank")
