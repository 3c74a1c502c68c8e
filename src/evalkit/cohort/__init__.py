"""Who is counted, from when to when: eligibility, episodes and time scales, as the study defines them.

`build` gives a `Cohort`: ``people`` with one row per analysed episode, and a frame per time scale.

Columns of ``Cohort.people``: participant_id, episode (1 is the first referral of the study), referral_date,
group (the arm's label), the arm's column, intake_date, mandate, site, community_area, referral_source, columns on
which the arms depend, the covariates (yes/no as 1.0 and 0.0, missing as NaN), outcome_follow_up_end,
first_session_date, last_session_date, completion_date (by the protocol's rule, whatever came before it), dose_date
(the dose reached), disengagement_date (where it is the event of retention), return_date (first attended session after
it), harm_end_date (end of follow-up for harm of all sources, where there is one), n_attended, hours_attended,
n_counting, hours_counting (attended sessions; of counting kinds), n_returns, and days_from_referral, days_from_intake,
days_from_first_session: days from there to the cut (potential follow-up), NaN without such a day.
Dates are ``datetime64[ns]`` and NaT where unknown.
"""

from __future__ import annotations

from evalkit.cohort._analysable import needs, nobody, told_apart
from evalkit.cohort._build import Attrition, build
from evalkit.cohort._cohort import SCALES, Cohort, Scale
from evalkit.cohort._restatements import restatements, restatements_since
from evalkit.cohort._retention import STATES

__all__ = [
    "SCALES",
    "STATES",
    "Attrition",
    "Cohort",
    "Scale",
    "build",
    "needs",
    "nobody",
    "restatements",
    "restatements_since",
    "told_apart",
]
