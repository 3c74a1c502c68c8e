"""What researchers give to `report.show` and `report.say` in place of estimates, and what to do instead."""

from __future__ import annotations

__all__ = ["check_choice", "check_letters", "estimates_in"]

from collections.abc import Iterable, Sequence

import pandas as pd

from evalkit.disclosure import Safe
from evalkit.errors import AnalysisError, DisclosureError, UsageError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.letters import unshown

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
