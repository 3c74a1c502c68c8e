"""The rules of each table, and excuses: rules that a study's tables may break for a time, said by whom and why.

Rules hold keys, days in order, and rows that contradict one another; those of sessions also what would count twice, at
another time, or in another unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date

import pandas as pd

from evalkit.errors import ProtocolError, did_you_mean
from evalkit.intake._findings import Finding, Severity
from evalkit.intake._rules import Frame, Rule, after, column_rules, doubled, identifier_rules, participant_rules
from evalkit.intake._spec import TableSpec, exit_effects, table_spec
from evalkit.protocol import Excuse, Rules, Study

# A working day: longer ones exist, so they are a warning, and only many of them mean another unit.
LONG_SESSION_HOURS = 8
# A few odd rows are life, or slips of the pen that a warning names; more than these are the export's doing.
_MANY_ROWS, _MANY = 5, 0.1


_SAME = ["participant_id", "session_date", "kind"]
_WHOLE = [*_SAME, "status", "hours"]


def _attended(frame: Frame) -> pd.Series[bool]:
    return frame["status"].eq("attended")


def _many(flags: pd.Series[bool], of: pd.Series[bool], kinds: pd.Series[str]) -> pd.Series[bool]:
    """Say for each row whether many of its kind are flagged: several, and more than a tenth."""
    n, whole = (each.groupby(kinds).transform("sum") for each in (flags, of))
    return (n >= _MANY_ROWS) & (n > _MANY * whole)


def _second_sessions(frame: Frame) -> pd.Series[bool]:
    """Flag second sessions of a kind on one day, where many are: exported twice, and something in them was changed."""
    took_place = frame["status"].isin(["attended", "absent"])  # one that was cancelled is often held again that day
    rows = frame[took_place]
    second = (rows.duplicated(_SAME) & ~rows.duplicated(_WHOLE)).reindex(frame.index, fill_value=False)
    return second & _many(second, took_place, frame["kind"])


def _without_hours(rules: Rules) -> Callable[[Frame], pd.Series[bool]]:
    """Flag attended counting sessions without hours, where most are: the dose would be none, not unknown."""

    def broken(frame: Frame) -> pd.Series[bool]:
        counting = _attended(frame) & frame["kind"].isin(list(rules.counting_kinds))
        without = counting & ~(frame["hours"] > 0).fillna(False)
        # In the first weeks of a study a few without hours may be most.
        return without & (without.sum() >= _MANY_ROWS) & (2 * without.sum() > counting.sum())

    return broken


def _unlikely_hours(rules: Rules) -> Callable[[Frame], pd.Series[bool]]:
    """Flag a kind's attended sessions outside the usual length, where the median of that kind lies outside it too.

    A single long session is possible; when half of them are, the column is in another unit. So are many that are longer
    than any session, or shorter: of one site, or one month.
    """
    low, high = rules.shortest_usual_hours, rules.longest_usual_hours

    def broken(frame: Frame) -> pd.Series[bool]:
        # What no day can hold has a rule of its own; no hours are the next rule's.
        hours = frame["hours"].where(_attended(frame) & (frame["hours"] > 0) & (frame["hours"] <= 24))
        # By kind: a kind that is in minutes would hide among the many sessions of one that is in hours.
        median = hours.groupby(frame["kind"]).transform("median")
        odd = (hours > max(high, LONG_SESSION_HOURS)) | (hours < low)
        odd &= _many(odd, hours.notna(), frame["kind"])
        return ((median > high) & (hours > high)) | ((median < low) & (hours < low)) | odd

    return broken


def session_rules(study: Study) -> list[Rule]:
    """Return the rules of the sessions table."""
    return [
        Rule("", "duplicate_row", "error", "repeats another row that stands", doubled(_WHOLE)),
        Rule(
            "",
            "same_day_session",
            "warning",
            "is a second session of that kind on one day",
            lambda frame: frame.duplicated(_SAME) & ~frame.duplicated(_WHOLE),
        ),
        Rule(
            "",
            "doubled_sessions",
            "error",
            "is a second session of that kind on one day, as many are: were they exported twice, and changed between?",
            _second_sessions,
        ),
        Rule(
            "session_date",
            "session_before_intake",
            "warning",
            "is an attended session before its episode's intake_date",
            lambda frame: _attended(frame) & (frame["session_date"] < frame["_intake"]),
        ),
        Rule(
            "session_date",
            "session_without_intake",
            "warning",
            "is an attended session of an episode without intake_date",
            lambda frame: _attended(frame) & frame["_referral"].notna() & frame["_intake"].isna(),
        ),
        Rule(
            "session_date",
            "session_after_exit",
            "warning",
            "is an attended session after an exit of its episode",
            lambda frame: _attended(frame) & (frame["session_date"] > frame["_exit"]),
        ),
        *_hours_rules(study.rules),
    ]


def _hours_rules(rules: Rules) -> list[Rule]:
    limits = f"{rules.shortest_usual_hours:g} to {rules.longest_usual_hours:g}"
    return [
        Rule(
            "hours",
            "hours_unknown",
            "warning",
            "is empty or 0 though the session was attended: it adds nothing to the dose",
            lambda frame: _attended(frame) & ~(frame["hours"] != 0).where(frame["hours"].notna(), other=False),
        ),
        Rule(
            "hours",
            "hours_missing",
            "error",
            "is empty or 0, as in most attended sessions that count: the dose would be 0 hours",
            _without_hours(rules),
        ),
        Rule(
            "hours",
            "unusual_hours",
            "warning",
            f"is more than {LONG_SESSION_HOURS}",
            lambda frame: frame["hours"].between(LONG_SESSION_HOURS, 24, inclusive="right"),
        ),
        Rule(
            "hours",
            "unlikely_hours",
            "error",
            f"is not in hours, it seems: the median of this kind of session is not {limits}, or many are far from it",
            _unlikely_hours(rules),
        ),
    ]


def _participants(study: Study) -> list[Rule]:
    start = pd.Timestamp(study.starts)
    return [
        Rule(
            "",
            "duplicate_key",
            "error",
            "repeats a participant_id and referral_date of a row that stands",
            doubled(["participant_id", "referral_date"]),
        ),
        Rule(
            "intake_date",
            "intake_before_referral",
            "error",
            "is before referral_date",
            after("referral_date", "intake_date"),
        ),
        Rule(
            "intake_date",
            "intake_after_next_referral",
            "warning",
            "is on or after the participant's next referral",
            lambda frame: frame["intake_date"] >= frame["_next_referral"],
        ),
        Rule(
            "referral_date",
            "referral_before_study",
            "warning",
            "is before the study's first day, so the row is not analysed",
            lambda frame: frame["referral_date"] < start,
        ),
        Rule(
            "referral_date",
            "referral_after_death",
            "error",
            "is after the participant's recorded death",
            after("referral_date", "_death"),
        ),
        *_follow_up(study),
    ]


def _follow_up(study: Study) -> list[Rule]:
    """Rules of the end of follow-up, which searches replace."""
    if "searches" in study.tables:
        return []
    end, origin = "outcome_follow_up_end", study.harm.origin
    return [
        Rule(
            end,
            f"follow_up_before_{origin}",
            "warning",
            f"is before {origin}_date, so the row is not followed for harm",
            after(f"{origin}_date", end),
        ),
        Rule(
            end,
            "follow_up_unknown",
            "warning",
            f"is empty{'' if origin == 'referral' else ' though there is an intake'}: outcomes count as searched up to "
            "the cut",
            lambda frame: frame[end].isna() & frame[f"{origin}_date"].notna(),
        ),
    ]


def _events(spec: TableSpec) -> list[Rule]:
    """Rules of every table whose rows belong to a participant."""
    day = spec.event_date
    rules = [
        Rule(
            "participant_id",
            "unknown_participant",
            "error",
            "is not in participants",
            lambda frame: frame["participant_id"].notna() & ~frame["_known"].astype(bool),
        ),
    ]
    if spec.name in ("outcomes", "searches"):  # a search may begin before the referral, and nobody dies of it
        return rules
    severity: Severity = "warning" if spec.name == "measures" else "error"
    text = "is before the participant's first referral, so the row belongs to no episode"
    rules.append(Rule(day, "before_referral", severity, text, after("_first_referral", day)))
    rules.append(Rule(day, "after_death", "error", "is after the participant's recorded death", after(day, "_death")))
    return rules


def _exits(study: Study) -> list[Rule]:
    del study
    # Of an episode, not of a person: each referral ends once.
    episode = ["participant_id", "_referral"]
    whole = ["participant_id", "exit_date", "reason"]
    return [
        Rule("", "duplicate_row", "warning", "repeats another row that stands", doubled(whole)),
        Rule(
            "",
            "several_exits",
            "warning",
            "is a further exit of one episode; the first one counts",
            lambda frame: frame.duplicated(episode) & frame["_referral"].notna() & ~frame.duplicated(whole),
        ),
    ]


def _outcomes(study: Study) -> list[Rule]:
    whole = ["participant_id", "outcome_date", "kind", "source"]
    rules = [Rule("", "duplicate_row", "warning", "repeats another row that stands", doubled(whole))]
    if "searches" in study.tables:
        return [
            *rules,
            Rule(
                "source",
                "source_not_searched",
                "warning",
                "is empty or no source of searches, so the row is no event of any follow-up",
                lambda frame: ~frame["_searched"].astype(bool),
            ),
        ]
    return [
        *rules,
        Rule(
            "outcome_date",
            "outcome_after_follow_up",
            "warning",
            "is after the participant's outcome_follow_up_end, so it never counts",
            after("outcome_date", "_follow_up"),
        ),
    ]


def _searches(study: Study) -> list[Rule]:
    del study
    whole = ["participant_id", "source", "searched_from", "searched_to"]
    return [
        Rule("", "duplicate_row", "warning", "repeats another row that stands", doubled(whole)),
        Rule(
            "searched_to",
            "search_ends_before_it_begins",
            "error",
            "is before searched_from",
            after("searched_from", "searched_to"),
        ),
    ]


def _measures(study: Study) -> list[Rule]:
    del study
    same = ["participant_id", "measure_date", "instrument"]
    text = "is a second score of one instrument on one day"
    return [Rule("", "duplicate_row", "warning", text, doubled(same))]


def rules_of(study: Study, spec: TableSpec, today: date) -> list[Rule]:
    """Return every rule about a table's rows."""
    rules = column_rules(spec, today) + identifier_rules()
    if spec.name == "participants":
        return rules + participant_rules() + _participants(study)
    if spec.name == "sessions":
        return rules + _events(spec) + session_rules(study)
    own = {"exits": _exits, "outcomes": _outcomes, "measures": _measures, "searches": _searches}
    return rules + _events(spec) + own[spec.name](study)


