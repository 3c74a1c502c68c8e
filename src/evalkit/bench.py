"""Results at the researcher's bench: plotted and written out, exact, outside of any report.

What stands here shows exact numbers, so every plot says so in its corner; in a report `report.show` and `report.draw`
show the same results after disclosure control. Which plot a result gets follows from its columns, never from its kind:
a value by time is a curve, a ratio a forest, any other value dots with their limits.
"""

from __future__ import annotations

__all__ = ["COLOURS", "EXACT", "LINES", "SHAPES", "html", "plot"]

import html as html_
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.counts import Counts, DayCounts
from evalkit.errors import AnalysisError
from evalkit.glossary import COLUMNS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EXACT = "bench.exact"
"""Message that stands in every plot's corner."""

# Colours that colour-blind readers and grey print keep apart; the first two can be read as text on white (4.5:1).
COLOURS = ("#0b5a7a", "#b35612", "#4f7a28", "#7a4b94", "#8a6d00", "#44546a", "#a23b52", "#2a7f7a")
# With the colour, the dashes change: lines are told apart in grey print and by those who see no colours.
LINES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.2, 1.5, 1.2)))
_MUTED = "#55606b"
# And the marks of dots.
SHAPES = "os^D"
_KEYS = ("group", "cause", "state")
_NAMES = ("label", "term", "contrast", "measure", "variable", "cause", "state", "method", "period", "time", "q", "tau")
# The first that a result has is drawn: ratios before the log scale that they were made on.
_VALUES = (
    ("hazard_ratio", "hr_low", "hr_high"),
    ("odds_ratio", "or_low", "or_high"),
    ("estimate", "conf_low", "conf_high"),
    ("median", "lower_quartile", "upper_quartile"),
    ("mean", "", ""),
    ("smd", "", ""),
    ("e_value", "", ""),
    ("statistic", "", ""),
    ("n", "", ""),
)
_RATIOS = frozenset({"hazard_ratio", "odds_ratio"})
_RISK = "evalkit at risk"
_MOST_ROWS = 25  # of a table in a notebook; the rest is counted


def plot(rows: pd.DataFrame, counts: Counts | None, kind: str, estimand: str, ax: Axes | None = None) -> Axes:
    """Plot a result's exact numbers, on a new figure unless given; `DayCounts` put numbers at risk below curves.

    AnalysisError if nothing in the rows can be drawn.
    """
    value = next((names for names in _VALUES if names[0] in rows and rows[names[0]].notna().any()), None)
    if value is None:
        msg = f"{kind}: has no number that could be plotted; .tidy() has its rows"
        raise AnalysisError(msg)
    keys = [key for key in _KEYS if key in rows]
    if ax is None:
        from matplotlib import pyplot as plt  # noqa: PLC0415 - slow, and of use to nobody who only estimates

        _, ax = plt.subplots(layout="constrained")
    lines = rows.groupby(keys).ngroups if keys else 1
    if value[0] == "estimate" and "time" in rows and lines < len(rows):  # several days of one line
        _curves(ax, rows, keys, counts)
    else:
        _dots(ax, rows, value)
        ax.set_xlabel(estimand if value[0] == "estimate" else value[0].replace("_", " "))
    ax.spines[["top", "right"]].set_visible(False)
    # Once, however many results share the axes.
    if not any(text.get_gid() == EXACT for text in ax.texts):
        ax.annotate(
            _word(EXACT), (1, 1), xycoords="axes fraction", xytext=(0, 3), textcoords="offset points",
            ha="right", va="bottom", size=8, style="italic", color=_MUTED, annotation_clip=False, gid=EXACT,
        )  # fmt: skip
    return ax


def _word(key: str) -> str:
    """Return a message; the catalogue's reader is slow to import, and nobody who only estimates needs it."""
    from evalkit.words import words  # noqa: PLC0415

    return words(key)


