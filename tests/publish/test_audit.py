"""Each rule of the audit where only that rule applies, and on both sides of its limit."""

from __future__ import annotations

import json
import struct
import zlib
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import DisclosureError
from evalkit.publish.audit import Guard, audit_document, audit_files, guard_for
from evalkit.publish.audit._document import _without_size, active_part, audit_markdown
from evalkit.publish.audit._guard import Identifiers, dates_in, fold, pieces
from evalkit.publish.audit._notebook import _kind, _output_problem, _typed, _unknown_number, private_part
from evalkit.publish.rendering._document import Document, Item

PERSON = "holds a participant's identifier"
ADDRESS = "holds the address of a database, or its password"
FOLDER = "holds the path of a folder on this machine"
DAY = "holds an exact day that is none of the report's own; say the time in days, months or quarters"


def guard(**more: object) -> Guard:
    none: dict[str, object] = {
        "identifiers": [],
        "secrets": [],
        "paths": [],
        "protocol": "",
        "authored": "",
        "days": [],
    }
    return guard_for("", **{**none, **more})  # type: ignore[arg-type]


# -- texts -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("length", [3, 4, 5, 8, 11, 12, 40])
def test_a_password_of_any_length_from_four_characters_on(length: int) -> None:
    secret = ("xY7-" * 10)[:length]
    expected = ADDRESS if length >= 4 else ""
    assert guard(secrets=[secret]).objection([f"it was {secret.upper()}!"]) == expected
    assert guard(secrets=[secret]).objection([secret[:-1]]) == ""


@pytest.mark.parametrize(("path", "found"), [("/srv/a", True), ("/srv/", False), ("/srv/study", True)])
def test_a_folder_from_six_characters_on(path: str, found: bool) -> None:
    assert guard(paths=[path]).objection([f"in {path}/rows"]) == (FOLDER if found else "")


@pytest.mark.parametrize(
    "address",
    ["postgresql://host/a", "POSTGRES://h", "postgresql+psycopg://h", "mysql://h", "duckdb://a.db", "md://x", "sqlite:///a",
     "snowflake://h", "clickhouse://h", "https://ann:pw@host", "ftp://:x@host", "see (pyspark://h)"],
)  # fmt: skip
def test_addresses_of_databases(address: str) -> None:
    assert Guard().objection([address]) == Guard().objection(["fine", address]) == ADDRESS


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/a:b@c",
        "https://example.org",
        "ann:pw@host",
        "mydb://h",
        "see https://a b:c@d",
        "postgresql: a database",
    ],
)
def test_what_is_no_address_of_a_database(text: str) -> None:
    assert Guard().objection([text]) == ""


def test_the_first_reason_of_a_text_is_said_and_days_only_where_they_are_asked_for() -> None:
    strict = guard(identifiers=["QX81f2aa03"], secrets=["hunter2"], paths=["/srv/study"])
    assert strict.objection(["a", "on 2001-03-17 QX81f2aa03 of /srv/study: hunter2"]) == PERSON
    assert strict.objection(["on 2001-03-17 in /srv/study: hunter2"]) == ADDRESS
    assert strict.objection(["on 2001-03-17 in /srv/study"]) == FOLDER
    assert strict.objection(["on 2001-03-17"]) == DAY
    assert strict.objection(["on 2001-03-17"], dated=False) == ""
    assert strict.objection([]) == ""


