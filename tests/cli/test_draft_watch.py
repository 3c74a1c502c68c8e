"""Watching: only what an edit touches runs again, the page is that of a fresh draft, and only this machine's browser gets it."""

from __future__ import annotations

import http.client
import json
import stat
import sys
import threading
import webbrowser
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from evalkit.cli import _draft
from evalkit.cli._draft import Served, _Bench, _changes
from evalkit.cli._render import Request
from evalkit.errors import ExecutionError
from evalkit.protocol import freeze, load_study
from evalkit.publish import Drafted, LineProgress
from evalkit.publish.rendering._machine import scratch_folder
from publish import standin
from publish.standin import environment, write_world

PLACE = Path(".evalkit/tiny/drafts/tiny/2000Q4/report.html")


def edit(folder: Path, number: int, old: str, new: str) -> None:
    file = folder / "notebooks" / "tiny.ipynb"
    notebook = nbformat.read(file, 4)
    cell = notebook.cells[number - 1]
    assert old in cell.source
    cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, file)


@pytest.fixture
def world(tmp_path, monkeypatch) -> Path:
    cells = standin.cells()
    cells.insert(4, nbformat.v4.new_code_cell("side = 60"))
    cells[5]["source"] = (
        cells[5]["source"]
        .replace("svg = '", "svg = f'")
        .replace('width="60" height="60" fill', 'width="{side}" height="60" fill')
    )
    write_world(tmp_path, cells)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_only_what_an_edit_touches_runs_again_and_the_page_is_that_of_a_fresh_draft(world: Path) -> None:
    request = Request(report="tiny", studies=(world / "study.yaml",), publisher="embedded")
    pages, ran = [], []

    def draft(bench: _Bench) -> None:
        ran.append(bench.draft().ran)
        pages.append((world / PLACE).read_text(encoding="utf-8"))

    with scratch_folder() as scratch:
        bench = _Bench(request, scratch, ("html",), LineProgress())
        try:
            draft(bench)
            edit(world, 6, '"One figure"', '"Another caption"')
            draft(bench)
            edit(world, 5, "side = 60", "side = 45")
            draft(bench)
            edit(world, 3, "Prose", "More prose")
            draft(bench)
            edit(world, 5, "side = 45", "side = 1 / 0")
            with pytest.raises(ExecutionError, match="cell 5, line 1: ZeroDivisionError: division by zero"):
                bench.draft()
            edit(world, 5, "side = 1 / 0", "side = 45")
            draft(bench)
            (world / "participants.csv").write_text(standin.PARTICIPANTS.replace("north", "south"), encoding="utf-8")
            draft(bench)  # of other tables nothing is known
        finally:
            bench.close()
    assert ran == [6, 0, 2, 0, 0, 6]
    assert "Another caption" in pages[1]
    assert pages[1] != pages[2] != pages[3] == pages[4] == pages[5]
    with scratch_folder() as scratch:
        bench = _Bench(request, scratch, ("html",), LineProgress())
        try:
            draft(bench)
        finally:
            bench.close()
    assert pages[-1] == pages[-2]


def test_a_file_more_of_a_pattern_and_a_frozen_protocol_begin_a_kernel_anew(world: Path) -> None:
    study, notebook = world / "study.yaml", next(world.rglob("*.ipynb"))
    study.write_text(study.read_text().replace("path: participants.csv", "path: 'people/*.csv'"), encoding="utf-8")
    (world / "people").mkdir()
    (world / "participants.csv").rename(world / "people/a.csv")
    protocol = load_study(study)
    assert protocol.tables["participants"].path == "people/*.csv"

    def seen() -> dict[Path, Any]:
        return _draft._stats(known)

    known = _draft._inputs(protocol, study, notebook)
    before = seen()
    assert before[world / "people/a.csv"] is not None
    (world / "people/b.csv").write_text("x", encoding="utf-8")
    after = seen()
    assert after != before
    freeze(protocol, "v1", "Before.", date(2024, 1, 1))
    assert seen() != after


