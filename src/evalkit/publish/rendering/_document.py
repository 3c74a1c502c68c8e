"""From an executed notebook to a publishable document: its cover and its pieces, in one value both publishers take.

What leaves is decided here, for both publishers: every output must carry the mark that `evalkit.report` puts on what
passed disclosure control; code, parameters and execution records go; each figure and table stands in a cell of its own
with its label, caption and alternative text. Whatever else a cell put out stops the publication, naming the cell.
"""

from __future__ import annotations

__all__ = [
    "ATTACHMENT",
    "BIBLIOGRAPHY",
    "MARK",
    "PLACE",
    "SECTION",
    "Document",
    "Item",
    "document_of",
    "options_of",
    "prepare",
    "references_in",
    "resources",
    "unresolved",
    "with_bibliography",
    "with_excuses",
    "works_beside",
]

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from evalkit.cells import DOORS, REFERENCE, SECTION, options_of
from evalkit.errors import DisclosureError, PublicationError, did_you_mean
from evalkit.excuses import KIND as EXCUSES
from evalkit.excuses import excuse_text
from evalkit.markup import escaped, heading, markdown, paragraphs, title
from evalkit.protocol import Excuse
from evalkit.seal import MARK
from evalkit.words import messages_for

_HEADING = re.compile(r"\s*(#{1,6}) ")
_BEFORE_HEADING = re.compile(r"(?m)^(?=#{1,6} )")
_REFERRED = re.compile(r"(?:@|\]\(#)(sec-[\w-]*\w)")
_ARTICLE = re.compile(r"^(?:the|el|la|los|las) ")
_TAIL = re.compile(r"(: |, with |, con ).*$", re.DOTALL)  # of a caption: how the figure shows it


@dataclass(frozen=True)
class Item:
    """One piece of a publishable document."""

    kind: Literal["markdown", "code", "figure", "table"]
    cell: int  # as people count them (from 1); 0 for what no cell made
    text: str  # Markdown, source code, the figure's SVG, or the table's HTML
    label: str = ""
    caption: str = ""
    alt: str = ""
    estimate: str = ""
    analysis: str = ""  # the estimate's kind
    numbers: Mapping[str, Any] = field(default_factory=dict)  # safe ones, as ``columns`` and ``rows``
    mark: Mapping[str, Any] = field(default_factory=dict)  # what its door says of it; the author's own has none

    @property
    def phone(self) -> str:
        """The figure as SVG for a phone, where that is another one."""
        return str(self.mark.get("phone") or "")

    @property
    def title(self) -> str:
        """The caption without Markdown's marks, for places that show plain text."""
        return title(self.caption)


def prepare(executed: Any) -> list[Item]:  # noqa: ANN401 - nbformat.NotebookNode has no types
    """Take from an executed notebook what is published, in order.

    `DisclosureError` if an output does not carry the mark of a door; `PublicationError` if a figure or table lacks
    label, caption or alternative text, a label stands twice, an option is unknown, or a reference leads nowhere.
    """
    items: list[Item] = []
    number = 0
    for cell in executed.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            continue
        number += 1
        if cell.cell_type == "markdown":
            items.append(Item("markdown", number, cell.source))
        elif cell.cell_type == "code":
            for item in _code_cell(cell, number, hidden=bool({"parameters", "remove"} & set(tags))):
                _add(item, items)
    items = _spared([_titled(item) for item in items])
    _check_labels(items)
    _check_references(items)
    return items


def _add(item: Item, before: list[Item]) -> None:
    """Add an item; a sentence that was just said is not said again, but of what else it is said."""
    place = _said_before(item, before)
    if place is None:
        before.append(item)
        return
    said = before[place].caption
    # "The difference by area" names no more than "Difference by area, adjusted"; "Harm" is not "Harm after completing".
    name, named = _bare_words(item.caption), [_bare_words(part) for part in said.split("; ")]
    if name and not any(f"{one},".startswith(f"{name},") for one in named):
        before[place] = replace(before[place], caption="; ".join(part for part in (said, item.caption) if part))


def _said_before(item: Item, before: list[Item]) -> int | None:
    """Return where the same sentence stands already, with nothing but such sentences since."""
    if item.kind != "markdown" or not item.mark:
        return None
    for place in range(len(before) - 1, -1, -1):
        last = before[place]
        if last.kind == "markdown" and last.text == item.text:
            return place
        if last.kind != "markdown" or not last.mark.get("absent"):
            return None
    return None


