"""Individual times behind a published curve (Guyot et al. 2012), and a comparison with them."""

from __future__ import annotations

__all__ = ["benchmark_curve", "reconstruct"]

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, Ints, number_column, read_rows
from evalkit.stats._rmst import rmst_contrast

UNCERTAIN = (
    "The baseline's individual times were reconstructed from its published curve and numbers at risk; the limits "
    "treat them as observed, and leave out the error of reading the curve."
)
# The search moves by whole people and stops where it comes round again; the bound is for curves read so badly that it
# never meets the published numbers, which then stay as near as they came.
ROUNDS = 1000


@dataclass
class _Interval:
    """Deaths and censorings at the read points first ... last of one interval of numbers at risk."""

    died: Ints
    censored: Ints
    left: int
    height: float


def _spread_censorings(n: int, edges: Floats) -> Ints:
    """Return how many of n evenly spread censorings fall after each read point (k,), edges being (k + 1,)."""
    if n <= 0:
        return np.zeros(len(edges) - 1, dtype=np.int64)
    at = edges[0] + np.arange(1, n + 1) * (edges[-1] - edges[0]) / (n + 1)
    place = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, len(edges) - 2)
    return np.bincount(place, minlength=len(edges) - 1).astype(np.int64)


def _walk(surv: Floats, edges: Floats, n_risk: int, height: float, censored: int) -> _Interval:
    """Return the deaths that bring the Kaplan-Meier curve from `height` to the points read."""
    lost = _spread_censorings(censored, edges)
    died = np.zeros(len(surv), dtype=np.int64)
    left = n_risk
    for k, value in enumerate(surv):
        if left > 0 and height > 0:
            # whole people, and so not quite the points read: the next step starts from the curve as it came out
            died[k] = min(max(round(left * (1 - value / height)), 0), left)
            height *= 1 - died[k] / left
        left -= int(died[k])
        lost[k] = min(lost[k], left)
        left -= int(lost[k])
    return _Interval(died, lost, left, height)


def _settle(surv: Floats, edges: Floats, n_risk: int, following: int, height: float) -> _Interval:
    """Return the interval whose censorings leave as many at risk as were published."""
    # as if all of them came at the interval's end; those before it change the deaths, so it is walked again
    censored = max(round(n_risk * (surv[-1] / height if height > 0 else 1.0)) - following, 0)
    found = _walk(surv, edges, n_risk, height, censored)
    for _ in range(ROUNDS):
        excess = found.left - following
        if excess == 0 or (excess < 0 and censored == 0):
            break
        censored = max(censored + excess, 0)
        found = _walk(surv, edges, n_risk, height, censored)
    return found


def _last(surv: Floats, edges: Floats, n_risk: int, height: float, deaths: int | None, rate: float) -> _Interval:
    """Return the last interval: censored to meet the published deaths, or at the rate seen before."""
    censored = min(round(rate * (edges[-1] - edges[0])), n_risk)
    found = _walk(surv, edges, n_risk, height, censored)
    if deaths is None:
        return found
    seen = {censored}
    for _ in range(ROUNDS):
        excess = int(found.died.sum()) - deaths
        if excess == 0 or (excess < 0 and censored == 0):
            break
        censored = min(max(censored + (1 if excess > 0 else -1), 0), n_risk)
        # one more has too few deaths, one fewer too many: both are as near as it comes
        if censored in seen:
            break
        seen.add(censored)
        found = _walk(surv, edges, n_risk, height, censored)
    return found


def _read_curve(curve: pd.DataFrame, at_risk: pd.DataFrame) -> tuple[Floats, Floats, Floats, Ints]:
    time, surv = number_column(curve, "time", low=0), number_column(curve, "estimate", low=0)
    order = np.argsort(time, kind="stable")
    time, surv = time[order], np.minimum.accumulate(np.minimum(surv[order], 1.0))
    if time[0] > 0:
        time, surv = np.concatenate([[0.0], time]), np.concatenate([[1.0], surv])
    begin, n = number_column(at_risk, "time", low=0), number_column(at_risk, "n_risk", low=0)
    if (np.diff(begin) <= 0).any() or (np.diff(n) > 0).any() or n[0] < 1 or begin[0] != 0:
        msg = "at_risk: times must start at 0 and ascend, column 'n_risk' must not ascend"
        raise AnalysisError(msg)
    return time, surv, begin, n.astype(np.int64)


