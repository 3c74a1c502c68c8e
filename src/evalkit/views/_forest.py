"""Figures of a comparison: differences with their intervals, and balance before and after weighting."""

from __future__ import annotations

__all__ = ["effects_figure", "love_figure"]

import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.views._numbers import decimal, points
from evalkit.views._style import BESIDE, COMPARISON, FOCUS, INK, MUTED, new_figure, themed
from evalkit.views._words import words


def effects_figure(rows: pd.DataFrame, x_label: str) -> tuple[Figure, str]:
    """Draw differences of shares with their intervals, one line for each method or variant.

    Parameters
    ----------
    rows : pandas.DataFrame
        label, method, estimate, conf_low, conf_high.
    x_label : str

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
    """
    narrow = len(rows) <= 5
    figure = new_figure(0.85 + 0.28 * len(rows), *((BESIDE,) if narrow else ()))
    said: list[str] = []
    with themed():
        axes = figure.add_subplot()
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        axes.axvline(0, color=INK, linewidth=0.9)
        for place, (_, row) in enumerate(rows.iterrows()):
            colour = MUTED if row["method"] == "unadjusted" else FOCUS
            low, value, high = (100 * float(row[name]) for name in ("conf_low", "estimate", "conf_high"))
            axes.hlines(place, low, high, color=colour, linewidth=1.7)
            axes.plot(value, place, "D" if row["method"] == "unadjusted" else "o", color=colour, markersize=6)
            axes.annotate(
                points(row["estimate"]), (high, place), xytext=(5, 0), textcoords="offset points", va="center", size=8.5
            )
            said.append(_effect(row))
        labels = ["\n".join(textwrap.wrap(str(label), 44)) for label in rows["label"]]
        axes.set(yticks=range(len(rows)), yticklabels=labels, xlabel=x_label)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
    return figure, " ".join(said)


def _effect(row: pd.Series) -> str:
    return words(
        "effect",
        label=row["label"],
        value=points(row["estimate"]),
        low=points(row["conf_low"]),
        high=points(row["conf_high"]),
    )


def love_figure(rows: pd.DataFrame, limit: float = 0.1) -> tuple[Figure, str]:
    """Draw standardised mean differences before and after weighting (a love plot).

    Parameters
    ----------
    rows : pandas.DataFrame
        label, smd, smd_weighted.
    limit : float, default 0.1
        Largest difference that counts as balanced, either way.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
    """
    rows = rows.dropna(subset=["smd", "smd_weighted"])
    figure = new_figure(0.75 + 0.22 * len(rows), BESIDE)
    said: list[str] = []
    with themed():
        axes = figure.add_subplot()
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        axes.axvspan(-limit, limit, color=FOCUS, alpha=0.08, linewidth=0)
        axes.axvline(0, color=INK, linewidth=0.9)
        for place, (_, row) in enumerate(rows.iterrows()):
            axes.plot([row["smd"], row["smd_weighted"]], [place, place], color="#c9d1d8", linewidth=1, zorder=1)
            axes.plot(row["smd"], place, "s", markerfacecolor="white", markeredgecolor=COMPARISON, markersize=6)
            axes.plot(row["smd_weighted"], place, "o", color=FOCUS, markersize=6)
            said.append(
                words("balance.row", label=row["label"], before=decimal(row["smd"]), after=decimal(row["smd_weighted"]))
            )
        _named(axes)
        axes.set(yticks=range(len(rows)), yticklabels=list(rows["label"]), xlabel=words("balance.axis"))
        axes.set_ylim(len(rows) - 0.5, -1.1)
        axes.tick_params(axis="y", length=0)
    return figure, " ".join(said)


def _named(axes: Axes) -> None:
    """Name both marks above the first line, in their colours."""
    axes.annotate(
        words("balance.before"), (0.02, 0.985), xycoords="axes fraction", color=COMPARISON, weight="semibold", size=8,
        va="top",
    )  # fmt: skip
    axes.annotate(
        words("balance.after"), (0.98, 0.985), xycoords="axes fraction", color=FOCUS, weight="semibold", size=8,
        va="top", ha="right",
    )  # fmt: skip
