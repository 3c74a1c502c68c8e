"""The files and sheets that make one table: which they are, what is said of each, and their rows put together."""

from __future__ import annotations

__all__ = ["PART", "TablePart", "files_like", "located", "merged", "parts_of", "together"]

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from glob import has_magic
from pathlib import Path

import pyarrow as pa

from evalkit.errors import DataError, did_you_mean
from evalkit.intake._findings import SHOWN_ROWS, Finding
from evalkit.intake._raw import RawTable
from evalkit.intake._read import ReadTable
from evalkit.intake._workbook import BOOKS, sheet_names
from evalkit.protocol import Study, Table

PART = 1 << 32
"""Row numbers of a table's second file or sheet begin here, those of its third at twice of it: no sheet is longer."""


@dataclass(frozen=True, slots=True)
class TablePart:
    """One file or sheet of a table."""

    path: Path
    table: Table  # what the protocol says of this part alone
    label: str  # how messages name it, where there are several


def parts_of(study: Study, name: str) -> list[TablePart]:
    """Return the files and sheets that make a table, in the protocol's order, those of a pattern by name.

    A `DataError` where the protocol names no file, a pattern has none, a sheet is not there, or lines are to be skipped
    in a part that there is not.
    """
    table = study.tables[name]  # type: ignore[index]
    if not table.paths:
        msg = f"{name}: the protocol says neither a path nor a database"
        raise DataError(msg)
    files = [file for text in table.paths for file in _files(study, text, name)]
    doubled = next((f for place, f in enumerate(files) if f in files[:place]), None)
    if doubled is not None:
        msg = f"{name}: its path names file {doubled.name} twice; each of its rows would count twice"
        raise DataError(msg)
    pairs = [(file, sheet) for file in files for sheet in _sheets(file, table, name, alone=len(files) == 1)]
    unmet = [sheet for sheet in table.sheets if sheet not in {found for _, found in pairs}]
    if unmet:
        msg = f"{name}: none of its files has a sheet '{unmet[0]}'"
        raise DataError(msg)
    _check_skipped(table, pairs, name)
    return [_part(table, file, sheet) for file, sheet in pairs]


def _files(study: Study, text: str, name: str) -> list[Path]:
    try:
        place = study.folder / text
        if not has_magic(text) or place.exists():
            return [_resolved(place, name)]
        found = files_like(place)
    except (OSError, ValueError):  # a name that none can have
        found = []
    if not found:
        where = " (only the file's own name can be a pattern)" if has_magic(str(Path(text).parent)) else ""
        msg = f"{name}: no file is like {place}{where}"
        raise DataError(msg)
    return [_resolved(file, name) for file in found]


def files_like(pattern: Path) -> list[Path]:
    """Return the files that a pattern names, by name.

    Parameters
    ----------
    pattern : pathlib.Path
        Whose last part is one.

    Returns
    -------
    list of pathlib.Path
        Without what Excel and editors leave beside a file that is open.
    """
    return [file for file in sorted(pattern.parent.glob(pattern.name)) if not file.name.startswith(("~$", "."))]


def _resolved(place: Path, name: str) -> Path:
    try:
        path = place.resolve()
        nowhere = path.is_symlink()  # links in a circle: Python 3.13 leaves them as they are
    except (OSError, RuntimeError, ValueError):  # up to 3.12 it refuses them; a name that none can have
        nowhere = True
    if nowhere:
        msg = f"{name}: its path leads to no file; say the file itself"
        raise DataError(msg)
    return path


