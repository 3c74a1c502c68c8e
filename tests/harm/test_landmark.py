"""The landmark: days from harm's origin, who is still at risk after it, and who has completed by then."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from cohort.spec import START, spec_cohort
from evalkit.analyses import completed_by, first_harm, harm_after_completion, mean_without_harm
from evalkit.cohort import Cohort
from evalkit.protocol import Rules

P = "participant_id | referral_date | intake_date\na | +0 | +20"
S = "participant_id | session_date\na | +1"
X = "participant_id | exit_date | reason\n"
O = "participant_id | outcome_date | kind\n"  # noqa: E741


def drawn(exits: str = "", outcomes: str = "", cut: str = "+400", people: str = P, sessions: str = S, **changes: object) -> Cohort:  # fmt: skip
    tables = {"participants": people, "sessions": sessions, "exits": X + exits, "outcomes": O + outcomes}
    return spec_cohort(tables, cut, **changes)


def after(cohort: Cohort) -> list[tuple[str, int, int, int]]:
    rows = completed_by(cohort)
    columns = ["participant_id", "time", "event", "completed"]
    return [tuple(row) for row in rows[columns].itertuples(index=False)]


def test_a_weekly_dose_and_the_wait_before_it_are_over_by_then() -> None:
    assert Rules().landmark_day == 270


@pytest.mark.parametrize(
    ("exits", "outcomes", "cut", "expected"),
    [
        ("a | +269 | completed", "", "+400", [("a", 130, 0, 1)]),
        ("a | +270 | completed", "", "+400", [("a", 130, 0, 1)]),
        ("a | +271 | completed", "", "+400", [("a", 130, 0, 0)]),
        ("", "", "+400", [("a", 130, 0, 0)]),
        ("", "", "+270", []),
        ("", "", "+271", [("a", 1, 0, 0)]),
        ("a | +100 | completed", "a | +269 | dv_arrest", "+400", []),
        ("a | +100 | completed", "a | +270 | dv_arrest", "+400", []),
        ("a | +100 | completed", "a | +271 | dv_arrest", "+400", [("a", 1, 1, 1)]),
        ("a | +270 | deceased", "", "+400", []),
        ("a | +271 | deceased", "", "+400", [("a", 1, 0, 0)]),
        ("a | +10 | dropped_out\na | +200 | completed", "", "+400", [("a", 130, 0, 1)]),
    ],
    ids=[
        *("completed the day before", "on the landmark", "the day after", "never"),
        *("followed to the landmark: not at risk", "a day longer"),
        *("harm the day before: not at risk", "on the landmark: not at risk", "the day after"),
        *("died on the landmark", "the day after", "completed after a disengagement"),
    ],
)
def test_the_landmark(exits: str, outcomes: str, cut: str, expected: list[tuple[str, int, int, int]]) -> None:
    assert after(drawn(exits, outcomes, cut)) == expected


@pytest.mark.parametrize(("day", "completed"), [(289, 1), (290, 1), (291, 0)])
def test_from_the_intake_where_harm_begins_there(day: int, completed: int) -> None:
    cohort = drawn(f"a | +{day} | completed", harm={"origin": "intake"})
    assert after(cohort) == [("a", 110, 0, completed)]


def test_completing_is_what_the_protocol_says() -> None:
    """The dose on day 8, and no exit."""
    sessions = S + "\na | +8"
    rules = {"dose_sessions": 2, "dose_hours": 3, "funnel": {"half_dose_sessions": 1}}
    assert after(drawn(sessions=sessions, rules=rules)) == [("a", 130, 0, 0)]
    assert after(drawn(sessions=sessions, rules={**rules, "completion": "dose"})) == [("a", 130, 0, 1)]


def test_the_population_names_the_origin() -> None:
    people = P + "\nb | +0 | +0"
    both = S + "\nb | +1"
    for origin in ("referral", "intake"):
        cohort = drawn("a | +30 | completed", people=people, sessions=both, harm={"origin": origin})
        curves, model = harm_after_completion(cohort)
        said = f"people followed and without domestic-violence re-arrest on day 270 after {origin}"
        assert curves.population == model.population == said
    assert START + timedelta(days=270) == date(2022, 9, 28)


@pytest.mark.parametrize(("deaths", "told"), [(11, True), (10, False)])
def test_deaths_compete_where_enough_people_of_each_group_died(deaths: int, told: bool) -> None:
    """30 of each group, 12 with harm on day 50; of the pilot 15 die on day 20, of PAIP 11 or 10."""
    people, exits, outcomes = ["participant_id | pathway | referral_date"], [], []
    for arm, n_dead in (("non_mandated", 15), ("paip", deaths)):
        for n in range(30):
            people.append(f"{arm}{n:02d} | {arm} | +0")
            exits += [f"{arm}{n:02d} | +20 | deceased"] * (n < n_dead)
            outcomes += [f"{arm}{n:02d} | +50 | dv_arrest"] * (n >= 18)
    cohort = spec_cohort(
        {"participants": "\n".join(people), "exits": X + "\n".join(exits), "outcomes": O + "\n".join(outcomes)}, "+100"
    )
    found = first_harm(cohort)
    rows = found.tidy().query("time == 50 and group == 'Pilot'").set_index("cause")["estimate"]
    # 15 are alive on day 50, of whom 12 have harm: as shares of all 30 where death competes.
    competing = {"domestic-violence re-arrest": 12 / 30, "death": 15 / 30}
    assert rows.to_dict() == pytest.approx(competing if told else {"domestic-violence re-arrest": 12 / 15})
    note = "Of death, few or none in a group, only the end of follow-up is counted."
    assert (note in found.notes) is not told
    assert mean_without_harm(cohort, 60).tidy()["estimate"].notna().all()
