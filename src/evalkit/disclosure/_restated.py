"""Restatements that may be shown."""

from __future__ import annotations

__all__ = ["safe_restatements"]

import pandas as pd

from evalkit.disclosure._policy import Policy


def safe_restatements(changes: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Keep the changed figures that may be shown, rounded; how many rows changed them is left out.

    Parameters
    ----------
    changes : pandas.DataFrame
        Exact: figure, group, old, new, reason; one row per figure and group.
    policy : Policy

    Returns
    -------
    pandas.DataFrame
        figure, group, old, new (multiples of the base), reason; without figures that are too small, and without those
        whose change vanishes in the rounding.
    """
    shown = []
    for _, row in changes.iterrows():
        old, new = round(float(row["old"])), round(float(row["new"]))
        if policy.hides(old) or policy.hides(new) or policy.rounded(old) == policy.rounded(new):
            continue
        shown.append((row["figure"], row["group"], policy.rounded(old), policy.rounded(new), row["reason"]))
    return pd.DataFrame(shown, columns=["figure", "group", "old", "new", "reason"])
