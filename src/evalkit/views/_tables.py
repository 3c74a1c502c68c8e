"""Tables from safe numbers: a line for each row, columns under headings, each written in its own way.

great-tables makes them, and what only a screen would use is taken out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import great_tables as gt
import pandas as pd

from evalkit.words import NOT_SHOWN, decimal, interval, translated

__all__ = ["Column", "html_table", "in_brackets", "in_days", "limits", "number", "text", "written"]


_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
_WRAPPER = re.compile(r"</?div[^>]*>")
_ALIGNED = re.compile(r'<(t[hd])([^>]*?)\bclass="([^"]*)"([^>]*)>')
_IDS = re.compile(r'\s(?:id|headers|rowspan|data-quarto-[a-z-]+)="[^"]*"')


def html_table(
    rows: pd.DataFrame,
    headings: Mapping[str, str],
    *,
    numbers: Sequence[str] = (),
    note: str = "",
    groups: str | None = None,
) -> str:
    """Return a table as HTML that pandoc, Quarto and browsers read alike.

    Parameters
    ----------
    rows : pandas.DataFrame
        Texts, already rounded and written out; those in English are put into the language in force, as headings are.
    headings : mapping of str to str
        Columns to show, in order: their headings.
    numbers : sequence of str
        Columns aligned right.
    note : str
        A line below the table.
    groups : str, optional
        Column that groups the rows under a heading.

    Returns
    -------
    str
    """
    columns = [*headings, *([groups] if groups and groups not in headings else [])]
    texts = rows[columns].map(lambda cell: translated(cell) if isinstance(cell, str) else cell)
    table = gt.GT(texts, groupname_col=groups) if groups else gt.GT(texts)
    table = table.cols_label(cases={n: _as_it_stands(translated(told)) for n, told in headings.items() if n != groups})
    text = [name for name in headings if name not in numbers and name != groups]
    table = table.cols_align("left", columns=text) if text else table
    table = table.cols_align("right", columns=list(numbers)) if numbers else table
    if note:
        table = table.tab_source_note(note)
    return _lean(table.as_raw_html())


def _as_it_stands(heading: str) -> Any:  # noqa: ANN401 - great-tables' own type
    """Return a heading that is neither HTML nor a unit of measurement, which double braces would make it."""
    return gt.html(html.escape(heading).replace("{", "&#123;"))


def _lean(page: str) -> str:
    """Keep rows, cells and alignment; drop styles, wrappers and generated ids (which differ from run to run)."""
    page = _WRAPPER.sub("", _STYLE.sub("", page))
    page = _IDS.sub("", page)
    page = _ALIGNED.sub(_with_alignment, page)
    page = re.sub(r'\s(?:class)="gt_[^"]*"', "", page)
    return re.sub(r"\n\s*\n+", "\n", page).strip()


def _with_alignment(match: re.Match[str]) -> str:
    tag, before, classes, after = match.groups()
    # The style sheet is taken out, so each cell carries its own alignment.
    side = "right" if "gt_right" in classes else "center" if "gt_center" in classes else "left"
    style = "" if "sourcenote" in classes else f' style="text-align: {side}"'
    return f"<{tag}{before}{after}{style}>".replace("  ", " ")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: heading, and how a row is written in it."""

    heading: str
    write: Callable[[pd.Series], str]
    number: bool = True


def text(name: str, heading: str) -> Column:
    """Return a column of words."""
    return Column(heading, lambda row: str(row[name]), number=False)


def number(name: str, heading: str, write: Callable[[float | None], str]) -> Column:
    """Return a column of numbers, written by one of the writers of `evalkit.words`."""
    return Column(heading, lambda row: write(row[name]))


def limits(low: str, high: str, *, share: bool, digits: int) -> Column:
    """Return a column of confidence limits; empty where both are the same."""

    def write(row: pd.Series) -> str:
        # A share that is one by definition has limits on itself, which say nothing.
        return "" if row[low] == row[high] else interval(row[low], row[high], share=share, digits=digits)

    return Column("95% CI", write)


def in_brackets(row: pd.Series) -> str:
    """Write the limits of a share in brackets; nothing where both are the same."""
    return "" if row["conf_low"] == row["conf_high"] else f" ({interval(row['conf_low'], row['conf_high'])})"


def in_days(row: pd.Series) -> str:
    """Write a mean of days with its limits in brackets."""
    if not row["conf_low"] <= row["conf_high"]:
        return NOT_SHOWN if pd.isna(row["estimate"]) else decimal(row["estimate"], 0)
    return f"{decimal(row['estimate'], 0)} ({interval(row['conf_low'], row['conf_high'], share=False)})"


def written(rows: pd.DataFrame, columns: Sequence[Column], note: str, groups: pd.Series[str] | None = None) -> str:
    """Write rows as a table, with headings (`groups`) above the rows that have them and a line below."""
    texts = pd.DataFrame(
        {f"c{i}": [c.write(row) for _, row in rows.iterrows()] for i, c in enumerate(columns)}, dtype=object
    )
    if groups is not None:
        texts = texts.assign(part=groups.to_numpy())
    return html_table(
        texts,
        {f"c{i}": c.heading for i, c in enumerate(columns)},
        numbers=[f"c{i}" for i, c in enumerate(columns) if c.number],
        note=note,
        groups=None if groups is None else "part",
    )
