"""Wilson's score limits of proportions, and the normal quantile: one kernel for every room that needs them."""

from __future__ import annotations

__all__ = ["normal_quantile", "wilson"]

import numpy as np
import numpy.typing as npt
import scipy

from evalkit.errors import AnalysisError

Floats = npt.NDArray[np.float64]


def wilson(x: npt.ArrayLike, n: npt.ArrayLike, conf_level: float = 0.95) -> tuple[Floats, Floats]:
    """Return Wilson's score limits (k,) of proportions; NaN where n is 0, exactly 0 and 1 at x = 0 and x = n.

    Wilson, E. B. (1927). Journal of the American Statistical Association, 22, 209-212.

    Examples
    --------
    >>> low, high = wilson([5, 0], [10, 10])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.2366, 0.0], [0.7634, 0.2775])
    """
    events, total = np.asarray(x, dtype=np.float64), np.asarray(n, dtype=np.float64)
    size = np.where(total > 0, total, np.nan)
    z = normal_quantile(conf_level)
    p, scale = events / size, 1 + z * z / size
    centre = (p + z * z / (2 * size)) / scale
    half = z / scale * np.sqrt(np.maximum(p * (1 - p) / size + z * z / (4 * size * size), 0))
    # By the formula the ends miss 0 and 1 by a rounding error, and would be printed as "over 99%".
    low = np.where(p == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(p == 1, 1.0, np.minimum(centre + half, 1.0))
    return low, high


def normal_quantile(conf_level: float) -> float:
    """Return the normal quantile of a two-sided confidence level; AnalysisError if it is not between 0 and 1."""
    if not 0 < conf_level < 1:
        msg = f"conf_level must lie between 0 and 1, it is {conf_level}"
        raise AnalysisError(msg)
    return float(scipy.special.ndtri(0.5 + conf_level / 2))
