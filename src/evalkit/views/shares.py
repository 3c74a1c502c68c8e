"""Shares of people: a line for each measure, a column for each group."""

from __future__ import annotations

__all__ = [
    "Completeness",
    "DoseDistribution",
    "DoseReached",
    "Funnel",
    "LongestGap",
    "LostToFollowUp",
    "OfMethod",
    "Plainly",
    "Returns",
    "Shares",
    "dots_figure",
    "wide",
]

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.views._phrases import each_label, first_label
from evalkit.views._placing import beside, key, name_dots, share_axis
from evalkit.views._tables import html_table, in_brackets, limits, number, text, written
from evalkit.views._view import View
from evalkit.views.style import MUTED, NARROW, SHAPES, arm_style, new_figure, themed
from evalkit.words import NOT_SHOWN, count, listed, percent, translated, words, wrapped

_LIMITS = ["estimate", "conf_low", "conf_high"]


class Shares(View):
    """Shares with their limits."""

    name = "shares"
    has_figure = True
    first: ClassVar[str] = "Measure"
    """What the first column of the table says."""

    @property
    def is_empty(self) -> bool:
        """Whether there is no share of anybody."""
        return self.rows[self.rows["estimate"].notna() & (self.rows["n"] > 0)].empty

    @property
    def uncertain(self) -> pd.DataFrame:
        """The shares that were estimated: not the start of a funnel, which is everybody by definition."""
        rows = self._labelled()
        return rows[rows["conf_low"] != rows["conf_high"]]

    @property
    def undrawable(self) -> bool:
        """Whether nothing that may be shown was estimated."""
        return self.uncertain.empty

    def figure(self) -> tuple[Figure, str]:
        """Draw dots with their intervals."""
        return dots_figure(self.uncertain, self.groups, self.look.x_label)

    @property
    def possible(self) -> pd.DataFrame:
        """The rows without those whose time is over for nobody."""
        return self.rows[self.rows["n"] != 0]

    def _table(self, note: str) -> str:
        return wide(self.possible, self.first, note)

    def _labelled(self) -> pd.DataFrame:
        rows = self.rows.dropna(subset=["estimate"])
        return rows.assign(label=rows["term"]) if "label" not in rows and "term" in rows else rows

    def _sentence(self) -> str:
        return each_label(self._labelled(), self.groups, self.gaps)

    def _headline(self) -> str:
        rows = self._labelled()
        return first_label(rows[rows["label"] == rows["label"].iloc[0]], self.groups) if len(rows) else ""


class Plainly(Shares):
    """Shares in a long table: a line for each measure and group."""

    name = "proportion"

    def _table(self, note: str) -> str:
        rows = self.rows if "label" in self.rows else self.rows.assign(label=self.rows["term"])
        return written(rows, _LONG, note)


_LONG = (
    text("label", "Measure"),
    text("group", "Group"),
    number("n_event", "People", count),
    number("n", "Out of", count),
    number("estimate", "Share", percent),
    limits("conf_low", "conf_high", share=True, digits=0),
)


class Funnel(Shares):
    """Steps from referral to completion."""

    name = "funnel"
    first = "Step"

    def _sentence(self) -> str:
        rows = self.rows.dropna(subset=["estimate"])
        # The steps that page one speaks of; the figure and the table have all.
        told = rows[rows["term"].isin(["engaged", "completed"])]
        if told.empty:  # of few people the steps before may be all that is shown
            told = rows[(rows["n"] > 0) & (rows["term"] != "referred")]
        return each_label(told, self.groups, self.gaps) if len(told) else words("funnel.none")

    def _headline(self) -> str:
        rows = self.rows.dropna(subset=["estimate"])
        rows = rows[(rows["n"] > 0) & (rows["term"] != "referred")]
        # The last step that somebody could have reached: of young studies completing has no denominator yet.
        last = [term for term in ("engaged", "completed") if (rows["term"] == term).any()]
        return first_label(rows[rows["term"] == last[-1]], self.groups) if last else ""


class OfMethod(Plainly):
    """Shares of a method's diagnostics: whether the groups differ in them is no finding."""

    name = "of_method"

    def absent(self, *, recorded: bool = True) -> str:
        """Return the sentence that says why nothing is shown, and of what: no caption names it."""
        rows, why = self.safe.estimates.tidy(), super().absent(recorded=recorded)
        return why if rows.empty else f"{translated(str(rows['label'].iloc[0]))}. {why}"

    def _sentence(self) -> str:
        return each_label(self._labelled(), self.groups, {})


