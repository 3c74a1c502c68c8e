"""Array programs over moves between states: the product integral, its area, and each person's influence on both."""

from __future__ import annotations

__all__ = ["Moves", "Occupation", "moves_of", "occupation", "person_errors"]

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.counts import TransitionCounts
from evalkit.stats._columns import Floats, Ints
from evalkit.stats._steps import RESIDUE, safe_divide


@dataclass(frozen=True, eq=False)
class Moves:
    """One group's moves on its times."""

    group: str
    time: Floats  # (m,) ascending, finite
    risk: Floats  # (m, S) in each state just before each time, weighted where there are weights
    moved: Floats  # (m, S, S) from state to state
    people: Floats  # (m,) under observation just before each time
    size: int  # how many came under observation
    last: float  # of which the counts speak: whoever is observed leaves on one

    def observed(self, at: Floats) -> Floats:
        """Return how many are under observation just before each time."""
        place = np.searchsorted(self.time, at, side="left")
        return np.append(self.people, 0.0)[place]

    @property
    def steps(self) -> Ints:
        """Places of the times with a move."""
        return np.flatnonzero(self.moved.any(axis=(1, 2)))

    def start(self) -> Floats:
        """Return the distribution over states (S,) of those at risk at the first move; where none is, at first."""
        observed = np.flatnonzero(self.risk.sum(axis=1) > 0)
        first = self.risk[self.steps[0] if len(self.steps) else observed[0]] if len(observed) else self.risk.sum(axis=0)
        return np.asarray(safe_divide(first, first.sum()))


def moves_of(counts: TransitionCounts, group: str) -> Moves:
    """Return one group's moves as arrays."""
    rows, states = counts.data[counts.data["group"] == group], list(counts.states)
    time = np.unique(rows["time"].to_numpy(dtype=np.float64))
    place = np.searchsorted(time, rows["time"].to_numpy(dtype=np.float64))
    state = rows["state"].map({name: k for k, name in enumerate(states)}).to_numpy(dtype=int)
    m, s = len(time), len(states)

    def laid(kind: str) -> tuple[Floats, Floats]:
        moved, stock = np.zeros((m, s, s)), np.zeros((m, s))
        np.add.at(moved, (place, state), rows[[f"{kind}_to_{k + 1}" for k in range(s)]].to_numpy(dtype=np.float64))
        came, left = (rows[f"{kind}_{name}"].to_numpy(dtype=np.float64) for name in ("entry", "censor"))
        np.add.at(stock, (place, state), came - left)
        after = np.cumsum(stock + moved.sum(axis=1) - moved.sum(axis=2), axis=0)
        before = np.concatenate([np.zeros((1, s)), after[:-1]])
        largest = np.abs(before).max(initial=1.0)
        return np.where(before > RESIDUE * largest, before, 0.0), moved

    raw, _ = laid("n")
    risk, moved = laid("w" if counts.weighted else "n")
    finite = np.isfinite(time)
    return Moves(
        group,
        time[finite],
        risk[finite],
        moved[finite],
        raw[finite].sum(axis=1),
        int(rows["n_entry"].sum()),
        float(time[finite].max(initial=-np.inf)),
    )


@dataclass(frozen=True, eq=False)
class Occupation:
    """Probabilities of states as steps."""

    time: Floats  # (k,) of the steps
    value: Floats  # (k + 1, S)

    def at(self, when: Floats) -> Floats:
        """Return the probabilities at times (times, S)."""
        found = self.value[np.searchsorted(self.time, when, side="right")]
        return np.where(found > RESIDUE, found, 0.0)

    def area(self, until: Floats) -> Floats:
        """Return the areas from 0 to times (times, S)."""
        return np.stack([_weights(self.time, u) @ self.value for u in until])


def _weights(time: Floats, until: float) -> Floats:
    """Return how long each value of a step function holds between 0 and a time (k + 1,)."""
    edges = np.concatenate([[0.0], np.clip(time, 0.0, until), [until]])
    return np.asarray(np.diff(edges))


