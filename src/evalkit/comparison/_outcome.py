"""One outcome of a report: its comparison, adjusted differences and E-values, each made once."""

from __future__ import annotations

__all__ = ["Outcome", "outcome"]

from dataclasses import dataclass, field
from functools import cached_property

from evalkit.cohort import Cohort
from evalkit.comparison._compare import Comparison, compare_arms
from evalkit.comparison._e_values import e_values
from evalkit.estimates import Estimates


@dataclass(frozen=True, eq=False)
class Outcome:
    """What is compared, and by which day.

    Attributes
    ----------
    event : str
        What the event is called.
    days : int
        Horizon.
    compared : Comparison or None
        None where the arms cannot be compared.
    """

    event: str
    days: int
    compared: Comparison | None = field(repr=False)

    @cached_property
    def effects(self) -> Estimates | None:
        """The difference by that day, unadjusted and by three methods; None where there is no comparison."""
        return self.compared.effects(self.days) if self.compared else None

    @cached_property
    def e_values(self) -> Estimates | None:
        """E-values; None where there is no comparison."""
        return e_values(self.compared, self.days) if self.compared else None


def outcome(cohort: Cohort, scale: str, days: int, *, smallest: int = 11) -> Outcome | None:
    """Set up the comparison of the arms on a time scale.

    Parameters
    ----------
    cohort : Cohort
    scale : {"retention", "harm"}
    days : int
        Horizon.
    smallest : int, default 11
        As in `compare_arms`; a report gives its policy's minimum.

    Returns
    -------
    Outcome or None
        None where the study lacks the table.
    """
    if not cohort.has("outcomes" if scale == "harm" else "sessions"):
        return None
    event = str(cohort.causes_of("harm" if scale == "harm" else "retention")[1])
    return Outcome(event, days, compare_arms(cohort, scale, smallest=smallest))
