"""What changed since a quarter was first reported, and why."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from cohort.spec import START, spec_cohort, spec_data
from evalkit.cohort import build, restatements
from evalkit.errors import UsageError

P = "participant_id | referral_date | intake_date | recorded_on | retracted_on\n a | +0 | +1 | +0 | -"
S = "participant_id | session_date | recorded_on | retracted_on\n a | +5 | +5 | -\n"
CUT = START + timedelta(days=30)

CASES = [
    ("a late session", "a | +20 | +40 | -", ["attended sessions 1 2 late entry 1 0 0"]),
    ("recorded on the cut, or after the period: none", "a | +20 | +30 | -\na | +31 | +40 | -", []),
    ("a retraction", "a | +20 | +20 | +40", ["attended sessions 2 1 retraction 0 0 1"]),
    ("a correction that changes no figure", "a | +20 | +20 | +40\na | +21 | +40 | -", []),
    ("a correction of the day, out of the period", "a | +20 | +20 | +40\na | +35 | +40 | -", ["attended sessions 2 1 retraction 0 0 1"]),
    ("recorded the day after the cut, and on the last day looked at", "a | +20 | +31 | -\na | +21 | +90 | -", ["attended sessions 1 3 late entry 2 0 0"]),
    ("recorded the day after that", "a | +20 | +91 | -", []),
    ("retracted the day after the cut", "a | +20 | +20 | +31", ["attended sessions 2 1 retraction 0 0 1"]),
    ("retracted on the last day looked at", "a | +20 | +20 | +90", ["attended sessions 2 1 retraction 0 0 1"]),
    ("retracted the day after that", "a | +20 | +20 | +91", []),
    ("of the last day of the period, and of the day after", "a | +30 | +40 | -\na | +31 | +40 | -", ["attended sessions 1 2 late entry 1 0 0"]),
    ("two for one, entered on the day of the retraction", "a | +20 | +20 | +40\na | +21 | +40 | -\na | +22 | +40 | -", ["attended sessions 2 3 correction 0 1 0"]),
    ("two for one, the second entered on another day", "a | +20 | +20 | +40\na | +21 | +40 | -\na | +22 | +41 | -", ["attended sessions 2 3 late entry, correction 1 1 0"]),
    ("the same day again, entered later", "a | +20 | +20 | +40\na | +20 | +45 | -\na | +21 | +45 | -", ["attended sessions 2 3 late entry, correction 1 1 0"]),
    ("entered late and withdrawn on the last day looked at", "a | +20 | +35 | +90", []),
    ("entered late and withdrawn the day after that", "a | +20 | +35 | +91", ["attended sessions 1 2 late entry 1 0 0"]),
    ("entered late and withdrawn at once, or withdrawn on the cut", "a | +20 | +35 | +40\na | +21 | +21 | +30", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rows", "expect"), CASES, ids=[c[0] for c in CASES])
def test_restatements(name: str, rows: str, expect: list[str]) -> None:
    found = restatements(spec_data({"participants": P, "sessions": S + rows}), CUT, known_on=CUT + timedelta(days=60))
    found = found[(found["group"] == "all") & (found["figure"] != "attended hours")]
    texts = [
        f"{r.figure} {r.old:g} {r.new:g} {r.reason} {r.n_late} {r.n_corrected} {r.n_retracted}"
        for r in found.itertuples()
    ]
    assert texts == expect
    assert found["n_people"].eq(1).all()  # however many rows are theirs


def test_a_correction_of_hours() -> None:
    head = "participant_id | session_date | hours | recorded_on | retracted_on\n"
    rows = head + "a | +5 | 1 | +5 | +40\n a | +5 | 2 | +40 | -"
    found = restatements(spec_data({"participants": P, "sessions": rows}), CUT)
    assert found[["figure", "group", "old", "new", "reason"]].to_numpy().tolist() == [
        ["attended hours", "all", 1.0, 2.0, "correction"],
        ["attended hours", "Pilot", 1.0, 2.0, "correction"],
    ]


def test_late_outcomes_and_late_referrals_by_group() -> None:
    people = P + "\n b | +2 | +3 | +50 | -"
    outcomes = (
        "participant_id | outcome_date | kind | recorded_on\n a | +9 | dv_arrest | +70\n a | +12 | dv_arrest | +10"
    )
    data = spec_data({"participants": people, "outcomes": outcomes, "sessions": S})
    found = restatements(data, CUT).query("group == 'Pilot'").set_index("figure")
    assert found["new"].to_dict() == {"referrals": 2, "intakes": 2, "harm events": 2}
    assert found["old"].to_dict() == {"referrals": 1, "intakes": 1, "harm events": 1}
    assert found.loc["referrals", "reason"] == "late entry"
    assert found["n_people"].to_dict() == {"referrals": 1, "intakes": 1, "harm events": 2}


def test_knowledge_before_the_cut_makes_no_sense() -> None:
    with pytest.raises(UsageError):
        spec_data({"participants": P}).at(CUT, known_on=CUT - timedelta(days=1))


def test_what_was_known_later_has_the_old_end() -> None:
    data = spec_data({"participants": P, "sessions": S + "a | +20 | +40 | -\na | +33 | +33 | -"})
    later = build(data.at(CUT, known_on=CUT + timedelta(days=20)))
    assert later.cut == CUT
    assert later.retention()["time"].tolist() == [25]
    assert later.people["n_attended"].tolist() == [2]


def test_two_extracts_of_one_quarter_should_agree() -> None:
    old = spec_data({"participants": P, "sessions": S + "a | +20 | +20 | -"})
    honest = spec_data({"participants": P, "sessions": S + "a | +20 | +20 | +40\na | +22 | +40 | -"})
    assert restatements(honest, CUT, earlier=old).empty
    silent = spec_data({"participants": P, "sessions": S})
    found = restatements(silent, CUT, earlier=old).query("figure == 'attended sessions'")
    assert found["reason"].tolist() == ["changed without a trace"] * 2
    assert found["old"].tolist() == [2, 2]
    assert found["new"].tolist() == [1, 1]


def test_without_optional_tables() -> None:
    from cohort.spec import open_frames, table

    late = "participant_id | referral_date | recorded_on\n a | +0 | +0\n b | +3 | +40"
    data = open_frames({"participants": table("participants", late)})
    found = restatements(data, date(2022, 1, 31), known_on=date(2022, 3, 1))
    rows = [
        ["referrals", "all", 1, 2, "late entry", 1, 0, 0, 1],
        ["referrals", "Pilot", 1, 2, "late entry", 1, 0, 0, 1],
    ]
    assert found.iloc[:, :9].to_numpy().tolist() == rows
    assert [(len(old), len(new)) for old, new in zip(found["who_old"], found["who_new"], strict=True)] == [(1, 2)] * 2
    assert found[["largest_old", "largest_new"]].eq(1).all(axis=None)
    assert spec_cohort({"participants": P}, "+30").has("sessions")


REFERRED = ["a | +0 | +1 | non_mandated | +0 | -", "a | +25 | +25 | paip | +25 | -"]
CORRECTED = ["a | +0 | +1 | paip | +0 | +3", "a | +0 | +1 | non_mandated | +3 | -"]


@pytest.mark.parametrize("rows", [REFERRED, REFERRED[::-1], CORRECTED, CORRECTED[::-1]])
def test_who_has_rows_of_two_arms_is_of_the_first_referral_in_any_order_of_rows(rows: list[str]) -> None:
    head = "participant_id | referral_date | intake_date | pathway | recorded_on | retracted_on\n"
    people = head + "\n".join(rows)
    found = restatements(spec_data({"participants": people, "sessions": S + "a | +20 | +40 | -"}), CUT)
    of = found[(found["figure"] == "attended sessions") & (found["group"] == "Pilot")]
    assert of[["old", "new", "reason", "n_late"]].to_numpy().tolist() == [[1, 2, "late entry", 1]]
