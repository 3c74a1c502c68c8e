"""From counts to arrays: numbers at risk and leaving, of one group or of all on one grid, and the curve they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.counts import DayCounts
from evalkit.errors import AnalysisError
from evalkit.stats._columns import TIE_TOLERANCE, Floats

__all__ = [
    "RESIDUE",
    "WEIGHTLESS",
    "Curve",
    "Flow",
    "Steps",
    "curve_of",
    "product_limit",
    "safe_divide",
    "snapped",
    "steps_by_group",
]


# Of weights: after the last person left, the sum of weights is not exactly 0; a curve would go on, and a state without
# people would have moves.
RESIDUE = 1e-12


def safe_divide(top: Floats, bottom: Floats, otherwise: float = 0.0) -> Floats:
    """Return top / bottom, `otherwise` where bottom is not positive."""
    top, bottom = np.broadcast_arrays(np.asarray(top, dtype=float), np.asarray(bottom, dtype=float))
    out = np.full(top.shape, otherwise)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out


@dataclass(frozen=True)
class Flow:
    """Entries and exits of one group (raw, weighted or squared weights), on all its rows (r,)."""

    time: Floats
    entry: Floats
    event: Floats
    censor: Floats

    def risk(self, at: Floats) -> Floats:
        """Return the sum at risk at each time: entered before it, not yet left."""
        # added from the end: what is still to leave keeps its digits however small it is, unlike a difference
        gone, total = self.event.sum(axis=0) + self.censor, float(self.entry.sum())
        rest = total - float(gone.sum())  # at risk after the last row, where a tail was cut off
        out = _ahead(gone) + (rest if rest > RESIDUE * total else 0.0)
        late = self.entry.copy()
        late[~(np.isfinite(self.time) & (self.entry > 0))] = 0.0
        if late.any():
            out = out - _ahead(late)
            out[np.abs(out) <= RESIDUE * total] = 0.0
        return np.asarray(out[np.searchsorted(self.time, at, side="left")])


def snapped(at: Floats, time: Floats) -> Floats:
    """Return times with those that differ from one of some others (ascending) by rounding error only moved onto it."""
    if not len(time):
        return at
    slack = TIE_TOLERANCE * float(np.mean(time))
    above = np.clip(np.searchsorted(time, at), 0, len(time) - 1)
    below = np.maximum(above - 1, 0)
    near = np.where(np.abs(time[below] - at) < np.abs(time[above] - at), below, above)
    return np.where(np.abs(time[near] - at) <= slack, time[near], at)


def _ahead(values: Floats) -> Floats:
    """Return sums from each row on (r + 1,)."""
    return np.concatenate([np.cumsum(values[::-1])[::-1], [0.0]])


@dataclass(frozen=True)
class Steps:
    """One group's steps: its times with an event or a censoring."""

    group: str
    time: Floats  # (m,) days, ascending
    n: Flow  # raw counts
    w: Flow  # weighted sums, of which estimates are made; the raw counts where there are no weights
    w2: Flow | None  # sums of squared weights; None when they are not known
    rows: np.ndarray  # (m,) places of the steps among the rows
    weighted: bool
    delayed: bool  # whether anyone enters after the origin

    @property
    def size(self) -> int:
        """People (rows) in the group."""
        return round(float(self.n.entry.sum()))

    @property
    def n_risk(self) -> Floats:
        """Raw number at risk at each step (m,)."""
        return self.n.risk(self.time)

    @property
    def w_risk(self) -> Floats:
        """Weighted number at risk at each step (m,)."""
        return self.w.risk(self.time)

    @property
    def w_left(self) -> Floats:
        """Weighted number left just after the events of each step (m,); exactly 0 where nobody is."""
        events = self.events.sum(axis=0)
        # later numbers at risk hold who enters since, so that what is left now is a difference
        if self.delayed:
            left = self.w_risk - events
            return np.where(np.abs(left) <= RESIDUE * float(self.w.entry.sum()), 0.0, left)
        return np.asarray(self.w.risk(np.nextafter(self.time, np.inf)) + self.w.censor[self.rows])

    @property
    def events(self) -> Floats:
        """Weighted events of each cause at each step (K, m)."""
        return self.w.event[:, self.rows]

    @property
    def last(self) -> float:
        """The last step's day on which anybody with a weight is at risk; -inf when there is none."""
        followed = np.flatnonzero(self.w_risk > 0)
        return float(self.time[followed[-1]]) if len(followed) else -np.inf

    @property
    def weightless(self) -> bool:
        """Whether there are people, none of whom has a weight."""
        return self.size > 0 and not (self.w.entry > 0).any()

    @property
    def truncated(self) -> bool:
        """Whether people are still at risk after the last step (a tail was cut off)."""
        return float(self.n.risk(np.array([np.inf]))[0]) > 0

    def place(self, at: Floats) -> np.ndarray:
        """Return how many steps lie at or before each time."""
        return np.searchsorted(self.time, at, side="right")

    def snapped(self, at: Floats) -> Floats:
        """Return times with those that differ from a step by rounding error only moved onto it."""
        return snapped(at, self.time)


