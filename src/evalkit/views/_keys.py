"""Names of groups in figures of dots: at the first dot where there is room, in a row above everything where not."""

from __future__ import annotations

__all__ = ["beside", "key", "name_dots"]

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from evalkit.views.style import INK
from evalkit.words import percent, translated

_LETTERS = 14  # of a key, in an inch
Styles = Mapping[str, Mapping[str, Any]]


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
