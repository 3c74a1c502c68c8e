"""How soon an edit is seen: a first draft of the quarterly, then a caption and one analysis edited.

``python -m benchmarks.draft [repeats]`` from the checkout, with the demo study. Wall time is what an author waits; CPU
time of this process, its kernel and pandoc says what the machine had to do where others use it, too.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import psutil

from evalkit.cli._draft import _Bench
from evalkit.cli._render import Request
from evalkit.publish import LineProgress
from evalkit.publish.rendering._machine import scratch_folder

ROOT = Path(__file__).resolve().parents[1]
CAPTION, ANALYSIS = "fig-leaving", "fig-sources"


def main(repeats: int) -> None:
    found: dict[str, list[tuple[float, float, int]]] = {"first draft": [], "a caption": [], "one analysis": []}
    with tempfile.TemporaryDirectory() as room:
        study = world(Path(room))
        os.chdir(room)  # its notebooks, and not those of the checkout
        for turn in range(repeats):
            with scratch_folder() as scratch:
                bench = _Bench(
                    Request("quarterly", studies=(study,), publisher="embedded"), scratch, ("html",), Quiet()
                )
                try:
                    found["first draft"].append(timed(bench))
                    edit(study, CAPTION, "Share of starters", f"Share {turn} of starters")
                    found["a caption"].append(timed(bench))
                    edit(study, ANALYSIS, 'x_label="Share of', f'x_label="Share ({"abcdefgh"[turn]}) of')
                    found["one analysis"].append(timed(bench))
                    shutil.copyfile(
                        ROOT / "notebooks" / "quarterly.ipynb", study.parent.parent / "notebooks" / "quarterly.ipynb"
                    )
                finally:
                    bench.close()
    print("| edit | wall s | CPU s | cells run |\n|---|---|---|---|")
    for name, times in found.items():
        wall, cpu, ran = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {ran:.0f} |", flush=True)


class Quiet(LineProgress):
    def step(self, name: str, text: str) -> None:
        pass


def world(room: Path) -> Path:
    for folder in ("params", "notebooks", "data"):
        shutil.copytree(ROOT / folder, room / folder, ignore=shutil.ignore_patterns(".evalkit", ".ipynb_checkpoints"))
    return room / "params" / "study.yaml"


def timed(bench: _Bench) -> tuple[float, float, int]:
    wall, cpu = time.monotonic(), spent()
    drafted = bench.draft()
    assert not drafted.problems, drafted.problems
    return time.monotonic() - wall, spent() - cpu, drafted.ran


def spent() -> float:
    """CPU seconds of this process, the kernel that lives, and all children that ended."""
    me = psutil.Process()
    living = [child.cpu_times() for child in me.children(recursive=True) if alive(child)]
    own = me.cpu_times()
    return own.user + own.system + own.children_user + own.children_system + sum(t.user + t.system for t in living)


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def edit(study: Path, label: str, old: str, new: str) -> None:
    file = study.parent.parent / "notebooks" / "quarterly.ipynb"
    notebook = nbformat.read(file, 4)
    cell = next(cell for cell in notebook.cells if f"#| label: {label}\n" in cell.source)
    assert old in cell.source, cell.source
    cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, file)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
