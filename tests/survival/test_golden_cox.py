"""Cox models, the test of proportional hazards and Firth's penalty against R."""

import pytest

from evalkit import stats
from golden import runner

CASES = runner.cases("cox") + runner.cases("firth")


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_equals_r(case):
    args, expect = dict(case["args"]), case["expect"]
    if case["fn"] == "proportional_hazards_test":
        transform = args.pop("transform")
        fit = runner.call("survival.cox", case["set"], args)
        found = stats.proportional_hazards_test(fit, transform)
        runner.columns_agree(found.tidy(), expect)
        return
    fit = runner.call(case["fn"], case["set"], args)
    runner.columns_agree(fit.tidy(), expect["rows"], expect.get("rtol", runner.RTOL))
    if "glance" in expect:
        glance = fit.glance().iloc[0]
        for name, value in expect["glance"].items():
            runner.agree(glance[name], value, name)
