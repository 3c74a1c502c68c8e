"""From a document to Markdown with its pictures beside it, for pandoc."""

from __future__ import annotations

__all__ = ["markdown_parts", "write_markdown"]

import html
import re
from pathlib import Path

from evalkit.publish.rendering._document import Document
from evalkit.publish.rendering._page import beside
from evalkit.publish.rendering._prepare import Item
from evalkit.words import Messages, messages_for

_WIDTH = re.compile(r'<svg\b[^>]*?\bwidth="([\d.]+)pt"')
_PHONE = 400.0  # points of letters as large as a figure's that a phone shows without making them too small
_FENCE = re.compile(r"^(`{3,})", re.MULTILINE)


def write_markdown(document: Document, folder: Path) -> Path:
    """Write ``report.md`` and its pictures.

    Parameters
    ----------
    document : Document
    folder : pathlib.Path
        Scratch folder of the render.

    Returns
    -------
    pathlib.Path
        The Markdown file.
    """
    file = folder / "report.md"
    file.write_text("\n\n".join(markdown_parts(document, folder)) + "\n", encoding="utf-8")
    return file


def markdown_parts(document: Document, folder: Path) -> list[str]:
    """Return a document's pieces as Markdown, and write ``media/*.svg``.

    Parameters
    ----------
    document : Document
    folder : pathlib.Path
        Scratch folder of the render.

    Returns
    -------
    list of str
    """
    media = folder / "media"
    media.mkdir(exist_ok=True)
    say = messages_for(document.locale)
    return [_part(item, media) + files_of(item, say, linked=not document.draft) for item in document.items]


def _part(item: Item, media: Path) -> str:
    if item.kind == "figure":
        (media / f"{item.label}.svg").write_text(item.text, encoding="utf-8")
        wide = " .wide" if _is_wide(item.text) else ""
        return f"![{item.caption}](media/{item.label}.svg){{#{item.label}{wide} fig-alt={quoted(item.alt)}}}"
    if item.kind == "table":
        return f"::: {{#{item.label}}}\n{_fenced('{=html}', item.text)}\n\n{item.caption}\n:::"
    if item.kind == "code":
        return _fenced("python", item.text)
    return item.text


def _is_wide(svg: str) -> bool:
    """Say whether a picture is too wide to be read when it is squeezed to a phone: panels side by side."""
    found = _WIDTH.search(svg)
    return found is not None and float(found[1]) > _PHONE


def files_of(item: Item, say: Messages, *, linked: bool = True) -> str:
    """Return what stands below a figure or table in the HTML edition, as Markdown that other formats pass over.

    Parameters
    ----------
    item : Item
    say : Messages
    linked : bool
        Whether its files lie beside the page.

    Returns
    -------
    str
        Empty when nothing does.
    """
    text = beside(item, say, linked=linked)
    return f"\n\n{_fenced('{=html}', text)}" if text else ""


def quoted(text: str) -> str:
    """Return a text as the value of a pandoc attribute: entities are read there, and nothing else is.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> print(quoted('a "b" & c'))
    "a &quot;b&quot; &amp; c"
    """
    flat = " ".join(text.split())
    return f'"{html.escape(flat).replace(chr(92), "&#92;")}"'


def _fenced(info: str, text: str) -> str:
    longest = max((len(found) for found in _FENCE.findall(text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{info}\n{text.strip()}\n{fence}"
