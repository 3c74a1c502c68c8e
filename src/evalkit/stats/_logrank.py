"""Tests of equal curves: log-rank, stratified and weighted over time, and Gray's, of cumulative incidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
import scipy

from evalkit.counts import DayCounts
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, Groups, Rows, group_column, read_rows
from evalkit.stats._curve import Steps, product_limit, safe_divide, steps_by_group
from evalkit.stats._day_counts import tally_days
from evalkit.stats._limits import chi2_tail

__all__ = ["GrayTest", "LogRank", "gray_test", "logrank"]


Cells = tuple[tuple[str, str, str], ...]


def on_one_grid(steps: list[Steps]) -> tuple[Floats, Floats, Floats]:
    """Return times (m,), at risk (G, m) and raw events of any cause (G, m) of groups on one grid."""
    grid = np.unique(np.concatenate([s.time for s in steps]))
    risk = np.stack([s.n.risk(grid) for s in steps])
    events = np.zeros_like(risk)
    for row, s in zip(events, steps, strict=True):
        row[np.searchsorted(grid, s.time)] = s.n.event.sum(axis=0)[s.rows]
    return grid, risk, events


def weighted_scores(risk: Floats, events: Floats, rho: float, gamma: float) -> tuple[Floats, Floats, Floats]:
    """Return expected events (G,), weighted scores (G,) and their variance (G, G) of one stratum."""
    y, d = risk.sum(axis=0), events.sum(axis=0)
    keep = d > 0
    risk, events, y, d = risk[:, keep], events[:, keep], y[keep], d[keep]
    before = np.concatenate([[1.0], product_limit(d, y)[:-1]]) if len(y) else y
    weight = before**rho * (1.0 - before) ** gamma
    share = risk / y
    expected = share * d
    score = ((events - expected) * weight).sum(axis=1)
    # with one person left at risk nothing can vary, and 0 / 0 is that
    spread = weight**2 * d * safe_divide(y - d, y - 1.0)
    variance = np.diag((spread * share).sum(axis=1)) - (spread * share) @ share.T
    return (weight * expected).sum(axis=1), score, variance


def score_test(score: Floats, variance: Floats) -> tuple[float, int]:
    """Return the chi-square statistic and its degrees of freedom, of groups' scores that add up to 0."""
    # groups that were never at risk beside each other vary together by rounding alone
    linked = np.abs(variance) > 1e-12 * max(float(np.diag(variance).max(initial=0.0)), 1e-300)
    _, part = scipy.sparse.csgraph.connected_components(linked, directed=False)
    # within each part, of groups that strata compare with each other, scores add up to 0: one tells nothing new
    kept = np.delete(np.arange(len(score)), np.unique(part, return_index=True)[1])
    if not len(kept):
        return float("nan"), 0
    solved = np.linalg.lstsq(variance[np.ix_(kept, kept)], score[kept], rcond=None)[0]
    return float(score[kept] @ solved), len(kept)


def by_stratum(steps: list[Steps], cells: Cells, test: str) -> tuple[list[str], list[tuple[list[int], list[Steps]]]]:
    """Return the groups, and for each stratum the places of its groups among them and their steps."""
    known = {name: (group, stratum) for name, group, stratum in cells}
    where = [known.get(s.group, (s.group, "")) for s in steps]
    groups = list(dict.fromkeys(group for group, _ in where))
    if len(groups) < 2:
        msg = f"{test} needs two groups or more"
        raise AnalysisError(msg)
    found = []
    for stratum in dict.fromkeys(s for _, s in where):
        inside = [i for i, (_, s) in enumerate(where) if s == stratum]
        found.append(([groups.index(where[i][0]) for i in inside], [steps[i] for i in inside]))
    return groups, found


NO_TEST = "No events while two groups were at risk: the test is not defined."


