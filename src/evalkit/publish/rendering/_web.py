"""A web page that stands by itself: the letters of the PDF are in its style sheet, and it loads nothing."""

from __future__ import annotations

__all__ = [
    "FONTS",
    "check_self_contained",
    "embedded",
    "font_file",
    "loads_of",
    "strip_scripts",
    "style_with_letters",
]

import base64
import contextlib
import hashlib
import io
import os
import re
from functools import cache
from html.parser import HTMLParser
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import fontTools
import platformdirs

from evalkit.errors import PublicationError
from evalkit.protocol import write_private

_LOADING = {"src", "srcset", "poster", "data", "background"}
_WITHIN = re.compile(r"\s*(?:data:|#|$)", re.IGNORECASE)  # what lies in the page itself
_CSS_LOAD = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])\s*((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)
_PICTURE_BESIDE = re.compile(r'(<(?:img|source)\b[^>]*?\b(?:src|srcset)=)"(media/[\w-]+\.svg)"')
_STYLE_BESIDE = re.compile(r'<link rel="stylesheet" href="([\w-]+\.css)"(?: /)?>')
_SCRIPT = re.compile(r"<script\b[^>]*>.*?</script\s*>\s*", re.IGNORECASE | re.DOTALL)
FONTS = {  # module of a package: family
    "font_source_serif_pro": "SourceSerifPro",
    "font_source_sans_pro": "SourceSansPro",
}
# Each face costs some 15 kB. What is set in others of the PDF's (italics of headings, say) the browser slants.
_FACES = (
    ("font_source_serif_pro", "Regular", "Source Serif Pro", 400, "normal"),
    ("font_source_serif_pro", "It", "Source Serif Pro", 400, "italic"),
    ("font_source_serif_pro", "Bold", "Source Serif Pro", 700, "normal"),
    ("font_source_sans_pro", "Regular", "Source Sans Pro", 400, "normal"),
    ("font_source_sans_pro", "Semibold", "Source Sans Pro", 600, "normal"),
    ("font_source_sans_pro", "Bold", "Source Sans Pro", 700, "normal"),
)
# Of English and Spanish, and the signs of our numbers; rare letters come from the reader's machine, one by one.
_DASHES_AND_QUOTES = "\u2009\u200a\u2010\u2011\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u202f"
_SIGNS = "\u2212\u221e\u2264\u2265\u2248\u2190\u2192"
_LETTERS = (*range(0x20, 0x7F), *range(0xA0, 0x100), *map(ord, _DASHES_AND_QUOTES + _SIGNS))
_ASKED: dict[str, Any] = {
    "layout_features": ["kern", "tnum", "liga", "mark", "mkmk", "locl"],
    "hinting": False,
    "desubroutinize": True,
    "notdef_outline": True,
}
# A signature of the whole font holds no more for a part of it.
_DROPPED = ["DSIG"]
_DIGEST = 32  # bytes of the digest before what is kept: a damaged cache would print other letters here than elsewhere


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        for name, value in attrs:
            text = value or ""
            loads = name in _LOADING or (name in {"href", "xlink:href"} and tag in {"link", "use", "image"})
            if loads and not _WITHIN.match(text):
                self.found.append(f"<{tag} {name}>")
            if name == "style":
                self.found += [f"<{tag} style>" for _ in _CSS_LOAD.findall(text)]

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.found += ["<style>" for _ in _CSS_LOAD.findall(data)]

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self._in_style = False


def loads_of(text: str) -> list[str]:
    """List (tag and attribute) where a page would load what is not in it, from the network or a file beside it.

    Links that a reader may follow are no loads.

    >>> loads_of('<img src="data:,x"><img src="https://example.org/x.png"><a href="https://example.org">see</a>')
    ['<img src>']
    """
    parser = _Loads()
    parser.feed(text)
    return parser.found


def strip_scripts(text: str) -> str:
    """Take script tags out of a page: our pages need no scripts at all.

    >>> strip_scripts('a<script src="https://cdn.example/r.js"></script><script>1 < 2</script>b')
    'ab'
    """
    return _SCRIPT.sub("", text)


def embedded(page: str, folder: Path) -> str:
    """Put into a page the pictures and the style sheet that lie beside it, in `folder`.

    Pandoc can do it, too (``--embed-resources``); it takes a second to read a report's pictures again, leaves out what
    a ``<source>`` names, and moves a picture's alternative text into another attribute.
    """

    def picture(found: re.Match[str]) -> str:
        content = base64.b64encode((folder / found[2]).read_bytes()).decode("ascii")
        return f'{found[1]}"data:image/svg+xml;base64,{content}"'

    def style(found: re.Match[str]) -> str:
        return f"<style>\n{(folder / found[1]).read_text(encoding='utf-8')}\n</style>"

    return _STYLE_BESIDE.sub(style, _PICTURE_BESIDE.sub(picture, page))


def check_self_contained(page: Path) -> None:
    """Refuse a page that would load something: `PublicationError` names the first tag that would."""
    found = loads_of(page.read_text(encoding="utf-8"))
    if found:
        where = f"{page.name}: loads something at {found[0]} ({len(found)} places)"
        msg = f"{where}; a published page must hold all that it shows"
        raise PublicationError(msg)


def font_file(package: str, face: str) -> Path:
    """Return the file of a face (as ``Semibold``) of a package in `FONTS`."""
    found = find_spec(package)
    home = Path(str(found.origin if found else "")).parent
    return home / "files" / f"{FONTS[package]}-{face}.ttf"


def style_with_letters(style: str) -> str:
    """Put the letters before a style sheet, so that a page is set in them on every machine and loads nothing.

    It is the same on every machine with the same packages.
    """
    rules = [
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {slant}; font-display: swap; '
        f'src: url("data:font/woff2;base64,{_woff2(package, face)}") format("woff2"); }}'
        for package, face, family, weight, slant in _FACES
    ]
    return "\n".join([*rules, style])


@cache
def _woff2(package: str, face: str) -> str:
    """Return a face with our letters only, compressed, as text; without hints, which screens no longer use.

    It takes half a second and comes out the same while fonts, fontTools and what we ask of them do: it is kept in the
    user's cache, by all of that. A cache that cannot be written, or was damaged, costs the half second again.
    """
    font = font_file(package, face).read_bytes()
    asked = (fontTools.version, version("brotli"), _LETTERS, _ASKED, _DROPPED)
    name = hashlib.sha256(font + repr(asked).encode()).hexdigest()
    # a home that ends with the process, or a user without one (a path with "~"), has no cache
    folder = Path() if os.environ.get("EVALKIT_HOMELESS") else platformdirs.user_cache_path("evalkit")
    file = folder / f"letters-{name}.woff2"
    with contextlib.suppress(OSError):
        if file.is_absolute():
            sha256, kept = (content := file.read_bytes())[:_DIGEST], content[_DIGEST:]
            if hashlib.sha256(kept).digest() == sha256:
                return base64.b64encode(kept).decode("ascii")
    made = _subset(font)
    with contextlib.suppress(OSError):
        if file.is_absolute():
            folder.mkdir(parents=True, exist_ok=True)
            write_private(file, hashlib.sha256(made).digest() + made)  # never half of one, whoever else makes it
    return base64.b64encode(made).decode("ascii")


def _subset(font: bytes) -> bytes:
    from fontTools.subset import Options, Subsetter  # noqa: PLC0415 - slow to import, and rarely asked: see _woff2
    from fontTools.ttLib import TTFont  # noqa: PLC0415

    options = Options(**_ASKED)
    options.drop_tables += _DROPPED
    # The clock stays out of it: the same letters are the same bytes.
    with TTFont(io.BytesIO(font), recalcTimestamp=False) as read:
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=_LETTERS)
        subsetter.subset(read)
        read.flavor = "woff2"
        made = io.BytesIO()
        read.save(made)
    return made.getvalue()
