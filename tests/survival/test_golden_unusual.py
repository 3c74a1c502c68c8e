"""Arguments in unusual company, against R: weights with groups, entry with strata, odd levels, every transform."""

import pytest

from evalkit import stats
from golden import runner

CASES = [case for case in runner.cases("unusual") if case["fn"] != "compare.propensity"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_equals_r(case):
    args, expect = dict(case["args"]), case["expect"]
    if case["fn"] == "proportional_hazards_test":
        transform = args.pop("transform")
        found = stats.proportional_hazards_test(runner.call("survival.cox", case["set"], args), transform)
        runner.columns_agree(found.tidy(), expect)
    elif case["fn"] == "survival.cox":
        fit = runner.call(case["fn"], case["set"], args)
        runner.columns_agree(fit.tidy(), expect["rows"])
        glance = fit.glance().iloc[0]
        for name, value in expect["glance"].items():
            runner.agree(glance[name], value, name)
    else:
        runner.columns_agree(runner.call(case["fn"], case["set"], args).tidy(), expect)
