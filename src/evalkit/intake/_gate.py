"""The gate: the one place where a study's tables are let through to anything that is made from them.

`evalkit validate` shows all that the rules say of the tables. A report of a period stops at the errors among the rows
that it uses: those known at its cut. What came after it cannot make an old period impossible to verify.
"""

from __future__ import annotations

__all__ = ["Gate", "open_gate"]

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import cached_property

from evalkit import zones
from evalkit.errors import DataError, UsageError
from evalkit.excuses import Passed
from evalkit.intake._data import StudyData
from evalkit.intake._findings import Finding, Findings, clean_errors
from evalkit.intake._open import read_all
from evalkit.intake._read import located
from evalkit.intake._rules import Codes, codes_in
from evalkit.intake._spec import table_spec
from evalkit.intake._table_rules import excused, idle
from evalkit.intake._validate import (
    Frames,
    Reach,
    broken_rules,
    entered_late,
    fall_of_rows,
    frames_to_check,
    known_at,
    reaches,
    stale,
    whole_tables,
)
from evalkit.periods import Period, newest_complete, quarters_between
from evalkit.protocol import TABLE_NAMES, Excuse, Study


def open_gate(study: Study, *, today: date | None = None, held: Iterable[Excuse] = ()) -> Gate:
    """Read a study's tables, whatever state they are in, and put the gate before them.

    Parameters
    ----------
    study : Study
    today : datetime.date, optional
        Days after it have not come yet; by default the day it is in the study's ``time_zone``.
    held : iterable of Excuse
        Excuses that hold whatever the day: those of a release that is verified.

    Returns
    -------
    Gate

    Raises
    ------
    ProtocolError
        If the protocol's mapping, an excuse or ``ignore`` names what is not there.
    DataError
        If the database cannot be reached.
    """
    return Gate(read_all(study), today=today, held=held)


