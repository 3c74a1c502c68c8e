"""The map: which test runs which lines. Made once, kept beside the checkout, made again only for tests that changed."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from coverage import CoverageData

from tools.mutants import plugin, trees

CACHE = trees.ROOT / ".mutants" / "map.json.gz"
SETTINGS = """[run]
branch = false
parallel = true
core = ctrace
source = {tree}/src/evalkit
data_file = {data}/lines
context = ${{{context}-}}
disable_warnings = no-data-collected,module-not-imported,module-not-measured,already-imported,no-contexts
"""
PIECE = 20  # files of tests
NOT_HERE = "not slow and not spark"


@dataclass
class Map:
    """What one run of all tests showed."""

    seconds: dict[str, float] = field(default_factory=dict)
    shared: dict[str, list[str]] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    imported: dict[str, set[int]] = field(default_factory=dict)

    def tests(self, path: str, rows: range) -> set[str]:
        """Return the tests that run any of the rows of a source."""
        known = self.lines.get(path, {})
        return set().union(*(known.get(row, ()) for row in rows))

    def within(self, files: set[str]) -> Map:
        """Return what the tests of some files alone show."""
        kept = {test for test in self.seconds if test.split("::")[0] in files}
        lines = {path: {row: tests & kept for row, tests in rows.items()} for path, rows in self.lines.items()}
        return replace(self, seconds={t: s for t, s in self.seconds.items() if t in kept}, lines=lines)

    def of_file(self, path: str) -> set[str]:
        """Return the tests that run anything of a source after its import."""
        return set().union(*self.lines.get(path, {}).values())


def load(processes: int, wanted: list[str], *, stale: bool = False) -> Map:
    """Return the map of some files of tests, making what of it is missing or stale.

    Parameters
    ----------
    processes : int
    wanted : list of str
        Files of tests.
    stale : bool
        Whether to take what was measured once, though sources and tests may have changed since: lines and tests that
        came after it are overlooked.
    """
    here, every = set(trees.test_files()), trees.files()
    base = trees.digest(["pyproject.toml", "conftest.py"])
    kept = _read()
    entries = {n: e for n, e in kept.get("files", {}).items() if kept.get("base") == base and n in here}
    helpers = {n: [n, *_helpers(n, every, here)] for n in wanted}
    digests = {n: trees.digest(names) for n, names in helpers.items()}
    missing = [
        n
        for n in wanted
        if n not in entries or not (stale or (entries[n]["digest"] == digests[n] and not _outdated(entries[n], every)))
    ]
    if missing:
        sys.stderr.write(f"mutants: measuring what {len(missing)} files of tests run ...\n")
    # Piece by piece, so that what was measured is kept where somebody ends it.
    for first in range(0, len(missing), PIECE):
        for name, entry in _measure(missing[first : first + PIECE], processes).items():
            entries[name] = {"digest": digests[name], **entry, "ran": trees.digest(_ran(entry, every))}
        _write({"base": base, "files": entries})
        sys.stderr.write(f"mutants: {min(first + PIECE, len(missing))} of {len(missing)} files of tests are measured\n")
    return _joined({n: entries[n] for n in wanted})


def _outdated(entry: dict[str, Any], every: list[str]) -> bool:
    """Say whether anything that a file's tests ran is another one today; what they only import may change."""
    ran = _ran(entry, every)
    return not set(ran) <= set(every) or entry.get("ran") != trees.digest(ran)


def _ran(entry: dict[str, Any], every: list[str]) -> list[str]:
    sources = {source for of in entry["lines"].values() for source in of}
    # Who reads protocols reads ours, who runs cells runs those of our notebooks.
    read = ["params/"] if any("/protocol/" in source for source in sources) else []
    read += ["notebooks/"] if any("/publish/" in source or "/cells/" in source for source in sources) else []
    return sorted(sources | {name for name in every if name.startswith(tuple(read))}) if read else sorted(sources)


def _helpers(name: str, every: list[str], tests: set[str]) -> list[str]:
    """Return what a file of tests stands on beside the sources: all but the tests in its folder and those it imports."""
    folders, waiting = set(), {Path(name).parts[1]} if name.startswith("tests/") else set()
    while waiting:
        folder = waiting.pop()
        folders.add(folder)
        for file in (n for n in every if n.startswith(f"tests/{folder}/") and n.endswith(".py")):
            imported = set(
                re.findall(r"^ *(?:from|import) (\w+)", (trees.ROOT / file).read_text(encoding="utf-8"), re.M)
            )
            waiting |= {i for i in imported if (trees.ROOT / "tests" / i).is_dir()} - folders
    chosen = [n for n in every if n.startswith("tests/") and Path(n).parts[1] in folders and n not in tests]
    return ["tests/conftest.py", *chosen] if folders else []


