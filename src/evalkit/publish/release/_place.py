"""Where a release lies: its place among the others, held to what its manifest says; or the private one where it waits.

What waits for a person's approval is whole, and private until somebody who may says that it may go out; then it goes
into the ledger, and to its place. What lies there is held to study, period and revisions.
"""

from __future__ import annotations

__all__ = [
    "ABOUT",
    "Waiting",
    "about",
    "broken_chain",
    "copied",
    "destination",
    "hold",
    "is_waiting",
    "let_out",
    "may_go_out",
    "misplaced",
    "waiting_at",
]

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.errors import ReleaseError
from evalkit.protocol import Study, make_private, private_folder, private_modes, write_private
from evalkit.publish.release._ingredients import differences, digest
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._manifest import MANIFEST, read_manifest
from evalkit.publish.release._release import place_release
from evalkit.publish.rendering._machine import scratch_folder

_FOLDER, ABOUT = "waiting", "about.json"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where a release goes once it is approved."""

    target: Path  # the release folder
    supersedes: int | None  # revision that it supersedes
    name: str  # in the ledger
    there: str = ""  # digest of the manifest of what lay there when it was made; empty where nothing did


def _place(study: Study, target: Path) -> Path:
    return private_folder(study) / _FOLDER / target.parent.name / target.name


def about(place: Path) -> Path:
    """Return the private folder of what is known about a waiting release."""
    return place.with_name(f".{place.name}")


def is_waiting(release: Path, study: Study) -> bool:
    """Say whether a folder is that of a release of this study that waits.

    Parameters
    ----------
    release : pathlib.Path
    study : Study

    Returns
    -------
    bool
    """
    return release.resolve().is_relative_to((private_folder(study) / _FOLDER).resolve())


def waiting_at(study: Study, target: Path, parts: Mapping[str, Any]) -> Path | None:
    """Return the release that waits for a place, if it was made from the same (`parts`, see `went_in`)."""
    place = _place(study, target)
    if not (place / MANIFEST).is_file() or not (about(place) / ABOUT).is_file():
        return None
    try:
        manifest = read_manifest(place)
    except ReleaseError:
        return None  # of another version of evalkit
    return None if differences(manifest, parts) else place


def hold(study: Study, files: Mapping[str, Path], waiting: Waiting) -> Path:
    """Keep a finished release in private until it is approved; one that waited for the same place makes way."""
    place = _place(study, waiting.target)
    known = about(place)
    make_private(place.parent)
    for old in (place, known):
        if old.exists():
            shutil.rmtree(old)
    make_private(known)
    told = {
        "target": str(waiting.target),
        "supersedes": waiting.supersedes,
        "name": waiting.name,
        "there": waiting.there,
    }
    # First: a release that lies there without it could never be published.
    write_private(known / ABOUT, json.dumps(told, sort_keys=True).encode())
    for_file, for_folder = private_modes(place.parent)
    with scratch_folder(place.parent, ".making-") as staging:
        staging.chmod(for_folder)
        for name, source in files.items():
            (staging / name).parent.mkdir(exist_ok=True)
            (staging / name).parent.chmod(for_folder)
            shutil.copyfile(source, staging / name)
            (staging / name).chmod(for_file)
            with (staging / name).open("rb") as stream:
                os.fsync(stream.fileno())
        staging.rename(place)
    return place


def destination(release: Path) -> Waiting:
    """Return where a waiting release goes.

    Parameters
    ----------
    release : pathlib.Path

    Returns
    -------
    Waiting

    Raises
    ------
    ReleaseError
        If what was kept about it is gone.
    """
    try:
        told = json.loads((about(release) / ABOUT).read_text(encoding="utf-8"))
        return Waiting(Path(told["target"]), told["supersedes"], str(told["name"]), str(told["there"]))
    except (OSError, ValueError, KeyError, TypeError):
        msg = f"{release}: what was kept about it cannot be read; render it again"
        raise ReleaseError(msg) from None


def may_go_out(release: Path, ledger: Ledger) -> None:
    """Refuse a waiting release (`ReleaseError`) when anything was published since: it was not held against that.

    `ledger` is of the folder that it goes to.
    """
    waiting, manifest = destination(release), read_manifest(release)
    there = waiting.target / MANIFEST
    now = digest(there) if there.is_file() else ""
    if list(manifest.get("ledger", ())) != list(ledger.names) or now != waiting.there:
        msg = f"{release}: was not held against what was published since it was made; render it again"
        raise ReleaseError(msg)


@contextlib.contextmanager
def copied(release: Path) -> Iterator[Path]:
    """Copy a waiting release aside: what is then checked is what is published, whatever happens to the folder."""
    with scratch_folder() as scratch:
        try:
            shutil.copytree(release, scratch / "release", symlinks=True)
        except (OSError, shutil.Error):
            msg = f"{release}: cannot be copied; nothing was published"
            raise ReleaseError(msg) from None
        yield scratch / "release"


def let_out(release: Path, copy: Path, ledger: Ledger) -> Path:
    """Publish an approved release, first in the ledger, then at its place, and return the release folder.

    `release` may go out (see `may_go_out`), and is gone afterwards; `copy` is what was checked and approved.
    """
    waiting = destination(release)
    files = {str(f.relative_to(copy)): f for f in sorted(copy.rglob("*")) if f.is_file()}
    with ledger.adding(waiting.name, digest(copy / MANIFEST)):
        place_release(files, waiting.target, supersedes=waiting.supersedes)
    for old in (release, about(release)):
        shutil.rmtree(old)
    return waiting.target


_PERIOD = re.compile(r"\d{4}Q[1-4]|\d{4}-\d\d-\d\d_to_\d{4}-\d\d-\d\d")
_KEPT = re.compile(r"(?P<period>.+)\.r(?P<number>[1-9]\d*)")


def _folder(release: Path) -> Path:
    return Path(os.path.abspath(release))  # noqa: PTH100 - Path.resolve would follow a link that is to be seen


def _period(manifest: Mapping[str, Any]) -> str:
    return str(manifest["period"]).replace("..", "_to_")


def _in_releases(folder: Path, manifest: Mapping[str, Any]) -> bool:
    """Say whether a folder lies among releases: then its place says something, and has to say the same."""
    report, study = folder.parent, folder.parent.parent
    # A revision is kept under its period's name with ".r1": what it is of stands before the point.
    named = folder.name.partition(".")[0] if _KEPT.fullmatch(folder.name) else folder.name
    by_names = bool(_PERIOD.fullmatch(named)) and report.name == manifest["report"]
    return (study / ".ledger").is_file() or study.name == manifest["study"] or by_names


def misplaced(release: Path, manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is wrong with the place of a release, and what could not be checked: a clause each, or nothing."""
    folder, period, number = _folder(release), _period(manifest), int(manifest.get("revision", 1))
    if folder.is_symlink():
        return "it is a link to another folder", ""
    names = (period, f"{period}.r{number}")
    lies = f"it lies at {'/'.join(folder.parts[-3:])}, and is revision {number} of "
    meant = f"{manifest['study']}/{manifest['report']}/{period}"
    if (about(folder) / ABOUT).is_file():  # it waits in the private folder
        return ("" if folder.parts[-2:] == (manifest["report"], period) else lies + meant), ""
    base = _KEPT.fullmatch(folder.name)
    looks = _PERIOD.fullmatch(base["period"] if base else folder.name) is not None
    inside = _in_releases(folder, manifest)
    if (inside or looks) and folder.name not in names:
        return lies + meant, ""
    if inside and folder.parts[-3:-1] != (manifest["study"], manifest["report"]):
        return lies + meant, ""
    return "", "" if inside else "whether it lies where it belongs: it is not among releases"


