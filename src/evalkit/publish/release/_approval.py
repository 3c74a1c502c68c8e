"""Approvals as they are kept: one line each, in the study's private folder and beside the release, never changed."""

from __future__ import annotations

__all__ = [
    "FILE",
    "Approval",
    "approvals_beside",
    "approvals_of",
    "beside",
    "kept_approvals",
    "wrong_approvals",
]

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evalkit.publish.release._approvers import Approver, approvers_of
from evalkit.publish.release._environment import digest
from evalkit.publish.release._lines import beside_release, kept_lines
from evalkit.publish.release._manifest import MANIFEST
from evalkit.publish.release._sign import check_bytes

FILE = "approvals.jsonl"


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
    key, signature : str
        Name of the approver's key, and his signature; empty where the study has no such keys.
    """

    name: str
    reason: str
    date: str
    release: str
    manifest_sha256: str
    key: str = ""
    signature: str = ""

    def signed_bytes(self) -> bytes:
        """Return what a signature is of: all the rest, under a heading that no manifest begins with."""
        content = {name: value for name, value in asdict(self).items() if name not in {"key", "signature"}}
        # The heading: else a signature of one kind of thing could be shown for one of the other.
        return b"evalkit approval\n" + json.dumps(content, sort_keys=True).encode()

    def line(self) -> str:
        """Return the approval as a line of a file."""
        return json.dumps({n: v for n, v in asdict(self).items() if v}, ensure_ascii=False) + "\n"


def beside(release: Path) -> Path:
    """Return the file of approvals beside a release and its earlier revisions."""
    return beside_release(release, FILE)


def kept_approvals(file: Path) -> list[Approval]:
    """Read a file of approvals, oldest first; it may be absent. `ReleaseError` if a line is none (see `kept_lines`)."""
    return kept_lines(file, Approval, "approval")


def approvals_beside(release: Path) -> list[Approval]:
    """Return the approvals in the file beside a release, those of other revisions too."""
    return kept_approvals(beside(release))


def approvals_of(release: Path) -> list[Approval]:
    """Return the approvals of exactly this release, from the file beside it.

    Parameters
    ----------
    release : pathlib.Path

    Returns
    -------
    list of Approval
        Oldest first; those of other revisions are left out.

    Raises
    ------
    ReleaseError
        If the file is damaged.
    """
    manifest = release / MANIFEST
    if not manifest.is_file():
        return []
    return [approval for approval in approvals_beside(release) if approval.manifest_sha256 == digest(manifest)]


def wrong_approvals(release: Path, manifest: Mapping[str, Any], private: Path | None) -> str:
    """Say what is wrong with the approvals beside a release, in one clause; empty when nothing is.

    Without the study's `private` folder, which holds approvals as they were given and the public keys, signatures are
    not checked.
    """
    there = approvals_of(release)
    named = f"{manifest['study']}/{manifest['report']}/{manifest['period']}"
    if any(approval.release != named for approval in there):
        return f"an approval beside it is of another release than {named}"
    if private is not None:
        sha256 = digest(release / MANIFEST)
        given = [approval for approval in kept_approvals(private / FILE) if approval.manifest_sha256 == sha256]
        gone = [f"the approval by {a.name} of {a.date} was taken away or changed" for a in given if a not in there]
        keys = approvers_of(private)
        wrong = [*gone, *(said for approval in there if (said := _unsigned(approval, keys, given=approval in given)))]
        if wrong:
            return wrong[0]
    if manifest.get("approval") == "required" and not there:
        return f"it has to be approved, and no approval in {beside(release).name} names its manifest"
    return ""


def _unsigned(approval: Approval, keys: Mapping[str, Approver], *, given: bool) -> str:
    """Say why an approval is not that of the person it names; empty when it is."""
    key = keys.get(approval.name)
    if approval.signature:
        if key is None or approval.key != key.key:
            return f"the approval by {approval.name} is signed with a key that the study does not know"
        good = check_bytes(approval.signed_bytes(), approval.signature, key.public)
        return "" if good else f"the signature of the approval by {approval.name} is wrong"
    # Those of before the first key could not be signed; one by the same name that is not signed since is forged.
    if keys and approval.date >= min(one.since for one in keys.values()):
        return f"the approval by {approval.name} is not signed, and approvals of this study are"
    return "" if given else f"the approval by {approval.name} was never given in this study"
