"""The analyses: frozen parameters, counts in, `Estimates` out.

Each says what it is about in fields of its own, so that asking it again, of counts made safe, gives a result
that describes itself the same way.
"""

from __future__ import annotations

__all__ = ["Caseload", "LateEntry", "MeanOf", "RatioOf", "ShareOf", "ratio_error", "sums_of", "wilson"]

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from evalkit.counts import DayCounts, Moments, Tally
from evalkit.estimates import Estimates
from evalkit.wilson import normal_quantile, wilson

Floats = npt.NDArray[np.float64]
_ABOUT = ("group", "variable", "term", "label", "time_from", "time", "period")


def _about(frame: pd.DataFrame) -> list[str]:
    return [name for name in _ABOUT if name in frame.columns]


@dataclass(frozen=True)
class ShareOf:
    """Shares, each with Wilson's interval.

    Attributes
    ----------
    kind, estimand, population : str
        As `Estimates` has them.
    whole : str
        Term whose n is everybody in the group: each row is also given as a share of that; empty: it is not.
    conf_level : float
    notes : tuple of str
    view : str
        The family that shows it (`evalkit.views`).

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.counts import Tally
    >>> rows = pd.DataFrame({"group": ["pilot"], "term": ["engaged"], "n_event": [30], "n": [40]})
    >>> found = ShareOf("engaged", "share engaged", "all referred").estimate(Tally(rows))
    >>> found.tidy()[["group", "estimate", "conf_low"]].round(3)
       group  estimate  conf_low
    0  pilot      0.75     0.598
    """

    key: ClassVar[str] = "share"
    of_shares: ClassVar[bool] = True
    kind: str
    estimand: str
    population: str = ""
    whole: str = ""
    conf_level: float = 0.95
    notes: tuple[str, ...] = ()
    view: str = field(default="shares", repr=False)

    def estimate(self, counts: Tally) -> Estimates:
        """Return n_event / n by group and term.

        Parameters
        ----------
        counts : Tally

        Returns
        -------
        Estimates
            Columns group, term and what goes along (variable, label), n, n_event, estimate, conf_low,
            conf_high, and share where there is a whole. NaN where n is 0.

        Raises
        ------
        AnalysisError
            If the level of confidence is not between 0 and 1.
        """
        data = counts.frame
        n = data["n"].astype("float64")
        data["estimate"] = data["n_event"] / n.where(n > 0)
        data["conf_low"], data["conf_high"] = wilson(data["n_event"], n, self.conf_level)
        columns = [*_about(data), "n", "n_event", "estimate", "conf_low", "conf_high"]
        if self.whole:
            rows = data["term"] == self.whole
            # Being referred is where everybody starts: a share of 1 by definition, not by estimation.
            data.loc[rows, ["conf_low", "conf_high"]] = data.loc[rows, ["estimate", "estimate"]].to_numpy()
            everybody = data[rows].set_index("group")["n"]
            data["share"] = data["n_event"] / data["group"].map(everybody).astype("float64")
            columns.append("share")
        return Estimates(
            data[columns],
            kind=self.kind,
            estimand=self.estimand,
            population=self.population,
            conf_level=self.conf_level,
            notes=self.notes,
            counts=counts,
            analysis=self,
        )


@dataclass(frozen=True)
class MeanOf:
    """Means over people, each with Student's interval.

    Attributes
    ----------
    kind, estimand, population : str
        As `Estimates` has them.
    conf_level : float
    notes : tuple of str
    view : str
        The family that shows it (`evalkit.views`).
    of_shares : bool
        Whether what is averaged are shares: then no limit lies below 0 or above 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.counts import Moments
    >>> rows = pd.DataFrame({"group": ["pilot"], "term": ["sessions"], "n": [40]})
    >>> counts = Moments(rows.assign(total=480.0, total_sq=7760.0, largest=24.0))
    >>> found = MeanOf("dose", "mean sessions attended", "all referred").estimate(counts)
    >>> found.tidy()[["group", "estimate", "conf_low", "conf_high"]].round(3)
       group  estimate  conf_low  conf_high
    0  pilot      12.0      9.71      14.29
    """

    key: ClassVar[str] = "mean"
    kind: str
    estimand: str
    population: str = ""
    conf_level: float = 0.95
    notes: tuple[str, ...] = ()
    view: str = field(default="shares", repr=False)
    of_shares: bool = field(default=False, repr=False)

    def estimate(self, counts: Moments) -> Estimates:
        """Return means by group and term.

        Parameters
        ----------
        counts : Moments

        Returns
        -------
        Estimates
            Columns group, term and what goes along, n, estimate (the mean), std_dev, std_error, conf_low,
            conf_high. NaN where there are too few people for the number.

        Raises
        ------
        AnalysisError
            If the level of confidence is not between 0 and 1.
        """
        data = counts.frame
        n = data["n"].to_numpy(dtype=np.float64)
        some, df = np.where(n > 0, n, np.nan), np.where(n > 1, n - 1, np.nan)
        mean = data["total"].to_numpy(dtype=np.float64) / some
        # Published sums have a noise each, so that what is left of a small variance can come out below 0.
        spread = np.maximum(data["total_sq"].to_numpy(dtype=np.float64) - n * mean**2, 0) / df
        return self._told(counts, mean, spread)

    def _told(self, counts: Moments | Tally, mean: Floats, spread: Floats) -> Estimates:
        """Return what the means and variances of each row say."""
        normal_quantile(self.conf_level)
        data = counts.frame
        n = data["n"].to_numpy(dtype=np.float64)
        error = np.sqrt(spread / np.where(n > 0, n, np.nan))
        # From scipy.special: scipy.stats is slow to import, and is kept out of what every notebook loads.
        half = scipy.special.stdtrit(np.where(n > 1, n - 1, np.nan), 0.5 + self.conf_level / 2) * error
        low, high = (np.clip(end, 0, 1) if self.of_shares else end for end in (mean - half, mean + half))
        data = data.assign(estimate=mean, std_dev=np.sqrt(spread), std_error=error, conf_low=low, conf_high=high)
        columns = [*_about(data), "n", "estimate", "std_dev", "std_error", "conf_low", "conf_high"]
        return Estimates(
            data[columns],
            kind=self.kind,
            estimand=self.estimand,
            population=self.population,
            conf_level=self.conf_level,
            notes=self.notes,
            counts=counts,
            analysis=self,
        )


