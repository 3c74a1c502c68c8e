"""Curves: survival, and cumulative incidence by cause, quoted only on days on which enough people stand behind them.

Drawn with limits, names at the lines' ends, and the numbers at risk below.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.disclosure import Safe
from evalkit.views._phrases import Gap, capital, cause_in_words, common_day, share_of, shares_of, told_by, with_gap
from evalkit.views._placing import name_ends, share_axis
from evalkit.views._tables import Column, html_table, in_brackets, limits, number, text, written
from evalkit.views._view import CurveText, View, joined
from evalkit.views.style import MUTED, NARROW, PHONE, TALL, WIDE, arm_style, draw_line, new_figure, themed
from evalkit.words import (
    NOT_SHOWN,
    between,
    count,
    horizon,
    listed,
    percent,
    points,
    span,
    translated,
    within,
    words,
    wrapped,
)

__all__ = [
    "Incidence",
    "Survival",
    "at_risk",
    "curve_numbers",
    "curves_figure",
    "difference_table",
    "incidence_figure",
    "last_day",
    "lines_drawn",
    "ticks",
]


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


_PLAIN = CurveText("Share without the event", "Days", "without the event")
_AT_TIMES = (
    text("group", "Group"),
    Column("When", lambda row: capital(span(row["time"])), number=False),
    number("n_risk", "At risk", count),
    number("estimate", "Share", percent),
    limits("conf_low", "conf_high", share=True, digits=0),
)
_CAUSE = Column("Event", lambda row: capital(cause_in_words(str(row["cause"]))), number=False)


class Survival(View):
    """Shares without the event, falling from one."""

    name = "survival"
    has_figure = True
    contrast: ClassVar[Literal["curves", "counts", "shares"]] = "curves"
    columns: ClassVar[tuple[Column, ...]] = _AT_TIMES

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it may be quoted on any day."""
        return self.safe.landmark_rows().empty

    @cached_property
    def quoted(self) -> pd.DataFrame:
        """The landmarks that may be quoted, up to the look's horizon."""
        return self.safe.until(self.look.horizon).landmark_rows()

    @cached_property
    def with_events(self) -> tuple[Safe, list[str]]:
        """What is drawn, and the groups left out as nothing has happened yet: flat lines without limits look sure."""
        if self.rows.empty:
            return self.safe, []
        events = self.rows.groupby(self.rows["group"].astype(str), sort=False)["n_event"].sum()
        quiet = [str(group) for group, n in events.items() if not n]
        # Where nobody at all had an event the flat lines are the finding.
        if not quiet or len(quiet) == len(events):
            return self.safe, []
        left = self.safe.estimates.about(data=self.rows[~self.rows["group"].astype(str).isin(quiet)])
        return dataclasses.replace(self.safe, estimates=left), quiet

    def numbers(self) -> pd.DataFrame:
        """Return the landmarks that are quoted."""
        return self.safe.landmark_rows().drop(columns="std_error")

    def drawn_numbers(self) -> pd.DataFrame:
        """Return the corners of the lines, and the numbers at risk below them."""
        return curve_numbers(self.with_events[0], self.groups, self.look.horizon)

    def figure(self) -> tuple[Figure, str]:
        """Draw the curves with their limits and the numbers at risk."""
        return curves_figure(self.with_events[0], self.groups, self.look.horizon, self.look.words or _PLAIN)

    def _table(self, note: str) -> str:
        return written(self.safe.landmark_rows(), self.columns, joined(note, self.footnotes))

    def _sentence(self) -> str:
        rows = self.quoted
        day, said = _at_day(rows, self.groups)
        if not said:
            return words("curve.none")
        text = told_by("curve.day", day, shares=listed(said), event=self.event or _PLAIN.event)
        left = _unquoted(self.rows, self.groups, rows[rows["time"] == day])
        return with_gap(text, self.gaps.get(""), day, self.groups) + _not_given(list(map(within, left)))

    def _headline(self) -> str:
        day = common_day(self.quoted, self.groups)
        said = shares_of(self.quoted[self.quoted["time"] == day], self.groups)
        gap = self.gaps.get("")
        if not said:
            return ""
        # A difference of another day than the shares' would be read as theirs.
        if gap is None or gap.day != day:
            return told_by("head.curve.one", day, shares=said, event=self.event)
        return told_by("head.curve", day, shares=said, event=self.event, gap=self._told(gap))

    def _told(self, gap: Gap, cause: str = "") -> str:
        """Say a difference in a word or two: curves that are alike on an early day may part later."""
        last = last_day(self.safe.until(self.look.horizon), self.groups, cause)
        early = ".early" if gap.direction == "none" and gap.day < last else ""
        return words(f"gap.word.{gap.direction}{early}")

    def remarks(self) -> list[str]:
        """Return how curves are made, and which groups' lines are not drawn."""
        drawn, quiet = self.with_events
        left_out = {"quiet": list(map(within, quiet)), "undrawn": _undrawn(drawn)}
        said = [words(f"note.{why}", groups=listed(groups)) for why, groups in left_out.items() if groups]
        said += [self.footnotes] if self.footnotes else []
        return [words("note.curve", minimum=self.safe.policy.minimum_count), *said, *super().remarks()]


