"""Keyed noise: what it is, that the same people are the same number everywhere, and attackers who know all but the secret."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from disclosure.attacker import observed, printed, recovered, sureness
from disclosure.quarters import publish, study
from evalkit.analyses._analyses import ShareOf
from evalkit.counts import Tally, codes_of
from evalkit.disclosure import Noise, Policy, Record, bell, make_safe, read_record
from evalkit.errors import DisclosureError

SECRET = bytes(range(32))
POLICY = Policy(secret=SECRET)
NOISE = POLICY.noise


def people(n: int, first: int = 0) -> np.ndarray:
    return codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(first, first + n)]}))


@pytest.mark.parametrize("low", [-5, -4, -3, -2, -1])
@pytest.mark.parametrize("variance", [1.0, 2.0, 3.0])
def test_the_bell_has_its_mean_and_variance(low: int, variance: float) -> None:
    values, below = bell(low, 5, variance)
    chance = np.diff([0, *below]) / 2**32
    assert values == tuple(range(low, 6))
    assert (chance >= 0).all()
    assert chance @ np.array(values) == pytest.approx(0, abs=1e-8)
    assert chance @ np.array(values) ** 2 == pytest.approx(min(variance, 0.8 * -low * 5), abs=1e-8)
    second = np.diff(np.log(chance[chance > 1e-6]), 2)  # exp(a d + b d^2), and nothing else
    assert second == pytest.approx(np.full(len(second), second[0]), abs=1e-2)  # as whole multiples of 2**-32 have it


def test_a_group_s_noise_is_its_own_whatever_the_order_and_another_under_another_secret() -> None:
    group = people(50)
    assert NOISE.key(group) == NOISE.key(group[::-1]) == sum(NOISE.keys(group).tolist()) % 2**64
    assert NOISE.count(50, group) == Noise(SECRET).count(50, group[::-1])
    other = Noise(bytes(32))
    told = [(NOISE.count(50, people(50, k)), other.count(50, people(50, k))) for k in range(200)]
    assert sum(a == b for a, b in told) < 80  # by chance one in five
    assert NOISE.id != other.id
    assert "bytes" not in repr(NOISE)


def test_keys_are_the_engine_s_sum(tmp_path: Path) -> None:
    """A database adds up keys as well: the same number, whoever does it."""
    import duckdb

    keys = NOISE.keys(people(1000))
    with duckdb.connect() as connection:
        connection.register("keys", pd.DataFrame({"k": keys}))
        (total,) = connection.execute("SELECT sum(k::HUGEINT) % 18446744073709551616::HUGEINT FROM keys").fetchone()
    assert int(total) == NOISE.key(people(1000))


@pytest.mark.parametrize("exact", [11, 12, 13, 15, 16, 17, 100])
def test_published_numbers_are_right_on_average_and_never_small(exact: int) -> None:
    told = np.array([NOISE.count(exact, people(exact, 31 * k)) for k in range(4000)])
    assert told.min() >= 11
    assert np.abs(told - exact).max() <= 5
    variance = 0.0 if exact == 11 else 2.0
    assert told.mean() == pytest.approx(exact, abs=4 * np.sqrt(2 / 4000))
    assert told.var() == pytest.approx(variance, abs=0.25)


def test_nobody_stays_nobody() -> None:
    assert NOISE.count(0, people(0)) == 0
    assert Policy(noise_variance=0).noise.count(37, people(37)) == 37


def test_groups_that_differ_by_one_person_are_off_by_unrelated_amounts() -> None:
    off = np.array([
        (NOISE.count(60, people(60, 7 * k)) - 60, NOISE.count(61, people(61, 7 * k)) - 61) for k in range(4000)
    ])  # fmt: skip
    assert np.corrcoef(off.T)[0, 1] == pytest.approx(0, abs=4 / np.sqrt(4000))


def test_noise_of_sums_is_between_minus_one_and_one_and_zero_on_average() -> None:
    units = np.array([NOISE.unit(str(k)) for k in range(4000)])
    assert np.abs(units).max() < 1
    assert units.mean() == pytest.approx(0, abs=4 * np.sqrt(1 / 6 / 4000))
    assert units.var() == pytest.approx(1 / 6, abs=0.015)


def _share(n: int, x: int, first: int = 0):
    codes = people(n, first)
    frame = pd.DataFrame({"group": ["a", "b"], "term": "t", "n_event": [x, x], "n": [n, n]})
    who = {"n": codes, "n_event": codes[:x]}
    return ShareOf(kind="proportion", estimand="e").estimate(Tally(frame, people=(who, who)))


def test_the_same_people_are_the_same_number_in_every_table_and_release() -> None:
    releases = publish(study(3), POLICY)  # raises where a group has two numbers
    known = observed(releases)
    assert len(known) > 60
    assert all(abs(public - len(group)) <= 5 for group, public in known.items())
    again = observed(publish(study(3), Policy(secret=SECRET)))
    assert again == known
    assert observed(publish(study(3), Policy(secret=bytes(32)))) != known


def test_rounded_for_the_eye_it_is_never_small() -> None:
    coarse = dataclasses.replace(POLICY, round_for_display=5)
    told = {coarse.public(n, people(n, 100 * k)) for n in range(11, 40) for k in range(20)}
    assert all(number % 5 == 0 and number >= 15 for number in told)


def test_a_record_keeps_what_was_shown_and_only_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    record = Record.of_run({"EVALKIT_RECORD": str(file)})
    record.add(_share(40, 4), make_safe(_share(40, 4), POLICY))
    record.add(_share(40, 20), make_safe(_share(40, 20), POLICY))
    assert file.stat().st_mode & 0o777 == 0o600
    small, large = read_record(file)
    assert (small.verdict, large.verdict) == ("withheld", "released")
    assert {(c.column, c.count, c.shown, c.linked) for c in small.cells} == {
        ("n_event", 4, False, True), ("n", 40, False, True)
    }  # fmt: skip
    rows = make_safe(_share(40, 20), POLICY).estimates.tidy()
    assert [(c.column, c.public) for c in large.cells[:2]] == [("n", rows["n"][0]), ("n_event", rows["n_event"][0])]
    assert str(int(people(1)[0])) not in file.read_text(encoding="utf-8")
    Record().add(_share(40, 4), make_safe(_share(40, 4), POLICY))  # an editor asks for none
    file.write_text("{}\n", encoding="utf-8")
    with pytest.raises(DisclosureError, match="cannot be read"):
        read_record(file)


# -- attackers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 2])
def test_the_attacker_recovers_no_small_count_of_eight_quarters(seed: int) -> None:
    releases = publish(study(seed), POLICY)
    assert printed(releases) == []
    assert recovered(releases, POLICY, 2, most=60) == []
    assert max(sureness(releases, POLICY)) <= 0.5


OFF = {
    "threshold": Policy(minimum_count=1, minimum_subgroup=1, secret=SECRET),
    "safe curves": Policy(safe_curves=False, secret=SECRET),
}


@pytest.mark.parametrize("name", OFF)
def test_without_it_small_counts_are_printed(name: str) -> None:
    assert printed(publish(study(0), OFF[name], quarters=3))


def test_without_noise_counts_are_known_exactly() -> None:
    off = Policy(noise_variance=0, secret=SECRET)
    releases = publish(study(0), off, quarters=4)
    exact = dataclasses.replace(off, noise_most=0)
    assert len(recovered(releases, exact, 1, most=60)) > 3
    assert max(sureness(releases, exact)) == pytest.approx(1.0)


def test_noise_that_is_drawn_anew_each_time_is_averaged_away() -> None:
    """What keys are for: the same people asked again and again are the same number, or else the mean tells."""
    group = people(20)
    fresh = [Policy().noise.count(20, group) for _ in range(400)]
    assert abs(np.mean(fresh) - 20) < 0.3
    assert len({NOISE.count(20, group) for _ in range(400)}) == 1


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("first", range(0, 200, 10))
def test_the_attacker_recovers_no_small_count_of_many_studies(first: int) -> None:
    for seed in range(first, first + 10):
        releases = publish(study(seed), POLICY)
        assert printed(releases) == [], seed
        assert recovered(releases, POLICY, 2) == [], seed
        assert max(sureness(releases, POLICY)) <= 0.5, seed
