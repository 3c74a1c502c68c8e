"""The words of a document before it is published: nobody's identifier, no secret, no exact day of anybody."""

from __future__ import annotations

__all__ = ["active_part", "audit_document"]

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from evalkit.errors import DisclosureError
from evalkit.publish.audit._fold import pieces
from evalkit.publish.audit._guard import Guard
from evalkit.publish.audit._markdown import audit_markdown

if TYPE_CHECKING:
    from evalkit.publish.rendering._document import Document, Item

_ACTIVE = re.compile(
    r"<\s*(script|iframe|object|embed|foreignobject|image|img|video|audio|link|form|input|use)\b", re.I
)
_HANDLER = re.compile(r"<[^>]*\s(on\w+)\s*=", re.IGNORECASE)
# A scheme or two slashes lead out of the page: whoever opens it would be seen by a server. "#part" stays inside.
_LOADING = re.compile(r"(?:href|src|url)\s*[=(]\s*[\"']?\s*(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


def audit_document(document: Document, guard: Guard) -> None:
    """Refuse a document of which any part holds what must not leave: texts, captions, figures, tables, shown code.

    `DisclosureError` names the cell and what is wrong, never the value.
    """
    cover = (
        document.title,
        document.subtitle,
        document.study,
        document.organisation,
        document.period,
        document.since,
        document.cut,
    )
    if reason := guard.objection(cover):
        msg = f"the cover {reason}"
        raise DisclosureError(msg)
    if reason := guard.objection([document.bibliography.decode("utf-8", errors="replace")]):
        msg = f"the references {reason}"
        raise DisclosureError(msg)
    for item in document.items:
        if problem := _problem(item, guard):
            where = f" ({item.label})" if item.label else ""
            msg = f"cell {item.cell}{where}: {problem}"
            raise DisclosureError(msg)


def _problem(item: Item, guard: Guard) -> str:
    if reason := guard.objection(_texts(item)):
        return f"{_NAMES[item.kind]} {reason}"
    if item.kind == "markdown":
        return audit_markdown(item.text)
    if problem := audit_markdown(item.caption):
        return f"its caption {problem}"
    return active_part(item.text + item.phone) if item.kind in {"figure", "table"} else ""


_NAMES = {"markdown": "its text", "code": "its code, which is shown,", "figure": "its figure", "table": "its table"}


def _texts(item: Item) -> Iterator[str]:
    yield from (item.label, item.caption, item.alt, json.dumps(item.numbers, ensure_ascii=False))
    if item.kind in {"figure", "table", "markdown"}:
        # Taken out of their tags, which may split a word; and below as written, since Markdown's signs are no tags.
        yield from pieces(item.text + item.phone)
    if item.kind in {"markdown", "code"}:
        yield item.text


def active_part(markup: str) -> str:
    """Say what in a figure or table (SVG or HTML) would load or run something; empty when nothing would."""
    if match := _ACTIVE.search(_own_uses(markup)):
        return f"holds <{match[1].lower()}>, which loads or runs something"
    if match := _HANDLER.search(markup):
        return f"holds the script attribute '{match[1].lower()}'"
    if _LOADING.search(_HARMLESS.sub("", markup)):
        return "loads something from outside"
    return ""


# Namespaces are names, not addresses; a link is followed only by a reader's own choice.
_HARMLESS = re.compile(
    r"\bxmlns(?::\w+)?\s*=\s*([\"'])[^\"']*\1|<a\b[^>]*\bhref\s*=\s*[\"']https?:[^>]*>", re.IGNORECASE
)


def _own_uses(markup: str) -> str:
    """Take out references to the figure's own parts."""
    return re.sub(r"<use\b(?=[^>]*\bhref\s*=\s*[\"']#)", "<own", markup)
