"""A cell as Python reads it: which names it reads and sets, and whether it may change what another cell made."""

from __future__ import annotations

__all__ = ["Names", "names_of", "parsed"]

import ast
import functools
import symtable
from dataclasses import dataclass

# Through these a cell can reach any name, or do what its text does not say.
_ANYTHING = frozenset(
    {"__import__", "_", "__", "___", "In", "Out", "compile", "eval", "exec", "get_ipython", "globals", "locals", "vars"}
)
# What these give nobody else holds: it may be changed.
_COPIES = frozenset({"DataFrame", "Series", "array", "assign", "copy", "deepcopy", "dict", "list", "set", "zeros"})
_CHANGES = frozenset(
    {"add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "reverse", "setattr",
     "setdefault", "setflags", "sort", "update"}
)  # fmt: skip


def parsed(source: str) -> ast.Module:
    """Return the syntax tree of a cell, a `SyntaxError` where it is none; magics are calls, as IPython makes them."""
    try:
        return ast.parse(source)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager  # noqa: PLC0415 - slow to import

        return ast.parse(str(TransformerManager().transform_cell(source)))


@dataclass(frozen=True)
class Names:
    """Names of a cell; ``reads`` and ``sets`` are those at its own level."""

    reads: frozenset[str]
    sets: frozenset[str]
    later: frozenset[str]  # read by functions that it defines, whenever these are called
    # Whether it may change a thing in place that another cell holds, or do what cannot be read in its text.
    changes: bool


@functools.lru_cache(maxsize=2000)
def names_of(source: str) -> Names:
    r"""Read the names of a cell; a `SyntaxError` where it is not Python.

    >>> found = names_of("curve = staying(cohort)\nreport.show(curve)")
    >>> sorted(found.reads), sorted(found.sets), found.changes
    (['cohort', 'curve', 'report', 'staying'], ['curve'], False)
    >>> names_of("rows['late'] = 1").changes, names_of("rows = rows.assign(late=1)").changes
    (True, False)
    """
    tree = parsed(source)
    # Of the tree, in which magics are calls by now: the text of the cell may be no Python.
    table = symtable.symtable(ast.unparse(tree), "cell", "exec")
    reads = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    sets = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    later, more = _below(table)
    reads |= later
    sets |= more
    # Which names it brings stands in another file.
    starred = any(isinstance(n, ast.ImportFrom) and n.names[0].name == "*" for n in ast.walk(tree))
    changes = starred or bool(reads & _ANYTHING) or _changes(tree, sets)
    return Names(frozenset(reads), frozenset(sets), frozenset(later), changes)


def _below(table: symtable.SymbolTable) -> tuple[set[str], set[str]]:
    """Return the cell's names that functions and classes in it read, and those that they set."""
    reads: set[str] = set()
    sets: set[str] = set()
    for inner in table.get_children():
        for symbol in inner.get_symbols():
            if symbol.is_global():
                reads.add(symbol.get_name())
                sets |= {symbol.get_name()} if symbol.is_assigned() else set()
        more, others = _below(inner)
        reads, sets = reads | more, sets | others
    return reads, sets


def _changes(tree: ast.Module, sets: set[str]) -> bool:
    """Say whether a cell may change in place what it did not make itself."""
    own = _made_here(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            if _root(node) not in own:
                return True
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id not in own:
            return True  # a list or frame is changed in place
        elif isinstance(node, ast.Call):
            if any(key.arg == "inplace" and _root(node.func) not in own for key in node.keywords):
                return True
            verb = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if verb in _CHANGES and _root(node.func) not in own:
                return True
            if isinstance(node.func, ast.Name) and verb in {"setattr", "delattr", "next", "input", "open"}:
                return True
    return any(
        isinstance(node, ast.Global | ast.Await | ast.AsyncFor | ast.AsyncWith) for node in ast.walk(tree)
    ) or bool(sets & _ANYTHING)


def _made_here(tree: ast.Module) -> set[str]:
    """Return the names that the cell sets to something new, so that nobody else holds it."""
    new: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            made = isinstance(node.value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)
            verb = getattr(
                getattr(node.value, "func", None), "attr", getattr(getattr(node.value, "func", None), "id", "")
            )
            for target in node.targets:
                if isinstance(target, ast.Name):
                    (new.add if made or verb in _COPIES else new.discard)(target.id)
    return new


def _root(node: ast.AST) -> str:
    """Return the name at the root of ``a.b[c].d``; empty where there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
