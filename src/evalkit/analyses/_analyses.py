"""The grammar of shares and means: frames of people to counts by group, and what is asked of counts.

Analyses are frozen parameters: counts in, `Estimates` out. Each says what it is about in fields of its own, so that
asking it again, of counts made safe, gives a result that describes itself the same way. The mean of a column that has
two values is a share in other units, and so counted as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from evalkit.cohort import Cohort
from evalkit.counts import Codes, Moments, Tally, who
from evalkit.estimates import Estimates
from evalkit.wilson import normal_quantile, wilson

__all__ = [
    "MeanOf",
    "MeanOfTwo",
    "RatioOf",
    "ShareOf",
    "count_true",
    "groups_of",
    "moments",
    "moments_of",
    "ratio_error",
    "sums_of",
    "tally",
    "wilson",
]


def groups_of(cohort: Cohort, *, by_arm: bool = True) -> tuple[str, ...]:
    """Return the groups of a table: the two arms, or 'all'."""
    return cohort.groups if by_arm else ("all",)


def _own(people: pd.DataFrame, group: str) -> pd.DataFrame:
    return people if group == "all" else people[people["group"] == group]


def count_true(
    people: pd.DataFrame, groups: Sequence[str], term: str, label: str, met: str, eligible: str
) -> list[dict[str, object]]:
    """Return one row of a `Tally` per group, with who they are: n those `eligible`, n_event who of them `met`."""
    rows: list[dict[str, object]] = []
    for group in groups:
        own = _own(people, group)
        able = own[eligible].to_numpy(dtype=bool)
        done = able & own[met].to_numpy(dtype=bool)
        row = {"group": group, "term": term, "label": label, "n_event": int(done.sum()), "n": int(able.sum())}
        rows.append({**row, _WHO: who(own, n=able, n_event=done)})
    return rows


# Who stands behind a row travels in it until `tally`, so that leaving rows out cannot part the two.
_WHO = "people"


def _split(rows: list[dict[str, object]]) -> tuple[list[dict[str, object]], tuple[dict[str, Codes], ...]]:
    people: list[dict[str, Codes]] = [row.get(_WHO, {}) for row in rows]  # type: ignore[misc]
    return [{k: v for k, v in row.items() if k != _WHO} for row in rows], tuple(people)


def moments_of(
    people: pd.DataFrame, groups: Sequence[str], term: str, label: str, column: str
) -> list[dict[str, object]]:
    """Return one row of `Moments` per group, with who they are, of a quantity that is a number for everybody."""
    rows: list[dict[str, object]] = []
    for group in groups:
        own = _own(people, group)
        values = own[column].astype("float64")
        rows.append(
            {
                "group": group,
                "term": term,
                "label": label,
                "n": len(values),
                "total": float(values.sum()),
                "total_sq": float((values**2).sum()),
                # Both only for disclosure control: a sum that one person, or few, make up most of is not shown.
                "largest": float(values.abs().max()) if len(values) else 0.0,
                "n_nonzero": int((values != 0).sum()),
                _WHO: who(own, n=np.ones(len(own), dtype=bool)),
            }
        )
    return rows


def tally(rows: list[dict[str, object]]) -> Tally:
    """Return rows of `count_true` as a `Tally`, typed even where there are none."""
    columns = ["group", "term", "label", "n_event", "n"]
    plain, people = _split(rows)
    # Whole numbers also of no rows: without a type an empty column is taken for text.
    frame = pd.DataFrame(plain, columns=None if plain else columns).astype(dict.fromkeys(columns[3:], "int64"))
    return Tally(frame, people=people)


def moments(rows: list[dict[str, object]]) -> Moments:
    """Return rows of `moments_of` as `Moments`, typed even where there are none."""
    columns = ["group", "term", "label", "n", "total", "total_sq", "largest", "n_nonzero"]
    kinds = {"n": "int64", **dict.fromkeys(columns[4:7], "float64"), "n_nonzero": "int64"}
    plain, people = _split(rows)
    return Moments(pd.DataFrame(plain, columns=None if plain else columns).astype(kinds), people=people)


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
class MeanOfTwo(MeanOf):
    """Means over people of whom each has one of two values, with Student's interval.

    As sums, such counts would say how few have one of the values: nothing but the people of either kind stands behind
    a mean of theirs. So they are counted, and held to the rule for small counts, as for a share.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.counts import Tally
    >>> counts = Tally(pd.DataFrame({"group": ["pilot"], "term": ["grade"], "n_event": [30], "n": [40]}))
    >>> found = MeanOfTwo("means", "mean grade", low=3, high=8).estimate(counts)
    >>> found.tidy()[["group", "n", "estimate", "std_dev", "conf_low"]].round(2)
       group   n  estimate  std_dev  conf_low
    0  pilot  40      6.75     2.19      6.05
    """

    key: ClassVar[str] = "mean_of_two"
    low: float = 0.0
    high: float = 1.0
    view: str = field(default="amounts", repr=False)

    def estimate(self, counts: Tally) -> Estimates:  # type: ignore[override]
        """Return means by group and term as `MeanOf` does; n_event: how many have the higher value."""
        data, step = counts.frame, self.high - self.low
        n = data["n"].to_numpy(dtype=np.float64)
        p = data["n_event"].to_numpy(dtype=np.float64) / np.where(n > 0, n, np.nan)
        spread = step**2 * p * (1 - p) * n / np.where(n > 1, n - 1, np.nan)
        return self._told(counts, self.low + step * p, spread)
