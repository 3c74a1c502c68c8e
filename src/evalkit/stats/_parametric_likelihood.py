"""Log-likelihoods of parametric curves, to finish a fit to the last digits.

lifelines' optimisers stop where the likelihood no longer changes: about 1e-5 of a median is then still open. A few
Newton steps from there close it.
"""

from __future__ import annotations

__all__ = ["Fitted", "polished"]

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from evalkit.stats._columns import Floats

Bools = npt.NDArray[np.bool_]

# log hazard and log survival at log times (k,), for parameters (p,) without bounds
Terms = Callable[[Floats, Floats], tuple[Floats, Floats]]
# Too small, and differences of likelihoods are rounding; too large, and the curvature is another. With the five-point
# rule the gradient's error is of the order of STEP**4, that is as small as rounding lets it be.
STEP = 1e-4


def _weibull(log_t: Floats, q: Floats) -> tuple[Floats, Floats]:
    z = np.exp(q[1]) * (log_t - q[0])
    return q[1] - log_t + z, -np.exp(z)


def _log_normal(log_t: Floats, q: Floats) -> tuple[Floats, Floats]:
    z = (log_t - q[0]) * np.exp(-q[1])
    surv = scipy.special.log_ndtr(-z)
    return -z * z / 2 - np.log(2 * np.pi) / 2 - q[1] - log_t - surv, surv


def _log_logistic(log_t: Floats, q: Floats) -> tuple[Floats, Floats]:
    z = np.exp(q[1]) * (log_t - q[0])
    surv = -np.logaddexp(0.0, z)
    return q[1] - log_t + z + surv, surv


def _generalised_gamma(log_t: Floats, q: Floats) -> tuple[Floats, Floats]:
    shape, z = q[2], (log_t - q[0]) * np.exp(-q[1])
    k = shape**-2
    u = k * np.exp(shape * z)
    # with a negative shape late times are small u: their survival is the other tail
    surv = np.log(scipy.special.gammaincc(k, u) if shape > 0 else scipy.special.gammainc(k, u))
    density = np.log(abs(shape)) - q[1] - log_t + k * np.log(u) - u - scipy.special.gammaln(k)
    return density - surv, surv


@dataclass(frozen=True)
class Model:
    """A family: its terms, the median's logarithm, and its unbounded parameters from lifelines'."""

    terms: Terms
    log_median: Callable[[Floats], float]
    free: Callable[[Floats], Floats]


def _gamma_median(q: Floats) -> float:
    k = q[2] ** -2
    middle = scipy.special.gammainccinv(k, 0.5) if q[2] > 0 else scipy.special.gammaincinv(k, 0.5)
    return float(q[0] + np.exp(q[1]) / q[2] * np.log(middle / k))


# lifelines' parameters: Weibull (lambda, rho), log-normal (mu, sigma), log-logistic (alpha, beta), generalised gamma
# (mu, ln sigma, lambda)
FAMILIES = {
    "weibull": Model(_weibull, lambda q: float(q[0] + np.log(np.log(2)) * np.exp(-q[1])), np.log),
    "log-normal": Model(_log_normal, lambda q: float(q[0]), lambda p: np.array([p[0], np.log(p[1])])),
    "log-logistic": Model(_log_logistic, lambda q: float(q[0]), np.log),
    "generalised gamma": Model(_generalised_gamma, _gamma_median, lambda p: p),
}


@dataclass(frozen=True)
class Fitted:
    """A family at its maximum: parameters without bounds (p,), log-likelihood, median."""

    parameters: Floats
    log_likelihood: float
    median: float


def _derivatives(value: Callable[[Floats], float], q: Floats) -> tuple[Floats, Floats]:
    """Return gradient (p,) and second derivatives (p, p) by central differences."""
    p = len(q)
    h = STEP * np.maximum(1.0, np.abs(q))
    axes = np.diag(h)
    gradient = np.array(
        [(8 * (value(q + a) - value(q - a)) - (value(q + 2 * a) - value(q - 2 * a))) / (12 * a.sum()) for a in axes]
    )
    second = np.empty((p, p))
    for i in range(p):
        for j in range(i, p):
            a, b = axes[i], axes[j]
            corners = value(q + a + b) - value(q + a - b) - value(q - a + b) + value(q - a - b)
            second[i, j] = second[j, i] = corners / (4 * h[i] * h[j])
    return gradient, second


def polished(
    name: str, start: Floats, time: Floats, event: Bools, entry: Floats | None, weights: Floats | None
) -> Fitted:
    """Return the maximum of a family's likelihood near a fit of lifelines, at least as likely as it; times are (n,).

    Entry is 0 for those observed from the origin. A ValueError where likelihood or median is not finite there.
    """
    family = FAMILIES[name]
    mass = np.ones(len(time)) if weights is None else weights
    log_t, late = np.log(time), np.zeros(len(time), dtype=bool) if entry is None else entry > 0
    log_e = None if entry is None or not late.any() else np.log(entry[late])

    def value(q: Floats) -> float:
        with np.errstate(all="ignore"):
            hazard, surv = family.terms(log_t, q)
            total = float(mass @ (np.where(event, hazard, 0.0) + surv))
            return total if log_e is None else total - float(mass[late] @ family.terms(log_e, q)[1])

    q = np.asarray(family.free(np.asarray(start, dtype=np.float64)), dtype=np.float64)
    here = value(q)
    # from 1e-5 off the second step of Newton's is at the last digit
    for _ in range(5):
        gradient, second = _derivatives(value, q)
        if not (np.isfinite(gradient).all() and np.isfinite(second).all() and np.linalg.det(second) != 0):
            break
        step = -np.linalg.solve(second, gradient)
        there = value(q + step)
        # so long a step polishes nothing: the curvature there is rounding, or the start no maximum
        if not there >= here - 1e-9 * abs(here) or np.abs(step).max() > 0.1:
            break
        q, here = q + step, there
        if np.abs(step).max() < 1e-9:
            break
    with np.errstate(all="ignore"):
        median = float(np.exp(family.log_median(q)))
    if not (np.isfinite(here) and np.isfinite(median)):
        msg = "the likelihood or the median is not finite"
        raise ValueError(msg)
    return Fitted(q, here, median)
