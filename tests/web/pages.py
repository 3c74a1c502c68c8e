"""A document small enough to publish in a second, with everything a report can hold."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from evalkit.publish.rendering._document import Document, Item
from evalkit.publish.rendering._embedded import publish_embedded
from evalkit.report._mark import as_mark
from evalkit.views import html_table

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="468" height="90"><rect width="460" height="60" fill="#0b5a7a"/></svg>'
PHONE = SVG.replace('width="468"', 'width="295"')
ROWS = pd.DataFrame({"group": ["Pilot", "PAIP"] * 12, "time": range(24), "estimate": [1 / 3] * 24, "n": [1060.0] * 24})
WIDE = {f"c{i}": f"A long heading {i}" for i in range(9)}
TABLE = html_table(
    pd.DataFrame({**{c: ["a longer text", "b"] for c in WIDE}, "part": ["One", "Two"]}),
    WIDE,
    note="A note",
    groups="part",
)
TEXT = """# First section

Prose with a [link](https://example.org/) and see @fig-a and @tbl-a.

::: {.note}
A note.
:::

::: {.finding}
**A finding** in a box.
:::

::: {.caveat}
A caveat.
:::

::: {.absent}
Not shown: too few people.
:::

## A part of it
"""


def document(locale: str = "en-US", *, synthetic: bool = True) -> Document:
    items = (
        Item("markdown", 1, TEXT),
        Item(
            "figure",
            2,
            SVG,
            "fig-a",
            "A figure",
            "A blue bar. It is blue.",
            "abc",
            "drawn",
            as_mark(ROWS),
            {"phone": PHONE},
        ),
        Item("figure", 3, SVG, "fig-b", "Another figure & more", "A blue bar.", "abd", "drawn", as_mark(ROWS)),
        Item("markdown", 4, "# Second section\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
        Item("table", 5, TABLE, "tbl-a", "A wide table", "", "abe", "made", as_mark(ROWS)),
        Item("code", 6, "1 + 1"),
    )
    return Document(
        "Quarterly report", 'Of "a" pilot', "A study </style> of two words", "A team", "fourth quarter of 2023",
        "December 31, 2023", date(2023, 12, 31), synthetic=synthetic, locale=locale, items=items,
    )  # fmt: skip


def page_of(folder: Path, made: Document) -> Path:
    return publish_embedded(made, ("html",), folder, 120)["html"]