def hazards(moves: Moves) -> Floats:
    """Return the matrices I + dA at the steps (k, S, S)."""
    k = moves.steps
    share = safe_divide(moves.moved[k], moves.risk[k][:, :, None])
    share = share / np.maximum(share.sum(axis=2, keepdims=True), 1.0)  # safe counts may let more leave than there are
    stay = 1.0 - share.sum(axis=2)
    stay = np.where(stay > RESIDUE, stay, 0.0)  # where all leave, a sum of weights would leave a rounding error
    return np.asarray(share + stay[:, :, None] * np.eye(share.shape[1]))


def occupation(moves: Moves) -> Occupation:
    """Return the product integral."""
    value = [moves.start()]
    for matrix in hazards(moves):
        value.append(value[-1] @ matrix)
    return Occupation(moves.time[moves.steps], np.array(value))


def person_errors(counts: TransitionCounts, moves: Moves, at: Floats) -> tuple[Floats, Floats]:
    """Return standard errors of probabilities at times, and of areas up to them (times, S): infinitesimal jackknife.

    With :math:`H = I + dA` person i's influence is :math:`U_i(t) = U_i(t-) H(t) + p(t-) dH_i(t)`; of who is at risk in
    state h row h of :math:`dH_i` is (the move made - dA_h) / Y_h. Squares of weight times influence add up.
    """
    if counts.paths is None or not len(moves.steps):
        zero = np.zeros((len(at), len(counts.states)))
        return zero, zero
    paths = counts.paths[counts.paths["group"] == moves.group]
    whose, people = pd.factorize(paths["person"])
    steps, s = moves.time[moves.steps], len(counts.states)
    begin = np.searchsorted(steps, paths["time_from"].to_numpy(dtype=np.float64), side="right")
    stop = np.searchsorted(steps, paths["time"].to_numpy(dtype=np.float64), side="right")
    states, to = paths["state"].to_numpy(dtype=int), paths["to"].to_numpy(dtype=int)
    mass = paths["weight"].to_numpy(dtype=np.float64)
    ends = np.isin(paths["time"].to_numpy(dtype=np.float64), steps) & (to >= 0)
    # by where they begin: each step then adds those who come to it, and looks at nobody later
    order = np.argsort(begin, kind="stable")
    curve, matrices = occupation(moves), hazards(moves)
    influence, area = np.zeros((len(people), s)), np.zeros((len(people), s))
    risk = moves.risk[moves.steps]
    now = np.flatnonzero((begin == 0) & (stop > 0))  # at risk at the first move
    np.add.at(influence, (whose[now], states[now]), mass[now] / risk[0].sum())
    np.add.at(influence, whose[now], -(mass[now] / risk[0].sum())[:, None] * curve.value[0])
    found, areas = np.zeros((len(at), s)), np.zeros((len(at), s))
    held = np.clip(np.concatenate([[0.0], steps, [np.inf]]), 0.0, None)
    active, coming = np.zeros(0, dtype=int), 0
    for k in range(len(steps) + 1):  # between step k - 1 and step k the influence is as it is now
        until, after = held[k + 1], -np.inf if k == 0 else steps[k - 1]
        for place in np.flatnonzero((at >= after) & (at < (steps[k] if k < len(steps) else np.inf))):
            found[place] = np.sqrt((influence**2).sum(axis=0))
            areas[place] = np.sqrt(((area + influence * max(at[place] - held[k], 0.0)) ** 2).sum(axis=0))
        if k == len(steps):
            break
        area += influence * (until - held[k])
        while coming < len(order) and begin[order[coming]] <= k:
            coming += 1
        active = order[:coming][stop[order[:coming]] > k]
        influence = influence @ matrices[k]
        own, weight = states[active], mass[active]
        scale = weight * safe_divide(curve.value[k], risk[k])[own]
        change = -scale[:, None] * (matrices[k] - np.eye(s))[own]
        moving = ends[active] & (stop[active] == k + 1)
        change[moving, own[moving]] -= scale[moving]
        change[moving, to[active][moving]] += scale[moving]
        np.add.at(influence, whose[active], change)
    return found, areas
