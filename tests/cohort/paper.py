"""The study's definitions a second time, as one would work them out on paper: plain dicts, and one day after another.

Nothing here knows the library. Days are whole numbers; a table is a list of dicts as they come in.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]
NEVER = 10**6
DAY_OF = {
    "participants": "referral_date", "sessions": "session_date", "exits": "exit_date", "outcomes": "outcome_date",
    "searches": "searched_from",
}  # fmt: skip
DATES = {*DAY_OF.values(), "intake_date", "outcome_follow_up_end", "searched_to", "recorded_on", "retracted_on"}
EXITS = {
    "completed": "completion", "dropped_out": "disengagement", "terminated": "disengagement", "transferred": "censored",
    "moved": "censored", "deceased": "censored", "administrative": "censored",
}  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """What a protocol says of the definitions."""

    gap: int = 30
    dose: int = 3
    hours: float = 4.5
    limits: Mapping[str, int | None] = None  # type: ignore[assignment]
    completion: str = "recorded"
    closures: Sequence[tuple[int, int, str | None]] = ()
    cancelled: bool = False
    engaged: tuple[int, int] = (4, 60)
    windows: tuple[int, int, int, int, int] = (30, 60, 2, 40, 90)  # intake, session, half the dose, in, completing in
    landmark: int = 60
    exits: Mapping[str, str] = None  # type: ignore[assignment]
    episodes: str = "first"
    origin: str = "referral"
    death: bool = True
    custody: str | None = None
    where: Mapping[str, Mapping[str, set[str]]] = None  # type: ignore[assignment]

    def effect(self, reason: str) -> str:
        """What an exit does."""
        return {**EXITS, **(self.exits or {})}[reason]


def known(tables: Tables, cut: int) -> Tables:
    """What was known on the cut: later rows, rows entered later, rows withdrawn by then, and later dates are not."""
    found: Tables = {}
    for name, rows in tables.items():
        there = [
            r for r in rows
            if r[DAY_OF[name]] <= cut and (r["recorded_on"] or 0) <= cut
            and (r["retracted_on"] is None or r["retracted_on"] > cut)
        ]  # fmt: skip
        inside = ("intake_date", "outcome_follow_up_end") if name == "participants" else ()
        found[name] = [
            {k: None if k in inside and v is not None and v > cut else v for k, v in r.items()} for r in there
        ]
    return found


class Paper:
    """The answers of one study at one cut."""

    def __init__(self, tables: Tables, terms: Terms, cut: int) -> None:
        self.seen, self.terms, self.cut = known(tables, cut), terms, cut
        self.searched = "searches" in tables
        self.episodes = [
            (who, k, mine, self._arm(mine[k - 1]))
            for who in sorted({r["participant_id"] for r in self.seen["participants"]})
            for mine in [sorted(self._of("participants", who), key=lambda r: r["referral_date"])]
            for k in range(1, len(mine) + 1 if terms.episodes == "all" else 2)
            if self._arm(mine[k - 1])
        ]

    def _of(self, table: str, who: str) -> list[Row]:
        return [r for r in self.seen[table] if r["participant_id"] == who]

    def _arm(self, row: Row) -> str | None:
        asked = (self.terms.where or {}).get(row["pathway"], {})
        recorded = {c for c in asked if any(r[c] for r in self.seen["participants"])}
        return row["pathway"] if all(row[c] in asked[c] for c in recorded) else None

    def _own(self, table: str, who: str, mine: list[Row], k: int) -> list[Row]:
        """An episode owns what is dated from its referral to the day before the next one."""
        first = mine[k - 1]["referral_date"]
        until = mine[k]["referral_date"] if k < len(mine) else NEVER
        return [r for r in self._of(table, who) if first <= r[DAY_OF[table]] < until]

    def _paused(self, day: int, site: str, who: str) -> bool:
        today = [r["status"] for r in self._of("sessions", who) if r["session_date"] == day]  # of any episode
        shut = any(a <= day <= b and where in (None, site) for a, b, where in self.terms.closures)
        return shut or (self.terms.cancelled and bool(today) and set(today) == {"cancelled"})

    def dose_day(self, rows: list[Row]) -> int | None:
        """The first day on which the sessions that count, and their hours, reach the dose."""
        left = dict(self.terms.limits)
        n = tenths = 0
        for r in sorted(attended(rows), key=lambda r: (r["session_date"], -(r["hours"] or 0))):
            if r["kind"] in left and left[r["kind"]] != 0:
                if left[r["kind"]] is not None:
                    left[r["kind"]] -= 1
                n, tenths = n + 1, tenths + round(10 * (r["hours"] or 0))
            if n >= self.terms.dose and tenths >= 10 * self.terms.hours:
                return int(r["session_date"])
        return None

    def completed_on(self, rows: list[Row], exits: list[Row]) -> int | None:
        """The day of completing by the protocol's rule; an exit before the first session is none."""
        days = [r["session_date"] for r in attended(rows)]
        if not days:
            return None
        dose = self.dose_day(rows)
        said = [r["exit_date"] for r in exits if self.terms.effect(r["reason"]) == "completion"]
        said = [day for day in said if day >= min(days)]
        found = {"recorded": said, "dose": [dose], "either": [*said, dose]}[self.terms.completion]
        return min((day for day in found if day is not None), default=None)

    def initiation(self) -> list[tuple[Any, ...]]:
        """Time from referral to a first session, to an exit before it, or censored."""
        answer = []
        for who, k, mine, _ in self.episodes:
            start, end = mine[k - 1]["referral_date"], (self.cut, 0)
            first = min((r["session_date"] for r in attended(self._own("sessions", who, mine, k))), default=NEVER)
            for r in self._own("exits", who, mine, k):
                effect = self.terms.effect(r["reason"])
                if effect != "ignored":
                    end = min(end, (r["exit_date"], 0 if effect == "censored" else 2), key=lambda e: (e[0], -e[1]))
            end = (first, 1) if first <= end[0] else end
            answer.append((who, k, end[0] - start, end[1]))
        return answer

    def retention(self) -> list[tuple[Any, ...]]:
        """Time from the first session to disengaging, completing, or censored."""
        answer = []
        for who, k, mine, _ in self.episodes:
            rows, exits = self._own("sessions", who, mine, k), self._own("exits", who, mine, k)
            came = {r["session_date"] for r in attended(rows)}
            if came:
                answer.append((who, k, *self._stay(came, rows, exits, mine[k - 1])))
        return answer

    def _stay(self, came: set[int], rows: list[Row], exits: list[Row], row: Row) -> tuple[int, int]:
        first, quiet, done = min(came), 0, self.completed_on(rows, exits)
        for day in range(first, self.cut + 1):
            effects = {self.terms.effect(r["reason"]) for r in exits if r["exit_date"] == day} - {"ignored"}
            paused = self._paused(day, row["site"], row["participant_id"])
            quiet = 0 if day in came else quiet + (not paused)
            if day == done:
                return day - first, 2
            if "disengagement" in effects or (quiet == self.terms.gap and not paused and day not in came):
                return day - first, 1
            if effects:  # a recorded completion that the rule does not take, too
                return day - first, 0
        return self.cut - first, 0

    def _origin(self, row: Row) -> int | None:
        return row["referral_date"] if self.terms.origin == "referral" else row["intake_date"]

    def _followed(self, who: str, row: Row, start: int, source: str | None) -> int | None:
        """The last day on which outcomes were searched; None where the person is not followed."""
        if not self.searched:
            end = row["outcome_follow_up_end"]
            return self.cut if end is None else end
        ends = []
        every = sorted({r["source"] for r in self.seen["searches"]})
        for one in every if source is None else [source]:
            days: set[int] = set()
            for r in self._of("searches", who):
                if r["source"] == one:
                    days |= set(range(r["searched_from"], min(r["searched_to"], self.cut) + 1))
            day = start if start in days else start + 1
            if day not in days:
                return None
            while day + 1 in days:
                day += 1
            ends.append(day)
        return min(ends)

    def harm(self, source: str | None = None) -> list[tuple[Any, ...]]:
        """Time from the origin to a first harm, another end, or censored; the recurrent version beside it."""
        answer = []
        for who, k, mine, _ in self.episodes:
            start = self._origin(mine[k - 1])
            end = None if start is None else self._followed(who, mine[k - 1], start, source)
            if start is None or end is None:
                continue
            died = min((r["exit_date"] for r in self._of("exits", who) if r["reason"] == "deceased"), default=NEVER)
            last = min(self.cut, end, died)
            if last < start:
                continue
            sources = {r["source"] for r in self.seen["searches"]} if self.searched else None
            inside = [r for r in self._of("outcomes", who) if start < r["outcome_date"] <= last]
            harms = sorted({
                r["outcome_date"] for r in inside
                if r["kind"] == "dv_arrest" and (r["source"] == source if source else not sources or r["source"] in sources)
            })  # fmt: skip
            held = min((r["outcome_date"] for r in inside if r["kind"] == self.terms.custody), default=NEVER)
            answer.append((who, k, *self._first_end(start, last, harms, died, held), tuple(d - start for d in harms)))
        return answer

    def _first_end(self, start: int, last: int, harms: list[int], died: int, held: int) -> tuple[int, int]:
        causes = {"death": 2 if self.terms.death else 0, "custody": 3 if self.terms.death else 2}
        for day in range(start, last + 1):
            if day in harms:
                return day - start, 1
            if day == died:
                return day - start, causes["death"]
            if day == held:
                return day - start, causes["custody"]
        return last - start, 0

    def landmark(self) -> list[tuple[Any, ...]]:
        """Who is at risk after the landmark, and whether they had completed by then."""
        answer, times = [], {row[:2]: row[2] for row in self.harm()}
        for (who, k, mine, _), start in ((e, self._origin(e[2][e[1] - 1])) for e in self.episodes):
            time = times.get((who, k))
            if start is None or time is None or time <= self.terms.landmark:
                continue
            done = self.completed_on(self._own("sessions", who, mine, k), self._own("exits", who, mine, k))
            answer.append((who, k, done is not None and done - start <= self.terms.landmark))
        return answer

    def steps(self) -> list[tuple[Any, ...]]:
        """Which windows are over, and what was reached in them."""
        answer, (intake_in, first_in, half, half_in, done_in) = [], self.terms.windows
        for who, k, mine, _ in self.episodes:
            row, rows = mine[k - 1], self._own("sessions", who, mine, k)
            came = sorted(r["session_date"] for r in attended(rows))
            counted = self._counting(rows)
            start, intake, first = row["referral_date"], row["intake_date"], came[0] if came else None
            done, dose = self.completed_on(rows, self._own("exits", who, mine, k)), self.dose_day(rows)

            def over(since: int | None, days: int) -> bool:
                return since is not None and since + days <= self.cut

            def within(since: int | None, day: int | None, days: int) -> bool:
                return since is not None and day is not None and day - since <= days

            n, days = self.terms.engaged
            answer.append((
                who, k,
                over(start, intake_in), within(start, intake, intake_in),
                over(start, first_in), within(start, first, first_in),
                over(intake, days), intake is not None and sum(intake <= d <= intake + days for d in came) >= n,
                over(first, half_in), first is not None and sum(d - first <= half_in for d in counted) >= half,
                over(first, done_in), within(first, dose, done_in), within(first, done, done_in),
            ))  # fmt: skip
        return answer

    def _counting(self, rows: list[Row]) -> list[int]:
        left, found = dict(self.terms.limits), []
        for r in sorted(attended(rows), key=lambda r: (r["session_date"], -(r["hours"] or 0))):
            if r["kind"] in left and left[r["kind"]] != 0:
                found.append(r["session_date"])
                if left[r["kind"]] is not None:
                    left[r["kind"]] -= 1
        return found

    def pathway(self) -> dict[str, list[str]]:
        """The state at the end of each day since the first referral."""
        answer = {}
        for who, _, mine, _ in self.episodes:
            if who in answer:
                continue
            start = mine[0]["referral_date"]
            rows = [r for r in self._of("sessions", who) if r["session_date"] >= start]
            exits = [r for r in self._of("exits", who) if r["exit_date"] >= start]
            answer[who] = self._states(start, mine, rows, exits)
        return answer

    def _states(self, start: int, mine: list[Row], rows: list[Row], exits: list[Row]) -> list[str]:
        came, done = {r["session_date"] for r in attended(rows)}, self.completed_on(rows, exits)
        states, state, quiet, ever = [], "waiting", 0, False
        for day in range(start, self.cut + 1):
            site = [r["site"] for r in mine if r["referral_date"] <= day][-1]
            paused = self._paused(day, site, mine[0]["participant_id"])
            quiet = 0 if day in came else quiet + (not paused)
            reasons = {
                r["reason"] for r in exits if r["exit_date"] == day and self.terms.effect(r["reason"]) != "ignored"
            }
            if state != "completed" and not (state == "left" and self._dead(exits, day - 1)):
                if day in came and state not in ("active", "returned"):
                    state = "returned" if ever else "active"
                ever = ever or day in came
                if state in ("active", "returned") and quiet == self.terms.gap and not paused and day not in came:
                    state = "lapsed"
                if day == done:
                    state = "completed"
                elif reasons:
                    state = "left"
            states.append(state)
        return states

    def _dead(self, exits: list[Row], day: int) -> bool:
        return any(r["reason"] == "deceased" and r["exit_date"] <= day for r in exits)


