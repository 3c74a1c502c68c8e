"""Kaplan-Meier curves, and their difference over time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import scipy

from evalkit.counts import DayCounts
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, check_reference, label
from evalkit.stats._curve import WEIGHTLESS, Curve, Flow, Steps, curve_of, steps_by_group
from evalkit.stats._day_counts import day_counts
from evalkit.stats._limits import check_conf_type, limits, normal_quantile, two_sided

__all__ = ["KaplanMeier", "SurvivalDifference", "kaplan_meier", "survival_difference"]


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


# The quantile has a Monte Carlo error of about 0.006 then, far below the width of an interval.
DRAWS = 100_000


def _covariance(curve: Curve, at: Floats) -> tuple[Floats, Floats]:
    """Return S at some times (t,) and the covariance of its estimates (t, t)."""
    at = curve.steps.snapped(at)
    surv = curve.at(at, curve.surv, 1.0)
    # increments of the hazard are uncorrelated: two days share what came before the earlier one
    total = np.concatenate([[0.0], np.cumsum(curve.spread)])[curve.steps.place(at)]
    known = np.nan_to_num(surv)
    return surv, np.outer(known, known) * np.minimum.outer(total, total)


def maximum_quantile(covariance: Floats, conf_level: float, seed: int) -> float:
    """Return c such that all |Z_j| / sd_j stay below c with this probability, by seeded simulation."""
    sd = np.sqrt(np.diag(covariance))
    # before the first event a curve does not vary, and correlates with nothing
    use = sd > 0
    if not use.any():
        return normal_quantile(conf_level)
    correlation = covariance[np.ix_(use, use)] / np.outer(sd[use], sd[use])
    # no Cholesky root: days between which nothing happened are one, and rounding makes eigenvalues negative
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    rng = np.random.default_rng(seed)
    highest = np.abs(rng.standard_normal((DRAWS, len(values))) @ root.T).max(axis=1)
    # by Monte Carlo error alone the band of all days might be narrower than the limits of one
    return max(float(np.quantile(highest, conf_level)), normal_quantile(conf_level))


HYBRID_UNDEFINED = "Hybrid limits are not defined where either curve is at 1 or 0, or not known."


def hybrid(one: Floats, e1: Floats, zero: Floats, e0: Floats, conf_type: str, level: float) -> tuple[Floats, Floats]:
    r"""Return limits (t,) of a difference of probabilities from each one's own (Zou, Donner 2008); nan without one.

    :math:`d - \sqrt{(p_1 - l_1)^2 + (u_0 - p_0)^2}` and :math:`d + \sqrt{(u_1 - p_1)^2 + (p_0 - l_0)^2}`.
    """
    (l1, u1), (l0, u0) = limits(one, e1, conf_type, level), limits(zero, e0, conf_type, level)
    difference = one - zero
    return difference - np.hypot(one - l1, u0 - zero), difference + np.hypot(u1 - one, zero - l0)


NO_SPREAD = "Where neither curve has come down, or both are at 0, there is no standard error and no test."


def _notes(frame: pd.DataFrame) -> tuple[str, ...]:
    beyond = frame["estimate"].isna()
    untested = frame["statistic"].isna() & ~beyond
    unknown = frame["conf_low"].isna() & ~beyond & ~untested
    said = ((BEYOND, beyond), (NO_SPREAD, untested), (HYBRID_UNDEFINED, unknown))
    return tuple(text for text, where in said if where.any())


@dataclass(frozen=True)
class SurvivalDifference:
    """Parameters of a difference of survival curves; see `survival_difference`."""

    key: ClassVar[str] = "survival_difference"
    times: tuple[float, ...]
    reference: str
    conf_level: float = 0.95
    seed: int = 0
    conf_type: str = "plain"

    def __post_init__(self) -> None:
        check_conf_type(self.conf_type)

    def estimate(self, counts: DayCounts) -> Estimates:
        """Return the differences of these counts.

        Parameters
        ----------
        counts : DayCounts

        Returns
        -------
        Estimates
            Columns as `survival_difference` says.
        """
        curves = {s.group: curve_of(s) for s in steps_by_group(counts)}
        check_reference(self.reference, tuple(curves))
        at = np.array(self.times)
        base = curves.pop(self.reference)
        parts = [self._rows(group, curve, base, at) for group, curve in curves.items()]
        frame = pd.concat(parts, ignore_index=True)
        n = sum(c.steps.size for c in [base, *curves.values()])
        events = round(sum(float(c.steps.n.event.sum()) for c in [base, *curves.values()]))
        return Estimates(
            data=frame,
            kind="survival_difference",
            estimand="difference of the probabilities that the event has not happened by each time",
            conf_level=self.conf_level,
            summary={"n": n, "n_event": events},
            notes=_notes(frame),
            counts=counts,
            analysis=self,
        )

    def _rows(self, group: str, curve: Curve, base: Curve, at: Floats) -> pd.DataFrame:
        (one, v1), (zero, v0) = _covariance(curve, at), _covariance(base, at)
        difference, covariance = one - zero, v1 + v0
        known = np.isfinite(difference)
        error = np.sqrt(np.diag(covariance))
        error = np.where(known & (error > 0), error, np.nan)  # without events nothing is known of the spread
        z = normal_quantile(self.conf_level)
        wide = maximum_quantile(covariance[np.ix_(known, known)], self.conf_level, self.seed) if known.any() else z
        statistic = difference / error
        if self.conf_type == "plain":
            bounds = [(difference - f * error, difference + f * error) for f in (z, wide)]
        else:
            sides = one, np.sqrt(np.diag(v1)), zero, np.sqrt(np.diag(v0))
            # a transformed scale takes a level, not a factor: the level at which one day's limits have that factor
            levels = (self.conf_level, float(2 * scipy.special.ndtr(wide) - 1))
            bounds = [hybrid(*sides, self.conf_type, level) for level in levels]
        (low, high), (sim_low, sim_high) = ((np.maximum(a, -1.0), np.minimum(b, 1.0)) for a, b in bounds)
        return pd.DataFrame(
            {
                "contrast": f"{group} - {self.reference}",
                "time": at,
                "estimate": difference,
                "std_error": error,
                "statistic": statistic,
                "p_value": two_sided(statistic),
                "conf_low": low,
                "conf_high": high,
                "sim_low": sim_low,
                "sim_high": sim_high,
            }
        )


def survival_difference(
    data: pd.DataFrame,
    time: str,
    event: str,
    by: str,
    *,
    times: Iterable[float] | float,
    reference: object,
    entry: str | None = None,
    conf_type: str = "plain",
    seed: int = 0,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the difference of survival curves at some days.

    :math:`\hat S_1(t) - \hat S_0(t)` with Greenwood's variances added. ``conf_low``, ``conf_high`` hold at
    each day by itself; ``sim_low``, ``sim_high`` at all the days together: their factor is the quantile of
    the largest of the standardised differences, by 100,000 seeded draws from the joint normal law with
    covariance :math:`\sum_g \hat S_g(s) \hat S_g(t) v_g(\min(s, t))`. [1]_

    *plain* limits are :math:`d \pm z s`. *log-log* and *log* are hybrid limits: each curve's own limits on that
    scale, put together by recovering the variances at them, as Newcombe does with Wilson's [2]_. They keep the
    skewness of a curve with few events and hold better in small groups (``docs/validation.md``).

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, event, by : str
        Columns: days since the origin; bool or 0/1; groups.
    times : number or iterable of numbers
        Days.
    reference : object
        The group the others are compared with.
    entry : str, optional
        Column: under observation only after this day.
    conf_type : {"plain", "log-log", "log"}
    seed : int
        Of the simulation of the simultaneous limits.
    conf_level : float

    Returns
    -------
    Estimates
        A row per contrast and day: contrast, time, estimate, std_error, statistic, p_value, conf_low,
        conf_high, sim_low, sim_high.

    Raises
    ------
    AnalysisError
        If there are fewer than two groups, the reference is none of them, or a column is missing or wrong.

    References
    ----------
    .. [1] Parzen, Wei, Ying (1997), Scand. J. Stat. 24:309-314.
    .. [2] Zou, Donner (2008), Stat. Med. 27:1693-1702; Newcombe (1998), Stat. Med. 17:873-890.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [3, 5, 7, 9], "left": [1, 1, 1, 0], "arm": list("aabb")})
    >>> found = survival_difference(people, "day", "left", "arm", times=[4, 6], reference="a").tidy()
    >>> found["estimate"].tolist()
    [0.5, 1.0]
    """
    at = asked_days(times)
    counts = day_counts(data, time, event, by=by, entry=entry, causes=("event",))
    return SurvivalDifference(at, label(reference), conf_level, seed, conf_type).estimate(counts)
