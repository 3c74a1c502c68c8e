"""Parts of the way in by themselves: what the dictionary says of each, addresses and what opens them, digests, bare identifiers."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pytest

from evalkit.errors import AnalysisError, DataError, UsageError
from evalkit.intake import Gate, dictionary, fetch, known_digests, table_digests
from evalkit.intake import _open as digest_module
from evalkit.intake._data import _CUT, _sql
from evalkit.intake._database import redacted, secrets_of
from evalkit.intake._dictionary import _arms, _column, _fields, _source, _values
from evalkit.intake._findings import Finding
from evalkit.intake._open import read_all
from evalkit.intake._rules import _bare, _other_spellings
from evalkit.intake._spec import ColumnSpec, table_spec
from evalkit.intake._table_rules import rules_of
from evalkit.intake._validate import _with_spellings
from evalkit.markup import markdown
from evalkit.protocol import Study, Table
from intake.corrupted import TODAY, good, put, study_of


def column(**more: object) -> ColumnSpec:
    return ColumnSpec(**({"name": "c", "kind": "text", "meaning": "what it is"} | more))


# -- the dictionary ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("spec", "mapped", "ignored", "words"),
    [
        ({}, {}, [], ""), ({"allowed": ("a", "b")}, {}, [], "`a`, `b`"), ({"minimum": 0.5}, {}, [], "0.5 or more"),
        ({"maximum": 24}, {}, [], "24 or less"), ({"minimum": 0, "maximum": 24.5}, {}, [], "0 to 24.5"),
        ({}, {"c": {"X": "x", "Y": "y"}, "d": {"Z": "z"}}, [], "read as: `X` is `x`, `Y` is `y`"), ({}, {}, ["q", "r"], "kept out: `q`, `r`"),
        ({"allowed": ("a",), "minimum": 1}, {"c": {"X": "a"}}, ["q"], "`a`; 1 or more; read as: `X` is `a`; kept out: `q`"),
    ],
)  # fmt: skip
def test_what_values_a_column_may_hold(spec: dict, mapped: dict, ignored: list[str], words: str) -> None:
    assert markdown(_values(column(**spec), Table(path="x.csv", values=mapped), ignored)) == words


@pytest.mark.parametrize(
    ("spec", "cells"),
    [
        ({"kind": "number", "unit": "hours", "required": False}, ("`c`", "`theirs`", "number (hours)", "no", "", "what it is")),
        ({"kind": "yes_no"}, ("`c`", "`theirs`", "yes or no", "column", "", "what it is")),
        ({"kind": "date", "filled": True}, ("`c`", "`theirs`", "date", "every row", "", "what it is")),
        ({"kind": "identifier", "filled": True}, ("`c`", "`theirs`", "identifier", "every row", "", "what it is")),
        ({"name": "d"}, ("`d`", "`d`", "text", "column", "", "what it is")),
    ],
)  # fmt: skip
def test_a_line_of_a_column(spec: dict, cells: tuple[str, ...]) -> None:
    assert tuple(map(markdown, _column(column(**spec), Table(path="x.csv", columns={"c": "theirs"}), []))) == cells


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"path": "a.csv"}, "file `a.csv`"), ({}, "table `exits` of the study\u2019s database"), ({"table": "t"}, "table `t` of the study\u2019s database"),
        ({"path": "a.xlsx", "table": "s", "date_format": "%d/%m/%Y", "encoding": "latin-1"}, "file `a.xlsx`, table or sheet `s`, dates as `%d/%m/%Y`, encoding latin-1"),
        ({"path": "a.csv", "date_formats": {"x": "%Y", "y": "%d"}}, "file `a.csv`, `x` as `%Y`, `y` as `%d`"),
    ],
)  # fmt: skip
def test_where_a_table_comes_from(raw: dict, words: str) -> None:
    found = markdown(_source("exits", Table(**raw))).replace("\\'", "\u2019").replace("'", "\u2019")
    assert found == words


def test_the_dictionary_is_in_order_and_says_the_arms(tmp_path: Path) -> None:
    study = study_of(tmp_path, good())
    text = dictionary(study)
    heads = re.findall(r"^#+ .*$", text, re.M)
    assert heads == [
        f"# Data dictionary of {study.title}", "## participants", "## sessions", "## exits", "## outcomes", "## measures", "## searches", "## Rules", "## Harm",
    ]  # fmt: skip
    assert text.endswith("|\n") and not text.endswith("\n\n")
    focus, other = study.arms.focus, study.arms.comparison
    assert markdown(_arms(study)) == (
        f"The study starts on January 1, 2022. Column `{study.arms.column}` of `participants` says the arm.\n\n"
        "| value | name in reports | role |\n| --- | --- | --- |\n"
        f"| `{focus.value}` | {focus.label} | the group the study is about |\n"
        f"| `{other.value}` | {other.label} | the group it is compared with |"
    )
    for head in ("| column | in the raw table | type | must be there | values | meaning |", "| rule | value | meaning |", "| field | value | meaning |"):  # fmt: skip
        assert head in text
    least = Study.model_validate(
        {"id": "x", "title": "X", "starts": "2022-01-01", "tables": {"participants": {"path": "p.csv"}}, "arms": study.arms.model_dump()}
    )  # fmt: skip
    assert dictionary(least).count("This table is not part of this study.") == 5


def test_every_number_of_the_rules_stands_under_its_name(tmp_path: Path) -> None:
    study = study_of(tmp_path, good())
    rows = {markdown(name): (value, meaning) for name, value, meaning in _fields(study.rules, "")}
    assert rows["`engaged.days`"][0] == "60" and rows["`counting_kinds`"][0] == "group: all, individual: 4"
    assert rows["`dose_hours`"] == (
        "36.0" if isinstance(study.rules.dose_hours, float) else "36",
        "Hours of a full dose.",
    )
    assert rows["`exits`"][0].startswith("completed: completion, dropped_out: disengagement, terminated: disengagement")
    assert "`engaged`" not in rows and "`funnel.half_dose_days`" in rows
    harm = {markdown(name): value for name, value, _ in _fields(study.harm, "")}
    assert "`sources`" not in harm or study.harm.sources is not None
    assert "`model_arm`" not in harm and harm["`horizons`"] == "182, 365" and harm["`recurrent`"] == "True"


# -- addresses ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://host/db", "postgresql://host/db"), ("postgresql://ann:pw@host/db?x=1", "postgresql://host/db"),
        ("mssql://ann@host/db;pwd=1", "mssql://host/db"), ("mssql://host/db#f", "mssql://host/db"), ("pg://a:p@w@host/db", "pg://..."),
        ("pg://a:p#w@host/db", "pg://..."), ("pg://a:p?w@host", "pg://..."), ("pg://a:p;w@host", "pg://..."), ("nothing", "(no address of the form engine://host/name)"),
        ("p g://host", "(no address of the form engine://host/name)"), ("pg://", "(no address of the form engine://host/name)"),
    ],
)  # fmt: skip
def test_an_address_without_what_opens_it(url: str, shown: str) -> None:
    assert redacted(url) == shown


def test_what_must_never_be_shown_of_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EK_PW", "s%20cret")
    monkeypatch.setenv("EK_DB", "vault")
    monkeypatch.delenv("EK_NONE", raising=False)
    url = "postgresql://ann:${EK_PW}@host/db?sslkey=K1&Token=T%2B2;x=1${EK_NONE}"
    found = secrets_of(SimpleNamespace(database=url))
    whole = "postgresql://ann:s%20cret@host/db?sslkey=K1&Token=T%2B2;x=1"
    assert found == {
        whole, "postgresql://ann:s cret@host/db?sslkey=K1&Token=T+2;x=1", "ann:s%20cret", "ann:s cret", "s%20cret", "s cret", "K1", "T%2B2", "T+2",
    }  # fmt: skip
    assert secrets_of(SimpleNamespace(database="duckdb://${EK_DB}")) == {"duckdb://vault", "vault"}
    assert secrets_of(SimpleNamespace(database=None)) == frozenset()
    assert secrets_of(SimpleNamespace(database="duckdb://x.db")) == {"duckdb://x.db"}


# -- digests -----------------------------------------------------------------------------------------------------------
def test_a_files_digest_is_of_its_bytes_and_a_lost_file_is_named(tmp_path: Path) -> None:
    study = study_of(tmp_path, good())
    found = table_digests(study)
    assert list(found) == ["participants", "sessions", "exits", "outcomes", "measures"]
    for name, value in found.items():
        assert value == hashlib.sha256((tmp_path / f"{name}.csv").read_bytes()).hexdigest()
    (tmp_path / "exits.csv").unlink()
    with pytest.raises(DataError) as caught:
        table_digests(study)
    assert str(caught.value) == "exits: file exits.csv cannot be read (No such file or directory)"


def test_rows_of_a_database_have_one_digest_in_any_order() -> None:
    one = ibis.memtable(pd.DataFrame({"b": [1, 2, 2], "a": ["x", "y", "y"]}))
    other = ibis.memtable(pd.DataFrame({"a": ["y", "x", "y"], "b": [2, 1, 2]}))
    rows = [("x", 1), ("y", 2), ("y", 2)]
    total = sum(int.from_bytes(hashlib.sha256(repr(row).encode()).digest(), "big") for row in rows)
    wanted = hashlib.sha256(f"{['a', 'b']}|{total:x}".encode()).hexdigest()
    assert digest_module._of_rows(one, "t") == digest_module._of_rows(other, "t") == wanted
    fewer = ibis.memtable(pd.DataFrame({"b": [1, 2], "a": ["x", "y"]}))
    assert digest_module._of_rows(fewer, "t") != wanted


def test_digests_of_what_was_known_say_whether_it_is_made_up(tmp_path: Path) -> None:
    plain = known_digests(study_of(tmp_path, good()), TODAY)
    assert plain["synthetic"] == hashlib.sha256(b"False").hexdigest()
    assert set(plain) == {"participants", "sessions", "exits", "outcomes", "measures", "synthetic"}


# -- identifiers -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("P007", "P7"), ("007", "7"), ("P-0070", "P-70"), ("7.0", "7"), ("7,00", "7"), ("7.50", "7.50"), ("P7.0", "P7.0"), ("0", "0"), ("00", "0"), ("P0", "P0"),
        (" P 7 ", "P7"), ("\uff10\uff17", "7"), ("P\u200b7", "P7"), ("\u00a0P7", "P7"), ("p7", "p7"), ("P007.0", "P7.0"), ("é7", "é7"),
    ],
)  # fmt: skip
def test_an_identifier_without_what_exports_add(text: str, bare: str) -> None:
    assert _bare(text) == bare


def test_rows_of_another_spelling_than_the_first() -> None:
    ids = pd.Series(["a", "A", "b", None, "a", "A"])
    alike = pd.DataFrame({"small": ["a", "a", "b", None, "a", "a"], "day": [1, 1, 1, 1, 1, 2]})
    assert _other_spellings(ids, alike[["small"]]).tolist() == [False, True, False, False, False, True]
    assert _other_spellings(ids, alike).tolist() == [False, True, False, False, False, False]


def test_how_many_are_there_in_another_spelling() -> None:
    rows = pd.DataFrame({"participant_id": ["17", "17.0", "18"]})
    found = Finding("sessions", "participant_id", "unknown_participant", "error", 3, (1, 2, 3), "is unknown")
    people = pd.DataFrame({"participant_id": ["0017", "20"]})
    more = "; 2 of them are there in another spelling (zeros before or after it, letter case)"
    assert _with_spellings(found, rows, people).text == f"is unknown{more}"
    one = "; 1 of them is there in another spelling (zeros before or after it, letter case)"
    assert _with_spellings(found, rows[1:], people).text == f"is unknown{one}"
    assert _with_spellings(found, rows[2:], people) is found


# -- rules -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("table", ["participants", "sessions", "exits", "outcomes", "measures", "searches"])
def test_a_rule_says_of_which_column_it_is_how_grave_and_why(table: str, tmp_path: Path) -> None:
    study = study_of(tmp_path, good())
    spec = table_spec(study, table)
    for rule in rules_of(study, spec, TODAY):
        assert rule.column in {"", *spec.names}, rule.name
        assert rule.name.isidentifier()
        assert rule.severity in {"error", "warning"}, rule.name
        assert rule.text.partition(" ")[0] in {"is", "looks", "differs", "repeats"}, rule.text


# -- the gate ----------------------------------------------------------------------------------------------------------
def test_a_period_may_end_on_the_studys_first_day_and_not_before(tmp_path: Path) -> None:
    study = study_of(tmp_path, good())
    gate = Gate(read_all(study), today=TODAY)
    first = study.starts
    assert [p.last for p in gate.periods([f"2021-06-01..{first}"])] == [first]
    early = date.fromordinal(first.toordinal() - 1)
    with pytest.raises(UsageError) as caught:
        gate.periods([f"2021-06-01..{early}"])
    assert str(caught.value) == f"period 2021-06-01..{early} ends before the study starts ({first})"


def test_a_column_that_was_read_with_a_warning_is_held_to_its_rules_too(tmp_path: Path) -> None:
    tables = good()
    put("sessions", "status", " attended", 1)(tables)
    put("sessions", "status", "Present", 2, 3)(tables)
    found = {
        (f.column, f.rule, f.severity): f.n_rows
        for f in Gate(read_all(study_of(tmp_path, tables)), today=TODAY).findings
    }
    assert found["status", "not_allowed", "error"] == 2
    assert any(severity == "warning" for column, _, severity in found if column == "status")


def test_a_table_that_cannot_be_read_is_no_matter_of_rows(tmp_path: Path) -> None:
    study = study_of(tmp_path, good())
    (tmp_path / "exits.csv").write_bytes(b"")
    found = [f for f in read_all(study).findings if f.table == "exits"]
    assert [(f.column, f.severity, f.n_rows, f.rows) for f in found] == [("", "error", 0, ())]


# -- rows of an engine -------------------------------------------------------------------------------------------------
def test_rows_have_the_same_types_from_every_engine() -> None:
    table = ibis.memtable(
        pd.DataFrame({"d": ["2022-01-02", None], "n": ["1.50", None], "t": ["a", None], "f": [1.5, np.nan], "i": [1, 2]})
    )  # fmt: skip
    found = fetch(table.mutate(d=table.d.cast("date"), n=table.n.cast("decimal(9,2)")), ["d"], "x")
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "d": "datetime64[ns]",
        "n": "float64",
        "t": "object",
        "f": "float64",
        "i": "int64",
    }
    assert (
        found["t"].tolist() == ["a", None]
        and found["d"].tolist()[0] == pd.Timestamp(2022, 1, 2)
        and pd.isna(found["d"][1])
    )
    with pytest.raises(AnalysisError) as caught:
        fetch(table.filter(table.d.cast("date") <= ibis.literal(_CUT)), [], "harm")
    assert (
        str(caught.value) == "harm: an expression over a cut must be given to CutData.kept before its rows are fetched"
    )
    assert _sql(date(2022, 3, 9)) == "MAKE_DATE(2022, 3, 9)"


@pytest.mark.parametrize("rows", ["'full'", "'full', 'some'", "'some'", "'none'"])
def test_a_kept_tables_rows_are_what_ibis_makes_of_them(rows: str) -> None:
    engine = ibis.duckdb.connect()
    kinds = {
        "d": ("DATE", "'2022-01-31'"), "i": ("BIGINT", "7"), "j": ("INTEGER", "7"), "h": ("HUGEINT", "7"), "f": ("DOUBLE", "0.5"),
        "n": ("DECIMAL(9, 2)", "1.25"), "t": ("VARCHAR", "'a'"), "b": ("BOOLEAN", "true"), "s": ("TIMESTAMP(6)", "'2022-01-31'"),
    }  # fmt: skip
    full = ", ".join(f"{value}::{kind} AS {name}" for name, (kind, value) in kinds.items())
    gaps = ", ".join(f"NULL::{kind}" for kind, _ in kinds.values())
    both = f"SELECT 'full' AS x, {full} UNION ALL SELECT 'some', {gaps}"
    for name in ("kept_1", "other"):
        engine.con.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM ({both}) WHERE x IN ({rows})")  # noqa: S608
    for dates in (["d", "s"], ["s"]):
        pd.testing.assert_frame_equal(
            fetch(engine.table("kept_1"), dates, "x"), fetch(engine.table("other"), dates, "x")
        )
