"""Shares, means and ratios against R, brute force, and their invariants."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evalkit.analyses import LateEntry, MeanOf, RatioOf, ShareOf, wilson
from evalkit.counts import DayCounts, Moments, Tally
from evalkit.errors import AnalysisError


# R 4.2.2: prop.test(x, n, correct = FALSE)$conf.int
@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [
        (5, 10, 0.2365930905, 0.7634069095),
        (0, 10, 0.0, 0.2775327999),
        (10, 10, 0.7224672001, 1.0),
        (73, 899, 0.06507739543, 0.10088912876),
    ],
)
def test_wilson_is_rs(x, n, low, high):
    found = wilson([x], [n])
    assert [found[0][0], found[1][0]] == pytest.approx([low, high], rel=1e-9, abs=1e-12)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_limits_solve_the_score_equation(xn, level):
    x, n = xn
    p, z = x / n, stats.norm.ppf(0.5 + level / 2)
    low, high = (float(v[0]) for v in wilson([x], [n], level))
    assert 0 <= low <= p <= high <= 1
    for limit in (low, high):
        if 0 < limit < 1:
            assert abs(p - limit) == pytest.approx(z * np.sqrt(limit * (1 - limit) / n), rel=1e-6, abs=1e-9)


def test_a_share_of_nobody_is_unknown():
    counts = Tally(pd.DataFrame({"group": ["a"], "term": ["t"], "n_event": [0], "n": [0]}))
    row = ShareOf("proportion", "x").estimate(counts).tidy().iloc[0]
    assert row[["estimate", "conf_low", "conf_high"]].isna().all()
    with pytest.raises(AnalysisError):
        ShareOf("proportion", "x", conf_level=1.5).estimate(counts)


def _moments(values, term="m"):
    v = np.asarray(values, dtype=float)
    return {
        "group": "a",
        "term": term,
        "label": term,
        "n": v.size,
        "total": v.sum(),
        "total_sq": (v**2).sum(),
        "largest": v.max(initial=0.0),
    }


def test_mean_is_students():
    values = np.array([0.0, 1.0, 1.0, 2.0, 5.0, 3.0])
    row = MeanOf("m", "x").estimate(Moments(pd.DataFrame([_moments(values)]))).tidy().iloc[0]
    interval = stats.t.interval(0.95, 5, values.mean(), stats.sem(values))
    assert [row["estimate"], row["std_dev"]] == pytest.approx([values.mean(), values.std(ddof=1)])
    assert [row["conf_low"], row["conf_high"]] == pytest.approx(list(interval))


@pytest.mark.parametrize("values", [[], [2.0]])
def test_too_few_people_have_no_interval(values):
    row = MeanOf("m", "x").estimate(Moments(pd.DataFrame([_moments(values)]))).tidy().iloc[0]
    assert np.isnan(row["conf_low"])
    assert np.isnan(row["estimate"]) == (not values)


def _ratio(x, d):
    rows = [_moments(x, "numerator"), _moments(d, "denominator"), _moments(np.add(x, d), "both")]
    return RatioOf("r", "x").estimate(Moments(pd.DataFrame(rows))).tidy()


def test_ratio_and_its_error_are_those_of_survey():
    # R 4.2.2, survey 4.1.1: svyratio(~x, ~d, svydesign(~1, weights = ~1, data = d))
    row = _ratio([5, 3, 8, 1, 11], [6, 3, 10, 6, 12]).iloc[0]
    assert row["estimate"] == pytest.approx(0.7567567568, rel=1e-9)
    assert row["std_error"] == pytest.approx(0.1251306236, rel=1e-9)
    assert 0 < row["conf_low"] < row["estimate"] < row["conf_high"] < 1


def test_ratio_without_a_row_or_at_one():
    assert np.isnan(_ratio([2, 3], [2, 3]).iloc[0]["conf_low"])
    assert np.isnan(_ratio([0, 0], [0, 0]).iloc[0]["estimate"])
    rows = pd.DataFrame([_moments([1, 2], "numerator"), _moments([1, 2], "denominator")])
    assert RatioOf("r", "x").estimate(Moments(rows)).tidy().empty


def test_clustered_interval_covers():
    """People differ in how often they come; the interval covers 95 % of the time, the naive one would not."""
    rng, covered, naive, n_studies = np.random.default_rng(5), 0, 0, 250
    for _ in range(n_studies):
        due = rng.integers(1, 30, 80)
        chance = rng.beta(4, 1, 80)
        x = rng.binomial(due, chance)
        row = _ratio(x, due).iloc[0]
        covered += row["conf_low"] <= 0.8 <= row["conf_high"]
        low, high = wilson([x.sum()], [due.sum()])
        naive += low[0] <= 0.8 <= high[0]
    assert covered / n_studies == pytest.approx(0.95, abs=0.035)
    assert naive / n_studies < 0.85


@given(st.lists(st.integers(0, 60), min_size=1, max_size=80))
def test_late_entry_quartiles_are_the_inverse_of_the_distribution(lags):
    days, n = np.unique(lags, return_counts=True)
    frame = pd.DataFrame({"group": "t", "time": days.astype(float), "n_entry": 0, "n_event_1": n, "n_censor": 0})
    start = pd.DataFrame({"group": "t", "time": [-np.inf], "n_entry": len(lags), "n_event_1": 0, "n_censor": 0})
    frame = pd.concat([start, frame], ignore_index=True)
    row = LateEntry().estimate(DayCounts(frame)).tidy().iloc[0]
    expected = np.quantile(lags, [0.5, 0.25, 0.75], method="inverted_cdf")
    assert row[["median", "lower_quartile", "upper_quartile"]].tolist() == expected.tolist()
    assert row["n"] == len(lags)
