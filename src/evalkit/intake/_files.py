"""Reading files: CSV as text, Excel cells as they are, Parquet and DuckDB files as typed.

CSV is read in the encoding that the protocol says, whatever marks stand before it.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import itertools
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from evalkit.errors import DataError, EvalkitError, ProtocolError, did_you_mean
from evalkit.intake._raw import LOOKED_THROUGH, Line, RawTable, Wanted, assembled, check_header, header
from evalkit.intake._workbook import read_workbook
from evalkit.protocol import Table

_DELIMITERS = (",", ";", "\t", "|")
_TRIED = 50  # lines on which a delimiter is tried
_AT_ONCE = 256  # rows that are taken apart at once: of so few, none lives long enough to be looked through as garbage
_MARK = "\ufeff"
_NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1", b"\x1f\x8b")  # how these begin
_SEP = re.compile(r"\"?sep=(.)\"?\s*", re.IGNORECASE)  # how Excel is told the delimiter, in a line of its own


def read_csv(path: Path, table: Table, wanted: Wanted, where: str) -> RawTable:
    """Read a CSV file, all values text; ``wanted`` has the names that tell delimiters apart.

    A `DataError` where it is not text of that encoding, not CSV, or its lines differ in their number of fields.
    """
    lines = _lines(path, table.encoding, where)
    # Title and footer lines are taken off as lines: they need not be CSV. Row numbers stay those of the file.
    named = _SEP.fullmatch(lines[0]) if lines else None
    above, below = table.skip_rows, table.skip_footer
    skipped = max(above if isinstance(above, int) else 0, 1 if named else 0)
    end = len(lines)
    for _ in range(below if isinstance(below, int) else 0):
        while end > skipped and _blank(lines[end - 1]):
            end -= 1
        end = max(skipped, end - 1)
    rest = lines[end:]
    del lines[end:], lines[:skipped]
    delimiter = table.delimiter or (named[1] if named else _delimiter(lines, wanted))
    records = _Records()
    records.read(lines, delimiter, skipped, where)
    if not records.head:
        msg = f"{where} is empty"
        raise DataError(msg)
    check_header(records.head, wanted, where)
    records.check_width(where)
    # Kept, not dropped: a row of the table among these lines is an error (`row_in_footer`).
    footer = [(end + n, next(csv.reader([line], delimiter=delimiter))) for n, line in enumerate(rest, start=1)]
    empty = assembled(records.head[:1], where, footer=[(n, cells) for n, cells in footer if any(cells)])
    return replace(empty, columns=records.columns_of(where), rows=records.numbers[1:])


def lines_of(path: Path, where: str) -> tuple[str, list[Line]]:
    """Return the encoding that a file seems to have, and its records, each with its first line's number.

    The encoding is empty where the file holds plain letters only, the same in all. Records are those that hold
    anything, by the delimiter that most lines have. A `DataError` where it is not text or not CSV.
    """
    content = path.read_bytes()
    encoding = "" if content.isascii() else _seems(content)
    if encoding == "windows-1252":
        _check_letters(content, where)
    lines = _lines(path, encoding or "utf-8", where)

    def alike(sign: str) -> int:
        counts = [line.count(sign) for line in lines[:_TRIED]]
        return max((counts.count(n) * n for n in set(counts)), default=0)

    named = _SEP.fullmatch(lines[0]) if lines else None
    sign = named[1] if named else max(_DELIMITERS, key=alike)
    reader = csv.reader(lines, delimiter=sign)
    found: list[Line] = []
    begins = 1
    try:
        for cells in reader:  # of which one may be several lines long, in quotes
            if reader.line_num > begins:  # a title need not be CSV, but a quote that stays open swallows rows
                list(csv.reader(lines[begins - 1 : reader.line_num], delimiter=sign, strict=True))
            if "".join(cells).strip():
                found.append((begins, list(cells)))
            begins = reader.line_num + 1
    except csv.Error:
        msg = f"{where}: line {reader.line_num} is not CSV (a quote that does not close, or a field without end)"
        raise DataError(msg) from None
    return encoding, found[1:] if named else found


def _lines(path: Path, encoding: str, where: str) -> list[str]:
    content = path.read_bytes()
    if content.startswith(_NO_TEXT):
        msg = f"{where} is no text but a workbook, a Parquet file or an archive, whatever its name says"
        raise DataError(msg)
    return io.StringIO(decoded(content, encoding, where), newline="").readlines()


def _blank(line: str) -> bool:
    return not line.strip("".join(_DELIMITERS) + '" \r\n')


class _Records:
    """The rows that hold anything, by column: of a value that stands in many, one text is kept, not millions."""

    def __init__(self) -> None:
        self.head: list[Line] = []
        self.numbers: list[int] = []
        self._columns: list[list[str | None]] = []
        self._known: list[dict[str | None, str | None]] = []
        self._short: list[tuple[int, int]] = []  # rows with fewer fields than the first, and how many

    def read(self, lines: list[str], delimiter: str, skipped: int, where: str) -> None:
        """Read all lines."""
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        full = ((skipped + reader.line_num, cells) for cells in reader if "".join(cells).strip())
        try:
            while some := list(itertools.islice(full, _AT_ONCE)):
                self._add(some)
        except csv.Error:
            number = skipped + reader.line_num
            msg = f"{where}: line {number} is not CSV (a quote that does not close, or a field without end)"
            raise DataError(msg) from None

    def _add(self, some: list[Line]) -> None:
        self.head = self.head or some[:LOOKED_THROUGH]
        before, width = len(self.numbers), len(self.head[0][1])
        self.numbers += [number for number, _ in some]
        self._short += [(number, len(cells)) for number, cells in some if len(cells) < width]
        for place, cells in enumerate(itertools.zip_longest(*(cells for _, cells in some))):
            if place == len(self._columns):
                self._columns.append([None] * before)
                self._known.append({})
            self._columns[place] += map(self._known[place].setdefault, cells, cells)
        for column in self._columns:
            column.extend([None] * (len(self.numbers) - len(column)))

    def check_width(self, where: str) -> None:
        """Refuse rows with fewer fields than the header, or with values behind its last name."""
        width = len(header(self.head[0][1], where))
        short = {number for number, size in self._short if size < width}
        behind = zip(self._columns[width:], self._known[width:], strict=True)
        long = {
            number
            for column, known in behind
            if any(cell and cell.strip() for cell in known)
            for number, cell in zip(self.numbers[1:], column[1:], strict=True)
            if cell and cell.strip()
        }
        if ragged := sorted(short | long):
            shown = ", ".join(map(str, ragged[:5]))
            msg = f"{where}: {len(ragged)} line(s) have another number of columns than the header (line {shown})"
            raise DataError(msg)

    def columns_of(self, where: str) -> dict[str, list[str | None]]:
        """Return the columns that have a name, without it."""
        names = header(self.head[0][1], where)
        return {name: column[1:] for name, column in zip(names, self._columns, strict=False) if name}


def _delimiter(lines: list[str], wanted: Wanted) -> str:
    """Find out the delimiter: it gives most of the names that are looked for, then most lines of equal length."""

    def merit(sign: str) -> tuple[int, int, int]:
        try:
            tried = [cells for cells in csv.reader(lines[:_TRIED], delimiter=sign) if any(c.strip() for c in cells)]
        except csv.Error:
            tried = []
        names = [name.strip() for name in tried[0]] if tried else []
        alike = sum(len(cells) == len(names) for cells in tried[1:]) if len(names) > 1 else 0
        return len(wanted.known & set(names)), alike, len(names)

    return max(_DELIMITERS, key=merit)


def decoded(content: bytes, encoding: str, where: str) -> str:
    """Decode bytes in the protocol's encoding; marks of byte order are no part of the text, however many there are.

    A `ProtocolError` where there is no such encoding, a `DataError` where the bytes are not of it.
    """
    try:
        codec = _codec(encoding)
    except LookupError:
        near = did_you_mean(encoding, ["utf-8", "utf-16", "latin-1", "windows-1252"])
        msg = f"{where}: the protocol's encoding '{encoding}' is not known{near}"
        raise ProtocolError(msg) from None
    order = _byte_order(content)
    if codec.startswith("utf-16"):
        said = codec.removeprefix("utf-16").strip("-")
        if order is None or said not in {"", order}:
            is_ = "is not UTF-16 text" if order is None else f"is utf-16-{order} text"
            msg = f"{where} {is_}, but the protocol says {encoding}{_hint(content, encoding)}"
            raise DataError(msg)
        codec = f"utf-16-{order}"
    try:
        text = content.decode("utf-8" if codec == "utf-8-sig" else codec)
    except UnicodeError as error:
        line = content[: getattr(error, "start", 0)].count(b"\n") + 1
        msg = f"{where} is not {encoding} text (line {line}){_hint(content, encoding)}"
        raise DataError(msg) from None
    # In a code page of one byte any bytes are some text: UTF-8 would be read without an error, each letter as two.
    if not codec.startswith("utf-") and not content.isascii() and _is_utf8(content):
        msg = f"{where} is UTF-8 text, but the protocol says {encoding}; leave its encoding out"
        raise DataError(msg)
    if "\0" in text:
        msg = f"{where} holds NUL characters: it is not {encoding} text{_hint(content, encoding)}"
        raise DataError(msg)
    return text.replace(_MARK, "")  # also between files that were put together


def _codec(encoding: str) -> str:
    """Return an encoding's name; LookupError where there is none, or it is none of text, such as hex."""
    codec = codecs.lookup(encoding).name
    try:
        b"a".decode(codec)
    except UnicodeDecodeError:
        pass  # a letter alone is not everywhere a text
    except UnicodeError:  # the codec called "undefined"
        raise LookupError(encoding) from None
    return codec


