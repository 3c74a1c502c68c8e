"""Weighted and robust restricted means, late entry under competing risks, Rubin's rules, against R."""

import numpy as np
import pytest

from evalkit.compare._impute import rubin
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
