"""Putting out what passed disclosure control, with the mark that lets it leave."""

from __future__ import annotations

__all__ = ["as_mark", "emit", "typed_numbers"]

import math
from collections.abc import Iterable
from typing import Any, Literal

import pandas as pd
from IPython.display import display

from evalkit.markup import markdown, plain
from evalkit.seal import MARK, Sealer
from evalkit.words import translated_names

# A cover is drawn by the publishers' template; in the notebook it is seen as text.
_MIME = {"figure": "image/svg+xml", "table": "text/html", "markdown": "text/markdown", "cover": "text/markdown"}
# When this module is imported, before any cell runs: the key is out of the environment from then on.
_SEALER = Sealer()
_DIGITS = 6  # significant; fewer than a figure's own coordinates hold


def typed_numbers(texts: Iterable[str]) -> dict[str, Any]:
    """Return under ``typed`` those of an author's words that have a number in them, for the audit to look at.

    Examples
    --------
    >>> typed_numbers(["Days", "Not engaged by day 60"])
    {'typed': ['Not engaged by day 60']}
    """
    found = [text for text in texts if any(character.isdigit() for character in text)]
    return {"typed": found} if found else {}


def emit(
    shows: Literal["figure", "table", "markdown", "cover"],
    text: str,
    *,
    data: pd.DataFrame | None = None,
    **mark: object,
) -> None:
    """Display text, a table or a figure in the notebook, marked and sealed for publication; only this room calls it.

    `text` is SVG, HTML, or a text with signs; `data` the safe numbers published beside it; the mark ``estimate`` (id),
    ``kind``, ``verdict``, ``alt``, ``document``, ``phone`` (SVG). DisclosureError if the mark names neither an estimate
    with its verdict nor a kind that needs none.
    """
    bundle: dict[str, Any] = {_MIME[shows]: markdown(text) if _MIME[shows] == "text/markdown" else text}
    if shows != "figure":
        bundle["text/plain"] = f"<{shows}>"
    numbers = {} if data is None else {"data": as_mark(translated_names(data))}
    # Marks are read by machines and screen readers, which know no Markdown.
    told = {name: plain(value) if isinstance(value, str) else value for name, value in mark.items()}
    full = {"shows": shows, **({"kind": shows} if shows == "cover" else {}), **told, **numbers}
    display(bundle, raw=True, metadata={MARK: _SEALER.sealed(full, bundle)})


def as_mark(frame: pd.DataFrame) -> dict[str, Any]:
    """Return rows as plain values for a notebook's metadata: ``columns``, and ``rows`` as lists.

    Numbers have six significant digits; None where missing.

    Examples
    --------
    >>> as_mark(pd.DataFrame({"group": ["a", "b"], "estimate": [1 / 3, float("nan")], "n": [120.0, 5.0]}))["rows"]
    [['a', 0.333333, 120], ['b', None, 5]]
    """
    rows = frame.astype(object).to_numpy().tolist()
    return {"columns": [str(name) for name in frame.columns], "rows": [[_plain(v) for v in row] for row in rows]}


def _plain(value: Any) -> str | float | int | None:  # noqa: ANN401 - whatever a cell holds
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, str):
        return value
    number = float(value)
    if not math.isfinite(number):
        return None
    number = float(f"{number:.{_DIGITS}g}")
    # A count that a frame holds as 120.0 is 120 in files and digests, whatever column it came through.
    return int(number) if number.is_integer() else number
