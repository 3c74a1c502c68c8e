"""Rows of a model's coefficients: Wald statistics, limits, and the ratios they stand for."""

from __future__ import annotations

__all__ = ["beyond_numbers", "coefficient_frame", "with_ratios"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit.stats._columns import Floats
from evalkit.stats._limits import BEYOND_NUMBERS, normal_quantile, two_sided


def coefficient_frame(terms: Sequence[str], beta: Floats, error: Floats, conf_level: float) -> pd.DataFrame:
    """Return rows of coefficients with Wald statistics, limits and hazard ratios."""
    z = normal_quantile(conf_level)
    # an error of 0 is nothing known of the spread, and no infinite statistic
    statistic = np.divide(beta, error, out=np.full(len(beta), np.nan), where=error > 0)
    frame = pd.DataFrame({"term": list(terms), "estimate": beta, "std_error": error, "statistic": statistic})
    frame["p_value"] = two_sided(statistic)
    return with_ratios(frame, beta - z * error, beta + z * error)


def beyond_numbers(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return a note where the ratio of a finite coefficient, or its limit, is too large for a number."""
    # an infinite coefficient is separation, and has a note of its own
    known = np.isfinite(frame["estimate"].to_numpy())
    ratios = frame[["hazard_ratio", "hr_low", "hr_high"]].to_numpy()[known]
    return (BEYOND_NUMBERS,) if np.isinf(ratios).any() else ()


def with_ratios(frame: pd.DataFrame, low: Floats, high: Floats) -> pd.DataFrame:
    """Return the rows with limits and the ratios they stand for."""

    def ratio(values: Floats) -> Floats:
        with np.errstate(over="ignore"):  # beyond the largest number a ratio is infinite
            return np.exp(values)

    frame["conf_low"], frame["conf_high"] = low, high
    frame["hazard_ratio"] = ratio(frame["estimate"].to_numpy())
    frame["hr_low"], frame["hr_high"] = ratio(low), ratio(high)
    return frame
