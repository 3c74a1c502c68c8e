"""What goes to pandoc and to readers, whole: Markdown of every kind of item, words of the templates, pages that load nothing."""

from __future__ import annotations

import base64
import os
import re
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evalkit.errors import PublicationError
from evalkit.publish import _render
from evalkit.publish._job import LineProgress
from evalkit.publish._render import render_all
from evalkit.publish.audit import _document as audit
from evalkit.publish.audit._document import audit_markdown
from evalkit.publish.audit._guard import pieces
from evalkit.publish.release._changes import NumberChange, superseding
from evalkit.publish.release._place import Waiting, hold
from evalkit.publish.release._release import place_release
from evalkit.publish.rendering import _web
from evalkit.publish.rendering._document import Document, Item
from evalkit.publish.rendering._embedded import words
from evalkit.publish.rendering._pieces import write_markdown
from evalkit.publish.rendering._web import _woff2, check_self_contained, embedded, loads_of
from evalkit.words import messages_for
from publish import standin
from publish.made import study_in
from publish.test_ingredients import job_of

EN = messages_for("en-US")


def test_every_kind_of_item_as_markdown(tmp_path: Path) -> None:
    items = (
        Item("markdown", 1, "# Words\n\nof an author"), Item("code", 2, "x = 1\n```\n"), Item("figure", 3, "<svg/>", "fig-a", "**A** curve", 'One "line"\nand & more'),
        Item("table", 4, "<table></table>", "tbl-b", "A table"),
    )  # fmt: skip
    document = Document("T", "", "S", "O", "p", "c", date(2022, 9, 30), synthetic=True, locale="en-US", items=items)
    file = write_markdown(document, tmp_path)
    text = file.read_text(encoding="utf-8")
    assert file == tmp_path / "report.md"
    assert (tmp_path / "media" / "fig-a.svg").read_text(encoding="utf-8") == "<svg/>"
    assert [f.name for f in (tmp_path / "media").iterdir()] == ["fig-a.svg"]
    assert text.startswith(
        '# Words\n\nof an author\n\n````python\nx = 1\n```\n````\n\n![**A** curve](media/fig-a.svg){#fig-a fig-alt="One &quot;line&quot; and &amp; more"}\n\n```{=html}\n'
    )
    assert text.endswith("```\n\n::: {#tbl-b}\n```{=html}\n<table></table>\n```\n\nA table\n:::\n")


def test_the_words_of_the_templates() -> None:
    assert words("en-US") == {
        "period": "Newest period", "cut": "Data cut", "covers": "Figures cover", "later": "(later records are not used)", "publisher": "Published by", "revision": "Revision",
        "synthetic": "Synthetic data",
        "simulated": "Every figure in this report was made by a simulator. No real person is described, and nothing here is evidence about a program.",
        "unreal": "Synthetic data: no real person is described", "skip": "Skip to the report", "contents": "Contents",
        "page": "Page {page} of {pages}", "figure": "Figure", "table": "Table",
        "draft": "Draft", "drafted": "Not published and not approved: not to be passed on",
        "more": "Wider than the screen: move sideways to see all",
    }  # fmt: skip
    spanish = words("es-US")
    assert spanish == {
        name: messages_for("es-US")(text) if "{" not in text else spanish[name] for name, text in words("en-US").items()
    }
    assert (spanish["period"], spanish["figure"], spanish["table"]) == ("Último período", "Figura", "Tabla")


def test_a_page_that_would_load_something_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text('<img src="data:image/png;base64,x"><a href="https://example.org">x</a>', encoding="utf-8")
    check_self_contained(page)
    page.write_text('<img src="https://example.org/a.png"><script src="//example.org/b.js"></script>', encoding="utf-8")
    with pytest.raises(PublicationError) as refused:
        check_self_contained(page)
    assert (
        str(refused.value)
        == "report.html: loads something at <img src> (2 places); a published page must hold all that it shows"
    )
    page.write_text('<img src="media/fig-a.svg"><a href="data/fig-a.csv">numbers</a>', encoding="utf-8")
    with pytest.raises(PublicationError, match=r"loads something at <img src> \(1 places\)"):
        check_self_contained(page)


def test_pictures_and_the_style_sheet_beside_a_page_are_put_into_it(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    for name in ("fig-a", "fig-a-phone"):
        (tmp_path / "media" / f"{name}.svg").write_text(f"<svg>{name}</svg>", encoding="utf-8")
    (tmp_path / "report.css").write_text("p { color: red }", encoding="utf-8")
    page = embedded(
        '<link rel="stylesheet" href="report.css"><source media="(max-width: 30rem)" srcset="media/fig-a-phone.svg">'
        '<img src="media/fig-a.svg" alt="Two rising lines" /><a href="media/fig-a.svg">x</a>',
        tmp_path,
    )
    pictures = [base64.b64decode(text).decode() for text in re.findall(r'"data:image/svg\+xml;base64,([^"]+)"', page)]
    assert pictures == ["<svg>fig-a-phone</svg>", "<svg>fig-a</svg>"]
    assert page.startswith("<style>\np { color: red }\n</style><source media=")
    assert page.endswith('alt="Two rising lines" /><a href="media/fig-a.svg">x</a>')


# -- what Markdown and markup hold -------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["plain words", "3 < 4 and {x} & more", "a [link](https://example.org)"])
def test_markdown_that_may_be_published(text: str) -> None:
    assert audit_markdown(text) == ""


def test_markdown_that_pandoc_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        audit.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1, stdout='{"meta": {}, "blocks": []}')
    )
    assert audit_markdown("a < b") == "holds Markdown that pandoc cannot read"


