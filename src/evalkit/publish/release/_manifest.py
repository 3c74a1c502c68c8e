"""The manifest: what went into a release and what came out, so that it can be made again and held to its word.

What went in, and what was published, also stands inside the PDF as an attachment; ``manifest.json`` beside it adds what
can only be known afterwards: the digests of the files, and the commit. Of what came out it says which results were
planned in the frozen protocol, and which were added later.
"""

from __future__ import annotations

__all__ = [
    "DRAFT",
    "MANIFEST",
    "as_keyed",
    "attachment",
    "damaged",
    "is_of_another_version",
    "is_of_before_ledgers",
    "known_then",
    "planned_in",
    "read_manifest",
    "refuse_draft",
    "registered",
    "strangers",
    "went_in",
    "with_added",
    "write_manifest",
]

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evalkit.errors import EvalkitError, ProtocolError, PublicationError, ReleaseError
from evalkit.markup import escaped
from evalkit.protocol import Frozen, Planned, Study, changes_since, first_plan, load_frozen, version_file
from evalkit.publish._job import RenderJob, language_in
from evalkit.publish.release._ingredients import checkout, code, digest, environment, imported_packages
from evalkit.publish.release._keys import SIGNATURE
from evalkit.publish.rendering._document import ATTACHMENT, BIBLIOGRAPHY, Document, Item
from evalkit.publish.rendering._notebook import catalogue_of
from evalkit.publish.rendering._pieces import frame_of
from evalkit.publish.rendering._quarto import publisher_of, tools_of
from evalkit.words import messages_for

MANIFEST = "manifest.json"
DRAFT = "draft.json"
"""What lies in a draft's folder, in place of a manifest."""

# 1: before there was a ledger; 2: digests of tables were not keyed yet (ADR 13).
_VERSION = 3
_UNKEYED = 2  # made before digests of tables were keyed
# Known only once the PDF is made, so that they cannot stand in it.
_AFTER = ("attachment", "checkout", "outputs")
_KINDS = {
    **dict.fromkeys(("inputs", "known", "outputs", "parameters", "publication", "disclosure", "supersedes"), dict),
    **dict.fromkeys(("ledger", "published", "overridden"), list),
    "revision": int,
}


def went_in(job: RenderJob, notebook: Any, parameters: Mapping[str, Any], scratch: Path) -> dict[str, Any]:  # noqa: ANN401
    """Say what goes into a release, as it is now: the sections of `evalkit.publish.release._ingredients`.

    No path, name or time of this machine is in it. `parameters` are held to the notebook's parameters cell; tools may
    work in `scratch`. `ProtocolError` if a file cannot be read.
    """
    publication = job.params.publication
    publisher = publisher_of(publication.publisher)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    modules = _modules_beside(job.notebook)
    sources += [file.read_text(encoding="utf-8", errors="replace") for file in modules.values()]
    return {
        "manifest": _VERSION,
        "study": job.study.id,
        "report": job.params.report,
        "seed": job.study.seed,
        "period": job.period.name,
        "inputs": dict(sorted(_digests(job, modules, language_in(job, parameters)).items())),
        # The protocol's name only: another checkout has it in another folder.
        "parameters": {**parameters, "study": job.study.path.name},
        "publication": {
            "publisher": publisher,
            "to": sorted(set(publication.to)),
            "pdf_standard": publication.pdf_standard,
            "toc": publication.toc,
        },
        "code": code(),
        "environment": environment(imported_packages(sources)),
        "tools": tools_of(publisher, scratch),
    }


def _modules_beside(notebook: Path) -> dict[str, Path]:
    """Find the Python files beside a notebook: it can import them."""
    folders = [notebook.parent, *(f.parent for f in notebook.parent.glob("*/__init__.py"))]
    files = [file for folder in folders for file in folder.glob("*.py")]
    return {file.relative_to(notebook.parent).as_posix(): file for file in sorted(files)}


def _digests(job: RenderJob, modules: Mapping[str, Path], language: str) -> dict[str, dict[str, str]]:
    """Return the digests of what the study's own people wrote, and keyed ones of the tables."""
    files = {"notebook": job.notebook, "study": job.study.path}
    files |= {f"notebook module {name}": file for name, file in modules.items()}
    references = job.notebook.with_name(BIBLIOGRAPHY)
    files |= {"notebook references": references} if references.is_file() else {}
    words = catalogue_of(job.notebook, language)
    files |= {"notebook words": words} if words.is_file() else {}
    if job.study.disclosure is not None:
        files["disclosure"] = job.study.folder / job.study.disclosure
    if job.study.baselines is not None:
        files["baselines"] = job.study.folder / job.study.baselines
    files |= {f"protocol {one.name}": version_file(job.study, one.name) for one in load_frozen(job.study)}
    found = {}
    for name, file in files.items():
        try:
            found[name] = {"sha256": digest(file)}
        except OSError as error:
            msg = f"{file}: cannot be read ({error.strerror})"
            raise ProtocolError(msg) from None
    tables = {f"table {n}": {"hmac_sha256": job.keyed("table", n, value)} for n, value in job.tables().items()}
    return {**found, **tables}


