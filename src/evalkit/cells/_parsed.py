"""A cell as Python reads it."""

from __future__ import annotations

__all__ = ["parsed"]

import ast


def parsed(source: str) -> ast.Module:
    """Return the syntax tree of a cell; its magics are calls, as IPython makes them.

    Raises
    ------
    SyntaxError
        If it is not Python.
    """
    try:
        return ast.parse(source)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager  # noqa: PLC0415 - slow to import

        return ast.parse(str(TransformerManager().transform_cell(source)))
