"""Who leaves: the clock of each stage, the day before, on and after; the models; what is not told."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from cohort.spec import Case, Together
from cohort.test_retention import X, sessions
from evalkit import analyses, cohort, intake
from evalkit.analyses import _leaving
from evalkit.analyses._leaving import STAGES
from evalkit.disclosure import Policy, make_safe
from evalkit.errors import UsageError
from evalkit.protocol import load_study
from evalkit.simulate import simulate

PARAMS = Path(__file__).parents[2] / "params"
POLICY = Policy(secret=bytes(range(32)))
CUT = date(2023, 12, 31)


def people(intake_day: str = "-", referral: str = "+0") -> str:
    return f"participant_id | referral_date | intake_date\n a | {referral} | {intake_day}"


INTAKE = Together([
    Case("an intake", "a 9 1", participants=people("+9"), sessions=sessions()),
    Case("on the day of referral", "a 0 1", participants=people("+0"), sessions=sessions()),
    Case("none up to the cut", "a 200 0", participants=people(), sessions=sessions()),
    Case("after the cut it is not known", "a 8 0", "+8", participants=people("+9"), sessions=sessions()),
    Case("on the cut", "a 9 1", "+9", participants=people("+9"), sessions=sessions()),
    Case("leaving the day before", "a 8 2", participants=people("+9"), sessions=sessions(), exits=X + "a | +8 | dropped_out"),
    Case("leaving on the day of referral", "a 0 2", participants=people(), sessions=sessions(), exits=X + "a | +0 | dropped_out"),
    Case("on the day: the intake goes first", "a 9 1", participants=people("+9"), sessions=sessions(), exits=X + "a | +9 | dropped_out"),
    Case("the day after", "a 9 1", participants=people("+9"), sessions=sessions(), exits=X + "a | +10 | dropped_out"),
    Case("moving away ends being followed", "a 8 0", participants=people("+9"), sessions=sessions(), exits=X + "a | +8 | moved"),
    Case("leaving and moving on one day", "a 8 2", participants=people(), sessions=sessions(), exits=X + "a | +8 | moved\na | +8 | terminated"),
    Case("an exit that the protocol ignores", "a 9 1", participants=people("+9"), sessions=sessions(), exits=X + "a | +8 | moved", rules={"exits": {"moved": "ignored"}}),
    Case("'completed' without any session is leaving", "a 8 2", participants=people(), sessions=sessions(), exits=X + "a | +8 | completed"),
])  # fmt: skip
SESSION = Together([
    Case("a session after the intake", "a 5 1 9.0", participants=people("+9"), sessions=sessions("+14")),
    Case("on its day", "a 0 1 9.0", participants=people("+9"), sessions=sessions("+9")),
    Case("before it: not in this stage", "", participants=people("+9"), sessions=sessions("+8", "+14")),
    Case("none", "a 191 0 9.0", participants=people("+9"), sessions=sessions()),
    Case("no intake", "", participants=people(), sessions=sessions("+14")),
    Case("leaving the day before", "a 4 2 9.0", participants=people("+9"), sessions=sessions("+14"), exits=X + "a | +13 | dropped_out"),
    Case("on the day: the session goes first", "a 5 1 9.0", participants=people("+9"), sessions=sessions("+14"), exits=X + "a | +14 | dropped_out"),
    Case("leaving on the day of the intake", "a 0 2 9.0", participants=people("+9"), sessions=sessions("+14"), exits=X + "a | +9 | dropped_out"),
    Case("an exit before the intake does not count", "a 5 1 9.0", participants=people("+9"), sessions=sessions("+14"), exits=X + "a | +8 | dropped_out"),
])  # fmt: skip


def told(cases: Together, case: Case, name: str, columns: list[str]) -> str:
    rows = analyses.stage(cases.cohort(case.terms), name)
    prefix = f"{cases.cases.index(case)}-"
    own = rows[rows["participant_id"].str.startswith(prefix)]
    names = own["participant_id"].str.removeprefix(prefix)
    return "; ".join(" ".join(map(str, line)) for line in zip(names, *(own[c] for c in columns), strict=True))


@pytest.mark.parametrize("case", INTAKE.cases, ids=lambda case: case.name)
def test_before_the_intake(case: Case) -> None:
    assert told(INTAKE, case, "before_intake", ["time", "event"]) == case.expect


@pytest.mark.parametrize("case", SESSION.cases, ids=lambda case: case.name)
def test_before_the_first_session(case: Case) -> None:
    assert told(SESSION, case, "before_session", ["time", "event", "days_waited"]) == case.expect


def test_after_the_first_session_the_wait_is_until_one_was_offered() -> None:
    missed = "participant_id | session_date | status\n a | +4 | absent\n a | +11 | attended"
    case = Case("x", "", participants=people("+2"), sessions=missed)
    assert told(Together([case]), case, "after_session", ["time", "event", "days_waited"]) == "a 30 1 4.0"


def test_a_stage_that_is_none() -> None:
    with pytest.raises(UsageError, match=r"there is no stage 'before_intakes'.*before_intake"):
        analyses.stage(INTAKE.cohort(INTAKE.cases[0].terms), "before_intakes")


# -- a whole study -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    simulate(seed=9).write(folder / "data" / "demo")
    (folder / "params").mkdir()
    for file in PARAMS.glob("*.yaml"):
        shutil.copy(file, folder / "params")
    return cohort.build(intake.open_data(load_study(folder / "params" / "study.yaml")).at(CUT))


@pytest.mark.parametrize("name", STAGES)
def test_models_of_a_stage(known, name: str) -> None:
    model = analyses.leaving_model(known, name)
    safe = make_safe(model, POLICY)
    assert safe.verdict == "released"
    terms = model.tidy()["term"].tolist()
    assert terms[0] == "arm"
    assert ("days_waited" in terms) == (name != "before_intake")
    assert model.tidy()["label"].iloc[0] == "Non-mandated pilot (reference: PAIP)"
    # all of the courts' people are PAIP's, so a source cannot be told from the arm
    assert "Left out because it cannot be told from the others: Referral source." in model.notes
    levels = model.counts.data[model.counts.data["term"] != "model"]
    assert min(levels["n_event"].min(), (levels["n"] - levels["n_event"]).min()) >= 11
    risks = analyses.leaving_risks(known, name, 60, n_boot=20)
    assert risks.tidy()["term"].tolist() == terms
    assert set(risks.summary) == {"n", "n_event"}
    rows = risks.tidy()
    higher = model.tidy()["estimate"].to_numpy() > 0
    up = rows["estimate"].to_numpy() > 0
    assert (higher == up).mean() > 0.8  # a larger hazard is a larger risk, unless a competing cause undoes it
    assert rows["share"].between(0, 1).all()
    shown = make_safe(risks, POLICY).estimates.tidy()
    for column in ("estimate", "conf_low", "conf_high"):
        np.testing.assert_allclose(shown[column] * 1000, (shown[column] * 1000).round(), atol=1e-6)
    np.testing.assert_allclose(shown["share"] * 1000, (shown["share"] * 1000).round(), atol=1e-6)


def test_what_is_foretold_is_little_and_less_than_it_seems(known) -> None:
    rows = analyses.leaving_foretold(known, "after_session", 182, n_boot=20).tidy()
    wide = rows.pivot_table(index="measure", columns="method", values="estimate")
    assert (wide["corrected"] < wide["apparent"]).all()
    assert 0.5 < wide.loc["auc", "apparent"] < 0.7
    assert wide.loc["calibration_slope", "apparent"] == pytest.approx(1)
    assert 0.2 < wide.loc["calibration_slope", "corrected"] < 1


def test_starting_is_told_by_classes_of_wait(known) -> None:
    found = analyses.starting_by_wait(known)
    rows = analyses.stage(known, "before_session")
    assert found.summary["n"] == len(rows)
    sizes = found.counts.data.groupby("group")["n_entry"].sum()
    wait = rows["days_waited"]
    assert sizes["people who waited 0 to 7 days"] == wait.between(0, 7).sum()
    assert sizes["people who waited 8 to 14 days"] == wait.between(8, 14).sum()
    assert sizes["people who waited 15 to 30 days"] == wait.between(15, 30).sum()


@pytest.fixture(scope="module")
def without(known) -> cohort.Cohort:
    tables = {name: table for name, table in known.study.tables.items() if name != "exits"}
    rules = known.study.rules.model_copy(update={"completion": "dose"})
    study = known.study.model_copy(update={"tables": tables, "rules": rules})
    return cohort.build(intake.open_data(study).at(CUT))


def test_without_exits_nobody_is_said_to_have_been_followed_to_the_end(known, without) -> None:
    assert {*analyses.lost_to_follow_up(known).tidy()["term"]} == {"retention", "harm"}
    assert {*analyses.lost_to_follow_up(without).tidy()["term"]} == {"harm"}


def test_without_exits_leaving_is_not_drawn_beside_starting(known, without) -> None:
    assert {*analyses.starting_by_wait(known).tidy()["cause"]} == {"first session", "leaving before it"}
    assert {*analyses.starting_by_wait(without).tidy()["cause"]} == {"first session"}


def test_without_exits_nobody_leaves_before_a_session(known) -> None:
    rows = analyses.stage(known, "before_intake")
    assert set(rows["event"]) == {0, 1, 2}
    assert rows["participant_id"].tolist() == known.people["participant_id"].tolist()
    assert (rows.loc[rows["event"] == 0, "time"] >= 0).all()


def test_few_events_leave_the_arm_and_the_wait(known) -> None:
    few = known.people["participant_id"].tolist()[:60]
    small = cohort.build(known._setting.cut)
    object.__setattr__(small, "people", known.people[known.people["participant_id"].isin(few)].reset_index(drop=True))
    model = analyses.leaving_model(small, "before_session", 1)
    assert model.tidy()["term"].tolist() == ["arm", "days_waited"]
    assert "There are too few events for the other terms: the model holds the group and the wait alone." in model.notes
    assert make_safe(model, POLICY).verdict == "withheld"


def test_before_anybody_was_referred(known) -> None:
    nobody = cohort.build(intake.open_data(known.study).at(date(2021, 11, 17)))
    assert analyses.starting_by_wait(nobody).tidy().empty
    for name in STAGES:
        assert analyses.leaving_model(nobody, name).tidy().empty
        assert analyses.leaving_risks(nobody, name, 30).tidy().empty
        assert analyses.leaving_foretold(nobody, name, 30).tidy().empty
    assert analyses.waiting(nobody).tidy().empty


def test_that_people_are_left_out_is_said_where_some_are(known, monkeypatch) -> None:
    said = "People without a value for every term are left out of the model."
    assert said in _leaving._ready(known, "before_intake", 11).notes
    whole = _leaving.stage(known, "before_intake").dropna(subset=list(known.covariates))
    monkeypatch.setattr(_leaving, "stage", lambda *_: whole)
    assert said not in _leaving._ready(known, "before_intake", 11).notes
