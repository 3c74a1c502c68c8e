"""The release folder: written aside, moved into place in one step, never overwritten.

``reports/<study>/<report>/<period>/`` holds what was published. While it is made it lies beside that place under a
hidden name, so that nothing half-written is ever visible; one rename makes it the release. A release that is there
stays; with ``replace`` it is kept beside the new one as ``<period>.replaced-1``, ``-2`` ...
"""

from __future__ import annotations

__all__ = ["check_place", "place_release", "release_folder"]

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from evalkit.errors import ReleaseError

_STAGING = ".making-"
_FILE = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_-]*/)?[A-Za-z0-9][A-Za-z0-9_.-]*")


def release_folder(out: Path, study: str, report: str, period: str) -> Path:
    """Return where a release goes.

    Parameters
    ----------
    out : pathlib.Path
        The reports folder.
    study, report, period : str
        Names; each becomes one folder.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ReleaseError
        If a name could lead out of the reports folder.

    Examples
    --------
    >>> release_folder(Path("reports"), "demo", "quarterly", "2022Q3").as_posix()
    'reports/demo/quarterly/2022Q3'
    """
    for name in (study, report, period):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            msg = f"'{name}' cannot be a folder's name; use letters, digits, '-', '_' and '.'"
            raise ReleaseError(msg)
    return out / study / report / period


def check_place(target: Path, *, replace: bool) -> None:
    """Find out before the work whether a release can be placed.

    Parameters
    ----------
    target : pathlib.Path
    replace : bool
        Whether a release that is there may be put beside.

    Raises
    ------
    ReleaseError
        If there is a release already, or the folder cannot be written.
    """
    _refuse_existing(target, replace=replace)
    with _writable(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(tempfile.mkdtemp(prefix=_STAGING, dir=target.parent)).rmdir()


def place_release(files: Mapping[str, Path], target: Path, *, replace: bool) -> Path:
    """Put finished files into place as one release.

    Parameters
    ----------
    files : mapping of str to pathlib.Path
        Name in the release, with one folder at most (``data/fig-harm.csv``): finished file.
    target : pathlib.Path
        The release folder.
    replace : bool
        Keep a release that is there beside the new one, instead of refusing.

    Returns
    -------
    pathlib.Path
        ``target``.

    Raises
    ------
    ReleaseError
        If there is a release already and ``replace`` is false, or the folder cannot be written.
    """
    for name in files:
        if not _FILE.fullmatch(name):
            msg = f"'{name}' cannot be a file of a release"
            raise ReleaseError(msg)
    with _writable(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=target.parent))
        try:
            for name, source in files.items():
                _copy_synced(source, _with_folder(staging / name))
            for folder in sorted({(staging / name).parent for name in files} | {staging}):
                _sync(folder)
            with _locked(target.parent):
                _swap(staging, target, replace=replace)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return target


def _swap(staging: Path, target: Path, *, replace: bool) -> None:
    _refuse_existing(target, replace=replace)
    staging.chmod(0o755)
    if not target.exists():
        staging.rename(target)
    else:
        kept = _kept_name(target)
        target.rename(kept)
        try:
            staging.rename(target)
        except BaseException:
            kept.rename(target)
            raise
    _sync(target.parent)


def _kept_name(target: Path) -> Path:
    number = 1
    while (kept := target.with_name(f"{target.name}.replaced-{number}")).exists():
        number += 1
    return kept


def _refuse_existing(target: Path, *, replace: bool) -> None:
    if target.exists() and not replace:
        msg = f"{target}: is published already; --replace keeps it beside a new one"
        raise ReleaseError(msg)


@contextlib.contextmanager
def _writable(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{target.parent}: cannot be written ({error.strerror or 'unknown reason'}); nothing was published"
        raise ReleaseError(msg) from None


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one render at a time swap releases of a report."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _with_folder(file: Path) -> Path:
    if not file.parent.exists():
        file.parent.mkdir()
        file.parent.chmod(0o755)
    return file


def _copy_synced(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(0o644)
    with target.open("rb") as stream:
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
