"""Figures from safe estimates: vector graphics with direct labels, and what they show in one sentence for alt text."""

from __future__ import annotations

__all__ = ["CurveText", "at_risk", "curves_figure", "dots_figure", "weeks_figure"]

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from evalkit.disclosure import Safe
from evalkit.views._data import ticks as ticks_of
from evalkit.views._keys import beside, key, name_dots
from evalkit.views._labels import name_ends
from evalkit.views._numbers import NOT_SHOWN, count, decimal, percent
from evalkit.views._style import BESIDE, MUTED, arm_style, new_figure, themed
from evalkit.views._words import words

_SHAPES = "os^D"


@dataclass(frozen=True)
class CurveText:
    """Words of a curve's figure.

    Attributes
    ----------
    y_label, x_label : str
        What the axes show.
    event : str
        Probability of what, for the alt text: ``still engaged``.
    """

    y_label: str
    x_label: str
    event: str


def curves_figure(safe: Safe, groups: Sequence[str], horizon: float, text: CurveText) -> tuple[Figure, str]:
    """Draw safe survival curves with their limits, labelled at the curve, and the at-risk table below.

    Parameters
    ----------
    safe : Safe
        Kaplan-Meier estimates.
    groups : sequence of str
        In the order of colours; groups that are not in the estimates are passed over.
    horizon : float
        Longest day drawn.
    text : CurveText

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
        What the figure shows, as a sentence for readers who do not see it.
    """
    rows = safe.estimates.tidy()
    knots = {g: safe.knots(g) for g in groups if (rows["group"] == g).any()}
    shown = [g for g, own in knots.items() if len(own)]
    end = min(horizon, max(float(knots[g]["time"].iloc[-1]) for g in shown))
    ticks = ticks_of(end)
    risk = safe.drawn(ticks)
    figure = new_figure(1.9 + 0.17 * (len(shown) + 1), BESIDE)
    with themed():
        axes = figure.add_subplot()
        last = {g: _curve(axes, knots[g], arm_style(groups)[g], end) for g in shown}
        axes.set(xlim=(0, end), ylim=(0, 1.02), xticks=ticks, ylabel=text.y_label)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel(text.x_label)
        at_risk(axes, risk, shown, ticks, arm_style(groups))
        name_ends([(axes, last)], arm_style(groups))
    return figure, _curves_alt(risk, shown, text)


def _curve(axes: Axes, knots: pd.DataFrame, style: dict[str, object], horizon: float) -> tuple[float, float]:
    """Draw one curve as lines between the days on which it is known; return where it ends."""
    end = min(horizon, float(knots["time"].iloc[-1]))
    inside = knots[knots["time"] < end]
    at_end = {c: np.interp(end, knots["time"], knots[c]) for c in ("estimate", "conf_low", "conf_high")}
    path = pd.concat([inside, pd.DataFrame([{"time": end, **at_end}])], ignore_index=True)
    sns.lineplot(path, x="time", y="estimate", estimator=None, ax=axes, legend=False, **style)
    colour = str(style["color"])
    axes.fill_between(path["time"], path["conf_low"], path["conf_high"], color=colour, alpha=0.13, linewidth=0)
    return end, float(path["estimate"].iloc[-1])


def at_risk(
    axes: Axes, risk: pd.DataFrame, groups: Sequence[str], days: Sequence[int], styles: dict[str, dict[str, object]]
) -> None:
    """Write the numbers at risk under the axis, from the same rows as the curve.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    risk : pandas.DataFrame
        group, time, n_risk.
    groups : sequence of str
    days : sequence of int
    styles : dict
        From `arm_style`.
    """
    place = axes.get_xaxis_transform()
    rows: dict[str, Any] = {"xycoords": place, "textcoords": "offset points", "annotation_clip": False}
    heading: dict[str, Any] = {"ha": "left", "va": "center", "weight": "semibold", "size": 8.5}
    axes.annotate(words("figure.risk"), (0, 0), xytext=(-8, -41), **rows, **heading)
    for i, group in enumerate(groups, start=1):
        numbers = risk[risk["group"] == group].set_index("time")["n_risk"]
        below = -41 - 11.5 * i
        axes.annotate(
            group, (1, 0), xycoords="axes fraction", xytext=(12, below), textcoords="offset points", ha="left",
            va="center", size=8.5, weight="semibold", color=str(styles[group]["color"]), annotation_clip=False,
        )  # fmt: skip
        for day in days:
            axes.annotate(
                count(numbers.get(day)), (day, 0), xytext=(0, below), ha="center", va="center", size=8.5, **rows
            )


