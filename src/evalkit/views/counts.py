"""Mean numbers of events, and what the events seen could have detected."""

from __future__ import annotations

__all__ = ["MeanCount", "Precision", "common_count_day", "counts_figure"]

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evalkit.views._phrases import capital, told_by
from evalkit.views._placing import name_ends
from evalkit.views._tables import html_table
from evalkit.views._view import View
from evalkit.views.style import NARROW, arm_style, draw_line, new_figure, themed
from evalkit.words import between, count, decimal, horizon, listed, percent, translated, within, words

_MEASURES: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "least ratio": ("Hazard ratio above 1 that can be detected", decimal),
    "largest ratio": ("Hazard ratio below 1 that can be detected", decimal),
    "power": ("Probability of finding the ratio named below the table", percent),
    "events needed": ("Events needed to find it in four of five studies", count),
}


class MeanCount(View):
    """Mean cumulative counts, for a hundred people."""

    name = "mean_count"
    has_figure = True
    contrast: ClassVar[Literal["curves", "counts", "shares"]] = "counts"

    def figure(self) -> tuple[Figure, str]:
        """Draw rising lines with their limits."""
        return counts_figure(self.rows, self.groups, self.look.x_label)

    def _table(self, note: str) -> str:
        rows = self.rows.dropna(subset=["estimate"])
        limits = zip(rows["conf_low"], rows["conf_high"], strict=True)
        texts = pd.DataFrame(
            {
                "label": rows["label"],
                # For a hundred people: a mean of 0.08 events is read as a probability.
                "value": [decimal(100 * v, 1) for v in rows["estimate"]],
                "limits": [between(decimal(100 * a, 1), decimal(100 * b, 1)) for a, b in limits],
                "part": rows["group"],
            }
        )
        headings = {"label": "When", "value": "Per hundred people", "limits": "95% CI"}
        return html_table(texts, headings, numbers=["value", "limits"], note=note, groups="part")

    def _told(self) -> tuple[float, str]:
        rows = self.rows.dropna(subset=["estimate"])
        day = common_count_day(rows, self.groups)
        own = {str(row["group"]): row for _, row in rows[rows["time"] == day].iterrows()}
        said = [words("count.value", within=within(g), **per_hundred(own[g])) for g in self.groups if g in own]
        return day, listed(said)

    def _sentence(self) -> str:
        day, said = self._told()
        if not said:
            return words("count.none")
        gap = self.gaps.get("")
        told = [told_by("count.day", day, values=said)]
        return " ".join([*told, words(f"count.gap.{gap.direction}", within=within(self.groups[0]))] if gap else told)

    def _headline(self) -> str:
        day, said = self._told()
        return told_by("head.count", day, values=said) if said else ""


class Precision(View):
    """What the events seen could have detected."""

    name = "precision"

    def _table(self, note: str) -> str:
        lines = []
        for _, own in self.rows.dropna(subset=["estimate"]).groupby("term", sort=False):
            first = own.iloc[0]
            part = f"{first['label']}: {count(first['n_event'])} events among {count(first['n'])} people"
            for _, row in own.iterrows():
                name, write = _MEASURES[str(row["measure"])]
                lines.append({"label": name, "value": write(row["estimate"]), "part": part})
        said = f"{capital(translated(self.safe.estimates.estimand))}. {words('prec.note')} {note}".strip()
        headings = {"label": "Measure", "value": "Value"}
        return html_table(pd.DataFrame(lines), headings, numbers=["value"], note=said, groups="part")

    def _sentence(self) -> str:
        rows, parts = self.rows.dropna(subset=["estimate"]), []
        for _, own in rows.groupby("term", sort=False):
            value = own.set_index("measure")["estimate"]
            first = own.iloc[0]
            sizes = {"events": count(first["n_event"]), "n": count(first["n"]), "needed": count(value["events needed"])}
            ratios = {"least": decimal(value["least ratio"]), "largest": decimal(value["largest ratio"])}
            ratio, power = decimal(first["hazard_ratio"], 1), percent(value["power"])
            parts.append(words("prec.said", label=first["label"], ratio=ratio, power=power, **sizes, **ratios))
        return " ".join(parts) or words("prec.none")


def common_count_day(rows: pd.DataFrame, groups: Sequence[str]) -> float:
    """Return the last day that both groups, or the one that is shown, have a mean count of."""
    days = [set(rows.loc[rows["group"] == g, "time"]) for g in groups if (rows["group"] == g).any()]
    shared = set.intersection(*days) if days else set()
    return float(max(shared)) if shared else float("nan")


def per_hundred(row: pd.Series) -> dict[str, str]:
    """Write a mean count with its limits, for a hundred people."""
    names = {"value": "estimate", "low": "conf_low", "high": "conf_high"}
    return {name: decimal(100 * float(row[column]), 0) for name, column in names.items()}


def counts_figure(rows: pd.DataFrame, groups: Sequence[str], event: str) -> tuple[Figure, str]:
    """Draw mean cumulative counts with limits, for a hundred people; return the figure and its text."""
    rows = rows.dropna(subset=["estimate"])
    figure, said, last = new_figure(2.3, NARROW), [], {}
    styles = arm_style(groups)
    with themed():
        axes = figure.add_subplot()
        for group in [g for g in groups if (rows["group"] == g).any()]:
            own = rows[rows["group"] == group].sort_values("time")
            # Nobody has had an event on day 0; without it a line seems to begin on its first told day.
            start = pd.DataFrame([{"time": 0.0, "estimate": 0.0, "conf_low": 0.0, "conf_high": 0.0}])
            path = pd.concat([start, own], ignore_index=True)
            draw_line(axes, path, styles[group])
            colour = str(styles[group]["color"])
            axes.fill_between(path["time"], path["conf_low"], path["conf_high"], color=colour, alpha=0.13, linewidth=0)
            axes.plot(own["time"], own["estimate"], "o", color=colour, markersize=3.5)
            end = own.iloc[-1]
            last[group] = (float(end["time"]), float(end["estimate"]))
            values = [
                words("count.alt.one", value=per_hundred(r)["value"], when=horizon(r["time"]))
                for _, r in own.iterrows()
            ]
            said.append(words("count.alt", group=group, values=", ".join(values)))
        top = 1.08 * float(rows["conf_high"].max())
        axes.set(xlim=(0, float(rows["time"].max())), ylim=(0, top), xlabel=words("count.x"))
        axes.set_ylabel(words("count.axis", event=event[:1].upper() + event[1:]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: decimal(100 * value, 0)))
        name_ends([(axes, last)], styles)
    return figure, " ".join(said)
