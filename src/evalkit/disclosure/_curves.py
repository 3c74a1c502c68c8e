"""Safe counts by day: no step of a curve made from them speaks of fewer people than the policy allows.

The exact times of events (and of censorings) are sorted and cut into consecutive blocks of at least the policy's
minimum; each block becomes one step on its mean day. The mean keeps areas under the curve (and so restricted means)
where they were, and is a mean over at least the minimum. Where there are enough of them, a block ends at a landmark of
the policy, so that what is said of that day stays true; columns ``end_...`` say which. A cause of which few events are
left after a landmark is followed up to it: those few are not shown leaving. Totals are multiples of the
rounding base, so that two releases cannot be subtracted to single out a person.
"""

from __future__ import annotations

__all__ = ["landmark_cuts", "safe_day_counts", "shown_until"]

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.counts import DayCounts
from evalkit.disclosure._mass import MASSES, evenly_weighted, with_mass
from evalkit.disclosure._policy import Policy
from evalkit.errors import DisclosureError

Floats = NDArray[np.float64]


def safe_day_counts(counts: DayCounts, policy: Policy) -> tuple[DayCounts | None, list[str]]:
    """Make counts by day safe.

    Parameters
    ----------
    counts : DayCounts
        Exact; not changed. Everyone observed from the origin. Of weighted counts each block carries the mean weight of
        those whom it stands for.
    policy : Policy

    Returns
    -------
    counts : DayCounts or None
        Safe; None when no group may be shown.
    withheld : list of str
        Groups left out.

    Raises
    ------
    DisclosureError
        If the counts have delayed entry: no safe form is defined for them.
    """
    exact = counts.frame
    kept, withheld = [], []
    for group in counts.groups:
        rows = exact.loc[exact["group"] == group]
        safe = _safe_group(rows, counts.event_columns, policy)
        if safe is None:
            withheld.append(group)
        else:
            kept.append(safe.assign(group=group))
    if not kept:
        return None, withheld
    frame = pd.concat(kept, ignore_index=True)
    frame = frame[[*exact.columns, *(c for c in frame.columns if str(c).startswith("end_"))]]
    return DayCounts(frame, causes=counts.causes), withheld


def _safe_group(rows: pd.DataFrame, events: tuple[str, ...], policy: Policy) -> pd.DataFrame | None:
    days = rows["time"].to_numpy(dtype=float)
    finite = np.isfinite(days)
    if rows.loc[finite, "n_entry"].any():
        msg = "curves with delayed entry cannot be shown yet: no safe form of their counts is defined"
        raise DisclosureError(msg)
    people = int(rows["n_entry"].sum())
    if people < max(policy.minimum_count, policy.minimum_subgroup) or any(
        policy.hides(int(rows[name].sum())) for name in events
    ):
        return None
    exact = rows[finite]
    ends = {name: _end(exact, name, policy) for name in events}
    ended = max(ends.values(), default=np.nan) if all(np.isfinite(e) for e in ends.values()) else np.nan
    exact = exact if np.isnan(ended) else exact[exact["time"] <= ended]
    exact, stay = _without_tails(exact, ends)
    few = int(exact["n_censor"].sum()) if np.isfinite(ended) else 0
    few = few if policy.rounded(few) < policy.block else 0  # too few to be shown leaving: as if they never came
    shown = [policy.rounded(int(exact[name].sum())) for name in events]
    size = max(policy.rounded(people - few), sum(shown))
    ends_early = np.isfinite(ended) or stay > 0
    censored = _censored(exact, size - sum(shown), policy, ended=ends_early)
    blocks = {}
    for name, public in zip([*events, "n_censor"], [*shown, censored], strict=True):
        times = np.repeat(exact["time"].to_numpy(dtype=float), exact[name].to_numpy(dtype=int))
        if public and times.size == 0:
            times = np.array([exact["time"].max()])
        if public:
            blocks[name] = _blocks(times, public, policy, ends.get(name, np.nan))
    start = pd.DataFrame({"time": [-np.inf], "n_entry": [size if ends_early else sum(shown) + censored]})
    if "w_entry" in rows:
        if not all(evenly_weighted(exact, name, own, policy) for name, own in blocks.items()):
            return None
        start = with_mass(start, rows, exact, blocks, policy)
    merged = _merged(start, blocks, events)
    kept = _truncated(merged, events, policy)
    return kept if len(kept) else None  # 11 or 12 people are published as 10: too few at risk from the start


def _merged(start: pd.DataFrame, blocks: dict[str, pd.DataFrame], events: tuple[str, ...]) -> pd.DataFrame:
    """Return one row per day, from the blocks of every flow."""
    parts, flows = [start], (*events, "n_censor")
    for name, own in blocks.items():
        weights = {f"{kind}_{name[2:]}": own[kind] for kind in MASSES if kind in own}
        parts.append(own[["time"]].assign(**{name: own["size"], f"end_{name}": own["end"]}, **weights))
    bounds = [f"end_{name}" for name in flows]
    masses = [f"{kind}_{name[2:]}" for kind in MASSES if f"{kind}_entry" in start for name in ("n_entry", *flows)]
    steps = pd.concat(parts, ignore_index=True).reindex(columns=["time", "n_entry", *flows, *masses, *bounds])
    sums = dict.fromkeys(("n_entry", *flows, *masses), "sum")
    merged = steps.groupby("time").agg({**sums, **dict.fromkeys(bounds, "max")})
    return merged.astype(dict.fromkeys(("n_entry", *flows), "int64")).reset_index()


