"""Verification: whether a release is as it was published, and whether the same comes out when it is made again.

What is as it was published can be archived: as one file for Zenodo, OSF or a records office. The same release gives the
same bytes.
"""

from __future__ import annotations

__all__ = ["Verification", "archive", "archive_name", "checked", "verify"]

import contextlib
import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pikepdf

from evalkit.errors import EvalkitError, MissingToolError, ReleaseError, VerificationError
from evalkit.protocol import Secret, Study, find_private_folder, find_secret
from evalkit.publish._job import Keyer, Progress, Recorded, RenderJob, parameters_of, read_notebook
from evalkit.publish._make import Made, make
from evalkit.publish.release._changes import NumberChange, how_many, read_numbers
from evalkit.publish.release._decisions import Remark, own_remarks
from evalkit.publish.release._ingredients import Change, because, differences, digest, key, unused
from evalkit.publish.release._keys import SIGNATURE
from evalkit.publish.release._manifest import (
    MANIFEST,
    as_keyed,
    attachment,
    damaged,
    known_then,
    read_manifest,
    strangers,
    went_in,
)
from evalkit.publish.release._place import ABOUT, about, broken_chain, misplaced
from evalkit.publish.release._release import study_lock
from evalkit.publish.release._standing import Standing, outputs_changed, same_outputs
from evalkit.publish.rendering._document import ATTACHMENT
from evalkit.publish.rendering._machine import private_files, scratch_folder


