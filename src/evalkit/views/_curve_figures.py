"""Figures of curves: lines with limits and names at their ends, and the numbers at risk below."""

from __future__ import annotations

__all__ = ["at_risk", "curve_numbers", "curves_figure", "incidence_figure", "ticks"]

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.disclosure import Safe
from evalkit.views._axes import share_axis
from evalkit.views._labels import name_ends
from evalkit.views._said import cause_in_words
from evalkit.views._view import CurveText
from evalkit.views.style import MUTED, NARROW, PHONE, TALL, WIDE, arm_style, draw_line, new_figure, themed
from evalkit.words import count, horizon, percent, translated, words, wrapped

# Days between ticks: months and years, as programmes speak of them, and not hundreds.
_STEPS = (30, 60, 91, 182, 365, 730)
_LIMITS = ["estimate", "conf_low", "conf_high"]


def ticks(horizon: float, most: int = 5) -> list[int]:
    """Return evenly spaced days up to a horizon, at lengths people know, with at most so many steps.

    Examples
    --------
    >>> ticks(365)
    [0, 91, 182, 273, 364]
    """
    whole = [s for s in _STEPS if horizon % s == 0 and 2 <= horizon / s < most]  # the last day is worth a tick
    step = next((s for s in whole or _STEPS if horizon / s < most), 365)
    return [int(day) for day in np.arange(0, horizon + 0.5, step)]


def curve_numbers(safe: Safe, groups: Sequence[str], horizon: float) -> pd.DataFrame:
    """Return what a figure of curves draws up to a day: the corners of its lines, and the numbers at risk below it.

    group (and cause), time, n_risk (only at the days where it is written), estimate and limits; groups that are not in
    the estimates are passed over.
    """
    rows = safe.estimates.tidy()
    keys = ["group", "cause"] if "cause" in rows else ["group"]
    named = [key for g in groups for key in dict.fromkeys(rows.loc[rows["group"] == g, keys].itertuples(index=False))]
    knots = {tuple(key): safe.knots(*key) for key in named}
    # Who may be drawn of no cause is no line of the figure, and has no row of numbers at risk either.
    drawn = {key[0] for key, own in knots.items() if len(own)}  # of a group, perhaps one cause only
    knots = {key: own for key, own in knots.items() if key[0] in drawn}
    # The axis ends with the last line, and each line on the last day that may be quoted (ADR 3).
    end = min(horizon, max(float(own["time"].iloc[-1]) for own in knots.values() if len(own)))
    written = ticks(end, 4 if "cause" in rows and len({*rows["cause"]}) > 1 else 5)
    read = safe.drawn(sorted({*written, end}))
    read["n_risk"] = read["n_risk"].where(read["time"].isin(written))
    parts = []
    for key, own in knots.items():
        names = dict(zip(keys, key, strict=True))
        between = own[(own["time"] < end) & ~own["time"].isin(written)].assign(**names)
        same = (read[keys] == list(key)).all(axis=1) & (read["estimate"].notna() | read["n_risk"].notna())
        parts.append(pd.concat([between, read[same]]).sort_values("time", kind="stable"))
    return pd.concat(parts, ignore_index=True)[[*keys, "time", "n_risk", *_LIMITS]]


def curves_figure(safe: Safe, groups: Sequence[str], horizon: float, text: CurveText) -> tuple[Figure, str]:
    """Draw safe survival curves up to a day, numbers at risk below; return the figure and its alternative text."""
    rows = safe.estimates.tidy()
    knots = {g: safe.knots(g) for g in groups if (rows["group"] == g).any()}
    shown = [g for g, own in knots.items() if len(own)]
    end = min(horizon, max(float(knots[g]["time"].iloc[-1]) for g in shown))
    days = ticks(end)
    risk = safe.drawn(days)
    figure = new_figure(1.75 + 0.17 * (len(shown) + 1), NARROW)
    with themed():
        axes = figure.add_subplot()
        last = {g: _curve(axes, knots[g], arm_style(groups)[g], end) for g in shown}
        axes.set(xlim=(0, end), xticks=days, ylabel=wrapped(text.y_label, TALL))
        share_axis(axes, "y", _heights(knots[g] for g in shown))
        axes.set_xlabel(text.x_label)
        at_risk(axes, risk, shown, days, arm_style(groups))
        name_ends([(axes, last)], arm_style(groups))
    return figure, _curves_alt(risk, shown, text)


def _heights(curves: Iterable[pd.DataFrame]) -> list[float]:
    """Return the shares and limits of several curves."""
    return [value for own in curves for value in own[_LIMITS].to_numpy(float).ravel()]


