"""What was published of a study, as a site shows it: reports, their periods, revisions, and what was withdrawn."""

from __future__ import annotations

__all__ = ["Place", "Published", "Release", "Stone", "gather"]

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from evalkit.errors import UsageError, VerificationError
from evalkit.periods import Period
from evalkit.protocol import Study, find_private_folder
from evalkit.publish import Approval, approvals_of, checked, refuse_draft
from evalkit.publish.release import (
    MANIFEST,
    WITHDRAWALS,
    Ledger,
    digest,
    is_of_before_ledgers,
    kept_withdrawals,
    read_manifest,
    release_name,
    withdrawals_beside,
    withdrawn,
)

_NAMED = re.compile(
    r"(?P<report>.+)-(?P<period>\d{4}Q[1-4]|\d{4}-\d\d-\d\d\.\.\d{4}-\d\d-\d\d)-r(?P<revision>[1-9]\d*)"
)


@dataclass(frozen=True)
class Release:
    """One release that may be read."""

    folder: Path
    manifest: Mapping[str, Any]
    sha256: str
    published: str = ""  # when, in UTC, by the ledger; empty where it does not say
    approvals: tuple[Approval, ...] = ()

    @property
    def revision(self) -> int:
        """Its number; 1 for the first of a period."""
        return int(self.manifest.get("revision", 1))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of its files, the manifest left out."""
        return tuple(sorted(self.manifest.get("outputs", {})))

    @property
    def title(self) -> str:
        """The report's title; its name where the manifest is of before titles were kept."""
        return str(self.manifest.get("document", {}).get("title") or self.manifest["report"])

    @property
    def language(self) -> str:
        """Language of the report."""
        document, parameters = self.manifest.get("document", {}), self.manifest.get("parameters", {})
        return str(document.get("locale") or parameters.get("language") or "en")[:2]


@dataclass(frozen=True)
class Stone:
    """One release that was published and is not there to be read any more."""

    revision: int
    date: str = ""  # when it was withdrawn, in UTC; empty where nobody wrote it down
    reason: str = ""
    sha256: str = ""  # digest of its manifest; empty where it was not kept


@dataclass(frozen=True)
class Place:
    """All that was published of one report on one period."""

    report: str
    period: Period
    releases: tuple[Release, ...] = ()  # newest first
    stones: tuple[Stone, ...] = ()  # newest first

    @property
    def folder(self) -> str:
        """Where its page lies in the site."""
        return f"{self.report}/{self.period.name.replace('..', '_to_')}"

    @cached_property
    def current(self) -> Release | None:
        """The release that stands for the period: none where the newest one was withdrawn."""
        # an older revision does not come back when a newer one is withdrawn: it had been superseded for a reason
        newest = max((stone.revision for stone in self.stones), default=0)
        return next((one for one in self.releases if one.revision > newest), None)


@dataclass(frozen=True)
class Published:
    """What was published of a study."""

    study: Study
    reports: Mapping[str, tuple[Place, ...]]  # report: its periods, newest first
    held: bool = False  # the study's ledger was here, and all of it held to that
    left_out: tuple[str, ...] = ()  # releases of before manifests that this version can read

    def releases(self) -> Iterator[Release]:
        """Yield every release that may be read."""
        for places in self.reports.values():
            for place in places:
                yield from place.releases

    def title(self, place: Place) -> str:
        """Return the title of a report; what was withdrawn has that of the others."""
        every = (place, *self.reports[place.report])
        return next((release.title for one in every for release in one.releases), place.report)

    @property
    def synthetic(self) -> bool:
        """Whether anything of it was made from data of nobody real."""
        return any(release.manifest.get("synthetic") for release in self.releases())


@dataclass
class _Found:
    """What was found of one report on one period, while it is looked for."""

    releases: list[Release] = field(default_factory=list)
    stones: dict[int, Stone] = field(default_factory=dict)


def gather(study: Study, reports: Path) -> Published:
    """Read what was published, and hold every release to its manifest, its place, the ledger and its approvals.

    `UsageError` if nothing was published there; `ReleaseError` if a draft lies among the releases; `VerificationError`
    if a release is not what was published, or lacks an approval that it needs: nothing of it may be passed on.
    """
    folder = reports / study.id
    private = find_private_folder(study)
    ledger = Ledger.known(private, folder) if private is not None else None
    found: dict[tuple[str, str], _Found] = {}
    left_out = []
    for place in sorted(folder.glob("*/*")):
        refuse_draft(place)
        if any(part.startswith(".") for part in (place.name, place.parent.name)) or not (place / MANIFEST).exists():
            continue
        if is_of_before_ledgers(place):
            left_out.append(f"{place.parent.name}/{place.name}")
            continue
        _take(place, study, ledger, found)
    _mark_withdrawn(folder, ledger, found)
    if not found:
        msg = f"{folder}: nothing is published there; name the reports folder with --reports, or render a report first"
        raise UsageError(msg)
    return Published(study, _sorted(found, study.fiscal_year_start_month), ledger is not None, tuple(left_out))


def _take(place: Path, study: Study, ledger: Ledger | None, found: dict[tuple[str, str], _Found]) -> None:
    """Take up one release, unless it was withdrawn and its folder is still there."""
    manifest, sha256 = read_manifest(place), digest(place / MANIFEST)
    report, period = str(manifest["report"]), str(manifest["period"])
    # Written down first, taken away then: what died between the two must not come back on a page.
    if withdrawn(withdrawals_beside(place), sha256) is not None:
        return
    seen = checked(place, None, study)
    if not seen.good:
        msg = f"{place}: is not what was published, so no site was made: {seen.why}"
        raise VerificationError(msg)
    name = release_name(report, period, int(manifest.get("revision", 1)))
    published = ledger.published_on(name) if ledger is not None else ""
    release = Release(place, manifest, sha256, published, tuple(approvals_of(place)))
    found.setdefault((report, period), _Found()).releases.append(release)


def _mark_withdrawn(folder: Path, ledger: Ledger | None, found: dict[tuple[str, str], _Found]) -> None:
    """Set a stone for what was withdrawn, and for what the ledger says was published and nobody finds."""
    for file in sorted(folder.glob(f"*/*.{WITHDRAWALS}")):
        for one in kept_withdrawals(file):
            _, report, period = one.release.split("/")
            stone = Stone(one.revision, one.date, one.reason, one.manifest_sha256)
            found.setdefault((report, period), _Found()).stones[one.revision] = stone
    # What was taken away by hand leaves a stone, too, without when and why (ADR 20).
    for name in ledger.names if ledger is not None else ():
        match = _NAMED.fullmatch(name)
        if match is None or ledger is None:
            continue
        here = found.setdefault((match["report"], match["period"]), _Found())
        revision = int(match["revision"])
        if revision not in here.stones and revision not in {release.revision for release in here.releases}:
            here.stones[revision] = Stone(revision, sha256=ledger.manifest_of(name))


def _sorted(found: Mapping[tuple[str, str], _Found], fiscal_start: int) -> dict[str, tuple[Place, ...]]:
    reports: dict[str, list[Place]] = {}
    for (report, period), one in sorted(found.items()):
        releases = sorted(one.releases, key=lambda release: -release.revision)
        stones = sorted(one.stones.values(), key=lambda stone: -stone.revision)
        place = Place(report, Period.parse(period, fiscal_start), tuple(releases), tuple(stones))
        reports.setdefault(report, []).append(place)
    order = {name: sorted(p, key=lambda place: (place.period.last, place.period.first)) for name, p in reports.items()}
    return {name: tuple(reversed(places)) for name, places in order.items()}
