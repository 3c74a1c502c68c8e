"""Withdrawals as they are kept: one line each, in the study's private folder and beside the release, never changed."""

from __future__ import annotations

__all__ = ["WITHDRAWALS", "Withdrawal", "beside_withdrawals", "kept_withdrawals", "withdrawals_beside", "withdrawn"]

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from evalkit.publish.release._lines import beside_release, kept_lines

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
