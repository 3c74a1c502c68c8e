"""A whole site: gathered, written in every language, and put into place in one step.

It is made beside its place and moved there; what is not ours is never touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evalkit.errors import ReleaseError, UsageError
from evalkit.protocol import Study, find_private_folder
from evalkit.publish import notebook_words
from evalkit.publish.release import MANIFEST, SIGNATURE, exchange, study_lock
from evalkit.publish.rendering import scratch_folder, sweep
from evalkit.site._feed import feed
from evalkit.site._gather import Published, Release, gather
from evalkit.site._pages import Writer
from evalkit.site._words import Reader
from evalkit.words import LANGUAGES

__all__ = ["MARKER", "Built", "build_site", "check_site", "place_site"]


MARKER = "evalkit-site.json"
"""Says that a folder is a site of ours, of which study, and what each of its files is."""

_STAGING = ".making-site-"


def check_site(target: Path, study: str) -> None:
    """Refuse a folder that the site of a study (its id) must not take the place of.

    `UsageError` if it holds what evalkit did not put there, or the site of another study.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        msg = f"{target}: is no folder; name a new one with --out"
        raise UsageError(msg)
    there = _files(target) if target.is_dir() else set()
    if not there:
        return
    try:
        about = json.loads((target / MARKER).read_text(encoding="utf-8"))
        known, owner = {MARKER, *about["files"]}, about["study"]
    except (OSError, ValueError, KeyError, TypeError):
        msg = f"{target}: holds files and is no site of evalkit; name an empty or a new folder with --out"
        raise UsageError(msg) from None
    if owner != study:
        msg = f"{target}: is the site of study '{owner}', not of '{study}'; name another folder with --out"
        raise UsageError(msg)
    if there - known:
        first = min(there - known)
        msg = f"{target}: holds {first}, which evalkit did not put there; move it away, or publish a copy of the folder"
        raise UsageError(msg)


def _files(folder: Path) -> set[str]:
    found = set()
    for place, inner, files in os.walk(folder):  # follows no link
        links = [name for name in inner if (Path(place) / name).is_symlink()]
        found |= {(Path(place) / name).relative_to(folder).as_posix() for name in (*files, *links)}
    return found


def place_site(files: Mapping[str, bytes | Path], target: Path, study: str) -> None:
    """Put a site into its place in one step: nothing lies there, or an older site of the same study (its id).

    `files` maps the name in the site to content, or to the file that is copied. `UsageError` as of `check_site`,
    `ReleaseError` if the folder cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent, _STAGING)
        with scratch_folder(target.parent, _STAGING) as staging:
            digests = {name: _written(content, staging / name) for name, content in sorted(files.items())}
            about = {"site": 1, "study": study, "files": digests}
            _written((json.dumps(about, indent=1, sort_keys=True) + "\n").encode(), staging / MARKER)
            for one in (staging, *staging.rglob("*")):
                # Open to readers, whatever the file mask: a server that reads it is another user.
                one.chmod(0o755 if one.is_dir() else 0o644)
            check_site(target, study)  # once more: making it took a while
            _move(staging, target)
    except OSError as error:
        msg = f"{target}: cannot be written ({error.strerror or 'unknown reason'}); the site is as it was"
        raise ReleaseError(msg) from None


def _written(content: bytes | Path, file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        shutil.copyfile(content, file)
    else:
        file.write_bytes(content)
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _move(staging: Path, target: Path) -> None:
    """Exchange the new site with the one that is there, which goes with the scratch folder."""
    if not target.exists():
        staging.rename(target)
    # Where the system has no exchange of names; if it dies between the two, the old site lies beside, under a hidden
    # name.
    elif not exchange(staging, target):
        aside = staging.with_name(f"{staging.name}-old")
        target.rename(aside)
        try:
            staging.rename(target)
        except BaseException:
            aside.rename(target)
            raise
        shutil.rmtree(aside)


@dataclass(frozen=True)
class Built:
    """What was built.

    Attributes
    ----------
    folder : pathlib.Path
    releases : int
        How many can be read there.
    withdrawn : int
        Of how many it only says that they were withdrawn.
    left_out : tuple of str
        Releases of before manifests that this version can read.
    """

    folder: Path
    releases: int
    withdrawn: int
    left_out: tuple[str, ...]


def build_site(study: Study, reports: Path, target: Path, url: str = "") -> Built:
    """Build the release site of a study, in the place of the one that is there.

    Parameters
    ----------
    study : Study
    reports : pathlib.Path
        The reports folder.
    target : pathlib.Path
        Nothing, an empty folder, or an older site of the study.
    url : str, optional
        Address at which the site will stand, for the feed; addresses in it are relative without.

    Returns
    -------
    Built

    Raises
    ------
    UsageError
        If nothing is published, or the folder holds anything but a site of this study.
    VerificationError
        If a release is not what was published.
    ReleaseError
        If the folder cannot be written.
    """
    target, private = target.expanduser().absolute(), find_private_folder(study)
    inside = [reports.resolve(), *([private.resolve()] if private is not None else [])]
    for folder in inside:
        if target.resolve().is_relative_to(folder):
            msg = f"{target}: lies in {folder}, where a site does not belong; name another folder with --out"
            raise UsageError(msg)
    check_site(target, study.id)
    # No render may exchange a release while it is copied; where the private folder is not, nothing is rendered.
    with study_lock(study, lambda: None) if private is not None else contextlib.nullcontext():
        published = gather(study, reports)
        place_site(site_files(published, url), target, study.id)
    stones = sum(len(place.stones) for places in published.reports.values() for place in places)
    return Built(target, len(list(published.releases())), stones, published.left_out)


def site_files(published: Published, url: str = "") -> dict[str, bytes | Path]:
    """Return every file of a site: its name there, and its content or the file of a release that is copied as it is."""
    base = f"{url.rstrip('/')}/" if url else ""
    made: dict[str, bytes | Path] = {}
    for language in LANGUAGES:
        own, study = {str(k): v for k, v in published.study.translations.items()}, published.study
        reader = Reader.of(language, own, {language: notebook_words(study, language)})
        folder = "" if language == "en" else f"{language}/"
        made |= Writer(published, reader, folder).pages()
        pages = f"{base}{folder}" if base else ""
        home = f"{base}{folder}feed.xml" if base else ""
        made[f"{folder}feed.xml"] = feed(published, reader, pages, home).encode()
    for places in published.reports.values():
        for place in places:
            for release in place.releases:
                made |= _copied(release, place.folder)
    return made


def _copied(release: Release, folder: str) -> dict[str, bytes | Path]:
    """Return the files of a release, as its manifest names them, and their digests as programs read them."""
    at = f"{folder}/r{release.revision}"
    # Only what the manifest names: a file that lies beside it by accident is nobody's to publish.
    names = [*release.outputs, MANIFEST]
    names += [SIGNATURE] if (release.folder / SIGNATURE).is_file() else []
    digests = {name: facts["sha256"] for name, facts in release.manifest["outputs"].items()}
    digests[MANIFEST] = release.sha256
    # As sha256sum reads them: a name after two blanks, below the folder of the file.
    lines = "".join(f"{sha256}  r{release.revision}/{name}\n" for name, sha256 in sorted(digests.items()))
    sums = {f"{folder}/checksums-r{release.revision}.txt": lines.encode()}
    return {**{f"{at}/{name}": release.folder / name for name in names}, **sums}
