"""What a render takes of the machine, and gives back: scratch folders and child processes.

Scratch folders are private, in use as long as their process lives, swept away by the next render when it died. They lie
in folders that others use, too (the machine's folder for temporary files), and a name proves nothing: a user may call a
folder of his own ``evalkit-mine``. So each scratch folder has a marker beside it that names it, its owner and the
process that made it; what has none is never touched.

Each child process has a session of its own, so that stopping one stops everything it started.
"""

from __future__ import annotations

__all__ = [
    "ENVIRONMENT",
    "PREFIX",
    "SOCKETS",
    "Finished",
    "memory_of",
    "private_files",
    "run_child",
    "scratch_folder",
    "socket_parent",
    "sweep",
    "swept_up",
]

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from evalkit.errors import ExecutionError, ExecutionTimeoutError, MissingToolError

PREFIX = "evalkit-"
SOCKETS = "ek-"
"""Begins the names of folders for a kernel's sockets, whose paths have to be short."""
ENVIRONMENT = "EVALKIT_SCRATCH"
"""Names, to the processes that a render starts, the folder they work in: how they are known when it has died."""

_MARKER = ".owner"
_KIND = "evalkit scratch folder"
_SAME = 1.0  # seconds by which two readings of a process's start may differ
_LONGEST_SOCKET = 104  # bytes of a Unix socket's path on the narrowest system
_LONGEST = 1000  # bytes of a marker


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
    """Make a private folder (mode 0700) with a marker beside it, and take both away at the end.

    It lies in the folder for temporary files where no `parent` is given.
    """
    folder = (parent or Path(tempfile.gettempdir())) / f"{prefix}{secrets.token_hex(6)}"
    marker = _marker_of(folder)
    # The marker comes first: a process that dies now leaves nothing that nobody would take away.
    descriptor = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with contextlib.suppress(OSError):  # some file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        started = psutil.Process().create_time()
        told = {"kind": _KIND, "folder": folder.name, "owner": os.geteuid(), "pid": os.getpid(), "started": started}
        os.write(descriptor, json.dumps(told).encode())
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        marker.unlink(missing_ok=True)
        os.close(descriptor)


def sweep(parent: Path, prefix: str = PREFIX) -> int:
    """Take away the scratch folders of renders that died, and end what still works in them."""
    swept = 0
    with contextlib.suppress(OSError):
        for marker in sorted(parent.glob(f".{prefix}*{_MARKER}")):
            folder = marker.with_name(marker.name.removeprefix(".").removesuffix(_MARKER))
            if _is_abandoned(marker, folder):
                if folder.is_dir() and not folder.is_symlink() and folder.lstat().st_uid == os.geteuid():
                    _end_processes_of(folder)
                    shutil.rmtree(folder, ignore_errors=True)  # follows no link
                    swept += 1
                marker.unlink(missing_ok=True)
    return swept


def socket_parent() -> Path:
    """Return the temporary folder, unless its path is too long to hold a socket."""
    # Forty bytes: a folder's name, and in it that of a socket.
    temporary = Path(tempfile.gettempdir())
    return temporary if len(str(temporary)) + 40 < _LONGEST_SOCKET else Path("/tmp")  # noqa: S108 - the folder is private


def swept_up() -> None:
    """Take away what renders left that died: the report's text, and the key of a kernel that lives no more."""
    sweep(Path(tempfile.gettempdir()))
    sweep(socket_parent(), SOCKETS)


def _marker_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}{_MARKER}")


def _is_abandoned(marker: Path, folder: Path) -> bool:
    """Return whether a marker is ours, names this folder, and its process is no more."""
    try:
        descriptor = os.open(marker, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid():
            return False
        told = json.loads(os.read(descriptor, _LONGEST))
        if not isinstance(told, dict) or told.get("kind") != _KIND or told.get("folder") != folder.name:
            return False
        if told.get("owner") != os.geteuid() or _lives(told):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # also held by a process that cannot be seen from here
    except (OSError, ValueError):
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def _lives(told: dict[str, Any]) -> bool:
    """Return whether the process lives that made a marker; another one may have its number since."""
    pid, started = told.get("pid"), told.get("started")
    if not isinstance(pid, int) or not isinstance(started, int | float):
        return True  # a marker that says nothing clear is left alone
    with contextlib.suppress(psutil.NoSuchProcess, ValueError, OverflowError):
        process = psutil.Process(pid)
        return bool(abs(process.create_time() - started) <= _SAME) and process.status() != psutil.STATUS_ZOMBIE
    return False


def _end_processes_of(folder: Path) -> None:
    """End what a dead render started: its environment names the scratch folder."""
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.uids().real != os.geteuid():
                continue
            at = Path(process.environ().get(ENVIRONMENT, os.devnull))
            if folder in (at, *at.parents):
                process.kill()
                left.append(process)
    psutil.wait_procs(left, timeout=5)


_LOOK = 0.5
"""Seconds between looks at the memory of a child."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A child process that ended by itself: exit code, and what it wrote."""

    code: int
    out: str
    err: str


def memory_of(pid: int) -> int:
    """Return the bytes that a process and everything it started hold; 0 when it has ended."""
    found = 0
    with contextlib.suppress(psutil.Error):
        first = psutil.Process(pid)
        for process in (first, *first.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                found += process.memory_info().rss
    return found


def run_child(
    command: Sequence[str],
    *,
    folder: Path,
    timeout: float,
    env: Mapping[str, str] | None = None,
    memory_gb: float = 8.0,
) -> Finished:
    """Run a program (no shell) to its end; whatever ends the wait, none of its processes outlives it.

    It has `timeout` seconds and the caller's environment where `env` is not given; it and everything it starts may hold
    `memory_gb`. `MissingToolError` if there is no such program, `ExecutionTimeoutError` if it does not end in time,
    `ExecutionError` if it holds more.
    """
    name, end = Path(command[0]).name, time.monotonic() + timeout
    try:
        child = subprocess.Popen(  # noqa: S603 - a list, no shell
            list(command),
            cwd=folder,
            env={**(os.environ if env is None else env), ENVIRONMENT: str(folder)},
            # A program that asks a question gets no answer, and does not wait for one.
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            # A tool's message may quote a text that it could not read.
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        msg = f"{name}: cannot be started ({error.strerror}); see 'evalkit doctor'"
        raise MissingToolError(msg) from None
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):  # what was read so far is kept
                out, err = child.communicate(timeout=min(_LOOK, max(end - time.monotonic(), 0.0)))
                return Finished(child.returncode, out, err)
            if time.monotonic() >= end:
                msg = f"{name}: stopped after {timeout:g} seconds; raise timeout_minutes in the report's file"
                raise ExecutionTimeoutError(msg)
            if memory_of(child.pid) > memory_gb * 1e9:
                msg = f"{name}: used more than {memory_gb:g} GB of memory; raise memory_gb in the report's file"
                raise ExecutionError(msg)
    finally:
        _end_group(child)


def _end_group(child: subprocess.Popen[str]) -> None:
    """Signal the whole group: the launcher's own end does not end its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(OSError, ValueError):
        child.wait(timeout=5)
    for stream in (child.stdout, child.stderr):
        if stream is not None:
            stream.close()
