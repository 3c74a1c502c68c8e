"""Where a site is put: made beside its place and moved there in one step; what is not ours is never touched."""

from __future__ import annotations

__all__ = ["MARKER", "check_site", "place_site"]

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from evalkit.errors import ReleaseError, UsageError
from evalkit.publish.release import exchange
from evalkit.publish.rendering import scratch_folder, sweep

MARKER = "evalkit-site.json"
"""Says that a folder is a site of ours, of which study, and what each of its files is."""

_STAGING = ".making-site-"


def check_site(target: Path, study: str) -> None:
    """Refuse a folder that the site of a study (its id) must not take the place of.

    `UsageError` if it holds what evalkit did not put there, or the site of another study.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        msg = f"{target}: is no folder; name a new one with --out"
        raise UsageError(msg)
    there = _files(target) if target.is_dir() else set()
    if not there:
        return
    try:
        about = json.loads((target / MARKER).read_text(encoding="utf-8"))
        known, owner = {MARKER, *about["files"]}, about["study"]
    except (OSError, ValueError, KeyError, TypeError):
        msg = f"{target}: holds files and is no site of evalkit; name an empty or a new folder with --out"
        raise UsageError(msg) from None
    if owner != study:
        msg = f"{target}: is the site of study '{owner}', not of '{study}'; name another folder with --out"
        raise UsageError(msg)
    if there - known:
        first = min(there - known)
        msg = f"{target}: holds {first}, which evalkit did not put there; move it away, or publish a copy of the folder"
        raise UsageError(msg)


def _files(folder: Path) -> set[str]:
    found = set()
    for place, inner, files in os.walk(folder):  # follows no link
        links = [name for name in inner if (Path(place) / name).is_symlink()]
        found |= {(Path(place) / name).relative_to(folder).as_posix() for name in (*files, *links)}
    return found


def place_site(files: Mapping[str, bytes | Path], target: Path, study: str) -> None:
    """Put a site into its place in one step: nothing lies there, or an older site of the same study (its id).

    `files` maps the name in the site to content, or to the file that is copied. `UsageError` as of `check_site`,
    `ReleaseError` if the folder cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent, _STAGING)
        with scratch_folder(target.parent, _STAGING) as staging:
            digests = {name: _written(content, staging / name) for name, content in sorted(files.items())}
            about = {"site": 1, "study": study, "files": digests}
            _written((json.dumps(about, indent=1, sort_keys=True) + "\n").encode(), staging / MARKER)
            for one in (staging, *staging.rglob("*")):
                # Open to readers, whatever the file mask: a server that reads it is another user.
                one.chmod(0o755 if one.is_dir() else 0o644)
            check_site(target, study)  # once more: making it took a while
            _move(staging, target)
    except OSError as error:
        msg = f"{target}: cannot be written ({error.strerror or 'unknown reason'}); the site is as it was"
        raise ReleaseError(msg) from None


def _written(content: bytes | Path, file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        shutil.copyfile(content, file)
    else:
        file.write_bytes(content)
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _move(staging: Path, target: Path) -> None:
    """Exchange the new site with the one that is there, which goes with the scratch folder."""
    if not target.exists():
        staging.rename(target)
    # Where the system has no exchange of names; if it dies between the two, the old site lies beside, under a hidden
    # name.
    elif not exchange(staging, target):
        aside = staging.with_name(f"{staging.name}-old")
        target.rename(aside)
        try:
            staging.rename(target)
        except BaseException:
            aside.rename(target)
            raise
        shutil.rmtree(aside)
