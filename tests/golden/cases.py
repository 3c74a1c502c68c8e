"""Every analysis on fixed data: what is asked. `golden.frames` holds what each answered to a committed file.

A name is the function, and after a colon the arguments in words. Random analyses have few replicates and a seed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd

from evalkit import cohort, compare, comparison, engagement, harm, intake, survival
from evalkit.protocol import load_study
from golden import odd, odd_compare, odd_study
from golden.runner import data_set

HERE = Path(__file__).parent
CUT, EARLIER = date(2023, 3, 31), date(2022, 9, 30)
TE, TC = ("time", "event"), ("time", "cause")
CASES: dict[str, Callable[[], object]] = {}


def case(name: str, ask: Callable[[], object]) -> None:
    CASES[name] = ask


@functools.cache
def opened() -> intake.StudyData:
    return intake.open_data(load_study(HERE / "study" / "study.yaml"))


@functools.cache
def known(day: date = CUT) -> cohort.Cohort:
    return cohort.build(opened().at(day))


@functools.cache
def compared(scale: str = "retention") -> comparison.Comparison:
    made = comparison.compare_arms(known(), scale)
    assert made is not None
    return made


def plain() -> pd.DataFrame:
    return data_set("frames")


# -- survival ----------------------------------------------------------------------------------------------------------
W, LATE = {"weights": "w"}, {"entry": "entry"}
case("survival.kaplan_meier: by arm", lambda: survival.kaplan_meier(plain(), *TE, by="arm"))
case("survival.kaplan_meier: weights", lambda: survival.kaplan_meier(plain(), *TE, by="arm", **W))
case("survival.kaplan_meier: robust", lambda: survival.kaplan_meier(plain(), *TE, by="arm", robust=True, **W))
case("survival.kaplan_meier: late entry", lambda: survival.kaplan_meier(plain(), *TE, **LATE))
case("survival.kaplan_meier: at times", lambda: survival.kaplan_meier(plain(), *TE, by="arm", times=[7, 20, 39.5], conf_type="log", conf_level=0.9))  # fmt: skip
case("survival.day_counts: causes", lambda: survival.day_counts(plain(), *TC, by="arm", causes=["left", "finished"], **W, **LATE))  # fmt: skip
case("survival.logrank: arm", lambda: survival.logrank(plain(), *TE, "arm"))
case("survival.logrank: strata", lambda: survival.logrank(plain(), *TE, "z", strata="x"))
case("survival.logrank: weighted late", lambda: survival.logrank(plain(), *TE, "arm", rho=0.5, gamma=1, **LATE))
case("survival.cox: efron", lambda: survival.cox(plain(), *TE, ["treated", "age", "z"]))
case("survival.cox: breslow, weights, clusters", lambda: survival.cox(plain(), *TE, ["treated", "age"], ties="breslow", cluster="pair", conf_level=0.9, **W))  # fmt: skip
case("survival.cox: strata, late entry", lambda: survival.cox(plain(), *TE, ["treated", "x"], strata="z", **LATE))
case("survival.cox: firth", lambda: survival.cox(plain(), *TE, ["treated", "x"], penalizer="firth"))
case("survival.proportional_hazards_test: km", lambda: survival.proportional_hazards_test(survival.cox(plain(), *TE, ["treated", "age"])))  # fmt: skip
case("survival.cumulative_incidence: by arm", lambda: survival.cumulative_incidence(plain(), *TC, by="arm", causes=["left", "finished"]))  # fmt: skip
case("survival.cumulative_incidence: weights", lambda: survival.cumulative_incidence(plain(), *TC, by="arm", variance="greenwood", **W))  # fmt: skip
case("survival.cumulative_incidence: late entry, times", lambda: survival.cumulative_incidence(plain(), *TC, by="arm", times=[5, 21, 38], conf_type="plain", **LATE))  # fmt: skip
case("survival.gray_test: arm", lambda: survival.gray_test(plain(), *TC, "arm"))
case(
    "survival.gray_test: strata", lambda: survival.gray_test(plain(), *TC, "z", strata="x", causes=["left", "finished"])
)
case("survival.fine_gray: two", lambda: survival.fine_gray(plain(), *TC, ["treated", "age"]))
case("survival.fine_gray: cause two", lambda: survival.fine_gray(plain(), *TC, ["treated"], interest=2, conf_level=0.9))
case("survival.follow_up: by arm", lambda: survival.follow_up(plain(), *TE, by="arm", q=[0.25, 0.5]))
case(
    "survival.survival_quantile: by arm", lambda: survival.survival_quantile(plain(), *TE, by="arm", q=[0.2, 0.5, 0.9])
)
case(
    "survival.survival_quantile: weights",
    lambda: survival.survival_quantile(plain(), *TE, by="arm", conf_type="plain", **W),
)
case("survival.rmst: by arm", lambda: survival.rmst(plain(), *TE, by="arm", tau=30))
case("survival.rmst: robust", lambda: survival.rmst(plain(), *TE, by="arm", tau=25.5, robust=True, **W))
case("survival.rmst_contrast: arm", lambda: survival.rmst_contrast(plain(), *TE, by="arm", tau=30, reference="paip"))
case("survival.survival_difference: arm", lambda: survival.survival_difference(plain(), *TE, "arm", times=[6, 12, 24], reference="paip", seed=3))  # fmt: skip
case("survival.parametric: all", lambda: survival.parametric(plain(), *TE))
case(
    "survival.parametric: weights, late entry",
    lambda: survival.parametric(plain(), *TE, models=["weibull"], **W, **LATE),
)
case("survival.mean_cumulative_count: by arm", lambda: survival.mean_cumulative_count(data_set("frames_recurrent"), *TE, "person", by="arm"))  # fmt: skip
case("survival.landmark: day 10", lambda: survival.landmark(plain()[["id", "arm", "time", "event", "entry"]], "time", at=10, known="entry"))  # fmt: skip
STAYS = {"states": ("waiting", "active", "lapsed", "done"), "person": "id", "by": "arm"}
case("survival.transition_counts: weights", lambda: survival.transition_counts(data_set("returning_states"), **STAYS, weights="w"))  # fmt: skip
case("survival.from_landmark: lapsed", lambda: survival.from_landmark(survival.transition_counts(data_set("returning_states"), **STAYS), "lapsed", 20))  # fmt: skip
case("survival.state_occupation: by arm", lambda: survival.state_occupation(data_set("returning_states"), **STAYS, times=[0, 10, 30], conf_type="plain"))  # fmt: skip
case("survival.state_days: weights", lambda: survival.state_days(data_set("returning_states"), **STAYS, tau=50, weights="w", conf_level=0.9))  # fmt: skip
RISKS = {"covariates": ["sex", "age", "ulcer"], "tau": 2000, "n_boot": 20, "seed": 4}
case("survival.standardised_risks: melanoma", lambda: survival.standardised_risks(data_set("melanoma"), "time", "cause", **RISKS))  # fmt: skip
case("survival.foretold: melanoma", lambda: survival.foretold(data_set("melanoma"), "time", "cause", **RISKS))
for what, ask in odd.ODD.items():
    case(f"survival.{what}", ask)

# -- compare -----------------------------------------------------------------------------------------------------------
for method in ("wilson", "exact"):
    case(f"compare.proportion: {method}", functools.partial(compare.proportion, 13, 41, method=method, conf_level=0.9))
case("compare.proportion_difference: newcombe", lambda: compare.proportion_difference(31, 45, 52, 118, groups=("Pilot", "PAIP")))  # fmt: skip
case("compare.risk_ratio: two", lambda: compare.risk_ratio(31, 45, 52, 118, groups=("Pilot", "PAIP")))
case("compare.benchmark: exact", lambda: compare.benchmark(61, 90, 0.734, source="Bennett 2005"))
case("compare.benchmark: estimated", lambda: compare.benchmark(61, 90, 0.734, baseline_n=899))
case(
    "compare.noninferiority: higher is better",
    lambda: compare.noninferiority(61, 90, 0.734, margin=0.1, baseline_n=899),
)
case("compare.noninferiority: lower is better", lambda: compare.noninferiority(11, 90, 0.2, margin=0.03, higher_is_better=False))  # fmt: skip
case("compare.noninferiority: between the levels", lambda: compare.noninferiority(68, 90, 0.734, margin=0.07))
case("compare.power: 90 events", lambda: compare.power(90, 0.6, alpha=0.1, allocation=0.3))
case("compare.schoenfeld_events: 0.6", lambda: compare.schoenfeld_events(0.6, power=0.9, alpha=0.01, allocation=0.3))
case("compare.minimum_detectable_hazard_ratio: 90", lambda: compare.minimum_detectable_hazard_ratio(90, power=0.9, alpha=0.1, allocation=0.3))  # fmt: skip
for measure, value in (("RR", 1.62), ("OR", 0.55), ("HR", 1.8)):
    case(f"compare.e_value: {measure}", functools.partial(compare.e_value, value, measure=measure))
case("compare.e_value: rare HR", lambda: compare.e_value(0.61, measure="HR", rare=True, covariates={"age": (1.4, 0.8), "x": (0.7, 1.6)}))  # fmt: skip
for estimand in ("att", "ate", "overlap"):
    case(f"compare.propensity: {estimand}", functools.partial(lambda e: compare.propensity(plain(), "arm", ["age", "z", "x"], estimand=e, focus="pilot"), estimand))  # fmt: skip
case("compare.propensity: stabilized, trimmed", lambda: compare.propensity(plain(), "treated", ["age", "z"], estimand="ate", stabilized=True, trim=0.05))  # fmt: skip
case("compare.diagnose: both", lambda: compare.diagnose(compare.propensity(plain(), "arm", ["age", "z"], focus="pilot"), survival.proportional_hazards_test(survival.cox(plain(), *TE, ["treated", "age"]))))  # fmt: skip
case("compare.diagnose: strict", lambda: compare.diagnose(compare.propensity(plain(), "arm", ["age", "z"], focus="pilot"), survival.proportional_hazards_test(survival.cox(plain(), *TE, ["treated"])), smd=1e-9, equipoise=0.99, effective_sample_size=60, alpha=0.999))  # fmt: skip
for measure in ("rmst_difference", "risk_difference"):
    case(f"compare.adjusted_effect: {measure}", functools.partial(lambda m: compare.adjusted_effect(plain(), *TE, "arm", ["age", "x"], measure=m, method=["iptw", "standardised", "doubly_robust"], tau=21, focus="pilot", n_boot=30, seed=5), measure))  # fmt: skip
case("compare.adjusted_effect: cif_difference", lambda: compare.adjusted_effect(plain(), *TC, "arm", ["age", "x"], measure="cif_difference", method=["iptw", "standardised", "doubly_robust"], tau=21, estimand="ate", focus="pilot", n_boot=30, seed=5))  # fmt: skip
case("compare.adjusted_effect: hazard ratio", lambda: compare.adjusted_effect(plain(), *TE, "arm", ["age", "x"], measure="hazard_ratio", estimand="overlap", focus="pilot", n_boot=30, seed=5))  # fmt: skip
case("compare.adjusted_curves: att", lambda: compare.adjusted_curves(plain(), *TE, "arm", ["age", "x"], times=[7, 21, 35], focus="pilot", n_boot=30, seed=5))  # fmt: skip
case("compare.impute: two", lambda: compare.impute(data_set("frames_missing")[["age", "x", "treated", "time", "event"]], ["age", "x", "treated"], time="time", event="event", m=2, burn_in=2, seed=3))  # fmt: skip
case("compare.pool: cox", lambda: compare.pool([survival.cox(frame, *TE, ["treated", "age"]) for frame in compare.impute(data_set("frames_missing"), ["age", "treated"], time="time", event="event", m=4, burn_in=2, seed=3)], n=61))  # fmt: skip

for covariates in (None, ["w"]):
    case(f"compare.state_difference: {'weighted' if covariates else 'plain'}", functools.partial(lambda x: compare.state_difference(data_set("returning_states"), "arm", x, states=STAYS["states"], times=[10, 30], tau=50, person="id", focus="a", n_boot=30, seed=5), covariates))  # fmt: skip


def printed() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A published curve, read off at ten points, and its numbers at risk."""
    curve = survival.kaplan_meier(plain()[plain()["arm"] == "paip"], *TE).tidy()[["time", "estimate"]]
    at_risk = pd.DataFrame({"time": [0, 10, 20, 30], "n_risk": [39, 25, 13, 7]})
    return curve, at_risk


