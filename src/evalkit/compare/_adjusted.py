"""Adjusted effects and curves, with intervals by a bootstrap that refits the propensity score."""

from __future__ import annotations

__all__ = ["adjusted_curves", "adjusted_effect"]

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from evalkit.compare._arms import ESTIMANDS, Arms, read_arms, target_weights
from evalkit.compare._problem import bootstrap, make_problem
from evalkit.compare._weighted_arm import Horizon
from evalkit.counts import Tally
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.survival._columns import Floats, Rows, check_level, group_column, read_rows
from evalkit.survival._kaplan_meier import as_times
from evalkit.survival._limits import two_sided
from evalkit.survival._rmst import check_tau

MEASURES = {
    "rmst_difference": "rmst",
    "risk_difference": "survival",
    "cif_difference": "cif",
    "hazard_ratio": "hazard",
}
METHODS = ("iptw", "standardised", "doubly_robust")


def _one_of(value: str, known: Iterable[str], name: str) -> str:
    names = list(known)
    if value not in names:
        msg = f"{name} '{value}' is not one of {', '.join(names)}{did_you_mean(value, names)}"
        raise AnalysisError(msg)
    return value


def _check_boot(n_boot: int) -> int:
    if n_boot < 20:
        msg = f"n_boot must be at least 20, it is {n_boot}"
        raise AnalysisError(msg)
    return int(n_boot)


def _counts(rows: Rows, arms: Arms) -> Tally:
    events = int((rows.cause > 0).sum())
    return Tally(pd.DataFrame({"group": ["all"], "term": ["model"], "n_event": [events], "n": [arms.size]}))


def _failed(replicates: Floats) -> tuple[str, ...]:
    failed = int(np.isnan(replicates).sum())
    if failed == 0:
        return ()
    if failed > len(replicates) / 4:
        msg = f"{failed} of {len(replicates)} bootstrap replicates have no estimate: the data are too thin"
        raise AnalysisError(msg)
    return (f"{failed} of {len(replicates)} bootstrap replicates had no estimate and were left out.",)


