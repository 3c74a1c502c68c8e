"""No day depends on the machine: a time with a zone counts where the study is, in every source."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import ibis
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evalkit.errors import DataError, ProtocolError
from evalkit.intake import _database, open_data
from evalkit.intake._open import read_all
from evalkit.protocol import Study, load_study
from evalkit.zones import known_zone, today, zone
from intake.test_sources import HEAD, people_at, referrals, small

# Evenings, midnight in UTC, and both sides of midnight around the nights when clocks change.
MOMENTS = {
    "2022-02-04T01:00:00Z": "2022-02-03",
    "2022-02-03T00:00:00Z": "2022-02-02",
    "2022-02-03T05:59:59Z": "2022-02-02",
    "2022-02-03T06:00:00Z": "2022-02-03",
    "2023-03-12T05:59:00Z": "2023-03-11",
    "2023-03-13T04:59:00Z": "2023-03-12",
    "2023-07-04T04:59:00Z": "2023-07-03",
    "2023-07-04T05:00:00Z": "2023-07-04",
    "2022-11-06T05:30:00Z": "2022-11-06",
    "2022-11-07T05:30:00Z": "2022-11-06",
    "2022-12-31T18:00:00Z": "2022-12-31",
}
DAYS = list(MOMENTS.values())


def moments() -> list[dt.datetime]:
    return [dt.datetime.fromisoformat(text) for text in MOMENTS]


def people(days: pa.Array) -> pa.Table:
    n = len(days)
    ids = [f"p{i}" for i in range(n)]
    return pa.table(
        {
            "participant_id": ids,
            "pathway": ["paip"] * n,
            "referral_date": days,
            "intake_date": pa.nulls(n, pa.date32()),
            "site": ["x"] * n,
        }
    )


def csv(days: list[str]) -> str:
    return HEAD + "".join(f"p{n},paip,{day},,x\n" for n, day in enumerate(days))


def csv_text(folder: Path) -> Study:
    return small(folder, csv(list(MOMENTS)))


def csv_offsets(folder: Path) -> Study:
    """The same moments as clocks of five places wrote them, in the forms of five programs."""
    places = ["America/Chicago", "Asia/Kolkata", "Pacific/Auckland", "America/St_Johns", "UTC"]
    forms = [
        lambda m: m.isoformat(),
        lambda m: m.strftime("%Y-%m-%d %H:%M:%S%z"),
        lambda m: m.isoformat(sep=" ", timespec="microseconds").replace("+", " +"),
        lambda m: m.isoformat(timespec="minutes"),
        lambda m: m.strftime("%Y-%m-%d %H:%M:%S UTC"),
    ]
    days = [forms[n % 5](moment.astimezone(ZoneInfo(places[n % 5]))) for n, moment in enumerate(moments())]
    return small(folder, csv(days))


def csv_format(folder: Path) -> Study:
    days = [m.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%d.%m.%Y %H:%M %z") for m in moments()]
    return small(folder, csv(days), date_format="%d.%m.%Y %H:%M %z")


def excel_text(folder: Path) -> Study:
    book = openpyxl.Workbook()
    for row in [HEAD.strip().split(","), *([f"p{n}", "paip", day, None, "x"] for n, day in enumerate(MOMENTS))]:
        book.active.append(row)
    book.save(folder / "people.xlsx")
    return people_at(folder, "people.xlsx")


def parquet(unit: str, tz: str):
    def made(folder: Path) -> Study:
        pq.write_table(people(pa.array(moments(), pa.timestamp(unit, tz))), folder / "people.parquet")
        return people_at(folder, "people.parquet")

    return made


def duckdb_file(folder: Path) -> Study:
    rows = people(pa.array(moments(), pa.timestamp("us", "UTC")))
    with duckdb.connect(str(folder / "people.duckdb")) as connection:
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        connection.register("rows", rows)
        connection.execute("CREATE TABLE participants AS SELECT * FROM rows")
    return people_at(folder, "people.duckdb")


def duckdb_where_it_lies(folder: Path) -> Study:
    duckdb_file(folder)
    return given(folder).model_copy(update={"database": f"duckdb://{folder / 'people.duckdb'}?read_only=true"})


def given(folder: Path) -> Study:
    """A study whose table is in a connection."""
    content = people_at(folder, "x").model_dump(exclude={"tables"})
    return Study.model_validate({**content, "tables": {"participants": {}}}).with_path(folder / "study.yaml")


SOURCES = {
    "CSV": csv_text,
    "CSV offsets": csv_offsets,
    "CSV format": csv_format,
    "Excel text": excel_text,
    "Parquet": parquet("us", "UTC"),
    "Parquet elsewhere": parquet("ms", "Asia/Tokyo"),
    "Parquet ns": parquet("ns", "America/Chicago"),
    "Parquet fixed": parquet("s", "+05:30"),
    "DuckDB file": duckdb_file,
    "DuckDB where it lies": duckdb_where_it_lies,
}


@pytest.mark.parametrize("source", SOURCES)
def test_the_same_days_from_every_source(source: str, tmp_path: Path) -> None:
    with open_data(SOURCES[source](tmp_path)) as data:
        assert referrals(data) == DAYS


@pytest.mark.parametrize("session", ["Asia/Tokyo", "America/Chicago", "UTC"])
@pytest.mark.parametrize("typed", [True, False])
def test_a_given_connection_in_any_zone(session: str, typed: bool, tmp_path: Path) -> None:
    backend = ibis.duckdb.connect()
    days = pa.array(moments(), pa.timestamp("us", "UTC")) if typed else pa.array(list(MOMENTS))
    backend.con.register("participants", people(days))
    backend.con.execute(f"SET TimeZone = '{session}'")
    assert referrals(open_data(given(tmp_path), backend=backend)) == DAYS


OTHERS = {
    "UTC": [text[:10] for text in MOMENTS],
    "Pacific/Kiritimati": [(m + dt.timedelta(hours=14)).date().isoformat() for m in moments()],
    "Asia/Kolkata": [(m + dt.timedelta(hours=5, minutes=30)).date().isoformat() for m in moments()],
}


@pytest.mark.parametrize("place", OTHERS)
@pytest.mark.parametrize("source", ["CSV offsets", "Parquet", "DuckDB file", "DuckDB where it lies"])
def test_a_studys_own_zone(place: str, source: str, tmp_path: Path) -> None:
    study = SOURCES[source](tmp_path).model_copy(update={"time_zone": place})
    with open_data(study) as data:
        assert referrals(data) == OTHERS[place]


@pytest.mark.parametrize("place", ["America/Chicago", "Pacific/Auckland"])
def test_a_time_without_a_zone_is_what_it_says(place: str, tmp_path: Path) -> None:
    written = [dt.datetime(2022, 2, 3, 0, 0), dt.datetime(2022, 2, 3, 23, 59, 59), dt.datetime(2023, 3, 12, 2, 30)]
    want = ["2022-02-03", "2022-02-03", "2023-03-12"]
    pq.write_table(people(pa.array(written, pa.timestamp("us"))), tmp_path / "people.parquet")
    for study in (people_at(tmp_path, "people.parquet"), small(tmp_path, csv([str(day) for day in written]))):
        assert referrals(open_data(study.model_copy(update={"time_zone": place}))) == want


READ_ALL = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
from intake.test_zones import SOURCES
from intake.test_sources import referrals
from evalkit.intake import open_data
found = {}
for name, made in SOURCES.items():
    folder = pathlib.Path(sys.argv[2]) / name
    folder.mkdir()
    found[name] = referrals(open_data(made(folder)))
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    "machine",
    [
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1", "PYTHONTZPATH": "/nowhere"},
        {"TZ": "America/Chicago", "LC_ALL": "es_ES.UTF-8", "PYTHONHASHSEED": "77", "LANG": "tr_TR.UTF-8"},
    ],
)
def test_the_same_days_on_every_machine(machine: dict[str, str], tmp_path: Path) -> None:
    tests = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, **machine}
    command = [sys.executable, "-c", READ_ALL, tests, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert __import__("json").loads(done.stdout) == dict.fromkeys(SOURCES, DAYS)


@pytest.mark.parametrize("machine", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"])
def test_today_is_the_studys(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", machine)
    time.tzset()
    try:
        for place in ("America/Chicago", "Asia/Tokyo"):
            assert abs(today(place) - dt.datetime.now(ZoneInfo(place)).date()) <= dt.timedelta(0)
        assert today("Pacific/Kiritimati") > today("Pacific/Pago_Pago")
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("America/Chigaco", "did you mean 'America/Chicago'?"),
        ("Chicago", "did you mean 'America/Chicago'?"),
        ("america/new york", "did you mean 'America/New_York'?"),
        ("EST", "named as in America/Chicago"),
        ("CST6CDT", "is no time zone"),
        ("Etc/GMT+6", "is no time zone"),
        ("-06:00", "is no time zone"),
        ("../../etc/passwd", "is no time zone"),
        ("", "is no time zone"),
    ],
)
def test_names_of_zones(name: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        known_zone(name)
    root = Path(__file__).resolve().parents[2] / "params" / "study.yaml"
    text = root.read_text(encoding="utf-8").replace("time_zone: America/Chicago", f"time_zone: '{name}'")
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolError) as refused:
        load_study(tmp_path / "study.yaml")
    assert "key 'time_zone': " in str(refused.value) and hint in str(refused.value)


def test_every_zone_can_be_read() -> None:
    assert {known_zone(name) for name in ("America/Chicago", "US/Central", "UTC", "America/Argentina/Salta")}
    assert zone("US/Central").utcoffset(dt.datetime(2022, 7, 1)) == dt.timedelta(hours=-5)


BAD = [
    "2022-02-03T25:00:00Z",
    "2022-02-03T10:61Z",
    "2022-02-03 10:00 +99:00",
    "2022-02-03 10:00 CST",
    "2022-02-03 noon",
    "2022-02-30T10:00:00Z",
]


@pytest.mark.parametrize("text", BAD)
def test_a_time_that_is_none(text: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"referral_date: is not a date .*1 row \(row 3\)"):
        open_data(small(tmp_path, csv(["2022-02-03", text])))
    backend = ibis.duckdb.connect()
    backend.con.register("participants", people(pa.array(["2022-02-03", text])))
    with pytest.raises(DataError, match=r"referral_date: is not a date .*1 row"):
        open_data(given(tmp_path), backend=backend)


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M %Z", "%d/%m/%Y %Z"])
def test_a_zone_by_its_name_is_read_by_the_machines_own(form: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="a zone as %z, not %Z"):
        open_data(small(tmp_path, HEAD, date_format=form))


@pytest.mark.parametrize("source", ["csv", "parquet", "connection"])
def test_days_that_were_handed_over_as_midnight_in_utc_are_found(source: str, tmp_path: Path) -> None:
    midnights = ["2022-02-03T00:00:00Z", "2022-07-10T00:00:00Z"]
    times = pa.array([dt.datetime.fromisoformat(m) for m in midnights], pa.timestamp("us", "UTC"))
    backend = None
    if source == "csv":
        study = small(tmp_path, csv(midnights))
    elif source == "parquet":
        pq.write_table(people(times), tmp_path / "people.parquet")
        study = people_at(tmp_path, "people.parquet")
    else:
        backend, study = ibis.duckdb.connect(), given(tmp_path)
        backend.con.register("participants", people(times))
    for place, found in (("America/Chicago", 1), ("UTC", 0), ("Asia/Tokyo", 0)):
        there = study.model_copy(update={"time_zone": place})
        rules = [f.rule for f in read_all(there, backend).findings]
        assert rules.count("midnight_in_utc") == found
        with open_data(there, backend=backend) as data:
            assert len(referrals(data)) == 2


def test_times_that_no_calendar_has_are_found_alone(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "people.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE participants AS SELECT 'p' || i AS participant_id, 'paip' AS pathway, 'x' AS site, NULL::DATE AS intake_date,"
            " unnest(['2022-02-03 10:00:00+00', 'infinity', '-infinity', '0001-01-01 00:00:00+00'])::TIMESTAMPTZ AS referral_date FROM range(1) t(i)"
        )
    with pytest.raises(DataError, match=r"referral_date: is not a date .*3 rows \(rows 2, 3, 4\)"):
        open_data(people_at(tmp_path, "people.duckdb"))


def test_spark_s_old_kind_of_time_says_nothing_of_its_zone(tmp_path: Path) -> None:
    table = people(pa.array([m.replace(tzinfo=None) for m in moments()], pa.timestamp("ns")))
    pq.write_table(table, tmp_path / "people.parquet", use_deprecated_int96_timestamps=True)
    with pytest.raises(DataError, match="column 'referral_date' holds times of the old kind INT96"):
        open_data(people_at(tmp_path, "people.parquet"))


@pytest.mark.parametrize("blank", [" ", "\t", "\xa0", "\u2009", "\u3000", "\r\n"])
def test_blanks_of_every_kind_around_a_day_are_none_of_it(blank: str, tmp_path: Path) -> None:
    texts = [f"{blank}2022-02-03", f"2022-07-10{blank}", f"{blank}2022-07-10T23:30:00Z{blank}"]
    pq.write_table(people(pa.array(texts)), tmp_path / "people.parquet")
    backend = ibis.duckdb.connect()
    backend.con.register("participants", people(pa.array(texts)))
    for data in (open_data(people_at(tmp_path, "people.parquet")), open_data(given(tmp_path), backend=backend)):
        assert referrals(data) == ["2022-02-03", "2022-07-10", "2022-07-10"]


def test_a_databases_text_is_a_day_where_the_calendar_has_one() -> None:
    texts = [f"{y:04}-{m:02}-{d:02}" for y in (1896, 1899, 1900, 1904, 1999, 2000, 2004, 2023, 2100, 2196, 2199, 2200)
             for m in range(14) for d in range(33)]  # fmt: skip

    def in_calendar(text: str) -> bool:
        try:
            return 1900 <= dt.date.fromisoformat(text).year <= 2199
        except ValueError:
            return False

    backend = ibis.duckdb.connect()
    backend.con.execute("CREATE TABLE t AS SELECT unnest(?::VARCHAR[]) AS x", [texts])
    found, unreadable = _database.day(backend.table("t").x, "America/Chicago", None)
    columns = backend.table("t").mutate(day=found, bad=unreadable)
    rows = columns.to_pandas().set_index("x")
    known = {text for text in texts if in_calendar(text)}
    assert set(rows.index[~rows["bad"]]) == known and len(known) > 3000
    assert {x: str(each)[:10] for x, each in rows["day"].dropna().items()} == {x: x for x in known}
    # Written out again for each use, year, month and day taken apart made a query of megabytes, which never ended.
    used_again = columns.filter(lambda t: ~t.bad & (t.day <= ibis.date(2023, 12, 31)))
    assert len(ibis.to_sql(used_again, dialect="duckdb")) < 60_000
