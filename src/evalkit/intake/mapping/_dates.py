"""In which form days are written: of the forms that read all of a column, the one, or the several that it may be."""

from __future__ import annotations

__all__ = ["FORMS", "forms_of", "is_day", "n_unread", "spoken"]

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from evalkit.intake._convert import MISSING, Reading, convert

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
