"""The data dictionary, generated from what reading and checking use, so that it cannot lag behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from evalkit.intake._spec import TABLE_NAMES, ColumnSpec, exit_effects, table_spec
from evalkit.protocol import Rules, Study, Table

_KINDS = {
    "identifier": "identifier",
    "date": "date",
    "number": "number",
    "text": "text",
    "yes_no": "yes or no",
}


def dictionary(study: Study) -> str:
    """Return a study's data dictionary.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str
        Markdown: arms, one section per table (its columns, where they come from, what they may hold), and
        every number of the study's rules.

    Examples
    --------
    >>> from evalkit.protocol import Study
    >>> arms = {"focus": {"value": "a", "label": "Pilot"}, "comparison": {"value": "b", "label": "PAIP"}}
    >>> tables = {"participants": {"path": "p.csv"}}
    >>> study = Study(id="x", title="X", starts="2022-01-01", arms=arms, tables=tables)
    >>> print(dictionary(study).splitlines()[0])
    # Data dictionary of X
    """
    parts = [f"# Data dictionary of {_plain(study.title)}", _arms(study)]
    parts += [_table(study, name) for name in TABLE_NAMES]
    parts += [_rules(study), _harm(study)]
    return "\n\n".join(parts) + "\n"


def _plain(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def _grid(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _arms(study: Study) -> str:
    arms = study.arms
    rows = [
        (f"`{arms.focus.value}`", arms.focus.label, "the group the study is about"),
        (f"`{arms.comparison.value}`", arms.comparison.label, "the group it is compared with"),
    ]
    first = f"The study starts on {study.starts.isoformat()}. Column `{arms.column}` of `participants` says the arm."
    return f"{first}\n\n{_grid(['value', 'name in reports', 'role'], rows)}"


def _table(study: Study, name: str) -> str:
    spec = table_spec(study, name)
    raw = next((table for key, table in study.tables.items() if key == name), None)
    head = f"## {name}\n\nOne row is {spec.meaning}."
    if raw is None:
        return f"{head} This table is not part of this study."
    rows = [_column(column, raw) for column in spec.columns]
    header = ["column", "in the raw table", "type", "must be there", "values", "meaning"]
    return f"{head} Source: {_source(name, raw)}.\n\n{_grid(header, rows)}"


def _source(name: str, raw: Table) -> str:
    if raw.path is None:
        return f"table `{raw.table or name}` of the study's database"
    said = [f"file `{raw.path}`"]
    if raw.table:
        said.append(f"table or sheet `{raw.table}`")
    if raw.date_format:
        said.append(f"dates as `{raw.date_format}`")
    said += [f"`{name}` as `{form}`" for name, form in raw.date_formats.items()]
    if raw.encoding != "utf-8":
        said.append(f"encoding {raw.encoding}")
    return ", ".join(said)


def _column(column: ColumnSpec, raw: Table) -> tuple[str, ...]:
    must = "every row" if column.filled else "column" if column.required else "no"
    kind = f"{_KINDS[column.kind]}{f' ({column.unit})' if column.unit else ''}"
    their_name = raw.columns.get(column.name, column.name)
    return (f"`{column.name}`", f"`{their_name}`", kind, must, _values(column, raw), column.meaning)


def _values(column: ColumnSpec, raw: Table) -> str:
    said = []
    if column.allowed is not None:
        said.append(", ".join(f"`{value}`" for value in column.allowed))
    if column.minimum is not None or column.maximum is not None:
        low = "" if column.minimum is None else f"{column.minimum:g}"
        high = "" if column.maximum is None else f"{column.maximum:g}"
        said.append(f"{low} to {high}" if low and high else f"{low} or more" if low else f"{high} or less")
    mapped = raw.values.get(column.name, {})
    if mapped:
        said.append("read as: " + ", ".join(f"`{old}` is `{new}`" for old, new in mapped.items()))
    return "; ".join(said)


def _rules(study: Study) -> str:
    rows = list(_fields(study.rules, ""))
    return "## Rules\n\nThe numbers of the study's definitions.\n\n" + _grid(["rule", "value", "meaning"], rows)


def _harm(study: Study) -> str:
    rows = list(_fields(study.harm, ""))
    return "## Harm\n\nWhich outcomes are events.\n\n" + _grid(["field", "value", "meaning"], rows)


def _fields(model: BaseModel, prefix: str) -> Iterable[tuple[str, str, str]]:
    for name, info in type(model).model_fields.items():
        value: Any = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _fields(value, f"{prefix}{name}.")
        elif isinstance(value, dict):
            value = exit_effects(model) if isinstance(model, Rules) else value
            said = ", ".join(f"{key}: {what}" for key, what in value.items())
            yield f"`{prefix}{name}`", said, info.description or ""
        elif value != "":
            said = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            yield f"`{prefix}{name}`", said, info.description or ""
