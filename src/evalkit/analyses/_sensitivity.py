"""The adjusted difference under other choices, and when missing characteristics are filled in several times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from evalkit.analyses._compare import N_BOOT, TARGETS, Comparison, compare_arms, fitted, on_scale, target_of
from evalkit.cohort import build
from evalkit.counts import totals_of
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.intake import CutData
from evalkit.stats import adjusted_effect, impute, pool

__all__ = ["imputed", "quantified", "sensitivity", "within"]


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


IMPUTATIONS = 5
"""Data sets that are made; the bootstrap is done in each."""

IMPUTED_BOOT = 200
"""Its replicates in each."""


def imputed(
    comparison: Comparison, days: int, *, m: int = IMPUTATIONS, burn_in: int = 4, n_boot: int = IMPUTED_BOOT
) -> Estimates:
    """Return the weighted difference among people with every value, and with missing values filled in.

    Chained equations with predictive mean matching, the arm and the outcome among the predictors; the propensity score
    and its bootstrap are done anew in each data set, and Rubin's rules pool them.

    Parameters
    ----------
    comparison : Comparison
    days : int
        Horizon.
    m : int
        Imputed data sets.
    burn_in : int
        Cycles before each.
    n_boot : int
        Bootstrap replicates in each.

    Returns
    -------
    Estimates
        As `Comparison.effects`, two rows; no rows where nobody lacks a value or it is not defined.

    Examples
    --------
    >>> from evalkit.analyses import compare_arms, imputed
    >>> imputed(compare_arms(cohort), 365, m=2, n_boot=10).tidy()[["estimate"]].head(2).round(3)
    Empty DataFrame
    Columns: [estimate]
    Index: []
    """
    cohort, seed = comparison.cohort, comparison.cohort.study.seed
    frame = on_scale(cohort, comparison.scale).reset_index(drop=True)
    what = f"difference in the share with {comparison.event} by day {days}, without and with imputed values"
    rows: list[dict[str, object]] = []
    try:
        # Where nobody lacks a value both rows would be of the same people.
        if comparison.left_out:
            rows.append(comparison.adjusted(days, n_boot=N_BOOT, label="People with every value"))
            found = [
                _weighted(comparison, filled, days, n_boot) for filled in _filled(comparison, frame, m, burn_in, seed)
            ]
            pooled = pool(found).tidy().iloc[0]
            rows.append({**rows[0], **{str(k): pooled[k] for k in ("estimate", "std_error", "conf_low", "conf_high")}})
            rows[1]["label"] = f"Everybody, missing values imputed {m} times"
    except AnalysisError:
        rows = []
    return comparison.rows(rows, what, {"days": days, "m": m}, "imputed").about(
        population="people on the time scale", counts=totals_of(frame, cohort.groups)
    )


def _weighted(comparison: Comparison, filled: pd.DataFrame, days: int, n_boot: int) -> Estimates:
    """Return the weighted difference in one data set; refused where it cannot be had: the others would not be all."""
    cohort = comparison.cohort
    # The score anew in each data set, so that what imputation is unsure of reaches the interval.
    again = fitted(cohort, comparison.scale, filled, 0, smallest=comparison.smallest)
    if again is None:
        msg = "the groups cannot be compared in every imputed data set"
        raise AnalysisError(msg)
    return adjusted_effect(
        again.data, "time", "event", "focus", list(again.covariates), measure="cif_difference",
        tau=days, estimand=cohort.study.comparison.estimand, n_boot=n_boot, seed=cohort.study.seed,
    )  # fmt: skip


def _filled(comparison: Comparison, frame: pd.DataFrame, m: int, burn_in: int, seed: int) -> list[pd.DataFrame]:
    """Return the frame with missing characteristics filled in, m times."""
    # The outcome is among the predictors: left out, imputed values would pull the difference towards none.
    coded, back = frame.assign(occurred=frame["event"].eq(1).astype("int64")), {}
    # Of whom nobody has a value there is nothing to draw one from.
    names = [c.name for c in comparison.cohort.study.covariates if frame[c.name].notna().any()]
    for covariate in comparison.cohort.study.covariates:
        if covariate.kind == "categorical" and covariate.name in names:
            codes = quantified(frame, covariate.name, [n for n in names if n != covariate.name])
            back[covariate.name] = {code: level for level, code in codes.items()}
            coded[covariate.name] = frame[covariate.name].map(codes).astype("float64")
    made = impute(coded, [*names, "focus"], time="time", event="occurred", m=m, burn_in=burn_in, seed=seed)
    return [one.assign(**{name: one[name].map(levels) for name, levels in back.items()}) for one in made]


def quantified(frame: pd.DataFrame, name: str, others: list[str]) -> dict[str, float]:
    """Give each level of a characteristic a number of its own: means can be matched, and one drawn is a level.

    The first canonical variate of the levels with the other variables, as mice does for factors: van Buuren and
    Groothuis-Oudshoorn (2011), J. Stat. Softw. 45(3), ``mice.impute.pmm``, ``quantify``.
    """
    known = frame[frame[name].notna()]
    levels = sorted(known[name].astype(str).unique())
    numbers = [n for n in others if pd.api.types.is_numeric_dtype(known[n])]
    z = known[["focus", "time", "event", *numbers]].astype("float64")
    z = z.fillna(z.mean()).fillna(0.0)
    z = (z - z.mean()) / z.std().replace(0, 1.0)
    y = np.column_stack([known[name].astype(str).eq(level).astype(float) for level in levels])
    centred = y - y.mean(axis=0)
    q, _ = np.linalg.qr(z.to_numpy())
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    # The indicators add up to one, so one direction of them is nothing but rounding.
    basis = left[:, size > 1e-9 * max(size.max(), 1e-300)]
    first = np.linalg.svd(basis.T @ q)[0][:, 0] if basis.size else np.zeros(0)
    scores = pd.Series(basis @ first if basis.size else 0.0, index=known.index).groupby(known[name].astype(str)).mean()
    # Levels with the same score would be one number; a millionth apart they match alike and stay two.
    ranks = scores.rank(method="first")
    return {level: float(scores[level] + 1e-6 * ranks[level]) for level in levels}
