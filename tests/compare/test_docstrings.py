"""Every public function of `evalkit.stats` says what goes in, what comes out, where it is from, and shows it."""

import inspect

import pytest
from numpydoc.docscrape import NumpyDocString

from evalkit import stats

PUBLIC = [
    pytest.param(getattr(room, name), id=f"{room.__name__.rsplit('.', 1)[-1]}.{name}")
    for room in (stats,)
    for name in room.__all__
    if inspect.isfunction(getattr(room, name))
]


@pytest.mark.parametrize("function", PUBLIC)
def test_sections(function):
    doc = NumpyDocString(inspect.getdoc(function))
    described = {name.strip("* ") for part in doc["Parameters"] for name in part.name.split(",")}
    assert described == set(inspect.signature(function).parameters)
    assert doc["Returns"] and doc["Raises"]
    assert ">>> " in "\n".join(doc["Examples"])
    assert any(text.lstrip().startswith(".. [1]") for text in doc["References"])
    words = inspect.getdoc(function)
    assert "[1]_" in words


FORMULA = [
    "kaplan_meier", "survival_quantile", "logrank", "rmst", "rmst_contrast", "survival_difference", "cox",
    "proportional_hazards_test", "cumulative_incidence", "gray_test", "mean_cumulative_count", "propensity", "proportion",
    "proportion_difference", "risk_ratio", "noninferiority", "e_value", "schoenfeld_events", "power",
    "minimum_detectable_hazard_ratio", "pool", "fine_gray",
]  # fmt: skip


@pytest.mark.parametrize("name", FORMULA)
def test_formula(name):
    function = getattr(stats, name)
    assert ":math:`" in inspect.getdoc(function)


def test_days_and_shapes_are_said():
    for function in (part.values[0] for part in PUBLIC):
        taken = inspect.signature(function).parameters
        words = inspect.getdoc(function)
        if "time" in taken:
            assert "days" in words, function.__name__
        if "data" in taken and "pandas.DataFrame" in words:
            assert "n rows" in words or "One row per" in words, function.__name__
