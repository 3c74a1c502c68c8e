"""What is wrong with raw tables, said without saying what is in them: findings, and clean errors of other libraries."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Literal, Self

from evalkit.errors import DataError, EvalkitError

Severity = Literal["error", "excused", "warning"]
# Enough to find the pattern in the file; all of them would be a list of people.
SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that some rows of one table break.

    Attributes
    ----------
    table : str
        The table.
    column : str
        The column; empty when the rule is about the table or about several columns.
    rule : str
        Short name of the rule, stable from version to version.
    severity : {"error", "excused", "warning"}
        excused: an error that the protocol excuses for a time.
    n_rows : int
        How many rows break it; 0 when the rule is not about rows.
    rows : tuple of int
        The first row numbers. In CSV and Excel files they are the lines a spreadsheet shows (the header
        is line 1); elsewhere rows count from 1 in the order read; in a database none are given.
    text : str
        The rule in words. Never a value or an identifier.
    places : tuple of str
        Of a table of several files or sheets: in which of them each of ``rows`` is.
    """

    table: str
    column: str
    rule: str
    severity: Severity
    n_rows: int
    rows: tuple[int, ...] = ()
    text: str = ""
    places: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"{self.table}.{self.column}" if self.column else self.table
        line = f"{self.severity}: {place}: {self.text or self.rule} [{self.rule}]"
        if self.n_rows:
            line += f": {self.n_rows} row{'s' if self.n_rows > 1 else ''}"
        more = ", ..." if self.n_rows > len(self.rows) else ""
        if self.places:
            named = (f"{place} row {row}" for place, row in zip(self.places, self.rows, strict=True))
            line += f" ({'; '.join(named)}{more})"
        elif self.rows:
            line += f" (row{'s' if self.n_rows > 1 else ''} {', '.join(map(str, self.rows))}{more})"
        return line


def finding(table: str, column: str, rule: str, severity: Severity, rows: Iterable[int], text: str) -> Finding:
    """Return a finding about all rows that break a rule, of which the first few numbers are kept."""
    found = sorted(int(row) for row in rows)
    return Finding(table, column, rule, severity, len(found), tuple(found[:SHOWN_ROWS]), text)


def _plain(finding: Finding) -> dict[str, object]:
    return {name: value for name, value in asdict(finding).items() if name != "places" or value}


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings of one run, errors first.

    Attributes
    ----------
    items : tuple of Finding
    """

    items: tuple[Finding, ...] = ()

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make figures wrong."""
        return tuple(f for f in self.items if f.severity == "error")

    @property
    def excused(self) -> tuple[Finding, ...]:
        """The errors that the protocol excuses."""
        return tuple(f for f in self.items if f.severity == "excused")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings somebody should look at."""
        return tuple(f for f in self.items if f.severity == "warning")

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    def __str__(self) -> str:
        if not self.items:
            return "No problem found."
        excused = f", {len(self.excused)} excused" if self.excused else ""
        counts = f"{len(self.errors)} error(s), {len(self.warnings)} warning(s){excused}"
        return "\n".join([counts, *(f"  {f}" for f in (*self.errors, *self.excused, *self.warnings))])

    def to_json(self) -> str:
        """Return the findings as JSON.

        Returns
        -------
        str
            An object with ``ok``, ``n_errors``, ``n_warnings`` and ``findings``.
        """
        content = {
            "ok": self.ok,
            "n_errors": len(self.errors),
            "n_warnings": len(self.warnings),
            "findings": [_plain(f) for f in (*self.errors, *self.excused, *self.warnings)],
        }
        return json.dumps(content, indent=2)

    def raise_for_errors(self) -> None:
        """Raise when there is an error.

        Raises
        ------
        DataError
            One line naming table, column, rule, number of rows and first rows of every error.
        """
        if self.errors:
            lines = tuple(str(f) for f in self.errors)
            error = DataError("; and ".join(line.removeprefix("error: ") for line in lines))
            # In a terminal each is a line of its own, as `evalkit validate` writes it.
            error.lines = lines
            raise error


class clean_errors:  # noqa: N801 - used as a function
    """Re-raise an error that is not ours as a `DataError` of one line: ``where`` and its kind, no value, no cause.

    Engines and pandas quote the value that they could not convert, which may be a participant's; a traceback would show
    it, too. What engines and drivers deprecate among themselves is no news for a reader of reports, and is not shown.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._warnings = warnings.catch_warnings()

    def __enter__(self) -> Self:
        self._warnings.__enter__()
        warnings.simplefilter("ignore", DeprecationWarning)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._warnings.__exit__(kind, error, trace)
        # An interrupt ends the program as it is; errors of ours hold no value and say more.
        if kind is None or not issubclass(kind, Exception) or issubclass(kind, EvalkitError):
            return
        advice = "`evalkit validate` says more about the tables"
        clean = DataError(f"{self._where}: the data engine refused ({kind.__name__}); {advice}")
        try:
            raise clean
        finally:
            # `raise` itself puts the foreign error here, and every traceback would print it with what it quotes.
            clean.__context__ = None
