"""What a notebook says before it runs: which parameters it takes, and its prose in another language.

papermill guesses types and only warns of a name it does not know; here the cell tagged ``parameters`` is the schema::

    study: str = "../params/study.yaml"
    horizon_days: int = 365
    horizons: list[int] = [182, 365]

Values are data: they are checked against these types before a kernel starts, and never evaluated. Paragraphs, headings
and captions in another language come from the catalogue beside the notebook.
"""

from __future__ import annotations

__all__ = ["RESERVED", "catalogue_of", "declared", "in_language", "parse_override", "prose", "read_words", "validated"]

import ast
import copy
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from evalkit.errors import ProtocolError, PublicationError, did_you_mean
from evalkit.protocol import parse_yaml
from evalkit.words import read_catalogue

RESERVED = ("study", "period")
"""Parameters that have an option of their own on the command line."""

_MEND = {"string_type": "; put it in quotes", "bool_type": "; write true or false"}

_SIMPLE: dict[str, Any] = {"str": str, "int": int, "float": float, "bool": bool, "None": None}
_ALLOWED = "str, int, float, bool, list[...], dict[str, ...], or one of these with '| None'"


def _type_of(node: ast.expr, where: str) -> Any:  # noqa: ANN401 - a type expression
    """Read a type from an annotation; only simple ones are allowed, and nothing is evaluated."""
    if isinstance(node, ast.Name) and node.id in _SIMPLE:
        return _SIMPLE[node.id]
    if isinstance(node, ast.Constant) and node.value is None:
        return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        left, right = _type_of(node.left, where), _type_of(node.right, where)
        return left | right if left is not None else right | None
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if node.value.id == "list" and len(inner) == 1:
            return list[_type_of(inner[0], where)]  # type: ignore[misc]
        if node.value.id == "dict" and len(inner) == 2:
            return dict[_type_of(inner[0], where), _type_of(inner[1], where)]  # type: ignore[misc]
    msg = f"{where}: type '{ast.unparse(node)}' is not one of {_ALLOWED}"
    raise ProtocolError(msg)


def _guess(value: object, where: str) -> Any:  # noqa: ANN401 - a type
    if value is None or (isinstance(value, list | dict) and not value):
        msg = f"{where}: give it a type, as in 'name: str | None = None'"
        raise ProtocolError(msg)
    if isinstance(value, list):
        return list[_guess(value[0], where)]  # type: ignore[misc]
    if not isinstance(value, str | int | float | bool):
        msg = f"{where}: give it a type; it may be {_ALLOWED}"
        raise ProtocolError(msg)
    return type(value)


def declared(source: str, notebook: str) -> dict[str, tuple[Any, Any]]:
    """Read the names, types and defaults that a parameters cell declares.

    Name: (type, default). `notebook` is its name, for messages. `ProtocolError` if the cell holds anything but
    assignments of literals, or a type that is not simple.

    >>> declared("horizon_days: int = 365", "quarterly.ipynb")
    {'horizon_days': (<class 'int'>, 365)}
    """
    where = f"{notebook}, parameters cell"
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        msg = f"{where}, line {error.lineno}: {error.msg}"
        raise ProtocolError(msg) from None
    # What Python's parser raises of texts that somebody made for it: deep brackets, zero bytes.
    except (ValueError, RecursionError, MemoryError):
        msg = f"{where}: is not Python"
        raise ProtocolError(msg) from None
    found: dict[str, tuple[Any, Any]] = {}
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        value = getattr(statement, "value", None)
        several = isinstance(statement, ast.Assign) and len(statement.targets) > 1
        if not isinstance(target, ast.Name) or value is None or several:
            msg = f"{where}, line {statement.lineno}: only 'name: type = value' may stand here"
            raise ProtocolError(msg)
        here = f"{where}, '{target.id}'"
        try:
            default = ast.literal_eval(value)
        except (ValueError, TypeError, RecursionError, MemoryError):
            msg = f"{here}: the default must be a plain value"
            raise ProtocolError(msg) from None
        annotation = getattr(statement, "annotation", None)
        found[target.id] = (_type_of(annotation, here) if annotation else _guess(default, here), default)
    return found


