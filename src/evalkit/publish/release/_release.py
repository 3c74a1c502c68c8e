"""The release folder: written aside, moved into place in one step, never overwritten, never lost.

One render of a study works at a time; its lock ends with its process. ``reports/<study>/<report>/<period>/`` holds the
newest release. While one is made it lies beside that place under a hidden name, so that nothing half-written is ever
visible. A release that is superseded stays for ever as ``<period>.r1``, ``.r2`` ...: it is kept there first, and only
then do the new one and the old one change places in one step, so that at no moment, whatever dies, is there no release
at its place or one too few beside it.
"""

from __future__ import annotations

__all__ = ["check_place", "exchange", "kept_folder", "place_release", "recover", "study_lock"]

import contextlib
import ctypes
import errno
import fcntl
import filecmp
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from evalkit.errors import ReleaseError
from evalkit.protocol import Study, private_folder, private_modes
from evalkit.publish.rendering._machine import scratch_folder, sweep

_NAME = "render.lock"
# What systems say of a lock that another process holds.
_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


@contextlib.contextmanager
def study_lock(study: Study, on_wait: Callable[[], None]) -> Iterator[Path]:
    """Let one render of a study work at a time, and yield its private folder; however a process ends, so does its lock.

    `on_wait` is called once when another render has to be waited for. `ReleaseError` if the file system has no locks.
    """
    private = private_folder(study)
    try:
        descriptor = os.open(private / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
        with contextlib.suppress(OSError):  # another user's, who shares the folder
            os.fchmod(descriptor, private_modes(private)[0])
    except OSError as error:
        msg = f"{private / _NAME}: cannot be opened ({error.strerror}); another user of the folder made it"
        raise ReleaseError(msg) from None
    try:
        try:
            if not _taken_at_once(descriptor):
                on_wait()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            msg = f"{private}: cannot be locked ({error.strerror}); put the protocol on a file system with locks"
            raise ReleaseError(msg) from None
        yield private
    finally:
        os.close(descriptor)


def _taken_at_once(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True


_STAGING = ".making-"
# One folder at most, and no leading point: nothing hidden, nothing that leads out of the release.
_FILE = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_-]*/)?[A-Za-z0-9][A-Za-z0-9_.-]*")
_ASIDE = ".aside-"
# On Linux: paths are as given, and not from an open folder.
_AT_FDCWD = -100
_SWAP = 2  # RENAME_EXCHANGE on Linux, RENAME_SWAP on macOS: the same number
# The kernel, or this file system, does not know the exchange.
_ABSENT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def kept_folder(target: Path, revision: int) -> Path:
    """Return where a superseded release is kept.

    >>> kept_folder(Path("reports/demo/quarterly/2022Q3"), 1).name
    '2022Q3.r1'
    """
    return target.with_name(f"{target.name}.r{revision}")


def check_place(target: Path, *, stays: bool = False) -> None:
    """Find out before the work whether a release can be placed; `ReleaseError` if the folder cannot be written.

    With `stays` the folder is there afterwards.
    """
    # The report's folder and the study's: under the study's lock nobody else makes one in them.
    made = [place for place in target.parents[:2] if not place.exists()]
    with _writable(target):
        _make_folders(target.parent)
        with scratch_folder(target.parent, _STAGING):
            pass
    # Of a render that fails nothing is to stay among the releases, as if there had been one of that name.
    for place in () if stays else made:
        with contextlib.suppress(OSError):  # somebody else put something there
            place.rmdir()


def recover(target: Path) -> None:
    """Mend what a render that died left at a place; call it while no other render of the study works.

    `ReleaseError` if the folder cannot be written.
    """
    if not target.parent.is_dir():
        return
    aside = target.with_name(f"{_ASIDE}{target.name}")
    with _writable(target):
        if aside.is_dir() and not target.exists():
            aside.rename(target)
        elif aside.is_dir():
            shutil.rmtree(aside)  # the same release is kept as a revision
        sweep(target.parent, _STAGING)