def _byte_order(content: bytes) -> Literal["le", "be"] | None:
    """Return which half of UTF-16 comes first, by its mark or by where the zeros of plain letters lie."""
    if content.startswith(codecs.BOM_UTF16_LE):
        return "le"
    if content.startswith(codecs.BOM_UTF16_BE):
        return "be"
    first, second = content[0:4096:2].count(0), content[1:4096:2].count(0)
    # Delimiters and digits are in every table: of UTF-16 at least an eighth of one half is zeros. Fewer are damage.
    if max(first, second) <= len(content[:4096]) // 16:
        return None
    return "le" if second > first else "be"


def _hint(content: bytes, encoding: str) -> str:
    """Say which encoding a file seems to have, where that is another than was said."""
    seems = _seems(content)
    return "" if seems == encoding.lower() else f"; say its encoding in the protocol, it may be {seems}"


def _check_letters(content: bytes, where: str) -> None:
    """Refuse a text of which most letters are UTF-8 and some are not: read in another encoding all would be wrong."""
    text = content.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    if sum(not letter.isascii() for letter in text) > 2 * bad:
        line = text[: text.index("\ufffd")].count("\n") + 1
        msg = (
            f"{where} is UTF-8 text but for some letters (line {line}): it is cut off, or put together of two encodings"
        )
        raise DataError(msg)


