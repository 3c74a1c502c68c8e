"""docs/mutants.md: how many small faults the tests notice, per package, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.mutants import trees

PAGE = Path("docs") / "mutants.md"


@dataclass(frozen=True)
class Asked:
    """What was asked of the run."""

    seed: int
    count: int
    minutes: float
    processes: int
    packages: tuple[str, ...]


def write(asked: Asked, figures: Sequence[Sequence[str]], survivors: Sequence[str], equivalent: int) -> None:
    """Write the page."""
    (trees.ROOT / PAGE).write_text(text(asked, figures, survivors, equivalent), encoding="utf-8")


def text(asked: Asked, figures: Sequence[Sequence[str]], survivors: Sequence[str], equivalent: int) -> str:
    """Return the page.

    Parameters
    ----------
    asked : Asked
    figures : sequence of rows
        The first holds the heads.
    survivors : sequence of str
        Each with its diff.
    equivalent : int
        Length of the reviewed list.
    """
    head, *rows = figures
    table = [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1), *(f"| {' | '.join(row)} |" for row in rows)]
    call = f"make mutants MUTANTS='{' '.join(asked.packages)} --seed {asked.seed} --count {asked.count}'".replace(
        "' ", "'"
    )
    return "\n".join(
        [
            "# Do the tests bite?",
            "",
            f"`make mutants` writes this page ([ADR 0014](decisions/0014-mutants.md)); this is `{call}`, within "
            f"{asked.minutes:g} minutes on {asked.processes} processes.",
            "",
            f"{asked.count} small faults per package (a sign, `<` for `<=`, a dropped condition, a swapped group, a returned "
            "`None`), each on a line that tests run and each tried against the tests that run it. *Noticed*: killed or timed "
            f"out, of those tried. {equivalent} faults that change nothing anybody can see are listed with their reasons "
            "(`tests/tools/mutants/equivalent.yaml`) and not drawn.",
            "",
            *table,
            "",
            "## What no test noticed" if survivors else "Every fault that was tried was noticed.",
            *(f"\n```diff\n{survivor.rstrip()}\n```" for survivor in survivors),
            "",
        ]
    )