def place_release(files: Mapping[str, Path], target: Path, *, supersedes: int | None = None) -> Path:
    """Put finished files into place as one release, and return the place.

    Names may have one folder (``data/fig-harm.csv``). The release that is there is kept as revision `supersedes`;
    without it nothing may be there. `ReleaseError` if there is a release and it is not superseded, or the folder cannot
    be written.
    """
    for name in files:
        if not _FILE.fullmatch(name):
            msg = f"'{name}' cannot be a file of a release"
            raise ReleaseError(msg)
    with _writable(target):
        _make_folders(target.parent)
        with scratch_folder(target.parent, _STAGING) as staging:
            for name, source in files.items():
                _make_folders((staging / name).parent)
                _copy_synced(source, staging / name)
            # On the disk before it has its name: after a power loss there is a whole release or none.
            _publishable(staging)
            if supersedes is None:
                _move_in(staging, target)
            else:
                _supersede(staging, target, kept_folder(target, supersedes))
            _sync(target.parent)
    return target


def _move_in(staging: Path, target: Path) -> None:
    if target.exists():
        msg = f"{target}: is published already; nothing is ever overwritten"
        raise ReleaseError(msg)
    staging.rename(target)


def _supersede(staging: Path, target: Path, kept: Path) -> None:
    if not kept.exists():
        with scratch_folder(target.parent, _STAGING) as copy:
            # Links to the same bytes: keeping every revision costs no second copy on the disk.
            shutil.copytree(target, copy, copy_function=_link, dirs_exist_ok=True)
            _publishable(copy)
            copy.rename(kept)
        _sync(target.parent)
    elif not _same(kept, target):
        msg = f"{kept}: another release is kept there; move it away by hand"
        raise ReleaseError(msg)
    if exchange(staging, target):
        return  # the staging folder now holds the old release, which is kept
    aside = target.with_name(f"{_ASIDE}{target.name}")
    target.rename(aside)
    try:
        staging.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside)


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        _copy_synced(Path(source), Path(target))
    return target


def _same(one: Path, other: Path) -> bool:
    names = [str(p.relative_to(one)) for p in sorted(one.rglob("*")) if p.is_file()]
    others = [str(p.relative_to(other)) for p in sorted(other.rglob("*")) if p.is_file()]
    return names == others and filecmp.cmpfiles(one, other, names, shallow=False)[0] == names


@contextlib.contextmanager
def _writable(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        msg = f"{target.parent}: cannot be written ({error.strerror or 'unknown reason'}); nothing was published"
        raise ReleaseError(msg) from None


def _make_folders(folder: Path) -> None:
    """Make a folder and those above it, open to readers whatever the file mask is."""
    for place in reversed([folder, *folder.parents]):
        if not place.is_dir():
            place.mkdir(exist_ok=True)
            place.chmod(0o755)


def _copy_synced(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb") as stream:
        os.fsync(stream.fileno())


def _publishable(folder: Path) -> None:
    """Open a finished release to its readers, and see it on the disk."""
    for place in [*folder.rglob("*"), folder]:
        place.chmod(0o755 if place.is_dir() else 0o644)
        if place.is_dir():
            _sync(place)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders that are both there, on one file system.

    False where system or file system cannot do it in one step; nothing is changed then. `OSError` if it fails for
    another reason.
    """
    # Python has no exchange of two names; without it there is a moment in which the place is empty.
    first, second = os.fsencode(one), os.fsencode(other)
    library = ctypes.CDLL(None, use_errno=True)
    try:
        if sys.platform == "darwin":
            failed = library.renamex_np(first, second, ctypes.c_uint(_SWAP))
        else:
            failed = library.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, ctypes.c_uint(_SWAP))
    except AttributeError:  # an older C library
        return False
    if failed == 0:
        return True
    number = ctypes.get_errno()
    if number in _ABSENT:
        return False
    raise OSError(number, os.strerror(number), str(one))