def _bare_words(caption: str) -> str:
    """Return a caption without its article and capitals."""
    return _ARTICLE.sub("", caption.lower())


def _spared(items: list[Item]) -> list[Item]:
    """Leave out what explains figures that there are none of: a section without its table says so once and no more."""
    items = [one for item in items for one in _split(item)]
    bounds = [*(n for n, item in enumerate(items) if _level(item)), len(items)]
    parts = [items[a:b] for a, b in pairwise(bounds)]
    bare = [_lacks_its_table(part) for part in parts]
    # From the last on: a part whose sections are all bare, and that shows nothing itself, is bare like them.
    levels = [_level(part[0]) for part in parts]
    ends = [
        next((k for k in range(n + 1, len(parts)) if levels[k] <= levels[n]), len(parts)) for n in range(len(parts))
    ]
    for n in range(len(parts) - 1, -1, -1):
        if ends[n] > n + 1 and not any(item.mark for item in parts[n]):
            bare[n] = all(bare[n + 1 : ends[n]])
    referred = {label for item in items for label in _REFERRED.findall(item.text)}
    spared, n = items[: bounds[0]], 0
    while n < len(parts):
        inside = [item for part in parts[n + 1 : ends[n]] for item in part]
        if bare[n] and all(bare[n : ends[n]]) and not _needed(inside, referred):
            spared += _bared([*parts[n], *(item for item in inside if item.mark)])
            n = ends[n]
        else:
            spared += _bared(parts[n]) if bare[n] else parts[n]
            n += 1
    return spared


def _needed(inside: list[Item], referred: set[str]) -> bool:
    """Say whether sections within a bare one stay: something leads to them, or they open or close a division."""
    own = [item.text for item in inside if not item.mark]
    return any(":::" in text or referred.intersection(SECTION.findall(text)) for text in own)


def _split(item: Item) -> list[Item]:
    """Return an author's text as one item for each of its headings; what is shown stays whole."""
    if item.kind != "markdown" or item.mark or "```" in item.text:
        return [item]
    return [replace(item, text=text.strip()) for text in _BEFORE_HEADING.split(item.text) if text.strip()]


def _level(item: Item) -> int:
    """Return how deep a heading that an author wrote is; 0 for what is none."""
    found = _HEADING.match(item.text) if item.kind == "markdown" and not item.mark else None
    return len(found[1]) if found else 0


def _lacks_its_table(part: list[Item]) -> bool:
    shown = [item for item in part if item.mark or item.kind != "markdown"]
    return bool(shown) and all(item.mark.get("why") in {"absent.table", "absent.recurrent"} for item in shown)


def _bared(part: list[Item]) -> list[Item]:
    """Return a section's heading and its sentences; what opens or closes a division stays."""
    first = part[0] if ":::" in part[0].text else replace(part[0], text=part[0].text.strip().splitlines()[0])
    said: dict[str, Item] = {}
    for item in part[1:]:
        if item.mark or ":::" in item.text:
            said.setdefault(str(item.mark.get("table") or item.text), item)
    return [first, *said.values()]


def _titled(item: Item) -> Item:
    """Let a sentence that stands for a figure or table begin with what that would have shown."""
    if item.kind != "markdown" or not item.caption:
        return item
    return replace(item, caption="", text=item.text.replace("\n", f"\n{item.caption}. ", 1))


def _code_cell(cell: Any, number: int, *, hidden: bool) -> list[Item]:  # noqa: ANN401
    options, code = options_of(cell.source, number)
    # Also of a cell that shows nothing: what it puts out is held to the doors whether it is printed or not.
    pieces = [piece for output in cell.outputs if (piece := _output(output, number))]
    if hidden or options.get("include") is False or options.get("output") is False:
        return []
    found: list[Item] = []
    if options.get("echo") is True and code:
        found.append(Item("code", number, code))
    floats = sum(kind != "markdown" for kind, _, _ in pieces)
    if floats > 1:
        msg = f"cell {number}: shows {floats} figures or tables; one cell shows one, so that each has its own label"
        raise PublicationError(msg)
    for kind, text, mark in pieces:
        if kind == "markdown":
            caption = str(options.get("fig-cap") or options.get("tbl-cap") or "") if mark.get("absent") else ""
            title = _TAIL.sub("", caption)
            found.append(Item("markdown", number, text, caption=title, mark=mark))
        else:
            found.append(_float(kind, text, mark, options, number))
    return found


