"""The hazard ratio of two arms under many weight vectors at once."""

from __future__ import annotations

__all__ = ["ArmHazards", "arm_hazards"]

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from evalkit.stats._columns import Floats, Ints
from evalkit.stats._steps import safe_divide


@dataclass(frozen=True)
class ArmHazards:
    """Two arms sorted into event times once, for Cox's model with the arm alone (Efron's ties)."""

    treated: Floats  # (n,)
    leaves: Any  # sparse (m + 1, n)
    dies: Any  # sparse (m, n)
    pair: Ints  # (N,) event time of each event
    part: Floats  # (N,) Efron's fraction
    count: Floats  # (m,)

    def log_hazard_ratio(self, weights: Floats) -> Floats:
        """Return the log hazard ratio of focus over comparison under weights (B, n) -> (B,)."""
        focus, base = weights * self.treated, weights * (1 - self.treated)
        y1, y0 = self._risk(focus), self._risk(base)
        d1, d0 = (self.dies @ focus.T).T, (self.dies @ base.T).T
        k, part = self.pair, self.part
        # Efron: of d who leave at one time, the j-th leaves a risk set that lacks j/d of all of them
        r1, e1 = y1[:, k] - part * d1[:, k], d1.sum(axis=1)
        r0 = y0[:, k] - part * d0[:, k]
        # tied events count with their mean weight each, as R's survival has it
        w = ((d1 + d0) / self.count)[:, k]
        beta = np.zeros(len(weights))
        # steps of at most 2 within 30 either way end after 15, or never
        for _ in range(50):
            up = r1 * np.exp(beta)[:, None]
            share = safe_divide(up, up + r0)
            score = e1 - (w * share).sum(axis=1)
            information = (w * share * (1 - share)).sum(axis=1)
            # a draw may leave an arm nearly without events: steps are held, and what ran away is no estimate
            step = np.clip(safe_divide(score, information), -2.0, 2.0)
            beta = np.clip(beta + step, -30.0, 30.0)
            if np.abs(step).max() < 1e-11:
                break
        return np.where(np.abs(beta) < 20, beta, np.nan)

    def _risk(self, weights: Floats) -> Floats:
        # at risk at an event time is who leaves then or later; column 0 holds those who left before the first
        left = (self.leaves @ weights.T).T
        return np.ascontiguousarray(np.cumsum(left[:, ::-1], axis=1)[:, ::-1][:, 1:])


def arm_hazards(treated: Floats, time: Floats, event: np.ndarray) -> ArmHazards:
    """Sort two arms into event times."""
    days = np.unique(time[event])
    m, n = len(days), len(time)
    leaves = scipy.sparse.csr_matrix(
        (np.ones(n), (np.searchsorted(days, time, side="right"), np.arange(n))), shape=(m + 1, n)
    )
    own = np.flatnonzero(event)
    at = np.searchsorted(days, time[own])
    count = np.bincount(at, minlength=m)
    pair = np.repeat(np.arange(m), count)
    part = (np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)) / count[pair]
    dies = scipy.sparse.csr_matrix((np.ones(len(own)), (at, own)), shape=(m, n))
    return ArmHazards(treated, leaves, dies, pair, part, count.astype(np.float64))
