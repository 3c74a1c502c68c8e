"""Weights of safe counts: each block carries the mean weight of the people whom it stands for.

A block stands for at least the policy's minimum of people, so its mean weight is a mean over as many; what one person
weighs cannot be read off it. Where a few people make up most of a block's weight there is no safe form.
"""

from __future__ import annotations

__all__ = ["MASSES", "evenly_weighted", "with_mass"]

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.disclosure._policy import Policy

Floats = NDArray[np.float64]
MASSES = ("w", "w2")
"""Sums of weights, and of their squares (for robust variances)."""


def _between(exact: pd.DataFrame, name: str, kind: str, blocks: pd.DataFrame) -> Floats:
    """Return the weight (w, w2) of those whom each block of a flow stands for; of one day all weigh the same."""
    numbers = np.concatenate([[0.0], exact[name].cumsum().to_numpy(dtype=float)])
    weights = np.concatenate([[0.0], exact[f"{kind}_{name[2:]}"].cumsum().to_numpy(dtype=float)])
    stop, begin = (np.interp(blocks[side], numbers, weights) for side in ("stop", "begin"))
    return np.asarray(stop - begin, dtype=np.float64)


def evenly_weighted(exact: pd.DataFrame, name: str, blocks: pd.DataFrame, policy: Policy) -> bool:
    """Say whether in no block one person can weigh more than the policy's share of all its weight.

    The largest weight is at most the root of the sum of squares, so that nobody's own weight has to be known.
    """
    largest = np.sqrt(_between(exact, name, "w2", blocks))
    return bool((largest <= policy.dominance * _between(exact, name, "w", blocks) + 1e-12).all())


def _cut(mean: Floats) -> Floats:
    """Keep three digits of mean weights: with all of them a curve would say more than its counts do."""
    return np.array([float(f"{value:.2e}") for value in mean], dtype=np.float64)


def with_mass(
    start: pd.DataFrame, rows: pd.DataFrame, exact: pd.DataFrame, blocks: Mapping[str, pd.DataFrame], policy: Policy
) -> pd.DataFrame:
    """Give each block (``w``, ``w2`` are added) the mean weight of its people, times its published size.

    Return `start` with the weight of everybody: of the blocks, and for those who never leave the mean weight of all
    others; of everybody, where these are fewer than the policy's minimum.
    """
    start, people = start.copy(), float(rows["n_entry"].sum())
    left = float(start["n_entry"].iloc[0]) - sum(int(own["size"].sum()) for own in blocks.values())
    others = people - sum(float(exact[name].sum()) for name in blocks)
    for kind in MASSES:
        every = float(rows[f"{kind}_entry"].sum())
        gone = 0.0
        for name, own in blocks.items():
            weight, number = _between(exact, name, kind, own), own["stop"] - own["begin"]
            mean = np.divide(weight, number, out=np.full(len(own), every / people), where=number.to_numpy() > 0)
            own[kind] = _cut(mean) * own["size"]
            gone += float(weight.sum())
        mean_left = (every - gone) / others if others >= policy.minimum_count else every / people
        # Noise can make the blocks together larger than everybody.
        stay = max(left, 0.0) * float(_cut(np.array([mean_left]))[0])
        start[f"{kind}_entry"] = sum(float(own[kind].sum()) for own in blocks.values()) + stay
    return start
