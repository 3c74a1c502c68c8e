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
        Rule(
            "outcome_follow_up_end",
            "follow_up_before_intake",
            "warning",
            "is before intake_date, so the row is not followed for harm",
            after("intake_date", "outcome_follow_up_end"),
        ),
        Rule(
            "outcome_follow_up_end",
            "follow_up_unknown",
            "warning",
            "is empty though there is an intake: outcomes count as searched up to the cut",
            lambda frame: frame["outcome_follow_up_end"].isna() & frame["intake_date"].notna(),
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
    if spec.name == "outcomes":
        return rules
    severity: Severity = "warning" if spec.name == "measures" else "error"
    text = "is before the participant's first referral, so the row belongs to no episode"
    rules.append(Rule(day, "before_referral", severity, text, after("_first_referral", day)))
    rules.append(Rule(day, "after_death", "error", "is after the participant's recorded death", after(day, "_death")))
    return rules


def _exits() -> list[Rule]:
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


def _outcomes() -> list[Rule]:
    whole = ["participant_id", "outcome_date", "kind", "source"]
    return [
        Rule("", "duplicate_row", "warning", "repeats another row that stands", doubled(whole)),
        Rule(
            "outcome_date",
            "outcome_after_follow_up",
            "warning",
            "is after the participant's outcome_follow_up_end, so it never counts",
            after("outcome_date", "_follow_up"),
        ),
    ]


def _measures() -> list[Rule]:
    same = ["participant_id", "measure_date", "instrument"]
    text = "is a second score of one instrument on one day"
    return [Rule("", "duplicate_row", "warning", text, doubled(same))]


def rules_of(study: Study, spec: TableSpec, today: date) -> list[Rule]:
    """Return every rule about a table's rows.

    Parameters
    ----------
    study : Study
    spec : TableSpec
    today : datetime.date

    Returns
    -------
    list of Rule
    """
    rules = column_rules(spec, today) + identifier_rules()
    if spec.name == "participants":
        return rules + participant_rules() + _participants(study)
    if spec.name == "sessions":
        return rules + _events(spec) + session_rules(study)
    own = {"exits": _exits, "outcomes": _outcomes, "measures": _measures}
    return rules + _events(spec) + own[spec.name]()
