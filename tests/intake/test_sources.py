"""Files of every kind, as providers send them: read right, or refused with one clear line."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import pytest

from evalkit.errors import DataError, ProtocolError
from evalkit.intake import MissingTableError, StudyData, open_data
from evalkit.protocol import Study, validate
from intake.corrupted import good, study_of

DAYS = ["2022-02-03", "2022-02-10", "2022-12-31"]


def small(folder: Path, content: bytes | str, name: str = "people.csv", **table: object) -> Study:
    """A study whose only table is this file."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return people_at(folder, name, **table)


def people_at(folder: Path, name: str, **table: object) -> Study:
    content = {
        "id": "small",
        "title": "Small",
        "starts": "2022-01-01",
        "arms": {
            "column": "pathway",
            "focus": {"value": "non_mandated", "label": "Pilot"},
            "comparison": {"value": "paip", "label": "PAIP"},
        },
        "tables": {"participants": {"path": name, **table}},
    }
    return Study.model_validate(content).with_path(folder / "study.yaml")


def referrals(data: StudyData) -> list[str]:
    return [f"{d:%Y-%m-%d}" for d in data.frame("participants")["referral_date"]]


HEAD = "participant_id,pathway,referral_date,intake_date,site\n"


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16", b""),
        ("windows-1252", b""),
        ("latin-1", b""),
        ("mac-roman", b""),
    ],
)
def test_encodings(encoding: str, bom: bytes, tmp_path: Path) -> None:
    text = HEAD + "p1,paip,2022-02-03,,Peñasco Ñandú\n"
    data = open_data(small(tmp_path, bom + text.encode(encoding), encoding=encoding))
    assert data.frame("participants")["site"].tolist() == ["Peñasco Ñandú"]
    assert data.frame("participants")["participant_id"].tolist() == ["p1"]


@pytest.mark.parametrize(
    ("content", "table", "message"),
    [
        ((HEAD + "p1,paip,2022-02-03,,Peñasco\n").encode("latin-1"), {}, "is not utf-8 text (line 2)"),
        ((HEAD + "p1,paip,2022-02-03,,Peñasco\n").encode("utf-16"), {}, "is not utf-8 text"),
        ((HEAD + "p1,paip,2022-02-03,,Peñasco\n").encode(), {"encoding": "latin-1"}, "is UTF-8 text, but the protocol says latin-1"),
        ((HEAD + "p1,paip,2022-02-03,,x\n").encode("utf-16-le"), {}, "NUL characters"),
        (b"", {}, "is empty"),
        (b"\n\n", {}, "is empty"),
        (b"p1,paip,2022-02-03,,x\n", {}, "none of the columns participant_id, pathway, referral_date, intake_date is there"),
        ((HEAD + 'p1,paip,2022-02-03,,"x\np2,paip,2022-02-03,,x\n').encode(), {}, "is not CSV"),
        ((HEAD + "p1,paip,2022-02-03,,x\np2,paip\np3,paip,2022-02-03,,x,y\n").encode(), {}, "2 line(s) have another number of columns than the header (line 3, 4)"),
        (b"participant_id,pathway,site,site\np1,paip,x,y\n", {}, "columns 3 and 4 have the same name"),
        ((HEAD + "p1,paip,02/03/2022,,x\n").encode(), {"date_format": "%Y-%d-%m"}, "unreadable_date"),
        ((HEAD + "p1,paip,44595,,x\n").encode(), {}, "unreadable_date"),
        ((HEAD + "p1,paip,2022-02-03,,x\n").encode(), {"encoding": "utf-9"}, "encoding 'utf-9' is not known; did you mean 'utf-8'?"),
    ],
)  # fmt: skip
def test_csv_refused(content: bytes, table: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises((DataError, ProtocolError)) as refused:
        open_data(small(tmp_path, content, **table))
    assert message in str(refused.value)
    assert str(refused.value).startswith("participants")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found_out(delimiter: str, tmp_path: Path) -> None:
    text = HEAD.replace(",", delimiter) + "p1;paip;2022-02-03;;x".replace(";", delimiter)
    assert referrals(open_data(small(tmp_path, text))) == DAYS[:1]


def test_a_delimiter_may_be_said(tmp_path: Path) -> None:
    text = HEAD.replace(",", "^") + "p1^paip^2022-02-03^^a,b;c"
    data = open_data(small(tmp_path, text, delimiter="^"))
    assert data.frame("participants")["site"].tolist() == ["a,b;c"]


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("%m/%d/%Y", "02/03/2022"),
        ("%d.%m.%Y", "03.02.2022"),
        ("%m/%d/%y", "02/03/22"),
        ("%d-%b-%Y", "03-Feb-2022"),
        ("%Y%m%d", "20220203"),
        ("%m/%d/%Y %H:%M", "02/03/2022 14:05"),
        ("%Y-%j", "2022-034"),
        (None, "2022-02-03"),
        (None, " 2022-02-03 "),
        (None, "2022-02-03T23:59:59Z"),
        (None, "2022-02-03 00:00:00.000"),
        (None, "2022-02-03 08:15:00-06:00"),
    ],
)
def test_forms_of_days(form: str | None, written: str, tmp_path: Path) -> None:
    data = open_data(small(tmp_path, HEAD + f"p1,paip,{written},,x\n", date_format=form))
    assert referrals(data) == DAYS[:1]


