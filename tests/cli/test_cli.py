"""The command line: what it loads, what it says, and with which exit code."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit import errors
from publish.standin import command, environment, living, write_world


def evalkit(*arguments: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COLUMNS": "200", **more}
    return subprocess.run(
        [sys.executable, "-m", "evalkit", *arguments], env=env, cwd=cwd, capture_output=True, text=True, check=False
    )


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['evalkit', '--help']\nfrom evalkit.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'pandas', 'numpy', 'matplotlib', 'ibis', 'duckdb', 'scipy', 'papermill'} & set(sys.modules)\n"
        "sys.exit(f'loaded {sorted(heavy)}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("render", "simulate", "validate", "example", "schema", "dictionary", "doctor"):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["rendr"], 2, "Did you mean"),
        (["render"], 2, "Missing argument"),
        (["render", "quarterly", "--publsher", "x"], 2, "--publisher"),
        (["render", "quarterly", "--study", "nowhere.yaml"], 3, "nowhere.yaml: cannot be read"),
        (["example", "rosi", "--out", "x"], 2, "did you mean 'rossi'?"),
        (["simulate", "--scenario", "benfit", "--out", "x"], 2, "benefit"),
        (["validate", "nowhere.yaml"], 3, "cannot be read"),
        (["validate", "/dev/zero"], 3, "/dev/zero: is no file"),
        (["simulate", "--out", "/proc/nowhere"], 10, "/proc/nowhere"),
        (["example", "rossi", "--out", "/dev/null"], 10, "/dev/null: cannot be used"),
    ],
)
def test_mistakes_are_one_line_with_an_exit_code(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    done = evalkit(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith("evalkit: ")
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--period", "2000Q5"], 2, "neither a quarter like 2022Q3"),
        (["--period", "1999Q4"], 2, "ends before the study starts"),
        (["--period", "2000-12-31..2000-01-01"], 2, "neither a quarter"),
        (["--to", "docx"], 3, "publication.to"),
        (["--publisher", "quatro"], 3, "did you mean 'quarto'?"),
        (["--period", "2000Q4", "--period", "2000Q4"], 2, "asked for twice"),
    ],
)
def test_render_options_are_checked_before_any_work(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    write_world(tmp_path)
    done = subprocess.run(
        command(tmp_path, *arguments),
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "cell 1" not in done.stderr
    assert not (tmp_path / "reports").exists()


def test_a_report_that_is_not_there_is_named(tmp_path: Path) -> None:
    study = write_world(tmp_path)
    done = evalkit("render", "monthly", "--study", str(study), cwd=tmp_path)
    assert done.returncode == 2
    assert "there is no report 'monthly'" in done.stderr


def test_progress_on_a_terminal_is_a_bar(tmp_path: Path) -> None:
    write_world(tmp_path)
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        command(tmp_path, "--to", "html"),
        env=environment(tmp_path, TERM="xterm"),
        stderr=theirs,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
    )
    os.close(theirs)
    seen = b""
    while True:
        ready, _, _ = select.select([ours], [], [], 120)
        assert ready, "nothing was said for two minutes"
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    assert child.wait(timeout=30) == 0
    child.stdout.close()
    text = seen.decode("utf-8", "replace")
    assert "\x1b[" in text
    assert "tiny 2000Q4: cell 6 of 6" in text
    assert living(tmp_path) == []


def test_doctor_lists_what_is_found_and_what_is_not(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "evalkit", "doctor"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for tool in ("python", "ipykernel", "papermill", "duckdb", "pandoc", "typst"):
        assert tool in done.stdout
    assert "not found: optional" in done.stdout


def test_schema_and_simulate_write_where_they_are_told(tmp_path: Path) -> None:
    assert evalkit("schema", "--out", str(tmp_path / "schema")).returncode == 0
    assert json.loads((tmp_path / "schema/study.schema.json").read_text())["title"] == "Study"
    done = evalkit("simulate", "--out", str(tmp_path / "demo"), "--n-focus", "20", "--n-comparison", "40")
    assert done.returncode == 0, done.stderr
    header, first = (tmp_path / "demo/participants.csv").read_text().splitlines()[:2]
    assert header.split(",")[-1] == "synthetic"
    assert first.endswith(",true")


def test_every_error_class_has_an_exit_code_of_its_own() -> None:
    classes = [getattr(errors, name) for name in errors.__all__ if isinstance(getattr(errors, name), type)]
    codes = [cls.exit_code for cls in classes]
    assert len(set(codes)) == len(codes)
    assert all(issubclass(cls, errors.EvalkitError) for cls in classes)
    for cls in classes:
        drawn = [line for line in errors.__doc__.splitlines() if f" {cls.__name__} " in f" {line} "]
        assert len(drawn) == 1, cls.__name__
        assert f" {cls.exit_code} " in drawn[0].replace(".", " ") + " "


def test_an_unforeseen_error_shows_no_traceback_and_no_value(tmp_path: Path) -> None:
    code = (
        "import sys\nsys.argv = ['evalkit', 'schema']\nimport evalkit.protocol as p\n"
        "def fail(folder):\n    raise KeyError('QX7-secret')\np.write_schemas = fail\n"
        "from evalkit.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "unexpected KeyError" in done.stderr
    assert "QX7" not in done.stderr
    assert "Traceback" not in done.stderr
