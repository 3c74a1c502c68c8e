"""Comparisons of small odd people and counts: nobody, everybody, a term one arm lacks, levels, clusters, outliers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from evalkit import stats
from evalkit.counts import Tally
from golden import odd
from golden.runner import data_set

TE, TC = ("day", "event"), ("day", "cause")


def counts() -> Tally:
    """Three groups, four terms; nobody, no event, all with the event, not known, and a term that the reference lacks."""
    rows = [
        ("a", "x", 3, 11), ("b", "x", 0, 9), ("c", "x", 7, 7), ("a", "y", 5, 5), ("b", "y", 6, 6), ("c", "y", 0, 0),
        ("a", "z", np.nan, 8), ("b", "z", 2, 8), ("c", "z", 1, 6), ("c", "only", 2, 3), ("a", "w", 4, 10), ("b", "w", 2, 12),
    ]  # fmt: skip
    return Tally(pd.DataFrame(rows, columns=["group", "term", "n_event", "n"]))


def two() -> pd.DataFrame:
    """Two arms: 13 and 31."""
    return odd.people().assign(arm=lambda d: np.where(d.index % 10 < 3, "pilot", "paip"))


def fit(covariates: object = ("x", "level"), **options: object) -> stats.Propensity:
    return stats.propensity(
        two(), "arm", covariates if isinstance(covariates, str) else list(covariates), focus="pilot", **options
    )


def effect(*columns: str, **options: object) -> Callable[[], object]:
    more = {"focus": "pilot", "n_boot": 25, "seed": 4, "tau": 7} | options
    return lambda: stats.adjusted_effect(two(), *columns, "arm", ["x", "level"], **more)


def pair(function: str, *numbers: int, **options: object) -> Callable[[], object]:
    return lambda: getattr(stats, function)(*numbers, **options)


def read_off() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A curve read with errors (it rises once), without its beginning, below numbers at risk that go beyond it."""
    curve = pd.DataFrame({"time": [4, 9, 15, 15, 22, 30, 41], "estimate": [0.97, 0.9, 0.86, 0.7, 0.72, 0.5, 0.44]})
    return curve, pd.DataFrame({"time": [0, 10, 20, 40], "n_risk": [60, 50, 31, 12]})


def rebuilt(n_event: int | None) -> Callable[[], object]:
    return lambda: stats.reconstruct(*read_off(), n_event=n_event)


def imputed() -> tuple[pd.DataFrame, ...]:
    data = data_set("frames_missing")[["age", "x", "arm", "time", "event"]].copy()
    data.loc[[2, 9, 30], "arm"] = None
    return stats.impute(data, ["age", "x", "arm"], time="time", event="event", m=3, burn_in=1, seed=8)


ODD: dict[str, Callable[[], object]] = {
    "proportion: odd, wilson": lambda: stats.Proportion().estimate(counts()),
    "proportion: odd, exact": lambda: stats.Proportion("exact", 0.9).estimate(counts()),
    "proportion_difference: odd": lambda: stats.ProportionDifference("b").estimate(counts()),
    "proportion_difference: odd, score": lambda: stats.ProportionDifference("b", "miettinen-nurminen", 0.9).estimate(counts()),
    "risk_ratio: odd": lambda: stats.RiskRatio("b", 0.9).estimate(counts()),
    "risk_ratio: odd, reference a": lambda: stats.RiskRatio("a").estimate(counts()),
    "benchmark: odd, fixed": lambda: stats.Benchmark(0.4, source="x").estimate(counts()),
    "benchmark: odd, estimated": lambda: stats.Benchmark(0.37, 46, "miettinen-nurminen", 0.9).estimate(counts()),
    "noninferiority: odd, fixed": lambda: stats.NonInferiority(0.6, 0.25).estimate(counts()),
    "noninferiority: odd, fixed harms": lambda: stats.NonInferiority(0.3, 0.2, higher_is_better=False, conf_level=0.9).estimate(counts()),
    "noninferiority: odd, estimated harms": lambda: stats.NonInferiority(0.37, 0.2, 46, higher_is_better=False).estimate(counts()),
    "propensity: odd, formula": lambda: fit("x + C(site)", estimand="ate", trim=0.2),
    "propensity: odd, levels": lambda: fit(("x", "level", "z"), estimand="overlap", stabilized=True),
    "diagnose: odd": lambda: stats.diagnose(fit(), stats.proportional_hazards_test(stats.cox(two(), *TE, ["x"])), smd=0.3, equipoise=0.3, preference=(0.45, 0.6), effective_sample_size=10.5),
    "adjusted_effect: odd, clusters": effect(*TE, measure=["rmst_difference", "risk_difference"], method=["standardised", "doubly_robust"], cluster="pair", estimand="ate", conf_level=0.9),
    "adjusted_effect: odd, overlap": effect(*TC, measure=["cif_difference", "hazard_ratio", "rmst_difference"], method=["iptw", "doubly_robust"], estimand="overlap"),
    "adjusted_effect: odd, before anything": effect("week", "cause", measure=["cif_difference", "risk_difference"], method=["iptw", "standardised"], tau=0.1),
    "adjusted_effect: odd, last day": effect(*TE, measure="rmst_difference", tau=12, conf_level=0.8),
    "adjusted_effect: odd, rows and clusters": effect(*TE, measure="hazard_ratio", estimand="ate", cluster="site", conf_level=0.8),
    "adjusted_curves: odd, clusters": lambda: stats.adjusted_curves(two(), *TE, "arm", ["x"], times=[0, 3, 12], estimand="overlap", cluster="pair", n_boot=25, seed=4, conf_level=0.8),
    "impute: odd, texts": imputed,
    "pool: odd, contrasts": lambda: stats.pool([stats.rmst_contrast(f, "time", "event", by="arm", tau=20, reference="paip") for f in imputed()], conf_level=0.9),
    "reconstruct: odd": rebuilt(None),
    "reconstruct: odd, fewer events": rebuilt(22),
    "reconstruct: odd, more events": rebuilt(40),
    "benchmark_curve: odd": lambda: stats.benchmark_curve(two(), *TE, *read_off(), tau=11, n_event=30, names=("ours", "theirs"), conf_level=0.8),
}  # fmt: skip
