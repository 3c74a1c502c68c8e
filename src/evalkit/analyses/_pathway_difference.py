"""The pathway in the two arms: how much more probable each state is in one of them, as they are and weighted."""

from __future__ import annotations

__all__ = ["pathway_difference"]

from collections.abc import Iterable

import pandas as pd

from evalkit.analyses._compare import N_BOOT
from evalkit.analyses._pathway import PEOPLE, states_of
from evalkit.cohort import Cohort, needs, nobody
from evalkit.counts import Tally, totals_of
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.levels import joined
from evalkit.stats import state_difference


@needs("sessions", "the pathway")
def pathway_difference(
    cohort: Cohort, days: int = 365, *, landmarks: Iterable[int] = (90, 182, 365), adjusted: bool = False,
    n_boot: int = N_BOOT, smallest: int = 11,
) -> Estimates:  # fmt: skip
    """Return how much more probable each state is, and how many more days are spent in it, in the focus arm.

    Parameters
    ----------
    cohort : Cohort
    days : int
        Horizon of the days.
    landmarks : iterable of int
        Days on which probabilities are compared.
    adjusted : bool, default False
        Whether people are weighted to the protocol's target, by the protocol's covariates (people with a value for each
        of them); else the arms are compared as they are.
    n_boot : int
        Bootstrap replicates.
    smallest : int, default 11
        Levels of a characteristic with fewer people than this in an arm are joined.

    Returns
    -------
    Estimates
        As `evalkit.stats.state_difference`; no rows where the arms cannot be compared: an arm is empty or not
        followed so long, or they are told apart completely.

    Examples
    --------
    >>> from evalkit.analyses import pathway_difference
    >>> pathway_difference(cohort).tidy()[["state", "estimate"]].head(2).round(3)
         state  estimate
    0  waiting     0.002
    1   active     0.064
    """
    study, rows = cohort.study, cohort.pathway()
    what = "difference in the probability of, and the days in, each state"
    question = {"question": "pathway_difference", "adjusted": adjusted}
    names: list[str] = []
    if adjusted:
        rows, names = _with_covariates(cohort, rows, smallest)
    try:
        found = state_difference(
            rows, "group", names or None, states=states_of(cohort), times=[d for d in landmarks if d <= days],
            tau=days, estimand=study.comparison.estimand, focus=cohort.groups[0], n_boot=n_boot, seed=study.seed,
        )  # fmt: skip
    except (AnalysisError, ValueError):
        return nobody(cohort, "state_difference", what, ["measure", "state", "estimate"], PEOPLE, "pathway_difference")
    about = found.about(population=PEOPLE, cut=cohort.cut)
    return about.about(
        asked={**found.asked, **question}, counts=_totals(cohort, rows), summary={"n": found.summary["n"]}
    )


def _with_covariates(cohort: Cohort, rows: pd.DataFrame, smallest: int) -> tuple[pd.DataFrame, list[str]]:
    """Return the stays of people with a value for every covariate, rare levels joined, and the covariates that vary."""
    covariates = cohort.study.covariates
    rows = rows.dropna(subset=[c.name for c in covariates]).reset_index(drop=True)
    # By person, not by stay: who moves often would count as many.
    people = rows.drop_duplicates("participant_id").reset_index(drop=True)
    for covariate in covariates:
        if covariate.kind == "categorical":
            levels = joined(people[covariate.name], (people["group"],), smallest, covariate.levels or ())
            told = dict(zip(people["participant_id"], levels.astype(object), strict=True))
            rows[covariate.name] = rows["participant_id"].map(told)
    return rows, [c.name for c in covariates if len({*rows[c.name]}) > 1]


def _totals(cohort: Cohort, rows: pd.DataFrame) -> Tally:
    """Return how many people of each arm ever moved, of how many: what decides whether the difference may be shown."""
    moved = rows[rows["to"] != ""].drop_duplicates("participant_id")["participant_id"]
    people = rows.drop_duplicates("participant_id").assign(event=lambda r: r["participant_id"].isin(moved).astype(int))
    return totals_of(people, cohort.groups)
