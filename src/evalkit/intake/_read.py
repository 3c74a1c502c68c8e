"""From a raw table to ours: the columns we know, of the types we say, each problem counted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from evalkit.errors import ProtocolError, did_you_mean
from evalkit.intake._convert import NO, TEXTS, TYPES, YES, Reading, as_text, check_date_format, convert
from evalkit.intake._files import RawTable
from evalkit.intake._findings import Finding, finding
from evalkit.intake._spec import ColumnSpec, TableSpec
from evalkit.protocol import Table

_NAME = re.compile(r"[^\W\d][\w .()/-]{0,60}")

ROW = "_row"
"""Column of our tables that holds the raw row number."""


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A table in our columns and types.

    Attributes
    ----------
    data : pyarrow.Table
        Our columns, every one of the specification present, and the row number.
    absent : tuple of str
        Optional columns that the raw table does not have.
    synthetic : bool
        Whether the raw table says that it is synthetic.
    findings : tuple of Finding
        What could not be read.
    """

    data: pa.Table
    absent: tuple[str, ...]
    synthetic: bool
    findings: tuple[Finding, ...]


def check_mapping(spec: TableSpec, table: Table) -> None:
    """Refuse a mapping that names columns we do not know.

    Parameters
    ----------
    spec : TableSpec
    table : Table

    Raises
    ------
    ProtocolError
        Naming the key, with a did-you-mean.
    """
    known: dict[str, tuple[Iterable[str], tuple[str, ...]]] = {
        "columns": (table.columns, (*spec.names, "synthetic")),
        "values": (table.values, spec.names),
        "date_formats": (table.date_formats, spec.dates),
    }
    for key, (names, allowed) in known.items():
        for name in names:
            if name not in allowed:
                what = "date columns" if key == "date_formats" else "columns"
                near = did_you_mean(name, allowed)
                msg = f"tables.{spec.name}.{key}: '{name}' is not one of our {what}{near}"
                raise ProtocolError(msg)
    for name, form in table.date_formats.items():
        check_date_format(form, f"tables.{spec.name}.date_formats.{name}")
    if table.date_format is not None:
        check_date_format(table.date_format, f"tables.{spec.name}.date_format")


def missing_columns(spec: TableSpec, table: Table, raw_names: Iterable[str]) -> list[Finding]:
    """Return a finding per column that ought to be there and is not.

    Parameters
    ----------
    spec : TableSpec
    table : Table
    raw_names : iterable of str
        Columns of the raw table.

    Returns
    -------
    list of Finding
    """
    names = list(raw_names)
    required = [table.columns.get(c.name, c.name) for c in spec.columns if c.required]
    if not set(required) & set(names):
        # No suggestion: what looks like names may be somebody's values.
        text = f"none of the columns {', '.join(required)} is there: is the first line the header?"
        return [Finding(spec.name, "", "missing_column", "error", 0, (), text)]
    found = []
    for column in spec.columns:
        raw = table.columns.get(column.name, column.name)
        if raw in names or not (column.required or column.name in table.columns):
            continue
        near = did_you_mean(raw, (name for name in names if _NAME.fullmatch(name)))
        text = f"column '{raw}' is missing{near}"
        found.append(Finding(spec.name, column.name, "missing_column", "error", 0, (), text))
    return found


def read_table(spec: TableSpec, table: Table, raw: RawTable) -> ReadTable:
    """Read a raw table's columns.

    Parameters
    ----------
    spec : TableSpec
    table : Table
    raw : RawTable

    Returns
    -------
    ReadTable
    """
    findings = missing_columns(spec, table, raw.columns)
    arrays: dict[str, pa.Array] = {ROW: pa.array(raw.rows, pa.int64())}
    absent = []
    for column in spec.columns:
        name = table.columns.get(column.name, column.name)
        if name not in raw.columns:
            absent.append(column.name)
            arrays[column.name] = pa.nulls(len(raw.rows), TYPES[column.kind])
            continue
        arrays[column.name], problem = _column(spec.name, column, table, raw, name)
        findings += problem
    flag = raw.columns.get(table.columns.get("synthetic", "synthetic"), [])
    return ReadTable(pa.table(arrays), tuple(absent), any(map(_true, flag)), tuple(findings))


def _column(where: str, column: ColumnSpec, table: Table, raw: RawTable, name: str) -> tuple[pa.Array, list[Finding]]:
    form = table.date_formats.get(column.name, table.date_format)
    how = Reading(column.kind, table.values.get(column.name, {}), form, raw.epoch)
    values, unreadable = convert(raw.columns[name], how)
    array = pa.array(values, TYPES[column.kind])
    if not unreadable:
        return array, []
    text = TEXTS[column.kind]
    if column.kind == "date":
        text += f" in the form {form or 'YYYY-MM-DD'}, from 1900 to 2199"
    rows = [raw.rows[position] for position in unreadable]
    return array, [finding(where, column.name, f"unreadable_{column.kind}", "error", rows, text)]


def _true(value: object) -> bool:
    if isinstance(value, str | bool | int | float):
        text = (as_text(value) or "no").lower()
        return text in YES and text not in NO
    return False