MARCH_4, APRIL_3, MAY_31 = date(2022, 3, 4), date(2022, 4, 3), date(2022, 5, 31)
DATED: list[tuple[str, list[set[date]]]] = [
    ("2022-03-04", [{MARCH_4}]), ("2022/3/4", [{MARCH_4}]), ("2022.03.04", [{MARCH_4}]), ("x2022-03-04T10:00", [{MARCH_4}]),
    ("2022-03/04", []), ("12022-03-04", []), ("2022-03-041", []), ("2022-13-04", []), ("2022-02-30", []), ("2022.03.04.1", []),
    ("2022.03.04.", [{MARCH_4}]), ("1.2022-03-04", []),
    ("3/4/2022", [{MARCH_4, APRIL_3}]), ("03-04-2022", [{MARCH_4, APRIL_3}]), ("31/5/2022", [{MAY_31}]), ("5/31/2022", [{MAY_31}]),
    ("3/4/22", [{MARCH_4, APRIL_3}]), ("31-05-22", [{MAY_31}]), ("13/13/22", []), ("3/4-22", []), ("3/4/022", []), ("3/4/2022/5", []),
    ("1/3/4/2022", []), ("13/4/5-1", []), ("3/4/00", [{date(2000, 3, 4), date(2000, 4, 3)}]),
    ("3/4/99", [{date(2099, 3, 4), date(2099, 4, 3)}]),
    ("March 4, 2022", [{MARCH_4}]), ("mar. 4th 2022", [{MARCH_4}]), ("MARCH 04,2022", []), ("4 March 2022", [{MARCH_4}]),
    ("the 4th of March, 2022", [{MARCH_4}]), ("4 de marzo de 2022", [{MARCH_4}]), ("31 mayo 2022", [{MAY_31}]),
    ("3 April 2022", [{APRIL_3}]), ("abr 3 2022", [{APRIL_3}]), ("May 32, 2022", []), ("March 2022", []), ("march 4 22", []),
    ("2022-03-04 and 4/3/2022", [{MARCH_4}, {MARCH_4, APRIL_3}]), ("v1.10.18", []), ("10:12:2022", []),
    ("4.3.2022", [{MARCH_4, APRIL_3}]), ("31.05.2022.", [{MAY_31}]), ("31.02.2022", []), ("4.3.22", []), ("1.4.3.2022", []),
    ("4.3.2022.1", []), ("4.3.20221", []), ("4,3.2022", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "days"), DATED)
def test_days_in_a_text(text: str, days: list[set[date]]) -> None:
    assert [set(found) for found in dates_in(text)] == days
    assert guard().objection([text]) == (DAY if days else "")
    assert guard(days=[day for found in days for day in found]).objection([text]) == ""


MONTHS = [("january", "enero"), ("feb", "febrero"), ("march", "marzo"), ("apr", "abril"), ("may", "mayo"), ("june", "junio"),
          ("jul", "julio"), ("august", "agosto"), ("sept", "septiembre"), ("oct", "octubre"), ("november", "noviembre"),
          ("dec", "diciembre")]  # fmt: skip


@pytest.mark.parametrize(("month", "names"), list(enumerate(MONTHS, start=1)))
def test_months_in_both_languages(month: int, names: tuple[str, str]) -> None:
    english, spanish = names
    for text in (f"{english} 7, 2022", f"7 {english} 2022", f"7 de {spanish} de 2022"):
        assert [set(found) for found in dates_in(text)] == [{date(2022, month, 7)}]


def test_days_that_may_be_published_are_the_reports_own_and_those_that_were_typed() -> None:
    own = guard(protocol="starts: 2021-11-18", authored="since March 4, 2022", days=[date(2022, 12, 31)])
    assert own.dates == {date(2021, 11, 18), MARCH_4, date(2022, 12, 31)}
    assert own.objection(["November 18, 2021", "4.3.2022", "3/4/22", "31 de diciembre de 2022"]) == ""
    assert own.objection(["November 19, 2021"]) == DAY


def test_one_reading_that_may_be_published_is_enough_and_another_day_is_not() -> None:
    assert guard(days=[APRIL_3]).objection(["3/4/2022"]) == ""
    assert guard(days=[APRIL_3]).objection(["3/5/2022"]) == DAY


@pytest.mark.parametrize(
    ("typed", "allowed"),
    [("10", False), ("11", True), ("12", True), ("1.5", True), ("0.2", True), ("1,000", True), ("9", False)],
)
def test_numbers_of_the_protocol_from_the_minimum_count_on(typed: str, allowed: bool) -> None:
    assert (typed in guard(protocol=f"a: {typed}").numbers) is allowed
    assert (typed in guard(authored=f"-P {typed}").numbers) is allowed


# -- identifiers -----------------------------------------------------------------------------------------------------
# Of an identifier: alone, inside a longer word, and whether it is looked for at all.
SOUGHT = [
    ("ab12c3", True, True, True), ("ab12c", True, False, True), ("a1b2", True, False, True), ("a1b", False, False, False),
    ("12345", True, False, True), ("1234", False, False, False), ("abcde", True, False, True), ("abcd", False, False, False),
    ("12-345", True, True, True), ("1-23", False, False, False), ("12-34", True, True, True), ("ñandu", True, False, True), ("??", False, False, False),
]  # fmt: skip


