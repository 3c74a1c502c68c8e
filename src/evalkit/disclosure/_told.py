"""Of whom numbers were told, so that no small difference is seen through too many pairs of them.

Two published groups that differ by few people tell of these few, through the noise of both. The same few may be what
another pair differs by, and another: each pair is one more look, and the mean of many looks is close to the truth. As
a group's key is the sum of its people's, the difference of two groups has a key of its own, and pairs that show the
same few are found by it. Where a number would make one look too many it is not told.
"""

from __future__ import annotations

__all__ = ["LEFT_OUT", "Told", "append_private", "name_of", "read_told"]

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.errors import DisclosureError

Keys = NDArray[np.uint64]
Ints = NDArray[np.int64]
_ROW = np.dtype([("key", "<u8"), ("size", "<i8")])
LEFT_OUT = -1
"""Stands for the size of a group of which no number is told."""
# Looks at the same few people that leave the likeliest size below one half, times the variance of the noise (ADR 15).
_LOOKS = 2.5
# A reader knows more of a group of hardly more than the minimum, as noise has less room there: by less than so many
# more, a pair counts for four or two looks (ADR 15).
_NEAR = (3, 5)
_LOOK = np.array([1, 2, 4, 0])
# Two bits of the key in place of a second array: 62 are enough where a hash draws keys.
_MARK = np.uint64(3)


def name_of(key: int) -> str:
    """Return what a manifest calls a group of which no number is told: it leads back to nobody."""
    return hashlib.blake2b(key.to_bytes(8, "little"), digest_size=8, person=b"left out").hexdigest()


def read_told(file: Path) -> NDArray[Any]:
    """Read what a run told.

    Returns
    -------
    numpy.ndarray
        key and size of each group; `LEFT_OUT` for a size where no number is told. Empty where there is no
        such file.

    Raises
    ------
    DisclosureError
        If it is something else.
    """
    if not file.is_file():
        return np.zeros(0, dtype=_ROW)
    content = file.read_bytes()
    if len(content) % _ROW.itemsize:
        msg = f"{file}: what was told cannot be read; put it back from a backup, or take it away"
        raise DisclosureError(msg)
    return np.frombuffer(content, dtype=_ROW)


