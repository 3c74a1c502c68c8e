"""The definitions at their boundaries, under five variants of the rules, held against `paper`, which knows no library."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import pandas as pd
import pytest

from cohort.paper import DATES, Paper, Tables, Terms, traps
from cohort.spec import ARMS, START, open_frames
from cohort.test_pathway import by_day
from evalkit.analyses import completed_by, steps
from evalkit.cohort import Cohort, build
from evalkit.intake import StudyData
from evalkit.protocol import Harm, Rules

CUT, PEOPLE = 150, 400
USUAL = {"dose_sessions": 3, "dose_hours": 4.5, "landmark_day": 60,
         "funnel": {"half_dose_sessions": 2, "half_dose_days": 40, "completion_days": 90}}  # fmt: skip
LIMITS: dict[str, int | None] = {"group": None, "individual": 4}


def on(n: int) -> date:
    return START + timedelta(days=n)


def shut(*spans: tuple[int, int, str | None]) -> list[dict[str, Any]]:
    return [{"from": on(a), "to": on(b), **({"site": s} if s else {})} for a, b, s in spans]


CLOSED = ((40, 47, None), (45, 50, "North"), (80, 80, "South"), (100, 120, "North"))
COURT, BOTH = (
    {"paip": {"mandate": {"court"}}},
    {"paip": {"mandate": {"court", "other_order"}}, "non_mandated": {"site": {"North"}}},
)
VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], Terms, bool]] = {
    "as the protocol has them": ({}, {}, {"comparison": {"mandate": "court"}}, Terms(limits=LIMITS, where=COURT), True),
    "the dose completes, one individual session, closures, from the intake": (
        {"completion": "dose", "counting_kinds": {"group": "all", "individual": 1}, "closures": shut(*CLOSED)},
        {"origin": "intake"}, {},
        Terms(limits={"group": None, "individual": 1}, completion="dose", closures=CLOSED, origin="intake"), True,
    ),
    "either, cancelled days pause, a death only censors, one end of search": (
        {"completion": "either", "counting_kinds": ["group"], "cancelled_pauses": True}, {"death": "censored"}, {},
        Terms(limits={"group": None}, completion="either", cancelled=True, death=False), False,
    ),
    "custody competes, a gap of two weeks, both arms asked more, moving is leaving": (
        {"disengagement_gap_days": 14, "engaged": {"sessions": 2, "days": 30}, "exits": {**Rules().exits, "moved": "disengagement"}},
        {"custody": "custody"}, {"comparison": {"mandate": ["court", "other_order"]}, "focus": {"site": "North"}},
        Terms(gap=14, limits=LIMITS, engaged=(2, 30), exits={"moved": "disengagement"}, custody="custody", where=BOTH), True,
    ),
    "all episodes, closures and cancelled days, a transfer changes nothing": (
        {"closures": shut(*CLOSED), "cancelled_pauses": True, "episodes": "all", "counting_kinds": {"group": 2, "individual": 2},
         "completion": "either", "exits": {**Rules().exits, "transferred": "ignored"}}, {}, {},
        Terms(limits={"group": 2, "individual": 2}, completion="either", closures=CLOSED, cancelled=True, episodes="all",
              exits={"transferred": "ignored"}), False,
    ),
}  # fmt: skip


@cache
def trapped() -> Tables:
    return traps(21, PEOPLE)


def opened(*, searches: bool, where: dict[str, Any]) -> StudyData:
    frames = {}
    for name, rows in trapped().items():
        frame = pd.DataFrame(rows, dtype=object)
        for column in set(frame) & DATES:
            frame[column] = [None if pd.isna(n) else on(int(n)).isoformat() for n in frame[column]]
        frames[name] = frame
    if not searches:
        del frames["searches"]
    arms = {name: {**arm, "where": where.get(name, {})} if isinstance(arm, dict) else arm for name, arm in ARMS.items()}
    return open_frames(frames, arms=arms, rules=USUAL)


@cache
def both(name: str) -> tuple[Cohort, Paper]:
    rules, harm, where, terms, searches = VARIANTS[name]
    data = opened(searches=searches, where=where)
    ruled = Rules.model_validate({**USUAL, **rules})
    cohort = build(data.at(on(CUT)), rules=ruled, harm=Harm.model_validate(harm), episodes=ruled.episodes)
    tables = {t: rows for t, rows in trapped().items() if searches or t != "searches"}
    return cohort, Paper(tables, terms, CUT)


def rows_of(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(frame[["participant_id", "episode", *columns]].itertuples(index=False, name=None))


def harms(cohort: Cohort, source: str | None) -> list[tuple[Any, ...]]:
    every = cohort.harm_recurrent(source).query("event == 1").groupby(["participant_id", "episode"])["time"]
    days = {key: tuple(sorted(own)) for key, own in every}
    return [(*row, days.get(row[:2], ())) for row in rows_of(cohort.harm(source), "time", "event")]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_study_full_of_traps_is_counted_as_on_paper(name: str) -> None:
    cohort, paper = both(name)
    assert rows_of(cohort.people, "pathway") == sorted((who, k, arm) for who, k, _, arm in paper.episodes)
    assert rows_of(cohort.initiation(), "time", "event") == paper.initiation()
    assert rows_of(cohort.retention(), "time", "event") == paper.retention()
    for source in (None, "police", "court"):
        assert harms(cohort, source) == paper.harm(source), source
    assert by_day(cohort) == {who: days for who, days in paper.pathway().items() if len(days) > 1}
    found = steps(cohort)
    names = ["intake", "first_session", "engaged", "half_dose", "dose"]
    columns = [f"{verb}_{step}" for step in names for verb in ("can", "did")]
    assert rows_of(found, *columns, "did_completed") == paper.steps()
    assert found["can_completed"].equals(found["can_dose"])
    done = completed_by(cohort).assign(completed=lambda r: r["completed"].eq(1))
    assert rows_of(done, "completed") == sorted(paper.landmark())


@pytest.mark.parametrize("name", VARIANTS)
def test_the_traps_are_ones(name: str) -> None:
    """Every end, every state and every answer of a step is there: a rule left out would be seen."""
    paper = both(name)[1]
    assert {row[3] for row in paper.initiation()} == {0, 1, 2}
    assert {row[3] for row in paper.retention()} >= {0, 1}
    assert {row[3] for row in paper.harm()} >= {0, 1}
    assert len(paper.harm("police")) > 20
    states = {state for days in paper.pathway().values() for state in days}
    assert states == {"waiting", "active", "lapsed", "returned", "completed", "left"}
    for place in range(2, 13):
        assert len({row[place] for row in paper.steps()}) == 2, place


def test_rare_traps_are_in_one_variant_or_another() -> None:
    papers = [both(name)[1] for name in VARIANTS]
    assert {row[3] for paper in papers for row in paper.retention()} == {0, 1, 2}
    assert {row[3] for paper in papers for row in paper.harm()} == {0, 1, 2, 3}
    assert {row[2] for paper in papers for row in paper.landmark()} == {True, False}


@pytest.mark.parametrize("name", list(VARIANTS)[1:])
def test_the_variant_decides_something(name: str) -> None:
    _, usual = both(next(iter(VARIANTS)))
    paper = both(name)[1]
    assert paper.retention() != usual.retention()
    assert paper.harm() != usual.harm()
