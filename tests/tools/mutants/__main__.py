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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tools.mutants import cover, kept, page, trees
from tools.mutants.draw import Drawn, draw, where
from tools.mutants.near import NEAR, near
from tools.mutants.reviewed import Reviewed, entry
from tools.mutants.worker import WAITED, WORKED

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
    asked.add_argument("--near", action="store_true", help="only the tests nearest to each package (near.py): quicker")
    asked.add_argument(
        "--stale", action="store_true", help="measure only tests that were never measured: too low a figure"
    )
    asked.add_argument("--list", action="store_true", help="print survivors as entries of the reviewed list")
    asked.add_argument("--page", action="store_true", help="write docs/mutants.md")
    return asked.parse_args(arguments)


def main() -> int:
    """Do it; 0 whatever is found, since the goal is a figure of the page and not a gate."""
    asked = options()
    os.chdir(trees.ROOT)
    tried, files = kept.commit(), chosen(trees.test_files(), asked)
    known = cover.load(asked.processes, files, stale=asked.stale)
    reviewed = Reviewed.read()
    for entry_of in reviewed.stale():
        print("no mutant any more, take it from equivalent.yaml:", *entry_of)
    nearest = partial(near, files) if asked.near else None
    drawn = draw(known, reviewed, asked.seed, asked.count, tuple(asked.packages), asked.most, nearest)
    verdicts = attempt(drawn, asked.processes, 60 * asked.minutes)
    report(drawn, verdicts, as_entries=asked.list)
    about = f"{asked.count} with seed {asked.seed}{', --stale' if asked.stale else ''}"
    kept.keep(about, tried, figures(drawn, verdicts), left(drawn, verdicts), tests_of(asked))
    if asked.page:
        page.write(kept.read(), len(reviewed.reasons))
    return 0


def chosen(files: list[str], asked: argparse.Namespace) -> list[str]:
    """Return the files of tests that a run stands on."""
    files = [
        n for n in files if not n.startswith("tests/tools/") and (not asked.tests or n.startswith(tuple(asked.tests)))
    ]
    if not asked.near:
        return files
    return sorted(set().union(*(near(files, package) for package in asked.packages or NEAR)))


def tests_of(asked: argparse.Namespace) -> Callable[[str], str]:
    """Return how to say of a package which tests its faults were tried against."""
    if asked.near:
        return lambda package: ", ".join(f"`{name}`" for name in NEAR[package])
    return lambda _: ", ".join(f"`{name}`" for name in asked.tests) or "all"


def left(drawn: list[Drawn], verdicts: list[str]) -> dict[str, list[str]]:
    """Return each package's survivors."""
    found: dict[str, list[str]] = {one.package: [] for one in drawn}
    for one, verdict in zip(drawn, verdicts, strict=True):
        if verdict == ALIVE:
            found[one.package].append(survivor(one))
    return found


def attempt(drawn: list[Drawn], processes: int, seconds: float) -> list[str]:
    """Try mutants side by side until all are tried or the time is over; return each one's verdict."""
    verdicts = [NOT_REACHED] * len(drawn)
    jobs: queue.SimpleQueue[int] = queue.SimpleQueue()
    for i in range(len(drawn)):
        jobs.put(i)
    room = Path(tempfile.mkdtemp(prefix="mutants-"))
    end = time.monotonic() + seconds

    def work(tree: Path) -> None:
        with Worker(tree, sorted({test.split("::")[0] for one in drawn for test in one.tests})) as worker:
            while time.monotonic() < end:
                try:
                    i = jobs.get_nowait()
                except queue.Empty:
                    return
                verdicts[i] = worker.verdict(drawn[i])
                told = f"{where(drawn[i].mutant.path)}:{drawn[i].mutant.line}: {verdicts[i]}"
                sys.stderr.write(f"{len(drawn) - jobs.qsize()} of {len(drawn)}, {told}\n")
                if verdicts[i] == ALIVE:
                    sys.stderr.write(survivor(drawn[i]))

    try:
        with ThreadPoolExecutor(processes) as pool:
            list(pool.map(work, [room / f"tree{i}" for i in range(processes)]))
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return verdicts


class Worker:
    """A copy of the checkout and the warm Python that tries mutants in it."""

    def __init__(self, tree: Path, files: list[str]) -> None:
        python = trees.make(tree)
        around = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        around.pop("PYTHONPATH", None)
        # pytest keeps its compiled tests: once here, since the children write none.
        prime = [str(python), "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
        subprocess.run(prime, cwd=tree, env=around, capture_output=True, check=False)
        call = [str(python), str(Path(__file__).with_name("worker.py")), str(tree)]
        self.process = subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=around)
        self.process.stdout.readline()
        sound = trees.ROOT / SOUND[0]
        job = {"path": SOUND[0], "text": sound.read_text(encoding="utf-8"), "tests": [SOUND[1]], "seconds": 60}
        if self.ask(job) != 0:
            msg = f"mutants: {SOUND[1]} fails without a fault"
            raise RuntimeError(msg)

    def ask(self, job: dict[str, object]) -> int | str:
        """Hand over a job; return pytest's exit code, or why there is none."""
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            msg = "mutants: a worker ended"
            raise RuntimeError(msg)
        code: int | str = json.loads(answer)["code"]
        return code

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()

    def verdict(self, one: Drawn) -> str:
        """Try one mutant."""
        seconds = STARTING + SLOWER * one.seconds
        code = self.ask({"path": one.mutant.path, "text": one.text, "tests": one.tests, "seconds": seconds})
        if code == WAITED:
            return NOT_REACHED  # a busy machine says nothing of the tests
        if code == WORKED:
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
