"""One rule at a time: rows in which no other rule applies, on either side of its bound."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.counts import Tally, codes_of
from evalkit.disclosure import Policy, safe_restatements
from evalkit.disclosure._curves import risk_at
from evalkit.disclosure._limits import _events, any_small
from evalkit.protocol import Disclosure
from evalkit.stats import day_counts
from views.made import curve

POLICY = Policy(secret=bytes(range(32)))
PLAIN = Policy(secret=bytes(range(32)), noise_variance=0)
_COLUMNS = ["figure", "group", "old", "new", "reason", "n_people"]


def restated(*rows: tuple[str, float, float, int], policy: Policy = PLAIN) -> dict[str, tuple[float, float | None]]:
    """What is told of one figure, by group: as it was, and as it is now (None: not told)."""
    whole = [("exits", group, float(old), float(new), "retraction", n) for group, old, new, n in rows]
    told = safe_restatements(pd.DataFrame(whole, columns=_COLUMNS), policy)
    return {
        group: (old, None if np.isnan(new) else new)
        for group, old, new in zip(told["group"], told["old"], told["new"], strict=True)
    }


@pytest.mark.parametrize(("old", "new"), [(60, 50), (50, 60), (60, 59)])
def test_what_became_less_by_few_is_told_no_more_than_what_became_more(old: int, new: int) -> None:
    assert restated(("Pilot", old, new, 20)) == {"Pilot": (old, None)}
    assert restated(("Pilot", old, new, 0)) == {"Pilot": (old, None)}


def test_eleven_fewer_are_told() -> None:
    assert restated(("Pilot", 60, 49, 20)) == {"Pilot": (60, 49)}
    assert restated(("Pilot", 60, 49, 10)) == {"Pilot": (60, None)}  # by whomever it came about
    assert restated(("Pilot", 60, 49, 11)) == {"Pilot": (60, 49)}


@pytest.mark.parametrize(("old", "new"), [(10, 40), (40, 10)])
def test_a_figure_that_is_small_before_or_now_is_not_there(old: int, new: int) -> None:
    assert restated(("Pilot", old, new, 30)) == {}


@pytest.mark.parametrize(
    ("everybody", "one", "shown"),
    [
        ((60, 100), (50, 60), {"PAIP"}),  # 10 of the other group before
        ((100, 60), (60, 50), {"PAIP"}),  # 10 of them now
        ((61, 100), (50, 60), {"all", "PAIP"}),
        ((50, 100), (50, 60), {"all", "PAIP"}),  # nobody before: that may be told
    ],
)
def test_either_end_of_what_is_left_between_everybody_and_one_group_counts(
    everybody: tuple[int, int], one: tuple[int, int], shown: set[str]
) -> None:
    assert set(restated(("all", *everybody, 40), ("PAIP", *one, 30))) == shown


@pytest.mark.parametrize(("rest", "told"), [(30, False), (29, True), (50, False), (51, True), (40, True)])
def test_what_is_left_may_become_less_by_few_as_little_as_more(rest: int, told: bool) -> None:
    """40 are left, before, between everybody's 90 and one group's 50, of which 20 more or fewer are told."""
    one = 30 if rest < 40 else 70
    found = restated(("all", 90, one + rest, 40), ("PAIP", 50, one, 20))
    assert found == {"all": (90, one + rest if told else None), "PAIP": (50, one)}


def test_hours_that_are_as_many_as_people_are_no_number_of_people() -> None:
    """They carry the noise of sums: beside the number of those very people they would tell which noise it has."""
    who = codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(40)]}))
    row = {"figure": "attended hours", "group": "a", "old": 40, "new": 80, "reason": "late entry", "n_people": 30}
    changes = pd.DataFrame([{**row, "who_old": who, "who_new": who, "largest_old": 30.0, "largest_new": 30.0}])
    told, people = int(safe_restatements(changes, POLICY)["old"].iloc[0]), POLICY.public(40, who)
    off = POLICY.noise.unit(f"{POLICY.noise.key(who)}|sum|40.0")
    assert told == round(40 * people / 40 + 30 * off) != people
    assert safe_restatements(changes.assign(largest_old=1.0), POLICY)["old"].tolist() == [people]


@pytest.mark.parametrize("policy", [PLAIN, POLICY])
@pytest.mark.parametrize("ends", [("old", "new"), ("new", "old")])
def test_a_sum_that_was_nobodys_is_told_as_zero(policy: Policy, ends: tuple[str, str]) -> None:
    """As `restatements` gives it: nobody had attended at the one cut, forty people had at the other."""
    who = codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(40)]}))
    nobody, many = ends
    row = {"figure": "attended hours", "group": "a", "reason": "late entry", "n_people": 40, nobody: 0.0, many: 320.5}
    whose = {f"who_{nobody}": who[:0], f"who_{many}": who, f"largest_{nobody}": 0.0, f"largest_{many}": 12.0}
    told = safe_restatements(pd.DataFrame([{**row, **whose}]), policy).iloc[0]
    assert told[nobody] == 0
    assert told[many] == pytest.approx(320, abs=100)


def levels(*rows: tuple[str, int, int]) -> Tally:
    return Tally(pd.DataFrame([(term, "a", x, n) for term, x, n in rows], columns=["term", "group", "n_event", "n"]))


@pytest.mark.parametrize(
    ("rows", "small"),
    [
        ([("model", 11, 22)], False),
        ([("model", 10, 40)], True),
        ([("model", 30, 40)], True),  # 10 without it
        ([("model", 0, 40)], True),
        ([("model", 40, 40)], False),  # nobody without it: nothing is small
        ([("model", 30, 60), ("level[x]", 20, 40)], False),
        ([("model", 30, 60), ("level[x]", 19, 60)], True),
        ([("model", 30, 60), ("level[x]", 40, 59)], True),  # 19 without it
        ([("model", 30, 60), ("level[x]", 40, 60)], False),
    ],
)
def test_of_how_many_a_model_may_speak(rows: list[tuple[str, int, int]], small: bool) -> None:
    assert any_small(levels(*rows), Policy(minimum_level=20)) is small


def test_behind_a_coefficient_stand_the_events_of_its_level_or_of_the_smaller_arm() -> None:
    rows = levels(("model", 31, 90), ("model", 12, 50), ("level[x]", 17, 50), ("level[y]", 23, 60)).data
    assert [_events(term, rows) for term in ("focus", "level[T.y]", "level[x]", "level")] == [12, 23, 17, 17]


def test_enough_had_it_and_enough_are_left_by_the_stricter_of_two_bounds() -> None:
    for at_risk, least in ((5, 11), (11, 11), (20, 20)):
        policy = Policy(minimum_at_risk=at_risk)
        assert [policy.gives(11, n) for n in (least - 1, least)] == [False, True]
        assert not policy.gives(10, 100)


def test_nobody_is_told_where_the_policy_says_so() -> None:
    for word, zero in (("published", True), ("withheld", False)):
        policy = Policy.of(Disclosure(zero=word), bytes(32))  # type: ignore[arg-type]
        assert policy.zero is zero
        assert policy.hides(0) is not zero
        assert policy.least == int(zero)  # whoever is not shown is at least one, or nobody


def leavers(n: int) -> pd.DataFrame:
    """One leaves a day, every other by the event."""
    days = np.arange(1, n + 1)
    named = [f"p{k}" for k in days]
    return pd.DataFrame({"participant_id": named, "group": "a", "time": days, "event": days % 2 == 0})


@pytest.mark.parametrize(("minimum_at_risk", "last"), [(5, 30), (11, 30), (12, 0)])
def test_numbers_at_risk_are_never_small(minimum_at_risk: int, last: int) -> None:
    """Of 40 people of whom one leaves a day 11 are at risk on day 30: whom the policy lets a curve go on with is another matter."""
    policy = Policy(secret=bytes(32), minimum_at_risk=minimum_at_risk)
    counts = day_counts(leavers(40), "time", "event", by="group")
    told = risk_at(counts, policy, "x", ("a",))["a"]
    assert np.flatnonzero(~np.isnan(told)).tolist() == sorted({0, last})
    fewer = day_counts(leavers(39), "time", "event", by="group")  # 10 on day 30
    assert np.flatnonzero(~np.isnan(risk_at(fewer, policy, "x", ("a",))["a"])).tolist() == [0]


def test_a_curve_is_quoted_on_the_horizon_itself() -> None:
    rows = "group | time | n_risk | estimate | conf_low | conf_high | verdict\n"
    rows += "\n".join(f"a | {day} | 60 | 0.5 | 0.4 | 0.6 | pass" for day in (60, 90, 182))
    assert curve(rows).until(90).quoted == {("a", 60), ("a", 90)}
