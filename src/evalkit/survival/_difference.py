"""The difference of survival curves over time."""

from __future__ import annotations

__all__ = ["SurvivalDifference", "survival_difference"]

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.counts import DayCounts
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.survival._columns import Floats, label
from evalkit.survival._curve import Curve, curve_of
from evalkit.survival._day_counts import day_counts
from evalkit.survival._kaplan_meier import BEYOND, as_times
from evalkit.survival._limits import normal_quantile, two_sided
from evalkit.survival._rmst import check_reference
from evalkit.survival._steps import steps_by_group

DRAWS = 100_000


def _covariance(curve: Curve, at: Floats) -> tuple[Floats, Floats]:
    """Return S at some times (t,) and the covariance of its estimates (t, t)."""
    surv = curve.at(at, curve.surv, 1.0)
    total = np.concatenate([[0.0], np.cumsum(curve.spread)])[curve.steps.place(at)]
    known = np.nan_to_num(surv)
    return surv, np.outer(known, known) * np.minimum.outer(total, total)


def maximum_quantile(covariance: Floats, conf_level: float, seed: int) -> float:
    """Return c such that all |Z_j| / sd_j stay below c with this probability, by seeded simulation."""
    sd = np.sqrt(np.diag(covariance))
    use = sd > 0
    if not use.any():
        return normal_quantile(conf_level)
    correlation = covariance[np.ix_(use, use)] / np.outer(sd[use], sd[use])
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    rng = np.random.default_rng(seed)
    highest = np.abs(rng.standard_normal((DRAWS, len(values))) @ root.T).max(axis=1)
    return max(float(np.quantile(highest, conf_level)), normal_quantile(conf_level))


NO_SPREAD = "Where neither curve has come down, or both are at 0, there is no standard error and no test."


def _notes(frame: pd.DataFrame) -> tuple[str, ...]:
    beyond = frame["estimate"].isna()
    untested = frame["statistic"].isna() & ~beyond
    return (*((BEYOND,) if beyond.any() else ()), *((NO_SPREAD,) if untested.any() else ()))


@dataclass(frozen=True)
class SurvivalDifference:
    """Parameters of a difference of survival curves; see `survival_difference`."""

    times: tuple[float, ...]
    reference: str
    conf_level: float = 0.95
    seed: int = 0

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
        error = np.where(known, np.sqrt(np.diag(covariance)), np.nan)
        z = normal_quantile(self.conf_level)
        wide = maximum_quantile(covariance[np.ix_(known, known)], self.conf_level, self.seed) if known.any() else z
        statistic = np.divide(difference, error, out=np.full(len(at), np.nan), where=known & (np.nan_to_num(error) > 0))
        return pd.DataFrame(
            {
                "contrast": f"{group} - {self.reference}",
                "time": at,
                "estimate": difference,
                "std_error": error,
                "statistic": statistic,
                "p_value": two_sided(statistic),
                "conf_low": np.maximum(difference - z * error, -1.0),
                "conf_high": np.minimum(difference + z * error, 1.0),
                "sim_low": np.maximum(difference - wide * error, -1.0),
                "sim_high": np.minimum(difference + wide * error, 1.0),
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
    seed: int = 0,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the difference of survival curves at some days.

    :math:`\hat S_1(t) - \hat S_0(t)` with Greenwood's variances added. ``conf_low``, ``conf_high`` hold at
    each day by itself; ``sim_low``, ``sim_high`` at all the days together: their factor is the quantile of
    the largest of the standardised differences, by 100,000 seeded draws from the joint normal law with
    covariance :math:`\sum_g \hat S_g(s) \hat S_g(t) v_g(\min(s, t))`. [1]_

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

    Examples
    --------
    >>> people = pd.DataFrame({"day": [3, 5, 7, 9], "left": [1, 1, 1, 0], "arm": list("aabb")})
    >>> found = survival_difference(people, "day", "left", "arm", times=[4, 6], reference="a").tidy()
    >>> found["estimate"].tolist()
    [0.5, 1.0]
    """
    at = as_times(times)
    if at is None:
        msg = "times must name at least one day"
        raise AnalysisError(msg)
    counts = day_counts(data, time, event, by=by, entry=entry, causes=("event",))
    return SurvivalDifference(at, label(reference), conf_level, seed).estimate(counts)
