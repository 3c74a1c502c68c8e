"""Numbers that are followed over the releases of a report: the rows of its data files, told by what they are about.

An estimate has the same name in every release that asks the same question (ADR 16), and a row of it the same texts. So
two numbers belong to one series where both are the same; nothing is matched by wording, place or order. A question's
figure has a small chart for each row, all on one scale, with a line for each group over the releases.
"""

from __future__ import annotations

import csv
import json
import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import PercentFormatter

from evalkit.site._gather import Place, Release
from evalkit.views.style import INK, MUTED, arm_style, new_figure, svg_of, themed

__all__ = ["Number", "Question", "Row", "chart", "questions"]


_VALUES = (  # column of the value: columns of its limits
    ("estimate", "conf_low", "conf_high"),
    ("hazard_ratio", "hr_low", "hr_high"),
    ("mean", "conf_low", "conf_high"),
    ("median", "lower_quartile", "upper_quartile"),
    ("smd", "", ""),
)
_OF_EACH_ROW = "estimate_id"
"""The column of a table that puts the numbers of several estimates together, as page one does."""
# Columns whose texts make a row the same row in another release.
_NAMING = ("variable", "term", "contrast", "method", "score_from", "cause", "measure", _OF_EACH_ROW, "time")
_SHARES = frozenset({"kaplan_meier", "cumulative_incidence", "benchmark"})
"""Analyses that give shares without saying of how many each."""
_PEOPLE = "people"
"""The measure of rows whose number is how many people there are."""
_REPEATED = frozenset({"published", "a quarter ago", "a year ago"})
"""Measures of rows that repeat a figure of somebody else, or of an earlier release."""


@dataclass(frozen=True)
class Number:
    """One number of one release, as its CSV has it."""

    value: float | None  # None where it is not shown
    low: float | None = None
    high: float | None = None  # None, both, where it has no limits, too
    n: str = ""  # as it stands; empty where it does not apply or is not shown
    n_event: str = ""


@dataclass(frozen=True)
class Row:
    """One series: what it is about, and its number in each release."""

    about: Mapping[str, str]  # the texts (and day) that name it
    group: str
    numbers: Mapping[str, Number]  # by period; without those whose release does not have the row
    scale: str = "share"  # or "number"


@dataclass(frozen=True)
class Question:
    """What one estimate answers, over the releases."""

    label: str  # of the newest figure or table that shows it
    title: str  # its caption, without what changes from release to release
    rows: tuple[Row, ...]
    periods: tuple[str, ...]  # oldest first; those without a release, too, so that no line is drawn across them
    releases: int  # that answer it: one is nothing to follow yet
    headline: bool = False  # it is the report's page one: of several estimates, and looked for first


@dataclass(frozen=True)
class _Table:
    """One data file of one release."""

    period: str
    label: str
    title: str
    analysis: str
    columns: tuple[str, ...]
    lines: tuple[dict[str, str], ...]

    @property
    def headline(self) -> bool:
        """Whether each row names its own estimate."""
        return _OF_EACH_ROW in self.columns


def questions(places: Sequence[Place]) -> tuple[Question, ...]:
    """Follow the numbers of a report over its periods (newest first), of which the current release counts.

    In the order of the newest release that has a question, page one first.
    """
    found: dict[str, list[_Table]] = {}
    for place in places:
        if place.current is not None:
            for estimate, table in _tables(place.current, place.period.name):
                found.setdefault(estimate, []).append(table)
    every = [place.period.name for place in reversed(places)]
    made = (_question(tables, every) for tables in found.values())
    return tuple(sorted((question for question in made if question.rows), key=lambda question: not question.headline))


def _tables(release: Release, period: str) -> Iterator[tuple[str, _Table]]:
    """Yield the estimates of a release, each with one of its files: that of a table where it has one."""
    package = release.folder / "data" / "datapackage.json"
    if "data/datapackage.json" not in release.outputs:
        return
    resources = json.loads(package.read_text(encoding="utf-8"))["resources"]
    chosen: dict[str, Mapping[str, Any]] = {}
    for one in resources:
        if one["estimate"] and (one["estimate"] not in chosen or one["name"].startswith("tbl-")):
            chosen[one["estimate"]] = one
    for estimate, one in chosen.items():
        with (package.parent / one["path"]).open(encoding="utf-8", newline="") as stream:
            lines = tuple(csv.DictReader(stream))
        columns = tuple(field["name"] for field in one["schema"]["fields"])
        label = one["path"].removesuffix(".csv")
        table = _Table(period, label, one.get("caption", one["title"]), one["analysis"], columns, lines)
        yield (label if table.headline else estimate), table


