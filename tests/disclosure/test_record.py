"""What a run showed, count by count: every cell of a record with its words, numbers and whether it is shown; and policies whole."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalkit.analyses._analyses import RatioOf
from evalkit.counts import DayCounts, Moments, Tally, codes_of
from evalkit.disclosure import Cell, Policy, Record, cells_of, make_safe, read_record, safe_restatements
from evalkit.disclosure._policy import Noise, bell
from evalkit.disclosure._safe import curve_keys, is_curve, places
from evalkit.errors import DisclosureError, ProtocolError
from evalkit.estimates import Estimates
from evalkit.protocol import Disclosure
from evalkit.stats import Proportion, cumulative_incidence, kaplan_meier

PLAIN = Policy(noise_variance=0, secret=bytes(32))
NOISY = Policy(secret=bytes(range(32)))


def told(cells: list[Cell]) -> list[tuple[Any, ...]]:
    return [dataclasses.astuple(cell) for cell in cells]


# -- counts of rows ------------------------------------------------------------------------------------------------------
ROWS = pd.DataFrame(
    [("a", "t", "Met", 20, 60), ("b", "t", "Met", 4, 60), ("c", "t", "Met", 55, 60), ("d", "t", "Met", 60, 60), ("e", "t", "Met", 0, 60)],
    columns=["group", "term", "label", "n_event", "n"],
)  # fmt: skip


def test_the_cells_of_shares() -> None:
    """Few with it, or few without it, hide the row; that few are without it is a cell of its own."""
    exact = Proportion().estimate(Tally(ROWS))
    found = cells_of(exact, make_safe(exact, PLAIN))
    kind = exact.kind
    assert told(found) == [
        (f"{kind}: a, Met", "n", 60, 60, True, False), (f"{kind}: a, Met", "n_event", 20, 20, True, False),
        (f"{kind}: b, Met", "n", 60, 60, False, False), (f"{kind}: b, Met", "n_event", 4, 4, False, False),
        (f"{kind}: c, Met", "n", 60, 60, False, False), (f"{kind}: c, Met", "n_event", 55, 55, False, False),
        (f"{kind}: c, Met", "rest", 5, 0, False, False),
        (f"{kind}: d, Met", "n", 60, 60, True, False), (f"{kind}: d, Met", "n_event", 60, 60, True, False),
        (f"{kind}: e, Met", "n", 60, 60, True, False), (f"{kind}: e, Met", "n_event", 0, 0, True, False),
    ]  # fmt: skip


def test_the_cells_of_shares_say_the_published_number_of_the_very_people() -> None:
    codes = codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(60)]}))
    exact = Proportion().estimate(Tally(ROWS.iloc[:1], people=({"n": codes, "n_event": codes[:20]},)))
    safe = make_safe(exact, NOISY)
    row = safe.estimates.tidy().iloc[0]
    assert [(c.column, c.public, c.linked) for c in cells_of(exact, safe)] == [
        ("n", NOISY.public(60, codes), True), ("n_event", NOISY.public(20, codes[:20]), True),
    ]  # fmt: skip
    assert (row["n"], row["n_event"]) == (NOISY.public(60, codes), NOISY.public(20, codes[:20]))
    unknown = Proportion().estimate(Tally(ROWS.iloc[:1]))
    shown = make_safe(unknown, NOISY).estimates.tidy().iloc[0]
    assert [c.public for c in cells_of(unknown, make_safe(unknown, NOISY))] == [shown["n"], shown["n_event"]]


@pytest.mark.parametrize("named", [True, False])
def test_the_cells_of_shares_are_published_numbers_whoever_draws_them(named: bool) -> None:
    """All of them, most of them (noise must not make a part more than its whole), and few enough to differ."""
    codes = codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(60)]}))
    rows = ROWS.assign(n_event=[20, 49, 46, 60, 0])
    who = tuple({"n": codes, "n_event": codes[:x]} for x in rows["n_event"]) if named else ()
    exact = Proportion().estimate(Tally(rows, people=who))
    for k in range(60):
        safe = make_safe(exact, Policy(secret=k.to_bytes(32, "big")))
        told = [c.public for c in cells_of(exact, safe)]
        assert told == safe.estimates.tidy()[["n", "n_event"]].to_numpy(dtype=int).ravel().tolist()


def test_the_cells_of_means_and_of_what_carries_no_counts() -> None:
    sums = [("a", term, "Rate", 40, 80.0, 200.0, 3.0, 30) for term in ("numerator", "denominator", "both")]
    frame = pd.DataFrame(sums, columns=["group", "term", "label", "n", "total", "total_sq", "largest", "n_nonzero"])
    exact = RatioOf("attendance_rate", "e").estimate(Moments(frame))
    assert (
        told(cells_of(exact, make_safe(exact, PLAIN))) == [("attendance_rate: a, Rate", "n", 40, 40, True, False)] * 3
    )
    none = Estimates(pd.DataFrame({"estimate": [1.0]}), "mine", "e")
    assert cells_of(none, make_safe(exact, PLAIN)) == []


def test_the_cells_of_a_model_are_shown_or_not_together() -> None:
    arms = pd.DataFrame({"group": ["a", "b"], "term": "model", "n_event": [30, 40], "n": [90, 300]})
    for least, shown in ((30, True), (29, False)):
        counts = Tally(arms.assign(n_event=[least - 19, 40]))
        model = Estimates(pd.DataFrame({"term": ["x"], "estimate": [0.1]}), "cox", "e", counts=counts)
        safe = make_safe(model, PLAIN)
        assert [c.shown for c in cells_of(model, safe) if c.column != "rest"] == [shown] * 4
        assert [c.name for c in cells_of(model, safe)][::2] == ["cox: a, model", "cox: b, model"]


# -- counts of curves ----------------------------------------------------------------------------------------------------
def days() -> pd.DataFrame:
    times = [*np.arange(1, 31), *np.arange(40, 60), *[400] * 50]
    rows = pd.DataFrame({"time": times, "event": [1] * 30 + [2] * 20 + [0] * 50, "group": "a"})
    few = pd.DataFrame({"time": [5.0] * 9, "event": [1] * 9, "group": "b"})
    return pd.concat([rows, few], ignore_index=True).assign(participant_id=lambda d: [f"p{i}" for i in range(len(d))])


def test_the_cells_of_curves() -> None:
    policy = dataclasses.replace(PLAIN, landmarks=(5, 30, 365))
    exact = cumulative_incidence(days(), "time", "event", by="group", causes=["left", "done"])
    found = told(cells_of(exact, make_safe(exact, policy)))
    kind = exact.kind
    assert found[:9] == [
        (f"{kind}: a, people", "n", 100, 100, True, True),
        (f"{kind}: a, left by day 5", "n_event", 5, 5, False, True), (f"{kind}: a, left by day 30", "n_event", 30, 30, True, True),
        (f"{kind}: a, left by day 365", "n_event", 30, 30, True, True), (f"{kind}: a, left", "n_event", 30, 30, True, True),
        (f"{kind}: a, done by day 5", "n_event", 0, 0, True, True), (f"{kind}: a, done by day 30", "n_event", 0, 0, True, True),
        (f"{kind}: a, done by day 365", "n_event", 20, 20, True, True), (f"{kind}: a, done", "n_event", 20, 20, True, True),
    ]  # fmt: skip
    assert [row[:2] + row[4:] for row in found[9:11]] == [
        (f"{kind}: b, people", "n", False, True),
        (f"{kind}: b, left by day 5", "n_event", False, True),
    ]
    assert len(found) == 18


def test_the_cells_of_a_curve_say_the_published_number_of_the_very_people() -> None:
    data = days().query("group == 'a'")
    policy = dataclasses.replace(NOISY, landmarks=(30,))
    exact = kaplan_meier(data.assign(event=data["event"].eq(1)), "time", "event", by="group")
    codes = codes_of(data)
    had = data["event"].eq(1).to_numpy()
    assert [c.public for c in cells_of(exact, make_safe(exact, policy))] == [
        policy.public(100, codes), policy.public(30, codes[had]), policy.public(30, codes[had]),
    ]  # fmt: skip


def test_what_a_curve_is_and_how_it_is_named() -> None:
    rows = pd.DataFrame({"group": ["a", "b"], "time": [30, 60]})
    assert (curve_keys(rows), places(rows)) == (["group"], [("a", 30.0), ("b", 60.0)])
    caused = rows.assign(cause="left")
    assert (curve_keys(caused), places(caused)) == (["group", "cause"], [("a: left", 30.0), ("b: left", 60.0)])
    curve = kaplan_meier(days().assign(event=1), "time", "event", by="group")
    assert is_curve(curve)
    assert not is_curve(curve.about(data=curve.data.drop(columns="n_risk")))
    assert not is_curve(curve.about(counts=Tally(ROWS)))
    assert isinstance(curve.counts, DayCounts)


# -- the record ----------------------------------------------------------------------------------------------------------
def test_a_record_is_written_and_read_back(tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    record = Record.of_run({"EVALKIT_RECORD": str(file)})
    exact = Proportion().estimate(Tally(ROWS)).about(estimand="what")
    safes = [make_safe(exact, PLAIN), make_safe(exact, PLAIN)]
    for safe in safes:
        record.add(exact, safe)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines[1] == {
        "line": 2, "policy": PLAIN.fingerprint, "estimate": exact.id, "told": safes[1].estimates.id, "kind": exact.kind, "estimand": "what",
        "verdict": "partly", "withheld": list(safes[1].withheld), "cells": [dataclasses.asdict(c) for c in cells_of(exact, safes[1])],
    }  # fmt: skip
    assert file.stat().st_mode & 0o777 == 0o600
    first, _ = read_record(file)
    assert (first.estimate, first.told, first.kind, first.estimand, first.verdict, first.policy) == (
        exact.id, safes[0].estimates.id, exact.kind, "what", "partly", PLAIN.fingerprint
    )  # fmt: skip
    assert first.withheld == safes[0].withheld and list(first.cells) == cells_of(exact, safes[0])
    assert [record.line_of(safe) for safe in (*safes, make_safe(exact, PLAIN))] == [1, 2, 0]


def test_a_run_that_nobody_records_still_knows_what_it_made() -> None:
    record = Record.of_run({})
    safe = make_safe(Proportion().estimate(Tally(ROWS)), PLAIN)
    record.add(safe.estimates, safe)
    assert (record.file, record.line_of(safe)) == (None, 1)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"estimate": "e"}', "5"])
def test_a_record_that_a_notebook_wrote_to_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    assert read_record(file) == []
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DisclosureError) as refused:
        read_record(file)
    assert (
        str(refused.value)
        == "the record of what the notebook showed cannot be read; a notebook must not write to it. Render it again"
    )


# -- policies ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rule", "good", "wrong"), [("minimum_count", 1, 0), ("round_for_display", 1, 0), ("dominance", 1, 1.01), ("dominance", 0.01, 0)]
)  # fmt: skip
def test_policies_at_their_limits(rule: str, good: float, wrong: float) -> None:
    assert getattr(Policy(**{rule: good}), rule) == good  # type: ignore[arg-type]
    with pytest.raises(ProtocolError) as refused:
        Policy(**{rule: wrong})  # type: ignore[arg-type]
    assert str(refused.value) == "disclosure policy: counts and base must be at least 1, dominance between 0 and 1"


def test_every_rule_of_a_study_s_file_is_the_policy_s() -> None:
    stated = {
        "minimum_count": 12, "noise_variance": 3.0, "noise_most": 6, "round_for_display": 5, "minimum_at_risk": 13, "minimum_subgroup": 14,
        "minimum_level": 15, "dominance": 0.4, "landmarks": (45, 90),
    }  # fmt: skip
    rules = Disclosure(**{**stated, "landmarks": [45, 90], "zero": "withheld"})
    made = Policy.of(rules, b"s" * 32)
    assert {name: getattr(made, name) for name in stated} == stated
    assert (made.zero, made.secret, made.safe_curves) == (False, b"s" * 32, True)
    assert Policy.of(Disclosure(), b"s" * 32).zero


@pytest.mark.parametrize(
    ("base", "count", "shown"),
    [(1, 12, 12), (5, 12, 15), (5, 13, 15), (5, 17, 15), (5, 18, 20), (5, 22, 20), (5, 7, 5), (5, 8, 10), (5, 11, 15), (5, 10, 10), (10, 14, 20), (10, 15, 20), (10, 24, 20), (2, 11, 12), (2, 13, 14)],
)  # fmt: skip
def test_counts_are_rounded_halves_up_and_never_below_the_minimum(base: int, count: int, shown: int) -> None:
    policy = Policy(noise_variance=0, round_for_display=base)
    assert policy.displayed(count) == policy.public(count, None) == shown


def test_which_counts_are_hidden() -> None:
    counts = (0, 1, 10, 11)
    assert [PLAIN.is_small(n) for n in counts] == [False, True, True, False]
    strict = dataclasses.replace(PLAIN, zero=False)
    assert [strict.hides(n) for n in counts] == [True, True, True, False]
    assert (PLAIN.least, strict.least) == (1, 0)


def test_another_rule_or_another_secret_is_another_policy() -> None:
    others = [
        dataclasses.replace(PLAIN, **{name: value})
        for name, value in {
            "minimum_count": 12, "noise_variance": 1.0, "noise_most": 6, "round_for_display": 5, "minimum_at_risk": 12, "dominance": 0.4,
            "minimum_subgroup": 12, "minimum_level": 12, "zero": False, "safe_curves": False, "landmarks": (30,), "secret": bytes([1] * 32),
        }.items()
    ]  # fmt: skip
    names = [policy.fingerprint for policy in (PLAIN, *others)]
    assert len(set(names)) == len(names) and {len(name) for name in names} == {12}
    assert dataclasses.replace(PLAIN).fingerprint == PLAIN.fingerprint


# -- noise ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("low", "high", "variance"), [(-5, 5, 2.0), (-1, 5, 2.0), (-3, 5, 2.0), (-1, 1, 5.0), (-6, 6, 3.5)]
)
def test_the_bell_has_its_bounds_its_mean_and_its_variance(low: int, high: int, variance: float) -> None:
    values, below = bell(low, high, variance)
    assert values == tuple(range(low, high + 1))
    share = np.diff([0, *below]) / 2**32
    wanted = min(variance, 0.8 * -low * high)
    assert share @ np.array(values) == pytest.approx(0, abs=1e-6)
    assert share @ np.array(values) ** 2 == pytest.approx(wanted, rel=1e-5)
    assert below[-1] == 2**32 and list(below) == sorted(below)


def test_noise_within_its_bounds_at_every_size() -> None:
    noise = Noise(bytes(32))
    assert bell(0, 5, 2.0) == ((0,), (2**32,))
    assert [noise.of(f"k{i}", 11) for i in range(50)] == [0] * 50  # a count at the minimum could only grow: it stays
    for exact, low in ((12, -1), (13, -2), (16, -5), (40, -5), (3, -3), (10, -5)):
        found = [noise.of(f"k{i}", exact) for i in range(6_000)]
        assert (min(found), max(found)) == (low, 5)
    assert Noise(bytes(32), variance=0).of("k", 40) == 0
    assert noise.count(0, None, "x") == 0
    assert noise.count(40, None, "x") == 40 + noise.of("x\x1f40", 40)


def test_noise_of_sums_is_between_minus_one_and_one_around_zero() -> None:
    found = np.array([Noise(bytes(32)).unit(f"k{i}") for i in range(2000)])
    assert -1 < found.min() < -0.9 and 0.9 < found.max() < 1
    assert abs(found.mean()) < 0.05
    assert found.var() == pytest.approx(1 / 6, rel=0.15)  # of the sum of two even ones


def test_the_key_of_a_group_is_the_sum_of_its_people_s() -> None:
    noise, codes = Noise(bytes(32)), codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(9)]}))
    keys = noise.keys(codes)
    assert len(set(keys.tolist())) == 9
    assert noise.key(codes) == sum(int(k) for k in keys) % 2**64 == noise.key(codes[::-1])
    assert Noise(bytes([1] * 32)).key(codes) != noise.key(codes)
    assert (len(noise.id), Noise(bytes([1] * 32)).id != noise.id) == (12, True)


# -- restatements --------------------------------------------------------------------------------------------------------
def restated(policy: Policy, **about: Any) -> dict[str, Any]:
    row = {"figure": "sessions", "group": "all", "old": 100.0, "new": 140.0, "reason": "late entry", **about}
    return dict(safe_restatements(pd.DataFrame([row]), policy).iloc[0])


def test_a_sum_over_people_is_restated_with_the_noise_that_means_have() -> None:
    codes = codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(30)]}))
    about = {"who_old": codes, "who_new": codes, "largest_old": 4.0, "largest_new": 4.0}
    assert restated(PLAIN, **about)["old"] == 100
    n = NOISY.public(30, codes)
    expected = [
        max(round(v * n / 30 + NOISY.noise.unit(f"{NOISY.noise.key(codes)}|sum|{v!r}") * 4.0), 0)
        for v in (100.0, 140.0)
    ]
    found = restated(NOISY, **about)
    assert [found["old"], found["new"]] == expected
    people = restated(NOISY, old=30.0, new=45.0, who_old=codes, who_new=None, largest_old=1.0)
    assert people["old"] == NOISY.public(30, codes)
    unknown = restated(NOISY)
    assert [unknown["old"], unknown["new"]] == [NOISY.public(v, None, "restated sessions|all") for v in (100, 140)]


@pytest.mark.parametrize(("old", "new", "n_people", "shown"), [(100, 110, 50, False), (100, 111, 50, True), (111, 100, 50, True), (110, 100, 50, False), (100, 140, 10, False), (100, 140, 11, True), (100, 100, 0, True)])  # fmt: skip
def test_a_change_of_few_is_not_told(old: int, new: int, n_people: int, shown: bool) -> None:
    found = restated(PLAIN, old=old, new=new, n_people=n_people)
    assert (found["old"], found["reason"]) == (old, "late entry" if shown else "records changed")
    assert found["new"] == new if shown else np.isnan(found["new"])
