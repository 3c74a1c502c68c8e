"""The rules of single tables: keys, days in order, and rows that contradict one another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd

from evalkit.intake._findings import Severity
from evalkit.intake._identifiers import identifier_rules, participant_rules
from evalkit.intake._rules import Frame, Rule, after, column_rules, doubled
from evalkit.intake._spec import TableSpec
from evalkit.protocol import Rules, Study

LONG_SESSION_HOURS = 8
# A few odd rows are life, or slips of the pen that a warning names; more than these are the export's doing.
_MANY_ROWS, _MANY = 5, 0.1


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


def _many(flags: pd.Series[bool], of: pd.Series[bool], kinds: pd.Series[str]) -> pd.Series[bool]:
    """Say for each row whether many of its kind are flagged: several, and more than a tenth."""
    n, whole = (each.groupby(kinds).transform("sum") for each in (flags, of))
    return (n >= _MANY_ROWS) & (n > _MANY * whole)


def _second_sessions(frame: Frame) -> pd.Series[bool]:
    """Flag second sessions of a kind on one day, where many are: exported twice, and something in them was changed."""
    same = ["participant_id", "session_date", "kind"]
    took_place = frame["status"].isin(["attended", "absent"])  # one that was cancelled is often held again that day
    rows = frame[took_place]
    second = (rows.duplicated(same) & ~rows.duplicated([*same, "status", "hours"])).reindex(frame.index, fill_value=False)
    return second & _many(second, took_place, frame["kind"])


def _without_hours(rules: Rules) -> Callable[[Frame], pd.Series[bool]]:
    """Flag attended counting sessions without hours, where most are: the dose would be none, not unknown."""

    def broken(frame: Frame) -> pd.Series[bool]:
        counting = frame["status"].eq("attended") & frame["kind"].isin(rules.counting_kinds)
        without = counting & ~(frame["hours"] > 0).fillna(False)
        return without & (without.sum() >= _MANY_ROWS) & (2 * without.sum() > counting.sum())

    return broken


def _unlikely_hours(rules: Rules) -> Callable[[Frame], pd.Series[bool]]:
    """Flag a kind's attended sessions outside the usual length, where the median of that kind lies outside it too.

    A single long session is possible; when half of them are, the column is in another unit. So are many that are
    longer than any session, or shorter: of one site, or one month.
    """
    low, high = rules.shortest_usual_hours, rules.longest_usual_hours

    def broken(frame: Frame) -> pd.Series[bool]:
        # What no day can hold has a rule of its own; no hours are the next rule's.
        hours = frame["hours"].where(frame["status"].eq("attended") & (frame["hours"] > 0) & (frame["hours"] <= 24))
        median = hours.groupby(frame["kind"]).transform("median")
        odd = (hours > max(high, LONG_SESSION_HOURS)) | (hours < low)
        odd &= _many(odd, hours.notna(), frame["kind"])
        return ((median > high) & (hours > high)) | ((median < low) & (hours < low)) | odd

    return broken


def _sessions(study: Study) -> list[Rule]:
    limits = f"{study.rules.shortest_usual_hours:g} to {study.rules.longest_usual_hours:g}"
    same = ["participant_id", "session_date", "kind"]
    whole = [*same, "status", "hours"]

    def attended(frame: Frame) -> pd.Series[bool]:
        return frame["status"].eq("attended")

    return [
        Rule("", "duplicate_row", "error", "repeats another row that stands", doubled(whole)),
        Rule(
            "",
            "same_day_session",
            "warning",
            "is a second session of that kind on one day",
            lambda frame: frame.duplicated(same) & ~frame.duplicated(whole),
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
            lambda frame: attended(frame) & (frame["session_date"] < frame["_intake"]),
        ),
        Rule(
            "session_date",
            "session_without_intake",
            "warning",
            "is an attended session of an episode without intake_date",
            lambda frame: attended(frame) & frame["_referral"].notna() & frame["_intake"].isna(),
        ),
        Rule(
            "session_date",
            "session_after_exit",
            "warning",
            "is an attended session after an exit of its episode",
            lambda frame: attended(frame) & (frame["session_date"] > frame["_exit"]),
        ),
        Rule(
            "hours",
            "hours_unknown",
            "warning",
            "is empty or 0 though the session was attended: it adds nothing to the dose",
            lambda frame: attended(frame) & ~(frame["hours"] != 0).where(frame["hours"].notna(), other=False),
        ),
        Rule(
            "hours",
            "hours_missing",
            "error",
            "is empty or 0, as in most attended sessions that count: the dose would be 0 hours",
            _without_hours(study.rules),
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
            _unlikely_hours(study.rules),
        ),
    ]


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
        return rules + _events(spec) + _sessions(study)
    own = {"exits": _exits, "outcomes": _outcomes, "measures": _measures}
    return rules + _events(spec) + own[spec.name]()
