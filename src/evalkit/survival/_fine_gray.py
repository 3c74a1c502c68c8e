"""Fine and Gray's model of the subdistribution hazard."""

from __future__ import annotations

__all__ = ["fine_gray"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.survival._columns import Floats, read_rows
from evalkit.survival._cox import coefficient_frame, standardised
from evalkit.survival._curve import product_limit
from evalkit.survival._design import design_matrix
from evalkit.survival._limits import chi2_tail
from evalkit.survival._newton import solved
from evalkit.survival._steps import safe_divide

NO_SPREAD = "Where the score residuals are all 0 (events on one day only) there is no standard error and no test."


@dataclass(frozen=True)
class Subdistribution:
    """Rows in order of time, with the censoring curve.

    Attributes
    ----------
    x : (n, p)
    time : (n,)
        Ascending.
    cause : (n,)
        0, 1 (of interest) or 2 (competing).
    g : (n,)
        Kaplan-Meier curve of the censoring just before each time.
    days : (m,)
        Days with an event of interest.
    count : (m,)
    g_days : (m,)
        The censoring curve just before them.
    """

    x: Floats
    time: Floats
    cause: np.ndarray
    g: Floats
    days: Floats
    count: Floats
    g_days: Floats

    def sums(self, r: Floats) -> Floats:
        """Return sums of (n, q) rows over the weighted risk set of each day (m, q)."""
        first = np.searchsorted(self.time, self.days, side="left")
        total = np.concatenate([np.zeros((1, r.shape[1])), np.cumsum(r, axis=0)])
        still = total[-1] - total[first]
        gone = np.where(self.cause[:, None] == 2, r * safe_divide(np.ones_like(self.g), self.g)[:, None], 0.0)
        before = np.concatenate([np.zeros((1, r.shape[1])), np.cumsum(gone, axis=0)])[first]
        return np.asarray(still + self.g_days[:, None] * before)

    def at(self, beta: Floats) -> tuple[float, Floats, Floats, Floats, Floats, Floats]:
        """Return log-likelihood, score, information, risks (n,), baseline steps (m,) and means (m, p)."""
        with np.errstate(all="ignore"):
            return self._at(beta)

    def _at(self, beta: Floats) -> tuple[float, Floats, Floats, Floats, Floats, Floats]:
        p = len(beta)
        eta = self.x @ beta
        eta = eta - eta.max()
        r = np.exp(eta)
        pairs = (self.x[:, :, None] * self.x[:, None, :]).reshape(len(r), p * p)
        s = self.sums(r[:, None] * np.column_stack([np.ones(len(r)), self.x, pairs]))
        mean = s[:, 1 : p + 1] / s[:, :1]
        own = self.cause == 1
        value = float(eta[own].sum() - self.count @ np.log(s[:, 0]))
        score = self.x[own].sum(axis=0) - self.count @ mean
        second = (s[:, p + 1 :] / s[:, :1]).reshape(-1, p, p)
        outer = mean[:, :, None] * mean[:, None, :]
        return value, score, (self.count[:, None, None] * (second - outer)).sum(axis=0), r, self.count / s[:, 0], mean

    def residuals(self, r: Floats, steps: Floats, mean: Floats) -> Floats:
        """Return each row's contribution to the score, with that of the estimated censoring curve (n, p)."""
        upto = np.searchsorted(self.days, self.time, side="right")
        plain, weighted = _totals(steps, mean), _totals(steps * self.g_days, mean)
        own, rival = self.cause == 1, self.cause == 2
        eta = -r[:, None] * (self.x * plain[upto, :1] - plain[upto, 1:])
        late = weighted[-1] - weighted[upto]
        inverse = safe_divide(np.ones_like(self.g), self.g)
        eta -= np.where(rival, r * inverse, 0.0)[:, None] * (self.x * late[:, :1] - late[:, 1:])
        eta[own] += self.x[own] - mean[upto[own] - 1]
        return np.asarray(eta + self._censoring(np.where(rival, r * inverse, 0.0), weighted))

    def _censoring(self, gone: Floats, weighted: Floats) -> Floats:
        """Return the part of the score residuals due to estimating the censoring curve (n, p)."""
        censored = self.cause == 0
        days, count = np.unique(self.time[censored], return_counts=True)
        if len(days) == 0:
            return np.zeros_like(self.x)
        first = np.searchsorted(self.time, days, side="left")
        mass = np.column_stack([gone, gone[:, None] * self.x])
        a = np.concatenate([np.zeros((1, mass.shape[1])), np.cumsum(mass, axis=0)])[first]
        b = weighted[-1] - weighted[np.searchsorted(self.days, days, side="left")]
        risk = (len(self.time) - first).astype(np.float64)
        q = (a[:, 1:] * b[:, :1] - a[:, :1] * b[:, 1:]) / risk[:, None]
        drift = np.concatenate([np.zeros((1, q.shape[1])), np.cumsum(q * (count / risk)[:, None], axis=0)])
        out = -drift[np.searchsorted(days, self.time, side="right")]
        out[censored] += q[np.searchsorted(days, self.time[censored])]
        return np.asarray(out)


def _totals(steps: Floats, mean: Floats) -> Floats:
    """Return running sums of (step, step x mean), from 0 (m + 1, p + 1)."""
    rows = np.column_stack([steps, steps[:, None] * mean])
    return np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])


