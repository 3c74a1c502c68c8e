"""The private folder of a study, what belongs to it and is never published; and the secret that lies in it.

From the secret follows the noise of published counts, and the manifest's digests are keyed by it. A digest of something
small is the thing itself: whoever knows one participant tries all days and reasons until the digest is the same. With a
key that never leaves the private folder nobody can try, and who has the key can still tell whether the tables are those
that a release was made from. The same holds of noise: who knows the key takes it off.
"""

from __future__ import annotations

__all__ = [
    "KEY_BYTES",
    "PRIVATE_VARIABLE",
    "Secret",
    "find_private_folder",
    "find_secret",
    "make_private",
    "noise_secret",
    "others_may",
    "private_folder",
    "private_modes",
    "read_key",
    "study_secret",
    "write_private",
]

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from evalkit.errors import DisclosureError, ProtocolError
from evalkit.protocol._study import Study

PRIVATE_VARIABLE = "EVALKIT_PRIVATE"
"""Environment variable that names the folder in which private folders of studies lie."""

KEY_BYTES = 32
"""Of a private key: as many as the digests that it keys, so that nobody tries them all."""

_FOLDER = ".evalkit"
_GROUP, _OTHERS = 0o070, 0o007


def _named(study: Study) -> Path | None:
    """Return the folder that somebody named for this study, the environment before the protocol."""
    variable = os.environ.get(PRIVATE_VARIABLE)
    if not variable and not study.private:
        return None
    base = Path(variable).expanduser() if variable else study.folder / Path(study.private or "").expanduser()
    return base.absolute() / study.id  # a folder for each study: one variable serves all studies of a server


def _places(study: Study) -> list[Path]:
    beside = study.folder / _FOLDER / study.id
    if os.environ.get("EVALKIT_HOMELESS"):  # a home that ends with the process is no place for a ledger
        return [beside]
    # Two protocols of one short name share no folder in a home.
    elsewhere = hashlib.sha256(str(study.path).encode()).hexdigest()[:12]
    return [beside, Path(platformdirs.user_data_dir("evalkit")) / f"{study.id}-{elsewhere}"]


def private_folder(study: Study) -> Path:
    """Return the folder of a study that only its users can open, made when it is not there.

    It is the study's folder in the one that the environment variable ``EVALKIT_PRIVATE`` or the protocol's ``private``
    names; else ``.evalkit/<study id>/`` beside the protocol, or below the user's data folder where the protocol's own
    folder cannot be written.

    Parameters
    ----------
    study : Study
        As read from its file.

    Returns
    -------
    pathlib.Path
        A folder with mode 0700, or one that a group shares where the named folder is the group's (mode 2770); put
        files into it with `write_private`.

    Raises
    ------
    ProtocolError
        If it cannot be written, or others than its users can open it.
    """
    named = _named(study)
    if named is not None:
        return _shared(named)
    places = _places(study)
    beside = places[0]
    for place in places:
        try:
            if place == beside and not os.access(study.folder, os.W_OK) and not place.is_dir():
                continue
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            # `mkdir` gives its mode to the last folder alone, and to none that was there.
            for folder in (place, place.parent) if place == beside else (place,):
                folder.chmod(0o700)
        except OSError:
            continue
        if os.access(place, os.W_OK | os.X_OK):
            return place
    neither = f", and {places[1]} neither" if len(places) > 1 else ", and there is no home to use in its place"
    msg = f"{beside}: cannot be written{neither}; evalkit keeps the study's private files there"
    raise ProtocolError(msg)


def find_private_folder(study: Study) -> Path | None:
    """Return the private folder of a study where there is one already; nothing is made or changed.

    Parameters
    ----------
    study : Study

    Returns
    -------
    pathlib.Path or None
    """
    named = _named(study)
    places = [named] if named is not None else _places(study)
    return next((place for place in places if os.access(place, os.R_OK | os.X_OK)), None)


