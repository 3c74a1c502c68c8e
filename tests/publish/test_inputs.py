"""What the publishers' programs are given, and what is made of their answers, without running them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pypandoc
import pytest
import yaml
from nbformat.v4 import new_notebook

from evalkit.errors import MissingToolError, PublicationError
from evalkit.publish.rendering import _embedded, _quarto, _session
from evalkit.publish.rendering._document import (
    ATTACHMENT,
    BIBLIOGRAPHY,
    Document,
    Item,
    document_of,
    resources,
    with_bibliography,
)
from evalkit.publish.rendering._embedded import DIALECT, metadata, publish_embedded
from evalkit.publish.rendering._execute import Limits
from evalkit.publish.rendering._machine import Finished
from evalkit.publish.rendering._pieces import beside, finished, markdown_parts, wrap_tables, write_markdown
from evalkit.publish.rendering._quarto import front_matter, write_input
from evalkit.publish.rendering._session import Session
from evalkit.publish.rendering._typst import COMMAND
from evalkit.seal import MARK
from evalkit.words import messages_for

MADE = Document("T", "", "S", "O", "p", "c", date(2022, 9, 30), synthetic=True, locale="en-US", items=())


# -- Quarto ------------------------------------------------------------------------------------------------------------
def test_what_quarto_is_given(tmp_path: Path) -> None:
    items = (
        Item("markdown", 1, "# Heading\n\nSee @fig-a."),
        Item("figure", 2, "<svg></svg>", "fig-a", 'A "caption": with colon', "Alt text: two #s"),
        Item("table", 3, "<table></table>", "tbl-a", "A caption"),
        Item("code", 4, "1 + 1"),
    )
    made = Document("T", "", "S", "O", "p", "c", date(2022, 9, 30), synthetic=True, locale="en-US", items=items)
    notebook = nbformat.read(write_input(made, ("pdf", "html"), tmp_path), as_version=4)
    nbformat.validate(notebook)
    # As one string Quarto prints the settings as text.
    assert isinstance(json.loads((tmp_path / "report.ipynb").read_text(encoding="utf-8"))["cells"][0]["source"], list)
    front = yaml.safe_load(notebook.cells[0].source.strip("-\n "))
    assert front == front_matter(made, ("pdf", "html"))
    assert (tmp_path / "report.html5").read_bytes() == (resources() / "report.html5").read_bytes()
    style = (tmp_path / "report.css").read_bytes()  # begins with the PDF's own typefaces
    assert style.endswith((resources() / "report.css").read_bytes())
    assert style.count(b"@font-face") == 6
    for name in ("evalkit.lua", "typst-template.typ", "typst-show.typ"):
        assert (tmp_path / name).read_bytes() == (resources() / name).read_bytes()
    assert notebook.metadata["kernelspec"] == {"name": "python3", "display_name": "Python 3", "language": "python"}
    assert [cell["id"] for cell in notebook.cells] == [f"cell-00{number}" for number in range(5)]
    cells = notebook.cells[1:]
    assert {cell.cell_type for cell in cells} == {"markdown"}
    (tmp_path / "embedded").mkdir()
    assert [cell.source for cell in cells] == markdown_parts(made, tmp_path / "embedded")  # nothing of its own
    assert (tmp_path / "media/fig-a.svg").read_text(encoding="utf-8") == "<svg></svg>"


TYPST = {
    "template-partials": ["typst-template.typ", "typst-show.typ"], "font-paths": ["fonts"], "toc": False,
    "shift-heading-level-by": 0, "pdf-standard": "ua-1",
}  # fmt: skip
PAGE = {
    "embed-resources": True, "minimal": True, "theme": "none", "css": "report.css", "template": "report.html5", "toc": True,
    "toc-depth": 3, "shift-heading-level-by": 1, "section-divs": True, "html-math-method": "plain", "code-copy": False,
    "anchor-sections": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("formats", "each"),
    [(("pdf",), {"typst": TYPST}), (("html",), {"html": PAGE}), (("pdf", "html"), {"typst": TYPST, "html": PAGE})],
)
def test_the_whole_of_what_leads_the_notebook_for_quarto(formats: tuple[str, ...], each: dict[str, Any]) -> None:
    told = {
        "title": "T",  # else Quarto would take the first heading away, to be the title
        "lang": "en-US",
        "date": "2022-09-30",
        "from": DIALECT,
        "execute": {"enabled": False, "echo": False},
        "filters": [{"at": "pre-ast", "path": "evalkit.lua"}],  # before Quarto reads figures and tables
        "html-table-processing": "none",
        **metadata(MADE),
    }
    assert front_matter(MADE, formats) == {**told, "format": each}
    cited = front_matter(replace(MADE, bibliography=b"[]", pdf_standard="none"), formats)
    plain = {name: {key: value for key, value in of.items() if key != "pdf-standard"} for name, of in each.items()}
    assert cited == {**told, "bibliography": "references.json", "citeproc": True, "format": plain}


def test_what_lies_beside_the_notebook_for_quarto(tmp_path: Path) -> None:
    always = {
        "report.ipynb",
        "report.html5",
        "report.css",
        "evalkit.lua",
        "typst-template.typ",
        "typst-show.typ",
        "media",
    }
    (tmp_path / "page").mkdir()
    write_input(MADE, ("html",), tmp_path / "page")
    assert {file.name for file in (tmp_path / "page").iterdir()} == always
    (tmp_path / "print").mkdir()
    write_input(replace(MADE, attachment=b"{1}", bibliography=b"[2]"), ("pdf",), tmp_path / "print")
    assert {file.name for file in (tmp_path / "print").iterdir()} == {*always, "fonts", ATTACHMENT, BIBLIOGRAPHY}
    assert (tmp_path / "print" / ATTACHMENT).read_bytes() == b"{1}"
    assert (tmp_path / "print" / BIBLIOGRAPHY).read_bytes() == b"[2]"


@pytest.mark.parametrize(
    ("code", "err", "said"),
    [
        (1, "Profile: x\nERROR: first\nERROR: second\n", "quarto: first"), (1, "error: error: nested", "quarto: nested"),
        (1, "fatal: \x1b[31mred\x1b[0m\nlast\n\n", "quarto: red"), (3, "its own settings\n ends so \n", "quarto: ends so"),
        (3, "", "quarto: exit code 3"), (3, "ERROR:\nlast", "quarto: last"), (0, "fine\n\x1b[1m[WARNING] no x \x1b[0m\n", "quarto: [WARNING] no x"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_failure_of_quarto(code: int, err: str, said: str) -> None:
    with pytest.raises(PublicationError) as failed:
        _quarto._raise_for(Finished(code, "", err))
    assert str(failed.value) == said
    _quarto._raise_for(Finished(0, "[WARNING] of its own output", "fatal, they said"))


# -- pandoc and the Typst compiler -------------------------------------------------------------------------------------
def asked(monkeypatch: pytest.MonkeyPatch, **answers: Finished) -> list[tuple[list[str], dict[str, Any]]]:
    """Stand in for the programs: what they are asked for; of which each leaves a page."""
    calls: list[tuple[list[str], dict[str, Any]]] = []

    def run(command: list[str], *, folder: Path, **how: Any) -> Finished:
        calls.append((command, {"folder": folder, **how}))
        (folder / "report.html").write_text("<p>Made</p>", encoding="utf-8")
        return answers.get("pandoc" if "report.md" in command else "typst", Finished(0, "[]", ""))

    monkeypatch.setattr(_embedded, "run_child", run)
    monkeypatch.setattr(_embedded, "time", SimpleNamespace(monotonic=lambda: 7.0))
    return calls


def from_pandoc(folder: Path, *options: str, cites: bool = False) -> list[str]:
    return [
        pypandoc.get_pandoc_path(), f"--from={DIALECT}-yaml_metadata_block", "--standalone", "--wrap=none",
        f"--lua-filter={resources() / 'evalkit.lua'}", *(["--citeproc", "--bibliography=references.json"] if cites else []),
        "--metadata-file=meta.json", "--fail-if-warnings", f"--data-dir={folder}", *options, "report.md",
    ]  # fmt: skip


TO_PAGE = (
    "--to=html5", "--template=report.html5", "--css=report.css", "--shift-heading-level-by=1", "--section-divs",
    "--output=report.html", "--toc", "--toc-depth=3",
)  # fmt: skip


@pytest.mark.parametrize("cites", [True, False])
def test_what_pandoc_is_asked_for_a_page(cites: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = asked(monkeypatch)
    made = publish_embedded(replace(MADE, bibliography=b"[]" if cites else b""), ("html",), tmp_path, 20, 3.0)
    folder = tmp_path / "embedded"
    assert calls == [
        (from_pandoc(folder, *TO_PAGE, cites=cites), {"folder": folder, "timeout": 20.0, "memory_gb": 3.0})
    ]
    assert made == {"html": folder / "report.html"}
    assert made["html"].read_text(encoding="utf-8") == "<p>Made</p>"
    assert (folder / "report.html5").read_bytes() == (resources() / "report.html5").read_bytes()
    assert (folder / "report.css").is_file()
    assert json.loads((folder / "meta.json").read_text()) == metadata(MADE)
    assert (folder / BIBLIOGRAPHY).is_file() is cites


def test_what_the_programs_are_asked_for_a_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = asked(monkeypatch, typst=Finished(0, '[{"label": "fig-a"}]', ""))
    looked: list[Any] = []
    tries = [{"fig-a": 0.9}, {"fig-a": "next"}, {"fig-a": "next"}]

    def better(printed: Path, places: Any, fits: Any) -> Any:
        looked.append((printed, places, fits, json.loads((printed.parent / "fits.json").read_text())))
        return tries[len(looked) - 1]

    monkeypatch.setattr(_embedded, "better_fits", better)
    made = publish_embedded(replace(MADE, attachment=b"{1}"), ("pdf",), tmp_path, 0.5, 3.0)
    folder = tmp_path / "embedded"
    how = {"folder": folder, "timeout": 1.0, "memory_gb": 3.0}  # a second at least
    typst = [*COMMAND, "report.typ", "report.pdf", str(folder / "fonts"), "ua-1", "1664496000", "ek-place"]
    pandoc = from_pandoc(folder, "--to=typst", "--template=embedded.typ", "--output=report.typ")
    assert calls == [(pandoc, how), (typst, how), (typst, how), (typst, how)]
    places = [{"label": "fig-a"}]
    assert looked == [(folder / "report.pdf", places, fits, fits) for fits in ({}, *tries[:2])]
    assert made == {"pdf": folder / "report.pdf"}
    assert (folder / ATTACHMENT).read_bytes() == b"{1}"
    for name in ("embedded.typ", "typst-template.typ", "typst-show.typ"):
        assert (folder / name).read_bytes() == (resources() / name).read_bytes()


@pytest.mark.parametrize("tool", ["pandoc", "typst"])
@pytest.mark.parametrize(
    ("code", "err", "said"),
    [
        (0, "[WARNING] x\n", "[WARNING] x"), (4, " \n", "exit code 4"), (1, "first\nlast", "first"),
        (1, "first\nerror: why\n", "error: why"), (1, "at 3\nevalkit: a table\nError two", "evalkit: a table"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_failure_of_pandoc_or_typst(
    tool: str, code: int, err: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(monkeypatch, **{tool: Finished(code, "[]", err)})
    with pytest.raises(PublicationError) as failed:
        publish_embedded(MADE, ("pdf",), tmp_path, 20)
    assert str(failed.value) == f"embedded publisher, {tool}: {said}"


def test_texts_for_the_templates_are_written_for_their_places() -> None:
    told = metadata(replace(MADE, title='A "b"\n\\ {{c', organisation="`O", since="2020", draft=True, attachment=b"1"))
    assert {name: told[f"ek-{name}"] for name in ("title", "title-html", "running-css", "organisation", "subtitle")} == {
        "title": r'`A \"b\" \\ {\u{7b}c`{=typst}', "title-html": r"`A &quot;b&quot; \ &#123;&#123;c`{=html}",
        "running-css": r"`A \22 b\22  \5c  {{c, p`{=html}", "organisation": "`` `O ``{=typst}", "subtitle": "",
    }  # fmt: skip
    assert told["pagetitle"] == r"`A &quot;b&quot; \ {{c: S, p`{=html}"
    assert told["ek-covered"] == "`2020 to c`{=typst}"
    assert metadata(MADE)["ek-covered"] == "`c`{=typst}"
    assert told["ek-attachment"] == "`evalkit-manifest.json`{=typst}"
    assert {name: value for name, value in metadata(MADE).items() if not str(value).startswith("`") and value != ""} == {
        "ek-figure": "Figure", "ek-table": "Table", "ek-page": "page", "ek-cut-date": "year: 2022, month: 9, day: 30",
        "ek-synthetic": True, "ek-draft": False, "ek-mandate": True, "ek-dose": False, "ek-sessions": True, "ek-toc": False,
        "ek-lang": "en", "ek-region": "US",
    }  # fmt: skip
    spanish = metadata(replace(MADE, locale="es-MX", assignment="random", completion="dose", toc=True))
    assert [spanish[name] for name in ("lang", "ek-lang", "ek-region", "ek-figure")] == ["es-MX", "es", "MX", "Figura"]
    assert [spanish[name] for name in ("ek-mandate", "ek-dose", "ek-toc", "ek-draft")] == [False, True, True, False]
    assert told["ek-draft"] is True


# -- pages -------------------------------------------------------------------------------------------------------------
def test_tables_are_named_by_the_captions_that_quarto_puts_before_them() -> None:
    float_ = "<figure><figcaption>Table {n}. {name}</figcaption><div><table></table></div></figure>"
    page = f"<h2>Heading</h2>{float_.format(n=1, name='One')}{float_.format(n=2, name='Two')}<table></table>"
    assert re.findall(r'aria-label="([^"]*)"', wrap_tables(page)) == ["Table 1. One", "Table 2. Two", "Heading"]


def test_tables_are_named_by_their_own_captions_first() -> None:
    own = "<table><caption>Its <b>own</b> &amp; first</caption></table>"
    one, *others = wrap_tables(f"<h2>Above</h2>{own}<p>Text</p><table></table><h3>Later</h3>").split("<p>Text</p>")
    opened = '<div class="table-wrap" role="region" tabindex="0" aria-label="{}">'
    assert one == f"<h2>Above</h2>{opened.format('Its own &amp; first')}{own}</div>"
    assert others == [f"{opened.format('Above')}<table></table></div><h3>Later</h3>"]
    page = f"<figure><figcaption>Outside</figcaption>{own}</figure>"
    assert 'aria-label="Its own &amp; first"' in wrap_tables(page)
    assert wrap_tables("<table></table>") == f"{opened.format('-')}<table></table></div>"
    kept = f"{opened.format('x')}\n<table></table></div>"
    assert wrap_tables(kept) == kept


def test_headings_within_a_table_are_marked() -> None:
    rows = '<table><th> </th><td scope="colgroup">A</td><td class="k" scope="rowgroup">B</td><td scope="col">C</td></table>'
    marked = (
        '<table><td></td><th scope="colgroup">A</th><th class="k" scope="rowgroup">B</th><td scope="col">C</td></table>'
    )
    assert marked in wrap_tables(rows)
    assert marked in wrap_tables(f'<div class="table-wrap">{rows}</div>')


def test_contents_stand_where_a_page_has_a_place_for_them() -> None:
    contents, place = r'<nav class="contents">C\1</nav>', '<div class="contents">\n</div>'
    assert finished(f"{contents}\n<p>First</p>{place}{place}") == f"<p>First</p>{contents}{place}"
    assert finished(f"{contents}<p>First</p>") == f"{contents}<p>First</p>"
    assert finished(f"<p>First</p>{place}") == f"<p>First</p>{place}"
    assert "table-wrap" in finished("<table></table>")


# -- pieces ------------------------------------------------------------------------------------------------------------
def svg(width: str) -> str:
    return f'<svg viewBox="0 0 1 1" width="{width}">\n</svg>'


def test_each_piece_as_markdown(tmp_path: Path) -> None:
    items = (
        Item("markdown", 1, "# Heading"),
        Item("figure", 2, svg("400pt"), "fig-a", "**A** caption", 'Alt\n text: "x" \\ & y'),
        Item("figure", 3, svg("400.5pt"), "fig-b", "Wide", "Panels"),
        Item("figure", 4, svg("500pt"), "fig-c", "Two", "Both", mark={"phone": "<svg>small</svg>"}),
        Item("table", 5, "\n<table>``</table>\n", "tbl-a", "A table"),
        Item("code", 6, "x = '````'\n````\n"),
        Item("code", 7, "```\n"),
        Item("code", 8, "1 + 1"),
    )
    draft = replace(MADE, items=items, draft=True)
    parts = [
        "# Heading",
        '![**A** caption](media/fig-a.svg){#fig-a fig-alt="Alt text: &quot;x&quot; &#92; &amp; y"}',
        '![Wide](media/fig-b.svg){#fig-b fig-alt="Panels" .wide}',
        '![Two](media/fig-c.svg){#fig-c fig-alt="Both" phone="media/fig-c-phone.svg"}',
        "::: {#tbl-a}\n```{=html}\n<table>``</table>\n```\n\nA table\n:::",
        "`````python\nx = '````'\n````\n`````",
        "````python\n```\n````",
        "```python\n1 + 1\n```",
    ]
    assert markdown_parts(draft, tmp_path) == parts  # beside a draft lies nothing
    pictures = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "media").iterdir()}
    assert pictures == {
        "fig-a.svg": svg("400pt"), "fig-b.svg": svg("400.5pt"), "fig-c.svg": svg("500pt"), "fig-c-phone.svg": "<svg>small</svg>",
    }  # fmt: skip
    unseen = '<span class="unseen">: A caption</span>'
    links = [f'<a href="figures/fig-a.{form}">Picture ({form.upper()}){unseen}</a>' for form in ("svg", "png")]
    beside = f'<div class="beside"><p>{"".join(links)}</p></div>'
    assert markdown_parts(replace(MADE, items=items[:2]), tmp_path) == [
        parts[0],
        f"{parts[1]}\n\n```{{=html}}\n{beside}\n```",
    ]
    assert write_markdown(draft, tmp_path).read_text(encoding="utf-8") == "\n\n".join(parts) + "\n"


def test_below_a_drafts_figure_stand_its_numbers_without_links() -> None:
    numbers = {"columns": ["n"], "rows": [[20]]}
    figure = Item("figure", 1, svg("1pt"), "fig-a", "A <b>", numbers=numbers)
    drafted = beside(figure, messages_for("en-US"), linked=False)
    assert drafted == (
        '<div class="beside"><details><summary>Show the numbers as a table<span class="unseen">: A &lt;b&gt;</span></summary>'
        '<div class="table-wrap" role="region" tabindex="0" aria-label="Numbers: A &lt;b&gt;"><table><thead><tr>'
        '<th scope="col" class="figure-number">Out of</th></tr></thead><tbody><tr><td class="figure-number">20</td></tr></tbody>'
        "</table></div></details></div>"
    )  # fmt: skip
    published = beside(figure, messages_for("en-US"))
    assert re.findall(r'<a href="([^"]*)">([^<]*)<', published) == [
        ("data/fig-a.csv", "Numbers (CSV)"), ("figures/fig-a.svg", "Picture (SVG)"), ("figures/fig-a.png", "Picture (PNG)"),
    ]  # fmt: skip
    assert beside(replace(figure, kind="table"), messages_for("en-US"), linked=False) == ""


def test_which_publisher_makes_a_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "mine"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("EVALKIT_QUARTO", str(program))
    assert _quarto.find_quarto() == program
    assert [_quarto.publisher_of(name) for name in ("auto", "embedded", "quarto")] == ["quarto", "embedded", "quarto"]
    assert _quarto.command(program, ("html", "pdf"))[3:] == ["--to", "html,typst", "--no-execute"]
    monkeypatch.setenv("EVALKIT_QUARTO", str(tmp_path / "none"))
    assert _quarto.find_quarto() is None
    assert [_quarto.publisher_of(name) for name in ("auto", "embedded", "quarto")] == ["embedded", "embedded", "quarto"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Finished(0, "1.9\n", ""), ""), (Finished(0, "1.10.18\n", ""), ""), (Finished(0, "2.0-rc1", ""), ""),
        (Finished(0, "1.8.99", ""), "quarto: 1.8.99 is too old; install 1.9 or newer, or use --publisher embedded"),
        (Finished(0, "0.10", ""), "quarto: 0.10 is too old; install 1.9 or newer, or use --publisher embedded"),
        (Finished(1, "1.9", ""), "q: 'quarto --version' answers with no version; see 'evalkit doctor'"),
        (Finished(0, "Quarto 1.9", ""), "q: 'quarto --version' answers with no version; see 'evalkit doctor'"),
    ],
)  # fmt: skip
def test_which_version_of_quarto_will_do(
    answer: Finished, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_quarto, "run_child", lambda command, **_: answer if command == ["q", "--version"] else None)
    if not said:
        assert _quarto.quarto_version(Path("q"), tmp_path) == answer.out.strip()
        return
    with pytest.raises((MissingToolError, PublicationError)) as refused:
        _quarto.quarto_version(Path("q"), tmp_path)
    assert str(refused.value) == said
    assert isinstance(refused.value, MissingToolError) is ("old" in said)


def test_parts_that_quarto_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Finished(
        0, "  Typst version 0.14.2\nDart Sass version 1\n", "\x1b[1m  Pandoc version: 3.8.3\x1b[0m\n Deno version 2.4.5"
    )
    monkeypatch.setattr(
        _quarto, "run_child", lambda command, **_: told if command[1:] == ["check", "versions"] else None
    )
    parts = _quarto.parts_of(Path("q"), tmp_path)
    assert list(parts.items()) == [("deno", "2.4.5"), ("pandoc", "3.8.3"), ("typst", "0.14.2")]


def test_what_quarto_finds_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QUARTO_PROFILE", "TYPST_FONT_PATHS", "QUARTO_DENO", "MINE", "HOME", "NO_COLOR"):
        monkeypatch.setenv(name, "theirs")
    found = _quarto._environment(tmp_path)
    assert {name: found.get(name) for name in ("QUARTO_PROFILE", "TYPST_FONT_PATHS", "QUARTO_DENO", "MINE")} == {
        "QUARTO_PROFILE": None, "TYPST_FONT_PATHS": None, "QUARTO_DENO": "theirs", "MINE": "theirs",
    }  # fmt: skip
    assert (found["NO_COLOR"], found["TYPST_IGNORE_SYSTEM_FONTS"]) == ("1", "true")
    homes = (
        "HOME",
        "TMPDIR",
        "TMP",
        "TEMP",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
        "XDG_RUNTIME_DIR",
    )
    assert {found[name] for name in homes} == {str(tmp_path / "home")}
    assert (tmp_path / "home").is_dir()


@pytest.mark.parametrize("name", ["_quarto.yml", "_quarto.yaml"])
def test_a_project_above_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("")
    with pytest.raises(PublicationError) as refused:
        _quarto._refuse_project_above(tmp_path / "a" / "b")
    told = f"quarto: {tmp_path / name} would change the report; remove it, or set TMPDIR to another folder"
    assert str(refused.value) == told


# -- references --------------------------------------------------------------------------------------------------------
def test_references_are_taken_where_a_cell_asks_for_them_and_they_lie_beside(tmp_path: Path) -> None:
    place = Item("markdown", 1, "::: {#refs}\n:::")
    asks, silent, code = (
        replace(MADE, items=(item,)) for item in (place, replace(place, text="Text"), replace(place, kind="code"))
    )
    notebook = tmp_path / "a.ipynb"
    assert with_bibliography(asks, notebook) == asks
    (tmp_path / BIBLIOGRAPHY).write_bytes(b"[1]")
    assert with_bibliography(asks, notebook) == replace(asks, bibliography=b"[1]")
    assert with_bibliography(silent, notebook) == silent
    assert with_bibliography(code, notebook) == code


# -- the kernel of drafts ----------------------------------------------------------------------------------------------
def test_cells_of_a_draft_are_counted_as_its_author_counts_them(tmp_path: Path) -> None:
    session = Session("tiny", tmp_path, tmp_path, tmp_path / "log", {})
    told: list[tuple[int, int]] = []
    for index in range(5):  # papermill's own cell is the one after that of the parameters
        session._began(index, extra=1, total=4, on_cell=lambda *said: told.append(said))
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_a_draft_may_put_out_as_much_as_its_limit(tmp_path: Path) -> None:
    session = Session("tiny", tmp_path, tmp_path, tmp_path / "log", {})
    session._limits = Limits(60, output_mb=0.001)
    assert [session._put_out(length) for length in (400, 600, 1)] == [True, True, False]


def test_a_draft_whose_cells_are_all_known_runs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session("tiny", tmp_path, tmp_path, tmp_path / "log", {})
    session._outputs = {"a": [1], "b": [2]}
    cells = [nbformat.v4.new_code_cell("#| label: fig-a\nx"), nbformat.v4.new_markdown_cell("T")]
    given = new_notebook(cells=cells)
    questions: list[str] = []

    def answer(what: str) -> dict[str, Any]:
        questions.append(what)
        return {"reused": ["b"], "run": None}

    monkeypatch.setattr(session, "_ask", answer)
    session._pass(given, {"V": "1"}, lambda _: pytest.fail("it ran"), lambda _: pytest.fail("it ran"))
    assert questions == ['begin(\'["x"]\', \'{"V": "1"}\')']
    assert given.cells[0].outputs == [2]
    assert session._outputs == {"b": [2]}  # what is no cell any more is forgotten


def test_a_draft_runs_what_is_not_known_and_tells_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session("tiny", tmp_path, tmp_path, tmp_path / "log", {})
    session._outputs = {"a": [1]}
    given = new_notebook(cells=[nbformat.v4.new_markdown_cell("T"), *map(nbformat.v4.new_code_cell, ("x", "y"))])
    answers = [{"reused": ["a"], "run": 1, "key": "b"}, {"reused": [], "run": None}]
    told: list[Any] = []

    def answer(what: str) -> dict[str, Any]:
        told.append(what)
        return answers.pop(0)

    def execute(index: int, cell: Any) -> None:
        told.append((index, cell.source))
        cell.outputs = [2]

    monkeypatch.setattr(session, "_ask", answer)
    monkeypatch.setattr(session, "_execute", execute)
    session._pass(given, {}, told.append, told.append)
    assert told[1:] == [2, (2, "y"), [2], "done()"]  # a cell is begun before it runs
    assert [cell.outputs for cell in given.cells[1:]] == [[1], [2]]
    assert session._outputs == {"a": [1], "b": [2]}


@pytest.mark.parametrize("again", [1, 2])
def test_a_kernel_that_cannot_run_an_edit_is_replaced_once(
    again: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session("tiny", tmp_path, tmp_path, tmp_path / "log", {})
    asked = iter([{"restart": True}] * again + [{"reused": ["a"], "run": None}])
    told: list[str] = []
    session._outputs = {"a": []}

    def start() -> None:
        told.append("start")
        session._client = session

    def close() -> None:
        told.append("close")
        session._client = None

    for name, does in (("start", start), ("close", close), ("_ask", lambda _: next(asked))):
        monkeypatch.setattr(session, name, does)
    cells = [nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]})]
    monkeypatch.setattr("papermill.parameterize.parameterize_notebook", lambda given, *_, **__: given)
    how = {"limits": Limits(60), "variables": {}, "scrub": str, "on_cell": lambda *_: None}
    if again == 1:
        session.run(new_notebook(cells=cells), {}, **how)
    else:
        with pytest.raises(_session._FreshKernelNeeded):
            session.run(new_notebook(cells=cells), {}, **how)
    assert told == ["start", "close", "start"]


# -- documents ---------------------------------------------------------------------------------------------------------
def test_the_whole_document_of_a_notebook() -> None:
    facts = {name: name for name in ("title", "subtitle", "study", "organisation", "period", "cut")}
    cover = {**facts, "cut_date": "2022-09-30", "synthetic": False, "locale": "es-US"}
    items = (Item("markdown", 2, "Text"),)

    def shows(told: dict[str, Any]) -> Any:
        mark = {MARK: {"shows": "cover", "document": told}}
        first = nbformat.v4.new_code_cell("c", outputs=[nbformat.v4.new_output("display_data", metadata=mark)])
        return new_notebook(cells=[first, nbformat.v4.new_markdown_cell("Text")])

    made = Document(
        **facts, cut_date=date(2022, 9, 30), synthetic=False, locale="es-US", items=items, toc=True, pdf_standard="none"
    )
    assert document_of(shows(cover), toc=True, pdf_standard="none") == made
    assert (made.language, made.region) == ("es", "US")
    assert made.facts() == {**facts, "locale": "es-US"}
    more = {"assignment": "random", "completion": "dose", "sessions": False, "since": "day"}
    assert document_of(shows(cover | more), toc=True, pdf_standard="none") == replace(made, **more)
    del cover["locale"]
    with pytest.raises(PublicationError, match=r"^the notebook shows no cover; call report\.cover\(\) in its first"):
        document_of(shows(cover), toc=False, pdf_standard="none")
