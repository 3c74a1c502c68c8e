"""Releases that wait for a person's approval: whole and private until somebody who may says that they may go out."""

from __future__ import annotations

__all__ = ["ABOUT", "Waiting", "about", "hold", "is_waiting", "waiting_at"]

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.errors import ReleaseError
from evalkit.protocol import Study, make_private, private_folder, private_modes, write_private
from evalkit.publish.release._ingredients import differences
from evalkit.publish.release._manifest import MANIFEST, read_manifest
from evalkit.publish.rendering._scratch import scratch_folder

_FOLDER, ABOUT = "waiting", "about.json"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where a release goes once it is approved.

    Attributes
    ----------
    target : pathlib.Path
        The release folder.
    supersedes : int or None
        Revision that it supersedes.
    name : str
        Its name in the ledger.
    there : str
        Digest of the manifest of what lay there when it was made; empty where nothing did.
    """

    target: Path
    supersedes: int | None
    name: str
    there: str = ""


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
    """Return the release that waits for a place, if it was made from the same.

    Parameters
    ----------
    study : Study
    target : pathlib.Path
        The release folder it is for.
    parts : mapping
        What would go in now; see `evalkit.publish.release._manifest.went_in`.

    Returns
    -------
    pathlib.Path or None
    """
    place = _place(study, target)
    if not (place / MANIFEST).is_file() or not (about(place) / ABOUT).is_file():
        return None
    try:
        manifest = read_manifest(place)
    except ReleaseError:
        return None  # of another version of evalkit
    return None if differences(manifest, parts) else place


def hold(study: Study, files: Mapping[str, Path], waiting: Waiting) -> Path:
    """Keep a finished release in private until it is approved; one that waited for the same place makes way.

    Parameters
    ----------
    study : Study
    files : mapping of str to pathlib.Path
        Name in the release: finished file.
    waiting : Waiting

    Returns
    -------
    pathlib.Path
        Private folder of the release.
    """
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
