"""Attrition: who is left after each step of eligibility, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

import pandas as pd

from evalkit.counts import Codes, Tally
from evalkit.estimates import Estimates


@dataclass(frozen=True)
class Attrition:
    """Counts of episodes at each step of eligibility.

    Attributes
    ----------
    population : str
        Of whom, in one clause.
    """

    key: ClassVar[str] = "attrition"
    view: ClassVar[str] = "attrition"
    population: str = "all referrals known at the cut"

    def estimate(self, counts: Tally) -> Estimates:
        """Return the steps.

        Parameters
        ----------
        counts : Tally
            One row per group and step: ``n`` before it, ``n_event`` left after it, ``label`` (the step in
            words), ``variable`` (cohort, or the time scale the step leads to).

        Returns
        -------
        Estimates
            Columns group, variable, term, label, n, n_event, n_excluded, estimate (share left).
        """
        data = counts.frame
        data["n_excluded"] = data["n"] - data["n_event"]
        data["estimate"] = (data["n_event"] / data["n"].where(data["n"] > 0)).astype("float64")
        columns = ["group", "variable", "term", "label", "n", "n_event", "n_excluded", "estimate"]
        return Estimates(
            data[columns],
            kind="attrition",
            estimand="referrals left after each step of eligibility",
            population=self.population,
            notes=("Counts are referrals (episodes); a participant may have several.",),
            counts=counts,
            analysis=self,
        )


@dataclass(frozen=True)
class Step:
    """One step of eligibility in one group."""

    group: str
    variable: str
    term: str
    label: str
    n: int  # before it
    n_event: int  # left after it
    people: Mapping[str, Codes] = field(default_factory=dict)  # codes behind n and n_event, where known


def attrition(steps: Sequence[Step], cut: date) -> Estimates:
    """Return the attrition of a cohort."""
    columns = ["group", "variable", "term", "label", "n", "n_event"]
    data = pd.DataFrame([[getattr(step, c) for c in columns] for step in steps], columns=columns)
    counts = Tally(data.astype({"n": "int64", "n_event": "int64"}), people=tuple(step.people for step in steps))
    return Attrition().estimate(counts).about(cut=cut)
