"""What estimators stand on, by itself: limits, steps of a likelihood, scales, ties by rounding. Values by their definitions."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit import stats
from evalkit.errors import AnalysisError
from evalkit.stats._columns import Groups, Rows, coincide, group_column, label, read_rows, whole_days
from evalkit.stats._curve import Flow, safe_divide, snapped
from evalkit.stats._day_counts import tally_days
from evalkit.stats._limits import crossing, limits
from evalkit.stats._newton import _is_finite, _walking, inverted, require_identified, scaled, solved
from evalkit.stats._parametric import _units, polished
from evalkit.stats._standardised import _efron_hazard

INF, NAN = np.inf, np.nan
Z = 1.959963984540054


# -- limits ------------------------------------------------------------------------------------------------------------
P = np.array([0.0, 0.25, 1.0, 1.0 + 1e-15, 1.0 - 2e-14, 0.25, 0.25])
ERROR = np.array([0.1, 0.1, 0.1, 0.1, 0.0, NAN, INF])


def test_limits_are_missing_where_their_scale_or_the_error_is():
    for kind, missing in (("log", [0, 5, 6]), ("log-log", [0, 2, 3, 5, 6])):
        low, high = limits(P, ERROR, kind, 0.95)
        assert np.flatnonzero(np.isnan(low)).tolist() == np.flatnonzero(np.isnan(high)).tolist() == missing, kind


def test_limits_are_those_of_the_formula():
    low, high = limits(P, ERROR, "log", 0.95)
    wide = np.exp(Z * 0.1 / 0.25)
    assert low[[1, 2, 3]] == pytest.approx([0.25 / wide, np.exp(-Z * 0.1), np.exp(-Z * 0.1)])
    assert high[[1, 2, 3]] == pytest.approx([0.25 * wide, 1, 1])
    low, high = limits(P, ERROR, "log-log", 0.95)
    power = np.exp(Z * 0.1 / (0.25 * np.log(0.25)))
    assert (low[1], high[1]) == pytest.approx((0.25 ** (1 / power), 0.25**power))
    assert low[1] < 0.25 < high[1]
    low, high = limits(np.array([0.1, 0.9, 0.5]), np.array([0.2, 0.2, 0.1]), "plain", 0.9)
    reach = 1.6448536269514722
    assert low == pytest.approx([0, 0.9 - reach * 0.2, 0.5 - reach * 0.1])
    assert high == pytest.approx([0.1 + reach * 0.2, 1, 0.5 + reach * 0.1])


def test_limits_of_a_huge_error_are_still_numbers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("log", "log-log"):
            low, high = limits(np.array([0.5]), np.array([1e6]), kind, 0.95)
            assert 0 <= low[0] < 1e-300 and high[0] == 1, kind


# -- a likelihood's steps ----------------------------------------------------------------------------------------------
def at(score, information, value=0.0):
    return SimpleNamespace(value=value, score=np.array(score, float), information=np.array(information, float))


@pytest.mark.parametrize(
    ("step", "reach", "walks"),
    [([0.02, 0.005], [1, 1], [True, False]), ([-0.02, -0.009], [1, 1], [True, False]), ([0.004, 0.02], [4, 0.4], [True, False])],
)  # fmt: skip
def test_a_coefficient_walks_that_moves_the_predictor_by_more_than_a_hundredth(step, reach, walks):
    assert _walking(at(step, np.eye(2)), np.array(reach, float)).tolist() == walks
    turned = np.diag([4.0, 9.0])  # the step is the inverse information times the score
    assert _walking(at(turned @ step, turned), np.array(reach, float)).tolist() == walks


@pytest.mark.parametrize(
    ("small", "walks"), [(1.0, [True, True]), (0.015, [True, True]), (0.009, [True, False]), (0.0, [True, False])]
)
def test_a_direction_without_information_walks_by_the_share_of_its_parts(small, walks):
    nothing_told_apart = [[4.0, 4.0], [4.0, 4.0]]
    assert _walking(at([0, 0], nothing_told_apart), np.array([1.0, small])).tolist() == walks
    three = np.diag([1.0, 0.0, 1.0])
    assert _walking(at([0, 0, 0], three), np.ones(3)).tolist() == [False, True, False]


def test_a_likelihood_is_finite_where_all_of_it_is():
    whole = ([1, 2], [[1, 0], [0, 1]], 3.0)
    assert _is_finite(at(*whole))
    for bad in (NAN, INF, -INF):
        assert not _is_finite(at(whole[0], whole[1], bad))
        assert not _is_finite(at([1, bad], whole[1], 3.0))
        assert not _is_finite(at(whole[0], [[1, bad], [bad, 1]], 3.0))


def test_a_scale_is_of_the_rows_used_within_their_strata():
    matrix = np.array([[1, 5, 2], [2, 5, 2], [6, 5, 2], [10, 7, 2], [14, 7, 2], [99, 0, 9.0]])
    used, layer = np.array([1, 1, 1, 1, 1, 0], dtype=bool), np.array([0, 0, 0, 1, 1, 1])
    x, scale, reach = scaled(matrix, used, layer)
    # Medians 2 and 12 within the strata; the second varies between them only, the third not at all.
    centred = np.array([-1, 0, 4, -2, 2, 0.0])
    root = np.sqrt((1 + 16 + 4 + 4) / 5)
    assert x[:, 0] == pytest.approx(centred / root)
    assert not x[:, 1:].any()
    assert scale == pytest.approx([root, 1, 1])
    assert reach == pytest.approx([5 / root, 0, 0])


def test_a_step_solves_for_the_score_whatever_the_sizes():
    information = np.array([[4e12, 1.0], [1.0, 9e-12]])
    score = np.array([2e6, 3e-6])
    assert information @ solved(information, score) == pytest.approx(score, rel=1e-9)
    both = solved(np.array([[2.0, 1.0], [1.0, 3.0]]), np.eye(2))
    assert both == pytest.approx(np.array([[3, -1], [-1, 2]]) / 5)
    for bad in ([[1, NAN], [NAN, 1]], [[INF, 0], [0, 1]], [[1, 1], [1, 1]]):
        with pytest.raises(AnalysisError, match="the covariates are not identified"):
            solved(np.array(bad, float), np.ones(2))


def test_a_variance_leaves_out_the_directions_that_run_away():
    null = np.array([[4.0, 0], [0, 9.0]])
    everywhere, nowhere = np.array([False, False]), np.array([False, True])
    assert inverted(null, everywhere, null) == pytest.approx(np.diag([1 / 4, 1 / 9]))
    assert inverted(np.diag([2.0, 1e-9]), nowhere, null) == pytest.approx(np.diag([1 / 2, 0]))
    assert inverted(np.diag([2.0, 1e-5]), nowhere, null) == pytest.approx(np.diag([1 / 2, 1e5]))  # still known
    with pytest.raises(AnalysisError, match="not identified"):
        inverted(np.diag([2.0, NAN]), nowhere, null)


@pytest.mark.parametrize(
    ("information", "size", "word"),
    [
        (np.diag([1.0, 2.0]), [1.0, 2.0], None),
        (np.diag([1.0, 1e-11]), [1.0, 1.0], "y"),
        (np.diag([1.0, 2e-11]), [1.0, 1.0], None),
        (np.diag([0.0, 1.0]), [1.0, 1.0], "x"),
        (np.array([[1.0, 1.0], [1.0, 1.0]]), [1.0, 1.0], "y"),
        (np.array([[1.0, 1.0], [1.0, 1.0 + 1e-9]]), [1.0, 1.0], None),
    ],
)
def test_a_covariate_is_identified_by_what_the_others_leave(information, size, word):
    if word is None:
        require_identified(information, np.array(size), ["x", "y"])
        return
    with pytest.raises(AnalysisError, match=f"covariate '{word}' is not identified"):
        require_identified(information, np.array(size), ["x", "y"])


# -- times that differ by rounding -------------------------------------------------------------------------------------
def test_a_time_moves_onto_the_nearest_step_within_rounding_only():
    steps = np.array([1.0, 2.0, 3.0])  # slack: 1.5e-8 of their mean, 2
    near, far = 2.9e-8, 3.1e-8
    wanted = np.array([0.5, 1 - near, 1 + near, 1 + far, 1.5, 2 - near, 2 + near, 2 - far, 3 + near, 3 + far, 9])
    moved = snapped(wanted, steps)
    assert moved.tolist() == [0.5, 1, 1, 1 + far, 1.5, 2, 2, 2 - far, 3, 3 + far, 9]
    assert snapped(wanted, np.array([])) is wanted


def test_times_by_rounding_are_one_time_the_earliest():
    near, far = 1 + 2e-8, 1 + 6e-8  # slack: 1.5e-8 of the mean of the times, 2 to 3
    time, entry = np.array([1.0, near, far, 4.5]), np.array([-INF, 0.5, near, 1.0])
    ends, starts = coincide(time, entry)
    assert ends.tolist() == [1, 1, far, 4.5] and starts.tolist() == [-INF, 0.5, 1, 1]
    whole = np.array([1.0, 2.0])
    assert coincide(whole, None) == (whole, None)
    alone, none = coincide(np.array([0.25, 0.25 + 1e-12]), None)
    assert alone.tolist() == [0.25, 0.25] and none is None


def test_days_are_whole_below_their_limit():
    assert whole_days(np.array([0.0, 3.0])).dtype == np.int32
    assert whole_days(np.array([0.0, 3.5])) is None
    assert whole_days(np.array([0.0, 2.0**30 - 1])).tolist() == [0, 2**30 - 1]
    assert whole_days(np.array([0.0, 2.0**30])) is None
    assert whole_days(np.array([-(2.0**30), 1.0])) is None
    assert whole_days(np.array([1 - 2.0**30, 1.0])).tolist() == [1 - 2**30, 1]


# -- steps and units ---------------------------------------------------------------------------------------------------
def test_a_quotient_is_the_other_value_where_nothing_is_below():
    assert safe_divide(np.array([6.0, 3, 2]), np.array([2.0, 0, -1])).tolist() == [3, 0, 0]
    assert safe_divide(1.0, np.array([4.0, 0]), otherwise=7.0).tolist() == [0.25, 7]


def test_at_risk_is_who_entered_before_and_has_not_left():
    time = np.array([-INF, 1, 2, 3, 5])
    early = Flow(time, np.array([6.0, 0, 0, 0, 0]), np.array([[0.0, 1, 0, 2, 0]]), np.array([0.0, 0, 1, 0, 1]))
    asked = np.array([0.5, 1, 1.5, 2, 3, 4, 5, 6])
    assert early.risk(asked).tolist() == [6, 6, 5, 5, 4, 2, 2, 1]  # one is still followed after the last row
    late = Flow(time, np.array([2.0, 0, 3, 0, 0]), np.array([[0.0, 1, 0, 2, 0]]), np.array([0.0, 0, 0, 0, 2]))
    assert late.risk(asked).tolist() == [2, 2, 1, 1, 4, 2, 2, 0]


@pytest.mark.parametrize(
    ("times", "weights", "day", "unit"),
    [([3, 20, 90], None, 16.0, 1.0), ([0.01, 0.02, 0.03], None, 1 / 64, 1.0), ([3, 400, 20, 100], [0, 0, 2.0, 4.0], 64.0, 3.0)],
)  # fmt: skip
def test_times_are_fitted_in_a_power_of_two_near_them(times, weights, day, unit):
    mass = None if weights is None else np.array(weights)
    one = np.zeros(len(times), dtype=np.int64)
    rows = Rows(np.array(times, float), one, None, mass, Groups(one, ("all",)))
    found = _units(rows)
    assert found[:2] == (day, unit)
    assert found[2].tolist() == [True] * len(times) if weights is None else [w > 0 for w in weights]


def test_levels_as_text_and_in_order():
    assert [label(v) for v in (1.0, np.float64(2), 2.5, 3, "x", True)] == ["1", "2", "2.5", "3", "x", "True"]
    told = group_column(pd.DataFrame({"g": [30_001, 7, 7, 12_000]}), "g")
    assert (told.codes.tolist(), told.labels) == ([2, 0, 0, 1], ("7", "12000", "30001"))
    near = group_column(pd.DataFrame({"g": [9, 5, 7, 5]}), "g")
    assert (near.codes.tolist(), near.labels) == ([2, 0, 1, 0], ("5", "7", "9"))
    two = group_column(pd.DataFrame({"g": [6, 5, 5]}), "g")
    assert (two.codes.tolist(), two.labels) == ([1, 0, 0], ("5", "6"))
    mixed = group_column(pd.DataFrame({"g": ["b", 2, "a", 10]}, dtype=object), "g")
    assert (mixed.codes.tolist(), mixed.labels) == ([3, 1, 2, 0], ("10", "2", "a", "b"))
    kept = group_column(pd.DataFrame({"g": pd.Categorical(["z", "a"], ["z", "y", "a"])}), "g")
    assert (kept.codes.tolist(), kept.labels) == ([0, 1], ("z", "a"))


def test_counts_of_days_of_many_cells_are_the_same(monkeypatch):
    data = pd.DataFrame(
        {"day": [1, 2, 2, 5, 3.0], "cause": [1, 0, 2, 1, 2], "g": list("aabbb"), "w": [1, 2, 3, 4, 0.5]}
    )
    rows = read_rows(data, "day", "cause", by="g", weights="w", causes=2)
    quick = tally_days(rows, ["one", "two"])
    monkeypatch.setattr("evalkit.stats._day_counts.LARGEST_DAY", 1)
    pd.testing.assert_frame_equal(tally_days(rows, ["one", "two"]).frame, quick.frame)
    told = quick.frame.set_index(["group", "time"])
    assert told.loc[("b", 3.0), ["n_event_2", "w_event_2", "w2_event_2"]].tolist() == [1, 0.5, 0.25]
    assert told.loc[("a", -INF), ["n_entry", "w_entry", "w2_entry"]].tolist() == [2, 3, 5]
    assert told[["n_event_1", "n_event_2", "n_censor"]].sum().tolist() == [2, 2, 1]


def test_one_of_two_covariates_that_tells_all_is_named_alone():
    people = pd.DataFrame({"day": [1, 2, 3, 4, 5, 6, 7, 8], "event": [1, 1, 1, 0, 0, 0, 0, 0], "x": [1, 1, 1, 0, 0, 0, 0, 0], "z": [2, 5, 1, 4, 3, 6, 2, 1]})  # fmt: skip
    fit = stats.cox(people, "day", "event", ["z", "x"])
    assert [note for note in fit.notes if note.startswith("Separation")] == [
        "Separation: 'x' tell those with events from those without completely, so no finite hazard ratio has the "
        "largest likelihood; penalizer='firth' gives a finite one."
    ]
    found = fit.tidy().set_index("term")["estimate"]
    assert np.isposinf(found["x"]) and np.isfinite(found["z"])


# -- where a profile has dropped ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("step", [1.0, -1.0, 0.3, -5.0])
def test_a_limit_is_where_the_profile_has_dropped_or_infinite(step):
    away = np.copysign(1.0, step)
    cut = Z**2
    assert crossing(lambda v: (v - 2) ** 2, cut, 2.0, step) == pytest.approx(2 + away * Z, abs=1e-8)
    never = crossing(lambda v: 1 - np.exp(-abs(v - 2)), cut, 2.0, step)
    assert np.isinf(never) and np.sign(never) == away
    lost = crossing(lambda v: NAN if abs(v - 2) > 0.01 else 0.0, cut, 2.0, step)
    assert np.isinf(lost) and np.sign(lost) == away
    end = 5 * abs(step)

    def found_again(v):
        return NAN if 0 < abs(v - 2) < end else 2 * cut * (abs(v - 2) >= end)

    between = crossing(lambda v: 0.0 if abs(v - 2) <= abs(step) else found_again(v), cut, 2.0, step)
    assert np.isinf(between) and np.sign(between) == away
    inside = crossing(
        lambda v: NAN if 0.4 < abs(v - 2) / abs(step) < 0.6 else 8 * ((v - 2) / step) ** 2, cut, 2.0, step
    )
    assert np.isinf(inside) or inside == pytest.approx(2 + step * np.sqrt(cut / 8), abs=1e-8)


def test_firths_limits_are_told_of_few_people_with_covariates_of_any_size():
    """A profile that is lost on the way to its limit, though found again beyond it, was an error of the solver's."""
    people = pd.DataFrame(
        {"day": [2, 21, 12, 1, 17, 9], "event": [0, 1, 0, 1, 1, 0], "z": [0, 0, 1, 1, 0, 0],
         "x": [0.4941256405738469, -9.276804065919059, 13.58200743597389, 10.742836003483163, -15.227497706337816, 8.327293736270615]}
    )  # fmt: skip
    found = stats.cox(people, "day", "event", ["x", "z"], penalizer="firth").tidy().set_index("term")
    assert np.isfinite(found["estimate"]).all()
    assert (found["conf_low"] < found["estimate"]).all() and (found["estimate"] < found["conf_high"]).all()


