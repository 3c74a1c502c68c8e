"""Who was reached: where people live, who sent them, and who engaged among whom."""

from __future__ import annotations

__all__ = ["engaged_across", "reach", "referred"]

from collections.abc import Sequence
from datetime import date

import pandas as pd

from evalkit.analyses._analyses import ShareOf, count_true, groups_of, tally
from evalkit.analyses._funnel import steps
from evalkit.cohort import Cohort, needs
from evalkit.errors import UsageError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.glossary import NOT_RECORDED
from evalkit.levels import in_words

_PLACES = {"community_area": "Community area", "referral_source": "Referral source", "site": "Site"}


def _labels(cohort: Cohort) -> dict[str, str]:
    """Columns whose levels people may be counted by, and how reports name them."""
    described = {c.name: c.label for c in cohort.study.covariates if c.kind != "numeric"}
    return {**_PLACES, **described}


def _levels(cohort: Cohort, people: pd.DataFrame, column: str) -> pd.Series[str]:
    """Each person's level as text, in the words of the report."""
    kinds = {c.name: c.kind for c in cohort.study.covariates}
    values = people[column]
    if kinds.get(column) == "yes_no":
        values = values.map({1.0: "yes", 0.0: "no"})
    return values.astype(object).fillna(NOT_RECORDED).astype(str)


def _order(cohort: Cohort, column: str, found: pd.Series[str]) -> list[str]:
    """Levels in the protocol's order, then others, those not recorded last."""
    fixed = {c.name: c.levels or [] for c in cohort.study.covariates}
    fixed |= {
        "community_area": cohort.study.community_areas or [],
        "referral_source": cohort.study.referral_sources or [],
        "site": cohort.study.sites or [],
    }
    present = set(found.unique())
    known = [level for level in fixed.get(column, []) if level in present]
    others = sorted(present - set(known) - {NOT_RECORDED})
    return [*known, *others, *([NOT_RECORDED] if NOT_RECORDED in present else [])]


def _known(cohort: Cohort, column: str, what: str) -> str:
    labels = _labels(cohort)
    if column not in labels:
        msg = f"{what}: '{column}' is not one of {', '.join(labels)}{did_you_mean(column, labels)}"
        raise UsageError(msg)
    return labels[column]


def reach(cohort: Cohort, by: str, *, conf_level: float = 0.95) -> Estimates:
    """Return how the people referred divide over the levels of a column, by arm.

    Parameters
    ----------
    cohort : Cohort
    by : str
        community_area, referral_source, site, or a categorical covariate of the protocol.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; term is the level, variable the column; n is everybody referred in the arm. Levels of
        nobody in an arm have no row there.

    Raises
    ------
    UsageError
        If the column is none of these.

    Examples
    --------
    >>> from evalkit.analyses import reach
    >>> reach(cohort, "community_area").tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group            term  estimate  n_event
    0  Non-mandated pilot  West Englewood     0.244       39
    1                PAIP  West Englewood     0.264      200
    """
    label = _known(cohort, by, "reach")
    people = cohort.people.assign(level=_levels(cohort, cohort.people, by), eligible=True)
    rows: list[dict[str, object]] = []
    for level in _order(cohort, by, people["level"]):
        counted = people.assign(met=people["level"].eq(level))
        found = count_true(counted, groups_of(cohort), level, in_words(level), "met", "eligible")
        # Of nobody there is nothing to withhold, and a row of it would look as if there were.
        rows += [{**row, "variable": label} for row in found if row["n_event"]]
    analysis = ShareOf(
        kind="reach",
        view="reach",
        estimand=f"share of the people referred, by {label.lower()}",
        population="all referred, first episodes" if cohort.episodes == "first" else "all referrals",
        conf_level=conf_level,
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"by": by, "episodes": cohort.episodes})


def referred(cohort: Cohort, since: date, *, conf_level: float = 0.95) -> Estimates:
    """Return how many people were referred, and how many of them since a day, by arm.

    Parameters
    ----------
    cohort : Cohort
    since : datetime.date
        First day of the period reported on.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`, terms all (everybody referred) and new (since the day).

    Examples
    --------
    >>> from datetime import date
    >>> from evalkit.analyses import referred
    >>> referred(cohort, date(2023, 10, 1)).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group term  estimate  n_event
    0  Non-mandated pilot  all       1.0      160
    1                PAIP  all       1.0      757
    """
    people = cohort.people
    new = people["referral_date"] >= pd.Timestamp(since)
    counted = people.assign(new=new, everybody=True)
    rows = [
        *count_true(counted, groups_of(cohort), "all", "Referred", "everybody", "everybody"),
        *count_true(counted, groups_of(cohort), "new", "Referred in the period", "new", "everybody"),
    ]
    analysis = ShareOf(
        kind="referred",
        estimand=f"people referred since {since.isoformat()} among all referred",
        population="all referred, first episodes" if cohort.episodes == "first" else "all referrals",
        conf_level=conf_level,
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"since": since, "episodes": cohort.episodes})


@needs("sessions", "engagement of groups of people")
def engaged_across(
    cohort: Cohort, columns: Sequence[str] | None = None, *, by_arm: bool = True, conf_level: float = 0.95
) -> Estimates:
    """Return the share engaged for everybody and by the levels of several columns: an equity panel.

    Parameters
    ----------
    cohort : Cohort
    columns : sequence of str, optional
        As in `reach`; default every categorical covariate of the protocol, then community area, of which more than one
        level occurs.
    by_arm : bool, default True
        False: the arms together, group 'all'.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; variable is the column in words, term the level. Levels nobody of a group belongs to
        have no row.

    Raises
    ------
    UsageError
        If a column is none of these.

    Examples
    --------
    >>> from evalkit.analyses import engaged_across
    >>> engaged_across(cohort, ["employment"]).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group term  estimate  n_event
    0  Non-mandated pilot  all     0.808      101
    1                PAIP  all     0.751      440
    """
    people, groups = steps(cohort), groups_of(cohort, by_arm=by_arm)
    if columns is None:
        every = [*(c.name for c in cohort.study.covariates if c.kind == "categorical"), "community_area"]
        # Where all have one level it is everybody again, and would stand as a panel of one bar.
        columns = [column for column in every if len({*_levels(cohort, people, column)}) > 1]
    rows = count_true(people, groups, "all", "Everybody", "did_engaged", "can_engaged")
    rows = [{**row, "variable": "Everybody"} for row in rows]
    for column in columns:
        variable, levels = _known(cohort, column, "engaged_across"), _levels(cohort, people, column)
        for level in _order(cohort, column, levels):
            own = people[levels.eq(level)]
            term = f"{column}: {level}"
            found = count_true(own, groups, term, in_words(level), "did_engaged", "can_engaged")
            rows += [{**row, "variable": variable} for row in found if row["n"]]
    engaged = cohort.rules.engaged
    analysis = ShareOf(
        kind="engaged_across",
        view="across",
        estimand=f"share with {engaged.sessions} attended sessions within {engaged.days} days of intake",
        population=f"people with an intake at least {engaged.days} days before the cut",
        conf_level=conf_level,
        notes=("Differences between groups of people are not adjusted for anything else.",),
    )
    return analysis.estimate(tally(rows)).about(
        cut=cohort.cut, asked={"sessions": engaged.sessions, "days": engaged.days}
    )
