"""Every spoiled table is refused or warned of by the right rule, and nothing says what is in it."""

from __future__ import annotations

import json
import re
import traceback
from pathlib import Path

import pandas as pd
import pytest

from evalkit.errors import DataError
from evalkit.intake import Findings, open_data, validate
from evalkit.intake._spec import table_spec
from evalkit.protocol import Study
from intake.corrupted import SPOILED, TODAY, Frames, Spoiled, good, study_of

# Words that are ours: names of columns and rules, and values the protocol itself lists, which messages name.
OURS = re.compile(r"[a-z]+(_[a-z]+)+|group|attended|other")


def values_of(*versions: Frames) -> set[str]:
    """Every identifier and value in these tables that a message could betray."""
    found: set[str] = set()
    for tables in versions:
        for frame in tables.values():
            for column in frame.columns:
                found |= {str(value) for value in frame[column].unique()}
    return {v for v in found if len(v) > 2 and not OURS.fullmatch(v)} - {"yes", "nan", "man"}


def named_by(study: Study) -> set[str]:
    """Values that the protocol lists: messages name them, whoever holds them."""
    columns = [column for name in study.tables for column in table_spec(study, name).columns]
    return {value.casefold() for column in columns for value in column.allowed or ()}


def betrayed(text: str, values: set[str]) -> set[str]:
    """Values that stand in a text as whole words."""
    return {v for v in values if re.search(rf"(?<![\w.-]){re.escape(v)}(?![\w-])", text, re.IGNORECASE)}


def test_the_good_tables_are_good(tmp_path: Path) -> None:
    findings = validate(study_of(tmp_path, good()), today=TODAY)
    assert str(findings) == "No problem found."
    assert json.loads(findings.to_json()) == {"ok": True, "n_errors": 0, "n_warnings": 0, "findings": []}
    findings.raise_for_errors()


# Rules that need a further table; without it a study of fewer tables is opened, which is quicker.
BESIDE = {"session_after_exit": "exits", "absent_column": "outcomes"}


@pytest.mark.parametrize("case", SPOILED, ids=lambda case: case.name)
def test_spoiled(case: Spoiled, tmp_path: Path) -> None:
    before, tables = good(), good()
    case.spoil(tables)
    needed = {"participants", case.place.partition(".")[0], BESIDE.get(case.rule)}
    tables = {n: t for n, t in tables.items() if n in needed or not t.equals(before[n])}
    study = study_of(tmp_path, tables)
    findings = validate(study, today=TODAY)
    found = {(f.rule, f"{f.table}.{f.column}" if f.column else f.table, f.severity, f.n_rows, f.rows) for f in findings}
    assert found == {(case.rule, case.place, case.severity, case.n_rows, case.rows), *case.also}, str(findings)
    assert len(findings) == len(found)
    messages = [str(findings), findings.to_json(), repr(findings), *refusal(findings)]
    private = {value for value in values_of(before, tables) if value.casefold() not in named_by(study)}
    for message in messages:
        assert not betrayed(message, private)


def refusal(findings: Findings) -> list[str]:
    """What is raised for it."""
    try:
        findings.raise_for_errors()
    except DataError as error:
        assert "\n" not in str(error)
        return [str(error)]
    return []


@pytest.mark.parametrize(
    "case", [c for c in SPOILED if c.rule.startswith(("unreadable", "missing_column"))], ids=lambda case: case.name
)
def test_what_cannot_be_read_is_refused_at_once(case: Spoiled, tmp_path: Path) -> None:
    tables = good()
    case.spoil(tables)
    with pytest.raises(DataError) as refused:
        open_data(study_of(tmp_path, tables))
    assert not betrayed("".join(traceback.format_exception(refused.value)), values_of(good(), tables) - {str(TODAY)})
    assert case.place in str(refused.value)
    assert case.rule in str(refused.value)
    if case.rows:
        assert f"{case.n_rows} row" in str(refused.value)
        assert ", ".join(map(str, case.rows)) in str(refused.value)


def test_all_problems_in_one_run(tmp_path: Path) -> None:
    tables = good()
    alone = [c for c in SPOILED if c.rule in {"unreadable_date", "unusual_hours", "out_of_range"}]
    for case in alone[:3] + alone[-3:]:
        case.spoil(tables)
    (tmp_path / "sub").mkdir()
    study = study_of(tmp_path, tables)
    (tmp_path / "measures.csv").unlink()
    rules = {(f.table, f.rule) for f in validate(study, today=TODAY)}
    assert {
        ("participants", "unreadable_date"),
        ("sessions", "unreadable_date"),
        ("exits", "unreadable_date"),
        ("participants", "out_of_range"),
        ("sessions", "unusual_hours"),
        ("measures", "unreadable_table"),
    } <= rules


def test_a_retracted_row_is_not_held_to_rules(tmp_path: Path) -> None:
    tables = good()
    tables["sessions"].loc[2, ["hours", "retracted_on"]] = ["90", "2023-01-05"]
    assert len(validate(study_of(tmp_path, tables), today=TODAY)) == 0


def test_a_correction_is_no_duplicate(tmp_path: Path) -> None:
    tables = good()
    row = tables["participants"].loc[[2]].assign(recorded_on="2023-01-05", intake_date="2022-02-25")
    tables["participants"].loc[2, "retracted_on"] = "2023-01-05"
    tables["participants"] = pd.concat([tables["participants"], row])
    assert len(validate(study_of(tmp_path, tables), today=TODAY)) == 0


def test_first_rows_only(tmp_path: Path) -> None:
    tables = good()
    tables["sessions"]["hours"] = "77"
    finding = next(f for f in validate(study_of(tmp_path, tables), today=TODAY) if f.severity == "error")
    assert (finding.n_rows, finding.rows) == (20, (2, 3, 4, 5, 6))
    assert str(finding).endswith("20 rows (rows 2, 3, 4, 5, 6, ...)")