case("compare.reconstruct: a curve", lambda: compare.reconstruct(*printed()))
case(
    "compare.benchmark_curve: a curve",
    lambda: compare.benchmark_curve(plain()[plain()["arm"] == "pilot"], *TE, *printed(), tau=28),
)
for what, ask in odd_compare.ODD.items():
    case(f"compare.{what}", ask)

# -- engagement --------------------------------------------------------------------------------------------------------
for name in (
    "attendance_rate", "baseline", "caseload", "completeness", "completion", "dose_by_week", "dose_distribution",
    "dose_reached", "engaged_across", "first_session_times", "funnel", "incomplete", "leaving", "longest_gap",
    "lost_to_follow_up", "return_times", "returns", "staying", "steps", "time_to_first_session",
):  # fmt: skip
    case(f"engagement.{name}: all", functools.partial(lambda n: getattr(engagement, n)(known()), name))
case("engagement.dose_by_week: hours", lambda: engagement.dose_by_week(known(), "hours", weeks=6, conf_level=0.9))
case("engagement.engaged_by: site", lambda: engagement.engaged_by(known(), "site"))
case("engagement.engaged_by: source, together", lambda: engagement.engaged_by(known(), "referral_source", by_arm=False))
case("engagement.reach: community areas", lambda: engagement.reach(known(), "community_area"))
case("engagement.referred: since July", lambda: engagement.referred(known(), date(2022, 7, 1)))
case("engagement.mean_stay: 90 days", lambda: engagement.mean_stay(known(), 90))
case("engagement.change: engaged", lambda: engagement.change(known(), known(EARLIER), "engaged"))
for name in ("pathway", "pathway_days"):
    case(f"engagement.{name}: 90 days", functools.partial(lambda n: getattr(engagement, n)(known(), 90), name))
