"""The study's secret: the noise of published counts follows from it, and the manifest's digests are keyed by it.

A digest of something small is the thing itself: whoever knows one participant tries all days and reasons until the
digest is the same. With a key that never leaves the private folder nobody can try, and who has the key can still tell
whether the tables are those that a release was made from. The same holds of noise: who knows the key takes it off.
"""

from __future__ import annotations

__all__ = ["Secret", "find_secret", "noise_secret", "study_secret"]

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from evalkit.errors import DisclosureError
from evalkit.protocol._private import KEY_BYTES, find_private_folder, private_folder, read_key, write_private
from evalkit.protocol._study import Study

_FILE, _NAME = "secret", "secret.id"


@dataclass(frozen=True, slots=True)
class Secret:
    """A study's secret.

    Attributes
    ----------
    key : bytes
        32 random ones.
    """

    key: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> Secret:
        """Return a new secret that is kept nowhere."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @property
    def id(self) -> str:
        """Sixteen digits that name the secret and tell nothing of it."""
        return self.keyed("evalkit secret")[:16]

    def keyed(self, *parts: str) -> str:
        """Return the keyed digest (HMAC-SHA-256) of some texts.

        Parameters
        ----------
        *parts : str
            What it is of, for which release, and the value: the same rows have another digest in each release, or
            else two equal ones would say that nothing happened between two quarters.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        # As a list, not joined: "ab", "c" and "a", "bc" are not the same question.
        return hmac.new(self.key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()


def study_secret(study: Study) -> Secret:
    """Return a study's secret, made when there is none.

    Parameters
    ----------
    study : Study

    Returns
    -------
    Secret

    Raises
    ------
    DisclosureError
        If it is damaged, or gone while its name is still there.
    """
    private = private_folder(study)
    # A render that died between the two writes left the name alone; before the first ledger nothing was made with it.
    if not (private / _FILE).exists() and not ((private / _NAME).exists() and (private / "ledger").exists()):
        made = Secret.fresh()
        write_private(private / _NAME, f"{made.id}\n".encode())
        write_private(private / _FILE, made.key)
    return _read(private)


def noise_secret(study: Study, *, synthetic: bool) -> bytes:
    """Return what the noise of a study's published counts follows from, made when there is none.

    Parameters
    ----------
    study : Study
    synthetic : bool
        Whether all people in the tables are made up: then the protocol says it all, so that the same numbers come out
        on every machine. Nobody is there to be protected, and each page says so.

    Returns
    -------
    bytes
        32 of them.

    Raises
    ------
    DisclosureError
        See `study_secret`.
    """
    if synthetic:
        return hashlib.sha256(f"evalkit: nobody real, {study.id}, {study.seed}".encode()).digest()
    return bytes.fromhex(study_secret(study).keyed("noise"))


def find_secret(study: Study) -> Secret | None:
    """Return a study's secret where there is one; nothing is made.

    Parameters
    ----------
    study : Study

    Returns
    -------
    Secret or None

    Raises
    ------
    DisclosureError
        See `study_secret`.
    """
    private = find_private_folder(study)
    if private is None or not ((private / _FILE).exists() or (private / _NAME).exists()):
        return None
    return _read(private)


def _read(private: Path) -> Secret:
    """Read the secret and hold it to its name, which is kept in another file: a damaged key looks like any other."""
    file, named = private / _FILE, private / _NAME
    back = f"put it back from any backup of {private}: it never changes"
    secret = Secret(read_key(file, "the study's secret", back))
    try:
        name = named.read_bytes().decode("ascii", errors="replace").strip()
    except FileNotFoundError:
        msg = f"{named}: the name of the study's secret is gone; {back}"
        raise DisclosureError(msg) from None
    except OSError as error:
        msg = f"{named}: the name of the study's secret cannot be read ({error.strerror})"
        raise DisclosureError(msg) from None
    if secret.id != name:
        msg = f"{file}: is not the study's secret, or {_NAME} beside it is damaged; {back}"
        raise DisclosureError(msg)
    return secret
