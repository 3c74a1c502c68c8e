"""Safe counts by day: how many had the event, and how many are at risk, at fixed days, each with its noise.

At each landmark of the policy the people who had the event by then are a group like any other: their published number
is that of every table that counts them. The same holds of those at risk on a day. Between two landmarks events lie in
blocks of at least the policy's minimum, each on its mean day; where fewer than the minimum lie between two landmarks,
nothing is said of their days, and they are spread evenly. The rest of the people (censored) is what is left.

Of weighted counts each block carries the mean weight of the people whom it stands for: a mean over at least the
policy's minimum of people, so what one person weighs cannot be read off it. Where a few people make up most of a
block's weight there is no safe form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.counts import DayCounts
from evalkit.disclosure._policy import MODULUS, Policy
from evalkit.errors import DisclosureError

__all__ = ["MASSES", "AtRisk", "groups_of", "quotable_days", "risk_at", "safe_day_counts", "told_on"]


Floats = NDArray[np.float64]
AtRisk = Mapping[str, Floats]
MASSES = ("w", "w2")
"""Sums of weights, and of their squares (for robust variances)."""
_RISK_STEPS = (30, 91, 365)  # where axes have their days


@dataclass(frozen=True, eq=False)
class Group:
    """One group's exact counts, and who they are: what numbers of people are asked of."""

    name: str
    rows: pd.DataFrame
    who: pd.DataFrame | None
    policy: Policy
    asked: str

    @property
    def days(self) -> Floats:
        """Days of the exact counts, the origin left out."""
        return self._times[np.isfinite(self._times)]

    @cached_property
    def people(self) -> int:
        """How many they are."""
        return int(self.rows["n_entry"].sum())

    def by(self, column: str, day: float = np.inf) -> int:
        """Return how many left so by a day."""
        return int(self._gone[column][np.searchsorted(self._times, day, side="right")])

    def at_risk(self, day: float) -> int:
        """Return how many are at risk on a day: those who had not left before."""
        place = np.searchsorted(self._times, day, side="left")
        return self.people - sum(int(gone[place]) for gone in self._gone.values())

    def tells_all(self) -> bool:
        """Whether the number of all may be told."""
        return self.policy.tells(self.people, self._keys_until(None, np.inf))

    def tells_events(self, column: str, cause: int, day: float) -> bool:
        """Whether the number of those who had the event by a day may be told."""
        return self.policy.tells(self.by(column, day), self._keys_until(cause, day))

    def tells_risk(self, day: float) -> bool:
        """Whether the number of those at risk on a day may be told: what a reader misses least."""
        return self.policy.tells(self.at_risk(day), self._risk_key(day), spare=True)

    def gives(self, column: str, cause: int, day: float) -> bool:
        """Whether the share with an event by a day may be given."""
        had = self.by(column, day)
        if not self.policy.gives(had, min(self.people - had, self.at_risk(day))):
            return False
        return day not in self.policy.landmarks or self.tells_events(column, cause, day)

    def is_shown(self, events: tuple[str, ...]) -> bool:
        """Whether anything may be shown: enough people, of each event none or enough, and their numbers may be told."""
        few = self.people < max(self.policy.minimum_count, self.policy.minimum_subgroup)
        if few or any(self.policy.hides(self.by(name)) for name in events):
            return False
        return self.tells_all() and all(self.tells_events(name, k, np.inf) for k, name in enumerate(events, start=1))

    def everybody(self) -> int:
        """Return the published number of all."""
        return self._public(self.people, self._keys_until(None, np.inf), "people")

    def events(self, column: str, cause: int, day: float) -> int:
        """Return the published number of those who had the event by a day."""
        had = self.by(column, day)
        return self._public(had, self._keys_until(cause, day), f"{column} by {had}")

    def risk(self, day: float) -> int:
        """Return the published number of those at risk on a day."""
        return self._public(self.at_risk(day), self._risk_key(day), "at risk")

    def risks(self) -> Floats:
        """Return the same for the days of which it is told; nan on others, and where too few are at risk."""
        # Both: a board may let curves run on below the minimum, but a number of people is still a count.
        least = max(self.policy.minimum_at_risk, self.policy.minimum_count)
        numbers: Floats = np.full(max(self.policy.landmarks, default=0) + 1, np.nan)
        for day in _risk_days(self.policy):
            # Nobody comes under observation later (delayed entry is refused), so no later day has more.
            if self.at_risk(day) < least:
                break
            if self.tells_risk(day):
                numbers[day] = self.risk(day)
        return numbers

    def _risk_key(self, day: float) -> int | None:
        """Return the key of those at risk on a day: that of all, less those of whoever left before."""
        # Sums of keys subtract as sets do: whoever is at risk need not be listed for every day.
        everybody, before = self._keys_until(None, np.inf), self._keys_until(None, day, "left")
        return None if everybody is None or before is None else (everybody - before) % MODULUS

    def _public(self, exact: int, key: int | None, what: str) -> int:
        return self.policy.public_of_key(exact, key, f"{self.asked}|{self.name}|{what}")

    @cached_property
    def _times(self) -> Floats:
        return np.asarray(self.rows["time"].to_numpy(dtype=np.float64))

    @cached_property
    def _gone(self) -> dict[str, NDArray[np.int64]]:
        """How many left in each way before each row's day and at the end; rows are in order of days."""
        leaving = [c for c in self.rows.columns if c == "n_censor" or str(c).startswith("n_event")]
        return {c: np.concatenate([[0], np.cumsum(self.rows[c].to_numpy(dtype=np.int64))]) for c in leaving}

    @cached_property
    def _keys(self) -> dict[int | None, tuple[Floats, NDArray[np.uint64]]]:
        """Days on which people left, by cause and in all, and the sums of their keys before each and at the end."""
        if self.who is None:
            return {}
        times, causes = self.who["time"].to_numpy(dtype=np.float64), self.who["cause"].to_numpy()
        keys, order = self.policy.noise.keys(self.who["code"].to_numpy()), np.argsort(times, kind="stable")

        def sums(chosen: NDArray[np.int64]) -> tuple[Floats, NDArray[np.uint64]]:
            added = np.cumsum(keys[chosen], dtype=np.uint64)  # modulo 2**64
            return times[chosen], np.concatenate([np.zeros(1, dtype=np.uint64), added])

        found: dict[int | None, tuple[Floats, NDArray[np.uint64]]] = {None: sums(order)}
        found.update({int(cause): sums(order[causes[order] == cause]) for cause in np.unique(causes)})
        return found

    def _keys_until(self, cause: int | None, day: float, side: Literal["left", "right"] = "right") -> int | None:
        """Return the key of those who left by a day; None where it is not known who they are."""
        if self.who is None:
            return None
        times, sums = self._keys.get(cause, (np.zeros(0), np.zeros(1, dtype=np.uint64)))
        return int(sums[np.searchsorted(times, day, side=side)])


