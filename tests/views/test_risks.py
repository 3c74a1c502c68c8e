"""What goes with leaving: whose share differs from whose, by how much, and what can be foretold; whole texts and tables."""

from __future__ import annotations

import pytest

from evalkit.disclosure import Safe
from views.drawn import cells
from views.made import GROUPS, safe_of
from views.seen import headline, sentences, table_of

ROWS = """
term               | label                                 | contrast             | tau | estimate | conf_low | conf_high
arm                | Pilot (reference: PAIP)               | 1 - 0                | 182 | -0.2     | -0.29    | -0.11
age                | Age                                   | 45 - 25              | 182 | 0.1      | 0.02     | 0.18
employed           | Employed                              | 1 - 0                | 182 | -0.03    | -0.12    | 0.06
site[north - west] | Site: North - west (reference: South side) | north - west - south_side | 182 | 0.15 | 0.004    | 0.3
"""
OF_WHOM = (
    "Of {}. Everybody is given the one value and then the other, all else as it is. What is compared is linked to the "
    "event; it need not be its cause."
)
ORDER = (
    "Order: a half is a coin, one is certainty. Error: zero is no use, below zero is worse. Calibration: one is right, less is "
    "too extreme. By six months; nobody is given a score."
)


def risks(rows: str = ROWS, stage: str = "after_session", **more: object) -> Safe:
    asked = {"stage": stage} if stage else {}
    return safe_of("standardised_risks", rows, asked=asked, **more)


def line(*places: int) -> str:
    lines = ROWS.strip().splitlines()
    return "\n".join([lines[0], *(lines[place] for place in places)])


def test_what_is_clearly_linked_is_said_with_whom_it_is_compared_with() -> None:
    assert sentences(risks(), GROUPS) == (
        "Clearly linked to the share with disengagement by six months, all else as it is: Group, Pilot against PAIP (11 to 29 points "
        "lower); Age, 45 against 25 (2 to 18 points higher); Site, North - west against South side (0.4 to 30 points higher). Of 4 "
        "comparisons, one can look clear by chance alone."
    )


@pytest.mark.parametrize(
    ("stage", "event"),
    [("after_session", "disengagement"), ("before_session", "a first session"), ("before_intake", "an intake"), ("", "the event")],
)  # fmt: skip
def test_where_nothing_is_clear_the_event_is_that_of_the_stage(stage: str, event: str) -> None:
    said = f"Of 1 comparisons, none is clearly linked to the share with {event} by six months, all else as it is."
    assert sentences(risks(line(3), stage), GROUPS) == said


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (ROWS, "−20.0 points (−29.0 to −11.0), Group, Pilot against PAIP"),
        (line(2, 3), "+10.0 points (+2.0 to +18.0), Age, 45 against 25"),
        (line(3), "−3.0 points (−12.0 to +6.0), Employed, yes against no"),
        (line(2, 4), "+15.0 points (+0.4 to +30.0), Site, North - west against South side"),
    ],
)
def test_the_largest_difference_stands_above_whichever_way_it_goes(rows: str, said: str) -> None:
    assert headline(risks(rows), GROUPS) == f"Largest difference in the share with disengagement by six months: {said}"


@pytest.mark.parametrize("whom", ["people with a first session", ""])
def test_the_table_of_differences(whom: str) -> None:
    assert cells(table_of(risks(population=whom, notes=("A caveat.",)), "A note.")) == [
        ["Characteristic", "Compared", "Difference, points", "95% CI"],
        ["Group", "Pilot against PAIP", "−20.0", "−29.0 to −11.0"],
        ["Age", "45 against 25", "+10.0", "+2.0 to +18.0"],
        ["Employed", "yes against no", "−3.0", "−12.0 to +6.0"],
        ["Site", "North - west against South side", "+15.0", "+0.4 to +30.0"],
        [f"{OF_WHOM.format(whom or 'everybody')} A caveat. A note."],
    ]


def foretold(auc: float, stage: str = "after_session") -> Safe:
    rows = f"""
measure           | method    | tau | estimate
auc               | apparent  | 182 | 0.93
auc               | corrected | 182 | {auc}
scaled_brier      | apparent  | 182 | 0.21
scaled_brier      | corrected | 182 | -0.04
calibration_slope | apparent  | 182 | 1
calibration_slope | corrected | 182 | 0.72
"""
    return safe_of("foretold", rows, asked={"stage": stage} if stage else {})


@pytest.mark.parametrize(
    ("auc", "how", "pairs"),
    [
        (0.85, "can be foretold rather well", 85), (0.8, "can be foretold rather well", 80), (0.799, "can be foretold to some degree", 80),
        (0.6, "can be foretold to some degree", 60), (0.599, "can hardly be foretold", 60), (0.5, "can hardly be foretold", 50),
    ],
)  # fmt: skip
def test_how_well_it_can_be_foretold_of_other_people(auc: float, how: str, pairs: int) -> None:
    assert sentences(foretold(auc), GROUPS) == (
        f"Who will disengage by six months {how} from what is recorded. Of two people, one with the event and one without, the model "
        f"puts the right one first in about {pairs} of a hundred pairs; fifty would be a coin."
    )


@pytest.mark.parametrize(
    ("stage", "who"),
    [("before_intake", "Who will come to an intake"), ("before_session", "Who will come to a first session"), ("", "Who will have the event")],
)  # fmt: skip
def test_who_is_foretold_what(stage: str, who: str) -> None:
    assert sentences(foretold(0.7, stage), GROUPS).startswith(f"{who} by six months can be foretold to some degree")


def test_the_table_of_what_can_be_foretold() -> None:
    assert cells(table_of(foretold(0.66), "A note.")) == [
        ["Measure", "In the people the model was made of", "In other people like them"],
        ["Pairs put in the right order (area under the curve)", "0.93", "0.66"],
        ["Share of the error of knowing nothing that is taken away (scaled Brier score)", "0.21", "−0.04"],
        ["Calibration: slope of what happened on what was foretold", "1.00", "0.72"],
        [f"{ORDER} A note."],
    ]
