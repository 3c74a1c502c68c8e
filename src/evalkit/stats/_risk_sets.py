"""The partial likelihood of Cox's model: value, score and information from sums over risk sets.

Each risk set, and the time at risk in it, has its own scale, so that nothing is lost far out. Two ways to the same
numbers: running sums within each stratum, and, where linear predictors lie so far apart that a running sum would lose
or underflow what counts, every risk set by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import scipy

from evalkit.stats._columns import Floats, Ints

__all__ = ["Likelihood", "RiskSets", "risk_sets"]


Array = npt.NDArray[Any]
CELLS = 2_000_000  # of people by event times in memory at once


class RiskSums(Protocol):
    """What adds up relative risks; they are divided by exp(offset) of each event time."""

    @property
    def offset(self) -> Floats:
        """Of each event time (m,)."""
        ...

    @property
    def own_risk(self) -> Array:
        """Relative risk of rows with an event at their own time, 0 of others (n,)."""
        ...

    def at_risk(self, z: Array) -> Array:
        """Return sums of risk x row of z over the risk set of each event time (m, ...)."""
        ...

    def tied(self, z: Array) -> Array:
        """Return the same over those with the event at that time (m, ...)."""
        ...

    def while_at_risk(self, values: Array) -> Array:
        """Return for each row the sum of risk x (m, ...) values over the event times it is at risk at (n, ...)."""
        ...


@dataclass(frozen=True)
class WithinStrata:
    """Running sums within each stratum: one scale per stratum."""

    bounds: Ints
    start: Ints
    stop: Ints
    r: Array
    offset: Floats
    own_risk: Array
    leave: Any
    enter: Any
    event: Any

    def _running(self, values: Array, *, back: bool = False) -> Array:
        """Return running sums that begin anew in each stratum: sums over all would lose what is small in one."""
        out = np.empty_like(values)
        for low, high in zip(self.bounds[:-1], self.bounds[1:], strict=True):
            if high > low:
                part = values[low:high]
                out[low:high] = np.cumsum(part[::-1], axis=0)[::-1] if back else np.cumsum(part, axis=0)
        return out

    def at_risk(self, z: Array) -> Array:
        """Return sums over risk sets; see `RiskSums`."""
        rows = self.r.reshape(-1, *[1] * (z.ndim - 1)) * z
        flow = self.leave @ rows
        if self.enter is not None:
            flow = flow - self.enter @ rows
        return self._running(np.asarray(flow[1:]), back=True)

    def tied(self, z: Array) -> Array:
        """Return sums over tied events; see `RiskSums`."""
        return np.asarray(self.event @ (self.r.reshape(-1, *[1] * (z.ndim - 1)) * z))

    def while_at_risk(self, values: Array) -> Array:
        """Return sums over time; see `RiskSums`."""
        total = np.concatenate([np.zeros((1, *values.shape[1:]), values.dtype), self._running(values)])
        begun = np.isin(self.start, self.bounds)  # at risk from the stratum's first event time on
        first = np.where(begun, 0, self.start)
        mine = total[np.where(self.stop > self.start, self.stop, 0)] - np.where(
            (first > 0).reshape(-1, *[1] * (values.ndim - 1)), total[first], 0.0
        )
        return np.asarray(self.r.reshape(-1, *[1] * (values.ndim - 1)) * mine)


def layer_sums(
    bounds: Ints,
    start: Ints,
    stop: Ints,
    when: Ints,
    r: Array,
    offset: Floats,
    leave: Any,  # noqa: ANN401 - scipy has no types
    enter: Any,  # noqa: ANN401
    event: Any,  # noqa: ANN401
) -> WithinStrata:
    """Return running sums of relative risks (n,) that are scaled by stratum."""
    return WithinStrata(bounds, start, stop, r, offset, np.where(when >= 0, r, 0.0), leave, enter, event)


class TimeByTime:
    """Every risk set by itself, scaled by the largest risk in it."""

    def __init__(self, start: Ints, stop: Ints, when: Ints, used: np.ndarray, eta: Array, event: Any) -> None:  # noqa: ANN401
        self._start, self._stop, self._used, self._eta, self._event = start, stop, used, eta, event
        self._m = event.shape[0]
        self.offset = np.zeros(self._m)
        for low, high, inside in self._blocks():
            self.offset[low:high] = np.where(inside, eta.real, -np.inf).max(axis=1)
        self.own_risk = np.where(when >= 0, np.exp(np.where(when >= 0, eta - self.offset[when], 0.0)), 0.0)

    def _blocks(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield blocks of event times with who is at risk at each (b, n)."""
        size = max(1, CELLS // max(len(self._eta), 1))
        for low in range(0, self._m, size):
            k = np.arange(low, min(low + size, self._m))[:, None]
            yield low, low + len(k), (self._start <= k) & (k < self._stop) & self._used

    def _risks(self) -> Iterator[tuple[int, int, Array]]:
        for low, high, inside in self._blocks():
            above = self._eta - self.offset[low:high, None]
            yield low, high, np.where(inside, np.exp(np.where(inside, above, 0.0)), 0.0)

    def at_risk(self, z: Array) -> Array:
        """Return sums over risk sets; see `RiskSums`."""
        return np.concatenate([r @ z for _, _, r in self._risks()])

    def tied(self, z: Array) -> Array:
        """Return sums over tied events; see `RiskSums`."""
        return np.asarray(self._event @ (self.own_risk.reshape(-1, *[1] * (z.ndim - 1)) * z))

    def while_at_risk(self, values: Array) -> Array:
        """Return sums over time; see `RiskSums`."""
        return np.asarray(sum(r.T @ values[low:high] for low, high, r in self._risks()))


# Widest linear predictor within a stratum up to which running sums serve: its exponential squared is still a number,
# and, where people enter late, what is taken off a sum leaves enough digits of the rest.
WIDEST, WIDEST_LATE = 200.0, 15.0


@dataclass(frozen=True)
class Likelihood:
    """The partial likelihood at one vector of coefficients, and what residuals need."""

    value: Any
    score: Array  # (p,)
    information: Array  # (p, p)
    h: Array  # (m,) sums over the ties of each event time of weight/denominator
    f: Array  # (m,) the same times the Efron fraction
    q: Array  # (3, m) coefficients of the means
    s: Array  # (m, p + 1) sums over risk sets
    e: Array  # (m, p + 1) sums over tied events
    sums: RiskSums  # what made them


@dataclass(frozen=True)
class RiskSets:
    """Who is at risk at which event time, for rows in strata, entering late, with weights."""

    x: Floats  # (n, p)
    weights: Floats  # (n,)
    start: Ints  # (n,) a row is at risk at event times start <= k < stop
    stop: Ints  # (n,)
    when: Ints  # (n,) event time of a row with an event, -1 of others
    m: int  # event times, over all strata
    bounds: Ints  # (strata + 1,) a stratum's event times stand from one bound to the next
    layer: Ints  # (n,) each row's stratum
    pair_time: Ints  # (N,) the time of each event (Efron) or event time (Breslow)
    pair_part: Floats  # (N,) fraction of the tied risk left out of the denominator
    pair_weight: Floats
    leave: Any  # sparse (m + 1, n)
    enter: Any  # sparse (m + 1, n), or None
    event: Any  # sparse (m, n)

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """Rows that the likelihood depends on: with a weight, and at risk at an event (n,)."""
        return (self.stop > self.start) & (self.weights > 0)

    def over_ties(self, values: Array) -> Array:
        """Return sums of (N,) pair values by event time (m,)."""
        # every event time has a pair: reduceat would give an empty one its neighbour's value
        first = np.searchsorted(self.pair_time, np.arange(self.m))
        return np.asarray(np.add.reduceat(values, first))

    def sums(self, eta: Array) -> RiskSums:
        """Return what adds up over risk sets at a linear predictor (n,), each set's own scale taken out."""
        used = self.used
        top = np.full(len(self.bounds), -np.inf)
        low = -top
        # complex where derivatives are taken, and only numbers have a largest
        np.maximum.at(top, self.layer[used], eta.real[used])
        np.minimum.at(low, self.layer[used], eta.real[used])
        widest = np.max(top - low, initial=0.0, where=np.isfinite(top))
        if widest > (WIDEST if self.enter is None else WIDEST_LATE):
            return TimeByTime(self.start, self.stop, self.when, used, eta, self.event)
        shift = np.where(np.isfinite(top), top, 0.0)[self.layer]
        r = np.where(used, np.exp(np.where(used, eta - shift, 0.0)), 0.0)
        offset = np.zeros(self.m)
        offset[self.when[self.when >= 0]] = shift[self.when >= 0]
        return layer_sums(self.bounds, self.start, self.stop, self.when, r, offset, self.leave, self.enter, self.event)

    def likelihood(self, beta: Array, g: Floats | None = None) -> Likelihood:
        """Return the partial likelihood; `g` (m,) multiplies the terms of each event time."""
        # far out risks underflow and the value is not finite: whoever steps there has to step back
        with np.errstate(all="ignore"):
            return self._likelihood(beta, g)

    def _likelihood(self, beta: Array, g: Floats | None) -> Likelihood:
        eta = self.x @ beta
        sums = self.sums(eta)
        z = self.weights[:, None] * np.column_stack([np.ones(len(eta)), self.x])
        s, e = sums.at_risk(z), sums.tied(z)
        k, part = self.pair_time, self.pair_part
        bottom = s[k, 0] - part * e[k, 0]
        scale = 1.0 if g is None else g[k]
        share = scale * self.pair_weight / bottom
        h, f = self.over_ties(share), self.over_ties(share * part)
        q = np.stack([self.over_ties(share * part**i / bottom) for i in range(3)])
        own = self.when >= 0
        weight = np.where(own, self.weights, 0.0)
        if g is not None:
            weight = weight * np.where(own, g[self.when], 0.0)
        above = np.where(own, eta - sums.offset[self.when], 0.0)
        value = weight @ above - (scale * self.pair_weight) @ np.log(bottom)
        score = weight @ self.x - (h @ s[:, 1:] - f @ e[:, 1:])
        return Likelihood(value, score, self._information(sums, h, f, q, s, e), h, f, q, s, e, sums)

    def _hazard(self, sums: RiskSums, h: Array, f: Array) -> Array:
        """Return each row's risk, added up over the event times it is at risk at (n,)."""
        return np.asarray(sums.while_at_risk(h) - sums.own_risk * np.where(self.when >= 0, f[self.when], 0.0))

    def _information(self, sums: RiskSums, h: Array, f: Array, q: Array, s: Array, e: Array) -> Array:
        inner = self.x.T @ ((self.weights * self._hazard(sums, h, f))[:, None] * self.x)
        s1, e1 = s[:, 1:], e[:, 1:]
        cross = s1.T @ (q[1][:, None] * e1)
        outer = s1.T @ (q[0][:, None] * s1) - cross - cross.T + e1.T @ (q[2][:, None] * e1)
        return np.asarray(inner - outer)

    def score_residuals(self, at: Likelihood) -> Floats:
        """Return rows' contributions to the score, before their weights (n, p): of the event, less of being at risk."""
        s1, e1 = at.s[:, 1:], at.e[:, 1:]
        mean = at.q[0][:, None] * s1 - at.q[1][:, None] * e1
        mean_part = at.q[1][:, None] * s1 - at.q[2][:, None] * e1
        own = self.when >= 0
        carried = at.sums.while_at_risk(mean)
        carried[own] -= at.sums.own_risk[own, None] * mean_part[self.when[own]]
        residual = carried - self._hazard(at.sums, at.h, at.f)[:, None] * self.x
        k = self.when[own]
        events = self.over_ties(self.pair_weight)
        average = (at.h[:, None] * s1 - at.f[:, None] * e1) / events[:, None]
        residual[own] += self.x[own] - average[k]
        return np.asarray(residual)


def risk_sets(
    x: Floats,
    time: Floats,
    event: npt.NDArray[np.bool_],
    *,
    entry: Floats | None,
    strata: Ints | None,
    weights: Floats | None,
    ties: str,
) -> RiskSets:
    """Sort rows into risk sets once; coefficients are then only matrix products."""
    n = len(time)
    mass = np.ones(n) if weights is None else weights
    layer = np.zeros(n, dtype=np.int64) if strata is None else strata
    days = np.unique(time) if entry is None else np.unique(np.concatenate([time, entry]))
    # strata one after the other on one axis: nobody is at risk at another stratum's time
    width = len(days) + 1
    key = layer * width + np.searchsorted(days, time) + 1
    begin = layer * width if entry is None else layer * width + np.searchsorted(days, entry) + 1
    # an event without weight adds nothing, and its risk set may hold no weight to divide by
    dead = event & (mass > 0)
    times = np.unique(key[dead])
    stop, start = np.searchsorted(times, key, side="right"), np.searchsorted(times, begin, side="right")
    bounds = np.searchsorted(times, np.arange(int(layer.max()) + 2) * width)
    at = np.where(dead, stop - 1, -1)
    m = len(times)
    count = np.bincount(at[dead], minlength=m)
    total = np.bincount(at[dead], weights=mass[dead], minlength=m).astype(np.float64)
    if ties == "efron":
        k: Ints = np.repeat(np.arange(m, dtype=np.int64), count)
        order = np.arange(len(k)) - np.repeat(np.cumsum(count) - count, count)
        part = np.asarray(order / count[k], dtype=np.float64)
        pair_weight = total[k] / count[k]
    else:
        k = np.arange(m, dtype=np.int64)
        part, pair_weight = np.zeros(m), total
    rows, risky = np.arange(n), stop > start  # nobody else may stand on a bound, where two strata meet
    leave = scipy.sparse.csr_matrix((risky.astype(np.float64), (stop, rows)), shape=(m + 1, n))
    late = risky & (start > bounds[layer])
    enter = scipy.sparse.csr_matrix((late.astype(np.float64), (start, rows)), shape=(m + 1, n)) if late.any() else None
    own = np.flatnonzero(dead)
    tied = scipy.sparse.csr_matrix((np.ones(len(own)), (at[own], own)), shape=(m, n))
    return RiskSets(x, mass, start, stop, at, m, bounds, layer, k, part, pair_weight, leave, enter, tied)
