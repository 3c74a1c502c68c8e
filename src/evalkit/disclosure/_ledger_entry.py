"""Cells of one release as bytes, and back: what the ledger and releases that wait keep."""

from __future__ import annotations

__all__ = ["cells_from", "cells_to", "keyed_cells"]

import base64
import dataclasses
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from evalkit.counts import Codes
from evalkit.disclosure._cells import Cell

_PLAIN = ("row", "name", "column", "low", "high", "shown", "kind", "family")
_NOBODY: Codes = np.empty(0, dtype=np.uint64)


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
    every: Codes = np.unique(np.concatenate([*(c.people for c in linked if c.people is not None), _NOBODY]))
    content = {
        **about,
        "people": [f"{int(code):016x}" for code in every],
        "cells": [{**{n: getattr(c, n) for n in _PLAIN}, "who": _bits(c.people, every)} for c in linked],
    }
    return json.dumps(content, sort_keys=True).encode()


def _bits(people: Codes | None, every: Codes) -> str:
    inside = np.isin(every, _NOBODY if people is None else people)
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


def keyed_cells(cells: Sequence[Cell], key: bytes) -> list[Cell]:
    """Give people other codes, which only who has the key can make.

    Parameters
    ----------
    cells : sequence of Cell
    key : bytes

    Returns
    -------
    list of Cell
    """
    every: Codes = np.unique(np.concatenate([*(c.people for c in cells if c.people is not None), _NOBODY]))
    coded = {int(code): _keyed(key, int(code)) for code in every}
    found = []
    for cell in cells:
        if cell.people is None:
            found.append(cell)
            continue
        people = np.sort(np.array([coded[int(code)] for code in cell.people], dtype=np.uint64))
        found.append(dataclasses.replace(cell, people=people))
    return found


def _keyed(key: bytes, code: int) -> int:
    return int.from_bytes(hashlib.blake2b(code.to_bytes(8, "big"), key=key, digest_size=8).digest(), "big")
