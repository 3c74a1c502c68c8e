"""The funnel, and shares of single steps."""

from __future__ import annotations

__all__ = [
    "completion",
    "completion_of_intakes",
    "dose_and_completion",
    "engaged_by",
    "funnel",
    "labels_of",
    "reached_dose",
    "steps",
]

from collections.abc import Sequence
from typing import Literal
from weakref import WeakKeyDictionary

import pandas as pd

from evalkit.analyses._analyses import ShareOf, count_true, groups_of, tally
from evalkit.cohort import Cohort, needs
from evalkit.errors import UsageError, did_you_mean
from evalkit.estimates import Estimates, nothing
from evalkit.glossary import NOT_RECORDED

Place = Literal["site", "community_area", "referral_source"]
_PLACES: tuple[Place, ...] = ("site", "community_area", "referral_source")
STEPS = ("intake", "first_session", "engaged", "half_dose", "dose", "completed")
"""Those after the referral, each with a time of its own."""
# By the cohort itself, and gone with it: a report of several cuts holds several.
_STEPS: WeakKeyDictionary[Cohort, pd.DataFrame] = WeakKeyDictionary()


def steps(cohort: Cohort) -> pd.DataFrame:
    """Return who is eligible for each step of the funnel, and who reached it.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    pandas.DataFrame
        As ``cohort.people``, with bool columns ``can_<step>`` (the window is over at the cut) and ``did_<step>``
        for intake, first_session, engaged, half_dose, dose and completed. Windows include their last day.

    Raises
    ------
    MissingTableError
        If sessions are not part of the study.

    Examples
    --------
    >>> from evalkit.analyses import steps
    >>> len(steps(cohort))
    917
    """
    if cohort not in _STEPS:  # a report asks for them a dozen times
        _STEPS[cohort] = _steps(cohort)
    return cohort.people.join(_STEPS[cohort])


def _steps(cohort: Cohort) -> pd.DataFrame:
    """Return the columns of `steps` beside those of the people."""
    people, rules = cohort.people, cohort.rules
    windows, found = rules.funnel, pd.DataFrame(index=people.index)
    after_referral = {
        name: (people[f"{name}_date"] - people["referral_date"]).dt.days for name in ("intake", "first_session")
    }
    to_completion = (people["completion_date"] - people["first_session_date"]).dt.days
    (engaged,) = cohort.attended("intake", [(0, rules.engaged.days)])
    (half,) = cohort.attended("first_session", [(0, windows.half_dose_days)], counting=True)
    # A window counts once it is over, whatever happened in it: whoever reaches a step early would else enter the
    # denominator before those who never do, and young quarters would look too good.
    found["can_intake"] = people["days_from_referral"] >= windows.intake_days
    found["did_intake"] = after_referral["intake"].le(windows.intake_days)
    found["can_first_session"] = people["days_from_referral"] >= windows.first_session_days
    found["did_first_session"] = after_referral["first_session"].le(windows.first_session_days)
    found["can_engaged"] = people["days_from_intake"] >= rules.engaged.days
    found["did_engaged"] = engaged["sessions"] >= rules.engaged.sessions
    found["can_half_dose"] = people["days_from_first_session"] >= windows.half_dose_days
    found["did_half_dose"] = half["sessions"] >= windows.half_dose_sessions
    to_dose = (people["dose_date"] - people["first_session_date"]).dt.days
    found["can_dose"] = people["days_from_first_session"] >= windows.completion_days
    found["did_dose"] = to_dose.le(windows.completion_days)
    found["can_completed"] = people["days_from_first_session"] >= windows.completion_days
    found["did_completed"] = to_completion.le(windows.completion_days)
    return found.assign(can_referred=True, did_referred=True)