def broken_chain(release: Path, manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Hold a release to the revisions beside it: each names the digest of the one that it superseded.

    Returns what is wrong, and what could not be checked: a clause each, empty where there is nothing to say.
    """
    folder, period = _folder(release), _period(manifest)
    if (about(folder) / ABOUT).is_file() or not _in_releases(folder, manifest):
        return "", ""
    wrong, unchecked = _before(folder.with_name(period), manifest)
    place = folder.with_name(period)
    if not unchecked and folder != place and not (place / MANIFEST).is_file():
        unchecked = f"whether it was superseded: there is no release at {place.name}"
    return wrong or _after(folder, place, manifest), unchecked


def _before(place: Path, manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Follow the revisions down to the first."""
    then, number = manifest, int(manifest.get("revision", 1))
    while number > 1:
        before = then.get("supersedes") or {}
        earlier, sha256 = before.get("revision"), before.get("manifest_sha256")
        # Down, always: a manifest that names a later or the same one would be followed for ever.
        if not isinstance(earlier, int) or not 1 <= earlier < number or not isinstance(sha256, str):
            return f"revision {number} does not say which one it supersedes", ""
        kept = place.with_name(f"{place.name}.r{earlier}")
        if not kept.is_dir():
            return "", f"revision {earlier}, which is not kept beside it"
        if not (kept / MANIFEST).is_file() or (sha256 and digest(kept / MANIFEST) != sha256):
            return f"{kept.name} is not the revision {earlier} that revision {number} superseded", ""
        try:
            then, number = read_manifest(kept), earlier
        except ReleaseError:
            return f"{kept.name} has no readable manifest", ""
    return ("revision 1 says that it supersedes another", "") if then.get("supersedes") else ("", "")


def _after(folder: Path, place: Path, manifest: Mapping[str, Any]) -> str:
    """Look for revisions that came later than the release at the place, or that this one is not of."""
    number = int(manifest.get("revision", 1))
    kept = [int(m["number"]) for f in place.parent.glob(f"{place.name}.r*") if (m := _KEPT.fullmatch(f.name))]
    if folder == place:
        newest = max(kept, default=0)
        return f"revision {number} lies where revision {newest + 1} was published" if newest >= number else ""
    try:
        there = read_manifest(place)
    except ReleaseError:
        return ""  # withdrawn, or damaged: verify the release at the place
    before = there.get("supersedes") or {}
    if int(there.get("revision", 1)) <= number:
        return f"revision {there.get('revision', 1)} lies at {place.name}, which revision {number} is kept beside"
    if before.get("revision") == number and before.get("manifest_sha256") != digest(folder / MANIFEST):
        return f"it is not the revision {number} that {place.name} superseded"
    return ""
