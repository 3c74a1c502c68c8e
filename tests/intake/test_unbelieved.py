"""Files are not believed about themselves: read right whatever they say, or refused by table and file."""

from __future__ import annotations

import datetime as dt
import io
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pytest
from openpyxl.chart import BarChart, Reference

from evalkit.errors import DataError, ProtocolError
from evalkit.intake import open_data, table_digests, validate
from evalkit.intake._open import read_all
from evalkit.intake._workbook import sheet_names
from intake.corrupted import TODAY, good, study_of
from intake.test_sources import HEAD, NAMES, people_at, referrals, small

ROWS: list[list[object]] = [
    ["007", "paip", dt.datetime(2022, 2, 3), None, "NA"],
    ["0042", "non_mandated", dt.datetime(2022, 2, 10, 23, 59), dt.date(2022, 2, 11), "None"],
    ["1e5", "paip", dt.datetime(2022, 12, 31), None, " null "],
]
DAYS = ["2022-02-03", "2022-02-10", "2022-12-31"]
Change = Callable[[str, bytes], bytes]


def book(rows: list[list[object]] | None = None, *, skipped: int = 0) -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    made.active.title = "export"
    for _ in range(skipped):
        made.active.append(["A title"])
    for row in [NAMES, *(ROWS if rows is None else rows)]:
        made.active.append(row)
    return made


def saved(folder: Path, made: openpyxl.Workbook, change: Change | None = None, name: str = "people.xlsx") -> Path:
    """Save a workbook, its parts changed."""
    plain = io.BytesIO()
    made.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, change(item.filename, old.read(item)) if change else old.read(item))
    return folder / name


def in_sheet(pattern: bytes, new: bytes) -> Change:
    return lambda name, text: re.sub(pattern, new, text, flags=re.S) if name.endswith("sheet1.xml") else text


def in_styles(pattern: bytes, new: bytes) -> Change:
    return lambda name, text: re.sub(pattern, new, text, flags=re.S) if name.endswith("styles.xml") else text


def strict(name: str, text: bytes) -> bytes:
    del name
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    text = text.replace(main, b"http://purl.oclc.org/ooxml/spreadsheetml/main")
    return text.replace(office, b"http://purl.oclc.org/ooxml/officeDocument/relationships")


def iso_days(name: str, text: bytes) -> bytes:
    """Strict Open XML as Excel saves it: days in text."""
    days = rb'\1 t="d"><v>2022-02-03T00:00:00</v>'
    return strict(name, in_sheet(rb'(<c r="C2" s="\d+") t="n"><v>[^<]*</v>', days)(name, text))


def prefixed(name: str, text: bytes) -> bytes:
    if not name.endswith("sheet1.xml"):
        return text
    return re.sub(rb"<(/?)(?!\?)(\w)", rb"<\1x:\2", text).replace(b"xmlns=", b"xmlns:x=")


