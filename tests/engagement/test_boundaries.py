"""The last day that counts and the first that does not, for every window of the analyses of engagement."""

from __future__ import annotations

from datetime import date

import pytest

from cohort.spec import day, spec_cohort, spec_data
from evalkit import analyses
from evalkit.cohort import Cohort
from evalkit.errors import AnalysisError, UsageError

P = "participant_id | referral_date | intake_date | outcome_follow_up_end\n"
S = "participant_id | session_date | kind | status | hours\n"
RULES = {"completion": "either", "counting_kinds": ["group"], "dose_sessions": 4, "dose_hours": 6, "disengagement_gap_days": 10, "funnel": {"half_dose_sessions": 2, "half_dose_days": 12, "completion_days": 40}}  # fmt: skip


def study(
    cut: str, *sessions: int, people: str = P + "a | +0 | +0 | -", rules: dict[str, object] = RULES, **more: str
) -> Cohort:
    tables = {
        "participants": people,
        "sessions": S + "\n".join(f"a | +{d} | group | attended | 1.5" for d in sessions),
        **more,
    }
    return spec_cohort(tables, cut, rules=rules)


def met(found: object, *terms: str) -> str:
    rows = found.tidy()
    rows = rows[rows["group"] == "Pilot"].set_index("term")
    return " ".join(f"{rows.loc[t, 'n_event']}/{rows.loc[t, 'n']}" for t in terms)


@pytest.mark.parametrize(
    ("gap", "expect"),
    [(1, "1/1 0/1 0/1"), (7, "1/1 0/1 0/1"), (8, "0/1 1/1 0/1"), (10, "0/1 1/1 0/1"), (11, "0/1 0/1 1/1")],
)
def test_classes_of_gaps(gap: int, expect: str) -> None:
    assert (
        met(analyses.longest_gap(study("+90", 3, 3 + gap)), "1 to 7 days", "8 to 10 days", "more than 10 days")
        == expect
    )


def test_a_day_attended_twice_is_no_gap() -> None:
    assert analyses.longest_gap(study("+90", 3, 3)).tidy()["n"].tolist() == [0] * 6


@pytest.mark.parametrize(
    ("n", "expect"),
    [(1, "1/1 0/1 0/1"), (2, "0/1 1/1 0/1"), (3, "0/1 1/1 0/1"), (4, "0/1 0/1 1/1"), (5, "0/1 0/1 1/1")],
)
def test_classes_of_doses(n: int, expect: str) -> None:
    assert met(analyses.dose_distribution(study("+90", *range(1, n + 1))), "1", "2 to 3", "4 or more") == expect


@pytest.mark.parametrize(
    ("n", "expect"), [(1, "1/1 0/1 0/1 0/1"), (2, "0/1 1/1 0/1 0/1"), (4, "0/1 0/1 1/1 0/1"), (5, "0/1 0/1 0/1 1/1")]
)
def test_a_quarter_and_a_half_of_a_dose_are_whole_sessions_rounded_up(n: int, expect: str) -> None:
    found = analyses.dose_distribution(study("+90", *range(1, n + 1), rules={**RULES, "dose_sessions": 5}))
    assert met(found, "1", "2", "3 to 4", "5 or more") == expect


@pytest.mark.parametrize(
    ("last", "cut", "expect"), [(41, "+90", "1/1"), (42, "+90", "0/1"), (41, "+41", "1/1"), (40, "+40", "0/0")]
)
def test_the_window_of_the_dose_holds_its_last_day(last: int, cut: str, expect: str) -> None:
    known = study(cut, 1, 2, 3, last)
    assert met(analyses.dose_distribution(known), "4 or more") == expect
    assert met(analyses.dose_and_completion(known), "dose", "completed") == f"{expect} {expect}"


@pytest.mark.parametrize(
    ("last", "cut", "expect"), [(40, "+90", "1/1"), (41, "+90", "0/1"), (40, "+40", "1/1"), (39, "+39", "0/0")]
)
def test_the_window_of_completing_since_the_intake_holds_its_last_day(last: int, cut: str, expect: str) -> None:
    assert met(analyses.completion_of_intakes(study(cut, 1, 2, 3, last)), "completed") == expect


@pytest.mark.parametrize(
    ("cut", "days", "expect"), [("+110", 90, "0/1"), ("+111", 90, "1/1"), ("+20", 0, "0/1"), ("+21", 0, "1/1")]
)
def test_lost_to_the_search(cut: str, days: int, expect: str) -> None:
    known = study(cut, people=P + "a | +0 | +0 | +20", outcomes="participant_id | outcome_date | kind\n")
    assert met(analyses.lost_to_follow_up(known, days=days), "harm") == expect


@pytest.mark.parametrize(("reason", "expect"), [("moved", "1/1"), ("dropped_out", "0/1"), ("completed", "0/1")])
def test_lost_to_retention_are_those_who_left_without_an_event(reason: str, expect: str) -> None:
    left = f"participant_id | exit_date | reason\na | +8 | {reason}"
    known = study("+90", 1, 5, exits=left)
    assert met(analyses.lost_to_follow_up(known), "retention") == expect
    assert met(analyses.lost_to_follow_up(study("+7", 1, 5, exits=left)), "retention") == "0/1"  # still coming


