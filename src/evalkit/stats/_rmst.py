"""Restricted mean survival time, alone and contrasted."""

from __future__ import annotations

__all__ = ["RestrictedMean", "RestrictedMeanContrast", "area_under", "rmst", "rmst_contrast"]

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.counts import DayCounts
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, check_reference, label
from evalkit.stats._curve import WEIGHTLESS, Steps, curve_of, steps_by_group
from evalkit.stats._day_counts import day_counts
from evalkit.stats._limits import BEYOND_NUMBERS, exp_or_infinite, normal_quantile, two_sided


def area_under(time: Floats, surv: Floats, tau: float) -> Floats:
    """Return the integral from 0 to tau of step functions (..., m) of ascending times (m,), 1 before the first."""
    edges = np.minimum(np.concatenate([[0.0], time, [tau]]), tau)
    heights = np.concatenate([np.ones((*surv.shape[:-1], 1)), surv], axis=-1)
    return np.asarray(heights @ np.diff(edges))


def check_tau(tau: float) -> float:
    """Return the horizon if it is a positive number of days."""
    if not (np.isfinite(tau) and tau > 0):
        msg = f"tau must be a positive number of days, it is {tau}"
        raise AnalysisError(msg)
    return float(tau)


def _restricted_mean(steps: Steps, tau: float, *, robust: bool) -> tuple[float, float]:
    if steps.weightless:
        return float("nan"), float("nan")
    curve = curve_of(steps)
    ended = len(curve.surv) > 0 and curve.surv[-1] == 0
    tau = float(steps.snapped(np.array([tau]))[0])
    # a curve that ends at 0 stays there, so that its mean is known for any horizon
    if tau > steps.last and not (ended and not steps.truncated):
        if not steps.truncated:
            msg = (
                f"tau = {tau:g} lies beyond the last day of follow-up of a group "
                f"({steps.last:g}); choose tau up to the shortest group's last day"
            )
            raise AnalysisError(msg)
        return float("nan"), float("nan")
    mean = float(area_under(steps.time, curve.surv, tau))
    widths = np.diff(np.minimum(np.append(steps.time, max(tau, steps.last)), tau))
    area = np.cumsum((curve.surv * widths)[::-1])[::-1]
    if robust:
        return mean, float(np.sqrt(curve.jackknife(area)[-1]))
    return mean, float(np.sqrt((area**2 * curve.spread).sum()))


NO_SPREAD = "Without events before the horizon there is no standard error and no test; a ratio to 0 is not given."
TRUNCATED = "The horizon lies beyond the last day that may be shown: the restricted mean is not given."


