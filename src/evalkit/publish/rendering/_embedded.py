"""The embedded publisher: pandoc and the Typst compiler, both from wheels; works on a fresh machine.

Figures are printed smaller or on the next page, and tables tighter, so that they leave no page half empty. A figure
that does not fit goes to the next page whole. A table goes on there; but where its first or last part would be a row or
two, or a figure would stand between its parts, it is set tighter, or goes there whole, too. Typst cannot tell
beforehand how much room there is: so the document is compiled, looked at, and compiled again, one figure or table at a
time from the front.
"""

from __future__ import annotations

__all__ = [
    "DIALECT",
    "FITS",
    "FONTS",
    "PLAIN",
    "Fit",
    "better_fits",
    "font_folder",
    "metadata",
    "publish_embedded",
    "words",
    "write_style",
]

import calendar
import html
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pypandoc
import pypdfium2 as pdfium

from evalkit.errors import PublicationError
from evalkit.publish.rendering._document import ATTACHMENT, BIBLIOGRAPHY, Document, resources
from evalkit.publish.rendering._machine import Finished, run_child
from evalkit.publish.rendering._pieces import css_string, finished, write_markdown
from evalkit.publish.rendering._typst import COMMAND
from evalkit.publish.rendering._web import FONTS, check_self_contained, embedded, font_file, style_with_letters
from evalkit.words import messages_for

DIALECT = "markdown-tex_math_dollars-raw_tex-example_lists-task_lists"
"""What Markdown a notebook is written in: a dollar sign is one, and a backslash begins no command."""
# Texts of running headers and footers: the page's style sheet prints them, and cannot read the page.
_IN_STYLE = ("running", "cut", "word-cut", "word-synthetic", "word-unreal", "word-more", "word-draft")
_FACES = ("Regular", "It", "Semibold", "Bold")


@dataclass(frozen=True, slots=True)
class _Allowed:
    """What is left of a render's time, and its memory."""

    deadline: float
    memory_gb: float

    @property
    def seconds(self) -> float:
        # A second at least: the tool that runs out of time says so, in the words of its limit.
        return max(self.deadline - time.monotonic(), 1.0)


def publish_embedded(
    document: Document, formats: tuple[str, ...], scratch: Path, timeout: float, memory_gb: float = 8.0
) -> dict[str, Path]:
    """Make the document's files (`formats`: pdf, html) in the render's private folder `scratch`: file by format.

    They have `timeout` seconds in all; pandoc and the Typst compiler may hold `memory_gb`. `PublicationError` if one of
    them refuses the document; `ExecutionTimeoutError`, `ExecutionError` if they take too long or hold more.
    """
    folder = scratch / "embedded"
    folder.mkdir()
    allowed = _Allowed(time.monotonic() + timeout, memory_gb)
    write_markdown(document, folder)
    if document.bibliography:
        (folder / BIBLIOGRAPHY).write_bytes(document.bibliography)
    (folder / "meta.json").write_text(json.dumps(metadata(document)), encoding="utf-8")
    makers = {"pdf": _pdf, "html": _html}
    return {name: makers[name](document, folder, allowed) for name in formats}


