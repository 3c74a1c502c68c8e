"""What must hold for any study, drawn at random."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohort.spec import START
from cohort.worlds import as_day, cohort_of, expected, found, frames, people, world

SCALES = ("initiation", "retention", "harm", "harm_recurrent")
CUT = st.integers(20, 160)
COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
FEW = settings(max_examples=2, derandomize=True, **COMMON)
MANY = settings(max_examples=150, **COMMON)


def check_oracle(drawn: list[dict], cut: int, episodes: str) -> None:
    rows = world(drawn)
    cohort = cohort_of(frames(rows), cut, episodes)
    truth = expected(rows, cut, episodes)
    for scale in SCALES:
        assert found(cohort, scale) == truth[scale], scale


def check_later_cut(drawn: list[dict], cut: int, more: int) -> None:
    tables = frames(world(drawn, late=False))
    early, late = cohort_of(tables, cut, "all"), cohort_of(tables, cut + more, "all")
    for scale in SCALES:
        before = {f for f in found(early, scale) if f[3] > 0}
        assert before <= set(found(late, scale)), scale


def check_order(drawn: list[dict], cut: int, seed: int) -> None:
    tables = frames(world(drawn))
    shuffled = {
        name: frame.sample(frac=1, random_state=seed).assign(note="x", participant_name=range(len(frame)))
        for name, frame in tables.items()
    }
    one, other = cohort_of(tables, cut), cohort_of(shuffled, cut)
    pd.testing.assert_frame_equal(one.people, other.people)
    for scale in (*SCALES, "sessions", "exits", "person_period"):
        pd.testing.assert_frame_equal(getattr(one, scale)(), getattr(other, scale)())
    pd.testing.assert_frame_equal(one.attrition.tidy(), other.attrition.tidy())


def truncated(tables: dict[str, pd.DataFrame], cut: str) -> dict[str, pd.DataFrame]:
    """The extract that could have been made on the evening of the cut."""
    days = {"sessions": "session_date", "exits": "exit_date", "outcomes": "outcome_date"}
    made = {}
    for name, frame in tables.items():
        day = days.get(name, "referral_date")
        rows = frame[(frame[day] <= cut) & (frame["recorded_on"] <= cut)].copy()
        later = ["retracted_on"] + (["intake_date", "outcome_follow_up_end"] if name == "participants" else [])
        for column in later:
            rows[column] = rows[column].where(rows[column] <= cut, "")
        made[name] = rows
    return made


def check_truncated(drawn: list[dict], cut: int) -> None:
    tables = frames(world(drawn))
    full, then = cohort_of(tables, cut), cohort_of(truncated(tables, as_day(cut)), cut)
    pd.testing.assert_frame_equal(full.people, then.people)
    for scale in (*SCALES, "sessions", "exits"):
        pd.testing.assert_frame_equal(getattr(full, scale)(), getattr(then, scale)())


@FEW
@given(people, CUT, st.sampled_from(["first", "all"]))
def test_roll_ups_equal_a_walk_through_the_days(drawn: list[dict], cut: int, episodes: str) -> None:
    check_oracle(drawn, cut, episodes)


@FEW
@given(people, CUT, st.integers(1, 60))
def test_a_later_cut_never_changes_a_known_event(drawn: list[dict], cut: int, more: int) -> None:
    check_later_cut(drawn, cut, more)


@FEW
@given(people, CUT, st.integers(0, 9))
def test_order_and_other_columns_change_nothing(drawn: list[dict], cut: int, seed: int) -> None:
    check_order(drawn, cut, seed)


@FEW
@given(people, CUT)
def test_a_newer_extract_renders_the_old_quarter_alike(drawn: list[dict], cut: int) -> None:
    check_truncated(drawn, cut)


@pytest.mark.slow
@MANY
@given(people, CUT, st.sampled_from(["first", "all"]))
def test_roll_ups_equal_a_walk_many(drawn: list[dict], cut: int, episodes: str) -> None:
    check_oracle(drawn, cut, episodes)


@pytest.mark.slow
@MANY
@given(people, CUT, st.integers(1, 60))
def test_later_cut_many(drawn: list[dict], cut: int, more: int) -> None:
    check_later_cut(drawn, cut, more)


@pytest.mark.slow
@MANY
@given(people, CUT, st.integers(0, 9))
def test_order_many(drawn: list[dict], cut: int, seed: int) -> None:
    check_order(drawn, cut, seed)


@pytest.mark.slow
@MANY
@given(people, CUT)
def test_truncated_many(drawn: list[dict], cut: int) -> None:
    check_truncated(drawn, cut)


def test_the_year_starts_where_the_drawings_do() -> None:
    assert as_day(0) == START.isoformat()
