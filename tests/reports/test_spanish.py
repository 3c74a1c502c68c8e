"""The Spanish editions of the project's own notebooks: no English left in them, and the numbers of the English ones."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import evalkit.report._contrast
import evalkit.report._report
from evalkit.publish.rendering._document import Document, document_of
from evalkit.publish.rendering._notebook import in_language
from evalkit.simulate import simulate
from evalkit.views import svg_of
from evalkit.words import speaking
from reports.agreement import run

ROOT = Path(__file__).resolve().parents[2]
# Words that English sentences and labels can hardly do without, and that are no Spanish.
ENGLISH = re.compile(
    r"\b(the|and|of|with|from|was|were|is|are|be|been|has|had|have|who|whom|their|they|there|this|that|these|those|which|"
    r"for|to|in|on|at|by|or|if|it|its|not|than|then|more|less|most|least|each|every|all|any|other|others|one|two|before|"
    r"after|between|within|about|over|under|until|without|above|below|people|person|share|shares|days|day|week|weeks|"
    r"session|sessions|referred|referral|intake|completed|left|engaged|harm|recorded|shown|known|missing|measure|"
    r"group|groups|lower|higher|difference|limits|events|women|men|woman|man|black|white|another|yes|mean|hours|"
    r"published|figure|figures|report|table|source|sources|data|values?|model|weighted|adjusted|unadjusted)\b",
    re.IGNORECASE,
)
NUMBER = re.compile(r"\d[\d,.]*")


@dataclass
class Edition:
    """A report in a language: what is published of it, and the letters of its figures."""

    document: Document
    letters: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("spanish")
    (place / "params").mkdir()
    (place / "notebooks").mkdir()
    for file in (ROOT / "params").glob("*.yaml"):
        (place / "params" / file.name).write_bytes(file.read_bytes())
    simulate("benefit", seed=20211118).write(place / "data" / "demo")
    return place


def edition(world: Path, name: str, language: str) -> Edition:
    """Run a notebook of the project in a language, as a render does but without a kernel."""
    source = ROOT / "notebooks" / f"{name}.ipynb"
    spoken = in_language(nbformat.read(source, as_version=4), source, language)
    file = world / "notebooks" / source.name
    nbformat.write(spoken, file)
    letters: list[str] = []

    def seen(figure: Figure) -> str:
        letters.extend(str(text.get_text()) for text in figure.findobj(Text))
        return svg_of(figure)

    with speaking("en-US"), pytest.MonkeyPatch.context() as patched:  # what the notebook sets ends with it
        for module in (evalkit.report._report, evalkit.report._contrast):
            patched.setattr(module, "svg_of", seen)
        ran = run(file, period="2023Q4", language=language)
    return Edition(document_of(ran.executed, toc=False, pdf_standard="none"), letters)


@pytest.fixture(scope="module")
def quarterly(world: Path) -> tuple[Edition, Edition]:
    return edition(world, "quarterly", "en"), edition(world, "quarterly", "es")


def told(one: Edition) -> Iterator[str]:
    """Return what a reader of the document reads; code names, and citations of English publications, are left out."""
    document = one.document
    yield from (document.title, document.subtitle, document.study, document.organisation, document.period, document.cut)
    for item in document.items:
        text = html.unescape(re.sub(r"<[^>]+>", "\n", item.text)) if item.kind == "table" else item.text
        if item.kind != "figure":
            yield from re.sub(r"`[^`]*`|\{[^}]*\}|@[\w-]+|Fuentes: .*|## \w+|#sec-[\w-]+", "", text).split("\n")
        yield from (item.caption, item.alt)
        yield from _names(item.numbers)
    yield from one.letters


def _names(numbers: Any) -> Iterator[str]:
    columns = numbers.get("columns", [])
    shown = {"group", "label", "cause", "sentence"} | ({"variable"} if "label" not in columns else set())
    for row in numbers.get("rows", []):
        yield from (v for c, v in zip(columns, row, strict=True) if c in shown and isinstance(v, str))


def english(one: Edition) -> list[str]:
    return sorted({text.strip() for text in told(one) if ENGLISH.search(text)})


def test_the_spanish_quarterly_holds_no_english(quarterly: tuple[Edition, Edition]) -> None:
    first, second = quarterly
    assert english(second) == []
    assert len(english(first)) > 100  # the same words are found where they are


def test_figures_share_no_words_between_the_editions_but_names(quarterly: tuple[Edition, Edition]) -> None:
    first, second = ({text for text in one.letters if re.search(r"[^\W\d]{3}", text)} for one in quarterly)
    assert first & second == {"PAIP", "Englewood", "West Englewood", "Chicago Lawn", "South Chicago"}


def test_both_editions_have_the_same_numbers(quarterly: tuple[Edition, Edition]) -> None:
    first, second = (one.document.items for one in quarterly)
    assert [(i.kind, i.cell, i.label, i.estimate) for i in first] == [
        (i.kind, i.cell, i.label, i.estimate) for i in second
    ]
    for one, two in zip(first, second, strict=True):
        if one.kind != "figure":
            assert _numbers(one.text) == _numbers(two.text), one.text
        assert (_numbers(one.caption), _numbers(one.alt)) == (_numbers(two.caption), _numbers(two.alt))
        assert _values(one.numbers) == _values(two.numbers)
    assert _numbers(" ".join(quarterly[0].letters)) == _numbers(" ".join(quarterly[1].letters))


def _numbers(text: str) -> Counter[str]:
    plain = html.unescape(re.sub(r"<[^>]+>", " ", text))
    return Counter(found.rstrip(".,") for found in NUMBER.findall(plain))


def _values(numbers: Any) -> list[list[Any]]:
    return [[v for v in row if not isinstance(v, str)] for row in numbers["rows"]] if numbers else []


@pytest.mark.slow
def test_the_spanish_final_holds_no_english(world: Path) -> None:
    assert english(edition(world, "final", "es")) == []
