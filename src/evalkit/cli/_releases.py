"""What is done with releases once they are made: approved, withdrawn, verified, archived, shown on a site.

What somebody writes of a release (``evalkit approve``, ``withdraw``) is searched before it is published. ``evalkit
verify`` holds releases to their word, years later, by keys that ``evalkit key`` makes. ``evalkit site`` and ``archive``
take what is published.
"""

from __future__ import annotations

__all__ = ["new_approver_key", "new_study_key", "run_approve", "run_archive", "run_site", "run_verify", "run_withdraw"]

import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evalkit.cli._records import approved_record, logged
from evalkit.cli._render import Request, as_published, plan, told_apart
from evalkit.errors import DataError, ReleaseError, UsageError, VerificationError
from evalkit.intake import open_gate, secrets_of
from evalkit.protocol import Excuse, Study, load_study, private_folder
from evalkit.publish import (
    UNTOLD,
    RenderJob,
    approve,
    archive,
    checked,
    destination,
    is_waiting,
    new_approver,
    new_key,
    progress_for,
    read_manifest,
    verify,
    withdraw,
)


def run_approve(release: Path, study: Path, name: str, reason: str, key: Path | None) -> str:
    """Approve a release, publish it where it waits, and say so; ``key`` is the approver's, where it lies elsewhere.

    An `EvalkitError` where it may not be approved.
    """
    protocol = load_study(study)
    # Asked before: once it is approved nothing waits there any more.
    goes = destination(release).target if is_waiting(release, protocol) else None
    identifiers, secrets = _looked_for(protocol)
    done = approve(release, protocol, name=name, reason=reason, key=key, identifiers=identifiers, secrets=secrets)
    if goes is not None:
        logged(protocol, [approved_record(protocol, goes, f"approved by {done.name}")])
    return f"{done.release}: approved by {done.name} on {done.date} (manifest {done.manifest_sha256[:16]})"


def run_withdraw(release: Path, study: Path, why: str | None) -> str:
    """Withdraw a release and say so; an `EvalkitError` where it was not published there.

    Without a reason no tables are opened, and a sentence that holds nothing stands for it.
    """
    protocol = load_study(study)
    # A release that has to go cannot wait for tables to be mended.
    otherwise = "; without a reason the release can be withdrawn now: leave it out"
    identifiers, secrets = _looked_for(protocol, otherwise) if why is not None else ((), ())
    done = withdraw(release, protocol, UNTOLD if why is None else why, identifiers=identifiers, secrets=secrets)
    return f"{done.release}, revision {done.revision}: withdrawn on {done.date}: {done.reason}"


def _looked_for(study: Study, otherwise: str = "") -> tuple[frozenset[str], frozenset[str]]:
    """Return what a text that is published must not hold: identifiers, and secrets of the database.

    A cell that cannot be read, in tables newer than the release, is no reason to leave it published.
    """
    try:
        with open_gate(study).data as data:
            closed = [one for one in data.findings if one.rule == "unreadable_table"]
            if not closed:
                return data.identifiers, secrets_of(study)
            error = f"{closed[0].table}: {closed[0].text}"
    except DataError as failed:
        error = str(failed)
    msg = f"{error}; what is published is searched for identifiers, and without the tables it cannot be{otherwise}"
    raise DataError(msg)


def run_verify(
    release: Path, study: Path, public_key: Path | None, *, quick: bool, publisher: str | None = None
) -> int:
    """Verify a release against the tables as they are now, say what was found, line by line, and return 0.

    ``quick`` looks at digests and signature only; ``publisher`` makes it again, instead of the one that made it. A
    `VerificationError` that says what and why where anything differs.
    """
    if quick:
        # Also without the protocol: who is sent a folder can hold it to its manifest.
        found = checked(release, public_key, _study_of(read_manifest(release), study))
    else:
        job = _job(read_manifest(release), release, study, publisher)
        with progress_for() as progress:
            found = verify(release, job, public_key, progress, publisher or "")
    sys.stdout.write("".join(f"{line}\n" for line in found.lines()))
    if not found.good:
        msg = f"{release}: is not what was published: {found.why}"
        raise VerificationError(msg)
    return 0


