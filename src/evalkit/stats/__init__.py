"""Statistics over plain columns: tidy functions above, array programs over counts below. They know no study.

Survival analysis, proportions and published baselines, balance and adjustment, sensitivity and precision.
"""

from __future__ import annotations

from evalkit.stats._adjusted import adjusted_curves, adjusted_effect
from evalkit.stats._benchmark import Benchmark, NonInferiority, benchmark, noninferiority
from evalkit.stats._cox import CoxFit, cox
from evalkit.stats._cumulative_incidence import CumulativeIncidence, cumulative_incidence, mean_cumulative_count
from evalkit.stats._day_counts import day_counts
from evalkit.stats._diagnose import as_risk_ratio, diagnose, e_value
from evalkit.stats._fine_gray import fine_gray
from evalkit.stats._impute import impute, pool
from evalkit.stats._kaplan_meier import KaplanMeier, SurvivalDifference, kaplan_meier, survival_difference
from evalkit.stats._logistic import LogisticFit, logistic
from evalkit.stats._logrank import GrayTest, LogRank, gray_test, logrank
from evalkit.stats._occupation import StateDays, StateOccupation, state_days, state_occupation
from evalkit.stats._parametric import parametric
from evalkit.stats._power import minimum_detectable_hazard_ratio, power, schoenfeld_events
from evalkit.stats._propensity import Propensity, propensity
from evalkit.stats._proportion import (
    Proportion,
    ProportionDifference,
    RiskRatio,
    proportion,
    proportion_difference,
    risk_ratio,
)
from evalkit.stats._proportional_hazards import proportional_hazards_test
from evalkit.stats._quantile import FollowUp, SurvivalQuantile, follow_up, survival_quantile
from evalkit.stats._reconstruct import benchmark_curve, reconstruct
from evalkit.stats._rmst import RestrictedMean, RestrictedMeanContrast, rmst, rmst_contrast
from evalkit.stats._standardised import foretold, standardised_risks
from evalkit.stats._state_difference import state_difference
from evalkit.stats._transition_counts import from_landmark, landmark, transition_counts

__all__ = [
    "Benchmark",
    "CoxFit",
    "CumulativeIncidence",
    "FollowUp",
    "GrayTest",
    "KaplanMeier",
    "LogRank",
    "LogisticFit",
    "NonInferiority",
    "Propensity",
    "Proportion",
    "ProportionDifference",
    "RestrictedMean",
    "RestrictedMeanContrast",
    "RiskRatio",
    "StateDays",
    "StateOccupation",
    "SurvivalDifference",
    "SurvivalQuantile",
    "adjusted_curves",
    "adjusted_effect",
    "as_risk_ratio",
    "benchmark",
    "benchmark_curve",
    "cox",
    "cumulative_incidence",
    "day_counts",
    "diagnose",
    "e_value",
    "fine_gray",
    "follow_up",
    "foretold",
    "from_landmark",
    "gray_test",
    "impute",
    "kaplan_meier",
    "landmark",
    "logistic",
    "logrank",
    "mean_cumulative_count",
    "minimum_detectable_hazard_ratio",
    "noninferiority",
    "parametric",
    "pool",
    "power",
    "propensity",
    "proportion",
    "proportion_difference",
    "proportional_hazards_test",
    "reconstruct",
    "risk_ratio",
    "rmst",
    "rmst_contrast",
    "schoenfeld_events",
    "standardised_risks",
    "state_days",
    "state_difference",
    "state_occupation",
    "survival_difference",
    "survival_quantile",
    "transition_counts",
]
