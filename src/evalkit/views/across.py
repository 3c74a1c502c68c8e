"""Shares among the levels of several variables, side by side."""

from __future__ import annotations

__all__ = ["Across", "across_figure"]

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from typing import ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.levels import in_sentence
from evalkit.views._placing import beside, key, share_axis
from evalkit.views.shares import Shares, wide
from evalkit.views.style import MUTED, NARROW, PHONE, SHAPES, WIDE, arm_style, new_figure, themed
from evalkit.words import percent, translated, within, words, wrapped

_APART = 0.14  # inches between two groups of one level


_TEXT = 0.15  # inches of a line of text


_LIMITS = ["estimate", "conf_low", "conf_high"]


_SIZE = 7.5


class Across(Shares):
    """A share among people of each level."""

    name = "across"
    first = "People"
    said: ClassVar[str] = "engaged"
    """What the share is of: the end of its messages' keys."""

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows that may be shown, without the characteristics of which too little can be."""
        return without_one_sided(self.safe.estimates.tidy())

    @property
    def undrawable(self) -> bool:
        """Whether no level of any characteristic is shown."""
        if super().undrawable:
            return True
        levels = self.rows[self.rows["variable"] != self.rows["label"]]
        return bool(levels["estimate"].isna().all())

    @property
    def untold(self) -> bool:
        """Whether no level of any characteristic is shown: of everybody the sentence tells."""
        return self.undrawable

    def figure(self) -> tuple[Figure, str]:
        """Draw a block of dots for each variable."""
        return across_figure(self.rows, self.groups, self.look.x_label, narrow=self.look.narrow)

    def _table(self, note: str) -> str:
        return wide(self.possible, self.first, note, "variable")

    def _headline(self) -> str:
        own = self.rows[(self.rows["group"] == self.groups[0]) & (self.rows["variable"] != self.rows["label"])]
        known = own["estimate"].notna().groupby(own["variable"], sort=False)
        whole = own[own["variable"].isin(list(known.all()[lambda all_: all_].index))]  # of the hidden nothing is said
        ends = [found for _, one in whole.groupby("variable", sort=False) if (found := _ends(one))]
        where, what = within(self.groups[0]), words(f"across.{self.said}")
        if not ends:
            return words(f"head.across.hidden.{self.said}", within=where) if own["estimate"].isna().any() else ""
        # A clear difference first, then the largest: of many levels the extremes are far apart by chance alone.
        apart, _, low, high = max(ends, key=lambda end: end[:2])
        return words(
            "head.across.range" if apart else "head.across.same", within=where, what=what,
            name=str(low["variable"]).lower(), low=percent(low["estimate"]), low_label=str(low["label"]),
            high=percent(high["estimate"]), high_label=str(high["label"]),
        )  # fmt: skip


def without_one_sided(rows: pd.DataFrame) -> pd.DataFrame:
    """Show nothing of a characteristic where some levels are withheld and all others lie on one side of everybody.

    What is withheld would be read off as the other side, and those who can be shown, as the only ones who do worse
    (ADR 24). The first rows are of everybody; the numbers of such levels are missing.
    """
    if "variable" not in rows:  # of nobody there are no rows, and no columns of them
        return rows
    rows = rows.copy()
    everybody = rows[rows["variable"] == rows["label"]].groupby("group")["estimate"].first()
    # A level of nobody is not withheld: it must not hide the others.
    levels = rows[(rows["variable"] != rows["label"]) & (rows.get("n", rows["estimate"]) != 0)]
    numbers = list(rows.select_dtypes("number"))
    for (group, _), own in levels.groupby(["group", "variable"], sort=False):
        known = own["estimate"].dropna()
        apart = np.sign(known - everybody.get(group, np.nan))
        one_sided = own["estimate"].isna().any() and (apart.le(0).all() or apart.ge(0).all())
        everybody_again = len(own) == 1 and apart.eq(0).all()
        if one_sided or everybody_again:
            rows.loc[own.index, numbers] = np.nan
    return rows


class Waiting(Across):
    """Who waits no longer than some days, among levels."""

    name = "waiting"
    said = "waiting"


def _ends(rows: pd.DataFrame) -> tuple[bool, float, pd.Series, pd.Series] | None:
    """Return whether the levels of a characteristic differ clearly, by how much, and the lowest and highest."""
    ordered = rows.sort_values("estimate", kind="stable")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    size = float(high["estimate"] - low["estimate"])
    return None if np.isclose(size, 0) else (bool(high["conf_low"] > low["conf_high"]), size, low, high)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the figure: a heading, a level, or the levels of which nothing is shown."""

    text: str
    variable: str = ""
    level: str = ""
    height: float = _TEXT + 0.03
    bold: bool = False
    hidden: bool = False


