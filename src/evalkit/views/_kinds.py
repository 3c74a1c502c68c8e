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
    "is_unrecorded",
    "lines_drawn",
    "nothing_to_draw",
    "uncertain",
    "undrawn",
    "why_absent",
    "with_events",
]

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.views._words import words
from evalkit.glossary import NOT_RECORDED

if TYPE_CHECKING:
    from evalkit.disclosure import Safe
    from evalkit.estimates import Estimates


CURVES = frozenset({"kaplan_meier"})
INCIDENCES = frozenset({"cumulative_incidence"})
WEEKS = frozenset({"sessions_by_week", "hours_by_week"})
SHARES = frozenset(
    {"funnel", "proportion", "dose_distribution", "longest_gap", "returns", "engaged_by"}
    | {"completeness", "lost_to_follow_up", "attendance_rate", "dose_reached", "reach", "engaged_across", "trend"}
)
COMPARED = frozenset({"adjusted_effects", "balance", "sensitivity", "imputed", "e_value", "subgroups"})
COUNTED = frozenset({"preference", "mean_count"})
_SAID = frozenset({"rmst_contrast", "attendance_rate", "dose_reached", "returns"})
"""What is said in a sentence without a figure or table whose caption would name it."""
DRAWN = CURVES | INCIDENCES | WEEKS | SHARES | COMPARED | COUNTED


def uncertain(safe: Safe) -> pd.DataFrame:
    """Return the shares that were estimated: not the start of a funnel, which is everybody by definition."""
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    return rows[rows["conf_low"] != rows["conf_high"]]


def nothing_to_draw(safe: Safe, group: str) -> bool:
    """Return whether a figure would be empty though a table would not: of whom may be shown, nothing is drawn."""
    rows = safe.estimates.tidy()
    if safe.estimates.kind == "reach":
        return is_unrecorded(safe) or bool(rows.loc[rows["group"] == group, "estimate"].isna().all())
    if safe.estimates.kind == "preference":  # mirrored: one half alone compares nothing
        return rows.dropna(subset=["estimate", "score_from"])["group"].nunique() < 2
    return safe.estimates.kind in SHARES and uncertain(safe).empty


def is_unrecorded(safe: Safe) -> bool:
    """Return whether people are divided by what is recorded of nobody."""
    rows = safe.estimates.tidy()
    return safe.estimates.kind == "reach" and len(rows) > 0 and set(rows["term"]) == {NOT_RECORDED}


def with_events(safe: Safe) -> tuple[Safe, list[str]]:
    """Leave out of survival curves the groups in which nothing has happened yet: flat lines without limits look sure.

    Parameters
    ----------
    safe : Safe

    Returns
    -------
    drawn : Safe
        As it came where it is no such curve, or nothing has happened in any group.
    quiet : list of str
        The groups left out.
    """
    rows = safe.estimates.tidy()
    if safe.estimates.kind not in CURVES or rows.empty:
        return safe, []
    events = rows.groupby(rows["group"].astype(str), sort=False)["n_event"].sum()
    quiet = [str(group) for group, n in events.items() if not n]
    if not quiet or len(quiet) == len(events):
        return safe, []
    left = safe.estimates.about(data=rows[~rows["group"].astype(str).isin(quiet)])
    return dataclasses.replace(safe, estimates=left), quiet


def lines_drawn(safe: Safe) -> dict[tuple[str, str], bool]:
    """Say of each line of a figure of curves whether it may be drawn.

    Parameters
    ----------
    safe : Safe
        Curves.

    Returns
    -------
    dict
        (group, cause), the cause '' of survival curves: whether there is a day up to which it is drawn.
    """
    rows = safe.estimates.tidy()
    groups = [str(g) for g in pd.unique(rows["group"])]
    causes = [str(c) for c in pd.unique(rows["cause"])] if "cause" in rows else [""]
    return {(group, cause): len(safe.knots(group, cause)) > 0 for group in groups for cause in causes}


def undrawn(safe: Safe) -> list[str]:
    """Return the groups (of incidences with several causes: with the cause) of which no line may be drawn.

    Parameters
    ----------
    safe : Safe
        Curves.

    Returns
    -------
    list of str
    """
    lines = lines_drawn(safe)
    several = len({cause for _, cause in lines}) > 1
    left = [line for line, is_drawn in lines.items() if not is_drawn]
    return [words("curve.named", group=g, cause=c) if several else g for g, c in left]


def why_absent(safe: Safe, exact: Estimates | None = None) -> str:
    """Return the sentence that says why nothing of an estimate is shown.

    Parameters
    ----------
    safe : Safe
    exact : Estimates, optional
        Its analysis says whether what it is about was recorded at all.

    Returns
    -------
    str
    """
    if is_unrecorded(safe) or not getattr(exact and exact.analysis, "recorded", True):
        return words("absent.unrecorded")
    if safe.estimates.kind == "imputed" and not safe.withheld:
        return words("imputed.none")
    why = words("absent.small", minimum=safe.policy.minimum_count) if safe.withheld else words("absent.early")
    return f"{words(f'named.{safe.estimates.kind}')} {why}" if safe.estimates.kind in _SAID else why


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
    if safe.estimates.kind == "balance":
        return bool(rows["smd"].isna().all())
    if "estimate" in rows:
        return bool(rows["estimate"].isna().all())
    return rows.empty
