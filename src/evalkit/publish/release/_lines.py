"""Lines that are only added, in private and beside a release: approvals and withdrawals. What is damaged is refused.

They are published: what people write in them holds nobody's identifier, no secret and no folder.
"""

from __future__ import annotations

__all__ = ["append_line", "beside_release", "check_written", "kept_lines"]

import contextlib
import errno
import fcntl
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from evalkit.errors import DisclosureError, ReleaseError
from evalkit.protocol import Study, private_folder
from evalkit.publish.audit import guard_for

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