def _risk_days(policy: Policy) -> list[int]:
    """Return the days of which the number at risk is told: not every day, as each tells of who left since the last."""
    until = range(max(policy.landmarks, default=0) + 1)
    return [day for day in until if day in policy.landmarks or any(day % step == 0 for step in _RISK_STEPS)]


def groups_of(counts: DayCounts, policy: Policy, asked: str) -> list[Group]:
    """Return the groups; what is asked decides the noise where it is not known who they are."""
    rows, who = counts.data, counts.people
    return [
        Group(g, rows[rows["group"] == g], None if who is None else who[who["group"] == g], policy, asked)
        for g in counts.groups
    ]


def safe_day_counts(counts: DayCounts, policy: Policy, asked: str = "") -> tuple[DayCounts | None, list[str]]:
    """Make counts by day safe (None where no group may be shown), and name the groups left out.

    Of weighted counts each block carries the mean weight of those whom it stands for.
    `asked` decides the noise where it is not known who they are. Refuses delayed entry (DisclosureError).
    """
    kept, withheld = [], []
    for group in groups_of(counts, policy, asked):
        safe = _safe_group(group, counts.event_columns)
        if safe is None:
            withheld.append(group.name)
        else:
            kept.append(safe.assign(group=group.name))
    if not kept:
        return None, withheld
    frame = pd.concat(kept, ignore_index=True)
    frame = frame[[*counts.data.columns, *(c for c in frame.columns if str(c).startswith("end_"))]]
    return DayCounts(frame, causes=counts.causes), withheld


def _safe_group(group: Group, events: tuple[str, ...]) -> pd.DataFrame | None:
    policy, rows = group.policy, group.rows
    exact = rows[np.isfinite(rows["time"].to_numpy(dtype=float))]
    if exact["n_entry"].any():
        msg = "curves with delayed entry cannot be shown yet: no safe form of their counts is defined"
        raise DisclosureError(msg)
    if not group.is_shown(events):
        return None
    named = list(enumerate(events, start=1))
    everybody = group.everybody()
    totals = _within(everybody, [group.events(name, cause, np.inf) for cause, name in named])
    known = {name: _known_events(group, name, cause, total) for (cause, name), total in zip(named, totals, strict=True)}
    known["n_censor"] = _known_censored(group, known, everybody)
    blocks = {name: _blocks(exact, name, at, policy) for name, at in known.items() if list(at.values())[-1]}
    start = pd.DataFrame({"time": [-np.inf], "n_entry": [everybody]})
    if "w_entry" in rows:
        if not all(_evenly_weighted(exact, name, own, policy) for name, own in blocks.items()):
            return None
        start = _with_mass(start, rows, exact, blocks, policy)
    kept = _truncated(_merged(start, blocks, events), events, policy)
    return kept if len(kept) else None


