"""The study's comparison of its arms: unadjusted, balance and overlap, adjusted, sensitivity, precision."""

from evalkit.comparison._balance import BalanceOf
from evalkit.comparison._compare import N_BOOT, TARGETS, Comparison, compare_arms, target_of
from evalkit.comparison._e_values import e_values
from evalkit.comparison._imputed import imputed
from evalkit.comparison._outcome import Outcome, outcome
from evalkit.comparison._overlap import equipoise, preference
from evalkit.comparison._pathway import pathway_difference
from evalkit.comparison._precision import PrecisionOf, precision
from evalkit.comparison._sensitivity import sensitivity
from evalkit.comparison._subgroups import differences_of, subgroups

__all__ = [
    "N_BOOT",
    "TARGETS",
    "BalanceOf",
    "Comparison",
    "Outcome",
    "PrecisionOf",
    "compare_arms",
    "differences_of",
    "e_values",
    "equipoise",
    "imputed",
    "outcome",
    "pathway_difference",
    "precision",
    "preference",
    "sensitivity",
    "subgroups",
    "target_of",
]
