"""Who leaves, and when: from referral to intake, from intake to the first session, and after it.

Each stage has a clock of its own, an event that it is about (cause 1), and one that competes with it (cause 2):

=================== ============================== =================== ===============================
stage               origin                         cause 1             cause 2
=================== ============================== =================== ===============================
``before_intake``   referral                       intake              leaving: an exit before it
``before_session``  intake                         first session       leaving: an exit before it
``after_session``   first session (`retention`)    disengagement       completion
=================== ============================== =================== ===============================

On one day the intake or the first session goes before an exit. Exits that end being followed censor, as on the other
time scales. Before the first session few people leave by a recorded exit: most who do not come just do not come, so
the event there is coming, and what hinders it. Waiting is known when a stage begins: days from referral to intake
before the first session, days from referral to the first session that was offered (attended or not) after it.
"""

from __future__ import annotations

__all__ = ["STAGES", "leaving_foretold", "leaving_model", "leaving_risks", "stage"]

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from evalkit.analyses._model import EVENTS_PER_TERM, label_of
from evalkit.analyses._stay import tied_to_leaving
from evalkit.cohort import Cohort, needs, nobody
from evalkit.counts import Tally, Tie, totals_of
from evalkit.errors import AnalysisError, UsageError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.glossary import NOT_RECORDED
from evalkit.intake import exit_effects
from evalkit.levels import fewest, joined
from evalkit.stats import cox, foretold, standardised_risks
from evalkit.stats.design import design_matrix

Stage = Literal["before_intake", "before_session", "after_session"]
STAGES: dict[str, tuple[str, str, str]] = {
    "before_intake": ("intake", "leaving before it", "people referred"),
    "before_session": ("first session", "leaving before it", "people with an intake and no session before it"),
    "after_session": ("disengagement", "completion", "people with a first session"),
}
"""By stage: its event, what competes with it, and of whom it speaks."""

WAIT = "days_waited"
LEAVING_BOOT = 200
"""Bootstrap replicates; each fits every model again."""


def stage(cohort: Cohort, name: str) -> pd.DataFrame:
    """Return the time scale of a stage.

    Parameters
    ----------
    cohort : Cohort
    name : {"before_intake", "before_session", "after_session"}

    Returns
    -------
    pandas.DataFrame
        One row per analysed episode in the stage: participant_id, episode, group, time, event (0 censored, 1 and 2 as
        the stage has them), days_waited (not before the intake; missing where no session was offered),
        referral_source, site and the covariates.

    Raises
    ------
    MissingTableError
        If sessions are not part of the study.
    UsageError
        If there is no such stage.

    Examples
    --------
    >>> from evalkit.analyses import stage
    >>> len(stage(cohort, "before_session"))
    783
    """
    if name not in STAGES:
        msg = f"there is no stage '{name}'{did_you_mean(name, STAGES)}"
        raise UsageError(msg)
    offered = cohort.sessions()
    key = ["participant_id", "episode"]
    people = cohort.people
    # The study's own scale: this stage begins and ends as retention does.
    if name == "after_session":
        # Offered, whether attended or not: the wait is the service's, not the person's.
        first = offered.groupby(key)["day_from_referral"].min().rename(WAIT).reset_index()
        return cohort.retention().drop(columns="reason").merge(first, on=key, how="left")
    if name == "before_intake":
        origin, reached = people["referral_date"], people["intake_date"]
    else:
        # Who had a session before the intake did not wait for one after it.
        begun = people["intake_date"].notna() & ~people["first_session_date"].lt(people["intake_date"])
        people = people[begun].reset_index(drop=True)
        origin, reached = people["intake_date"], people["first_session_date"]
        people = people.assign(**{WAIT: (origin - people["referral_date"]).dt.days.astype("float64")})
    left = _exits(cohort, people, origin)
    cut = pd.Timestamp(cohort.cut)
    came = reached.notna() & ~(left["exit_date"] < reached)
    gone = ~came & left["exit_date"].notna()
    end = reached.where(came, left["exit_date"].where(gone, cut))
    event = np.select([came, gone & left["leaves"]], [1, 2], 0)
    about = ["referral_source", "site", *cohort.covariates]
    columns = [*key, "group", "time", "event", *([WAIT] if WAIT in people else []), *dict.fromkeys(about)]
    rows = people.assign(time=(end - origin).dt.days.astype("int64"), event=event)
    return rows[list(dict.fromkeys(columns))].reset_index(drop=True)


