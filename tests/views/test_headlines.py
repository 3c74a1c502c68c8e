"""What the headline above each figure says, whole, one row of the table for each branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import pytest

from evalkit.counts import DayCounts
from evalkit.disclosure import Safe
from evalkit.views import Gap
from views.made import GROUPS, HIGHER, LOWER, NONE, curve, safe_of, shares
from views.seen import headline


@dataclass(frozen=True)
class Case:
    """What stands above a figure."""

    text: str
    safe: Safe
    event: str = ""
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    groups: tuple[str, ...] = GROUPS


def on(day: float, gap: Gap) -> Gap:
    return Gap(gap.estimate, gap.low, gap.high, day)


def stayed(later: str = "pass", counts: DayCounts | None = None) -> Safe:
    return curve(f"""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 90   | 60     | 0.71     | 0.63     | 0.79      | pass
Pilot | 182  | 40     | 0.55     | 0.44     | 0.66      | {later}
PAIP  | 90   | 150    | 0.52     | 0.46     | 0.58      | pass
PAIP  | 182  | 100    | 0.33     | 0.28     | 0.39      | {later}
""", counts=counts)  # fmt: skip


def weighted() -> DayCounts:
    rows = pd.DataFrame(
        [("Pilot", 9.0, 60, 20, 40, 60.0, 20.0, 40.0)],
        columns=["group", "time", "n_entry", "n_event_1", "n_censor", "w_entry", "w_event_1", "w_censor"],
    )
    return DayCounts(rows)


LEFT = curve("""
group | cause         | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | disengagement | 90   | 60     | 0.27     | 0.21     | 0.34      | pass
Pilot | disengagement | 182  | 60     | 0.30     | 0.21     | 0.34      | fail
Pilot | completion    | 90   | 60     | 0.12     | 0.08     | 0.17      | pass
PAIP  | disengagement | 90   | 150    | 0.44     | 0.38     | 0.50      | pass
PAIP  | disengagement | 182  | 150    | 0.50     | 0.38     | 0.50      | fail
PAIP  | completion    | 90   | 150    | 0.31     | 0.26     | 0.37      | pass
""", cause=True)  # fmt: skip
STEPS = """
group | term      | label     | n_event | n
Pilot | referred  | Referred  | 200     | 200
Pilot | intake    | Intake    | 150     | 200
Pilot | engaged   | Engaged   | 90      | 120
PAIP  | referred  | Referred  | 500     | 500
PAIP  | engaged   | Engaged   | 150     | 300
"""
RATES = """
group | term | label           | n   | estimate | conf_low | conf_high
Pilot | a    | Attendance rate | 110 | 0.81     | 0.75     | 0.86
Pilot | b    | Another         | 110 | 0.41     | 0.35     | 0.46
PAIP  | a    | Attendance rate | 320 | 0.64     | 0.61     | 0.67
"""


def weeks(*rows: tuple[str, int, int, float], kind: str = "sessions_by_week") -> Safe:
    lines = [f"{group} | {7 * (week - 1)} | {n} | {mean}" for group, week, n, mean in rows]
    return safe_of(kind, "\n".join(["group | time_from | n | estimate", *lines]))


CURVES = {
    "clearly higher": Case(
        "By six months, 55% in the pilot and 33% in PAIP were well: clearly higher", stayed(), "well", {"": on(182, HIGHER)}
    ),
    "clearly lower": Case(
        "By six months, 55% in the pilot and 33% in PAIP were well: clearly lower", stayed(), "well", {"": on(182, LOWER)}
    ),
    "unclear on the last day": Case(
        "By six months, 55% in the pilot and 33% in PAIP were well: difference unclear", stayed(), "well", {"": on(182, NONE)}
    ),
    "unclear on an early day": Case(
        "By three months, 71% in the pilot and 52% in PAIP were well: difference unclear by then",
        stayed("fail"), "well", {"": on(90, NONE)},
    ),
    "clear on an early day": Case(
        "By three months, 71% in the pilot and 52% in PAIP were well: clearly lower", stayed("fail"), "well", {"": on(90, LOWER)}
    ),
    "a difference of another day": Case(
        "By six months, 55% in the pilot and 33% in PAIP were well", stayed(), "well", {"": on(90, HIGHER)}
    ),
    "no difference may be told": Case("By six months, 55% in the pilot and 33% in PAIP were well", stayed(), "well"),
    "one group": Case("By six months, 55% in the pilot were well", stayed(), "well", groups=("Pilot",)),
    "nothing quoted": Case("", stayed().until(30), "well", {"": on(90, HIGHER)}),
    "weighted": Case("", stayed(counts=weighted()), "well", {"": on(182, HIGHER)}),
    "the first cause, with its difference": Case(
        "By three months, disengaged: 27% in the pilot and 44% in PAIP; clearly lower",
        LEFT, gaps={"disengagement": on(90, LOWER), "completion": on(90, HIGHER)},
    ),
    "the first cause, unclear on an early day": Case(
        "By three months, disengaged: 27% in the pilot and 44% in PAIP; difference unclear by then",
        LEFT, gaps={"disengagement": on(90, NONE)},
    ),
    "the first cause, without a difference": Case(
        "By three months, disengaged: 27% in the pilot and 44% in PAIP", LEFT, gaps={"disengagement": on(60, LOWER)}
    ),
    "the first cause is not quoted": Case(
        "",
        curve("""
