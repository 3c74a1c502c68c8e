"""What is taken from an executed notebook: sentences that stand for figures, and texts that stand only sometimes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from evalkit.publish.rendering._document import Item, prepare
from evalkit.publish.rendering._embedded import publish_embedded
from evalkit.publish.rendering._quarto import write_input
from evalkit.seal import MARK
from publish.standin import pdf_pages
from publish.texts import REPORT, given_to_quarto, text_of
from web.pages import document

SMALL = "::: {.absent}\nNot shown: fewer than 11 people.\n:::"
EARLY = "::: {.absent}\nNot shown yet: nobody was followed.\n:::"


def cell(text: str, options: str = "", absent: str = "yes") -> nbformat.NotebookNode:
    mark = {"shows": "markdown", "kind": "funnel", **({"absent": absent} if absent else {})}
    output = new_output("display_data", data={"text/markdown": text}, metadata={MARK: mark})
    return new_code_cell(f"{options}\nreport.show(x)", outputs=[output])


def texts(*cells: Any) -> list[str]:
    return [item.text for item in prepare(new_notebook(cells=list(cells)))]


def test_a_sentence_in_place_of_a_figure_says_what_is_not_shown() -> None:
    figure = '#| label: fig-a\n#| fig-cap: "Share engaged, by area, with 95% limits"'
    table = '#| label: tbl-a\n#| tbl-cap: "Cox model of harm: ratios"'
    assert texts(cell(SMALL, figure)) == [
        "::: {.absent}\nShare engaged, by area. Not shown: fewer than 11 people.\n:::"
    ]
    assert texts(cell(SMALL, table)) == ["::: {.absent}\nCox model of harm. Not shown: fewer than 11 people.\n:::"]


NONE = "::: {{.absent}}\nThe sessions table is not part of this study, so {} cannot be reported.\n:::"


def lacking(what: str, table: str = "") -> nbformat.NotebookNode:
    mark = {"shows": "markdown", "kind": "absent", "why": "absent.table", "table": table}
    output = new_output("display_data", data={"text/markdown": NONE.format(what)}, metadata={MARK: mark})
    return new_code_cell("report.show(x)", outputs=[output])


def test_a_section_without_its_table_says_so_and_no_more() -> None:
    told = texts(
        new_markdown_cell("Before any heading."),
        new_markdown_cell("## Staying {#sec-stay}\n\nWhat the curve shows."),
        lacking("retention"),
        new_markdown_cell("More about the curve."),
        lacking("retention"),
        new_markdown_cell("## Leaving\n\nThree stages.\n\n### Early {#sec-early}\n\nThe first."),
        lacking("who leaves"),
        new_markdown_cell("### Late\n\nThe last."),
        lacking("who leaves"),
        new_markdown_cell("## Annex\n\n::: {.ek-annex}"),
        lacking("trends"),
        new_markdown_cell(":::"),
    )
    assert told == [
        "Before any heading.",
        *("## Staying {#sec-stay}", NONE.format("retention")),
        *("## Leaving", NONE.format("who leaves")),
        *("## Annex\n\n::: {.ek-annex}", NONE.format("trends"), ":::"),
    ]


def test_of_each_table_a_section_says_once_that_it_is_lacking() -> None:
    told = texts(
        new_markdown_cell("## From referral to completion"),
        lacking("the funnel", "sessions"),
        lacking("completion", "sessions"),
        new_markdown_cell("### Harm after completing"),
        lacking("harm after completing", "outcomes"),
    )
    assert told == ["## From referral to completion", NONE.format("the funnel"), NONE.format("harm after completing")]


def test_a_section_without_its_table_to_which_something_leads_stays() -> None:
    told = texts(
        new_markdown_cell("## Harm\n\nHow soon?\n\n### First {#sec-first}\n\nThe first."),
        lacking("harm"),
        new_markdown_cell("### Repeated {#sec-more}\n\nAll of them."),
        lacking("repeated harm"),
        new_markdown_cell("## End\n\nSee [the first](#sec-first)."),
    )
    assert told == [
        *(
            "## Harm",
            "### First {#sec-first}",
            NONE.format("harm"),
            "### Repeated {#sec-more}",
            NONE.format("repeated harm"),
        ),
        "## End\n\nSee [the first](#sec-first).",
    ]


@pytest.mark.parametrize("other", [cell(SMALL), cell("A sentence.", absent="")])
def test_a_section_that_shows_something_keeps_its_words(other: nbformat.NotebookNode) -> None:
    cells = [new_markdown_cell("## Harm\n\nHow soon?"), lacking("harm"), other, new_markdown_cell("### Notes\n\nNone.")]
    assert [text for text in texts(*cells) if "absent" not in text and text != "A sentence."] == [
        "## Harm\n\nHow soon?", "### Notes\n\nNone.",
    ]  # fmt: skip


def test_a_section_of_words_alone_keeps_them() -> None:
    assert texts(new_markdown_cell("## Limits\n\nThere are some."), new_markdown_cell("## End")) == [
        "## Limits\n\nThere are some.", "## End",
    ]  # fmt: skip


def test_what_is_absent_for_one_reason_is_listed_once() -> None:
    cells = [
        cell(SMALL),  # the sentence above the figure
        cell(SMALL, '#| label: fig-a\n#| fig-cap: "A curve"'),
        cell(SMALL, '#| label: tbl-a\n#| tbl-cap: "A table"'),
        cell(SMALL, '#| label: tbl-b\n#| tbl-cap: "A table"'),
        cell(EARLY, '#| label: tbl-c\n#| tbl-cap: "Another"'),
        new_markdown_cell("Prose."),
        cell(EARLY),
    ]
    assert texts(*cells) == [
        "::: {.absent}\nA curve; A table. Not shown: fewer than 11 people.\n:::",
        "::: {.absent}\nAnother. Not shown yet: nobody was followed.\n:::",
        "Prose.",
        EARLY,
    ]


def test_one_reason_is_listed_once_although_another_stands_between_and_names_it_once() -> None:
    named = "::: {.absent}\nChecks. Not shown: fewer than 11 people.\n:::"
    cells = [
        cell(SMALL),
        cell(named),
        cell(SMALL, '#| label: fig-a\n#| fig-cap: "Weighted difference, adjusted"'),
        cell(SMALL, '#| label: tbl-a\n#| tbl-cap: "The weighted difference: adjusted"'),
        cell("A sentence.", absent=""),
        cell(SMALL, '#| label: tbl-b\n#| tbl-cap: "Another after completing"'),
        cell(SMALL, '#| label: tbl-c\n#| tbl-cap: "Another"'),
    ]
    assert texts(*cells) == [
        "::: {.absent}\nWeighted difference, adjusted. Not shown: fewer than 11 people.\n:::",
        named,
        "A sentence.",
        "::: {.absent}\nAnother after completing; Another. Not shown: fewer than 11 people.\n:::",
    ]


def test_a_sentence_that_names_what_it_speaks_of_has_no_title() -> None:
    said = "::: {.absent}\nThe sessions table is not part of this study.\n:::"
    assert texts(cell(said, '#| label: fig-a\n#| fig-cap: "A curve"', absent="")) == [said]


CONDITIONAL = """# Part