@pytest.mark.parametrize(("identifier", "alone", "inside", "sought"), SOUGHT)
def test_how_an_identifier_is_looked_for(identifier: str, alone: bool, inside: bool, sought: bool) -> None:
    found = Identifiers.of([identifier])
    assert (len(found.anywhere) + len(found.words), found.unsearched) == ((1, 0) if sought else (0, 1))
    assert bool(found.anywhere) is inside
    assert found.stand_in(f"see {identifier.upper()}.") is alone
    assert found.stand_in(f"seex{identifier}y") is inside
    assert not found.stand_in(f"see {identifier[:-1]}")


def test_words_of_the_protocol_are_no_identifiers() -> None:
    found = Identifiers.of(["PAIP-01x", "paip1", "QX81f2aa03", "12345"], "arms: PAIP1 and paip-01X; n 12345")
    assert (found.anywhere, found.words, found.unsearched) == ({"qx81f2aa03"}, set(), 3)
    assert not found.stand_in("PAIP1 paip-01x 12345")


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("12345", True), ("(12345)", True), ("12345.", True), ("12345, and", True), ("x12345", False), ("12345x", False),
        ("1.12345", False), ("12345.5", False), ("12,345", False), ("112345", False), ("-12345", True), ("**123**45", True),
        ("123`45`", True), ("123[45]", True), ("&#49;2345", True),
    ],
)  # fmt: skip
def test_a_number_that_is_an_identifier(text: str, stands: bool) -> None:
    assert Identifiers.of(["12345"]).stand_in(text) is stands
    assert Identifiers.of(["12"]).stand_in(text) is False  # too short: nothing is looked for


@pytest.mark.parametrize(
    ("digest", "passes"), [("abc123" * 2, True), ("abc123" + "0" * 10, True), ("abc123" + "0" * 34, True), ("abc123" + "0" * 58, True),
                           ("pabc1230000", True), ("abc123" + "0" * 7, False), ("abc123" + "0" * 4, False)]
)  # fmt: skip
def test_what_stands_in_a_digest_stands_there_by_chance(digest: str, passes: bool) -> None:
    assert Identifiers.of(["abc123"]).stand_in(f"sha256 {digest} made") is not passes
    assert Identifiers.of([digest]).stand_in(f"sha256 {digest} made")  # unless all of it is one


@pytest.mark.parametrize(
    ("address", "read"),
    [
        ("data:,QX71", True), ("data:;charset=utf-8,QX71", True), ("data:text/plain;base64,UVg3MQ", True),
        ("data:;base64,UVg3MQ==", True), ("data:image/svg+xml;base64,YVFYNzE=", True), ("data:font/woff2,QX71", False),
        ("data:image/png;base64,UVg3MQ==", False),
    ],
)  # fmt: skip
def test_a_text_inside_an_address_is_read(address: str, read: bool) -> None:
    assert any("QX71" in piece for piece in pieces(f'<a href="{address}">x</a>')) is read


