"""What a reader can work out from published counts: the worlds that agree with all of them.

People who are counted in exactly the same cells cannot be told apart by any published number: they form an *atom*. A
world gives every atom a whole number of people, such that every published count lies where a reader knows it to lie.
The true numbers are one world. How narrowly a reader knows the size of any set of people (a cell that is not shown,
the difference of two that are) is the range of its size over all worlds.

Worlds found by a walk from the true one prove that a range is wide. The linear relaxation, which allows fractions of
people and so can only be wider, proves that a range is narrow, and its multipliers say which cells make it so. What
neither settles is taken for narrow: the error is on the side of the people.
"""

from __future__ import annotations

__all__ = ["Worlds", "worlds_of"]

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from evalkit.counts import Codes
from evalkit.disclosure._cells import UNKNOWN, Cell
from evalkit.disclosure._walk import Walker

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_ROUNDS, _PATIENCE = 600, 120
_CLIMB, _STIR = 20, 20
_STARTS, _EACH = 3, 80


@dataclass(frozen=True, eq=False)
class Worlds:
    """The worlds that agree with some cells.

    Attributes
    ----------
    member : numpy.ndarray of bool, shape (cells, atoms)
        Which atoms a cell counts.
    low, high : numpy.ndarray of int64, shape (cells,)
        What a reader knows of each count.
    true : numpy.ndarray of int64, shape (atoms,)
        People in each atom.
    """

    member: Bools
    low: Ints
    high: Ints
    true: Ints

    def narrow(self, sets: Bools, width: int, seed: int = 1) -> Ints:
        """Return which sets of people no two worlds were found for whose sizes differ by as much as asked.

        Parameters
        ----------
        sets : numpy.ndarray of bool, shape (sets, atoms)
        width : int
            Largest less smallest size.
        seed : int
            Of the walk: the same cells give the same answer.

        Returns
        -------
        numpy.ndarray of int64
            Indices into ``sets``.
        """
        whole = sets.astype(np.int64)
        low = high = whole @ self.true
        rng, walker = np.random.default_rng(seed), Walker(self.member, self.low, self.high, self.true)
        last, left = 0, np.flatnonzero(high - low < width)
        for turn in range(_ROUNDS):
            if not len(left) or turn - last > _PATIENCE:
                break
            some = rng.choice(left, size=min(len(left), 1 + turn % 8), replace=False)
            goal = rng.choice([-1.0, 1.0], size=len(some)) @ sets[some].astype(np.float64)
            for move in (goal, -goal, None):
                if move is None:
                    walker.stir(rng, _STIR)
                else:
                    walker.climb(move, _CLIMB)
                size = whole @ walker.world
                low, high = np.minimum(low, size), np.maximum(high, size)
            before, left = len(left), left[(high - low)[left] < width]
            last = turn if len(left) < before else last
        return left.astype(np.int64)

    def settled_wide(self, chosen: Bools, width: int, seed: int = 2) -> bool:
        """Look harder for two worlds in which one set has sizes that differ by as much as asked.

        Parameters
        ----------
        chosen : numpy.ndarray of bool, shape (atoms,)
        width : int
        seed : int

        Returns
        -------
        bool
            False where none were found; that is no proof that there are none.
        """
        rng, goal = np.random.default_rng(seed), chosen.astype(np.float64)
        low = high = int(self.true[chosen].sum())
        for _ in range(_STARTS):
            walker = Walker(self.member, self.low, self.high, self.true)
            for _ in range(_EACH):
                walker.stir(rng, _STIR)
                for move in (goal, -goal):
                    walker.climb(move, _CLIMB)
                    size = int(walker.world[chosen].sum())
                    low, high = min(low, size), max(high, size)
                if high - low >= width:
                    return True
        return False

    @cached_property
    def _program(self) -> tuple[sparse.csr_matrix, npt.NDArray[np.float64], Ints]:
        """The reader's linear programme: what he knows from above and from below, and of which cells."""
        upper, lower = self.high < UNKNOWN, self.low > 0
        weights = self.member.astype(np.float64)
        matrix = sparse.csr_matrix(np.vstack([weights[upper], -weights[lower]]))
        limits = np.concatenate([self.high[upper], -self.low[lower]]).astype(np.float64)
        return matrix, limits, np.concatenate([np.flatnonzero(upper), np.flatnonzero(lower)])

    def relaxed(self, chosen: Bools) -> tuple[float, float, Bools]:
        """Return the range of a set over fractional worlds, and which cells hold it there.

        Parameters
        ----------
        chosen : numpy.ndarray of bool, shape (atoms,)

        Returns
        -------
        low, high : float
        holding : numpy.ndarray of bool, shape (cells,)
            Cells with a multiplier other than zero at either end: one of them must be withheld to widen the range.
        """
        from scipy.optimize import linprog  # noqa: PLC0415 - half a second, seldom needed

        matrix, limits, places = self._program
        holding = np.zeros(len(self.low), dtype=bool)
        ends = []
        for sign in (1.0, -1.0):
            found = linprog(-sign * chosen.astype(np.float64), A_ub=matrix, b_ub=limits, method="highs")
            if found.x is None:  # nothing bounds it
                ends.append(sign * np.inf)
                continue
            ends.append(-sign * float(found.fun))
            holding[places[np.abs(found.ineqlin.marginals) > 1e-9]] = True
        return max(ends[1], 0.0), ends[0], holding


def worlds_of(cells: Sequence[Cell]) -> tuple[Worlds, list[list[int]]]:
    """Make the worlds that agree with cells.

    Parameters
    ----------
    cells : sequence of Cell
        The same people may stand in several; those that do not say who they count are left out.

    Returns
    -------
    worlds : Worlds
    places : list of list of int
        For each of its cells: which of the given ones say something of it.
    """
    places: dict[bytes, list[int]] = {}
    for number, cell in enumerate(cells):
        if cell.people is not None and len(cell.people):
            places.setdefault(cell.people.tobytes(), []).append(number)
    sets: list[Codes] = [np.frombuffer(key, dtype=np.uint64) for key in places]
    codes: Codes = np.unique(np.concatenate([*sets, np.empty(0, dtype=np.uint64)]))
    member = np.zeros((len(codes), len(sets)), dtype=bool)
    for j, people in enumerate(sets):
        member[np.searchsorted(codes, people), j] = True
    atoms, sizes = np.unique(member, axis=0, return_counts=True)
    low = np.array([max(cells[i].low for i in numbers) for numbers in places.values()], dtype=np.int64)
    high = np.array([min(cells[i].high for i in numbers) for numbers in places.values()], dtype=np.int64)
    return Worlds(atoms.T.copy(), low, high, sizes.astype(np.int64)), list(places.values())
