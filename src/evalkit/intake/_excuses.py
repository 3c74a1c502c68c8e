"""Excuses: rules that a study's tables may break for a time, said by whom and why."""

from __future__ import annotations

__all__ = ["check_excuses", "check_ignored", "excused", "idle"]

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from evalkit.errors import ProtocolError, did_you_mean
from evalkit.intake._findings import Finding
from evalkit.intake._spec import exit_effects, table_spec
from evalkit.intake._table_rules import rules_of
from evalkit.protocol import Excuse, Study

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
