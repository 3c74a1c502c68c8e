"""Renders through the command line: what must happen when all goes well, and when anything goes wrong."""

from __future__ import annotations

import contextlib
import html
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pikepdf
import pytest
from nbformat.v4 import new_code_cell

from evalkit.cli import _run
from publish import forked, standin
from publish.standin import command, environment, give_secret, living, pdf_pages, published, write_world

PLACE = "tiny/tiny/2000Q4"
GOOD = [f"{PLACE}/{name}" for name in ("manifest.json", "report.html", "report.pdf", "ro-crate-metadata.json")]
FILES = ["data/README.md", "data/datapackage.json", "data/fig-one.csv", "figures/fig-one.png", "figures/fig-one.svg"]
BESIDE = [f"{PLACE}/{name}" for name in ("CITATION.cff", *FILES)]


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return forked.evalkit(command(folder, *arguments)[3:], environment(folder, **more), folder)


def run_here(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, for what ends before a kernel starts."""
    words, given = command(folder, *arguments), environment(folder)
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        for name, value in given.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["evalkit", *words[3:]])
        code = _run()
    return subprocess.CompletedProcess(words, code, "", said.getvalue())


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip().splitlines()[-1]


def assert_clean_failure(done: subprocess.CompletedProcess[str], folder: Path, code: int, *words: str) -> None:
    """One clear line with its exit code; nothing published, nothing left running or lying about."""
    assert done.returncode == code, done.stderr
    line = last_line(done)
    assert line.startswith("evalkit: "), done.stderr
    for word in words:
        assert word in line, line
    assert "Traceback" not in done.stderr
    assert "QX7" not in done.stderr  # no participant's identifier
    assert published(folder) == []
    assert living(folder) == []
    assert [p for p in (folder / "tmp").iterdir() if p.name.startswith(("evalkit-", "ek-"))] == []


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    write_world(folder)
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(folder / "reports" / name) for name in (GOOD[2], GOOD[1])]
    return folder


def test_a_release_holds_pdf_html_and_manifest(good: Path) -> None:
    assert published(good) == BESIDE + GOOD
    assert living(good) == []


def test_progress_is_plain_lines_in_automation(tmp_path: Path) -> None:
    write_world(tmp_path)
    done = run(tmp_path, "--to", "html")
    assert [f"tiny 2000Q4: cell {i} of 6" in done.stderr for i in range(1, 7)] == [True] * 6
    assert "cell 7" not in done.stderr
    assert "\x1b[" not in done.stderr


def test_pdf_is_tagged_pdf_ua(good: Path) -> None:
    with pikepdf.open(good / "reports" / GOOD[2]) as pdf:
        assert bool(pdf.Root.MarkInfo.Marked)
        assert "/StructTreeRoot" in pdf.Root
        assert str(pdf.Root.Lang) == "en-US"
        with pdf.open_metadata() as meta:
            assert str(meta["pdfuaid:part"]) == "1"
            assert "Test report: A study" in str(meta["dc:title"])
        texts = _struct_texts(pdf.Root.StructTreeRoot)
    assert "Figure" in texts["kinds"]
    assert {"Table", "TH", "TD"} <= texts["kinds"]
    assert "A blue square. It is blue." in texts["alt"]


def _struct_texts(root: pikepdf.Object) -> dict[str, set[str]]:
    kinds: set[str] = set()
    alts: set[str] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, pikepdf.Dictionary):
            continue
        if "/S" in node:
            kinds.add(str(node.S).removeprefix("/"))
        if "/Alt" in node:
            alts.add(str(node.Alt))
        children = node.get("/K", [])
        waiting += list(children) if isinstance(children, pikepdf.Array) else [children]
    return {"kinds": kinds, "alt": alts}


def test_every_page_says_synthetic(good: Path) -> None:
    assert "Synthetic data" in (good / "reports" / GOOD[1]).read_text(encoding="utf-8")
    sheets = pdf_pages(good / "reports" / GOOD[2])
    assert sheets
    assert all("Synthetic data" in sheet for sheet in sheets)


def test_a_real_study_is_not_called_synthetic(tmp_path: Path) -> None:
    write_world(tmp_path, standin.cells(synthetic=False))
    assert run(tmp_path).returncode == 0
    assert "Synthetic data" not in (tmp_path / "reports" / GOOD[1]).read_text(encoding="utf-8")
    assert not any("ynthetic" in sheet for sheet in pdf_pages(tmp_path / "reports" / GOOD[2]))


def test_html_has_references_alt_text_and_no_code(good: Path) -> None:
    page = (good / "reports" / GOOD[1]).read_text(encoding="utf-8")
    assert 'alt="A blue square. It is blue."' in page
    assert 'href="#fig-one"' in page
    assert 'id="fig-one"' in page
    assert "Figure\u00a01" in page
    assert "Table\u00a01" in page
    assert "emit(" not in page
    assert "horizon_days" not in page


def test_a_title_with_special_characters_stands_as_it_is(tmp_path: Path) -> None:
    title = r"""A_b *c* #1 "q" 'r' \\ $x$ <i> & @fig-no"""
    cells = standin.cells()
    cells[1].source = cells[1].source.replace('study="A study"', f"study={title!r}")
    write_world(tmp_path, cells)
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "reports" / GOOD[1]).read_text(encoding="utf-8")
    assert [html.unescape(found) for found in re.findall(r"<h1>(.*?)</h1>", page)] == [title]
    assert title in " ".join(pdf_pages(tmp_path / "reports" / GOOD[2])[0].split())


