"""Comparison: proportions and published baselines, balance and adjustment, sensitivity and precision."""

from __future__ import annotations

from evalkit.compare._benchmark import Benchmark, NonInferiority, benchmark, noninferiority
from evalkit.compare._proportion import (
    Proportion,
    ProportionDifference,
    RiskRatio,
    proportion,
    proportion_difference,
    risk_ratio,
)

__all__ = [
    "Benchmark",
    "NonInferiority",
    "Proportion",
    "ProportionDifference",
    "RiskRatio",
    "benchmark",
    "noninferiority",
    "proportion",
    "proportion_difference",
    "risk_ratio",
]
