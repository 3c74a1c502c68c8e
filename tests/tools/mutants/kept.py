"""What the last run of each package found, kept with the sources: packages are measured on different days and machines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.mutants import trees

FILE = Path(__file__).with_name("found.json")


@dataclass(frozen=True)
class Found:
    """The figures of one package."""

    package: str
    drawn: str
    """How many, with which seed."""
    commit: str
    numbers: dict[str, str]
    survivors: list[str]
    tests: str


def read(file: Path | None = None) -> list[Found]:
    """Return what is kept, package by package."""
    file = file or FILE
    entries = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return [Found(**entries[package]) for package in sorted(entries)]


def commit() -> str:
    """Name the commit that is tried: asked before, since the checkout may move on meanwhile."""
    asked = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(asked, cwd=trees.ROOT, capture_output=True, text=True, check=True).stdout.strip()


def keep(
    drawn: str,
    tried: str,
    figures: Sequence[Sequence[str]],
    survivors: dict[str, list[str]],
    tests: Callable[[str], str],
    file: Path | None = None,
) -> None:
    """Keep a run's figures in the place of what was kept of the same packages."""
    file = file or FILE
    entries = {found.package: found for found in read(file)}
    (_, *heads), *rows = figures
    for package, *numbers in rows:
        counts = dict(zip(heads, numbers, strict=True))
        entries[package] = Found(package, drawn, tried, counts, survivors[package], tests(package))
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({p: asdict(found) for p, found in entries.items()}, indent=1) + "\n", encoding="utf-8")
