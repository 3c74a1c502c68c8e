"""Schedulers, containers and pipes: a command works without what a terminal has, or says in one line what it needs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
import yaml

from evalkit.cli import _surroundings
from evalkit.errors import ProtocolError, ReleaseError
from evalkit.intake import validate
from evalkit.protocol import load_study, private_folder
from evalkit.publish._job import LineProgress, read_notebook
from publish import standin

# As the program starts, under a number that no passwd file knows.
AS_NOBODY = """
import os, pwd
os.environ.pop("HOME", None)
def unknown(number):
    raise KeyError(f"getpwuid(): uid not found: {number}")
pwd.getpwuid = unknown
from evalkit.cli import main
main()
"""


def called(folder: Path, *arguments: str, code: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
    start = ["-c", code] if code else ["-m", "evalkit"]
    env = standin.environment(folder) | more.pop("env", {})
    options = {"capture_output": True, "text": True, "cwd": folder, "timeout": 300} | more
    return subprocess.run([sys.executable, *start, *arguments], check=False, env=env, **options)


def closing(*numbers: int) -> Callable[[], None]:
    return lambda: [os.close(number) for number in numbers] and None


# -- Streams ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("numbers", [(0,), (1,), (2,), (0, 1, 2)])
def test_a_closed_stream_is_no_file_s_number(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    """Else the first file that is opened gets it, and holds what should have been said."""
    done = called(
        tmp_path, "schema", "--out", "s", capture_output=False, preexec_fn=closing(*numbers),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0
    for file in (tmp_path / "s").iterdir():
        assert json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("gets", [1, 7])
def test_what_was_closed_is_opened_under_its_own_number(monkeypatch: pytest.MonkeyPatch, gets: int) -> None:
    done: list[tuple[object, ...]] = []

    def fstat(number: int) -> None:
        if number == 1:
            raise OSError

    noted = {
        name: lambda *given, name=name: done.append((name, *given)) for name in ("dup2", "close", "set_inheritable")
    }
    noted["fdopen"] = lambda *given, **more: done.append(("fdopen", *given, more))
    system = {"fstat": fstat, "open": lambda *_: gets, "devnull": "null", "O_RDWR": 2, **noted}
    monkeypatch.setattr(_surroundings, "os", SimpleNamespace(**system))
    for name, kept in (("stdin", sys.stdin), ("stdout", None), ("stderr", io.StringIO())):
        monkeypatch.setattr(sys, name, kept)
    _surroundings._open_streams()
    moved = [("dup2", 7, 1), ("close", 7)] if gets == 7 else []
    assert done == [*moved, ("set_inheritable", 1, True), ("fdopen", 1, "w", {"encoding": "utf-8", "closefd": False})]


def test_letters_that_a_stream_has_not_are_written_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding="ascii") for name in ("stdout", "stderr")}
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)
    _surroundings._open_streams()
    for stream in streams.values():
        stream.write("Łódź")
        stream.flush()
        assert stream.buffer.getvalue() == rb"\u0141\xf3d\u017a"


@pytest.mark.parametrize(
    ("code", "error", "ends", "said"),
    [
        (0, BrokenPipeError(), 141, ""), (4, BrokenPipeError(), 4, ""), (4, OSError(), 4, ""), (0, None, 0, ""),
        (0, OSError(), 10, "evalkit: the standard output cannot be written\n"),
    ],
)  # fmt: skip
def test_the_code_where_what_is_left_cannot_be_put_out(
    monkeypatch: pytest.MonkeyPatch, code: int, error: Exception | None, ends: int, said: str
) -> None:
    class Gone:
        def flush(self) -> None:
            if error is not None:
                raise error

    moved: list[tuple[int, int]] = []
    system = {"open": lambda *_: 7, "dup2": lambda *given: moved.append(given), "devnull": "null", "O_WRONLY": 1}
    monkeypatch.setattr(_surroundings, "os", SimpleNamespace(**system))
    monkeypatch.setattr(sys, "stdout", Gone())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert (_surroundings.closed_down(code), sys.stderr.getvalue()) == (ends, said)
    assert moved == ([] if error is None else [(7, 1)])


def test_nobody_reading_is_no_traceback(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = called(tmp_path, "schema", "--out", "s", capture_output=False, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_an_output_that_is_full_is_said_in_a_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = called(tmp_path, "schema", "--out", "s", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 10
    assert done.stderr.startswith("evalkit: ")
    assert done.stderr.count("\n") == 1


def test_a_render_goes_on_when_nobody_listens_to_its_progress() -> None:
    class Gone:
        def write(self, text: str) -> None:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    LineProgress(Gone()).step("a", "b")  # type: ignore[arg-type]


def test_a_letter_that_the_terminal_has_not_is_written_otherwise(tmp_path: Path) -> None:
    study = yaml.safe_load(standin.STUDY) | {"title": "Łódź – x"}
    standin.write_world(tmp_path)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study, allow_unicode=True), encoding="utf-8")
    plain = {
        "LC_ALL": "POSIX",
        "LANG": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "latin-1",
    }
    done = called(tmp_path, "dictionary", "--study", "study.yaml", env=plain, encoding="latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\u0141ód\u017a" in done.stdout


# -- Home, temporary files, file mask ---------------------------------------------------------------------------------


@pytest.mark.parametrize("home", ["", "/nonexistent/home"])
def test_without_a_home_nothing_is_written_to_a_folder_named_tilde(tmp_path: Path, home: str) -> None:
    env = {"HOME": home} if home else {}
    done = called(tmp_path, "schema", "--out", "s", code=AS_NOBODY if not home else "", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s", "state", "tmp"]
    assert list((tmp_path / "tmp").iterdir()) == []  # what was lent is taken away


def test_what_has_to_last_is_not_kept_in_a_home_that_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = load_study(standin.write_world(tmp_path / "study"))
    monkeypatch.setenv(_surroundings.HOMELESS, "1")
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "denied")))
    with pytest.raises(ProtocolError, match="there is no home to use in its place"):
        private_folder(study)


def test_a_home_that_cannot_be_written_stays_where_credentials_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    monkeypatch.delenv(_surroundings.HOMELESS, raising=False)
    assert _surroundings._without_home() == []
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert _surroundings._without_home() == ["MPLCONFIGDIR"]
    assert _surroundings.HOMELESS not in os.environ


def test_no_folder_for_temporary_files_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    monkeypatch.setattr(_surroundings, "_open_streams", lambda: None)
    monkeypatch.setenv("PYTHONWARNINGS", "")
    with pytest.raises(ReleaseError, match="set TMPDIR"), _surroundings.made_ready():
        pass


def test_a_temporary_folder_that_cannot_be_written_is_passed_over(tmp_path: Path) -> None:
    done = called(tmp_path, "schema", "--out", "s", env={"TMPDIR": "/proc/none"})
    assert (done.returncode, done.stderr) == (0, "")


def test_no_file_can_be_written_by_everybody(tmp_path: Path) -> None:
    done = called(tmp_path, "schema", "--out", "s", preexec_fn=lambda: os.umask(0) and None)
    assert done.returncode == 0
    assert all(not file.stat().st_mode & 0o002 for file in (tmp_path / "s").iterdir())


# -- Older notebooks --------------------------------------------------------------------------------------------------


def notebook(file: Path, minor: int, ids: list[str | None]) -> Path:
    cells = [
        {"cell_type": "code", "metadata": {}, "source": ["x = 1"], "execution_count": None, "outputs": []}
        | ({} if name is None else {"id": name})
        for name in ids
    ]
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": minor}
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


@pytest.mark.parametrize("minor", [0, 2, 4, 5])
@pytest.mark.parametrize("ids", [[None, None], ["a", None], ["a", "a"], ["no good id!", "b"], ["", "b"]])
def test_cells_without_ids_get_the_same_ones_every_time(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], minor: int, ids: list[str | None]
) -> None:
    file = notebook(tmp_path / "a.ipynb", minor, ids)
    first, second = read_notebook(file), read_notebook(file)
    assert first == second
    named = [cell["id"] for cell in first.cells]
    assert len(set(named)) == 2
    assert [n for n, given in zip(named, ids, strict=True) if given in {"a", "b"}][:1] == [
        g for g in ids if g in {"a", "b"}
    ][:1]
    nbformat.validate(first)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cells": 5, "nbformat": 4, "nbformat_minor": 4}', "not JSON"])
def test_what_is_no_notebook_is_said_in_a_line(tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str) -> None:
    (tmp_path / "a.ipynb").write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolError, match="is not a readable notebook"):
        read_notebook(tmp_path / "a.ipynb")
    assert capfd.readouterr() == ("", "")


# -- All of it, in one render -----------------------------------------------------------------------------------------


def test_a_render_with_nothing_around_it(tmp_path: Path) -> None:
    standin.write_world(tmp_path)
    file = tmp_path / "notebooks" / "tiny.ipynb"
    content = json.loads(file.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        del cell["id"]
    file.write_text(json.dumps(content), encoding="utf-8")
    odd = {"TZ": "Nowhere/Land", "LANG": "C", "MPLBACKEND": "TkAgg", "TERM": ""}
    with (tmp_path / "said").open("w") as said:
        done = called(
            tmp_path, *standin.command(tmp_path, "--to", "html")[3:], code=AS_NOBODY, env=odd, capture_output=False,
            stderr=said, stdout=subprocess.DEVNULL, preexec_fn=closing(0, 1),
        )  # fmt: skip
    text = (tmp_path / "said").read_text(encoding="utf-8")
    assert done.returncode == 0, text
    assert "Warning" not in text
    assert "site-packages" not in text
    assert (tmp_path / "reports/tiny/tiny/2000Q4/report.html").is_file()
    assert not list(tmp_path.rglob("~"))
    assert list((tmp_path / "tmp").iterdir()) == []


def test_validate_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalkit.cli._app import app

    standin.write_world(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    app(["validate", "study.yaml"], standalone_mode=False)
    assert sorted(p for p in tmp_path.rglob("*") if ".evalkit" not in p.parts) == before
    app(["validate", "study.yaml", "--out", "findings.json"], standalone_mode=False)
    assert (tmp_path / "findings.json").read_text(encoding="utf-8") == validate(
        load_study(tmp_path / "study.yaml")
    ).to_json() + "\n"
