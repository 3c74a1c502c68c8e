"""Anything small: an answer whose gaps are explained, or one clear error; never a warning, never another error."""

import numpy as np
import pandas as pd
import pytest

from evalkit import stats
from evalkit.errors import AnalysisError
from survival.gaps import unexplained


def drawn(rng):
    """A frame of 1 to 13 people with ties, zero and enormous weights, late entries and covariates of any size."""
    n, last = int(rng.integers(1, 14)), int(rng.choice([1, 3, 8, 30]))
    wide = rng.normal(size=n) * 10.0 ** rng.integers(-6, 7)
    data = pd.DataFrame(
        {
            "day": rng.integers(0, last + 1, n),
            "event": (rng.random(n) < rng.choice([0.2, 0.6, 1])).astype(int),
            "cause": rng.integers(0, 3, n),
            "arm": rng.integers(0, 2, n),
            "site": rng.integers(0, 3, n),
            "w": rng.choice([0, 1e-9, 0.5, 1, 3, 1e6], n),
            "x": wide if rng.random() < 0.5 else rng.integers(0, 2, n).astype(float),
            "z": rng.integers(0, 2, n),
        }
    )
    data["start"] = np.minimum(rng.integers(0, last + 1, n), np.maximum(data["day"] - 1, 0))
    data["level"] = pd.Categorical(rng.choice(["a", "b", "c"], n), categories=["c", "a", "b", "unused"])
    return data[data["day"] > data["start"]] if rng.random() < 0.5 else data.assign(start=0)


def proportional(data, transform, **more):
    return stats.proportional_hazards_test(stats.cox(data, "day", "event", ["x", "level"], **more), transform)


FUNCTIONS = {
    "curves": lambda d: stats.kaplan_meier(d, "day", "event", by="level", entry="start", weights="w"),
    "quantiles": lambda d: stats.survival_quantile(d, "day", "event", weights="w", q=[0.1, 0.9], conf_type="plain"),
    "log-rank": lambda d: stats.logrank(d, "day", "event", "level", rho=0.5, gamma=2, strata="arm", entry="start"),
    "means": lambda d: stats.rmst_contrast(d, "day", "event", by="level", tau=2, reference="a", weights="w"),
    "differences": lambda d: stats.survival_difference(
        d, "day", "event", "level", times=[1, 4], reference="a", entry="start", conf_type="log"
    ),
    "cox": lambda d: stats.cox(d, "day", "event", ["x", "z"], strata="site", weights="w", entry="start"),
    "cox formula": lambda d: stats.cox(d, "day", "event", "x * z", ties="breslow", cluster="site"),
    "firth": lambda d: stats.cox(d, "day", "event", ["x", "z"], penalizer="firth"),
    "proportional": lambda d: proportional(d, "rank", strata="arm", weights="w"),
    "proportional in time": lambda d: proportional(d, "log", ties="breslow"),
    "incidence": lambda d: stats.cumulative_incidence(d, "day", "cause", entry="start", weights="w", by="level"),
    "gray": lambda d: stats.gray_test(d, "day", "cause", "level", rho=1),
    "fine-gray": lambda d: stats.fine_gray(d, "day", "cause", ["x", "level"], interest=2),
    "recurrent": lambda d: stats.mean_cumulative_count(d, "day", "event", "site", times=[0, 3, 50]),
    "parametric": lambda d: stats.parametric(d, "day", "event", entry="start", models=["weibull", "log-normal"]),
    "standardised": lambda d: stats.standardised_risks(d, "day", "cause", ["x", "z"], tau=2, n_boot=20),
    "foretold": lambda d: stats.foretold(d, "day", "cause", ["x", "z"], tau=2, n_boot=20),
}


FEWER = {"parametric": 6, "firth": 3, "standardised": 2, "foretold": 2}  # slow ones


@pytest.mark.parametrize("examples", [6, pytest.param(600, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_answer_or_one_clear_error(name, examples):
    rng = np.random.default_rng(20211118)
    for number in range(examples):
        data = drawn(rng)
        if number % FEWER.get(name, 1):
            continue
        try:
            found = FUNCTIONS[name](data)
        except AnalysisError as error:
            assert "\n" not in str(error)
            continue
        assert unexplained(found) == set(), (found.notes, data.to_dict("list"))


FOUND = {
    "events without weight": (
        {"event": [1, 0, 0, 0], "w": [0, 1, 1, 1], "x": [1, 0, 0, 1.0]},
        "with a positive weight",
    ),
    "one at risk at a time": ({"event": [1, 1, 0, 0], "w": [1, 1, 1, 0], "x": [0.1, 0.1, 0.1, 0.2]}, "told apart"),
}


@pytest.mark.parametrize("name", FOUND)
def test_cox_says_what_is_missing(name):
    columns, words = FOUND[name]
    with pytest.raises(AnalysisError, match=words):
        stats.cox(pd.DataFrame({"day": [6, 7, 8, 9]} | columns), "day", "event", ["x"], weights="w")
