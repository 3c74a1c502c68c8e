"""Many studies, the estimators of `evalkit.stats`, and the stated truth.

The studies are `simulate_scales`; `test_pipeline` holds those, person by person, to the tables' own cohort.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit import stats
from evalkit.simulate import simulate_scales
from evalkit.stats import propensity

COVARIATES = ["age", "gender", "race_ethnicity", "employment", "prior_dv_arrests", "alcohol_use"]
CAUSES = {"initiation": ["start", "lapse"], "retention": ["disengagement", "completion"]}
DAYS = {"initiation": [30, 60, 90], "retention": [90, 182, 270]}
STEPS = [(0, 30), (30, 60), (60, 90), (90, 182)]
HORIZONS = [182, 365]


def named(frame, people):
    found = frame.merge(people.drop(columns="focus"), on="person")
    found["group"] = np.where(found["focus"], "focus", "comparison")
    found["employment"] = found["employment"].astype(float)
    found["alcohol_use"] = found["alcohol_use"].astype(float)
    # Levels that only a person or two of the pilot have would tell the arms apart in some studies. Coarsened, the
    # propensity is still exactly logistic: within the coarse level the split is the same in both arms.
    found["gender"] = np.where(found["gender"].eq("man"), "man", "not a man")
    found["race_ethnicity"] = np.where(found["race_ethnicity"].eq("black"), "black", "not black")
    found["any"] = (found["cause"] > 0).astype(int)
    return found


def weighted(frame):
    scores = propensity(frame, "group", COVARIATES, estimand="att", focus="focus")
    return frame.assign(w=scores.weights)


def incidence(scale, frame, weights=None):
    found = stats.cumulative_incidence(
        frame, "time", "cause", by="group", causes=CAUSES[scale], weights=weights, times=sorted({*DAYS[scale], 30, 60})
    ).tidy()
    return found.set_index(["group", "cause", "time"])["estimate"]


def scale_estimates(scale, frame):
    out = {}
    plain, adjusted = incidence(scale, frame), incidence(scale, weighted(frame), "w")
    for cause in CAUSES[scale]:
        for t in DAYS[scale]:
            if cause == "completion" and t < 100:
                continue
            name = f"{scale}.cif.{cause}.{t}"
            for group in ("focus", "comparison"):
                out[f"{name}.{group}"] = plain[group, cause, t]
            out[f"{name}.att_comparison"] = adjusted["comparison", cause, t]
            out[f"{name}.att"] = adjusted["focus", cause, t] - adjusted["comparison", cause, t]
    return out


def retention_estimates(frame):
    out = scale_estimates("retention", frame)
    cif = incidence("retention", frame)
    for group in ("focus", "comparison"):
        at = {t: {c: cif[group, c, t] for c in CAUSES["retention"]} for t in (30, 60, 90, 182)}
        at[0] = dict.fromkeys(CAUSES["retention"], 0.0)
        for a, b in STEPS:
            free = 1 - sum(at[a].values())
            out[f"retention.hazard.disengagement.{a}-{b}.{group}"] = (
                at[b]["disengagement"] - at[a]["disengagement"]
            ) / free
    means = stats.rmst(frame, "time", "any", tau=182, by="group").tidy().set_index("group")["estimate"]
    for group in ("focus", "comparison"):
        out[f"retention.rmst.182.{group}"] = means[group]
    return out


def harm_estimates(frame, recurrent, name="harm"):
    out, both = {}, {}
    for kind, data, w in (("plain", frame, None), ("adjusted", weighted(frame), "w")):
        curve = stats.kaplan_meier(data, "time", "any", by="group", weights=w, times=HORIZONS).tidy()
        both[kind] = {(g, "risk", t): 1 - s for g, t, s in curve[["group", "time", "estimate"]].itertuples(index=False)}
        for t in HORIZONS:
            means = stats.rmst(data, "time", "any", tau=t, by="group", weights=w).tidy()
            both[kind] |= {(g, "rmst", t): m for g, m in means[["group", "estimate"]].itertuples(index=False)}
    counts = stats.mean_cumulative_count(recurrent, "time", "any", "person", by="group", times=HORIZONS).tidy()
    for t in HORIZONS:
        for what in ("risk", "rmst"):
            for group in ("focus", "comparison"):
                out[f"{name}.{what}.{t}.{group}"] = both["plain"][group, what, t]
            a, b = both["adjusted"]["focus", what, t], both["adjusted"]["comparison", what, t]
            out[f"{name}.{what}.{t}.att_comparison"], out[f"{name}.{what}.{t}.att"] = b, a - b
    for row in counts.itertuples():
        out[f"{name}.mcf.{row.time:g}.{row.group}"] = row.estimate
    return out


def estimates(seed, scenario="benefit", **sizes):
    """Every estimand of one study, by the truth's names."""
    scales = simulate_scales(scenario, seed=seed, **sizes)
    people = scales["people"]
    found = scale_estimates("initiation", named(scales["initiation"], people))
    found |= retention_estimates(named(scales["retention"], people))
    return found | harm_estimates(named(scales["harm"], people), named(scales["harm_recurrent"], people))


def against_truth(table, value, error):
    """Mean estimate, truth, and how many standard errors lie between them, for each estimand."""
    mean, se = table.mean(), table.std(ddof=1) / np.sqrt(table.notna().sum())
    truth = pd.Series({k: value[k] for k in table.columns})
    own = pd.Series({k: error[k] for k in table.columns})
    z = (mean - truth) / np.sqrt(se**2 + own**2)
    return pd.DataFrame(
        {"mean": mean, "truth": truth, "mcse": se, "truth_error": own, "z": z, "z_mcse": (mean - truth) / se}
    )
