"""What `show` and `say` put out for hand-made results: sentence, figure, remarks and the files' numbers, all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalkit.counts import DayCounts
from evalkit.disclosure import Safe
from evalkit.errors import AnalysisError, DisclosureError
from evalkit.estimates import Estimates
from evalkit.protocol import Baselines
from evalkit.report import say_participants, show_pair, show_participants
from evalkit.report._contrast import count_gaps, curve_differences, curve_gaps, difference_numbers, share_gaps
from evalkit.report._standing import order_of
from evalkit.views import CurveText, Gap
from evalkit.wilson import wilson
from reports.made import COOK, RULE, Told, small, told
from reports.made import shown as _shown
from reports.test_findings import on
from views.drawn import cells
from views.made import GROUPS, HIGHER, LOWER, curve, safe_of, shares

shown = _shown
WORDS = CurveText("Well", "Days", "well")


def estimates(safe: Safe) -> Estimates:
    """The estimates that stand for a result: asked for by their kind."""
    return safe.estimates


def showing(safe: Safe, gaps: Mapping[str, Gap] | None = None) -> Told:
    kind = safe.estimates.kind
    return told({kind: safe}, {kind: gaps or {}})


STAYED = curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 0    | 90     | 1        | 1        | 1         | pass
Pilot | 90   | 60     | 0.71     | 0.63     | 0.79      | pass
Pilot | 182  | 40     | 0.55     | 0.44     | 0.66      | pass
PAIP  | 0    | 250    | 1        | 1        | 1         | pass
PAIP  | 90   | 150    | 0.52     | 0.46     | 0.58      | pass
PAIP  | 182  | 100    | 0.33     | 0.28     | 0.39      | pass
""")
SMOOTH = "To protect participants, curves are smoothed over blocks of at least 11 events, and numbers at risk are a little off on purpose."


def test_a_curve_is_said_up_to_the_horizon_with_its_difference(shown: list[dict[str, Any]]) -> None:
    report = showing(STAYED, {"": on(90, LOWER)})
    report.say(estimates(STAYED), "fig-x", words=WORDS, lead="Lead:", horizon=90)
    assert shown[0]["text/markdown"] == (
        "Lead: At three months, 71% in the pilot (63% to 79%) and 52% in PAIP (46% to 58%) were well. The share is clearly lower in "
        "the pilot: by 11 to 29 points. See @fig-x."
    )


def test_an_event_with_a_number_in_it_is_looked_at_by_the_audit(shown: list[dict[str, Any]]) -> None:
    showing(STAYED).say(estimates(STAYED), words=CurveText("Well", "Days", "well after 2 visits"), horizon=90)
    assert shown[0]["mark"]["typed"] == ["well after 2 visits"]


def test_of_a_pair_one_curve_is_not_shown_alone(shown: list[dict[str, Any]]) -> None:
    show_pair(showing(STAYED), estimates(STAYED), WORDS, 90)
    rows = shown[0]["mark"]["data"]["rows"]
    assert ({row[0] for row in rows}, max(row[1] for row in rows)) == ({"Pilot", "PAIP"}, 90)
    shown.clear()
    alone = replace(STAYED, withheld=("PAIP",), policy=replace(STAYED.policy, minimum_count=13))
    show_pair(showing(alone), estimates(alone), WORDS, 182)
    assert [one["text/markdown"] for one in shown] == [
        "::: {.absent}\nNot shown side by side: in one group (PAIP) fewer than 13 people have had the event, or have not. A "
        "comparison needs at least as many of both in each group.\n:::"
    ]


def test_a_curve_is_shown_with_headline_alternative_text_numbers_and_remarks(shown: list[dict[str, Any]]) -> None:
    report = showing(STAYED, {"": on(182, HIGHER)})
    report.show(estimates(STAYED), words=WORDS, horizon=182)
    mark = shown[0]["mark"]
    assert mark["headline"] == "By six months, 55% in the pilot and 33% in PAIP were well: clearly higher"
    assert mark["alt"] == "Pilot, well: 55% at six months. PAIP, well: 33% at six months."
    assert mark["data"]["rows"][1][:4] == ["Pilot", 90, None, 0.71]
    assert shown[1]["text/markdown"] == f"::: {{.note}}\n{SMOOTH}\n:::"


def remarks_of(safe: Safe, shown: list[dict[str, Any]]) -> str:
    shown.clear()
    showing(safe).show(estimates(safe), words=WORDS, horizon=182)
    return shown[1]["text/markdown"].removeprefix("::: {.note}\n").removesuffix("\n:::") if len(shown) > 1 else ""


