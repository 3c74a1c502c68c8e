"""Keys of those who approve: once a study has one, an approval counts only with the signature of who gives it.

The public keys lie in the study's private folder, with the name and the day from which an approval by that name has to
be signed; a private key is its owner's and lies wherever he keeps it.
"""

from __future__ import annotations

__all__ = ["APPROVER_VARIABLE", "Approver", "approvers_of", "new_approver", "private_key_of"]

import fcntl
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from evalkit.errors import ProtocolError, ReleaseError, UsageError
from evalkit.protocol import Study, load_disclosure, make_private, private_folder, private_modes
from evalkit.publish.release._sign import check_free, key_name, new_key, public_name
from evalkit.spreadsheet import harmless

APPROVER_VARIABLE = "EVALKIT_APPROVER_KEY"
"""Environment variable that names the file of an approver's private key."""

_FOLDER = "approvers"
# A record before its key is whole. Its place is taken by the record.
_MAKING = ".making"


@dataclass(frozen=True, slots=True)
class Approver:
    """Somebody who approves with a key."""

    name: str
    key: str  # the key's name
    since: str  # when it was made, in UTC: approvals given before it are not signed
    public: Path


def plain_name(name: str) -> str:
    """Return a person's name on one line, as approvals hold it."""
    return " ".join(harmless(name).split())


def _files(private: Path, name: str) -> tuple[Path, Path, Path]:
    """Return where an approver's record, public and private key lie: a name may hold what no file's name can."""
    stem = private / _FOLDER / hashlib.sha256(name.encode()).hexdigest()[:16]
    return stem.with_suffix(".json"), stem.with_suffix(".pub"), stem.with_suffix(".pem")


def approvers_of(private: Path) -> dict[str, Approver]:
    """Return who approves with a key, by name; empty where the study has no such keys.

    `ProtocolError` if a record or a public key is damaged, gone, or of somebody else.
    """
    found = {}
    folder = private / _FOLDER
    # Also by a public key alone: else an approval by that name would need no signature once its record is gone.
    for file in sorted({f.with_suffix(".json") for f in folder.glob("*.*") if f.suffix in {".json", ".pub"}}):
        if file.with_suffix(_MAKING).exists() and not file.exists():  # it is being made, or was until a kill
            continue
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            one = Approver(str(told["name"]), str(told["key"]), str(told["since"]), file.with_suffix(".pub"))
            sound = _files(private, one.name)[0] == file and public_name(one.public) == one.key
        except (OSError, ValueError, KeyError, TypeError, ProtocolError):
            sound = False
        if not sound:
            msg = (
                f"{file}: does not belong to the public key beside it, or one of the two is damaged; put both back "
                f"from a backup of {folder}"
            )
            raise ProtocolError(msg)
        found[one.name] = one
    return found


def new_approver(study: Study, name: str, out: Path | None, now: datetime | None = None) -> tuple[Approver, Path]:
    """Make the key of somebody who approves.

    Parameters
    ----------
    study : Study
    name : str
    out : pathlib.Path or None
        Where the private key goes; beside the public one in the study's private folder when not given.
    now : datetime.datetime, optional
        The present by default.

    Returns
    -------
    tuple of (Approver, pathlib.Path)
        And the file of the private key.

    Raises
    ------
    UsageError
        If the name is empty, or not among those who may approve.
    ReleaseError
        If there is such a key, or the folder cannot be written.
    """
    who = plain_name(name)
    allowed = load_disclosure(study).approvers
    if not who or (allowed and who not in allowed):
        msg = f"--approver {who or 'NAME'}: is not among the approvers of {study.disclosure}"
        raise UsageError(msg)
    private = private_folder(study)
    record, public, own = _files(private, who)
    if record.exists():
        msg = f"{record}: {who} has a key already; a key is never overwritten"
        raise ReleaseError(msg)
    making = record.with_suffix(_MAKING)
    if not making.exists():
        check_free(public, own)
    try:
        make_private(record.parent)
        with making.open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            try:
                check_free(record)
                # They were not there before `making` was: a try that was killed left them, and nobody signed with them.
                public.unlink(missing_ok=True)
                own.unlink(missing_ok=True)
                key = new_key(out or own, public)
            except ReleaseError:
                making.unlink(missing_ok=True)
                raise
            since = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            os.fchmod(stream.fileno(), private_modes(record.parent)[0])
            stream.truncate(0)
            stream.write(json.dumps({"name": who, "key": key, "since": since}, sort_keys=True).encode())
            stream.flush()
            os.fsync(stream.fileno())
            # Last, and in one step: the record is what makes the approvals of this name need a signature.
            making.replace(record)
    except OSError as error:
        msg = f"{record.parent}: cannot be written ({error.strerror})"
        raise ReleaseError(msg) from None
    return Approver(who, key, since, public), out or own


def private_key_of(study: Study, name: str, file: Path | None) -> Path | None:
    """Return the private key with which somebody approves; None where the study has no such keys.

    `file` was named on the command line; else ``EVALKIT_APPROVER_KEY`` or the private folder is looked at. `UsageError`
    if others approve with a key, and this one has none, or its file is not there or of somebody else.
    """
    private = private_folder(study)
    known = approvers_of(private)
    if not known:
        return None
    if name not in known:
        msg = (
            f"--name {name}: has no key yet, and approvals of this study are signed; "
            f"evalkit key new --approver '{name}' makes one"
        )
        raise UsageError(msg)
    named = os.environ.get(APPROVER_VARIABLE)
    found = file or (Path(named) if named else _files(private, name)[2])
    if not found.is_file():
        msg = f"{found}: the private key of {name} is not there; name it with --key or {APPROVER_VARIABLE}"
        raise UsageError(msg)
    if key_name(found) != known[name].key:
        msg = f"{found}: is not the key of {name}; everybody approves with his own"
        raise UsageError(msg)
    return found
