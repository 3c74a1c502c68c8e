"""The same notebook through both publishers, and through both formats: the same text and the same numbers."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import nbformat
import pypandoc
import pypdfium2
import pytest
import yaml

from evalkit.errors import PublicationError
from evalkit.publish.audit._document import audit_markdown
from evalkit.publish.rendering._document import Item
from evalkit.publish.rendering._embedded import publish_embedded
from evalkit.publish.rendering._quarto import publish_quarto, write_input
from publish.standin import REAL, command, environment, pdf_pages, real_quarto, with_quarto, write_world
from publish.texts import NUMBER, REPORT, given_to_quarto, text_of
from web.pages import document

PUBLISHERS = {"embedded": publish_embedded, "quarto": publish_quarto}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return publish_embedded(document(), ("pdf", "html"), tmp_path_factory.mktemp("embedded"), 120)


def test_quarto_is_given_the_text_and_numbers_of_the_embedded_page(embedded: dict[str, Path], tmp_path: Path) -> None:
    words, cells = text_of(embedded["html"].read_text(encoding="utf-8").partition(REPORT)[2])
    quarto_words, quarto_cells = given_to_quarto(write_input(document(), ("html",), tmp_path))
    assert len(cells) > 20
    assert quarto_cells == cells
    assert quarto_words == words


# What Quarto would have treated in its own way, or one of the two publishers not at all.
ODD = """# Third {#sec-third}

As @sec-third says, and [@sec-third; @fig-a].

| a | b |
|---|---|
| 1 | 2 |

: A caption of mine

::: {.content-hidden when-format="pdf"}
Hidden in print.
:::

::: {.content-hidden when-format="html"}
Hidden on screen.
:::

::: {.content-visible when-format="typst"}
Shown in print.
:::

::: {.content-visible unless-format="pdf"}
Shown on screen.
:::
"""


def test_what_quarto_knows_otherwise_is_one_thing_in_both(tmp_path: Path) -> None:
    assert audit_markdown(ODD) == ""
    odd = replace(document(), items=(*document().items, Item("markdown", 9, ODD)))
    for name in ("embedded", "quarto"):
        (tmp_path / name).mkdir()
    made = publish_embedded(odd, ("pdf", "html"), tmp_path / "embedded", 120)
    page = made["html"].read_text(encoding="utf-8")
    given = given_to_quarto(write_input(odd, ("html",), tmp_path / "quarto"))
    assert given == text_of(page.partition(REPORT)[2])
    assert '<a href="#sec-third" class="reference">Third</a> says' in page
    assert "<caption>A caption of mine</caption>" in page
    assert page.count('<span class="number">Figure\xa01. </span>A figure') == 1
    printed = " ".join(" ".join(pdf_pages(made["pdf"])).split())
    assert "As Third (page 2) says, and Third (page 2), Figure 1." in printed
    assert "A caption of mine" in printed
    assert "Table 2" not in printed  # without a label it has no number
    for words, on_screen in (
        ("Hidden in print.", True), ("Hidden on screen.", False), ("Shown in print.", False), ("Shown on screen.", True)
    ):  # fmt: skip
        assert (words in page, words in printed) == (on_screen, not on_screen), words


def test_quarto_prints_the_embedded_publishers_typst(tmp_path: Path) -> None:
    """What pandoc writes of Quarto's input, once our filter is through, is what the embedded publisher compiles."""
    items = list(document().items)
    noted = replace(document(), items=(*items[:3], Item("markdown", 3, "::: {.note}\nA note on it.\n:::"), *items[3:]))
    publish_embedded(noted, ("pdf",), tmp_path, 120)
    (tmp_path / "quarto").mkdir()
    first, *cells = nbformat.read(write_input(noted, ("pdf",), tmp_path / "quarto"), as_version=4).cells
    front = yaml.safe_load(first.source.strip("-"))
    more = [f"--lua-filter={tmp_path / 'quarto/evalkit.lua'}", "--wrap=none"]
    text = "\n\n".join(cell.source for cell in cells)
    given = pypandoc.convert_text(text, "typst", front["from"], extra_args=more).strip()
    assert "#ek-figure-note" in given
    assert "breakable: false" in given
    assert "table.header(level: 2" in given
    assert (tmp_path / "embedded/report.typ").read_text(encoding="utf-8").strip().endswith(given)


def test_pdf_and_page_say_the_same_numbers(embedded: dict[str, Path]) -> None:
    words, cells = text_of(embedded["html"].read_text(encoding="utf-8").partition(REPORT)[2])
    printed = " ".join(" ".join(pdf_pages(embedded["pdf"])).split())
    for cell in cells:
        assert cell in printed, cell
    said = Counter(NUMBER.findall(printed))
    assert not Counter(n for word in words for n in NUMBER.findall(word)) - said


@with_quarto
def test_the_real_quarto_publishes_the_same_text_and_numbers(tmp_path: Path) -> None:
    pages = {}
    for publisher in ("embedded", "quarto"):
        folder = tmp_path / publisher
        write_world(folder)
        env = environment(folder, **real_quarto())
        done = subprocess.run(
            command(folder, "--publisher", publisher), env=env, capture_output=True, text=True, cwd=folder, check=False
        )
        assert done.returncode == 0, done.stderr
        release = folder / "reports/tiny/tiny/2000Q4"
        page = (release / "report.html").read_text(encoding="utf-8")
        pages[publisher] = (
            *text_of(page.partition('<main id="content">')[2]),
            Counter(NUMBER.findall(" ".join(pdf_pages(release / "report.pdf")))),
            {file.name: file.read_bytes() for file in sorted([*release.glob("data/*"), *release.glob("figures/*")])},
        )
    assert pages["quarto"] == pages["embedded"]


@with_quarto
def test_the_real_quarto_makes_the_same_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_QUARTO", str(REAL))
    odd = replace(document(), items=(*document().items, Item("markdown", 9, ODD)))
    made = {name: publish(odd, ("pdf", "html"), tmp_path, 120) for name, publish in PUBLISHERS.items()}
    words = {
        name: text_of(files["html"].read_text(encoding="utf-8").partition(REPORT)[2]) for name, files in made.items()
    }
    assert words["quarto"] == words["embedded"]
    pages = {
        name: [page.render().to_numpy() for page in pypdfium2.PdfDocument(files["pdf"])] for name, files in made.items()
    }
    assert len(pages["quarto"]) == len(pages["embedded"])
    for ours, theirs in zip(pages["embedded"], pages["quarto"], strict=True):
        assert (ours == theirs).all()
    looks = [files["html"].read_text(encoding="utf-8").count('<span class="number">Figure') for files in made.values()]
    assert looks == [2, 2]
    assert list((tmp_path / "quarto/home").glob("quarto-session*")) == []


@with_quarto
def test_a_filter_that_fails_in_the_real_quarto_fails_the_publication(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALKIT_QUARTO", str(REAL))
    lost = replace(document(), items=(Item("markdown", 1, "# One\n\nAs @fig-lost says."),))
    with pytest.raises(PublicationError, match="reference @fig-lost leads nowhere"):
        publish_quarto(lost, ("html",), tmp_path, 120)
