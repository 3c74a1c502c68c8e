"""Drafts: what a render would publish, marked on every page, in the private folder, and never a release."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evalkit.cli import _run
from evalkit.errors import ExecutionError
from evalkit.protocol import Planned, freeze, load_study
from evalkit.publish.rendering._execute import Limits
from evalkit.publish.rendering._session import Session
from publish import standin
from publish.standin import environment, pdf_pages, write_world

PLACE = Path(".evalkit/tiny/drafts/tiny/2000Q4")


def evalkit_here(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this process."""
    said, written = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said), contextlib.redirect_stdout(written):
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["evalkit", *words, "--study", "study.yaml"])
        code = _run()
    return subprocess.CompletedProcess(words, code, written.getvalue(), said.getvalue().strip())


def draft(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return evalkit_here(folder, "draft", "tiny", *arguments)


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("draft")
    write_world(folder)
    done = draft(folder, "--pdf")
    assert done.returncode == 0, done.stderr
    return folder, done


def test_a_draft_lies_in_the_private_folder_and_nowhere_else(drafted) -> None:
    folder, done = drafted
    assert done.stdout.split() == [str(folder / PLACE / "report.html"), str(folder / PLACE / "report.pdf")]
    assert sorted(f.name for f in (folder / PLACE).iterdir()) == ["draft.json", "report.html", "report.pdf"]
    assert (folder / PLACE).stat().st_mode & 0o077 == 0
    assert (folder / PLACE / "report.html").stat().st_mode & 0o077 == 0
    assert not (folder / "reports").exists()
    assert not (folder / ".evalkit" / "tiny" / "ledger").exists()
    assert json.loads((folder / PLACE / "draft.json").read_text()) == {
        "draft": 1,
        "study": "tiny",
        "report": "tiny",
        "period": "2000Q4",
    }


def test_each_page_says_that_it_is_a_draft(drafted) -> None:
    folder, _ = drafted
    pages = pdf_pages(folder / PLACE / "report.pdf")
    assert pages
    assert all("DRAFT" in page for page in pages)
    page = (folder / PLACE / "report.html").read_text(encoding="utf-8")
    assert '<div class="drafted" role="note"><strong>Draft</strong>. Not published and not approved' in page
    assert "<script" not in page
    assert 'href="data/' not in page  # its files do not lie beside it
    assert "Show the numbers as a table" in page


@pytest.mark.parametrize(
    "words",
    [
        ("verify", str(PLACE)), ("verify", str(PLACE), "--quick"), ("review", str(PLACE)), ("archive", str(PLACE)),
        ("approve", str(PLACE), "--name", "Ann", "--reason", "good"), ("withdraw", str(PLACE), "it is wrong"),
    ],
    ids=lambda words: "-".join(words[::2]).replace("/", "."),
)  # fmt: skip
def test_nothing_takes_a_draft_for_a_release(drafted, words: tuple[str, ...]) -> None:
    folder, _ = drafted
    done = evalkit_here(folder, *words)
    assert done.returncode == 10
    assert done.stderr.startswith("evalkit: ")
    assert done.stderr.endswith("is a draft, and no release; evalkit render makes one")
    assert "\n" not in done.stderr


def test_a_site_is_not_made_with_a_draft_among_the_releases(drafted, tmp_path) -> None:
    folder, _ = drafted
    shutil.copytree(folder / PLACE, tmp_path / "reports" / "tiny" / "tiny" / "2000Q4")
    words = ("site", "--out", str(tmp_path / "site"), "--reports", str(tmp_path / "reports"))
    done = evalkit_here(folder, *words)
    assert done.returncode == 10
    assert done.stderr.endswith("is a draft, and no release; evalkit render makes one")
    assert not (tmp_path / "site").exists()


def test_a_draft_in_spanish_says_so_in_spanish(tmp_path) -> None:
    cells = standin.cells()
    cells[1]["source"] = cells[1]["source"].replace("en-US", "es-US")
    write_world(tmp_path, cells)
    done = draft(tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / PLACE / "report.html").read_text(encoding="utf-8")
    assert "<strong>Borrador</strong>. No publicado ni aprobado" in page


def test_what_was_not_planned_is_said_as_in_a_render(tmp_path) -> None:
    write_world(tmp_path)
    freeze(load_study(tmp_path / "study.yaml"), "v1", "Before.", date(2024, 1, 1), [Planned(name="0" * 12)])
    assert draft(tmp_path).returncode == 0
    page = (tmp_path / PLACE / "report.html").read_text(encoding="utf-8")
    assert "Added after the protocol was frozen (v1, January 1, 2024)." in page


def test_problems_are_said_each_on_a_line_before_anything_runs(tmp_path, monkeypatch) -> None:
    cells = standin.cells()
    cells[2] = new_markdown_cell("# A heading\n\nSee @fig-two.")
    cells[4]["source"] = cells[4]["source"].replace("#| fig-alt", "#| fig-alter")
    cells.append(new_code_cell("raise RuntimeError('it ran')"))
    write_world(tmp_path, cells)
    monkeypatch.setattr("evalkit.publish._draft.Session.run", lambda *_, **__: pytest.fail("it ran"))
    done = draft(tmp_path)
    assert done.returncode == 9
    assert [line for line in done.stderr.splitlines() if line.startswith("evalkit: ")] == [
        "evalkit: cell 3: reference '@fig-two' leads nowhere; did you mean 'fig-one'?",
        "evalkit: cell 5: unknown option '#| fig-alter'; did you mean 'fig-alt'?",
    ]
    assert not (tmp_path / PLACE / "report.html").exists()


def test_what_cells_put_out_is_limited_in_drafts(tmp_path) -> None:
    options = {"variables": {}, "scrub": str, "on_cell": lambda *_: None}
    cells = [new_code_cell("x = 1", metadata={"tags": ["parameters"]}), new_code_cell("print('x' * 200_000)")]
    with Session("tiny", tmp_path, tmp_path, tmp_path / "log", {}) as session:
        with pytest.raises(ExecutionError, match=r"cell 2: it put out more than 0\.1 MB; raise output_mb"):
            session.run(new_notebook(cells=cells), {}, limits=Limits(60, output_mb=0.1), **options)
        done = session.run(new_notebook(cells=cells), {}, limits=Limits(60, output_mb=1), **options)
    assert len(done.cells[-1].outputs[0].text) == 200_001


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        ("import sys; sys.stdout.write('QX71')", 6, "cell 7: puts out printed text; only what report.show"),
        ("raise ValueError('x')", 7, "cell 7, line 1: ValueError: x"),
        ("from door import emit as e\ne('markdown', 'QX71', kind='groups')", 6, "cell 7: its text holds a participant's identifier"),
    ],
)  # fmt: skip
def test_what_a_render_refuses_a_draft_refuses(tmp_path, source: str, code: int, says: str) -> None:
    write_world(tmp_path, [*standin.cells(), new_code_cell(source)])
    done = draft(tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "QX71" not in done.stderr
    assert not (tmp_path / PLACE / "report.html").exists()
