"""An attacker, written apart from the library: what can be learnt of small counts from everything published.

He reads the published tables (numbers of the safe estimates), knows the rules and the table of the noise, everything but
the secret, and, more than any reader, which groups of people lie within which. He goes three ways: which sizes are possible
at all (integer programming over all releases), how likely each is (Bayes, with no prior opinion), and averaging: a small group
that is the difference of several pairs of published ones is seen through the noise of each pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations

import numpy as np
import pandas as pd
from scipy import optimize, sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from disclosure.quarters import Published
from evalkit.counts import DayCounts, Moments, TransitionCounts
from evalkit.disclosure import Policy
from evalkit.stats import StateDays, transition_counts

LEVEL = 11  # what society holds to be small, whatever a policy says
Group = frozenset[int]
LARGEST = 40  # a difference is thought of up to here


def bell_of(exact: int, policy: Policy) -> dict[int, float]:
    """Return how likely each published number of a group is: found anew, by the largest entropy, from the policy's words."""
    if policy.noise_variance == 0 or exact == 0:
        return {exact: 1.0}
    low = -min(policy.noise_most, exact - policy.minimum_count) if exact >= policy.minimum_count else -exact
    if low == 0:
        return {exact: 1.0}
    steps = np.arange(low, policy.noise_most + 1)
    variance = min(policy.noise_variance, 0.8 * -low * policy.noise_most)

    def miss(at: np.ndarray) -> float:
        mass = np.exp(at[0] * steps + at[1] * steps**2)
        mass /= mass.sum()
        return float((mass @ steps) ** 2 + (mass @ steps**2 - variance) ** 2)

    at = optimize.minimize(miss, [0.0, -0.3], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-16}).x
    mass = np.exp(at[0] * steps + at[1] * steps**2)
    return dict(zip((exact + steps).tolist(), (mass / mass.sum()).tolist(), strict=True))


class Bells:
    """How likely a published number is for each exact one, each found once."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._near: dict[int, dict[int, float]] = {}

    def likelihood(self, public: int) -> dict[int, float]:
        """Exact numbers that can be published as this one, with how likely that is of each."""
        most, least = self.policy.noise_most, self.policy.minimum_count
        able = [0] if public == 0 else [c for c in range(max(public - most, 1), public + most + 1) if c >= least]
        found = {}
        for exact in able:
            far = exact >= least + most  # from here on the bell is the same
            shape = self._near.setdefault(least + most if far else exact, {})
            if not shape:
                shape.update(bell_of(least + most if far else exact, self.policy))
            chance = shape.get(public - (exact - (least + most) if far else 0), 0.0)
            if chance > 0:
                found[exact] = chance
        return found


def observed(releases: Sequence[Published], *, same: bool = True) -> dict[Group, int]:
    """Every group of people of whom a number is published, and the number; the same group must have the same one.

    With a protection off it may have several: a number is kept below that of a larger group, and small ones meet often.
    """
    known: dict[Group, int] = {}

    def learn(who: np.ndarray, public: float) -> None:
        if len(who) and np.isfinite(public):
            group = frozenset(int(w) for w in who)
            if known.setdefault(group, round(public)) != round(public) and same:
                msg = f"a group of {len(group)} has two numbers: {known[group]} and {round(public)}"
                raise AssertionError(msg)

    for release in releases:
        for exact, safe in zip(release.exact, release.safe, strict=True):
            if isinstance(exact.counts, DayCounts):
                _read_curve(exact.counts, safe, learn)
                continue
            if isinstance(exact.counts, TransitionCounts):
                _read_states(exact.counts, safe, learn)
                continue
            shown = safe.estimates.tidy()
            if "n" not in shown:  # a model prints of how many people it is, and of how many events
                of = safe.estimates.counts
                shown = shown.iloc[:0] if of is None else of.frame[of.frame["term"] == "model"]
            numbers = shown.set_index(["group", "term"]) if len(shown) else shown
            for (_, row), who in zip(exact.counts.data.iterrows(), exact.counts.people, strict=True):
                for column in ("n",) if isinstance(exact.counts, Moments) else ("n", "n_event"):
                    if len(shown) and who:
                        learn(who[column], numbers[column].get((row["group"], row["term"]), np.nan))
    return known


def _read_curve(counts: DayCounts, safe, learn) -> None:
    """Read the events by each landmark at which one of the safe curve's blocks ends, and those at risk on each day."""
    public, people = safe.estimates.counts, counts.people
    if public is None or people is None or safe.verdict == "withheld":
        return
    if "end_n_event_1" in public.data:
        for group, own in people[people["cause"] == 1].groupby("group"):
            blocks = public.data[(public.data["group"] == group) & (public.data["n_event_1"] > 0)]
            for number, until in zip(blocks["n_event_1"].cumsum(), blocks["end_n_event_1"], strict=True):
                if np.isfinite(until):
                    learn(own.loc[own["time"] <= until, "code"].to_numpy(), number)
    else:  # without safe curves: each step's fall times the number at risk
        for group, shown in safe.estimates.tidy().groupby("group"):
            own, before = people[(people["cause"] == 1) & (people["group"] == group)], 1.0
            for _, row in shown.iterrows():
                events = round(row["n_risk"] * (1 - row["estimate"] / before)) if before else 0
                learn(own.loc[own["time"] == row["time"], "code"].to_numpy(), events)
                before = row["estimate"] if pd.notna(row["estimate"]) else before
    for group, numbers in safe.at_risk.items():
        for day in range(0, len(numbers), 30):
            own = people[(people["group"] == group) & (people["time"] >= day)]
            learn(own["code"].to_numpy(), numbers[day])


