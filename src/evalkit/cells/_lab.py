"""What publishing would refuse of a notebook, as far as it can be read in its cells: in seconds, before anything runs.

Nothing here is the last word: whether a cell shows a figure is known when it has run. So each check has its counterpart
in `evalkit.publish`, and what is said here is what would be said there. What evalkit offers a notebook is read from its
sources: importing it to know its names would take seconds.

JupyterLab says it at the cell, when it runs. A kernel does not know the notebook, only the cell that it is given; but
JupyterLab names the notebook's file in the environment, and what other cells are called is read there, as it was saved.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from evalkit.cells._names import parsed
from evalkit.cells._options import REFERENCE, labels_of, options_of
from evalkit.errors import PublicationError, did_you_mean

__all__ = ["DOORS", "Problem", "cell_problems", "members_of", "notebook_problems", "public_names", "watch_cells"]


_CLASSES = {"open_report": ("evalkit.report._report", "Report")}


def _file_of(module: str) -> Path | None:
    """Return where a module of evalkit lies, importing none of it."""
    spec = importlib.util.find_spec("evalkit")
    if spec is None or spec.origin is None:
        return None
    place = Path(spec.origin).parent.joinpath(*module.split(".")[1:])
    # A room is a folder or a file; which, may change without its name.
    return next((f for f in (place / "__init__.py", place.with_suffix(".py")) if f.is_file()), None)


@functools.cache
def public_names(module: str) -> frozenset[str]:
    """Return the names that a module such as ``evalkit.analyses`` exports; empty where that is not known."""
    file = _file_of(module)
    for node in ast.parse(file.read_text(encoding="utf-8")).body if file else ():
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return frozenset(ast.literal_eval(node.value))
    return frozenset()


@functools.cache
def members_of(opener: str) -> frozenset[str]:
    """Return the attributes of what `evalkit.open_report` returns; empty where that is not known."""
    module, name = _CLASSES.get(opener, ("", ""))
    file = _file_of(module) if module else None
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body if file else ():
        if isinstance(node, ast.ClassDef) and node.name == name:
            found |= {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
            found |= {
                one.target.id
                for one in node.body
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
            }
    return frozenset(found)


DOORS = "only what report.show, report.say, report.draw and report.cover put out may leave"
_SHAPES = {"show": ("auto", "figure", "table"), "show_benchmarks": ("figure", "table")}
_PLACE = {"show": (1, "auto"), "show_benchmarks": (2, "table"), "show_differences": (9, "table")}  # of the shape
_FRAME_VIEWS = frozenset({"describe", "head", "info", "sample", "tail", "value_counts"})
# A call may show itself through a door, or give None; what stands there as a value is shown for certain.
_VALUES = (
    ast.Attribute,
    ast.BinOp,
    ast.Compare,
    ast.Constant,
    ast.Dict,
    ast.JoinedStr,
    ast.List,
    ast.Name,
    ast.Subscript,
)
_MAYBE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.If, ast.IfExp, ast.ExceptHandler)
_PRINTS = frozenset({"print", "display", "pprint"})
# Cells with these tags are not published, whatever they show.
_HIDING = frozenset({"parameters", "remove"})


@dataclass(frozen=True, order=True)
class Problem:
    """Something that publishing would refuse.

    Attributes
    ----------
    cell : int
        Number of the cell, as people count them (from 1); 0 in a kernel, which does not know it.
    line : int
        Line in the cell, from 1; 0 where it is about the whole cell.
    text : str
    """

    cell: int
    line: int
    text: str

    def __str__(self) -> str:
        cell = f"cell {self.cell}" if self.cell else "this cell"
        return f"{cell}{f', line {self.line}' if self.line else ''}: {self.text}"


def notebook_problems(notebook: Any) -> list[Problem]:  # noqa: ANN401 - nbformat has no types
    """Find what can be told of a notebook without running it.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    list of Problem
        In the order of the cells.
    """
    found: list[Problem] = []
    labels: dict[str, int] = {}
    for number, label in labels_of(notebook):
        if label in labels:
            found.append(Problem(number, 0, f"label '{label}' stands in cell {labels[label]} already"))
        labels.setdefault(label, number)
    known: dict[str, Collection[str]] = {}
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "markdown":
            found += [Problem(number, 0, text) for text in _lost(REFERENCE.findall(cell.source), labels)]
        elif cell.cell_type == "code":
            hidden = bool(_HIDING & set(cell.metadata.get("tags", [])))
            found += cell_problems(cell.source, number, labels=labels, known=known, hidden=hidden)
        if cell.get("attachments"):
            found.append(Problem(number, 0, "has an attached file; take it out"))
    return sorted(set(found))


def cell_problems(
    source: str,
    number: int = 0,
    *,
    labels: Collection[str] | None = None,
    known: dict[str, Collection[str]] | None = None,
    hidden: bool = False,
) -> list[Problem]:
    """Find what can be told of a cell of code without running it.

    Parameters
    ----------
    source : str
    number : int
        Of the cell; 0 where it is not known.
    labels : collection of str, optional
        All labels of the notebook; references are held to them where they are given.
    known : dict, optional
        Names of the notebook and what they offer; what this cell adds is put in.
    hidden : bool
        Whether nothing of it is published.

    Returns
    -------
    list of Problem

    Examples
    --------
    >>> [str(p) for p in cell_problems('report.show(funnel, "tabel")')][-1]
    "this cell, line 1: there is no shape 'tabel': auto, figure, table; did you mean 'table'?"
    """
    found: list[Problem] = []
    try:
        options, _ = options_of(source, number)
    except PublicationError as error:
        # What else is wrong in the cell is said at once, too; but its label may stand in what could not be read.
        found, hidden, options = [Problem(number, 0, str(error).partition(": ")[2])], True, {}
    try:
        tree = parsed(source)
    except SyntaxError as error:
        return [*found, Problem(number, error.lineno or 0, f"is not Python ({error.msg})")]
    known = {} if known is None else known
    _learn(tree, known)
    found += [Problem(number, line, text) for line, text in _of_calls(tree, known, labels)]
    found += [Problem(number, line, text) for line, text in _of_names(tree, known)]
    found += [Problem(number, line, text) for line, text in _of_last(tree, source)]
    if not (hidden or options.get("include") is False or options.get("output") is False):
        found += [Problem(number, 0, text) for text in _of_labels(options, tree)]
    return sorted(set(found))


def _learn(tree: ast.Module, known: dict[str, Collection[str]]) -> None:
    """Note which names are modules of evalkit or an open report, and what these offer."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "evalkit":
            for alias in node.names:
                if names := public_names(f"evalkit.{alias.name}"):
                    known[alias.asname or alias.name] = names
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname and (names := public_names(alias.name)):
                    known[alias.asname] = names
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            called = node.value.func if isinstance(node.value, ast.Call) else None
            opener = getattr(called, "attr", getattr(called, "id", ""))
            # A name that is set anew is no module of ours any more.
            known.pop(node.targets[0].id, None)
            if members := members_of(opener):
                known[node.targets[0].id] = members


