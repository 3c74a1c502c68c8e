"""Events that others compete with, or that come again: cumulative incidence (Aalen-Johansen), mean cumulative count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.counts import DayCounts, Tally
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, Groups, Rows, group_column, read_rows
from evalkit.stats._curve import WEIGHTLESS, Curve, curve_of, safe_divide, snapped, steps_by_group
from evalkit.stats._day_counts import day_counts
from evalkit.stats._kaplan_meier import BEYOND, as_times, flow_columns
from evalkit.stats._limits import check_conf_type, limits, normal_quantile

__all__ = ["CumulativeIncidence", "cumulative_incidence", "mean_cumulative_count"]


VARIANCES = ("aalen", "greenwood")


def _before(surv: Floats) -> Floats:
    return np.concatenate([[1.0], surv[:-1]]) if len(surv) else surv


def incidence(curve: Curve, cause: int) -> Floats:
    """Return the cumulative incidence of a cause (0, 1, ...) after each step (m,), exactly 1 where it is that."""
    steps, before = curve.steps.events, _before(curve.surv)
    own = np.cumsum(before * safe_divide(steps[cause], curve.risk))
    others = np.cumsum(before * safe_divide(steps.sum(axis=0) - steps[cause], curve.risk))
    # where everybody has had this event a sum of shares would miss 1 by a rounding error, and get limits
    return np.where((curve.surv == 0) & (others <= 0), 1.0, np.minimum(own, 1.0))


def aalen_variance(curve: Curve, cause: int) -> Floats:
    r"""Return Aalen's variance of the cumulative incidence after each step (m,), hypergeometric as in R's cmprsk.

    :math:`\sum_u S(u-)^2 [ a_u^2 v_{1u} + b_u^2 v_{2u} ]`, :math:`v_{ku} = d_{ku} (Y_u - d_{ku}) / (Y_u^2 (Y_u - 1))`,
    :math:`b_u = (F(t) - F(u)) / S(u)`, :math:`a_u = 1 - b_u`.
    """
    events, risk, surv = curve.steps.events, curve.risk, curve.surv
    own = events[cause]
    other = np.maximum(events.sum(axis=0) - own, 0.0)
    f = incidence(curve, cause)
    scale = _before(surv) ** 2

    def factor(d: Floats) -> Floats:
        # tied events are drawn without replacement from those at risk, so that they vary less
        ties = np.where(d > 1, 1.0 - safe_divide(d - 1, risk - 1), 1.0)
        return scale * ties * safe_divide(d, risk**2)

    inverse = safe_divide(np.ones_like(surv), surv)
    own_v, other_v = factor(own), np.where(surv > 0, factor(other), 0.0)
    # t enters the sum through F(t) alone: three running sums give it at every step
    one, two = 1.0 + inverse * f, inverse * f
    v1 = np.cumsum(one**2 * own_v + two**2 * other_v)
    v2 = np.cumsum(inverse * (one * own_v + two * other_v))
    v3 = np.cumsum(inverse**2 * (own_v + other_v))
    return np.asarray(np.maximum(v1 + f**2 * v3 - 2 * f * v2, 0.0))


def greenwood_variance(curve: Curve, cause: int) -> Floats:
    r"""Return the delta method's variance after each step (m,) under multinomial steps, with :math:`g_u = F(t) - F(u)`.

    :math:`\sum_u [g_u^2 d_u/(Y_u(Y_u-d_u)) + S(u-)^2 h_{1u}(1-h_{1u})/Y_u - 2 g_u S(u-) h_{1u}/Y_u]`.
    """
    f, risk, spread, before = incidence(curve, cause), curve.risk, curve.spread, _before(curve.surv)
    hazard, inverse = safe_divide(curve.steps.events[cause], risk), safe_divide(np.ones_like(risk), risk)
    cross = before * hazard * inverse
    square = f**2 * spread + before**2 * hazard * (1.0 - hazard) * inverse + 2 * f * cross
    linear = f * spread + cross
    value = f**2 * np.cumsum(spread) - 2 * f * np.cumsum(linear) + np.cumsum(square)
    return np.asarray(np.maximum(value, 0.0))


def jackknife_variance(curve: Curve, cause: int) -> Floats:
    r"""Return the infinitesimal jackknife's variance after each step (m,): squared influences on F(t), over people.

    Of someone censored at j :math:`\sum_{u \le j} [(F(t) - F(u)) d_u/(Y_u (Y_u - d_u)) - S(u-) d_{1u}/Y_u^2]`; with
    an event at j that sum before j, less :math:`(F(t) - F(j))/Y_j`, plus :math:`S(j-)(1\{own\} - h_{1j})/Y_j`.
    """
    flow, rows = curve.steps.w2, curve.steps.rows
    if flow is None:
        msg = "the variance needs sums of squared weights (w2_...) beside the weighted counts"
        raise AnalysisError(msg)
    f, before = incidence(curve, cause), _before(curve.surv)
    inverse = safe_divide(np.ones_like(f), curve.risk)
    hazard = curve.steps.events[cause] * inverse
    # influences are linear in F(t): sums of slopes and levels square them for every t at once
    slope = np.cumsum(curve.spread)
    level = np.cumsum(-f * curve.spread - before * hazard * inverse)
    event_slope = np.concatenate([[0.0], slope[:-1]]) - inverse
    event_level = np.concatenate([[0.0], level[:-1]]) + f * inverse - before * hazard * inverse
    own, every = flow.event[cause][rows], flow.event.sum(axis=0)[rows]
    censored = flow.censor[rows]
    stay = np.maximum(float(flow.entry.sum()) - np.cumsum(every + censored), 0.0)
    total = stay * (f * slope + level) ** 2
    for mass, a, b in (
        (own, event_slope, event_level + before * inverse),
        (every - own, event_slope, event_level),
        (censored, slope, level),
    ):
        total += f**2 * np.cumsum(mass * a**2) + 2 * f * np.cumsum(mass * a * b) + np.cumsum(mass * b**2)
    return np.asarray(np.maximum(total, 0.0))


def incidence_variance(curve: Curve, cause: int, variance: str) -> Floats:
    """Return the variance asked for; under weights 'greenwood' is the jackknife's."""
    if variance == "aalen":
        return aalen_variance(curve, cause)
    # sums of weights are no numbers of people, whose multinomial spread the other formula is
    if curve.steps.weighted and not curve.steps.delayed:
        return jackknife_variance(curve, cause)
    return greenwood_variance(curve, cause)


