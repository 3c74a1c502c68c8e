"""Which rows of a study's tables break which rules, and never a value in what is said; and whether they are fresh.

Freshness is how far each table reaches, and months in which rows are missing, it seems.
"""

from __future__ import annotations

__all__ = [
    "broken_rules",
    "entered_late",
    "fall_of_rows",
    "frames_to_check",
    "known_at",
    "reaches",
    "stale",
    "whole_tables",
]

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis
import pandas as pd

from evalkit.intake._data import StudyData, fetch, kept_in
from evalkit.intake._findings import Finding, finding
from evalkit.intake._read import ROW
from evalkit.intake._rules import Rule, n_spelt_otherwise
from evalkit.intake._spec import SESSION_STATUSES, TableSpec, table_spec
from evalkit.intake._table_rules import rules_of
from evalkit.periods import Period
from evalkit.protocol import TABLE_NAMES, Study

Frames = Mapping[str, pd.DataFrame]
_DAYS = {
    "sessions": "session_date",
    "exits": "exit_date",
    "outcomes": "outcome_date",
    "measures": "measure_date",
    "searches": "searched_from",
}
_SOME_ROWS = 10  # so many sessions that nobody came to do not happen, not even in a study's first weeks


def frames_to_check(data: StudyData, today: date) -> Frames:
    """Fetch the rows of each table that stand and are not kept out, with what rules need from other tables."""
    return _with_helpers(_standing(data, today))


def known_at(frames: Frames, study: Study, cut: date, today: date) -> Frames:
    """Return the rows that a report with a data cut uses, or would use if their days were right.

    A day that has not come yet is a slip of the pen: nobody knows that it lies after the cut. Where nothing lies after
    the cut, the frames themselves come back, so that the caller need not ask their rules again.
    """
    found = {}
    for name, frame in frames.items():
        late = pd.Series(False, index=frame.index)
        for column in (table_spec(study, name).event_date, "recorded_on"):
            late |= (frame[column] > pd.Timestamp(cut)) & (frame[column] <= pd.Timestamp(today))
        found[name] = frame[~late] if late.any() else frame
    return found


def broken_rules(
    study: Study, frames: Frames, today: date, unread: Iterable[tuple[str, str]], *, errors: bool = False
) -> list[Finding]:
    """Hold rows to the study's rules, with ``errors`` only to those whose breach is an error.

    ``unread`` has the tables and columns that could not be read: their rules would only say so again.
    """
    found, left_out = [], set(unread)
    for name, frame in frames.items():
        for rule in rules_of(study, table_spec(study, name), today) if len(frame) else ():
            if (name, rule.column) in left_out or (errors and rule.severity != "error"):
                continue
            if rule.name == "unknown_participant" and "participants" not in frames:
                continue  # that their file cannot be read is said; nobody is unknown for that
            broken = rule.broken(frame).astype(bool)
            if not broken.any():
                continue
            found.append(_finding_of(name, rule, frame.loc[broken]))
            if rule.name == "unknown_participant":
                found[-1] = _with_spellings(found[-1], frame.loc[broken], frames["participants"])
    return found


def whole_tables(data: StudyData, frames: Frames) -> list[Finding]:
    """Return findings about tables as wholes."""
    return [f for name, frame in frames.items() for f in _whole_table(data, table_spec(data.study, name), frame)]


def _with_spellings(found: Finding, rows: pd.DataFrame, people: pd.DataFrame) -> Finding:
    """Say where the person is there in another spelling: a workbook keeps 00017 as the number 17."""
    n = n_spelt_otherwise(rows["participant_id"], people["participant_id"])
    how = (
        f"; {n:,} of them {'is' if n == 1 else 'are'} there in another spelling (zeros before or after it, letter case)"
    )
    return replace(found, text=found.text + how) if n else found


def _finding_of(table: str, rule: Rule, rows: pd.DataFrame) -> Finding:
    numbers: list[int] = rows[ROW].tolist() if ROW in rows else []
    found = finding(table, rule.column, rule.name, rule.severity, numbers, rule.text)
    return replace(found, n_rows=len(rows))


def _standing(data: StudyData, today: date) -> dict[str, pd.DataFrame]:
    frames = {}
    for name in (n for n in TABLE_NAMES if data.has(n)):
        table = kept_in(data.study, name, data.table(name))
        frame = fetch(table, table_spec(data.study, name).dates, name)
        stands = ~(frame["retracted_on"] <= pd.Timestamp(today))
        wrong = frame["retracted_on"] < frame["recorded_on"]
        # A row that was withdrawn before it was entered is kept: else its own rule could never find it.
        kept = stands | wrong
        frames[name] = frame if kept.all() else frame[kept].reset_index(drop=True)
    return frames


