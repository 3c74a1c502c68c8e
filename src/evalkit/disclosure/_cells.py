"""The counts behind an estimate, exact and as published, for the people who check what was shown."""

from __future__ import annotations

__all__ = ["Cell", "cells_of"]

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evalkit.counts import DayCounts, Moments, Tally, TransitionCounts
from evalkit.disclosure._counts import hidden_rows, noised_tally
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._safe import Safe
from evalkit.disclosure._transitions import stocks_of
from evalkit.estimates import Estimates


@dataclass(frozen=True, slots=True)
class Cell:
    """One count.

    Attributes
    ----------
    name : str
        What is counted, in words without numbers of people.
    column : {"n", "n_event", "rest"}
        rest: those of n without the event.
    count : int
        Exact; never leaves the study's private folder.
    public : int
        As published, where it is shown.
    shown : bool
        Whether its row is published.
    linked : bool
        Whether it says who they are: the same people have the same number everywhere then.
    """

    name: str
    column: str
    count: int
    public: int
    shown: bool
    linked: bool


def cells_of(estimates: Estimates, safe: Safe) -> list[Cell]:
    """Return the counts of an estimate.

    Parameters
    ----------
    estimates : Estimates
        Exact.
    safe : Safe
        What was made of it.

    Returns
    -------
    list of Cell
    """
    counts = estimates.counts
    if counts is None:
        return []
    if isinstance(counts, DayCounts):
        return list(_of_curves(estimates, counts, safe))
    if isinstance(counts, TransitionCounts):
        return list(_of_states(estimates, counts, safe))
    return list(_of_rows(estimates, counts, safe))


def _of_states(estimates: Estimates, counts: TransitionCounts, safe: Safe) -> Iterator[Cell]:
    for stocks in stocks_of(counts, safe.policy, estimates.noise_name):
        name, linked = f"{estimates.kind}: {stocks.group}", bool(stocks.paths["code"].all())
        shown = stocks.group not in safe.withheld and safe.verdict != "withheld"
        yield Cell(f"{name}, people", "n", stocks.people, stocks.everybody(), shown, linked)
        for day in stocks.grid:
            told, _, observed = stocks.public(day)
            yield Cell(f"{name}, observed after day {day:g}", "n", stocks.observed(day), observed, shown, linked)
            exact, hidden = stocks.numbers(day), stocks.hidden(day)
            for state, n, public, few in zip(stocks.states, exact, told, hidden, strict=True):
                published = 0 if np.isnan(public) else int(public)
                yield Cell(f"{name}, {state} by day {day:g}", "n_event", int(n), published, shown and not few, linked)


def _of_rows(estimates: Estimates, counts: Tally | Moments, safe: Safe) -> Iterator[Cell]:
    policy, model = safe.policy, estimates.analysis is None
    # A model is shown whole or not at all, so its rows have no verdict of their own.
    gone = np.full(len(counts.data), safe.verdict == "withheld") if model else hidden_rows(counts, policy)
    gone = gone | (safe.verdict == "withheld")
    whose = list(counts.people) or [{}] * len(counts.data)
    one = counts.quantities if isinstance(counts, Tally) else np.ones(len(counts.data), dtype=bool)
    # As published: everybody is everybody, and a part no more than its whole.
    had = _had(counts, policy, estimates.noise_name)
    for hidden, (_, row), who, all_, with_it in zip(gone, counts.data.iterrows(), whose, one, had, strict=True):
        name = f"{estimates.kind}: {row['group']}, {row.get('label', row['term'])}"
        asked = f"{estimates.noise_name}|{row['group']}|{row['term']}"
        n = int(row["n"])
        yield Cell(name, "n", n, policy.public(n, who.get("n"), f"{asked}, people"), not hidden, "n" in who)
        if not all_:
            yield Cell(name, "n_event", int(row["n_event"]), with_it, not hidden, "n_event" in who)
        rest = 0 if all_ else int(row["n"] - row["n_event"])
        # Whoever knows the whole takes the part off, so the complement is a count that a checker has to see.
        if not all_ and policy.hides(rest):
            yield Cell(name, "rest", rest, 0, False, bool(who))


def _had(counts: Tally | Moments, policy: Policy, asked: str) -> list[int]:
    """Return the published numbers of people with the event, of each row; 0 where rows have none."""
    if isinstance(counts, Tally) and len(counts.data):
        told, _ = noised_tally(counts, np.zeros(len(counts.data), dtype=bool), policy, asked)
        return [] if told is None else [int(x) for x in told.data["n_event"]]
    return [0] * len(counts.data)


def _of_curves(estimates: Estimates, counts: DayCounts, safe: Safe) -> Iterator[Cell]:
    policy, linked = safe.policy, counts.people is not None
    for group in counts.groups:
        rows = counts.data[counts.data["group"] == group]
        who = None if counts.people is None else counts.people[counts.people["group"] == group]
        shown = group not in safe.withheld and safe.verdict != "withheld"
        name, everybody = f"{estimates.kind}: {group}", int(rows["n_entry"].sum())
        asked = f"{estimates.noise_name}|{group}"
        codes = None if who is None else who["code"].to_numpy()
        yield Cell(f"{name}, people", "n", everybody, policy.public(everybody, codes, f"{asked}|people"), shown, linked)
        for k, (column, cause) in enumerate(zip(counts.event_columns, counts.causes, strict=True), start=1):
            # Only the days at which numbers of the very people stand behind the curve; blocks in between are no groups.
            for day in [*policy.landmarks, np.inf]:
                had = int(rows.loc[rows["time"] <= day, column].sum())
                chosen = None if who is None else who.loc[who["cause"].eq(k) & who["time"].le(day), "code"].to_numpy()
                told = policy.public(had, chosen, f"{asked}|{column} by {had}")
                when = f"{cause} by day {day:g}" if np.isfinite(day) else cause
                yield Cell(f"{name}, {when}", "n_event", had, told, shown and not policy.hides(had), linked)
