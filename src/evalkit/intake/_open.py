"""Opening a study: every table read, every problem of reading said at once.

So are values that a report would name but cannot show: here, and not after a whole run.
"""

from __future__ import annotations

__all__ = ["letters"]

from collections.abc import Iterable
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from evalkit.errors import DataError
from evalkit.intake._convert import Broken
from evalkit.intake._data import Input, StudyData, fetch, kept_in
from evalkit.intake._database import connect, in_utc, our_columns, raw_table, redacted, says_synthetic
from evalkit.intake._files import SEALED, of_several, read_file, sha256
from evalkit.intake._findings import Finding, Findings, clean_errors, finding
from evalkit.intake._raw import Wanted
from evalkit.intake._read import ROW, check_mapping, located, numbered, parts_of, read_table, together
from evalkit.intake._spec import check_names, table_spec
from evalkit.intake._table_rules import check_excuses, check_ignored
from evalkit.letters import unshown
from evalkit.protocol import TABLE_NAMES, Study, load_disclosure
from evalkit.zones import zone


class _Opening:
    """What has been opened so far."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.tables: dict[str, ir.Table] = {}
        self.inputs: list[Input] = []
        self.absent: dict[str, tuple[str, ...]] = {}
        self.findings: list[Finding] = []
        self.synthetic = study.synthetic
        self.private: ibis.BaseBackend | None = None
        self.connection: ibis.BaseBackend | None = None
        self.parts: dict[str, tuple[str, ...]] = {}
        self.identifying = dict.fromkeys(load_disclosure(study).identifying, False)
        self.values: set[str] = set()

    def done(self) -> StudyData:
        """Return the study's data."""
        return StudyData(
            self.study,
            self.tables,
            self.synthetic,
            tuple(self.inputs),
            self.absent,
            located(self.findings, self.parts),
            parts=self.parts,
            connection=self.connection,
            # Compiled queries have days put in as DuckDB writes them: elsewhere each cut is asked anew.
            recipes={} if self.connection is not None and self.connection.name == "duckdb" else None,
            identifying=frozenset(self.values),
        )

    def file(self, backend: ibis.BaseBackend, name: str) -> None:
        """Read one table from its file, or the files and sheets that make it."""
        spec = table_spec(self.study, name)
        parts, read, n_rows, digests = parts_of(self.study, name), [], 0, []
        for place, part in enumerate(parts):
            raw = numbered(read_file(part.path, part.table, Wanted.of(spec, part.table)), place)
            read.append(read_table(spec, part.table, raw, zone(self.study.time_zone)))
            n_rows += len(raw.rows)
            # Several sheets of one workbook are one file.
            if part.path not in [earlier.path for earlier in parts[:place]]:
                digests.append(sha256(part.path))
            for column in self._identifying_in(raw.columns):
                self.values.update(str(value) for value in raw.columns[column] if not isinstance(value, Broken | None))
        self.parts[name] = tuple(part.label for part in parts)
        whole = together(read, self.parts[name], name)
        self.tables[name] = _load(backend, name, whole.data)
        source = "; ".join(dict.fromkeys(str(part.path) for part in parts))
        self.inputs.append(Input(name, source, of_several(digests), n_rows))
        self._note(name, list(whole.absent), list(whole.findings), whole.synthetic)

    def database(self, backend: ibis.BaseBackend, name: str, source: str) -> None:
        """Take one table from the database."""
        spec, table = table_spec(self.study, name), self.study.tables[name]  # type: ignore[index]
        if table.path is not None:
            msg = f"{name}: the protocol says a path and a database; leave one out"
            raise DataError(msg)
        raw = raw_table(backend, table, name, own=self.connection is not None)
        ours, findings, absent = our_columns(spec, table, raw, self.study.time_zone)
        with clean_errors(name):
            n_rows = int(raw.count().to_pandas())
            for column in self._identifying_in(raw.columns):
                found = raw.select(raw[column].cast("string").name("value")).distinct().to_pandas()["value"]
                self.values.update(str(value) for value in found.dropna())
        self.tables[name] = ours
        self.inputs.append(Input(name, source, None, n_rows))
        self._note(name, absent, findings, says_synthetic(table, raw))

    def _identifying_in(self, columns: Iterable[str]) -> list[str]:
        """Return the columns of a raw table whose values must not appear anywhere."""
        found = [column for column in columns if column in self.identifying]
        self.identifying.update(dict.fromkeys(found, True))
        return found

    def identified(self) -> None:
        """Refuse a policy that names a column which no table has: its values would not be looked for."""
        for column, there in self.identifying.items():
            if not there:
                text = f"'{column}' is identifying by the disclosure policy, and no table has such a column"
                self.findings.append(Finding("participants", column, "missing_column", "error", 0, (), text))

    def _note(self, name: str, absent: list[str], findings: list[Finding], synthetic: bool) -> None:
        self.absent[name] = tuple(absent)
        self.findings += findings
        self.synthetic = self.synthetic or synthetic


