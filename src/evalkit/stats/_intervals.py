"""Intervals and tests of one and two proportions, as plain functions of counts."""

from __future__ import annotations

__all__ = [
    "binomial_p_value",
    "clopper_pearson",
    "miettinen_nurminen",
    "newcombe",
    "score_statistic",
    "wilson",
]

from collections.abc import Callable

import numpy as np
import scipy

from evalkit.stats._limits import normal_quantile
from evalkit.wilson import wilson as score_limits

Interval = tuple[float, float]


def wilson(x: float, n: float, conf_level: float) -> Interval:
    r"""Return Wilson's score limits :math:`\{p: (x/n - p)^2 \le z^2 p (1-p)/n\}`; exact at 0/n and n/n."""
    low, high = score_limits([x], [n], conf_level)
    return float(low[0]), float(high[0])


def clopper_pearson(x: float, n: float, conf_level: float) -> Interval:
    """Return the exact limits from the beta distribution."""
    tail = (1 - conf_level) / 2
    low = 0.0 if x == 0 else float(scipy.special.betaincinv(x, n - x + 1, tail))
    high = 1.0 if x == n else float(scipy.special.betainccinv(x + 1, n - x, tail))
    return low, high


def binomial_p_value(x: int, n: int, p: float) -> float:
    """Return the exact two-sided p value: the sum of outcomes no more likely than x (minimum likelihood)."""
    return float(scipy.stats.binomtest(x, n, p).pvalue)


def newcombe(x1: float, n1: float, x0: float, n0: float, conf_level: float) -> Interval:
    """Return Newcombe's hybrid score limits of p1 - p0 (his method 10), from Wilson's of each."""
    p1, p0 = x1 / n1, x0 / n0
    low1, high1 = wilson(x1, n1, conf_level)
    low0, high0 = wilson(x0, n0, conf_level)
    d = p1 - p0
    return d - float(np.hypot(p1 - low1, high0 - p0)), d + float(np.hypot(high1 - p1, p0 - low0))


def _restricted_p0(x1: float, n1: float, x0: float, n0: float, delta: float) -> float:
    """Return the maximum likelihood estimate of p0 when p1 - p0 = delta (root of a cubic)."""
    n, x = n1 + n0, x1 + x0
    a = n
    b = (n1 + 2 * n0) * delta - n - x
    c = (n0 * delta - n - 2 * x0) * delta + x
    d = x0 * delta * (1 - delta)
    v = (b / (3 * a)) ** 3 - b * c / (6 * a * a) + d / (2 * a)
    inner = max((b / (3 * a)) ** 2 - c / (3 * a), 0.0)
    u = (1.0 if v >= 0 else -1.0) * float(np.sqrt(inner))
    if u == 0.0:
        root = -b / (3 * a)
    else:
        # of three real roots the one at which p0 is a share (Miettinen, Nurminen 1985); rounding may pass a cosine of 1
        angle = (np.pi + float(np.arccos(np.clip(v / u**3, -1.0, 1.0)))) / 3
        root = 2 * u * float(np.cos(angle)) - b / (3 * a)
    return float(np.clip(root, max(0.0, -delta), min(1.0, 1.0 - delta)))


def score_statistic(x1: float, n1: float, x0: float, n0: float, delta: float) -> float:
    r"""Return Miettinen and Nurminen's score statistic of p1 - p0 = delta; 0 where 0 / 0.

    :math:`(\hat p_1 - \hat p_0 - \delta) / \sqrt{[\tilde p_1 \tilde q_1/n_1 + \tilde p_0 \tilde q_0/n_0] N/(N-1)}`,
    with :math:`\tilde p_1 - \tilde p_0 = \delta`.
    """
    p0 = _restricted_p0(x1, n1, x0, n0, delta)
    p1 = p0 + delta
    n = n1 + n0
    variance = max(p1 * (1 - p1), 0.0) / n1 + max(p0 * (1 - p0), 0.0) / n0
    variance *= n / max(n - 1.0, 1.0)
    gap = x1 / n1 - x0 / n0 - delta
    if variance <= 1e-300:
        return 0.0 if abs(gap) < 1e-12 else float(np.copysign(np.inf, gap))
    return gap / float(np.sqrt(variance))


def _root(f: Callable[[float], float], low: float, high: float) -> float:
    return float(scipy.optimize.brentq(f, low, high, xtol=1e-14, rtol=1e-14, maxiter=500))


def miettinen_nurminen(x1: float, n1: float, x0: float, n0: float, conf_level: float) -> Interval:
    """Return the limits of p1 - p0 at which `score_statistic` is +-z."""
    z, d = normal_quantile(conf_level), x1 / n1 - x0 / n0
    # at a difference of 1 itself the restricted proportions have no variance
    edge = 1e-12

    def above(delta: float) -> float:
        # the root's search takes no infinite value, and any beyond z does
        return float(np.clip(score_statistic(x1, n1, x0, n0, delta), -1e6, 1e6))

    low = -1.0 if d - edge <= -1 else _side(above, z, -1.0 + edge, d)
    high = 1.0 if d + edge >= 1 else _side(above, -z, d, 1.0 - edge)
    return low, high


def _side(f: Callable[[float], float], goal: float, low: float, high: float) -> float:
    """Return the root of f = goal in [low, high]; the outer end when f does not reach the goal there."""
    at_low, at_high = f(low) - goal, f(high) - goal
    if at_low * at_high > 0:
        return low if goal > 0 else high
    return _root(lambda delta: f(delta) - goal, low, high)
