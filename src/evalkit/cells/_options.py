"""The ``#|`` lines at the head of a cell.

They give its options, and labels to figures, tables and sections; references to these are found here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from evalkit.errors import ProtocolError, PublicationError, did_you_mean
from evalkit.protocol import parse_yaml

__all__ = ["KNOWN_OPTIONS", "REFERENCE", "SECTION", "citations_in", "labels_of", "options_of", "sections_of"]


KNOWN_OPTIONS = (
    "label",
    "fig-cap",
    "fig-alt",
    "tbl-cap",
    "echo",
    "include",
    "output",
    "eval",
    "warning",
    "message",
)
"""Options that both publishers know."""

_OPTION = re.compile(r"^#\|\s?(.*)$")
_SWITCHES = ("echo", "include", "output", "eval", "warning", "message")


def options_of(source: str, number: int) -> tuple[dict[str, Any], str]:
    r"""Split a cell into its options and its code.

    Parameters
    ----------
    source : str
    number : int
        Of the cell, for messages.

    Returns
    -------
    options : dict
    code : str

    Raises
    ------
    PublicationError
        If an option is unknown, or its lines are none.

    Examples
    --------
    >>> options_of("#| label: fig-a\nreport.show(curve)", 3)
    ({'label': 'fig-a'}, 'report.show(curve)')
    """
    lines = source.splitlines()
    head: list[str] = []
    for line in lines:
        match = _OPTION.match(line)
        if match is None:
            break
        head.append(match[1])
    try:
        options = parse_yaml("\n".join(head), f"cell {number}: '#|' lines") or {}
    except ProtocolError as error:
        raise PublicationError(str(error)) from None
    if not isinstance(options, dict):
        msg = f"cell {number}: its '#|' lines are not 'key: value' lines"
        raise PublicationError(msg)
    for key in options:
        # An option that one publisher alone knows would make two reports of one notebook (ADR 1).
        if key not in KNOWN_OPTIONS:
            msg = f"cell {number}: unknown option '#| {key}'{did_you_mean(str(key), KNOWN_OPTIONS)}"
            raise PublicationError(msg)
        # YAML 1.1 takes these for true and false, 1.2 for text (ADR 11): a switch must not depend on who reads it.
        if key in _SWITCHES and str(options[key]).lower() in {"yes", "no", "on", "off", "y", "n"}:
            msg = f"cell {number}: '#| {key}' is neither true nor false; write one of these two words"
            raise PublicationError(msg)
    return options, "\n".join(lines[len(head) :]).strip()


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
