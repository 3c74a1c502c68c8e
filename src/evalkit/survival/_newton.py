"""Maximising the partial likelihood, plain or penalised by Firth's term, with separation noticed."""

from __future__ import annotations

__all__ = ["SINGULAR", "Maximum", "firth_maximum", "inverted", "maximum", "solved"]

from dataclasses import dataclass

import numpy as np

from evalkit.errors import AnalysisError
from evalkit.survival._columns import Floats
from evalkit.survival._risk_sets import RiskSets

ITERATIONS = 60
SINGULAR = "the covariates cannot be told apart within the strata at risk; leave one out"


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is largest: coefficients (p,), value, and which terms run to infinity (p,)."""

    beta: Floats
    value: float
    infinite: np.ndarray


def solved(information: Floats, score: Floats) -> Floats:
    """Return Newton's step; an information that is singular or not finite is refused."""
    if not np.isfinite(information).all():
        raise AnalysisError(SINGULAR)
    try:
        return np.asarray(np.linalg.solve(information, score))
    except np.linalg.LinAlgError as error:
        raise AnalysisError(SINGULAR) from error


def inverted(information: Floats, infinite: np.ndarray) -> Floats:
    """Return the variance of the coefficients; without the directions of those that have no finite maximum."""
    if not infinite.any():
        return solved(information, np.eye(len(infinite)))
    if not np.isfinite(information).all():
        raise AnalysisError(SINGULAR)
    return np.asarray(np.linalg.pinv(information, hermitian=True))


def maximum(sets: RiskSets) -> Maximum:
    """Return the maximum by Newton's steps, halved when they overshoot.

    A term whose likelihood has converged while its coefficient still walks away has no finite maximum.
    """
    beta = np.zeros(sets.x.shape[1])
    here = sets.likelihood(beta)
    scale = np.sqrt(np.maximum(np.diag(here.information), 0.0))
    if (scale <= 0).any():
        raise AnalysisError(SINGULAR)
    for _ in range(ITERATIONS):
        step = solved(here.information, here.score)
        shrink = 1.0
        there = sets.likelihood(beta + step)
        while not (np.isfinite(there.value) and there.value >= here.value - 1e-9 * abs(here.value)):
            shrink /= 2
            if shrink < 1e-6:
                raise AnalysisError(SINGULAR)
            there = sets.likelihood(beta + shrink * step)
        beta = beta + shrink * step
        gain = abs(there.value - here.value) / max(abs(there.value), 1.0)
        here = there
        moving = np.abs(step) > 1e-3 * np.maximum(np.abs(beta), 0.1)
        if gain < 1e-11 and shrink == 1.0:
            return Maximum(beta, float(here.value), moving)
    msg = f"Cox's model did not converge in {ITERATIONS} steps"
    raise AnalysisError(msg)


def _log_determinant(information: Floats) -> float:
    if not np.isfinite(information).all():
        return -np.inf
    sign, value = np.linalg.slogdet(information)
    return float(value) if sign > 0 else -np.inf


def _firth_score(sets: RiskSets, beta: Floats) -> tuple[float, Floats, Floats]:
    """Return the penalised likelihood, its score and the information; derivatives by complex steps."""
    at = sets.likelihood(beta)
    inverse = solved(at.information, np.eye(len(beta)))
    slope = np.empty(len(beta))
    for j in range(len(beta)):
        nudged = beta.astype(complex)
        nudged[j] += 1e-20j
        derivative = sets.likelihood(nudged).information.imag / 1e-20
        slope[j] = 0.5 * float(np.sum(inverse * derivative))
    value = float(at.value) + 0.5 * _log_determinant(at.information)
    return value, at.score + slope, at.information


def _firth_value(sets: RiskSets, beta: Floats) -> float:
    at = sets.likelihood(beta)
    return float(at.value) + 0.5 * _log_determinant(at.information)


def firth_maximum(sets: RiskSets, held: tuple[int, float] | None = None, start: Floats | None = None) -> Maximum:
    r"""Return the maximum of :math:`\ell(\beta) + \tfrac12 \log|I(\beta)|`, one coefficient held if asked.

    The steps are Newton's with the unpenalised information; where they overshoot, the slope at either end
    says how far to go.
    """
    p = sets.x.shape[1]
    beta = np.zeros(p) if start is None else start.copy()
    free = np.ones(p, dtype=bool)
    if held is not None:
        beta[held[0]], free[held[0]] = held[1], False
    value, score, information = _firth_score(sets, beta)
    for _ in range(200):
        step = np.zeros(p)
        if free.any():
            step[free] = solved(information[np.ix_(free, free)], score[free])
        if np.abs(step).max(initial=0.0) < 1e-9:
            return Maximum(beta, value, np.zeros(p, dtype=bool))
        step *= min(1.0, 5.0 / float(np.abs(step * np.sqrt(np.diag(information))).max()))
        while np.abs(step).max() > 1e-8 and not _firth_value(sets, beta + step) >= value - 1e-12 * abs(value):
            step /= 2
        there = _firth_score(sets, beta + step)
        ahead, behind = float(score @ step), float(there[1] @ step)
        if behind < -0.2 * ahead:
            step *= ahead / (ahead - behind)
            there = _firth_score(sets, beta + step)
        beta = beta + step
        value, score, information = there
    msg = "Firth's penalised likelihood did not converge"
    raise AnalysisError(msg)
