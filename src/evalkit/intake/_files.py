"""Reading files: CSV as text, Excel cells as they are, Parquet and DuckDB files as typed."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from evalkit.errors import DataError, ProtocolError, did_you_mean
from evalkit.protocol import Table

_ADDRESS = re.compile(r"^\s*[A-Za-z][A-Za-z0-9+.-]+:/{1,2}[^/]")
SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".xlsm", ".duckdb", ".db")
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as its file holds it.

    Attributes
    ----------
    columns : dict of str to list
        Raw column name to raw values.
    rows : list of int
        Row numbers, for messages.
    epoch : datetime.datetime or None
        Day zero of serial dates, in an Excel file.
    """

    columns: dict[str, list[Any]]
    rows: list[int]
    epoch: datetime | None = None


def sha256(path: Path) -> str:
    """Return a file's SHA-256.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_file(path: Path, table: Table, name: str) -> RawTable:
    """Read one table's file.

    Parameters
    ----------
    path : pathlib.Path
    table : Table
        What the protocol says of it.
    name : str
        Our name of the table, for messages and as the default table of a DuckDB file.

    Returns
    -------
    RawTable

    Raises
    ------
    DataError
        If the file is missing, of an unknown kind or cannot be read.
    """
    if _ADDRESS.search(str(table.path)):  # it may hold a password: it is not said again
        msg = (
            f"{name}: its path is the address of a database; write it in the protocol's `database:`, and `table:` here"
        )
        raise DataError(msg)
    if not path.is_file():
        near = did_you_mean(path.name, (p.name for p in path.parent.glob("*"))) if path.parent.is_dir() else ""
        msg = f"{name}: file {path} is not there{near}"
        raise DataError(msg)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        msg = f"{name}: file {path.name} is of an unknown kind; known are {', '.join(SUFFIXES)}"
        raise DataError(msg)
    where = f"{name}: file {path.name}"
    try:
        if suffix in {".parquet"}:
            return _parquet(path)
        if suffix in {".duckdb", ".db"}:
            return _duckdb(path, table.table or name, where)
        if suffix in {".xlsx", ".xlsm"}:
            return _excel(path, table.table, where)
        return _csv(path, table, where)
    except OSError as error:
        # The reason only: some readers put the file's content into their messages.
        msg = f"{where} cannot be read ({error.strerror or type(error).__name__})"
        raise DataError(msg) from None
    except (pa.ArrowException, duckdb.Error, zipfile.BadZipFile, KeyError, EOFError, SyntaxError) as error:
        msg = f"{where} is damaged, or not what its name says ({type(error).__name__})"
        raise DataError(msg) from None


def _header(cells: Iterable[object], where: str) -> list[str]:
    names = ["" if cell is None else str(cell).strip() for cell in cells]
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


def _collect(names: list[str], rows: list[tuple[int, list[Any]]], epoch: datetime | None = None) -> RawTable:
    columns: dict[str, list[Any]] = {}
    for position, name in enumerate(names):
        if name:
            columns[name] = [cells[position] for _, cells in rows]
    return RawTable(columns, [number for number, _ in rows], epoch)


def _decode(path: Path, encoding: str, where: str) -> str:
    try:
        codec = codecs.lookup(encoding).name
    except LookupError:
        near = did_you_mean(encoding, ["utf-8", "utf-16", "latin-1", "windows-1252"])
        msg = f"{where}: the protocol's encoding '{encoding}' is not known{near}"
        raise ProtocolError(msg) from None
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig" if codec == "utf-8" else codec)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        hint = "say its encoding in the protocol, for example windows-1252"
        msg = f"{where} is not {encoding} text (line {line}); {hint}"
        raise DataError(msg) from None
    if codec != "utf-8" and not codec.startswith("utf-") and not content.isascii() and _is_utf8(content):
        msg = f"{where} is UTF-8 text, but the protocol says {encoding}; leave its encoding out"
        raise DataError(msg)
    if "\0" in text:
        msg = f"{where} holds NUL characters: it is not {encoding} text"
        raise DataError(msg)
    return text


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _csv(path: Path, table: Table, where: str) -> RawTable:
    text = _decode(path, table.encoding, where)
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = table.delimiter or max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] | None = None
    rows: list[tuple[int, list[Any]]] = []
    ragged: list[int] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if names is None:
                names = _header(cells, where)
                continue
            extra = cells[len(names) :]
            if len(cells) < len(names) or any(cell.strip() for cell in extra):
                ragged.append(reader.line_num)
            else:
                rows.append((reader.line_num, cells))
    except csv.Error:
        msg = f"{where}: line {reader.line_num} is not CSV (a quote that does not close, or a field without end)"
        raise DataError(msg) from None
    if names is None:
        msg = f"{where} is empty"
        raise DataError(msg)
    if ragged:
        shown = ", ".join(map(str, ragged[:5]))
        msg = f"{where}: {len(ragged)} line(s) have another number of columns than the header (line {shown})"
        raise DataError(msg)
    return _collect(names, rows)


def _excel(path: Path, sheet: str | None, where: str) -> RawTable:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl on styles and extensions that do not matter here
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        chosen = sheet or book.sheetnames[0]
        if chosen not in book.sheetnames:
            msg = f"{where} has no sheet '{chosen}'{did_you_mean(chosen, book.sheetnames)}"
            raise DataError(msg)
        lines = [list(cells) for cells in book[chosen].iter_rows(values_only=True)]
        epoch = book.epoch
    finally:
        book.close()
    filled = [(i, c) for i, c in enumerate(lines, start=1) if any(cell is not None for cell in c)]
    if not filled:
        msg = f"{where} is empty"
        raise DataError(msg)
    names = _header(filled[0][1], where)
    width = len(names)
    rows = [(i, (c + [None] * width)[:width]) for i, c in filled[1:]]
    return _collect(names, rows, epoch)


def _parquet(path: Path) -> RawTable:
    return _arrow(pq.read_table(path))


def _duckdb(path: Path, table: str, where: str) -> RawTable:
    with duckdb.connect(str(path), read_only=True) as connection:
        known = [
            row[0]
            for row in connection.execute(
                "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views() WHERE NOT internal"
            ).fetchall()
        ]
        if table not in known:
            msg = f"{where} has no table '{table}'{did_you_mean(table, known)}"
            raise DataError(msg)
        quoted = table.replace('"', '""')
        return _arrow(connection.execute(f'SELECT * FROM "{quoted}"').to_arrow_table())  # noqa: S608 - a known name


def _arrow(table: pa.Table) -> RawTable:
    names = _header(table.column_names, "file")
    columns = {name: table.column(i).to_pylist() for i, name in enumerate(names) if name}
    return RawTable(columns, list(range(1, table.num_rows + 1)))