def reconstruct(curve: pd.DataFrame, at_risk: pd.DataFrame, *, n_event: int | None = None) -> pd.DataFrame:
    """Reconstruct individual times from a published Kaplan-Meier curve.

    Within each interval between published numbers at risk, deaths are those that bring the curve to the
    points read, and censorings, spread evenly, those that leave the next published number at risk. After
    the last one, censorings meet the published number of events, or go on at the rate seen before. [1]_

    Parameters
    ----------
    curve : pandas.DataFrame
        Points read off the curve: columns time (days), estimate (survival, 0 to 1). Rises due to reading
        errors are flattened.
    at_risk : pandas.DataFrame
        Columns time (days, from 0), n_risk, as printed below the curve.
    n_event : int, optional
        Published number of events.

    Returns
    -------
    pandas.DataFrame
        Columns time (days) and event (0 or 1), a row per person.

    Raises
    ------
    AnalysisError
        If a column is missing or wrong, or numbers at risk rise.

    References
    ----------
    .. [1] Guyot et al. (2012), BMC Med. Res. Methodol. 12:9.

    Examples
    --------
    >>> curve = pd.DataFrame({"time": [0, 10, 20, 30], "estimate": [1, 0.9, 0.8, 0.7]})
    >>> people = reconstruct(curve, pd.DataFrame({"time": [0, 20], "n_risk": [100, 90]}))
    >>> len(people), int(people["event"].sum())
    (100, 30)
    """
    time, surv, begin, n = _read_curve(curve, at_risk)
    # the last point read closes an interval without length
    edges = np.append(time, time[-1] + 1e-9)
    starts = np.searchsorted(time, begin)
    starts = starts[starts < len(time)]
    height, left = 1.0, int(n[0])
    parts: list[_Interval] = []
    for i, first in enumerate(starts):
        final = i == len(starts) - 1
        stop = len(time) if final else int(starts[i + 1])
        if stop == first:
            continue
        inside, around = surv[first:stop], edges[first : stop + 1]
        if final:
            deaths = None if n_event is None else n_event - sum(int(p.died.sum()) for p in parts)
            lost = sum(int(p.censored.sum()) for p in parts)
            part = _last(inside, around, left, height, deaths, lost / max(time[first], 1e-9) if first else 0.0)
        else:
            part = _settle(inside, around, left, int(n[i + 1]), height)
        parts.append(part)
        height, left = part.height, part.left
    died = np.concatenate([p.died for p in parts])
    censored = np.concatenate([p.censored for p in parts])
    # on which day between two points somebody was censored nobody can read: half way
    between = (time + np.append(time[1:], time[-1])) / 2
    days = np.concatenate([np.repeat(time, died), np.repeat(between, censored), np.full(left, time[-1])])
    event = np.concatenate([np.ones(int(died.sum())), np.zeros(int(censored.sum()) + left)]).astype(np.int64)
    return pd.DataFrame({"time": days, "event": event}).sort_values("time", kind="stable", ignore_index=True)


def benchmark_curve(
    data: pd.DataFrame,
    time: str,
    event: str,
    curve: pd.DataFrame,
    at_risk: pd.DataFrame,
    *,
    tau: float,
    n_event: int | None = None,
    names: tuple[str, str] = ("pilot", "published"),
    conf_level: float = 0.95,
) -> Estimates:
    """Set people's curve beside a published one, by the mean days without the event.

    The published individual times are reconstructed (`reconstruct`) [1]_, then compared by
    `evalkit.stats.rmst_contrast`. Nothing is adjusted.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, event : str
        Columns: days since the origin; bool or 0/1.
    curve, at_risk : pandas.DataFrame
        As in `reconstruct`.
    tau : float
        Horizon in days, within both curves.
    n_event : int, optional
        Published number of events.
    names : (str, str)
        What to call the people and the published baseline.
    conf_level : float

    Returns
    -------
    Estimates
        Difference and ratio as in `rmst_contrast`; a note says what the limits leave out.

    Raises
    ------
    AnalysisError
        If a column is missing or wrong, or tau lies beyond one of the curves.

    References
    ----------
    .. [1] Guyot et al. (2012), BMC Med. Res. Methodol. 12:9.

    Examples
    --------
    >>> curve = pd.DataFrame({"time": [0, 10, 20, 30], "estimate": [1, 0.9, 0.8, 0.7]})
    >>> people = pd.DataFrame({"day": [5, 12, 40, 40, 40], "left": [1, 1, 0, 0, 0]})
    >>> risk = pd.DataFrame({"time": [0, 20], "n_risk": [100, 90]})
    >>> benchmark_curve(people, "day", "left", curve, risk, tau=30).tidy()["contrast"].tolist()
    ['pilot - published', 'pilot / published']
    """
    rows = read_rows(data, time, event)
    published = reconstruct(curve, at_risk, n_event=n_event).assign(group=names[1])
    own = pd.DataFrame({"time": rows.time, "event": rows.cause, "group": names[0]})
    both = pd.concat([own, published], ignore_index=True)
    found = rmst_contrast(both, "time", "event", by="group", tau=tau, reference=names[1], conf_level=conf_level)
    return found.about(notes=(*found.notes, UNCERTAIN))