def adjusted_effect(
    data: pd.DataFrame,
    time: str,
    event: str,
    treatment: str,
    covariates: str | Sequence[str],
    *,
    measure: str = "rmst_difference",
    method: str = "iptw",
    tau: float | None = None,
    estimand: str = "att",
    focus: object = None,
    cluster: str | None = None,
    n_boot: int = 1000,
    seed: int = 0,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the effect of an arm, adjusted for covariates.

    *iptw*: each arm's weighted curve, weights from a logistic propensity score. *standardised*: linear
    regression of pseudo-observations on the covariates within each arm, averaged over the target [1]_.
    *doubly_robust*: the standardised estimate plus the weighted mean residual, right if either model is
    [2]_. Pseudo-observations are the infinitesimal jackknife's, estimate + N x influence; they ask that
    censoring within an arm does not depend on the covariates. The hazard ratio (Efron's ties) is weighted
    only: it cannot be averaged over people.

    Intervals are percentiles of a bootstrap within arms that refits every model.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, event : str
        Columns: days since the origin; bool, 0/1, or the cause (0 censored; 1 is the event for
        'cif_difference', any cause is one for the others).
    treatment : str
        Column with two levels.
    covariates : str or sequence of str
        Columns or a formula.
    measure : {"rmst_difference", "risk_difference", "cif_difference", "hazard_ratio"}
    method : {"iptw", "standardised", "doubly_robust"}
    tau : float
        Horizon in days; not for the hazard ratio.
    estimand : {"att", "ate", "overlap"}
    focus : object, optional
        The focus level; default the higher of the two.
    cluster : str, optional
        Column: whole clusters are drawn again, within arms.
    n_boot : int
        Replicates, at least 20.
    seed : int
    conf_level : float

    Returns
    -------
    Estimates
        One row: contrast, measure, method, tau, estimate (days for 'rmst_difference'), std_error,
        statistic, p_value, conf_low, conf_high. The summary has n, n_event and the level in either arm.

    Raises
    ------
    AnalysisError
        If the measure is not defined (follow-up shorter than tau, no events, arms told apart completely),
        or a column is missing or wrong.

    References
    ----------
    .. [1] Andersen, Klein, Rosthoj (2003), Biometrika 90:15-27.
    .. [2] Robins, Rotnitzky, Zhao (1994), J. Am. Stat. Assoc. 89:846-866; Wang (2018), Biometrics 74:1411.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> age, arm = rng.normal(40, 9, 200).round(), rng.integers(0, 2, 200)
    >>> people = pd.DataFrame({"arm": arm, "age": age, "left": 1, "day": rng.integers(1, 90, 200) + 30 * arm})
    >>> found = adjusted_effect(people, "day", "left", "arm", ["age"], tau=60, n_boot=100, seed=2).tidy()
    >>> found["contrast"].item(), bool(found["conf_low"].item() > 0)
    ('1 - 0', True)
    """
    kind = MEASURES[_one_of(measure, MEASURES, "measure")]
    _one_of(method, METHODS, "method")
    if kind == "hazard" and method != "iptw":
        msg = "a hazard ratio cannot be standardised over people: use method='iptw' or another measure"
        raise AnalysisError(msg)
    if kind != "hazard" and tau is None:
        msg = f"measure '{measure}' needs a horizon tau in days"
        raise AnalysisError(msg)
    horizon = Horizon(kind, check_tau(tau) if tau is not None else float("nan"))
    check_level(conf_level)
    rows = read_rows(data, time, event, causes=None)
    arms = read_arms(data, treatment, covariates, focus)
    problem = make_problem(rows, arms, estimand, method, horizon)
    clusters = None if cluster is None else group_column(data, cluster).codes
    point = problem.levels(np.ones((1, arms.size)))[0]
    replicates = bootstrap(arms, clusters, _check_boot(n_boot), seed, problem.levels)
    row, notes = _effect_row(point, replicates, measure, conf_level)
    sign = "/" if kind == "hazard" else "-"
    name = f"{arms.names[0]} {sign} {arms.names[1]}"
    events = int(((rows.cause == 1) if kind == "cif" else (rows.cause > 0)).sum())
    start = {"contrast": name, "measure": measure, "method": method, "tau": horizon.tau}
    frame = pd.DataFrame([start | row])
    if kind == "hazard" and tau is None:
        frame = frame.drop(columns="tau")
    facts: dict[str, object] = {"n": arms.size, "n_event": events, "n_boot": n_boot, "seed": seed}
    if kind != "hazard":
        facts |= {f"level_{arms.names[0]}": float(point[0]), f"level_{arms.names[1]}": float(point[1])}
    return Estimates(
        data=frame,
        kind="adjusted_effect",
        estimand=f"{measure.replace('_', ' ')} {ESTIMANDS[estimand]}, by {method.replace('_', ' ')}",
        conf_level=conf_level,
        summary=facts,
        notes=notes,
        counts=_counts(rows, arms),
    )


def _effect_row(
    point: Floats, replicates: Floats, measure: str, conf_level: float
) -> tuple[dict[str, float], tuple[str, ...]]:
    difference = float(point[0] - point[1])
    drawn = replicates[:, 0] - replicates[:, 1]
    notes = _failed(drawn)
    drawn = drawn[~np.isnan(drawn)]
    error = float(drawn.std(ddof=1))
    tail = (1 - conf_level) / 2
    low, high = (float(v) for v in np.quantile(drawn, [tail, 1 - tail]))
    statistic = difference / error if error > 0 else float("nan")
    if not error > 0:
        notes = (*notes, "All bootstrap replicates are the same: there is no standard error and no test.")
    if measure == "hazard_ratio":
        ratio = float(np.exp(difference))
        value, low, high, spread = ratio, float(np.exp(low)), float(np.exp(high)), ratio * error
    else:
        value, spread = difference, error
    p_value = float(two_sided(statistic))
    row = {"estimate": value, "std_error": spread, "statistic": statistic, "p_value": p_value}
    return row | {"conf_low": low, "conf_high": high}, notes


def adjusted_curves(
    data: pd.DataFrame,
    time: str,
    event: str,
    treatment: str,
    covariates: str | Sequence[str],
    *,
    times: Iterable[float],
    estimand: str = "att",
    focus: object = None,
    cluster: str | None = None,
    n_boot: int = 1000,
    seed: int = 0,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the curves both arms would have in the target population, by weighting.

    Weighted Kaplan-Meier curves [1]_ with pointwise percentile intervals of a bootstrap within arms that
    refits the propensity score.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, event : str
        Columns: days since the origin; bool or whole numbers, 0 for censored.
    treatment : str
        Column with two levels.
    covariates : str or sequence of str
        Columns or a formula.
    times : iterable of numbers
        Days at which to give the curves, within both arms' follow-up.
    estimand : {"att", "ate", "overlap"}
    focus, cluster, n_boot, seed, conf_level
        As in `adjusted_effect`.

    Returns
    -------
    Estimates
        Columns group, time (days), estimate (probability of no event), std_error, conf_low, conf_high.

    Raises
    ------
    AnalysisError
        If a time lies beyond an arm's follow-up, the arms are told apart completely, or a column is wrong.

    References
    ----------
    .. [1] Xie, Liu (2005), Stat. Med. 24:3089-3110.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> age, arm = rng.normal(40, 9, 200).round(), rng.integers(0, 2, 200)
    >>> people = pd.DataFrame({"arm": arm, "age": age, "left": 1, "day": rng.integers(1, 90, 200) + 30 * arm})
    >>> found = adjusted_curves(people, "day", "left", "arm", ["age"], times=[30, 60], n_boot=50, seed=2)
    >>> found.tidy()["group"].tolist()
    ['1', '1', '0', '0']
    """
    at = np.array(as_times(times))
    rows = read_rows(data, time, event, causes=None)
    arms = read_arms(data, treatment, covariates, focus)
    problem = make_problem(rows, arms, estimand, "iptw", Horizon("survival", float(at.max())))
    clusters = None if cluster is None else group_column(data, cluster).codes
    tail = (1 - check_level(conf_level)) / 2

    def curves(counts: Floats) -> Floats:
        score, converged = problem.scores(counts)
        weights = counts * target_weights(score, arms.treated, estimand)
        sides = (problem.focus, problem.base)
        both = np.stack([side.curve(weights[:, side.rows], at) for side in sides], axis=1)
        return np.where(converged[:, None, None], both, np.nan)

    point = curves(np.ones((1, arms.size)))[0]
    drawn = bootstrap(arms, clusters, _check_boot(n_boot), seed, curves)
    notes = _failed(drawn[:, 0, 0])
    drawn = drawn[~np.isnan(drawn[:, 0, 0])]
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    frame = pd.DataFrame(
        {
            "group": np.repeat(arms.names, len(at)),
            "time": np.tile(at, 2),
            "estimate": point.ravel(),
            "std_error": drawn.std(axis=0, ddof=1).ravel(),
            "conf_low": low.ravel(),
            "conf_high": high.ravel(),
        }
    )
    events = int((rows.cause > 0).sum())
    return Estimates(
        data=frame,
        kind="adjusted_curves",
        estimand=f"probability of no event by each time {ESTIMANDS[estimand]}, by weighting",
        conf_level=conf_level,
        summary={"n": arms.size, "n_event": events, "n_boot": n_boot, "seed": seed},
        notes=notes,
        counts=_counts(rows, arms),
    )
