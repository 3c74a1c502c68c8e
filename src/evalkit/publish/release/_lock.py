"""A lock that ends with its process: one render of a study at a time."""

from __future__ import annotations

__all__ = ["study_lock"]

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from evalkit.errors import ReleaseError
from evalkit.protocol import Study, private_folder, private_modes

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
