"""Results that were planned, and those that were added later: what captions and the manifest say."""

from __future__ import annotations

from datetime import date

import pytest

from evalkit.protocol import Frozen
from evalkit.publish.release._manifest import added, with_added
from evalkit.publish.rendering._document import Document, Item

FIRST = Frozen.model_validate(
    {"name": "v_1", "day": "2022-01-03", "why": "Before", "values": {}, "analyses": [{"name": "aaa"}, {"name": "bbb"}],
     "sha256": "f" * 64}
)  # fmt: skip
LATER = FIRST.model_copy(update={"name": "v2", "analyses": []})
ITEMS = (
    Item("markdown", 1, "Text", estimate="zzz"),
    Item("figure", 2, "<svg/>", "fig-a", "Planned.", "alt", estimate="aaa"),
    Item("figure", 3, "<svg/>", "fig-b", "**Few came.** Other people.", "alt", estimate="ccc"),
    Item("table", 4, "<table/>", "tbl-c", "Planned, and the gap is not", estimate="aaa", mark={"also": {"ddd": "gap"}}),
    Item("table", 5, "<table/>", "tbl-d", "Planned, and so is the gap", estimate="aaa", mark={"also": {"bbb": "gap"}}),
    Item("table", 6, "<table/>", "tbl-e", "No estimate"),
)


def document(locale: str) -> Document:
    return Document("T", "", "S", "O", "P", "C", date(2022, 9, 30), False, locale, ITEMS)


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en-US", r"Added after the protocol was frozen \(v_1, January 3, 2022\)\."),
        ("es-US", r"Se añadió después de fijar el protocolo \(v_1, 3 de enero de 2022\)\."),
    ],
)
def test_a_figure_or_table_with_a_result_that_was_not_planned_says_so(locale: str, said: str) -> None:
    said = said.replace("\\", "")
    assert [item.caption for item in with_added(document(locale), [FIRST, LATER]).items] == [
        "", "Planned.", f"**Few came.** Other people. {said}", f"Planned, and the gap is not. {said}",
        "Planned, and so is the gap", "No estimate",
    ]  # fmt: skip


def test_the_first_protocol_that_names_results_is_the_plan() -> None:
    assert added(ITEMS, [FIRST, LATER]) == ["fig-b", "tbl-c"]
    later = LATER.model_copy(
        update={"analyses": [*FIRST.analyses, FIRST.analyses[0].model_copy(update={"name": "ccc"})]}
    )
    unnamed = FIRST.model_copy(update={"analyses": []})
    assert added(ITEMS, [unnamed, later]) == ["tbl-c"]


@pytest.mark.parametrize("versions", [[], [LATER]])
def test_where_nothing_was_planned_by_name_nothing_is_marked(versions: list[Frozen]) -> None:
    given = document("en-US")
    assert with_added(given, versions) is given
    assert added(ITEMS, versions) == []


@pytest.mark.parametrize(("asked", "label"), [(["", "aaa"], []), (["aaa", "ccc"], ["tbl-one"])])
def test_page_one_was_planned_where_what_its_rows_ask_was(asked: list[str], label: list[str]) -> None:
    """Its own name holds the first day of its quarter; its sentences ask of a quarter ago, too (ddd)."""
    rows = {"columns": ["term", "estimate_id"], "rows": [["a row", one] for one in asked]}
    mark = {"kind": "findings", "also": {"q2": "referred", "ddd": "change"}}
    page = Item("table", 1, "<table/>", "tbl-one", "At a glance", estimate="q2", numbers=rows, mark=mark)
    assert added([page], [FIRST]) == label
