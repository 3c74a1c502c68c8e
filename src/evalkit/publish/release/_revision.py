"""Revisions: which release this is, which one it supersedes and why, and which published numbers are others now."""

from __future__ import annotations

__all__ = ["FIRST", "Revision", "revision_of", "superseding"]

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from textwrap import shorten
from typing import Any

from evalkit.markup import escaped
from evalkit.publish.release._ingredients import Change
from evalkit.publish.release._published import NumberChange
from evalkit.publish.rendering._document import Item
from evalkit.words import Messages, marked

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
