"""Making an estimate safe: safe counts, the same analysis again, and a record of what was done.

One rule for a whole release: what may not be told in one place is not weighted, subtracted or counted in another. A
share with an event by a day may be told of enough people only (`Policy.gives`). An adjusted difference by that day, a
restricted mean up to it, a count of harms per hundred or an E-value says more of the same people. So such a result
holds the counts of the share (`Estimates.tied`), and only those of its rows are left whose day may be told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Literal

import numpy as np
import pandas as pd

from evalkit.counts import Counts, DayCounts, Tally, Tie, TransitionCounts
from evalkit.disclosure._counts import noised_tally, safe_counts, untold
from evalkit.disclosure._curves import AtRisk, quotable_days, risk_at, told_on
from evalkit.disclosure._digits import EFFECTIVE, printed
from evalkit.disclosure._limits import any_small, coarser, widened
from evalkit.disclosure._lines import VALUES, corners, ends_at, read_at, spread
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._states import safe_states
from evalkit.errors import AnalysisError, DisclosureError
from evalkit.estimates import Analysis, Estimates
from evalkit.glossary import COLUMNS

__all__ = ["Safe", "curve_keys", "is_curve", "make_safe", "places"]

_PLACES = ("tau", "time", "q")
_SPREAD = frozenset({"rmst", "rmst_contrast", "survival_difference", "survival_quantile"})
"""Analyses of counts by day, other than curves, that are asked of the spread counts."""


def is_curve(estimates: Estimates) -> bool:
    """Say whether an estimate is of curves."""
    return isinstance(estimates.counts, DayCounts) and {"time", "n_risk", "n_event"} <= set(estimates.data.columns)


def curve_keys(rows: pd.DataFrame) -> list[str]:
    """Return the columns that tell one curve from another."""
    return ["group", "cause"] if "cause" in rows else ["group"]


def places(rows: pd.DataFrame) -> list[tuple[str, float]]:
    """Name each row's curve (``group``, or ``group: cause``) and day."""
    groups = rows["group"].astype(str)
    names = groups + ": " + rows["cause"].astype(str) if "cause" in rows else groups
    return [(str(name), float(time)) for name, time in zip(names, rows["time"], strict=True)]


