"""The Quarto publisher against a stand-in that behaves as the real program was seen to, and against the real one."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import pikepdf
import pytest

from evalkit.errors import MissingToolError, PublicationError
from evalkit.publish.rendering._document import Item
from evalkit.publish.rendering._quarto import _environment, needed_quarto, publish_quarto, write_input
from publish import forked
from publish.crash import write_light_world
from publish.standin import (
    PDF,
    REAL,
    command,
    environment,
    living,
    pdf_pages,
    published,
    real_quarto,
    with_quarto,
    write_standin,
    write_world,
)
from web.pages import document


def run(folder: Path, *arguments: str, mode: str = "good", **more: str) -> subprocess.CompletedProcess[str]:
    program = write_standin(folder)
    given = {"EVALKIT_QUARTO": str(program), "STANDIN_MODE": mode, "STANDIN_RECORD": str(folder / "record.json")}
    env = environment(folder, **given | more)
    return forked.evalkit(command(folder, *arguments)[3:], env, folder)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("quarto")
    write_world(folder)
    theirs = {"QUARTO_PROFILE": "theirs", "QUARTO_LOG_LEVEL": "debug", "TYPST_FONT_PATHS": "/nowhere"}
    done = run(folder, mode="conda", QUARTO_DENO="/opt/deno", QUARTO_SHARE_PATH="/opt/share", **theirs)
    assert done.returncode == 0, done.stderr  # that veraPDF is not there is no failure
    return folder, json.loads((folder / "record.json").read_text())


def test_command_line_and_environment(good: tuple[Path, dict]) -> None:
    folder, record = good
    assert record["args"] == ["render", "report.ipynb", "--to", "typst,html", "--no-execute"]
    assert record["no_color"] == "1"
    assert record["sid"] == record["pid"]  # a session of its own: its children can be signalled as one group
    assert Path(record["cwd"]).name == "quarto"
    assert not str(record["cwd"]).startswith(str(folder / "reports"))
    assert record["home"].startswith(record["cwd"])
    given = {
        "report.ipynb",
        "report.html5",
        "report.css",
        "evalkit.lua",
        "typst-template.typ",
        "typst-show.typ",
        "fonts",
    }
    assert given <= set(record["beside"])
    assert "report.pdf" not in record["beside"]  # a fresh folder: no old output can be taken for a new one


def test_release_is_what_quarto_made_without_remote_scripts(good: tuple[Path, dict]) -> None:
    folder, _ = good
    release = folder / "reports/tiny/tiny/2000Q4"
    assert (release / "report.pdf").read_bytes() == PDF
    page = (release / "report.html").read_text()
    assert "<script" not in page
    assert page.index('<meta charset="utf-8">') < 1000
    assert page.count('alt="') == 1  # of the picture, not of what stands around it
    manifest = json.loads((release / "manifest.json").read_text())
    assert manifest["publication"]["publisher"] == "quarto"
    assert manifest["tools"]["quarto"] == "1.10.18"
    assert not Path(json.loads((folder / "record.json").read_text())["cwd"]).exists()


def test_auto_takes_quarto_where_it_is_and_embedded_on_request(tmp_path: Path) -> None:
    write_world(tmp_path)
    assert run(tmp_path, "--publisher", "embedded", "--to", "html").returncode == 0
    assert not (tmp_path / "record.json").exists()
    manifest = json.loads((tmp_path / "reports/tiny/tiny/2000Q4/manifest.json").read_text())
    assert manifest["publication"]["publisher"] == "embedded"


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("typst", "quarto: file not found (searched at {somewhere})"),
        ("yaml", "quarto: YAMLException: bad indentation of a mapping entry (3:1)"),
        ("ansi", "quarto: Validation of YAML front matter failed."),
        ("leftover", "quarto: Unknown format nosuchformat"),
        ("filter", "quarto: running filter evalkit.lua"),
        ("lua", "quarto: ERROR (evalkit.lua:1) a filter called error()"),
        ("plain", "quarto: report.pdf is no PDF/UA-1; see 'evalkit doctor', or use --publisher embedded"),
        ("crossref", "Unable to resolve crossref @fig-nowhere"),
        ("table", "quarto: Unable to parse table from raw html block"),
        ("citation", "Citeproc: citation nobody not found"),
        ("font", "quarto: warning: unknown font family: nowhere"),
        ("standard", "quarto: PDF standard 'x-9' is not supported"),
        ("nothing", "left no report.pdf"),
        ("remote", "loads something at <img src>"),
    ],
)
def test_failures_are_read_from_exit_code_and_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, words: str
) -> None:
    monkeypatch.setenv("EVALKIT_QUARTO", str(write_standin(tmp_path)))
    monkeypatch.setenv("STANDIN_MODE", mode)
    monkeypatch.setenv("STANDIN_RECORD", str(tmp_path / "record.json"))
    with pytest.raises(PublicationError) as failed:
        publish_quarto(document(), ("pdf", "html"), tmp_path, 60)
    assert words in str(failed.value)


def test_settings_of_others_do_not_reach_quarto(
    good: tuple[Path, dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, record = good
    assert record[
        "settings"
    ] == {  # where conda-forge's parts lie, and no settings; fonts are those of the report alone
        "QUARTO_DENO": "/opt/deno",
        "QUARTO_SHARE_PATH": "/opt/share",
        "TYPST_IGNORE_SYSTEM_FONTS": "true",
    }
    monkeypatch.setenv("EVALKIT_QUARTO", str(write_standin(tmp_path)))
    (tmp_path / "_quarto.yml").write_text("project: {type: website}\n", encoding="utf-8")
    (tmp_path / "scratch").mkdir()
    with pytest.raises(PublicationError, match=r"_quarto\.yml would change the report"):
        publish_quarto(document(), ("html",), tmp_path / "scratch", 60)


@pytest.mark.parametrize(
    ("mode", "words"),
    [("typst", "quarto: file not found (searched at {somewhere})"), ("cut", "report.pdf: is no PDF that can be read")],
)
def test_a_failure_of_quarto_or_of_its_files_publishes_nothing(tmp_path: Path, mode: str, words: str) -> None:
    write_world(tmp_path)
    done = run(tmp_path, mode=mode)
    assert done.returncode == 9, done.stderr
    assert words in done.stderr.strip().splitlines()[-1]
    assert published(tmp_path) == []


def test_a_hanging_quarto_ends_with_its_children(tmp_path: Path) -> None:
    write_world(tmp_path, timeout_minutes=0.25)
    done = run(tmp_path, mode="hang")
    assert done.returncode == 8, done.stderr
    assert "quarto: stopped after" in done.stderr
    assert published(tmp_path) == []
    assert living(tmp_path) == []


def test_what_quarto_itself_needs_is_asked_for_before_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks for its programs with `which`, and says something else where there is none."""
    monkeypatch.setenv("EVALKIT_QUARTO", str(write_standin(tmp_path)))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(MissingToolError, match=r"^quarto: needs the program 'which'; install it, or use --publisher"):
        needed_quarto()
    monkeypatch.delenv("PATH")  # as `env -i` has it: programs lie where the system has them
    assert _environment(tmp_path)["PATH"] == os.defpath


