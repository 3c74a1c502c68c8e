"""Who was reached: a schematic map of community areas, and shares by level."""

from __future__ import annotations

__all__ = ["Reach", "bars_figure", "fitted", "tiles_figure"]

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import PercentFormatter

from evalkit.glossary import NOT_RECORDED
from evalkit.levels import in_words
from evalkit.views.shares import Shares
from evalkit.views.style import FOCUS, INK, MUTED, NARROW, RULE, new_figure, read_on, themed
from evalkit.words import count, listed, percent, percent_sign, translated, within, words

_SCALE = LinearSegmentedColormap.from_list("share", ["#eef4f7", FOCUS])


class Reach(Shares):
    """Where people come from, of the focus."""

    name = "reach"
    first = "From"

    @property
    def unrecorded(self) -> bool:
        """Whether people are divided by what is recorded of nobody."""
        nobody = len(self.rows) > 0 and set(self.rows["term"]) == {NOT_RECORDED}
        return nobody or super().unrecorded

    @property
    def undrawable(self) -> bool:
        """Whether nothing of the focus may be shown."""
        own = self.rows.loc[self.rows["group"] == self.groups[0], "estimate"]
        return self.unrecorded or bool(own.isna().all())

    @property
    def _mapped(self) -> bool:
        """Whether there are places enough to lie beside each other: one tile is no map."""
        own = self.rows.loc[self.rows["group"] == self.groups[0], "label"]
        return bool(self.look.places) and len({*own.astype(str), *map(in_words, self.look.places)}) > 1

    def figure(self) -> tuple[Figure, str]:
        """Draw tiles where there is a map, bars elsewhere."""
        if not self._mapped:
            return bars_figure(self.rows, self.groups[0], self.look.x_label)
        nobody = "" if self.safe.policy.zero else words("figure.not_shown")
        return tiles_figure(self.rows, self.groups[0], self.look.places, nobody)

    def _headline(self) -> str:
        group = self.groups[0]
        levels = self.rows[self.rows["group"] == group]
        own = levels[levels["estimate"].notna() & (levels["term"] != NOT_RECORDED)]  # no place, and no source
        if own.empty:
            return ""
        first = own[own["estimate"] == own["estimate"].max()]
        kind = "head.tiles" if self.look.places else "head.reach"
        near = own[own["n_event"] >= own["n_event"].max() - self.safe.policy.noise_most]
        if len(near) > len(first):  # the lead of the first may be one person: noise alone sets them apart
            low, high = percent(near["estimate"].min()), percent(near["estimate"].max())
            return words(
                f"{kind}.near", within=within(group), level=listed(list(near["label"].astype(str))), low=low, high=high
            )
        names, top = [str(label) for label in first["label"]], first.iloc[0]
        said = {"share": percent(top["estimate"]), "within": within(group), "level": listed(names)}
        number = ".many" if len(names) > 1 else ".all" if len(levels) == 1 else ".one"  # 99% may look like all
        return words(kind + number, n=count(top["n_event"]), **said)


def tiles_figure(
    rows: pd.DataFrame, group: str, places: Mapping[str, Sequence[int]], nobody: str = ""
) -> tuple[Figure, str]:
    """Draw a tile for each place (column, row from the top left) as on a map, darker where more people come from.

    Places that are not named stand in a row below, `nobody` in those that nobody came from. A long name is broken, made
    smaller and at last cut: the alternative text and the table have it whole.
    """
    own = rows[rows["group"] == group]
    places = {in_words(place): spot for place, spot in places.items()}
    labels = [str(label) for label in own["label"]]
    empty = [place for place in places if place not in labels]
    at = _laid_out([*labels, *empty], places)
    width, height = (max(spot[i] for spot in at.values()) + 1 for i in (0, 1))
    top = float(own["estimate"].max()) if own["estimate"].notna().any() else 1.0
    # Tiles of a small map would else be as wide as the page.
    columns, inches = max(width, 4), NARROW if width <= 4 else 6.5
    figure = new_figure(0.78 * height + 0.1, inches)
    room = _ROOM * 72 * (figure.get_figwidth() - _PADS) / (columns + 0.02)
    nobody = nobody or words("figure.none")
    said: list[str] = []
    with themed():
        axes = figure.add_subplot()
        for _, row in own.iterrows():
            known = bool(np.isfinite(row["estimate"]))
            value = words("figure.not_shown")
            lines, depth = [value], 0.0
            if known:
                lines = [percent(row["estimate"]), words("people.many", n=count(row["n_event"]))]
                # From 0.15: a place of few people is still not the white of nobody.
                value, depth = ", ".join(reversed(lines)), 0.15 + 0.85 * float(row["estimate"]) / top
            _tile(axes, str(row["label"]), lines, depth, at[str(row["label"])], room)
            said.append(words("alt.value", label=row["label"], value=value))
        for place in empty:
            _tile(axes, place, [nobody], 0.0, at[place], room)
            said.append(words("alt.value", label=place, value=nobody))
        axes.set(xlim=(-0.02, columns), ylim=(height, -0.04))
        axes.axis("off")
    return figure, words("alt.values", group=group, values="; ".join(said))


