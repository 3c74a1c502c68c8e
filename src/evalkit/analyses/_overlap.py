"""How far the arms overlap: preference scores in classes, and the share in equipoise."""

from __future__ import annotations

__all__ = ["PreferenceClasses", "equipoise", "preference"]

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.analyses._analyses import ShareOf
from evalkit.analyses._compare import Comparison
from evalkit.counts import Tally, codes_of
from evalkit.estimates import Estimates

# Classes, not a density: a density's tail is drawn from single people.
_EDGES = np.linspace(0, 1, 11)


@dataclass(frozen=True)
class PreferenceClasses:
    """Shares of each arm by class of the preference score; `low` to `high` is called equipoise."""

    key: ClassVar[str] = "preference"
    view: ClassVar[str] = "preference"
    low: float = 0.3
    high: float = 0.7
    population: str = ""

    def estimate(self, counts: Tally) -> Estimates:
        """Return each class' share of its arm, from a `Tally` with score_from and score_to."""
        rows = counts.frame
        n = rows["n"].astype("float64")
        rows["estimate"] = rows["n_event"] / n.where(n > 0)
        return Estimates(
            rows[["group", "term", "label", "score_from", "score_to", "n", "n_event", "estimate"]],
            kind="preference",
            estimand="share of people by preference score",
            population=self.population,
            summary={"score_from": self.low, "score_to": self.high},
            counts=counts,
            analysis=self,
        )


def preference(comparison: Comparison, *, smallest: int = 11) -> Estimates:
    """Return how the preference scores of both arms are spread.

    The preference score is the propensity score with the arms' sizes taken out (Walker et al. 2013, Comparative
    Effectiveness Research 3:11-20): half means that a person's characteristics speak for neither arm.

    Parameters
    ----------
    comparison : Comparison
    smallest : int, default 11
        Neighboring classes are joined until each holds nobody or at least so many people of each arm.

    Returns
    -------
    Estimates
        Made from a `Tally`, a row per arm and class.

    Examples
    --------
    >>> from evalkit.analyses import compare_arms, preference
    >>> preference(compare_arms(cohort)).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group        term  estimate  n_event
    0  Non-mandated pilot  0.0 to 0.5     0.354       35
    1                PAIP  0.0 to 0.5     0.552      254
    """
    score, data = comparison.fit.preference, comparison.data
    arms = [(g, (data["group"] == g).to_numpy()) for g in comparison.groups]
    edges = _edges(score, [own for _, own in arms], smallest)
    codes = codes_of(data)
    rows, people = [], []
    for low, high in pairwise(edges):
        # The last class holds its upper end, so that a score of exactly 1 is in one.
        inside = (score >= low) & ((score < high) | (high == 1))
        for group, own in arms:
            met = own & inside
            name = f"{low:.1f} to {high:.1f}"
            row = {"group": group, "term": name, "label": name, "score_from": low, "score_to": high}
            rows.append({**row, "n_event": int(met.sum()), "n": int(own.sum())})
            if codes is not None:
                people.append({"n": codes[own], "n_event": codes[met]})
    rules = comparison.cohort.study.comparison
    analysis = PreferenceClasses(rules.preference_low, rules.preference_high, comparison.population)
    made = analysis.estimate(Tally(pd.DataFrame(rows), people=tuple(people)))
    return made.about(cut=comparison.cohort.cut, asked=comparison.asked)


def _edges(score: np.ndarray, arms: list[np.ndarray], smallest: int) -> list[float]:
    """Return the classes' edges: tenths, joined where a class would hold few people of an arm."""
    kept = [0.0]
    for edge in _EDGES[1:]:
        inside = (score >= kept[-1]) & ((score < edge) | (edge == 1))
        sizes = [int((own & inside).sum()) for own in arms]
        if sum(sizes) and all(size == 0 or size >= smallest for size in sizes):
            # numpy's third tenth is 0.30000000000000004, which data files would print.
            kept.append(round(float(edge), 1))
    if kept[-1] < 1 and (score >= kept[-1]).any():  # the last ones go with the class before
        kept = [*kept[:-1], 1.0] if len(kept) > 1 else [0.0, 1.0]
    return kept


def equipoise(comparison: Comparison) -> Estimates:
    """Return the share of each arm with a preference score in the protocol's range.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Estimates
        Made from a `Tally`: label says the range.

    Examples
    --------
    >>> from evalkit.analyses import compare_arms, equipoise
    >>> equipoise(compare_arms(cohort)).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group       term  estimate  n_event
    0  Non-mandated pilot  equipoise     0.960       95
    1                PAIP  equipoise     0.909      418
    """
    rules, data = comparison.cohort.study.comparison, comparison.data
    low, high = rules.preference_low, rules.preference_high
    inside = (comparison.fit.preference >= low) & (comparison.fit.preference <= high)
    codes, rows, people = codes_of(data), [], []
    for group in comparison.groups:
        own = (data["group"] == group).to_numpy()
        label = f"Preference score from {low:g} to {high:g}"
        row = {"group": group, "term": "equipoise", "label": label}
        rows.append({**row, "n_event": int((own & inside).sum()), "n": int(own.sum())})
        if codes is not None:
            people.append({"n": codes[own], "n_event": codes[own & inside]})
    what = f"share with a preference score from {low:g} to {high:g}"
    analysis = ShareOf("equipoise", what, comparison.population, view="of_method")
    return analysis.estimate(Tally(pd.DataFrame(rows), people=tuple(people))).about(
        cut=comparison.cohort.cut, asked={**comparison.asked, "low": low, "high": high}
    )
