"""Comparison: proportions and published baselines, balance and adjustment, sensitivity and precision."""

from __future__ import annotations

from evalkit.compare._adjusted import adjusted_curves, adjusted_effect
from evalkit.compare._benchmark import Benchmark, NonInferiority, benchmark, noninferiority
from evalkit.compare._diagnose import diagnose
from evalkit.compare._e_value import e_value
from evalkit.compare._impute import impute, pool
from evalkit.compare._power import minimum_detectable_hazard_ratio, power, schoenfeld_events
from evalkit.compare._propensity import Propensity, propensity
from evalkit.compare._proportion import (
    Proportion,
    ProportionDifference,
    RiskRatio,
    proportion,
    proportion_difference,
    risk_ratio,
)
from evalkit.compare._reconstruct import benchmark_curve, reconstruct
from evalkit.compare._state_difference import state_difference

__all__ = [
    "Benchmark",
    "NonInferiority",
    "Propensity",
    "Proportion",
    "ProportionDifference",
    "RiskRatio",
    "adjusted_curves",
    "adjusted_effect",
    "benchmark",
    "benchmark_curve",
    "diagnose",
    "e_value",
    "impute",
    "minimum_detectable_hazard_ratio",
    "noninferiority",
    "pool",
    "power",
    "propensity",
    "proportion",
    "proportion_difference",
    "reconstruct",
    "risk_ratio",
    "schoenfeld_events",
    "state_difference",
]
