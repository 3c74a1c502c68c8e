"""Writing files where none are: all of them or none, and never over what lies there."""

from __future__ import annotations

__all__ = ["write_new"]

from collections.abc import Iterable, Mapping
from pathlib import Path

from evalkit.errors import ReleaseError


def write_new(folder: Path, files: Mapping[str, bytes], may_be_there: Iterable[str] = ()) -> list[str]:
    """Write files into a folder, none over another.

    Parameters
    ----------
    folder : pathlib.Path
        Made when it is not there.
    files : mapping of str to bytes
        Path from the folder: content.
    may_be_there : iterable of str
        Those that stay as they are where they lie there already.

    Returns
    -------
    list of str
        Those that stayed.

    Raises
    ------
    ReleaseError
        If one of the others lies there: nothing was written.
    """
    there = [name for name in files if (folder / name).exists() or (folder / name).is_symlink()]
    stayed = set(may_be_there).intersection(there)
    against = [name for name in there if name not in stayed]
    if against:
        more = f" and {len(against) - 1} more of its files are" if len(against) > 1 else " is"
        msg = f"{folder}: {against[0]}{more} there already; nothing was written: name another folder, or move it away"
        raise ReleaseError(msg)
    written: list[Path] = []
    try:
        for name, content in files.items():
            if name in stayed:
                continue
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as stream:  # also where somebody made it a moment ago
                written.append(file)
                stream.write(content)
    except BaseException:  # an interrupt too
        for file in written:  # half a study would look like one
            file.unlink(missing_ok=True)
        raise
    return sorted(stayed)
