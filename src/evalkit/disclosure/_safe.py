"""Making an estimate safe: safe counts, the same analysis again, and a record of what was done."""

from __future__ import annotations

__all__ = ["Safe", "curve_keys", "is_curve", "make_safe", "places"]

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from evalkit.counts import Counts, DayCounts, Tally, TransitionCounts
from evalkit.disclosure._counts import noised_tally, safe_counts, untold
from evalkit.disclosure._curves import AtRisk, quotable_days, risk_at
from evalkit.disclosure._digits import EFFECTIVE, printed
from evalkit.disclosure._fits import any_small, coarser
from evalkit.disclosure._limits import widened
from evalkit.disclosure._lines import corners, ends_at, read_at, spread
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._states import safe_states
from evalkit.disclosure._tied import held, is_curve, only_rows_of, quoted_by_all
from evalkit.errors import AnalysisError, DisclosureError
from evalkit.estimates import Analysis, Estimates
from evalkit.glossary import COLUMNS

_SPREAD = frozenset({"rmst", "rmst_contrast", "survival_difference", "survival_quantile"})
"""Analyses of counts by day, other than curves, that are asked of the spread counts."""


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
        rows, read = self.smooth.tidy(), []
        for _, own in rows.groupby(curve_keys(rows), sort=False):
            read.append(
                self._read(str(own["group"].iloc[0]), str(own["cause"].iloc[0]) if "cause" in own else "", times)
            )
        return pd.concat(read, ignore_index=True)

    def _read(self, group: str, cause: str, times: Sequence[float] | None = None) -> pd.DataFrame:
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
            read = self._read(group, cause, [day for day in days if day >= 0])
        return read[["time", "estimate", "std_error", "conf_low", "conf_high"]]

    def drawn(self, times: Sequence[float]) -> pd.DataFrame:
        """Read a curve at some days as a figure shows it: after the day on which it ends, only how many are at risk.

        Parameters
        ----------
        times : sequence of float

        Returns
        -------
        pandas.DataFrame
            As `at`.
        """
        read = self.at(times)
        causes = read["cause"] if "cause" in read else read["group"]
        ends = [self._drawn_until(str(g), str(c)) for g, c in zip(read["group"], causes, strict=True)]
        values = ["estimate", "std_error", "conf_low", "conf_high"]
        read[values] = read[values].where(read["time"] <= np.array(ends), axis=0)
        return read

    def _drawn_until(self, group: str, cause: str) -> float:
        # Only the tests' and benchmarks' attackers switch this off: one protection off at a time.
        if not self.policy.safe_curves:
            return np.inf
        name = self._name(group, cause)
        return max((day for place, day in self.quoted if place == name), default=-np.inf)

    def _name(self, group: str, cause: str) -> str:
        return f"{group}: {cause}" if "cause" in self.estimates.data else group

    def landmark_rows(self) -> pd.DataFrame:
        """Return a curve's rows at the policy's landmarks, where the safe curve has something to say.

        Returns
        -------
        pandas.DataFrame
            As `at`: only where enough people had the event, have not had it, and are at risk.
        """
        rows = self.estimates.tidy()
        if rows.empty:
            return rows
        read = self.at(self.policy.landmarks)
        told = [place in self.quoted for place in places(read)]
        return read[np.array(told, dtype=bool)].reset_index(drop=True)

    def of_cause(self, cause: str) -> Safe:
        """Return incidences of which only those of one cause are shown.

        Parameters
        ----------
        cause : str

        Returns
        -------
        Safe
        """
        kept = self.estimates.about(data=_of_cause(self.estimates, cause))
        smooth = self.smooth and self.smooth.about(data=_of_cause(self.smooth, cause))
        return dataclasses.replace(self, estimates=kept, smooth=smooth)

    def until(self, horizon: float) -> Safe:
        """Return a curve of which no later day is quoted.

        Parameters
        ----------
        horizon : float
            Days.

        Returns
        -------
        Safe
        """
        return dataclasses.replace(self, quoted=frozenset(place for place in self.quoted if place[1] <= horizon))

    @property
    def note(self) -> str:
        """A sentence on what is not shown; empty when everything is."""
        if not self.withheld:
            return ""
        return f"Not shown where fewer than {self.policy.minimum_count} people or events would be described."


def _of_cause(estimates: Estimates, cause: str) -> pd.DataFrame:
    """Return the rows of one cause."""
    return estimates.data[estimates.data["cause"].astype(str) == cause].reset_index(drop=True)


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
    counts_of(estimates)
    kept, untold = held(estimates, policy)
    if untold and kept.data.empty:
        safe = Safe(_emptied(estimates), "withheld", untold, policy)
    else:
        safe = _made_safe(kept, policy)
    if untold and safe.verdict != "withheld":
        left = only_rows_of(safe.estimates, kept)
        safe = dataclasses.replace(safe, estimates=left, verdict="partly", withheld=(*safe.withheld, *untold))
    # Digits go last, and ties with the exact counts in them go no further.
    return dataclasses.replace(safe, estimates=printed(safe.estimates).about(tied=()))


