"""Mean cumulative count of recurrent events."""

from __future__ import annotations

__all__ = ["mean_cumulative_count"]

from collections.abc import Iterable

import numpy as np
import pandas as pd

from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, Groups, Rows, group_column, read_rows
from evalkit.stats._kaplan_meier import as_times
from evalkit.stats._limits import normal_quantile
from evalkit.stats._steps import safe_divide, snapped

# Of people by times in memory at once, 40 MB: a million people at a hundred times would take 800.
CELLS = 5_000_000


def _people(data: pd.DataFrame, rows: Rows, person: str) -> tuple[Groups, Floats]:
    """Return whose each row is, and each person's last day (k,)."""
    people = group_column(data, person)
    end = np.zeros(len(people.labels))
    # the last row is the end of follow-up, whether it holds an event or none
    np.maximum.at(end, people.codes, rows.time)
    first = np.full(len(people.labels), -1)
    first[people.codes] = rows.groups.codes
    if (first[people.codes] != rows.groups.codes).any():
        msg = f"column '{person}': a person's rows must all be in one group"
        raise AnalysisError(msg)
    return people, end


def _variance(at: Floats, day: Floats, who: np.ndarray, end: Floats, days: Floats, step: Floats, y: Floats) -> Floats:
    """Return the sum over people of squared influences at some times (t,)."""
    drift = np.concatenate([[0.0], np.cumsum(step / y)])
    gain = 1.0 / y[np.searchsorted(days, day)]
    order = np.argsort(who, kind="stable")
    who, day, gain = who[order], day[order], gain[order]
    out = np.zeros(len(at))
    block = max(1, CELLS // max(len(end), 1))
    for first in range(0, len(at), block):
        t = at[first : first + block]
        total = np.zeros((len(end), len(t)))
        np.add.at(total, who, np.where(day[:, None] <= t, gain[:, None], 0.0))
        total -= drift[np.searchsorted(days, np.minimum(end[:, None], t), side="right")]
        out[first : first + block] = (total**2).sum(axis=0)
    return out


def mean_cumulative_count(
    data: pd.DataFrame,
    time: str,
    event: str,
    person: str,
    *,
    by: str | None = None,
    times: Iterable[float] | float | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the mean number of recurrent events per person by each day.

    :math:`\hat M(t) = \sum_{u \le t} d_u / Y_u`, with :math:`Y_u` the people still followed on day u, and
    the robust variance :math:`\sum_i [\int_0^t Y_i(u) (dN_i(u) - d\hat M(u)) / Y(u)]^2` [1]_. Limits on the
    log scale. A death ends follow-up: the count is that of people who live.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per event, and one per person at the end of follow-up with event 0 (not needed where the
        last day has an event).
    time, event, person : str
        Columns: days since the origin; bool or 0/1; identifier.
    by : str, optional
        Column of groups.
    times : number or iterable of numbers, optional
        Days; default every day with an event.
    conf_level : float

    Returns
    -------
    Estimates
        Columns group, time (days), estimate (events per person), std_error, conf_low, conf_high. Counts are
        carried, so that the result can be disclosed, only where ``times`` are given: steps at every event
        would give single events back.

    Raises
    ------
    AnalysisError
        If a person's rows are in several groups, or a column is missing or wrong.

    References
    ----------
    .. [1] Lawless, Nadeau (1995), Technometrics 37:158-168.

    Examples
    --------
    >>> rows = pd.DataFrame({"who": list("aaabbc"), "day": [2, 5, 9, 5, 8, 7], "harm": [1, 1, 0, 1, 0, 0]})
    >>> mean_cumulative_count(rows, "day", "harm", "who").tidy()[["time", "estimate"]].round(3)
       time  estimate
    0   2.0     0.333
    1   5.0     1.000
    """
    rows = read_rows(data, time, event, by=by)
    people, end = _people(data, rows, person)
    asked, z = as_times(times), normal_quantile(conf_level)
    parts, total = [], 0
    for code, name in enumerate(rows.groups.labels):
        inside = rows.groups.codes == code
        ids, who = np.unique(people.codes[inside], return_inverse=True)
        last, dead = end[ids], rows.cause[inside] > 0
        day = rows.time[inside][dead]
        days, step = np.unique(day, return_counts=True)
        y = (len(last) - np.searchsorted(np.sort(last), days, side="left")).astype(np.float64)
        shown = days if asked is None else np.array(asked)
        at = snapped(shown, np.unique(rows.time[inside]))
        mean = np.concatenate([[0.0], np.cumsum(step / y)])[np.searchsorted(days, at, side="right")]
        error = np.sqrt(_variance(at, day, who[dead], last, days, step / y, y))
        risk = len(last) - np.searchsorted(np.sort(last), at, side="left")
        mean, error = np.where(risk > 0, mean, np.nan), np.where(risk > 0, error, np.nan)
        # on the log scale no limit falls below 0
        width = np.exp(z * safe_divide(error, mean))
        columns = {"group": name, "time": shown, "estimate": mean}
        parts.append(pd.DataFrame(columns | {"std_error": error, "conf_low": mean / width, "conf_high": mean * width}))
        total += len(last)
    with_event = len(np.unique(people.codes[rows.cause > 0]))
    totals = pd.DataFrame({"group": ["all"], "term": ["people"], "n_event": [with_event], "n": [total]})
    frame = pd.concat(parts, ignore_index=True)
    beyond = frame["estimate"].isna().any()
    return Estimates(
        data=frame,
        kind="mean_cumulative_count",
        estimand="mean number of events per person by each time",
        conf_level=conf_level,
        summary={"n": total, "n_event": int((rows.cause > 0).sum())},
        notes=("Nothing is estimated after the last day anyone was followed.",) if beyond else (),
        # steps at every event would give single events back: only times asked for may be disclosed
        counts=None if asked is None else Tally(totals),
    )
