"""What a figure shows, as plain values: lines, intervals and words with their colours, and the cells of tables."""

from __future__ import annotations

import html
import re
from typing import Any

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation

from evalkit.views.style import COMPARISON, FOCUS, INK, MUTED, themed

_NAMES = {FOCUS: "focus", COMPARISON: "other", MUTED: "grey", INK: "ink", "#ffffff": "white"}
Points = list[tuple[float, float]]


def colour(value: Any) -> str:
    """Name a colour: focus, other, grey, ink, or as it stands."""
    return _NAMES.get(to_hex(value), to_hex(value))


def _plain(points: Any) -> Points:
    return [(round(float(x), 6), round(float(y), 6)) for x, y in points]


def lines(axes: Axes) -> list[tuple[str, Points]]:
    """Curves and dots with their colour, in the order of drawing; lines that lead to a name or span the frame left out."""
    own = [line for line in axes.lines if line.get_label() not in {"_lead", "_end"} and len(line.get_xdata())]
    return [(_hue(line), _plain(line.get_xydata())) for line in own if line.get_transform() == axes.transData]


def _hue(line: Line2D) -> str:
    """The colour of a curve, or of a dot: that of its edge where it is hollow."""
    if line.get_marker() in {"None", ""}:
        return colour(line.get_color())
    edge, face = colour(line.get_markeredgecolor()), colour(line.get_markerfacecolor())
    return face if edge == "white" else edge


def rules(axes: Axes) -> list[tuple[str, float]]:
    """Upright reference lines: colour, and where."""
    return [(colour(one.get_color()), round(float(one.get_xdata()[0]), 6))
            for one in axes.lines if len(one.get_xdata()) and one.get_transform() != axes.transData]  # fmt: skip


def intervals(axes: Axes) -> list[tuple[str, Points]]:
    """Intervals with their colour: both ends of each."""
    return [(colour(found.get_color()[0]), _plain(segment))
            for found in axes.collections if isinstance(found, LineCollection) for segment in found.get_segments()]  # fmt: skip


def bands(axes: Axes) -> list[tuple[str, list[tuple[float, float, float]]]]:
    """Bands of limits with their colour: x, lower and upper edge."""
    found = []
    for one in axes.collections:
        if isinstance(one, PolyCollection):
            edges: dict[float, list[float]] = {}
            for x, y in _plain(one.get_paths()[0].vertices):
                edges.setdefault(x, []).append(y)
            found.append((colour(one.get_facecolor()[0, :3]), [(x, min(y), max(y)) for x, y in sorted(edges.items())]))
    return found


def said(axes: Axes) -> list[tuple[str, str]]:
    """Words in a frame, with their colour."""
    return [(colour(text.get_color()), text.get_text()) for text in axes.texts]


def at_risk(axes: Axes) -> dict[str, dict[float, str]]:
    """The table below the axis: group, day, number; the word is in the group's colour."""
    rows: dict[float, dict[float, str]] = {}
    names: dict[float, str] = {}
    for text in axes.texts:
        if isinstance(text, Annotation) and text.xyann[1] < -45:
            if text.get_ha() == "center":
                rows.setdefault(text.xyann[1], {})[float(text.xy[0])] = text.get_text()
            else:
                names[text.xyann[1]] = f"{text.get_text()} ({colour(text.get_color())})"
    return {names[below]: cells for below, cells in rows.items()}


def labels(axes: Axes) -> list[str]:
    """Words on the vertical axis, from the top."""
    return [one.get_text() for one in axes.get_yticklabels()]


def legend(figure: Figure) -> list[tuple[str, str, str]]:
    """What a figure's legend says: name, colour, marker."""
    (found,) = figure.legends
    return [
        (text.get_text(), colour(handle.get_color()), str(handle.get_marker()))
        for text, handle in zip(found.texts, found.legend_handles, strict=True)
    ]


def laid_out(figure: Figure) -> Figure:
    """Return the figure once its ticks and labels are there."""
    with themed():
        figure.draw_without_rendering()
    return figure


def cells(table: str) -> list[list[str]]:
    """The texts of a table, row by row; the heading of a part is a row of one cell, the note below the last."""
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    return [
        [" ".join(html.unescape(re.sub(r"<[^>]*>", "", one)).split()) for one in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        for row in rows
    ]  # fmt: skip


def beside(axes: Axes) -> list[tuple[str, str]]:
    """Names to the right of curves with their colour, from the top."""
    own = [t for t in axes.texts if isinstance(t, Annotation) and t.xycoords == "axes fraction" and t.xyann[1] > -45]
    return [(colour(t.get_color()), " ".join(t.get_text().split())) for t in sorted(own, key=lambda t: -t.xyann[1])]