::: {.content-visible when-meta="ek-mandate"}
Sent by a court.
:::

::: {.content-visible unless-meta="ek-mandate"}
Drawn by lot.
:::

Always. [A mandate.]{.content-visible when-meta="ek-mandate"} [No mandate.]{.content-visible unless-meta="ek-mandate"}
[Never.]{.content-visible when-meta="ek-unknown"}
"""


@pytest.mark.parametrize(("sessions", "completion"), [(True, "recorded"), (False, "dose"), (True, "either")])
def test_a_text_may_hold_only_with_sessions_or_where_completing_is_not_the_dose(
    sessions: bool, completion: str, tmp_path: Path
) -> None:
    text = '[Sessions.]{.content-visible when-meta="ek-sessions"} [More.]{.content-visible unless-meta="ek-dose"}'
    short = replace(document(), items=(Item("markdown", 1, text),), sessions=sessions, completion=completion)
    made = publish_embedded(short, ("html",), tmp_path, 120)
    page = " ".join(text_of(made["html"].read_text(encoding="utf-8").partition(REPORT)[2])[0])
    assert [said in page for said in ("Sessions.", "More.")] == [sessions, completion != "dose"]


@pytest.mark.parametrize("mandate", [True, False])
def test_a_text_that_holds_only_with_a_mandate_stands_only_then(mandate: bool, tmp_path: Path) -> None:
    short = replace(
        document(), items=(Item("markdown", 1, CONDITIONAL),), assignment="mandate" if mandate else "random"
    )
    made = publish_embedded(short, ("pdf", "html"), tmp_path, 120)
    page = " ".join(text_of(made["html"].read_text(encoding="utf-8").partition(REPORT)[2])[0])
    for said in (page, " ".join(" ".join(pdf_pages(made["pdf"])).split())):
        assert ("Sent by a court." in said) is mandate
        assert ("A mandate." in said) is mandate
        assert ("Drawn by lot." in said) is not mandate
        assert ("No mandate." in said) is not mandate
        assert "Always." in said
        assert "Never." not in said
    (tmp_path / "quarto").mkdir()
    assert " ".join(given_to_quarto(write_input(short, ("html",), tmp_path / "quarto"))[0]) == page
