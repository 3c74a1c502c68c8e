"""Programs that publishing starts: bounded in time and memory, and nothing of them is left behind."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import pytest

from evalkit.errors import ExecutionError, ExecutionTimeoutError, MissingToolError
from evalkit.publish.rendering._machine import run_child

_CHILD = """
import subprocess, sys, time
from pathlib import Path
child = subprocess.Popen([sys.executable, "-c", "x = bytearray(b'1') * 300_000_000; import time; time.sleep(60)"])
Path("pid").write_text(str(child.pid))
time.sleep(60)
"""


def run(code: str, folder: Path, **limits: float) -> object:
    return run_child([sys.executable, "-c", code], folder=folder, **{"timeout": 30.0, **limits})


def lives(pid: int) -> bool:
    """Whether a process still does anything; one that nobody has asked after yet is dead all the same."""
    for _ in range(50):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            return False
        time.sleep(0.1)
    return True


def test_what_a_program_says_comes_back_whole(tmp_path: Path) -> None:
    done = run("import sys; print('x' * 3_000_000); sys.stderr.write('bad'); sys.exit(3)", tmp_path)
    assert (done.code, len(done.out), done.err) == (3, 3_000_001, "bad")
    slow = run("import time; print('a', flush=True); time.sleep(1.3); print('b')", tmp_path)
    assert slow.out == "a\nb\n"


def test_a_program_that_takes_too_much_memory_is_ended_with_all_it_started(tmp_path: Path) -> None:
    with pytest.raises(ExecutionError, match=r"used more than 0\.2 GB of memory; raise memory_gb"):
        run(_CHILD, tmp_path, memory_gb=0.2)
    assert not lives(int((tmp_path / "pid").read_text()))


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ExecutionTimeoutError, match="stopped after 1 seconds; raise timeout_minutes"):
        run("import time; time.sleep(60)", tmp_path, timeout=1)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="no-such-tool: cannot be started"):
        run_child(["no-such-tool"], folder=tmp_path, timeout=1)
