"""Caseload: how many people are referred, start and are active, month by month."""

from __future__ import annotations

__all__ = ["Caseload", "caseload"]

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from evalkit.analyses._analyses import _about, count_true, groups_of, tally
from evalkit.cohort import Cohort, needs
from evalkit.counts import Tally
from evalkit.estimates import Estimates

_LABELS = {
    "referred": "Referred in the month",
    "intake": "Intakes in the month",
    "started": "First sessions in the month",
    "active": "Active at the month's end",
}


@dataclass(frozen=True)
class Caseload:
    """Numbers of people by month; nothing is estimated.

    Attributes
    ----------
    population : str
    notes : tuple of str

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.counts import Tally
    >>> rows = pd.DataFrame({"group": ["pilot"], "term": ["2022-03 active"], "label": ["Active"]})
    >>> Caseload().estimate(Tally(rows.assign(period="2022-03", n=31, n_event=31))).tidy()
       group            term   label   period   n
    0  pilot  2022-03 active  Active  2022-03  31
    """

    key: ClassVar[str] = "caseload"
    population: str = ""
    notes: tuple[str, ...] = ()

    def estimate(self, counts: Tally) -> Estimates:
        """Return the numbers.

        Parameters
        ----------
        counts : Tally
            One row per group and term (``2022-03 active``), with period and label; n_event equals n.

        Returns
        -------
        Estimates
            Columns group, term, label, period, n.
        """
        data = counts.frame
        return Estimates(
            data[[*_about(data), "n"]],
            kind="caseload",
            estimand="people, by month",
            population=self.population,
            notes=self.notes,
            counts=counts,
            analysis=self,
        )


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
