"""The pathway's probabilities: of whom, on which day, and what is said where nothing can be."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit import analyses, cohort, intake
from evalkit.cohort import STATES
from evalkit.disclosure import Policy, make_safe
from evalkit.protocol import load_study
from evalkit.simulate import simulate

PARAMS = Path(__file__).parents[2] / "params"
POLICY = Policy(secret=bytes(range(32)))
CUT = date(2023, 12, 31)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    simulate(seed=9).write(folder / "data" / "demo")
    (folder / "params").mkdir()
    for file in PARAMS.glob("*.yaml"):
        shutil.copy(file, folder / "params")
    return intake.open_data(load_study(folder / "params" / "study.yaml"))


@pytest.fixture(scope="module")
def known(data):
    return cohort.build(data.at(CUT))


def share_in(rows: pd.DataFrame, day: int) -> pd.Series:
    """Shares in each state on a day, by arm."""
    now = rows[rows["time_from"].lt(day) | rows["time_from"].eq(day)].groupby("participant_id").tail(1)
    state = now["state"].mask(now["time"].le(day) & now["to"].ne(""), now["to"])
    return state.groupby(now["group"]).value_counts(normalize=True)


def test_where_all_are_followed_they_are_the_shares_of_people(data, known) -> None:
    rows = known.pathway()
    until = rows.groupby("participant_id")["time"].transform("max")
    early = rows[until >= 300]
    counted = analyses._pathway.transition_counts(early, states=STATES, by="group")
    found = analyses._pathway.StateOccupation(times=(30.0, 182.0, 270.0)).estimate(counted).tidy()
    for day in (30, 182, 270):
        shares = share_in(early, day)
        now = found[found["time"] == day].set_index(["group", "state"])
        expected = shares.reindex(now.index).fillna(0.0)
        np.testing.assert_allclose(now["estimate"], expected, atol=1e-12)
        n = early.drop_duplicates("participant_id")["group"].value_counts().reindex(now.index.get_level_values(0))
        np.testing.assert_allclose(now["std_error"], np.sqrt(expected * (1 - expected) / n.to_numpy()), atol=1e-9)


def test_what_is_asked(known) -> None:
    found = analyses.pathway(known, 200, landmarks=(45, 365))
    rows = found.tidy()
    assert sorted(set(rows["time"])) == [0, 30, 45, 60, 90, 120, 150, 180, 200]
    assert tuple(rows["group"].unique()) == known.groups
    assert tuple(rows["state"].unique()) == STATES
    assert (found.cut, found.asked["question"]) == (CUT, "pathway")
    sums = rows.groupby(["group", "time"])["estimate"].sum()
    np.testing.assert_allclose(sums, 1.0)
    waiting = rows[rows["state"].eq("waiting")].groupby("group")["estimate"]
    assert waiting.apply(lambda p: (p.diff().dropna() <= 1e-12).all()).all()  # nobody waits again


def test_days_add_up_to_the_horizon_and_are_the_area_under_the_probabilities(known) -> None:
    days = analyses.pathway_days(known, 180).tidy()
    np.testing.assert_allclose(days.groupby("group")["estimate"].sum(), 180)
    counted = analyses._pathway._counts(known)
    daily = analyses._pathway.StateOccupation(times=tuple(range(180))).estimate(counted).tidy()
    area = daily.groupby(["group", "state"])["estimate"].sum()
    np.testing.assert_allclose(
        days["estimate"], area.reindex(pd.MultiIndex.from_frame(days[["group", "state"]])), atol=1e-9
    )


def test_after_a_lapse_only_those_lapsed_on_the_day_are_followed(known) -> None:
    rows = analyses.completing_after_lapse(known, 300, lapsed_on=(90, 182, 365)).tidy()
    names = [f"{group}, lapsed on day {day}" for day in (90, 182) for group in known.groups]
    assert rows["group"].unique().tolist() == names
    stays = known.pathway()
    for day in (90, 182):
        there = stays[stays["time_from"].le(day) & stays["time"].gt(day) & stays["state"].eq("lapsed")]
        later = stays[stays["participant_id"].isin(there["participant_id"]) & stays["time"].ge(300)]
        seen = later.groupby("group")["participant_id"].nunique()
        own = rows[rows["group"].str.endswith(f"day {day}") & rows["state"].eq("lapsed")]
        assert own["n_risk"].tolist() == [seen[group] for group in known.groups]


def test_the_arms_are_compared_for_the_target_of_the_protocol(known) -> None:
    for adjusted, method in ((False, "unadjusted"), (True, "iptw")):
        found = analyses.pathway_difference(known, 182, landmarks=(90, 182, 365), adjusted=adjusted, n_boot=30)
        rows = found.tidy()
        assert set(rows["method"]) == {method}
        assert rows["tau"].unique().tolist() == [90.0, 182.0]
        assert rows["contrast"].unique().tolist() == [" - ".join(known.groups)]
        safe = make_safe(found, POLICY)
        assert safe.verdict == "released"
        assert safe.estimates.counts is not found.counts


def test_what_is_safe_is_near(known) -> None:
    exact = analyses.pathway(known, 365)
    safe = make_safe(exact, POLICY)
    both = safe.estimates.tidy().merge(exact.tidy(), on=["group", "state", "time"]).dropna(subset=["estimate_x"])
    assert len(both) > 90
    off = (both["estimate_x"] - both["estimate_y"]).abs()
    assert off.median() < 0.012
    assert (off <= 2 * both["std_error_x"] + 1e-9).all()  # of the smaller group five people too many are three points
    assert off[both["group"] == known.groups[1]].max() < 0.012


def test_before_anybody_was_referred(data) -> None:
    nobody = cohort.build(data.at(date(2021, 11, 17)))
    for ask in (analyses.pathway, analyses.pathway_days, analyses.completing_after_lapse):
        found = ask(nobody)
        assert found.tidy().empty
        assert make_safe(found, POLICY).estimates.tidy().empty
    assert analyses.pathway_difference(nobody).tidy().empty


def test_a_horizon_that_is_not_reached(data) -> None:
    early = cohort.build(data.at(date(2022, 3, 31)))
    assert analyses.pathway_days(early, 365).tidy().empty
    assert analyses.pathway_difference(early, 365, n_boot=20).tidy().empty
    beyond = analyses.pathway(early, 365).tidy()
    assert beyond.loc[beyond["time"] > 133, "estimate"].isna().all()


def test_without_exits_nobody_is_said_to_have_left(data) -> None:
    """Nobody is known to have left: a state with 0 % would say that nobody did."""
    study = data.study.model_copy(
        update={
            "tables": {name: table for name, table in data.study.tables.items() if name != "exits"},
            "rules": data.study.rules.model_copy(update={"completion": "dose"}),
        }
    )
    without = cohort.build(intake.open_data(study).at(CUT))
    for found in (
        analyses.pathway(without, 90),
        analyses.pathway_days(without, 90),
        analyses.completing_after_lapse(without, 90),
    ):
        assert set(found.tidy()["state"]) == set(STATES) - {"left"}
    compared = analyses.pathway_difference(without, 90, n_boot=20)
    assert set(compared.tidy()["state"]) <= set(STATES) - {"left"}
