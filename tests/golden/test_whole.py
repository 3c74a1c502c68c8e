"""Every analysis answers as its golden frame says, in every column, note and fact; and the frames are what R gives.

A frame by itself only says that something changed. What holds its numbers: R where R has them (`r/frames.R`), else
`test_by_hand.py`, the drawings of `tests/cohort` and the published figures; `tests/golden/README.md` says which.
"""

from __future__ import annotations

import importlib
import inspect
import json

import numpy as np
import pandas as pd
import pytest

from evalkit.estimates import Estimates
from golden.cases import CASES
from golden.frames import NAMES, differences, file_of, names, plain
from golden.runner import HERE

R = json.loads((HERE / "values" / "frames.json").read_text(encoding="utf-8"))["cases"]
NAMED = json.loads(NAMES.read_text(encoding="utf-8"))
PACKAGES = ("stats", "analyses", "cohort")
ELSEWHERE = {
    "cohort.needs": "a decorator; tests/reports/test_absence.py",
    "analyses.outcome": "puts compare_arms, effects and e_values together; tests/reports",
    "cohort.restatements_since": "needs a release; tests/cohort/test_restatements_since.py",
}


def kept(name: str) -> dict:
    return json.loads(file_of(name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_answers_as_ever(name: str) -> None:
    found = CASES[name]()
    assert differences(plain(found), kept(name)) == []
    # By the one a figure is followed from release to release, by the other its noise is drawn: neither changes by accident.
    assert names(found) == NAMED.get(name, [])
    if isinstance(
        found, Estimates
    ):  # rows are numbered from 0, so that what is added beside them stands beside its own row
        assert found.tidy().index.equals(pd.RangeIndex(len(found.tidy())))


def test_no_frame_is_left_of_a_case_that_is_gone() -> None:
    assert {file.name for file in (HERE / "whole").iterdir()} == {file_of(name).name for name in CASES}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_function_has_a_frame(package: str) -> None:
    module = importlib.import_module(f"evalkit.{package}")
    functions = {f"{package}.{n}" for n in module.__all__ if inspect.isfunction(getattr(module, n))}
    assert functions - {name.split(":")[0] for name in CASES} - set(ELSEWHERE) == set()


# What is taken where nobody says it: conventions of the field, the definitions' numbers, or one of a kind.
USUAL = {
    "conf_level": 0.95, "alpha": 0.05, "power": 0.8, "allocation": 0.5, "smd": 0.1, "equipoise": 0.2,
    "effective_sample_size": 30, "preference": (0.3, 0.7), "between": (0.3, 0.7), "smallest": 11, "fewest": 11,
    "conf_type": "log-log", "variance": "aalen", "robust": False, "rho": 0.0, "gamma": 0.0, "ties": "efron", "transform": "km",
    "estimand": "att", "stabilized": False, "rare": False, "higher_is_better": True, "interest": 1, "noise_variance": 0.0, "width": 7,
    "days": 90, "weeks": 26, "what": "sessions", "level": 0.8, "ratio": 1.5, "seed": 0, "scale": "retention", "label": "",
    "yes": "yes", "no": "no", "source": "", "population": "", "whole": "", "term": "ratio", "notes": (), "cells": (), "tied": (),
    "groups": ("1", "0"), "names": ("pilot", "published"), "measures": ("intake", "first_session", "engaged", "completed"),
    "models": ("weibull", "log-normal", "log-logistic", "generalised gamma"), "kind": "adjusted_effects", "by_arm": True,
    "att": True, "recorded": True, "n_boot": 400, "m": 5, "burn_in": 4, "person": "participant_id",
    "time_from": "time_from", "time": "time", "state": "state", "to": "to",
}  # fmt: skip
ELSE = {
    "SurvivalDifference.conf_type": "plain", "survival_difference.conf_type": "plain", "landmark.label": "by_landmark",
    "adjusted_curves.n_boot": 1000, "adjusted_effect.n_boot": 1000, "imputed.n_boot": 200, "impute.m": 20, "impute.burn_in": 10,
    "e_value.measure": "RR", "adjusted_effect.measure": "rmst_difference", "adjusted_effect.method": "iptw",
    "Comparison.adjusted.method": "iptw", "Proportion.method": "wilson", "proportion.method": "wilson",
    "Benchmark.method": "newcombe", "benchmark.method": "newcombe", "ProportionDifference.method": "newcombe",
    "proportion_difference.method": "newcombe", "FollowUp.q": (0.5,), "SurvivalQuantile.q": (0.5,), "follow_up.q": 0.5,
    "survival_quantile.q": 0.5, "Comparison.adjusted.estimand": None, "target_of.estimand": None,
    "Attrition.population": "all referrals known at the cut", "BalanceOf.population": "", "lost_to_follow_up.days": 90,
    "nobody.question": "", "nobody.view": "", "Outcome.missing": "", "Cohort.attended.counting": False, "waiting.days": 14, "CoxFit.view": "", "ShareOf.view": "shares", "MeanOf.view": "shares",
    "RatioOf.view": "shares", "MeanOf.of_shares": False,
    "StateDays.tau": 182, "foretold.n_boot": 200, "leaving_foretold.n_boot": 200, "leaving_risks.n_boot": 200,
    "state_difference.n_boot": 1000, "completing_after_lapse.days": 365, "completing_after_lapse.lapsed_on": (60, 90, 182),
    "completing_after_lapse.state": "lapsed", "pathway.days": 365, "pathway.landmarks": (30, 60, 90, 182, 365),
    "pathway_days.days": 365, "pathway_difference.days": 365, "pathway_difference.landmarks": (90, 182, 365),
    "rates.years": 100, "RateOf.per": 36525.0, "LogisticFit.view": "",
    "pathway_difference.adjusted": False,
}  # fmt: skip


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_taken_where_nobody_says_it(package: str) -> None:
    module = importlib.import_module(f"evalkit.{package}")
    asked = {name: getattr(module, name) for name in module.__all__ if callable(getattr(module, name))}
    for name, one in list(asked.items()):
        methods = vars(one).items() if inspect.isclass(one) else ()
        asked |= {f"{name}.{k}": v for k, v in methods if inspect.isfunction(v) and not k.startswith("_")}
    found = {f"{n}.{p.name}": p.default for n, f in asked.items() for p in inspect.signature(f).parameters.values()}
    said = {n: d for n, d in found.items() if d not in (inspect.Parameter.empty, None) and "factory" not in repr(d)}
    assert said == {name: ELSE.get(name, USUAL.get(name.rpartition(".")[2])) for name in said}
    assert said


@pytest.mark.parametrize("name", R)
def test_the_frame_is_what_r_gives(name: str) -> None:
    frame, theirs = kept(name), R[name]
    for column, values in (theirs.get("plain") or {}).items():
        _close(frame[column], values, column)
    for column, values in (theirs.get("columns") or {}).items():
        ours = frame["data"][column]
        if "rows" in theirs:
            ours = [ours[frame["data"]["term"].index(row)] for row in theirs["rows"]]
        if column == "group":
            assert ours == values
        else:
            _close(ours, values, column)
    for fact, value in (theirs.get("summary") or {}).items():
        _close(frame["summary"][fact], value, fact)


def _close(ours: object, theirs: object, where: str) -> None:
    ours, theirs = (
        np.array([np.nan if v in (None, "NA") else v for v in np.atleast_1d(x)], float) for x in (ours, theirs)
    )
    # R gives limits of 0 or 1, or a standard error, where a curve is 0 or 1; here they are not defined, and a note says so.
    known = ~np.isnan(ours)
    assert known.any(), where
    np.testing.assert_allclose(ours[known], theirs[known], rtol=1e-6, atol=1e-9, err_msg=where)
