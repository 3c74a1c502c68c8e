"""Shares of a study set beside published ones."""

from __future__ import annotations

__all__ = ["analysis_of", "mark_of", "rows_of"]

import pandas as pd

from evalkit import compare
from evalkit.disclosure import Safe
from evalkit.protocol import Baseline


def analysis_of(baseline: Baseline) -> compare.Benchmark:
    """Return the comparison with one published figure."""
    return compare.Benchmark(baseline.value, baseline.n, source=baseline.id)


def rows_of(baseline: Baseline, safe: Safe) -> pd.DataFrame:
    """Return one row per group: its share (here), the published one, and the difference with its limits."""
    rows = safe.estimates.tidy()
    own = rows[rows["measure"] == "proportion"].set_index("group")
    found = rows[rows["measure"] == "difference"].copy()
    names = {"here": "estimate", "here_low": "conf_low", "here_high": "conf_high"}
    for name, column in names.items():
        found[name] = own.loc[found["group"], column].to_numpy()
    whom = baseline.denominator if baseline.n is None else f"{baseline.n:,}: {baseline.denominator}"
    about = "about " if baseline.approximate else ""
    return found.assign(label=baseline.what, denominator=whom, about=about)


def mark_of(baseline: Baseline) -> dict[str, object]:
    """Return a published share with Wilson's limits where its denominator is known."""
    low = high = float("nan")
    if baseline.n is not None:
        row = compare.proportion(round(baseline.value * baseline.n), baseline.n).tidy().iloc[0]
        low, high = float(row["conf_low"]), float(row["conf_high"])
    return {"label": baseline.label or baseline.id, "estimate": baseline.value, "conf_low": low, "conf_high": high}
