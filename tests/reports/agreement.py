"""A notebook run cell by cell in this process: what each output says, and every safe number behind it."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from evalkit.disclosure import Safe
from evalkit.report import Report
from evalkit.seal import MARK
from evalkit.views import Gap
from evalkit.words import within
from reports.claims import Claims, rounded, under_another_name
from reports.grid import wrong_in_grid
from views.drawn import cells
from views.seen import CURVES, INCIDENCES, is_empty, safe_numbers

_SHARES = {"estimate", "conf_low", "conf_high", "share", "baseline"}
RULES = {"about", "cover", "deviations", "groups", "methods", "absent", "dictionary", "provenance", "restatements"}
"""Kinds of output that tell the study's own rules and files, and no estimate."""
_NUMBER = re.compile(r"(?<![\w.])([+\u2212-]?\d[\d,]*(?:\.\d+)?)(%?)")


@dataclass(frozen=True)
class Shown:
    """An output: the cell it comes from, its text, and what display says of it."""

    cell: int
    text: str
    mark: dict[str, Any]

    @property
    def shows(self) -> str:
        return str(self.mark["shows"])

    @property
    def ids(self) -> set[str]:
        return {*([self.mark["estimate"]] if "estimate" in self.mark else []), *self.mark.get("also", {})}

    @property
    def data(self) -> pd.DataFrame | None:
        found = self.mark.get("data")
        return None if found is None else pd.DataFrame(found["rows"], columns=found["columns"])


