"""What a report tells its appendix: each number and name of the protocol at its own place, and which tables there are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evalkit.protocol import Comparison
from evalkit.report import Report, checklist, statistics, target_trial, terms
from evalkit.views import appendix
from reports.made import shown as _shown
from reports.made import small, told

shown = _shown
EVERY = frozenset({"sessions", "exits", "outcomes", "recurrent"})


def asked(report: Report, part: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    """What a part gives to the text of that name."""
    given: list[tuple[Any, ...]] = []
    monkeypatch.setattr(appendix, name, lambda *what: given.append(what) or "")
    part(report)
    return given[0]


def with_study(report: Report, **more: Any) -> Report:
    return replace(report, study=report.study.model_copy(update=more))


def test_the_target_trial_is_told_who_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    report = told(of=small(assignment="other"))
    said, there, assignment = asked(report, target_trial, "target_trial", monkeypatch)
    assert said == {
        "start": "November 18, 2021", "focus": "Pilot (people without a court order)", "comparison": "PAIP",
        "covariates": "age", "target": "people like those in the pilot (ATT)",
    }  # fmt: skip
    assert (there, assignment) == (EVERY, "other")
    arms = report.study.arms
    bare = arms.model_copy(update={"focus": arms.focus.model_copy(update={"definition": ""})})
    said, *_ = asked(with_study(report, arms=bare, covariates=()), target_trial, "target_trial", monkeypatch)
    assert (said["focus"], said["covariates"]) == ("Pilot", "no characteristic")


def test_statistical_methods_are_told_the_protocols_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Comparison(
        max_smd=0.15, min_equipoise=0.25, preference_low=0.2, preference_high=0.9, min_effective_sample_size=41
    )
    report = with_study(told(), comparison=rules, seed=77)
    report = replace(report, policy=replace(report.policy, minimum_count=13))
    said, there = asked(report, lambda one: statistics(one, 7, 9), "statistics", monkeypatch)
    assert said == {
        "covariates": "age", "minimum": "13", "target": "people like those in the pilot (ATT)", "boot": "400", "imputed": "200",
        "leaving": "7", "foretold": "9", "level": "95%", "seed": "77", "smd": "0.15", "equipoise": "25%", "low": "0.2",
        "high": "0.9", "sample": "41", "landmark": "90", "origin": "intake",
    }  # fmt: skip
    assert there == EVERY
    said, there = asked(told(of=small(("participants", "exits"))), statistics, "statistics", monkeypatch)
    assert (said["leaving"], said["foretold"], there) == ("200", "200", {"exits"} | (there & {"recurrent"}))


def test_terms_are_told_the_rules_and_whether_a_group_is_called_paip(monkeypatch: pytest.MonkeyPatch) -> None:
    report = told()
    assert asked(report, terms, "glossary_of_terms", monkeypatch) == (
        {"gap": "21", "sessions": "3", "days": "45"}, EVERY | {"PAIP"},
    )  # fmt: skip
    arms = report.study.arms
    for focus, other, named in (("Pilot", "Others", False), ("PAIP", "Others", True), ("Pilot", "The PAIP", True)):
        sides = {"focus": focus, "comparison": other}
        renamed = arms.model_copy(
            update={side: getattr(arms, side).model_copy(update={"label": label}) for side, label in sides.items()}
        )
        _, there = asked(with_study(report, arms=renamed), terms, "glossary_of_terms", monkeypatch)
        assert ("PAIP" in there) is named


def test_each_part_says_what_kind_of_text_it_is(shown: list[dict[str, Any]]) -> None:
    for part in (target_trial, statistics, terms, checklist):
        part(told())
    assert [one["mark"]["kind"] for one in shown] == ["about", "methods", "about", "about"]
