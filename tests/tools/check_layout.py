"""Holds sizes, names and imports to the project's targets, and says the figures of the house; run by `make lint`."""

from __future__ import annotations

import ast
import io
import re
import statistics
import sys
import tokenize
from pathlib import Path

import grimp

MODULE_MAX, FUNCTION_MAX, FUNCTION_P90 = 500, 60, 25  # a module is a narrative, not a quota
_KIND = re.compile(r"estimates\.kind (?:==|!=|in|not in) |\bkind in [A-Z]{2}")


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


def private_imports(file: Path, tree: ast.AST) -> list[str]:
    """Return the private modules and names of other rooms that a module imports."""
    room = file.parts[2] if len(file.parts) > 3 else ""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("evalkit."):
            parts = node.module.split(".")[1:]
            names = [*parts, *(alias.name for alias in node.names)]
            private = any(n.startswith("_") and not n.startswith("__") for n in names)
            if private and parts[0] != room and parts[0] not in {"_version", "_moved"}:
                found.append(f"{file}: {node.module}")
    return found


def comments(text: str) -> tuple[int, int]:
    """Return how many lines hold a comment, and how many code."""
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    said = {
        t.start[0] for t in tokens if t.type == tokenize.COMMENT and "noqa" not in t.string and "fmt:" not in t.string
    }
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    code = {n for t in tokens if t.type not in quiet for n in range(t.start[0], t.end[0] + 1)}
    prose = {
        n
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for n in range(node.lineno, node.end_lineno + 1)
    }
    return len(said), len(code - prose)


def longest_chain() -> list[str]:
    """Return the longest chain of modules of which each imports the next, functions' own imports included."""
    graph = grimp.build_graph("evalkit", exclude_type_checking_imports=True)
    found: dict[str, list[str]] = {}

    def chain(module: str, above: frozenset[str] = frozenset()) -> list[str]:
        if module in above:  # a circle, opened by an import inside a function
            return []
        if module not in found:
            below = [chain(each, above | {module}) for each in sorted(graph.find_modules_directly_imported_by(module))]
            found[module] = [module, *max(below, key=len, default=[])]
        return found[module]

    return max((chain(module) for module in sorted(graph.modules)), key=len)


def main() -> int:
    """Print what is too large, and the figures; 1 if anything is."""
    sizes, lengths, problems, private, kinds = [], [], [], [], 0
    said = written = 0
    for file in sorted(Path("src").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text)
        sizes.append(text.count("\n"))
        if sizes[-1] > MODULE_MAX:
            problems.append(f"{file}: {sizes[-1]} lines, at most {MODULE_MAX}")
        for name, line, length in functions(tree):
            lengths.append(length)
            if length > FUNCTION_MAX:
                problems.append(f"{file}:{line}: {name} has {length} lines, at most {FUNCTION_MAX}")
        private += private_imports(file, tree)
        if file.parts[2] in {"views", "report"}:
            kinds += len(_KIND.findall(text))
        told, code = comments(text)
        said, written = said + told, written + code
    p90 = statistics.quantiles(lengths, n=10)[-1]
    if p90 > FUNCTION_P90:
        problems.append(f"one function in ten has {p90:.0f} lines or more, at most {FUNCTION_P90}")
    problems += [
        f"{one}: is private to its room: make it public there, or move it to where it is used" for one in private
    ]
    if kinds:
        problems.append(f"{kinds} places in views and report choose by an estimate's kind: let its family say it")
    sys.stdout.write("".join(f"{p}\n" for p in problems))
    sys.stdout.write(
        f"{sum(sizes):,} lines in {len(sizes)} modules, median {statistics.median(sizes):.0f}, largest {max(sizes)}; "
        f"functions: p90 {p90:.0f}, largest {max(lengths)}; comments on {100 * said / written:.1f} % of {written:,} lines of "
        f"code; {len(private)} imports of other rooms' private names; {kinds} choices by a kind; "
        f"longest chain of imports {len(longest_chain())}\n"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
