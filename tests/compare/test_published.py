"""Figures printed in papers and textbooks, to the digits printed there."""

import numpy as np
import pytest

from evalkit import stats


def printed(found, expected, digits):
    np.testing.assert_array_equal(np.round(np.asarray(found, dtype=float), digits), expected)


ONE = [
    ((81, 263), (0.2553, 0.3662), (0.2527, 0.3676)),
    ((15, 148), (0.0624, 0.1605), (0.0578, 0.1617)),
    ((0, 20), (0.0, 0.1611), (0.0, 0.1684)),
    ((1, 29), (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("pair", "wilson", "exact"), ONE, ids=str)
def test_newcombe_single_proportion(pair, wilson, exact):
    """Newcombe (1998), Stat. Med. 17:857-872, table I, methods 3 and 5."""
    for method, wanted in (("wilson", wilson), ("exact", exact)):
        found = stats.proportion(*pair, method=method).tidy()
        printed(found[["conf_low", "conf_high"]], [wanted], 4)


TWO = [
    ((56, 70, 48, 80), (0.0524, 0.3339), (0.0528, 0.3382)),
    ((9, 10, 3, 10), (0.1705, 0.8090), (0.1700, 0.8406)),
    ((6, 7, 2, 7), (0.0582, 0.8062), (0.0342, 0.8534)),
    ((5, 56, 0, 29), (-0.0381, 0.1926), (-0.0326, 0.1933)),
    ((0, 10, 0, 20), (-0.1611, 0.2775), (-0.1658, 0.2844)),
    ((0, 10, 0, 10), (-0.2775, 0.2775), (-0.2879, 0.2879)),
    ((10, 10, 0, 20), (0.6791, 1.0), (0.7156, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0), (0.6636, 1.0)),
]


@pytest.mark.parametrize(("four", "hybrid", "score"), TWO, ids=str)
def test_newcombe_difference(four, hybrid, score):
    """Newcombe (1998), Stat. Med. 17:873-890, table II, methods 10 (hybrid score) and 6 (Miettinen and Nurminen)."""
    for method, wanted in (("newcombe", hybrid), ("miettinen-nurminen", score)):
        found = stats.proportion_difference(*four, method=method).tidy()
        printed(found[["conf_low", "conf_high"]], [wanted], 4)


def test_physicians_health_study():
    """Agresti, An Introduction to Categorical Data Analysis, 2nd ed., sections 2.2.1-2.2.3: placebo 189 of 11,034, aspirin 104 of 11,037."""
    found = stats.risk_ratio(189, 11034, 104, 11037).tidy()
    printed(found[["estimate", "conf_low"]], [[1.82, 1.43]], 2)
    assert abs(found["conf_high"].item() - 2.30) < 0.01  # printed from rounded terms: 2.306 unrounded
    printed(
        stats.proportion_difference(189, 11034, 104, 11037).tidy()[["estimate", "std_error"]], [[0.0077, 0.0015]], 4
    )


@pytest.mark.parametrize(
    ("ratio", "low", "high", "value", "limit"), [(3.9, 1.8, 8.7, 7.26, 3.0), (0.80, 0.71, 0.91, 1.81, 1.43)]
)
def test_e_values(ratio, low, high, value, limit):
    """VanderWeele, Ding (2017), Ann. Intern. Med. 167:268-274: breastfeeding, and infant death or childhood leukaemia."""
    found = stats.e_value(ratio, low, high).tidy()
    printed(found["e_value"], [value, limit], 2)


def test_events_for_a_trial_of_hepatitis():
    """Collett, Modelling Survival Data in Medical Research, 2nd ed., example 10.1: hazard ratio 0.57, power 0.90, 133 deaths."""
    printed(stats.schoenfeld_events(0.57, power=0.9).tidy()["estimate"], [133], 0)