def _notes(groups: list[Steps], missing: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    weightless = np.array([steps.weightless for steps in groups], dtype=bool)
    said = ((TRUNCATED, missing & ~weightless), (WEIGHTLESS, weightless))
    return tuple(text for text, where in said if where.any())


@dataclass(frozen=True)
class RestrictedMean:
    """Parameters of a restricted mean; see `rmst`."""

    key: ClassVar[str] = "rmst"
    view: ClassVar[str] = "means"
    tau: float
    conf_level: float = 0.95
    robust: bool = False

    def estimate(self, counts: DayCounts) -> Estimates:
        """Return the restricted means of these counts.

        Parameters
        ----------
        counts : DayCounts

        Returns
        -------
        Estimates
            Columns as `rmst` says.
        """
        z = normal_quantile(self.conf_level)
        rows, groups = [], steps_by_group(counts)
        for steps in groups:
            mean, error = _restricted_mean(steps, self.tau, robust=self.robust)
            low, high = max(mean - z * error, 0.0), min(mean + z * error, self.tau)
            if np.isnan(mean):
                low = high = mean
            # later events are no part of these days
            events = round(float(steps.n.event[:, steps.n.time <= self.tau].sum()))
            rows.append((steps.group, self.tau, steps.size, events, mean, error, low, high))
        columns = ["group", "tau", "n", "n_event", "estimate", "std_error", "conf_low", "conf_high"]
        frame = pd.DataFrame(rows, columns=columns)
        return Estimates(
            data=frame,
            kind="rmst",
            estimand=f"mean days without the event during the first {self.tau:g} days",
            conf_level=self.conf_level,
            summary={"n": int(frame["n"].sum()), "n_event": int(frame["n_event"].sum()), "tau": self.tau},
            notes=_notes(groups, frame["estimate"].isna().to_numpy()),
            counts=counts,
            analysis=self,
        )


@dataclass(frozen=True)
class RestrictedMeanContrast:
    """Parameters of a contrast of restricted means; see `rmst_contrast`."""

    key: ClassVar[str] = "rmst_contrast"
    view: ClassVar[str] = "mean_gap"
    tau: float
    reference: str
    conf_level: float = 0.95
    robust: bool = False

    def estimate(self, counts: DayCounts) -> Estimates:
        """Return the contrasts of these counts.

        Parameters
        ----------
        counts : DayCounts

        Returns
        -------
        Estimates
            Columns as `rmst_contrast` says.
        """
        means = RestrictedMean(self.tau, self.conf_level, self.robust).estimate(counts)
        found = {str(row["group"]): row for _, row in means.data.iterrows()}
        check_reference(self.reference, tuple(found))
        base = found.pop(self.reference)
        rows = []
        for group, row in found.items():
            rows += _contrast_rows(group, row, self.reference, base, self.conf_level)
        columns = ["contrast", "measure", "tau", "n", "n_event", "estimate", "std_error", "statistic"]
        data = pd.DataFrame(rows, columns=[*columns, "p_value", "conf_low", "conf_high"])
        beyond = bool(np.isinf(data["conf_high"]).any())
        # where a mean itself is missing its own note says why
        untested = bool(data["statistic"].isna().any()) and not means.notes
        return Estimates(
            data=data,
            kind="rmst_contrast",
            estimand=f"difference and ratio of mean days without the event in the first {self.tau:g} days",
            conf_level=self.conf_level,
            summary=means.summary,
            notes=(*means.notes, *((NO_SPREAD,) if untested else ()), *((BEYOND_NUMBERS,) if beyond else ())),
            counts=counts,
            analysis=self,
        )


def _known(error: float) -> float:
    """Return an error, nan for 0: where nobody had the event nothing is known of the spread."""
    return error if error > 0 else float("nan")


def _contrast_rows(
    group: str, one: pd.Series, reference: str, base: pd.Series, conf_level: float
) -> list[tuple[object, ...]]:
    z = normal_quantile(conf_level)
    n, events = int(one["n"] + base["n"]), int(one["n_event"] + base["n_event"])
    start = (float(one["tau"]), n, events)
    difference = float(one["estimate"] - base["estimate"])
    error = _known(float(np.hypot(one["std_error"], base["std_error"])))
    statistic = difference / error
    first = (f"{group} - {reference}", "rmst_difference", *start, difference, error, statistic)
    first_rest = (float(two_sided(statistic)), difference - z * error, difference + z * error)
    if not (one["estimate"] > 0 and base["estimate"] > 0):
        nan = float("nan")
        return [(*first, *first_rest), (f"{group} / {reference}", "rmst_ratio", *start, *([nan] * 6))]
    ratio = float(one["estimate"] / base["estimate"])
    log_error = _known(float(np.hypot(one["std_error"] / one["estimate"], base["std_error"] / base["estimate"])))
    log_statistic = float(np.log(ratio)) / log_error
    low, high = (ratio * exp_or_infinite(side * z * log_error) for side in (-1, 1))
    second = (f"{group} / {reference}", "rmst_ratio", *start, ratio, ratio * log_error, log_statistic)
    return [(*first, *first_rest), (*second, float(two_sided(log_statistic)), low, high)]


def rmst(
    data: pd.DataFrame,
    time: str,
    event: str,
    *,
    tau: float,
    by: str | None = None,
    entry: str | None = None,
    weights: str | None = None,
    robust: bool = False,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the mean days without the event up to a horizon.

    :math:`\hat\mu(\tau) = \int_0^\tau \hat S(t) dt`, variance
    :math:`\sum_{u \le \tau} A_u^2 d_u / (Y_u (Y_u - d_u))` with
    :math:`A_u = \int_u^\tau \hat S(t) dt`; ``robust=True`` gives the infinitesimal jackknife's. [1]_

    lifelines gives the variance of min(T, tau), not that of the estimate, and is not used. One person alone has
    variance 0, as in R: nothing is known of the spread, and a contrast in which nobody has an error has none.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, event : str
        Columns: days since the origin; bool or 0/1.
    tau : float
        Horizon in days.
    by, entry, weights : str, optional
        Columns of groups, entry days, weights.
    robust : bool
        Standard error by the infinitesimal jackknife (weights as known); not with delayed entry.
    conf_level : float

    Returns
    -------
    Estimates
        A row per group: group, tau, n, n_event (up to tau), estimate (days), std_error, conf_low,
        conf_high.

    Raises
    ------
    AnalysisError
        If tau lies beyond a group's last day of follow-up, or a column is missing or wrong.

    References
    ----------
    .. [1] Klein, Moeschberger (2003), Survival Analysis, section 4.5.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [3, 5, 5, 9], "left": [1, 1, 0, 0]})
    >>> rmst(people, "day", "left", tau=8).tidy()["estimate"].item()
    6.0
    """
    counts = day_counts(data, time, event, by=by, entry=entry, weights=weights, causes=("event",))
    return RestrictedMean(check_tau(tau), conf_level, robust).estimate(counts)


def rmst_contrast(
    data: pd.DataFrame,
    time: str,
    event: str,
    *,
    by: str,
    tau: float,
    reference: object,
    entry: str | None = None,
    weights: str | None = None,
    robust: bool = False,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Compare the mean days without the event up to a horizon between groups.

    Difference :math:`\hat\mu_1 - \hat\mu_0` with variance :math:`s_1^2 + s_0^2`, and ratio with limits on
    the log scale, :math:`s_{\log} = \sqrt{s_1^2/\hat\mu_1^2 + s_0^2/\hat\mu_0^2}`. [1]_

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, event, by : str
        Columns: days since the origin; bool or 0/1; groups.
    tau : float
        Horizon in days.
    reference : object
        The group the others are compared with.
    entry, weights : str, optional
        Columns of entry days, weights.
    robust : bool
        As in `rmst`.
    conf_level : float

    Returns
    -------
    Estimates
        Two rows per contrast: contrast, measure ('rmst_difference' in days, 'rmst_ratio'), tau, n,
        n_event, estimate, std_error, statistic (of the log for the ratio), p_value, conf_low, conf_high.

    Raises
    ------
    AnalysisError
        If there are fewer than two groups, the reference is none of them, or tau lies beyond a group's
        follow-up.

    References
    ----------
    .. [1] Uno et al. (2014), J. Clin. Oncol. 32:2380-2385.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [3, 5, 7, 9], "left": [1, 1, 1, 0], "arm": list("aabb")})
    >>> found = rmst_contrast(people, "day", "left", by="arm", tau=8, reference="a").tidy()
    >>> found[["contrast", "measure", "estimate"]]
      contrast          measure  estimate
    0    b - a  rmst_difference     3.500
    1    b / a       rmst_ratio     1.875
    """
    counts = day_counts(data, time, event, by=by, entry=entry, weights=weights, causes=("event",))
    return RestrictedMeanContrast(check_tau(tau), label(reference), conf_level, robust).estimate(counts)
