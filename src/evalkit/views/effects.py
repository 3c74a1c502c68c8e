"""Differences of shares between the groups: unadjusted, adjusted, under other choices, with imputed values."""

from __future__ import annotations

__all__ = ["Effects", "Imputed", "Sensitivity", "effects_figure"]

from typing import ClassVar

import pandas as pd
from matplotlib.figure import Figure

from evalkit.views._phrases import in_people, sized
from evalkit.views._tables import html_table
from evalkit.views._view import View, gap_of
from evalkit.views.style import FOCUS, INK, MUTED, NARROW, PHONE, WIDE, new_figure, themed
from evalkit.words import between, points, span, within, words, wrapped


class Effects(View):
    """Differences by method."""

    name = "effects"
    has_figure = True
    whom: ClassVar[bool] = True

    def figure(self) -> tuple[Figure, str]:
        """Draw dots with their intervals around a line of no difference."""
        return effects_figure(self.rows, words("effect.axis", within=within(self.groups[0])), narrow=self.look.narrow)

    def _table(self, note: str) -> str:
        rows = self.rows
        limits = zip(rows["conf_low"], rows["conf_high"], strict=True)
        texts = pd.DataFrame(
            {
                "label": rows["label"],
                "tau": rows["tau"].map(span),
                "value": rows["estimate"].map(points),
                "limits": [between(points(a), points(b)) for a, b in limits],
            }
        )
        headings = {"label": "Estimate", "tau": "By", "value": "Difference, points", "limits": "95% CI"}
        said = words("effect.note", contrast=rows["contrast"].iloc[0], estimand=self.safe.estimates.estimand)
        return html_table(texts, headings, numbers=["value", "limits"], note=f"{said} {note}".strip())

    def _sentence(self) -> str:
        parts, rows = [], [row for _, row in self.rows.iterrows()]
        # Three sentences that each say "unclear" with other ranges are read as three findings.
        if len(rows) > 2 and all(gap_of(row).direction == "none" for row in rows):
            main = next((row for row in rows if row["method"] != "unadjusted"), rows[0])
            return words("effect.unclear", label=main["label"], **self._names, **in_people(gap_of(main)))
        for row in rows:
            gap = gap_of(row)
            said = {"label": row["label"], **self._names}
            if gap.direction == "none":
                ends = in_people(gap)
            else:
                sizes = sorted((abs(100 * gap.low), abs(100 * gap.high)))
                ends = {"low": sized(sizes[0]), "high": sized(sizes[1])}
            parts.append(words(f"effect.{gap.direction}", **said, **ends))
        return " ".join(parts)

    @property
    def _names(self) -> dict[str, str]:
        return dict(zip(("within", "other"), map(within, self.groups), strict=False))

    def _headline(self) -> str:
        rows = self.rows[self.rows["method"] != "unadjusted"]
        if rows.empty:
            return ""
        # Of the adjusted ones the first, which is the weighted: a headline has room for one number.
        gap = gap_of(rows.iloc[0])
        low, value, high = (points(v) for v in (gap.low, gap.estimate, gap.high))
        return words("head.effects", value=value, low=low, high=high, gap=words(f"gap.word.{gap.direction}"))


class Sensitivity(Effects):
    """The weighted difference under other choices, the main one first."""

    name = "sensitivity"

    def _sentence(self) -> str:
        main, others = self.rows.iloc[0], self.rows.iloc[1:]
        if others.empty:
            return words("sens.none")
        answer = _answer(main)
        names = [str(row["label"]) for _, row in others.iterrows() if _answer(row) != answer]
        if not names:
            key = "sens.same.none" if gap_of(main).direction == "none" else "sens.same"
            return words(key, answer=answer, **_range(self.rows))
        return words("sens.differ", answer=answer, names="; ".join(names), **_range(self.rows))

    def _headline(self) -> str:
        return words("head.sens", **_range(self.rows))


class Imputed(Effects):
    """The weighted difference without and with imputed characteristics."""

    name = "imputed"
    whom = False

    def _why(self) -> str:
        return super()._why() if self.safe.withheld else words("imputed.none")

    def _sentence(self) -> str:
        if len(self.rows) < 2:
            return words("imputed.none")
        before, after = self.rows.iloc[0], self.rows.iloc[1]
        ends = {f"before_{end}": points(before[f"conf_{end}"]) for end in ("low", "high")}
        said = words("imputed.said", before=points(before["estimate"]), **ends, **_limits(after))
        return f"{said} {words('imputed.same' if _answer(before) == _answer(after) else 'imputed.other')}"

    def _headline(self) -> str:
        return words("head.imputed", before=points(self.rows["estimate"].iloc[0]), **_limits(self.rows.iloc[-1]))


def _answer(row: pd.Series) -> str:
    """Return in words what a row says: no clear difference, clearly higher, clearly lower."""
    return words(f"gap.word.{gap_of(row).direction}")


def _limits(row: pd.Series) -> dict[str, str]:
    return {"value": points(row["estimate"]), "low": points(row["conf_low"]), "high": points(row["conf_high"])}


def _range(rows: pd.DataFrame) -> dict[str, str]:
    return {"low": points(rows["estimate"].min()), "high": points(rows["estimate"].max())}


def effects_figure(rows: pd.DataFrame, x_label: str, *, narrow: bool = False) -> tuple[Figure, str]:
    """Draw differences of shares with their intervals, one line for each method or variant; return it and its text."""
    width = NARROW if len(rows) <= 5 else PHONE if narrow else WIDE
    labels = [wrapped(str(label), 22 if width == PHONE else 44) for label in rows["label"]]
    lines = sum(max(1.0, 0.6 * (1 + label.count("\n"))) for label in labels) if width == PHONE else len(rows)
    figure = new_figure(0.85 + 0.28 * lines, width)
    said: list[str] = []
    with themed():
        axes = figure.add_subplot()
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        axes.axvline(0, color=INK, linewidth=0.9)
        for place, (_, row) in enumerate(rows.iterrows()):
            colour = MUTED if row["method"] == "unadjusted" else FOCUS
            low, value, high = (100 * float(row[name]) for name in ("conf_low", "estimate", "conf_high"))
            axes.hlines(place, low, high, color=colour, linewidth=1.7)
            # Shape as well as colour, for grey print.
            axes.plot(value, place, "D" if row["method"] == "unadjusted" else "o", color=colour, markersize=6)
            axes.annotate(
                points(row["estimate"]), (high, place), xytext=(5, 0), textcoords="offset points", va="center", size=8.5
            )
            said.append(_effect(row))
        axes.set(yticks=range(len(rows)), yticklabels=labels, xlabel=x_label)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
    return figure, " ".join(said)


def _effect(row: pd.Series) -> str:
    return words(
        "effect",
        label=row["label"],
        value=points(row["estimate"]),
        low=points(row["conf_low"]),
        high=points(row["conf_high"]),
    )
