"""Whose line, interval, number and name is whose: every figure from hand-made rows, its words and its files."""

from __future__ import annotations

import pandas as pd
import pytest
from matplotlib.figure import Figure

from evalkit.disclosure import Safe
from evalkit.views import FAMILIES, CurveText, Look, dots_figure, view_of
from evalkit.views.balance import love_figure
from evalkit.views.curves import curve_numbers
from evalkit.views.effects import effects_figure
from evalkit.words import speaking
from views.drawn import (
    at_risk,
    bands,
    beside,
    intervals,
    labels,
    laid_out,
    legend,
    lines,
    rules,
    said,
)  # fmt: skip
from views.made import GROUPS, curve, safe_of, shares, table
from views.seen import draw

WORDS = CurveText("Still in the program", "Days since first session", "still in the program")
STAYED = curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 0    | 90     | 1        | 1        | 1         | pass
Pilot | 30   | 80     | 0.9      | 0.85     | 0.95      | pass
Pilot | 60   | 60     | 0.7      | 0.6      | 0.8       | pass
PAIP  | 0    | 200    | 1        | 1        | 1         | pass
PAIP  | 30   | 180    | 0.5      | 0.45     | 0.55      | pass
PAIP  | 60   | 110    | 0.4      | 0.35     | 0.46      | fail
""")
LEFT = curve("""
group | cause         | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | disengagement | 0    | 90     | 0        | 0        | 0         | pass
Pilot | disengagement | 30   | 80     | 0.1      | 0.05     | 0.15      | pass
Pilot | disengagement | 60   | 60     | 0.3      | 0.2      | 0.4       | pass
Pilot | completion    | 0    | 90     | 0        | 0        | 0         | pass
Pilot | completion    | 30   | 80     | 0.02     | 0.01     | 0.03      | pass
Pilot | completion    | 60   | 60     | 0.05     | 0.04     | 0.06      | pass
PAIP  | disengagement | 0    | 200    | 0        | 0        | 0         | pass
PAIP  | disengagement | 30   | 180    | 0.4      | 0.35     | 0.45      | pass
PAIP  | disengagement | 60   | 110    | 0.5      | 0.46     | 0.55      | pass
PAIP  | completion    | 0    | 200    | 0        | 0        | 0         | fail
PAIP  | completion    | 30   | 180    | 0.04     | 0.03     | 0.05      | fail
PAIP  | completion    | 60   | 110    | 0.07     | 0.06     | 0.08      | fail
""", cause=True)  # fmt: skip


def test_survival_curves() -> None:
    figure, alt = draw(STAYED, GROUPS, Look(WORDS, 60))
    (axes,) = figure.axes
    assert lines(axes) == [("focus", [(0, 1), (30, 0.9), (60, 0.7)]), ("other", [(0, 1), (30, 0.5)])]
    assert bands(axes) == [
        ("focus", [(0, 1, 1), (30, 0.85, 0.95), (60, 0.6, 0.8)]), ("other", [(0, 1, 1), (30, 0.45, 0.55)]),
    ]  # fmt: skip
    assert at_risk(axes) == {
        "Pilot (focus)": {0: "90", 30: "80", 60: "60"}, "PAIP (other)": {0: "200", 30: "180", 60: "110"},
    }  # fmt: skip
    assert beside(axes) == [("focus", "Pilot"), ("other", "PAIP")]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Days since first session", "Still in the program")
    assert axes.get_xlim() == (0, 60)
    assert alt == (
        "Pilot, still in the program: 90% at day 30, 70% at day 60. PAIP, still in the program: 50% at day 30."
    )


def test_curves_end_at_the_horizon_between_two_days() -> None:
    figure, _ = draw(STAYED, GROUPS, Look(WORDS, 45))
    assert lines(figure.axes[0]) == [("focus", [(0, 1), (30, 0.9), (45, 0.8)]), ("other", [(0, 1), (30, 0.5)])]


def test_a_curve_of_the_comparison_alone_keeps_its_colour() -> None:
    rows = STAYED.estimates.data
    alone = curve("group | time | n_risk | estimate | conf_low | conf_high | verdict\n" + "\n".join(
        f"PAIP | {t:g} | {n:g} | {v} | {a} | {b} | pass"
        for t, n, v, a, b in rows.loc[rows["group"] == "PAIP", ["time", "n_risk", "estimate", "conf_low", "conf_high"]].to_numpy()
    ))  # fmt: skip
    figure, alt = draw(alone, GROUPS, Look(horizon=60))
    assert lines(figure.axes[0]) == [("other", [(0, 1), (30, 0.5), (60, 0.4)])]
    assert beside(figure.axes[0]) == [("other", "PAIP")]
    assert alt == "PAIP, without the event: 50% at day 30, 40% at day 60."


def test_a_curve_that_is_known_on_no_tick_is_said_to_be_of_too_few() -> None:
    short = curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 0    | 90     | 1        | 1        | 1         | pass
Pilot | 30   | 80     | 0.9      | 0.85     | 0.95      | pass
PAIP  | 0    | 12     | 1        | 1        | 1         | pass
PAIP  | 30   | -      | -        | -        | -         | fail
""")
    _, alt = draw(short, GROUPS, Look(WORDS, 30))
    assert alt == "Pilot, still in the program: 90% at day 30. PAIP: too few people to show."