@dataclass(frozen=True, eq=False)
class Safe:
    """An estimate that passed disclosure control.

    Attributes
    ----------
    estimates : Estimates
        Made from safe counts; carries no exact count.
    verdict : {"released", "partly", "withheld"}
        Whether all of it, part of it or nothing may be shown.
    withheld : tuple of str
        Groups (or group and term) that may not be shown.
    policy : Policy
        The policy that was applied.
    quoted : frozenset of (str, float)
        For curves: group (``group: cause`` of an incidence) and landmark at which they are quoted.
    at_risk : mapping of str to numpy.ndarray
        For curves: published numbers at risk on day 0, 1 ..., by group; nan where none is told, as on most days that no
        axis has.
    smooth : Estimates or None
        For curves: the same analysis of the safe counts spread over the days that their blocks stand for.
    """

    estimates: Estimates
    verdict: Literal["released", "partly", "withheld"]
    withheld: tuple[str, ...]
    policy: Policy
    quoted: frozenset[tuple[str, float]] = frozenset()
    at_risk: AtRisk = field(default_factory=dict)
    smooth: Estimates | None = None

    @property
    def weighted(self) -> bool:
        """Whether it is of weighted counts: its limits take the weights as known, those of adjusted effects do not."""
        return isinstance(self.estimates.counts, DayCounts) and self.estimates.counts.weighted

    def at(self, times: Sequence[float]) -> pd.DataFrame:
        """Read a safe curve at some days, as straight lines between the ends of its blocks.

        Parameters
        ----------
        times : sequence of float
            Days.

        Returns
        -------
        pandas.DataFrame
            group (and cause), time, n_risk (at landmarks and multiples of 30, 91 and 365 days), estimate, std_error,
            conf_low, conf_high; missing after a group's curve ends. Empty when nothing may be shown.
        """
        if self.smooth is None:
            return self.estimates.tidy().iloc[:0]
        rows = self.smooth.tidy()
        curves = rows.groupby(curve_keys(rows), sort=False)
        return pd.concat([self._read(*map(str, key), times=times) for key, _ in curves], ignore_index=True)

    def _read(self, group: str, cause: str = "", *, times: Sequence[float] | None = None) -> pd.DataFrame:
        """Read one curve at some days, or at its corners."""
        blocks, even = self.estimates.counts, self.smooth.counts if self.smooth else None
        if self.smooth is None or not isinstance(blocks, DayCounts) or not isinstance(even, DayCounts):
            msg = f"{self.estimates.kind}: there is no curve that may be shown"
            raise DisclosureError(msg)
        name = blocks.event_columns[blocks.causes.index(cause) if cause else 0]
        counts = blocks.data[blocks.data["group"] == group]
        rows = self.smooth.data[self.smooth.data["group"] == group]
        rows = rows[rows["cause"] == cause] if cause else rows
        at = corners(counts, name, self.policy) if times is None else times
        flows = even.data[even.data["group"] == group]
        read = read_at(rows, flows, ends_at(counts, name), at)
        if group in self.at_risk:
            days, known = read["time"].to_numpy(dtype=float), self.at_risk[group]
            numbers = known[np.clip(np.ceil(days), 0, len(known) - 1).astype(int)]
            numbers[(days >= len(known)) | read["n_risk"].isna()] = np.nan
            read["n_risk"] = numbers
        return read

    def knots(self, group: str, cause: str = "") -> pd.DataFrame:
        """Return the days between which a group's safe curve is a straight line, and its values there.

        A curve ends on the last day on which it may be quoted: what it says after that can be far off. There are no
        rows of one that may be quoted on none.

        Parameters
        ----------
        group : str
        cause : str
            For incidences: of which cause.

        Returns
        -------
        pandas.DataFrame
            time, estimate, std_error, conf_low, conf_high; from day 0 to the curve's end.

        Raises
        ------
        DisclosureError
            If this is no curve, or nothing of it may be shown.
        """
        read, end = self._read(group, cause), self._drawn_until(group, cause)
        if read["time"].max() > end:
            days = [*read.loc[read["time"] < end, "time"], end]
            read = self._read(group, cause, times=[day for day in days if day >= 0])
        return read[["time", *VALUES]]

    def drawn(self, times: Sequence[float]) -> pd.DataFrame:
        """Read a curve at some days as a figure shows it: after the day on which it ends, only how many are at risk."""
        read = self.at(times)
        causes = read["cause"] if "cause" in read else read["group"]
        ends = [self._drawn_until(str(g), str(c)) for g, c in zip(read["group"], causes, strict=True)]
        read[VALUES] = read[VALUES].where(read["time"] <= np.array(ends), axis=0)
        return read

    def _drawn_until(self, group: str, cause: str) -> float:
        # Only the tests' and benchmarks' attackers switch this off: one protection off at a time.
        if not self.policy.safe_curves:
            return np.inf
        name = f"{group}: {cause}" if "cause" in self.estimates.data else group
        return max((day for place, day in self.quoted if place == name), default=-np.inf)

    def landmark_rows(self) -> pd.DataFrame:
        """Return a curve's rows (see `at`) at the landmarks at which enough had the event, had not, and are at risk."""
        rows = self.estimates.tidy()
        if rows.empty:
            return rows
        read = self.at(self.policy.landmarks)
        told = [place in self.quoted for place in places(read)]
        return read[np.array(told, dtype=bool)].reset_index(drop=True)

    def of_cause(self, cause: str) -> Safe:
        """Return incidences of which only those of one cause are shown."""

        def chosen(made: Estimates) -> Estimates:
            return made.about(data=made.data[made.data["cause"].astype(str) == cause].reset_index(drop=True))

        return dataclasses.replace(self, estimates=chosen(self.estimates), smooth=self.smooth and chosen(self.smooth))

    def until(self, horizon: float) -> Safe:
        """Return a curve of which no day after the horizon is quoted."""
        return dataclasses.replace(self, quoted=frozenset(place for place in self.quoted if place[1] <= horizon))

    @property
    def note(self) -> str:
        """A sentence on what is not shown; empty when everything is."""
        if not self.withheld:
            return ""
        return f"Not shown where fewer than {self.policy.minimum_count} people or events would be described."


