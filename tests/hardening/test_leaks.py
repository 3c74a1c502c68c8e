"""Each way in which something could leave stops the release, naming the cell; a clean notebook passes."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from evalkit.errors import DisclosureError
from evalkit.publish.audit import Guard, audit_cells, audit_document, guard_for
from evalkit.publish.audit._notebook import _unknown_number
from evalkit.publish.rendering._document import document_of
from evalkit.publish.rendering._execute import Limits, execute
from evalkit.seal import ENVIRONMENT, new_key
from hardening.leaks import NUMBER, PERSON, RUN, SETUP, SHORT, WRITTEN, Leak
from publish import standin

PLACE = 5
"""Where a leak is put: the number that must be named."""


@pytest.fixture(scope="module")
def guard() -> Guard:
    return guard_for(
        new_key(),
        identifiers=[PERSON, SHORT, NUMBER, "12", "self"],
        secrets=["hunter2hunter2"],
        paths=["/srv/secret-study"],
        protocol=standin.STUDY,
        authored="",
        days=[date(2000, 12, 31)],
    )


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Any:
    """All leaks run in one kernel, each in its own cell."""
    folder = tmp_path_factory.mktemp("leaks")
    (folder / "door.py").write_text(standin.RECORDING + standin.DOOR, encoding="utf-8")
    cells = standin.cells()
    cells[1].source += SETUP
    cells += [new_code_cell(leak.source, metadata={"tags": list(leak.tags)}) for leak in RUN]
    parameters = {"study": "study.yaml", "period": "2000Q4"}
    return execute(
        new_notebook(cells=cells), parameters, name="leaks", scratch=folder, source_folder=folder,
        log_file=folder / "log", limits=Limits(300), on_cell=lambda *_: None, variables={ENVIRONMENT: guard.key},
    )  # fmt: skip


def clean(executed: Any) -> Any:
    """The notebook without the leaks."""
    notebook = copy.deepcopy(executed)
    notebook.cells = notebook.cells[: len(notebook.cells) - len(RUN)]
    return notebook


def with_cell(executed: Any, cell: Any) -> Any:
    notebook = clean(executed)
    notebook.cells.insert(PLACE, cell)  # one more than people count: papermill's own cell stands before
    return notebook


def audit(notebook: Any, guard: Guard) -> None:
    audit_cells(notebook, guard)
    audit_document(document_of(notebook, toc=False, pdf_standard="ua-1"), guard)


def assert_stopped(notebook: Any, guard: Guard, words: str, where: str = f"cell {PLACE}") -> None:
    with pytest.raises(DisclosureError) as stopped:
        audit(notebook, guard)
    said = str(stopped.value)
    assert said.startswith((f"{where}:", f"{where} (")), said
    assert words.casefold() in said.casefold(), said
    for value in (PERSON, SHORT, NUMBER, "hunter2", "/srv"):
        assert value.casefold() not in said.casefold()


def test_a_clean_notebook_passes(executed: Any, guard: Guard) -> None:
    audit(clean(executed), guard)


@pytest.mark.parametrize(
    ("source", "typed"),
    [
        ("report.show(x, note='By day 60, 4 sessions')", "By day 60, 4 sessions"),
        ("report.show(x, note=f'Day {rules.landmark}: 4 sessions')", "Day 182: 4 sessions"),
        ("report.show(x, note='None')", "None"),
    ],
)
def test_numbers_that_were_typed_may_stand_in_words(source: str, typed: str) -> None:
    allowed = guard_for(
        "", identifiers=[], secrets=[], paths=[], protocol="landmark_day: 182\nfew: 4", authored="", days=[]
    )
    assert not _unknown_number([typed], new_code_cell(source), allowed)
    assert _unknown_number([typed + " of 7 people"], new_code_cell(source), allowed)


@pytest.mark.parametrize("leak", RUN, ids=lambda leak: leak.name)
def test_a_cell_that_leaks_is_named(executed: Any, guard: Guard, leak: Leak) -> None:
    cell = executed.cells[len(executed.cells) - len(RUN) + RUN.index(leak)]
    assert_stopped(with_cell(executed, copy.deepcopy(cell)), guard, leak.words)


@pytest.mark.parametrize("leak", WRITTEN, ids=lambda leak: leak.name)
def test_a_text_that_leaks_is_named(executed: Any, guard: Guard, leak: Leak) -> None:
    assert_stopped(with_cell(executed, new_markdown_cell(leak.source)), guard, leak.words)


def _attached(kind: str) -> Any:
    cell = new_markdown_cell("words") if kind == "markdown" else new_code_cell("pass")
    cell["attachments"] = {"a.png": {"image/png": "iVBORw0KGgo="}}
    return cell


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (_attached("markdown"), "attached file"),
        (_attached("code"), "attached file"),
        (
            new_markdown_cell("words", metadata={"note": f"see {PERSON}"}),
            "its metadata holds a participant's identifier",
        ),
        (new_code_cell("pass", metadata={"tags": [PERSON]}), "its metadata holds a participant's identifier"),
        (new_code_cell("pass", id=f"cell-{PERSON}"), "its metadata holds a participant's identifier"),
        (
            new_code_cell("1/0", outputs=[new_output("error", ename="E", evalue=PERSON, traceback=[PERSON])]),
            "traceback",
        ),
        (new_code_cell("x", outputs=[new_output("execute_result", data={}, execution_count=1)]), "did not pass"),
        (new_code_cell("x", outputs=[new_output("display_data", data={"text/html": [PERSON]})]), "HTML"),
    ],
)
def test_what_lies_beside_the_outputs_is_found(executed: Any, guard: Guard, cell: Any, words: str) -> None:
    assert_stopped(with_cell(executed, copy.deepcopy(cell)), guard, words)


def test_the_result_of_the_parameters_cell_is_found(executed: Any, guard: Guard) -> None:
    notebook = clean(executed)
    notebook.cells[0].outputs = [new_output("execute_result", data={"text/plain": "'a'"}, execution_count=1)]
    assert_stopped(notebook, guard, "a value", "cell 1")


@pytest.mark.parametrize(("name", "content"), [("title", PERSON), ("authors", [{"name": PERSON}])])
def test_the_notebooks_metadata_are_searched(executed: Any, guard: Guard, name: str, content: Any) -> None:
    notebook = clean(executed)
    notebook.metadata[name] = content
    assert_stopped(notebook, guard, "holds a participant's identifier", "the notebook's metadata")


def test_the_state_of_widgets_is_refused(executed: Any, guard: Guard) -> None:
    notebook = clean(executed)
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    with pytest.raises(DisclosureError, match="widgets"):
        audit(notebook, guard)


def test_every_cell_with_a_leak_is_named(executed: Any, guard: Guard) -> None:
    notebook = clean(executed)
    for place in (2, 4):
        cell = notebook.cells[place]
        cell.outputs = [new_output("stream", name="stdout", text="a")] if cell.cell_type == "code" else []
    notebook.cells.append(new_code_cell("x", outputs=[new_output("stream", name="stdout", text="b")]))
    with pytest.raises(DisclosureError, match=r"^cell 2: .* \(also: cell 4, 7\)$"):
        audit_cells(notebook, guard)


def test_another_runs_seals_are_refused(executed: Any, guard: Guard) -> None:
    other = Guard(new_key(), guard.identifiers, guard.secrets, guard.paths, guard.dates)
    with pytest.raises(DisclosureError, match="cell 2: its mark is not of this run"):
        audit_cells(clean(executed), other)


def test_without_a_key_nothing_is_sealed(executed: Any) -> None:
    with pytest.raises(DisclosureError, match="its mark is not of this run"):
        audit_cells(clean(executed), Guard())


def test_the_key_is_gone_from_the_kernels_environment(tmp_path: Path) -> None:
    (tmp_path / "door.py").write_text(standin.RECORDING + standin.DOOR, encoding="utf-8")
    probe = f"import os, door\nassert '{ENVIRONMENT}' not in os.environ"
    cells = [new_code_cell(standin.PARAMETERS, metadata={"tags": ["parameters"]}), new_code_cell(probe)]
    done = execute(
        new_notebook(cells=cells), {}, name="key", scratch=tmp_path, source_folder=tmp_path,
        log_file=tmp_path / "log", limits=Limits(120), on_cell=lambda *_: None, variables={ENVIRONMENT: new_key()},
    )  # fmt: skip
    assert not done.cells[-1].outputs


def test_words_that_only_look_alike_pass(executed: Any, guard: Guard) -> None:
    text = (
        "In 12 of 40 self-referrals (30%), between 2000Q3 and 2000Q4, up to December 31, 2000, 10,234 and 4,711,023 "
        "hours; version 1.10.18; [a site](https://example.org/a?b=1); 3 < 4 & 5 > 4."
    )
    audit(with_cell(executed, new_markdown_cell(text)), guard)


def test_the_notebook_file_of_a_run_is_valid(executed: Any) -> None:
    nbformat.validate(executed)
