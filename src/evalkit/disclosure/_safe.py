"""Making an estimate safe: safe counts, the same analysis again, and a record of what was done."""

from __future__ import annotations

__all__ = ["Safe", "make_safe"]

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from evalkit.counts import Counts, DayCounts, Tally
from evalkit.disclosure._cells import rows_of
from evalkit.disclosure._counts import hidden_rows, rounded_tally, safe_counts
from evalkit.disclosure._digits import printed
from evalkit.disclosure._fits import any_small, coarser
from evalkit.disclosure._lines import corners, ends_at, read_at, spread
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._quoted import NEARNESS, curve_keys, is_curve, places, quotable
from evalkit.errors import AnalysisError, DisclosureError
from evalkit.estimates import Estimates
from evalkit.glossary import COLUMNS


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
    faithful : frozenset of (str, float)
        For curves: group (``group: cause`` of an incidence) and landmark at which the safe curve lies close enough to
        the exact one to be quoted.
    far : frozenset of (str, float)
        The same, where enough people stand behind it but it lies too far from the exact one.
    short : tuple of str
        For curves: groups of which a few people, too few to be shown leaving, are left out of the numbers at risk.
    smooth : Estimates or None
        For curves: the same analysis of the safe counts spread over the days that their blocks stand for.
    gone : frozenset of str
        Keys of the rows that are not shown.
    complementary : bool
        Whether rows are among them that are not small themselves, but would let small ones be worked out.
    """

    estimates: Estimates
    verdict: Literal["released", "partly", "withheld"]
    withheld: tuple[str, ...]
    policy: Policy
    faithful: frozenset[tuple[str, float]] = frozenset()
    far: frozenset[tuple[str, float]] = frozenset()
    short: tuple[str, ...] = ()
    smooth: Estimates | None = None
    gone: frozenset[str] = frozenset()
    complementary: bool = False

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
            group (and cause), time, n_risk (a multiple of the rounding base), estimate, std_error, conf_low,
            conf_high; missing after a group's curve ends. Empty when nothing may be shown.
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
        return read_at(rows, flows, ends_at(counts, name), at, self.policy)

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
        if not self.policy.safe_curves:
            return np.inf
        name = self._name(group, cause)
        return max((day for place, day in self.faithful if place == name), default=-np.inf)

    def _name(self, group: str, cause: str) -> str:
        return f"{group}: {cause}" if "cause" in self.estimates.data else group

    def why_not(self, group: str, day: float, cause: str = "") -> Literal["far", "few"]:
        """Return why a share is not quoted.

        Parameters
        ----------
        group : str
        day : float
            A landmark.
        cause : str
            For incidences: of which cause.

        Returns
        -------
        {"far", "few"}
            far: protection moves it too far from the exact one; few: too few people or events stand behind it.
        """
        return "far" if (self._name(group, cause), day) in self.far else "few"

    def landmark_rows(self) -> pd.DataFrame:
        """Return a curve's rows at the policy's landmarks, where the safe curve has something to say.

        Returns
        -------
        pandas.DataFrame
            As `at`: only groups with an event, only where enough people are at risk and the safe curve is close to the
            exact one (see `quotable`).
        """
        rows = self.estimates.tidy()
        if rows.empty:
            return rows
        read = self.at(self.policy.landmarks)
        told = [place in self.faithful for place in places(read)]
        return read[np.array(told, dtype=bool)].reset_index(drop=True)

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
        return dataclasses.replace(self, faithful=frozenset(place for place in self.faithful if place[1] <= horizon))

    @property
    def note(self) -> str:
        """A sentence on what is not shown; empty when everything is."""
        if not self.withheld:
            return ""
        said = f"Not shown where fewer than {self.policy.minimum_count} people or events would be described"
        return f"{said}, or could be worked out from other figures." if self.complementary else f"{said}."


def make_safe(estimates: Estimates, policy: Policy, withhold: frozenset[str] = frozenset()) -> Safe:
    """Make an estimate safe to show.

    Parameters
    ----------
    estimates : Estimates
        Exact.
    policy : Policy
    withhold : frozenset of str
        Keys of rows that are not shown either, so that no small count can be worked out (see `protect`).

    Returns
    -------
    Safe

    Raises
    ------
    DisclosureError
        If the estimate carries no counts, so that nobody can say how many people it speaks of.
    """
    exact = counts_of(estimates)
    keys = rows_of(estimates)
    also = frozenset(k for k, key in enumerate(keys) if key in withhold)
    safe = _made_safe(estimates, policy, also)
    gone = set(keys) if safe.verdict == "withheld" else _gone(exact, keys, also, safe, policy)
    told = printed(safe.estimates, policy)
    return dataclasses.replace(safe, estimates=told, gone=frozenset(gone), complementary=bool(also))


def counts_of(estimates: Estimates) -> Counts:
    """Return what an estimate was made from; refuse one that does not say."""
    if estimates.counts is None:
        msg = f"{estimates.kind}: carries no counts, so it cannot be shown; give Estimates its counts"
        raise DisclosureError(msg)
    return estimates.counts


def _gone(counts: Counts, keys: list[str], also: frozenset[int], safe: Safe, policy: Policy) -> set[str]:
    """Return the keys of the rows that are not shown."""
    if isinstance(counts, DayCounts):
        return {key for key, group in zip(keys, counts.groups, strict=True) if group in safe.withheld}
    if safe.estimates.analysis is None:  # a model: all of it or nothing
        return set()
    small = hidden_rows(counts, policy)
    return {key for k, key in enumerate(keys) if small[k] or k in also}


def _made_safe(estimates: Estimates, policy: Policy, also: frozenset[int]) -> Safe:
    if estimates.analysis is None:
        return _safe_model(estimates, policy, withhold=bool(also))
    if isinstance(estimates.counts, DayCounts) and not policy.safe_curves:
        return Safe(estimates, "released", (), policy, smooth=estimates)
    counts, withheld = safe_counts(counts_of(estimates), policy, also)
    if counts is None:
        return Safe(_emptied(estimates), "withheld", withheld, policy)
    try:
        again = estimates.analysis.estimate(counts)
        if isinstance(counts, DayCounts):
            return _safe_days(estimates, again, counts, withheld, policy)
    except AnalysisError:
        if not (withheld or isinstance(counts, DayCounts)):
            raise
        # A contrast without one of its groups, or safe counts that end before the horizon.
        return Safe(_emptied(estimates), "withheld", withheld, policy)
    if withheld:
        again = again.about(data=_with_gaps(again.tidy(), estimates.tidy()))
    safe = again.about(population=estimates.population, cut=estimates.cut)
    return Safe(safe, "partly" if withheld else "released", withheld, policy)


def _safe_days(
    exact: Estimates, again: Estimates, counts: DayCounts, withheld: tuple[str, ...], policy: Policy
) -> Safe:
    """Return what was asked of counts by day: a curve with its reading, or a number that is close to the exact one."""
    verdict: Literal["released", "partly"] = "partly" if withheld else "released"
    about = {"population": exact.population, "cut": exact.cut}
    even = spread(counts, policy)
    if not is_curve(exact):
        smooth = exact.analysis.estimate(even) if exact.kind in _SPREAD else again  # type: ignore[union-attr]
        return Safe(smooth.about(data=_near(smooth.tidy(), exact.tidy()), **about), verdict, withheld, policy)
    everywhere: Any = dataclasses.replace(exact.analysis, times=None)  # type: ignore[type-var]
    shown = Safe(again.about(**about), verdict, withheld, policy, smooth=everywhere.estimate(even))
    near, far = quotable(exact, shown.estimates, shown.at(policy.landmarks), policy)
    return dataclasses.replace(shown, faithful=near, far=far, short=_short(exact.counts, counts, policy))


def _short(exact: Counts | None, safe: DayCounts, policy: Policy) -> tuple[str, ...]:
    """Return the groups of whom the safe counts hold fewer people than there are, rounded alike."""
    if not isinstance(exact, DayCounts):
        return ()
    held, there = (c.data.groupby("group")["n_entry"].sum() for c in (safe, exact))
    return tuple(group for group in safe.groups if held[group] < policy.rounded(int(there[group])))


_SPREAD = frozenset({"rmst", "rmst_contrast", "survival_difference"})
"""Analyses of counts by day, other than curves, that are asked of the spread counts."""


def _near(rows: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    """Leave out numbers further than `NEARNESS` standard errors from the exact ones: what is quoted must be true."""
    if "estimate" not in rows or "std_error" not in exact:
        return rows
    keys = [c for c in rows.columns if COLUMNS[c].kind == "text" or c in {"time", "tau"}]
    true = rows[keys].merge(exact[[*keys, "estimate", "std_error"]], on=keys, how="left")
    far = ~((rows["estimate"] - true["estimate"]).abs() <= true["std_error"] * NEARNESS)
    numbers = [c for c in rows.columns if COLUMNS[c].kind == "number" and c not in keys]
    rows.loc[far.to_numpy(), numbers] = np.nan
    return rows


def _with_gaps(shown: pd.DataFrame, exact: pd.DataFrame) -> pd.DataFrame:
    """Put the rows that may not be shown back without their numbers, so that readers see that they are not shown."""
    keys = [c for c in exact.columns if COLUMNS[c].kind == "text" and c in shown]
    places = exact[keys].drop_duplicates()
    return places.merge(shown, on=keys, how="left")[list(shown.columns)]


def _safe_model(estimates: Estimates, policy: Policy, *, withhold: bool) -> Safe:
    """Release a model's coefficients: how many people they speak of decides; `printed` rounds them."""
    counts = estimates.counts
    if not isinstance(counts, Tally):
        msg = f"{estimates.kind}: has no analysis that can be asked again, so it cannot be shown"
        raise DisclosureError(msg)
    if any_small(counts, policy) or withhold:
        return Safe(_emptied(estimates), "withheld", (estimates.kind,), policy)
    safe, _ = rounded_tally(counts, np.zeros(len(counts.data), dtype=bool), policy)
    rows = coarser(estimates.tidy(), counts, policy, estimates.conf_level)
    for name in [c for c in rows.columns if COLUMNS[c].kind == "count"]:
        rows[name] = [np.nan if pd.isna(v) or policy.hides(round(v)) else policy.rounded(round(v)) for v in rows[name]]
    return Safe(estimates.about(data=rows, counts=safe), "released", (), policy)


def _emptied(estimates: Estimates) -> Estimates:
    return estimates.about(data=estimates.tidy().iloc[:0], summary={}, counts=None, analysis=None, notes=())
