"""Every analysis on fixed data: what is asked. `golden.frames` holds what each answered to a committed file.

A name is the function, and after a colon the arguments in words. Random analyses have few replicates and a seed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd

from evalkit import analyses, cohort, intake, stats
from evalkit.analyses._leaving import STAGES
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
def from_referral() -> cohort.Cohort:
    """Harm of everybody referred, deaths competing."""
    other = {"origin": "referral", "death": "competing"}
    return cohort.build(opened().at(CUT), harm=opened().study.harm.model_copy(update=other))


@functools.cache
def compared(scale: str = "retention") -> analyses.Comparison:
    made = analyses.compare_arms(known(), scale)
    assert made is not None
    return made


def plain() -> pd.DataFrame:
    return data_set("frames")


# -- survival ----------------------------------------------------------------------------------------------------------
W, LATE = {"weights": "w"}, {"entry": "entry"}
case("stats.kaplan_meier: by arm", lambda: stats.kaplan_meier(plain(), *TE, by="arm"))
case("stats.kaplan_meier: weights", lambda: stats.kaplan_meier(plain(), *TE, by="arm", **W))
case("stats.kaplan_meier: robust", lambda: stats.kaplan_meier(plain(), *TE, by="arm", robust=True, **W))
case("stats.kaplan_meier: late entry", lambda: stats.kaplan_meier(plain(), *TE, **LATE))
case("stats.kaplan_meier: at times", lambda: stats.kaplan_meier(plain(), *TE, by="arm", times=[7, 20, 39.5], conf_type="log", conf_level=0.9))  # fmt: skip
case("stats.day_counts: causes", lambda: stats.day_counts(plain(), *TC, by="arm", causes=["left", "finished"], **W, **LATE))  # fmt: skip
case("stats.logrank: arm", lambda: stats.logrank(plain(), *TE, "arm"))
case("stats.logrank: strata", lambda: stats.logrank(plain(), *TE, "z", strata="x"))
case("stats.logrank: weighted late", lambda: stats.logrank(plain(), *TE, "arm", rho=0.5, gamma=1, **LATE))
case("stats.cox: efron", lambda: stats.cox(plain(), *TE, ["treated", "age", "z"]))
case("stats.cox: breslow, weights, clusters", lambda: stats.cox(plain(), *TE, ["treated", "age"], ties="breslow", cluster="pair", conf_level=0.9, **W))  # fmt: skip
case("stats.cox: strata, late entry", lambda: stats.cox(plain(), *TE, ["treated", "x"], strata="z", **LATE))
case("stats.cox: firth", lambda: stats.cox(plain(), *TE, ["treated", "x"], penalizer="firth"))
case("stats.proportional_hazards_test: km", lambda: stats.proportional_hazards_test(stats.cox(plain(), *TE, ["treated", "age"])))  # fmt: skip
case("stats.cumulative_incidence: by arm", lambda: stats.cumulative_incidence(plain(), *TC, by="arm", causes=["left", "finished"]))  # fmt: skip
case("stats.cumulative_incidence: weights", lambda: stats.cumulative_incidence(plain(), *TC, by="arm", variance="greenwood", **W))  # fmt: skip
case("stats.cumulative_incidence: late entry, times", lambda: stats.cumulative_incidence(plain(), *TC, by="arm", times=[5, 21, 38], conf_type="plain", **LATE))  # fmt: skip
case("stats.gray_test: arm", lambda: stats.gray_test(plain(), *TC, "arm"))
case("stats.gray_test: strata", lambda: stats.gray_test(plain(), *TC, "z", strata="x", causes=["left", "finished"]))
case("stats.fine_gray: two", lambda: stats.fine_gray(plain(), *TC, ["treated", "age"]))
case("stats.fine_gray: cause two", lambda: stats.fine_gray(plain(), *TC, ["treated"], interest=2, conf_level=0.9))
case("stats.follow_up: by arm", lambda: stats.follow_up(plain(), *TE, by="arm", q=[0.25, 0.5]))
case("stats.survival_quantile: by arm", lambda: stats.survival_quantile(plain(), *TE, by="arm", q=[0.2, 0.5, 0.9]))
case(
    "stats.survival_quantile: weights",
    lambda: stats.survival_quantile(plain(), *TE, by="arm", conf_type="plain", **W),
)
case("stats.rmst: by arm", lambda: stats.rmst(plain(), *TE, by="arm", tau=30))
case("stats.rmst: robust", lambda: stats.rmst(plain(), *TE, by="arm", tau=25.5, robust=True, **W))
case("stats.rmst_contrast: arm", lambda: stats.rmst_contrast(plain(), *TE, by="arm", tau=30, reference="paip"))
case("stats.survival_difference: arm", lambda: stats.survival_difference(plain(), *TE, "arm", times=[6, 12, 24], reference="paip", seed=3))  # fmt: skip
case("stats.parametric: all", lambda: stats.parametric(plain(), *TE))
case(
    "stats.parametric: weights, late entry",
    lambda: stats.parametric(plain(), *TE, models=["weibull"], **W, **LATE),
)
case("stats.mean_cumulative_count: by arm", lambda: stats.mean_cumulative_count(data_set("frames_recurrent"), *TE, "person", by="arm"))  # fmt: skip
case("stats.landmark: day 10", lambda: stats.landmark(plain()[["id", "arm", "time", "event", "entry"]], "time", at=10, known="entry"))  # fmt: skip
STAYS = {"states": ("waiting", "active", "lapsed", "done"), "person": "id", "by": "arm"}
case("stats.transition_counts: weights", lambda: stats.transition_counts(data_set("returning_states"), **STAYS, weights="w"))  # fmt: skip
case("stats.from_landmark: lapsed", lambda: stats.from_landmark(stats.transition_counts(data_set("returning_states"), **STAYS), "lapsed", 20))  # fmt: skip
case("stats.state_occupation: by arm", lambda: stats.state_occupation(data_set("returning_states"), **STAYS, times=[0, 10, 30], conf_type="plain"))  # fmt: skip
case("stats.state_days: weights", lambda: stats.state_days(data_set("returning_states"), **STAYS, tau=50, weights="w", conf_level=0.9))  # fmt: skip
RISKS = {"covariates": ["sex", "age", "ulcer"], "tau": 2000, "n_boot": 20, "seed": 4}
case("stats.standardised_risks: melanoma", lambda: stats.standardised_risks(data_set("melanoma"), "time", "cause", **RISKS))  # fmt: skip
case("stats.foretold: melanoma", lambda: stats.foretold(data_set("melanoma"), "time", "cause", **RISKS))
for what, ask in odd.ODD.items():
    case(f"stats.{what}", ask)

# -- compare -----------------------------------------------------------------------------------------------------------
for method in ("wilson", "exact"):
    case(f"stats.proportion: {method}", functools.partial(stats.proportion, 13, 41, method=method, conf_level=0.9))
case("stats.proportion_difference: newcombe", lambda: stats.proportion_difference(31, 45, 52, 118, groups=("Pilot", "PAIP")))  # fmt: skip
case("stats.risk_ratio: two", lambda: stats.risk_ratio(31, 45, 52, 118, groups=("Pilot", "PAIP")))
case("stats.benchmark: exact", lambda: stats.benchmark(61, 90, 0.734, source="Bennett 2005"))
case("stats.benchmark: estimated", lambda: stats.benchmark(61, 90, 0.734, baseline_n=899))
case(
    "stats.noninferiority: higher is better",
    lambda: stats.noninferiority(61, 90, 0.734, margin=0.1, baseline_n=899),
)
case("stats.noninferiority: lower is better", lambda: stats.noninferiority(11, 90, 0.2, margin=0.03, higher_is_better=False))  # fmt: skip
case("stats.noninferiority: between the levels", lambda: stats.noninferiority(68, 90, 0.734, margin=0.07))
case("stats.power: 90 events", lambda: stats.power(90, 0.6, alpha=0.1, allocation=0.3))
case("stats.schoenfeld_events: 0.6", lambda: stats.schoenfeld_events(0.6, power=0.9, alpha=0.01, allocation=0.3))
case("stats.minimum_detectable_hazard_ratio: 90", lambda: stats.minimum_detectable_hazard_ratio(90, power=0.9, alpha=0.1, allocation=0.3))  # fmt: skip
for measure, value in (("RR", 1.62), ("OR", 0.55), ("HR", 1.8)):
    case(f"stats.as_risk_ratio: {measure}", functools.partial(stats.as_risk_ratio, value, measure))
    case(f"stats.e_value: {measure}", functools.partial(stats.e_value, value, measure=measure))
case("stats.e_value: rare HR", lambda: stats.e_value(0.61, measure="HR", rare=True, covariates={"age": (1.4, 0.8), "x": (0.7, 1.6)}))  # fmt: skip
for estimand in ("att", "ate", "overlap"):
    case(f"stats.propensity: {estimand}", functools.partial(lambda e: stats.propensity(plain(), "arm", ["age", "z", "x"], estimand=e, focus="pilot"), estimand))  # fmt: skip
case("stats.propensity: stabilized, trimmed", lambda: stats.propensity(plain(), "treated", ["age", "z"], estimand="ate", stabilized=True, trim=0.05))  # fmt: skip
case("stats.diagnose: both", lambda: stats.diagnose(stats.propensity(plain(), "arm", ["age", "z"], focus="pilot"), stats.proportional_hazards_test(stats.cox(plain(), *TE, ["treated", "age"]))))  # fmt: skip
case("stats.diagnose: strict", lambda: stats.diagnose(stats.propensity(plain(), "arm", ["age", "z"], focus="pilot"), stats.proportional_hazards_test(stats.cox(plain(), *TE, ["treated"])), smd=1e-9, equipoise=0.99, effective_sample_size=60, alpha=0.999))  # fmt: skip
for measure in ("rmst_difference", "risk_difference"):
    case(f"stats.adjusted_effect: {measure}", functools.partial(lambda m: stats.adjusted_effect(plain(), *TE, "arm", ["age", "x"], measure=m, method=["iptw", "standardised", "doubly_robust"], tau=21, focus="pilot", n_boot=30, seed=5), measure))  # fmt: skip
case("stats.adjusted_effect: cif_difference", lambda: stats.adjusted_effect(plain(), *TC, "arm", ["age", "x"], measure="cif_difference", method=["iptw", "standardised", "doubly_robust"], tau=21, estimand="ate", focus="pilot", n_boot=30, seed=5))  # fmt: skip
case("stats.adjusted_effect: hazard ratio", lambda: stats.adjusted_effect(plain(), *TE, "arm", ["age", "x"], measure="hazard_ratio", estimand="overlap", focus="pilot", n_boot=30, seed=5))  # fmt: skip
case("stats.adjusted_curves: att", lambda: stats.adjusted_curves(plain(), *TE, "arm", ["age", "x"], times=[7, 21, 35], focus="pilot", n_boot=30, seed=5))  # fmt: skip
case("stats.impute: two", lambda: stats.impute(data_set("frames_missing")[["age", "x", "treated", "time", "event"]], ["age", "x", "treated"], time="time", event="event", m=2, burn_in=2, seed=3))  # fmt: skip
case("stats.pool: cox", lambda: stats.pool([stats.cox(frame, *TE, ["treated", "age"]) for frame in stats.impute(data_set("frames_missing"), ["age", "treated"], time="time", event="event", m=4, burn_in=2, seed=3)], n=61))  # fmt: skip

for covariates in (None, ["w"]):
    case(f"stats.state_difference: {'weighted' if covariates else 'plain'}", functools.partial(lambda x: stats.state_difference(data_set("returning_states"), "arm", x, states=STAYS["states"], times=[10, 30], tau=50, person="id", focus="a", n_boot=30, seed=5), covariates))  # fmt: skip


def printed() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A published curve, read off at ten points, and its numbers at risk."""
    curve = stats.kaplan_meier(plain()[plain()["arm"] == "paip"], *TE).tidy()[["time", "estimate"]]
    at_risk = pd.DataFrame({"time": [0, 10, 20, 30], "n_risk": [39, 25, 13, 7]})
    return curve, at_risk


