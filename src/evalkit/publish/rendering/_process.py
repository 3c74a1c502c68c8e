"""Child processes: each in a session of its own, so that stopping one stops everything it started."""

from __future__ import annotations

__all__ = ["Finished", "memory_of", "run_child"]

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from evalkit.errors import ExecutionError, ExecutionTimeoutError, MissingToolError
from evalkit.publish.rendering._scratch import ENVIRONMENT

_LOOK = 0.5
"""Seconds between looks at the memory of a child."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A child process that ended by itself.

    Attributes
    ----------
    code : int
        Exit code.
    out, err : str
        What it wrote.
    """

    code: int
    out: str
    err: str


def memory_of(pid: int) -> int:
    """Return the memory that a process and everything it started hold.

    Returns
    -------
    int
        Bytes; 0 when it has ended.
    """
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
    """Run a program to its end; whatever ends the wait, none of its processes outlives it.

    Parameters
    ----------
    command : sequence of str
        Program and arguments; no shell is involved.
    folder : pathlib.Path
        Working folder.
    timeout : float
        Seconds.
    env : mapping, optional
        Environment; the caller's when not given.
    memory_gb : float
        Most that it and everything it starts may hold.

    Raises
    ------
    MissingToolError
        If there is no such program.
    ExecutionTimeoutError
        If it does not end in time.
    ExecutionError
        If it holds more memory.
    """
    name, end = Path(command[0]).name, time.monotonic() + timeout
    try:
        child = subprocess.Popen(  # noqa: S603 - a list, no shell
            list(command),
            cwd=folder,
            env={**(os.environ if env is None else env), ENVIRONMENT: str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
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
