"""Coverage, bias and type I error in the project's own simulated studies; ``python -m benchmarks.validation``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.validation_page import draw, page
from joblib import Parallel, delayed

from evalkit import stats
from evalkit.errors import EvalkitError
from evalkit.simulate import integrate, simulate_scales
from evalkit.simulate._people import get_scenario
from evalkit.simulate._study import draw_course
from evalkit.simulate._truth import known_truth

# Curves of the arms as they are cost little: they are estimated in more studies, after the STUDIES of all the rest.
# 199 replicates put percentile limits on whole order statistics, the 5th and the 195th, whose content is 95 %.
STUDIES, CRUDE_STUDIES, SEED, N_BOOT, LARGE = 1000, 8000, 20260, 199, 20
COPIES, FAR = 100, 10**6
N_FOCUS, N_COMPARISON = 160, 900
SCENARIO, NULL = "benefit", "null"
STARTS, ENDS = pd.Timestamp(2021, 11, 18).date(), pd.Timestamp(2023, 12, 31).date()
COVARIATES = ("age", "gender", "race_ethnicity", "employment", "prior_dv_arrests", "alcohol_use")
METHODS = ("iptw", "standardised", "doubly_robust")
# scale, column of the event, measures of `adjusted_effect`, horizon: one call each
ADJUSTED = (
    ("harm", "any", ("rmst_difference", "risk_difference"), 365),
    ("retention", "disengagement", ("cif_difference",), 182),
    ("retention", "completion", ("cif_difference",), 182),
)
# which truth an event's measure is held to
TRUTH_OF = {
    ("any", "rmst_difference"): "harm.rmst.365",
    ("any", "risk_difference"): "harm.risk.365",
    ("disengagement", "cif_difference"): "retention.cif.disengagement.182",
    ("completion", "cif_difference"): "retention.cif.completion.182",
}
CRUDE = {"harm.rmst.365": ("harm", 365), "retention.rmst.182": ("retention", 182)}
LOG_RATIO = "harm.hazard_ratio.conditional"
Found = dict[str, tuple[float, float, float, float]]


def named(frame: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Return a scale with its people's covariates, rare levels joined, and the events as columns.

    Levels that a person or two of the pilot have would tell the arms apart in some studies. Joined, the propensity
    score is still exactly logistic: within the joined level the split is the same in both arms.

    Parameters
    ----------
    frame, people : pandas.DataFrame
        A time scale and ``people`` of `simulate_scales`.

    Returns
    -------
    pandas.DataFrame
    """
    found = frame.merge(people.drop(columns="focus"), on="person")
    found["arm"] = found["focus"].astype(int)
    found["employment"] = found["employment"].astype(float)
    found["alcohol_use"] = found["alcohol_use"].astype(float)
    found["gender"] = np.where(found["gender"].eq("man"), "man", "not a man")
    found["race_ethnicity"] = np.where(found["race_ethnicity"].eq("black"), "black", "not black")
    found["any"] = (found["cause"] > 0).astype(int)
    found["disengagement"] = found["cause"]
    found["completion"] = found["cause"].map({0: 0, 1: 2, 2: 1})
    return found


def four(row: pd.Series, sign: int = 1) -> tuple[float, float, float, float]:
    """Return estimate, limits and standard error of a row of results, with its sign turned if asked."""
    low, high = sorted((sign * float(row["conf_low"]), sign * float(row["conf_high"])))
    return sign * float(row["estimate"]), low, high, float(row["std_error"])


def adjusted(scales: dict[str, pd.DataFrame], seed: int, n_boot: int) -> Found:
    """Estimate the adjusted effects of one study, by every method."""
    found: Found = {}
    for scale, event, measures, tau in ADJUSTED:
        try:
            result = stats.adjusted_effect(
                scales[scale], "time", event, "arm", list(COVARIATES),
                measure=measures, method=METHODS, tau=tau, n_boot=n_boot, seed=seed,
            )  # fmt: skip
        except EvalkitError:
            continue  # counted: the row has fewer studies than were simulated
        for _, row in result.data.iterrows():
            found[f"{TRUTH_OF[event, row['measure']]}.att|{row['method']}"] = four(row)
    return found


def crude(scales: dict[str, pd.DataFrame]) -> Found:
    """Estimate the differences between the arms as they are."""
    found: Found = {}
    for name, (scale, tau) in CRUDE.items():
        means = stats.rmst_contrast(scales[scale], "time", "any", by="arm", tau=tau, reference=0)
        found[f"{name}.crude|plain"] = four(means.data.iloc[0])
    for conf_type in ("plain", "log-log"):
        curves = stats.survival_difference(
            scales["harm"], "time", "any", by="arm", times=[365], reference=0, conf_type=conf_type
        )
        found[f"harm.risk.365.crude|{conf_type}"] = four(curves.data.iloc[0], -1)
    return found


