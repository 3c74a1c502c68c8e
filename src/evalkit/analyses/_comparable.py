"""Whether the arms can be compared: how far they overlap, and what something unmeasured could explain.

Overlap is preference scores in classes, and the share in equipoise. How strong something unmeasured would have to be
stands beside what measured characteristics could do.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.analyses._analyses import ShareOf
from evalkit.analyses._compare import N_BOOT, Comparison
from evalkit.counts import Tally, codes_of
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.levels import fewest, in_words
from evalkit.stats import adjusted_effect, as_risk_ratio, cox, e_value

__all__ = ["PreferenceClasses", "e_values", "equipoise", "preference"]


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


RARE = 0.15
"""Below this share with the event in both arms a hazard ratio is a risk ratio, nearly."""


def e_values(comparison: Comparison, days: int, *, n_boot: int = N_BOOT) -> Estimates:
    """Return the E-value of the weighted hazard ratio, of its limit, and of each measured characteristic.

    The weighted hazard ratio of the event (another cause censored) with limits by bootstrap; a characteristic's risk
    ratios with the arm and, in a Cox model beside the arm, with the event; quantities are split at their median, of a
    characteristic with several levels the strongest is given.

    Parameters
    ----------
    comparison : Comparison
    days : int
        Follow-up is cut off here.
    n_boot : int

    Returns
    -------
    Estimates
        term ('estimate', 'limit', or a characteristic), label, measure, estimate (the ratio), e_value, and conf_low and
        conf_high of the estimate; no rows where the ratio is not defined.

    Examples
    --------
    >>> from evalkit.analyses import compare_arms, e_values
    >>> e_values(compare_arms(cohort), 365, n_boot=20).tidy()[["term", "estimate"]].head(2).round(3)
           term  estimate
    0  estimate     0.919
    1     limit     1.239
    """
    study = comparison.cohort.study
    data = comparison.data.assign(
        # Cut off at the horizon, so that what has to be explained is the difference that the report gives by that day.
        event=(comparison.data["event"].eq(1) & comparison.data["time"].le(days)).astype("int64"),
        time=comparison.data["time"].clip(upper=days),
    )
    what = f"least strength of something unmeasured that would explain the difference in {comparison.event}"
    asked = {**comparison.asked, "days": days}
    # Of both arms the one with more events: there a hazard ratio is furthest from a risk ratio.
    rare = bool(data.groupby("focus")["event"].mean().max() < RARE)
    try:
        row = adjusted_effect(
            data, "time", "event", "focus", list(comparison.covariates), measure="hazard_ratio", method="iptw",
            estimand=study.comparison.estimand, n_boot=n_boot, seed=study.seed,
        ).tidy().iloc[0]  # fmt: skip
        low, value, high = (float(row[name]) for name in ("conf_low", "estimate", "conf_high"))
        measured = _measured(comparison, data, rare=rare)
        found = e_value(value, low, high, measure="HR", rare=rare, covariates=measured, counts=comparison.totals)
    except AnalysisError:
        empty = pd.DataFrame(columns=["term", "label", "measure", "estimate", "e_value"])
        numbers = empty.astype({"estimate": "float64", "e_value": "float64"})
        found = Estimates(numbers, kind="e_value", view="e_value", estimand=what, counts=comparison.totals)
        return found.about(
            population=comparison.population, cut=comparison.cohort.cut, asked=asked, tied=comparison.tied
        )
    rows = found.tidy()
    rows.insert(1, "label", rows["term"])
    own = rows["term"] == "estimate"
    rows["conf_low"], rows["conf_high"] = (np.where(own, limit, np.nan) for limit in (low, high))
    return found.about(
        data=rows, estimand=what, population=comparison.population, cut=comparison.cohort.cut, asked=asked,
        tied=comparison.tied,
    )  # fmt: skip


def _measured(comparison: Comparison, data: pd.DataFrame, *, rare: bool) -> dict[str, tuple[float, float]]:
    """Return risk ratios of each characteristic with the arm and with the event, the level with most of both.

    A level that too few people have, or lack, in an arm is passed over: its ratio would speak of those few.
    """
    found: dict[str, tuple[float, float]] = {}
    labels = {c.name: c.label for c in comparison.cohort.study.covariates}
    for name in comparison.covariates:
        flags = [(flag, one) for flag, one in _flags(data[name]) if _many(one, data["focus"], comparison.smallest)]
        pairs = [(flag, pair) for flag, one in flags if (pair := _ratios(data, one, rare=rare))]
        if pairs:
            flag, pair = max(pairs, key=lambda item: _shift(*item[1]))
            found[f"{labels[name]}{flag}"] = pair
    return found


def _flags(values: pd.Series) -> list[tuple[str, pd.Series]]:
    """Return indicators of a characteristic, each with the words that tell it."""
    if not pd.api.types.is_numeric_dtype(values):
        return [(f": {in_words(level)}", values.eq(level)) for level in sorted(values.unique())]
    if values.nunique() == 2:
        return [("", values.eq(values.max()))]
    # Per year of age a ratio is near 1 whatever age does: split in halves it can be set beside the others.
    return [(", above the median", values.gt(values.median()))]


def _many(flag: pd.Series, focus: pd.Series, smallest: int) -> bool:
    """Say whether enough people of both arms are at a level, and not at it, to speak of them."""
    return bool(fewest(flag, focus).reindex([False, True], fill_value=0).min() >= smallest)


def _ratios(data: pd.DataFrame, flag: pd.Series, *, rare: bool) -> tuple[float, float] | None:
    share = flag.groupby(data["focus"]).mean()
    # A level that one arm lacks has no ratio with the arm; 0 and infinity would be the strongest of all.
    if not share.gt(0).all() or share.eq(1).any():
        return None
    try:
        fit = cox(data.assign(flag=flag.astype(float)), "time", "event", ["focus", "flag"]).tidy()
    except AnalysisError:
        return None
    hazard = float(fit["hazard_ratio"].to_numpy()[1])
    if not (np.isfinite(hazard) and hazard > 0):
        return None
    return float(share[1] / share[0]), as_risk_ratio(hazard, "HR", rare=rare)


def _shift(arm: float, outcome: float) -> float:
    # The most that a confounder of this strength can shift a risk ratio (Ding
    # and VanderWeele 2016, Epidemiology 27:368-377).
    a, b = max(arm, 1 / arm), max(outcome, 1 / outcome)
    return a * b / (a + b - 1)
