"""`python -m evalkit` in a process of its own that need not load everything first: a fork of one that has.

A quarter of what a small render takes is loading pandas, Ibis and papermill. What a test says of a start, of signals or
of an environment that Python reads when it starts needs a new process: it starts one. So does what holds two runs to
the same bytes (`verify`): forks have one order of sets.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_LATE = {"COLUMNS", "PATH", "TMPDIR", "XDG_STATE_HOME"}  # nobody reads these before a command runs
_FORKS.set_forkserver_preload(["evalkit.cli._render", "ibis.backends.duckdb", "publish.forked"])


def evalkit(arguments: Sequence[str], env: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command; what it writes and its exit code are those of a process."""
    other = {name for name in {*env, *os.environ} if env.get(name) != os.environ.get(name)}
    counted = "COVERAGE_PROCESS_START" in env  # which tells lines of processes by a variable of their start
    if counted or any(name not in _LATE and not name.startswith(("EVALKIT_", "QUARTO_", "STANDIN_")) for name in other):
        words = [sys.executable, "-m", "evalkit", *arguments]
        return subprocess.run(words, env=dict(env), cwd=cwd, capture_output=True, text=True, check=False, timeout=500)
    with tempfile.TemporaryDirectory() as room:
        files = [Path(room, name) for name in ("out", "err")]
        process = _FORKS.Process(target=_run, args=(list(arguments), dict(env), cwd, files))
        process.start()
        process.join(500)
        if process.is_alive():
            process.kill()
            raise subprocess.TimeoutExpired(["evalkit", *arguments], 500)
        said = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    return subprocess.CompletedProcess(["evalkit", *arguments], process.exitcode, *said)


def _run(arguments: list[str], env: dict[str, str], cwd: Path, files: list[Path]) -> None:
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None
    sys.argv = ["evalkit", *arguments]
    try:
        runpy.run_module("evalkit", run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()  # a child of multiprocessing ends without them
        sys.stdout.flush()
        sys.stderr.flush()
