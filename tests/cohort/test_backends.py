"""The same roll-ups where a state's data lie: frames must be identical, not alike."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import ibis
import pandas as pd
import pyarrow as pa
import pytest

from cohort.spec import ARMS, SHORT, make_study
from cohort.worlds import frames, random_people, world
from evalkit.cohort import Cohort, build
from evalkit.errors import DataError
from evalkit.intake import StudyData, open_data
from evalkit.protocol import Harm, Rules, Study

CUTS = (date(2022, 2, 20), date(2022, 4, 10))
METHODS = (
    "initiation",
    "retention",
    "pathway",
    "harm",
    "harm_recurrent",
    "person_period",
    "sessions",
    "exits",
)
OTHER = Rules.model_validate(
    {
        **SHORT,
        "closures": [{"from": "2022-01-20", "to": "2022-01-29"}, {"from": "2022-01-25", "to": "2022-02-02"}],
        "cancelled_pauses": True,
        "counting_kinds": {"group": "all", "individual": 1},
        "completion": "dose",
    }
)
"""Rules that move days by a number that a query finds, number rows within a person, and leave ways of ending out."""
DATES = {
    "participants": ["referral_date", "intake_date", "outcome_follow_up_end"],
    "sessions": ["session_date"],
    "exits": ["exit_date"],
    "outcomes": ["outcome_date"],
    "searches": ["searched_from", "searched_to"],
}
COURT = {**ARMS, "comparison": {**ARMS["comparison"], "where": {"mandate": ["court", "other_order"]}}}
FROM_INTAKE = Harm.model_validate({"origin": "intake", "death": "censored", "custody": "any_arrest"})
COVARIATES = [
    {"name": "age", "label": "Age"},
    {"name": "gender", "label": "Gender", "kind": "categorical"},
    {"name": "employment", "label": "Employed", "kind": "yes_no"},
]


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    made = frames(world(random_people(11, 120)))
    people = made["participants"]
    people["age"] = [str(20 + n % 41) if n % 7 else "" for n in range(len(people))]
    people["gender"] = ["man", "Woman", "another one", ""] * (len(people) // 4) + ["man"] * (len(people) % 4)
    people["employment"] = ["yes" if n % 2 else "no" for n in range(len(people))]
    people["synthetic"] = "true"
    people["mandate"] = [("court", "other_order", "court", "court", "none", "")[n % 6] for n in range(len(people))]
    made["outcomes"]["source"] = [("police", "court", "self")[n % 3] for n in range(len(made["outcomes"]))]
    made["outcomes"].loc[::2, "kind"] = "any_arrest"
    made["searches"] = searches(people)
    return made


def searches(people: pd.DataFrame) -> pd.DataFrame:
    """Runs that meet, overlap, break, and begin too late, of two sources."""
    dice, rows = random.Random(12), []  # noqa: S311 - dice
    for who, first in people.groupby("participant_id")["referral_date"].min().items():
        for source in ("police", "court"):
            begin = date.fromisoformat(first) + timedelta(days=dice.choice([-3, 0, 0, 0, 1, 1, 2]))
            for _ in range(3):
                end = begin + timedelta(days=dice.choice([0, 20, 40]))
                rows.append([who, source, begin.isoformat(), end.isoformat()])
                begin = end + timedelta(days=dice.choice([-9, 1, 1, 1, 2]))
    return pd.DataFrame(rows, columns=["participant_id", "source", "searched_from", "searched_to"])


@pytest.fixture(scope="module")
def from_files(tables: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> StudyData:
    folder = tmp_path_factory.mktemp("files")
    return open_data(make_study(folder, tables, rules=SHORT, covariates=COVARIATES, arms=COURT))


def in_database(url: str | None, names: dict[str, str], **table: object) -> Study:
    content = {
        "id": "spec",
        "title": "Spec",
        "starts": date(2022, 1, 1),
        "arms": COURT,
        "rules": SHORT,
        "covariates": COVARIATES,
        "database": url,
        "tables": {ours: {"table": theirs, **table} for ours, theirs in names.items()},
    }
    return Study.model_validate(content)


def assert_identical(one: StudyData, other: StudyData, cuts: tuple[date, ...] = CUTS) -> None:
    assert other.synthetic is one.synthetic is True
    assert other.newest_day == one.newest_day
    for episodes, cut in zip(("first", "all"), cuts, strict=False):
        left, right = build(one.at(cut), episodes=episodes), build(other.at(cut), episodes=episodes)
        assert_same_frames(left, right)
    left, right = (build(data.at(CUTS[1]), rules=OTHER, harm=FROM_INTAKE) for data in (one, other))
    assert_same_frames(left, right)
    assert set(left.harm()["event"]) == {0, 1, 2}


def assert_same_frames(left: Cohort, right: Cohort) -> None:
    assert len(left.people) > 50
    pd.testing.assert_frame_equal(left.people, right.people, check_exact=True)
    pd.testing.assert_frame_equal(left.attrition.tidy(), right.attrition.tidy(), check_exact=True)
    for method in METHODS:
        a, b = getattr(left, method)(), getattr(right, method)()
        assert len(a)
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    pd.testing.assert_frame_equal(left.harm(source="police"), right.harm(source="police"), check_exact=True)
    assert len(left.harm(source="police")) > len(left.harm())


def typed(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows with real types, as a database has them."""
    made = frame.copy().astype(object)
    for column in {*DATES[name], "recorded_on", "retracted_on"} & set(frame.columns):
        made[column] = [None if v == "" else date.fromisoformat(v) for v in frame[column]]
    for column in {"hours", "age"} & set(made.columns):
        made[column] = [None if v == "" else float(v) for v in frame[column]]
    if "employment" in made:
        made["employment"] = frame["employment"].eq("yes").astype(object)
        made["gender"] = frame["gender"].where(frame["gender"].ne(""), None)
    return made


