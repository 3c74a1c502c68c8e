"""The same values from a file and from a database where they lie: nothing is read as another thing in one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from evalkit.intake import Gate
from evalkit.intake._open import read_all
from evalkit.protocol import Study
from intake.corrupted import TODAY
from intake.test_sources import people_at

COVARIATES = [
    {"name": "race", "label": "Race", "kind": "categorical", "levels": ["NA", "None", "1", "2"]},
    {"name": "working", "label": "Working", "kind": "yes_no"},
    {"name": "age", "label": "Age"},
]
PEOPLE = {"participant_id": "'p' || i", "pathway": "'paip'", "referral_date": "DATE '2022-02-03' + i::INT",
          "intake_date": "NULL::DATE", "site": "'x'", "race": "'NA'", "working": "true", "age": "30"}  # fmt: skip


def read_both_ways(folder: Path, columns: dict[str, str], table: dict[str, Any]) -> list[tuple[set[Any], Any]]:
    """What is found, and the rows, from the file and from the database."""
    chosen = ", ".join(f"{what} AS {name}" for name, what in (PEOPLE | columns).items())
    with duckdb.connect(str(folder / "p.duckdb")) as connection:
        connection.execute(f"CREATE TABLE participants AS SELECT {chosen} FROM range(3) r(i)")  # noqa: S608
    shared = {**people_at(folder, "x").model_dump(exclude={"tables"}), "covariates": COVARIATES}
    address = {"database": f"duckdb://{folder}/p.duckdb?read_only=true", "tables": {"participants": table}}
    both = []
    for content in ({"tables": {"participants": {"path": "p.duckdb", **table}}}, address):
        study = Study.model_validate({**shared, **content}).with_path(folder / "study.yaml")
        with read_all(study) as data:
            findings = {(f.rule, f.column, f.severity) for f in Gate(data, today=TODAY).findings}
            rows = data.frame("participants").sort_values("participant_id")[[*PEOPLE]]
            both.append((findings, rows.astype(str).to_numpy().tolist()))
    return both


@pytest.mark.parametrize(
    ("columns", "table", "expected"),
    [
        ({"race": "1.0 + i % 2"}, {}, ["1", "2", "1"]),
        ({"race": "(1 + i % 2)::DECIMAL(6, 2)"}, {}, ["1", "2", "1"]),
        ({"race": "'NA' || chr(160)"}, {}, ["NA"] * 3),
        ({"race": "chr(8195) || 'None' || chr(9)"}, {}, ["None"] * 3),
        ({"race": "NULL::VARCHAR"}, {"values": {"race": {"": "2"}}}, ["2"] * 3),
        ({"race": "7.0::DOUBLE"}, {"values": {"race": {"7": "NA"}}}, ["NA"] * 3),
        ({"race": "7::DECIMAL(5, 1)"}, {"values": {"race": {"7": "1"}}}, ["1"] * 3),
        ({"participant_id": "'p' || i || chr(160)"}, {}, ["p0", "p1", "p2"]),
        ({"participant_id": "(i + 7)::DECIMAL(5, 2)"}, {}, ["7", "8", "9"]),
        ({"participant_id": "i + 170141183460469231731687303715884105720"}, {},
         [f"17014118346046923173168730371588410572{n}" for n in range(3)]),
        ({"participant_id": "(i + 12345678901234567890)::DECIMAL(25, 0)"}, {},
         [f"1234567890123456789{n}" for n in range(3)]),
    ],
)  # fmt: skip
def test_values_are_the_same_from_both(
    columns: dict[str, str], table: dict[str, Any], expected: list[str], tmp_path: Path
) -> None:
    from_file, from_database = read_both_ways(tmp_path, columns, table)
    assert from_file == from_database
    assert [row[[*PEOPLE].index(*columns)] for row in from_file[1]] == expected


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"age": "'inf'::DOUBLE"}, "unreadable_number"), ({"age": "'1e999'"}, "unreadable_number"),
        ({"age": "'-1e400'"}, "unreadable_number"), ({"participant_id": "(i + 0.5)::DECIMAL(5, 2)"}, "unreadable_identifier"),
        ({"participant_id": "('p' || i)::BLOB"}, "unreadable_identifier"), ({"site": "['x']"}, "unreadable_text"),
        ({"site": "{'a': 1}"}, "unreadable_text"), ({"site": "TIME '10:00'"}, "unreadable_text"),
        ({"site": "'x'::BLOB"}, "unreadable_text"), ({"site": "INTERVAL 1 DAY"}, "unreadable_text"),
        ({"referral_date": "'infinity'::DATE"}, "unreadable_date"), ({"referral_date": "DATE '1899-12-31'"}, "unreadable_date"),
        ({"referral_date": "DATE '0044-03-15 (BC)'"}, "unreadable_date"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_found_in_both(columns: dict[str, str], rule: str, tmp_path: Path) -> None:
    from_file, from_database = read_both_ways(tmp_path, columns, {})
    assert from_file[0] == from_database[0]
    assert (rule, *columns, "error") in from_file[0]
