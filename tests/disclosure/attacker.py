"""An attacker, written apart from the library: what can be learnt of small counts from everything published.

He reads the published tables (numbers of the safe estimates), knows the rules (minimum, rounding base) and, more than
any reader, which groups of people lie within which. Nothing here uses the library's own search.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from disclosure.quarters import Published
from evalkit.counts import DayCounts, Moments
from evalkit.disclosure import Policy

LEVEL = Policy().minimum_count  # what society holds to be small, whatever a policy says


def readings(releases: Sequence[Published], policy: Policy) -> dict[frozenset[int], tuple[int, int]]:
    """Set of people: the smallest and largest size it can have, read off each published number alone."""
    known: dict[frozenset[int], tuple[int, int]] = {}

    def learn(who: np.ndarray, low: int, high: int) -> None:
        if not len(who):
            return
        key = frozenset(int(w) for w in who)
        old = known.get(key, (0, 10**6))
        known[key] = (max(low, old[0]), min(high, old[1]))

    for release in releases:
        for exact, safe in zip(release.exact, release.safe, strict=True):
            if isinstance(exact.counts, DayCounts):
                _read_curve(exact.counts, safe.estimates.tidy(), learn, policy)
                _read_landmarks(exact.counts, safe.estimates.counts, learn, policy)
                continue
            if isinstance(exact.counts, Moments):
                _read_means(exact.counts, safe.estimates.tidy(), learn, policy)
                continue
            rows = exact.counts.data
            shown = safe.estimates.tidy().set_index("term")
            for (_, row), who in zip(rows.iterrows(), exact.counts.people, strict=True):
                number = shown["n"].get(row["term"], np.nan) if len(shown) else np.nan
                if pd.notna(number):
                    for column in ("n", "n_event"):
                        learn(who[column], *_possible(int(shown.loc[row["term"], column]), policy))
    return known


def _possible(public: int, policy: Policy) -> tuple[int, int]:
    base, least = policy.rounding_base, policy.minimum_count
    can = [c for c in range(public + base) if (c + base // 2) // base * base == public and (c == 0 or c >= least)]
    return can[0], can[-1]


def _read_curve(counts: DayCounts, shown: pd.DataFrame, learn, policy: Policy) -> None:
    """Back-calculate events from a published curve: every step's fall times the number at risk."""
    if shown.empty or counts.people is None:
        return
    people = counts.people
    before = 1.0
    for _, row in shown.iterrows():
        events = round(row["n_risk"] * (1 - row["estimate"] / before)) if before else 0
        if 0 < events < Policy().rounded(LEVEL):  # a step of few events: they left on that very day
            day = people[(people["cause"] == 1) & (people["time"] == row["time"])]
            learn(day["code"].to_numpy(), events, events)
        before = row["estimate"] if pd.notna(row["estimate"]) else before


def _read_landmarks(counts: DayCounts, public: DayCounts | None, learn, policy: Policy) -> None:
    """Add the events of a curve up to each landmark at which one of its blocks ends; he is told which do."""
    if public is None or counts.people is None or "end_n_event_1" not in public.data:
        return
    blocks, people = public.data[public.data["n_event_1"] > 0], counts.people
    total = int(blocks["n_event_1"].sum())
    for day, until in zip(blocks["n_event_1"].cumsum(), blocks["end_n_event_1"], strict=True):
        if np.isfinite(until) and total:
            by_then = people[(people["cause"] == 1) & (people["time"] <= until)]
            least, most = _possible(total, policy)
            half = (policy.rounding_base + 1) / 2
            low, high = np.floor((day - half) * least / total), np.ceil((day + half) * most / total)
            learn(by_then["code"].to_numpy(), max(0, int(low)), int(high))


def _read_means(counts: Moments, shown: pd.DataFrame, learn, policy: Policy) -> None:
    """Find the numbers of people (of those that are rounded alike) with which some whole sum gives a published mean."""
    told = shown.set_index("term") if len(shown) else shown
    for (_, row), who in zip(counts.data.iterrows(), counts.people, strict=True):
        mean, n = (told[c].get(row["term"], np.nan) if len(shown) else np.nan for c in ("estimate", "n"))
        if pd.isna(mean) or pd.isna(n) or not n:
            continue
        first, last = _possible(int(n), policy)
        able = range(first, last + 1)
        fits = [k for k in able if _has_sum(float(mean), int(n), k, policy.rounding_base)]
        fits = fits or [k for k in able if abs(round(mean * k) / k - mean) < 5e-7 * max(1.0, mean)]  # six digits of it
        if fits:
            learn(who["n"], fits[0], fits[-1])


