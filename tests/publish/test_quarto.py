"""The Quarto publisher against a stand-in that behaves as the real program was seen to, and against the real one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import nbformat
import pikepdf
import pytest
import yaml

from evalkit.errors import PublicationError
from evalkit.publish._page import wrap_tables
from evalkit.publish._prepare import Item
from evalkit.publish._quarto import publish_quarto
from publish.standin import PDF, command, environment, living, pdf_pages, published, write_standin, write_world
from web.pages import document

REAL = shutil.which("quarto")


def run(folder: Path, *arguments: str, mode: str = "good", **more: str) -> subprocess.CompletedProcess[str]:
    program = write_standin(folder)
    env = environment(
        folder, EVALKIT_QUARTO=str(program), STANDIN_MODE=mode, STANDIN_RECORD=str(folder / "record.json"), **more
    )
    return subprocess.run(
        command(folder, *arguments), env=env, capture_output=True, text=True, cwd=folder, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("quarto")
    write_world(folder)
    done = run(folder, QUARTO_PROFILE="theirs", TYPST_FONT_PATHS="/nowhere")
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
        ("crossref", "Unable to resolve crossref @fig-nowhere"),
        ("table", "quarto: Unable to parse table from raw html block"),
        ("citation", "Citeproc: citation nobody not found"),
        ("font", "quarto: warning: unknown font family: nowhere"),
        ("standard", "quarto: PDF standard 'x-9' is not supported"),
        ("nothing", "left no report.pdf"),
        ("remote", "loads from the network at <img src>"),
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
    assert record["settings"] == {"TYPST_IGNORE_SYSTEM_FONTS": "true"}  # fonts are those of the report alone
    monkeypatch.setenv("EVALKIT_QUARTO", str(write_standin(tmp_path)))
    (tmp_path / "_quarto.yml").write_text("project: {type: website}\n", encoding="utf-8")
    (tmp_path / "scratch").mkdir()
    with pytest.raises(PublicationError, match=r"_quarto\.yml would change the report"):
        publish_quarto(document(), ("html",), tmp_path / "scratch", 60)


def test_tables_are_named_by_the_captions_that_quarto_puts_before_them() -> None:
    float_ = "<figure><figcaption>Table {n}. {name}</figcaption><div><table></table></div></figure>"
    page = f"<h2>Heading</h2>{float_.format(n=1, name='One')}{float_.format(n=2, name='Two')}<table></table>"
    assert re.findall(r'aria-label="([^"]*)"', wrap_tables(page)) == ["Table 1. One", "Table 2. Two", "Heading"]


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


def test_what_quarto_is_given(tmp_path: Path) -> None:
    from datetime import date

    import pypandoc

    from evalkit.publish._document import Document, resources
    from evalkit.publish._embedded import DIALECT
    from evalkit.publish._quarto import write_input

    items = (
        Item("markdown", 1, "# Heading\n\nSee @fig-a."),
        Item("figure", 2, "<svg></svg>", "fig-a", 'A "caption": with colon', "Alt text: two #s"),
        Item("table", 3, "<table></table>", "tbl-a", "A caption"),
        Item("code", 4, "1 + 1"),
    )
    made = Document("T", "", "S", "O", "p", "c", date(2022, 9, 30), synthetic=True, locale="en-US", items=items)
    notebook = nbformat.read(write_input(made, ("pdf", "html"), tmp_path), as_version=4)
    nbformat.validate(notebook)
    front = yaml.safe_load(notebook.cells[0].source.strip("-\n "))
    assert front["lang"] == "en-US"
    assert front["execute"]["enabled"] is False
    assert front["format"]["typst"]["pdf-standard"] == "ua-1"
    assert front["format"]["typst"]["template-partials"] == ["typst-template.typ", "typst-show.typ"]
    assert front["format"]["html"]["embed-resources"] is True
    assert front["ek-synthetic"] is True
    assert front["title"] == "T"  # else Quarto would take the first heading away, to be the title
    assert front["crossref"] == {
        "title-delim": ".", "fig-title": "Figure", "fig-prefix": "Figure", "tbl-title": "Table", "tbl-prefix": "Table",
    }  # fmt: skip
    assert front["format"]["html"]["minimal"] is True
    page = front["format"]["html"]
    assert (page["template"], page["css"], page["toc"]) == (
        "report.html5",
        "report.css",
        True,
    )  # the embedded one's page
    for name in ("report.html5", "report.css"):
        assert (tmp_path / name).read_bytes() == (resources() / name).read_bytes()
    assert front["ek-study-html"] == "`S`{=html}"
    beside = notebook.cells[3]
    assert beside.cell_type == "markdown"  # below its figure; Quarto must not take its table for one of the report
    given = json.loads(pypandoc.convert_text(beside.source, "json", DIALECT))
    (block,) = given["blocks"]
    (_, classes, attributes), content = block["c"]
    assert (block["t"], classes) == ("Div", ["content-visible"])
    assert attributes == [["when-format", "html"], ["html-table-processing", "none"]]
    assert [(part["t"], part["c"][0]) for part in content] == [("RawBlock", "html")]
    assert 'href="figures/fig-a.svg"' in beside.source
    options = yaml.safe_load("\n".join(line[3:] for line in notebook.cells[2].source.splitlines()))
    assert options == {
        "label": "fig-a",
        "echo": False,
        "fig-cap": 'A "caption": with colon',
        "fig-alt": "Alt text: two #s",
    }
    assert notebook.cells[2].outputs[0].data == {"image/svg+xml": "<svg></svg>"}
    assert all("evalkit" not in o.get("metadata", {}) for c in notebook.cells for o in c.get("outputs", []))


@pytest.mark.quarto
@pytest.mark.skipif(REAL is None, reason="the Quarto executable is not installed here")
def test_the_real_quarto_makes_an_accessible_pdf_and_a_page(tmp_path: Path) -> None:
    write_world(tmp_path)
    env = environment(tmp_path) | {"EVALKIT_QUARTO": str(REAL), "PATH": os.environ["PATH"]}
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


@pytest.mark.quarto
@pytest.mark.skipif(REAL is None, reason="the Quarto executable is not installed here")
def test_the_real_quarto_is_not_believed_when_a_citation_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALKIT_QUARTO", str(REAL))
    cited = Item("markdown", 1, "# Heading\n\nAs said before [@nobody].\n\n::: {#refs}\n:::")
    made = replace(document(), items=(cited,), bibliography=b'[{"id": "somebody", "type": "book", "title": "T"}]')
    with pytest.raises(PublicationError, match="nobody"):
        publish_quarto(made, ("html",), tmp_path, 120)


@pytest.mark.quarto
@pytest.mark.skipif(REAL is None, reason="the Quarto executable is not installed here")
def test_the_real_quarto_leaves_no_process_when_stopped(tmp_path: Path) -> None:
    write_world(tmp_path, timeout_minutes=0.12)
    env = environment(tmp_path) | {"EVALKIT_QUARTO": str(REAL), "PATH": os.environ["PATH"]}
    done = subprocess.run(command(tmp_path), env=env, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode in {0, 8}, done.stderr
    assert living(tmp_path) == []
