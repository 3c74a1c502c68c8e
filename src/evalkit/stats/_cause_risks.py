"""Absolute risks from cause-specific Cox models: each person's, and how well they tell people apart."""

from __future__ import annotations

__all__ = ["CauseRisks", "Scores", "fit_risks", "scores"]

from dataclasses import dataclass

import numpy as np

from evalkit.errors import AnalysisError
from evalkit.stats._columns import Floats, Groups, Ints, Rows
from evalkit.stats._cox import fit_cox
from evalkit.stats._steps import safe_divide
from evalkit.stats.design import Design

_LARGEST = 50.0  # of the logarithm of a hazard beside the largest seen: whoever has it is gone at once


@dataclass(frozen=True, eq=False)
class CauseRisks:
    """Cox models of every cause, with their baseline hazards."""

    beta: Floats  # (K, p)
    time: Floats  # (m,) times of events of any cause
    base: Floats  # (K, m) increments of the hazard at the largest linear predictor seen
    offset: Floats  # (K,) that predictor

    def predictor(self, x: Floats, cause: int = 0) -> Floats:
        """Return the linear predictor of a cause (n,)."""
        return np.asarray(x @ self.beta[cause])

    def risk(self, x: Floats, tau: float, cause: int = 0) -> Floats:
        r"""Return :math:`\sum_{u \le \tau} S(u- \mid x) d\Lambda(u \mid x)` of a cause (n,); S of all causes."""
        base = self.base[:, self.time <= tau]
        rate = np.exp(np.minimum(x @ self.beta.T - self.offset, _LARGEST))
        # one product of all causes' hazards: one for each cause took three times as long
        total = rate @ base
        own = rate[:, [cause]] * base[cause]
        beyond = total > 1.0  # nobody is more than gone; the causes keep their proportions
        if beyond.any():
            own[beyond] /= total[beyond]
            total[beyond] = 1.0
        stay = np.cumprod(1.0 - total, axis=1)
        return np.asarray(own[:, :1].sum(axis=1) + np.einsum("ij,ij->i", stay[:, :-1], own[:, 1:]))


def fit_risks(time: Floats, cause: Ints, design: Design, causes: int) -> CauseRisks:
    """Fit Cox models (Efron's ties) of causes 1 ... K, the others censored; AnalysisError where one has no fit."""
    grid = np.unique(time[cause > 0])
    beta, base = np.zeros((causes, design.matrix.shape[1])), np.zeros((causes, len(grid)))
    offset = np.zeros(causes)
    everybody = Groups(np.zeros(len(time), dtype=np.int64), ("all",))
    for k in range(causes):
        had = cause == k + 1
        # in a bootstrap's draw nobody may have had it: its hazard is 0, and the others still have an answer
        if not had.any():
            continue
        rows = Rows(time, had.astype(np.int64), None, None, everybody)
        model, _ = fit_cox(rows, design, strata=None, cluster=None, ties="efron", robust=False)
        beta[k] = model.beta  # of a term that tells completely, how far it had walked when nothing more was gained
        predictor = design.matrix @ beta[k]
        # taken out before exponentials are added up, which an outlier's predictor would overflow
        offset[k] = predictor.max()
        base[k] = _efron_hazard(time, had, predictor - offset[k], grid)
    if not np.isfinite(base).all():
        msg = "a cause has no baseline hazard: characteristics tell who had it from who had not completely"
        raise AnalysisError(msg)
    return CauseRisks(beta, grid, base, offset)


def _efron_hazard(time: Floats, had: np.ndarray, predictor: Floats, grid: Floats) -> Floats:
    """Return the increments of the baseline hazard on the grid (m,)."""
    mass, m = np.exp(predictor), len(grid)
    place = np.searchsorted(grid, time, side="right")  # at risk at the grid's first so many times
    at_risk = np.cumsum(np.bincount(place, weights=mass, minlength=m + 1)[::-1])[::-1][1:]
    when = np.searchsorted(grid, time[had])
    count = np.bincount(when, minlength=m)
    dying = np.bincount(when, weights=mass[had], minlength=m)
    found = np.zeros(m)
    # Efron: the j-th of d tied events sees a risk set that lacks j/d of all of them
    for earlier in range(int(count.max(initial=0))):
        some = count > earlier
        # where nothing, or hardly anything, is left to divide by the hazard is infinite, which `fit_risks` refuses
        with np.errstate(over="ignore"):
            found[some] += safe_divide(
                np.ones(int(some.sum())), at_risk[some] - earlier / count[some] * dying[some], np.inf
            )
    return found


@dataclass(frozen=True)
class Scores:
    """How well predicted risks fit: the area under the ROC curve and the Brier score at a horizon."""

    auc: float
    brier: float


def scores(time: Floats, cause: Ints, risk: Floats, tau: float) -> Scores:
    """Return AUC and Brier score of predicted risks of cause 1 at a horizon, by inverse probability of censoring.

    Another cause by then is a control, ties count one half (Blanche, Dartigues, Jacqmin-Gadda 2013).
    """
    gone = time <= tau
    case, other = gone & (cause == 1), gone & (cause > 1)
    weight = np.zeros(len(time))
    # 1/G just before the event, and at the horizon for who is followed beyond it; censored before it: 0
    weight[gone & (cause > 0)] = safe_divide(
        np.ones(int((case | other).sum())), _censoring(time, cause, time[case | other], False)
    )
    weight[~gone] = safe_divide(np.ones(1), _censoring(time, cause, np.array([tau]), True))[0]
    brier = float((weight * (case - risk) ** 2).sum() / len(time))
    # whoever was censored before the horizon may have been either
    control = ~case & (weight > 0)
    if not case.any() or not control.any():
        msg = f"day {tau:g}: somebody must have had the event by then, and somebody not"
        raise AnalysisError(msg)
    order = np.argsort(risk[control], kind="stable")
    values, mass = risk[control][order], np.concatenate([[0.0], np.cumsum(weight[control][order])])
    below, up_to = (mass[np.searchsorted(values, risk[case], side=side)] for side in ("left", "right"))
    auc = float((weight[case] * (below + up_to) / 2).sum() / (weight[case].sum() * mass[-1]))
    return Scores(auc, brier)


def _censoring(time: Floats, cause: Ints, at: Floats, after: bool) -> Floats:
    """Return the Kaplan-Meier curve of censoring just before times, or after them; events go first."""
    grid = np.unique(time[cause == 0])
    if not len(grid):
        return np.ones(len(at))
    censored = np.bincount(np.searchsorted(grid, time[cause == 0]), minlength=len(grid))
    left = np.sort(time)
    risk = len(time) - np.searchsorted(left, grid, side="left")
    events = np.sort(time[cause > 0])
    # who had an event that day is no longer there to be censored
    risk = risk - (np.searchsorted(events, grid, side="right") - np.searchsorted(events, grid, side="left"))
    curve = np.concatenate([[1.0], np.cumprod(1.0 - censored / risk)])
    return np.asarray(curve[np.searchsorted(grid, at, side="right" if after else "left")])
