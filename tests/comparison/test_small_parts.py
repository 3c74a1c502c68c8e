"""The study's comparison, part by part and whole: who is the focus, which variants are tried, classes, balance and differences by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit.analyses import (
    BalanceOf,
    Comparison,
    PrecisionOf,
    _comparable,
    _sensitivity,
    differences_of,
    equipoise,
    outcome,
    precision,
    preference,
    target_of,
)
from evalkit.analyses._subgroups import DifferencesOf
from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from golden.cases import compared, known

GROUPS = ("a", "b")


@cache
def ours(scale: str = "retention") -> Comparison:
    return compared(scale)


# -- who is compared ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("scale", ["retention", "harm"])
def test_who_is_compared(scale: str) -> None:
    one, cohort = ours(scale), known()
    frame = cohort.retention() if scale == "retention" else cohort.harm()
    names = [c.name for c in cohort.study.covariates]
    whole = frame[frame[names].notna().all(axis=1)]
    assert list(one.data) == [*frame.columns, "focus"]
    assert list(one.data.index) == list(range(len(whole)))
    assert one.data["participant_id"].tolist() == whole["participant_id"].tolist()
    assert one.left_out == len(frame) - len(whole)
    assert one.groups == (cohort.study.arms.focus.label, cohort.study.arms.comparison.label)
    assert one.data["focus"].tolist() == [int(group == one.groups[0]) for group in whole["group"]]
    assert one.data["focus"].dtype == np.int64
    assert one.covariates == tuple(name for name in names if len(set(one.data[name])) > 1)  # levels of few are joined
    assert (one.scale, one.event, one.smallest) == (scale, str(cohort.causes_of(scale)[1]), 11)
    told = one.totals.frame.set_index("group")
    for group in one.groups:
        own = whole[whole["group"] == group]
        assert (told.loc[group, "n"], told.loc[group, "n_event"]) == (len(own), int(own["event"].eq(1).sum()))


def test_for_whom_adjusted_figures_are() -> None:
    study = known().study
    label = f"in the group “{study.arms.focus.label}”"
    assert [target_of(study, name) for name in ("att", "ate", "overlap")] == [
        f"people like those {label} (ATT)", "both groups' people (ATE)", "overlap (ATO)",
    ]  # fmt: skip
    assert target_of(study) == target_of(study, study.comparison.estimand)


def test_an_outcome_needs_its_table() -> None:
    cohort = known()
    for scale in ("retention", "harm"):
        found = outcome(cohort, scale, 120)
        assert (found.event, found.days) == (str(cohort.causes_of(scale)[1]), 120)
        assert found.compared.scale == scale and found.compared.smallest == 11


# -- differences -------------------------------------------------------------------------------------------------------
def fake(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Take the bootstrap out: what is asked for is written down, and 0.1 is found."""
    asked: list[tuple[object, ...]] = []

    def instead(
        one: Comparison,
        days: int,
        method: str = "iptw",
        *,
        estimand: str | None = None,
        n_boot: int = 400,
        label: str = "",
    ) -> dict[str, object]:
        asked.append((one, days, method, estimand, n_boot, label))
        if days > 10_000:
            raise AnalysisError("beyond")
        return {
            "label": label or method,
            "contrast": "c",
            "method": method,
            "tau": days,
            "estimate": 0.1,
            "std_error": 0.01,
            "conf_low": 0.0,
            "conf_high": 0.2,
        }

    monkeypatch.setattr(Comparison, "adjusted", instead)
    return asked


