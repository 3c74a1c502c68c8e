"""Whether the groups can be compared: balance, overlap, and what the diagnostics allow to be said."""

from __future__ import annotations

__all__ = ["Balance", "Gate", "Preference", "love_figure", "overlap_figure"]

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.views._phrases import relation
from evalkit.views._tables import number, text, written
from evalkit.views._view import View
from evalkit.views.style import COMPARISON, FOCUS, INK, MUTED, NARROW, new_figure, themed
from evalkit.words import count, decimal, percent, translated, within, words

_COLUMNS = (
    text("label", "Characteristic"),
    number("smd", "Before weighting", decimal),
    number("smd_weighted", "After weighting", decimal),
    number("variance_ratio", "Variance ratio before", decimal),
    number("variance_ratio_weighted", "Variance ratio after", decimal),
)


class Balance(View):
    """Standardised mean differences before and after weighting."""

    name = "balance"
    has_figure = True
    whom = True

    @property
    def is_empty(self) -> bool:
        """Whether no difference may be shown."""
        return bool(self.rows["smd"].isna().all())

    def drawn_numbers(self) -> pd.DataFrame:
        """Return the levels that have both differences."""
        return self.numbers().dropna(subset=["smd", "smd_weighted"])

    def figure(self) -> tuple[Figure, str]:
        """Draw a love plot."""
        return love_figure(self.rows)

    def _table(self, note: str) -> str:
        return written(self.rows, _COLUMNS, f"{words('note.balance')} {note}".strip())

    def _sentence(self) -> str:
        return words("balance.said", what=self._headline())

    def _headline(self) -> str:
        # The worst of all levels: a mean of differences hides the one that fails.
        before, after = (decimal(self.rows[name].abs().max()) for name in ("smd", "smd_weighted"))
        return words("head.balance", before=before, after=after)

    def remarks(self) -> list[str]:
        """Return of which numbers the differences before weighting are."""
        return [words("note.balance"), *super().remarks()]


class Preference(View):
    """Preference scores of both groups."""

    name = "preference"
    has_figure = True
    squeezes = False  # on a narrower picture its names and the band's would lie on one another

    @property
    def undrawable(self) -> bool:
        """Whether one half of the mirror is missing, or all scores are one class: it compares nothing."""
        known = self.rows.dropna(subset=["estimate", "score_from"])
        return known["group"].nunique() < 2 or known["score_from"].nunique() < 2

    def _why(self) -> str:
        return words(
            "absent.small", minimum=self.safe.policy.minimum_count
        )  # so few that classes were joined or hidden

    def figure(self) -> tuple[Figure, str]:
        """Draw a mirrored histogram."""
        facts = self.safe.estimates.summary
        return overlap_figure(self.rows, self.groups, (float(facts["score_from"]), float(facts["score_to"])))


class Gate(View):
    """Diagnostics, each with what it changes in what may be said."""

    name = "gate"
    untitled = "named.gate"

    def _sentence(self) -> str:
        names = {"balance": "balance", "equipoise": "equipoise", "effective sample size": "sample"}
        names["proportional hazards"] = "hazards"
        facts = self.safe.estimates.summary
        own, others = (count(facts.get(f"n_effective_{name}")) for name in ("focus", "comparison"))
        sample = {"within": within(self.groups[0]), "own": own, "other": within(self.groups[-1]), "others": others}
        parts = []
        for _, row in self.rows.iterrows():
            name = names.get(str(row["term"]))
            if name is None or row["verdict"] == "unknown":
                parts.append(words("gate.unknown"))
                continue
            # Only levels of too few people fail: which, and by how much, would tell of them (ADR 12).
            if name == "balance" and np.isnan(row["estimate"]):
                parts.append(words("gate.balance.hidden"))
                continue
            value, limit = decimal(row["estimate"]), decimal(row["baseline"], 1)
            if name == "equipoise":
                value, limit = percent(row["estimate"]), percent(row["baseline"])
            elif name == "hazards":
                value = relation(row["estimate"])
            elif name == "sample":
                limit = count(row["baseline"])
            parts.append(words(f"gate.{name}.{row['verdict']}", value=value, limit=limit, **sample))
        weighted = (self.rows["term"] != "proportional hazards").any()
        return " ".join([*parts, words("gate.measured")] if weighted else parts)


def love_figure(rows: pd.DataFrame, limit: float = 0.1) -> tuple[Figure, str]:
    """Draw standardised differences before and after weighting (a love plot); up to `limit` either way is balanced."""
    rows = rows.dropna(subset=["smd", "smd_weighted"])
    figure = new_figure(0.75 + 0.22 * len(rows), NARROW)
    said: list[str] = []
    with themed():
        axes = figure.add_subplot()
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        axes.axvspan(-limit, limit, color=FOCUS, alpha=0.08, linewidth=0)
        axes.axvline(0, color=INK, linewidth=0.9)
        for place, (_, row) in enumerate(rows.iterrows()):
            axes.plot([row["smd"], row["smd_weighted"]], [place, place], color="#c9d1d8", linewidth=1, zorder=1)
            axes.plot(row["smd"], place, "s", markerfacecolor="white", markeredgecolor=COMPARISON, markersize=6)
            axes.plot(row["smd_weighted"], place, "o", color=FOCUS, markersize=6)
            said.append(
                words("balance.row", label=row["label"], before=decimal(row["smd"]), after=decimal(row["smd_weighted"]))
            )
        _named(axes)
        axes.set(
            yticks=range(len(rows)), yticklabels=list(map(translated, rows["label"])), xlabel=words("balance.axis")
        )
        # A line's room above the first row, for the names of the two marks.
        axes.set_ylim(len(rows) - 0.5, -1.1)
        axes.tick_params(axis="y", length=0)
    return figure, " ".join(said)


