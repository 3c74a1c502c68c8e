"""Where harm's models and days begin and end: every threshold on both sides, on hand-made cohorts; whole sentences."""

from __future__ import annotations

import math
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit import analyses
from evalkit.analyses._model import ALPHA, label_of
from evalkit.analyses._recurrent import _days

CUT = date(2023, 3, 31)
AGE = SimpleNamespace(name="age", label="Age", kind="numeric", levels=None)
WORK = SimpleNamespace(name="work", label="Work", kind="yes_no", levels=None)
AREA = SimpleNamespace(name="area", label="Area", kind="categorical", levels=["north", "south_side", "west"])


def cohort(frame: pd.DataFrame, covariates: tuple = (), *, landmark: int = 30, people: pd.DataFrame | None = None, name: str = ""):  # fmt: skip
    """What the functions ask of a cohort, and no more."""
    arm = SimpleNamespace
    arms = SimpleNamespace(column="pathway", focus=arm(label="Pilot"), comparison=arm(label="PAIP"))
    study = SimpleNamespace(
        arms=arms,
        covariates=list(covariates),
        harm=SimpleNamespace(label="re-arrest", model_arm=name, horizons=[60], origin="intake", recurrent=True),
    )
    return SimpleNamespace(
        has=lambda table: True,
        harm=frame.copy, harm_recurrent=frame.copy, study=study, cut=CUT, groups=("Pilot", "PAIP"),
        rules=SimpleNamespace(landmark_day=landmark), people=people, causes_of=lambda scale: {1: "re-arrest"},
    )  # fmt: skip


def people(n: int, events: int, **columns: object) -> pd.DataFrame:
    """n people, every third in the pilot, the first with the event; nobody twice on a day."""
    rows = pd.DataFrame({"participant_id": [f"p{i}" for i in range(n)], "episode": 1, "time": np.arange(n) * 3.0 + 1})
    rows["group"] = np.where(np.arange(n) % 3 == 1, "Pilot", "PAIP")
    rows["event"] = (np.arange(n) < events).astype(int)
    return rows.assign(**columns)


def ages(n: int) -> np.ndarray:
    return 20 + (np.arange(n) * 7) % 31


TOO_FEW = "There are too few events for the other terms: the model holds the group alone."


@pytest.mark.parametrize(("events", "terms"), [(10, ["pathway", "age"]), (9, ["pathway"]), (11, ["pathway", "age"])])
def test_five_events_are_asked_for_each_term(events, terms):
    found = analyses.harm_model(cohort(people(60, events, age=ages(60)), (AGE,)), 1)
    assert found.tidy()["term"].tolist() == terms
    assert found.notes == (() if len(terms) == 2 else (TOO_FEW,))
    assert analyses.EVENTS_PER_TERM == 5


@pytest.mark.parametrize(("events", "n_terms"), [(15, 3), (14, 1)])
def test_each_level_but_the_first_is_a_term(events, n_terms):
    area = np.array(["west", "north", "south_side", "north"])[np.arange(60) % 4]
    found = analyses.harm_model(cohort(people(60, events, area=area), (AREA,)), 1)
    assert found.tidy()["term"].tolist() == ["pathway", "area[south_side]", "area[west]"][:n_terms]
    assert (
        found.tidy()["label"].tolist()
        == [
            "Pilot (reference: PAIP)",
            "Area: South side (reference: North)",
            "Area: West (reference: North)",
        ][:n_terms]
    )
    told = found.counts.frame["term"].tolist()
    assert told == (["model"] * 2 + (["area[north]", "area[south_side]", "area[west]"] if n_terms > 1 else []))


@pytest.mark.parametrize(("smallest", "kept"), [(5, True), (6, False), (0, True)])
def test_a_yes_or_no_is_kept_where_enough_differ_in_every_cell(smallest, kept):
    # 25 with the event, of whom 5 work; 35 without, of whom 20 work.
    work = np.array([1] * 5 + [0] * 20 + [1] * 20 + [0] * 15, dtype=float)
    found = analyses.harm_model(cohort(people(60, 25, work=work), (WORK,), name="arm"), smallest)
    assert found.tidy()["term"].tolist() == (["arm", "work"] if kept else ["arm"])
    assert found.tidy()["label"].tolist()[0] == "Pilot (reference: PAIP)"
    assert found.notes == (() if kept else ("Left out because too few people differ in it: Work.",))
    assert found.counts.frame["term"].tolist()[2:] == (["work[0.0]", "work[1.0]"] if kept else [])


