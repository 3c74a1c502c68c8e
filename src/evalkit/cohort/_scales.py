"""Time scales as expressions: of all that could end an episode's time, the earliest decides.

Every scale is a union of candidates (key, day, priority, cause, rank of the reason). The first by day, priority
and rank is the row of the scale. Dates are compared and moved by whole days only, so that every engine agrees.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from evalkit.cohort._episodes import KEY, Setting, analysed, attended, owned
from evalkit.intake import exit_effects


def reasons(setting: Setting) -> tuple[str, ...]:
    """Return the words for why a time ended; a rank is a place in them."""
    exits = sorted({*exit_effects(setting.rules), "deceased"})
    rules = ("first_session", "dose", "gap", "follow_up_end", "cut")
    custody = [] if setting.harm.custody is None else [setting.harm.custody]
    return (*dict.fromkeys((*exits, *setting.harm.kinds, *custody, *rules)),)


def candidate(setting: Setting, rows: ir.Table, day: ir.Value, what: tuple[int, int, str]) -> ir.Table:
    """Return rows as candidates; `what`: priority (lower goes first on one day), cause (0: censored), reason."""
    priority, cause, reason = what
    return as_candidate(rows, day, priority, cause, reasons(setting).index(reason))


def as_candidate(
    rows: ir.Table, day: ir.Value, priority: ir.Value | int, cause: ir.Value | int, rank: ir.Value | int
) -> ir.Table:
    """Return rows (with participant_id and referral_date) as candidates."""
    numbers = {"priority": priority, "cause": cause, "rank": rank}
    as_values = {k: ibis.literal(v) if isinstance(v, int) else v for k, v in numbers.items()}
    # one type of each column, so that every engine can put candidates of all kinds together
    return rows.select(*KEY, day=day.cast("date"), **{k: v.cast("int64") for k, v in as_values.items()})


def pick(word: ir.StringValue, numbers: dict[str, int]) -> ir.Value:
    """Return the number that belongs to a word, 99 to any other."""
    return word.cases(*numbers.items(), else_=99) if numbers else ibis.literal(99)


def earliest(candidates: list[ir.Table]) -> ir.Table:
    """Return the first candidate of each episode: participant_id, referral_date, day, cause, rank."""
    pool = ibis.union(*candidates) if len(candidates) > 1 else candidates[0]
    # The rank only makes the reason that is told the same on every engine, where two share day and priority.
    place = ibis.row_number().over(group_by=KEY, order_by=("day", "priority", "rank"))
    ordered = pool.mutate(place=place)
    return ordered.filter(ordered.place == 0).select(*KEY, "day", "cause", "rank")


def first_sessions(setting: Setting) -> ir.Table:
    """Return the day of each episode's first attended session (first_session_date); no row without one."""

    def make() -> ir.Table:
        rows = attended(setting)
        return rows.group_by(*KEY).aggregate(first_session_date=rows.day.min())

    return setting.kept("first_sessions", make)


def exit_candidates(setting: Setting, rows: ir.Table, order: dict[str, tuple[int, int]]) -> ir.Table:
    """Return exits as candidates; `order` says an effect's priority and cause here, other effects are left out."""
    words = reasons(setting)
    effects = {r: order[e] for r, e in sorted(exit_effects(setting.rules).items()) if e in order}
    rows = rows.filter(rows.reason.isin(list(effects)))
    return as_candidate(
        rows,
        rows.exit_date,
        pick(rows.reason, {r: priority for r, (priority, _) in effects.items()}),
        pick(rows.reason, {r: cause for r, (_, cause) in effects.items()}),
        pick(rows.reason, {r: words.index(r) for r in effects}),
    )


def initiation(setting: Setting) -> ir.Table:
    """Return how the wait from referral to the first attended session ended, as `earliest`: 1 a session, 2 an exit."""
    first = first_sessions(setting)
    episodes = analysed(setting)
    # on one day a first session goes before an exit, and an exit before the end of what is known
    candidates = [
        candidate(setting, first, first.first_session_date, (0, 1, "first_session")),
        candidate(setting, episodes, setting.cut.last, (3, 0, "cut")),
    ]
    if setting.has("exits"):
        order = {"completion": (1, 2), "disengagement": (1, 2), "censored": (2, 0)}
        candidates.append(exit_candidates(setting, owned(setting, "exits", "exit_date"), order))
    return earliest(candidates)
