"""Means by week since the first session."""

from __future__ import annotations

__all__ = ["HoursByWeek", "Weeks"]

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.views._placing import name_ends
from evalkit.views._view import View
from evalkit.views.style import NARROW, TALL, arm_style, draw_line, new_figure, themed
from evalkit.words import decimal, translated, within, words, wrapped

_STEADY = 50
"""Of fewer people than this a mean by week is not told: it says more of few people, and of noise, than of a group."""


class Weeks(View):
    """Mean attended sessions in each week."""

    name = "weeks"
    has_figure = True
    heading: ClassVar[str] = "head.weeks"

    @property
    def is_empty(self) -> bool:
        """Whether no group has two weeks that may be shown."""
        known = self.rows[self.rows["estimate"].notna() & (self.rows["n"] > 0)]
        return bool(known.groupby("group").size().lt(2).all())

    def figure(self) -> tuple[Figure, str]:
        """Draw a line for each group."""
        return weeks_figure(self.rows, self.groups, self.look.x_label)

    def _headline(self) -> str:
        rows = self.rows.dropna(subset=["estimate"])
        group = next((g for g in self.groups if (rows["group"] == g).any()), "")
        own = rows[(rows["group"] == group) & (rows["n"] >= _STEADY)].sort_values("time_from")
        if own.empty:
            return ""
        weeks = [int(own["time_from"].iloc[i] // 7 + 1) for i in (0, -1)]
        first, last = (decimal(own["estimate"].iloc[i], 1) for i in (0, -1))
        key = self.heading if len(own) > 1 else f"{self.heading}.one"
        return words(key, within=within(group), first=first, last=last, from_week=weeks[0], to_week=weeks[1])

    def remarks(self) -> list[str]:
        """Return what the zigzag of small groups is."""
        return [words("note.weeks"), *super().remarks()]


class HoursByWeek(Weeks):
    """Mean attended hours in each week."""

    name = "hours_by_week"
    heading = "head.hours"


def weeks_figure(rows: pd.DataFrame, groups: Sequence[str], y_label: str) -> tuple[Figure, str]:
    """Draw means by week (time_from: its first day) with limits, a line per group; and the same in a sentence."""
    rows = rows.dropna(subset=["estimate"])
    figure = new_figure(1.75, NARROW)
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
        axes.set(
            xlabel=translated("Week since first attended session"),
            ylabel=wrapped(y_label, TALL),
            ylim=(0, top),
            xlim=(0, weeks.max()),
        )
        name_ends([(axes, last)], styles)
    return figure, " ".join(said)


def _run_of_weeks(axes: Axes, rows: pd.DataFrame, style: Mapping[str, Any]) -> None:
    """Draw means of weeks that follow one another; of one week alone a dot with its limits."""
    look = {**style, "marker": "o"} if len(rows) == 1 else style
    draw_line(axes, rows, look, x="week")
    days = rows["week"].to_numpy(dtype=float)
    if len(rows) == 1:
        axes.vlines(days, rows["conf_low"], rows["conf_high"], color=str(style["color"]), linewidth=1)
        return
    axes.fill_between(days, rows["conf_low"], rows["conf_high"], color=str(style["color"]), alpha=0.13, linewidth=0)