def test_each_change_is_seen_once_and_those_during_the_first_draft_too(tmp_path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    begun = _draft._stats([file])

    class Bench:
        begun_with = begun

        def watched(self):
            return _draft._stats([file])

    changes = _changes(Bench())
    next(changes)
    file.write_text("22")  # while the first draft is made
    next(changes)
    threading.Timer(0.3, lambda: file.write_text("333")).start()
    next(changes)
    assert file.read_text() == "333"


def test_a_file_that_is_still_being_written_is_waited_for(tmp_path, monkeypatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(_draft, "time", SimpleNamespace(sleep=waited.append))
    seen = iter("112333344")  # before; none; half; whole; none; the next
    bench = SimpleNamespace(begun_with={}, watched=lambda: {"a": next(seen)})
    changes = _changes(bench)
    next(changes)
    next(changes)
    assert waited == [_draft._LOOKS, _draft._SETTLES, _draft._SETTLES]
    next(changes)
    assert waited[3:] == [_draft._LOOKS, _draft._SETTLES]
    assert list(seen) == []


def get(served: Served, path: str, host: str | None = None) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{served.port}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers


def test_the_page_is_for_this_machines_browser_only(tmp_path) -> None:
    page = tmp_path / "report.html"
    page.write_text("<html><head></head><body>A draft</body></html>", encoding="utf-8")
    with Served(0) as served:
        base = served.address.removeprefix(f"http://127.0.0.1:{served.port}")
        served.show({"html": page})
        status, text, headers = get(served, base)
        assert status == 200
        assert "A draft" in text
        assert text.count("<script") == 1
        assert f'<script src="{base}draft.js" defer></script></head>' in text
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy  # no script that stands in a page
        assert headers["Cache-Control"] == "no-store"
        assert get(served, f"{base}draft.js")[0] == 200
        assert get(served, "/")[0] == 404
        assert get(served, "/" + "x" * 22 + "/")[0] == 404
        assert get(served, f"{base}report.pdf")[0] == 404
        assert get(served, base, host="evil.example")[0] == 404  # a name that was made to point here
        assert get(served, f"{base}../draft.json")[0] == 404
    assert "<script" not in page.read_text()


def test_a_browser_is_called_without_the_token(tmp_path, monkeypatch) -> None:
    """Its arguments every user of the machine can read; the file that they name, only this one."""
    page, called, steps = tmp_path / "report.html", [], []
    page.write_text("<html><head></head></html>", encoding="utf-8")
    monkeypatch.setattr(webbrowser, "open", called.append)
    monkeypatch.setattr(_draft, "_changes", lambda _: [None] * 3)
    made = iter([Drafted(files={"html": page}, ran=ran, seconds=1.25) for ran in (1, 0, 2)])
    progress = SimpleNamespace(step=lambda *said: steps.append(said))
    bench = SimpleNamespace(draft=lambda: next(made), progress=progress, scratch=tmp_path)
    with Served(0) as served:
        _draft._watch(bench, served, browser=True)
        assert steps == [("draft", f"{cells} ran, 1.2 s; Ctrl-C ends it") for cells in ("1 cell", "no cell", "2 cells")]
        (address,) = called  # once, however often it is made again
        token = served.address.rstrip("/").rpartition("/")[2]
        assert token not in address and address.startswith("file:///")
        file = Path(address.removeprefix("file://"))
        assert f'content="0; url={served.address}"' in file.read_text(encoding="utf-8")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_trouble_is_told_and_opens_no_browser(tmp_path, monkeypatch, capsys) -> None:
    called: list[str] = []
    monkeypatch.setattr(webbrowser, "open", called.append)
    monkeypatch.setattr(_draft, "_changes", lambda _: [None] * 3)
    page, told = tmp_path / "a", []
    passes = iter(
        [ExecutionError("cell 5:\n x"), Drafted(problems=("cell 1: y",)), Drafted(files={"html": page}, ran=1)]
    )

    def draft() -> Drafted:
        made = next(passes)
        if isinstance(made, Exception):
            raise made
        return made

    bench = SimpleNamespace(draft=draft, progress=SimpleNamespace(step=lambda *_: None), scratch=tmp_path)
    _draft._watch(bench, SimpleNamespace(trouble=told.append, show=told.append), browser=False)
    assert told == [["cell 5:\n x"], ["cell 1: y"], {"html": page}]
    assert capsys.readouterr().err == f"evalkit: cell 5: x\nevalkit: cell 1: y\n{page}\n"
    assert called == []
    codes = [_draft._told(one, sys.stdout) for one in (Drafted(problems=("z",)), Drafted(files={"html": page}))]
    assert (codes, capsys.readouterr().out) == ([9, 0], f"{page}\n")


def test_a_browser_hears_of_a_newer_draft_and_of_trouble(tmp_path) -> None:
    page = tmp_path / "report.html"
    with Served(0) as served:
        base = served.address.removeprefix(f"http://127.0.0.1:{served.port}")

        def news(after: int) -> dict[str, object]:
            return json.loads(get(served, f"{base}news?after={after}")[1])

        assert news(-1) == {"state": 0, "version": 0, "trouble": []}
        page.write_text("<head></head>1", encoding="utf-8")
        threading.Timer(0.2, lambda: served.show({"html": page})).start()
        assert news(0) == {"state": 1, "version": 1, "trouble": []}
        threading.Timer(0.2, lambda: served.trouble(["cell 3: x"])).start()
        assert news(1) == {"state": 2, "version": 1, "trouble": ["cell 3: x"]}
        assert news(0) == {"state": 2, "version": 1, "trouble": ["cell 3: x"]}  # who did not listen hears it, too
        threading.Timer(0.2, lambda: served.show({"html": page})).start()
        assert news(2) == {"state": 3, "version": 1, "trouble": []}  # the same page: nothing to load anew
