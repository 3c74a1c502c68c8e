"""The bootstrap of adjusted estimates: rows, or whole clusters, drawn again within each arm."""

from __future__ import annotations

__all__ = ["NOISE", "NO_SPREAD", "answered", "bootstrap", "check_boot"]

from collections.abc import Callable, Iterator

import numpy as np

from evalkit.errors import AnalysisError
from evalkit.stats._arms import Arms
from evalkit.stats._columns import Floats

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
