"""Small studies of eight quarters, their tables, and what is published of them: for the attacker's tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.analyses._analyses import MeanOf, ShareOf, moments, moments_of
from evalkit.counts import Tally, codes_of
from evalkit.disclosure import Policy, Safe, make_safe
from evalkit.estimates import Estimates
from evalkit.stats import kaplan_meier

QUARTERS = 8
AREAS = ("West Englewood", "Englewood", "Chicago Lawn", "South Chicago")
GENDERS = ("man", "woman", "another")


def study(seed: int, n: int = 160) -> pd.DataFrame:
    """People of one arm: quarter of referral, area, gender, step reached and when, day of disengagement."""
    rng = np.random.default_rng(seed)
    quarter = np.sort(rng.integers(0, QUARTERS, n))
    day = quarter * 91 + rng.integers(0, 91, n)
    left = rng.geometric(0.008, n)
    return pd.DataFrame(
        {
            "participant_id": [f"s{seed}p{i:04d}" for i in range(n)],
            "day": day,
            "area": rng.choice(AREAS, n, p=(0.4, 0.3, 0.2, 0.1)),
            "gender": rng.choice(GENDERS, n, p=(0.8, 0.16, 0.04)),
            "intake": day + np.where(rng.random(n) < 0.85, rng.integers(0, 30, n), 10_000),
            "engaged": np.where(rng.random(n) < 0.6, rng.integers(30, 90, n), 10_000) + day,
            "left": left,
            "sessions": rng.poisson(3, n).astype(float),
        }
    )


def _shares(people: pd.DataFrame, name: str, by: str, event: pd.Series) -> Estimates:
    rows, who = [], []
    codes = codes_of(people)
    for level in sorted(people[by].unique()):
        own = (people[by] == level).to_numpy()
        met = own & event.to_numpy()
        rows.append(("pilot", str(level), str(level), by, int(met.sum()), int(own.sum())))
        who.append({"n": codes[own], "n_event": codes[met]})
    frame = pd.DataFrame(rows, columns=["group", "term", "label", "variable", "n_event", "n"])
    return ShareOf(kind=name, estimand=f"{name} by {by}").estimate(Tally(frame, people=tuple(who)))


def tables(people: pd.DataFrame, quarter: int) -> list[Estimates]:
    """What the report of a quarter asks: cumulative shares in all, by area and by gender, and a curve."""
    cut = (quarter + 1) * 91
    known = people[people["day"] < cut].assign(all="all")
    if known.empty:
        return []
    found = []
    for by in ("all", "area", "gender"):
        found += [_shares(known, step, by, known[step] <= cut) for step in ("intake", "engaged")]
    time = np.minimum(known["left"], cut - known["day"])
    spells = known.assign(time=time, event=known["left"] <= cut - known["day"])
    found.append(_means(known.assign(group="pilot"), cut))
    return [*found, kaplan_meier(spells, "time", "event", by="all")]


def _means(known: pd.DataFrame, cut: int) -> Estimates:
    """Return mean sessions of those who were referred so many weeks ago."""
    rows = []
    for week in (4, 13, 26):
        rows += moments_of(known[known["day"] <= cut - 7 * week], ["pilot"], f"week {week}", f"Week {week}", "sessions")
    return MeanOf("sessions_by_week", "mean sessions").estimate(moments([row for row in rows if row["n"]]))


@dataclass(frozen=True)
class Published:
    """One release: the safe estimates, and the exact ones that they were made of."""

    safe: tuple[Safe, ...]
    exact: tuple[Estimates, ...]


def publish(people: pd.DataFrame, policy: Policy, quarters: int = QUARTERS) -> list[Published]:
    """Publish every quarter under a policy, one after the other."""
    found = []
    for quarter in range(quarters):
        exact = tables(people, quarter)
        found.append(Published(tuple(make_safe(e, policy) for e in exact), tuple(exact)))
    return found