@pytest.mark.parametrize(("back", "days", "cut", "expect"), [(21, 10, "+90", "1/1"), (22, 10, "+90", "0/1"), (21, 10, "+21", "1/1"), (21, 10, "+20", "0/0")])  # fmt: skip
def test_back_within_so_many_days_of_disengaging(back: int, days: int, cut: str, expect: str) -> None:
    assert met(analyses.returns(study(cut, 1, back), days=days), "returned") == expect  # disengaged on day 11


@pytest.mark.parametrize(
    ("since", "expect"), [("+2", "2/3"), ("+3", "1/3"), ("+4", "1/3"), ("+5", "0/3"), ("+0", "3/3"), ("-1", "3/3")]
)
def test_referred_since_a_day(since: str, expect: str) -> None:
    known = study("+90", people=P + "a | +0 | +0 | -\nb | +2 | +3 | -\nc | +4 | +4 | -")
    found = analyses.referred(known, date.fromisoformat(day(since)))
    assert met(found, "all", "new") == f"3/3 {expect}"


@pytest.mark.parametrize(
    ("cut", "months"), [("+29", []), ("+30", ["2022-01"]), ("+57", ["2022-01"]), ("+58", ["2022-01", "2022-02"])]
)
def test_months_that_are_over(cut: str, months: list[str]) -> None:
    rows = analyses.caseload(study(cut, 1)).tidy()
    assert list(dict.fromkeys(rows["period"])) == months if months else rows.empty


@pytest.mark.parametrize(("first", "expect"), [(30, [1, 0, 1, 1, 0]), (31, [0, 1, 0, 1, 1])])
def test_the_month_of_a_first_session_and_of_its_end(first: int, expect: list[int]) -> None:
    """January 31 and February 1; disengaged ten days later; active on a month's last day."""
    rows = analyses.caseload(study("+100", first, first + 18)).tidy().query("group == 'Pilot'").set_index("term")["n"]
    months = ["2022-01 started", "2022-02 started", "2022-01 active", "2022-02 referred", "2022-02 active"]
    assert [rows[m] for m in months] == [expect[0], expect[1], expect[2], 0, 0]
    early = analyses.caseload(study("+58", first + 21)).tidy().query("group == 'Pilot'").set_index("term")["n"]
    assert early["2022-02 active"] == int(first + 31 > 58)


@pytest.mark.parametrize(("first", "active"), [(20, 0), (21, 1)])
def test_who_disengages_on_a_months_last_day_is_not_active_then(first: int, active: int) -> None:
    rows = analyses.caseload(study("+58", first)).tidy().query("group == 'Pilot'").set_index("term")["n"]
    assert rows["2022-01 active"] == active  # ten days later: January 31, February 1


@pytest.mark.parametrize(("fewest", "n"), [(1, 1), (2, 1), (3, 0)])
def test_late_entry_speaks_of_enough_people(fewest: int, n: int) -> None:
    people = P + "a | +0 | +0 | -\nb | +0 | +0 | -"
    sessions = "participant_id | session_date | recorded_on\na | +1 | +1\na | +2 | +5\nb | +2 | +3"
    data = spec_data({"participants": people, "sessions": sessions})
    assert len(analyses.late_entry(data.at(date(2022, 3, 1)), fewest).tidy()) == n


REFUSED = [
    (lambda k: analyses.dose_by_week(k, "days"), UsageError, "dose_by_week: what must be sessions or hours, and weeks 1 or more"),
    (lambda k: analyses.dose_by_week(k, weeks=0), UsageError, "dose_by_week: what must be sessions or hours, and weeks 1 or more"),
    (lambda k: analyses.returns(k, days=0), UsageError, "returns: days must be 1 or more"),
    (lambda k: analyses.lost_to_follow_up(k, days=-1), UsageError, "lost_to_follow_up: days must be 0 or more"),
    (lambda k: analyses.engaged_by(k, "sit"), UsageError, "engaged_by: place 'sit' is not one of site, community_area, referral_source; did you mean 'site'?"),
    (lambda k: analyses.reach(k, "age"), UsageError, "reach: 'age' is not one of community_area, referral_source, site"),
    (lambda k: analyses.engaged_across(k, ["sit"]), UsageError, "engaged_across: 'sit' is not one of community_area, referral_source, site; did you mean 'site'?"),
    (lambda k: analyses.trend([]), AnalysisError, "trend needs the cohort of at least one period"),
    (lambda k: analyses.trend([("a", k)], ["intak"]), AnalysisError, "'intak' is not a step of the funnel: intake, first_session, engaged, half_dose, dose, completed; did you mean 'intake'?"),
    (lambda k: analyses.change(k, k, "referred"), AnalysisError, "'referred' is not a step of the funnel: intake, first_session, engaged, half_dose, dose, completed"),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "kind", "words"), REFUSED, ids=[words for _, _, words in REFUSED])
def test_refused_in_these_words(ask: object, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as caught:
        ask(study("+90", 1))
    assert str(caught.value) == words
