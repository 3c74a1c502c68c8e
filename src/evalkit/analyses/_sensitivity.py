"""The adjusted difference under other choices."""

from __future__ import annotations

__all__ = ["sensitivity", "within"]

from collections.abc import Iterator

from evalkit.analyses._compare import N_BOOT, TARGETS, Comparison, compare_arms, fitted, target_of
from evalkit.cohort import build
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.intake import CutData

# So far out a weight e/(1-e) is above 19: few people of one arm speak for many of the other.
TRIM = 0.05
# Days without a session that others might have called disengagement: about three, four and six missed weekly sessions.
_GAPS = (21, 30, 45)


def within(comparison: Comparison, low: float, high: float, *, preference: bool = False) -> Comparison | None:
    """Return the comparison among people whose propensity (or preference) score lies in a range, fitted anew.

    None where the arms can no longer be compared.
    """
    score = comparison.fit.preference if preference else comparison.fit.scores
    inside = (score >= low) & (score <= high)
    kept = comparison.data[inside].reset_index(drop=True)
    out = comparison.left_out + int((~inside).sum())
    return fitted(comparison.cohort, comparison.scale, kept, out, smallest=comparison.smallest)


def sensitivity(comparison: Comparison, data: CutData, days: int, *, n_boot: int = N_BOOT) -> Estimates:
    """Return the weighted difference under other choices: target, who is kept, lapse rule, origin, horizon.

    Parameters
    ----------
    comparison : Comparison
    data : CutData
        What was known at the cut: the cohort is built again under other lapse rules, or from harm's other origin.
    days : int
        Horizon of the main analysis.
    n_boot : int

    Returns
    -------
    Estimates
        As `Comparison.effects`; variants that are not defined are left out.

    Examples
    --------
    >>> from evalkit.analyses import compare_arms, sensitivity
    >>> choices = sensitivity(compare_arms(cohort), cut, 182, n_boot=20)
    >>> choices.tidy()[["label", "estimate"]].head(3).round(3)
                                                   label  estimate
    0  Main analysis: 30 days without a session, day 182    -0.071
    1                  Target: both groups' people (ATE)    -0.073
    2                              Target: overlap (ATO)    -0.078
    """
    rows = []
    for label, one, horizon, chosen in _variants(comparison, data, days):
        try:
            if one is not None:
                rows.append(one.adjusted(horizon, estimand=chosen, n_boot=n_boot, label=label))
        except AnalysisError:
            continue
    what = f"weighted difference in the share with {comparison.event} under other choices"
    return comparison.rows(rows, what, {"days": days}, "sensitivity")


def _variants(
    comparison: Comparison, data: CutData, days: int
) -> Iterator[tuple[str, Comparison | None, int, str | None]]:
    """Yield label, comparison, horizon and target (None: the protocol's) of each variant, the main analysis first."""
    cohort, rules = comparison.cohort, comparison.cohort.study.comparison
    gap = cohort.rules.disengagement_gap_days
    stays = comparison.scale == "retention"
    main = f"{gap} days without a session, day {days}" if stays else f"by day {days}"
    yield f"Main analysis: {main}", comparison, days, None
    for target in TARGETS:
        if target != rules.estimand:
            yield f"Target: {target_of(cohort.study, target)}", comparison, days, target
    trimmed = within(comparison, TRIM, 1 - TRIM)
    yield f"Trimmed: scores below {TRIM:g} or above {1 - TRIM:g} left out", trimmed, days, None
    low, high = rules.preference_low, rules.preference_high
    alike = within(comparison, low, high, preference=True)
    yield f"Trimmed: only preference scores {low:g} to {high:g}", alike, days, None
    for other in sorted({*_GAPS} - {gap}) if stays else ():
        lapse = cohort.rules.model_copy(update={"disengagement_gap_days": other})
        yield (
            f"Disengaged after {other} days without a session",
            compare_arms(build(data, rules=lapse, episodes=cohort.episodes), smallest=comparison.smallest),
            days,
            None,
        )
    if not stays:
        harm = cohort.study.harm
        origin = {"referral": "intake", "intake": "referral"}[harm.origin]
        again = build(
            data, rules=cohort.rules, harm=harm.model_copy(update={"origin": origin}), episodes=cohort.episodes
        )
        moved = compare_arms(again, "harm", smallest=comparison.smallest)
        yield f"Harm counted from {origin}, not from {harm.origin}", moved, days, None
    for other in (days // 2, days + days // 2):
        yield f"By day {other}", comparison, other, None
