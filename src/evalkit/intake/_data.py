"""A study's tables, and their cut: what was known on a day, and how the engine is asked for it."""

from __future__ import annotations

__all__ = ["CutData", "Input", "Recipe", "StudyData", "Tables", "fetch", "kept_in"]

import itertools
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Self

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis.expr.operations import DatabaseTable, Literal

from evalkit import zones
from evalkit.errors import AnalysisError, DataError, UsageError, did_you_mean
from evalkit.intake._findings import Finding, Findings, clean_errors
from evalkit.intake._spec import MissingTableError, table_spec
from evalkit.protocol import TABLE_NAMES, Study

# One count for all: the cuts of a study lie on one connection, and none may take another's name.
_NUMBER = itertools.count()
# Elsewhere what is temporary is a view at most, and asked again by whoever needs its rows.
_TEMPORARY = ("duckdb", "postgres")

# Days that no study has: they stand for the cut, and for the day whose knowledge counts, in expressions that are
# compiled once and asked of every cut. Ibis took half a second to build and compile them for each of a report's cuts,
# DuckDB a tenth of it to answer.
_CUT, _KNOWN_ON = date(1111, 1, 1), date(1111, 1, 2)
_KEPT = re.compile(r'"(kept_\d+)"')


@dataclass(frozen=True, slots=True)
class Recipe:
    """A compiled query: its text, the role of each kept table in it by name, whether it is a view, and its columns."""

    text: str
    roles: Mapping[str, Hashable]
    view: bool
    columns: ibis.Schema | None = None  # as the engine has them, once it was asked


@dataclass(frozen=True, eq=False)
class Tables:
    """Tables by name, optional ones perhaps absent."""

    study: Study = field(repr=False)  # it may hold the database's address
    tables: Mapping[str, ir.Table] = field(repr=False)
    connection: ibis.BaseBackend | None = field(default=None, repr=False, kw_only=True)
    recipes: dict[Hashable, Recipe] | None = field(default=None, repr=False, kw_only=True)

    def has(self, name: str) -> bool:
        """Return whether a table is part of this study; a `DataError` where no study has such a table."""
        if name not in TABLE_NAMES:
            msg = f"no study has a table '{name}'{did_you_mean(name, TABLE_NAMES)}"
            raise DataError(msg)
        return name in self.tables

    def table(self, name: str) -> ir.Table:
        """Return a table as an Ibis expression, in our columns and types; a `MissingTableError` without it."""
        if not self.has(name):
            raise MissingTableError(name)
        return self.tables[name]

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table's rows in our columns, days as ``datetime64[ns]``; a `MissingTableError` without it."""
        spec = table_spec(self.study, name)
        return fetch(self.table(name), spec.dates, name)


