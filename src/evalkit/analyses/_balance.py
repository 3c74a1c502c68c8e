"""Balance of the arms: standardised differences from counts, so that disclosure control can ask again."""

from __future__ import annotations

__all__ = ["BalanceOf", "balance_counts", "fewest_of"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.counts import Codes, Tally, codes_of
from evalkit.estimates import Estimates
from evalkit.levels import in_words
from evalkit.stats import Propensity

_CARRIED = ("smd_weighted", "variance_ratio", "variance_ratio_weighted")
_NUMBERS = ("smd", "smd_weighted", "variance_ratio", "variance_ratio_weighted")


@dataclass(frozen=True)
class BalanceOf:
    """Standardised differences of two arms at every level of every characteristic.

    Attributes
    ----------
    groups : (str, str)
        The focus, the comparison.
    estimand : str
    population : str
    att : bool
        Whether differences are in standard deviations of the focus; else of both arms, pooled.
    notes : tuple of str

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.analyses import BalanceOf
    >>> from evalkit.counts import Tally
    >>> about = {"term": "woman", "variable": "Gender", "label": "Woman"}
    >>> rows = pd.DataFrame({"group": ["pilot", "PAIP"], **about})
    >>> rows = rows.assign(n=100, n_event=[40, 25], total=float("nan"), total_sq=float("nan"), smd_weighted=0.02)
    >>> rows = rows.assign(variance_ratio=float("nan"), variance_ratio_weighted=float("nan"))
    >>> found = BalanceOf(("pilot", "PAIP"), "balance of the groups").estimate(Tally(rows))
    >>> found.tidy()[["term", "smd", "smd_weighted"]].round(3)
        term    smd  smd_weighted
    0  woman  0.306          0.02
    """

    key: ClassVar[str] = "balance"
    view: ClassVar[str] = "balance"
    groups: tuple[str, str]
    estimand: str
    population: str = ""
    att: bool = True
    notes: tuple[str, ...] = ()

    def estimate(self, counts: Tally) -> Estimates:
        """Return standardised differences before weighting from these counts, with what goes along with them.

        Parameters
        ----------
        counts : Tally
            From `balance_counts`.

        Returns
        -------
        Estimates
            A row per term that both arms have: term, variable, label, smd, smd_weighted, variance_ratio,
            variance_ratio_weighted, as `evalkit.stats.Propensity.balance` has them.
        """
        rows = counts.frame
        n, quantity = rows["n"].to_numpy(dtype=np.float64), counts.quantities
        n = np.where(n > 0, n, np.nan)
        sums = rows["total"].where(quantity, rows["n_event"]).to_numpy(dtype=np.float64)
        mean = sums / n
        spread = np.maximum(rows["total_sq"].to_numpy(dtype=np.float64) - n * mean**2, 0.0)
        variance = np.where(quantity, spread / np.where(n > 1, n - 1, np.nan), mean * (1 - mean))
        keys = ["term", "variable", "label"]
        each = rows[["group", *keys, *_CARRIED]].assign(mean=mean, variance=variance)
        one, two = (each[each["group"] == group].drop(columns="group") for group in self.groups)
        # A level that is hidden in one arm has no difference: beside the
        # other's share it would give the hidden one back.
        both = one.merge(two.drop(columns=list(_CARRIED)), on=keys, how="inner", suffixes=("", "_other"))
        # For the ATT the focus arm's own spread: weighting changes the other's, and must not change the yardstick.
        scale = np.sqrt(both["variance"] if self.att else (both["variance"] + both["variance_other"]) / 2)
        both["smd"] = (both["mean"] - both["mean_other"]) / scale.where(scale > 0)
        return Estimates(
            both[[*keys, *_NUMBERS]].astype(dict.fromkeys(_NUMBERS, "float64")),
            kind="balance",
            estimand=self.estimand,
            population=self.population,
            notes=self.notes,
            counts=counts,
            analysis=self,
        )


def balance_counts(fit: Propensity, people: pd.DataFrame, groups: tuple[str, str], labels: Mapping[str, str]) -> Tally:
    """Count the people (in the order of the fit) of each arm, the focus first, at every level of every covariate.

    A row per term and arm; of quantities the sums. Variance ratios and weighted balance go along: no counts of people.
    """
    carried = fit.balance().tidy()[list(_CARRIED)].to_dict("records")  # a row per column of the levels, in their order
    codes = codes_of(people)
    rows: list[dict[str, object]] = []
    who: list[dict[str, Codes]] = []
    for (term, values), along in zip(fit.levels.items(), carried, strict=True):
        name, _, level = str(term).partition("[")
        label = labels.get(name, name) + (f": {in_words(level.removesuffix(']'))}" if level else "")
        x, about = values.to_numpy(dtype=np.float64), {"term": str(term), "variable": name, "label": label}
        indicator = set(np.unique(x)) <= {0.0, 1.0}
        for group in groups:
            own = (people["group"] == group).to_numpy()
            met = own & (x > 0) if indicator else own
            total, squares = (np.nan, np.nan) if indicator else (x[own].sum(), (x[own] ** 2).sum())
            row = {"group": group, **about, "n_event": int(met.sum()), "n": int(own.sum())}
            rows.append({**row, "total": total, "total_sq": squares, **{str(k): v for k, v in along.items()}})
            # Rows and people stay in step: disclosure control reads them by place.
            who += [] if codes is None else [{"n": codes[own], "n_event": codes[met]}]
    return Tally(pd.DataFrame(rows), people=tuple(who))


def fewest_of(counts: Tally) -> pd.Series:
    """Return, by term, the fewest people with it or without it in an arm (of a quantity: of whom it is known)."""
    rows = counts.data
    least = np.where(counts.quantities, rows["n"], np.minimum(rows["n_event"], rows["n"] - rows["n_event"]))
    return pd.Series(least, index=rows["term"], dtype="int64").groupby(level=0).min()