def _sheets(file: Path, table: Table, name: str, *, alone: bool) -> list[str]:
    """Return the sheets that are read of a file; one without a name where the protocol names none."""
    if not table.sheets:
        return [table.table or ""]
    if file.suffix.lower() not in BOOKS:
        msg = f"{name}: file {file.name} has no sheets; leave sheet out"
        raise DataError(msg)
    if alone and len(table.sheets) == 1:
        return list(table.sheets)  # the reader says what is wrong with it
    if not file.is_file():
        return list(table.sheets)  # the reader says that it is not there
    known = sheet_names(file, f"{name}: file {file.name}")
    missing = next((sheet for sheet in table.sheets if sheet not in known), None)
    if missing is not None and (alone or not set(known) & set(table.sheets)):
        msg = f"{name}: file {file.name} has no sheet '{missing}'{did_you_mean(missing, known)}"
        raise DataError(msg)
    return [sheet for sheet in table.sheets if sheet in known]


def _check_skipped(table: Table, pairs: Sequence[tuple[Path, str]], name: str) -> None:
    known = {part for file, sheet in pairs for part in (file.name, sheet) if part}
    for key, said in (("skip_rows", table.skip_rows), ("skip_footer", table.skip_footer)):
        unmet = next((part for part in said if part not in known), None) if isinstance(said, dict) else None
        if unmet is not None:
            msg = f"{name}: {key} names '{unmet}', which is no file or sheet of it{did_you_mean(unmet, known)}"
            raise DataError(msg)


def _part(table: Table, file: Path, sheet: str) -> TablePart:
    def lines(said: int | dict[str, int]) -> int:
        return said if isinstance(said, int) else said.get(sheet, said.get(file.name, 0))

    own = {
        "path": str(file),
        "table": sheet or None,
        "sheet": None,
        "skip_rows": lines(table.skip_rows),
        "skip_footer": lines(table.skip_footer),
    }
    label = f"{file.name}, sheet '{sheet}'" if sheet else file.name
    return TablePart(file, table.model_copy(update=own), label)


def numbered(raw: RawTable, place: int) -> RawTable:
    """Return the raw table of the part at a place, from 0, with row numbers that no other part has."""
    if place == 0:
        return raw
    first = place * PART
    return replace(raw, rows=[first + n for n in raw.rows], footer_rows=[first + n for n in raw.footer_rows])


def together(read: Sequence[ReadTable], labels: Sequence[str], name: str) -> ReadTable:
    """Put the parts of a table together.

    A column that some parts lack, though none needs it, is an error: their rows would seem to have no values.
    """
    if len(read) == 1:
        return read[0]
    findings = [
        replace(f, text=f"{label}: {f.text}") if not f.n_rows else f
        for part, label in zip(read, labels, strict=True)
        for f in part.findings
    ]
    absent = [column for column in read[0].absent if all(column in part.absent for part in read)]
    for column in dict.fromkeys(column for part in read for column in part.absent):
        lacking = [label for part, label in zip(read, labels, strict=True) if column in part.absent]
        known = any(f.rule == "missing_column" and f.column == column for f in findings)
        if column not in absent and not known:
            text = f"{lacking[0]}: the column is not there, and other parts of the table have it"
            findings.append(Finding(name, column, "missing_column", "error", 0, (), text))
    data = pa.concat_tables([part.data for part in read])
    return ReadTable(data, tuple(absent), any(part.synthetic for part in read), tuple(merged(findings)))


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Put findings together that say the same of several parts."""
    found: dict[tuple[str, ...], Finding] = {}
    for one in findings:
        key = (one.table, one.column, one.rule, one.severity, one.text)
        before = found.get(key)
        rows = (*before.rows, *one.rows) if before else one.rows
        n_rows = before.n_rows + one.n_rows if before else one.n_rows
        found[key] = replace(one, rows=rows[:SHOWN_ROWS], n_rows=n_rows)
    return list(found.values())


def located(findings: Iterable[Finding], parts: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """Say of rows of a table of several parts, whose labels are in ``parts``, in which part they are."""

    def one(finding: Finding) -> Finding:
        labels = parts.get(finding.table, ())
        if len(labels) < 2 or not finding.rows or finding.places:
            return finding
        rows = tuple(row % PART for row in finding.rows)
        return replace(finding, rows=rows, places=tuple(labels[row // PART] for row in finding.rows))

    return tuple(one(finding) for finding in findings)
