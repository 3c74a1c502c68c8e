"""Digests of raw tables: whether the data a report is made from are the data it was made from."""

from __future__ import annotations

__all__ = ["KnownDigests", "known_digests", "table_digests"]

import contextlib
import hashlib
from dataclasses import dataclass, field
from datetime import date

import ibis
import ibis.expr.types as ir

from evalkit.errors import DataError
from evalkit.intake._data import StudyData
from evalkit.intake._database import connect, raw_table
from evalkit.intake._files import of_several, sha256
from evalkit.intake._findings import clean_errors
from evalkit.intake._open import open_data
from evalkit.intake._read import ROW, parts_of
from evalkit.intake._spec import table_spec
from evalkit.protocol import TABLE_NAMES, Study


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
        return {name: _of_rows(raw_table(backend, study.tables[name], name, own=True), name) for name in names}
    finally:
        backend.disconnect()


def known_digests(study: Study, cut: date, opened: StudyData | None = None) -> dict[str, str]:
    """Return the digest of everything in each table that a report with a data cut may look at.

    Rows dated and recorded up to the cut, with those retracted since for the restatements; what is dated later is
    missing in them. A newer extract that only adds to what came after the cut gives the same digests, in any order of
    its rows.

    Parameters
    ----------
    study : Study
    cut : datetime.date
    opened : StudyData, optional
        The study's tables where they are open already; they stay open.

    Returns
    -------
    dict
        Table: 64 hexadecimal digits.

    Raises
    ------
    DataError
        If the data cannot be opened.
    """
    with open_data(study) if opened is None else contextlib.nullcontext(opened) as data:
        found = {name: _of_rows(_known(study, name, table, cut), name) for name, table in data.tables.items()}
        # It is printed on every page, so a release depends on it as on a table.
        synthetic = hashlib.sha256(str(data.synthetic).encode()).hexdigest()
    return {**found, "synthetic": synthetic}


@dataclass(frozen=True, eq=False)
class KnownDigests:
    """Asks for `known_digests` of one cut when it is called, of tables that this process has open already.

    Attributes
    ----------
    study : Study
    cut : datetime.date
    opened : StudyData or None
        Stays behind where the question goes to another process.
    """

    study: Study
    cut: date
    opened: StudyData | None = field(default=None, repr=False)

    def __call__(self) -> dict[str, str]:
        return known_digests(self.study, self.cut, self.opened if self._still_so() else None)

    def _still_so(self) -> bool:
        """Whether the files are those that were opened: what is asked for is what they say now."""
        if self.opened is None or self.study.database is not None:
            return False
        return table_digests(self.study) == {one.table: one.sha256 for one in self.opened.inputs}

    def __reduce__(self) -> tuple[type[KnownDigests], tuple[Study, date]]:
        return KnownDigests, (self.study, self.cut)


def _known(study: Study, name: str, table: ir.Table, cut: date) -> ir.Table:
    spec, last, nothing = table_spec(study, name), ibis.literal(cut), ibis.null().cast("date")
    past = table.filter(table[spec.event_date] <= last, table.recorded_on.fill_null(last) <= last)
    later = ["retracted_on", *(("intake_date", "outcome_follow_up_end") if name == "participants" else ())]
    past = past.mutate(**{column: (past[column] > last).ifelse(nothing, past[column]) for column in later})
    if name == "searches":  # how far beyond the cut was searched changes nothing
        past = past.mutate(searched_to=(past.searched_to > last).ifelse(last, past.searched_to))
    return past.select(*(column for column in past.columns if column != ROW))


def _of_file(study: Study, name: str) -> str:
    digests = []
    for file in dict.fromkeys(part.path for part in parts_of(study, name)):
        try:
            digests.append(sha256(file))
        except OSError as error:
            msg = f"{name}: file {file.name} cannot be read ({error.strerror})"
            raise DataError(msg) from None
    return of_several(digests)


def _of_rows(table: ir.Table, name: str) -> str:
    """Add up the digests of the rows: a database gives them in any order."""
    total = 0
    with clean_errors(name):
        # In one order: a view that gives the same columns in another is the same table.
        columns = sorted(table.columns)
        for batch in table.select(columns).to_pyarrow_batches():
            lists = [column.to_pylist() for column in batch.columns]
            for row in zip(*lists, strict=True):
                # Added up, not combined by xor: two equal rows would take each other away.
                total += int.from_bytes(hashlib.sha256(repr(row).encode()).digest())
    return hashlib.sha256(f"{columns}|{total:x}".encode()).hexdigest()
