"""Excel workbooks: every cell there is, whatever the file says of itself.

`python_calamine` reads the values. It takes the cells as they come (a stated dimension may be wrong), knows both
namespaces of Open XML, and needs no valid styles. What it does not tell is looked up here in the sheet's own XML:
formulas that were never calculated and formulas' errors (it gives both as empty), day zero, and a stray cell far from
the table, for which it would ask for more memory than there is.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from evalkit.errors import DataError, did_you_mean
from evalkit.intake._raw import Broken, Line, RawTable, Wanted, assembled, check_header, names_in
from evalkit.protocol import Table

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# A workbook is a zip: a small one may unpack to more than the machine has, so both are looked at before reading.
_MOST_CELLS, _MOST_BYTES = 20_000_000, 2 << 30
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
Attributes = dict[str, str]

BOOKS = frozenset({".xlsx", ".xlsm"})
"""Ends of names of workbooks."""


def read_workbook(path: Path, table: Table, wanted: Wanted, where: str) -> RawTable:
    """Read one sheet of a workbook: the one that ``table`` names, or the only one that holds the wanted columns.

    A `DataError` where it is protected, no workbook, or it cannot be said which sheet is meant.
    """
    _check_container(path, where)
    with zipfile.ZipFile(path) as archive:
        package = _Package(archive, where)
        book = CalamineWorkbook.from_path(path)
        chosen = _chosen(package, table.table, where)
        # Several sheets with the same columns, a year on each: reading the first alone would lose rows without a word.
        skipped = table.skip_rows if isinstance(table.skip_rows, int) else 0
        read = {sheet: _lines(package, book, sheet, skipped, where) for sheet in chosen}
    found = {sheet: lines for sheet, lines in read.items() if lines}
    if not found:
        msg = f"{where} is empty"
        raise DataError(msg)
    fitting = [sheet for sheet, lines in found.items() if wanted.required <= names_in(lines[0][1])]
    if len(fitting) > 1:
        names = ", ".join(f"'{sheet}'" for sheet in fitting)
        how = "say which, or all, with sheet: in the protocol"
        msg = f"{where} has {len(fitting)} sheets with these columns ({names}); {how}"
        raise DataError(msg)
    # Where none has all of them, the next step says which are missing: of the sheet that is nearest.
    sheet = fitting[0] if fitting else max(found, key=lambda name: len(names_in(found[name][0][1]) & wanted.known))
    lines = found[sheet]
    check_header(lines, wanted, where)
    end = max(1, len(lines) - (table.skip_footer if isinstance(table.skip_footer, int) else 0))
    return assembled(lines[:end], where, footer=lines[end:], epoch=package.epoch, sheet=sheet)


def sheets_of(path: Path, where: str) -> tuple[dict[str, list[Line]], datetime]:
    """Return the rows that are not empty of every sheet but charts, and day zero of the workbook's serial dates.

    A `DataError` where it is protected or no workbook.
    """
    _check_container(path, where)
    with zipfile.ZipFile(path) as archive:
        package = _Package(archive, where)
        book = CalamineWorkbook.from_path(path)
        return {sheet: _lines(package, book, sheet, 0, where) for sheet in _chosen(package, None, where)}, package.epoch


def sheet_names(path: Path, where: str) -> list[str]:
    """Return the names of a workbook's sheets; a `DataError` where it is protected or no workbook."""
    _check_container(path, where)
    with zipfile.ZipFile(path) as archive:
        return list(_Package(archive, where).sheets)


def _check_container(path: Path, where: str) -> None:
    with path.open("rb") as stream:
        start = stream.read(8)
        protected = start == _OLE and "EncryptedPackage".encode("utf-16-le") in stream.read()
    if protected:
        msg = f"{where} is protected by a password; save it without one"
        raise DataError(msg)
    if start == _OLE:
        msg = f"{where} is a file of an old Excel (.xls), whatever its name says; save it as .xlsx"
        raise DataError(msg)


def _chosen(package: _Package, named: str | None, where: str) -> list[str]:
    """Return the sheet that is named, or all that have rows and columns: charts have none."""
    if named is None:
        sheets = [name for name, part in package.sheets.items() if part]
        if not sheets:
            msg = f"{where} has no sheet with rows and columns"
            raise DataError(msg)
        return sheets
    if named not in package.sheets:
        msg = f"{where} has no sheet '{named}'{did_you_mean(named, package.sheets)}"
        raise DataError(msg)
    if not package.sheets[named]:
        msg = f"{where}: '{named}' is a chart, no sheet with rows and columns"
        raise DataError(msg)
    return [named]


def _lines(package: _Package, book: CalamineWorkbook, sheet: str, skipped: int, where: str) -> list[Line]:
    """Return a sheet's rows that are not empty, from a row on."""
    scan = _Scan(stale=package.stale)
    package.parse(package.sheets[sheet], scan.start, scan.end, scan.text)
    if scan.n_rows * scan.n_columns > _MOST_CELLS:
        msg = f"{where}: a cell of sheet '{sheet}' stands far from the table, {scan.far}; delete it"
        raise DataError(msg)
    try:
        # Empty rows and columns before the table, too: else row numbers are not those of the sheet.
        rows: list[list[Any]] = [list(row) for row in book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)]
    except CalamineError:
        errors = [place for place, broken in scan.broken.items() if broken is Broken.ERROR]
        if not errors:
            raise
        # Of the errors that Excel has had since 2018 (#SPILL!, #CALC!) the reader knows nothing.
        row, column = min(errors)
        place = f"in row {row} and column {column}"
        msg = f"{where}: sheet '{sheet}' holds a formula's error ({place}); mend, save, send again"
        raise DataError(msg) from None
    if scan.n_rows and not any(map(any, rows)):
        msg = f"{where} is damaged: sheet '{sheet}' holds cells of which none can be read; save it again in Excel"
        raise DataError(msg)
    for (row, column), broken in scan.broken.items():
        rows.extend([] for _ in range(row - len(rows)))
        cells = rows[row - 1]
        cells.extend([None] * (column - len(cells)))
        cells[column - 1] = broken
    cleaned = [
        (n, [None if isinstance(cell, str) and not cell.strip() else cell for cell in row])
        for n, row in enumerate(rows, start=1)
    ]
    return [(n, row) for n, row in cleaned if n > skipped and any(cell is not None for cell in row)]


