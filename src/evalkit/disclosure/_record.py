"""What a run showed, kept beside it: each output's verdict, its rows and its cells.

The record holds exact counts and codes of people. It is written only where a render asks for it (a private file in its
scratch folder), is read by the render and by the review pack, and never leaves the study's private folder.
"""

from __future__ import annotations

__all__ = ["PLAIN", "Record"]

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.disclosure._cells import Cell, cells_of
from evalkit.disclosure._safe import Safe
from evalkit.estimates import Estimates

RECORD, WITHHOLD = "EVALKIT_RECORD", "EVALKIT_WITHHOLD"
"""Environment variables: the file to write, and a file with the keys of rows to withhold (a JSON list)."""

PLAIN = ("row", "name", "column", "count", "shown", "low", "high", "kind", "family")
"""Fields of a cell that are written as they are."""


@dataclass(frozen=True)
class Record:
    """Where a run writes what it shows, and which rows it withholds.

    Attributes
    ----------
    file : pathlib.Path or None
        None: nothing is written (a notebook in an editor).
    withhold : frozenset of str
        Keys of rows.
    made : list of Safe
        What passed disclosure control in this run, in order: nothing else may be shown.
    """

    file: Path | None = None
    withhold: frozenset[str] = frozenset()
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
        named, withheld = environment.get(RECORD), environment.get(WITHHOLD)
        keys = json.loads(Path(withheld).read_text(encoding="utf-8")) if withheld else []
        return cls(Path(named) if named else None, frozenset(keys))

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
            "complementary": safe.complementary,
            "cells": [_written(cell) for cell in cells_of(exact, safe.gone, safe.policy)],
        }
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
        return next((number for number, one in enumerate(self.made, start=1) if one is safe), 0)


def _written(cell: Cell) -> dict[str, Any]:
    plain = {name: getattr(cell, name) for name in PLAIN}
    who = None if cell.people is None else base64.b64encode(cell.people.tobytes()).decode("ascii")
    return {**plain, "people": who}
