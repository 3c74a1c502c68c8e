"""Scratch folders: private, in use as long as their process lives, swept away by the next render when it died."""

from __future__ import annotations

__all__ = ["PREFIX", "private_files", "scratch_folder", "sweep"]

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from evalkit.publish._lock import in_use, locked

PREFIX = "evalkit-"
_NEW = ".new-"
_GAP = 60.0  # seconds between making a folder and marking it, at the very most


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Let nobody else read what is written inside the block, whatever the user's own file mask is."""
    mask = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(mask)


@contextlib.contextmanager
def scratch_folder(parent: Path | None = None, prefix: str = PREFIX) -> Iterator[Path]:
    """Make a private folder, and take it away at the end.

    Parameters
    ----------
    parent : pathlib.Path, optional
        The folder for temporary files when not given.
    prefix : str

    Yields
    ------
    pathlib.Path
        Mode 0700; marked as in use before it has a name that `sweep` looks for.
    """
    made = Path(tempfile.mkdtemp(prefix=f"{_NEW}{prefix}", dir=parent))
    folder = made.with_name(made.name.removeprefix(_NEW))
    try:
        with locked(made):
            made.rename(folder)
            yield folder
    finally:
        for place in (made, folder):
            shutil.rmtree(place, ignore_errors=True)


def sweep(parent: Path, prefix: str = PREFIX, *, alone: bool = False) -> int:
    """Take away the scratch folders of renders that died, and end what still works in them.

    Parameters
    ----------
    parent : pathlib.Path
    prefix : str
    alone : bool, default False
        Whether nobody else can be making such a folder right now.

    Returns
    -------
    int
        How many were taken away. Folders of living renders and of other users are left alone.
    """
    swept = 0
    with contextlib.suppress(OSError):
        for folder in sorted(parent.iterdir()):
            if not _is_ours(folder) or in_use(folder):
                continue
            if folder.name.startswith(f"{_NEW}{prefix}") and (alone or time.time() - folder.stat().st_mtime > _GAP):
                folder.rmdir()  # its process died before it was marked as in use; nothing is in it
                swept += 1
            elif folder.name.startswith(prefix):
                _end_processes_in(folder)
                shutil.rmtree(folder, ignore_errors=True)
                swept += 1
    return swept


def _is_ours(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.geteuid()
    return False


def _end_processes_in(folder: Path) -> None:
    """End what a dead render started: its working folder is the scratch folder, or lies in it."""
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.uids().real == os.geteuid() and folder in (at := Path(process.cwd()), *at.parents):
                process.kill()
                left.append(process)
    psutil.wait_procs(left, timeout=5)
