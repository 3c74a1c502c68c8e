"""Episodes, the cut and eligibility: who is counted, once, and with what was known on the day."""

from __future__ import annotations

import pytest

from cohort.spec import Case, Together, ends, spec_cohort

P = "participant_id | referral_date | intake_date\n"
S = "participant_id | session_date\n"
X = "participant_id | exit_date | reason\n"
TWO = P + "a | +0 | +1\na | +50 | +52"

FIRST = [
    Case(
        "two episodes: each owns its sessions", "a 30 1 gap", participants=TWO, sessions=S + "a | +5\na | +55\na | +60"
    ),
    Case(
        "the day before the next referral is still the first's",
        "a 40 1 gap",
        participants=TWO,
        sessions=S + "a | +39\na | +49\na | +60",
    ),
    Case("the day of the next referral is not", "a 30 1 gap", participants=TWO, sessions=S + "a | +39\na | +50"),
    Case(
        "a session before any referral belongs to none",
        "a 30 1 gap",
        participants=P + "a | +10 | +11",
        sessions=S + "a | +9\na | +12",
    ),
    Case(
        "an exit after the next referral is the second's",
        "a 30 1 gap",
        participants=TWO,
        sessions=S + "a | +39",
        exits=X + "a | +55 | moved",
    ),
    Case(
        "a next referral after the cut is not known",
        "a 4 0 cut",
        "+49",
        participants=TWO,
        sessions=S + "a | +45",
    ),
    Case("sessions of the second alone do not start the first", "", participants=TWO, sessions=S + "a | +55"),
    Case(
        "a referral before the study ends an episode all the same, and is not the first",
        "a 30 1 gap",
        participants=P + "a | 2021-12-01 | 2021-12-02\na | +5 | +6",
        sessions=S + "a | 2021-12-10\na | +4\na | +7",
    ),
]

TOGETHER = Together(FIRST)


@pytest.mark.parametrize("case", FIRST, ids=lambda case: case.name)
def test_first_episodes(case: Case) -> None:
    assert ends(TOGETHER.rows(case, "retention")) == case.expect


def test_all_episodes() -> None:
    case = Case("", "", participants=TWO, sessions=S + "a | +5\na | +55\na | +60", rules={"episodes": "all"})
    cohort = case.cohort()
    assert ends(cohort.retention()) == "a 30 1 gap; a 35 1 gap"
    assert cohort.people["episode"].tolist() == [1, 2]


R = "participant_id | session_date | recorded_on | retracted_on\n"
KNOWN = [
    Case("recorded on the cut", "a 25 0 cut", "+30", sessions=R + "a | +5 | +30 | -"),
    Case("recorded the day after the cut", "", "+30", sessions=R + "a | +5 | +31 | -"),
    Case("recorded late, known later", "a 26 0 cut", "+31", sessions=R + "a | +5 | +31 | -"),
    Case("without a day of entry: known from its own date", "a 25 0 cut", "+30", sessions=R + "a | +5 | - | -"),
    Case("retracted on the cut: gone", "", "+30", sessions=R + "a | +5 | +6 | +30"),
    Case("retracted the day after the cut: still there", "a 25 0 cut", "+30", sessions=R + "a | +5 | +6 | +31"),
    Case("a correction: the new row stands", "a 23 0 cut", "+30", sessions=R + "a | +5 | +6 | +20\na | +7 | +20 | -"),
    Case("before the correction: the old row", "a 14 0 cut", "+19", sessions=R + "a | +5 | +6 | +20\na | +7 | +20 | -"),
    Case(
        "a session recorded late undoes a gap it fills",
        "a 50 1 gap",
        "+60",
        sessions=R + "a | +0 | +0 | -\na | +20 | +45 | -",
    ),
    Case("... which had been met before", "a 30 1 gap", "+44", sessions=R + "a | +0 | +0 | -\na | +20 | +45 | -"),
]
KNOWN_TOGETHER = Together(KNOWN)


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case.name)
def test_what_was_known(case: Case) -> None:
    assert ends(KNOWN_TOGETHER.rows(case, "retention")) == case.expect


Q = "participant_id | referral_date | intake_date | recorded_on | retracted_on\n"
PARTICIPANTS = [
    Case("known", "a 5", "+30", participants=Q + "a | +0 | +5 | +0 | -"),
    Case("a referral recorded after the cut", "", "+30", participants=Q + "a | +0 | +5 | +31 | -"),
    Case("retracted on the cut", "", "+30", participants=Q + "a | +0 | +5 | +0 | +30"),
    Case("retracted the day after", "a 5", "+30", participants=Q + "a | +0 | +5 | +0 | +31"),
    Case("an intake after the cut is not known yet", "a -", "+30", participants=Q + "a | +0 | +31 | +0 | -"),
    Case("an intake on the cut is", "a 30", "+30", participants=Q + "a | +0 | +30 | +0 | -"),
    Case("a correction of the intake", "a 8", "+30", participants=Q + "a | +0 | +5 | +0 | +20\na | +0 | +8 | +20 | -"),
    Case("before it", "a 5", "+19", participants=Q + "a | +0 | +5 | +0 | +20\na | +0 | +8 | +20 | -"),
    Case(
        "two rows that stand: the one recorded last",
        "a 8",
        "+30",
        participants=Q + "a | +0 | +5 | +0 | -\na | +0 | +8 | +20 | -",
    ),
]
PARTICIPANTS_TOGETHER = Together(PARTICIPANTS)


@pytest.mark.parametrize("case", PARTICIPANTS, ids=lambda case: case.name)
def test_participants_known(case: Case) -> None:
    people = PARTICIPANTS_TOGETHER.rows(case, "people")
    days = (people["intake_date"] - people["referral_date"]).dt.days
    found = [f"{p} {'-' if d != d else int(d)}" for p, d in zip(people["participant_id"], days, strict=True)]
    assert "; ".join(found) == case.expect


def test_attrition_counts_each_step() -> None:
    rows = """participant_id | referral_date | intake_date | pathway
        a | 2021-12-31 | -  | non_mandated
        a | +0         | +1 | non_mandated
        a | +40        | +41 | paip
        b | +0         | -  | paip
        b | +0         | +3 | paip
        c | +0         | +2 | other
        d | +61        | -  | paip"""
    cohort = spec_cohort({"participants": rows}, "+60")
    steps = cohort.attrition.tidy().query("group == 'all' and variable == 'cohort'")
    assert steps["term"].tolist() == ["unique", "in_study", "first", "in_arm"]
    assert steps["n"].tolist() == [6, 5, 4, 3]
    assert steps["n_event"].tolist() == [5, 4, 3, 2]
    assert steps["n_excluded"].tolist() == [1, 1, 1, 1]
    assert cohort.people["participant_id"].tolist() == ["a", "b"]
    assert cohort.people["group"].tolist() == ["Pilot", "PAIP"]
    again = cohort.attrition.analysis.estimate(cohort.attrition.counts)
    assert again.tidy().equals(cohort.attrition.tidy())


@pytest.mark.parametrize(("start", "n"), [("2021-12-31", 1), ("2022-01-01", 1), ("2022-01-02", 0)])
def test_the_study_starts_on_its_first_day(start: str, n: int) -> None:
    cohort = spec_cohort({"participants": P + "a | +0 | +1"}, "+60", starts=start)
    assert len(cohort.people) == n
