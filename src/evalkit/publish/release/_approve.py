"""Approving: who said that a release may go out, when and why; and then it does, exactly as it was approved."""

from __future__ import annotations

__all__ = ["approve"]

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalkit.errors import ReleaseError, UsageError
from evalkit.protocol import Study, load_disclosure, private_folder, private_modes
from evalkit.publish.release._approval import FILE, Approval, beside
from evalkit.publish.release._approvers import plain_name, private_key_of
from evalkit.publish.release._environment import digest
from evalkit.publish.release._held import opened_ledger
from evalkit.publish.release._lines import append_line, check_written
from evalkit.publish.release._lock import study_lock
from evalkit.publish.release._manifest import MANIFEST, damaged, read_manifest, refuse_draft, strangers
from evalkit.publish.release._own import in_ledgers
from evalkit.publish.release._place import misplaced
from evalkit.publish.release._release import check_place
from evalkit.publish.release._sign import sign_bytes
from evalkit.publish.release._waiting import copied, destination, is_waiting, let_out, may_go_out


def approve(
    release: Path,
    study: Study,
    *,
    name: str,
    reason: str,
    now: datetime | None = None,
    key: Path | None = None,
    identifiers: Iterable[str] = (),
    secrets: Iterable[str] = (),
) -> Approval:
    """Record that a person approved a release, in the study's private folder and beside the release.

    A release that waits for it is published. The study's lock is held from the first look to the end, so that nothing
    else is published than what was approved.

    Parameters
    ----------
    release : pathlib.Path
        The release folder, published or waiting.
    study : Study
    name, reason : str
        Who, and why.
    now : datetime.datetime, optional
        The present by default.
    key : pathlib.Path, optional
        The approver's private key, where the study has such keys and it lies elsewhere.
    identifiers, secrets : iterable of str
        Of all participants, and of the study's database: name and reason are published and must not hold one.

    Returns
    -------
    Approval

    Raises
    ------
    UsageError
        If name or reason are empty, the name is not among those who may approve, or has no key and others do.
    DisclosureError
        If name or reason hold what must not leave.
    ReleaseError
        If the folder is no release of this study, a file in it is not what its manifest says, it became another one
        while another render or approval was waited for, or nothing can be written beside it.
    """
    said = {"name": plain_name(name), "reason": plain_name(reason)}
    for what, text in said.items():
        if not text:
            msg = f"--{what} must say {'who approves' if what == 'name' else 'why'}"
            raise UsageError(msg)
    check_written(study, {f"--{what}": text for what, text in said.items()}, identifiers, secrets)
    approvers = load_disclosure(study).approvers
    if approvers and said["name"] not in approvers:
        msg = f"--name {said['name']}: is not among the approvers of {study.disclosure}"
        raise UsageError(msg)
    own_key = private_key_of(study, said["name"], key)
    _checked(release, study)
    seen = digest(release / MANIFEST)  # what the approver looked at, not what a render that is waited for puts there
    moment = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with study_lock(study, lambda: None):
        if is_waiting(release, study):
            with copied(release) as copy:
                approval = _signed(_approval(said, moment, _same(copy, release, seen, study), seen), own_key)
                _publish(release, copy, study, approval)
        else:
            facts = _same(release, release, seen, study)
            _refuse_another(release, facts, study)
            approval = _signed(_approval(said, moment, facts, seen), own_key)
            _keep(approval, release, study)
    return approval


def _approval(said: dict[str, str], moment: str, facts: dict[str, Any], sha256: str) -> Approval:
    named = f"{facts['study']}/{facts['report']}/{facts['period']}"
    return Approval(**said, date=moment, release=named, manifest_sha256=sha256)


def _signed(approval: Approval, key: Path | None) -> Approval:
    if key is None:
        return approval
    name, signature = sign_bytes(approval.signed_bytes(), key)
    return replace(approval, key=name, signature=signature)


def _same(copy: Path, release: Path, seen: str, study: Study) -> dict[str, Any]:
    """Hold a release, or the copy of it that goes out, to what was there when the approval was given."""
    facts = _checked(copy, study, release)
    if digest(copy / MANIFEST) != seen:
        msg = f"{release}: became another release while the approval waited for a render; review it, then approve again"
        raise ReleaseError(msg)
    return facts


def _publish(release: Path, copy: Path, study: Study, approval: Approval) -> None:
    target = destination(release).target
    check_place(target, stays=True)
    ledger = opened_ledger(private_folder(study), target.resolve().parent.parent)
    may_go_out(release, ledger)
    _keep(approval, target, study)  # before anybody can see the release
    let_out(release, copy, ledger)


def _refuse_another(release: Path, facts: dict[str, Any], study: Study) -> None:
    """Refuse a published release that lies elsewhere than it was published, or is not what was."""
    held = in_ledgers(release, facts, private_folder(study))
    # What cannot be checked here (no ledger knows it) may be approved; a withdrawal asks for more.
    wrong = misplaced(release, facts)[0] or (held.text if held.kind == "wrong" else "")
    if wrong:
        msg = f"{release}: {wrong}; it cannot be approved"
        raise ReleaseError(msg)


def _keep(approval: Approval, release: Path, study: Study) -> None:
    private = private_folder(study)
    try:
        append_line(approval.line(), (private / FILE, private_modes(private)[0]), (beside(release), 0o644))
    except OSError as error:
        msg = f"{release.parent}: cannot be written ({error.strerror or 'unknown reason'}); nothing was approved"
        raise ReleaseError(msg) from None


def _checked(folder: Path, study: Study, release: Path | None = None) -> dict[str, Any]:
    """Read a release's manifest and hold its files to it: what is approved is what lies there."""
    refuse_draft(folder)
    name = release or folder
    if not (folder / MANIFEST).is_file() or folder.is_symlink():
        msg = f"{name}: is no release (it has no {MANIFEST})"
        raise ReleaseError(msg)
    facts = read_manifest(folder)
    if facts.get("study") != study.id:
        msg = f"{name}: is of another study; name its protocol with --study"
        raise ReleaseError(msg)
    wrong = [*damaged(folder, facts), *strangers(folder, facts)]
    if wrong or not facts.get("outputs"):
        wrong = wrong or [MANIFEST]
        msg = f"{name}: {wrong[0]} is not what its manifest says; it cannot be approved"
        raise ReleaseError(msg)
    return facts