case("stats.reconstruct: a curve", lambda: stats.reconstruct(*printed()))
case(
    "stats.benchmark_curve: a curve",
    lambda: stats.benchmark_curve(plain()[plain()["arm"] == "pilot"], *TE, *printed(), tau=28),
)
for what, ask in odd_compare.ODD.items():
    case(f"stats.{what}", ask)

# -- engagement --------------------------------------------------------------------------------------------------------
for name in (
    "attendance_rate", "baseline", "caseload", "completeness", "completion", "completion_of_intakes", "dose_and_completion", "reached_dose", "dose_by_week", "dose_distribution",
    "dose_reached", "engaged_across", "first_session_times", "funnel", "waiting", "waiting_days", "incomplete", "leaving", "longest_gap",
    "lost_to_follow_up", "return_times", "returns", "staying", "steps", "time_to_first_session",
):  # fmt: skip
    case(f"analyses.{name}: all", functools.partial(lambda n: getattr(analyses, n)(known()), name))
case("analyses.dose_by_week: hours", lambda: analyses.dose_by_week(known(), "hours", weeks=6, conf_level=0.9))
case("analyses.engaged_by: site", lambda: analyses.engaged_by(known(), "site"))
case("analyses.engaged_by: source, together", lambda: analyses.engaged_by(known(), "referral_source", by_arm=False))
case("analyses.reach: community areas", lambda: analyses.reach(known(), "community_area"))
case("analyses.referred: since July", lambda: analyses.referred(known(), date(2022, 7, 1)))
case("analyses.mean_stay: 90 days", lambda: analyses.mean_stay(known(), 90))
case("analyses.change: engaged", lambda: analyses.change(known(), known(EARLIER), "engaged"))
case("analyses.by_quarter_of_referral: all", lambda: analyses.by_quarter_of_referral(known()))
case("analyses.trend: two quarters", lambda: analyses.trend([("2022Q3", known(EARLIER)), ("2023Q1", known())]))
case("analyses.late_entry: at the cut", lambda: analyses.late_entry(opened().at(CUT)))
case("analyses.wilson: 0, 3, 9 of 9", lambda: pd.DataFrame(dict(zip(("conf_low", "conf_high"), analyses.wilson([0, 3, 9], [9, 9, 9], 0.9), strict=True))))  # fmt: skip
for name in ("pathway", "pathway_days"):
    case(f"analyses.{name}: 90 days", functools.partial(lambda n: getattr(analyses, n)(known(), 90), name))