@dataclass(frozen=True)
class CumulativeIncidence:
    """Parameters of a cumulative incidence analysis; see `cumulative_incidence`."""

    key: ClassVar[str] = "cumulative_incidence"
    of_shares: ClassVar[bool] = True
    view: ClassVar[str] = "incidence"
    variance: str = "aalen"
    conf_type: str = "log-log"
    conf_level: float = 0.95
    times: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        check_conf_type(self.conf_type)
        normal_quantile(self.conf_level)
        if self.variance not in VARIANCES:
            msg = f"variance '{self.variance}' is not aalen or greenwood{did_you_mean(self.variance, VARIANCES)}"
            raise AnalysisError(msg)

    def estimate(self, counts: DayCounts) -> Estimates:
        """Return the cumulative incidences of these counts.

        Parameters
        ----------
        counts : DayCounts

        Returns
        -------
        Estimates
            Columns as `cumulative_incidence` says.
        """
        curves = [curve_of(steps) for steps in steps_by_group(counts)]
        parts = [self._rows(c, k, name) for c in curves for k, name in enumerate(counts.causes)]
        frame = pd.concat(parts, ignore_index=True)
        notes = []
        if frame["conf_low"].isna().any():
            notes.append("Limits are not defined where the incidence is 0 or 1.")
        if frame["estimate"].isna().any():
            notes.append(BEYOND)
        if any(curve.steps.weightless for curve in curves):
            notes.append(WEIGHTLESS)
        events = sum(round(float(c.steps.n.event.sum())) for c in curves)
        return Estimates(
            data=frame,
            kind="cumulative_incidence",
            estimand="probability that the event of this cause has happened by each time, the others competing",
            conf_level=self.conf_level,
            summary={"n": sum(c.steps.size for c in curves), "n_event": events, "n_group": len(curves)},
            notes=tuple(notes),
            counts=counts,
            analysis=self,
        )

    def _rows(self, curve: Curve, cause: int, name: str) -> pd.DataFrame:
        steps, value = curve.steps, incidence(curve, cause)
        error = np.where(value < 1, np.sqrt(incidence_variance(curve, cause, self.variance)), 0.0)
        at = steps.time if self.times is None else steps.snapped(np.array(self.times))
        value, error = curve.at(at, value, 0.0), curve.at(at, error, 0.0)
        # at 1 no scale has limits: an error of 0 there is the estimate's, not knowledge
        low, high = limits(value, np.where(value < 1, error, np.nan), self.conf_type, self.conf_level)
        # before the first step the incidence is 0 for certain: its limits are itself
        unbegun = steps.place(at) == 0
        low, high = np.where(unbegun, value, low), np.where(unbegun, value, high)
        flows = flow_columns(steps, at, steps.n.event[cause], steps.w.event[cause])
        values = {"estimate": value, "std_error": error, "conf_low": low, "conf_high": high}
        # as they were asked for, not as they were moved onto a step
        shown = at if self.times is None else np.array(self.times)
        return pd.DataFrame({"group": steps.group, "cause": name, "time": shown} | flows | values)


