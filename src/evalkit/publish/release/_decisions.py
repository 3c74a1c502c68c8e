"""What people decide of a release: it is approved and then goes out, or it is withdrawn.

Both are held to what the study's own private folder says of the release: published as it lies there, signed with its
key, approved. An approval says who let it go out, when and why; and then it does, exactly as it was approved. What is
withdrawn is taken away from its readers, and when and why stays where it was.
"""

from __future__ import annotations

__all__ = ["UNTOLD", "Remark", "approve", "in_ledgers", "own_remarks", "withdraw"]

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from evalkit.errors import EvalkitError, ReleaseError, UsageError
from evalkit.protocol import Study, load_disclosure, make_private, private_folder, private_modes
from evalkit.publish.release._ingredients import digest
from evalkit.publish.release._keys import PUBLIC, SIGNATURE, check_signature, plain_name, private_key_of, sign_bytes
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._lines import (
    FILE,
    WITHDRAWALS,
    Approval,
    Withdrawal,
    append_line,
    approvals_of,
    beside,
    beside_withdrawals,
    check_written,
    kept_withdrawals,
    withdrawals_beside,
    withdrawn,
    wrong_approvals,
)
from evalkit.publish.release._manifest import MANIFEST, damaged, read_manifest, refuse_draft, strangers
from evalkit.publish.release._place import ABOUT, about, copied, destination, is_waiting, let_out, may_go_out, misplaced
from evalkit.publish.release._release import check_place, study_lock
from evalkit.publish.release._standing import opened_ledger, release_name
from evalkit.publish.rendering._machine import scratch_folder
from evalkit.words import marked


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was looked at, in one clause."""

    kind: Literal["good", "wrong", "unchecked"]
    text: str


def own_remarks(
    release: Path, manifest: Mapping[str, Any], private: Path | None, public_key: Path | None, *, among: bool
) -> Iterator[Remark]:
    """Look at signature, ledger and approvals of a release.

    `private` is the study's private folder, None where it is not here; `public_key` is of whoever signed the release,
    None for the study's own. `among`: the release lies among releases, where its approvals lie beside it.
    """
    waits = (about(release) / ABOUT).is_file()
    held = Remark("unchecked", "whether it is what was published: the study's private folder is not here")
    if waits:
        held = Remark("good", "it waits for approval and is not published")
    elif private is not None:
        held = in_ledgers(release, manifest, private)
    yield held
    yield from _withdrawn(release, private)
    yield _signature(release, manifest, private, public_key, published=held.kind == "good")
    if waits:
        return
    if not among and not beside(release).exists():
        yield Remark("unchecked", "approvals, which are not beside it")
        return
    try:
        wrong = wrong_approvals(release, manifest, private)
        approved = [approval.name for approval in approvals_of(release)] if not wrong else []
    except EvalkitError as error:
        wrong, approved = str(error), []
    if wrong:
        yield Remark("wrong", wrong)
    elif approved:
        signed = "" if private is not None else " (signatures not checked: the study's private folder is not here)"
        yield Remark("good", f"approved by {', '.join(dict.fromkeys(approved))}{signed}")


def _withdrawn(release: Path, private: Path | None) -> Iterator[Remark]:
    """Say of a release, or of a copy of it, that it was withdrawn."""
    try:
        known = withdrawals_beside(release)
        known += kept_withdrawals(private / WITHDRAWALS) if private is not None else []
    except EvalkitError as error:
        yield Remark("wrong", f"nobody can say whether it was withdrawn: {error}")
        return
    found = withdrawn(known, digest(release / MANIFEST))
    if found is not None:
        yield Remark("wrong", f"it was withdrawn on {found.date[:10]}: {found.reason}")


def in_ledgers(release: Path, manifest: Mapping[str, Any], private: Path) -> Remark:
    """Hold a release to what the ledgers in the study's private folder say was published under its name."""
    report, period, number = str(manifest["report"]), str(manifest["period"]), int(manifest.get("revision", 1))
    name, sha256 = release_name(report, period, number), digest(release / MANIFEST)
    said, newest = [], 0
    try:
        ours = Ledger.known(private, release.resolve().parent.parent)
        others = [Ledger(folder, release) for folder in sorted((private / "ledger").glob("*")) if folder.is_dir()]
        for ledger in [ours] if ours is not None else others:
            said += [ledger.manifest_of(name)] if name in ledger.names else []
            newest = max(newest, ledger.newest(report, period)[0]) if ours is not None else 0
            if ours is not None and ledger.is_pending(sha256):
                said.append(sha256)
    except EvalkitError as error:
        # Who changes a release need only damage the ledger, if that were nothing but a thing not checked.
        return Remark("wrong", f"nobody can say whether it is what was published: {error}")
    # Empty: published before digests were kept, so that nobody can say that it is another one.
    if said and sha256 not in said and "" not in said:
        return Remark("wrong", f"{MANIFEST} is not the one that was published as {name}")
    # An older revision put back to the place of the newest one would pass as what is valid now.
    if newest > number and not release.name.endswith(f".r{number}"):
        return Remark("wrong", f"revision {number} lies where revision {newest} was published")
    if not said and ours is not None and ours.names:
        return Remark("wrong", f"{name} was never published here: the ledger does not hold it")
    if sha256 in said:
        return Remark("good", f"it is what was published as {name}")
    return Remark("unchecked", f"whether it is what was published: no ledger in {private} says so of {name}")