case("analyses.completing_after_lapse: 150 days", lambda: analyses.completing_after_lapse(known(), 150, lapsed_on=(60, 90)))  # fmt: skip
case("analyses.pathway_difference: weighted", lambda: analyses.pathway_difference(known(), 90, landmarks=(30, 60), adjusted=True, n_boot=25, smallest=3))  # fmt: skip
for name in STAGES:
    case(f"analyses.stage: {name}", functools.partial(lambda n: analyses.stage(known(), n), name))
case("analyses.leaving_model: after session", lambda: analyses.leaving_model(known(), "after_session", 3))
case("analyses.leaving_risks: before session", lambda: analyses.leaving_risks(known(), "before_session", 30, smallest=3, n_boot=20))  # fmt: skip
case("analyses.leaving_foretold: before intake", lambda: analyses.leaving_foretold(known(), "before_intake", 20, smallest=3, n_boot=20))  # fmt: skip
case("analyses.starting_by_wait: all", lambda: analyses.starting_by_wait(known()))


def with_harms() -> pd.DataFrame:
    """People, how often each was recorded with harm, and for how many days each was followed."""
    rows = known().harm_recurrent()
    keys = ["participant_id", "episode"]
    found = rows.groupby(keys).agg(harms=("event", "sum"), days=("time", "max")).reset_index()
    return known().people.merge(found[found["days"] > 0], on=keys)