def test_asking_for_quarto_without_it_says_how_to_get_it(tmp_path: Path) -> None:
    write_world(tmp_path)
    done = subprocess.run(
        command(tmp_path, "--publisher", "quarto"),
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 11, done.stderr
    assert "--publisher embedded" in done.stderr.strip().splitlines()[-1]
    assert published(tmp_path) == []


def test_quarto_starts_no_helper_for_a_table(good: tuple[Path, dict], tmp_path: Path) -> None:
    _, record = good
    assert record["helpers"] == 0
    # The stand-in counts: without our filter, each table costs one.
    folder = tmp_path / "without"
    folder.mkdir()
    source = write_input(document(), ("pdf",), folder)
    notebook = nbformat.read(source, as_version=4)
    notebook.cells[0].source = notebook.cells[0].source.replace("at: pre-ast", "at: post-quarto")
    nbformat.write(notebook, source)
    env = environment(tmp_path) | {"STANDIN_RECORD": str(tmp_path / "record.json")}
    call = [str(write_standin(tmp_path)), "render", "report.ipynb", "--to", "typst"]
    subprocess.run(call, cwd=folder, env=env, check=True, capture_output=True)
    tables = "\n".join(cell.source for cell in notebook.cells).count("<table")
    assert tables > 2
    assert json.loads((tmp_path / "record.json").read_text())["helpers"] == tables


def test_what_quarto_keeps_lies_in_the_scratch_folder(good: tuple[Path, dict]) -> None:
    _, record = good
    assert {"TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"} <= set(
        record["places"]
    )
    assert all(Path(place).is_relative_to(record["cwd"]) for place in record["places"].values())
    assert Path(record["session"]).is_relative_to(record["cwd"])


def stopped(folder: Path, number: int, **more: str) -> Path:
    """Send a signal while Quarto has the report's text in a file of its own; return that file's folder."""
    write_light_world(folder)
    child = subprocess.Popen(
        command(folder),
        env=environment(folder, **more),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    end = time.monotonic() + 120
    while not (kept := [file.parent for file in _texts(folder) if b"One table" in _read(file)]):
        assert time.monotonic() < end
        assert child.poll() is None, "it ended before"
        time.sleep(0.02)
    child.send_signal(number)
    child.communicate(timeout=60)
    return kept[0]


def _texts(folder: Path) -> list[Path]:
    return [file for file in folder.glob("tmp/**/quarto-session*/**/*") if file.is_file()]


def _read(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() else b""  # Quarto itself takes them away


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_of_the_report_stays_behind_a_signal(tmp_path: Path, number: int) -> None:
    more = {"EVALKIT_QUARTO": str(write_standin(tmp_path)), "STANDIN_RECORD": str(tmp_path / "record.json")}
    session = stopped(tmp_path, number, STANDIN_MODE="hang", **more)
    if number == signal.SIGKILL:  # nobody is left to tidy up: the next run does, by the marker
        assert session.is_dir()
        assert run(tmp_path).returncode == 0
    assert not session.exists()
    assert list((tmp_path / "tmp").iterdir()) == []
    assert living(tmp_path) == []


@with_quarto
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_of_the_report_stays_behind_a_signal_with_the_real_quarto(tmp_path: Path, number: int) -> None:
    session = stopped(tmp_path, number, **real_quarto())
    if number == signal.SIGKILL:
        assert run(tmp_path, **real_quarto()).returncode == 0
    assert not session.exists()
    assert list((tmp_path / "tmp").iterdir()) == []
    assert living(tmp_path) == []


@pytest.mark.parametrize("publisher", ["embedded", "quarto", with_quarto("real")])
@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("::: {.panel-tabset}\nx\n:::", 6, "cell 4: uses the class 'panel-tabset', which the publishers do not treat alike; take it out"),
        ("```{mermaid}\nx\n```", 6, "cell 4: holds code that Quarto would run ('mermaid'); write it without braces"),
        ("As @sec-nowhere says.", 9, "cell 4: reference '@sec-nowhere' leads nowhere"),
    ],
)  # fmt: skip
def test_what_quarto_alone_acts_upon_is_refused_before_the_notebook_runs(
    tmp_path: Path, publisher: str, text: str, code: int, said: str
) -> None:
    write_light_world(tmp_path)
    file = tmp_path / "notebooks/tiny.ipynb"
    notebook = nbformat.read(file, as_version=4)
    notebook.cells.insert(3, nbformat.v4.new_markdown_cell(text))
    nbformat.write(notebook, file)
    door = tmp_path / "notebooks/door.py"
    door.write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w').close()\n{door.read_text(encoding='utf-8')}", encoding="utf-8"
    )
    real = real_quarto() if publisher == "real" else {}
    done = run(tmp_path, "--publisher", "quarto" if real else publisher, **real)
    assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (code, f"evalkit: {said}")
    assert not (tmp_path / "ran").exists()
    assert published(tmp_path) == []


