"""Releases that wait for a person's approval: whole and private until somebody who may says that they may go out.

Then they go into the ledger, and to their place.
"""

from __future__ import annotations

__all__ = [
    "ABOUT",
    "Waiting",
    "about",
    "copied",
    "destination",
    "hold",
    "is_waiting",
    "let_out",
    "may_go_out",
    "waiting_at",
]

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.errors import ReleaseError
from evalkit.protocol import Study, make_private, private_folder, private_modes, write_private
from evalkit.publish.release._environment import digest
from evalkit.publish.release._ingredients import differences
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