def _exits(cohort: Cohort, people: pd.DataFrame, origin: pd.Series) -> pd.DataFrame:
    """Return each person's first exit since the origin, and whether it is leaving or only the end of following."""
    empty = pd.DataFrame({"exit_date": pd.Series(pd.NaT, index=people.index, dtype="datetime64[ns]"), "leaves": False})
    if not cohort.has("exits"):
        return empty
    effects = exit_effects(cohort.rules)
    exits = cohort.exits()[["participant_id", "episode", "exit_date", "reason"]]
    exits = exits[exits["reason"].map(effects).ne("ignored") & exits["reason"].isin(list(effects))]
    exits = exits.assign(leaves=exits["reason"].map(effects).ne("censored"))
    since = people[["participant_id", "episode"]].assign(origin=origin.to_numpy())
    exits = exits.merge(since, on=["participant_id", "episode"])
    # An exit before the stage began ended another stage.
    exits = exits[exits["exit_date"] >= exits["origin"]]
    # leaving goes before the end of following on one day
    exits = exits.sort_values(["exit_date", "leaves"], ascending=[True, False], kind="stable")
    first = exits.drop_duplicates(["participant_id", "episode"]).drop(columns=["origin", "reason"])
    found = people[["participant_id", "episode"]].merge(first, on=["participant_id", "episode"], how="left")
    found.index = people.index
    return found.assign(leaves=found["leaves"].eq(True))


@dataclass(frozen=True, eq=False)
class _Model:
    """A stage's rows made ready for a model: its terms, how they are called, and how many people stand behind them."""

    rows: pd.DataFrame
    terms: list[str]
    labels: dict[str, str]
    first: dict[str, str]
    counts: Tally
    notes: tuple[str, ...]

    def named(self, rows: pd.DataFrame) -> list[str]:
        """Return the terms of some rows in the words of the report."""
        return [label_of(str(term), self.labels, self.first) for term in rows["term"]]


