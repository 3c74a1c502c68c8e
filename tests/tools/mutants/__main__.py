"""Draws mutants, tries them, prints what was found."""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.mutants import cover, page, trees
from tools.mutants.draw import Drawn, draw, where
from tools.mutants.reviewed import Reviewed, entry

STARTING, SLOWER = 15.0, 4.0  # a mutant may take this many seconds and this many times what its tests take without it
# What a worker tries first, without a fault: a tool that fails by itself would call everything noticed.
SOUND = ("src/evalkit/wilson.py", "src/evalkit/wilson.py::evalkit.wilson.wilson")
KILLED, ALIVE, TIMED_OUT, NOT_REACHED = "killed", "alive", "timed out", "not reached"


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    asked = argparse.ArgumentParser(prog="mutants", description=__doc__)
    asked.add_argument("packages", nargs="*", help="packages (folders below src/evalkit, 'evalkit': the top); all")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--count", type=int, default=40, help="mutants per package")
    asked.add_argument("--minutes", type=float, default=20, help="time for trying them, the map not counted")
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--most", type=float, default=30, help="seconds the tests of one mutant may take")
    asked.add_argument("--tests", nargs="*", default=[], help="only these folders or files of tests; all")
    asked.add_argument("--list", action="store_true", help="print survivors as entries of the reviewed list")
    asked.add_argument("--page", action="store_true", help="write docs/mutants.md")
    return asked.parse_args(arguments)


def main() -> int:
    """Do it; 0 whatever is found, since the goal is a figure of the page and not a gate."""
    asked = options()
    os.chdir(trees.ROOT)
    known = cover.load(asked.processes, tuple(asked.tests))
    reviewed = Reviewed.read()
    for entry_of in reviewed.stale():
        print("no mutant any more, take it from equivalent.yaml:", *entry_of)
    drawn = draw(known, reviewed, asked.seed, asked.count, tuple(asked.packages), asked.most)
    verdicts = attempt(drawn, asked.processes, 60 * asked.minutes)
    report(drawn, verdicts, as_entries=asked.list)
    if asked.page:
        about = page.Asked(asked.seed, asked.count, asked.minutes, asked.processes, tuple(asked.packages))
        survivors = [survivor(one) for one, verdict in zip(drawn, verdicts, strict=True) if verdict == ALIVE]
        page.write(about, figures(drawn, verdicts), survivors, len(reviewed.reasons))
    return 0


def attempt(drawn: list[Drawn], processes: int, seconds: float) -> list[str]:
    """Try mutants side by side until all are tried or the time is over; return each one's verdict."""
    verdicts = [NOT_REACHED] * len(drawn)
    jobs: queue.SimpleQueue[int] = queue.SimpleQueue()
    for i in range(len(drawn)):
        jobs.put(i)
    room = Path(tempfile.mkdtemp(prefix="mutants-"))
    end = time.monotonic() + seconds

    def work(tree: Path) -> None:
        with Worker(tree) as worker:
            while time.monotonic() < end:
                try:
                    i = jobs.get_nowait()
                except queue.Empty:
                    return
                verdicts[i] = worker.verdict(drawn[i])
                if sys.stderr.isatty():
                    sys.stderr.write(f"\r{len(drawn) - jobs.qsize()} of {len(drawn)} ")

    try:
        with ThreadPoolExecutor(processes) as pool:
            list(pool.map(work, [room / f"tree{i}" for i in range(processes)]))
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return verdicts


class Worker:
    """A copy of the checkout and the warm Python that tries mutants in it."""

    def __init__(self, tree: Path) -> None:
        python = trees.make(tree)
        around = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        around.pop("PYTHONPATH", None)
        # pytest keeps its compiled tests: once here, since the children write none.
        prime = [str(python), "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
        subprocess.run(prime, cwd=tree, env=around, capture_output=True, check=False)
        call = [str(python), str(Path(__file__).with_name("worker.py")), str(tree)]
        self.process = subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=around)
        self.process.stdout.readline()
        sound = trees.ROOT / SOUND[0]
        job = {"path": SOUND[0], "text": sound.read_text(encoding="utf-8"), "tests": [SOUND[1]], "seconds": 60}
        if self.ask(job) != 0:
            msg = f"mutants: {SOUND[1]} fails without a fault"
            raise RuntimeError(msg)

    def ask(self, job: dict[str, object]) -> int | None:
        """Hand over a job; return pytest's exit code, None where the time was over."""
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            msg = "mutants: a worker ended"
            raise RuntimeError(msg)
        code = json.loads(answer)["code"]
        return None if code is None else int(code)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()

    def verdict(self, one: Drawn) -> str:
        """Try one mutant."""
        seconds = STARTING + SLOWER * one.seconds
        code = self.ask({"path": one.mutant.path, "text": one.text, "tests": one.tests, "seconds": seconds})
        if code is None:
            return TIMED_OUT
        return ALIVE if code in {0, 5} else KILLED  # 5: no test was left, so none failed


def report(drawn: list[Drawn], verdicts: list[str], *, as_entries: bool) -> None:
    """Print the survivors and the figures per package."""
    for one, verdict in zip(drawn, verdicts, strict=True):
        if verdict == ALIVE:
            print(entry(one.mutant, one.change) if as_entries else survivor(one))
    for head, *numbers in figures(drawn, verdicts):
        print(f"{head:<16}" + "".join(f"{number:>13}" for number in numbers))


def survivor(one: Drawn) -> str:
    """Return the diff of a survivor, and which tests did not notice it."""
    gone, new = (
        "\n".join(f"{sign} {row}" for row in rows.splitlines()) for sign, rows in zip("-+", one.change, strict=True)
    )
    tests = f"{len(one.tests)} tests pass" + (f", {one.left} more were left out for time" if one.left else "")
    place = f"{where(one.mutant.path)}:{one.mutant.line} {one.mutant.function}"
    return f"{place}: {one.mutant.what}; {tests}\n{gone}\n{new}\n"


def figures(drawn: list[Drawn], verdicts: list[str]) -> list[list[str]]:
    """Return a row per package: how many killed, alive, timed out and not reached; one timed out is noticed too."""
    counts: dict[str, Counter[str]] = {}
    for one, verdict in zip(drawn, verdicts, strict=True):
        counts.setdefault(one.package, Counter())[verdict] += 1
    rows = [["package", KILLED, ALIVE, TIMED_OUT, NOT_REACHED, "noticed"]]
    for package, n in sorted(counts.items()):
        tried = n[KILLED] + n[ALIVE] + n[TIMED_OUT]
        share = f"{100 * (tried - n[ALIVE]) / tried:.0f} %" if tried else "-"
        rows.append([package, *(str(n[verdict]) for verdict in (KILLED, ALIVE, TIMED_OUT, NOT_REACHED)), share])
    return rows


if __name__ == "__main__":
    sys.exit(main())
