"""A notebook before it runs, and its cells when they have: what cannot be published is refused with the cell's number.

Before: what cannot be published whatever the cells put out. A render takes a minute, and an author who wrote a box of
Quarto's own should not wait for it to be told so. The same is looked at again afterwards, in what is really published:
a cell may have made text of its own. After: only sealed outputs of this run, nothing beside them, nothing in their
metadata.
"""

from __future__ import annotations

__all__ = ["audit_cells", "check_notebook", "counted", "notebook_problems", "private_part", "problems_before"]

import ast
import json
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from evalkit import cells
from evalkit.cells import DOORS, Problem
from evalkit.errors import DisclosureError, EvalkitError, PublicationError, did_you_mean
from evalkit.letters import unshown
from evalkit.publish.audit._document import audit_markdown
from evalkit.publish.audit._guard import NUMBER, Guard, fold
from evalkit.publish.rendering._document import BIBLIOGRAPHY, PLACE, options_of, references_in, unresolved
from evalkit.seal import MARK, is_sealed

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
        if "pdf" in to and unshown(_printed(cell)):
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


def _printed(cell: Any) -> list[str]:  # noqa: ANN401
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


_CONTENT = {"figure": "image/svg+xml", "table": "text/html", "markdown": "text/markdown", "cover": "text/markdown"}
_KINDS = {  # the telling ones first: most outputs carry a plain text, too
    "application/vnd.jupyter.widget-view+json": "a widget",
    "application/javascript": "a script",
    "text/javascript": "a script",
    "application/pdf": "a PDF",
    "image/svg+xml": "a figure",
    "image/png": "a picture",
    "image/jpeg": "a picture",
    "image/gif": "a picture",
    "application/json": "JSON",
    "application/geo+json": "JSON",
    "text/html": "HTML (a data frame, say)",
    "text/latex": "LaTeX",
    "text/markdown": "Markdown",
    "text/plain": "a value",
}
_PICTURES = frozenset({"a figure", "a picture"})
_FORGED = "its mark is not of this run and this content (copied, edited or written by hand); use report.show"
_PLACES = {"markdown": "text", "raw": "text", "code": "line of options"}
_PRIVATE_MODULE = re.compile(r"\bevalkit(?:\.\w+)*\._\w+|\bevalkit\.seal\b")
# What makes marks, seals them or holds the key: a cell that reaches for it wants to pass for a door (ADR 7).
_PRIVATE_NAMES = frozenset({"_emit", "_mark", "_SEALER", "_key"})


