"""Tables of several files or sheets, units, and ages from days of birth: the protocol's keys, right and wrong."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from evalkit.errors import DataError, ProtocolError
from evalkit.intake import dictionary, open_data, open_gate, table_digests
from evalkit.intake._database import our_columns
from evalkit.intake._spec import table_spec
from evalkit.protocol import Study
from evalkit.protocol._files import validate

HEAD = "participant_id,pathway,referral_date,intake_date,site\n"


def study(folder: Path, /, **tables: Any) -> Study:
    content = {
        "id": "small",
        "title": "Small",
        "starts": "2022-01-01",
        "arms": {"focus": {"value": "a", "label": "Pilot"}, "comparison": {"value": "b", "label": "PAIP"}},
        "covariates": [{"name": "age", "label": "Age", "minimum": 16}],
        "tables": tables,
        "baselines": None,
    }
    return validate(Study, content, "study.yaml").with_path(folder / "study.yaml")


def people(folder: Path, name: str, *ids: str, day: str = "2022-02-03", head: str = HEAD, end: str = "") -> Path:
    file = folder / name
    file.write_text(head + "".join(f"{i},a,{day},,S\n" for i in ids) + end, encoding="utf-8")
    return file


def ids_in(made: Study) -> list[str]:
    with open_data(made) as data:
        return list(data.frame("participants")["participant_id"])


BORN = {"columns": {"age": {"column": "born", "years_to": "referral_date"}}}
HEAD_BORN = "participant_id,pathway,referral_date,intake_date,born\n"


# -- several files ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [["b.csv", "a.csv"], ["b.csv", "a*.csv"]])
def test_files_are_read_in_the_order_that_is_said(tmp_path: Path, path: list[str]) -> None:
    people(tmp_path, "a.csv", "A1", "A2", head=HEAD.replace("site", "age"))
    people(tmp_path, "b.csv", "B1", head=HEAD.replace("site", "age"))
    for file in tmp_path.glob("*.csv"):
        file.write_text(file.read_text().replace(",S\n", ",40\n"), encoding="utf-8")
    assert ids_in(study(tmp_path, participants={"path": path})) == ["B1", "A1", "A2"]


def test_a_pattern_takes_files_by_name_and_none_that_is_open_in_excel(tmp_path: Path) -> None:
    for name in ("p-2.csv", "p-1.csv", "~$p-3.csv", ".p-4.csv"):
        people(tmp_path, name, name, head=HEAD + "")
    made = study(
        tmp_path, participants={"path": "*p-*.csv", "columns": {"age": "site"}, "values": {"age": {"S": "40"}}}
    )
    assert ids_in(made) == ["p-1.csv", "p-2.csv"]


def test_a_digest_is_of_all_files(tmp_path: Path) -> None:
    one, two = people(tmp_path, "p-1.csv", "A"), people(tmp_path, "p-2.csv", "B")
    table = {"columns": {"age": "site"}, "values": {"age": {"S": "40"}}}
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (one, two)]
    several, alone = (study(tmp_path, participants={"path": path, **table}) for path in ("p-*.csv", "p-1.csv"))
    assert table_digests(alone) == {"participants": digests[0]}  # as it was before there were several
    assert table_digests(several) == {"participants": hashlib.sha256("\n".join(digests).encode()).hexdigest()}
    with open_data(several) as data:
        assert data.inputs[0].sha256 == table_digests(several)["participants"]
        assert data.inputs[0].n_rows == 2
    people(tmp_path, "p-3.csv", "C")
    assert table_digests(several) != {"participants": data.inputs[0].sha256}


def test_rows_are_named_with_their_file(tmp_path: Path) -> None:
    people(tmp_path, "p-1.csv", "A", "B")
    people(tmp_path, "p-2.csv", "C", "D", day="2022-13-01")
    table = {"path": "p-*.csv", "columns": {"age": "site"}, "values": {"age": {"S": "40"}}}
    gate = open_gate(study(tmp_path, participants=table), today=dt.date(2023, 1, 1))
    with gate.data:
        found = [f for f in gate.findings if f.rule == "unreadable_date"]
    assert [(f.rows, f.places) for f in found] == [((2, 3), ("p-2.csv", "p-2.csv"))]
    assert str(found[0]).endswith("2 rows (p-2.csv row 2; p-2.csv row 3)")


def test_a_person_in_two_files_is_found(tmp_path: Path) -> None:
    people(tmp_path, "p-1.csv", "A", "B")
    people(tmp_path, "p-2.csv", "C", "B")
    table = {"path": "p-*.csv", "columns": {"age": "site"}, "values": {"age": {"S": "40"}}}
    gate = open_gate(study(tmp_path, participants=table), today=dt.date(2023, 1, 1))
    with gate.data:
        (error,) = gate.findings.errors
    assert (error.rule, error.places, error.rows) == ("duplicate_key", ("p-2.csv",), (3,))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"path": "q-*.csv"}, "participants: no file is like"),
        ({"path": "*/p-1.csv"}, "only the file's own name can be a pattern"),
        ({"path": ["p-1.csv", "p-*.csv"]}, "names file p-1.csv twice"),
        ({"path": ["p-1.csv", "p-9.csv"]}, "p-9.csv is not there; did you mean"),
        (
            {"path": "p-*.csv", "skip_rows": {"p-3.csv": 1}},
            "skip_rows names 'p-3.csv', which is no file or sheet of it",
        ),
        ({"path": "p-*.csv", "sheet": "One"}, "file p-1.csv has no sheets; leave sheet out"),
    ],
)
def test_what_is_wrong_with_files_is_one_line(tmp_path: Path, table: dict[str, Any], words: str) -> None:
    people(tmp_path, "p-1.csv", "A")
    people(tmp_path, "p-2.csv", "B")
    with pytest.raises(DataError, match="participants") as raised:
        open_data(study(tmp_path, participants=table))
    assert words in str(raised.value) and "\n" not in str(raised.value)


def test_a_column_that_some_files_lack_is_an_error(tmp_path: Path) -> None:
    people(tmp_path, "p-1.csv", "A", head=HEAD.replace("site", "age"))
    (tmp_path / "p-2.csv").write_text(
        "participant_id,pathway,referral_date,intake_date,age,site\nB,a,2022-02-03,,40,S\n"
    )
    (tmp_path / "p-1.csv").write_text((tmp_path / "p-1.csv").read_text().replace(",S\n", ",40\n"))
    with pytest.raises(
        DataError, match=r"site: p-1\.csv: the column is not there, and other parts of the table have it"
    ):
        open_data(study(tmp_path, participants={"path": "p-*.csv"}))


# -- sheets ----------------------------------------------------------------------------------------------------------
def workbook(folder: Path, name: str = "p.xlsx", **sheets: list[list[object]]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(folder / name)


def rows_of(*ids: str) -> list[list[object]]:
    return [
        ["participant_id", "pathway", "referral_date", "intake_date", "age"],
        *[[i, "a", "2022-02-03", None, 40] for i in ids],
    ]


def test_sheets_are_put_together_each_without_its_own_totals(tmp_path: Path) -> None:
    workbook(tmp_path, Old=[["A report"], [], *rows_of("A", "B"), ["Total", 2]], New=rows_of("C"), Notes=[["x"]])
    table = {"path": "p.xlsx", "sheet": ["New", "Old"], "skip_rows": {"Old": 2}, "skip_footer": {"Old": 1}}
    assert ids_in(study(tmp_path, participants=table)) == ["C", "A", "B"]
    assert ids_in(study(tmp_path, participants={"path": "p.xlsx", "sheet": "New"})) == ["C"]


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        ("Newt", "has no sheet 'Newt'; did you mean 'New'?"),
        (["New", "Odl"], "has no sheet 'Odl'; did you mean 'Old'?"),
        (None, "2 sheets with these columns ('Old', 'New'); say which, or all, with sheet: in the protocol"),
    ],
)
def test_a_sheet_that_is_not_there(tmp_path: Path, sheet: Any, words: str) -> None:
    workbook(tmp_path, Old=rows_of("A"), New=rows_of("C"))
    with pytest.raises(DataError) as raised:
        open_data(study(tmp_path, participants={"path": "p.xlsx", "sheet": sheet}))
    assert words in str(raised.value)


@pytest.mark.parametrize("path", ["q.xlsx", ["p.xlsx", "q.xlsx"]])
def test_sheets_of_a_workbook_that_is_not_there(tmp_path: Path, path: Any) -> None:
    workbook(tmp_path, New=[["participant_id"]])
    with pytest.raises(DataError, match=r"file .*q\.xlsx is not there; did you mean 'p\.xlsx'"):
        open_data(study(tmp_path, participants={"path": path, "sheet": ["New", "Old"], "skip_rows": {"Old": 1}}))


def test_a_sheet_of_the_same_name_in_each_workbook(tmp_path: Path) -> None:
    workbook(tmp_path, "p-1.xlsx", Data=rows_of("A"))
    workbook(tmp_path, "p-2.xlsx", Data=rows_of("B"), More=rows_of("C"))
    assert ids_in(study(tmp_path, participants={"path": "p-*.xlsx", "sheet": ["Data", "More"]})) == ["A", "B", "C"]
    with pytest.raises(DataError, match="none of its files has a sheet 'Mare'"):
        open_data(study(tmp_path, participants={"path": "p-*.xlsx", "sheet": ["Data", "Mare"]}))


# -- units and ages --------------------------------------------------------------------------------------------------
def test_minutes_are_divided_into_hours(tmp_path: Path) -> None:
    people(tmp_path, "p.csv", "A", head=HEAD_BORN)
    (tmp_path / "p.csv").write_text((tmp_path / "p.csv").read_text().replace(",S\n", ",1990-01-01\n"))
    (tmp_path / "s.csv").write_text(
        "participant_id,session_date,kind,status,Minutes\nA,2022-03-01,group,attended,90\nA,2022-03-08,group,attended,\n"
    )
    hours = {"columns": {"hours": {"column": "Minutes", "divide": 60}}}
    made = study(tmp_path, participants={"path": "p.csv", **BORN}, sessions={"path": "s.csv", **hours})
    with open_data(made) as data:
        assert data.frame("sessions")["hours"].tolist()[0] == 1.5
        assert data.frame("sessions")["hours"].isna().tolist() == [False, True]
    text = dictionary(made)
    assert "`Minutes`, divided by 60" in text and "whole years from `born` to `referral_date`" in text


@pytest.mark.parametrize(
    ("born", "referral", "age"),
    [
        ("1990-02-03", "2022-02-03", 32),  # the birthday itself
        ("1990-02-04", "2022-02-03", 31),  # the day before it
        ("1992-02-29", "2022-02-28", 29),
        ("1992-02-29", "2022-03-01", 30),
        ("1992-02-29", "2024-02-29", 32),
        ("", "2022-02-03", None),
    ],
)
def test_an_age_is_the_number_of_birthdays_and_the_birthday_is_not_kept(
    tmp_path: Path, born: str, referral: str, age: int | None
) -> None:
    (tmp_path / "p.csv").write_text(f"{HEAD_BORN}A,a,{referral},,{born}\n", encoding="utf-8")
    made = study(tmp_path, participants={"path": "p.csv", **BORN})
    with open_data(made) as data:
        frame = data.frame("participants")
        assert frame["age"].tolist()[0] == age if age is not None else frame["age"].isna().all()
        assert "born" not in frame and not (born and frame.astype(str).eq(born).any(axis=None))


@pytest.mark.parametrize(("born", "age"), [("02/04/65", 56), ("02/03/65", 57), ("02/04/72", 49), ("02/04/05", 16)])
def test_of_a_year_in_two_digits_nobody_is_born_after_the_day(tmp_path: Path, born: str, age: int) -> None:
    form = {"date_formats": {"age": "%m/%d/%y"}}
    (tmp_path / "p.csv").write_text(f"{HEAD_BORN}A,a,2022-02-03,,{born}\n", encoding="utf-8")
    with open_data(study(tmp_path, participants={"path": "p.csv", **BORN, **form})) as data:
        assert data.frame("participants")["age"].tolist() == [age]


def test_a_database_makes_the_same(tmp_path: Path) -> None:
    import ibis

    rows = [
        ("1990-02-03", "2022-02-03"),
        ("1990-02-04", "2022-02-03"),
        ("1992-02-29", "2022-02-28"),
        (None, "2022-02-03"),
    ]
    backend = ibis.duckdb.connect()
    backend.con.execute(
        "CREATE TABLE people (participant_id TEXT, pathway TEXT, referral_date TEXT, intake_date TEXT, born TEXT)"
    )
    for n, (born, referral) in enumerate(rows):
        backend.con.execute("INSERT INTO people VALUES (?, 'a', ?, NULL, ?)", [f"P{n}", referral, born])
    made = study(tmp_path, participants={"table": "people", **BORN})
    ours, findings, _ = our_columns(
        table_spec(made, "participants"), made.tables["participants"], backend.table("people"), "UTC"
    )
    assert [f for f in findings if f.severity == "error"] == []
    ages = ours.order_by("participant_id").to_pandas()["age"].tolist()
    assert ages[:3] == [32, 31, 29] and ages[3] != ages[3]
    backend.con.execute(
        "CREATE TABLE s AS SELECT 'P0' AS participant_id, DATE '2022-03-01' AS session_date, 'group' AS kind, 'attended' AS status, 75 AS m"
    )
    both = study(
        tmp_path,
        participants={"table": "people"},
        sessions={"table": "s", "columns": {"hours": {"column": "m", "divide": 60}}},
    )
    ours, _, _ = our_columns(table_spec(both, "sessions"), both.tables["sessions"], backend.table("s"), "UTC")
    assert ours.to_pandas()["hours"].tolist() == [1.25]


def test_a_day_of_birth_that_is_none_is_a_row_and_no_value(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(f"{HEAD_BORN}A,a,2022-02-03,,03/04/1990\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"participants\.age: is not a date in the form YYYY-MM-DD") as raised:
        open_data(study(tmp_path, participants={"path": "p.csv", **BORN}))
    assert "1990" not in str(raised.value)
    with open_data(
        study(tmp_path, participants={"path": "p.csv", **BORN, "date_formats": {"age": "%m/%d/%Y"}})
    ) as data:
        assert data.frame("participants")["age"].tolist() == [31]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"path": []}, "key 'tables.participants.path': "),
        ({"path": 5}, "key 'tables.participants.path': input should be a valid string; put it in quotes"),
        ({"path": ["a", 5]}, "key 'tables.participants.path.1': input should be a valid string; put it in quotes"),
        ({"path": "p.csv", "sheet": "A", "table": "B"}, "says sheet and table; leave table out"),
        (
            {"path": "p.csv", "skip_rows": -1},
            "key 'tables.participants.skip_rows': input should be greater than or equal",
        ),
        ({"path": "p.csv", "skip_rows": {"A": True}}, "key 'tables.participants.skip_rows.A': is true or false"),
        (
            {"path": "p.csv", "columns": {"age": {"colum": "x"}}},
            "unknown key 'tables.participants.columns.age.colum'; did you mean 'column'?",
        ),
        (
            {"path": "p.csv", "columns": {"age": {"column": "x", "divide": 0}}},
            "key 'tables.participants.columns.age.divide': ",
        ),
        (
            {"path": "p.csv", "columns": {"age": {"column": "x", "divide": 2, "years_to": "referral_date"}}},
            "says divide and years_to",
        ),
        (
            {"path": "p.csv", "columns": {"age": 5}},
            "key 'tables.participants.columns.age': input should be a valid string; put it in quotes",
        ),
    ],
)
def test_a_wrong_key_is_named_in_its_own_form(tmp_path: Path, table: dict[str, Any], words: str) -> None:
    with pytest.raises(ProtocolError) as raised:
        study(tmp_path, participants=table)
    assert words in str(raised.value)
    assert "[one]" not in str(raised.value) and "[more]" not in str(raised.value)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"site": {"column": "x", "divide": 60}}, "only a column of numbers can be made so, and 'site' is none"),
        (
            {"age": {"column": "x", "years_to": "referal_date"}},
            "is not one of our date columns; did you mean 'referral_date'?",
        ),
        ({"age": {"column": "x", "years_to": "site"}}, "'site' is not one of our date columns"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, columns: dict[str, Any], words: str) -> None:
    people(tmp_path, "p.csv", "A")
    with pytest.raises(ProtocolError) as raised:
        open_data(study(tmp_path, participants={"path": "p.csv", "columns": columns}))
    assert words in str(raised.value)