def metadata(document: Document) -> dict[str, object]:
    """Return what the templates ask for; texts escaped for where they will stand."""
    said, say = words(document.locale), messages_for(document.locale)
    texts = {
        "title": document.title,
        "subtitle": document.subtitle,
        "study": document.study,
        "organisation": document.organisation,
        "period": document.period,
        "cut": document.cut,
        "covered": say("{since} to {cut}", since=document.since, cut=document.cut) if document.since else document.cut,
        "revision": document.revision,
        "running": f"{document.title}, {document.period}",
        **{f"word-{name}": text for name, text in said.items()},
    }
    texts = {name: " ".join(text.split()) for name, text in texts.items()}
    day = document.cut_date
    return {
        **{f"ek-{key}": _raw(_typst_string(value), "typst") for key, value in texts.items()},
        **{f"ek-{key}-html": _raw(html.escape(value).replace("{", "&#123;"), "html") for key, value in texts.items()},
        **{f"ek-{key}-css": _raw(css_string(texts[key]), "html") for key in _IN_STYLE},
        "ek-figure": said["figure"],
        "ek-table": said["table"],
        "ek-page": say("page"),
        "ek-cut-date": f"year: {day.year}, month: {day.month}, day: {day.day}",
        "ek-synthetic": document.synthetic,
        "ek-draft": document.draft,
        "ek-mandate": document.assignment == "mandate",
        "ek-dose": document.completion == "dose",
        "ek-sessions": document.sessions,
        "ek-toc": document.toc,
        "ek-attachment": _raw(ATTACHMENT, "typst") if document.attachment else "",
        "ek-lang": document.language,
        "ek-region": document.region,
        **({"lang": document.locale} if document.language != "en" else {}),  # of citations; English is pandoc's own
        "pagetitle": _raw(html.escape(f"{texts['title']}: {texts['study']}, {texts['period']}"), "html"),
    }


