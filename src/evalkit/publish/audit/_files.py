"""The finished files, read back as a reader could: words, properties, attachments, structure."""

from __future__ import annotations

__all__ = ["audit_files"]

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2 as pdfium
from pypdfium2.raw import FPDF_PAGEOBJ_TEXT

from evalkit.errors import DisclosureError, PublicationError
from evalkit.publish.audit._document import active_part
from evalkit.publish.audit._fold import pieces
from evalkit.publish.audit._guard import Guard

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
