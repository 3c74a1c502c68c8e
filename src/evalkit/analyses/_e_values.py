"""How strong something unmeasured would have to be, beside what measured characteristics could do."""

from __future__ import annotations

__all__ = ["e_values"]

import numpy as np
import pandas as pd

from evalkit.analyses._compare import N_BOOT, Comparison
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.levels import fewest, in_words
from evalkit.stats import adjusted_effect, as_risk_ratio, cox, e_value

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
