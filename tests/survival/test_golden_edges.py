"""Far apart, tiny, enormous, at the edge of what is defined: as R says, or as R says of the same data on another scale."""

import pytest

from golden import runner

CASES = runner.cases("edges")


@pytest.mark.parametrize("case", CASES, ids=[c["id"] for c in CASES])
def test_golden_edges(case):
    found = runner.call(case["fn"], case["set"], case["args"])
    expected = dict(case["expect"])
    value = expected.pop("log_likelihood", None)
    runner.columns_agree(found.tidy(), expected, at_zero=0.0)
    if value is not None:
        runner.agree(found.summary["log_likelihood"], value, "log_likelihood", at_zero=0.0)
