"""Times to an event: restricted means, their difference, and the days by which some shares have had it."""

from __future__ import annotations

__all__ = ["MeanGap", "Means", "Quantiles", "mean_gap"]

import numpy as np
import pandas as pd

from evalkit.counts import DayCounts
from evalkit.disclosure import Safe
from evalkit.views._phrases import Gap, amount, sized
from evalkit.views._tables import limits, number, text, written
from evalkit.views._view import View
from evalkit.words import count, decimal, listed, percent, span, within, words

_COLUMNS = (
    text("group", "Group"),
    number("n", "People", count),
    number("estimate", "Mean days", lambda v: decimal(v, 0)),
    limits("conf_low", "conf_high", share=False, digits=0),
)
_QUANTILES = (
    text("group", "Group"),
    number("n", "People", count),
    number("q", "Share", percent),
    number("estimate", "By day", count),
    number("conf_low", "95% CI from", count),
    number("conf_high", "to", count),
)


class Means(View):
    """The mean of each group."""

    name = "means"

    def _table(self, note: str) -> str:
        return written(self.rows, _COLUMNS, note)


class MeanGap(View):
    """The difference of the two means."""

    name = "mean_gap"
    untitled = "named.rmst_contrast"

    def _sentence(self) -> str:
        gap = mean_gap(self.safe)
        if gap is None:
            return words("curve.none")
        said = {"tau": span(gap.day), "event": self.event}
        said |= {"within": within(self.groups[0]), "other": within(self.groups[1])}
        if gap.direction == "none":
            return words("rmst.gap.none", **said, low=amount(gap.low, "days"), high=amount(gap.high, "days"))
        low, high = (sized(size) for size in sorted((abs(gap.low), abs(gap.high))))
        return words(f"rmst.gap.{gap.direction}", **said, low=low, high=high)


class Quantiles(View):
    """Days by which some shares of each group have had the event."""

    name = "quantiles"

    def _table(self, note: str) -> str:
        return written(self.rows, _QUANTILES, note)

    def _sentence(self) -> str:
        event = self.event or words("quantile.event")
        said = []
        for group in self.groups:
            values = [_by_day(row) for _, row in self.rows[self.rows["group"] == group].iterrows()]
            if values:
                said.append(words("quantile.said", within=within(group), event=event, values=listed(values)))
        return " ".join(said)


def _by_day(row: pd.Series) -> str:
    """Say by which day a share was reached; a limit that is not reached is left open."""
    said = {"share": percent(row["q"]), "day": count(row["estimate"]), "low": count(row["conf_low"])}
    if not np.isfinite(row["estimate"]):
        return words("quantile.none", share=said["share"])
    if not np.isfinite(row["conf_high"]):
        return words("quantile.open", **said)
    return words("quantile.one", **said, high=count(row["conf_high"]))


def mean_gap(safe: Safe) -> Gap | None:
    """Return the difference of restricted means.

    Parameters
    ----------
    safe : Safe
        A contrast of restricted means.

    Returns
    -------
    Gap or None
        In days, with the horizon as its day; None where it may not be told, or one group has no event: its mean would
        have no error.
    """
    counts = safe.estimates.counts
    # Nobody with the event: the mean is the horizon itself, without an error to compare it with.
    if isinstance(counts, DayCounts) and not counts.data.groupby("group")["n_event_1"].sum().all():
        return None
    rows = safe.estimates.tidy()
    own = rows[rows["measure"] == "rmst_difference"].dropna(subset=["estimate"])
    if own.empty:
        return None
    row = own.iloc[0]
    return Gap(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]), float(row["tau"]))
