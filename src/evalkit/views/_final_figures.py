"""Figures of the final report's own analyses: overlap, E-values, subgroups, repeated harm."""

from __future__ import annotations

__all__ = ["counts_figure", "e_value_figure", "overlap_figure", "subgroups_figure"]

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evalkit.views._final_words import per_hundred
from evalkit.views._gap import relation
from evalkit.views._labels import name_ends
from evalkit.views._numbers import decimal, percent, points
from evalkit.views._style import BESIDE, COMPARISON, FOCUS, INK, MUTED, arm_style, new_figure, themed
from evalkit.views._words import words


def overlap_figure(rows: pd.DataFrame, groups: Sequence[str], band: tuple[float, float]) -> tuple[Figure, str]:
    """Draw the preference scores of both groups, one above the other (mirrored): area is share of the group.

    Parameters
    ----------
    rows : pandas.DataFrame
        group, score_from, score_to, estimate.
    groups : sequence of str
        The focus (above), the comparison (below).
    band : (float, float)
        Range of scores that is shaded.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
    """
    rows = rows.dropna(subset=["estimate", "score_from"])
    figure, said = new_figure(2.5, BESIDE), []
    with themed():
        axes = figure.add_subplot()
        axes.axvspan(*band, color=MUTED, alpha=0.1, linewidth=0)
        axes.axhline(0, color=INK, linewidth=0.9)
        heights = rows["estimate"] / (rows["score_to"] - rows["score_from"])
        top = 1.45 * float(heights.max())
        for group, side, colour in zip(groups, (1, -1), (FOCUS, COMPARISON), strict=False):
            own = rows[rows["group"] == group].sort_values("score_from")
            width = own["score_to"] - own["score_from"]
            axes.bar(
                own["score_from"], side * own["estimate"] / width, width, align="edge", color=colour, alpha=0.75,
                edgecolor="white", linewidth=1.2,
            )  # fmt: skip
            axes.annotate(
                group, (0.01, 0.97 if side > 0 else 0.03), xycoords="axes fraction", color=colour, weight="semibold",
                size=9.5, va="top" if side > 0 else "bottom",
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


def e_value_figure(rows: pd.DataFrame) -> tuple[Figure, str]:
    """Draw the E-values of measured characteristics beside those of the estimate and its limit (lines).

    Parameters
    ----------
    rows : pandas.DataFrame
        term, label, e_value.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
    """
    strength = rows.set_index("term")["e_value"].astype(float)
    measured = rows[~rows["term"].isin(["estimate", "limit"])].sort_values("e_value", ascending=False)
    figure = new_figure(0.9 + 0.22 * max(len(measured), 1))
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
        close = abs(needed["estimate"] - needed["limit"]) < 0.16 * (right - 0.9)
        for name, style, side in (("estimate", "-", "left"), ("limit", (0, (4, 2)), "right" if close else "left")):
            axes.axvline(needed[name], color=FOCUS, linewidth=1.4, linestyle=style)
            text = f"{words(f'e.{name}')} {decimal(needed[name])}"
            axes.annotate(
                text, (needed[name], 1.0), xycoords=("data", "axes fraction"),
                xytext=(4 if side == "left" else -4, 2), textcoords="offset points", ha=side, va="bottom", size=8.5,
                color=FOCUS, weight="semibold",
            )  # fmt: skip
        axes.set(yticks=range(len(measured)), yticklabels=list(measured["label"]), xlabel=words("e.axis"))
        axes.set_xlim(1 - 0.12 * (right - 0.9), right + 0.15 * (right - 0.9))
        axes.set_ylim(max(len(measured), 1) - 0.5, -0.6)
        axes.tick_params(axis="y", length=0)
    return figure, ", ".join(said) + "."


def subgroups_figure(rows: pd.DataFrame, groups: Sequence[str]) -> tuple[Figure, str]:
    """Draw the difference between the groups in each level (a forest), with the p value of each characteristic.

    Parameters
    ----------
    rows : pandas.DataFrame
        variable, label, estimate, conf_low, conf_high, p_value.
    groups : sequence of str

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
    """
    rows = rows.dropna(subset=["estimate"])
    variables = list(dict.fromkeys(rows["variable"]))
    lines = len(rows) + sum(name != "Everybody" for name in variables)
    figure, said = new_figure(0.75 + 0.25 * lines), []
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
        axes.set(yticks=range(len(names)), xlabel=words("sub.axis", group=groups[0]))
        axes.set_yticklabels(names, ha="left")
        axes.yaxis.set_tick_params(pad=6.2 * max(len(name) for name in names) * 0.78, length=0)
        axes.set_xlim(right=right + 0.35 * (right - 100 * float(rows["conf_low"].min())))
        axes.set_ylim(len(names) - 0.4, -0.7)
        for label, name in zip(axes.get_yticklabels(), names, strict=True):
            label.set_fontweight("semibold" if not name.startswith("    ") else "normal")
    return figure, " ".join(said)


_ENDS = {"value": "estimate", "low": "conf_low", "high": "conf_high"}


def _forest_line(axes: Axes, row: pd.Series, place: int, *, everybody: bool) -> None:
    low, value, high = (100 * float(row[name]) for name in ("conf_low", "estimate", "conf_high"))
    axes.hlines(place, low, high, color=FOCUS, linewidth=1.7)
    axes.plot(value, place, "D" if everybody else "o", color=FOCUS, markersize=6)
    axes.annotate(
        points(row["estimate"], 0), (high, place), xytext=(5, 0), textcoords="offset points", va="center", size=8.5
    )


def counts_figure(rows: pd.DataFrame, groups: Sequence[str], event: str) -> tuple[Figure, str]:
    """Draw mean cumulative counts with their limits, for a hundred people, labelled at the curve.

    Parameters
    ----------
    rows : pandas.DataFrame
        group, time, estimate, conf_low, conf_high.
    groups : sequence of str
    event : str
        What is counted.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
    """
    rows = rows.dropna(subset=["estimate"])
    figure, said, last = new_figure(2.3, BESIDE), [], {}
    styles = arm_style(groups)
    with themed():
        axes = figure.add_subplot()
        for group in [g for g in groups if (rows["group"] == g).any()]:
            own = rows[rows["group"] == group].sort_values("time")
            start = pd.DataFrame([{"time": 0.0, "estimate": 0.0, "conf_low": 0.0, "conf_high": 0.0}])
            path = pd.concat([start, own], ignore_index=True)
            sns.lineplot(path, x="time", y="estimate", estimator=None, ax=axes, legend=False, **styles[group])
            colour = str(styles[group]["color"])
            axes.fill_between(path["time"], path["conf_low"], path["conf_high"], color=colour, alpha=0.13, linewidth=0)
            axes.plot(own["time"], own["estimate"], "o", color=colour, markersize=3.5)
            end = own.iloc[-1]
            last[group] = (float(end["time"]), float(end["estimate"]))
            values = [
                words("count.alt.one", value=per_hundred(r)["value"], day=int(r["time"])) for _, r in own.iterrows()
            ]
            said.append(words("count.alt", group=group, values=", ".join(values)))
        top = 1.08 * float(rows["conf_high"].max())
        axes.set(xlim=(0, float(rows["time"].max())), ylim=(0, top), xlabel=words("count.x"))
        axes.set_ylabel(words("count.axis", event=event[:1].upper() + event[1:]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: decimal(100 * value, 0)))
        name_ends([(axes, last)], styles)
    return figure, " ".join(said)
