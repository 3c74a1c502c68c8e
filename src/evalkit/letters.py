"""Letters that reports can show: those in the fonts that the PDF and the figures are set in.

A letter without a shape would be a box in a figure and stops the PDF, at the end of a whole run and far from where it
comes from. So it is looked for where text enters: in the protocol and in the columns whose values reports name.
"""

from __future__ import annotations

__all__ = ["unshown"]

import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fontTools.ttLib import TTFont

_SANS = ("font_source_sans_pro", "files/SourceSansPro-Regular.ttf")
_SERIF = ("font_source_serif_pro", "files/SourceSerifPro-Regular.ttf")
# What steps in for a letter that they lack: Typst carries DejaVu Sans Mono, matplotlib DejaVu Sans.
_IN_PDF = ("matplotlib", "mpl-data/fonts/ttf/DejaVuSansMono.ttf")
_IN_FIGURES = ("matplotlib", "mpl-data/fonts/ttf/DejaVuSans.ttf")
_LATIN = frozenset(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x180)]))  # no font has to be opened for these


def unshown(texts: Iterable[object]) -> bool:
    """Say whether any of some texts (others are passed over) holds a letter that reports cannot show.

    Also true of letters written from right to left, which figures would draw in the wrong order. Blanks, breaks
    and what is not seen do not count.

    Examples
    --------
    >>> unshown(["Łódź", "Ελλάδα", "R&D – 5 €"]), unshown(["社区"]), unshown(["שלום"])
    (False, True, True)
    """
    letters = {letter for text in texts if isinstance(text, str) for letter in text} - _LATIN
    return any(not _shown(letter) for letter in letters)


def _shown(letter: str) -> bool:
    if letter.isspace() or unicodedata.category(letter) in {"Cc", "Cf"}:
        return True
    right_to_left = unicodedata.bidirectional(letter) in {"R", "AL"}
    return not right_to_left and ord(letter) in _known()


@cache
def _known() -> frozenset[int]:
    sans, serif, pdf, figures = map(_letters, (_SANS, _SERIF, _IN_PDF, _IN_FIGURES))
    # Headings, text and figures each have their own font and their own stand-in: a letter has to be in all three.
    return (sans | pdf) & (serif | pdf) & (sans | figures)


def _letters(font: tuple[str, str]) -> frozenset[int]:
    package, name = font
    spec = find_spec(package)
    folder = Path(str(spec and spec.origin)).parent
    with TTFont(folder / name, lazy=True) as opened:
        # A private-use character is whatever a font's maker made of it, and what evalkit writes its own marks with.
        return frozenset(code for code in opened.getBestCmap() if unicodedata.category(chr(code)) != "Co")
