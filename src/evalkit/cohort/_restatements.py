"""Restatements: what a period's figures would be with what became known later, and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from evalkit.cohort._build import build
from evalkit.cohort._cohort import Cohort
from evalkit.counts import Codes, codes_of
from evalkit.errors import DataError
from evalkit.intake import StudyData, fetch, open_data
from evalkit.protocol import Study

Figure = Callable[[Cohort, pd.DataFrame], "_Number"]

LATE, CORRECTED, RETRACTED = "late entry", "correction", "retraction"
_DAYS = {
    "participants": "referral_date",
    "sessions": "session_date",
    "exits": "exit_date",
    "outcomes": "outcome_date",
    "searches": "searched_from",
}
_ALL, _SESSIONS, _HARM = (
    ("participants",),
    ("participants", "sessions"),
    ("participants", "outcomes", "exits", "searches"),
)
_RETENTION = (*_SESSIONS, "exits")


class _Number(NamedTuple):
    """A figure, who is counted in it, and the most that one of them adds."""

    value: float
    who: Codes | None
    largest: float = 1.0


def _events(scale: str, cause: int) -> Figure:
    def count(cohort: Cohort, people: pd.DataFrame) -> _Number:
        rows = getattr(cohort, scale)()
        return _people(rows[rows["event"].eq(cause) & rows["group"].isin(people["group"].unique())])

    return count


def _people(rows: pd.DataFrame) -> _Number:
    return _Number(float(len(rows)), codes_of(rows))


def _known(column: str) -> Figure:
    return lambda _, people: _people(people[people[column].notna()])


def _total(column: str) -> Figure:
    def total(_: Cohort, people: pd.DataFrame) -> _Number:
        adding = people[people[column] > 0]
        return _Number(float(adding[column].sum()), codes_of(adding), float(adding[column].max()) if len(adding) else 0)

    return total


_FIGURES: tuple[tuple[str, tuple[str, ...], Figure], ...] = (
    ("referrals", _ALL, lambda _, people: _people(people)),
    ("intakes", _ALL, _known("intake_date")),
    ("first sessions", _SESSIONS, _known("first_session_date")),
    ("attended sessions", _SESSIONS, _total("n_attended")),
    ("attended hours", _SESSIONS, _total("hours_attended")),
    ("disengaged", _RETENTION, _events("retention", 1)),
    ("completed", _RETENTION, _events("retention", 2)),
    ("with harm", _HARM, _events("harm", 1)),
    ("harm events", _HARM, _events("harm_recurrent", 1)),
)
_NEEDS = {"with harm": "outcomes", "harm events": "outcomes", "referrals": "participants", "intakes": "participants"}


def restatements(
    data: StudyData, day: date, *, known_on: date | None = None, earlier: StudyData | None = None
) -> pd.DataFrame:
    """Return the figures of a period that came to be others, and why.

    Without ``earlier`` the period is counted twice from one extract: with what was known on its last day, and
    with what is known about it now; the difference is late entry, correction and retraction. With an earlier
    extract both are counted with what was known on the period's last day, so nothing should differ: what does
    was changed in the tables without a trace.

    Parameters
    ----------
    data : StudyData
        The newer extract.
    day : datetime.date
        The period's data cut.
    known_on : datetime.date, optional
        The day whose knowledge is wanted; the newest day of the data by default. Not used with ``earlier``.
    earlier : StudyData, optional
        An older extract of the same study.

    Returns
    -------
    pandas.DataFrame
        One row per figure and group that differs: figure, group ('all' or the arm's label), old, new, reason
        ('late entry', 'correction', 'retraction', joined by commas; 'changed without a trace'), and the rows
        behind it: n_late, n_corrected, n_retracted, of n_people. These are small counts of people: a report
        shows them only after disclosure control, which needs who is counted (who_old, who_new: codes) and the most
        that one of them adds (largest_old, largest_new).

    Raises
    ------
    UsageError
        If ``known_on`` is before the period's last day.
    DataError
        If the data engine refuses a query.
    """
    seen = known_on or max(day, data.newest_day)
    if earlier is None:
        old, new = build(data.at(day)), build(data.at(day, known_on=seen))
        rows = _later_rows(data, day, seen)
    else:
        old, new = build(earlier.at(day)), build(data.at(day))
        rows = pd.DataFrame({"table": [], "group": [], "reason": [], "who": []})
    found = []
    for group in ("all", *new.groups):
        then, now = _of(old, group), _of(new, group)
        about = rows if group == "all" else rows[rows["group"] == group]
        for name, tables, figure in _FIGURES:
            if not (old.has(_NEEDS.get(name, "sessions")) and new.has(_NEEDS.get(name, "sessions"))):
                continue
            before, after = figure(old, then), figure(new, now)
            # hours added up in another order differ by rounding
            if abs(before.value - after.value) > 1e-9:
                own = about[about["table"].isin(tables)]
                why = (*_why(own["reason"].value_counts()), own["who"].nunique())
                whose = (before.who, after.who, before.largest, after.largest)
                found.append((name, group, before.value, after.value, *why, *whose))
    columns = ["figure", "group", "old", "new", "reason", "n_late", "n_corrected", "n_retracted", "n_people"]
    return pd.DataFrame(found, columns=[*columns, "who_old", "who_new", "largest_old", "largest_new"])


def restatements_since(study: Study, release: Path | str) -> pd.DataFrame:
    """Return what changed since an earlier release: its figures then, and with what is known now.

    Parameters
    ----------
    study : Study
        Its tables are the newer extract.
    release : path-like
        Folder of the earlier release; its ``manifest.json`` says the study and the data cut.

    Returns
    -------
    pandas.DataFrame
        As `restatements`.

    Raises
    ------
    DataError
        If the folder holds no release of this study.
    """
    manifest = Path(release) / "manifest.json"
    try:
        facts = json.loads(manifest.read_text(encoding="utf-8"))
        name, cut = str(facts["study"]), date.fromisoformat(str(facts["data_cut"]))
    except (OSError, ValueError, KeyError, TypeError):
        msg = f"{manifest}: is no release's manifest"
        raise DataError(msg) from None
    if name != study.id:
        msg = f"{manifest}: is of study '{name}', not '{study.id}'"
        raise DataError(msg)
    return restatements(open_data(study), cut)


def _of(cohort: Cohort, group: str) -> pd.DataFrame:
    people = cohort.people
    return people if group == "all" else people[people["group"] == group]


def _why(reasons: pd.Series[int]) -> tuple[str, int, int, int]:
    n_late, n_corrected, n_retracted = (int(reasons.get(r, 0)) for r in (LATE, CORRECTED, RETRACTED))
    named = [r for r, n in ((LATE, n_late), (CORRECTED, n_corrected), (RETRACTED, n_retracted)) if n]
    return ", ".join(named) or "changed without a trace", n_late, n_corrected, n_retracted


def _later_rows(data: StudyData, day: date, known_on: date) -> pd.DataFrame:
    """Rows dated up to a day that came or went between it and a later one, with the reason."""
    cut, seen = pd.Timestamp(day), pd.Timestamp(known_on)
    arms = data.study.arms
    labels = {arm.value: arm.label for arm in (arms.focus, arms.comparison)}
    dates = ["referral_date", "retracted_on"]
    people = fetch(data.table("participants").select("participant_id", arms.column, *dates), dates, "participants")
    # Of whoever has rows of two arms that of the first referral counts, and none that was retracted beside one that
    # stands: an engine gives rows in any order it likes (ADR 11).
    people = people.assign(gone_=people["retracted_on"].notna())
    people = people.sort_values(["participant_id", "gone_", "referral_date", arms.column])
    people = people.drop_duplicates("participant_id")
    group_of = people.set_index("participant_id")[arms.column].map(labels)
    parts = []
    for name, date_column in _DAYS.items():
        if not data.has(name):
            continue
        table = data.table(name)
        changed = table.filter((table.recorded_on > day) | (table.retracted_on > day))
        rows = fetch(changed, [date_column, "recorded_on", "retracted_on"], name)
        # `not >`, since a row without a day of entry was always known, and compares as false
        rows = rows[(rows[date_column] <= cut) & ~(rows["recorded_on"] > seen)]
        gone = rows[~(rows["recorded_on"] > cut) & (rows["retracted_on"] > cut) & (rows["retracted_on"] <= seen)]
        come = rows[(rows["recorded_on"] > cut) & ~(rows["retracted_on"] <= seen)]
        # A correction is a retracted row and a new one of the same person, for that day or entered on the day of the
        # retraction; the new one is then no late entry.
        same_day = _pairs(gone, date_column), _pairs(come, date_column)
        same_entry = _pairs(gone, "retracted_on"), _pairs(come, "recorded_on")
        replaced = same_day[0].isin(same_day[1]) | same_entry[0].isin(same_entry[1])
        replacing = same_day[1].isin(same_day[0]) | same_entry[1].isin(same_entry[0])
        reasons = [*(CORRECTED if r else RETRACTED for r in replaced), *(LATE for r in replacing if not r)]
        who = [*gone["participant_id"], *come.loc[~replacing.to_numpy(), "participant_id"]]
        parts.append(
            pd.DataFrame(
                {"table": name, "group": pd.Series(who, dtype=object).map(group_of), "reason": reasons, "who": who}
            )
        )
    return pd.concat(parts, ignore_index=True)


def _pairs(rows: pd.DataFrame, column: str) -> pd.Series[str]:
    return rows["participant_id"].astype(str) + "|" + rows[column].astype(str)