def parse_override(text: str) -> tuple[str, str]:
    """Split a ``key=value`` of the command line into key and raw value; `ProtocolError` without ``=`` or key."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        msg = f"-P {text}: write it as key=value"
        raise ProtocolError(msg)
    return key.strip(), value


def validated(
    schema: Mapping[str, tuple[Any, Any]],
    from_file: Mapping[str, Any],
    overrides: Mapping[str, str],
    where: str,
) -> dict[str, Any]:
    """Hold given values to a notebook's parameters, and return those for papermill: only what was given.

    `schema` is from `declared`; `from_file` is ``parameters`` of the report's file `where`; `overrides`, raw texts of
    ``-P``, win. `ProtocolError` if a name is unknown (with a did-you-mean), is reserved, or a value is of another type.
    """
    values: dict[str, Any] = {}
    given = [(k, v, f"{where}, parameters.{k}", False) for k, v in from_file.items()]
    given += [(k, v, f"-P {k}", True) for k, v in overrides.items()]
    for key, raw, place, is_text in given:
        if key in RESERVED:
            msg = f"{place}: '{key}' is set with --{key}"
            raise ProtocolError(msg)
        if key not in schema:
            hint = did_you_mean(key, [name for name in schema if name not in RESERVED])
            msg = f"{place}: the notebook has no parameter '{key}'{hint}"
            raise ProtocolError(msg)
        values[key] = _held(schema[key][0], raw, place, is_text=is_text)
    return values


def _held(kind: Any, raw: Any, place: str, *, is_text: bool) -> Any:  # noqa: ANN401
    # A text stays as it was typed: 020 may be a name, and is refused as a number.
    value = parse_yaml(raw, place) if is_text and kind is not str else raw
    try:
        # Strict: pydantic would take "365", or true for 1, and a report is not made of guesses.
        return TypeAdapter(kind, config=ConfigDict(strict=True)).validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"] + _MEND.get(error.errors()[0]["type"], "")
        msg = f"{place}: {reason[:1].lower()}{reason[1:]}"
        raise ProtocolError(msg) from None


_HEADING = re.compile(r"(#+ )(.*?)(\s*\{#[^}]*\})?")
_CAPTION = re.compile(r"#\|\s?(fig-cap|fig-alt|tbl-cap): *(.*)")
# Letters of a paragraph's beginning: enough to find it in the notebook.
_TOLD = 40


def catalogue_of(notebook: Path, language: str) -> Path:
    """Return where the words of a notebook in a language lie: ``quarterly.es.po`` beside ``quarterly.ipynb``."""
    return notebook.with_name(f"{notebook.stem}.{language}.po")


def in_language(notebook: Any, file: Path, language: str) -> Any:  # noqa: ANN401 - nbformat has no types
    """Return a notebook with its prose in a language: a copy, or itself where no catalogue lies beside `file`.

    Without a catalogue it is taken to be written in the language. `ProtocolError` if the catalogue cannot be read;
    `PublicationError` if a paragraph, heading or caption has no translation: naming the cell, and how it begins.
    """
    place = catalogue_of(file, language)
    if not place.is_file():
        return notebook
    known = read_words(place, language)
    spoken = copy.deepcopy(notebook)
    for number, cell in enumerate(spoken.cells, start=1):

        def said(text: str, number: int = number) -> str:
            if text not in known:
                begins = text if len(text) <= _TOLD else f"{text[:_TOLD].rsplit(' ', 1)[0]} ..."
                # No fallback to the other language: a report is in one, or is not made.
                msg = f"cell {number}: '{begins}' has no translation; add it to {place.name}"
                raise PublicationError(msg)
            return known[text]

        cell.source = _said(cell, said)
    return spoken


def read_words(file: Path, language: str) -> dict[str, str]:
    """Read the catalogue of a notebook; `ProtocolError` if it cannot be read."""
    try:
        with file.open("rb") as stream:
            return {str(m.id): str(m.string) for m in read_catalogue(stream, language) if m.id and m.string}
    except (OSError, ValueError):
        msg = f"{file}: is not a readable catalogue; msgid and msgstr lines as gettext has them"
        raise ProtocolError(msg) from None


def prose(notebook: Any) -> list[str]:  # noqa: ANN401
    """Return the paragraphs, headings and captions of a notebook, each once: what its catalogue has to hold."""
    found: list[str] = []

    def kept(text: str) -> str:
        found.append(text)
        return text

    for cell in notebook.cells:
        _said(cell, kept)
    return list(dict.fromkeys(found))


def _said(cell: Any, said: Callable[[str], str]) -> str:  # noqa: ANN401
    """Return a cell's source with each line of prose as ``said`` has it."""
    if cell.cell_type not in {"markdown", "code"}:
        return str(cell.source)
    write = _markdown if cell.cell_type == "markdown" else _option
    return "\n".join(write(line, said) for line in cell.source.split("\n"))


def _markdown(line: str, said: Callable[[str], str]) -> str:
    """Return a line of Markdown; what only opens or closes a block is no prose."""
    text = line.strip()
    if not text or text.startswith(":::"):
        return line
    if heading := _HEADING.fullmatch(text):
        return f"{heading[1]}{said(heading[2])}{heading[3] or ''}"
    return said(text)


def _option(line: str, said: Callable[[str], str]) -> str:
    """Return a line of code: a caption or alternative text in the language, everything else as it stands."""
    option = _CAPTION.fullmatch(line)
    if option is None:
        return line
    # Captions stand in quotes or without; the catalogue has what YAML reads.
    text = parse_yaml(option[2], "a caption")
    return f"#| {option[1]}: {json.dumps(said(str(text)), ensure_ascii=False)}" if text else line
