"""Every refusal of `evalkit.stats`, word for word: which column or argument, what is wrong, how to mend it; and no value."""

import inspect

import numpy as np
import pandas as pd
import pytest

from evalkit import stats
from evalkit.errors import AnalysisError


def people(**columns):
    base = {"day": [3, 5, 5, 9, 12, 15], "event": [1, 1, 0, 0, 1, 1], "cause": [1, 2, 0, 0, 1, 2]}
    more = {"arm": list("aaabbb"), "x": [0.5, 1, 4, 2, 3, 6], "w": 1.5}
    return pd.DataFrame(base | more | columns)


def km(data, **more):
    return stats.kaplan_meier(data, "day", "event", **more)


def parameters_of(thing):
    return inspect.signature(thing).parameters if inspect.isfunction(thing) else {}


def told_apart():
    return pd.DataFrame({"day": range(1, 13), "cause": [1, 2, 0] * 4, "x": [1, 0, 0] * 4})


# fmt: off
REFUSED = [
    (lambda: km(people().drop(columns="event")), "there is no column 'event'"),
    (lambda: km(pd.concat([people(), people()[["day"]]], axis=1)), "column 'day' stands more than once in the data; keep one of them"),
    (lambda: km(people().head(0)), "column 'day' has no rows: nothing can be estimated"),
    (lambda: km(people(day=[3, 5, None, 9, 12, 15])), "column 'day' has missing values; drop or impute these rows first"),
    (lambda: km(people(day=list("abcdef"))), "column 'day' must be numeric, it is object"),
    (lambda: km(people(day=[3, 5, np.inf, 9, 12, 15])), "column 'day' has values that are not finite"),
    (lambda: km(people(day=[3, 5, -1, 9, 12, 15])), "column 'day' has values below 0"),
    (lambda: km(people(day=[3, 5, -0.5, 9, 12, 15])), "column 'day' has values below 0"),
    (lambda: km(people(event=[1, 1, -1, 0, 1, 1])), "column 'event' has values below 0"),
    (lambda: km(people(event=[1, 0.5, 0, 0.5, 1, 1])), "column 'event' must hold whole numbers, 2 values are not"),
    (lambda: km(people(event=[1, 2**63, 0, 0, 1, 1])), "column 'event' has numbers too large to be counts or codes"),
    (lambda: km(people(event=[1, 2.0**63, 0, 0, 1, 1])), "column 'event' has numbers too large to be counts or codes"),
    (lambda: km(people(event=[1, 2, 0, 0, 1, 1])), "column 'event' must hold 0 to 1 only; some values are above"),
    (lambda: km(people(arm=[1, 1, 1, "1", "1", "1"]), by="arm"), "column 'arm' has levels of different types that read the same as text"),
    (lambda: km(people(w=[-1, 1, 1, 1, 1, 1]), weights="w"), "column 'w' has values below 0"),
    (lambda: km(people(w=0), weights="w"), "column 'w' has no positive weight"),
    (lambda: km(people(start=[3, 6, 4, 0, 0, 0]), entry="start"), "column 'start' must be before column 'day': 2 rows enter at or after their time"),
    (lambda: km(people(), conf_level=0), 'conf_level must lie between 0 and 1, it is 0'),
    (lambda: km(people(), conf_level=1), 'conf_level must lie between 0 and 1, it is 1'),
    (lambda: km(people(), conf_level=1.5), 'conf_level must lie between 0 and 1, it is 1.5'),
    (lambda: km(people(), conf_type="loglog"), "conf_type 'loglog' is not one of log-log, log, plain; did you mean 'log-log'?"),
    (lambda: km(people(), times=[]), 'times must be finite numbers of days, none below 0'),
    (lambda: km(people(), times=[3, np.inf]), 'times must be finite numbers of days, none below 0'),
    (lambda: km(people(), times=[-1, 3]), 'times must be finite numbers of days, none below 0'),
    (lambda: km(people(start=[0, 0, 1, 0, 0, 0]), entry="start", weights="w", robust=True), 'a robust variance needs sums of squared weights and no delayed entry; use robust=False or bootstrap'),
    (lambda: stats.day_counts(people(), "day", "event", causes=()), 'day_counts: causes must name at least one cause'),
    (lambda: stats.day_counts(people(), "day", "cause", causes=["one"]), "column 'cause' must hold 0 to 1 only; some values are above"),
    (lambda: stats.day_counts(people(cause=[1, 2023, 0, 0, 1, 2]), "day", "cause"), "column 'cause' has codes above 100: number the causes 1, 2, ... (0: censored)"),
    (lambda: stats.gray_test(people(cause=[1, 101, 0, 0, 1, 2]), "day", "cause", "arm"), "column 'cause' has codes above 100: number the causes 1, 2, ... (0: censored)"),
    (lambda: stats.standardised_risks(people(cause=[1, 101, 0, 0, 1, 2]), "day", "cause", ["x"], tau=5), "column 'cause' has codes above 100: number the causes 1, 2, ... (0: censored)"),
    (lambda: stats.cumulative_incidence(people(), "day", "cause", variance="grenwood"), "variance 'grenwood' is not aalen or greenwood; did you mean 'greenwood'?"),
    (lambda: stats.gray_test(people(), "day", "cause", "arm", causes=["one"]), "column 'cause' has cause 2, causes names only 1"),
    (lambda: stats.gray_test(people(arm="a"), "day", "cause", "arm"), "Gray's test needs two groups or more"),
    (lambda: stats.logrank(people(arm="a"), "day", "event", "arm"), 'a log-rank test needs two groups or more'),
    (lambda: stats.rmst(people(), "day", "event", tau=0), 'tau must be a positive number of days, it is 0'),
    (lambda: stats.rmst(people(), "day", "event", tau=np.nan), 'tau must be a positive number of days, it is nan'),
    (lambda: stats.rmst(people(), "day", "event", by="arm", tau=6), "tau = 6 lies beyond the last day of follow-up of a group (5); choose tau up to the shortest group's last day"),
    (lambda: stats.rmst_contrast(people(arm="a"), "day", "event", by="arm", tau=5, reference="a"), 'a contrast needs two groups or more'),
    (lambda: stats.rmst_contrast(people(), "day", "event", by="arm", tau=5, reference="c"), "reference 'c' is not one of the 2 groups"),
    (lambda: stats.survival_difference(people(), "day", "event", "arm", times=[4], reference="c"), "reference 'c' is not one of the 2 groups"),
    (lambda: stats.survival_difference(people(), "day", "event", "arm", times=None, reference="a"), 'times must name at least one day'),
    (lambda: stats.survival_difference(people(), "day", "event", "arm", times=[4], reference="a", conf_type="plan"), "conf_type 'plan' is not one of log-log, log, plain; did you mean 'plain'?"),
    (lambda: stats.survival_quantile(people(), "day", "event", q=0), 'q must lie between 0 and 1'),
    (lambda: stats.survival_quantile(people(), "day", "event", q=[0.5, 1]), 'q must lie between 0 and 1'),
    (lambda: stats.survival_quantile(people(), "day", "event", q=[]), 'q must lie between 0 and 1'),
    (lambda: stats.survival_quantile(people(), "day", "event", conf_type="log log"), "conf_type 'log log' is not one of log-log, log, plain; did you mean 'log-log'?"),
    (lambda: stats.mean_cumulative_count(people(who=[1, 1, 1, 1, 2, 2]), "day", "event", "who", by="arm"), "column 'who': a person's rows must all be in one group"),
    (lambda: stats.landmark(people(), "day", at=-1), 'at must be a day, 0 or later, it is -1'),
    (lambda: stats.landmark(people(), "day", at=np.inf), 'at must be a day, 0 or later, it is inf'),
    (lambda: stats.landmark(people(), "day", at=15), "column 'day': nobody is at risk after day 15"),
    (lambda: stats.landmark(people(), "day", at=5, known="x", label="arm"), "there is a column 'arm' already; choose another label"),
    (lambda: stats.landmark(people(), "day", at=5, known="arm"), "column 'arm' must hold days since the origin as numbers, it is object"),
    (lambda: stats.cox(people(), "day", "event", ["x"], ties="efrom"), "ties 'efrom' is not one of efron, breslow; did you mean 'efron'?"),
    (lambda: stats.cox(people(), "day", "event", ["x"], penalizer="ridge"), "penalizer 'ridge' is not one of None, 'firth'"),
    (lambda: stats.cox(people(), "day", "event", ["x"], penalizer="firth", robust=True), "penalizer='firth' has no robust standard error"),
    (lambda: stats.cox(people(event=0), "day", "event", ["x"]), "column 'event' has no events: a hazard ratio is not defined"),
    (lambda: stats.cox(people(w=[0, 0, 1, 1, 0, 0]), "day", "event", ["x"], weights="w"), "column 'event' has no events with a positive weight: a hazard ratio is not defined"),
    (lambda: stats.cox(people(), "day", "event", []), 'covariates must name at least one column'),
    (lambda: stats.cox(people(), "day", "event", ["x", "sex"]), "there is no column 'sex'"),
    (lambda: stats.cox(people(sex="f"), "day", "event", ["x", "sex"]), "column 'sex' does not vary: it cannot be a covariate"),
    (lambda: stats.cox(people(x=2), "day", "event", ["x"]), "covariate 'x' does not vary: its effect is not identified"),
    (lambda: stats.cox(people(y=[1, 2, 8, 4, 6, 12]), "day", "event", ["x", "y"]), "covariate 'y' is a linear combination of the covariates before it: its effect is not identified"),
    (lambda: stats.cox(people(x=[1e101, 1, 4, 2, 3, 6]), "day", "event", ["x"]), "covariate 'x' has values that are not finite, or above 1e+100"),
    (lambda: stats.cox(people(x=[1e100, 1, 4, 2, 3, 6]), "day", "event", ["x"]), "covariate 'x' has values that are not finite, or above 1e+100"),
    (lambda: stats.cox(people(), "day", "event", "x + "), "formula 'x + ' cannot be read or computed: check its operators, brackets and functions"),
    (lambda: stats.cox(people(), "day", "event", "~1"), "formula '~1' has no covariates"),
    (lambda: stats.cox(people(), "day", "event", "np.log(x - 10)"), "formula 'np.log(x - 10)' cannot be read or computed: check its operators, brackets and functions"),
    (lambda: stats.cox(people(s=list("ababba")), "day", "event", ["arm"], strata="arm"), "covariate 'arm[b]' is not identified: among people at risk together it does not vary, or cannot be told apart from the covariates before it; leave it out"),
    (lambda: stats.fine_gray(people(), "day", "cause", ["x"], interest=3), "column 'cause' has no events of cause 3: the model is not defined"),
    (lambda: stats.fine_gray(people(), "day", "cause", ["x"], interest=0), "column 'cause' has no events of cause 0: the model is not defined"),
    (lambda: stats.fine_gray(told_apart(), "day", "cause", ["x"]), "Fine and Gray's model has no finite maximum: a covariate separates those with the event"),
    (lambda: stats.proportional_hazards_test(stats.cox(people(), "day", "event", ["x"]), "logs"), "transform 'logs' is not one of km, rank, identity, log; did you mean 'log'?"),
    (lambda: stats.proportional_hazards_test(stats.cox(people(day=[0, 5, 5, 9, 12, 15]), "day", "event", ["x"]), "log"), 'proportional_hazards_test needs a fit by cox() with finite coefficients'),
    (lambda: stats.proportional_hazards_test(stats.cox(people(), "day", "event", ["x"]).about(summary={})), 'proportional_hazards_test needs a fit by cox() with finite coefficients'),
    (lambda: stats.parametric(people(day=[0, 5, 5, 9, 12, 15]), "day", "event"), "column 'day' must be above 0 for a parametric curve"),
    (lambda: stats.parametric(people(event=0), "day", "event"), "column 'event' has no events: no curve can be fitted"),
    (lambda: stats.parametric(people(w=[0, 0, 1, 1, 0, 0]), "day", "event", weights="w"), "column 'event' has no events: no curve can be fitted"),
    (lambda: stats.parametric(people(), "day", "event", models=["weibul"]), "model 'weibul' is not one of weibull, log-normal, log-logistic, generalised gamma; did you mean 'weibull'?"),
    (lambda: stats.parametric(people(), "day", "event", models=()), 'models must name at least one of weibull, log-normal, log-logistic, generalised gamma'),
]
# fmt: on


