"""What a rule about raw tables is, and what rules look at: columns, identifiers, and values that nobody named.

Each rule is a name, a severity, a sentence, and which rows break it. Exports spoil identifiers: one person in two
spellings, several people in one. Values that the protocol does not name are found, counted, and brought to the nearest
word that it does name. They are codes of a provider's system as a rule, but nobody can be sure of that: they never
stand in a message, only in the study's private folder and on the terminal of whoever asks for them.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from evalkit.intake._findings import Severity
from evalkit.intake._spec import ColumnSpec, TableSpec
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


Frame = pd.DataFrame
_SHOWN = 20  # a list of all of a state's sites would hide what is wrong

# An address of mail, words, a social security number, a telephone number of the United States.
_NOT_OPAQUE = r"@|\s|^\d{3}-\d{2}-\d{4}$|^\(?\d{3}\)?[-.]\d{3}[-.]\d{4}$"


@dataclass(frozen=True)
class Rule:
    """One rule about a table's rows."""

    column: str  # empty for several
    name: str  # stable from version to version: excuses and tests name it
    severity: Severity
    text: str  # what a row that breaks it is like, in words
    # A table's standing rows, with the helper columns of `_validate`, in; one flag per row out.
    broken: Callable[[Frame], pd.Series[bool]]


def after(first: str, second: str) -> Callable[[Frame], pd.Series[bool]]:
    """Return what flags rows whose first day is after the second; a missing day breaks nothing."""
    return lambda frame: frame[first] > frame[second]


def doubled(columns: list[str]) -> Callable[[Frame], pd.Series[bool]]:
    """Return what flags rows that repeat an earlier one in these columns, of which the first must have a value."""
    return lambda frame: frame.duplicated(columns, keep="first") & frame[columns[0]].notna()


def _later_than(column: str, day: date) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame[column] > pd.Timestamp(day)


def _outside(column: ColumnSpec) -> Callable[[Frame], pd.Series[bool]]:
    low = float("-inf") if column.minimum is None else column.minimum
    high = float("inf") if column.maximum is None else column.maximum
    return lambda frame: frame[column.name].notna() & ~frame[column.name].between(low, high)


def _not_in(column: str, allowed: tuple[str, ...]) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame[column].notna() & ~frame[column].isin(allowed)


def _alike(column: str) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame[column].isin(spelt_alike(frame[column]))


def _empty(column: str) -> Callable[[Frame], pd.Series[bool]]:
    return lambda frame: frame[column].isna()


def _not_opaque(frame: Frame) -> pd.Series[bool]:
    names = pd.Series(frame["participant_id"].unique(), dtype=object)  # a person has many rows
    return frame["participant_id"].isin(names[names.str.contains(_NOT_OPAQUE, na=False).astype(bool)])


def column_rules(spec: TableSpec, today: date) -> list[Rule]:
    """Return the rules that follow from a table's columns; days later than ``today`` have not happened yet."""
    rules = []
    for column in spec.columns:
        name = column.name
        if column.filled:
            rules.append(Rule(name, "missing_value", "error", "is empty", _empty(name)))
        severe: Severity = "error" if column.counted else "warning"
        if column.allowed is not None:
            text = f"is none of the values that the protocol names: {_listed(column.allowed)}"
            rules.append(Rule(name, "not_allowed", severe, text, _not_in(name, column.allowed)))
        elif column.kind == "text":
            text = "is a value of other rows in another spelling (letter case, blanks, characters that are not seen)"
            rules.append(Rule(name, "spelt_alike", severe, text, _alike(name)))
        if column.minimum is not None or column.maximum is not None:
            rule = "impossible_hours" if name == "hours" else "out_of_range"
            rules.append(Rule(name, rule, "error", _range_text(column), _outside(column)))
        if column.kind == "date" and name != "retracted_on":
            # An end of follow-up that lies ahead changes no number: the cut ends it first.
            severity: Severity = "warning" if name in ("outcome_follow_up_end", "searched_to") else "error"
            text = "is a day that has not come yet"
            rules.append(Rule(name, "future_date", severity, text, _later_than(name, today)))
    rules += _entry_rules(spec)
    return rules


def _listed(values: tuple[str, ...]) -> str:
    """List the protocol's own values: they are no participant's."""
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(values[:_SHOWN]) + more


def _range_text(column: ColumnSpec) -> str:
    low = "" if column.minimum is None else f" {column.minimum:g} or more"
    high = "" if column.maximum is None else f" {column.maximum:g} or less"
    return f"is not{low}{' and' if low and high else ''}{high}"


def _entry_rules(spec: TableSpec) -> list[Rule]:
    opaque = "looks like a name, an address or a number of a person, and must be opaque"
    return [
        Rule(
            "participant_id",
            "identifier_not_opaque",
            "warning",
            opaque,
            _not_opaque,
        ),
        Rule(
            "recorded_on",
            "recorded_before_event",
            "warning",
            f"is before {spec.event_date}",
            after(spec.event_date, "recorded_on"),
        ),
        Rule(
            "retracted_on",
            "retracted_before_recorded",
            "error",
            "is before recorded_on",
            after("recorded_on", "retracted_on"),
        ),
    ]


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
