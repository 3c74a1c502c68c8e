"""Who belongs to a group: the arms' column, and what else its arm asks for, such as a court's mandate."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from pydantic import ValidationError

from cohort.spec import ARMS, START, open_frames, spec_cohort, table
from evalkit.cohort import Cohort, build
from evalkit.intake._spec import table_spec
from evalkit.protocol import Study

P = "participant_id | pathway | referral_date | mandate | site\n"
COURT = {**ARMS, "comparison": {**ARMS["comparison"], "where": {"mandate": "court"}}}
PEOPLE = P + "\n".join(
    [
        "a | non_mandated | +0 | none | North",
        "b | non_mandated | +0 | - | North",
        "c | paip | +0 | court | North",
        "d | paip | +0 | none | South",
        "e | paip | +0 | - | South",
        "f | paip | +0 | other_order | South",
        "g | paip | +0 | court | South",
    ]
)


def chosen(arms: dict[str, object], people: str = PEOPLE, cut: str = "+50", **changes: object) -> str:
    return who(spec_cohort({"participants": people}, cut, arms=arms, **changes))


def who(cohort: Cohort) -> str:
    return " ".join(f"{p}:{g}" for p, g in zip(cohort.people["participant_id"], cohort.people["group"], strict=True))


def with_focus(where: dict[str, object]) -> dict[str, object]:
    return {**COURT, "focus": {**ARMS["focus"], "where": where}}


@pytest.mark.parametrize(
    ("arms", "expected"),
    [
        (ARMS, "a:Pilot b:Pilot c:PAIP d:PAIP e:PAIP f:PAIP g:PAIP"),
        (COURT, "a:Pilot b:Pilot c:PAIP g:PAIP"),
        ({**ARMS, "comparison": {**ARMS["comparison"], "where": {"mandate": ["court", "other_order"]}}}, "a:Pilot b:Pilot c:PAIP f:PAIP g:PAIP"),
        ({**ARMS, "comparison": {**ARMS["comparison"], "where": {"mandate": "court", "site": "South"}}}, "a:Pilot b:Pilot g:PAIP"),
        (with_focus({"mandate": "none"}), "a:Pilot c:PAIP g:PAIP"),
        (with_focus({"site": ["North", "South"]}), "a:Pilot b:Pilot c:PAIP g:PAIP"),
        (with_focus({"site": "South"}), "c:PAIP g:PAIP"),
    ],
)  # fmt: skip
def test_who_is_in_a_group(arms: dict[str, object], expected: str) -> None:
    assert chosen(arms) == expected


def steps(cohort: Cohort) -> list[list[object]]:
    rows = cohort.attrition.tidy().query("variable == 'cohort'")
    return rows[["term", "label", "n", "n_event"]].to_numpy().tolist()


def test_who_is_in_neither_is_counted_apart() -> None:
    """Of seven, one of whom nobody knows what obliged her, and two of PAIP whom no court did."""
    cohort = spec_cohort({"participants": PEOPLE}, "+50", arms=COURT)
    assert steps(cohort)[2:] == [
        ["first", "the participant's first referral", 7, 7],
        ["in_arm", "in one of the two groups", 7, 7],
        ["where_known", "PAIP: mandate is known", 7, 6],
        ["where_met", "PAIP: mandate is court", 7, 4],
    ]
    assert cohort.notes[-1] != UNRECORDED
    assert cohort.people["mandate"].tolist() == ["none", None, "court", "court"]


UNRECORDED = "The column mandate is not recorded: PAIP is not limited to people for whom it is court."


@pytest.mark.parametrize(
    "people",
    [
        "participant_id | pathway | referral_date\n a | non_mandated | +0\n c | paip | +0",
        P + "a | non_mandated | +0 | - | -\n c | paip | +0 | - | -",
    ],
)
def test_where_nobody_has_a_value_it_is_said_and_not_asked(people: str) -> None:
    cohort = spec_cohort({"participants": people}, "+50", arms=COURT)
    assert who(cohort) == "a:Pilot c:PAIP"
    assert [step[0] for step in steps(cohort)] == ["unique", "in_study", "first", "in_arm"]
    assert cohort.notes[-1] == UNRECORDED


def test_the_mandate_is_the_one_known_at_the_cut() -> None:
    """Corrected on day 40: withdrawn, and entered anew with the same key."""
    rows = "participant_id | pathway | referral_date | mandate | recorded_on | retracted_on\n"
    people = rows + "a | paip | +0 | court | +0 | +40\na | paip | +0 | none | +40 | -\nb | paip | +0 | court | +0 | -"
    assert chosen(COURT, people, "+39") == "a:PAIP b:PAIP"
    assert chosen(COURT, people, "+40") == "b:PAIP"


def test_a_value_that_becomes_known_later_is_not_known_before() -> None:
    rows = "participant_id | pathway | referral_date | mandate | recorded_on | retracted_on\n"
    people = rows + "a | paip | +0 | - | +0 | +40\na | paip | +0 | court | +40 | -\nb | paip | +0 | court | +0 | -"
    assert chosen(COURT, people, "+39") == "b:PAIP"
    assert chosen(COURT, people, "+40") == "a:PAIP b:PAIP"


def test_a_volunteer_whose_second_referral_is_a_courts() -> None:
    """The first episode is analysed, and it is no court's; the second one only where all are."""
    people = P + "a | paip | +0 | none | -\na | paip | +30 | court | -\nb | paip | +0 | court | -"
    assert chosen(COURT, people) == "b:PAIP"
    assert chosen(COURT, people, rules={"episodes": "all"}) == "a:PAIP b:PAIP"


