"""What a run showed, kept beside it: each output's verdict, its rows and its cells.

The record holds exact counts. It is written only where a render asks for it (a private file in its
scratch folder), is read by the render and by the review pack, and never leaves the study's private folder.
"""

from __future__ import annotations

__all__ = ["Record", "RecordLine", "read_record"]

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.disclosure._cells import Cell, cells_of
from evalkit.disclosure._safe import Safe
from evalkit.errors import DisclosureError
from evalkit.estimates import Estimates

RECORD = "EVALKIT_RECORD"
"""Environment variable: the file to write."""


@dataclass(frozen=True)
class Record:
    """Where a run writes what it shows.

    Attributes
    ----------
    file : pathlib.Path or None
        None: nothing is written (a notebook in an editor).
    made : list of Safe
        What passed disclosure control in this run, in order: nothing else may be shown.
    """

    file: Path | None = None
    made: list[Safe] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def of_run(cls, environment: Mapping[str, str] = os.environ) -> Record:
        """Return the record that the render of this process asks for.

        Parameters
        ----------
        environment : mapping of str to str

        Returns
        -------
        Record
        """
        named = environment.get(RECORD)
        return cls(Path(named) if named else None)

    def add(self, exact: Estimates, safe: Safe) -> None:
        """Add a line for one output.

        Parameters
        ----------
        exact : Estimates
        safe : Safe
        """
        self.made.append(safe)
        if self.file is None:
            return
        line = {
            "line": len(self.made),
            "policy": safe.policy.fingerprint,
            "estimate": exact.id,
            "told": safe.estimates.id,  # another one where nothing is left to be asked again
            "kind": exact.kind,
            "estimand": exact.estimand,
            "verdict": safe.verdict,
            "withheld": list(safe.withheld),
            "cells": [dataclasses.asdict(cell) for cell in cells_of(exact, safe)],
        }
        # Exact counts: for the owner's eyes from the first byte on, not after a chmod.
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def line_of(self, safe: Safe) -> int:
        """Return the line of the record that speaks of an estimate.

        Parameters
        ----------
        safe : Safe

        Returns
        -------
        int
            From 1; 0 where none does, because something else made it safe.
        """
        # By identity: an equal one that a notebook built itself did not pass disclosure control here.
        return next((number for number, one in enumerate(self.made, start=1) if one is safe), 0)


@dataclass(frozen=True)
class RecordLine:
    """One output of a run.

    Attributes
    ----------
    estimate, told, kind, estimand, verdict : str
        ``told`` is the id by which outputs name the estimate.
    withheld : tuple of str
        Rows that are not shown, in words.
    cells : tuple of Cell
    policy : str
        Fingerprint of the policy that was applied.
    """

    estimate: str
    told: str
    kind: str
    estimand: str
    verdict: str
    withheld: tuple[str, ...]
    cells: tuple[Cell, ...]
    policy: str


def read_record(file: Path) -> list[RecordLine]:
    """Read what a run showed.

    Parameters
    ----------
    file : pathlib.Path

    Returns
    -------
    list of RecordLine
        Empty where there is no such file: nothing was shown.

    Raises
    ------
    DisclosureError
        If the file is not a record.
    """
    if not file.is_file():
        return []
    try:
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return [_line(line) for line in lines]
    except (ValueError, KeyError, TypeError):
        msg = "the record of what the notebook showed cannot be read; a notebook must not write to it. Render it again"
        raise DisclosureError(msg) from None


def _line(line: Mapping[str, Any]) -> RecordLine:
    texts = {name: str(line[name]) for name in ("estimate", "told", "kind", "estimand", "verdict", "policy")}
    cells = tuple(Cell(**cell) for cell in line["cells"])
    return RecordLine(**texts, withheld=tuple(line["withheld"]), cells=cells)