@pytest.mark.parametrize(("ask", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_refused_in_these_words(ask, words):
    with pytest.raises(AnalysisError) as caught:
        ask()
    assert str(caught.value) == words


# -- groups may be people: what is refused tells how many there are, never which -----------------------------------------
GROUPED = [name for name in stats.__all__ if {"by", "treatment"} & {*parameters_of(getattr(stats, name))}]
WRONG = {
    "a time": {"time": -1},
    "an event": {"event": 0.5, "cause": 0.5},
    "no numbers": {"time": "x"},
    "an entry": {"start": 90},
    "a group": {"who": None},
    "one group": {"who": "Ann Secret"},
    "a person": {"person": 1},
    "a state": {"state": "Ann Secret"},
    "a covariate": {"x": lambda d: d["who"].str.len()},
    "a reference": {},
    "a horizon": {},
}


@pytest.mark.parametrize("name", GROUPED)
@pytest.mark.parametrize("who", [["Ann Secret", "Bo Secret"], ["Ann Secret", "Bo Secret", "Cy Secret", "Di Secret"]])
def test_no_group_is_named_in_a_refusal(name, who):
    function, names = getattr(stats, name), parameters_of(getattr(stats, name))
    day = np.arange(2, 42)
    data = pd.DataFrame({"day": day, "event": day % 2, "cause": day % 3, "start": 0, "x": day % 5, "person": day})
    data = data.assign(who=(who * 20)[:40], time_from=-1, time=day, state="in", to=["", "out"] * 20)
    columns = {
        "event": "event",
        "cause": "cause",
        "by": "who",
        "treatment": "who",
        "covariates": ["x"],
        "person": "person",
    }
    options = {"states": ["in", "out"], "n_boot": 20, "tau": 10, "times": [10], "reference": who[0]}
    refused = []
    for wrong, change in WRONG.items():
        asked = {"data": data.assign(**change), "time": "time"} | columns | options
        asked |= {"entry": "start"} if wrong == "an entry" else {}
        asked |= {"reference": "Ann S", "focus": "Ann S"} if wrong == "a reference" else {}
        asked |= {"tau": 900, "times": [900]} if wrong == "a horizon" else {}
        try:
            function(**{key: value for key, value in asked.items() if key in names})
        except AnalysisError as error:
            refused.append(str(error))
    assert len(refused) > 2
    assert not [said for said in refused if "Secret" in said]
