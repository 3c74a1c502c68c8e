"""What each analysis' standard sentence says, whole, one row of the table for each branch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import pytest

from evalkit.counts import DayCounts
from evalkit.disclosure import Policy, Safe
from evalkit.markup import sign
from evalkit.stats import noninferiority
from evalkit.views import Gap, gap_words
from evalkit.views._phrases import amount, relation, share_of
from views.made import GROUPS, HIGHER, LOWER, NONE, curve, safe_of, shares
from views.seen import sentences


@dataclass(frozen=True)
class Case:
    """What is said of a result."""

    text: str
    safe: Safe
    event: str = ""
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    groups: tuple[str, ...] = GROUPS
    see: str = ""


def on(day: float, gap: Gap) -> Gap:
    return Gap(gap.estimate, gap.low, gap.high, day)


# -- shares over time -------------------------------------------------------------------------------------------------
BOTH = curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 30   | 90     | 0.92     | 0.87     | 0.96      | pass
Pilot | 90   | 60     | 0.71     | 0.63     | 0.79      | pass
Pilot | 182  | 40     | 0.55     | 0.44     | 0.66      | pass
PAIP  | 30   | 220    | 0.84     | 0.80     | 0.88      | pass
PAIP  | 90   | 150    | 0.52     | 0.46     | 0.58      | pass
PAIP  | 182  | 100    | 0.33     | 0.28     | 0.39      | fail
""")
AT_90 = "At three months, 71% in the pilot (63% to 79%) and 52% in PAIP (46% to 58%) were not disengaged."
PILOT_ONLY = curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 60   | 90     | 0.92     | 0.87     | 0.96      | pass
""")
EDGES = curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 60   | 90     | 1        | 1        | 1         | pass
PAIP  | 60   | 250    | 0.996    | 0.97     | 0.999     | pass
""")
LOW = curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 60   | 90     | 0        | -        | -         | pass
PAIP  | 60   | 250    | 0.004    | 0.0002   | 0.01      | pass
""")


def apart(pilot: str, paip: str) -> Safe:
    """Curves of which the Pilot may be quoted on day 60 and PAIP on day 30 only."""
    return curve(f"""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 30   | 90     | 0.92     | 0.87     | 0.96      | {paip}
