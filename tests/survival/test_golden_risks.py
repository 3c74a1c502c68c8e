"""Standardised risks and their scores against R's riskRegression."""

import pytest

from golden import runner

CASES = runner.cases("risks")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_equals_r(case):
    rows = runner.call(case["fn"], case["set"], case["args"]).tidy()
    if case["fn"] == "survival.standardised_risks":
        runner.columns_agree(rows, case["expect"])
    else:
        runner.agree(rows.loc[rows["method"] == "apparent", "estimate"], case["expect"]["apparent"], "apparent")
