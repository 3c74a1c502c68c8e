"""Digests of raw tables: whether the data a report is made from are the data it was made from."""

from __future__ import annotations

__all__ = ["known_digests", "table_digests"]

import hashlib
from datetime import date

import ibis
import ibis.expr.types as ir

from evalkit.errors import DataError
from evalkit.intake._clean import clean_errors
from evalkit.intake._database import connect, raw_table
from evalkit.intake._files import sha256
from evalkit.intake._open import open_data
from evalkit.intake._read import ROW
from evalkit.intake._spec import TABLE_NAMES, table_spec
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


def known_digests(study: Study, cut: date) -> dict[str, str]:
    """Return the digest of everything in each table that a report with a data cut may look at.

    Rows dated and recorded up to the cut, with those retracted since for the restatements; what is dated later is
    missing in them. A newer extract that only adds to what came after the cut gives the same digests, in any order of
    its rows.

    Parameters
    ----------
    study : Study
    cut : datetime.date

    Returns
    -------
    dict
        Table: 64 hexadecimal digits.

    Raises
    ------
    DataError
        If the data cannot be opened.
    """
    with open_data(study) as data:
        found = {name: _of_rows(_known(study, name, table, cut), name) for name, table in data.tables.items()}
        synthetic = hashlib.sha256(str(data.synthetic).encode()).hexdigest()
    return {**found, "synthetic": synthetic}


def _known(study: Study, name: str, table: ir.Table, cut: date) -> ir.Table:
    spec, last, nothing = table_spec(study, name), ibis.literal(cut), ibis.null().cast("date")
    past = table.filter(table[spec.event_date] <= last, table.recorded_on.fill_null(last) <= last)
    later = ["retracted_on", *(("intake_date", "outcome_follow_up_end") if name == "participants" else ())]
    past = past.mutate(**{column: (past[column] > last).ifelse(nothing, past[column]) for column in later})
    return past.select(*(column for column in past.columns if column != ROW))


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
