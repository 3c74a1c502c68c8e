"""A question that cannot be asked has an answer: nothing, and why; a report says so once, whatever is done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evalkit import comparison, engagement, harm
from evalkit.cohort import Cohort
from evalkit.estimates import Estimates, nothing
from evalkit.report import show_pair
from evalkit.views import CurveText
from reports.made import shown, small  # noqa: F401 - a fixture

BARE = ("participants",)
Question = Callable[[Cohort], Estimates]
SESSIONS: dict[str, tuple[Question, str]] = {
    "time_to_first_session": (engagement.time_to_first_session, "the time to a first session"),
    "funnel": (engagement.funnel, "the funnel from referral to completion"),
    "completion": (engagement.completion, "completion"),
    "engaged_by": (lambda c: engagement.engaged_by(c, "site"), "engagement by place"),
    "leaving": (engagement.leaving, "retention"),
    "staying": (engagement.staying, "the time to disengagement"),
    "mean_stay": (lambda c: engagement.mean_stay(c, 90), "the time to disengagement"),
    "attendance_rate": (engagement.attendance_rate, "attendance"),
    "dose_by_week": (lambda c: engagement.dose_by_week(c, "hours", weeks=4), "attendance"),
    "dose_distribution": (engagement.dose_distribution, "attendance"),
    "dose_reached": (engagement.dose_reached, "attendance"),
    "longest_gap": (engagement.longest_gap, "attendance"),
    "returns": (engagement.returns, "attendance"),
    "caseload": (engagement.caseload, "the caseload"),
    "engaged_across": (engagement.engaged_across, "engagement of groups of people"),
    "trend": (lambda c: engagement.trend([("2023Q4", c)]), "trends"),
    "subgroups": (comparison.subgroups, "differences among groups of people"),
}
OUTCOMES: dict[str, tuple[Question, str]] = {
    "without_harm": (harm.without_harm, "harm"),
    "first_harm": (harm.first_harm, "harm"),
    "mean_without_harm": (lambda c: harm.mean_without_harm(c, 90), "harm"),
    "repeated_harm": (harm.repeated_harm, "repeated harm"),
    "harm_after_completion": (lambda c: harm.harm_after_completion(c)[0], "harm after completing"),
    "the model after completion": (lambda c: harm.harm_after_completion(c)[1], "harm after completing"),
    "harm_model": (harm.harm_model, "a model of harm"),
    "harm_hazards": (harm.harm_hazards, "a model of harm"),
}
BOTH = [("sessions", *one) for one in SESSIONS.values()] + [("outcomes", *one) for one in OUTCOMES.values()]
OF_OUTCOMES: dict[str, tuple[Callable[[comparison.Outcome], Estimates], str]] = {
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


@pytest.mark.parametrize("name", OF_OUTCOMES)
def test_what_cannot_be_compared_says_so(name: str) -> None:
    ask, what = OF_OUTCOMES[name]
    without = comparison.outcome(small(BARE).cohort, "harm", 90)
    told = f"{what} of the comparison in recorded harm"
    assert dict(ask(without).absence) == {"key": "absent.table", "what": told, "table": "outcomes"}
    too_few = comparison.Outcome("recorded harm", 90, None)
    assert dict(ask(too_few).absence) == {"key": "absent.comparison", "what": told}


def test_a_report_says_it_once_whatever_is_done(shown: list[dict[str, Any]]) -> None:  # noqa: F811
    report = small(BARE)
    funnel = engagement.funnel(report.cohort)
    report.say(funnel, "fig-funnel")
    report.show(funnel, "figure")
    report.show(funnel, "table", note="A note.")
    said = "The sessions table is not part of this study, so the funnel from referral to completion cannot be reported."
    assert [one["text/markdown"] for one in shown] == [f"::: {{.absent}}\n{said}\n:::"]
    assert shown[0]["mark"]["kind"] == "absent"
    report.show_differences(engagement.leaving(report.cohort))
    report.show_benchmarks(engagement.completion(report.cohort))
    show_pair(report, harm.harm_after_completion(report.cohort)[0], CurveText("", "", ""), 90)
    report.say(comparison.outcome(report.cohort, "retention", 90).effects)
    whats = [one["text/markdown"].partition(", so ")[2].partition(" cannot")[0] for one in shown[1:]]
    assert whats == [
        "retention", "completion", "harm after completing", "the adjusted difference of the comparison in disengagement",
    ]  # fmt: skip


def test_why_groups_are_not_compared(shown: list[dict[str, Any]]) -> None:  # noqa: F811
    small().show(comparison.Outcome("recorded harm", 90, None).balance(), "table")
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
