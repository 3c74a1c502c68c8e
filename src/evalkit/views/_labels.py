"""Where names stand in a figure: beside what they name, and never on a curve, on one another or across the frame."""

from __future__ import annotations

__all__ = ["name_ends", "spread"]

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.text import Annotation

from evalkit.views.style import lay_out
from evalkit.words import wrapped

Styles = Mapping[str, Mapping[str, Any]]
_ROOM = 14  # letters of a name in one line beside a curve
_BESIDE = 6.0  # points from the frame to a name
_LEAD = "#b4bcc4"  # grey: not the curve's own colour, or it would look like more of the curve
_FAR = 3.0  # points between a name and its curve's end, from which on a line joins them


def spread(targets: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Move middles (rising, each with its size) apart within bounds, as little as is needed, in their order.

    Where all of it is larger than the bounds, it passes the upper one.

    Examples
    --------
    >>> spread([1.0, 1.0], [2.0, 2.0], 0.0, 10.0)
    [1.0, 3.0]
    >>> spread([5.0, 5.0], [2.0, 2.0], 0.0, 10.0)
    [4.0, 6.0]
    """
    inside = [min(max(t, low + s / 2), high - s / 2) for t, s in zip(targets, sizes, strict=True)]
    gaps = [(a + b) / 2 for a, b in pairwise(sizes)]
    # Pushing up alone moves names away from all that they name; the mean of both ways moves each half as far.
    down = _falling(_rising(inside, gaps), gaps, high - sizes[-1] / 2)
    up = _rising(_falling(inside, gaps, high), gaps, low + sizes[0] / 2)
    return _rising([(a + b) / 2 for a, b in zip(down, up, strict=True)], gaps, low + sizes[0] / 2)


def _rising(places: Sequence[float], gaps: Sequence[float], start: float = float("-inf")) -> list[float]:
    """Push upward from the lowest."""
    moved = [max(places[0], start)]
    for place, gap in zip(places[1:], gaps, strict=True):
        moved.append(max(place, moved[-1] + gap))
    return moved


def _falling(places: Sequence[float], gaps: Sequence[float], end: float) -> list[float]:
    """Push downward from the highest."""
    turned = _rising([-place for place in reversed(places)], list(reversed(gaps)), -end)
    return [-place for place in reversed(turned)]


def name_ends(panels: Sequence[tuple[Axes, Mapping[str, tuple[float, float]]]], styles: Styles) -> None:
    """Name each curve to the right of its frame, as high as it ends (x, y); a thin line leads there where that is far.

    The figure's layout is fixed by this: call it last.
    """
    made: list[tuple[Axes, str, tuple[float, float], Annotation]] = []
    for axes, ends in panels:
        for group, end in ends.items():
            words = wrapped(group, _ROOM)
            made.append((axes, group, end, _beside(axes, words, styles[group]["color"])))
    if not made:
        return
    figure = made[0][0].get_figure(root=True)
    if figure is None:
        return
    # Heights in points are known only of a figure that is laid out, and must not move after names stand by them.
    lay_out(figure)
    points = 72 / figure.dpi
    for axes, _ in panels:
        own = sorted((one for one in made if one[0] is axes), key=lambda one: one[2][1])
        if not own:
            continue
        frame = axes.get_window_extent()
        targets = [float(axes.transData.transform(end)[1]) for _, _, end, _ in own]
        sizes = [text.get_window_extent().height + 1 / points for *_, text in own]
        for (_, group, end, text), place in zip(own, spread(targets, sizes, frame.y0, frame.y1), strict=True):
            text.set_position((_BESIDE, (place - frame.y0) * points))
            _lead(axes, end, place, styles[group]["color"])


def _beside(axes: Axes, text: str, colour: str) -> Annotation:
    return axes.annotate(
        text, (1, 0), xycoords="axes fraction", xytext=(_BESIDE, 0), textcoords="offset points", ha="left", va="center",
        annotation_clip=False, color=colour, weight="semibold", linespacing=0.95, size=9,
    )  # fmt: skip


def _lead(axes: Axes, end: tuple[float, float], place: float, colour: str) -> None:
    """Join a curve's end with its name by a thin grey line, like no curve; a dot says that the curve ends there."""
    frame = axes.get_window_extent()
    x, y = axes.transData.transform(end)
    dpi = axes.figure.dpi
    if abs(place - y) * 72 / dpi <= _FAR and (frame.x1 - x) * 72 / dpi <= _FAR:
        return
    at = axes.transData.inverted().transform((frame.x1 + (_BESIDE - 1.5) * dpi / 72, place))
    axes.plot(
        [end[0], at[0]], [end[1], at[1]], color=_LEAD, linewidth=0.5, clip_on=False, zorder=1,
        scalex=False, scaley=False, label="_lead",
    )  # fmt: skip
    axes.plot(*end, "o", color=colour, markersize=3, clip_on=False, scalex=False, scaley=False, label="_end")
