"""Synthetic studies with a known truth.

`simulate` makes the raw tables of a study, seeded, with everything that makes real ones hard: covariates that
confound pathway and outcome, an unseen trait, site effects, late entry, corrections, missing values, returns,
second episodes. `integrate` gives the true values of what reports estimate, under the rules that people are drawn by:
completing is the dose of groups or a recorded exit, harm is counted from the intake, everybody of PAIP is compared.

Names of true values: ``scale.what[.cause].days.group``.

- ``initiation.cif.{start,lapse}.{30,60,90}``; ``retention.cif.{disengagement,completion}.{90,182,270,365}``:
  cumulative incidence;
- ``retention.hazard.{disengagement,completion}.{0-30,30-60,60-90,90-182,182-365}``: probability of the event
  in the interval for those still attending at its start;
- ``retention.rmst.{182,365}``: mean days to the first of both events, restricted;
- ``harm.risk.{182,365}``, ``harm.rmst.{182,365}``, ``harm.mcf.{182,365}``: risk, restricted mean days free
  of harm of the kinds of ``params/study.yaml``, mean number of days with it; ``dv_arrest.risk...`` and so on
  the same for domestic-violence arrests alone;
- groups ``focus``, ``comparison``, ``att_comparison`` (the pilot's people in PAIP) and ``att`` (focus less
  att_comparison); ``{harm,dv_arrest}.risk_ratio.{182,365}.att``; ``harm.hazard_ratio.conditional`` (given
  covariates and trait, everybody's).
"""

from evalkit.simulate._people import SCENARIOS, Scenario
from evalkit.simulate._study import Simulated, simulate, simulate_scales
from evalkit.simulate._truth import integrate

__all__ = ["SCENARIOS", "Scenario", "Simulated", "integrate", "simulate", "simulate_scales"]