def test_the_file_of_survival_curves() -> None:
    assert curve_numbers(STAYED, GROUPS, 60).fillna("").to_numpy().tolist() == [
        ["Pilot", 0, 90, 1, 1, 1], ["Pilot", 30, 80, 0.9, 0.85, 0.95], ["Pilot", 60, 60, 0.7, 0.6, 0.8],
        ["PAIP", 0, 200, 1, 1, 1], ["PAIP", 30, 180, 0.5, 0.45, 0.55], ["PAIP", 60, 110, "", "", ""],
    ]  # fmt: skip
    assert list(curve_numbers(STAYED, GROUPS, 60)) == ["group", "time", "n_risk", "estimate", "conf_low", "conf_high"]


def test_incidences_of_two_causes() -> None:
    figure, alt = draw(LEFT, GROUPS, Look(WORDS, 60))
    first, second = figure.axes
    assert (first.get_title(loc="left"), second.get_title(loc="left")) == ("Disengaged", "Completed")
    assert lines(first) == [("focus", [(0, 0), (30, 0.1), (60, 0.3)]), ("other", [(0, 0), (30, 0.4), (60, 0.5)])]
    assert lines(second) == [("focus", [(0, 0), (30, 0.02), (60, 0.05)])]
    assert bands(first) == [
        ("focus", [(0, 0, 0), (30, 0.05, 0.15), (60, 0.2, 0.4)]), ("other", [(0, 0, 0), (30, 0.35, 0.45), (60, 0.46, 0.55)]),
    ]  # fmt: skip
    assert at_risk(first) == {
        "Pilot (focus)": {0: "90", 30: "80", 60: "60"}, "PAIP (other)": {0: "200", 30: "180", 60: "110"},
    }  # fmt: skip
    assert beside(first) == [("other", "PAIP"), ("focus", "Pilot")]
    assert beside(second) == [("focus", "Pilot")]
    assert [axes.get_ylabel() for axes in (first, second)] == ["", ""]
    assert alt == (
        "Pilot, disengaged: 10% at day 30, 30% at day 60. PAIP, disengaged: 40% at day 30, 50% at day 60. "
        "Pilot, completed: 2% at day 30, 5% at day 60. PAIP: too few people to show."
    )


def test_the_file_of_incidences() -> None:
    assert curve_numbers(LEFT, GROUPS, 60).fillna("").to_numpy().tolist() == [
        ["Pilot", "disengagement", 0, 90, 0, 0, 0], ["Pilot", "disengagement", 30, 80, 0.1, 0.05, 0.15],
        ["Pilot", "disengagement", 60, 60, 0.3, 0.2, 0.4],
        ["Pilot", "completion", 0, 90, 0, 0, 0], ["Pilot", "completion", 30, 80, 0.02, 0.01, 0.03],
        ["Pilot", "completion", 60, 60, 0.05, 0.04, 0.06],
        ["PAIP", "disengagement", 0, 200, 0, 0, 0], ["PAIP", "disengagement", 30, 180, 0.4, 0.35, 0.45],
        ["PAIP", "disengagement", 60, 110, 0.5, 0.46, 0.55],
        ["PAIP", "completion", 0, 200, "", "", ""], ["PAIP", "completion", 30, 180, "", "", ""],
        ["PAIP", "completion", 60, 110, "", "", ""],
    ]  # fmt: skip


def test_incidences_of_one_cause_are_named_by_the_axis() -> None:
    one = curve("""
group | cause         | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | recorded harm | 0    | 90     | 0        | 0        | 0         | pass
Pilot | recorded harm | 30   | 80     | 0.1      | 0.05     | 0.15      | pass
""", cause=True)  # fmt: skip
    figure, alt = draw(one, GROUPS, Look(CurveText("With harm", "Days", "harmed"), 30))
    (axes,) = figure.axes
    assert (axes.get_ylabel(), axes.get_xlabel(), axes.get_title(loc="left")) == ("With harm", "Days", "")
    assert alt == "Pilot, recorded harm: 10% at day 30."


def test_a_cause_of_which_no_line_may_be_drawn() -> None:
    rows = """
group | cause         | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | disengagement | 0    | 90     | 0        | 0        | 0         | pass
Pilot | disengagement | 30   | 80     | 0.1      | 0.05     | 0.15      | pass
Pilot | completion    | 0    | 90     | 0        | 0        | 0         | fail
Pilot | completion    | 30   | 80     | 0.2      | 0.15     | 0.25      | fail
"""
    figure, _ = draw(curve(rows, cause=True), GROUPS, Look(WORDS, 30))
    assert ("grey", "not shown") not in said(figure.axes[0])
    assert said(figure.axes[1]) == [("grey", "not shown")]


