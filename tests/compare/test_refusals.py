"""Every refusal of `evalkit.stats`, word for word: which column or argument, what is wrong, how to mend it; and no value."""

import numpy as np
import pandas as pd
import pytest

from evalkit import stats
from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from golden import odd_compare


def arms(**columns):
    return odd_compare.two().assign(**columns)


def tally(*groups):
    return Tally(pd.DataFrame({"group": groups, "term": "x", "n_event": 1, "n": 2}))


def effect(data=None, **options):
    more = {"tau": 5, "n_boot": 20} | options
    return stats.adjusted_effect(arms() if data is None else data, "day", "event", "arm", ["x"], **more)


def km(**options):
    return stats.kaplan_meier(arms(), "day", "event", **options)


def curve():
    return pd.DataFrame({"time": [0, 10, 20], "estimate": [1, 0.9, 0.8]})


# fmt: off
REFUSED = [
    (lambda: stats.proportion(1, 0), 'x, n: whole numbers with 0 <= x <= n and n >= 1 are needed'),
    (lambda: stats.proportion(3, 2), 'x, n: whole numbers with 0 <= x <= n and n >= 1 are needed'),
    (lambda: stats.proportion(1.5, 3), 'x, n: whole numbers with 0 <= x <= n and n >= 1 are needed'),
    (lambda: stats.proportion(3, 10, method="wilsen"), "method 'wilsen' is not one of wilson, exact; did you mean 'wilson'?"),
    (lambda: stats.proportion(3, 10, conf_level=1), 'conf_level must lie between 0 and 1, it is 1'),
    (lambda: stats.proportion_difference(3, 2, 1, 4), 'x1, n1: whole numbers with 0 <= x <= n and n >= 1 are needed'),
    (lambda: stats.proportion_difference(1, 2, 5, 4), 'x0, n0: whole numbers with 0 <= x <= n and n >= 1 are needed'),
    (lambda: stats.proportion_difference(1, 2, 3, 4, groups=("a", "a")), 'groups must have two different names'),
    (lambda: stats.proportion_difference(1, 2, 3, 4, method="newcomb"), "method 'newcomb' is not one of newcombe, miettinen-nurminen; did you mean 'newcombe'?"),
    (lambda: stats.risk_ratio(1, 2, -1, 4), 'x0, n0: whole numbers with 0 <= x <= n and n >= 1 are needed'),
    (lambda: stats.ProportionDifference("d").estimate(tally("a", "b")), "reference 'd' is not one of the 2 groups"),
    (lambda: stats.ProportionDifference("a").estimate(tally("a")), "a contrast needs two groups or more"),
    (lambda: stats.benchmark(3, 10, -0.01), 'baseline must be a share between 0 and 1, it is -0.01'),
    (lambda: stats.benchmark(3, 10, 1.01), 'baseline must be a share between 0 and 1, it is 1.01'),
    (lambda: stats.benchmark(3, 10, 0.5, baseline_n=0), 'baseline_n must be a whole number, at least 1'),
    (lambda: stats.benchmark(3, 10, 0.5, baseline_n=10.5), 'baseline_n must be a whole number, at least 1'),
    (lambda: stats.noninferiority(3, 10, 0.5, margin=0), 'margin must lie between 0 and 1, it is 0'),
    (lambda: stats.noninferiority(3, 10, 0.5, margin=1), 'margin must lie between 0 and 1, it is 1'),
    (lambda: stats.noninferiority(3, 10, 0.25, margin=0.25), 'margin = 0.25 reaches to a share of 0: no share could fail; choose a smaller margin'),
    (lambda: stats.noninferiority(3, 10, 0.75, margin=0.25, higher_is_better=False), 'margin = 0.25 reaches to a share of 1: no share could fail; choose a smaller margin'),
    (lambda: stats.power(0, 0.5), 'n_event must be a number above 0, it is 0'),
    (lambda: stats.power(np.inf, 0.5), 'n_event must be a number above 0, it is inf'),
    (lambda: stats.power(9, 1), 'hazard_ratio must be above 0 and not 1, it is 1'),
    (lambda: stats.power(9, 0), 'hazard_ratio must be above 0 and not 1, it is 0'),
    (lambda: stats.power(9, np.inf), 'hazard_ratio must be above 0 and not 1, it is inf'),
    (lambda: stats.power(9, 0.5, alpha=0), 'alpha must lie between 0 and 1, it is 0'),
    (lambda: stats.power(9, 0.5, alpha=1), 'alpha must lie between 0 and 1, it is 1'),
    (lambda: stats.power(9, 0.5, allocation=1), 'allocation must lie between 0 and 1, it is 1'),
    (lambda: stats.schoenfeld_events(0.5, power=1), 'power must lie between 0 and 1, it is 1'),
    (lambda: stats.minimum_detectable_hazard_ratio(9, power=0), 'power must lie between 0 and 1, it is 0'),
    (lambda: stats.e_value(2, measure="RD"), "measure 'RD' is not one of RR, HR, OR"),
    (lambda: stats.e_value(0), 'e_value: a ratio above 0 and limits on either side of it are needed'),
    (lambda: stats.e_value(2, 2.1, 4), 'e_value: a ratio above 0 and limits on either side of it are needed'),
    (lambda: stats.e_value(2, 1, 1.9), 'e_value: a ratio above 0 and limits on either side of it are needed'),
    (lambda: stats.e_value(2, -1, 4), 'e_value: a ratio above 0 and limits on either side of it are needed'),
    (lambda: stats.e_value(np.inf), 'e_value: a ratio above 0 and limits on either side of it are needed'),
    (lambda: stats.e_value(2, covariates={"age": (1.5, 0)}), "e_value: the ratios of covariate 'age' must be above 0"),
    (lambda: stats.e_value(2, covariates={"age": (-1, 1.5)}), "e_value: the ratios of covariate 'age' must be above 0"),
    (lambda: stats.propensity(arms(site=0), "site", ["x"]), "column 'site' must have two levels, it has 1"),
    (lambda: stats.propensity(arms(), "site", ["x"]), "column 'site' must have two levels, it has 3"),
    (lambda: stats.propensity(arms(), "arm", ["x"], focus="pilots"), "focus 'pilots' is not one of the 2 groups"),
    (lambda: stats.propensity(arms(), "arm", ["x"], estimand="atc"), "estimand 'atc' is not one of att, ate, overlap; did you mean 'att'?"),
    (lambda: stats.propensity(arms(), "arm", ["x"], trim=0), 'trim must lie between 0 and 0.5, it is 0'),
    (lambda: stats.propensity(arms(), "arm", ["x"], trim=0.5), 'trim must lie between 0 and 0.5, it is 0.5'),
    (lambda: stats.propensity(arms(), "arm", ["x"], trim=0.499), "trim = 0.499 leaves nobody in an arm of column 'arm'"),
    (lambda: stats.propensity(arms(x=lambda d: d["arm"].eq("pilot") * 1), "arm", ["x"]), 'the covariates tell the arms apart completely: propensity scores of 0 or 1. Leave out or coarsen a covariate that only one arm has'),
    (lambda: stats.propensity(arms(), "arm", ["x"]).overlap((0.7, 0.7)), 'the preference scores of equipoise must rise within 0 and 1, they are 0.7 and 0.7'),
    (stats.diagnose, 'diagnose: give a propensity fit, a test of proportional hazards, or both'),
    (lambda: stats.diagnose(hazards=stats.proportion(1, 2)), 'diagnose: hazards must be the result of proportional_hazards_test'),
    (lambda: effect(measure="rmst"), "measure 'rmst' is not one of rmst_difference, risk_difference, cif_difference, hazard_ratio"),
    (lambda: effect(measure=[]), 'name at least one measure and one method'),
    (lambda: effect(method="iptv"), "method 'iptv' is not one of iptw, standardised, doubly_robust; did you mean 'iptw'?"),
    (lambda: effect(tau=None), "measure 'rmst_difference' needs a horizon tau in days"),
    (lambda: effect(tau=-1), 'tau must be a positive number of days, it is -1'),
    (lambda: effect(tau=13), "tau = 13 lies beyond the last day of follow-up of the focus arm (12)"),
    (lambda: effect(measure="hazard_ratio", method="standardised"), "a hazard ratio cannot be standardised over people: use method='iptw' or another measure"),
    (lambda: effect(data=arms(event=lambda d: d["event"] * d["arm"].eq("paip")), measure="hazard_ratio"), 'a hazard ratio needs events in both arms'),
    (lambda: effect(data=arms(event=lambda d: d["event"] * d["arm"].eq("pilot")), measure="hazard_ratio"), 'a hazard ratio needs events in both arms'),
    (lambda: effect(n_boot=19), 'n_boot must be at least 20, it is 19'),
    (lambda: effect(conf_level=1), 'conf_level must lie between 0 and 1, it is 1'),
    (lambda: stats.adjusted_curves(arms(), "day", "event", "arm", ["x"], times=[13], n_boot=20), "tau = 13 lies beyond the last day of follow-up of the focus arm (12)"),
    (lambda: stats.impute(arms(), ["x"], m=0), 'impute: m and burn_in must be at least 1, and columns must name at least one column'),
    (lambda: stats.impute(arms(), ["x"], burn_in=0), 'impute: m and burn_in must be at least 1, and columns must name at least one column'),
    (lambda: stats.impute(arms(), []), 'impute: m and burn_in must be at least 1, and columns must name at least one column'),
    (lambda: stats.impute(arms(x=np.nan), ["x"]), "column 'x' has no values: nothing can be imputed from"),
    (lambda: stats.impute(arms(x=lambda d: d["x"].where(d.index > 2)), ["x"]), "impute: 3 rows have no value in any of the columns to tell by; leave these rows out"),
    (lambda: stats.impute(arms(), ["x"], time="day"), 'impute: time and event go together; name both or neither'),
    (lambda: stats.impute(arms(), ["x"], event="event"), 'impute: time and event go together; name both or neither'),
    (lambda: stats.adjusted_curves(arms(), "day", "event", "arm", ["x"], times=None), 'times must name at least one day'),
    (lambda: stats.impute(arms(), ["level"]), "column 'level' has 3 levels; make indicators of it before imputing"),
    (lambda: stats.pool([stats.proportion(1, 2)]), 'pool needs two results or more'),
    (lambda: stats.pool([stats.proportion(1, 2), stats.benchmark(1, 2, 0.5)]), 'pool needs results with the same rows, each with columns estimate and std_error'),
    (lambda: stats.pool([km(), km(conf_level=0.9), km(times=[3])]), 'pool needs results with the same rows, each with columns estimate and std_error'),
    (lambda: stats.reconstruct(curve(), pd.DataFrame({"time": [1, 20], "n_risk": [9, 8]})), "at_risk: times must start at 0 and ascend, column 'n_risk' must not ascend"),
    (lambda: stats.reconstruct(curve(), pd.DataFrame({"time": [0, 0], "n_risk": [9, 8]})), "at_risk: times must start at 0 and ascend, column 'n_risk' must not ascend"),
    (lambda: stats.reconstruct(curve(), pd.DataFrame({"time": [0, 20], "n_risk": [9, 10]})), "at_risk: times must start at 0 and ascend, column 'n_risk' must not ascend"),
    (lambda: stats.reconstruct(curve(), pd.DataFrame({"time": [0, 20], "n_risk": [0, 0]})), "at_risk: times must start at 0 and ascend, column 'n_risk' must not ascend"),
    (lambda: stats.reconstruct(curve().rename(columns={"estimate": "surv"}), pd.DataFrame({"time": [0], "n_risk": [9]})), "there is no column 'estimate'; did you mean 'time'?"),
]
# fmt: on


@pytest.mark.parametrize(("ask", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_refused_in_these_words(ask, words):
    with pytest.raises(AnalysisError) as caught:
        ask()
    assert str(caught.value) == words