def _curve(axes: Axes, knots: pd.DataFrame, style: dict[str, object], horizon: float) -> tuple[float, float]:
    """Draw one curve as lines between the days on which it is known; return where it ends."""
    end = min(horizon, float(knots["time"].iloc[-1]))
    inside = knots[knots["time"] < end]
    # Between two corners a safe curve is a straight line, so this is its value, not a guess.
    at_end = {c: np.interp(end, knots["time"], knots[c]) for c in ("estimate", "conf_low", "conf_high")}
    path = pd.concat([inside, pd.DataFrame([{"time": end, **at_end}])], ignore_index=True)
    draw_line(axes, path, style)
    colour = str(style["color"])
    axes.fill_between(path["time"], path["conf_low"], path["conf_high"], color=colour, alpha=0.13, linewidth=0)
    return end, float(path["estimate"].iloc[-1])


def at_risk(
    axes: Axes, risk: pd.DataFrame, groups: Sequence[str], days: Sequence[int], styles: dict[str, dict[str, object]]
) -> None:
    """Write the numbers at risk under the axis, from the same rows as the curve: group, time, n_risk."""
    place = axes.get_xaxis_transform()
    rows: dict[str, Any] = {"xycoords": place, "textcoords": "offset points", "annotation_clip": False}
    heading: dict[str, Any] = {"ha": "left", "va": "center", "weight": "semibold", "size": 8.5}
    # Points below the axis, not shares of its height: figures of all heights keep the same lines of text.
    axes.annotate(words("figure.risk"), (0, 0), xytext=(-8, -41), **rows, **heading)
    for i, group in enumerate(groups, start=1):
        numbers = risk[risk["group"] == group].set_index("time")["n_risk"]
        below = -41 - 11.5 * i
        axes.annotate(
            translated(group), (1, 0), xycoords="axes fraction", xytext=(12, below), textcoords="offset points",
            ha="left", va="center", size=8.5, weight="semibold", color=str(styles[group]["color"]),
            annotation_clip=False,
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
            words("alt.day", share=percent(e), when=horizon(t))
            for t, e in zip(rows["time"], rows["estimate"], strict=True)
        ]
        # A curve without a told day is still named: whoever sees the figure sees it.
        key = "alt.curve" if said else "alt.curve.few"
        sentences.append(words(key, group=group, event=text.event, values=", ".join(said)))
    return " ".join(sentences)


def incidence_figure(
    safe: Safe, groups: Sequence[str], horizon: float, text: CurveText, *, narrow: bool = False
) -> tuple[Figure, str]:
    """Draw safe cumulative incidences up to a day, a panel for each cause, numbers at risk below; and the text.

    Of the words ``x_label`` is used, and ``y_label`` where there is one cause.
    """
    rows = safe.estimates.tidy()
    causes = list(dict.fromkeys(rows["cause"].astype(str)))
    knots = {(g, c): safe.knots(g, c) for g in groups if (rows["group"] == g).any() for c in causes}
    knots = {key: own for key, own in knots.items() if len(own)}
    shown = list(dict.fromkeys(group for group, _ in knots))
    end = min(horizon, max(float(own["time"].iloc[-1]) for own in knots.values()))
    days = ticks(end, 5 if len(causes) == 1 else 4)
    risk = safe.drawn(days)
    styles = arm_style(groups)
    down, across = (len(causes), 1) if narrow else (1, len(causes))
    width = NARROW if len(causes) == 1 else PHONE if narrow else WIDE
    figure = new_figure(1.8 * down + 0.17 * (len(shown) + 1), width)
    named: list[tuple[Axes, dict[str, tuple[float, float]]]] = []
    with themed():
        # One scale for all causes: panels side by side are compared whether they share an axis or not.
        panels = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
        for axes, cause in zip(panels, causes, strict=True):
            ends = {g: _rising(axes, knots[g, cause], styles[g], end) for g in shown if (g, cause) in knots}
            if not ends:
                # An empty panel would say that nothing happened.
                axes.text(0.5, 0.5, words("figure.not_shown"), transform=axes.transAxes, ha="center", color=MUTED)
            axes.set(xlim=(0, end), xticks=days, xlabel=text.x_label)
            title = cause_in_words(cause)
            if len(causes) > 1:
                axes.set_title(title[:1].upper() + title[1:], size=10.5)
            named.append((axes, ends))
        share_axis(panels[0], "y", _heights(own[own["time"] <= end] for own in knots.values()))
        panels[0].set_ylabel(wrapped(text.y_label, TALL) if len(causes) == 1 else "")
        # Once, of the first cause: whoever is at risk is at risk of all.
        at_risk(panels[-1 if narrow else 0], risk[risk["cause"] == causes[0]], shown, days, styles)
        name_ends(named, styles)
    return figure, _incidence_alt(risk, shown, causes)


def _rising(axes: Axes, knots: pd.DataFrame, style: dict[str, object], horizon: float) -> tuple[float, float]:
    path = knots[knots["time"] <= horizon]
    draw_line(axes, path, style)
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
                words("alt.day", share=percent(e), when=horizon(t))
                for t, e in zip(rows["time"], rows["estimate"], strict=True)
            ]
            key = "alt.curve" if values else "alt.curve.few"
            said.append(words(key, group=group, event=cause_in_words(cause), values=", ".join(values)))
    return " ".join(said)
