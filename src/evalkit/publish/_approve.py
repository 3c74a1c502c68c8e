"""Approvals: who said that a release may go out, when and why; written once, never changed."""

from __future__ import annotations

__all__ = ["Approval", "approvals_of", "approve"]

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from evalkit.disclosure import Ledger
from evalkit.errors import ReleaseError, UsageError
from evalkit.protocol import Study, load_disclosure, private_folder
from evalkit.publish._environment import digest
from evalkit.publish._let_out import destination, let_out, may_go_out
from evalkit.publish._lock import study_lock
from evalkit.publish._manifest import MANIFEST, damaged, read_manifest, strangers
from evalkit.publish._release import check_place
from evalkit.publish._waiting import is_waiting
from evalkit.spreadsheet import harmless

_FILE = "approvals.jsonl"


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval.

    Attributes
    ----------
    name, reason : str
        Who, and why.
    date : str
        When, in UTC.
    release : str
        Study, report and period of what was approved.
    manifest_sha256 : str
        Digest of its manifest, which holds the digests of all its files.
    """

    name: str
    reason: str
    date: str
    release: str
    manifest_sha256: str


def approve(release: Path, study: Study, *, name: str, reason: str, now: datetime | None = None) -> Approval:
    """Record that a person approved a release, in the study's private folder and beside the release.

    A release that waits for it is published.

    Parameters
    ----------
    release : pathlib.Path
        The release folder, published or waiting.
    study : Study
    name, reason : str
        Who, and why.
    now : datetime.datetime, optional
        The present by default.

    Returns
    -------
    Approval

    Raises
    ------
    UsageError
        If name or reason are empty, or the name is not among those who may approve.
    ReleaseError
        If the folder is no release of this study, a file in it is not what its manifest says, or nothing can be
        written beside it.
    """
    said = {"name": " ".join(harmless(name).split()), "reason": " ".join(harmless(reason).split())}
    for what, text in said.items():
        if not text:
            msg = f"--{what} must say {'who approves' if what == 'name' else 'why'}"
            raise UsageError(msg)
    approvers = load_disclosure(study).approvers
    if approvers and said["name"] not in approvers:
        msg = f"--name {said['name']}: is not among the approvers of {study.disclosure}"
        raise UsageError(msg)
    facts = _checked(release, study)
    moment = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    named = f"{facts.get('study')}/{facts.get('report')}/{facts.get('period')}"
    approval = Approval(**said, date=moment, release=named, manifest_sha256=digest(release / MANIFEST))
    if not is_waiting(release, study):
        _keep(approval, release, study)
        return approval
    with study_lock(study, lambda: None):
        target = destination(release).target
        check_place(target)
        ledger = Ledger.of(private_folder(study), target.resolve().parent.parent)
        may_go_out(release, ledger)
        _keep(approval, target, study)  # before anybody can see the release
        let_out(release, ledger)
    return approval


def _keep(approval: Approval, release: Path, study: Study) -> None:
    try:
        _append(private_folder(study) / _FILE, approval, 0o600)
        _append(_beside(release), approval, 0o644)
    except OSError as error:
        msg = (
            f"{release.parent}: cannot be written ({error.strerror or 'unknown reason'}); the approval may be half kept"
        )
        raise ReleaseError(msg) from None


def approvals_of(release: Path) -> list[Approval]:
    """Return the approvals of exactly this release, from the file beside it.

    Parameters
    ----------
    release : pathlib.Path

    Returns
    -------
    list of Approval
        Oldest first; those of other revisions are left out.
    """
    file, manifest = _beside(release), release / MANIFEST
    if not file.is_file() or not manifest.is_file():
        return []
    found = [Approval(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [approval for approval in found if approval.manifest_sha256 == digest(manifest)]


def _beside(release: Path) -> Path:
    return release.with_name(f"{release.name}.{_FILE}")


def _checked(release: Path, study: Study) -> dict[str, object]:
    """Read a release's manifest and hold its files to it: what is approved is what lies there."""
    if not (release / MANIFEST).is_file() or release.is_symlink():
        msg = f"{release}: is no release (it has no {MANIFEST})"
        raise ReleaseError(msg)
    facts = read_manifest(release)
    if facts.get("study") != study.id:
        msg = f"{release}: is of another study; name its protocol with --study"
        raise ReleaseError(msg)
    wrong = [*damaged(release, facts), *strangers(release, facts)]
    if wrong or not facts.get("outputs"):
        wrong = wrong or [MANIFEST]
        msg = f"{release}: {wrong[0]} is not what its manifest says; it cannot be approved"
        raise ReleaseError(msg)
    return facts


def _append(file: Path, approval: Approval, mode: int) -> None:
    """Add a line; lines that are there stay."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, mode)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(descriptor, (json.dumps(asdict(approval), ensure_ascii=False) + "\n").encode("utf-8"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