def cumulative_incidence(
    data: pd.DataFrame,
    time: str,
    cause: str,
    *,
    by: str | None = None,
    entry: str | None = None,
    weights: str | None = None,
    times: Iterable[float] | float | None = None,
    variance: str = "aalen",
    causes: Sequence[str] | None = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the cumulative incidence of each of several competing events (Aalen-Johansen).

    :math:`\hat F_k(t) = \sum_{u \le t} \hat S(u-) d_{ku} / Y_u`, ties as they are (lifelines jitters
    them, which moves estimates by up to 5 %). Standard errors: *aalen* as in R's cmprsk; *greenwood*, the
    delta method's, as in R's survfit, and under weights the infinitesimal jackknife's; with late entry it is etm's,
    not survfit's. At an incidence of 1 there are no limits. [1]_ [2]_

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time : str
        Column: days since the origin.
    cause : str
        Column: 0 censored, 1 ... K the event that came first.
    by, entry, weights : str, optional
        Columns of groups, entry days, weights.
    times : number or iterable of numbers, optional
        Days at which to give the curves; default every day with any event or a censoring.
    variance : {"aalen", "greenwood"}
    causes : sequence of str, optional
        Names of causes 1 ... K.
    conf_type : {"log-log", "log", "plain"}
        Scale of the limits.
    conf_level : float

    Returns
    -------
    Estimates
        Columns group, cause, time (days), n_risk, n_event (of the cause), n_censor, estimate, std_error,
        conf_low, conf_high, with w_risk, w_event, w_censor under weights.

    Raises
    ------
    AnalysisError
        If a column is missing, of the wrong type or holds what it may not.

    References
    ----------
    .. [1] Aalen (1978), Scand. J. Stat. 5:141-150.
    .. [2] Braun, Yuan (2007), Stat. Med. 26:1170-1180.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [3, 5, 5, 9], "first": [1, 2, 0, 1]})
    >>> found = cumulative_incidence(people, "day", "first", times=[5], causes=["left", "completed"])
    >>> found.tidy()[["cause", "time", "n_risk", "estimate"]]
           cause  time  n_risk  estimate
    0       left   5.0       3      0.25
    1  completed   5.0       3      0.25
    """
    analysis = CumulativeIncidence(variance, conf_type, conf_level, as_times(times))
    return analysis.estimate(day_counts(data, time, cause, by=by, entry=entry, weights=weights, causes=causes))


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
