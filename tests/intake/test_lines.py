"""Lines, headers, encodings and codes on both sides of their limits."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from evalkit.errors import DataError, ProtocolError
from evalkit.intake._files import _byte_order, _delimiter, decoded, lines_of, read_csv
from evalkit.intake._findings import Finding, Findings, finding
from evalkit.intake._raw import Broken, RawTable, Wanted, check_header, header
from evalkit.intake._read import _blanks, _midnight, _midnights, _true, missing_columns
from evalkit.intake._rules import _listed, _range_text, codes_in, folded, nearest, spelt_alike
from evalkit.intake._spec import ColumnSpec, table_spec
from evalkit.intake._workbook import _number
from evalkit.protocol import Table
from intake.test_boundaries import STUDY

WANTED = Wanted("people", frozenset({"a", "b"}), frozenset({"a", "b", "c"}))


def csv(folder: Path, text: str | bytes, **table: object) -> RawTable:
    file = folder / "t.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_csv(file, Table(**table), WANTED, "people: file t.csv")


def refused(call: object) -> str:
    with pytest.raises((DataError, ProtocolError)) as error:
        call()  # type: ignore[operator]
    return str(error.value)


# -- lines -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "table", "rows", "a"),
    [
        ("a,b\n1,2\n", {}, [2], ["1"]), ("\n a , b \n1,2\n\n3,4\n", {}, [3, 5], ["1", "3"]), ("a,b,,\n1,2,,\n", {}, [2], ["1"]),
        ("a,b\n1,2,\n", {}, [2], ["1"]), ("t\na,b\n1,2\n", {"skip_rows": 1}, [3], ["1"]), ("a,b\n1,2\nx\n", {"skip_footer": 1}, [2], ["1"]),
        ("a,b\n1,2\nx\n\n,,\n", {"skip_footer": 1}, [2], ["1"]), ('a,b\n1,2\nx,y\n ; "|" \n', {"skip_footer": 1}, [2], ["1"]),
        ("a,b\n1,2\nx\ny\n", {"skip_footer": 2}, [2], ["1"]), ("a,b\n1,2\n", {"skip_footer": 5}, None, None), ("a,b\n", {"skip_footer": 0}, [], []),
        ('a,b\n"1\n1",2\n3,4\n', {}, [3, 4], ["1\n1", "3"]), ("sep=;\na;b\n1;2\n", {}, [3], ["1"]), ("sep=;\na;b\n1;2\n", {"skip_rows": 1}, [3], ["1"]),
        ("sep=;\nt\na;b\n1;2\n", {"skip_rows": 2}, [4], ["1"]), ("a|b\n1|2\n", {"delimiter": "|"}, [2], ["1"]),
    ],
)  # fmt: skip
def test_which_lines_are_read(
    text: str, table: dict[str, object], rows: list[int] | None, a: list[str] | None, tmp_path: Path
) -> None:
    if rows is None:
        assert refused(lambda: csv(tmp_path, text, **table)) == "people: file t.csv is empty"
        return
    found = csv(tmp_path, text, **table)
    assert (found.rows, found.columns["a"]) == (rows, a)


def test_what_a_footer_held_is_kept_with_its_lines(tmp_path: Path) -> None:
    found = csv(tmp_path, "a,b\n1,2\n3,4\n\n5,\n", skip_footer=2)
    assert (found.rows, found.footer_rows, found.footer) == ([2], [3, 5], {"a": ["3", "5"], "b": ["4", ""]})


WHERE = "people: file t.csv"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1\n", f"{WHERE}: 1 line(s) have another number of columns than the header (line 2)"),
        ("a,b\n1,2,3\n4\n5,6\n", f"{WHERE}: 2 line(s) have another number of columns than the header (line 2, 3)"),
        ("a,b\n" + "1\n" * 7, f"{WHERE}: 7 line(s) have another number of columns than the header (line 2, 3, 4, 5, 6)"),
        ('a,b\n1,"2\n', f"{WHERE}: line 2 is not CSV (a quote that does not close, or a field without end)"),
        ("", f"{WHERE} is empty"), ("\n \n", f"{WHERE} is empty"),
        ("a,a\n", f"{WHERE}: columns 1 and 2 have the same name in the header line"),
        ("x,a,y,a\n", f"{WHERE}: columns 2 and 4 have the same name in the header line"),
        ("t\nmore\na,b\n1,2\n", f"{WHERE}: row 3 looks like its header line; say skip_rows: 2 in the protocol"),
        (b"PK\x03\x04", f"{WHERE} is no text but a workbook, a Parquet file or an archive, whatever its name says"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_lines(text: str | bytes, said: str, tmp_path: Path) -> None:
    assert refused(lambda: csv(tmp_path, text)) == said


def test_how_far_down_a_header_is_looked_for() -> None:
    def lines(n: int) -> list[tuple[int, list[str]]]:
        return [*((i, ["x"]) for i in range(1, n)), (n, ["a", "b"])]

    for n, found in ((20, True), (21, False)):
        if found:
            assert (
                refused(lambda n=n: check_header(lines(n), WANTED, "f"))
                == f"f: row {n} looks like its header line; say skip_rows: {n - 1} in the protocol"
            )
        else:
            check_header(lines(n), WANTED, "f")
    check_header([(1, ["x"]), (2, ["a", "x"])], WANTED, "f")  # one name alone may be a value
    check_header([(1, ["a"]), (2, ["a", "b"])], WANTED, "f")
    assert header(["\ufeffa", "b\u200b ", None, ""], "f") == ["a", "b"]
    assert refused(lambda: header([None, " "], "f")) == "f has no header line"
    assert (
        refused(lambda: header(["a", Broken.ERROR], "f"))
        == "f: the name of column 2 holds a formula's error; open the file in Excel and save it"
    )


@pytest.mark.parametrize(
    ("lines", "sign"),
    [
        (["a,b", "1,2"], ","), (["a;b", "1;2"], ";"), (["a\tb", "1\t2"], "\t"), (["a|b"], "|"), (["x;y,z", "1;2,3", "4;5"], ";"),
        (["a;b,x,y", "1;2,3,4"], ";"), (["x", "y"], ","), ([], ","), (["", "a;b"], ";"),
    ],
)  # fmt: skip
def test_which_delimiter_it_is(lines: list[str], sign: str) -> None:
    assert _delimiter(lines, WANTED) == sign


# -- encodings -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "order"),
    [(b"\xff\xfea", "le"), (b"\xfe\xffa", "be"), (("abcd" * 8).encode("utf-16-le"), "le"),
     (("abcd" * 8).encode("utf-16-be"), "be"), (b"abcd", None), (b"", None), (b"\0a" + b"a" * 14, None), (b"\0a\0a" + b"a" * 28, None),
     (b"\0a\0a\0a" + b"a" * 26, "be"), (b"a\0a\0a\0" + b"a" * 26, "le")],
)  # fmt: skip
def test_which_half_of_a_letter_comes_first(content: bytes, order: str | None) -> None:
    assert _byte_order(content) == order


@pytest.mark.parametrize(
    ("content", "encoding", "said"),
    [
        (b"a\n\xe9", "utf-8", "f is not utf-8 text (line 2); say its encoding in the protocol, it may be windows-1252"),
        ("é".encode(), "latin-1", "f is UTF-8 text, but the protocol says latin-1; leave its encoding out"),
        (b"a\0b", "utf-8", "f holds NUL characters: it is not utf-8 text; say its encoding in the protocol, it may be utf-16"),
        (b"a", "utf-9", "f: the protocol's encoding 'utf-9' is not known; did you mean 'utf-8'?"),
        (b"abcd", "utf-16", "f is not UTF-16 text, but the protocol says utf-16; say its encoding in the protocol, it may be utf-8"),
        (b"\xfe\xff\0a", "utf-16-le", "f is utf-16-be text, but the protocol says utf-16-le; say its encoding in the protocol, it may be utf-16"),
    ],
)  # fmt: skip
def test_text_of_another_encoding(content: bytes, encoding: str, said: str) -> None:
    assert refused(lambda: decoded(content, encoding, "f")) == said


# -- columns ---------------------------------------------------------------------------------------------------------
PEOPLE = table_spec(STUDY, "participants")
REQUIRED = ["participant_id", "pathway", "referral_date", "intake_date", "age"]


def missing(names: list[str], **table: object) -> list[tuple[str, str]]:
    return [(f.column, f.text) for f in missing_columns(PEOPLE, Table(**table), names)]


def test_columns_that_ought_to_be_there() -> None:
    assert missing(REQUIRED) == []
    assert missing([*REQUIRED[1:], "participant-id"]) == [
        ("participant_id", "column 'participant_id' is missing; did you mean 'participant-id'?")
    ]
    assert missing(["x", "y"]) == [
        ("", f"none of the columns {', '.join(REQUIRED)} is there: is the first line the header?")
    ]
    assert missing(REQUIRED, columns={"site": "Office"}) == [("site", "column 'Office' is missing")]
    assert missing([*REQUIRED, "Office"], columns={"site": "Office"}) == []
    assert missing([*REQUIRED[:4], "1age", "Jane Roe <j@x>"]) == [
        ("age", "column 'age' is missing")
    ]  # what may be a value is not said


@pytest.mark.parametrize(
    ("value", "true"),
    [
        ("true", True),
        (" TRUE ", True),
        ("1", True),
        (1, True),
        (1.0, True),
        (True, True),
        ("no", False),
        ("", False),
        (None, False),
        (0, False),
        ("2", False),
    ],
)
def test_what_says_that_a_table_is_synthetic(value: object, true: bool) -> None:
    assert _true(value) is true


def test_midnights_of_another_day() -> None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    chicago, tokyo, utc = ZoneInfo("America/Chicago"), ZoneInfo("Asia/Tokyo"), ZoneInfo("UTC")
    for text, zone, found in (
        ("2022-02-03T00:00Z", chicago, True), ("2022-02-03 00:00:00.000+00:00", chicago, True), ("2022-02-03T00:00Z", tokyo, False),
        ("2022-02-03T00:00Z", utc, False), ("2022-02-03T00:01Z", chicago, False), ("2022-02-03T00:00", chicago, False), ("x", chicago, False),
    ):  # fmt: skip
        assert _midnight(text, zone) is found, text
    assert _midnight(datetime(2022, 2, 3, tzinfo=UTC), chicago) and not _midnight(datetime(2022, 2, 3), chicago)
    assert _midnights(["2022-02-03T00:00Z", None, ""], chicago) and not _midnights([None, ""], chicago)
    assert not _midnights(["2022-02-03T00:00Z", "2022-02-03T01:00Z"], chicago)


def test_blanks_around_values_of_a_list() -> None:
    listed_, free = ColumnSpec("kind", "text", "x", allowed=("a",)), ColumnSpec("kind", "text", "x")
    raw = RawTable({"k": ["a", " a", "a ", " ", "", 3]}, [2, 3, 4, 5, 6, 7])
    assert [(f.rule, f.severity, f.rows) for f in _blanks("t", listed_, raw, "k")] == [
        ("outer_blanks", "warning", (3, 4))
    ]
    assert _blanks("t", free, raw, "k") == []


# -- codes -----------------------------------------------------------------------------------------------------------
def test_spellings_of_one_value() -> None:
    values = pd.Series(["North", "north", "NORTH ", "north", None, "South", "so uth", "East"])
    assert spelt_alike(values) == {"North": "north", "NORTH ": "north"}
    assert spelt_alike(pd.Series(["b_a", "B A", "b-a"])) == {
        "b-a": "B A",
        "b_a": "B A",
    }  # one each: the first in the alphabet
    assert [folded(text) for text in (" DV\u00a0Arrest\u200b", "dv-arrest", "__", "ﬁ")] == [
        "dv_arrest",
        "dv_arrest",
        "__",
        "fi",
    ]
    assert nearest("Grp", ["group", "individual"]) == "group"
    assert nearest("xyz", ["group", "individual"]) == ""
    assert nearest("GROUP ", ["individual", "group"]) == "group"


def test_codes_and_what_they_may_stand_for() -> None:
    frame = pd.DataFrame({"participant_id": "p", "kind": ["group", "Grp", "Grp", "zz\u200b"], "status": "attended"})
    spec = table_spec(STUDY, "sessions")
    for column in spec.columns:
        if column.name not in frame:
            frame[column.name] = None
    found = codes_in({"sessions": frame}, {"sessions": spec})
    assert dict(found.counts) == {("sessions", "kind"): {"Grp": 2, "zz\u200b": 1}}
    assert (
        found.to_json() == '{\n  "sessions": {\n    "kind": {\n      "Grp": 2,\n      "zz\\u200b": 1\n    }\n  }\n}\n'
    )
    assert found.proposal().splitlines() == [
        "# Proposed, by spelling alone: check each line, then put it into the protocol.", "tables:", "  sessions:", "    values:",
        '      kind:  # named: "group", "individual", "case_management"', '        "Grp": "group"  # 2 rows',
        '        # "zz\\u200b": ?  # 1 row, like none of them', "# What is to be kept out is listed under ignore: {table: {column: [value]}}.",
    ]  # fmt: skip
    nothing = codes_in({"sessions": frame.iloc[:1]}, {"sessions": spec})
    assert (bool(found), bool(nothing), nothing.proposal()) == (
        True,
        False,
        "Every value is one that the protocol names.",
    )


# -- findings --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("made", "said"),
    [
        (Finding("t", "c", "r", "error", 0, (), "is x"), "error: t.c: is x [r]"), (Finding("t", "", "r", "warning", 0), "warning: t: r [r]"),
        (finding("t", "c", "r", "error", [7], "is x"), "error: t.c: is x [r]: 1 row (row 7)"),
        (finding("t", "c", "r", "error", [9, 7], "is x"), "error: t.c: is x [r]: 2 rows (rows 7, 9)"),
        (finding("t", "c", "r", "error", range(5), "is x"), "error: t.c: is x [r]: 5 rows (rows 0, 1, 2, 3, 4)"),
        (finding("t", "c", "r", "error", range(6), "is x"), "error: t.c: is x [r]: 6 rows (rows 0, 1, 2, 3, 4, ...)"),
        (Finding("t", "c", "r", "excused", 2, (), "is x"), "excused: t.c: is x [r]: 2 rows"),
    ],
)  # fmt: skip
def test_a_finding_in_a_line(made: Finding, said: str) -> None:
    assert str(made) == said


def test_findings_are_counted_and_sorted() -> None:
    error, excused, warning = (Finding("t", "", s, s, 0) for s in ("error", "excused", "warning"))  # type: ignore[arg-type]
    found = Findings((warning, error, excused, warning))
    assert (
        str(found)
        == "1 error(s), 2 warning(s), 1 excused\n  error: t: error [error]\n  excused: t: excused [excused]\n"
        + "\n".join(["  warning: t: warning [warning]"] * 2)
    )
    assert (found.ok, Findings((excused, warning)).ok, str(Findings())) == (False, True, "No problem found.")
    assert str(Findings((warning,))) == "0 error(s), 1 warning(s)\n  warning: t: warning [warning]"
    assert len(found) == 4 and list(found) == [warning, error, excused, warning]
    with pytest.raises(DataError) as raised:
        Findings((error, error)).raise_for_errors()
    assert (str(raised.value), raised.value.lines) == (
        "t: error [error]; and t: error [error]",
        ("error: t: error [error]",) * 2,
    )
    Findings((excused, warning)).raise_for_errors()


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (1, "v0"),
        (20, ", ".join(f"v{i}" for i in range(20))),
        (21, ", ".join(f"v{i}" for i in range(20)) + " and 1 more"),
    ],
)
def test_a_long_list_is_cut(n: int, said: str) -> None:
    assert _listed(tuple(f"v{i}" for i in range(n))) == said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0, 24, "is not 0 or more and 24 or less"), (1.5, None, "is not 1.5 or more"), (None, 3, "is not 3 or less")],
)
def test_ranges_in_words(low: float | None, high: float | None, said: str) -> None:
    assert _range_text(ColumnSpec("x", "number", "x", minimum=low, maximum=high)) == said


@pytest.mark.parametrize(
    ("letters", "number"), [("A", 1), ("Z", 26), ("AA", 27), ("AZ", 52), ("BA", 53), ("XFD", 16384)]
)
def test_columns_of_a_sheet(letters: str, number: int) -> None:
    assert _number(letters) == number


@pytest.mark.parametrize("row", ["p9,b", 'p9,"a note\nof two lines"'])
def test_a_quote_that_stays_open_swallows_no_rows(tmp_path: Path, row: str) -> None:
    rows, bad = [row] * 26, 'p3,"open'
    file = tmp_path / "x.csv"
    file.write_text("\n".join(['"Title" of 2022', "participant_id,site", "p1,a", *rows]), encoding="utf-8")
    assert len(lines_of(file, "exits")[1]) == 29
    file.write_text("\n".join(["participant_id,site", "p1,a", bad, *rows]), encoding="utf-8")
    with pytest.raises(DataError, match="is not CSV"):
        lines_of(file, "exits")
