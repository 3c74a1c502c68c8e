"""Logistic regression of one outcome."""

from __future__ import annotations

__all__ = ["LogisticFit", "logistic"]

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy

from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._coefficients import coefficient_frame
from evalkit.stats._columns import number_column
from evalkit.stats._logistic import fit_logistic
from evalkit.stats.design import Design, design_matrix

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