@dataclass(frozen=True)
class Ran:
    """A notebook that was run: its outputs, and by estimate what was asked of disclosure control."""

    outputs: list[Shown] = field(default_factory=list)
    safe: dict[str, list[Safe]] = field(default_factory=dict)
    gaps: dict[str, list[Gap]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    executed: Any = field(default_factory=nbformat.v4.new_notebook)

    def rows(self, shown: Shown) -> pd.DataFrame:
        """Return every safe row behind an output: its own data, and those of its estimates."""
        own = [] if shown.data is None else [shown.data]
        return pd.concat([*own, self.behind(shown)], ignore_index=True)

    def behind(self, shown: Shown) -> pd.DataFrame:
        """Return the safe rows of an output's estimates."""
        parts = [part for i in shown.ids for one in self.safe.get(i, []) for part in _numbers(one)]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def beginning(self, shown: Shown) -> pd.DataFrame:
        """Return with how many people the curves behind an output begin."""
        curves = [s.estimates.tidy() for i in shown.ids for s in self.safe.get(i, []) if s.estimates.kind in INCIDENCES]
        return pd.concat(
            [pd.DataFrame(), *(c.groupby("group")["n_risk"].max().reset_index() for c in curves if len(c))]
        )

    def between(self, shown: Shown) -> list[Gap]:
        return [gap for i in shown.ids for gap in self.gaps.get(i, [])]

    def astray(self, shown: Shown) -> list[str]:
        """Return what an output says of a group that no safe row of that group bears out."""
        rows, (focus, comparison) = self.rows(shown), self.groups
        if shown.shows == "table":
            found = under_another_name(cells(shown.text), rows, self.groups) if len(rows) else []
            if 'class="indicators"' in shown.text:
                known = pd.concat([self.behind(shown), self.beginning(shown)], ignore_index=True)
                found += wrong_in_grid(shown.text, known, self.between(shown), (focus, comparison))
            return found
        return Claims(rows, self.between(shown), (focus, comparison)).wrong(told(shown))


@functools.cache
def _numbers(safe: Safe) -> tuple[pd.DataFrame, ...]:
    """Return every safe row of an estimate: made once, though many outputs are held against it."""
    if is_empty(safe):
        return ()
    own = () if safe.estimates.kind in CURVES | INCIDENCES else (safe.estimates.tidy(),)
    return (safe_numbers(safe), pd.DataFrame([dict(safe.estimates.summary)]), *own)


def run(notebook: Path, **parameters: object) -> Ran:
    """Run a notebook as a researcher does, from its folder, without a kernel; parameters as a render sets them."""
    ran = Ran()
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(notebook.parent)
        patched.delenv("EVALKIT_RENDER", raising=False)
        _listen(patched, ran)
        shell = InteractiveShell.instance()
        try:
            for number, cell in enumerate(nbformat.read(notebook, as_version=4).cells, start=1):
                if cell.cell_type == "code":
                    given = parameters if "parameters" in cell.metadata.get("tags", []) else {}
                    more = "".join(f"\n{name} = {value!r}" for name, value in given.items())
                    captured = _captured(shell, cell.source + more, number)
                    ran.outputs.extend(_shown(captured, number))
                    cell.outputs = [
                        nbformat.v4.new_output("display_data", o.data, metadata=o.metadata) for o in captured
                    ]
                ran.executed.cells.append(cell)
        finally:
            InteractiveShell.clear_instance()
    return ran


def _listen(patched: pytest.MonkeyPatch, ran: Ran) -> None:
    """Keep what a report asks of disclosure control."""
    safe, gaps = Report.safe, Report.gaps

    def seen(self: Report, estimates: Any) -> Safe:
        made = safe(self, estimates)
        ran.groups[:] = self.groups
        ran.safe.setdefault(made.estimates.id, []).append(made)
        return made

    def differing(self: Report, one: Safe, exact: Any = None) -> Any:
        found = gaps(self, one)
        ran.gaps.setdefault(one.estimates.id, []).extend(found.values())
        return found

    patched.setattr(Report, "safe", seen)
    patched.setattr(Report, "gaps", differing)


def _captured(shell: InteractiveShell, source: str, number: int) -> list[Any]:
    with capture_output() as captured:
        done = shell.run_cell(source)
    done.raise_error()
    assert captured.stdout == "", number
    return list(captured.outputs)


def _shown(outputs: list[Any], number: int) -> Iterator[Shown]:
    for output in outputs:
        assert MARK in output.metadata, number
        mark = output.metadata[MARK]
        text = next(
            output.data[mime] for mime in ("image/svg+xml", "text/html", "text/markdown") if mime in output.data
        )
        yield Shown(number, text, mark)


def plain(markup: str) -> str:
    """Return the words of a piece of HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def told(shown: Shown) -> str:
    """Return everything that an output tells its readers in words and labels."""
    if shown.shows == "figure":
        return " | ".join([*labels_of(shown.text), shown.mark.get("alt", ""), shown.mark.get("headline", "")])
    if shown.shows == "table":  # with what its small pictures say
        return " | ".join([plain(shown.text), *map(html.unescape, re.findall(r'aria-label="([^"]*)"', shown.text))])
    return shown.text


def labels_of(svg: str) -> list[str]:
    """Return the texts of a figure but for those of its axes: its letters are outlines, its words comments."""
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))  # noqa: S314 - our own file
    return list(_comments(ElementTree.fromstring(svg, parser)))  # noqa: S314


def _comments(element: ElementTree.Element) -> Iterator[str]:
    for child in element:
        if child.tag is ElementTree.Comment:
            yield str(child.text).strip()
        elif not str(child.get("id", "")).startswith("matplotlib.axis"):
            yield from _comments(child)


def numbers_of(text: str) -> list[tuple[str, str]]:
    """Return numbers with the per cent sign that follows; dates, quarters and the level of the limits left out."""
    text = re.sub(r"95% (?:CI|confidence|limits)", " ", text)
    bare = re.sub(r"\d{4}-\d\d-\d\d|\b\d{4}Q\d\b|[A-Z][a-z]+ \d{1,2}, \d{4}|@[\w-]+|\b(?:19|20)\d\d\b", " ", text)
    return [(n.rstrip(",").replace("-", "\u2212"), sign) for n, sign in _NUMBER.findall(bare)]


def written(rows: pd.DataFrame, gaps: list[Gap], *, rest: bool = False) -> tuple[set[str], set[str]]:
    """Return the ways in which a report may write safe numbers: as percentages (or what they leave), and otherwise."""
    shares, others = set(), {"0.0", "0.00", "0.001"}  # what is smaller is said to be
    for name in rows.select_dtypes(["number", "object"]):
        for value in pd.to_numeric(rows[name], errors="coerce").dropna().astype(float):
            if name in _SHARES:
                shares |= {rounded(100 * value), rounded(100 * value, 1)}
                others |= {
                    f"{float(rounded(100 * value, 1)):+.1f}",
                    rounded(100 * value, 1),
                    rounded(abs(100 * value)),
                    f"{float(rounded(100 * value)):+.0f}",
                }
            if name in {"estimate", "value"} and value > 20:
                others.add(f"{5 * round(value / 5):,}")  # effective sizes of samples are rounded like counts
            if name in {"hr_low", "hr_high", "or_low", "or_high"}:  # said as how much lower or higher a rate may be
                shares.add(rounded(100 * abs(value - 1)))
            if name == "q":  # a level that was asked for, as 25%
                shares.add(rounded(100 * value))
            if name == "time_from":
                others.add(f"{value / 7 + 1:.0f}")
            others |= {
                f"{float(rounded(one, digits)):,.{digits}f}" for one in (value, abs(value)) for digits in range(4)
            }
    if rest and "n_risk" in rows:  # of a curve without an event, the share with it is said
        curve = rows[rows["cause"].isna()] if "cause" in rows else rows
        limits = curve[[*(_SHARES & set(curve))]].to_numpy(dtype=float).ravel()
        shares |= {rounded(100 * (1 - value)) for value in limits if np.isfinite(value)}
    for gap in gaps:
        for value in (gap.estimate, gap.low, gap.high):
            whole, tenth = float(rounded(100 * value)), float(rounded(100 * value, 1))
            others |= {rounded(abs(100 * value)), f"{whole:+.0f}", f"{tenth:+.1f}", f"{abs(value):.0f}"}
    texts = " ".join(rows.select_dtypes("object").astype(str).to_numpy().ravel()) if len(rows) else ""
    others |= {n for n, _ in numbers_of(texts)}
    return shares, {one.replace("-", "\u2212") for one in others}


def astray(text: str, rows: pd.DataFrame, gaps: list[Gap], rules: set[str], *, rest: bool = False) -> list[str]:
    """Return the numbers of a text that are neither among its safe numbers nor one of the study's rules."""
    shares, others = written(rows, gaps, rest=rest)
    wrong = []
    for number, sign in numbers_of(text):
        plain = number.lstrip("+\u2212") if sign else number
        if not (plain in shares if sign else number in others | rules):
            wrong.append(number + sign)
    return wrong


WITH_LIMITS = re.compile(r"(\d+)% (in [^()]+?) \((\d+)% to (\d+)%(?:; ([\d,]+) of ([\d,]+) people)?\)")


def unlike_any_row(text: str, rows: pd.DataFrame) -> list[str]:
    """Return shares whose group, limits and people do not stand together in one safe row."""
    if rows.empty or "conf_low" not in rows or "group" not in rows:
        return ["".join(m) for m in WITH_LIMITS.findall(text)]
    known = set()
    for row in rows.dropna(subset=["group", "estimate", "conf_low", "conf_high"]).to_dict("records"):
        limits = tuple(rounded(100 * row[name]) for name in ("estimate", "conf_low", "conf_high"))
        where = within(row["group"])
        known.add((where, *limits, "", ""))
        if pd.notna(row.get("n_event")):
            known.add((where, *limits, f"{row['n_event']:,.0f}", f"{row['n']:,.0f}"))
    return [m[0] for m in WITH_LIMITS.finditer(text) if (m[2], m[1], *m.groups("")[2:]) not in known]
