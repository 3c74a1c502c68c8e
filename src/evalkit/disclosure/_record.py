"""What a run showed, kept beside it: each output's verdict, its rows and its cells.

The record holds exact counts and codes of people. It is written only where a render asks for it (a private file in its
scratch folder), is read by the render and by the review pack, and never leaves the study's private folder.
"""

from __future__ import annotations

__all__ = ["Record", "RecordLine", "read_record"]

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evalkit.disclosure._cells import Cell, cells_of
from evalkit.disclosure._safe import Safe
from evalkit.errors import DisclosureError
from evalkit.estimates import Estimates

RECORD, WITHHOLD = "EVALKIT_RECORD", "EVALKIT_WITHHOLD"
"""Environment variables: the file to write, and a file with the keys of rows to withhold (a JSON list)."""

_PLAIN = ("row", "name", "column", "count", "shown", "low", "high", "kind", "family")


@dataclass(frozen=True)
class Record:
    """Where a run writes what it shows, and which rows it withholds.

    Attributes
    ----------
    file : pathlib.Path or None
        None: nothing is written (a notebook in an editor).
    withhold : frozenset of str
        Keys of rows.
    """

    file: Path | None = None
    withhold: frozenset[str] = frozenset()

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
        if self.file is None:
            return
        line = {
            "estimate": exact.id,
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


@dataclass(frozen=True)
class RecordLine:
    """One output of a run.

    Attributes
    ----------
    estimate, kind, estimand, verdict : str
    withheld : tuple of str
        Rows that are not shown, in words.
    complementary : bool
        Whether some of them are withheld only because of others.
    cells : tuple of Cell
    """

    estimate: str
    kind: str
    estimand: str
    verdict: str
    withheld: tuple[str, ...]
    complementary: bool
    cells: tuple[Cell, ...]


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


def _written(cell: Cell) -> dict[str, Any]:
    plain = {name: getattr(cell, name) for name in _PLAIN}
    who = None if cell.people is None else base64.b64encode(cell.people.tobytes()).decode("ascii")
    return {**plain, "people": who}


def _line(line: Mapping[str, Any]) -> RecordLine:
    cells = []
    for kept in line["cells"]:
        who = kept["people"]
        people = None if who is None else np.frombuffer(base64.b64decode(who), dtype=np.uint64)
        cells.append(Cell(**{name: kept[name] for name in _PLAIN}, people=people))
    texts = {name: str(line[name]) for name in ("estimate", "kind", "estimand", "verdict")}
    return RecordLine(
        **texts, withheld=tuple(line["withheld"]), complementary=bool(line["complementary"]), cells=tuple(cells)
    )