TYPES = {"hours": "double precision", "age": "double precision", "employment": "boolean"}


def column_type(name: str, dates: str = "date") -> str:
    if name.endswith(("_date", "_on", "_end", "_from", "_to")):
        return dates
    return TYPES.get(name, "varchar")


def create(frame: pd.DataFrame, table: str, dates: str = "date") -> str:
    columns = ", ".join(f'"{c}" {column_type(c, dates)}' for c in frame.columns)
    return f"CREATE TABLE {table} ({columns})"


def test_parquet_and_duckdb_files(tables: dict[str, pd.DataFrame], from_files: StudyData, tmp_path: Path) -> None:
    made = {}
    with duckdb.connect(str(tmp_path / "study.duckdb")) as connection:
        for name, frame in tables.items():
            rows = typed(frame, name)
            connection.execute(create(rows, name))
            connection.from_df(rows).insert_into(name)
            if name in {"participants", "sessions"}:
                made[name] = {"path": "study.duckdb"}
            else:
                rows.to_parquet(tmp_path / f"{name}.parquet")
                made[name] = {"path": f"{name}.parquet"}
    study = from_files.study.model_copy(update={"tables": in_database(None, dict.fromkeys(tables, "")).tables})
    study = Study.model_validate({**study.model_dump(), "tables": made}).with_path(tmp_path / "study.yaml")
    assert_identical(from_files, open_data(study), CUTS[:1])


def test_duckdb_where_it_lies(tables: dict[str, pd.DataFrame], from_files: StudyData, tmp_path: Path) -> None:
    file = tmp_path / "study.duckdb"
    with duckdb.connect(str(file)) as connection:
        for name, frame in tables.items():
            rows = typed(frame, name)
            connection.execute(create(rows, f"raw_{name}", dates="timestamp"))
            connection.from_df(rows).insert_into(f"raw_{name}")
    names = {name: f"raw_{name}" for name in tables}
    with open_data(in_database(f"duckdb://{file}?read_only=true", names)) as data:
        assert data.inputs[0].source == f"duckdb://{file}"
        assert_identical(from_files, data, CUTS[1:])


def test_a_connection_that_is_given_is_only_read(
    tables: dict[str, pd.DataFrame], from_files: StudyData, tmp_path: Path
) -> None:
    backend = ibis.duckdb.connect()
    for name, frame in tables.items():
        backend.con.register(f"raw_{name}", pa.Table.from_pandas(typed(frame, name)))
    before = backend.con.execute("SHOW TABLES").fetchall()
    data = open_data(in_database(None, {name: f"raw_{name}" for name in tables}), backend=backend)
    left, right = build(from_files.at(CUTS[0])), build(data.at(CUTS[0]))
    pd.testing.assert_frame_equal(left.people, right.people, check_exact=True)
    pd.testing.assert_frame_equal(left.retention(), right.retention(), check_exact=True)
    assert backend.con.execute("SHOW TABLES").fetchall() == before
    data.close()
    assert backend.con.execute("SELECT 1").fetchall() == [(1,)]


