"""What an adjusted estimate is made from, as an array program over resampling counts."""

from __future__ import annotations

__all__ = ["Ask", "Problem", "make_problem"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.errors import AnalysisError
from evalkit.stats._arms import Arms, check_estimand, target_weights
from evalkit.stats._columns import Floats, Rows
from evalkit.stats._logistic import fit_logistic, predicted, require
from evalkit.stats._weighted_arm import ArmRows, Horizon, arm_rows
from evalkit.stats._weighted_hazard import ArmHazards, arm_hazards


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
