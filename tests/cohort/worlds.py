"""Small random studies, and the definitions once more in plain Python, day by day, to hold the roll-ups to."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd
from hypothesis import strategies as st

from cohort.spec import SHORT, START, open_frames
from evalkit.cohort import Cohort, build

GAP, DOSE_N, DOSE_H = 30, 3, 4.5
DAY = st.integers(0, 110)
LAG = st.sampled_from([0, 0, 0, 0, 1, 7, 30, 31, 60])
GONE = st.sampled_from([None, None, None, None, None, 0, 1, 30, 45])
EXITS = ("completed", "dropped_out", "terminated", "transferred", "moved", "deceased", "administrative")

_referral = st.tuples(DAY, st.one_of(st.none(), st.integers(0, 40)), st.one_of(st.none(), st.integers(0, 150)))
_session = st.tuples(
    DAY,
    st.sampled_from(["group", "group", "group", "individual"]),
    st.sampled_from(["attended", "attended", "attended", "absent"]),
    st.sampled_from([1.5, 1.5, 2.0, 1.2]),
)
_exit = st.tuples(DAY, st.sampled_from(EXITS))
_outcome = st.tuples(st.integers(0, 150), st.sampled_from(["dv_arrest", "dv_arrest", "any_arrest"]))


def _entered(event: st.SearchStrategy[tuple]) -> st.SearchStrategy[tuple]:
    return st.tuples(event, LAG, GONE)


_person = st.fixed_dictionaries(
    {
        "arm": st.sampled_from(["non_mandated", "paip"]),
        "participants": st.lists(_entered(_referral), min_size=1, max_size=2, unique_by=lambda r: r[0][0]),
        "sessions": st.lists(_entered(_session), max_size=9),
        "exits": st.lists(_entered(_exit), max_size=2),
        "outcomes": st.lists(_entered(_outcome), max_size=3),
    }
)
people = st.lists(_person, min_size=4, max_size=25)


@dataclass(frozen=True)
class Row:
    """A row: who, which day, what else, when recorded and retracted (days since the start)."""

    who: str
    day: int
    rest: tuple
    recorded: int
    retracted: int | None


def world(drawn: list[dict], *, late: bool = True) -> dict[str, list[Row]]:
    """Rows by table. Without ``late`` everything is recorded on its day, and nothing retracted."""
    rows: dict[str, list[Row]] = {name: [] for name in ("participants", "sessions", "exits", "outcomes")}
    for number, person in enumerate(drawn):
        for name, found in rows.items():
            for (day, *rest), lag, gone in person[name]:
                recorded = day + (lag if late else 0)
                retracted = None if gone is None or not late else recorded + gone
                extra = (*rest, person["arm"]) if name == "participants" else tuple(rest)
                found.append(Row(f"p{number:02d}", day, extra, recorded, retracted))
    return rows


def as_day(number: int | None) -> str:
    return "" if number is None else (START + timedelta(days=number)).isoformat()


def frames(rows: dict[str, list[Row]]) -> dict[str, pd.DataFrame]:
    """The raw tables."""
    columns = {
        "participants": ["referral_date", "intake_date", "outcome_follow_up_end", "pathway"],
        "sessions": ["session_date", "kind", "status", "hours"],
        "exits": ["exit_date", "reason"],
        "outcomes": ["outcome_date", "kind"],
    }
    made = {}
    for name, found in rows.items():
        lines = []
        for row in found:
            rest = list(row.rest)
            if name == "participants":
                rest[:2] = [as_day(None if d is None else row.day + d) for d in rest[:2]]
            lines.append([row.who, as_day(row.day), *rest, as_day(row.recorded), as_day(row.retracted)])
        made[name] = pd.DataFrame(lines, columns=["participant_id", *columns[name], "recorded_on", "retracted_on"])
    return made


def cohort_of(tables: dict[str, pd.DataFrame], cut: int, episodes: str = "first") -> Cohort:
    data = open_frames(tables, rules=SHORT)
    return build(data.at(START + timedelta(days=cut)), episodes=episodes)


def known(rows: list[Row], cut: int) -> list[Row]:
    """What was known on the cut."""
    return [r for r in rows if r.day <= cut and r.recorded <= cut and (r.retracted is None or r.retracted > cut)]


def expected(rows: dict[str, list[Row]], cut: int, episodes: str) -> dict[str, list[tuple]]:
    """Each scale's (participant, episode, time, event), by walking through the days."""
    seen = {name: known(found, cut) for name, found in rows.items()}
    answer: dict[str, list[tuple]] = {s: [] for s in ("initiation", "retention", "harm", "harm_recurrent")}
    for who in sorted({r.who for r in seen["participants"]}):
        referrals = sorted((r for r in seen["participants"] if r.who == who), key=lambda r: r.day)
        chosen = referrals if episodes == "all" else referrals[:1]
        for number, referral in enumerate(chosen, start=1):
            until = min((r.day for r in referrals if r.day > referral.day), default=10**6)
            own = {
                name: [r for r in seen[name] if r.who == who and referral.day <= r.day < until]
                for name in ("sessions", "exits")
            }
            key = (who, number)
            attended = [r for r in own["sessions"] if r.rest[1] == "attended"]
            answer["initiation"].append((*key, *_initiation(referral.day, attended, own["exits"], cut)))
            if attended:
                answer["retention"].append((*key, *_retention(attended, own["exits"], cut)))
            deaths = [r.day for r in seen["exits"] if r.who == who and r.rest[0] == "deceased"]
            outcomes = {r.day for r in seen["outcomes"] if r.who == who and r.rest[0] == "dv_arrest"}
            found = _harm(referral, outcomes, deaths, cut)
            if found is not None:
                answer["harm_recurrent"] += [(*key, *f) for f in found]
                died = COMPETING and found[0][1] == 0 and referral.day + found[0][0] in deaths
                answer["harm"].append((*key, found[0][0], 2 if died else found[0][1]))
    return answer