def _shared(place: Path) -> Path:
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        open_to_all = place.parent.stat().st_mode & 0o002
        if not place.is_dir() and not open_to_all:
            place.mkdir()
            _as_its_parent(place)
        mode = 0 if open_to_all else place.stat().st_mode
    except OSError as error:
        msg = f"{place}: cannot be made ({error.strerror}); {PRIVATE_VARIABLE} or the protocol's 'private' names it"
        raise ProtocolError(msg) from None
    if open_to_all:  # whatever lies there can be put away, and something else in its place
        msg = f"{place.parent}: everybody on this machine can write in it; chmod o-w it, or name another folder"
        raise ProtocolError(msg)
    if mode & _OTHERS:
        msg = f"{place}: everybody on this machine can open it; chmod o-rwx it"
        raise ProtocolError(msg)
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        msg = f"{place}: cannot be written by this user; add him to its group, and chmod g+rwxs it"
        raise ProtocolError(msg)
    return place


def private_modes(folder: Path) -> tuple[int, int]:
    """Return the modes of files and of folders below a private folder.

    Parameters
    ----------
    folder : pathlib.Path
        The private folder, or one in it.

    Returns
    -------
    tuple of (int, int)
        0600 and 0700; 0660 and 2770 where its group may write it, because then several users share it.
    """
    shared = folder.stat().st_mode & _GROUP == _GROUP
    return (0o660, 0o2770) if shared else (0o600, 0o700)


def _as_its_parent(folder: Path) -> None:
    """Give a folder that was just made the group and the mode that private folders have there."""
    with contextlib.suppress(OSError):  # not ours to give away: then it is of the user's own group
        os.chown(folder, -1, folder.parent.stat().st_gid)
    folder.chmod(private_modes(folder.parent)[1])


def make_private(folder: Path) -> Path:
    """Make a folder below a private one, and those between.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    pathlib.Path
        ``folder``.
    """
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _as_its_parent(folder)
    return folder


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only the study's users can read, whole or not at all.

    Parameters
    ----------
    file : pathlib.Path
        In a private folder.
    content : bytes
    """
    # Beside the file: only on one file system is putting it in place one step.
    descriptor, name = tempfile.mkstemp(prefix=".writing-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, private_modes(file.parent)[0])
            stream.write(content)
            stream.flush()
            # A power loss can keep the name and lose the content; a key that was cut off took all protection away.
            os.fsync(stream.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync(file.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def others_may(file: Path) -> bool:
    """Say whether others than the study's users can read or write a file."""
    return bool(file.stat().st_mode & _OTHERS)


def read_key(file: Path, what: str, back: str) -> bytes:
    """Read a private key.

    Parameters
    ----------
    file : pathlib.Path
    what : str
        What it is, for messages: ``the key of the ledger``.
    back : str
        What to do where it is not what it was.

    Returns
    -------
    bytes
        32 of them.

    Raises
    ------
    DisclosureError
        If it is gone, is no key, or others can read it.
    """
    try:
        key = file.read_bytes()
        open_to_others = others_may(file)
    except FileNotFoundError:
        msg = f"{file}: {what} is gone; {back}"
        raise DisclosureError(msg) from None
    except OSError as error:
        msg = f"{file}: {what} cannot be read ({error.strerror})"
        raise DisclosureError(msg) from None
    if open_to_others:
        msg = f"{file}: everybody on this machine can read {what}; chmod o-rwx it"
        raise DisclosureError(msg)
    if len(key) != KEY_BYTES or not any(key):  # a file that lost its content is often one of zeros
        msg = f"{file}: {what} is damaged; {back}"
        raise DisclosureError(msg)
    return key


_SECRET, _SECRET_ID = "secret", "secret.id"


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
    if not (private / _SECRET).exists() and not ((private / _SECRET_ID).exists() and (private / "ledger").exists()):
        made = Secret.fresh()
        write_private(private / _SECRET_ID, f"{made.id}\n".encode())
        write_private(private / _SECRET, made.key)
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
    if private is None or not ((private / _SECRET).exists() or (private / _SECRET_ID).exists()):
        return None
    return _read(private)


def _read(private: Path) -> Secret:
    """Read the secret and hold it to its name, which is kept in another file: a damaged key looks like any other."""
    file, named = private / _SECRET, private / _SECRET_ID
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
        msg = f"{file}: is not the study's secret, or {_SECRET_ID} beside it is damaged; {back}"
        raise DisclosureError(msg)
    return secret
