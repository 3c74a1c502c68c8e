"""Degenerate input, for every function that takes rows: a defined answer, or an error that names column or argument.

Warnings are errors here (pyproject.toml), so an answer also means that nothing overflowed or divided by zero on the way.
"""

import numpy as np
import pandas as pd
import pytest

from evalkit import stats
from evalkit.errors import AnalysisError
from survival.gaps import unexplained


def usual(n=24):
    rng = np.random.default_rng(5)
    k = np.arange(n)
    return pd.DataFrame(
        {
            "day": rng.integers(1, 40, n),
            "event": (rng.random(n) < 0.7).astype(int),
            "cause": rng.integers(0, 3, n),
            "arm": k % 2,
            "site": k % 3,
            "start": 0,
            "w": rng.uniform(0.5, 2, n).round(2),
            "x": rng.normal(size=n).round(2),
            "z": (k // 2) % 2,
            "who": k,
        }
    )


def without(data, name):
    return data.assign(**{name: data[name].astype(float).where(data.index > 2)})


BASE = usual()
FRAMES = {
    "as usual": BASE,
    "nobody": BASE.head(0),
    "one person": BASE.head(1),
    "two people": BASE.head(2),
    "one group": BASE.assign(arm=0),
    "no events": BASE.assign(event=0, cause=0),
    "only events": BASE.assign(event=1, cause=1),
    "all on one day": BASE.assign(day=7, event=1, cause=1),
    "all on day 0": BASE.assign(day=0),
    "covariate without variance": BASE.assign(x=1.5),
    "covariate is the event": BASE.assign(x=BASE["event"].astype(float)),
    "covariate is the arm": BASE.assign(x=BASE["arm"].astype(float)),
    "covariate beyond all size": BASE.assign(x=BASE["x"] * 1e200),
    "covariate missing": without(BASE, "x"),
    "day missing": without(BASE, "day"),
    "event missing": without(without(BASE, "event"), "cause"),
    "group missing": without(BASE, "arm"),
    "negative days": BASE.assign(day=-BASE["day"]),
    "weights of zero": BASE.assign(w=0.0),
    "weights of zero in an arm": BASE.assign(w=np.where(BASE["arm"] == 1, 0.0, 1.0)),
    "entry too late": BASE.assign(start=BASE["day"]),
    "no events in an arm": BASE.assign(
        event=BASE["event"] * (1 - BASE["arm"]), cause=BASE["cause"] * (1 - BASE["arm"])
    ),
    "a column twice": pd.concat([BASE, BASE[["x", "day"]]], axis=1),
    "text for days": BASE.assign(day=BASE["day"].astype(str)),
}
CURVE = pd.DataFrame({"time": [0, 10, 20, 30], "estimate": [1, 0.9, 0.8, 0.7]})
RISK = pd.DataFrame({"time": [0, 20], "n_risk": [100, 90]})
XZ = ["x", "z"]


def change_over_time(data):
    return stats.proportional_hazards_test(stats.cox(data, "day", "event", XZ))


def adjusted(data, measure, method="iptw", event="event"):
    return stats.adjusted_effect(
        data, "day", event, "arm", XZ, tau=5, n_boot=20, measure=measure, method=method, cluster="site"
    )


FUNCTIONS = {
    "kaplan_meier": lambda d: stats.kaplan_meier(d, "day", "event", by="arm", entry="start", weights="w"),
    "kaplan_meier robust": lambda d: stats.kaplan_meier(
        d, "day", "event", by="arm", weights="w", robust=True, conf_type="log", times=[0, 7, 99]
    ),
    "survival_quantile": lambda d: stats.survival_quantile(d, "day", "event", by="arm", weights="w", q=[0.2, 0.5]),
    "follow_up": lambda d: stats.follow_up(d, "day", "event", by="arm", weights="w"),
    "logrank": lambda d: stats.logrank(d, "day", "event", "arm", entry="start", gamma=1),
    "logrank in strata": lambda d: stats.logrank(d, "day", "event", "arm", strata="site"),
    "rmst": lambda d: stats.rmst(d, "day", "event", tau=5, by="arm", weights="w", robust=True),
    "rmst_contrast": lambda d: stats.rmst_contrast(d, "day", "event", by="arm", tau=5, reference=0),
    "survival_difference": lambda d: stats.survival_difference(d, "day", "event", "arm", times=[0, 5, 99], reference=0),
    "survival_difference hybrid": lambda d: stats.survival_difference(
        d, "day", "event", "arm", times=[0, 5, 99], reference=0, conf_type="log-log"
    ),
    "cox": lambda d: stats.cox(d, "day", "event", XZ, strata="site", weights="w", cluster="who", entry="start"),
    "cox formula": lambda d: stats.cox(d, "day", "event", "x + z + x:z", ties="breslow"),
    "cox firth": lambda d: stats.cox(d, "day", "event", XZ, penalizer="firth"),
    "proportional_hazards_test": change_over_time,
    "cumulative_incidence": lambda d: stats.cumulative_incidence(d, "day", "cause", by="arm", entry="start"),
    "cumulative_incidence weighted": lambda d: stats.cumulative_incidence(
        d, "day", "cause", by="arm", weights="w", variance="greenwood", times=[0, 7, 99]
    ),
    "gray_test": lambda d: stats.gray_test(d, "day", "cause", "arm", strata="site"),
    "fine_gray": lambda d: stats.fine_gray(d, "day", "cause", XZ),
    "mean_cumulative_count": lambda d: stats.mean_cumulative_count(d, "day", "event", "who", by="arm"),
    "landmark": lambda d: stats.landmark(d, "day", at=3, known="x"),
    "propensity": lambda d: stats.propensity(d, "arm", XZ, estimand="overlap", stabilized=True).balance(),
    "overlap": lambda d: stats.propensity(d, "arm", XZ, trim=0.05).overlap(),
    "effective_sample_size": lambda d: stats.propensity(d, "arm", XZ).effective_sample_size(),
    "adjusted_effect": lambda d: adjusted(d, ["rmst_difference", "risk_difference"], ["iptw", "doubly_robust"]),
    "adjusted_effect cif": lambda d: adjusted(d, "cif_difference", "standardised", "cause"),
    "adjusted_effect hazards": lambda d: adjusted(d, "hazard_ratio"),
    "adjusted_curves": lambda d: stats.adjusted_curves(d, "day", "event", "arm", XZ, times=[0, 5], n_boot=20),
    "benchmark_curve": lambda d: stats.benchmark_curve(d, "day", "event", CURVE, RISK, tau=20),
    "diagnose": lambda d: stats.diagnose(stats.propensity(d, "arm", XZ), change_over_time(d)),
    "impute": lambda d: stats.impute(d, XZ, time="day", event="event", m=1, burn_in=1),
}
NAMED = ("column '", "covariate '", "covariates", "tau = ", "two groups", "reference '", "both arms", "replicates")
NAMED += ("finite coefficients", "transform 'log'", "Fine and Gray's model", "nobody is at risk")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_answer_or_a_clear_error(name):
    for what, data in FRAMES.items():
        before = data.copy()
        try:
            found = FUNCTIONS[name](data)
        except AnalysisError as error:
            assert any(part in str(error) for part in NAMED), (what, str(error))
            assert "\n" not in str(error)
            assert what != "as usual", str(error)
        else:
            if hasattr(found, "notes"):
                assert unexplained(found) == set(), (what, found.notes)
        pd.testing.assert_frame_equal(data, before)


@pytest.mark.parametrize("data", [BASE.head(1), BASE.assign(event=0), BASE.assign(day=0)], ids=["one", "none", "zero"])
def test_parametric_curves_refuse(data):
    with pytest.raises(AnalysisError):
        stats.parametric(data, "day", "event", models=["weibull", "log-normal"])


WRONG = {
    "text for x": lambda: stats.proportion("3", 10),
    "nothing for x": lambda: stats.proportion(None, 10),
    "nan for x": lambda: stats.proportion(np.nan, 10),
    "level of 1": lambda: stats.proportion(3, 10, conf_level=1),
    "baseline in per cent": lambda: stats.benchmark(3, 10, 73.4),
    "half a person": lambda: stats.benchmark(3, 10, 0.5, baseline_n=10.5),
    "margin beyond 0": lambda: stats.noninferiority(0, 10, 0.05, margin=0.1),
    "margin beyond 1": lambda: stats.noninferiority(10, 10, 0.95, margin=0.1, higher_is_better=False),
    "ratio of 0": lambda: stats.e_value(0),
    "limits on one side": lambda: stats.e_value(2, 3, 4),
    "no effect": lambda: stats.schoenfeld_events(1),
    "no events": lambda: stats.power(0, 0.5),
    "endless events": lambda: stats.power(np.inf, 0.5),
    "all in one arm": lambda: stats.minimum_detectable_hazard_ratio(10, allocation=0),
    "formula without end": lambda: stats.cox(BASE, "day", "event", "x + "),
    "formula not defined": lambda: stats.cox(BASE, "day", "event", "np.log(x - 10)"),
    "formula of unknown columns": lambda: stats.cox(BASE, "day", "event", "x + C(nosuch)"),
    "infinite in a formula": lambda: stats.cox(BASE.assign(x=np.inf), "day", "event", "x + z"),
    "no measure": lambda: stats.adjusted_effect(BASE, "day", "event", "arm", XZ, measure=[], tau=5),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_refused(name):
    with pytest.raises(AnalysisError) as caught:
        WRONG[name]()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.parametrize("measure", ["rr", "hr", "or"])
def test_measures_of_e_values_in_small_letters(measure):
    assert stats.e_value(2.0, measure=measure).tidy()["measure"].item() == measure.upper()


def test_rounding_error_in_a_time_asked_for_moves_nothing():
    data = pd.DataFrame({"day": [0.1, 0.2, 0.3, 0.7], "event": [1, 1, 1, 0], "arm": [0, 1, 0, 1]})
    for asked in (0.3, 0.1 + 0.2, 0.3 - 1e-12):
        curve = stats.kaplan_meier(data, "day", "event", times=asked).tidy()
        assert curve["estimate"].item() == pytest.approx(0.25) and curve["n_risk"].item() == 2
        assert curve["time"].item() == asked
    assert stats.rmst(data, "day", "event", tau=0.7 + 1e-12).tidy()["estimate"].item() > 0
