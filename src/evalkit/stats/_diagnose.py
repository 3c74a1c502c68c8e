"""What stands against an adjusted difference: diagnostics that change what a report says, and E-values.

The gate looks at what was measured: balance, overlap, sample, hazards. An E-value says how strong an unmeasured
confounder would have to be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from evalkit.counts import Counts, Tally
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.stats._propensity import PREFERENCE, Propensity, in_equipoise

__all__ = ["as_risk_ratio", "diagnose", "e_value"]


Row = tuple[str, float, float, str, str]


def _verdict(value: float, passed: bool) -> str:
    return "unknown" if np.isnan(value) else ("pass" if passed else "fail")


def _apart(value: float, limit: float, digits: int, kind: str = "f") -> str:
    """Write a value with so many digits that it does not read as the limit it fails: not 30 %, less than 30 %."""
    while f"{value:.{digits}{kind}}" == f"{limit:.{digits}{kind}}" and digits < 12:
        digits += 1
    return f"{value:.{digits}{kind}}"


def _balance(fit: Propensity, limit: float, told: Collection[str] | None) -> Row:
    table = fit.balance().data
    smd = table["smd_weighted"].abs()
    if smd.isna().any():
        names = ", ".join(table.loc[smd.isna(), "term"])
        sentence = f"Balance could not be judged for {names}, which does not vary in the focus arm."
        return "balance", float("nan"), limit, "unknown", sentence
    may = smd if told is None else smd[table["term"].isin(list(told))]
    # all covariates are judged, whoever may be told of; `not >` holds of none, too, whose largest is nan
    if smd.max() > limit and not may.max() > limit:  # said without a number, which would be that of few people
        text = "After weighting the arms still differ in a covariate that too few people have to be told of."
        return "balance", float("nan"), limit, "fail", text
    table, smd = table.loc[may.index], may
    worst = float(smd.max())
    if np.isnan(worst):
        return "balance", worst, limit, "unknown", "Balance could not be judged: too few people have any covariate."
    name = str(table["term"].iloc[int(smd.to_numpy().argmax())])
    if worst <= limit:
        text = f"After weighting every measured covariate is balanced (largest standardised difference {worst:.2f})."
    else:
        text = (
            f"After weighting the arms still differ in {name} (standardised difference {_apart(worst, limit, 2)}, "
            f"above {limit:g}): the adjusted figure may carry that difference and is not a fair comparison."
        )
    return "balance", worst, limit, _verdict(worst, worst <= limit), text


def _equipoise(fit: Propensity, limit: float, between: tuple[float, float]) -> Row:
    share = float(in_equipoise(fit.preference, between).mean())
    if share >= limit:
        text = f"{share:.0%} of people could, by their covariates, have been in either arm."
    else:
        text = (
            f"Only {_apart(share, limit, 0, '%')} of people could, by their covariates, have been in either arm (less "
            f"than {limit * 100:g}%): the comparison rests on a model more than on comparable people."
        )
    return "equipoise", share, limit, _verdict(share, share >= limit), text


def _sample(fit: Propensity, limit: float) -> Row:
    table = fit.effective_sample_size().data
    least = float(table["effective_sample_size"].min())
    name = str(table["group"].iloc[int(table["effective_sample_size"].to_numpy().argmin())])
    if least >= limit:
        text = f"After weighting the smaller effective sample is {least:.0f} people ({name})."
    else:
        text = (
            f"After weighting {name} counts for only {_apart(least, limit, 0)} people (less than {limit:g}): the "
            "adjusted figure is too uncertain to rest a conclusion on."
        )
    return "effective sample size", least, limit, _verdict(least, least >= limit), text


def _hazards(test: Estimates, limit: float) -> Row:
    rows = test.data[test.data["term"] == "GLOBAL"]
    if test.kind != "proportional_hazards_test" or rows.empty:
        msg = "diagnose: hazards must be the result of proportional_hazards_test"
        raise AnalysisError(msg)
    p = float(rows["p_value"].iloc[0])
    if np.isnan(p):
        text = "Whether hazard ratios stay the same over time could not be judged."
    elif p >= limit:
        text = f"Nothing speaks against hazard ratios that stay the same over time (p = {p:.2f})."
    else:
        small = "p < 0.001" if p < 0.001 else f"p = {_apart(p, limit, 3)}"
        text = (
            f"Hazard ratios change over time ({small}): one hazard ratio is an average that depends on the "
            "length of follow-up; read the difference in mean days instead."
        )
    return "proportional hazards", p, limit, _verdict(p, p >= limit), text


def diagnose(
    propensity: Propensity | None = None,
    hazards: Estimates | None = None,
    *,
    smd: float = 0.1,
    equipoise: float = 0.2,
    preference: tuple[float, float] = PREFERENCE,
    effective_sample_size: float = 30,
    alpha: float = 0.05,
    told: Collection[str] | None = None,
) -> Estimates:
    """Return the diagnostics of an adjusted comparison, each with the sentence a report prints.

    The threshold for balance is Austin's [1]_, the preference score Walker's [2]_; the levels asked are the study's.

    Parameters
    ----------
    propensity : Propensity, optional
        Its balance, equipoise and effective sample size are judged.
    hazards : Estimates, optional
        From `evalkit.stats.proportional_hazards_test`.
    smd : float
        Largest standardised mean difference allowed after weighting.
    equipoise : float
        Least share with a preference score in equipoise.
    preference : (float, float)
        Lowest and highest preference score that count as equipoise.
    effective_sample_size : float
        Least effective sample size of an arm.
    alpha : float
        Level of the test of proportional hazards.
    told : collection of str, optional
        Terms of which the standardised difference may be told. All are judged; where only others fail, the estimate is
        missing.

    Returns
    -------
    Estimates
        A row per diagnostic: term, estimate, baseline (the threshold), verdict ('pass', 'fail' or
        'unknown'), sentence. The failing sentences are also notes. The summary holds the effective sample size of each
        arm, in whole people (n_effective_focus, n_effective_comparison), where a propensity is judged.

    Raises
    ------
    AnalysisError
        If there is nothing to judge, or the range of preference scores is none.

    References
    ----------
    .. [1] Austin (2009), Stat. Med. 28:3083-3107.
    .. [2] Walker et al. (2013), Comparative Effectiveness Research 3:11-20.

    Examples
    --------
    >>> from evalkit.stats import propensity
    >>> data = pd.DataFrame({"arm": [1, 1, 1, 0, 0, 0, 0], "age": [30, 41, 35, 30, 25, 45, 38]})
    >>> diagnose(propensity(data, "arm", ["age"])).tidy()[["term", "verdict"]]
                        term verdict
    0                balance    pass
    1              equipoise    pass
    2  effective sample size    fail
    """
    rows: list[Row] = []
    counts = None
    sizes: dict[str, int] = {}
    if propensity is not None:
        each = propensity.effective_sample_size().data["effective_sample_size"]
        sizes = dict(zip(("n_effective_focus", "n_effective_comparison"), map(round, each), strict=True))
        rows += [_balance(propensity, smd, told), _equipoise(propensity, equipoise, preference)]
        rows.append(_sample(propensity, effective_sample_size))
        counts = propensity.balance().counts
    if hazards is not None:
        rows.append(_hazards(hazards, alpha))
        counts = counts or hazards.counts
    if not rows:
        msg = "diagnose: give a propensity fit, a test of proportional hazards, or both"
        raise AnalysisError(msg)
    frame = pd.DataFrame(rows, columns=["term", "estimate", "baseline", "verdict", "sentence"])
    failing = tuple(frame.loc[frame["verdict"] != "pass", "sentence"])
    return Estimates(
        data=frame,
        kind="diagnose",
        view="gate",
        estimand="whether the adjusted comparison can be trusted",
        summary={"n_fail": int((frame["verdict"] == "fail").sum()), **sizes},
        notes=failing,
        counts=counts if isinstance(counts, Tally) else None,
    )


MEASURES = ("RR", "HR", "OR")


def as_risk_ratio(value: float, measure: str, *, rare: bool = False) -> float:
    r"""Return the risk ratio that a ratio stands for, approximately where the outcome is common [1]_.

    :math:`\sqrt{OR}`, and :math:`(1 - 0.5^{\sqrt{HR}})/(1 - 0.5^{\sqrt{1/HR}})`; itself where the outcome is rare.

    Parameters
    ----------
    value : float
        Ratio, 0 or above.
    measure : {"RR", "HR", "OR"}
    rare : bool
        Whether the outcome is rare (below about 15 % at the end of follow-up).

    Returns
    -------
    float

    Raises
    ------
    AnalysisError
        If the measure is unknown.

    References
    ----------
    .. [1] VanderWeele, Ding (2017), Ann. Intern. Med. 167:268-274.

    Examples
    --------
    >>> as_risk_ratio(4, "OR"), as_risk_ratio(4, "OR", rare=True), round(as_risk_ratio(4, "HR"), 2)
    (2.0, 4, 2.56)
    """
    _check_measure(measure)
    # at 0 and without end every measure says the same, and the formulas would divide by 0
    if measure == "RR" or rare or value in {0.0, np.inf}:
        return value
    if measure == "OR":
        return float(np.sqrt(value))
    return hazard_to_risk(value)


def hazard_to_risk(ratio: float) -> float:
    """Return the risk ratio that a hazard ratio stands for where the outcome is common."""
    root = float(np.sqrt(ratio))
    # 1 - 0.5^a, which for a small a would be all rounding error
    return float(np.expm1(-np.log(2) * root) / np.expm1(-np.log(2) / root))


def strength(ratio: float) -> float:
    """Return RR + sqrt(RR (RR - 1)), of 1/RR below 1."""
    if ratio == 0 or np.isinf(ratio):
        return float("inf")
    ratio = max(ratio, 1 / ratio)
    return float(ratio + np.sqrt(ratio * (ratio - 1)))


def e_value(
    estimate: float,
    conf_low: float | None = None,
    conf_high: float | None = None,
    *,
    measure: str = "RR",
    rare: bool = False,
    covariates: Mapping[str, tuple[float, float]] | None = None,
    counts: Counts | None = None,
) -> Estimates:
    r"""Return the E-value of a ratio, of its limit nearest to 1, and of measured covariates.

    :math:`RR + \sqrt{RR (RR - 1)}`: the least risk ratio that an unmeasured confounder would need with both
    the arm and the outcome, beyond the covariates, to explain the estimate away [1]_. For common outcomes
    :math:`RR \approx \sqrt{OR}` and :math:`RR \approx (1 - 0.5^{\sqrt{HR}})/(1 - 0.5^{\sqrt{1/HR}})`. The
    E-value of a limit is 1 when the interval holds 1. A measured covariate with risk ratios a (arm) and b
    (outcome) could shift the estimate by :math:`a b/(a + b - 1)`; its row gives the E-value of that shift.

    Parameters
    ----------
    estimate : float
        Ratio, above 0.
    conf_low, conf_high : float, optional
        Its limits. Only the one nearest to 1 has an E-value: the lower one of a ratio above 1, else the upper one.
    measure : {"RR", "HR", "OR"}
    rare : bool
        Whether the outcome is rare (below about 15 % at the end of follow-up).
    covariates : mapping of str to (float, float), optional
        For measured covariates: risk ratios with the arm and with the outcome.
    counts : Counts, optional
        Carried along, so that the result can be disclosed with the estimate it belongs to.

    Returns
    -------
    Estimates
        Rows 'estimate', 'limit' (when the limit nearest to 1 is given) and one per covariate: term, measure, estimate
        (the ratio), e_value.

    Raises
    ------
    AnalysisError
        If a ratio is not above 0, limits do not hold the estimate, or the measure is unknown.

    References
    ----------
    .. [1] VanderWeele, Ding (2017), Ann. Intern. Med. 167:268-274.

    Examples
    --------
    >>> e_value(3.9, 1.8, 8.7).tidy()[["term", "e_value"]].round(2)
           term  e_value
    0  estimate     7.26
    1     limit     3.00
    """
    measure = measure.upper()
    low = estimate if conf_low is None else conf_low
    high = estimate if conf_high is None else conf_high
    if not (np.isfinite(estimate) and estimate > 0 and 0 <= low <= estimate <= high):
        msg = "e_value: a ratio above 0 and limits on either side of it are needed"
        raise AnalysisError(msg)
    rows = [("estimate", measure, estimate, strength(as_risk_ratio(estimate, measure, rare=rare)))]
    # a limit that is not given is not known: the other one does not stand for it
    near = (conf_high if conf_low is None else conf_low) if estimate == 1 else conf_low if estimate > 1 else conf_high
    if near is not None:
        holds = (near - 1) * (estimate - 1) <= 0
        rows.append(("limit", measure, near, 1.0 if holds else strength(as_risk_ratio(near, measure, rare=rare))))
    for name, (arm, outcome) in (covariates or {}).items():
        if arm <= 0 or outcome <= 0:
            msg = f"e_value: the ratios of covariate '{name}' must be above 0"
            raise AnalysisError(msg)
        # what protects confounds as much as what harms by the inverse ratio
        a, b = max(arm, 1 / arm), max(outcome, 1 / outcome)
        shift = a * b / (a + b - 1)
        rows.append((name, "RR", shift, strength(shift)))
    common = measure != "RR" and not rare
    return Estimates(
        data=pd.DataFrame(rows, columns=["term", "measure", "estimate", "e_value"]),
        kind="e_value",
        view="e_value",
        estimand="least strength of unmeasured confounding that would explain the estimate away",
        notes=("The ratio was turned into a risk ratio by an approximation for common outcomes.",) if common else (),
        counts=counts,
    )


def _check_measure(measure: str) -> None:
    if measure not in MEASURES:
        msg = f"measure '{measure}' is not one of {', '.join(MEASURES)}{did_you_mean(measure, MEASURES)}"
        raise AnalysisError(msg)