def attended(rows: list[Row]) -> list[Row]:
    """The sessions that somebody came to."""
    return [r for r in rows if r["status"] == "attended"]


def traps(seed: int, n: int) -> Tables:
    """People whose days lie on, just before and just after what the rules ask for, and rows entered late or withdrawn."""
    dice = random.Random(seed)  # noqa: S311 - dice
    tables: Tables = {name: [] for name in DAY_OF}

    def put(table: str, who: str, day: int, **more: Any) -> None:
        late = dice.choice([0, 0, 0, 0, 0, 0, 1, 30, 80])
        gone = dice.choice([None] * 12 + [0, 1, 40])
        tables[table].append({
            "participant_id": who, DAY_OF[table]: day, **more, "recorded_on": day + late,
            "retracted_on": None if gone is None else day + late + gone,
        })  # fmt: skip

    for number in range(n):
        who, start = f"p{number:03d}", dice.choice([dice.randrange(70)] * 7 + [dice.randrange(90, 150)])
        referrals = [start] if dice.random() < 0.7 else [start, start + dice.choice([1, 29, 30, 31, 45])]
        arm = dice.choice(["non_mandated", "non_mandated", "paip", "paip", "paip"])
        for day in referrals:
            after = dice.choice([None, 0, 1, 29, 30, 31, 45])
            put(
                "participants", who, day, pathway=arm, mandate=dice.choice(["court", "court", "other_order", "none", ""]),
                site=dice.choice(["North", "South"]), intake_date=None if after is None else day + after,
                outcome_follow_up_end=dice.choice([None, day - 1, day, day + 60, day + 61, 170]),
            )  # fmt: skip
        day = start + dice.choice([-1, 0, 0, 1, 7, 59, 60, 61])
        for _ in range(dice.randrange(0, 14)):
            day = max(day, 0)
            for _ in range(dice.choice([1, 1, 1, 2])):
                put(
                    "sessions", who, day, kind=dice.choice(["group", "group", "individual", "case_management"]),
                    status=dice.choice(["attended"] * 5 + ["absent", "excused", "cancelled", "cancelled"]),
                    hours=dice.choice([1.5, 1.5, 2.0, 0.5, None]),
                )  # fmt: skip
            day += dice.choice([1, 6, 7, 7, 7, 7, 13, 14, 15, 29, 30, 31, 35])
        for _ in range(dice.choice([0, 0, 1, 1, 2])):
            put(
                "exits",
                who,
                max(day - dice.choice([0, 1, 7, 30, 60]), start),
                reason=dice.choice([*sorted(EXITS), "deceased", "deceased", "completed"]),
            )
        for _ in range(dice.choice([0, 1, 2, 3])):
            on = start + dice.choice([-1, 0, 1, 30, 59, 60, 61, 90])
            put("outcomes", who, max(on, 0), kind=dice.choice(["dv_arrest", "dv_arrest", "any_arrest", "custody"]),
                source=dice.choice(["police", "court", "self"]))  # fmt: skip
        for source in ("police", "court"):
            begin = start + dice.choice([-20, 0, 0, 1, 2])
            for _ in range(dice.choice([1, 1, 2, 3])):
                end = begin + dice.choice([0, 40, 60, 61, 120])
                put("searches", who, max(begin, 0), source=source, searched_to=max(end, 0))
                begin = end + dice.choice([-5, 0, 1, 2])
    return tables
