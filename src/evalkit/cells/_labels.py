"""Labels of figures, tables and sections, and references to them."""

from __future__ import annotations

__all__ = ["REFERENCE", "SECTION", "citations_in", "labels_of", "sections_of"]

import re
from collections.abc import Iterator
from typing import Any

from evalkit.cells._options import options_of
from evalkit.errors import PublicationError

REFERENCE = re.compile(r"(?<![\w/`\\])@((?:fig|tbl|sec)-[A-Za-z0-9_-]+)")
"""A reference in Markdown."""

_CITED = re.compile(r"\[[^\[\]]*@[^\[\]]*\]")
_KEY = re.compile(r"(?<![\w/\\])@(\w(?:[\w:.#$%&+?<>~/-]*\w)?)")
_CODE = re.compile(r"`[^`]*`")
_LABEL = re.compile(r"^#\|\s*label:\s*[\"']?([\w-]+)", re.MULTILINE)
_HEADED = re.compile(r"\blabel\s*=\s*[\"'](sec-[\w-]+)[\"']")  # of what a cell shows with a heading of its own
SECTION = re.compile(r"\{#(sec-[\w-]+)")
"""A heading's label."""


def sections_of(text: str) -> list[str]:
    """Return the labels of the sections that a Markdown text begins.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> sections_of("# Harm {#sec-harm}")
    ['sec-harm']
    """
    return SECTION.findall(text)


def citations_in(text: str) -> list[str]:
    """Return the keys of the works that a Markdown text cites.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> citations_in("So [see @rubin; @buuren, p. 3], and [@fig-a], `[@x]` or [ann@none.org].")
    ['rubin', 'buuren']
    """
    cited = " ".join(_CITED.findall(_CODE.sub("", text)))
    return [key for key in _KEY.findall(cited) if not REFERENCE.match(f"@{key}")]


def labels_of(notebook: Any) -> Iterator[tuple[int, str]]:  # noqa: ANN401 - nbformat has no types
    """Give the labels that a notebook's cells have, as written: whether they show anything is not known yet.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Yields
    ------
    number : int
        Of the cell, from 1.
    label : str
    """
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "markdown":
            yield from ((number, label) for label in sections_of(cell.source))
        elif cell.cell_type == "code":
            named = [_label(cell.source, number), *sections_of(cell.source), *_HEADED.findall(cell.source)]
            yield from ((number, label) for label in named if label)


def _label(source: str, number: int) -> str:
    """Return a cell's label, also where another of its options is wrong: one fault is not to look like two."""
    try:
        return str(options_of(source, number)[0].get("label") or "")
    except PublicationError:
        match = _LABEL.search(source)
        return match[1] if match else ""
