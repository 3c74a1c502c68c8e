"""Survival analysis over plain columns: tidy functions above, array programs over counts below."""

from __future__ import annotations

from evalkit.survival._cox import CoxFit, cox
from evalkit.survival._cumulative_incidence import CumulativeIncidence, cumulative_incidence
from evalkit.survival._day_counts import day_counts
from evalkit.survival._difference import SurvivalDifference, survival_difference
from evalkit.survival._fine_gray import fine_gray
from evalkit.survival._gray import GrayTest, gray_test
from evalkit.survival._kaplan_meier import KaplanMeier, kaplan_meier
from evalkit.survival._landmark import landmark
from evalkit.survival._logrank import LogRank, logrank
from evalkit.survival._occupation import StateDays, StateOccupation, state_days, state_occupation
from evalkit.survival._parametric import parametric
from evalkit.survival._proportional_hazards import proportional_hazards_test
from evalkit.survival._quantile import FollowUp, SurvivalQuantile, follow_up, survival_quantile
from evalkit.survival._recurrent import mean_cumulative_count
from evalkit.survival._rmst import RestrictedMean, RestrictedMeanContrast, rmst, rmst_contrast
from evalkit.survival._standardised import foretold, standardised_risks
from evalkit.survival._transition_counts import from_landmark, transition_counts

__all__ = [
    "CoxFit",
    "CumulativeIncidence",
    "FollowUp",
    "GrayTest",
    "KaplanMeier",
    "LogRank",
    "RestrictedMean",
    "RestrictedMeanContrast",
    "StateDays",
    "StateOccupation",
    "SurvivalDifference",
    "SurvivalQuantile",
    "cox",
    "cumulative_incidence",
    "day_counts",
    "fine_gray",
    "follow_up",
    "foretold",
    "from_landmark",
    "gray_test",
    "kaplan_meier",
    "landmark",
    "logrank",
    "mean_cumulative_count",
    "parametric",
    "proportional_hazards_test",
    "rmst",
    "rmst_contrast",
    "standardised_risks",
    "state_days",
    "state_occupation",
    "survival_difference",
    "survival_quantile",
    "transition_counts",
]
