"""What a later revision says of the one before it: which numbers differ, what went in, and how that is put into words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.publish._job import LineProgress
from evalkit.publish.release._changes import (
    FIRST,
    NumberChange,
    Revision,
    after_gone,
    estimates_of,
    how_many,
    numbers_changed,
    published_of,
    read_numbers,
    revision_of,
    superseding,
)
from evalkit.publish.release._ingredients import Change, because, differences, digest, key
from evalkit.publish.release._standing import Standing, _same_past
from evalkit.publish.rendering._document import Item
from evalkit.publish.rendering._pieces import _table, _written, beside, css_string, described, frame_of
from evalkit.words import messages_for

EN = messages_for("en-US")


# -- numbers ---------------------------------------------------------------------------------------------------------
def entry(output: str, numbers: str, shows: str = "figure") -> dict[str, str]:
    return {"output": output, "shows": shows, **({"numbers": numbers} if numbers else {})}


HEAD = ["group", "time", "estimate", "n"]
OLD = [HEAD, ["Pilot", "30", "0.5", "20"], ["Pilot", "90", "0.25", ""], ["PAIP", "30", "0.75", "40"]]


def changed(new: list[list[str]], old: list[list[str]] = OLD) -> list[str]:
    found = numbers_changed([entry("fig-a", "1")], {"fig-a": old}, [entry("fig-a", "2")], {"fig-a": new})
    return [str(one) for one in found]


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (OLD, []),
        ([HEAD, ["Pilot", "30", "0.5", "25"], *OLD[2:]], ["fig-a, group Pilot, time 30, n: 20 before, 25 now"]),
        ([HEAD, OLD[1], ["Pilot", "90", "0.25", "15"], OLD[3]], ["fig-a, group Pilot, time 90, n: missing before, 15 now"]),
        ([HEAD, OLD[2], OLD[1], OLD[3]], []),
        (OLD[:3], ["fig-a, group PAIP, time 30, estimate: 0.75 before, missing now", "fig-a, group PAIP, time 30, n: 40 before, missing now"]),
        ([*OLD, ["PAIP", "90", "1", ""]], ["fig-a, group PAIP, time 90, estimate: missing before, 1 now",
                                           "fig-a, group PAIP, time 90, n: missing before, missing now"]),
        ([HEAD, ["Pilot", "30", "0.50", "20.0"], *OLD[2:]], []),
    ],
)  # fmt: skip
def test_numbers_that_differ_are_named_by_row_and_column(new: list[list[str]], said: list[str]) -> None:
    assert changed(new) == said


def test_the_name_of_a_rows_estimate_is_no_name_for_readers_and_no_number() -> None:
    """Hexadecimal digits may look like a number."""
    head = ["term", "estimate", "estimate_id"]
    old = [head, ["engaged", "0.5", "12e456789012"], ["left", "0.25", ""]]
    assert changed([head, ["engaged", "0.5", "6b896d03d135"], ["left", "0.25", ""]], old) == []
    assert changed([head, ["engaged", "0.75", "6b896d03d135"], ["left", "0.25", ""]], old) == [
        "fig-a, term engaged, estimate: 0.5 before, 0.75 now"
    ]


def test_rows_of_one_name_are_told_apart_and_rows_without_a_name_are_rows() -> None:
    old = [["n"], ["1"], ["2"]]
    assert changed([["n"], ["1"], ["3"]], old) == ["fig-a, row (2), n: 2 before, 3 now"]
    assert changed([["n"], ["2"], ["2"]], old) == ["fig-a, row, n: 1 before, 2 now"]


def test_an_output_that_came_or_went_is_one_change() -> None:
    old, new = [entry("fig-a", "1"), entry("cell-3", "")], [entry("tbl-b", "2", "table"), entry("cell-4", "")]
    found = numbers_changed(old, {}, new, {})
    assert [str(one) for one in found] == ["fig-a: figure before, absent now", "tbl-b: absent before, table now"]
    assert found[0].as_dict() == {"output": "fig-a", "where": "", "column": "", "old": "figure", "new": None}
    same = numbers_changed([entry("fig-a", "1")], {"fig-a": OLD}, [entry("fig-a", "1")], {"fig-a": OLD[:1]})
    assert same == []  # by their digests


@pytest.mark.parametrize(("rows", "n"), [(OLD, 5), (OLD[:1], 0), ([], 0), ([["label", "n"], ["a", "x"]], 0)])
def test_how_many_numbers_rows_hold(rows: list[list[str]], n: int) -> None:
    assert how_many(rows) == n


def test_numbers_are_read_only_from_the_file_that_was_published(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "fig-a.csv"
    file.write_text("n\n1\n", encoding="utf-8")
    published = [entry("fig-a", digest(file)), entry("fig-b", "0"), entry("cell-3", "")]
    assert (
        read_numbers(published, tmp_path)
        == read_numbers(published, {"data/fig-a.csv": file})
        == {"fig-a": [["n"], ["1"]]}
    )
    file.write_text("n\n2\n", encoding="utf-8")
    assert read_numbers(published, tmp_path) == {}


def test_what_was_published_is_listed_in_order(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("n\n1\n")
    items = [
        Item("markdown", 2, "by the author"), Item("markdown", 3, "one", mark={"kind": "funnel", "estimate": "e1", "verdict": "released"}),
        Item("markdown", 3, "two", mark={"kind": "methods"}), Item("figure", 4, "<svg/>", "fig-a", alt="x", mark={"estimate": "e2", "also": {"e3": "k3"}}),
    ]  # fmt: skip
    found = published_of(items, {"data/fig-a.csv": file})
    assert [{k: v for k, v in one.items() if k != "content"} for one in found] == [
        {"output": "cell-3", "shows": "markdown", "estimate": "e1", "kind": "funnel", "verdict": "released"},
        {"output": "cell-3-2", "shows": "markdown", "kind": "methods"},
        {"output": "fig-a", "shows": "figure", "estimate": "e2", "numbers": digest(file)},
    ]  # fmt: skip
    assert len({one["content"] for one in found}) == 3
    again = published_of([replace(items[3], alt="y")], {})
    assert again[0]["content"] != found[2]["content"] and "numbers" not in again[0]
    assert estimates_of(items) == [["e1", "funnel"], ["e2", ""], ["e3", "k3"]]


# -- what went in ----------------------------------------------------------------------------------------------------
PARTS: dict[str, Any] = {
    "period": "2000Q4", "inputs": {"study": {"sha256": "a" * 64}, "table exits": {"hmac_sha256": "b" * 64}, "notebook module x.py": {"sha256": "c"}},
    "parameters": {"days": 30, "study": "study.yaml", "period": "x"}, "publication": {"toc": False}, "code": {"sha256": "d"},
    "environment": {"python": "3.11", "packages": {"numpy": "1"}}, "tools": {"quarto": "1.4"},
}  # fmt: skip
ONE: list[tuple[str, Any, str]] = [
    ("period", "2001Q1", "period changed from 2000Q4 to 2001Q1"),
    ("parameters", {"days": 45}, "parameter days changed from 30 to 45"),
    ("parameters", {}, "parameter days is not there any more"),
    ("parameters", {"days": 30, "tau": "x"}, 'parameter tau is new'),
    ("parameters", {"days": "y" * 60}, f'parameter days changed from 30 to "{"y" * 38}…'),
    ("parameters", {"days": "y" * 38}, f'parameter days changed from 30 to "{"y" * 38}"'),
    ("publication", {"toc": True}, "publication toc changed from false to true"), ("code", {"sha256": "e"}, "evalkit’s code changed"),
    ("environment", {"python": "3.12", "packages": {"numpy": "1"}}, "environment python changed from 3.11 to 3.12"),
    ("environment", {"python": "3.11", "packages": {"numpy": "2"}}, "package numpy changed from 1 to 2"), ("tools", {}, "tool quarto is not there any more"),
    ("inputs", {**PARTS["inputs"], "table exits": {"hmac_sha256": "x"}}, "table exits changed"),
    ("inputs", {**PARTS["inputs"], "study": {"sha256": "x"}}, "protocol changed"),
    ("inputs", {**PARTS["inputs"], "notebook": {"sha256": "x"}}, "notebook is new"),
    ("inputs", {**PARTS["inputs"], "notebook module x.py": {"sha256": "x"}}, "notebook module x.py changed"),
    ("inputs", {**PARTS["inputs"], "disclosure": {"sha256": "x"}}, "policy is new"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "value", "said"), ONE)
def test_one_part_that_changed(section: str, value: Any, said: str) -> None:
    new = {**PARTS, section: value}
    assert because(differences(PARTS, new)) == said
    assert key(new) != key(PARTS)
    assert differences(PARTS, PARTS) == []


def test_the_place_of_the_protocol_is_no_part_and_the_kind_of_digest_is() -> None:
    elsewhere = {**PARTS, "parameters": {"days": 30, "study": "../other.yaml", "period": "y"}}
    assert (differences(PARTS, elsewhere), key(elsewhere)) == ([], key(PARTS))


def test_many_changes_are_counted() -> None:
    changes = [Change("parameter", f"p{n}", "1", "2") for n in range(8)]
    six = "; ".join(f"parameter p{n} changed from 1 to 2" for n in range(6))
    assert because(changes[:6]) == six
    assert because(changes) == f"{six}; and 2 more"
    assert because(changes, 8).count(";") == 7


def test_why_a_release_is_or_is_not_up_to_date() -> None:
    place, data, code = (
        Path("r"),
        Change("data", "exits", "sha256:a", "sha256:b"),
        Change("code", "", "sha256:a", "sha256:b"),
    )
    manifest = {"revision": 3}
    cases = [
        (Standing(place), False, 0, "there is no release yet"),
        (Standing(place, there=True), False, 1, "its manifest cannot be read by this version of evalkit"),
        (Standing(place, True, manifest), True, 3, "data, parameters, code, environment and tools are the same"),
        (Standing(place, True, manifest, changes=(data,)), False, 3, "table exits changed"),
        (Standing(place, True, manifest, changes=(data,), added=True), True, 3, "table exits changed, and what they say of the time up to the data cut did not"),
        (Standing(place, True, manifest, changes=(data, code), added=True), False, 3, "table exits changed; evalkit’s code changed"),
        (Standing(place, True, manifest, changes=(data,), added=True, wrong=("a.csv",)), False, 3, "table exits changed"),
        (Standing(place, True, manifest, changes=(data,), added=True, gone={"revision": 4}), False, 4, "table exits changed"),
        (Standing(place, True, manifest, changes=(code,), wrong=("a.csv",)), False, 3, "evalkit’s code changed"),
        (Standing(place, True, manifest, wrong=("a.csv", "b.csv")), False, 3, "a.csv, b.csv is not what was published"),
        (Standing(place, True, manifest, gone={"revision": 5}), False, 5, "data, parameters, code, environment and tools are the same"),
        (Standing(place, True, {"study": "s"}), True, 1, "data, parameters, code, environment and tools are the same"),
    ]  # fmt: skip
    for standing, up_to_date, last, why in cases:
        assert (standing.up_to_date, standing.last, standing.why) == (up_to_date, last, why)


def test_tables_of_which_nothing_is_known_do_not_say_the_same() -> None:
    said = [({"known": {"a": "1"}}, {"a": "1"}), ({"known": {"a": "1"}}, {"a": "2"}), ({"known": {}}, {}), ({}, {})]
    assert [_same_past(manifest, known) for manifest, known in said] == [True, False, False, False]


def test_what_only_making_it_again_tells() -> None:
    """Its surroundings; and the rows of a report on a part of the people, unless they say the same of the time up to the cut."""
    rows, limit, code = (
        Change("data", "exits", "sha256:a", "sha256:b"),
        Change("parameter", "days", "30", "31"),
        Change("code", "", "sha256:a", "sha256:b"),
    )
    cases: list[tuple[tuple[Change, ...], dict[str, Any], tuple[Change, ...], bool]] = [
        ((), {}, (), False),
        ((code,), {}, (code,), True),
        ((rows,), {}, (), False),
        ((rows, code), {}, (code,), False),
        ((limit, code), {}, (code,), False),
        ((rows,), {"part": True}, (rows,), True),
        ((rows, code), {"part": True}, (rows, code), True),
        ((rows, limit), {"part": True}, (rows,), False),
        ((rows,), {"part": True, "added": True}, (), False),
        ((rows, code), {"part": True, "added": True}, (code,), True),
        ((rows, code), {"added": True}, (code,), True),
        ((code,), {"wrong": ("a.csv",)}, (code,), False),
        ((code,), {"gone": {"revision": 5}}, (code,), False),
        ((code,), {"manifest": {}}, (code,), False),
    ]
    for changes, more, left_open, only in cases:
        standing = Standing(Path("r"), **{"there": True, "manifest": {"revision": 3}, **more}, changes=changes)
        assert (standing.open, standing.only_open) == (left_open, only), (changes, more)


# -- in words --------------------------------------------------------------------------------------------------------
SECOND = superseding(
    1, "0" * 64, "A *table* was late.", [Change("data", "exits", "sha256:a", "sha256:b")],
    [NumberChange("fig-a", "group Pilot", "n", 20, 25), *(NumberChange("tbl-b", f"group {g}", "n", 1, 2) for g in "vwxyz"),
     NumberChange("fig-c", "", "", "figure", None)],
)  # fmt: skip


def test_what_a_second_revision_says() -> None:
    assert SECOND.words(EN) == "2, supersedes revision 1. A *table* was late."
    assert revision_of(SECOND.facts()) == SECOND
    (item,) = SECOND.items({"fig-a"}, EN)
    paragraphs = item.text.split("\n\n")
    assert paragraphs[0] == "# Changes since revision 1"
    assert paragraphs[1] == "This report supersedes revision 1, which is kept. A \\*table\\* was late."
    assert paragraphs[2:4] == ["What went into it that is not what went in before:", "- table exits changed"]
    assert paragraphs[4] == "7 numbers differ from what was published before:"
    lines = paragraphs[5].splitlines()
    assert len(lines) == 3 and "@fig-a" in lines[0] and "@" not in lines[1] and "@" not in lines[2]


@pytest.mark.parametrize("language", ["en-US", "es-US"])
@pytest.mark.parametrize(
    "made", [superseding(1, "0" * 64, "", [], []), after_gone({"revision": 2, "manifest_sha256": "0"}, "")]
)
def test_a_long_reason_gives_way_on_the_cover_and_stands_whole_at_the_end(made: Revision, language: str) -> None:
    """Where help is stands last on page one: a reason of three lines would push it off."""
    say, reason = messages_for(language), "Sessions of September were entered twice by one of the sites. " * 5
    said = replace(made, note=reason.strip()).words(say)
    start = replace(made, note="").words(say)
    assert said.startswith(f"{start} Sessions")
    assert said.endswith({"en-US": "… (in full at the end)", "es-US": "… (completo al final)"}[language])
    assert len(said) <= 88
    (item,) = replace(made, note=reason.strip()).items([], say)
    assert reason.strip() in item.text
    just = "x" * (88 - len(start) - 1)
    assert replace(made, note=just).words(say) == f"{start} {just}"
    assert len(replace(made, note="x" * 300).words(say)) <= 88  # one word without end


def test_what_a_revision_says_where_nothing_differs() -> None:
    (item,) = superseding(4, "0" * 64, "Why not.", [], []).items([], EN)
    assert item.text == (
        "# Changes since revision 4\n\nThis report supersedes revision 4, which is kept. Why not.\n\n"
        "The same data, parameters, code and tools went into both.\n\nNo published number differs."
    )
    one = (
        superseding(4, "0" * 64, "Why not.", [], [NumberChange("fig-a", "row", "n", 1, 2)]).items(["fig-a"], EN)[0].text
    )
    assert "One number differs from what was published before:" in one


def test_what_a_revision_says_of_one_that_is_gone() -> None:
    gone = after_gone({"revision": 2, "manifest_sha256": "0"}, "")
    assert (gone.number, gone.words(EN)) == (3, "3, after revision 2, which is not kept here.")
    assert replace(gone, note="Withdrawn.").words(EN) == "3, after revision 2, which is not kept here. Withdrawn."
    assert replace(gone, note="A *b*.").items([], EN)[0].text == (
        "# Changes since revision 2\n\nRevision 2 was published before and is not kept here; what differs is not known. A \\*b\\*."
    )


def test_a_first_revision_says_nothing() -> None:
    assert (FIRST.words(EN), FIRST.items([], EN), revision_of({})) == ("", [], Revision())
    assert FIRST.facts() == {
        "revision": 1,
        "supersedes": None,
        "change_note": "",
        "changes": {"reasons": [], "numbers": []},
    }


# -- beside figures and tables ---------------------------------------------------------------------------------------
NUMBERS = {
    "columns": ["group", "term", "label", "n", "estimate"],
    "rows": [["Pilot", "a", "<A>", 20, -0.123456], ["PAIP", "b", "B", None, None]],
}
FIGURE = Item(
    "figure", 2, "<svg viewBox='0 0 1 1'><g/></svg>", "fig-a", 'A "curve" & more', "One < two.", numbers=NUMBERS
)


def test_numbers_below_a_figure() -> None:
    assert _table(frame_of(FIGURE), EN) == (
        '<table><thead><tr><th scope="col">Group</th><th scope="col">What</th><th scope="col" class="figure-number">Out of</th>'
        '<th scope="col" class="figure-number">Estimate</th></tr></thead><tbody><tr><td>Pilot</td><td>&lt;A&gt;</td>'
        '<td class="figure-number">20</td><td class="figure-number">−0.1235</td></tr><tr><td>PAIP</td><td>B</td>'
        '<td class="figure-number"></td><td class="figure-number"></td></tr></tbody></table>'
    )
    assert "term" in str(frame_of(FIGURE).columns.tolist())


@pytest.mark.parametrize(
    ("value", "written"),
    [(None, ""), (float("nan"), ""), (0.5, "0.5"), (-2.0, "−2"), (12345.678, "1.235e+04"), (7, "7"), ("a-b", "a-b")],
)
def test_how_a_number_is_written_there(value: object, written: str) -> None:
    assert _written(value) == written


def test_files_below_a_figure_and_a_table() -> None:
    figure, table = beside(FIGURE, EN), beside(Item("table", 3, "", "tbl-b", "A table", numbers=NUMBERS), EN)
    assert [
        figure.count(f'href="{file}"') for file in ("data/fig-a.csv", "figures/fig-a.svg", "figures/fig-a.png")
    ] == [1, 1, 1]
    assert "<details>" in figure and "A &quot;curve&quot; &amp; more" in figure
    assert (
        table
        == '<div class="beside"><p><a href="data/tbl-b.csv">Numbers (CSV)<span class="unseen">: A table</span></a></p></div>'
    )
    assert beside(Item("table", 3, "", "tbl-b", "A table"), EN) == ""
    bare = beside(replace(FIGURE, numbers={}), EN)
    assert "data/" not in bare and "<details>" not in bare and "figures/fig-a.png" in bare


def test_a_picture_is_described_for_those_who_do_not_see_it() -> None:
    assert described(FIGURE) == (
        "<svg viewBox='0 0 1 1'><title>A \"curve\" &amp; more</title><desc>One &lt; two.</desc><g/></svg>"
    )
    twice = replace(FIGURE, text="<svg><svg/></svg>")
    assert described(twice).count("<title>") == 1


def test_words_in_a_style_sheet() -> None:
    assert css_string("a\\b 'c' <d> & \"e\"\nf") == "a\\5c b \\27 c\\27  \\3c d\\3e  \\26  \\22 e\\22  f"


def test_lines_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from evalkit.publish import _job

    times = iter([100.0, 103.25, 104.0])
    monkeypatch.setattr(_job.time, "monotonic", lambda: next(times))
    stream = io.StringIO()
    told = LineProgress(stream)
    told.cell("tiny", 0, 4)
    told.step("tiny", "done")
    assert stream.getvalue() == "[   3.2 s] tiny: cell 1 of 4\n[   4.0 s] tiny: done\n"
