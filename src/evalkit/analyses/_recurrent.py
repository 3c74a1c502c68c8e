"""Repeated harm: the mean number of recorded harms a person, by time since harm's origin."""

from __future__ import annotations

__all__ = ["MeanCountOf", "repeated_harm"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.analyses._model import followed, tied_to_harm
from evalkit.cohort import Cohort, needs
from evalkit.counts import Codes, Tally
from evalkit.counts import who as who_of
from evalkit.estimates import Estimates, nothing
from evalkit.stats import mean_cumulative_count
from evalkit.wilson import normal_quantile

# Days: in a curve with a point a day, the days of single outcomes would be seen.
_STEP = 7


@dataclass(frozen=True)
class MeanCountOf:
    """Mean cumulative counts from events and the people they are spread over.

    Attributes
    ----------
    estimand, population : str
    conf_level : float
    notes : tuple of str

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.analyses import MeanCountOf
    >>> from evalkit.counts import Tally
    >>> rows = pd.DataFrame({"group": ["pilot"], "term": ["day 365"], "label": ["One year"], "time": [365]})
    >>> counts = Tally(rows.assign(n_event=30, n=120, std_error=0.2))
    >>> found = MeanCountOf("mean number of harms").estimate(counts)
    >>> found.tidy()[["time", "estimate", "conf_low", "conf_high"]].round(3)
       time  estimate  conf_low  conf_high
    0   365      0.25     0.169       0.37
    """

    key: ClassVar[str] = "mean_count"
    holds_noise: ClassVar[bool] = True
    view: ClassVar[str] = "mean_count"
    estimand: str
    population: str = ""
    conf_level: float = 0.95
    notes: tuple[str, ...] = ()

    def estimate(self, counts: Tally) -> Estimates:
        """Return events by each day over people, with limits on the log scale.

        Parameters
        ----------
        counts : Tally
            group, term, label, time, n_event (events by then), n (what these are divided by so that the mean
            comes out: no number of people), std_error (of the log of the mean).

        Returns
        -------
        Estimates
            group, term, label, time, estimate, conf_low, conf_high.
        """
        rows = counts.frame
        n = rows["n"].astype("float64")
        rows["estimate"] = rows["n_event"] / n.where(n > 0)
        wide = np.exp(normal_quantile(self.conf_level) * rows["std_error"])
        rows["conf_low"], rows["conf_high"] = rows["estimate"] / wide, rows["estimate"] * wide
        columns = ["group", "term", "label", "time", "estimate", "conf_low", "conf_high"]
        return Estimates(
            rows[columns],
            kind="mean_count",
            estimand=self.estimand,
            population=self.population,
            conf_level=self.conf_level,
            notes=self.notes,
            counts=counts,
            analysis=self,
        )


@needs("outcomes", "repeated harm")
def repeated_harm(cohort: Cohort, *, smallest: int = 11) -> Estimates:
    """Return the mean cumulative count of recorded harm, by arm, at days since its origin with many people behind them.

    The estimate and its robust variance are Lawless and Nadeau's (`evalkit.stats.mean_cumulative_count`). It is
    given at whole weeks; from one to the next at least ``smallest`` events are added, of at least as many people who
    had none before, so that no step speaks of few.

    Parameters
    ----------
    cohort : Cohort
    smallest : int, default 11

    Returns
    -------
    Estimates
        Made from a `Tally`, a row per arm and day; nothing where the protocol does not count repeated events
        (``harm.recurrent``).

    Examples
    --------
    >>> from evalkit.analyses import repeated_harm
    >>> repeated_harm(cohort).tidy()[["group", "time", "term", "estimate"]].head(2).round(3)
                    group   time        term  estimate
    0  Non-mandated pilot  105.0  by day 105     0.078
    1  Non-mandated pilot  365.0  by day 365     0.223
    """
    if not cohort.study.harm.recurrent:
        return nothing("absent.recurrent", "repeated harm")
    rows, label = cohort.harm_recurrent(), cohort.study.harm.label
    whole: list[dict[str, object]] = []
    people: list[dict[str, Codes]] = []
    for group in cohort.groups:
        own = rows[rows["group"] == group].reset_index(drop=True)
        days = _days(own, cohort.study.harm.horizons, smallest)
        if not days:
            continue
        who = own["participant_id"].astype(str) + "#" + own["episode"].astype(str)
        found = mean_cumulative_count(own.assign(who=who), "time", "event", "who", times=days).tidy()
        for _, row in found.iterrows():
            events, mean = int((own["event"].eq(1) & own["time"].le(row["time"])).sum()), float(row["estimate"])
            name = {"group": group, "term": f"by day {row['time']:.0f}", "label": f"By day {row['time']:.0f}"}
            # Of the logarithm: what the count is divided by to give limits that stay above 0.
            spread = float(row["std_error"]) / mean
            # Disclosure control knows x of n: n is chosen so that the published events over it give the mean.
            size = {"n_event": events, "n": round(events / mean), "std_error": spread}
            whole.append({**name, "time": float(row["time"]), **size})
            # Only who is behind the events: the other number is no number of people.
            people.append(who_of(own, n_event=own["event"].eq(1).to_numpy() & own["time"].le(row["time"]).to_numpy()))
    columns = ["group", "term", "label", "time", "n_event", "n", "std_error"]
    kinds = {"time": "float64", "n_event": "int64", "n": "int64", "std_error": "float64"}
    frame = pd.DataFrame(whole, columns=columns).astype(kinds)
    # The noise of these counts follows from the wording: counted from the intake it is that of every release before.
    whom = "people with an intake" if cohort.study.harm.origin == "intake" else followed(cohort)
    analysis = MeanCountOf(f"mean number of times of {label} a person, by each day", whom)
    return analysis.estimate(Tally(frame, people=tuple(people))).about(
        cut=cohort.cut, tied=tied_to_harm(cohort, smallest)
    )


def _days(own: pd.DataFrame, fixed: Sequence[int], smallest: int) -> list[float]:
    """Return days between which enough events lie, of enough people who had none before; the protocol's days first."""
    keys = ["participant_id", "episode"]
    events = own.loc[own["event"] == 1, [*keys, "time"]]
    first = np.sort(events.groupby(keys)["time"].min().to_numpy(dtype=float))
    every = np.sort(events["time"].to_numpy(dtype=float))
    last = np.sort(own.groupby(keys)["time"].max().to_numpy(dtype=float))
    # At least a tenth: the end of a curve for which few are left would be read as everybody's.
    enough = max(smallest, len(last) / 10)
    end = float(last[-math.ceil(enough)]) if len(last) >= enough else 0.0  # so many are followed to this day or longer

    def apart(low: float, high: float) -> bool:
        added = [
            np.searchsorted(at, high, side="right") - np.searchsorted(at, low, side="right") for at in (every, first)
        ]
        return bool(min(added) >= smallest)

    kept: list[float] = []
    # From the last one back, so that the longest horizon, which the report speaks of, is kept first.
    for day in sorted(fixed, reverse=True):
        if day <= end and apart(0, day) and (not kept or apart(day, kept[0])):
            kept.insert(0, float(day))
    days: list[float] = []
    before = 0.0
    for until in [*kept, np.inf]:
        for day in np.arange(before + _STEP - before % _STEP, min(until, end + 1), _STEP).tolist():
            if apart(before, day) and (not np.isfinite(until) or apart(day, until)):
                days.append(day)
                before = day
        if np.isfinite(until):
            days.append(until)
            before = until
    return days
