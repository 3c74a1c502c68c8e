"""What differs between two releases of a report: which file, where in it, what stood there and what stands there now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from tools.same.read import Line, without_what_must_differ

AROUND = 4  # words said before and after those that differ
_CELL = " | "


@dataclass(frozen=True)
class Difference:
    """One difference; ``before`` or ``now`` is empty where there is nothing on that side."""

    report: str
    place: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.report}: {self.place}: {self.before or '(nothing)'} -> {self.now or '(nothing)'}"


def differences(
    report: str, before: Mapping[str, list[Line]], now: Mapping[str, list[Line]], left_out: Counter[str]
) -> list[Difference]:
    """Return what differs between two releases, file by file; what must differ goes into ``left_out``."""
    found = []
    for file in [*before, *(name for name in now if name not in before)]:
        if file not in now or file not in before:
            here = ("there", "") if file in before else ("", "there")
            found.append(Difference(report, file, *here))
            continue
        sides = [before[file], now[file]]
        if not file.endswith((".svg", ".csv")):  # there digits stand for themselves
            sides = [without_what_must_differ(lines, left_out) for lines in sides]
        how = _drawing if file.endswith(".svg") else _cells if file.endswith(".csv") else _words
        found += [Difference(report, f"{file}, {p}" if p else file, b, n) for p, b, n in how(*sides)]
    return found


Found = Iterator[tuple[str, str, str]]
"""Place, before, now."""


def _blocks(one: list[Line], two: list[Line]) -> Iterator[tuple[list[Line], list[Line]]]:
    """Yield runs of lines that differ; places do not count."""
    first, second = [line.text for line in one], [line.text for line in two]
    if first == second:
        return
    for what, i, j, k, m in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if what != "equal":
            yield one[i:j], two[k:m]


def _words(one: list[Line], two: list[Line]) -> Found:
    """Yield runs of words that differ, with some of those around them."""
    for gone, new in _blocks(one, two):
        place = (gone or new)[0].place
        before, now = (" ".join(line.text for line in lines).split() for lines in (gone, new))
        matcher = SequenceMatcher(None, before, now, autojunk=False)
        for what, i, j, k, m in matcher.get_opcodes():
            if what != "equal":
                yield place, _with_context(before, i, j), _with_context(now, k, m)


def _with_context(words: list[str], start: int, end: int) -> str:
    if not words:
        return ""
    lead, tail = words[max(start - AROUND, 0) : start], words[end : end + AROUND]
    return " ".join([*lead, f"[{' '.join(words[start:end])}]", *tail])


def _cells(one: list[Line], two: list[Line]) -> Found:
    """Yield cells that differ, by the name of their column; rows and columns that one side lacks."""
    if one[:1] != two[:1]:
        yield "columns", one[0].text if one else "", two[0].text if two else ""
        return
    names = one[0].text.split(_CELL) if one else []
    for gone, new in _blocks(one[1:], two[1:]):
        if len(gone) != len(new):
            yield from ((line.place, line.text, "") for line in gone)
            yield from ((line.place, "", line.text) for line in new)
            continue
        for old, other in zip(gone, new, strict=True):
            pairs = zip(names, old.text.split(_CELL), other.text.split(_CELL), strict=True)
            yield from ((f"{old.place}, {name}", b, n) for name, b, n in pairs if b != n)


def _drawing(one: list[Line], two: list[Line]) -> Found:
    """Yield how much of a drawing differs: nobody reads its coordinates, and to align thousands of them takes minutes."""
    before, now = (Counter(line.text for line in side) for side in (one, two))
    changed = max((before - now).total(), (now - before).total())
    if changed or [line.text for line in one] != [line.text for line in two]:
        yield "drawn otherwise", f"{len(one)} lines", f"{changed} lines are others"