def make_safe(estimates: Estimates, policy: Policy) -> Safe:
    """Make an estimate safe to show.

    Parameters
    ----------
    estimates : Estimates
        Exact.
    policy : Policy

    Returns
    -------
    Safe

    Raises
    ------
    DisclosureError
        If the estimate carries no counts, so that nobody can say how many people it speaks of.
    """
    if estimates.counts is None:
        msg = f"{estimates.kind}: carries no counts, so it cannot be shown; give Estimates its counts"
        raise DisclosureError(msg)
    kept, left_out = _held(estimates, policy)
    safe = _nothing(estimates, left_out, policy) if left_out and kept.data.empty else _made_safe(kept, policy)
    if left_out and safe.verdict != "withheld":
        rows = _only_rows_of(safe.estimates, kept)
        safe = dataclasses.replace(safe, estimates=rows, verdict="partly", withheld=(*safe.withheld, *left_out))
    # Digits go last, and ties with the exact counts in them go no further.
    return dataclasses.replace(safe, estimates=printed(safe.estimates).about(tied=()))


def _nothing(estimates: Estimates, withheld: tuple[str, ...], policy: Policy) -> Safe:
    empty = estimates.about(data=estimates.tidy().iloc[:0], summary={}, counts=None, analysis=None, notes=())
    return Safe(empty, "withheld", withheld, policy)


def _held(estimates: Estimates, policy: Policy) -> tuple[Estimates, tuple[str, ...]]:
    """Leave out the rows of a result of whose day a share may not be told, and name their groups (and terms)."""
    rows, ties = estimates.tidy(), _ties(estimates)
    if rows.empty or not ties or not policy.safe_curves:
        return estimates, ()
    missing = [
        _untold(row, ties, day, policy) for (_, row), day in zip(rows.iterrows(), _days(rows, estimates), strict=True)
    ]
    kept, counts = np.array([not groups for groups in missing]), estimates.counts
    if kept.all():
        return estimates, ()
    if estimates.analysis is not None and isinstance(counts, Tally):  # a row of the result for each of the counts
        counts = Tally(counts.data[kept], people=tuple(compress(counts.people, kept)))
    return estimates.about(data=rows[kept], counts=counts), tuple(dict.fromkeys(g for own in missing for g in own))


def _ties(estimates: Estimates) -> tuple[Tie, ...]:
    """Return what a result is held to: of counts by day that are no curve, these very counts, too."""
    counts = estimates.counts
    if is_curve(estimates):  # its own days are quoted one by one
        return ()
    return (*estimates.tied, Tie(counts)) if isinstance(counts, DayCounts) else estimates.tied


def _days(rows: pd.DataFrame, estimates: Estimates) -> list[float]:
    """Return the day that each row speaks of; nan where it speaks of none in particular."""
    if "q" in rows:  # a day by which so many had the event: never, where it is missing
        return rows["estimate"].astype(float).fillna(-np.inf).tolist()
    for name in ("tau", "time"):
        if name in rows:
            return rows[name].astype(float).tolist()
    return [float(estimates.asked.get("days", np.nan))] * len(rows)


def _untold(row: pd.Series, ties: Sequence[Tie], day: float, policy: Policy) -> list[str]:
    """Return the groups that a row speaks of though nothing may be told of them by its day."""
    # "Never reached" is said of a quantile: there is no day by which anybody would be counted.
    if day == -np.inf:
        return []
    found = []
    for tie in ties:
        if tie.terms and row.get("term") not in tie.terms:
            continue
        # A contrast names no arm: it tells of both, so both have to be tellable.
        spoken = [row.get("group")] if row.get("group") in tie.counts.groups else tie.counts.groups
        told = told_on(tie.counts, policy, None if np.isnan(day) else day)
        found += [str(group) for group in spoken if group not in told]
    return found


