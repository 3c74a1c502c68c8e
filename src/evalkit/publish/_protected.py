"""Running a notebook so that what it shows, beside everything published before, singles nobody out.

The notebook runs and says what it shows; disclosure control looks at all of it together with the ledger of earlier
releases. Where a small count could be worked out, the notebook runs again with further rows withheld.
"""

from __future__ import annotations

__all__ = ["Protected", "run_protected"]

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evalkit.disclosure import Cell, Ledger, Memory, Plan, Policy, RecordLine, protect, read_record, without
from evalkit.errors import DisclosureError
from evalkit.protocol import load_disclosure, private_folder
from evalkit.publish._held import ledger_for
from evalkit.publish._job import RenderJob
from evalkit.publish._standing import Standing
from evalkit.publish.audit import counted
from evalkit.seal import MARK

Run = Callable[[Mapping[str, str]], Any]
_RUNS = 4
_MOST = 3


@dataclass(frozen=True)
class Protected:
    """A run whose outputs may be published.

    Attributes
    ----------
    executed : nbformat.NotebookNode
    file : pathlib.Path
        The record of what it showed.
    earlier : tuple of str
        Releases of the ledger it was held against.
    plan : Plan
        The last look; withheld holds all rows that were withheld for others' sake.
    cells : tuple of Cell
        What the ledger is to keep.
    overrides : tuple of str
        Exceptions to the policy that were in force, in words.
    ledger : Ledger or None
        Where the cells are written down; None where a release is only made again.
    sealed : tuple of str
        Names of the withheld rows that only who has the raw tables can read: with them the release is made again where
        its ledger is not.
    unlinked : int
        How many counts do not say whose they are: they were held to minimum and rounding only.
    anew : str
        Why the ledger was begun beside or after another one: the release is not held against what that one holds.
    """

    executed: Any
    file: Path
    earlier: tuple[str, ...]
    plan: Plan
    cells: tuple[Cell, ...]
    overrides: tuple[str, ...] = ()
    ledger: Ledger | None = None
    sealed: tuple[str, ...] = ()
    unlinked: int = 0
    anew: str = ""

    def facts(self) -> dict[str, Any]:
        """Return what the manifest says of it: no count of people, nor how many of the tables' counts are small."""
        return {
            "ledger": list(self.earlier),
            "new_ledger": self.anew,
            "overrides": list(self.overrides),
            "disclosure": {
                "rows_withheld_for_others": len(self.plan.withheld),
                "withheld": list(self.sealed),
                "counts_without_people": self.unlinked,
            },
        }

    def looked(self) -> dict[str, int]:
        """Return what only the study's own people may know of the look: it tells how many small counts there are."""
        return {
            "cells_looked_at": self.plan.cells,
            "small_counts_looked_at": self.plan.sensitive,
            "small_counts_tighter_than_asked": self.plan.tight,
        }


def run_protected(
    job: RenderJob,
    standing: Standing,
    scratch: Path,
    run: Callable[[Mapping[str, str]], Any],
    told: Callable[[str], None],
) -> Protected:
    """Run a notebook until nothing that it shows lets a small count be worked out.

    Parameters
    ----------
    job : RenderJob
    standing : Standing
        The release at the place: one that is made again is held against what it was held against then.
    scratch : pathlib.Path
    run : callable
        Runs the notebook with more environment variables, and audits what it put out.
    told : callable
        Told that the notebook runs again, and why.

    Returns
    -------
    Protected

    Raises
    ------
    DisclosureError
        If the ledger lacks a release, or a small count is given away whatever is withheld: naming the cells.
    """
    rules = load_disclosure(job.study)
    policy, overrides = Policy.of(rules), tuple(override.words for override in rules.overrides)
    again = standing.there and not job.supersede
    # A release may have been named as ``.``
    releases = standing.place.resolve().parent.parent
    ledger = Ledger.known(private_folder(job.study), releases) if again else ledger_for(job)
    names = tuple(standing.manifest.get("ledger", ())) if again or ledger is None else ledger.names
    if names and ledger is None:
        return _as_published(job, standing, scratch, run, overrides)
    anew = str(standing.manifest.get("new_ledger", "")) if again or ledger is None else ledger.why
    if not again and ledger is not None and not ledger.names and (others := ledger.others()):
        told(f"releases of this study lie in {others} other folders; what is published here is not held against them")
    earlier = ledger.cells(names) if ledger is not None else []
    withheld: frozenset[str] = frozenset()
    memory = Memory()
    for turn in range(_RUNS):
        executed, record = _run(scratch, withheld, turn, run)
        _refuse_other_doors(job, executed, record, policy)
        cells = [cell for line in record for cell in line.cells]
        keyed = ledger.keyed(cells) if ledger is not None else cells
        if earlier:
            told(f"looking at what it shows together with {len(names)} earlier releases")
        plan = protect(keyed, earlier, policy, memory)
        _refuse_exposed(job, plan)
        if not plan.withheld:
            whole = Plan(withheld, plan.names, (), plan.tight, plan.cells, plan.sensitive)
            kept = without([c for c in keyed if c.people is not None], frozenset(), policy)
            made = _made(job, executed, record, scratch / f"record-{turn}.jsonl", whole)
            done = replace(made, earlier=names, cells=tuple(kept), overrides=overrides, anew=anew)
            return done if again else replace(done, ledger=ledger)
        withheld |= plan.withheld
        told(f"{len(plan.withheld)} rows are withheld so that nobody is singled out; running the notebook again")
    msg = f"{job.name}: after {_RUNS} runs a small count can still be worked out ({'; '.join(plan.names[:_MOST])})"
    raise DisclosureError(msg)


