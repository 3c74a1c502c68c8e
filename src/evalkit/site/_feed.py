"""The news feed of a site: what was published, revised and withdrawn, newest first (Atom, RFC 4287)."""

from __future__ import annotations

__all__ = ["feed"]

import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from evalkit.site._gather import Place, Published
from evalkit.site._words import Reader

_ATOM = "http://www.w3.org/2005/Atom"
_XML = '<?xml version="1.0" encoding="utf-8"?>\n'


@dataclass(frozen=True)
class _Entry:
    id: str
    title: str
    summary: str
    updated: str
    page: str


def feed(published: Published, reader: Reader, pages: str, home: str) -> str:
    """Write the feed of one language.

    `pages` stands before the address of a page: the site's own address, or nothing (relative to the feed). `home` is
    the address of this feed; empty where the site's is not known.
    """
    study = published.study
    entries = [
        entry
        for places in published.reports.values()
        for p in places
        for entry in _entries(p, published.title(p), reader)
    ]
    entries.sort(key=lambda entry: (entry.updated, entry.id), reverse=True)
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": reader.say.locale})
    _add(root, "id", _urn(f"{study.id} {reader.say.language}"))
    _add(root, "title", reader.own(study.title))
    # The newest entry, not the clock: the same releases give the same feed (ADR 20).
    _add(root, "updated", max((entry.updated for entry in entries), default="1970-01-01T00:00:00Z"))
    _add(_add(root, "author"), "name", reader.own(study.organisation or study.title))
    if home:
        ET.SubElement(root, "link", {"rel": "self", "href": home})
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": f"{pages}index.html"})
    for entry in entries:
        one = _add(root, "entry")
        _add(one, "id", entry.id)
        _add(one, "title", entry.title)
        _add(one, "updated", entry.updated)
        ET.SubElement(one, "link", {"rel": "alternate", "type": "text/html", "href": f"{pages}{entry.page}"})
        _add(one, "summary", entry.summary)
    ET.indent(root)
    return _XML + ET.tostring(root, encoding="unicode") + "\n"


def _entries(place: Place, title: str, reader: Reader) -> Iterator[_Entry]:
    say, when = reader.say, reader.period(place.period)
    name = reader.own(title)
    page, cut = f"{place.folder}/index.html", place.period.last
    for release in place.releases:
        more = f": {say('Revision {revision}', revision=release.revision)}" if release.revision > 1 else ""
        summary = str(release.manifest.get("change_note") or say("Data cut {cut}.", cut=say.day(cut)))
        # Feed readers know an entry by its id: that of a release never changes, whatever page or title it has.
        yield _Entry(
            _urn(release.sha256), f"{name}, {when}{more}", summary, release.published or f"{cut}T00:00:00Z", page
        )
    for stone in place.stones:
        withdrawn = say("Revision {revision} was withdrawn", revision=stone.revision)
        gone = say("Published, and not kept here any more; when and why was not written down.")
        reason = reader.own(stone.reason) or gone
        name_of_stone = _urn(f"{place.folder} {stone.revision} withdrawn")
        yield _Entry(name_of_stone, f"{name}, {when}: {withdrawn}", reason, stone.date or f"{cut}T00:00:00Z", page)


def _urn(text: str) -> str:
    """Return a name that never changes: it is made of what it names."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"evalkit:{text}").urn


def _add(parent: ET.Element, name: str, text: str = "") -> ET.Element:
    made = ET.SubElement(parent, name)
    made.text = text or None
    return made