@dataclass(frozen=True)
class RatioOf:
    """Ratios of two totals over people: what is counted is clustered in people, and the interval knows it.

    The counts hold three rows a group: terms ``numerator``, ``denominator`` and ``both`` (their sum a person),
    whose sums of squares give the covariance. The interval is the linearised one, on the logit scale.

    Attributes
    ----------
    kind, estimand, population : str
        As `Estimates` has them.
    term, label : str
        How the ratio is called.
    conf_level : float
    notes : tuple of str
    view : str
        The family that shows it (`evalkit.views`).

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed., section 6.4 (variance of a ratio). Wiley.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from evalkit.counts import Moments
    >>> attended, offered = np.array([8, 12, 3, 10]), np.array([10, 12, 9, 14])
    >>> parts = {"numerator": attended, "denominator": offered, "both": attended + offered}
    >>> rows = [("pilot", term, 4, float(v.sum()), float((v**2).sum()), float(v.max())) for term, v in parts.items()]
    >>> columns = ["group", "term", "n", "total", "total_sq", "largest"]
    >>> counts = Moments(pd.DataFrame(rows, columns=columns))
    >>> found = RatioOf("attendance", "sessions attended of those offered").estimate(counts)
    >>> found.tidy()[["group", "n", "estimate", "conf_low", "conf_high"]].round(3)
       group    n  estimate  conf_low  conf_high
    0  pilot  4.0     0.733      0.44      0.906
    """

    key: ClassVar[str] = "ratio"
    of_shares: ClassVar[bool] = True
    kind: str
    estimand: str
    population: str = ""
    term: str = "ratio"
    label: str = ""
    conf_level: float = 0.95
    notes: tuple[str, ...] = ()
    view: str = field(default="shares", repr=False)

    def estimate(self, counts: Moments) -> Estimates:
        """Return the ratio by group.

        Parameters
        ----------
        counts : Moments

        Returns
        -------
        Estimates
            Columns group, term, label, n (people), estimate, std_error, conf_low, conf_high. A group that
            lacks one of its three rows is left out; limits are NaN at 0 and 1 and for one person.

        Raises
        ------
        AnalysisError
            If the level of confidence is not between 0 and 1.
        """
        z, rows = normal_quantile(self.conf_level), []
        for group, own in counts.frame.groupby("group", sort=False):
            part = own.set_index("term")
            if {"numerator", "denominator", "both"} <= set(part.index):
                rows.append((str(group), *self._row(part, z)))
        columns = ["group", "n", "estimate", "std_error", "conf_low", "conf_high"]
        data = pd.DataFrame(rows, columns=columns)
        numbers = dict.fromkeys(columns[1:], "float64")
        data = data.astype(numbers)
        data.insert(1, "term", self.term)
        data.insert(2, "label", self.label or self.term)
        return Estimates(
            data,
            kind=self.kind,
            estimand=self.estimand,
            population=self.population,
            conf_level=self.conf_level,
            notes=self.notes,
            counts=counts,
            analysis=self,
        )

    def _row(self, part: pd.DataFrame, z: float) -> tuple[float, float, float, float, float]:
        n, x, d = sums_of(part)
        if d <= 0:
            return n, np.nan, np.nan, np.nan, np.nan
        ratio = x / d
        # At 0 and 1 the linearised variance is 0, which would say that the ratio is known without error.
        if n < 2 or not 0 < ratio < 1:
            return n, ratio, np.nan, np.nan, np.nan
        error = ratio_error(part, ratio)
        # On the logit scale limits stay inside 0 and 1; on the ratio's own they leave it near the ends.
        centre, half = scipy.special.logit(ratio), z * error / (ratio * (1 - ratio))
        return n, ratio, error, float(scipy.special.expit(centre - half)), float(scipy.special.expit(centre + half))


