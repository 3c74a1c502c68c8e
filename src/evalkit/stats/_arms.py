"""The two arms and their covariates, read and checked once."""

from __future__ import annotations

__all__ = ["ESTIMANDS", "Arms", "check_estimand", "read_arms", "target_weights"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import AnalysisError, did_you_mean
from evalkit.stats._columns import Floats, group_column, label
from evalkit.stats.design import Design, design_matrix

ESTIMANDS = {
    "att": "in people like those of the focus arm (ATT)",
    "ate": "in both arms' people together (ATE)",
    "overlap": "in people who could have been in either arm (overlap, ATO)",
}


@dataclass(frozen=True)
class Arms:
    """Two arms and their design."""

    treated: Floats  # (n,) 1 in the focus arm, 0 in the comparison
    names: tuple[str, str]  # focus, comparison
    x: Floats  # (n, p) intercept, then standardised covariates
    design: Design  # the covariates as they are

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.treated)


def read_arms(data: pd.DataFrame, treatment: str, covariates: str | Sequence[str], focus: object = None) -> Arms:
    """Read the arms: the focus is the named level, or the higher of two (1, True)."""
    groups = group_column(data, treatment)
    if not len(data) or len(groups.labels) != 2:
        msg = f"column '{treatment}' must have two levels, it has {len(groups.labels)}"
        raise AnalysisError(msg)
    chosen = 1 if focus is None else groups.code(label(focus), "focus")
    treated = (groups.codes == chosen).astype(np.float64)
    design = design_matrix(data, covariates)
    matrix = design.matrix
    low, middle, high = np.quantile(matrix, [0.25, 0.5, 0.75], axis=0)  # no outlier moves these
    # a yes/no that three quarters share has no spread between its quartiles
    scale = np.where(high > low, high - low, matrix.std(axis=0))
    x = np.column_stack([np.ones(len(matrix)), (matrix - middle) / scale])
    return Arms(treated, (groups.labels[chosen], groups.labels[1 - chosen]), x, design)


def check_estimand(estimand: str) -> None:
    """Refuse a target that is not one of `ESTIMANDS`."""
    if estimand not in ESTIMANDS:
        known = ", ".join(ESTIMANDS)
        msg = f"estimand '{estimand}' is not one of {known}{did_you_mean(estimand, ESTIMANDS)}"
        raise AnalysisError(msg)


def target_weights(score: Floats, treated: Floats, estimand: str) -> Floats:
    """Return the weights (..., n) of scores (..., n) that make both arms look like the target.

    ATT: 1 and e/(1-e); ATE: 1/e and 1/(1-e); overlap: 1-e and e (Li, Morgan, Zaslavsky 2018).
    """
    check_estimand(estimand)
    focus = treated > 0
    if estimand == "att":
        return np.where(focus, 1.0, score / (1 - score))
    if estimand == "ate":
        return np.where(focus, 1 / score, 1 / (1 - score))
    return np.where(focus, 1 - score, score)