def known_then(job: RenderJob) -> dict[str, str]:
    """Return the keyed digests of what each table says of the time up to the data cut.

    Table: 64 hexadecimal digits; empty where it is not asked for.
    """
    return {name: job.keyed("known", name, value) for name, value in job.known().items()}


def as_keyed(manifest: Mapping[str, Any], job: RenderJob) -> dict[str, Any]:
    """Return a manifest with the digests of tables keyed: those of before they were can still be held to today's.

    `job` is of the same period, which goes into each digest.
    """
    if manifest.get("manifest") != _UNKEYED:
        return dict(manifest)
    inputs = {
        name: {"hmac_sha256": job.keyed("table", name.removeprefix("table "), str(facts.get("sha256")))}
        if name.startswith("table ")
        else facts
        for name, facts in manifest.get("inputs", {}).items()
    }
    known = {name: job.keyed("known", name, str(value)) for name, value in manifest.get("known", {}).items()}
    return {**manifest, "inputs": inputs, "known": known}


def attachment(manifest: Mapping[str, Any]) -> bytes:
    """Return what stands inside the PDF: what of a manifest is known before that is made; the same bytes each time."""
    return _json({name: value for name, value in manifest.items() if name not in _AFTER})


def write_manifest(facts: Mapping[str, Any], outputs: Mapping[str, Path], file: Path) -> Path:
    """Write a manifest: all that stands inside the PDF too, and the digests of the release's files (`outputs`)."""
    after = {
        "attachment": {"name": ATTACHMENT, "sha256": hashlib.sha256(attachment(facts)).hexdigest()},
        "checkout": checkout(),
        "outputs": {name: {"sha256": digest(path)} for name, path in sorted(outputs.items())},
    }
    file.write_bytes(_json({**facts, **after}))
    return file


def refuse_draft(folder: Path) -> None:
    """Refuse a draft where a release is asked for.

    Parameters
    ----------
    folder : pathlib.Path

    Raises
    ------
    ReleaseError
        If it is one.
    """
    if (folder / DRAFT).is_file():
        msg = f"{folder}: is a draft, and no release; evalkit render makes one"
        raise ReleaseError(msg)


def read_manifest(release: Path) -> dict[str, Any]:
    """Read a release's manifest.

    Parameters
    ----------
    release : pathlib.Path
        The release folder.

    Returns
    -------
    dict

    Raises
    ------
    ReleaseError
        If there is none, or it is not one that this version can read.
    """
    refuse_draft(release)
    file = release / MANIFEST
    found = _loaded(file)
    if found is None:
        msg = f"{file}: there is no readable manifest; name the folder of a release"
        raise ReleaseError(msg)
    if is_of_another_version(release):
        msg = f"{file}: was written by another version of evalkit (manifest {found['manifest']}, not {_VERSION})"
        raise ReleaseError(msg)
    if not _is_sound(found):
        msg = f"{file}: is no manifest that evalkit wrote (something is missing from it, or of another kind)"
        raise ReleaseError(msg)
    return found


def _loaded(file: Path) -> dict[str, Any] | None:
    """Read a file that should be a manifest; None where it is none, or a link to one that can be exchanged."""
    try:
        found = None if file.is_symlink() else json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_of_another_version(release: Path) -> bool:
    """Say whether a release's manifest says that an older or a newer evalkit wrote it."""
    version = (_loaded(release / MANIFEST) or {}).get("manifest")
    return isinstance(version, int) and version not in {_UNKEYED, _VERSION}


def is_of_before_ledgers(release: Path) -> bool:
    """Say whether a release was made by the first version of evalkit, which kept no ledger; damage is not age."""
    found = _loaded(release / MANIFEST) or {}
    # It says so itself, and is a manifest: one that is spoilt does not pass for an old one.
    return found.get("manifest") == 1 and isinstance(found.get("outputs"), dict)


def _is_sound(manifest: Mapping[str, Any]) -> bool:
    """Say whether a manifest holds what every release's does, and names only files inside the release."""
    named = (manifest.get(name) for name in ("study", "report", "period"))  # folders are named for them
    texts = all(isinstance(name, str) and re.fullmatch(r"\w[\w.-]*", name) for name in named)
    if manifest.get("manifest") not in {_UNKEYED, _VERSION} or not texts:
        return False
    if not all(isinstance(manifest[n], kind) for n, kind in _KINDS.items() if manifest.get(n) is not None):
        return False
    outputs = manifest.get("outputs", {})
    if manifest.get("revision", 1) is None or manifest.get("revision", 1) < 1 or outputs is None:
        return False
    inside = all(not Path(name).is_absolute() and ".." not in Path(name).parts for name in outputs)
    return inside and all(isinstance(o, dict) and isinstance(o.get("sha256"), str) for o in outputs.values())


