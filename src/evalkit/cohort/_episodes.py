"""Episodes: one per referral, which of them are analysed, the rows each of them owns, and what ends its time.

A time scale is a union of candidates (key, day, priority, cause, rank of the reason): of all that could end an
episode's time, the earliest decides. The first by day, priority and rank is the row of the scale. Dates are compared
and moved by whole days only, so that every engine agrees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import ibis
import ibis.expr.types as ir

from evalkit.intake import CutData, exit_effects
from evalkit.protocol import Harm, Rules, Study

Episodes = Literal["first", "all"]
KEY = ("participant_id", "referral_date")


@dataclass(frozen=True, eq=False)
class Setting:
    """What every roll-up of one cohort starts from."""

    cut: CutData
    rules: Rules
    harm: Harm
    episodes: Episodes
    continued: bool = False  # later referrals continue the first episode, as the pathway has it
    _kept: dict[str, ir.Table] = field(default_factory=dict, repr=False)
    _stated: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # by value: cohorts with other rules share a cut, and must not be given each other's tables
        which = f"{self.episodes}, continued" if self.continued else self.episodes
        object.__setattr__(self, "_stated", f"{which} {self.rules.model_dump_json()} {self.harm.model_dump_json()}")

    def kept(self, name: str, make: Callable[[], ir.Table], *, view: bool = False) -> ir.Table:
        """Return an expression that roll-ups share, computed once where possible; `view` as in `CutData.kept`."""
        if name not in self._kept:
            self._kept[name] = self.cut.kept((name, self._stated), make, view=view)
        return self._kept[name]

    def release(self) -> None:
        """Give memory back, as `CutData.release`."""
        self._kept.clear()
        self.cut.release()

    @property
    def day(self) -> date:
        """The data cut."""
        return self.cut.day

    def has(self, name: str) -> bool:
        """Return whether a table is part of the study."""
        return self.cut.has(name)


def referrals(setting: Setting) -> ir.Table:
    """Return referrals known at the cut, once: the participants' columns, next_referral, in_study, episode, in_arm.

    Of rows in an arm ``where_known`` and ``where_met`` say whether what the arm asks for beside is known, and holds.
    """
    return setting.kept("referrals", lambda: _referrals(setting))


def _referrals(setting: Setting) -> ir.Table:
    study = setting.cut.study
    known = setting.cut.table("participants")
    known = known.filter(known.participant_id.notnull())
    # Rows entered on one day are put in order by what they hold, not by their place in the file (ADR 11).
    ties = [c for c in known.columns if c not in {*KEY, "recorded_on", "_row"}]
    order = [ibis.desc("recorded_on", nulls_first=False), *(ibis.asc(c, nulls_first=False) for c in ties)]
    copies = known.mutate(copy_=ibis.row_number().over(group_by=KEY, order_by=order))
    once = copies.filter(copies.copy_ == 0).drop("copy_")
    flagged = once.mutate(
        next_referral=once.referral_date.lead().over(group_by="participant_id", order_by="referral_date"),
        in_study=once.referral_date >= ibis.literal(study.starts),
        in_arm=once[study.arms.column].isin([study.arms.focus.value, study.arms.comparison.value]).fill_null(False),
        **_conditions(study, once),
    )
    # numbered among those of the study only; an episode ends where the next referral starts, whatever that is
    number = ibis.row_number().over(group_by=("participant_id", "in_study"), order_by="referral_date")
    return flagged.mutate(episode=(number + 1).cast("int64"))


def _conditions(study: Study, rows: ir.Table) -> dict[str, ir.Value]:
    """Say of each row whether what its arm asks for is known and holds; of columns in which somebody has a value."""
    known: ir.Value = ibis.literal(True)
    met: ir.Value = ibis.literal(True)
    for arm in (study.arms.focus, study.arms.comparison):
        others = (rows[study.arms.column] != arm.value).fill_null(True)
        for column, values in arm.conditions.items():
            # A column in which nobody has a value limits nobody: a study without mandates would have no comparison arm.
            unrecorded = ibis.literal(False)
            if column not in study.arms.limits:
                unrecorded = rows[column].count().over(ibis.window()) == 0
            known &= others | unrecorded | rows[column].notnull()
            met &= others | unrecorded | rows[column].isin(list(values)).fill_null(False)
    return {"where_known": known, "where_met": met}


def analysed(setting: Setting) -> ir.Table:
    """Return the referrals that are analysed, as `referrals` gives them."""

    def make() -> ir.Table:
        everybody = referrals(setting)
        chosen = everybody.filter(everybody.in_study, everybody.in_arm, everybody.where_met)
        if setting.episodes == "first":
            chosen = chosen.filter(chosen.episode == 1)
        return _continued(chosen) if setting.continued else chosen

    return setting.kept("analysed", make)


def _continued(chosen: ir.Table) -> ir.Table:
    """Return each person's first episode, without an end."""
    place = ibis.row_number().over(group_by="participant_id", order_by="referral_date")
    ordered = chosen.mutate(place_=place)
    return ordered.filter(ordered.place_ == 0).drop("place_").mutate(next_referral=ibis.null("date"))


