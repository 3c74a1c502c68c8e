"""Gray's test, Fine-Gray, differences, recurrent events and parametric curves against R."""

import pytest

from golden import runner

CASES = runner.cases("competing") + runner.cases("gamma")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_equals_r(case):
    found = runner.call(case["fn"], case["set"], case["args"])
    runner.columns_agree(found.tidy(), case["expect"])