class Incidence(Survival):
    """Shares with the event, by cause."""

    name = "incidence"
    columns = (_CAUSE, *_AT_TIMES)

    def __post_init__(self) -> None:
        """Keep the only cause that is to be shown."""
        if self.look.words and self.look.words.cause:
            # Before anything is asked of the view: numbers, sentence and figure then speak of one cause alike.
            object.__setattr__(self, "safe", self.safe.of_cause(self.look.words.cause))

    @cached_property
    def with_events(self) -> tuple[Safe, list[str]]:
        """All of it: of several causes one may be quiet."""
        return self.safe, []

    def figure(self) -> tuple[Figure, str]:
        """Draw the curves, a panel for each cause, with the numbers at risk."""
        return incidence_figure(
            self.safe, self.groups, self.look.horizon, self.look.words or _PLAIN, narrow=self.look.narrow
        )

    def _sentence(self) -> str:
        parts: list[str] = []
        left: dict[str, list[str]] = {}
        for cause in dict.fromkeys(self.rows["cause"].astype(str)):
            # before the first event there is nothing to say
            own = self.quoted[(self.quoted["cause"] == cause) & self.quoted["estimate"].gt(0)]
            day, said = _at_day(own, self.groups)
            if said:
                text = told_by("cif.day", day, cause=cause_in_words(cause), shares=listed(said))
                parts.append(with_gap(text, self.gaps.get(cause), day, self.groups))
                left[cause] = _unquoted(self.rows[self.rows["cause"] == cause], self.groups, own[own["time"] == day])
        return " ".join(parts) + _unquoted_causes(left) or words("curve.none")

    def _headline(self) -> str:
        if self.quoted.empty:
            return ""
        cause = str(self.rows["cause"].iloc[0])
        own = self.quoted[self.quoted["cause"] == cause]
        day = common_day(own, self.groups)
        said = shares_of(own[own["time"] == day], self.groups)
        if not said:
            return ""
        gap, name = self.gaps.get(cause), cause_in_words(cause)
        if gap is None or gap.day != day:
            return told_by("head.cif.one", day, cause=name, shares=said)
        return told_by("head.cif", day, cause=name, shares=said, gap=self._told(gap, cause))


def last_day(safe: Safe, groups: Sequence[str], cause: str = "") -> float:
    """Return the last landmark that the curves of all groups shown reach, quoted or not; nan if there is none.

    Parameters
    ----------
    safe : Safe
    groups : sequence of str
    cause : str
        For incidences: of which cause.

    Returns
    -------
    float
    """
    rows = safe.at(safe.policy.landmarks)
    if cause:
        rows = rows[rows["cause"] == cause]
    # Quoted or not: whether a difference is early is a matter of how long people were followed.
    rows = rows[rows["estimate"].notna() & rows["n_risk"].ge(safe.policy.minimum_at_risk)]
    return common_day(rows, groups)


def _at_day(rows: pd.DataFrame, groups: Sequence[str]) -> tuple[float, list[str]]:
    day = common_day(rows, groups)
    own = {str(row["group"]): row for _, row in rows[rows["time"] == day].iterrows()}
    return day, [share_of(own[g], g, alone=len(own) == 1) for g in groups if g in own]


def _unquoted(rows: pd.DataFrame, groups: Sequence[str], told: pd.DataFrame) -> list[str]:
    """Return the groups with events of which nothing is quoted though their curve may be shown."""
    events = rows.groupby("group")["n_event"].sum()
    return [group for group in groups if events.get(group, 0) and not (told["group"] == group).any()]


