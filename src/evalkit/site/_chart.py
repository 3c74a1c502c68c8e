"""The figure of a question: a small chart for each row, all on one scale, a line for each group over the releases."""

from __future__ import annotations

__all__ = ["chart"]

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.ticker import PercentFormatter

from evalkit.site._series import Number, Question, Row
from evalkit.views.style import INK, MUTED, arm_style, new_figure, svg_of, themed

_ACROSS, _MANY = 3, 12  # small charts beside one another; from how many on it is one more
# Inches: every small chart is alike, so nothing has to be measured, which would take half of a site's time.
_HEIGHT, _TITLE, _BELOW = 1.75, 0.42, 0.3  # of a row of charts; of it above the frame, and below
_HEAD, _LEFT, _GAP, _RIGHT = 0.3, 0.42, 0.5, 0.1  # the legend; beside the frames, and between them
_CHARACTERS = 100  # of titles, in all the columns


def chart(question: Question, panels: Sequence[tuple[str, Sequence[Row]]], names: dict[str, str]) -> str:
    """Draw a question's numbers over the releases, as SVG with letters as outlines: same numbers, same bytes.

    `panels` are the small charts: title and series; `names`, how the reader's language calls each group, in the order
    of colours, which is the same in each figure.
    """
    groups = [*names]
    styles = arm_style(groups)
    across = _ACROSS + (len(panels) > _MANY)
    down = math.ceil(len(panels) / across)
    with themed():
        figure = new_figure(_HEIGHT * down + _HEAD)
        axes = figure.subplots(down, across, squeeze=False, gridspec_kw=_spaces(figure, across))
        figure.set_layout_engine("none")
        for place, (title, rows) in zip(axes.flat, panels, strict=False):
            for row in rows:
                _line(place, question.periods, row, styles.get(row.group, {"color": MUTED, "linewidth": 1.8}))
            _dress(place, "\n".join(textwrap.wrap(title, _CHARACTERS // across)), question.periods, rows[0])
            alike = [r for _, others in panels for r in others if _kind(r) == _kind(rows[0])]
            place.set_ylim(*_limits(alike, rows[0].scale))
        for place in axes.flat[len(panels) :]:
            place.set_axis_off()
        drawn = {line.get_label(): line for place in axes.flat for line in place.get_lines()}
        shown = [group for group in groups if group in drawn]
        if len(shown) > 1:
            lines, said = [drawn[group] for group in shown], [names[group] for group in shown]
            place = {"loc": "upper left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
            figure.legend(lines, said, ncols=min(len(shown), across), frameon=False, **place)
    return svg_of(figure)


def _spaces(figure: Any, across: int) -> dict[str, float]:  # noqa: ANN401 - untyped
    """Return where the frames stand, as shares of the figure and of a frame."""
    width, height = figure.get_size_inches()
    frame = (width - _LEFT - _RIGHT - _GAP * (across - 1)) / across, _HEIGHT - _TITLE - _BELOW
    return {
        "left": _LEFT / width,
        "right": 1 - _RIGHT / width,
        "top": 1 - (_HEAD + _TITLE) / height,
        "bottom": _BELOW / height,
        "wspace": _GAP / frame[0],
        "hspace": (_TITLE + _BELOW) / frame[1],
    }


def _kind(row: Row) -> tuple[str, bool]:
    """Say what may stand on one axis."""
    return row.scale, row.about.get("measure") == "difference"


def _line(place: Any, periods: Sequence[str], row: Row, style: dict[str, Any]) -> None:  # noqa: ANN401 - untyped
    numbers = [row.numbers.get(period, Number(None)) for period in periods]
    # Not a number breaks the line: nothing is drawn across a period that shows none.
    values = [math.nan if one.value is None else one.value for one in numbers]
    place.plot(range(len(periods)), values, marker="o", markersize=3.5, label=row.group, **style)
    limits = [(i, n.low, n.high) for i, n in enumerate(numbers) if None not in (n.value, n.low, n.high)]
    if limits:
        place.vlines(*zip(*limits, strict=True), color=style["color"], linewidth=0.9, alpha=0.55)


def _dress(place: Any, title: str, periods: Sequence[str], row: Row) -> None:  # noqa: ANN401 - untyped
    last = len(periods) - 1
    place.set_title(title, fontsize=8.5, color=INK)
    place.set_xlim(-0.3, last + 0.3)
    place.set_xticks([0, last], [periods[0], periods[last]], fontsize=7.5)
    place.tick_params(axis="y", labelsize=7.5)
    place.locator_params(axis="y", nbins=4)
    if _kind(row) == ("share", True):  # points, not percent of something
        place.yaxis.set_major_formatter(lambda value, _: f"{round(100 * value):+d}".replace("-", "−"))
    elif row.scale == "share":
        place.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _limits(rows: Iterable[Row], scale: str) -> tuple[float, float]:
    """Return the ends of the axis: the same for all small charts, from zero where nothing lies below it."""
    ends = [end for row in rows for n in row.numbers.values() for end in (n.value, n.low, n.high) if end is not None]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    # A difference goes both ways, and its zero has to be seen.
    if low < 0:
        return 1.1 * low, max(1.1 * high, 0.0)
    # A share ends at one, with room for its mark.
    return 0.0, min(1.03, max(0.1, 1.1 * high)) if scale == "share" else 1.1 * high or 1.0
