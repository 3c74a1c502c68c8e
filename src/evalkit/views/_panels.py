"""Figures of several panels: cumulative incidences by cause, and trends by measure."""

from __future__ import annotations

__all__ = ["incidence_figure", "trend_figure"]

import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from evalkit.disclosure import Safe
from evalkit.views._data import ticks as ticks_of
from evalkit.views._figures import CurveText, at_risk
from evalkit.views._keys import key
from evalkit.views._labels import name_ends
from evalkit.views._numbers import NOT_SHOWN, percent
from evalkit.views._style import BESIDE, MUTED, arm_style, new_figure, themed
from evalkit.views._words import words

_SHAPES = "os"


def cause_in_words(cause: str) -> str:
    """Return a cause as a report writes it.

    Parameters
    ----------
    cause : str

    Returns
    -------
    str
    """
    known = {"disengagement", "completion", "first session"}
    return words(f"cause.{cause}") if cause in known else cause


def incidence_figure(safe: Safe, groups: Sequence[str], horizon: float, text: CurveText) -> tuple[Figure, str]:
    """Draw safe cumulative incidences, one panel for each cause, with the at-risk table below.

    Parameters
    ----------
    safe : Safe
        Cumulative incidences.
    groups : sequence of str
        In the order of colours.
    horizon : float
        Longest day drawn.
    text : CurveText
        ``x_label`` is used, and ``y_label`` where there is one cause.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
    """
    rows = safe.estimates.tidy()
    causes = list(dict.fromkeys(rows["cause"].astype(str)))
    knots = {(g, c): safe.knots(g, c) for g in groups if (rows["group"] == g).any() for c in causes}
    knots = {key: own for key, own in knots.items() if len(own)}
    shown = list(dict.fromkeys(group for group, _ in knots))
    end = min(horizon, max(float(own["time"].iloc[-1]) for own in knots.values()))
    ticks = ticks_of(end, 5 if len(causes) == 1 else 4)
    risk = safe.drawn(ticks)
    styles = arm_style(groups)
    figure = new_figure(1.9 + 0.17 * (len(shown) + 1), 6.5 if len(causes) > 1 else BESIDE)
    named: list[tuple[Axes, dict[str, tuple[float, float]]]] = []
    with themed():
        panels = figure.subplots(1, len(causes), sharey=True, squeeze=False)[0]
        for axes, cause in zip(panels, causes, strict=True):
            ends = {g: _rising(axes, knots[g, cause], styles[g], end) for g in shown if (g, cause) in knots}
            if not ends:
                axes.text(0.5, 0.5, words("figure.not_shown"), transform=axes.transAxes, ha="center", color=MUTED)
            axes.set(xlim=(0, end), ylim=(0, 1.0), xticks=ticks, xlabel=text.x_label)
            title = cause_in_words(cause)
            if len(causes) > 1:
                axes.set_title(title[:1].upper() + title[1:], size=10.5)
            named.append((axes, ends))
        panels[0].yaxis.set_major_formatter(PercentFormatter(1.0))
        panels[0].set_ylabel(text.y_label if len(causes) == 1 else "")
        at_risk(panels[0], risk[risk["cause"] == causes[0]], shown, ticks, styles)
        name_ends(named, styles)
    return figure, _incidence_alt(risk, shown, causes)


def _rising(axes: Axes, knots: pd.DataFrame, style: dict[str, object], horizon: float) -> tuple[float, float]:
    path = knots[knots["time"] <= horizon]
    sns.lineplot(path, x="time", y="estimate", estimator=None, ax=axes, legend=False, **style)
    axes.set_ylabel("")
    axes.fill_between(
        path["time"], path["conf_low"], path["conf_high"], color=str(style["color"]), alpha=0.13, linewidth=0
    )
    return float(path["time"].iloc[-1]), float(path["estimate"].iloc[-1])


