"""Logistic regression: for many weight vectors at once, and of one outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy

from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, number_column
from evalkit.stats._limits import coefficient_frame
from evalkit.stats.design import Design, design_matrix

__all__ = ["LogisticFit", "fit_logistic", "logistic", "predicted"]


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


_ODDS = {"hazard_ratio": "odds_ratio", "hr_low": "or_low", "hr_high": "or_high"}


@dataclass(frozen=True, eq=False)
class LogisticFit(Estimates):
    """The estimates of a logistic model, with its design beside them; see `logistic`.

    Attributes
    ----------
    design : Design or None
        Which terms stand for which levels.
    """

    design: Design | None = field(default=None, repr=False)

    def about(self, **changes: Any) -> LogisticFit:  # noqa: ANN401 - fields have their own types
        """Return the same estimates with some of their description replaced.

        Parameters
        ----------
        **changes
            Fields of `Estimates`. Where the rows, the summary or the counts are replaced, the design, which holds
            people's rows, does not go along.

        Returns
        -------
        LogisticFit
            A new object.
        """
        if {"data", "summary", "counts"} & set(changes):
            changes = {"design": None} | changes
        return replace(self, **changes)


def logistic(
    data: pd.DataFrame, event: str, covariates: str | Sequence[str], *, conf_level: float = 0.95
) -> LogisticFit:
    r"""Fit a logistic regression.

    Maximises :math:`\sum_i y_i \log p_i + (1 - y_i) \log(1 - p_i)`, :math:`\mathrm{logit}\, p_i = a + x_i\beta`, by
    Newton's method. Standard errors are those of the information at the maximum [1]_.

    An own kernel rather than statsmodels': the one that propensity scores use already, and no second to import.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
        One row per person.
    event : str
        Column of bool or 0/1.
    covariates : str or sequence of str
        Columns (text ones as indicators against their first level), or a formula.
    conf_level : float, default 0.95

    Returns
    -------
    LogisticFit
        Rows: term, estimate (log odds ratio), std_error, statistic, p_value, conf_low, conf_high, odds_ratio, or_low,
        or_high; without the intercept. ``.glance()``: n, n_event, log_likelihood, log_likelihood_null, df, aic.

    Raises
    ------
    AnalysisError
        If everybody or nobody had the event, the terms tell those who had it from the others completely, a covariate is
        not identified, or a column is missing or wrong.

    References
    ----------
    .. [1] McCullagh, Nelder (1989). Generalized Linear Models, 2nd ed., chapter 4. Chapman and Hall.

    Examples
    --------
    >>> people = pd.DataFrame({"stayed": [0, 1, 0, 1, 1, 0, 1, 1], "age": [20, 25, 30, 35, 40, 45, 50, 55]})
    >>> logistic(people, "stayed", ["age"]).tidy()[["term", "estimate"]].round(4)
      term  estimate
    0  age    0.0796
    """
    y = number_column(data, event)
    if not np.isin(y, (0, 1)).all():
        msg = f"column '{event}' must hold 0 and 1 only"
        raise AnalysisError(msg)
    if len(set(y.tolist())) < 2:
        msg = f"column '{event}' is the same for everybody: an odds ratio is not defined"
        raise AnalysisError(msg)
    design = design_matrix(data, covariates)
    # standardised, since the kernel holds its steps by their size
    centre = design.matrix.mean(axis=0)
    scale = design.matrix.std(axis=0)
    x = np.column_stack([np.ones(len(y)), (design.matrix - centre) / scale])
    beta, converged = fit_logistic(x, y, np.ones((1, len(y))))
    if not converged.all():
        msg = "the terms tell those with the event from those without completely: no finite odds ratio fits best"
        raise AnalysisError(msg)
    mean = scipy.special.expit(x @ beta[0])
    variance = np.linalg.inv((x * (mean * (1 - mean))[:, None]).T @ x)
    error = np.sqrt(np.diag(variance))[1:] / scale
    frame = coefficient_frame(design.terms, beta[0, 1:] / scale, error, conf_level).rename(columns=_ODDS)
    # 0 log 0 is 0: who is fitted a probability of exactly 0 or 1 adds nothing
    value = float((scipy.special.xlogy(y, mean) + scipy.special.xlog1py(1 - y, -mean)).sum())
    n, events, df = len(y), int(y.sum()), len(design.terms)
    null = float(scipy.special.xlogy(events, events / n) + scipy.special.xlogy(n - events, 1 - events / n))
    facts = {"n": n, "n_event": events, "log_likelihood": value, "log_likelihood_null": null, "df": df}
    return LogisticFit(
        data=frame,
        kind="logistic",
        view="odds",
        estimand="log odds ratio per unit of " + ", ".join(design.terms),
        conf_level=conf_level,
        # the intercept is a parameter, too, though no row shows it
        summary={**facts, "aic": -2 * value + 2 * (df + 1)},
        counts=Tally(pd.DataFrame({"group": ["all"], "term": ["model"], "n_event": [events], "n": [n]})),
        design=design,
    )
