"""Coverage of standardised risk differences, and what optimism costs; ``python -m benchmarks.leaving``.

Two causes with hazards that are proportional in a yes/no and a continuous characteristic, people followed for
different lengths of time.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from evalkit.stats import foretold, standardised_risks
from evalkit.stats._cause_risks import fit_risks, scores
from evalkit.stats.design import design_matrix

STUDIES, SEED, N, LARGE, N_BOOT, TAU = 200, 20262, 300, 400_000, 99, 60
BETA = ((0.5, 0.3), (-0.4, 0.0))
RATES = (0.012, 0.006)


def people(rng: np.random.Generator, n: int, *, followed: bool = False) -> pd.DataFrame:
    """Return people with day, cause (0 censored), a yes/no, a continuous characteristic, and three of pure noise.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    followed : bool, default False
        Whether all are followed to the end.

    Returns
    -------
    pandas.DataFrame
    """
    yes, number = rng.integers(0, 2, n).astype(float), rng.normal(0, 1, n)
    rates = np.stack([rate * np.exp(b[0] * yes + b[1] * number) for rate, b in zip(RATES, BETA, strict=True)])
    time = rng.exponential(1 / rates.sum(axis=0))
    cause = 1 + (rng.random(n) > rates[0] / rates.sum(axis=0))
    end = np.full(n, np.inf) if followed else rng.uniform(20, 200, n)
    seen = time <= end
    day = np.ceil(np.where(seen, time, end))
    noise = {f"noise_{k}": rng.normal(0, 1, n) for k in range(3)}
    return pd.DataFrame({"day": day, "cause": np.where(seen, cause, 0), "yes": yes, "number": number, **noise})


def given(rows: pd.DataFrame, yes: float) -> float:
    """Return the true risk by the horizon where everybody has this value of the yes/no."""
    rates = [rate * np.exp(b[0] * yes + b[1] * rows["number"]) for rate, b in zip(RATES, BETA, strict=True)]
    total = rates[0] + rates[1]
    return float((rates[0] / total * (1 - np.exp(-total * TAU))).mean())


def main(studies: int = STUDIES) -> None:
    """Print coverage of the yes/no's difference, of a term that does nothing, and AUC said and true."""
    rng = np.random.default_rng(SEED)
    many = people(rng, LARGE, followed=True)
    true = {"yes": given(many, 1.0) - given(many, 0.0), "noise_0": 0.0}
    terms = ["yes", "number", "noise_0", "noise_1", "noise_2"]
    covered: dict[str, list[bool]] = {name: [] for name in true}
    told, held = [], []
    fresh = people(rng, 20_000, followed=True)
    for k in range(studies):
        rows = people(rng, N)
        found = standardised_risks(rows, "day", "cause", terms, tau=TAU, n_boot=N_BOOT, seed=k).tidy().set_index("term")
        for name, value in true.items():
            covered[name].append(bool(found.loc[name, "conf_low"] <= value <= found.loc[name, "conf_high"]))
        if k < studies // 4:
            auc = foretold(rows, "day", "cause", terms, tau=TAU, n_boot=N_BOOT, seed=k).tidy()
            told.append(auc[auc["measure"] == "auc"].set_index("method")["estimate"])
            held.append(_held(rows, fresh, terms))
    print({name: (round(float(np.mean(one)), 4), len(one)) for name, one in covered.items()}, true)
    print(pd.DataFrame(told).assign(fresh=held).mean().round(4).to_dict())


def _held(rows: pd.DataFrame, fresh: pd.DataFrame, terms: list[str]) -> float:
    """Return the AUC that the study's model has in people who did not make it."""
    model = fit_risks(rows["day"].to_numpy(), rows["cause"].to_numpy(), design_matrix(rows, terms), 2)
    risk = model.risk(fresh[terms].to_numpy(), TAU)
    return scores(fresh["day"].to_numpy(), fresh["cause"].to_numpy(), risk, TAU).auc


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else STUDIES)
