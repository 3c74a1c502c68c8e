"""Normal quantiles, tail probabilities, transformed confidence limits and those of profiles, without warnings."""

from __future__ import annotations

__all__ = [
    "BEYOND_NUMBERS",
    "CONF_TYPES",
    "check_conf_type",
    "chi2_tail",
    "crossing",
    "exp_or_infinite",
    "limits",
    "normal_quantile",
    "percentile_limits",
    "two_sided",
]

from collections.abc import Callable

import numpy as np
import scipy

from evalkit.errors import AnalysisError, did_you_mean
from evalkit.stats._columns import Floats, check_level

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
