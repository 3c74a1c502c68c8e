"""One outcome of a report: its comparison, and every question that is asked of it, each answered once."""

from __future__ import annotations

__all__ = ["Outcome", "outcome"]

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from evalkit.analyses._comparable import e_values, equipoise, preference
from evalkit.analyses._compare import Comparison, compare_arms
from evalkit.analyses._sensitivity import IMPUTATIONS, imputed, sensitivity
from evalkit.cohort import Cohort
from evalkit.estimates import Estimates, nothing
from evalkit.intake import CutData


@dataclass(frozen=True, eq=False)
class Outcome:
    """What is compared, and by which day.

    Where the arms cannot be compared, every answer is `evalkit.estimates.nothing` with the reason.

    Attributes
    ----------
    event : str
        What the event is called.
    days : int
        Horizon.
    compared : Comparison or None
        None where the arms cannot be compared.
    missing : str
        The table that the study lacks for it; empty where it has it.
    smallest : int
        No class of preference scores holds fewer people of an arm than this, if any.

    Examples
    --------
    >>> from evalkit.analyses import outcome
    >>> lapse = outcome(cohort, "retention", 182)
    >>> lapse.event, lapse.days
    ('disengagement', 182)
    >>> lapse.diagnose().tidy()[["term", "verdict"]].head(2)
            term verdict
    0    balance    pass
    1  equipoise    pass
    """

    event: str
    days: int
    compared: Comparison | None = field(repr=False)
    missing: str = ""
    smallest: int = 11

    def _answer(self, what: str, question: Callable[[Comparison], Estimates]) -> Estimates:
        if self.compared is not None:
            return question(self.compared)
        name = f"{what} of the comparison in {self.event}"
        return nothing("absent.table", name, table=self.missing) if self.missing else nothing("absent.comparison", name)

    def equipoise(self) -> Estimates:
        """Return the share of each arm in the protocol's range of preference scores."""
        return self._answer("the overlap", equipoise)

    def preference(self) -> Estimates:
        """Return how preference scores are distributed in each arm."""
        return self._answer("the overlap", lambda one: preference(one, smallest=self.smallest))

    def diagnose(self) -> Estimates:
        """Return the diagnostics that change what may be said."""
        return self._answer("the balance", lambda one: one.diagnose())

    def balance(self) -> Estimates:
        """Return standardised mean differences before and after weighting."""
        return self._answer("the balance", lambda one: one.balance())

    @cached_property
    def effects(self) -> Estimates:
        """The difference by that day, unadjusted and by three methods."""
        return self._answer("the adjusted difference", lambda one: one.effects(self.days))

    def weighted(self) -> Estimates:
        """Return the share with each event by each day after weighting."""
        return self._answer("the adjusted difference", lambda one: one.weighted())

    def sensitivity(self, data: CutData) -> Estimates:
        """Return the weighted difference under other choices.

        Parameters
        ----------
        data : CutData
            What was known at the cut.

        Returns
        -------
        Estimates
        """
        return self._answer("the sensitivity", lambda one: sensitivity(one, data, self.days))

    @cached_property
    def e_values(self) -> Estimates:
        """How strong something unmeasured would have to be."""
        return self._answer("the sensitivity to what was not measured", lambda one: e_values(one, self.days))

    def imputed(self, m: int = IMPUTATIONS) -> Estimates:
        """Return the weighted difference without and with imputed characteristics.

        Parameters
        ----------
        m : int
            Imputed data sets.

        Returns
        -------
        Estimates
        """
        return self._answer("the imputed difference", lambda one: imputed(one, self.days, m=m))


def outcome(cohort: Cohort, scale: str, days: int, *, smallest: int = 11) -> Outcome:
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
    Outcome

    Examples
    --------
    >>> from evalkit.analyses import outcome
    >>> outcome(cohort, "harm", 365).equipoise().tidy()[["term", "estimate"]].round(3)
            term  estimate
    0  equipoise     0.985
    1  equipoise     0.955
    """
    table = "outcomes" if scale == "harm" else "sessions"
    event = str(cohort.causes_of("harm" if scale == "harm" else "retention")[1])
    missing = "" if cohort.has(table) else table
    return Outcome(event, days, None if missing else compare_arms(cohort, scale, smallest=smallest), missing, smallest)
