"""Cells of one release as bytes, and back: what the ledger and releases that wait keep."""

from __future__ import annotations

__all__ = ["NOBODY", "cells_from", "cells_to"]

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from evalkit.counts import Codes
from evalkit.disclosure._cells import Cell

_PLAIN = ("row", "name", "column", "low", "high", "shown", "kind", "family")
NOBODY: Codes = np.empty(0, dtype=np.uint64)


def cells_to(cells: Sequence[Cell], **about: str) -> bytes:
    """Write cells down: each person once, and for each cell one bit for each of them.

    Parameters
    ----------
    cells : sequence of Cell
        With the ledger's own codes; those without people are left out.
    **about
        What else is to be kept: the release's name, the digest of its manifest.

    Returns
    -------
    bytes
    """
    linked = [c for c in cells if c.people is not None]
    every: Codes = np.unique(np.concatenate([*(c.people for c in linked if c.people is not None), NOBODY]))
    content = {
        **about,
        "people": [f"{int(code):016x}" for code in every],
        "cells": [{**{n: getattr(c, n) for n in _PLAIN}, "who": _bits(c.people, every)} for c in linked],
    }
    return json.dumps(content, sort_keys=True).encode()


def _bits(people: Codes | None, every: Codes) -> str:
    inside = np.isin(every, NOBODY if people is None else people)
    return base64.b64encode(np.packbits(inside).tobytes()).decode("ascii")


def cells_from(content: bytes) -> tuple[dict[str, Any], list[Cell]]:
    """Read what `cells_to` wrote.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    tuple of (dict, list of Cell)
        What else was kept, and the cells.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    try:
        found: dict[str, Any] = json.loads(content)
        every = np.array([int(code, 16) for code in found.pop("people")], dtype=np.uint64)
        cells = []
        for kept in found.pop("cells"):
            bits = np.frombuffer(base64.b64decode(kept["who"]), dtype=np.uint8)
            people = every[np.unpackbits(bits, count=len(every)).astype(bool)]
            cells.append(Cell(**{n: kept[n] for n in _PLAIN}, count=len(people), people=people))
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(str(error)) from None
    return found, cells
