"""What of a notebook cannot be published whatever its cells put out: found before any of them runs.

A render takes a minute, and an author who wrote a box of Quarto's own should not wait for it to be told so. The same is
looked at again afterwards, in what is really published: a cell may have made text of its own.
"""

from __future__ import annotations

__all__ = ["check_notebook", "notebook_problems", "problems_before"]

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from evalkit import cells
from evalkit.cells import Problem
from evalkit.errors import DisclosureError, EvalkitError, PublicationError, did_you_mean
from evalkit.letters import unshown
from evalkit.publish.audit._cells import counted, private_part
from evalkit.publish.audit._markdown import audit_markdown
from evalkit.publish.rendering._document import BIBLIOGRAPHY, PLACE, options_of, references_in, unresolved

_CAPTIONS = ("fig-cap", "tbl-cap")
_WHERE = re.compile(r"cell (\d+)( \([^)]*\))?: (.*)", re.DOTALL)


def check_notebook(
    notebook: Any,  # noqa: ANN401 - nbformat has no types
    to: Sequence[str],
    works: Collection[str] = (),
) -> None:
    """Refuse a notebook that cannot be published, before anything runs.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        In the language that is published.
    to : sequence of {"pdf", "html"}
        Formats of the publication: for its letters a browser finds fonts elsewhere.
    works : collection of str
        Keys of what may be cited: `works_beside` the notebook.

    Raises
    ------
    DisclosureError, PublicationError
        The first of `notebook_problems`.
    """
    for problem in notebook_problems(notebook, to, works):
        raise problem


def notebook_problems(
    notebook: Any,  # noqa: ANN401 - nbformat has no types
    to: Sequence[str],
    works: Collection[str] = (),
) -> Iterator[EvalkitError]:
    """Say what of a notebook cannot be published, cell by cell.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    to : sequence of {"pdf", "html"}
    works : collection of str
        Keys of what may be cited.

    Yields
    ------
    EvalkitError
        One for each problem, naming the cell: letters that the PDF's fonts do not have, an unknown option, a picture,
        raw HTML, what Quarto alone acts upon (its boxes, labels, fences, shortcodes), a reference or citation that
        leads nowhere.
    """
    # Whether a cell shows something is known only once it ran; it may get these.
    labels = {label for _, label in cells.labels_of(notebook)}
    listed = any(PLACE in cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for number, cell in counted(notebook):
        if "pdf" in to and unshown(_written(cell)):
            yield PublicationError(
                f"cell {number}: holds letters that the PDF's fonts do not have; write it in others, or with --to html"
            )
        if cell.cell_type == "markdown":
            if problem := audit_markdown(cell.source):
                yield DisclosureError(f"cell {number}: {problem}")
            for name in references_in(cell.source):
                if name not in labels:
                    yield unresolved(number, name, labels)
            yield from _lost_citations(cell.source, number, works, listed=listed)
        elif cell.cell_type == "code":
            yield from _options_problems(cell.source, number)


def problems_before(
    notebook: Any,  # noqa: ANN401 - nbformat has no types
    formats: Sequence[str],
    works: Collection[str] = (),
) -> list[Problem]:
    """Find what can be told of a notebook without running it, in the order of the cells.

    The notebook is in the language that it is published in. A browser finds letters where the PDF's fonts have none, so
    that `formats` decide whether letters are a problem; `works` are what may be cited.
    """
    found = cells.notebook_problems(notebook)
    for error in notebook_problems(notebook, formats, works):
        if match := _WHERE.fullmatch(str(error)):
            found.append(Problem(int(match[1]), 0, f"{match[2] or ''} {match[3]}".strip()))
    for number, cell in counted(notebook):
        if cell.cell_type == "code" and (name := private_part(cell.source)):
            found.append(Problem(number, 0, f"reaches into evalkit's private parts ({name})"))
    # Two checks may say the same of a cell: its author reads it once.
    return sorted(set(found))


def _lost_citations(text: str, number: int, works: Collection[str], *, listed: bool) -> Iterator[EvalkitError]:
    """Say which citations would stand in the report as they are typed: nothing is looked up without a place for it."""
    for key in cells.citations_in(text):
        if not listed:
            msg = f"cell {number}: cites '@{key}', and no cell says '::: {PLACE}}}', where what is cited is listed"
            yield PublicationError(msg)
        elif key not in works:
            yield PublicationError(
                f"cell {number}: cites '@{key}', which is not in {BIBLIOGRAPHY}{did_you_mean(key, works)}"
            )


def _written(cell: Any) -> list[str]:  # noqa: ANN401
    """Return what the author wrote in a cell that is published."""
    if cell.cell_type == "markdown":
        return [cell.source]
    return [line for line in cell.source.splitlines() if line.startswith("#|")]


def _options_problems(source: str, number: int) -> Iterator[EvalkitError]:
    try:
        # As `prepare` reads them after the run: what it would refuse is refused here.
        options, _ = options_of(source, number)
    except PublicationError as error:
        yield error
        return
    for name in _CAPTIONS:
        if problem := audit_markdown(str(options.get(name) or "")):
            label = f" ({options['label']})" if options.get("label") else ""
            yield DisclosureError(f"cell {number}{label}: its caption {problem}")
