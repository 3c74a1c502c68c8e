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


def given_to_quarto(notebook: Path) -> tuple[list[str], list[str]]:
    """Return what Quarto is given to publish in a page, as it stands once our filter is through, in the same form."""
    first, *cells = nbformat.read(notebook, as_version=4).cells
    front = yaml.safe_load(first.source.strip("-"))
    assert {cell.cell_type for cell in cells} <= {"markdown"}
    (notebook.parent / "front.yml").write_text(yaml.safe_dump(front | {"format": None}), encoding="utf-8")
    more = [f"--lua-filter={notebook.parent / each['path']}" for each in front["filters"]]
    more += [f"--metadata-file={notebook.parent / 'front.yml'}", "--shift-heading-level-by=1"]
    more += ["--citeproc", f"--bibliography={notebook.parent / 'references.json'}"] if "bibliography" in front else []
    text = "\n\n".join(cell.source for cell in cells)
    return text_of(pypandoc.convert_text(text, "html", front["from"], extra_args=more))
