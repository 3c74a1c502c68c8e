"""The letters of the PDF for the HTML edition: only those that a page can hold, inside its style sheet."""

from __future__ import annotations

__all__ = ["FONTS", "font_file", "style_with_letters"]

import base64
import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

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
_FEATURES = ("kern", "tnum", "liga", "mark", "mkmk", "locl")


def font_file(package: str, face: str) -> Path:
    """Return the file of a face.

    Parameters
    ----------
    package : str
        A key of `FONTS`.
    face : str
        As ``Semibold``.

    Returns
    -------
    pathlib.Path
    """
    found = find_spec(package)
    home = Path(str(found.origin if found else "")).parent
    return home / "files" / f"{FONTS[package]}-{face}.ttf"


def style_with_letters(style: str) -> str:
    """Put the letters before a style sheet, so that a page is set in them on every machine and loads nothing.

    Parameters
    ----------
    style : str
        The style sheet.

    Returns
    -------
    str
        The same on every machine with the same packages.
    """
    rules = [
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {slant}; font-display: swap; '
        f'src: url("data:font/woff2;base64,{_woff2(package, face)}") format("woff2"); }}'
        for package, face, family, weight, slant in _FACES
    ]
    return "\n".join([*rules, style])


@cache
def _woff2(package: str, face: str) -> str:
    """Return a face with our letters only, compressed, as text; without hints, which screens no longer use."""
    options = Options(layout_features=list(_FEATURES), hinting=False, desubroutinize=True, notdef_outline=True)
    options.drop_tables += ["DSIG"]
    with TTFont(font_file(package, face), recalcTimestamp=False) as font:
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=_LETTERS)
        subsetter.subset(font)
        font.flavor = "woff2"
        made = io.BytesIO()
        font.save(made)
    return base64.b64encode(made.getvalue()).decode("ascii")
