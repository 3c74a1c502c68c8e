"""What a report says of itself, from hand-made facts: whom its groups hold, what changed since, where it came from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from evalkit.report import _standing
from evalkit.report._standing import by_court
from reports.made import Told, small, told
from reports.made import shown as _shown
from views.drawn import cells
from views.made import safe_of

shown = _shown
CHANGED = pd.DataFrame(
    {
        "figure": ["referrals", "exits"],
        "group": ["Pilot", "all"],
        "old": [120.0, 90.0],
        "new": [131.0, 70.0],
        "reason": ["late entry", "retraction"],
    }
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is asked for restatements, and told instead of them: the last of the list."""
    found: list[Any] = [CHANGED]
    monkeypatch.setattr(_standing, "restatements", lambda *of, **known: found.insert(0, (of, known)) or "exact")
    monkeypatch.setattr(_standing, "safe_restatements", lambda *given: found.insert(0, given) or found[-1])
    return found


def test_restated_are_the_figures_of_the_quarter_before_as_they_are_known_now(
    asked: list[Any], shown: list[dict[str, Any]]
) -> None:
    report = told()
    report.restatements()
    given, (of, known) = asked[:2]
    assert (of, known) == ((report.raw, date(2023, 9, 30)), {"known_on": date(2023, 12, 31)})
    assert given == ("exact", report.policy)
    rows = cells(shown[0]["text/html"])
    assert rows[0][0] == "Figure of 2023Q3"
    assert [row[:4] for row in rows[1:3]] == [["Referrals", "Pilot", "120", "131"], ["Exits", "everyone", "90", "70"]]
    assert len(shown[0]["mark"]["data"]["rows"]) == 2


def test_where_no_figure_changed_it_says_of_which_quarter(asked: list[Any], shown: list[dict[str, Any]]) -> None:
    asked[:] = [CHANGED.iloc[:0]]
    told().restatements()
    assert shown[0]["text/markdown"] == "No figure of the third quarter of 2023 changed."


@pytest.mark.parametrize(("starts", "there"), [(date(2023, 9, 30), True), (date(2023, 10, 1), False)])
def test_there_is_a_quarter_before_where_the_study_had_begun(
    starts: date, there: bool, asked: list[Any], shown: list[dict[str, Any]]
) -> None:
    report = small()
    told(of=replace(report, study=report.study.model_copy(update={"starts": starts}))).restatements()
    assert (len(asked) == 3) is there
    assert ("There is no earlier quarter" in shown[0].get("text/markdown", "")) is not there


@pytest.mark.parametrize(
    ("starts", "last", "name"),
    [
        (date(2020, 11, 18), date(2023, 12, 31), "2022Q4"),  # just a year; three older quarters there are
        (date(2020, 11, 18), date(2023, 12, 30), "2022Q3"),
        (date(2019, 2, 1), date(2020, 12, 31), "2019Q4"),  # a leap year has a day more
        (date(2022, 12, 31), date(2023, 12, 31), "2022Q4"),
        (date(2023, 1, 1), date(2023, 12, 31), None),
    ],
)
def test_a_year_earlier_is_the_newest_quarter_that_was_over_then(
    starts: date, last: date, name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_standing, "known_at", lambda report, period: period.name)
    report = small()
    study = report.study.model_copy(update={"starts": starts})
    period = replace(report.period, first=date(last.year, 10, 1), last=last)
    made = told(of=replace(report, study=study, period=period))
    assert made.cut == last
    assert _standing.a_year_earlier(made) == name


LIMITED = (
    "Counted {} are only people whose recorded {}. Others of that program are in neither group; the table of who is "
    "counted says how many."
)
UNLIMITED = (
    "People’s mandate is not recorded. What is said here of who is {} is what is publicly said of that program, not what "
    "these data show."
)
COURT, HOME = ("in PAIP", "mandate is court or other_order"), ("in the pilot", "mandate is none")


