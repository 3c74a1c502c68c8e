"""The difference between the groups in each level of several characteristics, with tests of interaction."""

from __future__ import annotations

__all__ = ["Subgroups", "subgroups_figure"]

from collections.abc import Sequence
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evalkit.views._phrases import relation
from evalkit.views._tables import html_table
from evalkit.views._view import View, joined
from evalkit.views.style import FOCUS, INK, MUTED, PHONE, new_figure, themed
from evalkit.words import between, count, listed, p_value, points, within, words, wrapped

_PHONE = 21  # letters of a name in one line on a phone
_ENDS = {"value": "estimate", "low": "conf_low", "high": "conf_high"}


class Subgroups(View):
    """A forest of differences."""

    name = "subgroups"
    has_figure = True

    def figure(self) -> tuple[Figure, str]:
        """Draw the forest."""
        return subgroups_figure(self.rows, self.groups, narrow=self.look.narrow)

    def _table(self, note: str) -> str:
        rows = self.rows
        limits = zip(rows["conf_low"], rows["conf_high"], strict=True)
        texts = pd.DataFrame(
            {
                "label": rows["label"],
                "value": rows["estimate"].map(partial(points, digits=0)),
                "limits": [between(points(a, 0), points(b, 0)) for a, b in limits],
                # Once for each characteristic: one test is of all its levels together.
                "p": rows["p_value"].map(partial(p_value, coarse=True)).where(~rows["variable"].duplicated(), ""),
                "part": rows["variable"],
            }
        )
        headings = {"label": "People", "value": "Difference, points", "limits": "95% CI", "p": "p of interaction"}
        said = f"{words('sub.note')} {note}".strip()
        return html_table(texts, headings, numbers=["value", "limits", "p"], note=said, groups="part")

    def _sentence(self) -> str:
        rows = self.rows.dropna(subset=["p_value"]).drop_duplicates("variable")
        if rows.empty:
            return joined(words("sub.none"), self.footnotes)
        telling = rows[rows["p_value"] < 0.05]
        n = count(len(rows))
        if telling.empty:
            least = rows.sort_values("p_value", kind="stable").iloc[0]
            said = words("sub.quiet", n=n, p=relation(least["p_value"], coarse=True), name=least["variable"])
        else:
            found = zip(telling["variable"], telling["p_value"], strict=True)
            names = [words("sub.some.one", name=name, p=relation(p, coarse=True)) for name, p in found]
            said = words("sub.some", n=n, names=listed(names))
        return joined(said, self.footnotes)

    def _headline(self) -> str:
        return words("head.sub", **{k: points(self.rows.iloc[0][c], 0) for k, c in _ENDS.items()})


def subgroups_figure(rows: pd.DataFrame, groups: Sequence[str], *, narrow: bool = False) -> tuple[Figure, str]:
    """Draw the difference of the groups in each level (a forest), with each characteristic's p value; and the text."""
    rows = rows.dropna(subset=["estimate"])
    variables = list(dict.fromkeys(rows["variable"]))
    lines = len(rows) + sum(name != "Everybody" for name in variables)
    figure = new_figure(0.8 + 0.3 * lines, PHONE) if narrow else new_figure(0.75 + 0.25 * lines)
    letters, said = _PHONE if narrow else 60, []
    names: list[str] = []
    with themed():
        axes = figure.add_subplot()
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        axes.axvline(0, color=INK, linewidth=0.9)
        right = 100 * float(rows["conf_high"].max())
        for variable in variables:
            own = rows[rows["variable"] == variable]
            if variable != "Everybody":
                axes.annotate(
                    words("sub.p", p=relation(own["p_value"].iloc[0], coarse=True)), (1.0, len(names)),
                    xycoords=("axes fraction", "data"), ha="right", va="center", size=8.5, color=MUTED,
                )  # fmt: skip
                names.append(str(variable))
            for _, row in own.iterrows():
                _forest_line(axes, row, len(names), everybody=variable == "Everybody")
                names.append(str(row["label"]) if variable == "Everybody" else f"    {row['label']}")
                ends = {k: points(row[c], 0) for k, c in _ENDS.items()}
                said.append(words("sub.row", variable=variable, label=row["label"], **ends))
        axes.set(yticks=range(len(names)), xlabel=wrapped(words("sub.axis", within=within(groups[0])), 40))
        names = [_indented(name, letters) for name in names]
        axes.set_yticklabels(names, ha="left")
        longest = max(len(line) for name in names for line in name.split("\n"))
        # Names stand at the left edge, so their room is reckoned from their
        # letters: matplotlib leaves it for right-aligned ones.
        axes.yaxis.set_tick_params(pad=6.2 * longest * 0.78, length=0)
        # Room at the right for the p values, which stand inside of the frame.
        axes.set_xlim(right=right + 0.35 * (right - 100 * float(rows["conf_low"].min())))
        axes.set_ylim(len(names) - 0.4, -0.7)
        for label, name in zip(axes.get_yticklabels(), names, strict=True):
            label.set_fontweight("semibold" if not name.startswith("    ") else "normal")
    return figure, " ".join(said)


def _indented(name: str, letters: int) -> str:
    """Return a name in lines, each as far in as the name is."""
    lead = "    " if name.startswith("    ") else ""
    return "\n".join(f"{lead}{line}" for line in wrapped(name.strip(), letters).split("\n"))


def _forest_line(axes: Axes, row: pd.Series, place: int, *, everybody: bool) -> None:
    low, value, high = (100 * float(row[name]) for name in ("conf_low", "estimate", "conf_high"))
    axes.hlines(place, low, high, color=FOCUS, linewidth=1.7)
    axes.plot(value, place, "D" if everybody else "o", color=FOCUS, markersize=6)
    axes.annotate(
        points(row["estimate"], 0), (high, place), xytext=(5, 0), textcoords="offset points", va="center", size=8.5
    )