def counted(notebook: Any) -> Iterator[tuple[int, Any]]:  # noqa: ANN401 - nbformat has no types
    """Yield (number, cell) as people count them: from 1, without the cell that papermill puts in."""
    own = (cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", []))
    yield from enumerate(own, start=1)


def audit_cells(notebook: Any, guard: Guard) -> None:  # noqa: ANN401
    """Refuse an executed notebook that holds anything which no door of `evalkit.report` put out in this run.

    `DisclosureError` names the first cell and what is wrong with it, and the other cells with anything wrong.
    """
    found: list[tuple[int, str]] = []
    seen: dict[int, int] = {}
    for number, cell in counted(notebook):
        found += [(number, problem) for problem in _problems(cell, number, guard, seen)]
    if found:
        first, problem = found[0]
        others = sorted({number for number, _ in found} - {first})
        more = f" (also: cell {', '.join(map(str, others))})" if others else ""
        msg = f"cell {first}: {problem}{more}"
        raise DisclosureError(msg)
    if "widgets" in notebook.metadata:
        msg = "the notebook holds the state of widgets; restart it without them"
        raise DisclosureError(msg)
    if reason := guard.objection([_plain(notebook.metadata)], dated=False):
        msg = f"the notebook's metadata: {reason}"
        raise DisclosureError(msg)


def _problems(cell: Any, number: int, guard: Guard, seen: dict[int, int]) -> Iterator[str]:  # noqa: ANN401
    for output in cell.get("outputs", []):
        if problem := _output_problem(output, guard.key):
            yield problem
            continue
        # Only words that the author gave (`typed`): the others were made from numbers that passed disclosure control.
        if _unknown_number(output["metadata"][MARK].get("typed", []), cell, guard):
            yield "puts a number into words that stands in no text of the cell; numbers come from estimates"
        # Each seal is of a number used once: a second output with it is a copy, of another cell's mark perhaps.
        nth = output["metadata"][MARK].get("number")
        if nth in seen:
            yield f"shows again what cell {seen[nth]} showed, with the same mark; show it with report.show"
        seen[nth] = number
    if cell.get("attachments"):
        yield "has an attached file; take it out"
    if reason := guard.objection([_plain(cell.metadata), cell.get("id", "")], dated=False):
        yield f"its metadata {reason}"
    if reason := guard.objection([_written(cell)], dated=False):
        yield f"its {_PLACES[cell.cell_type]} {reason}"
    if cell.cell_type == "code" and (name := private_part(cell.source)):
        yield f"reaches into evalkit's private parts ({name}); report.show and report.say are the doors"


def _unknown_number(texts: Any, cell: Any, guard: Guard) -> bool:  # noqa: ANN401
    """Say whether words that an author gave hold a number that nobody typed: it may have been counted."""
    told = {number for text in texts for number in NUMBER.findall(fold(str(text)))}
    # Most words hold no number: only then is the cell read, for which IPython is loaded.
    return bool(told - guard.numbers - _typed(cell.source)) if told else False


def _typed(source: str) -> set[str]:
    """Return the numbers in the texts of a cell; in f-strings what stands between the places."""
    try:
        tree = ast.parse(_plain_python(source))
    except (SyntaxError, ValueError):
        return set()
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return {number for text in texts for number in NUMBER.findall(fold(text))}


def _plain(metadata: Any) -> str:  # noqa: ANN401
    """Return metadata as text, without papermill's own record: it is not kept, and names the scratch folder."""
    return json.dumps({k: v for k, v in metadata.items() if k != "papermill"}, ensure_ascii=False)


def _written(cell: Any) -> str:  # noqa: ANN401
    """Return what the author typed in a cell that is published: all of a text, of code the lines of options."""
    if cell.cell_type != "code":
        return str(cell.source)
    return "\n".join(line for line in cell.source.splitlines() if line.startswith("#|"))


def _output_problem(output: Any, key: str) -> str:  # noqa: ANN401
    """Say what is wrong with one output; empty when it is sealed and stands alone."""
    data, metadata = output.get("data", {}), output.get("metadata", {})
    mark = metadata.get(MARK)
    if output.output_type == "stream":
        said = "a warning or error text" if output.get("name") == "stderr" else "printed text"
        return f"puts out {said}; {DOORS}"
    if output.output_type == "error":
        return f"puts out an error with its traceback; {DOORS}"
    if not isinstance(mark, dict) or output.output_type != "display_data":
        kind = _kind(data)
        door = "report.draw" if kind in _PICTURES else "report.show"
        return f"puts out {kind} that did not pass disclosure control; use {door}"
    content = _CONTENT.get(str(mark.get("shows")))
    # A notebook shows the richest form, a reader of the file every one: nothing may ride along.
    if beside := sorted(set(data) - {content, "text/plain"}):
        return f"puts out {beside[0]} beside what passed disclosure control"
    if content not in data or set(metadata) != {MARK} or not is_sealed(key, mark, data):
        return _FORGED
    return ""


def _kind(data: dict[str, Any]) -> str:
    """Name what an output is, by the richest of its MIME types."""
    known = [name for mime, name in _KINDS.items() if mime in data]
    if known and set(data) <= set(_KINDS):
        return known[0]
    unknown = sorted(set(data) - set(_KINDS))
    return f"content of type {unknown[0]}" if unknown else "something"


def private_part(source: str) -> str:
    """Return the private name of evalkit that a cell uses; empty when it uses none."""
    try:
        tree = ast.parse(_plain_python(source))
    except (SyntaxError, ValueError):
        # A cell that is no Python (a shell's, say) is searched as text: it runs all the same.
        match = _PRIVATE_MODULE.search(source)
        return match[0] if match else ""
    for node in ast.walk(tree):
        for name in _names(node):
            match = _PRIVATE_MODULE.search(name)
            if match:
                return match[0]
        if isinstance(node, ast.Attribute) and node.attr in _PRIVATE_NAMES:
            return node.attr
    return ""


def _plain_python(source: str) -> str:
    """Return a cell without its magics."""
    from IPython.core.inputtransformer2 import TransformerManager  # noqa: PLC0415 - slow to import

    return str(TransformerManager().transform_cell(source))


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        # A text may be the name of a module that is imported by it.
        return [node.value]
    return [ast.unparse(node)] if isinstance(node, ast.Attribute) else []
