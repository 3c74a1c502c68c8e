"""Weighted and robust restricted means, late entry under competing risks, Rubin's rules, against R."""

import numpy as np
import pytest

from evalkit.stats._impute import rubin
from golden import runner


@pytest.mark.parametrize("case", runner.cases("more"), ids=runner.ids("more"))
def test_equals_r(case):
    args, expect = case["args"], case["expect"]
    if case["fn"] == "rubin":
        columns = (np.array(args[name])[:, None] for name in ("estimates", "variances"))
        found = dict(zip(("mean", "error", "df"), rubin(*columns, args.get("n") or None), strict=True))
    else:
        found = runner.call(case["fn"], case["set"], args).tidy()
    runner.columns_agree(found, expect)


UNUSUAL = [case for case in runner.cases("unusual") if case["fn"] == "compare.propensity"]


@pytest.mark.parametrize("case", UNUSUAL, ids=[case["id"] for case in UNUSUAL])
def test_stabilised_and_trimmed_weights(case):
    found, expect = runner.call(case["fn"], case["set"], case["args"]), case["expect"]
    runner.agree(found.scores, expect["scores"], "scores")
    runner.agree(found.weights, expect["weights"], "weights")
    runner.agree(found.effective_sample_size().tidy()["effective_sample_size"], expect["ess"], "ess")