@pytest.mark.parametrize("form", ["%m/%Y", "%d/%m", "month", "%Q-%d-%m-%Y", "%H:%M"])
def test_forms_that_are_no_day(form: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"tables\.participants\.date_format"):
        open_data(small(tmp_path, HEAD, date_format=form))


def test_a_form_is_never_mixed_with_another(tmp_path: Path) -> None:
    text = HEAD + "p1,paip,02/03/2022,,x\np2,paip,2022-02-03,,x\np3,paip,13/03/2022,,x\n"
    with pytest.raises(DataError, match=r"2 rows \(rows 3, 4\)"):
        open_data(small(tmp_path, text, date_format="%m/%d/%Y"))


def test_a_form_of_one_column(tmp_path: Path) -> None:
    text = HEAD.replace("\n", ",recorded_on\n") + "p1,paip,02/03/2022,,x,2022-02-05\n"
    forms = {"date_format": "%m/%d/%Y", "date_formats": {"recorded_on": "%Y-%m-%d"}}
    data = open_data(small(tmp_path, text, **forms))
    assert referrals(data) == DAYS[:1]
    assert data.frame("participants")["recorded_on"].tolist() == [pd.Timestamp("2022-02-05")]
    with pytest.raises(ProtocolError, match="'site' is not one of our date columns"):
        open_data(small(tmp_path, text, date_formats={"site": "%Y-%m-%d"}))
    with pytest.raises(ProtocolError, match=r"date_formats\.recorded_on: '%Y' is not a date format"):
        open_data(small(tmp_path, text, date_formats={"recorded_on": "%Y"}))


def excel(
    folder: Path, rows: list[list[object]], name: str = "people.xlsx", sheet: str = "export", *, mac: bool = False
) -> None:
    book = openpyxl.Workbook()
    if mac:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(row)
    book.save(folder / name)


NAMES = ["participant_id", "pathway", "referral_date", "intake_date", "site"]


@pytest.mark.parametrize("mac", [False, True])
@pytest.mark.parametrize("kind", ["real", "real with a time", "serial", "serial with a time", "text", "mixed"])
def test_excel_days(kind: str, mac: bool, tmp_path: Path) -> None:
    zero = dt.datetime(1904, 1, 1) if mac else dt.datetime(1899, 12, 30)
    days = [dt.datetime.fromisoformat(day) for day in DAYS]
    written = {
        "real": days,
        "real with a time": [day.replace(hour=13, minute=30) for day in days],
        "serial": [(day - zero).days for day in days],
        "serial with a time": [(day - zero).days + 0.625 for day in days],
        "text": DAYS,
        "mixed": [days[0], (days[1] - zero).days, DAYS[2]],
    }[kind]
    rows = [[f"p{n}", "paip", day, None, "x"] for n, day in enumerate(written)]
    excel(tmp_path, [NAMES, *rows, [None] * 5], mac=mac)
    assert referrals(open_data(people_at(tmp_path, "people.xlsx"))) == DAYS


def test_excel_numbers_as_identifiers_and_mixed_rows(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        [n if n % 2 else str(n), "paip", DAYS[0], None, n if n % 3 else "x"] for n in range(3000)
    ]
    excel(tmp_path, [[None] * 5, NAMES, *rows])
    frame = open_data(people_at(tmp_path, "people.xlsx", table="export")).frame("participants")
    assert frame["participant_id"].tolist() == [str(n) for n in range(3000)]
    assert frame["site"].tolist()[:4] == ["x", "1", "2", "x"]


