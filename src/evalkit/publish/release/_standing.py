"""What is published already, and whether what would be rendered now is the same.

A release is not made of its surroundings (another evalkit, Python, package or tool), so that others are no reason for a
new one. They may be a reason for other numbers, though; so it is made again once, compared, and the answer kept: a
scheduler asks every night. So it is with a table's rows for a release beside the report's own: they are most likely of
another site.
"""

from __future__ import annotations

__all__ = [
    "Standing",
    "beside",
    "came_out_the_same",
    "outputs_changed",
    "remember_same",
    "same_outputs",
    "standing_at",
    "whole_manifest",
]

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.errors import ReleaseError
from evalkit.protocol import Study, find_private_folder, make_private, private_folder, write_private
from evalkit.publish._job import RenderJob
from evalkit.publish.release._environment import digest
from evalkit.publish.release._ingredients import Change, because, differences, key
from evalkit.publish.release._manifest import (
    MANIFEST,
    as_keyed,
    damaged,
    is_of_another_version,
    is_of_before_ledgers,
    known_then,
    read_manifest,
)
from evalkit.publish.release._published import NumberChange, numbers_changed, read_numbers

_MOST = 50  # of one release; the newest ones


@dataclass(frozen=True)
class Standing:
    """The release at a place, held against what would go in now."""

    place: Path
    there: bool = False
    manifest: Mapping[str, Any] = field(default_factory=dict)  # empty when nothing is there, or it cannot be read
    manifest_sha256: str = ""
    changes: tuple[Change, ...] = ()  # what would go in now and did not then
    wrong: tuple[str, ...] = ()  # files that are not what was published
    # All tables that changed say the same of the time up to the data cut, and nothing else but surroundings changed.
    added: bool = False
    # ``revision`` and ``manifest_sha256`` of a newer release that was published there and is gone; empty: none.
    gone: Mapping[str, Any] = field(default_factory=dict)
    part: bool = False  # lies beside the report's own: it may tell of a part of the people only

    @property
    def revision(self) -> int:
        """Number of the release that is there; 0 when there is none."""
        return int(self.manifest.get("revision", 1)) if self.there else 0

    @property
    def last(self) -> int:
        """Number of the newest release that was ever published there; 0 when there was none."""
        return max(self.revision, int(self.gone.get("revision", 0)))

    @property
    def older(self) -> str:
        """Why an older release, put back from a backup, is not taken for the newest; empty where it is the newest."""
        if not self.there or not self.gone:
            return ""
        return (
            f"holds revision {self.revision}, and revision {self.last} was published after it; "
            f"put that one back, or --supersede 'why' publishes revision {self.last + 1}"
        )

    @property
    def up_to_date(self) -> bool:
        """Whether a render now would give the release that is there."""
        return self._whole and (self.added or not self.changes) and not self.around

    @property
    def _whole(self) -> bool:
        return bool(self.manifest) and not self.wrong and not self.gone

    @property
    def around(self) -> tuple[Change, ...]:
        """What it is made with that is other than then: evalkit's code, Python, packages, tools."""
        return tuple(change for change in self.changes if change.is_around)

    @property
    def open(self) -> tuple[Change, ...]:
        """What changed and may change nothing: what it is made with, and of a part of the people the tables' rows."""
        rows = self.part and not self.added
        return tuple(change for change in self.changes if change.is_around or (rows and change.kind == "data"))

    @property
    def only_open(self) -> bool:
        """Whether nothing else changed: only making it again tells whether the same comes out."""
        return self._whole and bool(self.open) and (self.added or len(self.open) == len(self.changes))

    @property
    def why(self) -> str:
        """Why it is, or is not, up to date: one clause."""
        if not self.there:
            return "there is no release yet"
        if not self.manifest:
            return "its manifest cannot be read by this version of evalkit"
        if self.up_to_date and self.added:
            return f"{because(self.changes)}, and what they say of the time up to the data cut did not"
        if self.changes:
            return because(self.changes)
        if self.wrong:
            return f"{', '.join(self.wrong)} is not what was published"
        return "data, parameters, code, environment and tools are the same"