def _ready(cohort: Cohort, name: str, smallest: int) -> _Model:
    rows, study = stage(cohort, name), cohort.study
    least = max(smallest, 1)
    labels = {c.name: c.label for c in study.covariates}
    labels |= {"referral_source": "Referral source", "site": "Site", WAIT: "Days waited"}
    labels["arm"] = f"{cohort.groups[0]} (reference: {cohort.groups[1]})"
    rows = rows.assign(arm=rows["group"].eq(cohort.groups[0]).astype(float))
    for place in ("referral_source", "site"):
        # A place that nobody recorded is a level of its own: else `dropna` below would leave these people out.
        rows[place] = rows[place].astype(object).where(rows[place].notna(), NOT_RECORDED)
    wanted = ["arm", *cohort.covariates, "referral_source", "site", *([WAIT] if WAIT in rows else [])]
    wanted = list(dict.fromkeys(wanted))
    known = rows.dropna(subset=wanted).reset_index(drop=True)
    had, levels = known["event"].eq(1), {}
    given = {c.name: c.levels or () for c in study.covariates}
    for term in wanted[1:]:
        if not pd.api.types.is_numeric_dtype(known[term].dtype):
            levels[term] = joined(known[term], (had,), least, given.get(term, ()))
            known[term] = levels[term]
        # A number of two values is a group of people as a level is, and is counted as one.
        elif known[term].nunique() == 2:
            levels[term] = known[term]
    groups = [group for group in cohort.groups if known["group"].eq(group).any()]
    few = [t for t in wanted if known[t].nunique() < 2]
    few += [t for t, own in levels.items() if t not in few and fewest(own, had).min() < least]
    used = [t for t in wanted if t not in few]
    # Now, and not by the fit: it would refuse the whole model for one term that repeats another.
    used, same = _identified(known, used)
    notes = (
        [f"Left out because it cannot be told from the others: {', '.join(labels[t] for t in same)}."] if same else []
    )
    size = sum(max(known[t].nunique() - 1, 1) if isinstance(known[t].dtype, pd.CategoricalDtype) else 1 for t in used)
    if had.sum() < EVENTS_PER_TERM * size:
        used = [t for t in ("arm", WAIT) if t in used]
        notes.append("There are too few events for the other terms: the model holds the group and the wait alone.")
    if len(known) < len(rows):
        notes.append("People without a value for every term are left out of the model.")
    left_out = [labels[t] for t in few if t != "arm"]
    if left_out:
        notes.append(f"Left out because too few people differ in it: {', '.join(left_out)}.")
    told = {t: own for t, own in levels.items() if t in used}
    first = {t: str(known[t].cat.categories[0]) for t in used if isinstance(known[t].dtype, pd.CategoricalDtype)}
    counts = totals_of(known, groups, named=True, levels=told)
    return _Model(known, used, labels, first, counts, tuple(notes))


def _identified(known: pd.DataFrame, terms: list[str]) -> tuple[list[str], list[str]]:
    """Return the terms that those before them do not determine, and the others."""
    kept: list[str] = []
    for term in terms:
        try:
            design_matrix(known, [*kept, term])
        except AnalysisError:
            continue
        kept.append(term)
    return kept, [term for term in terms if term not in kept]


@needs("sessions", "who leaves")
def leaving_model(cohort: Cohort, name: str, smallest: int = 11) -> Estimates:
    """Fit the time to a stage's event on arm, covariates, referral source, site and the days waited.

    A cause-specific Cox model with Efron's ties: what competes with the event is censored.

    Parameters
    ----------
    cohort : Cohort
    name : {"before_intake", "before_session", "after_session"}
    smallest : int, default 11
        Levels at which fewer people than this had the event, or did not, are joined with the next smallest one.

    Returns
    -------
    Estimates
        One row per term, the arm first: term, label and the columns of `evalkit.stats.cox`; no rows where there is
        no model: no event in an arm, or nothing in which people differ.

    Raises
    ------
    UsageError
        If there is no such stage.

    Examples
    --------
    >>> from evalkit.analyses import leaving_model
    >>> leaving_model(cohort, "before_session").tidy()[["term", "estimate"]].head(2).round(3)
      term  estimate
    0  arm    -0.075
    1  age     0.011
    """
    event, _, people = STAGES.get(name, ("", "", ""))
    asked = _ready(cohort, name, smallest)
    empty = Estimates(
        pd.DataFrame(columns=["term", "label"]),
        kind="cox",
        view="model",
        estimand=f"log hazard ratio of {event}, given the other terms",
        population=people,
        cut=cohort.cut,
        counts=asked.counts,
        asked={"question": "leaving_model", "stage": name},
        tied=_tied(cohort, name),
    )
    # A model needs events in each arm: without, the arm's coefficient has no end.
    if not asked.terms or (asked.counts.data.loc[asked.counts.data["term"] == "model", "n_event"] == 0).any():
        return empty
    try:
        fit = cox(asked.rows.assign(event=asked.rows["event"].eq(1)), "time", "event", asked.terms)
    except AnalysisError:
        return empty
    data = fit.tidy()
    data.insert(1, "label", asked.named(data))
    notes = (*fit.notes, *asked.notes)
    return empty.about(data=data, conf_level=fit.conf_level, summary=dict(fit.summary), notes=notes)