def _curves_alt(risk: pd.DataFrame, groups: Sequence[str], text: CurveText) -> str:
    sentences = []
    for group in groups:
        rows = risk[(risk["group"] == group) & (risk["time"] > 0)].dropna(subset=["estimate"])
        said = [
            words("alt.day", share=percent(e), day=int(t)) for t, e in zip(rows["time"], rows["estimate"], strict=True)
        ]
        key = "alt.curve" if said else "alt.curve.few"
        sentences.append(words(key, group=group, event=text.event, values=", ".join(said)))
    return " ".join(sentences)


def weeks_figure(rows: pd.DataFrame, groups: Sequence[str], y_label: str) -> tuple[Figure, str]:
    """Draw means by week with their limits, one line per group.

    Parameters
    ----------
    rows : pandas.DataFrame
        From safe estimates: group, time_from (first day of the week), estimate, conf_low, conf_high.
    groups : sequence of str
        In the order of colours.
    y_label : str
        What is shown.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
        The same in a sentence.
    """
    rows = rows.dropna(subset=["estimate"])
    figure = new_figure(1.95, BESIDE)
    styles = arm_style(groups)
    said: list[str] = []
    last: dict[str, tuple[float, float]] = {}
    with themed():
        axes = figure.add_subplot()
        for group in [g for g in groups if (rows["group"] == g).any()]:
            own = rows[rows["group"] == group]
            own = own.assign(week=own["time_from"] / 7 + 1).sort_values("week")
            for _, run in own.groupby(own["week"].diff().ne(1).cumsum()):  # no line across weeks that are not shown
                _run_of_weeks(axes, run, styles[group])
            first, end = own.iloc[0], own.iloc[-1]
            last[group] = (float(end["week"]), float(end["estimate"]))
            said.append(
                words(
                    "alt.week" if len(own) > 1 else "alt.week.one",
                    group=group,
                    first=decimal(first["estimate"]),
                    from_week=int(first["week"]),
                    last=decimal(end["estimate"]),
                    to_week=int(end["week"]),
                )
            )
        top = float(rows["conf_high"].max()) * 1.1
        weeks = rows["time_from"] / 7 + 1
        axes.set(xlabel="Week since first attended session", ylabel=y_label, ylim=(0, top), xlim=(0, weeks.max()))
        name_ends([(axes, last)], styles)
    return figure, " ".join(said)


def _run_of_weeks(axes: Axes, rows: pd.DataFrame, style: Mapping[str, Any]) -> None:
    """Draw means of weeks that follow one another; of one week alone a dot with its limits."""
    look = {**style, "marker": "o"} if len(rows) == 1 else style
    sns.lineplot(rows, x="week", y="estimate", estimator=None, ax=axes, legend=False, **look)
    days = rows["week"].to_numpy(dtype=float)
    if len(rows) == 1:
        axes.vlines(days, rows["conf_low"], rows["conf_high"], color=str(style["color"]), linewidth=1)
        return
    axes.fill_between(days, rows["conf_low"], rows["conf_high"], color=str(style["color"]), alpha=0.13, linewidth=0)


