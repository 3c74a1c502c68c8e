"""Results outside of reports: every one can be plotted, and says that its numbers are exact."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi, load_waltons
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from evalkit import bench
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates, nothing
from evalkit.stats import cox, cumulative_incidence, kaplan_meier, rmst
from evalkit.words import speaking
from golden.cases import CASES

EXACT = "exact: not for publication"


@pytest.fixture(autouse=True)
def no_figures_are_left():
    yield
    plt.close("all")


@pytest.fixture
def waltons() -> pd.DataFrame:
    return load_waltons()


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_a_curve_is_the_estimate_and_starts_at_one(waltons: pd.DataFrame) -> None:
    found = kaplan_meier(waltons, "T", "E", by="group")
    ax = found.plot()
    rows = found.tidy()
    for line, band, group in zip(ax.lines, ax.collections, ("control", "miR-137"), strict=True):
        own = rows[rows["group"] == group]
        assert line.get_label() == group
        assert list(line.get_xdata()) == [0.0, *own["time"]]
        assert list(line.get_ydata()) == [1.0, *own["estimate"]]
        assert line.get_drawstyle() == "steps-post"
        assert ax.get_ylim() == (0, 1.02)  # the whole of the scale
        corner = (own["time"].iloc[1], own["conf_low"].iloc[0])  # limits fall where the line does
        assert corner in {(float(x), float(y)) for x, y in band.get_paths()[0].vertices}
    assert [band.get_alpha() for band in ax.collections] == [0.13, 0.13]  # faint: two may lie on one another


def test_numbers_at_risk_are_those_who_have_not_left_before_the_day(waltons: pd.DataFrame) -> None:
    ax = kaplan_meier(waltons, "T", "E", by="group").plot()
    days = [day for day in ax.get_xticks() if 0 <= day <= ax.get_xlim()[1]]
    said = texts(ax)
    assert said[0] == "Number at risk"
    for group in ("control", "miR-137"):
        own = waltons[waltons["group"] == group]
        after = said.index(group) + 1
        assert said[after : after + len(days)] == [f"{(own['T'] >= day).sum():,}" for day in days]
    heights = {text.xyann[1] for text in ax.texts if text.get_text() != EXACT}
    assert heights == {-41, -52.5, -64}  # the head, and evenly below it a row for each group


def test_an_incidence_with_events_on_one_day_starts_at_nothing() -> None:
    people = pd.DataFrame({"time": [5, 5, 5, 8, 9], "cause": [1, 1, 0, 0, 0]})
    line = cumulative_incidence(people, "time", "cause").plot().lines[0]
    assert (list(line.get_xdata())[:2], list(line.get_ydata())[:2]) == ([0.0, 5.0], [0.0, 0.4])


def test_an_incidence_starts_at_nothing() -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"day": rng.integers(1, 60, 80), "cause": rng.integers(0, 3, 80)})
    ax = cumulative_incidence(data, "day", "cause", causes=["left", "finished"]).plot()
    assert [line.get_ydata()[0] for line in ax.lines] == [0.0, 0.0]
    assert [line.get_label() for line in ax.lines] == ["all: left", "all: finished"]


def test_a_model_is_a_forest_of_ratios_on_a_logarithmic_axis() -> None:
    fit = cox(load_rossi(), "week", "arrest", ["fin", "age", "prio"])
    ax = fit.plot()
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["fin", "age", "prio"]
    assert list(ax.lines[0].get_xdata()) == list(fit.tidy()["hazard_ratio"])
    assert ax.get_xlabel() == "hazard ratio"
    assert ax.get_ylim() == pytest.approx((2.6, -0.6))  # read from top to bottom
    assert list(ax.lines[1].get_xdata()) == [1, 1]
    assert [ax.xaxis.get_major_formatter()(value) for value in (0.5, 1, 20)] == ["0.5", "1", "20"]


def test_a_curve_that_falls_on_day_0_begins_where_it_fell_to() -> None:
    line = kaplan_meier(pd.DataFrame({"T": [0, 5, 8], "E": [1, 1, 0]}), "T", "E").plot().lines[0]
    assert list(line.get_xdata())[:2] == [0, 5]
    assert list(line.get_ydata())[:2] == pytest.approx([2 / 3, 1 / 3])


def test_where_people_are_begins_on_the_first_day_that_is_known() -> None:
    rows = pd.DataFrame(
        {"state": ["in", "in", "out", "out"], "time": [5.0, 9, 5, 9], "estimate": [0.75, 0.5, 0.25, 0.5]}
    )
    lines = Estimates(rows, "states", "share in each state").plot().lines
    assert [(line.get_label(), list(line.get_xdata())) for line in lines] == [("in", [5, 9]), ("out", [5, 9])]
    assert [line.get_drawstyle() for line in lines] == ["steps-post"] * 2


def test_a_row_is_named_by_its_label_and_else_by_all_that_tells_it_apart() -> None:
    rows = pd.DataFrame({"label": ["Ex", ""], "term": ["x", "y"], "tau": [np.nan, 90.0], "estimate": [0.5, 2.0]})
    named = [label.get_text() for label in Estimates(rows, "odd", "x").plot().get_yticklabels()]
    assert named == ["Ex", "y, 90"]


def test_axes_that_are_given_come_back_and_the_corner_is_marked_once(waltons: pd.DataFrame) -> None:
    _, ax = plt.subplots()
    assert kaplan_meier(waltons, "T", "E").plot(ax) is ax
    assert kaplan_meier(waltons[waltons["group"] == "control"], "T", "E").plot(ax=ax) is ax
    assert texts(ax).count(EXACT) == 1
    assert len(ax.lines) == 2
    assert texts(ax).count("all") == 2  # a row of numbers at risk for each
    assert texts(ax).count("Number at risk") == 1
    assert {text.xyann[1] for text in ax.texts if text.get_text() != EXACT} == {-41, -52.5, -64}  # one below the other


def test_dots_keep_groups_apart(waltons: pd.DataFrame) -> None:
    found = rmst(waltons, "T", "E", by="group", tau=50)
    ax = found.plot()
    drawn = [float(line.get_xdata()[0]) for line in ax.lines]
    assert drawn == list(found.tidy()["estimate"])
    assert ax.lines[0].get_ydata()[0] != ax.lines[1].get_ydata()[0]
    assert ax.get_xlabel() == found.estimand
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["control", "miR-137"]
    assert rmst(waltons, "T", "E", tau=50).plot().get_legend() is None  # of one group there is nothing to tell apart


@pytest.mark.parametrize("limit", ["conf_low", "conf_high"])
def test_one_limit_alone_is_no_line(limit: str) -> None:
    ax = Estimates(pd.DataFrame({"term": ["a"], "estimate": [0.5], limit: [0.25]}), "bound", "a bound").plot()
    assert len(ax.lines) == 1 and list(ax.collections) == []


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith(("stats.", "analyses."))])
def test_every_result_can_be_plotted_and_written(name: str) -> None:
    """Every analysis of the golden frames, whatever its columns are."""
    found = CASES[name]()
    if not isinstance(found, Estimates) or found.data.empty:
        return
    ax = found.plot()
    assert EXACT in texts(ax)
    assert ax.lines or ax.collections
    assert EXACT in found._repr_html_()
    assert len(found.glance()) == 1
    assert len(found.tidy()) == len(found.data)


def test_what_has_no_number_is_refused() -> None:
    empty = Estimates(pd.DataFrame({"term": ["a"], "estimate": [np.nan]}), "odd", "something")
    with pytest.raises(AnalysisError, match="odd: has no number that could be plotted"):
        empty.plot()
    with pytest.raises(AnalysisError, match="there is nothing to plot"):
        nothing("absent.table", "retention", table="sessions").plot()


def test_html_escapes_the_data_and_says_facts_and_limits() -> None:
    ends = [(np.inf, "∞"), (-np.inf, "-∞"), (np.nan, "")]
    assert [bench._number(value) for value, _ in ends] == [text for _, text in ends]
    assert [bench._cell("p_value", value) for value in (0.001, 0.0009, None)] == ["0.001", "<0.001", ""]
    rows = pd.DataFrame({"group": ["<b>x</b>"] * 30, "estimate": 1 / 3, "p_value": 0.0004, "n": 1200})
    found = Estimates(rows, "shares", "share of & among", notes=("A note.",), summary={"n_event": 12, "aic": 3.14159})
    html = found._repr_html_()
    assert "<b>x</b>" not in html
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert "share of &amp; among" in html
    assert "&lt;0.001" in html
    assert "<td>0.3333</td>" in html
    assert "<td>1,200</td>" in html
    assert "n event 12, aic 3.142" in html
    assert "... and 5 more rows" in html
    assert "A note." in html


def test_the_corner_speaks_the_language_in_force(waltons: pd.DataFrame) -> None:
    with speaking("es-US"):
        ax = kaplan_meier(waltons, "T", "E").plot()
    assert "exacto: no publicar" in texts(ax)
    assert ax.get_xlabel() == "Días"