def _of_calls(
    tree: ast.Module, known: Mapping[str, Collection[str]], labels: Collection[str] | None
) -> Iterator[tuple[int, str]]:
    sure = set(_surely(tree))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        # What goes into a file is no output of the cell.
        into_a_file = any(key.arg == "file" for key in call.keywords)
        if isinstance(call.func, ast.Name) and name in _PRINTS and call in sure and not into_a_file:
            yield call.lineno, f"{name}() puts out what did not pass disclosure control; {DOORS}"
        if not isinstance(call.func, ast.Attribute):
            continue
        shape = _shape(call)
        if name in _SHAPES and isinstance(shape, str) and shape not in _SHAPES[name]:
            hint = did_you_mean(shape, _SHAPES[name])
            yield call.lineno, f"there is no shape '{shape}': {', '.join(_SHAPES[name])}{hint}"
        if name == "say" and getattr(call.func.value, "id", "report") in {"report", *known}:
            lead = _argument(call, -1, "lead")
            if isinstance(lead, str) and any(character.isdigit() for character in lead):
                yield call.lineno, "the lead holds a number; numbers come from estimates"
            see = _argument(call, 1, "see")
            if labels is not None and isinstance(see, str) and see:
                yield from ((call.lineno, text) for text in _lost([see], labels))