def _seems(content: bytes) -> str:
    return "utf-16" if _byte_order(content) else "utf-8" if _is_utf8(content) else "windows-1252"


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".xlsm", ".duckdb", ".db")
_WITH_LINES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
SEALED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
}
"""Settings of a DuckDB that reads one file and nothing else."""


def sha256(path: Path) -> str:
    """Return a file's SHA-256, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def of_several(digests: list[str]) -> str:
    """Return a table's digest: that of its file, or one of the digests of all its files in their order."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def read_file(path: Path, table: Table, wanted: Wanted) -> RawTable:
    """Read one table's file; the default table of a DuckDB file is the one that has our name.

    A `DataError` where it is missing, of an unknown kind, or cannot be read.
    """
    _check_path(path, table, wanted.name)
    suffix, where = path.suffix.lower(), f"{wanted.name}: file {path.name}"
    try:
        if suffix == ".parquet":
            return _parquet(path, wanted, where)
        if suffix in {".duckdb", ".db"}:
            return _duckdb(path, table.table or wanted.name, where)
        if suffix in {".xlsx", ".xlsm"}:
            return read_workbook(path, table, wanted, where)
        return read_csv(path, table, wanted, where)
    except EvalkitError:
        raise
    except OSError as error:
        # The reason only: some readers put the file's content into their messages.
        msg = f"{where} cannot be read ({error.strerror or type(error).__name__})"
    except duckdb.IOException as error:
        locked = "lock" in str(error)
        msg = f"{where} is open in another program; close it there" if locked else _damaged(where, error)
    except BaseException as error:
        # Whatever a reader makes of a broken file is a finding of this table: the others are still read. What the
        # reader in Rust gives up with is no Exception.
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        msg = _damaged(where, error)
    raise DataError(msg)


