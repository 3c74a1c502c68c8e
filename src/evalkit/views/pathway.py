"""What becomes of people: the share in each state by day, and the mean days spent in it."""

from __future__ import annotations

__all__ = ["FromState", "Pathway", "StateDays", "pathway_figure"]

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from evalkit.views._phrases import capital, common_day, shares_of, told_by
from evalkit.views._tables import html_table, in_days
from evalkit.views._view import View
from evalkit.views.style import INK, PHONE, WIDE, new_figure, themed
from evalkit.words import NOT_SHOWN, count, decimal, horizon, listed, percent, span, translated, within, words

OTHER = "other"
"""Several states with few people in each, together."""
_TOLD_UNTIL = 182  # days: on later ones few people are followed in a young study
_NAMED_FROM = 0.06  # a band that is thinner has no room for a word
_SIZE, _LETTER, _POINTS = 8.5, 4.6, 72.0  # points: of the letters, the width of one at most on average, and of an inch
_WHITE = "#ffffff"
_STATES: dict[str, tuple[str, str, str]] = {  # colour, hatch, colour of the letters: from the bottom
    "completed": ("#33572c", "", _WHITE),
    "active": ("#8fb573", "", INK),
    "returned": ("#cfe3bf", "///", INK),
    "waiting": ("#f0e8cf", "...", INK),
    "lapsed": ("#c7a6d4", "\\\\\\", INK),
    "left": ("#6b3f87", "xx", _WHITE),
}
_GREY = "#e6e9ec"
Floats = NDArray[np.float64]
Band = tuple[Floats, Floats, Floats]
"""An area's days, and its lower and upper edge on each."""


class Pathway(View):
    """The share in each state at the end of each day since referral."""

    name = "pathway"
    has_figure = True
    says: ClassVar[str] = "path.said"
    """Message that says a group's shares on a day."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody's state may be told of any day after the first."""
        return self.rows.empty or bool(self.rows.loc[self.rows["time"] > 0, "estimate"].isna().all())

    @property
    def undrawable(self) -> bool:
        """Whether no group is told of on two days: an area has two ends."""
        return self.drawn_numbers().empty

    @cached_property
    def at_landmarks(self) -> pd.DataFrame:
        """The rows of the days on which results are quoted."""
        return self.rows[self.rows["time"].gt(0) & self._quoted(self.rows["time"])].reset_index(drop=True)

    def _quoted(self, days: pd.Series) -> pd.Series:
        return days.isin([float(day) for day in self.safe.policy.landmarks])

    def numbers(self) -> pd.DataFrame:
        """Return the shares at the landmarks, with their limits."""
        return self.at_landmarks.drop(columns=["n_risk", "std_error"], errors="ignore")

    def drawn_numbers(self) -> pd.DataFrame:
        """Return the corners of the areas."""
        rows = self._until_horizon().dropna(subset=["estimate"])
        rows = rows[rows["group"].isin(_drawable(rows, self.groups))]
        return rows[["group", "state", "time", "estimate"]].reset_index(drop=True)

    def _until_horizon(self) -> pd.DataFrame:
        return self.rows[self.rows["time"] <= self.look.horizon]

    def figure(self) -> tuple[Figure, str]:
        """Draw stacked areas, a panel for each group."""
        return pathway_figure(self._until_horizon(), self.groups, narrow=self.look.narrow), self._alt()

    def _alt(self) -> str:
        rows, said = self.drawn_numbers(), []
        rows = rows[self._quoted(rows["time"])]
        for group in self.groups:
            own = rows[rows["group"] == group]
            if own.empty:
                continue
            last = own[own["time"] == own["time"].max()]
            values = [
                words("path.alt.one", state=words(f"state.{state}"), share=percent(value))
                for state, value in _in_order(last).items()
            ]
            said.append(words("path.alt", group=group, when=horizon(last["time"].iloc[0]), values=", ".join(values)))
        return " ".join(said)

    def _table(self, note: str) -> str:
        rows = self.at_landmarks
        states = [state for state in (*_STATES, OTHER) if (rows["state"] == state).any()]
        lines, parts = [], []
        for group in dict.fromkeys([*self.groups, *rows["group"].astype(str)]):
            for day, own in rows[rows["group"] == group].groupby("time"):
                shares = own.set_index("state")["estimate"]
                lines.append({"day": capital(span(float(str(day)))), **{s: percent(shares.get(s)) for s in states}})
                parts.append(group)
        headings = {"day": words("path.day"), **{state: words(f"state.head.{state}") for state in states}}
        frame = pd.DataFrame(lines, dtype=object).assign(part=parts)
        said = f"{words('path.note')} {note}".strip()
        return html_table(frame, headings, numbers=states, note=said, groups="part")

    def remarks(self) -> list[str]:
        """Return what the grey area is."""
        return [words("path.grey"), *super().remarks()]

    def _told(self) -> pd.DataFrame:
        """Return what is said: the last landmark up to half a year of which both groups' shares may be told."""
        rows = self.at_landmarks.dropna(subset=["estimate"])
        early = rows[rows["time"] <= _TOLD_UNTIL]
        rows = rows if early.empty else early
        return rows[rows["time"] == common_day(rows, self.groups)]

    def _sentence(self) -> str:
        rows = self._told()
        said = [self._of_group(rows[rows["group"] == group], group) for group in self.groups]
        without = [] if self.rows["state"].eq("left").any() else [words("path.no_exits")]
        both = [*said, words("path.completed"), *without]
        return " ".join(text for text in both if text) if any(said) else words("curve.none")

    def _of_group(self, rows: pd.DataFrame, group: str) -> str:
        values = [
            words(f"path.in.{state}", n=_of_hundred(share))
            for state, share in _in_order(rows).items()
            if state != OTHER and _of_hundred(share) != "0"
        ]
        return (
            words(self.says, within=within(group), when=horizon(rows["time"].iloc[0]), values=listed(values))
            if values
            else ""
        )

    def _headline(self) -> str:
        rows = self._told()
        # Staying first, which is what the report asks of; the others where it may not be told.
        for state in ("active", "left", "waiting"):
            own = rows[rows["state"] == state]
            if not own.empty:
                shares, day = shares_of(own, self.groups), float(own["time"].iloc[0])
                return told_by("head.path", day, shares=shares, state=words(f"state.{state}"))
        return ""


