"""A notebook's own prose in another language: its paragraphs, headings and captions from the catalogue beside it."""

from __future__ import annotations

__all__ = ["catalogue_of", "in_language", "prose", "read_words"]

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalkit.errors import ProtocolError, PublicationError
from evalkit.protocol import parse_yaml
from evalkit.words import read_catalogue

_HEADING = re.compile(r"(#+ )(.*?)(\s*\{#[^}]*\})?")
_CAPTION = re.compile(r"#\|\s?(fig-cap|fig-alt|tbl-cap): *(.*)")
# Letters of a paragraph's beginning: enough to find it in the notebook.
_TOLD = 40


def catalogue_of(notebook: Path, language: str) -> Path:
    """Return where the words of a notebook in a language lie: ``quarterly.es.po`` beside ``quarterly.ipynb``."""
    return notebook.with_name(f"{notebook.stem}.{language}.po")


def in_language(notebook: Any, file: Path, language: str) -> Any:  # noqa: ANN401 - nbformat has no types
    """Return a notebook with its prose in a language: a copy, or itself where no catalogue lies beside `file`.

    Without a catalogue it is taken to be written in the language. `ProtocolError` if the catalogue cannot be read;
    `PublicationError` if a paragraph, heading or caption has no translation: naming the cell, and how it begins.
    """
    place = catalogue_of(file, language)
    if not place.is_file():
        return notebook
    known = read_words(place, language)
    spoken = copy.deepcopy(notebook)
    for number, cell in enumerate(spoken.cells, start=1):

        def said(text: str, number: int = number) -> str:
            if text not in known:
                begins = text if len(text) <= _TOLD else f"{text[:_TOLD].rsplit(' ', 1)[0]} ..."
                # No fallback to the other language: a report is in one, or is not made.
                msg = f"cell {number}: '{begins}' has no translation; add it to {place.name}"
                raise PublicationError(msg)
            return known[text]

        cell.source = _said(cell, said)
    return spoken


def read_words(file: Path, language: str) -> dict[str, str]:
    """Read the catalogue of a notebook; `ProtocolError` if it cannot be read."""
    try:
        with file.open("rb") as stream:
            return {str(m.id): str(m.string) for m in read_catalogue(stream, language) if m.id and m.string}
    except (OSError, ValueError):
        msg = f"{file}: is not a readable catalogue; msgid and msgstr lines as gettext has them"
        raise ProtocolError(msg) from None


def prose(notebook: Any) -> list[str]:  # noqa: ANN401
    """Return the paragraphs, headings and captions of a notebook, each once: what its catalogue has to hold."""
    found: list[str] = []

    def kept(text: str) -> str:
        found.append(text)
        return text

    for cell in notebook.cells:
        _said(cell, kept)
    return list(dict.fromkeys(found))


def _said(cell: Any, said: Callable[[str], str]) -> str:  # noqa: ANN401
    """Return a cell's source with each line of prose as ``said`` has it."""
    if cell.cell_type not in {"markdown", "code"}:
        return str(cell.source)
    write = _markdown if cell.cell_type == "markdown" else _option
    return "\n".join(write(line, said) for line in cell.source.split("\n"))


def _markdown(line: str, said: Callable[[str], str]) -> str:
    """Return a line of Markdown; what only opens or closes a block is no prose."""
    text = line.strip()
    if not text or text.startswith(":::"):
        return line
    if heading := _HEADING.fullmatch(text):
        return f"{heading[1]}{said(heading[2])}{heading[3] or ''}"
    return said(text)


def _option(line: str, said: Callable[[str], str]) -> str:
    """Return a line of code: a caption or alternative text in the language, everything else as it stands."""
    option = _CAPTION.fullmatch(line)
    if option is None:
        return line
    # Captions stand in quotes or without; the catalogue has what YAML reads.
    text = parse_yaml(option[2], "a caption")
    return f"#| {option[1]}: {json.dumps(said(str(text)), ensure_ascii=False)}" if text else line
