"""What a study's own private folder says of a release: published as it lies there, signed with its key, approved."""

from __future__ import annotations

__all__ = ["Remark", "in_ledgers", "own_remarks"]

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evalkit.errors import EvalkitError
from evalkit.publish.release._approval import approvals_of, beside, wrong_approvals
from evalkit.publish.release._environment import digest
from evalkit.publish.release._held import release_name
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._manifest import MANIFEST
from evalkit.publish.release._sign import PUBLIC, SIGNATURE, check_signature
from evalkit.publish.release._waiting import ABOUT, about
from evalkit.publish.release._withdrawal import WITHDRAWALS, kept_withdrawals, withdrawals_beside, withdrawn


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