def _with_helpers(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Add what rules need from other tables: columns whose names start with an underscore."""
    people = frames.get("participants")
    if people is None:
        columns = ["participant_id", "referral_date", "intake_date", "outcome_follow_up_end"]
        # Where participants cannot be read, the other tables are still held to what needs none of them.
        people = pd.DataFrame({c: pd.Series(dtype="datetime64[ns]") for c in columns})
        people["participant_id"] = people["participant_id"].astype(object)
    exits = frames.get("exits")
    deaths = pd.Series(dtype="datetime64[ns]")
    if exits is not None:
        deaths = exits[exits["reason"].eq("deceased")].groupby("participant_id")["exit_date"].min()
    ready: dict[str, pd.DataFrame] = {}
    for name, frame in frames.items():
        ready[name] = frame.assign(_death=_looked_up(frame["participant_id"], deaths))
    if "participants" in frames:
        # A row that repeats a referral is no next one: that it is there twice has a rule of its own.
        ordered = people.drop_duplicates(["participant_id", "referral_date"]).sort_values("referral_date")
        following = ordered[ordered["referral_date"].notna()].groupby("participant_id")["referral_date"].shift(-1)
        ready["participants"]["_next_referral"] = following.reindex(people.index)
    for name in (n for n in ready if n != "participants"):
        ready[name] = _with_episode(ready[name], people, name)
    if "outcomes" in ready:  # where searches cannot be read, that is said, and no source is unknown for that
        outcomes, searches = ready["outcomes"], ready.get("searches")
        found = True if searches is None else outcomes["source"].isin(searches["source"].dropna())
        ready["outcomes"] = outcomes.assign(_searched=found)
    if "sessions" in ready:
        left = pd.Series(dtype="datetime64[ns]")
        if "exits" in ready:
            left = ready["exits"].groupby(["participant_id", "_referral"])["exit_date"].min()
        keys = pd.MultiIndex.from_frame(ready["sessions"][["participant_id", "_referral"]])
        days = left.reindex(keys).to_numpy() if len(left) else pd.NaT
        ready["sessions"]["_exit"] = pd.Series(days, index=ready["sessions"].index, dtype="datetime64[ns]")
    return ready


def _looked_up(ids: pd.Series[str], days: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
    return ids.map(days).astype("datetime64[ns]")


def _with_episode(frame: pd.DataFrame, people: pd.DataFrame, name: str) -> pd.DataFrame:
    """Add whether the participant is known, the first referral, the owning episode and the follow-up."""
    day = _DAYS[name]
    by_person = people.groupby("participant_id")
    ids = frame["participant_id"]
    frame = frame.assign(
        _known=ids.isin(people["participant_id"].dropna()),
        _first_referral=_looked_up(ids, by_person["referral_date"].min()),
        _follow_up=_looked_up(ids, by_person["outcome_follow_up_end"].max()),
    )
    own = ["participant_id", "referral_date", "intake_date"]
    # An event belongs to the last referral on or before its day, up to the day before the next (definitions).
    episodes = people[own].dropna(subset=own[:2]).drop_duplicates(own[:2]).sort_values("referral_date")
    episodes = episodes.rename(columns={"referral_date": "_referral", "intake_date": "_intake"})
    dated = frame[["participant_id", day]].dropna().sort_values(day)
    matched = pd.merge_asof(
        dated.reset_index(), episodes, left_on=day, right_on="_referral", by="participant_id"
    ).set_index("index")
    return frame.join(matched[["_referral", "_intake"]])


def _whole_table(data: StudyData, spec: TableSpec, frame: pd.DataFrame) -> list[Finding]:
    """Return findings about a table as a whole."""

    def say(column: str, rule: str, severity: str, text: str) -> Finding:
        return Finding(spec.name, column, rule, severity, 0, (), text)  # type: ignore[arg-type]

    if frame.empty:
        # Rows that were all withdrawn or kept out are no sign that nothing happened.
        lost = any(given.table == spec.name and given.n_rows for given in data.inputs)
        severity = "error" if lost or spec.name == "participants" else "warning"
        return [say("", "empty_table", severity, "has no row that stands")]
    found = []
    absent = data.absent.get(spec.name, ())
    if "recorded_on" in absent:
        text = "the column is not there: rows count as known from their own date, late entry cannot be seen"
        found.append(say("recorded_on", "absent_column", "warning", text))
    if "outcome_follow_up_end" in absent and data.has("outcomes") and not data.has("searches"):
        text = "the column is not there: outcomes count as searched up to the cut"
        found.append(say("outcome_follow_up_end", "absent_column", "warning", text))
    for column in spec.columns:
        blank = frame[column.name].isna().all()
        if blank and column.required and not column.filled and column.name not in absent:
            found.append(say(column.name, "empty_column", "warning", "has no value at all"))
    return found + _expected_values(data.study, spec, frame)


def _expected_values(study: Study, spec: TableSpec, frame: pd.DataFrame) -> list[Finding]:
    """Values the protocol counts on that never occur: most often a mapping that was forgotten."""
    arms = study.arms
    expected = {
        "participants": (arms.column, [[arms.focus.value], [arms.comparison.value]], "arm"),
        "sessions": ("kind", [list(study.rules.counting_kinds)], "counting kind"),
        "outcomes": ("kind", [study.harm.kinds], "kind of harm"),
    }
    if spec.name not in expected:
        return []
    column, groups, what = expected[spec.name]
    missing = sum(not frame[column].isin(values).any() for values in groups)
    text = f"no row has {'one of the two arms' if what == 'arm' else f'a {what}'} the protocol names"
    found = [Finding(spec.name, column, "expected_value_absent", "warning", 0, (), text)] if missing else []
    known = spec.name == "sessions" and frame["status"].isin([*SESSION_STATUSES]).all()  # else another rule says so
    if known and len(frame) >= _SOME_ROWS and not frame["status"].eq("attended").any():
        text = "no row has the status attended: was it read as another one?"
        found.append(Finding(spec.name, "status", "expected_value_absent", "error", 0, (), text))
    return found


_SEVERAL = 5  # rows: fewer that were entered late are late, and no other kind of day
_BEFORE = 6  # months that say what is usual: half a year, so that one holiday does not


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a table reaches."""

    newest: date | None  # None: no day at all, so that the study's first day stands for it
    days: int  # by which a period may end later
    until: date  # the last day on which a period may end


def reaches(data: StudyData, today: date) -> dict[str, Reach]:
    """Return how far each table of a study reaches."""
    found = {}
    for name, newest in data.newest_days(today).items():
        days = data.study.freshness_of(name)
        found[name] = Reach(newest, days, (newest or data.study.starts) + timedelta(days=days))
    return found


def stale(reach: Mapping[str, Reach], period: Period) -> list[Finding]:
    """Return a finding for each table that does not reach a period's cut."""
    found = []
    for name, own in reach.items():
        if own.until < period.cut:
            newest = f"its newest day is {own.newest}" if own.newest else "it has no day up to today"
            text = (
                f"{newest}, and period {period.name} ends on {period.cut}: more than {own.days} days later "
                f"(tables.{name}.freshness_days)"
            )
            found.append(Finding(name, "", "stale_table", "error", 0, (), text))
    return found


def entered_late(data: StudyData, reach: Mapping[str, Reach], cut: date, today: date) -> list[Finding]:
    """Return a finding for each table of which most rows were entered after a cut, though they happened well before.

    A report knows nothing of them. Where an export writes its own day as ``recorded_on``, that is nearly all of a
    table, and the report would say that nobody came. Rows withdrawn up to ``today`` are not missed.
    """
    found = []
    for name, own in reach.items():
        if "recorded_on" in data.absent.get(name, ()):
            continue
        event, last = table_spec(data.study, name).event_date, cut - timedelta(days=own.days)
        table = kept_in(data.study, name, data.table(name))
        past = table.filter(table[event] <= ibis.literal(last))
        seen = past.recorded_on.fill_null(past[event]) <= ibis.literal(cut)
        gone = past.retracted_on.fill_null(ibis.literal(date.max))
        counts = past.aggregate(
            there=(gone > ibis.literal(today)).ifelse(1, 0).sum(),
            known=(seen & (gone > ibis.literal(cut))).ifelse(1, 0).sum(),
        )
        there, known = (0 if pd.isna(n) else int(n) for n in fetch(counts, [], name).iloc[0])
        if there - known >= _SEVERAL and 2 * known < there:
            text = (
                f"most of the rows up to {last} were entered after {cut}, so that a report of that day knows nothing "
                "of them: recorded_on is to be the day a row was entered, not that of an export"
            )
            found.append(Finding(name, "recorded_on", "entered_late", "error", 0, (), text))
    return found


def fall_of_rows(study: Study, sessions: pd.DataFrame, last: date, *, to_last: bool) -> list[Finding]:
    """Look for months with fewer than half of the sessions that the six months before had at their median; one finding.

    ``last`` is the last day that the rows speak of: a month that ends later is not over in them. ``to_last``: whether
    months up to that day count that have no row any more; else up to the newest session's.
    """
    months = sessions["session_date"].dropna().dt.to_period("M")
    months = months[months <= pd.Period(last, "M")]
    if months.empty:
        return []
    end = pd.Period(last, "M") if to_last else months.max()
    if end.end_time.date() > last:
        end -= 1
    rows = months.value_counts().reindex(pd.period_range(months.min(), end, freq="M"), fill_value=0)
    # Shifted: a month is no part of what was usual before it. The first six have nothing to be held against.
    usual = rows.rolling(_BEFORE).median().shift(1)
    fallen = rows.index[rows < usual / 2]
    if not len(fallen):
        return []
    several = f" and {len(fallen) - 1} more" if len(fallen) > 1 else ""
    text = f"{fallen[-1]}{several}: fewer than half of the sessions that were usual in the {_BEFORE} months before"
    return [Finding("sessions", "session_date", "fall_of_rows", study.fall_of_rows, 0, (), text)]
