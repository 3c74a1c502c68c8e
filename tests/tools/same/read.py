"""What a reader finds in a release, as lines of text with their places; what must differ is left out, with its reason."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pikepdf
from pypdf import PdfReader

READ = ("report.html", "report.pdf", "data/*.csv", "data/README.md", "figures/*.svg")
MUST_DIFFER = (
    (re.compile(r"^(evalkit) \| \d+\.\d+\S*$"), "the version of evalkit"),
    (
        re.compile(r"()(?<![\w.])[0-9a-f]{12}(?:[0-9a-f]{28}|[0-9a-f]{52})?(?![\w.])"),
        "names of estimates, digests, commits",
    ),
    (re.compile(r"()\b\d{4}-\d\d-\d\dT\d\d:\d\d\S*"), "times of day"),
)
_CELL = " | "
_BLOCK = re.compile(
    "address|article|aside|blockquote|body|caption|d[dlt]|details|div|figcaption|figure|footer|h[1-6]|head|header|html|li|"
    "main|nav|ol|p|pre|section|summary|table|t(body|foot|head|r)|title|ul"
)
_ALOUD = ("alt", "aria-label", "title", "lang", "content")
_SENTENCE = re.compile(r"(?<=[.!?:;])\s+(?=\S)")


@dataclass(frozen=True)
class Line:
    """A line and where it stands: the heading above it, or the page."""

    place: str
    text: str


def read(release: Path) -> dict[str, list[Line]]:
    """Return the lines of each file of a release."""
    found = {}
    for pattern in READ:
        for file in sorted(release.glob(pattern)):
            found[file.relative_to(release).as_posix()] = _READERS[file.suffix](file)
    return found


def without_what_must_differ(lines: list[Line], left_out: Counter[str]) -> list[Line]:
    """Put one sign in place of what differs between two renders, and count how often for which reason."""
    kept = []
    for line in lines:
        text = line.text
        for pattern, why in MUST_DIFFER:
            text, times = pattern.subn(r"\1~", text)
            left_out[why] += times
        kept.append(Line(line.place, text))
    return kept


class _Page(HTMLParser):
    """Collects an HTML page's blocks of text, its table rows, and what is read aloud of its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self._heading, self._unread = "", 0
        self._text: list[str] = []
        self._cells: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"style", "script"}:
            self._unread += 1
        if _BLOCK.fullmatch(tag):
            self._end_block()
        if tag == "tr":
            self._cells = []
        for name, value in attrs:
            if name in _ALOUD and value:
                self.lines.append(Line(self._heading, f"{tag} {name}: {_flat(value)}"))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"style", "script"}:
            self._unread -= 1
        if tag in {"td", "th"} and self._cells is not None:
            self._cells.append(_flat("".join(self._text)))
            self._text = []
        if tag == "tr" and self._cells is not None:
            self.lines.append(Line(self._heading, _CELL.join(self._cells)))
            self._cells = None
        if re.fullmatch(r"h[1-6]", tag):
            self._heading = _flat("".join(self._text))
        if _BLOCK.fullmatch(tag):
            self._end_block()

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self._text.append(data)

    def _end_block(self) -> None:
        if self._cells is not None:  # a block within a cell
            return
        text = _flat("".join(self._text))
        self._text = []
        if text:
            self.lines.append(Line(self._heading, text))


def _flat(text: str) -> str:
    return " ".join(text.split())


def _html(file: Path) -> list[Line]:
    page = _Page()
    page.feed(file.read_text(encoding="utf-8"))
    page.close()
    return page.lines


def _pdf(file: Path) -> list[Line]:
    pages = [page.extract_text().splitlines() for page in PdfReader(file).pages]
    # What runs along on every page would be found in the middle of a sentence where a page ends elsewhere.
    often = Counter(masked for page in pages for masked in {_masked(text) for text in page})
    running = {text for text, times in often.items() if len(pages) > 2 and times > len(pages) / 2}
    lines = [Line("on most pages", text) for text in sorted(running)]
    for number, page in enumerate(pages, start=1):
        own = _flat(" ".join(text for text in page if _masked(text) not in running))
        lines += [Line(f"page {number}", sentence) for sentence in _SENTENCE.split(own) if sentence]
    with pikepdf.open(file) as pdf:
        root = pdf.Root.get("/StructTreeRoot")
        lines += [Line("alternative texts", text) for text in _alternatives(root)] if root is not None else []
    return lines


def _masked(text: str) -> str:
    return re.sub(r"\d+", "#", _flat(text))


def _alternatives(element: Any) -> Iterator[str]:
    """Yield the alternative texts below an element of a PDF's structure, in the order of reading."""
    if isinstance(element, pikepdf.Array):
        for one in element:
            yield from _alternatives(one)
    elif isinstance(element, pikepdf.Dictionary):
        if "/Alt" in element:
            yield _flat(str(element["/Alt"]))
        if "/K" in element:
            yield from _alternatives(element["/K"])


def _csv(file: Path) -> list[Line]:
    with file.open(encoding="utf-8", newline="") as stream:
        heading, *rows = csv.reader(stream)
    return [Line("columns", _CELL.join(heading))] + [
        Line(f"row {number}", _CELL.join(row)) for number, row in enumerate(rows, start=1)
    ]


def _text(file: Path) -> list[Line]:
    return [Line("", _flat(text)) for text in file.read_text(encoding="utf-8").splitlines() if text.strip()]


_READERS = {".html": _html, ".pdf": _pdf, ".csv": _csv, ".md": _text, ".svg": _text}
