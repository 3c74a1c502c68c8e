"""The publishable document: what it says of itself and its pieces, in one value both publishers take."""

from __future__ import annotations

__all__ = [
    "ATTACHMENT",
    "BIBLIOGRAPHY",
    "PLACE",
    "Document",
    "document_of",
    "resources",
    "with_bibliography",
    "with_excuses",
    "works_beside",
]

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from evalkit.errors import PublicationError
from evalkit.excuses import KIND as EXCUSES
from evalkit.excuses import excuse_text
from evalkit.markup import heading, markdown, paragraphs
from evalkit.protocol import Excuse
from evalkit.publish.rendering._prepare import MARK, Item, prepare
from evalkit.words import messages_for

_FACTS = ("title", "subtitle", "study", "organisation", "period", "cut", "cut_date", "synthetic", "locale")

_COVER = ("title", "subtitle", "study", "organisation", "period", "cut", "locale")

BIBLIOGRAPHY = "references.json"
"""Name of the file of references beside a notebook."""

PLACE = "{#refs"
"""How a cell begins that says where they are listed."""

ATTACHMENT = "evalkit-manifest.json"
"""Name of the attachment in the PDF: the manifest, as far as it was known before the PDF was made."""


@dataclass(frozen=True)
class Document:
    """A document ready to be published: its cover, and its pieces in order."""

    title: str
    subtitle: str
    study: str
    organisation: str
    period: str
    cut: str  # in words
    cut_date: date  # the data cut: also the timestamp of every file made
    synthetic: bool  # every page says that nobody in it is real
    locale: str  # as ``en-US``
    items: tuple[Item, ...]
    toc: bool = False
    pdf_standard: str = "ua-1"  # or ``none``
    revision: str = ""  # what the cover says of it; empty for a first release
    attachment: bytes = b""  # what stands inside the PDF: the manifest
    assignment: str = "mandate"  # of people to groups; texts that hold only with a ``mandate`` stand only then
    completion: str = "recorded"  # by which rule people complete; the same of ``dose``
    sessions: bool = True  # whether the study has that table; the same
    bibliography: bytes = b""  # CSL-JSON that citations refer to
    draft: bool = False  # every page says that this is no release
    since: str = ""  # first day of what the figures cover, in words; empty where a notebook's cover does not say it

    @property
    def language(self) -> str:
        """Language part of the locale."""
        return self.locale.partition("-")[0]

    def facts(self) -> dict[str, str]:
        """Return what the cover says, for the manifest: who reads a release by program finds it there."""
        return {name: getattr(self, name) for name in _COVER}

    @property
    def region(self) -> str:
        """Region part of the locale."""
        return self.locale.partition("-")[2]


def document_of(executed: Any, *, toc: bool, pdf_standard: str) -> Document:  # noqa: ANN401 - nbformat has no types
    """Make the document of an executed notebook.

    `PublicationError` if it shows no cover, or something in it cannot be published; `DisclosureError` if an output does
    not carry the mark of a door.
    """
    items = tuple(prepare(executed))
    facts = _cover(executed)
    return Document(
        **{key: facts[key] for key in _FACTS if key != "cut_date"},
        cut_date=date.fromisoformat(facts["cut_date"]),
        items=items,
        toc=toc,
        pdf_standard=pdf_standard,
        **{key: facts[key] for key in ("assignment", "completion", "sessions") if key in facts},
        since=facts.get("since", ""),
    )


def with_bibliography(document: Document, notebook: Path) -> Document:
    """Return the document with the references beside its notebook, where a cell, ``::: {#refs}``, is their place."""
    file = notebook.with_name(BIBLIOGRAPHY)
    asked = any(item.kind == "markdown" and PLACE in item.text for item in document.items)
    return replace(document, bibliography=file.read_bytes()) if asked and file.is_file() else document


def works_beside(notebook: Path) -> tuple[str, ...]:
    """Return the keys of the references beside a notebook; none where there is no such file, or it cannot be read."""
    try:
        works = json.loads(notebook.with_name(BIBLIOGRAPHY).read_bytes())
    except (OSError, ValueError):
        return ()
    return tuple(str(work["id"]) for work in works if isinstance(work, dict) and "id" in work)


def with_excuses(document: Document, excuses: Sequence[Excuse]) -> Document:
    """Return the document with what was excused of its tables, at its end where the notebook does not say it itself."""
    if not excuses or any(item.mark.get("kind") == EXCUSES for item in document.items):
        return document
    say = messages_for(document.locale)
    text = markdown(paragraphs(heading(say("Data quality")), excuse_text(excuses, say)))
    return replace(document, items=(*document.items, Item("markdown", 0, text)))


def _cover(executed: Any) -> dict[str, Any]:  # noqa: ANN401
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            facts = output.get("metadata", {}).get(MARK, {}).get("document")
            if isinstance(facts, dict) and set(_FACTS) <= set(facts):
                return facts
    msg = "the notebook shows no cover; call report.cover() in its first code cell"
    raise PublicationError(msg)


def resources() -> Path:
    """Return the folder of template, filter and style sheet."""
    return Path(str(files("evalkit.publish") / "resources"))
