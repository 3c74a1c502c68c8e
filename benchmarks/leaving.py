"""Coverage of who leaves: standardised risks, and how much can be foretold; ``python -m benchmarks.leaving``.

Two causes with hazards that are proportional in a yes/no and a continuous characteristic, people followed for
different lengths of time. Each study is a line of ``build/leaving.jsonl`` as soon as it is done: a run that is
interrupted goes on where it stopped. What there is goes into ``validation.json``, and from there onto the page.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.studies import BUILD, put, studies

from evalkit.stats import cox, foretold, standardised_risks
from evalkit.stats._standardised import fit_risks, scores
from evalkit.stats.design import design_matrix

SEED, N, LARGE, FRESH, N_BOOT, TAU = 20262, 300, 200_000, 10_000, 99, 60
BETA = ((0.5, 0.3), (-0.4, 0.0))
RATES = (0.012, 0.006)
TERMS = ("yes", "number", "noise_0", "noise_1", "noise_2")
KEPT, FEWEST = BUILD / "leaving.jsonl", 20
Found = dict[str, Any]


def people(rng: np.random.Generator, n: int, *, followed: bool = False, effect: float = 1.0) -> pd.DataFrame:
    """Return people with day, cause (0 censored), a yes/no, a continuous characteristic, and three of pure noise.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    followed : bool, default False
        Whether all are followed to the end.
    effect : float
        What the log hazard ratios are multiplied by; 0: nothing can be foretold.

    Returns
    -------
    pandas.DataFrame
    """
    yes, number = rng.integers(0, 2, n).astype(float), rng.normal(0, 1, n)
    rates = np.stack([r * np.exp(effect * (b[0] * yes + b[1] * number)) for r, b in zip(RATES, BETA, strict=True)])
    time = rng.exponential(1 / rates.sum(axis=0))
    cause = 1 + (rng.random(n) > rates[0] / rates.sum(axis=0))
    end = np.full(n, np.inf) if followed else rng.uniform(20, 200, n)
    seen = time <= end
    day = np.ceil(np.where(seen, time, end))
    noise = {f"noise_{k}": rng.normal(0, 1, n) for k in range(3)}
    return pd.DataFrame({"day": day, "cause": np.where(seen, cause, 0), "yes": yes, "number": number, **noise})


def risk_given(rows: pd.DataFrame) -> float:
    """Return the true mean risk by the horizon of people with these characteristics."""
    rates = [r * np.exp(b[0] * rows["yes"] + b[1] * rows["number"]) for r, b in zip(RATES, BETA, strict=True)]
    total = rates[0] + rates[1]
    return float((rates[0] / total * (1 - np.exp(-total * TAU))).mean())


def risks(k: int, many: pd.DataFrame) -> Found:
    """Return a study's standardised differences beside the true ones, and the p values of what does nothing."""
    rows = people(np.random.default_rng([SEED, k]), N)
    found = standardised_risks(rows, "day", "cause", TERMS, tau=TAU, n_boot=N_BOOT, seed=k).tidy().set_index("term")
    model = cox(rows.assign(left=rows["cause"] == 1), "day", "left", list(TERMS)).tidy().set_index("term")
    # quartiles of the study's own people are what the difference is between
    ends = {"yes": (0.0, 1.0), "number": tuple(np.quantile(rows["number"], (0.25, 0.75)))}
    true = {
        name: risk_given(many.assign(**{name: b})) - risk_given(many.assign(**{name: a}))
        for name, (a, b) in ends.items()
    }
    said = {
        name: [
            *(float(found.loc[name, c]) for c in ("estimate", "std_error", "conf_low", "conf_high")),
            true.get(name, 0.0),
        ]
        for name in TERMS
    }
    noise = [name for name in TERMS if name.startswith("noise")]
    return {"risks": said, "p_model": [float(model.loc[t, "p_value"]) for t in noise]}


def told(k: int, fresh: dict[float, pd.DataFrame]) -> Found:
    """Return what a study says can be foretold beside what its own model foretells of people it has not seen.

    In every second study nothing can.
    """
    effect = float(k % 2 == 0)
    rows = people(np.random.default_rng([SEED + 1, k]), N, effect=effect)
    found = foretold(rows, "day", "cause", TERMS, tau=TAU, n_boot=N_BOOT, seed=k).tidy()
    return {"effect": effect, "told": found.to_dict(orient="list"), "fresh": _held(rows, fresh[effect])}


def _held(rows: pd.DataFrame, fresh: pd.DataFrame) -> float:
    """Return the AUC that the study's model has in people who did not make it."""
    model = fit_risks(rows["day"].to_numpy(), rows["cause"].to_numpy(), design_matrix(rows, TERMS), 2)
    risk = model.risk(fresh[list(TERMS)].to_numpy(), TAU)
    return scores(fresh["day"].to_numpy(), fresh["cause"].to_numpy(), risk, TAU).auc


def summary(lines: Iterable[Found]) -> Found:
    """Return what all studies say, for the page.

    Parameters
    ----------
    lines : iterable of dict
        Of the file.

    Returns
    -------
    dict
        intervals and tests: what, n, covered or rejected; foretold: by effect, n and the mean AUC in the people the
        model was made of, corrected, and in others.
    """
    made, told = [one for one in lines if "risks" in one], [one for one in lines if "told" in one]
    inside: dict[str, list[bool]] = {}
    rejected: dict[str, list[bool]] = {"cox": [], "g_formula": []}
    for one in made:
        for term, (estimate, error, low, high, true) in one["risks"].items():
            inside.setdefault(term.partition("_")[0], []).append(low <= true <= high)
            if true == 0:
                rejected["g_formula"].append(abs(estimate) > 1.96 * error)
        rejected["cox"] += [p < 0.05 for p in one["p_model"]]
    aucs = pd.DataFrame([{"effect": one["effect"], **_aucs(one)} for one in told])
    groups = aucs.groupby("effect") if len(aucs) else []
    return {
        "studies": len(made),
        "intervals": [{"what": what, "n": len(all_), "covered": sum(all_)} for what, all_ in inside.items()],
        "tests": [{"what": what, "n": len(all_), "rejected": sum(all_)} for what, all_ in rejected.items()],
        "foretold": [{"n": len(g), **g.mean().round(4).to_dict()} for _, g in groups if len(g) >= FEWEST],
    }


def _aucs(one: Found) -> dict[str, float]:
    rows = pd.DataFrame(one["told"]).query("measure == 'auc'").set_index("method")["estimate"]
    return {"apparent": rows["apparent"], "corrected": rows["corrected"], "fresh": one["fresh"]}


def main() -> None:
    """Make the studies that are missing, and put what all of them say onto the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaving", description=__doc__)
    parser.add_argument("--risks", type=int, default=400, help="studies of standardised differences")
    parser.add_argument("--told", type=int, default=200, help="studies of how much can be foretold")
    asked = parser.parse_args()
    many = people(np.random.default_rng(SEED), LARGE, followed=True)
    studies(KEPT, [f"risks-{k}" for k in range(asked.risks)], lambda key: risks(int(key.split("-")[1]), many))
    fresh = {e: people(np.random.default_rng(SEED), FRESH, followed=True, effect=e) for e in (0.0, 1.0)}
    lines = studies(KEPT, [f"told-{k}" for k in range(asked.told)], lambda key: told(int(key.split("-")[1]), fresh))
    print(put("leaving", {**summary(lines), "people": N, "n_boot": N_BOOT}))


if __name__ == "__main__":
    main()
