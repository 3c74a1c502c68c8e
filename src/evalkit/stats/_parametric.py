"""Parametric curves, fitted by lifelines and ordered by AIC."""

from __future__ import annotations

__all__ = ["parametric"]

import warnings
from collections.abc import Iterable
from importlib import import_module

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.counts import Tally
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.stats._columns import Rows, read_rows
from evalkit.stats._parametric_likelihood import Fitted, polished

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
