"""Which published results were planned in the frozen protocol, and which were added later."""

from __future__ import annotations

__all__ = ["planned_in", "registered", "with_added"]

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evalkit.errors import EvalkitError
from evalkit.markup import escaped
from evalkit.protocol import Frozen, Planned, Study, changes_since, first_plan
from evalkit.publish.release._manifest import MANIFEST, read_manifest
from evalkit.publish.rendering._document import Document, Item
from evalkit.publish.rendering._pieces import frame_of
from evalkit.words import messages_for

_KEPT = re.compile(r".*\.r\d+")  # an older revision


def planned_in(out: Path, study: Study) -> list[Planned]:
    """List the results that a study's releases show, to be frozen as those that are planned.

    Before there are real tables these are releases made of synthetic ones: the rehearsal.

    Parameters
    ----------
    out : pathlib.Path
        The reports folder.
    study : Study

    Returns
    -------
    list of Planned
        Sorted by name.
    """
    kinds: dict[str, str] = {}
    shown: dict[str, set[str]] = {}
    for file in sorted((out / study.id).glob(f"*/*/{MANIFEST}")):
        # What was superseded is not what the study means to show.
        if _KEPT.fullmatch(file.parent.name):
            continue
        try:
            manifest = read_manifest(file.parent)
        except EvalkitError:
            continue
        kinds |= {str(name): str(kind) for name, kind in manifest.get("estimates", ())}
        for entry in manifest.get("published", ()):
            # Sentences are not named: their place is a number of a cell, which any edit changes.
            if entry.get("estimate") and entry["output"].startswith(("fig-", "tbl-")):
                shown.setdefault(entry["estimate"], set()).add(f"{manifest['report']} {entry['output']}")
    return [Planned(name=name, kind=kinds[name], shown=sorted(shown.get(name, ()))) for name in sorted(kinds)]


def added(items: Iterable[Item], versions: Sequence[Frozen]) -> list[str]:
    """Name the figures and tables with a result that no frozen protocol planned; none where none is planned by name."""
    plan = first_plan(versions)
    planned = plan.planned if plan else frozenset()
    return [item.label for item in items if planned and item.label and _estimates(item) - planned]


def _estimates(item: Item) -> set[str]:
    if item.mark.get("kind") == "findings":
        # Of page one what its rows ask. Its own name holds the first day of its quarter, and what its sentences hold
        # today's numbers against (those of a quarter ago) is no result of its own.
        asked = frame_of(item).get("estimate_id", ())
        return {str(name) for name in asked if isinstance(name, str) and name}
    return {str(name) for name in (item.estimate, *item.mark.get("also", {})) if name}


def with_added(document: Document, versions: Sequence[Frozen]) -> Document:
    """Return the document with a line at each figure and table that was not planned."""
    later, plan = set(added(document.items, versions)), first_plan(versions)
    if not later or plan is None:
        return document
    say = messages_for(document.locale)
    text = say("Added after the protocol was frozen ({version}, {day}).", version=plan.name, day=say.day(plan.day))
    items = [
        replace(i, caption=f"{i.caption.rstrip('.')}. {escaped(text)}") if i.label in later else i
        for i in document.items
    ]
    return replace(document, items=tuple(items))


def registered(study: Study, versions: Sequence[Frozen], items: Iterable[Item]) -> dict[str, Any]:
    """Return what the manifest says of the frozen protocol (``protocol``); nothing where it was never frozen."""
    if not versions:
        return {}
    newest = versions[-1]
    changed = [change.key for change in changes_since(study, versions)]
    facts = {"version": newest.name, "day": newest.day.isoformat(), "sha256": newest.sha256}
    return {"protocol": {**facts, "first": versions[0].name, "changed": changed, "added": added(items, versions)}}
