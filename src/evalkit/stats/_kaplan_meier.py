"""Kaplan-Meier curves."""

from __future__ import annotations

__all__ = ["KaplanMeier", "kaplan_meier"]

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.counts import DayCounts
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats
from evalkit.stats._curve import WEIGHTLESS, Curve, curve_of
from evalkit.stats._day_counts import day_counts
from evalkit.stats._limits import check_conf_type, limits, normal_quantile
from evalkit.stats._steps import Flow, Steps, steps_by_group


def as_times(times: Iterable[float] | float | None) -> tuple[float, ...] | None:
    """Return times asked for as an ascending tuple without repeats."""
    if times is None:
        return None
    # ascending, since what leaves is counted from the time before
    listed = list(times) if isinstance(times, Iterable) and not isinstance(times, np.ndarray) else times
    wanted = np.unique(np.asarray(listed, dtype=float))
    if len(wanted) == 0 or not np.isfinite(wanted).all() or (wanted < 0).any():
        msg = "times must be finite numbers of days, none below 0"
        raise AnalysisError(msg)
    return tuple(float(t) for t in wanted)


def asked_days(times: Iterable[float] | float | None) -> tuple[float, ...]:
    """Return times as `as_times` does, where there must be one."""
    days = as_times(times)
    if days is None:
        msg = "times must name at least one day"
        raise AnalysisError(msg)
    return days


def risk_at(steps: Steps, flow: Flow, at: Floats) -> Floats:
    """Return the number at risk at some times; nan after a tail that was cut off."""
    risk = flow.risk(at)
    return np.where(at > steps.last, np.nan, risk) if steps.truncated else risk


def leaving(steps: Steps, values: Floats, at: Floats) -> Floats:
    """Return how many left at the steps after the time before and up to each time."""
    total = np.concatenate([[0.0], np.cumsum(values[steps.rows])])
    return np.diff(total[steps.place(at)], prepend=0.0)


def whole(values: Floats) -> np.ndarray:
    """Return whole numbers as int64, anything else as it is."""
    exact = np.isfinite(values).all() and (values == np.round(values)).all()
    return values.astype(np.int64) if exact else values


def flow_columns(steps: Steps, at: Floats, events: Floats, w_events: Floats) -> dict[str, object]:
    """Return the columns of numbers at risk and leaving at some times, raw and weighted."""
    columns: dict[str, object] = {
        "n_risk": whole(risk_at(steps, steps.n, at)),
        "n_event": whole(leaving(steps, events, at)),
        "n_censor": whole(leaving(steps, steps.n.censor, at)),
    }
    if steps.weighted:
        columns["w_risk"] = risk_at(steps, steps.w, at)
        columns["w_event"] = leaving(steps, w_events, at)
        columns["w_censor"] = leaving(steps, steps.w.censor, at)
    return columns


UNDEFINED = "Standard error and limits are not defined where the curve is 0; log-log limits neither where it is 1."
BEYOND = "Nothing is estimated after the last day of follow-up."


