"""YAML as people write it: the core schema of YAML 1.2, and nothing that two readers read as two things."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import yaml

from evalkit.errors import ProtocolError

# Far above any protocol. Ten short lines of aliases to aliases can stand for more values than the memory holds.
_LONGEST, _MOST_VALUES = 1_000_000, 100_000
_TAG = "tag:yaml.org,2002:"
_TWO_WAYS = f"{_TAG}two-ways"

# PyYAML reads YAML 1.1, where 020 is 16, 36:00 is 2160, and Yes, No, on, off are true and false: a study's numbers and
# levels must be what its author sees. What is none of these is text, days too: a model's field says what it is.
_PLAIN = {
    f"{_TAG}null": r"~|null|Null|NULL|",
    f"{_TAG}bool": r"true|True|TRUE|false|False|FALSE",
    f"{_TAG}int": r"[-+]?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:_[0-9]{3})+)",
    f"{_TAG}float": r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
    _TWO_WAYS: r"[-+]?(?:0[xob][0-9a-fA-F_]+|[0-9][0-9_]*(?::[0-9_]+)*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?)",
    f"{_TAG}merge": "<<",
}


class YamlMapping(dict[str, Any]):
    """What a YAML file holds, and where.

    Attributes
    ----------
    lines : dict of tuple to int
        Keys and places of lists on the way to a value: its line.
    """

    lines: dict[tuple[str | int, ...], int]

    def __init__(self, content: dict[str, Any], lines: dict[tuple[str | int, ...], int]) -> None:
        super().__init__(content)
        self.lines = lines


_RESOLVERS = {None: [(tag, re.compile(f"(?:{form})\\Z")) for tag, form in _PLAIN.items()]}


class _Loader(yaml.SafeLoader):
    """Safe YAML with the plain values above; a key is the text that stands there."""

    yaml_constructors: ClassVar[dict[str | None, Any]] = {}  # none of SafeLoader's: they read YAML 1.1

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.yaml_implicit_resolvers = _RESOLVERS


def _problem(text: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, text, node.start_mark)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _problem("a key must be one word or one text", key)
        if key.value in seen:
            raise _problem(f"key '{named(key.value)}' stands twice", key)
        seen.add(key.value)
    loader.flatten_mapping(node)
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


def _scalar(loader: _Loader, node: yaml.ScalarNode) -> Any:  # noqa: ANN401 - text, number, yes or no, nothing
    text, kind = loader.construct_scalar(node), node.tag.removeprefix(_TAG)
    if kind == "str":
        if node.style is None and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            try:
                date.fromisoformat(text)
            except ValueError:  # text, but of a day: 2022-02-30 is a slip
                raise _problem("no calendar has this day", node) from None
        return text
    if not re.fullmatch(_PLAIN[node.tag], text):  # a tag that was written: !!int 0x10
        raise _problem(f"!!{kind} stands before something else", node)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    try:
        number = int(text) if kind == "int" else float(text)
        float(number)  # no number of a protocol is longer
    except (ValueError, OverflowError):
        raise _problem("a number that is too large", node) from None
    if math.isinf(number):
        raise _problem("a number that is too large", node)
    return number


def _unknown(loader: _Loader, node: yaml.Node) -> None:
    del loader
    raise _problem(f"the tag {node.tag.replace(_TAG, '!!')} is not read here", node)


def _sequence(loader: _Loader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node, deep=True)


_Loader.add_constructor(f"{_TAG}map", _mapping)
_Loader.add_constructor(f"{_TAG}seq", _sequence)
for _kind in ("str", "null", "bool", "int", "float"):
    _Loader.add_constructor(f"{_TAG}{_kind}", _scalar)
_Loader.add_constructor(None, _unknown)


def read_yaml(path: Path) -> YamlMapping:
    """Read a YAML file whose top level is a mapping.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    YamlMapping
        Numbers are what they look like, ``Yes`` and ``2021-11-18`` are text, and so is every key.

    Raises
    ------
    ProtocolError
        If the file is missing, too long, not YAML, holds a key twice, a number that can be read in two ways, or is
        no mapping.
    """
    if path.exists() and not path.is_file():
        msg = f"{path}: is no file"
        raise ProtocolError(msg)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or 'unknown reason'})"
        raise ProtocolError(msg) from None
    except UnicodeDecodeError:
        msg = f"{path}: is not UTF-8 text"
        raise ProtocolError(msg) from None
    content, lines = _parsed(text, str(path))
    if not isinstance(content, dict):
        msg = f"{path}: the top level must be a mapping of keys to values"
        raise ProtocolError(msg)
    return YamlMapping(content, lines)


def parse_yaml(text: str, where: str) -> Any:  # noqa: ANN401 - whatever stands in it
    """Read YAML as `read_yaml` does, from a text.

    Parameters
    ----------
    text : str
    where : str
        What it is, for messages.

    Returns
    -------
    dict, list, str, int, float, bool or None

    Raises
    ------
    ProtocolError
        As `read_yaml`.

    Examples
    --------
    >>> parse_yaml("{levels: [Yes, No, 2021-11-18], share: 0.5, 1: on}", "-P x")
    {'levels': ['Yes', 'No', '2021-11-18'], 'share': 0.5, '1': 'on'}
    """
    return _parsed(text, where)[0]


def _parsed(text: str, where: str) -> tuple[Any, dict[tuple[str | int, ...], int]]:
    if len(text) > _LONGEST:
        msg = f"{where}: is too long for a protocol file ({len(text):,} characters)"
        raise ProtocolError(msg)
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None, {}
            # Aliases may not blow a short file up.
            if _size(node, {}) > _MOST_VALUES:
                raise _problem("its aliases stand for too many values", node)
            lines = _lines(node, where)
            return loader.construct_document(node), lines
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line if mark else text[: getattr(error, "position", 0)].count("\n")
        place = f", line {line + 1}"
        msg = f"{where}{place}: is not valid YAML ({getattr(error, 'problem', None) or 'unreadable'})"
        raise ProtocolError(msg) from None
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError):
        # A day that is none, a number without end, brackets without end; the message would quote it.
        msg = f"{where}: holds a value that YAML cannot read as what it looks like; put it in quotes"
        raise ProtocolError(msg) from None


def compose(text: str, where: str) -> yaml.Node | None:
    """Return the nodes of a text that `parse_yaml` reads, which say where everything stands in it.

    A `ProtocolError` as `read_yaml`'s.
    """
    _parsed(text, where)
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Count a node's values, each alias as often as it is used; one that holds itself is endless."""
    if id(node) not in known:
        known[id(node)] = _MOST_VALUES + 1
        children = node.value if isinstance(node, yaml.CollectionNode) else []
        flat = [part for child in children for part in (child if isinstance(child, tuple) else (child,))]
        known[id(node)] = 1 + sum(_size(part, known) for part in flat)
    return known[id(node)]


