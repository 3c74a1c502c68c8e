"""What an approval does with a release that waited for it: into the ledger, then to its place."""

from __future__ import annotations

__all__ = ["copied", "destination", "let_out", "may_go_out"]

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from evalkit.errors import ReleaseError
from evalkit.publish.release._environment import digest
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._manifest import MANIFEST, read_manifest
from evalkit.publish.release._release import place_release
from evalkit.publish.release._waiting import ABOUT, Waiting, about
from evalkit.publish.rendering._scratch import scratch_folder


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
    there = waiting.target / MANIFEST
    now = digest(there) if there.is_file() else ""
    if list(manifest.get("ledger", ())) != list(ledger.names) or now != waiting.there:
        msg = f"{release}: was not held against what was published since it was made; render it again"
        raise ReleaseError(msg)


@contextlib.contextmanager
def copied(release: Path) -> Iterator[Path]:
    """Copy a waiting release aside: what is then checked is what is published, whatever happens to the folder.

    Parameters
    ----------
    release : pathlib.Path

    Yields
    ------
    pathlib.Path

    Raises
    ------
    ReleaseError
        If it cannot be copied.
    """
    with scratch_folder() as scratch:
        try:
            shutil.copytree(release, scratch / "release", symlinks=True)
        except (OSError, shutil.Error):
            msg = f"{release}: cannot be copied; nothing was published"
            raise ReleaseError(msg) from None
        yield scratch / "release"


def let_out(release: Path, copy: Path, ledger: Ledger) -> Path:
    """Publish an approved release: first in the ledger, then at its place.

    Parameters
    ----------
    release : pathlib.Path
        That waits, and may go out (see `may_go_out`); gone afterwards.
    copy : pathlib.Path
        What was checked and approved; see `copied`.
    ledger : Ledger
        Of the folder it goes to.

    Returns
    -------
    pathlib.Path
        The release folder.
    """
    waiting = destination(release)
    files = {str(f.relative_to(copy)): f for f in sorted(copy.rglob("*")) if f.is_file()}
    with ledger.adding(waiting.name, digest(copy / MANIFEST)):
        place_release(files, waiting.target, supersedes=waiting.supersedes)
    for old in (release, about(release)):
        shutil.rmtree(old)
    return waiting.target
