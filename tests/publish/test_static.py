"""What is said of a notebook before it runs: each problem with its cell, and nothing of a sound notebook."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evalkit.cells import cell_problems, notebook_problems
from evalkit.publish.audit._notebook import problems_before
from evalkit.publish.rendering._document import works_beside

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
HEAD = '#| label: fig-a\n#| fig-cap: "A"\n#| fig-alt: "B"\n'
OPENED = "import evalkit\nfrom evalkit import analyses\nreport = evalkit.open_report(study)\n"


@pytest.mark.parametrize("name", ["quarterly", "final", "brief"])
def test_of_the_reports_that_are_shipped_nothing_is_said(name: str) -> None:
    file = NOTEBOOKS / f"{name}.ipynb"
    assert problems_before(nbformat.read(file, 4), ("html", "pdf"), works_beside(file)) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (HEAD + "report.show(curve)", None),
        (HEAD + "report.show(curve, 'figure')", None),
        ("#| label: tbl-a\n#| tbl-cap: 'A'\nreport.show(curve, 'table')", None),
        ("#| include: false\nreport.show(curve)", None),
        ("#| label: fig-a\n#| fig-cap: 'No'\n#| fig-alt: 'Yes'\nreport.show(curve)", None),
        ("curve = 3", None),
        ("frame.head();", None),
        ("def look(rows):\n    print(rows)", None),
        ("if debugging:\n    print(rows)\nelse:\n    print(1)", None),
        ("try:\n    x = 1\nexcept ValueError:\n    print(x)", None),
        ("with open('kept.txt', 'w') as stream:\n    print(1, file=stream)", None),
        ("for row in rows:\n    print(row)", "line 2: print() puts out what did not pass disclosure control; only what report.show, report.say, report.draw and report.cover put out may leave"),
        ("report.show(curve)", "the figure or table has no label; add '#| label: fig-name' (letters, digits, '-' and '_')"),
        (HEAD + "report.show(curve, 'table')", "the table has no label; add '#| label: tbl-name' (letters, digits, '-' and '_')"),
        ("report.show(curve, shape='figure')", "the figure has no label; add '#| label: fig-name' (letters, digits, '-' and '_')"),
        ("#| label: fig-a\n#| fig-alt: 'B'\nreport.show(curve)", "(fig-a) the figure has no caption; add '#| fig-cap: ...'"),
        ("#| label: fig-a\n#| fig-cap: 'B'\nreport.show(curve)", "(fig-a) the figure has no alternative text for blind readers; add '#| fig-alt: ...'"),
        ("#| label: tbl-a\nreport.show(curve, 'table')", "(tbl-a) the table has no caption; add '#| tbl-cap: ...'"),
        (HEAD + "report.show(a)\nreport.show(b)", "shows 2 figures or tables; one cell shows one, so that each has its own label"),
        ("#| lable: fig-a\nx = 1", "unknown option '#| lable'; did you mean 'label'?"),
        ("#| echo: yes\nx = 1", "'#| echo' is neither true nor false; write one of these two words"),
        (HEAD + 'report.show(curve, "figre")', "line 4: there is no shape 'figre': auto, figure, table; did you mean 'figure'?"),
        ("x = (", "line 1: is not Python ('(' was never closed)"),
        ("print(curve)", "line 1: print() puts out what did not pass disclosure control; only what report.show, report.say, report.draw and report.cover put out may leave"),
        ("x = 1\ncohort.frame", "line 2: its last line shows a value that did not pass disclosure control; use report.show"),
        ("frame.head()", "line 1: its last line shows a value that did not pass disclosure control; use report.show"),
        ("report.say(curve, lead='In 3 of 4.')", "line 1: the lead holds a number; numbers come from estimates"),
        (OPENED + "x = analyses.funel(report.cohort)", "line 4: there is no analyses.funel; did you mean 'funnel'?"),
        (OPENED + "raw = report.raw", None),
        (OPENED + "report.shw(x)", "line 4: there is no report.shw; did you mean 'show'?"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_cell(source: str, said: str | None) -> None:
    found = [str(problem).removeprefix("cell 7, ").removeprefix("cell 7: ") for problem in cell_problems(source, 7)]
    assert found == ([] if said is None else [said])


def test_an_unknown_option_hides_nothing_else_of_its_cell() -> None:
    source = "#| label: fig-a\n#| fig-capt: 'A'\nreport.show(curve, 'tabel')\nprint(curve)"
    assert [(p.line, p.text.partition(";")[0]) for p in cell_problems(source, 1)] == [
        (0, "unknown option '#| fig-capt'"),
        (3, "there is no shape 'tabel': auto, figure, table"),
        (4, "print() puts out what did not pass disclosure control"),
    ]


@pytest.mark.parametrize(
    ("place", "works", "said"),
    [
        # Without a place for them citations are not looked up at all: they would be printed as they are typed.
        ("", ("austin",), ["cites '@austin', and no cell says '::: {#refs}', where what is cited is listed"]),
        ("::: {#refs}\n:::", ("austin",), []),
        ("::: {#refs}\n:::", ("austen",), ["cites '@austin', which is not in references.json; did you mean 'austen'?"]),
        ("::: {#refs}\n:::", (), ["cites '@austin', which is not in references.json"]),
    ],
)
def test_citations_are_held_to_the_references(place: str, works: tuple[str, ...], said: list[str]) -> None:
    cells = [new_markdown_cell("So [see @austin, p. 3]; not `[@x]`, ann@none.org."), new_markdown_cell(place or "x")]
    notebook = new_notebook(cells=cells)
    assert [p.text for p in problems_before(notebook, ("html",), works)] == said


def test_a_name_that_was_set_to_something_else_is_no_report_any_more() -> None:
    assert cell_problems(OPENED + "report = other()\nreport.shw(x)", 1) == []


def test_labels_and_references_are_held_to_the_whole_notebook() -> None:
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# One {#sec-one}\n\nSee @sec-one, @fig-a and @fig-b."),
            new_code_cell(HEAD + "report.show(curve)"),
            new_code_cell(HEAD + "report.show(curve)"),
            new_code_cell('report.say(curve, "fig-c")'),
            new_code_cell('report.say(curve, see="fig-a")'),
        ]
    )
    assert [str(problem) for problem in notebook_problems(notebook)] == [
        "cell 1: reference '@fig-b' leads nowhere; did you mean 'fig-a'?",
        "cell 3: label 'fig-a' stands in cell 2 already",
        "cell 4, line 1: reference '@fig-c' leads nowhere; did you mean 'fig-a'?",
    ]


@pytest.mark.parametrize("code", ['report.findings(label="sec-one")', "text = '## One {#sec-one}'"])
def test_a_section_that_a_cell_begins_can_be_referred_to(code: str) -> None:
    cells = [new_code_cell(code), new_markdown_cell("See @sec-one and @sec-two.")]
    assert [p.text for p in problems_before(new_notebook(cells=cells), ("html",))] == [
        "reference '@sec-two' leads nowhere; did you mean 'sec-one'?"
    ]


def test_what_the_publishers_do_not_treat_alike_is_said_too() -> None:
    cells = [
        new_markdown_cell("::: {.callout-note}\nx\n:::"),
        new_code_cell("#| label: fig-a\n#| fig-cap: '![x](y.png)'\n#| fig-alt: 'B'\nreport.show(curve)"),
        new_code_cell("from evalkit.report._mark import emit"),
        new_markdown_cell("日本"),
    ]
    found = [(p.cell, p.text) for p in problems_before(new_notebook(cells=cells), ("html", "pdf"))]
    assert found == [
        (1, "uses the class 'callout-note', which the publishers do not treat alike; take it out"),
        (2, "(fig-a) its caption holds a picture; figures come from report.show"),
        (3, "reaches into evalkit's private parts (evalkit.report._mark)"),
        (4, "holds letters that the PDF's fonts do not have; write it in others, or with --to html"),
    ]
    assert [p.cell for p in problems_before(new_notebook(cells=cells), ("html",))] == [1, 2, 3]
