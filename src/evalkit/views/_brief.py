"""Figures of the brief: no word in them but those that are given, so that they stand in any language."""

from __future__ import annotations

__all__ = ["curves_of_brief", "shares_of_brief"]

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from evalkit.views._curve_figures import ticks
from evalkit.views._labels import name_ends
from evalkit.views._style import INK, arm_style, new_figure, themed
from evalkit.words import Messages

_SHAPES = "os^D"


def _percent(say: Messages) -> FuncFormatter:
    return FuncFormatter(lambda value, _: say.percent(round(float(value), 6)))


def shares_of_brief(rows: pd.DataFrame, groups: Sequence[str], x_label: str, say: Messages) -> Figure:
    """Draw shares as dots with their intervals, one line per label.

    Parameters
    ----------
    rows : pandas.DataFrame
        From safe estimates: group, label, estimate, conf_low, conf_high.
    groups : sequence of str
        In the order of their colours.
    x_label : str
    say : Messages

    Returns
    -------
    matplotlib.figure.Figure
    """
    labels = list(dict.fromkeys(rows["label"]))
    figure = new_figure(0.66 + 0.29 * len(labels))
    styles = arm_style(groups)
    with themed():
        axes = figure.add_subplot()
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        handles: list[Line2D] = []
        for i, group in enumerate(groups):
            own = rows[rows["group"] == group].dropna(subset=["estimate"])
            heights = [labels.index(str(label)) + (i - (len(groups) - 1) / 2) * 0.42 for label in own["label"]]
            colour = str(styles[group]["color"])
            axes.hlines(heights, own["conf_low"], own["conf_high"], color=colour, linewidth=1.6)
            handles += axes.plot(own["estimate"], heights, _SHAPES[i % 4], color=colour, markersize=6)
            for value, end, height in zip(own["estimate"], own["conf_high"], heights, strict=True):
                axes.annotate(
                    say.percent(value), (end, height), xytext=(4, 0), textcoords="offset points", va="center", size=8,
                    color=INK,
                )  # fmt: skip
        axes.set(xlim=(0, 1), yticks=range(len(labels)), yticklabels=labels, xlabel=x_label)
        axes.set_ylim(len(labels) - 0.45, -0.55)
        axes.xaxis.set_major_formatter(_percent(say))
        axes.tick_params(axis="y", length=0)
        figure.legend(handles, list(groups), loc="outside upper left", ncols=len(groups), frameon=False)
    return figure


def curves_of_brief(
    curves: dict[str, pd.DataFrame], groups: Sequence[str], axes_labels: tuple[str, str], horizon: float, say: Messages
) -> Figure:
    """Draw shares over time with their limits, each named where it ends.

    Parameters
    ----------
    curves : dict of str to pandas.DataFrame
        Group: time, estimate, conf_low, conf_high, read from a safe curve.
    groups : sequence of str
        In the order of their colours.
    axes_labels : (str, str)
        Of the horizontal and the vertical axis.
    horizon : float
        Longest day drawn.
    say : Messages

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = new_figure(1.75)
    styles = arm_style(groups)
    with themed():
        axes = figure.add_subplot()
        ends: dict[str, tuple[float, float]] = {}
        for group in (g for g in groups if g in curves):
            own = curves[group][curves[group]["time"] <= horizon]
            sns.lineplot(own, x="time", y="estimate", estimator=None, ax=axes, legend=False, **styles[group])
            colour = str(styles[group]["color"])
            axes.fill_between(own["time"], own["conf_low"], own["conf_high"], color=colour, alpha=0.13, linewidth=0)
            ends[group] = (float(own["time"].iloc[-1]), float(own["estimate"].iloc[-1]))
        last = max(end for end, _ in ends.values())
        highest = max(float(own["conf_high"].max()) for own in curves.values())
        top = min(1.0, np.ceil(highest * 10 + 1) / 10)
        axes.set(xlim=(0, last), ylim=(0, top), xticks=ticks(last), xlabel=axes_labels[0])
        axes.set_ylabel("\n".join(textwrap.wrap(axes_labels[1], 24)))
        axes.yaxis.set_major_formatter(_percent(say))
        name_ends([(axes, ends)], styles)
    return figure