def test_what_does_not_vary_is_left_out_and_who_lacks_a_value_too():
    frame = people(60, 25, age=40.0, work=np.where(np.arange(60) % 2, 1.0, 0.0), area="north")
    frame.loc[3, "work"] = np.nan
    found = analyses.harm_model(cohort(frame, (AGE, WORK, AREA)), 1)
    assert found.tidy()["term"].tolist() == ["pathway", "work"]
    assert found.notes == (
        "People without a value for every term are left out of the model.",
        "Left out because too few people differ in it: Age, Area.",
    )
    assert found.counts.frame[["group", "n_event", "n"]].to_numpy().tolist()[:2] == [["Pilot", 8, 20], ["PAIP", 16, 39]]
    assert (found.estimand, found.population, found.cut, found.kind) == (
        "log hazard ratio of the first re-arrest, given the other terms",
        "people with an intake and follow-up after it", CUT, "cox",
    )  # fmt: skip


def test_an_arm_without_an_event_has_no_model():
    frame = people(30, 12)
    frame.loc[frame["group"] == "Pilot", "event"] = 0
    for ask in (analyses.harm_model, analyses.harm_hazards):
        found = ask(cohort(frame))
        assert found.tidy().empty and found.counts.frame["n_event"].tolist() == [0, 8]


def test_hazards_pass_at_the_level_and_above(monkeypatch):
    asked = cohort(people(60, 25, age=ages(60)), (AGE,))
    row = analyses.harm_hazards(asked, 1).tidy().iloc[0]
    p = row["estimate"]
    assert (row["term"], row["baseline"], ALPHA) == ("proportional hazards", 0.05, 0.05)
    assert row["verdict"] == ("pass" if p >= 0.05 else "fail")
    for level, verdict in ((p, "pass"), (np.nextafter(p, 1), "fail"), (np.nextafter(p, 0), "pass")):
        monkeypatch.setattr("evalkit.analyses._model.ALPHA", level)
        assert analyses.harm_hazards(asked, 1).tidy()["verdict"].tolist() == [verdict]


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("pathway", "Group"), ("age", "age"), ("area[T.west_end]", "Area: West end (reference: North side)"),
        ("area[x]", "Area: X (reference: North side)"), ("other[a]", "other: A (reference: the others)"),
    ],
)  # fmt: skip
def test_terms_in_words(term, words):
    assert label_of(term, {"pathway": "Group", "area": "Area"}, {"area": "north_side"}) == words


# -- after the landmark ------------------------------------------------------------------------------------------------
def registered(n: int, done: list[float | None]) -> pd.DataFrame:
    start = pd.Timestamp(2022, 1, 3)
    days = pd.to_timedelta([np.nan if d is None else d for d in done], unit="D")
    ids = {"participant_id": [f"p{i}" for i in range(n)], "episode": 1}
    return pd.DataFrame(ids | {"intake_date": start, "completion_date": start + days})


def test_completed_by_the_landmark_is_on_it_or_before_and_at_risk_is_after_it():
    frame = pd.DataFrame({"participant_id": ["p0", "p1", "p2", "p3", "p4"], "episode": 1, "group": ["Pilot", "PAIP", "PAIP", "Pilot", "PAIP"]})  # fmt: skip
    frame["time"], frame["event"] = [30.0, 31, 90, 31, 45], [1, 1, 0, 0, 1]
    found = analyses.completed_by(cohort(frame, people=registered(5, [5, 30, 31, 0, None])))
    assert found[["participant_id", "arm", "completed", "group", "time", "event"]].to_numpy().tolist() == [
        ["p1", "PAIP", 1, "Completed by day 30", 1.0, 1],
        ["p2", "PAIP", 0, "Not completed by day 30", 60.0, 0],
        ["p3", "Pilot", 1, "Completed by day 30", 1.0, 0],
        ["p4", "PAIP", 0, "Not completed by day 30", 15.0, 1],
    ]
    nobody = analyses.completed_by(cohort(frame, landmark=90, people=registered(5, [5, 30, 31, 0, None])))
    assert nobody.empty and {"arm", "group", "completed"} <= {*nobody.columns}