def _as_published(job: RenderJob, standing: Standing, scratch: Path, run: Run, overrides: tuple[str, ...]) -> Protected:
    """Make a release again where its ledger is not: with the rows withheld that its manifest names."""
    told = {"withheld": (), **standing.manifest.get("disclosure", {})}
    if len(told["withheld"]) != told.get("rows_withheld_for_others"):
        msg = f"{standing.place}: its ledger is not in this study's private folder; it cannot be made again here"
        raise DisclosureError(msg)
    executed, record = _run(scratch, frozenset(), 0, run)
    seal = _sealed if "secret" in standing.manifest else _sealed_by_identifiers
    found = seal(job, {cell.row for line in record for cell in line.cells}) if told["withheld"] else {}
    withheld = frozenset(found[name] for name in told["withheld"] if name in found)
    if withheld:
        executed, record = _run(scratch, withheld, 1, run)
    _refuse_other_doors(job, executed, record, Policy.of(load_disclosure(job.study)))
    plan = Plan(withheld, (), (), 0, 0, 0)
    made = _made(job, executed, record, scratch / f"record-{int(bool(withheld))}.jsonl", plan)
    anew = str(standing.manifest.get("new_ledger", ""))
    return replace(made, earlier=tuple(standing.manifest["ledger"]), overrides=overrides, anew=anew)


def _made(job: RenderJob, executed: Any, record: list[RecordLine], file: Path, plan: Plan) -> Protected:  # noqa: ANN401
    """Return a run with what its record says."""
    unlinked = sum(cell.people is None and cell.shown for line in record for cell in line.cells)
    return Protected(executed, file, (), plan, (), sealed=tuple(sorted(_sealed(job, plan.withheld))), unlinked=unlinked)


def _sealed(job: RenderJob, rows: Iterable[str]) -> dict[str, str]:
    """Name rows so that nobody without the study's secret can tell which they are; return them by name."""
    return {job.keyed("row", job.params.report, row)[:16]: row for row in rows}


def _sealed_by_identifiers(job: RenderJob, rows: Iterable[str]) -> dict[str, str]:
    """Name rows as releases did that were made before studies had a secret."""
    key = hashlib.blake2b("\n".join(sorted(job.identifiers)).encode(), digest_size=32).digest()
    return {hashlib.blake2b(row.encode(), key=key, digest_size=8).hexdigest(): row for row in rows}


def _run(scratch: Path, withheld: frozenset[str], turn: int, run: Run) -> tuple[Any, list[RecordLine]]:
    record, rows = scratch / f"record-{turn}.jsonl", scratch / f"withhold-{turn}.json"
    rows.write_text(json.dumps(sorted(withheld)), encoding="utf-8")
    executed = run({"EVALKIT_RECORD": str(record), "EVALKIT_WITHHOLD": str(rows)})
    return executed, read_record(record)


def _refuse_other_doors(job: RenderJob, executed: Any, record: list[RecordLine], policy: Policy) -> None:  # noqa: ANN401
    """Refuse what was shown under another policy than the study's, or without a record of what it shows."""
    if any(line.policy != policy.fingerprint for line in record):
        msg = f"{job.name}: an output was made by another policy than the study's; exceptions stand in its file"
        raise DisclosureError(msg)
    known = {name for line in record for name in (line.estimate, line.told)}
    for number, cell in counted(executed):
        for output in cell.get("outputs", []):
            shown = output.get("metadata", {}).get(MARK, {}).get("estimate")
            if shown and shown not in known:
                msg = f"cell {number}: shows an estimate of which there is no record; use report.show or report.say"
                raise DisclosureError(msg)


def _refuse_exposed(job: RenderJob, plan: Plan) -> None:
    if plan.exposed:
        named = "; ".join(plan.exposed[:_MOST])
        msg = (
            f"{job.name}: with what earlier releases published, {len(plan.exposed)} small counts would be known "
            f"exactly ({named}); leave these out of the notebook, or show them in larger groups"
        )
        raise DisclosureError(msg)
