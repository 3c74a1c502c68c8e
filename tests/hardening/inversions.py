"""Inversions: from published numbers back to the counts of people that they were made of.

Written apart from the library: an outsider knows the formulas, and the rules (counts are up to 5 off, with a variance
of 2, none is below 11, and what is estimated is estimated from them). What he works out of a number is either what is
published, and says no more than that, or it is something else, and then he has it exactly.
Each attack returns what it leaves possible of counts, by group and level: `Left`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import pandas as pd
from scipy import stats

from hardening.published import Release, numbers_of

MOST, VARIANCE, LEAST = 5, 2.0, 11
PARTITIONS = ("fig-areas", "fig-sources", "tbl-dose")
"""Tables whose rows are everybody's parts."""
Z = float(stats.norm.ppf(0.975))


@dataclass(frozen=True)
class Left:
    """What an attack leaves possible of one count.

    Attributes
    ----------
    release, label, group, term, what : str
        ``what`` is x (with it) or n (of whom).
    possible : frozenset of int
    way : str
        The attack.
    """

    release: str
    label: str
    group: str
    term: str
    what: str
    possible: frozenset[int]
    way: str


def attack(releases: Sequence[Release]) -> list[Left]:
    """Run every attack on every release, and subtractions of releases that follow one another."""
    found: list[Left] = []
    for release in releases:
        for label, rows in release.tables.items():
            columns = set(rows.columns)
            if {"smd", "variance_ratio"} <= columns and label.startswith("fig"):
                found += balance(release, label)
            if {"group", "n", "estimate", "conf_low", "conf_high"} <= columns:
                found += shares(release, label)
            if label in PARTITIONS and {"group", "n", "n_event"} <= columns:
                found += parts(release, label)
            if {"std_error", "hazard_ratio", "p_value"} <= columns:
                found += hazards(release, label)
            if {"group", "n", "estimate", "std_error", "time_from"} <= columns:
                found += means(release, label)
            if {"group", "time", "estimate", "conf_high"} <= columns and label == "fig-repeated":
                found += counts(release, label)
            if {"group", "time", "n_risk", "conf_low"} <= columns and label.startswith("fig"):
                found += steps(release, label)
    for before, after in pairwise([r for r in releases if r.name.startswith("quarterly")]):
        found += later(before, after)
    return found


def behind(public: float) -> set[int]:
    """Return what a published count can be: a little off, and not small."""
    return {0} if public == 0 else {c for c in range(int(public) - MOST, int(public) + MOST + 1) if c >= LEAST}


def told(found: set[int], public: float | None) -> set[int]:
    """Return what numbers that were worked out leave possible, where they are those that are published."""
    return set().union(*(behind(c) for c in found)) if public is not None and int(public) in found else found


# -- standardised differences


def balance(release: Release, label: str) -> list[Left]:
    """Counts of both arms from standardised differences (p1 - p0)/sqrt(p1 (1 - p1)), all levels of a figure at once."""
    rows = release.tables[label]
    smd, half = numbers_of(release, label, "smd")
    keep = (rows["variance_ratio"] == "").to_numpy() & np.isfinite(smd)
    groups = _arms(release)
    if len(groups) != 2 or not keep.any():
        return []
    (one, public1), (two, public0) = groups
    many1, many0, published = behind(public1), behind(public0), (public1, public0)
    levels = [(str(rows["term"][i]), smd[i], half[i]) for i in np.flatnonzero(keep)]
    kept: dict[tuple[int, str], set[int]] = {(k, term): set() for k in (0, 1) for term, _, _ in levels}
    sizes: list[tuple[int, int]] = []
    for n1, n0 in product(sorted(many1), sorted(many0)):
        fits = [_fits(n1, n0, s, h) for _, s, h in levels]
        if all(len(f) for f in fits) and _whole(rows, keep, fits, n1, n0):
            sizes.append((n1, n0))
            for (term, _, _), own in zip(levels, fits, strict=True):
                for k in (0, 1):
                    kept[k, term] |= set(own[:, k].tolist())
    found = []
    small = any(0 < x < LEAST for values in kept.values() for x in values)  # of which nothing is published
    own = published in sizes and not small  # made of what is published: each number is still a little off
    for k, group in enumerate((one, two)):
        everybody = {n[k] for n in sizes}
        found.append(_left(release, label, group, "everybody", "n", _more(everybody, own), "differences"))
        found += [_left(release, label, group, t, "x", _more(kept[k, t], own), "differences") for t, _, _ in levels]
    return found


def _more(values: set[int], published: bool) -> set[int]:
    return set().union(*(behind(c) for c in values)) if published else values


def _arms(release: Release) -> list[tuple[str, int]]:
    """Return the arms compared and their published numbers of people, from those beside the overlap of scores."""
    rows = next((t for t in release.tables.values() if {"group", "score_from", "n"} <= set(t.columns)), None)
    if rows is None:
        return []
    named = list(dict.fromkeys(rows["group"]))
    return [(g, int(max(float(n) for n in rows.loc[rows["group"] == g, "n"] if n))) for g in named]


