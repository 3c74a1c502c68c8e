"""Scenarios and the people drawn from them: every number of the model, and what happens before the first session.

Sizes follow ``params/baselines.yaml`` where a published figure exists:

- *Completion.* ``quit_early``, ``quit_late`` and ``attend`` are set so that 60 to 65 % of PAIP starters
  complete within 270 days: between the conventional 50 % and Cook County's 73.4 % (Bennett et al. 2005),
  whose denominator, men assessed under court order, is narrower.
- *Dose.* The same numbers give a mean near Daly, Power and Gondolf's (2001) 11.3 of 20 sessions once
  people who are referred and never start are counted.
- *Harm.* Published re-arrest at 3.4 years is 15 % of completers and 37 % of leavers; with 60 % completing
  that is 24 %, where ``harm_365`` puts PAIP participants. The ``frailty_*`` numbers (one unseen trait
  drives leaving and harm) make completers fare better than leavers, as published, although completing
  itself does nothing here: the comparison the study's definitions warn of.

The other sizes (covariates, delays, entry lags) have no published source and are plausible guesses.

A person has an arm, covariates, the unseen trait, a referral. Each covariate of the pilot is an exponential tilt of
PAIP's (age: a discrete normal, yes/no: a log odds shift, earlier arrests: a Poisson rate), all independent. So the
propensity score is *exactly* logistic in the covariates, and stays so among people with an intake and among starters:
an adjustment that is right in form has no excuse. When a person is referred, has the intake and starts is independent
of covariates and trait, so the end of data censors nobody informatively. Days are ordinals of the proleptic Gregorian
calendar (``date.toordinal``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from evalkit.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True)
class Scenario:
    """The numbers of the generative model.

    Attributes
    ----------
    name : str
        As it is asked for.
    n_focus, n_comparison : int
        People in the pilot and in PAIP, unless `simulate` is told otherwise.
    confounding : float
        How far the pilot's covariates are tilted from PAIP's; 0: not at all.
    start_effect : float
        log ratio of the probability of starting after intake, pilot over PAIP.
    attend_effect : float
        log odds ratio of attending a week's group.
    quit_effect : float
        log hazard ratio of quitting.
    harm_effect : float
        log hazard ratio of every kind of harm, given covariates and frailty.
    intake, start : float
        Probability of an intake, and of starting after it (for the best covariates).
    intake_scale, start_scale : float
        Scale in days of the gamma (shape 1.5) delays to intake and from intake to the first session.
    comparison_delay : float
        How much longer PAIP's wait for the intake is.
    attend : float
        Intercept of the log odds of attending.
    quit_early, quit_late : float
        Weekly hazard of quitting: ``quit_late + quit_early * exp(-week / 8)``.
    frailty_attend, frailty_quit, frailty_harm : float
        Loadings of the unseen standard normal trait.
    harm_365 : float
        Mean number of domestic-violence arrests in the first year, at reference covariates.
    harm_shape : float
        Exponent of the cumulative intensity; below 1: harm is densest soon after intake.
    site_effects : tuple of float
        On leaving (and, halved, on harm), one per community area.
    """

    name: str
    n_focus: int = 160
    n_comparison: int = 900
    confounding: float = 1.0
    start_effect: float = 0.0
    attend_effect: float = 0.0
    quit_effect: float = 0.0
    harm_effect: float = 0.0
    intake: float = 0.88
    start: float = 0.92
    intake_scale: float = 6.0
    start_scale: float = 7.0
    comparison_delay: float = 1.3
    attend: float = 1.7
    quit_early: float = 0.022
    quit_late: float = 0.0085
    frailty_attend: float = -0.3
    frailty_quit: float = 0.6
    frailty_harm: float = 0.5
    harm_365: float = 0.085
    harm_shape: float = 0.8
    site_effects: tuple[float, ...] = (0.10, -0.15, 0.0, 0.05)


_BENEFIT = Scenario(name="benefit", start_effect=0.02, attend_effect=0.15, quit_effect=-0.35, harm_effect=-0.35)

SCENARIOS: Final = MappingProxyType(
    {
        s.name: s
        for s in (
            # nothing but the covariates may differ between the arms, the wait neither
            Scenario(name="null", comparison_delay=1.0),
            _BENEFIT,
            Scenario(name="harm", start_effect=-0.08, attend_effect=-0.2, quit_effect=0.35, harm_effect=0.35),
            replace(_BENEFIT, name="strong_confounding", confounding=2.5),
            replace(_BENEFIT, name="sparse", n_focus=24, n_comparison=70, harm_365=0.03),
            replace(_BENEFIT, name="one_site", site_effects=(0.0,)),
        )
    }
)


def get_scenario(name: str) -> Scenario:
    """Return the scenario of that name; a UsageError if there is none.

    >>> get_scenario("null").harm_effect
    0.0
    """
    if name not in SCENARIOS:
        msg = f"scenario '{name}' is not one of {', '.join(SCENARIOS)}{did_you_mean(name, SCENARIOS)}"
        raise UsageError(msg)
    return SCENARIOS[name]


Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NEVER = 10**7
"""A day after every other."""

AREAS = ("West Englewood", "Englewood", "Chicago Lawn", "South Chicago")
GENDERS = ("man", "woman", "another")
RACES = ("black", "latino", "white", "another")
SOURCES = ("self", "partner_agency", "health_provider", "community_outreach", "court")
OTHER_EXITS = ("moved", "transferred", "administrative", "deceased")
_EXIT_RATES = np.array([12e-5, 8e-5, 6e-5, 1.2e-5])  # per day, of everybody alike
_AGES = np.arange(18, 71)


@dataclass(frozen=True, slots=True)
class People:
    """Arrays over people, each of shape (n,)."""

    focus: Bools  # in the pilot
    age: Ints  # years
    prior: Ints  # earlier domestic-violence arrests
    gender: Ints  # place in `GENDERS`; race, area and source likewise
    race: Ints
    area: Ints
    source: Ints
    employed: Bools
    alcohol: Bools
    trait: Floats  # unseen, standard normal
    referral: Ints  # days from here on, `NEVER` where it does not happen
    intake: Ints
    first: Ints
    other_exit: Ints  # a transfer, move, administrative closure or death that would end the episode
    other_reason: Ints  # place in `OTHER_EXITS`
    lapse: Ints  # exit ``dropped_out`` of those who never start

    @property
    def n(self) -> int:
        """Number of people."""
        return int(self.focus.size)


def weekday(day: Ints) -> Ints:
    """Return the weekday of ordinals, Monday 0."""
    # ordinal 1, the first of January of year 1, is a Monday
    return (day + 6) % 7


def _roll(day: Ints, last_weekday: int) -> Ints:
    """Move days after ``last_weekday`` to the next Monday."""
    wd = weekday(day)
    return np.where(wd > last_weekday, day + 7 - wd, day)


def _shifted(p: float, shift: Floats) -> Floats:
    odds = p / (1 - p) * np.exp(shift)
    return odds / (1 + odds)


def _pick(rng: np.random.Generator, n: int, p: tuple[float, ...]) -> Ints:
    return np.searchsorted(np.cumsum(p)[:-1], rng.random(n), side="right")


def _ages(rng: np.random.Generator, tilt: Floats) -> Ints:
    found = np.empty(tilt.size, dtype=np.int64)
    # drawn by tilt, as weights of an age depend on it; there are two at most
    for shift in np.unique(tilt):
        mass = np.exp(-((_AGES - 32 - 2 * shift) ** 2) / (2 * 81))
        who = tilt == shift
        found[who] = rng.choice(_AGES, size=int(who.sum()), p=mass / mass.sum())
    return found


def _referrals(rng: np.random.Generator, focus: Bools, starts: date, ends: date) -> Ints:
    """Weekdays of the study, rising in the pilot's first half year."""
    days = np.arange(starts.toordinal(), ends.toordinal() + 1)
    days = days[weekday(days) < 5]
    found = np.empty(focus.size, dtype=np.int64)
    ramp = np.minimum((days - days[0] + 30) / 180, 1.0)
    for arm, weight in ((True, ramp), (False, np.ones(days.size))):
        who = focus == arm
        found[who] = rng.choice(days, size=int(who.sum()), p=weight / weight.sum())
    return found


