"""The published numbers of a release, one by one; and what a revision says of those that are others now.

A revision is told by which release it is, and which one it supersedes and why.
"""

from __future__ import annotations

__all__ = [
    "FIRST",
    "NumberChange",
    "Numbers",
    "Revision",
    "estimates_of",
    "how_many",
    "numbers_changed",
    "published_of",
    "read_numbers",
    "revision_of",
    "superseding",
]

import contextlib
import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from textwrap import shorten
from typing import Any

from evalkit.markup import escaped
from evalkit.publish.release._ingredients import Change, digest
from evalkit.publish.rendering._document import Item
from evalkit.words import Messages, marked

Numbers = Mapping[str, list[list[str]]]
"""Output: the rows of its file, the heading first."""

# Numbers that name a row: a curve has one for each day.
_BY = ("time", "week", "day")
_QUESTION = "estimate_id"  # neither names a row for readers nor is a number of it


@dataclass(frozen=True, slots=True)
class NumberChange:
    """One published number that is not what it was."""

    output: str  # label of the figure or table, or the cell that said it
    where: str  # row, as ``group Pilot, time 90``; empty when the output as a whole came or went
    column: str
    # Texts or numbers; None where it is missing.
    old: Any
    new: Any

    def __str__(self) -> str:
        if not self.column:
            return f"{self.output}: {self.old or 'absent'} before, {self.new or 'absent'} now"
        return f"{self.output}, {self.where}, {self.column}: {_said(self.old)} before, {_said(self.new)} now"

    def as_dict(self) -> dict[str, Any]:
        """Return the change as plain values."""
        return {name: getattr(self, name) for name in ("output", "where", "column", "old", "new")}


def published_of(items: Iterable[Item], files: Mapping[str, Path]) -> list[dict[str, str]]:
    """List what a document shows of which estimate: one entry for each marked output, in order.

    An entry has ``output`` (its label, or its cell), ``shows``, ``kind``, ``content`` (digest of what is shown), and
    where they apply ``estimate`` (its id), ``verdict`` and ``numbers`` (digest of its file among `files`).
    """
    published = []
    in_cell: Counter[int] = Counter()
    for item in items:
        # What the author wrote is in the notebook, which has a digest of its own.
        if not item.mark:
            continue
        in_cell[item.cell] += 1
        place = f"cell-{item.cell}" + (f"-{in_cell[item.cell]}" if in_cell[item.cell] > 1 else "")
        mark = {name: str(item.mark[name]) for name in ("estimate", "kind", "verdict") if item.mark.get(name)}
        content = hashlib.sha256(f"{item.text}\0{item.alt}".encode()).hexdigest()
        entry = {"output": item.label or place, "shows": item.kind, **mark, "content": content}
        file = files.get(_file_of(item.label))
        if file is not None:
            entry["numbers"] = digest(file)
        published.append(entry)
    return published


def estimates_of(items: Sequence[Item]) -> list[list[str]]:
    """List id and kind of every estimate that something published comes from, sorted."""
    found: dict[str, str] = {}
    for item in items:
        found |= {str(name): str(kind) for name, kind in item.mark.get("also", {}).items()}
    found |= {str(i.mark["estimate"]): str(i.mark.get("kind", "")) for i in items if i.mark.get("estimate")}
    return [list(pair) for pair in sorted(found.items())]


def _file_of(label: str) -> str:
    return f"data/{label}.csv"


def read_numbers(published: Iterable[Mapping[str, str]], source: Path | Mapping[str, Path]) -> Numbers:
    """Read the numbers of a release's figures and tables, from its folder or from its files where they are made.

    Output: its rows, the heading first. Without those whose file is gone or is not the one that was published.
    """
    found = {}
    for entry in published:
        name = _file_of(entry["output"])
        file = source / name if isinstance(source, Path) else source.get(name, Path(name))
        if entry.get("numbers") and file.is_file() and digest(file) == entry["numbers"]:
            with file.open(encoding="utf-8", newline="") as stream:
                found[entry["output"]] = list(csv.reader(stream))
    return found


