"""Safe counts of moves between states: how many people are in each state on fixed days, each with its noise.

Of single moves most are rare (from 'lapsed' straight to 'completed', say), and nothing is told of them. On each day of
a grid, the policy's landmarks and every thirtieth day, the people whose last known state is this one are a group like
any other: their published number is that of every table that counts them. Between two days of the grid all moves are
merged into the fewest that turn one day's numbers into the next day's, spread evenly; whoever is censored leaves the
state in which they are. State probabilities are made of these moves alone. A state with few people on a day of the grid
has no number there: it shares what the others leave with the other such states.
"""

from __future__ import annotations

__all__ = ["OTHER", "Stocks", "known_states", "merged", "safe_transitions", "stocks_of"]

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.counts import GRID, TransitionCounts
from evalkit.disclosure._policy import MODULUS, Policy
from evalkit.errors import DisclosureError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]
Flags = NDArray[np.bool_]
OTHER = "other"
"""The states that have too few people on a day, together."""


@dataclass(frozen=True, eq=False)
class Seen:
    """People by the end of a day, one entry of each array (n,) per person."""

    state: Ints  # place of the last state known
    key: Keys  # for the noise
    known: Flags  # whether it is known who it is
    observed: Flags  # after the day

    @cached_property
    def after(self) -> Seen:
        """Those who are still observed."""
        rows = self.observed
        return Seen(self.state[rows], self.key[rows], self.known[rows], rows[rows])

    def whose(self, of: Flags | slice = slice(None)) -> tuple[int, int | None]:
        """Return how many they are, or some of them, and the key of their group; None where not all are known."""
        keys, known = self.key[of], self.known[of]
        return len(keys), int(keys.sum(dtype=np.uint64)) % MODULUS if known.all() else None


