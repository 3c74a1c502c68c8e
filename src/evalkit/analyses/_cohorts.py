"""Referral cohorts: the people of each quarter of referral on their own, once every window of an indicator is over."""

from __future__ import annotations

__all__ = ["by_quarter_of_referral"]

from datetime import timedelta

from evalkit.analyses._analyses import ShareOf
from evalkit.analyses._counting import count_true, groups_of, tally
from evalkit.analyses._funnel import labels_of, steps
from evalkit.cohort import Cohort, needs
from evalkit.estimates import Estimates
from evalkit.periods import quarters_between

MEASURES = ("referred", "engaged", "completed")


@needs("sessions", "shares by quarter of referral")
def by_quarter_of_referral(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return how many people were referred in each quarter, and which shares of them engaged and completed, by arm.

    Unlike shares as known at the end of each quarter (`trend`), nobody is counted in two quarters: these are a series.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; term is step and quarter, label the step, period the quarter of referral. A quarter has a
        row only when every window of the step is over at the cut.

    Examples
    --------
    >>> from evalkit.analyses import by_quarter_of_referral
    >>> by_quarter_of_referral(cohort).tidy()[["group", "term", "n", "estimate"]].tail(2).round(3)
                     group             term    n  estimate
    42  Non-mandated pilot  referred 2023Q4   21       1.0
    43                PAIP  referred 2023Q4  111       1.0
    """
    people, labels, rules = steps(cohort), labels_of(cohort), cohort.rules.funnel
    # A first session may come late; whose own window is still open then is left out of the share, as in the funnel.
    last = {
        "referred": 0,
        "engaged": rules.intake_days + cohort.rules.engaged.days,
        "completed": rules.first_session_days + rules.completion_days,
    }
    study, rows = cohort.study, []
    for quarter in quarters_between(study.starts, cohort.cut, study.fiscal_year_start_month):
        dates = people["referral_date"].dt.date
        own = people[(dates >= quarter.first) & (dates <= quarter.last)]
        for step in MEASURES:
            if quarter.last + timedelta(days=last[step]) <= cohort.cut:
                term = f"{step} {quarter.name}"
                found = count_true(own, groups_of(cohort), term, labels[step], f"did_{step}", f"can_{step}")
                rows += [{**row, "period": quarter.name, "variable": step} for row in found]
    analysis = ShareOf(
        kind="referral_cohorts",
        view="referral_cohorts",
        estimand="share reaching a step in time, by quarter of referral",
        population="all whose time for the step is over, in quarters in which everybody's is",
        conf_level=conf_level,
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"by": "quarter of referral"})