def draw_people(
    rng: np.random.Generator, scenario: Scenario, like: Bools, focus: Bools, starts: date, ends: date
) -> People:
    """Draw people: `like` whose covariates they have (True: the pilot's), `focus` where they go."""
    n = like.size
    # by `like`, not `focus`: the truth asks what would have become of the pilot's people in PAIP
    tilt: Floats = scenario.confounding * like.astype(np.float64)
    age = _ages(rng, tilt)
    prior = rng.poisson(1.2 * np.exp(-0.3 * tilt)).astype(np.int64)
    employed = rng.random(n) < _shifted(0.46, 0.35 * tilt)
    alcohol = rng.random(n) < _shifted(0.42, -0.3 * tilt)
    # no level so rare that in some study only one arm has it: nothing could be adjusted there
    gender = np.where(rng.random(n) < _shifted(0.89, -0.4 * tilt), 0, 1 + (rng.random(n) < 0.25))
    race = np.where(rng.random(n) < 0.6, 0, 1 + _pick(rng, n, (0.65, 0.22, 0.13)))
    sites = len(scenario.site_effects)
    area = _pick(rng, n, (0.26, 0.27, 0.26, 0.21)) if sites > 1 else np.ones(n, dtype=np.int64)
    source = np.where(focus, _pick(rng, n, (0.28, 0.26, 0.18, 0.28)), 4)
    trait = rng.standard_normal(n)
    referral = _referrals(rng, focus, starts, ends)
    intake, first, lapse = _initiation(rng, scenario, focus, referral, alcohol, employed)
    total = _EXIT_RATES.sum()
    other_exit = referral + 1 + np.floor(rng.exponential(1 / total, n)).astype(np.int64)
    other_reason = _pick(rng, n, tuple(_EXIT_RATES / total))
    return People(
        focus, age, prior, gender.astype(np.int64), race.astype(np.int64), area, source.astype(np.int64),
        employed, alcohol, trait, referral, intake, first, other_exit, other_reason, lapse,
    )  # fmt: skip


def _initiation(
    rng: np.random.Generator, s: Scenario, focus: Bools, referral: Ints, alcohol: Bools, employed: Bools
) -> tuple[Ints, Ints, Ints]:
    """Days of intake, first session, and lapse before it."""
    n = focus.size
    slow = np.where(focus, 1.0, s.comparison_delay)
    wait = np.floor(rng.gamma(1.5, s.intake_scale, n) * slow).astype(np.int64)
    intake = _roll(referral + wait, 4)
    wait = np.floor(rng.gamma(1.5, s.start_scale, n)).astype(np.int64)
    first = _roll(intake + wait, 3)
    came = rng.random(n) < s.intake
    # A product of an arm's factor and the covariates': the odds of being in the pilot stay log-linear.
    chance = s.start * np.exp(s.start_effect * focus - 0.10 * alcohol - 0.05 * ~employed)
    began = came & (rng.random(n) < chance)
    lapse = referral + 30 + np.floor(rng.random(n) * 90).astype(np.int64)
    lapse = np.maximum(lapse, np.where(came, intake, 0))
    lapsed = ~began & (rng.random(n) < 0.6)
    return np.where(came, intake, NEVER), np.where(began, first, NEVER), np.where(lapsed, lapse, NEVER)
