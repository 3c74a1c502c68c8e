"""The finished files are read back: nothing may hide in words, properties, structure, attachments or pictures."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
import typst

from evalkit.errors import DisclosureError
from evalkit.publish.audit import Guard, audit_files, guard_for
from evalkit.publish.audit._guard import Identifiers, fold, pieces
from hardening.leaks import NUMBER, PERSON, SHORT

_TYPST = """
#set document(title: "A report", author: "A team")
#set text(lang: "en")
#set page(width: 9cm)
= A heading
Of 40 people, 12 left. WORDS
#figure(image("a.svg", alt: "ALT"), caption: [A square])
"""
_SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'


@pytest.fixture(scope="module")
def guard() -> Guard:
    return guard_for(
        "", identifiers=[PERSON, SHORT, NUMBER], secrets=["hunter2hunter2"], paths=["/srv/secret-study"],
        protocol="", authored="", days=[],
    )  # fmt: skip


def pdf(folder: Path, words: str = "", alt: str = "A square.") -> Path:
    (folder / "a.svg").write_text(_SQUARE, encoding="utf-8")
    (folder / "a.typ").write_text(_TYPST.replace("WORDS", words).replace("ALT", alt), encoding="utf-8")
    typst.compile(str(folder / "a.typ"), output=str(folder / "report.pdf"), pdf_standards=["ua-1"])
    return folder / "report.pdf"


def png(*chunks: tuple[bytes, bytes], after: bytes = b"") -> bytes:
    body = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        *chunks,
        (b"IDAT", zlib.compress(b"\0\0")),
        (b"IEND", b""),
    ]
    parts = [struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in body]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + after


def assert_stopped(name: str, file: Path, guard: Guard, words: str = "holds a participant's identifier") -> None:
    with pytest.raises(DisclosureError) as stopped:
        audit_files({name: file}, guard)
    assert str(stopped.value).startswith(f"{name}: ")
    assert words in str(stopped.value)
    assert PERSON.casefold() not in str(stopped.value).casefold()


def test_clean_files_pass(tmp_path: Path, guard: Guard) -> None:
    files = {"report.pdf": pdf(tmp_path)}
    texts = {
        "report.html": "<html><head><style>a{color:#471102}</style></head><body><p title='a'>Words</p></body></html>",
        "data/fig-a.csv": "group,n\na,4711025\n",
        "manifest.json": '{"estimates": ["0123456789ab"]}',
        "figures/fig-a.svg": _SQUARE,
        "data/README.md": "# Words",
    }
    for name, text in texts.items():
        files[name] = tmp_path / name.replace("/", "-")
        files[name].write_text(text, encoding="utf-8")
    files["figures/fig-a.png"] = tmp_path / "fig-a.png"
    files["figures/fig-a.png"].write_bytes(png((b"tEXt", b"Software\0words")))
    audit_files(files, guard)


@pytest.mark.parametrize(
    ("words", "alt"),
    [
        (PERSON, "a"),
        (f"{PERSON[:4]}#strong[{PERSON[4:]}]", "a"),
        (f"see {SHORT}.", "a"),
        (f"case {NUMBER}", "a"),
        ("", PERSON),
    ],
)
def test_words_and_alternative_texts_of_a_pdf(tmp_path: Path, guard: Guard, words: str, alt: str) -> None:
    assert_stopped("report.pdf", pdf(tmp_path, words, alt), guard)


def _info(file: pikepdf.Pdf) -> None:
    file.docinfo["/Subject"] = f"of {PERSON}"


def _custom(file: pikepdf.Pdf) -> None:
    file.docinfo["/Made.by"] = pikepdf.String(PERSON.upper())


def _xmp(file: pikepdf.Pdf) -> None:
    with file.open_metadata() as meta:
        meta["dc:description"] = PERSON


def _attached(file: pikepdf.Pdf) -> None:
    file.attachments["rows.csv"] = pikepdf.AttachedFileSpec(file, f"id\n{PERSON}\n".encode())


def _attached_name(file: pikepdf.Pdf) -> None:
    file.attachments[f"{PERSON}.csv"] = pikepdf.AttachedFileSpec(file, b"a\n")


def _note(file: pikepdf.Pdf) -> None:
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=[0, 0, 9, 9], Contents=PERSON)
    file.pages[0].Annots = file.make_indirect(pikepdf.Array([note]))


def _bookmark(file: pikepdf.Pdf) -> None:
    with file.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem(PERSON, 0))


def _private(file: pikepdf.Pdf) -> None:
    file.Root.PieceInfo = pikepdf.Dictionary(Rows=pikepdf.Array([pikepdf.String(PERSON)]))


def _with_letters(folder: Path, content: bytes, *, in_a_form: bool = False) -> Path:
    """Write a page by hand: letters as no publisher of ours sets them."""
    with pikepdf.new() as file:
        kind = {"Type": pikepdf.Name.Font, "Subtype": pikepdf.Name.Type1, "BaseFont": pikepdf.Name.Helvetica}
        fonts = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=file.make_indirect(pikepdf.Dictionary(**kind))))
        if in_a_form:
            form = {"Type": pikepdf.Name.XObject, "Subtype": pikepdf.Name.Form, "BBox": [0, 0, 300, 300]}
            drawn = file.make_stream(content, {f"/{k}": v for k, v in form.items()})
            drawn.Resources = fonts
            fonts, content = pikepdf.Dictionary(XObject=pikepdf.Dictionary(X1=drawn)), b"/X1 Do"
        page = {"Type": pikepdf.Name.Page, "MediaBox": [0, 0, 300, 300], "Resources": fonts}
        file.pages.append(pikepdf.Page(pikepdf.Dictionary(**page, Contents=file.make_stream(content))))
        file.save(folder / "report.pdf")
    return folder / "report.pdf"


_PERSON = PERSON.encode()
_HALF = len(_PERSON) // 2


@pytest.mark.parametrize(
    "content",
    [
        b"BT /F1 12 Tf 50 50 Td (%b) Tj ET" % _PERSON,
        b"BT 3 Tr /F1 12 Tf 50 50 Td (%b) Tj ET" % _PERSON,  # invisible
        b"1 1 1 rg BT /F1 12 Tf 50 50 Td (%b) Tj ET" % _PERSON,  # white
        b"BT /F1 12 Tf 900 -50 Td (%b) Tj ET" % _PERSON,  # beside the page
        b"BT /F1 0.01 Tf 50 50 Td (%b) Tj ET" % _PERSON,  # tiny
        b"0 0 1 1 re W n BT /F1 12 Tf 50 50 Td (%b) Tj ET" % _PERSON,  # cut off
        b"BT /F1 12 Tf 0 1 -1 0 50 50 Tm (%b) Tj ET" % _PERSON,  # turned
        b"BT /F1 12 Tf 10 50 Td " + b" ".join(b"(%c) Tj" % letter for letter in _PERSON) + b" ET",  # letter by letter
        b"/Span <</ActualText (%b)>> BDC BT /F1 12 Tf 50 50 Td (other) Tj ET EMC" % _PERSON,  # what is read aloud
        b"BT /F1 12 Tf 50 80 Td (of %b-) Tj 0 -14 Td (%b was) Tj ET" % (_PERSON[:_HALF], _PERSON[_HALF:]),  # broken
    ],
)
@pytest.mark.parametrize("in_a_form", [False, True])
def test_letters_of_a_pdf_however_they_are_set(tmp_path: Path, guard: Guard, content: bytes, in_a_form: bool) -> None:
    assert_stopped("report.pdf", _with_letters(tmp_path, content, in_a_form=in_a_form), guard)


@pytest.mark.parametrize("size", [b"/F1 0 Tf 50 50 Td", b"/F1 12 Tf 0 0 0 0 50 50 Tm", b"0 Tz /F1 12 Tf 50 50 Td"])
def test_letters_without_a_size_cannot_be_read(tmp_path: Path, guard: Guard, size: bytes) -> None:
    assert_stopped("report.pdf", _with_letters(tmp_path, b"BT %b (a) Tj ET" % size), guard, "letters without a size")


@pytest.mark.parametrize("spoil", [_info, _custom, _xmp, _attached, _attached_name, _note, _bookmark, _private])
def test_properties_of_a_pdf(tmp_path: Path, guard: Guard, spoil: Callable[[pikepdf.Pdf], None]) -> None:
    good = pdf(tmp_path)
    with pikepdf.open(good) as file:
        spoil(file)
        file.save(tmp_path / "spoilt.pdf")
    assert_stopped("report.pdf", tmp_path / "spoilt.pdf", guard)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("report.html", f"<p>{PERSON}</p>", "identifier"),
        ("report.html", f"<meta name='a' content='{PERSON}'>", "identifier"),
        ("report.html", f"<p data-row='{NUMBER}'>a</p>", "identifier"),
        ("report.html", f"<!-- {SHORT} --><p>a</p>", "identifier"),
        ("report.html", f"<script>var a = '{PERSON}'</script>", "identifier"),
        ("report.html", f"<style>.{PERSON} {{color: red}}</style>", "identifier"),
        ("report.html", f"<p>{PERSON[:4]}&#8203;{PERSON[4:]}</p>", "identifier"),
        ("report.html", f"<img src='data:image/svg+xml,%3Ctitle%3E{PERSON}%3C/title%3E'>", "identifier"),
        ("report.html", f"<p>a</p><!-- {PERSON}", "identifier"),
        ("report.html", "<p>postgresql://host/study</p>", "database"),
        ("report.html", "<p>/srv/secret-study/study.yaml</p>", "path"),
        ("figures/fig-a.svg", f"<svg><desc>{PERSON}</desc></svg>", "identifier"),
        ("figures/fig-a.svg", "<svg><script>1</script></svg>", "<script>"),
        ("figures/fig-a.svg", "<svg><style>@import url(//example.org/a)</style></svg>", "loads"),
        ("data/fig-a.csv", f"group,n\n{SHORT},20\n", "identifier"),
        ("data/fig-a.csv", "group,n\n2001-03-17,20\n", "exact day"),
        ("data/README.md", f"see {PERSON}", "identifier"),
        ("manifest.json", f'{{"parameters": {{"who": "{PERSON}"}}}}', "identifier"),
        ("manifest.json", '{"parameters": {"url": "hunter2hunter2"}}', "password"),
        (f"data/fig-{PERSON.lower()}.csv", "n\n1\n", "name of a file"),
        ("rows.pickle", "a", "cannot read"),
        ("rows.parquet", "a", "cannot read"),
        ("figures/fig-a.png", "no picture", "no PNG"),
    ],
)
def test_other_files(tmp_path: Path, guard: Guard, name: str, text: str, words: str) -> None:
    (tmp_path / "file").write_text(text, encoding="utf-8")
    with pytest.raises(
        DisclosureError, match=r"nothing was published|may not be published|no PNG|name of a file"
    ) as stopped:
        audit_files({name: tmp_path / "file"}, guard)
    assert words in str(stopped.value)
    assert PERSON.casefold() not in str(stopped.value).casefold()


@pytest.mark.parametrize(
    "content",
    [
        png((b"tEXt", f"Comment\0{PERSON}".encode())),
        png((b"zTXt", b"Comment\0\0" + zlib.compress(PERSON.encode()))),
        png((b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(PERSON.encode()))),
        png((b"eXIf", PERSON.encode())),
        png(after=PERSON.encode()),
    ],
    ids=["text", "compressed", "international", "exif", "behind the end"],
)
def test_texts_in_a_picture(tmp_path: Path, guard: Guard, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert_stopped("figures/a.png", tmp_path / "a.png", guard)


def test_what_is_too_short_or_a_word_of_the_protocol_is_counted_not_searched() -> None:
    found = Identifiers.of(
        ["12", "9999", "R1", "anna", "PAIP1", "Englewood", PERSON, "98765", "R001", "Smith"], "PAIP1 Englewood"
    )
    assert (found.unsearched, len(found.anywhere), len(found.words)) == (6, 1, 3)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10234", True), ("case 10234.", True), ("#10234", True), ("(10234)", True), ("10,234", False),
        ("110234", False), ("10234.5", False), ("1.10234", False), ("a10234", False), ("smith", True),
        ("Smithfield", False), ("R001", True), ("R0011", False), ("see_R001", True), ("r001;", True),
        ("PX-77-12", True), ("xPX-77-12x", True), ("PX 77 12", False),
    ],
)  # fmt: skip
def test_the_rule_of_identifiers(text: str, found: bool) -> None:
    assert Identifiers.of(["10234", "Smith", "R001", "PX-77-12"]).stand_in(text) is found


def test_coordinates_and_colours_are_no_texts() -> None:
    drawn = '<path d="M 4711023 12" style="fill: #4711023f"/><g points="4711023,1"/>'
    assert NUMBER not in " ".join(pieces(drawn))
    assert NUMBER in " ".join(pieces('<g d="case 4711023"/>'))


def test_disguises_are_taken_off() -> None:
    assert {fold(t) for t in ("QX7", "q\u200bx7", "Ｑx7", "&#81;x7", "%51x7", "%2551x7", "\\u0051x7", "Q\u0301x7")} == {
        "qx7"
    }
