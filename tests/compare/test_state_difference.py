"""Differences between arms in states: what is compared is Aalen-Johansen's, its errors those of the jackknife."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.errors import AnalysisError
from evalkit.stats import propensity, state_days, state_difference, state_occupation
from golden.runner import data_set

STATES = ("waiting", "active", "lapsed", "done")
AT, TAU = (10, 30), 50


def stays() -> pd.DataFrame:
    rows = data_set("returning_states")
    age = np.random.default_rng(3).normal(40, 9, 161).round()
    return rows.assign(age=age[rows["id"]] + 4 * rows["arm"].eq("a"))


def by_hand(rows: pd.DataFrame, **how: object) -> tuple[np.ndarray, np.ndarray]:
    """Difference and its error: probabilities at the days, then days, in order of states."""
    curves = state_occupation(rows, states=STATES, person="id", by="arm", times=AT, **how).tidy()
    days = state_days(rows, states=STATES, person="id", by="arm", tau=TAU, **how).tidy()
    both = pd.concat([curves, days], ignore_index=True).groupby("group", sort=False)
    a, b = (both.get_group(name) for name in ("a", "b"))
    return a["estimate"].to_numpy() - b["estimate"].to_numpy(), np.hypot(
        a["std_error"].to_numpy(), b["std_error"].to_numpy()
    )


def test_it_is_the_difference_of_the_two_arms_with_the_error_of_both() -> None:
    found = state_difference(stays(), "arm", states=STATES, times=AT, tau=TAU, person="id", focus="a", n_boot=2000)
    rows, (value, error) = found.tidy(), by_hand(stays())
    np.testing.assert_allclose(rows["estimate"], value, atol=1e-12)
    np.testing.assert_allclose(rows["std_error"], error, rtol=0.12)
    for name, side in (("conf_low", -1.96), ("conf_high", 1.96)):
        assert (np.abs(rows[name] - value - side * error) < 0.4 * error).all()
    assert rows["contrast"].unique().tolist() == ["a - b"]
    assert rows["method"].unique().tolist() == ["unadjusted"]
    assert rows["tau"].tolist() == [10.0] * 4 + [30.0] * 4 + [50.0] * 4
    # somebody is in exactly one state, always
    assert rows.groupby("tau")["estimate"].sum().abs().max() < 1e-9


def test_weighted_it_is_that_of_people_with_the_weights_of_their_score() -> None:
    rows = stays()
    people = rows.drop_duplicates("id").reset_index(drop=True)
    weight = dict(zip(people["id"], propensity(people, "arm", ["age"], focus="a").weights, strict=True))
    value, _ = by_hand(rows.assign(weight=rows["id"].map(weight)), weights="weight")
    found = state_difference(rows, "arm", ["age"], states=STATES, times=AT, tau=TAU, person="id", focus="a", n_boot=60)
    np.testing.assert_allclose(found.tidy()["estimate"], value, atol=1e-9)
    assert found.tidy()["method"].unique().tolist() == ["iptw"]
    assert found.estimand.endswith("in people like those of the focus arm (ATT)")


def test_rows_in_any_order_are_the_same() -> None:
    ask = {"states": STATES, "times": AT, "tau": TAU, "person": "id", "focus": "a", "n_boot": 20}
    one = state_difference(stays(), "arm", **ask).tidy()
    other = state_difference(stays().sort_values(["time", "id"]).reset_index(drop=True), "arm", **ask).tidy()
    np.testing.assert_allclose(one["estimate"], other["estimate"], atol=1e-12)


@pytest.mark.parametrize("times", [30, np.int64(30), {30}, iter([30.0])])
def test_days_may_be_one_number_or_any_of_them_in_a_row(times: object) -> None:
    found = state_difference(stays(), "arm", states=STATES, times=times, tau=TAU, person="id", n_boot=20)  # type: ignore[arg-type]
    assert found.tidy()["tau"].unique().tolist() == [30.0, 50.0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tau": 5000}, "day 5000 lies beyond the last day of follow-up of the focus arm"),
        ({"times": [4000]}, "day 4000 lies beyond"),
        ({"times": None}, "times must name at least one day"),
        ({"times": [-1, 3]}, "times must be finite numbers of days, none below 0"),
        ({"times": [np.nan]}, "times must be finite numbers of days, none below 0"),
        ({"estimand": "atc"}, "estimand 'atc' is not one of att, ate, overlap"),
        ({"n_boot": 19}, "n_boot must be at least 20, it is 19"),
        (
            {"states": ("waiting", "active")},
            rf"^column 'state' has {(~stays()['state'].isin(['waiting', 'active'])).sum()} values that are none of the states: waiting, active$",
        ),
    ],
)
def test_what_cannot_be_asked(changes: dict[str, object], said: str) -> None:
    ask = {"states": STATES, "times": AT, "tau": TAU, "person": "id", "n_boot": 20, **changes}
    with pytest.raises(AnalysisError, match=said):
        state_difference(stays(), "arm", **ask)
