"""The test of proportional hazards."""

from __future__ import annotations

__all__ = ["proportional_hazards_test"]

import numpy as np
import pandas as pd
import scipy

from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, Groups, Rows
from evalkit.stats._cox import CoxFit, CoxModel
from evalkit.stats._curve import curve_of, steps_by_group
from evalkit.stats._day_counts import tally_days
from evalkit.stats._limits import chi2_tail

TRANSFORMS = ("km", "rank", "identity", "log")


def _transformed(rows: Rows, transform: str) -> Floats:
    """Return g of every row's time (n,)."""
    time = rows.time
    if transform == "identity":
        return time
    if transform == "rank":
        return np.asarray(scipy.stats.rankdata(time))
    if transform == "log":
        if (time <= 0).any():
            msg = "transform 'log' needs times above 0; choose 'km', 'rank' or 'identity'"
            raise AnalysisError(msg)
        return np.asarray(np.log(time))
    everyone = Groups(np.zeros(len(time), dtype=np.int64), ("all",))
    steps = steps_by_group(tally_days(Rows(time, rows.cause, rows.entry, None, everyone), ("event",)))[0]
    before = np.concatenate([[1.0], curve_of(steps).surv])
    return np.asarray(1.0 - before[np.searchsorted(steps.time, time, side="left")])


def _scores(model: CoxModel, transform: str) -> tuple[Floats, Floats]:
    """Return the score of the time-varying coefficients (p,) and the joint information (2p, 2p)."""
    # on the scale of the sets, on which covariates of any unit keep their digits
    sets, beta = model.sets, model.beta * model.scale
    own = sets.when >= 0
    g = _transformed(model.rows, transform)
    at_time = np.zeros(sets.m)
    # centred, which changes no test: the joint information would be near singular else
    at_time[sets.when[own]] = g[own] - g[own].mean()
    plain, once = sets.likelihood(beta), sets.likelihood(beta, at_time)
    twice = sets.likelihood(beta, at_time**2)
    information = np.block([[plain.information, once.information], [once.information, twice.information]])
    return once.score, information


def proportional_hazards_test(fit: CoxFit, transform: str = "km") -> Estimates:
    r"""Test whether hazard ratios change over time.

    The score test of :math:`\theta = 0` in :math:`\beta + \theta g(t)`, g centred over the events, with the
    full joint information of :math:`(\beta, \theta)`; for each covariate (all its indicators together) and
    for all. This is the exact test of R's ``cox.zph`` since survival 3.0, not the older approximation of
    Grambsch and Therneau [1]_ that lifelines gives.

    Parameters
    ----------
    fit : CoxFit
        From `cox`.
    transform : {"km", "rank", "identity", "log"}
        g: one less the Kaplan-Meier curve just before t, pooled over strata; the rank among all times
        (those of censored people too); t; log t.

    Returns
    -------
    Estimates
        A row per covariate and one 'GLOBAL': term, statistic, df, p_value, method (the transform). A note
        says where proportional hazards are rejected at 5 %.

    Raises
    ------
    AnalysisError
        If the transform is not known or not defined, or the fit has no finite coefficients.

    References
    ----------
    .. [1] Grambsch, Therneau (1994), Biometrika 81:515-526.

    Examples
    --------
    >>> from evalkit.stats import cox
    >>> people = pd.DataFrame({"day": [2, 3, 5, 7, 9], "left": [1, 1, 1, 0, 1], "age": [40, 30, 50, 35, 20]})
    >>> found = proportional_hazards_test(cox(people, "day", "left", ["age"])).tidy()
    >>> list(found["term"]), list(found["df"])
    (['age', 'GLOBAL'], [1, 1])
    """
    if transform not in TRANSFORMS:
        msg = f"transform '{transform}' is not one of {', '.join(TRANSFORMS)}{did_you_mean(transform, TRANSFORMS)}"
        raise AnalysisError(msg)
    model = fit.model
    if model is None or not np.isfinite(fit.data["estimate"]).all():
        msg = "proportional_hazards_test needs a fit by cox() with finite coefficients"
        raise AnalysisError(msg)
    score, information = _scores(model, transform)
    p = len(score)
    parts = [(name, list(columns)) for name, columns in model.design.parts]
    rows = []
    for name, columns in [*parts, ("GLOBAL", list(range(p)))]:
        kept = [*range(p), *(p + j for j in columns)]
        u = np.concatenate([np.zeros(p), score[columns]])
        statistic = float(u @ np.linalg.lstsq(information[np.ix_(kept, kept)], u, rcond=None)[0])
        rows.append((name, statistic, len(columns), chi2_tail(statistic, len(columns)), transform))
    frame = pd.DataFrame(rows, columns=["term", "statistic", "df", "p_value", "method"])
    rejected = [f"'{t}'" for t, v in zip(frame["term"], frame["p_value"], strict=True) if v < 0.05]
    notes = (f"Proportional hazards are rejected at 5 % for {', '.join(rejected)}.",) if rejected else ()
    return Estimates(
        data=frame,
        kind="proportional_hazards_test",
        estimand="change of log hazard ratios over time",
        summary={"n": fit.summary["n"], "n_event": fit.summary["n_event"]},
        notes=notes,
        counts=fit.counts,
    )
