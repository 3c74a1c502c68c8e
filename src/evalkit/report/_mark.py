"""The door: what passed disclosure control is put out with the mark that lets it leave.

Researchers sometimes give it something that is no estimate; they are told what to do instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import pandas as pd
from IPython.display import display

from evalkit.disclosure import Safe
from evalkit.errors import AnalysisError, DisclosureError, UsageError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.letters import unshown
from evalkit.markup import markdown, plain
from evalkit.seal import MARK, Sealer
from evalkit.words import translated_names

__all__ = ["as_mark", "check_choice", "check_letters", "emit", "estimates_in", "typed_numbers"]


_FRAMES = (pd.DataFrame, pd.Series)
_DRAWING = frozenset({"matplotlib", "seaborn", "plotly", "altair", "bokeh", "plotnine", "PIL"})
_OWN_FIGURE = (
    "give report.draw what an analysis returns, and a function that draws its safe numbers: "
    "report.draw(analyses.funnel(report.cohort), draw)"
)
_HOW = "give it what an analysis returns: analyses.funnel(report.cohort), say"


def estimates_in(given: object, door: str) -> Estimates | Safe:
    """Return what was given to one of the report's doors, if it is what can go through it.

    DisclosureError in one line that says what to do instead; it quotes nothing of what was given.
    """
    if isinstance(given, Estimates | Safe):
        return given
    msg = f"{door}: {_instead(given)}"
    raise DisclosureError(msg)


def check_choice(door: str, name: str, given: object, choices: Sequence[str]) -> None:
    """Refuse a choice that there is not; what is near to one that there is comes with it."""
    if given not in choices:
        hint = did_you_mean(str(given), choices) if isinstance(given, str) else ""
        msg = f"{door}: there is no {name} '{given}'" if hint else f"{door}: there is no such {name}"
        raise UsageError(f"{msg}; there are: {', '.join(choices)}{hint}")


def check_letters(texts: Iterable[str], door: str = "report.show") -> None:
    """Refuse words of an author that figures could not show; the message quotes none of them."""
    if unshown(texts):
        msg = f"{door}: a label or note holds letters that the reports' fonts do not have; use others"
        raise AnalysisError(msg)


def _instead(given: object) -> str:
    module = type(given).__module__.partition(".")[0]
    # The first that holds is said, so the general ones stand last.
    told = {
        f"got nothing (None); {_HOW}": given is None,
        f"got a frame, whose rows may be people; {_HOW}, and it makes the table": isinstance(given, _FRAMES),
        f"got a figure, in which nobody can see what is counted; {_OWN_FIGURE}": module in _DRAWING,
        "got a text; write it in a Markdown cell, and let report.say write sentences with numbers": (
            isinstance(given, str)
        ),
        f"got a function or class; call it first, and {_HOW}": callable(given),
        f"got several things; call it once for each, and {_HOW}": isinstance(given, list | tuple | dict | set),
        f"got a value ({type(given).__name__}); {_HOW}": True,
    }
    return next(text for text, holds in told.items() if holds)


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
