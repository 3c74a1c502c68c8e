"""Restatements that may be shown."""

from __future__ import annotations

__all__ = ["safe_restatements"]

import numpy as np
import pandas as pd

from evalkit.disclosure._policy import Policy


def safe_restatements(changes: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Keep the changed figures that may be shown, rounded; how many rows changed them is left out.

    Parameters
    ----------
    changes : pandas.DataFrame
        Exact: figure, group, old, new, reason, and n_people, who are behind the change; one row per figure and group.
    policy : Policy

    Returns
    -------
    pandas.DataFrame
        figure, group, old, new (multiples of the base), reason; without figures that are too small. New is missing
        where the change itself is about too few people to be shown.
    """
    shown = []
    for _, row in changes.iterrows():
        old, new = round(float(row["old"])), round(float(row["new"]))
        if policy.hides(old) or policy.hides(new):
            continue
        # subtracting would say how few people the change is about, or what few people's sessions are
        small = policy.is_small(abs(new - old)) or policy.is_small(int(row.get("n_people", 0)))
        shown.append(
            (row["figure"], row["group"], policy.rounded(old), np.nan if small else policy.rounded(new), row["reason"])
        )
    return pd.DataFrame(shown, columns=["figure", "group", "old", "new", "reason"])