def _ordered(x: Floats, time: Floats, cause: np.ndarray) -> Subdistribution:
    order = np.argsort(time, kind="stable")
    x, time, cause = x[order], time[order], cause[order]
    grid, first = np.unique(time, return_index=True)
    out = (cause == 0).astype(np.float64)
    censored = np.bincount(np.searchsorted(grid, time), weights=out, minlength=len(grid)).astype(np.float64)
    curve = np.concatenate([[1.0], product_limit(censored, (len(time) - first).astype(np.float64))])
    days, events = np.unique(time[cause == 1], return_counts=True)
    g = curve[np.searchsorted(grid, time)]
    return Subdistribution(x, time, cause, g, days, events.astype(np.float64), curve[np.searchsorted(grid, days)])


def _maximum(rows: Subdistribution) -> Floats:
    beta = np.zeros(rows.x.shape[1])
    value, score, information, *_ = rows.at(beta)
    for _ in range(60):
        step = solved(information, score)
        shrink = 1.0
        new = rows.at(beta + step)
        while not (np.isfinite(new[0]) and new[0] >= value - 1e-9 * abs(value)) and shrink > 1e-6:
            shrink /= 2
            new = rows.at(beta + shrink * step)
        beta = beta + shrink * step
        done = abs(new[0] - value) <= 1e-12 * max(abs(value), 1.0)
        value, score, information = new[0], new[1], new[2]
        if done:
            if (np.abs(step) > 1e-3 * np.maximum(np.abs(beta), 0.1)).any():
                break
            return beta
    msg = "Fine and Gray's model has no finite maximum: a covariate separates those with the event"
    raise AnalysisError(msg)


def fine_gray(
    data: pd.DataFrame,
    time: str,
    cause: str,
    covariates: str | Sequence[str],
    *,
    interest: int = 1,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Fit Fine and Gray's proportional subdistribution hazards model.

    Those with a competing event stay at risk with weight :math:`\hat G(t-)/\hat G(T_i-)`, G the
    Kaplan-Meier curve of the censoring. Breslow's ties; the sandwich variance includes the estimation of
    G, as in R's ``cmprsk::crr``. [1]_

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, cause : str
        Columns: days since the origin; 0 censored, 1 ... K.
    covariates : str or sequence of str
        Columns or a formula, as in `cox`.
    interest : int
        The cause modelled.
    conf_level : float

    Returns
    -------
    Estimates
        Rows: term, estimate (log subdistribution hazard ratio), std_error, statistic, p_value, conf_low,
        conf_high, hazard_ratio, hr_low, hr_high. Summary: n, n_event, log_likelihood,
        log_likelihood_null, lr_statistic, df, lr_p_value.

    Raises
    ------
    AnalysisError
        If there are no events of the cause, a covariate separates them, or a column is missing or wrong.

    References
    ----------
    .. [1] Fine, Gray (1999), J. Am. Stat. Assoc. 94:496-509.

    Examples
    --------
    >>> people = pd.DataFrame(
    ...     {"day": [2, 3, 5, 7, 9, 11], "first": [1, 2, 1, 1, 0, 1], "age": [40, 30, 35, 50, 20, 42]}
    ... )
    >>> fine_gray(people, "day", "first", ["age"]).tidy()["term"].tolist()
    ['age']
    """
    rows = read_rows(data, time, cause, causes=None)
    kind = np.where(rows.cause == interest, 1, np.where(rows.cause > 0, 2, 0))
    events, n = int((kind == 1).sum()), len(kind)
    if interest < 1 or events == 0:
        msg = f"column '{cause}' has no events of cause {interest}: the model is not defined"
        raise AnalysisError(msg)
    design = design_matrix(data, covariates)
    x, _, scale = standardised(design)
    order = _ordered(x, rows.time, kind)
    beta = _maximum(order)
    value, _, information, r, steps, mean = order.at(beta)
    inverse = np.linalg.inv(information)
    moved = order.residuals(r, steps, mean) @ inverse
    error = np.sqrt((moved**2).sum(axis=0))
    null = order.at(np.zeros(len(beta)))[0]
    ratio = 2 * (value - null)
    totals = pd.DataFrame({"group": ["all"], "term": ["model"], "n_event": [events], "n": [n]})
    return Estimates(
        data=coefficient_frame(design.terms, beta / scale, error / scale, conf_level),
        kind="fine_gray",
        estimand="log subdistribution hazard ratio per unit of " + ", ".join(design.terms),
        conf_level=conf_level,
        summary={
            "n": n,
            "n_event": events,
            "log_likelihood": value,
            "log_likelihood_null": null,
            "lr_statistic": ratio,
            "df": len(beta),
            "lr_p_value": chi2_tail(ratio, len(beta)),
        },
        notes=(NO_SPREAD,) if (error <= 0).any() else (),
        counts=Tally(totals),
    )