OF_A_PERIOD = frozenset({"stale_table", "entered_late", "fall_of_rows"})
"""Rules that only a period's cut breaks: without one nobody can say that their excuse is idle."""

_OF_TABLES = ("stale_table", "entered_late", "empty_table", "expected_value_absent")
# What cannot be read, or may be read wrong, cannot be counted, whoever excuses it (ADR 10). By how rules' names begin.
_UNREADABLE = (
    "unreadable",
    "missing_column",
    "uncalculated_formula",
    "formula_error",
    "row_in_footer",
    "swapped_days",
    "letters_without_a_font",
)


def check_excuses(study: Study) -> None:
    """Refuse excuses of what is no rule or cannot be excused: a `ProtocolError` that names the excuse."""
    for number, excuse in enumerate(study.excuses, start=1):
        where = f"excuses, number {number}"
        if excuse.table not in study.tables:
            msg = f"{where}: table '{excuse.table}' is not part of this study{did_you_mean(excuse.table, study.tables)}"
            raise ProtocolError(msg)
        if excuse.rule.startswith(_UNREADABLE):
            msg = f"{where}: '{excuse.rule}' cannot be excused: what cannot be read or shown cannot be counted"
            raise ProtocolError(msg)
        spec = table_spec(study, excuse.table)
        # Only names are asked for here, so that any day does.
        known = {rule.name for rule in rules_of(study, spec, date.max)} | set(_OF_TABLES)
        known |= {"fall_of_rows"} if excuse.table == "sessions" else set()
        if excuse.rule not in known:
            near = did_you_mean(excuse.rule, sorted(known))
            msg = f"{where}: there is no rule '{excuse.rule}' about {excuse.table}{near}"
            raise ProtocolError(msg)
        if excuse.column and excuse.column not in spec.names:
            near = did_you_mean(excuse.column, spec.names)
            msg = f"{where}: {excuse.table} has no column '{excuse.column}'{near}"
            raise ProtocolError(msg)


