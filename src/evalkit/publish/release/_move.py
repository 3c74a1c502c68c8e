"""The private folder on another machine, and a ledger for releases whose own one is gone."""

from __future__ import annotations

__all__ = ["adopt_releases", "export_private", "import_private"]

import contextlib
import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from evalkit.errors import DisclosureError, EvalkitError, ReleaseError, UsageError
from evalkit.protocol import Study, find_secret, make_private, study_secret, write_private
from evalkit.publish.release._ingredients import digest
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._manifest import MANIFEST, damaged, strangers
from evalkit.publish.release._place import broken_chain, misplaced
from evalkit.publish.release._release import study_lock
from evalkit.publish.release._standing import held_releases, opened_ledger, published_in, release_name

_LIST = "evalkit-private.json"
_LEFT = ("drafts", "render.lock", "logs", "same")  # of this machine, or made anew


def export_private(study: Study, file: Path) -> int:
    """Write a study's private folder into one file, whole and checked.

    Parameters
    ----------
    study : Study
    file : pathlib.Path
        Must not be there; only its owner can read it.

    Returns
    -------
    int
        How many files are in it.

    Raises
    ------
    UsageError
        If the study has no secret yet.
    ReleaseError
        If the file is there, or cannot be written.
    DisclosureError
        If secret or ledger are damaged.
    """
    with study_lock(study, lambda: None) as private:
        if find_secret(study) is None:
            msg = f"{private}: holds no secret; there is nothing to export"
            raise UsageError(msg)
        _check_ledgers(private)
        names = [f.relative_to(private) for f in sorted(private.rglob("*")) if f.is_file() and not f.is_symlink()]
        content = {name.as_posix(): (private / name).read_bytes() for name in names if name.parts[0] not in _LEFT}
        told = {"study": study.id, "files": {n: hashlib.sha256(c).hexdigest() for n, c in content.items()}}
        _write_new(file, {_LIST: json.dumps(told, sort_keys=True).encode(), **content})
        return len(content)


