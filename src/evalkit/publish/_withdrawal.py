"""Withdrawals as they are kept: one line each, in the study's private folder and beside the release, never changed."""

from __future__ import annotations

__all__ = ["WITHDRAWALS", "Withdrawal", "beside_withdrawals", "kept_withdrawals", "withdrawals_beside", "withdrawn"]

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from evalkit.errors import ReleaseError

WITHDRAWALS = "withdrawals.jsonl"
_REVISION = re.compile(r"\.r[1-9]\d*$")


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
    """Return the file of withdrawals beside a release and its other revisions.

    Parameters
    ----------
    release : pathlib.Path

    Returns
    -------
    pathlib.Path
    """
    return release.with_name(f"{_REVISION.sub('', release.name)}.{WITHDRAWALS}")


def withdrawals_beside(release: Path) -> list[Withdrawal]:
    """Read the withdrawals of a period's releases.

    Parameters
    ----------
    release : pathlib.Path
        The place of any of them.

    Returns
    -------
    list of Withdrawal
        Oldest first.

    Raises
    ------
    ReleaseError
        If a line is none.
    """
    return kept_withdrawals(beside_withdrawals(release))


def withdrawn(among: list[Withdrawal], manifest_sha256: str) -> Withdrawal | None:
    """Return the withdrawal of the release with that manifest; None where it was not withdrawn.

    Parameters
    ----------
    among : list of Withdrawal
    manifest_sha256 : str

    Returns
    -------
    Withdrawal or None
    """
    return next((one for one in among if one.manifest_sha256 == manifest_sha256), None)


def kept_withdrawals(file: Path) -> list[Withdrawal]:
    """Read a file of withdrawals.

    Parameters
    ----------
    file : pathlib.Path
        May be absent.

    Returns
    -------
    list of Withdrawal
        Oldest first.

    Raises
    ------
    ReleaseError
        If a line is none.
    """
    if not file.exists() and not file.is_symlink():
        return []
    try:
        lines = [] if file.is_symlink() else file.read_text(encoding="utf-8").splitlines()
        found = [_parsed(json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError, RecursionError):
        found = []
    if not found:
        msg = f"{file}: holds no withdrawal, or what is none; put the file back from a backup"
        raise ReleaseError(msg)
    return found


def _parsed(told: Mapping[str, Any]) -> Withdrawal:
    kinds = {field.name: int if field.name == "revision" else str for field in fields(Withdrawal)}
    if set(told) != set(kinds) or not all(isinstance(told[name], kind) for name, kind in kinds.items()):
        msg = "no withdrawal"
        raise ValueError(msg)
    return Withdrawal(**told)