def _flow(frame: pd.DataFrame, prefix: str, n_causes: int) -> Flow:
    names = [f"{prefix}_entry", *(f"{prefix}_event_{k}" for k in range(1, n_causes + 1)), f"{prefix}_censor"]
    time, entry, *events, censor = (frame[n].to_numpy(dtype=np.float64) for n in ["time", *names])
    return Flow(time, entry, np.stack(events), censor)


def _part(flow: Flow, rows: np.ndarray) -> Flow:
    return Flow(flow.time[rows], flow.entry[rows], flow.event[:, rows], flow.censor[rows])


def _steps(group: str, raw: Flow, mass: Flow | None, squares: Flow | None) -> Steps:
    rows = np.flatnonzero((raw.event.sum(axis=0) + raw.censor > 0) & np.isfinite(raw.time))
    delayed = bool((raw.entry[np.isfinite(raw.time)] > 0).any())
    weighted = mass is not None
    # without weights everybody's square is 1, and a robust variance can be had
    squares = raw if squares is None and not weighted else squares
    return Steps(group, raw.time[rows], raw, raw if mass is None else mass, squares, rows, weighted, delayed)


def steps_by_group(counts: DayCounts) -> list[Steps]:
    """Return the steps of every group, in the counts' order."""
    frame, k = counts.data, len(counts.causes)
    codes, labels = pd.factorize(frame["group"])
    flows = [_flow(frame, prefix, k) if f"{prefix}_entry" in frame.columns else None for prefix in ("n", "w", "w2")]
    out = []
    for code, name in enumerate(labels):
        rows = np.flatnonzero(codes == code)
        raw, mass, squares = (None if flow is None else _part(flow, rows) for flow in flows)
        if raw is not None:
            out.append(_steps(str(name), raw, mass, squares))
    return out


WEIGHTLESS = "A group whose weights are all 0 has no curve."


def _left_over(events: Floats, risk: Floats) -> Floats:
    # of a risk set that has all left, sums of weights leave a residue: the curve would not reach 0
    left = risk - events
    return np.where(np.abs(left) <= RESIDUE * risk, 0.0, left)


def product_limit(events: Floats, risk: Floats) -> Floats:
    r"""Return the Kaplan-Meier curve :math:`\prod_{u \le t} (1 - d_u / Y_u)` after each of m times (..., m)."""
    return np.asarray(np.cumprod(safe_divide(_left_over(events, risk), risk, 1.0), axis=-1))


@dataclass(frozen=True)
class Curve:
    """Survival of one group and what its variances need."""

    steps: Steps
    risk: Floats  # (m,) weighted number at risk
    surv: Floats  # (m,) S after each step
    spread: Floats  # (m,) d / (Y (Y - d)), 0 where Y = d

    def variance(self, *, robust: bool = False) -> Floats:
        """Return the variance of S after each step (m,): Greenwood's, or the infinitesimal jackknife's."""
        if robust:
            return self.surv**2 * self.jackknife(np.ones_like(self.surv))
        # at 0 the sum lacks its last term, which is without end: nothing is known of the spread
        return np.where(self.surv > 0, self.surv**2 * np.cumsum(self.spread), np.nan)

    def jackknife(self, area: Floats) -> Floats:
        """Return the sum over people of squared influences on ``sum(area * log hazard factor)`` (m,)."""
        flow = self.steps.w2
        if flow is None or self.steps.delayed:
            msg = "a robust variance needs sums of squared weights and no delayed entry; use robust=False or bootstrap"
            raise AnalysisError(msg)
        at_risk_share = np.cumsum(area * self.spread)
        before = np.concatenate([[0.0], at_risk_share[:-1]])
        event = before - safe_divide(area, self.risk)
        events, censored = flow.event.sum(axis=0)[self.steps.rows], flow.censor[self.steps.rows]
        gone = np.cumsum(events * event**2 + censored * at_risk_share**2)
        stay = float(flow.entry.sum()) - np.cumsum(events + censored)
        return np.asarray(gone + np.maximum(stay, 0.0) * at_risk_share**2)

    def at(self, times: Floats, values: Floats, start: float) -> Floats:
        """Return a step function's values at some times; nan after the last day of follow-up, unless S is 0 there."""
        known = np.concatenate([[start], values])[self.steps.place(times)]
        # people without any weight have no curve, not one that stays at its start
        if self.steps.weightless:
            return np.full(len(known), np.nan)
        # with nobody left at risk 0 stays 0; a tail that was cut off has people in it
        ended = len(self.surv) > 0 and self.surv[-1] == 0 and not self.steps.truncated
        return known if ended else np.where(times <= max(self.steps.last, 0.0), known, np.nan)


def curve_of(steps: Steps) -> Curve:
    """Return the Kaplan-Meier curve of any event in one group."""
    risk, left = steps.w_risk, steps.w_left
    spread = safe_divide(safe_divide(steps.events.sum(axis=0), risk), left)  # no product of two tiny weights
    return Curve(steps, risk, np.asarray(np.cumprod(safe_divide(left, risk, 1.0)), dtype=np.float64), spread)
