"""A column as somebody may see it who must see nobody's value: shapes, counts, frequent words."""

from __future__ import annotations

__all__ = ["MOST_WORDS", "shape", "shape_of", "texts", "words_in"]

import re
from collections import Counter
from collections.abc import Sequence

from evalkit.intake._convert import Broken, Unreadable, as_text
from evalkit.intake.mapping._dates import is_day

MOST_WORDS = 40
"""A column with more different texts holds no list of words, but names, notes or codes: none of them is shown."""


def texts(cells: Sequence[object]) -> list[str]:
    """Return the cells that hold something, as text."""
    found = []
    for cell in cells:
        try:
            text = None if isinstance(cell, Broken) else as_text(cell)
        except Unreadable:
            continue
        if text is not None:
            found.append(text)
    return found


def shape_of(cells: Sequence[object], smallest: int) -> str:
    """Say what a column's cells look like: digits as ``d``, letters as ``a``.

    A shape of fewer cells than ``smallest`` is not shown: a rare one may be somebody's.

    >>> shape_of(["03/04/2022"] * 12 + ["3/4/2022", None], 11)
    'dd/dd/dddd, 12 of 14; others, 1; empty, 1'
    """
    days = sum(map(is_day, cells))
    counts = Counter("typed as a day" if is_day(c) else shape(t) for c in cells for t in texts([c]))
    shown = [(kind, n) for kind, n in counts.most_common(3) if n >= smallest]
    parts = [f"{kind}, {n:,} of {len(cells):,}" for kind, n in shown]
    others, empty = sum(counts.values()) - sum(n for _, n in shown), len(cells) - sum(counts.values())
    parts += [f"others, {others:,}"] if others else []
    parts += [f"empty, {empty:,}"] if empty else []
    return "; ".join(parts) if cells and (counts or days) else "empty"


def shape(text: str) -> str:
    """Return a text's signs with every digit and run of letters blotted out; of a long one only that it is long."""
    # A long text has signs and numbers enough to be known again by its shape.
    if len(text) > 24:
        return "a long text"
    return re.sub(r"\d", "d", re.sub(r"[^\W\d_]+", "a", text))


def words_in(cells: Sequence[object]) -> Counter[str]:
    """Count the different texts of a column. Private."""
    return Counter(texts(cells))
