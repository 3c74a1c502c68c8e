"""The figure of each analysis."""

from __future__ import annotations

__all__ = ["Look", "draw"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from matplotlib.figure import Figure

from evalkit.disclosure import Safe
from evalkit.views._across import across_figure
from evalkit.views._figures import CurveText, curves_figure, dots_figure, weeks_figure
from evalkit.views._final_figures import counts_figure, e_value_figure, overlap_figure, subgroups_figure
from evalkit.views._forest import effects_figure, love_figure
from evalkit.views._kinds import COMPARED, COUNTED, CURVES, DRAWN, INCIDENCES, WEEKS, uncertain
from evalkit.views._panels import incidence_figure, trend_figure
from evalkit.views._places import bars_figure, tiles_figure
from evalkit.views._words import words
from evalkit.errors import DisclosureError

_PLAIN = CurveText("Share without the event", "Days", "without the event")


@dataclass(frozen=True)
class Look:
    """What a figure needs beside its numbers.

    Attributes
    ----------
    words : CurveText or None
        Words of a curve.
    horizon : float
        Longest day of a curve.
    x_label : str
        What the axis of a chart of shares, or of means by week, shows.
    places : mapping of str to (column, row)
        Where places lie on a map of tiles; without them shares by level are bars.
    """

    words: CurveText | None = None
    horizon: float = 365
    x_label: str = "Share"
    places: Mapping[str, Sequence[int]] = field(default_factory=dict)


def draw(safe: Safe, groups: Sequence[str], look: Look) -> tuple[Figure, str]:
    """Draw an estimate.

    Parameters
    ----------
    safe : Safe
    groups : sequence of str
        In the order of colours.
    look : Look

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
        What the figure shows, for readers who do not see it.

    Raises
    ------
    DisclosureError
        If the analysis has no figure.
    """
    kind = safe.estimates.kind
    if kind not in DRAWN:
        msg = f"report.show: '{kind}' has no figure; show it as a table"
        raise DisclosureError(msg)
    if kind in CURVES:
        return curves_figure(safe, groups, look.horizon, look.words or _PLAIN)
    if kind in INCIDENCES:
        return incidence_figure(safe, groups, look.horizon, look.words or _PLAIN)
    if kind == "trend":
        return trend_figure(safe, groups)
    return _of_rows(safe, groups, look)


def _of_rows(safe: Safe, groups: Sequence[str], look: Look) -> tuple[Figure, str]:
    kind, rows = safe.estimates.kind, safe.estimates.tidy()
    if kind in WEEKS:
        return weeks_figure(rows, groups, look.x_label)
    if kind == "reach":
        if not look.places:
            return bars_figure(rows, groups[0], look.x_label)
        nobody = "" if safe.policy.zero else words("figure.not_shown")
        return tiles_figure(rows, groups[0], look.places, nobody)
    if kind == "engaged_across":
        return across_figure(rows, groups, look.x_label)
    if kind in COMPARED | COUNTED:
        return _compared(safe, groups, look)
    return dots_figure(uncertain(safe), groups, look.x_label)


def _compared(safe: Safe, groups: Sequence[str], look: Look) -> tuple[Figure, str]:
    rows, facts = safe.estimates.tidy(), safe.estimates.summary
    made: dict[str, Callable[[], tuple[Figure, str]]] = {
        "balance": lambda: love_figure(rows),
        "preference": lambda: overlap_figure(rows, groups, (float(facts["score_from"]), float(facts["score_to"]))),
        "e_value": lambda: e_value_figure(rows),
        "subgroups": lambda: subgroups_figure(rows, groups),
        "mean_count": lambda: counts_figure(rows, groups, look.x_label),
    }
    effects = partial(effects_figure, rows, words("effect.axis", group=groups[0]))
    return made.get(safe.estimates.kind, effects)()