class Gate:
    """Holds a study's tables to its rules.

    Parameters
    ----------
    data : StudyData
    today : datetime.date, optional
    held : iterable of Excuse
        As in `open_gate`.
    """

    def __init__(self, data: StudyData, *, today: date | None = None, held: Iterable[Excuse] = ()) -> None:
        self.data = data
        self.today = today or zones.today(data.study.time_zone)
        self._held = tuple(held)

    @property
    def study(self) -> Study:
        """The study."""
        return self.data.study

    @cached_property
    def _frames(self) -> Frames:
        with clean_errors("validation"):
            return frames_to_check(self.data, self.today)

    @cached_property
    def _broken(self) -> list[Finding]:
        """What the rules say of the whole tables, excused or not."""
        found = [*self.data.findings]
        with clean_errors("validation"):
            found += whole_tables(self.data, self._frames)
            found += broken_rules(self.study, self._frames, self.today, self._unread)
            newest = self._reaches.get("sessions")
            if "sessions" in self._frames and newest is not None and newest.newest is not None:
                found += fall_of_rows(self.study, self._frames["sessions"], newest.newest, to_last=False)
        return found

    @property
    def _unread(self) -> set[tuple[str, str]]:
        return {(f.table, f.column) for f in self.data.findings if f.severity == "error"}

    @cached_property
    def _reaches(self) -> dict[str, Reach]:
        return reaches(self.data, self.today)

    @cached_property
    def findings(self) -> Findings:
        """Everything that is wrong with the tables, in one run; also excuses that excuse nothing."""
        found = [*self._excused(self._broken)[0], *idle(self._broken, self.study.excuses)]
        # Only now are row numbers taken apart: through all checks one number says part and row (ADR 25).
        return _in_order(located(found, self.data.parts))

    @cached_property
    def codes(self) -> Codes:
        """Values that the protocol does not name. Private."""
        return codes_in(self._frames, {name: table_spec(self.study, name) for name in self._frames})

    def _excused(self, findings: Iterable[Finding]) -> tuple[list[Finding], list[Excuse]]:
        return excused(findings, self.study.excuses, self.today, self._held)

    def newest(self) -> Period:
        """Return the newest quarter that is over and that every table reaches.

        Returns
        -------
        Period

        Raises
        ------
        DataError
            If no quarter of the study is; the message names the table and its newest day.
        """
        if not self._reaches:
            self.findings.raise_for_errors()
        # A quarter that one table does not reach would be told without that table's last months.
        table, least = min(self._reaches.items(), key=lambda item: item[1].until)
        fiscal = self.study.fiscal_year_start_month
        # A table's days of grace may lie ahead; a quarter is over only when today is past it.
        found = newest_complete(min(least.until, self.today), fiscal)
        if found.last < self.study.starts:
            newest = f"is {least.newest}" if least.newest else "is not there"
            msg = (
                f"there is no newest period: no quarter since {self.study.starts} is over in every table "
                f"(the newest day of {table} {newest})"
            )
            raise DataError(msg)
        return found

    @property
    def newest_days(self) -> dict[str, date | None]:
        """The newest day of each table, as far as it has one."""
        return {name: reach.newest for name, reach in self._reaches.items()}

    def periods(self, wanted: Sequence[str]) -> list[Period]:
        """Read periods.

        Parameters
        ----------
        wanted : sequence of str
            ``2022Q3``, ``2022-01-01..2022-06-30``, ``newest``, ``due`` or ``all``.

        Returns
        -------
        list of Period

        Raises
        ------
        UsageError
            If a text is none, or a period ends before the study starts.
        DataError
            If a table cannot be read, or there is no newest period.
        """
        if any(f.severity == "error" for f in self.data.findings):
            self.findings.raise_for_errors()  # what cannot be read has no newest day
        fiscal, starts = self.study.fiscal_year_start_month, self.study.starts
        found: list[Period] = []
        for text in wanted:
            if text == "newest":
                found.append(self.newest())
            elif text == "due":
                found.append(newest_complete(self.today - timedelta(days=self.study.days_until_due), fiscal))
            elif text == "all":
                found += quarters_between(starts, self.newest().last, fiscal)
            else:
                found.append(Period.parse(text, fiscal))
        for period in found:
            if period.last < starts:
                msg = f"period {period.name} ends before the study starts ({starts})"
                raise UsageError(msg)
        return found

    def at(self, period: Period) -> Findings:
        """Say what is wrong with the tables for a report of a period.

        Parameters
        ----------
        period : Period

        Returns
        -------
        Findings
            Errors only of rows known at the cut, in the words of the whole tables; whether the tables reach the cut;
            months with too few rows. Of warnings only the last.
        """
        return _in_order(located(self._excused(self._broken_at(period))[0], self.data.parts))

    def _broken_at(self, period: Period) -> list[Finding]:
        frames = known_at(self._frames, self.study, period.cut, self.today)
        all_known = all(frames[name] is self._frames[name] for name in frames)
        with clean_errors("validation"):
            own = [] if all_known else broken_rules(self.study, frames, self.today, self._unread, errors=True)
            sessions = frames.get("sessions")
            falls = [] if sessions is None else fall_of_rows(self.study, sessions, period.cut, to_last=True)
            late = entered_late(self.data, self._reaches, period.cut, self.today)
        there = {_place(f): f for f in own}
        found = []
        # Falls are asked anew below: at the cut other months are the last.
        for finding in (f for f in self._broken if f.severity == "error" and f.rule != "fall_of_rows"):
            about_rows = finding.n_rows > 0 and _place(finding)[:2] not in self._unread
            # In the words of the whole tables, so that validate and render say the same lines.
            if there.pop(_place(finding), None) is not None or all_known or not about_rows:
                found.append(finding)
        return [*found, *there.values(), *stale(self._reaches, period), *late, *falls]

    def check(self, period: Period) -> Passed:
        """Let a report of a period through, or not.

        Parameters
        ----------
        period : Period

        Returns
        -------
        Passed

        Raises
        ------
        DataError
            If a table breaks a rule for the rows that the report uses or does not reach the cut, or the period is not
            over.
        """
        said, used = self._excused(self._broken_at(period))
        findings = _in_order(located(said, self.data.parts))
        findings.raise_for_errors()
        if period.last > self.today:
            msg = f"period {period.name} is not over: its last day, {period.last}, has not come yet"
            raise DataError(msg)
        return Passed(tuple(used), tuple(map(str, findings.warnings)), self.key(period))

    def key(self, period: Period) -> str:
        """Return the digest of all that the gate looks at for a period.

        Parameters
        ----------
        period : Period

        Returns
        -------
        str
            Empty where tables can change unseen: in a database.
        """
        if any(given.sha256 is None for given in self.data.inputs):
            return ""
        tables = sorted((given.table, given.source, given.sha256) for given in self.data.inputs)
        # By it the kernel knows that the render has checked these very tables, and checks nothing twice (ADR 10).
        seen = [self.study.model_dump(mode="json"), tables, str(period.cut)]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def _place(finding: Finding) -> tuple[str, str, str]:
    return finding.table, finding.column, finding.rule


def _in_order(findings: Iterable[Finding]) -> Findings:
    tables = {name: place for place, name in enumerate(TABLE_NAMES)}
    severities = {"error": 0, "excused": 1, "warning": 2}
    ordered = sorted(findings, key=lambda f: (severities[f.severity], tables[f.table], f.column, f.rule))
    return Findings(tuple(ordered))
