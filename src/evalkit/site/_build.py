"""A whole site: gathered, written in every language, and put into place in one step."""

from __future__ import annotations

__all__ = ["Built", "build_site"]

import contextlib
from dataclasses import dataclass
from pathlib import Path

from evalkit.errors import UsageError
from evalkit.protocol import Study, find_private_folder
from evalkit.publish import notebook_words
from evalkit.publish.release import MANIFEST, SIGNATURE, study_lock
from evalkit.site._feed import feed
from evalkit.site._gather import Published, Release, gather
from evalkit.site._pages import Writer
from evalkit.site._place import check_site, place_site
from evalkit.site._words import Reader
from evalkit.words import LANGUAGES


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
