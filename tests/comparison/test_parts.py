"""The parts of the comparison on hand-made people: every edge on both sides, and no answer where there is none."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.analyses import PrecisionOf, _comparable, _sensitivity, _subgroups, imputed
from evalkit.analyses._balance import fewest_of
from evalkit.analyses._compare import fitted
from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from golden import odd_study
from golden.cases import compared

LABEL = {"term": "harm", "label": "Harm"}


def precise(*rows: tuple[str, int, int]) -> pd.DataFrame:
    counts = Tally(pd.DataFrame([{"group": g, **LABEL, "n_event": x, "n": n} for g, x, n in rows]))
    return PrecisionOf(("a", "b"), 2.0, population="people").estimate(counts).tidy()


@pytest.mark.parametrize(
    "rows", [[("a", 0, 9), ("b", 0, 20)], [("a", 1, 9)], [("a", 1, 9), ("b", 0, 0)], [("b", 1, 9), ("c", 3, 9)]]
)
def test_precision_needs_both_groups_and_an_event(rows: list[tuple[str, int, int]]) -> None:
    assert precise(*rows).empty


def test_precision_is_schoenfelds_with_the_focus_share() -> None:
    found = precise(("b", 20, 60), ("a", 5, 20)).set_index("measure")["estimate"]
    z, p, d = stats.norm.ppf(0.975) + stats.norm.ppf(0.8), 0.25, 25
    least = np.exp(z / np.sqrt(d * p * (1 - p)))
    power = stats.norm.cdf(np.sqrt(d * p * (1 - p)) * np.log(2) - stats.norm.ppf(0.975))
    needed = z**2 / (p * (1 - p) * np.log(2) ** 2)
    assert found.to_dict() == pytest.approx(
        {"least ratio": least, "largest ratio": 1 / least, "power": power, "events needed": needed}
    )
    one = precise(("a", 1, 1), ("b", 0, 1))
    assert (one["n"].iloc[0], one["n_event"].iloc[0], one["hazard_ratio"].iloc[0]) == (2, 1, 2.0)


# -- preference scores: classes hold nobody or enough of each arm --------------------------------------------------------
@pytest.mark.parametrize(
    ("first", "second", "smallest", "edges"),
    [
        ([0.05] * 3, [0.05] * 3 + [0.15] * 3, 3, [0.0, 0.1, 0.2]),
        ([0.05] * 2, [0.05] * 3, 3, [0.0, 1.0]),
        ([0.05] * 3 + [0.1] * 2, [0.05] * 3, 3, [0.0, 1.0]),
        ([0.05] * 3 + [0.1] * 3, [0.05] * 3, 3, [0.0, 0.1, 0.2]),
        ([0.05] * 3 + [0.95] * 3, [0.05] * 3 + [1.0] * 3, 3, [0.0, 0.1, 1.0]),
        ([0.05] * 3 + [0.95] * 3, [0.05] * 3 + [0.35] * 3, 3, [0.0, 0.1, 0.4, 1.0]),
    ],
)
def test_classes_of_preference_scores(
    first: list[float], second: list[float], smallest: int, edges: list[float]
) -> None:
    score = np.array(first + second)
    own = np.arange(len(score)) < len(first)
    assert _comparable._edges(score, [own, ~own], smallest) == edges


# -- a middle that is nobody's ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "middle"),
    [([0, 1, 2], 1), ([0, 1, 2, 19], 2), ([0, 2, 2, 20], 0), ([0, 3, 3, 20], 5), ([20, 27, 28, 60], 30), ([20, 27, 27, 60], 25), ([1, 2, 3, 4], 3), ([5, np.nan, 7], 6)],
)  # fmt: skip
def test_quantities_are_split_at_a_round_number(values: list[float], middle: float) -> None:
    assert _subgroups._round_middle(pd.Series(values, dtype=float)) == middle


def test_interaction_by_its_formula() -> None:
    levels = np.array([[0.2, 0.01], [np.nan, np.nan], [-0.1, 0.04], [0.1, 0.02]])
    d, w = np.array([0.2, -0.1, 0.1]), 1 / np.array([0.01, 0.04, 0.02])
    q = (w * (d - (w * d).sum() / w.sum()) ** 2).sum()
    assert _subgroups._interaction(levels) == pytest.approx({"statistic": q, "df": 2, "p_value": stats.chi2.sf(q, 2)})
    assert all(np.isnan(v) for v in _subgroups._interaction(levels[:2]).values())


# -- E-values -----------------------------------------------------------------------------------------------------------
def test_flags_of_characteristics() -> None:
    assert [w for w, _ in _comparable._flags(pd.Series(["b_c", "a", "a"]))] == [": A", ": B c"]
    ((word, two),) = _comparable._flags(pd.Series([3, 5, 3]))
    assert word == "" and two.tolist() == [False, True, False]
    ((word, many),) = _comparable._flags(pd.Series([1, 2, 3, 4]))
    assert word == ", above the median" and many.tolist() == [False, False, True, True]


def test_enough_people_at_a_level_and_not_at_it() -> None:
    flag, focus = pd.Series([True] * 5 + [False] * 5), pd.Series([1, 1, 0, 0, 0, 1, 1, 0, 0, 0])
    assert [_comparable._many(flag, focus, n) for n in (1, 2, 3)] == [True, True, False]
    assert not _comparable._many(pd.Series([True] * 10), focus, 1)


def test_a_ratio_needs_the_level_in_both_arms_and_not_all_of_one() -> None:
    data = pd.DataFrame(
        {"focus": [1, 1, 1, 1, 0, 0, 0, 0], "time": [3, 1, 4, 2, 5, 6, 1, 3], "event": [1, 1, 0, 1, 1, 0, 1, 1]}
    )
    for values in (
        [1, 1, 1, 1, 0, 1, 0, 0],
        [1, 0, 0, 0, 1, 1, 1, 1],
        [0, 0, 0, 0, 1, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0, 0],
    ):
        assert _comparable._ratios(data, pd.Series(values, dtype=bool), rare=True) is None
    found = _comparable._ratios(data, pd.Series([1, 1, 1, 0, 1, 0, 0, 0], dtype=bool), rare=True)
    assert found[0] == pytest.approx(3) and found[1] > 0
    assert _comparable._shift(3, 0.5) == _comparable._shift(1 / 3, 2) == pytest.approx(6 / 4)


# -- the study's own comparison -------------------------------------------------------------------------------------------
def test_within_a_range_both_ends_count() -> None:
    one = compared()
    score = np.sort(one.fit.scores)
    for preference, values in ((False, score), (True, np.sort(one.fit.preference))):
        kept = _sensitivity.within(one, float(values[3]), float(values[-3]), preference=preference)
        assert len(kept.data) == int(((values >= values[3]) & (values <= values[-3])).sum()) < len(one.data)
        assert kept.left_out == one.left_out + len(one.data) - len(kept.data)
        assert (kept.scale, kept.smallest) == (one.scale, one.smallest)
        assert list(kept.data) == list(one.data)
    assert _sensitivity.within(one, 2, 3) is None


def test_of_whom_the_comparison_speaks() -> None:
    assert compared().population == "people with a first session and a value for every characteristic"
    assert compared("harm").population == "people with an intake and a value for every characteristic"


def test_a_day_beyond_what_a_group_is_followed_is_refused_with_both_days() -> None:
    one = compared()
    last = one.data.groupby("focus")["time"].max().min()
    said = f"day {last + 1} lies beyond the last day on which both groups are followed ({last})"
    with pytest.raises(AnalysisError, match=f"^{re.escape(said)}$"):
        one.adjusted(last + 1)


def test_imputed_needs_every_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the groups cannot be compared in one of three, two are not called three."""
    one, calls = odd_study.compared("ate", "harm"), []

    def third(*asked: object, **more: object) -> object:
        calls.append(1)
        return None if len(calls) == 3 else fitted(*asked, **more)

    monkeypatch.setattr(_sensitivity, "fitted", third)
    assert imputed(one, 120, m=3, burn_in=1, n_boot=25).tidy().empty
    assert len(calls) == 3
    monkeypatch.undo()
    labels = imputed(one, 120, m=3, burn_in=1, n_boot=25).tidy()["label"].tolist()
    assert labels == ["People with every value", "Everybody, missing values imputed 3 times"]


def test_the_fewest_with_a_level_or_without_it() -> None:
    rows = [
        ("x", "a", 3, 10, None),
        ("x", "b", 8, 10, None),
        ("q", "a", 7, 7, 70.0),
        ("q", "b", 9, 9, 80.0),
        ("y", "a", 9, 10, None),
        ("y", "b", 5, 10, None),
    ]
    counts = Tally(pd.DataFrame(rows, columns=["term", "group", "n_event", "n", "total"]))
    assert fewest_of(counts).to_dict() == {"q": 7, "x": 2, "y": 1}
