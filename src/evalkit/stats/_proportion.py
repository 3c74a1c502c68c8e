"""Proportions, their differences and ratios."""

from __future__ import annotations

__all__ = [
    "Proportion",
    "ProportionDifference",
    "RiskRatio",
    "proportion",
    "proportion_difference",
    "risk_ratio",
]

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.counts import Tally
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.stats._columns import check_reference
from evalkit.stats._limits import (
    clopper_pearson,
    miettinen_nurminen,
    newcombe,
    normal_quantile,
    score_statistic,
    two_sided,
    wilson,
)

NAN = float("nan")
EMPTY = "A proportion of nobody (n = 0) is not given."
RATIO_UNDEFINED = "A ratio with no events in a group, its limits, and the test where everybody had one are not given."
ONE_SAMPLE = {"wilson": wilson, "exact": clopper_pearson}
TWO_SAMPLE = {"newcombe": newcombe, "miettinen-nurminen": miettinen_nurminen}


def check_method(method: str, known: Iterable[str]) -> str:
    """Return the method if it is known."""
    names = list(known)
    if method not in names:
        msg = f"method '{method}' is not one of {', '.join(names)}{did_you_mean(method, names)}"
        raise AnalysisError(msg)
    return method


def _is_whole(value: object) -> bool:
    # 12.0 is a number of people, as a table with gaps gives it; text that reads like one is not
    return isinstance(value, Real) and float(value).is_integer()


def check_x_of_n(x: float, n: float, names: str = "x, n") -> tuple[int, int]:
    """Return x and n as whole numbers with 0 <= x <= n and n >= 1."""
    if not (_is_whole(x) and _is_whole(n) and n >= 1 and 0 <= x <= n):
        msg = f"{names}: whole numbers with 0 <= x <= n and n >= 1 are needed"
        raise AnalysisError(msg)
    return int(x), int(n)


def tally(rows: list[tuple[str, str, int, int]]) -> Tally:
    """Return counts from (group, term, x, n)."""
    return Tally(pd.DataFrame(rows, columns=["group", "term", "n_event", "n"]))


def tally_rows(counts: Tally) -> list[tuple[str, str, float, float]]:
    """Return (group, term, x, n) of every row."""
    frame = counts.data
    numbers = frame[["n_event", "n"]].to_numpy(dtype=np.float64)
    names = zip(frame["group"].astype(str), frame["term"].astype(str), strict=True)
    return [(g, t, float(x), float(n)) for (g, t), (x, n) in zip(names, numbers, strict=True)]


def totals(counts: Tally) -> dict[str, int]:
    """Return n and n_event over the groups; nothing where several terms count the same people."""
    if len(set(counts.data["term"])) > 1:
        return {}
    return {"n": int(counts.data["n"].sum()), "n_event": int(counts.data["n_event"].sum())}


def whole_or_nan(value: float) -> float:
    """Return a whole number as int, so that a column of them is one of integers."""
    return int(value) if float(value).is_integer() else value


@dataclass(frozen=True)
class Proportion:
    """Parameters of a proportion; see `proportion`."""

    key: ClassVar[str] = "proportion"
    of_shares: ClassVar[bool] = True
    view: ClassVar[str] = "proportion"
    method: str = "wilson"
    conf_level: float = 0.95

    def __post_init__(self) -> None:
        check_method(self.method, ONE_SAMPLE)
        normal_quantile(self.conf_level)

    def estimate(self, counts: Tally) -> Estimates:
        """Return the proportion of every row of the counts.

        Parameters
        ----------
        counts : Tally

        Returns
        -------
        Estimates
            The counts' columns, then estimate, std_error, conf_low, conf_high.
        """
        frame = counts.frame
        found = [self._row(float(x), float(n)) for x, n in zip(frame["n_event"], frame["n"], strict=True)]
        frame[["estimate", "std_error", "conf_low", "conf_high"]] = np.array(found).reshape(-1, 4)
        return Estimates(
            data=frame,
            kind="proportion",
            estimand="share of people with the event",
            conf_level=self.conf_level,
            summary=totals(counts),
            notes=(EMPTY,) if (frame["n"] == 0).any() else (),
            counts=counts,
            analysis=self,
        )

    def _row(self, x: float, n: float) -> tuple[float, float, float, float]:
        if not n > 0 or np.isnan(x):
            return NAN, NAN, NAN, NAN
        p = x / n
        return p, float(np.sqrt(p * (1 - p) / n)), *ONE_SAMPLE[self.method](x, n, self.conf_level)