@dataclass(frozen=True)
class LogRank:
    """Parameters of a log-rank test; see `logrank`.

    ``cells`` says, for a stratified test, which group and stratum each group of the counts is:
    (name in the counts, group, stratum).
    """

    key: ClassVar[str] = "logrank"
    rho: float = 0.0
    gamma: float = 0.0
    cells: Cells = ()

    def estimate(self, counts: DayCounts) -> Estimates:
        """Return the test of these counts.

        Parameters
        ----------
        counts : DayCounts

        Returns
        -------
        Estimates
            Columns as `logrank` says.
        """
        groups, strata = by_stratum(steps_by_group(counts), self.cells, "a log-rank test")
        g = len(groups)
        n, observed, expected, score = (np.zeros(g) for _ in range(4))
        variance = np.zeros((g, g))
        for at, steps in strata:
            _, risk, events = on_one_grid(steps)
            e, u, v = weighted_scores(risk, events, self.rho, self.gamma)
            n[at] += [s.size for s in steps]
            observed[at] += events.sum(axis=1)
            expected[at] += e
            score[at] += u
            variance[np.ix_(at, at)] += v
        statistic, df = score_test(score, variance)
        test = {"statistic": statistic, "df": df, "p_value": chi2_tail(statistic, df)}
        columns = {"group": groups, "n": n.astype(np.int64), "n_event": observed.astype(np.int64)}
        return Estimates(
            data=pd.DataFrame(columns | {"expected": expected} | test),
            kind="logrank",
            estimand="equality of the groups' hazards" + (" within strata" if self.cells else ""),
            summary={"n": int(n.sum()), "n_event": int(observed.sum())} | test,
            notes=() if df else (NO_TEST,),
            counts=counts,
            analysis=self,
        )


def in_cells(rows: Rows, data: pd.DataFrame, strata: str | None) -> tuple[Rows, Cells]:
    """Return rows grouped by group and stratum, and which cell is which; as they are without strata."""
    if strata is None:
        return rows, ()
    arms, layers = rows.groups, group_column(data, strata)
    width = len(layers.labels)
    used, codes = np.unique(arms.codes * width + layers.codes, return_inverse=True)
    named = [(arms.labels[c // width], layers.labels[c % width]) for c in used]
    cells = tuple((f"{arm}, {layer}", arm, layer) for arm, layer in named)
    groups = Groups(codes.astype(np.int64), tuple(name for name, _, _ in cells))
    return replace(rows, groups=groups), cells


def logrank(
    data: pd.DataFrame,
    time: str,
    event: str,
    by: str,
    *,
    strata: str | None = None,
    entry: str | None = None,
    rho: float = 0.0,
    gamma: float = 0.0,
) -> Estimates:
    r"""Test whether groups have the same hazard (log-rank, Fleming-Harrington weights).

    Score :math:`U_g = \sum_u w_u (d_{gu} - Y_{gu} d_u / Y_u)` with
    :math:`w_u = \hat S(u-)^\rho (1 - \hat S(u-))^\gamma` from the pooled Kaplan-Meier curve of the
    stratum; hypergeometric variance; scores and variances are added over strata.
    :math:`U' V^{-} U` is chi-square with the rank of V as degrees of freedom: groups less one, where
    strata compare all of them; one less for each further set of groups that no stratum compares with the
    others (R's ``survdiff`` stops at these). [1]_

    lifelines has no stratified test and does not know delayed entry here.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    time, event, by : str
        Columns: days since the origin; bool or 0/1; groups.
    strata : str, optional
        Column of strata; groups are compared within them.
    entry : str, optional
        Column: under observation only after this day.
    rho, gamma : float
        0, 0 is the log-rank test; 1, 0 weighs early differences (Peto-Peto), 0, 1 late ones.

    Returns
    -------
    Estimates
        A row per group: group, n, n_event, expected (events expected under equality, weighted like the
        score), and the one test repeated in each row: statistic, df, p_value. The summary holds it too.

    Raises
    ------
    AnalysisError
        If there are fewer than two groups, or a column is missing or wrong.

    References
    ----------
    .. [1] Fleming, Harrington (1991), Counting Processes and Survival Analysis, chapter 7.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [3, 5, 7, 9], "left": [1, 1, 1, 0], "arm": list("aabb")})
    >>> round(logrank(people, "day", "left", "arm").summary["p_value"], 4)
    0.0896
    """
    rows, cells = in_cells(read_rows(data, time, event, by=by, entry=entry), data, strata)
    return LogRank(float(rho), float(gamma), cells).estimate(tally_days(rows, ("event",)))


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
