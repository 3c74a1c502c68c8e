"""``evalkit site`` and ``archive``: what is done with releases once they are published."""

from __future__ import annotations

__all__ = ["run_archive", "run_site"]

from pathlib import Path

from evalkit.errors import UsageError
from evalkit.protocol import Study, load_study
from evalkit.publish import archive, read_manifest
from evalkit.site import build_site


def run_site(study: Path, reports: Path, out: Path, url: str) -> list[str]:
    """Build a site and say in lines what is in it; ``url`` is where it will stand, the protocol's where it is empty.

    An `EvalkitError` where it cannot be built; the site that was there stays.
    """
    protocol = load_study(study)
    if url and not url.startswith(("https://", "http://")):
        msg = f"--url {url}: is no address of a site; write it as https://..."
        raise UsageError(msg)
    built = build_site(protocol, reports, out, url or protocol.citation.url or "")
    lines = [f"{name}: left out, its manifest is of an older evalkit" for name in built.left_out]
    return [*lines, f"{built.folder / 'index.html'}: {built.releases} releases, {built.withdrawn} withdrawn"]


def run_archive(release: Path, study: Path, out: Path) -> str:
    """Write a release as one file and say where; ``study`` is its protocol, where that is here.

    An `EvalkitError` where the release is not what was published.
    """
    manifest = read_manifest(release)
    protocol = _here(study, str(manifest["study"]))
    file = archive(release, out, protocol)
    lacks = "" if "ro-crate-metadata.json" in manifest.get("outputs", {}) else " (of before releases held an RO-Crate)"
    return f"{file}{lacks}"


def _here(file: Path, study: str) -> Study | None:
    # A release is archived also by who has neither protocol nor tables.
    found = load_study(file) if file.is_file() else None
    return found if found is not None and found.id == study else None
