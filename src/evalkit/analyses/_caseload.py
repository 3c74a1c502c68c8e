"""Caseload: how many people are referred, start and are active, month by month."""

from __future__ import annotations

__all__ = ["caseload"]

import pandas as pd

from evalkit.analyses._analyses import Caseload
from evalkit.analyses._counting import count_true, groups_of, tally
from evalkit.cohort import Cohort, needs
from evalkit.estimates import Estimates

_LABELS = {
    "referred": "Referred in the month",
    "intake": "Intakes in the month",
    "started": "First sessions in the month",
    "active": "Active at the month's end",
}


def _spells(cohort: Cohort) -> pd.DataFrame:
    """Each starter's first day, and the day retention ended (NaT where it had not by the cut)."""
    ended = cohort.retention()[["participant_id", "episode", "time", "event", "reason"]]
    rows = cohort.people.merge(ended, how="left", on=["participant_id", "episode"])
    # Whole numbers: of floats pandas rounds what lies in memory where a value is missing, and warns of it now and then.
    end = rows["first_session_date"] + pd.to_timedelta(rows["time"].astype("Int64"), unit="D")
    # Their last day is the cut's, on which nobody ended anything: they are still active.
    open_still = rows["event"].eq(0) & rows["reason"].eq("cut")
    return rows.assign(end=end.mask(open_still))


@needs("sessions", "the caseload")
def caseload(cohort: Cohort) -> Estimates:
    """Return crude caseload by month, by arm: the months that are over at the cut.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    Estimates
        Made from a `Tally`; n is people, period the month, label what is counted. Active: a first session by
        the month's last day, and no disengagement, completion or other exit by it.

    Examples
    --------
    >>> from evalkit.analyses import caseload
    >>> caseload(cohort).tidy()[["group", "period", "term", "n"]].head(2).round(3)
                    group   period              term   n
    0  Non-mandated pilot  2021-11  2021-11 referred   0
    1                PAIP  2021-11  2021-11 referred  12
    """
    rows: list[dict[str, object]] = []
    spells = _spells(cohort)
    for month in pd.period_range(cohort.study.starts, cohort.cut, freq="M"):
        first, last = month.start_time.normalize(), month.end_time.normalize()
        # A month that is not over would end the line with a fall.
        if last > pd.Timestamp(cohort.cut):
            break
        counted = {
            "referred": spells["referral_date"].between(first, last),
            "intake": spells["intake_date"].between(first, last),
            "started": spells["first_session_date"].between(first, last),
            "active": spells["first_session_date"].le(last) & ~spells["end"].le(last),
        }
        for name, counted_now in counted.items():
            # n and n_event are the same people: a caseload is a count of them, and of no part.
            people = spells.assign(met=True, eligible=counted_now)
            found = count_true(people, groups_of(cohort), f"{month} {name}", _LABELS[name], "met", "eligible")
            rows += [{**row, "period": str(month)} for row in found]
    analysis = Caseload(
        population="first episodes" if cohort.episodes == "first" else "all episodes",
        notes=("People who return after disengagement are not counted as active again.",),
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"episodes": cohort.episodes})
