"""Places that the documents name are there: a file that moved or a function with another name fails here."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from evalkit import analyses, stats

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


def test_the_table_of_questions_lists_every_function() -> None:
    listed = re.findall(r"^`(\w+)` ", analyses.__doc__ or "", re.MULTILINE)
    assert sorted(listed) == sorted(name for name in analyses.__all__ if inspect.isfunction(getattr(analyses, name)))


def test_functions_that_messages_name_are_there() -> None:
    """A message may say what to call: with the name that it has now."""
    said = re.compile(r"\b(analyses|stats|survival|engagement|compare|cohort)\.([a-z_]\w*)")
    named = []
    for path in sorted((ROOT / "src/evalkit").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == ["msg"]:
                texts = [one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)]
                named += [found.groups() for text in texts if isinstance(text, str) for found in said.finditer(text)]
    assert ("analyses", "completion") in named
    rooms = {"analyses": analyses, "stats": stats}
    assert [(room, name) for room, name in named if not hasattr(rooms.get(room), name)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_of_a_document_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert [link for link in _LINK.findall(text) if not ((ROOT / document).parent / link).exists()] == []
