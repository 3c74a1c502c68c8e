"""Coverage of 95 % intervals and type I errors, by simulation with known truth: 160 + 900 people.

``python benchmarks/coverage.py STUDIES [SEED]`` prints one row per estimand. Two causes compete (harm of
cause 1, cause 2), hazards depend on three covariates that differ between the arms, censoring is uniform.
"""

import sys

import numpy as np
import pandas as pd

from evalkit import compare, survival

TAU, BOOT = 365.0, 400
EFFECT = (-0.5, -0.1)
SLOPES = np.array([[0.4, -0.3, 0.5], [0.1, 0.2, -0.2]])
NAMES = ["x1", "x2", "x3"]


def covariates(rng, n, arm):
    x = rng.normal(size=(n, 3)) + 0.4 * np.array([1, -1, 0]) * arm
    x[:, 2] = rng.random(n) < (0.45 if arm else 0.3)
    return x


def outcomes(rng, x, arm, effect=EFFECT):
    base = np.array([1 / 600, 1 / 900])
    rates = base * np.exp(x @ SLOPES.T + np.array(effect) * arm)
    return rng.exponential(1 / rates)


def study(rng, effect=EFFECT, same=False):
    parts = []
    for arm, n in ((1, 160), (0, 900)):
        x = covariates(rng, n, 0 if same else arm)
        latent = outcomes(rng, x, arm, effect)
        end = rng.uniform(365, 1200, n)
        day = np.ceil(np.minimum(latent.min(axis=1), end))
        cause = np.where(latent.min(axis=1) <= end, latent.argmin(axis=1) + 1, 0)
        parts.append(pd.DataFrame(x, columns=NAMES).assign(arm=arm, day=day, cause=cause))
    return pd.concat(parts, ignore_index=True).assign(event=lambda d: (d["cause"] > 0).astype(int))


def truth(rng, n=2_000_000):
    def three(population, arm):
        latent = outcomes(rng, covariates(rng, n, population), arm)
        first = np.ceil(latent.min(axis=1))
        own = (latent.argmin(axis=1) == 0) & (first <= TAU)
        return np.array([np.minimum(first, TAU).mean(), (first <= TAU).mean(), own.mean()])

    att = three(1, 1) - three(1, 0)
    return {
        "rmst_difference": att[0],
        "risk_difference": att[1],
        "cif_difference": att[2],
        "plain": three(1, 1)[0] - three(0, 0)[0],
        "log hazard ratio": EFFECT[0],
    }


def one_study(rng, true):
    data, found = study(rng), {}
    for measure in ("rmst_difference", "risk_difference", "cif_difference"):
        event = "cause" if measure == "cif_difference" else "event"
        for method in ("iptw", "standardised", "doubly_robust"):
            row = compare.adjusted_effect(
                data,
                "day",
                event,
                "arm",
                NAMES,
                measure=measure,
                method=method,
                tau=TAU,
                n_boot=BOOT,
                seed=int(rng.integers(2**31)),
            ).data.iloc[0]
            found[f"{measure}, {method} (ATT)"] = (row, true[measure])
    row = survival.rmst_contrast(data, "day", "event", by="arm", tau=TAU, reference=0).data.iloc[0]
    found["RMST difference, unadjusted"] = (row, true["plain"])
    own = data.assign(event=(data["cause"] == 1).astype(int))
    row = survival.cox(own, "day", "event", ["arm", *NAMES]).data.iloc[0]
    found["Cox log hazard ratio, cause 1"] = (row, true["log hazard ratio"])
    cover = {k: (r["conf_low"] <= t <= r["conf_high"], r["estimate"] - t) for k, (r, t) in found.items()}
    null = study(rng, (0.0, 0.0), same=True)
    gray = survival.gray_test(null, "day", "cause", "arm").data["p_value"].iloc[0]
    return cover, (survival.logrank(null, "day", "event", "arm").summary["p_value"], gray)


def main(studies, seed):
    rng = np.random.default_rng(seed)
    true = truth(rng)
    results = [one_study(rng, true) for _ in range(studies)]
    print(f"{studies} studies, {BOOT} bootstrap replicates, seed {seed}")
    for name in results[0][0]:
        hits = np.array([r[0][name][0] for r in results])
        error = np.array([r[0][name][1] for r in results])
        print(f"{name:45s} coverage {hits.mean():.3f}  bias {error.mean():8.4f}  sd {error.std():7.4f}", flush=True)
    p = np.array([r[1] for r in results])
    print(f"type I error at 5 %: log-rank {(p[:, 0] < 0.05).mean():.3f}, Gray {(p[:, 1] < 0.05).mean():.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
