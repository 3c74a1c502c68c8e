"""Second episodes: some people are referred again, well after their first episode is over."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.protocol import Rules
from evalkit.simulate import _records as rec
from evalkit.simulate._attendance import latest_day
from evalkit.simulate._course import EXITS, retention_events
from evalkit.simulate._people import NEVER, Ints
from evalkit.simulate._tables import Maker

_SHARE = 0.06


def second_episodes(maker: Maker, participants: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return participants and sessions rows of second episodes; first ones in the order of ``maker.course``."""
    rng = maker.rng
    # two months after all of the first episode, so that its time scales stay as they are
    again = _over(maker) + 60 + np.floor(rng.exponential(90, len(participants))).astype(np.int64)
    who = np.flatnonzero((again <= maker.last - 30) & (rng.random(again.size) < _SHARE))
    referral = again[who]
    intake = referral + 2 + np.floor(rng.exponential(8, who.size)).astype(np.int64)
    rows = participants.iloc[who].assign(
        referral_date=referral,
        intake_date=np.where(intake <= maker.last, intake, NEVER),
        outcome_follow_up_end=np.maximum(maker.searched[who], np.minimum(intake, maker.last)),
        recorded_on=rec.lag(rng, "participants", referral, maker.last),
    )
    weeks = rng.geometric(0.12, who.size)
    person = np.repeat(np.arange(who.size), weeks)
    week = np.arange(person.size) - np.repeat(np.cumsum(weeks) - weeks, weeks)
    when = intake[person] + 5 + 7 * week
    came = rng.random(person.size) < 0.8
    sessions = pd.DataFrame(
        {
            "participant_id": maker.ids[who[person]],
            "session_date": when,
            "kind": "group",
            "status": np.where(came, "attended", "absent").astype(object),
            "hours": np.where(came, 1.5, 0.0),
            "recorded_on": rec.lag(rng, "sessions", np.minimum(when, maker.last), maker.last),
        }
    )
    return rows, sessions[when <= maker.last]


def _over(maker: Maker) -> Ints:
    """Day by which everything of the first episode has happened; `NEVER` where it may go on."""
    c, a = maker.course, maker.course.attendance
    event, _ = retention_events(c, Rules().disengagement_gap_days)
    shown = a.attended | np.repeat(a.held, 3, axis=1)
    latest = latest_day(shown)
    exited = c.exit_reason > 0
    starts = c.first < NEVER
    over = np.where(starts, c.first + np.maximum(event, latest), np.where(exited, 0, NEVER))
    over = np.maximum(over, np.where(exited, c.exit_day, 0))
    # whoever moved away, was transferred or died is not referred again
    own = c.exit_reason <= EXITS.index("terminated")
    return np.where(own, over, NEVER)
