"""What may not be told of a group by a day is not weighted, subtracted or counted per hundred in another place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evalkit.analyses import (
    compare_arms,
    e_values,
    first_harm,
    harm_hazards,
    harm_model,
    mean_without_harm,
    repeated_harm,
    without_harm,
)
from evalkit.cohort import Cohort
from evalkit.counts import DayCounts, Tie, totals_of
from evalkit.disclosure import Policy, Safe, make_safe
from evalkit.disclosure._curves import told_on
from evalkit.estimates import Estimates
from evalkit.stats import cumulative_incidence, rmst, rmst_contrast, survival_quantile
from views.seen import sentences

DAY = 182
WITHHELD = "Withheld to protect people: fewer than {} people or events would be described. Withheld is not zero."


@pytest.fixture(scope="module")
def planted(names_of_analyses: dict[str, Any]) -> tuple[Cohort, Policy]:
    """A study in which the pilot's harm by half a year is of too few people, and its harm in all is not."""
    cohort: Cohort = names_of_analyses["cohort"]
    rows = cohort.harm().dropna(subset=[c.name for c in cohort.study.covariates])
    own = rows[rows["group"] == cohort.groups[0]]
    whole = cohort.harm()
    by_then = int((whole["group"].eq(cohort.groups[0]) & whole["event"].eq(1) & whole["time"].le(DAY)).sum())
    least = by_then + 1
    assert least <= own["event"].eq(1).sum()  # so that counts of the whole time alone would let everything pass
    return cohort, Policy(secret=bytes(32), minimum_count=least)


