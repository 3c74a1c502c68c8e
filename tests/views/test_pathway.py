"""What becomes of people, and who leaves: sentences, tables, figures and files from hand-made rows, whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection

from evalkit.disclosure import Safe
from evalkit.views import Look, view_of
from evalkit.words import speaking
from views.drawn import Points, cells, laid_out
from views.made import GROUPS, safe_of

# On day 182 a state of PAIP and two of the Pilot are not told; on day 365 the Pilot has no more than one.
PATHWAY = safe_of("state_occupation", """
group | state     | time | n_risk | estimate | std_error | conf_low | conf_high
Pilot | waiting   | 0    | 90     | 1        | 0         | -        | -
Pilot | active    | 0    | 90     | 0        | 0         | -        | -
Pilot | left      | 0    | 90     | -        | -         | -        | -
Pilot | waiting   | 182  | 80     | -        | -         | -        | -
Pilot | active    | 182  | 80     | 0.526    | 0.04      | 0.43     | 0.61
Pilot | left      | 182  | 80     | 0.394    | 0.04      | 0.31     | 0.48
Pilot | other     | 182  | 80     | 0.08     | -         | -        | -
Pilot | completed | 365  | 60     | 0.477    | 0.04      | 0.39     | 0.56
Pilot | left      | 365  | 60     | 0.4      | 0.04      | 0.31     | 0.47
PAIP  | waiting   | 0    | 200    | 1        | 0         | -        | -
PAIP  | waiting   | 100  | 190    | 0.4      | 0.02      | 0.3      | 0.5
PAIP  | active    | 100  | 190    | 0.6      | 0.02      | 0.5      | 0.7
PAIP  | completed | 182  | 180    | 0.004    | 0.001     | 0.001    | 0.01
PAIP  | active    | 182  | 180    | 0.455    | 0.02      | 0.41     | 0.49
PAIP  | returned  | 182  | 180    | 0.016    | 0.01      | 0.01     | 0.03
PAIP  | waiting   | 182  | 180    | 0.1      | 0.02      | 0.08     | 0.13
PAIP  | lapsed    | 182  | 180    | 0.078    | 0.02      | 0.06     | 0.10
PAIP  | left      | 182  | 180    | -        | -         | -        | -
""")  # fmt: skip
DAYS = safe_of(
    "state_days",
    """
group | state   | tau | estimate | std_error | conf_low | conf_high
Pilot | waiting | 365 | 49       | 6         | 36       | 62
Pilot | lapsed  | 365 | -        | -         | -        | -
PAIP  | waiting | 365 | 66       | 4         | 58       | 73
PAIP  | lapsed  | 365 | 25       | 3         | 20       | 30
""",
)
FROM = """
group                     | state     | time | n_risk | estimate | std_error | conf_low | conf_high
PAIP, lapsed on day 90    | completed | 365  | 40     | 0.3      | 0.1       | 0.1      | 0.5
PAIP, lapsed on day 90    | left      | 365  | 40     | 0.7      | 0.1       | 0.5      | 0.9
"""
COLUMNS = (
    "term | label | contrast | method | tau | estimate | std_error | statistic | p_value | conf_low | conf_high | share"
)
RISKS = f"""
{COLUMNS}
arm | Pilot (reference: PAIP) | 1 - 0 | g-formula | 60 | 0.01 | 0.03 | 0.4 | 0.7 | -0.055 | 0.057 | 0.8
age | Age (years) | 38 - 27 | g-formula | 60 | -0.034 | 0.02 | -2 | 0.04 | -0.059 | {{age}} | 0.8
site[Site 2 - north] | Site: Site 2 - north (reference: Site 1) | Site 2 - north - Site 1 | g-formula | 60 | 0.06 | 0.02 | 3 | 0.01 | {{site}} | 0.12 | 0.8
work | Employed | 1 - 0 | g-formula | 60 | -0.02 | 0.02 | -1 | 0.3 | -0.06 | 0.02 | 0.8
"""  # fmt: skip
ABOUT = {"asked": {"stage": "before_session"}, "population": "people with an intake", "notes": ("One was left out.",)}


def risks(age: str = "0.01", site: str = "-0.01") -> Safe:
    return safe_of("standardised_risks", RISKS.format(age=age, site=site), **ABOUT)


def foretold(auc: str, **about: object) -> Safe:
    rows = f"""