@dataclass(frozen=True, eq=False)
class Stocks:
    """One group's people, and the last state known of each of them by any day; `paths` are their stays."""

    group: str
    paths: pd.DataFrame
    states: tuple[str, ...]
    policy: Policy
    asked: str
    _seen: dict[float, Seen] = field(default_factory=dict)
    _hidden: dict[tuple[float, str], Flags] = field(default_factory=dict)

    @property
    def people(self) -> int:
        """How many they are."""
        return int(self.paths["person"].nunique())

    @cached_property
    def begins(self) -> float:
        """The day after which all of them are observed."""
        return float(self.paths["time_from"].min())

    @property
    def late(self) -> bool:
        """Whether some come under observation later than others, or again."""
        firsts = self.paths.groupby("person")["time_from"].min()
        gaps = self.paths["person"].eq(self.paths["person"].shift()) & self.paths["time_from"].ne(
            self.paths["time"].shift()
        )
        return bool(firsts.ne(self.begins).any() or gaps.any())

    @cached_property
    def _stays(self) -> tuple[Ints, Floats, Floats, Ints, Ints, Keys, Flags]:
        """First stay of each person; of each stay its days, states, the person's key, and whether that is known."""
        person, code = self.paths["person"].to_numpy(), self.paths["code"].to_numpy(dtype=np.uint64)
        firsts = np.flatnonzero(np.r_[True, person[1:] != person[:-1]]) if len(person) else np.zeros(0, dtype=np.int64)
        days = (self.paths[name].to_numpy(dtype=np.float64) for name in ("time_from", "time"))
        states = (self.paths[name].to_numpy(dtype=np.int64) for name in ("state", "to"))
        return firsts, *days, *states, self.policy.noise.keys(code), code != 0

    def on(self, day: float) -> Seen:
        """Return each person by the end of a day."""
        if day not in self._seen:
            firsts, time_from, time, state, to, keys, known = self._stays
            begun = np.add.reduceat(time_from <= max(day, self.begins), firsts, dtype=np.int64)
            last = (firsts + begun - 1)[begun > 0]
            moved = (time[last] <= day) & (to[last] >= 0)  # on the last day of being observed
            self._seen[day] = Seen(np.where(moved, to[last], state[last]), keys[last], known[last], time[last] > day)
        return self._seen[day]

    def numbers(self, day: float) -> NDArray[np.int64]:
        """Return how many are in each state by the end of a day, exactly (S,)."""
        return np.bincount(self.on(day).state, minlength=len(self.states))

    def unknown(self, day: float) -> Flags:
        """Return of which states no number may be used on a day (S,): few are in it, or not, or `tells` forbids."""
        return self._untold(self.on(day), day, "by")

    def hidden(self, day: float) -> Flags:
        """Return of which states nothing may be told on a day (S,): as `unknown`, or few of those still observed."""
        return self.unknown(day) | self._untold(self.on(day).after, day, "after")

    def together(self, day: float, few: Flags) -> bool:
        """Say whether even together few people are in these states on a day, or few are not."""
        for seen in (self.on(day), self.on(day).after):
            those = int(few[seen.state].sum())
            if self.policy.hides(those) or self.policy.is_small(len(seen.state) - those):
                return True
        return False

    def tells(self, day: float) -> bool:
        """Whether the number of those observed after a day may be told."""
        return self.policy.tells(*self.on(day).after.whose())

    def tells_all(self) -> bool:
        """Whether the number of all may be told."""
        return self.policy.tells(*self._all.whose())

    @property
    def _all(self) -> Seen:
        """Everybody, in their first state."""
        firsts, _, _, state, _, keys, known = self._stays
        return Seen(state[firsts], keys[firsts], known[firsts], np.ones(len(firsts), dtype=bool))

    def _untold(self, seen: Seen, day: float, when: str) -> Flags:
        if (day, when) not in self._hidden:
            few = self._few(np.bincount(seen.state, minlength=len(self.states)))
            for k in np.flatnonzero(~few):
                few[k] = not self.policy.tells(*seen.whose(seen.state == k))
            self._hidden[day, when] = few
        return self._hidden[day, when]

    def _few(self, numbers: NDArray[np.int64]) -> Flags:
        everybody, policy = int(numbers.sum()), self.policy
        return np.array([policy.hides(n) or policy.is_small(everybody - n) for n in numbers], dtype=bool)

    def public(self, day: float) -> tuple[Floats, Floats, int]:
        """Return published numbers in each state, of those still observed in each (nan: few), and of all of these."""
        seen = self.on(day)
        return self._told(seen, day, "by"), self._told(seen.after, day, "after"), self.after(day)

    def after(self, day: float) -> int:
        """Return the published number of those still observed after a day; that of all where it is not told."""
        return self._public(self.on(day).after.whose(), f"after {day:g}") if self.tells(day) else self.everybody()

    def _told(self, seen: Seen, day: float, when: str) -> Floats:
        told = np.full(len(self.states), np.nan)
        for k in np.flatnonzero(~self._untold(seen, day, when)):
            told[k] = self._public(seen.whose(seen.state == k), f"{self.states[k]} {when} {day:g}")
        return told

    def unit(self, what: str) -> float:
        """Return the noise of a mean of all, in units of what one person gives to it most."""
        if self.policy.noise_variance == 0:
            return 0.0
        _, key = self._all.whose()
        return self.policy.noise.unit(f"{self.asked}|{self.group}|{what}" if key is None else f"{key}|{what}")

    def spent(self, until: float) -> Floats:
        """Return how many days each person was seen in each state up to a day (people, S)."""
        firsts, after, last, state, _, _, _ = self._stays
        found, person = np.zeros((len(firsts), len(self.states))), np.zeros(len(state), dtype=np.int64)
        person[firsts[1:]] = 1
        np.add.at(found, (np.cumsum(person), state), np.minimum(last, until) - np.clip(after, 0.0, until))
        return found

    def everybody(self) -> int:
        """Return the published number of all."""
        return self._public(self._all.whose(), "people")

    def observed(self, day: float) -> int:
        """Return how many are still observed after a day, exactly."""
        return int(self.on(day).observed.sum())

    @cached_property
    def grid(self) -> list[float]:
        """The days on which numbers are told: while enough people are observed after them."""
        start, last = max(self.begins, -1.0), float(self.paths["time"].max())
        # Between two of these days moves are merged and spread evenly, so that no day of a move is told (ADR 21).
        days = {float(d) for d in (*range(0, int(last) + 1, GRID), *self.policy.landmarks) if start < d <= last}
        least = max(self.policy.minimum_at_risk, self.policy.minimum_count)
        return sorted(day for day in days if self.observed(day) >= least and self.tells(day))

    def _public(self, whose: tuple[int, int | None], what: str) -> int:
        return self.policy.public_of_key(*whose, f"{self.asked}|{self.group}|{what}")


