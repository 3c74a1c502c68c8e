"""Texts as a searcher sees them: without disguise, and taken out of the markup that holds them."""

from __future__ import annotations

__all__ = ["fold", "pieces"]

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import unquote, unquote_to_bytes

# What is there but not seen: soft hyphen, joiners, direction marks, variation selectors, tags.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
# As JSON, JavaScript and Python write them: how many digits belong to one is fixed, since others may follow.
_ESCAPED = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\x([0-9a-fA-F]{2})")
_BACKSLASHED = re.compile(r"\\([!-/:-@\[-`{-~])")  # as Markdown escapes a letter
# Escapes may lie inside escapes; the bound keeps a text that was made for it from being taken apart for ever.
_ROUNDS = 3

# Elements that do not end a word: a word with a bold middle is read as one, two cells of a table are not.
_INLINE = frozenset(
    [
        *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "small"),
        *("span", "strong", "sub", "sup", "textpath", "tspan", "tt", "u", "var", "wbr"),
    ]
)
# Long runs of digits, in which a number that is an identifier stands by chance.
_GEOMETRY = frozenset({"d", "points", "transform", "viewbox", "gradienttransform", "patterntransform"})
_DRAWING = re.compile(
    r"\s*(?:[Mm]\s*)?[+-.\d][\sMmZzLlHhVvCcSsQqTtAaEe\d.,+-]*"
    r"|(?:(?:matrix|translate|scale|rotate|skew[XY])\([^)]*\)\s*)+"
)
# Namespaces that drawing programs write; in one of them stands what reads as a day (1999/02/22).
_SPACES = re.compile(
    r"http://(?:www\.w3\.org/(?:2000/svg|1999/xlink|1999/xhtml|1999/02/22-rdf-syntax-ns#|XML/1998/namespace)"
    r"|purl\.org/dc/(?:elements/1\.1/|dcmitype/StillImage)|creativecommons\.org/ns#)"
)
# A colour is six letters and digits, as an identifier may be.
_COLOURED = frozenset({"style", "fill", "stroke", "color", "stop-color", "flood-color", "bgcolor"})
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})\b")
_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w=.+-]+)*),([^\s\"')>]*)", re.IGNORECASE)
# What else a data URI holds (fonts, pixels) is no text: base64 would match short identifiers by chance.
_TEXTUAL = ("text/", "image/svg", "application/json", "application/xml", "application/javascript")


def fold(text: str) -> str:
    r"""Return a text without what only disguises it.

    Entities, percent signs and backslash escapes are resolved, compatible characters made plain (NFKC), accents,
    zero-width and direction characters taken out, and case is dropped.

    >>> fold("Q\u200bX%37&#49;"), fold("ＱＸ７１"), fold("\\u0051x71")
    ('qx71', 'qx71', 'qx71')
    """
    for _ in range(_ROUNDS):
        plain = _ESCAPED.sub(_character, unquote(html.unescape(text), errors="replace"))
        plain = _BACKSLASHED.sub(r"\1", plain)
        if plain == text:
            break
        text = plain
    if not text.isascii():
        # First plain letters, then accents as signs of their own: a wide letter may carry one.
        text = _MARKS.sub("", unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text)))
        text = _UNSEEN.sub("", text)
    return text.casefold()


def _character(match: re.Match[str]) -> str:
    code = int(next(filter(None, match.groups())), 16)
    return chr(code) if code <= 0x10FFFF else match[0]


class _Pieces(HTMLParser):
    """Collects texts, comments, names and attributes of HTML or SVG."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._found: list[str] = []
        self._text: list[str] = []
        self._names: set[str] = set()
        self._in_style = False

    def texts(self) -> list[str]:
        # The rest that the parser did not take (a tag that is never closed) is searched, too.
        return [*self._found, "".join(self._text), " ".join(sorted(self._names)), self.rawdata]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        self._break(tag)
        for name, value in attrs:
            self._names.add(name)
            if value and not (name in _GEOMETRY and _DRAWING.fullmatch(value)) and not _SPACES.fullmatch(value):
                self._found.append(_COLOUR.sub(" ", value) if name in _COLOURED else value)

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False
        self._break(tag)

    def _break(self, tag: str) -> None:
        self._names.add(tag)
        if tag not in _INLINE:
            self._text.append("\n")

    def handle_data(self, data: str) -> None:
        self._text.append(_COLOUR.sub(" ", data) if self._in_style else data)

    def handle_comment(self, data: str) -> None:
        self._found.append(data)

    def handle_decl(self, decl: str) -> None:
        self._found.append(decl)

    def handle_pi(self, data: str) -> None:
        self._found.append(data)

    def unknown_decl(self, data: str) -> None:
        self._found.append(data)


@lru_cache(maxsize=256)  # a figure stands in the document, the page and a file of its own, and in the draft before
def pieces(markup: str) -> tuple[str, ...]:
    """Take the texts out of HTML, SVG or Markdown: visible ones, comments, attributes, and what data URIs hold.

    Words split by inline tags come joined. Coordinates, colours and namespaces are left out: they are no texts;
    embedded fonts and raster pictures are, too.
    """
    embedded = [piece for match in _DATA_URI.finditer(markup) for piece in _decoded(match)]
    parser = _Pieces()
    parser.feed(_DATA_URI.sub(" ", markup))
    parser.close()
    return (*parser.texts(), *(piece for text in embedded for piece in pieces(text)))


def _decoded(match: re.Match[str]) -> Iterator[str]:
    kind = (match[1] or "text/plain").lower()
    if not kind.startswith(_TEXTUAL):
        return
    content = unquote_to_bytes(html.unescape(match[3]))
    if ";base64" in match[2].lower():
        try:
            # A URI may leave padding out, and too much of it does no harm.
            content = base64.b64decode(content + b"==")
        except (binascii.Error, ValueError):
            return
    yield content.decode("utf-8", errors="replace")
