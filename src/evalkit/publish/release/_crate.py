"""What makes a release stand by itself in an archive: an RO-Crate of its files, and how it is cited (CITATION.cff).

Both are written from the manifest's facts alone, so that the same release gives the same bytes. The only day that they
name is the data cut: a release holds no time of a clock (when it was published stands in the ledger).
"""

from __future__ import annotations

__all__ = ["CITATION", "CRATE", "cited", "write_crate"]

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from evalkit.publish.release._ingredients import digest
from evalkit.publish.release._manifest import MANIFEST
from evalkit.words import Messages, marked, messages_for

CRATE, CITATION = "ro-crate-metadata.json", "CITATION.cff"

_ORGANISATION = "#organisation"
_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_CONTEXT = [
    f"{_SPECIFICATION}/context",
    # Terms of schema.org that this version's context lacks: without these lines a validator refuses the whole crate.
    {"creditText": "http://schema.org/creditText", "sha256": "http://schema.org/sha256"},
]
_FORMATS = {  # not asked of the machine, which may know others
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".csv": "text/csv",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".md": "text/markdown",
    ".cff": "text/yaml",
}
_KINDS = {
    ".pdf": marked("The report (PDF)"),
    ".html": marked("The report (web page)"),
    ".csv": marked("Numbers of a figure or table (CSV)"),
    ".svg": marked("A figure (SVG)"),
    ".png": marked("A figure (PNG)"),
}
_TOOLS = {"evalkit": "evalkit", "pandoc": "Pandoc", "typst": "Typst", "quarto": "Quarto"}