def _not_given(named: Sequence[str]) -> str:
    """Say in which groups no share is given, and why."""
    return " " + words("curve.unquoted.few", groups=listed(list(named))) if named else ""


def _unquoted_causes(left: dict[str, list[str]]) -> str:
    """Say of whom nothing is quoted, with the cause where it is not so of all causes told."""
    first = next(iter(left.values()), [])
    whole = [group for group in first if all(group in groups for groups in left.values())]
    named = [
        words("curve.named", within=within(group), cause=cause_in_words(cause))
        for cause, groups in left.items()
        for group in groups
        if group not in whole
    ]
    return _not_given([*map(within, whole), *named])


def lines_drawn(safe: Safe) -> dict[tuple[str, str], bool]:
    """Say of each line of a figure of curves, (group, cause; '' of survival), whether any of it may be drawn."""
    rows = safe.estimates.tidy()
    groups = [str(g) for g in pd.unique(rows["group"])]
    causes = [str(c) for c in pd.unique(rows["cause"])] if "cause" in rows else [""]
    return {(group, cause): len(safe.knots(group, cause)) > 0 for group in groups for cause in causes}


def _undrawn(safe: Safe) -> list[str]:
    """Return the groups (of incidences with several causes: with the cause) of which no line may be drawn."""
    lines = lines_drawn(safe)
    several = len({cause for _, cause in lines}) > 1
    left = [line for line, is_drawn in lines.items() if not is_drawn]
    return [words("curve.named", within=within(g), cause=cause_in_words(c)) if several else within(g) for g, c in left]


def difference_table(curve: Safe, differences: Safe, groups: Sequence[str], note: str = "") -> str:
    """Write a curve's values at given days in both groups, with their difference.

    Parameters
    ----------
    curve : Safe
        Survival curves or cumulative incidences.
    differences : Safe
        Their differences: (cause,) time, estimate, conf_low, conf_high.
    groups : sequence of str
        The focus, the comparison.
    note : str
        A line below the table.

    Returns
    -------
    str
    """
    rows, gaps = curve.landmark_rows(), differences.estimates.tidy()
    told = rows[~rows["estimate"].isin([0.0, 1.0])]  # before the first event there is nothing to compare
    rows = told if len(told) else rows
    keys = ["cause", "time"] if "cause" in rows else ["time"]
    lines, parts = [], []
    for key, own in rows.sort_values("time", kind="stable").groupby(keys, sort=False):
        by_group = {str(row["group"]): row for _, row in own.iterrows()}
        gap: pd.DataFrame = gaps.loc[(gaps[keys] == list(key)).all(axis=1)]
        texts = {"day": capital(span(own["time"].iloc[0]))}
        for i, group in enumerate(groups):
            row = by_group.get(group)
            texts[f"c{i}"] = NOT_SHOWN if row is None else f"{percent(row['estimate'])}{in_brackets(row)}"
        texts["gap"] = next((told_points(row) for _, row in gap.iterrows()), NOT_SHOWN)
        lines.append(texts)
        parts.append(capital(cause_in_words(str(key[0]))) if "cause" in rows else "")
    frame = pd.DataFrame(lines, dtype=object).assign(part=parts)
    causes = dict.fromkeys(rows["cause"]) if "cause" in rows else []
    # Causes in the order of the analysis: sorted by day they would stand mixed.
    order = frame["part"].map({capital(cause_in_words(str(cause))): i for i, cause in enumerate(causes)})
    frame = frame.assign(order=order).sort_values("order", kind="stable").drop(columns="order")
    headings = {"day": "When", **{f"c{i}": f"{g} (95% CI)" for i, g in enumerate(groups)}}
    headings["gap"] = "Difference, points (95% CI)"
    # A share is printed in whole percent: who subtracts one from the other gets another difference.
    said = " ".join(part for part in (words("note.rounding") if len(gaps) else "", note) if part)
    return html_table(frame, headings, numbers=["gap"], note=said, groups="part" if "cause" in rows else None)


def told_points(row: pd.Series) -> str:
    """Write a difference of shares with its limits, in percentage points."""
    return f"{points(row['estimate'])} ({between(points(row['conf_low']), points(row['conf_high']))})"
