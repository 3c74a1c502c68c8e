"""How widely sets of people range over the worlds that agree with what is published: found by walking, then by asking.

Worlds found by a walk from the true one prove that a range is wide; where the walk finds none, worlds are looked for by
integer programming. What nothing settles is taken for narrow: the error is on the side of the people.
"""

from __future__ import annotations

__all__ = ["Search"]

import numpy as np
import numpy.typing as npt

from evalkit.disclosure._cells import UNKNOWN
from evalkit.disclosure._walk import Walker
from evalkit.disclosure._worlds import Worlds

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_ROUNDS, _PATIENCE, _HOPE = 600, 120, 12
_CLIMB, _STIR = 20, 20
_PROGRAMMES = 400


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
        self._worlds, self._sets, self._width = worlds, sets, width
        self._whole = sets.astype(np.int64)
        self._low = self._whole @ worlds.true
        self._high = self._low.copy()
        self._programmes = _PROGRAMMES

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

    def wide(self, k: int) -> bool:
        """Look by integer programming for worlds in which a set is wide.

        Parameters
        ----------
        k : int
            Which set.

        Returns
        -------
        bool
            False where there are none, or none were found among those near the true one.
        """
        true, out_of_reach = int(self._whole[k] @ self._worlds.true), {1: UNKNOWN, -1: UNKNOWN}
        while self._programmes and not self._is_wide(k):
            reached = {1: int(self._high[k]) - true, -1: true - int(self._low[k])}
            steps = {s: min(self._width - reached[-s], out_of_reach[s] - 1) for s in (1, -1)}  # far enough at once
            hopeful = [s for s in (1, -1) if steps[s] > reached[s]]
            if not hopeful:
                break
            sign = max(hopeful, key=lambda s: steps[s] + reached[-s])
            self._programmes -= 1
            if not self._solve(k, sign * steps[sign]):
                out_of_reach[sign] = steps[sign]
        return self._is_wide(k)

    def _is_wide(self, k: int) -> bool:
        return bool(self._high[k] - self._low[k] >= self._width)

    def _left(self) -> Ints:
        return np.flatnonzero(self._high - self._low < self._width).astype(np.int64)

    def _saw(self, world: Ints) -> None:
        size = self._whole @ world
        self._low, self._high = np.minimum(self._low, size), np.maximum(self._high, size)

    def _solve(self, k: int, step: int) -> bool:
        """Look for a world in which a set is larger (smaller) by some people, and for others around it."""
        world = self._worlds.nearest(self._sets[k], step)
        if world is None or not self._worlds.agree(world):
            return False
        self._saw(world)
        self._walk(world, _HOPE, seed=k)
        return True