def sums_of(part: pd.DataFrame) -> tuple[float, float, float]:
    """Return people, the sum of the numerator and that of the denominator of a ratio's rows by term."""
    (_, x, _), (n, d, _), _ = _terms(part)
    return n, x, d


def ratio_error(part: pd.DataFrame, ratio: float) -> float:
    """Return the linearised standard error of a ratio of totals over people (Cochran 1977, section 6.4)."""
    (_, x, xx), (n, d, dd), (_, b, bb) = _terms(part)
    # about the means: published sums are each a little off, and the squares of all three would not be of one sample
    cross = ((bb - b * b / n) - (xx - x * x / n) - (dd - d * d / n)) / 2 + x * d / n
    residual = max(xx - 2 * ratio * cross + ratio**2 * dd, 0.0)
    return float(np.sqrt(n / (n - 1) * residual)) / d


def _terms(part: pd.DataFrame) -> list[list[float]]:
    rows = part.loc[["numerator", "denominator", "both"], ["n", "total", "total_sq"]]
    found: list[list[float]] = rows.to_numpy(dtype=np.float64).tolist()
    return found


@dataclass(frozen=True)
class Caseload:
    """Numbers of people by month; nothing is estimated.

    Attributes
    ----------
    population : str
    notes : tuple of str

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.counts import Tally
    >>> rows = pd.DataFrame({"group": ["pilot"], "term": ["2022-03 active"], "label": ["Active"]})
    >>> Caseload().estimate(Tally(rows.assign(period="2022-03", n=31, n_event=31))).tidy()
       group            term   label   period   n
    0  pilot  2022-03 active  Active  2022-03  31
    """

    key: ClassVar[str] = "caseload"
    population: str = ""
    notes: tuple[str, ...] = ()

    def estimate(self, counts: Tally) -> Estimates:
        """Return the numbers.

        Parameters
        ----------
        counts : Tally
            One row per group and term (``2022-03 active``), with period and label; n_event equals n.

        Returns
        -------
        Estimates
            Columns group, term, label, period, n.
        """
        data = counts.frame
        return Estimates(
            data[[*_about(data), "n"]],
            kind="caseload",
            estimand="people, by month",
            population=self.population,
            notes=self.notes,
            counts=counts,
            analysis=self,
        )


@dataclass(frozen=True)
class LateEntry:
    """Quartiles of the days from an event to its entry, by table.

    Attributes
    ----------
    population : str
    notes : tuple of str
    recorded : bool
        Whether any table says when its rows were entered.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.counts import DayCounts
    >>> rows = pd.DataFrame({"time": [float("-inf"), 1, 3, 20], "n_entry": [40, 0, 0, 0], "n_event_1": [0, 10, 20, 10]})
    >>> counts = DayCounts(rows.assign(group="sessions", n_censor=0), causes=("entered",))
    >>> LateEntry().estimate(counts).tidy()
          group     n  median  lower_quartile  upper_quartile
    0  sessions  40.0     3.0             1.0             3.0
    """

    key: ClassVar[str] = "late_entry"
    view: ClassVar[str] = "late_entry"
    population: str = ""
    notes: tuple[str, ...] = ()
    recorded: bool = True

    def estimate(self, counts: DayCounts) -> Estimates:
        """Return quartiles.

        Parameters
        ----------
        counts : DayCounts
            Group: the table; time: days from event to entry; an event per row entered.

        Returns
        -------
        Estimates
            Columns group, n (rows), median, lower_quartile, upper_quartile: the first day by which that
            share of the rows was entered.
        """
        rows = []
        for group, own in counts.frame.groupby("group", sort=False):
            entered = own[own["n_event_1"] > 0].sort_values("time")
            so_far = entered["n_event_1"].cumsum().to_numpy(dtype=np.float64)
            if so_far.size:
                # No interpolation between days: a quartile is a day on which rows were entered.
                places = np.searchsorted(so_far, np.array([0.5, 0.25, 0.75]) * so_far[-1])
                everybody = float(own["n_entry"].sum())  # published counts end where few are left
                rows.append((str(group), everybody, *entered["time"].to_numpy(dtype=np.float64)[places]))
        columns = ["group", "n", "median", "lower_quartile", "upper_quartile"]
        data = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], "float64"))
        return Estimates(
            data,
            kind="late_entry",
            estimand="days from an event to its entry",
            population=self.population,
            notes=self.notes,
            counts=counts,
            analysis=self,
        )
