"""What each raw table's columns are: one description that reading, checking and the dictionary share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evalkit.errors import DataError, ProtocolError
from evalkit.protocol import Rules, Study

Effect = Literal["disengagement", "completion", "censored", "ignored"]
Kind = Literal["identifier", "date", "number", "text", "yes_no"]

SESSION_STATUSES = ("attended", "absent", "excused", "cancelled")
MANDATES = ("court", "other_order", "none")


RESERVED = frozenset(
    {
        "episode",
        "group",
        "referral_date",
        "intake_date",
        "outcome_follow_up_end",
        "first_session_date",
        "last_session_date",
        "completion_date",
        "dose_date",
        "disengagement_date",
        "return_date",
        "harm_end_date",
        "n_attended",
        "hours_attended",
        "n_counting",
        "hours_counting",
        "n_returns",
        "days_from_referral",
        "days_from_intake",
        "days_from_first_session",
        "time",
        "time_from",
        "event",
        "reason",
        "period_number",
        "day",
        "cause",
        "rank",
        "participant_id",
        "recorded_on",
        "retracted_on",
        "next_referral",
        "in_study",
        "in_arm",
        "where_known",
        "where_met",
    }
)
"""Names of the cohort's own columns: neither a covariate nor the arms' column may have one of them."""


class MissingTableError(DataError):
    """An optional table that an analysis needs is not part of this study."""

    def __init__(self, table: str) -> None:
        super().__init__(f"The {table} table is not part of this study.")
        self.table = table


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column of a raw table, in our words."""

    name: str
    kind: Kind
    meaning: str
    required: bool = True  # whether the table is refused without it
    filled: bool = False  # whether every row must have a value
    unit: str = ""
    allowed: tuple[str, ...] | None = None  # None: any value
    # The smallest and the largest number that can be right.
    minimum: float | None = None
    maximum: float | None = None
    # Whether values decide what is counted: one that nobody knows is an error then, else a warning (ADR 10).
    counted: bool = True


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One raw table; ``meaning`` is what one row is, ``event_date`` the column that says when its event happened."""

    name: str
    meaning: str
    columns: tuple[ColumnSpec, ...]
    event_date: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def dates(self) -> tuple[str, ...]:
        """Names of the date columns."""
        return tuple(column.name for column in self.columns if column.kind == "date")


_ID = ColumnSpec("participant_id", "identifier", "opaque identifier of the participant", filled=True)
_KNOWN = (
    ColumnSpec("recorded_on", "date", "day the row was entered; empty: known from its own date", required=False),
    ColumnSpec("retracted_on", "date", "day the row was withdrawn; empty: it stands", required=False),
)


def _names(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _participants(study: Study) -> TableSpec:
    arms = study.arms
    # Who is in neither arm stays a row: what is kept out is counted among those who are not analysed.
    neither = study.ignore.get("participants", {}).get(arms.column, [])
    arm = ColumnSpec(
        arms.column,
        "text",
        f"the arm: {arms.focus.value} is {arms.focus.label}, {arms.comparison.value} is {arms.comparison.label}",
        filled=True,
        allowed=(arms.focus.value, arms.comparison.value, *neither),
    )
    fixed = [
        _ID,
        arm,
        ColumnSpec("referral_date", "date", "day of the referral; starts the episode", filled=True),
        ColumnSpec("referral_source", "text", "who referred", required=False, allowed=_names(study.referral_sources)),
        ColumnSpec("intake_date", "date", "day of the intake; empty: none yet"),
        ColumnSpec("site", "text", "where services are given", required=False, allowed=_names(study.sites)),
        ColumnSpec("community_area", "text", "community area", required=False, allowed=_names(study.community_areas)),
    ]
    if arms.column != "mandate":
        meaning, decides = "what obliged the participant to come; empty: not known", "mandate" in arms.conditions
        mandate = ColumnSpec("mandate", "text", meaning, required=False, allowed=MANDATES, counted=decides)
        fixed.insert(2, mandate)
    taken = {column.name for column in (*fixed, *_KNOWN)} | {"outcome_follow_up_end"}
    covariates = []
    for covariate in study.covariates:
        # A covariate may be a column that every study has, such as the site: it is one column all the same.
        if covariate.name in taken:
            continue
        numeric = covariate.kind == "numeric"
        kind: Kind = "yes_no" if covariate.kind == "yes_no" else "number" if numeric else "text"
        covariates.append(
            ColumnSpec(
                covariate.name,
                kind,
                covariate.meaning or covariate.label,
                allowed=_names(covariate.levels),
                minimum=covariate.minimum,
                maximum=covariate.maximum,
            )
        )
    named = {column.name for column in (*fixed, *covariates)}
    asked = [c for c in arms.conditions if c not in named]
    others = [ColumnSpec(c, "text", "who belongs to an arm depends on it", required=False) for c in asked]
    end = ColumnSpec("outcome_follow_up_end", "date", "last day on which outcomes were searched", required=False)
    columns = (*fixed, *covariates, *others, end, *_KNOWN)
    return TableSpec("participants", "one referral (the key: participant_id, referral_date)", columns, "referral_date")


def _sessions(study: Study) -> TableSpec:
    rules = study.rules
    # Kinds that count and kinds that are known: any other could be a counting one in another spelling.
    kinds = tuple(dict.fromkeys([*rules.counting_kinds, *rules.session_kinds]))
    meaning = f"kind of session; these count towards the dose: {rules.counting_words}"
    columns = (
        _ID,
        ColumnSpec("session_date", "date", "day of the session", filled=True),
        ColumnSpec("kind", "text", meaning, filled=True, allowed=kinds),
        ColumnSpec("status", "text", "what became of it", filled=True, allowed=SESSION_STATUSES),
        # No day holds more; what is merely long is a warning of `_session_rules`.
        ColumnSpec("hours", "number", "length", unit="hours", minimum=0, maximum=24),
        *_KNOWN,
    )
    return TableSpec("sessions", "one session of one participant", columns, "session_date")


def _exits(study: Study) -> TableSpec:
    reasons = tuple(exit_effects(study.rules))
    columns = (
        _ID,
        ColumnSpec("exit_date", "date", "day of the exit", filled=True),
        ColumnSpec("reason", "text", "why the participant left", filled=True, allowed=reasons),
        *_KNOWN,
    )
    return TableSpec("exits", "one exit of one participant", columns, "exit_date")


def _outcomes(study: Study) -> TableSpec:
    harm = study.harm
    custody = [] if harm.custody is None else [harm.custody]
    kinds = tuple(dict.fromkeys([*harm.kinds, *harm.known_kinds, *custody]))
    meaning = f"kind of outcome; harm is: {', '.join(harm.kinds)}"
    # With searches an outcome counts by its source; without, a source that nobody knows changes nothing.
    by_source = "searches" in study.tables
    source = ColumnSpec(
        "source", "text", "who reported it", required=by_source, allowed=_names(harm.sources), counted=by_source
    )
    columns = (
        _ID,
        ColumnSpec("outcome_date", "date", "day of the outcome", filled=True),
        ColumnSpec("kind", "text", meaning, filled=True, allowed=kinds),
        source,
        *_KNOWN,
    )
    return TableSpec("outcomes", "one outcome of one participant", columns, "outcome_date")


def _measures(study: Study) -> TableSpec:
    del study
    columns = (
        _ID,
        ColumnSpec("measure_date", "date", "day of the measurement", filled=True),
        # No analysis asks which instrument it was (ADR 10).
        ColumnSpec("instrument", "text", "what was used to measure", filled=True, counted=False),
        ColumnSpec("score", "number", "result"),
        *_KNOWN,
    )
    return TableSpec("measures", "one measurement of one participant", columns, "measure_date")


def _searches(study: Study) -> TableSpec:
    columns = (
        _ID,
        ColumnSpec("source", "text", "source of outcomes", filled=True, allowed=_names(study.harm.sources)),
        ColumnSpec("searched_from", "date", "first day that was searched", filled=True),
        ColumnSpec("searched_to", "date", "last day that was searched", filled=True),
        *_KNOWN,
    )
    meaning = "one run of days that one source of outcomes was searched for, for one participant"
    return TableSpec("searches", meaning, columns, "searched_from")


_BUILDERS = {
    "participants": _participants,
    "sessions": _sessions,
    "exits": _exits,
    "outcomes": _outcomes,
    "measures": _measures,
    "searches": _searches,
}


def exit_effects(rules: Rules) -> dict[str, Effect]:
    """Return what each exit reason does, whatever the protocol leaves unsaid.

    A protocol that names one reason changes that one; the others keep the effect the definitions give them.

    Parameters
    ----------
    rules : Rules

    Returns
    -------
    dict of str to str
        Reason to disengagement, completion, censored or ignored.
    """
    defaults: dict[str, Effect] = Rules().exits
    return {**defaults, **rules.exits}


def check_names(study: Study) -> None:
    """Refuse names in the protocol that the cohort needs for its own columns; a `ProtocolError` says what to do."""
    for name in (study.arms.column, *(c.name for c in study.covariates)):
        if name in RESERVED:
            advice = f"name it otherwise, and say tables.participants.columns: {{other_name: {name}}}"
            msg = f"the protocol's column '{name}' has a name that evalkit uses itself; {advice}"
            raise ProtocolError(msg)


def table_spec(study: Study, table: str) -> TableSpec:
    """Return what a study's table must look like; a `KeyError` where there is no such table."""
    return _BUILDERS[table](study)