CHANGES: dict[str, Change] = {
    "as it is": lambda _, text: text,
    "dimension too small": in_sheet(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"'),
    "dimension of one cell": in_sheet(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"'),
    "dimension far too large": in_sheet(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"'),
    "no dimension": in_sheet(rb"<dimension[^>]*/>", b""),
    "empty fill": in_styles(rb"<fill>.*?</fill>", b"<fill/>"),
    "empty border": in_styles(rb"<border>.*?</border>", b"<border/>"),
    "a style that is not there": in_sheet(rb'r="A2"', b'r="A2" s="900"'),
    "a colour that is none": in_styles(rb"<font>", b'<font><color rgb="zz"/>'),
    "strict": strict,
    "strict with days in text": iso_days,
    "prefixed": prefixed,
}


@pytest.mark.parametrize("change", CHANGES)
def test_workbooks_that_excel_opens(change: str, tmp_path: Path) -> None:
    saved(tmp_path, book(), CHANGES[change])
    data = open_data(people_at(tmp_path, "people.xlsx"))
    frame = data.frame("participants")
    assert referrals(data) == DAYS
    assert frame["participant_id"].tolist() == ["007", "0042", "1e5"]
    assert data.inputs[0].n_rows == 3


SHARED = {
    "_rels/.rels": '<Relationships xmlns="R"><Relationship Id="a" Type="O/officeDocument" Target="/xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="M" xmlns:r="O"><sheets><sheet name="s" sheetId="1" r:id="b"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="R"><Relationship Id="b" Type="O/worksheet" Target="deep/page.xml"/>'
    '<Relationship Id="c" Type="O/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    "xl/sharedStrings.xml": '<sst xmlns="M"><si><t>participant_id</t></si><si><t>pathway</t></si><si><r><t>referral</t></r><r><t>_date</t></r></si>'
    "<si><t>intake_date</t></si><si><t>site</t></si><si><t>007</t></si><si><t>paip</t></si><si><t>2022-02-03</t></si><si><t>NA</t></si></sst>",
    "xl/deep/page.xml": '<worksheet xmlns="M"><sheetData>'
    + "".join("<row>" + "".join(f'<c t="s"><v>{n}</v></c>' for n in row) + "</row>" for row in ([0, 1, 2, 3, 4], [5, 6, 7]))
    + "</sheetData></worksheet>",
}  # fmt: skip
NAMESPACES = {
    "R": "http://schemas.openxmlformats.org/package/2006/relationships",
    "M": "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "O": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
}


def shared(folder: Path, change: Change = lambda _, text: text, name: str = "people.xlsx") -> Path:
    """A workbook with shared texts (also of several runs), cells without places, and a sheet in another folder than Excel's."""
    with zipfile.ZipFile(folder / name, "w") as made:
        for part, text in SHARED.items():
            for short, long in NAMESPACES.items():
                text = text.replace(f'"{short}"', f'"{long}"').replace(f'"{short}/', f'"{long}/')  # noqa: PLW2901
            made.writestr(part, change(part, text.encode()))
    return folder / name


@pytest.mark.parametrize("change", ["as it is", "strict"])
def test_shared_texts_and_cells_without_places(change: str, tmp_path: Path) -> None:
    shared(tmp_path, CHANGES[change])
    data = open_data(people_at(tmp_path, "people.xlsx"))
    assert referrals(data) == DAYS[:1]
    assert data.frame("participants")["participant_id"].tolist() == ["007"]


def test_texts_arrive_as_they_are(tmp_path: Path) -> None:
    """What a reader of files must not do: take NA, None or null for nothing, a zero off, a number for a text."""
    saved(tmp_path, book())
    (tmp_path / "people.csv").write_text(
        ",".join(NAMES) + "\n007,paip,2022-02-03,,NA\n0042,paip,2022-02-10,,None\n1e5,paip,2022-12-31,, null \n"
    )
    from evalkit.intake._files import read_file
    from evalkit.intake._raw import Wanted

    for name in ("people.xlsx", "people.csv"):
        table = people_at(tmp_path, name).tables["participants"]
        raw = read_file(tmp_path / name, table, Wanted("participants"))
        assert raw.columns["participant_id"] == ["007", "0042", "1e5"]
        assert raw.columns["site"] == ["NA", "None", " null "]


def test_a_chart_first(tmp_path: Path) -> None:
    made = book()
    drawn = BarChart()
    drawn.add_data(Reference(made.active, min_col=1, min_row=1, max_row=3))
    made.create_chartsheet("Chart", 0).add_chart(drawn)
    saved(tmp_path, made)
    assert referrals(open_data(people_at(tmp_path, "people.xlsx"))) == DAYS
    with pytest.raises(DataError, match="'Chart' is a chart, no sheet with rows"):
        open_data(people_at(tmp_path, "people.xlsx", table="Chart"))


@pytest.mark.parametrize(("place", "hidden"), [(0, False), (0, True), (1, False)])
def test_the_sheet_that_has_the_columns(place: int, hidden: bool, tmp_path: Path) -> None:
    made = book()
    notes = made.create_sheet("Notes", place)
    notes.append(["Prepared by somebody"])
    notes.sheet_state = "hidden" if hidden else "visible"
    made.create_sheet("Nothing", 0)
    saved(tmp_path, made)
    assert referrals(open_data(people_at(tmp_path, "people.xlsx"))) == DAYS


def test_a_year_on_each_sheet_is_not_read_in_part(tmp_path: Path) -> None:
    made = book()
    made.copy_worksheet(made.active).title = "2023"
    saved(tmp_path, made)
    with pytest.raises(
        DataError, match=r"people\.xlsx has 2 sheets with these columns \('export', '2023'\); say which"
    ):
        open_data(people_at(tmp_path, "people.xlsx"))
    assert referrals(open_data(people_at(tmp_path, "people.xlsx", table="2023"))) == DAYS


@pytest.mark.parametrize(
    ("cells", "column", "rule", "words"),
    [
        ({"C2": "=A1", "C4": "=TODAY()"}, "referral_date", "uncalculated_formula", "2 cell(s) of column 'referral_date' on sheet 'export'"),
        ({"A3": "=1+1"}, "participant_id", "uncalculated_formula", "1 cell(s) of column 'participant_id' on sheet 'export'"),
        ({"E5": '="x"', "D5": "=B1"}, "site", "uncalculated_formula", "1 cell(s) of column 'site' on sheet 'export'"),
        ({"C3": "#REF!"}, "referral_date", "formula_error", "1 cell(s) of column 'referral_date'"),
        ({"E2": "#DIV/0!", "E3": "#NAME?"}, "site", "formula_error", "2 cell(s) of column 'site'"),
        ({"A2": "#VALUE!"}, "participant_id", "formula_error", "1 cell(s) of column 'participant_id'"),
    ],
)  # fmt: skip
def test_formulas_without_a_value(cells: dict[str, str], column: str, rule: str, words: str, tmp_path: Path) -> None:
    made = book()
    for place, content in cells.items():
        made.active[place] = content
        if content.startswith("#"):
            made.active[place].data_type = "e"
    saved(tmp_path, made)
    findings = [f for f in read_all(people_at(tmp_path, "people.xlsx")).findings if f.column == column]
    assert [(f.rule, f.severity) for f in findings] == [(rule, "error")]
    assert words in findings[0].text
    assert findings[0].n_rows == sum(place[0] == next(iter(cells))[0] for place in cells)


def test_formulas_that_were_calculated(tmp_path: Path) -> None:
    """Empty text is a result, and so is a 0, unless the workbook asks to be calculated when it is opened."""
    made = book([[f"p{n}", "paip", "2022-02-03", None, "x"] for n in range(4)])
    change = in_sheet(rb'<c r="E2"[^>]*>.*?</c>', b'<c r="E2" t="str"><f>IF(1,"")</f><v></v></c>')
    zero = in_sheet(rb'<c r="E3"[^>]*>.*?</c>', b'<c r="E3"><f>A1*0</f><v>0</v></c>')
    calm = lambda name, text: text.replace(b'fullCalcOnLoad="1"', b"") if name == "xl/workbook.xml" else text  # noqa: E731
    saved(tmp_path, made, lambda name, text: calm(name, zero(name, change(name, text))))
    assert open_data(people_at(tmp_path, "people.xlsx")).frame("participants")["site"].tolist() == [None, "0", "x", "x"]
    saved(tmp_path, made, lambda name, text: zero(name, change(name, text)))
    assert [f.n_rows for f in read_all(people_at(tmp_path, "people.xlsx")).findings] == [1]


def test_formulas_beside_the_table_do_not_matter(tmp_path: Path) -> None:
    made = book()
    made.active["G1"], made.active["G2"], made.active["A6"] = "today's age", "=1+1", "=COUNTA(A2:A4)"
    saved(tmp_path, made)
    assert referrals(open_data(people_at(tmp_path, "people.xlsx", skip_footer=1))) == DAYS


def test_a_header_that_was_never_calculated(tmp_path: Path) -> None:
    made = book()
    made.active["C1"] = '="referral"&"_date"'
    saved(tmp_path, made)
    with pytest.raises(DataError, match="the name of column 3 holds formulas that were never calculated"):
        open_data(people_at(tmp_path, "people.xlsx"))


def test_a_cell_far_from_the_table(tmp_path: Path) -> None:
    made = book()
    made.active["XFD1048576"] = "x"
    saved(tmp_path, made)
    with pytest.raises(DataError, match="a cell of sheet 'export' stands far from the table, in row 1048576"):
        open_data(people_at(tmp_path, "people.xlsx"))


def ole(stream: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + stream.encode("utf-16-le") + b"\0" * 600


def zipped(change: Change) -> Callable[[Path], bytes]:
    return lambda folder: saved(folder, book(), change, "made.xlsx").read_bytes()


def entities(part: str) -> Change:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    return lambda name, text: (
        text.replace(b"?>", b"?>" + laughs, 1)
        if name.endswith(part) and b"?>" in text
        else (laughs + text if name.endswith(part) else text)
    )


def cut(share: float) -> Callable[[Path], bytes]:
    def content(folder: Path) -> bytes:
        whole = saved(folder, book(), name="made.xlsx").read_bytes()
        return whole[: int(len(whole) * share)]

    return content


REFUSED: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "protected": (lambda _: ole("EncryptedPackage"), "is protected by a password; save it without one"),
    "old": (lambda _: ole("Workbook"), "is a file of an old Excel"),
    "entities in the sheet": (zipped(entities("sheet1.xml")), "declares entities of its own"),
    "entities in the texts": (
        lambda f: shared(f, entities("sharedStrings.xml")).read_bytes(),
        "declares entities of its own",
    ),
    "entities in the styles": (zipped(entities("styles.xml")), "declares entities of its own"),
    "entities in the book": (zipped(entities("workbook.xml")), "declares entities of its own"),
    "half": (cut(0.5), "is damaged"),
    "nearly whole": (cut(0.98), "is damaged"),
    "nothing": (lambda _: b"", "is damaged"),
    "half a sheet": (zipped(lambda n, t: t[: len(t) // 2] if n.endswith("sheet1.xml") else t), "is damaged"),
    "a zip of something else": (zipped(lambda n, t: t if n.endswith("styles.xml") else b""), "is damaged"),
    "no styles that can be read": (zipped(lambda n, t: t[:200] if n.endswith("styles.xml") else t), "is damaged"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_one_bad_file_is_one_finding_and_the_others_are_checked(kind: str, tmp_path: Path) -> None:
    made, words = REFUSED[kind]
    tables = good()
    tables["measures"].loc[3, "score"] = "not a number at all"
    study = study_of(tmp_path, tables)
    (tmp_path / "exits.xlsx").write_bytes(made(tmp_path))
    changed = {**study.model_dump()["tables"], "exits": {"path": "exits.xlsx"}}
    study = type(study).model_validate({**study.model_dump(), "tables": changed}).with_path(study.path)
    found = validate(study, today=TODAY)
    about = [f for f in found.errors if f.table == "exits"]
    assert [f.rule for f in about] == ["unreadable_table"]
    assert "file exits.xlsx" in about[0].text and words in about[0].text, about[0].text
    assert [(f.table, f.rule) for f in found.errors if f.table != "exits"] == [("measures", "unreadable_number")]


def test_bad_participants_do_not_make_everybody_else_unknown(tmp_path: Path) -> None:
    study = study_of(tmp_path, good())
    (tmp_path / "participants.csv").write_bytes(b"\xff\xfe\x00")
    assert [(f.table, f.rule) for f in validate(study, today=TODAY).errors] == [("participants", "unreadable_table")]


def test_an_old_workbook_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"people\.xls is a file of an old Excel; save it as \.xlsx"):
        open_data(small(tmp_path, ole("Workbook"), "people.xls"))


def error_cell(place: str, content: bytes) -> Change:
    return in_sheet(
        rb'<c r="' + place.encode() + rb'"[^>]*?(?:/>|>.*?</c>)',
        b'<c r="' + place.encode() + b'" t="e">' + content + b"</c>",
    )


@pytest.mark.parametrize(("place", "column"), [("C2", "referral_date"), ("B3", "pathway"), ("E4", "site")])
def test_a_look_up_that_failed_is_no_empty_cell(place: str, column: str, tmp_path: Path) -> None:
    saved(tmp_path, book(), error_cell(place, b"<f>VLOOKUP(A1,B:C,2)</f><v>#N/A</v>"))
    (found,) = [f for f in read_all(people_at(tmp_path, "people.xlsx")).findings if f.severity == "error"]
    assert (found.rule, found.column, found.n_rows) == ("formula_error", column, 1)
    saved(tmp_path, book(), error_cell(place, b"<v>#N/A</v>"))  # as R's openxlsx writes a missing value
    assert not [f for f in read_all(people_at(tmp_path, "people.xlsx")).findings if f.severity == "error"]


@pytest.mark.parametrize("error", ["#SPILL!", "#CALC!", "#FIELD!", "#BUSY!"])
def test_errors_that_the_reader_does_not_know_are_said_as_errors(error: str, tmp_path: Path) -> None:
    saved(tmp_path, book(), error_cell("E3", b"<f>B1</f><v>" + error.encode() + b"</v>"))
    with pytest.raises(DataError, match=r"sheet 'export' holds a formula's error \(in row 3 and column 5\)"):
        open_data(people_at(tmp_path, "people.xlsx"))


def test_a_sheet_that_the_reader_takes_for_empty(tmp_path: Path) -> None:
    def other(name: str, text: bytes) -> bytes:
        if not name.endswith("sheet1.xml"):
            return text
        return ('<?xml version="1.0" encoding="utf-16"?>' + text.decode().split("?>")[-1]).encode("utf-16")

    saved(tmp_path, book(), other)
    with pytest.raises(DataError, match="holds cells of which none can be read"):
        open_data(people_at(tmp_path, "people.xlsx"))


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\n \t"])
def test_rows_of_blanks_are_no_rows(blank: str, tmp_path: Path) -> None:
    saved(tmp_path, book([ROWS[0], [blank] * 5, *ROWS[1:], [None, blank]]))
    assert referrals(open_data(people_at(tmp_path, "people.xlsx"))) == DAYS


def test_an_archive_with_a_password(tmp_path: Path) -> None:
    content = bytearray(saved(tmp_path, book()).read_bytes())
    for start, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        for match in re.finditer(re.escape(start), bytes(content)):
            content[match.start() + at] |= 1
    (tmp_path / "people.xlsx").write_bytes(content)
    with pytest.raises(DataError, match="is protected by a password"):
        open_data(people_at(tmp_path, "people.xlsx"))


# -- what is no file --------------------------------------------------------------------------------------


def a_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("people.csv", Path.mkdir, "/people.csv is a folder or a device, no file"),
        ("people.parquet", Path.mkdir, "/people.parquet is a folder or a device, no file"),
        ("people.txt", os.mkfifo, "is a folder or a device, no file"),
        ("people.xlsx", a_loop, "its path leads to no file"),
        ("people.csv", a_loop, "its path leads to no file"),
    ],
)
def test_what_is_no_file(name: str, make: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    make(tmp_path / name)
    with pytest.raises(DataError, match=f"^participants: .*{words}") as refused:
        open_data(people_at(tmp_path, name))
    assert "did you mean" not in str(refused.value)


# -- CSV --------------------------------------------------------------------------------------------------

PLAIN = HEAD + "p1,paip,2022-02-03,,Peñasco\n"
MARK8, LE, BE = b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"
ENCODED = {
    "marked": (MARK8 + PLAIN.encode(), "utf-8"),
    "marked twice": (MARK8 * 2 + PLAIN.encode(), "utf-8"),
    "marked thrice, said": (MARK8 * 3 + PLAIN.encode(), "utf-8-sig"),
    "marked within quotes": (MARK8 + b'"participant_id"' + PLAIN.encode()[14:], "utf-8"),
    "LE marked": (LE + PLAIN.encode("utf-16-le"), "utf-16-le"),
    "LE marked, order unsaid": (LE + PLAIN.encode("utf-16-le"), "utf-16"),
    "LE marked twice": (LE * 2 + PLAIN.encode("utf-16-le"), "UTF-16LE"),
    "LE unmarked": (PLAIN.encode("utf-16-le"), "utf-16-le"),
    "LE unmarked, order unsaid": (PLAIN.encode("utf-16-le"), "utf-16"),
    "BE marked": (BE + PLAIN.encode("utf-16-be"), "utf-16-be"),
    "BE marked, order unsaid": (BE + PLAIN.encode("utf-16-be"), "utf-16"),
    "BE unmarked": (PLAIN.encode("utf-16-be"), "utf_16_be"),
    "BE unmarked, order unsaid": (PLAIN.encode("utf-16-be"), "utf-16"),
    "BE marked twice": (BE * 2 + PLAIN.encode("utf-16-be"), "utf-16"),
    "cp1252": (PLAIN.encode("cp1252"), "cp1252"),
    "utf-32": (PLAIN.encode("utf-32"), "utf-32"),
}


@pytest.mark.parametrize("kind", ENCODED)
def test_marks_and_orders(kind: str, tmp_path: Path) -> None:
    content, encoding = ENCODED[kind]
    frame = open_data(small(tmp_path, content, encoding=encoding)).frame("participants")
    assert frame[["participant_id", "site"]].to_numpy().tolist() == [["p1", "Peñasco"]]


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1", b"\x1f\x8b"])
def test_a_workbook_that_is_called_csv(start: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"people\.csv is no text but a workbook"):
        open_data(small(tmp_path, start + PLAIN.encode()))


def test_the_sheet_that_is_nearest_says_what_is_missing(tmp_path: Path) -> None:
    made = book()
    made.active["C1"] = "referred"
    made.create_sheet("Notes", 0).append(["Prepared by somebody"])
    saved(tmp_path, made)
    with pytest.raises(DataError, match=r"participants\.referral_date: column 'referral_date' is missing"):
        open_data(people_at(tmp_path, "people.xlsx"))


def test_a_mark_between_files_that_were_put_together(tmp_path: Path) -> None:
    content = MARK8 + PLAIN.encode() + MARK8 + b"p2,paip,2022-02-03,,x\n"
    assert open_data(small(tmp_path, content)).frame("participants")["participant_id"].tolist() == ["p1", "p2"]


@pytest.mark.parametrize(
    ("content", "encoding", "words"),
    [
        (BE + PLAIN.encode("utf-16-be"), "utf-16-le", "is utf-16-be text, but the protocol says utf-16-le"),
        (PLAIN.encode("utf-16-le"), "utf-16-be", "is utf-16-le text, but the protocol says utf-16-be"),
        (PLAIN.encode(), "utf-16", "is not UTF-16 text, but the protocol says utf-16; say its encoding in the protocol, it may be utf-8"),
        (LE + PLAIN.encode("utf-16-le"), "utf-8", "it may be utf-16"),
        (PLAIN.encode("utf-16-be"), "utf-8", "it may be utf-16"),
        (LE + PLAIN.encode("utf-16-le"), "windows-1252", "it may be utf-16"),
        (MARK8 + PLAIN.encode("ascii", "ignore"), "cp1252", "is UTF-8 text, but the protocol says cp1252"),
        (PLAIN.encode("cp1252"), "utf-8", "it may be windows-1252"),
    ],
)  # fmt: skip
def test_another_encoding_than_was_said(content: bytes, encoding: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        open_data(small(tmp_path, content, encoding=encoding))
    assert words in str(refused.value)
    assert "is missing" not in str(refused.value)


@pytest.mark.parametrize("encoding", ["hex", "rot13", "base64", "undefined", "utf-17"])
def test_no_encoding_of_text(encoding: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="is not known"):
        open_data(small(tmp_path, PLAIN, encoding=encoding))


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("other", [",", ";", "\t", "|"])
def test_delimiters_outside_quotes(sign: str, other: str, tmp_path: Path) -> None:
    """A quoted name full of another delimiter, a quoted field with a line break and both."""
    names = [*NAMES, f'"Note{other} of{other} those{other} who{other} called{other} or not"']
    row = ["007", "paip", "2022-02-03", "", f'"a{other}b{sign}\nc"', f'"{other * 9}"']
    data = open_data(small(tmp_path, sign.join(names) + "\n" + sign.join(row) + "\n"))
    assert data.frame("participants")[["participant_id", "site"]].to_numpy().tolist() == [
        ["007", f"a{other}b{sign}\nc"]
    ]


def test_a_delimiter_in_unquoted_names(tmp_path: Path) -> None:
    text = "participant_id;pathway;referral_date;intake_date;site, area, office, town\np1;paip;2022-02-03;;x\n"
    columns = {"site": "site, area, office, town"}
    assert open_data(small(tmp_path, text, columns=columns)).frame("participants")["site"].tolist() == ["x"]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_excels_own_line_of_the_delimiter(first: str, tmp_path: Path) -> None:
    text = f"{first}\r\n" + HEAD.replace(",", ";") + "p1;paip;2022-02-03;;x\r\np2;paip;soon;;x"
    with pytest.raises(DataError, match=r"1 row \(row 4\)"):
        open_data(small(tmp_path, text))


@pytest.mark.parametrize("said", ["", ";;", '"', "\n", "a", "comma"])
def test_what_is_no_delimiter(said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one sign"):
        small(tmp_path, PLAIN, delimiter=said)


@pytest.mark.parametrize("said", ["tab", "\t", "\\t"])
def test_a_tab_may_be_said_by_name(said: str, tmp_path: Path) -> None:
    assert referrals(open_data(small(tmp_path, PLAIN.replace(",", "\t"), delimiter=said))) == DAYS[:1]


# -- titles and footers -----------------------------------------------------------------------------------

TITLES = ['Report of "sessions, all\n', "\n", "from; 2022 to 2023\n"]
FOOTERS = [["Total,2\n"], ['"Total" 2\n', "\n", ",,,,\n"], ["\n", "Total,2,,,\n", "\n"]]


@pytest.mark.parametrize("footer", FOOTERS)
@pytest.mark.parametrize("n", [0, 1, 3])
def test_titles_and_footers_of_csv(n: int, footer: list[str], tmp_path: Path) -> None:
    text = "".join(TITLES[:n]) + PLAIN + "p2,paip,soon,,x\n" + "".join(footer)
    with pytest.raises(DataError, match=rf"is not a date .*1 row \(row {n + 3}\)"):
        open_data(small(tmp_path, text, skip_rows=n, skip_footer=1))
    good_ = text.replace("soon", DAYS[1])
    assert referrals(open_data(small(tmp_path, good_, skip_rows=n, skip_footer=1))) == DAYS[:2]


@pytest.mark.parametrize("n", [1, 2, 4])
def test_titles_and_footers_of_excel(n: int, tmp_path: Path) -> None:
    made = book([*ROWS, [None] * 5, ["Total", 3], ["Printed by somebody"]], skipped=n)
    saved(tmp_path, made)
    study = people_at(tmp_path, "people.xlsx", skip_rows=n, skip_footer=2)
    assert referrals(open_data(study)) == DAYS


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_title_that_was_not_said_is_named(kind: str, tmp_path: Path) -> None:
    if kind == "csv":
        study = small(tmp_path, "A title\nand more\n" + PLAIN)
    else:
        saved(tmp_path, book(skipped=2))
        study = people_at(tmp_path, "people.xlsx")
    with pytest.raises(DataError, match="row 3 looks like its header line; say skip_rows: 2 in the protocol"):
        open_data(study)


@pytest.mark.parametrize(("below", "found"), [(3530, False), (44594, False), (44595, True), (44596, True)])
def test_a_number_below_typed_days_is_a_day_from_the_tables_first_on(below: int, found: bool, tmp_path: Path) -> None:
    """A number of records is none; 44595 is 2022-02-03, the first day of the table."""
    saved(tmp_path, book([*ROWS, ["p9", "paip", below, None, None]]))
    study = people_at(tmp_path, "people.xlsx", skip_footer=1)
    if found:
        with pytest.raises(DataError, match=r"row_in_footer\]: 1 row"):
            open_data(study)
    else:
        assert len(referrals(open_data(study))) == len(ROWS)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("n", [1, 2])
def test_a_footer_that_is_no_more_is_not_taken_from_the_people(kind: str, n: int, tmp_path: Path) -> None:
    """The provider stopped writing totals: the last participant must not vanish."""
    if kind == "csv":
        text = HEAD + "".join(f"p{i},paip,{day},,x\n" for i, day in enumerate(DAYS))
        study = small(tmp_path, text, skip_footer=n)
    else:
        saved(tmp_path, book())
        study = people_at(tmp_path, "people.xlsx", skip_footer=n)
    with pytest.raises(DataError, match=rf"skip_footer leaves out rows that hold a day.*row_in_footer\]: {n} row"):
        open_data(study)


def test_titles_that_are_no_more_are_noticed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of the columns"):
        open_data(small(tmp_path, PLAIN + "p2,paip,2022-02-10,,x\n", skip_rows=1))


def test_lines_of_a_file_without_lines(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no lines to skip"):
        open_data(small(tmp_path, b"", "people.parquet", skip_footer=1))


def test_a_column_without_a_name_is_none(tmp_path: Path) -> None:
    from evalkit.intake._files import _arrow

    assert _arrow(pa.table({"a": [1], " ": [2], "b": [3]}), "file x").columns == {"a": [1], "b": [3]}


# -- DuckDB -----------------------------------------------------------------------------------------------


def duck(folder: Path, *statements: str) -> None:
    (folder / "other.csv").write_text(PLAIN)
    with duckdb.connect(str(folder / "people.duckdb")) as connection:
        for statement in statements:
            connection.execute(statement.format(folder=folder))


VIEWS = [
    ["CREATE VIEW participants AS SELECT * FROM read_csv('{folder}/other.csv')"],
    ["CREATE TABLE t AS SELECT 1 AS a", "CREATE VIEW participants AS SELECT * FROM t"],
    [
        "CREATE SCHEMA s",
        "CREATE TABLE s.participants(a int)",
        "CREATE VIEW participants AS SELECT current_setting('TimeZone') AS z",
    ],
]


@pytest.mark.parametrize("statements", VIEWS)
@pytest.mark.parametrize("as_database", [False, True])
def test_a_view_in_a_duckdb_file(statements: list[str], as_database: bool, tmp_path: Path) -> None:
    duck(tmp_path, *statements)
    study = people_at(tmp_path, "people.duckdb")
    if as_database:
        content = {
            **study.model_dump(exclude={"tables"}),
            "database": f"duckdb://{tmp_path}/people.duckdb?read_only=true",
        }
        study = type(study).model_validate({**content, "tables": {"participants": {}}})
    with pytest.raises(DataError, match=r"'participants' is a view.*may read other files; store its rows as a table"):
        open_data(study)


@pytest.mark.parametrize("log", [b"WAL", b"\0" * 900, b"x"])
def test_a_duckdb_file_that_was_not_closed_lacks_its_last_rows(log: bytes, tmp_path: Path) -> None:
    duck(tmp_path, "CREATE TABLE participants AS SELECT * FROM read_csv('{folder}/other.csv')")
    (tmp_path / "people.duckdb.wal").write_bytes(log)
    with pytest.raises(DataError, match=r"was not closed: its last rows are in people\.duckdb\.wal"):
        open_data(people_at(tmp_path, "people.duckdb"))
    (tmp_path / "people.duckdb.wal").write_bytes(b"")
    assert referrals(open_data(people_at(tmp_path, "people.duckdb"))) == DAYS[:1]


def test_a_table_in_capitals_is_named(tmp_path: Path) -> None:
    duck(tmp_path, "CREATE TABLE PARTICIPANTS AS SELECT * FROM read_csv('{folder}/other.csv')")
    with pytest.raises(DataError, match="has no table 'participants'; did you mean 'PARTICIPANTS'"):
        open_data(people_at(tmp_path, "people.duckdb"))


def test_a_view_is_not_digested(tmp_path: Path) -> None:
    duck(tmp_path, *VIEWS[0])
    study = people_at(tmp_path, "people.duckdb")
    content = {**study.model_dump(exclude={"tables"}), "database": f"duckdb://{tmp_path}/people.duckdb?read_only=true"}
    study = type(study).model_validate({**content, "tables": {"participants": {}}})
    with pytest.raises(DataError, match="'participants' is a view of a DuckDB file"):
        table_digests(study)


def test_a_table_may_have_quotation_marks_in_its_name(tmp_path: Path) -> None:
    duck(tmp_path, """CREATE TABLE "the ""people"" here" AS SELECT * FROM read_csv('{folder}/other.csv')""")
    assert referrals(open_data(people_at(tmp_path, "people.duckdb", table='the "people" here'))) == DAYS[:1]


def test_a_table_of_another_schema(tmp_path: Path) -> None:
    duck(tmp_path, "CREATE SCHEMA raw", "CREATE TABLE raw.clients AS SELECT * FROM read_csv('{folder}/other.csv')")
    assert referrals(open_data(people_at(tmp_path, "people.duckdb", table="raw.clients"))) == DAYS[:1]
    with pytest.raises(DataError, match=r"has no table 'clients'; did you mean 'raw\.clients'"):
        open_data(people_at(tmp_path, "people.duckdb", table="clients"))


def test_a_duckdb_file_reads_nothing_else(tmp_path: Path) -> None:
    from evalkit.intake._files import SEALED

    duck(tmp_path, "CREATE TABLE t AS SELECT 1 AS a")
    with duckdb.connect(str(tmp_path / "people.duckdb"), read_only=True, config=SEALED) as connection:
        for statement in (
            "SELECT * FROM read_csv('{}/other.csv')",
            "SELECT * FROM '{}/other.csv'",
            "ATTACH '{}/x.duckdb'",
        ):
            with pytest.raises(duckdb.PermissionException):
                connection.execute(statement.format(tmp_path))


@pytest.mark.parametrize("kind", ["protected", "old", "entities in the book"])
def test_names_of_sheets_are_of_a_workbook_that_can_be_read(kind: str, tmp_path: Path) -> None:
    made, words = REFUSED[kind]
    (tmp_path / "p.xlsx").write_bytes(made(tmp_path))
    with pytest.raises(DataError, match=f"^here {words}"):
        sheet_names(tmp_path / "p.xlsx", "here")
    assert sheet_names(saved(tmp_path, book()), "here") == ["export"]
