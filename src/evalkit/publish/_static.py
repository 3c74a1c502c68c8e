"""All that can be told of a notebook before anything runs: what can never be published, and what its cells would do."""

from __future__ import annotations

__all__ = ["problems_before"]

import re
from collections.abc import Sequence
from typing import Any

from evalkit import cells
from evalkit.cells import Problem
from evalkit.publish._before import notebook_problems
from evalkit.publish.audit import counted, private_part

_WHERE = re.compile(r"cell (\d+)( \([^)]*\))?: (.*)", re.DOTALL)


def problems_before(notebook: Any, formats: Sequence[str]) -> list[Problem]:  # noqa: ANN401 - nbformat has no types
    """Find what can be told of a notebook without running it.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        In the language that it is published in.
    formats : sequence of {"pdf", "html"}
        A browser finds letters where the PDF's fonts have none.

    Returns
    -------
    list of Problem
        In the order of the cells.
    """
    found = cells.notebook_problems(notebook)
    for error in notebook_problems(notebook, formats):
        if match := _WHERE.fullmatch(str(error)):
            found.append(Problem(int(match[1]), 0, f"{match[2] or ''} {match[3]}".strip()))
    for number, cell in counted(notebook):
        if cell.cell_type == "code" and (name := private_part(cell.source)):
            found.append(Problem(number, 0, f"reaches into evalkit's private parts ({name})"))
    return sorted(set(found))