class _Package:
    """The parts of a workbook that say what is where."""

    def __init__(self, archive: zipfile.ZipFile, where: str) -> None:
        self.where = where
        self._archive = archive
        self._names = {name.replace("\\", "/").lower(): name for name in archive.namelist()}
        if any(part.flag_bits & 1 for part in archive.infolist()):
            msg = f"{where} is protected by a password; save it without one"
            raise DataError(msg)
        if sum(part.file_size for part in archive.infolist()) > _MOST_BYTES:
            msg = f"{where} unpacks to more than {_MOST_BYTES >> 30} GB; is it a table?"
            raise DataError(msg)
        self.epoch, self.stale = datetime(1899, 12, 30), False
        self.sheets: dict[str, str] = {}
        """Name of each sheet: its part; empty where it is a chart or a dialogue."""
        self._ids: dict[str, str] = {}
        root = next((t for kind, t in self._related("").values() if kind == "officeDocument"), "xl/workbook.xml")
        self.parse(root, self._book)
        targets = self._related(root)
        for name, key in self._ids.items():
            kind, target = targets[key]
            self.sheets[name] = target if kind == "worksheet" else ""
        for kind, part in targets.values():
            if kind in {"sharedStrings", "styles"}:  # values come from these, too
                self.parse(part)

    def _book(self, name: str, attributes: Attributes) -> None:
        if name == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
            self.epoch = datetime(1904, 1, 1)
        elif name == "calcPr":
            self.stale = attributes.get("fullCalcOnLoad") in {"1", "true"}
        elif name == "sheet":
            self._ids[attributes["name"]] = next(v for k, v in attributes.items() if k.endswith(" id"))

    def _related(self, part: str) -> dict[str, tuple[str, str]]:
        """Return the relations of a part: id to kind and part."""
        folder, name = posixpath.split(part)
        found: dict[str, tuple[str, str]] = {}

        def relation(element: str, a: Attributes) -> None:
            if element == "Relationship" and a.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, a["Target"]))
                found[a["Id"]] = (a["Type"].rpartition("/")[2], target)

        self.parse(posixpath.join(folder, "_rels", f"{name}.rels"), relation)
        return found

    def parse(
        self,
        part: str,
        start: Callable[[str, Attributes], None] | None = None,
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Parse a part; it may declare no entities, which can stand for other files or for very much."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        if start:
            parser.StartElementHandler = lambda name, attributes: start(name.rpartition(" ")[2], attributes)
        if end:
            parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
        if text:
            parser.CharacterDataHandler = text
        with self._archive.open(self._names[part.replace("\\", "/").lstrip("/").lower()]) as stream:
            parser.ParseFile(stream)

    def _refuse(self, *_: object) -> None:
        msg = f"{self.where} declares entities of its own (a DTD), which no workbook needs; it is not read"
        raise DataError(msg)


@dataclass
class _Scan:
    """What a sheet's XML says of its cells beside their values."""

    # Whether the workbook asks to be calculated when it is opened: what writes so without calculating leaves a 0.
    stale: bool
    # Row and column of cells without a value that hold a formula.
    broken: dict[tuple[int, int], Broken] = field(default_factory=dict)
    # The last row and column in which something stands.
    n_rows: int = 0
    n_columns: int = 0
    far: str = ""
    _row: int = 0
    _column: int = 0
    _kind: str = ""
    _formula: bool = False
    _value: str | None = None
    _in_value: bool = False

    def start(self, name: str, attributes: Attributes) -> None:
        """Begin an element."""
        if name == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
        elif name == "c":
            self._column += 1
            if match := _REFERENCE.fullmatch(attributes.get("r", "")):
                self._row, self._column = int(match[2]), _number(match[1])
            self._kind, self._formula, self._value = attributes.get("t", "n"), False, None
        elif name == "f":
            self._formula = True
        elif name in {"v", "is"}:
            self._value, self._in_value = "", True

    def text(self, text: str) -> None:
        """Take a piece of a value."""
        if self._in_value and self._value is not None:
            self._value += text

    def end(self, name: str) -> None:
        """End an element."""
        if name in {"v", "is"}:
            self._in_value = False
        elif name == "c" and (self._formula or self._value):
            self._cell((self._value or "").strip())

    def _cell(self, value: str) -> None:
        place = (self._row, self._column)
        if self._row * self._column >= self.n_rows * self.n_columns:
            self.far = f"in row {self._row} and column {self._column}"
        self.n_rows, self.n_columns = max(self.n_rows, self._row), max(self.n_columns, self._column)
        calculated = bool(value) or (self._kind == "str" and self._value is not None)  # text may be empty
        # A program that exports writes #N/A for nothing; a formula that gives it looked for something and failed.
        if self._kind == "e" and value and (self._formula or value != "#N/A"):
            self.broken[place] = Broken.ERROR
        elif self._formula and (not calculated or (self.stale and value == "0")):
            self.broken[place] = Broken.UNCALCULATED


def _number(letters: str) -> int:
    """Return a column's number: A is 1, AA 27."""
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - 64
    return found
