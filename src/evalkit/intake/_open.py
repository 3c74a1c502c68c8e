"""Opening a study, and the digests by which its raw tables are known.

Every table is read, and every problem of reading said at once. So are values that a report would name but cannot show:
here, and not after a whole run. Digests tell whether the data a report is made from are the data it was made from.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from evalkit.errors import DataError
from evalkit.intake._data import Input, StudyData, fetch, kept_in
from evalkit.intake._database import connect, in_utc, our_columns, raw_table, redacted, says_synthetic
from evalkit.intake._files import SEALED, of_several, read_file, sha256
from evalkit.intake._findings import Finding, Findings, clean_errors, finding
from evalkit.intake._raw import Broken, Wanted
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
