"""Numbers that are followed over the releases of a report: the rows of its data files, told by what they are about.

An estimate has the same name in every release that asks the same question (ADR 16), and a row of it the same texts. So
two numbers belong to one series where both are the same; nothing is matched by wording, place or order.
"""

from __future__ import annotations

__all__ = ["Number", "Question", "Row", "questions"]

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalkit.site._gather import Place, Release

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