def _surely(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs whenever the cell does: not what stands in a function, or under a condition."""
    for name, part in ast.iter_fields(node):
        maybe = isinstance(node, _MAYBE) and name in {"body", "orelse"}
        for one in () if maybe else part if isinstance(part, list) else [part]:
            if isinstance(one, ast.AST):
                yield one
                yield from _surely(one)


def _of_names(tree: ast.Module, known: Mapping[str, Collection[str]]) -> Iterator[tuple[int, str]]:
    """Name what evalkit does not offer: ``analyses.funel``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
            offered = known[node.value.id]
            if node.attr not in offered and not node.attr.startswith("_"):
                hint = did_you_mean(node.attr, offered)
                if hint:  # a name that is near to none may be one that this reading does not see
                    yield node.lineno, f"there is no {node.value.id}.{node.attr}{hint}"


def _of_last(tree: ast.Module, source: str) -> Iterator[tuple[int, str]]:
    """Say what the cell's last line would show of itself."""
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or source.rstrip().endswith(";"):
        return
    value = last.value
    frame = isinstance(value, ast.Call) and getattr(value.func, "attr", "") in _FRAME_VIEWS
    nothing = isinstance(value, ast.Constant) and value.value is None
    if frame or (isinstance(value, _VALUES) and not nothing):
        yield last.lineno, "its last line shows a value that did not pass disclosure control; use report.show"


def _of_labels(options: Mapping[str, Any], tree: ast.Module) -> Iterator[str]:
    """Hold label, caption and alternative text to what the cell shows."""
    label = str(options.get("label") or "")
    shown = [_shape(node.value) for node in tree.body if isinstance(node, ast.Expr) and _shows(node.value)]
    # A label is of one figure or table: captions, references and data files go by it.
    if len(shown) > 1:
        yield f"shows {len(shown)} figures or tables; one cell shows one, so that each has its own label"
    match = re.fullmatch(r"(fig|tbl)-[A-Za-z0-9_-]+", label)
    asked = {"figure": "fig", "table": "tbl"}.get(str(shown[0])) if shown else None
    if shown and (match is None or asked not in {None, match[1]}):
        kind, prefix = (
            ("table", "tbl") if asked == "tbl" else ("figure", "fig") if asked else ("figure or table", "fig")
        )
        yield f"the {kind} has no label; add '#| label: {prefix}-name' (letters, digits, '-' and '_')"
    # Of a figure that another function shows nobody knows here whether it brings a caption of its own.
    if match is None or not (shown or {"fig-cap", "fig-alt", "tbl-cap"} & set(options)):
        return
    if match[1] == "tbl" and not str(options.get("tbl-cap") or "").strip():
        yield f"({label}) the table has no caption; add '#| tbl-cap: ...'"
    if match[1] == "fig" and not str(options.get("fig-cap") or "").strip():
        yield f"({label}) the figure has no caption; add '#| fig-cap: ...'"
    if match[1] == "fig" and not str(options.get("fig-alt") or "").strip():
        yield f"({label}) the figure has no alternative text for blind readers; add '#| fig-alt: ...'"


def _shows(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _PLACE


def _shape(call: ast.expr) -> object:
    """Return the shape that a call asks for; None where it is not written out."""
    name = getattr(getattr(call, "func", None), "attr", "")
    if not isinstance(call, ast.Call) or name not in _PLACE:
        return None
    place, usual = _PLACE[name]
    given = len(call.args) > place or any(key.arg == "shape" for key in call.keywords)
    return _argument(call, place, "shape") if given else usual


def _argument(call: ast.Call, place: int, name: str) -> object:
    """Return an argument that is written out; None where it is not."""
    named = next((key.value for key in call.keywords if key.arg == name), None)
    given = named or (call.args[place] if 0 <= place < len(call.args) else None)
    return given.value if isinstance(given, ast.Constant) else None


def _lost(names: list[str], labels: Collection[str]) -> Iterator[str]:
    for name in names:
        if name.rstrip("-") not in labels:
            yield f"reference '@{name}' leads nowhere{did_you_mean(name, labels)}"


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
