"""E-values: how strong an unmeasured confounder would have to be."""

from __future__ import annotations

__all__ = ["as_risk_ratio", "e_value"]

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evalkit.counts import Counts
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates

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
    _check_measure(measure)
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
