"""Sums over risk sets and over the time at risk, each risk set with its own scale, so that nothing is lost far out.

Two ways to the same numbers: running sums within each stratum, and, where linear predictors lie so far apart that a
running sum would lose or underflow what counts, every risk set by itself.
"""

from __future__ import annotations

__all__ = ["RiskSums", "TimeByTime", "WithinStrata", "layer_sums"]

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from evalkit.stats._columns import Floats, Ints

Array = npt.NDArray[Any]
CELLS = 2_000_000  # of people by event times in memory at once


class RiskSums(Protocol):
    """What adds up relative risks; they are divided by exp(offset) of each event time."""

    @property
    def offset(self) -> Floats:
        """Of each event time (m,)."""
        ...

    @property
    def own_risk(self) -> Array:
        """Relative risk of rows with an event at their own time, 0 of others (n,)."""
        ...

    def at_risk(self, z: Array) -> Array:
        """Return sums of risk x row of z over the risk set of each event time (m, ...)."""
        ...

    def tied(self, z: Array) -> Array:
        """Return the same over those with the event at that time (m, ...)."""
        ...

    def while_at_risk(self, values: Array) -> Array:
        """Return for each row the sum of risk x (m, ...) values over the event times it is at risk at (n, ...)."""
        ...


@dataclass(frozen=True)
class WithinStrata:
    """Running sums within each stratum: one scale per stratum."""

    bounds: Ints
    start: Ints
    stop: Ints
    r: Array
    offset: Floats
    own_risk: Array
    leave: Any
    enter: Any
    event: Any

    def _running(self, values: Array, *, back: bool = False) -> Array:
        """Return running sums that begin anew in each stratum: sums over all would lose what is small in one."""
        out = np.empty_like(values)
        for low, high in zip(self.bounds[:-1], self.bounds[1:], strict=True):
            if high > low:
                part = values[low:high]
                out[low:high] = np.cumsum(part[::-1], axis=0)[::-1] if back else np.cumsum(part, axis=0)
        return out

    def at_risk(self, z: Array) -> Array:
        """Return sums over risk sets; see `RiskSums`."""
        rows = self.r.reshape(-1, *[1] * (z.ndim - 1)) * z
        flow = self.leave @ rows
        if self.enter is not None:
            flow = flow - self.enter @ rows
        return self._running(np.asarray(flow[1:]), back=True)

    def tied(self, z: Array) -> Array:
        """Return sums over tied events; see `RiskSums`."""
        return np.asarray(self.event @ (self.r.reshape(-1, *[1] * (z.ndim - 1)) * z))

    def while_at_risk(self, values: Array) -> Array:
        """Return sums over time; see `RiskSums`."""
        total = np.concatenate([np.zeros((1, *values.shape[1:]), values.dtype), self._running(values)])
        begun = np.isin(self.start, self.bounds)  # at risk from the stratum's first event time on
        first = np.where(begun, 0, self.start)
        mine = total[np.where(self.stop > self.start, self.stop, 0)] - np.where(
            (first > 0).reshape(-1, *[1] * (values.ndim - 1)), total[first], 0.0
        )
        return np.asarray(self.r.reshape(-1, *[1] * (values.ndim - 1)) * mine)


def layer_sums(
    bounds: Ints,
    start: Ints,
    stop: Ints,
    when: Ints,
    r: Array,
    offset: Floats,
    leave: Any,  # noqa: ANN401 - scipy has no types
    enter: Any,  # noqa: ANN401
    event: Any,  # noqa: ANN401
) -> WithinStrata:
    """Return running sums of relative risks (n,) that are scaled by stratum."""
    return WithinStrata(bounds, start, stop, r, offset, np.where(when >= 0, r, 0.0), leave, enter, event)


class TimeByTime:
    """Every risk set by itself, scaled by the largest risk in it."""

    def __init__(self, start: Ints, stop: Ints, when: Ints, used: np.ndarray, eta: Array, event: Any) -> None:  # noqa: ANN401
        self._start, self._stop, self._used, self._eta, self._event = start, stop, used, eta, event
        self._m = event.shape[0]
        self.offset = np.zeros(self._m)
        for low, high, inside in self._blocks():
            self.offset[low:high] = np.where(inside, eta.real, -np.inf).max(axis=1)
        self.own_risk = np.where(when >= 0, np.exp(np.where(when >= 0, eta - self.offset[when], 0.0)), 0.0)

    def _blocks(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield blocks of event times with who is at risk at each (b, n)."""
        size = max(1, CELLS // max(len(self._eta), 1))
        for low in range(0, self._m, size):
            k = np.arange(low, min(low + size, self._m))[:, None]
            yield low, low + len(k), (self._start <= k) & (k < self._stop) & self._used

    def _risks(self) -> Iterator[tuple[int, int, Array]]:
        for low, high, inside in self._blocks():
            above = self._eta - self.offset[low:high, None]
            yield low, high, np.where(inside, np.exp(np.where(inside, above, 0.0)), 0.0)

    def at_risk(self, z: Array) -> Array:
        """Return sums over risk sets; see `RiskSums`."""
        return np.concatenate([r @ z for _, _, r in self._risks()])

    def tied(self, z: Array) -> Array:
        """Return sums over tied events; see `RiskSums`."""
        return np.asarray(self._event @ (self.own_risk.reshape(-1, *[1] * (z.ndim - 1)) * z))

    def while_at_risk(self, values: Array) -> Array:
        """Return sums over time; see `RiskSums`."""
        return np.asarray(sum(r.T @ values[low:high] for low, high, r in self._risks()))
