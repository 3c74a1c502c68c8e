"""Coverage of the pathway's intervals in simulated stays that are not Markov; ``python -m benchmarks.pathway``.

How long a person stays in a state has a shape of its own (Weibull), depends on how often they lapsed before, and on an
unseen trait. People are referred evenly over two years and followed to its end, as in the study.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from math import gamma
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.studies import BUILD, ROOT, put, studies

from evalkit.counts import TransitionCounts
from evalkit.disclosure import Policy, make_safe
from evalkit.stats import StateDays, StateOccupation, from_landmark, state_difference, transition_counts

STATES = ("waiting", "active", "lapsed", "returned", "completed", "left")
AT, TAU, LANDMARK = (90.0, 182.0, 365.0), 365.0, 120.0
# state: shape of the stay, mean days, where to and how often
WAYS = {
    "waiting": (0.8, 45, {"active": 0.85, "left": 0.15}),
    "active": (1.4, 150, {"lapsed": 0.4, "completed": 0.4, "left": 0.2}),
    "lapsed": (0.7, 90, {"returned": 0.6, "left": 0.4}),
    "returned": (1.2, 90, {"lapsed": 0.45, "completed": 0.4, "left": 0.15}),
    "left": (1.0, 2000, {"returned": 1.0}),
}
STUDIES, SEED, N, LARGE, N_BOOT = 400, 20261, (160, 600), 200_000, 199
KEPT = BUILD / "pathway.jsonl"
COLUMNS = ("what", "estimate", "std_error", "conf_low", "conf_high")


def stays(rng: np.random.Generator, n: int, faster: float = 1.0) -> pd.DataFrame:
    """Return whole paths of people, to day 800, in whole days.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    faster : float
        How much faster people move: an arm's effect.

    Returns
    -------
    pandas.DataFrame
    """
    state, time = np.zeros(n, dtype=int), np.full(n, -1)
    lapses, trait = np.zeros(n), rng.gamma(4.0, 0.25, n)
    people, parts = np.arange(n), []
    while len(people):
        stay, to = np.empty(len(people)), np.full(len(people), -1)
        for k, name in enumerate(STATES):
            own = state == k
            if name not in WAYS:
                stay[own] = 10_000
                continue
            shape, mean, ways = WAYS[name]
            scale = mean / gamma(1 + 1 / shape) / faster / trait[people[own]] * 0.8 ** lapses[people[own]]
            stay[own] = scale * rng.weibull(shape, int(own.sum()))
            places = [STATES.index(way) for way in ways]
            to[own] = rng.choice(places, int(own.sum()), p=list(ways.values()))
        end = time + 1 + np.floor(stay).astype(int)
        parts.append(pd.DataFrame({"person": people, "time_from": time, "time": end, "state": state, "to": to}))
        lapses[people[to == STATES.index("lapsed")]] += 1
        on = (end < 800) & (to >= 0)
        people, state, time = people[on], to[on], end[on]
    rows = pd.concat(parts).sort_values(["person", "time"], kind="stable").reset_index(drop=True)
    names = np.array([*STATES, ""], dtype=object)
    return rows.assign(state=names[rows["state"]], to=names[rows["to"]])


def known(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the stays as they are known on a cut, people referred on days of their own."""
    end = rng.integers(30, 730, int(rows["person"].max()) + 1)[rows["person"]]
    rows = rows[rows["time_from"] < end].assign(end=lambda r: end[r.index])
    late = rows["time"] > rows["end"]
    names = [f"p{k}" for k in rows["person"]]
    cut = rows.assign(participant_id=names, time=rows["time"].clip(upper=rows["end"]), to=rows["to"].mask(late, ""))
    return cut.drop(columns=["end", "person"])


def answers(rows: pd.DataFrame, *, safe: Policy | None = None) -> pd.DataFrame:
    """Return every estimate of one study: what, estimate, std_error, conf_low, conf_high."""
    counts = transition_counts(rows, states=STATES)
    found = {"probability": StateOccupation(AT).estimate(counts), "days": StateDays(TAU).estimate(counts)}
    found["after a lapse"] = StateOccupation((TAU,)).estimate(from_landmark(counts, "lapsed", LANDMARK))
    if safe is not None:
        found = {f"{name}, published": make_safe(one, safe).estimates for name, one in found.items()}
    parts = []
    for name, one in found.items():
        frame = one.tidy()
        day = frame["time"] if "time" in frame else frame["tau"]
        parts.append(frame.assign(what=[f"{name}: {s}, day {d:g}" for s, d in zip(frame["state"], day, strict=True)]))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def one(seed: int, n: int, *, arms: bool = False) -> dict[str, Any]:
    """Return what one study says: as it is and as published; or the difference between two arms."""
    rng = np.random.default_rng(seed)
    rows = known(rng, stays(rng, n))
    policy = Policy(secret=seed.to_bytes(32, "little"))
    parts = [] if arms else [answers(rows), answers(rows, safe=policy)]
    if arms:
        other = known(rng, stays(rng, n, 1.3)).assign(participant_id=lambda r: "o" + r["participant_id"], arm="b")
        both = pd.concat([rows.assign(arm="a"), other], ignore_index=True)
        gap = state_difference(both, "arm", states=STATES, times=AT, tau=TAU, focus="b", n_boot=N_BOOT, seed=seed)
        frame = gap.tidy()
        keys = zip(frame["measure"], frame["state"], frame["tau"], strict=True)
        parts.append(frame.assign(what=[f"{m}: {s}, day {d:g}" for m, s, d in keys])[list(COLUMNS)])
    found = pd.concat(parts, ignore_index=True).dropna(subset=["estimate", "conf_low"])
    return {"n": n, "arms": arms, **found.round(6).to_dict(orient="list")}