def _study_of(manifest: dict[str, Any], file: Path) -> Study | None:
    """Return the release's study where its protocol is here: a quick look does without."""
    if not file.is_file():
        return None
    study = load_study(file)
    return study if study.id == manifest["study"] else None


def _job(manifest: dict[str, Any], release: Path, study: Path, publisher: str | None = None) -> RenderJob:
    """Ask for the same again: report, period, publication and what was set on the command line then."""
    protocol = load_study(study)
    # Made again from another study's tables every number would differ, and the release be called forged.
    if manifest["study"] != protocol.id:
        msg = f"{release}: is of study '{manifest['study']}', not '{protocol.id}'; name its protocol with --study"
        raise UsageError(msg)
    # Formats as then: an output that was not published would be a difference.
    publication = manifest["publication"]
    report, name = told_apart(str(manifest["report"]))
    request = Request(
        report=report,
        name=name,
        periods=(str(manifest["period"]),),
        studies=(study,),
        publisher=publisher or str(publication["publisher"]),
        to=",".join(publication["to"]),
    )
    return as_published(plan(request, study, _excused_then(manifest, release))[0], manifest)


def _excused_then(manifest: dict[str, Any], release: Path) -> list[Excuse]:
    """Return what was excused when a release was made: it holds for the release, however long ago it ended."""
    try:
        return [Excuse.model_validate(excuse) for excuse in manifest.get("excused") or []]
    except (ValidationError, TypeError):
        msg = f"{release}: its manifest says of what was excused what evalkit never wrote; it was changed"
        raise ReleaseError(msg) from None


def new_approver_key(study: Path, name: str, out: Path | None) -> tuple[str, Path, Path]:
    """Make the key of somebody who approves a study's releases; its name, its private and its public file.

    Without ``out`` it lies in the study's private folder. An `EvalkitError` where the name may not approve, or has a
    key.
    """
    made, private = new_approver(load_study(study), name, out)
    return made.key, private, made.public


def new_study_key(study: Path, out: Path | None) -> tuple[str, Path, Path]:
    """Make the key pair that signs a study's releases; its name, its private and its public file.

    Without ``out`` it lies in the study's private folder, where renders find it by themselves. A `ReleaseError` where a
    key is there already, or the folder cannot be written.
    """
    private = out if out is not None else private_folder(load_study(study)) / "signing-key.pem"
    public = private.with_suffix(".pub")
    return new_key(private, public), private, public


def run_site(study: Path, reports: Path, out: Path, url: str) -> list[str]:
    """Build a site and say in lines what is in it; ``url`` is where it will stand, the protocol's where it is empty.

    An `EvalkitError` where it cannot be built; the site that was there stays.
    """
    from evalkit.site import build_site  # noqa: PLC0415 - approving and verifying need none of it

    protocol = load_study(study)
    if url and not url.startswith(("https://", "http://")):
        msg = f"--url {url}: is no address of a site; write it as https://..."
        raise UsageError(msg)
    built = build_site(protocol, reports, out, url or protocol.citation.url or "")
    lines = [f"{name}: left out, its manifest is of an older evalkit" for name in built.left_out]
    return [*lines, f"{built.folder / 'index.html'}: {built.releases} releases, {built.withdrawn} withdrawn"]


def run_archive(release: Path, study: Path, out: Path) -> str:
    """Write a release as one file and say where; ``study`` is its protocol, where that is here.

    An `EvalkitError` where the release is not what was published.
    """
    manifest = read_manifest(release)
    protocol = _here(study, str(manifest["study"]))
    file = archive(release, out, protocol)
    lacks = "" if "ro-crate-metadata.json" in manifest.get("outputs", {}) else " (of before releases held an RO-Crate)"
    return f"{file}{lacks}"


def _here(file: Path, study: str) -> Study | None:
    # A release is archived also by who has neither protocol nor tables.
    found = load_study(file) if file.is_file() else None
    return found if found is not None and found.id == study else None