def _has_sum(mean: float, public: int, people: int, base: int) -> bool:
    """Say whether so many people can have a whole sum that is published as this mean."""
    return any(
        abs(np.floor(total * public / people / base + 0.5) * base / public - mean) < 1e-6
        for total in range(max(0, int(mean * people) - 2 * base), int(mean * people) + 2 * base + 2)
    )


def targets(releases: Sequence[Published]) -> list[frozenset[int]]:
    """Every small group that a reader may wonder about: cells, and differences of cells that lie in one another."""
    sets: dict[frozenset[int], None] = {}
    for release in releases:
        for exact in release.exact:
            if isinstance(exact.counts, DayCounts):
                for _, own in exact.counts.people.groupby(["time", "cause"]):
                    if own["cause"].iloc[0] == 1:
                        sets.setdefault(frozenset(own["code"].astype(int)))
                continue
            for who in exact.counts.people:
                sets.setdefault(frozenset(who["n"].tolist()))
                if isinstance(exact.counts, Moments):
                    continue
                sets.setdefault(frozenset(who["n_event"].tolist()))
    wanted = {s: None for s in sets if 0 < len(s) < LEVEL}
    large = [s for s in sets if len(s) >= LEVEL]
    for a, b in combinations(large, 2):
        big, little = (a, b) if len(a) > len(b) else (b, a)
        if 0 < len(big) - len(little) < LEVEL and little < big:
            wanted.setdefault(big - little)
    return list(wanted)


def printed(releases: Sequence[Published], policy: Policy) -> list[int]:
    """Sizes of the small groups for which a number is printed that says that they are small, and not empty."""
    return [len(s) for s, (low, high) in readings(releases, policy).items() if low >= 1 and high < LEVEL and s]


def recovered(releases: Sequence[Published], policy: Policy, values: int = 1, most: int | None = None) -> list[int]:
    """Sizes of the small groups of which the attacker leaves at most `values` sizes possible; with 1 he knows them.

    By integer programming over all releases at once.
    """
    known = readings(releases, policy)
    wanted = targets(releases)
    if most is not None and len(wanted) > most:
        pick = np.random.default_rng(1).choice(len(wanted), most, replace=False)
        wanted = [wanted[i] for i in pick]
    people = sorted({p for s in [*known, *wanted] for p in s})
    place = {p: i for i, p in enumerate(people)}
    member = np.zeros((len(people), len(known) + len(wanted)), dtype=bool)
    for j, s in enumerate([*known, *wanted]):
        member[[place[p] for p in s], j] = True
    atoms = np.unique(member, axis=0)
    cells, aims = atoms[:, : len(known)].T, atoms[:, len(known) :].T
    low = np.array([k[0] for k in known.values()], dtype=float)
    high = np.array([k[1] for k in known.values()], dtype=float)
    return [len(s) for aim, s in zip(aims, wanted, strict=True) if _width(cells, low, high, aim) < values]


def _width(cells: np.ndarray, low: np.ndarray, high: np.ndarray, aim: np.ndarray) -> float:
    """Largest less smallest size: first over fractions (never narrower), over whole people where that is undecided."""
    matrix = sparse.csr_matrix(cells.astype(float))
    wide = np.inf
    for whole in (False, True):
        ends = []
        for sign in (1, -1):
            done = milp(
                -sign * aim.astype(float),
                constraints=LinearConstraint(matrix, low, high),
                bounds=Bounds(0, 10**4),
                integrality=np.full(len(aim), int(whole)),
                options={"node_limit": 300},
            )
            if done.x is None:
                return wide  # no whole world found among so many: the fractions' range stands
            ends.append(float(aim @ done.x))
        wide = np.floor(ends[0] + 1e-6) - np.ceil(ends[1] - 1e-6)
        if wide < 1 or (not whole and wide > 3):
            return wide
    return wide