def check_ignored(study: Study) -> None:
    """Refuse an ``ignore`` of a column that holds no words, or of a value that the protocol counts by.

    The `ProtocolError` names the key, and a value only where the protocol itself names it elsewhere.
    """
    arms = study.arms
    counted = {
        ("participants", arms.column): [arms.focus.value, arms.comparison.value],
        ("participants", "site"): study.sites,
        ("participants", "community_area"): study.community_areas,
        ("participants", "referral_source"): study.referral_sources,
        **{("participants", c.name): c.levels for c in study.covariates},
        ("sessions", "kind"): list(study.rules.counting_kinds),
        ("sessions", "status"): ["attended", "absent"],
        ("exits", "reason"): [reason for reason, effect in exit_effects(study.rules).items() if effect != "ignored"],
        ("outcomes", "kind"): study.harm.kinds,
        ("outcomes", "source"): study.harm.sources,
    }
    for table, columns in study.ignore.items():
        words = [column.name for column in table_spec(study, table).columns if column.kind == "text"]
        for column, values in columns.items():
            if column not in words:
                msg = f"ignore.{table}: '{column}' is none of its columns of words{did_you_mean(column, words)}"
                raise ProtocolError(msg)
            # The protocol would say two things of one value, and reports only one of them.
            both = [value for value in values if value in (counted.get((table, column)) or ())]
            if both:
                msg = f"ignore.{table}.{column}: '{both[0]}' is counted by this protocol; take it out of one of the two"
                raise ProtocolError(msg)


