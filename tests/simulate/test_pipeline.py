"""The fast path is the pipeline: the same people, times and events as the cohort of the written tables."""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from evalkit import cohort, intake
from evalkit.protocol import Study, load_study
from evalkit.simulate import simulate, simulate_scales
from evalkit.simulate._study import _identifiers

PARAMS = Path(__file__).parents[2] / "params"


@pytest.fixture(scope="module", params=[("benefit", 1, {}), ("harm", 2, {"n_focus": 500}), ("sparse", 3, {})])
def both(request, tmp_path_factory):
    scenario, seed, sizes = request.param
    folder = tmp_path_factory.mktemp("study")
    made = simulate(scenario, seed=seed, **sizes)
    made.write(folder / "data" / "demo")
    (folder / "params").mkdir()
    for file in PARAMS.glob("*.yaml"):
        shutil.copy(file, folder / "params")
    study = load_study(folder / "params" / "study.yaml")
    n = made.about["n_focus"] + made.about["n_comparison"]
    ids = _identifiers(np.random.default_rng([seed, 3]), n)
    return study, {name: k for k, name in enumerate(ids)}, simulate_scales(scenario, seed=seed, **sizes), request.param


def as_simulated(study: Study, *, searches: bool = False) -> Study:
    """The rules that people are drawn by: completing by dose or exit, harm from the intake, everybody in PAIP."""
    rules = {"completion": "either", "counting_kinds": ["group"]}
    arms = study.arms.model_copy(update={"comparison": study.arms.comparison.model_copy(update={"where": {}})})
    return study.model_copy(
        update={
            "rules": study.rules.model_copy(update=rules),
            "harm": study.harm.model_copy(update={"origin": "intake", "death": "censored"}),
            "arms": arms,
            "tables": {name: table for name, table in study.tables.items() if searches or name != "searches"},
        }
    )


@pytest.mark.parametrize("searches", [False, True])
def test_searches_say_what_the_old_column_says(both, searches):
    study = as_simulated(both[0], searches=searches)
    with intake.open_data(study) as data:
        found = [cohort.build(data.at(day)).harm() for day in (date(2022, 9, 30), date(2023, 12, 31))]
    with intake.open_data(as_simulated(both[0])) as data:
        old = [cohort.build(data.at(day)).harm() for day in (date(2022, 9, 30), date(2023, 12, 31))]
    for one, other in zip(found, old, strict=True):
        assert len(one) and one.drop(columns="reason").equals(other.drop(columns="reason"))


def test_people_of_paip_without_an_order(both):
    people = intake.open_data(both[0]).frame("participants")
    people = people[people["retracted_on"].isna()].drop_duplicates("participant_id")
    shares = people.groupby("pathway")["mandate"].value_counts(normalize=True)
    assert shares["non_mandated", "none"] == 1
    if len(people) > 500:
        assert shares["paip", "none"] == pytest.approx(0.08, abs=0.03)
        known = cohort.build(intake.open_data(both[0]).at(date(2023, 12, 31)))
        assert set(known.people.loc[known.people["pathway"].eq("paip"), "mandate"]) == {"court"}


@pytest.mark.parametrize("rule", ["recorded", "either"])
def test_completions_mostly_but_not_always_follow_the_dose(both, rule):
    study = as_simulated(both[0])
    rules = study.rules.model_copy(update={"completion": rule})
    people = cohort.build(intake.open_data(study).at(date(2023, 12, 31)), rules=rules).people
    if len(people) > 500:
        done, dosed = people["completion_date"].notna(), people["dose_date"].notna()
        assert (done & dosed).sum() > 0.9 * dosed.sum() and (done & ~dosed).sum() > 0
        assert bool((dosed & ~done).any()) == (rule == "recorded")


def test_the_tables_break_no_rule(both):
    found = intake.validate(both[0], today=date(2024, 1, 1))
    assert found.ok
    assert len(found) == 0


def test_every_person_has_the_same_time_and_event(both):
    study, place, scales, _ = both
    known = cohort.build(intake.open_data(as_simulated(study)).at(date(2023, 12, 31)))
    assert known.synthetic
    for scale in ("initiation", "retention", "harm", "harm_recurrent"):
        slow = getattr(known, scale)()
        slow = slow.assign(person=slow["participant_id"].map(place), focus=slow["pathway"].eq("non_mandated"))
        slow = slow.rename(columns={"event": "cause"})[["person", "focus", "time", "cause"]]
        order = ["person", "time", "cause"]
        slow = slow.sort_values(order, ascending=[True, True, False]).reset_index(drop=True)
        assert slow.equals(scales[scale][slow.columns].astype(slow.dtypes)), scale


@pytest.mark.parametrize("completion", ["either", "recorded"])
def test_the_fast_path_follows_the_rules_it_is_given(both, completion):
    study, place, _, asked = both
    study = as_simulated(study)
    rules = study.rules.model_copy(update={"disengagement_gap_days": 21, "completion": completion})
    slow = cohort.build(intake.open_data(study).at(date(2023, 12, 31)), rules=rules).retention()
    scenario, seed, sizes = asked
    fast = simulate_scales(scenario, seed=seed, rules=rules, **sizes)["retention"]
    slow = slow.assign(person=slow["participant_id"].map(place)).sort_values("person")
    assert slow["time"].tolist() == fast["time"].tolist()
    assert slow["event"].tolist() == fast["cause"].tolist()