def _question(tables: Sequence[_Table], every: Sequence[str]) -> Question:
    newest = tables[0]
    periods = tuple(every[every.index(tables[-1].period) : every.index(newest.period) + 1])
    rows: dict[tuple[str, ...], dict[str, Number]] = {}
    about: dict[tuple[str, ...], dict[str, str]] = {}
    for table in tables:
        for line in table.lines:
            if _is_followed(table, line):
                # A label may be worded anew; of a row that names its estimate it says the day that is quoted, too.
                label = line.get("label", "") if table.headline or "term" not in line else ""
                key = (label, *(line.get(name, "") for name in _NAMING), line.get("group", ""))
                rows.setdefault(key, {})[table.period] = _number(line)
                about.setdefault(key, line)
    made = tuple(
        Row(line, line.get("group") or line.get("contrast", ""), rows[key], _scale(newest, line))
        for key, line in _in_order(about)
    )
    return Question(newest.label, newest.title, made, periods, len(tables), newest.headline)


def _in_order(
    about: Mapping[tuple[str, ...], Mapping[str, str]],
) -> list[tuple[tuple[str, ...], Mapping[str, str]]]:
    """Put rows in the order of the newest release, and days of one cause in the order of time."""
    blocks: dict[tuple[str, ...], int] = {}
    for key in about:
        blocks.setdefault(key[:-2], len(blocks))
    return sorted(about.items(), key=lambda pair: (blocks[pair[0][:-2]], float(pair[0][-2] or 0)))


def _is_followed(table: _Table, line: Mapping[str, str]) -> bool:
    """Say whether a row is a number of its own: not a point of a drawn line, nor a series already."""
    if line.get("period") or line.get("measure") in _REPEATED or _value_columns(table.columns) is None:
        return False
    if not table.label.startswith("fig-") or "time" not in table.columns or "label" in table.columns:
        return True
    return bool(line.get("n_risk") and float(line["time"]))  # elsewhere a line is only drawn through


def _value_columns(columns: Iterable[str]) -> tuple[str, str, str] | None:
    there = set(columns)
    return next((names for names in _VALUES if names[0] in there), None)


