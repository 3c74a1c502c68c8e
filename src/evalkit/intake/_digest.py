"""Digests of raw tables: whether the data a report is made from are the data it was made from."""

from __future__ import annotations

__all__ = ["table_digests"]

import hashlib

import ibis.expr.types as ir

from evalkit.errors import DataError
from evalkit.intake._clean import clean_errors
from evalkit.intake._database import connect, raw_table
from evalkit.intake._files import sha256
from evalkit.intake._spec import TABLE_NAMES
from evalkit.protocol import Study


def table_digests(study: Study) -> dict[str, str]:
    """Return the digest of each of a study's raw tables as it is now.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict
        Table: 64 hexadecimal digits. Of the file where there is one; of the rows, in any order, in a database.

    Raises
    ------
    DataError
        If a file or the database cannot be read.
    ProtocolError
        If an environment variable of the database's URL is not set.
    """
    names = [name for name in TABLE_NAMES if name in study.tables]
    if study.database is None:
        return {name: _of_file(study, name) for name in names}
    backend = connect(study)
    try:
        return {name: _of_rows(raw_table(backend, study.tables[name], name), name) for name in names}
    finally:
        backend.disconnect()


def _of_file(study: Study, name: str) -> str:
    file = study.folder / (study.tables[name].path or "")  # type: ignore[index]
    try:
        return sha256(file)
    except OSError as error:
        msg = f"{name}: file {file.name} cannot be read ({error.strerror})"
        raise DataError(msg) from None


def _of_rows(table: ir.Table, name: str) -> str:
    """Add up the digests of the rows: a database gives them in any order."""
    total = 0
    with clean_errors(name):
        columns = sorted(table.columns)
        for batch in table.select(columns).to_pyarrow_batches():
            lists = [column.to_pylist() for column in batch.columns]
            for row in zip(*lists, strict=True):
                total += int.from_bytes(hashlib.sha256(repr(row).encode()).digest())
    return hashlib.sha256(f"{columns}|{total:x}".encode()).hexdigest()
