"""Who was reached, trends and changes."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engagement.by_hand import by_hand
from evalkit import analyses
from evalkit.analyses import ChangeOf
from evalkit.cohort import build
from evalkit.counts import Tally
from evalkit.errors import UsageError
from evalkit.report import Report, open_report
from evalkit.simulate import simulate
from evalkit.wilson import wilson


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    place = tmp_path_factory.mktemp("reach")
    simulate("benefit", seed=7, n_focus=60, n_comparison=120).write(place / "data")
    return _opened(place)


def _opened(place: Path) -> Report:
    text = (
        "id: small\ntitle: Small study\nstarts: 2021-11-18\n"
        "arms: {column: pathway, focus: {value: non_mandated, label: Pilot}, comparison: {value: paip, label: PAIP}}\n"
        "covariates: [{name: gender, label: Gender, kind: categorical, levels: [man, woman, another]}]\n"
        "tables:\n"
        + "".join(f"  {t}: {{path: data/{t}.csv}}\n" for t in ("participants", "sessions", "exits", "outcomes"))
        + "baselines: null\n"
    )
    (place / "study.yaml").write_text(text, encoding="utf-8")
    return open_report(str(place / "study.yaml"), "2023Q1")


def test_levels_add_up_to_everybody_referred(report: Report) -> None:
    rows = analyses.reach(report.cohort, "community_area").tidy()
    people = report.cohort.people.groupby("group").size()
    assert rows.groupby("group")["n_event"].sum().to_dict() == people.to_dict()
    assert (rows["n"] == rows["group"].map(people)).all()


def test_a_column_nobody_knows_is_named(report: Report) -> None:
    with pytest.raises(UsageError, match="did you mean 'gender'"):
        analyses.reach(report.cohort, "gendre")


def test_the_equity_panel_counts_everybody_once_for_each_variable(report: Report) -> None:
    rows = analyses.engaged_across(report.cohort).tidy()
    assert list(dict.fromkeys(rows["variable"])) == ["Everybody", "Gender", "Community area"]
    sums = rows.groupby(["group", "variable"], sort=False)["n"].sum()
    for group in report.groups:
        assert len({*sums[group]}) == 1


def test_a_characteristic_of_one_level_is_everybody_and_no_panel(tmp_path: Path) -> None:
    simulate("benefit", seed=7, n_focus=30, n_comparison=60).write(tmp_path / "data")
    people = pd.read_csv(tmp_path / "data" / "participants.csv", dtype=str, keep_default_na=False)
    people.assign(community_area="Austin").to_csv(tmp_path / "data" / "participants.csv", index=False)
    cohort = _opened(tmp_path).cohort
    assert list(dict.fromkeys(analyses.engaged_across(cohort).tidy()["variable"])) == ["Everybody", "Gender"]
    asked = analyses.engaged_across(cohort, ["community_area"]).tidy()
    assert list(dict.fromkeys(asked["label"])) == ["Everybody", "Austin"]


def test_trend_is_what_each_quarters_own_report_said(report: Report) -> None:
    rows = analyses.trend(report.quarters).tidy()
    assert list(dict.fromkeys(rows["period"])) == ["2021Q4", "2022Q1", "2022Q2", "2022Q3", "2022Q4", "2023Q1"]
    for period, cohort in (report.quarters[-2], report.quarters[-1]):
        own = analyses.funnel(cohort).tidy().set_index(["term", "group"])
        for _, row in rows[rows["period"] == period].iterrows():
            step = own.loc[(row["variable"], row["group"])]
            assert (row["n"], row["n_event"]) == (step["n"], step["n_event"])
    assert report.earlier is report.quarters[-2][1]


@pytest.mark.parametrize(
    ("step", "first", "days"), [("engaged", "2022Q2", 90), ("completed", "2021Q4", 330), ("referred", "2022Q2", 0)]
)
def test_a_quarter_of_referral_has_a_point_once_every_window_is_over(
    report: Report, step: str, first: str, days: int
) -> None:
    end = {"2021Q4": date(2021, 12, 31), "2022Q2": date(2022, 6, 30)}[first] + timedelta(days)
    for cut, there in ((end, True), (end - timedelta(1), False)):
        rows = analyses.by_quarter_of_referral(build(report.raw.at(cut))).tidy()
        assert (first in set(rows.loc[rows["variable"] == step, "period"])) is there


def test_nobody_is_in_two_quarters_of_referral(report: Report) -> None:
    rows = analyses.by_quarter_of_referral(report.cohort).tidy()
    everybody = rows[rows["variable"] == "referred"].groupby("group")["n"].sum()
    assert everybody.to_dict() == report.cohort.people.groupby("group").size().to_dict()
    own = analyses.steps(report.cohort).query(
        "group == 'Pilot' and referral_date >= '2022-04-01' and referral_date < '2022-07-01'"
    )
    row = rows.set_index(["group", "term"]).loc[("Pilot", "engaged 2022Q2")]
    assert (row["n"], row["n_event"]) == (own["can_engaged"].sum(), (own["can_engaged"] & own["did_engaged"]).sum())


def change_of(before: tuple[int, int], now: tuple[int, int], noise_variance: float = 0) -> pd.Series:
    rows = [("a", "before", *before), ("a", "now", *now)]
    tally = Tally(pd.DataFrame(rows, columns=["group", "term", "n_event", "n"]))
    return ChangeOf("x", noise_variance=noise_variance).estimate(tally).tidy().iloc[0]


def test_change_of_a_growing_share() -> None:
    row = change_of((40, 100), (70, 150))
    assert row[["group", "n", "n_event", "baseline"]].tolist() == ["a", 150, 70, 0.4]
    assert row["estimate"] == pytest.approx(70 / 150 - 0.4)
    # a third of all are new: 30 of 50 set beside 40 of 100 by Newcombe's limits, times a third
    (new_low, old_low), (new_high, old_high) = wilson([30, 40], [50, 100])
    limits = [0.2 - np.hypot(0.6 - new_low, old_high - 0.4), 0.2 + np.hypot(new_high - 0.6, 0.4 - old_low)]
    assert row[["conf_low", "conf_high"]].tolist() == pytest.approx([limit / 3 for limit in limits])
    wide, q = change_of((40, 100), (70, 150), noise_variance=2), 70 / 150
    noise = 1.959964 * np.sqrt(2 * ((1 + q**2) / 150**2 + (1 + 0.4**2) / 100**2))
    for limit in ("conf_low", "conf_high"):
        assert abs(wide[limit] - 0.2 / 3) == pytest.approx(np.hypot(row[limit] - 0.2 / 3, noise), rel=1e-6)


def test_limits_of_the_change_of_noised_counts_cover_it() -> None:
    """Counts of the same people with noise of a variance of 2, a quarter apart, as they are published."""
    rng, hits = np.random.default_rng(4), 0
    for _ in range(1000):
        old, new = rng.binomial(60, 0.65), rng.binomial(20, 0.65)
        off = np.rint(rng.normal(0, np.sqrt(2 - 1 / 12), 4)).astype(int)
        row = change_of((old + off[0], 60 + off[1]), (old + new + off[2], 80 + off[3]), noise_variance=2)
        hits += row["conf_low"] <= 0 <= row["conf_high"]
    assert 0.94 <= hits / 1000 <= 0.99


def test_limits_of_the_change_cover_it() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        old, new = rng.binomial(110, 0.6), rng.binomial(40, 0.7)
        row = change_of((old, 110), (old + new, 150))
        hits += row["conf_low"] <= 40 / 150 * 0.1 <= row["conf_high"]
    assert 0.92 <= hits / 400 <= 0.99


def test_a_period_without_new_people_has_no_change() -> None:
    tally = Tally(pd.DataFrame({"group": "a", "term": ["before", "now"], "n_event": [4, 4], "n": [9, 9]}))
    assert ChangeOf("x").estimate(tally).tidy().empty


def test_first_sessions_are_a_share_of_everybody_referred(report: Report) -> None:
    found = analyses.time_to_first_session(report.cohort)
    at_start = found.counts.frame.groupby("group")["n_entry"].sum()
    assert at_start.to_dict() == report.cohort.people.groupby("group").size().to_dict()
    people, rows = analyses.first_session_times(report.cohort), found.tidy()
    rows = rows[rows["cause"] == "first session"]
    assert len(rows) > 20
    for row in rows.to_dict("records"):
        assert row["estimate"] == pytest.approx(by_hand(people[people["group"] == row["group"]], row["time"])[1])
