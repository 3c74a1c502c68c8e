"""What a program may not find around it: standard streams, a home, a folder for temporary files.

Schedulers start programs with closed streams, containers run them under a number without a name or a home. Libraries
assume all of it and fail somewhere in the middle; so it is put right before anything else is imported.
"""

from __future__ import annotations

__all__ = ["closed_down", "made_ready"]

import contextlib
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from evalkit.errors import ReleaseError

HOMELESS = "EVALKIT_HOMELESS"
"""Set where HOME is a scratch folder that ends with this process: nothing that has to last may be kept there."""

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


@contextlib.contextmanager
def made_ready() -> Iterator[None]:
    """Give the program what it needs, and take away at the end what was only lent."""
    _open_streams()
    os.umask(os.umask(0) | 0o002)  # nothing that anybody could write, however careless the caller
    if not sys.warnoptions:  # what libraries deprecate among themselves is no news in a scheduler's mail
        warnings.simplefilter("ignore")
        os.environ["PYTHONWARNINGS"] = "ignore"  # in the processes of a batch, too
    try:
        place = tempfile.gettempdir()
    except OSError:
        msg = "no folder for temporary files can be written; set TMPDIR to one that can"
        raise ReleaseError(msg) from None
    with contextlib.ExitStack() as lent:
        for name in _without_home():
            folder = tempfile.mkdtemp(prefix="ek-home-", dir=place)
            lent.callback(shutil.rmtree, folder, ignore_errors=True)
            os.environ[name] = folder
        yield


def _without_home() -> list[str]:
    """Name the variables that have to be set to a folder: where there is no home, or it cannot be written."""
    try:
        home = Path.home()  # raises where HOME is not set and the user is a number without a name
    except RuntimeError:
        os.environ[HOMELESS] = "1"
        return ["HOME"]
    if not home.is_dir():
        os.environ[HOMELESS] = "1"
        return ["HOME"]
    writable = os.access(home, os.W_OK | os.X_OK)
    return [] if writable or "MPLCONFIGDIR" in os.environ else ["MPLCONFIGDIR"]  # credentials may be read from it


def _open_streams() -> None:
    """Open what was closed: else the first file that is opened takes the number of a stream, and is written over."""
    for number, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            os.set_inheritable(number, True)  # kernels and publishers want it, too
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal may not know a letter


def closed_down(code: int) -> int:
    """Put out what is still to be put out, and return the exit code, ``code`` if all goes well.

    141 where nobody reads any more what a command was asked for, as shells say it; 10 where it cannot be written.
    """
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError) as error:
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)  # or Python would try once more, and complain
            if number == 1 and not code:
                code = 141 if isinstance(error, BrokenPipeError) else ReleaseError.exit_code
                if code != 141:
                    with contextlib.suppress(OSError, ValueError):
                        sys.stderr.write("evalkit: the standard output cannot be written\n")
    return code