group | cause         | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | disengagement | 90   | 60     | 0.27     | 0.21     | 0.34      | fail
Pilot | completion    | 90   | 60     | 0.12     | 0.08     | 0.17      | pass
""", cause=True),
    ),
    "no cause is quoted": Case("", LEFT.until(30)),
}  # fmt: skip
SHARES = {
    "engaged, before anybody could complete": Case("Engaged: 75% in the pilot and 50% in PAIP", shares("funnel", STEPS)),
    "completed, once it is known": Case(
        "Completed: 25% in the pilot and 0% in PAIP",
        shares("funnel", f"{STEPS}Pilot | completed | Completed | 10 | 40\nPAIP | completed | Completed | 0 | 80\n"),
    ),
    "one arm has no time": Case(
        "Completed: 25% in the pilot",
        shares("funnel", f"{STEPS}Pilot | completed | Completed | 10 | 40\nPAIP | completed | Completed | 0 | 0\n"),
    ),
    "neither": Case("", shares("funnel", "group | term | label | n_event | n\nPilot | intake | Intake | 20 | 40")),
    "the first label of shares": Case("Attendance rate: 81% in the pilot and 64% in PAIP", safe_of("attendance_rate", RATES)),
    "the first label of one group": Case("Attendance rate: 64% in PAIP", safe_of("proportion", RATES), groups=("PAIP",)),
    "no share": Case("", safe_of("proportion", "group | term | label | estimate\nPilot | a | A | -")),
    "means of weeks": Case(
        "Weekly sessions in the pilot: 1.3 in week 1, 0.6 in week 12",
        weeks(("PAIP", 1, 300, 2.2), ("Pilot", 12, 55, 0.64), ("Pilot", 1, 110, 1.27), ("Pilot", 13, 45, 0.21)),
    ),
    "of one week": Case("Weekly sessions in the pilot: 1.3 in week 3", weeks(("Pilot", 3, 50, 1.27), ("PAIP", 1, 90, 2.0))),
    "of the other group where the focus is not shown": Case(
        "Weekly sessions in PAIP: 2.2 in week 1, 2.0 in week 2", weeks(("PAIP", 1, 300, 2.2), ("PAIP", 2, 290, 2.0))
    ),
    "hours are no sessions": Case(
        "Weekly hours in the pilot: 2.1 in week 1, 1.0 in week 2",
        weeks(("Pilot", 1, 90, 2.1), ("Pilot", 2, 80, 1.0), kind="hours_by_week"),
    ),
    "hours of one week": Case("Weekly hours in PAIP: 1.8 in week 4", weeks(("PAIP", 4, 90, 1.8), kind="hours_by_week")),
    "of too few for a mean": Case("", weeks(("Pilot", 1, 45, 1.27), ("PAIP", 1, 300, 2.2))),
}  # fmt: skip


def reach(*rows: tuple[str, str, int, int]) -> Safe:
    lines = [f"{group} | {name} | {name} | {x} | {n}" for group, name, x, n in rows]
    return shares("reach", "\n".join(["group | term | label | n_event | n", *lines]))


def across(*rows: tuple[str, str, str, int, int]) -> Safe:
    lines = [" | ".join([g, f"{v} {name}", v, name, str(x), str(n)]) for g, v, name, x, n in rows]
    return shares("engaged_across", "\n".join(["group | term | variable | label | n_event | n", *lines]))


ONE = (("Pilot", "Austin", 60, 100), ("Pilot", "Pilsen", 40, 100), ("PAIP", "Pilsen", 300, 310))
TWO = (("Pilot", "Austin", 40, 100), ("Pilot", "Pilsen", 40, 100), ("Pilot", "Uptown", 20, 100))
NEAR = (("Pilot", "Austin", 45, 100), ("Pilot", "Pilsen", 40, 100), ("Pilot", "Uptown", 15, 100))
ALL = (("Pilot", "Austin", 95, 95), ("PAIP", "Pilsen", 300, 310))
REACH = {
    "one place leads": Case("The largest share of the people in the pilot came from Austin: 60 people, or 60%", reach(*ONE), "tiles"),
    "one source leads": Case("Austin is the most common source of referrals in the pilot: 60%", reach(*ONE)),
    "two places are level": Case(
        "The largest shares of the people in the pilot came from Austin and Pilsen: 40 people, or 40%, from each", reach(*TWO), "tiles"
    ),
    "two sources are level": Case("Austin and Pilsen are the most common sources of referrals in the pilot: 40% each", reach(*TWO)),
    "places a rounding apart": Case(
        "People in the pilot came in similar numbers from Austin and Pilsen: 40% to 45%", reach(*NEAR), "tiles"
    ),
    "sources a rounding apart": Case(
        "The most common sources of referrals in the pilot are Austin and Pilsen: 40% to 45%", reach(*NEAR)
    ),
    "more than a rounding apart": Case(
        "Austin is the most common source of referrals in the pilot: 46%",
        reach(("Pilot", "Austin", 46, 100), ("Pilot", "Pilsen", 40, 100)),
    ),
    "everybody from one place": Case("Everybody in the pilot came from Austin: 95 people", reach(*ALL), "tiles"),
    "everybody from one source": Case("Austin is the source of all referrals in the pilot", reach(*ALL)),
    "a place that nobody recorded leads nothing": Case(
        "Austin is the most common source of referrals in the pilot: 20%",
        reach(("Pilot", "not recorded", 80, 100), ("Pilot", "Austin", 20, 100)),
    ),
    "nothing recorded": Case("", reach(("Pilot", "not recorded", 80, 80), ("PAIP", "Austin", 20, 100))),
    "of the other group alone": Case("", reach(("PAIP", "Austin", 20, 100))),
    "levels that differ": Case(
        "Engagement in the pilot differs by area: Austin 40% to Pilsen 75%",
        across(("Pilot", "Area", "Pilsen", 75, 100), ("Pilot", "Area", "Austin", 40, 100), ("PAIP", "Area", "Uptown", 1, 99),
               ("Pilot", "Gender", "Man", 60, 100), ("Pilot", "Gender", "Woman", 64, 100)),
    ),
    "a clear range goes before a larger one": Case(
        "Engagement in the pilot differs by gender: Man 40% to Woman 55%",
        across(("Pilot", "Gender", "Man", 400, 1000), ("Pilot", "Gender", "Woman", 550, 1000),
               ("Pilot", "Area", "Austin", 5, 20), ("Pilot", "Area", "Pilsen", 9, 20)),
    ),
    "levels that may be alike": Case(
        "Engagement in the pilot does not clearly differ by area: Austin 30% to Pilsen 40%",
        across(("Pilot", "Area", "Austin", 30, 100), ("Pilot", "Area", "Pilsen", 40, 100)),
    ),
    "levels that are alike": Case("", across(("Pilot", "Area", "Austin", 30, 100), ("Pilot", "Area", "Pilsen", 60, 200))),
    "a hidden level": Case(
        "Too few kinds of people in the pilot can be shown to say whether some engage better",
        across(("Pilot", "Area", "Austin", 30, 100), ("Pilot", "Area", "Pilsen", 0, 0)),
    ),
    "everybody is no level": Case("", across(("Pilot", "Everybody", "Everybody", 0, 0))),
}  # fmt: skip
TREND = """
group | period | variable  | label     | n   | estimate | conf_low | conf_high
Pilot | 2022Q1 | engaged   | Engaged   | 60  | 0.31     | 0.2      | 0.4
Pilot | 2022Q2 | engaged   | Engaged   | 90  | 0.42     | 0.3      | 0.5
Pilot | 2022Q3 | engaged   | Engaged   | 120 | 0.55     | 0.46     | 0.63
Pilot | 2022Q2 | completed | Completed | 30  | 0.11     | 0.05     | 0.2
Pilot | 2022Q3 | completed | Completed | 40  | 0.25     | 0.14     | 0.4
Pilot | 2022Q2 | intake    | Intake    | 150 | 0.91     | 0.8      | 0.95
Pilot | 2022Q3 | intake    | Intake    | 180 | 0.95     | 0.9      | 0.98
PAIP  | 2022Q2 | engaged   | Engaged   | 300 | 0.71     | 0.6      | 0.8
PAIP  | 2022Q3 | engaged   | Engaged   | 400 | 0.82     | 0.7      | 0.9
"""
EFFECTS = """
label | method     | estimate | conf_low | conf_high
A     | unadjusted | 0.3      | 0.2      | 0.4
B     | iptw       | {}       | {}       | {}
C     | both       | 0.31     | 0.21     | 0.41
"""
LEVELS = "variable | label | estimate | conf_low | conf_high | p_value\nEverybody | Everybody | {} | {} | {} | -\n"
STRENGTH = "term | label | e_value\nestimate | a | 2.11\nlimit | b | 1.56\nx | Age | 1.31\ny | Work | 1.42\n"
COUNTS = """
group | time | estimate | conf_low | conf_high
Pilot | 182  | 0.21     | 0.14     | 0.31
Pilot | 365  | 0.42     | 0.33     | 0.55
PAIP  | 182  | 0.36     | 0.30     | 0.44
"""
OTHERS = {
    "two measures, each without its share of a quarter ago": Case(
        "At the end of the quarter, in the pilot: Engaged, 55% (46% to 63%); Completed, 25% (14% to 40%); page one says "
        "whether that is a change", safe_of("trend", TREND),
    ),
    "nobody's time is over for a measure": Case(
        "At the end of the quarter, in the pilot: Engaged, 55% (46% to 63%); page one says whether that is a change",
        safe_of("trend", TREND.replace("| 40 ", "| 0  ")),
    ),
    "nothing is known now, and older shares are not now": Case(
        "", safe_of("trend", f"{TREND.rstrip()}\nPilot | 2022Q4 | engaged | Engaged | 130 | - | - | -"
                             "\nPAIP | 2022Q4 | engaged | Engaged | 400 | - | - | -"),
    ),
    "a measure that is not known now": Case(
        "At the end of the quarter, in the pilot: Completed, 25% (14% to 40%); page one says whether that is a change",
        safe_of("trend", TREND.replace("| 120 | 0.55     | 0.46     | 0.63", "| 120 | -        | -        | -   ")),
    ),
    "people by quarter of referral": Case("", safe_of("referral_cohorts", TREND)),
    "adjusted, higher": Case(
        "After adjustment, +13.5 points (+2.0 to +25.1): clearly higher",
        safe_of("adjusted_effects", EFFECTS.format(0.135, 0.02, 0.251)),
    ),
    "adjusted, lower": Case(
        "After adjustment, −13.5 points (−25.1 to −2.0): clearly lower",
        safe_of("adjusted_effects", EFFECTS.format(-0.135, -0.251, -0.02)),
    ),
    "adjusted, unclear": Case(
        "After adjustment, 0.0 points (−9.1 to +8.2): difference unclear",
        safe_of("adjusted_effects", EFFECTS.format(-0.0001, -0.091, 0.082)),
    ),
    "not adjusted": Case("", safe_of("adjusted_effects", "\n".join(EFFECTS.strip().splitlines()[:2]))),
    "balance": Case(
        "Largest difference 0.42 before weighting, 0.08 after",
        safe_of("balance", "label | smd | smd_weighted\nA | -0.42 | 0.03\nB | 0.31 | -0.08"),
    ),
    "sensitivity": Case(
        "Under other choices, from −9.0 to +12.0 points",
        safe_of("sensitivity", "label | estimate\nMain | 0.03\nA | 0.12\nB | -0.09"),
    ),
    "imputed": Case(
        "With missing values imputed, +6.0 points (+2.0 to +9.0); without, +4.0",
        safe_of("imputed", "label | estimate | conf_low | conf_high\nA | 0.04 | 0.01 | 0.075\nB | 0.06 | 0.02 | 0.09"),
    ),
    "E-values": Case("Needed to explain the estimate away: 2.11; strongest measured: 1.42", safe_of("e_value", STRENGTH)),
    "E-values of nothing measured": Case("", safe_of("e_value", "\n".join(STRENGTH.splitlines()[:3]))),
    "subgroups": Case(
        "Everybody: −12 points (−20 to +1)", safe_of("subgroups", LEVELS.format(-0.123, -0.2, 0.0096))
    ),
    "subgroups without a difference": Case(
        "Everybody: 0 points (−3 to 0)", safe_of("subgroups", LEVELS.format(-0.0012, -0.03, 0.004))
    ),
    "repeated harm": Case(
        "By six months: 21 times per hundred people in the pilot (14 to 31) and 36 times per hundred people in PAIP (30 to 44)",
        safe_of("mean_count", COUNTS),
    ),
    "no repeated harm": Case("", safe_of("mean_count", "group | time | estimate\nPilot | 182 | -")),
    "an analysis that has no headline": Case("", safe_of("mine", "estimate\n0.5")),
}  # fmt: skip

CASES = {
    f"{family}: {name}": case
    for family, cases in {"curves": CURVES, "shares": SHARES, "reach": REACH, "others": OTHERS}.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_headline(name: str) -> None:
    case = CASES[name]
    assert headline(case.safe, case.groups, case.event, case.gaps) == case.text
