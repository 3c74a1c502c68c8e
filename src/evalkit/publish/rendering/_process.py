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