class FromState(Pathway):
    """The same of people who were in one state on an earlier day: single days, so nothing to draw."""

    name = "from_state"
    has_figure = False
    says = "path.from"


class StateDays(View):
    """Mean days spent in each state."""

    name = "state_days"

    def _table(self, note: str) -> str:
        groups = [group for group in self.groups if (self.rows["group"] == group).any()]
        lines = []
        for state in dict.fromkeys(self.rows["state"].astype(str)):
            own = {str(row["group"]): row for _, row in self.rows[self.rows["state"] == state].iterrows()}
            cells = {f"c{i}": in_days(own[group]) for i, group in enumerate(groups) if group in own}
            lines.append({"state": words(f"state.head.{state}"), **cells})
        headings = {"state": words("days.state"), **{f"c{i}": group for i, group in enumerate(groups)}}
        frame = pd.DataFrame(lines, dtype=object).fillna(NOT_SHOWN)
        said = f"{words('days.note', tau=count(self.rows['tau'].iloc[0]))} {note}".strip()
        return html_table(frame, headings, numbers=list(headings)[1:], note=said)

    def _sentence(self) -> str:
        said = []
        for group in self.groups:
            own = self.rows[self.rows["group"] == group].dropna(subset=["estimate"])
            values = [
                words("days.one", state=words(f"days.in.{row['state']}"), days=decimal(row["estimate"], 0),
                      low=decimal(row["conf_low"], 0), high=decimal(row["conf_high"], 0))
                for _, row in own.iterrows() if np.isfinite(row["conf_low"])
            ]  # fmt: skip
            if values:
                said.append(
                    words("days.said", within=within(group), tau=count(own["tau"].iloc[0]), values=listed(values))
                )
        return " ".join(said)


def _of_hundred(share: float) -> str:
    return decimal(100 * share, 0)


def _in_order(rows: pd.DataFrame) -> dict[str, float]:
    """Return the known shares by state, from the bottom of the figure."""
    known = rows.dropna(subset=["estimate"]).set_index("state")["estimate"]
    return {state: float(known[state]) for state in (*_STATES, OTHER) if state in known.index}


def _drawable(rows: pd.DataFrame, groups: Sequence[str]) -> list[str]:
    """Return the groups that are told of on two days or more."""
    days = rows.dropna(subset=["estimate"]).groupby("group", observed=True)["time"].nunique()
    return [group for group in groups if days.get(group, 0) > 1]


