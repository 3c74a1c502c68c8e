"""Data quality: completeness by field, late entry, loss to follow-up."""

from __future__ import annotations

__all__ = ["LateEntry", "completeness", "late_entry", "lost_to_follow_up"]

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.analyses._analyses import ShareOf, count_true, groups_of, tally
from evalkit.cohort import Cohort
from evalkit.counts import DayCounts, codes_of
from evalkit.errors import UsageError
from evalkit.estimates import Estimates
from evalkit.intake import CutData, fetch

_FIELDS = {
    "referral_source": "Referral source",
    "intake_date": "Date of intake (empty: no intake yet)",
    "site": "Site",
    "community_area": "Community area",
}
_DATES = {
    "participants": "referral_date",
    "sessions": "session_date",
    "exits": "exit_date",
    "outcomes": "outcome_date",
    "measures": "measure_date",
}


def completeness(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return the share of people with a value, by field and arm.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; term is the field. A missing date of intake may mean that there was none.

    Examples
    --------
    >>> from evalkit.analyses import completeness
    >>> completeness(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group             term  estimate  n_event
    0  Non-mandated pilot  referral_source       1.0      160
    1                PAIP  referral_source       1.0      757
    """
    people = cohort.people
    labels = _FIELDS | {c.name: c.label for c in cohort.study.covariates}
    rows: list[dict[str, object]] = []
    for field, label in labels.items():
        counted = people.assign(met=people[field].notna(), eligible=True)
        rows += count_true(counted, groups_of(cohort), field, label, "met", "eligible")
    analysis = ShareOf(
        kind="completeness",
        view="completeness",
        estimand="share with a value in the field",
        population="all referred, first episodes" if cohort.episodes == "first" else "all referrals",
        conf_level=conf_level,
        notes=("A missing date of intake may mean that there was no intake.",),
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"episodes": cohort.episodes})


@dataclass(frozen=True)
class LateEntry:
    """Quartiles of the days from an event to its entry, by table.

    Attributes
    ----------
    population : str
    notes : tuple of str
    recorded : bool
        Whether any table says when its rows were entered.

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.counts import DayCounts
    >>> rows = pd.DataFrame({"time": [float("-inf"), 1, 3, 20], "n_entry": [40, 0, 0, 0], "n_event_1": [0, 10, 20, 10]})
    >>> counts = DayCounts(rows.assign(group="sessions", n_censor=0), causes=("entered",))
    >>> LateEntry().estimate(counts).tidy()
          group     n  median  lower_quartile  upper_quartile
    0  sessions  40.0     3.0             1.0             3.0
    """

    key: ClassVar[str] = "late_entry"
    view: ClassVar[str] = "late_entry"
    population: str = ""
    notes: tuple[str, ...] = ()
    recorded: bool = True

    def estimate(self, counts: DayCounts) -> Estimates:
        """Return quartiles.

        Parameters
        ----------
        counts : DayCounts
            Group: the table; time: days from event to entry; an event per row entered.

        Returns
        -------
        Estimates
            Columns group, n (rows), median, lower_quartile, upper_quartile: the first day by which that
            share of the rows was entered.
        """
        rows = []
        for group, own in counts.frame.groupby("group", sort=False):
            entered = own[own["n_event_1"] > 0].sort_values("time")
            so_far = entered["n_event_1"].cumsum().to_numpy(dtype=np.float64)
            if so_far.size:
                # No interpolation between days: a quartile is a day on which rows were entered.
                places = np.searchsorted(so_far, np.array([0.5, 0.25, 0.75]) * so_far[-1])
                everybody = float(own["n_entry"].sum())  # published counts end where few are left
                rows.append((str(group), everybody, *entered["time"].to_numpy(dtype=np.float64)[places]))
        columns = ["group", "n", "median", "lower_quartile", "upper_quartile"]
        data = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], "float64"))
        return Estimates(
            data,
            kind="late_entry",
            estimand="days from an event to its entry",
            population=self.population,
            notes=self.notes,
            counts=counts,
            analysis=self,
        )


def late_entry(cut: CutData, fewest: int = 11) -> Estimates:
    """Return quartiles of the days from an event to its entry, by raw table.

    Parameters
    ----------
    cut : CutData
        From ``evalkit.intake.open_data(study).at(day)``. Tables without ``recorded_on`` are left out.
    fewest : int
        Tables that speak of fewer people are left out, however many rows they have; a report gives its policy's
        minimum.

    Returns
    -------
    Estimates
        Made from `DayCounts`; group is the table. What was still to be entered on the day of the cut is not
        among the rows, so a recent backlog makes the days look shorter.

    Raises
    ------
    DataError
        If the data engine refuses a query.

    Examples
    --------
    >>> from evalkit.analyses import late_entry
    >>> late_entry(cut).tidy()[["group", "median", "lower_quartile", "upper_quartile"]]
              group  median  lower_quartile  upper_quartile
    0  participants     2.0             1.0             4.0
    1      sessions     1.0             0.0             3.0
    2         exits     5.0             2.0            12.0
    3      outcomes    15.0             6.0            33.0
    4      measures     3.0             1.0             5.0
    """
    parts, people, recorded = [], [], False
    for name, column in _DATES.items():
        if not cut.has(name):
            continue
        table = cut.table(name)
        if "recorded_on" not in table.columns:
            continue
        columns = {"event": table[column], "entry": table.recorded_on, "who": table.participant_id}
        days = fetch(table.select(**columns), ["event", "entry"], name)
        recorded = recorded or bool(days["entry"].notna().any())
        # Rows are not people: many sessions of three people would pass a rule for small counts of rows.
        if days["who"].nunique() < fewest:
            continue
        entered = days.assign(time=(days["entry"] - days["event"]).dt.days)
        # Entered before it happened: planned, or a wrong day; neither is late.
        entered = entered[entered["time"] >= 0].rename(columns={"who": "participant_id"})
        if name == "participants":  # a referral each: the same codes as those of the cohort's steps
            entered["episode"] = entered.sort_values("event").groupby("participant_id").cumcount() + 1
        parts.append(_lag_counts(name, entered["time"].astype("int64").value_counts().sort_index()))
        people.append(entered.assign(group=name, code=codes_of(entered), cause=1)[["group", "code", "time", "cause"]])
    names = ["group", "time", "n_entry", "n_event_1", "n_censor"]
    empty = pd.DataFrame(columns=names)
    frame = pd.concat(parts, ignore_index=True) if parts else empty
    analysis = LateEntry(
        population="rows known at the cut",
        notes=("n is rows, not people. Rows not yet entered are not among them.",),
        recorded=recorded,
    )
    who = pd.concat(people, ignore_index=True) if people else None
    return analysis.estimate(DayCounts(frame, causes=("entered",), people=who)).about(cut=cut.day)


def _lag_counts(name: str, found: pd.Series[int]) -> pd.DataFrame:
    events = np.concatenate([[0], found.to_numpy(dtype=np.int64)])
    entry = np.zeros_like(events)
    entry[0] = events.sum()
    time = np.concatenate([[-np.inf], found.index.to_numpy(dtype=np.float64)])
    return pd.DataFrame({"group": name, "time": time, "n_entry": entry, "n_event_1": events, "n_censor": 0})


def lost_to_follow_up(cohort: Cohort, *, days: int = 90, conf_level: float = 0.95) -> Estimates:
    """Return the share lost to follow-up, by scale and arm.

    Parameters
    ----------
    cohort : Cohort
    days : int, default 90
        Lost to the search for harm: last searched more than this many days before the cut.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`. Terms: ``retention`` (starters whose time is censored before the cut by a move,
        a transfer or the like) and ``harm`` (people followed, without an event, whose search ended
        early, deaths aside), each only where its tables are part of the study.

    Raises
    ------
    UsageError
        If days is below 0.

    Examples
    --------
    >>> from evalkit.analyses import lost_to_follow_up
    >>> lost_to_follow_up(cohort).tidy()[["group", "term", "estimate", "n_event"]].head(2).round(3)
                    group       term  estimate  n_event
    0  Non-mandated pilot  retention     0.104       12
    1                PAIP  retention     0.033       17
    """
    if days < 0:
        msg = "lost_to_follow_up: days must be 0 or more"
        raise UsageError(msg)
    rows: list[dict[str, object]] = []
    if cohort.has("sessions") and cohort.has("exits"):  # it is by an exit that a follow-up of staying ends early
        times = cohort.retention()
        times = times.assign(eligible=True, met=times["event"].eq(0) & times["reason"].ne("cut"))
        rows += count_true(times, groups_of(cohort), "retention", "Left before retention was known", "met", "eligible")
    if cohort.has("outcomes"):
        times = cohort.harm().merge(cohort.people[["participant_id", "episode", "harm_end_date"]])
        # Sources are searched now and then, so that somebody was last searched some weeks ago is usual.
        early = (pd.Timestamp(cohort.cut) - times["harm_end_date"]).dt.days > days
        stopped = times["event"].eq(0) & times["reason"].eq("follow_up_end") & early
        label = f"Outcomes last searched more than {days} days ago"
        rows += count_true(
            times.assign(eligible=True, met=stopped), groups_of(cohort), "harm", label, "met", "eligible"
        )
    analysis = ShareOf(
        kind="lost_to_follow_up",
        view="lost_to_follow_up",
        estimand="share whose follow-up ended early without an event",
        population="people on each time scale",
        conf_level=conf_level,
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"days": days})
