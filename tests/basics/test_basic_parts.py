"""What every package stands on, in whole: marks and escapes, levels, cells, zones, days without a word on the fiscal year."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest

from evalkit import markup, zones
from evalkit.letters import unshown
from evalkit.levels import fewest, in_words, joined
from evalkit.periods import Period, newest_complete, quarters_between
from evalkit.spreadsheet import csv_text, harmless, unseen
from evalkit.wilson import wilson
from evalkit.words import Messages, catalogue
from evalkit.words._catalogue import messages
from evalkit.zones import known_zone, zone

md = markup.markdown


# -- marks -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "begins", "shown"),
    [
        ("a *b* [c] <d> $e$ #1 ~f~ ^g^ |h| {i} 'j' \"k\" !l & m@n `o` \\", True,
         r"a \*b\* \[c\] \<d\> \$e\$ \#1 \~f\~ \^g\^ \|h\| \{i\} \'j\' \"k\" \!l \& m\@n \`o\` \\"),
        ("= a", True, r"\= a"), ("+ a", True, r"\+ a"), ("- a", True, r"\- a"), ("% a", True, r"\% a"), (": a", True, r"\: a"),
        ("= a", False, "= a"), ("- a", False, "- a"), ("1. a", True, r"1\. a"), ("1) a", True, r"1\) a"), ("(iv) a", True, r"(iv\) a"),
        ("b. a", True, r"b\. a"), ("1. a", False, "1. a"), ("1.5 a", True, "1.5 a"), ("12", True, "12"), ("1.", True, r"1\."),
        ("1234567890. a", True, "1234567890. a"), ("123456789. a", True, r"123456789\. a"), ("Table: a", True, r"Table\: a"),
        ("table: a", True, r"table\: a"), ("Table: a", False, "Table: a"), ("_a_ b_c d_", True, r"\_a\_ b_c d\_"),
        ("a..b... -- === ::", True, r"a\..b\.\.. \-- \=\== \::"), ("http://a mailto:b:c 9:30", True, r"http\://a mailto\:b:c 9:30"),
        ("   - a", True, r" \- a"), ("\ta", True, " a"), ("a\r\n\n b\u2028c\x0bd", True, "a b c d"), ("", True, ""), ("   ", True, " "),
    ],
)  # fmt: skip
def test_a_text_is_escaped_letter_by_letter(text: str, begins: bool, shown: str) -> None:
    assert markup.escaped(text, begins=begins) == shown
    if begins:
        assert markup.escaped(text) == shown


@pytest.mark.parametrize(
    ("made", "shown", "bare"),
    [
        (lambda: markup.bold("*a*"), r"**\*a\***", "*a*"), (lambda: markup.code("a_b c"), "`a_b c`", ""), (lambda: markup.code("a|b"), r"a\|b", "a|b"),
        (lambda: markup.code("a  b"), "a  b", "a  b"), (lambda: markup.code("{x}"), r"\{x\}", "{x}"), (lambda: markup.code("`"), r"\`", "`"),
        (lambda: markup.paragraphs("a", "", "- b"), "a\n\n\\- b", "a- b"), (lambda: markup.heading("1. a"), r"# 1\. a", "1. a"), (lambda: markup.heading("a", 3), "### a", "a"),
        (lambda: markup.bullets(["a", "- b"]), "- a\n- \\- b", "a- b"), (lambda: markup.box("note", "+ a"), "::: {.note}\n\\+ a\n:::", "+ a"),
        (lambda: markup.reference("fig-x"), "@fig-x", ""), (lambda: markup.link("a]", "#b"), r"[a\]](#b)", "a]"),
        (lambda: markup.table(("A", "B"), [("1", "- 2")]), "| A | B |\n| --- | --- |\n| 1 | \\- 2 |", "AB1- 2"),
        (lambda: markup.table(("A", "B"), [("1", "2"), ("3", "4")], (2, 5)), "| A | B |\n| :-- | :----- |\n| 1 | 2 |\n| 3 | 4 |", "AB1234"),
        (lambda: "- a " + markup.bold("- b") + "- c", r"\- a **- b**- c", "- a - b- c"), (lambda: markup.template("**a** isn't"), "**a** isn\u2019t", "a isn\u2019t"),
    ],
)  # fmt: skip
def test_own_marks_are_marks_and_the_rest_is_text(made: Callable[[], str], shown: str, bare: str) -> None:
    assert md(made()) == shown
    assert markup.plain(made()) == bare


def test_signs_are_of_ascii_only() -> None:
    assert markup.sign("a\u00e9") == chr(0xF0000 + ord("a")) + "\u00e9"
    assert md(markup.sign("\x00a~\x7f")) == "\x00a~\x7f"  # from the first to the last of ASCII
    assert markup.title(r"**Most \<b\>.** `c` __d__ \a") == "Most <b>. c d \\a"


# -- levels ------------------------------------------------------------------------------------------------------------
def test_the_fewest_in_any_cell() -> None:
    levels = pd.Series(["a", "a", "b", "b", "b", None])
    event, site = pd.Series([True, False, True, True, True, False]), pd.Series(list("xyxxyy"))
    assert fewest(levels).to_dict() == {"a": 2, "b": 3}
    assert fewest(levels, event).to_dict() == {"a": 1, "b": 0}
    assert fewest(levels, site).to_dict() == {"a": 1, "b": 1}
    assert fewest(levels, event, site).to_dict() == {"a": 0, "b": 0}


def test_levels_are_joined_until_each_has_enough() -> None:
    values = pd.Series(["d"] * 9 + ["b"] * 4 + ["a"] * 2 + ["c"] + [None], index=range(10, 27))
    for smallest, names, sizes in (
        (1, ["d", "b", "a", "c"], [9, 4, 2, 1]), (2, ["d", "b", "a or c"], [9, 4, 3]), (3, ["d", "b", "a or c"], [9, 4, 3]),
        (4, ["d", "b or a or c"], [9, 7]), (7, ["d", "b or a or c"], [9, 7]), (8, ["d or b or a or c"], [16]), (99, ["d or b or a or c"], [16]),
    ):  # fmt: skip
        found = joined(values, (), smallest, ["d", "x", "b"])
        assert list(found.cat.categories) == names
        assert found.value_counts(sort=False).tolist() == sizes and found.index.tolist() == values.index.tolist()
        assert found.isna().sum() == 1
    by = [pd.Series([i % 2 == 0 for i in range(17)])]
    assert list(joined(values.reset_index(drop=True), by, 1).cat.categories) == ["a or c", "b", "d"]
    assert list(joined(pd.Series([2, 1, 2, 3]), (), 2).cat.categories) == ["1 or 3", "2"]


@pytest.mark.parametrize(("level", "words"), [("a_b", "A b"), ("_a", "_a"), ("a_", "A_"), ("x://a_b", "x://a b"), ("ábc_d", "Ábc d"), ("a__b", "A__b"), ("", "")])  # fmt: skip
def test_levels_in_words(level: str, words: str) -> None:
    assert in_words(level) == words


# -- cells of a table --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1", "'=1"), ("+a", "'+a"), ("-a", "'-a"), ("@a", "'@a"), (" =a", "' =a"), ("'=a", "''=a"), ('"=a', "'\"=a"), ("\u00a0=a", "'\u00a0=a"),
        ("\uff1da", "'\uff1da"), ("\uff0ba", "'\uff0ba"), ("\uff0da", "'\uff0da"), ("\uff20a", "'\uff20a"), ("\ta", "' a"), ("a\t\nb", "a b"),
        ("-5", "-5"), ("+5.25e-3", "+5.25e-3"), ("-.5%", "-.5%"), ("-5-", "'-5-"), ("a=b", "a=b"), ("\u200b=a", "'=a"), ("a\u200bb", "ab"), ("a\u2029b", "a b"),
        ("", ""),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert harmless(text) == cell


@pytest.mark.parametrize(("text", "hidden"), [("a\tb\r\nc", False), ("a\u200bb", True), ("\u202e", True), ("a\x07", True), ("é ", False), ("", False)])  # fmt: skip
def test_characters_that_are_not_seen(text: str, hidden: bool) -> None:
    assert unseen(text) is hidden


def test_a_table_as_csv_in_whole() -> None:
    frame = pd.DataFrame(
        {"=a": ["@x", None, 'q"r'], "n": [1, 2, 3], "w": [0.5, np.nan, -1], "d": pd.to_datetime(["2022-01-02", None, "2022-12-31"]), "m": [True, "-y", 7]},
        index=[5, 6, 7],
    )  # fmt: skip
    frame.columns = ["=a", "n", "w", "d", "n"]
    assert csv_text(frame) == ('\'=a,n,w,d,n\n\'@x,1,0.5,2022-01-02,True\n,2,,,\'-y\n"q""r",3,-1.0,2022-12-31,7\n')
    assert csv_text(pd.DataFrame()) == "\n" and list(frame.columns) == ["=a", "n", "w", "d", "n"]


@pytest.mark.parametrize(
    ("texts", "hidden"),
    [(["a", 5, None], False), (["a\n\t\u200b"], False), (["社"], True), ([5, "ok", "ש"], True), (["\u0627"], True), (["Ω € ł"], False), (["\U000f0041"], True), ([], False)],
)  # fmt: skip
def test_letters_without_a_shape(texts: list[object], hidden: bool) -> None:
    assert unshown(texts) is hidden


# -- zones, days, words ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("America/Chigaco", "is no time zone; did you mean 'America/Chicago'?"), ("chicago", "is no time zone; did you mean 'America/Chicago'?"),
        ("US/new york ", "is no time zone; did you mean 'America/New_York'?"), ("Etc/UTC", None), ("EST", None), ("qqqq", "is no time zone, which is named as in America/Chicago"),
    ],
)  # fmt: skip
def test_names_that_are_no_zone(name: str, words: str | None) -> None:
    with pytest.raises(ValueError, match="is no time zone") as caught:
        known_zone(name)
    assert words is None or str(caught.value) == words


def test_zones_and_the_day_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert known_zone("UTC") == "UTC" and known_zone("Europe/Madrid") == "Europe/Madrid"
    assert zone("Asia/Tokyo").key == "Asia/Tokyo"

    class Clock(zones.datetime):
        @classmethod
        def now(cls, tz=None):
            return zones.datetime(2023, 1, 1, 3, tzinfo=zone("UTC")).astimezone(tz)

    monkeypatch.setattr(zones, "datetime", Clock)
    assert (zones.today("America/Chicago"), zones.today("Asia/Tokyo")) == (date(2022, 12, 31), date(2023, 1, 1))


def test_years_begin_in_january_where_nobody_says_another_month() -> None:
    assert Period.parse("2022Q1").first == date(2022, 1, 1)
    assert (
        Period.containing(date(2022, 3, 31)).name == "2022Q1" and Period.containing(date(2022, 4, 1)).name == "2022Q2"
    )
    assert (
        Period.containing(date(2022, 1, 1)).name == "2022Q1" and Period.containing(date(2022, 12, 31)).name == "2022Q4"
    )
    assert Period.parse("2022Q4").next().name == "2023Q1" and Period.parse("2022Q1").next().name == "2022Q2"
    assert newest_complete(date(2022, 1, 30)).name == "2021Q4" and newest_complete(date(2022, 3, 31)).name == "2022Q1"
    assert [p.name for p in quarters_between(date(2021, 12, 31), date(2022, 4, 1))] == ["2021Q4", "2022Q1", "2022Q2"]


def test_limits_are_of_95_percent_where_nobody_says_another_level() -> None:
    assert [limit[0] for limit in wilson([5], [10])] == pytest.approx([0.2365930905, 0.7634069095])


def test_the_catalogue_is_of_its_language() -> None:
    es = catalogue("es")
    assert str(es.locale) == "es" and es.get("Data cut").string == "Corte de datos"
    assert all(
        "" not in {*messages(language), *messages(language).values()} for language in ("en", "es")
    )  # the head of the file is no message
    say = Messages("es-US")
    assert say("Data cut") == "Corte de datos" and Messages("en-US")("Data cut") == "Data cut"
    assert say("no such message {n}", n=3) == "no such message 3" and Messages("fr-FR")("Data cut") == "Data cut"
    assert (say.percent(0.999), say.percent(0.001), say.percent(0.5)) == (
        "más del 99%", "menos del 1%", "50%",
    )  # fmt: skip