def proportion(x: int, n: int, *, method: str = "wilson", conf_level: float = 0.95) -> Estimates:
    r"""Estimate a proportion x of n.

    *wilson*: limits where the score test does not reject, :math:`(x/n-p)^2 \le z^2 p(1-p)/n` [1]_;
    *exact*: Clopper and Pearson's, from the beta distribution [2]_. The standard error is
    :math:`\sqrt{\hat p (1-\hat p)/n}`.

    Parameters
    ----------
    x, n : int
        People with the event, people; 0 <= x <= n, n >= 1.
    method : {"wilson", "exact"}
    conf_level : float

    Returns
    -------
    Estimates
        One row: group 'all', term 'proportion', n_event, n, estimate (0 to 1), std_error, conf_low,
        conf_high. For many proportions at once, ``Proportion().estimate(tally)``.

    Raises
    ------
    AnalysisError
        If x of n is impossible or the method unknown.

    References
    ----------
    .. [1] Wilson (1927), J. Am. Stat. Assoc. 22:209-212.
    .. [2] Clopper, Pearson (1934), Biometrika 26:404-413.

    Examples
    --------
    >>> proportion(15, 148).tidy()[["estimate", "conf_low", "conf_high"]].round(4)
       estimate  conf_low  conf_high
    0    0.1014    0.0624     0.1605
    """
    return Proportion(method, conf_level).estimate(tally([("all", "proportion", *check_x_of_n(x, n))]))


Pair = tuple[float, float, float, float]
COLUMNS = ["contrast", "term", "n_event", "n", "estimate", "std_error", "statistic", "p_value"]


def _pairs(counts: Tally, reference: str, sign: str, row: Callable[[Pair], tuple[float, ...]]) -> pd.DataFrame:
    """Return a row per group and term against the reference group's same term."""
    found = tally_rows(counts)
    groups = list(dict.fromkeys(group for group, *_ in found))
    check_reference(reference, groups)
    base = {term: (x, n) for group, term, x, n in found if group == reference}
    rows: list[tuple[object, ...]] = []
    for group, term, x, n in found:
        if group != reference and term in base:
            pair = (x, n, *base[term])
            known = n > 0 and pair[3] > 0 and not np.isnan(pair).any()
            total = whole_or_nan(x + pair[2]), whole_or_nan(n + pair[3])
            rows.append((f"{group} {sign} {reference}", term, *total, *(row(pair) if known else (NAN,) * 6)))
    return pd.DataFrame(rows, columns=[*COLUMNS, "conf_low", "conf_high"])


@dataclass(frozen=True)
class ProportionDifference:
    """Parameters of a difference of proportions; see `proportion_difference`."""

    key: ClassVar[str] = "proportion_difference"
    reference: str
    method: str = "newcombe"
    conf_level: float = 0.95

    def __post_init__(self) -> None:
        check_method(self.method, TWO_SAMPLE)
        normal_quantile(self.conf_level)

    def estimate(self, counts: Tally) -> Estimates:
        """Return the differences of each group from the reference, term by term.

        Parameters
        ----------
        counts : Tally

        Returns
        -------
        Estimates
            Columns as `proportion_difference` says.
        """
        return Estimates(
            data=_pairs(counts, self.reference, "-", self._row),
            kind="proportion_difference",
            estimand="difference of the shares of people with the event",
            conf_level=self.conf_level,
            summary=totals(counts),
            notes=(EMPTY,) if (counts.data["n"] == 0).any() else (),
            counts=counts,
            analysis=self,
        )

    def _row(self, pair: Pair) -> tuple[float, ...]:
        x1, n1, x0, n0 = pair
        p1, p0 = x1 / n1, x0 / n0
        error = float(np.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0))
        statistic = score_statistic(x1, n1, x0, n0, 0.0)
        low, high = TWO_SAMPLE[self.method](x1, n1, x0, n0, self.conf_level)
        return p1 - p0, error, statistic, float(two_sided(statistic)), low, high


