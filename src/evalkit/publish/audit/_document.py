"""What is published, read before it is printed and after: a document's Markdown and words, and the finished files.

Markdown is words only. Pictures, raw HTML and anything that loads or runs has no place in it; nor has what Quarto alone
acts upon (boxes, theorems, diagrams, columns of its own): the same cell would be one thing from one publisher and
another from the other.

The words hold nobody's identifier, no secret, no exact day of anybody. The finished files are read back as a reader
could: words, properties, attachments, structure.
"""

from __future__ import annotations

__all__ = ["active_part", "audit_document", "audit_files", "audit_markdown"]

import json
import re
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pikepdf
import pypandoc
import pypdfium2 as pdfium
from pypdfium2.raw import FPDF_PAGEOBJ_TEXT

from evalkit.errors import DisclosureError, PublicationError, did_you_mean
from evalkit.publish.audit._guard import Guard, pieces

if TYPE_CHECKING:
    from evalkit.publish.rendering._document import Document, Item

# The notebooks' own dialect (`DIALECT`), but with blocks of settings, so that one is seen; and without ids that pandoc
# makes of headings, which would be taken for labels.
_READER = "--from=markdown+yaml_metadata_block-tex_math_dollars-raw_tex-example_lists-auto_identifiers"
# A text without any of these holds nothing that pandoc would have to be asked about: no process for it.
_TELLING = re.compile(r"[<{&]|\]\(|!\[|\]:|://|^\s*(?:---|:::)", re.MULTILINE)
_RUN = re.compile(r"^\s*(?:`{3,}|~{3,})\s*\{+\s*(\w[\w-]*)|`\{+(\w+)\}+\s", re.MULTILINE)
# What Quarto numbers, and takes a citation of for a reference. Labels of figures and tables are those of code cells.
_NUMBERED = (
    r"(?:alg|cau|cnj|cor|def|dia|eq|exm|exr|fig|imp|lem|lst|nte|prf|prp|rem|sol|suppfig|supptbl|tbl|thm|tip|vid|wrn)-"
)
_REFERENCE = re.compile(rf"(?<![\w/`\\])@\{{?((?!fig-|tbl-){_NUMBERED}[\w-]+)")
_PANDOCS = ("email", "uri")  # of an address between < and >
_OURS = (
    "absent",
    "annex",
    "caveat",
    "content-hidden",
    "content-visible",
    "contents",
    "finding",
    "help",
    "keep",
    "newpage",
    "note",
)
_FORMATS = ("html", "pdf", "typst")
_SHORTCODE = re.compile(r"\{\{[<%].*?[>%]\}\}", re.DOTALL)
# Others run or load something when a reader clicks (javascript:, data:, file:).
_SCHEMES = frozenset({"", "http", "https", "mailto"})
_ATTRIBUTES = frozenset({"unless-format", "unless-meta", "when-format", "when-meta"})
# Seconds; a cell takes pandoc a fraction of one, and there are texts on which a parser does not end.
_TIMEOUT = 60


@lru_cache(maxsize=512)  # what was read before the run is read again after it
def audit_markdown(text: str) -> str:
    """Say why a Markdown text may not be published: the first reason; empty when there is none.

    What counts is what pandoc reads in it, as both publishers do, not how it is written.

    >>> audit_markdown("Plain *words*, a [link](https://example.org) and 3 < 4.")
    ''
    >>> audit_markdown("![a chart](chart.png)")
    'holds a picture; figures come from report.show'
    >>> audit_markdown("::: proof")
    "uses the class 'proof', which the publishers do not treat alike; take it out"
    """
    # Before pandoc: to it these are plain text, or the first word of a block.
    if problem := _quarto_only(text):
        return problem
    if not _TELLING.search(text):
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            # --sandbox: a text may name files, and reading it must open none.
            [str(pypandoc.get_pandoc_path()), _READER, "--to=json", "--sandbox"],
            input=text,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"holds Markdown that pandoc does not read within {_TIMEOUT} seconds; make it simpler"
    if done.returncode != 0:
        return "holds Markdown that pandoc cannot read"
    tree = json.loads(done.stdout)
    if tree["meta"]:
        return "holds a block of document settings (between lines of '---'); take it out"
    return next((problem for node in _walk(tree["blocks"]) if (problem := _node_problem(node))), "")