def _curves(ax: Axes, rows: pd.DataFrame, keys: Sequence[str], counts: Counts | None) -> None:
    """Draw a line for each group (and cause, or state), with its limits; numbers at risk below."""
    stepped = "n_risk" in rows or "state" in rows
    parts = list(rows.groupby(list(keys), sort=False)) if keys else [(("all",), rows)]
    drawn = len(ax.lines)
    colours: dict[str, str] = {}
    # Colours go on after what is on the axes already: two results plotted on one are told apart.
    for i, (names, own) in enumerate(parts, start=drawn):
        label = ": ".join(str(name) for name in names)
        colour = COLOURS[i % len(COLOURS)]
        colours.setdefault(str(names[0]), colour)
        path = own.dropna(subset=["estimate"]).sort_values("time", kind="stable")
        if stepped:
            path = _from_origin(path)
        style: dict[str, Any] = {"drawstyle": "steps-post"} if stepped else {"marker": SHAPES[i % 4]}
        line = LINES[i % len(LINES)]
        ax.plot(path["time"], path["estimate"], color=colour, linestyle=line, linewidth=1.8, label=label, **style)
        if {"conf_low", "conf_high"} <= {*path.columns}:
            step: Any = "post" if stepped else None
            low, high = path["conf_low"].to_numpy(dtype=float), path["conf_high"].to_numpy(dtype=float)
            ax.fill_between(path["time"], low, high, step=step, color=colour, alpha=0.13, linewidth=0)
    # Shares show the whole of their scale, so that two plots can be compared; a hair above 1, or a flat line is cut.
    if rows["estimate"].between(0, 1).where(rows["estimate"].notna(), other=True).all():
        ax.set_ylim(0, 1.02)
    ax.set_xlim(left=min(0.0, ax.get_xlim()[0]) if drawn else 0)
    ax.set_xlabel(_word("bench.days"))
    if len(ax.lines) > 1:
        ax.legend(frameon=False)
    if isinstance(counts, DayCounts):
        _at_risk(ax, counts, colours)


def _from_origin(path: pd.DataFrame) -> pd.DataFrame:
    """Let a step curve begin on day 0, with 1 where it falls and 0 where it rises."""
    if path.empty or path["time"].iloc[0] <= 0:
        return path
    # With events on one day only nothing rises or falls after it.
    falls = "cause" not in path and path["estimate"].iloc[0] >= path["estimate"].iloc[-1]
    start = dict.fromkeys(("estimate", "conf_low", "conf_high"), 1.0 if falls else 0.0)
    if "state" in path:  # where people are on day 0 is not known from later rows
        return path
    return pd.concat([pd.DataFrame([{"time": 0.0, **start}]), path], ignore_index=True)


def _at_risk(ax: Axes, counts: DayCounts, colours: Mapping[str, str]) -> None:
    """Write how many are at risk under the axis, a row for each group."""
    days = [day for day in ax.get_xticks() if 0 <= day <= ax.get_xlim()[1]]
    before = sum(text.get_gid() == _RISK for text in ax.texts)
    where: dict[str, Any] = {"textcoords": "offset points", "va": "center", "size": 8.5, "annotation_clip": False}
    below = ax.get_xaxis_transform()
    if not before:
        ax.annotate(_word("figure.risk"), (0, 0), xycoords=below, xytext=(-8, -41), ha="right", weight="bold", **where)
    for i, group in enumerate(colours, start=before + 1):
        own = counts.data[counts.data["group"].astype(str) == group]
        if own.empty:
            continue
        y = -41 - 11.5 * i
        ax.annotate(
            group, (0, 0), xycoords=below, xytext=(-14, y), ha="right", color=colours[group], gid=_RISK, **where
        )
        for day, number in zip(days, _risk(own, days), strict=True):
            ax.annotate(f"{number:,.0f}", (day, 0), xycoords=below, xytext=(0, y), ha="center", **where)


def _risk(counts: pd.DataFrame, days: Sequence[float]) -> list[float]:
    """Return how many are at risk on some days: entered before, and not yet left; on day 0 those who start there."""
    time = counts["time"].to_numpy(dtype=float)
    events = counts[[name for name in counts if str(name).startswith("n_event_")]].sum(axis=1)
    net = (counts["n_entry"] - events - counts["n_censor"]).to_numpy(dtype=float)
    return [float(net[time < day].sum()) for day in days]