def _lines(root: yaml.Node, where: str) -> dict[tuple[str | int, ...], int]:
    """Return the line of every value; refuse a number that can be read in two ways, by key and line."""
    lines: dict[tuple[str | int, ...], int] = {}
    for place, mark, node in _walk(root, (), root.start_mark):
        lines[place] = mark.line + 1
        if node.tag == _TWO_WAYS:
            key = f", line {lines[place]}: key '{'.'.join(named(part) for part in place)}'" if place else ""
            msg = (
                f"{where}{key}: a number written like this is read in different ways (leading zeros, colons, 0x, "
                "underscores); write it plainly, as in 20 or 2160, or in quotes where it is text"
            )
            raise ProtocolError(msg)
    return lines


_Place = tuple[str | int, ...]


def _walk(node: yaml.Node, place: _Place, mark: yaml.Mark) -> Iterator[tuple[_Place, yaml.Mark, yaml.Node]]:
    """Give each value with its place, and where that begins: at its key, where it has one."""
    yield place, mark, node
    if isinstance(node, yaml.SequenceNode):
        for position, part in enumerate(node.value):
            yield from _walk(part, (*place, position), part.start_mark)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(value, (*place, str(key.value)), key.start_mark)


def named(part: object) -> str:
    """Return a key as it may be shown: something else that stands in a key's place may be a secret or a value."""
    text = str(part)
    return text if re.fullmatch(r"[\w .-]{1,64}", text) else "…"
