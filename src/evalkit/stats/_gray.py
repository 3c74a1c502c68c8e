"""Gray's test of equal cumulative incidence."""

from __future__ import annotations

__all__ = ["GrayTest", "gray_test"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.counts import DayCounts
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, read_rows
from evalkit.stats._curve import product_limit
from evalkit.stats._day_counts import tally_days
from evalkit.stats._limits import chi2_tail
from evalkit.stats._logrank import Cells, by_stratum, in_cells, score_test
from evalkit.stats._steps import Steps, safe_divide, steps_by_group


def _lagged(values: Floats, first: float) -> Floats:
    return np.concatenate([np.full((*values.shape[:-1], 1), first), values[..., :-1]], axis=-1)


def gray_scores(steps: list[Steps], cause: int, rho: float) -> tuple[Floats, Floats]:
    r"""Return Gray's scores (G,) and their variance (G, G) in one stratum, weighted by :math:`(1 - F(u-))^\rho`.

    The pooled F grows by :math:`d_1 / \sum_g h_g`, with :math:`h_g = Y_g / S_g(u-)`.
    """
    grid = np.unique(np.concatenate([s.time for s in steps]))
    risk = np.stack([s.n.risk(grid) for s in steps])
    own, every = np.zeros_like(risk), np.zeros_like(risk)
    for g, s in enumerate(steps):
        at = np.searchsorted(grid, s.time)
        own[g, at], every[g, at] = s.n.event[cause][s.rows], s.n.event.sum(axis=0)[s.rows]
    use = every.sum(axis=0) > 0
    risk, own, every = risk[:, use], own[:, use], every[:, use]
    other, alive = every - own, risk > 0
    surv = product_limit(every, risk)
    before = _lagged(surv, 1.0)
    incidence = np.cumsum(before * safe_divide(own, risk), axis=1)
    # whom censoring alone would have left: a competing event does not take anybody from this risk set
    h = np.where(alive, safe_divide(risk, before), 0.0)
    total, d1 = h.sum(axis=0), own.sum(axis=0)
    pooled = np.cumsum(safe_divide(d1, total))
    weight = np.maximum(1 - _lagged(pooled, 0.0), 0.0) ** rho
    share = h * (1 - _lagged(incidence, 0.0))
    score = (weight * (own - d1 * safe_divide(share, share.sum(axis=0)))).sum(axis=1)
    variance = _variance(weight, h, total, d1, pooled, risk, other, surv, before)
    return score, variance


def _variance(
    weight: Floats,
    h: Floats,
    total: Floats,
    d1: Floats,
    pooled: Floats,
    risk: Floats,
    other: Floats,
    surv: Floats,
    before: Floats,
) -> Floats:
    """Return the variance: squared contributions of own and competing events of each group k at each time."""
    g = len(h)
    a = weight * (np.eye(g)[:, :, None] * h - h[:, None] * safe_divide(h, total)[None])
    c = np.cumsum(a * safe_divide(d1, total * np.maximum(1 - _lagged(pooled, 0.0), 1e-300)), axis=2)
    ahead = c[:, :, -1:] - c
    gone = safe_divide(1 - pooled, surv)
    slope = np.where(surv > 0, 1 - gone, 1.0)
    # tied events are drawn without replacement from those at risk, so that they vary less
    ties = np.where(d1 > 1, 1 - safe_divide(d1 - 1, total * before - 1), 1.0)
    own_v = np.where(risk > 0, ties * before * safe_divide(d1, total) * safe_divide(np.ones_like(risk), risk), 0.0)
    other_ties = np.where(other > 1, 1 - safe_divide(other - 1, risk - 1), 1.0)
    other_v = np.where(surv > 0, other_ties * before**2 * safe_divide(other, risk**2), 0.0)
    q, r = a + slope * ahead, gone * ahead
    return np.asarray(
        np.einsum("ikt,jkt,kt->ij", q, q, own_v, optimize=True)
        + np.einsum("ikt,jkt,kt->ij", r, r, other_v, optimize=True)
    )


@dataclass(frozen=True)
class GrayTest:
    """Parameters of Gray's test; see `gray_test`. ``cells`` as in `LogRank`."""

    key: ClassVar[str] = "gray_test"
    view: ClassVar[str] = "gray_test"
    rho: float = 0.0
    cells: Cells = ()

    def estimate(self, counts: DayCounts) -> Estimates:
        """Return the test of these counts, for every cause.

        Parameters
        ----------
        counts : DayCounts

        Returns
        -------
        Estimates
            Columns as `gray_test` says.
        """
        steps = steps_by_group(counts)
        groups, strata = by_stratum(steps, self.cells, "Gray's test")
        n = sum(s.size for s in steps)
        rows = []
        for k, cause in enumerate(counts.causes):
            statistic, df = self._test(strata, len(groups), k)
            events = round(sum(float(s.n.event[k].sum()) for s in steps))
            rows.append((cause, n, events, statistic, df, chi2_tail(statistic, df)))
        frame = pd.DataFrame(rows, columns=["cause", "n", "n_event", "statistic", "df", "p_value"])
        undefined = frame["statistic"].isna().any()
        return Estimates(
            data=frame,
            kind="gray_test",
            estimand="equality of the groups' cumulative incidences",
            summary={"n": n, "n_event": int(frame["n_event"].sum())},
            notes=("A cause without events in two groups at risk has no test.",) if undefined else (),
            counts=counts,
            analysis=self,
        )

    def _test(self, strata: list[tuple[list[int], list[Steps]]], g: int, cause: int) -> tuple[float, int]:
        score, variance = np.zeros(g), np.zeros((g, g))
        for at, steps in strata:
            if any(float(s.n.event[cause].sum()) > 0 for s in steps):
                u, v = gray_scores(steps, cause, self.rho)
                score[at] += u
                variance[np.ix_(at, at)] += v
        return score_test(score, variance)


def gray_test(
    data: pd.DataFrame,
    time: str,
    cause: str,
    by: str,
    *,
    strata: str | None = None,
    rho: float = 0.0,
    causes: Sequence[str] | None = None,
) -> Estimates:
    r"""Test whether groups have the same cumulative incidence of each cause (Gray).

    Compares :math:`\int W_g(u) [d\hat F_g / (1-\hat F_g(u-)) - d\hat F / (1-\hat F(u-))]`, with the
    variance of the paper and its factors for ties; equal to R's ``cmprsk::cuminc``. [1]_ Degrees of freedom as in
    `logrank`.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, cause, by : str
        Columns: days since the origin; 0 censored, 1 ... K; groups.
    strata : str, optional
        Column of strata; groups are compared within them.
    rho : float
        Power of (1 - F) in the weight.
    causes : sequence of str, optional
        Names of causes 1 ... K.

    Returns
    -------
    Estimates
        A row per cause: cause, n, n_event, statistic, df, p_value.

    Raises
    ------
    AnalysisError
        If there are fewer than two groups, or a column is missing or wrong.

    References
    ----------
    .. [1] Gray (1988), Ann. Stat. 16:1141-1154.

    Examples
    --------
    >>> people = pd.DataFrame(
    ...     {"day": [3, 5, 7, 9, 2, 4, 6, 8], "first": [1, 1, 2, 0, 2, 1, 0, 2], "arm": list("aaaabbbb")}
    ... )
    >>> gray_test(people, "day", "first", "arm").tidy()["df"].tolist()
    [1, 1]
    """
    rows, cells = in_cells(read_rows(data, time, cause, by=by, causes=None), data, strata)
    k = max(int(rows.cause.max(initial=1)), 0 if causes is None else len(tuple(causes)))
    names = tuple(causes) if causes is not None else tuple(str(i) for i in range(1, k + 1))
    if len(names) < k:
        msg = f"column '{cause}' has cause {k}, causes names only {len(names)}"
        raise AnalysisError(msg)
    return GrayTest(float(rho), cells).estimate(tally_days(rows, names))
