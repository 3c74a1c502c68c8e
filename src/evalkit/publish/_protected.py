"""Running a notebook once, and holding what it showed to the study's policy."""

from __future__ import annotations

__all__ = ["Protected", "refuse_other_doors", "run_protected", "says_synthetic"]

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.disclosure import LEFT_OUT, Policy, RecordLine, name_of, read_record, read_told
from evalkit.errors import DisclosureError
from evalkit.protocol import load_disclosure, noise_secret
from evalkit.publish._job import RenderJob
from evalkit.publish.audit import counted
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._review import TOLD, told_before
from evalkit.publish.release._standing import Standing, ledger_for
from evalkit.seal import MARK

_Run = Callable[[Mapping[str, str]], Any]


@dataclass(frozen=True)
class Protected:
    """A run whose outputs may be published."""

    executed: Any
    file: Path  # the record of what it showed
    earlier: tuple[str, ...]  # releases that were published before
    overrides: tuple[str, ...] = ()  # exceptions to the policy that were in force, in words
    ledger: Ledger | None = None  # where the release is written down; None where it is only made again
    counts: int = 0  # behind what it shows
    small: int = 0  # of these, too small to be shown
    unlinked: int = 0  # of these, without who they are: their noise is that of the question, not of the people
    anew: str = ""  # why the ledger was begun beside or after another one
    # Names of the groups of which no number is told, as it would show few people once too often (ADR 15).
    left_out: tuple[str, ...] = ()
    # Of how many earlier releases it is not kept here whom they told of: differences with them are not looked for.
    unknown: int = 0

    def facts(self) -> dict[str, Any]:
        """Return what the manifest says of it: no count of people, nor how many of the tables' counts are small."""
        return {
            "ledger": list(self.earlier),
            "new_ledger": self.anew,
            "overrides": list(self.overrides),
            "disclosure": {
                "method": "noise",
                "counts_without_people": self.unlinked,
                # so that the same numbers are left out wherever it is made again
                **({"left_out": list(self.left_out)} if self.left_out else {}),
            },
        }

    def looked(self) -> dict[str, int]:
        """Return what only the study's own people may know: it tells how many small counts there are."""
        return {"counts": self.counts, "small_counts": self.small}


def run_protected(job: RenderJob, standing: Standing, scratch: Path, run: _Run) -> Protected:
    """Run a notebook, and refuse what was shown by any other way than through the study's policy.

    `standing` is the release at the place: one that is made again says of earlier ones what it said then. `run` takes
    more environment variables, runs the notebook and audits what it put out. `DisclosureError` if the ledger lacks a
    release, or something was shown under another policy or without a record.
    """
    rules = load_disclosure(job.study)
    overrides = tuple(override.words for override in rules.overrides)
    # What is only made again stands in the ledger already, and must come out as if nothing had been published since.
    again = standing.there and not job.supersede
    ledger = None if again else ledger_for(job)
    earlier = tuple(standing.manifest.get("ledger", ())) if ledger is None else ledger.names
    anew = str(standing.manifest.get("new_ledger", "")) if ledger is None else ledger.why
    file = scratch / "record.jsonl"
    known = told_before(job.study, scratch / "before.bin")
    if ledger is None:
        left_out = standing.manifest.get("disclosure", {}).get("left_out", ())
        # Not asked anew: releases since then would leave out others, and the numbers would differ.
        (scratch / "left_out.json").write_text(json.dumps(list(left_out)), encoding="utf-8")
    executed = run({"EVALKIT_RECORD": str(file), "EVALKIT_TOLD": str(scratch)})
    record = read_record(file)
    secret = noise_secret(job.study, synthetic=says_synthetic(executed))
    refuse_other_doors(job, executed, record, Policy.of(rules, secret))
    cells = [cell for line in record for cell in line.cells]
    small = sum(0 < cell.count < rules.minimum_count for cell in cells)
    unlinked = sum(cell.shown and not cell.linked for cell in cells)
    told = read_told(scratch / TOLD)
    names = tuple(sorted({name_of(int(key)) for key in told["key"][told["size"] == LEFT_OUT]}))
    # Sixteen digits: `kept_folder_of` names the folders of what was kept so.
    unknown = 0 if ledger is None else sum(ledger.manifest_of(name)[:16] not in known for name in earlier)
    return Protected(executed, file, earlier, overrides, ledger, len(cells), small, unlinked, anew, names, unknown)


def says_synthetic(executed: Any) -> bool:  # noqa: ANN401 - nbformat has no types
    """Say whether the report says of itself that nobody in it is real."""
    marks = [
        output.get("metadata", {}).get(MARK, {}) for _, cell in counted(executed) for output in cell.get("outputs", [])
    ]
    return any(bool(mark.get("document", {}).get("synthetic")) for mark in marks)


def refuse_other_doors(job: RenderJob, executed: Any, record: list[RecordLine], policy: Policy) -> None:  # noqa: ANN401
    """Refuse what was shown under another policy than the study's, or without a record of what it shows."""
    # A notebook can make a `Safe` of its own, under a policy that hides nothing (ADR 7).
    if any(line.policy != policy.fingerprint for line in record):
        msg = f"{job.name}: an output was made by another policy than the study's; exceptions stand in its file"
        raise DisclosureError(msg)
    # Where nothing is left to be asked again an output names another id than the estimate that was asked (`told`).
    known = {name for line in record for name in (line.estimate, line.told)}
    for number, cell in counted(executed):
        for output in cell.get("outputs", []):
            shown = output.get("metadata", {}).get(MARK, {}).get("estimate")
            if shown and shown not in known:
                msg = f"cell {number}: shows an estimate of which there is no record; use report.show or report.say"
                raise DisclosureError(msg)