@pytest.mark.parametrize(
    ("smallest", "terms"), [(4, ["completed", "focus"]), (5, ["completed"]), (0, ["completed", "focus"])]
)
def test_the_arm_is_held_equal_where_enough_of_each_had_the_event_and_did_not(smallest, terms):
    # By arm with and without the event: Pilot 4 and 16, PAIP 11 and 29.
    frame = people(60, 0)
    place = frame.groupby("group").cumcount()
    frame["event"] = np.where(frame["group"] == "Pilot", place < 4, place < 11).astype(int)
    frame["time"] += 40
    asked = cohort(frame, people=registered(60, [10.0 if i % 2 else None for i in range(60)]))
    curves, model = analyses.harm_after_completion(asked, smallest)
    assert model.tidy()["term"].tolist() == terms
    assert (
        model.tidy()["label"].tolist()
        == ["Completed by day 30 (reference: not)", "Pilot (reference: PAIP)"][: len(terms)]
    )
    assert model.counts.frame["term"].tolist() == ["model"] * 2 + ["focus[0.0]", "focus[1.0]"] * (len(terms) - 1)
    assert model.counts.frame["group"].tolist()[:2] == ["Completed by day 30", "Not completed by day 30"]
    assert {curves.population, model.population} == {"people followed and without re-arrest on day 30 after intake"}
    assert (model.estimand, model.cut, curves.cut) == (
        "log hazard ratio of re-arrest after day 30, by completion",
        CUT,
        CUT,
    )


def test_after_completion_nothing_is_said_of_a_group_that_is_empty_or_has_no_event():
    frame = people(12, 6).assign(time=lambda f: f["time"] + 40)
    nobody_done = cohort(frame, people=registered(12, [None] * 12))
    curves, model = analyses.harm_after_completion(nobody_done)
    assert curves.tidy().empty and model.tidy().empty and (curves.kind, model.kind) == ("kaplan_meier", "cox")
    assert curves.estimand == "no harm after the landmark"
    assert model.counts.frame["n"].tolist() == [0, 12]
    last_done = cohort(frame, people=registered(12, [None] * 6 + [3.0] * 6))
    curves, model = analyses.harm_after_completion(last_done)
    assert sorted(set(curves.tidy()["group"])) == ["Completed by day 30", "Not completed by day 30"]
    assert model.tidy().empty and model.counts.frame["n_event"].tolist() == [0, 6]


# -- repeated harm -----------------------------------------------------------------------------------------------------
def harms(days: dict[str, list[float]], ends: dict[str, float]) -> pd.DataFrame:
    rows = [(who, 1, day, 1) for who, each in days.items() for day in each] + [(w, 1, e, 0) for w, e in ends.items()]
    return pd.DataFrame(rows, columns=["participant_id", "episode", "time", "event"])


def each(day: list[float], end: float) -> pd.DataFrame:
    """One event a person, all followed to the same day."""
    return harms({f"a{i}": [d] for i, d in enumerate(day)}, {f"a{i}": end for i in range(len(day))})


@pytest.mark.parametrize(
    ("day", "end", "fixed", "smallest", "found"),
    [
        ([1, 2, 3, 8, 9, 10], 14, [], 3, [7, 14]),  # three by each week, up to and with the last day
        ([1, 2, 3, 8, 9, 14], 14, [], 3, [7, 14]),
        ([1, 2, 3, 8, 9, 14], 13, [], 3, [7]),  # followed for a day less than two weeks
        ([1, 2, 3, 8, 9, 10], 15, [], 3, [7, 14]),
        ([1, 2, 3, 8, 9, 10], 20, [], 3, [7, 14]),  # the third week ends after the last day
        ([1, 2, 7, 8, 9, 15], 21, [], 3, [7, 21]),  # an event on day 7 belongs to the first week
        ([1, 2, 8, 8, 9, 15], 21, [], 3, [14]),
        ([1, 2, 3, 8, 9, 10], 14, [], 4, [14]),
        ([1, 2, 3, 8, 9, 10], 14, [], 7, []),
        ([1, 2, 3, 8, 9, 10], 14, [10], 3, [7, 10]),
        ([1, 2, 3, 8, 9, 10], 14, [9], 3, [9]),  # nothing may lie so near before a day of the protocol, nor after it
        ([1, 2, 3, 8, 9, 10], 14, [8], 3, [8]),
        ([1, 2, 3, 8, 9, 10, 11, 12, 13], 14, [10], 3, [7, 10, 14]),
        ([1, 2, 3, 8, 9, 10, 11, 12, 13], 21, [21, 10, 7], 3, [7, 10, 21]),
        ([1, 2, 3, 8, 9, 10, 11, 12, 13], 20, [21, 10], 3, [7, 10, 14]),  # nobody is followed to day 21
    ],
)
def test_days_between_which_enough_events_lie(day, end, fixed, smallest, found):
    assert _days(each(day, end), fixed, smallest) == found