def _quarto_only(text: str) -> str:
    """Say what of a text means something to Quarto that pandoc does not see in it."""
    if match := _RUN.search(text):
        return f"holds code that Quarto would run ('{match[1] or match[2]}'); write it without braces"
    if match := _REFERENCE.search(text):
        return f"refers to '@{match[1]}', which Quarto takes for a number of its own; use another name"
    if _SHORTCODE.search(text):
        return "holds a Quarto shortcode, which can bring in a file; take it out"
    return ""


def _walk(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - pandoc's tree
    if isinstance(node, list):
        for child in node:
            yield from _walk(child)
    elif isinstance(node, dict):
        if "t" in node:
            yield node
        yield from _walk(node.get("c", []))


def _node_problem(node: dict[str, Any]) -> str:
    kind, content = node["t"], node.get("c", [])
    if kind in {"RawBlock", "RawInline"}:
        what = "an HTML comment" if content[1].lstrip().startswith("<!--") else f"raw {content[0]}"
        return f"holds {what}; Markdown's own signs are enough"
    if kind == "Image":
        return "holds a picture; figures come from report.show"
    if kind == "Link" and urlsplit(content[2][0]).scheme.lower() not in _SCHEMES:
        return "holds a link that is no web address"
    if kind == "Str" and content.startswith("{#"):  # of a table's caption: Quarto would number that table
        return f"holds '{content}', which is no label here; tables with a label come from report.show"
    if kind in {"Div", "Span", "Header", "Code", "CodeBlock", "Link", "Table"}:
        return _attributes_problem(kind, *(content[1] if kind == "Header" else content[0]))
    return ""


def _attributes_problem(kind: str, identifier: str, classes: list[str], attributes: list[tuple[str, str]]) -> str:
    names = [name for name, _ in attributes if name not in _ATTRIBUTES]
    if names:
        return f"sets the attribute '{names[0]}'; take it out"
    formats = [value for name, value in attributes if name.endswith("-format") and value not in _FORMATS]
    if formats:
        return f"names the format '{formats[0]}', and there are html and pdf{did_you_mean(formats[0], _FORMATS)}"
    if re.match(_NUMBERED, identifier):
        return f"has the label '{identifier}', which Quarto would number; use another name"
    # A block of code may name its language.
    if kind != "CodeBlock" and (others := [name for name in classes if name not in (*_OURS, *_PANDOCS)]):
        hint = did_you_mean(others[0], _OURS)
        return f"uses the class '{others[0]}', which the publishers do not treat alike{hint or '; take it out'}"
    return ""


_ACTIVE = re.compile(
    r"<\s*(script|iframe|object|embed|foreignobject|image|img|video|audio|link|form|input|use)\b", re.I
)
_HANDLER = re.compile(r"<[^>]*\s(on\w+)\s*=", re.IGNORECASE)
# A scheme or two slashes lead out of the page: whoever opens it would be seen by a server. "#part" stays inside.
_LOADING = re.compile(r"(?:href|src|url)\s*[=(]\s*[\"']?\s*(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


def audit_document(document: Document, guard: Guard) -> None:
    """Refuse a document of which any part holds what must not leave: texts, captions, figures, tables, shown code.

    `DisclosureError` names the cell and what is wrong, never the value.
    """
    cover = (
        document.title,
        document.subtitle,
        document.study,
        document.organisation,
        document.period,
        document.since,
        document.cut,
    )
    if reason := guard.objection(cover):
        msg = f"the cover {reason}"
        raise DisclosureError(msg)
    if reason := guard.objection([document.bibliography.decode("utf-8", errors="replace")]):
        msg = f"the references {reason}"
        raise DisclosureError(msg)
    for item in document.items:
        if problem := _problem(item, guard):
            where = f" ({item.label})" if item.label else ""
            msg = f"cell {item.cell}{where}: {problem}"
            raise DisclosureError(msg)


def _problem(item: Item, guard: Guard) -> str:
    if reason := guard.objection(_texts(item)):
        return f"{_NAMES[item.kind]} {reason}"
    if item.kind == "markdown":
        return audit_markdown(item.text)
    if problem := audit_markdown(item.caption):
        return f"its caption {problem}"
    return active_part(item.text + item.phone) if item.kind in {"figure", "table"} else ""


_NAMES = {"markdown": "its text", "code": "its code, which is shown,", "figure": "its figure", "table": "its table"}


def _texts(item: Item) -> Iterator[str]:
    yield from (item.label, item.caption, item.alt, json.dumps(item.numbers, ensure_ascii=False))
    if item.kind in {"figure", "table", "markdown"}:
        # Taken out of their tags, which may split a word; and below as written, since Markdown's signs are no tags.
        yield from pieces(item.text + item.phone)
    if item.kind in {"markdown", "code"}:
        yield item.text


def active_part(markup: str) -> str:
    """Say what in a figure or table (SVG or HTML) would load or run something; empty when nothing would."""
    if match := _ACTIVE.search(_own_uses(markup)):
        return f"holds <{match[1].lower()}>, which loads or runs something"
    if match := _HANDLER.search(markup):
        return f"holds the script attribute '{match[1].lower()}'"
    if _LOADING.search(_HARMLESS.sub("", markup)):
        return "loads something from outside"
    return ""


# Namespaces are names, not addresses; a link is followed only by a reader's own choice.
_HARMLESS = re.compile(
    r"\bxmlns(?::\w+)?\s*=\s*([\"'])[^\"']*\1|<a\b[^>]*\bhref\s*=\s*[\"']https?:[^>]*>", re.IGNORECASE
)


def _own_uses(markup: str) -> str:
    """Take out references to the figure's own parts."""
    return re.sub(r"<use\b(?=[^>]*\bhref\s*=\s*[\"']#)", "<own", markup)


_BROKEN = "\ufffe"  # what PDFium gives for a hyphen at a line's end, and the break after it
_PNG = b"\x89PNG\r\n\x1a\n"
# Chunks in which a program may write words; the others are pixels and how they look.
_PNG_TEXTS = {b"tEXt", b"zTXt", b"iTXt", b"eXIf"}


def audit_files(files: Mapping[str, Path], guard: Guard) -> None:
    """Refuse finished files that hold what must not leave.

    `DisclosureError` names the file; also for a kind of file that cannot be read here.
    """
    for name, file in sorted(files.items()):
        # Without repeating it: the message would hold what the name must not.
        if guard.objection([name], dated=False):
            msg = "the name of a file of the release holds what must not leave; it comes from a cell's label"
            raise DisclosureError(msg)
        reader = _READERS.get(Path(name).suffix.lower())
        if reader is None:
            msg = f"{name}: is a kind of file that the audit cannot read, so it may not be published"
            raise DisclosureError(msg)
        reason = guard.objection(reader(file), dated=name.endswith(".csv"))
        if name.endswith(".svg") and not reason:
            reason = active_part(file.read_text(encoding="utf-8"))
        if reason:
            msg = f"{name}: {reason}; nothing was published"
            raise DisclosureError(msg)


def _text(file: Path) -> Iterator[str]:
    yield file.read_text(encoding="utf-8")


def _markup(file: Path) -> Iterator[str]:
    yield from pieces(file.read_text(encoding="utf-8"))


def _pdf(file: Path) -> Iterator[str]:
    """Yield page texts (as laid out, and with broken words joined), every string of the file, XMP, attachments."""
    try:
        yield from _pdf_words(file)
    except (pdfium.PdfiumError, pikepdf.PdfError):
        msg = f"{file.name}: is no PDF that can be read, so nobody can say what is in it; nothing was published"
        raise PublicationError(msg) from None


def _pdf_words(file: Path) -> Iterator[str]:
    with pdfium.PdfDocument(file) as pages:
        for page in pages:
            if any(_without_size(letters) for letters in page.get_objects(filter=[FPDF_PAGEOBJ_TEXT])):
                msg = f"{file.name}: holds letters without a size, which nobody can read; nothing was published"
                raise DisclosureError(msg)
            laid_out = page.get_textpage().get_text_range().replace("\r\n", "\n").replace(_BROKEN, "-\n")
            yield laid_out
            # A hyphen at a line's end may be the word's own or the page's: both readings are searched.
            yield laid_out.replace("-\n", "").replace("\u00ad\n", "")
    with pikepdf.open(file) as pdf:
        if "/Metadata" in pdf.Root:
            yield from pieces(bytes(pdf.Root.Metadata.read_bytes()).decode("utf-8", errors="replace"))
        for name, attached in pdf.attachments.items():
            yield name
            yield bytes(attached.get_file().read_bytes()).decode("utf-8", errors="replace")
        # Every object, also those that no page shows: a program finds them all.
        yield "\n".join(text for each in pdf.objects for text in _strings(each))


def _without_size(letters: Any) -> bool:  # noqa: ANN401 - pypdfium2 has no types
    """Whether letters are drawn with no extent: programs copy them, PDFium does not read them."""
    across = letters.get_matrix()
    return bool(letters.get_font_size() == 0 or across.a * across.d == across.b * across.c)


def _strings(thing: Any) -> Iterator[str]:  # noqa: ANN401 - pikepdf's objects
    """Walk one object; what it refers to is walked on its own."""
    if isinstance(thing, pikepdf.String):
        yield str(thing)
    elif isinstance(thing, pikepdf.Array):
        # A page names its parent: who follows references walks in circles.
        for child in thing:
            if not getattr(child, "is_indirect", False):
                yield from _strings(child)
    elif isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        for child in thing.values():
            if not getattr(child, "is_indirect", False):
                yield from _strings(child)


def _png(file: Path) -> Iterator[str]:
    """Yield the texts that a PNG carries beside its pixels."""
    content = file.read_bytes()
    if not content.startswith(_PNG):
        msg = f"{file.name}: is no PNG"
        raise DisclosureError(msg)
    place = len(_PNG)
    while place + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        body = content[place + 8 : place + 8 + length]
        if kind in _PNG_TEXTS:
            # The standard has one encoding for each kind of chunk; what wrote the chunk may not have kept to it.
            yield body.decode("latin-1")
            yield body.decode("utf-8", errors="replace")
            yield from _inflated(body)
        place += 12 + length
        if kind == b"IEND":
            break
    # What stands after the end no viewer shows, and every copy has.
    yield content[place:].decode("latin-1")


def _inflated(body: bytes) -> Iterator[str]:
    """Yield the compressed text of a zTXt or iTXt chunk."""
    start = body.find(b"\x78")
    while start >= 0:
        try:
            # A million bytes at most: a few compressed ones can stand for more than the memory holds.
            yield zlib.decompressobj().decompress(body[start:], 1 << 20).decode("utf-8", errors="replace")
        except zlib.error:
            start = body.find(b"\x78", start + 1)
        else:
            return


_READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    ".pdf": _pdf,
    ".html": _markup,
    ".svg": _markup,
    ".png": _png,
    ".csv": _text,
    ".json": _text,
    ".md": _text,
    ".cff": _text,
    ".txt": _text,
    ".sig": _text,
}