def test_a_fit_is_moved_to_its_maximum_from_near_and_left_where_it_is_from_afar():
    time = np.array([2.0, 3, 5, 8, 13, 21])
    mu, sigma = np.log(time).mean(), np.log(time).std()
    everybody = np.ones(6, dtype=bool)
    near = polished("log-normal", np.array([mu + 0.01, sigma]), time, everybody, None, None)
    assert near.parameters == pytest.approx([mu, np.log(sigma)], abs=1e-8)
    assert near.median == pytest.approx(np.exp(mu))
    assert near.log_likelihood == pytest.approx(-np.log(time).sum() - 6 * np.log(sigma * np.sqrt(2 * np.pi)) - 3)
    for start in ([mu + 2, sigma], [mu, 3 * sigma]):  # a step of more than a tenth is not a polish
        afar = polished("log-normal", np.array(start), time, everybody, None, None)
        assert afar.parameters.tolist() == [start[0], np.log(start[1])]
    twice = polished("log-normal", np.array([mu, sigma]), time, everybody, None, np.full(6, 2.0))
    assert twice.log_likelihood == pytest.approx(2 * near.log_likelihood)
    with pytest.raises(ValueError, match=r"^the likelihood or the median is not finite$"):
        polished("log-normal", np.array([800.0, 1.0]), time, everybody, None, None)


