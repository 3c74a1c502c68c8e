"""The time to the first recorded harm: its curve, and the study's Cox model."""

from __future__ import annotations

__all__ = ["EVENTS_PER_TERM", "first_harm", "harm_hazards", "harm_model", "mean_without_harm", "without_harm"]

from dataclasses import dataclass, field

import pandas as pd

from evalkit.cohort import Cohort, needs, nobody, told_apart
from evalkit.counts import DayCounts, Tie, totals_of
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.levels import fewest, in_words, joined
from evalkit.stats import CoxFit, cox, cumulative_incidence, kaplan_meier, proportional_hazards_test, rmst_contrast

ALPHA = 0.05
"""Level of the test of proportional hazards."""

EVENTS_PER_TERM = 5
"""Fewest events for each term of a model (Vittinghoff and McCulloch 2007, Am. J. Epidemiol. 165:710-718)."""


def followed(cohort: Cohort) -> str:
    """Say who is followed for harm."""
    return {"referral": "people followed since referral", "intake": "people with an intake and follow-up after it"}[
        cohort.study.harm.origin
    ]


def _harmed(cohort: Cohort) -> pd.DataFrame:
    """Return harm with other ends censored: what hazards and the time without harm are of."""
    rows = cohort.harm()
    return rows.assign(event=rows["event"].eq(1).astype("int64"))


def tied_to_harm(cohort: Cohort, smallest: int = 11) -> tuple[Tie, ...]:
    """Return the share with recorded harm, to which everything else that is said of harm is tied; see `first_harm`."""
    counts = first_harm(cohort, smallest).counts
    return (Tie(counts),) if isinstance(counts, DayCounts) else ()


@needs("outcomes", "harm")
def without_harm(cohort: Cohort, smallest: int = 11) -> Estimates:
    """Return the probability of no recorded harm by each day since harm's origin, by arm; competing ends censored.

    Parameters
    ----------
    cohort : Cohort
    smallest : int, default 11
        As in `first_harm`, to whose share it is tied: of a day of which that is not told, nothing is.

    Returns
    -------
    Estimates
        Kaplan-Meier curves made from `DayCounts`; no rows where nobody has been followed.

    Examples
    --------
    >>> from evalkit.analyses import without_harm
    >>> without_harm(cohort).tidy()[["group", "time", "estimate"]].query("time <= 182").tail(1).round(3)
        group   time  estimate
    269  PAIP  181.0     0.858
    """
    rows = _harmed(cohort)
    if rows.empty:
        return nobody(cohort, "kaplan_meier", "no recorded harm", ["group"], followed(cohort), "without_harm")
    found = kaplan_meier(rows, "time", "event", by="group")
    asked, tied = {"question": "without_harm"}, tied_to_harm(cohort, smallest)
    return found.about(population=followed(cohort), cut=cohort.cut, asked=asked, tied=tied)


@needs("outcomes", "harm")
def first_harm(cohort: Cohort, smallest: int = 11) -> Estimates:
    """Return the share of people with recorded harm by each day since harm's origin, by arm.

    Parameters
    ----------
    cohort : Cohort
    smallest : int, default 11
        Death and custody compete where so many people of each arm had them first; else see `told_apart`.

    Returns
    -------
    Estimates
        A cumulative incidence, the first cause named as the study names its harm, made from `DayCounts`. No rows where
        nobody has been followed.

    Examples
    --------
    >>> from evalkit.analyses import first_harm
    >>> first_harm(cohort).tidy()[["group", "cause", "time", "estimate"]].query("time <= 182").tail(1).round(3)
        group          cause   time  estimate
    269  PAIP  recorded harm  181.0     0.142
    """
    rows = cohort.harm()
    if rows.empty:
        return nobody(
            cohort, "cumulative_incidence", "first recorded harm", ["group", "cause"], followed(cohort), "first_harm"
        )
    rows, causes, notes = told_apart(cohort, rows, smallest)
    found = cumulative_incidence(rows, "time", "event", by="group", causes=causes)
    asked = {"question": "first_harm"}
    return found.about(population=followed(cohort), cut=cohort.cut, asked=asked, notes=(*found.notes, *notes))


