"""Protocol files read and written: YAML in, models out, one clear line when something is wrong; one table's entry in.

An entry is written so that every other line of the file, and every comment, stays as it is. PyYAML says where each key
stands in the text; only those lines are written anew. A library that writes the whole file from what it read keeps
comments, but not line breaks, quotes and indentation of the rest.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import types
import typing
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from evalkit.errors import ProtocolError, did_you_mean
from evalkit.protocol._report import Baselines, Disclosure, ReportParams
from evalkit.protocol._study import Study
from evalkit.protocol._yaml import compose, named, parse_yaml, read_yaml

M = TypeVar("M", bound=BaseModel)


def _fields_at(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """Names a model allows at a location; empty when that place is no model."""
    current: Any = model
    for step in location:
        current = _descend(current, step)
        if current is None:
            return []
    target = _models_in(current)
    return list(target[0].model_fields) if target else []


def _descend(annotation: Any, step: Any) -> Any:  # noqa: ANN401
    annotation = _plain(annotation)
    for model in _models_in(annotation):
        if step in model.model_fields:
            return model.model_fields[step].annotation
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is dict and len(args) == 2:
        return args[1]
    if origin is list and args:
        return args[0]
    if origin in {typing.Union, types.UnionType}:
        return next((found for a in args if (found := _descend(a, step)) is not None), None)
    return None


def _plain(annotation: Any) -> Any:  # noqa: ANN401
    """Return a type without what else is said of it."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401
    annotation = _plain(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return [m for a in typing.get_args(annotation) for m in _models_in(a)]
    return []


def _explain(model: type[BaseModel], error: Any, lines: dict[tuple[str | int, ...], int]) -> str:  # noqa: ANN401
    """Say one of pydantic's errors in our words: key, what is wrong, how to mend it, line."""
    # In brackets stand a mapping's key, and which of several forms a value has.
    location = tuple(part for part in error["loc"] if not (isinstance(part, str) and re.fullmatch(r"\[\w+\]", part)))
    key = ".".join(named(part) for part in location) or "top level"
    if error["type"] == "missing":
        return f"key '{key}' is missing{_line(location[:-1], lines)}"
    if error["type"] == "extra_forbidden":
        known = _fields_at(model, location[:-1])
        return f"unknown key '{key}'{did_you_mean(named(location[-1]), known)}{_line(location, lines)}"
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "literal_error" and isinstance(error.get("input"), str):
        allowed = [w.strip("'") for w in str(error["ctx"]["expected"]).replace(" or ", ", ").split(", ")]
        message += did_you_mean(error["input"], allowed)
    if error["type"] == "too_short" and isinstance(error.get("input"), str):  # pydantic counts its "items"
        message = f"needs at least {error['ctx']['min_length']} character(s)"
    if error["type"] == "string_type" and not isinstance(error.get("input"), dict | list):
        message += "; put it in quotes"
    return f"key '{key}': {message[:1].lower()}{message[1:]}{_line(location, lines)}"


def _line(location: tuple[Any, ...], lines: dict[tuple[str | int, ...], int]) -> str:
    """Say where the nearest key that stands in the file stands; a key that is missing stands nowhere."""
    while location and location not in lines:
        location = location[:-1]
    return f" (line {lines[location]})" if location else ""


def validate(model: type[M], content: dict[str, Any], where: str) -> M:
    """Hold a mapping to a model.

    Parameters
    ----------
    model : type of pydantic.BaseModel
    content : dict
        From `read_yaml`, the message says lines too.
    where : str
        The file (or option), for the message.

    Returns
    -------
    model instance

    Raises
    ------
    ProtocolError
        One line: file, every key that is wrong, why, its line, and a did-you-mean.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        lines = getattr(content, "lines", {})
        problems = [_explain(model, e, lines) for e in error.errors(include_url=False)]
    # Outside of `except`: no traceback is to show the first error, which quotes values.
    msg = f"{where}: {'; and '.join(problems)}"
    raise ProtocolError(msg)


def load_study(path: Path | str) -> Study:
    """Read a study's protocol.

    Parameters
    ----------
    path : path-like
        The ``study.yaml``.

    Returns
    -------
    Study

    Raises
    ------
    ProtocolError
        If the file cannot be read, or says something a study cannot be.
    """
    # Resolved: a private folder in the user's home goes by this path, and a link is no other study.
    file = Path(path).expanduser().resolve()
    return validate(Study, read_yaml(file), str(path)).with_path(file)


def load_baselines(study: Study) -> Baselines:
    """Read the baselines a study names; an empty set when it names none.

    Parameters
    ----------
    study : Study

    Returns
    -------
    Baselines

    Raises
    ------
    ProtocolError
        If the file cannot be read or is wrong.
    """
    if study.baselines is None:
        return Baselines(baselines=[])
    file = _inside(study, study.baselines)
    return validate(Baselines, read_yaml(file), str(file))


def _inside(study: Study, name: str) -> Path:
    """Return a protocol file; it lies in the protocol's folder, and a link does not lead out of it."""
    file = study.folder / name
    if not file.resolve().is_relative_to(study.folder.resolve()):
        msg = f"{study.path}: {name} lies outside the protocol's folder; a study's rules stand beside its protocol"
        raise ProtocolError(msg)
    return file


def load_disclosure(study: Study) -> Disclosure:
    """Read the disclosure policy a study names; the defaults when it names none.

    Parameters
    ----------
    study : Study

    Returns
    -------
    Disclosure

    Raises
    ------
    ProtocolError
        If the file cannot be read or is wrong.
    """
    if study.disclosure is None:
        return Disclosure()
    file = _inside(study, study.disclosure)
    return validate(Disclosure, read_yaml(file), str(file))


def load_report(path: Path | str) -> ReportParams:
    """Read a report's parameters.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ReportParams

    Raises
    ------
    ProtocolError
        If the file cannot be read or is wrong.
    """
    return validate(ReportParams, read_yaml(Path(path)), str(path))


_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ ./-]+[A-Za-z0-9_]+)*")
# Words that some readers of YAML take for true, false or nothing.
_NO_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "none", "nan"})
_WIDEST = 120
_MARK = re.compile(r"(?:^|(?<=\s))#", re.MULTILINE)