def counts_of(estimates: Estimates) -> Counts:
    """Return what an estimate was made from; refuse one that does not say."""
    if estimates.counts is None:
        msg = f"{estimates.kind}: carries no counts, so it cannot be shown; give Estimates its counts"
        raise DisclosureError(msg)
    return estimates.counts


def _made_safe(estimates: Estimates, policy: Policy) -> Safe:
    exact = counts_of(estimates)
    if estimates.analysis is None:
        return _safe_model(estimates, policy)
    if isinstance(exact, TransitionCounts):
        return _safe_states(estimates, exact, policy)
    return _safe_again(estimates, estimates.analysis, exact, policy)


def _safe_again(estimates: Estimates, analysis: Analysis, exact: Counts, policy: Policy) -> Safe:
    """Make counts safe and ask the same analysis again."""
    if isinstance(exact, DayCounts) and not policy.safe_curves:
        return Safe(estimates, "released", (), policy, smooth=estimates)
    counts, withheld = safe_counts(exact, policy, estimates.noise_name)
    if counts is None:
        return Safe(_emptied(estimates), "withheld", withheld, policy)
    try:
        again = analysis.estimate(counts)
        if isinstance(counts, DayCounts) and isinstance(exact, DayCounts):
            return _safe_days(estimates, exact, again, counts, withheld, policy)
    except AnalysisError:
        if not (withheld or isinstance(counts, DayCounts)):
            raise
        # A contrast without one of its groups, or safe counts that end before the horizon.
        return Safe(_emptied(estimates), "withheld", withheld, policy)
    again = again.about(data=_widened(again, counts, policy), notes=(*again.notes, *_given_notes(estimates, exact)))
    if withheld:
        again = again.about(data=_with_gaps(again.tidy(), estimates.tidy()))
    safe = again.about(population=estimates.population, cut=estimates.cut, asked=estimates.asked)
    return Safe(safe, "partly" if withheld else "released", withheld, policy)


def _safe_states(estimates: Estimates, exact: TransitionCounts, policy: Policy) -> Safe:
    try:
        again, withheld = safe_states(estimates, exact, policy)
    except AnalysisError:  # the safe counts end before the horizon
        return Safe(_emptied(estimates), "withheld", exact.groups, policy)
    if again is None:
        return Safe(_emptied(estimates), "withheld", withheld, policy)
    return Safe(again, "partly" if withheld else "released", withheld, policy)


def _safe_days(
    asked: Estimates, exact: DayCounts, again: Estimates, counts: DayCounts, withheld: tuple[str, ...], policy: Policy
) -> Safe:
    """Return what was asked of counts by day: a curve with its reading, or a number."""
    verdict: Literal["released", "partly"] = "partly" if withheld else "released"
    about = {"population": asked.population, "cut": asked.cut, "asked": asked.asked}
    notes, even = _given_notes(asked, exact), spread(counts, policy)

    def wide(made: Estimates) -> Estimates:
        # A curve shows where it ends and has no limits; of numbers their analysis has to say it.
        own = () if is_curve(asked) else made.notes
        return made.about(data=_widened(made, counts, policy), notes=(*own, *notes), **about)

    if not is_curve(asked):
        smooth = asked.analysis.estimate(even) if asked.kind in _SPREAD else again  # type: ignore[union-attr]
        return Safe(wide(smooth), verdict, withheld, policy)
    # Read at every day, not at the author's: figures and tables interpolate between these.
    everywhere: Any = dataclasses.replace(asked.analysis, times=None)  # type: ignore[type-var]
    smooth, causes = wide(everywhere.estimate(even)), "cause" in again.data
    quoted = frozenset(
        (f"{group}: {cause}" if causes else group, day)
        for group, cause, day in quoted_by_all(quotable_days(exact, policy, counts.groups), asked.tied, policy)
    )
    at_risk = risk_at(exact, policy, asked.noise_name, counts.groups)
    return Safe(wide(again), verdict, withheld, policy, quoted=quoted, at_risk=at_risk, smooth=smooth)


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
        return Safe(_emptied(estimates), "withheld", (estimates.kind,), policy)
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


def _emptied(estimates: Estimates) -> Estimates:
    return estimates.about(data=estimates.tidy().iloc[:0], summary={}, counts=None, analysis=None, notes=())