def _output(
    output: Any,  # noqa: ANN401
    number: int,
) -> tuple[Literal["markdown", "figure", "table"], str, dict[str, Any]] | None:
    """Read one output; refuse what no door put out. The cover is the template's to draw: None."""
    mark = output.get("metadata", {}).get(MARK)
    data = output.get("data", {})
    if output.output_type == "stream":
        said = "a warning or error text" if output.get("name") == "stderr" else "printed text"
        msg = f"cell {number}: puts out {said}; {DOORS}"
        raise DisclosureError(msg)
    if output.output_type not in {"display_data", "execute_result"} or not isinstance(mark, dict):
        msg = f"cell {number}: puts out something that did not pass disclosure control; use report.show"
        raise DisclosureError(msg)
    if mark.get("shows") == "cover" and "document" in mark:
        return None
    for kind, mime in (("figure", "image/svg+xml"), ("table", "text/html"), ("markdown", "text/markdown")):
        if mark.get("shows") == kind and mime in data:
            text = data[mime]
            return kind, "".join(text) if isinstance(text, list) else text, mark  # type: ignore[return-value]
    msg = f"cell {number}: its output cannot be published (mark without its content)"
    raise DisclosureError(msg)


def _float(
    kind: Literal["figure", "table"], text: str, mark: dict[str, Any], options: dict[str, Any], number: int
) -> Item:
    prefix, caption_key = ("fig", "fig-cap") if kind == "figure" else ("tbl", "tbl-cap")
    label = str(options.get("label") or "")
    if not re.fullmatch(rf"{prefix}-[A-Za-z0-9_-]+", label):
        msg = f"cell {number}: the {kind} has no label; add '#| label: {prefix}-name' (letters, digits, '-' and '_')"
        raise PublicationError(msg)
    here = f"cell {number} ({label})"
    told = mark.get("words") or {}  # a caption and alternative text made in the reader's language
    caption = escaped(str(told.get("caption") or "")) or str(options.get(caption_key) or "").strip()
    if not caption:
        msg = f"{here}: the {kind} has no caption; add '#| {caption_key}: ...'"
        raise PublicationError(msg)
    headline = str(mark.get("headline") or "").strip()
    caption = f"**{escaped(headline)}.** {caption}" if headline else caption
    alt = str(told.get("alt") or options.get("fig-alt") or "").strip()
    if kind == "figure" and not alt:
        msg = f"{here}: the figure has no alternative text for blind readers; add '#| fig-alt: ...'"
        raise PublicationError(msg)
    finding = str(mark.get("alt") or "").strip()
    if kind == "figure" and finding:
        alt = f"{alt.rstrip('.')}. {finding}"
    about = {name: str(mark.get(key) or "") for name, key in (("estimate", "estimate"), ("analysis", "kind"))}
    alt = alt if kind == "figure" else ""
    return Item(kind, number, text, label, caption, alt, **about, numbers=mark.get("data") or {}, mark=mark)


def _check_labels(items: list[Item]) -> None:
    seen: dict[str, int] = {}
    for item in items:
        if item.label and item.label in seen:
            msg = f"cell {item.cell}: label '{item.label}' stands in cell {seen[item.label]} already"
            raise PublicationError(msg)
        if item.label:
            seen[item.label] = item.cell


def _check_references(items: list[Item]) -> None:
    labels = {item.label for item in items if item.label}
    written = [item for item in items if item.kind == "markdown"]
    labels |= {label for item in written for label in SECTION.findall(item.text)}
    for item in written:
        for name in references_in(item.text):
            if name not in labels:
                raise unresolved(item.cell, name, labels)


def references_in(text: str) -> list[str]:
    """Return the labels that a Markdown text refers to.

    >>> references_in("See @fig-a, @tbl-b-; ann@fig-none.org, `@fig-none`.")
    ['fig-a', 'tbl-b']
    """
    return [name.rstrip("-") for name in REFERENCE.findall(text)]


def unresolved(cell: int, name: str, labels: Iterable[str]) -> PublicationError:
    """Return what is said of a reference in a cell that leads nowhere; `labels` are those that there are."""
    return PublicationError(f"cell {cell}: reference '@{name}' leads nowhere{did_you_mean(name, list(labels))}")


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