# -- folding ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "folded"),
    [("\\u0041b", "ab"), ("\\x41b", "ab"), ("\\u{1F600}", "😀"), ("\\u{110000}", "\\u{110000}"), ("\\u{41}b", "ab"), ("\\U00000041b", "ab"), ("\\U00000041b", "ab"), ("\\u004", "\\u004"),
     ("\\u00411", "a1"), ("&amp;amp;#65;", "a"), ("%2541", "a"), ("%252541", "a"), ("%25252541", "%41"),
     ("\\*a\\_b", "*a_b"), ("É", "e"), ("e\u0301", "e"), ("ﬁ", "fi"), ("ß", "ss"), ("a\u00adb\u200db", "abb"), ("%zz", "%zz")],
)  # fmt: skip
def test_a_disguise_is_taken_off(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_texts_are_taken_out_of_markup() -> None:
    markup = (
        '<svg viewBox="0 0 9 9"><!--c--><path d="M 1 2 L 3 4" id="p1"/><g transform="translate(1 2)" style="fill:#abc123"/>'
        "<style>.a{color:#def456} .b{}</style><text>one<tspan>two</tspan></text><p>three</p></svg>"
    )
    found = list(pieces(markup))
    assert found[:3] == ["c", "p1", "fill: "]
    assert found[3].split() == [".a{color:", "}", ".b{}", "onetwo", "three"]
    assert found[4] == "d g id p path style svg text transform tspan viewbox"
    assert pieces('<path d="QX81f2aa03"/>')[0] == "QX81f2aa03"
    assert any("secret" in text for text in pieces("<a href='data:text/plain,secret'>x</a>"))
    assert any("secret" in text for text in pieces("<a href='data:text/plain;base64,c2VjcmV0'>x</a>"))
    assert not any(
        {"c2VjcmV0", "secret"} & set(text.split()) for text in pieces("<img src='data:font/woff2;base64,c2VjcmV0'>")
    )
    assert "".join(pieces("<style>#abc123</style>#def456")).count("#") == 1  # colours are left out of styles only


def test_a_message_is_scrubbed_word_by_word_then_line_by_line() -> None:
    own = guard(identifiers=["QX81f2aa03"], paths=["/srv/study"])
    assert own.scrub("fine\n as it is ") == "fine\n as it is "
    assert own.scrub("of qx81f2aa03 in\n /srv/study/rows  on 2001-03-17") == "of … in\n …  on 2001-03-17"
    assert own.scrub("QX81 f2aa03\nQX81**f2aa03**") == "QX81 f2aa03\n…"
    assert (Identifiers().unsearched, Identifiers.of([]).unsearched) == (0, 0)


# -- figures and tables ----------------------------------------------------------------------------------------------
ACTIVE = [
    *[(f"<{tag} a='b'>", f"holds <{tag}>, which loads or runs something") for tag in (
        "script", "iframe", "object", "embed", "foreignobject", "image", "img", "video", "audio", "link", "form", "input", "use")],
    ("< Script>", "holds <script>, which loads or runs something"), ("<scripted>", ""), ("<g>script</g>", ""),
    ('<g onload="x"/>', "holds the script attribute 'onload'"), ("<g\nONCLICK = 'x'>", "holds the script attribute 'onclick'"),
    ("<g data-on='x'>", ""), ("on = 3", ""), ('<use href="#own"/>', ""), ("<use xlink:href='#own'/>", ""),
    ('<use href="a.svg#b"/>', "holds <use>, which loads or runs something"),
    ('<a href="https://example.org">x</a>', ""), ('<a href="javascript:go">x</a>', "loads something from outside"),
    ("<g style='a:url(http://x)'/>", "loads something from outside"), ("<g style='a:url(//x)'/>", "loads something from outside"),
    ("<g style='a:url(#b)'/>", ""), ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://x"/>', ""),
    ('<g src="data:x"/>', "loads something from outside"), ('<g src="a.png"/>', ""),
]  # fmt: skip


@pytest.mark.parametrize(("markup", "said"), ACTIVE)
def test_what_would_load_or_run_something(markup: str, said: str) -> None:
    assert active_part(markup) == said


LINKS = [
    ("[a](https://example.org)", ""), ("[a](http://example.org)", ""), ("[a](mailto:a@b.c)", ""), ("[a](#sec-b)", ""), ("[a](b.html)", ""),
    ("[a](javascript:go)", "holds a link that is no web address"), ("[a](ftp://x)", "holds a link that is no web address"),
    ("[a](DATA:text/plain,x)", "holds a link that is no web address"), ("<https://example.org>", ""),
    ("![a](b.png)", "holds a picture; figures come from report.show"),
    ("<b>a</b>", "holds raw html; Markdown's own signs are enough"), ("a <!-- b -->", "holds an HTML comment; Markdown's own signs are enough"),
    ("[a]{style=x}", "sets the attribute 'style'; take it out"), ("# A {#b onclick=x}", "sets the attribute 'onclick'; take it out"),
    ('::: {.content-visible when-format="html"}\na\n:::', ""), ("::: {.note}\na\n:::", ""), ("`a`{x=y}", "sets the attribute 'x'; take it out"),
    ("{{< include a.md >}}", "holds a Quarto shortcode, which can bring in a file; take it out"),
    ("---\na: b\n---\n", "holds a block of document settings (between lines of '---'); take it out"), ("3 < 4 & 5 > 4", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), LINKS)
def test_what_markdown_may_hold(text: str, said: str) -> None:
    assert audit_markdown(text) == said


ALIKE = "which the publishers do not treat alike; take it out"
OF_QUARTO = [
    *((f"::: {{.{name}}}\nx\n:::", f"uses the class '{name}', {ALIKE}") for name in (
        "callout-tip", "callout-warning", "proof", "landscape", "panel-tabset", "column-margin", "cell", "list-table")),
    ("::: proof\nx\n:::", f"uses the class 'proof', {ALIKE}"),
    ("::: {.find}\nx\n:::", "uses the class 'find', which the publishers do not treat alike; did you mean 'finding'?"),
    ("# A heading {.unnumbered}", f"uses the class 'unnumbered', {ALIKE}"),
    ("[x]{.aside}", f"uses the class 'aside', {ALIKE}"),
    *((f"::: {{#{name}}}\nx\n:::", f"has the label '{name}', which Quarto would number; use another name") for name in (
        "thm-a", "lem-a", "nte-a", "fig-a", "tbl-a", "tip-1")),
    ("|a|\n|-|\n|1|\n\n: Cap {#tbl-x}", "has the label 'tbl-x', which Quarto would number; use another name"),
    *((f"```{{{name}}}\nx\n```", f"holds code that Quarto would run ('{name}'); write it without braces") for name in (
        "mermaid", "dot", "python", "r", "ojs")),
    ("  ~~~ {{python}}\n1\n~~~", "holds code that Quarto would run ('python'); write it without braces"),
    ("It is `{python} 1 + 1`.", "holds code that Quarto would run ('python'); write it without braces"),
    ("As @thm-a says", "refers to '@thm-a', which Quarto takes for a number of its own; use another name"),
    ("[@tip-2020]", "refers to '@tip-2020', which Quarto takes for a number of its own; use another name"),
    ("{{< pagebreak >}}", "holds a Quarto shortcode, which can bring in a file; take it out"),
    ("::: {.content-hidden when-format=\"docx\"}\nx\n:::", "names the format 'docx', and there are html and pdf"),
    ("::: {.content-visible when-format=\"hmtl\"}\nx\n:::", "names the format 'hmtl', and there are html and pdf; did you mean 'html'?"),
    ("::: {.content-visible when-profile=\"x\"}\nx\n:::", "sets the attribute 'when-profile'; take it out"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), OF_QUARTO)
def test_what_quarto_alone_acts_upon_is_refused(text: str, said: str) -> None:
    assert audit_markdown(text) == said
    assert refused(document(Item("markdown", 7, text)), guard()) == f"cell 7: {said}"


@pytest.mark.parametrize(
    "text",
    ["# Tip of the day {#sec-tip}", "```python\n1\n```", "# Definition of lapse", "See @fig-a, @tbl-a and @sec-a.", "::: {#refs}\n:::",
     "A tip-off, a :::, `{}` and `x {python}`", "|a|\n|-|\n|1|\n\n: Caption", "::: {.note}\nx\n:::",
     "::: {.content-hidden when-format=\"pdf\"}\nx\n:::", "[x]{.content-visible when-meta=\"ek-mandate\"}"],
)  # fmt: skip
def test_what_both_publishers_treat_alike_may_stand(text: str) -> None:
    assert audit_markdown(text) == ""


# -- documents -------------------------------------------------------------------------------------------------------
def document(*items: Item, **more: object) -> Document:
    facts = {"title": "T", "subtitle": "", "study": "S", "organisation": "", "period": "P", "cut": "C", "cut_date": date(2022, 12, 31),
             "synthetic": False, "locale": "en-US", "items": items}  # fmt: skip
    return Document(**{**facts, **more})  # type: ignore[arg-type]


def refused(made: Document, own: Guard) -> str:
    try:
        audit_document(made, own)
    except DisclosureError as error:
        return str(error)
    return ""


PEOPLE = guard(identifiers=["QX81f2aa03"])


@pytest.mark.parametrize("place", ["title", "subtitle", "study", "organisation", "period", "cut", "since"])
def test_every_line_of_the_cover_is_searched(place: str) -> None:
    assert refused(document(**{place: "of qx81f2aa03"}), PEOPLE) == f"the cover {PERSON}"


def test_the_references_are_searched() -> None:
    assert refused(document(bibliography=b"@a{QX81f2aa03}"), PEOPLE) == f"the references {PERSON}"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (Item("markdown", 3, "of QX81f2aa03"), f"cell 3: its text {PERSON}"),
        (Item("code", 4, "x = 'QX81f2aa03'"), f"cell 4: its code, which is shown, {PERSON}"),
        (Item("figure", 5, "<svg><text>QX81f2aa03</text></svg>", "fig-a"), f"cell 5 (fig-a): its figure {PERSON}"),
        (Item("table", 6, "<table><td>QX81f2aa03</table>", "tbl-a"), f"cell 6 (tbl-a): its table {PERSON}"),
        (Item("figure", 5, "<svg/>", "fig-QX81f2aa03"), f"cell 5 (fig-QX81f2aa03): its figure {PERSON}"),
        (Item("figure", 5, "<svg/>", "fig-a", "of QX81f2aa03"), f"cell 5 (fig-a): its figure {PERSON}"),
        (Item("figure", 5, "<svg/>", "fig-a", "a", "of QX81f2aa03"), f"cell 5 (fig-a): its figure {PERSON}"),
        (Item("figure", 5, "<svg/>", "fig-a", numbers={"rows": [["QX81f2aa03"]]}), f"cell 5 (fig-a): its figure {PERSON}"),
        (Item("figure", 5, "<svg/>", "fig-a", mark={"phone": "<text>QX81f2aa03"}), f"cell 5 (fig-a): its figure {PERSON}"),
        (Item("figure", 5, "<svg><script/></svg>", "fig-a"), "cell 5 (fig-a): holds <script>, which loads or runs something"),
        (Item("figure", 5, "<svg/>", "fig-a", mark={"phone": "<svg><script/></svg>"}), "cell 5 (fig-a): holds <script>, which loads or runs something"),
        (Item("table", 6, "<table><img></table>", "tbl-a"), "cell 6 (tbl-a): holds <img>, which loads or runs something"),
        (Item("table", 6, "<table/>", "tbl-a", "![a](b.png)"), "cell 6 (tbl-a): its caption holds a picture; figures come from report.show"),
        (Item("markdown", 3, "![a](b.png)"), "cell 3: holds a picture; figures come from report.show"),
        (Item("code", 4, "x = '<script>'"), ""),
        (Item("markdown", 3, "on 2001-03-17"), f"cell 3: its text {DAY}"),
    ],
)  # fmt: skip
def test_every_part_of_an_item_is_searched(item: Item, said: str) -> None:
    assert refused(document(Item("markdown", 1, "fine"), item), PEOPLE) == said


