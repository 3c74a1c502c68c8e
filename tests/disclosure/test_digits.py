"""What is printed of a number is all that leaves of it: digits are cut once, and words follow what is printed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.analyses import BalanceOf
from evalkit.counts import Tally, who
from evalkit.disclosure import POINTS, Digits, Policy, Safe, cells_of, make_safe, printed
from evalkit.disclosure._counts import coarse_error
from evalkit.estimates import Estimates
from evalkit.report._mark import as_mark
from evalkit.stats import cox, e_value, rmst_contrast
from evalkit.words import decimal, p_value, percent, points
from views.made import view_for
from views.seen import safe_numbers, sentences, table_of

POLICY = Policy(noise_variance=0)  # digits only
ARMS = Tally(pd.DataFrame({"group": ["a", "b"], "term": "model", "n_event": [40, 90], "n": [160, 400]}))
GROUPS = ("a", "b")


def model(kind: str, rows: list[dict[str, object]], **about: object) -> Safe:
    return make_safe(Estimates(pd.DataFrame(rows), kind, "what", counts=ARMS, view=view_for(kind), **about), POLICY)  # type: ignore[arg-type]


# -- one number


PRINTS: list[tuple[Digits, Callable[[float], list[str]]]] = [
    (POINTS, lambda v: [points(v), decimal(100 * v, 0)]),
    (Digits((3, 2)), lambda v: [decimal(v, 3), decimal(v, 2)]),
    (Digits((2,)), lambda v: [decimal(v)]),
    (Digits((0,)), lambda v: [decimal(v, 0)]),
    (Digits((3,), least=0.001), lambda v: [p_value(abs(v))]),
    (Digits((0,), scale=100, apart=(0.0, 1.0)), lambda v: [percent(abs(v))]),
]


@pytest.mark.parametrize(("digits", "prints"), PRINTS)
@given(st.floats(-1, 1, allow_subnormal=False) | st.integers(-2000, 2000).map(lambda n: n / 2000))
def test_what_is_printed_of_a_cut_number_is_what_was_printed_of_the_exact_one(
    digits: Digits, prints: Callable[[float], list[str]], value: float
) -> None:
    value = abs(value) if digits.least or digits.apart else value
    cut = digits.cut(value)
    assert prints(cut) == prints(value)
    assert digits.cut(cut) == pytest.approx(cut, abs=1e-10)
    unit = digits.scale * 10 ** digits.decimals[0]
    if not digits.apart:  # nothing is left that a file or a figure could hold
        assert abs(cut * unit - round(cut * unit)) < 1e-5


@pytest.mark.parametrize(
    ("digits", "value", "cut"),
    [
        (Digits((3, 2)), 0.1249, 0.125),
        (Digits((2,)), 0.1249, 0.12),
        (POINTS, -0.03456, -0.035),
        (POINTS, 0.00049, 0.0),
        (Digits((3,), least=0.001), 0.00098, 0.0),
        (Digits((3,), least=0.001), 0.00102, 0.001),
        (Digits((0,), scale=100, apart=(0.0, 1.0)), 0.997, 0.996),
        (Digits((2,)), math.inf, math.inf),
    ],
)
def test_a_number_is_rounded_once(digits: Digits, value: float, cut: float) -> None:
    assert digits.cut(value) == pytest.approx(cut, abs=1e-9)
    assert math.isnan(digits.cut(math.nan))
    assert f"{digits.cut(-0.0):.1f}" == "0.0"


# -- every kind of model


NOISE = np.random.default_rng(7)
KINDS = {
    "adjusted_effects": ({"label": "Weighted", "contrast": "a - b", "method": "iptw", "tau": 182.0}, 3),
    "sensitivity": ({"label": "Main", "contrast": "a - b", "method": "iptw", "tau": 182.0}, 3),
    "imputed": ({"label": "All", "contrast": "a - b", "method": "iptw", "tau": 365.0}, 3),
    "cox": ({"term": "x", "label": "X"}, 3),
    "fine_gray": ({"term": "x"}, 3),
    "somebody's own": ({"term": "x"}, 3),
}


@pytest.mark.parametrize("kind", KINDS)
def test_no_model_leaves_with_more_digits_than_are_printed(kind: str) -> None:
    about, decimals = KINDS[kind]
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "hazard_ratio", "hr_low", "hr_high", "p_value"]
    rows = [{**about, **dict(zip(numbers, NOISE.uniform(0.01, 0.9, len(numbers)), strict=True))} for _ in range(4)]
    facts = {"n": 163, "n_event": 41, "log_likelihood": -812.3456, "aic": 1630.78, "concordance": 0.61234, "df": 3}
    safe = model(kind, rows, summary=facts)
    assert safe.verdict == "released"
    for name in numbers:
        written = as_mark(safe_numbers(safe)[[name]])["rows"]
        assert all(round(value, decimals) == value for (value,) in written), name
        assert np.allclose(safe.estimates.tidy()[name], np.round(safe.estimates.tidy()[name], decimals), atol=1e-9)
    assert dict(safe.estimates.summary) == {
        "n": 163, "n_event": 41, "log_likelihood": -812.0, "aic": 1631.0, "concordance": 0.61, "df": 3,
    }  # fmt: skip
    if "tau" in about:
        assert set(safe.estimates.tidy()["tau"]) == {about["tau"]}


def test_amounts_keep_one_decimal_and_ratios_of_variances_two() -> None:
    amounts = ["mean", "std_dev", "median", "lower_quartile", "upper_quartile", "expected"]
    ratios = ["smd", "smd_weighted", "variance_ratio", "variance_ratio_weighted", "statistic", "concordance"]
    limits = ["odds_ratio", "or_low", "or_high", "sim_low", "sim_high", "share"]
    rows = [{"term": "x", **dict.fromkeys([*amounts, *ratios, *limits], 1.23456)}]
    found = model("somebody's own", rows).estimates.tidy().iloc[0]
    assert (
        {*found[amounts]} == {1.2} and {*found[ratios]} == {1.23} and {*found[limits].astype(float).round(9)} == {1.235}
    )


def test_e_values_and_diagnostics_are_cut() -> None:
    e = make_safe(e_value(1.23456, 1.0042, 1.6543, measure="HR", counts=ARMS), POLICY).estimates.tidy()
    assert e["estimate"].tolist() == [1.23, 1.0]
    assert e.set_index("term")["e_value"]["limit"] == 1.0  # a limit that is printed as 1 is no difference
    rows = [
        {"term": "balance", "estimate": 0.10004, "baseline": 0.1, "verdict": "fail"},
        {"term": "equipoise", "estimate": 0.1961, "baseline": 0.2, "verdict": "fail"},
        {"term": "effective sample size", "estimate": 28.4, "baseline": 30.0, "verdict": "fail"},
        {"term": "proportional hazards", "estimate": 0.04987, "baseline": 0.05, "verdict": "fail"},
        {"term": "proportional hazards", "estimate": 0.00042, "baseline": 0.05, "verdict": "fail"},
    ]
    told = rows[:1] + [{**row, "sentence": "163 people"} for row in rows[1:]]
    safe = model("diagnose", told, summary={"n_effective_focus": 28, "n_effective_comparison": 301}, notes=("28.4",))
    found = safe.estimates.tidy()
    assert found["estimate"].tolist() == [0.1, 0.2, 30.0, 0.05, 0.0]
    assert found["verdict"].tolist() == ["pass", "pass", "pass", "pass", "fail"]  # as the numbers beside them say
    assert "sentence" not in found
    assert safe.estimates.notes == ()
    said = sentences(safe, GROUPS)
    assert "the people in the group “a” count for about 30, those in the group “b” for about 300" in said
    assert "<\xa00.001" in said
    assert "still differ" not in said
    assert "Only" not in said


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.0004, 0.12, "unclear"),  # printed 0.0
        (0.0006, 0.12, "clearly higher in the group “a”, by 0.1 to 12 points"),
        (-0.2, -0.00049, "unclear"),
        (-0.2, -0.004, "clearly lower in the group “a”, by 0.4 to 20 points"),
    ],
)
def test_words_follow_what_is_printed(low: float, high: float, word: str) -> None:
    row = {"label": "Weighted", "contrast": "a - b", "method": "iptw", "tau": 90.0, "estimate": (low + high) / 2}
    safe = model("adjusted_effects", [{**row, "std_error": 0.03, "conf_low": low, "conf_high": high}])
    assert word in sentences(safe, GROUPS)
    assert "+0.1" in table_of(safe) or low < 0.0005


@pytest.mark.parametrize(
    ("ratio", "low", "high", "said"),
    [
        (1.25, 1.00042, 1.56, "X: unclear. The rate of the event could be anything from the same to 56% higher"),
        (1.25, 1.0021, 1.56, "was higher (hazard ratio 1.25, 95% confidence interval 1.002 to 1.56"),
        (0.8, 0.65, 0.9962, "was lower (hazard ratio 0.80, 95% confidence interval 0.65 to 0.996"),
    ],
)
def test_a_limit_beside_clearly_is_not_printed_as_1(ratio: float, low: float, high: float, said: str) -> None:
    row = {"term": "x", "label": "X", "estimate": math.log(ratio), "hazard_ratio": ratio, "p_value": 0.049}
    assert said in sentences(model("cox", [{**row, "hr_low": low, "hr_high": high}]), GROUPS)


# -- balance: every level is a cell


def balance(counts: dict[str, tuple[tuple[int, int], tuple[int, int]]], *, att: bool = True) -> Estimates:
    """Return the balance of levels: (x, n) of each arm; a quantity besides."""
    rows, people = [], []
    for term, each in counts.items():
        for group, (x, n) in zip(GROUPS, each, strict=True):
            label = {"group": group, "term": term, "variable": term, "label": term.title()}
            carried = {"smd_weighted": 0.0123456, "variance_ratio": np.nan, "variance_ratio_weighted": np.nan}
            rows.append({**label, "n_event": x, "n": n, "total": np.nan, "total_sq": np.nan, **carried})
            codes = pd.DataFrame({"participant_id": [f"{group}{i}" for i in range(n)]})
            people.append(who(codes, n=np.ones(n, dtype=bool), n_event=np.arange(n) < x))
    for group, (n, mean, sd) in zip(GROUPS, ((163, 31.2, 8.1), (401, 33.8, 9.4)), strict=True):
        row = {"group": group, "term": "age", "variable": "age", "label": "Age", "n_event": n, "n": n}
        sums = {"total": n * mean, "total_sq": (n - 1) * sd**2 + n * mean**2}
        rows.append({**row, **sums, "smd_weighted": 0.0456, "variance_ratio": 0.74251, "variance_ratio_weighted": 0.91})
        codes = pd.DataFrame({"participant_id": [f"{group}{i}" for i in range(n)]})
        people.append(who(codes, n=np.ones(n, dtype=bool)))
    return BalanceOf(GROUPS, "balance", att=att).estimate(Tally(pd.DataFrame(rows), people=tuple(people)))


LARGE = ((63, 163), (201, 401))


@pytest.mark.parametrize(
    ("small", "policy"),
    [
        (((7, 163), (120, 401)), Policy()),
        (((120, 163), (3, 401)), Policy()),
        (((155, 163), (201, 401)), Policy()),  # eight without it
        (((63, 163), (399, 401)), Policy()),
        (((17, 163), (201, 401)), Policy(minimum_count=20)),
        (((63, 163), (0, 401)), Policy(zero=False)),
    ],
)
def test_nothing_is_shown_of_a_level_that_few_people_have_or_lack(
    small: tuple[tuple[int, int], tuple[int, int]], policy: Policy
) -> None:
    exact = balance({"employed": LARGE, "rare": small})
    safe = make_safe(exact, policy)
    rows = safe.estimates.tidy().set_index("term")
    numbers = ["smd", "smd_weighted", "variance_ratio", "variance_ratio_weighted"]
    assert rows.loc["rare", numbers].isna().all()
    assert rows.loc[["employed", "age"], ["smd", "smd_weighted"]].notna().all().all()
    assert safe.verdict == "partly"
    assert "Not shown where fewer than" in table_of(safe)
    hidden = [c for c in cells_of(exact, safe) if not c.shown]
    assert {c.name.partition(", ")[2] for c in hidden} == {"Rare"}


@pytest.mark.parametrize("att", [True, False])
def test_standardised_differences_are_those_of_published_counts(att: bool) -> None:
    noised = Policy(secret=bytes(range(32)))
    safe = make_safe(balance({"employed": LARGE, "drinks": ((31, 163), (58, 401))}, att=att), noised)
    rows = safe.estimates.tidy().set_index("term")
    public = safe.estimates.counts.frame.set_index(["group", "term"])  # type: ignore[union-attr]
    assert public.loc[("a", "employed"), "n"] == public.loc[("a", "drinks"), "n"]  # the same people
    assert (public["n_event"] != [63, 201, 31, 58, 163, 401]).any()
    for term in ("employed", "drinks"):
        p1, p0 = (public.loc[(g, term), "n_event"] / public.loc[(g, term), "n"] for g in GROUPS)
        spread = p1 * (1 - p1) if att else (p1 * (1 - p1) + p0 * (1 - p0)) / 2
        assert rows["smd"][term] == round((p1 - p0) / math.sqrt(spread), 2)
    spread = 8.1 if att else math.sqrt((8.1**2 + 9.4**2) / 2)
    assert rows["smd"]["age"] == pytest.approx((31.2 - 33.8) / spread, abs=0.05)
    assert rows["smd_weighted"].tolist() == [0.01, 0.01, 0.05]
    assert rows["variance_ratio"]["age"] == 0.74
    assert safe.estimates.counts is not None
    carried = safe.estimates.counts.frame["smd_weighted"]  # type: ignore[union-attr]
    assert set(carried) == {0.01, 0.05}


def test_every_level_of_both_arms_is_a_cell() -> None:
    exact = balance({"employed": LARGE, "drinks": ((31, 163), (58, 401))})
    cells = cells_of(exact, make_safe(exact, POLICY))
    found = {(c.name, c.column): (c.count, c.public) for c in cells}
    assert found["balance: a, Employed", "n_event"] == (63, 63)
    assert found["balance: b, Drinks", "n_event"] == (58, 58)
    assert {c.column for c in cells if "Age" in c.name} == {"n"}
    assert all(c.linked and c.shown for c in cells)


# -- what is made again from safe counts


def test_differences_of_mean_days_are_whole_days_in_words_and_files() -> None:
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"group": np.repeat(["a", "b"], 200), "time": np.ceil(rng.exponential(150, 400))})
    exact = rmst_contrast(data.assign(event=1), "time", "event", by="group", tau=182, reference="b")
    rows = make_safe(exact, POLICY).estimates.tidy().set_index("measure")
    assert (rows.loc["rmst_difference", ["estimate", "conf_low", "conf_high"]] % 1 == 0).all()
    assert rows.loc["rmst_ratio", "estimate"] == round(rows.loc["rmst_ratio", "estimate"], 2)


def test_a_models_fit_is_cut_with_it() -> None:
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"x": rng.integers(0, 2, 300), "time": np.ceil(rng.exponential(100, 300)), "event": 1})
    data.loc[::3, "event"] = 0
    fit = cox(data, "time", "event", ["x"])
    told = printed(fit.about(counts=ARMS))
    assert told.summary["log_likelihood"] == round(fit.summary["log_likelihood"])
    assert told.summary["concordance"] == round(fit.summary["concordance"], 2)
    assert told.tidy()["estimate"].item() == round(fit.tidy()["estimate"].item(), 3)
    assert printed(told).tidy().equals(told.tidy())  # once is enough


@pytest.mark.parametrize("public", [11, 15, 20, 40])
def test_limits_of_mean_counts_do_not_count_events_back(public: int) -> None:
    """Of events that each person has once: all that can be published as so many have the same standard error."""
    events = np.arange(max(public - 5, 11), public + 6)
    each = coarse_error(1 / np.sqrt(events), events, pd.Series([public] * len(events)), Policy())
    assert len(set(each.tolist())) == 1
    assert each[0] >= 1 / math.sqrt(public - math.sqrt(2)) > 1 / math.sqrt(public)
    exact = coarse_error(np.array([0.23456]), np.array([17]), pd.Series([17]), Policy(noise_variance=0))
    assert exact.tolist() == [0.23]