case("analyses.shares: women and men, by arm", lambda: analyses.shares(known().people.assign(often=lambda p: p["n_attended"] >= 3), ["group", "gender"], "often", label="Three sessions"))  # fmt: skip
case("analyses.shares: levels", lambda: analyses.shares(known().people, None, "referral_source", conf_level=0.9))
case("analyses.means: sessions", lambda: analyses.means(known().people, "n_attended", ["group", "site"]))
case("analyses.rates: harm", lambda: analyses.rates(with_harms(), "harms", "days", "group", years=10))
case("analyses.cox: interaction", lambda: analyses.cox(known(), "retention ~ group * employment", smallest=3))
case("analyses.cox: harm", lambda: analyses.cox(known(), "harm ~ group + age + gender", smallest=3, conf_level=0.9))
case("analyses.logistic: engaged", lambda: analyses.logistic(known(), "engaged ~ group + age", smallest=3))
case("stats.logistic: two", lambda: stats.logistic(plain(), "treated", ["age", "x"]))

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
    case(f"analyses.{name}: all", functools.partial(lambda n: getattr(analyses, n)(known()), name))
case("analyses.harm_after_completion: of three and more", lambda: analyses.harm_after_completion(known(), 1))
case("analyses.harm_model: of three and more", lambda: analyses.harm_model(known(), 3))
case("analyses.repeated_harm: of three and more", lambda: analyses.repeated_harm(known(), smallest=3))
case("analyses.mean_without_harm: 120 days", lambda: analyses.mean_without_harm(known(), 120))

