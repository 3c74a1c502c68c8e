"""An export as it lies there: files and sheets, each with its header line, and what stands below the table.

A column of it is shown as somebody may see it who must see nobody's value: shapes, counts, frequent words. Its days are
written in one form: of the forms that read all of the column, the one, or the several that it may be.
"""

from __future__ import annotations

__all__ = [
    "FORMS",
    "MOST_WORDS",
    "Part",
    "forms_of",
    "is_day",
    "n_unread",
    "read_parts",
    "shape",
    "shape_of",
    "spoken",
    "texts",
    "words_in",
]

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from evalkit.errors import DataError
from evalkit.intake._files import lines_of, read_file
from evalkit.intake._raw import (
    LOOKED_THROUGH,
    MISSING,
    Broken,
    Line,
    Reading,
    Unreadable,
    Wanted,
    as_text,
    convert,
    names_in,
)
from evalkit.intake._workbook import BOOKS, sheets_of
from evalkit.protocol import Table

ISO = ""
"""The form YYYY-MM-DD, which needs no word in the protocol; also with a time behind it."""
FORMS = (
    ISO,
    *("%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y", "%m.%d.%Y", "%Y/%m/%d", "%Y%m%d"),
    *("%m/%d/%y", "%d/%m/%y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y"),
    *("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d/%m/%Y %I:%M %p"),
    *("%m/%d/%Y, %I:%M %p", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S"),
)
_SPOKEN = {"m": "month", "b": "month", "B": "month", "d": "day", "Y": "year", "y": "year"}
# Asked is only whether a text can be read, so that any zone does.
_UTC = ZoneInfo("UTC")


def is_day(cell: object) -> bool:
    """Say whether a cell is typed as a day, so that it needs no form."""
    return isinstance(cell, date | datetime)


def forms_of(cells: Iterable[object]) -> list[str]:
    """Return the forms that read every text of a column, `ISO` first; empty where none does, or nothing is to be read.

    Cells that are typed as days, and empty ones, do not count.
    """
    texts = list(dict.fromkeys(c.strip() for c in cells if isinstance(c, str) and c.strip() not in MISSING))
    if not texts:
        return []
    # Most forms fail among the first texts: only the others are tried on a long column whole.
    return [form for form in FORMS if not n_unread(texts[:50], form) and not n_unread(texts, form)]


def n_unread(texts: Sequence[str], form: str) -> int:
    """Return how many texts cannot be read in a form; as `evalkit.intake` reads them."""
    return len(convert(texts, Reading("date", {}, _UTC, form or None))[1])


def spoken(form: str) -> str:
    """Return a form in words.

    >>> spoken("%d/%m/%Y"), spoken(""), spoken("%b %d, %Y")
    ('day/month/year', 'year-month-day', 'month day, year')
    """
    text = form or "%Y-%m-%d"
    for code, word in _SPOKEN.items():
        text = text.replace(f"%{code}", word)
    return text.split("%")[0].strip(" ,:") + (" and a time" if "%" in text else "")


MOST_WORDS = 40
"""A column with more different texts holds no list of words, but names, notes or codes: none of them is shown."""


def texts(cells: Sequence[object]) -> list[str]:
    """Return the cells that hold something, as text."""
    found = []
    for cell in cells:
        try:
            text = None if isinstance(cell, Broken) else as_text(cell)
        except Unreadable:
            continue
        if text is not None:
            found.append(text)
    return found


def shape_of(cells: Sequence[object], smallest: int) -> str:
    """Say what a column's cells look like: digits as ``d``, letters as ``a``.

    A shape of fewer cells than ``smallest`` is not shown: a rare one may be somebody's.

    >>> shape_of(["03/04/2022"] * 12 + ["3/4/2022", None], 11)
    'dd/dd/dddd, 12 of 14; others, 1; empty, 1'
    """
    days = sum(map(is_day, cells))
    counts = Counter("typed as a day" if is_day(c) else shape(t) for c in cells for t in texts([c]))
    shown = [(kind, n) for kind, n in counts.most_common(3) if n >= smallest]
    parts = [f"{kind}, {n:,} of {len(cells):,}" for kind, n in shown]
    others, empty = sum(counts.values()) - sum(n for _, n in shown), len(cells) - sum(counts.values())
    parts += [f"others, {others:,}"] if others else []
    parts += [f"empty, {empty:,}"] if empty else []
    return "; ".join(parts) if cells and (counts or days) else "empty"


def shape(text: str) -> str:
    """Return a text's signs with every digit and run of letters blotted out; of a long one only that it is long."""
    # A long text has signs and numbers enough to be known again by its shape.
    if len(text) > 24:
        return "a long text"
    return re.sub(r"\d", "d", re.sub(r"[^\W\d_]+", "a", text))


def words_in(cells: Sequence[object]) -> Counter[str]:
    """Count the different texts of a column. Private."""
    return Counter(texts(cells))


_TEXTS = {".csv", ".tsv", ".txt"}
_MOST_BELOW = 20  # lines below a table that are looked through for totals and notes
_TOTAL = re.compile(
    r"(?i)\s*(?:grand |sub)?totals?\b|\s*(?:sum|count|average|report|number of|end of|copyright|confidential|"
    r"generated|printed)\b|\s*(?:records?|rows?)\s*(?::|$)"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One file or sheet of an export. Private."""

    file: Path
    sheet: str  # empty where the file has none
    names: tuple[str, ...]  # its header
    lines: list[Line]
    # Lines above its header and below its last row that are no part of it, as the protocol counts them.
    skip_rows: int = 0
    skip_footer: int = 0
    encoding: str = ""  # of a text; empty where any of them reads it
    epoch: datetime | None = None  # day zero of serial dates, in a workbook

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.file.name}, sheet '{self.sheet}'" if self.sheet else self.file.name

    def column(self, name: str) -> list[Any]:
        """Return the cells of a column."""
        place = self.names.index(name)
        return [cells[place] if place < len(cells) else None for _, cells in self.lines]


def read_parts(files: Sequence[Path], table: str) -> list[Part]:
    """Read the files of an export, each sheet a part; those that hold a table. ``table`` is its name, for messages.

    A `DataError` where a file cannot be read, or none holds a table.
    """
    parts: list[Part] = []
    for file in files:
        where, suffix = f"{table}: file {file.name}", file.suffix.lower()
        if suffix in BOOKS:
            sheets, epoch = sheets_of(file, where)
            parts += [p for name, lines in sheets.items() if (p := _part(file, name, lines, epoch=epoch))]
        elif suffix in _TEXTS:
            encoding, lines = lines_of(file, where)
            parts += [p for p in [_part(file, "", lines, encoding=encoding)] if p]
        elif suffix == ".parquet":
            raw = read_file(file, Table(), Wanted(table))
            rows = list(zip(*raw.columns.values(), strict=True))
            parts.append(Part(file, "", tuple(raw.columns), [(n, list(r)) for n, r in enumerate(rows, start=1)]))
        else:
            msg = f"{where}: map reads CSV, Excel and Parquet; of a database, write columns: and values: by hand"
            raise DataError(msg)
    if not parts:
        msg = f"{table}: none of the files holds a table with a header line"
        raise DataError(msg)
    return parts


def _part(
    file: Path, sheet: str, lines: list[Line], *, encoding: str = "", epoch: datetime | None = None
) -> Part | None:
    """Find a table in lines: below titles, above totals."""
    if not lines:
        return None
    head = _header_place(lines)
    below = lines[head + 1 :]
    footer = _footer_length(below)
    names = tuple("" if cell is None else next(iter(names_in([cell]))) for cell in lines[head][1])
    if not any(names):
        return None
    skipped = lines[head][0] - 1 if head else 0  # empty lines above a header are skipped anyhow
    rows = len(below) - footer
    # Of a sheet its rows are counted, of a text its lines, of which a note in quotes may have several.
    left_out = footer if sheet else sum(_n_lines(cells) for _, cells in below[rows:])
    return Part(file, sheet, names, below[:rows], skipped, left_out, encoding, epoch)


def _n_lines(cells: Sequence[object]) -> int:
    """Return how many lines that are not empty a record of a text has."""
    return sum(bool(line.strip()) for line in ",".join(str(cell or "") for cell in cells).splitlines())


def _full(cells: Sequence[object]) -> int:
    return sum(cell is not None and str(cell).strip() != "" for cell in cells)


def _header_place(lines: Sequence[Line]) -> int:
    """Return which line is the header: the first that is as wide as the table is, and of different texts."""
    first = lines[:LOOKED_THROUGH]
    # Over many more rows than titles there are, so that these do not say how wide the table is.
    usual = statistics.median(_full(cells) for _, cells in lines[: 10 * LOOKED_THROUGH])
    for place, (_, cells) in enumerate(first):
        texts = [cell.strip() for cell in cells if isinstance(cell, str) and cell.strip()]
        if len(texts) == _full(cells) and len(set(texts)) == len(texts) and len(texts) >= max(2, 0.7 * usual):
            return place
    return 0


def _footer_length(lines: Sequence[Line]) -> int:
    """Return how many of the last lines are no rows of the table: totals, notes, names of reports."""
    if not lines:
        return 0
    usual = statistics.median(_full(cells) for _, cells in lines)
    sparse = max(1, usual / 3)
    shapes = [set(map(_kind, cells)) for cells in zip_longest(*(c for _, c in lines if _full(c) > sparse))]
    length = 0
    for _, cells in reversed(lines[-_MOST_BELOW:]):
        first = next((str(cell) for cell in cells if cell is not None and str(cell).strip()), "")
        # Of somebody who was referred yesterday little is known yet; but it looks like what stands above it.
        kinds = [(place, kind) for place, cell in enumerate(cells) if (kind := _kind(cell))]
        alike = len(kinds) > 1 and all(place < len(shapes) and kind in shapes[place] for place, kind in kinds)
        if not _TOTAL.match(first) and (alike or len(kinds) > sparse):
            break
        length += 1
    return length


def _kind(cell: object) -> str:
    """Return what a cell looks like; empty where nothing stands in it."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return ""
    return shape(cell) if isinstance(cell, str) else type(cell).__name__
