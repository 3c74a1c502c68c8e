"""YAML as people write it: understood as it looks, or one line with file, line, key and how to mend it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from evalkit.cells import options_of
from evalkit.errors import ProtocolError, PublicationError
from evalkit.protocol import load_baselines, load_disclosure, load_report, load_study, parse_yaml
from evalkit.publish.rendering._notebook import validated

STUDY = """\
id: small
title: Small
starts: 2021-11-18
baselines: null
arms:
  column: pathway
  focus: {value: a, label: A}
  comparison: {value: b, label: B}
covariates:
  - {name: employment, label: Employed, kind: categorical, levels: [Yes, No]}
tables:
  participants:
    path: p.csv
    values:
      employment: {1: Yes, 02: No, On: Yes, off: No, null: No, true: Yes, 2021-01-01: No}
rules:
  dose_sessions: 24
  dose_hours: 36
"""


def written(folder: Path, old: str = "", new: str = "", text: str = STUDY) -> Path:
    assert old in text
    (folder / "study.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return folder / "study.yaml"


def test_words_are_words_and_keys_are_text(tmp_path: Path) -> None:
    study = load_study(written(tmp_path))
    assert study.covariates[0].levels == ["Yes", "No"]
    mapped = study.tables["participants"].values["employment"]
    assert mapped == {"1": "Yes", "02": "No", "On": "Yes", "off": "No", "null": "No", "true": "Yes", "2021-01-01": "No"}
    assert study.starts.isoformat() == "2021-11-18"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20", 20), ("-7", -7), ("+5", 5), ("0", 0), ("1_000", 1000), ("12_345_678", 12345678),
        ("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-2.5E-1", -0.25),
        ("true", True), ("False", False), ("~", None), ("null", None), ("", None),
        ("NO", "NO"), ("on", "on"), ("y", "y"), ("Off", "Off"), ("None", "None"), ("NA", "NA"), ("1,000", "1,000"),
        ("2021-11-18", "2021-11-18"), ("2021-11-18 10:00", "2021-11-18 10:00"), ("1.2.3", "1.2.3"), ("007-x", "007-x"),
        ("'020'", "020"), ('"36:00"', "36:00"), ("!!str 020", "020"), (".inf", ".inf"), ("=", "="),
    ],
)  # fmt: skip
def test_plain_values(text: str, value: object) -> None:
    found = parse_yaml(text, "-P x")
    assert found == value and type(found) is type(value)


TWO_WAYS = [
    "020",
    "0365",
    "-012",
    "36:00",
    "1:30:15",
    "12:30.5",
    "0x1F",
    "0o17",
    "0b11",
    "10_00",
    "1__0",
    "00.5",
    "+07",
    "08",
]


@pytest.mark.parametrize("number", TWO_WAYS)
def test_a_number_that_is_read_in_two_ways_is_refused(number: str, tmp_path: Path) -> None:
    file = written(tmp_path, "dose_sessions: 24", f"dose_sessions: {number}")
    with pytest.raises(ProtocolError) as refused:
        load_study(file)
    said = str(refused.value)
    assert said.startswith(f"{file}, line 17: key 'rules.dose_sessions': ")
    assert "quotes" in said and "\n" not in said
    with pytest.raises(ProtocolError, match=r"^-P horizon_days: a number written like this"):
        validated({"horizon_days": (int, 1)}, {}, {"horizon_days": number}, "tiny.yaml")
    with pytest.raises(PublicationError, match=r"^cell 3: .*'fig-cap': a number written like this"):
        options_of(f"#| fig-cap: {number}\nx = 1", 3)


@pytest.mark.parametrize("where", ["d.yaml", "b.yaml", "tiny.yaml"])
def test_every_file_is_read_in_the_same_way(where: str, tmp_path: Path) -> None:
    study = load_study(written(tmp_path, "baselines: null", "baselines: b.yaml\ndisclosure: d.yaml"))
    (tmp_path / "d.yaml").write_text("\nminimum_count: 013\n")
    (tmp_path / "b.yaml").write_text("\nbaselines: [{id: a, n: 013}]\n")
    (tmp_path / "tiny.yaml").write_text("report: tiny\nparameters: {days: 013}\n")
    read = {"d.yaml": lambda: load_disclosure(study), "b.yaml": lambda: load_baselines(study)}
    with pytest.raises(ProtocolError, match=rf"{where}, line 2: key '[\w.]+': a number written like this"):
        read.get(where, lambda: load_report(tmp_path / where))()


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("levels: [Yes, No]", "levels: [1, 2]", 10, ["'covariates.0.levels.0'", "string", "put it in quotes"]),
        ("levels: [Yes, No]", "levels: [a, null]", 10, ["'covariates.0.levels.1'", "put it in quotes"]),
        ("levels: [Yes, No]", "levels: [true, ~]", 10, ["'covariates.0.levels.0'", "put it in quotes"]),
        ("02: No", "02: 0", 15, ["'tables.participants.values.employment.02'", "put it in quotes"]),
        ("dose_hours: 36", "dose_hours: .inf", 18, ["'rules.dose_hours'", "number"]),
        ("dose_hours: 36", "dose_hours: nan", 18, ["'rules.dose_hours'", "finite"]),
        ("dose_hours: 36", "dose_hours: thirty", 18, ["'rules.dose_hours'", "number"]),
        ("dose_hours: 36", "dose_hous: 36", 18, ["unknown key 'rules.dose_hous'", "'dose_hours'?"]),
        ("label: A}", "lable: A}", 7, ["key 'arms.focus.label' is missing", "'label'?"]),
        ("id: small", "id: small\n20: x", 2, ["unknown key '20'"]),
    ],
)  # fmt: skip
def test_messages_say_line_key_and_how_to_mend(old: str, new: str, line: int, words: list[str], tmp_path: Path) -> None:
    file = written(tmp_path, old, new)
    with pytest.raises(ProtocolError) as refused:
        load_study(file)
    for word in [str(file), f"(line {line})", *words]:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "!!int 020",
        "!!bool yes",
        "!!timestamp 2021-01-01",
        "!!set {a}",
        "%YAML 1.1\n---\n020",
        "a: 2022-02-30",
        "1: a\n'1': b",
    ],
)
def test_what_asks_for_another_yaml_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse_yaml(text, "x")


def test_nothing_is_read_in_another_way() -> None:
    source = Path(__file__).resolve().parents[2] / "src" / "evalkit"
    reads = re.compile(r"yaml\.(safe_load|load|full_load|SafeLoader)|date\.today\(\)|datetime\.now\(\)")
    found = {file.name for file in source.rglob("*.py") if reads.search(file.read_text(encoding="utf-8"))}
    assert found == {"_yaml.py"}


def test_what_we_write_ourselves_comes_back(tmp_path: Path) -> None:
    """What PyYAML writes quotes everything that either version reads as something else."""
    words = ["020", "36:00", "yes", "No", "null", "~", "2021-11-18", "1_000", "0x1F", "NA"]
    assert parse_yaml(yaml.safe_dump(words), "x") == words


@pytest.mark.parametrize("raw", ["yes", "No", "on", "1"])
def test_a_switch_of_the_command_line_is_true_or_false(raw: str) -> None:
    with pytest.raises(ProtocolError, match=r"^-P quick: .*write true or false"):
        validated({"quick": (bool, True)}, {}, {"quick": raw}, "tiny.yaml")
    assert validated({"quick": (bool, True)}, {}, {"quick": "false"}, "tiny.yaml") == {"quick": False}


@pytest.mark.parametrize("word", ["no", "Off", "N"])
def test_a_switch_of_a_cell_is_true_or_false(word: str) -> None:
    """YAML 1.1 read ``include: no`` as false: a cell that was to be hidden must not be shown."""
    with pytest.raises(PublicationError, match="include' is neither true nor false"):
        options_of(f"#| include: {word}\nx = 1", 2)


def test_days_of_the_command_line_are_text() -> None:
    schema = {"since": (str, ""), "days": (list[str], []), "where": (str | None, None)}
    given = {"since": "2021-11-18", "days": "[2021-11-18, no]", "where": "NO"}
    assert validated(schema, {}, given, "x") == {"since": "2021-11-18", "days": ["2021-11-18", "no"], "where": "NO"}


@pytest.mark.parametrize("plain", ["yes", "020x", "On", "12:30pm", "1_00x"])
def test_a_line_that_asks_for_yaml_1_1_changes_nothing(plain: str) -> None:
    for version in ("1.1", "1.2"):
        assert parse_yaml(f"%YAML {version}\n---\na: {plain}", "x") == {"a": plain}


@pytest.mark.parametrize("switch", ["true", "False", "TRUE"])
@pytest.mark.parametrize(
    ("old", "key"),
    [("dose_hours: 36", "dose_hours"), ("dose_sessions: 24", "dose_sessions"), ("starts: 2021-11-18", "starts"),
     ("path: p.csv", "skip_rows")],
)  # fmt: skip
def test_true_is_no_number_and_no_day(old: str, key: str, switch: str, tmp_path: Path) -> None:
    new = f"{old}\n    skip_rows: {switch}" if key == "skip_rows" else f"{key}: {switch}"
    with pytest.raises(
        ProtocolError, match=rf"{key}': (is true or false, and must be a number|must be a date written)"
    ):
        load_study(written(tmp_path, old, new))


@pytest.mark.parametrize(
    "day", ["0", "86400", "1637193600", '"1637193600"', "20211118", "2021-1-8", "2021-11-18T00:00:00", "null"]
)
def test_a_day_is_written_in_one_way(day: str, tmp_path: Path) -> None:
    """Numbers were read as seconds since 1970."""
    with pytest.raises(ProtocolError, match=r"key 'starts': must be a date written as 2021-11-18 \(line 3\)"):
        load_study(written(tmp_path, "starts: 2021-11-18", f"starts: {day}"))


@pytest.mark.parametrize(
    ("value", "words"),
    [("2021-02-29", "no calendar has this day"), ("2021-13-01", "no calendar has this day"), ("2021-11-31", "no calendar"),
     ("1e400", "a number that is too large"), ("-9e999", "a number that is too large"), ("9" * 5000, "a number that is too large")],
)  # fmt: skip
def test_a_value_that_is_none_is_said_with_its_line(value: str, words: str, tmp_path: Path) -> None:
    file = written(tmp_path, "dose_hours: 36", f"dose_hours: {value}")
    with pytest.raises(ProtocolError, match=rf"^{re.escape(str(file))}, line 18: .*{words}"):
        load_study(file)
    with pytest.raises(ProtocolError, match=rf"^-P share, line 1: .*{words}"):
        validated({"share": (float, 0.5)}, {}, {"share": value}, "tiny.yaml")