def _only_rows_of(made: Estimates, kept: Estimates) -> Estimates:
    """Return a result made again from safe counts without the rows that were left out before."""
    names = [c for c in kept.data if c in made.data and (c in _PLACES or COLUMNS[str(c)].kind == "text")]
    rows = made.tidy()
    return made.about(data=rows.merge(kept.data[names].drop_duplicates(), on=names) if names else rows)


def _made_safe(estimates: Estimates, policy: Policy) -> Safe:
    """Make safe counts and ask the same analysis again, in the way that the counts need."""
    exact, analysis = estimates.counts, estimates.analysis
    if analysis is None or exact is None:
        return _safe_model(estimates, policy)
    if isinstance(exact, TransitionCounts):
        return _safe_states(estimates, exact, policy)
    return _safe_again(estimates, analysis, exact, policy)


def _safe_again(estimates: Estimates, analysis: Analysis, exact: Counts, policy: Policy) -> Safe:
    if isinstance(exact, DayCounts) and not policy.safe_curves:
        return Safe(estimates, "released", (), policy, smooth=estimates)
    counts, withheld = safe_counts(exact, policy, estimates.noise_name)
    if counts is None:
        return _nothing(estimates, withheld, policy)
    try:
        again = analysis.estimate(counts)
        if isinstance(counts, DayCounts) and isinstance(exact, DayCounts):
            return _safe_days(estimates, exact, again, counts, withheld, policy)
    except AnalysisError:
        if not (withheld or isinstance(counts, DayCounts)):
            raise
        # A contrast without one of its groups, or safe counts that end before the horizon.
        return _nothing(estimates, withheld, policy)
    again = again.about(data=_widened(again, counts, policy), notes=(*again.notes, *_given_notes(estimates, exact)))
    if withheld:
        again = again.about(data=_with_gaps(again.tidy(), estimates.tidy()))
    return Safe(again.about(**_question(estimates)), "partly" if withheld else "released", withheld, policy)


def _safe_states(estimates: Estimates, exact: TransitionCounts, policy: Policy) -> Safe:
    try:
        again, withheld = safe_states(estimates, exact, policy)
    except AnalysisError:  # the safe counts end before the horizon
        again, withheld = None, exact.groups
    if again is None:
        return _nothing(estimates, withheld, policy)
    return Safe(again, "partly" if withheld else "released", withheld, policy)


def _question(estimates: Estimates) -> dict[str, Any]:
    return {"population": estimates.population, "cut": estimates.cut, "asked": estimates.asked}


def _safe_days(
    asked: Estimates, exact: DayCounts, again: Estimates, counts: DayCounts, withheld: tuple[str, ...], policy: Policy
) -> Safe:
    """Return what was asked of counts by day: a curve with its reading, or a number."""
    notes, even = _given_notes(asked, exact), spread(counts, policy)

    def wide(made: Estimates) -> Estimates:
        # A curve shows where it ends and has no limits; of numbers their analysis has to say it.
        own = () if is_curve(asked) else made.notes
        return made.about(data=_widened(made, counts, policy), notes=(*own, *notes), **_question(asked))

    if not is_curve(asked):
        smooth = asked.analysis.estimate(even) if asked.kind in _SPREAD else again  # type: ignore[union-attr]
        return Safe(wide(smooth), "partly" if withheld else "released", withheld, policy)
    # Read at every day, not at the author's: figures and tables interpolate between these.
    everywhere: Any = dataclasses.replace(asked.analysis, times=None)  # type: ignore[type-var]
    smooth, causes = wide(everywhere.estimate(even)), "cause" in again.data
    quoted = frozenset(
        (f"{group}: {cause}" if causes else group, day)
        # in order: what is asked first is told where looks at the same few people run out, whatever the set's order
        for group, cause, day in sorted(quotable_days(exact, policy, counts.groups))
        # of the shares that the curve is tied to, too
        if all(group in told_on(tie.counts, policy, day, cause) for tie in asked.tied)
    )
    at_risk = risk_at(exact, policy, asked.noise_name, counts.groups)
    return Safe(
        wide(again),
        "partly" if withheld else "released",
        withheld,
        policy,
        quoted=quoted,
        at_risk=at_risk,
        smooth=smooth,
    )


