"""One warm Python that tries mutants: it has imported every package the sources use, and forks for each of them.

It is run by the copy's own Python, reads one job a line from its input and answers each with one line. A job is the file,
its text with the fault, the tests in order and the seconds they may take.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import math
import os
import pkgutil
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

OTHERS = [
    "-p",
    "no:xdist",
    "-p",
    "no:cacheprovider",
    "-q",
    "--no-header",
    "--tb=no",
    "--hypothesis-seed=0",
    "-Wignore::pytest.PytestAssertRewriteWarning",
]
POLL = 0.01
WORKED, WAITED = "worked too long", "waited too long"
PATIENCE = 8.0  # times the seconds a mutant may work: how long it may wait


def main(tree: Path) -> None:
    """Answer jobs until there are none."""
    os.chdir(tree)
    warm()
    answers = os.fdopen(os.dup(1), "w")
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(attempt(tree, json.loads(line))), file=answers, flush=True)


def warm() -> None:
    """Import every module of the sources, and forget them: what they import from elsewhere stays."""
    import evalkit

    for module in pkgutil.walk_packages(evalkit.__path__, "evalkit."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("pytest", "_pytest.doctest", "_pytest.assertion.rewrite", "hypothesis.extra.pandas", "unittest.mock"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for name in [name for name in sys.modules if name.split(".")[0] == "evalkit"]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()  # or the first collection of each child copies all of this


def attempt(tree: Path, job: dict[str, object]) -> dict[str, object]:
    """Put the fault in, run the tests in a child until one fails, and take the fault out again."""
    file = tree / str(job["path"])
    sound = file.read_text(encoding="utf-8")
    begun = time.monotonic()
    try:
        file.write_text(str(job["text"]), encoding="utf-8")
        child = os.fork()
        if child == 0:
            _child(tree, job)
        code = _wait(child, PATIENCE * float(job["seconds"]))
    finally:
        file.write_text(sound, encoding="utf-8")
    return {"code": code, "seconds": time.monotonic() - begun}


def _child(tree: Path, job: dict[str, object]) -> None:
    """Run the tests and leave with pytest's exit code."""
    os.setsid()
    # A loop without end is a matter of work done, not of how busy the machine is.
    limit = math.ceil(float(job["seconds"]))
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    code = 3
    try:
        import pytest

        tests = [str(t) for t in job["tests"]]
        where = list(dict.fromkeys(t.split("::")[0] for t in tests))
        code = int(pytest.main([*OTHERS, "-x", *where], plugins=[Chosen(tests)]))
    finally:
        os._exit(code)


class Chosen:
    """Runs the chosen tests only, in their order."""

    def __init__(self, tests: list[str]) -> None:
        self.places = {test: i for i, test in enumerate(tests)}

    def __hash__(self) -> int:
        return id(self)

    def pytest_collection_modifyitems(self, items: list) -> Iterator[None]:
        yield
        chosen = [item for item in items if item.nodeid in self.places]
        items[:] = sorted(chosen, key=lambda item: self.places[item.nodeid])


def _hook() -> None:
    import pytest

    Chosen.pytest_collection_modifyitems = pytest.hookimpl(hookwrapper=True)(Chosen.pytest_collection_modifyitems)


def _wait(child: int, seconds: float) -> int | str:
    """Return the child's exit code; where it was ended, with all its processes, whether it worked or waited too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            end_session(child)
            code = os.waitstatus_to_exitcode(status)
            return WORKED if code == -signal.SIGXCPU else code
        time.sleep(POLL)
    end_session(child, child)
    os.waitpid(child, 0)
    return WAITED


def end_session(session: int, *also: int) -> None:
    """End what a test left running: every process whose forebear is the child, or that is of its session."""
    import psutil

    ended = set(also)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, OSError):
            if os.getsid(process.pid) == session or any(p.pid == session for p in process.parents()):
                ended.add(process.pid)
    for pid in ended:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    _hook()
    main(Path(sys.argv[1]))
