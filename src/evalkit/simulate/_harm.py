"""Harm: for each person a Poisson process whose cumulative intensity is ``level * (t / 365) ** shape``.

Given covariates and trait the number of events up to a day is Poisson, so the truth needs no events: risk is
``1 - exp(-intensity)`` averaged over people.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from evalkit.simulate._people import NEVER, Floats, Ints, People, Scenario

KINDS = {"dv_arrest": 1.0, "any_arrest": 0.9, "order_violation": 0.35, "survivor_reported_harm": 1.3}
"""Kinds of outcome and how often they happen, relative to domestic-violence arrests.

``any_arrest`` here is arrests for other reasons; a domestic-violence arrest is written as both.
"""

REPORTED = ("dv_arrest", "order_violation", "survivor_reported_harm")
"""What ``harm.kinds`` of ``params/study.yaml`` names; the truth called ``harm`` is of these."""


def processes(kinds: Iterable[str]) -> list[str]:
    """Return which of the `KINDS` are events of some kinds of outcome; an arrest for domestic violence is an arrest.

    >>> processes(["any_arrest"])
    ['dv_arrest', 'any_arrest']
    """
    named = set(kinds)
    return sorted(named | ({"dv_arrest"} if "any_arrest" in named else set()), key=list(KINDS).index)


def together(drawn: dict[str, tuple[Ints, Ints]], kinds: Iterable[str]) -> tuple[Ints, Ints]:
    """Return people and days of every event of some kinds of outcome, of what `draw_harm` drew."""
    who, day = zip(*(drawn[kind] for kind in processes(kinds)), strict=True)
    return np.concatenate(who), np.concatenate(day)


def relative_rate(kinds: Iterable[str]) -> float:
    """Return how often an outcome of any of some `KINDS` happens, relative to domestic-violence arrests.

    >>> relative_rate(["dv_arrest"]), relative_rate(["any_arrest", "dv_arrest"])
    (1.0, 1.9)
    """
    # given the person the processes are independent, so that rates add up
    return sum(KINDS[k] for k in processes(kinds))


def harm_level(scenario: Scenario, people: People) -> Floats:
    """Return each person's mean number of domestic-violence arrests in the year after intake (n,)."""
    sites = np.resize(np.array(scenario.site_effects), 4) / 2
    log_rate = (
        scenario.harm_effect * people.focus
        + 0.25 * (people.prior - 1)
        + 0.35 * people.alcohol
        - 0.03 * (people.age - 32)
        - 0.25 * people.employed
        - 0.30 * (people.gender == 1)
        + sites[people.area]
        + scenario.frailty_harm * people.trait
    )
    level: Floats = scenario.harm_365 * np.exp(log_rate)
    return level


def draw_harm(
    rng: np.random.Generator, scenario: Scenario, people: People, intake: Ints, end: Ints
) -> dict[str, tuple[Ints, Ints]]:
    """Draw outcomes from the intake, else the referral, up to the last day of observation: by kind people and days."""
    level = harm_level(scenario, people)
    origin = np.where(intake < NEVER, intake, people.referral)
    span = np.maximum(end - origin, 0)
    before = origin - people.referral
    found = {}
    for kind, ratio in KINDS.items():
        who = np.repeat(np.arange(people.n), rng.poisson(ratio * level * (span / 365) ** scenario.harm_shape))
        # given how many, times of a Poisson process are drawn independently, by the inverse of its intensity
        when = np.ceil(span[who] * rng.random(who.size) ** (1 / scenario.harm_shape)).astype(np.int64)
        # some before the intake: no events of the harm scale, and a cohort has to leave them out
        early = np.repeat(np.arange(people.n), rng.poisson(3 * ratio * level * (before + 1) / 365))
        soon = people.referral[early] + np.floor(rng.random(early.size) * (before[early] + 1)).astype(np.int64)
        # an outcome on the day of the origin would be none
        day = np.concatenate([origin[who] + np.maximum(when, 1), soon])
        person = np.concatenate([who, early])
        kept = day <= end[person]
        found[kind] = (person[kept], day[kept])
    return found
