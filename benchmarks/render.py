"""Measures a whole render against bare papermill of the same notebook, in the same run; see README.md.

``python -m benchmarks.render [--people 1060 10600 106000] [--repeat 3] [--reports quarterly final]``
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
FOCUS, ALL = 160, 1060  # people of the pilot, and in all, in the demo


def measured(call, folder, private):
    """Run a command; return its seconds of processor time with all it starts, and its largest memory in GB."""
    around = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg", "HOME": private}
    running = subprocess.Popen(
        [str(part) for part in call],
        cwd=folder,
        env=around,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = running.stderr.read()
    _, status, used = os.wait4(running.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, call))} failed:\n{said[-2000:]}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6


def study(folder, people):
    """Lay out a study of so many people."""
    for name in ("params", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".evalkit"))
    sizes = ["--n-focus", round(FOCUS * people / ALL), "--n-comparison", people - round(FOCUS * people / ALL)]
    measured([BIN / "evalkit", "simulate", "--out", "data/demo", *sizes], folder, str(folder))


def compare(report, people, repeat):
    """Print the best of some runs of both."""
    ours, bare, memory = [], [], []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            study(folder, people)
            render = [BIN / "evalkit", "render", report, "--study", "params/study.yaml", "--out", "reports"]
            seconds, most = measured(render, folder, made)
            ours.append(seconds)
            memory.append(most)
            notebook = [sys.executable, "-m", "papermill", "-k", "python3", f"{report}.ipynb", f"{made}/out.ipynb"]
            bare.append(measured(notebook, folder / "notebooks", made)[0])
    ratio = min(ours) / min(bare)
    print(
        f"{report:10} {people:8,} people: {min(ours):6.1f} s of CPU, bare papermill {min(bare):6.1f} s, "
        f"ratio {ratio:4.2f}, {max(memory):.1f} GB",
        flush=True,
    )


def main():
    """Compare."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, nargs="*", default=[1_060])
    asked.add_argument("--reports", nargs="*", default=["quarterly", "final"])
    asked.add_argument("--repeat", type=int, default=3)
    given = asked.parse_args()
    for report in given.reports:
        for people in given.people:
            compare(report, people, given.repeat)


if __name__ == "__main__":
    main()
