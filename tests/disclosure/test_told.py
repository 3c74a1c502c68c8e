"""Differences that return: how many looks at the same few people are told, in every kind of count, over releases."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from disclosure.attacker import Bells, posterior
from evalkit.analyses._analyses import ShareOf
from evalkit.counts import Codes, DayCounts, Tally, codes_of
from evalkit.disclosure import LEFT_OUT, Policy, Told, make_safe, name_of, read_told, safe_restatements
from evalkit.errors import DisclosureError
from evalkit.estimates import Estimates
from evalkit.stats import kaplan_meier

SECRET = bytes(range(32))
OPEN = Policy(secret=SECRET)


def people(n: int, first: int = 0) -> Codes:
    return codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(first, first + n)]}))


def pairs(number: int, size: int, few: int = 1) -> list[tuple[Codes, Codes]]:
    """Groups with nobody in common, and each of them together with the same few."""
    same = people(few, 100_000)
    return [(own := people(size, 1000 * k), np.concatenate([own, same])) for k in range(number)]


def policy_of(told: Told) -> Policy:
    return dataclasses.replace(OPEN, told=told)


def tells(policy: Policy, who: Codes, *, spare: bool = False) -> bool:
    return policy.tells(len(who), policy.noise.key(who), spare=spare)


@pytest.mark.parametrize(("size", "looks"), [(60, 5), (16, 5), (15, 2), (14, 2), (13, 1), (11, 1)])
def test_so_many_pairs_are_told_and_no_more(size: int, looks: int) -> None:
    """Fewer where a group is hardly larger than the minimum: the noise has less room there."""
    policy = policy_of(Told())
    asked = [who for pair in pairs(9, size) for who in pair]
    first = [tells(policy, who) for who in asked]
    assert first == [k < 2 * looks or k % 2 == 0 for k in range(18)]  # without the few all are told
    assert [tells(policy, who) for who in asked] == first  # the same whenever it is asked


@pytest.mark.parametrize(("few", "last"), [(1, False), (10, False), (11, True)])
def test_only_small_differences_are_looked_for(few: int, last: bool) -> None:
    policy = policy_of(Told())
    assert [tells(policy, who) for pair in pairs(6, 60, few) for who in pair] == [True] * 11 + [last]
    assert all(tells(policy, who) for pair in pairs(5, 70, 3) for who in pair)  # others have their own looks


@pytest.mark.parametrize(
    ("wide", "near", "told"),
    [(1, 13, True), (2, 13, False), (3, 15, True), (4, 15, False), (4, 16, True), (5, 16, False)],
)
def test_a_look_at_groups_near_the_minimum_counts_four_times_or_twice(wide: int, near: int, told: bool) -> None:
    """Of five in all: looks at the same person through large groups first, then one through a small one."""
    policy = policy_of(Told())
    assert all(tells(policy, who) for pair in pairs(5, 60)[:wide] for who in pair)
    own, big = pairs(6, near)[5]
    assert (tells(policy, own), tells(policy, big)) == (True, told)


def test_the_first_look_is_always_told() -> None:
    """However near the minimum its groups are, and of a number at risk, for which fewer looks are left."""
    ((own, big),) = pairs(1, 11)
    policy = policy_of(Told())
    assert tells(policy, own, spare=True) and tells(policy, big, spare=True)


def test_looks_are_left_for_what_a_reader_would_miss() -> None:
    policy = policy_of(Told())
    made = pairs(6, 60)
    at_risk = [tells(policy, who, spare=True) for pair in made[:4] for who in pair]
    assert at_risk == [True] * 7 + [False]
    assert [tells(policy, who) for pair in made[4:] for who in pair] == [True] * 4


def test_without_it_or_without_noise_or_people_nothing_is_left_out() -> None:
    quiet = Policy(secret=SECRET, noise_variance=0, told=Told())
    for policy in (OPEN, quiet):
        assert all(tells(policy, who) for pair in pairs(9, 60) for who in pair)
    assert policy_of(Told()).tells(60, None)
    assert policy_of(Told()).fingerprint == OPEN.fingerprint


def surest(chosen: Callable[[Policy, Codes], bool], size: int, secret: int) -> float:
    policy = Policy(secret=bytes([secret]) * 32, told=Told())
    shown = [(big, own) for own, big in pairs(14, size, 1 + secret % 4) if chosen(policy, own) & chosen(policy, big)]
    public = {frozenset(who.tolist()): policy.public(len(who), who) for pair in shown for who in pair}
    named = [tuple(frozenset(who.tolist()) for who in pair) for pair in shown]
    return max(chance for few, chance in posterior(named, public, Bells(policy)).items() if few > 0)


@pytest.mark.parametrize("size", [11, 12, 14, 15, 16, 40])
def test_the_attacker_is_never_more_than_half_sure(size: int) -> None:
    kept = [surest(tells, size, secret) for secret in range(8)]
    assert max(kept) <= 0.5
    assert max(surest(lambda *_: True, size, secret) for secret in range(8)) > 0.55  # with the protection off


def test_releases_remember_one_another(tmp_path: Path) -> None:
    """What one release told counts in the next; a release made again decides nothing anew."""
    shown = pairs(6, 60)
    for k, (own, big) in enumerate(shown):
        folder = tmp_path / f"{k}"
        folder.mkdir()
        files = [read_told(tmp_path / f"{j}" / "told.bin") for j in range(k)]
        (folder / "before.bin").write_bytes(b"".join(one.tobytes() for one in files))
        policy = policy_of(Told.of_run({"EVALKIT_TOLD": str(folder)}))
        assert tells(policy, own)
        assert tells(policy, big) is (k < 5)
        assert (folder / "told.bin").stat().st_mode & 0o777 == 0o600
    told = read_told(tmp_path / "5" / "told.bin")
    assert told["size"].tolist() == [60, LEFT_OUT]
    assert read_told(tmp_path / "gone.bin").size == 0  # nothing stops: only its own groups are looked at
    assert tells(policy_of(Told.of_run({})), shown[5][1])
    again = tmp_path / "again"
    again.mkdir()
    (again / "left_out.json").write_text(f'["{name_of(int(told["key"][1]))}"]', encoding="utf-8")
    policy = policy_of(Told.of_run({"EVALKIT_TOLD": str(again)}))
    assert [tells(policy, who) for pair in shown for who in pair] == [True] * 11 + [False]
    (again / "before.bin").write_bytes(b"half")
    with pytest.raises(DisclosureError, match=r"before\.bin: what was told cannot be read"):
        Told.of_run({"EVALKIT_TOLD": str(again)})


def test_a_pair_of_an_earlier_release_counts_by_its_smaller_group_whatever_else_was_told() -> None:
    """Thirteen people and one more: four looks of five, also beside a group of many."""
    shown = [*pairs(9, 13)[8], people(500, 200_000)]
    rows = [(OPEN.noise.key(who), len(who)) for who in shown]
    policy = policy_of(Told(np.array(rows, dtype=[("key", "<u8"), ("size", "<i8")])))
    assert [tells(policy, who) for pair in pairs(2, 60) for who in pair] == [True, True, True, False]


def test_two_reports_of_one_run_remember_one_another(tmp_path: Path) -> None:
    shown = pairs(6, 60)
    for k, (own, big) in enumerate(shown):
        policy = policy_of(Told.of_run({"EVALKIT_TOLD": str(tmp_path)}))
        assert [tells(policy, own), tells(policy, big)] == [True, k < 5]


def test_many_groups_are_looked_through_at_once() -> None:
    """Ten thousand groups, five of which differ from others by the same few: a sixth is not told."""
    rng, few = np.random.default_rng(1), np.uint64(12345)
    before = np.zeros(10_000, dtype=[("key", "<u8"), ("size", "<i8")])
    before["key"], before["size"] = rng.integers(0, 2**64, 10_000, dtype=np.uint64), rng.integers(30, 900, 10_000)
    before["key"][5000:5005], before["size"][5000:5005] = before["key"][:5] + few, before["size"][:5] + 3
    told, (key, size) = Told(before), (before["key"][5], int(before["size"][5]))
    assert not told.may(int(key + few), size + 3, 11, 2.0)
    assert told.may(int(key + few + few), size + 3, 11, 2.0)
    assert told.may(int(before["key"][5000]), int(before["size"][5000]), 11, 2.0)


# -- What is not told in one place is not told in another: in every kind of count ------------------------------------------
def without(who: Codes) -> Policy:
    return policy_of(Told(decided=frozenset({name_of(OPEN.noise.key(who))})))


def test_a_row_is_left_out() -> None:
    codes = people(120)
    frame = pd.DataFrame({"group": ["a", "b"], "term": "t", "n_event": [20, 30], "n": [50, 70]})
    who = tuple({"n": own, "n_event": own[:x]} for own, x in ((codes[:50], 20), (codes[50:], 30)))
    exact = ShareOf(kind="proportion", estimand="e").estimate(Tally(frame, people=who))
    for group in (who[0]["n"], who[0]["n_event"]):
        safe = make_safe(exact, without(group))
        assert (safe.verdict, safe.withheld) == ("partly", ("a: t",))
        assert safe.estimates.tidy().set_index("group")["estimate"].isna().to_dict() == {"a": True, "b": False}
        assert "fewer than 11" in safe.note


def curve() -> tuple[pd.DataFrame, DayCounts]:
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"time": np.r_[rng.integers(1, 400, 150), [500] * 60], "event": [True] * 150 + [False] * 60})
    data = data.assign(group="a", participant_id=[f"p{i}" for i in range(210)])
    return data, kaplan_meier(data, "time", "event", by="group")


def test_a_landmark_is_not_quoted_and_a_number_at_risk_not_written() -> None:
    data, exact = curve()
    codes, full = codes_of(data), make_safe(exact, OPEN)
    by_60, at_91 = codes[data["event"] & data["time"].le(60)], codes[data["time"].ge(91)]
    assert ("a", 60.0) in full.quoted
    safe = make_safe(exact, without(by_60))
    assert full.quoted - safe.quoted == {("a", 60.0)}
    assert 60.0 not in set(safe.estimates.counts.data["end_n_event_1"].dropna())
    assert 60.0 in set(full.estimates.counts.data["end_n_event_1"].dropna())
    safe = make_safe(exact, without(at_91))
    read = safe.at([60, 91])["n_risk"]
    assert read.notna().tolist() == [True, False]
    assert safe.quoted == full.quoted
    assert full.at([91])["n_risk"].notna().all()
    assert make_safe(exact, without(codes)).verdict == "withheld"
    assert make_safe(exact, without(codes[data["event"]])).verdict == "withheld"


def test_numbers_at_risk_are_told_of_the_days_that_axes_have() -> None:
    _, exact = curve()
    told = np.flatnonzero(~np.isnan(make_safe(exact, OPEN).at_risk["a"]))
    assert {0, 30, 60, 90, 91, 182, 270, 273, 364, 365} <= set(told)
    assert len(told) < 25


def test_numbers_at_risk_leave_looks_for_the_others() -> None:
    asked: dict[int, bool] = {}

    class Asked(Told):
        def may(self, key: int, size: int, least: int, variance: float, *, spare: bool = False) -> bool:
            asked[key] = spare
            return super().may(key, size, least, variance, spare=spare)

    data, exact = curve()
    make_safe(exact, policy_of(Asked()))
    codes, days = codes_of(data), (60, 90, 182, 365)
    at_risk = [OPEN.noise.key(codes[data["time"].ge(day)]) for day in days]
    by_then = [OPEN.noise.key(codes[data["event"] & data["time"].le(day)]) for day in days]
    assert [[asked[key] for key in keys] for keys in (at_risk, by_then)] == [[True] * 4, [False] * 4]


def test_who_was_censored_by_a_landmark_is_not_counted_back_from_a_number_at_risk_that_is_not_told() -> None:
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"time": rng.integers(1, 400, 300), "event": [True, False] * 150})
    data = data.assign(group="a", participant_id=[f"p{i}" for i in range(300)])
    exact, at_182 = kaplan_meier(data, "time", "event", by="group"), codes_of(data[data["time"].ge(182)])
    ends = [
        set(make_safe(exact, policy).estimates.counts.data["end_n_censor"].dropna())
        for policy in (OPEN, without(at_182))
    ]
    assert ends[0] - ends[1] == {182.0}


def test_a_model_is_withheld() -> None:
    codes = people(200)
    arms = pd.DataFrame({"group": ["a", "b"], "term": "model", "n_event": [30, 40], "n": [90, 110]})
    who = tuple({"n": own, "n_event": own[:x]} for own, x in ((codes[:90], 30), (codes[90:], 40)))
    exact = Estimates(pd.DataFrame({"term": ["x"], "estimate": [0.1]}), "cox", "e", counts=Tally(arms, people=who))
    assert make_safe(exact, OPEN).verdict == "released"
    assert make_safe(exact, without(who[1]["n_event"])).verdict == "withheld"


def test_a_restatement_is_left_out() -> None:
    old, new = people(40), people(70)
    row = {"figure": "Engaged", "group": "a", "old": 40, "new": 70, "reason": "recorded later", "n_people": 30}
    changes = pd.DataFrame([{**row, "who_old": old, "who_new": new, "largest_old": 1.0, "largest_new": 1.0}])
    assert safe_restatements(changes, OPEN)["new"].tolist() == [OPEN.public(70, new)]
    assert safe_restatements(changes, without(new))["new"].isna().tolist() == [True]
    assert safe_restatements(changes, without(old)).empty