case("engagement.completing_after_lapse: 150 days", lambda: engagement.completing_after_lapse(known(), 150, lapsed_on=(60, 90)))  # fmt: skip
case("comparison.pathway_difference: weighted", lambda: comparison.pathway_difference(known(), 90, landmarks=(30, 60), adjusted=True, n_boot=25, smallest=3))  # fmt: skip
for name in engagement._leaving.STAGES:
    case(f"engagement.stage: {name}", functools.partial(lambda n: engagement.stage(known(), n), name))
case("engagement.leaving_model: after session", lambda: engagement.leaving_model(known(), "after_session", 3))
case("engagement.leaving_risks: before session", lambda: engagement.leaving_risks(known(), "before_session", 30, smallest=3, n_boot=20))  # fmt: skip
case("engagement.leaving_foretold: before intake", lambda: engagement.leaving_foretold(known(), "before_intake", 20, smallest=3, n_boot=20))  # fmt: skip
for name in ("starting_by_wait", "waiting"):
    case(f"engagement.{name}: all", functools.partial(lambda n: getattr(engagement, n)(known()), name))
case("engagement.trend: two quarters", lambda: engagement.trend([("2022Q3", known(EARLIER)), ("2023Q1", known())]))
case("engagement.late_entry: at the cut", lambda: engagement.late_entry(opened().at(CUT)))
case("engagement.wilson: 0, 3, 9 of 9", lambda: pd.DataFrame(dict(zip(("conf_low", "conf_high"), engagement.wilson([0, 3, 9], [9, 9, 9], 0.9), strict=True))))  # fmt: skip