def test_excel_mixed_column_refused_with_its_rows(tmp_path: Path) -> None:
    rows: list[list[object]] = [[f"p{n}", "paip", dt.datetime(2022, 2, 3), None, "x"] for n in range(2000)]
    for n in (1500, 1501, 1999):
        rows[n][2] = "tbd-xy"
    excel(tmp_path, [NAMES, *rows])
    with pytest.raises(DataError) as refused:
        open_data(people_at(tmp_path, "people.xlsx"))
    assert "participants.referral_date" in str(refused.value)
    assert "3 rows (rows 1502, 1503, 2001)" in str(refused.value)
    assert "tbd" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("people.xlsx", b"not a workbook", "damaged, or not what its name says"),
        ("people.parquet", b"not a parquet file", "damaged, or not what its name says"),
        ("people.duckdb", b"not a database" * 500, "damaged, or not what its name says"),
        ("people.docx", b"", "of an unknown kind"),
    ],
)
def test_damaged_files(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        open_data(small(tmp_path, content, name))
    assert message in str(refused.value)


def test_excel_without_the_sheet(tmp_path: Path) -> None:
    excel(tmp_path, [NAMES])
    with pytest.raises(DataError, match="no sheet 'exprt'; did you mean 'export'"):
        open_data(people_at(tmp_path, "people.xlsx", table="exprt"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("x")
    with pytest.raises(DataError, match=r"is not there; did you mean 'people\.csv'"):
        open_data(people_at(tmp_path, "peeple.csv"))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:hunter2@db/x",
        "postgresql:/ann:hunter2@db",
        "mysql+x://a:hunter2@b",
        "postgresql://ann:hunter2@db/x?sslmode=require",  # looks like a pattern
    ],
)
@pytest.mark.parametrize("key", ["tables.participants.path", "several", "baselines", "disclosure", "private"])
def test_an_address_for_a_file_is_not_said_again(tmp_path: Path, address: str, key: str) -> None:
    content = people_at(tmp_path, "people.csv").model_dump(mode="json", exclude_none=True)
    if key.startswith("tables"):
        content["tables"]["participants"]["path"] = address
    elif key == "several":
        content["tables"]["participants"]["path"], key = ["people.csv", address], "tables.participants.path.1"
    else:
        content[key] = address
    with pytest.raises(ProtocolError, match=f"key '{key}': is an address, no file") as refused:
        validate(Study, content, "study.yaml")
    assert "hunter2" not in str(refused.value)


def typed() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant_id": [101, 102, 103],
            "pathway": pd.Categorical(["paip", "non_mandated", "paip"]),
            "referral_date": pd.to_datetime(DAYS),
            "intake_date": [None, dt.date(2022, 2, 12), None],
            "site": ["x", None, "z"],
        }
    )


def test_parquet(tmp_path: Path) -> None:
    typed().to_parquet(tmp_path / "people.parquet")
    frame = open_data(people_at(tmp_path, "people.parquet")).frame("participants")
    assert frame["participant_id"].tolist() == ["101", "102", "103"]
    assert frame["referral_date"].dt.strftime("%Y-%m-%d").tolist() == DAYS
    assert frame["intake_date"].isna().tolist() == [True, False, True]


def test_parquet_with_text_days_and_a_list(tmp_path: Path) -> None:
    typed().assign(referral_date=["02/03/2022", "02/10/2022", "12/31/2022"]).to_parquet(tmp_path / "a.parquet")
    assert referrals(open_data(people_at(tmp_path, "a.parquet", date_format="%m/%d/%Y"))) == DAYS
    typed().assign(site=[["x"], ["y"], None]).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"participants\.site: cannot be read as text .*2 rows \(rows 1, 2\)"):
        open_data(people_at(tmp_path, "b.parquet"))


def test_duckdb_file(tmp_path: Path) -> None:
    people = typed()
    with duckdb.connect(str(tmp_path / "study.duckdb")) as connection:
        connection.execute("CREATE TABLE clients AS SELECT * FROM people")
    del people
    assert referrals(open_data(people_at(tmp_path, "study.duckdb", table="clients"))) == DAYS
    with pytest.raises(DataError, match="no table 'client'; did you mean 'clients'"):
        open_data(people_at(tmp_path, "study.duckdb", table="client"))


