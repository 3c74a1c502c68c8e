"""Approvals and withdrawals as they are kept: one line each, in the study's private folder and beside the release.

Lines are only added, never changed; what is damaged is refused. They are published: what people write in them holds
nobody's identifier, no secret and no folder.
"""

from __future__ import annotations

__all__ = [
    "FILE",
    "WITHDRAWALS",
    "Approval",
    "Withdrawal",
    "append_line",
    "approvals_beside",
    "approvals_of",
    "beside",
    "beside_release",
    "beside_withdrawals",
    "check_written",
    "kept_approvals",
    "kept_lines",
    "kept_withdrawals",
    "withdrawals_beside",
    "withdrawn",
    "wrong_approvals",
]

import contextlib
import errno
import fcntl
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from evalkit.errors import DisclosureError, ReleaseError
from evalkit.protocol import Study, private_folder
from evalkit.publish.audit import guard_for
from evalkit.publish.release._ingredients import digest
from evalkit.publish.release._keys import Approver, approvers_of, check_bytes
from evalkit.publish.release._manifest import MANIFEST

_REVISION = re.compile(r"\.r[1-9]\d*$")
_Line = TypeVar("_Line")


def beside_release(release: Path, file: str) -> Path:
    """Return a file, as ``approvals.jsonl``, beside a release and its other revisions."""
    return release.with_name(f"{_REVISION.sub('', release.name)}.{file}")


def kept_lines(file: Path, kind: Callable[..., _Line], what: str, whole: tuple[str, ...] = ()) -> list[_Line]:
    """Read a file of lines, oldest first; it may be absent.

    `kind` is a dataclass of texts, and of whole numbers in the fields `whole`; `what` is how people call one.
    `ReleaseError` if a line is none, or there is no line: what is damaged is not absent.
    """
    if not file.exists() and not file.is_symlink():
        return []
    try:
        text = "" if file.is_symlink() else file.read_bytes().decode("utf-8").removesuffix("\n")
        lines = text.split("\n") if text else []  # at no other sign: a reason may hold one that ends lines elsewhere
    except (OSError, ValueError):
        lines = []
    found: list[_Line] = []
    for number, line in enumerate(lines, start=1):
        one = _parsed(line, kind, whole)
        if one is None:
            msg = f"{file}: line {number} is no {what}; put the file back from a backup"
            raise ReleaseError(msg)
        found.append(one)
    if not found:
        msg = f"{file}: holds no {what}; put the file back from a backup"
        raise ReleaseError(msg)
    return found


def _parsed(line: str, kind: Callable[..., _Line], whole: tuple[str, ...]) -> _Line | None:
    names: Any = kind
    kinds = {field.name: int if field.name in whole else str for field in fields(names)}
    try:
        told = json.loads(line)
        # By type, not by isinstance: `true` is no whole number.
        sound = isinstance(told, dict) and all(n in kinds and type(v) is kinds[n] for n, v in told.items())
        return kind(**told) if sound else None
    except (ValueError, TypeError, RecursionError):
        return None


def append_line(line: str, *places: tuple[Path, int]) -> None:
    """Add a line to files that are never written over: to all of them, or to none.

    Parameters
    ----------
    line : str
    *places : tuple of (pathlib.Path, int)
        Each file, and the mode of a new one, whatever the user's own file mask is.

    Raises
    ------
    OSError
        If one cannot be written whole, or is a link; what there was room for is taken back.
    """
    with contextlib.ExitStack() as undo:
        for file, mode in places:
            before = _append(file, line.encode("utf-8"), mode)
            undo.callback(_take_back, file, before)
        undo.pop_all()


def _append(file: Path, content: bytes, mode: int) -> int:
    """Add to a file and return how long it was."""
    # No link is followed: one that was put there would lead the line into another file.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, mode)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        before = os.fstat(descriptor).st_size
        try:
            if not before:
                os.fchmod(descriptor, mode)
            broken = before and not file.read_bytes().endswith(b"\n")  # the machine died; nothing is joined to that
            _write(descriptor, b"\n" + content if broken else content)
        except OSError:
            _take_back(file, before)
            raise
    finally:
        os.close(descriptor)
    return before


def _write(descriptor: int, content: bytes) -> None:
    """Write all of it: a full disk takes a part, and says nothing."""
    if os.write(descriptor, content) < len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(descriptor)


def _take_back(file: Path, before: int) -> None:
    """Leave a file as it was: half a line, or a file without any, would be damage to whoever reads it next."""
    with contextlib.suppress(OSError):
        if before:
            os.truncate(file, before)
        else:
            file.unlink()


def check_written(study: Study, texts: Mapping[str, str], identifiers: Iterable[str], secrets: Iterable[str]) -> None:
    """Hold texts that are published beside a release to what a report's own are held to.

    `texts` maps how each was given, as ``--reason``, to the text. `DisclosureError` names that, never what it holds.
    """
    protocol = study.path.read_text(encoding="utf-8", errors="replace")
    paths = [str(study.folder), str(private_folder(study))]
    guard = guard_for(
        "", identifiers=identifiers, secrets=secrets, paths=paths, protocol=protocol, authored="", days=()
    )
    for name, text in texts.items():
        # A day that somebody wrote here himself may stand, as one in a notebook's prose may.
        if reason := guard.objection([text], dated=False):
            msg = f"{name}: {reason}; it is published, so say it without"
            raise DisclosureError(msg)


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


WITHDRAWALS = "withdrawals.jsonl"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One withdrawal.

    Attributes
    ----------
    release : str
        Study, report and period of what was withdrawn.
    revision : int
    manifest_sha256 : str
        Digest of its manifest.
    date : str
        When, in UTC.
    reason : str
        Why. It is published.
    """

    release: str
    revision: int
    manifest_sha256: str
    date: str
    reason: str

    def line(self) -> str:
        """Return the withdrawal as a line of a file."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


def beside_withdrawals(release: Path) -> Path:
    """Return the file of withdrawals beside a release and its other revisions."""
    return beside_release(release, WITHDRAWALS)


def withdrawals_beside(release: Path) -> list[Withdrawal]:
    """Read the withdrawals beside a period's releases, oldest first; `ReleaseError` if a line is none."""
    return kept_withdrawals(beside_withdrawals(release))


def withdrawn(among: list[Withdrawal], manifest_sha256: str) -> Withdrawal | None:
    """Return the withdrawal of the release with that manifest; None where it was not withdrawn."""
    # By digest: a copy that was sent elsewhere is known, too, and another release at the place is not.
    return next((one for one in among if one.manifest_sha256 == manifest_sha256), None)


def kept_withdrawals(file: Path) -> list[Withdrawal]:
    """Read a file of withdrawals, oldest first; it may be absent. `ReleaseError` if a line is none."""
    return kept_lines(file, Withdrawal, "withdrawal", ("revision",))
