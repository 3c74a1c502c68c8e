"""Complementary suppression, the ledger, and the attacker who finds nothing while every protection is on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from disclosure.attacker import printed, recovered
from disclosure.quarters import exact_means, publish, study
from evalkit.counts import Tally, codes_of
from evalkit.disclosure import (
    Cell,
    Ledger,
    Memory,
    Policy,
    Record,
    _counts,
    cells_of,
    make_safe,
    protect,
    read_record,
    without,
)
from evalkit.disclosure._cells import UNKNOWN
from evalkit.disclosure._search import Search
from evalkit.disclosure._worlds import Worlds
from evalkit.engagement._analyses import ShareOf
from evalkit.errors import DisclosureError

POLICY = Policy()


def cell(
    name: str, people: Iterable[int], low: int, high: int, *, shown: bool = True, row: str = "", family: str = ""
) -> Cell:
    codes = np.array(sorted(people), dtype=np.uint64)
    return Cell(row or name, name, "n", len(codes), shown, low, high, codes, family=family)


def test_of_two_groups_that_differ_by_one_person_one_is_withheld() -> None:
    cells = [cell("twelve", range(12), 11, 12), cell("eleven", range(11), 11, 12)]
    plan = protect(cells, [], POLICY)
    assert plan.withheld == {"eleven"}  # what stands first stays
    assert plan.names == ("eleven",)
    assert not plan.exposed
    assert not protect(cells[:1], [], POLICY).withheld
    assert not protect(cells, [], Policy(complementary=False)).withheld


def test_an_earlier_release_cannot_be_taken_back() -> None:
    earlier, new = [cell("twelve", range(12), 11, 12)], [cell("eleven", range(11), 11, 12)]
    assert protect(new, earlier, POLICY).withheld == {"eleven"}
    assert not protect(new, earlier, Policy(ledger=False)).withheld


def test_a_group_that_is_not_shown_is_not_found_from_total_and_parts() -> None:
    exact = Policy(rounding_base=1)
    cells = [
        cell("total", range(60), 60, 60),
        cell("a", range(20), 20, 20, family="parts"),
        cell("b", range(20, 55), 35, 35, family="parts"),
        cell("c", range(55, 60), 1, 10, shown=False, family="parts"),
    ]
    plan = protect(cells, [], exact)
    assert len(plan.withheld) == 1
    assert plan.withheld <= {"a", "b", "total"}
    known = without(cells, plan.withheld, exact)
    assert not protect(known, [], exact).withheld


def test_a_part_that_nobody_lists_is_protected_as_well() -> None:
    exact = Policy(rounding_base=1)
    cells = [
        cell("total", range(60), 60, 60),
        cell("a", range(20), 20, 20, family="parts"),
        cell("b", range(20, 55), 35, 35, family="parts"),
    ]
    assert len(protect(cells, [], exact).withheld) == 1


def test_the_same_group_in_two_tables_is_withheld_in_both() -> None:
    cells = [
        cell("twelve", range(12), 11, 12),
        cell("eleven here", range(11), 11, 12),
        cell("eleven there", range(11), 11, 12),
    ]
    plan = protect(cells, [], POLICY)
    assert plan.withheld in ({"twelve"}, {"eleven here", "eleven there"})
    assert not protect(without(cells, plan.withheld, POLICY), [], POLICY).withheld


def test_what_earlier_releases_gave_away_is_named() -> None:
    exact = Policy(rounding_base=1)
    past = [cell("then", range(12), 12, 12), cell("now", range(11), 11, 11)]
    plan = protect([cell("one more", range(11, 12), 1, 10, shown=False)], past, exact)
    assert plan.exposed == ("one more",)
    assert not plan.withheld


def test_a_row_that_is_not_shown_anyway_does_not_stand_in_the_way() -> None:
    earlier, new = [cell("eleven", range(11), 11, 12)], [cell("twelve", range(12), 11, 12)]
    hidden = [cell("twelve, by step", range(12), 0, UNKNOWN, shown=False)]  # its step is small, not the group
    plan = protect([*new, *hidden], earlier, POLICY)
    assert plan.withheld == {"twelve"}
    assert plan.tight == 0


CHAIN = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], dtype=bool)


def test_worlds_that_no_walk_reaches_are_found_by_asking() -> None:
    """Sums of neighbours are known exactly: all four change together or none does."""
    fives, tens = np.full(4, 5), np.full(3, 10)
    search = Search(Worlds(CHAIN, tens, tens, fives), np.array([[True, False, False, False]]), 2)
    assert search.narrow().tolist() == [0]
    assert search.ask([0]) == []
    assert search.narrow().tolist() == []


def test_a_count_that_is_known_is_not_taken_for_wide() -> None:
    fives, tens = np.full(4, 5), np.full(3, 10)
    member = np.vstack([CHAIN, [False, False, False, True]])
    known = Worlds(member, np.append(tens, 5), np.append(tens, 6), fives)
    search = Search(known, np.array([[True, False, False, False]]), 2)
    assert search.ask([0]) == [0]
    assert search.reached.tolist() == [1]
    low, high, holding = known.range(np.array([True, False, False, False]))
    assert (low, high) == (4.0, 5.0)
    assert holding.all()
    search.settle_for([0], np.array([1]))
    assert search.ask([0]) == []


def _random_worlds(rng: np.random.Generator) -> Worlds:
    """Overlapping groups of a few people each, some known exactly, some roughly, some from one side, some not at all."""
    member = np.unique(rng.random((16, 12)) < 0.4, axis=0)
    true = rng.integers(0, 6, member.shape[1])
    size = member @ true
    low, high = np.maximum(size - rng.integers(0, 2, len(size)), 0), size + rng.integers(0, 2, len(size))
    low[rng.random(len(size)) < 0.2] = 0
    high[rng.random(len(size)) < 0.2] = UNKNOWN
    return Worlds(member, low, high, true)


@pytest.mark.parametrize("seed", range(25))
def test_the_sparse_programme_says_what_the_plain_one_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    worlds = _random_worlds(rng)
    chosen = rng.random(len(worlds.true)) < 0.3
    low, high, holding = worlds.range(chosen)
    above = worlds.high < UNKNOWN
    rows = np.vstack([worlds.member[above], -worlds.member.astype(int)])
    limits = np.concatenate([worlds.high[above], -worlds.low])
    for sign, end in ((1, low), (-1, high)):
        plain = linprog(sign * chosen.astype(float), A_ub=rows, b_ub=limits, method="highs")
        assert end == (pytest.approx(sign * plain.fun, abs=1e-6) if plain.x is not None else np.inf)
    freed = Worlds(
        worlds.member, np.where(holding, 0, worlds.low), np.where(holding, UNKNOWN, worlds.high), worlds.true
    )
    wider = freed.range(chosen)
    if holding.any():
        assert wider[0] < low - 1e-6 or wider[1] > high + 1e-6
    for step in (-2, -1, 1, 2):
        way = worlds.towards(worlds.true, chosen, step, np.ones((2, len(worlds.true))))
        reachable = low <= worlds.true[chosen].sum() + step <= high
        if way is None:
            continue
        assert reachable
        assert way[chosen].sum() * np.sign(step) >= abs(step) - 1e-6
        assert np.abs(way).max() <= 2 + 1e-6
        sizes = worlds.member @ (worlds.true + way)
        assert (sizes >= worlds.low - 1e-6).all()
        assert (sizes <= worlds.high + 1e-6).all()


def test_sets_are_as_wide_as_integer_programming_finds_them_over_all_worlds() -> None:
    wide = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        worlds = _random_worlds(rng)
        chosen = rng.random(len(worlds.true)) < 0.3
        ends = []
        for sign in (1, -1):
            plain = milp(
                sign * chosen.astype(float),
                constraints=LinearConstraint(
                    worlds.member.astype(float), worlds.low, np.where(worlds.high < UNKNOWN, worlds.high, np.inf)
                ),
                bounds=Bounds(0, 50),
                integrality=np.ones(len(chosen)),
            )
            ends.append(sign * round(plain.fun))
        search = Search(worlds, chosen[None, :], 2)
        search.narrow()
        search.ask([0])
        assert search.reached[0] == ends[1] - ends[0] or search.reached[0] >= 2, seed
        assert search.reached[0] <= ends[1] - ends[0]
        wide += int(search.reached[0] >= 2)
    assert 5 < wide < 40


def test_nothing_is_withheld_for_what_earlier_releases_gave_away_unless_it_would_say_more() -> None:
    exact = Policy(rounding_base=1)
    past = [cell("then", range(13), 12, 13), cell("now", range(11), 11, 11)]  # one or two people went
    plan = protect([cell("who went", range(11, 13), 1, 10, shown=False)], past, exact)
    assert not plan.withheld
    assert (plan.tight, plan.exposed) == (1, ())
    plan = protect([cell("all", range(30), 30, 30), cell("others", range(13, 30), 17, 17)], past, exact)
    assert len(plan.withheld) == 1  # they would have told how many are in an earlier group
    assert (plan.tight, plan.exposed) == (0, ())


def test_what_was_published_before_is_not_looked_at_again() -> None:
    cells = [cell("twelve", range(12), 8, 12), cell("eleven", range(1, 12), 8, 12)]
    again = [cell("twelve again", range(12), 8, 12), cell("eleven again", range(1, 12), 8, 12)]
    assert protect(cells, [], POLICY).sensitive == 1
    assert protect(again, cells, POLICY).sensitive == 0
    more = [*again, cell("a hundred", range(100), 98, 102)]
    assert protect(more, cells, POLICY).sensitive == 1


def test_two_counts_of_one_curve_are_not_taken_for_each_other() -> None:
    """A row may hold several counts of one column (a curve: events by each day), each its own set of people."""
    exact = Policy(minimum_count=8, rounding_base=1)
    free = [cell(f"two {i}", range(100 + 5 * i, 110 + 5 * i), 10, 10) for i in range(3)]  # wide, but no walk finds it
    given = [cell("all here", range(25), 25, 25), cell("others here", range(5, 25), 20, 20)]
    again = [cell("all there", [*range(5), *range(50, 80)], 35, 35), cell("others there", range(50, 80), 30, 30)]
    days = [cell(f"by day {who[0]}", who, 1, 7, shown=False, row="curve") for who in (range(5), range(100, 105))]
    for counts in (days, days[::-1]):
        cells = [*counts, *free, *given, *again]
        plan = protect(cells, [], exact)
        assert len(plan.withheld) == 2
        assert not protect(without(cells, plan.withheld, exact), [], exact).withheld


def test_what_was_found_the_time_before_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    exact, asked = Policy(minimum_count=8, rounding_base=1), []
    ask = Search.ask
    monkeypatch.setattr(Search, "ask", lambda self, sets: asked.extend(sets) or ask(self, sets))
    chain = [cell(f"two {i}", range(5 * i, 5 * i + 10), 10, 10) for i in range(3)]
    cells, memory = [*chain, cell("five", range(5), 1, 7, shown=False)], Memory()
    plan = protect(cells, [], exact, memory)
    assert asked
    assert not plan.withheld
    for fewer in (cells, [*cells[1:]]):  # what is wide stays wide when a row goes
        asked.clear()
        assert not protect(fewer, [], exact, memory).withheld
        assert not asked
    for other in (cells, [*cells, cell("more", range(16), 16, 16)]):  # a row has come back, or is new
        asked.clear()
        assert protect(other, [], exact, memory).withheld == protect(other, [], exact).withheld
        assert len(asked) > 1


def test_rows_that_were_withheld_the_time_before_change_no_answer() -> None:
    withheld = 0
    for seed in range(4):
        past, new = (list(release.cells) for release in publish(study(seed, n=60), POLICY, quarters=2))
        risky = [*new, cell("twelve", range(90, 102), 11, 12), cell("eleven", range(90, 101), 11, 12)]
        memory, left = Memory(), risky
        for _ in range(3):
            plan = protect(left, past, POLICY, memory)
            assert plan == protect(left, past, POLICY)
            withheld += len(plan.withheld)
            left = without(left, plan.withheld, POLICY)
        assert not plan.withheld
    assert withheld >= 4


def test_what_is_known_from_one_side_only_holds_from_that_side_only() -> None:
    nobody = Worlds(np.array([[True, False], [True, True]]), np.array([0, 4]), np.array([5, 4]), np.array([0, 4]))
    low, high, holding = nobody.range(np.array([True, False]))
    assert (low, high) == (0.0, 4.0)
    assert holding.tolist() == [False, True]


def test_the_answer_is_the_same_each_time() -> None:
    releases = [publish(study(3, n=60), POLICY, quarters=3) for _ in range(2)]
    rows = [[[(c.row, c.shown) for c in r.cells] for r in release] for release in releases]
    assert rows[0] == rows[1]


def _share(n: int, x: int) -> object:
    people = pd.DataFrame({"participant_id": [f"p{i}" for i in range(n)]})
    codes = codes_of(people)
    frame = pd.DataFrame({"group": ["a", "b"], "term": "t", "n_event": [x, x], "n": [n, n]})
    who = {"n": codes, "n_event": codes[:x]}
    return ShareOf(kind="proportion", estimand="e").estimate(Tally(frame, people=(who, who)))


def test_rows_withheld_for_others_are_gone_from_the_estimate_and_the_note_says_why() -> None:
    exact = _share(40, 20)
    open_ = make_safe(exact, POLICY)
    first = cells_of(exact, open_.gone, POLICY)[0].row
    safe = make_safe(exact, POLICY, frozenset({first}))
    assert safe.verdict == "partly"
    assert safe.estimates.tidy()["n"].isna().tolist() == [True, False]
    assert "worked out" in safe.note
    assert "worked out" not in open_.note


def test_a_record_keeps_what_was_shown_and_only_for_its_owner(tmp_path: Path) -> None:
    file, rows = tmp_path / "record.jsonl", tmp_path / "rows.json"
    exact = _share(40, 4)
    rows.write_text(json.dumps([]), encoding="utf-8")
    record = Record.of_run({"EVALKIT_RECORD": str(file), "EVALKIT_WITHHOLD": str(rows)})
    record.add(exact, make_safe(exact, POLICY, record.withhold))
    assert file.stat().st_mode & 0o777 == 0o600
    (line,) = read_record(file)
    assert line.verdict == "withheld"
    assert {(c.column, c.count, c.shown) for c in line.cells} == {("n_event", 4, False), ("n", 40, False)}
    Record().add(exact, make_safe(exact, POLICY))  # an editor asks for none
    file.write_text("{}\n", encoding="utf-8")
    with pytest.raises(DisclosureError, match="cannot be read"):
        read_record(file)


def test_the_ledger_keeps_what_readers_know_and_nobody_who_they_are(tmp_path: Path) -> None:
    releases, private = tmp_path / "reports", tmp_path / "private"
    ledger = Ledger.of(private, releases)
    exact = _share(40, 20)
    cells = ledger.keyed(cells_of(exact, frozenset(), POLICY))
    with ledger.adding("quarterly-2022Q3-r1", cells, "0" * 64):
        pass
    again = Ledger.of(private, releases)
    assert again.names == ("quarterly-2022Q3-r1",)
    kept = again.cells()
    assert [(c.low, c.high, c.shown, len(c.people)) for c in kept] == [(c.low, c.high, c.shown, c.count) for c in cells]
    assert all((a.people == b.people).all() for a, b in zip(kept, cells, strict=True))
    plain = {int(code) for code in codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(40)]}))}
    assert not plain & {int(code) for c in kept for code in c.people}
    for file in ledger.folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    assert not [p for p in releases.rglob("*") if p.is_file() and p.name != ".ledger"]


@pytest.mark.parametrize("seed", [2])
def test_the_attacker_recovers_no_small_count_of_eight_quarters(seed: int) -> None:
    """Study 2 is one of those where rows are withheld for others' sake."""
    releases = publish(study(seed), POLICY)
    assert sum(r.complementary for r in releases)
    assert sum(r.exposed + r.tight for r in releases) == 0
    assert recovered(releases, POLICY, POLICY.ambiguity - 1) == []
    assert printed(releases, POLICY) == []


