"""The mean of a column that has two values: a share in other units, and so counted as one."""

from __future__ import annotations

__all__ = ["MeanOfTwo"]

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from evalkit.analyses._analyses import MeanOf
from evalkit.counts import Tally
from evalkit.estimates import Estimates


@dataclass(frozen=True)
class MeanOfTwo(MeanOf):
    """Means over people of whom each has one of two values, with Student's interval.

    As sums, such counts would say how few have one of the values: nothing but the people of either kind stands behind
    a mean of theirs. So they are counted, and held to the rule for small counts, as for a share.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.counts import Tally
    >>> counts = Tally(pd.DataFrame({"group": ["pilot"], "term": ["grade"], "n_event": [30], "n": [40]}))
    >>> found = MeanOfTwo("means", "mean grade", low=3, high=8).estimate(counts)
    >>> found.tidy()[["group", "n", "estimate", "std_dev", "conf_low"]].round(2)
       group   n  estimate  std_dev  conf_low
    0  pilot  40      6.75     2.19      6.05
    """

    key: ClassVar[str] = "mean_of_two"
    low: float = 0.0
    high: float = 1.0
    view: str = field(default="amounts", repr=False)

    def estimate(self, counts: Tally) -> Estimates:  # type: ignore[override]
        """Return means by group and term as `MeanOf` does; n_event: how many have the higher value."""
        data, step = counts.frame, self.high - self.low
        n = data["n"].to_numpy(dtype=np.float64)
        p = data["n_event"].to_numpy(dtype=np.float64) / np.where(n > 0, n, np.nan)
        spread = step**2 * p * (1 - p) * n / np.where(n > 1, n - 1, np.nan)
        return self._told(counts, self.low + step * p, spread)
