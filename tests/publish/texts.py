"""The words and table cells of a published page, and of what Quarto is given to publish."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pypandoc
import yaml

REPORT = '<div id="report" class="report" tabindex="-1">'
NUMBER = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?%?")


class _Text(HTMLParser):
    """Words, alternative texts and table cells of what stands in a page's report, without its contents and furniture."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.cells: list[str] = []
        self._stack: list[tuple[str, bool]] = []
        self._out = 0
        self._cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "img":
            self.parts += ["" if self._out else str(given.get("alt"))]
        if tag in {"img", "br", "hr", "meta", "link", "col", "input"}:
            return
        skipped = tag in {"nav", "header", "style", "script", "head", "details"} or "beside" in str(given.get("class"))
        self._stack.append((tag, skipped))
        self._out += skipped
        if tag in {"td", "th"} and not self._out:
            self.cells.append("")
            self._cell = True
        self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        while self._stack:
            name, skipped = self._stack.pop()
            self._out -= skipped
            if name == tag:
                break
        if tag in {"td", "th"}:
            self._cell = False
        self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if self._out:
            return
        self.parts.append(data)
        if self._cell:
            self.cells[-1] += data


def text_of(page: str) -> tuple[list[str], list[str]]:
    """Return words (numbers of figures and tables, and the punctuation after them, left out) and table cells."""
    parser = _Text()
    parser.feed(page)
    flat = re.sub(r"\b(?:Figure|Table)[\s\u00a0]+\d+[.:]?", " ", "".join(parser.parts))
    return re.findall(r"[\w%.,−+-]*\w[\w%.,−+-]*", flat), [" ".join(cell.split()) for cell in parser.cells]


def _visible(page: str, facts: dict[str, object]) -> str:
    """Leave out what Quarto leaves out: its documented conditions on the document's metadata."""
    condition = re.compile(
        r'<(div|span)\s+class="content-visible"\s+data-(when|unless)-meta="([\w-]+)">(.*?)</\1>', re.DOTALL
    )
    return condition.sub(lambda m: m[4] if (facts.get(m[3]) is True) == (m[2] == "when") else "", page)


def given_to_quarto(notebook: Path) -> tuple[list[str], list[str]]:
    """Return what Quarto is given to publish, in the same form."""
    parts: list[str] = []
    cells = nbformat.read(notebook, as_version=4).cells
    facts = yaml.safe_load(cells[0].source.strip("-"))
    for cell in cells:
        if cell.cell_type == "markdown" and 'html-table-processing="none"' not in cell.source:
            made = pypandoc.convert_text(re.sub(r"@(fig|tbl)-[\w-]+", "", cell.source), "html", "markdown")
            parts.append(_visible(made, facts))
        if cell.cell_type != "code":
            continue
        lines = cell.source.splitlines()
        options = yaml.safe_load("\n".join(line[3:] for line in lines if line.startswith("#| ")))
        if options.get("echo") is True:
            parts.append("\n".join(line for line in lines if not line.startswith("#|")))
        for output in cell.outputs:
            caption = "".join(pypandoc.convert_text(options.get("fig-cap") or options["tbl-cap"], "html", "markdown"))
            picture = f'<img alt="{options["fig-alt"]}">' if "fig-alt" in options else output.data["text/html"]
            parts += [picture, caption] if "fig-alt" in options else [caption, picture]
    return text_of("\n".join(parts))