class AttendanceRate(Shares):
    """Attended sessions of those that could have been."""

    name = "attendance_rate"
    untitled = "named.attendance_rate"


class DoseReached(Shares):
    """Mean share of the full dose."""

    name = "dose_reached"
    first = "Dose"
    untitled = "named.dose_reached"


class Returns(Shares):
    """Who came back."""

    name = "returns"
    first = "Return"
    untitled = "named.returns"


class DoseDistribution(Shares):
    """How many sessions were attended."""

    name = "dose_distribution"
    first = "Sessions attended"


class LongestGap(Shares):
    """The longest time without a session."""

    name = "longest_gap"
    first = "Longest gap"


class LostToFollowUp(Shares):
    """Whose follow-up ended early."""

    name = "lost_to_follow_up"
    first = "What ended early"


class Completeness(Shares):
    """Who has a value, by field; fields that everybody has are named below the table."""

    name = "completeness"
    first = "Field"

    def _table(self, note: str) -> str:
        rows, said = _incomplete(self.possible, note)
        return wide(rows, self.first, said)


def _incomplete(rows: pd.DataFrame, note: str) -> tuple[pd.DataFrame, str]:
    """Leave out fields that everybody has, and name them in the note."""
    whole = rows.groupby("label", sort=False)["estimate"].transform("min").eq(1) & rows["estimate"].notna()
    # A field that is hidden in one group must not be called complete because the other has it whole.
    whole &= ~rows.groupby("label", sort=False)["estimate"].transform(lambda values: values.isna().any())
    names = list(dict.fromkeys(rows.loc[whole, "label"]))
    said = words("table.complete", fields=listed(names)) if names else ""
    return (rows if whole.all() else rows[~whole]), " ".join(text for text in (said, note) if text)


def wide(rows: pd.DataFrame, first: str, note: str, part: str = "") -> str:
    """Write one line for each label (headings of column `part` above them), one column for each group, a line below."""
    groups = list(dict.fromkeys(rows["group"].astype(str)))
    lines, parts = [], []
    for (head, label), own in rows.groupby([part or "label", "label"], sort=False):
        by_group = {str(row["group"]): row for _, row in own.iterrows()}
        texts = {"label": str(label)}
        for i, group in enumerate(groups):
            row = by_group.get(group)
            texts[f"c{i}"] = _cell(row)
        lines.append(texts)
        parts.append(str(head))
    headings = {"label": first}
    for i, group in enumerate(groups):
        headings[f"c{i}"] = "All" if group == "all" else group
    frame = pd.DataFrame(lines, dtype=object)
    frame = frame.assign(part=parts) if part else frame
    return html_table(frame, headings, note=note, groups="part" if part else None)


def _cell(row: pd.Series | None) -> str:
    """Write a share with its limits, and of how many people."""
    if row is None or not np.isfinite(row["estimate"]):
        return NOT_SHOWN
    limits = in_brackets(row)
    if "n_event" in row:
        return f"{percent(row['estimate'])}{limits}; {words('cell.of', x=count(row['n_event']), n=count(row['n']))}"
    return f"{percent(row['estimate'])}{limits}; n\u00a0{count(row['n'])}"


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
    # As high as its lines need: all lines are as far apart in a figure of two as in one of ten.
    figure = new_figure(0.55 + sum(lines), NARROW)
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
            _dots(axes, own, at, str(styles[group]["color"]), SHAPES[groups.index(group) % 4])
            if at:
                first[group] = (float(own["conf_low"].iloc[0]), at[0])
        if marks is not None:
            _published(axes, marks, list(heights[len(labels) :]))
        axes.set(yticks=heights, yticklabels=names, xlabel=x_label)
        share_axis(axes, "x", pd.concat([rows, *([] if marks is None else [marks])])[_LIMITS].to_numpy(float).ravel())
        axes.set_ylim(sum(lines) + 0.02, -0.04)
        axes.tick_params(axis="y", length=0)
        # Only now is it known that names have no room: the key above needs some of its own.
        if not name_dots(figure, axes, first, styles):
            figure.set_figheight(figure.get_figheight() + 0.2)
            key(figure, shown, styles, "".join(SHAPES[groups.index(g) % len(SHAPES)] for g in shown))
    return figure, _dots_alt(rows, shown, labels, marks)


def _wrapped(text: str) -> str:
    return wrapped(text, 38)


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