def test_the_unadjusted_difference_is_that_of_two_incidences(monkeypatch: pytest.MonkeyPatch) -> None:
    from evalkit.stats import cumulative_incidence

    asked, one = fake(monkeypatch), ours()
    found = one.effects(100, n_boot=7)
    rows = found.tidy()
    assert rows["label"].tolist() == ["Unadjusted", "iptw", "standardised", "doubly_robust"]
    assert [row[1:5] for row in asked] == [(100, m, None, 7) for m in ("iptw", "standardised", "doubly_robust")]
    each = {}
    for group in one.groups:
        own = one.data[one.data["group"] == group]
        each[group] = cumulative_incidence(own, "time", "event", times=[100], causes=["x", "y"]).tidy().iloc[0]
    focus, other = (each[group] for group in one.groups)
    value, error = focus["estimate"] - other["estimate"], np.hypot(focus["std_error"], other["std_error"])
    z = stats.norm.ppf(0.975)
    first = rows.iloc[0]
    assert [first[c] for c in ("tau", "estimate", "std_error", "conf_low", "conf_high")] == pytest.approx(
        [100, value, error, value - z * error, value + z * error]
    )
    assert (first["contrast"], first["method"]) == (f"{one.groups[0]} - {one.groups[1]}", "unadjusted")
    target = target_of(one.cohort.study)
    assert (
        found.estimand == f"difference in the share with {one.event} by day 100; target of adjusted figures: {target}"
    )
    assert (found.kind, found.population, found.cut, found.counts is one.totals) == (
        "adjusted_effects",
        one.population,
        one.cohort.cut,
        True,
    )
    assert one.effects(10_001).tidy().empty


def test_a_day_that_one_group_does_not_reach_is_refused() -> None:
    one = ours()
    last = int(one.data.groupby("group")["time"].max().min())
    with pytest.raises(AnalysisError) as refused:
        one.adjusted(last + 1, n_boot=3)
    assert str(refused.value) == f"day {last + 1} lies beyond the last day on which both groups are followed ({last})"
    with pytest.raises(AnalysisError) as other:
        one.adjusted(last, n_boot=3)  # too few replicates: the day itself is not refused
    assert "lies beyond" not in str(other.value)


def test_every_variant_of_the_main_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fake(monkeypatch)
    one, other = ours(), ours("harm")
    rules = one.cohort.study.comparison
    gap = one.cohort.rules.disengagement_gap_days
    monkeypatch.setattr(
        _sensitivity, "build", lambda data, rules, **more: ("built", data, rules.disengagement_gap_days, more)
    )
    built: list[dict[str, object]] = []
    monkeypatch.setattr(
        _sensitivity,
        "compare_arms",
        lambda cohort, *scale, smallest: built.append(cohort[3]) or (None if cohort[2] == 30 and not scale else one),
    )
    found = _sensitivity.sensitivity(one, "the data", 101, n_boot=9)  # type: ignore[arg-type]
    targets = [name for name in ("att", "ate", "overlap") if name != rules.estimand]
    low, high = f"{rules.preference_low:g}", f"{rules.preference_high:g}"
    trimmed = [label for label, kept in (("Trimmed: scores below 0.05 or above 0.95 left out", _sensitivity.within(one, 0.05, 0.95)),
               (f"Trimmed: only preference scores {low} to {high}", _sensitivity.within(one, rules.preference_low, rules.preference_high, preference=True))) if kept is not None]  # fmt: skip
    lapses = [f"Disengaged after {days} days without a session" for days in (21, 30, 45) if days not in {gap, 30}]
    expected = [(f"Main analysis: {gap} days without a session, day 101", 101, None), *[(f"Target: {target_of(one.cohort.study, t)}", 101, t) for t in targets],
                *[(label, 101, None) for label in [*trimmed, *lapses]], ("By day 50", 50, None), ("By day 151", 151, None)]  # fmt: skip
    assert [(label, days, target) for _, days, _, target, _, label in asked] == expected
    assert {row[4] for row in asked} == {9} and {row[2] for row in asked} == {"iptw"}
    assert found.tidy()["label"].tolist() == [label for label, _, _ in expected]
    assert found.estimand.startswith(
        f"weighted difference in the share with {one.event} under other choices; target of adjusted figures, where a row names no other: "
    )
    assert found.kind == "sensitivity"
    # Of the same referrals as the main analysis, whatever the rules say of them.
    assert [more["episodes"] for more in built] == [one.cohort.episodes] * len({21, 30, 45} - {gap})
    asked.clear()
    _sensitivity.sensitivity(other, "the data", 100)  # type: ignore[arg-type]
    labels = [row[5] for row in asked]
    assert labels[0] == "Main analysis: by day 100"
    assert not [label for label in labels if "session" in str(label)]
    origin = other.cohort.study.harm.origin
    moved = {"referral": "intake", "intake": "referral"}[origin]
    assert built[-1] == {
        "harm": other.cohort.study.harm.model_copy(update={"origin": moved}),
        "episodes": other.cohort.episodes,
    }
    assert labels[-3:] == [f"Harm counted from {moved}, not from {origin}", "By day 50", "By day 150"]