def test_columns_and_values_of_a_provider(tmp_path: Path) -> None:
    text = "Client #;Track;Referred;Intake Dt;Office;Referral Dt\n 007 ;Court;03/02/2022;;;x\n008;Walk-in;10/02/2022;31/12/2022;NA;y\n"
    columns = {
        "participant_id": "Client #",
        "pathway": "Track",
        "referral_date": "Referred",
        "intake_date": "Intake Dt",
        "site": "Office",
    }
    values = {"pathway": {"Court": "paip", "Walk-in": "non_mandated"}}
    data = open_data(small(tmp_path, text, columns=columns, values=values, date_format="%d/%m/%Y"))
    frame = data.frame("participants")
    assert frame["participant_id"].tolist() == ["007", "008"]
    assert frame["pathway"].tolist() == ["paip", "non_mandated"]
    assert referrals(data) == DAYS[:2]
    assert frame["site"].tolist() == [None, None]


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ({"columns": {"referal_date": "x"}}, ProtocolError, "'referal_date' is not one of our columns; did you mean 'referral_date'"),
        ({"values": {"pathwy": {}}}, ProtocolError, "'pathwy' is not one of our columns; did you mean 'pathway'"),
        ({"columns": {"site": "sitee"}}, DataError, "column 'sitee' is missing; did you mean 'site'"),
        ({"columns": {"referral_date": "Referral"}}, DataError, "column 'Referral' is missing; did you mean 'referral_date'"),
    ],
)  # fmt: skip
def test_mapping_refused(table: dict[str, object], error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error) as refused:
        open_data(small(tmp_path, HEAD + "p1,paip,2022-02-03,,x\n", **table))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("flag", "synthetic"), [("true", True), ("True", True), ("1", True), ("false", False), ("0", False), ("", False)]
)
def test_synthetic_is_found_out(flag: str, synthetic: bool, tmp_path: Path) -> None:
    text = HEAD.replace("\n", ",synthetic\n") + f"p1,paip,2022-02-03,,x,{flag}\n"
    data = open_data(small(tmp_path, text))
    assert data.synthetic is synthetic
    assert data.at(dt.date(2022, 3, 1)).synthetic is synthetic


def test_inputs_and_missing_tables(tmp_path: Path) -> None:
    tables = good()
    del tables["measures"]
    data = open_data(study_of(tmp_path, tables))
    assert [i.table for i in data.inputs] == ["participants", "sessions", "exits", "outcomes"]
    for given in data.inputs:
        assert given.sha256 == hashlib.sha256(Path(given.source).read_bytes()).hexdigest()
        assert given.n_rows == len(tables[given.table])
    assert data.has("sessions") and not data.has("measures")
    with pytest.raises(MissingTableError, match=r"^The measures table is not part of this study\.$"):
        data.frame("measures")
    with pytest.raises(DataError, match="no study has a table 'session'; did you mean 'sessions'"):
        data.has("session")


@pytest.mark.parametrize("name", ["group", "time", "episode", "n_attended"])
def test_names_that_the_cohort_needs(name: str, tmp_path: Path) -> None:
    study = people_at(tmp_path, "people.csv")
    taken = Study.model_validate({**study.model_dump(), "covariates": [{"name": name, "label": "x"}]})
    with pytest.raises(ProtocolError, match=f"column '{name}' has a name that evalkit uses itself"):
        open_data(taken)


def test_newest_day(tmp_path: Path) -> None:
    tables = good()
    study = study_of(tmp_path, tables)
    assert open_data(study).newest_day == dt.date(2022, 12, 30)
    for frame in tables.values():
        frame["recorded_on"] = ""
    tables["participants"]["outcome_follow_up_end"] = ""
    tables["sessions"].loc[3, "session_date"] = "2022-11-11"
    tables["sessions"].loc[4, "session_date"] = "2199-11-11"
    assert open_data(study_of(tmp_path, tables)).newest_day == dt.date(2022, 11, 11)


def test_a_variable_that_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STUDY_URL", raising=False)
    study = people_at(tmp_path, "x").model_copy(update={"database": "${STUDY_URL}"})
    with pytest.raises(ProtocolError, match="environment variable STUDY_URL is not set"):
        open_data(study)


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    study = people_at(tmp_path, "x").model_copy(update={"database": "duckdb:///nowhere/ann:secret@x.duckdb"})
    with pytest.raises(DataError) as refused:
        open_data(study)
    assert "cannot be reached" in str(refused.value)
