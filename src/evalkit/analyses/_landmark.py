"""Harm after a landmark day, by whether the program had been completed by then."""

from __future__ import annotations

__all__ = ["completed_by", "harm_after_completion"]

import pandas as pd

from evalkit.cohort import Cohort
from evalkit.counts import totals_of
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates, nothing
from evalkit.levels import fewest
from evalkit.stats import cox, kaplan_meier, landmark


def completed_by(cohort: Cohort) -> pd.DataFrame:
    """Return people still followed and without harm after the landmark, grouped by completion by then.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    pandas.DataFrame
        As `Cohort.harm`, with time from the landmark on and other ends than harm censored; group says whether the
        program had been completed, arm which arm it was, completed 1 or 0. No rows where nobody is left.

    Raises
    ------
    MissingTableError
        If outcomes are not part of the study.

    Examples
    --------
    >>> from evalkit.analyses import completed_by
    >>> len(completed_by(cohort))
    448
    """
    day = cohort.rules.landmark_day
    keys = ["participant_id", "episode"]
    since = (cohort.people["completion_date"] - cohort.people[f"{cohort.study.harm.origin}_date"]).dt.days
    known = cohort.people[keys].assign(completed_on=since)
    rows = cohort.harm().merge(known, on=keys, how="left")
    rows["event"] = rows["event"].eq(1).astype("int64")
    try:
        # People without harm on the landmark: from the origin on, whoever
        # completes has survived to do so (immortal time).
        left = landmark(rows, "time", at=day, known="completed_on", label="completed", yes="1", no="0")
    except AnalysisError:
        left = rows.iloc[:0].assign(completed="0")
    done = left["completed"].eq("1")
    names = done.map({True: f"Completed by day {day}", False: f"Not completed by day {day}"})
    left = left.rename(columns={"group": "arm"}).assign(group=names, completed=done.astype("int64"))
    return left.reset_index(drop=True)


def harm_after_completion(cohort: Cohort, smallest: int = 11) -> tuple[Estimates, Estimates]:
    """Return harm after the landmark by completion: curves, and the hazard ratio with the arm held equal.

    Parameters
    ----------
    cohort : Cohort
    smallest : int, default 11
        The arm is held equal where at least so many people of each had the event, and did not.

    Returns
    -------
    curves : Estimates
        Kaplan-Meier; no rows where one of the groups is empty.
    model : Estimates
        Cox model, completion first, then the arm; no rows where a group has no event.

    Examples
    --------
    >>> from evalkit.analyses import harm_after_completion
    >>> curves, model = harm_after_completion(cohort)
    >>> model.tidy()[["term", "estimate"]].head(1).round(3)
            term  estimate
    0  completed     0.034
    """
    for table in ("outcomes", "sessions"):  # who has completed is known of people with sessions only
        if not cohort.has(table):
            without = nothing("absent.table", "harm after completing", table=table)
            return without, without
    rows, day = completed_by(cohort), cohort.rules.landmark_day
    population = f"people followed and without {cohort.study.harm.label} on day {day} after {cohort.study.harm.origin}"
    groups = [f"Completed by day {day}", f"Not completed by day {day}"]
    counts = totals_of(rows, groups, named=True)
    sizes, asked = counts.frame, {"question": "harm_after_completion", "day": day}
    nobody = Estimates(
        pd.DataFrame(columns=["term", "label"]),
        kind="cox",
        view="model",
        estimand=f"log hazard ratio of {cohort.study.harm.label} after day {day}, by completion",
        population=population,
        cut=cohort.cut,
        counts=counts,
        asked=asked,
    )
    if (sizes["n"] == 0).any():
        empty = pd.DataFrame(columns=["group"])
        what = "no harm after the landmark"
        return nobody.about(data=empty, kind="kaplan_meier", view="survival", estimand=what), nobody
    curves = kaplan_meier(rows, "time", "event", by="group").about(population=population, cut=cohort.cut, asked=asked)
    # A group without events has no finite hazard ratio.
    if (sizes["n_event"] == 0).any():
        return curves, nobody
    focus = cohort.groups[0]
    rows = rows.assign(focus=rows["arm"].eq(focus).astype(float), completed=rows["completed"].astype(float))
    # where few of an arm had harm, the arm's coefficient would speak of those few: then it is not held equal
    cells = fewest(rows["focus"], rows["event"].eq(1))
    equal = len(cells) == 2 and cells.min() >= max(smallest, 1)
    fit = cox(rows, "time", "event", ["completed", "focus"] if equal else ["completed"])
    told = totals_of(rows, groups, named=True, levels={"focus": rows["focus"]} if equal else {})
    data = fit.tidy()
    labels = {
        "completed": f"Completed by day {day} (reference: not)",
        "focus": f"{focus} (reference: {cohort.groups[1]})",
    }
    data.insert(1, "label", [labels[str(term)] for term in data["term"]])
    about = nobody.about(data=data, conf_level=fit.conf_level, summary=dict(fit.summary), notes=fit.notes)
    return curves, about.about(counts=told)