# -- Postgres, started here -------------------------------------------------------------------------------


def _program(name: str) -> str | None:
    found = shutil.which(name)
    if found:
        return found
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(newest[-1]) if newest else None


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    initdb, server = _program("initdb"), _program("postgres")
    if not initdb or not server:
        pytest.skip("no Postgres server on this machine")
    pytest.importorskip("psycopg")
    folder = Path(tempfile.mkdtemp(prefix="evalkit-pg-"))
    user = None
    if os.getuid() == 0:  # Postgres refuses to run as root
        user = "postgres"
        shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secret = folder / "secret"
    secret.write_text("s3cr3t-xy")
    secret.chmod(0o644)
    common = {"user": user, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(
        [initdb, "-D", folder / "data", "-U", "ann", "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8"],
        check=True,
        **common,
    )
    options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-k", folder, "-p", str(port)]
    running = subprocess.Popen([server, "-D", folder / "data", *options], **common)
    url = f"postgresql://ann:s3cr3t-xy@127.0.0.1:{port}/postgres"
    try:
        _wait(url, running)
        yield url
    finally:
        running.send_signal(signal.SIGINT)  # a fast shutdown: clients are not waited for
        running.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(url: str, running: subprocess.Popen[bytes]) -> None:
    import time

    import psycopg

    for _ in range(150):
        if running.poll() is not None:
            break
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.2)
        else:
            return
    msg = "Postgres did not start"
    raise RuntimeError(msg)


def fill(url: str, tables: dict[str, pd.DataFrame], schema: str, dates: str = "date") -> None:
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        for name, frame in tables.items():
            days = DATES[name] if dates == "text" else []
            rows = typed(frame.drop(columns=days), name)
            for column in days:
                rows[column] = frame[column]
            connection.execute(create(rows, f"{schema}.{name}", dates if dates != "text" else "date"))
            if dates == "text":
                for column in DATES[name]:
                    connection.execute(f"ALTER TABLE {schema}.{name} ALTER COLUMN {column} TYPE text")
            columns = ", ".join(f'"{c}"' for c in rows.columns)
            with connection.cursor().copy(f"COPY {schema}.{name} ({columns}) FROM STDIN") as copy:
                for row in rows.itertuples(index=False):
                    copy.write_row(row)