# -- what could have been detected -------------------------------------------------------------------------------------
def test_precision_at_another_power_and_ratio() -> None:
    counts = Tally(
        pd.DataFrame(
            [("a", "t", "T", 30, 100), ("b", "t", "T", 20, 300)], columns=["group", "term", "label", "n_event", "n"]
        )
    )
    found = PrecisionOf(GROUPS, 1.7, 0.9).estimate(counts).tidy().set_index("measure")["estimate"]
    z, p, d = stats.norm.ppf(0.975) + stats.norm.ppf(0.9), 0.25, 50
    least = np.exp(z / np.sqrt(d * p * (1 - p)))
    power = stats.norm.cdf(np.sqrt(d * p * (1 - p)) * np.log(1.7) - stats.norm.ppf(0.975))
    assert found.to_dict() == pytest.approx(
        {
            "least ratio": least,
            "largest ratio": 1 / least,
            "power": power,
            "events needed": z**2 / (p * (1 - p) * np.log(1.7) ** 2),
        }
    )


def test_precision_of_the_comparisons_that_there_are() -> None:
    found = precision([None, ours(), ours("harm")], 1.4)
    rows = found.tidy()
    assert rows["term"].drop_duplicates().tolist() == ["retention", "harm"]
    events = [one.event[:1].upper() + one.event[1:] for one in (ours(), ours("harm"))]
    assert rows["label"].drop_duplicates().tolist() == events
    sizes = rows.drop_duplicates("term")[["n", "n_event"]].to_numpy().tolist()
    assert sizes == [[len(one.data), one.data["event"].eq(1).sum()] for one in (ours(), ours("harm"))]
    assert (found.population, found.cut) == (ours().population, known().cut)
    assert found.estimand == "hazard ratio that can be detected, and power at a hazard ratio of 1.4"
    assert precision([None]).tidy().empty


# -- overlap -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("tenth", range(10))
def test_classes_of_preference_scores_are_tenths(tenth: int) -> None:
    low, high = tenth / 10, (tenth + 1) / 10
    score = np.array([low + 0.001, high - 0.001] * 4)
    own = np.arange(8) < 4
    edges = _comparable._edges(score, [own, ~own], 4)
    assert high in [round(e, 1) for e in edges] and edges[0] == 0.0
    assert not [e for e in edges if low + 0.001 <= e <= high - 0.001]


