"""Models: which may be shown, and standard errors that do not give the number of events back.

The variance of a coefficient of a Cox model is close to 1/d + 1/d0, d events at its level and d0 at the reference's.
With a few digits of it, d is known. So a level with few events makes the model unfit to be shown, and what is shown is
computed as if the events were those that are published, less what noise usually does.
"""

from __future__ import annotations

__all__ = ["any_small", "coarser"]

import numpy as np
import pandas as pd
import scipy

from evalkit.counts import Tally
from evalkit.disclosure._policy import Policy
from evalkit.wilson import normal_quantile

_ARMS = "model"


def any_small(counts: Tally, policy: Policy) -> bool:
    """Say whether a model speaks of too few people, with the event or without, in an arm or at a level of a term.

    One row per arm (term ``model``) and per level of each term (``name[level]``).
    """
    rows = counts.data
    with_it, without = rows["n_event"].to_numpy(dtype=int), (rows["n"] - rows["n_event"]).to_numpy(dtype=int)
    # Nobody with the event is refused here even where zero is published: such an arm has no finite coefficient.
    small = [policy.hides(x) or x == 0 or policy.hides(y) for x, y in zip(with_it, without, strict=True)]
    level = rows["term"].str.contains("[", regex=False).to_numpy(dtype=bool)
    below = np.minimum(with_it, without) < policy.minimum_level
    return bool(np.where(level, below, np.array(small, dtype=bool)).any())


def coarser(rows: pd.DataFrame, counts: Tally, public: Tally, policy: Policy, conf_level: float) -> pd.DataFrame:
    """Make standard errors, and the statistic, p value and limits that follow, those of published numbers of events.

    Rows come back as they are where there is no noise, or where there are no coefficients (no hr_low or or_low).
    """
    needed = {"term", "estimate", "std_error", "conf_low", "conf_high"}
    ratio = next((name for name in ("hr", "or") if {f"{name}_low", f"{name}_high"} <= set(rows.columns)), "")
    if not ratio or not needed <= set(rows.columns) or policy.noise_variance == 0 or policy.minimum_level == 1:
        return rows
    # As in `coarse_error`: what the error can be counted back to is a
    # published number, less what noise usually does (ADR 15).
    usual = np.sqrt(policy.noise_variance)
    exact, told = ([_events(str(term), c.data) for term in rows["term"]] for c in (counts, public))
    wider = np.sqrt([d / max(d_told - usual, 1) for d, d_told in zip(exact, told, strict=True)])
    rows = rows.assign(std_error=rows["std_error"] * wider)
    if "statistic" in rows:
        rows["statistic"] = rows["estimate"] / rows["std_error"].where(rows["std_error"] > 0)
        rows["p_value"] = 2 * scipy.special.ndtr(-rows["statistic"].abs().to_numpy(dtype=float))
    reach = normal_quantile(conf_level) * rows["std_error"]
    for name, limit in (("conf_low", rows["estimate"] - reach), ("conf_high", rows["estimate"] + reach)):
        rows[name] = limit
        with np.errstate(over="ignore"):  # beyond the largest number a limit is infinite
            rows[name.replace("conf", ratio)] = np.exp(limit)
    return rows


def _events(term: str, counts: pd.DataFrame) -> int:
    """Return how many events stand behind a coefficient: those at its level, or in the smaller arm."""
    name, bracket, level = term.partition("[")
    own = counts["term"] == (f"{name}[{level.removeprefix('T.')}" if bracket else "")
    # A number's coefficient has no level of its own: its smallest part decides; a term without counts goes by the arms.
    own = own if own.any() else counts["term"].str.startswith(f"{name}[")
    own = own if own.any() else counts["term"] == _ARMS
    return int(counts.loc[own, "n_event"].min())