def cox_models(scenario: str, seed: int, harm: pd.DataFrame) -> Found:
    """Fit the arm's log hazard ratio of harm, given what is measured and given everything.

    Everything is what the hazard of harm is made from: the covariates as the simulator uses them, the site and the
    unseen trait. Given these hazards are exactly proportional; they are drawn again from the study's own seed.
    """
    model = get_scenario(scenario)
    course, _ = draw_course(model, seed, N_FOCUS, N_COMPARISON, STARTS, ENDS)
    people = course.people
    at = harm["person"].to_numpy()
    full = harm.assign(
        woman=(people.gender[at] == 1).astype(float), trait=people.trait[at], site=np.char.mod("s%d", people.area[at])
    )
    measured = stats.cox(harm, "time", "any", ["arm", *COVARIATES]).data.iloc[0]
    everything = ["arm", "age", "woman", "employment", "prior_dv_arrests", "alcohol_use", "site", "trait"]
    found = {f"{scenario}.cox|measured": four(measured)}
    if scenario == SCENARIO:
        found[f"{scenario}.cox|everything"] = four(stats.cox(full, "time", "any", everything).data.iloc[0])
    return found


def null_tests(scales: dict[str, pd.DataFrame], seed: int) -> dict[str, float]:
    """Return p values in the null scenario, with 160 people drawn at random as one group and the rest as the other."""
    chosen = np.random.default_rng([seed, 99]).permutation(N_FOCUS + N_COMPARISON) < N_FOCUS
    harm, retention = (scales[k].assign(half=chosen[scales[k]["person"]].astype(int)) for k in ("harm", "retention"))
    return {
        "logrank|harm": float(stats.logrank(harm, "time", "any", "half").summary["p_value"]),
        "logrank|retention": float(stats.logrank(retention, "time", "any", "half").summary["p_value"]),
        "gray|disengagement": float(stats.gray_test(retention, "time", "cause", "half").data["p_value"].iloc[0]),
        "gray|completion": float(stats.gray_test(retention, "time", "completion", "half").data["p_value"].iloc[0]),
    }


def scales_of(scenario: str, seed: int) -> dict[str, pd.DataFrame]:
    """Simulate a study's scales of retention and harm, with covariates."""
    made = simulate_scales(
        scenario, seed=seed, n_focus=N_FOCUS, n_comparison=N_COMPARISON, starts=STARTS, ends=ENDS
    )  # fmt: skip
    return {k: named(made[k], made["people"]) for k in ("harm", "retention")}


def one_study(seed: int, n_boot: int = N_BOOT) -> tuple[Found, dict[str, float]]:
    """Simulate a study of the effect's scenario and one of the null scenario, and analyse both.

    Parameters
    ----------
    seed, n_boot : int

    Returns
    -------
    estimates : dict
        Estimate, limits and standard error by ``truth|method``.
    p_values : dict
    """
    scales, null = scales_of(SCENARIO, seed), scales_of(NULL, seed)
    found = adjusted(scales, seed, n_boot) | crude(scales)
    found |= cox_models(SCENARIO, seed, scales["harm"]) | cox_models(NULL, seed, null["harm"])
    return found, null_tests(null, seed)


def crude_study(seed: int) -> tuple[Found, dict[str, float]]:
    """Simulate a study of the effect's scenario and compare its arms as they are; results as of `one_study`."""
    return crude(scales_of(SCENARIO, seed)), {}


def truths() -> dict[str, tuple[float, float]]:
    """Return the true value of each row and its Monte Carlo error, on the scale of the estimates.

    All are in the simulator's ``truth.json`` (2.5 million people in each population); one that is not would be
    integrated here.
    """
    known = known_truth(SCENARIO)
    wanted = {f"{name}.{group}" for name in TRUTH_OF.values() for group in ("focus", "comparison", "att")}
    if not wanted <= set(known["value"]):
        known = integrate(SCENARIO)
    value, error = known["value"], known["error"]
    found = {f"{name}.att": (value[f"{name}.att"], error[f"{name}.att"]) for name in TRUTH_OF.values()}
    for name in (*CRUDE, "harm.risk.365"):
        a, b = f"{name}.focus", f"{name}.comparison"
        found[f"{name}.crude"] = (value[a] - value[b], float(np.hypot(error[a], error[b])))
    found[f"{SCENARIO}.cox"] = (float(np.log(value[LOG_RATIO])), 0.0)
    found[f"{NULL}.cox"] = (0.0, 0.0)
    return found


def cox_limit(large: int) -> tuple[float, float]:
    """Return what the log hazard ratio given the measured covariates aims at where hazards are not proportional.

    Parameters
    ----------
    large : int
        Studies of `COPIES` times the people, under the same follow-up.

    Returns
    -------
    tuple of float
        The mean of their estimates and its standard error.
    """
    found = []
    for k in range(large):
        made = simulate_scales(
            SCENARIO,
            seed=FAR + k,
            n_focus=COPIES * N_FOCUS,
            n_comparison=COPIES * N_COMPARISON,
            starts=STARTS,
            ends=ENDS,
        )
        harm = named(made["harm"], made["people"])
        found.append(four(stats.cox(harm, "time", "any", ["arm", *COVARIATES]).data.iloc[0]))
    table = np.array(found)
    return float(table[:, 0].mean()), float(np.sqrt((table[:, 3] ** 2).sum()) / large)


