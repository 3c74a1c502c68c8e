"""Who the people of each arm are: baseline characteristics, and how far the arms differ in them."""

from __future__ import annotations

__all__ = ["BaselineMeans", "BaselineShares", "baseline", "incomplete"]

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.analyses._analyses import MeanOf, ShareOf, count_true, moments, moments_of, tally
from evalkit.analyses._reach import _levels, _order
from evalkit.cohort import Cohort
from evalkit.counts import Moments, Tally
from evalkit.estimates import Estimates
from evalkit.glossary import NOT_RECORDED
from evalkit.levels import in_words

_KEYS = ["variable", "term"]


def _standardised(rows: pd.DataFrame, groups: tuple[str, str], variance: pd.Series[float]) -> pd.Series[float]:
    r"""Return :math:`(m_1 - m_0)/\sqrt{(s_1^2 + s_0^2)/2}` of each row's term, nan where a group is missing."""
    if "variable" not in rows:  # nobody, or no such characteristic
        return pd.Series(np.nan, index=rows.index, dtype="float64")
    found = rows.assign(spread=variance)[[*_KEYS, "group", "estimate", "spread"]]
    one, two = (found[found["group"] == group].drop(columns="group") for group in groups)
    # By level, not by place: disclosure control may have left rows of one arm out.
    both = one.merge(two, on=_KEYS, how="inner", suffixes=("", "_other"))
    scale = np.sqrt((both["spread"] + both["spread_other"]) / 2)
    both["smd"] = ((both["estimate"] - both["estimate_other"]) / scale.where(scale > 0)).astype("float64")
    merged: pd.Series[float] = rows[_KEYS].merge(both[[*_KEYS, "smd"]], on=_KEYS, how="left")["smd"]
    return merged


@dataclass(frozen=True)
class BaselineShares:
    """Shares of people at each level of a characteristic, and their standardised differences.

    Attributes
    ----------
    groups : (str, str)
        The focus, the comparison.
    population : str

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.analyses import BaselineShares
    >>> from evalkit.counts import Tally
    >>> about = {"variable": "Gender", "term": "woman", "label": "Woman"}
    >>> rows = pd.DataFrame({"group": ["pilot", "PAIP"], **about})
    >>> counts = Tally(rows.assign(n_event=[40, 25], n=100))
    >>> BaselineShares(("pilot", "PAIP")).estimate(counts).tidy()[["group", "estimate", "smd"]].round(3)
       group  estimate    smd
    0  pilot      0.40  0.324
    1   PAIP      0.25  0.324
    """

    key: ClassVar[str] = "baseline"
    of_shares: ClassVar[bool] = True
    groups: tuple[str, str]
    population: str = ""

    def estimate(self, counts: Tally) -> Estimates:
        r"""Return shares and :math:`(p_1 - p_0)/\sqrt{(p_1 q_1 + p_0 q_0)/2}` [1]_.

        Parameters
        ----------
        counts : Tally
            group, variable, term, label, n_event, n.

        Returns
        -------
        Estimates
            group, variable, term, label, n, n_event, estimate, conf_low, conf_high, smd (the same in both groups).

        References
        ----------
        .. [1] Austin (2009), Stat. Med. 28:3083-3107.
        """
        what = "share of people, by baseline characteristics"
        found = ShareOf("baseline", what, self.population, view="plain").estimate(counts)
        rows = found.tidy()
        rows["smd"] = _standardised(rows, self.groups, rows["estimate"] * (1 - rows["estimate"]))
        return found.about(data=rows, analysis=self)


