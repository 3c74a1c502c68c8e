"""At the bench: what is wrong with a cell is said at the cell, and a wrong choice names the right one."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell

import evalkit
from evalkit.cells import _lab
from evalkit.errors import UsageError
from evalkit.report._mark import check_choice

GOOD = '#| label: fig-a\n#| fig-cap: "A"\n#| fig-alt: "B"\nreport.show(curve)'


def said(capsys: pytest.CaptureFixture[str], source: str, cell_id: str = "one", *, silent: bool = False) -> list[str]:
    _lab._look(SimpleNamespace(raw_cell=source, cell_id=cell_id, silent=silent))
    return capsys.readouterr().err.splitlines()


@pytest.fixture
def notebook(tmp_path, monkeypatch) -> None:
    cells = [
        {"cell_type": "markdown", "id": "text", "source": "# One {#sec-one}\n\n## Two {#sec-two}"},
        {"cell_type": "code", "id": "one", "source": GOOD},
        {"cell_type": "code", "id": "two", "source": ["#| label: fig-b\n", "x = 1"]},
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "a.ipynb"))


def test_of_a_good_cell_nothing_is_said(capsys, notebook) -> None:
    assert said(capsys, GOOD) == []
    assert said(capsys, 'report.say(curve, "fig-b")', "two") == [
        "evalkit: this cell, line 1: reference '@fig-b' leads nowhere; did you mean 'fig-a'?"
    ]
    assert said(capsys, 'report.say(curve, "fig-b")', "three") == []
    assert said(capsys, 'report.say(curve, "sec-one")', "three") == []
    assert said(capsys, "print(1)", silent=True) == []


def test_what_is_wrong_is_said_at_the_cell(capsys, notebook) -> None:
    assert said(capsys, "report.show(curve)", "three") == [
        "evalkit: this cell: the figure or table has no label; add '#| label: fig-name' (letters, digits, '-' and '_')"
    ]
    assert said(capsys, GOOD, "three") == ["evalkit: this cell: label 'fig-a' stands in cell 2, too"]
    assert said(capsys, 'report.say(curve, "fig-c")', "three") == [
        "evalkit: this cell, line 1: reference '@fig-c' leads nowhere; did you mean 'fig-b'?"
    ]


def test_without_a_notebook_references_are_not_held_to_anything(capsys, monkeypatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert said(capsys, 'report.say(curve, "fig-c")') == []
    assert said(capsys, GOOD) == []


@pytest.mark.parametrize(("render", "kernel", "watches"), [("", True, 1), ("1", True, 0), ("", False, 0)])
def test_cells_are_watched_once_and_only_where_somebody_works_in_a_notebook(
    monkeypatch, render, kernel, watches
) -> None:
    registered = []
    events = SimpleNamespace(callbacks={"pre_run_cell": registered}, register=lambda _, f: registered.append(f))
    shell = SimpleNamespace(events=events, **({"kernel": object()} if kernel else {}))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setenv("EVALKIT_RENDER", render)
    _lab.watch_cells()
    _lab.watch_cells()
    assert len(registered) == watches


def test_a_choice_that_there_is_not_names_the_nearest() -> None:
    check_choice("report.show", "shape", "table", ("auto", "figure", "table"))
    with pytest.raises(
        UsageError,
        match=r"^report.show: there is no shape 'tabel'; there are: auto, figure, table; did you mean 'table'\?$",
    ):
        check_choice("report.show", "shape", "tabel", ("auto", "figure", "table"))
    with pytest.raises(UsageError, match=r"^report.show: there is no such shape; there are: auto, figure, table$"):
        check_choice("report.show", "shape", 4711, ("auto", "figure", "table"))  # it may have been counted


def test_tab_offers_what_a_notebook_uses_and_loads_none_of_it() -> None:
    offered = ["__version__", "analyses", "errors", "open_report", "report", "stats", "views", "words"]
    assert dir(evalkit) == offered
    code = "import sys, evalkit; dir(evalkit); print(sorted(n for n in sys.modules if n.startswith('evalkit.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['evalkit._version']"
    assert evalkit.analyses.funnel.__module__.startswith("evalkit.analyses")
    with pytest.raises(AttributeError, match="has no attribute 'analysis'"):
        evalkit.analysis  # noqa: B018


@pytest.mark.parametrize(("where", "whole"), [("", False), ("EVALKIT_RENDER", True), ("EVALKIT_DEBUG", True)])
def test_of_an_error_of_ours_a_notebook_shows_the_line(monkeypatch, where: str, whole: bool) -> None:
    for name in ("EVALKIT_RENDER", "EVALKIT_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    if where:
        monkeypatch.setenv(where, "1")
    shell, shown = InteractiveShell.instance(colors="nocolor"), []
    monkeypatch.setattr(shell, "_showtraceback", lambda kind, error, lines: shown.extend([kind.__name__, *lines]))
    try:
        cell = "from evalkit.report._mark import check_choice\nx = 1\ncheck_choice('report.show', 'shape', 'tabel', ['table'])"
        done = shell.run_cell(cell, store_history=False, silent=True)
    finally:
        InteractiveShell.clear_instance()
    assert isinstance(done.error_in_exec, UsageError)  # the cells below do not run
    said = "report.show: there is no shape 'tabel'; there are: table; did you mean 'table'?"
    if whole:
        text = "\n".join(shown)
        assert f"UsageError: {said}" in text
        assert "in check_choice(" in text
    else:
        assert shown == ["UsageError", f"evalkit: {said} (line 3 of the cell)"]
