"""Small odd people: three arms of unequal sizes, ties, entries after events, weights of 0, levels nobody has, times in weeks.

What R knows of such data stands in `edges.json` and `unusual.json`; these frames hold every column of every option.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pandas as pd

from evalkit import stats
from golden.runner import data_set


@functools.cache
def people(seed: int = 5) -> pd.DataFrame:
    """Draw 44 people."""
    rng = np.random.default_rng(seed)
    n = 44
    day = rng.integers(1, 13, n)
    cause = rng.choice([0, 1, 1, 2], n)
    return pd.DataFrame({
        "arm": rng.choice(["a", "b", "c"], n, p=[0.5, 0.35, 0.15]), "day": day, "week": day / 7, "cause": cause,
        "event": (cause == 1).astype(int), "entry": np.where(rng.random(n) < 0.3, np.minimum(rng.integers(1, 5, n), day - 1), 0),
        "w": rng.choice([0, 0.5, 1, 2.5, 3], n), "x": rng.integers(0, 6, n), "z": rng.integers(0, 2, n), "site": rng.integers(0, 3, n),
        "level": pd.Categorical(rng.choice(["low", "mid", "high"], n), ["nobody", "low", "mid", "high"]), "pair": np.arange(n) // 2,
    })  # fmt: skip


def asked(name: str, *columns: object, **options: object) -> Callable[[], object]:
    """Ask a function of `evalkit.stats` about these people."""
    return lambda: getattr(stats, name)(people(), *columns, **options)


TE, TC = ("day", "event"), ("day", "cause")
ALL = {"by": "arm", "entry": "entry", "weights": "w"}
MASS = {"by": "arm", "weights": "w"}


def proportional(transform: str, **options: object) -> Callable[[], object]:
    return lambda: stats.proportional_hazards_test(stats.cox(people(), *TE, ["x", "level"], **options), transform)


ODD: dict[str, Callable[[], object]] = {
    "kaplan_meier: odd, late, weighted": asked("kaplan_meier", *TE, **ALL, conf_type="plain"),
    "kaplan_meier: odd, robust at times": asked("kaplan_meier", *TE, **MASS, robust=True, conf_type="log", times=[0, 2, 6.5, 12, 12.5]),
    "kaplan_meier: odd, weeks": asked("kaplan_meier", "week", "event", by="arm", times=[k / 7 for k in (1, 3, 6, 9)]),
    "day_counts: odd, weeks": asked("day_counts", "week", "cause", **MASS),
    "cumulative_incidence: odd, greenwood": asked("cumulative_incidence", *TC, by="arm", variance="greenwood", conf_type="log"),
    "cumulative_incidence: odd, greenwood, late": asked("cumulative_incidence", *TC, **ALL, variance="greenwood", conf_type="plain"),
    "cumulative_incidence: odd, aalen, late, weighted": asked("cumulative_incidence", *TC, **ALL, times=[0, 3, 7, 13]),
    "gray_test: odd, strata": asked("gray_test", *TC, "arm", strata="site", rho=1),
    "gray_test: odd, three causes named": asked("gray_test", *TC, "arm", causes=["one", "two", "none"]),
    "logrank: odd, strata": asked("logrank", *TE, "arm", strata="site", rho=1, gamma=0.5, entry="entry"),
    "fine_gray: odd": asked("fine_gray", *TC, ["x", "level", "z"]),
    "follow_up: odd": asked("follow_up", *TC, **ALL, q=[0.25, 0.6], conf_type="plain", conf_level=0.8),
    "survival_quantile: odd, late": asked("survival_quantile", *TE, **ALL, q=[0.15, 0.4, 0.75], conf_type="log"),
    "survival_quantile: odd, robust": asked("survival_quantile", *TE, **MASS, q=0.3, robust=True, conf_level=0.8),
    "rmst: odd, late, weighted": asked("rmst", *TE, **ALL, tau=9.5, conf_level=0.9),
    "rmst_contrast: odd, robust": asked("rmst_contrast", *TE, **MASS, tau=8, reference="b", robust=True, conf_level=0.9),
    "survival_difference: odd, hybrid": asked("survival_difference", *TE, "arm", times=[0, 4, 8, 12.5], reference="b", entry="entry", conf_type="log-log", conf_level=0.9, seed=2),
    "survival_difference: odd, log": asked("survival_difference", *TE, "arm", times=[3, 9], reference="a", conf_type="log", seed=2),
    "cox: odd, formula, late": asked("cox", *TE, "x * z + C(site)", entry="entry", ties="breslow"),
    "cox: odd, strata, late, weighted": asked("cox", *TE, ["x", "level"], strata="site", entry="entry", weights="w", conf_level=0.9),
    "cox: odd, robust, strata, late": asked("cox", *TE, ["x", "level"], strata="site", entry="entry", weights="w", cluster="pair"),
    "cox: odd, robust, breslow": asked("cox", *TE, ["x", "z"], weights="w", ties="breslow", robust=True),
    "cox: odd, firth, strata, late": lambda: stats.cox(people().iloc[:22], *TE, ["x", "z"], strata="site", entry="entry", weights="w", penalizer="firth", conf_level=0.9),
    "cox: odd, separated": lambda: stats.cox(people().assign(told=lambda d: d["event"] * 1.5), *TE, ["told", "x", "z"]),
    "cox: odd, wide": lambda: stats.cox(people().assign(x=lambda d: np.where(d.index == 3, 4000, d["x"])), *TE, ["x", "z"], entry="entry"),
    "proportional_hazards_test: odd, km": proportional("km", strata="site", weights="w"),
    "proportional_hazards_test: odd, rank": proportional("rank", entry="entry"),
    "proportional_hazards_test: odd, identity": proportional("identity", ties="breslow", strata="site"),
    "proportional_hazards_test: odd, log": proportional("log", cluster="pair"),
    "parametric: odd, late, weighted": asked("parametric", *TE, entry="entry", weights="w", models=["log-logistic", "log-normal"]),
    "mean_cumulative_count: odd": lambda: stats.mean_cumulative_count(data_set("frames_recurrent"), "time", "event", "person", by="arm", times=[0, 9.5, 20, 36, 41], conf_level=0.9),
    "landmark: odd": lambda: stats.landmark(people()[["arm", "day", "entry"]].astype({"entry": "Int64"}), "day", at=6, known="entry", label="early", yes="by day 6", no="later"),
}  # fmt: skip
