"""Moving from one world to the next: a person more, a person less, one swapped for another, every count kept."""

from __future__ import annotations

__all__ = ["Walker"]

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Walker:
    """A world that moves; every count stays where a reader knows it to lie.

    Parameters
    ----------
    member : numpy.ndarray of bool, shape (cells, atoms)
    low, high : numpy.ndarray of int64, shape (cells,)
    world : numpy.ndarray of int64, shape (atoms,)
        Where to begin; a world that agrees with all cells.

    Notes
    -----
    For each atom it is kept how many of its cells are full (one person more is too many) and how many are bare, so
    that a move costs as much as the cells of one atom.
    """

    def __init__(self, member: Bools, low: Ints, high: Ints, world: Ints) -> None:
        self._member = member.astype(np.int32)
        self._cells = [np.flatnonzero(member[:, a]) for a in range(member.shape[1])]
        self._low, self._high = low, high
        self.world = world.copy()
        self._sizes: Ints = member.astype(np.int64) @ world
        self._full, self._bare = self._sizes >= high, self._sizes <= low
        self._n_full = self._full.astype(np.int32) @ self._member
        self._n_bare = self._bare.astype(np.int32) @ self._member

    def climb(self, goal: Floats, steps: int) -> None:
        """Move towards more of a goal (a value per person of each atom), while there is a move that gains."""
        order = np.argsort(-np.abs(goal), kind="stable")[:24]
        for _ in range(steps):
            if not (self._single(goal) or any(self._swap(int(a), goal) for a in order)):
                return

    def stir(self, rng: np.random.Generator, steps: int) -> None:
        """Make moves drawn at random."""
        atoms, picks = rng.integers(len(self.world), size=steps), rng.random((steps, 2))
        for atom, (turn, pick) in zip(atoms, picks, strict=True):
            change = 1 if turn < 0.5 else -1
            if change < 0 and not self.world[atom]:
                continue
            partners = np.flatnonzero(self._partners(int(atom), change))
            blocked = self._n_full[atom] if change > 0 else self._n_bare[atom]
            if not blocked and (pick < 0.3 or not len(partners)):
                self._move(int(atom), change)
            elif len(partners):
                self._move(int(atom), change)
                self._move(int(partners[int(pick * len(partners))]), -change)

    def _single(self, goal: Floats) -> bool:
        up = np.where(self._n_full == 0, goal, 0.0)
        down = np.where((self._n_bare == 0) & (self.world > 0), -goal, 0.0)
        a, b = int(np.argmax(up)), int(np.argmax(down))
        if max(up[a], down[b]) <= 0:
            return False
        self._move(*((a, 1) if up[a] >= down[b] else (b, -1)))
        return True

    def _swap(self, atom: int, goal: Floats) -> bool:
        change = 1 if goal[atom] > 0 else -1
        if change < 0 and not self.world[atom]:
            return False
        gain = np.where(self._partners(atom, change), change * (goal[atom] - goal), 0.0)
        partner = int(np.argmax(gain))
        if gain[partner] <= 0:
            return False
        self._move(atom, change)
        self._move(partner, -change)
        return True

    def _partners(self, atom: int, change: int) -> Bools:
        """Return the atoms that can change the other way so that every count stays where it may be."""
        own = self._cells[atom]
        tight, other, n_other = (
            (self._full, self._bare, self._n_bare) if change > 0 else (self._bare, self._full, self._n_full)
        )
        needs, eased = own[tight[own]], own[other[own]]
        fits: Bools = self._member[needs].sum(axis=0) == len(needs)
        fits &= n_other - self._member[eased].sum(axis=0) == 0
        if change > 0:
            fits &= self.world > 0
        fits[atom] = False
        return fits

    def _move(self, atom: int, change: int) -> None:
        own = self._cells[atom]
        self.world[atom] += change
        self._sizes[own] += change
        full, bare = self._sizes[own] >= self._high[own], self._sizes[own] <= self._low[own]
        self._turn(self._full, full, self._n_full, own)
        self._turn(self._bare, bare, self._n_bare, own)

    def _turn(self, was: Bools, now: Bools, number: npt.NDArray[np.int32], own: npt.NDArray[np.intp]) -> None:
        """Keep which cells are full (or bare), and how many such cells each atom has."""
        more, less = own[now & ~was[own]], own[was[own] & ~now]
        if len(more):
            number += self._member[more].sum(axis=0, dtype=np.int32)
        if len(less):
            number -= self._member[less].sum(axis=0, dtype=np.int32)
        was[own] = now