def _typst_string(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("{{", "{\\u{7b}")  # no shortcode of Quarto's


def _raw(value: str, form: str) -> str:
    """Mark a text as already written for its place: pandoc would read metadata as Markdown."""
    if not value:
        return ""
    fence = "`"
    while fence in value:
        fence += "`"
    padded = f" {value} " if value.startswith("`") or value.endswith("`") else value
    return f"{fence}{padded}{fence}{{={form}}}"


def _pandoc(folder: Path, allowed: _Allowed, *arguments: str) -> None:
    command = [
        pypandoc.get_pandoc_path(),
        f"--from={DIALECT}-yaml_metadata_block",
        "--standalone",
        "--wrap=none",
        f"--lua-filter={resources() / 'evalkit.lua'}",
        *(["--citeproc", f"--bibliography={BIBLIOGRAPHY}"] if (folder / BIBLIOGRAPHY).is_file() else []),
        "--metadata-file=meta.json",
        # What pandoc warns of (a picture that is not there, a citation without source) makes a document wrong.
        "--fail-if-warnings",
        # Not the user's own: templates and defaults that lie there would change the report.
        f"--data-dir={folder}",
        *arguments,
        "report.md",
    ]
    done = run_child(command, folder=folder, timeout=allowed.seconds, memory_gb=allowed.memory_gb)
    if done.code != 0 or done.err.strip():
        raise PublicationError(_last_line("pandoc", done))


def _last_line(tool: str, done: Finished) -> str:
    lines = [line.strip() for line in done.err.splitlines() if line.strip()]
    telling = [line for line in lines if "evalkit:" in line or line.startswith(("error", "Error"))]
    said = (telling or lines or [f"exit code {done.code}"])[0]
    return f"embedded publisher, {tool}: {said}"


def _pdf(document: Document, folder: Path, allowed: _Allowed) -> Path:
    for name in ("embedded.typ", "typst-template.typ", "typst-show.typ"):
        shutil.copyfile(resources() / name, folder / name)
    (folder / ATTACHMENT).write_bytes(document.attachment)
    _pandoc(folder, allowed, "--to=typst", "--template=embedded.typ", "--output=report.typ")
    fonts = font_folder(folder)
    stamp = calendar.timegm(document.cut_date.timetuple())
    command = [*COMMAND, "report.typ", "report.pdf", str(fonts), document.pdf_standard, str(stamp), "ek-place"]
    fits: dict[str, Fit] | None = None
    better: dict[str, Fit] = {}
    # What room there was only a printed page tells: it is looked at, and printed again (`better_fits`).
    while fits != better:
        fits = better
        (folder / FITS).write_text(json.dumps(fits), encoding="utf-8")
        done = run_child(command, folder=folder, timeout=allowed.seconds, memory_gb=allowed.memory_gb)
        if done.code != 0 or done.err.strip():
            raise PublicationError(_last_line("typst", done))
        better = better_fits(folder / "report.pdf", json.loads(done.out), fits)
    return folder / "report.pdf"


def font_folder(folder: Path) -> Path:
    """Copy the reports' fonts into a folder that holds nothing else, and return it."""
    target = folder / "fonts"
    target.mkdir(exist_ok=True)
    for package in FONTS:
        for face in _FACES:
            file = font_file(package, face)
            shutil.copyfile(file, target / file.name)
    return target


def write_style(folder: Path) -> None:
    """Write the page's style sheet, with the letters of the PDF in it."""
    style = (resources() / "report.css").read_text(encoding="utf-8")
    (folder / "report.css").write_text(style_with_letters(style), encoding="utf-8")


def _html(_: Document, folder: Path, allowed: _Allowed) -> Path:
    shutil.copyfile(resources() / "report.html5", folder / "report.html5")
    write_style(folder)
    _pandoc(
        folder,
        allowed,
        "--to=html5",
        "--template=report.html5",
        "--css=report.css",
        "--shift-heading-level-by=1",
        "--section-divs",
        "--output=report.html",
        "--toc",
        "--toc-depth=3",
    )
    page = folder / "report.html"
    page.write_text(finished(embedded(page.read_text(encoding="utf-8"), folder)), encoding="utf-8")
    check_self_contained(page)
    return page


def words(locale: str) -> dict[str, str]:
    """Return the words of the templates in a language: name, without ``ek-word-``, to text."""
    say = messages_for(locale)
    return {
        "period": say("Newest period"),
        "cut": say("Data cut"),
        "covers": say("Figures cover"),
        "later": say("(later records are not used)"),
        "publisher": say("Published by"),
        "revision": say("Revision"),
        "synthetic": say("Synthetic data"),
        "simulated": say(
            "Every figure in this report was made by a simulator. No real person is described, and nothing here is "
            "evidence about a program."
        ),
        "unreal": say("Synthetic data: no real person is described"),
        "draft": say("Draft"),
        "drafted": say("Not published and not approved: not to be passed on"),
        "skip": say("Skip to the report"),
        "contents": say("Contents"),
        "more": say("Wider than the screen: move sideways to see all"),
        "page": say("Page {page} of {pages}"),
        "figure": say("Figure"),
        "table": say("Table"),
    }


FITS = "fits.json"
"""Beside the template: label of a figure, and its fit."""

Fit = float | Literal["tight", "next", "whole"]
"""The part of its full size that a figure has; of a table: with less room between its rows; or at the top of the next
page, below what follows it in its section; 1 where all was tried in vain; of a table, too, in one piece where it is
told of."""

PLAIN = "ek-plain-"
"""What the labels of tables without a caption begin with."""

_TOP, _FOOT = 72.0, 0.95 * 72  # points: the template's margins
_EMPTY = 0.2  # of a page: less than this at its foot is nobody's loss
_SMALLEST = 0.72  # of a figure's size: letters of 9.5 points come to 6.8, those of a footnote
_APART = 16.0  # points that a block keeps from what is above it
_LEADS = 110.0  # points that a heading and the line below it may take, which stay with their figure
_TAIL = 90.0  # points: less of a table on its last page is its headings, a note and a row or two
_HEAD = 72.0  # points: less of a table on its first page is its caption, its headings and a row
_WHOLE = 0.6  # of a page: a larger table cannot be kept in one piece


def better_fits(printed: Path, places: Sequence[Mapping[str, Any]], fits: Mapping[str, Fit]) -> dict[str, Fit]:
    """Return what to try next; what is given where nothing is left to be tried. In `fits`, 1 was tried in vain.

    `printed` is the PDF with the given fits. `places` is what the template tells, in the order of the text. Of each
    figure: label, size, page, and in points top, height, and height of the picture. Of each table, where it begins
    (part: from) and ends (to): label, page, and in points top and height of the whole. Of what goes to the next page,
    where it was left (part: left): label, page, top.
    """
    figures = [place for place in places if "picture" in place]
    tables = [place for place in places if place.get("part") == "from"]
    for one, after in (*pairwise(figures), *pairwise(tables)):  # they stay in the order of their numbers
        if fits.get(one["label"]) == "next" and (after["page"], after["top"]) < (one["page"], one["top"]):
            return {**fits, one["label"]: 1}
    begins = {place["label"]: (place["page"], place["top"]) for place in (*figures, *tables)}
    for left in (place for place in places if place.get("part") == "left"):
        # What stands before it has changed, and there is room for it now: it would stand above its own heading.
        page, top = begins[left["label"]]
        if (page, top) < (left["page"], left["top"] - _APART):
            return {**fits, left["label"]: "whole" if any(one["label"] == left["label"] for one in tables) else 1}
    rooms = _rooms(printed)
    for page, (room, height) in enumerate(rooms[:-1], start=1):
        own = [place for place in figures if place["page"] == page + 1]
        first = min(own, key=lambda place: place["top"], default=None)
        if first is None or room <= _EMPTY * height or first["top"] - _TOP > _LEADS:
            continue
        label, known = first["label"], fits.get(first["label"])
        lacking = first["top"] - _TOP + first["height"] + _APART - room
        size = first["size"] * (1 - lacking / first["picture"])
        if known is None and _SMALLEST <= size < first["size"]:
            return {**fits, label: int(100 * size) / 100}
        if known is None and first["top"] - _TOP < _APART:  # else a heading would stay behind without it
            return {**fits, label: "next"}
        if known not in {None, 1, "next"}:  # smaller, and still it did not fit
            return {**fits, label: 1}
    return _whole_tables(places, fits, rooms)


def _whole_tables(
    places: Sequence[Mapping[str, Any]], fits: Mapping[str, Fit], rooms: Sequence[tuple[float, float]]
) -> dict[str, Fit]:
    """Return the same with one table more that is not parted, or one that is, as the page before it stayed empty."""
    figures = [place for place in places if "picture" in place]
    tables = [[place for place in places if place.get("part") == part] for part in ("from", "to")]
    for start, end in zip(*tables, strict=True):
        label, known = start["label"], fits.get(start["label"])
        room, height = rooms[start["page"] - 2] if start["page"] > 1 else (0.0, 1.0)
        if known == "next" and room > _EMPTY * height:
            return {**fits, label: 1}
        if known not in {None, "tight"}:
            continue
        page = rooms[0][1]
        if start["page"] < end["page"] and page - (start["top"] - _TOP) < _HEAD and start["height"] <= page:
            return {**fits, label: "whole"}  # with hardly any room left behind
        between = any(
            place["page"] == end["page"] and fits.get(place["label"]) == "next" and place["top"] < end["top"]
            for place in figures
        )
        parted = start["page"] < end["page"] and (between or end["top"] - _TOP < _TAIL)
        moved = start["page"] == end["page"] and start["top"] - _TOP < _LEADS and room > _EMPTY * height
        if parted or moved:
            # without a number nobody would find it behind what follows it
            small = start["height"] <= _WHOLE * page and not label.startswith(PLAIN)
            return {**fits, label: "tight" if known is None else "next" if small else 1}
    return dict(fits)


def _rooms(printed: Path) -> list[tuple[float, float]]:
    """Return how much of each page is empty at its foot, and how high the page's text is, in points."""
    document = pdfium.PdfDocument(printed)
    try:
        rooms = []
        for page in document:
            marks = [thing.get_bounds() for thing in page.get_objects(max_depth=1)]
            high = page.get_height() - _TOP
            lowest = min((low for _, low, _, up in marks if low >= _FOOT - 1 and up <= high + 1), default=high)
            rooms.append((lowest - _FOOT, high - _FOOT))
        return rooms
    finally:
        document.close()
