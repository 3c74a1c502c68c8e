"""Dose, gaps, returns, caseload and data quality on small tables."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from cohort.spec import day, spec_cohort, spec_data
from evalkit import analyses
from evalkit.analyses import MeanOf
from evalkit.counts import Moments
from evalkit.disclosure import Policy
from evalkit.disclosure._limits import widened
from evalkit.errors import UsageError

RULES = {
    "completion": "either",
    "counting_kinds": ["group"],
    "dose_sessions": 4,
    "dose_hours": 6,
    "disengagement_gap_days": 10,
    "funnel": {"half_dose_sessions": 2, "half_dose_days": 12, "completion_days": 40},
}
PEOPLE = """
participant_id | referral_date | intake_date | outcome_follow_up_end
a | +0 | +0 | +300
b | +0 | +0 | +20
c | +5 | +6 | -
"""
SESSIONS = """
participant_id | session_date | kind | status | hours
a | +1  | group      | attended | 1.5
a | +8  | group      | attended | 2
a | +15 | group      | absent   | 0
a | +18 | group      | attended | 1.5
a | +22 | group      | excused  | 0
a | +25 | individual | attended | 1
a | +28 | group      | attended | 1.5
b | +2  | group      | attended | 1.5
b | +3  | group      | attended | 1.5
b | +9  | group      | absent   | 0
b | +14 | group      | attended | 1.5
b | +31 | group      | attended | 1.5
b | +60 | group      | attended | 1.5
"""
TABLES = {"participants": PEOPLE, "sessions": SESSIONS}


def cohort_at(cut, **more):
    return spec_cohort({**TABLES, **more}, cut, rules=RULES)


def pilot(estimates):
    table = estimates.tidy()
    return table[table["group"] == "Pilot"].set_index("term")


def test_attendance_rate_leaves_out_excused():
    row = pilot(analyses.attendance_rate(cohort_at("+100"))).iloc[0]
    assert row["estimate"] == pytest.approx(10 / 12)
    assert row["n"] == 2


@pytest.mark.parametrize(
    ("cut", "n", "sessions", "hours"),
    [
        ("+6", 0, [], []),
        ("+7", 1, [1.0], [1.5]),  # a's week holds days 1 to 7
        ("+8", 2, [1.5], [2.25]),  # b's holds days 2 to 8
        ("+100", 2, [1.5, 1.0, 0.5], [2.25, 1.75, 0.75]),
    ],
)
def test_dose_by_week_is_over_those_whose_week_is_over(cut, n, sessions, hours):
    known = cohort_at(cut)
    for what, expected in (("sessions", sessions), ("hours", hours)):
        own = pilot(analyses.dose_by_week(known, what, weeks=3))
        assert own["estimate"].tolist() == pytest.approx(expected)
        assert own["n"].tolist() == [n] * len(expected)
    with pytest.raises(UsageError):
        analyses.dose_by_week(known, "days")


def test_dose_counts_counting_sessions_within_the_window():
    own = pilot(analyses.dose_distribution(cohort_at("+100")))
    # a: 4 groups by day 41; b: 4 groups within 40 days of day 2, the fifth on 60 is too late
    assert own["n_event"].to_dict() == {"0": 0, "1": 0, "2 to 3": 0, "4 or more": 2}
    reached = pilot(analyses.dose_reached(cohort_at("+100")))
    assert reached["estimate"].tolist() == pytest.approx([1.0, 1.0])
    early = pilot(analyses.dose_reached(cohort_at("+41")))
    assert early["n"].tolist() == [1, 1]


def test_limits_of_a_mean_share_are_shares():
    rows = pd.DataFrame({"group": ["a", "b"], "term": ["hours"] * 2, "n": [12, 12], "largest": [1.0, 1.0]})
    rows = rows.assign(total=[11.5, 0.5], total_sq=[11.25, 0.25])
    share, mean = (MeanOf("k", "e", of_shares=so).estimate(Moments(rows)).tidy() for so in (True, False))
    assert (mean["conf_high"].max() > 1, mean["conf_low"].min() < 0) == (True, True)
    assert (share["conf_high"].tolist()[0], share["conf_low"].tolist()[1]) == (1, 0)
    policy = Policy(secret=bytes(32))
    wide = widened(share, Moments(rows), policy, shares=True)
    assert wide[["conf_low", "conf_high"]].to_numpy().min() >= 0
    assert wide[["conf_low", "conf_high"]].to_numpy().max() <= 1


def test_longest_gap():
    own = pilot(analyses.longest_gap(cohort_at("+100")))
    # a: 7, 10, 7, 3 -> 10; b: 1, 11, 17, 29 -> 29
    assert own["n_event"].to_dict() == {"1 to 7 days": 0, "8 to 10 days": 1, "more than 10 days": 1}


@pytest.mark.parametrize(("cut", "days", "expected"), [("+19", 7, "0/0"), ("+20", 7, "1/1"), ("+14", 1, "1/1")])
def test_returns_need_their_days_to_be_over(cut, days, expected):
    # b: last session before the gap on 3, disengaged on 13; back on 14
    known = cohort_at(cut)
    people = known.people.set_index("participant_id")
    assert people.loc["b", "disengagement_date"].date().isoformat() == day("+13")
    assert people.loc["b", "return_date"].date().isoformat() == day("+14")
    row = pilot(analyses.returns(known, days=days)).iloc[0]
    assert f"{row['n_event']}/{row['n']}" == expected


def test_return_times():
    frame = analyses.return_times(cohort_at("+100")).set_index("participant_id")
    assert frame.loc["b", ["time", "event"]].tolist() == [1, 1]


def test_first_session_times():
    frame = analyses.first_session_times(cohort_at("+100")).set_index("participant_id")
    assert frame[["time", "event"]].to_numpy().tolist() == [[1, 1], [2, 1], [95, 0]]


def test_caseload_counts_months_that_are_over():
    table = analyses.caseload(cohort_at("+57")).tidy()  # 27 February
    own = table[table["group"] == "Pilot"].set_index("term")["n"]
    assert own["2022-01 referred"] == 3
    assert own["2022-01 intake"] == 3
    assert own["2022-01 started"] == 2
    assert own["2022-01 active"] == 0  # a completed on +28, b disengaged on +13
    assert "2022-02 active" not in own.index


def test_completeness_and_loss():
    known = cohort_at("+200", outcomes="participant_id | outcome_date | kind\na | +50 | dv_arrest")
    own = pilot(analyses.completeness(known))
    assert (own.loc["intake_date", "n_event"], own.loc["site", "n_event"]) == (3, 0)
    lost = pilot(analyses.lost_to_follow_up(known, days=90))
    assert (lost.loc["harm", "n_event"], lost.loc["harm", "n"]) == (1, 3)
    nobody = pilot(analyses.lost_to_follow_up(known, days=180))
    assert nobody.loc["harm", "n_event"] == 0


def test_late_entry_knows_only_what_was_recorded():
    sessions = """
