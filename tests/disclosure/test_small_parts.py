"""Blocks of events by hand: where each begins and ends, what falls on one day; and standard errors beside noised counts."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit.counts import Tally
from evalkit.disclosure import Policy, _transitions, make_safe, safe_counts
from evalkit.disclosure._counts import noised_tally
from evalkit.disclosure._limits import _of_row
from evalkit.disclosure._lines import blocks_of
from evalkit.stats import kaplan_meier

POLICY = Policy(secret=bytes(range(32)))
NAN = float("nan")


def blocks(*rows: tuple[float, int, float]) -> list[tuple[float, ...]]:
    frame = pd.DataFrame(rows, columns=["time", "n_event_1", "end_n_event_1"]).assign(
        n_entry=0, n_censor=0, end_n_censor=NAN
    )
    return [(b.size, b.begin, b.mean, b.end) for b in blocks_of(frame, "n_event_1", POLICY)]


def test_blocks_follow_one_another_from_day_0_on() -> None:
    assert blocks((20, 12, NAN), (40, 0, NAN), (50, 11, 60), (90, 13, NAN)) == [
        (12, 0, 20, 35),
        (11, 35, 50, 60),
        (13, 60, 90, 90),
    ]


@pytest.mark.parametrize(("last", "end"), [(100, 40), (40, 40), (30, 30)])
def test_a_last_block_ends_as_far_after_its_mean_as_it_begins_before_and_within_what_is_known(
    last: int, end: int
) -> None:
    assert blocks((20, 12, NAN), (last, 0, NAN)) == [(12, 0, 20, end)]


@pytest.mark.parametrize(("size", "found"), [(31, (31, 0, 30, 30)), (32, (32, 29, 30, 30))])
def test_two_blocks_on_one_day_are_a_jump(size: int, found: tuple[float, ...]) -> None:
    assert blocks((30, size, 30)) == [found]
    assert blocks((30, size, NAN), (100, 11, 100))[1][1] == (65 if size == 31 else 30)


def test_one_block_that_noise_made_larger_than_two_is_none() -> None:
    """21 people left from day 92 to 182, at most three on one day; published are 22: the curve falls as slowly as they left."""
    late = np.repeat(np.arange(98, 183, 7), [2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 3])
    days = np.concatenate([np.arange(7, 85, 7), late, np.full(200, 400)])
    rows = pd.DataFrame({"participant_id": [f"p{k}" for k in range(len(days))], "time": days, "group": "a"})
    exact = kaplan_meier(rows.assign(event=rows["time"] < 400), "time", "event", by="group")
    told = False
    for k in range(40):
        safe = make_safe(exact, Policy(secret=bytes([k]) * 32))
        own = safe.estimates.counts.data.query("92 <= time <= 182")["n_event_1"]
        told = told or own.max() >= 22
        lines = safe.knots("a").query("time <= 182")
        falls = -np.diff(lines["estimate"]) / np.diff(lines["time"])
        assert falls.max() < 0.02  # a day: a block on one day would be 0.09
    assert told


def test_a_jump_on_the_first_day_begins_no_earlier() -> None:
    assert blocks((0, 33, NAN), (10, 11, 20)) == [(33, 0, 0, 0), (11, 0, 10, 20)]


def test_standard_errors_are_those_of_the_published_events() -> None:
    rows = pd.DataFrame(
        [("a", "t", 20, 60, 0.3), ("a", "u", 40, 90, 0.123)], columns=["group", "term", "n_event", "n", "std_error"]
    )
    safe, withheld = noised_tally(Tally(rows), np.zeros(2, dtype=bool), POLICY, "asked")
    told = safe.frame
    expected = [
        np.ceil(100 * e * np.sqrt(x / max(p - np.sqrt(2), 1)) - 1e-9) / 100
        for e, x, p in zip(rows["std_error"], rows["n_event"], told["n_event"], strict=True)
    ]
    assert told["std_error"].tolist() == pytest.approx(expected) and withheld == ()
    plain, _ = noised_tally(Tally(rows), np.array([False, True]), Policy(noise_variance=0), "asked")
    assert plain.frame[["n_event", "n", "std_error"]].to_numpy().tolist() == [[20, 60, 0.3]]


def test_counts_of_nobody_known_follow_from_what_is_asked() -> None:
    rows = pd.DataFrame([("a", "t", 20, 60), ("b", "t", 60, 60)], columns=["group", "term", "n_event", "n"])
    first, again, other = (safe_counts(Tally(rows), POLICY, asked)[0].frame for asked in ("one", "one", "two"))
    assert first.equals(again)
    n = POLICY.public(60, None, "one|a|t, people")
    assert first.loc[0, ["n", "n_event"]].tolist() == [n, min(POLICY.public(20, None, "one|a|t, with it"), n)]
    assert (
        first.loc[1, "n_event"] == first.loc[1, "n"] == POLICY.public(60, None, "one|b|t, people")
    )  # all of them: the same people
    assert not first.equals(other) or POLICY.public(60, None, "two|a|t, people") == n


SAMPLE, NOISE = np.array([1.0, 2.0, 4.0, 8.0]), np.array([0.1, 0.3, 0.5, 0.7])
NAMES = {name: np.array(values, dtype=object) for name, values in {"group": list("aabb"), "term": list("xyxy")}.items()}


@pytest.mark.parametrize(
    ("row", "ratio"),
    [
        ({"group": "b", "term": "x"}, 0.5 / 4),  # its own count
        ({"group": "c", "term": "y"}, 1.0 / 10),  # of no group that is counted: those of the term
        ({"term": "x"}, 0.6 / 5),  # a difference between groups
        ({"group": "a", "term": "z"}, 0.4 / 3),  # a term that is not counted: all of the group
        ({"group": "a"}, 0.4 / 3),
        ({"group": "c", "term": "z"}, 1.6 / 15),
        ({"label": "everybody"}, 1.6 / 15),
    ],
)
def test_whose_noise_a_row_has(row: dict[str, str], ratio: float) -> None:
    assert _of_row(pd.Series(row), NAMES, SAMPLE, NOISE) == pytest.approx(ratio)


def test_noise_beside_no_sampling_error_adds_nothing() -> None:
    assert _of_row(pd.Series({"group": "a"}), NAMES, np.zeros(4), NOISE) == 0.0


@pytest.mark.parametrize("n", [12, 17, 40, 300])
def test_everybody_is_everybody_though_nobody_says_who_they_are(n: int) -> None:
    """All of 40 are published as all of so many: a noise of their own would say that one is left, or one too many."""
    groups = [f"site {k}" for k in range(30)]
    rows = pd.DataFrame({"group": groups, "term": "yes", "n_event": n, "n": n})
    safe, _ = noised_tally(Tally(rows), np.zeros(30, dtype=bool), POLICY, "who came")
    assert safe is not None
    assert safe.data["n_event"].tolist() == safe.data["n"].tolist()
    assert len(set(safe.data["n"])) > 1  # with noise


@pytest.mark.parametrize(
    ("people", "minimum", "subgroup", "tells", "shown"),
    [
        (10, 11, 1, True, False), (11, 11, 1, True, True), (29, 11, 30, True, False), (30, 11, 30, True, True),
        (30, 11, 1, False, False),
    ],
)  # fmt: skip
def test_moves_of_a_group_are_told_from_the_policys_minimum_on(
    people: int, minimum: int, subgroup: int, tells: bool, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def group(name: str, people: int, tells: bool) -> SimpleNamespace:
        policy = SimpleNamespace(minimum_count=minimum, minimum_subgroup=subgroup)
        return SimpleNamespace(group=name, people=people, policy=policy, tells_all=lambda: tells)

    moves = {"state": ["in"], "time": [1.0], "n_entry": [5], "n_to_1": [0], "n_censor": [0]}
    monkeypatch.setattr(_transitions, "_safe_group", lambda one: pd.DataFrame({"group": [one.group], **moves}))
    safe, withheld = _transitions.merged([group("a", 90, True), group("b", people, tells)], ("in",))
    assert safe is not None
    assert (safe.data["group"].tolist(), withheld) == ((["a", "b"], []) if shown else (["a"], ["b"]))
    assert safe.data.index.tolist() == list(range(len(safe.data)))
    monkeypatch.setattr(_transitions, "_safe_group", lambda _: None)
    assert _transitions.merged([group("a", 90, True)], ("in",)) == (None, ["a"])
