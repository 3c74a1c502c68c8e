"""The golden study under other rules, before anybody was referred, and without some of its tables."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from datetime import date
from pathlib import Path

from evalkit import analyses, cohort, intake
from evalkit.protocol import Rules, Study, load_study

HERE = Path(__file__).parent
CUT, EARLIER, NOBODY = date(2023, 3, 31), date(2022, 6, 17), date(2021, 11, 17)
OTHER = {
    "episodes": "all", "disengagement_gap_days": 16, "dose_sessions": 6, "dose_hours": 8, "counting_kinds": ["group", "individual"],
    "landmark_day": 60, "engaged": {"sessions": 3, "days": 30}, "exits": {"moved": "disengagement", "dropped_out": "ignored"},
    "funnel": {"intake_days": 7, "first_session_days": 14, "half_dose_sessions": 3, "half_dose_days": 25, "completion_days": 90},
}  # fmt: skip


@functools.cache
def study(without: str = "", estimand: str = "att") -> Study:
    """The study without a table, and with another target."""
    made = load_study(HERE / "study" / "study.yaml")
    tables = {name: table for name, table in made.tables.items() if name != without}
    target = made.comparison.model_copy(
        update={"estimand": estimand, "preference_low": 0.2, "preference_high": 0.6, "max_smd": 0.05}
    )
    return made.model_copy(update={"tables": tables, "comparison": made.comparison if estimand == "att" else target})


@functools.cache
def opened(without: str = "", estimand: str = "att") -> intake.StudyData:
    return intake.open_data(study(without, estimand))


@functools.cache
def known(day: date = CUT, without: str = "", estimand: str = "att", *, other: bool = False) -> cohort.Cohort:
    one = study(without, estimand)
    rules = Rules.model_validate({**one.rules.model_dump(), **OTHER}) if other else None
    return cohort.build(opened(without, estimand).at(day), rules=rules)


@functools.cache
def compared(estimand: str, scale: str) -> analyses.Comparison:
    made = analyses.compare_arms(known(estimand=estimand), scale, smallest=6)
    assert made is not None
    return made


def asked(module: object, name: str, **which: object) -> Callable[[], object]:
    """A function of a cohort, at another level of confidence where it takes one."""
    function = getattr(module, name)
    more = {"conf_level": 0.8} if "conf_level" in inspect.signature(function).parameters else {}
    return lambda: function(known(**which), **more)


FUNNEL = ("attendance_rate", "baseline", "caseload", "completeness", "completion", "dose_distribution", "dose_reached", "engaged_across",
          "funnel", "incomplete", "leaving", "longest_gap", "lost_to_follow_up", "return_times", "returns", "staying", "time_to_first_session")  # fmt: skip
HARM = ("first_harm", "harm_after_completion", "harm_hazards", "harm_model", "repeated_harm", "without_harm")
ODD: dict[str, Callable[[], object]] = {
    **{f"analyses.{n}: other rules": asked(analyses, n, day=EARLIER, other=True) for n in FUNNEL if n not in {"completeness", "caseload"}},
    **{f"analyses.{n}: nobody": asked(analyses, n, day=NOBODY) for n in FUNNEL},
    **{f"analyses.{n}: nobody": asked(analyses, n, day=NOBODY) for n in HARM},
    "analyses.dose_by_week: other rules": lambda: analyses.dose_by_week(known(EARLIER, other=True), weeks=5, conf_level=0.8),
    "analyses.completeness: no sessions": lambda: analyses.completeness(known(EARLIER, "sessions")),
    "analyses.lost_to_follow_up: 20 days": lambda: analyses.lost_to_follow_up(known(EARLIER, other=True), days=20),
    "analyses.lost_to_follow_up: no sessions": lambda: analyses.lost_to_follow_up(known(without="sessions"), days=0),
    "analyses.lost_to_follow_up: no outcomes": lambda: analyses.lost_to_follow_up(known(without="outcomes")),
    "analyses.mean_stay: too long": lambda: analyses.mean_stay(known(), 5000),
    "analyses.returns: 10 days": lambda: analyses.returns(known(EARLIER, other=True), days=10),
    "analyses.reach: gender": lambda: analyses.reach(known(EARLIER, other=True), "gender", conf_level=0.8),
    "analyses.engaged_across: together": lambda: analyses.engaged_across(known(), ["employment", "referral_source"], by_arm=False),
    "analyses.referred: other rules": lambda: analyses.referred(known(EARLIER, other=True), date(2022, 4, 1), conf_level=0.8),
    "analyses.change: noised": lambda: analyses.change(
        known(), known(EARLIER), "half_dose", noise_variance=2, conf_level=0.8
    ),
    "analyses.trend: one step": lambda: analyses.trend([("a", known(EARLIER)), ("b", known())], ["half_dose"], conf_level=0.8),
    "analyses.late_entry: more people": lambda: analyses.late_entry(opened().at(EARLIER), 20),
    "analyses.completed_by: other rules": lambda: analyses.completed_by(known(other=True)),
    "analyses.harm_after_completion: other rules": lambda: analyses.harm_after_completion(known(other=True), 2)[1],
    "analyses.harm_model: everybody": lambda: analyses.harm_model(known(other=True), 1),
    "analyses.harm_model: many": lambda: analyses.harm_model(known(other=True), 30),
    "analyses.harm_hazards: everybody": lambda: analyses.harm_hazards(known(other=True), 1),
    "analyses.repeated_harm: other rules": lambda: analyses.repeated_harm(known(other=True), smallest=4),
    "analyses.mean_without_harm: too long": lambda: analyses.mean_without_harm(known(), 5000),
    **{f"analyses.compare_arms: {e}, {w}": functools.partial(lambda e, w: getattr(compared(e, "harm"), w)(), e, w)
       for e in ("ate", "overlap") for w in ("balance", "diagnose")},
    "analyses.compare_arms: ate, weighted": lambda: compared("ate", "harm").weighted(),
    "analyses.compare_arms: overlap, effects": lambda: compared("overlap", "harm").effects(120, n_boot=20),
    "analyses.compare_arms: too long, effects": lambda: compared("ate", "harm").effects(5000, n_boot=20),
    "analyses.compare_arms: nobody": lambda: analyses.compare_arms(known(NOBODY)),
    "analyses.e_values: harm": lambda: analyses.e_values(compared("ate", "harm"), 120, n_boot=20),
    "analyses.e_values: too few": lambda: analyses.e_values(compared("ate", "harm"), 1, n_boot=20),
    "analyses.equipoise: ate": lambda: analyses.equipoise(compared("ate", "harm")),
    "analyses.preference: ate": lambda: analyses.preference(compared("ate", "harm"), smallest=3),
    "analyses.preference: one class": lambda: analyses.preference(compared("ate", "harm"), smallest=500),
    "analyses.imputed: harm": lambda: analyses.imputed(compared("ate", "harm"), 120, m=2, burn_in=1, n_boot=25),
    "analyses.imputed: too long": lambda: analyses.imputed(compared("ate", "harm"), 5000, m=2, burn_in=1, n_boot=25),
    "analyses.precision: harm, twice": lambda: analyses.precision([None, compared("ate", "harm")], 2.0),
    "analyses.precision: none": lambda: analyses.precision([None]),
    "analyses.sensitivity: harm": lambda: analyses.sensitivity(compared("ate", "harm"), opened().at(CUT), 120, n_boot=25),
    "analyses.subgroups: many": lambda: analyses.subgroups(known(), smallest=9),
    "analyses.target_of: words": lambda: [analyses.target_of(study(estimand=e)) for e in ("att", "ate", "overlap")],
    "cohort.build: other rules": lambda: known(EARLIER, other=True).people,
    "cohort.build: other rules, attrition": lambda: known(EARLIER, other=True).attrition,
    "cohort.build: no sessions, attrition": lambda: known(EARLIER, "sessions").attrition,
    "cohort.build: no outcomes, attrition": lambda: known(EARLIER, "outcomes").attrition,
    "cohort.build: nobody, attrition": lambda: known(NOBODY).attrition,
    "cohort.build: said": lambda: [known(EARLIER, w).notes for w in ("sessions", "exits", "outcomes", "measures", "")],
    "cohort.restatements: two extracts": lambda: cohort.restatements(opened(), EARLIER, known_on=date(2022, 7, 20)),
}  # fmt: skip
