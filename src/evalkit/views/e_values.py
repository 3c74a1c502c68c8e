"""E-values: how strong something unmeasured would have to be, beside what measured characteristics could do."""

from __future__ import annotations

__all__ = ["EValues", "e_value_figure"]

import pandas as pd
from matplotlib.figure import Figure

from evalkit.views._tables import html_table
from evalkit.views._view import View, joined
from evalkit.views.style import FOCUS, MUTED, PHONE, WIDE, new_figure, themed
from evalkit.words import decimal, translated, words


class EValues(View):
    """Of an estimate, of its nearer limit, and of each measured characteristic."""

    name = "e_value"
    has_figure = True
    whom = True

    @property
    def undrawable(self) -> bool:
        """Whether the estimate's limits include no difference: its E-value would be that of chance."""
        return float(self.rows.set_index("term")["e_value"]["limit"]) <= 1

    def _why(self) -> str:
        return super()._why() if self.rows.empty or not self.undrawable else words("e.none")

    def figure(self) -> tuple[Figure, str]:
        """Draw dots of characteristics, and lines of the estimate and its limit."""
        return e_value_figure(self.rows, narrow=self.look.narrow)

    def _table(self, note: str) -> str:
        rows = self.rows
        if self.undrawable:
            # Ratios stay: only the strength that would explain "no difference" away means nothing (ADR 24).
            given = ~rows["term"].isin(["estimate", "limit"])
            rows, note = rows.assign(e_value=rows["e_value"].where(given)), f"{words('e.none')} {note}".strip()
        own = {"estimate": words("e.row.estimate"), "limit": words("e.row.limit")}
        parts = ("What has to be explained", "What measured characteristics could do")
        texts = pd.DataFrame(
            {
                "label": [own.get(t, label) for t, label in zip(rows["term"], rows["label"], strict=True)],
                "ratio": rows["estimate"].map(decimal),
                "e": rows["e_value"].map(decimal),
                "part": [parts[t not in own] for t in rows["term"]],
            }
        )
        headings = {"label": "What", "ratio": "Ratio", "e": "E-value"}
        said = joined(self.footnotes, note)
        return html_table(texts, headings, numbers=["ratio", "e"], note=said, groups="part")

    def _sentence(self) -> str:
        rows = self.rows.set_index("term")
        strength, ratios = rows["e_value"].astype(float), rows["estimate"].astype(float)
        value, limit = strength["estimate"], strength["limit"]
        ratio, name = decimal(ratios["estimate"]), self.event or words("sens.clear")
        low, high = (decimal(rows[end].astype(float)["estimate"]) for end in ("conf_low", "conf_high"))
        told = {"event": name, "ratio": ratio, "low": low, "high": high}
        if self.undrawable:
            return words("e.holds", **told)
        said = [words("e.clear", **told, value=decimal(value), limit=decimal(limit))]
        measured = rows.drop(index=["estimate", "limit"])
        if len(measured):
            best = measured.sort_values("e_value", kind="stable").iloc[-1]
            said.append(words("e.strongest", value=decimal(best["e_value"]), name=best["label"]))
            # Something like a characteristic that was measured would be enough: that has to be said.
            if float(best["e_value"]) >= limit:
                said.append(words("e.fragile"))
        return " ".join(said)

    def _headline(self) -> str:
        strength = self.rows.set_index("term")["e_value"]
        measured = strength.drop(["estimate", "limit"])
        if measured.empty:
            return ""
        return words("head.e", value=decimal(strength["estimate"]), strongest=decimal(measured.max()))


def e_value_figure(rows: pd.DataFrame, *, narrow: bool = False) -> tuple[Figure, str]:
    """Draw E-values of measured characteristics beside those of the estimate and its limit; and the text."""
    strength = rows.set_index("term")["e_value"].astype(float)
    measured = rows[~rows["term"].isin(["estimate", "limit"])].sort_values("e_value", ascending=False)
    figure = new_figure(0.9 + 0.22 * max(len(measured), 1), PHONE if narrow else WIDE)
    needed = {name: float(strength[name]) for name in ("estimate", "limit")}
    said = [words("alt.value", label=words(f"e.row.{name}"), value=decimal(value)) for name, value in needed.items()]
    with themed():
        axes = figure.add_subplot()
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        right = max(*needed.values(), float(measured["e_value"].max()) if len(measured) else 1.0)
        axes.hlines(range(len(measured)), 1, measured["e_value"], color=MUTED, linewidth=1.2)
        axes.plot(measured["e_value"], range(len(measured)), "o", color=MUTED, markersize=6)
        for place, (_, row) in enumerate(measured.iterrows()):
            axes.annotate(
                decimal(row["e_value"]), (row["e_value"], place), xytext=(6, 0), textcoords="offset points",
                va="center", size=8.5,
            )  # fmt: skip
            said.append(words("alt.value", label=str(row["label"]), value=decimal(row["e_value"])))
        # Nearer than a sixth of the axis both words would stand on one another: one goes to the other side of its line.
        close = abs(needed["estimate"] - needed["limit"]) < 0.16 * (right - 0.9)
        for name, style, side in (("estimate", "-", "left"), ("limit", (0, (4, 2)), "right" if close else "left")):
            axes.axvline(needed[name], color=FOCUS, linewidth=1.4, linestyle=style)
            text = f"{words(f'e.{name}')} {decimal(needed[name])}"
            axes.annotate(
                text, (needed[name], 1.0), xycoords=("data", "axes fraction"),
                xytext=(4 if side == "left" else -4, 2), textcoords="offset points", ha=side, va="bottom", size=8.5,
                color=FOCUS, weight="semibold",
            )  # fmt: skip
        axes.set(
            yticks=range(len(measured)), yticklabels=list(map(translated, measured["label"])), xlabel=words("e.axis")
        )
        # About from 1, which is no strength at all: no E-value is smaller.
        axes.set_xlim(1 - 0.12 * (right - 0.9), right + 0.15 * (right - 0.9))
        axes.set_ylim(max(len(measured), 1) - 0.5, -0.6)
        axes.tick_params(axis="y", length=0)
    return figure, ", ".join(said) + "."
