"""The table of searches as the gate sees it: what is wrong with it, and what is not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from cohort.spec import day, make_study, open_frames, table
from evalkit.errors import DataError
from evalkit.intake import known_digests

TODAY = date(2022, 12, 31)
P = "participant_id | referral_date | intake_date\na | +0 | +0\nb | +0 | +0"
O = "participant_id | outcome_date | kind | source\n"  # noqa: E741
S = "participant_id | source | searched_from | searched_to | recorded_on | retracted_on\n"
HARM = {"sources": ["police", "court"]}


def frames(searches: str, outcomes: str = "a | +50 | dv_arrest | police") -> dict[str, pd.DataFrame]:
    texts = {"participants": P, "outcomes": O + outcomes, "searches": S + searches}
    return {name: table(name, text) for name, text in texts.items()}


def found(searches: str, outcomes: str = "a | +50 | dv_arrest | police", harm: dict | None = None) -> list[tuple]:
    data = open_frames(frames(searches, outcomes), harm=HARM if harm is None else harm)
    return [
        (f.severity, f.table, f.column, f.rule, f.n_rows)
        for f in data.validate(today=TODAY)
        if f.table in ("searches", "outcomes") and f.rule not in ("absent_column", "empty_column")
    ]


RIGHT = "a | police | +0 | +80 | +80 | -\nb | court | +0 | +80 | +80 | -"


@pytest.mark.parametrize(
    ("searches", "broken"),
    [
        (RIGHT, []),
        ("a | police | +0 | +40 | +80 | -\na | police | +30 | +80 | +80 | -", []),
        ("a | police | +0 | +0 | +80 | -", []),
        ("a | police | -30 | +80 | +80 | -", []),
        ("a | police | +1 | +0 | +80 | -", [("error", "searches", "searched_to", "search_ends_before_it_begins", 1)]),
        ("z | police | +0 | +80 | +80 | -\na | police | +0 | +80 | +80 | -", [("error", "searches", "participant_id", "unknown_participant", 1)]),
        ("a | polise | +0 | +80 | +80 | -\na | police | +0 | +80 | +80 | -", [("error", "searches", "source", "not_allowed", 1)]),
        ("a | - | +0 | +80 | +80 | -\na | police | +0 | +80 | +80 | -", [("error", "searches", "source", "missing_value", 1)]),
        ("a | police | +0 | - | +80 | -\na | police | +0 | +80 | +80 | -", [("error", "searches", "searched_to", "missing_value", 1)]),
        ("a | police | +0 | +80 | +80 | -\na | police | +0 | +80 | +80 | -", [("warning", "searches", "", "duplicate_row", 1)]),
        ("a | police | +0 | +365 | +80 | -", [("warning", "searches", "searched_to", "future_date", 1)]),
        ("a | police | +0 | +364 | +80 | -", []),
        ("a | police | +365 | +366 | +365 | -\na | police | +0 | +80 | +80 | -",
         [("error", "searches", "recorded_on", "future_date", 1), ("error", "searches", "searched_from", "future_date", 1),
          ("warning", "searches", "searched_to", "future_date", 1)]),
        ("z | police | +9 | +0 | +80 | +81\na | police | +0 | +80 | +80 | -", []),
    ],
    ids=["right", "overlap", "one day", "before the referral", "ends before it begins", "unknown participant",
         "unknown source", "no source", "no end", "twice", "tomorrow", "today", "begins tomorrow", "withdrawn"],
)  # fmt: skip
def test_what_is_wrong_with_a_search(searches: str, broken: list[tuple]) -> None:
    assert found(searches) == broken


def test_without_a_list_a_source_in_another_spelling_is_found() -> None:
    rows = RIGHT.replace("court", "police") + "\nb | Police | +81 | +90 | +90 | -"
    assert found(rows, harm={}) == [("error", "searches", "source", "spelt_alike", 1)]


@pytest.mark.parametrize(("source", "flagged"), [("police", False), ("court", True), ("-", True)])
def test_an_outcome_of_a_source_that_nobody_searched(source: str, flagged: bool) -> None:
    rule = [("warning", "outcomes", "source", "source_not_searched", 1)] if flagged else []
    assert found("a | police | +0 | +80 | +80 | -", f"a | +50 | dv_arrest | {source}") == rule


def test_with_searches_outcomes_must_have_a_source() -> None:
    given = frames(RIGHT)
    with pytest.raises(DataError, match=r"outcomes\.source: column 'source' is missing \[missing_column\]"):
        open_frames({**given, "outcomes": given["outcomes"].drop(columns="source")})
    without = {name: frame for name, frame in given.items() if name != "searches"}
    assert open_frames({**without, "outcomes": given["outcomes"].drop(columns="source")}).has("outcomes")


@pytest.mark.parametrize(
    ("origin", "rules"),
    [
        ("referral", {"follow_up_before_referral", "follow_up_unknown"}),
        ("intake", {"follow_up_before_intake", "follow_up_unknown"}),
    ],
)
def test_searches_replace_the_end_of_follow_up(origin: str, rules: set[str]) -> None:
    people = "participant_id | referral_date | intake_date | outcome_follow_up_end\na | +5 | +5 | +4\nb | +5 | +5 | -"
    given = {**frames(RIGHT), "participants": table("participants", people)}

    def said(tables: dict[str, pd.DataFrame]) -> set[str]:
        data = open_frames(tables, harm={"origin": origin})
        return {f.rule for f in data.validate(today=TODAY) if f.column == "outcome_follow_up_end"}

    assert said({name: frame for name, frame in given.items() if name != "searches"}) == rules
    assert said(given) == set()


def test_the_newest_day_is_the_last_entry_or_the_last_day_searched() -> None:
    given = frames("a | police | +0 | +80 | +90 | -")
    assert open_frames(given).newest_days(TODAY)["searches"] == date.fromisoformat(day("+90"))
    bare = given["searches"].drop(columns=["recorded_on", "retracted_on"])
    assert open_frames({**given, "searches": bare}).newest_days(TODAY)["searches"] == date.fromisoformat(day("+80"))


def test_a_longer_search_after_the_cut_changes_nothing_before_it(tmp_path: Path) -> None:
    cut = date.fromisoformat(day("+60"))
    digests = []
    for end in ("+80", "+200", "+60", "+59"):
        study = make_study(tmp_path, frames(f"a | police | +0 | {end} | +10 | -"))
        digests.append(known_digests(study, cut)["searches"])
    assert digests[0] == digests[1] == digests[2] != digests[3]
