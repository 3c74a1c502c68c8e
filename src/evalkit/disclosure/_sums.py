"""Sums over people, rounded so that neither the sum nor the number of people can be counted back from a mean."""

from __future__ import annotations

__all__ = ["rounded_sums"]

import numpy as np
import pandas as pd

from evalkit.disclosure._policy import Policy


def rounded_sums(rows: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Round the number of people, and then both sums that so many people would have with the same mean and spread.

    A mean with all its digits would give number and sum back: of the few numbers that are rounded alike, seldom more
    than one divides a whole sum so. Rounded like this, each of them leaves several sums possible.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `Moments` has them.
    policy : Policy

    Returns
    -------
    pandas.DataFrame
        n, total and total_sq as multiples of the base; largest 0, without n_nonzero.
    """
    rows, base = rows.copy(), float(policy.rounding_base)
    n = rows["n"].to_numpy(dtype=int)
    rounded = np.array([policy.rounded(a) for a in n], dtype=int)
    scale = np.divide(rounded, n, out=np.zeros(len(n)), where=n > 0)
    for name in ("total", "total_sq"):
        exact = rows[name].to_numpy(dtype=float)
        rows[name] = exact if base == 1 else np.floor(exact * scale / base + 0.5) * base
    rows["n"], rows["largest"] = rounded, 0.0
    return rows.drop(columns="n_nonzero", errors="ignore")