participant_id | session_date | recorded_on
a | +1 | +1
a | +2 | +5
a | +3 | +40
"""
    data = spec_data({"participants": PEOPLE, "sessions": sessions}, rules=RULES)
    # entered 0 and 3 days late by day 30, and then 37; tables without a day of entry have no line
    for cut, expected in (("+30", ["sessions", 2, 0, 0, 3]), ("+50", ["sessions", 3, 3, 0, 37])):
        table = analyses.late_entry(data.at(date.fromisoformat(day(cut))), fewest=1).tidy()
        assert table.to_numpy().tolist() == [expected]
        assert list(table) == ["group", "n", "median", "lower_quartile", "upper_quartile"]
    few = analyses.late_entry(data.at(date.fromisoformat(day("+50"))), fewest=2).tidy()
    assert few.empty  # many rows, and one person
    assert few.dtypes.astype(str).to_list()[1:] == ["float64"] * 4


def test_rows_that_nobody_may_be_told_of_are_counts_of_nothing_and_whole_numbers_stay_numbers():
    sessions = "participant_id | session_date | recorded_on\na | +1 | +1\na | +2 | +5\nb | +3 | +2"
    data = spec_data({"participants": PEOPLE, "sessions": sessions}, rules=RULES).at(date.fromisoformat(day("+50")))
    none, both = analyses.late_entry(data, fewest=3), analyses.late_entry(data, fewest=2)
    assert none.counts.frame.dtypes.astype(str).to_dict() == {"group": "object", "time": "float64"} | dict.fromkeys(
        ["n_entry", "n_event_1", "n_censor"], "int64"
    )
    # One row was entered before it happened: it is no delay, and not counted.
    of_sessions = both.counts.frame[both.counts.frame["group"] == "sessions"]
    assert of_sessions.to_numpy().tolist() == [
        ["sessions", -np.inf, 2, 0, 0],
        ["sessions", 0, 0, 1, 0],
        ["sessions", 3, 0, 1, 0],
    ]
    assert both.notes == ("n is rows, not people. Rows not yet entered are not among them.",)
    assert (both.analysis.recorded, none.analysis.recorded) == (True, True)
    entered = "participant_id | referral_date | recorded_on\na | +0 | +1\nb | +0 | +2"
    two = spec_data({"participants": entered, "sessions": sessions}, rules=RULES).at(date.fromisoformat(day("+50")))
    behind = analyses.late_entry(two, fewest=2).counts.people
    assert behind.groupby("group").size().to_dict() == {"participants": 2, "sessions": 2}
    assert behind.index.is_unique
    plain = spec_data(TABLES, rules=RULES).at(date.fromisoformat(day("+50")))
    assert analyses.late_entry(plain, fewest=1).analysis.recorded is False