def test_other_columns_are_read_where_a_group_asks_for_them() -> None:
    people = "participant_id | pathway | referral_date | wing\n a | non_mandated | +0 | -\n b | paip | +0 | East\n c | paip | +0 | West"
    arms = {**ARMS, "comparison": {**ARMS["comparison"], "where": {"wing": "East"}}}
    cohort = spec_cohort({"participants": people}, "+50", arms=arms)
    assert who(cohort) == "a:Pilot b:PAIP"
    assert cohort.people["wing"].tolist() == [None, "East"]


def test_a_word_that_no_mandate_is() -> None:
    """It is an error where a group depends on it, and a warning elsewhere."""
    frames = {"participants": table("participants", P + "a | paip | +0 | judge | -\nb | non_mandated | +0 | none | -")}
    found = [
        [(f.severity, f.rule, f.n_rows) for f in open_frames(frames, arms=arms).validate(today=date(2022, 3, 1)) if f.column == "mandate"]
        for arms in (COURT, ARMS)
    ]  # fmt: skip
    assert found == [[("error", "not_allowed", 1)], [("warning", "not_allowed", 1)]]


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ({**ARMS, "comparison": {**ARMS["comparison"], "where": {"pathway": "paip"}}}, "where names the arms' own column 'pathway'"),
        ({**ARMS, "comparison": {**ARMS["comparison"], "where": {"referral_date": "2022-01-01"}}}, "'referral_date', which is no column of words"),
        ({**ARMS, "comparison": {**ARMS["comparison"], "where": {"age": "40"}}}, "'age', which is no column of words"),
        ({**ARMS, "comparison": {**ARMS["comparison"], "where": {"mandate": []}}}, "at least 1 item"),
    ],
)  # fmt: skip
def test_groups_that_cannot_be_meant(arms: dict[str, object], said: str) -> None:
    study = {"id": "s", "title": "S", "starts": START, "arms": arms, "tables": {"participants": {}}}
    with pytest.raises(ValidationError, match=said):
        Study.model_validate({**study, "covariates": [{"name": "age", "label": "Age"}]})


def test_a_study_may_split_by_the_mandate_itself() -> None:
    arms = {
        "column": "mandate",
        "focus": {"value": "none", "label": "Free"},
        "comparison": {"value": "court", "label": "Court"},
    }
    assert chosen(arms) == "a:Free c:Court d:Free g:Court"
    study = open_frames({"participants": table("participants", PEOPLE)}, arms=arms).study
    names = [column.name for column in table_spec(study, "participants").columns]
    assert names.count("mandate") == 1


def test_a_table_without_rows() -> None:
    frames = {
        "participants": pd.DataFrame(columns=["participant_id", "pathway", "referral_date", "intake_date", "mandate"])
    }
    assert build(open_frames(frames, arms=COURT).at(date(2022, 3, 1))).people.empty
