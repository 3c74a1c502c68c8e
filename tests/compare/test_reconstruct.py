"""Individual times back from curves whose truth is known."""

import numpy as np
import pandas as pd
import pytest

from evalkit import stats
from evalkit.errors import AnalysisError
from golden import runner

SETS = [
    ("lung", "status", 100),
    ("gbsg", "status", 365),
    ("veteran", "status", 100),
    ("colon", "status", 365),
    ("pbc", "dead", 730),
]


def published(data, event, every, digits=3):
    """What a paper would show: the curve read to three digits at every step, numbers at risk at intervals."""
    curve = stats.kaplan_meier(data, "time", event).tidy()[["time", "estimate"]].round(digits)
    begin = np.arange(0, data["time"].max(), every)
    risk = pd.DataFrame({"time": begin, "n_risk": [(data["time"] >= t).sum() for t in begin]})
    return curve, risk


@pytest.mark.parametrize(("name", "event", "every"), SETS)
def test_curve_and_numbers_come_back(name, event, every):
    data = runner.data_set(name)
    curve, risk = published(data, event, every)
    people = stats.reconstruct(curve, risk, n_event=int(data[event].sum()))
    assert len(people) == len(data)
    assert abs(people["event"].sum() - data[event].sum()) <= 0.02 * len(data)
    for t, n in risk.to_numpy():
        assert abs((people["time"] >= t).sum() - n) <= max(2, 0.02 * len(data))
    tau = float(data["time"].quantile(0.8))
    one = stats.rmst(data, "time", event, tau=tau).tidy().iloc[0]
    two = stats.rmst(people, "time", "event", tau=tau).tidy().iloc[0]
    np.testing.assert_allclose(two["estimate"], one["estimate"], rtol=0.005)
    np.testing.assert_allclose(two["std_error"], one["std_error"], rtol=0.03)


def test_comparison_says_what_it_leaves_out():
    data = runner.data_set("lung")
    curve, risk = published(data, "status", 100)
    found = stats.benchmark_curve(data, "time", "status", curve, risk, tau=500)
    assert abs(found.tidy()["estimate"][0]) < 2
    assert any("reconstructed" in note for note in found.notes)


def test_rising_numbers_at_risk():
    curve = pd.DataFrame({"time": [0, 10], "estimate": [1, 0.9]})
    with pytest.raises(AnalysisError, match="n_risk"):
        stats.reconstruct(curve, pd.DataFrame({"time": [0, 5], "n_risk": [10, 12]}))