def _by_day(rows: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return the shares that are told of a group, days by states; days of which nothing is told left out."""
    own = rows[(rows["group"] == group) & (rows["state"] != OTHER)].dropna(subset=["estimate"])
    wide = own.pivot_table(index="time", columns="state", values="estimate", observed=True)
    # In the order of the areas, whatever order the counts came in: a state keeps its place in both panels.
    return wide.reindex(columns=[state for state in _STATES if state in wide])


def pathway_figure(rows: pd.DataFrame, groups: Sequence[str], *, narrow: bool = False) -> Figure:
    """Draw the share in each state by day as stacked areas, a panel for each group.

    What the areas leave to everybody is grey: people in states with few people, who are not told apart.
    """
    shown = _drawable(rows, groups)
    down, across = (len(shown), 1) if narrow else (1, len(shown))
    figure, named, drawn = new_figure(2.6 * down if narrow else 3.1, PHONE if narrow else WIDE), set(), set()
    with themed():
        panels = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
        for axes, group in zip(panels, shown, strict=True):
            end = float(rows["time"].max())
            bands = _areas(axes, _by_day(rows, group))
            drawn |= set(bands)
            named |= _named(axes, bands, end)
            axes.set(xlim=(0, end), ylim=(0, 1), title=translated(group), xlabel=words("path.x"))
            axes.set_xticks([day for day in (0, 90, 182, 270, 365, 547, 730) if day <= end])
            axes.grid(visible=False)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        for axes in panels[: None if narrow else 1]:
            axes.set_ylabel(words("path.y"))
        # Only what could not be named in its area: a legend of all makes readers match colours that they need not.
        rest = [state for state in (*_STATES, OTHER) if state in drawn - named]
        if rest:
            handles = [Patch(**_look(state), label=words(f"state.{state}")) for state in rest]
            figure.legend(
                handles=handles,
                loc="outside lower center",
                ncols=3 if narrow else len(rest),
                frameon=False,
                fontsize=8.5,
            )
    return figure


def _look(state: str) -> dict[str, Any]:
    colour, hatch, letters = _STATES.get(state, (_GREY, "", INK))
    return {
        "facecolor": colour,
        "hatch": hatch,
        "edgecolor": "#a08ab5" if letters == _WHITE else "#6d7680",
        "linewidth": 0,
    }


def _areas(axes: Axes, shares: pd.DataFrame) -> dict[str, Band]:
    """Draw a group's areas; return where those that are not empty begin and end."""
    days, low = shares.index.to_numpy(dtype=float), np.zeros(len(shares))
    known = shares.fillna(0.0)  # few people: their share is in the grey area
    areas = {str(state): known[state].to_numpy(dtype=float) for state in known}
    bands = {}
    for state, share in {**areas, OTHER: np.maximum(1 - known.sum(axis=1).to_numpy(dtype=float), 0)}.items():
        axes.fill_between(days, low, low + share, label=state, **_look(state))
        if share.max() > 0:
            bands[state] = days, low, low + share
        low = low + share
    return bands


def _named(axes: Axes, bands: dict[str, Band], end: float) -> set[str]:
    """Write the names of areas into them where there is room for the whole word."""
    across = axes.get_window_extent().width / axes.figure.dpi * _POINTS
    named = set()
    for state, band in bands.items():
        word = words(f"state.{state}")
        day, height, room = _roomiest(band, (len(word) + 2) * _LETTER / across * end, end)
        if room < _NAMED_FROM:
            continue
        letters = _STATES.get(state, ("", "", INK))[2]
        # Hatching runs through letters: a rim in the area's colour keeps them apart.
        around = withStroke(linewidth=2.2, foreground=_look(state)["facecolor"])
        axes.text(day, height, word, ha="center", va="center", size=_SIZE, color=letters, path_effects=[around])
        named.add(state)
    return named


def _roomiest(band: Band, width: float, end: float) -> tuple[float, float, float]:
    """Return where an area has most room for a word so wide: the day and height of its middle, and how much room."""
    days, low, high = band
    grid = np.linspace(0, end, 200)
    floor, roof = (np.interp(grid, days, edge, left=np.nan, right=np.nan) for edge in (low, high))
    found = (0.0, 0.0, 0.0)
    for middle in grid[(grid >= width / 2) & (grid <= end - width / 2)]:
        under = np.abs(grid - middle) <= width / 2
        # The word's whole width has to lie within: the highest floor and the lowest roof under it decide.
        bottom, top = floor[under].max(), roof[under].min()
        if top - bottom > found[2]:
            found = (float(middle), float(bottom + top) / 2, float(top - bottom))
    return found
