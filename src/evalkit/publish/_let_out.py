"""What an approval does with a release that waited for it: into the ledger, then to its place."""

from __future__ import annotations

__all__ = ["destination", "let_out", "may_go_out"]

import json
import shutil
from pathlib import Path

from evalkit.disclosure import Ledger
from evalkit.errors import ReleaseError
from evalkit.publish._environment import digest
from evalkit.publish._manifest import MANIFEST, read_manifest
from evalkit.publish._release import place_release
from evalkit.publish._waiting import ABOUT, LEDGER, Waiting, about


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
        return Waiting(Path(told["target"]), told["supersedes"], str(told["name"]))
    except (OSError, ValueError, KeyError):
        msg = f"{release}: what was kept about it cannot be read; render it again"
        raise ReleaseError(msg) from None


def may_go_out(release: Path, ledger: Ledger) -> None:
    """Refuse a waiting release when something was published since it was made: it was not held against that.

    Parameters
    ----------
    release : pathlib.Path
        That waits.
    ledger : Ledger
        Of the folder it goes to.

    Raises
    ------
    ReleaseError
        If so.
    """
    waiting, manifest = destination(release), read_manifest(release)
    known = [name for name in ledger.names if name != waiting.name]
    before = (manifest.get("supersedes") or {}).get("manifest_sha256", "")
    there = waiting.target / MANIFEST
    now = digest(there) if there.is_file() else ""
    if list(manifest.get("ledger", ())) != known or now != before:
        msg = f"{release}: was not held against what was published since it was made; render it again"
        raise ReleaseError(msg)


def let_out(release: Path, ledger: Ledger) -> Path:
    """Publish an approved release: first in the ledger, then at its place.

    Parameters
    ----------
    release : pathlib.Path
        That waits, and may go out (see `may_go_out`); gone afterwards.
    ledger : Ledger
        Of the folder it goes to.

    Returns
    -------
    pathlib.Path
        The release folder.
    """
    waiting = destination(release)
    ledger.write(waiting.name, Ledger(about(release) / LEDGER).cells())
    files = {str(f.relative_to(release)): f for f in sorted(release.rglob("*")) if f.is_file()}
    place_release(files, waiting.target, supersedes=waiting.supersedes)
    for old in (release, about(release)):
        shutil.rmtree(old)
    return waiting.target