def test_manifest_says_what_went_in_and_came_out(good: Path) -> None:
    manifest = json.loads((good / "reports" / GOOD[0]).read_text(encoding="utf-8"))
    assert set(manifest["inputs"]) == {"notebook", "notebook module door.py", "study", "table participants"}
    assert manifest["data_cut"] == "2000-12-31"
    assert manifest["parameters"] == {"horizon_days": 364, "period": "2000Q4", "study": "study.yaml"}
    assert manifest["publication"] == {
        "pdf_standard": "ua-1",
        "publisher": "embedded",
        "to": ["html", "pdf"],
        "toc": False,
    }
    assert set(manifest["outputs"]) == {"report.pdf", "report.html", "CITATION.cff", "ro-crate-metadata.json", *FILES}
    assert (manifest["revision"], manifest["supersedes"], manifest["ledger"]) == (1, None, [])
    assert {"lifelines", "numpy", "typst"} <= set(manifest["environment"]["packages"])
    assert [(e["output"], e["shows"], e["kind"]) for e in manifest["published"]] == [
        ("cell-4", "markdown", "groups"),
        ("fig-one", "figure", "drawn"),
        ("tbl-one", "table", "provenance"),
    ]
    assert set(manifest["tools"]) == {"pandoc", "typst"}
    assert str(good) not in json.dumps(manifest)  # no path of this machine


def test_the_same_inputs_give_the_same_bytes(good: Path, tmp_path: Path) -> None:
    write_world(tmp_path)
    give_secret(good, tmp_path)
    assert run(tmp_path).returncode == 0
    for name in BESIDE + GOOD:
        assert (tmp_path / "reports" / name).read_bytes() == (good / "reports" / name).read_bytes(), name


def test_a_broken_cell_is_named_without_values(tmp_path: Path) -> None:
    cells = standin.cells()
    cells.insert(
        3,
        new_code_cell(
            "import csv\nrow = list(csv.reader(open(study.replace('study.yaml', 'participants.csv'))))[1]\n{}[row[0]]"
        ),
    )
    write_world(tmp_path, cells)
    done = run(tmp_path)
    assert_clean_failure(done, tmp_path, 7, "tiny 2000Q4, cell 4: KeyError: '…'", "log:")
    log = Path(last_line(done).partition("log: ")[2].rstrip(")"))
    assert log.is_file()
    assert "QX7" not in log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o077 == 0


def test_an_error_of_the_author_is_shown_in_full(tmp_path: Path) -> None:
    cells = standin.cells()
    cells.insert(3, new_code_cell("kohort + 1"))
    write_world(tmp_path, cells)
    assert_clean_failure(run(tmp_path), tmp_path, 7, "cell 4: NameError: name 'kohort' is not defined")


def test_a_killed_kernel_is_told(tmp_path: Path) -> None:
    cells = standin.cells()
    cells.insert(4, new_code_cell("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
    write_world(tmp_path, cells)
    assert_clean_failure(run(tmp_path), tmp_path, 7, "cell 5: the kernel died")


def test_a_misspelt_parameter_fails_before_a_kernel_starts(tmp_path: Path) -> None:
    write_world(tmp_path)
    done = run(tmp_path, "-P", "horizon_dais=30")
    assert_clean_failure(done, tmp_path, 3, "-P horizon_dais", "did you mean 'horizon_days'?")
    assert "cell 1" not in done.stderr


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("horizon_days=soon", "should be a valid integer"),
        ("horizon_days=3.5", "should be a valid integer"),
        ("study=/etc/passwd", "is set with --study"),
        ("horizon_days", "key=value"),
        ("horizon_days=__import__('os')", "should be a valid integer"),
    ],
)
def test_a_wrong_parameter_value_is_refused(tmp_path: Path, given: str, words: str) -> None:
    write_world(tmp_path)
    assert_clean_failure(run_here(tmp_path, "-P", given), tmp_path, 3, words)


