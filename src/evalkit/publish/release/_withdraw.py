"""Withdrawing: a release is taken away from its readers, and when and why stays where it was."""

from __future__ import annotations

__all__ = ["UNTOLD", "withdraw"]

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalkit.errors import ReleaseError
from evalkit.protocol import Study, make_private, private_folder, private_modes
from evalkit.publish.release._approvers import plain_name
from evalkit.publish.release._environment import digest
from evalkit.publish.release._held import opened_ledger, release_name
from evalkit.publish.release._lines import append_line, check_written
from evalkit.publish.release._lock import study_lock
from evalkit.publish.release._manifest import MANIFEST, read_manifest
from evalkit.publish.release._own import in_ledgers
from evalkit.publish.release._place import misplaced
from evalkit.publish.release._waiting import is_waiting
from evalkit.publish.release._withdrawal import (
    WITHDRAWALS,
    Withdrawal,
    beside_withdrawals,
    withdrawals_beside,
    withdrawn,
)
from evalkit.publish.rendering._machine import scratch_folder
from evalkit.words import marked

UNTOLD = marked("The reason is not published.")
"""Stands for a reason that cannot be searched for identifiers: a release must be able to go while tables are away."""

_KEPT = "withdrawn"


def withdraw(
    release: Path,
    study: Study,
    why: str,
    now: datetime | None = None,
    *,
    identifiers: Iterable[str] = (),
    secrets: Iterable[str] = (),
) -> Withdrawal:
    """Take a release away: first it is written down, in private and beside the release, then the folder goes.

    Nothing is destroyed: it lies in the private folder from then on. The ledger still holds its name, so that the next
    release of the period is the next revision.

    Parameters
    ----------
    release : pathlib.Path
        The release folder, of the newest or of an earlier revision.
    study : Study
    why : str
        It is published.
    now : datetime.datetime, optional
        The present by default.
    identifiers, secrets : iterable of str
        Of all participants, and of the study's database: the reason must not hold one.

    Returns
    -------
    Withdrawal
        The first one, where it was withdrawn before and something took the folder's removal away.

    Raises
    ------
    ReleaseError
        If the folder is no release of this study, or not where or what it was published as, or cannot be moved.
    DisclosureError
        If the ledger is damaged, or the reason holds what must not leave.
    """
    check_written(study, {"why": plain_name(why)}, identifiers, secrets)
    moment = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with study_lock(study, lambda: None):
        facts = _published(release, study)
        named = f"{facts['study']}/{facts['report']}/{facts['period']}"
        period = str(facts["period"]).replace("..", "_to_")
        sha256, private = digest(release / MANIFEST), private_folder(study)
        done = withdrawn(withdrawals_beside(release), sha256)
        if done is None:
            done = Withdrawal(named, int(facts.get("revision", 1)), sha256, moment, plain_name(why))
            # Before the folder goes: whatever dies now, everybody who looks knows that it was withdrawn.
            _write_down(done, release, private)
        _take_away(release, private / _KEPT / str(facts["report"]) / f"{period}.r{done.revision}")
    return done


def _published(release: Path, study: Study) -> dict[str, Any]:
    """Hold a folder to be a published release of this study, which its files need not be any more."""
    facts = read_manifest(release)
    if facts["study"] != study.id:
        msg = f"{release}: is of another study; name its protocol with --study"
        raise ReleaseError(msg)
    if is_waiting(release, study):
        msg = f"{release}: waits for approval and was never published; there is nothing to withdraw"
        raise ReleaseError(msg)
    private = private_folder(study)
    ledger = opened_ledger(private, release.resolve().parent.parent)
    held = in_ledgers(release, facts, private)
    # For what another ledger was begun without nobody can vouch, and yet its readers must be able to lose it.
    name = release_name(str(facts["report"]), str(facts["period"]), int(facts.get("revision", 1)))
    known = held.kind == "good" or name in ledger.given_up
    wrong = misplaced(release, facts)[0] or ("" if known else held.text)
    if wrong:
        msg = f"{release}: {wrong}; it cannot be withdrawn"
        raise ReleaseError(msg)
    return facts


def _write_down(done: Withdrawal, release: Path, private: Path) -> None:
    try:
        append_line(
            done.line(), (private / WITHDRAWALS, private_modes(private)[0]), (beside_withdrawals(release), 0o644)
        )
    except OSError as error:
        msg = f"{release.parent}: cannot be written ({error.strerror or 'unknown reason'}); nothing was withdrawn"
        raise ReleaseError(msg) from None


def _take_away(release: Path, place: Path) -> None:
    """Move a release into the private folder: whole there before it is gone here."""
    make_private(place.parent)
    for_file, for_folder = private_modes(place.parent)
    try:
        if not place.exists():
            with scratch_folder(place.parent, ".making-") as staging:
                # Copied, not moved: the private folder may lie on another file system.
                shutil.copytree(release, staging, symlinks=True, dirs_exist_ok=True)
                for one in (staging, *staging.rglob("*")):
                    if not one.is_symlink():
                        one.chmod(for_folder if one.is_dir() else for_file)
                staging.rename(place)
        with scratch_folder(release.parent, ".making-") as aside:  # what dies here, the next render sweeps away
            release.rename(aside)  # in one step: no reader meets half of it
    except (OSError, shutil.Error) as error:
        why = getattr(error, "strerror", None) or "unknown reason"
        msg = f"{release}: its withdrawal is written down, and it cannot be moved ({why}); withdraw it again"
        raise ReleaseError(msg) from None