# -- harm --------------------------------------------------------------------------------------------------------------
for name in (
    "completed_by",
    "first_harm",
    "harm_after_completion",
    "harm_hazards",
    "harm_model",
    "repeated_harm",
    "without_harm",
):
    case(f"harm.{name}: all", functools.partial(lambda n: getattr(harm, n)(known()), name))
case("harm.harm_after_completion: of three and more", lambda: harm.harm_after_completion(known(), 1))
case("harm.harm_model: of three and more", lambda: harm.harm_model(known(), 3))
case("harm.repeated_harm: of three and more", lambda: harm.repeated_harm(known(), smallest=3))
case("harm.mean_without_harm: 120 days", lambda: harm.mean_without_harm(known(), 120))

# -- comparison --------------------------------------------------------------------------------------------------------
for scale in ("retention", "harm"):
    case(f"comparison.compare_arms: {scale}", functools.partial(lambda s: compared(s).data, scale))
    case(f"comparison.compare_arms: {scale}, balance", functools.partial(lambda s: compared(s).balance(), scale))
    case(f"comparison.compare_arms: {scale}, diagnose", functools.partial(lambda s: compared(s).diagnose(), scale))
    case(f"comparison.compare_arms: {scale}, weighted", functools.partial(lambda s: compared(s).weighted(), scale))
