"""Every message has its Spanish, with the same places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from evalkit.glossary import COLUMNS
from evalkit.words import LANGUAGES, Messages, catalogue

SOURCE = Path(__file__).resolve().parents[2] / "src" / "evalkit"
KEYWORDS = {"say": None, "marked": None, "counted": (1, 2)}


def _messages() -> Iterator[tuple[str, str]]:
    method = [("intake/**.py", "ignore"), ("**.py", "python")]  # its say() is another one
    found = extract_from_dir(SOURCE, method_map=method, keywords=KEYWORDS)
    for file, line, message, _, _ in found:
        for one in [message] if isinstance(message, str) else message:
            yield one, f"{file}:{line}"


MESSAGES = dict(_messages())


def test_messages_are_found() -> None:
    assert {"Data cut", "Synthetic data", "over {share}"} <= set(MESSAGES)


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_message_is_translated_with_the_same_places(language: str) -> None:
    translated = {str(m.id): str(m.string) for m in catalogue(language) if m.id}
    lacking = sorted(f"{where}: {text}" for text, where in MESSAGES.items() if not translated.get(text))
    assert lacking == []
    described = {column.meaning for column in COLUMNS.values()}
    assert sorted(set(translated) - set(MESSAGES) - described) == []  # nothing that is said nowhere
    for text in MESSAGES:
        assert _places(text) == _places(translated[text]), text
        assert translated[text][-1:] in ".:?" or text[-1:] not in ".:?", text


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
    "clearly higher": "claramente mayor",
    "clearly lower": "claramente menor",
    "no clear difference": "No hay una diferencia clara",
    "stayed longer": "claramente más tiempo",
    "stayed less long": "claramente menos tiempo",
    "later or less often": "más tarde o con menos frecuencia",
    "sooner or more often": "antes o con más frecuencia",
    "do not clearly differ": "no hay una diferencia clara",
    "under {share}": "menos del {share}",
    "over {share}": "más del {share}",
    "Fewer than": "Menos de",
    "Nobody": "Nadie",
    "too few people would": "se basaría en muy pocas personas",
    "had left without completing": "sin completarlo",
    "completed the program within": "completó el programa en los",
}


def test_opposites_are_not_turned_round_in_translation() -> None:
    translated = {str(m.id): str(m.string) for m in catalogue("es") if m.id}
    for english, spanish in OPPOSITES.items():
        said = [text for text in MESSAGES if english.lower() in text.lower()]
        assert said, english
        for text in said:
            assert spanish.lower() in translated[text].lower(), (text, translated[text])