def numbers_changed(
    old: Iterable[Mapping[str, str]], old_numbers: Numbers, new: Iterable[Mapping[str, str]], new_numbers: Numbers
) -> list[NumberChange]:
    """List the published numbers that differ between two releases (``published`` of the manifests, and `read_numbers`).

    In the order of the outputs; an output that came or went is one change.
    """
    then, now = ({e["output"]: e for e in side if e.get("numbers")} for side in (old, new))
    found: list[NumberChange] = []
    for name in [*then, *(n for n in now if n not in then)]:
        before, after = then.get(name), now.get(name)
        if before is None or after is None:
            found.append(NumberChange(name, "", "", before and before["shows"], after and after["shows"]))
        elif before["numbers"] != after["numbers"]:
            found += _cell_changes(name, *(_cells(side.get(name, [[]])) for side in (old_numbers, new_numbers)))
    return found


def how_many(rows: list[list[str]]) -> int:
    """Count the numbers among rows, of which the first is the heading."""
    return sum(isinstance(value, int | float) for _, value in _cells(rows or [[]]).items())


def _cells(rows: list[list[str]]) -> dict[tuple[str, str], Any]:
    """Bring rows to one value per row's name and column; a row is named by its texts and its day."""
    columns, *lines = rows
    values = [[_value(text) for text in line] for line in lines]
    named = [
        i
        for i, c in enumerate(columns)
        if c != _QUESTION and (c in _BY or any(isinstance(line[i], str) for line in values))
    ]
    found: dict[tuple[str, str], Any] = {}
    seen: Counter[str] = Counter()
    for line in values:
        where = ", ".join(f"{columns[i]} {line[i]}" for i in named if line[i] is not None) or "row"
        # Rows of the same name are told apart by their order: nothing else is known of them.
        seen[where] += 1
        where += f" ({seen[where]})" if seen[where] > 1 else ""
        found |= {(where, c): line[i] for i, c in enumerate(columns) if i not in named and c != _QUESTION}
    return found


def _value(text: str) -> str | int | float | None:
    """Read a cell of CSV."""
    if not text:
        return None
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _cell_changes(
    output: str, old: Mapping[tuple[str, str], Any], new: Mapping[tuple[str, str], Any]
) -> Iterator[NumberChange]:
    for where, column in [*old, *(at for at in new if at not in old)]:
        before, after = old.get((where, column)), new.get((where, column))
        if before != after or ((where, column) in old) != ((where, column) in new):
            yield NumberChange(output, where, column, before, after)


def _said(value: object) -> str:
    return "missing" if value is None else str(value)


# Of an output's changed numbers, in a sentence; who wants all of them has the data files of both releases.
_EXAMPLES = 3
# Letters in a line of the cover: page one ends with where help is, and a reason of many lines would push that off it.
_LINE = 88
_DIFFER = (
    marked("One number differs from what was published before:"),
    marked("{n} numbers differ from what was published before:"),
)


