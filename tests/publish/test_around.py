"""What stands around a render: the order of several, locks, child processes, notebooks, tools and packages."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evalkit.errors import (
    EvalkitError,
    ExecutionError,
    ExecutionTimeoutError,
    MissingToolError,
    ReleaseError,
    UsageError,
)
from evalkit.periods import Period
from evalkit.protocol import private_folder
from evalkit.publish import RenderJob, _draft, _make, _render
from evalkit.publish._job import find_notebook, parameters_of, read_notebook
from evalkit.publish._make import _check_size, _overridden
from evalkit.publish._render import render_all
from evalkit.publish.release import _ingredients
from evalkit.publish.release._ingredients import digest, environment, imported_packages
from evalkit.publish.release._release import exchange, study_lock
from evalkit.publish.release._standing import Standing
from evalkit.publish.rendering import _machine, _quarto
from evalkit.publish.rendering._machine import memory_of, run_child
from evalkit.publish.rendering._quarto import Tool, publisher_of, survey, tools_of
from evalkit.seal import DRAFTED, new_key
from evalkit.seal import ENVIRONMENT as KEY
from publish import standin
from publish.test_ingredients import job_of


@pytest.fixture
def job(tmp_path: Path) -> RenderJob:
    standin.write_world(tmp_path / "one")
    return job_of(tmp_path / "one")


def refusal(call: Any) -> str:
    with pytest.raises(EvalkitError) as refused:
        call()
    return str(refused.value)


# -- several renders -------------------------------------------------------------------------------------------------
def test_renders_of_one_study_are_done_in_the_order_of_time_and_told_in_that_of_the_jobs(
    job: RenderJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.write_world(tmp_path / "two")
    other = replace(job_of(tmp_path / "two"), out=tmp_path / "two" / "reports")
    jobs = [replace(job, period=Period.parse(p)) for p in ("2000Q4", "2000Q2", "2000-04-01..2000-06-30", "2000Q3")] + [
        other
    ]
    done: list[str] = []

    def instead(one: RenderJob, told: object) -> Path:
        done.append(f"{one.study.folder.name} {one.period.name}")
        if one.period.name == "2000Q3":
            raise ReleaseError("no")
        return Path(one.period.name)

    monkeypatch.setattr(_render, "render", instead)
    found = render_all(jobs, 1, SimpleNamespace())  # type: ignore[arg-type]
    assert done == ["one 2000-04-01..2000-06-30", "one 2000Q2", "one 2000Q3", "one 2000Q4", "two 2000Q4"]
    assert [str(one) for one in found] == ["2000Q4", "2000Q2", "2000-04-01..2000-06-30", "no", "2000Q4"]
    assert render_all(jobs[:1], 8, SimpleNamespace()) == [Path("2000Q4")]  # type: ignore[arg-type] # of one study: here
    assert (
        refusal(lambda: render_all([job, job], 1, SimpleNamespace())) == "the same report and period is asked for twice"
    )  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        render_all([job, job], 2, SimpleNamespace())  # type: ignore[arg-type]


# -- the size of a release -------------------------------------------------------------------------------------------
def test_a_release_has_no_more_megabytes_than_it_may(job: RenderJob, tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("report.html", "report.pdf")}
    for file in files.values():
        file.write_bytes(bytes(500_000))
    may = replace(job, params=job.params.model_copy(update={"output_mb": 1}))
    _check_size(may, files)
    files["report.pdf"].write_bytes(bytes(2_100_000))
    assert (
        refusal(lambda: _check_size(may, files))
        == f"{may.name}: the release would have 3 MB; raise output_mb in {may.params_file}"
    )


# -- what is published, and with which parameters --------------------------------------------------------------------
def test_parameters_that_the_file_of_the_report_does_not_say(job: RenderJob) -> None:
    said = job.params.model_copy(update={"parameters": {"a": 1, "b": 2}})
    given = replace(job, params=said, overrides={"c": 3, "b": 3, "a": 1})
    parameters = {"a": 1, "b": 3, "c": 3, "d": 4}
    old = Standing(job.target, there=True, manifest={"overridden": ["z", "y"]})
    assert _overridden(given, parameters, Standing(job.target)) == ["b", "c"]
    assert _overridden(given, parameters, old) == ["z", "y"]  # made again: as it was then
    assert _overridden(given, parameters, replace(old, manifest={"revision": 1})) == []
    assert _overridden(replace(given, supersede="why"), parameters, old) == ["b", "c"]


def test_each_format_is_made_once_by_the_publisher_that_is_asked_for(
    job: RenderJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def publisher(name: str) -> Any:
        def publish(document: str, formats: tuple[str, ...], scratch: Path, left: float, gigabytes: float) -> Any:
            given.append((name, document, formats, scratch, round(left), gigabytes))
            return {one: scratch / f"made.{one}" for one in formats}

        return publish

    for name in ("quarto", "embedded"):
        monkeypatch.setattr(_make, f"publish_{name}", publisher(name))
    shape = job.params.publication.model_copy(update={"to": ("pdf", "html", "pdf")})
    asked = replace(job, params=job.params.model_copy(update={"publication": shape}))
    for name in ("quarto", "embedded"):
        made = _make._publish("it", name, asked, tmp_path, time.monotonic() + 50)  # type: ignore[arg-type]
        assert made == {"report.pdf": tmp_path / "made.pdf", "report.html": tmp_path / "made.html"}
    memory = job.params.memory_gb
    assert given == [(name, "it", ("pdf", "html"), tmp_path, 50, memory) for name in ("quarto", "embedded")]
    late = refusal(lambda: _make._publish("it", "quarto", asked, tmp_path, time.monotonic()))  # type: ignore[arg-type]
    assert late == f"{job.name}: no time left to publish; raise timeout_minutes in {job.params_file}"
    assert len(given) == 2


def test_a_draft_takes_the_place_of_the_one_before(job: RenderJob, tmp_path: Path) -> None:
    folder = _draft.draft_folder(job)
    assert folder == private_folder(job.study) / "drafts" / "tiny" / job.target.name
    files = {name: tmp_path / f"new.{name}" for name in ("html", "pdf")}
    for name, file in files.items():
        file.write_text(f"new {name}", encoding="utf-8")
    _draft._placed(files, folder, job)
    (folder / "notes.txt").touch()
    files["html"].write_text("newer", encoding="utf-8")
    assert _draft._placed({"html": files["html"]}, folder, job) == {"html": folder / "report.html"}
    assert sorted(f.name for f in folder.iterdir()) == ["draft.json", "notes.txt", "report.html"]  # no PDF of before
    assert (folder / "report.html").read_text(encoding="utf-8") == "newer"
    about = {"draft": 1, "study": "tiny", "report": "tiny", "period": "2000Q4"}
    assert json.loads((folder / "draft.json").read_text(encoding="utf-8")) == about
    said = refusal(lambda: _draft._placed({"html": files["html"], "pdf": tmp_path / "none"}, folder, job))
    assert said == f"{folder}: cannot be written (No such file or directory); the draft is as it was"
    assert sorted(f.name for f in folder.iterdir()) == ["draft.json", "notes.txt", "report.html"]


# -- the kernel of drafts, and the room of each ----------------------------------------------------------------------
def test_what_the_kernel_of_drafts_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr(_draft, "Session", lambda *given: SimpleNamespace(start=lambda: started.append(given)))
    notebook, log = tmp_path / "notebooks" / "a.ipynb", tmp_path / "log"
    made = _draft.Drafter.prepared("tiny", notebook, log, tmp_path / "s")
    record = str(tmp_path / "s" / "record.jsonl")
    variables = {KEY: made.key, DRAFTED: "1", "EVALKIT_RECORD": record, "EVALKIT_TOLD": str(tmp_path / "s")}
    assert started == [("tiny", tmp_path / "s", notebook.parent, log, variables)]
    assert (made.scratch, len(made.key)) == (tmp_path / "s", len(new_key()))


def test_each_draft_is_printed_in_a_room_of_its_own(
    job: RenderJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def instead(document: str, formats: tuple[str, ...], room: Path, left: float, gigabytes: float) -> dict[str, Path]:
        given.append((document, formats, room.name, round(left), gigabytes, list(room.iterdir())))
        (room / "report.html").touch()
        return {"html": room / "report.html"}

    monkeypatch.setattr(_draft, "publish_embedded", instead)
    drafter = _draft.Drafter(SimpleNamespace(), tmp_path, "key")  # type: ignore[arg-type]
    for document, seconds in (("one", 100), ("two", 100), ("late", -100)):
        made = drafter._published(document, ["html"], job, time.monotonic() + seconds)
    assert made == {"html": tmp_path / "pass-3" / "report.html"}
    assert [f.name for f in tmp_path.glob("pass-*")] == ["pass-3"]
    memory = job.params.memory_gb
    assert given == [
        ("one", ("html",), "pass-1", 100, memory, []),
        ("two", ("html",), "pass-2", 100, memory, []),
        ("late", ("html",), "pass-3", 1, memory, []),
    ]


# -- jobs ------------------------------------------------------------------------------------------------------------
def test_what_a_job_is_called_and_where_it_goes(job: RenderJob, tmp_path: Path) -> None:
    ranged = replace(job, period=Period.parse("2000-01-01..2000-06-30"))
    assert (job.name, ranged.name) == ("tiny 2000Q4", "tiny 2000-01-01..2000-06-30")
    assert job.target == tmp_path / "one" / "reports" / "tiny" / "tiny" / "2000Q4"
    assert ranged.target.name == "2000-01-01_to_2000-06-30"


def test_digests_are_keyed_by_what_they_are_of(job: RenderJob) -> None:
    keys = [job.keyed("table", "a", "v"), job.keyed("known", "a", "v"), job.keyed("table", "b", "v"), job.keyed("table", "a", "w"),
            replace(job, period=Period.parse("2000Q3")).keyed("table", "a", "v")]  # fmt: skip
    assert len(set(keys)) == 5
    assert job.keyed("table", "a", "v") == keys[0]
    given = SimpleNamespace(keyed=lambda *parts: "/".join(parts))
    assert replace(job, secret=given).keyed("table", "a", "v") == "table/2000Q4/a/v"  # type: ignore[arg-type]


def test_where_a_notebook_is_looked_for(job: RenderJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    beside = tmp_path / "one" / "notebooks" / "tiny.ipynb"
    assert find_notebook("tiny.ipynb", job.study) == beside
    above = tmp_path / "notebooks" / "tiny.ipynb"
    above.parent.mkdir()
    above.write_text(beside.read_text())
    assert find_notebook("tiny.ipynb", job.study) == above  # the working folder goes before
    monkeypatch.chdir(tmp_path / "one")
    beside.unlink()
    assert find_notebook("tiny.ipynb", job.study) == above  # above the protocol
    assert find_notebook("quarterly.ipynb", job.study).name == "quarterly.ipynb"
    places = ", ".join(str(folder / "notebooks") for folder in (tmp_path / "one", tmp_path / "one", tmp_path))
    assert refusal(lambda: find_notebook("none.ipynb", job.study)) == f"notebook 'none.ipynb' is in none of: {places}"
    for name in ("../a.ipynb", "a/b.ipynb", "a.py", "a", "/a.ipynb"):
        assert refusal(lambda name=name: find_notebook(name, job.study)) == (
            f"notebook '{name}': give the bare name of an .ipynb file in a notebooks folder"
        )


def test_one_cell_of_parameters(job: RenderJob) -> None:
    source = "#| echo: false\ndays: int = 3\nhorizon_days: int = 1"
    one, two = (new_code_cell(source, metadata={"tags": ["x", "parameters"]}) for _ in range(2))
    assert parameters_of(job, new_notebook(cells=[new_markdown_cell("x"), one])) == {
        "horizon_days": 364, "study": str(job.study.path), "period": "2000Q4"
    }  # fmt: skip
    for cells in ([], [one, two]):
        assert refusal(lambda cells=cells: parameters_of(job, new_notebook(cells=cells))) == (
            f"tiny.ipynb: has {len(cells)} cells tagged 'parameters'; it needs exactly one"
        )


def test_ids_of_cells(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": ["1"], "execution_count": None, "outputs": []}
    cells = [cell | {"id": "a" * 64}, cell, cell | {"id": "b"}, cell | {"id": "c" * 65}, cell | {"id": "b"}]
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    file = tmp_path / "a.ipynb"
    file.write_text("\ufeff" + json.dumps(content), encoding="utf-8")
    expected = ["a" * 64, "cell-1-without-id", "b", "cell-3-without-id", "cell-4-without-id"]
    assert [cell["id"] for cell in read_notebook(file).cells] == expected
    assert read_notebook(file).nbformat_minor >= 5


# -- locks -----------------------------------------------------------------------------------------------------------
def test_one_render_of_a_study_at_a_time(job: RenderJob) -> None:
    file = private_folder(job.study) / "render.lock"
    waited: list[str] = []
    with study_lock(job.study, lambda: waited.append("x")) as private:
        assert (private, waited, file.stat().st_mode & 0o777) == (file.parent, [], 0o600)
        with file.open() as second, pytest.raises(BlockingIOError):
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with file.open() as second:
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)  # free again


@pytest.mark.parametrize(
    ("number", "said"),
    [(38, "cannot be locked (Function not implemented); put the protocol on a file system with locks")],
)
def test_a_file_system_without_locks(number: int, said: str, job: RenderJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda *_: (_ for _ in ()).throw(OSError(number, os.strerror(number))))

    def use() -> None:
        with study_lock(job.study, lambda: None):
            pass

    assert refusal(use) == f"{private_folder(job.study)}: {said}"


def test_a_lock_that_another_user_made(job: RenderJob) -> None:
    (private_folder(job.study) / "render.lock").mkdir()

    def use() -> None:
        with study_lock(job.study, lambda: None):
            pass

    assert (
        refusal(use)
        == f"{private_folder(job.study) / 'render.lock'}: cannot be opened (Is a directory); another user of the folder made it"
    )


# -- folders that change places --------------------------------------------------------------------------------------
def test_two_folders_change_their_names(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("")
    if exchange(tmp_path / "a", tmp_path / "b"):
        assert [(f.parent.name, f.name) for f in sorted(tmp_path.glob("*/*"))] == [("a", "b"), ("b", "a")]
    with pytest.raises(OSError, match="No such file"):
        exchange(tmp_path / "a", tmp_path / "none")


# -- child processes -------------------------------------------------------------------------------------------------
def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def test_a_child_and_what_it_wrote(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), os.environ['A']); sys.stderr.write('é'); sys.exit(3)"
    done = run_child(python(code), folder=tmp_path, timeout=20, env={"A": "b", "PYTHONIOENCODING": "utf-8"})
    assert (done.code, done.out, done.err) == (3, f"{tmp_path} b\n", "é")


def test_a_child_that_is_not_there_too_slow_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingToolError) as missing:
        run_child(["/nowhere/tool"], folder=tmp_path, timeout=5)
    assert str(missing.value) == "tool: cannot be started (No such file or directory); see 'evalkit doctor'"
    begun = time.monotonic()
    with pytest.raises(ExecutionTimeoutError) as slow:
        run_child(["sleep", "30"], folder=tmp_path, timeout=0.2)
    assert str(slow.value) == "sleep: stopped after 0.2 seconds; raise timeout_minutes in the report's file"
    monkeypatch.setattr(_machine, "_LOOK", 0.05)
    for held, limit, stopped in ((2_000_000_001, 2.0, True), (2_000_000_000, 2.0, False)):
        monkeypatch.setattr(_machine, "memory_of", lambda _, held=held: held)
        if stopped:
            with pytest.raises(ExecutionError) as large:
                run_child(["sleep", "30"], folder=tmp_path, timeout=20, memory_gb=limit)
            assert str(large.value) == "sleep: used more than 2 GB of memory; raise memory_gb in the report's file"
        else:
            assert run_child(["sleep", "0.2"], folder=tmp_path, timeout=20, memory_gb=limit).code == 0
    assert time.monotonic() - begun < 25


def test_the_memory_of_a_process() -> None:
    assert memory_of(os.getpid()) > 1_000_000
    assert memory_of(2**22 + 1) == 0


# -- tools and packages ----------------------------------------------------------------------------------------------
def test_which_publisher_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for there in (None, tmp_path / "quarto"):
        monkeypatch.setattr(_quarto, "find_quarto", lambda there=there: there)
        monkeypatch.setattr(_quarto, "quarto_version", lambda program, folder: "1.10.18")
        monkeypatch.setattr(_quarto, "parts_of", lambda program, folder: {"pandoc": "3.8.3", "typst": "0.14.2"})
        monkeypatch.setattr(_quarto, "publish_quarto", lambda *arguments: {})
        assert [publisher_of(name) for name in ("auto", "quarto", "embedded")] == [
            "quarto" if there else "embedded",
            "quarto",
            "embedded",
        ]
        if there:
            monkeypatch.setattr(_quarto, "needed_quarto", lambda there=there: there)
            assert tools_of("quarto", tmp_path) == {"quarto": "1.10.18"}
        else:
            monkeypatch.setenv("EVALKIT_QUARTO", str(tmp_path / "nowhere"))
            with pytest.raises(MissingToolError, match=r"^quarto: not found; install it"):
                tools_of("quarto", tmp_path)
        assert set(tools_of("embedded", tmp_path)) == {"pandoc", "typst"}
        quarto = survey()[-1]
        parts = "publishes a line; deno (version unknown), pandoc 3.8.3, typst 0.14.2"
        expected = Tool("quarto", "1.10.18" if there else "", needed=False, remark=f"{there}: {parts}")
        assert quarto == (
            expected
            if there
            else replace(
                expected, remark="not found: optional, from quarto.org; the embedded publisher is used without it"
            )
        )


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    true = metadata.version

    def version(name: str) -> str:
        if name in {"papermill", "typst"}:
            raise metadata.PackageNotFoundError(name)
        return true(name)

    monkeypatch.setattr(_quarto.importlib.metadata, "version", version)
    monkeypatch.setattr(_quarto, "find_quarto", lambda: None)
    found = {tool.name: tool for tool in survey()}
    assert list(found) == ["python", "ipykernel", "papermill", "duckdb", "pandoc", "typst", "quarto"]
    assert [name for name, tool in found.items() if tool.needed and not tool.version] == [
        "papermill",
        "pandoc",
        "typst",
    ]
    assert found["papermill"].remark == "runs notebooks; missing: run 'make install'"
    assert found["pandoc"].remark == "missing: run 'make install'"


@pytest.mark.parametrize(
    ("source", "found"),
    [("import pandas as pd", {"pandas"}), ("from pandas.api import types", {"pandas"}), ("import os, sys", set()), ("from . import pandas", set()),
     ("from evalkit import survival", set()), ("def (:", set()), ("import no_such_module_at_all", set()), ("import scipy.stats\nimport numpy", {"scipy", "numpy"}),
     ("%matplotlib inline\nimport pandas", set())],
)  # fmt: skip
def test_packages_that_code_imports(source: str, found: set[str]) -> None:
    assert imported_packages([source]) == found
    assert imported_packages([source, "import yaml"]) == found | {"PyYAML"}


def test_packages_that_a_render_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = {
        "evalkit": ["A>=1", "b[more]; python_version>'3'", "c; python_version<'3'", "not a requirement!!"], "a": ["d"], "b": ["e; extra=='more'", "f; extra=='other'"],
        "d": ["a"], "e": [], "x": ["gone"],
    }  # fmt: skip

    def known(name: str) -> SimpleNamespace:
        if name not in needs:
            raise metadata.PackageNotFoundError(name)
        fields = "".join(f"Requires-Dist: {line}\n" for line in needs[name])
        said = f"Metadata-Version: 2.1\nName: {name}\nVersion: {name} 1\n{fields}\nRequires-Dist: of-a-description\nVersion: 2\n"
        return SimpleNamespace(read_text=lambda file: said if file == "METADATA" else None)

    monkeypatch.setattr(_ingredients.metadata, "distribution", known)
    found = environment(["X"])
    assert found["packages"] == {name: f"{name} 1" for name in ("a", "b", "d", "e", "x")}
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["platform"].startswith(f"{sys.platform}-")


def test_the_digest_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