@pytest.mark.parametrize(("version", "works"), [("1.8.99", False), ("1.9.0", True), ("1.10.18", True), ("0.99", False)])
def test_an_old_quarto_is_refused_before_the_notebook_runs(tmp_path: Path, version: str, works: bool) -> None:
    write_light_world(tmp_path)
    door = tmp_path / "notebooks/door.py"
    door.write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w').close()\n{door.read_text(encoding='utf-8')}", encoding="utf-8"
    )
    done = run(tmp_path, STANDIN_VERSION=version)
    assert (tmp_path / "ran").exists() is works
    assert done.returncode == (0 if works else 11), done.stderr
    if not works:
        said = f"evalkit: quarto: {version} is too old; install 1.9 or newer, or use --publisher embedded"
        assert done.stderr.strip().splitlines()[-1] == said
        assert published(tmp_path) == []


def test_doctor_tries_quarto_and_names_what_it_brings(tmp_path: Path) -> None:
    more = {"EVALKIT_QUARTO": str(write_standin(tmp_path)), "STANDIN_RECORD": str(tmp_path / "record.json")}
    for mode, words in (
        ("good", "ok 1.10.18: publishes a line; deno 2.4.5, pandoc 3.8.3, typst 0.14.2"),
        ("conda", "optional -: quarto: deno: not found"),  # its version alone is answered
        ("plain", "optional -: quarto: report.pdf is no PDF/UA-1"),
    ):
        env = environment(tmp_path, STANDIN_MODE=mode, **more)
        done = subprocess.run(
            [sys.executable, "-m", "evalkit", "doctor"],
            env=env,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        rows = [[" ".join(cell.split()) for cell in line.strip("│").split("│")] for line in done.stdout.splitlines()]
        sign, _, version, remark = next(row for row in rows if row[1:2] == ["quarto"])
        assert f"{sign} {version}: {remark.partition(': ')[2]}".startswith(words)
    assert list((tmp_path / "tmp").iterdir()) == []


@with_quarto
def test_the_real_quarto_makes_an_accessible_pdf_and_a_page(tmp_path: Path) -> None:
    write_world(tmp_path)
    env = environment(tmp_path, **real_quarto())
    done = subprocess.run(command(tmp_path), env=env, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    release = tmp_path / "reports/tiny/tiny/2000Q4"
    with pikepdf.open(release / "report.pdf") as pdf, pdf.open_metadata() as meta:
        assert bool(pdf.Root.MarkInfo.Marked)
        assert str(pdf.Root.Lang) == "en-US"
        assert str(meta["pdfuaid:part"]) == "1"
    page = (release / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.index('<meta charset="utf-8">') < 1024
    assert "A heading" in page
    assert "A heading" in " ".join(pdf_pages(release / "report.pdf"))
    names = re.findall(r'aria-label="([^"]*)"', page)
    assert len(set(names)) == len(names)
    assert "A blue square. It is blue." in page
    assert "Synthetic data." in page
    assert "<h1>A study</h1>" in page
    assert 'class="skip"' in page
    assert '<main id="content">' in page
    assert "emit(" not in page


@with_quarto
def test_the_real_quarto_is_not_believed_when_a_citation_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALKIT_QUARTO", str(REAL))
    cited = Item("markdown", 1, "# Heading\n\nAs said before [@nobody].\n\n::: {#refs}\n:::")
    made = replace(document(), items=(cited,), bibliography=b'[{"id": "somebody", "type": "book", "title": "T"}]')
    with pytest.raises(PublicationError, match="nobody"):
        publish_quarto(made, ("html",), tmp_path, 120)


@with_quarto
def test_the_real_quarto_leaves_no_process_when_stopped(tmp_path: Path) -> None:
    write_world(tmp_path, timeout_minutes=0.12)
    env = environment(tmp_path, **real_quarto())
    done = subprocess.run(command(tmp_path), env=env, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode in {0, 8}, done.stderr
    assert living(tmp_path) == []


@with_quarto
def test_the_real_quarto_starts_no_helper_for_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would cost half a second of a processor, and here are two dozen tables more."""
    monkeypatch.setenv("EVALKIT_QUARTO", str(REAL))
    (table,) = [item for item in document().items if item.kind == "table"]
    more = tuple(replace(table, label=f"tbl-{number}") for number in range(24))
    costs = []
    for name, items in (("first", ()), ("few", ()), ("many", more)):
        (tmp_path / name).mkdir()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        made = replace(document(), items=(*document().items, *items))
        publish_quarto(made, ("pdf", "html"), tmp_path / name, 300)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert costs[2] - costs[1] < 6, costs


@with_quarto
def test_settings_of_others_do_not_reach_the_real_quarto(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_QUARTO", str(REAL))
    made = []
    for name in ("plain", "theirs"):
        (tmp_path / name).mkdir()
        files = publish_quarto(document(), ("pdf", "html"), tmp_path / name, 300)
        made.append((pdf_pages(files["pdf"]), files["html"].read_text(encoding="utf-8")))
        for variable, value in (("PROFILE", "theirs"), ("LOG_LEVEL", "debug"), ("PDF_STANDARD", "a-2b")):
            monkeypatch.setenv(f"QUARTO_{variable}", value)
        monkeypatch.setenv("TYPST_FONT_PATHS", "/nowhere")
    assert made[0] == made[1]


@with_quarto
def test_doctor_tries_the_real_quarto(tmp_path: Path) -> None:
    env = environment(tmp_path, **real_quarto())
    call = [sys.executable, "-m", "evalkit", "doctor"]
    done = subprocess.run(call, env=env, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert re.search(r"publishes a line; deno \d\S+, pandoc \d\S+, typst \d", done.stdout), done.stdout
    assert list((tmp_path / "tmp").iterdir()) == []
