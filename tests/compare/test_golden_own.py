"""One's own questions against R: models of a formula with interactions, rates, means and shares."""

from __future__ import annotations

import pytest

from evalkit import analyses, stats
from golden import runner

CASES = runner.cases("own")
MODELS = [case for case in CASES if case["fn"].startswith("stats.")]
OTHERS = [case for case in CASES if case["fn"].startswith("analyses.")]


@pytest.mark.parametrize("case", MODELS, ids=[case["id"] for case in MODELS])
def test_a_model_equals_r(case):
    fit = getattr(stats, case["fn"].partition(".")[2])(runner.data_set(case["set"]), **case["args"])
    rows = fit.tidy()
    runner.columns_agree(rows, case["expect"]["rows"])
    for name, value in case["expect"]["glance"].items():
        runner.agree(fit.glance().iloc[0][name], value, name)


@pytest.mark.parametrize("case", OTHERS, ids=[case["id"] for case in OTHERS])
def test_a_question_of_people_equals_r(case):
    data = runner.data_set(case["set"])
    people = data.assign(participant_id=[f"p{i}" for i in range(len(data))])
    rows = getattr(analyses, case["fn"].partition(".")[2])(people, **case["args"]).tidy()
    expect = dict(case["expect"])
    assert list(rows["label"]) == [str(label) for label in expect.pop("label")]
    runner.columns_agree(rows, expect)