def test_preference_scores_by_class_and_in_equipoise_by_hand() -> None:
    one = ours()
    rules, score, group = one.cohort.study.comparison, one.fit.preference, one.data["group"].to_numpy()
    rows = preference(one).tidy()
    assert (
        rows["label"].tolist()
        == rows["term"].tolist()
        == [f"{a:.1f} to {b:.1f}" for a, b in zip(rows["score_from"], rows["score_to"], strict=True)]
    )
    for _, row in rows.iterrows():
        own = group == row["group"]
        inside = (score >= row["score_from"]) & ((score < row["score_to"]) | (row["score_to"] == 1))
        assert (row["n"], row["n_event"], row["estimate"]) == (
            own.sum(),
            (own & inside).sum(),
            (own & inside).sum() / own.sum(),
        )
    assert rows.groupby("group")["n_event"].sum().to_dict() == {g: int((group == g).sum()) for g in one.groups}
    found = equipoise(one)
    low, high = rules.preference_low, rules.preference_high
    for _, row in found.tidy().iterrows():
        own = score[group == row["group"]]
        assert (row["n"], row["n_event"]) == (len(own), ((own >= low) & (own <= high)).sum())
    assert set(found.tidy()["label"]) == {f"Preference score from {low:g} to {high:g}"}
    assert found.estimand == f"share with a preference score from {low:g} to {high:g}"
    assert dict(preference(one).summary) == {"score_from": low, "score_to": high}


# -- balance -----------------------------------------------------------------------------------------------------------
CARRIED = {"smd_weighted": 0.5, "variance_ratio": 1.5, "variance_ratio_weighted": 1.1}
LEVELS = pd.DataFrame(
    [("b", "w[Yes]", "w", "Work: yes", 30, 100, np.nan, np.nan), ("a", "w[Yes]", "w", "Work: yes", 30, 40, np.nan, np.nan),
     ("a", "age", "age", "Age", 40, 40, 1200.0, 37000.0), ("b", "age", "age", "Age", 100, 100, 3500.0, 125000.0),
     ("a", "alone", "alone", "Alone", 3, 40, np.nan, np.nan)],
    columns=["group", "term", "variable", "label", "n_event", "n", "total", "total_sq"],
).assign(**CARRIED)  # fmt: skip


@pytest.mark.parametrize("att", [True, False])
def test_standardised_differences_by_hand(att: bool) -> None:
    found = BalanceOf(GROUPS, "e", "p", att=att, notes=("n",)).estimate(Tally(LEVELS))
    rows = found.tidy().set_index("term")
    one, two = (37000 - 40 * 30**2) / 39, (125000 - 100 * 35**2) / 99
    scale = np.sqrt(one) if att else np.sqrt((one + two) / 2)
    work = np.sqrt(0.75 * 0.25) if att else np.sqrt((0.75 * 0.25 + 0.3 * 0.7) / 2)
    assert rows["smd"].to_dict() == pytest.approx({"w[Yes]": 0.45 / work, "age": -5 / scale})
    assert rows.loc["age", list(CARRIED)].to_dict() == CARRIED
    assert rows.loc["age", ["variable", "label"]].tolist() == ["age", "Age"]
    assert (found.kind, found.estimand, found.population, found.notes) == ("balance", "e", "p", ("n",))


# -- differences among groups of people ------------------------------------------------------------------------------
def test_differences_by_level_need_both_groups() -> None:
    frame = pd.DataFrame(
        [("a", "Work", "w1", "Yes", 30, 50), ("b", "Work", "w1", "Yes", 20, 60), ("a", "Work", "w2", "No", 10, 40), ("a", "Sex", "s1", "Man", 5, 0),
         ("b", "Sex", "s1", "Man", 5, 20), ("b", "Sex", "s2", "Woman", 8, 20), ("a", "Sex", "s2", "Woman", 9, 30)],
        columns=["group", "variable", "term", "label", "n_event", "n"],
    )  # fmt: skip
    found = differences_of(Tally(frame), GROUPS)
    assert found[["variable", "term", "label", "contrast"]].to_numpy().tolist() == [
        ["Work", "w1", "Yes", "a - b"], ["Sex", "s1", "Man", "a - b"], ["Sex", "s2", "Woman", "a - b"],
    ]  # fmt: skip
    assert found["estimate"].tolist() == pytest.approx([30 / 50 - 20 / 60, np.nan, 9 / 30 - 8 / 20], nan_ok=True)
    assert found["p_value"].isna().all() and found["df"].isna().all()
    two = frame.assign(n=frame["n"].replace(0, 25))
    tested = differences_of(Tally(two), GROUPS).set_index("term")
    own = []
    for x1, n1, x0, n0 in ((5, 25, 5, 20), (9, 30, 8, 20)):
        shares = [((x + 0.5) / (n + 1), n) for x, n in ((x1, n1), (x0, n0))]
        own.append((x1 / n1 - x0 / n0, sum(p * (1 - p) / n for p, n in shares)))
    d, w = np.array([v for v, _ in own]), 1 / np.array([v for _, v in own])
    q = (w * (d - (w * d).sum() / w.sum()) ** 2).sum()
    assert tested.loc["s1", ["statistic", "df", "p_value"]].tolist() == pytest.approx([q, 1, stats.chi2.sf(q, 1)])
    assert tested.loc["s2", "p_value"] == tested.loc["s1", "p_value"]
    assert differences_of(Tally(frame.iloc[:0]), GROUPS).empty


