"""Shares at the end of each period, a panel for each measure."""

from __future__ import annotations

__all__ = ["ReferralCohorts", "Trend", "trend_figure"]

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.views._placing import key, share_axis
from evalkit.views.shares import Shares, wide
from evalkit.views.style import MUTED, PHONE, SHAPES, WIDE, arm_style, new_figure, themed
from evalkit.words import NOT_SHOWN, percent, within, words, wrapped

_MOST_YEARS = 5  # named below an axis: more would touch one another
_PLACES = {"share": "estimate", "low": "conf_low", "high": "conf_high"}


class Trend(Shares):
    """How shares came to be, quarter by quarter."""

    name = "trend"
    first = "End of"

    def figure(self) -> tuple[Figure, str]:
        """Draw a panel for each measure."""
        return trend_figure(self.rows, self.groups, narrow=self.look.narrow)

    def _table(self, note: str) -> str:
        rows = self.possible
        return wide(rows.assign(variable=rows["label"], label=rows["period"]), self.first, note, "variable")

    def _headline(self) -> str:
        ends = list(dict.fromkeys(self.rows["period"].astype(str)))[-1:]  # not the last one known: it may be older
        rows = self.rows[self.rows["group"].eq(self.groups[0]) & self.rows["variable"].isin(["engaged", "completed"])]
        # Not beside the share of a quarter ago: most people are in both, and who subtracts takes chance for a fall.
        now = rows[rows["n"].gt(0) & rows["period"].astype(str).isin(ends)].dropna(subset=[*_PLACES.values()])
        measures = [words("head.trend.one", label=str(row["label"]), **_with_limits(row)) for _, row in now.iterrows()]
        return words("head.trend", within=within(self.groups[0]), measures="; ".join(measures)) if measures else ""


class ReferralCohorts(Trend):
    """Shares of the people of each quarter of referral."""

    name = "referral_cohorts"
    first = "Referred in"

    def _headline(self) -> str:
        return ""  # the people of the last quarter have hardly begun


def _with_limits(row: pd.Series) -> dict[str, str]:
    return {place: percent(row[name]) for place, name in _PLACES.items()}


def trend_figure(rows: pd.DataFrame, groups: Sequence[str], *, narrow: bool = False) -> tuple[Figure, str]:
    """Draw shares at the end of each period, one panel for each measure; return it and its alternative text."""
    rows = rows.assign(estimate=rows["estimate"].where(rows["n"].gt(0)))
    periods = list(dict.fromkeys(rows["period"].astype(str)))
    labels = list(dict.fromkeys(rows["label"].astype(str)))
    styles = arm_style(groups)
    shown = [g for g in groups if rows.loc[rows["group"] == g, "estimate"].notna().any()]
    across = 1 if narrow else min(len(labels), 4)
    rows_of_panels = -(-len(labels) // across)
    figure = new_figure((1.35 if narrow else 1.85) * rows_of_panels + 0.3, PHONE if narrow else WIDE)
    said: list[str] = []
    with themed():
        panels = figure.subplots(rows_of_panels, across, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, label in zip(panels, labels, strict=False):
            own = rows[(rows["label"] == label)].dropna(subset=["estimate"])
            for group in shown:
                part = own[own["group"] == group]
                place = [periods.index(str(p)) for p in part["period"]]
                _dated(axes, part, place, styles[group], SHAPES[groups.index(group) % len(SHAPES)])
                said += _trend_words(part, label, group)
            if own.empty:
                # An empty panel would say that nothing happened.
                axes.text(0.5, 0.5, words("figure.not_shown"), transform=axes.transAxes, ha="center", color=MUTED)
            axes.set(xlim=(-0.4, len(periods) - 0.6), xlabel="", ylabel="")
            axes.set_title(wrapped(label, 44 if narrow else 20), size=9, va="bottom")
            years = _years(periods)
            axes.set_xticks(list(years), list(years.values()), ha="left" if len(periods) > 4 else "center")
            axes.set_xticks(range(len(periods)), minor=True)
            axes.tick_params(axis="x", labelsize=8.5)
        for axes in panels[len(labels) :]:
            axes.set_visible(False)
        share_axis(
            panels[0],
            "y",
            rows.loc[rows["estimate"].notna(), ["estimate", "conf_low", "conf_high"]].to_numpy(float).ravel(),
        )
        key(figure, shown, styles, "".join(SHAPES[groups.index(g) % len(SHAPES)] for g in shown))
    return figure, " ".join(said)


def _years(periods: Sequence[str]) -> dict[int, str]:
    """Return where a tick says which year begins; every period where they are few or no quarters."""
    if len(periods) <= 4 or not all("Q" in period for period in periods):
        return {i: period.replace("Q", "\nQ") for i, period in enumerate(periods)}
    years = [period.partition("Q")[0] for period in periods]
    starts = {i: year for i, year in enumerate(years) if i and years[i - 1] != year}
    # A first year of one or two quarters has no room for its number before the next.
    starts = starts if years.count(years[0]) < 3 else {0: years[0], **starts}
    # At least each: without a new year there is nothing to step over, and a step of 0 is an error.
    return dict(list(starts.items())[:: max(1, -(-len(starts) // _MOST_YEARS))])


def _dated(axes: Axes, part: pd.DataFrame, place: list[int], style: dict[str, Any], shape: str) -> None:
    colour = str(style["color"])
    axes.plot(place, part["estimate"], marker=shape, markersize=4.5, **style)
    axes.fill_between(place, part["conf_low"], part["conf_high"], color=colour, alpha=0.12, linewidth=0)
    if len(place) == 1:  # a band of one point has no width
        axes.vlines(place, part["conf_low"], part["conf_high"], color=colour)


def _trend_words(part: pd.DataFrame, label: str, group: str) -> list[str]:
    values = [
        words("alt.trend.value", share=percent(e), period=p)
        for p, e in zip(part["period"], part["estimate"], strict=True)
        if percent(e) != NOT_SHOWN
    ]
    return [words("alt.trend", label=label, group=group, values=", ".join(values))] if values else []