case("comparison.compare_arms: retention, effects", lambda: compared().effects(90, n_boot=20))
case("comparison.e_values: retention", lambda: comparison.e_values(compared(), 90, n_boot=20))
case("comparison.equipoise: retention", lambda: comparison.equipoise(compared()))
case("comparison.preference: retention", lambda: comparison.preference(compared(), smallest=5))
case("comparison.imputed: retention", lambda: comparison.imputed(compared(), 90, m=2, burn_in=2, n_boot=25))
case("comparison.precision: both", lambda: comparison.precision([compared(), compared("harm"), None]))
case("comparison.sensitivity: retention", lambda: comparison.sensitivity(compared(), opened().at(CUT), 90, n_boot=25))
case("comparison.subgroups: of three and more", lambda: comparison.subgroups(known(), smallest=3))
case("comparison.differences_of: subgroups", lambda: comparison.differences_of(comparison.subgroups(known(), smallest=3).counts, known().groups))  # fmt: skip
case("comparison.target_of: all", lambda: [comparison.target_of(known().study), comparison.target_of(known().study, "overlap")])  # fmt: skip

# -- cohort ------------------------------------------------------------------------------------------------------------
case("cohort.build: people", lambda: known().people)
case("cohort.build: all episodes", lambda: cohort.build(opened().at(CUT), episodes="all").retention())
for name in ("initiation", "retention", "harm", "harm_recurrent", "pathway", "sessions", "exits", "measures"):
    case(f"cohort.build: {name}", functools.partial(lambda n: getattr(known(EARLIER), n)(), name))
case("cohort.build: person_period", lambda: known(EARLIER).person_period("retention", 28))
case("cohort.build: attrition", lambda: known().attrition)
case("cohort.nothing: kind", lambda: cohort.nothing(known(), "kaplan_meier", "no disengagement", ["group"], "people"))
case("cohort.restatements: a quarter ago", lambda: cohort.restatements(opened(), EARLIER))
for what, ask in odd_study.ODD.items():
    case(what, ask)