def _without_tails(exact: pd.DataFrame, ends: dict[str, float]) -> tuple[pd.DataFrame, int]:
    """Leave out the few events of a cause that lie after its end; return also how many they are."""
    exact, stay = exact.copy(), 0
    for name, end in ends.items():
        tail = exact[name].where(exact["time"] > end, 0)
        exact[name] -= tail
        stay += int(tail.sum())
    return exact, stay


def _end(exact: pd.DataFrame, name: str, policy: Policy) -> float:
    """Return the last landmark after which too few events of a cause are left to be shown; nan where there is none.

    The last one at which enough people are followed: what is said of a later day is worth more than a finer curve.
    """
    days = exact["time"].to_numpy(dtype=float)
    leaving = exact[[c for c in exact.columns if c == "n_censor" or c.startswith("n_event")]].sum(axis=1).to_numpy()
    found = float("nan")
    for landmark in policy.landmarks:
        by_then, after = (int(exact.loc[own, name].sum()) for own in (days <= landmark, days > landmark))
        followed = int(leaving[days > landmark].sum()) >= policy.minimum_at_risk
        if policy.is_small(after) and by_then >= policy.minimum_count and (followed or np.isnan(found)):
            found = float(landmark)
    return found


def _censored(exact: pd.DataFrame, room: int, policy: Policy, *, ended: bool) -> int:
    """Return how many censorings are shown: everyone who is left, or those up to where the curve was ended."""
    if not ended:
        return 0 if room < policy.block else room
    public = policy.rounded(int(exact["n_censor"].sum()))
    return 0 if public < policy.block else min(public, room)


def _blocks(times: Floats, public: int, policy: Policy, end: float) -> pd.DataFrame:
    """Cut sorted times into blocks, each a step on its mean day; where it can be, a block ends at a landmark.

    Columns time, size (as published), end, and begin and stop: the places of those whom it stands for.
    """
    ordered = np.sort(times)
    cuts, bounds = _segments(ordered, public, policy)
    days: list[float] = []
    sizes: list[int] = []
    ends: list[float] = []
    places: list[tuple[int, int]] = []
    for (begin, stop), (after, until) in zip(pairwise(cuts), pairwise(bounds), strict=True):
        number = max(1, (stop - begin) // policy.block)
        inside = [policy.block] * (number - 1)
        inside.append(stop - begin - sum(inside))
        edges = begin + np.concatenate([[0], np.cumsum(inside)])
        exact = np.rint(edges / public * ordered.size).astype(int)
        places += pairwise(exact)
        for a, b in pairwise(exact):
            mean = ordered[a:b].mean() if b > a else ordered[min(a, ordered.size - 1)]
            days.append(float(min(max(np.rint(mean), after + 1), until)))
        sizes += inside
        ends += [*[np.nan] * (number - 1), until if stop < public else end]
    first, last = (np.array(side, dtype=float) for side in zip(*places, strict=True))
    return pd.DataFrame({"time": days, "size": sizes, "end": ends, "begin": first, "stop": last})


def _segments(ordered: Floats, public: int, policy: Policy) -> tuple[list[int], list[float]]:
    """Return public counts by each landmark that can be kept, and the days they hold for."""
    cuts, bounds = [0], [-1.0]
    smallest, before = policy.rounded(policy.minimum_count), 0
    for landmark in policy.landmarks:
        by_then = int(np.searchsorted(ordered, landmark, side="right"))
        cut = policy.rounded(int(np.rint(by_then / ordered.size * public)))
        enough = min(by_then - before, ordered.size - by_then) >= policy.minimum_count
        if enough and min(cut - cuts[-1], public - cut) >= smallest:
            cuts.append(cut)
            bounds.append(float(landmark))
            before = by_then
    return [*cuts, public], [*bounds, float(ordered[-1])]


def _truncated(steps: pd.DataFrame, events: tuple[str, ...], policy: Policy) -> pd.DataFrame:
    """End the curve where too few are at risk; whoever is left never leaves, which says that it was cut off."""
    leaving = steps[[*events, "n_censor"]].sum(axis=1)
    at_risk = steps["n_entry"].sum() - leaving.cumsum().shift(fill_value=0)
    keep = (at_risk >= policy.minimum_at_risk).to_numpy()
    kept: pd.DataFrame = steps.loc[keep].reset_index(drop=True)
    return kept


def shown_until(rows: pd.DataFrame, column: str, policy: Policy) -> float:
    """Return the last day of which a group's safe counts of one cause speak.

    Parameters
    ----------
    rows : pandas.DataFrame
        Exact counts of one group.
    column : str
        Events of one cause.
    policy : Policy

    Returns
    -------
    float
    """
    exact = rows[np.isfinite(rows["time"].to_numpy(dtype=float))]
    end = _end(exact, column, policy)
    return end if np.isfinite(end) else float(exact["time"].max())


def landmark_cuts(rows: pd.DataFrame, column: str, until: float, policy: Policy) -> list[float]:
    """Return the landmarks at which a reader of the safe counts knows how many events there were by then.

    Parameters
    ----------
    rows : pandas.DataFrame
        Exact counts of one group.
    column : str
        Events of one cause.
    until : float
        From `shown_until`.
    policy : Policy

    Returns
    -------
    list of float
    """
    exact = rows[np.isfinite(rows["time"].to_numpy(dtype=float)) & rows["time"].le(until)]
    times = np.repeat(exact["time"].to_numpy(dtype=float), exact[column].to_numpy(dtype=int))
    public = policy.rounded(times.size)
    if not public or not times.size:
        return []
    _, bounds = _segments(np.sort(times), public, policy)
    return bounds[1:-1]
