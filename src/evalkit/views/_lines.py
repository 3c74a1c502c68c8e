"""Lines of a table: which columns, under which headings, written how."""

from __future__ import annotations

__all__ = ["Column", "in_brackets", "in_days", "limits", "number", "text", "written"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from evalkit.views._tables import html_table
from evalkit.words import NOT_SHOWN, decimal, interval


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
