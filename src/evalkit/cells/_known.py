"""What evalkit offers a notebook, read from its sources: importing it to know its names would take seconds."""

from __future__ import annotations

__all__ = ["members_of", "public_names"]

import ast
import functools
import importlib.util
from pathlib import Path

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