@dataclass(frozen=True)
class KaplanMeier:
    """Parameters of a Kaplan-Meier analysis; see `kaplan_meier`."""

    key: ClassVar[str] = "kaplan_meier"
    of_shares: ClassVar[bool] = True
    view: ClassVar[str] = "survival"
    conf_type: str = "log-log"
    conf_level: float = 0.95
    times: tuple[float, ...] | None = None
    robust: bool = False

    def __post_init__(self) -> None:
        check_conf_type(self.conf_type)
        normal_quantile(self.conf_level)

    def estimate(self, counts: DayCounts) -> Estimates:
        """Return the curves of these counts.

        Parameters
        ----------
        counts : DayCounts
            With several causes, an event is any of them.

        Returns
        -------
        Estimates
            Columns as `kaplan_meier` says.
        """
        curves = [curve_of(steps) for steps in steps_by_group(counts)]
        frame = pd.concat([self._rows(curve) for curve in curves], ignore_index=True)
        notes = []
        if frame["conf_low"].isna().any():
            notes.append(UNDEFINED)
        if frame["estimate"].isna().any():
            notes.append(BEYOND)
        if any(curve.steps.weightless for curve in curves):
            notes.append(WEIGHTLESS)
        return Estimates(
            data=frame,
            kind="kaplan_meier",
            estimand="probability that the event has not happened by each time",
            conf_level=self.conf_level,
            summary=_summary(curves),
            notes=tuple(notes),
            counts=counts,
            analysis=self,
        )

    def _rows(self, curve: Curve) -> pd.DataFrame:
        steps = curve.steps
        error = np.sqrt(curve.variance(robust=self.robust))
        at = steps.time if self.times is None else steps.snapped(np.array(self.times))
        surv, error = curve.at(at, curve.surv, 1.0), curve.at(at, error, 0.0)
        low, high = limits(surv, error, self.conf_type, self.conf_level)
        # before the first step S is 1 for certain: its limits are itself
        unbegun = steps.place(at) == 0
        low, high = np.where(unbegun, surv, low), np.where(unbegun, surv, high)
        flows = flow_columns(steps, at, steps.n.event.sum(axis=0), steps.w.event.sum(axis=0))
        values = {"estimate": surv, "std_error": error, "conf_low": low, "conf_high": high}
        # as they were asked for, not as they were moved onto a step
        shown = at if self.times is None else np.array(self.times)
        return pd.DataFrame({"group": steps.group, "time": shown} | flows | values)


def _summary(curves: list[Curve]) -> dict[str, object]:
    n = sum(curve.steps.size for curve in curves)
    events = sum(float(curve.steps.n.event.sum()) for curve in curves)
    return {"n": n, "n_event": round(events), "n_group": len(curves)}


def kaplan_meier(
    data: pd.DataFrame,
    time: str,
    event: str,
    *,
    by: str | None = None,
    entry: str | None = None,
    weights: str | None = None,
    times: Iterable[float] | float | None = None,
    conf_type: str = "log-log",
    robust: bool = False,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the probability of no event by each day (Kaplan-Meier).

    :math:`\hat S(t) = \prod_{u \le t} (1 - d_u / Y_u)`, with :math:`d_u` events on day u among
    :math:`Y_u` at risk (entry < u <= time). Greenwood's standard error
    :math:`\hat S \sqrt{\sum d_u / (Y_u (Y_u - d_u))}`; with ``robust=True`` the infinitesimal
    jackknife's, the square root of the sum over people of (weight x derivative)\ :sup:`2`, which is
    right for sampling or propensity weights taken as known. [1]_ [2]_

    lifelines is not used here: its limits under weights are off by up to 5 %, and its curves fail when
    they reach 0 under delayed entry.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, event : str
        Columns: days since the origin; bool or 0/1.
    by : str, optional
        Column of groups.
    entry : str, optional
        Column: under observation only after this day.
    weights : str, optional
        Column of weights >= 0, taken as numbers of people unless ``robust``. Who has none is not there; a group that
        has none has no curve.
    times : number or iterable of numbers, optional
        Days at which to give the curve; default every day with an event or a censoring. There ``n_event``
        and ``n_censor`` count since the time listed before.
    conf_type : {"log-log", "log", "plain"}
        Scale of the limits.
    robust : bool
        Standard error by the infinitesimal jackknife; not with delayed entry.
    conf_level : float

    Returns
    -------
    Estimates
        Columns group, time (days), n_risk, n_event, n_censor, (w_risk, w_event, w_censor with weights),
        estimate, std_error, conf_low, conf_high. A value that is not defined is nan and a note says why.

    Raises
    ------
    AnalysisError
        If a column is missing, of the wrong type or holds what it may not.

    References
    ----------
    .. [1] Kaplan, Meier (1958), J. Am. Stat. Assoc. 53:457-481.
    .. [2] Therneau, Grambsch (2000), Modeling Survival Data, section 2.1.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [3, 5, 5, 9], "left": [1, 1, 0, 0]})
    >>> kaplan_meier(people, "day", "left").tidy()[["time", "n_risk", "estimate"]]
       time  n_risk  estimate
    0   3.0       4      0.75
    1   5.0       3      0.50
    2   9.0       1      0.50
    """
    analysis = KaplanMeier(conf_type, conf_level, as_times(times), robust)
    return analysis.estimate(day_counts(data, time, event, by=by, entry=entry, weights=weights, causes=("event",)))
