"""Who has a first session within two weeks of referral, and the days by which quarters of everybody had one."""

import pytest

from cohort.spec import spec_cohort
from evalkit import analyses

PEOPLE = """
participant_id | referral_date | intake_date | pathway      | referral_source
a | +0 | -  | non_mandated | self
b | +0 | -  | non_mandated | self
c | +0 | -  | non_mandated | court
d | +0 | -  | non_mandated | -
e | +6 | -  | non_mandated | self
f | +0 | -  | paip         | court
"""
SESSIONS = """
participant_id | session_date | kind  | status
a | +14 | group | attended
b | +15 | group | attended
c | +3  | group | absent
e | +6  | group | attended
f | +0  | group | attended
"""
EXITS = """
participant_id | exit_date | reason
c | +5 | dropped_out
"""


def known(cut: str):
    return spec_cohort({"participants": PEOPLE, "sessions": SESSIONS, "exits": EXITS}, cut)


@pytest.mark.parametrize(
    ("cut", "shares"),
    [
        ("+13", {}),  # nobody's two weeks are over
        ("+14", {"all": "1/4", "self": "1/2", "court": "0/1", "not recorded": "0/1"}),  # a on day 14 counts
        ("+15", {"all": "1/4", "self": "1/2", "court": "0/1", "not recorded": "0/1"}),  # b on day 15 does not
        ("+19", {"all": "1/4", "self": "1/2", "court": "0/1", "not recorded": "0/1"}),  # e's end on day 20
        ("+20", {"all": "2/5", "self": "2/3", "court": "0/1", "not recorded": "0/1"}),
    ],
)
def test_a_prompt_first_session(cut: str, shares: dict[str, str]) -> None:
    found = analyses.waiting(known(cut)).tidy()
    own = found[found["group"] == "Pilot"]
    names = own["term"].str.removeprefix("referral_source: ")
    assert {n: f"{x}/{m}" for n, x, m in zip(names, own["n_event"], own["n"], strict=True)} == shares
    if shares:
        assert own["variable"].tolist() == ["Everybody", *["Referral source"] * 3]
        assert own["term"].iloc[1] == "referral_source: self"  # the largest source first


def test_quarters_of_everybody_referred() -> None:
    """Of five, first sessions after 0, 14 and 15 days; who left first, and who never came, still wait."""
    found = analyses.waiting_days(known("+40")).tidy()
    own = found[found["group"] == "Pilot"].set_index("q")["estimate"]
    assert own.to_dict() == {0.25: 14.0, 0.5: 15.0, 0.75: pytest.approx(float("nan"), nan_ok=True)}
    came = analyses.time_to_first_session(known("+40")).tidy()
    assert came[came["group"] == "Pilot"]["estimate"].iloc[-1] == pytest.approx(3 / 5)


def test_classes_of_waiting_hold_both_their_ends() -> None:
    days = [0, 7, 8, 14, 15, 30, 31]
    people = "participant_id | referral_date | intake_date\n" + "\n".join(f"p{d} | +0 | +{d}" for d in days)
    sessions = "participant_id | session_date | kind | status\np0 | +40 | group | attended"
    found = analyses.starting_by_wait(spec_cohort({"participants": people, "sessions": sessions}, "+60"))
    assert found.counts.data.groupby("group")["n_entry"].sum().to_dict() == {
        "people who waited 0 to 7 days": 2,
        "people who waited 8 to 14 days": 2,
        "people who waited 15 to 30 days": 2,
        "people who waited 31 days or more": 1,
    }


def test_other_days() -> None:
    found = analyses.waiting(known("+40"), days=15).tidy()
    assert found.loc[(found["group"] == "Pilot") & (found["term"] == "all"), "n_event"].item() == 3
    assert analyses.waiting(known("+40"), days=15).id != analyses.waiting(known("+40")).id
