"""Parametric curves, fitted by lifelines, finished by our own likelihoods and ordered by AIC.

lifelines' optimisers stop where the likelihood no longer changes: about 1e-5 of a median is then still open. A few
Newton steps from there close it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from evalkit.counts import Tally
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, Rows, read_rows

__all__ = ["parametric", "polished"]


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


MODELS = {  # and the names of lifelines' classes, which are imported where one is fitted
    "weibull": "WeibullFitter",
    "log-normal": "LogNormalFitter",
    "log-logistic": "LogLogisticFitter",
    "generalised gamma": "GeneralizedGammaFitter",
}


def _units(rows: Rows) -> tuple[float, float, npt.NDArray[np.bool_]]:
    """Return a power of 2 near the times, the mean weight, and who has one."""
    use = np.ones(len(rows.time), dtype=bool) if rows.weights is None else rows.weights > 0
    # the optimiser's steps are made for times and weights near 1; dividing by a power of 2 loses no digit
    day = float(2.0 ** np.round(np.log2(np.median(rows.time[use]))))
    return day, 1.0 if rows.weights is None else float(rows.weights[use].mean()), use


def _fitted(name: str, rows: Rows, day: float, unit: float, use: npt.NDArray[np.bool_]) -> tuple[Fitted, float]:
    """Return a model fitted to times in a unit of days, and what that unit adds to its log-likelihood."""
    end, had = rows.time[use] / day, rows.cause[use]
    start = None if rows.entry is None else np.where(np.isneginf(rows.entry), 0.0, rows.entry)[use] / day
    mass = None if rows.weights is None else rows.weights[use] / unit
    fitter = getattr(import_module("lifelines"), MODELS[name])()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # what a warning would tell is asked of the result: `polished` refuses one that is not finite
        warnings.simplefilter("ignore")
        fitter.fit(end, had, entry=start, weights=mass)
        found_at = fitter.params_.to_numpy(dtype=np.float64)
    # each event's density is one per unit of time: in days its logarithm is another
    moved = float((had if mass is None else had * mass).sum()) * np.log(day)
    return polished(name, found_at, end, had > 0, start, mass), moved


def parametric(
    data: pd.DataFrame,
    time: str,
    event: str,
    *,
    models: Iterable[str] = tuple(MODELS),
    entry: str | None = None,
    weights: str | None = None,
) -> Estimates:
    r"""Fit parametric curves and order them by Akaike's criterion.

    lifelines maximises the likelihood [1]_, Newton's steps add the last digits; AIC is
    :math:`2 p - 2 \log L` for p parameters. With entry days, a row's survival is that given no event before.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, event : str
        Columns: days since the origin, above 0; bool or 0/1.
    models : iterable of {"weibull", "log-normal", "log-logistic", "generalised gamma"}
    entry, weights : str, optional
        Columns of entry days, weights.

    Returns
    -------
    Estimates
        A row per model, the best first: term, df (parameters), log_likelihood, aic, median
        (days). A model that does not converge is left out and a note names it.

    Raises
    ------
    AnalysisError
        If a time is 0, there are no events, no model converges, or a column is missing or wrong.

    References
    ----------
    .. [1] Davidson-Pilon (2019), J. Open Source Softw. 4:1317.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [2, 3, 5, 7, 9, 12], "left": [1, 1, 1, 0, 1, 1]})
    >>> parametric(people, "day", "left", models=["weibull"]).tidy()["term"].item()
    'weibull'
    """
    rows = read_rows(data, time, event, entry=entry, weights=weights)
    if (rows.time <= 0).any():
        msg = f"column '{time}' must be above 0 for a parametric curve"
        raise AnalysisError(msg)
    n, events = len(rows.time), int((rows.cause > 0).sum())
    if not (rows.cause > 0 if rows.weights is None else (rows.cause > 0) & (rows.weights > 0)).any():
        msg = f"column '{event}' has no events: no curve can be fitted"
        raise AnalysisError(msg)
    names = tuple(models)
    if not names:
        msg = f"models must name at least one of {', '.join(MODELS)}"
        raise AnalysisError(msg)
    day, unit, use = _units(rows)
    found, failed = [], []
    for name in names:
        if name not in MODELS:
            msg = f"model '{name}' is not one of {', '.join(MODELS)}{did_you_mean(name, MODELS)}"
            raise AnalysisError(msg)
        for one in dict.fromkeys((day, 1.0)):  # in which unit the optimiser begins well depends on model and data
            try:
                best, moved = _fitted(name, rows, one, unit, use)
            except (TypeError, ValueError, ZeroDivisionError, np.linalg.LinAlgError):
                continue  # lifelines' ConvergenceError is a ValueError
            df, value = len(best.parameters), unit * (best.log_likelihood - moved)
            found.append((name, df, value, 2 * df - 2 * value, best.median * one))
            break
        else:
            failed.append(name)
    if not found:
        msg = "no parametric curve converged"
        raise AnalysisError(msg)
    columns = ["term", "df", "log_likelihood", "aic", "median"]
    frame = pd.DataFrame(found, columns=columns).sort_values("aic", kind="stable")
    totals = pd.DataFrame({"group": ["all"], "term": ["model"], "n_event": [events], "n": [n]})
    return Estimates(
        data=frame,
        kind="parametric",
        estimand="the distribution of the time to event",
        summary={"n": n, "n_event": events, "best": str(frame["term"].iloc[0])},
        notes=(f"No convergence: {', '.join(failed)}.",) if failed else (),
        counts=Tally(totals),
    )