measure           | method    | tau | estimate
auc               | apparent  | 60  | 0.9
auc               | corrected | 60  | {auc}
scaled_brier      | apparent  | 60  | 0.03
scaled_brier      | corrected | 60  | -0.017
calibration_slope | apparent  | 60  | 1
calibration_slope | corrected | 60  | 0.62
"""
    return safe_of("foretold", rows, **{**ABOUT, **about})


COIN = "Of two people, one with the event and one without, the model puts the right one first in about {} of a hundred pairs; fifty would be a coin."
COMPLETED = "Completed is counted since referral, by the rule of the protocol."
SENTENCES: dict[str, tuple[Safe, tuple[str, ...], str]] = {
    "the pathway, on the last day up to half a year that both have": (
        PATHWAY, GROUPS,
        "Of every hundred people in the pilot, at six months after referral about 53 were active and 39 had left. Of every hundred people "
        "in PAIP, at six months after referral about 46 were active, 2 had returned, 10 were waiting for a first session and 8 had "
        f"lapsed. {COMPLETED}",
    ),
    "of one group": (
        PATHWAY, ("Pilot",), f"Of every hundred people in the pilot, at six months after referral about 53 were active and 39 had left. {COMPLETED}",
    ),
    "a study without exits": (
        safe_of("state_occupation", "group | state | time | n_risk | estimate\nPilot | active | 90 | 20 | 0.7\nPilot | lapsed | 90 | 20 | 0.3"),
        ("Pilot",),
        f"Of every hundred people in the pilot, at three months after referral about 70 were active and 30 had lapsed. {COMPLETED} "
        "The exits table is not part of this study: who stopped coming is counted as lapsed here, and nobody as left.",
    ),
    "from a state, on the one day there is": (
        safe_of("state_occupation", FROM, view="from_state"), ("PAIP, lapsed on day 90",),
        f"Of every hundred people in PAIP, lapsed on day 90, at one year about 30 had completed and 70 had left. {COMPLETED}",
    ),
    "only states that are not told apart": (
        safe_of("state_occupation", "group | state | time | n_risk | estimate\nPilot | other | 90 | 20 | 1\nPilot | left | 90 | 20 | -"),
        GROUPS, "Too few people were observed long enough to say anything about a given day.",
    ),
    "days": (
        DAYS, GROUPS,
        "Mean days of the first 365 after referral, in the pilot: waiting 49 (36 to 62). Mean days of the first 365 after "
        "referral, in PAIP: waiting 66 (58 to 73) and lapsed 25 (20 to 30).",
    ),
    "nothing is linked": (
        risks(), GROUPS,
        "Of 4 comparisons, none is clearly linked to the share with a first session by day 60, all else as it is.",
    ),
    "limits that touch zero are not clear": (
        risks("0", "0"), GROUPS,
        "Of 4 comparisons, none is clearly linked to the share with a first session by day 60, all else as it is.",
    ),
    "two are linked, one each way": (
        risks("-0.004", "0.011"), GROUPS,
        "Clearly linked to the share with a first session by day 60, all else as it is: Age (years), 38 against 27 (0.4 to 6 "
        "points lower); Site, Site 2 - north against Site 1 (1 to 12 points higher). Of 4 comparisons, one can look clear by "
        "chance alone.",
    ),
    "hardly foretold": (
        foretold("0.599"), GROUPS, f"Who will come to a first session by day 60 can hardly be foretold from what is recorded. {COIN.format(60)}",
    ),
    "partly foretold": (
        foretold("0.6"), GROUPS,
        f"Who will come to a first session by day 60 can be foretold to some degree from what is recorded. {COIN.format(60)}",
    ),
    "nearly well foretold": (
        foretold("0.799", asked={"stage": "after_session"}), GROUPS,
        f"Who will disengage by day 60 can be foretold to some degree from what is recorded. {COIN.format(80)}",
    ),
    "well foretold, of no stage": (
        foretold("0.8", asked={}), GROUPS,
        f"Who will have the event by day 60 can be foretold rather well from what is recorded. {COIN.format(80)}",
    ),
    "before the intake": (
        foretold("0.484", asked={"stage": "before_intake"}), GROUPS,
        f"Who will come to an intake by day 60 can hardly be foretold from what is recorded. {COIN.format(48)}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SENTENCES)
def test_sentence(name: str) -> None:
    safe, groups, told = SENTENCES[name]
    assert view_of(safe, groups).sentence() == told


TOGETHER = "Days since referral. Not told apart: several states together, each with few people in it. A note."
ADD_UP = "Mean days of the first 365 after referral, with 95% limits. Days in all states, with those not shown, add up to 365. A note."
GIVEN = (
    "Of people with an intake. Everybody is given the one value and then the other, all else as it is. What is compared is "
    "linked to the event; it need not be its cause. One was left out. A note."
)
MEANT = (
    "Order: a half is a coin, one is certainty. Error: zero is no use, below zero is worse. Calibration: one is right, less "
    "is too extreme. By day 60; nobody is given a score. One was left out. A note."
)
TABLES: dict[str, tuple[Safe, list[list[str]]]] = {
    "states on the landmarks after the first day": (
        PATHWAY,
        [["When", "Completed", "Active", "Returned", "Waiting", "Lapsed", "Left", "Not told apart"],
         ["Pilot"],
         ["Six months", "–", "53%", "–", "–", "–", "39%", "8%"],
         ["One year", "48%", "–", "–", "–", "–", "40%", "–"],
         ["PAIP"],
         ["Six months", "under 1%", "46%", "2%", "10%", "8%", "–", "–"],
         [TOGETHER]],
    ),
    "days by state": (
        DAYS,
        [["State", "Pilot", "PAIP"], ["Waiting", "49 (36 to 62)", "66 (58 to 73)"], ["Lapsed", "–", "25 (20 to 30)"], [ADD_UP]],
    ),
    "what is linked": (
        risks("-0.004"),
        [["Characteristic", "Compared", "Difference, points", "95% CI"],
         ["Group", "Pilot against PAIP", "+1.0", "−5.5 to +5.7"],
         ["Age (years)", "38 against 27", "−3.4", "−5.9 to −0.4"],
         ["Site", "Site 2 - north against Site 1", "+6.0", "−1.0 to +12.0"],
         ["Employed", "yes against no", "−2.0", "−6.0 to +2.0"],
         [GIVEN]],
    ),
    "what can be foretold": (
        foretold("0.48"),
        [["Measure", "In the people the model was made of", "In other people like them"],
         ["Pairs put in the right order (area under the curve)", "0.90", "0.48"],
         ["Share of the error of knowing nothing that is taken away (scaled Brier score)", "0.03", "−0.02"],
         ["Calibration: slope of what happened on what was foretold", "1.00", "0.62"],
         [MEANT]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_table(name: str) -> None:
    safe, expected = TABLES[name]
    assert cells(view_of(safe, GROUPS).table("A note.")) == expected


def areas(axes: object) -> dict[str, list[tuple[float, float, float]]]:
    """The areas of a panel by state: day, lower and upper edge."""
    found = {}
    for one in axes.collections:  # type: ignore[attr-defined]
        assert isinstance(one, PolyCollection)
        edges: dict[float, list[float]] = {}
        points: Points = [(float(x), round(float(y), 6)) for x, y in one.get_paths()[0].vertices]
        for x, y in points:
            edges.setdefault(x, []).append(y)
        found[str(one.get_label())] = [(x, min(y), max(y)) for x, y in sorted(edges.items())]
    return found


def test_panels_are_named_in_the_language_of_the_report() -> None:
    with speaking("es-US", {"Pilot": "Piloto", "PAIP": "PAIP"}):
        pilot, _ = laid_out(view_of(PATHWAY, GROUPS).figure()[0]).axes
    assert pilot.get_title(loc="left") == "Piloto"


def test_areas_hold_the_shares_and_what_is_not_told_is_grey() -> None:
    figure, alt = view_of(PATHWAY, GROUPS).figure()
    pilot, paip = laid_out(figure).axes
    assert (pilot.get_title(loc="left"), paip.get_title(loc="left")) == GROUPS
    assert areas(pilot) == {
        "completed": [(0, 0, 0), (182, 0, 0), (365, 0, 0.477)],
        "active": [(0, 0, 0), (182, 0, 0.526), (365, 0.477, 0.477)],
        "waiting": [(0, 0, 1), (182, 0.526, 0.526), (365, 0.477, 0.477)],
        "left": [(0, 1, 1), (182, 0.526, 0.92), (365, 0.477, 0.877)],
        "other": [(0, 1, 1), (182, 0.92, 1), (365, 0.877, 1)],
    }
    assert areas(paip)["waiting"] == [(0, 0, 1), (100, 0.6, 1), (182, 0.475, 0.575)]
    assert areas(paip)["other"] == [(0, 1, 1), (100, 1, 1), (182, 0.653, 1)]
    assert [text.get_text() for text in pilot.texts] == ["completed", "active", "waiting", "left", "not told apart"]
    assert [text.get_text() for text in paip.texts] == ["active", "waiting"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.texts] == ["returned", "lapsed"]
    assert alt == (
        "Pilot, at one year: completed 48%, left 40%. PAIP, at six months: completed under 1%, active 46%, returned 2%, waiting 10%, "
        "lapsed 8%."
    )


@pytest.mark.parametrize("narrow", [False, True])
def test_every_name_lies_within_its_own_area(*, narrow: bool) -> None:
    figure, _ = view_of(PATHWAY, GROUPS, Look(narrow=narrow)).figure()
    canvas, words_of = FigureCanvasAgg(figure), {"not told apart": "other"}
    laid_out(figure)
    named = 0
    for axes in figure.axes:
        edges = areas(axes)
        for text in axes.texts:
            box = text.get_window_extent(canvas.get_renderer()).transformed(axes.transData.inverted())
            name = text.get_text()
            days, low, high = zip(*edges[words_of.get(name, name)], strict=True)
            assert axes.get_xlim()[0] <= box.x0 < box.x1 <= axes.get_xlim()[1]
            for day in (box.x0, box.x1, *(day for day in days if box.x0 < day < box.x1)):
                assert np.interp(day, days, low) <= box.y0 + 0.01, (name, day)
                assert np.interp(day, days, high) >= box.y1 - 0.01, (name, day)
            named += 1
    assert named == 7


def test_a_band_is_named_from_six_percent_on() -> None:
    rows = "group | state | time | n_risk | estimate\n" + "\n".join(
        f"Pilot | {state} | {day} | 90 | {share}" for day in (30, 60) for state, share in (("active", 0.06), ("left", 0.059))
    )  # fmt: skip
    figure, _ = view_of(safe_of("state_occupation", rows), GROUPS).figure()
    assert [text.get_text() for text in figure.axes[0].texts] == ["active", "not told apart"]


def test_the_file_of_the_figure_holds_what_is_drawn_and_no_more() -> None:
    drawn = view_of(PATHWAY, GROUPS, Look(horizon=182)).drawn_numbers()
    told = PATHWAY.estimates.tidy().query("time <= 182").dropna(subset=["estimate"])
    pd.testing.assert_frame_equal(drawn, told[["group", "state", "time", "estimate"]].reset_index(drop=True))


def test_the_file_of_the_table_holds_the_landmarks() -> None:
    numbers = view_of(PATHWAY, GROUPS).numbers()
    assert list(numbers) == ["group", "state", "time", "estimate", "conf_low", "conf_high"]
    assert set(numbers["time"]) == {182, 365}


def test_one_day_is_no_area() -> None:
    view = view_of(safe_of("state_occupation", FROM), ("PAIP, lapsed on day 90",))
    assert view.undrawable
    assert not view.is_empty
    assert view_of(safe_of("state_occupation", FROM, view="from_state")).has_figure is False


def test_the_first_day_alone_is_nothing_to_show() -> None:
    rows = "group | state | time | n_risk | estimate\nPilot | waiting | 0 | 90 | 1\nPilot | active | 30 | 90 | -"
    assert view_of(safe_of("state_occupation", rows), GROUPS).is_empty


@pytest.mark.parametrize(
    ("safe", "told"),
    [
        (PATHWAY, "At six months after referral, 53% in the pilot and 46% in PAIP were active"),
        (
            risks("-0.004"),
            "Largest difference in the share with a first session by day 60: +6.0 points (−1.0 to +12.0), Site, Site 2 - north "
            "against Site 1",
        ),
    ],
)
def test_headline(safe: Safe, told: str) -> None:
    assert view_of(safe, GROUPS).headline() == told


def test_forest_says_each_comparison() -> None:
    figure, alt = view_of(risks(), GROUPS).figure()
    (axes,) = figure.axes
    assert [one.get_text() for one in axes.get_yticklabels()] == [
        "Group, Pilot against PAIP", "Age (years), 38 against 27", "Site, Site 2 - north against Site 1", "Employed, yes against no",
    ]  # fmt: skip
    assert axes.get_xlabel() == "Difference in the share with a first session\nby day 60, percentage points"
    assert alt.startswith(
        "Group, Pilot against PAIP: +1.0 points (−5.5 to +5.7). Age (years), 38 against 27: −3.4 points"
    )
    assert list(view_of(risks(), GROUPS).numbers()["label"])[3] == "Employed, yes against no"


def test_what_has_no_model_says_so() -> None:
    empty = safe_of("foretold", pd.DataFrame({"measure": [], "estimate": pd.Series(dtype=float)}), **ABOUT)
    view = view_of(empty, GROUPS)
    assert view.is_empty
    assert view.absent() == "Not shown: there are too few events for a model, or nothing in which people differ."