WEEKS = """
group | time_from | n   | estimate | conf_low | conf_high
Pilot | 0         | 110 | 1.27     | 1.1      | 1.4
Pilot | 7         | 90  | 0.9      | 0.8      | 1.05
Pilot | 14        | 80  | -        | -        | -
Pilot | 21        | 70  | 0.5      | 0.4      | 0.6
PAIP  | 0         | 310 | 2.1      | 2        | 2.2
PAIP  | 7         | 300 | 1.9      | 1.8      | 2.05
"""


def test_means_by_week() -> None:
    figure, alt = draw(safe_of("sessions_by_week", WEEKS), GROUPS, Look(x_label="Mean sessions"))
    (axes,) = figure.axes
    assert lines(axes) == [
        ("focus", [(1, 1.27), (2, 0.9)]), ("focus", [(4, 0.5)]), ("other", [(1, 2.1), (2, 1.9)]),
    ]  # fmt: skip
    assert bands(axes) == [("focus", [(1, 1.1, 1.4), (2, 0.8, 1.05)]), ("other", [(1, 2, 2.2), (2, 1.8, 2.05)])]
    assert intervals(axes) == [("focus", [(4, 0.4), (4, 0.6)])]
    assert beside(axes) == [("other", "PAIP"), ("focus", "Pilot")]
    assert axes.get_ylabel() == "Mean sessions"
    assert alt == "Pilot: 1.27 in week 1, 0.50 in week 4. PAIP: 2.10 in week 1, 1.90 in week 2."


STEPS = """
group | term      | label     | n_event | n
Pilot | referred  | Referred  | 200     | 200
Pilot | engaged   | Engaged   | 90      | 120
Pilot | completed | Completed | 0       | 0
PAIP  | referred  | Referred  | 500     | 500
PAIP  | engaged   | Engaged   | 150     | 300
PAIP  | completed | Completed | 30      | 120
"""


def test_dots_of_shares() -> None:
    figure, alt = draw(shares("funnel", STEPS, whole="referred"), GROUPS, Look(x_label="Share"))
    laid_out(figure)
    (axes,) = figure.axes
    (engaged, completed) = (float(one) for one in axes.get_yticks())
    dots = lines(axes)
    assert [(hue, [x for x, _ in points]) for hue, points in dots] == [("focus", [0.75]), ("other", [0.5, 0.25])]
    assert dots[0][1][0][1] < engaged < dots[1][1][0][1] < completed < dots[1][1][1][1]
    assert [(hue, [round(x, 2) for x, _ in ends]) for hue, ends in intervals(axes)] == [
        ("focus", [0.67, 0.82]), ("other", [0.44, 0.56]), ("other", [0.18, 0.33]),
    ]  # fmt: skip
    assert labels(axes) == ["Engaged", "Completed"]
    assert said(axes) == [("ink", "75%"), ("ink", "50%"), ("ink", "25%"), ("focus", "Pilot"), ("other", "PAIP")]
    assert [line.get_marker() for line in axes.lines] == ["o", "s"]
    assert alt == "Pilot: engaged 75%. PAIP: engaged 50%, completed 25%."


def test_dots_beside_published_shares() -> None:
    rows = table(
        "group | label | estimate | conf_low | conf_high\nPilot | Here | 0.6 | 0.5 | 0.7\nPAIP | Here | 0.4 | 0.37 | 0.43"
    )
    marks = table("label | estimate | conf_low | conf_high\nCook County | 0.73 | 0.7 | 0.76\nA rule | 0.5 | - | -")
    figure, alt = dots_figure(rows, GROUPS, "Share", marks=marks)
    (axes,) = laid_out(figure).axes
    assert [(hue, [x for x, _ in points]) for hue, points in lines(axes)] == [
        ("focus", [0.6]), ("other", [0.4]), ("grey", [0.73]), ("grey", [0.5]),
    ]  # fmt: skip
    assert [(hue, [x for x, _ in ends]) for hue, ends in intervals(axes)] == [
        ("focus", [0.5, 0.7]), ("other", [0.37, 0.43]), ("grey", [0.7, 0.76]),
    ]  # fmt: skip
    assert [text for _, text in said(axes)][:4] == ["60%", "40%", "73%", "50%"]
    assert labels(axes) == ["Here", "Cook County", "A rule"]
    assert alt == "Pilot: here 60%. PAIP: here 40%. Published: Cook County 73%, A rule 50%."


