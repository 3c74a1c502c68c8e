"""Every small fault that can be put into a source text, as an edit of a few characters.

Edits are made on the text, not on a tree that is printed again, so that the diff of a survivor shows the fault alone.
"""

from __future__ import annotations

import ast
import difflib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
ARITHMETIC = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
_PAIRS = (
    ("focus", "comparison"),
    ("higher", "lower"),
    ("high", "low"),
    ("above", "below"),
    ("pass", "fail"),
    ("warn", "fail"),
    ("n", "n_event"),
    ("n_event", "n_censor"),
    ("n_event_1", "n_event_2"),
    ("conf_low", "conf_high"),
    ("estimate", "std_error"),
    ("disengaged", "completed"),
    ("disengagement", "completion"),
    ("dropped_out", "completed"),
    ("greater", "less"),
    ("left", "right"),
    ("first", "last"),
    ("group", "term"),
    ("referral_date", "intake_date"),
)
SWAPPED = dict(reversed(_PAIRS)) | {b: a for a, b in reversed(_PAIRS)}
_NAMES = (("min", "max"), ("any", "all"), ("floor", "ceil"), ("minimum", "maximum"), ("isin", "ne"), ("le", "lt"))
NAMES = dict(_NAMES) | {b: a for a, b in _NAMES} | {"ge": "gt", "gt": "ge", "ne": "eq", "eq": "ne"}
LOGS = {"log", "logger", "logging", "_log", "LOG", "warnings"}
# What these calls are given decides how something is written down or checked, not what comes out.
SILENT_CALLS = {"field", "TypeVar", "cast", "Literal", "NewType", "namedtuple"}
COMMUTATIVE = {"max", "min", "maximum", "minimum", "hypot"}  # swapping their arguments is no fault
SILENT_OPTIONS = {"strict", "repr", "copy", "check", "stacklevel", "encoding", "slots", "frozen", "eq"}
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
COMPOUND = FUNCTIONS | ast.ClassDef | ast.If | ast.For | ast.While | ast.With | ast.Try | ast.AsyncWith | ast.Match


@dataclass(frozen=True)
class Mutant:
    """One fault: characters ``start`` to ``end`` of a file's text become ``new``."""

    path: str
    function: str
    line: int
    lines: tuple[int, int]
    start: int
    end: int
    new: str
    what: str

    def applied(self, text: str) -> str:
        """Return the text with the fault in it."""
        return text[: self.start] + self.new + text[self.end :]

    def change(self, text: str) -> tuple[str, str]:
        """Return the lines that go and the lines that come, without indentation."""
        before, after = text.splitlines(), self.applied(text).splitlines()
        moved = (
            [row for row in difflib.ndiff(before, after) if row.startswith(("- ", "+ "))]
            if len(before) < 3
            else list(_changed(before, after))
        )
        gone = "\n".join(row[2:].strip() for row in moved if row.startswith("- "))
        new = "\n".join(row[2:].strip() for row in moved if row.startswith("+ "))
        return gone, new


def _changed(before: list[str], after: list[str]) -> Iterator[str]:
    """Yield the rows between the common head and the common tail of two texts."""
    head = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    yield from (f"- {row}" for row in before[head : len(before) - tail])
    yield from (f"+ {row}" for row in after[head : len(after) - tail])