def write_table(file: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Write a table's entry into a protocol's file, whole or not at all.

    Parameters
    ----------
    file : pathlib.Path
    name : str
        The table.
    entry : mapping
        Its keys.

    Raises
    ------
    ProtocolError
        As `with_table`; and if the study with it would be none.
    """
    name_of, file = str(file), file.resolve()  # what a link leads to is written, not the link
    content = file.read_bytes()
    mark = "\ufeff" if content.startswith(b"\xef\xbb\xbf") else ""
    text = content.decode("utf-8-sig")
    changed = with_table(text.replace("\r\n", "\n"), name, entry, name_of)
    validate(Study, parse_yaml(changed, name_of), name_of)  # one that could not be read any more is not written
    changed = mark + _with_ends(text, changed)
    # Beside the file: only on one file system is putting it in place one step.
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(changed.encode())
            os.fchmod(stream.fileno(), file.stat().st_mode & 0o7777)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _with_ends(before: str, changed: str) -> str:
    """Return a changed text in which lines that were there end as they did, and others as most of those do."""
    lines = before.split("\n")
    usual = "\r" if 2 * sum(line.endswith("\r") for line in lines) > len(lines) - 1 else ""
    old = lines[:-1] if not lines[-1] else [*lines[:-1], lines[-1] + usual]
    new, parts = changed.split("\n")[:-1], list[str]()  # `with_table` ends the last line
    plain = [line.removesuffix("\r") for line in old]
    for what, first, last, first_new, last_new in SequenceMatcher(None, plain, new, autojunk=False).get_opcodes():
        parts += old[first:last] if what == "equal" else [line + usual for line in new[first_new:last_new]]
    return "".join(f"{line}\n" for line in parts)


def with_table(text: str, name: str, entry: Mapping[str, Any], where: str = "the protocol") -> str:
    r"""Return a protocol's text with another entry of a table, which need not be there yet; all else stays as it is.

    Remarks among the lines of that entry stand at its head. A `ProtocolError` where the file's form does not let it be
    written.

    >>> print(with_table("id: x  # a name\ntables:\n  exits: {path: e.csv}\n", "exits", {"path": "f.csv"}), end="")
    id: x  # a name
    tables:
      exits:
        path: f.csv
    """
    text = text if text.endswith("\n") else f"{text}\n"
    before = parse_yaml(text, where)
    start, tables = _tables_node(text, where)
    if tables is None or not tables.value or tables.flow_style:
        changed = _in_flow(text, start, tables, {**before.get("tables", {}), name: dict(entry)})
    else:
        changed = _in_block(text, tables, name, entry)
    after = parse_yaml(changed, where)
    expected = {**before, "tables": {**(before.get("tables") or {}), name: json.loads(json.dumps(entry))}}
    # Whatever the lines were: what is read again has to differ in that entry alone (ADR 25).
    if after != expected:
        msg = f"{where}: the entry of '{name}' cannot be written into it without changing the rest; write it by hand"
        raise ProtocolError(msg)
    return changed


def _tables_node(text: str, where: str) -> tuple[int, yaml.MappingNode | None]:
    """Return where the key of the tables begins, and the tables."""
    root = compose(text, where)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    found = ((k.start_mark.index, v) for k, v in pairs if k.value == "tables" and isinstance(v, yaml.MappingNode))
    return next(found, (len(text), None))


def _in_block(text: str, tables: yaml.MappingNode, name: str, entry: Mapping[str, Any]) -> str:
    lines = text.splitlines(keepends=True)
    indent = tables.value[0][0].start_mark.column
    pair = next(((k, v) for k, v in tables.value if k.value == name), None)
    if pair is not None:
        first, last = pair[0].start_mark.line, _end(lines, pair[1])
        place = sum(map(len, lines[:first]))
        remarks = _remarks(text, place, place + sum(map(len, lines[first:last])))
    else:
        first = last = _end(lines, tables.value[-1][1])
        remarks = []
    rest = lines[last:]
    if pair is None:  # where `evalkit init` left the line of a table that was not there yet
        stub = re.compile(rf"^\s*# {name}: \{{path: ")
        rest = [line for line in rest if not stub.match(line)]
    return "".join([*lines[:first], *_entry_lines(name, entry, indent, remarks), *rest])


def _end(lines: Sequence[str], value: yaml.Node) -> int:
    """Return the line after the last one of a value: what stands below it in blank lines and remarks is not its own."""
    in_block = (
        isinstance(value, yaml.CollectionNode) and not value.flow_style
    )  # such a value ends where the next begins
    end = value.end_mark.line + (0 if in_block else 1)
    while end > value.start_mark.line + 1 and not lines[end - 1].split("#")[0].strip():
        end -= 1
    return end


def _remarks(text: str, first: int, last: int) -> list[str]:
    """Return the remarks in a part of a text; a # in quotes, or in a text of several lines, is none."""
    tokens = (token for token in yaml.scan(text) if isinstance(token, yaml.ScalarToken))
    texts = [(token.start_mark.index, token.end_mark.index) for token in tokens if token.style]
    marks = [m.start() for m in _MARK.finditer(text, first, last)]
    by_line = {text.find("\n", m): m for m in reversed(marks) if not any(begin <= m < end for begin, end in texts)}
    return [text[m:end].rstrip() for end, m in sorted(by_line.items())]


def _in_flow(text: str, start: int, tables: yaml.MappingNode | None, entries: Mapping[str, Any]) -> str:
    """Write all tables anew: they stand in braces, or are not there."""
    written = "".join(line for n, e in entries.items() for line in _entry_lines(n, e, 2, []))
    if tables is None:
        return f"{text.rstrip()}\ntables:\n{written}"
    end = tables.end_mark.index
    remarks = "".join(f"  {remark}\n" for remark in _remarks(text, start, end))
    rest = text[end:]
    return (
        f"{text[:start]}tables:\n{remarks}{written}".rstrip("\n")
        + ("" if rest.startswith("\n") else "\n" if not rest.strip() else "  ")
        + rest.lstrip(" ")
    )


def _entry_lines(name: str, entry: Mapping[str, Any], indent: int, remarks: Sequence[str]) -> list[str]:
    pad, deeper = " " * indent, " " * (indent + 2)
    lines = [f"{pad}{name}:\n", *(f"{deeper}{remark}\n" for remark in remarks)]
    for key, value in entry.items():
        if key in {"columns", "values"} and isinstance(value, Mapping):
            lines.append(f"{deeper}{key}:\n")
            lines += [line for ours, theirs in value.items() for line in _pair_lines(ours, theirs, indent + 4)]
        else:
            lines.append(f"{deeper}{key}: {_flow(value)}\n")
    return lines


def _pair_lines(key: str, value: Any, indent: int) -> list[str]:  # noqa: ANN401 - what stands in a YAML file
    """Write a key on one line; a mapping that is too long for it on several."""
    pad, line = " " * indent, f"{' ' * indent}{_scalar(key)}: {_flow(value)}\n"
    if len(line) <= _WIDEST or not isinstance(value, Mapping):
        return [line]
    return [f"{pad}{_scalar(key)}:\n", *(f"{pad}  {_scalar(k)}: {_flow(v)}\n" for k, v in value.items())]


def _flow(value: Any) -> str:  # noqa: ANN401 - what stands in a YAML file
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NO_TEXT:
        return value
    return json.dumps(value, ensure_ascii=False)
