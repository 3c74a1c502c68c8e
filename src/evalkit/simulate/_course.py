"""What happens to each person once everything is put together, and the time scales that follow from it.

`time_scales` reads the events as the study defines them straight off the arrays: the fast path for large samples.
Tests hold it, person by person, to what `evalkit.cohort` finds in the written tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from evalkit.errors import UsageError
from evalkit.protocol import Rules
from evalkit.simulate._attendance import REASONS, WEEKS, Attendance, session_days
from evalkit.simulate._people import NEVER, OTHER_EXITS, Bools, Ints, People

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
