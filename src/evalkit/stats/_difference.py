"""The difference of survival curves over time."""

from __future__ import annotations

__all__ = ["SurvivalDifference", "survival_difference"]

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import scipy

from evalkit.counts import DayCounts
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, check_reference, label
from evalkit.stats._curve import Curve, curve_of
from evalkit.stats._day_counts import day_counts
from evalkit.stats._kaplan_meier import BEYOND, asked_days
from evalkit.stats._limits import check_conf_type, limits, normal_quantile, two_sided
from evalkit.stats._steps import steps_by_group

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
