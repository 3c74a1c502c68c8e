"""The raw tables, with the columns that the study defines, and how their records come to be.

Records are entered late, corrected, entered in error, and miss values. The tables are an extract taken on the last day
of the study, for which all entry was brought up to date: nothing is recorded after it, so a cut on that day misses
nothing, while an earlier cut misses what was still to be entered, as in life. Some people are referred again, well
after their first episode is over: their second episodes are put in last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from evalkit.protocol import Rules
from evalkit.simulate._course import EXITS, KINDS, WEEKS, Course, latest_day, retention_events, session_days
from evalkit.simulate._harm import draw_harm, together
from evalkit.simulate._people import AREAS, GENDERS, NEVER, RACES, SOURCES, Bools, Ints, Scenario

LAGS = {"participants": 3.0, "sessions": 2.0, "exits": 8.0, "outcomes": 20.0, "measures": 4.0}
"""Mean days from an event to its entry."""
# A few rows are entered much later, as in real offices: without them every old quarter would come out the same again.
_SLOW_SHARE, _SLOW_FACTOR = 0.06, 5.0
MISSING = {"age": 0.005, "gender": 0.005, "race_ethnicity": 0.03, "employment": 0.04,
           "prior_dv_arrests": 0.02, "alcohol_use": 0.06}  # fmt: skip
"""Share of people without a value, at random."""


def to_dates(days: Ints) -> pd.Series[pd.Timestamp]:
    """Return ordinals as dates, missing where they are `NEVER` (n,)."""
    epoch = 719163  # date(1970, 1, 1).toordinal()
    known = days < NEVER
    stamps = np.where(known, days - epoch, 0).astype("datetime64[D]").astype("datetime64[ns]")
    return pd.Series(stamps).where(known)


def lag(rng: np.random.Generator, table: str, day: Ints, last: int) -> Ints:
    """Return days of entry of a table's events (n,), none after the day of the extract (`last`)."""
    slow = np.where(rng.random(day.size) < _SLOW_SHARE, _SLOW_FACTOR, 1.0)
    wait = np.floor(rng.exponential(LAGS[table], day.size) * slow).astype(np.int64)
    entered: Ints = np.minimum(day + wait, last)
    return entered


def with_errors(
    rng: np.random.Generator,
    table: pd.DataFrame,
    last: int,
    *,
    share: float,
    spoil: dict[str, tuple[str, ...]],
    phantoms: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return a table with rows first entered wrong, and rows entered in error (`phantoms`), all of them retracted.

    ``share`` of rows are corrections; ``spoil`` has by column the values that wrong rows have. Days are ordinals.
    """
    right = table.reset_index(drop=True).assign(retracted_on=NEVER)
    wrong = right[rng.random(len(right)) < share].copy()
    found = _noticed(rng, wrong["recorded_on"].to_numpy(), last)
    right.loc[wrong.index, "recorded_on"] = found
    wrong["retracted_on"] = found
    for column, values in spoil.items():
        pick = rng.integers(0, len(values), len(wrong))
        other = np.array(values, dtype=object)
        # a wrong row that says the right thing would be no error: it takes the next value
        same = other[pick] == wrong[column].to_numpy(dtype=object)
        wrong[column] = other[np.where(same, (pick + 1) % len(values), pick)]
    parts = [right, wrong]
    if phantoms is not None:
        gone = _noticed(rng, phantoms["recorded_on"].to_numpy(), last)
        parts.append(phantoms.assign(retracted_on=gone))
    return pd.concat([p for p in parts if len(p)] or [right])


def _noticed(rng: np.random.Generator, recorded: Ints, last: int) -> Ints:
    return np.minimum(recorded + 1 + np.floor(rng.exponential(25, recorded.size)).astype(np.int64), last)


def finish(table: pd.DataFrame, dates: tuple[str, ...], by: list[str], columns: list[str]) -> pd.DataFrame:
    """Turn columns of ordinals into dates, mark the rows as synthetic, and put rows and columns in order."""
    ordered = table.sort_values([*by, "recorded_on"], kind="stable").reset_index(drop=True)
    for name in (*dates, "recorded_on", "retracted_on"):
        ordered[name] = to_dates(ordered[name].to_numpy(dtype=np.int64))
    ordered["synthetic"] = True
    return ordered[[*columns, "recorded_on", "retracted_on", "synthetic"]]


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
                "recorded_on": lag(rng, "participants", p.referral, self.last),
            }
        )
        for column, share in MISSING.items():
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
        return pd.concat(parts)

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
                "recorded_on": lag(self.rng, "sessions", day, self.last),
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
                "recorded_on": lag(self.rng, "exits", day, self.last),
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
        return table.assign(recorded_on=lag(self.rng, "outcomes", day, self.last))

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
        return table.assign(recorded_on=lag(rng, "measures", day, self.last))

    def _active(self, day: Ints) -> Bools:
        """Who has a session on or after a day."""
        c = self.course
        active: Bools = (c.first < NEVER) & (day <= c.first + latest_day(c.attendance.attended))
        return active


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
        recorded_on=lag(rng, "participants", referral, maker.last),
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
            "recorded_on": lag(rng, "sessions", np.minimum(when, maker.last), maker.last),
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
