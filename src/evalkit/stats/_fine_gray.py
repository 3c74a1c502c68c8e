"""Fine and Gray's model of the subdistribution hazard."""

from __future__ import annotations

__all__ = ["fine_gray"]

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, read_rows
from evalkit.stats._curve import product_limit, safe_divide
from evalkit.stats._limits import beyond_numbers, chi2_tail, coefficient_frame
from evalkit.stats._newton import maximum, require_identified, scaled, solved
from evalkit.stats.design import design_matrix

NO_SPREAD = "Where the score residuals are all 0 (events on one day only) there is no standard error and no test."
SEPARATED = "Fine and Gray's model has no finite maximum: a covariate separates those with the event"


@dataclass(frozen=True)
class PartialLikelihood:
    """The partial likelihood at one vector of coefficients, and what residuals need."""

    value: float
    score: Floats  # (p,)
    information: Floats  # (p, p)
    r: Floats  # (n,) risks
    steps: Floats  # (m,) of the baseline
    mean: Floats  # (m, p) covariates over the risk sets


@dataclass(frozen=True)
class Subdistribution:
    """Rows in order of time, with the censoring curve."""

    x: Floats  # (n, p)
    time: Floats  # (n,) ascending
    cause: np.ndarray  # (n,) 0, 1 (of interest) or 2 (competing)
    g: Floats  # (n,) Kaplan-Meier curve of the censoring just before each time
    days: Floats  # (m,) with an event of interest
    count: Floats  # (m,)
    g_days: Floats  # (m,) the censoring curve just before them

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """Rows that are in a risk set: followed up to an event, or kept in it after a competing one (n,)."""
        return np.asarray((self.time >= self.days[0]) | (self.cause == 2))

    def sums(self, r: Floats) -> Floats:
        """Return sums of (n, q) rows over the weighted risk set of each day (m, q)."""
        first = np.searchsorted(self.time, self.days, side="left")
        # whoever had a competing event stays at risk, with the share that censoring would have left since
        gone = np.where(self.cause[:, None] == 2, r * safe_divide(np.ones_like(self.g), self.g)[:, None], 0.0)
        before = np.concatenate([np.zeros((1, r.shape[1])), np.cumsum(gone, axis=0)])[first]
        return np.asarray(_ahead(r)[first] + self.g_days[:, None] * before)

    def at(self, beta: Floats) -> PartialLikelihood:
        """Return the likelihood; far out, where risks underflow, it is not finite."""
        with np.errstate(all="ignore"):
            return self._at(beta)

    def _at(self, beta: Floats) -> PartialLikelihood:
        p = len(beta)
        eta = self.x @ beta
        # cancels in every ratio, and keeps exponentials within numbers
        eta = np.where(self.used, eta - eta[self.used].max(), -np.inf)
        r = np.exp(eta)
        # products as further columns: one walk over the risk sets gives sums, means and second moments
        pairs = (self.x[:, :, None] * self.x[:, None, :]).reshape(len(r), p * p)
        s = self.sums(r[:, None] * np.column_stack([np.ones(len(r)), self.x, pairs]))
        mean = s[:, 1 : p + 1] / s[:, :1]
        own = self.cause == 1
        value = float(eta[own].sum() - self.count @ np.log(s[:, 0]))
        score = self.x[own].sum(axis=0) - self.count @ mean
        second = (s[:, p + 1 :] / s[:, :1]).reshape(-1, p, p)
        outer = mean[:, :, None] * mean[:, None, :]
        information = (self.count[:, None, None] * (second - outer)).sum(axis=0)
        return PartialLikelihood(value, score, information, r, self.count / s[:, 0], mean)

    def residuals(self, at: PartialLikelihood) -> Floats:
        """Return each row's contribution to the score, with that of the estimated censoring curve (n, p)."""
        r, steps, mean = at.r, at.steps, at.mean
        upto = np.searchsorted(self.days, self.time, side="right")
        rows = np.column_stack([np.ones(len(steps)), mean])
        plain = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(steps[:, None] * rows, axis=0)])
        weighted = _ahead((steps * self.g_days)[:, None] * rows)
        own, rival = self.cause == 1, self.cause == 2
        eta = -r[:, None] * (self.x * plain[upto, :1] - plain[upto, 1:])
        late = weighted[upto]
        inverse = safe_divide(np.ones_like(self.g), self.g)
        eta -= np.where(rival, r * inverse, 0.0)[:, None] * (self.x * late[:, :1] - late[:, 1:])
        eta[own] += self.x[own] - mean[upto[own] - 1]
        return np.asarray(eta + self._censoring(np.where(rival, r * inverse, 0.0), weighted))

    def _censoring(self, gone: Floats, weighted: Floats) -> Floats:
        """Return the residuals' part (n, p) due to estimating the censoring curve; gone (n,): risk `sums` keeps."""
        censored = self.cause == 0
        days, count = np.unique(self.time[censored], return_counts=True)
        if len(days) == 0:
            return np.zeros_like(self.x)
        first = np.searchsorted(self.time, days, side="left")
        mass = np.column_stack([gone, gone[:, None] * self.x])
        a = np.concatenate([np.zeros((1, mass.shape[1])), np.cumsum(mass, axis=0)])[first]
        b = weighted[np.searchsorted(self.days, days, side="left")]
        risk = (len(self.time) - first).astype(np.float64)
        q = (a[:, 1:] * b[:, :1] - a[:, :1] * b[:, 1:]) / risk[:, None]
        drift = np.concatenate([np.zeros((1, q.shape[1])), np.cumsum(q * (count / risk)[:, None], axis=0)])
        out = -drift[np.searchsorted(days, self.time, side="right")]
        out[censored] += q[np.searchsorted(days, self.time[censored])]
        return np.asarray(out)