def stocks_of(counts: TransitionCounts, policy: Policy, asked: str = "") -> list[Stocks]:
    """Return each group's people; DisclosureError if weighted, observed from different days, or not said who moved."""
    if counts.paths is None:
        msg = "states: the counts do not say who moved, so they cannot be shown"
        raise DisclosureError(msg)
    if counts.weighted:
        msg = (
            "weighted states cannot be shown: no safe form of their counts is defined; show the difference of the arms"
        )
        raise DisclosureError(msg)
    paths = counts.paths
    found = [Stocks(g, paths[paths["group"] == g], counts.states, policy, asked) for g in counts.groups]
    if any(stocks.late for stocks in found):
        msg = "states with delayed entry cannot be shown: no safe form of their counts is defined"
        raise DisclosureError(msg)
    return found


def safe_transitions(
    counts: TransitionCounts, policy: Policy, asked: str = ""
) -> tuple[TransitionCounts | None, list[str]]:
    """Make counts of moves safe: parts of people, spread over the days of the grid; and name the groups left out.

    None when no group may be shown; refuses what `stocks_of` refuses.
    """
    return merged(stocks_of(counts, policy, asked), counts.states)


def merged(groups: list[Stocks], states: tuple[str, ...]) -> tuple[TransitionCounts | None, list[str]]:
    """Return safe moves of groups, and the groups left out."""
    kept, withheld = [], []
    for stocks in groups:
        policy = stocks.policy
        few = stocks.people < max(policy.minimum_count, policy.minimum_subgroup)
        safe = None if few or not stocks.tells_all() else _safe_group(stocks)
        if safe is None:
            withheld.append(stocks.group)
        else:
            kept.append(safe)
    if not kept:
        return None, withheld
    return TransitionCounts(pd.concat(kept), states=states), withheld


def _safe_group(stocks: Stocks) -> pd.DataFrame | None:
    grid = stocks.grid
    if not grid:
        return None
    start = max(stocks.begins, -1.0)
    everybody = stocks.everybody()
    told = [stocks.public(day) for day in grid]
    numbers = _completed(np.array([n for n, _, _ in told]), stocks.numbers(start), everybody, [start, *grid])
    # Nobody comes back under observation, but noise of two days can say so.
    observed = np.minimum.accumulate([everybody, *(n for _, _, n in told)])
    days = [start, *grid]
    parts, stock = [_entry(stocks, numbers[0])], numbers[0].copy()
    p = stock / stock.sum()
    for k, (first, last) in enumerate(pairwise(days)):
        change, after = numbers[k + 1] - numbers[k], told[k][1]
        known = ~np.isnan(after)
        stays = observed[k + 1] / max(observed[k], 1)
        gone = np.where(known, np.clip(stock + change - np.where(known, after, 0.0), 0.0, None), stock * (1 - stays))
        part, stock, p = _spread(stocks, stock, p, _fewest(change), gone, (first, last))
        # Where few are in a state, noise would decide of how many a move is a share: as many as there should be.
        left = np.where(known, 0.0, stock - p * observed[k + 1])
        part.loc[part["time"] == last, "n_censor"] += left
        parts.append(part)
        stock = stock - left
    return pd.concat(parts, ignore_index=True)


