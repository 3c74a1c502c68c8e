"""The weekly process: attending, missing, quitting, returning, completing.

Week k of a person has a group on day ``first + 7 k``, and perhaps an individual session the day after it and
case management two days after it. Arrays are (n, weeks): a study, or a chunk of a large sample, at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalkit.simulate._people import NEVER, Bools, Floats, Ints, People
from evalkit.simulate._scenario import Scenario

# Since the first session: the dose takes 24 of them, and landmarks end with a year.
WEEKS = 60
KINDS = ("group", "individual", "case_management")
REASONS = ("", "completed", "dropped_out", "terminated")
_OFFSETS = np.array([0, 1, 2])


@dataclass(frozen=True, slots=True)
class Attendance:
    """What a person's weeks look like, before anything outside ends them."""

    attended: Bools  # (n, 3 * WEEKS) by week and kind (`KINDS`), in order of time
    held: Bools  # (n, WEEKS) a group is on the person's record, attended or not
    hours: npt.NDArray[np.float32]  # (n, WEEKS) of the week's group, were it attended
    completes: Ints  # (n,) day since the first session of a completed dose, or of a waiver; `NEVER`
    exit: Ints  # (n,) day of the programme's own exit record, since the first session; `NEVER`
    reason: Ints  # (n,) place in `REASONS`


def session_days() -> Ints:
    """Return the days, since the first session, of the columns of `Attendance.attended` (3 * WEEKS,)."""
    days: Ints = (7 * np.arange(WEEKS)[:, None] + _OFFSETS).ravel()
    return days


def latest_day(came: Bools) -> Ints:
    """Return the day of each person's last column that holds (n,), of columns as of `session_days`."""
    return np.asarray(session_days()[3 * WEEKS - 1 - np.argmax(came[:, ::-1], axis=1)])


def attend_logit(scenario: Scenario, people: People) -> Floats:
    """Return each person's log odds of attending a group (n,)."""
    logit: Floats = (
        scenario.attend
        + scenario.attend_effect * people.focus
        + 0.25 * people.employed
        - 0.30 * people.alcohol
        - 0.06 * people.prior
        # from PAIP's mean age, so that the intercept is of its people
        + 0.01 * (people.age - 32)
        + scenario.frailty_attend * people.trait
    )
    return logit


def quit_log_hazard(scenario: Scenario, people: People) -> Floats:
    """Return each person's log hazard of quitting, relative to the baseline (n,)."""
    # a scenario of one site repeats its effect: every area has one
    sites = np.resize(np.array(scenario.site_effects), 4)
    log_hazard: Floats = (
        scenario.quit_effect * people.focus
        - 0.25 * people.employed
        + 0.30 * people.alcohol
        + 0.10 * people.prior
        - 0.015 * (people.age - 32)
        + sites[people.area]
        + scenario.frailty_quit * people.trait
    )
    return log_hazard


def _quit_week(rng: np.random.Generator, scenario: Scenario, people: People) -> Ints:
    """Last week of the first spell: quitting in week k leaves weeks 0 ... k."""
    weekly = scenario.quit_late + scenario.quit_early * np.exp(-np.arange(WEEKS) / 8)
    # by inversion: one draw a person, so that the two sides of an ATT share their random numbers
    needed = rng.exponential(size=people.n) * np.exp(-quit_log_hazard(scenario, people))
    return np.searchsorted(np.cumsum(weekly), needed)


def draw_attendance(rng: np.random.Generator, scenario: Scenario, people: People) -> Attendance:
    """Draw the weeks of people who start; the rows of the others mean nothing."""
    n, week = people.n, np.arange(WEEKS)
    quit_week = _quit_week(rng, scenario, people)
    terminated = (quit_week < WEEKS) & (rng.random(n) < 0.12)
    # A few come back, three to fourteen weeks later, for one to eight weeks.
    back = quit_week + 3 + np.floor(rng.random(n) * 12).astype(np.int64)
    gone = back + 1 + np.floor(rng.random(n) * 8).astype(np.int64)
    returns = ~terminated & (rng.random(n) < 0.15)
    spell = week <= quit_week[:, None]
    spell |= returns[:, None] & (week >= back[:, None]) & (week < gone[:, None])
    chance = 1 / (1 + np.exp(-attend_logit(scenario, people)))
    # single precision: half of what a chunk of a large sample takes in memory
    group = spell & (rng.random((n, WEEKS), dtype=np.float32) < chance.astype(np.float32)[:, None])
    # weeks are counted from the first session, which has to be one
    group[:, 0] = True
    draw = rng.random((n, WEEKS), dtype=np.float32)
    hours = np.where(draw < 0.02, 1.0, np.where(draw < 0.05, 2.0, 1.5)).astype(np.float32)
    waived = rng.random(n) < 0.04
    last = _completion_week(group, hours, waived)
    done = last < WEEKS
    group &= week <= last[:, None]
    others = spell & (week < last[:, None])
    draw = rng.random((n, WEEKS), dtype=np.float32)
    share = np.float32(0.08)
    attended = np.stack([group, others & (draw < share), others & (draw > 1 - share)], axis=2)
    attended = attended.reshape(n, 3 * WEEKS)
    # After quitting, a group or three is still on the record as missed.
    missed = 1 + np.floor(rng.random(n) * 3).astype(np.int64)
    held = (spell | (week <= (quit_week + missed)[:, None])) & (week <= last[:, None])
    # the dose is of groups, so that it is reached on a group's day
    completes = np.where(done, 7 * last, NEVER)
    day, reason = _exits(rng, attended, completes, waived & done, terminated, quit_week)
    return Attendance(attended, held, hours, completes, day, reason)


def _completion_week(group: Bools, hours: npt.NDArray[np.float32], waived: Bools) -> Ints:
    """Week of the 24th session and 36th hour; of the 22nd session where two are waived; else WEEKS."""
    sessions = np.cumsum(group, axis=1, dtype=np.int16)
    total = np.cumsum(np.where(group, hours, np.float32(0)), axis=1, dtype=np.float32)
    full = (sessions >= 24) & (total >= 36)
    full |= waived[:, None] & (sessions >= 22)
    return np.where(full[:, -1], np.argmax(full, axis=1), WEEKS)


def _exits(
    rng: np.random.Generator, attended: Bools, completes: Ints, waived: Bools, terminated: Bools, quit_week: Ints
) -> tuple[Ints, Ints]:
    """Day and reason of the programme's exit record, at most one a person."""
    n = completes.size
    latest = latest_day(attended)
    done = completes < NEVER
    wait = np.floor(rng.random((4, n)) * np.array([[11], [62], [8], [1]])).astype(np.int64)
    recorded = rng.random(n)
    day = np.full(n, NEVER)
    reason = np.zeros(n, dtype=np.int64)
    drops = ~done & ~terminated & (quit_week < WEEKS) & (recorded < 0.65)
    day[drops], reason[drops] = (latest + 14 + wait[1])[drops], 2
    ends = ~done & terminated
    day[ends], reason[ends] = (np.maximum(latest, 7 * quit_week) + 1 + wait[2])[ends], 3
    finished = done & (waived | (recorded < 0.95))
    day[finished], reason[finished] = (completes + np.where(waived, 0, wait[0]))[finished], 1
    return day, reason