def last_states(paths: pd.DataFrame, day: float) -> pd.DataFrame:
    """Whose last known state by a day is which, and whether they are seen after it."""
    last = paths[paths["time_from"] <= day].groupby("person").tail(1)
    ended = (last["time"] <= day) & (last["to"] >= 0)
    return last.assign(now=np.where(ended, last["to"], last["state"]), seen=last["time"] > day)


def _read_states(counts: TransitionCounts, safe, learn) -> None:
    """Read, more than any reader can, the very numbers behind the probabilities, before they are made to add up.

    How many are in each state by each day of which a probability is told, and how many are observed after it.
    """
    if safe.estimates.counts is None or safe.verdict == "withheld":
        return

    def told(who: pd.DataFrame) -> None:
        codes = who["code"].to_numpy(dtype=np.uint64)
        learn(codes, safe.policy.public(len(codes), codes))

    shown = safe.estimates.data[safe.estimates.data["estimate"].notna()]
    for group, rows in shown.groupby("group"):
        own = counts.paths[counts.paths["group"] == group]
        told(own.drop_duplicates("person"))
        if "tau" in rows:  # mean days: what they tell is in `from_days`
            continue
        for day, states in rows.groupby("time")["state"]:
            now = last_states(own, day)
            told(now[now["seen"]])
            for k, state in enumerate(counts.states):
                if state in set(states):
                    told(now[now["now"] == k])
                    told(now[(now["now"] == k) & now["seen"]])


def targets(releases: Sequence[Published], known: dict[Group, int]) -> dict[Group, list[tuple[Group, Group]]]:
    """Every small group that a reader may wonder about, with the pairs of published groups whose difference it is."""
    wanted: dict[Group, list[tuple[Group, Group]]] = {}
    for release in releases:
        for exact in release.exact:
            if isinstance(exact.counts, TransitionCounts):
                for day in sorted(exact.data["time"].unique()) if "time" in exact.data else ():
                    for _, now in last_states(exact.counts.paths, day).groupby(["group", "now"]):
                        if len(now) < LEVEL:
                            wanted.setdefault(frozenset(now["code"].tolist()), [])
            elif not isinstance(exact.counts, DayCounts):
                for who in exact.counts.people:
                    for codes in who.values():
                        if 0 < len(codes) < LEVEL:
                            wanted.setdefault(frozenset(codes.tolist()), [])
    for a, b in combinations(known, 2):
        big, little = (a, b) if len(a) > len(b) else (b, a)
        if 0 < len(big) - len(little) < LEVEL and little < big:
            wanted.setdefault(big - little, []).append((big, little))
    return wanted


def printed(releases: Sequence[Published], *, same: bool = True) -> list[int]:
    """Sizes of the small groups of which a number is printed."""
    return [len(group) for group in observed(releases, same=same) if len(group) < LEVEL]


def posterior(pairs: Sequence[tuple[Group, Group]], known: dict[Group, int], bells: Bells) -> dict[int, float]:
    """How likely each size of a small group is, from all pairs whose difference it is, taken as independent."""
    total = np.ones(LARGEST)
    for big, little in pairs:
        one, two = bells.likelihood(known[big]), bells.likelihood(known[little])
        total *= [sum(p * one.get(n + size, 0.0) for n, p in two.items()) for size in range(LARGEST)]
    return {} if total.sum() == 0 else dict(enumerate((total / total.sum()).tolist()))


def recovered(releases: Sequence[Published], policy: Policy, values: int = 1, most: int | None = None) -> list[int]:
    """Sizes of the small groups of which the attacker leaves at most `values` sizes possible; with 1 he knows them.

    By integer programming over all releases at once.
    """
    known, bells = observed(releases), Bells(policy)
    wanted = list(targets(releases, known))
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
    ranges = [sorted(bells.likelihood(public)) for public in known.values()]
    low, high = np.array([r[0] for r in ranges], dtype=float), np.array([r[-1] for r in ranges], dtype=float)
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


