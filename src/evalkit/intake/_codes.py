"""Values that the protocol does not name: found, counted, and brought to the nearest word that it does name.

They are codes of a provider's system as a rule, but nobody can be sure of that: they never stand in a message, only in
the study's private folder and on the terminal of whoever asks for them.
"""

from __future__ import annotations

__all__ = ["Codes", "codes_in", "folded", "spelt_alike"]

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from evalkit.intake._spec import TableSpec
from evalkit.spreadsheet import unseen

_BLANKS = re.compile(r"[\s_-]+")
# As in errors.did_you_mean: below it, words that share a few letters are proposed for one another.
_NEAR = 0.6


def folded(text: str) -> str:
    """Bring a value to what a reader calls the same word: no letter case, nothing unseen; blanks and hyphens are one.

    >>> folded(" DV\u00a0Arrest\u200b"), folded("dv_arrest")
    ('dv_arrest', 'dv_arrest')
    """
    seen = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isspace() or not unseen(c))
    # Signs alone ("-" for nothing) stay what they are: else all of them would be one word, the empty one.
    return _BLANKS.sub("_", seen.casefold()).strip("_") or text


def nearest(code: str, named: Iterable[str]) -> str:
    """Return the named value that is most like a code; empty when none is near."""
    words: dict[str, str] = {}
    for value in named:
        words.setdefault(folded(value), value)
    near = difflib.get_close_matches(folded(code), words, n=1, cutoff=_NEAR)
    return words[near[0]] if near else ""


def spelt_alike(values: pd.Series) -> dict[str, str]:
    """Return the spellings of a column without a list of values: each to the one that most rows have."""
    counts = values.dropna().value_counts()
    # Of as many rows the first in the alphabet: rows come from a database in any order.
    ordered = sorted(counts.index, key=lambda value: (-counts[value], value))
    usual: dict[str, str] = {}
    for value in ordered:
        usual.setdefault(folded(value), value)
    return {value: usual[folded(value)] for value in ordered if usual[folded(value)] != value}


@dataclass(frozen=True)
class Codes:
    """Values of a study's tables that its protocol does not name. Private.

    Attributes
    ----------
    counts : mapping
        (table, column): code: how many rows hold it.
    named : mapping
        (table, column): the values that the protocol names; where it names none, the usual spellings.
    """

    counts: Mapping[tuple[str, str], Mapping[str, int]]
    named: Mapping[tuple[str, str], tuple[str, ...]]

    def __bool__(self) -> bool:
        return bool(self.counts)

    def to_json(self) -> str:
        """Return table, column, code and number of rows as JSON.

        Returns
        -------
        str
        """
        found: dict[str, dict[str, Mapping[str, int]]] = {}
        for (table, column), counts in self.counts.items():
            found.setdefault(table, {})[column] = dict(counts)
        return json.dumps(found, indent=2, ensure_ascii=True) + "\n"

    def proposal(self) -> str:
        """Return YAML for the protocol: each code with its rows, and what it may stand for.

        Returns
        -------
        str
            What no named value is near to stands in it as a comment.
        """
        if not self.counts:
            return "Every value is one that the protocol names."
        lines = ["# Proposed, by spelling alone: check each line, then put it into the protocol.", "tables:"]
        for table in dict.fromkeys(table for table, _ in self.counts):
            lines += [f"  {table}:", "    values:"]
            for at in (at for at in self.counts if at[0] == table):
                lines += self._column(at)
        return "\n".join([*lines, "# What is to be kept out is listed under ignore: {table: {column: [value]}}."])

    def _column(self, at: tuple[str, str]) -> list[str]:
        named = self.named[at]
        lines = [f"      {at[1]}:  # named: {', '.join(map(_quoted, named))}"]
        for code, n in self.counts[at].items():
            near = nearest(code, named)
            rows = f"{n:,} row{'s' if n > 1 else ''}"
            if near:
                lines.append(f"        {_quoted(code)}: {_quoted(near)}  # {rows}")
            else:
                lines.append(f"        # {_quoted(code)}: ?  # {rows}, like none of them")
        return lines


def _quoted(text: str) -> str:
    """Write a text in the quotes of YAML; what is not seen is written out."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def codes_in(frames: Mapping[str, pd.DataFrame], specs: Mapping[str, TableSpec]) -> Codes:
    """Find the values of tables, of which only the rows that stand are given, that the protocol does not name."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    named: dict[tuple[str, str], tuple[str, ...]] = {}
    for name, frame in frames.items():
        # Days, numbers and identifiers have no list of words: what is wrong in them is a finding of its own.
        for column in (c for c in specs[name].columns if c.kind == "text"):
            values = frame[column.name].dropna()
            if column.allowed is None:
                usual = spelt_alike(values)
                others, words = values[values.isin(usual)], tuple(dict.fromkeys(usual.values()))
            else:
                others, words = values[~values.isin(column.allowed)], column.allowed
            if len(others):
                counts[name, column.name] = {str(v): int(n) for v, n in others.value_counts().items()}
                named[name, column.name] = words
    return Codes(counts, named)