@pytest.mark.postgres
@pytest.mark.parametrize("dates", ["date", "timestamp", "text"])
def test_postgres(
    dates: str,
    postgres: str,
    tables: dict[str, pd.DataFrame],
    from_files: StudyData,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(postgres, tables, f"raw_{dates}", dates)
    monkeypatch.setenv("STUDY_SECRET", "s3cr3t-xy")
    url = postgres.replace("s3cr3t-xy", "${STUDY_SECRET}")
    with open_data(in_database(url, {name: f"raw_{dates}.{name}" for name in tables})) as data:
        assert data.inputs[0].source == postgres.replace("ann:s3cr3t-xy@", "")
        assert data.inputs[1].n_rows == len(tables["sessions"])
        assert_identical(from_files, data)
        ours = {(f.table, f.column, f.rule, f.n_rows) for f in data.validate()}
    assert ours == {(f.table, f.column, f.rule, f.n_rows) for f in from_files.validate()}


@pytest.mark.postgres
def test_postgres_refused(postgres: str, tables: dict[str, pd.DataFrame]) -> None:
    spoiled = {name: frame.copy() for name, frame in tables.items()}
    spoiled["sessions"].loc[[3, 4], "session_date"] = "yesterday-ish"
    spoiled["exits"].loc[0, "exit_date"] = "2022-02-30"
    fill(postgres, spoiled, "spoiled", "text")
    names = {name: f"spoiled.{name}" for name in tables}
    with pytest.raises(DataError) as refused:
        open_data(in_database(postgres, names))
    assert "sessions.session_date: is not a date [unreadable_date]: 2 rows" in str(refused.value)
    assert "exits.exit_date: is not a date [unreadable_date]: 1 row" in str(refused.value)
    with pytest.raises(DataError, match="no table 'particpants'; did you mean 'participants'"):
        open_data(in_database(postgres, {**names, "participants": "spoiled.particpants"}))
    with pytest.raises(DataError) as refused:
        open_data(in_database(postgres.replace("s3cr3t-xy", "wr0ng-xy"), names))
    assert refused.value.__cause__ is refused.value.__context__ is None
    for said in ("s3cr3t", "wr0ng", "ann:", "ann@", "yesterday", "2022-02-30"):
        assert said not in str(refused.value)


# Moments with a zone, typed and as text, and their days in Chicago and in Kolkata.
MOMENTS = [
    ("2022-02-04 01:00:00+00", "2022-02-03", "2022-02-04"),
    ("2022-02-03T00:00:00Z", "2022-02-02", "2022-02-03"),
    ("2022-07-04T23:30:00-05:00", "2022-07-04", "2022-07-05"),
    ("2022-11-06 18:31 UTC", "2022-11-06", "2022-11-07"),
    ("2022-02-03 08:15:00.1234567 +0530", "2022-02-02", "2022-02-03"),
]
PLACES = {"America/Chicago": 1, "Asia/Kolkata": 2}


def zoned_study(url: str | None, table: str, place: str) -> Study:
    study = in_database(url, {"participants": table})
    return study.model_copy(update={"time_zone": place, "covariates": []})


def zoned_days(data: StudyData) -> tuple[list[str], list[str]]:
    people = data.frame("participants").sort_values("participant_id")
    return tuple([f"{day:%Y-%m-%d}" for day in people[name]] for name in ("referral_date", "intake_date"))


@pytest.mark.postgres
@pytest.mark.parametrize("session", ["Asia/Tokyo", "America/Chicago"])
def test_postgres_times_with_a_zone(session: str, postgres: str, tmp_path: Path) -> None:
    import psycopg

    schema = f"zoned_{session.partition('/')[2].lower()}"
    with psycopg.connect(postgres) as connection:
        connection.execute(f"ALTER ROLE ann SET timezone = '{session}'")
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(
            f"CREATE TABLE {schema}.people (participant_id text, pathway text, referral_date timestamptz, intake_date text)"
        )
        for n, (text, *_) in enumerate(MOMENTS):
            row = "VALUES (%s, 'paip', %s, %s)"
            connection.execute(f"INSERT INTO {schema}.people {row}", (f"p{n}", text, text))
        connection.commit()
    for place, column in PLACES.items():
        with open_data(zoned_study(postgres, f"{schema}.people", place)) as data:
            want = [moment[column] for moment in MOMENTS]
            assert zoned_days(data) == (want, want)
    backend = ibis.postgres.from_connection(psycopg.connect(postgres))
    backend.con.execute(f"SET TIME ZONE '{session}'")
    want = [moment[1] for moment in MOMENTS]
    study = zoned_study(None, f"{schema}.people", "America/Chicago")
    assert zoned_days(open_data(study, backend=backend)) == (want, want)
    backend.disconnect()


# -- Spark ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory):
    pytest.importorskip("pyspark")
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("spark")))
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_spark(spark, tables: dict[str, pd.DataFrame], from_files: StudyData, tmp_path: Path) -> None:
    backend = ibis.pyspark.connect(spark)
    for name, frame in tables.items():
        file = tmp_path / f"{name}.parquet"
        typed(frame, name).to_parquet(file)
        spark.read.parquet(str(file)).createOrReplaceTempView(f"raw_{name}")
    study = in_database(None, {name: f"raw_{name}" for name in tables})
    assert_identical(from_files, open_data(study, backend=backend))


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("session", ["Asia/Tokyo", "America/Chicago"])
def test_spark_times_with_a_zone(session: str, spark, tmp_path: Path) -> None:
    backend = ibis.pyspark.connect(spark)
    texts = [moment[0] for moment in MOMENTS]
    moments = [datetime.fromisoformat(re.sub(r" ?UTC", "Z", text).replace(" +", "+")) for text in texts]
    rows = [(f"p{n}", "paip", moments[n], texts[n]) for n in range(len(texts))]
    made = spark.createDataFrame(rows, ["participant_id", "pathway", "referral_date", "intake_date"])
    made.write.parquet(str(tmp_path / "zoned"))
    spark.read.parquet(str(tmp_path / "zoned")).createOrReplaceTempView("zoned")
    spark.conf.set("spark.sql.session.timeZone", session)
    for place, column in PLACES.items():
        want = [moment[column] for moment in MOMENTS]
        assert zoned_days(open_data(zoned_study(None, "zoned", place), backend=backend)) == (want, want)
