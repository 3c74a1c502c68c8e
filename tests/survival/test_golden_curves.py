"""Curves, tests of curves and competing risks against R."""

import pytest

from golden import runner


@pytest.mark.parametrize("case", runner.cases("curves"), ids=runner.ids("curves"))
def test_equals_r(case):
    found = runner.call(case["fn"], case["set"], case["args"])
    runner.columns_agree(found.tidy(), case["expect"])
