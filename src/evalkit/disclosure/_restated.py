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
        Exact: figure, group, old, new, reason; n_people, who are behind the change; who_old, who_new, largest_old and
        largest_new, where it is known who is counted. One row per figure and group.
    policy : Policy

    Returns
    -------
    pandas.DataFrame
        figure, group, old, new (as published), reason; without figures that are too small, and without that
        of everybody where it would give a small one away. New is missing where the change itself is about too few
        people to be shown. The reasons of a figure are given together: which group's records were withdrawn is not
        said.
    """
    told = [own for _, figure in changes.groupby("figure", sort=False) for own in _figure(figure, policy)]
    return pd.DataFrame(told, columns=["figure", "group", "old", "new", "reason"])


EVERYBODY = "all"
UNTOLD = "records changed"
"""Reason of a change that fewer people than the minimum stand behind."""


def _figure(rows: pd.DataFrame, policy: Policy) -> list[tuple[object, ...]]:
    """Return what may be shown of one figure; nothing small of one group is left between everybody and the other."""
    few = rows["n_people"].astype(int) if "n_people" in rows else pd.Series(0, index=rows.index)
    rows = rows.assign(old=rows["old"].round().astype(int), new=rows["new"].round().astype(int), few=few)
    change = rows["new"] - rows["old"]
    # subtracting would say how few people a change is about, or what few people's sessions are
    rows["slight"] = [policy.is_small(abs(c)) or policy.is_small(n) for c, n in zip(change, rows["few"], strict=True)]
    hidden = [policy.hides(old) or policy.hides(new) for old, new in zip(rows["old"], rows["new"], strict=True)]
    shown = rows[~np.array(hidden, dtype=bool)]
    # One part and the whole: their difference is the other part, which a reader gets by subtracting.
    whole, parts = shown[shown["group"] == EVERYBODY], shown[shown["group"] != EVERYBODY]
    if len(whole) and len(parts) == 1:
        rest = {name: int(whole[name].iloc[0] - parts[name].iloc[0]) for name in ("old", "new")}
        if any(policy.hides(n) for n in rest.values()):
            shown, whole = parts, whole.iloc[:0]
        elif policy.is_small(abs(rest["new"] - rest["old"])):
            shown = shown.assign(slight=shown["slight"] | (shown["group"] == EVERYBODY))
    shown = shown[np.array([_tells(row, "old", policy) for _, row in shown.iterrows()], dtype=bool)]
    more = [bool(row["slight"]) or not _tells(row, "new", policy) for _, row in shown.iterrows()]
    shown = shown.assign(slight=np.array(more, dtype=bool))
    why = list(dict.fromkeys(part for text in shown.loc[~shown["slight"], "reason"] for part in str(text).split(", ")))
    return [
        (
            row["figure"],
            row["group"],
            _public(row, "old", policy),
            np.nan if row["slight"] else _public(row, "new", policy),
            UNTOLD if row["slight"] else ", ".join(why),
        )
        for _, row in shown.iterrows()
    ]


def _tells(row: pd.Series, end: str, policy: Policy) -> bool:
    """Whether a number of the people behind a figure may be told: see `Policy.tells`."""
    who = row.get(f"who_{end}")
    return who is None or policy.tells(len(who), policy.noise.key(who))


def _public(row: pd.Series, end: str, policy: Policy) -> int:
    """Return a figure as published: a number of people as everywhere, a sum over people with noise as means have it."""
    exact, who, largest = int(row[end]), row.get(f"who_{end}"), float(row.get(f"largest_{end}", 1.0))
    if who is None or len(who) == 0 or (len(who) == exact and largest == 1):
        return policy.public(exact, who, f"restated {row['figure']}|{row['group']}")
    if policy.noise_variance == 0:
        return policy.displayed(exact)
    n = policy.public(len(who), who)
    # With the sum in the key: two sums of the same people, before and after, must not be off by the same amount.
    off = policy.noise.unit(f"{policy.noise.key(who)}|sum|{float(exact)!r}")
    return policy.displayed(max(round(exact * n / len(who) + off * largest), 0))