QUESTIONS: dict[str, Callable[[Cohort], Estimates]] = {
    "difference, weighted and not": lambda c: compare_arms(c, "harm").effects(DAY, n_boot=20),
    "E-value": lambda c: e_values(compare_arms(c, "harm"), DAY, n_boot=20),
    "mean days without harm": lambda c: mean_without_harm(c, DAY),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_it_is_absent_with_its_reason(name: str, planted: tuple[Cohort, Policy]) -> None:
    cohort, policy = planted
    exact = QUESTIONS[name](cohort)
    assert len(make_safe(exact, Policy(secret=bytes(32))).estimates.tidy())
    safe = make_safe(exact, policy)
    assert safe.verdict == "withheld"
    assert cohort.groups[0] in safe.withheld
    assert safe.estimates.tidy().empty
    assert not safe.estimates.tied  # no exact count leaves with it
    said = WITHHELD.format(policy.minimum_count)
    assert sentences(safe, cohort.groups, event="recorded harm") == said


def drawn_to(safe: Safe, group: str) -> float:
    """The last day of a group's line; 0 where there is none."""
    cause = str(safe.estimates.tidy()["cause"].iloc[0]) if "cause" in safe.estimates.data else ""
    knots = safe.knots(group, cause)
    return float(knots["time"].max()) if len(knots) else 0.0


def test_no_curve_is_quoted_or_drawn_beyond_the_share(planted: tuple[Cohort, Policy]) -> None:
    cohort, plant = planted
    pilot, until = cohort.groups[0], (30, 60, 90, DAY)
    policy = replace(plant, landmarks=until)
    share = make_safe(first_harm(cohort), policy)
    known = {(str(r["group"]), float(r["time"])) for _, r in share.landmark_rows().iterrows()}
    assert (pilot, float(DAY)) not in known
    for exact in (compare_arms(cohort, "harm").weighted(), without_harm(cohort)):
        safe = make_safe(exact, policy)
        told = {(str(r["group"]), float(r["time"])) for _, r in safe.landmark_rows().iterrows()}
        assert told <= known
        assert drawn_to(safe, pilot) == 0
        assert (pilot, float(DAY)) in {
            (str(r["group"]), float(r["time"]))
            for _, r in make_safe(exact, Policy(secret=bytes(32), landmarks=until)).landmark_rows().iterrows()
        }


def test_without_harm_is_tied_to_the_share_at_the_policys_minimum() -> None:
    """Ten of the pilot died: with a minimum of eight they are told apart, and the tie is to the curve that is shown."""
    parts = []
    for group, died in (("Pilot", 10), ("PAIP", 30)):
        ends = [(50.0, 1)] * 30 + [(20.0, 2)] * died + [(100.0, 0)] * 60
        parts.append(pd.DataFrame(ends, columns=["time", "event"]).assign(group=group))
    rows = pd.concat(parts, ignore_index=True)

    class Drawn:
        groups, cut = ("Pilot", "PAIP"), None
        study = SimpleNamespace(harm=SimpleNamespace(label="harm", origin="intake"))

        def has(self, _: str) -> bool:
            return True

        def harm(self) -> pd.DataFrame:
            return rows

        def causes_of(self, _: str) -> dict[int, str]:
            return {1: "harm", 2: "death"}

    cohort: Any = Drawn()
    for smallest, causes in ((11, ("harm",)), (8, ("harm", "death"))):
        for found in (without_harm(cohort, smallest), mean_without_harm(cohort, 60, smallest)):
            (tie,) = found.tied
            assert tie.counts.causes == causes == first_harm(cohort, smallest).counts.causes  # type: ignore[union-attr]


def test_ties_are_asked_in_order(planted: tuple[Cohort, Policy], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where looks at the same few people run out, who asks first is told: a set's order differs from run to run."""
    cohort, _ = planted
    asked: list[float | None] = []

    def recorded(counts: DayCounts, policy: Policy, day: float | None, cause: str = "") -> frozenset[str]:
        asked.append(day)
        return told_on(counts, policy, day, cause)

    monkeypatch.setattr("evalkit.disclosure._safe.told_on", recorded)
    made = make_safe(without_harm(cohort), Policy(secret=bytes(32), landmarks=(30, 60, 90, 120, DAY)))
    days = [day for _, day in sorted(made.quoted)]
    assert len(days) == 7
    assert asked[-len(days) :] == days


def test_harms_per_hundred_are_given_of_days_on_which_the_share_is(planted: tuple[Cohort, Policy]) -> None:
    cohort, policy = planted
    exact = repeated_harm(cohort)  # its own days are of eleven people and more
    assert ((exact.tidy()["group"] == cohort.groups[0]) & (exact.tidy()["time"] <= DAY)).any()
    safe = make_safe(exact, policy)
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    assert not ((rows["group"] == cohort.groups[0]) & (rows["time"] <= DAY)).any()
    assert ((rows["group"] == cohort.groups[0]) & (rows["time"] > DAY)).any()
    assert ((rows["group"] == cohort.groups[1]) & (rows["time"] <= DAY)).any()
    assert safe.verdict == "partly"


def test_a_model_of_a_group_of_which_no_day_is_told_is_absent(planted: tuple[Cohort, Policy]) -> None:
    cohort, policy = planted
    early = replace(policy, landmarks=(30, 60, 90, DAY))
    for exact in (harm_model(cohort), harm_hazards(cohort)):
        assert make_safe(exact, early).verdict == "withheld"


def people(of_pilot: int, *, completed: int = 20, followed: int = 100) -> pd.DataFrame:
    """Two groups: so many of the first with event 1 by day 90, and with event 2 by day 120."""
    parts = []
    for group, had in (("Pilot", of_pilot), ("PAIP", 60)):
        parts += [
            pd.DataFrame({"group": group, "time": np.linspace(5, 90, had).round(), "event": 1}),
            pd.DataFrame({"group": group, "time": np.linspace(91, 120, completed).round(), "event": 2}),
            pd.DataFrame({"group": group, "time": 400.0, "event": 0}, index=range(followed)),
        ]
    return pd.concat(parts, ignore_index=True)


def days_of(rows: pd.DataFrame) -> DayCounts:
    counts = cumulative_incidence(rows, "time", "event", by="group", causes=["left", "completed"]).counts
    assert isinstance(counts, DayCounts)
    return counts


# Fifteen have it before day 90, five on the day: of those at risk on it ten are left without it.
ON_THE_DAY = pd.DataFrame({"group": "Pilot", "time": [50] * 15 + [90] * 5 + [400] * 10, "event": [1] * 20 + [0] * 10})


@pytest.mark.parametrize(
    ("rows", "day", "told"),
    [
        (ON_THE_DAY, 89, {"Pilot"}),
        (ON_THE_DAY, 90, set()),
        (people(11), 90, {"Pilot", "PAIP"}),
        (people(11), 89, {"PAIP"}),  # ten by then
        (people(30, followed=10), 90, {"Pilot", "PAIP"}),  # twenty who will complete are still there
        (people(30, followed=10), 200, set()),
        (people(30, completed=10), 90, set()),  # a curve of two events of which one is of few is not shown at all
    ],
)
def test_on_which_days_a_share_may_be_told(rows: pd.DataFrame, day: int, told: set[str]) -> None:
    assert told_on(days_of(rows), Policy(secret=bytes(32)), day) == told


def test_means_and_days_of_few_people_are_left_out_group_by_group() -> None:
    rows = people(10)
    had = rows.assign(event=rows["event"].eq(1))
    policy = Policy(secret=bytes(32))
    for exact in (
        rmst(had, "time", "event", by="group", tau=180),
        survival_quantile(had, "time", "event", by="group", q=[0.05, 0.2]),
    ):
        assert set(exact.tidy()["group"]) == {"Pilot", "PAIP"}
        assert set(make_safe(exact, policy).estimates.tidy()["group"]) == {"PAIP"}
    contrast = rmst_contrast(had, "time", "event", by="group", tau=180, reference="PAIP")
    assert make_safe(contrast, policy).verdict == "withheld"


@pytest.mark.parametrize(("day", "told"), [(90, {"Pilot", "PAIP"}), (89, {"PAIP"})])
def test_a_mean_up_to_a_day_is_told_where_the_share_by_that_day_is(day: int, told: set[str]) -> None:
    """Eleven by day 90, ten by day 89."""
    had, policy = people(11).assign(event=lambda rows: rows["event"].eq(1)), Policy(secret=bytes(32))
    mean = make_safe(rmst(had, "time", "event", by="group", tau=day), policy)
    assert set(mean.estimates.tidy()["group"]) == told
    contrast = rmst_contrast(had, "time", "event", by="group", tau=day, reference="PAIP")
    assert make_safe(contrast, policy).verdict == ("released" if len(told) == 2 else "withheld")


def test_a_day_that_is_not_reached_tells_of_nobody() -> None:
    had = people(11).assign(event=lambda rows: rows["event"].eq(1))
    exact = survival_quantile(had, "time", "event", by="group", q=[0.05, 0.9])
    rows = make_safe(exact, Policy(secret=bytes(32), landmarks=(30, 60))).estimates.tidy()
    assert rows[rows["group"] == "Pilot"]["q"].tolist() == [0.9]
    assert rows[rows["group"] == "Pilot"]["estimate"].isna().all()


def test_a_term_of_the_groups_is_held_and_the_others_are_not() -> None:
    frame = pd.DataFrame({"term": ["arm", "age"], "tau": 90.0, "estimate": [0.1, 0.2]})
    counts, ties = totals_of(people(30), ("Pilot", "PAIP")), (Tie(days_of(people(10)), ("arm",)),)
    exact = Estimates(frame, "standardised_risks", "differences", counts=counts, tied=ties)
    safe = make_safe(exact, Policy(secret=bytes(32)))
    assert safe.estimates.tidy()["term"].tolist() == ["age"]
    assert safe.verdict == "partly"
