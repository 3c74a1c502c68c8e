"""The brief in English and in Spanish: the same numbers, two pages, and no English left in the Spanish one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from matplotlib.text import Text

from evalkit.analyses import funnel
from evalkit.errors import ProtocolError
from evalkit.markup import markdown
from evalkit.publish._data import write_data
from evalkit.publish._document import Document
from evalkit.publish._embedded import publish_embedded
from evalkit.publish._prepare import Item
from evalkit.report import _brief, open_brief
from evalkit.simulate import simulate
from evalkit.views._data import as_mark
from publish.standin import pdf_pages

ROOT = Path(__file__).resolve().parents[2]
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?%?")
# Words that every English sentence of the brief is full of, and labels of its figures.
ENGLISH = set(
    re.findall(
        r"\w+",
        """the of and to in who people group within days day share time with without first session sessions completed
        completing completion program programme left figure figures table range counts below published study found
        not what they their have had been came come this that it was is are only used known harm recorded referred
        intake steps period since quarter synthetic page cut by from for more other reach staying""",
    )
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("brief")
    (place / "params").mkdir()
    for file in (ROOT / "params").glob("*.yaml"):
        (place / "params" / file.name).write_bytes(file.read_bytes())
    simulate("benefit", seed=20211118).write(place / "data" / "demo")
    return place / "params" / "study.yaml"


def told(study: Path, language: str, period: str = "2023Q4") -> list[tuple[str, str, dict[str, Any], list[str]]]:
    """Run the brief's cells; return what each shows, its text, its mark, and the words drawn in its figure."""
    shown: list[tuple[str, str, dict[str, Any], list[str]]] = []
    drawn: list[str] = []

    def collect(shows: str, text: str, **mark: Any) -> None:
        shown.append((shows, text if shows == "figure" else markdown(text), mark, list(drawn)))
        drawn.clear()

    def svg(figure: Any) -> str:
        drawn.extend(text.get_text() for text in figure.findobj(Text) if text.get_text().strip())
        return original(figure)

    original = _brief.svg_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_brief, "emit", collect)
        patch.setattr(_brief, "svg_of", svg)
        brief = open_brief(str(study), period, language=language)
        for part in ("cover", "about", "findings", "steps", "staying", "reading"):
            getattr(brief, part)()
    return shown


def document_of(shown: list[tuple[str, str, dict[str, Any], list[str]]]) -> Document:
    facts = shown[0][2]["document"]
    items = []
    for number, (shows, text, mark, _) in enumerate(shown[1:], start=2):
        said = mark.get("words", {})
        label = f"fig-{number}" if shows == "figure" else ""
        numbers = as_mark(mark["data"]) if shows == "figure" else {}
        items.append(Item(shows, number, text, label, said.get("caption", ""), said.get("alt", ""), numbers=numbers))
    made = {name: value for name, value in facts.items() if name != "cut_date"}
    return Document(**made, cut_date=date.fromisoformat(facts["cut_date"]), items=tuple(items))


def texts(shown: list[tuple[str, str, dict[str, Any], list[str]]]) -> str:
    """Everything a reader sees or hears, as one text."""
    facts = [str(value) for name, value in shown[0][2]["document"].items() if name not in {"locale", "cut_date"}]
    body = [text for shows, text, _, _ in shown[1:] if shows == "markdown"]
    said = [value for _, _, mark, _ in shown for value in mark.get("words", {}).values()]
    drawn = [text for *_, words in shown for text in words]
    return "\n".join([*facts, *body, *said, *drawn])


@pytest.fixture(scope="module")
def english(study: Path) -> list[Any]:
    return told(study, "en")


@pytest.fixture(scope="module")
def spanish(study: Path) -> list[Any]:
    return told(study, "es")


def _leftovers(text: str) -> set[str]:
    return {word for word in re.findall(r"[A-Za-zÁÉÍÓÚÑáéíóúñü]+", text.lower()) if word in ENGLISH}


def test_nothing_english_is_left_in_spanish(english: list[Any], spanish: list[Any]) -> None:
    assert len(_leftovers(texts(english))) > 40  # the list would notice
    assert _leftovers(texts(spanish)) == set()
    assert "Datos" not in texts(english)


def test_both_languages_say_the_same_numbers(english: list[Any], spanish: list[Any]) -> None:
    assert [shows for shows, *_ in english] == [shows for shows, *_ in spanish]
    for (_, text, mark, drawn), (_, other, also, drawn_too) in zip(english[1:], spanish[1:], strict=True):
        if "words" not in mark:
            assert sorted(NUMBER.findall(text)) == sorted(NUMBER.findall(other))
            continue
        for part in ("caption", "alt"):
            assert NUMBER.findall(mark["words"][part]) == NUMBER.findall(also["words"][part])
        assert sorted(NUMBER.findall(" ".join(drawn))) == sorted(NUMBER.findall(" ".join(drawn_too)))


