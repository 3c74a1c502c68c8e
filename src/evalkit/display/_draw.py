"""The figure of each analysis."""

from __future__ import annotations

__all__ = ["Look", "draw"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from evalkit.disclosure import Safe
from evalkit.display._across import across_figure
from evalkit.display._figures import CurveText, curves_figure, dots_figure, weeks_figure
from evalkit.display._forest import effects_figure, love_figure
from evalkit.display._kinds import CURVES, DRAWN, INCIDENCES, WEEKS, uncertain
from evalkit.display._panels import incidence_figure, trend_figure
from evalkit.display._places import bars_figure, tiles_figure
from evalkit.display._words import words
from evalkit.errors import AnalysisError

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
    AnalysisError
        If the analysis has no figure.
    """
    kind = safe.estimates.kind
    if kind not in DRAWN:
        msg = f"report.show: '{kind}' has no figure; show it as a table"
        raise AnalysisError(msg)
    if kind in CURVES:
        return curves_figure(safe, groups, look.horizon, look.words or _PLAIN)
    if kind in INCIDENCES:
        return incidence_figure(safe, groups, look.horizon, look.words or _PLAIN)
    if kind == "trend":
        return trend_figure(safe, groups)
    return _of_rows(safe, groups, look)


def _of_rows(safe: Safe, groups: Sequence[str], look: Look) -> tuple[Figure, str]:
    kind, rows = safe.estimates.kind, safe.estimates.tidy()
    if kind == "balance":
        return love_figure(rows)
    if kind == "adjusted_effects":
        return effects_figure(rows, words("effect.axis", group=groups[0]))
    if kind in WEEKS:
        return weeks_figure(rows, groups, look.x_label)
    if kind == "reach":
        own = groups[0]
        return tiles_figure(rows, own, look.places) if look.places else bars_figure(rows, own, look.x_label)
    if kind == "engaged_across":
        return across_figure(rows, groups, look.x_label)
    return dots_figure(uncertain(safe), groups, look.x_label)
