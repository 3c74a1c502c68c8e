"""How widely sets of people range over the worlds that agree with what is published.

Worlds found by a walk from the true one prove that a range is wide. Where the walk finds none, a linear programme says
which way one may lie, in fractions of people; rounded, it breaks a few counts, and a jump mends them (a feasibility
pump: Fischetti, Glover and Lodi 2005, Mathematical Programming 104:91-104). What nothing settles is taken for narrow:
the error is on the side of the people.
"""

from __future__ import annotations

__all__ = ["Search"]

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from evalkit.disclosure._cells import UNKNOWN
from evalkit.disclosure._jump import Jumper
from evalkit.disclosure._walk import Walker
from evalkit.disclosure._worlds import Worlds

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_ROUNDS, _PATIENCE, _HOPE = 600, 120, 12
_CLIMB, _STIR = 20, 20
_TURNS = 20
_QUICK, _THOROUGH = (1000, 2), (8000, 3)
"""How many moves of a jump, from how many roundings."""


class Search:
    """Sizes of sets of people in the worlds that were found so far.

    Parameters
    ----------
    worlds : Worlds
    sets : numpy.ndarray of bool, shape (sets, atoms)
    width : int
        A set is wide when its largest and its smallest size differ by as much.
    """

    def __init__(self, worlds: Worlds, sets: Bools, width: int) -> None:
        self._worlds, self._sets, self.width = worlds, sets, width
        self._width = np.full(len(sets), width)
        self._whole = sets.astype(np.int64)
        self._low = self._whole @ worlds.true
        self._high = self._low.copy()
        self._found = [worlds.true]
        self._bounds: dict[int, tuple[float, float, Bools]] = {}
        self._jumper = Jumper(worlds.member, worlds.low, worlds.high)

    @property
    def reached(self) -> Ints:
        """By how much the largest and the smallest size of each set differ in the worlds that were found."""
        return self._high - self._low

    def narrow(self, seed: int = 1) -> Ints:
        """Walk through the worlds; return the sets that are not wide in those that were met.

        Parameters
        ----------
        seed : int
            Of the walk: the same cells give the same answer.

        Returns
        -------
        numpy.ndarray of int64
            Indices into the sets.
        """
        self._walk(self._worlds.true, _PATIENCE, seed)
        return self._left()

    def _walk(self, start: Ints, patience: int, seed: int) -> None:
        """Walk from a world towards more and less of sets that are not wide yet, until none is won for a while."""
        cells = self._worlds
        rng, walker = np.random.default_rng(seed), Walker(cells.member, cells.low, cells.high, start)
        last, left = 0, self._left()
        for turn in range(_ROUNDS):
            if not len(left) or turn - last > patience:
                break
            some = rng.choice(left, size=min(len(left), 1 + turn % 8), replace=False)
            goal = rng.choice([-1.0, 1.0], size=len(some)) @ self._sets[some].astype(np.float64)
            for move in (goal, -goal, None):
                if move is None:
                    walker.stir(rng, _STIR)
                else:
                    walker.climb(move, _CLIMB)
                self._saw(walker.world)
            before, left = len(left), self._left()
            last = turn if len(left) < before else last

    def settle_for(self, sets: Sequence[int], width: Ints) -> None:
        """Take some sets for wide when they are as wide as this.

        Parameters
        ----------
        sets : sequence of int
            Which ones.
        width : numpy.ndarray of int64, shape (len(sets),)
        """
        self._width[list(sets)] = width

    def ask(self, sets: Sequence[int]) -> list[int]:
        """Look for worlds in which sets are wide: quickly, then thoroughly where no programme proves there are none.

        Parameters
        ----------
        sets : sequence of int
            Which ones.

        Returns
        -------
        list of int
            Those for which none were found.
        """
        left = self._rounds([k for k in sets if not self._is_wide(k)], _QUICK)
        self._rounds([k for k in left if self.values(k) > self._width[k]], _THOROUGH)
        return [k for k in left if not self._is_wide(k)]

    def bounds(self, k: int) -> tuple[float, float, Bools]:
        """Return the range of a set over fractions of people, and the cells that hold it there (`Worlds.range`).

        Parameters
        ----------
        k : int
            Which set.

        Returns
        -------
        low, high : float
        holding : numpy.ndarray of bool, shape (cells,)
        """
        if k not in self._bounds:
            self._bounds[k] = self._worlds.range(self._sets[k])
        return self._bounds[k]

    def values(self, k: int) -> float:
        """Return how many sizes of a set are in its range over fractions of people: there cannot be more.

        Parameters
        ----------
        k : int
            Which set.

        Returns
        -------
        float
        """
        low, high, _ = self.bounds(k)
        return float(np.floor(high + 1e-6) - np.ceil(low - 1e-6) + 1)

    def _rounds(self, left: list[int], effort: tuple[int, int]) -> list[int]:
        """Ask again as long as a set gets wider; return those that are not wide."""
        for turn in range(_TURNS):
            rng, reached = np.random.default_rng(turn), self.reached[left]
            for k in left:
                for sign in (1, -1):
                    self._reach(k, sign, rng, effort)
            before, left = left, [k for k in left if not self._is_wide(k)]
            if not (self.reached[before] > reached).any():
                break
        return left

    def _reach(self, k: int, sign: int, rng: np.random.Generator, effort: tuple[int, int]) -> None:
        """Look from a world that was found for one in which a set is larger (smaller): enough, or than in any."""
        base = self._found[rng.integers(len(self._found))]
        size = int(self._whole[k] @ base)
        above, below = int(self._high[k]) - size, size - int(self._low[k])
        reached, other = (above, below) if sign > 0 else (below, above)
        enough = int(self._width[k]) - other
        for step in dict.fromkeys((enough, reached + 1)):
            if self._is_wide(k):
                return
            if step <= reached or (sign < 0 and step > size):
                continue
            way = self._worlds.towards(base, self._sets[k], sign * step, rng.uniform(0.5, 1.5, (2, len(base))))
            if way is None:
                continue
            target = (size + step, UNKNOWN) if sign > 0 else (0, size - step)
            for turn in range(effort[1]):
                start = np.floor(way + rng.random(len(way))) if turn else np.rint(way)
                whole = np.maximum(base + start.astype(np.int64), 0)
                world = self._jumper.reach(whole, self._sets[k], target, effort[0], seed=int(rng.integers(2**31)))
                if world is not None and self._worlds.agree(world):
                    self._saw(world)
                    self._found.append(world)
                    self._walk(world, _HOPE, seed=k)
                    break

    def _is_wide(self, k: int) -> bool:
        return bool(self.reached[k] >= self._width[k])

    def _left(self) -> Ints:
        return np.flatnonzero(self.reached < self._width).astype(np.int64)

    def _saw(self, world: Ints) -> None:
        size = self._whole @ world
        self._low, self._high = np.minimum(self._low, size), np.maximum(self._high, size)
