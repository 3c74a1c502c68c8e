"""The raw tables, with the columns that the study defines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from evalkit.simulate import _records as rec
from evalkit.simulate._attendance import KINDS, WEEKS, latest_day, session_days
from evalkit.simulate._course import EXITS, Course
from evalkit.simulate._harm import draw_harm, together
from evalkit.simulate._people import AREAS, GENDERS, NEVER, RACES, SOURCES, Bools, Ints
from evalkit.simulate._scenario import Scenario

INSTRUMENT = "readiness_to_change"
STATUSES = ("attended", "absent", "excused", "cancelled")
SEARCHED = ("police_records", "court_records", "survivor_interview")
_ID = "participant_id"


@dataclass(frozen=True, slots=True)
class Maker:
    """What every table needs."""

    rng: np.random.Generator
    harm_rng: np.random.Generator  # of the outcomes, so that the fast path draws the same ones
    scenario: Scenario
    course: Course
    ids: np.ndarray[tuple[int], np.dtype[np.object_]]
    last: int  # day of the extract
    searched: Ints  # (n,) ``outcome_follow_up_end``, and the end of every source's search
    extra_rng: np.random.Generator  # of what was added later, so that everything else is drawn as it was

    def participants(self) -> pd.DataFrame:
        """Return one row per referral (first episodes)."""
        p, rng = self.course.people, self.rng
        table = pd.DataFrame(
            {
                _ID: self.ids,
                "pathway": np.where(p.focus, "non_mandated", "paip"),
                "mandate": self._mandates(),
                "referral_date": p.referral,
                "referral_source": np.array(SOURCES, dtype=object)[p.source],
                "intake_date": np.where(self.course.intake <= self.last, self.course.intake, NEVER),
                "site": np.array([f"Site {k + 1}" for k in range(4)], dtype=object)[p.area],
                "community_area": np.array(AREAS, dtype=object)[p.area],
                "age": pd.array(p.age, dtype="Int64"),
                "gender": np.array(GENDERS, dtype=object)[p.gender],
                "race_ethnicity": np.array(RACES, dtype=object)[p.race],
                "employment": np.where(p.employed, "yes", "no").astype(object),
                "prior_dv_arrests": pd.array(p.prior, dtype="Int64"),
                "alcohol_use": np.where(p.alcohol, "yes", "no").astype(object),
                "outcome_follow_up_end": self.searched,
                "recorded_on": rec.lag(rng, "participants", p.referral, self.last),
            }
        )
        for column, share in rec.MISSING.items():
            gone = rng.random(len(table)) < share
            table.loc[gone, column] = None
        return table

    def _mandates(self) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        """Return what obliged people: nothing in the pilot, and nothing eight of a hundred in PAIP."""
        kinds = np.array(["court", "none", "other_order", None])
        drawn = kinds[np.searchsorted([0.88, 0.96, 0.99], self.extra_rng.random(self.ids.size), side="right")]
        return np.where(self.course.people.focus, "none", drawn)

    def searches(self) -> pd.DataFrame:
        """Return for which days each source was searched: quarter by quarter, entered when the quarter was over."""
        end, start = self.searched, self.course.people.referral
        quarters = pd.period_range(
            pd.Period(date.fromordinal(int(start.min())), "Q"), pd.Period(date.fromordinal(self.last), "Q")
        )
        parts = []
        for quarter in quarters:
            first, last = quarter.start_time.toordinal(), quarter.end_time.toordinal()
            who = np.flatnonzero((start <= last) & (end >= first))
            days = {"searched_from": np.maximum(start, first)[who], "searched_to": np.minimum(end, last)[who]}
            parts += [
                pd.DataFrame({_ID: self.ids[who], "source": s, **days, "recorded_on": min(last, self.last)})
                for s in SEARCHED
            ]
        return pd.concat(parts, ignore_index=True)

    def sessions(self) -> pd.DataFrame:
        """Return sessions of first episodes: attended, and groups that were missed."""
        c, a = self.course, self.course.attendance
        limit = np.minimum(c.exit_day, self.last) - c.first  # below 0 for those who never start
        days = session_days()
        shown = a.attended.reshape(-1, WEEKS, 3).copy()
        shown[:, :, 0] |= a.held
        shown = shown.reshape(-1, 3 * WEEKS) & (days <= limit[:, None])
        who, column = np.nonzero(shown)
        came = a.attended[who, column]
        status = 1 + np.searchsorted([0.62, 0.87], self.rng.random(who.size), side="right")
        length = np.where(column % 3 == 0, a.hours[who, column // 3], np.where(column % 3 == 1, 1.0, 0.5))
        day = c.first[who] + days[column]
        return pd.DataFrame(
            {
                _ID: self.ids[who],
                "session_date": day,
                "kind": np.array(KINDS, dtype=object)[column % 3],
                "status": np.array(STATUSES, dtype=object)[np.where(came, 0, status)],
                "hours": np.where(came, length, 0.0),
                "recorded_on": rec.lag(self.rng, "sessions", day, self.last),
            }
        )

    def exits(self) -> pd.DataFrame:
        """Return exits of first episodes."""
        c = self.course
        who = np.flatnonzero(c.exit_day <= self.last)
        day = c.exit_day[who]
        return pd.DataFrame(
            {
                _ID: self.ids[who],
                "exit_date": day,
                "reason": np.array(EXITS, dtype=object)[c.exit_reason[who]],
                "recorded_on": rec.lag(self.rng, "exits", day, self.last),
            }
        )

    def outcomes(self) -> pd.DataFrame:
        """Return outcomes found by the last search; a domestic-violence arrest is an arrest too."""
        c = self.course
        # whoever has died does no more harm, however long the search
        end = np.minimum(self.searched, c.death)
        drawn = draw_harm(self.harm_rng, self.scenario, c.people, c.intake, end)
        drawn = {kind: together(drawn, [kind]) for kind in drawn}
        sources = {"survivor_reported_harm": "survivor_interview", "order_violation": "court_records"}
        parts = [
            pd.DataFrame(
                {
                    _ID: self.ids[who],
                    "outcome_date": day,
                    "kind": kind,
                    "source": sources.get(kind, "police_records"),
                }
            )
            for kind, (who, day) in drawn.items()
        ]
        # Two arrests of a kind on one day are one record.
        table = pd.concat(parts, ignore_index=True).drop_duplicates(ignore_index=True)
        day = table["outcome_date"].to_numpy()
        return table.assign(recorded_on=rec.lag(self.rng, "outcomes", day, self.last))

    def measures(self) -> pd.DataFrame:
        """Return a score at intake and about every 90 days while attending."""
        c, rng = self.course, self.rng
        first = np.where(c.intake < NEVER, rng.normal(48, 12, c.people.n) - 4 * c.people.trait, 0.0)
        parts = []
        for k in range(5):
            day = np.where(c.intake < NEVER, c.intake + 90 * k, NEVER)
            active = (k == 0) | self._active(day)
            who = np.flatnonzero((day <= np.minimum(c.exit_day, self.last)) & active)
            score = np.clip(first[who] + 3.5 * k + rng.normal(0, 5, who.size), 0, 100).round()
            parts.append(
                pd.DataFrame({_ID: self.ids[who], "measure_date": day[who], "instrument": INSTRUMENT, "score": score})
            )
        table = pd.concat(parts, ignore_index=True)
        day = table["measure_date"].to_numpy()
        return table.assign(recorded_on=rec.lag(rng, "measures", day, self.last))

    def _active(self, day: Ints) -> Bools:
        """Who has a session on or after a day."""
        c = self.course
        active: Bools = (c.first < NEVER) & (day <= c.first + latest_day(c.attendance.attended))
        return active
