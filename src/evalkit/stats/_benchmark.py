"""A proportion beside a published aggregate."""

from __future__ import annotations

__all__ = ["Benchmark", "NonInferiority", "benchmark", "noninferiority"]

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import scipy

from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._limits import binomial_p_value, clopper_pearson, normal_quantile, score_statistic, two_sided, wilson
from evalkit.stats._proportion import (
    EMPTY,
    NAN,
    TWO_SAMPLE,
    check_method,
    check_x_of_n,
    tally,
    tally_rows,
    totals,
    whole_or_nan,
)

FIXED = "The published value is taken as a fixed number: its own uncertainty is not in these limits."
ROUNDED = "The published count was reconstructed as the share times its denominator, rounded."


def _baseline(baseline: float, baseline_n: int | None) -> tuple[float, int | None]:
    if not 0 <= baseline <= 1:
        msg = f"baseline must be a share between 0 and 1, it is {baseline:g}"
        raise AnalysisError(msg)
    if baseline_n is not None and not (float(baseline_n).is_integer() and baseline_n >= 1):
        msg = "baseline_n must be a whole number, at least 1"
        raise AnalysisError(msg)
    return float(baseline), None if baseline_n is None else int(baseline_n)


@dataclass(frozen=True)
class Benchmark:
    """Parameters of a comparison with a published proportion; see `benchmark`."""

    key: ClassVar[str] = "benchmark"
    of_shares: ClassVar[bool] = True
    baseline: float
    baseline_n: int | None = None
    method: str = "newcombe"
    conf_level: float = 0.95
    source: str = ""

    def __post_init__(self) -> None:
        check_method(self.method, TWO_SAMPLE)
        normal_quantile(self.conf_level)
        _baseline(self.baseline, self.baseline_n)

    @property
    def x0(self) -> int:
        """The published number of events."""
        return round(self.baseline * (self.baseline_n or 0))

    def estimate(self, counts: Tally) -> Estimates:
        """Return each row's proportion and its difference from the published one.

        Parameters
        ----------
        counts : Tally

        Returns
        -------
        Estimates
            Columns as `benchmark` says.
        """
        rows = []
        for group, term, x, n in tally_rows(counts):
            found = self._rows(x, n) if n > 0 and not np.isnan(x) else ((NAN,) * 6, (NAN,) * 6)
            for measure, numbers in zip(("proportion", "difference"), found, strict=True):
                rows.append((group, term, measure, whole_or_nan(x), whole_or_nan(n), *numbers))
        names = ["group", "term", "measure", "n_event", "n"]
        values = ["estimate", "std_error", "conf_low", "conf_high", "statistic", "p_value"]
        frame = pd.DataFrame(rows, columns=[*names, *values])
        frame.insert(5, "baseline", self.baseline)
        frame.insert(6, "baseline_n", float("nan") if self.baseline_n is None else self.baseline_n)
        frame["source"] = self.source
        notes = [FIXED if self.baseline_n is None else ROUNDED]
        if (counts.data["n"] == 0).any():
            notes.append(EMPTY)
        return Estimates(
            data=frame,
            kind="benchmark",
            estimand="share of people with the event, less the published share",
            conf_level=self.conf_level,
            summary=totals(counts),
            notes=tuple(notes),
            counts=counts,
            analysis=self,
        )

    def _rows(self, x: float, n: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        p = x / n
        error = float(np.sqrt(p * (1 - p) / n))
        # a number without denominator has no variance: one sample, held against it exactly
        if self.baseline_n is None:
            low, high = clopper_pearson(x, n, self.conf_level)
            whole = x.is_integer() and n.is_integer()
            p_value = binomial_p_value(int(x), int(n), self.baseline) if whole else NAN
            own = (p, error, low, high, NAN, NAN)
            b = self.baseline
            return own, (p - b, error, low - b, high - b, NAN, p_value)
        own = (p, error, *wilson(x, n, self.conf_level), NAN, NAN)
        x0, n0 = float(self.x0), float(self.baseline_n)
        p0 = x0 / n0
        low, high = TWO_SAMPLE[self.method](x, n, x0, n0, self.conf_level)
        statistic = score_statistic(x, n, x0, n0, 0.0)
        both = float(np.sqrt(error**2 + p0 * (1 - p0) / n0))
        return own, (p - p0, both, low, high, statistic, float(two_sided(statistic)))


def benchmark(
    x: int,
    n: int,
    baseline: float,
    *,
    baseline_n: int | None = None,
    method: str = "newcombe",
    source: str = "",
    conf_level: float = 0.95,
) -> Estimates:
    r"""Set a proportion x of n beside a published one.

    With ``baseline_n`` two samples are compared: the published count is the share times its denominator,
    limits and test as in `proportion_difference`. Without it the published share is a fixed number:
    Clopper and Pearson's limits less the share, and the exact binomial test (two-sided by minimum
    likelihood, as R's ``binom.test``). [1]_

    Parameters
    ----------
    x, n : int
        People with the event, people.
    baseline : float
        Published share, 0 to 1.
    baseline_n : int, optional
        Published denominator.
    method : {"newcombe", "miettinen-nurminen"}
        Limits of the two-sample difference.
    source : str
        Citation, carried along.
    conf_level : float

    Returns
    -------
    Estimates
        Two rows, measure 'proportion' and 'difference': group, term, measure, n_event, n, baseline,
        baseline_n, estimate, std_error, conf_low, conf_high, statistic, p_value, source. The share by itself
        is not tested, and the exact test has no statistic: these are nan. A note says which kind of
        comparison it is.

    Raises
    ------
    AnalysisError
        If x of n is impossible or the baseline is not a share.

    References
    ----------
    .. [1] Fleiss, Levin, Paik (2003), Statistical Methods for Rates and Proportions, chapters 2-3.

    Examples
    --------
    >>> found = benchmark(60, 100, 0.734, baseline_n=899).tidy()
    >>> found[["measure", "estimate", "conf_low", "conf_high"]].round(3)
          measure  estimate  conf_low  conf_high
    0  proportion     0.600     0.502      0.691
    1  difference    -0.134    -0.236     -0.039
    """
    counts = tally([("all", "proportion", *check_x_of_n(x, n))])
    return Benchmark(baseline, baseline_n, method, conf_level, source).estimate(counts)


@dataclass(frozen=True)
class NonInferiority:
    """Parameters of a non-inferiority test against a published proportion; see `noninferiority`."""

    key: ClassVar[str] = "noninferiority"
    baseline: float
    margin: float
    baseline_n: int | None = None
    higher_is_better: bool = True
    conf_level: float = 0.95

    def __post_init__(self) -> None:
        normal_quantile(self.conf_level)
        _baseline(self.baseline, self.baseline_n)
        if not 0 < self.margin < 1:
            msg = f"margin must lie between 0 and 1, it is {self.margin:g}"
            raise AnalysisError(msg)
        edge = self.baseline - self.margin if self.higher_is_better else self.baseline + self.margin
        if self.baseline_n is None and not 0 < edge < 1:
            msg = (
                f"margin = {self.margin:g} reaches to a share of {edge:g}: no share could fail; choose a smaller margin"
            )
            raise AnalysisError(msg)

    def estimate(self, counts: Tally) -> Estimates:
        """Return the test of every row of the counts.

        Parameters
        ----------
        counts : Tally

        Returns
        -------
        Estimates
            Columns as `noninferiority` says.
        """
        # limits that invert the statistic of the test, so that the two cannot disagree
        tests = Benchmark(self.baseline, self.baseline_n, "miettinen-nurminen", self.conf_level)
        found = tests.estimate(counts)
        frame = found.data[found.data["measure"] == "difference"].drop(columns=["source", "statistic"])
        rows = tally_rows(counts)
        parts = [self._p_value(x, n) if n > 0 and not np.isnan(x) else NAN for _, _, x, n in rows]
        frame = frame.assign(measure="noninferiority", p_value=parts)
        # half the level, as the test has one side: passed is where the two-sided limits stay within the margin
        passed = frame["p_value"] < (1 - self.conf_level) / 2
        frame["verdict"] = np.where(frame["p_value"].isna(), "unknown", np.where(passed, "pass", "fail"))
        worse = "below" if self.higher_is_better else "above"
        return Estimates(
            data=frame,
            kind="noninferiority",
            estimand=f"the share lies less than {self.margin:g} {worse} the published share",
            conf_level=self.conf_level,
            summary=found.summary,
            notes=found.notes,
            counts=counts,
            analysis=self,
        )

    def _p_value(self, x: float, n: float) -> float:
        shift = -self.margin if self.higher_is_better else self.margin
        if self.baseline_n is not None:
            x0 = float(round(self.baseline * self.baseline_n))
            z = score_statistic(x, n, x0, float(self.baseline_n), shift)
            return float(scipy.special.ndtr(-z if self.higher_is_better else z))
        # exact binomial tails as beta integrals; at the end, where these are not defined, the tail is everything
        edge = self.baseline + shift
        if self.higher_is_better:
            return 1.0 if x == 0 else float(scipy.special.betainc(x, n - x + 1, edge))
        return 1.0 if x == n else float(scipy.special.betaincc(x + 1, n - x, edge))


def noninferiority(
    x: int,
    n: int,
    baseline: float,
    *,
    margin: float,
    baseline_n: int | None = None,
    higher_is_better: bool = True,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Test whether a proportion is worse than a published one by less than a margin.

    One-sided at :math:`(1 - conf\_level)/2`. With ``baseline_n`` the score test of
    :math:`p - p_0 = -margin` (Farrington and Manning's, with Miettinen and Nurminen's factor) [1]_;
    without it the exact binomial test of :math:`p = baseline - margin`.

    Parameters
    ----------
    x, n : int
        People with the event, people.
    baseline : float
        Published share, 0 to 1.
    margin : float
        Largest difference that would not matter, 0 to 1.
    baseline_n : int, optional
        Published denominator.
    higher_is_better : bool
        False for harms: then the share must lie less than the margin above.
    conf_level : float

    Returns
    -------
    Estimates
        One row: group, term, measure, n_event, n, baseline, baseline_n, estimate (difference),
        std_error, conf_low, conf_high, p_value (one-sided), verdict ('pass' where shown).

    Raises
    ------
    AnalysisError
        If x of n is impossible, the baseline is not a share, the margin not between 0 and 1, or a fixed
        baseline less the margin not a share above 0 (below 1 for harms).

    References
    ----------
    .. [1] Farrington, Manning (1990), Stat. Med. 9:1447-1454.

    Examples
    --------
    >>> noninferiority(150, 200, 0.734, margin=0.1, baseline_n=899).tidy()["verdict"].item()
    'pass'
    """
    counts = tally([("all", "proportion", *check_x_of_n(x, n))])
    return NonInferiority(baseline, margin, baseline_n, higher_is_better, conf_level).estimate(counts)
