"""The tables are a study like any other: well-formed, plausible, the same bytes for a seed."""

import json
import time
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from evalkit import __version__
from evalkit.errors import UsageError
from evalkit.protocol import load_study
from evalkit.simulate import SCENARIOS, integrate, simulate
from evalkit.simulate._harm import REPORTED

ENDS = pd.Timestamp(2023, 12, 31)
PARAMS = Path(__file__).parents[2] / "params" / "study.yaml"
DATES = {
    "participants": "referral_date",
    "sessions": "session_date",
    "exits": "exit_date",
    "outcomes": "outcome_date",
    "measures": "measure_date",
}


@pytest.fixture(scope="module")
def tables():
    return simulate(seed=11, n_focus=400, n_comparison=1600).tables


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for folder, seed in (("a", 5), ("b", 5), ("c", 6)):
        simulate("benefit", seed=seed, n_focus=40, n_comparison=60).write(tmp_path / folder)
    read = {f: {p.name: p.read_bytes() for p in sorted((tmp_path / f).iterdir())} for f in "abc"}
    assert set(read["a"]) == {*(f"{t}.csv" for t in DATES), "searches.csv", "simulation.json"}
    assert read["a"] == read["b"]
    assert all(read["a"][name] != read["c"][name] for name in read["a"])
    about = json.loads(read["a"]["simulation.json"])
    assert (about["seed"], about["scenario"], about["version"]) == (5, "benefit", __version__)
    assert about["truth"]["harm.hazard_ratio.conditional"] == pytest.approx(0.70469, rel=1e-4)
    assert all(line.endswith(b",true") for line in read["a"]["sessions.csv"].splitlines()[1:])


def test_defaults_and_speed():
    begun = time.perf_counter()
    study = simulate(seed=1)
    assert time.perf_counter() - begun < 3
    people = study.tables["participants"].drop_duplicates("participant_id")
    assert people["pathway"].value_counts().to_dict() == {"paip": 900, "non_mandated": 160}


def test_columns_and_values_are_those_of_the_protocol(tables):
    study = load_study(PARAMS)
    people = tables["participants"]
    assert people["participant_id"].str.fullmatch("P[0-9a-f]{8}").all()
    assert set(people["community_area"]) == set(study.community_areas)
    assert set(people["referral_source"]) == set(study.referral_sources)
    for covariate in study.covariates:
        values = people[covariate.name].dropna()
        allowed = {"yes", "no"} if covariate.kind == "yes_no" else covariate.levels
        if allowed is None:
            assert values.between(covariate.minimum, covariate.maximum).all()
        else:
            assert set(values) == set(allowed)
        assert 0 < people[covariate.name].isna().mean() < 0.1
    assert set(tables["outcomes"]["kind"]) == {*REPORTED, "any_arrest"}
    assert tuple(study.harm.kinds) == REPORTED
    assert set(tables["exits"]["reason"]) <= set(study.rules.exits)
    for table in tables.values():
        assert table["synthetic"].all()


def test_nothing_is_dated_after_the_end_or_entered_before_it_happened(tables):
    for name, column in DATES.items():
        table = tables[name]
        assert table[column].notna().all()
        for each in table.select_dtypes("datetime").columns:
            assert (table[each].dropna() <= ENDS).all(), (name, each)
        assert (table["recorded_on"] >= table[column]).all()
        assert (table["retracted_on"].dropna() >= table["recorded_on"][table["retracted_on"].notna()]).all()


def test_dates_are_in_order(tables):
    people = tables["participants"]
    people = people[people["retracted_on"].isna()]
    assert (people["intake_date"].dropna() >= people["referral_date"][people["intake_date"].notna()]).all()
    first = people.sort_values("referral_date").drop_duplicates("participant_id").set_index("participant_id")
    again = people[people.duplicated("participant_id") | people.duplicated("participant_id", keep="last")]
    sessions, exits = tables["sessions"], tables["exits"]
    once = sessions[~sessions["participant_id"].isin(again["participant_id"])]
    start = once["participant_id"].map(first["intake_date"])
    assert (once["session_date"] >= start).all()
    left = once["participant_id"].map(exits[exits["retracted_on"].isna()].set_index("participant_id")["exit_date"])
    assert ((once["session_date"] <= left) | left.isna()).all()
    assert not exits[exits["retracted_on"].isna()]["participant_id"].duplicated().any()


def test_nothing_follows_a_death(tables):
    exits = tables["exits"]
    died = exits[exits["reason"] == "deceased"].set_index("participant_id")["exit_date"]
    assert len(died) > 0
    for name, column in DATES.items():
        last = tables[name]["participant_id"].map(died)
        assert not (tables[name][column] > last).any(), name


def test_outcomes_are_within_the_search(tables):
    search = tables["participants"].drop_duplicates("participant_id").set_index("participant_id")
    outcomes = tables["outcomes"]
    assert (outcomes["outcome_date"] <= outcomes["participant_id"].map(search["outcome_follow_up_end"])).all()


def test_corrections_errors_and_second_episodes_are_there(tables):
    for name in ("participants", "sessions", "exits", "outcomes"):
        gone = tables[name]["retracted_on"].notna().mean()
        assert 0.002 < gone < 0.06, name
    people = tables["participants"]
    referrals = people.groupby("participant_id")["referral_date"].nunique()
    assert (referrals == 2).any()
    assert referrals.max() == 2
    lag = (tables["outcomes"]["recorded_on"] - tables["outcomes"]["outcome_date"]).dt.days
    assert lag.median() > 7


def test_kept_rows_have_no_duplicate_key(tables):
    keys = {
        "participants": ["referral_date"],
        "sessions": ["session_date", "kind"],
        "outcomes": ["outcome_date", "kind"],
    }
    for name, key in keys.items():
        kept = tables[name][tables[name]["retracted_on"].isna()]
        assert not kept.duplicated(["participant_id", *key]).any(), name


def test_one_site_and_sparse():
    assert set(simulate("one_site", seed=2).tables["participants"]["site"]) == {"Site 2"}
    sparse = simulate("sparse", seed=2)
    assert sparse.about["n_focus"] == 24
    assert sparse.truth["dv_arrest.risk.365.focus"] < 0.03


def test_short_studies_and_few_people():
    study = simulate("sparse", seed=3, n_focus=1, n_comparison=1, starts=date(2023, 1, 1), ends=date(2023, 4, 1))
    assert len(study.tables["participants"]) >= 2
    assert all(set(t.columns) >= {"recorded_on", "retracted_on", "synthetic"} for t in study.tables.values())


KNOWN = "null, benefit, harm, strong_confounding, sparse, one_site"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"scenario": "benifit"}, f"scenario 'benifit' is not one of {KNOWN}; did you mean 'benefit'?"),
        ({"scenario": "zz"}, f"scenario 'zz' is not one of {KNOWN}"),
        ({"n_focus": 0}, "simulate: n_focus and n_comparison must be at least 1"),
        ({"n_comparison": 0}, "simulate: n_focus and n_comparison must be at least 1"),
        (
            {"starts": date(2022, 1, 1), "ends": date(2022, 3, 31)},
            "simulate: from starts to ends must be at least 90 days",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(asked, said):
    with pytest.raises(UsageError) as caught:
        simulate(**{"seed": 1, **asked})
    assert str(caught.value) == said


def test_every_scenario_has_a_truth():
    for name in SCENARIOS:
        assert simulate(name, seed=1, n_focus=5, n_comparison=5).truth.keys() == integrate(name, n=2000)["value"].keys()