def _within(everybody: int, totals: list[int]) -> list[int]:
    """Return numbers with the event that are not more than everybody: where all had one, noise can make them so."""
    while sum(totals) > everybody:
        totals[int(np.argmax(totals))] -= 1
    return totals


def _known_events(group: Group, column: str, cause: int, total: int) -> dict[float, int]:
    """Return the published number with the event by each landmark at which it is not small, and in the end."""
    last, known, before = float(group.days.max()), dict[float, int](), 0
    for landmark in (float(day) for day in group.policy.landmarks if day < last):
        by_then = group.by(column, landmark)
        # Not known at this landmark, and so the people of both intervals lie in blocks together.
        if group.policy.is_small(by_then) or not group.tells_events(column, cause, landmark):
            continue
        # Never falling and never above the total: each number has a noise of its
        # own, and blocks cannot have fewer than nobody.
        before = known[landmark] = min(max(before, group.events(column, cause, landmark)), total)
    return {**known, last: total}


def _known_censored(group: Group, known: Mapping[str, Mapping[float, int]], everybody: int) -> dict[float, int]:
    """Return how many are left out by each landmark: everybody less those at risk and those with an event."""
    last, found, before = float(group.days.max()), dict[float, int](), 0
    left = everybody - sum(list(at.values())[-1] for at in known.values())
    if group.by("n_censor") == 0:  # the rest is noise: nobody was censored
        return {last: 0}
    for landmark in (float(day) for day in group.policy.landmarks if day < last):
        if group.at_risk(landmark) < group.policy.minimum_at_risk:
            break
        if not group.tells_risk(landmark):
            continue
        gone = sum(_by(at, landmark) for at in known.values())
        before = found[landmark] = min(max(before, everybody - group.risk(landmark) - gone), left)
    return {**found, last: left}


def _by(at: Mapping[float, int], day: float) -> int:
    """Read a published number at a landmark; between those at which it is known, as a straight line."""
    days = [0.0, *at]
    return round(float(np.interp(day, days, [0, *at.values()])))


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


