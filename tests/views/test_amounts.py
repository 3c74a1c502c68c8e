"""Amounts of one's own: how many decimals, what stands in each cell, and where dots, limits and numbers are drawn."""

from __future__ import annotations

import pytest

from evalkit.disclosure import Safe
from evalkit.views import Look, view_of
from views.drawn import cells, intervals, lines, said
from views.made import GROUPS, safe_of

HOURS = "mean hours a week"
AMOUNTS = safe_of("mean", """
group | label   | n   | estimate | conf_low | conf_high
PAIP  | Group   | 250 | 3.456    | 3.1      | 3.8
Pilot | Group   | 90  | 2.34     | 2        | 2.7
Pilot | Support | 1200 | 0.5     | -        | -
PAIP  | Support | 40  | -        | -        | -
""", view="amounts", estimand=HOURS)  # fmt: skip
OF_ALL = safe_of("mean", "group | label | n | estimate | conf_low | conf_high\nall | Visits | 340 | 12.34 | 11 | 13.5",
                 view="amounts", estimand=HOURS)  # fmt: skip


def test_each_cell_holds_the_amount_its_limits_and_of_how_many() -> None:
    assert cells(view_of(AMOUNTS, GROUPS).table("A note.")) == [
        ["Measure", "Pilot", "PAIP"], ["Group", "2.34 (2.00 to 2.70); n 90", "3.46 (3.10 to 3.80); n 250"],
        ["Support", "0.50; n 1,200", "–"], ["Mean hours a week. A note."],
    ]  # fmt: skip
    assert cells(view_of(OF_ALL, ("all",)).table()) == [
        ["Measure", "All"], ["Visits", "12.3 (11.0 to 13.5); n 340"], ["Mean hours a week."],
    ]  # fmt: skip


def spoken(safe: Safe, *groups: str) -> str:
    return view_of(safe, groups).sentence().replace("\N{NO-BREAK SPACE}", " ")


def test_each_label_is_a_sentence() -> None:
    assert spoken(AMOUNTS, *GROUPS) == (
        "Mean hours a week. Group: 2.34 in the pilot (2.00 to 2.70; 90 people) and 3.46 in PAIP (3.10 to 3.80; "
        "250 people). Support: 0.50 in the pilot (1,200 people)."
    )
    assert spoken(OF_ALL, "all") == "Mean hours a week. Visits: 12.3 (11.0 to 13.5; 340 people)."
    alone = safe_of("mean", "group | label | n | estimate | conf_low | conf_high\nall | Visits | 340 | 2 | - | -",
                    view="amounts", estimand=HOURS)  # fmt: skip
    assert spoken(alone, "all") == "Mean hours a week. Visits: 2.00 (340 people)."
    nothing = safe_of("mean", "group | label | n | estimate | conf_low | conf_high\nall | Visits | 340 | - | - | -",
                      view="amounts", estimand=HOURS)  # fmt: skip
    assert spoken(nothing, "all") == ""


@pytest.mark.parametrize(("largest", "digits"), [(-100, 0), (99.9, 1), (10, 1), (9.99, 2), ("-", 0)])
def test_an_amount_has_three_figures_of_the_largest(largest: object, digits: int) -> None:
    rows = f"group | label | n | estimate | conf_low | conf_high\nPilot | a | 90 | {largest} | - | -\nPAIP | a | 90 | {'-' if largest == '-' else 1} | - | -"
    assert view_of(safe_of("mean", rows, view="amounts"), GROUPS).digits == digits


def test_dots_their_limits_and_their_numbers() -> None:
    figure, alt = view_of(AMOUNTS, GROUPS).figure()
    (axes,) = figure.axes
    assert lines(axes) == [("focus", [(2.34, -0.175), (0.5, 0.825)]), ("other", [(3.456, 0.175)])]
    assert intervals(axes) == [
        ("focus", [(2.0, -0.175), (2.7, -0.175)]), ("focus", []), ("other", [(3.1, 0.175), (3.8, 0.175)]),
    ]  # fmt: skip
    assert said(axes) == [("ink", "2.34"), ("ink", "0.50"), ("ink", "3.46")]
    assert [text.xy[0] for text in axes.texts] == [2.7, 0.5, 3.8]  # at the end of the limits
    assert [text.get_text() for text in axes.get_yticklabels()] == ["Group", "Support"]
    assert (axes.get_xlabel(), axes.get_xlim()[0], axes.get_ylim()) == ("Mean hours a week", 0, (1.5, -0.5))
    assert [text.get_text() for text in figure.legends[0].texts] == ["Pilot", "PAIP"]
    assert alt == "Pilot: Group 2.34, Support 0.50. PAIP: Group 3.46."


def test_of_one_group_there_is_no_key_and_an_amount_below_0_is_in_the_picture() -> None:
    below = safe_of(
        "mean", "group | label | n | estimate | conf_low | conf_high\nPAIP | A | 40 | -1 | -2.5 | 0.5", view="amounts"
    )
    figure, _ = view_of(below, GROUPS, Look(x_label="Change")).figure()
    assert (figure.legends, figure.axes[0].get_xlabel(), figure.axes[0].get_xlim()[0]) == ([], "Change", -2.5)