def _laid_out(labels: Sequence[str], places: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, int]]:
    known = {label: (int(places[label][0]), int(places[label][1])) for label in labels if label in places}
    # Below the map: a place that nobody laid out is drawn all the same, or its people would be missing from the figure.
    below = max((row for _, row in known.values()), default=-1) + 1
    others = [label for label in labels if label not in known]
    return {**known, **{label: (i % 4, below + i // 4) for i, label in enumerate(others)}}


def _tile(axes: Axes, name: str, lines: Sequence[str], depth: float, spot: tuple[int, int], room: float) -> None:
    """Draw a tile: the name, and below it a share with its people, or one line that says why there is none."""
    column, line = spot
    shade = _SCALE(depth) if depth else "white"
    ink = read_on(shade)
    axes.add_patch(
        FancyBboxPatch(
            (column + 0.03, line + 0.05), 0.94, 0.88, boxstyle="round,pad=0,rounding_size=0.05",
            # withheld is not the lightest shade, and not nobody: stripes stand outside the scale
            facecolor=shade, edgecolor=RULE, linewidth=0.8,
            hatch="////" if lines == [words("figure.not_shown")] else None,
        )
    )  # fmt: skip
    text, size = fitted(translated(name), room, _NAMES, "semibold")
    spec: dict[str, Any] = {"color": ink, "va": "center", "linespacing": 0.95}
    axes.text(column + 0.1, line + 0.27, text, weight="semibold", size=size, **spec)
    heights, sizes = ((0.57, 0.8), (13.0, 8.0)) if len(lines) > 1 else ((0.7,), (8.5,))
    for said, height, largest in zip(lines, heights, sizes, strict=True):
        text, size = fitted(said, room, tuple((max(largest - k, 5.0), 1) for k in range(8)))
        axes.text(column + 0.1, line + height, text, size=size, **spec)


_ROOM = 0.86  # of a tile's width: from where its texts begin to just inside its edge


_PADS = 0.12  # inches that the layout leaves at both sides of a figure together


_NAMES = ((9.0, 1), (8.5, 2), (8.0, 2), (7.5, 2), (7.0, 3), (6.5, 3), (6.0, 3))


def fitted(name: str, room: float, allowed: Sequence[tuple[float, int]], weight: str = "normal") -> tuple[str, float]:
    """Break a name into lines and choose the largest allowed size (each with its most lines) that fits its room.

    Room is in points. Where even the smallest is too large the text is cut, with an ellipsis.
    """
    # By the font's own widths: a count of letters takes "ill" to be as wide as "mom".
    figure = Figure()
    measure = figure.text(0, 0, "", weight=weight)

    def fits(text: str) -> bool:
        measure.set_text(text)
        return float(measure.get_window_extent().width) * 72 / figure.dpi <= room

    lines, size = [name], allowed[-1][0]
    for size, most in allowed:
        measure.set_fontsize(size)
        lines = _broken(name, fits)
        if len(lines) <= most and all(map(fits, lines)):
            return "\n".join(lines), size
    kept = lines[:most]
    more = [False] * (len(kept) - 1) + [len(lines) > most]
    return "\n".join(_cut(line, fits, more=over) for line, over in zip(kept, more, strict=True)), size


def _broken(name: str, fits: Callable[[str], bool]) -> list[str]:
    """Put as many words on each line as fit; a word that does not fit has a line of its own."""
    lines: list[str] = []
    for word in name.split():
        if lines and fits(f"{lines[-1]} {word}"):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [name]


def _cut(line: str, fits: Callable[[str], bool], *, more: bool) -> str:
    """Cut a line that does not fit, or after which more would follow."""
    if fits(line) and not more:
        return line
    while line and not fits(f"{line}\u2026"):
        line = line[:-1]
    return f"{line.rstrip()}\u2026"


_BESIDE_BAR = 150.0  # points of a line of a name


def bars_figure(rows: pd.DataFrame, group: str, x_label: str) -> tuple[Figure, str]:
    """Draw one bar for each level of one group, longest first; return it and its alternative text."""
    own = rows[rows["group"] == group].sort_values("estimate", ascending=False, na_position="last", kind="stable")
    names = [fitted(translated(str(label)), _BESIDE_BAR, ((9.5, 5),))[0] for label in own["label"]]
    lines = sum(1 + 0.65 * name.count("\n") for name in names)
    figure = new_figure(0.55 + 0.24 * lines, NARROW)
    said: list[str] = []
    with themed():
        axes = figure.add_subplot()
        axes.grid(visible=False)
        for place, (_, row) in enumerate(own.iterrows()):
            known = bool(np.isfinite(row["estimate"]))
            text = words("figure.not_shown")
            if known:
                axes.barh(place, row["estimate"], height=0.62, color=FOCUS)
                people = words("people.many", n=count(row["n_event"]))
                text = f"{percent(row['estimate'])}, {people}"
            axes.annotate(
                text, (row["estimate"] if known else 0, place), xytext=(5, 0), textcoords="offset points", va="center",
                size=9, color=INK if known else MUTED,
            )  # fmt: skip
            said.append(words("alt.value", label=row["label"], value=text))
        axes.set(yticks=range(len(own)), yticklabels=names, xlabel=x_label)
        axes.set_ylim(len(own) - 0.5, -0.5)
        # Room at the right for the number beside the longest bar.
        axes.set_xlim(0, max(0.1, float(own["estimate"].max()) * 1.35) if own["estimate"].notna().any() else 1)
        # No tick above all people, though the axis goes on to leave room for numbers.
        axes.set_xticks([tick for tick in axes.get_xticks() if tick <= min(1.0, axes.get_xlim()[1])])
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=percent_sign()))
        axes.tick_params(axis="y", length=0)
    return figure, words("alt.values", group=group, values=", ".join(said))