def truth() -> dict[str, float]:
    """Return the true values, from very many people followed to the end."""
    rng = np.random.default_rng(SEED)
    found: dict[str, float] = {}
    arms = []
    for faster in (1.0, 1.3):
        rows = stays(rng, LARGE, faster)
        rows["participant_id"] = rows["person"]
        counts = transition_counts(rows.drop(columns="person"), states=STATES)
        said = pd.concat(
            [StateOccupation(AT).estimate(without(counts)).tidy(), StateDays(TAU).estimate(without(counts)).tidy()]
        )
        arms.append(said["estimate"].to_numpy())
        if faster == 1.0:
            late = without(from_landmark(counts, "lapsed", LANDMARK))
            after = StateOccupation((TAU,)).estimate(late).tidy()
            found |= {
                f"after a lapse{how}: {s}, day {TAU:g}": float(v)
                for s, v in zip(after["state"], after["estimate"], strict=True)
                for how in ("", ", published")
            }
    labels = [*((s, d, "probability") for d in AT for s in STATES), *((s, TAU, "days") for s in STATES)]
    for k, (state, day, kind) in enumerate(labels):
        value = float(arms[0][k])
        found[f"{kind}: {state}, day {day:g}"] = found[f"{kind}, published: {state}, day {day:g}"] = value
        found[f"{kind}_difference: {state}, day {day:g}"] = float(arms[1][k]) - value
    return found


def without(counts: TransitionCounts) -> TransitionCounts:
    """Return counts without their paths: of very many people errors would take long, and nobody asks them."""
    return dataclasses.replace(counts, paths=None)


def summary(lines: list[dict[str, Any]], true: dict[str, float]) -> pd.DataFrame:
    """Return coverage, bias and the error's size of each estimate, by size of study."""
    found = pd.concat([pd.DataFrame({k: v for k, v in one.items() if k != "key"}) for one in lines])
    found["true"] = found["what"].map(true)
    found["covered"] = found["conf_low"].le(found["true"]) & found["conf_high"].ge(found["true"])
    found["kind"] = found["what"].str.split(":").str[0]
    rows = found.groupby(["n", "arms", "what"]).agg(
        kind=("kind", "first"), samples=("covered", "size"), covered=("covered", "sum"), true=("true", "first"),
        bias=("estimate", "mean"), sd=("estimate", "std"), error=("std_error", "mean"),
    ).reset_index()  # fmt: skip
    return rows.assign(bias=rows["bias"] - rows["true"])


def together(rows: pd.DataFrame, studies_of: dict[tuple[int, bool], int]) -> list[dict[str, Any]]:
    """Return intervals of one kind and size of study together, of what nearly every study can show.

    Shares near none or all are left out: few people of a study are in such a state.
    """
    made_of = pd.Series([studies_of[n, arms] for n, arms in zip(rows["n"], rows["arms"], strict=True)], rows.index)
    usual = rows[rows["samples"] > 0.9 * made_of]
    shares = usual["kind"].str.startswith("probability")
    usual = usual[~shares | usual["true"].abs().between(0.03, 0.97)]
    made = []
    for (n, arms, kind), own in usual.groupby(["n", "arms", "kind"]):
        each = own["covered"] / own["samples"]
        made.append(
            {"what": str(kind), "people": int(n), "studies": studies_of[int(n), bool(arms)],
             "n": int(own["samples"].sum()), "covered": int(own["covered"].sum()),
             "least": round(float(each.min()), 4), "most": round(float(each.max()), 4)}
        )  # fmt: skip
    return made


def beside_earlier(intervals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return intervals with those of kinds and sizes that were measured earlier, and not now, in their places."""
    earlier = json.loads((ROOT / "benchmarks" / "validation.json").read_text(encoding="utf-8"))["pathway"]["intervals"]
    now = {(one["what"], one["people"]): one for one in intervals}
    kept = [now.pop((one["what"], one["people"]), one) for one in earlier]
    return [*kept, *now.values()]


def main() -> None:
    """Make the studies that are missing, and put what all of them say onto the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pathway", description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES, help="of each size")
    parser.add_argument("--arms", type=int, default=STUDIES, help="of each size, of two arms and their difference")
    parser.add_argument("--people", type=int, nargs="+", choices=N, default=N, help="sizes; what others said stays")
    asked = parser.parse_args()
    keys = [f"{n}-{k}" for k in range(asked.studies) for n in asked.people] + [
        f"{n}-{k}-arms" for k in range(asked.arms) for n in asked.people
    ]

    def study(key: str) -> dict[str, Any]:
        n, k = (int(part) for part in key.split("-")[:2])
        return one(SEED + 10_000 * N.index(n) + k, n, arms=key.endswith("arms"))

    lines = studies(KEPT, keys, study)
    rows = summary(lines, truth())
    print(rows.round(4).to_string(index=False))
    sizes = {(n, arms): sum((one["n"], one["arms"]) == (n, arms) for one in lines) for n in N for arms in (False, True)}
    print(put("pathway", {"intervals": beside_earlier(together(rows, sizes))}))


if __name__ == "__main__":
    main()