def _fits(n1: int, n0: int, smd: float, half: float) -> np.ndarray:
    """Return every (x1, x0) that makes a standardised difference of the focus' standard deviations."""
    x1 = np.arange(1, n1)
    p1 = x1 / n1
    spread = np.sqrt(p1 * (1 - p1))
    low, high = (n0 * (p1 - (smd + side * half) * spread) for side in (1, -1))
    first, last = np.ceil(low - 1e-9).astype(int), np.floor(high + 1e-9).astype(int)
    pairs = [(a, b) for a, f, t in zip(x1, first, last, strict=True) for b in range(max(f, 1), min(t, n0 - 1) + 1)]
    return np.array(pairs, dtype=int).reshape(-1, 2)


def _whole(rows: pd.DataFrame, keep: np.ndarray, fits: list[np.ndarray], n1: int, n0: int) -> bool:
    """Say whether the levels of each characteristic that has several can add up to everybody in both arms."""
    variable = rows["variable"].to_numpy()[keep]
    for name in set(variable):
        own = [f for f, v in zip(fits, variable, strict=True) if v == name]
        if len(own) > 1:
            for k, n in enumerate((n1, n0)):
                sums = {0}
                for f in own:
                    sums = {s + x for s in sums for x in set(f[:, k].tolist()) if s + x <= n}
                if n not in sums:
                    return False
    return True


# -- Wilson's limits, subtraction of parts


def shares(release: Release, label: str) -> list[Left]:
    """Number of people, and of those with it, from a share and Wilson's limits."""
    rows, found = release.tables[label], []
    share, half = numbers_of(release, label, "estimate")
    ends = [numbers_of(release, label, name) for name in ("conf_low", "conf_high")]
    for i, (_, row) in enumerate(rows.iterrows()):
        low, high = ends[0][0][i], ends[1][0][i]
        if (
            not (np.isfinite([share[i], low, high]).all() and row["n"])
            or low == high
            or row.get("measure") == "difference"
        ):
            continue
        able = [
            (x, n)
            for n in range(max(1, int(float(row["n"])) - 2 * MOST), int(float(row["n"])) + 2 * MOST)
            if 0 <= share[i] <= 1
            for x in {int(np.floor(share[i] * n + 0.5))}
            if abs(x / n - share[i]) <= half[i] + 1e-9
            and all(abs(a - b) <= e[1][i] + 1e-9 for a, b, e in zip(_wilson(x, n), (low, high), ends, strict=True))
        ]
        sizes, met = {n for _, n in able}, {x for x, _ in able}
        public = float(row["n"])
        if "n_event" in row:
            public_met = float(row["n_event"]) if row["n_event"] else None
        else:  # not printed here: of the published people it is the published number that goes with them
            public_met = float(min(met)) if int(public) in sizes and len(met) == 1 else None
        for what, exact in (("x", told(met, public_met)), ("n", told(sizes, public))):
            if exact:
                found.append(_left(release, label, row["group"], _term(row), what, exact, "Wilson's limits"))
    return found


def _wilson(x: int, n: int) -> tuple[float, float]:
    """Return Wilson's limits, as much wider as the noise makes them."""
    centre, reach = x + Z**2 / 2, Z * np.sqrt(x * (n - x) / n + Z**2 / 4)
    share = x / n
    wider = np.sqrt(1 + VARIANCE * (1 + share**2) / (x * (1 - share))) if 0 < x < n else 1.0
    low, high = (share + ((centre + side * reach) / (n + Z**2) - share) * wider for side in (-1, 1))
    return max(float(low), 0.0), min(float(high), 1.0)


def _term(row: pd.Series) -> str:
    return str(row.get("term", row.get("label", "")))


def parts(release: Release, label: str) -> list[Left]:
    """The one level that is not shown, from everybody less those that are."""
    rows, found = release.tables[label], []
    for group, own in rows.groupby("group", sort=False):
        hidden, shown = own[own["n_event"] == ""], own[own["n_event"] != ""]
        if len(hidden) != 1 or shown.empty or own["term"].duplicated().any():
            continue
        each = [behind(float(x)) for x in shown["n_event"]]
        whole = behind(float(shown["n"].iloc[0]))
        low, high = min(whole) - sum(map(max, each)), max(whole) - sum(map(min, each))
        if high < LEAST:
            values = set(range(max(low, 0), high + 1))
            found.append(_left(release, label, str(group), str(hidden["term"].iloc[0]), "x", values, "what is left"))
    return found


def later(before: Release, after: Release) -> list[Left]:
    """Who was added from one release to the next, from cumulative counts of the same row."""
    found = []
    for label in ("fig-areas", "fig-sources", "fig-funnel", "tbl-dose", "fig-equity", "tbl-completeness"):
        tables = [r.tables.get(label) for r in (before, after)]
        if any(t is None or "n_event" not in t for t in tables):
            continue
        old, new = (t.set_index(["group", "term"])["n_event"] for t in tables if t is not None)
        for key in old.index.intersection(new.index):
            if old[key] and new[key]:
                a, b = behind(float(old[key])), behind(float(new[key]))
                values = set(range(max(min(b) - max(a), 0), max(b) - min(a) + 1))
                name = f"{after.name} less {before.name}"
                found.append(Left(name, label, str(key[0]), str(key[1]), "x", frozenset(values), "subtraction"))
    return found


