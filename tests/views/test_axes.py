"""Axes of shares end a step above what is drawn, and panels that would tell on those withheld are withheld whole."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.figure import Figure

from evalkit.views import mean_gap
from evalkit.views._placing import end_above, key, name_dots, share_axis
from evalkit.views.across import without_one_sided
from views.made import safe_of, table


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


@pytest.mark.parametrize(("groups", "letters", "columns"), [(2, 32, 2), (2, 33, 1), (4, 32, 2), (5, 20, 3), (5, 21, 1)])
def test_a_key_has_as_many_columns_as_its_names_have_room(groups: int, letters: int, columns: int) -> None:
    """Of 14 letters an inch, five of them for each mark; 75.6 letters, of names of which one is a letter shorter."""
    figure = Figure((5.4, 2))
    names = [f"{k}".ljust(letters + (k == 0 and groups < 5), "n") for k in range(groups)]
    key(figure, names, {name: {"color": "#000000"} for name in names}, "os")
    (legend,) = figure.legends
    assert legend._ncols == columns
    assert [text.get_text() for text in legend.texts] == names
    assert [line.get_marker() for line in legend.legend_handles] == list("ososo"[:groups])


@pytest.mark.parametrize(("room", "fits"), [(1.5, False), (2.5, True)])
def test_names_stand_at_their_dots_where_the_frame_has_room_for_them(*, room: float, fits: bool) -> None:
    def named(at: float) -> tuple[bool, list[float]]:
        figure = Figure((4, 2), dpi=100)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 400), ylim=(0, 1))  # a pixel each
        found = name_dots(figure, axes, {"Pilot": (at, 0.5)}, {"Pilot": {"color": "#000000"}})
        return found, [text.get_window_extent().x0 for text in axes.texts]

    _, (left,) = named(300)
    assert named(300 - left + room)[0] is fits
    assert bool(named(300 - left + room)[1]) is fits  # all or none


def test_a_gap_of_means_is_that_of_the_first_contrast() -> None:
    rows = """
contrast | measure         | tau | estimate | conf_low | conf_high
a - b    | rmst_ratio      | 90  | 1.1      | 0.9      | 1.3
a - b    | rmst_difference | 90  | -4       | -7       | -1
a - c    | rmst_difference | 90  | 2        | 1        | 3
"""
    gap = mean_gap(safe_of("rmst_contrast", rows))
    assert gap is not None
    assert (gap.estimate, gap.low, gap.high, gap.day) == (-4, -7, -1, 90)


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
