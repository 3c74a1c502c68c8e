"""Shares with each of several events by a day, worked out day by day: what the kernels are held to."""

from __future__ import annotations

import pandas as pd


def by_hand(rows: pd.DataFrame, day: float) -> dict[int, float]:
    """Return Aalen and Johansen's share with each event by a day; columns time and event (0: lost)."""
    left, shares = 1.0, dict.fromkeys(range(1, 4), 0.0)
    for t in sorted(rows.loc[(rows["event"] > 0) & (rows["time"] <= day), "time"].unique()):
        at_risk = (rows["time"] >= t).sum()
        hazards = {k: ((rows["time"] == t) & (rows["event"] == k)).sum() / at_risk for k in shares}
        for k, hazard in hazards.items():
            shares[k] += left * hazard
        left *= 1 - sum(hazards.values())
    return shares