def _ahead(rows: Floats) -> Floats:
    """Return sums of rows from each one on, 0 at the end (n + 1, q): so added, small ones keep their digits."""
    return np.concatenate([np.cumsum(rows[::-1], axis=0)[::-1], np.zeros((1, rows.shape[1]))])


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
        If there are no events of the cause, a covariate separates them or is not identified, or a column is
        missing or wrong.

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
    raw = _ordered(design.matrix, rows.time, kind)
    x, scale, reach = scaled(raw.x, raw.used, np.zeros(n, dtype=np.int64))
    order = replace(raw, x=x)
    null = order.at(np.zeros(len(scale)))
    squares = order.sums(null.r[:, None] * np.column_stack([np.ones(n), x**2]))
    require_identified(null.information, order.count @ (squares[:, 1:] / squares[:, :1]), design.terms)
    best = maximum(order.at, reach, 1.0, float(events))
    if best.infinite.any():
        raise AnalysisError(SEPARATED)
    at, beta = order.at(best.beta), best.beta
    moved = order.residuals(at) @ solved(at.information, np.eye(len(beta)))
    error = np.sqrt((moved**2).sum(axis=0))
    flat = error <= 0
    ratio = 2 * (best.value - null.value)
    totals = pd.DataFrame({"group": ["all"], "term": ["model"], "n_event": [events], "n": [n]})
    frame = coefficient_frame(design.terms, beta / scale, np.where(flat, np.nan, error) / scale, conf_level)
    return Estimates(
        data=frame,
        kind="fine_gray",
        estimand="log subdistribution hazard ratio per unit of " + ", ".join(design.terms),
        conf_level=conf_level,
        summary={
            "n": n,
            "n_event": events,
            "log_likelihood": best.value,
            "log_likelihood_null": null.value,
            "lr_statistic": ratio,
            "df": len(beta),
            "lr_p_value": chi2_tail(ratio, len(beta)),
        },
        notes=((NO_SPREAD,) if flat.any() else ()) + beyond_numbers(frame),
        counts=Tally(totals),
        asked={"terms": design.terms},
    )
