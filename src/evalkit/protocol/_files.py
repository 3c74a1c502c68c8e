"""Reading protocol files: YAML in, models out, one clear line when something is wrong."""

from __future__ import annotations

import re
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from evalkit.errors import ProtocolError, did_you_mean
from evalkit.protocol._disclosure import Disclosure
from evalkit.protocol._report import Baselines, ReportParams
from evalkit.protocol._study import Study
from evalkit.protocol._yaml import named, read_yaml

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
