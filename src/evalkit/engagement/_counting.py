"""From frames of people to counts by group."""

from __future__ import annotations

__all__ = ["count_true", "groups_of", "moments_of"]

from collections.abc import Sequence

import pandas as pd

from evalkit.cohort import Cohort


def groups_of(cohort: Cohort, *, by_arm: bool = True) -> tuple[str, ...]:
    """Return the groups of a table: the two arms, or 'all'.

    Parameters
    ----------
    cohort : Cohort
    by_arm : bool, default True

    Returns
    -------
    tuple of str
    """
    return cohort.groups if by_arm else ("all",)


def _own(people: pd.DataFrame, group: str) -> pd.DataFrame:
    return people if group == "all" else people[people["group"] == group]


def count_true(
    people: pd.DataFrame, groups: Sequence[str], term: str, label: str, met: str, eligible: str
) -> list[dict[str, object]]:
    """Return one row of a `Tally` per group.

    Parameters
    ----------
    people : pandas.DataFrame
        One row per person, with group and the two bool columns.
    groups : sequence of str
    term, label : str
    met : str
        Column: who counts as x, where eligible.
    eligible : str
        Column: who counts as n.

    Returns
    -------
    list of dict
        group, term, label, n_event, n.
    """
    rows: list[dict[str, object]] = []
    for group in groups:
        own = _own(people, group)
        n, x = int(own[eligible].sum()), int((own[eligible] & own[met]).sum())
        rows.append({"group": group, "term": term, "label": label, "n_event": x, "n": n})
    return rows


def moments_of(
    people: pd.DataFrame, groups: Sequence[str], term: str, label: str, column: str
) -> list[dict[str, object]]:
    """Return one row of `Moments` per group.

    Parameters
    ----------
    people : pandas.DataFrame
        One row per person.
    groups : sequence of str
    term, label : str
    column : str
        The quantity, a number for everybody.

    Returns
    -------
    list of dict
        group, term, label, n, total, total_sq, largest.
    """
    rows: list[dict[str, object]] = []
    for group in groups:
        values = _own(people, group)[column].astype("float64")
        rows.append(
            {
                "group": group,
                "term": term,
                "label": label,
                "n": len(values),
                "total": float(values.sum()),
                "total_sq": float((values**2).sum()),
                "largest": float(values.abs().max()) if len(values) else 0.0,
            }
        )
    return rows
