"""Differences between the arms among groups of people, and whether they differ from each other."""

from __future__ import annotations

__all__ = ["DifferencesOf", "differences_of", "subgroups"]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import scipy

from evalkit.analyses._funnel import steps
from evalkit.cohort import Cohort, needs
from evalkit.counts import Tally
from evalkit.estimates import Estimates
from evalkit.levels import in_words, joined
from evalkit.stats import proportion_difference


def differences_of(counts: Tally, groups: tuple[str, str]) -> pd.DataFrame:
    r"""Return the difference of shares in each level (Newcombe's limits), and the p value of interaction.

    Interaction: Cochran's :math:`Q = \sum w (d - \bar d)^2` of the differences, weighted by their inverse variances,
    chi-squared with one degree of freedom less than there are levels [1]_. Variances take half a person more with and
    without, so that none is 0.

    Parameters
    ----------
    counts : Tally
        group, variable, term, label, n_event, n.
    groups : (str, str)
        The focus, the comparison.

    Returns
    -------
    pandas.DataFrame
        variable, term, label, contrast, estimate, conf_low, conf_high, statistic, df, p_value (the same in all levels
        of a variable; nan where it has only one). Levels that an arm is missing of are left out.

    References
    ----------
    .. [1] Cochran (1954), Biometrics 10:101-129.

    Examples
    --------
    >>> two = pd.DataFrame({"variable": "Work", "label": ["Yes", "Yes", "No", "No"], "group": ["a", "b"] * 2})
    >>> two = two.assign(term=two["label"], n_event=[40, 30, 30, 30], n=50)
    >>> differences_of(Tally(two), ("a", "b"))[["label", "estimate", "p_value"]].round(3)
      label  estimate  p_value
    0   Yes       0.2    0.133
    1    No       0.0    0.133
    """
    rows: list[dict[str, object]] = []
    for variable, own in counts.frame.groupby("variable", sort=False) if len(counts.data) else ():
        levels = [one for _, one in own.groupby("term", sort=False) if set(groups) <= set(one["group"])]
        found = [_level(one, groups) for one in levels]
        tested = _interaction(np.array([v for _, v in found]).reshape(-1, 2))
        rows += [{"variable": str(variable), **row, **tested} for row, _ in found]
    columns = [
        "variable",
        "term",
        "label",
        "contrast",
        "estimate",
        "conf_low",
        "conf_high",
        "statistic",
        "df",
        "p_value",
    ]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[4:], "float64"))