def _write_new(file: Path, content: Mapping[str, bytes]) -> None:
    """Write an archive where nothing lies: whole, or not at all."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            # The secret is in it.
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    begun = False
    try:
        # Never over a file that is there, nor through a link: it may be the only backup.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        begun = True
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(made.getbuffer())
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        if begun:
            file.unlink(missing_ok=True)
        msg = f"{file}: cannot be written ({error.strerror}); nothing was exported"
        raise ReleaseError(msg) from None


def import_private(study: Study, file: Path) -> int:
    """Put an exported private folder where this study has its own, if there is none.

    Parameters
    ----------
    study : Study
    file : pathlib.Path
        From `export_private`.

    Returns
    -------
    int
        How many files were put there.

    Raises
    ------
    ReleaseError
        If the file is not what was exported, or of another study.
    DisclosureError
        If there is a private folder in use, with another secret or other entries in its ledger.
    """
    content = _exported(study, file)
    with study_lock(study, lambda: None) as private:
        for name, data in content.items():
            there = private / name
            if there.exists() and there.read_bytes() != data:
                msg = f"{there}: is there already, and another one; an export is only put where nothing was published"
                raise DisclosureError(msg)
        new = {private / name: data for name, data in content.items() if not (private / name).exists()}
        with _or_nothing(new, private, "imported"):
            for path, data in new.items():
                make_private(path.parent)
                write_private(path, data)
        _check_ledgers(private)
    return len(content)


@contextlib.contextmanager
def _or_nothing(new: Iterable[Path], private: Path, done: str) -> Iterator[None]:
    """Take away again what was written where not all of it could be: half a ledger is a damaged one."""
    try:
        yield
    except OSError as error:
        folders = {folder for file in new for folder in file.parents if private in folder.parents}
        for file in new:
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
        for folder in sorted(folders, reverse=True):  # the inner ones first
            with contextlib.suppress(OSError):
                folder.rmdir()  # unless somebody's file lies in it
        msg = f"{private}: cannot be written ({error.strerror or 'unknown reason'}); nothing was {done}"
        raise ReleaseError(msg) from None


def _exported(study: Study, file: Path) -> dict[str, bytes]:
    try:
        # Uncompressed only: a small archive cannot stand for more than the memory holds.
        with tarfile.open(file, mode="r:") as archive:
            read = {entry.name: _bytes(archive, entry) for entry in archive.getmembers()}
        told: dict[str, Any] = json.loads(read.pop(_LIST))
        whole = {name: hashlib.sha256(data).hexdigest() for name, data in read.items()} == told["files"]
        theirs = str(told["study"])
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError):
        whole, theirs, read = False, study.id, {}
    if not whole:
        msg = f"{file}: is not what 'evalkit ledger export' wrote, or was damaged since; nothing was imported"
        raise ReleaseError(msg)
    if theirs != study.id:
        msg = f"{file}: is of study '{theirs}', not '{study.id}'; nothing was imported"
        raise ReleaseError(msg)
    return read


def _bytes(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    """Read a file that lies inside the folder, whatever the archive says."""
    name, content = PurePosixPath(entry.name), archive.extractfile(entry)
    if not entry.isreg() or content is None or name.is_absolute() or ".." in name.parts or "\\" in entry.name:
        msg = "no file of a private folder"
        raise ValueError(msg)
    return content.read()


def _check_ledgers(private: Path) -> None:
    for folder in sorted((private / "ledger").glob("*")):
        if folder.is_dir():
            Ledger(folder, folder).check()


def adopt_releases(study: Study, out: Path, why: str) -> list[str]:
    """Begin a ledger that holds the releases that lie there, where their own one is gone or damaged.

    Parameters
    ----------
    study : Study
        With the secret that the releases were made with.
    out : pathlib.Path
        The reports folder.
    why : str
        Why the old one is not there.

    Returns
    -------
    list of str
        Releases in the new ledger, in the order in which they were published.

    Raises
    ------
    UsageError
        If there is no release, or the ledger is whole.
    ReleaseError
        If a release is not what was published.
    DisclosureError
        If they were made with another secret.
    """
    releases = out.resolve() / study.id
    with study_lock(study, lambda: None) as private:
        published = list(published_in(releases))
        if not published:
            msg = f"{releases}: no release lies there; nothing to adopt"
            raise UsageError(msg)
        if _is_whole(private, releases):
            msg = f"{releases}: its ledger is whole and holds every release there; nothing to adopt"
            raise UsageError(msg)
        secret = find_secret(study)
        for place, manifest in published:
            _refuse_changed(place, manifest, "" if secret is None else secret.id)
        study_secret(study)
        # As each was published it named those before it.
        published.sort(
            key=lambda each: (len(each[1].get("ledger", ())), each[1]["period"], int(each[1].get("revision", 1)))
        )
        names = [release_name(m["report"], m["period"], int(m.get("revision", 1))) for _, m in published]
        ledger = Ledger.another(private, releases, why, held_releases(published) - set(names))
        with _new_ledger(ledger, private):
            for name, (place, _) in zip(names, published, strict=True):
                with ledger.adding(name, digest(place / MANIFEST)):
                    pass
        return names


@contextlib.contextmanager
def _new_ledger(ledger: Ledger, private: Path) -> Iterator[None]:
    """Leave no ledger that holds only some of the releases, and the word for the old one as it was."""
    word = ledger.mark.read_bytes() if ledger.mark.is_file() else None
    try:
        with _or_nothing((), private, "adopted"):
            yield
    except ReleaseError:
        shutil.rmtree(ledger.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            ledger.mark.unlink(missing_ok=True) if word is None else ledger.mark.write_bytes(word)
        raise


def _is_whole(private: Path, releases: Path) -> bool:
    try:
        return bool(opened_ledger(private, releases).names)
    except EvalkitError:
        return False


def _refuse_changed(place: Path, manifest: dict[str, Any], secret: str) -> None:
    wrong = [*damaged(place, manifest), *strangers(place, manifest)]
    said = f"{', '.join(wrong)} is not what was published" if wrong else ""
    said = said or misplaced(place, manifest)[0] or broken_chain(place, manifest)[0]
    if said:
        msg = f"{place}: {said}; nothing was adopted"
        raise ReleaseError(msg)
    if manifest.get("secret", secret) != secret:
        msg = (
            f"{place}: was made with the secret {manifest['secret']}, which is not here; bring it back "
            "('evalkit ledger import'), or render into another --out with --new-ledger 'why'"
        )
        raise DisclosureError(msg)