@dataclass(frozen=True)
class BaselineMeans:
    """Means of quantities at baseline, and their standardised differences.

    Attributes
    ----------
    groups : (str, str)
        The focus, the comparison.
    population : str

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.analyses import BaselineMeans
    >>> from evalkit.counts import Moments
    >>> about = {"variable": "Age", "term": "age", "label": "Age (years)"}
    >>> rows = pd.DataFrame({"group": ["pilot", "PAIP"], **about})
    >>> counts = Moments(rows.assign(n=100, total=[3600.0, 3300.0], total_sq=[140000.0, 120000.0], largest=70.0))
    >>> BaselineMeans(("pilot", "PAIP")).estimate(counts).tidy()[["group", "estimate", "std_dev", "smd"]].round(3)
       group  estimate  std_dev    smd
    0  pilot      36.0   10.249  0.288
    1   PAIP      33.0   10.589  0.288
    """

    key: ClassVar[str] = "baseline_means"
    groups: tuple[str, str]
    population: str = ""

    def estimate(self, counts: Moments) -> Estimates:
        """Return means, standard deviations and standardised differences.

        Parameters
        ----------
        counts : Moments
            group, variable, term, label, n, total, total_sq.

        Returns
        -------
        Estimates
            group, variable, term, label, n (with a value), estimate, std_dev, std_error, conf_low, conf_high, smd.
        """
        found = MeanOf("baseline_means", "mean of baseline characteristics", self.population, view="plain").estimate(
            counts
        )
        rows = found.tidy()
        rows["smd"] = _standardised(rows, self.groups, rows["std_dev"] ** 2)
        return found.about(data=rows, analysis=self)


def baseline(cohort: Cohort) -> tuple[Estimates, Estimates]:
    """Return baseline characteristics of everybody referred, by arm (a report's Table 1).

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    shares : Estimates
        Made from a `Tally`: the levels of characteristics that are no quantities, and who has no value.
    means : Estimates
        Made from `Moments`: quantities, among people with a value.

    Examples
    --------
    >>> from evalkit.analyses import baseline
    >>> shares, means = baseline(cohort)
    >>> shares.tidy()[["group", "term", "n_event", "n"]].head(2)
                    group               term  n_event    n
    0  Non-mandated pilot  age: not recorded        2  160
    1                PAIP  age: not recorded        3  757
    """
    shares: list[dict[str, object]] = []
    means: list[dict[str, object]] = []
    people = cohort.people.assign(everybody=True)
    described = [(c.name, c.label, c.kind) for c in cohort.study.covariates]
    if people.empty or people["community_area"].notna().any():  # where nobody has one it describes nobody
        described += [("community_area", "Community area", "categorical")]
    for name, label, kind in described:
        if name not in people:
            continue
        if kind == "numeric":
            known = people[people[name].notna()]
            found = moments_of(known, cohort.groups, name, "Mean (SD)", name)
            means += [{**row, "variable": label} for row in found]
            # Of a quantity only who has none is counted; its distribution is the mean's row.
            levels = people[name].isna().map({True: NOT_RECORDED, False: "known"})
            order = [NOT_RECORDED] if levels.eq(NOT_RECORDED).any() else []
        else:
            levels = _levels(cohort, people, name)
            # Of two answers one says the other.
            order = [level for level in _order(cohort, name, levels) if kind != "yes_no" or level != "no"]
        for level in order:
            counted = people.assign(met=levels.eq(level))
            found = count_true(counted, cohort.groups, f"{name}: {level}", in_words(level), "met", "everybody")
            shares += [{**row, "variable": label} for row in found]
    population = "all referred, first episodes" if cohort.episodes == "first" else "all referrals"
    made = BaselineShares(cohort.groups, population).estimate(tally(shares))
    averages = BaselineMeans(cohort.groups, population).estimate(moments(means))
    about = {"cut": cohort.cut, "asked": {"episodes": cohort.episodes}}
    return made.about(**about), averages.about(**about)


def incomplete(cohort: Cohort) -> Estimates:
    """Return the share of people without a value of at least one of the protocol's characteristics, by arm.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    Estimates
        Made from a `Tally`; no rows where the protocol names no characteristic.

    Examples
    --------
    >>> from evalkit.analyses import incomplete
    >>> incomplete(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group term  estimate  n_event
    0  Non-mandated pilot  any     0.156       25
    1                PAIP  any     0.140      106
    """
    names = [c.name for c in cohort.study.covariates]
    people = cohort.people.assign(everybody=True)
    people = people.assign(met=people[names].isna().any(axis=1))
    label = "Without a value of at least one characteristic"
    rows = count_true(people, cohort.groups, "any", label, "met", "everybody") if names else []
    what = "share of people without a value of a characteristic"
    analysis = ShareOf("incomplete", what, "all referred", view="of_method")
    return analysis.estimate(tally(rows)).about(cut=cohort.cut)
