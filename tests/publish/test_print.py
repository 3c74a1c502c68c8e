"""The printed page: how tables, figures and headings break over pages, and what stands on each."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pikepdf
import pypdfium2 as pdfium
import pytest
import typst

from evalkit.publish.rendering._document import Item
from evalkit.publish.rendering._embedded import better_fits, font_folder, publish_embedded
from evalkit.publish.rendering._machine import run_child
from evalkit.publish.rendering._typst import COMMAND
from evalkit.views import html_table
from publish.emptiness import emptiness, parted
from publish.standin import pdf_pages
from web.pages import SVG, document

HEADINGS = {"a": "Left heading", "b": "Right heading"}
ROWS = pd.DataFrame(
    {"a": [f"row {i} of the table" for i in range(80)], "b": "x", "part": [f"Part {i // 8}" for i in range(80)]}
)
TALL = '<svg xmlns="http://www.w3.org/2000/svg" width="468" height="300"><rect width="460" height="290" fill="#0b5a7a"/></svg>'
FILLER = "\n\n".join(["A paragraph of a few words that fills one line or so of the page."] * 9)


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    table = html_table(ROWS, HEADINGS, groups="part")
    items = [Item("markdown", 1, "# Before"), Item("table", 2, table, "tbl-long", "A long table")]
    words = "# Heading number {n}x\n\nFirst words after heading {n}x. {filler}"
    items += [Item("markdown", 3, words.format(n=number, filler=FILLER)) for number in range(12)]
    items += [
        Item("figure", 4, TALL, "fig-tall", "A tall figure", "A bar."),
        Item("markdown", 4, "::: {.note}\nA note that belongs to the tall figure.\n:::"),
    ]
    made = replace(document(), items=tuple(items), toc=True)
    return pdf_pages(publish_embedded(made, ("pdf",), tmp_path_factory.mktemp("print"), 120)["pdf"])


def test_every_page_says_what_it_is_from(sheets: list[str]) -> None:
    for number, sheet in enumerate(sheets, start=1):
        flat = " ".join(sheet.split())
        assert "Quarterly report, fourth quarter of 2023" in flat
        assert "Data cut December 31, 2023. Synthetic data: no real person is described" in flat
        assert f"Page {number} of {len(sheets)}" in flat


def test_contents_are_listed_with_pages(sheets: list[str]) -> None:
    first = sheets[0]
    assert "Contents" in first
    for number in range(12):
        assert f"Heading number {number}x" in first


def test_a_long_table_repeats_its_heading_and_the_heading_of_its_part(sheets: list[str]) -> None:
    pages = [sheet for sheet in sheets if "of the table" in sheet]
    assert len(pages) >= 2
    for sheet in pages:
        assert "Left heading" in sheet
        rows = [line for line in sheet.splitlines() if "of the table" in line]
        part = int(rows[0].split()[1]) // 8
        assert f"Part {part}" in sheet[: sheet.index(rows[0])]
        last = [line for line in sheet.splitlines() if line.startswith("Part ")][-1]
        assert sheet.index(last) < sheet.index(rows[-1])  # no heading of a part is left alone at the foot


def test_no_heading_stands_alone_at_the_foot_of_a_page(sheets: list[str]) -> None:
    for number in range(12):
        page = next(sheet for sheet in sheets[1:] if f"Heading number {number}x" in sheet)
        assert f"First words after heading {number}x" in page


def test_a_figure_keeps_its_note(sheets: list[str]) -> None:
    page = next(sheet for sheet in sheets if "A tall figure" in sheet)
    assert "A note that belongs to the tall figure" in " ".join(page.split())


@pytest.mark.parametrize("words", ["One short line.", "Words enough to fill a page's foot by themselves. " * 4])
def test_a_short_line_goes_to_the_next_page_with_heading_and_figure(tmp_path: Path, words: str) -> None:
    tall = TALL.replace('height="300"', 'height="420"').replace('height="290"', 'height="410"')
    before, figure = "\n\n".join([FILLER] * 2), Item("figure", 2, tall, "fig-tall", "A tall figure", "A bar.")
    items = (Item("markdown", 1, f"{before}\n\n# Trends\n\n{words}"), figure)
    sheets = pdf_pages(publish_embedded(replace(document(), items=items), ("pdf",), tmp_path, 120)["pdf"])
    page = next(number for number, sheet in enumerate(sheets) if "A tall figure" in sheet)
    heading = next(number for number, sheet in enumerate(sheets) if "Trends" in sheet)
    assert page == 1
    assert heading == (page if len(words) < 100 else page - 1)  # a paragraph is no gap


def test_how_empty_a_page_is_is_measured(tmp_path: Path) -> None:
    tall = TALL.replace('height="300"', 'height="560"').replace('height="290"', 'height="550"')
    words = f"{FILLER}\n\nMore.\n\nMore."  # too much for the figure to fit below, even if it is smaller
    items = (Item("markdown", 1, words), Item("figure", 2, tall, "fig-tall", "A tall figure", "A bar."))
    made = replace(document(), items=items)
    first, second = emptiness(publish_embedded(made, ("pdf",), tmp_path, 120)["pdf"])
    assert first > 0.3  # the figure went to the next page as a whole
    assert 0.3 < second < 0.4


FEW = "\n\n".join([FILLER] * 2 + ["One more line."])
AFTER = Item("markdown", 3, "\n\n".join(["Words that follow the figure."] * 8))


def fits_of(tmp_path: Path, *items: Item) -> tuple[dict[str, object], list[float], list[str]]:
    """Return how figures are fitted in, how empty each page is, and what it says."""
    made = publish_embedded(replace(document(), items=items), ("pdf",), tmp_path, 120)["pdf"]
    return json.loads((made.parent / "fits.json").read_text()), emptiness(made), pdf_pages(made)


def test_a_figure_that_nearly_fits_is_printed_smaller_where_it_is_told_of(tmp_path: Path) -> None:
    figure = Item("figure", 2, TALL.replace("300", "230").replace("290", "220"), "fig-tall", "A tall figure", "A bar.")
    fits, empty, sheets = fits_of(tmp_path, Item("markdown", 1, FEW), figure, AFTER)
    assert 0.72 <= fits.pop("fig-tall") < 1
    assert fits == {}
    assert "A tall figure" in sheets[0]
    assert empty[0] < 0.1


def test_a_figure_that_does_not_fit_heads_the_next_page_and_what_follows_takes_its_place(tmp_path: Path) -> None:
    figure = Item("figure", 2, TALL, "fig-tall", "A tall figure", "A bar.")
    fits, empty, sheets = fits_of(tmp_path, Item("markdown", 1, FEW), figure, AFTER)
    assert fits == {"fig-tall": "next"}
    assert "Words that follow" in sheets[0]
    assert "A tall figure" in sheets[1]
    assert empty[0] < 0.25


def test_figures_stay_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    tall, small = (
        Item("figure", 2, svg, label, label, "A bar.") for svg, label in ((TALL, "fig-tall"), (SVG, "fig-small"))
    )
    fits, _, sheets = fits_of(tmp_path, Item("markdown", 1, FEW), tall, small, AFTER)
    assert fits == {"fig-tall": 1}
    assert sheets[1].index("Figure 1") < sheets[1].index("Figure 2")


def rows_of(count: int) -> Item:
    """Return a table of so many rows, with a note below."""
    rows = "".join(f"<tr><td>Row {k} of it</td><td>{k}</td></tr>" for k in range(count))
    note = '<tfoot><tr><td colspan="2">The note below the table.</td></tr></tfoot>'
    head = "<thead><tr><th>What</th><th>Number</th></tr></thead>"
    return Item("table", 2, f"<table>{head}<tbody>{rows}</tbody>{note}</table>", "tbl-rows", "A table of rows")


@pytest.mark.parametrize(
    ("count", "fit"),
    [(8, {}), (11, {"tbl-rows": "tight"}), (13, {"tbl-rows": "tight"}), (15, {"tbl-rows": "next"}), (20, {})],
)
def test_no_page_has_hardly_more_of_a_table_than_its_note(tmp_path: Path, count: int, fit: dict[str, str]) -> None:
    fits, empty, sheets = fits_of(tmp_path, Item("markdown", 1, FEW), rows_of(count), AFTER)
    assert fits == fit  # all on the first page; so, too, tighter; whole on the second; a good part on each
    last = next(sheet for sheet in sheets if "The note below" in sheet)
    assert last.count(" of it") >= 5
    assert ("Words that follow" in sheets[0]) == (
        count in {8, 11, 15}
    )  # what follows takes the place of one that moved
    assert empty[0] < 0.2


def test_a_table_that_would_leave_a_page_half_empty_goes_on_as_it_did(tmp_path: Path) -> None:
    fits, empty, sheets = fits_of(tmp_path, Item("markdown", 1, FEW), rows_of(15), Item("markdown", 3, "# After\n\nX."))
    assert fits == {"tbl-rows": 1}
    assert "Row 0 of it" in sheets[0]
    assert empty[0] < 0.2


def test_no_page_ends_with_hardly_more_of_a_table_than_its_headings(tmp_path: Path) -> None:
    before = Item("markdown", 1, "\n\n".join([FILLER] * 2 + ["One more line."] * 7))
    fits, empty, sheets = fits_of(tmp_path, before, rows_of(24))
    assert fits == {"tbl-rows": "whole"}
    assert "of it" not in sheets[0]
    assert empty[0] < 0.2


def plain_of(count: int) -> Item:
    """Return a table without caption, of so many rows."""
    rows = "\n".join(f"| Row {k} of it | {k} |" for k in range(count))
    return Item("markdown", 2, f"| What | Number |\n|---|---|\n{rows}")


def test_a_table_without_caption_leaves_no_row_for_the_next_page_either(tmp_path: Path) -> None:
    """Each by itself: that one is set tighter is nothing to another."""
    fits, _, sheets = fits_of(tmp_path, plain_of(3), Item("markdown", 1, FEW), plain_of(9), AFTER)
    assert fits == {"ek-plain-2": "tight"}
    assert sheets[0].count(" of it") == 12


def test_tables_stay_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    second = replace(rows_of(3), label="tbl-second", caption="A second table")
    fits, _, sheets = fits_of(tmp_path, Item("markdown", 1, FEW), rows_of(15), second, AFTER)
    assert fits == {"tbl-rows": 1}
    assert "Table 1" in sheets[0]
    assert "Table 2" not in sheets[0]


def test_no_figure_stands_between_the_parts_of_a_table(tmp_path: Path) -> None:
    tall = Item("figure", 3, TALL, "fig-tall", "A tall figure", "A bar.")
    fits, _, sheets = fits_of(tmp_path, Item("markdown", 1, FEW), tall, rows_of(26), AFTER)
    assert fits == {"fig-tall": "next", "tbl-rows": "next"}
    assert "of it" not in sheets[0]
    assert sheets[1].count(" of it") == 26
    assert sheets[1].index("A tall figure") < sheets[1].index("Row 0 of it")


@pytest.mark.parametrize(("label", "fit"), [("fig-small", 1), ("tbl-rows", "whole")])
def test_nothing_stands_above_the_words_that_lead_to_it(tmp_path: Path, label: str, fit: float | str) -> None:
    """It was to go to the next page; then what stands before it got smaller, and there is room on its own."""
    piece = rows_of(14) if label == "tbl-rows" else Item("figure", 2, SVG, label, "A small figure", "A bar.")
    name, after = piece.caption, Item("markdown", 3, "Words that follow.")
    fits, _, _ = fits_of(tmp_path, Item("markdown", 1, f"# Its heading\n\n{FILLER}"), piece, after)
    assert fits == {}
    (folder,) = [file.parent for file in tmp_path.rglob("fits.json")]
    command = [*COMMAND, "report.typ", "report.pdf", str(folder / "fonts"), "1.7", "0", "ek-place"]
    for moved, above in (("next", True), (fit, False)):
        (folder / "fits.json").write_text(json.dumps({label: moved}), encoding="utf-8")
        done = run_child(command, folder=folder, timeout=120)
        assert (done.code, done.err) == (0, "")
        (page,) = pdf_pages(folder / "report.pdf")
        assert (page.index(name) < page.index("Its heading")) == above
        assert better_fits(folder / "report.pdf", json.loads(done.out), {label: moved}) == {label: fit}


def test_a_heading_left_at_the_foot_of_a_page_would_be_found(tmp_path: Path) -> None:
    face = '#set text(font: "Source Sans Pro")\n#set page(paper: "us-letter", margin: 1in)\n'
    for name, text in (
        ("wrong", "= A heading\n#pagebreak()\nWords"),
        ("right", "= A heading\nWords\n#pagebreak()\nWords"),
    ):
        (tmp_path / f"{name}.typ").write_text(face + text, encoding="utf-8")
        fonts = str(font_folder(tmp_path))
        typst.compile(str(tmp_path / f"{name}.typ"), output=str(tmp_path / f"{name}.pdf"), font_paths=[fonts])
    assert parted(tmp_path / "wrong.pdf") == [(1, "A heading")]
    assert parted(tmp_path / "right.pdf") == []


def test_a_figure_stays_in_its_section_and_before_the_next_one(tmp_path: Path) -> None:
    items = (
        Item("markdown", 1, "# Before\n\n" + "\n\n".join([FILLER] * 2)),
        Item("figure", 2, TALL, "fig-tall", "A tall figure", "A bar."),
        Item("markdown", 3, "Words that follow the figure."),
        Item("markdown", 4, "# Reach\n\nWords before the small figure."),
        Item("figure", 5, SVG, "fig-small", "A small figure", "A bar."),
        Item("markdown", 6, "# After\n\nThe next section."),
    )
    made = replace(document(), items=items)
    text = "\n".join(pdf_pages(publish_embedded(made, ("pdf",), tmp_path, 120)["pdf"]))
    order = [
        "Before",
        "Words that follow",  # they fill the page that the figure is too tall for
        "A tall figure",
        "Reach",
        "Words before",
        "A small figure",
        "After",
        "The next section",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_a_pdf_in_spanish_says_so(tmp_path: Path) -> None:
    file = publish_embedded(document("es-US"), ("pdf",), tmp_path, 120)["pdf"]
    text = " ".join(" ".join(pdf_pages(file)).split())
    for words in ("Datos sintéticos", "Corte de datos", "Página 1 de", "Figura 1", "Tabla 1", "Un simulador generó"):
        assert words in text
    for words in ("Data cut", "Synthetic", "Page ", "Figure 1", "Table 1", "Published by"):
        assert words not in text, words
    with pikepdf.open(file) as pdf:
        assert str(pdf.Root.Lang) == "es-US"


@pytest.mark.parametrize(
    ("locale", "covers"),
    [
        ("en-US", "Figures cover November 18, 2021 to December 31, 2023 (later records are not used)"),
        ("es-US", "Abarca Del November 18, 2021 al December 31, 2023 (sin registros posteriores)"),
    ],
)
def test_the_cover_says_from_when_the_figures_are_and_a_notebook_may_leave_it_out(
    locale: str, covers: str, tmp_path: Path
) -> None:
    made = replace(document(locale), items=(Item("figure", 1, SVG, "fig-a", "c", "a"),))
    for since, read in (("November 18, 2021", covers), ("", "December 31, 2023 (")):
        folder = tmp_path / (since or "without")
        folder.mkdir()
        text = " ".join(
            " ".join(pdf_pages(publish_embedded(replace(made, since=since), ("pdf",), folder, 120)["pdf"])).split()
        )
        assert read in text and ("November" in text) is bool(since)


def test_a_synthetic_mark_is_no_part_of_a_real_report(tmp_path: Path) -> None:
    made = replace(document(synthetic=False), items=(Item("figure", 1, SVG, "fig-a", "c", "a"),))
    text = " ".join(pdf_pages(publish_embedded(made, ("pdf",), tmp_path, 120)["pdf"]))
    assert "ynthetic" not in text


def test_a_key_that_is_wider_than_its_column_goes_on_on_the_next_line(tmp_path: Path) -> None:
    key = "comparison.min_effective_sample_size"
    text = f"| What | As frozen |\n| :{'-' * 28} | :{'-' * 72} |\n| `{key}` | `thirty` |"
    made = replace(document(), items=(Item("markdown", 1, text),))
    pages = pdfium.PdfDocument(publish_embedded(made, ("pdf",), tmp_path, 120)["pdf"])
    read = pages[0].get_textpage()
    (start, _), (next_cell, _) = (read.search(word).get_next() for word in ("comparison", "thirty"))
    ends = [read.get_charbox(n)[2] for n in range(start, next_cell)]
    assert max(ends) < read.get_charbox(next_cell)[0]
    assert "".join(read.get_text_range(start, next_cell - start).split()) == key  # as it can be copied
    pages.close()