def _named(axes: Axes) -> None:
    """Name both marks above the first line, in their colours."""
    axes.annotate(
        words("balance.before"), (0.02, 0.985), xycoords="axes fraction", color=COMPARISON, weight="semibold", size=8,
        va="top",
    )  # fmt: skip
    axes.annotate(
        words("balance.after"), (0.98, 0.985), xycoords="axes fraction", color=FOCUS, weight="semibold", size=8,
        va="top", ha="right",
    )  # fmt: skip


def overlap_figure(rows: pd.DataFrame, groups: Sequence[str], band: tuple[float, float]) -> tuple[Figure, str]:
    """Draw the preference scores of both groups, the focus above and the other below: area is share of the group.

    `band` is the range of scores that is shaded.
    """
    rows = rows.dropna(subset=["estimate", "score_from"])
    figure, said = new_figure(2.5, NARROW), []
    with themed():
        axes = figure.add_subplot()
        axes.axvspan(*band, color=MUTED, alpha=0.1, linewidth=0)
        axes.axhline(0, color=INK, linewidth=0.9)
        # Height is share by width: joined classes are wider, and by height alone would look larger than they are.
        heights = rows["estimate"] / (rows["score_to"] - rows["score_from"])
        # Room above the highest bar for its number, and for the group's name at the side.
        top = 1.45 * float(heights.max())
        for group, side, colour in zip(groups, (1, -1), (FOCUS, COMPARISON), strict=False):
            own = rows[rows["group"] == group].sort_values("score_from")
            width = own["score_to"] - own["score_from"]
            axes.bar(
                own["score_from"], side * own["estimate"] / width, width, align="edge", color=colour, alpha=0.75,
                edgecolor="white", linewidth=1.2,
            )  # fmt: skip
            axes.annotate(
                translated(group), (0.01, 0.97 if side > 0 else 0.03), xycoords="axes fraction", color=colour,
                weight="semibold", size=9.5, va="top" if side > 0 else "bottom",
            )  # fmt: skip
            _shares(axes, own, side, top)
            said.append(words("pref.alt", group=group, values=", ".join(_classes(axes, own, side, top))))
        axes.annotate(
            words("pref.band"), (sum(band) / 2, 0.99), xycoords=("data", "axes fraction"), ha="center", va="top",
            size=8.5, color=MUTED,
        )  # fmt: skip
        axes.set(xlim=(0, 1), ylim=(-top, top), xlabel=words("pref.axis"), yticks=[], ylabel=words("pref.share"))
        axes.set_xticks(np.linspace(0, 1, 11))
        axes.grid(visible=False)
        axes.spines["left"].set_visible(False)
    return figure, " ".join(said)


def _classes(axes: Axes, own: pd.DataFrame, side: int, top: float) -> list[str]:
    """Say each class in words; in the figure, say of those that are missing that they are not shown: they are not 0."""
    shown = list(zip(own["score_from"], own["score_to"], own["estimate"], strict=True))
    starts, ends = [*own["score_from"], 1.0], [0.0, *own["score_to"]]
    # A class that is left out is in no row: it is what lies between the ends of those that are.
    missing = [(low, high, np.nan) for low, high in zip(ends, starts, strict=True) if high - low > 1e-9]
    values = []
    for low, high, share in sorted([*shown, *missing]):
        limits = {"low": decimal(low, 1), "high": decimal(high, 1)}
        if np.isnan(share):
            axes.annotate(
                words("figure.not_shown"), ((low + high) / 2, side * 0.03 * top), ha="center", size=8, color=MUTED,
                va="bottom" if side > 0 else "top", style="italic", rotation=90 if high - low < 0.15 else 0,
            )  # fmt: skip
        said = {"share": words("figure.not_shown") if np.isnan(share) else percent(share)}
        values.append(words("pref.value", **said, **limits))
    return values


def _shares(axes: Axes, own: pd.DataFrame, side: int, top: float) -> None:
    for _, row in own.iterrows():
        if row["estimate"] > 0:
            width = row["score_to"] - row["score_from"]
            at = side * (row["estimate"] / width + 0.015 * top)
            centre = row["score_from"] + width / 2
            axes.annotate(
                percent(row["estimate"]),
                (centre, at),
                ha="center",
                va="bottom" if side > 0 else "top",
                size=8,
                color=INK,
            )