def proportion_difference(
    x1: int,
    n1: int,
    x0: int,
    n0: int,
    *,
    method: str = "newcombe",
    groups: tuple[str, str] = ("1", "0"),
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the difference of two proportions, x1/n1 - x0/n0.

    *newcombe*: the hybrid score limits (his method 10),
    :math:`d - \sqrt{(p_1 - l_1)^2 + (u_0 - p_0)^2}` and :math:`d + \sqrt{(u_1 - p_1)^2 + (p_0 - l_0)^2}` with (l, u)
    Wilson's of each [1]_; *miettinen-nurminen*: the differences that their score test, with its factor N/(N-1), does
    not reject [2]_. The test of no difference is the
    score test in both cases; the standard error is the unpooled one.

    Parameters
    ----------
    x1, n1, x0, n0 : int
        People with the event and people, in the group and in the reference.
    method : {"newcombe", "miettinen-nurminen"}
    groups : (str, str)
        Names of the group and the reference.
    conf_level : float

    Returns
    -------
    Estimates
        One row: contrast, term, n_event, n (both groups together), estimate, std_error, statistic,
        p_value, conf_low, conf_high.

    Raises
    ------
    AnalysisError
        If an x of n is impossible or the method unknown.

    References
    ----------
    .. [1] Newcombe (1998), Stat. Med. 17:873-890.
    .. [2] Miettinen, Nurminen (1985), Stat. Med. 4:213-226.

    Examples
    --------
    >>> proportion_difference(56, 70, 48, 80).tidy()[["estimate", "conf_low", "conf_high"]].round(4)
       estimate  conf_low  conf_high
    0       0.2    0.0524     0.3339
    """
    counts = _two(x1, n1, x0, n0, groups, "proportion")
    return ProportionDifference(groups[1], method, conf_level).estimate(counts)


def _two(x1: int, n1: int, x0: int, n0: int, groups: tuple[str, str], term: str) -> Tally:
    one, base = check_x_of_n(x1, n1, "x1, n1"), check_x_of_n(x0, n0, "x0, n0")
    if groups[0] == groups[1]:
        msg = "groups must have two different names"
        raise AnalysisError(msg)
    return tally([(groups[0], term, *one), (groups[1], term, *base)])


@dataclass(frozen=True)
class RiskRatio:
    """Parameters of a ratio of proportions; see `risk_ratio`."""

    key: ClassVar[str] = "risk_ratio"
    reference: str
    conf_level: float = 0.95

    def estimate(self, counts: Tally) -> Estimates:
        """Return the ratios of each group to the reference, term by term.

        Parameters
        ----------
        counts : Tally

        Returns
        -------
        Estimates
            Columns as `risk_ratio` says.
        """
        data = _pairs(counts, self.reference, "/", self._row)
        undefined = data["statistic"].isna().any()
        return Estimates(
            data=data,
            kind="risk_ratio",
            estimand="ratio of the shares of people with the event",
            conf_level=self.conf_level,
            summary=totals(counts),
            notes=(RATIO_UNDEFINED,) if undefined else (),
            counts=counts,
            analysis=self,
        )

    def _row(self, pair: Pair) -> tuple[float, ...]:
        x1, n1, x0, n0 = pair
        if x0 == 0:
            return (NAN,) * 6
        # a ratio of 0 has no logarithm, and so neither error nor limits
        if x1 == 0:
            return 0.0, *((NAN,) * 5)
        ratio = (x1 / n1) / (x0 / n0)
        error = float(np.sqrt(1 / x1 - 1 / n1 + 1 / x0 - 1 / n0))
        statistic = float(np.log(ratio)) / error if error > 0 else NAN
        width = float(np.exp(normal_quantile(self.conf_level) * error))
        return ratio, ratio * error, statistic, float(two_sided(statistic)), ratio / width, ratio * width


def risk_ratio(
    x1: int,
    n1: int,
    x0: int,
    n0: int,
    *,
    groups: tuple[str, str] = ("1", "0"),
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the ratio of two proportions, (x1/n1) / (x0/n0).

    Limits on the log scale with :math:`s^2 = 1/x_1 - 1/n_1 + 1/x_0 - 1/n_0` [1]_; ``statistic`` is the
    log's, ``std_error`` the ratio's by the delta method.

    Parameters
    ----------
    x1, n1, x0, n0 : int
        People with the event and people, in the group and in the reference.
    groups : (str, str)
        Names of the group and the reference.
    conf_level : float

    Returns
    -------
    Estimates
        One row: contrast, term, n_event, n, estimate, std_error, statistic, p_value, conf_low, conf_high.
        Not given (nan, with a note) where a group has no events.

    Raises
    ------
    AnalysisError
        If an x of n is impossible.

    References
    ----------
    .. [1] Katz et al. (1978), Biometrics 34:469-474.

    Examples
    --------
    >>> risk_ratio(56, 70, 48, 80).tidy()["estimate"].round(4).item()
    1.3333
    """
    counts = _two(x1, n1, x0, n0, groups, "ratio")
    return RiskRatio(groups[1], conf_level).estimate(counts)
