"""Amounts of one's own: means and rates by group, in their own units."""

from __future__ import annotations

__all__ = ["Amounts", "amounts_figure"]

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from evalkit.views._phrases import capital
from evalkit.views._placing import key
from evalkit.views._tables import html_table
from evalkit.views._view import View
from evalkit.views.style import INK, PHONE, SHAPES, WIDE, arm_style, new_figure, themed
from evalkit.words import NOT_SHOWN, count, decimal, interval, listed, numbered, translated, within, words, wrapped


class Amounts(View):
    """Means or rates: dots with their limits, a line for each label and a column for each group."""

    name = "amounts"
    has_figure = True

    @property
    def digits(self) -> int:
        """Decimals: three figures of the largest value, and none of hundreds."""
        largest = float(self.rows["estimate"].abs().max())
        return 0 if not np.isfinite(largest) or largest >= 100 else 1 if largest >= 10 else 2

    def figure(self) -> tuple[Figure, str]:
        """Draw dots with their intervals."""
        # An author's own label; the default "Share" would be wrong of an amount.
        label = self.look.x_label if self.look.x_label != translated("Share") else self._what
        return amounts_figure(self.rows, self.groups, label, self.digits, narrow=self.look.narrow)

    @property
    def _what(self) -> str:
        """What the values are, as an axis says it."""
        return capital(translated(self.safe.estimates.estimand))

    def _table(self, note: str) -> str:
        groups = [g for g in self.groups if (self.rows["group"] == g).any()]
        lines = []
        for label, own in self.rows.groupby("label", sort=False):
            by_group = {str(row["group"]): row for _, row in own.iterrows()}
            lines.append({"label": str(label), **{f"c{i}": self._cell(by_group.get(g)) for i, g in enumerate(groups)}})
        headings = {"label": "Measure"} | {f"c{i}": "All" if g == "all" else g for i, g in enumerate(groups)}
        return html_table(pd.DataFrame(lines, dtype=object), headings, numbers=[], note=f"{self._what}. {note}".strip())

    def _cell(self, row: pd.Series | None) -> str:
        if row is None or not np.isfinite(row["estimate"]):
            return NOT_SHOWN
        limits = f" ({self._limits(row)})" if np.isfinite(row["conf_low"]) else ""
        return f"{decimal(row['estimate'], self.digits)}{limits}; n\u00a0{count(row['n'])}"

    def _limits(self, row: pd.Series) -> str:
        return interval(row["conf_low"], row["conf_high"], share=False, digits=self.digits)

    def _sentence(self) -> str:
        rows, said = self.rows.dropna(subset=["estimate"]), []
        for label in dict.fromkeys(rows["label"].astype(str)):
            own = {str(row["group"]): row for _, row in rows[rows["label"] == label].iterrows()}
            values = [self._said(own[g], g) for g in self.groups if g in own]
            if values:
                said.append(words("each", label=label, shares=listed(values)))
        return f"{self._what}. {' '.join(said)}" if said else ""

    def _said(self, row: pd.Series, group: str) -> str:
        named = ("amount.alone", "amount.limits")
        alone, limited = ("amount.all.alone", "amount.all.limits") if group == "all" else named
        told = {"value": decimal(row["estimate"], self.digits), "people": numbered("people", row["n"])}
        told |= {} if group == "all" else {"within": within(group)}
        if not np.isfinite(row["conf_low"]):
            return words(alone, **told)
        return words(limited, limits=self._limits(row), **told)


def _called(group: str) -> str:
    return "All" if group == "all" else group


def amounts_figure(
    rows: pd.DataFrame, groups: Sequence[str], x_label: str, digits: int, *, narrow: bool = False
) -> tuple[Figure, str]:
    """Draw amounts as dots with their intervals, `digits` decimals beside each; return the figure and its text."""
    rows = rows.dropna(subset=["estimate"])
    labels = list(dict.fromkeys(rows["label"].astype(str)))
    shown = [g for g in groups if (rows["group"] == g).any()]
    styles, place = arm_style(groups), {label: i for i, label in enumerate(labels)}
    named = [wrapped(label, 18 if narrow else 30) for label in labels]
    figure = new_figure(0.9 + len(labels) * max(0.2 * len(shown), 0.28), PHONE if narrow else WIDE)
    with themed():
        axes = figure.add_subplot()
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        for i, group in enumerate(shown):
            own = rows[rows["group"] == group]
            at = own["label"].map(place).to_numpy(dtype=float) + (i - (len(shown) - 1) / 2) * 0.7 / len(shown)
            colour = str(styles[group]["color"])
            axes.hlines(at, own["conf_low"], own["conf_high"], color=colour, linewidth=1.6)
            axes.plot(own["estimate"], at, SHAPES[groups.index(group) % 4], color=colour, markersize=5.5)
            # Where an amount has no limits its dot is the end.
            ends = own[["estimate", "conf_high"]].max(axis=1)
            for value, end, height in zip(own["estimate"], ends, at, strict=True):
                axes.annotate(
                    decimal(value, digits), (end, height), xytext=(5, 0), textcoords="offset points", va="center",
                    size=8.5, color=INK, annotation_clip=False,
                )  # fmt: skip
        axes.set(yticks=range(len(labels)), yticklabels=named)
        axes.set_xlabel(wrapped(x_label, 32 if narrow else 52))
        axes.set_ylim(len(labels) - 0.5, -0.5)
        # From 0: on an axis that begins elsewhere a small difference looks like a multiple.
        axes.set_xlim(left=min(0.0, float(rows[["estimate", "conf_low"]].min().min())))
        axes.tick_params(axis="y", length=0)
        if len(shown) > 1:
            key(figure, shown, styles, "".join(SHAPES[groups.index(g) % len(SHAPES)] for g in shown))
    return figure, _alt(rows, shown, digits)


def _alt(rows: pd.DataFrame, groups: Sequence[str], digits: int) -> str:
    said = []
    for group in groups:
        own = rows[rows["group"] == group]
        values = [
            words("alt.value", label=str(label), value=decimal(value, digits))
            for label, value in zip(own["label"], own["estimate"], strict=True)
        ]
        said.append(words("alt.values", group=_called(group), values=", ".join(values)))
    return " ".join(said)
