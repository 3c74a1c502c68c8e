"""Worlds found by jumping: counts may be broken on the way, and what is broken weighs more the longer it stays so.

A walk keeps every count where a reader knows it to lie, and so cannot leave a world around which all moves of one or
two people break something. A jump changes one person at a time towards less that is broken; where no change helps,
the weights of what is broken rise until one does (weighted violations, as in Luteberget and Sartor 2023, Mathematical
Programming Computation 15:365-388).
"""

from __future__ import annotations

__all__ = ["Jumper"]

import numpy as np
import numpy.typing as npt

from evalkit.disclosure._cells import UNKNOWN

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

_GOAL, _REST = 25, 8
_HEAVIEST = 2**16
"""Weights that are larger are forgotten: single precision would not add them up any more."""


class Jumper:
    """Looks for worlds in which a set of people has another size.

    Parameters
    ----------
    member : numpy.ndarray of bool, shape (cells, atoms)
    low, high : numpy.ndarray of int64, shape (cells,)
        What a reader knows of each count.
    """

    def __init__(self, member: Bools, low: Ints, high: Ints) -> None:
        none = np.zeros((1, member.shape[1]), dtype=np.float32)
        self._member = np.vstack([member.astype(np.float32), none])  # the last row is the set that is asked for
        self._cells = [np.flatnonzero(member[:, a]) for a in range(member.shape[1])]
        self._low, self._high = np.append(low, 0), np.append(high, UNKNOWN)

    def reach(self, start: Ints, chosen: Bools, target: tuple[int, int], moves: int, seed: int) -> Ints | None:
        """Look for a world in which a set's size lies between two numbers.

        Parameters
        ----------
        start : numpy.ndarray of int64, shape (atoms,)
            Where to begin; any world.
        chosen : numpy.ndarray of bool, shape (atoms,)
            The set.
        target : (int, int)
            Its least and its largest size.
        moves : int
            After how many to give up.
        seed : int
            Of the choice among moves that are equally good.

        Returns
        -------
        numpy.ndarray of int64, shape (atoms,), or None
            None where none was found.
        """
        self._member[-1] = chosen
        self._low[-1], self._high[-1] = target
        rng = np.random.default_rng(seed)
        self._begin(start)
        rested = np.zeros(len(start), dtype=np.int64)
        for turn in range(moves):
            broken = np.flatnonzero((self._sizes < self._low) | (self._sizes > self._high))
            if not len(broken):
                return self._world
            up, down = self._gains(rested <= turn)
            if max(up.max(), down.max()) <= 0:
                if not self._press(broken, up, down):
                    rested[:] = 0
                    continue
                if self._weights.max() > _HEAVIEST:
                    self._begin(self._world)
                up, down = self._gains(rested <= turn)
            best = max(up.max(), down.max())
            more, less = np.flatnonzero(up == best), np.flatnonzero(down == best)
            pick = int(rng.integers(len(more) + len(less)))
            atom, change = (more[pick], 1) if pick < len(more) else (less[pick - len(more)], -1)
            self._move(int(atom), change)
            rested[atom] = turn + rng.integers(1, _REST)
        return None

    def _begin(self, start: Ints) -> None:
        self._world = start.copy()
        self._sizes: Ints = self._member.astype(np.int64) @ start
        self._weights = np.ones(len(self._low), dtype=np.float32)
        self._weights[-1] = _GOAL
        every = np.arange(len(self._low))
        self._up, self._down = self._eased(every)
        self._gain_up: Floats = self._up @ self._member
        self._gain_down: Floats = self._down @ self._member

    def _eased(self, cells: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return how much less would be broken in each cell with a person more, and with a person less."""
        size, low, high, weight = self._sizes[cells], self._low[cells], self._high[cells], self._weights[cells]
        up = np.where(size < low, weight, 0) - np.where(size >= high, weight, 0)
        down = np.where(size > high, weight, 0) - np.where(size <= low, weight, 0)
        return up.astype(np.float32), down.astype(np.float32)

    def _gains(self, free: Bools) -> tuple[Floats, Floats]:
        """Return what a person more, and a person less, in each atom would mend; those that rest are not moved."""
        up = np.where(free, self._gain_up, -np.inf)
        down = np.where(free & (self._world > 0), self._gain_down, -np.inf)
        return up, down

    def _press(self, broken: npt.NDArray[np.intp], up: Floats, down: Floats) -> bool:
        """Raise the weights of what is broken until some move mends more than it breaks; False where none can."""
        way = np.where(self._sizes[broken] < self._low[broken], 1, -1).astype(np.float32)
        pull = way @ self._member[broken]
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = min(
                np.where((pull > 0) & np.isfinite(up), -up / pull, np.inf).min(),
                np.where((pull < 0) & np.isfinite(down), down / pull, np.inf).min(),
            )
        if not np.isfinite(needed):
            return False
        by = np.float32(np.floor(needed) + 1)
        self._weights[broken] += by
        self._up[broken] += by * way
        self._down[broken] -= by * way
        self._gain_up += by * pull
        self._gain_down -= by * pull
        return True

    def _move(self, atom: int, change: int) -> None:
        own = self._cells[atom]
        if self._member[-1, atom]:
            own = np.append(own, len(self._low) - 1)
        self._world[atom] += change
        self._sizes[own] += change
        up, down = self._eased(own)
        for now, was, gain in ((up, self._up, self._gain_up), (down, self._down, self._gain_down)):
            turned = now != was[own]
            if turned.any():
                gain[:] += (now - was[own])[turned] @ self._member[own[turned]]
            was[own] = now