def _given(line: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Return the columns that a row gives its number in: a table may hold shares and means."""
    return _value_columns(name for name, text in line.items() if text) or _value_columns(line)


def _number(line: Mapping[str, str]) -> Number:
    if line.get("measure") == _PEOPLE:
        return Number(_read(line["n"]))
    names = _given(line)
    value, low, high = (_read(line.get(name, "")) for name in names or ("", "", ""))
    return Number(value, low, high, line.get("n", ""), line.get("n_event", ""))


def _read(text: str) -> float | None:
    return float(text) if text else None


def _scale(table: _Table, line: Mapping[str, str]) -> str:
    if table.headline:
        return "number" if line.get("measure") == _PEOPLE else "share"
    counted = {"n", "n_event"} <= set(table.columns) or table.analysis in _SHARES
    return "share" if counted and (_given(line) or ("",))[0] == "estimate" else "number"


_ACROSS, _MANY = 3, 12  # small charts beside one another; from how many on it is one more
# Inches: every small chart is alike, so nothing has to be measured, which would take half of a site's time.
_HEIGHT, _TITLE, _BELOW = 1.75, 0.42, 0.3  # of a row of charts; of it above the frame, and below
_HEAD, _LEFT, _GAP, _RIGHT = 0.3, 0.42, 0.5, 0.1  # the legend; beside the frames, and between them
_CHARACTERS = 100  # of titles, in all the columns


def chart(question: Question, panels: Sequence[tuple[str, Sequence[Row]]], names: dict[str, str]) -> str:
    """Draw a question's numbers over the releases, as SVG with letters as outlines: same numbers, same bytes.

    `panels` are the small charts: title and series; `names`, how the reader's language calls each group, in the order
    of colours, which is the same in each figure.
    """
    groups = [*names]
    styles = arm_style(groups)
    across = _ACROSS + (len(panels) > _MANY)
    down = math.ceil(len(panels) / across)
    with themed():
        figure = new_figure(_HEIGHT * down + _HEAD)
        axes = figure.subplots(down, across, squeeze=False, gridspec_kw=_spaces(figure, across))
        figure.set_layout_engine("none")
        for place, (title, rows) in zip(axes.flat, panels, strict=False):
            for row in rows:
                _line(place, question.periods, row, styles.get(row.group, {"color": MUTED, "linewidth": 1.8}))
            _dress(place, "\n".join(textwrap.wrap(title, _CHARACTERS // across)), question.periods, rows[0])
            alike = [r for _, others in panels for r in others if _kind(r) == _kind(rows[0])]
            place.set_ylim(*_limits(alike, rows[0].scale))
        for place in axes.flat[len(panels) :]:
            place.set_axis_off()
        drawn = {line.get_label(): line for place in axes.flat for line in place.get_lines()}
        shown = [group for group in groups if group in drawn]
        if len(shown) > 1:
            lines, said = [drawn[group] for group in shown], [names[group] for group in shown]
            place = {"loc": "upper left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
            figure.legend(lines, said, ncols=min(len(shown), across), frameon=False, **place)
    return svg_of(figure)


def _spaces(figure: Any, across: int) -> dict[str, float]:  # noqa: ANN401 - untyped
    """Return where the frames stand, as shares of the figure and of a frame."""
    width, height = figure.get_size_inches()
    frame = (width - _LEFT - _RIGHT - _GAP * (across - 1)) / across, _HEIGHT - _TITLE - _BELOW
    return {
        "left": _LEFT / width,
        "right": 1 - _RIGHT / width,
        "top": 1 - (_HEAD + _TITLE) / height,
        "bottom": _BELOW / height,
        "wspace": _GAP / frame[0],
        "hspace": (_TITLE + _BELOW) / frame[1],
    }


def _kind(row: Row) -> tuple[str, bool]:
    """Say what may stand on one axis."""
    return row.scale, row.about.get("measure") == "difference"


def _line(place: Any, periods: Sequence[str], row: Row, style: dict[str, Any]) -> None:  # noqa: ANN401 - untyped
    numbers = [row.numbers.get(period, Number(None)) for period in periods]
    # Not a number breaks the line: nothing is drawn across a period that shows none.
    values = [math.nan if one.value is None else one.value for one in numbers]
    place.plot(range(len(periods)), values, marker="o", markersize=3.5, label=row.group, **style)
    limits = [(i, n.low, n.high) for i, n in enumerate(numbers) if None not in (n.value, n.low, n.high)]
    if limits:
        place.vlines(*zip(*limits, strict=True), color=style["color"], linewidth=0.9, alpha=0.55)


def _dress(place: Any, title: str, periods: Sequence[str], row: Row) -> None:  # noqa: ANN401 - untyped
    last = len(periods) - 1
    place.set_title(title, fontsize=8.5, color=INK)
    place.set_xlim(-0.3, last + 0.3)
    place.set_xticks([0, last], [periods[0], periods[last]], fontsize=7.5)
    place.tick_params(axis="y", labelsize=7.5)
    place.locator_params(axis="y", nbins=4)
    if _kind(row) == ("share", True):  # points, not percent of something
        place.yaxis.set_major_formatter(lambda value, _: f"{round(100 * value):+d}".replace("-", "−"))
    elif row.scale == "share":
        place.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _limits(rows: Iterable[Row], scale: str) -> tuple[float, float]:
    """Return the ends of the axis: the same for all small charts, from zero where nothing lies below it."""
    ends = [end for row in rows for n in row.numbers.values() for end in (n.value, n.low, n.high) if end is not None]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    # A difference goes both ways, and its zero has to be seen.
    if low < 0:
        return 1.1 * low, max(1.1 * high, 0.0)
    # A share ends at one, with room for its mark.
    return 0.0, min(1.03, max(0.1, 1.1 * high)) if scale == "share" else 1.1 * high or 1.0
