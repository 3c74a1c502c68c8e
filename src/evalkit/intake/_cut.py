"""The cut of a study's tables: what was known on a day, and how the engine is asked for it."""

from __future__ import annotations

__all__ = ["CutData", "Recipe", "Tables", "fetch"]

import itertools
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis.expr.operations import DatabaseTable, Literal

from evalkit.errors import AnalysisError, DataError, did_you_mean
from evalkit.intake._clean import clean_errors
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