def variant(**changes: Any) -> Safe:
    return replace(STAYED, **changes)


def test_remarks_below_curves(shown: list[dict[str, Any]]) -> None:
    quiet = curve("""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 0    | 90     | 1        | 1        | 1         | pass
Pilot | 90   | 60     | 1        | 1        | 1         | pass
PAIP  | 0    | 250    | 1        | 1        | 1         | pass
PAIP  | 90   | 150    | 0.52     | 0.46     | 0.58      | pass
""", events={"Pilot": 0})  # fmt: skip
    assert remarks_of(quiet, shown) == (
        f"{SMOOTH} No event is known so far in the pilot, which is not to say that there is none: no curve is drawn."
    )
    only = frozenset(place for place in STAYED.quoted if place[0] == "PAIP")
    assert remarks_of(variant(quoted=only), shown) == (
        f"{SMOOTH} No line is drawn in the pilot: for none of the days named on the axis can a share be given."
    )
    assert remarks_of(variant(withheld=("Third",)), shown) == (
        f"{SMOOTH} Not shown where fewer than 11 people or events would be described."
    )


def test_remarks_below_incidences_name_the_cause(shown: list[dict[str, Any]]) -> None:
    left = curve("""
group | cause         | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | disengagement | 0    | 60     | 0        | 0        | 0         | pass
Pilot | disengagement | 90   | 60     | 0.27     | 0.21     | 0.34      | pass
Pilot | completion    | 0    | 60     | 0        | 0        | 0         | fail
Pilot | completion    | 90   | 60     | 0.12     | 0.08     | 0.17      | fail
""", cause=True)  # fmt: skip
    assert remarks_of(left, shown) == (
        f"{SMOOTH} No line is drawn in the pilot (completed): for none of the days named on the axis can a share be given."
    )


def test_what_a_question_notes_of_its_curve_stands_below_its_figure_and_table(shown: list[dict[str, Any]]) -> None:
    note = "Of death, few or none in a group, only the end of follow-up is counted."
    noted = variant(estimates=STAYED.estimates.about(notes=(note,)))
    assert remarks_of(noted, shown) == f"{SMOOTH} {note}"
    shown.clear()
    showing(noted).show(estimates(noted), "table", words=WORDS, note="First.")
    assert f"First. {note}" in shown[0]["text/html"]


def test_remarks_below_means_by_week(shown: list[dict[str, Any]]) -> None:
    rows = "group | time_from | n | estimate | conf_low | conf_high\nPilot | 0 | 90 | 1.2 | 1 | 1.4\nPilot | 7 | 90 | 1 | 0.9 | 1.1"
    assert remarks_of(safe_of("sessions_by_week", rows), shown) == (
        "Counts are a little off on purpose: small steps from week to week can be that alone."
    )
    steps = "group | term | label | n_event | n\nPilot | a | A | 30 | 90"
    assert remarks_of(shares("returns", steps), shown) == ""


NOBODY = "Withheld to protect people: fewer than 11 people or events would be described. Withheld is not zero."
EARLY = "Not shown: too few people have been observed for long enough."
ABSENT = {
    "withheld": (safe_of("funnel", "n | estimate\n9 | 0.5", verdict="withheld", withheld=("Pilot",)), NOBODY),
    "too early": (safe_of("funnel", "n | estimate\n0 | -"), EARLY),
    "of nobody": (safe_of("funnel", "n | estimate\n0 | 0.5"), EARLY),
    "too early for a mean time": (
        safe_of("rmst_contrast", "measure | estimate\nrmst_difference | -"),
        f"Difference in the mean time without the event. {EARLY}",
    ),
    "a rate that is withheld": (
        safe_of("attendance_rate", "n | estimate\n9 | 0.5", verdict="withheld", withheld=("Pilot",)),
        f"Attendance rate. {NOBODY}",
    ),
    "a dose": (safe_of("dose_reached", "n | estimate\n0 | -"), f"Mean share of the full dose. {EARLY}"),
    "returns": (safe_of("returns", "n | estimate\n0 | -"), f"People who came back after disengaging. {EARLY}"),
    "nothing to impute": (
        safe_of("imputed", "estimate\n-"), "Nobody who can be compared lacks a value, or too few do for imputation."
    ),
    "too few to impute": (safe_of("imputed", "estimate\n-", withheld=("Pilot",)), NOBODY),
    "one week": (safe_of("sessions_by_week", "group | n | estimate\nPilot | 90 | 1.2\nPAIP | 0 | 1.2\nPAIP | 90 | -"), EARLY),
    "no day of a curve": (STAYED.until(30), EARLY),
}  # fmt: skip


