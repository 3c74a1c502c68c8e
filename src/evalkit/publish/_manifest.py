"""The manifest: what went into a release and what came out, so that it can be made again and held to its word.

What went in, and what was published, also stands inside the PDF as an attachment; ``manifest.json`` beside it adds what
can only be known afterwards: the digests of the files, and the commit.
"""

from __future__ import annotations

__all__ = ["MANIFEST", "attachment", "damaged", "read_manifest", "strangers", "went_in", "write_manifest"]

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalkit.errors import ProtocolError, PublicationError, ReleaseError
from evalkit.publish._document import ATTACHMENT, BIBLIOGRAPHY
from evalkit.publish._environment import checkout, code, digest, environment, imported_packages
from evalkit.publish._job import RenderJob
from evalkit.publish._sign import SIGNATURE
from evalkit.publish._tools import publisher_of, tools_of

MANIFEST = "manifest.json"

_VERSION = 2
_AFTER = ("attachment", "checkout", "outputs")


def went_in(job: RenderJob, notebook: Any, parameters: Mapping[str, Any], scratch: Path) -> dict[str, Any]:  # noqa: ANN401
    """Say what goes into a release, as it is now.

    Parameters
    ----------
    job : RenderJob
    notebook : nbformat.NotebookNode
    parameters : mapping
        Held to the notebook's parameters cell.
    scratch : pathlib.Path
        A folder that tools may work in.

    Returns
    -------
    dict
        The sections of `evalkit.publish._ingredients`; no path, name or time of this machine.

    Raises
    ------
    ProtocolError
        If a file cannot be read.
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
        "inputs": {name: {"sha256": value} for name, value in sorted(_digests(job, modules).items())},
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


def _digests(job: RenderJob, modules: Mapping[str, Path]) -> dict[str, str]:
    files = {"notebook": job.notebook, "study": job.study.path}
    files |= {f"notebook module {name}": file for name, file in modules.items()}
    references = job.notebook.with_name(BIBLIOGRAPHY)
    files |= {"notebook references": references} if references.is_file() else {}
    if job.study.disclosure is not None:
        files["disclosure"] = job.study.folder / job.study.disclosure
    if job.study.baselines is not None:
        files["baselines"] = job.study.folder / job.study.baselines
    found = {}
    for name, file in files.items():
        try:
            found[name] = digest(file)
        except OSError as error:
            msg = f"{file}: cannot be read ({error.strerror})"
            raise ProtocolError(msg) from None
    return {**found, **{f"table {name}": value for name, value in job.tables().items()}}


def attachment(manifest: Mapping[str, Any]) -> bytes:
    """Return what stands inside the PDF.

    Parameters
    ----------
    manifest : mapping
        A manifest, finished or not.

    Returns
    -------
    bytes
        All of it that was known before the PDF was made; the same bytes for the same content.
    """
    return _json({name: value for name, value in manifest.items() if name not in _AFTER})


def write_manifest(facts: Mapping[str, Any], outputs: Mapping[str, Path], file: Path) -> Path:
    """Write a manifest.

    Parameters
    ----------
    facts : mapping
        Everything that stands inside the PDF too.
    outputs : mapping of str to pathlib.Path
        Name in the release: finished file.
    file : pathlib.Path

    Returns
    -------
    pathlib.Path
        ``file``.
    """
    after = {
        "attachment": {"name": ATTACHMENT, "sha256": hashlib.sha256(attachment(facts)).hexdigest()},
        "checkout": checkout(),
        "outputs": {name: {"sha256": digest(path)} for name, path in sorted(outputs.items())},
    }
    file.write_bytes(_json({**facts, **after}))
    return file


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
    file = release / MANIFEST
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        msg = f"{file}: there is no readable manifest; name the folder of a release"
        raise ReleaseError(msg) from None
    if not isinstance(found, dict) or found.get("manifest") != _VERSION:
        msg = f"{file}: was written by another version of evalkit"
        raise ReleaseError(msg)
    if not _is_sound(found):
        msg = f"{file}: is no manifest that evalkit wrote (something is missing from it, or of another kind)"
        raise ReleaseError(msg)
    return found


def _is_sound(manifest: Mapping[str, Any]) -> bool:
    """Say whether a manifest holds what every release's does, and names only files inside the release."""
    texts = all(isinstance(manifest.get(name), str) for name in ("study", "report", "period"))
    outputs = manifest.get("outputs", {})
    if not texts or not isinstance(manifest.get("revision", 1), int) or not isinstance(outputs, dict):
        return False
    inside = all(not Path(name).is_absolute() and ".." not in Path(name).parts for name in outputs)
    return inside and all(isinstance(o, dict) and isinstance(o.get("sha256"), str) for o in outputs.values())


def damaged(release: Path, manifest: Mapping[str, Any]) -> list[str]:
    """List the files of a release that are not what its manifest says.

    Parameters
    ----------
    release : pathlib.Path
    manifest : mapping

    Returns
    -------
    list of str
        Names, sorted.
    """
    wrong = []
    for name, facts in sorted(manifest.get("outputs", {}).items()):
        file = release / name
        if not file.is_file() or file.is_symlink() or digest(file) != facts.get("sha256"):
            wrong.append(name)
    return wrong


def strangers(release: Path, manifest: Mapping[str, Any]) -> list[str]:
    """List the files of a release that its manifest does not name.

    Parameters
    ----------
    release : pathlib.Path
    manifest : mapping

    Returns
    -------
    list of str
        Names, sorted.
    """
    known = {MANIFEST, SIGNATURE, *manifest.get("outputs", {})}
    there = {str(file.relative_to(release)) for file in release.rglob("*") if not file.is_dir()}
    return sorted(there - known)


def _json(content: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except ValueError:
        msg = "a parameter is not a number; leave it out"
        raise PublicationError(msg) from None
    return (text + "\n").encode()
