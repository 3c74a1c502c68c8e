"""Reading back what a run showed."""

from __future__ import annotations

__all__ = ["RecordLine", "read_record"]

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.disclosure._cells import Cell
from evalkit.errors import DisclosureError


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