def _blocks(exact: pd.DataFrame, name: str, at: Mapping[float, int], policy: Policy) -> pd.DataFrame:
    """Lay the published numbers between landmarks into blocks, each a step on its mean day.

    Columns time, size (as published), end, and begin and stop: the places of those whom it stands for.
    """
    ordered = np.sort(np.repeat(exact["time"].to_numpy(dtype=float), exact[name].to_numpy(dtype=int)))
    found: list[tuple[float, int, float, int, int]] = []
    for (after, before), (until, public) in pairwise([(-1.0, 0), *at.items()]):
        begin, stop = (int(np.searchsorted(ordered, day, side="right")) for day in (after, until))
        size, people = public - before, stop - begin
        if size <= 0:
            continue
        if people < policy.minimum_count:  # of whom no day may be told: evenly, with the weight of all who left so
            found.append((max(np.rint((max(after, 0) + until) / 2), after + 1), size, until, 0, ordered.size))
            continue
        # By the smaller one, so that neither the exact nor the published size of a block is below the minimum.
        number = max(1, min(size, people) // policy.minimum_count)
        edges = np.rint(np.linspace(0, people, number + 1)).astype(int) + begin
        sizes = np.diff(np.rint(np.linspace(0, size, number + 1)).astype(int))
        for k, (a, b) in enumerate(pairwise(edges.tolist())):
            # The mean day keeps the area under the curve, and so restricted means, where they were (ADR 3).
            day = min(max(float(np.rint(ordered[a:b].mean())), after + 1), until)
            found.append((day, int(sizes[k]), until if k == number - 1 else np.nan, a, b))
    return pd.DataFrame(found, columns=["time", "size", "end", "begin", "stop"])


def _between(exact: pd.DataFrame, name: str, kind: str, blocks: pd.DataFrame) -> Floats:
    """Return the weight (w, w2) of those whom each block of a flow stands for; of one day all weigh the same."""
    numbers = np.concatenate([[0.0], exact[name].cumsum().to_numpy(dtype=float)])
    weights = np.concatenate([[0.0], exact[f"{kind}_{name[2:]}"].cumsum().to_numpy(dtype=float)])
    stop, begin = (np.interp(blocks[side], numbers, weights) for side in ("stop", "begin"))
    return np.asarray(stop - begin, dtype=np.float64)


def _evenly_weighted(exact: pd.DataFrame, name: str, blocks: pd.DataFrame, policy: Policy) -> bool:
    """Say whether in no block one person can weigh more than the policy's share of all its weight.

    The largest weight is at most the root of the sum of squares, so that nobody's own weight has to be known.
    """
    largest = np.sqrt(_between(exact, name, "w2", blocks))
    return bool((largest <= policy.dominance * _between(exact, name, "w", blocks) + 1e-12).all())


def _cut(mean: Floats) -> Floats:
    """Keep three digits of mean weights: with all of them a curve would say more than its counts do."""
    return np.array([float(f"{value:.2e}") for value in mean], dtype=np.float64)


def _with_mass(
    start: pd.DataFrame, rows: pd.DataFrame, exact: pd.DataFrame, blocks: Mapping[str, pd.DataFrame], policy: Policy
) -> pd.DataFrame:
    """Give each block (``w``, ``w2`` are added) the mean weight of its people, times its published size.

    Return `start` with the weight of everybody: of the blocks, and for those who never leave the mean weight of all
    others; of everybody, where these are fewer than the policy's minimum.
    """
    start, people = start.copy(), float(rows["n_entry"].sum())
    left = float(start["n_entry"].iloc[0]) - sum(int(own["size"].sum()) for own in blocks.values())
    others = people - sum(float(exact[name].sum()) for name in blocks)
    for kind in MASSES:
        every = float(rows[f"{kind}_entry"].sum())
        gone = 0.0
        for name, own in blocks.items():
            weight, number = _between(exact, name, kind, own), own["stop"] - own["begin"]
            mean = np.divide(weight, number, out=np.full(len(own), every / people), where=number.to_numpy() > 0)
            own[kind] = _cut(mean) * own["size"]
            gone += float(weight.sum())
        mean_left = (every - gone) / others if others >= policy.minimum_count else every / people
        # Noise can make the blocks together larger than everybody.
        stay = max(left, 0.0) * float(_cut(np.array([mean_left]))[0])
        start[f"{kind}_entry"] = sum(float(own[kind].sum()) for own in blocks.values()) + stay
    return start


def _truncated(steps: pd.DataFrame, events: tuple[str, ...], policy: Policy) -> pd.DataFrame:
    """End the curve where too few are at risk; whoever is left never leaves, which says that it was cut off."""
    leaving = steps[[*events, "n_censor"]].sum(axis=1)
    at_risk = steps["n_entry"].sum() - leaving.cumsum().shift(fill_value=0)
    kept: pd.DataFrame = steps.loc[(at_risk >= policy.minimum_at_risk).to_numpy()]
    return kept


def risk_at(counts: DayCounts, policy: Policy, asked: str, shown: tuple[str, ...]) -> AtRisk:
    """Return by group the published numbers at risk on day 0, 1 ...; nan where nothing is told or too few are."""
    return {group.name: group.risks() for group in groups_of(counts, policy, asked) if group.name in shown}


def quotable_days(counts: DayCounts, policy: Policy, shown: tuple[str, ...]) -> frozenset[tuple[str, str, float]]:
    """Return group, cause, landmark where curves are quoted: enough had the event, are left without it, are at risk.

    Not that nobody had the event: a curve without events has no limits, and "0 % (0 to 0)" would be clearly lower.
    """
    found = set()
    for group in (one for one in groups_of(counts, policy, "") if one.name in shown):
        for k, (column, cause) in enumerate(zip(counts.event_columns, counts.causes, strict=True), start=1):
            found |= {(group.name, cause, float(day)) for day in policy.landmarks if group.gives(column, k, day)}
    return frozenset(found)


def told_on(counts: DayCounts, policy: Policy, day: float | None, cause: str = "") -> frozenset[str]:
    """Return the groups whose share with an event (no cause: the first) by a day (None: any landmark) may be told."""
    days, events = policy.landmarks if day is None else (day,), counts.event_columns
    place = counts.causes.index(cause) if cause in counts.causes else 0
    return frozenset(
        group.name
        for group in groups_of(counts, policy, "")
        if group.is_shown(events) and any(group.gives(events[place], place + 1, float(one)) for one in days)
    )
