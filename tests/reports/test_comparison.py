"""The study's comparison of its arms, on simulated people with known truth."""

from __future__ import annotations

import numpy as np
import pytest

from evalkit import analyses
from evalkit.analyses import Comparison, compare_arms
from evalkit.disclosure import Policy, make_safe
from evalkit.errors import DisclosureError
from evalkit.report import Report, open_report
from evalkit.simulate import simulate
from views.seen import headline, sentences

STUDY = (
    "id: small\ntitle: Small study\nstarts: 2021-11-18\n"
    "arms: {column: pathway, focus: {value: non_mandated, label: Pilot}, comparison: {value: paip, label: PAIP}}\n"
    "covariates: [{name: age, label: Age}, {name: gender, label: Gender, kind: categorical},"
    " {name: prior_dv_arrests, label: Earlier arrests}]\n"
    "tables:\n  participants: {path: data/participants.csv}\n  sessions: {path: data/sessions.csv}\n"
    "  exits: {path: data/exits.csv}\n  outcomes: {path: data/outcomes.csv}\nbaselines: null\n"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    place = tmp_path_factory.mktemp("comparison")
    simulate("benefit", seed=11, n_focus=200, n_comparison=500).write(place / "data")
    (place / "study.yaml").write_text(STUDY, encoding="utf-8")
    return open_report(str(place / "study.yaml"), "2023Q4")


@pytest.fixture(scope="module")
def compared(report: Report) -> Comparison:
    found = compare_arms(report.cohort)
    assert found is not None
    return found


def test_people_without_a_value_are_left_out_and_counted(report: Report, compared: Comparison) -> None:
    everybody = report.cohort.retention()
    assert len(compared.data) + compared.left_out == len(everybody)
    assert compared.totals.frame["n"].sum() == len(compared.data)


def test_levels_of_few_people_are_joined(compared: Comparison) -> None:
    sizes = compared.data.groupby(["gender", "focus"]).size()
    assert sizes.min() >= 11


def test_only_what_this_report_made_safe_is_shown(report: Report, compared: Comparison) -> None:
    exact = analyses.funnel(report.cohort)
    for foreign in (make_safe(exact, Policy(minimum_level=1)), make_safe(exact, report.policy)):
        with pytest.raises(DisclosureError, match="was not made safe by this report"):
            report.show(foreign, "table")
        with pytest.raises(DisclosureError, match="was not made safe by this report"):
            report.say(foreign)
    report.show(report.safe(exact), "table")


def test_the_groups_after_weighting_can_be_shown(report: Report, compared: Comparison) -> None:
    exact = compared.weighted()
    rows = exact.tidy()
    assert set(rows["group"]) == set(report.groups)
    own = compared.data.assign(w=compared.fit.weights)
    focus = own["focus"].eq(1)
    assert np.allclose(own.loc[focus, "w"], 1)  # ATT: the focus group stands for itself
    assert rows.groupby("group")["w_risk"].max()[report.groups[1]] == pytest.approx(own.loc[~focus, "w"].sum())
    safe = report.safe(exact)
    said = safe.landmark_rows()
    assert {"Pilot", "PAIP"} == set(said["group"])
    assert not report.gaps(safe)  # limits that take the weights as known are not set against the bootstrap's
    assert headline(safe, report.groups) == ""
    plain = report.safe(analyses.leaving(report.cohort))
    assert headline(plain, report.groups) != ""
    direct = exact.analysis.estimate(exact.counts).tidy()
    at = direct[direct["time"] <= 182].groupby(["group", "cause"]).last()["estimate"]
    weighted = compared.adjusted(182, "iptw", n_boot=20)["estimate"]
    cause = str(rows["cause"].iloc[0])
    assert at["Pilot", cause] - at["PAIP", cause] == pytest.approx(weighted, rel=1e-9)


def test_the_first_row_is_unadjusted_and_every_method_follows(compared: Comparison) -> None:
    rows = compared.effects(182, n_boot=40).tidy()
    assert rows["method"].tolist() == ["unadjusted", "iptw", "standardised", "doubly_robust"]
    assert (rows["conf_low"] < rows["estimate"]).all()
    assert (rows["estimate"] < rows["conf_high"]).all()


def test_a_horizon_beyond_follow_up_gives_no_rows(compared: Comparison) -> None:
    assert compared.effects(5000, n_boot=40).tidy().empty


def test_sentences_of_the_gate_follow_the_verdicts(report: Report, compared: Comparison) -> None:
    safe = report.safe(compared.diagnose())
    text = sentences(safe, report.groups)
    failed = (safe.estimates.tidy()["verdict"] == "fail").sum()
    said = ("still differ", "Only ", "too little to rest")
    assert sum(words in text for words in said) == failed
    assert "no weighting removes a difference in what was not" in text
    exact = compared.fit.effective_sample_size().data["effective_sample_size"]
    own, others = (5 * round(size / 5) for size in exact)
    assert own != others
    assert f"After weighting, the people in the pilot count for about {own}, those in PAIP for about {others}" in text


def test_words_and_headline_of_effects_agree_with_the_rows(report: Report, compared: Comparison) -> None:
    safe = report.safe(compared.effects(182, n_boot=40))
    weighted = safe.estimates.tidy().iloc[1]
    clear = weighted["conf_low"] > 0 or weighted["conf_high"] < 0
    text = sentences(safe, report.groups)
    own = next(part for part in text.split(". ") if part.startswith("Weighted"))
    assert ("unclear" in own) is not clear
    assert ("difference unclear" in headline(safe, report.groups)) is not clear
