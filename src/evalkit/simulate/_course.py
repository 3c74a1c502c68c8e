"""What happens to each person, from the weeks they attend to the time scales that follow from all of it.

The weekly process is attending, missing, quitting, returning, completing. Week k of a person has a group on day
``first + 7 k``, and perhaps an individual session the day after it and case management two days after it. Arrays are
(n, weeks): a study, or a chunk of a large sample, at once. A course is what is left once everything is put together.

`time_scales` reads the events as the study defines them straight off the arrays: the fast path for large samples.
Tests hold it, person by person, to what `evalkit.cohort` finds in the written tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.errors import UsageError
from evalkit.protocol import Rules
from evalkit.simulate._people import NEVER, OTHER_EXITS, Bools, Floats, Ints, People, Scenario

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


EXITS = REASONS + OTHER_EXITS
DEATH = EXITS.index("deceased")


@dataclass(frozen=True, slots=True)
class Course:
    """Days (ordinals) of what happens, `NEVER` where it does not; arrays of shape (n,)."""

    people: People
    attendance: Attendance
    intake: Ints
    first: Ints  # first attended session
    exit_day: Ints  # of the exit record
    exit_reason: Ints  # place in `EXITS`; 0: none

    @property
    def death(self) -> Ints:
        """Day of a recorded death."""
        return np.where(self.exit_reason == DEATH, self.exit_day, NEVER)


def put_together(people: People, attendance: Attendance, *, other_exits: bool = True) -> Course:
    """Let what comes first end an episode; without `other_exits` nobody moves, is transferred or dies."""
    starts = people.first < NEVER
    own = np.where(starts, people.first + attendance.exit, people.lapse)
    own = np.where(own >= NEVER, NEVER, own)
    reason = np.where(starts, attendance.reason, REASONS.index("dropped_out"))
    # the truth asks without them: they only censor, and what would have happened is what is estimated
    other = people.other_exit if other_exits else np.full(people.n, NEVER)
    ended = other < own
    day = np.minimum(own, other)
    why = np.where(ended, len(REASONS) + people.other_reason, reason)
    limit = np.where(ended, other, NEVER)
    return Course(
        people,
        attendance,
        np.where(people.intake <= limit, people.intake, NEVER),
        np.where(people.first <= limit, people.first, NEVER),
        day,
        np.where(day < NEVER, why, 0),
    )


def gap_day(attended: Bools, gap: int) -> Ints:
    """Return the first L + gap with no session in (L, L + gap], L a session, in days since the first one (n,)."""
    days = session_days().astype(np.int16)
    # after the last session nothing follows for longer than any gap
    far = np.int16(7 * WEEKS + 10 * gap)
    when = np.where(attended, days, far)
    following = np.minimum.accumulate(when[:, ::-1], axis=1)[:, ::-1]
    after = np.concatenate([following[:, 1:], np.full((len(when), 1), far)], axis=1)
    met = attended & (after - days > gap)
    first: Ints = days[np.argmax(met, axis=1)].astype(np.int64) + gap
    return first


AS_SIMULATED = Rules(completion="either", counting_kinds=["group"])
"""The rules that people complete by here; the truth is of these. A study's own are applied to the tables."""


def retention_events(course: Course, gap: int, completion: str = "either") -> tuple[Ints, Ints]:
    """Return day and cause (n,) of disengagement (1) or completion (2), were nothing censored.

    Days since the first session; rows of people who never start mean nothing.
    """
    if completion == "dose":
        msg = "the fast path knows completion by a recorded exit, or by either; for the dose alone use the tables"
        raise UsageError(msg)
    a = course.attendance
    leaving = np.isin(a.reason, (REASONS.index("dropped_out"), REASONS.index("terminated")))
    gone = np.minimum(gap_day(a.attended, gap), np.where(leaving, a.exit, NEVER))
    recorded = np.where(a.reason == REASONS.index("completed"), a.exit, NEVER)
    done = recorded if completion == "recorded" else np.minimum(a.completes, recorded)
    # on one day completion goes before disengagement
    return np.minimum(gone, done), np.where(done <= gone, 2, 1)


def time_scales(course: Course, rules: Rules, cut: date) -> dict[str, pd.DataFrame]:
    """Return the initiation and retention scales at a cut: person (place), focus, time (days), cause (0: censored)."""
    d, p = cut.toordinal(), course.people
    other = np.where(course.exit_reason >= len(REASONS), course.exit_day, NEVER)
    start = course.first
    lapse = np.where((start == NEVER) & (other == NEVER), course.exit_day, NEVER)
    event = np.minimum(start, lapse)
    end = np.minimum(other, d)
    seen = p.referral <= d
    initiation = _scale(p, p.referral, event, np.where(start <= lapse, 1, 2), end, seen)
    day, cause = retention_events(course, rules.disengagement_gap_days, rules.completion)
    retention = _scale(p, start, start + day, cause, end, start <= d)
    return {"initiation": initiation, "retention": retention}


def _scale(people: People, origin: Ints, event: Ints, cause: Ints, end: Ints, who: Bools) -> pd.DataFrame:
    happened = event <= end
    frame = pd.DataFrame(
        {
            "person": np.arange(people.n),
            "focus": people.focus,
            "time": np.minimum(event, end) - origin,
            "cause": np.where(happened, cause, 0),
        }
    )
    return frame[who].reset_index(drop=True)