def _check_path(path: Path, table: Table, name: str) -> None:
    """Refuse what is no file, or none that can be read as the protocol says."""
    if path.is_dir() or (path.exists() and not path.is_file()):
        msg = f"{name}: {path} is a folder or a device, no file; say the file itself"
        raise DataError(msg)
    if not path.is_file():
        near = did_you_mean(path.name, (p.name for p in path.parent.glob("*"))) if path.parent.is_dir() else ""
        msg = f"{name}: file {path} is not there{near}"
        raise DataError(msg)
    suffix = path.suffix.lower()
    if suffix == ".xls":
        msg = f"{name}: file {path.name} is a file of an old Excel; save it as .xlsx"
        raise DataError(msg)
    if suffix not in SUFFIXES:
        msg = f"{name}: file {path.name} is of an unknown kind; known are {', '.join(SUFFIXES)}"
        raise DataError(msg)
    if (table.skip_rows or table.skip_footer) and suffix not in _WITH_LINES:
        msg = f"{name}: file {path.name} has no lines to skip; leave skip_rows and skip_footer out"
        raise DataError(msg)


def _damaged(where: str, error: BaseException) -> str:
    return f"{where} is damaged, or not what its name says ({type(error).__name__})"


def _parquet(path: Path, wanted: Wanted, where: str) -> RawTable:
    file = pq.ParquetFile(path)
    for place in range(len(file.schema)):
        column = file.schema.column(place)
        if column.physical_type == "INT96" and column.name in wanted.known:
            # Spark writes moments in UTC in this form, others the clock on the wall; the file does not say which.
            msg = f"{where}: column '{column.name}' holds times of the old kind INT96; write days, or times with a zone"
            raise DataError(msg)
    return _arrow(file.read(), where)


def _duckdb(path: Path, table: str, where: str) -> RawTable:
    log = path.with_name(f"{path.name}.wal")
    if log.exists() and log.stat().st_size:
        # What was written last stands in there: a copy, or a digest, of the file alone is another table.
        msg = (
            f"{where} was not closed: its last rows are in {log.name}; close it where it is written, or run CHECKPOINT"
        )
        raise DataError(msg)
    # A file may hold views, which can read any other file and do so on the machine's own clock and settings.
    with duckdb.connect(str(path), read_only=True, config=SEALED) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        tables = connection.execute("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
        views = connection.execute("SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        schema, _, name = table.rpartition(".")
        place = (schema or "main", name)
        if place in views:
            msg = f"{where}: '{table}' is a view, which may read other files; store its rows as a table"
            raise DataError(msg)
        if place not in tables:
            known = [n if s == "main" else f"{s}.{n}" for s, n in tables]
            msg = f"{where} has no table '{table}'{did_you_mean(table, known)}"
            raise DataError(msg)
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in place)
        return _arrow(connection.execute(f"SELECT * FROM {quoted}").to_arrow_table(), where)  # noqa: S608 - a known name


def _arrow(table: pa.Table, where: str) -> RawTable:
    names = header(table.column_names, where)
    columns = {name: _values(table.column(i)) for i, name in enumerate(names) if name}
    return RawTable(columns, list(range(1, table.num_rows + 1)))


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return a column's values; a time keeps its moment, whatever zone the file names it in."""
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = column.cast(pa.timestamp(column.type.unit, "UTC"))
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):  # a day that Python does not know, such as infinity
        return [_value(cell) for cell in column]


def _value(cell: pa.Scalar) -> Any:  # noqa: ANN401 - whatever stands in it
    try:
        return cell.as_py()
    except (OverflowError, ValueError):
        return math.inf  # which nothing can be read from
