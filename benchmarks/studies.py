"""Simulated studies one by one, each a line of a file as soon as it is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.validation_page import page

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"


def studies(file: Path, keys: Iterable[str], study: Callable[[str], dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the studies say; those that the file has already are not made again.

    Parameters
    ----------
    file : pathlib.Path
        Lines of JSON; made with its folder where there is none.
    keys : iterable of str
        Names of the studies wanted.
    study : callable
        Makes the one of this name, of numbers, texts, lists and dicts.

    Returns
    -------
    list of dict
        Everything in the file, in its order.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    known = kept(file)
    done = {one["key"] for one in known}
    for key in keys:
        if key in done:
            continue
        known.append({"key": key, **study(key)})
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(known[-1]) + "\n")
    return known


def kept(file: Path) -> list[dict[str, Any]]:
    """Return what the file has; its last line may be cut off where a run was killed."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def put(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Put what studies say into ``validation.json`` and onto its page; return it.

    Parameters
    ----------
    name : str
        Of the part: ``leaving`` or ``pathway``.
    found : dict

    Returns
    -------
    dict
    """
    file = ROOT / "benchmarks" / "validation.json"
    whole = {**json.loads(file.read_text(encoding="utf-8")), name: found}
    file.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    (ROOT / "docs" / "validation.md").write_text(page(whole), encoding="utf-8")
    return found
