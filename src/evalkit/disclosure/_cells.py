"""The cells of an estimate: each published count, what a reader knows of it, and who stands behind it.

A cell is published in a *row* (one line of a table, one curve, one model): what is withheld is withheld by the row, so
that a share never stands beside the count it was made from. Cells of counts that do not say who stands behind them
are held to the minimum and to rounding, but cannot be compared with others.
"""

from __future__ import annotations

__all__ = ["Cell", "cells_of", "row_key", "rows_of"]

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.counts import Codes, DayCounts, Moments, Tally
from evalkit.disclosure._curves import landmark_cuts, shown_until
from evalkit.disclosure._policy import Policy
from evalkit.estimates import Estimates

_NOBODY: Codes = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class Cell:
    """One count.

    Attributes
    ----------
    row : str
        Key of the row it stands in.
    name : str
        What is counted, in words without numbers of people.
    column : {"n", "n_event", "rest"}
        rest: those of n without the event.
    count : int
        Exact; never leaves the study's private folder.
    shown : bool
        Whether the row is published.
    low, high : int
        What a reader knows: the count lies between them. Of a row that is not shown because this very count is small,
        that it is small; of other rows that are not shown, nothing.
    people : numpy.ndarray of uint64, or None
        Who, sorted; None where it is not known.
    kind : {"table", "curve", "model"}
        What the row is.
    family : str
        Cells of the same column of the same table and group: parts that may add up to another cell.
    """

    row: str
    name: str
    column: str
    count: int
    shown: bool
    low: int
    high: int
    people: Codes | None
    kind: str = "table"
    family: str = ""


UNKNOWN = 2**31
"""Upper end of a count of which a reader knows nothing."""


def row_key(estimates: Estimates, group: str, term: str, people: Codes | None) -> str:
    """Name a row so that the same row has the same name in every run: what is asked, of which group, about whom.

    Parameters
    ----------
    estimates : Estimates
    group, term : str
    people : numpy.ndarray of uint64, or None
        Who is counted in it.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    whose = b"" if people is None else np.sort(people).tobytes()
    text = "\x1f".join([estimates.id, group, term]).encode()
    return hashlib.blake2b(text + b"\x1e" + whose, digest_size=8).hexdigest()


def rows_of(estimates: Estimates) -> list[str]:
    """Return the keys of an estimate's rows: of a table one per row, of curves one per group, of a model one.

    Parameters
    ----------
    estimates : Estimates
        Exact.

    Returns
    -------
    list of str
        In the order of the counts' rows, or of their groups.
    """
    counts = estimates.counts
    if isinstance(counts, DayCounts):
        return [row_key(estimates, group, "", _of_group(counts, group)) for group in counts.groups]
    if counts is None:
        return []
    if estimates.analysis is None:
        every = [who.get("n", _NOBODY) for who in counts.people]
        return [row_key(estimates, "model", "", np.concatenate(every) if every else None)] * len(counts.data)
    whose: list[Mapping[str, Codes]] = list(counts.people) or [{}] * len(counts.data)
    named = zip(counts.data["group"], counts.data["term"], whose, strict=True)
    return [row_key(estimates, str(group), str(term), who.get("n")) for group, term, who in named]


def cells_of(estimates: Estimates, withheld: frozenset[str], policy: Policy) -> list[Cell]:
    """Return every count that an estimate publishes, or does not publish because it is small.

    Parameters
    ----------
    estimates : Estimates
        Exact.
    withheld : frozenset of str
        Keys of rows that are not shown.
    policy : Policy

    Returns
    -------
    list of Cell
    """
    counts = estimates.counts
    if counts is None:
        return []
    if isinstance(counts, DayCounts):
        return list(_curve_cells(estimates, counts, withheld, policy))
    return list(_table_cells(estimates, counts, withheld, policy))


def _table_cells(
    estimates: Estimates, counts: Tally | Moments, withheld: frozenset[str], policy: Policy
) -> Iterator[Cell]:
    whose: list[Mapping[str, Codes]] = list(counts.people) or [{}] * len(counts.data)
    kind = "model" if estimates.analysis is None else "table"
    one = counts.quantities if isinstance(counts, Tally) else np.ones(len(counts.data), dtype=bool)
    for key, (_, row), who, all_ in zip(rows_of(estimates), counts.data.iterrows(), whose, one, strict=True):
        name = f"{estimates.kind}: {row['group']}, {row.get('label', row['term'])}"
        part = f"{estimates.id} {row.get('variable', '')} {row.get('period', '')}"
        n = int(row["n"])
        found = {"n": (n, who.get("n"))}
        if not all_:
            x = int(row["n_event"])
            rest = np.setdiff1d(who["n"], who["n_event"]) if {"n", "n_event"} <= set(who) else None
            found |= {"n_event": (x, who.get("n_event")), "rest": (n - x, rest)}
        for column, (count, people) in found.items():
            cell = _cell(key, name, column, count, people, key not in withheld, policy)
            if cell is not None:
                yield dataclasses.replace(cell, kind=kind, family=f"{part}, {row['group']}, {column}")


def _cell(
    key: str, name: str, column: str, count: int, people: Codes | None, shown: bool, policy: Policy
) -> Cell | None:
    """Return a count as a reader knows it; None where nothing is to be said of it.

    The rest (n less the event) is not printed: whoever subtracts finds it as well as rounding lets them, so it is a
    cell only where it is small.
    """
    ordered = None if people is None else np.sort(people)
    if policy.hides(count) and not shown:
        return Cell(key, name, column, count, False, policy.least, policy.minimum_count - 1, ordered)
    if column == "rest":
        return None
    if not shown:
        return Cell(key, name, column, count, False, 0, UNKNOWN, ordered)
    low, high = policy.bounds(count)
    return Cell(key, name, column, count, True, low, high, ordered)


def _of_group(counts: DayCounts, group: str) -> Codes | None:
    if counts.people is None:
        return None
    codes: Codes = counts.people.loc[counts.people["group"] == group, "code"].to_numpy()
    return codes


def _curve_cells(estimates: Estimates, counts: DayCounts, withheld: frozenset[str], policy: Policy) -> Iterator[Cell]:
    for key, group in zip(rows_of(estimates), counts.groups, strict=True):
        rows = counts.data[counts.data["group"] == group]
        who = None if counts.people is None else counts.people[counts.people["group"] == group]
        shown = key not in withheld
        name = f"{estimates.kind}: {group}"
        everybody = int(rows["n_entry"].sum())
        for cell in [
            _cell(
                key, f"{name}, people", "n", everybody, None if who is None else who["code"].to_numpy(), shown, policy
            ),
            *(
                _cell(key, f"{name}, {cause} by day {day:g}", "n_event", count, people, shown, policy)
                for cause, day, count, people in _cumulative(rows, who, counts, policy)
            ),
        ]:
            if cell is not None:
                yield dataclasses.replace(cell, kind="curve")


def _cumulative(
    rows: pd.DataFrame, who: pd.DataFrame | None, counts: DayCounts, policy: Policy
) -> Iterator[tuple[str, float, int, Codes | None]]:
    """Yield the events of each cause up to each day at which a reader of the safe curve knows them."""
    for k, (column, cause) in enumerate(zip(counts.event_columns, counts.causes, strict=True), start=1):
        until = shown_until(rows, column, policy)
        for day in [*landmark_cuts(rows, column, until, policy), until]:
            count = int(rows.loc[rows["time"] <= day, column].sum())
            people = None if who is None else who.loc[(who["cause"] == k) & (who["time"] <= day), "code"].to_numpy()
            yield cause, day, count, people
