"""Questions of whole reports over eight quarters of a simulated study, attacked: waiting, nearest shares, stages."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from disclosure.attacker import observed, printed, recovered, sureness
from disclosure.quarters import Published
from evalkit import analyses, cohort, intake
from evalkit.analyses._leaving import STAGES
from evalkit.cohort import Cohort
from evalkit.disclosure import Policy, Told, make_safe
from evalkit.estimates import Estimates
from evalkit.protocol import load_study
from evalkit.simulate import simulate

PARAMS = Path(__file__).parents[2] / "params"
POLICY = Policy(secret=bytes(range(32)))
OPEN = Policy(secret=bytes(range(32)), minimum_count=1, minimum_level=1, noise_variance=0)
CUTS = [date(year, *end) for year in (2022, 2023) for end in ((3, 31), (6, 30), (9, 30), (12, 31))]


def asked(of: Cohort) -> list[Estimates]:
    """What a quarter's report asks about waiting and completing, and a final's about who leaves."""
    stages = [analyses.leaving_model(of, name) for name in STAGES]
    shares = [analyses.waiting(of), analyses.completion(of), analyses.completion_of_intakes(of)]
    curves = [analyses.time_to_first_session(of), analyses.starting_by_wait(of)]
    return [*shares, analyses.reached_dose(of), analyses.funnel(of), *curves, *stages]


def reports(folder: Path, seed: int) -> list[list[Estimates]]:
    """What eight quarterly reports of a simulated study ask, exactly."""
    simulate("benefit", seed=seed, n_focus=130, n_comparison=420).write(folder / "data" / "demo")
    shutil.copytree(PARAMS, folder / "params", ignore=shutil.ignore_patterns(".evalkit"))
    with intake.open_data(load_study(folder / "params" / "study.yaml")) as data:
        return [asked(cohort.build(data.at(cut))) for cut in CUTS]


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> list[list[Estimates]]:
    return reports(tmp_path_factory.mktemp("study"), seed=5)


def published(exact: list[list[Estimates]], policy: Policy) -> list[Published]:
    return [Published(tuple(make_safe(one, policy) for one in quarter), tuple(quarter)) for quarter in exact]


def test_the_attacker_recovers_no_small_count(exact: list[list[Estimates]]) -> None:
    told = Told()
    made = published(exact, dataclasses.replace(POLICY, told=told))
    assert len(observed(made)) > 250  # the same people, the same number, or it raises
    assert printed(made) == []
    assert recovered(made[-3:], POLICY, 2, most=12) == []
    sure = np.array(sureness(made, POLICY))
    assert sure.max() <= 0.5
    assert told.asked > 250
    assert 0 < told.left_out < told.asked / 20  # what it costs


def test_with_no_look_for_differences_that_return_he_is_sure_of_one_person(exact: list[list[Estimates]]) -> None:
    """Who is in between the same few definitions in quarter after quarter: seven pairs of groups differ by him alone."""
    assert max(sureness(published(exact, POLICY), POLICY)) > 0.5


def test_with_the_protection_off_he_does(exact: list[list[Estimates]]) -> None:
    made = published(exact, OPEN)
    assert len(printed(made, same=False)) > 15
    known = observed(made, same=False)
    right = [len(group) == number for group, number in known.items() if len(group) < 11]
    assert np.mean(right) > 0.9


def test_no_stage_of_a_model_tells_of_few(exact: list[list[Estimates]]) -> None:
    """Each level that a published model names has at least the minimum of people with the event, and without."""
    terms = 0
    for quarter in exact:
        for model in quarter[-3:]:
            safe = make_safe(model, POLICY)
            levels = model.counts.frame.set_index("term")
            for term in safe.estimates.tidy().get("term", []):
                terms += 1
                own = levels[levels.index == (term if term in levels.index else "model")]
                assert own["n_event"].sum() >= 11, (model.asked, term)
                assert (own["n"] - own["n_event"]).sum() >= 11, (model.asked, term)
    assert terms > 25
