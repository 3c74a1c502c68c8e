"""From frames of people to counts by group."""

from __future__ import annotations

__all__ = ["count_true", "groups_of", "moments", "moments_of", "tally"]

from collections.abc import Sequence

import pandas as pd

from evalkit.cohort import Cohort
from evalkit.counts import Moments, Tally


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


def tally(rows: list[dict[str, object]]) -> Tally:
    """Return rows of `count_true` as a `Tally`, typed even where there are none.

    Parameters
    ----------
    rows : list of dict

    Returns
    -------
    Tally
    """
    columns = ["group", "term", "label", "n_event", "n"]
    return Tally(pd.DataFrame(rows, columns=None if rows else columns).astype(dict.fromkeys(columns[3:], "int64")))


def moments(rows: list[dict[str, object]]) -> Moments:
    """Return rows of `moments_of` as `Moments`, typed even where there are none.

    Parameters
    ----------
    rows : list of dict

    Returns
    -------
    Moments
    """
    columns = ["group", "term", "label", "n", "total", "total_sq", "largest"]
    kinds = {"n": "int64", **dict.fromkeys(columns[4:], "float64")}
    return Moments(pd.DataFrame(rows, columns=None if rows else columns).astype(kinds))
