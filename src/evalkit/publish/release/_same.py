"""Whether the same comes out in other surroundings (another evalkit, Python, package or tool), and that it did.

A release is not made of its surroundings, so that others are no reason for a new one. They may be a reason for other
numbers, though; so it is made again once, compared, and the answer kept: a scheduler asks every night.
"""

from __future__ import annotations

__all__ = ["came_out_the_same", "outputs_changed", "remember_same"]

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalkit.protocol import Study, find_private_folder, make_private, private_folder, write_private
from evalkit.publish.release._published import NumberChange, numbers_changed, read_numbers
from evalkit.publish.release._standing import Standing

_MOST = 50  # of one release; the newest ones


def outputs_changed(
    release: Path, then: Mapping[str, Any], facts: Mapping[str, Any], files: Mapping[str, Path]
) -> tuple[list[NumberChange], list[str]]:
    """Hold what a release shows to what was made now.

    Parameters
    ----------
    release : pathlib.Path
    then, facts : mapping
        Manifests: of the release, and of what was made now.
    files : mapping of str to pathlib.Path
        Name in the release: file that was made now.

    Returns
    -------
    list of NumberChange
    list of str
        Outputs that have other words or another look.
    """
    old, new = list(then.get("published", ())), list(facts["published"])
    changed = numbers_changed(old, read_numbers(old, release), new, read_numbers(new, files))
    before, now = ({(entry["output"], entry["content"]) for entry in side} for side in (old, new))
    other = {name for name, _ in before ^ now}
    return changed, [name for name in dict.fromkeys(entry["output"] for entry in (*old, *new)) if name in other]


def came_out_the_same(study: Study, standing: Standing) -> bool:
    """Say whether a release was made again before in just these surroundings, and the same came out.

    Parameters
    ----------
    study : Study
    standing : Standing
        Of which only the surroundings are other than then.

    Returns
    -------
    bool
    """
    return find_private_folder(study) is not None and _named(standing) in _kept(_file(study, standing))


def remember_same(study: Study, standing: Standing) -> None:
    """Keep that it did.

    Parameters
    ----------
    study, standing
        As in `came_out_the_same`.
    """
    file = _file(study, standing)
    make_private(file.parent)
    write_private(file, json.dumps([*_kept(file), _named(standing)][-_MOST:]).encode())


def _named(standing: Standing) -> str:
    return json.dumps([[change.kind, change.name, change.new] for change in standing.around])


def _file(study: Study, standing: Standing) -> Path:
    return private_folder(study) / "same" / f"{standing.manifest_sha256}.json"


def _kept(file: Path) -> list[str]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []  # then it is made again: nothing is lost but time
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
