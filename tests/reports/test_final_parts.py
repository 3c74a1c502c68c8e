"""What the final report adds, on simulated people: each statistic against a plain computation of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit import analyses
from evalkit.analyses import differences_of
from evalkit.analyses._sensitivity import quantified
from evalkit.counts import Tally
from evalkit.disclosure import Safe
from evalkit.markup import markdown
from evalkit.report import (
    Report,
    _mark,
    conclusions,
    limitations,
    open_report,
    say_participants,
    show_pair,
    show_participants,
    terms,
)
from evalkit.report import _findings as findings_module
from evalkit.report import _report as report_module
from evalkit.report._findings import EventShare, page_one
from evalkit.simulate import simulate
from evalkit.stats import kaplan_meier, rmst_contrast
from evalkit.views import CurveText, Gap, Look, difference_table, mean_gap
from evalkit.views.appendix import CHECKLIST, SECTIONS, checklist
from evalkit.views.balance import overlap_figure
from evalkit.views.curves import last_day
from reports.agreement import astray, numbers_of, plain
from reports.claims import Claims
from reports.made import nothing, points, told
from views.made import curve
from views.seen import draw, headline, nothing_to_draw, sentences, table_of

ROOT = Path(__file__).resolve().parents[2]
STUDY = (
    "id: small\ntitle: Small study\nstarts: 2021-11-18\n"
    "arms: {column: pathway, focus: {value: non_mandated, label: Pilot}, comparison: {value: paip, label: PAIP}}\n"
    "covariates: [{name: age, label: Age}, {name: gender, label: Gender, kind: categorical},"
    " {name: employment, label: Employed, kind: yes_no}, {name: prior_dv_arrests, label: Earlier arrests}]\n"
    "harm: {kinds: [dv_arrest, order_violation, survivor_reported_harm], label: recorded harm}\n"
    "tables:\n  participants: {path: data/participants.csv, freshness_days: 1000}\n"
    "  sessions: {path: data/sessions.csv, freshness_days: 1000}\n"
    "  exits: {path: data/exits.csv, freshness_days: 1000}\n"
    "  outcomes: {path: data/outcomes.csv, freshness_days: 1000}\nbaselines: null\n"
)


def opened(place: Path, n_focus: int, n_comparison: int) -> Report:
    simulate("benefit", seed=5, n_focus=n_focus, n_comparison=n_comparison).write(place / "data")
    (place / "study.yaml").write_text(STUDY, encoding="utf-8")
    return open_report(str(place / "study.yaml"), "2023Q4")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return opened(tmp_path_factory.mktemp("final"), 250, 600)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return opened(tmp_path_factory.mktemp("tiny"), 2, 1)


@pytest.fixture(scope="module")
def compared(report: Report) -> analyses.Comparison:
    found = analyses.compare_arms(report.cohort)
    assert found is not None
    return found


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr(_mark, "display", lambda bundle, **_: bundles.append(bundle))
    yield bundles


def test_page_one_quotes_an_earlier_day_where_the_one_asked_for_cannot_be(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert max(report.study.harm.horizons) == 365
    assert report.study.rules.landmark_day == 270  # page one says of half a year who had left
    names = {one.key: one.line.name for one in page_one(report).found}
    assert (names["harm"], names["left"]) == ("Recorded harm within one year", "Left within six months")
    quoted = Safe.landmark_rows
    monkeypatch.setattr(Safe, "landmark_rows", lambda safe: quoted(safe)[lambda rows: rows["time"] < 182])
    names = {one.key: one.line.name for one in page_one(report).found}
    assert names["left"] == "Left within three months"
    monkeypatch.setattr(Safe, "landmark_rows", lambda safe: quoted(safe)[lambda rows: rows["time"] < 365])
    names = {one.key: one.line.name for one in page_one(report).found}
    assert names["harm"] == "Recorded harm within six months"


def test_a_mean_of_people_without_an_event_is_not_compared(report: Report) -> None:
    times = report.cohort.harm().assign(event=lambda rows: rows["event"].where(rows["group"] == "PAIP", 0))
    exact = rmst_contrast(times, "time", "event", by="group", tau=182, reference="PAIP")
    assert mean_gap(report.safe(exact)) is None
    said = "Withheld to protect people: fewer than 11 people or events would be described. Withheld is not zero."
    assert sentences(report.safe(exact), report.groups, event="recorded harm") == said  # as its share is
    assert mean_gap(report.safe(analyses.mean_without_harm(report.cohort, 182))) is not None


def test_of_a_group_whose_curve_is_not_shown_no_day_is_said_to_be_withheld(report: Report) -> None:
    times = report.cohort.harm()
    few = times["event"].where(times["group"].eq("PAIP") | (times["time"] > 380), 0)
    safe = report.safe(kaplan_meier(times.assign(event=few), "time", "event", by="group"))
    assert 0 < few[times["group"] == "Pilot"].sum() < 11
    assert not EventShare(safe, safe.landmark_rows(), None, last_day(safe, report.groups[:1]), "").withheld(
        report.groups
    )


def test_above_curves_that_go_on_no_difference_is_none_by_then(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    safe = report.safe(kaplan_meier(report.cohort.harm(), "time", "event", by="group"))
    gaps = {day: {"": Gap(0.0, -0.1, 0.1, day=day)} for day in (182.0, 365.0)}
    assert headline(safe, report.groups, "well", gaps[365.0]).endswith("were well: difference unclear")
    quoted = Safe.landmark_rows
    monkeypatch.setattr(Safe, "landmark_rows", lambda safe: quoted(safe)[lambda rows: rows["time"] < 365])
    assert headline(safe, report.groups, "well", gaps[182.0]).endswith("were well: difference unclear by then")


def test_a_curve_without_an_event_is_not_drawn_as_if_it_were_sure(report: Report, shown: list[dict[str, Any]]) -> None:
    times = report.cohort.harm().assign(event=lambda rows: rows["event"].where(rows["group"] == "PAIP", 0))
    report.show(kaplan_meier(times, "time", "event", by="group"), words=CurveText("Well", "Days", "well"))
    assert "PAIP" in shown[0]["image/svg+xml"]
    assert "Pilot" not in shown[0]["image/svg+xml"]
    assert "No event is known so far in the pilot" in shown[1]["text/markdown"]


def test_standardised_differences_are_those_of_the_formula(report: Report) -> None:
    shares, means = analyses.baseline(report.cohort)
    people = report.cohort.people
    own, other = (people[people["group"] == g] for g in report.groups)
    rows = means.tidy().set_index(["term", "group"])
    one, two = own["age"].dropna(), other["age"].dropna()
    expected = (one.mean() - two.mean()) / np.sqrt((one.var(ddof=1) + two.var(ddof=1)) / 2)
    assert rows.loc[("age", "Pilot"), "smd"] == pytest.approx(expected, rel=1e-12)
    p, q = ((part["gender"] == "woman").sum() / len(part) for part in (own, other))
    found = shares.tidy().set_index(["term", "group"]).loc[("gender: woman", "PAIP"), "smd"]
    assert found == pytest.approx((p - q) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2), rel=1e-12)


def test_table_of_participants_shows_no_small_count(report: Report, shown: list[dict[str, Any]]) -> None:
    say_participants(report)
    show_participants(report)
    text, table = shown[0]["text/markdown"], shown[1]["text/html"]
    assert text.startswith("The groups differ most in")
    counts = [int(n.replace(",", "")) for n in re.findall(r">([\d,]+); \d+%<", table)]
    assert len(counts) > 8
    assert not [n for n in counts if 0 < n < 10]


def test_classes_of_preference_scores_hold_nobody_or_many(compared: analyses.Comparison) -> None:
    rows = analyses.preference(compared).tidy()
    assert not ((rows["n_event"] > 0) & (rows["n_event"] < 11)).any()
    assert rows.groupby("group")["n_event"].sum().equals(rows.groupby("group")["n"].first())
    assert rows.groupby("group")["estimate"].sum().to_numpy() == pytest.approx([1.0, 1.0])


def test_equipoise_counts_scores_in_the_protocols_range(compared: analyses.Comparison) -> None:
    rows = analyses.equipoise(compared).tidy().set_index("group")
    e, share = compared.fit.scores, compared.fit.treated.mean()
    odds = e / (1 - e) / (share / (1 - share))
    inside = (odds / (1 + odds) >= 0.3) & (odds / (1 + odds) <= 0.7)
    assert rows.loc["Pilot", "n_event"] == int(inside[compared.fit.treated > 0].sum())


def test_interaction_is_cochrans_q() -> None:
    counts = pd.DataFrame(
        {
            "variable": "Work",
            "term": ["a", "a", "b", "b", "c", "c"],
            "label": ["a", "a", "b", "b", "c", "c"],
            "group": ["one", "two"] * 3,
            "n_event": [30, 40, 25, 20, 33, 12],
            "n": [60, 70, 50, 55, 61, 44],
        }
    )
    rows = differences_of(Tally(counts), ("one", "two"))
    d, v = [], []
    for i in (0, 2, 4):
        (x1, n1), (x0, n0) = counts.loc[i, ["n_event", "n"]], counts.loc[i + 1, ["n_event", "n"]]
        d.append(x1 / n1 - x0 / n0)
        p1, p0 = (x1 + 0.5) / (n1 + 1), (x0 + 0.5) / (n0 + 1)
        v.append(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)
    weight = 1 / np.array(v)
    q = float((weight * (np.array(d) - np.average(d, weights=weight)) ** 2).sum())
    assert rows["statistic"].iloc[0] == pytest.approx(q, rel=1e-12)
    assert rows["p_value"].iloc[0] == pytest.approx(stats.chi2.sf(q, 2), rel=1e-12)


def test_subgroups_have_enough_people_on_either_side(report: Report) -> None:
    found = analyses.subgroups(report.cohort)
    rows = found.counts.data  # type: ignore[union-attr]
    assert rows["n_event"].min() >= 11
    assert (rows["n"] - rows["n_event"]).min() >= 11
    told = found.tidy()
    assert told["variable"].iloc[0] == "Everybody"
    exact = analyses.differences_of(found.counts, report.groups)  # type: ignore[arg-type]
    assert "statistic" not in told
    for name in ("estimate", "conf_low", "conf_high", "p_value"):  # digits enough to say it, too few to count back
        assert (100 * told[name].dropna()).round(9).mod(1).eq(0).all()
        assert (told[name] - exact[name]).abs().max() <= 0.01


def test_mean_counts_are_events_over_people_still_followed(report: Report) -> None:
    rows = report.cohort.harm_recurrent()
    found = analyses.repeated_harm(report.cohort).tidy()
    last = found[found["group"] == "PAIP"].iloc[-1]
    own = rows[rows["group"] == "PAIP"]
    ends = own.groupby(["participant_id", "episode"])["time"].max().to_numpy()
    events = own.loc[(own["event"] == 1) & (own["time"] <= last["time"]), "time"]
    expected = sum(1 / (ends >= day).sum() for day in events)
    assert last["estimate"] == pytest.approx(expected, rel=0.005)  # its denominator is a whole number


def test_steps_of_mean_counts_speak_of_many(report: Report) -> None:
    rows = report.cohort.harm_recurrent()
    found = analyses.repeated_harm(report.cohort).tidy()
    for group, own in found.groupby("group"):
        events = rows[(rows["group"] == group) & (rows["event"] == 1)]
        first = events.groupby(["participant_id", "episode"])["time"].min()
        edges = [0.0, *own["time"]]
        for low, high in pairwise(edges):
            assert events["time"].between(low, high, inclusive="right").sum() >= 11
            assert first.between(low, high, inclusive="right").sum() >= 11


def test_landmark_groups_know_nothing_of_later(report: Report) -> None:
    rows = analyses.completed_by(report.cohort)
    day = report.cohort.rules.landmark_day
    before = report.cohort.harm()
    assert len(rows) == (before["time"] > day).sum()
    people = report.cohort.people.set_index("participant_id")
    since = (people["completion_date"] - people["referral_date"]).dt.days
    done = rows.loc[rows["completed"] == 1, "participant_id"]
    assert len(done) > 0
    assert (since[done] <= day).all()
    assert not (since[rows.loc[rows["completed"] == 0, "participant_id"]] <= day).any()


def test_trimming_keeps_people_with_scores_in_the_range(report: Report, compared: analyses.Comparison) -> None:
    rows = analyses.sensitivity(compared, report.data, 182, n_boot=20).tidy()
    assert rows["label"].str.startswith("Main").iloc[0]
    assert rows["label"].str.contains("Trimmed").sum() == 2
    assert rows["label"].str.contains("21 days|45 days").sum() == 2
    main = compared.adjusted(182, n_boot=20)
    assert rows["estimate"].iloc[0] == main["estimate"]


def test_e_values_are_of_the_weighted_hazard_ratio(compared: analyses.Comparison) -> None:
    rows = analyses.e_values(compared, 182, n_boot=40).tidy().set_index("term")
    hazard = float(rows.loc["estimate", "estimate"])
    root = np.sqrt(hazard)
    ratio = (1 - 0.5**root) / (1 - 0.5 ** (1 / root))
    ratio = max(ratio, 1 / ratio)
    assert rows.loc["estimate", "e_value"] == pytest.approx(ratio + np.sqrt(ratio * (ratio - 1)))
    assert rows.loc["limit", "e_value"] <= rows.loc["estimate", "e_value"]
    assert rows.drop(index=["estimate", "limit"])["e_value"].ge(1).all()


def test_numbers_of_levels_can_be_turned_back() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"focus": rng.integers(0, 2, 90), "time": rng.integers(1, 99, 90), "event": 1, "age": 40.0})
    frame["kind"] = rng.choice(["a", "b", "c"], 90)
    codes = quantified(frame, "kind", ["age"])
    assert len(set(codes.values())) == 3


def test_imputed_people_are_all_of_them(report: Report, compared: analyses.Comparison) -> None:
    found = analyses.imputed(compared, 182, m=2, burn_in=1, n_boot=20)
    rows = found.tidy()
    assert len(rows) == 2
    assert found.counts is not None
    assert found.counts.data["n"].sum() == len(report.cohort.retention()) > len(compared.data)
    assert rows["conf_low"].lt(rows["estimate"]).all()


def test_what_could_be_detected_follows_schoenfeld(compared: analyses.Comparison) -> None:
    rows = analyses.precision([compared]).tidy().set_index("measure")
    events, n = rows["n_event"].iloc[0], rows["n"].iloc[0]
    p = float((compared.data["focus"] == 1).sum() / n)
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert rows.loc["least ratio", "estimate"] == pytest.approx(np.exp(z / np.sqrt(events * p * (1 - p))))
    assert rows.loc["largest ratio", "estimate"] == pytest.approx(1 / rows.loc["least ratio", "estimate"])


def test_every_part_is_drawn_written_and_said(report: Report, compared: analyses.Comparison) -> None:
    made = [
        analyses.preference(compared), analyses.e_values(compared, 182, n_boot=40),
        analyses.sensitivity(compared, report.data, 182, n_boot=20), analyses.subgroups(report.cohort),
        analyses.repeated_harm(report.cohort), analyses.precision([compared]),
    ]  # fmt: skip
    for estimates in made:
        safe = report.safe(estimates)
        kind, rows = safe.estimates.kind, safe.estimates.tidy()
        told = [] if kind == "preference" else [sentences(safe, report.groups, event="harm"), plain(table_of(safe))]
        if kind != "precision":
            told += [draw(safe, report.groups, Look(x_label="harm"))[1]]
            told += [headline(safe, report.groups)] if kind != "preference" else []
        rules = {"21", "45", "182", "0.1", "0.9", "1.5", str(len(rows))} | {str(n) for n in range(1, 12)}
        for text in told:
            assert numbers_of(text), (kind, text)
            assert astray(text, pd.concat([rows, 100 * rows.select_dtypes("number")]), [], rules) == [], (kind, text)
            assert Claims(rows, [], report.groups).wrong(text) == [] or kind in {
                "subgroups",
                "sensitivity",
                "mean_count",
            }, (
                kind,
                text,
            )


def test_conclusions_follow_the_diagnostics(report: Report, shown: list[dict[str, Any]]) -> None:
    lapse = analyses.outcome(report.cohort, "retention", 182)
    assert lapse is not None
    strict = report.cohort.study.comparison.model_copy(update={"min_effective_sample_size": 100_000})
    study = report.cohort.study.model_copy(update={"comparison": strict})
    object.__setattr__(lapse.compared.cohort, "study", study)  # type: ignore[union-attr] - frozen for everybody else
    try:
        conclusions(report, [lapse])
        limitations(report, [lapse])
    finally:
        object.__setattr__(report.cohort, "study", report.study)
    verdicts = report.safe(lapse.compared.diagnose()).estimates.tidy().set_index("term")["verdict"]  # type: ignore[union-attr]
    assert verdicts["effective sample size"] == "pass"  # by the study's own bound
    assert (
        shown[0]["text/markdown"]
        .splitlines()[1]
        .endswith(
            "after weighting, one group counts for too few people. They are shown so that readers can see what was tried."
        )
    )
    assert (
        shown[0]["text/markdown"]
        .splitlines()[1]
        .startswith("- **Disengagement.** No conclusion is drawn from adjusted figures: ")
    )
    assert "The comparison of disengagement fails a diagnostic: " in shown[1]["text/markdown"]


def test_three_people_are_one_sentence_each(tiny: Report, shown: list[dict[str, Any]]) -> None:
    say_participants(tiny)
    show_participants(tiny)
    lapse = analyses.outcome(tiny.cohort, "retention", 182)
    conclusions(tiny, [lapse])
    limitations(tiny, [lapse])
    for estimates in (analyses.subgroups(tiny.cohort), analyses.repeated_harm(tiny.cohort), analyses.precision([None])):
        tiny.say(estimates)
        tiny.show(estimates, "table")
    few = "::: {.absent}\nToo few people have been referred to describe both groups.\n:::"
    small = "::: {.absent}\nWithheld to protect people: fewer than 11 people or events would be described. Withheld is not zero.\n:::"
    texts = [bundle["text/markdown"] for bundle in shown]
    assert texts[:2] == [few, few]
    assert "- **Disengagement.** The groups cannot be compared with adjustment, so nothing is concluded." in texts[2]
    assert len(points(texts[3])) == 4  # exchange, start, watching, small counts: nothing of a comparison
    assert set(texts[4:]) <= {
        small,
        "::: {.absent}\nNot shown: too few people have been observed for long enough.\n:::",
    }
    assert len(texts) == 10


def test_the_checklist_leads_to_sections_that_are_there() -> None:
    notebook = nbformat.read(ROOT / "notebooks" / "final.ipynb", as_version=4)
    there = set(re.findall(r'(?:\{#|label=")sec-([\w-]+)[}"]', "\n".join(c.source for c in notebook.cells)))
    asked = {name for _, _, where in CHECKLIST for name in where}
    assert asked <= there
    assert asked <= set(SECTIONS)
    assert set(re.findall(r"#sec-([\w-]+)", markdown(checklist()))) == asked


def test_every_citation_is_in_the_references() -> None:
    text = (ROOT / "notebooks" / "final.ipynb").read_text(encoding="utf-8")
    cited = {key for group in re.findall(r"\[(@[^\]]+)\]", text) for key in re.findall(r"@([a-z]+)", group)}
    known = {one["id"] for one in pd.read_json(ROOT / "notebooks" / "references.json").to_dict("records")}
    assert len(cited) > 10
    assert cited == known


def test_days_before_the_first_event_are_a_table_where_there_are_no_others() -> None:
    rows = pd.DataFrame({"group": ["Pilot", "PAIP"], "time": 30.0, "estimate": 1.0, "conf_low": 1.0, "conf_high": 1.0})
    none = SimpleNamespace(estimates=SimpleNamespace(tidy=lambda: rows.iloc[:0]))
    table = difference_table(SimpleNamespace(landmark_rows=lambda: rows), none, ("Pilot", "PAIP"))  # type: ignore[arg-type]
    assert "30 days" in table


def test_half_of_a_mirrored_figure_is_not_drawn(report: Report, compared: analyses.Comparison) -> None:
    safe = report.safe(analyses.preference(compared, smallest=11))
    assert not nothing_to_draw(safe, report.groups[0])
    rows = safe.estimates.tidy()
    half = safe.estimates.about(data=rows[rows["group"] == report.groups[1]])
    assert nothing_to_draw(SimpleNamespace(estimates=half, policy=report.policy), report.groups[0])


def test_a_class_of_preference_scores_that_is_not_shown_does_not_look_like_nobody() -> None:
    classes = [("Pilot", 0.1, 0.6, 0.5), ("Pilot", 0.7, 1.0, 0.0), ("PAIP", 0.0, 0.6, 0.9), ("PAIP", 0.6, 1.0, 0.1)]
    rows = pd.DataFrame(classes, columns=["group", "score_from", "score_to", "estimate"])
    figure, said = overlap_figure(rows, ("Pilot", "PAIP"), (0.3, 0.7))
    texts = [text for text in figure.axes[0].texts if text.get_text() == "not shown"]
    assert [text.xy[0] for text in texts] == pytest.approx([0.05, 0.65])
    assert (
        "Pilot: not shown from 0.0 to 0.1, 50% from 0.1 to 0.6, not shown from 0.6 to 0.7, 0% from 0.7 to 1.0." in said
    )
    assert "PAIP: 90% from 0.0 to 0.6, 10% from 0.6 to 1.0." in said


def test_a_p_value_in_hundredths_is_written_in_hundredths(report: Report) -> None:
    table = table_of(report.safe(analyses.subgroups(report.cohort)), "")
    shown = re.findall(r"(?<![\d.])(?:≤)?0\.\d+(?=</td>)", table)
    assert shown
    assert all(len(value.removeprefix("≤")) == 4 for value in shown)


def test_where_a_group_cannot_be_quoted_text_and_headline_say_so_and_stop_at_the_figures_end(
    report: Report, shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    harm_curve = kaplan_meier(report.cohort.harm(), "time", "event", by="group")
    made = report_module.make_safe

    def of_paip_only(*given: Any) -> Safe:
        safe = made(*given)
        if safe.estimates.kind != "kaplan_meier":
            return safe
        quoted = frozenset({("PAIP", 365.0), ("PAIP", 730.0)})
        return replace(safe, quoted=quoted)

    monkeypatch.setattr(report_module, "make_safe", of_paip_only)
    look = CurveText("Well", "Days", "well")
    report.say(harm_curve, words=look, horizon=365)
    report.show(harm_curve, words=look, horizon=365)
    text = shown[0]["text/markdown"]
    assert text.startswith("At one year, ")
    assert "730" not in text
    assert "No share is given in the pilot: too few people would stand behind it." in text
    head = headline(report.safe(harm_curve).until(365), report.groups, "well")
    assert head.startswith("By one year, ")
    assert "Pilot" not in head
    assert "Pilot" not in shown[1]["image/svg+xml"]
    assert "No line is drawn in the pilot" in shown[2]["text/markdown"]


def test_a_line_that_is_nowhere_near_is_not_drawn_and_that_is_said(
    report: Report, shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = report_module.make_safe

    def of_paip_only(*given: Any) -> Safe:
        safe = made(*given)
        return replace(safe, quoted=frozenset(p for p in safe.quoted if "PAIP" in p[0]))

    monkeypatch.setattr(report_module, "make_safe", of_paip_only)
    report.show(kaplan_meier(report.cohort.harm(), "time", "event", by="group"), horizon=365)
    assert "Pilot" not in shown[0]["image/svg+xml"]
    assert "No line is drawn in the pilot" in shown[1]["text/markdown"]
    report.show(analyses.leaving(report.cohort), words=CurveText("", "Days", ""), horizon=365)
    assert "No line is drawn in the pilot (disengaged) and in the pilot (completed)" in shown[3]["text/markdown"]


def test_of_each_cause_it_is_said_whose_share_is_not_given(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = analyses.leaving(report.cohort)
    made, whole = report_module.make_safe, report.safe(exact)
    assert "No share is given" not in sentences(whole, report.groups)

    def without(*places: str) -> str:
        def some(*given: Any) -> Safe:
            safe = made(*given)
            return replace(safe, quoted=frozenset(p for p in safe.quoted if p[0] not in places))

        monkeypatch.setattr(report_module, "make_safe", some)
        return sentences(replace(report).safe(exact), report.groups)  # a report makes an estimate safe once

    assert "No share is given in the pilot (completed): too few" in without("Pilot: completion")
    assert "No share is given in the pilot: too few" in without("Pilot: completion", "Pilot: disengagement")


def test_where_nobody_lacks_a_value_that_is_the_reason_why_nothing_is_imputed(
    report: Report, compared: analyses.Comparison, shown: list[dict[str, Any]]
) -> None:
    report.say(analyses.imputed(replace(compared, left_out=0), 182, m=2, burn_in=1, n_boot=20))
    assert "Nobody who can be compared lacks a value" in shown[0]["text/markdown"]
    assert "observed for long enough" not in shown[0]["text/markdown"]


def test_page_one_says_that_nothing_can_be_told_of_harm_yet(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_module, "share_left", lambda *_: None)
    monkeypatch.setattr(findings_module, "share_harmed", lambda *_: None)
    page = page_one(report)
    assert {one.key: one.line.says for one in page.found}["harm"] == "Too few people, or too short a time."
    assert page.bottom_line.endswith("Harm cannot be compared yet.")


def test_whether_repeated_harm_differs_is_told_by_the_ratio_of_the_means(report: Report) -> None:
    safe = report.safe(analyses.repeated_harm(report.cohort))
    text = sentences(safe, report.groups, gaps=report.gaps(safe))
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    when = re.findall(r"By (.+?), harm", text)[0]
    day = {"three months": 90, "six months": 182, "one year": 365}.get(when) or int(when.removeprefix("day "))
    own = rows[rows["time"] == day].set_index("group")
    error = {g: np.log(own.loc[g, "conf_high"] / own.loc[g, "estimate"]) / stats.norm.ppf(0.975) for g in report.groups}
    z = np.log(own.loc["Pilot", "estimate"] / own.loc["PAIP", "estimate"]) / np.hypot(*error.values())
    words = "difference is unclear" if abs(z) < stats.norm.ppf(0.975) else "clearly"
    assert words in text
    assert text.endswith("These figures are not adjusted.")


def test_the_share_with_harm_is_what_the_curve_without_it_leaves(report: Report) -> None:
    keys = ["group", "time"]
    both = analyses.first_harm(report.cohort).tidy().merge(analyses.without_harm(report.cohort).tidy(), on=keys)
    assert len(both) > 50
    assert both["estimate_x"].to_numpy() == pytest.approx(1 - both["estimate_y"].to_numpy(), abs=1e-12)


SIDE_BY_SIDE = """
group | time | n_risk | estimate | conf_low | conf_high | verdict
PAIP | 90 | 500 | 0.95 | 0.93 | 0.97 | pass
PAIP | 365 | 150 | 0.83 | 0.78 | 0.87 | pass
PAIP | 730 | 40 | 0.70 | 0.62 | 0.77 | pass
"""
HALF_SHOWN = (
    "Not shown side by side: in one group (Pilot) fewer than 11 people have had the event, or have not. A comparison needs "
    "at least as many of both in each group."
)


@pytest.mark.parametrize(
    ("horizon", "said"),
    [(365, HALF_SHOWN), (89, HALF_SHOWN)],
)
def test_a_pair_of_which_one_is_hidden_says_what_it_would_take(
    shown: list[dict[str, Any]], horizon: float, said: str
) -> None:
    half = replace(curve(SIDE_BY_SIDE), withheld=("Pilot",), verdict="partly")
    show_pair(told({"kaplan_meier": half}), half.estimates, CurveText("", "Days since day 182", ""), horizon)
    assert [plain(one["text/markdown"]) for one in shown] == [f"::: {{.absent}} {said} :::"]


def test_a_pair_that_is_hidden_whole_names_no_group(shown: list[dict[str, Any]]) -> None:
    whole = replace(nothing("kaplan_meier"), withheld=("kaplan_meier",))
    show_pair(told({"kaplan_meier": whole}), whole.estimates, CurveText("", "Days since day 182", ""), 365)
    assert [plain(one["text/markdown"]) for one in shown] == [
        "::: {.absent} Withheld to protect people: fewer than 11 people or events would be described. Withheld is not zero. :::"
    ]


@pytest.mark.parametrize(
    ("labels", "told"), [(("Pilot", "PAIP"), True), (("PAIP now", "PAIP before"), True), (("A", "B"), False)]
)
def test_the_glossary_speaks_of_paip_where_a_group_is_called_so(
    report: Report, shown: list[dict[str, Any]], labels: tuple[str, str], told: bool
) -> None:
    arms = SimpleNamespace(focus=SimpleNamespace(label=labels[0]), comparison=SimpleNamespace(label=labels[1]))
    terms(SimpleNamespace(cohort=report.cohort, study=SimpleNamespace(arms=arms)))  # type: ignore[arg-type]
    assert ("Partner Abuse Intervention Program" in shown[0]["text/markdown"]) is told
