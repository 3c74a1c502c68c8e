"""Which analyses are drawn how, and when there is nothing to draw."""

from __future__ import annotations

__all__ = [
    "COMPARED",
    "COUNTED",
    "CURVES",
    "DRAWN",
    "INCIDENCES",
    "SHARES",
    "WEEKS",
    "is_empty",
    "nothing_to_draw",
    "uncertain",
]

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from evalkit.disclosure import Safe


CURVES = frozenset({"kaplan_meier"})
INCIDENCES = frozenset({"cumulative_incidence"})
WEEKS = frozenset({"sessions_by_week", "hours_by_week"})
SHARES = frozenset(
    {"funnel", "proportion", "completion", "dose_distribution", "longest_gap", "returns", "engaged_by"}
    | {"completeness", "lost_to_follow_up", "attendance_rate", "dose_reached", "reach", "engaged_across", "trend"}
)
COMPARED = frozenset({"adjusted_effects", "balance", "sensitivity", "imputed", "e_value", "subgroups"})
COUNTED = frozenset({"preference", "mean_count"})
DRAWN = CURVES | INCIDENCES | WEEKS | SHARES | COMPARED | COUNTED


def uncertain(safe: Safe) -> pd.DataFrame:
    """Return the shares that were estimated: not the start of a funnel, which is everybody by definition."""
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    return rows[rows["conf_low"] != rows["conf_high"]]


def nothing_to_draw(safe: Safe, group: str) -> bool:
    """Return whether a figure would be empty though a table would not: of whom may be shown, nothing is drawn."""
    rows = safe.estimates.tidy()
    if safe.estimates.kind == "reach":
        return bool(rows.loc[rows["group"] == group, "estimate"].isna().all())
    return safe.estimates.kind in SHARES and uncertain(safe).empty


def is_empty(safe: Safe) -> bool:
    """Return whether nothing of an estimate may be, or can be, shown."""
    rows = safe.estimates.tidy()
    if safe.estimates.kind in CURVES | INCIDENCES:
        return safe.landmark_rows().empty
    if safe.estimates.kind in WEEKS:
        known = rows[rows["estimate"].notna() & (rows["n"] > 0)]
        return bool(known.groupby("group").size().lt(2).all())
    if safe.estimates.kind in SHARES:
        return rows[rows["estimate"].notna() & (rows["n"] > 0)].empty
    if "estimate" in rows:
        return bool(rows["estimate"].isna().all())
    return rows.empty