def sureness(releases: Sequence[Published], policy: Policy) -> list[float]:
    """Of each small group that is a difference of published ones: how sure he is of its likeliest size.

    Mean days in states, where they are published of both groups, are more looks at it.
    """
    known, bells = observed(releases), Bells(policy)
    days = from_days(releases, policy)
    told = [_with(posterior(p, known, bells), days.get(s, [])) for s, p in targets(releases, known).items() if p]
    return [max(chance for size, chance in sizes.items() if size > 0) for sizes in told if sizes]


def _with(sizes: dict[int, float], looks: Sequence[np.ndarray]) -> dict[int, float]:
    total = np.array([sizes.get(size, 0.0) for size in range(LARGEST)]) * np.prod([np.ones(LARGEST), *looks], axis=0)
    return {} if total.sum() == 0 else dict(enumerate((total / total.sum()).tolist()))


@dataclass(frozen=True)
class Days:
    """Published mean days of one group up to a horizon, and what they were made of."""

    who: Group
    counts: TransitionCounts
    tau: float
    exact: pd.Series  # by state
    told: pd.Series
    error: float  # of the noise


def from_days(releases: Sequence[Published], policy: Policy, *, knowing: bool = False) -> dict[Group, list[np.ndarray]]:
    """How likely each size of a small group is, by each pair of published mean days, of the group and of all but it.

    He knows, more than any reader, what all others did, later follow-up too; of how many days people of the small group spent
    in a state he has no opinion but that all states' days add up (taken one by one, the same few days are counted as many looks:
    he was 70 % sure of one person where they were nine), but where he is `knowing`: then the noise of the two means is all
    that hides how many they are.
    """
    found: dict[Group, list[np.ndarray]] = {}
    published = [days for release in releases for days in _days_of(release, policy)]
    thought = np.random.default_rng(1)
    for a, b in permutations(published, 2):
        few = a.who - b.who
        told = (a.told + b.told).notna()
        if a.tau != b.tau or not b.who < a.who or len(few) >= LEVEL or not told.any():
            continue
        others = len(b.who)
        without = _mean_days(a.counts, a.tau, ~a.counts.paths["code"].isin(few))
        each = ((others + len(few)) * a.exact - others * without) / len(few)
        rest = b.told + without - b.exact
        spread = np.hypot(
            np.hypot(a.error, b.error), 0.2
        )  # without noise: after the last day of the grid means are read off it
        sizes = np.arange(LARGEST)[:, None, None]
        spent = each.to_numpy()[None] if knowing else a.tau * thought.dirichlet(np.ones(len(each)), 2000)
        means = (others * rest[told].to_numpy() + sizes * spent[:, told.to_numpy()]) / (others + sizes)
        off = ((a.told[told].to_numpy() - means) / spread) ** 2
        found.setdefault(few, []).append(np.exp(-off.sum(axis=2) / 2).mean(axis=1))
    return found


def _mean_days(counts: TransitionCounts, tau: float, rows: pd.Series) -> pd.Series:
    paths = counts.paths[rows].assign(to=lambda p: p["to"].map(dict(enumerate(counts.states))).fillna(""))
    stays = paths.assign(state=paths["state"].map(dict(enumerate(counts.states))), participant_id=paths["person"])
    stays = stays.drop(columns=[c for c in ("group", "code", "person") if c in stays])
    return StateDays(tau).estimate(transition_counts(stays, states=counts.states)).tidy().set_index("state")["estimate"]


def _days_of(release: Published, policy: Policy) -> Iterator[Days]:
    for exact, safe in zip(release.exact, release.safe, strict=True):
        if not isinstance(exact.counts, TransitionCounts) or "tau" not in exact.data or safe.verdict == "withheld":
            continue
        for group, rows in safe.estimates.data.groupby("group"):
            paths = exact.counts.paths[exact.counts.paths["group"] == group]
            tau = float(rows["tau"].iloc[0])
            ends = paths.groupby("person")["time"].max().to_numpy()
            grid = np.arange(0, tau)
            # one person in a state all the time, standing for those censored, gives most; a sixth is the noise's variance
            most = float((1 / np.maximum((ends[:, None] > grid).sum(axis=0), 1)).sum())
            own = exact.data[exact.data["group"] == group].set_index("state")["estimate"]
            told = rows.set_index("state")["estimate"].reindex(own.index)
            error = most / np.sqrt(6) if policy.noise_variance else 0.0
            yield Days(
                frozenset(int(c) for c in paths["code"]), replace(exact.counts, paths=paths), tau, own, told, error
            )
