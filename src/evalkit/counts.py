"""Counts: what an estimate is made from, and what disclosure control acts on.

Four kinds serve every published figure:

`DayCounts`
    how many entered, had the event (by cause) and were censored, on each day and in each group;
    sufficient for Kaplan-Meier, log-rank, restricted means and cumulative incidence.
`Tally`
    x of n, by group and term; sufficient for proportions.
`Moments`
    n, sum and sum of squares, by group and term; sufficient for means and their intervals.
`TransitionCounts`
    how many entered each state, moved to each other state and were censored in it, on each day and in each group;
    sufficient for the probability of being in each state (Aalen-Johansen).

Any engine can produce them. They are frozen: a change is a new object.

Counts may remember *who* stands behind them (`people`): codes of people, never shown and never written where anybody
but the study's own team can read. Disclosure control needs them to see which published figures, in one report or in
several, speak of nested groups, so that nobody can be singled out by subtraction.
"""

from __future__ import annotations

__all__ = [
    "GRID",
    "Codes",
    "Counts",
    "DayCounts",
    "Moments",
    "Tally",
    "Tie",
    "TransitionCounts",
    "codes_of",
    "totals_of",
    "who",
]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.errors import AnalysisError

Codes = npt.NDArray[np.uint64]
"""Codes of people, one each."""

GRID = 30
"""Days between those on which figures read who is in which state, and on which it is told."""


def codes_of(frame: pd.DataFrame) -> Codes | None:
    """Return a code for the person of each row; the same person has the same code in every frame.

    Parameters
    ----------
    frame : pandas.DataFrame, n rows
        With the column ``participant_id``, and ``episode`` where a person may have several.

    Returns
    -------
    numpy.ndarray of uint64, shape (n,), or None
        None where the frame does not say whose its rows are.

    Examples
    --------
    >>> whose = pd.DataFrame({"participant_id": ["a", "b", "a"]})
    >>> len(set(codes_of(whose).tolist()))
    2
    """
    if "participant_id" not in frame.columns:
        return None
    names = frame["participant_id"].astype(str)
    if "episode" in frame.columns:
        later = frame["episode"].to_numpy() != 1
        if later.any():
            names = names.mask(later, names + "\x1f" + frame["episode"].astype(str))
    codes: Codes = pd.util.hash_array(names.to_numpy(dtype=object), categorize=False)
    return codes


