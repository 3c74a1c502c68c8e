"""Curves of one arm under many weight vectors at once, and everyone's pseudo-observation."""

from __future__ import annotations

__all__ = ["ArmRows", "Horizon", "arm_rows"]

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from evalkit.stats._columns import Floats, Ints
from evalkit.stats._curve import product_limit
from evalkit.stats._rmst import area_under
from evalkit.stats._steps import safe_divide


@dataclass(frozen=True)
class Horizon:
    """What of the curve is wanted: ``kind`` 'rmst', 'survival' or 'cif' (of cause 1), up to day ``tau``."""

    kind: str
    tau: float


@dataclass(frozen=True)
class ArmRows:
    """The people of one arm, sorted into steps once."""

    rows: Ints  # (n,) their places in the data
    time: Floats  # (m,) distinct days of leaving
    step: Ints  # (n,) each one's step
    own: np.ndarray  # (n,) bool: event of cause 1
    event: np.ndarray  # (n,) bool: any event
    leaves: Any  # sparse (m, n), as those below
    dies: Any
    dies_own: Any

    def flows(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """Return at risk, events and own events (B, m) under weights (B, n)."""
        left = (self.leaves @ weights.T).T
        risk = np.ascontiguousarray(np.cumsum(left[:, ::-1], axis=1)[:, ::-1])
        return risk, (self.dies @ weights.T).T, (self.dies_own @ weights.T).T

    def value(self, weights: Floats, wanted: Horizon) -> Floats:
        """Return the restricted mean, the survival or the incidence at the horizon (B,)."""
        risk, events, own = self.flows(weights)
        surv = product_limit(events, risk)
        return self._value(surv, risk, own, wanted)

    def curve(self, weights: Floats, times: Floats) -> Floats:
        """Return survival at some times (B, t)."""
        risk, events, _ = self.flows(weights)
        surv = np.concatenate([np.ones((len(weights), 1)), product_limit(events, risk)], axis=1)
        return np.asarray(surv[:, np.searchsorted(self.time, times, side="right")])

    def _value(self, surv: Floats, risk: Floats, own: Floats, wanted: Horizon) -> Floats:
        if wanted.kind == "rmst":
            return area_under(self.time, surv, wanted.tau)
        last = int(np.searchsorted(self.time, wanted.tau, side="right"))
        if last == 0:
            return np.full(len(surv), 0.0 if wanted.kind == "cif" else 1.0)
        if wanted.kind == "survival":
            return np.asarray(surv[:, last - 1])
        before = np.concatenate([np.ones((len(surv), 1)), surv[:, :-1]], axis=1)
        return np.asarray((before * safe_divide(own, risk))[:, :last].sum(axis=1))

    def pseudo(self, weights: Floats, wanted: Horizon) -> Floats:
        """Return everyone's pseudo-observation, estimate + N x influence by the infinitesimal jackknife (B, n)."""
        risk, events, own = self.flows(weights)
        surv = product_limit(events, risk)
        value = self._value(surv, risk, own, wanted)
        stay, jump, extra = self._influence(surv, risk, events, own, wanted)
        person = np.where(self.event, jump[:, self.step], stay[:, self.step])
        if extra is not None:
            person = person + np.where(self.own, extra[:, self.step], 0.0)
        # so that without censoring it is the person's own outcome
        total = weights.sum(axis=1, keepdims=True)
        return np.asarray(value[:, None] + total * person)

    def _influence(
        self, surv: Floats, risk: Floats, events: Floats, own: Floats, wanted: Horizon
    ) -> tuple[Floats, Floats, Floats | None]:
        """Return influences by step (B, m): of leaving without event, with one, and of an own event more."""
        inside = self.time <= wanted.tau
        spread = safe_divide(events, risk * np.maximum(risk - events, 0.0))
        inverse = safe_divide(np.ones_like(risk), risk)
        before = np.concatenate([np.ones((len(surv), 1)), surv[:, :-1]], axis=1)
        drop: Floats | float = 0.0
        extra: Floats | None = None
        if wanted.kind == "rmst":
            edges = np.minimum(np.append(self.time, wanted.tau), wanted.tau)
            widths = np.maximum(np.diff(edges), 0.0)
            reach = np.cumsum((surv * widths)[:, ::-1], axis=1)[:, ::-1]
        elif wanted.kind == "survival":
            last = int(inside.sum())
            reach = (surv[:, [last - 1]] if last else np.ones((len(surv), 1))) * np.ones_like(surv)
        else:
            gain = before * own * inverse * inside
            done = np.cumsum(gain, axis=1)
            reach = done[:, [-1]] - done
            drop = gain * inverse
            extra = before * inverse * inside
        reach = reach * inside
        stay = np.cumsum(reach * spread - drop, axis=1)
        earlier = np.concatenate([np.zeros((len(surv), 1)), stay[:, :-1]], axis=1)
        return stay, earlier - reach * inverse - drop, extra


def arm_rows(inside: np.ndarray, time: Floats, cause: Ints) -> ArmRows:
    """Sort the people of one arm into steps."""
    rows = np.flatnonzero(inside)
    steps, step = np.unique(time[rows], return_inverse=True)
    event, own = cause[rows] > 0, cause[rows] == 1

    def spread(flag: np.ndarray) -> Any:  # noqa: ANN401 - scipy has no types
        at = np.flatnonzero(flag)
        return scipy.sparse.csr_matrix((np.ones(len(at)), (step[at], at)), shape=(len(steps), len(rows)))

    every = np.ones(len(rows), dtype=bool)
    return ArmRows(rows, steps, step.astype(np.int64), own, event, spread(every), spread(event), spread(own))
