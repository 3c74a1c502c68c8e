"""Logistic regression for many weight vectors at once."""

from __future__ import annotations

__all__ = ["fit_logistic", "predicted"]

import numpy as np
import scipy

from evalkit.errors import AnalysisError
from evalkit.stats._columns import Floats

SEPARATED = (
    "the covariates tell the arms apart completely: propensity scores of 0 or 1. "
    "Leave out or coarsen a covariate that only one arm has"
)


def fit_logistic(x: Floats, y: Floats, weights: Floats, start: Floats | None = None) -> tuple[Floats, np.ndarray]:
    """Fit logistic regressions of y (n,) on x (n, p), with its intercept, under weights (B, n) by Newton's method.

    Returns beta (B, p) and which converged (B,): not where the arms are separated or nearly so.
    """
    b, p = weights.shape[0], x.shape[1]
    # products of columns once: the information of every weight vector is then one multiplication
    pairs = (x[:, :, None] * x[:, None, :]).reshape(len(y), p * p)
    beta = np.zeros((b, p)) if start is None else np.tile(start, (b, 1))
    done = np.zeros(b, dtype=bool)
    for _ in range(40):
        todo = np.flatnonzero(~done)
        w = weights[todo]
        # beyond 35 a probability is 0 or 1 in doubles, and nothing is left to divide by
        mean = scipy.special.expit(np.clip(beta[todo] @ x.T, -35.0, 35.0))
        score = (w * (y - mean)) @ x
        information = ((w * mean * (1 - mean)) @ pairs).reshape(-1, p, p)
        # each on its own scale, as an outlier's would swamp the others; a column of zeros keeps a trace of the whole
        trace = np.trace(information, axis1=1, axis2=2)[:, None, None]
        information += np.eye(p) * (1e-12 * information + 1e-30 * trace)
        step = np.linalg.solve(information, score[:, :, None])[:, :, 0]
        longest, gain = np.abs(step).max(axis=1), (score * step).sum(axis=1)
        # where the likelihood is flat Newton leaps: four on the scale of logits is as far as anything known reaches
        beta[todo] += step * np.minimum(1.0, 4.0 / np.maximum(longest, 1e-300))[:, None]
        # Newton's error after a step is of the order of the step's square: 1e-6 leaves 1e-12. A step may be as small
        # while an outlier holds it back: then the likelihood still gains
        small = longest < 1e-6 * np.maximum(1.0, np.abs(beta[todo]).max(axis=1))
        done[todo[small & (gain < 1e-9)]] = True
        # separated arms have no maximum, and their coefficients grow for ever
        if done.all() or (np.abs(beta).max(axis=1) > 200).all():
            break
    return beta, done


def predicted(x: Floats, beta: Floats) -> Floats:
    """Return fitted probabilities (B, n), kept off 0 and 1 by 1e-12."""
    # weights divide by a score, and by 1 less it
    return np.asarray(np.clip(scipy.special.expit(np.clip(beta @ x.T, -35.0, 35.0)), 1e-12, 1 - 1e-12))


def require(converged: np.ndarray) -> None:
    """Refuse separated arms."""
    if not converged.all():
        raise AnalysisError(SEPARATED)
