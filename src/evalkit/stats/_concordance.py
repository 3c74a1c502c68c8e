"""Harrell's concordance by counting below in ranks, level by level."""

from __future__ import annotations

__all__ = ["concordance"]

import numpy as np

from evalkit.stats._columns import Floats, Ints

# Equal covariates in another order of sums give risks that differ in the last digits; untied, a pair would count whole.
ROUNDING = 1e-11


def _sums_below(rank: Ints, weight: Floats, ends: Ints, wanted: Ints) -> Floats:
    """Return each query's weight of points 0 ... end-1 with a rank below the wanted one (q,): a wavelet matrix."""
    total = np.zeros(len(ends))
    low, high = np.zeros_like(ends), ends.copy()
    top = max(int(rank.max(initial=0)), int(wanted.max(initial=0)))
    # points are split by one bit of their rank at a time, from the highest: n log n, where pairs would be n squared
    for bit in reversed(range(max(top.bit_length(), 1))):
        one = (rank >> bit) & 1 == 1
        zeros = np.concatenate([[0], np.cumsum(~one)])
        mass = np.concatenate([[0.0], np.cumsum(np.where(one, 0.0, weight))])
        goes_up = (wanted >> bit) & 1 == 1
        total += np.where(goes_up, mass[high] - mass[low], 0.0)
        first_one = zeros[-1]
        low = np.where(goes_up, first_one + low - zeros[low], zeros[low])
        high = np.where(goes_up, first_one + high - zeros[high], zeros[high])
        order = np.concatenate([np.flatnonzero(~one), np.flatnonzero(one)])
        rank, weight = rank[order], weight[order]
    return total


def _comparable(later: Floats, rank: Ints, weight: Floats, query: Floats, own: Ints) -> tuple[Floats, Floats, Floats]:
    """Return the weights of points with time > query whose rank is below, above and equal to the query's."""
    order = np.argsort(-later, kind="stable")
    ends = np.searchsorted(-later[order], -query, side="left")
    ranks, weights = rank[order], weight[order]
    below = _sums_below(ranks, weights, ends, own)
    up_to = _sums_below(ranks, weights, ends, own + 1)
    every = np.concatenate([[0.0], np.cumsum(weights)])[ends]
    return below, every - up_to, up_to - below


def _ranks(risk: Floats) -> Ints:
    """Return ranks; risks that differ by rounding only, as equal covariates may give, share theirs."""
    distinct, place = np.unique(risk, return_inverse=True)
    apart = np.diff(distinct, prepend=-np.inf) > ROUNDING * max(1.0, float(np.abs(distinct).max()))
    return (np.cumsum(apart) - 1)[place].astype(np.int64)


def concordance(
    time: Floats,
    event: np.ndarray,
    risk: Floats,
    *,
    entry: Floats | None = None,
    weights: Floats | None = None,
    strata: Ints | None = None,
) -> float:
    """Return Harrell's C of pairs at risk together in one stratum, ties on risk one half; nan without such a pair."""
    mass = np.ones(len(time)) if weights is None else weights
    layers = np.zeros(len(time), dtype=np.int64) if strata is None else strata
    rank = _ranks(risk)
    concordant = discordant = tied = 0.0
    for layer in np.unique(layers):
        inside = layers == layer
        end, dead, ranks, w = time[inside], event[inside].astype(bool), rank[inside], mass[inside]
        if not dead.any():
            continue
        # whoever is censored on the day of an event outlived it
        outlives = np.nextafter(end, np.inf)
        below, above, equal = _comparable(np.where(dead, end, outlives), ranks, w, end[dead], ranks[dead])
        if entry is not None:
            # whoever had not entered by then was not at risk together with the event
            late = _comparable(np.nextafter(entry[inside], np.inf), ranks, w, end[dead], ranks[dead])
            below, above, equal = below - late[0], above - late[1], equal - late[2]
        concordant += float(w[dead] @ below)
        discordant += float(w[dead] @ above)
        tied += float(w[dead] @ equal)
    pairs = concordant + discordant + tied
    return (concordant + tied / 2) / pairs if pairs > 0 else float("nan")
