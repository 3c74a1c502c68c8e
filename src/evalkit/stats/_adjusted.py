"""Adjusted effects and curves, with intervals by a bootstrap that refits the propensity score."""

from __future__ import annotations

__all__ = ["adjusted_curves", "adjusted_effect"]

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from evalkit.counts import Tally
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.stats._arms import (
    ESTIMANDS,
    NO_SPREAD,
    NOISE,
    Arms,
    answered,
    bootstrap,
    check_boot,
    read_arms,
    target_weights,
)
from evalkit.stats._columns import Floats, Rows, check_level, group_column, read_rows
from evalkit.stats._kaplan_meier import asked_days
from evalkit.stats._limits import exp_or_infinite, percentile_limits, two_sided
from evalkit.stats._problem import Ask, Horizon, make_problem
from evalkit.stats._rmst import check_tau

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


def _counts(rows: Rows, arms: Arms) -> Tally:
    events = int((rows.cause > 0).sum())
    return Tally(pd.DataFrame({"group": ["all"], "term": ["model"], "n_event": [events], "n": [arms.size]}))


def _asked(measure: str | Sequence[str], method: str | Sequence[str], tau: float | None) -> list[tuple[str, Ask]]:
    """Return what is asked for, by measure and method."""
    measures = [measure] if isinstance(measure, str) else list(dict.fromkeys(measure))
    methods = [method] if isinstance(method, str) else list(dict.fromkeys(method))
    asks = []
    for name in measures:
        kind = MEASURES[_one_of(name, MEASURES, "measure")]
        if kind != "hazard" and tau is None:
            msg = f"measure '{name}' needs a horizon tau in days"
            raise AnalysisError(msg)
        if kind == "hazard" and "iptw" not in methods:
            msg = "a hazard ratio cannot be standardised over people: use method='iptw' or another measure"
            raise AnalysisError(msg)
        until = float("nan") if kind == "hazard" or tau is None else check_tau(tau)
        used = [_one_of(m, METHODS, "method") for m in methods]
        asks += [(name, Ask(m, Horizon(kind, until))) for m in used if kind != "hazard" or m == "iptw"]
    if not asks:
        msg = "name at least one measure and one method"
        raise AnalysisError(msg)
    return asks


