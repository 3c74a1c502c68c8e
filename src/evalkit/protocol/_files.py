"""Reading protocol files: YAML in, models out, one clear line when something is wrong."""

from __future__ import annotations

import re
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from evalkit.errors import ProtocolError, did_you_mean
from evalkit.protocol._disclosure import Disclosure
from evalkit.protocol._report import ReportParams
from evalkit.protocol._study import Baselines, Study

M = TypeVar("M", bound=BaseModel)


_LONGEST, _MOST_VALUES = 1_000_000, 100_000


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe YAML in which a key that stands twice is an error, not the last one wins."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, list | dict):
            continue
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"key '{_named(key)}' stands twice", key_node.start_mark
            )
        seen.add(key)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    dict

    Raises
    ------
    ProtocolError
        If the file is missing, too long, not YAML, holds a key twice or is no mapping.
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
    if len(text) > _LONGEST:
        msg = f"{path}: is too long for a protocol file ({len(text):,} characters)"
        raise ProtocolError(msg)
    try:
        content = _loaded(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        msg = f"{path}{where}: is not valid YAML ({getattr(error, 'problem', None) or 'unreadable'})"
        raise ProtocolError(msg) from None
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError):
        # A day that is none, a number without end, brackets without end; the message would quote it.
        msg = f"{path}: holds a value that YAML cannot read as what it looks like; put it in quotes"
        raise ProtocolError(msg) from None
    if not isinstance(content, dict):
        msg = f"{path}: the top level must be a mapping of keys to values"
        raise ProtocolError(msg)
    return content


def _loaded(text: str) -> Any:  # noqa: ANN401 - whatever stands in it
    """Load safe YAML; aliases may not blow a short file up."""
    loader = _UniqueKeyLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > _MOST_VALUES:
            msg = "its aliases stand for too many values"
            raise yaml.constructor.ConstructorError(None, None, msg, node.start_mark)
        return loader.construct_document(node)
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


def _models_in(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return [m for a in typing.get_args(annotation) for m in _models_in(a)]
    return []


def _named(part: object) -> str:
    """Return a key as it may be shown: something else that stands in a key's place may be a secret or a value."""
    text = str(part)
    return text if re.fullmatch(r"[\w .-]{1,64}", text) else "…"


def _explain(model: type[BaseModel], error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    location = tuple(error["loc"])
    key = ".".join(_named(part) for part in location if part != "[key]") or "top level"
    if error["type"] == "extra_forbidden":
        known = _fields_at(model, location[:-1])
        return f"unknown key '{key}'{did_you_mean(_named(location[-1]), known)}"
    if error["type"] == "missing":
        return f"key '{key}' is missing"
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "literal_error" and isinstance(error.get("input"), str):
        allowed = [w.strip("'") for w in str(error["ctx"]["expected"]).replace(" or ", ", ").split(", ")]
        message += did_you_mean(error["input"], allowed)
    return f"key '{key}': {message[:1].lower()}{message[1:]}"


def validate(model: type[M], content: dict[str, Any], where: str) -> M:
    """Hold a mapping to a model.

    Parameters
    ----------
    model : type of pydantic.BaseModel
    content : dict
    where : str
        The file (or option), for the message.

    Returns
    -------
    model instance

    Raises
    ------
    ProtocolError
        One line: file, every key that is wrong, why, and a did-you-mean.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = [_explain(model, e) for e in error.errors(include_url=False)]
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
