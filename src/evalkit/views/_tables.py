"""Tables from safe numbers: great-tables makes them, and what only a screen would use is taken out."""

from __future__ import annotations

__all__ = ["html_table"]

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import great_tables as gt
import pandas as pd

from evalkit.words import translated

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