def across_figure(
    rows: pd.DataFrame, groups: Sequence[str], x_label: str, *, narrow: bool = False
) -> tuple[Figure, str]:
    """Draw shares with intervals by levels, each variable under a heading; return the figure and its text."""
    shown = [g for g in groups if (rows["group"] == g).any()]
    blocks = [_block(own, len(shown)) for _, own in rows.groupby("variable", sort=False)]
    columns = _columns(blocks, 1 if narrow else 3)
    tall = max(_height(column) for column in columns)
    figure = new_figure(0.8 + tall, PHONE if narrow else NARROW if len(columns) == 1 else WIDE)
    styles = arm_style(groups)
    with themed():
        panels = figure.subplots(1, len(columns), squeeze=False)[0]
        for axes, lines in zip(panels, columns, strict=True):
            _column(axes, lines, rows, shown, [str(styles[g]["color"]) for g in shown])
            # In inches, so that a line is as high in each column, and the first is on top.
            axes.set_ylim(tall, 0)
            # Of all rows, not of the column's own: the same length is the same share in each.
            end = share_axis(axes, "x", rows[_LIMITS].to_numpy(float).ravel())
            # Three columns leave room for three ticks each: more numbers run into one another.
            if len(columns) > 2:
                axes.set_xticks([0, end / 2, end])
        figure.supxlabel(x_label, size=9.5)
        key(figure, shown, styles, SHAPES)
    return figure, _alt(rows, shown)


def _block(own: pd.DataFrame, groups: int) -> list[_Line]:
    """Give each level a line, below a line for the variable (not where both are called the same)."""
    variable = str(own["variable"].iloc[0])
    levels = list(dict.fromkeys(own["label"].astype(str)))
    if levels == [variable]:
        return [_Line(translated(variable), variable, variable, _APART * groups + 0.03, bold=True)]
    known = own[own["estimate"].notna()]["label"].astype(str)
    # Levels of which nothing is shown share a line: a line each would be mostly dashes.
    hidden = [level for level in levels if level not in set(known)]
    lines = [_Line(translated(variable), bold=True)]
    for level in levels:
        if level not in hidden:
            text = wrapped(level, 18)
            lines.append(_Line(text, variable, level, max(_APART * groups, _TEXT * (1 + text.count("\n"))) + 0.03))
    if hidden:
        text = wrapped(", ".join(map(translated, hidden)), 18)
        lines.append(_Line(text, variable, height=_TEXT * (1 + text.count("\n")) + 0.03, hidden=True))
    return lines


def _height(lines: Sequence[_Line]) -> float:
    return sum(line.height for line in lines)


def _columns(blocks: list[list[_Line]], most: int = 3, tall: float = 1.4) -> list[list[_Line]]:
    """Set blocks side by side, in their order, as evenly as can be; the first, of everybody, heads the next one."""
    if len(blocks) > 1 and len(blocks[0]) == 1:
        # A line of everybody alone would be a column of its own.
        blocks = [blocks[0] + blocks[1], *blocks[2:]]
    whole = sum(_height(block) for block in blocks)
    count = min(most, len(blocks), max(1, int(np.ceil(whole / tall))))
    # All ways to cut, since there are few blocks: filling one column after the other leaves the last one short.
    cuts = [(0, *cut, len(blocks)) for cut in combinations(range(1, len(blocks)), count - 1)]
    made = [[[line for block in blocks[a:b] for line in block] for a, b in pairwise(cut)] for cut in cuts]
    return min(made, key=lambda columns: max(_height(column) for column in columns))


def _column(
    axes: Axes, lines: Sequence[_Line], rows: pd.DataFrame, groups: Sequence[str], colours: Sequence[str]
) -> None:
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    ends = np.cumsum([line.height for line in lines])
    middles = ends - np.array([line.height for line in lines]) / 2
    everybody = rows[rows["variable"] == rows["variable"].iloc[0]].set_index("group")["estimate"]
    for i, (group, colour) in enumerate(zip(groups, colours, strict=True)):
        if np.isfinite(everybody.get(group, np.nan)):
            axes.axvline(float(everybody[group]), color=colour, linewidth=0.8, linestyle=(0, (2, 2)), zorder=0)
        own = rows[rows["group"] == group].set_index(["variable", "label"])
        for line, middle in zip(lines, middles, strict=True):
            if line.level and (line.variable, line.level) in own.index:
                height = middle + (i - (len(groups) - 1) / 2) * _APART
                _mark(axes, own.loc[[(line.variable, line.level)]].iloc[0], height, colour, SHAPES[i % 4])
    for line, middle in zip(lines, middles, strict=True):
        if line.hidden:
            _not_shown(axes, middle, MUTED)
    axes.set(xlabel="", yticks=list(middles), yticklabels=[line.text for line in lines])
    for label, line in zip(axes.get_yticklabels(), lines, strict=True):
        label.set(fontweight="semibold" if line.bold else "normal", fontsize=8.5, linespacing=0.95)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8.5)


def _mark(axes: Axes, row: pd.Series, height: float, colour: str, shape: str) -> None:
    if not np.isfinite(row["estimate"]):
        _not_shown(axes, height, colour)
        return
    axes.hlines(height, row["conf_low"], row["conf_high"], color=colour, linewidth=1.4)
    axes.plot(row["estimate"], height, shape, color=colour, markersize=4.5)
    beside(axes, row["estimate"], row["conf_high"], height, _SIZE)


def _not_shown(axes: Axes, height: float, colour: str) -> None:
    axes.text(0.01, height, words("figure.not_shown"), size=_SIZE, color=colour, va="center", style="italic")


def _alt(rows: pd.DataFrame, groups: Sequence[str]) -> str:
    said = []
    for group in groups:
        own = rows[(rows["group"] == group) & rows["estimate"].notna()]
        values = [
            words(
                "alt.value", label=in_sentence(str(one["label"]), str(one["variable"])), value=percent(one["estimate"])
            )
            for _, one in own.iterrows()
        ]
        if values:
            said.append(words("alt.values", group=group, values=", ".join(values)))
    return " ".join(said)
