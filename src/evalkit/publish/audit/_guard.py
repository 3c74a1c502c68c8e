"""What a published text must not hold: identifiers, secrets, paths of this machine, a participant's dates."""

from __future__ import annotations

__all__ = ["NUMBER", "Guard", "dates_in", "guard_for"]

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from evalkit.publish.audit._fold import fold
from evalkit.publish.audit._identifiers import Identifiers

# Addresses of the engines that tables may come from (Ibis' backends), and other names for them.
_DATABASE = re.compile(
    r"\b(?:postgres(?:ql)?|mysql|mariadb|mssql|oracle|snowflake|bigquery|redshift|clickhouse|trino|presto|databricks|"
    r"impala|exasol|druid|datafusion|risingwave|pyspark|spark|duckdb|motherduck|md|sqlite|polars|flink|athena)"
    r"(?:\+\w+)?://",
    re.IGNORECASE,
)
# Whatever the scheme: what stands between a colon and an @ before a host is a password.
_CREDENTIALS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/@:\"'<>]*:[^\s@\"'<>]+@", re.IGNORECASE)

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# A number below it that a protocol happens to hold would excuse a small count of people anywhere in the report.
_COUNT = 11
_BLANKS = re.compile(r"(\s+)")
# Shorter ones ("db", "/srv") stand in ordinary words, and every report would be refused.
_SHORTEST_SECRET, _SHORTEST_PATH = 4, 6

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan enero ene", "february feb febrero", "march mar marzo", "april apr abril abr", "may mayo",
            "june jun junio", "july jul julio", "august aug agosto ago", "september sep sept septiembre",
            "october oct octubre", "november nov noviembre", "december dec diciembre dic",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_WORD = rf"({'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?"
_ISO = re.compile(r"(?<![\d.])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d|\.\d)")
_NUMERIC = re.compile(r"(?<![\d./-])(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/-])")
_DOTTED = re.compile(r"(?<![\d./-])(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d|\.\d)")
_MONTH_FIRST = re.compile(rf"\b{_WORD}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})\b")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+|de\s+)?{_WORD},?\s+(?:de\s+)?(\d{{4}})\b")


@dataclass(frozen=True)
class Guard:
    """Knows what must not leave. Texts of all fields but `key` and `dates` are folded (see `fold`)."""

    key: str = field(default="", repr=False)  # the run's key of seals
    identifiers: Identifiers = field(default_factory=Identifiers)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)  # passwords and addresses of databases
    paths: frozenset[str] = field(default=frozenset(), repr=False)  # folders of this machine
    dates: frozenset[date] = frozenset()  # the report's own, and those that its author typed
    numbers: frozenset[str] = frozenset()  # of protocol and parameters, from `_COUNT` on
    _passed: set[tuple[str, bool]] = field(default_factory=set, repr=False, compare=False)

    def objection(self, texts: Iterable[str], *, dated: bool = True) -> str:
        """Say why texts may not be published: the first reason, without any value; empty when there is none.

        Days are looked for only with `dated`.
        """
        for text in texts:
            if (text, dated) in self._passed:  # nine in ten of a release's: a figure stands in several files
                continue
            if reason := self._objection(text, dated=dated):
                return reason
            self._passed.add((text, dated))
        return ""

    def _objection(self, text: str, *, dated: bool) -> str:
        if self.identifiers.stand_in(text):
            return "holds a participant's identifier"
        folded = fold(text)
        if _DATABASE.search(folded) or _CREDENTIALS.search(folded) or any(s in folded for s in self.secrets):
            return "holds the address of a database, or its password"
        if any(path in folded for path in self.paths):
            return "holds the path of a folder on this machine"
        # One reading that may be published is enough: nobody can say that the other one was meant.
        if dated and any(self.dates.isdisjoint(day) for day in dates_in(folded)):
            return "holds an exact day that is none of the report's own; say the time in days, months or quarters"
        return ""

    def scrub(self, text: str) -> str:
        r"""Return a message without what must not leave: words that hold it become an ellipsis, or the line that does.

        >>> Guard(identifiers=Identifiers.of(["P81f2aa03"])).scrub("KeyError: p81f2aa03 in\nthe rows")
        'KeyError: … in\nthe rows'
        """
        if not self.objection([text], dated=False):
            return text
        # Word by word first, so that the message stays of use; a line that objects still holds it across words.
        lines = ["".join(map(self._scrubbed, _BLANKS.split(line))) for line in text.split("\n")]
        return "\n".join("…" if self.objection([line], dated=False) else line for line in lines)

    def _scrubbed(self, word: str) -> str:
        return "…" if word.strip() and self.objection([word], dated=False) else word


def guard_for(
    key: str,
    *,
    identifiers: Iterable[str],
    secrets: Iterable[str],
    paths: Iterable[str],
    protocol: str,
    authored: str,
    days: Iterable[date],
) -> Guard:
    """Return the guard of one render.

    Words of `protocol` (the study's files) are no identifiers; days that stand there or in `authored` (what the author
    typed elsewhere) may be published, as may `days`, the report's own.
    """
    typed = {day for text in (protocol, authored) for found in dates_in(fold(text)) for day in found}
    return Guard(
        key,
        Identifiers.of(identifiers, protocol),
        frozenset(fold(secret) for secret in secrets if len(secret) >= _SHORTEST_SECRET),
        frozenset(fold(path) for path in paths if len(path) >= _SHORTEST_PATH),
        frozenset(typed | set(days)),
        # A number with a decimal is no count of people.
        frozenset(n for n in NUMBER.findall(fold(f"{protocol}\n{authored}")) if not n.isdigit() or int(n) >= _COUNT),
    )


def dates_in(text: str) -> Iterator[frozenset[date]]:
    """Yield the days that a text names: one, or both readings of ``3/4/2022``. What only looks like one is left.

    >>> [sorted(map(str, days)) for days in dates_in("on 2022-03-04, March 4, 2022 or 3/4/2022; 31.02.2022; v1.10.18")]
    [['2022-03-04'], ['2022-03-04'], ['2022-03-04', '2022-04-03']]
    """
    lower = text.casefold()
    for year, _, month, day in _ISO.findall(lower):
        yield from _real((year, month, day))
    for word, day, year in _MONTH_FIRST.findall(lower):
        yield from _real((year, _MONTHS[word], day))
    for day, word, year in _DAY_FIRST.findall(lower):
        yield from _real((year, _MONTHS[word], day))
    for first, _, second, year in _NUMERIC.findall(lower):
        full = year if len(year) == 4 else f"20{year}"
        yield from _real((full, first, second), (full, second, first))
    for first, second, year in _DOTTED.findall(lower):
        yield from _real((year, first, second), (year, second, first))


def _real(*readings: tuple[str | int, str | int, str | int]) -> Iterator[frozenset[date]]:
    found = set()
    for year, month, day in readings:
        try:
            found.add(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    if found:
        yield frozenset(found)
