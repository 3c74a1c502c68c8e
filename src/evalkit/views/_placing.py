"""Where names stand in a figure, and how far its axis reaches.

An axis of shares ends a step above what is drawn, so that small shares are seen like large ones. A name stands beside
what it names, and never on a curve, on another name or across the frame; over dots it stands at the first one where
there is room, and in a row above everything where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.ticker import FixedLocator, PercentFormatter
from matplotlib.transforms import Bbox

from evalkit.views.style import INK, lay_out
from evalkit.words import percent, percent_sign, translated, wrapped

__all__ = ["beside", "end_above", "key", "name_dots", "name_ends", "share_axis", "spread"]


# Below the highest share: the ticks' step, so that an axis has five of them at most.
_STEPS = ((0.04, 0.01), (0.08, 0.02), (0.2, 0.05), (0.4, 0.1))
_WIDE = 0.2


def end_above(highest: float) -> tuple[float, float]:
    """Return where an axis of shares ends (nan: nothing is drawn), and the step between its ticks.

    The end is a whole number of steps, above the highest share or limit where that is below one.

    Examples
    --------
    >>> end_above(0.37), end_above(0.41), end_above(0.83)
    ((0.4, 0.1), (0.6, 0.2), (1.0, 0.2))
    >>> end_above(0.16), end_above(0.2), end_above(1.0)
    ((0.2, 0.05), (0.3, 0.1), (1.0, 0.2))
    """
    if not np.isfinite(highest):
        return 1.0, _WIDE
    step = next((step for below, step in _STEPS if highest < below), _WIDE)
    # One step more also where the highest lies on a tick (ADR 24): what stands on the frame looks cut off.
    steps = int(np.floor(highest / step + 1e-9)) + 1
    return min(1.0, round(steps * step, 6)), step


def share_axis(axes: Axes, which: Literal["x", "y"], drawn: Iterable[float]) -> float:
    """Let an axis of shares begin at none and end a step above what is drawn (nan aside); return its end."""
    known = [value for value in drawn if np.isfinite(value)]
    end, step = end_above(max(known, default=float("nan")))
    reach = (0, end * 1.01)  # a line along the end of the axis is drawn whole
    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(xlim=reach) if which == "x" else axes.set(ylim=reach)
    axis.set_major_locator(FixedLocator([round(k * step, 6) for k in range(round(end / step) + 1)]))
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=percent_sign()))
    return end


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


_LETTERS = 14  # of a key, in an inch


def beside(axes: Axes, value: float, end: float, height: float, size: float = 8.5) -> None:
    """Write a share to the right of the end of its dot and interval; beyond the frame where they end at it."""
    axes.annotate(
        percent(value), (end, height), xytext=(5, 0), textcoords="offset points", va="center", size=size, color=INK,
        annotation_clip=False, path_effects=[withStroke(linewidth=1.8, foreground="white")],
    )  # fmt: skip


def key(figure: Figure, groups: Sequence[str], styles: Styles, shapes: str = "") -> None:
    """Name the groups above a figure, each in its colour behind its mark (`shapes`: one for each) or line."""
    handles = []
    for i, group in enumerate(groups):
        own = dict(styles[group])
        if shapes:
            own |= {"linestyle": "none", "marker": shapes[i % len(shapes)], "markersize": 6}
        handles.append(Line2D([], [], **own))
    columns = 2 if len(groups) < 5 else 3
    # By letters, not by drawing: the key is part of the layout that drawing would need.
    widest = sum(
        max(len(translated(name)) for name in groups[i::columns]) + 5 for i in range(min(columns, len(groups)))
    )
    if widest > _LETTERS * figure.get_figwidth():
        columns = 1
    figure.legend(
        handles, list(map(translated, groups)), loc="outside upper left", ncols=columns,
        frameon=False, labelcolor="linecolor", prop={"weight": "semibold", "size": 9}, borderaxespad=0.2,
        handletextpad=0.4, columnspacing=1.4,
    )  # fmt: skip


def name_dots(figure: Figure, axes: Axes, first: Mapping[str, tuple[float, float]], styles: Styles) -> bool:
    """Name groups to the left of their first dots if every name has room there, else not at all; return which.

    `first` has the left end and height of each group's first interval, as data.
    """
    made = [
        axes.annotate(
            translated(group), place, xytext=(-5, 0), textcoords="offset points", ha="right", va="center", size=9,
            weight="semibold", color=str(styles[group]["color"]),
        )
        for group, place in first.items()
    ]  # fmt: skip
    # How wide a text is only its letters tell: the layout has to be made before names can be held to it.
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in made]
    left = axes.get_window_extent().x0 + 2
    others = [text.get_window_extent() for text in axes.texts if text not in made]
    # All or none: one group named at its dot and the other in a key above are read as two kinds of things.
    fits = all(box.x0 > left and not _touches(box, [*boxes[:i], *others]) for i, box in enumerate(boxes))
    if not fits:
        for text in made:
            text.remove()
    return fits


def _touches(box: Bbox, others: Sequence[Bbox]) -> bool:
    return any(box.overlaps(other) for other in others)