ACROSS = """
group | variable  | label     | estimate | conf_low | conf_high
Pilot | Everybody | Everybody | 0.6      | 0.5      | 0.7
PAIP  | Everybody | Everybody | 0.4      | 0.37     | 0.43
Pilot | Gender    | Man       | 0.65     | 0.55     | 0.75
PAIP  | Gender    | Man       | 0.35     | 0.3      | 0.4
Pilot | Gender    | Woman     | -        | -        | -
PAIP  | Gender    | Woman     | 0.45     | 0.41     | 0.5
Pilot | Gender    | Another   | -        | -        | -
PAIP  | Gender    | Another   | -        | -        | -
"""
# Of the pilot only men can be shown, who lie above everybody: of its women would be read that they lie below.


def test_shares_across_levels() -> None:
    figure, alt = draw(safe_of("engaged_across", ACROSS), GROUPS, Look(x_label="Share engaged"))
    (axes,) = figure.axes
    assert rules(axes) == [("focus", 0.6), ("other", 0.4)]
    assert labels(axes) == ["Everybody", "Gender", "Man", "Woman", "Another"]
    assert [(hue, x) for hue, points in lines(axes) for x, _ in points] == [
        ("focus", 0.6), ("other", 0.4), ("other", 0.35), ("other", 0.45),
    ]  # fmt: skip
    heights = [y for _, points in lines(axes) for _, y in points]
    everybody, _, man, woman, _ = (float(one) for one in axes.get_yticks())
    assert heights[0] < everybody < heights[1] < man < heights[2] < woman < heights[3]
    assert intervals(axes)[0] == ("focus", [(0.5, heights[0]), (0.7, heights[0])])
    assert said(axes) == [
        ("ink", "60%"), ("focus", "not shown"), ("focus", "not shown"), ("ink", "40%"), ("ink", "35%"), ("ink", "45%"),
        ("grey", "not shown"),
    ]  # fmt: skip
    assert legend(figure) == [("Pilot", "focus", "o"), ("PAIP", "other", "s")]
    assert alt == "Pilot: everybody 60%. PAIP: everybody 40%, man 35%, woman 45%."


REACH = """
group | term   | label  | n_event | n
Pilot | Austin | Austin | 60      | 200
Pilot | Pilsen | Pilsen | 130     | 200
PAIP  | Austin | Austin | 400     | 500
"""


def test_tiles_are_of_the_focus_alone_and_darker_where_more_people_come_from() -> None:
    safe = shares("reach", REACH)
    hidden = safe.estimates.tidy()
    hidden = pd.concat([hidden, hidden[:1].assign(label="Uptown", n_event=float("nan"), estimate=float("nan"))])
    figure, alt = draw(safe_of("reach", hidden), GROUPS, Look(places={"Pilsen": (1, 0), "Austin": (0, 0)}))
    (axes,) = figure.axes
    assert [text for _, text in said(axes)] == [
        "Austin", "30%", "60 people", "Pilsen", "65%", "130 people", "Uptown", "not shown",
    ]  # fmt: skip
    spots = [
        (round(p.get_x(), 2), round(p.get_y(), 2), round(1 - float(sum(p.get_facecolor()[:3])) / 3, 2))
        for p in axes.patches
    ]
    assert [spot[:2] for spot in spots] == [(0.03, 0.05), (1.03, 0.05), (0.03, 1.05)]
    assert spots[1][2] > spots[0][2] > spots[2][2] == 0
    assert alt == "Pilot: Austin 60 people, 30%; Pilsen 130 people, 65%; Uptown not shown."


def test_places_that_no_map_knows_stand_in_rows_below() -> None:
    rows = "\n".join(f"Pilot | {name} | {name} | 20 | 100" for name in "ABCDE")
    five = shares("reach", f"group | term | label | n_event | n\n{rows}")
    for places, corners in (
        ({"C": (1, 1)}, [(0, 2), (1, 2), (1, 1), (2, 2), (3, 2)]),
        ({"X": (2, 0)}, [(0, 1), (1, 1), (2, 1), (3, 1), (0, 2), (2, 0)]),
    ):
        figure, alt = draw(five, GROUPS, Look(places=places))
        tiles = figure.axes[0].patches
        assert [(round(tile.get_x() - 0.03), round(tile.get_y() - 0.05)) for tile in tiles] == corners
        assert alt == "Pilot: " + "; ".join(f"{name} 20 people, 20%" for name in "ABCDE") + (
            "; X none." if "X" in places else "."
        )


def test_bars_are_of_the_focus_alone_longest_first() -> None:
    figure, alt = draw(shares("reach", REACH), GROUPS, Look(x_label="Share"))
    (axes,) = figure.axes
    assert [round(bar.get_width(), 2) for bar in axes.patches] == [0.65, 0.3]
    assert labels(axes) == ["Pilsen", "Austin"]
    assert [text for _, text in said(axes)] == ["65%, 130 people", "30%, 60 people"]
    assert alt == "Pilot: Pilsen 65%, 130 people, Austin 30%, 60 people."


