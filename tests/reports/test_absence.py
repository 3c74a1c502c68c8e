"""A question that cannot be asked has an answer: nothing, and why; a report says so, whatever is done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evalkit import analyses
from evalkit.cohort import Cohort
from evalkit.estimates import Estimates, nothing
from evalkit.report import show_pair
from evalkit.views import CurveText
from reports.made import shown, small  # noqa: F401 - a fixture

BARE = ("participants",)
Question = Callable[[Cohort], Estimates]
SESSIONS: dict[str, tuple[Question, str]] = {
    "time_to_first_session": (analyses.time_to_first_session, "the time to a first session"),
    "funnel": (analyses.funnel, "the funnel from referral to completion"),
    "completion": (analyses.completion, "completion"),
    "engaged_by": (lambda c: analyses.engaged_by(c, "site"), "engagement by place"),
    "leaving": (analyses.leaving, "retention"),
    "staying": (analyses.staying, "the time to disengagement"),
    "mean_stay": (lambda c: analyses.mean_stay(c, 90), "the time to disengagement"),
    "attendance_rate": (analyses.attendance_rate, "attendance"),
    "dose_by_week": (lambda c: analyses.dose_by_week(c, "hours", weeks=4), "attendance"),
    "dose_distribution": (analyses.dose_distribution, "attendance"),
    "dose_reached": (analyses.dose_reached, "attendance"),
    "longest_gap": (analyses.longest_gap, "attendance"),
    "returns": (analyses.returns, "attendance"),
    "caseload": (analyses.caseload, "the caseload"),
    "engaged_across": (analyses.engaged_across, "engagement of groups of people"),
    "trend": (lambda c: analyses.trend([("2023Q4", c)]), "trends"),
    "subgroups": (analyses.subgroups, "differences among groups of people"),
}
OUTCOMES: dict[str, tuple[Question, str]] = {
    "without_harm": (analyses.without_harm, "harm"),
    "first_harm": (analyses.first_harm, "harm"),
    "mean_without_harm": (lambda c: analyses.mean_without_harm(c, 90), "harm"),
    "repeated_harm": (analyses.repeated_harm, "repeated harm"),
    "harm_after_completion": (lambda c: analyses.harm_after_completion(c)[0], "harm after completing"),
    "the model after completion": (lambda c: analyses.harm_after_completion(c)[1], "harm after completing"),
    "harm_model": (analyses.harm_model, "a model of harm"),
    "harm_hazards": (analyses.harm_hazards, "a model of harm"),
}
BOTH = [("sessions", *one) for one in SESSIONS.values()] + [("outcomes", *one) for one in OUTCOMES.values()]
OF_OUTCOMES: dict[str, tuple[Callable[[analyses.Outcome], Estimates], str]] = {
    "equipoise": (lambda o: o.equipoise(), "the overlap"),
    "preference": (lambda o: o.preference(), "the overlap"),
    "diagnose": (lambda o: o.diagnose(), "the balance"),
    "balance": (lambda o: o.balance(), "the balance"),
    "effects": (lambda o: o.effects, "the adjusted difference"),
    "weighted": (lambda o: o.weighted(), "the adjusted difference"),
    "sensitivity": (lambda o: o.sensitivity(None), "the sensitivity"),  # type: ignore[arg-type]
    "e_values": (lambda o: o.e_values, "the sensitivity to what was not measured"),
    "imputed": (lambda o: o.imputed(2), "the imputed difference"),
}


@pytest.mark.parametrize(("table", "question", "what"), BOTH, ids=[*SESSIONS, *OUTCOMES])
def test_without_its_table_a_question_is_answered_with_nothing_and_why(
    table: str, question: Question, what: str
) -> None:
    found = question(small(BARE).cohort)
    assert dict(found.absence) == {"key": "absent.table", "what": what, "table": table}
    assert found.data.empty
    assert found.counts is None
    assert not question(small().cohort).absence


def test_without_sessions_nobody_is_known_to_have_completed() -> None:
    for found in analyses.harm_after_completion(small(("participants", "exits", "outcomes")).cohort):
        assert dict(found.absence) == {"key": "absent.table", "what": "harm after completing", "table": "sessions"}


def test_repeated_harm_is_counted_where_the_protocol_says_so() -> None:
    cohort = small().cohort
    harm = cohort.study.harm.model_copy(update={"recurrent": False})
    once = replace(cohort, study=cohort.study.model_copy(update={"harm": harm}))
    assert dict(analyses.repeated_harm(once).absence) == {"key": "absent.recurrent", "what": "repeated harm"}


def test_an_area_that_nobody_has_describes_nobody() -> None:
    cohort = small().cohort
    nobody = replace(cohort, people=cohort.people.assign(community_area=None), _frames={})
    terms = [set(analyses.baseline(one)[0].tidy()["variable"]) for one in (cohort, nobody)]
    assert terms[0] - terms[1] == {"Community area"}


@pytest.mark.parametrize("name", OF_OUTCOMES)
def test_what_cannot_be_compared_says_so(name: str) -> None:
    ask, what = OF_OUTCOMES[name]
    without = analyses.outcome(small(BARE).cohort, "harm", 90)
    told = f"{what} of the comparison in recorded harm"
    assert dict(ask(without).absence) == {"key": "absent.table", "what": told, "table": "outcomes"}
    too_few = analyses.Outcome("recorded harm", 90, None)
    assert dict(ask(too_few).absence) == {"key": "absent.comparison", "what": told}


def test_a_report_says_why_whatever_is_done(shown: list[dict[str, Any]]) -> None:  # noqa: F811
    report = small(BARE)
    funnel = analyses.funnel(report.cohort)
    report.say(funnel, "fig-funnel")
    report.show(funnel, "figure")
    report.show(funnel, "table", note="A note.")
    said = "The sessions table is not part of this study, so the funnel from referral to completion cannot be reported."
    assert [one["text/markdown"] for one in shown] == [f"::: {{.absent}}\n{said}\n:::"] * 3
    assert {(one["mark"]["kind"], one["mark"]["why"]) for one in shown} == {("absent", "absent.table")}
    report.show_differences(analyses.leaving(report.cohort))
    report.show_benchmarks(analyses.completion(report.cohort))
    show_pair(report, analyses.harm_after_completion(report.cohort)[0], CurveText("", "", ""), 90)
    report.say(analyses.outcome(report.cohort, "retention", 90).effects)
    whats = [one["text/markdown"].partition(", so ")[2].partition(" cannot")[0] for one in shown[3:]]
    assert whats == [
        "retention", "completion", "harm after completing", "the adjusted difference of the comparison in disengagement",
    ]  # fmt: skip


def test_why_groups_are_not_compared(shown: list[dict[str, Any]]) -> None:  # noqa: F811
    small().show(analyses.Outcome("recorded harm", 90, None).balance(), "table")
    (one,) = shown
    assert one["text/markdown"] == (
        "::: {.absent}\nNot shown: the balance of the comparison in recorded harm. The groups cannot be compared: one of "
        "them has too few people, or their characteristics tell them apart completely.\n:::"
    )


def test_nothing_is_a_value_like_any_other() -> None:
    one = nothing("absent.table", "x", table="sessions").about(population="all")
    assert one.absence["what"] == "x"
    assert one.tidy().empty
    assert one.view == "plain"
