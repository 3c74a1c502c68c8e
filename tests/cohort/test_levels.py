"""Levels that few people have are joined with others, by one rule wherever levels are counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.levels import fewest, joined


def people(**counts: int) -> pd.Series:
    return pd.Series([level for level, n in counts.items() for _ in range(n)])


def test_the_smallest_level_goes_to_the_next_smallest() -> None:
    assert joined(people(a=9, b=1, c=2, d=5), (), 3).value_counts().to_dict() == {"a": 9, "d": 5, "b or c": 3}
    assert joined(people(a=9, b=1, c=2, d=5), (), 4).value_counts().to_dict() == {"a": 9, "b or c or d": 8}


def test_names_and_places_follow_the_usual_order() -> None:
    found = joined(people(a=9, b=1, c=2, d=5), (), 3, ["d", "c", "b", "a"])
    assert list(found.cat.categories) == ["d", "c or b", "a"]
    assert list(joined(people(z=4, a=5), (), 1, ["z"]).cat.categories) == ["z", "a"]


def test_a_level_alone_stands_however_small_and_missing_stays_missing() -> None:
    found = joined(pd.Series(["a", None, "a", np.nan]), (), 10)
    assert found.isna().tolist() == [False, True, False, True]
    assert list(found.cat.categories) == ["a"]
    assert joined(pd.Series([None, None], dtype=object), (), 10).isna().all()


def test_a_categorical_column_and_one_of_numbers_are_joined_alike() -> None:
    found = joined(pd.Series(pd.Categorical(["x"] * 5 + ["y"], categories=["y", "x", "nobody"])), (), 2, ["y", "x"])
    assert list(found.cat.categories) == ["y or x"]
    assert list(joined(pd.Series([1, 1, 2]), (), 2).cat.categories) == ["1 or 2"]


def test_the_fewest_are_counted_in_every_cell_that_could_be() -> None:
    levels = pd.Series(["a", "a", "a", "b", "b", None])
    arm = pd.Series(["x", "x", "y", "x", "x", "y"])
    had = pd.Series([True, True, True, True, False, False])
    assert fewest(levels).to_dict() == {"a": 3, "b": 2}
    assert fewest(levels, arm).to_dict() == {"a": 1, "b": 0}  # nobody of b is in y
    assert fewest(levels, had).to_dict() == {"a": 0, "b": 1}  # everybody of a had it
    assert fewest(levels, arm, had).to_dict() == {"a": 0, "b": 0}
    assert fewest(levels.iloc[:3], had.iloc[:3]).to_dict() == {"a": 0}  # though nobody here had it not


def test_levels_are_joined_by_their_smallest_cell() -> None:
    levels, had = people(a=20, b=20, c=20), pd.Series(([True] * 12 + [False] * 8) * 2 + [True] * 19 + [False])
    assert joined(levels, (had,), 8).value_counts().to_dict() == {"a or c": 40, "b": 20}
    assert joined(levels, (), 8).nunique() == 3


@pytest.mark.timeout(120)
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 12), min_size=1), st.integers(1, 30))
def test_nobody_is_lost_and_no_level_is_small_unless_it_is_alone(counts: dict[str, int], smallest: int) -> None:
    values = people(**counts)
    found = joined(values, (), smallest)
    left = found.value_counts()
    assert left.sum() == len(values)
    assert len(left) == 1 or left.min() >= smallest
    for level, name in zip(values, found, strict=True):
        assert level in name.split(" or ")
