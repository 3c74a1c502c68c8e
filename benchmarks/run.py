"""Measures evalkit against lifelines, statsmodels and R; see README.md."""

import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time

from evalkit import stats


def best(run, repeat=3):
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def people(n, p, seed, whole=True):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    arm = rng.random(n) < 1 / (1 + np.exp(-0.4 * x[:, 0] + 0.3 * x[:, 1]))
    hazard = np.exp(0.3 * x @ np.linspace(-1, 1, p) - 0.4 * arm) / 400
    event = rng.exponential(1 / hazard)
    end = rng.uniform(200, 1400, n)
    day = np.minimum(event, end)
    data = pd.DataFrame({f"x{j}": x[:, j] for j in range(p)})
    data["arm"] = arm.astype(int)
    data["day"] = np.ceil(day) if whole else day
    data["event"] = (event <= end).astype(int)
    return data


def report(name, ours, theirs, against):
    print(f"{name:10s} {ours:9.4f} s   {against} {theirs:9.3f} s   {theirs / ours:7.1f} times faster", flush=True)


def curves():
    data = people(1_000_000, 2, 1)

    def ours():
        stats.kaplan_meier(data, "day", "event", by="arm")
        stats.logrank(data, "day", "event", "arm")
        stats.rmst(data, "day", "event", by="arm", tau=365)

    def ours_once():
        counts = stats.day_counts(data, "day", "event", by="arm")
        stats.KaplanMeier().estimate(counts)
        stats.LogRank().estimate(counts)
        stats.RestrictedMean(365).estimate(counts)

    def theirs():
        one, zero = data[data.arm == 1], data[data.arm == 0]
        for part in (one, zero):
            fit = KaplanMeierFitter().fit(part.day, part.event)
            restricted_mean_survival_time(fit, t=365)
        logrank_test(one.day, zero.day, one.event, zero.event)

    other = best(theirs, 2)
    report("curves", best(ours), other, "lifelines")
    report("  counts", best(ours_once), other, "lifelines")


def bootstrap():
    data = people(4000, 6, 2)
    data = pd.concat([data[data.arm == 1].head(160), data[data.arm == 0].head(900)], ignore_index=True)
    names = [f"x{j}" for j in range(6)]
    rng = np.random.default_rng(3)

    def ours():
        stats.adjusted_effect(data, "day", "event", "arm", names, tau=365, n_boot=2000, seed=1)

    def theirs():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(20):
                parts = [data[data.arm == a].sample(frac=1, replace=True, random_state=rng) for a in (1, 0)]
                drawn = pd.concat(parts)
                score = sm.Logit(drawn.arm, sm.add_constant(drawn[names])).fit(disp=0).predict()
                weight = np.where(drawn.arm == 1, 1, score / (1 - score))
                for a in (1, 0):
                    inside = (drawn.arm == a).to_numpy()
                    fit = KaplanMeierFitter().fit(drawn.day[inside], drawn.event[inside], weights=weight[inside])
                    restricted_mean_survival_time(fit, t=365)

    report("bootstrap", best(ours), best(theirs) * 100, "loop over statsmodels and lifelines")


def cox():
    data = people(100_000, 9, 4)
    names = [f"x{j}" for j in range(9)]

    def ours():
        stats.cox(data, "day", "event", names, robust=True)

    def ours_with_concordance():
        stats.cox(data, "day", "event", names, robust=True).glance()

    if shutil.which("Rscript") is None:
        print("cox: R is not installed; evalkit alone", best(ours))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "people.csv"
        data.to_csv(file, index=False)
        script = (
            f"library(survival); d <- read.csv('{file}'); f <- Surv(day, event) ~ {'+'.join(names)};"
            "t <- sapply(1:3, function(i) system.time(coxph(f, d, robust = TRUE))[['elapsed']]); cat(min(t))"
        )
        done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
    theirs = float(done.stdout.strip().split()[-1])
    report("cox", best(ours, 5), theirs, "R's coxph(robust=TRUE)")
    report("  glance", best(ours_with_concordance, 5), theirs, "R's coxph(robust=TRUE), concordance in both")


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["curves", "bootstrap", "cox"]
    for name in chosen:
        {"curves": curves, "bootstrap": bootstrap, "cox": cox}[name]()