def _completed(told: Floats, start: NDArray[np.int64], everybody: int, days: list[float]) -> Floats:
    """Return numbers in each state on each day, the start first, that add up to everybody.

    Hidden ones share what the others leave, in proportion to a straight line between the days on which they are known.
    """
    first = np.rint(start / max(start.sum(), 1) * everybody)
    numbers = np.vstack([first, told])
    found = numbers.copy()
    for k in range(numbers.shape[1]):
        known = ~np.isnan(numbers[:, k])
        found[:, k] = np.interp(days, np.array(days)[known], numbers[known, k])
    for row, given in zip(found[1:], told, strict=True):
        hidden = np.isnan(given)
        left = everybody - row[~hidden].sum()
        if hidden.any() and left > 0:
            share = row[hidden] if row[hidden].sum() > 0 else np.ones(int(hidden.sum()))
            row[hidden] = left * share / share.sum()
        else:  # noise made them more, or fewer, than all
            row[hidden] = 0.0
            row[~hidden] *= everybody / row[~hidden].sum()
    return found


def _fewest(change: Floats) -> Floats:
    """Return moves (S, S) that change numbers so: from the first state that loses to the first that gains."""
    change, moves = change.copy(), np.zeros((len(change), len(change)))
    # In the order of states: any fewest moves give the same numbers on the grid, and this one is the same every time.
    for h in np.flatnonzero(change < 0):
        for j in np.flatnonzero(change > 0):
            moves[h, j] = min(-change[h], change[j])
            change[h] += moves[h, j]
            change[j] -= moves[h, j]
    return moves


def _entry(stocks: Stocks, numbers: Floats) -> pd.DataFrame:
    s = len(stocks.states)
    rows = pd.DataFrame(
        {"group": stocks.group, "state": list(stocks.states), "time": stocks.begins, "n_entry": numbers}
    )
    return rows.assign(**{f"n_to_{k + 1}": 0.0 for k in range(s)}, n_censor=0.0)


def _spread(
    stocks: Stocks, stock: Floats, p: Floats, flows: Floats, gone: Floats, between: tuple[float, float]
) -> tuple[pd.DataFrame, Floats, Floats]:
    """Spread the moves and censorings of an interval evenly over its days.

    Returns them, and after them the numbers observed in each state and the states' probabilities.
    """
    days = np.arange(between[0] + 1, between[1] + 1)
    rows, s = [], len(stock)
    for day in days:
        moved = flows / len(days)
        # Merged moves may take more out of a state than noise left in it.
        moved = moved * np.minimum(1.0, stock / np.maximum(moved.sum(axis=1), 1e-12))[:, None]
        share = moved / np.maximum(stock, 1e-12)[:, None]
        p = p + p @ share - p * share.sum(axis=1)
        stock = stock + moved.sum(axis=0) - moved.sum(axis=1)
        leaving = np.minimum(gone / len(days), stock)
        stock = stock - leaving
        rows.append(np.column_stack([np.full(s, day), np.zeros(s), moved, leaving]))
    names = ["time", "n_entry", *(f"n_to_{k + 1}" for k in range(s)), "n_censor"]
    frame = pd.DataFrame(np.concatenate(rows), columns=names)
    frame.insert(0, "state", list(stocks.states) * len(days))
    frame.insert(0, "group", stocks.group)
    return frame, stock, p


def known_states(stocks: Iterable[Stocks]) -> set[tuple[str, str]]:
    """Return the groups and states of which something is told: many people are in it on some day, or never anybody."""
    found = set()
    for one in stocks:
        grid = one.grid
        few = np.array([one.hidden(day) for day in grid]).reshape(len(grid), len(one.states))
        some = np.array([one.numbers(day) > 0 for day in grid]).reshape(few.shape)
        told = (some & ~few).any(axis=0) | ~few.any(axis=0)
        found |= {(one.group, state) for state, yes in zip(one.states, told, strict=True) if yes}
    return found
