"""Identifiers as exports spoil them: one person in two spellings, several people in one."""

from __future__ import annotations

__all__ = ["identifier_rules", "n_spelt_otherwise", "participant_rules"]

import re
import unicodedata

import pandas as pd

from evalkit.intake._rules import Frame, Rule
from evalkit.spreadsheet import unseen

# How a spreadsheet writes a long number: its last digits are gone, and many people share what is left. The sign is
# always there, so that a code such as 1e5 is none.
_ROUNDED = r"^[0-9](?:[.,][0-9]+)?[eE][+][0-9]{2,}$"
_PADDED = re.compile(r"^(\D*)0+(?=\d)")
_FLOAT = re.compile(r"(?<=\d)[.,]0+$")


def _bare(text: str) -> str:
    """Return an identifier without what exports add: zeros before and after it, other digits, what is not seen."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(c for c in unicodedata.normalize("NFKC", text) if not unseen(c))
    text = "".join(text.split())
    return _PADDED.sub(r"\1", _FLOAT.sub("", text) if text[:1].isdigit() else text)


def n_spelt_otherwise(ids: pd.Series[str], known: pd.Series[str]) -> int:
    """Return how many of these identifiers are among the known ones, but for what exports add.

    >>> n_spelt_otherwise(pd.Series(["17", "17.0", "18", None]), pd.Series(["0017"]))
    2
    """
    there = {_bare(each).casefold() for each in known.dropna().unique()}
    return int(ids.dropna().map(lambda each: _bare(each).casefold() in there).sum())


def _other_spellings(ids: pd.Series[str], alike: pd.DataFrame) -> pd.Series[bool]:
    """Flag rows whose identifier is another than the first one of those that are alike."""
    first = ids.groupby([alike[column] for column in alike], dropna=False).transform("first")
    return ids.notna() & (ids != first)


def _keys(frame: Frame) -> pd.DataFrame:
    ids = frame["participant_id"]
    bare = ids.map({each: _bare(each) for each in ids.dropna().unique()})
    return pd.DataFrame({"bare": bare, "small": bare.str.casefold(), "day": frame["referral_date"]})


def _spelt_twice(frame: Frame) -> pd.Series[bool]:
    # Some systems tell people apart by letter case alone: on one day of referral it is the same person.
    ids, keys = frame["participant_id"], _keys(frame)
    return _other_spellings(ids, keys[["bare"]]) | _other_spellings(ids, keys[["small", "day"]])


def _in_another_case(frame: Frame) -> pd.Series[bool]:
    return _other_spellings(frame["participant_id"], _keys(frame)[["small"]]) & ~_spelt_twice(frame)


def participant_rules() -> list[Rule]:
    """Return the rules of identifiers among participants."""
    name = "participant_id"
    return [
        Rule(
            name,
            "identifier_spelt_twice",
            "error",
            "is another row's identifier in another spelling (zeros before or after it, letter case, kinds of digits, "
            "characters that are not seen): one person would count twice",
            _spelt_twice,
        ),
        Rule(
            name,
            "identifier_in_another_case",
            "warning",
            "differs from another row's identifier in letter case only",
            _in_another_case,
        ),
    ]


def identifier_rules() -> list[Rule]:
    """Return the rules of identifiers in every table."""
    return [
        Rule(
            "participant_id",
            "identifier_rounded",
            "error",
            "is a number as a spreadsheet shortens it: digits are lost; export identifiers as text",
            lambda frame: frame["participant_id"].str.contains(_ROUNDED, na=False).astype(bool),
        )
    ]
