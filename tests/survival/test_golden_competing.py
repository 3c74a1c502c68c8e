"""Gray's test, Fine-Gray, differences, recurrent events and parametric curves against R."""

import pytest

from golden import runner


@pytest.mark.parametrize("case", runner.cases("competing"), ids=runner.ids("competing"))
def test_equals_r(case):
    found = runner.call(case["fn"], case["set"], case["args"])
    rtol = 1e-4 if case["fn"] == "survival.parametric" else runner.RTOL
    runner.columns_agree(found.tidy(), case["expect"], rtol)
