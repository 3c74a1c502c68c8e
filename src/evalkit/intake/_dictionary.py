"""The data dictionary, generated from what reading and checking use, so that it cannot lag behind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from evalkit.intake._spec import ColumnSpec, exit_effects, table_spec
from evalkit.markup import code, heading, markdown, paragraphs
from evalkit.markup import table as grid
from evalkit.protocol import TABLE_NAMES, Rules, Study, Table
from evalkit.words import translated, words

_KINDS = {
    "identifier": "identifier",
    "date": "date",
    "number": "number",
    "text": "text",
    "yes_no": "yes or no",
}
_SAID = frozenset(map(code, ("label", "helpline", "model_arm")))
"""Of a protocol's keys, those whose values reports print."""


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
    parts = [heading(words("Data dictionary of {title}", title=study.title)), _arms(study)]
    parts += [_table(study, name) for name in TABLE_NAMES]
    parts += [_rules(study), _harm(study)]
    return markdown(paragraphs(*parts)) + "\n"


def _arms(study: Study) -> str:
    arms = study.arms
    rows = [
        (code(arms.focus.value), arms.focus.label, "the group the study is about"),
        (code(arms.comparison.value), arms.comparison.label, "the group it is compared with"),
    ]
    first = words(
        "The study starts on {day}. Column {column} of {table} says the arm.",
        day=study.starts.isoformat(), column=code(arms.column), table=code("participants"),
    )  # fmt: skip
    limits = [
        words(
            "Of {group} only people for whom {condition}; where nobody has a value in a column it limits nobody.",
            group=arm.label, condition=arm.condition_words,
        )
        for arm in (arms.focus, arms.comparison)
        if arm.where
    ]  # fmt: skip
    return paragraphs(first, _grid(["value", "name in reports", "role"], rows), *limits)


def _table(study: Study, name: str) -> str:
    spec = table_spec(study, name)
    raw = next((table for key, table in study.tables.items() if key == name), None)
    head, row = heading(name, 2), words("One row is {meaning}.", meaning=spec.meaning)
    if raw is None:
        return paragraphs(head, f"{row} {words('This table is not part of this study.')}")
    ignored = study.ignore.get(name, {})  # type: ignore[call-overload]
    # Where no mandate sets the groups apart, nobody need look for one in the export.
    told = [c for c in spec.columns if c.name != "mandate" or study.comparison.assignment == "mandate"]
    rows = [_column(column, raw, ignored.get(column.name, [])) for column in told]
    header = ["column", "in the raw table", "type", "must be there", "values", "meaning"]
    source = words("Source: {source}.", source=_source(name, raw))
    return paragraphs(head, f"{row} {source}", _grid(header, rows))


def _grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with headings and cells in the language in force."""
    return grid([*map(translated, header)], [[*map(translated, row)] for row in rows])


def _settings(header: Sequence[str], rows: Iterable[tuple[str, str, str]]) -> str:
    """Return the same of what the protocol sets: its values are those that stand in files, in every language."""
    said = [(key, _set(key, value), translated(meaning)) for key, value, meaning in rows]
    return grid([*map(translated, header)], said)


def _set(key: str, value: str) -> str:
    if key in _SAID:
        return translated(value)
    return value if re.fullmatch(r"[\d., ]*", value) else code(value)


def _source(name: str, raw: Table) -> str:
    if not raw.paths:
        return words("table {name} of the study's database", name=code(raw.table or name))
    said = [
        words("file {name}", name=code(raw.paths[0]))
        if len(raw.paths) == 1
        else words("files {names}", names=", ".join(map(code, raw.paths)))
    ]
    if raw.sheets:
        said.append(words("sheet {name}", name=", ".join(map(code, raw.sheets))))
    if raw.table:
        said.append(words("table or sheet {name}", name=code(raw.table)))
    if raw.date_format:
        said.append(words("dates as {form}", form=code(raw.date_format)))
    said += [words("{name} as {form}", name=code(name), form=code(form)) for name, form in raw.date_formats.items()]
    if raw.encoding != "utf-8":
        said.append(words("encoding {name}", name=raw.encoding))
    return ", ".join(said)


def _column(column: ColumnSpec, raw: Table, ignored: Sequence[str]) -> tuple[str, ...]:
    must = "every row" if column.filled else "column" if column.required else "no"
    kind = f"{translated(_KINDS[column.kind])}{f' ({translated(column.unit)})' if column.unit else ''}"
    return (code(column.name), _theirs(column.name, raw), kind, must, _values(column, raw, ignored), column.meaning)


def _theirs(name: str, raw: Table) -> str:
    """Return what a column is called in the raw table, and how ours is made from it."""
    column, made = code(raw.raw_name(name)), raw.made_from(name)
    if made is not None and made.divide is not None:
        return words("{column}, divided by {number}", column=column, number=f"{made.divide:g}")
    if made is not None and made.years_to is not None:
        return words("whole years from {column} to {day}", column=column, day=code(made.years_to))
    return column


def _values(column: ColumnSpec, raw: Table, ignored: Sequence[str]) -> str:
    said = []
    if column.allowed is not None:
        said.append(", ".join(map(code, column.allowed)))
    if column.minimum is not None or column.maximum is not None:
        low = "" if column.minimum is None else f"{column.minimum:g}"
        high = "" if column.maximum is None else f"{column.maximum:g}"
        key = "{low} to {high}" if low and high else "{low} or more" if low else "{high} or less"
        said.append(words(key, low=low, high=high))
    mapped = raw.values.get(column.name, {})
    if mapped:
        pairs = (words("{old} is {new}", old=code(old), new=code(new)) for old, new in mapped.items())
        said.append(words("read as: {values}", values=", ".join(pairs)))
    if ignored:
        said.append(words("kept out: {values}", values=", ".join(map(code, ignored))))
    return "; ".join(said)


def _rules(study: Study) -> str:
    rows = list(_fields(study.rules, ""))
    lead = words("The numbers of the study\u2019s definitions.")
    return paragraphs(heading(translated("Rules"), 2), lead, _settings(["rule", "value", "meaning"], rows))


def _harm(study: Study) -> str:
    rows = list(_fields(study.harm, ""))
    lead = words("Which outcomes are events.")
    return paragraphs(heading(translated("Harm"), 2), lead, _settings(["field", "value", "meaning"], rows))


def _fields(model: BaseModel, prefix: str) -> Iterable[tuple[str, str, str]]:
    for name, info in type(model).model_fields.items():
        value: Any = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _fields(value, f"{prefix}{name}.")
        elif isinstance(value, dict):
            # Also the reasons that the protocol leaves out: they have their effect all the same.
            value = exit_effects(model) if isinstance(model, Rules) and name == "exits" else value
            said = ", ".join(f"{key}: {what}" for key, what in value.items())
            yield code(f"{prefix}{name}"), said, info.description or ""
        elif value not in ("", None):
            said = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            yield code(f"{prefix}{name}"), said, info.description or ""