@dataclass(frozen=True, eq=False)
class CutData(Tables):
    """What was known on a day.

    Attributes
    ----------
    study : Study
    tables : mapping of str to ibis Table
        Only rows whose event had happened, that had been recorded and not yet been retracted.
    day : datetime.date
        The data cut.
    synthetic : bool
    """

    day: date = date.min
    synthetic: bool = False
    known_on: date = date.min
    _names: dict[Hashable, str] = field(default_factory=dict, repr=False)

    @property
    def last(self) -> ir.DateScalar:
        """The data cut as a value in expressions that are given to `kept`, and nowhere else."""
        return ibis.literal(self.day if self.recipes is None else _CUT)

    @property
    def seen(self) -> ir.DateScalar:
        """The day whose knowledge counts, in the same way."""
        return ibis.literal(self.known_on if self.recipes is None else _KNOWN_ON)

    def kept(self, role: Hashable, make: Callable[[], ir.Table], *, view: bool = False) -> ir.Table:
        """Compute an expression once and keep its rows for later ones, where that can be done.

        On our own DuckDB connection it is compiled for the first cut that asks, and its text is asked again for others.

        Parameters
        ----------
        role : hashable
            What it is, with everything but the cut that it depends on: the same role is the same question.
        make : callable
            Makes the expression, from these tables, `last`, `seen` and others that were kept.
        view : bool, default False
            On our own DuckDB connection its text is kept, not its rows: for many rows that are asked for once.

        Returns
        -------
        ibis Table
            A temporary table of our own connection, where the engine has such tables and lets us make
            one; the expression itself on any other engine, and on a connection that was given to us.

        Raises
        ------
        DataError
            If the engine refuses; no value is in the message.
        """
        if self.connection is None or self.connection.name not in _TEMPORARY:
            return make()
        if self.recipes is None:
            return self._kept_as_it_is(make())
        if role not in self._names:
            if role not in self.recipes:
                text = ibis.to_sql(make(), dialect=self.connection.name)
                self.recipes[role] = Recipe(text, {name: own for own, name in self._names.items()}, view)
            self._ask(role, self.recipes[role])
        name, recipe = self._names[role], self.recipes[role]
        if recipe.columns is None:  # the same question of another cut has the same
            recipe = self.recipes[role] = replace(recipe, columns=self.connection.table(name).schema())
        return DatabaseTable(name, schema=recipe.columns, source=self.connection).to_expr()

    def _ask(self, role: Hashable, recipe: Recipe) -> None:
        """Ask a compiled query of this cut, and first what it is made from."""

        def own(match: re.Match[str]) -> str:
            part = recipe.roles[match[1]]
            if part not in self._names:
                self._ask(part, self.recipes[part])  # type: ignore[index]
            return f'"{self._names[part]}"'

        query = _KEPT.sub(own, recipe.text)
        for stands_for, day in ((_CUT, self.day), (_KNOWN_ON, self.known_on)):
            query = query.replace(_sql(stands_for), _sql(day))
        name, kind = f"kept_{next(_NUMBER)}", "VIEW" if recipe.view else "TABLE"
        with clean_errors("cohort"):
            self.connection.con.execute(f'CREATE TEMP {kind} "{name}" AS {query}')  # type: ignore[union-attr]
        self._names[role] = name

    def release(self) -> None:
        """Give the memory of kept rows back; who asks for them again has them computed again."""
        recipes = self.recipes or {}  # who keeps none has no names
        for role, name in [*self._names.items()]:
            recipe = recipes[role]
            if not recipe.view or _KEPT.search(recipe.text):  # views of the tables themselves stay: they hold nothing
                self.connection.con.execute(f'DROP {"VIEW" if recipe.view else "TABLE"} "{name}"')  # type: ignore[union-attr]
                del self._names[role]

    def _kept_as_it_is(self, table: ir.Table) -> ir.Table:
        name = f"kept_{next(_NUMBER)}"
        try:
            query = ibis.to_sql(table, dialect=self.connection.name)  # type: ignore[union-attr]
            self.connection.con.execute(f'CREATE TEMP TABLE "{name}" AS {query}')  # type: ignore[union-attr]
            return self.connection.table(name)  # type: ignore[union-attr]
        except Exception:
            # No right to temporary tables; if it is the expression itself, asking it will say so.
            return table


def _sql(day: date) -> str:
    """Return a day as DuckDB's own text for it has it."""
    return f"MAKE_DATE({day.year}, {day.month}, {day.day})"


def _rows(expression: ir.Table) -> pd.DataFrame:
    """Return the rows; of our own tables in DuckDB without Ibis, whose conversions take longer than the query."""
    table = expression.op()
    ours = isinstance(table, DatabaseTable) and table.name.startswith("kept_") and table.source.name == "duckdb"
    if not ours:
        rows: pd.DataFrame = expression.to_pandas()
        return rows
    frame: pd.DataFrame = table.source.con.table(table.name).df()
    days = {name: "datetime64[s]" for name, kind in expression.schema().items() if kind.is_date()}
    return frame.astype(days)


