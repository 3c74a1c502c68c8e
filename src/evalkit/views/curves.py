"""Curves: survival, and cumulative incidence by cause, quoted only on days on which enough people stand behind them."""

from __future__ import annotations

__all__ = ["Incidence", "Survival", "difference_table", "last_day", "lines_drawn"]

import dataclasses
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Literal

import pandas as pd
from matplotlib.figure import Figure

from evalkit.disclosure import Safe
from evalkit.views._curve_figures import curve_numbers, curves_figure, incidence_figure
from evalkit.views._gap import Gap
from evalkit.views._lines import Column, in_brackets, limits, number, text, written
from evalkit.views._said import capital, cause_in_words, common_day, share_of, shares_of, told_by, with_gap
from evalkit.views._tables import html_table
from evalkit.views._view import CurveText, View, joined
from evalkit.words import NOT_SHOWN, between, count, listed, percent, points, span, within, words

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