@needs("outcomes", "harm")
def mean_without_harm(cohort: Cohort, days: int, smallest: int = 11) -> Estimates:
    """Return the difference between the arms in the mean days without recorded harm up to a day.

    Parameters
    ----------
    cohort : Cohort
    days : int
        Horizon.
    smallest : int, default 11
        As in `without_harm`.

    Returns
    -------
    Estimates
        A contrast of restricted means; no rows where it is not defined: an arm without people, or none followed for
        so long.

    Examples
    --------
    >>> from evalkit.analyses import mean_without_harm
    >>> mean_without_harm(cohort, 365).tidy()[["estimate", "n_event", "n"]].head(2).round(3)
       estimate  n_event    n
    0     8.706      154  917
    1     1.028      154  917
    """
    rows = _harmed(cohort)
    try:
        found = rmst_contrast(rows, "time", "event", by="group", tau=days, reference=cohort.groups[1])
    except AnalysisError:
        what = f"difference of mean days without recorded harm in the first {days} days"
        columns, question = ["measure", "estimate"], "mean_without_harm"
        return nobody(cohort, "rmst_contrast", what, columns, followed(cohort), question, "mean_gap")
    asked, tied = {"question": "mean_without_harm"}, tied_to_harm(cohort, smallest)
    return found.about(population=followed(cohort), cut=cohort.cut, asked=asked, tied=tied)


@needs("outcomes", "a model of harm")
def harm_model(cohort: Cohort, smallest: int = 11) -> Estimates:
    """Fit the time to the first harm on pathway and the protocol's covariates.

    A Cox model with Efron's handling of ties, on people with a value for every covariate. Levels that few people have
    are joined, and a covariate in which too few differ is left out; the notes say so.

    Parameters
    ----------
    cohort : Cohort
    smallest : int, default 11
        Levels at which fewer people than this had the event, or did not, are joined with the next smallest one: a
        standard error would say how many they are.

    Returns
    -------
    Estimates
        One row per term, the arm first (its column's name; 1 in the focus arm): term, label, and the columns of
        `evalkit.stats.cox`.

    Notes
    -----
    Where an arm has no event the result has no rows; its counts say so. With fewer than `EVENTS_PER_TERM` events for
    each term the arm stands alone in the model: coefficients of a crowded model are biased away from zero
    (Vittinghoff and McCulloch 2007, Am. J. Epidemiol. 165:710-718).

    Examples
    --------
    >>> from evalkit.analyses import harm_model
    >>> harm_model(cohort).tidy()[["term", "estimate"]].head(2).round(3)
          term  estimate
    0  pathway    -0.038
    1      age    -0.027
    """
    asked = _asked(cohort, smallest)
    if asked.fit is None:
        return asked.nothing
    data = asked.fit.tidy()
    data.insert(1, "label", [label_of(str(term), asked.labels, asked.first) for term in data["term"]])
    return asked.nothing.about(
        data=data,
        conf_level=asked.fit.conf_level,
        summary=dict(asked.fit.summary),
        notes=(*asked.fit.notes, *asked.notes),
    )


@needs("outcomes", "a model of harm")
def harm_hazards(cohort: Cohort, smallest: int = 11) -> Estimates:
    """Return whether the hazard ratios of `harm_model` stay the same over time (Grambsch and Therneau's test).

    Parameters
    ----------
    cohort : Cohort
    smallest : int, default 11
        As in `harm_model`.

    Returns
    -------
    Estimates
        As `evalkit.stats.diagnose`: a row 'proportional hazards'; no rows where there is no model.

    Examples
    --------
    >>> from evalkit.analyses import harm_hazards
    >>> harm_hazards(cohort).tidy()[["term", "estimate"]].head(2).round(3)
                       term  estimate
    0  proportional hazards     0.348
    """
    asked = _asked(cohort, smallest)
    columns = {"term": "object", "estimate": "float64", "baseline": "float64", "verdict": "object"}
    nothing = Estimates(
        pd.DataFrame(columns=list(columns)).astype(columns),
        "diagnose",
        "whether hazard ratios stay the same over time",
        asked.nothing.population,
        cut=cohort.cut,
        counts=asked.nothing.counts,
        asked={"question": "harm_hazards"},
        view="gate",
        tied=asked.nothing.tied,
    )
    if asked.fit is None:
        return nothing
    try:
        tested = proportional_hazards_test(asked.fit)
    except AnalysisError:
        return nothing
    rows = tested.tidy()
    p = float(rows.loc[rows["term"] == "GLOBAL", "p_value"].iloc[0])
    verdict = "pass" if p >= ALPHA else "fail"
    found = pd.DataFrame([{"term": "proportional hazards", "estimate": p, "baseline": ALPHA, "verdict": verdict}])
    return nothing.about(data=found)


