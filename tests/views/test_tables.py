"""Every table whole: which number stands in which column, under which heading, and what the files beside them hold."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from evalkit.disclosure import Safe
from evalkit.report._mark import as_mark
from evalkit.views import (
    baseline_table,
    benchmark_numbers,
    benchmark_table,
    difference_table,
    restatement_numbers,
    restatement_table,
)
from views.drawn import cells
from views.made import GROUPS, POLICY, curve, safe_of, shares, table
from views.seen import safe_numbers, table_of

STEPS = """
group | term     | label    | n_event | n
Pilot | referred | Referred | 200     | 200
Pilot | engaged  | Engaged  | 90      | 120
PAIP  | referred | Referred | 500     | 500
PAIP  | engaged  | Engaged  | 150     | 300
PAIP  | later    | Later    | 0       | 0
"""
CURVE = curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 30   | 80     | 0.9      | 0.85     | 0.95      | pass
Pilot | 90   | 60     | 0.7      | 0.6      | 0.8       | fail
PAIP  | 30   | 1180   | 0.5      | 0.45     | 0.55      | pass
""")
LEFT = curve("""
group | cause         | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | disengagement | 30   | 80     | 0.1      | 0.05     | 0.15      | pass
PAIP  | completion    | 30   | 180    | 0.04     | 0.03     | 0.05      | pass
""", cause=True)  # fmt: skip
TABLES: dict[str, tuple[Safe, list[list[str]]]] = {
    "steps, without the share of all referred, which still rises": (
        shares("funnel", STEPS, whole="referred"),
        [
            ["Step", "Pilot", "PAIP"],
            ["Referred", "100%; 200 of 200", "100%; 500 of 500"],
            ["Engaged", "75% (67% to 82%); 90 of 120", "50% (44% to 56%); 150 of 300"],
            ["A note."],
        ],
    ),
    "a group that lacks a row": (
        shares("returns", "group | term | label | n_event | n\nPilot | a | A | 20 | 40\nPAIP | b | B | 90 | 120"),
        [["Return", "Pilot", "PAIP"], ["A", "50% (35% to 65%); 20 of 40", "–"], ["B", "–", "75% (67% to 82%); 90 of 120"],
         ["A note."]],
    ),
    "means": (
        safe_of("attendance_rate", "group | label | n | estimate | conf_low | conf_high\nall | Rate | 1110 | 0.81 | 0.75 | 0.86"),
        [["Measure", "All"], ["Rate", "81% (75% to 86%); n 1,110"], ["A note."]],
    ),
    "trends stand under their measure": (
        safe_of("trend", """
group | period | label   | variable | n  | n_event | estimate | conf_low | conf_high
Pilot | 2022Q1 | Engaged | engaged  | 60 | 30      | 0.5      | 0.4      | 0.6
PAIP  | 2022Q1 | Engaged | engaged  | 80 | 20      | 0.25     | 0.2      | 0.3
Pilot | 2022Q2 | Engaged | engaged  | 90 | 60      | 0.67     | 0.6      | 0.7
Pilot | 2022Q2 | Done    | done     | 40 | 10      | 0.25     | 0.2      | 0.3
"""),
        [["End of", "Pilot", "PAIP"], ["Engaged"], ["2022Q1", "50% (40% to 60%); 30 of 60", "25% (20% to 30%); 20 of 80"],
         ["2022Q2", "67% (60% to 70%); 60 of 90", "–"], ["Done"], ["2022Q2", "25% (20% to 30%); 10 of 40", "–"], ["A note."]],
    ),
    "levels stand under their characteristic": (
        shares("engaged_across", "group | variable | term | label | n_event | n\nPilot | Gender | m | Man | 20 | 40"),
        [["People", "Pilot"], ["Gender"], ["Man", "50% (35% to 65%); 20 of 40"], ["A note."]],
    ),
    "fields that everybody has are named below": (
        shares("completeness", """
group | term | label  | n_event | n
Pilot | a    | Age    | 40      | 40
PAIP  | a    | Age    | 80      | 80
Pilot | g    | Gender | 20      | 40
PAIP  | g    | Gender | 80      | 80
"""),
        [["Field", "Pilot", "PAIP"], ["Gender", "50% (35% to 65%); 20 of 40", "100% (95% to 100%); 80 of 80"],
         ["Known for everybody: Age. A note."]],
    ),
    "of a field that everybody has whose group is not shown, that is not said": (
        safe_of("completeness", """
group | term | label  | n  | n_event | estimate | conf_low | conf_high
Pilot | a    | Age    | 40 | 40      | 1        | 0.91     | 1
PAIP  | a    | Age    | -  | -       | -        | -        | -
Pilot | g    | Gender | 40 | 40      | 1        | 0.91     | 1
PAIP  | g    | Gender | 80 | 80      | 1        | 0.95     | 1
"""),
        [["Field", "Pilot", "PAIP"], ["Age", "100% (91% to 100%); 40 of 40", "–"], ["Known for everybody: Gender. A note."]],
    ),
    "all fields are there": (
        shares("completeness", "group | term | label | n_event | n\nPilot | a | Age | 40 | 40"),
        [["Field", "Pilot"], ["Age", "100% (91% to 100%); 40 of 40"], ["Known for everybody: Age. A note."]],
    ),
    "survival at given days": (
        CURVE,
        [["Group", "When", "At risk", "Share", "95% CI"], ["Pilot", "30 days", "80", "90%", "85% to 95%"],
         ["PAIP", "30 days", "1,180", "50%", "45% to 55%"], ["A note."]],
    ),
    "incidences at given days": (
        LEFT,
        [["Event", "Group", "When", "At risk", "Share", "95% CI"], ["Disengaged", "Pilot", "30 days", "80", "10%", "5% to 15%"],
         ["Completed", "PAIP", "30 days", "180", "4%", "3% to 5%"], ["A note."]],
    ),
    "a model": (
        safe_of("cox", """
term | label    | estimate | hazard_ratio | hr_low | hr_high | p_value
arm  | The arm  | -0.379   | 0.684        | 0.47   | 0.996   | 0.0474
age  |          | 0.0004   | 1.0004       | 0.998  | 1.003   | 0.0004
""", summary={"n": 1430, "n_event": 115}, notes=("A caveat.",)),
        [["Term", "Coefficient", "Hazard ratio", "95% CI", "p"],
         ["The arm", "−0.379", "0.684", "0.470 to 0.996", "0.047"], ["age", "0.000", "1.000", "0.998 to 1.003", ""],
         ["A note. The model describes 1,430 people with 115 events (rounded). A caveat."]],
    ),
    "a model of one's own, which asks of each of its terms": (
        safe_of("own", """
term | label   | estimate | hazard_ratio | hr_low | hr_high | p_value
arm  | The arm | -0.379   | 0.684        | 0.47   | 0.996   | 0.0474
age  | Age     | 0.0004   | 1.0004       | 0.998  | 1.003   | 0.0004
""", view="own_model", summary={"n": 1430, "n_event": 115}),
        [["Term", "Coefficient", "Hazard ratio", "95% CI", "p"],
         ["The arm", "−0.379", "0.684", "0.470 to 0.996", "0.047"], ["Age", "0.000", "1.000", "0.998 to 1.003", "<0.001"],
         ["A note. The model describes 1,430 people with 115 events (rounded)."]],
    ),
    "a model of odds": (
        safe_of("own", """
term | label   | estimate | odds_ratio | or_low | or_high | p_value
arm  | The arm | 0.419    | 1.52       | 1.01   | 2.287   | 0.0444
""", view="odds", summary={"n": 1430, "n_event": 115}),
        [["Term", "Coefficient", "Odds ratio", "95% CI", "p"], ["The arm", "0.419", "1.520", "1.010 to 2.287", "0.044"],
         ["A note. The model describes 1,430 people with 115 events (rounded)."]],
    ),
    "days by which shares were reached": (
        safe_of("survival_quantile", """
group | q    | n    | estimate | conf_low | conf_high
Pilot | 0.25 | 160  | 14       | 11       | 17
Pilot | 0.5  | 160  | 23       | 20       | -
PAIP  | 0.25 | 1900 | 1200     | 24       | 1300
PAIP  | 0.5  | 1900 | -        | 1180     | -
"""),
        [["Group", "People", "Share", "By day", "95% CI from", "to"], ["Pilot", "160", "25%", "14", "11", "17"],
         ["Pilot", "160", "50%", "23", "20", "–"], ["PAIP", "1,900", "25%", "1,200", "24", "1,300"],
         ["PAIP", "1,900", "50%", "–", "1,180", "–"], ["A note."]],
    ),
    "who is in the study": (
        safe_of("attrition", """
variable  | group | label    | n   | n_event
cohort    | all   | Referred | 700 | 650
retention | Pilot | Started  | 200 | 120
retention | all   | Started  | 650 | 420
another   | PAIP  | Kept     | 450 | 300
"""),
        [["Step", "Group", "Before", "Remaining"], ["Who is in the study"], ["Referred", "everyone", "700", "650"],
         ["Who is followed from a first session on"], ["Started", "Pilot", "200", "120"], ["another"],
         ["Kept", "PAIP", "450", "300"], ["A note."]],
    ),
    "entries that came late": (
        safe_of("late_entry", "group | n | median | lower_quartile | upper_quartile\nsessions | 1300 | 3 | 1 | 12"),
        [["Table", "Rows", "Median days", "Middle half"], ["Sessions", "1,300", "3", "1 to 12"], ["A note."]],
    ),
    "balance": (
        safe_of("balance", """
label | smd   | smd_weighted | variance_ratio | variance_ratio_weighted
Age   | -0.42 | 0.03         | 1.31           | 0.97
""", population="everybody"),
        [["Characteristic", "Before weighting", "After weighting", "Variance ratio before", "Variance ratio after"],
         ["Age", "−0.42", "0.03", "1.31", "0.97"], ["Differences before weighting are those of published numbers of people, as in the table of participants. Counted are everybody, so figures can differ from those above. A note."]],
    ),
    "effects": (
        safe_of("adjusted_effects", """
label    | contrast     | tau | estimate | conf_low | conf_high
Weighted | Pilot - PAIP | 182 | -0.135   | -0.251   | -0.02
""", population="everybody", estimand="a difference"),
        [["Estimate", "By", "Difference, points", "95% CI"], ["Weighted", "six months", "−13.5", "−25.1 to −2.0"],
         ["Differences are Pilot - PAIP, in percentage points. What is estimated: a difference. Counted are everybody, so "
          "figures can differ from those above. A note."]],
    ),
    "other choices": (
        safe_of("sensitivity", """
label    | contrast     | tau | estimate | conf_low | conf_high
Weighted | Pilot - PAIP | 182 | 0.135    | 0.02     | 0.251
""", population="everybody", estimand="a difference"),
        [["Estimate", "By", "Difference, points", "95% CI"], ["Weighted", "six months", "+13.5", "+2.0 to +25.1"],
         ["Differences are Pilot - PAIP, in percentage points. What is estimated: a difference. Counted are everybody, so "
          "figures can differ from those above. A note."]],
    ),
    "restricted means": (
        safe_of("rmst", "group | n | estimate | conf_low | conf_high\nPilot | 1200 | 81.4 | 75.2 | 87.6"),
        [["Group", "People", "Mean days", "95% CI"], ["Pilot", "1,200", "81", "75 to 88"], ["A note."]],
    ),
    "Gray's test": (
        safe_of("gray_test", "cause | statistic | df | p_value\ncompletion | 4.126 | 1 | 0.0431"),
        [["Event", "Chi-squared", "Degrees of freedom", "p"], ["Completed", "4.13", "1", "0.043"], ["A note."]],
    ),
    "shares of people": (
        shares("proportion", "group | term | label | n_event | n\nPilot | a | A | 20 | 40\nPAIP | a | A | 90 | 120"),
        [["Measure", "Group", "People", "Out of", "Share", "95% CI"], ["A", "Pilot", "20", "40", "50%", "35% to 65%"],
         ["A", "PAIP", "90", "120", "75%", "67% to 82%"], ["A note."]],
    ),
    "E-values": (
        safe_of("e_value", "term | label | estimate | e_value\nestimate | a | 0.62 | 2.11\nlimit | b | 0.87 | 1.56\nx | Age | 1.2 | 1.31",
                population="everybody", notes=("A caveat.",)),
        [["What", "Ratio", "E-value"], ["What has to be explained"], ["Weighted hazard ratio", "0.62", "2.11"],
         ["Its limit nearest to no difference", "0.87", "1.56"], ["What measured characteristics could do"],
         ["Age", "1.20", "1.31"], ["A caveat. Counted are everybody, so figures can differ from those above. A note."]],
    ),
    "no E-values of a range that holds no difference": (
        safe_of("e_value", "term | label | estimate | e_value\nestimate | a | 0.62 | 2.11\nlimit | b | 1 | 1\nx | Age | 1.2 | 1.31",
                population="everybody"),
        [["What", "Ratio", "E-value"], ["What has to be explained"], ["Weighted hazard ratio", "0.62", "–"],
         ["Its limit nearest to no difference", "1.00", "–"], ["What measured characteristics could do"], ["Age", "1.20", "1.31"],
         ["No E-values are given: the range of the estimate includes no difference, so there is nothing to explain away. Counted "
          "are everybody, so figures can differ from those above. A note."]],
    ),
    "subgroups": (
        safe_of("subgroups", """
variable  | label     | estimate | conf_low | conf_high | p_value
Everybody | Everybody | -0.123   | -0.2     | 0.0096    | -
Gender    | Man       | 0.002    | -0.1     | 0.11      | 0.01
Gender    | Woman     | 0.3      | 0.2      | 0.4       | 0.01
"""),
        [["People", "Difference, points", "95% CI", "p of interaction"], ["Everybody"], ["Everybody", "−12", "−20 to +1", "–"],
         ["Gender"], ["Man", "0", "−10 to +11", "≤0.01"], ["Woman", "+30", "+20 to +40", ""],
         ["Differences are in whole percentage points, not adjusted for other characteristics. Levels at which few people "
          "engaged, or few did not, are joined with others; joining can hide a difference. A note."]],
    ),
    "precision": (
        safe_of("precision", """
term | label | measure       | n    | n_event | estimate
a    | Leave | least ratio   | 1420 | 130     | 1.63
a    | Leave | largest ratio | 1420 | 130     | 0.61
a    | Leave | power         | 1420 | 130     | 0.72
a    | Leave | events needed | 1420 | 130     | 1191
""", estimand="what can be detected"),
        [["Measure", "Value"], ["Leave: 130 events among 1,420 people"],
         ["Hazard ratio above 1 that can be detected", "1.63"], ["Hazard ratio below 1 that can be detected", "0.61"],
         ["Probability of finding the ratio named below the table", "72%"],
         ["Events needed to find it in four of five studies", "1,191"],
         ["What can be detected. Schoenfeld’s formula, unadjusted, two-sided at the five percent level. Weighting costs "
          "precision: what an adjusted figure can detect is larger than this. A note."]],
    ),
    "mean counts": (
        safe_of("mean_count", """
group | label   | time | estimate | conf_low | conf_high
Pilot | By day 182 | 182  | 0.214    | 0.14     | 0.31
PAIP  | By day 182 | 182  | 0.36     | 0.30     | 0.44
PAIP  | By day 365 | 365  | -        | -        | -
"""),
        [["When", "Per hundred people", "95% CI"], ["Pilot"], ["By six months", "21.4", "14.0 to 31.0"], ["PAIP"],
         ["By six months", "36.0", "30.0 to 44.0"], ["A note."]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_table(name: str) -> None:
    safe, expected = TABLES[name]
    assert cells(table_of(safe, "A note.")) == expected


def test_what_is_withheld_is_said_below_a_table() -> None:
    safe = Safe(TABLES["restricted means"][0].estimates, "partly", ("PAIP",), POLICY)
    assert cells(table_of(safe, "A note."))[-1] == [
        "A note. Not shown where fewer than 11 people or events would be described."
    ]


def test_differences_of_survival() -> None:
    curves = curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 30   | 80     | 0.9      | 0.85     | 0.95      | pass
Pilot | 60   | 60     | 0.7      | 0.6      | 0.8       | pass
PAIP  | 30   | 180    | 0.5      | 0.45     | 0.55      | pass
PAIP  | 60   | 180    | 1        | 1        | 1         | pass
PAIP  | 90   | 180    | 0.44     | 0.4      | 0.49      | pass
""")
    gaps = safe_of("curve_difference", "time | estimate | conf_low | conf_high\n30 | 0.4 | 0.3 | 0.5")
    assert cells(difference_table(curves, gaps, GROUPS, "A note.")) == [
        ["When", "Pilot (95% CI)", "PAIP (95% CI)", "Difference, points (95% CI)"],
        ["30 days", "90% (85% to 95%)", "50% (45% to 55%)", "+40.0 (+30.0 to +50.0)"],
        ["60 days", "70% (60% to 80%)", "–", "–"],
        ["Three months", "–", "44% (40% to 49%)", "–"],
        ["Differences are taken before the shares are rounded. A note."],
    ]


def test_before_the_first_event_its_days_stand_in_the_table_where_there_are_no_others() -> None:
    rows = """
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 30   | 80     | 1        | 1        | 1         | pass
PAIP  | 30   | 180    | {}       | 1        | 1         | pass
"""
    gaps = safe_of("curve_difference", "time | estimate | conf_low | conf_high\n")
    lines = [cells(difference_table(curve(rows.format(share)), gaps, GROUPS))[1] for share in (1, 0.5)]
    assert lines == [["30 days", "100%", "100%", "–"], ["30 days", "–", "50%", "–"]]


def test_differences_of_incidences_by_cause() -> None:
    curves = curve("""
group | cause         | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | disengagement | 30   | 80     | 0.1      | 0.05     | 0.15      | pass
Pilot | completion    | 30   | 80     | 0.04     | 0.03     | 0.05      | pass
Pilot | disengagement | 90   | 80     | 0.3      | 0.25     | 0.35      | pass
PAIP  | disengagement | 30   | 180    | 0.4      | 0.35     | 0.45      | pass
PAIP  | completion    | 30   | 180    | 0.2      | 0.15     | 0.25      | pass
""", cause=True)  # fmt: skip
    gaps = safe_of("curve_difference", """
cause         | time | estimate | conf_low | conf_high
disengagement | 30   | -0.3     | -0.4     | -0.2
completion    | 30   | -0.16    | -0.2     | -0.12
""")  # fmt: skip
    assert cells(difference_table(curves, gaps, GROUPS)) == [
        ["When", "Pilot (95% CI)", "PAIP (95% CI)", "Difference, points (95% CI)"],
        ["Disengaged"],
        ["30 days", "10% (5% to 15%)", "40% (35% to 45%)", "−30.0 (−40.0 to −20.0)"],
        ["Three months", "30% (25% to 35%)", "–", "–"],
        ["Completed"],
        ["30 days", "4% (3% to 5%)", "20% (15% to 25%)", "−16.0 (−20.0 to −12.0)"],
        ["Differences are taken before the shares are rounded."],
    ]


def published() -> pd.DataFrame:
    rows = table("""
label | baseline | group | n   | estimate | conf_low | conf_high | baseline_n
Cook  | 0.734    | Pilot | 120 | -0.134   | -0.236   | -0.039    | 899
Cook  | 0.734    | PAIP  | 300 | -0.334   | -0.38    | -0.28     | 899
Rule  | 0.5      | Pilot | 120 | 0.1      | 0.05     | 0.2       | -
""")
    here = {"Pilot": (0.6, 0.5, 0.7), "PAIP": (0.4, 0.37, 0.43)}
    for i, name in enumerate(("here", "here_low", "here_high")):
        rows[name] = [here[group][i] for group in rows["group"]]
    return rows.assign(denominator=["899: men", "899: men", "nobody"], about=["", "", "about "])


def test_shares_beside_published_ones() -> None:
    assert cells(benchmark_table(published(), "A note.")) == [
        ["Group here", "Here (95% CI)"],
        ["Cook: 73.4%. Of whom: 899: men"],
        ["Pilot", "60% (50% to 70%) of 120"],
        ["PAIP", "40% (37% to 43%) of 300"],
        ["Rule: about 50%. Of whom: nobody"],
        ["Pilot", "60% (50% to 70%) of 120"],
        ["A note."],
    ]


def rows_of(frame: pd.DataFrame) -> list[list[Any]]:
    return as_mark(frame)["rows"]


def test_the_file_of_shares_beside_published_ones() -> None:
    assert list(benchmark_numbers(published())) == [
        "label",
        "group",
        "measure",
        "n",
        "estimate",
        "conf_low",
        "conf_high",
    ]
    own = [["This study", "Pilot", "here", 120, 0.6, 0.5, 0.7], ["This study", "PAIP", "here", 300, 0.4, 0.37, 0.43]]
    assert rows_of(benchmark_numbers(published())) == [
        *own,
        ["Cook", "published", "published", 899, 0.734, None, None],
        ["Rule", "published", "published", None, 0.5, None, None],
    ]
    marks = table("label | estimate | conf_low | conf_high\nCook | 0.734 | 0.7 | 0.76")
    assert rows_of(benchmark_numbers(published(), marks)) == [
        *own, ["Cook", "published", "published", None, 0.734, 0.7, 0.76],
    ]  # fmt: skip


def restated(*rows: tuple[str, str, float, float, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["figure", "group", "old", "new", "reason"])


NONE = float("nan")
CHANGED = restated(("engaged", "Pilot", 1205, 1210, "late entries"), ("referred", "all", 500, 495, "withdrawn"), ("completed", "PAIP", 50, NONE, "late"))  # fmt: skip
SLIGHT = restated(("completed", "PAIP", 50, NONE, "late"))


def test_restatements() -> None:
    assert cells(restatement_table(CHANGED, "2022Q3")) == [
        ["Figure of 2022Q3", "Group", "As known then", "As known now", "Why"],
        ["Engaged", "Pilot", "1,205", "1,210", "late entries"],
        ["Referred", "everyone", "500", "495", "withdrawn"],
        ["Changed too slightly for both numbers to be shown, in one group or more: completed."],
    ]
    assert cells(restatement_table(SLIGHT, "2022Q3")) == [
        ["Figure of 2022Q3", "Group", "As known then", "As known now", "Why"],
        ["Completed", "PAIP", "50", "slightly changed", "late"],
    ]


def test_the_file_of_restatements() -> None:
    assert list(restatement_numbers(CHANGED)) == ["label", "group", "baseline", "estimate", "sentence"]
    assert rows_of(restatement_numbers(CHANGED)) == [
        ["engaged", "Pilot", 1205, 1210, "late entries"], ["referred", "all", 500, 495, "withdrawn"],
    ]  # fmt: skip
    assert rows_of(restatement_numbers(SLIGHT)) == [["completed", "PAIP", 50, None, "late"]]


def test_baseline_characteristics() -> None:
    of_shares = safe_of("baseline", """
group | variable | term | label   | n   | n_event | estimate | smd
Pilot | Gender   | m    | Man     | 200 | 120     | 0.6      | 0.41
PAIP  | Gender   | m    | Man     | 500 | 200     | 0.4      | 0.41
Pilot | Gender   | x    | Another | 200 | -       | -        | -
PAIP  | Gender   | x    | Another | 500 | -       | -        | -
Pilot | Gender   | w    | Woman   | 200 | 80      | 0.4      | -
Pilot | Community area | s | South Chicago | 200 | -     | -        | -
""")  # fmt: skip
    means = safe_of("baseline", """
group | variable | term | label | n   | estimate | std_dev | smd
Pilot | Age      | a    | Years | 150 | 34.12    | 9.9     | -0.1
PAIP  | Age      | a    | Years | 450 | 35.26    | 11.04   | -0.1
""")  # fmt: skip
    note = (
        "Standardized difference: the difference between the groups in standard deviations (pooled). Shares are of "
        "everybody referred; means are of people with a value. Left out, because fewer than 11 people of either group are "
        "in them, or could be worked out: Gender, another; Community area, South Chicago."
    )
    assert cells(baseline_table(of_shares, means, GROUPS, ["Age", "Gender", "Community area"])) == [
        ["Characteristic", "Pilot (n = 200)", "PAIP (n = 500)", "Standardized difference"],
        ["Age"], ["Years", "34.1, SD 9.9", "35.3, SD 11.0", "−0.10"],
        ["Gender"], ["Man", "120; 60%", "200; 40%", "0.41"], ["Woman", "80; 40%", "–", "–"],
        [note],
    ]  # fmt: skip


def test_the_files_of_tables() -> None:
    assert list(safe_numbers(CURVE)) == ["group", "time", "n_risk", "estimate", "conf_low", "conf_high"]
    assert rows_of(safe_numbers(CURVE)) == [["Pilot", 30, 80, 0.9, 0.85, 0.95], ["PAIP", 30, 1180, 0.5, 0.45, 0.55]]
    model = safe_of(
        "cox", "term | estimate | hazard_ratio | p_value\narm | 0.37949 | 1.46154 | 0.04744\nage | 0.1 | 1.1 | 0.00044"
    )
    assert rows_of(safe_numbers(model)) == [
        ["arm", 0.37949, 1.46154, 0.04744],
        ["age", 0.1, 1.1, 0.00044],
    ]  # digits are cut before
    means = safe_of("baseline", "group | estimate | std_dev\nPilot | 34.12345 | 9.9")
    assert rows_of(safe_numbers(means)) == [["Pilot", 34.123]]  # as the plain table writes it
    asked = shares("returns", "group | term | label | n_event | n\nPilot | a | A | 1 | 3")
    assert rows_of(safe_numbers(asked))[0][:6] == ["Pilot", "a", "A", 3, 1, 0.333333]
