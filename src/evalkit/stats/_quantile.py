"""Quantiles of the time to event, and how long people were followed."""

from __future__ import annotations

__all__ = ["FollowUp", "SurvivalQuantile", "follow_up", "survival_quantile"]

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.counts import DayCounts
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import TIE_TOLERANCE, Floats
from evalkit.stats._curve import Steps, curve_of, steps_by_group
from evalkit.stats._day_counts import day_counts
from evalkit.stats._limits import check_conf_type, limits, normal_quantile

NOT_REACHED = "A quantile that the curve (or its limit) does not reach is not given."


def quantile_time(time: Floats, surv: Floats, q: float) -> float:
    """Return the first time at which 1 - S reaches q, the midpoint of a plateau at exactly q; nan if it is not reached.

    As R's survival: limits may fall and rise again; of several crossings the one whose value is nearest to q counts.
    """
    known = np.isfinite(surv)
    at, gone = time[known], 1.0 - surv[known]
    # a product of shares misses q by rounding, and a step or a plateau would be skipped
    reached = _nearest_above(gone, q - TIE_TOLERANCE)
    if reached is None:
        return float("nan")
    # a plateau that lasts to the end of follow-up ends there
    if abs(gone[-1] - q) < TIE_TOLERANCE and known[-1]:
        return float(at[reached] + time[-1]) / 2
    beyond = _nearest_above(gone, q + TIE_TOLERANCE)
    return float("nan") if beyond is None else float(at[reached] + at[beyond]) / 2


def _nearest_above(values: Floats, bound: float) -> int | None:
    """Return the place of the least value that is not below a bound, the first of those equal but for rounding."""
    above = np.flatnonzero(values >= bound)
    if len(above) == 0:
        return None
    return int(above[np.flatnonzero(values[above] <= values[above].min() + TIE_TOLERANCE)[0]])


def as_levels(q: Iterable[float] | float) -> tuple[float, ...]:
    """Return quantile levels as a tuple, each strictly between 0 and 1."""
    levels = tuple(float(v) for v in np.atleast_1d(np.asarray(q, dtype=float)))
    if not levels or not all(0 < v < 1 for v in levels):
        msg = "q must lie between 0 and 1"
        raise AnalysisError(msg)
    return levels


@dataclass(frozen=True)
class SurvivalQuantile:
    """Parameters of quantiles of the time to event; see `survival_quantile`."""

    key: ClassVar[str] = "survival_quantile"
    view: ClassVar[str] = "quantiles"
    q: tuple[float, ...] = (0.5,)
    conf_type: str = "log-log"
    conf_level: float = 0.95
    robust: bool = False

    def __post_init__(self) -> None:
        check_conf_type(self.conf_type)
        normal_quantile(self.conf_level)

    def estimate(self, counts: DayCounts) -> Estimates:
        """Return the quantiles of these counts.

        Parameters
        ----------
        counts : DayCounts

        Returns
        -------
        Estimates
            Columns as `survival_quantile` says.
        """
        rows = [row for steps in steps_by_group(counts) for row in self._rows(steps)]
        columns = ["group", "q", "n", "n_event", "estimate", "conf_low", "conf_high"]
        frame = pd.DataFrame(rows, columns=columns)
        bounds = frame[["estimate", "conf_low", "conf_high"]]
        per_group = frame.drop_duplicates("group")
        return Estimates(
            data=frame,
            kind="survival_quantile",
            estimand="days by which a share q has had the event",
            conf_level=self.conf_level,
            summary={"n": int(per_group["n"].sum()), "n_event": int(per_group["n_event"].sum())},
            notes=(NOT_REACHED,) if bounds.isna().to_numpy().any() else (),
            counts=counts,
            analysis=self,
        )

    def _rows(self, steps: Steps) -> list[tuple[str, float, int, int, float, float, float]]:
        curve = curve_of(steps)
        followed = steps.time <= steps.last  # by somebody with a weight
        time, surv = steps.time[followed], curve.surv[followed]
        error = np.sqrt(curve.variance(robust=self.robust))[followed]
        low, high = limits(surv, error, self.conf_type, self.conf_level)
        events = round(float(steps.n.event.sum()))

        def at(values: Floats, q: float) -> float:
            return quantile_time(time, values, q)

        return [(steps.group, q, steps.size, events, at(surv, q), at(low, q), at(high, q)) for q in self.q]


