"""The brief: page one in its language, with its figures on a second page; and how page one reads."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.markup import plain
from evalkit.publish.release._changes import superseding
from evalkit.publish.rendering._document import Document
from evalkit.publish.rendering._embedded import publish_embedded
from evalkit.words import messages_for
from publish.standin import pdf_pages
from reports.reading import english_syllables, grade, inflesz, spanish_syllables, words_and_sentences
from reports.test_spanish import Edition, _numbers, _values, edition, english
from reports.test_spanish import world as _world

world = _world


@pytest.fixture(scope="module")
def briefs(world: Path) -> tuple[Edition, Edition]:
    return edition(world, "brief", "en"), edition(world, "brief", "es")


def test_the_spanish_brief_holds_no_english(briefs: tuple[Edition, Edition]) -> None:
    first, second = briefs
    assert english(second) == []
    assert len(english(first)) > 30  # the same words are found where they are


def test_both_briefs_have_the_same_numbers(briefs: tuple[Edition, Edition]) -> None:
    first, second = (one.document.items for one in briefs)
    assert [(i.kind, i.label, i.estimate) for i in first] == [(i.kind, i.label, i.estimate) for i in second]
    for one, two in zip(first, second, strict=True):
        assert _values(one.numbers) == _values(two.numbers)
        if one.kind == "table":
            assert _numbers(one.text) == _numbers(two.text)
            assert _numbers(" ".join(alts(one.text))) == _numbers(" ".join(alts(two.text)))


def alts(table: str) -> list[str]:
    """What the small pictures of a table say to those who do not see them."""
    return [html.unescape(one) for one in re.findall(r'aria-label="([^"]*)"', table)]


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_brief_has_two_pages(language: str, briefs: tuple[Edition, Edition], tmp_path: Path) -> None:
    made = replace(briefs[language == "es"].document, pdf_standard="ua-1")
    sheets = pdf_pages(publish_embedded(made, ("pdf",), tmp_path, 120)["pdf"])
    assert len(sheets) == 2
    assert ("pilot" if language == "en" else "piloto") in sheets[0]


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_long_reason_for_a_revision_leaves_page_one_whole(
    language: str, briefs: tuple[Edition, Edition], tmp_path: Path
) -> None:
    document = briefs[language == "es"].document
    reason = "Sessions of September were entered twice by one of the sites. " * 5
    said = superseding(1, "0" * 64, reason, [], []).words(messages_for(document.locale))
    made = replace(document, revision=said, pdf_standard="ua-1")
    sheets = pdf_pages(publish_embedded(made, ("pdf",), tmp_path, 120)["pdf"])
    assert "Sessions of September" in sheets[0]
    *_, last, _fence = document.items[2].text.split()
    assert last in sheets[0]  # where help is, to its last word


def page_one(document: Document) -> str:
    """The words of page one, a line for each cell."""
    heading, table, below = document.items[:3]
    cells = re.split(r"<t[dh]\b[^>]*>", table.text)
    text = [
        " ".join(html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", "", cell))).split()) for cell in cells
    ]
    told = [one for one in text if re.search(r"[A-Za-z]{3}", one)]
    return "\n".join([plain(heading.text), *told, plain(below.text)])


def test_below_the_grid_stand_at_most_five_sentences_and_what_is_not_known(briefs: tuple[Edition, Edition]) -> None:
    for one in briefs:
        first, sure, help_ = one.document.items[2].text.strip().split("\n\n")
        assert 3 <= words_and_sentences(plain(first))[1] <= 4  # and where help is
        assert words_and_sentences(plain(sure))[1] <= 6  # with its heading
        assert help_.startswith("::: {.help}")


def test_page_one_is_read_by_people_who_left_school_early(briefs: tuple[Edition, Edition]) -> None:
    first, second = (page_one(one.document) for one in briefs)
    assert len(first.split()) > 150
    assert grade(first) <= 9
    assert inflesz(second) >= 55


@pytest.mark.parametrize(
    ("word", "syllables"),
    [("harm", 1), ("people", 2), ("stay", 1), ("referred", 2), ("completed", 3), ("unclear", 2), ("whole", 1), ("table", 2)],
)  # fmt: skip
def test_english_syllables(word: str, syllables: int) -> None:
    assert english_syllables(word) == syllables


@pytest.mark.parametrize(
    ("word", "syllables"),
    [("daño", 2), ("personas", 3), ("quienes", 2), ("día", 2), ("diferencia", 4), ("aún", 2), ("que", 1), ("empezaron", 4)],
)  # fmt: skip
def test_spanish_syllables(word: str, syllables: int) -> None:
    assert spanish_syllables(word) == syllables