def write_crate(facts: Mapping[str, Any], files: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """Write ``CITATION.cff`` and ``ro-crate-metadata.json`` for those who archive, find and cite a release.

    `facts` is the manifest as far as it is known, with ``document`` and ``citation``; `files` are the release's.
    """
    citation, crate = folder / CITATION, folder / CRATE
    citation.write_text(_citation(facts), encoding="utf-8")
    parts = {**files, CITATION: citation}
    graph = [*_frame(facts, [*sorted(parts), MANIFEST]), *_files(parts, facts), *_people(facts), *_making(facts)]
    content = {"@context": _CONTEXT, "@graph": graph}
    crate.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return {CITATION: citation, CRATE: crate}


def cited(facts: Mapping[str, Any], say: Messages | None = None) -> str:
    """Write how a release is cited, in one line; in the report's language, where the reader's (`say`) is not given."""
    document = facts["document"]
    told = say or messages_for(document["locale"])
    names = [", ".join(part for part in (a["family"], a["given"]) if part) for a in facts["citation"]["authors"]]
    who = "; ".join(names) or document["organisation"] or document["study"]
    revision = f"{told('Revision')} {facts['revision']}"
    url = facts["citation"]["url"]
    year = str(facts["data_cut"])[:4]
    what = f"{document['title']}, {document['period']}. {document['study']}"
    return f"{who} ({year}). {what}. {revision}, SHA-256 {facts['key'][:16]}.{f' {url}' if url else ''}"


def _name(facts: Mapping[str, Any]) -> str:
    document = facts["document"]
    return f"{document['title']}, {document['period']}: {document['study']}"


def _frame(facts: Mapping[str, Any], names: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the two entities that every crate has: its own file, and the release as a whole."""
    document, say = facts["document"], messages_for(facts["document"]["locale"])
    yield {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": _SPECIFICATION},
    }
    notes = [say("Data cut {cut}.", cut=document["cut"])]
    notes += [say("Synthetic data: no real person is described") + "."] if facts["synthetic"] else []
    notes.append(say("Dates in this file are the data cut: a release comes out again byte by byte on any day."))
    authors = [{"@id": person["@id"]} for person in _authors(facts)]
    yield {
        "@id": "./",
        "@type": "Dataset",
        "name": _name(facts),
        "description": " ".join(notes),
        "identifier": f"{facts['study']}/{facts['report']}/{facts['period']}/r{facts['revision']}",
        "version": str(facts["revision"]),
        # Not the day on which it was made: the same release gives the same bytes on any (ADR 20).
        "datePublished": facts["data_cut"],
        "inLanguage": document["locale"],
        "license": {"@id": _licence(facts)["@id"]},
        "author": authors if len(authors) > 1 else authors[0],
        "publisher": {"@id": _ORGANISATION},
        "creditText": cited(facts),
        "hasPart": [{"@id": name} for name in names],
        "mentions": {"@id": "#made"},
        **({"url": facts["citation"]["url"]} if facts["citation"]["url"] else {}),
    }


def _files(files: Mapping[str, Path], facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    say = messages_for(facts["document"]["locale"])
    for name, file in sorted(files.items()):
        suffix = Path(name).suffix
        kind = _KINDS.get(suffix)
        yield {
            "@id": name,
            "@type": "File",
            "name": f"{say(kind)}: {Path(name).stem}" if kind else name,
            "encodingFormat": _FORMATS.get(suffix, "application/octet-stream"),
            "contentSize": str(file.stat().st_size),
            "sha256": digest(file),
        }
    # Without size and digest: the manifest is written after the crate, and holds the crate's.
    yield {"@id": MANIFEST, "@type": "File", "name": MANIFEST, "encodingFormat": "application/json"}


def _organisation(facts: Mapping[str, Any]) -> dict[str, Any]:
    document, url = facts["document"], facts["citation"]["url"]
    name = document["organisation"] or document["study"]
    return {"@id": _ORGANISATION, "@type": "Organization", "name": name, **({"url": url} if url else {})}


def _authors(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return who answers for a release: people, or the organisation."""
    return _persons(facts) or [_organisation(facts)]


def _persons(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_person(author, number) for number, author in enumerate(facts["citation"]["authors"], start=1)]


def _person(author: Mapping[str, Any], number: int) -> dict[str, Any]:
    name = " ".join(part for part in (author["given"], author["family"]) if part)
    return {
        "@id": f"https://orcid.org/{author['orcid']}" if author["orcid"] else f"#author-{number}-{_slug(name)}",
        "@type": "Person",
        "name": name,
        "familyName": author["family"],
        **({"givenName": author["given"]} if author["given"] else {}),
        **({"affiliation": {"@id": f"#affiliation-{_slug(author['affiliation'])}"}} if author["affiliation"] else {}),
    }


def _slug(name: str) -> str:
    return "-".join(re.findall(r"\w+", name.lower()))


def _licence(facts: Mapping[str, Any]) -> dict[str, Any]:
    spdx, say = facts["citation"]["licence"], messages_for(facts["document"]["locale"])
    if spdx:
        return {"@id": f"https://spdx.org/licenses/{spdx}", "@type": "CreativeWork", "name": spdx, "identifier": spdx}
    name = say("No license is named: all rights are kept.")
    return {"@id": "#licence", "@type": "CreativeWork", "name": name}


def _people(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield _organisation(facts)
    yield from _persons(facts)
    for name in dict.fromkeys(author["affiliation"] for author in facts["citation"]["authors"]):
        if name:
            yield {"@id": f"#affiliation-{_slug(name)}", "@type": "Organization", "name": name}
    yield _licence(facts)


def _making(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what made the release: the protocol, the programs with their versions, and the run."""
    versions = {"evalkit": facts["code"]["evalkit"], **facts["tools"]}
    protocol = {"@id": "#protocol", "@type": "CreativeWork", "name": f"Protocol of {facts['study']}"}
    frozen = facts.get("protocol", {})  # not there: never frozen
    # Somebody's own word before a digest, which says only that it is another one.
    version = frozen.get("version") or facts["citation"]["version"] or facts["inputs"]["study"]["sha256"][:16]
    kept = {"dateCreated": frozen["day"], "identifier": f"sha256:{frozen['sha256']}"} if frozen else {}
    yield {**protocol, "version": version, **kept}
    for name, version in versions.items():
        yield {
            "@id": f"#{name}",
            "@type": "SoftwareApplication",
            "name": _TOOLS.get(name, name),
            "version": version,
        }
    yield {
        "@id": "#made",
        "@type": "CreateAction",
        "name": f"evalkit render {facts['report']} --period {facts['period']}",
        "instrument": [{"@id": f"#{name}"} for name in versions],
        "object": {"@id": "#protocol"},
        "result": {"@id": "./"},
    }


def _citation(facts: Mapping[str, Any]) -> str:
    """Write CITATION.cff (Citation File Format 1.2)."""
    document, citation, say = facts["document"], facts["citation"], messages_for(facts["document"]["locale"])
    people = [
        {
            "family-names": author["family"],
            **({"given-names": author["given"]} if author["given"] else {}),
            **({"affiliation": author["affiliation"]} if author["affiliation"] else {}),
            **({"orcid": f"https://orcid.org/{author['orcid']}"} if author["orcid"] else {}),
        }
        for author in citation["authors"]
    ]
    who = people or [{"name": document["organisation"] or document["study"]}]
    frozen = facts.get("protocol", {})  # not there: never frozen
    registered = {
        "type": "generic",
        "title": say("Protocol of {study}", study=facts["study"]),
        "version": frozen.get("version", ""),
        "date-released": frozen.get("day", ""),
        "notes": f"SHA-256 {frozen.get('sha256', '')}",
        "authors": who,
    }
    content = {
        "cff-version": "1.2.0",
        "message": say("If you use this release, please cite it as below."),
        "type": "dataset",
        "title": _name(facts),
        "version": str(facts["revision"]),
        "date-released": facts["data_cut"],
        "authors": who,
        **({"license": citation["licence"]} if citation["licence"] else {}),
        **({"url": citation["url"]} if citation["url"] else {}),
        **({"references": [registered]} if frozen else {}),
    }
    # So wide that no text is broken into lines: people read this file, too.
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000))
