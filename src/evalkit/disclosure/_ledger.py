"""The ledger: what every release of a study published, so that the next one cannot be subtracted from it.

It lies in the study's private folder, never with the releases. For each cell it holds what a reader knows of the
count, and who stands behind it as keyed codes: with the ledger alone nobody can be found, and with a release alone
nothing of the ledger can be worked out.
"""

from __future__ import annotations

__all__ = ["Ledger"]

import base64
import dataclasses
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from evalkit.counts import Codes
from evalkit.disclosure._cells import Cell
from evalkit.errors import DisclosureError

_MARK = ".ledger"
_KEY = "key"
_PLAIN = ("row", "name", "column", "low", "high", "shown", "kind", "family")


@dataclass(frozen=True)
class Ledger:
    """The ledger of the releases in one reports folder of a study.

    Attributes
    ----------
    folder : pathlib.Path
        Private.
    mark : pathlib.Path or None
        The file among the releases that is to name the ledger, while nothing was published there.
    """

    folder: Path
    mark: Path | None = None
    _fresh: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False, compare=False)

    @classmethod
    def of(cls, private: Path, releases: Path) -> Ledger:
        """Return the ledger of a folder of releases; where there is none, one that `begin` makes.

        Parameters
        ----------
        private : pathlib.Path
            The study's private folder.
        releases : pathlib.Path
            ``<out>/<study>``. A small file in it names its ledger, so that it may be moved.

        Returns
        -------
        Ledger
        """
        mark = releases / _MARK
        if not mark.is_file():
            return cls(private / "ledger" / secrets.token_hex(8), mark)
        name = mark.read_text(encoding="utf-8").strip()
        if not name.isalnum():
            msg = f"{mark}: does not name a ledger; put back the file that was there"
            raise DisclosureError(msg)
        folder = private / "ledger" / name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder)

    def begin(self) -> None:
        """Make the ledger, before the first release can be seen: a render that fails leaves nothing behind."""
        if self.mark is None or self.mark.is_file():
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self.folder / _KEY, self._fresh)
        self.mark.parent.mkdir(parents=True, exist_ok=True)
        _write(self.mark, self.folder.name.encode())

    @property
    def names(self) -> tuple[str, ...]:
        """The releases in it, in the order in which they were published."""
        return tuple(file.stem.partition("-")[2] for file in self._files())

    def require(self, published: Iterable[str]) -> None:
        """Refuse to go on when a release is published that the ledger does not hold.

        Parameters
        ----------
        published : iterable of str
            Names of releases.

        Raises
        ------
        DisclosureError
            Naming the first one.
        """
        missing = sorted(set(published) - set(self.names))
        if missing:
            back = (
                f"the ledger back in {self.folder}"
                if self.mark is None
                else f"back {self.mark}, which names the ledger"
            )
            msg = (
                f"the ledger does not hold {missing[0]} ({len(missing)} releases are missing), so nobody can say what "
                f"a new release would give away; put {back}"
            )
            raise DisclosureError(msg)

    def others(self) -> int:
        """Return how many other folders hold releases of the study, by their ledgers."""
        return sum(
            any(folder.glob("[0-9]*-*.json")) for folder in self.folder.parent.glob("*") if folder != self.folder
        )

    def keyed(self, cells: Sequence[Cell]) -> list[Cell]:
        """Return cells with the codes of people as the ledger writes them.

        Parameters
        ----------
        cells : sequence of Cell

        Returns
        -------
        list of Cell
        """
        key = self._key()
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

    def cells(self, names: Iterable[str] | None = None) -> list[Cell]:
        """Return what was published before.

        Parameters
        ----------
        names : iterable of str, optional
            Releases; all of them by default.

        Returns
        -------
        list of Cell

        Raises
        ------
        DisclosureError
            If a release is not in the ledger, or its entry cannot be read.
        """
        wanted = None if names is None else set(names)
        self.require(wanted or ())
        chosen = [f for f in self._files() if wanted is None or f.stem.partition("-")[2] in wanted]
        return [cell for file in chosen for cell in _entry(file)]

    def write(self, name: str, cells: Sequence[Cell]) -> Path:
        """Add a release; an entry of the same name was never published, or is the same release made again.

        Parameters
        ----------
        name : str
            As ``quarterly-2022Q3-r1``.
        cells : sequence of Cell
            With the ledger's own codes (see `keyed`).

        Returns
        -------
        pathlib.Path
        """
        self.begin()
        files = self._files()
        same = [f for f in files if f.stem.partition("-")[2] == name]
        number = int(files[-1].stem.partition("-")[0]) + 1 if files else 1
        file = same[0] if same else self.folder / f"{number:05d}-{name}.json"
        linked = [c for c in cells if c.people is not None]
        every: Codes = np.unique(np.concatenate([*(c.people for c in linked if c.people is not None), _NOBODY]))
        content = {
            "release": name,
            "people": [f"{int(code):016x}" for code in every],
            "cells": [{**{n: getattr(c, n) for n in _PLAIN}, "who": _bits(c.people, every)} for c in linked],
        }
        _write(file, json.dumps(content, sort_keys=True).encode())
        return file

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*-*.json"))

    def _key(self) -> bytes:
        file = self.folder / _KEY
        if not file.is_file():
            if self._files():
                msg = f"{file}: the key of the ledger is gone; put it back"
                raise DisclosureError(msg)
            if self.mark is not None:
                return self._fresh
            _write(file, self._fresh)
        return file.read_bytes()


_NOBODY: Codes = np.empty(0, dtype=np.uint64)


def _keyed(key: bytes, code: int) -> int:
    return int.from_bytes(hashlib.blake2b(code.to_bytes(8, "big"), key=key, digest_size=8).digest(), "big")


def _bits(people: Codes | None, every: Codes) -> str:
    inside = np.isin(every, _NOBODY if people is None else people)
    return base64.b64encode(np.packbits(inside).tobytes()).decode("ascii")


def _entry(file: Path) -> list[Cell]:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        every = np.array([int(code, 16) for code in content["people"]], dtype=np.uint64)
        found = []
        for kept in content["cells"]:
            bits = np.frombuffer(base64.b64decode(kept["who"]), dtype=np.uint8)
            people = every[np.unpackbits(bits, count=len(every)).astype(bool)]
            found.append(Cell(**{n: kept[n] for n in _PLAIN}, count=len(people), people=people))
    except (OSError, ValueError, KeyError, TypeError):
        msg = f"{file}: this entry of the ledger cannot be read; put back the file that was there"
        raise DisclosureError(msg) from None
    return found


def _write(file: Path, content: bytes) -> None:
    """Write a private file in one step."""
    descriptor, name = tempfile.mkstemp(prefix=".writing-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
