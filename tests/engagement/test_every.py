"""What every analysis of engagement must do, on a simulated study."""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engagement.by_hand import by_hand
from evalkit import analyses, cohort, intake
from evalkit.disclosure import Policy, make_safe
from evalkit.protocol import load_study
from evalkit.simulate import simulate

PARAMS = Path(__file__).parents[2] / "params"
CUTS = (date(2021, 11, 20), date(2022, 9, 30), date(2023, 12, 31))
EVERY = {
    "funnel": analyses.funnel,
    "completion": analyses.completion,
    "engaged_by site": lambda c: analyses.engaged_by(c, "site"),
    "engaged_by source": lambda c: analyses.engaged_by(c, "referral_source", by_arm=False),
    "attendance_rate": analyses.attendance_rate,
    "sessions_by_week": analyses.dose_by_week,
    "hours_by_week": lambda c: analyses.dose_by_week(c, "hours", weeks=5),
    "dose_distribution": analyses.dose_distribution,
    "dose_reached": analyses.dose_reached,
    "longest_gap": analyses.longest_gap,
    "returns": analyses.returns,
    "caseload": analyses.caseload,
    "completeness": analyses.completeness,
    "lost_to_follow_up": analyses.lost_to_follow_up,
}


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    simulate(seed=4).write(folder / "data" / "demo")
    (folder / "params").mkdir()
    for file in PARAMS.glob("*.yaml"):
        shutil.copy(file, folder / "params")
    data = intake.open_data(load_study(folder / "params" / "study.yaml"))
    return {cut: cohort.build(data.at(cut)) for cut in CUTS} | {"data": data}


def _check(found, cut):
    table = found.tidy()
    assert found.cut == cut
    assert found.counts is not None
    again = found.analysis.estimate(found.counts)
    pd.testing.assert_frame_equal(again.tidy(), table)
    assert (again.kind, again.estimand, again.population, again.about(asked=found.asked).id) == (
        found.kind,
        found.estimand,
        found.population,
        found.id,
    )
    assert not table.duplicated([c for c in ("group", "term", "variable") if c in table]).any()
    if {"estimate", "conf_low"} <= set(table):
        known = table.dropna(subset=["estimate", "conf_low"])
        assert (known["conf_low"] <= known["estimate"] + 1e-12).all()
        assert (known["estimate"] <= known["conf_high"] + 1e-12).all()
    safe = make_safe(found, Policy())
    assert safe.estimates.kind == found.kind
    if safe.verdict != "withheld":
        shown = safe.estimates.tidy()
        for column in ("n", "n_event"):
            if column in shown:
                assert not shown[column].between(1, 10).any()
        if "share" in shown:
            everybody = shown[shown["term"] == "referred"].set_index("group")["n"]
            expected = shown["n_event"] / shown["group"].map(everybody)
            assert np.allclose(shown["share"], expected, equal_nan=True)


@pytest.mark.parametrize("name", EVERY)
def test_on_an_almost_empty_a_young_and_a_full_study(cohorts, name):
    for cut in CUTS:
        _check(EVERY[name](cohorts[cut]), cut)


def test_late_entry(cohorts):
    for cut in CUTS:
        _check(analyses.late_entry(cohorts["data"].at(cut)), cut)


def test_frames_of_times_fit_survival(cohorts):
    from evalkit import stats

    known = cohorts[CUTS[2]]
    first = analyses.first_session_times(known)
    table = stats.cumulative_incidence(first, "time", "event", by="group", times=[60]).tidy()
    assert len(table) == 2 * first.loc[first["event"] > 0, "event"].nunique()
    for row in table.to_dict("records"):
        assert row["estimate"] == pytest.approx(by_hand(first[first["group"] == row["group"]], 60)[int(row["cause"])])
    back = analyses.return_times(known)
    for row in stats.kaplan_meier(back, "time", "event", by="group", times=[60]).tidy().to_dict("records"):
        own = back[back["group"] == row["group"]].assign(event=lambda rows: (rows["event"] == 1).astype(int))
        assert row["estimate"] == pytest.approx(1 - by_hand(own, 60)[1])


@pytest.mark.parametrize("name", EVERY)
def test_of_a_full_study_every_analysis_is_shown(cohorts, name):
    """What `_check` says of a result that is shown holds of one: none is withheld, and none is empty."""
    safe = make_safe(EVERY[name](cohorts[CUTS[2]]), Policy())
    shown = safe.estimates.tidy()
    assert safe.verdict != "withheld"
    assert set(shown["group"]) >= ({"all"} if "source" in name else {"Non-mandated pilot", "PAIP"})
    assert (shown["n"] > 0).any()
    if "conf_low" in shown:
        assert shown[["estimate", "conf_low", "conf_high"]].notna().all(axis=1).any()


def test_caseload_active_agrees_with_a_walk_through_the_days(cohorts):
    known = cohorts[CUTS[2]]
    table = analyses.caseload(known).tidy()
    ended = known.retention()
    first = ended.merge(known.people[["participant_id", "episode", "first_session_date"]])
    for month in ("2022-03", "2023-05", "2023-12"):
        last = pd.Timestamp(month) + pd.offsets.MonthEnd(0)
        n = 0
        for row in first.itertuples():
            over = row.event > 0 or row.reason != "cut"
            n += row.first_session_date <= last and not (
                over and row.first_session_date + pd.Timedelta(days=row.time) <= last
            )
        assert table.loc[table["term"] == f"{month} active", "n"].sum() == n


def counted(mine: pd.DataFrame) -> pd.DataFrame:
    """All groups, and the first four individual sessions."""
    alone = mine[mine["kind"] == "individual"].sort_values(["session_date", "hours"], ascending=[True, False])
    return pd.concat([mine[mine["kind"] == "group"], alone.head(4)])


def test_funnel_by_hand_on_the_full_study(cohorts):
    """Each step again, person by person, from people and sessions."""
    known = cohorts[CUTS[1]]
    cut, sessions = pd.Timestamp(known.cut), known.sessions()
    came = dict(iter(sessions[sessions["attended"]].groupby("participant_id")))
    want = dict.fromkeys(("intake", "first_session", "engaged", "half_dose", "dose", "completed"), 0)
    ready = dict(want)
    for row in known.people.itertuples():
        mine = came.get(row.participant_id)
        days = sorted(mine["session_date"]) if mine is not None else []
        day = pd.Timedelta(days=1)
        if row.referral_date + 30 * day <= cut:
            ready["intake"] += 1
            want["intake"] += row.intake_date <= row.referral_date + 30 * day
        if row.referral_date + 60 * day <= cut:
            ready["first_session"] += 1
            want["first_session"] += bool(days) and days[0] <= row.referral_date + 60 * day
        if row.intake_date + 60 * day <= cut:
            ready["engaged"] += 1
            want["engaged"] += sum(row.intake_date <= d <= row.intake_date + 60 * day for d in days) >= 4
        if days and days[0] + 120 * day <= cut:
            ready["half_dose"] += 1
            want["half_dose"] += (counted(mine)["session_date"] <= days[0] + 120 * day).sum() >= 12
        if days and days[0] + 270 * day <= cut:
            ready["dose"] += 1
            in_time = counted(mine)[counted(mine)["session_date"] <= days[0] + 270 * day]
            want["dose"] += len(in_time) >= 24 and in_time["hours"].sum() >= 36 - 1e-6
            ready["completed"] += 1
            want["completed"] += row.completion_date <= days[0] + 270 * day
    table = analyses.funnel(known).tidy().groupby("term")[["n_event", "n"]].sum()
    for step in want:
        assert table.loc[step].tolist() == [want[step], ready[step]], step
