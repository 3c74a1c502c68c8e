"""``evalkit verify`` and ``evalkit key``: releases held to their word, years later."""

from __future__ import annotations

__all__ = ["new_study_key", "run"]

import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evalkit.cli._apart import as_published, told_apart
from evalkit.cli._render import Request, plan
from evalkit.errors import ReleaseError, UsageError, VerificationError
from evalkit.protocol import Excuse, Study, load_study, private_folder
from evalkit.publish import RenderJob, checked, new_approver, new_key, progress_for, read_manifest, verify


def run(release: Path, study: Path, public_key: Path | None, *, quick: bool, publisher: str | None = None) -> int:
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