def _level(own: pd.DataFrame, groups: tuple[str, str]) -> tuple[dict[str, object], tuple[float, float]]:
    by = {str(row["group"]): (int(row["n_event"]), int(row["n"])) for _, row in own.iterrows()}
    (x1, n1), (x0, n0) = by[groups[0]], by[groups[1]]
    name = {"term": str(own["term"].iloc[0]), "label": str(own["label"].iloc[0])}
    row = {**name, "contrast": f"{groups[0]} - {groups[1]}"}
    if not (n1 and n0):
        return {**row, "estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan}, (np.nan, np.nan)
    found = proportion_difference(x1, n1, x0, n0).tidy().iloc[0]
    # A level in which all or none engaged has a variance of 0, and would weigh infinitely in the test.
    shares = [((x + 0.5) / (n + 1), n) for x, n in ((x1, n1), (x0, n0))]
    variance = sum(p * (1 - p) / n for p, n in shares)
    difference = float(found["estimate"])
    limits = {name: float(found[name]) for name in ("conf_low", "conf_high")}
    return {**row, "estimate": difference, **limits}, (difference, variance)


def _interaction(levels: np.ndarray) -> dict[str, float]:
    """Return Cochran's Q of rows (difference, variance), its degrees of freedom and p value."""
    known = levels[~np.isnan(levels).any(axis=1)]
    if len(known) < 2:
        return dict.fromkeys(("statistic", "df", "p_value"), float("nan"))
    weight = 1 / known[:, 1]
    mean = (weight * known[:, 0]).sum() / weight.sum()
    q, df = float((weight * (known[:, 0] - mean) ** 2).sum()), len(known) - 1
    return {"statistic": q, "df": float(df), "p_value": float(scipy.special.chdtrc(df, q))}


@dataclass(frozen=True)
class DifferencesOf:
    """Differences of the arms (the focus first) by level, with tests of interaction, from any counts."""

    key: ClassVar[str] = "subgroups"
    view: ClassVar[str] = "subgroups"
    groups: tuple[str, str]
    estimand: str
    population: str = ""
    notes: tuple[str, ...] = ()

    def estimate(self, counts: Tally) -> Estimates:
        """Return `differences_of` in whole points, without the statistic, p values in hundredths (0.01 the least)."""
        found = differences_of(counts, self.groups)
        # No count of a level is printed; with more digits of the differences of
        # several levels they would come back (ADR 12).
        coarse = {name: found[name].round(2) for name in ("estimate", "conf_low", "conf_high", "p_value")}
        coarse["p_value"] = coarse["p_value"].clip(lower=0.01)
        return Estimates(
            found.drop(columns="statistic").assign(**coarse),
            "subgroups",
            self.estimand,
            self.population,
            counts=counts,
            analysis=self,
            notes=self.notes,
        )


@needs("sessions", "differences among groups of people")
def subgroups(cohort: Cohort, *, smallest: int = 11) -> Estimates:
    """Return the difference between the arms in the share engaged, among groups of people, with tests of interaction.

    Groups are the levels of every characteristic of the protocol (quantities are split near their median) and community
    areas. Levels in which fewer than ``smallest`` people of an arm engaged, or did not, are joined with the next.

    Parameters
    ----------
    cohort : Cohort
    smallest : int, default 11

    Returns
    -------
    Estimates
        As `differences_of`, in whole points, without the statistic and with p values in hundredths (0.01 for smaller
        ones), made from a `Tally`. The first row is everybody. Characteristics without two such levels are left out.

    Examples
    --------
    >>> from evalkit.analyses import subgroups
    >>> subgroups(cohort).tidy()[["term", "estimate"]].head(2).round(3)
                          term  estimate
    0     Everybody: Everybody      0.06
    1  Age (years): 30 or less      0.07
    """
    people, rule = steps(cohort), cohort.rules.engaged
    people = people[people["can_engaged"].to_numpy(dtype=bool)].reset_index(drop=True)
    met = people["did_engaged"].to_numpy(dtype=bool)
    split = [("Everybody", pd.Series("Everybody", index=people.index))]
    cells = (people["group"], pd.Series(met, index=people.index))
    for label, known, order in _levels(cohort, people):
        large = joined(known, cells, smallest, order).astype(object)
        split.append((label, large.map(lambda level: level if pd.isna(level) else in_words(level))))
    rows: list[dict[str, object]] = []
    for variable, levels in split:
        names = list(dict.fromkeys(levels.dropna()))
        for level in sorted(names) if len(names) > 1 or variable == "Everybody" else ():
            for group in cohort.groups:
                own = levels.eq(level).to_numpy() & people["group"].eq(group).to_numpy()
                row = {"group": group, "variable": variable, "term": f"{variable}: {level}", "label": level}
                rows.append({**row, "n_event": int((own & met).sum()), "n": int(own.sum())})
    columns = ["group", "variable", "term", "label", "n_event", "n"]
    counts = Tally(pd.DataFrame(rows, columns=columns))  # of whom is not said: no count of them is printed
    what = f"share with {rule.sessions} attended sessions within {rule.days} days of intake"
    population = f"people with an intake at least {rule.days} days before the cut"
    untested = [variable for variable, levels in split[1:] if levels.dropna().nunique() < 2]
    notes = (
        (f"Not tested, because too few engaged, or did not, in all groups but one: {', '.join(untested)}.",)
        if untested
        else ()
    )
    about = f"{what}: difference between the groups, and interaction"
    return (
        DifferencesOf(cohort.groups, about, population, notes)
        .estimate(counts)
        .about(cut=cohort.cut, asked={"sessions": rule.sessions, "days": rule.days})
    )


def _levels(cohort: Cohort, people: pd.DataFrame) -> Iterator[tuple[str, pd.Series, Sequence[str]]]:
    """Yield each characteristic's label, everybody's level (missing where it is not known), and the levels' order."""
    for covariate in cohort.study.covariates:
        values = people[covariate.name]
        if covariate.kind == "numeric":
            middle = _round_middle(values)
            words = {False: f"{middle:g} or less", True: f"More than {middle:g}"}
            yield covariate.label, values.gt(middle).map(words).where(values.notna()), ()
        elif covariate.kind == "yes_no":
            yield covariate.label, values.map({1.0: "Yes", 0.0: "No"}), ()
        else:
            yield covariate.label, values, covariate.levels or ()
    yield "Community area", people["community_area"], cohort.study.community_areas or ()


def _round_middle(values: pd.Series) -> float:
    """Return the median, rounded to a number that says nothing of any one person."""
    step = 5 if values.max() - values.min() >= 20 else 1
    return float(np.floor(values.median() / step + 0.5) * step)
