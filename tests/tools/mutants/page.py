"""docs/mutants.md: how many small faults the tests notice, per package, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tools.mutants import trees
from tools.mutants.kept import Found

PAGE = Path("docs") / "mutants.md"


def write(found: Sequence[Found], equivalent: int) -> None:
    """Write the page."""
    (trees.ROOT / PAGE).write_text(text(found, equivalent), encoding="utf-8")


def text(found: Sequence[Found], equivalent: int) -> str:
    """Return the page.

    Parameters
    ----------
    found : sequence of Found
        Of each package that was ever measured, its last run.
    equivalent : int
        Length of the reviewed list.
    """
    heads = list(found[0].numbers)
    rows = [[f.package, f.drawn, *(f.numbers[head] for head in heads), f"`{f.commit}`"] for f in found]
    table = [["package", "drawn", *heads, "commit"], ["---", "---", *("--:" for _ in heads), "---"], *rows]
    missing = sorted({trees.package_of(n) for n in trees.sources()} - {f.package for f in found})
    survivors = [survivor for f in found for survivor in f.survivors]
    return "\n".join(
        [
            "# Do the tests bite?",
            "",
            "`make mutants` writes this page ([ADR 14](decisions/0014-mutants.md)). It puts small faults into a copy of the "
            "sources (a sign, `<` for `<=`, a dropped condition, a swapped group, a returned `None`), each on a line that tests "
            "run, and tries each against the tests that run it. Of each package the page has its last run. *Noticed*: killed, "
            "or without end, of those tried. *Not reached*: the time was over, or the machine too busy to tell. "
            f"{equivalent} faults that change nothing anybody can see are listed with their reasons "
            "(`tests/tools/mutants/equivalent.yaml`) and not drawn.",
            "",
            *(f"| {' | '.join(row)} |" for row in table),
            "",
            "## What this does not say",
            "",
            "- A fault was tried against the tests named below, and not against others that may notice it: figures are too low rather "
            "than too high. Tests that take minutes (marked slow), and those of the tool itself, never count.",
            "- Lines that no such test runs get no fault. What is not Python (templates, styles, catalogues, notebooks) gets none.",
            "- `--stale`: tests that changed since the map of what they run was made count as they were, new ones not at all.",
            *([f"- Never measured: {', '.join(missing)}."] if missing else []),
            "",
            "| package | tests |",
            "|---|---|",
            *(f"| {f.package} | {f.tests} |" for f in found),
            "",
            "## What no test noticed" if survivors else "Every fault that was tried was noticed.",
            *(f"\n```{{code-block}} diff\n{survivor.rstrip()}\n```" for survivor in survivors),
            "",
        ]
    )
