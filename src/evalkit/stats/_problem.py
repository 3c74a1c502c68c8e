"""What an adjusted estimate is made from, as array programs over many weight vectors at once.

Of each arm its curves and everyone's pseudo-observation, of both their hazard ratio; and how weights come from the
scores, drawn again as often as the bootstrap asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from evalkit.errors import AnalysisError
from evalkit.stats._arms import Arms, check_estimand, target_weights
from evalkit.stats._columns import Floats, Ints, Rows
from evalkit.stats._curve import product_limit, safe_divide
from evalkit.stats._logistic import fit_logistic, predicted, require
from evalkit.stats._rmst import area_under

__all__ = ["Ask", "Horizon", "Problem", "arm_hazards", "make_problem"]


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


@dataclass(frozen=True)
class Ask:
    """One thing asked of a problem: the method, and what of the curve up to which day."""

    method: str
    horizon: Horizon


@dataclass(frozen=True)
class Problem:
    """What is estimated from resampling counts (B, n); scores and models are shared by all that is asked."""

    arms: Arms
    estimand: str
    asks: tuple[Ask, ...]
    focus: ArmRows
    base: ArmRows
    hazards: ArmHazards | None
    start: Floats  # (p,) coefficients of the propensity score in the data

    def scores(self, counts: Floats) -> tuple[Floats, np.ndarray]:
        """Return refitted propensity scores (B, n) and which fits converged (B,)."""
        # a draw's coefficients lie near the data's: from there it takes fewer steps
        beta, converged = fit_logistic(self.arms.x, self.arms.treated, counts, self.start)
        return predicted(self.arms.x, beta), converged

    def levels(self, counts: Floats) -> Floats:
        """Return the estimates in the focus and the comparison arm (B, asks, 2); nan where a fit failed."""
        score, converged = self.scores(counts)
        weights = counts * target_weights(score, self.arms.treated, self.estimand)
        target = self._target(counts, score)
        models: dict[tuple[Horizon, bool], tuple[Floats, Floats]] = {}
        out = np.empty((len(counts), len(self.asks), 2))
        for k, ask in enumerate(self.asks):
            if self.hazards is not None and ask.horizon.kind == "hazard":
                # a hazard ratio is of both arms at once: a contrast with nothing
                out[:, k, 0], out[:, k, 1] = self.hazards.log_hazard_ratio(weights), 0.0
                continue
            for j, side in enumerate((self.focus, self.base)):
                if ask.method == "iptw":
                    out[:, k, j] = side.value(weights[:, side.rows], ask.horizon)
                    continue
                # standardised and doubly robust share the regression, the longest part of a replicate
                key = ask.horizon, j == 0
                if key not in models:
                    models[key] = self._regression(side, counts, target, ask.horizon)
                mean, residual = models[key]
                own = weights[:, side.rows]
                # what the regression misses, weighted: so it is right if either model is
                gap = (own * residual).sum(axis=1) / own.sum(axis=1) if ask.method == "doubly_robust" else 0.0
                out[:, k, j] = mean + gap
            if ask.horizon.kind == "survival":
                out[:, k] = 1.0 - out[:, k]
        return np.where(converged[:, None, None], out, np.nan)

    def _regression(self, side: ArmRows, counts: Floats, target: Floats, horizon: Horizon) -> tuple[Floats, Floats]:
        """Return the mean over the target (B,) and residuals (B, n) of regressed pseudo-observations."""
        resampled = counts[:, side.rows]
        outcome = side.pseudo(resampled, horizon)
        x = self.arms.x[side.rows]
        pairs = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
        p = x.shape[1]
        gram = (resampled @ pairs).reshape(-1, p, p)
        # a draw without anybody of some level is singular: a trace of the whole, below every digit, keeps it solvable
        gram += 1e-10 * np.eye(p) * np.trace(gram, axis1=1, axis2=2)[:, None, None]
        beta = np.linalg.solve(gram, ((resampled * outcome) @ x)[:, :, None])[:, :, 0]
        mean = ((target @ self.arms.x) * beta).sum(axis=1) / target.sum(axis=1)
        return np.asarray(mean), np.asarray(outcome - beta @ x.T)

    def _target(self, counts: Floats, score: Floats) -> Floats:
        if self.estimand == "att":
            return counts * self.arms.treated
        return counts if self.estimand == "ate" else counts * score * (1 - score)


def _check_followed(side: ArmRows, arm: str, tau: float) -> None:
    last = float(side.time[-1])
    # where all who were left had the event on the last day the curve is 0, and goes on
    if tau > last and not side.event[side.step == len(side.time) - 1].all():
        msg = f"tau = {tau:g} lies beyond the last day of follow-up of the {arm} arm ({last:g})"
        raise AnalysisError(msg)


def make_problem(rows: Rows, arms: Arms, estimand: str, asks: Sequence[Ask]) -> Problem:
    """Sort the arms once and fit the propensity score once."""
    beta, converged = fit_logistic(arms.x, arms.treated, np.ones((1, arms.size)))
    require(converged)
    check_estimand(estimand)
    focus, base = arms.treated > 0, arms.treated == 0
    sides = arm_rows(focus, rows.time, rows.cause), arm_rows(base, rows.time, rows.cause)
    hazards = None
    for horizon in {ask.horizon for ask in asks}:
        if horizon.kind != "hazard":
            for side, arm in zip(sides, ("focus", "comparison"), strict=True):
                _check_followed(side, arm, horizon.tau)
            continue
        if not ((rows.cause > 0) & focus).any() or not ((rows.cause > 0) & base).any():
            msg = "a hazard ratio needs events in both arms"
            raise AnalysisError(msg)
        hazards = arm_hazards(arms.treated, rows.time, rows.cause > 0)
    return Problem(arms, estimand, tuple(asks), *sides, hazards, beta[0])