def _initiation(start: int, attended: list[Row], exits: list[Row], cut: int) -> tuple[int, int]:
    for day in range(start, cut + 1):
        if any(r.day == day for r in attended):
            return day - start, 1
        reasons = {r.rest[0] for r in exits if r.day == day}
        if reasons & {"dropped_out", "terminated", "completed"}:
            return day - start, 2
        if reasons:
            return day - start, 0
    return cut - start, 0


def _retention(attended: list[Row], exits: list[Row], cut: int) -> tuple[int, int]:
    first = min(r.day for r in attended)
    for day in range(first, cut + 1):
        so_far = [r for r in attended if r.rest[0] == "group" and r.day <= day]
        reasons = {r.rest[0] for r in exits if r.day == day}
        hours = sum(round(r.rest[2] * 10) for r in so_far)
        if (len(so_far) >= DOSE_N and hours >= DOSE_H * 10) or "completed" in reasons:
            return day - first, 2
        left = day - GAP
        met = any(r.day == left for r in attended) and not any(left < r.day <= day for r in attended)
        if met or reasons & {"dropped_out", "terminated"}:
            return day - first, 1
        if reasons:
            return day - first, 0
    return cut - first, 0


ORIGIN, COMPETING = "referral", True
"""From which day harm is counted, and whether a death competes."""


def _harm(referral: Row, outcomes: set[int], deaths: list[int], cut: int) -> list[tuple[int, int]] | None:
    after, searched, _ = referral.rest
    if ORIGIN == "intake" and (after is None or referral.day + after > cut):
        return None
    start = referral.day + (after if ORIGIN == "intake" else 0)
    known = searched is not None and referral.day + searched <= cut
    end = min([cut, *deaths, *([referral.day + searched] if known else [])])
    if end < start:
        return None
    events = [(day - start, 1) for day in sorted(outcomes) if start < day <= end]
    return [*events, (end - start, 0)]


def found(cohort: Cohort, scale: str) -> list[tuple]:
    frame = getattr(cohort, scale)()
    columns = ["participant_id", "episode", "time", "event"]
    return [tuple(row) for row in frame[columns].itertuples(index=False)]


def random_people(seed: int, n: int) -> list[dict]:
    """Many people at once, without Hypothesis."""
    dice = random.Random(seed)  # noqa: S311 - dice

    def entered(event: tuple) -> tuple:
        return event, dice.choice([0, 0, 0, 1, 7, 31]), dice.choice([None] * 9 + [0, 10])

    def person() -> dict:
        start = dice.randrange(60)
        starts = [start] if dice.random() < 0.8 else [start, start + dice.randrange(1, 50)]
        after = [dice.choice([None, 0, 3, 10, 25]) for _ in starts]
        ends = [dice.choice([None, 90, 140]) for _ in starts]
        days = [start + dice.randrange(100) for _ in range(dice.randrange(12))]
        return {
            "arm": dice.choice(["non_mandated", "paip"]),
            "participants": [entered(event) for event in zip(starts, after, ends, strict=True)],
            "sessions": [
                entered((d, dice.choice(["group", "individual"]), dice.choice(["attended", "absent"]), 1.5))
                for d in days
            ],
            "exits": [entered((start + dice.randrange(100), dice.choice(EXITS))) for _ in range(dice.randrange(2))],
            "outcomes": [entered((start + dice.randrange(120), "dv_arrest")) for _ in range(dice.randrange(3))],
        }

    return [person() for _ in range(n)]