def dots_figure(
    rows: pd.DataFrame, groups: Sequence[str], x_label: str, *, marks: pd.DataFrame | None = None
) -> tuple[Figure, str]:
    """Draw shares as dots with their intervals, one line per term.

    Parameters
    ----------
    rows : pandas.DataFrame
        From safe estimates: group, label, estimate, conf_low, conf_high.
    groups : sequence of str
        In the order of colours.
    x_label : str
        What is shown.
    marks : pandas.DataFrame, optional
        Published values to set beside them: label, estimate, and limits where they are known.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
        The same in a sentence.
    """
    labels = list(dict.fromkeys(rows["label"]))  # in the order of the analysis
    extra = [] if marks is None else list(marks["label"])
    names = [_wrapped(name) for name in [*labels, *extra]]
    shown = [g for g in groups if (rows["group"] == g).any()]
    lines = [max(0.17 * len(shown), 0.15 * (1 + name.count("\n"))) + 0.04 for name in names]
    figure = new_figure(0.55 + sum(lines), BESIDE)
    heights = np.cumsum(lines) - np.array(lines) / 2  # a line's middle, in inches from the top
    places = dict(zip(labels, heights, strict=False))
    styles = arm_style(groups)
    with themed():
        axes = figure.add_subplot()
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        first = {}
        for i, group in enumerate(shown):
            own = rows[rows["group"] == group].dropna(subset=["estimate"])
            at = [places[label] + (i - (len(shown) - 1) / 2) * 0.17 for label in own["label"]]
            _dots(axes, own, at, str(styles[group]["color"]), _SHAPES[groups.index(group) % 4])
            if at:
                first[group] = (float(own["conf_low"].iloc[0]), at[0])
        if marks is not None:
            _published(axes, marks, list(heights[len(labels) :]))
        axes.set(xlim=(0, 1), yticks=heights, yticklabels=names, xlabel=x_label)
        axes.set_ylim(sum(lines) + 0.02, -0.04)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.tick_params(axis="y", length=0)
        if not name_dots(figure, axes, first, styles):
            figure.set_figheight(figure.get_figheight() + 0.2)
            key(figure, shown, styles, "".join(_SHAPES[groups.index(g) % len(_SHAPES)] for g in shown))
    return figure, _dots_alt(rows, shown, labels, marks)


def _wrapped(text: str) -> str:
    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, 30))


def _dots(axes: Axes, rows: pd.DataFrame, at: Sequence[float], colour: str, shape: str) -> None:
    axes.hlines(at, rows["conf_low"], rows["conf_high"], color=colour, linewidth=1.6)
    axes.plot(rows["estimate"], at, shape, color=colour, markersize=5.5)
    for value, end, height in zip(rows["estimate"], rows["conf_high"], at, strict=True):
        beside(axes, value, max(value, end), height)


def _published(axes: Axes, marks: pd.DataFrame, at: Sequence[float]) -> None:
    for height, (_, row) in zip(at, marks.iterrows(), strict=True):
        end = row["estimate"]
        if np.isfinite(row["conf_low"]):
            axes.hlines(height, row["conf_low"], row["conf_high"], color=MUTED, linewidth=1.6)
            end = max(end, row["conf_high"])
        axes.plot(row["estimate"], height, "D", color="white", markeredgecolor=MUTED, markeredgewidth=1.4, markersize=5)
        beside(axes, row["estimate"], end, height)


def _dots_alt(rows: pd.DataFrame, groups: Sequence[str], labels: list[str], marks: pd.DataFrame | None) -> str:
    sentences = []
    for group in groups:
        values = rows[rows["group"] == group].set_index("label")["estimate"]
        known = [label for label in labels if percent(values.get(label)) != NOT_SHOWN]
        said = [
            words("alt.value", label=label.partition("\n")[0].lower(), value=percent(values[label])) for label in known
        ]
        sentences.append(words("alt.values", group=group, values=", ".join(said)))
    if marks is not None:
        said = [
            words("alt.value", label=" ".join(str(row["label"]).split()), value=percent(row["estimate"]))
            for _, row in marks.iterrows()
        ]
        sentences.append(words("alt.published", values=", ".join(said)))
    return " ".join(sentences)