@pytest.mark.parametrize("name", ABSENT)
def test_why_there_is_nothing(name: str, shown: list[dict[str, Any]]) -> None:
    safe, said = ABSENT[name]
    for put_out in (lambda r: r.show(estimates(safe), "table"), lambda r: r.say(estimates(safe))):
        shown.clear()
        put_out(showing(safe))
        assert [one["text/markdown"] for one in shown] == [f"::: {{.absent}}\n{said}\n:::"]
        assert shown[0]["mark"]["absent"] == "yes"


def reach(*rows: str) -> Safe:
    return shares("reach", "\n".join(["group | term | label | n_event | n", *rows]))


NO_FIGURE = {
    "nobody's place is recorded": (
        reach("Pilot | not recorded | Not recorded | 90 | 90"), "Not shown: it is not recorded."
    ),
    "of the focus nothing is shown": (reach("PAIP | a | A | 90 | 90", "Pilot | a | A | 0 | 0"), EARLY),
    "one half of a mirrored figure": (
        safe_of("preference", "group | score_from | score_to | estimate\nPilot | 0 | 1 | 1\nPAIP | 0 | 1 | -"),
        "Withheld to protect people: fewer than 11 people or events would be described. Withheld is not zero.",
    ),
    "only where everybody starts": (
        shares("funnel", "group | term | label | n_event | n\nPilot | referred | Referred | 90 | 90", whole="referred"), EARLY
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_FIGURE)
def test_why_there_is_no_figure(name: str, shown: list[dict[str, Any]]) -> None:
    safe, said = NO_FIGURE[name]
    showing(safe).show(estimates(safe), "figure")
    assert [one["text/markdown"] for one in shown] == [f"::: {{.absent}}\n{said}\n:::"]


def test_a_sentence_points_to_a_table_where_no_figure_is_drawn(shown: list[dict[str, Any]]) -> None:
    unclear = safe_of(
        "e_value",
        """
term     | label | estimate | conf_low | conf_high | e_value
estimate |       | 1.5      | 0.8      | 2.8       | 2.4
limit    |       | 0.8      | -        | -         | 1
""",
    )
    said = (
        "The weighted hazard ratio of a clear difference is 1.50 (95% CI 0.80 to 2.80). Something unmeasured could hide a "
        "difference."
    )
    for see, at_end in (("tbl-x", " See @tbl-x."), ("fig-x", ""), ("", "")):
        showing(unclear).say(estimates(unclear), see)
        assert shown[-1]["text/markdown"] == f"{said}{at_end}"


def test_numbers_in_a_lead_and_results_without_a_sentence_are_refused() -> None:
    with pytest.raises(AnalysisError, match="numbers come from estimates; the lead must hold none"):
        showing(STAYED).say(estimates(STAYED), lead="In 2 groups")
    with pytest.raises(DisclosureError, match=r"report\.say: 'attrition' has no sentence; use report\.show"):
        steps = safe_of("attrition", "variable | group | n\nharm | Pilot | 90")
        showing(steps).say(estimates(steps))


def newcombe(x1: int, n1: int, x0: int, n0: int) -> tuple[float, float]:
    """Limits of x1 / n1 less x0 / n0, by the formula of Newcombe (1998), method 10."""
    p1, p0 = x1 / n1, x0 / n0
    (l1, l0), (u1, u0) = wilson([x1, x0], [n1, n0])
    return p1 - p0 - np.hypot(p1 - l1, u0 - p0), p1 - p0 + np.hypot(u1 - p1, p0 - l0)


# -- differences ------------------------------------------------------------------------------------------------------
def test_differences_of_shares_are_the_focus_less_the_comparison() -> None:
    safe = shares("funnel", """
group | term | label | n_event | n
PAIP  | a    | A     | 150     | 300
Pilot | a    | A     | 90      | 120
Pilot | b    | B     | 90      | 120
Pilot | c    | C     | 0       | 0
PAIP  | c    | C     | 150     | 300
Third | a    | A     | 50      | 500
""")  # fmt: skip
    found = share_gaps(safe, GROUPS)
    assert list(found) == ["A"]
    low, high = (round(limit, 3) for limit in newcombe(90, 120, 150, 300))  # in tenths of points, as it is printed
    assert (found["A"].estimate, found["A"].low, found["A"].high) == pytest.approx((0.25, low, high))
    assert share_gaps(safe_of("funnel", "group | label | n\nPilot | A | 9"), GROUPS) == {}
    assert share_gaps(shares("funnel", "group | term | label | n_event | n\nPilot | b | B | 9 | 12"), GROUPS) == {}


def test_the_ratio_of_mean_counts_is_the_focus_over_the_comparison() -> None:
    rows = """
group | time | estimate | conf_low | conf_high
PAIP  | 182  | 0.4      | 0.3      | 0.5
PAIP  | 365  | 0.7      | 0.6      | 0.8
Pilot | 182  | 0.2      | 0.1      | 0.4
Pilot | 365  | -        | -        | -
"""
    gap = count_gaps(safe_of("mean_count", rows), GROUPS)[""]
    error = np.hypot(np.log(0.4 / 0.1) / 2, np.log(0.5 / 0.3) / 2)
    assert (gap.estimate, gap.low, gap.high) == pytest.approx((np.log(0.5), np.log(0.5) - error, np.log(0.5) + error))
    assert gap.day == 182
    assert count_gaps(safe_of("mean_count", rows.replace("0.1 ", "0   ")), GROUPS) == {}
    assert count_gaps(safe_of("mean_count", rows.replace("Pilot", "Third")), GROUPS) == {}


def near(pilot: float, paip: float) -> Safe:
    """Protected curves on days 30 and 90."""
    return curve(f"""
group | time | n_risk | estimate | conf_low | conf_high | verdict
Pilot | 30   | 150    | 0.85     | 0.80     | 0.90      | pass
Pilot | 90   | 100    | {pilot}  | 0.50     | 0.60      | pass
PAIP  | 30   | 120    | 0.80     | 0.75     | 0.85      | pass
PAIP  | 90   | 100    | {paip}   | 0.60     | 0.74      | pass
""")  # fmt: skip


def test_differences_of_curves_are_the_focus_less_the_comparison() -> None:
    found = curve_differences(near(0.55, 0.67), GROUPS)
    rows = found.estimates.tidy()
    assert rows["contrast"].unique().tolist() == ["Pilot - PAIP"]
    assert found.estimates.asked == {"of": near(0.55, 0.67).estimates.id}
    assert rows["time"].tolist() == [30, 90]
    errors = np.hypot([0.1 / 3.92, 0.1 / 3.92], [0.1 / 3.92, 0.14 / 3.92])
    assert rows["estimate"].tolist() == pytest.approx([0.05, -0.12])
    low, high = (np.round(np.array([0.05, -0.12]) + sign * 1.959964 * errors, 3).tolist() for sign in (-1, 1))
    assert rows["conf_low"].tolist() == pytest.approx(low)
    assert rows["conf_high"].tolist() == pytest.approx(high)
    gap = curve_gaps(found)[""]
    assert (gap.day, gap.direction) == (90, "lower")
    assert gap.estimate == pytest.approx(-0.12)
    data = difference_numbers(near(0.55, 0.67), found)
    assert list(data) == ["group", "time", "n_risk", "estimate", "conf_low", "conf_high", "measure"]
    assert data[["group", "measure"]].drop_duplicates().to_numpy().tolist() == [
        ["Pilot", "share"], ["PAIP", "share"], ["Pilot - PAIP", "difference"],
    ]  # fmt: skip


@pytest.mark.parametrize(("pilot", "paip", "ends"), [(0.9, 0.1, (0.588, 1.0)), (0.1, 0.9, (-1.0, -0.588))])
def test_a_difference_of_shares_ends_where_shares_do(pilot: float, paip: float, ends: tuple[float, float]) -> None:
    """Of a hundred people no more than a hundred more have it."""
    head = "group | time | n_risk | estimate | conf_low | conf_high | verdict"
    rows = (
        f"{g} | 90 | 20 | {x} | {x - 0.15:.2f} | {x + 0.15:.2f} | pass"
        for g, x in zip(GROUPS, (pilot, paip), strict=True)
    )
    found = curve_differences(curve("\n".join([head, *rows])), GROUPS)
    gap = curve_gaps(found)[""]
    assert (gap.estimate, gap.low, gap.high) == pytest.approx((pilot - paip, *ends), abs=0.002)


def test_one_group_has_no_difference() -> None:
    alone = curve(
        "group | time | n_risk | estimate | conf_low | conf_high | verdict\nPilot | 90 | 9 | 0.5 | 0.4 | 0.6 | pass"
    )
    found = curve_differences(alone, GROUPS)
    assert (found.verdict, curve_gaps(found)) == ("withheld", {})


def test_a_report_tells_the_difference_that_goes_with_the_kind_of_result() -> None:
    counts = safe_of("mean_count", """
group | time | estimate | conf_low | conf_high
PAIP  | 182  | 0.4      | 0.3      | 0.5
Pilot | 182  | 0.2      | 0.1      | 0.4
""")  # fmt: skip
    steps = shares("funnel", "group | term | label | n_event | n\nPAIP | a | A | 150 | 300\nPilot | a | A | 90 | 120")
    report, curves = small(), near(0.55, 0.67)
    assert report.gaps(counts)[""].estimate < -0.5
    assert 0.2 < report.gaps(steps)["A"].estimate < 0.3
    assert (report.gaps(curves)[""].day, report.gaps(curves)[""].direction) == (90, "lower")
    rows = pd.DataFrame(
        [("Pilot", 9.0, 60, 20, 40, 60.0, 20.0, 40.0)],
        columns=["group", "time", "n_entry", "n_event_1", "n_censor", "w_entry", "w_event_1", "w_censor"],
    )
    weighted = replace(curves, estimates=curves.estimates.about(counts=DayCounts(rows)))
    assert report.gaps(weighted) == {}


# -- published figures ------------------------------------------------------------------------------------------------
DONE = shares("proportion", "group | term | label | n_event | n\nPAIP | c | C | 90 | 120\nPilot | c | C | 10 | 40")
HARMED = COOK.model_copy(update={"measure": "harm", "what": "Re-arrest", "value": 0.15})


def beside(measure: str = "completion", **about: Any) -> Told:
    """A report that compares exactly what it is given with published figures."""

    class Exact(Told):
        def safe(self, estimates: Estimates) -> Safe:
            return Safe(estimates, "released", (), self.policy)

    made = told(baselines=(COOK, RULE, HARMED), **about)
    return Exact(**{one.name: getattr(made, one.name) for one in fields(made) if one.init})


def test_published_figures_in_a_table(shown: list[dict[str, Any]]) -> None:
    beside().show_benchmarks(DONE.estimates.about(population="starters"))
    rows = cells(shown[0]["text/html"])
    low, high = (f"{100 * float(v):.0f}%" for v in wilson(90, 120))
    assert rows[0] == ["Group here", "Here (95% CI)"]
    assert rows[1] == ["Completion: 73.4%. Of whom: 1,899 men assessed"]
    assert rows[2] == ["PAIP", f"75% ({low} to {high}) of 120"]
    assert rows[3][0] == "Pilot"
    assert rows[3][1].startswith("25% (")
    assert rows[4] == ["Completion: about 50%. Of whom: men assessed"]
    assert rows[5][0] == "PAIP"
    assert rows[-1] == [
        "Here: starters. Who is counted differs from figure to figure, so no difference is computed. Sources: "
        "Bennett (2005). Bennett (2005)."
    ]


@pytest.mark.parametrize(
    ("measure", "headline"),
    [
        ("completion", "Completed: 25% in the pilot and 75% in PAIP. Published shares are of other people"),
        ("harm", "Harm: 25% in the pilot and 75% in PAIP. Published shares are of other people"),
    ],
)
def test_published_figures_in_a_figure(measure: str, headline: str, shown: list[dict[str, Any]]) -> None:
    beside().show_benchmarks(DONE.estimates.about(population="starters"), measure, "figure")
    mark = shown[0]["mark"]
    published = (
        "Cook County 1,899 men assessed 73%, rule men assessed 50%"
        if measure == "completion"
        else "Cook County 1,899 men assessed 15%"
    )
    assert mark["headline"] == headline
    assert mark["alt"] == f"Pilot: this study 25%. PAIP: this study 75%. Published: {published}."
    assert "PAIP: 120; Pilot: 40" in shown[0]["image/svg+xml"]  # a text's comment
    assert [row[:3] for row in mark["data"]["rows"]][:2] == [
        ["This study", "PAIP", "here"],
        ["This study", "Pilot", "here"],
    ]
    assert mark["data"]["rows"][2][:5] == [
        "Cook County",
        "published",
        "published",
        None,
        0.734 if measure == "completion" else 0.15,
    ]
    # 73.4 % of 1,899 are 1,394 men: the nearest whole number, as are 285 of 15 %.
    limits = [float(v) for v in wilson(1394 if measure == "completion" else 285, 1899)]
    assert mark["data"]["rows"][2][5:7] == pytest.approx(limits, abs=1e-6)
    sources = "Bennett (2005). Bennett (2005)." if measure == "completion" else "Bennett (2005)."
    assert shown[1]["text/markdown"] == f"::: {{.note}}\nSources: {sources}\n:::"


def test_a_published_number_of_hours_is_no_share(shown: list[dict[str, Any]]) -> None:
    hours = COOK.model_copy(update={"value": 17.5, "unit": "hours"})
    beside_it = replace(beside(), baselines=Baselines(baselines=[hours]))
    beside_it.show_benchmarks(DONE.estimates.about(population="starters"))
    assert "The study names no published figure on completion" in shown[0]["text/markdown"]


def test_no_published_figure(shown: list[dict[str, Any]]) -> None:
    beside().show_benchmarks(DONE.estimates, "dose")
    assert shown[0]["text/markdown"] == (
        "::: {.absent}\nThe study names no published figure on dose, so there is nothing to compare with.\n:::"
    )
    with pytest.raises(AnalysisError, match=r"^report.show_benchmarks: not made from x of n; give it"):
        beside().show_benchmarks(safe_of("funnel", "estimate\n1").estimates)


# -- who the participants are -----------------------------------------------------------------------------------------
def people(shares_: str, means: str = "") -> Told:
    of_shares = safe_of("baseline", "group | variable | term | label | n | n_event | estimate | smd\n" + shares_)
    head = "group | variable | term | label | n | estimate | std_dev | smd\n"
    return told({"baseline": of_shares, "baseline_means": safe_of("baseline_means", head + means)})


WORK = "Pilot | Work | w | Yes | 90 | 60 | 0.67 | 0.31\nPAIP | Work | w | Yes | 300 | 150 | 0.5 | 0.31\n"
GENDER = (
    "Pilot | Gender | m | Man | 90 | 60 | 0.6 | -0.05\nPAIP | Gender | m | Man | 300 | 150 | 0.63 | -0.05\n"
    "Pilot | Gender | w | Woman | 90 | 60 | 0.31 | 0.2\nPAIP | Gender | w | Woman | 300 | 150 | 0.22 | 0.2\n"
)
UNKNOWN = "Pilot | Gender | x | Not recorded | 90 | 60 | 0.9 | 1.9\nPAIP | Gender | x | Not recorded | 300 | 150 | 0.1 | 1.9\n"
AGE = "Pilot | Age | a | Mean (SD) | 90 | 31.24 | 9 | -0.42\nPAIP | Age | a | Mean (SD) | 300 | 35.26 | 11 | -0.42\n"
SEE = "See @tbl-participants."
PEOPLE = {
    "two characteristics lead": (
        people(WORK + GENDER + UNKNOWN, AGE),
        "The groups differ most in “age” (mean 31.2 in the pilot, mean 35.3 in PAIP; standardized difference −0.42), then in “work” "
        "(67% in the pilot, 50% in PAIP; standardized difference 0.31). Of 3 characteristics that can be compared, 3 differ by more "
        f"than 0.1 standard deviations. {SEE}",
    ),
    "the level in which they differ most": (
        people(GENDER),
        "The groups differ most in “gender (woman)” (31% in the pilot, 22% in PAIP; standardized difference 0.20). The "
        f"only characteristic that can be compared differs by more than 0.1 standard deviations. {SEE}",
    ),
    "whichever level is named first": (
        people("".join(line + "\n" for line in GENDER.splitlines()[2:] + GENDER.splitlines()[:2])),
        "The groups differ most in “gender (woman)” (31% in the pilot, 22% in PAIP; standardized difference 0.20). The "
        f"only characteristic that can be compared differs by more than 0.1 standard deviations. {SEE}",
    ),
    "one of two": (
        people(WORK.replace("0.31", "0.1") + GENDER),
        "The groups differ most in “gender (woman)” (31% in the pilot, 22% in PAIP; standardized difference 0.20), then in “work” "
        "(67% in the pilot, 50% in PAIP; standardized difference 0.10). Of 2 characteristics that can be compared, one differs by "
        f"more than 0.1 standard deviations. {SEE}",
    ),
    "none differs": (
        people(WORK.replace("0.31", "0.1")),
        f"No characteristic that can be compared differs by more than 0.1 standard deviations. {SEE}",
    ),
    "nothing is known": (people(UNKNOWN), "::: {.absent}\nToo few people have been referred to describe both groups.\n:::"),
}  # fmt: skip


@pytest.mark.parametrize("name", PEOPLE)
def test_in_what_the_groups_differ_most(name: str, shown: list[dict[str, Any]]) -> None:
    report, said = PEOPLE[name]
    say_participants(report)
    assert shown[0]["text/markdown"] == said


def test_the_table_of_participants_and_its_file(shown: list[dict[str, Any]]) -> None:
    show_participants(people(WORK, AGE))
    assert cells(shown[0]["text/html"])[:3] == [
        ["Characteristic", "Pilot (n = 90)", "PAIP (n = 300)", "Standardized difference"],
        ["Age"],
        ["Mean (SD)", "31.2, SD 9.0", "35.3, SD 11.0", "−0.42"],
    ]
    data = shown[0]["mark"]["data"]
    assert data["columns"] == ["group", "variable", "term", "label", "n", "n_event", "estimate", "std_dev", "smd"]
    assert ["PAIP", "Work", "w", "Yes", 300, 150, 0.5, None, 0.31] in data["rows"]
    assert ["Pilot", "Age", "a", "Mean (SD)", 90, None, 31.24, 9, -0.42] in data["rows"]


def test_a_value_that_is_not_shown_takes_no_other_away(shown: list[dict[str, Any]]) -> None:
    show_participants(people(WORK.replace("0.67", "-"), AGE))
    assert ["Mean (SD)", "31.2, SD 9.0", "35.3, SD 11.0", "−0.42"] in cells(shown[0]["text/html"])
    show_participants(people(WORK.replace("0.67", "-").replace("0.5 ", "-   ")))
    assert shown[1]["text/markdown"].startswith("::: {.absent}")


# -- what a report says of itself -------------------------------------------------------------------------------------
def test_what_stands_around_the_results(shown: list[dict[str, Any]]) -> None:
    report = told()
    report.groups_compared()
    report.cover()
    report.absent("absent.quarter")
    assert [one["text/markdown"] for one in shown] == [
        "This report compares two groups: **Pilot** (people without a court order) and **PAIP**.",
        "**A report: Small study**\n\nfourth quarter of 2023, data cut December 31, 2023\n\n**Synthetic data: no real person is "
        "described.**",
        "::: {.absent}\nThere is no earlier quarter to compare with.\n:::",
    ]
    assert report.has("sessions", "retention")
    assert not told(of=small(tables=("participants", "outcomes"))).has("sessions", "retention")
    assert shown[-1]["text/markdown"] == (
        "::: {.absent}\nThe sessions table is not part of this study, so retention cannot be reported.\n:::"
    )


def test_arms_keep_their_place_and_other_groups_follow(shown: list[dict[str, Any]]) -> None:
    for groups, names in (
        (("Third", "PAIP"), ["PAIP", "the group “Third”"]),
        (("Third", "all"), ["the group “Third”", "all"]),
    ):
        rows = "\n".join(f"{group} | a | A | {30 + 10 * i} | 90" for i, group in enumerate(groups))
        safe = shares("returns", f"group | term | label | n_event | n\n{rows}")
        shown.clear()
        showing(safe).say(estimates(safe))
        assert [part.split(" (")[0] for part in shown[0]["text/markdown"].split("% in ")[1:]] == names


def test_groups_have_the_order_of_their_colours() -> None:
    """An arm keeps its own where the other is not shown; where none is there the others begin."""
    for found, order in (
        (("Third", "PAIP"), ["Pilot", "PAIP", "Third"]),
        (("Third", "all"), ["Third", "all"]),
        (("PAIP",), ["Pilot", "PAIP"]),
    ):
        safe = safe_of("funnel", "group | n\n" + "\n".join(f"{group} | 90" for group in found))
        assert list(order_of(GROUPS, safe)) == order
    assert list(order_of(GROUPS, safe_of("funnel", "n\n90"))) == list(GROUPS)


def test_letters_that_no_figure_shows_are_refused_wherever_they_are_typed() -> None:
    for more in ({"note": "社区"}, {"x_label": "社区"}, {"words": CurveText("社区", "Days", "well")}):
        with pytest.raises(AnalysisError) as refused:
            showing(STAYED).show(estimates(STAYED), **more)  # type: ignore[arg-type]
        assert (
            str(refused.value)
            == "report.show: a label or note holds letters that the reports' fonts do not have; use others"
        )


NEAR = "people with an intake"


class Safely(Told):
    def safe(self, estimates: Estimates) -> Safe:
        return Safe(estimates, "released", (), self.policy)


def likened() -> tuple[Told, Estimates, Estimates]:
    made = told(baselines=(COOK,))
    report = Safely(**{one.name: getattr(made, one.name) for one in fields(made) if one.init})
    rows = "group | term | label | n_event | n\nPilot | completed | C | 8 | 50\nPAIP | completed | C | 70 | 140"
    nearest = shares("proportion", rows).estimates.about(population=NEAR, asked={"question": "nearest"})
    dose = shares("proportion", rows.replace("| 8 |", "| 16 |").replace("completed | C", "dose | D")).estimates
    return report, nearest, dose.about(population="starters", estimand="dose reached", asked={"question": "dose"})


def test_beside_published_figures_stand_the_nearest_denominator_and_the_dose(shown: list[dict[str, Any]]) -> None:
    report, nearest, dose = likened()
    completion = DONE.estimates.about(population="starters")
    report.show_benchmarks(completion, "completion", "figure", nearest=nearest, also=dose)
    mark = shown[0]["mark"]
    assert mark["alt"] == (
        "Pilot: this study 25%, this study, nearest to published 16%, dose reached 32%. "
        "PAIP: this study 75%, this study, nearest to published 50%, dose reached 50%. "
        "Published: Cook County 1,899 men assessed 73%."
    )
    own = [(row[0], row[1], round(row[4], 2)) for row in mark["data"]["rows"] if row[2] == "here"]
    assert sorted(own) == sorted([
        ("This study", "Pilot", 0.25), ("This study", "PAIP", 0.75), (NEAR, "Pilot", 0.16), (NEAR, "PAIP", 0.5),
        ("Dose reached", "Pilot", 0.32), ("Dose reached", "PAIP", 0.5),
    ])  # fmt: skip
    assert mark["headline"] == "Completed: 25% in the pilot and 75% in PAIP. Published shares are of other people"
    assert len(mark["also"]) == 2  # the comparison with those of the nearest denominator, and the dose


@pytest.mark.parametrize(("rule", "told"), [("recorded", True), ("either", False), ("dose", False)])
def test_what_completing_takes_is_said_where_the_dose_stands_beside_it(
    rule: str, told: bool, shown: list[dict[str, Any]]
) -> None:
    """Where completing is the dose, the dose is no other share, and is not drawn again."""
    report, nearest, dose = likened()
    cohort = replace(report.cohort, rules=report.cohort.rules.model_copy(update={"completion": rule}))
    report = replace(report, cohort=cohort)
    completion = DONE.estimates.about(population="starters")
    also = completion.about(estimand="dose reached", asked={"question": "dose"}) if rule == "dose" else dose
    report.show_benchmarks(completion, "completion", "figure", nearest=nearest, also=also)
    assert ("dose reached" in shown[0]["mark"]["alt"]) is (rule != "dose")
    assert ("Completing takes more than the dose" in shown[1]["text/markdown"]) is told


def test_another_share_of_just_as_many_people_is_another_share(shown: list[dict[str, Any]]) -> None:
    report, nearest, _ = likened()
    rows = "group | term | label | n_event | n\nPAIP | d | D | 80 | 120\nPilot | d | D | 20 | 40"
    dose = shares("proportion", rows).estimates.about(
        population="starters", estimand="dose reached", asked={"question": "d"}
    )
    report.show_benchmarks(
        DONE.estimates.about(population="starters"), "completion", "figure", nearest=nearest, also=dose
    )
    assert "dose reached 50%" in shown[0]["mark"]["alt"]
    assert "dose reached 67%" in shown[0]["mark"]["alt"]


def test_a_group_whose_own_share_is_not_shown_does_not_borrow_the_nearest_one(shown: list[dict[str, Any]]) -> None:
    report, nearest, _ = likened()
    alone = shares("proportion", "group | term | label | n_event | n\nPilot | c | C | 10 | 40").estimates
    report.show_benchmarks(alone.about(population="starters"), "completion", "figure", nearest=nearest)
    mark = shown[0]["mark"]
    assert mark["alt"] == (
        "Pilot: this study 25%, this study, nearest to published 16%. PAIP: this study, nearest to published 50%. "
        "Published: Cook County 1,899 men assessed 73%."
    )
    assert mark["headline"] == "Completed: 25% in the pilot. Published shares are of other people"


def test_the_table_compares_the_nearest_denominator_too(shown: list[dict[str, Any]]) -> None:
    report, nearest, _ = likened()
    report.show_benchmarks(DONE.estimates.about(population="starters"), nearest=nearest)
    rows = cells(shown[0]["text/html"])[2:6]
    limits = {(x, n): "({:.0f}% to {:.0f}%)".format(*(100 * float(v) for v in wilson(x, n)))
              for x, n in ((90, 120), (10, 40), (70, 140), (8, 50))}  # fmt: skip
    assert sorted(rows) == sorted([
        ["PAIP", f"75% {limits[90, 120]} of 120"], ["Pilot", f"25% {limits[10, 40]} of 40"],
        [f"PAIP, of {NEAR}", f"50% {limits[70, 140]} of 140"], [f"Pilot, of {NEAR}", f"16% {limits[8, 50]} of 50"],
    ])  # fmt: skip
