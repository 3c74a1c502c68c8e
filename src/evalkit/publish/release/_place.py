"""Where a release lies, and what lies beside it: held to what its manifest says of study, period and revisions."""

from __future__ import annotations

__all__ = ["broken_chain", "misplaced"]

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalkit.errors import ReleaseError
from evalkit.publish.release._environment import digest
from evalkit.publish.release._manifest import MANIFEST, read_manifest
from evalkit.publish.release._waiting import ABOUT, about

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
