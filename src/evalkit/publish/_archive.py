"""A release as one file for Zenodo, OSF or a records office: the same release gives the same bytes."""

from __future__ import annotations

__all__ = ["archive", "archive_name"]

import zipfile
from pathlib import Path

from evalkit.errors import ReleaseError, VerificationError
from evalkit.protocol import Study
from evalkit.publish._verify import checked
from evalkit.publish.release._keys import SIGNATURE
from evalkit.publish.release._manifest import MANIFEST
from evalkit.publish.release._place import ABOUT, about

# A zip remembers mode and system of the machine that made it; fixed, every machine makes the same bytes.
_MODE = 0o100644 << 16
# By the zip format's list of systems: only with it are the permissions of files read.
_UNIX = 3


def archive_name(manifest: dict[str, object]) -> str:
    """Return the name of a release's archive; a custom period is written without points.

    >>> archive_name({"study": "demo", "report": "quarterly", "period": "2022Q3", "revision": 2})
    'demo-quarterly-2022Q3-r2.zip'
    """
    period = str(manifest["period"]).replace("..", "_to_")
    return f"{manifest['study']}-{manifest['report']}-{period}-r{manifest.get('revision', 1)}.zip"


def archive(release: Path, folder: Path, study: Study | None = None) -> Path:
    """Write a release as a zip.

    Parameters
    ----------
    release : pathlib.Path
        The release folder; held to its manifest, its place, its ledger and its approvals first.
    folder : pathlib.Path
        Where the file goes; its name says which release it is.
    study : Study, optional
        The release's, where it is here.

    Returns
    -------
    pathlib.Path
        The file. It holds what the manifest names, the manifest and its signature, and nothing else; no time but that
        of 1980 which every zip has to have.

    Raises
    ------
    VerificationError
        If the release is not what was published, or was withdrawn.
    ReleaseError
        If it waits for approval, another file of that name is there, or it cannot be written.
    """
    found = checked(release, None, study)
    if not found.good:
        msg = f"{release}: is not what was published: {found.why}"
        raise VerificationError(msg)
    if (about(release) / ABOUT).is_file():
        msg = f"{release}: waits for approval and is not published; approve it first"
        raise ReleaseError(msg)
    names = [*found.manifest.get("outputs", {}), MANIFEST]
    names += [SIGNATURE] if (release / SIGNATURE).is_file() else []
    target = folder / archive_name(dict(found.manifest))
    # Beside its place, so that it takes it in one step; hidden, as a half-written one is nobody's to send.
    making = target.with_name(f".{target.name}.making")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(making, "w", zipfile.ZIP_STORED) as packed:  # what a packer makes of it is its version's
            for name in sorted(names):
                packed.writestr(_entry(name), (release / name).read_bytes())
        # The same bytes are no other file: whoever archives a release twice is not stopped.
        if target.exists() and target.read_bytes() != making.read_bytes():
            msg = f"{target}: is another file; move it away, or name another folder with --out"
            raise ReleaseError(msg)
        making.replace(target)
    except OSError as error:
        msg = f"{target}: cannot be written ({error.strerror or 'unknown reason'})"
        raise ReleaseError(msg) from None
    finally:
        making.unlink(missing_ok=True)
    return target


def _entry(name: str) -> zipfile.ZipInfo:
    """Return the head of an entry: the same whenever, wherever and by whom it is written."""
    entry = zipfile.ZipInfo(name)  # of 1980, the oldest day that a zip knows
    entry.external_attr, entry.create_system = _MODE, _UNIX
    return entry
