"""What each part of a report says of itself to the publishers: whole marks, and the boundaries of what is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.report import Report, conclusions, limitations, say_participants, show_participants
from evalkit.report._findings import EventShare
from evalkit.report._model_words import _Factor, _factors, _Words
from evalkit.words import speaking
from reports.made import TABLES, Told, small, told
from reports.made import shown as _shown
from reports.test_conclusions import outcome, results
from reports.test_findings import BOTH, ON_90, ON_182, left, on
from reports.test_shown import AGE, STAYED, UNKNOWN, WORK, estimates, people, showing
from views.made import LOWER, safe_of

shown = _shown
Shown = list[dict[str, Any]]


def marks(shown: Shown) -> list[dict[str, Any]]:
    return [{k: v for k, v in one["mark"].items() if k not in {"number", "seal", "data"}} for one in shown]


def named(**changes: Any) -> Told:
    """A report of which every line of the cover is another text."""
    report = told(BOTH | ON_90 | ON_182)
    study = {"title": "The study", "subtitle": "A subtitle", "organisation": "A team", "locale": "en-US", **changes}
    words = {
        "es": {
            **report.study.translations["es"],
            "The study": "El estudio",
            "A team": "Un equipo",
            "A subtitle": "Un subtítulo",
        }
    }
    return replace(report, study=report.study.model_copy(update={**study, "translations": words}))


def test_the_covers(shown: Shown) -> None:
    report = named()
    report.cover()
    with speaking("es-US", report.study.translations["es"] | {"A report": "Resumen"}):
        report.cover()
    facts = {
        "title": "A report", "subtitle": "A subtitle", "study": "The study", "organisation": "A team", "period": "fourth quarter of 2023",
        "since": "November 18, 2021", "cut": "December 31, 2023", "cut_date": "2023-12-31", "synthetic": True, "locale": "en-US", "assignment": "mandate", "completion": "either", "sessions": True,
    }  # fmt: skip
    spanish = {
        "title": "Resumen", "subtitle": "Un subtítulo", "study": "El estudio", "organisation": "Un equipo",
        "period": "cuarto trimestre de 2023", "since": "18 de noviembre de 2021", "cut": "31 de diciembre de 2023", "locale": "es-US",
    }  # fmt: skip
    expected = [facts, facts | spanish]
    assert marks(shown) == [{"shows": "cover", "kind": "cover", "document": own} for own in expected]
    assert [one["text/markdown"].splitlines()[0] for one in shown] == [
        "**A report: The study**", "**Resumen: El estudio**"
    ]  # fmt: skip


def test_real_data_and_another_assignment_are_said_on_the_cover(shown: Shown) -> None:
    report = named(comparison=small(assignment="random").study.comparison)
    report = replace(report, cohort=replace(report.cohort, synthetic=False))
    report.cover()
    assert (shown[0]["mark"]["document"]["synthetic"], shown[0]["mark"]["document"]["assignment"]) == (False, "random")
    assert "Synthetic" not in shown[0]["text/markdown"]


PARTS: dict[str, tuple[Callable[[Told], object], dict[str, object]]] = {
    "groups": (lambda r: r.groups_compared(), {"shows": "markdown", "kind": "groups"}),
    "methods": (lambda r: r.methods(), {"shows": "markdown", "kind": "methods"}),
    "provenance": (lambda r: r.provenance(), {"shows": "table", "kind": "provenance"}),
    "dictionary": (lambda r: r.dictionary(), {"shows": "markdown", "kind": "dictionary"}),
    "restatements": (lambda r: r.restatements(), {"shows": "markdown", "kind": "restatements"}),
    "too few": (lambda r: r.absent("absent.small", minimum=11), {"shows": "markdown", "kind": "absent", "absent": "yes", "why": "absent.small", "typed": ["11"]}),
    "no quarter": (lambda r: r.absent("absent.quarter"), {"shows": "markdown", "kind": "absent", "absent": "", "why": "absent.quarter"}),
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_the_mark_of_what_comes_from_the_protocol(part: str, shown: Shown) -> None:
    show, mark = PARTS[part]
    show(named())
    assert marks(shown) == [mark]


def of(report: Told, kind: str) -> str:
    return report.results[kind].estimates.id


def test_the_marks_of_results(shown: Shown) -> None:
    both, gate = people(WORK, AGE), told(results())
    baseline = {
        "estimate": of(both, "baseline"), "kind": "baseline", "verdict": "released", "also": {of(both, "baseline_means"): "baseline_means"}
    }  # fmt: skip
    say_participants(both)
    show_participants(both)
    for nobody in (say_participants, show_participants):
        nobody(people(UNKNOWN.replace("0.9", "-").replace("0.1", "-")))
    assert marks(shown) == [{"shows": shows, **baseline} for shows in ("markdown", "table", "markdown", "markdown")]
    shown.clear()
    conclusions(gate, [outcome()])
    limitations(gate, [outcome()])
    found = marks(shown)
    assert [list(one["also"].values()) for one in found] == [
        ["diagnose", "adjusted_effects", "e_value"], ["diagnose", "e_value", "incomplete"]
    ]  # fmt: skip
    assert [(one["estimate"], one["kind"], one["verdict"]) for one in found] == [
        (of(gate, "gate recorded harm"), "conclusions", "released"), (of(gate, "gate recorded harm"), "limitations", "released")
    ]  # fmt: skip


def test_words_that_an_author_gives_are_told_where_they_hold_a_number(shown: Shown) -> None:
    report = showing(STAYED)
    report.show(estimates(STAYED), "table", note="In 2 areas")
    report.show(estimates(STAYED), "table", note="Nothing")
    assert [mark.get("typed") for mark in marks(shown)] == [["In 2 areas"], None]


# -- of nobody nothing is told ---------------------------------------------------------------------------------------
def test_a_share_of_nobody_is_not_told_whatever_stands_there(shown: Shown) -> None:
    rows = (
        "Pilot | engaged | Engaged | 90 | 120 | 0.75 | 0.67 | 0.82\nPAIP | engaged | Engaged | 0 | 0 | 0.5 | 0.4 | 0.6"
    )
    funnel = {
        "funnel": safe_of("funnel", f"group | term | label | n_event | n | estimate | conf_low | conf_high\n{rows}")
    }
    report = told(funnel)
    report.findings()
    assert "75%" in shown[1]["text/html"]
    assert "50%" not in shown[1]["text/html"]


# -- shares on a day -------------------------------------------------------------------------------------------------
GROUPS = ("Pilot", "PAIP")


def share(*lines: str, last: float, gap: Any = None) -> EventShare:
    safe = left(*lines)["cumulative_incidence left"]
    rows = safe.landmark_rows()
    return EventShare(safe, rows[rows["cause"] == "disengagement"], gap, last, "disengagement")


EVERY = (
    "Pilot | 30 | 80 | 0.1 | 0.05 | 0.2 | pass", "Pilot | 90 | 60 | 0.3 | 0.2 | 0.4 | pass", "Pilot | 182 | 60 | 0.5 | 0.4 | 0.6 | fail",
    "PAIP | 30 | 80 | 0.2 | 0.1 | 0.3 | pass", "PAIP | 90 | 60 | 0.4 | 0.3 | 0.5 | fail", "PAIP | 182 | 60 | 0.6 | 0.5 | 0.7 | pass",
)  # fmt: skip


@pytest.mark.parametrize(
    ("groups", "day", "own", "other"),
    [(GROUPS, 30, 0.1, 0.2), (("Pilot", "Nobody"), 90, 0.3, None), (("Nobody", "PAIP"), None, None, None)],
)
def test_the_day_that_both_groups_have(groups: tuple[str, str], day: Any, own: Any, other: Any) -> None:
    first, second = share(*EVERY, last=182).on_a_day(groups)
    assert (None if first is None else first["time"]) == day
    assert [None if row is None else row["estimate"] for row in (first, second)] == [own, other]


@pytest.mark.parametrize(
    ("groups", "last", "withheld"),
    [(GROUPS, 182, False), (("Nobody", "PAIP"), 182, True), (("Nobody", "PAIP"), float("nan"), False), (("Nobody", "PAIP"), 0, False)],
)  # fmt: skip
def test_what_can_be_quoted_of_no_day(groups: tuple[str, str], last: float, withheld: bool) -> None:
    assert bool(share(*EVERY, last=last).withheld(groups)) is withheld


def test_the_difference_is_of_its_day_and_a_row_of_its_group() -> None:
    one = share(*EVERY, last=182, gap=on(90, LOWER))
    assert one.gap_on(90) is one.gap
    assert one.gap_on(30) is share(*EVERY, last=182).gap_on(90) is None
    assert one.row("PAIP", 182)["estimate"] == 0.6  # type: ignore[index]
    assert one.row("Pilot", 182) is one.row("PAIP", 31) is None


# -- models ----------------------------------------------------------------------------------------------------------
def model(*terms: str, levels: dict[str, list[str]] | None = None) -> _Words:
    return _Words(small().study, levels or {}, [_factors(term) for term in terms])


ARM, GENDER = "Pilot (reference: PAIP)", {"gender": ["man", "woman"]}
TERMS: list[tuple[tuple[str, ...], dict[str, list[str]], list[str], list[bool]]] = [
    (("age",), {}, ["Age"], [False]), (("log(age)",), {}, ["log(Age)"], [False]), (("prior_arrests",), {}, ["Prior arrests"], [False]),
    (("group",), {}, [ARM], [False]), (("pathway",), {}, [ARM], [False]), (("group[T.Pilot]",), {}, [ARM], [False]),
    (("group[T.PAIP]",), {}, [ARM], [True]), (("pathway[T.paip]",), {"pathway": ["non_mandated", "paip"]}, [ARM], [True]),
    (("track[T.paip]",), {"track": ["non_mandated", "paip"]}, [ARM], [True]), (("track[T.paip]",), {"track": ["other", "paip"]}, ["Track: Paip (reference: Other)"], [False]),
    (("C(gender)[T.woman]",), GENDER, ["Gender: Woman (reference: Man)"], [False]), (("gender[woman]",), {}, ["Gender: Woman"], [False]),
    (("area[T.a]", "area[T.b]"), {"area": ["a", "b", "c"]}, ["Area: A (reference: C)", "Area: B (reference: C)"], [False, False]),
    (("group", "age", "group:age"), {}, [f"{ARM}, at Age = 0", "Age, at Group = PAIP", f"{ARM} × Age"], [False, False, False]),
    (("group[T.PAIP]", "age", "group[T.PAIP]:age"), {}, [f"{ARM}, at Age = 0", "Age, at Group = Pilot", f"{ARM} × Age"], [True, False, True]),
    (("group[T.Pilot]", "gender[T.woman]", "group[T.Pilot]:gender[T.woman]"), GENDER,
     [f"{ARM}, at Gender = Man", "Gender: Woman (reference: Man), at Group = PAIP", f"{ARM} × Gender: Woman (reference: Man)"], [False] * 3),
]  # fmt: skip


@pytest.mark.parametrize(("terms", "levels", "labels", "turned"), TERMS)
def test_what_a_term_is_called(
    terms: tuple[str, ...], levels: dict[str, list[str]], labels: list[str], turned: list[bool]
) -> None:
    words = model(*terms, levels=levels)
    assert [words.label(term) for term in words.terms] == labels
    assert [any(map(words.turned, term)) for term in words.terms] == turned


def test_terms_are_split_outside_brackets() -> None:
    assert _factors("C(a, b:c)[T.x:y]:d[T.z]") == [_Factor("a", "x:y"), _Factor("d", "z")]
    assert _factors("log(a:b)") == [_Factor("log(a:b)")]


def test_an_interaction_with_an_unknown_reference_is_refused() -> None:
    words = model("age", "place[T.x]", "age:place[T.x]")
    with pytest.raises(AnalysisError) as refused:
        words.label(words.terms[0])
    assert str(refused.value) == (
        "the model has an interaction with 'place' whose reference level is not known: no effect can be told by itself. Show the "
        "fit that stats.cox returned, with the main effects beside the interaction"
    )


# -- limits of the comparison ----------------------------------------------------------------------------------------
def test_what_was_not_compared_has_no_limitation(shown: Shown) -> None:
    texts: list[str] = []
    for one in (outcome(compared=False), None):
        shown.clear()
        limitations(told(results()), [one])
        assert "e_value" not in shown[0]["mark"]["also"].values()
        texts.append(shown[0]["text/markdown"])
    assert texts[0] == texts[1]
    shown.clear()
    limitations(told(results()), [outcome()])
    assert len(shown[0]["text/markdown"]) > len(texts[0])


def test_quarters_up_to_the_period_and_the_one_before() -> None:
    report: Report = small(TABLES)
    assert [name for name, _ in report.quarters] == [
        "2021Q4",
        "2022Q1",
        "2022Q2",
        "2022Q3",
        "2022Q4",
        "2023Q1",
        "2023Q2",
        "2023Q3",
        "2023Q4",
    ]
    assert report.quarters[-1][1] is report.cohort
    assert report.earlier is report.quarters[-2][1]
    alone = replace(report, period=SimpleNamespace(first=report.study.starts, name="x", cut=date(2021, 12, 31)))
    assert [name for name, _ in alone.quarters] == ["x"]
    assert alone.earlier is None


def test_estimates_are_asked_of_the_cut() -> None:
    report = small(TABLES)
    assert report.cut == date(2023, 12, 31)
    exact = report.cohort.attrition
    assert isinstance(exact, Estimates)
    assert report.safe(exact).estimates.cut == date(2023, 12, 31)