def adjusted_effect(
    data: pd.DataFrame,
    time: str,
    event: str,
    treatment: str,
    covariates: str | Sequence[str],
    *,
    measure: str | Sequence[str] = "rmst_difference",
    method: str | Sequence[str] = "iptw",
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

    Intervals are percentiles of a bootstrap within arms that refits every model; the replicates' k-th of B
    stands at k/(B + 1), as in R's ``boot.ci`` [3]_. Several measures and methods in one call share the same
    replicates: each row is what it would be alone.

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
    measure : {"rmst_difference", "risk_difference", "cif_difference", "hazard_ratio"}, or a sequence of them
    method : {"iptw", "standardised", "doubly_robust"}, or a sequence of them
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
        A row per measure and method: contrast, measure, method, tau (nan for the hazard ratio), estimate (days for
        'rmst_difference'), std_error, statistic, p_value, conf_low, conf_high. The summary has n, n_event
        and, for a single row, the level in either arm.

    Raises
    ------
    AnalysisError
        If the measure is not defined (follow-up shorter than tau, no events, arms told apart completely),
        or a column is missing or wrong.

    References
    ----------
    .. [1] Andersen, Klein, Rosthoj (2003), Biometrika 90:15-27.
    .. [2] Robins, Rotnitzky, Zhao (1994), J. Am. Stat. Assoc. 89:846-866; Wang (2018), Biometrics 74:1411.
    .. [3] Davison, Hinkley (1997), Bootstrap Methods and their Application, chapter 5.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> age, arm = rng.normal(40, 9, 200).round(), rng.integers(0, 2, 200)
    >>> people = pd.DataFrame({"arm": arm, "age": age, "left": 1, "day": rng.integers(1, 90, 200) + 30 * arm})
    >>> found = adjusted_effect(people, "day", "left", "arm", ["age"], tau=60, n_boot=100, seed=2).tidy()
    >>> found["contrast"].item(), bool(found["conf_low"].item() > 0)
    ('1 - 0', True)
    """
    asks = _asked(measure, method, tau)
    check_level(conf_level)
    rows = read_rows(data, time, event, causes=None)
    arms = read_arms(data, treatment, covariates, focus)
    problem = make_problem(rows, arms, estimand, [ask for _, ask in asks])
    clusters = None if cluster is None else group_column(data, cluster).codes
    # the data are the draw in which everybody counts once: estimate and replicates cannot come from two programs
    point = problem.levels(np.ones((1, arms.size)))[0]
    replicates = bootstrap(arms, clusters, check_boot(n_boot), seed, problem.levels)
    found: list[dict[str, object]] = []
    notes: list[str] = []
    for k, (name, ask) in enumerate(asks):
        # what a level can be at most, which rounding is measured by: the days up to the horizon, or a probability of 1
        size = ask.horizon.tau if ask.horizon.kind == "rmst" else 1.0
        row, said = _effect_row(point[k], replicates[:, k], name, conf_level, size)
        sign = "/" if name == "hazard_ratio" else "-"
        contrast = f"{arms.names[0]} {sign} {arms.names[1]}"
        found.append({"contrast": contrast, "measure": name, "method": ask.method, "tau": ask.horizon.tau, **row})
        notes += said
    frame = pd.DataFrame(found)
    if frame["tau"].isna().all():
        frame = frame.drop(columns="tau")
    # only an incidence tells causes apart: for the other measures any cause is an event
    own = all(name == "cif_difference" for name, _ in asks)
    events = int(((rows.cause == 1) if own else (rows.cause > 0)).sum())
    facts: dict[str, object] = {"n": arms.size, "n_event": events, "n_boot": n_boot, "seed": seed}
    if len(asks) == 1 and asks[0][0] != "hazard_ratio":
        facts |= {f"level_{name}": float(v) for name, v in zip(arms.names, point[0], strict=True)}
    what = " and ".join(dict.fromkeys(name.replace("_", " ") for name, _ in asks))
    how = ", ".join(dict.fromkeys(ask.method.replace("_", " ") for _, ask in asks))
    return Estimates(
        data=frame,
        kind="adjusted_effect",
        estimand=f"{what} {ESTIMANDS[estimand]}, by {how}",
        conf_level=conf_level,
        summary=facts,
        notes=tuple(dict.fromkeys(notes)),
        counts=_counts(rows, arms),
        asked={"measures": [name for name, _ in asks], "methods": [ask.method for _, ask in asks], "target": estimand},
    )


def _effect_row(
    point: Floats, replicates: Floats, measure: str, conf_level: float, size: float
) -> tuple[dict[str, float], tuple[str, ...]]:
    difference = float(point[0] - point[1])
    drawn, notes = answered(replicates[:, 0] - replicates[:, 1])
    error = float(drawn.std(ddof=1))
    low, high = (float(v) for v in percentile_limits(drawn, conf_level))
    varies = error > NOISE * size
    statistic = difference / error if varies else float("nan")
    if not varies:
        error = low = high = float("nan")
        notes = (*notes, NO_SPREAD)
    if measure == "hazard_ratio":
        ratio = exp_or_infinite(difference)
        # delta method: the ratio's error from its logarithm's, which is what is tested
        value, low, high, spread = ratio, exp_or_infinite(low), exp_or_infinite(high), ratio * error
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
    at = np.array(asked_days(times))
    rows = read_rows(data, time, event, causes=None)
    arms = read_arms(data, treatment, covariates, focus)
    problem = make_problem(rows, arms, estimand, [Ask("iptw", Horizon("survival", float(at.max())))])
    clusters = None if cluster is None else group_column(data, cluster).codes
    check_level(conf_level)

    def curves(counts: Floats) -> Floats:
        score, converged = problem.scores(counts)
        weights = counts * target_weights(score, arms.treated, estimand)
        sides = (problem.focus, problem.base)
        both = np.stack([side.curve(weights[:, side.rows], at) for side in sides], axis=1)
        return np.where(converged[:, None, None], both, np.nan)

    point = curves(np.ones((1, arms.size)))[0]
    drawn, notes = answered(bootstrap(arms, clusters, check_boot(n_boot), seed, curves))
    low, high = percentile_limits(drawn, conf_level)
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
        asked={"target": estimand},
    )
