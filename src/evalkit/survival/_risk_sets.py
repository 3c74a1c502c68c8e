"""The partial likelihood of Cox's model: value, score and information from sums over risk sets."""

from __future__ import annotations

__all__ = ["Likelihood", "RiskSets", "risk_sets"]

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from evalkit.survival._columns import Floats, Ints

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Likelihood:
    """The partial likelihood at one vector of coefficients.

    ``value``, ``score`` (p,), ``information`` (p, p); the rest is what residuals need: sums over the ties
    of each event time of weight/denominator (``h``; times the Efron fraction: ``f``), the means'
    coefficients ``q`` (3, m), risk-set and tied sums ``s``, ``e`` (m, p + 1), ``r`` = weight x risk (n,).
    """

    value: Any
    score: Array
    information: Array
    h: Array
    f: Array
    q: Array
    s: Array
    e: Array
    r: Array


@dataclass(frozen=True)
class RiskSets:
    """Who is at risk at which event time, for rows in strata, entering late, with weights.

    Attributes
    ----------
    x : (n, p)
    weights : (n,)
    start, stop : (n,)
        A row is at risk at event times start <= k < stop.
    when : (n,)
        Event time of a row with an event, -1 of others.
    m : int
        Event times, over all strata.
    pair_time, pair_part : (N,)
        For each event (Efron) or event time (Breslow): its time, and the fraction of the tied risk left
        out of the denominator.
    pair_weight : (N,)
    leave, enter, event : sparse (m + 1, n), (m + 1, n) or None, (m, n)
    """

    x: Floats
    weights: Floats
    start: Ints
    stop: Ints
    when: Ints
    m: int
    pair_time: Ints
    pair_part: Floats
    pair_weight: Floats
    leave: Any
    enter: Any
    event: Any

    def at_risk(self, z: Array) -> Array:
        """Return sums of rows of z over the risk set of each event time (m, ...)."""
        flow = self.leave @ z
        if self.enter is not None:
            flow = flow - self.enter @ z
        return np.asarray(np.cumsum(flow[::-1], axis=0)[::-1][1:])

    def over_ties(self, values: Array) -> Array:
        """Return sums of (N,) pair values by event time (m,)."""
        first = np.searchsorted(self.pair_time, np.arange(self.m))
        return np.asarray(np.add.reduceat(values, first))

    def while_at_risk(self, values: Array) -> Array:
        """Return for each row the sum of (m, ...) values over the event times it is at risk at (n, ...)."""
        total = np.concatenate([np.zeros((1, *values.shape[1:]), values.dtype), np.cumsum(values, axis=0)])
        return np.asarray(total[self.stop] - total[self.start])

    def likelihood(self, beta: Array, g: Floats | None = None) -> Likelihood:
        """Return the partial likelihood; `g` (m,) multiplies the terms of each event time.

        Far out, where risks underflow, the value is not finite: whoever steps there has to step back.
        """
        with np.errstate(all="ignore"):
            return self._likelihood(beta, g)

    def _likelihood(self, beta: Array, g: Floats | None) -> Likelihood:
        eta = self.x @ beta
        eta = eta - np.max(eta.real)
        r = self.weights * np.exp(eta)
        z = np.column_stack([r, r[:, None] * self.x])
        s = self.at_risk(z)
        e = self.event @ z
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
        value = weight @ eta - (scale * self.pair_weight) @ np.log(bottom)
        score = weight @ self.x - (h @ s[:, 1:] - f @ e[:, 1:])
        return Likelihood(value, score, self._information(r, h, f, q, s, e), h, f, q, s, e, r)

    def _information(self, r: Array, h: Array, f: Array, q: Array, s: Array, e: Array) -> Array:
        own = np.where(self.when >= 0, f[self.when], 0.0)
        inner = self.x.T @ ((r * (self.while_at_risk(h) - own))[:, None] * self.x)
        s1, e1 = s[:, 1:], e[:, 1:]
        cross = s1.T @ (q[1][:, None] * e1)
        outer = s1.T @ (q[0][:, None] * s1) - cross - cross.T + e1.T @ (q[2][:, None] * e1)
        return np.asarray(inner - outer)

    def score_residuals(self, at: Likelihood) -> Floats:
        """Return each row's contribution to the score, before its own weight (n, p).

        The row's event less its mean covariate over ties, less the row's risk over the event times it is
        at risk at.
        """
        s1, e1 = at.s[:, 1:], at.e[:, 1:]
        mean = at.q[0][:, None] * s1 - at.q[1][:, None] * e1
        mean_part = at.q[1][:, None] * s1 - at.q[2][:, None] * e1
        own = self.when >= 0
        hazard = self.while_at_risk(at.h) - np.where(own, at.f[self.when], 0.0)
        carried = self.while_at_risk(mean)
        carried[own] -= mean_part[self.when[own]]
        risk = np.exp(np.log(np.maximum(at.r, 1e-300)) - np.log(np.maximum(self.weights, 1e-300)))
        residual = -risk[:, None] * (hazard[:, None] * self.x - carried)
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
    width = len(days) + 1
    key = layer * width + np.searchsorted(days, time) + 1
    begin = layer * width if entry is None else layer * width + np.searchsorted(days, entry) + 1
    dead = event & (mass > 0)
    times = np.unique(key[dead])
    stop, start = np.searchsorted(times, key, side="right"), np.searchsorted(times, begin, side="right")
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
    rows, one = np.arange(n), np.ones(n)
    leave = sparse.csr_matrix((one, (stop, rows)), shape=(m + 1, n))
    late = bool((start > 0).any())
    enter = sparse.csr_matrix((one, (start, rows)), shape=(m + 1, n)) if late else None
    own = np.flatnonzero(dead)
    tied = sparse.csr_matrix((np.ones(len(own)), (at[own], own)), shape=(m, n))
    return RiskSets(x, mass, start, stop, at, m, k, part, pair_weight, leave, enter, tied)
