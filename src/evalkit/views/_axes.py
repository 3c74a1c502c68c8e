"""How far an axis of shares reaches: a step above what is drawn, so that small shares are seen like large ones."""

from __future__ import annotations

__all__ = ["end_above", "share_axis"]

from collections.abc import Iterable
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, PercentFormatter

from evalkit.words import percent_sign

# Below the highest share: the ticks' step, so that an axis has five of them at most.
_STEPS = ((0.04, 0.01), (0.08, 0.02), (0.2, 0.05), (0.4, 0.1))
_WIDE = 0.2


def end_above(highest: float) -> tuple[float, float]:
    """Return where an axis of shares ends (nan: nothing is drawn), and the step between its ticks.

    The end is a whole number of steps, above the highest share or limit where that is below one.

    Examples
    --------
    >>> end_above(0.37), end_above(0.41), end_above(0.83)
    ((0.4, 0.1), (0.6, 0.2), (1.0, 0.2))
    >>> end_above(0.16), end_above(0.2), end_above(1.0)
    ((0.2, 0.05), (0.3, 0.1), (1.0, 0.2))
    """
    if not np.isfinite(highest):
        return 1.0, _WIDE
    step = next((step for below, step in _STEPS if highest < below), _WIDE)
    # One step more also where the highest lies on a tick (ADR 24): what stands on the frame looks cut off.
    steps = int(np.floor(highest / step + 1e-9)) + 1
    return min(1.0, round(steps * step, 6)), step


def share_axis(axes: Axes, which: Literal["x", "y"], drawn: Iterable[float]) -> float:
    """Let an axis of shares begin at none and end a step above what is drawn (nan aside); return its end."""
    known = [value for value in drawn if np.isfinite(value)]
    end, step = end_above(max(known, default=float("nan")))
    reach = (0, end * 1.01)  # a line along the end of the axis is drawn whole
    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(xlim=reach) if which == "x" else axes.set(ylim=reach)
    axis.set_major_locator(FixedLocator([round(k * step, 6) for k in range(round(end / step) + 1)]))
    axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=percent_sign()))
    return end