@dataclass(frozen=True)
class Verification:
    """What was found out about a release.

    Attributes
    ----------
    release : pathlib.Path
    manifest : mapping
    problems : tuple of str
        What is not as it was published, one clause each.
    said : tuple of str
        What was checked and is as it should be, one line each.
    unchecked : tuple of str
        What could not be checked here, one line each.
    changes : tuple of Change
        What would go in now and did not then.
    numbers : tuple of NumberChange
        Published numbers that came out as others.
    around : tuple of Change
        What changed and changed nothing, where the same came out (`Standing.open`).
    later : tuple of Change
        Of the changes: tables to which rows of after the data cut came, and that say the same of the time up to it.
    counts : mapping of str to (int, int)
        Output: published numbers that came out the same, and all of them.
    """

    release: Path
    manifest: Mapping[str, Any]
    problems: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    numbers: tuple[NumberChange, ...] = ()
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    around: tuple[Change, ...] = ()
    later: tuple[Change, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing differs."""
        return not (self.problems or self.changes or self.numbers)

    @property
    def why(self) -> str:
        """What differs, in one line; empty when nothing does."""
        parts = [*self.problems, *([because(self.changes)] if self.changes else [])]
        if self.numbers:
            outputs = list(dict.fromkeys(change.output for change in self.numbers))
            parts.append(f"{len(self.numbers)} published numbers differ ({', '.join(outputs)})")
        return "; ".join(parts)

    def lines(self) -> Iterator[str]:
        """Write what was found, line by line.

        Yields
        ------
        str
        """
        yield f"{self.release} (revision {self.manifest.get('revision', 1)})"
        yield from (f"  ok: {line}" for line in self.said)
        if self.around:
            yield f"  {same_outputs(self.around)}"
        if self.later and self.good:
            yield f"  same outputs, rows of after the data cut: {', '.join(change.name for change in self.later)}"
        yield from (f"  not checked: {line}" for line in self.unchecked)
        for output, (same, total) in self.counts.items():
            yield f"  {'ok' if same == total else 'DIFFERS'}: {output}: {same} of {total} numbers the same"
        yield from (f"  DIFFERS: {change}" for change in self.numbers)
        yield from (f"  DIFFERS: {change}" for change in self.changes)
        yield from (f"  DIFFERS: {problem}" for problem in self.problems)


def checked(release: Path, public_key: Path | None, study: Study | None = None) -> Verification:
    """Hold a release's files to its manifest, and the manifest to its PDF, place, signature, ledger and approvals.

    Parameters
    ----------
    release : pathlib.Path
        The release folder.
    public_key : pathlib.Path or None
        Of whoever signed it; None: the study's own, where it is here and has one.
    study : Study, optional
        The release's; its private folder says what was published and approved. Without it that is not checked.

    Returns
    -------
    Verification

    Raises
    ------
    ReleaseError
        If the folder holds no release.
    ProtocolError
        If the public key cannot be read.
    """
    manifest = read_manifest(release)
    found = Verification(release, manifest)
    lies, elsewhere = misplaced(release, manifest)
    chain, incomplete = broken_chain(release, manifest)
    number = len(manifest.get("outputs", {}))
    for problem, unknown, good in (
        (_files(release, manifest), "", f"{number} files are as the manifest says"),
        (_inside(release, manifest), "", "the manifest is the one it was made with"),
        (lies, elsewhere, "it lies where it belongs"),
        (chain, incomplete, "" if elsewhere else "the revisions beside it are those that it followed"),
    ):
        found = _remarked(found, [Remark("unchecked", unknown)] if unknown and not problem else [])
        found = _with(found, problem, "" if unknown else good)
    private = find_private_folder(study) if study is not None else None
    return _remarked(found, own_remarks(release, manifest, private, public_key, among=not elsewhere))


def _remarked(found: Verification, remarks: Iterable[Remark]) -> Verification:
    for remark in remarks:
        if remark.kind == "unchecked":
            found = replace(found, unchecked=(*found.unchecked, remark.text))
        else:
            wrong = remark.text if remark.kind == "wrong" else ""
            found = _with(found, wrong, remark.text)
    return found


def _with(found: Verification, problem: str, good: str) -> Verification:
    if problem:
        return replace(found, problems=(*found.problems, problem))
    return replace(found, said=(*found.said, good)) if good else found


def _files(release: Path, manifest: Mapping[str, Any]) -> str:
    wrong, others = damaged(release, manifest), strangers(release, manifest)
    parts = [f"{', '.join(wrong)} is not what was published"] if wrong else []
    parts += [f"{', '.join(others)} was not published"] if others else []
    return "; ".join(parts)


def _inside(release: Path, manifest: Mapping[str, Any]) -> str:
    """Hold the manifest to itself and to what stands inside the PDF."""
    inside = attachment(manifest)
    said = manifest.get("attachment") or {}
    if hashlib.sha256(inside).hexdigest() != said.get("sha256") or key(manifest) != manifest.get("key"):
        return f"{MANIFEST} was changed after it was made"
    file = release / "report.pdf"
    # Quarto prints with a Typst of its own, which may be too old to attach anything (`typst-template.typ`).
    if not file.is_file() or manifest.get("publication", {}).get("publisher") != "embedded":
        return ""
    try:
        with pikepdf.open(file) as pdf:
            found = pdf.attachments[ATTACHMENT].get_file().read_bytes()
    except (pikepdf.PdfError, KeyError):
        found = b""
    return "" if found == inside else f"{MANIFEST} is not the one inside {file.name}"


def verify(release: Path, job: RenderJob, public_key: Path | None, told: Progress, publisher: str = "") -> Verification:
    """Check a release, make it again, and compare.

    Parameters
    ----------
    release : pathlib.Path
        The release folder.
    job : RenderJob
        Study and report as they are now, with what was set on the command line then.
    public_key : pathlib.Path or None
    told : Progress
    publisher : str, default ""
        Makes it again, instead of the one that made it.

    Returns
    -------
    Verification

    Raises
    ------
    EvalkitError
        If the release cannot be read, or a tool it was made with is missing.
    """
    found = checked(release, public_key, job.study)
    then = found.manifest
    secret, unknown = _secret(job.study, then)
    found = _remarked(found, [Remark("unchecked", unknown)] if unknown else [])
    job = replace(job, secret=secret)
    # Data of nobody real take their noise's secret from the protocol (ADR 15): these are made again anywhere.
    if unknown and not then.get("synthetic"):
        return _remarked(
            found, [Remark("unchecked", "whether the numbers come out the same: their noise is the secret's")]
        )
    waiting = "waiting for another render of this study"
    with private_files(), study_lock(job.study, lambda: told.step(job.name, waiting)), scratch_folder() as scratch:
        notebook = read_notebook(job.notebook)
        now = went_in(job, notebook, parameters_of(job, notebook), scratch)
        keyed = as_keyed(then, job)
        changes = (*differences(keyed, now), *unused(keyed, now))
        found = replace(found, changes=changes, later=_grown(changes, keyed, job))
        again = _as_then(job, then, publisher)
        standing = Standing(release, True, then, digest(release / MANIFEST), part=job.beside)
        try:
            parts = went_in(again, notebook, parameters_of(again, notebook), scratch)
            made = make(again, told, scratch, standing, parts)
        # A tool that is not here says nothing of the release: that is no verdict.
        except MissingToolError:
            raise
        except EvalkitError as error:
            return replace(found, problems=(*found.problems, f"it cannot be made again: {error}"))
        return _compared(found, made, standing)


def _secret(study: Study, then: Mapping[str, Any]) -> tuple[Keyer, str]:
    """Return what keys the digests of tables, and what cannot be checked where the study's secret is not here."""
    secret = find_secret(study)
    if "secret" not in then:  # made before digests were keyed: any key will do to hold them to today's
        return secret or Secret.fresh(), ""
    if secret is not None and secret.id == then["secret"]:
        return secret, ""
    which = "is not here" if secret is None else "here is another one"
    return Recorded(then), f"whether the tables are the same files and rows: the study's secret {which}"


def _grown(changes: Sequence[Change], then: Mapping[str, Any], job: RenderJob) -> tuple[Change, ...]:
    """Return the tables whose change is that a quarter has gone by: every release would be another one otherwise."""
    cut = job.period.cut.isoformat()
    tables = [c for c in changes if c.kind == "data" and (job.newest_days.get(c.name) or "") > cut]
    known, before = known_then(job) if tables else {}, then.get("known", {})
    # Two defaults that differ: where neither says anything of a table, nobody knows that it is the same.
    return tuple(change for change in tables if known.get(change.name, "") == before.get(change.name, None))


def _as_then(job: RenderJob, then: Mapping[str, Any], publisher: str = "") -> RenderJob:
    """Return the job with the parameters and the publication of the release."""
    chosen = {"publisher": publisher} if publisher else {}
    values = {n: v for n, v in then.get("parameters", {}).items() if n not in {"study", "period"}}
    publication = job.params.publication.model_copy(update={**then.get("publication", {}), **chosen})
    params = job.params.model_copy(update={"parameters": values, "publication": publication})
    return replace(job, params=params, overrides={}, supersede="", force=True)


def _compared(found: Verification, made: Made, standing: Standing) -> Verification:
    then = list(found.manifest.get("published", ()))
    changed, drawn = outputs_changed(found.release, found.manifest, made.facts, made.files)
    counts = {}
    for output, rows in read_numbers(then, found.release).items():
        total = how_many(rows)
        counts[output] = (max(total - sum(change.output == output for change in changed), 0), total)
    found = replace(found, numbers=tuple(changed), counts=counts)
    if changed:
        return found
    found = _with(
        found, f"{', '.join(drawn)}: other words or another look" if drawn else "", "every output is the same"
    )
    if found.changes:  # the manifest inside the PDF names what changed: other bytes are no news
        if drawn:
            return found
        opened = replace(standing, changes=found.changes).open
        around = tuple(change for change in opened if change not in found.later)
        left = tuple(change for change in found.changes if change not in {*opened, *found.later})
        return replace(found, changes=left, around=around)
    outputs = found.manifest.get("outputs", {})
    other = [n for n, f in sorted(made.files.items()) if n in outputs and digest(f) != outputs[n]["sha256"]]
    wrong = f"{', '.join(other)}: other bytes" if other else ""
    return _with(found, wrong, "made again, every file has the same bytes as when it was published")


# A zip remembers mode and system of the machine that made it; fixed, every machine makes the same bytes.
_MODE = 0o100644 << 16
# By the zip format's list of systems: only with it are the permissions of files read.
_UNIX = 3


def archive_name(manifest: dict[str, object]) -> str:
    """Return the name of a release's archive; a custom period is written without points.

    >>> archive_name({"study": "demo", "report": "quarterly", "period": "2022Q3", "revision": 2})
    'demo-quarterly-2022Q3-r2.zip'
    """
    period = str(manifest["period"]).replace("..", "_to_")
    return f"{manifest['study']}-{manifest['report']}-{period}-r{manifest.get('revision', 1)}.zip"


def archive(release: Path, folder: Path, study: Study | None = None) -> Path:
    """Write a release as a zip.

    Parameters
    ----------
    release : pathlib.Path
        The release folder; held to its manifest, its place, its ledger and its approvals first.
    folder : pathlib.Path
        Where the file goes; its name says which release it is.
    study : Study, optional
        The release's, where it is here.

    Returns
    -------
    pathlib.Path
        The file. It holds what the manifest names, the manifest and its signature, and nothing else; no time but that
        of 1980 which every zip has to have.

    Raises
    ------
    VerificationError
        If the release is not what was published, or was withdrawn.
    ReleaseError
        If it waits for approval, another file of that name is there, or it cannot be written.
    """
    found = checked(release, None, study)
    if not found.good:
        msg = f"{release}: is not what was published: {found.why}"
        raise VerificationError(msg)
    if (about(release) / ABOUT).is_file():
        msg = f"{release}: waits for approval and is not published; approve it first"
        raise ReleaseError(msg)
    names = [*found.manifest.get("outputs", {}), MANIFEST]
    names += [SIGNATURE] if (release / SIGNATURE).is_file() else []
    target = folder / archive_name(dict(found.manifest))
    # Beside its place, so that it takes it in one step; hidden, as a half-written one is nobody's to send.
    making = target.with_name(f".{target.name}.making")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(making, "w", zipfile.ZIP_STORED) as packed:  # what a packer makes of it is its version's
            for name in sorted(names):
                packed.writestr(_entry(name), (release / name).read_bytes())
        # The same bytes are no other file: whoever archives a release twice is not stopped.
        if target.exists() and target.read_bytes() != making.read_bytes():
            msg = f"{target}: is another file; move it away, or name another folder with --out"
            raise ReleaseError(msg)
        making.replace(target)
    except OSError as error:
        msg = f"{target}: cannot be written ({error.strerror or 'unknown reason'})"
        raise ReleaseError(msg) from None
    finally:
        with contextlib.suppress(NotADirectoryError):  # below a file there is nothing to take away
            making.unlink(missing_ok=True)
    return target


def _entry(name: str) -> zipfile.ZipInfo:
    """Return the head of an entry: the same whenever, wherever and by whom it is written."""
    entry = zipfile.ZipInfo(name)  # of 1980, the oldest day that a zip knows
    entry.external_attr, entry.create_system = _MODE, _UNIX
    return entry
