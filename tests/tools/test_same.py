"""The net under rebuilding: a number, a word, an alternative text, a cell or a row that differs is found, and nothing else."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tools.same import __main__ as tool
from tools.same import editions
from tools.same.compare import Difference, differences
from tools.same.read import Line, read

PAGE = """<!DOCTYPE html><html lang="en"><head><title>Quarterly report</title><style>p { margin: 1em }</style></head><body>
<h1>Report</h1><p>About <strong>82 people</strong>
have been referred.</p>
<section><h2>Retention</h2><p>At day 182, 67% stayed.</p><p>See <a href="#fig-a">Figure 1</a>.</p>
<figure id="fig-a"><img alt="Two curves. 67% at day 182." src="data:image/svg+xml;base64,AAAA"/>
<figcaption>Time to disengagement</figcaption></figure>
<table><tr><th>Group</th><th>n</th></tr><tr><td><p>Pilot</p></td><td>82</td></tr><tr><td>PAIP</td><td>464</td></tr></table>
</section><table><tr><td>evalkit</td><td>0.1.0</td></tr><tr><td>Commit</td><td>79c2fe8a9b1c</td></tr></table></body></html>"""
DATA = "group,n,estimate\nPilot,82,0.67\nPAIP,464,0.64\n"
SVG = "<svg>\n<path d='M 1 2'/>\n<path d='M 3 4'/>\n</svg>\n"
NAMES = "| fig-a.csv | kaplan_meier | 4c66050e787f |\n"


def release(where: Path, page: str = PAGE, data: str = DATA, svg: str = SVG, names: str = NAMES) -> Path:
    (where / "data").mkdir(parents=True)
    (where / "figures").mkdir()
    (where / "report.html").write_text(page)
    (where / "data" / "fig-a.csv").write_text(data)
    (where / "data" / "README.md").write_text(names)
    (where / "figures" / "fig-a.svg").write_text(svg)
    return where


@pytest.fixture
def compared(tmp_path):
    """Compare the release above with a changed one; what is found as (place, before, now)."""
    before = read(release(tmp_path / "before"))

    def compare(**changed: str) -> tuple[list[tuple[str, str, str]], Counter[str]]:
        left_out = Counter()
        found = differences("q", before, read(release(tmp_path / "now", **changed)), left_out)
        assert {difference.report for difference in found} <= {"q"}
        return [(d.place, d.before, d.now) for d in found], left_out

    return compare


def test_nothing_is_found_where_nothing_differs(compared):
    found, left_out = compared()
    assert found == []
    assert left_out == {"the version of evalkit": 2, "names of estimates, digests, commits": 4, "times of day": 0}


def test_other_markup_of_the_same_words_is_no_difference(compared):
    page = PAGE.replace("<p>At day 182", '<div class="x"><p>At  day\n182').replace("stayed.</p>", "stayed.</p></div>")
    assert compared(page=page.replace("margin: 1em", "margin: 2em"))[0] == []


def test_what_must_differ_is_left_out_by_its_reason(compared):
    page = PAGE.replace("<td>0.1.0<", "<td>0.2.0<").replace("79c2fe8a9b1c", "0123456789ab")
    assert compared(page=page, names=NAMES.replace("4c66050e787f", "ffffffffffff"))[0] == []


@pytest.mark.parametrize(
    ("old", "new", "place", "before", "now"),
    [
        ("67% stayed", "68% stayed", "Retention", "At day 182, [67%] stayed.", "At day 182, [68%] stayed."),
        ("referred.", "sent.", "Report", "82 people have been [referred.]", "82 people have been [sent.]"),
        ("67% at day 182", "66% at day 182", "Retention", "img alt: Two curves. [67%] at day 182.", "img alt: Two curves. [66%] at day 182."),
        (' alt="Two curves. 67% at day 182."', "", "Retention", "[img alt: Two curves. 67% at day 182.]", ""),
        ("<td>464<", "<td>465<", "Retention", "PAIP | [464]", "PAIP | [465]"),
        ("<tr><td>PAIP</td><td>464</td></tr>", "", "Retention", "[PAIP | 464]", ""),
        ("<p>See", "<p>New.</p><p>See", "Retention", "", "[New.]"),
        ('lang="en"', 'lang="es"', "", "html lang: [en]", "html lang: [es]"),
        ("<title>Quarterly", "<title>Final", "", "[Quarterly] report", "[Final] report"),
    ],
)  # fmt: skip
def test_each_kind_of_difference_in_a_page_is_found_alone(compared, old, new, place, before, now):
    assert PAGE.count(old) == 1
    where = f"report.html, {place}" if place else "report.html"
    assert compared(page=PAGE.replace(old, new))[0] == [(where, before, now)]


def test_a_cell_is_found_by_row_and_column(compared):
    found, _ = compared(data=DATA.replace("0.64", "0.641"))
    assert found == [("data/fig-a.csv, row 2, estimate", "0.64", "0.641")]


def test_digits_like_a_digest_are_compared_where_numbers_stand(tmp_path):
    one, two = "group,n\nPilot,123456789012\n", "group,n\nPilot,123456789013\n"
    sides = [read(release(tmp_path / str(len(text)) / text[-3:-1], data=text)) for text in (one, two)]
    assert [str(d) for d in differences("q", *sides, Counter())] == [
        "q: data/fig-a.csv, row 1, n: 123456789012 -> 123456789013"
    ]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (DATA.replace("PAIP,464,0.64\n", ""), [("row 2", "PAIP | 464 | 0.64", "")]),
        (DATA + "All,546,0.65\n", [("row 3", "", "All | 546 | 0.65")]),
        (DATA.replace("Pilot,82,0.67\n", ""), [("row 1", "Pilot | 82 | 0.67", "")]),
        (DATA.replace("estimate", "share"), [("columns", "group | n | estimate", "group | n | share")]),
    ],
)
def test_a_row_or_column_that_one_side_lacks_is_found(compared, data, found):
    assert compared(data=data)[0] == [(f"data/fig-a.csv, {place}", *sides) for place, *sides in found]


def test_a_drawing_and_a_file_are_found(compared):
    found, _ = compared(svg=SVG.replace("3 4", "3 5"))
    assert found == [("figures/fig-a.svg, drawn otherwise", "4 lines", "1 lines are others")]
    one = {"a.csv": [Line("columns", "n")]}
    both = (
        differences("q", one, {**one, "b.csv": []}, Counter()),
        differences("q", {**one, "b.csv": []}, one, Counter()),
    )
    assert [[str(d) for d in some] for some in both] == [
        ["q: b.csv: (nothing) -> there"], ["q: b.csv: there -> (nothing)"],
    ]  # fmt: skip


def paper(where: Path, lead: str, share: str, alt: str) -> Path:
    """Make a PDF of several pages with running lines and a figure, by the compiler of the reports."""
    typst = pytest.importorskip("typst")
    where.mkdir()
    source = where / "source.typ"
    source.write_text(
        '#set document(title: "x")\n#set page(height: 6cm, header: [Quarterly report], footer: context [Page #counter(page).display()])\n'
        f"{lead}\n\n" + "Words that fill a page and say nothing. " * 40 + f"\n\nIn PAIP it was {share}. Nothing else is said.\n\n"
        f'#figure(rect(), alt: "{alt}", caption: [A box])\n'
    )  # fmt: skip
    (where / "report.pdf").write_bytes(typst.compile(str(source), pdf_standards=["ua-1"]))
    return where


def test_a_pdf_is_compared_by_its_words_and_alternative_texts_not_by_its_pages(tmp_path):
    before = read(paper(tmp_path / "before", "Short.", "76%", "A box of 76%"))
    assert [line.text for line in before["report.pdf"]][:2] == ["Page #", "Quarterly report"]
    now = read(paper(tmp_path / "now", "Short. " + "And longer by some lines. " * 9, "77%", "A box of 77%"))
    found = [(d.place, d.before, d.now) for d in differences("q", before, now, Counter())]
    lead, *others = found
    assert lead[1] == "" and lead[2].count("And longer by some lines.") == 9
    (words, alternative) = others
    assert words == ("report.pdf, page 2", "In PAIP it was [76%.]", "In PAIP it was [77%.]")
    assert alternative == ("report.pdf, alternative texts", "A box of [76%]", "A box of [77%]")


def test_the_list_says_all_in_few_lines():
    found = [Difference("brief", f"row {n}", "1", "2") for n in range(5)] + [Difference("final", "x", "", "there")]
    told = tool.report(found, Counter({"times of day": 2, "others": 0}), most=3).splitlines()
    assert told[2:] == [
        "brief: row 2: 1 -> 2", "brief: and 2 more: --all", "final: x: (nothing) -> there",
        "not compared: times of day (2)", "6 differences",
    ]  # fmt: skip
    assert tool.report([], Counter(), 3) == "the same numbers, words, alternative texts and cells\n"


def test_renders_of_a_commit_are_kept_and_those_of_the_tree_are_not(tmp_path, monkeypatch, capsys):
    """Everything but the render itself: what is called for which side, with whose secrets, and the exit code."""
    monkeypatch.setattr(editions, "KEPT", tmp_path / "kept")
    calls, pages = [], {"before": PAGE, "now": PAGE}

    def ran(python, where, *asked, **environment):
        side = "before" if "archive" in python else "now"
        calls.append((side, *asked[:2]))
        if asked[0] == "simulate":
            (where / "data" / "demo").mkdir(parents=True)
            (where / "data" / "demo" / "sessions.csv").write_text(f"made by {side}")
        if asked[0] == "render":
            assert (where / "data" / "demo" / "sessions.csv").read_text() == "made by before"
            private = Path(environment["EVALKIT_PRIVATE"]) / "rossi"
            if side == "now":
                assert (private / "secret").read_text() == "secret of before"
            private.mkdir(parents=True, exist_ok=True)
            (private / "secret").write_text(f"secret of {side}")
            release(Path(asked[-1]) / "rossi" / asked[1] / "2023Q4", page=pages[side])

    monkeypatch.setattr(editions, "_run", ran)
    monkeypatch.setattr(editions, "copy_of_commit", lambda commit, where: "archive")
    monkeypatch.setattr(editions, "copy_of_tree", lambda where: "tree")
    monkeypatch.setattr("sys.argv", ["same", "brief", "rossi", "--before", "HEAD"])
    assert tool.main() == 0
    assert "the same numbers" in capsys.readouterr().out
    assert sorted(calls) == [
        ("before", "example", "rossi"), ("before", "render", "brief"), ("before", "render", "final"), ("before", "simulate", "--out"),
        ("now", "example", "rossi"), ("now", "render", "brief"), ("now", "render", "final"),
    ]  # fmt: skip
    calls.clear()
    pages["now"] = PAGE.replace("67% stayed", "68% stayed")
    assert tool.main() == 1
    assert {side for side, *_ in calls} == {"now"}
    assert "rossi: report.html, Retention: At day 182, [67%] stayed. -> At day 182, [68%]" in capsys.readouterr().out


def test_what_is_no_commit_and_no_report_is_said(monkeypatch, capsys):
    with pytest.raises(SystemExit, match="'nowhere' is no commit"):
        editions.commit_of("nowhere")
    with pytest.raises(SystemExit):
        tool.options(["weekly"])
    assert "no such report: weekly" in capsys.readouterr().err
    without = subprocess.CompletedProcess([], 128, "", "fatal: No names found")
    monkeypatch.setattr(editions.subprocess, "run", lambda *_, **__: without)
    with pytest.raises(SystemExit, match="make same BEFORE=<commit>"):
        editions.newest_release()