def append_private(file: Path, content: bytes) -> None:
    """Write at a file's end: for the owner's eyes from the first byte on, not after a chmod."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:
        stream.write(content)


@dataclass(eq=False)
class Told:
    """Groups of people of which a number is told, in this release and in those before.

    Attributes
    ----------
    before : numpy.ndarray
        key and size of each group in earlier releases; see `read_told`.
    decided : frozenset of str, or None
        Where a release is made again: the names of the groups of which it tells no number; nothing is decided anew.
    file : pathlib.Path or None
        Where it is written down, for the next release.
    """

    before: NDArray[Any] = field(default_factory=lambda: np.zeros(0, dtype=_ROW), repr=False)
    decided: frozenset[str] | None = None
    file: Path | None = None
    _may: dict[int, bool] = field(default_factory=dict, init=False, repr=False)
    _looks: _Looks | None = field(default=None, init=False, repr=False)

    @property
    def asked(self) -> int:
        """Of how many groups a number was asked in this run."""
        return len(self._may)

    @property
    def left_out(self) -> int:
        """Of how many of them none is told."""
        return sum(not told for told in self._may.values())

    @classmethod
    def of_run(cls, environment: Mapping[str, str] = os.environ) -> Told:
        """Return what the render of this process knows of earlier releases."""
        folder = environment.get("EVALKIT_TOLD", "")
        if not folder:
            return cls()
        again = Path(folder) / "left_out.json"
        decided = frozenset(json.loads(again.read_text(encoding="utf-8"))) if again.is_file() else None
        file = Path(folder) / "told.bin"  # another report that was opened in this run
        return cls(np.concatenate([read_told(Path(folder) / "before.bin"), read_told(file)]), decided, file)

    def may(self, key: int, size: int, least: int, variance: float, *, spare: bool = False) -> bool:
        """Say whether a number of a group may be told; from then on it counts as told.

        Parameters
        ----------
        key : int
            Of the group.
        size : int
            How many they are, exactly.
        least : int
            Differences of fewer are small.
        variance : float
            Of the noise.
        spare : bool, default False
            Whether it is a number that a reader misses least: looks are left for others.

        Returns
        -------
        bool
            The same whenever it is asked of the same group.
        """
        known = self._may.get(key)
        if known is None:
            if self.decided is not None:
                known = name_of(key) not in self.decided
            else:
                if self._looks is None:
                    self._looks = _Looks.of(self.before, least)
                most = max(int(_LOOKS * variance), 1)
                known = self._looks.add(key, size, max(most - 2, 1) if spare else most)
            self._may[key] = known
            if self.file is not None:
                append_private(self.file, np.array([(key, size if known else LEFT_OUT)], dtype=_ROW).tobytes())
        return known


@dataclass(eq=False)
class _Looks:
    """Groups that were told, and the small differences of any two of them, in a few sorted runs.

    A difference is the difference of two keys but for its last two bits, which say for how many looks it counts.
    """

    least: int
    keys: Keys
    sizes: Ints
    n: int
    known: set[int]
    runs: list[Keys]

    @classmethod
    def of(cls, before: NDArray[Any], least: int) -> _Looks:
        """Return what earlier releases told; a group of several of them was told once."""
        told = before[before["size"] >= 0]
        keys, first = np.unique(told["key"], return_index=True)
        order = np.argsort(told["size"][first], kind="stable")
        keys, sizes, found = keys[order].astype(np.uint64), told["size"][first][order].astype(np.int64), []
        for step in range(1, len(sizes)):
            gap = sizes[step:] - sizes[:-step]
            if (gap >= least).all():
                break  # further apart they only get larger
            near = (gap > 0) & (gap < least)
            found.append(_marked((keys[step:] - keys[:-step])[near], sizes[:-step][near], least))  # modulo 2**64
        runs = [np.sort(np.concatenate(found))] if found else []
        return cls(least, keys, sizes, len(keys), set(keys.tolist()), runs)

    def add(self, key: int, size: int, most: int) -> bool:
        """Add a group, unless a small difference would be seen too often then."""
        # The same people have the same number everywhere, so telling it again shows nothing new.
        if key in self.known:
            return True
        gap = self.sizes[: self.n] - size
        near = np.flatnonzero((gap != 0) & (np.abs(gap) < self.least))
        own, others, gap = np.uint64(key), self.keys[near], gap[near]
        new = np.sort(_marked(np.where(gap > 0, others - own, own - others), np.minimum(size, size + gap), self.least))
        seen = sum((_looks_at(new, run) for run in self.runs), np.zeros(len(new), dtype=np.int64))
        # The first look is always allowed: it alone leaves the likeliest size below one half.
        if ((seen > 0) & (seen + _LOOK[new & _MARK] > most)).any():
            return False
        self.runs.append(new)
        # As in a binary counter: few runs to search, and each key is sorted again only a logarithm of times.
        while len(self.runs) > 1 and len(self.runs[-2]) <= 2 * len(self.runs[-1]):
            self.runs[-2:] = [np.sort(np.concatenate(self.runs[-2:]), kind="stable")]
        if self.n == len(self.keys):
            self.keys = np.concatenate([self.keys, np.zeros(self.n + 64, dtype=np.uint64)])
            self.sizes = np.concatenate([self.sizes, np.zeros(self.n + 64, dtype=np.int64)])
        self.keys[self.n], self.sizes[self.n] = key, size
        self.n += 1
        self.known.add(key)
        return True


def _marked(differences: Keys, smaller: Ints, least: int) -> Keys:
    """Write into differences for how many looks they count, by the size of the smaller group."""
    marks = np.select([smaller < least + far for far in _NEAR], [2, 1], 0).astype(np.uint64)
    return np.asarray(differences & ~_MARK | marks, dtype=np.uint64)


def _looks_at(differences: Keys, run: Keys) -> Ints:
    """Return how many looks at each difference there are in a run."""
    found = np.zeros(len(differences), dtype=np.int64)
    if not len(run):
        return found
    bare = differences & ~_MARK
    first = np.searchsorted(run, bare)
    for k in np.flatnonzero(run[np.minimum(first, len(run) - 1)] & ~_MARK == bare):
        last = np.searchsorted(run, bare[k] | _MARK, side="right")
        found[k] = _LOOK[run[first[k] : last] & _MARK].sum()
    return found