def survival_quantile(
    data: pd.DataFrame,
    time: str,
    event: str,
    *,
    q: Iterable[float] | float = 0.5,
    by: str | None = None,
    entry: str | None = None,
    weights: str | None = None,
    conf_type: str = "log-log",
    robust: bool = False,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the day by which a share q has had the event, the median by default.

    :math:`\hat t_q = \min\{t: 1 - \hat S(t) \ge q\}`; where the curve is flat at exactly 1 - q, the
    midpoint of the plateau. The limits are where the curve's own limits cross 1 - q, as R's ``quantile()`` of a
    survfit finds them. [1]_

    lifelines takes the end of such a plateau, or skips a step by rounding error; it is not used.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, event : str
        Columns: days since the origin; bool or 0/1.
    q : number or iterable of numbers
        Levels between 0 and 1.
    by, entry, weights : str, optional
        Columns of groups, entry days, weights.
    conf_type : {"log-log", "log", "plain"}
        Scale of the curve's limits.
    robust : bool
        As in `kaplan_meier`.
    conf_level : float

    Returns
    -------
    Estimates
        A row per group and level: group, q, n, n_event, estimate (days), conf_low, conf_high.

    Raises
    ------
    AnalysisError
        If q is not between 0 and 1, or a column is missing or wrong.

    References
    ----------
    .. [1] Brookmeyer, Crowley (1982), Biometrics 38:29-41.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [3, 5, 7, 9], "left": [1, 1, 1, 0]})
    >>> survival_quantile(people, "day", "left").tidy()["estimate"].item()
    6.0
    """
    counts = day_counts(data, time, event, by=by, entry=entry, weights=weights, causes=("event",))
    return SurvivalQuantile(as_levels(q), conf_type, conf_level, robust).estimate(counts)


@dataclass(frozen=True)
class FollowUp:
    """Parameters of the length of follow-up; see `follow_up`."""

    key: ClassVar[str] = "follow_up"
    q: tuple[float, ...] = (0.5,)
    conf_type: str = "log-log"
    conf_level: float = 0.95

    def estimate(self, counts: DayCounts) -> Estimates:
        """Return the follow-up of these counts.

        Parameters
        ----------
        counts : DayCounts

        Returns
        -------
        Estimates
            Columns as `follow_up` says.
        """
        frame = counts.frame
        turned = pd.DataFrame({"group": frame["group"], "time": frame["time"]})
        for prefix in ("n", "w", "w2"):
            if f"{prefix}_entry" in frame.columns:
                events = [f"{prefix}_event_{k}" for k in range(1, len(counts.causes) + 1)]
                turned[f"{prefix}_entry"] = frame[f"{prefix}_entry"]
                turned[f"{prefix}_event_1"] = frame[f"{prefix}_censor"]
                turned[f"{prefix}_censor"] = frame[events].sum(axis=1)
        inner = SurvivalQuantile(self.q, self.conf_type, self.conf_level)
        found = inner.estimate(DayCounts(turned, causes=("end of follow-up",)))
        # the turned counts call censorings events; a reader is told of those that happened
        events_of = {s.group: round(float(s.n.event.sum())) for s in steps_by_group(counts)}
        data = found.tidy()
        data["n_event"] = data["group"].map(events_of)
        return replace(
            found,
            data=data,
            kind="follow_up",
            estimand="days by which a share q of people would have been censored, had no event ended follow-up",
            summary={"n": found.summary["n"], "n_event": sum(events_of.values())},
            counts=counts,
            analysis=self,
        )


def follow_up(
    data: pd.DataFrame,
    time: str,
    event: str,
    *,
    by: str | None = None,
    entry: str | None = None,
    weights: str | None = None,
    q: Iterable[float] | float = 0.5,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
) -> Estimates:
    """Estimate how long people were followed: the median of the reverse Kaplan-Meier curve.

    The censoring is taken as the event, and events as censorings. [1]_

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, event : str
        Columns: days since the origin; bool or whole numbers, 0 for censored.
    by, entry, weights : str, optional
        Columns of groups, entry days, weights.
    q : number or iterable of numbers
        Levels between 0 and 1.
    conf_type : {"log-log", "log", "plain"}
        Scale of the curve's limits.
    conf_level : float

    Returns
    -------
    Estimates
        A row per group and level: group, q, n, n_event (true events), estimate (days), conf_low,
        conf_high.

    Raises
    ------
    AnalysisError
        If a column is missing, of the wrong type or holds what it may not.

    References
    ----------
    .. [1] Schemper, Smith (1996), Control. Clin. Trials 17:343-346.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [3, 5, 7, 9], "left": [1, 0, 0, 0]})
    >>> follow_up(people, "day", "left").tidy()["estimate"].item()
    7.0
    """
    counts = day_counts(data, time, event, by=by, entry=entry, weights=weights)
    return FollowUp(as_levels(q), conf_type, conf_level).estimate(counts)