# -- standard errors, means, curves


def hazards(release: Release, label: str) -> list[Left]:
    """Events behind a coefficient, from 1/d + 1/d0 = variance; with as many digits as error, limits and p value give."""
    rows, found = release.tables[label], []
    error, half = numbers_of(release, label, "std_error")
    value, _ = numbers_of(release, label, "estimate")
    p, wide = numbers_of(release, label, "p_value")
    for i, (_, row) in enumerate(rows.iterrows()):
        low, high = error[i] - half[i], error[i] + half[i]
        if p[i] > 0 and abs(value[i]) > 0:
            other = [abs(value[i]) / stats.norm.isf(np.clip(p[i] + s * wide[i], 1e-300, 1.0) / 2) for s in (-1, 1)]
            low, high = max(low, min(other) * 0.99), min(high, max(other) * 1.01)
        fewest, most = (
            1 / max(high, 1e-9) ** 2,
            2 / max(low, 1e-9) ** 2,
        )  # of the smaller group: at most as many in the other
        values = set(range(int(np.ceil(fewest * 0.9)), int(most * 1.1) + 1))
        found.append(_left(release, label, "", _term(row), "x", values, "standard errors"))
    return found


def means(release: Release, label: str) -> list[Left]:
    """Number of people from a mean: of those that can be published so, the one with which the sum is whole."""
    rows, found = release.tables[label], []
    mean, half = numbers_of(release, label, "estimate")
    for i, (_, row) in enumerate(rows.iterrows()):
        if not row["n"] or not np.isfinite(mean[i]) or mean[i] == 0:
            continue
        many = behind(float(row["n"]))
        if 2 * (half[i] + 1e-9) * sum(many) > 0.01:  # so few digits that a whole sum would be chance
            continue
        fits = {k for k in many if abs(np.rint(mean[i] * k) / k - mean[i]) <= half[i] + 1e-9}
        found.append(_left(release, label, row["group"], _term(row), "n", fits or many, "means"))
    return found


def counts(release: Release, label: str) -> list[Left]:
    """Events behind a mean count, from limits on the logarithmic scale: 1/variance, where nobody has two."""
    rows, found = release.tables[label], []
    value, _ = numbers_of(release, label, "estimate")
    high, _ = numbers_of(release, label, "conf_high")
    for i, (_, row) in enumerate(rows.iterrows()):
        if not (np.isfinite(high[i]) and value[i] > 0):
            continue
        error, events = np.log(high[i] / value[i]) / Z, []
        for wide in (error - 0.0051, error + 0.0051) if abs(100 * error - round(100 * error)) < 0.01 else (error,):
            events += [(1 - share) / wide**2 for share in (0.0, min(value[i], 1.0))]  # of few followed, or of all
        near = set(range(int(np.ceil(min(events) - 0.1)), int(np.floor(max(events) + 0.1)) + 1))
        # of so many events less what noise usually is: those published are up to MOST off
        near = {c + by for c in near for by in range(int(np.sqrt(VARIANCE)) - MOST, int(np.sqrt(VARIANCE)) + MOST + 1)}
        found.append(_left(release, label, row["group"], _term(row), "x", near, "limits of a mean count"))
    return found


def steps(release: Release, label: str) -> list[Left]:
    """Events and people at a curve's first corner, from its fall and its log-log limits."""
    rows, found = release.tables[label], []
    named = [c for c in ("group", "cause") if c in rows]
    value, _ = numbers_of(release, label, "estimate")
    low, _ = numbers_of(release, label, "conf_low")
    high, _ = numbers_of(release, label, "conf_high")
    for key, own in rows.groupby(named, sort=False):
        at = [i for i in own.index if 0 < low[i] <= value[i] <= high[i] < 1 and low[i] < high[i]]
        if not at:
            continue
        i = at[0]
        stay, ends = (1 - value[i], (1 - high[i], 1 - low[i])) if "cause" in rows else (value[i], (low[i], high[i]))
        spread = (np.log(-np.log(ends[0])) - np.log(-np.log(ends[1]))) / (2 * Z) * abs(np.log(stay))
        people = (1 - stay) / (stay * spread**2)  # Greenwood: d/(n (n - d)), of one step
        events = people * (1 - stay)
        whole = abs(events - round(events)) < 0.004 and abs(people - round(people)) < 0.05
        public = [float(n) for n in own["n_risk"] if n]
        if whole and round(people) not in public:
            group = str(key[0] if isinstance(key, tuple) else key)
            found.append(_left(release, label, group, "first step", "n", {round(people)}, "log-log limits"))
    return found


def _left(release: Release, label: str, group: str, term: str, what: str, values: Iterable[int], way: str) -> Left:
    return Left(release.name, label, str(group), term, what, frozenset(values), way)
