"""What a reader can work out from published counts: the worlds that agree with all of them.

People who are counted in exactly the same cells cannot be told apart by any published number: they form an *atom*. A
world gives every atom a whole number of people, such that every published count lies where a reader knows it to lie.
The true numbers are one world. How narrowly a reader knows the size of any set of people (a cell that is not shown,
the difference of two that are) is the range of its size over all worlds.

In a linear programme atoms may have fractions of people, so its ranges can only be wider: it proves that a range is
narrow, and its multipliers say which cells make it so. It also says which way to look for a world in whole people.

The cells of a study overlap much: everybody by the end of one quarter are nearly everybody by the end of the next. Each
cell is therefore written as its difference from the cell most like it (the edges of a minimum spanning tree by number
of atoms that differ), which leaves a tenth of the numbers. The unknowns are how many people more, or fewer, than in the
true world an atom has, and by how much each cell's size changes with them.
"""

from __future__ import annotations

__all__ = ["Worlds", "worlds_of"]

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

from evalkit.counts import Codes
from evalkit.disclosure._cells import UNKNOWN, Cell

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_NEAR = 2


@dataclass(frozen=True, eq=False)
class Worlds:
    """The worlds that agree with some cells.

    Attributes
    ----------
    member : numpy.ndarray of bool, shape (cells, atoms)
        Which atoms a cell counts.
    low, high : numpy.ndarray of int64, shape (cells,)
        What a reader knows of each count: from below nothing where 0, from above nothing where `UNKNOWN`.
    true : numpy.ndarray of int64, shape (atoms,)
        People in each atom.
    """

    member: Bools
    low: Ints
    high: Ints
    true: Ints

    def agree(self, world: Ints) -> bool:
        """Whether a world gives every count a size that a reader holds possible.

        Parameters
        ----------
        world : numpy.ndarray of int64, shape (atoms,)

        Returns
        -------
        bool
        """
        sizes = self.member @ world
        return bool((world >= 0).all() and (sizes >= self.low).all() and (sizes <= self.high).all())

    @cached_property
    def _known(self) -> Ints:
        """Cells of which a reader knows anything."""
        return np.flatnonzero((self.high < UNKNOWN) | (self.low > 0)).astype(np.int64)

    @cached_property
    def _change(self) -> tuple[Floats, Floats]:
        """How far each known cell's size can lie from the true one: what is not known does not hold it."""
        low, high = self.low[self._known], self.high[self._known]
        size = self.member[self._known] @ self.true
        return np.where(low > 0, low - size, -np.inf), np.where(high < UNKNOWN, high - size, np.inf)

    @cached_property
    def _defined(self) -> tuple[sparse.csc_matrix, sparse.csc_matrix]:
        """Each known cell's change less that of the cell most like it: in terms of atoms, and of cells."""
        rows = np.vstack([np.zeros((1, self.member.shape[1])), self.member[self._known]]).astype(np.float32)
        size = rows.sum(axis=1)
        tree = csgraph.minimum_spanning_tree(np.maximum(size[:, None] + size[None, :] - 2 * rows @ rows.T, 0))
        _, before = csgraph.breadth_first_order(tree, 0, directed=False)
        number, of = np.arange(1, len(rows)), before[1:]
        kept = of > 0  # the root is the cell of nobody
        minus = sparse.csc_matrix((np.ones(kept.sum()), (number[kept] - 1, of[kept] - 1)), shape=2 * (len(number),))
        atoms = sparse.csc_matrix((rows[1:] - rows[of]).astype(np.float64))
        return atoms, sparse.identity(len(number), format="csc") - minus

    def range(self, chosen: Bools) -> tuple[float, float, Bools]:
        """Return the range of a set's size over worlds in which atoms may have fractions of people.

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

        atoms, cells = self._defined
        least, most = self._change
        bounds = np.column_stack([np.append(-self.true, least), np.append(np.full(len(self.true), np.inf), most)])
        goal = np.append(chosen.astype(np.float64), np.zeros(len(least)))
        holding = np.zeros(len(self.low), dtype=bool)
        size, ends = int(self.true[chosen].sum()), []
        for sign in (1.0, -1.0):
            found = linprog(
                -sign * goal,
                A_eq=sparse.hstack([atoms, -cells]),
                b_eq=np.zeros(len(least)),
                bounds=bounds,
                method="highs",
            )
            if found.x is None:  # nothing bounds it
                ends.append(sign * np.inf)
                continue
            ends.append(size - sign * float(found.fun))
            multipliers = np.maximum(np.abs(found.lower.marginals), np.abs(found.upper.marginals))
            holding[self._known[multipliers[len(self.true) :] > 1e-9]] = True
        return max(ends[1], 0.0), ends[0], holding

    def towards(self, base: Ints, chosen: Bools, step: int, cost: Floats) -> Floats | None:
        """Return how to move from a world so that a set gets larger (smaller), if people had fractions.

        As few people as can be are added and taken away, none of an atom by more than two.

        Parameters
        ----------
        base : numpy.ndarray of int64, shape (atoms,)
            A world.
        chosen : numpy.ndarray of bool, shape (atoms,)
            The set.
        step : int
            By how many at least; negative: smaller.
        cost : numpy.ndarray of float64, shape (2, atoms)
            Of a person more and of a person less in each atom.

        Returns
        -------
        numpy.ndarray of float64, shape (atoms,), or None
            People more in each atom; None where there is no such way.
        """
        from scipy.optimize import linprog  # noqa: PLC0415 - half a second, seldom needed

        atoms, cells = self._defined
        moved = self.member[self._known] @ (base - self.true)
        least, most = (end - moved for end in self._change)
        aim = sparse.csr_matrix(np.where(chosen, -float(np.sign(step)), 0.0))
        found = linprog(
            np.concatenate([*cost, np.zeros(len(least))]),
            A_ub=sparse.hstack([aim, -aim, sparse.csr_matrix((1, len(least)))]).tocsc(),
            b_ub=[-abs(step)],
            A_eq=sparse.hstack([atoms, -atoms, -cells]).tocsc(),
            b_eq=np.zeros(len(least)),
            bounds=np.column_stack(
                [
                    np.concatenate([np.zeros(2 * len(base)), least]),
                    np.concatenate([np.full(len(base), _NEAR), np.minimum(base, _NEAR), most]),
                ]
            ),
            method="highs",
        )
        return None if found.x is None else found.x[: len(base)] - found.x[len(base) : 2 * len(base)]


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