def _signature(
    release: Path, manifest: Mapping[str, Any], private: Path | None, public_key: Path | None, *, published: bool
) -> Remark:
    own = private / PUBLIC if private is not None and (private / PUBLIC).is_file() else None
    signed, meant = (release / SIGNATURE).is_file(), str(manifest.get("signed_by") or "")
    key = public_key or own
    if meant and not signed:
        return Remark("wrong", f"it was signed with key {meant}, and there is no signature")
    if key is None:
        if signed:
            return Remark("unchecked", "its signature: name the public key with --public-key")
        return Remark("good", "there is no signature")
    # Only what the ledger knows: else whoever takes a signature away could say that there never was one.
    if public_key is None and not signed and published:
        return Remark("good", "there is no signature: it was published before this study had a key")
    wrong = check_signature(release, MANIFEST, key)
    return Remark("wrong", wrong) if wrong else Remark("good", "the signature is good")


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


UNTOLD = marked("The reason is not published.")
"""Stands for a reason that cannot be searched for identifiers: a release must be able to go while tables are away."""

_KEPT = "withdrawn"


def withdraw(
    release: Path,
    study: Study,
    why: str,
    now: datetime | None = None,
    *,
    identifiers: Iterable[str] = (),
    secrets: Iterable[str] = (),
) -> Withdrawal:
    """Take a release away: first it is written down, in private and beside the release, then the folder goes.

    Nothing is destroyed: it lies in the private folder from then on. The ledger still holds its name, so that the next
    release of the period is the next revision.

    Parameters
    ----------
    release : pathlib.Path
        The release folder, of the newest or of an earlier revision.
    study : Study
    why : str
        It is published.
    now : datetime.datetime, optional
        The present by default.
    identifiers, secrets : iterable of str
        Of all participants, and of the study's database: the reason must not hold one.

    Returns
    -------
    Withdrawal
        The first one, where it was withdrawn before and something took the folder's removal away.

    Raises
    ------
    ReleaseError
        If the folder is no release of this study, or not where or what it was published as, or cannot be moved.
    DisclosureError
        If the ledger is damaged, or the reason holds what must not leave.
    """
    check_written(study, {"why": plain_name(why)}, identifiers, secrets)
    moment = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with study_lock(study, lambda: None):
        facts = _published(release, study)
        named = f"{facts['study']}/{facts['report']}/{facts['period']}"
        period = str(facts["period"]).replace("..", "_to_")
        sha256, private = digest(release / MANIFEST), private_folder(study)
        done = withdrawn(withdrawals_beside(release), sha256)
        if done is None:
            done = Withdrawal(named, int(facts.get("revision", 1)), sha256, moment, plain_name(why))
            # Before the folder goes: whatever dies now, everybody who looks knows that it was withdrawn.
            _write_down(done, release, private)
        _take_away(release, private / _KEPT / str(facts["report"]) / f"{period}.r{done.revision}")
    return done


def _published(release: Path, study: Study) -> dict[str, Any]:
    """Hold a folder to be a published release of this study, which its files need not be any more."""
    facts = read_manifest(release)
    if facts["study"] != study.id:
        msg = f"{release}: is of another study; name its protocol with --study"
        raise ReleaseError(msg)
    if is_waiting(release, study):
        msg = f"{release}: waits for approval and was never published; there is nothing to withdraw"
        raise ReleaseError(msg)
    private = private_folder(study)
    ledger = opened_ledger(private, release.resolve().parent.parent)
    held = in_ledgers(release, facts, private)
    # For what another ledger was begun without nobody can vouch, and yet its readers must be able to lose it.
    name = release_name(str(facts["report"]), str(facts["period"]), int(facts.get("revision", 1)))
    known = held.kind == "good" or name in ledger.given_up
    wrong = misplaced(release, facts)[0] or ("" if known else held.text)
    if wrong:
        msg = f"{release}: {wrong}; it cannot be withdrawn"
        raise ReleaseError(msg)
    return facts


def _write_down(done: Withdrawal, release: Path, private: Path) -> None:
    try:
        append_line(
            done.line(), (private / WITHDRAWALS, private_modes(private)[0]), (beside_withdrawals(release), 0o644)
        )
    except OSError as error:
        msg = f"{release.parent}: cannot be written ({error.strerror or 'unknown reason'}); nothing was withdrawn"
        raise ReleaseError(msg) from None


def _take_away(release: Path, place: Path) -> None:
    """Move a release into the private folder: whole there before it is gone here."""
    make_private(place.parent)
    for_file, for_folder = private_modes(place.parent)
    try:
        if not place.exists():
            with scratch_folder(place.parent, ".making-") as staging:
                # Copied, not moved: the private folder may lie on another file system.
                shutil.copytree(release, staging, symlinks=True, dirs_exist_ok=True)
                for one in (staging, *staging.rglob("*")):
                    if not one.is_symlink():
                        one.chmod(for_folder if one.is_dir() else for_file)
                staging.rename(place)
        with scratch_folder(release.parent, ".making-") as aside:  # what dies here, the next render sweeps away
            release.rename(aside)  # in one step: no reader meets half of it
    except (OSError, shutil.Error) as error:
        why = getattr(error, "strerror", None) or "unknown reason"
        msg = f"{release}: its withdrawal is written down, and it cannot be moved ({why}); withdraw it again"
        raise ReleaseError(msg) from None