# -- comparison --------------------------------------------------------------------------------------------------------
for scale in ("retention", "harm"):
    case(f"analyses.compare_arms: {scale}", functools.partial(lambda s: compared(s).data, scale))
    case(f"analyses.compare_arms: {scale}, balance", functools.partial(lambda s: compared(s).balance(), scale))
    case(f"analyses.compare_arms: {scale}, diagnose", functools.partial(lambda s: compared(s).diagnose(), scale))
    case(f"analyses.compare_arms: {scale}, weighted", functools.partial(lambda s: compared(s).weighted(), scale))
case("analyses.compare_arms: retention, effects", lambda: compared().effects(90, n_boot=20))
case("analyses.e_values: retention", lambda: analyses.e_values(compared(), 90, n_boot=20))
case("analyses.equipoise: retention", lambda: analyses.equipoise(compared()))
case("analyses.preference: retention", lambda: analyses.preference(compared(), smallest=5))
case("analyses.imputed: retention", lambda: analyses.imputed(compared(), 90, m=2, burn_in=2, n_boot=25))
case("analyses.precision: both", lambda: analyses.precision([compared(), compared("harm"), None]))
case("analyses.sensitivity: retention", lambda: analyses.sensitivity(compared(), opened().at(CUT), 90, n_boot=25))
case("analyses.subgroups: of three and more", lambda: analyses.subgroups(known(), smallest=3))
case("analyses.differences_of: subgroups", lambda: analyses.differences_of(analyses.subgroups(known(), smallest=3).counts, known().groups))  # fmt: skip
case("analyses.target_of: all", lambda: [analyses.target_of(known().study), analyses.target_of(known().study, "overlap")])  # fmt: skip

# -- cohort ------------------------------------------------------------------------------------------------------------
case("cohort.build: people", lambda: known().people)
case("cohort.build: all episodes", lambda: cohort.build(opened().at(CUT), episodes="all").retention())
for name in ("initiation", "retention", "harm", "harm_recurrent", "pathway", "sessions", "exits", "measures"):
    case(f"cohort.build: {name}", functools.partial(lambda n: getattr(known(EARLIER), n)(), name))
case("cohort.build: person_period", lambda: known(EARLIER).person_period("retention", 28))
case("cohort.build: attrition", lambda: known().attrition)
case("cohort.told_apart: harm", lambda: cohort.told_apart(known(), known().harm(), 3))
case("cohort.build: harm from the referral", lambda: from_referral().harm())
case("analyses.first_harm: from the referral", lambda: analyses.first_harm(from_referral(), 1))
case("cohort.nobody: kind", lambda: cohort.nobody(known(), "kaplan_meier", "no disengagement", ["group"], "people"))
case("cohort.restatements: a quarter ago", lambda: cohort.restatements(opened(), EARLIER))
for what, ask in odd_study.ODD.items():
    case(what, ask)
