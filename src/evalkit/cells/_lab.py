"""JupyterLab: what publishing would refuse of a cell is said at the cell, when it runs.

A kernel does not know the notebook, only the cell that it is given. JupyterLab names the notebook's file in the
environment; what other cells are called is read there, as it was saved last.
"""

from __future__ import annotations

__all__ = ["watch_cells"]

import json
import os
import sys
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from evalkit.cells._checks import cell_problems
from evalkit.cells._labels import labels_of
from evalkit.cells._options import options_of
from evalkit.errors import PublicationError

_NOTEBOOK = "JPY_SESSION_NAME"
_KNOWN: dict[str, Collection[str]] = {}


def watch_cells() -> None:
    """Look at each cell that runs from now on, where somebody works in a notebook; in a render a later look does it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel") or os.environ.get("EVALKIT_RENDER"):
        return
    # By name: evalkit loaded anew in one kernel has another function, and all would be said twice.
    if not any(getattr(one, "__name__", "") == _look.__name__ for one in shell.events.callbacks["pre_run_cell"]):
        shell.events.register("pre_run_cell", _look)


def _look(info: Any) -> None:  # noqa: ANN401 - IPython's ExecutionInfo
    """Say what publishing would refuse of the cell that is about to run."""
    # What a program asks of the kernel unseen is nobody's cell.
    if info.silent:
        return
    for line in _said(info.raw_cell, str(getattr(info, "cell_id", "") or "")):
        sys.stderr.write(f"evalkit: {line}\n")


def _said(source: str, cell_id: str) -> list[str]:
    others = _others(cell_id)
    own = _label(source)
    # Without the notebook a reference may lead to any cell: then none is held to lead nowhere.
    labels = None if others is None else {*(label for _, label in others), own}
    lines = [str(problem) for problem in cell_problems(source, labels=labels, known=_KNOWN)]
    number = next((number for number, label in others or () if own and label == own), None)
    return lines if number is None else [*lines, f"this cell: label '{own}' stands in cell {number}, too"]


def _label(source: str) -> str:
    try:
        return str(options_of(source, 0)[0].get("label") or "")
    except PublicationError:
        return ""


def _others(cell_id: str) -> list[tuple[int, str]] | None:
    """Return the labels of the notebook's other cells, by their numbers; None where the notebook is not known."""
    named = os.environ.get(_NOTEBOOK, "")
    try:
        cells = json.loads(Path(named).read_text(encoding="utf-8"))["cells"]
        notebook = SimpleNamespace(
            cells=[SimpleNamespace(cell_type=c["cell_type"], source="".join(c["source"])) for c in cells]
        )
        ids = [str(cell.get("id", "")) for cell in cells]
        return [(number, label) for number, label in labels_of(notebook) if ids[number - 1] != cell_id]
    except (OSError, ValueError, KeyError, TypeError):
        return None