def summarise(
    results: list[tuple[Found, dict[str, float]]], limit: tuple[float, float], first: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a row per estimand and method, and one per test.

    Parameters
    ----------
    results : list
        What `one_study` returned, then what `crude_study` did.
    limit : tuple of float
        From `cox_limit`.
    first : int
        Studies of `one_study`.

    Returns
    -------
    estimates, tests : list of dict
        Rounded to six significant digits, so that a run gives the same file on every machine.
    """
    known = {**truths(), f"{SCENARIO}.cox.limit": limit}
    names = list(dict.fromkeys(key for found, _ in results for key in found))
    aims = [(name.split("|")[0], name) for name in names]
    aims.append((f"{SCENARIO}.cox.limit", f"{SCENARIO}.cox|measured"))
    rows = []
    for estimand, name in aims:
        table = np.array([found[name] for found, _ in results if name in found])
        row = {"estimand": estimand, "method": name.split("|")[1]} | _against(table, *known[estimand])
        if len(table) > first:
            row |= {"first": first, "covered_first": _against(table[:first], *known[estimand])["covered"]}
        rows.append(row)
    tests = []
    for name in results[0][1]:
        p = np.array([found[name] for _, found in results if name in found])
        test, on = name.split("|")
        tests.append({"test": test, "on": on, "n": len(p), "rejected": int((p < 0.05).sum())})
    return [_rounded(row) for row in rows], tests


def _against(table: np.ndarray, true: float, error: float) -> dict[str, Any]:
    """Return how estimates, limits and standard errors (n, 4) stand to the truth."""
    estimate, low, high, spread = table.T
    return {
        "truth": true, "truth_error": error, "n": len(table),
        "covered": int(((low <= true) & (true <= high)).sum()),
        "too_low": int((high < true).sum()), "too_high": int((low > true).sum()),
        "bias": float((estimate - true).mean()), "sd": float(estimate.std(ddof=1)),
        "std_error": float(spread.mean()), "width": float((high - low).mean()),
    }  # fmt: skip


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in row.items()}


def report(
    results: list[tuple[Found, dict[str, float]]],
    limit: tuple[float, float],
    *,
    first: int,
    seed: int,
    n_boot: int,
    large: int,
) -> dict[str, Any]:
    """Return what ``validation.json`` holds."""
    estimates, tests = summarise(results, limit, first)
    settings = {
        "studies": first, "crude_studies": len(results), "seed": seed, "n_boot": n_boot,
        "n_focus": N_FOCUS, "n_comparison": N_COMPARISON,
        "starts": str(STARTS), "ends": str(ENDS), "scenario": SCENARIO, "null": NULL, "covariates": list(COVARIATES),
        "large_people": large * COPIES * (N_FOCUS + N_COMPARISON),
    }  # fmt: skip
    return {"settings": settings, "estimates": estimates, "tests": tests}


def write(found: dict[str, Any], out: Path) -> None:
    """Write the page and its picture.

    Parameters
    ----------
    found : dict
        Content of ``validation.json``.
    out : pathlib.Path
        The folder with ``docs``.
    """
    (out / "docs" / "images").mkdir(parents=True, exist_ok=True)
    (out / "docs" / "validation.md").write_text(page(found), encoding="utf-8")
    draw(found, out / "docs" / "images" / "validation.svg")


def main(words: list[str] | None = None) -> int:
    """Run the studies, or read an earlier run, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validation", description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--crude-studies", type=int, default=CRUDE_STUDIES, help="studies for the arms as they are")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=SEED, help="studies have this seed and the following ones")
    parser.add_argument("--n-boot", type=int, default=N_BOOT)
    parser.add_argument("--large", type=int, default=LARGE, help="large studies for the truth that is not known")
    parser.add_argument("--from-json", action="store_true", help="only write the page again, from validation.json")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1], help="folder of benchmarks and docs")
    asked = parser.parse_args(words)
    file = asked.out / "benchmarks" / "validation.json"
    if not asked.from_json:
        seeds = range(asked.seed, asked.seed + max(asked.studies, asked.crude_studies))
        jobs = [delayed(one_study)(k, asked.n_boot) for k in seeds[: asked.studies]]
        jobs += [delayed(crude_study)(k) for k in seeds[asked.studies :]]
        results = Parallel(n_jobs=asked.jobs)(jobs)
        limit = cox_limit(asked.large)
        settings = {"first": asked.studies, "seed": asked.seed, "n_boot": asked.n_boot, "large": asked.large}
        found = report(results, limit, **settings)
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_file():  # what `benchmarks.leaving` and `benchmarks.pathway` measured stays
            found = {**json.loads(file.read_text(encoding="utf-8")), **found}
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    found = json.loads(file.read_text(encoding="utf-8"))
    write(found, asked.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