def limited(*arms: str, known: bool) -> Told:
    """A report of groups that ask for a mandate, of which the records know or do not."""
    report = small()
    where = {"focus": {"mandate": "none"}, "comparison": {"mandate": ["court", "other_order"]}}
    own = {arm: getattr(report.study.arms, arm).model_copy(update={"where": where[arm]}) for arm in arms}
    study = report.study.model_copy(update={"arms": report.study.arms.model_copy(update=own)})
    steps = safe_of("attrition", f"term\nin_arm\n{'where_met' if known else 'where_asked'}").estimates
    return told(of=replace(report, study=study, cohort=replace(report.cohort, attrition=steps)))


@pytest.mark.parametrize(
    ("arms", "known", "said"),
    [
        ((), True, []),
        (("comparison",), True, [LIMITED.format(*COURT)]),
        (("comparison",), False, [UNLIMITED.format(COURT[0])]),
        (("focus", "comparison"), True, [LIMITED.format(*HOME), LIMITED.format(*COURT)]),
        (("focus", "comparison"), False, [UNLIMITED.format(HOME[0]), UNLIMITED.format(COURT[0])]),
    ],
)
def test_of_a_group_of_people_of_one_kind_it_says_so_or_that_nobody_knows(
    arms: tuple[str, ...], known: bool, said: list[str], shown: list[dict[str, Any]]
) -> None:
    limited(*arms, known=known).groups_compared()
    first = "This report compares two groups: **Pilot** (people without a court order) and **PAIP**."
    assert shown[0]["text/markdown"].replace("\\", "") == "\n\n".join([first, *said])


@pytest.mark.parametrize(("assignment", "mandate", "says"), [("mandate", None, True), ("mandate", "court", False), ("random", None, False)])  # fmt: skip
def test_where_nobody_knows_who_had_a_mandate_it_says_so(
    assignment: str, mandate: str | None, says: bool, shown: list[dict[str, Any]]
) -> None:
    report = small(assignment=assignment)
    arms = report.study.arms
    other = arms.comparison.model_copy(update={"definition": "people whom a court sent"})
    study = report.study.model_copy(update={"arms": arms.model_copy(update={"comparison": other})})
    people = report.cohort.people.assign(mandate=mandate)
    told(of=replace(report, study=study, cohort=replace(report.cohort, people=people))).groups_compared()
    assert (UNLIMITED.format(COURT[0]) in shown[0]["text/markdown"].replace("\\", "")) == says


@pytest.mark.parametrize(
    ("assignment", "where", "mandate", "says"),
    [
        ("mandate", {"mandate": "court"}, "court", True),
        ("mandate", {"mandate": "court"}, None, False),
        ("mandate", {}, "court", False),  # who volunteered is among them
        ("random", {"mandate": "court"}, "court", False),
    ],
)
def test_a_column_is_headed_by_court_where_that_is_recorded(
    assignment: str, where: dict[str, str], mandate: str | None, says: bool
) -> None:
    report = small(assignment=assignment)
    arms = report.study.arms
    other = arms.comparison.model_copy(update={"where": where})
    study = report.study.model_copy(update={"arms": arms.model_copy(update={"comparison": other})})
    people = report.cohort.people.assign(mandate=mandate)
    assert by_court(told(of=replace(report, study=study, cohort=replace(report.cohort, people=people)))) is says


def test_the_provenance_names_which_tables_are_files_and_which_a_databases(shown: list[dict[str, Any]]) -> None:
    inputs = [("participants", "a1"), ("sessions", ""), ("exits", "b2"), ("outcomes", "")]
    raw = SimpleNamespace(inputs=[SimpleNamespace(table=table, sha256=sha256) for table, sha256 in inputs])
    replace(told(), raw=raw).provenance()
    facts = dict(row for row in cells(shown[0]["text/html"]) if len(row) == 2)
    assert facts["Tables from files"] == "participants and exits"
    assert facts["Tables from a database"] == "sessions and outcomes"
    assert facts["Seed"] == str(told().study.seed)
    replace(told(), raw=SimpleNamespace(inputs=raw.inputs[:1])).provenance()
    assert "Tables from a database" not in dict(row for row in cells(shown[1]["text/html"]) if len(row) == 2)