def test_bars_that_are_not_shown_stand_last() -> None:
    rows = shares("reach", REACH).estimates.tidy()
    rows.loc[rows["label"] == "Pilsen", ["n_event", "estimate"]] = float("nan")
    figure, alt = draw(safe_of("reach", rows), GROUPS, Look(x_label="Share"))
    assert labels(figure.axes[0]) == ["Austin", "Pilsen"]
    assert said(figure.axes[0]) == [("ink", "30%, 60 people"), ("grey", "not shown")]
    assert alt == "Pilot: Austin 30%, 60 people, Pilsen not shown."


TREND = """
group | period | variable  | label     | n   | estimate | conf_low | conf_high
Pilot | 2022Q1 | engaged   | Engaged   | 60  | 0.31     | 0.2      | 0.44
Pilot | 2022Q2 | engaged   | Engaged   | 90  | 0.42     | 0.32     | 0.53
PAIP  | 2022Q1 | engaged   | Engaged   | 300 | 0.71     | 0.65     | 0.76
PAIP  | 2022Q2 | engaged   | Engaged   | 400 | 0.82     | 0.78     | 0.86
Pilot | 2022Q2 | completed | Completed | 0   | 0.25     | 0.14     | 0.4
PAIP  | 2022Q2 | completed | Completed | 80  | 0.13     | 0.07     | 0.22
Pilot | 2022Q2 | intake    | Intake    | 0   | -        | -        | -
"""


def test_trends_by_measure() -> None:
    figure, alt = draw(safe_of("trend", TREND), GROUPS, Look())
    engaged, completed, intake = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Engaged", "Completed", "Intake"]
    assert lines(engaged) == [("focus", [(0, 0.31), (1, 0.42)]), ("other", [(0, 0.71), (1, 0.82)])]
    assert lines(completed) == [("other", [(1, 0.13)])]
    assert bands(engaged)[0] == ("focus", [(0, 0.2, 0.44), (1, 0.32, 0.53)])
    assert said(intake) == [("grey", "not shown")]
    assert legend(figure) == [("Pilot", "focus", "o"), ("PAIP", "other", "s")]
    assert [tick.get_text() for tick in engaged.get_xticklabels()] == ["2022\nQ1", "2022\nQ2"]
    assert alt == (
        "Engaged, Pilot: 31% at the end of 2022Q1, 42% at the end of 2022Q2. "
        "Engaged, PAIP: 71% at the end of 2022Q1, 82% at the end of 2022Q2. "
        "Completed, PAIP: 13% at the end of 2022Q2."
    )


@pytest.mark.parametrize(
    ("first", "years"),
    [
        ("2021Q4", {1: "2022", 5: "2023"}),
        ("2022Q1", {0: "2022", 4: "2023"}),
        ("2022Q2", {0: "2022", 3: "2023"}),
        ("2022Q3", {2: "2023"}),
    ],
)
def test_years_stand_where_they_begin(first: str, years: dict[int, str]) -> None:
    year, quarter = int(first[:4]), int(first[-1]) - 1
    names = [f"{year + (quarter + i) // 4}Q{(quarter + i) % 4 + 1}" for i in range(6)]
    rows = "\n".join(f"Pilot | {name} | engaged | Engaged | 60 | 0.5 | 0.4 | 0.6" for name in names)
    figure, _ = draw(safe_of("trend", TREND.strip().splitlines()[0] + "\n" + rows), GROUPS, Look())
    (axes,) = figure.axes
    assert dict(zip(axes.get_xticks(), (t.get_text() for t in axes.get_xticklabels()), strict=True)) == years


EFFECTS = """
label      | method     | estimate | conf_low | conf_high
Unadjusted | unadjusted | 0.2      | 0.08     | 0.32
Weighted   | iptw       | -0.135   | -0.251   | -0.02
"""


def test_effects() -> None:
    figure, alt = draw(safe_of("adjusted_effects", EFFECTS), GROUPS, Look())
    (axes,) = figure.axes
    assert rules(axes) == [("ink", 0)]
    assert lines(axes) == [("grey", [(20, 0)]), ("focus", [(-13.5, 1)])]
    assert intervals(axes) == [("grey", [(8, 0), (32, 0)]), ("focus", [(-25.1, 1), (-2, 1)])]
    assert said(axes) == [("ink", "+20.0"), ("ink", "−13.5")]
    assert labels(axes) == ["Unadjusted", "Weighted"]
    assert axes.get_xlabel() == "Difference, percentage points\n(left of the line: lower in the pilot)"
    assert alt == "Unadjusted: +20.0 points (+8.0 to +32.0). Weighted: −13.5 points (−25.1 to −2.0)."