# -- finished files --------------------------------------------------------------------------------------------------
def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + b"\0" * 4


PNG = b"\x89PNG\r\n\x1a\n"
WRONG_NAME = "the name of a file of the release holds what must not leave; it comes from a cell's label"
FILES: dict[str, tuple[str, bytes, str]] = {
    "a text": ("a.md", b"of QX81f2aa03", f"a.md: {PERSON}; nothing was published"),
    "a table": ("a.csv", b"QX81f2aa03", f"a.csv: {PERSON}; nothing was published"),
    "a page": ("a.html", b"<p>QX81<b>f2aa03</b></p>", f"a.html: {PERSON}; nothing was published"),
    "a picture": ("a.svg", b"<svg><desc>QX81f2aa03</desc></svg>", f"a.svg: {PERSON}; nothing was published"),
    "a picture that runs": ("a.svg", b"<svg><script/></svg>", "a.svg: holds <script>, which loads or runs something; nothing was published"),
    "a page that runs is checked before": ("a.html", b"<p><script></script></p>", ""),
    "a day in a table": ("a.csv", b"2001-03-17", f"a.csv: {DAY}; nothing was published"),
    "a day in another file": ("a.md", b"2001-03-17", ""),
    "a text in a picture": ("a.png", PNG + chunk(b"tEXt", b"by QX81f2aa03"), f"a.png: {PERSON}; nothing was published"),
    "a long text in a picture": ("a.png", PNG + chunk(b"zTXt", b"c\0\0" + zlib.compress(b"QX81f2aa03")), f"a.png: {PERSON}; nothing was published"),
    "a long text whose name might begin one": ("a.png", PNG + chunk(b"zTXt", b"x x\0\0" + zlib.compress(b"QX81f2aa03")), f"a.png: {PERSON}; nothing was published"),
    "pixels of a picture": ("a.png", PNG + chunk(b"IDAT", b"QX81f2aa03") + chunk(b"IEND", b""), ""),
    "after a picture": ("a.png", PNG + chunk(b"IDAT", b"") + chunk(b"IEND", b"") + b"QX81f2aa03", f"a.png: {PERSON}; nothing was published"),
    "after another chunk": ("a.png", PNG + chunk(b"IDAT", b"xx") + chunk(b"iTXt", b"QX81f2aa03"), f"a.png: {PERSON}; nothing was published"),
    "no picture": ("a.png", b"GIF89a", "a.png: is no PNG"),
    "an unknown kind": ("a.docx", b"", "a.docx: is a kind of file that the audit cannot read, so it may not be published"),
    "a name": ("figures/fig-QX81f2aa03.svg", b"<svg/>", WRONG_NAME),
    "a signature": ("a.sig", b"abc", ""), "another text": ("A.TXT", b"QX81f2aa03", f"A.TXT: {PERSON}; nothing was published"),
    "no PDF": ("a.pdf", b"%PDF-1.7", "a.pdf: is no PDF that can be read, so nobody can say what is in it; nothing was published"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_a_finished_file(kind: str, tmp_path: Path) -> None:
    name, content, said = FILES[kind]
    file = tmp_path / Path(name).name
    file.write_bytes(content)
    found = ""
    try:
        audit_files({name: file}, PEOPLE)
    except Exception as error:
        found = str(error)
    assert found == said


@pytest.mark.parametrize("place", ["attachment", "attachment of bytes", "its name", "title", "metadata", "nothing"])
def test_every_part_of_a_pdf_is_searched(place: str, tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        if place in {"attachment", "attachment of bytes", "its name"}:
            bodies = {"attachment": b"QX81f2aa03", "attachment of bytes": b"\xff\xfe QX81f2aa03"}
            name, body = ("a.csv", bodies[place]) if place in bodies else ("QX81f2aa03.csv", b"x")
            pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, body, filename=name)
        if place == "title":
            pdf.docinfo["/Title"] = "Of QX81f2aa03"
        if place == "metadata":
            with pdf.open_metadata() as metadata:
                metadata["dc:title"] = "Of QX81f2aa03"
        pdf.save(file)
    if place == "nothing":
        audit_files({"report.pdf": file}, PEOPLE)
        return
    with pytest.raises(DisclosureError, match=f"^report.pdf: {PERSON}; nothing was published$"):
        audit_files({"report.pdf": file}, PEOPLE)


@pytest.mark.parametrize(
    ("size", "across", "without"),
    [(12, (1, 0, 0, 1), False), (0, (1, 0, 0, 1), True), (12, (0, 0, 0, 0), True), (12, (1, 0, 0, 0), True),
     (12, (2, 4, 1, 2), True), (12, (0, 1, -1, 0), False)],
)  # fmt: skip
def test_letters_without_an_extent(size: float, across: tuple[float, ...], without: bool) -> None:
    matrix = SimpleNamespace(**dict(zip("abcd", across, strict=True)))
    letters = SimpleNamespace(get_font_size=lambda: size, get_matrix=lambda: matrix)
    assert _without_size(letters) is without


@pytest.mark.parametrize("broken", ["QX81-\r\nf2aa03", "QX81\ufffef2aa03", "QX81\u00ad\r\nf2aa03"])
def test_a_word_that_a_page_breaks_is_searched_whole(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SimpleNamespace(get_text_range=lambda: f"of {broken}.")
    page = SimpleNamespace(get_objects=lambda **_: [], get_textpage=lambda: text)
    monkeypatch.setattr("evalkit.publish.audit._document.pdfium.PdfDocument", lambda _: nullcontext([page]))
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(tmp_path / "a.pdf")
    with pytest.raises(DisclosureError, match=f"^report.pdf: {PERSON}; nothing was published$"):
        audit_files({"report.pdf": tmp_path / "a.pdf"}, PEOPLE)


# -- cells -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import evalkit.report._mark", "evalkit.report._mark"), ("from evalkit.report import _mark", "evalkit.report._mark"),
        ("from evalkit import seal", "evalkit.seal"), ("evalkit.seal.key()", "evalkit.seal"), ("'evalkit.report._report'", "evalkit.report._report"),
        ("report._emit('x')", "_emit"), ("x._SEALER", "_SEALER"), ("x._key", "_key"), ("x._mark", "_mark"), ("x._other", ""),
        ("import evalkit.stats", ""), ("from evalkit import survival", ""), ("import evalkitty._x", ""), ("x = 1", ""),
        ("%matplotlib inline\nimport evalkit.report._mark", "evalkit.report._mark"), ("def (: evalkit.report._mark", "evalkit.report._mark"),
        ("def (:", ""),
    ],
)  # fmt: skip
def test_private_parts_that_a_cell_uses(source: str, name: str) -> None:
    assert private_part(source) == name


def test_numbers_that_a_cell_types() -> None:
    assert _typed("f(3, 'By day 60', note=f'Day {x}: 4.5 or 1,000', b=b'7')") == {"60", "4.5", "1,000"}
    assert _typed("f(") == set()


def test_numbers_that_nobody_typed() -> None:
    class Cell:
        source = "f('By day 60')"

    own = guard(protocol="day: 182")
    assert not _unknown_number(["At 60 or 182 days"], Cell, own)
    assert not _unknown_number([], Cell, own)
    assert _unknown_number(["At 60", "or 61 days"], Cell, own)
    assert _unknown_number(["٦١ days"], Cell, own)


@pytest.mark.parametrize(
    ("data", "named"),
    [({"text/plain": "1"}, "a value"), ({"text/plain": "1", "text/html": "x"}, "HTML (a data frame, say)"),
     ({"text/plain": "1", "image/png": "x"}, "a picture"), ({"text/plain": "1", "a/b": "x", "a/a": "y"}, "content of type a/a"), ({}, "something")],
)  # fmt: skip
def test_what_an_output_is_called(data: dict[str, str], named: str) -> None:
    assert _kind(data) == named


def test_an_output_that_is_no_display_is_named() -> None:
    from nbformat.v4 import new_output

    doors = "only what report.show, report.say, report.draw and report.cover put out may leave"
    for output, said in (
        (new_output("stream", name="stderr", text="x"), f"puts out a warning or error text; {doors}"),
        (new_output("stream", name="stdout", text="x"), f"puts out printed text; {doors}"),
        (new_output("error", ename="E", evalue="", traceback=[]), f"puts out an error with its traceback; {doors}"),
        (
            new_output("display_data", data={"image/png": "x"}),
            "puts out a picture that did not pass disclosure control; use report.draw",
        ),
    ):
        assert _output_problem(output, "") == said


def test_a_mark_is_of_its_content_and_alone() -> None:
    from nbformat.v4 import new_output

    mark = {"shows": "markdown"}
    beside = new_output("display_data", data={"text/markdown": "a", "text/html": "b"}, metadata={"evalkit": mark})
    assert _output_problem(beside, "") == "puts out text/html beside what passed disclosure control"
    forged = "its mark is not of this run and this content (copied, edited or written by hand); use report.show"
    for data in ({"text/markdown": "a"}, {"text/plain": "a"}):
        assert _output_problem(new_output("display_data", data=data, metadata={"evalkit": mark}), "") == forged
    assert json.dumps(mark)  # nothing was changed


_NAMES = st.text("ab1-é.", min_size=6, max_size=8)


@given(st.frozensets(_NAMES, min_size=1, max_size=4), st.lists(_NAMES | st.text("ab1-é. [", max_size=20), max_size=6))
def test_an_identifier_is_found_wherever_it_stands(names: frozenset[str], parts: list[str]) -> None:
    """As a plain search of every identifier in every text finds it."""
    people, text = Identifiers(anywhere=frozenset(map(fold, names))), "".join(parts)
    found = any(name in version for name in people.anywhere for version in {fold(text), fold(text).replace("[", "")})
    assert people.stand_in(text) is found


def test_a_text_that_passed_without_its_days_does_not_pass_with_them() -> None:
    one = guard()
    for _ in range(2):
        assert one.objection(["on 2022-03-04"], dated=False) == ""
        assert one.objection(["on 2022-03-04"]) == DAY
