"""The gate: diagnostics that change what a report says."""

from __future__ import annotations

__all__ = ["diagnose"]

from collections.abc import Collection

import numpy as np
import pandas as pd

from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._propensity import PREFERENCE, Propensity, in_equipoise

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