def test_balance_before_and_after() -> None:
    rows = "label | smd | smd_weighted\nAge | -0.42 | 0.03\nGender | 0.31 | -0.08\nWork | - | 0.1"
    figure, alt = draw(safe_of("balance", rows), GROUPS, Look())
    (axes,) = figure.axes
    dots = [(hue, points) for hue, points in lines(axes) if len(points) == 1]
    assert dots == [("other", [(-0.42, 0)]), ("focus", [(0.03, 0)]), ("other", [(0.31, 1)]), ("focus", [(-0.08, 1)])]
    assert [line.get_marker() for line in axes.lines if line.get_marker() != "None"] == ["s", "o", "s", "o"]
    assert said(axes) == [("other", "square: before"), ("focus", "dot: after")]
    assert labels(axes) == ["Age", "Gender"]
    assert sorted(
        round(float(x), 6) for x in {*axes.patches[0].get_extents().transformed(axes.transData.inverted()).intervalx}
    ) == [-0.1, 0.1]
    assert alt == "Age: −0.42 before, 0.03 after weighting. Gender: 0.31 before, −0.08 after weighting."


def test_overlap_is_mirrored() -> None:
    rows = """
group | score_from | score_to | estimate
Pilot | 0          | 0.5      | 0.2
Pilot | 0.5        | 1        | 0.8
PAIP  | 0          | 0.5      | 0.7
PAIP  | 0.5        | 1        | 0.3
"""
    figure, alt = draw(safe_of("preference", rows, summary={"score_from": 0.3, "score_to": 0.7}), GROUPS, Look())
    (axes,) = figure.axes
    bars = list(axes.patches[1:])
    assert [round(bar.get_height(), 6) for bar in bars] == [0.4, 1.6, -1.4, -0.6]
    assert [name for name in said(axes) if name[1] in GROUPS] == [("focus", "Pilot"), ("other", "PAIP")]
    places = {text.get_text(): text.xy[1] for text in axes.texts}
    assert places["Pilot"] > 0.5 > places["PAIP"]
    assert (places["80%"] > 1.6, places["70%"] < -1.4) == (True, True)
    band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (round(band.x0, 6), round(band.x1, 6)) == (0.3, 0.7)
    assert alt == ("Pilot: 20% from 0.0 to 0.5, 80% from 0.5 to 1.0. PAIP: 70% from 0.0 to 0.5, 30% from 0.5 to 1.0.")


def test_e_values_of_what_was_measured() -> None:
    rows = "term | label | e_value\nestimate | a | 2.11\nlimit | b | 1.26\nx | Age | 1.31\ny | Work | 1.62\n"
    figure, alt = draw(safe_of("e_value", rows), GROUPS, Look())
    (axes,) = figure.axes
    assert rules(axes) == [("focus", 2.11), ("focus", 1.26)]
    assert [text for _, text in said(axes)] == ["1.62", "1.31", "estimate 2.11", "limit 1.26"]
    assert lines(axes) == [("grey", [(1.62, 0), (1.31, 1)])]
    assert labels(axes) == ["Work", "Age"]
    assert alt == "Weighted hazard ratio 2.11, Its limit nearest to no difference 1.26, Work 1.62, Age 1.31."


def test_subgroups() -> None:
    rows = """
variable  | label     | estimate | conf_low | conf_high | p_value
Everybody | Everybody | 0.12     | 0.02     | 0.22      | -
Gender    | Man       | 0.3      | 0.2      | 0.4       | 0.04
Gender    | Woman     | -0.1     | -0.25    | 0.05      | 0.04
"""
    figure, alt = draw(safe_of("subgroups", rows), GROUPS, Look())
    (axes,) = figure.axes
    assert labels(axes) == ["Everybody", "Gender", "    Man", "    Woman"]
    assert lines(axes) == [("focus", [(12, 0)]), ("focus", [(30, 2)]), ("focus", [(-10, 3)])]
    assert intervals(axes) == [
        ("focus", [(2, 0), (22, 0)]),
        ("focus", [(20, 2), (40, 2)]),
        ("focus", [(-25, 3), (5, 3)]),
    ]
    assert [text for _, text in said(axes)] == ["+12", "interaction p = 0.04", "+30", "−10"]
    assert axes.get_xlabel() == "Difference in the share engaged, points\n(left of the line: lower in the pilot)"
    assert alt == (
        "Everybody, Everybody: +12 points (+2 to +22). Gender, Man: +30 points (+20 to +40). "
        "Gender, Woman: −10 points (−25 to +5)."
    )


