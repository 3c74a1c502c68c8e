"""Keys and signatures: an ed25519 key of the study's own signs the manifest, which holds the digests of everything.

No service and no network: whoever has the public key can tell, years later, whether a release is as it was signed.

Those who approve have keys, too: once a study has one, an approval counts only with the signature of who gives it.
Their public keys lie in the study's private folder, with the name and the day from which an approval by that name has
to be signed; a private key is its owner's and lies wherever he keeps it.
"""

from __future__ import annotations

__all__ = [
    "APPROVER_VARIABLE",
    "KEY_VARIABLE",
    "PUBLIC",
    "SIGNATURE",
    "Approver",
    "approvers_of",
    "check_bytes",
    "check_free",
    "check_signature",
    "key_name",
    "new_approver",
    "new_key",
    "private_key_of",
    "public_name",
    "sign",
    "sign_bytes",
    "signing_key",
]

import base64
import binascii
import contextlib
import fcntl
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.errors import ProtocolError, ReleaseError, UsageError
from evalkit.protocol import Study, load_disclosure, make_private, private_folder, private_modes
from evalkit.spreadsheet import harmless

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNATURE = "manifest.sig"
"""File of a release: the signature of its manifest."""

KEY_VARIABLE = "EVALKIT_SIGNING_KEY"
"""Environment variable that names the file of the private key."""

PUBLIC = "signing-key.pub"
"""File of the study's own public key, in its private folder."""

_KEY = "signing-key.pem"
# Any right of the group or of others: who can read the key signs in the study's name.
_SHARED = 0o077


def new_key(private: Path, public: Path) -> str:
    """Make a key pair.

    Parameters
    ----------
    private : pathlib.Path
        The file of the private key, mode 0600.
    public : pathlib.Path
        The file of the public key, for those who check releases.

    Returns
    -------
    str
        The key's name: sixteen digits of the public key's digest.

    Raises
    ------
    ReleaseError
        If one of the files is there already, or cannot be written.
    """
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    shown = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    check_free(private, public)  # both before either is written: half a pair is of no use
    _write(private, secret, 0o600)
    _write(public, shown, 0o644)
    return _name(key.public_key())


def check_free(*files: Path) -> None:
    """Refuse to write where a key, or what belongs to one, is there already; the `ReleaseError` names it."""
    for file in files:
        if file.exists():
            msg = f"{file}: is there already; a key is never overwritten"
            raise ReleaseError(msg)


def _write(file: Path, content: bytes, mode: int) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # never over a key that another process made meanwhile; and the mode, whatever the user's file mask is
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, mode)
            stream.write(content)
    except OSError as error:
        msg = f"{file}: cannot be written ({error.strerror})"
        raise ReleaseError(msg) from None


def signing_key(study: Study) -> Path | None:
    """Return the private key that signs a study's releases: ``EVALKIT_SIGNING_KEY``, else its own; None: not signed.

    `ProtocolError` if the variable names no file.
    """
    named = os.environ.get(KEY_VARIABLE)
    if named:
        if not Path(named).is_file():
            msg = f"{KEY_VARIABLE}: {named} is no file"
            raise ProtocolError(msg)
        return Path(named)
    own = private_folder(study) / _KEY
    return own if own.is_file() else None


def sign(manifest: Path, key_file: Path, file: Path) -> Path:
    """Sign a manifest, and return the signature's file: the key's name and the signature in base 64.

    The same manifest and key give the same bytes. `ProtocolError` if others than its user can read the private key, or
    it is no ed25519 key without a passphrase.
    """
    name, signed = sign_bytes(manifest.read_bytes(), key_file)
    file.write_text(f"ed25519 {name} {signed}\n", encoding="ascii")
    return file


def sign_bytes(content: bytes, key_file: Path) -> tuple[str, str]:
    """Sign anything: return the key's name, and the signature in base 64."""
    key = _private(key_file)
    return _name(key.public_key()), base64.b64encode(key.sign(content)).decode()


def key_name(key_file: Path) -> str:
    """Return the name of a private key, as a signature names it."""
    return _name(_private(key_file).public_key())


def public_name(public_file: Path) -> str:
    """Return the name of a public key, as a signature names it."""
    return _name(_public(public_file))


def check_signature(release: Path, manifest: str, public_file: Path) -> str:
    """Hold a release's signature to a public key: empty when it is good, else what is wrong with it, in one clause.

    `ProtocolError` if the public key cannot be read.
    """
    # First: a key that cannot be read is not a wrong signature.
    ours = public_name(public_file)
    file = release / SIGNATURE
    if not file.is_file():
        return "there is no signature"
    words = file.read_text(encoding="ascii", errors="replace").split()
    if len(words) != 3 or words[0] != "ed25519" or not _decoded(words[2]):
        return f"{SIGNATURE} is damaged"
    if words[1] != ours:
        return f"it is signed with another key ({words[1]}, not {ours})"
    if not check_bytes((release / manifest).read_bytes(), words[2], public_file):
        return "the signature is wrong: the manifest is not what was signed"
    return ""


def check_bytes(content: bytes, signature: str, public_file: Path) -> bool:
    """Say whether a signature (in base 64) is of this content and by this key."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        _public(public_file).verify(_decoded(signature), content)
    except InvalidSignature:
        return False
    return True


def _decoded(signature: str) -> bytes:
    with contextlib.suppress(binascii.Error, ValueError):
        return base64.b64decode(signature, validate=True)
    return b""


def _private(file: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        if file.stat().st_mode & _SHARED:
            msg = f"{file}: others can read this key; chmod 600 it, or make a new one with 'evalkit key new'"
            raise ProtocolError(msg)
        # without a passphrase: at night nobody is there to type it
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{file}: is no ed25519 private key without a passphrase; 'evalkit key new' makes one"
        raise ProtocolError(msg)
    return key


def _public(file: Path) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        msg = f"{file}: is no ed25519 public key"
        raise ProtocolError(msg)
    return key


def _name(key: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    # enough to tell a study's few keys apart; what proves anything is the signature
    return hashlib.sha256(raw).hexdigest()[:16]


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