def test_a_difference_by_level_carries_its_counts_its_analysis_and_its_notes() -> None:
    rows = [(g, "sex[man]", "Man", "Sex", e, 40) for g, e in zip(GROUPS, (30, 20), strict=True)]
    counts = Tally(pd.DataFrame(rows, columns=["group", "term", "label", "variable", "n_event", "n"]))
    made = DifferencesOf(GROUPS, "difference", "people", ("A note.",)).estimate(counts)
    assert made.counts is counts
    assert made.analysis == DifferencesOf(GROUPS, "difference", "people", ("A note.",))
    assert (made.kind, made.estimand, made.population, made.notes) == (
        "subgroups",
        "difference",
        "people",
        ("A note.",),
    )


def test_numbers_of_levels_follow_what_else_is_known_and_stand_apart() -> None:
    rng = np.random.default_rng(4)
    level = rng.integers(0, 3, 300)
    frame = pd.DataFrame(
        {
            "focus": (rng.random(300) < 0.3 + 0.3 * (level == 1)).astype(int),
            "time": rng.integers(1, 300, 300) + 200 * (level == 2),
            "event": rng.integers(0, 2, 300),
            "age": rng.normal(30, 5, 300),
            "same": 1.0,  # what does not differ has no say
            "place": np.array(["x", "y", "z"], dtype=object)[level],
        }
    )
    found = _sensitivity.quantified(frame, "place", ["age", "same"])
    y = np.column_stack([frame["place"].eq(one).astype(float) for one in found])
    z = frame[["focus", "time", "event", "age"]].to_numpy(float)
    y, z = y - y.mean(axis=0), z - z.mean(axis=0)
    # the canonical variate by another road: the leading eigenvector of the two projections
    projection = z @ np.linalg.solve(z.T @ z, z.T)
    left = np.linalg.svd(y, full_matrices=False)[0][:, :2]
    variate = left @ np.linalg.eigh(left.T @ projection @ left)[1][:, -1]
    means = np.array([variate[frame["place"].eq(one).to_numpy()].mean() for one in found])
    ours_ = np.array(list(found.values()))
    ours_, means = ours_ - ours_.mean(), means - means.mean()
    assert np.abs(ours_ @ means) == pytest.approx(np.linalg.norm(ours_) * np.linalg.norm(means), rel=1e-4)
    assert list(found) == ["x", "y", "z"]
    assert len(set(_sensitivity.quantified(frame.assign(place="x", time=1), "place", ["same"]).values())) == 1


def test_where_an_imputed_study_cannot_be_compared_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"m": 2, "burn_in": 1, "n_boot": 20}
    assert len(_sensitivity.imputed(ours(), 60, **asked).data) == 2
    monkeypatch.setattr(_sensitivity, "fitted", lambda *_, **__: None)
    assert _sensitivity.imputed(ours(), 60, **asked).data.empty
