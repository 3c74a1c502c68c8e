"""Places that the documents name are there: a file that moved or a function with another name fails here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("GLOSSARY.md", "docs/architecture.md")
_PLACE = re.compile(r"`(?P<file>[\w/.-]+\.(?:py|md|yaml))(?:: (?P<name>\w+))?`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def _candidates(file: str) -> list[Path]:
    """Where a file may be meant: from the top, or below the library; a bare name anywhere in it."""
    there = [ROOT / file, ROOT / "src/evalkit" / file]
    return [path for path in there if path.is_file()] or sorted((ROOT / "src/evalkit").glob(f"**/{file}"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_and_functions_that_a_document_names_are_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = [match.group("file", "name") for match in _PLACE.finditer(text)]
    assert len(named) > 10
    gone = []
    for file, name in named:
        sources = [path.read_text(encoding="utf-8") for path in _candidates(file)]
        defined = re.compile(rf"^\s*(?:def|class) {name}\b|^{name}\b.*=", re.MULTILINE)
        if not sources or (name and not any(defined.search(source) for source in sources)):
            gone.append(f"{file}: {name}" if name else file)
    assert gone == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_of_a_document_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert [link for link in _LINK.findall(text) if not ((ROOT / document).parent / link).exists()] == []