def who(people: pd.DataFrame, **chosen: npt.NDArray[np.bool_]) -> dict[str, Codes]:
    """Return the codes of the people behind each count.

    Parameters
    ----------
    people : pandas.DataFrame, n rows
    **chosen : numpy.ndarray of bool, shape (n,)
        Name of the count: who is in it.

    Returns
    -------
    dict
        Empty where the frame does not say whose its rows are.
    """
    codes = codes_of(people)
    return {} if codes is None else {name: codes[rows] for name, rows in chosen.items()}


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
    people : pandas.DataFrame or None
        Who: ``code``, ``group``, ``time``, ``cause`` (0 censored, else 1 ... K), one row per person.
    """

    causes: tuple[str, ...] = ("event",)
    people: pd.DataFrame | None = field(default=None, repr=False)
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
class Tie:
    """What holds a result to another one: nothing is told of a day of which the share that these counts give is not.

    Attributes
    ----------
    counts : DayCounts
        Of the same event, its first cause.
    terms : tuple of str
        The only terms of the result that speak of the groups; all its rows where there are none.
    """

    counts: DayCounts
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Tally(_FrameOf):
    """x of n.

    Attributes
    ----------
    data : pandas.DataFrame
        One row per (group, term): ``group``, ``term``, ``n_event`` (x, people), ``n`` (people).
        Further text columns (``label``, ``variable``) go along unchanged. Where there are ``total`` and ``total_sq``, a
        row with a total is of a quantity, not of people with the event: its n_event is n.
    people : tuple of mapping
        Who, for each row: the codes behind ``n`` and behind ``n_event``; empty where it is not known.
    """

    people: tuple[Mapping[str, Codes], ...] = field(default=(), repr=False)
    required: ClassVar[tuple[str, ...]] = ("group", "term", "n_event", "n")

    @property
    def quantities(self) -> npt.NDArray[np.bool_]:
        """Which rows are of a quantity, shape (rows,)."""
        if "total" not in self.data.columns:
            return np.zeros(len(self.data), dtype=bool)
        return self.data["total"].notna().to_numpy(dtype=bool)


@dataclass(frozen=True, eq=False)
class Moments(_FrameOf):
    """n, sum and sum of squares of a quantity.

    Attributes
    ----------
    data : pandas.DataFrame
        One row per (group, term): ``group``, ``term``, ``n`` (people), ``total`` and ``total_sq``
        (sum and sum of squares over people), ``largest`` (the largest single contribution, for
        dominance rules). ``n_nonzero`` says how many contribute anything; without it the fewest
        that can are taken to.
    people : tuple of mapping
        Who, for each row: the codes behind ``n``; empty where it is not known.
    """

    people: tuple[Mapping[str, Codes], ...] = field(default=(), repr=False)
    required: ClassVar[tuple[str, ...]] = ("group", "term", "n", "total", "total_sq", "largest")


@dataclass(frozen=True, eq=False)
class TransitionCounts(_FrameOf):
    """Moves between states by day.

    Attributes
    ----------
    data : pandas.DataFrame
        One row per (group, state, time) on which anything happens, with columns

        - ``group``, ``state`` (text), ``time`` (days);
        - ``n_entry``: people who come under observation in this state *after* this time; those observed from the
          origin stand in the row ``time = -inf``;
        - ``n_to_1`` ... ``n_to_S``: moves from this state to each of the states on this day;
        - ``n_censor``: censored in this state on this day.

        Where there are weights, ``w_entry``, ``w_to_1`` ... and ``w_censor`` stand beside them.
        At risk in a state at t: entries to it, by moves or under observation, before t, less moves and censorings
        before t.
    states : tuple of str
        Names of the states 1 ... S, in order.
    paths : pandas.DataFrame or None
        Who: one row per stay, with ``group``, ``person`` (a number within the frame), ``code`` (of the person; 0 where
        it is not known who that is), ``time_from``, ``time``, ``state`` and ``to`` (places among the states; -1
        censored) and ``weight``. Standard errors need it, since moves of one person depend on one another.
    errors : pandas.DataFrame or None
        Of safe counts, which have no paths: ``group``, ``state``, ``time``, and the ``std_error`` that may be shown;
        of mean days in states up to ``time`` also ``days``: safe moves do not say when between two days people moved.
    """

    states: tuple[str, ...] = ()
    paths: pd.DataFrame | None = field(default=None, repr=False)
    errors: pd.DataFrame | None = field(default=None, repr=False)
    required: ClassVar[tuple[str, ...]] = ("group", "state", "time", "n_entry", "n_to_1", "n_censor")

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in order of appearance."""
        return tuple(str(name) for name in self.data["group"].unique())

    @property
    def weighted(self) -> bool:
        """Whether weighted sums stand beside the raw counts."""
        return "w_entry" in self.data.columns


Counts = DayCounts | Tally | Moments | TransitionCounts


def totals_of(
    rows: pd.DataFrame,
    groups: Sequence[str],
    *,
    named: bool = False,
    levels: Mapping[str, pd.Series] = MappingProxyType({}),
) -> Tally:
    """Count the events of cause 1 and the people of each group: what decides whether a model of them may be shown.

    Parameters
    ----------
    rows : pandas.DataFrame
        group, event (1: it happened), and who they are.
    groups : sequence of str
    named : bool, default False
        Whether the counts of groups say who stands behind them: where they are published themselves. Those of levels
        never are.
    levels : mapping of str to pandas.Series
        Name of a model's term: everybody's level. Each level is counted too, as the term ``name[level]``.

    Returns
    -------
    Tally
    """
    had = rows["event"].to_numpy() == 1
    cells = {(str(g), "model"): (rows["group"] == g).to_numpy() for g in groups}
    for name, known in levels.items():
        cells |= {("everybody", f"{name}[{level}]"): known.eq(level).to_numpy() for level in sorted(known.unique())}
    made = [
        {"group": g, "term": term, "n_event": int((had & own).sum()), "n": int(own.sum())}
        for (g, term), own in cells.items()
    ]
    said = [who(rows, n=own, n_event=own & had) if term == "model" else {} for (_, term), own in cells.items()]
    people = tuple(said) if named else ()
    return Tally(pd.DataFrame(made, columns=["group", "term", "n_event", "n"]), people=people)
