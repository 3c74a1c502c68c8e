"""Axes of shares end a step above what is drawn, and panels that would tell on those withheld are withheld whole."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.figure import Figure

from evalkit.views._placing import end_above, share_axis
from evalkit.views.across import without_one_sided
from views.made import table


@pytest.mark.parametrize(
    ("highest", "end", "step"),
    [
        (0.011, 0.02, 0.01),
        (0.04, 0.06, 0.02),
        (0.16, 0.2, 0.05),
        (0.1999, 0.2, 0.05),
        (0.2, 0.3, 0.1),
        (0.38, 0.4, 0.1),
        (0.4, 0.6, 0.2),
        (0.6, 0.8, 0.2),
        (0.83, 1.0, 0.2),
        (1.0, 1.0, 0.2),
        (float("nan"), 1.0, 0.2),
    ],
)
def test_where_an_axis_of_shares_ends(highest: float, end: float, step: float) -> None:
    assert end_above(highest) == (end, step)
    assert highest < end or highest == end == 1.0 or highest != highest


def test_an_axis_is_as_long_as_its_shares_ask_for() -> None:
    axes = Figure().add_subplot()
    assert share_axis(axes, "y", [0.05, 0.38, float("nan")]) == 0.4
    assert axes.get_ylim() == pytest.approx((0, 0.404))
    assert list(axes.get_yticks()) == [0, 0.1, 0.2, 0.3, 0.4]
    assert [axes.yaxis.get_major_formatter()(tick) for tick in axes.get_yticks()] == ["0%", "10%", "20%", "30%", "40%"]
    assert axes.get_xlim() == (0, 1)


ACROSS = """
group | variable  | label     | n   | n_event | estimate
Pilot | Everybody | Everybody | 100 | 70      | 0.7
Pilot | Gender    | Man       | {m} | 50      | {man}
Pilot | Gender    | Woman     | {w} | -       | {woman}
"""


def shown(man: str, woman: str, n_woman: str = "-") -> list[bool]:
    rows = table(ACROSS.format(m=80, man=man, w=n_woman, woman=woman))
    return list(without_one_sided(rows)["estimate"].notna())


def test_a_characteristic_of_which_only_one_side_can_be_shown_is_withheld_whole() -> None:
    assert shown("0.6", "-") == [True, False, False]  # only those below everybody
    assert shown("0.7", "-") == [True, False, False]  # just as everybody: still they alone
    assert shown("0.8", "-") == [True, False, False]  # the others must lie below
    assert shown("0.6", "0.9", "20") == [True, True, True]
    assert shown("0.6", "0.65", "20") == [True, True, True]  # nothing is withheld


def test_both_sides_may_be_shown_beside_what_is_withheld() -> None:
    rows = table(ACROSS.format(m=40, man="0.6", w=40, woman="0.9") + "Pilot | Gender | Another | - | - | -\n")
    kept = without_one_sided(rows)
    assert list(kept["estimate"].notna()) == [True, True, True, False]
    pd.testing.assert_frame_equal(kept, rows)


def test_what_is_withheld_leaves_no_number_behind() -> None:
    rows = table(ACROSS.format(m=80, man="0.6", w="-", woman="-"))
    kept = without_one_sided(rows)
    assert kept.loc[kept["label"] == "Man", ["n", "n_event", "estimate"]].isna().all(axis=None)
    assert rows.loc[rows["label"] == "Man", "n"].tolist() == [80]  # the rows that were given stay as they are


def test_one_level_that_is_everybody_says_nothing_more() -> None:
    rows = table(ACROSS.format(m=100, man="0.7", w=0, woman="-").replace("Woman     | 0", "Woman     | 0"))
    assert list(without_one_sided(rows)["estimate"].notna()) == [True, False, False]
