"""The rules of single tables: keys, days in order, and rows that contradict one another."""

from __future__ import annotations

from datetime import date

import pandas as pd

from evalkit.intake._findings import Severity
from evalkit.intake._identifiers import identifier_rules, participant_rules
from evalkit.intake._rules import Rule, after, column_rules, doubled
from evalkit.intake._session_rules import session_rules
from evalkit.intake._spec import TableSpec
from evalkit.protocol import Study


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
