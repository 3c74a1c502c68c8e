"""What is published already, and whether what would be rendered now is the same."""

from __future__ import annotations

__all__ = ["Standing", "standing_at"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.errors import ReleaseError
from evalkit.publish._environment import digest
from evalkit.publish._ingredients import Change, because, differences, key
from evalkit.publish._manifest import MANIFEST, damaged, read_manifest


@dataclass(frozen=True)
class Standing:
    """The release at a place, held against what would go in now.

    Attributes
    ----------
    place : pathlib.Path
    there : bool
        Whether anything is published there.
    manifest : mapping
        Empty when nothing is there, or its manifest cannot be read.
    manifest_sha256 : str
    changes : tuple of Change
        What would go in now and did not then.
    wrong : tuple of str
        Files that are not what was published.
    added : bool
        Whether all that changed are tables that say the same as then of the time up to the data cut.
    """

    place: Path
    there: bool = False
    manifest: Mapping[str, Any] = field(default_factory=dict)
    manifest_sha256: str = ""
    changes: tuple[Change, ...] = ()
    wrong: tuple[str, ...] = ()
    added: bool = False

    @property
    def revision(self) -> int:
        """Number of the release that is there; 0 when there is none."""
        return int(self.manifest.get("revision", 1)) if self.there else 0

    @property
    def up_to_date(self) -> bool:
        """Whether a render now would give the release that is there."""
        return bool(self.manifest) and (self.added or not self.changes) and not self.wrong

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


def standing_at(place: Path, parts: Mapping[str, Any], known: Callable[[], Mapping[str, str]] = dict) -> Standing:
    """Look at what is published at a place.

    Parameters
    ----------
    place : pathlib.Path
        A release folder.
    parts : mapping
        What would go in now; see `evalkit.publish._manifest.went_in`.
    known : callable
        Returns the digests of what the tables say of the time up to the data cut; asked when only tables changed.

    Returns
    -------
    Standing
    """
    if not place.exists():
        return Standing(place)
    file = place / MANIFEST
    sha256 = digest(file) if file.is_file() else ""
    try:
        manifest = read_manifest(place)
    except ReleaseError:
        return Standing(place, there=True, manifest_sha256=sha256)
    same = key(manifest) == key(parts)
    changes = () if same else tuple(differences(manifest, parts))
    added = bool(changes) and all(change.kind == "data" for change in changes) and _same_past(manifest, known())
    return Standing(place, True, manifest, sha256, changes, tuple(damaged(place, manifest)), added)


def _same_past(manifest: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    return bool(known) and manifest.get("known") == dict(known)