def _read() -> dict[str, Any]:
    if not CACHE.exists():
        return {}
    with gzip.open(CACHE, "rt", encoding="utf-8") as file:
        return dict(json.load(file))


def _write(kept: dict[str, Any]) -> None:
    CACHE.parent.mkdir(exist_ok=True)
    fresh = CACHE.with_suffix(".new")
    with gzip.open(fresh, "wt", encoding="utf-8") as file:
        json.dump(kept, file)
    fresh.replace(CACHE)


def _measure(names: list[str], processes: int) -> dict[str, dict[str, Any]]:
    """Run files of tests under coverage; return per file its tests, fixtures and lines."""
    room = Path(tempfile.mkdtemp(prefix="mutants-"))
    try:
        tree, data = room / "tree", room / "data"
        data.mkdir()
        python = trees.make(tree)
        settings = room / "coverage.ini"
        settings.write_text(SETTINGS.format(tree=tree, data=data, context=plugin.CONTEXT))
        around = {
            **os.environ,
            "COVERAGE_PROCESS_START": str(settings),
            plugin.FOLDER: str(data),
            "PYTHONPATH": str(trees.ROOT / "tests"),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        split = (
            ["-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder"]
            if processes > 1
            else ["-p", "no:xdist"]
        )
        asked = [str(python), "-m", "pytest", "-p", "tools.mutants.plugin", "-m", NOT_HERE, *split, *names]
        done = subprocess.run(asked, cwd=tree, env=around, capture_output=True, text=True, check=False)
        if done.returncode not in {0, 1, 5}:
            sys.exit(f"mutants: the tests cannot be run in a copy:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        if done.returncode == 1:
            bad = [row for row in done.stdout.splitlines() if row.startswith(("FAILED", "ERROR"))]
            sys.stderr.write("mutants: left out, because they fail without a fault:\n" + "\n".join(bad) + "\n")
        return _gathered(names, tree, data)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _gathered(names: list[str], tree: Path, data: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {n: {"tests": {}, "shared": {}, "lines": {}, "imported": {}} for n in names}
    for file in data.glob("tests-*.json"):
        seen = json.loads(file.read_text())
        for test, entry in seen["tests"].items():
            if (name := test.split("::")[0]) in found:
                found[name]["tests"][test] = entry
        for key, cost in seen["shared"].items():
            if (name := _file_of(key)) in found:
                found[name]["shared"][key] = cost
    for file in data.glob("lines.*"):
        measured = CoverageData(str(file))
        measured.read()
        for source in measured.measured_files():
            path = Path(source).relative_to(tree).as_posix()
            # All contexts of a source at once: asked one by one, a thousand tests by a hundred sources take minutes.
            for row, contexts in measured.contexts_by_lineno(source).items():
                for context in {c.split("|")[-1] or c.split("|")[0] for c in contexts}:
                    if (name := _file_of(context)) in found:
                        found[name]["lines"].setdefault(context, {}).setdefault(path, set()).add(row)
    for entry in found.values():
        entry["lines"] = {c: {p: sorted(rows) for p, rows in of.items()} for c, of in entry["lines"].items()}
    return found


def _file_of(context: str) -> str:
    """Return the file of a test's or a fixture's name."""
    return context.removeprefix("fixture ").split("::")[0]


def _joined(entries: dict[str, dict[str, Any]]) -> Map:
    """Put the files' entries together; what a shared fixture ran, all tests that use it ran."""
    joined = Map()
    for entry in entries.values():
        users: dict[str, set[str]] = {}
        for test, seen in entry["tests"].items():
            if seen["bad"]:
                joined.bad.add(test)
                continue
            joined.seconds[test], joined.shared[test] = seen["seconds"], seen["shared"]
            for key in seen["shared"]:
                users.setdefault(key, set()).add(test)
        joined.costs |= entry["shared"]
        for context, sources in entry["lines"].items():
            tests = users.get(context, set()) if context.startswith("fixture ") else {context} - joined.bad
            for path, rows in sources.items():
                known = joined.lines.setdefault(path, {})
                for row in rows:
                    known.setdefault(row, set()).update(tests)
    return joined
