"""The Kaplan-Meier curve of one group, as arrays."""

from __future__ import annotations

__all__ = ["WEIGHTLESS", "Curve", "curve_of", "product_limit"]

from dataclasses import dataclass

import numpy as np

from evalkit.errors import AnalysisError
from evalkit.stats._columns import Floats
from evalkit.stats._steps import RESIDUE, Steps, safe_divide

WEIGHTLESS = "A group whose weights are all 0 has no curve."


def _left_over(events: Floats, risk: Floats) -> Floats:
    # of a risk set that has all left, sums of weights leave a residue: the curve would not reach 0
    left = risk - events
    return np.where(np.abs(left) <= RESIDUE * risk, 0.0, left)


def product_limit(events: Floats, risk: Floats) -> Floats:
    r"""Return the Kaplan-Meier curve :math:`\prod_{u \le t} (1 - d_u / Y_u)` after each of m times (..., m)."""
    return np.asarray(np.cumprod(safe_divide(_left_over(events, risk), risk, 1.0), axis=-1))


@dataclass(frozen=True)
class Curve:
    """Survival of one group and what its variances need."""

    steps: Steps
    risk: Floats  # (m,) weighted number at risk
    surv: Floats  # (m,) S after each step
    spread: Floats  # (m,) d / (Y (Y - d)), 0 where Y = d

    def variance(self, *, robust: bool = False) -> Floats:
        """Return the variance of S after each step (m,): Greenwood's, or the infinitesimal jackknife's."""
        if robust:
            return self.surv**2 * self.jackknife(np.ones_like(self.surv))
        # at 0 the sum lacks its last term, which is without end: nothing is known of the spread
        return np.where(self.surv > 0, self.surv**2 * np.cumsum(self.spread), np.nan)

    def jackknife(self, area: Floats) -> Floats:
        """Return the sum over people of squared influences on ``sum(area * log hazard factor)`` (m,)."""
        flow = self.steps.w2
        if flow is None or self.steps.delayed:
            msg = "a robust variance needs sums of squared weights and no delayed entry; use robust=False or bootstrap"
            raise AnalysisError(msg)
        at_risk_share = np.cumsum(area * self.spread)
        before = np.concatenate([[0.0], at_risk_share[:-1]])
        event = before - safe_divide(area, self.risk)
        events, censored = flow.event.sum(axis=0)[self.steps.rows], flow.censor[self.steps.rows]
        gone = np.cumsum(events * event**2 + censored * at_risk_share**2)
        stay = float(flow.entry.sum()) - np.cumsum(events + censored)
        return np.asarray(gone + np.maximum(stay, 0.0) * at_risk_share**2)

    def at(self, times: Floats, values: Floats, start: float) -> Floats:
        """Return a step function's values at some times; nan after the last day of follow-up, unless S is 0 there."""
        known = np.concatenate([[start], values])[self.steps.place(times)]
        # people without any weight have no curve, not one that stays at its start
        if self.steps.weightless:
            return np.full(len(known), np.nan)
        # with nobody left at risk 0 stays 0; a tail that was cut off has people in it
        ended = len(self.surv) > 0 and self.surv[-1] == 0 and not self.steps.truncated
        return known if ended else np.where(times <= max(self.steps.last, 0.0), known, np.nan)


def curve_of(steps: Steps) -> Curve:
    """Return the Kaplan-Meier curve of any event in one group."""
    risk, left = steps.w_risk, steps.w_left
    spread = safe_divide(safe_divide(steps.events.sum(axis=0), risk), left)  # no product of two tiny weights
    return Curve(steps, risk, np.asarray(np.cumprod(safe_divide(left, risk, 1.0)), dtype=np.float64), spread)