def _load(backend: ibis.BaseBackend, name: str, data: pa.Table) -> ir.Table:
    connection = backend.con
    connection.register("incoming", data)
    connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')  # noqa: S608 - one of our names
    connection.unregister("incoming")
    return backend.table(name)


def _private() -> ibis.BaseBackend:
    backend = ibis.duckdb.connect()
    for setting, value in SEALED.items():
        backend.con.execute(f"SET {setting} = {value}")
    backend.con.execute("SET threads = 1")  # hours are added up in the same order each time
    return backend


def read_all(study: Study, backend: ibis.BaseBackend | None = None) -> StudyData:
    """Open a study's tables and collect what cannot be read; a table that cannot be opened at all is absent.

    A `ProtocolError` where the mapping, an excuse or ``ignore`` is wrong, a `DataError` where the database cannot be
    reached.
    """
    check_names(study)
    check_ignored(study)
    check_excuses(study)
    opening = _Opening(study)
    # Before any file is read: what a wrong mapping reads would seem to be the file's fault.
    for name in study.tables:
        check_mapping(table_spec(study, name), study.tables[name])
    live = backend
    if live is None and study.database is None:
        live = opening.connection = opening.private = _private()
    elif live is None:
        live = opening.connection = connect(study)
    else:
        in_utc(live)
    source = redacted(study.database) if study.database else f"{live.name} connection"
    for name in (n for n in TABLE_NAMES if n in study.tables):
        try:
            if opening.private is not None:
                opening.file(live, name)
            else:
                opening.database(live, name, source)
        # One bad file is one finding; the others are still checked (ADR 11).
        except DataError as error:
            text = str(error).removeprefix(f"{name}: ")
            opening.findings.append(Finding(name, "", "unreadable_table", "error", 0, (), text))
    opening.identified()
    data = opening.done()
    return replace(data, findings=(*data.findings, *located(letters(data), data.parts)))


def open_data(study: Study, *, backend: ibis.BaseBackend | None = None) -> StudyData:
    """Open a study's tables.

    Files (CSV, Excel, Parquet, DuckDB) are read into a private DuckDB in memory: everything is taken as it
    stands and converted by the study's own rules, so that nothing is guessed. With ``database`` in the
    protocol the tables stay where they are and are spoken to through Ibis.

    Parameters
    ----------
    study : Study
    backend : ibis.BaseBackend, optional
        A live Ibis connection that holds the tables (a Spark session, for example), in place of the
        protocol's files or database.

    Returns
    -------
    StudyData

    Raises
    ------
    DataError
        If a file is missing or cannot be read, a required column is missing, or values cannot be what
        their column says. One line names every table, column, rule, number of rows and first rows; never
        a value.
    ProtocolError
        If the protocol's mapping names a column we do not know.

    Notes
    -----
    `evalkit.intake.validate` says the same as findings, together with the study's other rules.

    A time without a zone counts on its day as written. A time with a zone or an offset, typed or in text, counts
    on the day it was in the study's ``time_zone``, in every source and on every machine.
    """
    data = read_all(study, backend)
    found = Findings(data.findings)
    if not found.ok:
        data.close()
        found.raise_for_errors()
    return data


def letters(data: StudyData) -> list[Finding]:
    """Find values that hold letters which the reports' fonts do not have.

    Looked at are the columns that divide participants, whose values reports name; the arms have labels instead.
    """
    if not data.has("participants"):
        return []
    table, found = kept_in(data.study, "participants", data.table("participants")), []
    for column in table_spec(data.study, "participants").columns:
        name = column.name
        if column.kind != "text" or name == data.study.arms.column:
            continue
        values = fetch(table.select(name).distinct(), [], "participants")[name]
        bad = [value for value in values if unshown([value])]
        if bad:
            kept = [name, ROW] if ROW in table.columns else [name]
            rows = fetch(table.filter(table[name].isin(bad)).select(*kept), [], "participants")
            numbers = rows[ROW].tolist() if ROW in rows else []
            text = (
                "holds letters that the reports' fonts do not have; give such values another spelling in the "
                f"protocol, under tables.participants.values.{name}"
            )
            made = finding("participants", name, "letters_without_a_font", "error", numbers, text)
            found.append(replace(made, n_rows=len(rows)))
    return found
