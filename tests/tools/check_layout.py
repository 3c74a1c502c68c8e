"""Holds module and function sizes to the project's targets; run by `make lint`."""

from __future__ import annotations

import ast
import statistics
import sys
from pathlib import Path

MODULE_MAX, MODULE_MEDIAN, FUNCTION_MAX, FUNCTION_P90 = 400, 150, 60, 25


def functions(tree: ast.AST) -> list[tuple[str, int, int]]:
    """Return name, line and length without docstring of every function."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node, clean=False) is not None:
                length -= node.body[0].end_lineno - node.body[0].lineno + 1
            found.append((node.name, node.lineno, length))
    return found


def main() -> int:
    """Print what is too large; 1 if anything is."""
    sizes, lengths, problems = [], [], []
    for file in sorted(Path("src").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        sizes.append(text.count("\n"))
        if sizes[-1] > MODULE_MAX:
            problems.append(f"{file}: {sizes[-1]} lines, at most {MODULE_MAX}")
        for name, line, length in functions(ast.parse(text)):
            lengths.append(length)
            if length > FUNCTION_MAX:
                problems.append(f"{file}:{line}: {name} has {length} lines, at most {FUNCTION_MAX}")
    median = statistics.median(sizes)
    p90 = statistics.quantiles(lengths, n=10)[-1]
    if median > MODULE_MEDIAN:
        problems.append(f"median module has {median} lines, at most {MODULE_MEDIAN}")
    if p90 > FUNCTION_P90:
        problems.append(f"one function in ten has {p90:.0f} lines or more, at most {FUNCTION_P90}")
    sys.stdout.write("".join(f"{p}\n" for p in problems) + f"modules: median {median:.0f}, largest {max(sizes)}; ")
    sys.stdout.write(f"functions: p90 {p90:.0f}, largest {max(lengths)}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
