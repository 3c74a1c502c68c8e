"""The funnel's steps, windows and denominators, as the study defines them."""

from datetime import date

import pytest

from cohort.spec import spec_cohort
from evalkit import analyses
from evalkit.errors import UsageError
from evalkit.intake import MissingTableError

RULES = {
    "completion": "either",
    "counting_kinds": ["group"],
    "engaged": {"sessions": 2, "days": 10},
    "dose_sessions": 4,
    "dose_hours": 6,
    "funnel": {
        "intake_days": 5,
        "first_session_days": 8,
        "half_dose_sessions": 2,
        "half_dose_days": 12,
        "completion_days": 20,
    },
}
PEOPLE = """
participant_id | referral_date | intake_date | pathway
a | +0  | +5 | non_mandated
b | +0  | +6 | non_mandated
c | +0  | -  | non_mandated
d | +10 | +10 | non_mandated
e | +0  | +0 | paip
"""
SESSIONS = """
participant_id | session_date | kind | status
a | +8  | group | attended
a | +15 | group | attended
a | +18 | group | absent
a | +20 | individual | attended
a | +27 | group | attended
a | +28 | group | attended
b | +9  | group | attended
b | +16 | individual | attended
b | +22 | group | attended
d | +18 | group | attended
d | +21 | group | attended
e | +0  | group | attended
"""


def rows(cut, **changes):
    known = spec_cohort({"participants": PEOPLE, "sessions": SESSIONS}, cut, rules=RULES, **changes)
    table = analyses.funnel(known).tidy()
    own = table[table["group"] == "Pilot"].set_index("term")
    return {t: f"{own.loc[t, 'n_event']}/{own.loc[t, 'n']}" for t in own.index}


SPECS = """
cut | step          | x/n | why
+4  | intake        | 0/0 | nobody's 5 days are over
+5  | intake        | 1/3 | a on day 5 counts, b on day 6 will not
+14 | intake        | 1/3 | d's window ends on 15
+15 | intake        | 2/4 | now it is over
+7  | first_session | 0/0 | nobody's 8 days are over
+8  | first_session | 1/3 | a on day 8 counts; the only ones referred by 0
+18 | first_session | 2/4 | d on its day 8; b on day 9 came too late
+14 | engaged       | 0/0 | a's 10 days since intake end on 15
+15 | engaged       | 1/1 | a has 2 attended from 5 to 15, both included
+16 | engaged       | 2/2 | b has 9 and 16, on its last day; any kind counts
+20 | engaged       | 2/3 | d has 18 only; 21 is too late; c has no intake and no window
+19 | half_dose     | 0/0 | a's 12 days since its first session end on 20
+20 | half_dose     | 1/1 | a: groups on 8 and 15; individual does not count
+21 | half_dose     | 1/2 | b: 22 is day 13
+30 | half_dose     | 2/3 | d: 18 and 21
+27 | completed     | 0/0 | a's 20 days end on 28
+28 | completed     | 1/1 | a's 4th group is on day 20 of it
+38 | completed     | 1/3 | b and d never complete
"""


@pytest.mark.parametrize("line", SPECS.strip().splitlines()[1:])
def test_step(line):
    cut, step, expected, _ = (cell.strip() for cell in line.split("|"))
    assert rows(cut)[step] == expected


@pytest.mark.parametrize(("rule", "stands"), [("recorded", True), ("either", True), ("dose", False)])
def test_the_dose_stands_beside_completion_where_it_is_another_thing(rule, stands):
    known = spec_cohort({"participants": PEOPLE, "sessions": SESSIONS}, "+38", rules={**RULES, "completion": rule})
    found = analyses.dose_and_completion(known)
    assert dict(found.absence).get("key") == (None if stands else "absent.dose")
    assert found.data.empty is not stands


def test_share_is_of_all_referred_and_intervals_are_wilsons():
    known = spec_cohort({"participants": PEOPLE, "sessions": SESSIONS}, "+38", rules=RULES)
    found = analyses.funnel(known)
    table = found.tidy().set_index(["group", "term"])
    assert table.loc[("Pilot", "completed"), "share"] == pytest.approx(1 / 4)
    assert table.loc[("Pilot", "referred"), ["estimate", "conf_low", "conf_high"]].tolist() == [1, 1, 1]
    # R 4.2.2: prop.test(1, 3, correct = FALSE)$conf.int
    limits = table.loc[("Pilot", "completed"), ["conf_low", "conf_high"]].tolist()
    assert limits == pytest.approx([0.06149194472, 0.7923403992], rel=1e-9)
    assert found.cut == date(2022, 2, 8)


def test_asking_again_of_other_counts_gives_their_result_with_the_same_words():
    known = spec_cohort({"participants": PEOPLE, "sessions": SESSIONS}, "+38", rules=RULES)
    first = analyses.funnel(known)
    doubled = first.counts.frame
    doubled[["n", "n_event"]] *= 2
    again = first.analysis.estimate(type(first.counts)(doubled))
    assert again.tidy()["estimate"].equals(first.tidy()["estimate"])
    assert again.tidy()["share"].equals(first.tidy()["share"])
    assert (again.kind, again.estimand, again.about(asked=first.asked).id) == (first.kind, first.estimand, first.id)


