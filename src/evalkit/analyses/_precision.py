"""What could have been detected."""

from __future__ import annotations

__all__ = ["PrecisionOf", "precision"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from evalkit.analyses._compare import Comparison
from evalkit.counts import Tally, totals_of
from evalkit.estimates import Estimates
from evalkit.stats import minimum_detectable_hazard_ratio, power, schoenfeld_events


@dataclass(frozen=True)
class PrecisionOf:
    """What the events seen could have detected, by outcome.

    Attributes
    ----------
    groups : (str, str)
    ratio : float
        Hazard ratio for which power and the events needed are given.
    level : float
        Power for which the least detectable ratio and the events needed are given.
    population : str

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.analyses import PrecisionOf
    >>> from evalkit.counts import Tally
    >>> rows = pd.DataFrame({"group": ["pilot", "PAIP"], "term": "harm", "label": "Harm"})
    >>> counts = Tally(rows.assign(n_event=[20, 180], n=[160, 900]))
    >>> PrecisionOf(("pilot", "PAIP")).estimate(counts).tidy()[["measure", "estimate"]].round(2)
             measure  estimate
    0    least ratio      1.74
    1  largest ratio      0.58
    2          power      0.54
    3  events needed    372.52
    """

    key: ClassVar[str] = "precision"
    view: ClassVar[str] = "precision"
    groups: tuple[str, str]
    ratio: float = 1.5
    level: float = 0.8
    population: str = ""

    def estimate(self, counts: Tally) -> Estimates:
        """Return the least detectable hazard ratio, the power and the events needed, by outcome (Schoenfeld).

        Parameters
        ----------
        counts : Tally
            group, term (the outcome), label, n_event, n.

        Returns
        -------
        Estimates
            term, label, n, n_event (both groups), hazard_ratio (the one asked for), measure
            ('least ratio' above 1 and 'largest ratio' below 1 that can be detected, 'power', 'events needed'),
            estimate; outcomes that a group or any event is missing of are left out.
        """
        rows: list[dict[str, object]] = []
        for term, own in counts.frame.groupby("term", sort=False):
            sizes = own.set_index("group")["n"]
            n, events = int(own["n"].sum()), int(own["n_event"].sum())
            if not set(self.groups) <= set(sizes.index) or not (sizes > 0).all() or events == 0:
                continue
            # The people's split, not that of the events: Schoenfeld's formula is of allocation.
            split = float(sizes[self.groups[0]] / n)
            least = float(minimum_detectable_hazard_ratio(events, power=self.level, allocation=split))
            values: dict[str, float] = {
                "least ratio": least,
                "largest ratio": 1 / least,
                "power": float(power(events, self.ratio, allocation=split)),
                "events needed": float(schoenfeld_events(self.ratio, power=self.level, allocation=split)),
            }
            about = {
                "term": str(term),
                "label": str(own["label"].iloc[0]),
                "n": float(n),
                "n_event": float(events),
                "hazard_ratio": self.ratio,
            }
            rows += [{**about, "measure": name, "estimate": value} for name, value in values.items()]
        columns = ["term", "label", "measure", "n", "n_event", "hazard_ratio", "estimate"]
        kinds = dict.fromkeys(columns[3:], "float64")
        return Estimates(
            pd.DataFrame(rows, columns=columns).astype(kinds),
            kind="precision",
            estimand=f"hazard ratio that can be detected, and power at a hazard ratio of {self.ratio:g}",
            population=self.population,
            counts=counts,
            analysis=self,
        )


def precision(comparisons: Sequence[Comparison | None], ratio: float = 1.5) -> Estimates:
    """Return what each comparison could have detected, with the events that it saw.

    Parameters
    ----------
    comparisons : sequence of Comparison or None
        None where the arms cannot be compared.
    ratio : float, default 1.5
        Hazard ratio for which the power is given.

    Returns
    -------
    Estimates
        As `PrecisionOf.estimate`.

    Examples
    --------
    >>> from evalkit.analyses import compare_arms, precision
    >>> precision([compare_arms(cohort)]).tidy()[["term", "estimate", "n_event", "n"]].head(2).round(3)
            term  estimate  n_event      n
    0  retention     1.739    176.0  559.0
    1  retention     0.575    176.0  559.0
    """
    rows, people = [], []
    there = [one for one in comparisons if one is not None]
    for one in there:
        label = one.event[:1].upper() + one.event[1:]
        totals = totals_of(one.data, one.groups, named=True)
        rows += [{**row, "term": one.scale, "label": label} for row in totals.data.to_dict("records")]
        people += list(totals.people)
    groups = there[0].groups if there else ("", "")
    frame = pd.DataFrame(rows, columns=["group", "term", "label", "n_event", "n"])
    counts = Tally(frame, people=tuple(people) if len(people) == len(rows) else ())
    population = there[0].population if there else ""
    found = PrecisionOf(groups, ratio, population=population).estimate(counts)
    return found.about(cut=there[0].cohort.cut) if there else found