class _Places:
    """From the lines and bytes of syntax trees to places in the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.rows = text.splitlines(keepends=True)
        self.starts = [0]
        for row in self.rows:
            self.starts.append(self.starts[-1] + len(row))

    def at(self, line: int, column: int) -> int:
        row = self.rows[line - 1]
        return self.starts[line - 1] + (column if row.isascii() else len(row.encode()[:column].decode()))

    def span(self, node: ast.AST) -> tuple[int, int]:
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def right(self, node: ast.expr) -> bool:
        """Say whether the text at the node's place is the node: before Python 3.12 not always so inside f-strings."""
        try:
            return ast.dump(ast.parse(self.of(node), mode="eval").body) == ast.dump(node)
        except (SyntaxError, IndexError):
            return False

    def of(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.text[start:end]


Edit = tuple[int, int, str, str]


def mutants(text: str, path: str) -> list[Mutant]:
    """Return every fault of a module, in the order of its text.

    Docstrings, annotations, log messages, imports, decorators and ``__all__`` stay as they are.
    """
    finder = _Finder(text, path)
    finder.block(ast.parse(text).body, "")
    seen: dict[tuple[int, int, str], Mutant] = {}
    for mutant in finder.found:
        if text[mutant.start : mutant.end] != mutant.new:
            seen.setdefault((mutant.start, mutant.end, mutant.new), mutant)
    return sorted(seen.values(), key=lambda m: (m.start, m.end, m.new))


class _Finder:
    def __init__(self, text: str, path: str) -> None:
        self.places, self.path, self.found = _Places(text), path, []

    def block(self, body: list[ast.stmt], function: str) -> None:
        for statement in body:
            self.statement(statement, function)

    def statement(self, node: ast.stmt, function: str) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal) or _is_text(node) or _typing(node):
            return
        last = node.body[0].lineno - 1 if isinstance(node, COMPOUND) and hasattr(node, "body") else node.end_lineno
        header = (node.lineno, max(node.lineno, last))
        for start, end, new, what in self.edits(node, function):
            line = self.places.text.count("\n", 0, start) + 1
            self.found.append(Mutant(self.path, function, line, header, start, end, new, what))
        inner = function
        if isinstance(node, FUNCTIONS | ast.ClassDef):
            inner = f"{function}.{node.name}".lstrip(".")
        for name in ("body", "orelse", "finalbody"):
            self.block(getattr(node, name, []), inner)
        for handler in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            self.block(handler.body, inner)

    def edits(self, node: ast.stmt, function: str) -> Iterator[Edit]:
        if isinstance(node, FUNCTIONS):
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                if default is not None:
                    yield from self.expressions(default)
            return
        if isinstance(node, ast.ClassDef | ast.Try):
            return
        if isinstance(node, ast.Assign | ast.AnnAssign) and _target(node) == "__all__":
            return
        yield from self.whole(node, function)
        for name, value in ast.iter_fields(node):
            if name not in {"annotation", "body", "orelse", "finalbody", "handlers", "cases"}:
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, ast.AST):
                        yield from self.expressions(part)

    def whole(self, node: ast.stmt, function: str) -> Iterator[Edit]:
        """Yield faults of a whole statement: gone, nothing returned, its condition turned."""
        span = self.places.span(node)
        if isinstance(node, ast.Return) and node.value is not None and function:
            if not (isinstance(node.value, ast.Constant) and node.value.value is None):
                yield *span, "return None", "returns None"
        elif isinstance(node, ast.If | ast.While):
            start, end = self.places.span(node.test)
            if isinstance(node, ast.If):
                yield start, end, f"not ({self.places.of(node.test)})", "turned condition"
                yield start, end, "False", "dropped branch"
        elif (
            isinstance(node, ast.Raise | ast.Continue | ast.Break | ast.AugAssign)
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not _logs(node.value))
            or (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript | ast.Attribute))
        ):
            yield *span, "pass", "deleted statement"
        if isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
            old, new = ARITHMETIC[type(node.op)]
            yield from self.between(node.target, node.value, f"{old}=", f"{new}=", "arithmetic")

    def between(self, left: ast.AST, right: ast.AST, old: str, new: str, what: str) -> Iterator[Edit]:
        """Yield the operator between two parts replaced."""
        start, stop = self.places.span(left)[1], self.places.span(right)[0]
        gap = self.places.text[start:stop]
        at = gap.find(old)
        if at >= 0 and "#" not in gap:
            yield start + at, start + at + len(old), new, what

    def expressions(self, node: ast.AST) -> Iterator[Edit]:
        if isinstance(node, ast.Call) and (_logs(node) or _name(node.func) in SILENT_CALLS):
            return
        if isinstance(node, ast.Subscript) and _name(node.value) in SILENT_CALLS:
            return
        if isinstance(node, ast.Lambda):
            yield from self.expressions(node.body)
            return
        if isinstance(node, ast.FormattedValue) and not self.places.right(node.value):
            return
        maker = getattr(self, f"of_{type(node).__name__.lower()}", None)
        if maker is not None:
            yield from maker(node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.keyword) and child.arg in SILENT_OPTIONS:
                continue
            yield from self.expressions(child)

    def of_compare(self, node: ast.Compare) -> Iterator[Edit]:
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            yield from self.between(left, right, *COMPARISONS[type(op)], "comparison")
            if isinstance(op, ast.Lt | ast.LtE):
                yield from self.between(left, right, COMPARISONS[type(op)][0], ">", "comparison turned")
            elif isinstance(op, ast.Gt | ast.GtE):
                yield from self.between(left, right, COMPARISONS[type(op)][0], "<", "comparison turned")
            left = right

    def of_binop(self, node: ast.BinOp) -> Iterator[Edit]:
        if type(node.op) in ARITHMETIC and not (_is_string(node.left) or _is_string(node.right)):
            yield from self.between(node.left, node.right, *ARITHMETIC[type(node.op)], "arithmetic")

    def of_boolop(self, node: ast.BoolOp) -> Iterator[Edit]:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield from self.between(left, right, old, new, "and/or")
            start, end = self.places.span(left)[1], self.places.span(right)[1]
            opened = self.places.text[start : self.places.span(right)[0]].count("(")
            if not opened and ")" not in self.places.text[start : self.places.span(right)[0]]:
                yield start, end, "", "dropped condition"
                yield self.places.span(left)[0], self.places.span(right)[0], "", "dropped condition"

    def of_unaryop(self, node: ast.UnaryOp) -> Iterator[Edit]:
        if isinstance(node.op, ast.Not | ast.Invert | ast.USub):
            yield *self.places.span(node), self.places.of(node.operand), "dropped " + type(node.op).__name__.lower()

    def of_ifexp(self, node: ast.IfExp) -> Iterator[Edit]:
        a, b = self.places.of(node.body), self.places.of(node.orelse)
        start, end = self.places.span(node.body)[0], self.places.span(node.orelse)[1]
        middle = self.places.text[self.places.span(node.body)[1] : self.places.span(node.orelse)[0]]
        yield start, end, b + middle + a, "branches swapped"

    def of_comprehension(self, node: ast.comprehension) -> Iterator[Edit]:
        for condition in node.ifs:
            yield *self.places.span(condition), "True", "dropped condition"

    def of_constant(self, node: ast.Constant) -> Iterator[Edit]:
        value, span = node.value, self.places.span(node)
        if isinstance(value, bool):
            yield *span, str(not value), "True/False"
        elif isinstance(value, int):
            yield *span, str(value + 1), "constant"
            yield *span, str(value - 1) if value else "-1", "constant"
        elif isinstance(value, float):
            yield *span, repr(value + 1), "constant"
            yield *span, repr(value * 2), "constant doubled"
        elif isinstance(value, str) and value in SWAPPED and self.places.of(node)[1:-1] == value:
            yield *span, repr(SWAPPED[value]).replace("'", '"'), "swapped name"

    def of_call(self, node: ast.Call) -> Iterator[Edit]:
        plain = [a for a in node.args if not isinstance(a, ast.Starred)]
        if len(plain) == len(node.args) and _name(node.func) not in COMMUTATIVE:
            for left, right in itertools.pairwise(plain):
                (a, b), (c, d) = self.places.span(left), self.places.span(right)
                text = self.places.text
                yield a, d, text[c:d] + text[b:c] + text[a:b], "swapped arguments"
        if isinstance(node.func, ast.Attribute | ast.Name) and _name(node.func) in NAMES:
            end = self.places.span(node.func)[1]
            yield end - len(_name(node.func)), end, NAMES[_name(node.func)], "swapped name"
        for keyword in node.keywords:
            if keyword.arg is not None and keyword.arg not in SILENT_OPTIONS:
                start, end = self.places.span(keyword)
                before = self.places.text[:start].rstrip()
                if before.endswith(","):
                    yield len(before) - 1, end, "", "dropped option"

    def of_dict(self, node: ast.Dict) -> Iterator[Edit]:
        """Yield the values of neighbours exchanged: the words of one key under another's."""
        pairs = [(k, v) for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)]
        for (_, one), (_, other) in itertools.pairwise(pairs):
            (a, b), (c, d) = self.places.span(one), self.places.span(other)
            text = self.places.text
            yield a, d, text[c:d] + text[b:c] + text[a:b], "values swapped"

    def of_joinedstr(self, node: ast.JoinedStr) -> Iterator[Edit]:
        """Yield two neighbouring values of a text exchanged."""
        values = [v for v in node.values if isinstance(v, ast.FormattedValue)]
        for one, other in itertools.pairwise(values):
            (a, b), (c, d) = self.places.span(one.value), self.places.span(other.value)
            text = self.places.text
            if not (self.places.right(one.value) and self.places.right(other.value)):
                continue
            inside = text[self.places.span(node)[0]] == "f" and text[a - 1] == "{" and text[c - 1] == "{"
            if inside and one.format_spec is None and other.format_spec is None:
                yield a, d, text[c:d] + text[b:c] + text[a:b], "swapped values"


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _typing(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and _name(node.test) == "TYPE_CHECKING"


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    return _name(node.targets[0] if isinstance(node, ast.Assign) else node.target)


def _is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _logs(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and _name(node.func.value) in LOGS
