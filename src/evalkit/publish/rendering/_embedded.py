"""The embedded publisher: pandoc and the Typst compiler, both from wheels; works on a fresh machine."""

from __future__ import annotations

__all__ = ["DIALECT", "FONTS", "font_folder", "metadata", "publish_embedded", "words", "write_style"]

import calendar
import html
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pypandoc

from evalkit.errors import PublicationError
from evalkit.publish.rendering._document import ATTACHMENT, BIBLIOGRAPHY, Document, resources
from evalkit.publish.rendering._fits import FITS, Fit, better_fits
from evalkit.publish.rendering._markdown import css_string, finished, write_markdown
from evalkit.publish.rendering._process import Finished, run_child
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
    # What room there was only a printed page tells: it is looked at, and printed again (`_fits`).
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
