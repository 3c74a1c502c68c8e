"""State occupation, expected days and landmark Aalen-Johansen against R's survfit."""

import numpy as np
import pandas as pd
import pytest

from evalkit.stats import StateDays, StateOccupation, from_landmark, transition_counts
from evalkit.stats._occupation import _between
from golden import runner

CASES = runner.cases("states")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_equals_r(case):
    args = dict(case["args"])
    if case["fn"] == "landmark":
        times, state, day = args.pop("times"), args.pop("from"), args.pop("day")
        counts = from_landmark(transition_counts(runner.data_set(case["set"]), **args), state, day)
        found = StateOccupation(tuple(times)).estimate(counts)
    else:
        found = runner.call(case["fn"], case["set"], args)
    runner.columns_agree(found.tidy(), case["expect"])


def test_where_nobody_moves_all_stay_where_they_are():
    stays = pd.DataFrame({"participant_id": ["a", "b", "c"], "time_from": [-1, 4, 4], "time": [9, 9, 12]})
    stays = stays.assign(state=["in", "in", "out"], to="")
    counts = transition_counts(stays, states=["in", "out"])
    later = StateOccupation((6.0, 9.0)).estimate(from_landmark(counts, "in", 5)).tidy()
    assert later["estimate"].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert later["n_risk"].tolist() == [2, 2, 2, 2]
    assert later["std_error"].tolist() == [0.0] * 4
    now = StateDays(9.0).estimate(transition_counts(stays[:1], states=["in", "out"])).tidy()
    assert now["estimate"].tolist() == [9.0, 0.0]


def test_limits_of_days_lie_on_the_logit_scale_and_within_the_horizon() -> None:
    """5 days of 50 with an error of 2: odds 1/9 less and more a factor exp(1.96 * 2 * 50 / (5 * 45)), by hand."""
    factor = np.exp(1.959963984540054 * 2 * 50 / (5 * 45))
    low, high = _between(np.array([5.0, 0.0, 50.0, 5.0]), np.array([2.0, 0.0, 0.0, np.nan]), 50.0, 0.95)
    np.testing.assert_allclose(low[:3], [50 / (1 + 9 * factor), 0, 50], rtol=1e-12)
    np.testing.assert_allclose(high[:3], [50 / (1 + 9 / factor), 0, 50], rtol=1e-12)
    assert np.isnan(low[3]) and np.isnan(high[3])
    assert 0 < low[0] < 5 - 1.96 * 2 + 1.5 and high[0] > 5 + 1.96 * 2  # further above than below
