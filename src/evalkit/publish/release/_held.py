"""The ledger of a render: opened whole, brought up to what lies among the releases, or one clear line."""

from __future__ import annotations

__all__ = ["held_releases", "ledger_for", "newest_gone", "opened_ledger", "published_in", "release_name"]

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalkit.errors import DisclosureError, ReleaseError, UsageError
from evalkit.protocol import private_folder
from evalkit.publish._job import RenderJob
from evalkit.publish.release._environment import digest
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._manifest import MANIFEST, is_of_before_ledgers, read_manifest
from evalkit.publish.release._standing import Standing, whole_manifest

_PERIOD = re.compile(r"(?:\d{4}Q[1-4]|\d{4}-\d\d-\d\d_to_\d{4}-\d\d-\d\d)(?:\.r[1-9]\d*)?")


def release_name(report: str, period: str, revision: int) -> str:
    """Return a release's name in the ledger.

    >>> release_name("quarterly", "2022Q3", 1)
    'quarterly-2022Q3-r1'
    """
    return f"{report}-{period}-r{revision}"


def ledger_for(job: RenderJob) -> Ledger:
    """Open the ledger of the folder that a render publishes into; call it while no other render of the study works.

    It holds every release there, and every release that one of these was held against. `DisclosureError` if it is
    damaged, lacks a release, or would be a second one of the study; `UsageError` if another is asked for and this one
    is whole; `ReleaseError` if what is published there cannot be read.
    """
    private, releases = private_folder(job.study), job.target.resolve().parent.parent
    published = list(published_in(releases))
    names = held_releases(published)
    try:
        ledger = opened_ledger(private, releases, published)
        _refuse_another_secret(job, published)
    except DisclosureError:
        if not job.new_ledger:
            raise
        return Ledger.another(private, releases, job.new_ledger, names)
    if job.new_ledger and ledger.names and ledger.why != job.new_ledger:
        msg = f"{ledger.folder}: is whole and holds every release of {releases}; leave out --new-ledger"
        raise UsageError(msg)
    return ledger


def opened_ledger(private: Path, releases: Path, published: list[tuple[Path, dict[str, Any]]] | None = None) -> Ledger:
    """Open a ledger, finish what a render that died has begun, and hold it to the releases that lie there.

    `releases` is ``<out>/<study>``; `published` is what lies there, where that is known already. Errors as of
    `ledger_for`.
    """
    there = list(published_in(releases)) if published is None else published
    ledger = Ledger.of(private, releases)
    # First: what a dead render placed is in the ledger before its releases are held to it.
    ledger.recover(lambda sha256: any(digest(place / MANIFEST) == sha256 for place, _ in there))
    ledger.require(held_releases(there))
    return ledger


def published_in(releases: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the releases below ``<out>/<study>``, superseded ones too, with their manifests."""
    for place in sorted(releases.glob("*/*")):
        # What renders at work, or dead ones, have not placed yet.
        hidden = any(name.startswith(".") for name in (place.name, place.parent.name))
        if hidden or not place.is_dir() or is_of_before_ledgers(place):
            continue
        # A folder with a period's name is a release whose manifest is gone: damage is never absence (ADR 13).
        if (place / MANIFEST).exists() or _PERIOD.fullmatch(place.name):
            yield place, whole_manifest(place)


def held_releases(published: list[tuple[Path, dict[str, Any]]]) -> set[str]:
    """Name the releases that the ledger has to hold: those that are there, and those that they were held against."""
    names = {release_name(m["report"], m["period"], int(m.get("revision", 1))) for _, m in published}
    return names | {str(name) for _, manifest in published for name in manifest.get("ledger", ())}


def _refuse_another_secret(job: RenderJob, published: list[tuple[Path, dict[str, Any]]]) -> None:
    # With another secret the same people get another noise: who averages the two takes it off (ADR 15).
    secret = job.secret.id if job.secret is not None else ""
    for place, manifest in published:
        if secret and manifest.get("secret", secret) != secret:
            msg = (
                f"{place}: was made with another secret than the one in {private_folder(job.study)}; put back the one "
                f"it was made with ({manifest['secret']}), or begin another ledger with --new-ledger 'why'"
            )
            raise DisclosureError(msg)


def newest_gone(job: RenderJob, standing: Standing, ledger: Ledger | None) -> dict[str, Any]:
    """Return ``revision`` and ``manifest_sha256`` of a newer release than what is there; empty where there was none."""
    found = [ledger.newest(job.params.report, job.period.name)] if ledger is not None else [(0, "")]
    for place in job.target.parent.glob(f"{job.target.name}.r*"):  # kept, and what superseded it is gone
        try:
            found.append((int(read_manifest(place).get("revision", 1)), digest(place / MANIFEST)))
        except ReleaseError:
            continue
    revision, sha256 = max(found)
    return {"revision": revision, "manifest_sha256": sha256} if revision > standing.revision else {}
