"""Validation: every rule about every table in one run, with pandera, and never a value in what is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pandera.pandas as pandera

from evalkit import zones
from evalkit.intake._clean import clean_errors
from evalkit.intake._data import StudyData
from evalkit.intake._findings import Finding, Findings, finding
from evalkit.intake._read import ROW
from evalkit.intake._rules import Rule
from evalkit.intake._spec import TABLE_NAMES, TableSpec, table_spec
from evalkit.intake._table_rules import rules_of
from evalkit.protocol import Study

_DTYPES = {
    "identifier": object,
    "text": object,
    "date": "datetime64[ns]",
    "number": "float64",
    "yes_no": "float64",
}


def check(data: StudyData, today: date | None = None) -> Findings:
    """Check tables that have been read.

    Parameters
    ----------
    data : StudyData
    today : datetime.date, optional

    Returns
    -------
    Findings
    """
    day = today or zones.today(data.study.time_zone)
    found = list(data.findings)
    unread = {(f.table, f.column) for f in data.findings}
    with clean_errors("validation"):
        frames = _with_helpers(_standing(data, day))
        for name, frame in frames.items():
            spec = table_spec(data.study, name)
            found += _whole_table(data, spec, frame)
            rules = [r for r in rules_of(data.study, spec, day) if (name, r.column) not in unread]
            if not data.has("participants"):  # that their file cannot be read is said; nobody is unknown for that
                rules = [r for r in rules if r.name != "unknown_participant"]
            found += _broken(spec, rules, frame)
    order = {name: place for place, name in enumerate(TABLE_NAMES)}
    severities = {"error": 0, "warning": 1}
    found.sort(key=lambda f: (severities[f.severity], order[f.table], f.column, f.rule))
    return Findings(tuple(found))


def schema(spec: TableSpec, rules: list[Rule]) -> pandera.DataFrameSchema:
    """Return a table's pandera schema: types of columns, and the rules as checks.

    Parameters
    ----------
    spec : TableSpec
    rules : list of Rule

    Returns
    -------
    pandera.DataFrameSchema
    """
    columns = {c.name: pandera.Column(_DTYPES[c.kind], nullable=True) for c in spec.columns}
    checks = [_as_check(str(place), rule) for place, rule in enumerate(rules)]
    return pandera.DataFrameSchema(columns, checks=checks, name=spec.name)


def _as_check(name: str, rule: Rule) -> pandera.Check:
    return pandera.Check(
        lambda frame: ~rule.broken(frame).astype(bool), name=name, error=name, ignore_na=False, n_failure_cases=1
    )


def _broken(spec: TableSpec, rules: list[Rule], frame: pd.DataFrame) -> list[Finding]:
    if frame.empty:
        return []
    try:
        schema(spec, rules).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        # Only the checks' names are taken: the failure cases hold participants' values.
        failed = [str(name) for name in errors.failure_cases["check"]]
    else:
        return []
    return [_finding_of(spec, rules[int(place)], frame) for place in sorted(set(failed), key=int)]


def _finding_of(spec: TableSpec, rule: Rule, frame: pd.DataFrame) -> Finding:
    rows = frame.loc[rule.broken(frame).astype(bool)]
    numbers: list[int] = rows[ROW].tolist() if ROW in frame else []
    found = finding(spec.name, rule.column, rule.name, rule.severity, numbers, rule.text)
    return replace(found, n_rows=len(rows))


def _standing(data: StudyData, today: date) -> dict[str, pd.DataFrame]:
    frames = {}
    for name in (n for n in TABLE_NAMES if data.has(n)):
        frame = data.frame(name)
        stands = ~(frame["retracted_on"] <= pd.Timestamp(today))
        wrong = frame["retracted_on"] < frame["recorded_on"]
        frames[name] = frame[stands | wrong].reset_index(drop=True)
    return frames


def _with_helpers(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Add what rules need from other tables: columns whose names start with an underscore."""
    people = frames.get("participants")
    if people is None:
        columns = ["participant_id", "referral_date", "intake_date", "outcome_follow_up_end"]
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
        ordered = people.sort_values("referral_date")
        following = ordered[ordered["referral_date"].notna()].groupby("participant_id")["referral_date"].shift(-1)
        ready["participants"]["_next_referral"] = following.reindex(people.index)
    for name in (n for n in ready if n != "participants"):
        ready[name] = _with_episode(ready[name], people, name)
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
    day = {"sessions": "session_date", "exits": "exit_date", "outcomes": "outcome_date"}.get(name, "measure_date")
    by_person = people.groupby("participant_id")
    ids = frame["participant_id"]
    frame = frame.assign(
        _known=ids.isin(people["participant_id"].dropna()),
        _first_referral=_looked_up(ids, by_person["referral_date"].min()),
        _follow_up=_looked_up(ids, by_person["outcome_follow_up_end"].max()),
    )
    own = ["participant_id", "referral_date", "intake_date"]
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
        severity = "error" if spec.name == "participants" else "warning"
        return [say("", "empty_table", severity, "has no row that stands")]
    found = []
    absent = data.absent.get(spec.name, ())
    if "recorded_on" in absent:
        text = "the column is not there: rows count as known from their own date, late entry cannot be seen"
        found.append(say("recorded_on", "absent_column", "warning", text))
    if "outcome_follow_up_end" in absent and data.has("outcomes"):
        text = "the column is not there: outcomes count as searched up to the cut"
        found.append(say("outcome_follow_up_end", "absent_column", "warning", text))
    for column in spec.columns:
        blank = frame[column.name].isna().all()
        if blank and column.required and not column.filled:
            found.append(say(column.name, "empty_column", "warning", "has no value at all"))
    return found + _expected_values(data.study, spec, frame)


def _expected_values(study: Study, spec: TableSpec, frame: pd.DataFrame) -> list[Finding]:
    """Values the protocol counts on that never occur: most often a mapping that was forgotten."""
    arms = study.arms
    expected = {
        "participants": (arms.column, [[arms.focus.value], [arms.comparison.value]], "arm"),
        "sessions": ("kind", [study.rules.counting_kinds], "counting kind"),
        "outcomes": ("kind", [study.harm.kinds], "kind of harm"),
    }
    if spec.name not in expected:
        return []
    column, groups, what = expected[spec.name]
    missing = sum(not frame[column].isin(values).any() for values in groups)
    text = f"no row has {'one of the two arms' if what == 'arm' else f'a {what}'} the protocol names"
    return [Finding(spec.name, column, "expected_value_absent", "warning", 0, (), text)] if missing else []
