"""Two folders change their names in one step, so that there is no moment without a release at its place."""

from __future__ import annotations

__all__ = ["exchange"]

import ctypes
import errno
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_SWAP = 2  # RENAME_EXCHANGE on Linux, RENAME_SWAP on macOS: the same number
_ABSENT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders' names.

    Parameters
    ----------
    one, other : pathlib.Path
        On the same file system; both there.

    Returns
    -------
    bool
        False where system or file system cannot do it in one step; nothing is changed then.

    Raises
    ------
    OSError
        If it fails for another reason.
    """
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