def fetch(expression: ir.Table, dates: tuple[str, ...] | list[str], where: str) -> pd.DataFrame:
    """Run an expression and return its rows, with the same types on every engine.

    Parameters
    ----------
    expression : ibis Table
    dates : sequence of str
        Columns to give as ``datetime64[ns]``.
    where : str
        For the message.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        If the engine refuses; no value is in the message.
    """
    for literal in expression.op().find(Literal):
        if literal.value in (_CUT, _KNOWN_ON):  # it stands for another day, which only `CutData.kept` puts in its place
            msg = f"{where}: an expression over a cut must be given to CutData.kept before its rows are fetched"
            raise AnalysisError(msg)
    with clean_errors(where):
        frame = _rows(expression)
        for name in dates:
            days = frame[name]
            typed = pd.api.types.is_datetime64_dtype(days)  # most engines: reading it again takes longer than the query
            frame[name] = (days if typed else pd.to_datetime(days)).astype("datetime64[ns]")
        for name, kind in expression.schema().items():
            # Engines differ in what stands for nothing, and in what a gap makes of integers and of true and false.
            gaps = frame[name].hasnans
            if kind.is_string() or (kind.is_boolean() and gaps):
                values = frame[name].astype(object)
                frame[name] = values.where(values.notna(), None) if gaps else values
            elif kind.is_floating() or kind.is_decimal() or (kind.is_integer() and gaps):
                frame[name] = frame[name].astype("float64")
    return frame


# Days up to which somebody looked, though nothing happened: a table reaches as far (ADR 10).
_LOOKED = {"participants": ["intake_date", "outcome_follow_up_end"], "searches": ["searched_to"]}


@dataclass(frozen=True, slots=True)
class Input:
    """Where one table came from.

    Attributes
    ----------
    table : str
        Our name of it.
    source : str
        The file's path, or the database's URL without user and password.
    sha256 : str or None
        SHA-256 of the file; None for a database.
    n_rows : int
        Rows in the raw table.
    """

    table: str
    source: str
    sha256: str | None
    n_rows: int