def damaged(release: Path, manifest: Mapping[str, Any]) -> list[str]:
    """List the files of a release, sorted, that are not what its manifest says."""
    wrong = []
    for name, facts in sorted(manifest.get("outputs", {}).items()):
        file = release / name
        inside = [file, *(release / folder for folder in Path(name).parents if folder != Path())]
        # What a link leads to can be exchanged after it was looked at.
        links = any(place.is_symlink() for place in inside)
        if links or not file.is_file() or digest(file) != facts.get("sha256"):
            wrong.append(name)
    return wrong


def strangers(release: Path, manifest: Mapping[str, Any]) -> list[str]:
    """List the files of a release, sorted, that its manifest does not name."""
    known = {MANIFEST, SIGNATURE, *manifest.get("outputs", {})}
    known |= {str(folder) for name in known for folder in Path(name).parents}
    there = set()
    for folder, inner, files in os.walk(release):  # follows no link, and names it
        there |= {str((Path(folder) / name).relative_to(release)) for name in (*inner, *files)}
    links = {name for name in (MANIFEST, SIGNATURE) if (release / name).is_symlink()}
    return sorted(there - known | links)


def _json(content: Mapping[str, Any]) -> bytes:
    try:
        # NaN is no JSON: other programs would refuse all of the file.
        text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except ValueError:
        msg = "a parameter is not a number; leave it out"
        raise PublicationError(msg) from None
    return (text + "\n").encode()


_KEPT = re.compile(r".*\.r\d+")  # an older revision


def planned_in(out: Path, study: Study) -> list[Planned]:
    """List the results that a study's releases show, to be frozen as those that are planned.

    Before there are real tables these are releases made of synthetic ones: the rehearsal.

    Parameters
    ----------
    out : pathlib.Path
        The reports folder.
    study : Study

    Returns
    -------
    list of Planned
        Sorted by name.
    """
    kinds: dict[str, str] = {}
    shown: dict[str, set[str]] = {}
    for file in sorted((out / study.id).glob(f"*/*/{MANIFEST}")):
        # What was superseded is not what the study means to show.
        if _KEPT.fullmatch(file.parent.name):
            continue
        try:
            manifest = read_manifest(file.parent)
        except EvalkitError:
            continue
        kinds |= {str(name): str(kind) for name, kind in manifest.get("estimates", ())}
        for entry in manifest.get("published", ()):
            # Sentences are not named: their place is a number of a cell, which any edit changes.
            if entry.get("estimate") and entry["output"].startswith(("fig-", "tbl-")):
                shown.setdefault(entry["estimate"], set()).add(f"{manifest['report']} {entry['output']}")
    return [Planned(name=name, kind=kinds[name], shown=sorted(shown.get(name, ()))) for name in sorted(kinds)]


def added(items: Iterable[Item], versions: Sequence[Frozen]) -> list[str]:
    """Name the figures and tables with a result that no frozen protocol planned; none where none is planned by name."""
    plan = first_plan(versions)
    planned = plan.planned if plan else frozenset()
    return [item.label for item in items if planned and item.label and _estimates(item) - planned]


def _estimates(item: Item) -> set[str]:
    if item.mark.get("kind") == "findings":
        # Of page one what its rows ask. Its own name holds the first day of its quarter, and what its sentences hold
        # today's numbers against (those of a quarter ago) is no result of its own.
        asked = frame_of(item).get("estimate_id", ())
        return {str(name) for name in asked if isinstance(name, str) and name}
    return {str(name) for name in (item.estimate, *item.mark.get("also", {})) if name}


def with_added(document: Document, versions: Sequence[Frozen]) -> Document:
    """Return the document with a line at each figure and table that was not planned."""
    later, plan = set(added(document.items, versions)), first_plan(versions)
    if not later or plan is None:
        return document
    say = messages_for(document.locale)
    text = say("Added after the protocol was frozen ({version}, {day}).", version=plan.name, day=say.day(plan.day))
    items = [
        replace(i, caption=f"{i.caption.rstrip('.')}. {escaped(text)}") if i.label in later else i
        for i in document.items
    ]
    return replace(document, items=tuple(items))


def registered(study: Study, versions: Sequence[Frozen], items: Iterable[Item]) -> dict[str, Any]:
    """Return what the manifest says of the frozen protocol (``protocol``); nothing where it was never frozen."""
    if not versions:
        return {}
    newest = versions[-1]
    changed = [change.key for change in changes_since(study, versions)]
    facts = {"version": newest.name, "day": newest.day.isoformat(), "sha256": newest.sha256}
    return {"protocol": {**facts, "first": versions[0].name, "changed": changed, "added": added(items, versions)}}
