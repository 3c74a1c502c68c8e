"""State occupation, expected days and landmark Aalen-Johansen against R's survfit."""

import pytest

from evalkit.survival import StateOccupation, from_landmark, transition_counts
from golden import runner

CASES = runner.cases("states")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_equals_r(case):
    args = dict(case["args"])
    if case["fn"] == "landmark":
        times, state, day = args.pop("times"), args.pop("from"), args.pop("day")
        counts = from_landmark(transition_counts(runner.data_set(case["set"]), **args), state, day)
        found = StateOccupation(tuple(times)).estimate(counts)
    else:
        found = runner.call(case["fn"], case["set"], args)
    runner.columns_agree(found.tidy(), case["expect"])
