"""Counts: what an estimate is made from, and what disclosure control acts on.

Three kinds serve every published figure:

`DayCounts`
    how many entered, had the event (by cause) and were censored, on each day and in each group;
    sufficient for Kaplan-Meier, log-rank, restricted means and cumulative incidence.
`Tally`
    x of n, by group and term; sufficient for proportions.
`Moments`
    n, sum and sum of squares, by group and term; sufficient for means and their intervals.

Any engine can produce them. They are frozen: a change is a new object.
"""

from __future__ import annotations

__all__ = ["Counts", "DayCounts", "Moments", "Tally"]

from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd

from evalkit.errors import AnalysisError


@dataclass(frozen=True, eq=False)
class _FrameOf:
    """A frame whose columns are checked once, and never handed out uncopied."""

    data: pd.DataFrame = field(repr=False)
    required: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        missing = [name for name in self.required if name not in self.data.columns]
        if missing:
            msg = f"{type(self).__name__}: column '{missing[0]}' is missing"
            raise AnalysisError(msg)
        object.__setattr__(self, "data", self.data.reset_index(drop=True).copy())

    @property
    def frame(self) -> pd.DataFrame:
        """A copy of the rows."""
        return self.data.copy()


@dataclass(frozen=True, eq=False)
class DayCounts(_FrameOf):
    """Counts by day for time-to-event analyses.

    Attributes
    ----------
    data : pandas.DataFrame
        One row per (group, time), times ascending within a group, with columns

        - ``group`` (text), ``time`` (days, or distinct times where they are not whole);
        - ``n_entry``: people who come under observation *after* this time; those observed from the
          origin stand in the row ``time = -inf``;
        - ``n_event_1`` ... ``n_event_K``: events of each cause on this day;
        - ``n_censor``: censored on this day.

        Where there are weights, ``w_entry``, ``w_event_1`` ... and ``w_censor`` stand beside them, and
        the sums of squared weights ``w2_entry`` ... that robust variances need.
        At risk at t: sum of entries before t, less events and censorings before t
        (so that entry < t <= end).
    causes : tuple of str
        Names of the causes 1 ... K, in order.
    """

    causes: tuple[str, ...] = ("event",)
    required: ClassVar[tuple[str, ...]] = ("group", "time", "n_entry", "n_event_1", "n_censor")

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in order of appearance."""
        return tuple(str(name) for name in self.data["group"].unique())

    @property
    def event_columns(self) -> tuple[str, ...]:
        """Names of the columns of events, one per cause."""
        return tuple(f"n_event_{k}" for k in range(1, len(self.causes) + 1))

    @property
    def weighted(self) -> bool:
        """Whether weighted sums stand beside the raw counts."""
        return "w_entry" in self.data.columns


@dataclass(frozen=True, eq=False)
class Tally(_FrameOf):
    """x of n.

    Attributes
    ----------
    data : pandas.DataFrame
        One row per (group, term): ``group``, ``term``, ``n_event`` (x, people), ``n`` (people).
        Further text columns (``label``, ``variable``) go along unchanged.
    """

    required: ClassVar[tuple[str, ...]] = ("group", "term", "n_event", "n")


@dataclass(frozen=True, eq=False)
class Moments(_FrameOf):
    """n, sum and sum of squares of a quantity.

    Attributes
    ----------
    data : pandas.DataFrame
        One row per (group, term): ``group``, ``term``, ``n`` (people), ``total`` and ``total_sq``
        (sum and sum of squares over people), ``largest`` (the largest single contribution, for
        dominance rules).
    """

    required: ClassVar[tuple[str, ...]] = ("group", "term", "n", "total", "total_sq", "largest")


Counts = DayCounts | Tally | Moments
