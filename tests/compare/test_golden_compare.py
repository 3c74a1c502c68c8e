"""Propensity scores, adjusted effects and proportions against R."""

import pytest

from golden import runner


@pytest.mark.parametrize("case", runner.cases("compare"), ids=runner.ids("compare"))
def test_equals_r(case):
    found = runner.call(case["fn"], case.get("set") or None, case["args"])
    expect = case["expect"]
    if case["fn"] == "compare.propensity":
        runner.agree(found.scores, expect["scores"], "scores")
        runner.agree(found.weights, expect["weights"], "weights")
        runner.agree(found.effective_sample_size().tidy()["effective_sample_size"], expect["ess"], "ess")
        balance = found.balance().tidy().set_index("term").loc[expect["balance_terms"]]
        names = ["smd", "smd_weighted", "variance_ratio", "variance_ratio_weighted"]
        for name, values in zip(names, expect["balance"], strict=True):
            if expect["balance_terms"]:
                runner.agree(balance[name], values, name)
        return
    runner.columns_agree(found.tidy(), expect)
