"""What is published already, whether what would be rendered now is the same, and the ledger that a render goes by.

A release is not made of its surroundings (another evalkit, Python, package or tool), so that others are no reason for a
new one. They may be a reason for other numbers, though; so it is made again once, compared, and the answer kept: a
scheduler asks every night. So it is with a table's rows for a release beside the report's own: they are most likely of
another site.

The ledger is opened whole, brought up to what lies among the releases, or refused in one clear line.
"""

from __future__ import annotations

__all__ = [
    "Standing",
    "beside",
    "came_out_the_same",
    "held_releases",
    "ledger_for",
    "newest_gone",
    "opened_ledger",
    "outputs_changed",
    "published_in",
    "release_name",
    "remember_same",
    "same_outputs",
    "standing_at",
    "whole_manifest",
]

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.errors import DisclosureError, ReleaseError, UsageError
from evalkit.protocol import Study, find_private_folder, make_private, private_folder, write_private
from evalkit.publish._job import RenderJob
from evalkit.publish.release._changes import NumberChange, numbers_changed, read_numbers
from evalkit.publish.release._ingredients import Change, because, differences, digest, key
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._manifest import (
    MANIFEST,
    as_keyed,
    damaged,
    is_of_another_version,
    is_of_before_ledgers,
    known_then,
    read_manifest,
)

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


_PERIOD = re.compile(r"(?:\d{4}Q[1-4]|\d{4}-\d\d-\d\d_to_\d{4}-\d\d-\d\d)(?:\.r[1-9]\d*)?")


def release_name(report: str, period: str, revision: int) -> str:
    """Return a release's name in the ledger.

    >>> release_name("quarterly", "2022Q3", 1)
    'quarterly-2022Q3-r1'
    """
    return f"{report}-{period}-r{revision}"


def ledger_for(job: RenderJob) -> Ledger:
    """Open the ledger of the folder that a render publishes into; call it while no other render of the study works.

    It holds every release there, and every release that one of these was held against. `DisclosureError` if it is
    damaged, lacks a release, or would be a second one of the study; `UsageError` if another is asked for and this one
    is whole; `ReleaseError` if what is published there cannot be read.
    """
    private, releases = private_folder(job.study), job.target.resolve().parent.parent
    published = list(published_in(releases))
    names = held_releases(published)
    try:
        ledger = opened_ledger(private, releases, published)
        _refuse_another_secret(job, published)
    except DisclosureError:
        if not job.new_ledger:
            raise
        return Ledger.another(private, releases, job.new_ledger, names)
    if job.new_ledger and ledger.names and ledger.why != job.new_ledger:
        msg = f"{ledger.folder}: is whole and holds every release of {releases}; leave out --new-ledger"
        raise UsageError(msg)
    return ledger


def opened_ledger(private: Path, releases: Path, published: list[tuple[Path, dict[str, Any]]] | None = None) -> Ledger:
    """Open a ledger, finish what a render that died has begun, and hold it to the releases that lie there.

    `releases` is ``<out>/<study>``; `published` is what lies there, where that is known already. Errors as of
    `ledger_for`.
    """
    there = list(published_in(releases)) if published is None else published
    ledger = Ledger.of(private, releases)
    # First: what a dead render placed is in the ledger before its releases are held to it.
    ledger.recover(lambda sha256: any(digest(place / MANIFEST) == sha256 for place, _ in there))
    ledger.require(held_releases(there))
    return ledger


def published_in(releases: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the releases below ``<out>/<study>``, superseded ones too, with their manifests."""
    for place in sorted(releases.glob("*/*")):
        # What renders at work, or dead ones, have not placed yet.
        hidden = any(name.startswith(".") for name in (place.name, place.parent.name))
        if hidden or not place.is_dir() or is_of_before_ledgers(place):
            continue
        # A folder with a period's name is a release whose manifest is gone: damage is never absence (ADR 13).
        if (place / MANIFEST).exists() or _PERIOD.fullmatch(place.name):
            yield place, whole_manifest(place)


def held_releases(published: list[tuple[Path, dict[str, Any]]]) -> set[str]:
    """Name the releases that the ledger has to hold: those that are there, and those that they were held against."""
    names = {release_name(m["report"], m["period"], int(m.get("revision", 1))) for _, m in published}
    return names | {str(name) for _, manifest in published for name in manifest.get("ledger", ())}


def _refuse_another_secret(job: RenderJob, published: list[tuple[Path, dict[str, Any]]]) -> None:
    # With another secret the same people get another noise: who averages the two takes it off (ADR 15).
    secret = job.secret.id if job.secret is not None else ""
    for place, manifest in published:
        if secret and manifest.get("secret", secret) != secret:
            msg = (
                f"{place}: was made with another secret than the one in {private_folder(job.study)}; put back the one "
                f"it was made with ({manifest['secret']}), or begin another ledger with --new-ledger 'why'"
            )
            raise DisclosureError(msg)


def newest_gone(job: RenderJob, standing: Standing, ledger: Ledger | None) -> dict[str, Any]:
    """Return ``revision`` and ``manifest_sha256`` of a newer release than what is there; empty where there was none."""
    found = [ledger.newest(job.params.report, job.period.name)] if ledger is not None else [(0, "")]
    for place in job.target.parent.glob(f"{job.target.name}.r*"):  # kept, and what superseded it is gone
        try:
            found.append((int(read_manifest(place).get("revision", 1)), digest(place / MANIFEST)))
        except ReleaseError:
            continue
    revision, sha256 = max(found)
    return {"revision": revision, "manifest_sha256": sha256} if revision > standing.revision else {}
