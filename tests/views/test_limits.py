"""Where one wording, shape or tick gives way to the next: both sides of every limit."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from evalkit.glossary import NOT_RECORDED
from evalkit.report._mark import as_mark
from evalkit.views import Gap, view_of
from evalkit.views._phrases import amount, common_day, ratio, relation, sized
from evalkit.views.across import _block, _columns, _height
from evalkit.views.counts import common_count_day
from evalkit.views.curves import last_day, ticks
from evalkit.views.places import _laid_out, fitted
from evalkit.words import interval, p_value, percent, points
from views.made import GROUPS, curve, safe_of, shares
from views.seen import (
    drawn_numbers,
    headline,
    is_empty,
    is_unrecorded,
    nothing_to_draw,
    safe_numbers,
    sentences,
    uncertain,
    with_events,
)


# -- numbers ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [(0.00499, 0, "under 1%"), (0.005, 0, "1%"), (0.995, 0, "over 99%"), (0.99499, 0, "99%"), (1.001, 0, "100%"), (1.0, 1, "100.0%"), (0.9996, 1, "over 99%"),
     (0.9994, 1, "99.9%"), (-0.5, 0, "-50%")],
)  # fmt: skip
def test_shares_near_their_ends(value: float, digits: int, said: str) -> None:
    assert percent(value, digits) == said


@pytest.mark.parametrize(
    ("value", "coarse", "said"),
    [(0.0149, True, "≤0.01"), (0.0151, True, "0.02"), (0.0249, True, "0.02"), (0.025, True, "0.03"), (0.02, True, "0.02"), (0.001, False, "0.001"), (0.000999, False, "<0.001"), (1.0, False, "1.000")],
)  # fmt: skip
def test_p_values(value: float, coarse: bool, said: str) -> None:
    assert p_value(value, coarse=coarse) == said
    told = {"≤": f"≤ {said[1:]}", "<": f"< {said[1:]}"}.get(said[0], f"= {said}")
    assert relation(value, coarse=coarse) == told


@pytest.mark.parametrize(("low", "high", "said"), [(1.5, 2.0, "1.5\xa0to\xa02.0"), (-1.0, math.inf, "−1.0\xa0to\xa0∞")])
def test_limits_that_are_no_shares(low: float, high: float, said: str) -> None:
    assert interval(low, high, share=False, digits=1) == said


@pytest.mark.parametrize(
    ("size", "said"), [(1.0, "1"), (0.999, "1.0"), (0.94, "0.9"), (0.05, "0.1"), (2.5, "3"), (12.4, "12")]
)
def test_sizes_of_clear_differences(size: float, said: str) -> None:
    assert sized(size) == said


@pytest.mark.parametrize(
    ("limit", "said"),
    [(1.0, "1.00"), (1.004, "1.004"), (0.996, "0.996"), (1.006, "1.01"), (0.994, "0.99"), (1.0001, "1.000")],
)
def test_limits_of_ratios(limit: float, said: str) -> None:
    assert ratio(limit) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [(0.4, "points", "no points apart"), (-0.49, "points", "no points apart"), (-0.5, "points", "1 point lower"), (0.6, "points", "1 point higher"), (-1.4, "points", "1 point lower"),
     (1.6, "points", "2 points higher"), (-2.0, "points", "2 points lower"), (-1.0, "days", "1 day fewer"), (3.0, "days", "3 days more")],
)  # fmt: skip
def test_differences_that_are_not_clear(value: float, unit: str, said: str) -> None:
    assert amount(value, unit) == said


@pytest.mark.parametrize(
    ("low", "high", "direction"),
    [(0.0, 0.1, "none"), (1e-9, 0.1, "higher"), (-0.1, 0.0, "none"), (-0.1, -1e-9, "lower"), (-0.1, 0.1, "none")],
)
def test_what_is_clear(low: float, high: float, direction: str) -> None:
    assert Gap(0.0, low, high).direction == direction


@pytest.mark.parametrize(("value", "said"), [(0.004, "0"), (-0.004, "0"), (0.006, "+1"), (-0.006, "−1"), (0.2, "+20")])
def test_whole_points(value: float, said: str) -> None:
    assert points(value, 0) == said


def test_values_of_marks() -> None:
    frame = pd.DataFrame({"a": [1.0, 0.1234567, float("inf"), None, pd.NA, pd.NaT, "x", True, 1234567.0]}, dtype=object)
    assert as_mark(frame) == {
        "columns": ["a"],
        "rows": [[1], [0.123457], [None], [None], [None], [None], ["x"], [1], [1234570]],
    }


# -- ticks -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("horizon", "most", "days"),
    [
        (365, 5, [0, 91, 182, 273, 364]), (364, 5, [0, 91, 182, 273, 364]), (182, 5, [0, 91, 182]), (90, 5, [0, 30, 60, 90]), (150, 5, [0, 60, 120]),
        (149, 5, [0, 30, 60, 90, 120]), (730, 5, [0, 365, 730]), (730, 4, [0, 365, 730]), (365, 4, [0, 182, 364]), (60, 5, [0, 30, 60]), (30, 5, [0, 30]), (29, 5, [0]),
        (5000, 5, [0, 365, 730, 1095, 1460, 1825, 2190, 2555, 2920, 3285, 3650, 4015, 4380, 4745]),
    ],
)  # fmt: skip
def test_days_of_an_axis(horizon: float, most: int, days: list[int]) -> None:
    assert ticks(horizon, most) == days


# -- what is there to draw -------------------------------------------------------------------------------------------
def rows(kind: str, text: str, **more: object):
    return safe_of(kind, text, **more)


@pytest.mark.parametrize(
    ("kind", "text", "empty"),
    [
        ("sessions_by_week", "group | n | estimate\nPilot | 9 | 1\nPilot | 9 | 1", False), ("sessions_by_week", "group | n | estimate\nPilot | 9 | 1\nPilot | 0 | 1", True),
        ("hours_by_week", "group | n | estimate\nPilot | 9 | 1\nPilot | 9 | -", True), ("sessions_by_week", "group | n | estimate\nPilot | 9 | 1\nPAIP | 9 | 1", True),
        ("funnel", "n | estimate\n1 | 0.5", False), ("funnel", "n | estimate\n0 | 0.5", True), ("funnel", "n | estimate\n5 | -", True),
        ("balance", "smd | smd_weighted\n0.1 | -", False), ("balance", "smd | smd_weighted\n- | 0.1", True), ("rmst", "estimate\n3", False),
        ("rmst", "estimate\n-", True), ("mean_count", "estimate\n-\n1", False), ("gray_test", "p_value\n0.1", False), ("gray_test", "p_value", True),
    ],
)  # fmt: skip
def test_what_is_empty(kind: str, text: str, empty: bool) -> None:
    assert is_empty(rows(kind, text)) is empty


@pytest.mark.parametrize(
    ("kind", "text", "nothing"),
    [
        ("reach", f"group | term | estimate\nPilot | {NOT_RECORDED} | 1", True), ("reach", f"group | term | estimate\nPilot | a | 1\nPilot | {NOT_RECORDED} | 0", False),
        ("reach", "group | term | estimate\nPilot | a | -\nPAIP | a | 1", True), ("reach", "group | term | estimate\nPilot | a | 0.5\nPAIP | a | -", False),
        ("preference", "group | score_from | estimate\nPilot | 0 | 1\nPAIP | 0.5 | 1", False), ("preference", "group | score_from | estimate\nPilot | 0 | 1\nPAIP | 0 | 1", True), ("preference", "group | score_from | estimate\nPilot | 0 | 1\nPAIP | 0 | -", True),
        ("preference", "group | score_from | estimate\nPilot | 0 | 1\nPAIP | - | 1", True),
        ("funnel", "group | estimate | conf_low | conf_high\nPilot | 1 | 1 | 1", True), ("funnel", "group | estimate | conf_low | conf_high\nPilot | 1 | 0.9 | 1", False),
        ("rmst", "group | estimate | conf_low | conf_high\nPilot | 1 | 1 | 1", False),
    ],
)  # fmt: skip
def test_nothing_to_draw(kind: str, text: str, nothing: bool) -> None:
    assert nothing_to_draw(rows(kind, text), "Pilot") is nothing


def test_scores_of_one_class_are_too_few_people_not_too_short_a_time() -> None:
    found = view_of(safe_of("preference", "group | score_from | estimate\nPilot | 0 | 1\nPAIP | 0 | 1"), GROUPS)
    assert found.absent().startswith("Withheld to protect people: fewer than 11 people")


def test_what_is_recorded_of_nobody_is_of_reach_only() -> None:
    text = f"group | term | estimate\nPilot | {NOT_RECORDED} | 1"
    assert [is_unrecorded(rows(kind, text)) for kind in ("reach", "funnel")] == [True, False]
    assert not is_unrecorded(rows("reach", "group | term | estimate"))


def test_a_share_is_uncertain_where_its_limits_differ() -> None:
    found = uncertain(
        rows("funnel", "n | estimate | conf_low | conf_high\n1 | 1 | 1 | 1\n2 | 0.5 | 0.4 | 0.6\n3 | - | 0.4 | 0.6")
    )
    assert found["n"].tolist() == [2]


CURVES = """
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 30   | 60     | 0.7      | 0.6      | 0.8       | pass
Pilot | 90   | 11     | 0.6      | 0.5      | 0.7       | fail
PAIP  | 30   | 90     | 0.5      | 0.4      | 0.6       | pass
PAIP  | 90   | 90     | 0.4      | 0.3      | 0.5       | pass
"""


@pytest.mark.parametrize(
    ("events", "drawn", "quiet"),
    [({}, 4, []), ({"Pilot": 0}, 2, ["Pilot"]), ({"Pilot": 0, "PAIP": 0}, 4, []), ({"Pilot": 1}, 4, [])],
)
def test_curves_without_events_are_left_out_beside_others(
    events: dict[str, float], drawn: int, quiet: list[str]
) -> None:
    safe, found = with_events(curve(CURVES, events=events))
    assert (len(safe.estimates.data), found) == (drawn, quiet)


def test_days_that_groups_share() -> None:
    table = pd.DataFrame({"group": ["Pilot", "Pilot", "PAIP", "PAIP"], "time": [30.0, 90.0, 30.0, 60.0]})
    assert common_day(table, GROUPS) == common_count_day(table, GROUPS) == 30
    apart = table.iloc[[1, 3]]
    assert common_day(apart, GROUPS) == 90  # none is shared: the last of any
    assert math.isnan(common_count_day(apart, GROUPS))
    assert common_day(table, ("Pilot",)) == common_day(table.iloc[:2], GROUPS) == 90
    assert math.isnan(common_day(table.iloc[:0], GROUPS))


@pytest.mark.parametrize(("n_risk", "day"), [(11, 90), (10, 30)])
def test_the_last_day_with_enough_people_at_risk(n_risk: int, day: float) -> None:
    assert last_day(curve(CURVES.replace("| 11 ", f"| {n_risk} ")), GROUPS) == day


def test_numbers_that_no_figure_shows_stay_out_of_the_files() -> None:
    both = safe_of(
        "balance", "label | smd | smd_weighted | std_dev\na | 0.1 | 0.2 | 3\nb | - | 0.2 | 3\nc | 0.1 | - | 3"
    )
    assert list(safe_numbers(both)) == ["label", "smd", "smd_weighted"]
    assert drawn_numbers(both, GROUPS, 365)["label"].tolist() == ["a"]
    assert list(safe_numbers(curve(CURVES))) == ["group", "time", "n_risk", "estimate", "conf_low", "conf_high"]


# -- headlines and sentences -----------------------------------------------------------------------------------------
def weeks(*n: int) -> str:
    lines = "\n".join(f"Pilot | {7 * i} | {size} | {2 - i / 2} | 0 | 3" for i, size in enumerate(n))
    return headline(
        safe_of("sessions_by_week", f"group | time_from | n | estimate | conf_low | conf_high\n{lines}"), GROUPS
    )


def test_a_mean_is_told_of_fifty_people_and_more() -> None:
    assert "2.0" in weeks(50, 50) and "1.5" in weeks(50, 50)
    assert "1.5" not in weeks(50, 49) and weeks(49, 49) == ""
    small = safe_of("hours_by_week", "group | time_from | n | estimate\nPilot | 0 | 49 | 2\nPilot | 7 | 50 | 1")
    assert "week 2" in headline(small, GROUPS) and "week 1" not in headline(small, GROUPS)


def reach(first: int, second: int) -> str:
    text = (
        f"group | term | label | n_event | n\nPilot | a | Area A | {first} | 200\nPilot | b | Area B | {second} | 200"
    )
    return headline(shares("reach", text), GROUPS)


def test_the_lead_of_a_place_is_more_than_rounding() -> None:
    assert "Area B" in reach(60, 55) and "Area B" in reach(60, 60)
    assert "Area B" not in reach(60, 54)
    assert "Area A" in reach(60, 54)


def e_values(value: float, limit: float, best: float) -> str:
    text = (
        f"term | label | estimate | conf_low | conf_high | e_value\nestimate | x | 1.8 | 1.2 | 2.4 | {value}\nlimit | x | 1.2 | 1.2 | 2.4 | {limit}\n"
        f"a | Age | 1.1 | 1 | 2 | 1.05\nb | Work | 1.1 | 1 | 2 | {best}"
    )
    return sentences(safe_of("e_value", text), GROUPS, event="harm")


FRAGILE = "An unmeasured characteristic no stronger than that could explain the result."


@pytest.mark.parametrize(
    ("limit", "best", "clear", "tail"),
    [
        (1.5, 1.5, True, FRAGILE),
        (1.5, 1.49, True, ""),
        (1.0, 3.0, False, ""),
        (1.01, 1.01, True, FRAGILE),
        (1.06, 1.0, True, ""),
    ],
)
def test_what_measured_things_say_of_unmeasured_ones(limit: float, best: float, clear: bool, tail: str) -> None:
    said = e_values(3.0, limit, best)
    strongest = max((best, "Work"), (1.05, "Age"))
    told = f"the strongest reaches {strongest[0]:.2f}: {strongest[1]}. {tail}".strip()
    assert said.endswith(told if clear else "Something unmeasured could hide a difference.")
    assert ("To explain it away" in said) is clear


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.04, "The difference between the groups may depend on Age (p = 0.04). 2 characteristics were tested: with several tests a small "
               "p value can be chance alone."),
        (0.05, "The difference between the groups was compared across the levels of 2 characteristics. In none is there a clear sign that "
               "it depends on the characteristic (smallest p = 0.05, Age)."),
    ],
)  # fmt: skip
def test_subgroups_that_differ(p: float, said: str) -> None:
    text = (
        f"variable | p_value | estimate | conf_low | conf_high\nAge | {p} | 0.1 | 0 | 0.2\nWork | 0.6 | 0.1 | 0 | 0.2"
    )
    assert sentences(safe_of("subgroups", text), GROUPS) == said


def test_a_clear_difference_of_less_than_a_day_is_not_written_as_0() -> None:
    text = "measure | tau | estimate | conf_low | conf_high\nrmst_difference | 90 | 2 | 0.4 | 3.6"
    assert sentences(safe_of("rmst_contrast", text), GROUPS, event="harm") == (
        "Over three months, people in the pilot spent clearly more days without harm than people in PAIP: 0.4 to 4 days more."
    )


# -- places of texts -------------------------------------------------------------------------------------------------
def test_tiles_without_a_place_stand_four_in_a_row_below() -> None:
    assert _laid_out(["a", "b", "c", "d", "e", "f"], {"a": (2, 1), "x": (9, 9)}) == {
        "a": (2, 1), "b": (0, 2), "c": (1, 2), "d": (2, 2), "e": (3, 2), "f": (0, 3)
    }  # fmt: skip
    assert _laid_out(["a"], {}) == {"a": (0, 0)}


def test_names_are_broken_then_smaller_then_cut() -> None:
    allowed = ((9.0, 1), (8.0, 2))
    assert fitted("Hall", 200, allowed) == ("Hall", 9.0)
    text, size = fitted("Chicago Lawn and more", 60, allowed)
    assert (text.count("\n"), size) == (1, 8.0)
    text, size = fitted("Chicago Lawn and West Englewood and South Chicago", 50, allowed)
    assert text.endswith("…") and text.count("\n") == 1 and size == 8.0
    text, _ = fitted("Unbrokennameofaplacethatislong", 50, allowed)
    assert text.endswith("…") and "\n" not in text


def test_blocks_of_levels() -> None:
    own = pd.DataFrame({"variable": "Site", "label": ["a", "b", "b", "c"], "estimate": [0.5, None, None, 0.2]})
    heading, first, last, hidden = _block(own, 2)
    assert [heading.bold, first.level, last.level, hidden.text, hidden.hidden] == [True, "a", "c", "b", True]
    assert first.height == pytest.approx(0.31)
    (everybody,) = _block(pd.DataFrame({"variable": ["All"], "label": ["All"], "estimate": [0.5]}), 1)
    assert (everybody.level, everybody.height) == ("All", pytest.approx(0.17))
    many = [_block(own.assign(variable=name), 2) for name in "pqrs"]
    columns = _columns(many)
    assert [len(column) for column in columns] == [4, 4, 8] or max(map(_height, columns)) <= 2 * _height(many[0]) + 1e-9
    assert len(_columns(many[:1])) == 1
    assert [line.text for line in _columns([[everybody], many[0]])[0]][:2] == ["All", "p"]


def test_of_equal_p_values_the_first_characteristic_is_named() -> None:
    """As the table has them, however many there are: sorting may not mix them."""
    lines = [f"V{k} | a | 0.1 | 0 | 0.2 | {0.2 if k in {7, 31} else 0.3}" for k in range(40)]
    rows = "variable | label | estimate | conf_low | conf_high | p_value\n" + "\n".join(lines)
    text = sentences(safe_of("subgroups", rows), ("Pilot", "PAIP"))
    assert "V7" in text and "V31" not in text
    alike = "\n".join(
        line.replace("| 0.2\n", "| 0.3\n") for line in rows.replace("0.2 | 0.2", "0.2 | 0.3").splitlines()
    )
    assert "V0" in sentences(safe_of("subgroups", alike), ("Pilot", "PAIP"))
