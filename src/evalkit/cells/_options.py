"""The ``#|`` lines at the head of a cell."""

from __future__ import annotations

__all__ = ["KNOWN_OPTIONS", "options_of"]

import re
from typing import Any

from evalkit.errors import ProtocolError, PublicationError, did_you_mean
from evalkit.protocol import parse_yaml

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
