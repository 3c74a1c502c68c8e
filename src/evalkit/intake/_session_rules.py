"""The rules of sessions: what would count twice, at another time, or in another unit."""

from __future__ import annotations

__all__ = ["session_rules"]

from collections.abc import Callable

import pandas as pd

from evalkit.intake._rules import Frame, Rule, doubled
from evalkit.protocol import Rules, Study

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