def same_outputs(changes: Sequence[Change]) -> str:
    """Say in a clause that the same came out although something changed (`Standing.open`)."""
    what = "other surroundings" if all(change.is_around for change in changes) else "rows that it does not tell of"
    return f"same outputs, {what}: {because(changes)}"


def beside(job: RenderJob, standing: Standing) -> str:
    """Name the other way out where what was set with ``-P`` is not what was set then: a release beside that one."""
    set_now = {change.name for change in standing.changes if change.kind == "parameter"} & set(job.overrides)
    return "; --as NAME publishes it beside this one" if set_now else ""


def standing_at(job: RenderJob, parts: Mapping[str, Any]) -> Standing:
    """Look at what is published at the place of a render; `parts` is what would go in now (`went_in`).

    `ReleaseError` if the manifest of what is there is damaged.
    """
    place = job.target
    if not place.exists():
        return Standing(place)
    file = place / MANIFEST
    sha256 = digest(file) if file.is_file() else ""
    if is_of_before_ledgers(place):
        return Standing(place, there=True, manifest_sha256=sha256)
    manifest = whole_manifest(place)
    then = as_keyed(manifest, job)
    same = key(then) == key(parts)
    changes = () if same else tuple(differences(then, parts))
    inputs = [change for change in changes if not change.is_around]
    # What the tables said up to the cut takes long to find out, so it is asked only where nothing else changed.
    added = bool(inputs) and all(change.kind == "data" for change in inputs) and _same_past(then, known_then(job))
    return Standing(place, True, manifest, sha256, changes, tuple(damaged(place, manifest)), added, part=job.beside)


def whole_manifest(release: Path) -> dict[str, Any]:
    """Read the manifest of something that was published; what cannot be read is damage, not age."""
    try:
        return read_manifest(release)
    except ReleaseError:
        if is_of_another_version(release):
            raise
        wrong = "is damaged" if (release / MANIFEST).exists() else "is gone"
        msg = (
            f"{release / MANIFEST}: {wrong}, so nobody can say what was published there; put it back from a backup of "
            f"{release}"
        )
        raise ReleaseError(msg) from None


def _same_past(manifest: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    return bool(known) and manifest.get("known") == dict(known)


def outputs_changed(
    release: Path, then: Mapping[str, Any], facts: Mapping[str, Any], files: Mapping[str, Path]
) -> tuple[list[NumberChange], list[str]]:
    """Hold what a release shows to what was made now: numbers that differ, and outputs of other words or looks.

    `then` and `facts` are the manifests of the release and of what was made now; `files` is what was made.
    """
    old, new = list(then.get("published", ())), list(facts["published"])
    changed = numbers_changed(old, read_numbers(old, release), new, read_numbers(new, files))
    before, now = ({(entry["output"], entry["content"]) for entry in side} for side in (old, new))
    other = {name for name, _ in before ^ now}
    return changed, [name for name in dict.fromkeys(entry["output"] for entry in (*old, *new)) if name in other]


def came_out_the_same(study: Study, standing: Standing) -> bool:
    """Say whether a release was made again before with just these changes (`Standing.open`), and the same came out."""
    return find_private_folder(study) is not None and _named(standing) in _kept(_file(study, standing))


def remember_same(study: Study, standing: Standing) -> None:
    """Keep that it did."""
    file = _file(study, standing)
    make_private(file.parent)
    write_private(file, json.dumps([*_kept(file), _named(standing)][-_MOST:]).encode())


def _named(standing: Standing) -> str:
    return json.dumps([[change.kind, change.name, change.new] for change in standing.open])


def _file(study: Study, standing: Standing) -> Path:
    return private_folder(study) / "same" / f"{standing.manifest_sha256}.json"


def _kept(file: Path) -> list[str]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []  # then it is made again: nothing is lost but time
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