@dataclass(frozen=True)
class Revision:
    """What a release says of the one before it."""

    number: int = 1  # 1 for the first release of a period
    # ``revision`` and ``manifest_sha256`` of the release before; empty for the first. ``gone`` where it was not there.
    supersedes: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""  # why it was superseded, as somebody wrote it
    reasons: tuple[Mapping[str, Any], ...] = ()  # went in and did not before: kind, name, old, new
    numbers: tuple[Mapping[str, Any], ...] = ()  # published, and others now: output, where, column, old, new

    def words(self, say: Messages) -> str:
        """Return what the cover says in one line; empty for a first release.

        A long reason is cut short there: the section on what changed has all of it.
        """
        if self.number == 1:
            return ""
        before = self.supersedes["revision"]
        if self.supersedes.get("gone"):
            said = say("{number}, after revision {before}, which is not kept here.", number=self.number, before=before)
        else:
            said = say("{number}, supersedes revision {before}.", number=self.number, before=before)
        return f"{said} {_fitted(self.note, _LINE - len(said) - 1, say)}".strip()

    def facts(self) -> dict[str, Any]:
        """Return what the manifest says."""
        return {
            "revision": self.number,
            "supersedes": dict(self.supersedes) or None,
            "change_note": self.note,
            "changes": {"reasons": [dict(r) for r in self.reasons], "numbers": [dict(n) for n in self.numbers]},
        }

    def items(self, labels: Iterable[str], say: Messages) -> list[Item]:
        """Return what the document says of the changes, at its end; empty for a first release. It may name `labels`."""
        if self.number == 1:
            return []
        before = self.supersedes["revision"]
        heading = "# " + say("Changes since revision {before}", before=before)
        if self.supersedes.get("gone"):
            unknown = say("Revision {before} was published before and is not kept here; what differs is not known.",
                          before=before)  # fmt: skip
            return [Item("markdown", 0, f"{heading}\n\n{unknown} {escaped(self.note)}".strip())]
        lines = [
            heading,
            say("This report supersedes revision {before}, which is kept.", before=before) + f" {escaped(self.note)}",
        ]
        if self.reasons:
            lines.append(say("What went into it that is not what went in before:"))
            lines.append("\n".join(f"- {escaped(Change(**reason).said(say))}" for reason in self.reasons))
        else:
            lines.append(say("The same data, parameters, code and tools went into both."))
        if not self.numbers:
            lines.append(say("No published number differs."))
        else:
            lines.append(say.counted(*_DIFFER, len(self.numbers)))
            lines.append("\n".join(_about(name, list(own), set(labels), say) for name, own in _by_output(self.numbers)))
        return [Item("markdown", 0, "\n\n".join(lines))]


def _fitted(note: str, room: int, say: Messages) -> str:
    """Cut a reason short where there is no room for all of it, and say where it stands."""
    if len(note) <= room:
        return note
    end = f"… {say('(in full at the end)')}"
    return shorten(note, max(room - len(end), 0), placeholder="") + end


FIRST = Revision()


def revision_of(manifest: Mapping[str, Any]) -> Revision:
    """Return what a release's manifest says of its revision."""
    changes = manifest.get("changes") or {}
    return Revision(
        int(manifest.get("revision", 1)),
        manifest.get("supersedes") or {},
        str(manifest.get("change_note", "")),
        tuple(changes.get("reasons", ())),
        tuple(changes.get("numbers", ())),
    )


def superseding(
    revision: int, manifest_sha256: str, note: str, reasons: Sequence[Change], numbers: Sequence[NumberChange]
) -> Revision:
    """Return the revision that follows the release with this revision and digest of its manifest."""
    before = {"revision": revision, "manifest_sha256": manifest_sha256}
    return Revision(
        revision + 1, before, note, tuple(c.as_dict() for c in reasons), tuple(n.as_dict() for n in numbers)
    )


def after_gone(gone: Mapping[str, Any], note: str) -> Revision:
    """Return the revision that follows a release which is there no more: withdrawn, or older ones were put back.

    `gone` has its ``revision`` and ``manifest_sha256``; `note` may be empty.
    """
    return Revision(int(gone["revision"]) + 1, {**gone, "gone": True}, note)


def _by_output(numbers: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, Iterable[Mapping[str, Any]]]]:
    return groupby(numbers, key=lambda change: str(change["output"]))


def _about(name: str, numbers: list[Mapping[str, Any]], labels: set[str], say: Messages) -> str:
    """Write one line on the numbers of one output; the first few as examples."""
    place = f"@{name}" if name in labels else escaped(name)
    rows = [n for n in numbers if n["column"]]
    if not rows:
        gone = say("not shown before.") if numbers[0]["old"] is None else say("not shown any more.")
        return f"- {place}: {gone}"
    told = [
        say("{where}: {old} before, {new} now", where=f"{n['where']}, {n['column']}", old=_brief(n["old"], say),
            new=_brief(n["new"], say))
        for n in rows[:_EXAMPLES]
    ]  # fmt: skip
    shown = escaped("; ".join(told))
    more = "; " + say("and {n} more", n=len(rows) - _EXAMPLES) if len(rows) > _EXAMPLES else ""
    return f"- {place}: {shown}{more}."


def _brief(value: object, say: Messages) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return say("missing") if value is None else str(value)
