"""The figure of a question: a small chart for each row, all on one scale, a line for each group over the releases."""

from __future__ import annotations

__all__ = ["chart"]

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.ticker import PercentFormatter

from evalkit.site._series import Number, Question, Row
from evalkit.views._style import INK, MUTED, arm_style, new_figure, svg_of, themed

_ACROSS, _MANY = 3, 12  # small charts beside one another; from how many on it is one more
_HEIGHT = 1.65  # inches of one row of charts
_HEAD = 0.3  # inches of the legend
_CHARACTERS = 100  # of titles, in all the columns


def chart(question: Question, panels: Sequence[tuple[str, Sequence[Row]]], names: dict[str, str]) -> str:
    """Draw a question's numbers over the releases.

    Parameters
    ----------
    question : Question
    panels : sequence of (str, sequence of Row)
        Title of each small chart, and the series in it.
    names : dict
        Group: how the reader's language calls it.

    Returns
    -------
    str
        SVG with letters as outlines; the same numbers give the same bytes.
    """
    groups = list(dict.fromkeys(row.group for _, rows in panels for row in rows if not _is_difference(row)))
    styles = arm_style(groups)
    across = _ACROSS + (len(panels) > _MANY)
    down = math.ceil(len(panels) / across)
    with themed():
        figure = new_figure(_HEIGHT * down + _HEAD)
        axes = figure.subplots(down, across, squeeze=False)
        for place, (title, rows) in zip(axes.flat, panels, strict=False):
            for row in rows:
                _line(place, question.periods, row, styles.get(row.group, {"color": MUTED, "linewidth": 1.8}))
            _dress(place, "\n".join(textwrap.wrap(title, _CHARACTERS // across)), question)
            alike = [r for _, others in panels for r in others if _is_difference(r) == _is_difference(rows[0])]
            place.set_ylim(*_limits(alike, question.scale))
        for place in axes.flat[len(panels) :]:
            place.set_axis_off()
        drawn = {line.get_label(): line for place in axes.flat for line in place.get_lines()}
        shown = [group for group in groups if group in drawn]
        if len(shown) > 1:
            lines, said = [drawn[group] for group in shown], [names[group] for group in shown]
            figure.legend(lines, said, loc="outside upper left", ncols=min(len(shown), across), frameon=False)
    return svg_of(figure)


def _is_difference(row: Row) -> bool:
    return row.about.get("measure") == "difference"


def _line(place: Any, periods: Sequence[str], row: Row, style: dict[str, Any]) -> None:  # noqa: ANN401 - untyped
    numbers = [row.numbers.get(period, Number(None)) for period in periods]
    values = [math.nan if one.value is None else one.value for one in numbers]
    place.plot(range(len(periods)), values, marker="o", markersize=3.5, label=row.group, **style)
    for where, one in enumerate(numbers):
        if one.value is not None and one.low is not None and one.high is not None:
            place.plot([where, where], [one.low, one.high], color=style["color"], linewidth=0.9, alpha=0.55)


def _dress(place: Any, title: str, question: Question) -> None:  # noqa: ANN401 - untyped
    last = len(question.periods) - 1
    place.set_title(title, fontsize=8.5, color=INK)
    place.set_xlim(-0.3, last + 0.3)
    place.set_xticks([0, last], [question.periods[0], question.periods[last]], fontsize=7.5)
    place.tick_params(axis="y", labelsize=7.5)
    place.locator_params(axis="y", nbins=4)
    if question.scale == "share":
        place.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _limits(rows: Iterable[Row], scale: str) -> tuple[float, float]:
    """Return the ends of the axis: the same for all small charts, from zero where nothing lies below it."""
    ends = [end for row in rows for n in row.numbers.values() for end in (n.value, n.low, n.high) if end is not None]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    if low < 0:
        return 1.1 * low, max(1.1 * high, 0.0)
    return 0.0, min(1.03, max(0.1, 1.1 * high)) if scale == "share" else 1.1 * high or 1.0