@dataclass(frozen=True, eq=False)
class StudyData(Tables):
    """A study's raw tables in our columns and types.

    Attributes
    ----------
    study : Study
    tables : mapping of str to ibis Table
        The tables that are part of this study.
    synthetic : bool
        Whether the protocol or any raw table says that the data are synthetic.
    inputs : tuple of Input
        Where each table came from.
    absent : mapping of str to tuple of str
        Optional columns that a raw table does not have.
    findings : tuple of Finding
        What could not be read (never any after `open_data`).
    connection : ibis.BaseBackend or None
        The connection that `open_data` made, to be closed by `close`.
    identifying : frozenset of str
        Values of the columns that the disclosure policy calls identifying; they are nowhere else in this.
    parts : mapping of str to tuple of str
        Names of the files or sheets that make each table, as messages name them.
    """

    synthetic: bool = False
    inputs: tuple[Input, ...] = ()
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    identifying: frozenset[str] = field(default=frozenset(), repr=False)
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection that `open_data` made; a connection that was given stays open.

        Cuts and cohorts of these data cannot be asked anything afterwards; frames already taken stay.
        """
        if self.connection is not None:
            self.connection.disconnect()

    def at(self, day: date, *, known_on: date | None = None) -> CutData:
        """Return what was known on a day.

        Rows dated after it are invisible, and so are rows recorded after it; rows retracted on or before it
        are gone; a date inside a participants row that lies after it is not known yet.

        Parameters
        ----------
        day : datetime.date
            The data cut, the last day of a report's period.
        known_on : datetime.date, optional
            A later day whose knowledge of the time up to the cut is wanted: rows recorded and retracted up
            to then count. Only for `evalkit.cohort.restatements`; a report's figures never use it.

        Returns
        -------
        CutData

        Raises
        ------
        UsageError
            If ``known_on`` is before the cut.
        """
        known = known_on or day
        if known < day:
            msg = "at: known_on must not be before the cut"
            raise UsageError(msg)
        tables: dict[str, ir.Table] = {}
        cut = CutData(self.study, tables, day, self.synthetic, known, connection=self.connection, recipes=self.recipes)
        for name, table in self.tables.items():
            tables[name] = cut.kept(("known", name), partial(self._known, name, table, cut), view=True)
        return cut

    def _known(self, name: str, table: ir.Table, cut: CutData) -> ir.Table:
        spec, table = table_spec(self.study, name), kept_in(self.study, name, table)
        last, seen = cut.last, cut.seen
        # Without a day of entry a row is known from its own date on; without a day of withdrawal it stands.
        known = table.filter(
            table[spec.event_date] <= last,
            table.recorded_on.fill_null(last) <= seen,
            table.retracted_on.fill_null(ibis.literal(date.max)) > seen,
        )
        if name != "participants":
            return known
        later = ("intake_date", "outcome_follow_up_end")
        nothing = ibis.null().cast("date")
        return known.mutate(**{c: (known[c] > last).ifelse(nothing, known[c]) for c in later})

    def validate(self, *, today: date | None = None) -> Findings:
        """Hold the tables to the study's rules.

        Parameters
        ----------
        today : datetime.date, optional
            Days after it have not come yet; by default the day it is in the study's ``time_zone``.

        Returns
        -------
        Findings
            Everything that is wrong, in one run. Never a value or an identifier.
        """
        from evalkit.intake._gate import Gate  # noqa: PLC0415 - the gate opens data itself

        return Gate(self, today=today).findings

    @property
    def identifiers(self) -> frozenset[str]:
        """Every participant's identifier in any table, and identifying values: what a report's audit looks for."""
        found = set(self.identifying)
        for name, table in self.tables.items():
            # Of every table: whoever is missing among the participants could stand in an output all the same.
            column = fetch(table.select("participant_id").distinct(), [], name)["participant_id"]
            found.update(str(value) for value in column.dropna())
        return frozenset(found)

    @property
    def newest_day(self) -> date:
        """The newest day the data speak of: the newest of the tables' own.

        Raises
        ------
        DataError
            If there is no date at all.
        """
        found = [day for day in self.newest_days(zones.today(self.study.time_zone)).values() if day is not None]
        if not found:
            msg = "the study's tables hold no date up to today, so there is no newest period"
            raise DataError(msg)
        return max(found)

    def newest_days(self, today: date) -> dict[str, date | None]:
        """Return the newest day of each table: the latest entry, of rows without one the latest event.

        A row's day of entry (``recorded_on``) stands for its events, so that a session planned ahead does not count.
        Of participants and searches without them, intakes and ends of follow-up are events, too:
        somebody looked.

        Parameters
        ----------
        today : datetime.date
            Later days never count.

        Returns
        -------
        dict
            None where a table has no such day.
        """
        last, found = ibis.literal(today), dict[str, date | None]()
        for name, table in self.tables.items():
            events = [table_spec(self.study, name).event_date, *_LOOKED.get(name, [])]
            entered = (table.recorded_on <= last).fill_null(False)  # a later day of entry is no better than none
            latest = {c: table[c].max(where=(table[c] <= last) & ~entered) for c in events}
            latest["recorded_on"] = table.recorded_on.max(where=entered)
            days = fetch(table.aggregate(**latest), list(latest), name).iloc[0]
            found[name] = max((d.date() for d in days if not pd.isna(d)), default=None)
        return found


def kept_in(study: Study, name: str, table: ir.Table) -> ir.Table:
    """Keep out the rows that hold a value which the protocol's ``ignore`` lists.

    A participant stays: the value is missing. In the arms' column it stays, too, as it makes the row belong to neither
    arm.
    """
    for column, values in study.ignore.get(name, {}).items():  # type: ignore[call-overload]
        out = table[column].isin(values).fill_null(False)
        if name != "participants":
            table = table.filter(~out)
        elif column != study.arms.column:
            table = table.mutate(**{column: out.ifelse(ibis.null().cast("string"), table[column])})
    return table
