"""The fast path is the pipeline: the same people, times and events as the cohort of the written tables."""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from evalkit import cohort, intake
from evalkit.protocol import load_study
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


def test_the_tables_break_no_rule(both):
    found = intake.validate(both[0], today=date(2024, 1, 1))
    assert found.ok
    assert len(found) == 0


def test_every_person_has_the_same_time_and_event(both):
    study, place, scales, _ = both
    known = cohort.build(intake.open_data(study).at(date(2023, 12, 31)))
    assert known.synthetic
    for scale in ("initiation", "retention", "harm", "harm_recurrent"):
        slow = getattr(known, scale)()
        slow = slow.assign(person=slow["participant_id"].map(place), focus=slow["pathway"].eq("non_mandated"))
        slow = slow.rename(columns={"event": "cause"})[["person", "focus", "time", "cause"]]
        order = ["person", "time", "cause"]
        slow = slow.sort_values(order, ascending=[True, True, False]).reset_index(drop=True)
        assert slow.equals(scales[scale][slow.columns].astype(slow.dtypes)), scale


def test_the_fast_path_follows_the_rules_it_is_given(both):
    study, place, _, asked = both
    rules = study.rules.model_copy(update={"disengagement_gap_days": 21})
    slow = cohort.build(intake.open_data(study).at(date(2023, 12, 31)), rules=rules).retention()
    scenario, seed, sizes = asked
    fast = simulate_scales(scenario, seed=seed, rules=rules, **sizes)["retention"]
    slow = slow.assign(person=slow["participant_id"].map(place)).sort_values("person")
    assert slow["time"].tolist() == fast["time"].tolist()
    assert slow["event"].tolist() == fast["cause"].tolist()
