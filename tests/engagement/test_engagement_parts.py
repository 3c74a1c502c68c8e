"""What the analyses of engagement count with: rows of groups, classes, levels in their order, ratios at their ends; in whole."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from evalkit.analyses import ChangeOf, LateEntry, MeanOf, RatioOf, ShareOf
from evalkit.analyses._analyses import count_true, groups_of, moments, moments_of, tally
from evalkit.analyses._baseline import _standardised
from evalkit.analyses._caseload import Caseload
from evalkit.analyses._dose import _class
from evalkit.analyses._quality import _lag_counts
from evalkit.analyses._reach import _levels, _order
from evalkit.counts import DayCounts, Moments, Tally, codes_of
from evalkit.errors import AnalysisError
from evalkit.wilson import wilson

PEOPLE = pd.DataFrame(
    {
        "participant_id": list("abcdef"),
        "group": ["Pilot", "PAIP", "Pilot", "PAIP", "PAIP", "Other"],
        "met": [True, True, False, True, False, True],
        "eligible": [True, False, True, True, True, True],
        "hours": [3, 0, -4, 2, 5, 1.5],
    }
)
CODES = codes_of(PEOPLE)


def told(people: tuple) -> list[dict[str, list[int]]]:
    return [{name: [CODES.tolist().index(c) for c in codes] for name, codes in row.items()} for row in people]


def test_who_counts_in_each_group_and_who_of_them_did() -> None:
    counts = tally(count_true(PEOPLE, ("Pilot", "PAIP", "all", "Nobody"), "t", "T", "met", "eligible"))
    assert counts.frame.to_dict("list") == {
        "group": ["Pilot", "PAIP", "all", "Nobody"], "term": ["t"] * 4, "label": ["T"] * 4,
        "n_event": [1, 1, 3, 0], "n": [2, 2, 5, 0],
    }  # fmt: skip
    assert told(counts.people) == [
        {"n": [0, 2], "n_event": [0]}, {"n": [3, 4], "n_event": [3]}, {"n": [0, 2, 3, 4, 5], "n_event": [0, 3, 5]}, {"n": [], "n_event": []},
    ]  # fmt: skip


def test_quantities_of_each_group() -> None:
    counts = moments(moments_of(PEOPLE, ("Pilot", "PAIP", "all", "Nobody"), "t", "T", "hours"))
    assert counts.frame.to_dict("list") == {
        "group": ["Pilot", "PAIP", "all", "Nobody"], "term": ["t"] * 4, "label": ["T"] * 4, "n": [2, 3, 6, 0],
        "total": [-1.0, 7, 7.5, 0], "total_sq": [25.0, 29, 56.25, 0], "largest": [4.0, 5, 5, 0], "n_nonzero": [2, 2, 5, 0],
    }  # fmt: skip
    assert told(counts.people) == [{"n": [0, 2]}, {"n": [1, 3, 4]}, {"n": [0, 1, 2, 3, 4, 5]}, {"n": []}]


def test_no_rows_have_their_columns_and_types() -> None:
    assert tally([]).frame.dtypes.astype(str).to_dict() == {
        "group": "object", "term": "object", "label": "object", "n_event": "int64", "n": "int64",
    }  # fmt: skip
    assert moments([]).frame.dtypes.astype(str).to_dict() == {
        "group": "object", "term": "object", "label": "object", "n": "int64", "total": "float64", "total_sq": "float64",
        "largest": "float64", "n_nonzero": "int64",
    }  # fmt: skip
    assert tally([]).people == moments([]).people == ()


def test_groups_of_a_table() -> None:
    one = SimpleNamespace(groups=("A", "B"))
    assert (groups_of(one), groups_of(one, by_arm=False)) == (("A", "B"), ("all",))


@pytest.mark.parametrize(("low", "high", "words"), [(0, 1, "0"), (1, 2, "1"), (1, 3, "1 to 2"), (6, 12, "6 to 11"), (24, None, "24 or more")])  # fmt: skip
def test_classes_in_words(low: int, high: int | None, words: str) -> None:
    assert _class(low, high) == words


def test_levels_stand_in_the_protocols_order_and_the_rest_after_them() -> None:
    covariates = [SimpleNamespace(name="area", kind="categorical", levels=["z", "y", "x"]), SimpleNamespace(name="work", kind="yes_no", levels=None)]  # fmt: skip
    study = SimpleNamespace(
        covariates=covariates, community_areas=["W", "E"], referral_sources=["s2", "s1", "s9"], sites=["North", "East"]
    )
    cohort = SimpleNamespace(study=study)
    people = pd.DataFrame({"work": [1.0, 0.0, np.nan], "area": ["x", None, "q"]})
    assert _levels(cohort, people, "work").tolist() == ["yes", "no", "not recorded"]
    assert _levels(cohort, people, "area").tolist() == ["x", "not recorded", "q"]
    levels = pd.Series(["q", "x", "not recorded", "z", "b", "x"])
    assert _order(cohort, "area", levels) == ["z", "x", "b", "q", "not recorded"]
    assert _order(cohort, "community_area", pd.Series(["E", "A", "W"])) == ["W", "E", "A"]
    assert _order(cohort, "referral_source", pd.Series(["s1", "s2", "s0"])) == ["s2", "s1", "s0"]
    assert _order(cohort, "site", pd.Series(["East", "not recorded", "North"])) == ["North", "East", "not recorded"]
    assert _order(cohort, "work", pd.Series(["yes", "no"])) == ["no", "yes"]


# -- ratios ------------------------------------------------------------------------------------------------------------
def parts(x: list[float], d: list[float], group: str = "a") -> list[dict[str, object]]:
    rows = []
    for term, values in (("numerator", x), ("denominator", d), ("both", np.add(x, d).tolist())):
        v = np.asarray(values, dtype=float)
        rows.append({"group": group, "term": term, "label": term, "n": v.size, "total": v.sum(), "total_sq": (v**2).sum(), "largest": v.max(initial=0.0)})  # fmt: skip
    return rows


@pytest.mark.parametrize(
    ("x", "d", "row"),
    [
        ([2, 3], [2, 3], [2, 1, None]), ([0, 0], [2, 3], [2, 0, None]), ([0, 0], [0, 0], [2, None, None]), ([1], [2], [1, 0.5, None]),
        ([], [], [0, None, None]),
    ],
)  # fmt: skip
def test_a_ratio_at_its_ends_and_of_one_person_has_no_error(
    x: list[float], d: list[float], row: list[float | None]
) -> None:
    found = RatioOf("attendance_rate", "x").estimate(Moments(pd.DataFrame(parts(x, d)))).tidy().iloc[0]
    wanted = [*row, None, None]
    assert [
        None if np.isnan(v) else v for v in found[["n", "estimate", "std_error", "conf_low", "conf_high"]]
    ] == wanted


def test_a_ratios_interval_is_of_its_logit() -> None:
    x, d = np.array([5, 3, 8, 1, 11.0]), np.array([6, 3, 10, 6, 12.0])
    counts = Moments(pd.DataFrame(parts([1, 1], [2, 4], "b") + parts(x.tolist(), d.tolist())))
    found = RatioOf("r", "what", "whom", "share", "Share", 0.8, ("a note",)).estimate(counts)
    ratio = x.sum() / d.sum()
    error = np.sqrt(5 / 4 * ((x - ratio * d) ** 2).sum()) / d.sum()
    half = stats.norm.ppf(0.9) * error / (ratio * (1 - ratio))
    limits = special.expit([special.logit(ratio) - half, special.logit(ratio) + half])
    table = found.tidy()
    assert table["group"].tolist() == ["b", "a"] and table["n"].tolist() == [2, 5]
    assert table.iloc[1][["estimate", "std_error", "conf_low", "conf_high"]].tolist() == pytest.approx(
        [ratio, error, *limits]
    )
    assert (table["term"].tolist(), table["label"].tolist()) == (["share"] * 2, ["Share"] * 2)
    assert (found.kind, found.estimand, found.population, found.conf_level, found.notes) == (
        "r",
        "what",
        "whom",
        0.8,
        ("a note",),
    )
    plain = RatioOf("r", "what").estimate(counts).tidy()
    assert (plain["term"].iloc[0], plain["label"].iloc[0]) == ("ratio", "ratio")
    assert list(plain) == ["group", "term", "label", "n", "estimate", "std_error", "conf_low", "conf_high"]


@pytest.mark.parametrize("level", [0, 1, 1.5])
def test_an_impossible_level_is_refused_by_each(level: float) -> None:
    counts = Tally(pd.DataFrame({"group": ["a"], "term": ["t"], "n_event": [1], "n": [2]}))
    many = Moments(pd.DataFrame(parts([1, 2], [2, 3])))
    for ask in (
        lambda: ShareOf("k", "e", conf_level=level).estimate(counts),
        lambda: MeanOf("k", "e", conf_level=level).estimate(many),
        lambda: RatioOf("k", "e", conf_level=level).estimate(many),
    ):
        with pytest.raises(AnalysisError, match="conf_level must lie between 0 and 1"):
            ask()


# -- shares, means, numbers --------------------------------------------------------------------------------------------
def test_shares_of_a_whole() -> None:
    frame = pd.DataFrame({"group": ["b", "b", "a", "a"], "term": ["all", "in", "all", "in"], "n_event": [10, 4, 8, 1], "n": [10, 9, 8, 5]})  # fmt: skip
    found = ShareOf("funnel", "e", "p", "all", 0.9, ("n",)).estimate(Tally(frame)).tidy()
    low, high = wilson([4, 1], [9, 5], 0.9)
    assert found["share"].tolist() == [1, 0.4, 1, 0.125]
    assert found["conf_low"].tolist() == pytest.approx([1, low[0], 1, low[1]])
    assert found["conf_high"].tolist() == pytest.approx([1, high[0], 1, high[1]])
    assert "share" not in ShareOf("funnel", "e").estimate(Tally(frame)).tidy()


def test_means_have_students_interval_at_their_level() -> None:
    values = np.array([0.0, 1, 1, 2, 5, 3])
    row = pd.DataFrame([{"group": "a", "term": "m", "label": "M", "n": 6, "total": values.sum(), "total_sq": (values**2).sum(), "largest": 5.0}])  # fmt: skip
    found = MeanOf("m", "x", conf_level=0.8).estimate(Moments(row)).tidy().iloc[0]
    limits = stats.t.interval(0.8, 5, values.mean(), stats.sem(values))
    assert found[["conf_low", "conf_high"]].tolist() == pytest.approx(list(limits))
    assert found[["std_dev", "std_error"]].tolist() == pytest.approx([values.std(ddof=1), stats.sem(values)])


def test_numbers_by_month_are_as_counted() -> None:
    frame = pd.DataFrame({"group": ["b", "a"], "term": ["2022-03 active"] * 2, "label": "Active", "period": "2022-03", "n": [3, 0], "n_event": [3, 0]})  # fmt: skip
    found = Caseload("all", ("n",)).estimate(Tally(frame))
    assert found.tidy().to_dict("list") == {"group": ["b", "a"], "term": ["2022-03 active"] * 2, "label": ["Active"] * 2, "period": ["2022-03"] * 2, "n": [3, 0]}  # fmt: skip
    assert (found.kind, found.estimand, found.population, found.notes) == (
        "caseload",
        "people, by month",
        "all",
        ("n",),
    )


def test_days_to_entry_by_table() -> None:
    late = _lag_counts("sessions", pd.Series({0: 2, 3: 1, 9: 5}))
    assert late.to_dict("list") == {
        "group": ["sessions"] * 4, "time": [-np.inf, 0, 3, 9], "n_entry": [8, 0, 0, 0], "n_event_1": [0, 2, 1, 5], "n_censor": [0] * 4,
    }  # fmt: skip
    none = _lag_counts("exits", pd.Series(dtype="int64"))
    found = LateEntry().estimate(DayCounts(pd.concat([late, none]), causes=("entered",))).tidy()
    assert found.to_dict("list") == {
        "group": ["sessions"],
        "n": [8],
        "median": [9],
        "lower_quartile": [0],
        "upper_quartile": [9],
    }


# -- changes and differences -------------------------------------------------------------------------------------------
def ends(*rows: tuple[str, int, int, int, int]) -> Tally:
    made = [{"group": g, "term": t, "label": t, "n_event": x, "n": n} for g, x0, n0, x1, n1 in rows for t, x, n in (("before", x0, n0), ("now", x1, n1))]  # fmt: skip
    return Tally(pd.DataFrame(made))


def test_a_change_needs_people_before_and_new_ones() -> None:
    found = (
        ChangeOf("e", "p")
        .estimate(ends(("b", 4, 10, 9, 16), ("a", 0, 0, 3, 9), ("c", 4, 10, 4, 10), ("d", 0, 1, 0, 2)))
        .tidy()
    )
    assert found["group"].tolist() == ["b", "d"]
    new, old, share = 5 / 6, 0.4, 6 / 16
    (l1, l0), (u1, u0) = wilson([5, 4], [6, 10])
    low = share * (new - old - np.hypot(new - l1, u0 - old))
    high = share * (new - old + np.hypot(u1 - new, old - l0))
    assert found.iloc[0][["n", "n_event", "estimate", "baseline", "conf_low", "conf_high"]].tolist() == pytest.approx(
        [16, 9, 9 / 16 - 0.4, 0.4, low, high]
    )
    wide = ChangeOf("e", "p", noise_variance=3).estimate(ends(("b", 4, 10, 9, 16))).tidy().iloc[0]
    middle = share * (new - old)  # by the delta method on x / n, of both times
    noise = 1.959963984540054 * np.sqrt(3 * ((1 + (9 / 16) ** 2) / 16**2 + (1 + 0.4**2) / 10**2))
    limits = [middle - np.hypot(middle - low, noise), middle + np.hypot(high - middle, noise)]
    assert wide[["conf_low", "conf_high"]].tolist() == pytest.approx(limits)


def test_standardised_differences_stand_at_both_groups_rows() -> None:
    rows = pd.DataFrame(
        {"variable": ["v", "v", "v", "w"], "term": ["x", "x", "y", "x"], "group": ["b", "a", "a", "b"], "estimate": [0.2, 0.5, 0.4, 0.9]}
    )  # fmt: skip
    found = _standardised(rows, ("b", "a"), pd.Series([0.16, 0.25, 0.24, 0.09]))
    wanted = (0.2 - 0.5) / np.sqrt((0.16 + 0.25) / 2)
    assert found.tolist()[:2] == pytest.approx([wanted, wanted]) and found.isna().tolist() == [False, False, True, True]
    same = _standardised(rows[:2], ("b", "a"), pd.Series([0.0, 0.0]))
    assert same.isna().all()
    nobody = _standardised(pd.DataFrame({"group": [], "estimate": []}), ("b", "a"), pd.Series(dtype=float))
    assert (len(nobody), str(nobody.dtype)) == (0, "float64")


def test_rows_of_a_table_are_all_of_them_where_the_counts_by_day_end_early() -> None:
    days = {"time": [-np.inf, 2.0, 9.0], "n_entry": [40, 0, 0], "n_event_1": [0, 21, 10], "n_censor": 0}
    counts = DayCounts(pd.DataFrame({"group": "sessions", **days}), causes=("entered",))
    assert LateEntry().estimate(counts).tidy().iloc[0].tolist() == ["sessions", 40, 2, 2, 9]
