"""What is taken from an executed notebook: sentences that stand for figures, and texts that stand only sometimes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from evalkit.errors import DisclosureError, PublicationError
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


@pytest.mark.parametrize(
    ("options", "tags", "shown"),
    [
        ("#| echo: true", [], ["1 + 1", SMALL]), ("", [], [SMALL]), ("#| echo: false", [], [SMALL]), ("#| output: true", [], [SMALL]),
        ("#| include: true", [], [SMALL]), ("#| echo: true\n#| include: false", [], []), ("#| echo: true\n#| output: false", [], []),
        ("", ["remove"], []), ("", ["parameters"], []), ("#| echo: true", ["remove"], []), ("", ["other"], [SMALL]),
    ],
)  # fmt: skip
def test_what_of_a_cell_is_published(options: str, tags: list[str], shown: list[str]) -> None:
    shows = cell(SMALL, options)
    shows.source, shows.metadata["tags"] = f"{options}\n1 + 1", tags
    assert texts(new_markdown_cell("First."), shows) == ["First.", *shown]


@pytest.mark.parametrize("options", ["", "#| include: false", "#| output: false"])
def test_what_is_hidden_is_held_to_the_doors_too(options: str) -> None:
    printed = new_code_cell(options, outputs=[new_output("stream", text="x")])
    with pytest.raises(DisclosureError, match=r"^cell 1: puts out printed text; only what report\.show"):
        texts(printed)


FIGURE = '#| label: fig-a\n#| fig-cap: "A curve"\n#| fig-alt: "It falls."'


def shown(form: str, options: str, count: int = 1, **mark: Any) -> nbformat.NotebookNode:
    mime = {"figure": "image/svg+xml", "table": "text/html"}[form]
    outputs = [
        new_output("display_data", data={mime: ["<a>", "</a>"]}, metadata={MARK: {"shows": form, **mark}})
        for _ in range(count)
    ]
    return new_code_cell(f"{options}\nreport.show(x)", outputs=outputs)


def test_all_that_is_taken_of_a_figure_and_of_a_table() -> None:
    told = {"estimate": "abc", "kind": "drawn", "data": {"columns": ["a"], "rows": [[1]]}}
    figure = shown("figure", FIGURE, headline="It *fell*", alt="From 3 to 1.", **told)
    table = shown("table", '#| label: tbl-a\n#| tbl-cap: " A table "\n#| fig-alt: "x"', alt="y")
    injected = new_code_cell("x = 1", metadata={"tags": ["injected-parameters"]})
    one, other = prepare(new_notebook(cells=[injected, figure, table]))
    assert one == Item(
        "figure", 1, "<a></a>", "fig-a", r"**It \*fell\*.** A curve", "It falls. From 3 to 1.", "abc", "drawn", told["data"],
        figure.outputs[0].metadata[MARK],
    )  # fmt: skip
    assert other == Item("table", 2, "<a></a>", "tbl-a", "A table", mark={"shows": "table", "alt": "y"})
    words = {"caption": "In *their* words", "alt": "Theirs"}
    own = prepare(new_notebook(cells=[shown("figure", FIGURE, words=words)]))[0]
    assert (own.caption, own.alt) == (r"In \*their\* words", "Theirs")


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([shown("figure", FIGURE, 2)], "cell 1: shows 2 figures or tables; one cell shows one, so that each has its own label"),
        ([shown("figure", "")], "cell 1: the figure has no label; add '#| label: fig-name' (letters, digits, '-' and '_')"),
        ([shown("table", "#| label: fig-a")], "cell 1: the table has no label; add '#| label: tbl-name' (letters, digits, '-' and '_')"),
        ([shown("figure", "#| label: fig-a")], "cell 1 (fig-a): the figure has no caption; add '#| fig-cap: ...'"),
        ([shown("table", "#| label: tbl-a\n#| fig-cap: x")], "cell 1 (tbl-a): the table has no caption; add '#| tbl-cap: ...'"),
        ([shown("figure", "#| label: fig-a\n#| fig-cap: x", alt="A finding")], "cell 1 (fig-a): the figure has no alternative text for blind readers; add '#| fig-alt: ...'"),
        ([shown("figure", FIGURE), cell(SMALL), shown("figure", FIGURE)], "cell 3: label 'fig-a' stands in cell 1 already"),
        ([shown("figure", FIGURE), new_markdown_cell("See @fig-a, @sec-b.")], "cell 2: reference '@sec-b' leads nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_published_is_said_with_its_cell(cells: list[Any], said: str) -> None:
    with pytest.raises(PublicationError) as refused:
        texts(*cells)
    assert str(refused.value) == said


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
