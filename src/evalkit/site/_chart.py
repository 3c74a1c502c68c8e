"""The figure of a question: a small chart for each row, all on one scale, a line for each group over the releases."""

from __future__ import annotations

__all__ = ["chart"]

import math
import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import PercentFormatter

from evalkit.display._style import INK, MUTED, arm_style, new_figure, svg_of, themed
from evalkit.site._series import Number, Question, Row

_ACROSS = 3
_HEIGHT = 1.65  # inches of one row of charts
_HEAD = 0.3  # inches of the legend
_CHARACTERS = 34  # of a title, in a line


def chart(question: Question, panels: Sequence[tuple[str, Sequence[Row]]]) -> str:
    """Draw a question's numbers over the releases.

    Parameters
    ----------
    question : Question
    panels : sequence of (str, sequence of Row)
        Title of each small chart, and the series in it.

    Returns
    -------
    str
        SVG with letters as outlines; the same numbers give the same bytes.
    """
    groups = list(dict.fromkeys(row.group for _, rows in panels for row in rows if " - " not in row.group))
    styles = arm_style(groups)
    down = math.ceil(len(panels) / _ACROSS)
    with themed():
        figure = new_figure(_HEIGHT * down + _HEAD)
        axes = figure.subplots(down, _ACROSS, squeeze=False, sharex=True)
        for place, (title, rows) in zip(axes.flat, panels, strict=False):
            for row in rows:
                _line(place, question.periods, row, styles.get(row.group, {"color": MUTED, "linewidth": 1.8}))
            _dress(place, title, question, rows)
        for place in axes.flat[len(panels) :]:
            place.set_axis_off()
        drawn = {line.get_label(): line for place in axes.flat for line in place.get_lines()}
        shown = [group for group in groups if group in drawn]
        if len(shown) > 1:
            figure.legend(
                [drawn[group] for group in shown], shown, loc="outside upper left", ncols=len(shown), frameon=False
            )
    return svg_of(figure)


def _line(place: Any, periods: Sequence[str], row: Row, style: dict[str, Any]) -> None:  # noqa: ANN401 - untyped
    numbers = [row.numbers.get(period, Number(None)) for period in periods]
    values = [math.nan if one.value is None else one.value for one in numbers]
    place.plot(range(len(periods)), values, marker="o", markersize=3.5, label=row.group, **style)
    for where, one in enumerate(numbers):
        if one.value is not None and one.low is not None and one.high is not None:
            place.plot([where, where], [one.low, one.high], color=style["color"], linewidth=0.9, alpha=0.55)


def _dress(place: Any, title: str, question: Question, rows: Sequence[Row]) -> None:  # noqa: ANN401 - untyped
    last = len(question.periods) - 1
    place.set_title("\n".join(textwrap.wrap(title, _CHARACTERS)), fontsize=8.5, color=INK)
    place.set_xlim(-0.3, last + 0.3)
    place.set_xticks(sorted({0, last}), [question.periods[i] for i in sorted({0, last})], fontsize=7.5)
    place.tick_params(axis="x", labelbottom=True)
    place.tick_params(axis="y", labelsize=7.5)
    ends = [end for row in rows for n in row.numbers.values() for end in (n.value, n.low, n.high) if end is not None]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    if question.scale == "share" and low >= 0:
        place.set_ylim(0, min(1.03, max(0.1, 1.15 * high)))
    elif low >= 0:
        place.set_ylim(0, 1.15 * high or 1.0)
    if question.scale == "share":
        place.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    place.locator_params(axis="y", nbins=4)