def _incidence_alt(risk: pd.DataFrame, groups: Sequence[str], causes: Sequence[str]) -> str:
    said = []
    for cause in causes:
        for group in groups:
            rows = risk[(risk["group"] == group) & (risk["cause"] == cause) & (risk["time"] > 0)].dropna(
                subset=["estimate"]
            )
            values = [
                words("alt.day", share=percent(e), day=int(t))
                for t, e in zip(rows["time"], rows["estimate"], strict=True)
            ]
            key = "alt.curve" if values else "alt.curve.few"
            said.append(words(key, group=group, event=cause_in_words(cause), values=", ".join(values)))
    return " ".join(said)


def trend_figure(safe: Safe, groups: Sequence[str]) -> tuple[Figure, str]:
    """Draw shares at the end of each period, one panel for each measure.

    Parameters
    ----------
    safe : Safe
        Trends.
    groups : sequence of str
        In the order of colours.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
    """
    rows = safe.estimates.tidy()
    rows = rows.assign(estimate=rows["estimate"].where(rows["n"].gt(0)))
    periods = list(dict.fromkeys(rows["period"].astype(str)))
    labels = list(dict.fromkeys(rows["label"].astype(str)))
    styles = arm_style(groups)
    shown = [g for g in groups if rows.loc[rows["group"] == g, "estimate"].notna().any()]
    across = min(len(labels), 4)
    rows_of_panels = -(-len(labels) // across)
    figure = new_figure(1.85 * rows_of_panels + 0.3)
    said: list[str] = []
    with themed():
        panels = figure.subplots(rows_of_panels, across, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, label in zip(panels, labels, strict=False):
            own = rows[(rows["label"] == label)].dropna(subset=["estimate"])
            for group in shown:
                part = own[own["group"] == group]
                place = [periods.index(str(p)) for p in part["period"]]
                _dated(axes, part, place, styles[group], _SHAPES[groups.index(group) % 2])
                said += _trend_words(part, label, group)
            if own.empty:
                axes.text(0.5, 0.5, words("figure.not_shown"), transform=axes.transAxes, ha="center", color=MUTED)
            axes.set(ylim=(0, 1.05), xlim=(-0.4, len(periods) - 0.6), xlabel="", ylabel="")
            axes.set_title("\n".join(textwrap.wrap(label, 20)), size=9, va="bottom")
            years = _years(periods)
            axes.set_xticks(list(years), list(years.values()), ha="left" if len(periods) > 4 else "center")
            axes.set_xticks(range(len(periods)), minor=True)
            axes.tick_params(axis="x", labelsize=8.5)
        for axes in panels[len(labels) :]:
            axes.set_visible(False)
        panels[0].yaxis.set_major_formatter(PercentFormatter(1.0))
        key(figure, shown, styles, "".join(_SHAPES[groups.index(g) % len(_SHAPES)] for g in shown))
    return figure, " ".join(said)


def _years(periods: Sequence[str]) -> dict[int, str]:
    """Return where a tick says which year begins; every period where they are few or no quarters."""
    if len(periods) <= 4 or not all("Q" in period for period in periods):
        return {i: period.replace("Q", "\nQ") for i, period in enumerate(periods)}
    years = [period.partition("Q")[0] for period in periods]
    starts = {i: year for i, year in enumerate(years) if i and years[i - 1] != year}
    return starts if years.count(years[0]) < 3 else {0: years[0], **starts}


def _dated(axes: Axes, part: pd.DataFrame, place: list[int], style: dict[str, Any], shape: str) -> None:
    colour = str(style["color"])
    axes.plot(place, part["estimate"], marker=shape, markersize=4.5, **style)
    axes.fill_between(place, part["conf_low"], part["conf_high"], color=colour, alpha=0.12, linewidth=0)


def _trend_words(part: pd.DataFrame, label: str, group: str) -> list[str]:
    values = [
        words("alt.trend.value", share=percent(e), period=p)
        for p, e in zip(part["period"], part["estimate"], strict=True)
        if percent(e) != NOT_SHOWN
    ]
    return [words("alt.trend", label=label, group=group, values=", ".join(values))] if values else []