@needs("sessions", "who leaves")
def leaving_risks(cohort: Cohort, name: str, days: int, *, smallest: int = 11, n_boot: int = LEAVING_BOOT) -> Estimates:
    """Return what difference each characteristic makes to the share with a stage's event by a day, all else as it is.

    Parameters
    ----------
    cohort : Cohort
    name : {"before_intake", "before_session", "after_session"}
    days : int
        Horizon.
    smallest : int, default 11
        As in `leaving_model`.
    n_boot : int
        Bootstrap replicates.

    Returns
    -------
    Estimates
        As `evalkit.stats.standardised_risks`, with label; no rows where it is not defined.

    Raises
    ------
    UsageError
        If there is no such stage.

    Examples
    --------
    >>> from evalkit.analyses import leaving_risks
    >>> leaving_risks(cohort, "before_session", 60, n_boot=20).tidy()[["label", "estimate"]].head(2).round(3)
                                      label  estimate
    0  Non-mandated pilot (reference: PAIP)    -0.020
    1                           Age (years)     0.033
    """
    asked = _ready(cohort, name, smallest)
    event, _, people = STAGES[name]
    what = f"difference in the share with {event} by day {days}, everybody given one value and the other"
    empty = _nobody(cohort, "standardised_risks", what, ["term", "estimate"], name, asked)
    try:
        found = standardised_risks(
            asked.rows, "time", "event", asked.terms, tau=days, n_boot=n_boot, seed=cohort.study.seed
        )
    except AnalysisError:
        return empty
    data = found.tidy()
    data.insert(1, "label", asked.named(data))
    notes = (*found.notes, *asked.notes)
    return empty.about(data=data, estimand=what, population=people, summary=_of_people(found), notes=notes)


@needs("sessions", "who leaves")
def leaving_foretold(
    cohort: Cohort, name: str, days: int, *, smallest: int = 11, n_boot: int = LEAVING_BOOT
) -> Estimates:
    """Say how much of a stage's event by a day can be foretold from what is recorded before it.

    It is said of all people together: nobody has a score.

    Parameters
    ----------
    cohort, name, days, smallest, n_boot
        As in `leaving_risks`.

    Returns
    -------
    Estimates
        As `evalkit.stats.foretold`; no rows where it is not defined.

    Raises
    ------
    UsageError
        If there is no such stage.

    Examples
    --------
    >>> from evalkit.analyses import leaving_foretold
    >>> leaving_foretold(cohort, "before_session", 60, n_boot=20).tidy()[["estimate"]].head(2).round(3)
       estimate
    0     0.667
    1     0.633
    """
    asked = _ready(cohort, name, smallest)
    what = f"how well {STAGES[name][0]} by day {days} can be foretold"
    empty = _nobody(cohort, "foretold", what, ["measure", "estimate"], name, asked)
    try:
        found = foretold(asked.rows, "time", "event", asked.terms, tau=days, n_boot=n_boot, seed=cohort.study.seed)
    except AnalysisError:
        return empty
    return empty.about(data=found.tidy(), summary=_of_people(found), notes=(*found.notes, *asked.notes))


def _tied(cohort: Cohort, name: str) -> tuple[Tie, ...]:
    """Return the share who have left, where a stage's event is leaving: the arm's term says how it differs."""
    return tied_to_leaving(cohort, "arm") if name == "after_session" else ()


def _of_people(found: Estimates) -> dict[str, object]:
    """Return the facts that are numbers of people."""
    return {name: found.summary[name] for name in ("n", "n_event")}


def _nobody(cohort: Cohort, kind: str, what: str, columns: list[str], name: str, asked: _Model) -> Estimates:
    people = STAGES[name][2]
    family = {"standardised_risks": "risks"}.get(kind, kind)
    empty = nobody(cohort, kind, what, columns, people, kind, family)
    return empty.about(counts=asked.counts, asked={"question": kind, "stage": name}, tied=_tied(cohort, name))