def _given_notes(asked: Estimates, exact: Counts) -> tuple[str, ...]:
    """Return the notes that a question gave its answer; those that its analysis makes of exact counts stay behind."""
    if not asked.notes or asked.analysis is None:
        return ()
    own = asked.analysis.estimate(exact).notes
    return tuple(note for note in asked.notes if note not in own)


def _widened(made: Estimates, counts: Counts, policy: Policy) -> pd.DataFrame:
    """Return the rows with limits that hold the noise, where their analysis does not see to that itself."""
    if getattr(made.analysis, "holds_noise", False):
        return made.tidy()
    return widened(made.tidy(), counts, policy, shares=getattr(made.analysis, "of_shares", False))


def _with_gaps(shown: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    """Put the rows that may not be shown back without their numbers, so that readers see that they are not shown."""
    keys = [c for c in exact.columns if COLUMNS[c].kind == "text" and c in shown]
    places = exact[keys].drop_duplicates()
    return places.merge(shown, on=keys, how="left")[list(shown.columns)]


def _safe_model(estimates: Estimates, policy: Policy) -> Safe:
    """Release a model's coefficients: how many people they speak of decides; `printed` cuts their digits."""
    counts = estimates.counts
    if not isinstance(counts, Tally):
        msg = f"{estimates.kind}: has no analysis that can be asked again, so it cannot be shown"
        raise DisclosureError(msg)
    # A model has no row to leave out: every coefficient depends on everybody.
    if any_small(counts, policy) or untold(counts, policy).any():
        return _nothing(estimates, (estimates.kind,), policy)
    safe, _ = noised_tally(counts, np.zeros(len(counts.data), dtype=bool), policy, estimates.noise_name)
    told = _Told(counts, safe or counts, policy, estimates.noise_name)
    rows = coarser(estimates.tidy(), counts, safe or counts, policy, estimates.conf_level)
    for name in [c for c in rows.columns if COLUMNS[c].kind == "count"]:
        rows[name] = [told.public(name, row) for _, row in rows.iterrows()]
    summary = {name: told.fact(name, value) for name, value in estimates.summary.items()}
    return Safe(estimates.about(data=rows, counts=safe, summary=summary), "released", (), policy)


@dataclass(frozen=True, eq=False)
class _Told:
    """Published numbers of people of a model: those of its own counts, wherever they stand."""

    exact: Tally
    safe: Tally
    policy: Policy
    asked: str

    def public(self, name: str, row: pd.Series) -> float:
        """Return the published number in place of one in a row of the model."""
        value = row[name]
        if pd.isna(value) or self.policy.hides(round(value)):
            return float("nan")
        return float(self._of(name, round(value), str(row.get("group", ""))))

    def fact(self, name: str, value: object) -> object:
        """Return a fact about the model with published numbers of people in it."""
        people = name == "n" or (name.startswith("n_") and name not in {"n_fail", "n_group"} and EFFECTIVE not in name)
        if not people or isinstance(value, bool) or not isinstance(value, int | float | np.number):
            return value
        if not np.isfinite(float(value)):
            return value
        return self._of(name, round(float(value)), "")

    def _of(self, name: str, value: int, group: str) -> int:
        """Find who they are among the model's arms: one of them, or both together."""
        arms = self.exact.data["term"].eq("model").to_numpy()
        for column in ("n_event", "n"):
            exact, public = self.exact.data[column], self.safe.data[column]
            named = arms & (self.exact.data["group"].eq(group).to_numpy() if group else True)
            for k in np.flatnonzero(named):
                if int(exact.iloc[k]) == value:
                    return int(public.iloc[k])
            if int(exact[arms].sum()) == value:
                return int(public[arms].sum())
        # Nobody's group in particular: the question and the number itself decide the noise.
        return self.policy.public(value, None, f"{self.asked}|{name}|{group}")
