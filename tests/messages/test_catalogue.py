"""Every message has its Spanish, with the same places."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from babel.messages.extract import extract_from_dir
from pydantic import BaseModel

from evalkit.glossary import COLUMNS
from evalkit.protocol import Harm, Rules
from evalkit.publish.rendering._notebook import prose
from evalkit.words import LANGUAGES, Messages, catalogue, read_catalogue

SOURCE = Path(__file__).resolve().parents[2] / "src" / "evalkit"
KEYWORDS = {"say": None, "marked": None, "counted": (1, 2)}


def _messages() -> Iterator[tuple[str, str]]:
    method = [("intake/**.py", "ignore"), ("**.py", "python")]  # its say() is another one
    found = extract_from_dir(SOURCE, method_map=method, keywords=KEYWORDS)
    for file, line, message, _, _ in found:
        for one in [message] if isinstance(message, str) else message:
            yield one, f"{file}:{line}"
    for file, line, message, _, _ in extract_from_dir(SOURCE, method_map=method, keywords={"words": None}):
        if isinstance(message, str) and " " in message:  # English words, and no key
            yield message, f"{file}:{line}"
    for file, line, message, _, _ in extract_from_dir(SOURCE, method_map=method, keywords={"translated": None}):
        if isinstance(message, str):
            yield message, f"{file}:{line}"

    for folder in ("views", "report"):  # headings of tables
        for path in (SOURCE / folder).rglob("*.py"):
            for text in _headings(ast.parse(path.read_text(encoding="utf-8"))):
                yield text, str(path.name)


def _headings(tree: ast.AST) -> Iterator[str]:
    """Texts with a capital that are given by name, or to a function."""
    for node in ast.walk(tree):
        given = node.values if isinstance(node, ast.Dict) else node.args if isinstance(node, ast.Call) else []
        texts = [v.value for v in given if isinstance(v, ast.Constant) and isinstance(v.value, str)]
        yield from (text for text in texts if re.match(r"[A-Z][a-z]", text))


MESSAGES = dict(_messages())


def test_messages_are_found() -> None:
    assert {"Data cut", "Synthetic data", "Numbers (CSV)", "Compared"} <= set(MESSAGES)


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_message_is_translated_with_the_same_places(language: str) -> None:
    translated = {str(m.id): str(m.string) for m in catalogue(language) if m.id}
    english = {str(m.id): str(m.string) for m in catalogue("en") if m.id}
    lacking = sorted(f"{where}: {text}" for text, where in MESSAGES.items() if not translated.get(text))
    assert lacking == []
    assert sorted(key for key in english if not translated.get(key)) == []
    for key, text in translated.items():
        before = english.get(key, key)
        assert set(_places(before)) == set(_places(text)), key  # a language may say a place twice
        assert text[-1:] in ".:?" or before[-1:] not in ".:?", key
        assert before.count("**") == text.count("**"), key


# Put together where no one place of the source shows the whole.
COMPOSED = {
    "Main analysis: by day {day}",
    "Main analysis: {gap} days without a session, day {day}",
    "about {share}",
    "difference in the share with {event} by day {day}, without and with imputed values; target of adjusted figures, "
    "where a row names no other: {target}",
    "difference in the share with {event} by day {day}; target of adjusted figures: {target}",
    "weighted difference in the share with {event} under other choices; target of adjusted figures, where a row names "
    "no other: {target}",
    "domestic-violence arrest",
    "people with a first session and a value for every characteristic",
    "people with an intake and a value for every characteristic",
    "mandate is court",
    "{first} or {second}",
    "{first} × {second}",
    "{group}: mandate is court",
    "{group}: mandate is known",
    "{group}: {column} is known",
    "{group}: {column} is {value}",
    "{low} or more sessions",
    "{low} to {high} sessions",
    "{name} = {value}",
    "{name}, above the median",
    "{name}, at {fixed}",
}


def test_nothing_is_translated_that_is_said_nowhere() -> None:
    texts, shapes = _written()
    keyed = {str(m.id) for m in catalogue("en")}
    described = {column.meaning for column in COLUMNS.values()} | {name.replace("_", " ") for name in COLUMNS}
    described |= {
        info.description for model in (*_models(Rules), *_models(Harm)) for info in model.model_fields.values()
    }
    words = {str(m.id) for m in catalogue("es") if m.id} - keyed - described
    # Where a label names a day, readers are told months.
    words = {
        re.sub(r"(?:by|(, )by) \{when\}", lambda m: f"{m[1] or 'by '}day {{day}}", word) for word in words
    } - COMPOSED
    assert (
        sorted(word for word in words if not ({word, word.lower(), _turned(word)} & texts or _said(word, shapes))) == []
    )
    assert _said("Intake within {days} days", shapes)
    assert not _said("Left within {days} days", shapes)


def _written() -> tuple[set[str], set[str]]:
    """Return the texts of sources and notebooks, and those with places, the places nameless."""
    sources = [file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py")]
    for file in (SOURCE.parents[1] / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(file, as_version=4).cells
        sources += [cell.source for cell in cells if cell.cell_type == "code"]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    shapes = {
        "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values)
        for node in nodes
        if isinstance(node, ast.JoinedStr)
    }
    return texts | {text.replace("_", " ") for text in texts}, shapes | {
        _nameless(text) for text in texts if "{" in text
    }


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for info in model.model_fields.values():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _models(info.annotation)


def _turned(text: str) -> str:
    return f"{text[:1].swapcase()}{text[1:]}"


def _nameless(text: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", text)


def _said(message: str, shapes: set[str]) -> bool:
    """Whether a message with places is written somewhere, whole or put together of others."""
    return "{" in message and bool({_nameless(message), _nameless(_turned(message))} & shapes)


@pytest.mark.parametrize("name", ["quarterly", "final", "brief"])
def test_every_paragraph_of_a_notebook_is_translated(name: str) -> None:
    file = SOURCE.parents[1] / "notebooks" / f"{name}.ipynb"
    with file.with_name(f"{name}.es.po").open("rb") as stream:
        known = {str(m.id): str(m.string) for m in read_catalogue(stream, "es") if m.id}
    assert list(known) == prose(nbformat.read(file, as_version=4))  # all of them, in their order, and no others
    for text, said in known.items():
        assert said
        for marks in (r"\[?@\w+", r"\{[^}]*\}", r"\]\(#[\w-]+\)", r"\d+%"):
            assert sorted(re.findall(marks, text)) == sorted(re.findall(marks, said)), text


def _places(text: str) -> list[str]:
    return sorted(re.findall(r"\{[^}]*\}", text))


def test_a_language_without_messages_is_served_in_english() -> None:
    assert Messages("fr-FR")("Data cut") == "Data cut"
    assert Messages("fr-FR").count(1060) == "1,060"


@pytest.mark.parametrize(
    ("value", "english", "spanish"),
    [
        (0.0, "0%", "0%"),
        (0.004, "under 1%", "menos del 1%"),
        (0.624, "62%", "62%"),
        (0.996, "over 99%", "más del 99%"),
        (1.0, "100%", "100%"),
    ],
)
def test_shares(value: float, english: str, spanish: str) -> None:
    assert (Messages("en-US").percent(value), Messages("es-US").percent(value)) == (english, spanish)


# What must go together, where a message says one of two opposites.
OPPOSITES = {
    "clearly higher {within}": "claramente mayor {within}",
    "clearly lower {within}": "claramente menor {within}",
    "Clearly more": "Claramente más",
    "Clearly fewer": "Claramente menos",
    "Of every hundred people, {low} to {high} more than": "de cada cien, entre {low} y {high} más que",
    "Of every hundred people, {low} to {high} fewer than": "de cada cien, entre {low} y {high} menos que",
    "{low} fewer to {high} more per hundred than": "De cada cien, quizá de {low}\xa0menos a {high}\xa0más que",
    "A larger share": "un porcentaje mayor",
    "A smaller share": "un porcentaje menor",
    "for a larger share": "un porcentaje mayor",
    "for a smaller share": "un porcentaje menor",
    "leaves early": "deja pronto",
    "completes {focus}": "completa el programa {focus}",
    "clearly rose": "subió claramente",
    "clearly fell": "bajó claramente",
    "Unclear:": "No está claro:",
    "Unclear.": "No está claro.",
    "to its right, more {focus}": "a su derecha, más {focus}",
    "Unclear does not mean": "no esté claro no quiere decir",
    "Withheld is not zero": "Reservado no es cero",
    "Fewer than": "Menos de",
}


def test_opposites_are_not_turned_round_in_translation() -> None:
    translated = {str(m.id): str(m.string) for m in catalogue("es") if m.id}
    keyed = {str(m.id): str(m.string) for m in catalogue("en") if m.id}
    for english, spanish in OPPOSITES.items():
        said = [key for key, text in keyed.items() if english in text]
        assert said, english
        for key in said:
            assert spanish.lower() in translated[key].lower(), (key, translated[key])