def test_numbers_are_those_of_the_safe_estimates(study: Path, spanish: list[Any]) -> None:
    report = open_brief(str(study), "2023Q4").report
    safe = report.safe(funnel(report.cohort)).estimates.tidy()
    row = safe[(safe["term"] == "engaged") & (safe["group"] == report.groups[0])].iloc[0]
    findings = next(text for shows, text, mark, _ in spanish if mark.get("kind") == "findings")
    low, high = (f"{100 * row[name]:.0f}%" for name in ("conf_low", "conf_high"))
    assert re.search(r"fue de \d+% \(\d+% a \d+%\)\. No hay una diferencia clara\. En un estudio publicado", findings)
    assert f"{100 * row['estimate']:.0f}% ({low} a {high}) de las personas asistió a 4 o más sesiones" in findings


def test_alternative_texts_say_numbers_of_the_data(spanish: list[Any]) -> None:
    for shows, _, mark, _ in spanish:
        if shows == "figure":
            values = {f"{100 * value:.0f}%" for value in mark["data"]["estimate"]}
            said = re.findall(r"\d+%", mark["words"]["alt"])
            assert said
            assert set(said) <= values


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_brief_has_two_pages_in_its_language(language: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    (tmp_path / "html").mkdir()
    made = document_of(request.getfixturevalue("english" if language == "en" else "spanish"))
    sheets = pdf_pages(publish_embedded(made, ("pdf",), tmp_path, 120)["pdf"])
    assert len(sheets) == 2
    if language == "es":
        page = publish_embedded(made, ("html",), tmp_path / "html", 120)["html"].read_text(encoding="utf-8")
        said = re.sub(r"<style\b.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
        assert _leftovers(said) == set()
        assert _leftovers(" ".join(sheets)) == set()
        assert "Datos sintéticos: no se describe a ninguna persona real" in " ".join(" ".join(sheets).split())


def test_files_beside_the_spanish_brief_are_described_in_spanish(spanish: list[Any], tmp_path: Path) -> None:
    made = write_data(document_of(spanish), tmp_path, 120)
    readme = made["data/README.md"].read_text(encoding="utf-8")
    told = "\n".join(line for line in readme.splitlines() if not line.startswith("|"))
    meanings = [line.split("|")[-2] for line in readme.splitlines() if line.startswith("|") and "---" not in line]
    assert "límite inferior de confianza" in readme
    assert _leftovers(told) == set()
    assert _leftovers(" ".join(meanings)) == set()


@pytest.mark.parametrize("period", ["2021Q4", "2022Q1"])
def test_a_quarter_with_almost_nobody_is_told_too(study: Path, period: str) -> None:
    shown = told(study, "es", period)
    text = texts(shown)
    assert "Todavía no se muestra" in text
    assert _leftovers(text) == set()
    assert "nan" not in re.findall(r"\w+", text)
    assert "{" not in re.sub(r"::: \{\.\w+\}", "", text)


def test_another_language_is_refused_by_name(study: Path) -> None:
    with pytest.raises(ProtocolError, match="language 'esp': there are messages in en, es; did you mean 'es'"):
        open_brief(str(study), "2023Q4", language="esp")


def test_the_notebook_is_stripped_and_types_no_word() -> None:
    notebook = json.loads((ROOT / "notebooks" / "brief.ipynb").read_text(encoding="utf-8"))
    assert "kernelspec" not in notebook["metadata"]
    nbformat.validate(nbformat.from_dict(notebook))
    for cell in notebook["cells"]:
        assert cell["cell_type"] == "code"  # words typed here would stand in one language
        assert cell["outputs"] == []
        assert "cap:" not in "".join(cell["source"])


def test_a_brief_without_synthetic_data_says_nothing_of_it(english: list[Any], tmp_path: Path) -> None:
    made = replace(document_of(english), synthetic=False)
    assert "ynthetic" not in " ".join(pdf_pages(publish_embedded(made, ("pdf",), tmp_path, 120)["pdf"]))


@pytest.mark.parametrize(
    ("language", "title", "why"),
    [
        ("en", "Steps from referral to completion", "records of sessions are not part of this study"),
        (
            "es",
            "Pasos desde que la persona es referida hasta que completa el programa",
            "los registros de sesiones no forman parte",
        ),
    ],
)
def test_without_sessions_a_brief_says_what_is_not_shown_and_why(
    study: Path, language: str, title: str, why: str
) -> None:
    protocol = yaml.safe_load(study.read_text(encoding="utf-8"))
    for table in ("sessions", "exits"):
        del protocol["tables"][table]
    file = study.with_name("no-sessions.yaml")
    file.write_text(yaml.safe_dump(protocol, allow_unicode=True), encoding="utf-8")
    absent = [text for _, text, mark, _ in told(file, language) if mark.get("kind") == "absent"]
    assert len(absent) == 2
    assert title in absent[0]
    assert all(why in text for text in absent)


def test_people_assigned_by_lot_are_not_said_to_be_sent_by_a_court(study: Path) -> None:
    protocol = yaml.safe_load(study.read_text(encoding="utf-8"))
    for assignment, said in (("random", "made by lot"), ("other", "may differ in more than the program")):
        protocol["comparison"]["assignment"] = assignment
        file = study.with_name(f"{assignment}.yaml")
        file.write_text(yaml.safe_dump(protocol, allow_unicode=True), encoding="utf-8")
        reading = told(file, "en")[-1][1]
        assert said in reading
        assert "by a court" not in reading
