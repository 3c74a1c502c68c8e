"""Measures how long a first import takes, beside lifelines': ``python -m benchmarks.imports``; see README.md."""

import statistics
import subprocess
import sys
import time

MODULES = ("evalkit", "evalkit.stats", "pandas", "lifelines")
RUNS = 5


def seconds(module: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - start


def main() -> None:
    """Take turns, so that what else the machine does falls on all alike; the median of five."""
    taken: dict[str, list[float]] = {module: [] for module in MODULES}
    for module in MODULES:
        seconds(module)  # compiled once, and in the disk's cache
    for _ in range(RUNS):
        for module in MODULES:
            taken[module].append(seconds(module))
    middle = {module: statistics.median(own) for module, own in taken.items()}
    for module, value in middle.items():
        print(f"import {module:14s} {value:6.2f} s   {value / middle['lifelines']:5.2f} of lifelines")


if __name__ == "__main__":
    main()