@dataclass(frozen=True, eq=False)
class _Asked:
    """The model as it could be fitted: None where an arm has no event."""

    nothing: Estimates
    fit: CoxFit | None = None
    labels: dict[str, str] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _asked(cohort: Cohort, smallest: int) -> _Asked:
    frame = _harmed(cohort)
    arms, covariates = cohort.study.arms, cohort.study.covariates
    arm = cohort.study.harm.model_arm or arms.column
    frame[arm] = (frame["group"] == arms.focus.label).astype(float)
    known = frame.dropna(subset=[c.name for c in covariates]).reset_index(drop=True)
    labels = {c.name: c.label for c in covariates}
    labels[arm] = f"{arms.focus.label} (reference: {arms.comparison.label})"
    counts = totals_of(known, (arms.focus.label, arms.comparison.label), named=True)
    nothing = Estimates(
        data=pd.DataFrame(columns=["term", "label"]),
        kind="cox",
        view="model",
        estimand=f"log hazard ratio of the first {cohort.study.harm.label}, given the other terms",
        population=followed(cohort),
        cut=cohort.cut,
        counts=counts,
        asked={"question": "harm_model"},
        tied=tied_to_harm(cohort, smallest),
    )
    # The arm's coefficient would be infinite, whatever else is in the model.
    if (counts.data["n_event"] == 0).any():
        return _Asked(nothing)
    had, levels = known["event"].eq(1), {}
    for covariate in covariates:
        name = covariate.name
        if covariate.kind == "categorical":
            levels[name] = joined(known[name], (had,), max(smallest, 1), covariate.levels or ())
            known = known.assign(**{name: levels[name]})
        # A number of two values is two groups of people, and held to the rule for levels.
        elif known[name].nunique() == 2:
            levels[name] = known[name]
    constant = [c.name for c in covariates if known[c.name].nunique() < 2]
    # A level that could not be joined to enough people would give its few away by its standard error.
    constant += [n for n, own in levels.items() if n not in constant and fewest(own, had).min() < max(smallest, 1)]
    used = [c.name for c in covariates if c.name not in constant]
    terms = 1 + sum(
        max(1, known[c].nunique() - 1) if isinstance(known[c].dtype, pd.CategoricalDtype) else 1 for c in used
    )
    too_many = known["event"].sum() < EVENTS_PER_TERM * terms
    fit = cox(known, "time", "event", [arm] if too_many else [arm, *used])
    told = {} if too_many else {name: own for name, own in levels.items() if name in used}
    groups = (arms.focus.label, arms.comparison.label)
    nothing = nothing.about(counts=totals_of(known, groups, named=True, levels=told))
    first = {c: str(known[c].cat.categories[0]) for c in used if isinstance(known[c].dtype, pd.CategoricalDtype)}
    said = _notes(len(frame) - len(known), [labels[name] for name in constant], unadjusted=bool(too_many))
    return _Asked(nothing, fit, labels, first, tuple(said))


def _notes(left_out: int, constant: list[str], *, unadjusted: bool) -> list[str]:
    notes = []
    if unadjusted:
        notes.append("There are too few events for the other terms: the model holds the group alone.")
    if left_out:
        notes.append("People without a value for every term are left out of the model.")
    if constant:
        notes.append(f"Left out because too few people differ in it: {', '.join(constant)}.")
    return notes


def label_of(term: str, labels: dict[str, str], first: dict[str, str]) -> str:
    """Return a model's term in the words of the report, with the level that it stands against."""
    name, bracket, level = term.partition("[")
    if not bracket:
        return labels.get(name, name)
    shown = level.removesuffix("]").removeprefix("T.")
    other = in_words(first[name]) if name in first else "the others"
    return f"{labels.get(name, name)}: {in_words(shown)} (reference: {other})"
