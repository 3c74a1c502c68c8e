"""Quantiles, tails and limits, without warnings: transformed, of profiles, of proportions, and of coefficients.

Intervals and tests of one and two proportions are plain functions of counts; those of a model's coefficients are rows
with Wald statistics, limits, and the ratios they stand for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import scipy

from evalkit.errors import AnalysisError, did_you_mean
from evalkit.stats._columns import Floats, check_level
from evalkit.wilson import wilson as score_limits

__all__ = [
    "BEYOND_NUMBERS",
    "CONF_TYPES",
    "beyond_numbers",
    "binomial_p_value",
    "check_conf_type",
    "chi2_tail",
    "clopper_pearson",
    "coefficient_frame",
    "crossing",
    "exp_or_infinite",
    "limits",
    "miettinen_nurminen",
    "newcombe",
    "normal_quantile",
    "percentile_limits",
    "score_statistic",
    "two_sided",
    "wilson",
    "with_ratios",
]


CONF_TYPES = ("log-log", "log", "plain")
# A product of shares that is 1 comes out as 1 less a few units in the last place, whose logarithm is not 0.
CLOSE_TO_ONE = 1e-14
BEYOND_NUMBERS = "A ratio or limit beyond the largest number is given as infinite."


def normal_quantile(conf_level: float) -> float:
    """Return z such that a standard normal lies within +-z with this probability."""
    return float(scipy.special.ndtri(0.5 + check_level(conf_level) / 2))


def exp_or_infinite(value: float) -> float:
    """Return exp(value), infinite where it is beyond the largest number."""
    with np.errstate(over="ignore"):
        return float(np.exp(value))


def two_sided(statistic: Floats | float) -> Floats:
    """Return the two-sided normal p value, nan for nan."""
    return np.asarray(2 * scipy.special.ndtr(-np.abs(np.asarray(statistic, dtype=float))))


def chi2_tail(statistic: float, df: float) -> float:
    """Return P(chi-square with df > statistic); nan for nan or without degrees of freedom."""
    if df < 1 or np.isnan(statistic):
        return float("nan")
    return float(scipy.special.chdtrc(df, max(statistic, 0.0)))


def check_conf_type(conf_type: str) -> None:
    """Refuse a transformation that is not one of `CONF_TYPES`."""
    if conf_type not in CONF_TYPES:
        known = ", ".join(CONF_TYPES)
        msg = f"conf_type '{conf_type}' is not one of {known}{did_you_mean(conf_type, CONF_TYPES)}"
        raise AnalysisError(msg)


def limits(p: Floats, std_error: Floats, conf_type: str, conf_level: float) -> tuple[Floats, Floats]:
    r"""Return limits within [0, 1] of a probability; nan where the scale is not defined (p of 0, or of 1 for log-log).

    *plain* :math:`p \pm z s`; *log* :math:`p \exp(\pm z s / p)`; *log-log* :math:`p^{\exp(\pm z s / (p \log p))}`.
    """
    check_conf_type(conf_type)
    z = normal_quantile(conf_level)
    p, std_error = np.asarray(p, dtype=float), np.asarray(std_error, dtype=float)
    if conf_type == "plain":
        return np.clip(p - z * std_error, 0, 1), np.clip(p + z * std_error, 0, 1)
    # what differs from 1 by the rounding of a sum is 1: its logarithm would be noise
    p = np.where(np.abs(p - 1.0) <= CLOSE_TO_ONE, 1.0, p)
    inside = (p > 0) & (p <= 1) if conf_type == "log" else (p > 0) & (p < 1)
    inside &= np.isfinite(std_error)
    q = np.where(inside, p, 0.5)
    s = np.where(inside, std_error, 0.0)
    if conf_type == "log":
        # beyond exp(709) nothing is a number; so wide a limit is 0 or 1 anyway
        width = np.exp(np.minimum(z * s / q, 700.0))
        low, high = q / width, np.minimum(q * width, 1.0)
    else:
        width = np.exp(np.minimum(z * s / np.abs(q * np.log(q)), 700.0))
        low, high = np.exp(np.log(q) * width), np.exp(np.log(q) / width)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def crossing(drop: Callable[[float], float], cut: float, start: float, step: float) -> float:
    """Return where a profile likelihood has dropped by `cut`, walking from its maximum; infinite where it is lost."""
    reach, lost = step, float(np.copysign(np.inf, step))
    while (down := drop(start + reach)) < cut:
        reach *= 1.6
        # a thousand standard errors out a profile that has not dropped is flat: on this side there is no limit
        if abs(reach) > 1e3 * abs(step):
            return lost
    if not np.isfinite(down):
        return lost
    try:
        return float(scipy.optimize.brentq(lambda v: drop(v) - cut, start, start + reach, xtol=1e-9))
    except ValueError:  # lost on the way there, though found again at its end
        return lost


def percentile_limits(drawn: Floats, conf_level: float) -> tuple[Floats, Floats]:
    """Return percentile limits of bootstrap replicates (B, ...): the k-th stands at k/(B + 1), as in R's ``boot.ci``.

    Between neighbours interpolated on the normal scale (Davison, Hinkley 1997, sections 2.4 and 5.2).
    """
    b, tail = len(drawn), (1 - conf_level) / 2
    place = scipy.special.ndtri(np.arange(1, b + 1) / (b + 1))
    ordered = np.sort(drawn, axis=0)

    def at(share: float) -> Floats:
        wanted = float(scipy.special.ndtri(share))
        # with few replicates the tail lies beyond them: then the outermost is the limit
        k = int(np.clip(np.searchsorted(place, wanted, side="right") - 1, 0, b - 2))
        part = float(np.clip((wanted - place[k]) / (place[k + 1] - place[k]), 0.0, 1.0))
        return np.asarray(ordered[k] + part * (ordered[k + 1] - ordered[k]))

    return at(tail), at(1 - tail)


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
    u = float(np.sqrt(inner))
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


def coefficient_frame(terms: Sequence[str], beta: Floats, error: Floats, conf_level: float) -> pd.DataFrame:
    """Return rows of coefficients with Wald statistics, limits and hazard ratios."""
    z = normal_quantile(conf_level)
    # an error of 0 is nothing known of the spread, and no infinite statistic
    statistic = np.divide(beta, error, out=np.full(len(beta), np.nan), where=error > 0)
    frame = pd.DataFrame({"term": list(terms), "estimate": beta, "std_error": error, "statistic": statistic})
    frame["p_value"] = two_sided(statistic)
    return with_ratios(frame, beta - z * error, beta + z * error)


def beyond_numbers(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return a note where the ratio of a finite coefficient, or its limit, is too large for a number."""
    # an infinite coefficient is separation, and has a note of its own
    known = np.isfinite(frame["estimate"].to_numpy())
    ratios = frame[["hazard_ratio", "hr_low", "hr_high"]].to_numpy()[known]
    return (BEYOND_NUMBERS,) if np.isinf(ratios).any() else ()


def with_ratios(frame: pd.DataFrame, low: Floats, high: Floats) -> pd.DataFrame:
    """Return the rows with limits and the ratios they stand for."""

    def ratio(values: Floats) -> Floats:
        with np.errstate(over="ignore"):  # beyond the largest number a ratio is infinite
            return np.exp(values)

    frame["conf_low"], frame["conf_high"] = low, high
    frame["hazard_ratio"] = ratio(frame["estimate"].to_numpy())
    frame["hr_low"], frame["hr_high"] = ratio(low), ratio(high)
    return frame