def test_events_of_the_same_people_are_no_more_people():
    again = harms({"a": [1, 8, 15], "b": [2, 9, 16], "c": [20]}, {"a": 21, "b": 21, "c": 21})
    assert _days(again, [], 2) == [7]  # later on only one more person has a first event
    assert _days(again, [], 1) == [7, 21]


def test_the_last_day_is_one_to_which_enough_are_followed():
    day = {f"a{i}": [1 + i % 7] for i in range(6)}
    ends = {f"a{i}": 10.0 + i for i in range(6)}  # two people are followed to day 14 or longer
    assert _days(harms(day, ends), [14], 2) == [14]
    assert _days(harms(day, ends), [15], 2) == [7]
    assert _days(harms(day, ends), [14], 3) == [7]
    assert _days(harms({}, {"a": 30.0}), [], 2) == []
    many = {f"a{i}": [1 + i % 7] for i in range(40)}
    followed = {f"a{i}": 30.0 if i < 4 else 8.0 for i in range(40)}  # a tenth, rounded up, has to be left
    assert _days(harms(many, followed), [30], 2) == [30]
    assert _days(harms(many, followed | {"b": 8.0}), [30], 2) == [7]


def test_mean_counts_in_whole_rows():
    frame = pd.concat([each([1, 2, 3, 8, 9, 10], 14).assign(group="Pilot"), harms({"z": [3]}, {"z": 5, "y": 40}).assign(group="PAIP")])  # fmt: skip
    found = analyses.repeated_harm(cohort(frame), smallest=3)
    rows = found.counts.frame.to_dict("list")
    assert rows["group"] == ["Pilot", "Pilot"] and rows["term"] == ["by day 7", "by day 14"]
    assert rows["label"] == ["By day 7", "By day 14"] and rows["time"] == [7.0, 14.0]
    # Nobody is censored before day 14: 3 and 6 events of 6 people.
    assert rows["n_event"] == [3, 6] and rows["n"] == [6, 6]
    assert found.tidy()["estimate"].tolist() == [0.5, 1.0]
    assert (found.estimand, found.population, found.cut, found.kind, found.conf_level) == (
        "mean number of times of re-arrest a person, by each day", "people with an intake", CUT, "mean_count", 0.95,
    )  # fmt: skip
    wide = np.exp(1.959963984540054 * np.array(rows["std_error"]))
    assert found.tidy()["conf_low"].to_numpy() == pytest.approx([0.5, 1.0] / wide)
    assert found.tidy()["conf_high"].to_numpy() == pytest.approx([0.5, 1.0] * wide)
    # Var(log mean) of 3 of 6 is (1 - 1/2) / 3, by Lawless and Nadeau.
    assert rows["std_error"][0] == pytest.approx(math.sqrt(1 / 6))


# -- the curves --------------------------------------------------------------------------------------------------------
def test_curves_are_of_the_followed_and_nobody_has_none():
    asked, nobody = cohort(people(30, 12)), cohort(people(0, 0))
    followed = "people with an intake and follow-up after it"
    for ask, kind in ((analyses.without_harm, "kaplan_meier"), (analyses.first_harm, "cumulative_incidence")):
        found = ask(asked)
        assert (found.population, found.cut, found.kind) == (followed, CUT, kind)
        empty = ask(nobody)
        assert (empty.kind, len(empty.tidy()), empty.population, empty.cut) == (kind, 0, followed, CUT)
    assert analyses.first_harm(asked).tidy()["cause"].unique().tolist() == ["re-arrest"]
    found = analyses.mean_without_harm(asked, 40)
    assert (found.kind, found.population, found.cut) == ("rmst_contrast", followed, CUT)
    assert found.tidy()["contrast"].unique().tolist() == ["Pilot - PAIP", "Pilot / PAIP"]
    none = analyses.mean_without_harm(asked, 4000)
    assert (none.tidy().empty, none.estimand) == (
        True,
        "difference of mean days without recorded harm in the first 4000 days",
    )