def test_a_completion_recorded_as_an_exit_counts():
    exits = "participant_id | exit_date | reason\nb | +25 | completed"
    known = spec_cohort({"participants": PEOPLE, "sessions": SESSIONS, "exits": exits}, "+38", rules=RULES)
    own = analyses.completion(known).tidy().set_index("group").loc["Pilot"]
    assert (own["n_event"], own["n"]) == (2, 3)


def test_engaged_by_place_keeps_those_without_one():
    people = PEOPLE.replace("| pathway", "| pathway | site")
    lines = people.strip().splitlines()
    sites = ["", " | North", " | South", " | -", " | -", " | North"]
    people = "\n".join(line + site for line, site in zip(lines, sites, strict=True))
    known = spec_cohort({"participants": people, "sessions": SESSIONS}, "+38", rules=RULES)
    table = analyses.engaged_by(known, "site").tidy()
    found = {(r.group, r.term): f"{r.n_event}/{r.n}" for r in table.itertuples()}
    assert found == {
        ("Pilot", "North"): "1/1",
        ("PAIP", "North"): "0/1",
        ("Pilot", "South"): "1/1",
        ("Pilot", "not recorded"): "0/1",
    }
    both = analyses.engaged_by(known, "site", by_arm=False).tidy().set_index("term")
    assert both["n"].to_dict() == {"North": 2, "South": 1, "not recorded": 1}
    with pytest.raises(UsageError, match="did you mean 'site'"):
        analyses.engaged_by(known, "sit")


def test_without_sessions_the_answer_is_nothing_and_why(tmp_path):
    from cohort.spec import make_study, table
    from evalkit.cohort import build
    from evalkit.intake import open_data

    study = make_study(tmp_path, {"participants": table("participants", PEOPLE)})
    known = build(open_data(study).at(date(2022, 3, 1)))
    why = {"key": "absent.table", "table": "sessions", "what": "the funnel from referral to completion"}
    assert dict(analyses.funnel(known).absence) == why
    assert analyses.funnel(known).tidy().empty
    with pytest.raises(MissingTableError):
        analyses.steps(known)
    assert set(analyses.lost_to_follow_up(known).tidy()["term"]) == set()
    assert analyses.completeness(known).tidy()["n"].max() == 4


D = "participant_id | referral_date | intake_date\n"
BY_DOSE = {"dose_sessions": 2, "dose_hours": 3, "funnel": {"half_dose_sessions": 1, "completion_days": 40}}


def side_by_side(rule="recorded", cut="+90"):
    """Five who started: dose and exit, dose alone, an exit alone (of whom the dose was waived), neither, and too late for both."""
    people = D + "".join(f"{who} | +0 | +1\n" for who in "abcde") + "f | +0 | +2\ng | +0 | -"
    sessions = "participant_id | session_date\n" + "".join(f"{who} | +10\n" for who in "abcde")
    sessions += "a | +17\nb | +50\ne | +51"
    exits = "participant_id | exit_date | reason\na | +20 | completed\nc | +30 | completed\ne | +51 | completed"
    tables = {"participants": people, "sessions": sessions, "exits": exits}
    return spec_cohort(tables, cut, rules={**BY_DOSE, "completion": rule})


def test_the_dose_reached_and_completion_stand_side_by_side():
    rows = analyses.funnel(side_by_side()).tidy().query("group == 'Pilot'").set_index("term")
    assert list(rows.index)[-3:] == ["half_dose", "dose", "completed"]
    assert rows.loc["dose", ["label", "n_event", "n"]].tolist() == ["Dose reached within 40 days", 2, 5]  # b on day 40
    assert rows.loc["completed", ["label", "n_event", "n"]].tolist() == ["Completed within 40 days", 2, 5]
    both = analyses.dose_and_completion(side_by_side()).tidy().query("group == 'Pilot'").set_index("term")
    assert both["n_event"].to_dict() == {"dose": 2, "completed": 2}
    assert analyses.reached_dose(side_by_side()).tidy().query("group == 'Pilot'")["n_event"].tolist() == [2]


def test_where_completing_is_the_dose_it_stands_there_once():
    rows = analyses.funnel(side_by_side("dose")).tidy().query("group == 'Pilot'").set_index("term")
    assert "dose" not in rows.index
    assert rows.loc["completed", ["n_event", "n"]].tolist() == [2, 5]


@pytest.mark.parametrize(("cut", "n_event", "n"), [("+40", 0, 0), ("+41", 2, 5), ("+42", 2, 6), ("+90", 2, 6)])
def test_of_people_with_an_intake_days_count_from_it(cut, n_event, n):
    """Five with the intake on day 1, one who never came to a session on day 2, one without any; 40 days are over on day 41."""
    found = analyses.completion_of_intakes(side_by_side(cut=cut)).tidy().query("group == 'Pilot'")
    assert found[["n_event", "n"]].to_numpy().tolist() == [[n_event, n]]
