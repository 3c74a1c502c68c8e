"""Reading files: CSV as text, Excel cells as they are, Parquet and DuckDB files as typed."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from evalkit.errors import DataError, EvalkitError, did_you_mean
from evalkit.intake._csv import read_csv
from evalkit.intake._raw import RawTable, Wanted, header
from evalkit.intake._workbook import read_workbook
from evalkit.protocol import Table

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".xlsm", ".duckdb", ".db")
_WITH_LINES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
SEALED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
}
"""Settings of a DuckDB that reads one file and nothing else."""


def sha256(path: Path) -> str:
    """Return a file's SHA-256, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def of_several(digests: list[str]) -> str:
    """Return a table's digest: that of its file, or one of the digests of all its files in their order."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def read_file(path: Path, table: Table, wanted: Wanted) -> RawTable:
    """Read one table's file; the default table of a DuckDB file is the one that has our name.

    A `DataError` where it is missing, of an unknown kind, or cannot be read.
    """
    _check_path(path, table, wanted.name)
    suffix, where = path.suffix.lower(), f"{wanted.name}: file {path.name}"
    try:
        if suffix == ".parquet":
            return _parquet(path, wanted, where)
        if suffix in {".duckdb", ".db"}:
            return _duckdb(path, table.table or wanted.name, where)
        if suffix in {".xlsx", ".xlsm"}:
            return read_workbook(path, table, wanted, where)
        return read_csv(path, table, wanted, where)
    except EvalkitError:
        raise
    except OSError as error:
        # The reason only: some readers put the file's content into their messages.
        msg = f"{where} cannot be read ({error.strerror or type(error).__name__})"
    except duckdb.IOException as error:
        locked = "lock" in str(error)
        msg = f"{where} is open in another program; close it there" if locked else _damaged(where, error)
    except BaseException as error:
        # Whatever a reader makes of a broken file is a finding of this table: the others are still read. What the
        # reader in Rust gives up with is no Exception.
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        msg = _damaged(where, error)
    raise DataError(msg)


def _check_path(path: Path, table: Table, name: str) -> None:
    """Refuse what is no file, or none that can be read as the protocol says."""
    if path.is_dir() or (path.exists() and not path.is_file()):
        msg = f"{name}: {path} is a folder or a device, no file; say the file itself"
        raise DataError(msg)
    if not path.is_file():
        near = did_you_mean(path.name, (p.name for p in path.parent.glob("*"))) if path.parent.is_dir() else ""
        msg = f"{name}: file {path} is not there{near}"
        raise DataError(msg)
    suffix = path.suffix.lower()
    if suffix == ".xls":
        msg = f"{name}: file {path.name} is a file of an old Excel; save it as .xlsx"
        raise DataError(msg)
    if suffix not in SUFFIXES:
        msg = f"{name}: file {path.name} is of an unknown kind; known are {', '.join(SUFFIXES)}"
        raise DataError(msg)
    if (table.skip_rows or table.skip_footer) and suffix not in _WITH_LINES:
        msg = f"{name}: file {path.name} has no lines to skip; leave skip_rows and skip_footer out"
        raise DataError(msg)


def _damaged(where: str, error: BaseException) -> str:
    return f"{where} is damaged, or not what its name says ({type(error).__name__})"


def _parquet(path: Path, wanted: Wanted, where: str) -> RawTable:
    file = pq.ParquetFile(path)
    for place in range(len(file.schema)):
        column = file.schema.column(place)
        if column.physical_type == "INT96" and column.name in wanted.known:
            # Spark writes moments in UTC in this form, others the clock on the wall; the file does not say which.
            msg = f"{where}: column '{column.name}' holds times of the old kind INT96; write days, or times with a zone"
            raise DataError(msg)
    return _arrow(file.read(), where)


def _duckdb(path: Path, table: str, where: str) -> RawTable:
    log = path.with_name(f"{path.name}.wal")
    if log.exists() and log.stat().st_size:
        # What was written last stands in there: a copy, or a digest, of the file alone is another table.
        msg = (
            f"{where} was not closed: its last rows are in {log.name}; close it where it is written, or run CHECKPOINT"
        )
        raise DataError(msg)
    # A file may hold views, which can read any other file and do so on the machine's own clock and settings.
    with duckdb.connect(str(path), read_only=True, config=SEALED) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        tables = connection.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
        views = connection.execute("SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        schema, _, name = table.rpartition(".")
        place = (schema or "main", name)
        if place in views:
            msg = f"{where}: '{table}' is a view, which may read other files; store its rows as a table"
            raise DataError(msg)
        if place not in tables:
            known = [n if s == "main" else f"{s}.{n}" for s, n in tables]
            msg = f"{where} has no table '{table}'{did_you_mean(table, known)}"
            raise DataError(msg)
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in place)
        return _arrow(connection.execute(f"SELECT * FROM {quoted}").to_arrow_table(), where)  # noqa: S608 - a known name


def _arrow(table: pa.Table, where: str) -> RawTable:
    names = header(table.column_names, where)
    columns = {name: _values(table.column(i)) for i, name in enumerate(names) if name}
    return RawTable(columns, list(range(1, table.num_rows + 1)))


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column's values; a time keeps its moment, whatever zone the file names it in."""
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = column.cast(pa.timestamp(column.type.unit, "UTC"))
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):  # a day that Python does not know, such as infinity
        return [_value(cell) for cell in column]


def _value(cell: pa.Scalar) -> Any:  # noqa: ANN401 - whatever stands in it
    try:
        return cell.as_py()
    except (OverflowError, ValueError):
        return math.inf  # which nothing can be read from
