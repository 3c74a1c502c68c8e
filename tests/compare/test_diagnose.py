"""What the gate of a comparison says: each sentence whole, and every threshold on both sides of its limit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit import stats
from evalkit.estimates import Estimates


def fit(**changes: object) -> stats.Propensity:
    """Two people of the pilot, four of PAIP; preference scores are propensity scores of arms of the same size."""
    made = {
        "scores": np.array([0.5, 0.75, 0.25, 0.5, 0.2, 0.1]),
        "weights": np.array([1.0, 1.0, 1.0, 1.0, 0.5, 0.5]),
        "treated": np.array([1.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
        "levels": pd.DataFrame({"age": [30.0, 40.0, 30.0, 42.0, 36.0, 36.0], "work": [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]}),
    } | changes
    return stats.Propensity(made["scores"], made["weights"], made["treated"], ("Pilot", "PAIP"), "ate", made["levels"])


def hazards(p: float) -> Estimates:
    rows = pd.DataFrame({"term": ["age", "GLOBAL"], "p_value": [0.9, p]})
    return Estimates(rows, "proportional_hazards_test", "change of log hazard ratios over time")


def said(found: Estimates, term: str) -> tuple[str, str]:
    row = found.tidy().set_index("term").loc[term]
    return row["verdict"], row["sentence"]


# Weighted means 35 and 36, standard deviations 7.0711 and 4.8990: 0.164 of the pooled one, 6.0828. Work: 1/2 in either.
SMD = 1 / np.sqrt((50 + 24) / 2)
BALANCED = "After weighting every measured covariate is balanced (largest standardised difference 0.16)."
APART = "After weighting the arms still differ in age (standardised difference {}, above {}): the adjusted figure may carry that difference and is not a fair comparison."


@pytest.mark.parametrize(
    ("limit", "verdict", "sentence"),
    [
        (0.2, "pass", BALANCED),
        (SMD * (1 + 1e-12), "pass", BALANCED),
        (SMD - 1e-4, "fail", APART.format("0.1644", "0.164299")),
        (0.1, "fail", APART.format("0.16", "0.1")),
        (0.16, "fail", APART.format("0.164", "0.16")),
    ],
)
def test_balance(limit: float, verdict: str, sentence: str) -> None:
    found = stats.diagnose(fit(), smd=limit)
    assert said(found, "balance") == (verdict, sentence)
    assert found.tidy().loc[0, ["estimate", "baseline"]].tolist() == pytest.approx([SMD, limit])


FEW = "After weighting the arms still differ in a covariate that too few people have to be told of."


@pytest.mark.parametrize(
    ("told", "limit", "verdict", "sentence", "estimate"),
    [
        (["work"], 0.1, "fail", FEW, np.nan),
        ([], 0.1, "fail", FEW, np.nan),
        (["age"], 0.1, "fail", APART.format("0.16", "0.1"), SMD),
        (["work"], 0.2, "pass", BALANCED.replace("0.16", "0.00"), 0.0),
        ([], 0.2, "unknown", "Balance could not be judged: too few people have any covariate.", np.nan),
    ],
)
def test_balance_of_what_may_be_told(
    told: list[str], limit: float, verdict: str, sentence: str, estimate: float
) -> None:
    found = stats.diagnose(fit(), smd=limit, told=told)
    assert said(found, "balance") == (verdict, sentence)
    assert found.tidy()["estimate"][0] == pytest.approx(estimate, abs=1e-12, nan_ok=True)


def test_balance_of_what_does_not_vary() -> None:
    levels = pd.DataFrame({"age": [30.0, 40.0, 30, 42, 36, 36], "work": 1.0, "site": 0.0})
    words = "Balance could not be judged for work, site, which does not vary in the focus arm."
    assert said(stats.diagnose(fit(levels=levels)), "balance") == ("unknown", words)


# Preference scores: logit e - logit 1/3. Of 0.5, 0.75, 0.25, 0.5, 0.2, 0.1: 0.667, 0.857, 0.4, 0.667, 1/3, 0.182.
@pytest.mark.parametrize(
    ("between", "limit", "verdict", "sentence"),
    [
        ((0.3, 0.7), 0.2, "pass", "67% of people could, by their covariates, have been in either arm."),
        ((0.3, 0.7), 4 / 6, "pass", "67% of people could, by their covariates, have been in either arm."),
        ((0.35, 0.7), 0.5, "pass", "50% of people could, by their covariates, have been in either arm."),
        ((0.35, 0.7), 0.51, "fail", "Only 50% of people could, by their covariates, have been in either arm (less than 51%): the comparison rests on a model more than on comparable people."),
        ((0.3, 0.6), 0.335, "fail", "Only 33% of people could, by their covariates, have been in either arm (less than 33.5%): the comparison rests on a model more than on comparable people."),
        ((0.3, 0.7), 0.67, "fail", "Only 66.7% of people could, by their covariates, have been in either arm (less than 67%): the comparison rests on a model more than on comparable people."),
        ((0.9, 1), 0.2, "fail", "Only 0% of people could, by their covariates, have been in either arm (less than 20%): the comparison rests on a model more than on comparable people."),
    ],
)  # fmt: skip
def test_equipoise(between: tuple[float, float], limit: float, verdict: str, sentence: str) -> None:
    assert said(stats.diagnose(fit(), preference=between, equipoise=limit), "equipoise") == (verdict, sentence)


# Kish: (1 + 1)^2 / 2 = 2 of the pilot, 3^2 / 2.5 = 3.6 of PAIP.
@pytest.mark.parametrize(
    ("limit", "weights", "verdict", "sentence"),
    [
        (2, None, "pass", "After weighting the smaller effective sample is 2 people (Pilot)."),
        (2.4, None, "fail", "After weighting Pilot counts for only 2.0 people (less than 2.4): the adjusted figure is too uncertain to rest a conclusion on."),
        (30, None, "fail", "After weighting Pilot counts for only 2 people (less than 30): the adjusted figure is too uncertain to rest a conclusion on."),
        (2, [1, 1, 8, 0.1, 0.1, 0.1], "fail", "After weighting PAIP counts for only 1 people (less than 2): the adjusted figure is too uncertain to rest a conclusion on."),
    ],
)  # fmt: skip
def test_effective_sample(limit: float, weights: list[float] | None, verdict: str, sentence: str) -> None:
    one = fit() if weights is None else fit(weights=np.array(weights, dtype=float))
    found = stats.diagnose(one, effective_sample_size=limit)
    assert said(found, "effective sample size") == (verdict, sentence)
    assert found.summary["n_effective_focus"] == 2
    assert found.summary["n_effective_comparison"] == (4 if weights is None else 1)


SAME = "Nothing speaks against hazard ratios that stay the same over time (p = {})."
CHANGE = "Hazard ratios change over time ({}): one hazard ratio is an average that depends on the length of follow-up; read the difference in mean days instead."


@pytest.mark.parametrize(
    ("p", "limit", "verdict", "sentence"),
    [
        (0.05, 0.05, "pass", SAME.format("0.05")),
        (0.31, 0.05, "pass", SAME.format("0.31")),
        (0.0499, 0.05, "fail", CHANGE.format("p = 0.0499")),
        (0.049, 0.05, "fail", CHANGE.format("p = 0.049")),
        (0.001, 0.05, "fail", CHANGE.format("p = 0.001")),
        (0.00099, 0.05, "fail", CHANGE.format("p < 0.001")),
        (0.31, 0.4, "fail", CHANGE.format("p = 0.310")),
        (np.nan, 0.05, "unknown", "Whether hazard ratios stay the same over time could not be judged."),
    ],
)
def test_hazards(p: float, limit: float, verdict: str, sentence: str) -> None:
    found = stats.diagnose(hazards=hazards(p), alpha=limit)
    assert said(found, "proportional hazards") == (verdict, sentence)
    assert found.notes == (() if verdict == "pass" else (sentence,))
    assert found.summary == {"n_fail": int(verdict == "fail")}


def test_all_together() -> None:
    found = stats.diagnose(fit(), hazards(0.2), smd=0.1, equipoise=0.9, effective_sample_size=1)
    assert found.tidy()["term"].tolist() == ["balance", "equipoise", "effective sample size", "proportional hazards"]
    assert found.tidy()["verdict"].tolist() == ["fail", "fail", "pass", "pass"]
    assert found.tidy()["baseline"].tolist() == [0.1, 0.9, 1, 0.05]
    assert list(found.notes) == found.tidy()["sentence"].tolist()[:2]
    assert dict(found.summary) == {"n_fail": 2, "n_effective_focus": 2, "n_effective_comparison": 4}
    assert found.counts.frame.to_dict("list") == {"group": ["all"], "term": ["arms"], "n_event": [2], "n": [6]}


def test_limits_by_default() -> None:
    assert stats.diagnose(fit(), hazards(0.2)).tidy()["baseline"].tolist() == [0.1, 0.2, 30, 0.05]
