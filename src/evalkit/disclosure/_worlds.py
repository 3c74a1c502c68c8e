"""What a reader can work out from published counts: the worlds that agree with all of them.

People who are counted in exactly the same cells cannot be told apart by any published number: they form an *atom*. A
world gives every atom a whole number of people, such that every published count lies where a reader knows it to lie.
The true numbers are one world. How narrowly a reader knows the size of any set of people (a cell that is not shown,
the difference of two that are) is the range of its size over all worlds.

Proofs go both ways. Worlds found by local search from the true one prove that a range is wide; the linear relaxation,
which allows fractions of people and so can only be wider, proves that it is narrow. What neither settles is put to the
integer programme, and is taken for narrow where that gives no answer: the error is on the side of the people.
"""

from __future__ import annotations

__all__ = ["Worlds", "worlds_of"]

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from evalkit.counts import Codes
from evalkit.disclosure._cells import UNKNOWN, Cell

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_STEPS = 60
"""Moves of one local search: a range of a few people needs a few of them."""


@dataclass(eq=False)
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
    codes : numpy.ndarray of uint64
        Everybody, sorted.
    atom_of : numpy.ndarray of int64
        Atom of each.
    """

    member: Bools
    low: Ints
    high: Ints
    true: Ints
    codes: Codes
    atom_of: Ints
    _pool: list[Ints] = field(default_factory=list)
    _weights: Floats = field(init=False)
    _sparse: sparse.csc_matrix = field(init=False)

    def __post_init__(self) -> None:
        self._weights = self.member.astype(np.float64)
        self._sparse = sparse.csc_matrix(self._weights)
        self._pool = [self.true]

    def atoms_of(self, people: Codes) -> Bools:
        """Return which atoms make up a set of people (each of them a union of atoms)."""
        inside = np.zeros(len(self.true), dtype=bool)
        inside[self.atom_of[np.searchsorted(self.codes, people)]] = True
        return inside

    def explore(self, seed: int, rounds: int) -> None:
        """Find worlds far from the true one, in directions drawn at random."""
        rng = np.random.default_rng(seed)
        for _ in range(rounds):
            goal = rng.normal(size=len(self.true))
            self._pool.append(self._climb(self._pool[rng.integers(len(self._pool))], goal, 4 * _STEPS))

    def spread(self, sets: Bools, width: int, seed: int, rounds: int) -> Ints:
        """Search for worlds in which many sets have other sizes at once; return which sets are still narrower."""
        rng = np.random.default_rng(seed)
        open_ = np.flatnonzero(self.seen(sets) < width)
        for _ in range(rounds):
            if not len(open_):
                break
            signs = rng.choice([-1.0, 1.0], size=len(open_))
            goal = signs @ sets[open_].astype(np.float64)
            before = len(open_)
            for direction in (goal, -goal):
                self._jump(direction)
            open_ = open_[self.seen(sets[open_]) < width]
            if before - len(open_) < max(1, before // 20):
                break
        left: Ints = open_.astype(np.int64)
        return left

    def _jump(self, goal: Floats) -> None:
        """Go where the linear relaxation points: whole numbers of people are sought among the atoms it would change."""
        start = self._climb(self._best(goal), goal, _STEPS)
        self._pool.append(start)
        aim = self._relaxation(goal)
        if aim is None:
            return
        free = np.abs(aim - start) > 1e-6
        if not free.any():
            return
        room = self._weights @ np.where(free, 0.0, start)
        low, high = self._known(None)
        found = milp(
            -goal[free],
            constraints=LinearConstraint(self._sparse[:, free], low - room, high - room),
            integrality=np.ones(int(free.sum())),
            bounds=Bounds(0, np.inf),
            options={"node_limit": 200, "mip_rel_gap": 0.1},
        )
        if found.x is not None:
            world = start.copy()
            world[free] = np.rint(found.x).astype(np.int64)
            self._pool.append(world)

    def _best(self, goal: Floats) -> Ints:
        return self._pool[int(np.argmax(np.array(self._pool) @ goal))]

    def _relaxation(self, goal: Floats) -> Floats | None:
        low, high = self._known(None)
        found = milp(
            -goal, constraints=LinearConstraint(self._sparse, low, high), bounds=Bounds(0, float(self.true.sum()))
        )
        return None if found.x is None else np.asarray(found.x, dtype=np.float64)

    def seen(self, sets: Bools) -> Ints:
        """Return the width (largest less smallest size) of each set over the worlds found so far, shape (sets,)."""
        sizes = sets.astype(np.int64) @ np.array(self._pool).T
        width: Ints = sizes.max(axis=1) - sizes.min(axis=1)
        return width

    def widen(self, chosen: Bools, width: int) -> int:
        """Search for worlds in which one set is smaller and larger, until it is as wide as asked; return its width."""
        goal = chosen.astype(np.float64)
        for sign in (1.0, -1.0):
            self._jump(sign * goal)
            found = int(self.seen(chosen[None, :])[0])
            if found >= width:
                break
        return found

    def relaxed(self, chosen: Bools, relaxed: Bools | None = None) -> tuple[float, float, Bools]:
        """Return the range of a set over fractional worlds, and which cells hold it there.

        Parameters
        ----------
        chosen : numpy.ndarray of bool, shape (atoms,)
        relaxed : numpy.ndarray of bool, shape (cells,), optional
            Cells of which nothing is known.

        Returns
        -------
        low, high : float
        holding : numpy.ndarray of bool, shape (cells,)
            Cells with a multiplier other than zero at either end: one of them must be withheld to widen the range.
        """
        low, high = self._known(relaxed)
        upper, lower = np.isfinite(high), low > 0
        matrix = sparse.csr_matrix(np.vstack([self._weights[upper], -self._weights[lower]]))
        limits = np.concatenate([high[upper], -low[lower]])
        places = np.concatenate([np.flatnonzero(upper), np.flatnonzero(lower)])
        holding = np.zeros(len(self.low), dtype=bool)
        ends = []
        for sign in (1.0, -1.0):
            found = linprog(-sign * chosen.astype(float), A_ub=matrix, b_ub=limits, bounds=(0, None), method="highs")
            if found.status == 3:  # nothing bounds it
                ends.append(sign * np.inf)
                continue
            ends.append(-sign * float(found.fun))
            holding[places[np.abs(found.ineqlin.marginals) > 1e-9]] = True
        return max(ends[1], 0.0), ends[0], holding

    def whole(self, chosen: Bools, relaxed: Bools | None, nodes: int) -> int | None:
        """Return the width of a set over worlds by integer programming; None where it is not settled in time."""
        low, high = self._known(relaxed)
        rows = LinearConstraint(self._sparse, low, high)
        ends = []
        for sign in (1.0, -1.0):
            found = milp(
                -sign * chosen.astype(float),
                constraints=rows,
                integrality=np.ones(len(self.true)),
                bounds=Bounds(0, np.inf),
                options={"node_limit": nodes},
            )
            if found.x is None:
                return None
            ends.append(round(float(found.x @ chosen)))
            self._pool.append(np.rint(found.x).astype(np.int64))
        return ends[0] - ends[1]

    def _known(self, relaxed: Bools | None) -> tuple[Floats, Floats]:
        low, high = self.low.astype(np.float64), self.high.astype(np.float64)
        high[high >= UNKNOWN] = np.inf
        if relaxed is not None:
            low[relaxed], high[relaxed] = 0.0, np.inf
        return low, high

    def _climb(self, start: Ints, goal: Floats, steps: int) -> Ints:
        """Move from a world to others with more of the goal: one person more, one less, or one swapped for another."""
        world, sizes = start.copy(), self._weights @ start
        for _ in range(steps):
            full, bare = sizes >= self.high, sizes <= self.low
            blocked_up, blocked_down = full @ self._weights, bare @ self._weights
            gain_up = np.where(blocked_up == 0, goal, -np.inf)
            gain_down = np.where((blocked_down == 0) & (world > 0), -goal, -np.inf)
            up, down = int(np.argmax(gain_up)), int(np.argmax(gain_down))
            if max(gain_up[up], gain_down[down]) > 0:
                atom, change = (up, 1) if gain_up[up] >= gain_down[down] else (down, -1)
                world[atom] += change
                sizes += change * self._weights[:, atom]
                continue
            pair = self._swap(world, goal, full, bare)
            if pair is None:
                break
            one_more, one_less = pair
            world[one_more] += 1
            world[one_less] -= 1
            sizes += self._weights[:, one_more] - self._weights[:, one_less]
        return world

    def _swap(self, world: Ints, goal: Floats, full: Bools, bare: Bools) -> tuple[int, int] | None:
        """Return an atom that gains a person and one that loses one, so that every count stays where it may be."""
        best = np.argsort(-goal, kind="stable")[:12]
        worst = np.argsort(goal, kind="stable")[:12]
        for more in best:
            inside = self.member[:, more]
            tight, open_ = full & inside, bare & ~inside
            fits = (tight @ self._weights == tight.sum()) & (open_ @ self._weights == 0) & (world > 0)
            gain = np.where(fits, goal[more] - goal, -np.inf)
            less = int(np.argmax(gain))
            if gain[less] > 0:
                return int(more), less
        for less in worst:
            if world[less] == 0:
                continue
            inside = self.member[:, less]
            tight, open_ = bare & inside, full & ~inside
            fits = (tight @ self._weights == tight.sum()) & (open_ @ self._weights == 0)
            gain = np.where(fits, goal - goal[less], -np.inf)
            more = int(np.argmax(gain))
            if gain[more] > 0:
                return more, int(less)
        return None


def worlds_of(cells: Sequence[Cell]) -> tuple[Worlds, list[list[int]]]:
    """Make the worlds that agree with cells.

    Parameters
    ----------
    cells : sequence of Cell
        Each with its people; the same people may stand in several.

    Returns
    -------
    worlds : Worlds
    places : list of list of int
        For each of its cells: which of the given ones say something of it.
    """
    places: dict[bytes, list[int]] = {}
    for number, cell in enumerate(cells):
        if cell.people is not None:
            places.setdefault(cell.people.tobytes(), []).append(number)
    sets = [cells[numbers[0]].people for numbers in places.values()]
    codes: Codes = np.unique(np.concatenate([s for s in sets if s is not None] or [np.empty(0, dtype=np.uint64)]))
    member = np.zeros((len(codes), len(sets)), dtype=bool)
    for j, people in enumerate(sets):
        if people is not None:
            member[np.searchsorted(codes, people), j] = True
    atoms, atom_of, sizes = np.unique(member, axis=0, return_inverse=True, return_counts=True)
    low = np.array([max(cells[i].low for i in numbers) for numbers in places.values()], dtype=np.int64)
    high = np.array([min(cells[i].high for i in numbers) for numbers in places.values()], dtype=np.int64)
    return Worlds(atoms.T, low, high, sizes.astype(np.int64), codes, atom_of.ravel()), list(places.values())