def labels_of(cohort: Cohort) -> dict[str, str]:
    """Return by step of the funnel its words in the report, with the protocol's numbers."""
    rules = cohort.rules
    windows = rules.funnel
    return {
        "referred": "Referred",
        "intake": f"Intake within {windows.intake_days} days",
        "first_session": f"First session within {windows.first_session_days} days",
        "engaged": f"Engaged: {rules.engaged.sessions} sessions within {rules.engaged.days} days of intake",
        "half_dose": f"{windows.half_dose_sessions} sessions within {windows.half_dose_days} days",
        "dose": f"Dose reached within {windows.completion_days} days",
        "completed": f"Completed within {windows.completion_days} days",
    }


@needs("sessions", "the funnel from referral to completion")
def funnel(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return the funnel from referral to completion, by arm.

    A step's denominator is everybody whose window for the step is over at the cut, whatever happened to them:
    of all referred (intake, first session), of those with an intake (engaged), of those with a first session
    (half the dose, the dose, completion). The column share sets the same people beside all referred.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; terms referred, intake, first_session, engaged, half_dose, dose (where completing is
        something else), completed.

    Examples
    --------
    >>> from evalkit.analyses import funnel
    >>> funnel(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group      term  estimate  n_event
    0  Non-mandated pilot  referred       1.0      160
    1                PAIP  referred       1.0      757
    """
    people, groups = steps(cohort), groups_of(cohort)
    rows = [
        row
        for term, label in labels_of(cohort).items()
        if not (term == "dose" and cohort.rules.completion == "dose")  # completing is that: it stands there once
        for row in count_true(people, groups, term, label, f"did_{term}", f"can_{term}")
    ]
    analysis = ShareOf(
        kind="funnel",
        view="funnel",
        estimand="share reaching each step in time, of those whose time for it is over",
        population="all referred, first episodes" if cohort.episodes == "first" else "all referrals",
        whole="referred",
        conf_level=conf_level,
        notes=("Steps have different denominators: later ones leave out those whose time is not over yet.",),
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"episodes": cohort.episodes})


@needs("sessions", "completion")
def completion(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return the share of starters who complete in time, by arm: the funnel's last step.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Kind ``proportion``, made from a `Tally` with the one term completed.

    Examples
    --------
    >>> from evalkit.analyses import completion
    >>> completion(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group       term  estimate  n_event
    0  Non-mandated pilot  completed     0.554       41
    1                PAIP  completed     0.579      191
    """
    return _of_starters(
        cohort, ("completed",), "completion within {days} days of the first session", "completion", conf_level
    )


@needs("sessions", "completion")
def reached_dose(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return the share of starters who reach the dose in time, by arm: beside `completion`, which takes more.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Kind ``proportion``, made from a `Tally` with the one term dose.

    Examples
    --------
    >>> from evalkit.analyses import reached_dose
    >>> reached_dose(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group  term  estimate  n_event
    0  Non-mandated pilot  dose     0.595       44
    1                PAIP  dose     0.603      199
    """
    return _of_starters(
        cohort, ("dose",), "dose reached within {days} days of the first session", "reached_dose", conf_level
    )


@needs("sessions", "completion")
def dose_and_completion(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return the shares of starters who reach the dose, and who complete, in time, by arm: two things, side by side.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Kind ``proportion``, made from a `Tally` with the terms dose and completed; nothing where completing is the
        dose.

    Examples
    --------
    >>> from evalkit.analyses import dose_and_completion
    >>> dose_and_completion(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group  term  estimate  n_event
    0  Non-mandated pilot  dose     0.595       44
    1                PAIP  dose     0.603      199
    """
    if cohort.rules.completion == "dose":  # completing is that: nothing stands beside it
        return nothing("absent.dose", "the dose beside completion")
    both = ("dose", "completed")
    return _of_starters(
        cohort,
        both,
        "dose reached, and completion, within {days} days of the first session",
        "dose_and_completion",
        conf_level,
    )


def _of_starters(cohort: Cohort, terms: Sequence[str], what: str, question: str, conf_level: float) -> Estimates:
    """Return the shares of starters who reach the funnel's last steps in time."""
    days, labels = cohort.rules.funnel.completion_days, labels_of(cohort)
    rows = [
        row
        for term in terms
        for row in count_true(steps(cohort), groups_of(cohort), term, labels[term], f"did_{term}", f"can_{term}")
    ]
    analysis = ShareOf(
        kind="proportion",
        view="proportion",
        estimand=what.format(days=days),
        population=f"people with a first session at least {days} days before the cut",
        conf_level=conf_level,
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"question": question, "days": days})


@needs("sessions", "completion")
def completion_of_intakes(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return the share of people with an intake who complete in time, by arm.

    Published shares are of people who attended an assessment, whether they came to a session or not: this denominator
    is the nearest to theirs.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Kind ``proportion``, made from a `Tally` with the one term completed; days count from the intake.

    Examples
    --------
    >>> from evalkit.analyses import completion_of_intakes
    >>> completion_of_intakes(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group       term  estimate  n_event
    0  Non-mandated pilot  completed     0.489       43
    1                PAIP  completed     0.475      193
    """
    people, days = steps(cohort), cohort.rules.funnel.completion_days
    since = (people["completion_date"] - people["intake_date"]).dt.days
    people = people.assign(can=people["days_from_intake"] >= days, did=since.le(days))
    label = f"Completed within {days} days of intake"
    rows = count_true(people, groups_of(cohort), "completed", label, "did", "can")
    analysis = ShareOf(
        kind="proportion",
        view="proportion",
        estimand=f"completion within {days} days of the intake",
        population=f"people with an intake at least {days} days before the cut",
        conf_level=conf_level,
    )
    asked = {"question": "completion_of_intakes", "days": days}
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked=asked)


@needs("sessions", "engagement by place")
def engaged_by(cohort: Cohort, place: Place, *, by_arm: bool = True, conf_level: float = 0.95) -> Estimates:
    """Return the share engaged by site, community area or referral source.

    Parameters
    ----------
    cohort : Cohort
    place : {"site", "community_area", "referral_source"}
    by_arm : bool, default True
        False: the arms together, group 'all'.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; term is the level ('not recorded' where there is none), variable the place.
        Levels nobody of a group belongs to have no row.

    Raises
    ------
    UsageError
        If the place is none of the three.

    Examples
    --------
    >>> from evalkit.analyses import engaged_by
    >>> engaged_by(cohort, "site").tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group    term  estimate  n_event
    0  Non-mandated pilot  Site 1     0.848       28
    1                PAIP  Site 1     0.732      115
    """
    if place not in _PLACES:
        msg = f"engaged_by: place '{place}' is not one of {', '.join(_PLACES)}{did_you_mean(place, _PLACES)}"
        raise UsageError(msg)
    people = steps(cohort)
    # Who has none is a line of its own: left out, shares by place would not be of everybody.
    people[place] = people[place].astype(object).fillna(NOT_RECORDED)
    rows = []
    for level in sorted(people[place].unique()):
        own = people[people[place] == level]
        found = count_true(own, groups_of(cohort, by_arm=by_arm), str(level), str(level), "did_engaged", "can_engaged")
        # A level that an arm has nobody of would be a row of dashes, and look withheld.
        rows += [row for row in found if row["n"]]
    engaged = cohort.rules.engaged
    analysis = ShareOf(
        kind="engaged_by",
        estimand=f"share with {engaged.sessions} attended sessions within {engaged.days} days of intake",
        population=f"people with an intake at least {engaged.days} days before the cut, by {place.replace('_', ' ')}",
        conf_level=conf_level,
        notes=("Differences between places are not adjusted for who is served there.",),
    )
    counts = tally([{**row, "variable": place} for row in rows])
    return analysis.estimate(counts).about(
        cut=cohort.cut, asked={"by": place, "sessions": engaged.sessions, "days": engaged.days}
    )