def test_a_missing_alt_text_names_the_cell(tmp_path: Path) -> None:
    cells = standin.cells()
    cells[4].source = "\n".join(line for line in cells[4].source.splitlines() if "fig-alt" not in line)
    write_world(tmp_path, cells)
    assert_clean_failure(run(tmp_path), tmp_path, 9, "cell 5 (fig-one)", "fig-alt")


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("print('hello')", 6, "cell 4: puts out printed text"),
        ("emit('markdown', 'See @fig-nowhere.', kind='groups')", 9, "reference '@fig-nowhere' leads nowhere"),
        # these stop at the same doors; all kinds of output are held in hardening/test_leaks.py, in one kernel
        pytest.param("{'a': 1}", 6, "cell 4: puts out a value that did not pass", marks=pytest.mark.slow),
        pytest.param("import warnings; warnings.warn('old')", 6, "cell 4: puts out a warning", marks=pytest.mark.slow),
        pytest.param("#| labl: x\n1;", 9, "unknown option '#| labl'; did you mean 'label'?", marks=pytest.mark.slow),
    ],
)
def test_what_may_not_leave_stops_the_release(tmp_path: Path, source: str, code: int, words: str) -> None:
    cells = standin.cells()
    cells.insert(3, new_code_cell(source))
    write_world(tmp_path, cells)
    assert_clean_failure(run(tmp_path), tmp_path, code, words)


def test_a_folder_that_cannot_be_written_is_found_first(tmp_path: Path) -> None:
    write_world(tmp_path)
    (tmp_path / "reports").write_text("a file where the folder should be", encoding="utf-8")
    done = run_here(tmp_path)
    assert done.returncode == 10
    assert "cannot be written" in last_line(done)
    assert "cell 1" not in done.stderr
    assert living(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a read-only folder needs root")
def test_a_read_only_folder_is_found_first(tmp_path: Path) -> None:
    write_world(tmp_path)
    reports = tmp_path / "reports"
    reports.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(reports)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no mounting in this place")
    try:
        done = run_here(tmp_path)
        assert done.returncode == 10, done.stderr
        assert "cannot be written (Read-only file system)" in last_line(done)
        assert "cell 1" not in done.stderr
        assert list(reports.iterdir()) == []
    finally:
        subprocess.run(["umount", str(reports)], check=True)


def test_a_deadline_ends_everything(tmp_path: Path) -> None:
    cells = standin.cells()
    sleeper = (
        "import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', study])"
    )
    cells.insert(1, new_code_cell(f"{sleeper}\ntime.sleep(600)"))  # before anything large is imported
    write_world(tmp_path, cells, timeout_minutes=0.25)
    assert_clean_failure(run(tmp_path), tmp_path, 8, "stopped in cell 2", "timeout_minutes")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_process(tmp_path: Path, sent: signal.Signals) -> None:
    cells = standin.cells()
    cells.insert(
        3,
        new_code_cell("from pathlib import Path\nPath(study).with_name('begun').touch()\nimport time\ntime.sleep(600)"),
    )
    write_world(tmp_path, cells)
    child = subprocess.Popen(
        command(tmp_path),
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - a shell's background ignores it
    )
    begun = time.monotonic()
    while not (tmp_path / "begun").exists():
        assert child.poll() is None, child.stderr.read()
        assert time.monotonic() - begun < 240
        time.sleep(0.1)
    child.send_signal(sent)
    out, err = child.communicate(timeout=30)
    done = subprocess.CompletedProcess(child.args, child.returncode, out, err)
    assert_clean_failure(done, tmp_path, 130, "interrupted")


@pytest.mark.parametrize("how_many", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_renders_of_different_studies_at_once(tmp_path: Path, how_many: int) -> None:
    worlds = [tmp_path / f"w{i}" for i in range(how_many)]
    for world in worlds:
        write_world(world)
    children = [
        subprocess.Popen(command(w), env=environment(w), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=w)
        for w in worlds
    ]
    assert [child.wait(timeout=400) for child in children] == [0] * how_many, [c.stderr.read() for c in children]
    for child in children:
        child.communicate()
    assert [published(w) for w in worlds] == [BESIDE + GOOD] * how_many
    assert living(tmp_path) == []


def test_two_renders_of_one_period_give_one_release(tmp_path: Path) -> None:
    write_world(tmp_path)
    children = [
        subprocess.Popen(
            command(tmp_path, "--to", "html"),
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    codes = sorted(child.wait(timeout=400) for child in children)
    errors = "".join(child.communicate()[1] for child in children)
    assert codes == [0, 0], errors
    assert "waiting for another render of this study" in errors
    assert "up to date" in errors
    assert published(tmp_path) == [*BESIDE, *GOOD[:2], GOOD[3]]


def test_jobs_of_one_study_are_done_in_the_order_of_time(tmp_path: Path) -> None:
    write_world(tmp_path)
    done = run(tmp_path, "--to", "html", "--period", "2000Q4", "--period", "2000Q3", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert {name.split("/")[2] for name in published(tmp_path)} == {"2000Q3", "2000Q4"}
    ended = [line.split(": published")[0][-6:] for line in done.stderr.splitlines() if ": published in" in line]
    assert ended == ["2000Q3", "2000Q4"]
    assert [Path(line).parent.name for line in done.stdout.split()] == ["2000Q4", "2000Q3"]  # as they were asked for