def stays(setting: Setting) -> ir.Table:
    """Return each analysed episode's site, since, until (null: no end): one row, or, continued, one per referral."""
    chosen = analysed(setting)
    if not setting.continued:
        return chosen.select(*KEY, "site", since="referral_date", until=ibis.null("date"))
    every = referrals(setting).select("site", person="participant_id", since="referral_date", until="next_referral")
    origins = chosen.select(*KEY)
    rows = origins.join(every, [origins.participant_id == every.person, every.since >= origins.referral_date])
    return rows.select(*KEY, "site", "since", "until")


def owned(setting: Setting, name: str, day: str) -> ir.Table:
    """Return a table's rows from an analysed episode's referral up to the day before the person's next one."""
    return setting.kept(name, lambda: _owned(setting, name, day), view=True)


def _owned(setting: Setting, name: str, day: str) -> ir.Table:
    rows = setting.cut.table(name)
    rows = rows.drop("recorded_on", "retracted_on", *({"_row"} & set(rows.columns)))
    chosen = analysed(setting)
    owners = chosen.select(
        owner=chosen.participant_id, referral_date=chosen.referral_date, next_referral=chosen.next_referral
    )
    return rows.join(
        owners,
        [
            rows.participant_id == owners.owner,
            rows[day] >= owners.referral_date,
            owners.next_referral.isnull() | (rows[day] < owners.next_referral),
        ],
    ).drop("owner", "next_referral")


def sessions(setting: Setting) -> ir.Table:
    """Return owned sessions, which of them were attended, and which of these count towards the dose (`counting`)."""

    def make() -> ir.Table:
        rows = owned(setting, "sessions", "session_date")
        came, limits = (rows.status == "attended").fill_null(False), setting.rules.counting_limits
        counting = rows.kind.isin([kind for kind, most in limits.items() if most is None])
        for kind, most in limits.items():
            if most is not None:  # the earliest count, within a day the longest first
                order = (rows.session_date, rows.hours.fill_null(0.0).desc())
                # within a status, so that a session that was missed takes no place of those that count
                place = ibis.row_number().over(group_by=(*KEY, "kind", "status"), order_by=order)
                counting |= (rows.kind == kind) & (place < most)
        return rows.mutate(attended=came, counting=came & counting.fill_null(False))

    return setting.kept("sessions, flagged", make, view=True)


def attended(setting: Setting) -> ir.Table:
    """Return attended sessions of analysed episodes: participant_id, referral_date, day, counting, hours (none: 0)."""

    def make() -> ir.Table:
        rows = sessions(setting)
        rows = rows.filter(rows.attended)
        return rows.select(*KEY, "counting", day=rows.session_date, hours=rows.hours.fill_null(0.0))

    return setting.kept("attended", make)


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