Pilot | 60   | 80     | 0.81     | 0.72     | 0.88      | {pilot}
PAIP  | 60   | 150    | 0.65     | 0.59     | 0.71      | {paip}
""")


FEW = "too few people would stand behind it."
NOTHING = "Too few people were observed long enough to say anything about a given day."
SURVIVAL = {
    "both groups, without a difference": Case(AT_90, BOTH, "not disengaged"),
    "clearly higher": Case(
        f"{AT_90} The share is clearly higher in the pilot: by 8 to 32 points.",
        BOTH, "not disengaged", {"": on(90, HIGHER)},
    ),
    "clearly lower": Case(
        f"{AT_90} The share is clearly lower in the pilot: by 11 to 29 points.",
        BOTH, "not disengaged", {"": on(90, LOWER)},
    ),
    "unclear": Case(
        f"{AT_90} Unclear: 12 fewer to 6 more of every hundred people in the pilot than in PAIP.",
        BOTH, "not disengaged", {"": on(90, NONE)},
    ),
    "a difference of no day": Case(
        f"{AT_90} The share is clearly higher in the pilot: by 8 to 32 points.", BOTH, "not disengaged", {"": HIGHER}
    ),
    "the difference of another day is not told": Case(AT_90, BOTH, "not disengaged", {"": on(182, HIGHER)}),
    "with its figure": Case(f"{AT_90} See @fig-stay.", BOTH, "not disengaged", see="fig-stay"),
    "the other group first": Case(
        "At three months, 52% in PAIP (46% to 58%) and 71% in the pilot (63% to 79%) were not disengaged. "
        "The share is clearly lower in PAIP: by 11 to 29 points.",
        BOTH, "not disengaged", {"": on(90, LOWER)}, ("PAIP", "Pilot"),
    ),
    "an event that nobody named": Case(AT_90.replace("not disengaged", "without the event"), BOTH),
    "one arm absent": Case("At day 60, 92% in the pilot (87% to 96%) were well.", PILOT_ONLY, "well"),
    "the other too few": Case(
        f"At day 60, 81% in the pilot (72% to 88%) were well. No share is given in PAIP: {FEW}",
        apart("pass", "unknown"), "well",
    ),
    "the other quoted on no common day": Case(
        f"At day 60, 81% in the pilot (72% to 88%) were well. No share is given in PAIP: {FEW}",
        curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 60   | 80     | 0.81     | 0.72     | 0.88      | pass
PAIP  | 30   | 150    | 0.65     | 0.59     | 0.71      | pass
PAIP  | 60   | 150    | 0.55     | 0.49     | 0.61      | unknown
"""), "well",
    ),
    "of a group without an event nothing is missing": Case(
        "At day 60, 81% in the pilot (72% to 88%) were well.",
        curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 60   | 80     | 0.81     | 0.72     | 0.88      | pass
PAIP  | 60   | 150    | 1        | 1        | 1         | unknown
""", events={"PAIP": 0}), "well",
    ),
    "nothing may be quoted": Case(NOTHING, apart("unknown", "unknown"), "well", see="fig-stay"),
    "all and nearly all; limits that are the same": Case(
        "At day 60, 100% in the pilot and over 99% in PAIP (97% to over 99%) were well.", EDGES, "well"
    ),
    "none and under one percent; limits that are missing": Case(
        "At day 60, 0% in the pilot and under 1% in PAIP (under 1% to 1%) were well.", LOW, "well"
    ),
}  # fmt: skip

# -- competing outcomes -----------------------------------------------------------------------------------------------
LEFT = curve("""
group | cause         | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | disengagement | 90   | 60     | 0.27     | 0.21     | 0.34      | pass
Pilot | completion    | 90   | 60     | 0.12     | 0.08     | 0.17      | pass
PAIP  | disengagement | 90   | 150    | 0.44     | 0.38     | 0.50      | pass
PAIP  | completion    | 90   | 150    | 0.31     | 0.26     | 0.37      | pass
""", cause=True)  # fmt: skip
GONE = "By three months, disengaged: 27% in the pilot (21% to 34%) and 44% in PAIP (38% to 50%)."
DONE = "By three months, completed: 12% in the pilot (8% to 17%) and 31% in PAIP (26% to 37%)."


def causes(pilot: tuple[str, str], paip: tuple[str, str], zero: float = 0.12) -> Safe:
    """Incidences with verdicts for disengagement and completion."""
    return curve(f"""
group | cause         | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | disengagement | 90   | 60     | 0.27     | 0.21     | 0.34      | {pilot[0]}
Pilot | completion    | 90   | 60     | {zero}   | 0.08     | 0.17      | {pilot[1]}
PAIP  | disengagement | 90   | 150    | 0.44     | 0.38     | 0.50      | {paip[0]}
PAIP  | completion    | 90   | 150    | 0.31     | 0.26     | 0.37      | {paip[1]}
""", cause=True)  # fmt: skip


INCIDENCES = {
    "two causes": Case(f"{GONE} {DONE}", LEFT),
    "each cause has its own difference": Case(
        f"{GONE} The share is clearly lower in the pilot: by 11 to 29 points. "
        f"{DONE} Unclear: 12 fewer to 6 more of every hundred people in the pilot than in PAIP.",
        LEFT, gaps={"disengagement": on(90, LOWER), "completion": on(90, NONE)},
    ),
    "a difference of another day": Case(f"{GONE} {DONE}", LEFT, gaps={"disengagement": on(60, LOWER)}),
    "of one cause the other group is missing": Case(
        f"{GONE} By three months, completed: 12% in the pilot (8% to 17%). No share is given in PAIP (completed): {FEW}",
        causes(("pass", "pass"), ("pass", "fail")),
    ),
    "of all causes told the other group is missing": Case(
        "By three months, disengaged: 27% in the pilot (21% to 34%). By three months, completed: 12% in the pilot (8% to 17%). "
        f"No share is given in PAIP: {FEW}",
        causes(("pass", "pass"), ("unknown", "unknown")),
    ),
    "before the first event": Case(
        f"{GONE} By three months, completed: 31% in PAIP (26% to 37%). No share is given in the pilot (completed): {FEW}",
        causes(("pass", "pass"), ("pass", "pass"), zero=0),
    ),
    "nothing may be quoted": Case(NOTHING, causes(("unknown", "fail"), ("fail", "unknown")), see="fig-x"),
    "first sessions, and a cause in the study's words": Case(
        "By day 30, attended a first session: 81% in the pilot (72% to 88%). By day 30, recorded harm: 11% in the pilot (6% to "
        "17%).",
        curve("""
group | cause         | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | first session | 30   | 60     | 0.81     | 0.72     | 0.88      | pass
Pilot | recorded harm | 30   | 60     | 0.11     | 0.06     | 0.17      | pass
""", cause=True),
    ),
}  # fmt: skip

# -- shares of people -------------------------------------------------------------------------------------------------
STEPS = shares("funnel", """
group | term      | label     | n_event | n
Pilot | referred  | Referred  | 200     | 200
Pilot | intake    | Intake    | 150     | 200
Pilot | engaged   | Engaged   | 90      | 120
Pilot | completed | Completed | 10      | 40
PAIP  | referred  | Referred  | 500     | 500
PAIP  | intake    | Intake    | 300     | 400
PAIP  | engaged   | Engaged   | 150     | 300
PAIP  | completed | Completed | 0       | 0
""")  # fmt: skip
ENGAGED = "Engaged: 75% in the pilot (67% to 82%; 90 of 120 people) and 50% in PAIP (44% to 56%; 150 of 300 people)."
COMPLETED = "Completed: 25% in the pilot (14% to 40%; 10 of 40 people)."
RATES = """
group | term | label           | n   | estimate | conf_low | conf_high
Pilot | a    | Attendance rate | 110 | 0.81     | 0.75     | 0.86
PAIP  | a    | Attendance rate | 320 | 0.64     | 0.61     | 0.67
"""
SHARES = {
    "steps of the funnel": Case(f"{ENGAGED} {COMPLETED}", STEPS),
    "with the differences of their labels": Case(
        f"{ENGAGED} The share is clearly higher in the pilot: by 8 to 32 points. {COMPLETED} The share is clearly lower in "
        "the pilot: by 11 to 29 points. See @tbl-steps.",
        STEPS, gaps={"Engaged": HIGHER, "Completed": LOWER}, see="tbl-steps",
    ),
    "no step whose time is over": Case(
        "For no step is there a group whose time is over and that is large enough to be described.",
        shares("funnel", "group | term | label | n_event | n\nPilot | referred | Referred | 12 | 12"), see="tbl-steps",
    ),
    "only the first steps are shown": Case(
        "Intake: 75% in the pilot (47% to 91%; 9 of 12 people). See @tbl-steps.",
        shares("funnel", "group | term | label | n_event | n\nPilot | referred | Referred | 12 | 12\nPilot | intake | Intake | 9 | 12"),
        see="tbl-steps",
    ),
    "of one person": Case(
        "Returned: 0% in the pilot (0% to 79%; 0 of 1 person) and 100% in PAIP (34% to 100%; 2 of 2 people).",
        shares("returns", "group | term | label | n_event | n\nPilot | r | Returned | 0 | 1\nPAIP | r | Returned | 2 | 2"),
    ),
    "of nobody nothing is said": Case(
        "Returned: 11% in PAIP (6% to 19%; 11 of 100 people).",
        shares("returns", "group | term | label | n_event | n\nPilot | r | Returned | 0 | 0\nPAIP | r | Returned | 11 | 100"),
    ),
    "nothing at all": Case("", shares("returns", "group | term | label | n_event | n\nPilot | r | Returned | 0 | 0")),
    "means have no people in them": Case(
        "Attendance rate: 81% in the pilot (75% to 86%) and 64% in PAIP (61% to 67%).", safe_of("attendance_rate", RATES)
    ),
    "a group that is not asked for": Case(
        "Attendance rate: 64% in PAIP (61% to 67%).", safe_of("attendance_rate", RATES), groups=("PAIP",)
    ),
    "terms where there is no label": Case(
        "came back: 81% in the pilot (75% to 86%).",
        safe_of("proportion", "group | term | estimate | conf_low | conf_high\nPilot | came back | 0.81 | 0.75 | 0.86"),
    ),
    "a difference by label": Case(
        "Attendance rate: 81% in the pilot (75% to 86%) and 64% in PAIP (61% to 67%). The share is clearly higher in the pilot: "
        "by 8 to 32 points.",
        safe_of("dose_reached", RATES), gaps={"Attendance rate": HIGHER},
    ),
    "whether groups differ in what a method needs is no finding": Case(
        "Attendance rate: 81% in the pilot (75% to 86%) and 64% in PAIP (61% to 67%).",
        safe_of("equipoise", RATES), gaps={"Attendance rate": HIGHER},
    ),
    "nor in what is incomplete": Case(
        "Attendance rate: 81% in the pilot (75% to 86%) and 64% in PAIP (61% to 67%).",
        safe_of("incomplete", RATES), gaps={"Attendance rate": HIGHER},
    ),
}  # fmt: skip
# -- models and tests -------------------------------------------------------------------------------------------------
HELD = "other terms of the model held equal."


def cox(ratio: float, low: float, high: float, p: float, label: str = "label") -> Safe:
    """A Cox model with one term after another that is not told."""
    named = "" if label == "-" else f" | {label}"
    return safe_of("cox", f"""
term | estimate      | hazard_ratio | hr_low | hr_high | p_value{" | label" if named else ""}
arm  | {math.log(ratio)} | {ratio}      | {low}  | {high}  | {p}{named}
age  | 0.9           | 2.46         | 2.1    | 2.9     | 0.5{" | Age" if named else ""}
""")  # fmt: skip


def contrast(estimate: object, low: object, high: object, counts: DayCounts | None = None) -> Safe:
    """A difference of restricted means over 182 days."""
    return safe_of("rmst_contrast", f"""
measure         | tau | estimate   | conf_low | conf_high
rmst_ratio      | 182 | 1.7        | 1.6      | 1.8
rmst_difference | 182 | {estimate} | {low}    | {high}
""", counts=counts)  # fmt: skip


def counted(pilot: int) -> DayCounts:
    rows = [("Pilot", 0.0, 60, 0, 0), ("Pilot", 9.0, 0, pilot, 60 - pilot)]
    rows += [("PAIP", 0.0, 90, 0, 0), ("PAIP", 9.0, 0, 40, 50)]
    return DayCounts(pd.DataFrame(rows, columns=["group", "time", "n_entry", "n_event_1", "n_censor"]))


def effects(*rows: tuple[str, float, float, float]) -> Safe:
    methods = ("unadjusted", "iptw", "standardised", "doubly_robust")
    lines = [" | ".join([r[0], m, *map(str, r[1:])]) for r, m in zip(rows, methods, strict=False)]
    return safe_of(
        "adjusted_effects",
        "\n".join(["label | method | estimate | conf_low | conf_high", *lines]),
        estimand="a difference",
    )


TEST = "Gray’s test of equal incidence: "
OVER = "Over six months"
MODELS = {
    "a rate that is higher": Case(
        "Employed: the rate of the event was higher (hazard ratio 1.52, 95% confidence interval 1.21 to 1.94, "
        f"p < 0.001), {HELD}",
        cox(1.52, 1.21, 1.94, 0.0004, "Employed"),
    ),
    "a rate that is lower": Case(
        "Employed: the rate of the event was lower (hazard ratio 0.66, 95% confidence interval 0.48 to 0.91, "
        f"p = 0.011), {HELD}",
        cox(0.66, 0.48, 0.91, 0.011, "Employed"),
    ),
    "a rate that is unclear": Case(
        "Employed: unclear. The rate of the event could be anything from 19% lower to 49% higher (hazard ratio 1.10, 95% confidence interval "
        f"0.81 to 1.49, p = 0.540), {HELD}",
        cox(1.1, 0.81, 1.49, 0.54, "Employed"),
    ),
    "a limit at 1": Case(
        "Employed: unclear. The rate of the event could be anything from the same to 96% higher (hazard ratio 1.40, 95% confidence interval "
        f"1.00 to 1.96, p = 0.050), {HELD}",
        cox(1.4, 1.0, 1.96, 0.05, "Employed"),
    ),
    "a term without a label": Case(
        f"arm: the rate of the event was lower (hazard ratio 0.66, 95% confidence interval 0.48 to 0.91, p = 0.011), {HELD}",
        cox(0.66, 0.48, 0.91, 0.011, "-"),
    ),
    "means that are clearly longer": Case(
        f"{OVER}, people in the pilot spent clearly more days without harm than people in PAIP: 4 to 19 days more.",
        contrast(11.6, 4.2, 19.1), "harm",
    ),
    "means that are clearly shorter": Case(
        f"{OVER}, people in the pilot spent clearly fewer days without harm than people in PAIP: 4 to 19 days fewer.",
        contrast(-11.6, -19.1, -4.2), "harm",
    ),
    "means that may be alike": Case(
        f"Unclear: {OVER[0].lower()}{OVER[1:]}, people in the pilot could have 3 days fewer to 1 day more without harm on average, "
        "compared with people in PAIP.",
        contrast(-1.1, -3.2, 1.0), "harm",
    ),
    "one day, and none": Case(
        f"Unclear: {OVER[0].lower()}{OVER[1:]}, people in the pilot could have 1 day fewer to as many days without harm on average, "
        "compared with people in PAIP.",
        contrast(-0.4, -1.2, 0.3), "harm",
    ),
    "a mean that may not be told": Case(NOTHING, contrast("-", "-", "-"), "harm", see="fig-x"),
    "a group without an event has no error": Case(NOTHING, contrast(11.6, 4.2, 19.1, counted(0)), "harm"),
    "both groups have events": Case(
        f"{OVER}, people in the pilot spent clearly more days without harm than people in PAIP: 4 to 19 days more.",
        contrast(11.6, 4.2, 19.1, counted(20)), "harm",
    ),
    "Gray's test of two causes": Case(
        f"{TEST}disengaged p = 0.043 and completed p < 0.001.",
        safe_of("gray_test", "cause | p_value\ndisengagement | 0.0431\ncompletion | 0.0002"),
    ),
    "Gray's test of one cause alone": Case(
        f"{TEST}completed p = 0.320.", safe_of("gray_test", "cause | p_value\ndisengagement | -\ncompletion | 0.32")
    ),
    "no test": Case("", safe_of("gray_test", "cause | p_value\ndisengagement | -"), see="fig-x"),
    "effects that are higher, lower and unclear": Case(
        "Unadjusted: the share is clearly higher in the pilot, by 8 to 32 points. "
        "Weighted: the share is clearly lower in the pilot, by 62 to 90 points. "
        "Standardized: unclear, 12 fewer to 6 more of every hundred people in the pilot than in PAIP. "
        "Both: unclear, 1 fewer to no more of every hundred people in the pilot than in PAIP.",
        effects(
            ("Unadjusted", 0.2, 0.08, 0.32), ("Weighted", -0.7, -0.9, -0.62), ("Standardized", -0.03, -0.12, 0.06),
            ("Both", -0.004, -0.01, 0.002),
        ),
    ),
    "effects of which none is clear": Case(
        "Unclear, before and after adjustment. Weighted: 12 fewer to 6 more of every hundred people in the pilot than in PAIP; the other "
        "rows stand in the table.",
        effects(("Unadjusted", 0.01, -0.04, 0.07), ("Weighted", -0.03, -0.12, 0.06), ("Standardized", 0.02, -0.03, 0.08)),
    ),
    "two effects of which none is clear": Case(
        "Unadjusted: unclear, 4 fewer to 7 more of every hundred people in the pilot than in PAIP. "
        "Weighted: unclear, 12 fewer to 6 more of every hundred people in the pilot than in PAIP.",
        effects(("Unadjusted", 0.01, -0.04, 0.07), ("Weighted", -0.03, -0.12, 0.06)),
    ),
    "a level with a colon in its name is no interaction": Case(
        "Work: the rate of the event was higher (hazard ratio 1.52, 95% confidence interval 1.21 to 1.94, "
        f"p < 0.001), {HELD}",
        safe_of("cox", "term | label | estimate | hazard_ratio | hr_low | hr_high | p_value\nwork[none: looking] | Work | 0.42 | 1.52 | 1.21 | 1.94 | 0.0004"),
    ),
    "an interaction is no effect of one": Case(
        "Pilot by age: how much one changes the effect of the other is in the table of the model.",
        safe_of("cox", "term | label | estimate | hazard_ratio | hr_low | hr_high | p_value\narm:age | Pilot by age | 0.42 | 1.52 | 1.21 | 1.94 | 0.0004"),
    ),
    "days by which shares were reached": Case(
        "Of people in the pilot, so many came: 25% by day 14 (11 to 17), 50% by day 23 (from 20) and 75% by no day so far. Of people "
        "in PAIP, so many came: 50% by day 1,200 (24 to 1,300). See @fig-x.",
        safe_of("survival_quantile", """
group | q    | n   | estimate | conf_low | conf_high
PAIP  | 0.5  | 900 | 1200     | 24       | 1300
Pilot | 0.25 | 160 | 14       | 11       | 17
Pilot | 0.5  | 160 | 23       | 20       | -
Pilot | 0.75 | 160 | -        | 40       | -
"""), "came", see="fig-x",
    ),
    "days by which shares were reached, of an event without a name": Case(
        "Of people in the pilot, so many had the event: 25% by day 14 (11 to 17).",
        safe_of("survival_quantile", "group | q | n | estimate | conf_low | conf_high\nPilot | 0.25 | 160 | 14 | 11 | 17"),
    ),
    "any analysis": Case(
        "What is asked: a: 0.500 (0.250\u00a0to\u00a00.750) and 1.250. See @fig-x.",
        safe_of("mine", "label | estimate | conf_low | conf_high\na | 0.5 | 0.25 | 0.75\n | 1.25 | - | -"), see="fig-x",
    ),
    "a row's group is said, whether it has a label, a term or both": Case(
        "What is asked: A, Pilot: 1.000, B, PAIP: 2.000, y, Pilot: 3.000, z, PAIP: 4.000 and Pilot: 5.000.",
        safe_of("mine", "label | term | group | estimate\nA | x | Pilot | 1\nB | | PAIP | 2\n | y | Pilot | 3\n | z | PAIP | 4\n | | Pilot | 5"),
        groups=(),
    ),
    "a test, of any kind": Case(
        "What is asked: arm: 3.842 (p 0.047).",
        safe_of("mine", "term | statistic | p_value\narm | 3.8416 | 0.0472"),
    ),
    "any analysis without a number": Case("", safe_of("mine", "estimate\n-"), see="fig-x"),
    "a result that is withheld": Case(
        "Withheld to protect people: fewer than 11 people or events would be described. Withheld is not zero.",
        safe_of("funnel", "estimate\n0.5", verdict="withheld"), see="fig-x",
    ),
    "a result that another policy withholds": Case(
        "Withheld to protect people: fewer than 7 people or events would be described. Withheld is not zero.",
        safe_of("cox", "estimate\n0.5", verdict="withheld", policy=Policy(minimum_count=7)),
    ),
}  # fmt: skip

# -- diagnostics ------------------------------------------------------------------------------------------------------
SIZES = {"n_effective_focus": 130.0, "n_effective_comparison": 245.0}
MEASURED = "This holds for what was measured: no weighting removes a difference in what was not."


def gate(*rows: str) -> Safe:
    return safe_of("diagnose", "\n".join(["term | estimate | baseline | verdict", *rows]), summary=SIZES)


GATES = {
    "balance passes": Case(
        "After weighting, every measured characteristic is balanced: the largest standardized difference is 0.08. "
        + MEASURED,
        gate("balance | 0.08 | 0.1 | pass"),
    ),
    "balance fails": Case(
        "After weighting, the groups still differ: the largest standardized difference is 0.23, above 0.1. The adjusted "
        f"figure may carry that difference and is not a fair comparison. {MEASURED}",
        gate("balance | 0.23 | 0.1 | fail"),
    ),
    "equipoise passes": Case(
        f"61% of people have a preference score at which both groups are common. {MEASURED}",
        gate("equipoise | 0.61 | 0.2 | pass"),
    ),
    "equipoise fails": Case(
        "Only 14% of people have a preference score at which both groups are common (less than 20%): the comparison "
        f"rests on a model more than on comparable people. {MEASURED}",
        gate("equipoise | 0.14 | 0.2 | fail"),
    ),
    "the sample passes": Case(
        f"After weighting, the people in the pilot count for about 130, those in PAIP for about 245. {MEASURED}",
        gate("effective sample size | 130 | 30 | pass"),
    ),
    "the sample fails": Case(
        "After weighting, the people in the pilot count for about 130, those in PAIP for about 245: less than 300 in a group is too "
        f"little to rest a conclusion on. {MEASURED}",
        gate("effective sample size | 130 | 300 | fail"),
    ),
    "hazards do not change": Case(
        "The test found no sign that hazard ratios change over time (p = 0.210); with few events it finds little.",
        gate("proportional hazards | 0.21 | 0.05 | pass"),
    ),
    "hazards change": Case(
        "Hazard ratios change over time (p < 0.001): one hazard ratio is an average that depends on the length of "
        "follow-up. Read the shares at given days instead.",
        gate("proportional hazards | 0.0002 | 0.05 | fail"),
    ),
    "what could not be judged": Case(
        f"Balance could not be judged for every characteristic. {MEASURED}", gate("balance | - | 0.1 | unknown")
    ),
    "a diagnostic nobody knows": Case(
        f"Balance could not be judged for every characteristic. {MEASURED}", gate("another | 0.3 | 0.1 | pass")
    ),
    "all of them": Case(
        "After weighting, every measured characteristic is balanced: the largest standardized difference is 0.08. "
        "Only 14% of people have a preference score at which both groups are common (less than 20%): the comparison "
        "rests on a model more than on comparable people. "
        "After weighting, the people in the pilot count for about 130, those in PAIP for about 245. "
        "The test found no sign that hazard ratios change over time (p = 0.210); with few events it finds little. "
        + MEASURED,
        gate(
            "balance | 0.08 | 0.1 | pass", "equipoise | 0.14 | 0.2 | fail", "effective sample size | 130 | 30 | pass",
            "proportional hazards | 0.21 | 0.05 | pass",
        ),
    ),
}  # fmt: skip

# -- the final report's own -------------------------------------------------------------------------------------------
EXPLAIN = (
    "To explain it away, something unmeasured would have to be linked to both the group and the event by a risk ratio of "
    "{value} (its E-value); to make its limits include no difference, {limit}."
)
HIDE = "(95% CI 0.45 to 0.87). Something unmeasured could hide a difference."


def e_values(limit: float, *measured: tuple[str, float]) -> Safe:
    lines = [
        "term | label | estimate | conf_low | conf_high | e_value",
        "estimate | a | 0.62 | 0.45 | 0.87 | 2.11",
        f"limit | b | 0.87 | - | - | {limit}",
    ]
    lines += [f"x{i} | {name} | 1.2 | - | - | {value}" for i, (name, value) in enumerate(measured)]
    return safe_of("e_value", "\n".join(lines))


def others(*rows: tuple[str, float, float, float]) -> Safe:
    lines = [" | ".join(map(str, row)) for row in rows]
    return safe_of("sensitivity", "\n".join(["label | estimate | conf_low | conf_high", *lines]))


def levels(*rows: tuple[str, object], notes: tuple[str, ...] = ()) -> Safe:
    lines = [
        "variable | label | estimate | conf_low | conf_high | p_value",
        "Everybody | Everybody | 0.1 | 0 | 0.2 | -",
    ]
    for name, p in rows:
        lines += [f"{name} | one | 0.1 | 0 | 0.2 | {p}", f"{name} | two | 0.1 | 0 | 0.2 | {p}"]
    return safe_of("subgroups", "\n".join(lines), notes=notes)


TWICE = """
group | time | label   | estimate | conf_low | conf_high
Pilot | 91   | Day 91  | 0.09     | 0.05     | 0.16
Pilot | 182  | Day 182 | 0.21     | 0.14     | 0.31
Pilot | 364  | Day 364 | 0.42     | 0.33     | 0.55
PAIP  | 91   | Day 91  | 0.18     | 0.14     | 0.24
PAIP  | 182  | Day 182 | 0.36     | 0.30     | 0.44
PAIP  | 365  | Day 365 | 0.70     | -        | -
"""
REPEATED = (
    "By six months, harm had been recorded 21 times per hundred people in the pilot (14 to 31) and 36 times per hundred people "
    "in PAIP (30 to 44)."
)
MEASURES = """
term | label         | measure       | n   | n_event | hazard_ratio | estimate
a    | Disengagement | least ratio   | 420 | 130     | 1.5          | 1.63
a    | Disengagement | largest ratio | 420 | 130     | 1.5          | 0.61
a    | Disengagement | power         | 420 | 130     | 1.5          | 0.72
a    | Disengagement | events needed | 420 | 130     | 1.5          | 191
"""
SAME = "All other choices give the same answer as the main analysis: {answer}. The estimates run from {low} to {high} points."
FINAL = {
    "all other choices agree on higher": Case(
        SAME.format(answer="clearly higher", low="+8.0", high="+21.3"),
        others(("Main", 0.1, 0.02, 0.2), ("A", 0.08, 0.01, 0.2), ("B", 0.213, 0.1, 0.3)),
    ),
    "all other choices agree on lower": Case(
        SAME.format(answer="clearly lower", low="−21.3", high="−8.0"),
        others(("Main", -0.1, -0.2, -0.02), ("A", -0.08, -0.2, -0.01), ("B", -0.213, -0.3, -0.1)),
    ),
    "no choice shows a difference": Case(
        "Under no other choice do the limits exclude zero, but the estimates run from −3.0 to 0.0 points. Rows with "
        "another target or another day estimate something else.",
        others(("Main", -0.03, -0.2, 0.2), ("A", -0.0001, -0.2, 0.2), ("B", -0.02, -0.3, 0.1)),
    ),
    "some choices disagree": Case(
        "These other choices give another answer than the main analysis (difference unclear): Trimmed; At 21 days. The "
        "estimates run from −9.0 to +12.0 points.",
        others(("Main", 0.03, -0.2, 0.2), ("Trimmed", 0.12, 0.01, 0.2), ("Same", 0.0, -0.3, 0.1), ("At 21 days", -0.09, -0.2, -0.01)),
    ),
    "higher and lower are not the same answer": Case(
        "These other choices give another answer than the main analysis (clearly higher): A. The estimates run from "
        "−9.0 to +3.0 points.",
        others(("Main", 0.03, 0.01, 0.2), ("A", -0.09, -0.2, -0.01)),
    ),
    "no other choice": Case("No other choice could be computed.", others(("Main", 0.03, 0.01, 0.2))),
    "imputation changes nothing": Case(
        "Among people with every value the weighted difference is +4.0 points (+1.0 to +7.5); with missing values imputed "
        "it is +6.0 points (+2.0 to +9.0). Leaving people out does not change the answer.",
        safe_of("imputed", "label | estimate | conf_low | conf_high\nA | 0.04 | 0.01 | 0.075\nB | 0.06 | 0.02 | 0.09"),
    ),
    "imputation changes the answer": Case(
        "Among people with every value the weighted difference is +4.0 points (+1.0 to +7.5); with missing values imputed "
        "it is −6.0 points (−12.0 to +0.9). The answer depends on how missing values are treated, so it is not a firm "
        "one.",
        safe_of("imputed", "label | estimate | conf_low | conf_high\nA | 0.04 | 0.01 | 0.075\nB | -0.06 | -0.12 | 0.009"),
    ),
    "nothing is imputed": Case(
        "Nobody who can be compared lacks a value, or too few do for imputation.",
        safe_of("imputed", "label | estimate | conf_low | conf_high\nA | 0.04 | 0.01 | 0.075"),
    ),
    "a fragile ratio": Case(
        "The weighted hazard ratio of harm is 0.62 (0.45 to 0.87), an average over time. "
        + EXPLAIN.format(value="2.11", limit="1.56")
        + " Of what was measured, the strongest reaches 1.56: Age. An unmeasured characteristic no stronger than that "
        "could explain the result.",
        e_values(1.56, ("Gender", 1.31), ("Age", 1.56)), "harm",
    ),
    "a sturdy ratio": Case(
        "The weighted hazard ratio of harm is 0.62 (0.45 to 0.87), an average over time. "
        + EXPLAIN.format(value="2.11", limit="1.57")
        + " Of what was measured, the strongest reaches 1.56: Age.",
        e_values(1.57, ("Age", 1.56), ("Gender", 1.31)), "harm",
    ),
    "nothing was measured": Case(
        "The weighted hazard ratio of harm is 0.62 (0.45 to 0.87), an average over time. "
        + EXPLAIN.format(value="2.11", limit="1.57"),
        e_values(1.57), "harm",
    ),
    "nothing to explain away": Case(
        f"The weighted hazard ratio of a clear difference is 0.62 {HIDE}", e_values(1.0, ("Age", 2.10))
    ),
    "nothing to explain away, and much was measured": Case(
        f"The weighted hazard ratio of harm is 0.62 {HIDE}", e_values(1.0, ("Age", 2.11)), "harm"
    ),
    "no characteristic tells": Case(
        "The difference between the groups was compared across the levels of 2 characteristics. In none is there a clear "
        "sign that it depends on the characteristic (smallest p = 0.05, Age).",
        levels(("Gender", 0.61), ("Age", 0.05)),
    ),
    "one characteristic tells": Case(
        "The difference between the groups may depend on Age (p = 0.04). 3 characteristics were tested: with several "
        "tests a small p value can be chance alone. One level was joined.",
        levels(("Gender", 0.61), ("Age", 0.04), ("Work", 0.5), notes=("One level was joined.",)),
    ),
    "two characteristics tell": Case(
        "The difference between the groups may depend on Age (p = 0.04) and Work (p ≤ 0.01). 3 characteristics were "
        "tested: with several tests a small p value can be chance alone.",
        levels(("Gender", 0.61), ("Age", 0.04), ("Work", 0.01)),
    ),
    "no characteristic to test": Case(
        "No characteristic has two groups large enough to be compared. One level was joined.",
        levels(("Gender", "-"), notes=("One level was joined.",)),
    ),
    "repeated harm": Case(REPEATED, safe_of("mean_count", TWICE)),
    "repeated harm, more often": Case(
        f"{REPEATED} That is clearly more often in the pilot. These figures are not adjusted.",
        safe_of("mean_count", TWICE), gaps={"": HIGHER},
    ),
    "repeated harm, less often": Case(
        f"{REPEATED} That is clearly less often in the pilot. These figures are not adjusted.",
        safe_of("mean_count", TWICE), gaps={"": LOWER},
    ),
    "repeated harm, unclear": Case(
        f"{REPEATED} The difference is unclear. These figures are not adjusted.",
        safe_of("mean_count", TWICE), gaps={"": NONE},
    ),
    "repeated harm of one group": Case(
        "By day 364, harm had been recorded 42 times per hundred people in the pilot (33 to 55).",
        safe_of("mean_count", TWICE), groups=("Pilot",),
    ),
    "no repeated harm": Case(
        "Too few harms have been recorded to say how often they are repeated.",
        safe_of("mean_count", "group | time | estimate | conf_low | conf_high\nPilot | 91 | - | - | -"),
    ),
    "no day that both groups have": Case(
        "Too few harms have been recorded to say how often they are repeated.",
        safe_of("mean_count", "group | time | estimate | conf_low | conf_high\nPilot | 91 | 0.1 | 0 | 1\nPAIP | 92 | 0.2 | 0 | 1"),
    ),
    "what could be detected": Case(
        "Disengagement: with about 130 events among 420 people, a hazard ratio of 1.63 or more, or of 0.61 or less, "
        "would have been found in four of five such studies. A ratio of 1.5 would have been found in 72% of them; for "
        "four of five, about 191 events are needed.",
        safe_of("precision", MEASURES),
    ),
    "what could be detected of two outcomes": Case(
        "Disengagement: with about 130 events among 420 people, a hazard ratio of 1.63 or more, or of 0.61 or less, "
        "would have been found in four of five such studies. A ratio of 1.5 would have been found in 72% of them; for "
        "four of five, about 191 events are needed. "
        "Harm: with about 60 events among 1,420 people, a hazard ratio of 2.10 or more, or of 0.48 or less, would have "
        "been found in four of five such studies. A ratio of 1.5 would have been found in 35% of them; for four of five, "
        "about 1,191 events are needed.",
        safe_of("precision", MEASURES + """
b    | Harm          | least ratio   | 1420 | 60 | 1.5 | 2.1
b    | Harm          | largest ratio | 1420 | 60 | 1.5 | 0.48
b    | Harm          | power         | 1420 | 60 | 1.5 | 0.35
b    | Harm          | events needed | 1420 | 60 | 1.5 | 1191
"""),
    ),
    "nothing could be detected": Case(
        "There are too few events to say what could have been detected.",
        safe_of("precision", "term | label | measure | n | n_event | hazard_ratio | estimate\na | A | power | 9 | 0 | 1.5 | -"),
    ),
}  # fmt: skip

ALL = {
    f"{family}: {name}": case
    for family, cases in {
        "survival": SURVIVAL, "incidence": INCIDENCES, "shares": SHARES, "models": MODELS, "gate": GATES, "final": FINAL,
    }.items()
    for name, case in cases.items()
}  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_sentence(name: str) -> None:
    case = ALL[name]
    told = sentences(case.safe, case.groups, case.see, case.event, case.gaps)
    assert told.translate({ord(sign(chr(n))): n for n in range(128)}) == case.text  # as Markdown, before escaping


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        (Gap(0, -0.06, 0.1), "Unclear: 6 fewer to 10 more of every hundred people in the pilot than in PAIP."),
        (Gap(0, -0.0101, 0.0149), "Unclear: 1 fewer to 1 more of every hundred people in the pilot than in PAIP."),
        (Gap(0, -0.3, 0.0), "Unclear: 30 fewer to no more of every hundred people in the pilot than in PAIP."),
        (Gap(0, 0.0, 0.3), "Unclear: no fewer to 30 more of every hundred people in the pilot than in PAIP."),
        (Gap(0.1, 0.004, 0.2), "The share is clearly higher in the pilot: by 0.4 to 20 points."),
        (Gap(0.1, 0.01, 0.2), "The share is clearly higher in the pilot: by 1 to 20 points."),
        (Gap(0.7, 0.62, 0.9), "The share is clearly higher in the pilot: by 62 to 90 points."),
        (Gap(-0.7, -0.9, -0.62), "The share is clearly lower in the pilot: by 62 to 90 points."),
        (Gap(0.1, -0.62, 0.9), "Unclear: 62 fewer to 90 more of every hundred people in the pilot than in PAIP."),
        (Gap(-0.1, -0.2, -0.004), "The share is clearly lower in the pilot: by 0.4 to 20 points."),
    ],
)  # fmt: skip
def test_difference(gap: Gap, said: str) -> None:
    assert gap_words(gap, ("Pilot", "PAIP")) == said


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        (HIGHER, "A quarter ago it was 41%: a clear rise (by 8 to 32 points)."),
        (LOWER, "A quarter ago it was 41%: a clear fall (by 11 to 29 points)."),
        (NONE, "A quarter ago it was 41%: no clear change (from 12 points lower to 6 points higher)."),
    ],
)
def test_change_since_a_quarter_ago(gap: Gap, said: str) -> None:
    assert gap_words(gap, ("Pilot", "PAIP"), "change", before="41%") == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (-5.2, "points", "5 points lower"), (5.2, "points", "5 points higher"), (-1, "points", "1 point lower"),
        (1.4, "points", "1 point higher"), (-0.4, "points", "no points apart"), (-5.2, "days", "5 days fewer"),
        (5.2, "days", "5 days more"), (-1, "days", "1 day fewer"), (1, "days", "1 day more"), (0.2, "days", "as many days"),
    ],
)  # fmt: skip
def test_amount(value: float, unit: str, said: str) -> None:
    assert amount(value, unit) == said


@pytest.mark.parametrize(
    ("p", "coarse", "said"),
    [
        (0.047, False, "= 0.047"), (0.0004, False, "< 0.001"), (0.001, False, "= 0.001"), (0.14, True, "= 0.14"),
        (0.0149, True, "≤ 0.01"), (0.02, True, "= 0.02"),
    ],
)  # fmt: skip
def test_p_value_after_its_letter(p: float, coarse: bool, said: str) -> None:
    assert relation(p, coarse=coarse) == said


@pytest.mark.parametrize(
    ("row", "people", "said"),
    [
        ((0.5, 0.4, 0.61, 10, 20), False, "50% in the pilot (40% to 61%)"),
        ((0.5, 0.4, 0.61, 10, 20), True, "50% in the pilot (40% to 61%; 10 of 20 people)"),
        ((0.5, 0.5, 0.5, 10, 20), False, "50% in the pilot"),
        ((0.0, float("nan"), float("nan"), 0, 20), False, "0% in the pilot"),
        ((0.004, 0.0, 0.02, 1, 250), True, "under 1% in the pilot (0% to 2%; 1 of 250 people)"),
        ((1.0, 0.2, 1.0, 1, 1), True, "100% in the pilot (20% to 100%; 1 of 1 person)"),
    ],
)
def test_share_of_a_group(row: tuple[float, ...], people: bool, said: str) -> None:
    named = pd.Series(row, index=["estimate", "conf_low", "conf_high", "n_event", "n"])
    assert share_of(named, "Pilot", people=people) == said


@pytest.mark.parametrize(
    ("x", "n", "higher_is_better", "estimand", "verdict"),
    [
        (70, 100, True, "the share lies less than 0.1 below the published share", "pass"),
        (58, 100, True, "the share lies less than 0.1 below the published share", "fail"),  # 0.025 < p < 0.05
        (59, 100, True, "the share lies less than 0.1 below the published share", "pass"),
        (40, 100, True, "the share lies less than 0.1 below the published share", "fail"),
        (70, 100, False, "the share lies less than 0.1 above the published share", "fail"),
        (40, 100, False, "the share lies less than 0.1 above the published share", "pass"),
    ],
)
def test_non_inferiority_says_which_side_is_worse(
    x: int, n: int, higher_is_better: bool, estimand: str, verdict: str
) -> None:
    found = noninferiority(x, n, 0.58, margin=0.1, higher_is_better=higher_is_better)
    assert (found.estimand, found.tidy()["verdict"].item()) == (estimand, verdict)
