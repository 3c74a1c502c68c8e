"""Figures of who was reached: a schematic map of community areas, and shares by level."""

from __future__ import annotations

__all__ = ["bars_figure", "tiles_figure"]

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import PercentFormatter

from evalkit.display._numbers import count, percent
from evalkit.display._style import BESIDE, FOCUS, INK, MUTED, RULE, new_figure, themed
from evalkit.display._words import words

_SCALE = LinearSegmentedColormap.from_list("share", ["#eef4f7", FOCUS])


def tiles_figure(rows: pd.DataFrame, group: str, places: Mapping[str, Sequence[int]]) -> tuple[Figure, str]:
    """Draw one tile for each place, laid out as on a map, darker where more people come from.

    Parameters
    ----------
    rows : pandas.DataFrame
        From safe estimates: group, label, n_event, estimate.
    group : str
        The group whose people are shown.
    places : mapping of str to (column, row)
        Where the tile of a place lies, from the top left; places that are not named stand in a row below.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
    """
    own = rows[rows["group"] == group]
    at = _laid_out([str(label) for label in own["label"]], places)
    width, height = (max(spot[i] for spot in at.values()) + 1 for i in (0, 1))
    top = float(own["estimate"].max()) if own["estimate"].notna().any() else 1.0
    figure = new_figure(0.78 * height + 0.1, BESIDE if width <= 4 else 6.5)
    said: list[str] = []
    with themed():
        axes = figure.add_subplot()
        for _, row in own.iterrows():
            _tile(axes, row, at[str(row["label"])], top)
            known = bool(np.isfinite(row["estimate"]))
            value = words("figure.not_shown")
            if known:
                value = f"{words('people.many', n=count(row['n_event']))}, {percent(row['estimate'])}"
            said.append(words("alt.value", label=row["label"], value=value))
        columns = max(width, 4)
        axes.set(xlim=(-0.02, columns), ylim=(height, -0.04))
        axes.axis("off")
    return figure, words("alt.values", group=group, values="; ".join(said))


def _laid_out(labels: Sequence[str], places: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, int]]:
    known = {label: (int(places[label][0]), int(places[label][1])) for label in labels if label in places}
    below = max((row for _, row in known.values()), default=-1) + 1
    others = [label for label in labels if label not in known]
    return {**known, **{label: (i % 4, below + i // 4) for i, label in enumerate(others)}}


def _tile(axes: Axes, row: pd.Series, spot: tuple[int, int], top: float) -> None:
    column, line = spot
    known = bool(np.isfinite(row["estimate"]))
    depth = 0.15 + 0.85 * float(row["estimate"]) / top if known else 0.0
    colour = _SCALE(depth) if known else "white"
    ink = "white" if depth > 0.6 else INK
    axes.add_patch(
        FancyBboxPatch(
            (column + 0.03, line + 0.05), 0.94, 0.88, boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=colour, edgecolor=RULE, linewidth=0.8,
        )
    )  # fmt: skip
    axes.text(column + 0.1, line + 0.27, str(row["label"]), color=ink, weight="semibold", size=9, va="center")
    value = percent(row["estimate"]) if known else words("figure.not_shown")
    axes.text(column + 0.1, line + (0.55 if known else 0.7), value, color=ink, size=13 if known else 8.5, va="center")
    if known:
        people = words("people.many", n=count(row["n_event"]))
        axes.text(column + 0.1, line + 0.8, people, color=ink, size=8, va="center")


def bars_figure(rows: pd.DataFrame, group: str, x_label: str) -> tuple[Figure, str]:
    """Draw one bar for each level of one group, longest first.

    Parameters
    ----------
    rows : pandas.DataFrame
        From safe estimates: group, label, n_event, estimate.
    group : str
    x_label : str

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
    """
    own = rows[rows["group"] == group].sort_values("estimate", ascending=False, na_position="last", kind="stable")
    figure = new_figure(0.55 + 0.24 * len(own), BESIDE)
    said: list[str] = []
    with themed():
        axes = figure.add_subplot()
        axes.grid(visible=False)
        for place, (_, row) in enumerate(own.iterrows()):
            known = bool(np.isfinite(row["estimate"]))
            text = words("figure.not_shown")
            if known:
                axes.barh(place, row["estimate"], height=0.62, color=FOCUS)
                people = words("people.many", n=count(row["n_event"]))
                text = f"{percent(row['estimate'])} ({people})"
            axes.annotate(
                text, (row["estimate"] if known else 0, place), xytext=(5, 0), textcoords="offset points", va="center",
                size=9, color=INK if known else MUTED,
            )  # fmt: skip
            said.append(words("alt.value", label=row["label"], value=text))
        axes.set(yticks=range(len(own)), yticklabels=list(own["label"]), xlabel=x_label)
        axes.set_ylim(len(own) - 0.5, -0.5)
        axes.set_xlim(0, max(0.1, float(own["estimate"].max()) * 1.35) if own["estimate"].notna().any() else 1)
        axes.set_xticks([tick for tick in axes.get_xticks() if tick <= min(1.0, axes.get_xlim()[1])])
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.tick_params(axis="y", length=0)
    return figure, words("alt.values", group=group, values=", ".join(said))