@pytest.mark.parametrize("off", [Policy(minimum_count=1), Policy(safe_curves=False)], ids=["threshold", "safe curves"])
def test_without_it_small_counts_are_printed(off: Policy) -> None:
    assert printed(publish(study(0), off, quarters=3), off)


def test_without_rounding_the_attacker_recovers_counts_exactly() -> None:
    off = Policy(rounding_base=1)
    assert recovered(publish(study(0), POLICY, quarters=4, printed=off), off)


@pytest.mark.parametrize(
    "off", [Policy(complementary=False), Policy(ledger=False)], ids=["complementary suppression", "ledger"]
)
def test_without_it_fewer_values_are_left_than_the_policy_asks_for(off: Policy) -> None:
    assert recovered(publish(study(2), off), off, POLICY.ambiguity - 1)


def test_from_means_with_all_their_digits_people_are_counted_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded numbers of people beside exact means: of the few numbers that are rounded alike one divides a whole sum."""
    assert recovered(publish(study(0), POLICY, quarters=6), POLICY) == []
    monkeypatch.setattr(_counts, "rounded_sums", exact_means)
    assert len(recovered(publish(study(0), POLICY, quarters=6), POLICY)) >= 3


UNROUNDED = Policy(rounding_base=1)


def test_where_counts_are_printed_as_they_are_suppression_and_ledger_alone_keep_them() -> None:
    assert recovered(publish(study(0), UNROUNDED, quarters=4), UNROUNDED, POLICY.ambiguity - 1) == []


@pytest.mark.parametrize("off", ["complementary", "ledger"])
def test_without_it_counts_are_known_exactly(off: str) -> None:
    policy = dataclasses.replace(UNROUNDED, **{off: False})
    assert len(recovered(publish(study(0), policy, quarters=4), UNROUNDED)) > 3


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("policy", "first"),
    [*((POLICY, first) for first in range(0, 200, 10)), *((UNROUNDED, first) for first in range(0, 40, 10))],
)
def test_the_attacker_recovers_no_small_count_of_many_studies(policy: Policy, first: int) -> None:
    """Two hundred under the default policy, forty under one that prints large counts as they are."""
    for seed in range(first, first + 10):
        releases = publish(study(seed), policy)
        assert sum(r.exposed for r in releases) == 0, seed
        assert printed(releases, policy) == [], seed
        assert recovered(releases, policy, POLICY.ambiguity - 1) == [], seed
