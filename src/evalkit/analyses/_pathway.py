"""The pathway: what happens to people after their referral, in states, whichever way they go; and in each of the arms.

Of the arms it says how much more probable each state is in one of them, as they are and weighted.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from evalkit.analyses._compare import N_BOOT
from evalkit.cohort import STATES, Cohort, needs, nobody
from evalkit.counts import GRID, Tally, TransitionCounts, totals_of
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.levels import joined
from evalkit.stats import StateDays, StateOccupation, from_landmark, state_difference, transition_counts

__all__ = ["completing_after_lapse", "pathway", "pathway_days", "pathway_difference"]


_PEOPLE = "people referred; later referrals of a person continue the pathway"


def _states_of(cohort: Cohort) -> tuple[str, ...]:
    """Return the states that can be known: without exits nobody is known to have left, and 0 would be wrong."""
    return STATES if cohort.has("exits") else tuple(state for state in STATES if state != "left")


def _counts(cohort: Cohort) -> TransitionCounts | None:
    rows = cohort.pathway()
    if rows.empty:
        return None
    present = [group for group in cohort.groups if group in set(rows["group"])]
    rows = rows.assign(group=pd.Categorical(rows["group"], categories=present))
    return transition_counts(rows, states=_states_of(cohort), by="group")


@needs("sessions", "the pathway")
def pathway(cohort: Cohort, days: int = 365, *, landmarks: Iterable[int] = (30, 60, 90, 182, 365)) -> Estimates:
    """Return the probability of being in each state at the end of each day since referral, by arm.

    Parameters
    ----------
    cohort : Cohort
    days : int
        Horizon: the last day that is asked.
    landmarks : iterable of int
        Days that a table shows; every thirtieth day is asked beside them, for a figure.

    Returns
    -------
    Estimates
        A row per group, state and day: group, state ('waiting', 'active', 'lapsed', 'returned', 'completed', and 'left'
        where the study has exits), time, n_risk (people under observation on the day), estimate, std_error, conf_low,
        conf_high. Made from `TransitionCounts` of all episodes; no rows where nobody has been referred.

    Examples
    --------
    >>> from evalkit.analyses import pathway
    >>> pathway(cohort).tidy()[["group", "state", "time", "estimate"]].query("time <= 182").tail(1).round(3)
        group state   time  estimate
    137  PAIP  left  182.0     0.336
    """
    what = "probability of being in each state at the end of each day since referral"
    counts = _counts(cohort)
    if counts is None:
        return nobody(cohort, "state_occupation", what, ["group", "state", "estimate"], _PEOPLE, "pathway", "pathway")
    asked = {float(day) for day in (*landmarks, *range(0, days + 1, GRID), days) if day <= days}
    found = StateOccupation(times=tuple(sorted(asked))).estimate(counts)
    return found.about(population=_PEOPLE, cut=cohort.cut, asked={"question": "pathway"})


@needs("sessions", "the pathway")
def pathway_days(cohort: Cohort, days: int = 365) -> Estimates:
    """Return the mean days spent in each state in the first days since referral, by arm.

    Parameters
    ----------
    cohort : Cohort
    days : int
        Horizon.

    Returns
    -------
    Estimates
        A row per group and state: group, state, tau, estimate (they add up to the horizon), std_error, conf_low,
        conf_high; missing for a group that is not followed for so long, no rows where none is.

    Examples
    --------
    >>> from evalkit.analyses import pathway_days
    >>> pathway_days(cohort).tidy()[["group", "state", "estimate"]].head(2).round(3)
                    group    state  estimate
    0  Non-mandated pilot  waiting    69.913
    1  Non-mandated pilot   active   116.767
    """
    what = f"mean days in each state in the first {days} days since referral"
    counts = _counts(cohort)
    try:
        found = None if counts is None else StateDays(float(days)).estimate(counts)
    except AnalysisError:
        found = None
    if found is None:
        return nobody(cohort, "state_days", what, ["group", "state", "estimate"], _PEOPLE, "pathway_days", "state_days")
    return found.about(population=_PEOPLE, cut=cohort.cut, asked={"question": "pathway_days"})


@needs("sessions", "the pathway")
def completing_after_lapse(
    cohort: Cohort, days: int = 365, *, lapsed_on: Iterable[int] = (60, 90, 182), state: str = "lapsed"
) -> Estimates:
    """Return in which state people are on a day who were lapsed on an earlier one, by arm.

    Landmark Aalen-Johansen: the people lapsed at the end of a day are followed from there, so that nothing has to be
    taken for Markov (Putter and Spitoni 2018, Stat. Methods Med. Res. 27:2081-2092).

    Parameters
    ----------
    cohort : Cohort
    days : int
        The later day.
    lapsed_on : iterable of int
        The earlier days: landmarks.
    state : str, default "lapsed"
        The state at the landmark.

    Returns
    -------
    Estimates
        As `pathway`, at one time; groups are named ``arm, lapsed on day 90``. The row of 'completed' is the
        probability of having completed.

    Examples
    --------
    >>> from evalkit.analyses import completing_after_lapse
    >>> completing_after_lapse(cohort).tidy()[["group", "state", "time", "estimate"]].head(2).round(3)
                                      group    state   time  estimate
    0  Non-mandated pilot, lapsed on day 60  waiting  365.0       0.0
    1  Non-mandated pilot, lapsed on day 60   active  365.0       0.0
    """
    what = f"probability of being in each state on day {days} since referral, of people {state} on an earlier day"
    counts, parts = _counts(cohort), []
    for day in sorted({int(d) for d in lapsed_on if d < days}) if counts is not None else ():
        late = from_landmark(counts, state, day) if counts is not None else None
        if late is not None and len(late.data):
            parts.append((f", {state} on day {day}", late))
    if not parts:
        return nobody(
            cohort, "state_occupation", what, ["group", "state", "estimate"], _PEOPLE, "after_lapse", "from_state"
        )
    found = StateOccupation(times=(float(days),)).estimate(_together(parts))
    return found.about(
        population=f"people referred who were {state} on that day", cut=cohort.cut,
        asked={"question": "after_lapse", "state": state}, view="from_state",
    )  # fmt: skip


def _together(parts: list[tuple[str, TransitionCounts]]) -> TransitionCounts:
    """Return counts of several landmarks as groups of one; a person may be in more than one of them."""
    frames, paths, first = [], [], 0
    for name, counts in parts:
        frames.append(counts.data.assign(group=counts.data["group"] + name))
        if counts.paths is not None:
            paths.append(counts.paths.assign(group=counts.paths["group"] + name, person=counts.paths["person"] + first))
            # Numbered on: the same number in two landmarks would join two people's stays into one path.
            first = int(paths[-1]["person"].max()) + 1
    return TransitionCounts(
        pd.concat(frames, ignore_index=True), states=parts[0][1].states, paths=pd.concat(paths, ignore_index=True)
    )


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
            rows, "group", names or None, states=_states_of(cohort), times=[d for d in landmarks if d <= days],
            tau=days, estimand=study.comparison.estimand, focus=cohort.groups[0], n_boot=n_boot, seed=study.seed,
        )  # fmt: skip
    except (AnalysisError, ValueError):
        return nobody(cohort, "state_difference", what, ["measure", "state", "estimate"], _PEOPLE, "pathway_difference")
    about = found.about(population=_PEOPLE, cut=cohort.cut)
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
