"""A study's tables."""

from __future__ import annotations

__all__ = ["Input", "StudyData", "kept_in"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Self

import ibis
import ibis.expr.types as ir
import pandas as pd

from evalkit import zones
from evalkit.errors import DataError, UsageError
from evalkit.intake._cut import CutData, Tables, fetch
from evalkit.intake._findings import Finding, Findings
from evalkit.intake._spec import table_spec
from evalkit.protocol import Study

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
