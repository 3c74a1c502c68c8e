"""A table as its file holds it: where its header is, what is no part of it, and nothing converted yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from evalkit.errors import DataError
from evalkit.intake._convert import Broken
from evalkit.intake._spec import TableSpec
from evalkit.protocol import Table
from evalkit.spreadsheet import unseen

LOOKED_THROUGH = 20  # a header line further down than this is not looked for

Line = tuple[int, list[Any]]
"""A row's number, as a spreadsheet shows it, and its cells."""


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as its file holds it."""

    columns: dict[str, list[Any]]  # raw column name to raw values
    rows: list[int]  # row numbers, for messages
    epoch: datetime | None = None  # day zero of serial dates, in a workbook
    sheet: str = ""
    footer: dict[str, list[Any]] = field(default_factory=dict)  # what ``skip_footer`` left out, by raw column name
    footer_rows: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The names that a table's header is to have: our name of the table, and raw names of its columns."""

    name: str
    required: frozenset[str] = frozenset()  # those that must be there
    known: frozenset[str] = frozenset()  # all that we read

    @classmethod
    def of(cls, spec: TableSpec, table: Table) -> Wanted:
        """Return what the protocol and our columns say of a table's header."""
        raw = {column.name: table.raw_name(column.name) for column in spec.columns}
        required = frozenset(raw[column.name] for column in spec.columns if column.required)
        return cls(spec.name, required, frozenset(raw.values()))


def names_in(cells: Iterable[object]) -> set[str]:
    """Return the texts of a line as a header's names are read."""
    return {_name(cell) for cell in cells}


def _name(cell: object) -> str:
    return "".join(c for c in str(cell) if c.isspace() or not unseen(c)).strip()


def header(cells: Iterable[object], where: str) -> list[str]:
    """Return the names in a header line, without what is not seen of them.

    A `DataError` where there is none, a name stands twice, or one is a formula without a value.
    """
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        if isinstance(cell, Broken):
            msg = f"{where}: the name of column {place} {cell.value}; open the file in Excel and save it"
            raise DataError(msg)
        names.append("" if cell is None else _name(cell))
    while names and not names[-1]:
        names.pop()
    if not any(names):
        msg = f"{where} has no header line"
        raise DataError(msg)
    doubled = next((i for i, n in enumerate(names) if n and n in names[:i]), None)
    if doubled is not None:
        # By place: in a file without header line these are not names, but somebody's values.
        first = names.index(names[doubled])
        msg = f"{where}: columns {first + 1} and {doubled + 1} have the same name in the header line"
        raise DataError(msg)
    return names


def check_header(lines: Sequence[Line], wanted: Wanted, where: str) -> None:
    """Refuse a table whose header line seems to stand further down: a `DataError` that names the line.

    So it seems where none of the wanted names stands in the first line, and two or more do in one of the next.
    """
    if names_in(lines[0][1]) & wanted.known:
        return
    for number, cells in lines[1:LOOKED_THROUGH]:
        if len(names_in(cells) & wanted.known) > 1:
            msg = f"{where}: row {number} looks like its header line; say skip_rows: {number - 1} in the protocol"
            raise DataError(msg)


def assembled(
    lines: Sequence[Line], where: str, *, footer: Sequence[Line] = (), epoch: datetime | None = None, sheet: str = ""
) -> RawTable:
    """Return the table that a header line and the rows below it make; each row has at least the header's cells.

    A `DataError` where there is no header line.
    """
    names = header(lines[0][1], where)

    def columns(rows: Sequence[Line]) -> dict[str, list[Any]]:
        return {
            name: [cells[place] if place < len(cells) else None for _, cells in rows]
            for place, name in enumerate(names)
            if name
        }

    numbers, left_out = [number for number, _ in lines[1:]], [number for number, _ in footer]
    return RawTable(columns(lines[1:]), numbers, epoch, sheet, columns(footer), left_out)
