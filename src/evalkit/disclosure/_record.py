"""What a run showed, kept beside it: each output's verdict, its rows, and its counts, exact and as published.

For the people who check what was shown. The record holds exact counts: it is written only where a render asks for it (a
private file in its scratch folder), is read by the render and by the review pack, and never leaves the study's private
folder.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from evalkit.counts import DayCounts, Moments, Tally, TransitionCounts
from evalkit.disclosure._counts import asked_of, hidden_rows, noised_tally, whose_of
from evalkit.disclosure._curves import groups_of
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._safe import Safe
from evalkit.disclosure._told import append_private
from evalkit.disclosure._transitions import stocks_of
from evalkit.errors import DisclosureError
from evalkit.estimates import Estimates

__all__ = ["Cell", "Record", "RecordLine", "cells_of", "read_record"]


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
    """Return the counts of an (exact) estimate, beside what was made safe of it."""
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
    policy, gone = safe.policy, np.full(len(counts.data), safe.verdict == "withheld")
    # A model is shown whole or not at all, so its rows have no verdict of their own.
    if estimates.analysis is not None:
        gone = gone | hidden_rows(counts, policy)
    one = counts.quantities if isinstance(counts, Tally) else np.ones(len(counts.data), dtype=bool)
    # As published: everybody is everybody, and a part no more than its whole.
    had = _had(counts, policy, estimates.noise_name)
    rows = zip(gone, counts.data.iterrows(), whose_of(counts), one, had, strict=True)
    for hidden, (_, row), who, all_, with_it in rows:
        name = f"{estimates.kind}: {row['group']}, {row.get('label', row['term'])}"
        asked = asked_of(estimates.noise_name, row)
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
    for group in groups_of(counts, policy, estimates.noise_name):
        name = f"{estimates.kind}: {group.name}"
        shown = group.name not in safe.withheld and safe.verdict != "withheld"
        yield Cell(f"{name}, people", "n", group.people, group.everybody(), shown, linked)
        for k, (column, cause) in enumerate(zip(counts.event_columns, counts.causes, strict=True), start=1):
            # Only the days at which numbers of the very people stand behind the curve; blocks in between are no groups.
            for day in [*policy.landmarks, np.inf]:
                had, told = group.by(column, day), group.events(column, k, day)
                when = f"{cause} by day {day:g}" if np.isfinite(day) else cause
                yield Cell(f"{name}, {when}", "n_event", had, told, shown and not policy.hides(had), linked)


RECORD = "EVALKIT_RECORD"
"""Environment variable: the file to write."""


@dataclass(frozen=True)
class Record:
    """Where a run writes what it shows.

    Attributes
    ----------
    file : pathlib.Path or None
        None: nothing is written (a notebook in an editor).
    made : list of Safe
        What passed disclosure control in this run, in order: nothing else may be shown.
    """

    file: Path | None = None
    made: list[Safe] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def of_run(cls, environment: Mapping[str, str] = os.environ) -> Record:
        """Return the record that the render of this process asks for."""
        named = environment.get(RECORD)
        return cls(Path(named) if named else None)

    def add(self, exact: Estimates, safe: Safe) -> None:
        """Add a line for one output."""
        self.made.append(safe)
        if self.file is None:
            return
        line = {
            "line": len(self.made),
            "policy": safe.policy.fingerprint,
            "estimate": exact.id,
            "told": safe.estimates.id,  # another one where nothing is left to be asked again
            "kind": exact.kind,
            "estimand": exact.estimand,
            "verdict": safe.verdict,
            "withheld": list(safe.withheld),
            "cells": [dataclasses.asdict(cell) for cell in cells_of(exact, safe)],
        }
        append_private(self.file, f"{json.dumps(line)}\n".encode())

    def line_of(self, safe: Safe) -> int:
        """Return the line of the record that speaks of an estimate.

        Returns
        -------
        int
            From 1; 0 where none does, because something else made it safe.
        """
        # By identity: an equal one that a notebook built itself did not pass disclosure control here.
        return next((number for number, one in enumerate(self.made, start=1) if one is safe), 0)


@dataclass(frozen=True)
class RecordLine:
    """One output of a run.

    Attributes
    ----------
    estimate, told, kind, estimand, verdict : str
        ``told`` is the id by which outputs name the estimate.
    withheld : tuple of str
        Rows that are not shown, in words.
    cells : tuple of Cell
    policy : str
        Fingerprint of the policy that was applied.
    """

    estimate: str
    told: str
    kind: str
    estimand: str
    verdict: str
    withheld: tuple[str, ...]
    cells: tuple[Cell, ...]
    policy: str


def read_record(file: Path) -> list[RecordLine]:
    """Read what a run showed.

    Returns
    -------
    list of RecordLine
        Empty where there is no such file: nothing was shown.

    Raises
    ------
    DisclosureError
        If the file is not a record.
    """
    if not file.is_file():
        return []
    try:
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return [_line(line) for line in lines]
    except (ValueError, KeyError, TypeError):
        msg = "the record of what the notebook showed cannot be read; a notebook must not write to it. Render it again"
        raise DisclosureError(msg) from None


def _line(line: Mapping[str, Any]) -> RecordLine:
    texts = {name: str(line[name]) for name in ("estimate", "told", "kind", "estimand", "verdict", "policy")}
    cells = tuple(Cell(**cell) for cell in line["cells"])
    return RecordLine(**texts, withheld=tuple(line["withheld"]), cells=cells)