def test_errors_of_states_are_those_of_each_persons_pull_also_where_people_return_to_the_first_state():
    stays = [
        *(("a", 0, 3, "in", "out"), ("a", 3, 6, "out", "in"), ("a", 6, 12, "in", None)),
        *(("b", 0, 5, "in", "out"), ("b", 5, 9, "out", "in"), ("b", 9, 11, "in", "out")),
        *(("c", 0, 8, "in", None), ("d", 0, 6, "in", "out"), ("d", 6, 12, "out", None)),
        *(("e", 0, 3, "in", "out"), ("e", 3, 10, "out", "in"), ("f", 0, 2, "in", None)),
    ]
    data = pd.DataFrame(stays, columns=["participant_id", "time_from", "time", "state", "to"]).assign(w=1.0)
    asked = {"states": ("in", "out"), "times": [4, 7, 11]}

    def shares(rows):
        return stats.state_occupation(rows, **asked, weights="w").tidy()["estimate"].to_numpy()

    pulls = [
        (shares(data.assign(w=1 + 1e-5 * own)) - shares(data.assign(w=1 - 1e-5 * own))) / 2e-5
        for own in (data["participant_id"].eq(person).astype(float) for person in "abcdef")
    ]
    found = stats.state_occupation(data, **asked).tidy()["std_error"].to_numpy()
    assert found == pytest.approx(np.sqrt(np.square(pulls).sum(axis=0)), rel=1e-6)
    assert (found > 0.05).all()


def test_a_hazard_beyond_the_largest_number_is_infinite_and_nobody_is_warned() -> None:
    """A resample may tell who had the event from the others so well that hardly anybody is at risk of it."""
    day, had = np.array([1.0, 2.0]), np.array([True, True])
    far = np.array([0.0, -720.0])  # exp(-720) is above 0, and 1 / exp(-720) is infinite
    hazard = _efron_hazard(day, had, far, day)
    assert hazard.tolist() == [1.0, np.inf]