def test_mean_counts() -> None:
    rows = """
group | time | estimate | conf_low | conf_high
Pilot | 182  | 0.21     | 0.14     | 0.31
Pilot | 365  | 0.42     | 0.33     | 0.55
PAIP  | 182  | 0.36     | 0.30     | 0.44
PAIP  | 365  | -        | -        | -
"""
    figure, alt = draw(safe_of("mean_count", rows), GROUPS, Look(x_label="harm"))
    (axes,) = figure.axes
    curves = [one for one in lines(axes) if one[1][0] == (0, 0)]
    assert curves == [("focus", [(0, 0), (182, 0.21), (365, 0.42)]), ("other", [(0, 0), (182, 0.36)])]
    assert bands(axes) == [
        ("focus", [(0, 0, 0), (182, 0.14, 0.31), (365, 0.33, 0.55)]),
        ("other", [(0, 0, 0), (182, 0.3, 0.44)]),
    ]
    assert beside(axes) == [("focus", "Pilot"), ("other", "PAIP")]
    assert axes.get_ylabel() == "Harm\nper hundred people"
    assert alt == "Pilot: 21 per hundred by six months, 42 per hundred by one year. PAIP: 36 per hundred by six months."


BALANCE = "label | smd | smd_weighted\nAge | -0.42 | 0.03\nGender | 0.31 | -0.08"
SCORES = "group | score_from | score_to | estimate\nPilot | 0 | 0.5 | 0.2\nPilot | 0.5 | 1 | 0.8\nPAIP | 0 | 0.5 | 0.7\nPAIP | 0.5 | 1 | 0.3"
STRENGTH = "term | label | e_value\nestimate | a | 2.11\nlimit | b | 1.26\nx | Age | 1.31\ny | Work | 1.62"
LEVELS = """
variable  | label     | estimate | conf_low | conf_high | p_value
Everybody | Everybody | 0.12     | 0.02     | 0.22      | -
Gender    | Man       | 0.3      | 0.2      | 0.4       | 0.04
"""
COUNTS = """
group | time | estimate | conf_low | conf_high
Pilot | 182  | 0.21     | 0.14     | 0.31
PAIP  | 365  | 0.36     | 0.30     | 0.44
"""
LOWER = "(left of the line: lower in the pilot)"
Frame = tuple[str, str, tuple[float, float], tuple[float, float]]
DAYS, WEEK = "Days since first session", "Week since first attended session"
FRAMES: dict[str, tuple[Safe, Look, list[Frame], tuple[float, float]]] = {
    "survival": (STAYED, Look(WORDS, 60), [(DAYS, "Still in the program", (0, 60), (0, 1.01))], (5.4, 2.26)),
    "incidence": (LEFT, Look(WORDS, 60), [(DAYS, "", (0, 60), (0, 0.606)), (DAYS, "", (0, 60), (0, 0.606))], (6.5, 2.31)),
    "weeks": (safe_of("sessions_by_week", WEEKS), Look(x_label="Mean"), [(WEEK, "Mean", (0, 4), (0, 2.42))], (5.4, 1.75)),
    "dots": (shares("funnel", STEPS, whole="referred"), Look(), [("Share", "", (0, 1.01), (0.78, -0.04))], (5.4, 1.31)),
    "across": (safe_of("engaged_across", ACROSS), Look(), [("", "", (0, 0.808), (1.29, 0))], (5.4, 2.09)),
    "tiles": (shares("reach", REACH), Look(places={"Pilsen": (1, 0), "Austin": (0, 0)}), [("", "", (-0.02, 4), (1, -0.04))],
              (5.4, 0.88)),
    "bars": (shares("reach", REACH), Look(), [("Share", "", (0, 0.878), (1.5, -0.5))], (5.4, 1.03)),
    "trend": (safe_of("trend", TREND), Look(), [("", "", (-0.4, 1.4), (0, 1.01))] * 3, (6.5, 2.15)),
    "effects": (safe_of("adjusted_effects", EFFECTS), Look(),
                [(f"Difference, percentage points\n{LOWER}", "", (-27.955, 34.855), (1.5, -0.5))], (5.4, 1.41)),
    "balance": (safe_of("balance", BALANCE), Look(), [("Standardized mean difference", "", (-0.456, 0.346), (1.5, -1.1))],
                (5.4, 1.19)),
    "overlap": (safe_of("preference", SCORES, summary={"score_from": 0.3, "score_to": 0.7}), Look(),
                [("Preference score (half: characteristics speak for neither group)", "Share of the group\n(areas, not heights)",
                  (0, 1), (-2.32, 2.32))], (5.4, 2.5)),
    "E-values": (safe_of("e_value", STRENGTH), Look(),
                 [("E-value: risk ratio with the group and with the event", "", (0.855, 2.292), (1.5, -0.6))], (6.5, 1.34)),
    "subgroups": (safe_of("subgroups", LEVELS), Look(),
                  [(f"Difference in the share engaged, points\n{LOWER}", "", (-2, 53.3), (2.6, -0.7))], (6.5, 1.5)),
    "counts": (safe_of("mean_count", COUNTS), Look(x_label="harm"),
               [("Days of follow-up", "Harm\nper hundred people", (0, 365), (0, 0.475))], (5.4, 2.3)),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_what_stands_on_the_axes_and_nothing_beyond_the_picture(name: str) -> None:
    safe, look, expected, size = FRAMES[name]
    figure, _ = draw(safe, GROUPS, look)
    found = [
        (axes.get_xlabel(), axes.get_ylabel(), *(tuple(round(float(v), 3) for v in ends) for ends in (axes.get_xlim(), axes.get_ylim())))
        for axes in figure.axes
    ]  # fmt: skip
    assert found == expected
    assert tuple(figure.get_size_inches()) == pytest.approx(size, abs=0.006)
    laid_out(figure)
    for axes in figure.axes:
        for text in axes.texts:
            box = text.get_window_extent()
            assert min(box.x0, box.y0, figure.bbox.x1 - box.x1, figure.bbox.y1 - box.y1) > -2, text.get_text()


@pytest.mark.parametrize(
    ("spots", "tiles"), [({"Austin": (0, 0)}, False), ({"Austin": (0, 0), "Pilsen": (1, 0)}, True)]
)
def test_one_tile_is_no_map(spots: dict[str, tuple[int, int]], tiles: bool) -> None:
    one = "group | term   | label  | n_event | n\nPilot | Austin | Austin | 95      | 95\n"
    figure, _ = draw(shares("reach", one), GROUPS, Look(places=spots))
    shown = {patch.__class__.__name__ for axes in figure.axes for patch in axes.patches}
    assert (shown == {"FancyBboxPatch"}) is tiles


def test_words_of_a_tile_stand_in_it() -> None:
    figure, _ = draw(FRAMES["tiles"][0], GROUPS, FRAMES["tiles"][1])
    (axes,) = laid_out(figure).axes
    for text, tile in zip(axes.texts, [tile for tile in axes.patches for _ in range(3)], strict=True):
        box, around = text.get_window_extent(), tile.get_window_extent()
        assert around.x0 < box.x0 < box.x1 < around.x1, text.get_text()
        assert around.y0 < box.y0 < box.y1 < around.y1, text.get_text()


def test_words_above_the_balance_stand_in_the_frame() -> None:
    figure, _ = draw(FRAMES["balance"][0], GROUPS, Look())
    (axes,) = laid_out(figure).axes
    before, after = (text.get_window_extent() for text in axes.texts)
    frame = axes.get_window_extent()
    assert frame.x0 < before.x0 < before.x1 < after.x0 < after.x1 < frame.x1


@pytest.mark.parametrize("language", ["en-US", "es-US"])
def test_on_a_phone_the_label_of_an_axis_stays_in_the_picture(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr("evalkit.views._view.svg_of", lambda figure: drawn.append(figure) or "")
    with speaking(language):
        view = view_of(safe_of("sessions_by_week", WEEKS), GROUPS, Look(x_label="Mean"))
        view.for_phone(view.figure()[0])
    (figure,) = drawn
    figure.draw_without_rendering()
    for axes in figure.axes:
        label = axes.xaxis.label.get_window_extent()
        assert label.y0 >= figure.bbox.y0
        assert figure.bbox.x0 <= label.x0 < label.x1 <= figure.bbox.x1


WITHOUT_FIGURE = {
    "attrition", "foretold", "from_state", "gate", "gray_test", "late_entry", "mean_gap", "means", "model", "odds",
    "own_model", "plain", "precision", "quantiles", "state_days",
}  # fmt: skip


def test_which_families_have_a_figure() -> None:
    assert {name for name, family in FAMILIES.items() if not family.has_figure} == WITHOUT_FIGURE


SIX_EFFECTS = pd.DataFrame(
    {"label": "a", "method": ["unadjusted", *["iptw"] * 5], "estimate": 0.1, "conf_low": -0.1, "conf_high": 0.3}
)


@pytest.mark.parametrize(
    ("label", "narrow", "lines_"),
    [
        ("a", False, 6.0),
        ("a", True, 6.0),  # a line of its own for each, and no less
        ("a weighted difference", True, 6.0),
        ("a difference of shares after weighting of those who stayed", False, 6.0),
        ("a difference of shares after weighting of those who stayed", True, 6 * 0.6 * 3),  # in three lines of words
    ],
)
def test_each_effect_has_the_height_that_its_words_need(label: str, narrow: bool, lines_: float) -> None:
    figure, _ = effects_figure(SIX_EFFECTS.assign(label=label), "Difference", narrow=narrow)
    assert figure.get_figheight() == pytest.approx(0.85 + 0.28 * lines_)


def test_lines_lead_to_the_scale_and_not_from_row_to_row() -> None:
    balance = pd.DataFrame({"label": ["a", "b"], "smd": [0.3, -0.2], "smd_weighted": [0.05, 0.1]})
    for figure, _ in (effects_figure(SIX_EFFECTS, "Difference"), love_figure(balance)):
        (axes,) = figure.axes
        assert any(line.get_visible() for line in axes.get_xgridlines())
        assert not any(line.get_visible() for line in axes.get_ygridlines())