def _covers(excuse: Excuse, finding: Finding) -> bool:
    same = (excuse.table, excuse.rule) == (finding.table, finding.rule)
    return same and excuse.column in ("", finding.column)


def excused(
    findings: Iterable[Finding], excuses: Sequence[Excuse], today: date, held: Sequence[Excuse] = ()
) -> tuple[list[Finding], list[Excuse]]:
    """Take what is excused out of what stops: the findings in their order, and the excuses that excuse something.

    An excuse of the protocol holds up to its last day, that day included; those in ``held``, of a release that is
    verified, hold whatever the day.
    """
    found, used = [], list[Excuse]()
    for finding in findings:
        own = [e for e in (*held, *excuses) if _covers(e, finding)] if finding.severity == "error" else []
        holding = next((e for e in own if e in held or e.until >= today), None)
        if holding is not None:
            used += [holding] if holding not in used else []
            why = f"{finding.text} (excused by {holding.by} until {holding.until}: {holding.reason.rstrip('.')})"
            found.append(replace(finding, severity="excused", text=why))
        elif own:
            ended = max(e.until for e in own)
            found.append(replace(finding, text=f"{finding.text} (its excuse ended on {ended})"))
        else:
            found.append(finding)
    return found, used


def idle(findings: Iterable[Finding], excuses: Iterable[Excuse]) -> list[Finding]:
    """Return a warning for each excuse of the protocol that excuses nothing."""
    errors = [f for f in findings if f.severity != "warning"]
    return [
        Finding(
            e.table, e.column, "idle_excuse", "warning", 0, (),
            f"the protocol excuses '{e.rule}', and no such error is there: take the excuse out",
        )
        for e in excuses
        if e.rule not in OF_A_PERIOD and not any(_covers(e, f) for f in errors)
    ]  # fmt: skip