def test_markdown_that_takes_pandoc_too_long_is_refused_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("pandoc", 60)

    monkeypatch.setattr(audit.subprocess, "run", late)
    assert audit_markdown("c < d") == "holds Markdown that pandoc does not read within 60 seconds; make it simpler"


def test_what_a_picture_in_a_page_loads() -> None:
    assert loads_of('<svg><image xlink:href="https://a.org/x.png"/><use xlink:href="#b"/></svg>') == [
        "<image xlink:href>"
    ]


def test_every_hidden_place_of_markup_is_a_text() -> None:
    found = list(
        pieces("<?php secret1 ?><!doctype secret2><![CDATA[secret3]]><!-- secret4 --><p title='secret5'>x</p>")
    )
    assert [any(f"secret{k}" in text for text in found[:-3]) for k in range(1, 6)] == [True] * 5
    assert any("a\ufffdb" in text for text in pieces("<img src='data:text/plain,a%FFb'>"))


# -- revisions ---------------------------------------------------------------------------------------------------------
def test_how_numbers_that_differ_are_told() -> None:
    numbers = [
        NumberChange("fig-a", "Pilot", "n", 20, 25), NumberChange("fig-a", "Pilot", "share", 0.123456, None), NumberChange("fig-a", "PAIP", "n", None, 4),
        NumberChange("fig-a", "PAIP", "share", 0.5, 0.75), NumberChange("fig-a", "PAIP", "m", 1, 2), NumberChange("tbl-b", "", "", None, "table"),
        NumberChange("tbl-c", "", "", "table", None), NumberChange("cell-3", "x", "n", 1, 2),
    ]  # fmt: skip
    text = superseding(1, "d", "Late.", [], numbers).items(["fig-a", "tbl-c"], EN)[0].text
    assert text.split("\n\n")[-1].splitlines() == [
        "- @fig-a: Pilot, n: 20 before, 25 now; Pilot, share: 0.123 before, missing now; PAIP, n: missing before, 4 now; and 2 more.",
        "- tbl-b: not shown before.", "- @tbl-c: not shown any more.", "- cell-3: x, n: 1 before, 2 now.",
    ]  # fmt: skip
    assert "8 numbers differ from what was published before:" in text
    one = superseding(1, "d", "Late.", [], numbers[:1]).items([], EN)[0].text
    assert "One number differs from what was published before:" in one


# -- what is published lasts -------------------------------------------------------------------------------------------
@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files and folders that were put on the disk before anything was said to be published."""
    names: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda number: names.append(Path(f"/proc/self/fd/{number}").readlink().name))
    return names


def test_files_and_folders_of_a_release_are_on_the_disk(synced: list[str], tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("x", encoding="utf-8")
    place_release({"data/a.csv": source, "b.txt": source}, tmp_path / "reports" / "2000Q4")
    assert {"a.csv", "b.txt", "reports"} <= set(synced)
    assert synced[-1] == "reports"  # the folder that names the release, last
    synced.clear()
    study = study_in(tmp_path / "study")
    synced.clear()
    hold(study, {"data/c.csv": source, "d.txt": source}, Waiting(tmp_path / "reports" / "tiny" / "2000Q4", None, "n"))
    assert {"c.csv", "d.txt"} <= set(synced)


# -- several renders ---------------------------------------------------------------------------------------------------
def test_renders_in_other_processes_say_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    standin.write_world(tmp_path)
    told: list[Any] = []
    monkeypatch.setattr(_render, "render", lambda job, progress: told.append(progress) or job.target)
    job = job_of(tmp_path)
    assert _render._in_line([job]) == [job.target]
    assert isinstance(told[0], LineProgress)
    own = SimpleNamespace()
    assert render_all([replace(job)], 1, own) == [job.target]  # type: ignore[arg-type]
    assert told[1] is own


def test_letters_come_from_the_cache_as_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVALKIT_HOMELESS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one = ("font_source_sans_pro", "Bold")
    _woff2.cache_clear()
    made = _woff2(*one)
    (kept,) = (tmp_path / "evalkit").iterdir()
    assert base64.b64decode(made) == kept.read_bytes()[32:]
    with monkeypatch.context() as without:
        without.setattr(_web, "_subset", lambda _font: pytest.fail("it was kept"))
        _woff2.cache_clear()
        assert _woff2(*one) == made
    kept.write_bytes(kept.read_bytes()[:-1] + b"?")  # damaged: it is made again
    _woff2.cache_clear()
    assert _woff2(*one) == made
    assert base64.b64decode(made) == kept.read_bytes()[32:]
    _woff2.cache_clear()
    monkeypatch.setattr(_web, "_LETTERS", (*_web._LETTERS, 0x3A9))  # others are asked for: another file
    assert _woff2(*one) != made
    assert len([*(tmp_path / "evalkit").iterdir()]) == 2
    _woff2.cache_clear()


@pytest.mark.parametrize("around", [{"EVALKIT_HOMELESS": "1"}, {"XDG_CACHE_HOME": "/proc/nowhere"}])
def test_letters_are_made_where_there_is_no_cache(around: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in around.items():
        monkeypatch.setenv(name, value)
    _woff2.cache_clear()
    assert base64.b64decode(_woff2("font_source_sans_pro", "Bold")).startswith(b"wOF2")
    _woff2.cache_clear()