def _dots(ax: Axes, rows: pd.DataFrame, value: tuple[str, str, str]) -> None:
    """Draw values as dots with their limits, a line for each row's name and a colour for each group."""
    name, low, high = value
    rows = rows.dropna(subset=[name])
    said = rows.apply(_called, axis=1)
    lines = list(dict.fromkeys(said))
    groups = list(dict.fromkeys(rows["group"].astype(str))) if "group" in rows else ["all"]
    place = {line: i for i, line in enumerate(lines)}
    for i, group in enumerate(groups):
        own = rows["group"].astype(str) == group if "group" in rows else pd.Series(data=True, index=rows.index)
        at = said[own].map(place).to_numpy(dtype=float) + (i - (len(groups) - 1) / 2) * 0.6 / len(groups)
        colour = COLOURS[i % len(COLOURS)]
        if low in rows and high in rows:
            ax.hlines(at, rows.loc[own, low], rows.loc[own, high], color=colour, linewidth=1.6)
        shape = SHAPES[i % len(SHAPES)]
        ax.plot(rows.loc[own, name], at, shape, color=colour, label=group)
    ax.set_yticks(range(len(lines)), labels=lines)
    # From top to bottom, as the rows of a table are read.
    ax.set_ylim(len(lines) - 0.4, -0.6)
    if name in _RATIOS:
        from matplotlib.ticker import LogLocator, NullFormatter  # noqa: PLC0415 - as above

        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.axvline(1, color=_MUTED, linewidth=0.8)
    if len(groups) > 1:
        ax.legend(frameon=False)


def _called(row: pd.Series) -> str:
    """Name a row by what tells it from the others; a label stands for its term."""
    named = [n for n in _NAMES if n in row.index and pd.notna(row[n]) and row[n] != ""]
    if "label" in named:
        named = [n for n in named if n not in {"term", "variable"}]
    return ", ".join(f"{row[n]:g}" if COLUMNS[n].kind == "number" else str(row[n]) for n in named)


def html(
    rows: pd.DataFrame,
    kind: str,
    said: Sequence[str],
    summary: Mapping[str, Any],
    notes: Sequence[str],
) -> str:
    """Write a result as HTML for a notebook: what it is, its rows with readable digits, its facts and its caveats.

    `said` is what is estimated, of whom, up to which day. Every text is escaped: a level of the data is no markup.
    """
    head = "; ".join(html_.escape(text) for text in said if text)
    shown = rows.head(_MOST_ROWS)
    more = len(rows) - len(shown)
    written = pd.DataFrame({name: [_cell(str(name), value) for value in shown[name]] for name in shown}, dtype=object)
    facts = ", ".join(
        f"{name.replace('_', ' ')} {_number(value)}" for name, value in summary.items() if _is_number(value)
    )
    parts = [f"<p><strong>{html_.escape(kind)}</strong>: {head}</p>", written.to_html(index=False, border=0)]
    parts += [f"<p>... and {more:,} more rows; .tidy() has them all</p>"] if more else []
    parts += [f"<p>{html_.escape(facts)}</p>"] if facts else []
    parts += [f"<p><small>{html_.escape(note)}</small></p>" for note in notes]
    parts.append(f"<p><small><em>{html_.escape(_word(EXACT))}</em></small></p>")
    return "".join(parts)


def _cell(name: str, value: object) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):  # type: ignore[call-overload]
        return ""
    if not _is_number(value):
        return str(value)
    if name == "p_value":
        return "<0.001" if float(value) < 0.001 else f"{value:.3f}"  # type: ignore[arg-type]
    return _number(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _number(value: Any) -> str:  # noqa: ANN401 - int, float or numpy's
    number = float(value)
    if not np.isfinite(number):
        return "" if np.isnan(number) else ("∞" if number > 0 else "-∞")
    return f"{number:,.0f}" if number.is_integer() else f"{number:,.4g}"
