"""The two arms and their covariates, read and checked once; and the bootstrap that draws their rows, or clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import AnalysisError, did_you_mean
from evalkit.stats._columns import Floats, group_column, label
from evalkit.stats.design import Design, design_matrix

__all__ = [
    "ESTIMANDS",
    "NOISE",
    "NO_SPREAD",
    "Arms",
    "answered",
    "bootstrap",
    "check_boot",
    "check_estimand",
    "read_arms",
    "target_weights",
]


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


# Of replicates by people in memory at once. Another number makes other draws: each block draws first one arm, then
# the other.
CELLS = 2_000_000
NOISE = 1e-7  # of what a level can be: replicates that differ by less do so by rounding, as regressions' do by 1e-9
NO_SPREAD = "All bootstrap replicates are the same: there is no standard error and no test."
Statistic = Callable[[Floats], Floats]


def check_boot(n_boot: int) -> int:
    """Return the number of replicates if it is enough."""
    if n_boot < 20:
        msg = f"n_boot must be at least 20, it is {n_boot}"
        raise AnalysisError(msg)
    return int(n_boot)


def answered(replicates: Floats) -> tuple[Floats, tuple[str, ...]]:
    """Return the replicates (B, ...) that have an estimate, and the note on the others; refuse too many of these."""
    n_boot = len(replicates)
    found = np.asarray(replicates[~np.isnan(replicates).reshape(n_boot, -1).any(axis=1)])
    failed = n_boot - len(found)
    if failed == 0:
        return found, ()
    # beyond a quarter the rest would be a selection of draws that happen to have an answer, and the limits too narrow
    if failed > n_boot / 4:
        msg = f"{failed} of {n_boot} bootstrap replicates have no estimate: the data are too thin"
        raise AnalysisError(msg)
    return found, (f"{failed} of {n_boot} bootstrap replicates had no estimate and were left out.",)


def resampled(arms: Arms, clusters: np.ndarray | None, n_boot: int, seed: int) -> Iterator[Floats]:
    """Yield blocks of resampling counts (b, n): rows (or whole clusters) drawn again within each arm."""
    rng = np.random.default_rng(seed)
    n = arms.size
    units = np.arange(n) if clusters is None else np.asarray(clusters)
    block = max(1, CELLS // n)
    for first in range(0, n_boot, block):
        b = min(block, n_boot - first)
        counts = np.zeros((b, n))
        # within each arm, so that no draw loses one of them
        for side in (arms.treated > 0, arms.treated == 0):
            rows = np.flatnonzero(side)
            _, unit = np.unique(units[rows], return_inverse=True)
            k = int(unit.max()) + 1
            drawn = rng.integers(0, k, size=(b, k)) + k * np.arange(b)[:, None]
            # each replicate has k places of its own, so that one pass counts all of them
            times = np.bincount(drawn.ravel(), minlength=b * k).reshape(b, k)
            counts[:, rows] = times[:, unit]
        yield counts


def bootstrap(arms: Arms, clusters: np.ndarray | None, n_boot: int, seed: int, what: Statistic) -> Floats:
    """Return the statistic of every replicate (n_boot, ...)."""
    return np.concatenate([what(counts) for counts in resampled(arms, clusters, n_boot, seed)])
