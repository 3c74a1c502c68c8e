"""The door for a figure of one's own: safe numbers go in, and nothing else can be drawn."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import evalkit
from evalkit import analyses
from evalkit.disclosure import make_safe
from evalkit.errors import AnalysisError, DisclosureError
from evalkit.estimates import Estimates
from evalkit.report import Report, _draw, open_report
from evalkit.report._draw import safe_function
from evalkit.simulate import simulate
from reports.made import shown, told  # noqa: F401 - a fixture
from views.made import shares

PARAMS = Path(__file__).parents[2] / "params"
EXACT = pd.DataFrame({"estimate": [0.123456]})
LIMIT = 0.5
names = ["estimate"]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    place = tmp_path_factory.mktemp("draw")
    simulate("benefit", seed=4, n_focus=300, n_comparison=500).write(place / "data" / "demo")
    (place / "params").mkdir()
    for file in PARAMS.glob("*.yaml"):
        (place / "params" / file.name).write_bytes(file.read_bytes())
    return open_report(str(place / "params" / "study.yaml"), "2023Q4", title="T")


@pytest.fixture(autouse=True)
def figures() -> Any:
    plt.close("all")
    yield
    plt.close("all")


def engaged(report: Report) -> Estimates:
    able = analyses.steps(report.cohort).query("can_engaged")
    return analyses.shares(able, ["group", "site"], "did_engaged", label="Engaged")


def bars(frame):
    axes = sns.barplot(frame, x="estimate", y="label", hue="group", errorbar=None)
    axes.set(xlim=(0, 1), xlabel="Share engaged", ylabel="")
    return axes


def of_another_column(frame):
    return frame["lower"]


def of_another_name(frame):
    return sns.barplot(frame, x="estimat", y="label")


def of_another_attribute(frame):
    return frame.upper


@pytest.mark.parametrize(
    ("function", "error", "word"),
    [
        (of_another_column, KeyError, "'lower'"),
        (of_another_name, ValueError, "`estimat`"),
        (of_another_attribute, AttributeError, "'upper'"),
    ],
)
def test_a_column_that_is_not_there_is_answered_with_those_that_are(
    report: Report, function: Any, error: type[Exception], word: str
) -> None:
    with pytest.raises(error) as found:
        report.draw(engaged(report), function, caption="C", alt="A")
    columns = "group, variable, term, label, n, n_event, estimate, conf_low, conf_high"
    assert word in str(found.value)
    assert f"; the frame has the columns {columns}" in str(found.value)


# -- what goes in, what comes out ---------------------------------------------------------------------------------------


def test_the_function_gets_what_is_published_and_nothing_exact(report: Report, shown: list[dict[str, Any]]) -> None:  # noqa: F811
    found = engaged(report)
    view = report.view(report.safe(found))
    frame = view.own_numbers()
    report.draw(found, bars, caption="Engaged, by site", alt="Bars")
    (figure,) = [one for one in shown if "image/svg+xml" in one]
    columns, rows = figure["mark"]["data"]["columns"], figure["mark"]["data"]["rows"]
    assert columns == list(frame.columns)
    assert [row[columns.index("n")] for row in rows] == [None if np.isnan(n) else int(n) for n in frame["n"]]
    safe, exact = make_safe(found.about(cut=report.cut), report.policy).estimates.tidy(), found.tidy()
    pd.testing.assert_series_equal(frame["n_event"], safe["n_event"])
    known = frame["n_event"].notna()
    assert known.any()
    assert frame.loc[known, "n_event"].tolist() != exact.loc[known, "n_event"].tolist()
    pd.testing.assert_series_equal(frame["estimate"], safe["estimate"].round(3))
    assert figure["mark"]["words"] == {"caption": "Engaged, by site", "alt": "Bars"}
    assert figure["mark"]["estimate"] == found.id


def _own_size(frame):
    made, axes = plt.subplots(figsize=(6, 2))
    axes.barh(frame["label"], frame["estimate"])
    axes.set_xlabel("Share engaged")
    return made


def _without_pyplot(frame):
    made = Figure(figsize=(6, 2))
    made.subplots().barh(frame["label"], frame["estimate"])
    return made


def _panels(frame):
    return sns.catplot(frame, x="estimate", y="label", kind="bar", errorbar=None, height=2, aspect=3).figure


def _room_of_its_own(frame):
    made = _own_size(frame)
    made.subplots_adjust(left=0.6)
    return made


@pytest.mark.parametrize("draw", [_own_size, _without_pyplot, _panels, _room_of_its_own])
def test_no_label_is_cut_off_at_an_edge(draw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def measured(figure: Figure) -> str:
        svg = svg_of(figure)
        box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        seen.extend([-box.x0, box.x1 - width, -box.y0, box.y1 - height])
        if draw is _room_of_its_own:
            assert figure.axes[0].get_position().x0 == pytest.approx(0.6)
        return svg

    svg_of = _draw.svg_of
    monkeypatch.setattr(_draw, "svg_of", measured)
    frame = pd.DataFrame({"label": ["Work at referral: yes, for more than a year", "No"], "estimate": [0.4, 0.6]})
    _draw.drawn(frame, draw)
    assert len(seen) == 4
    assert max(seen if draw is not _room_of_its_own else seen[:2]) <= 1 / 72  # inches: a point


def test_coordinates_are_those_of_rounded_numbers(report: Report) -> None:
    """A share of 0.7358 is drawn at 0.736: what a bar's end gives back is what the table says."""
    frame = report.view(report.safe(engaged(report))).own_numbers()
    assert (frame["estimate"].dropna() * 1000 % 1).round(9).isin([0.0, 1.0]).all()
    curve = report.view(report.safe(analyses.staying(report.cohort))).own_numbers()
    for name in ("estimate", "conf_low", "conf_high"):
        np.testing.assert_allclose(curve[name], curve[name].round(3))
    assert set(curve.columns) == {"group", "time", "n_risk", "estimate", "conf_low", "conf_high"}


def test_the_same_numbers_give_the_same_bytes(report: Report, shown: list[dict[str, Any]]) -> None:  # noqa: F811
    for _ in range(2):
        report.draw(engaged(report), bars)
    first, second = [one["image/svg+xml"] for one in shown if "image/svg+xml" in one]
    assert first == second
    assert "<text" not in first  # letters are outlines, in the reports' own font
    assert mpl.rcParams["font.size"] == mpl.rcParamsDefault["font.size"]  # the house's look is no notebook's setting


def scattered(frame):
    return sns.stripplot(frame, x="estimate", y="label", jitter=True)


def test_what_is_scattered_by_lot_lies_where_it_lay_before(report: Report, shown: list[dict[str, Any]]) -> None:  # noqa: F811
    found = engaged(report)
    for _ in range(2):
        report.draw(found, scattered, caption="c", alt="a")
        np.random.uniform(size=3)  # noqa: NPY002
    first, second = (one["image/svg+xml"] for one in shown if "image/svg+xml" in one)
    assert first == second
    np.random.seed(7)  # noqa: NPY002
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    report.draw(found, scattered, caption="c", alt="a")
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002 - a notebook's own draws go on


def test_the_figure_at_hand_is_the_one_of_before(report: Report, shown: list[dict[str, Any]]) -> None:  # noqa: F811
    plt.figure(1)
    plt.figure(2)
    plt.figure(1)
    report.draw(engaged(report), bars, caption="c", alt="a")
    assert (plt.gcf().number, plt.get_fignums()) == (1, [1, 2])


def test_below_a_figure_of_ones_own_stands_what_is_not_shown(shown: list[dict[str, Any]]) -> None:  # noqa: F811
    rows = "group | term | label | n_event | n\nPilot | a | A | 40 | 90\nPAIP | a | A | 30 | 90"
    for withheld, notes in (
        ((), []),
        (("B",), ["::: {.note}\nNot shown where fewer than 11 people or events would be described.\n:::"]),
    ):
        safe = replace(shares("funnel", rows), withheld=withheld)
        shown.clear()
        told({"funnel": safe}).draw(safe.estimates, bars, caption="c", alt="a")
        assert [one["text/markdown"] for one in shown if "text/markdown" in one] == notes


def test_words_with_a_number_are_looked_at_by_the_audit(report: Report, shown: list[dict[str, Any]]) -> None:  # noqa: F811
    report.draw(engaged(report), bars, caption="Four in 5", alt="Bars")
    assert next(one for one in shown if "image/svg+xml" in one)["mark"]["typed"] == ["Four in 5"]


def test_a_function_may_draw_on_the_figure_at_hand_or_make_its_own(report: Report, shown: list[dict[str, Any]]) -> None:  # noqa: F811
    def at_hand(frame):
        plt.scatter(frame["estimate"], frame["n"])

    def own(frame):
        figure, axes = plt.subplots(1, 2, figsize=(13, 4))
        axes[0].scatter(frame["estimate"], frame["n"])
        return figure

    def grid(frame):
        return sns.relplot(frame, x="estimate", y="n", col="group")

    before = plt.figure()
    for function in (at_hand, own, grid, lambda frame: plt.gca().plot(frame["estimate"])[0].axes):
        report.draw(engaged(report), function)
    svgs = [one["image/svg+xml"] for one in shown if "image/svg+xml" in one]
    widths = [float(re.search(r'width="([\d.]+)pt"', svg)[1]) for svg in svgs]
    assert max(widths) <= 6.5 * 72 + 0.1
    assert widths[1] == pytest.approx(6.5 * 72, abs=0.1)  # thirteen inches were too wide
    assert [plt.figure(number) for number in plt.get_fignums()] == [before]  # nothing is left to be put out unmarked


def test_of_what_may_not_be_shown_nothing_is_drawn(report: Report, shown: list[dict[str, Any]]) -> None:  # noqa: F811
    few = report.cohort.people.head(8)
    function = eval("lambda frame: 1 / 0")  # noqa: S307 - would fail if it ran
    report.draw(analyses.shares(few.assign(had=[1, 0] * 4), None, "had"), function)
    assert [one["mark"].get("absent") for one in shown] == ["yes"]
    assert "fewer than 11" in shown[0]["text/markdown"]


# -- what a function may use --------------------------------------------------------------------------------------------


def other(frame):
    return plt.gca()


def with_helper(frame):
    return other(frame)


def imports_a_library(frame):
    import matplotlib.pyplot as drawing

    return drawing.gca()


def counts_down(n):
    return counts_up(n - 1) if n > 1 else plt.gca()


def counts_up(n):
    return counts_down(n)


def with_helpers_of_each_other(frame):
    return counts_down(len(frame))


def with_helper_of_exact(frame):
    return uses_frame(frame)


def uses_frame(frame):
    return plt.plot(EXACT["estimate"])


def uses_number(frame):
    return plt.axvline(LIMIT)


def uses_list(frame):
    return [plt.plot(frame[name]) for name in names]


def uses_evalkit(frame):
    return evalkit.open_report("study.yaml", "2023Q4")


def imports_evalkit(frame):
    from evalkit import open_report as again

    return again


def imports_os(frame):
    import os

    return os


def reads(frame):
    return pd.read_csv("data.csv")


def opens(frame):
    return open("data.csv")  # noqa: PTH123


def digs(frame):
    return bars.__globals__


def with_default(frame, exact=EXACT):
    return plt.plot(exact["estimate"])


def with_keyword(frame, *, exact=1):
    return exact


def with_rest(*frames):
    return frames


def inside(frame):
    return [plt.plot(part["estimate"], LIMIT) for part in [frame]]


def closes_over() -> Any:
    hidden = EXACT

    def draw(frame):
        return plt.plot(hidden["estimate"])

    return draw


@functools.wraps(plt.plot)
def in_anothers_name(*given, **more):
    return plt.plot(EXACT["estimate"])


def uses_wrapped(frame):
    return in_anothers_name(frame)


def reads_a_workbook(frame):
    return pd.ExcelFile("data.xlsx")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (uses_wrapped, "'plot' uses 'EXACT' of the notebook"),
        (reads_a_workbook, "may not use 'ExcelFile'"),
        (with_helper_of_exact, "'uses_frame' uses 'EXACT' of the notebook; it may hold exact numbers"),
        (uses_frame, "'uses_frame' uses 'EXACT' of the notebook"),
        (uses_number, "'uses_number' uses 'LIMIT' of the notebook; .* write them inside of the function"),
        (uses_list, "'uses_list' uses 'names' of the notebook"),
        (inside, "'inside' uses 'LIMIT' of the notebook"),
        (uses_evalkit, "may not use the module 'evalkit'"),
        (imports_evalkit, "may not use the module 'evalkit'"),
        (imports_os, "may not use the module 'os'"),
        (reads, "may not use 'read_csv': it draws what it was given"),
        (opens, "may not use 'open'"),
        (digs, "may not use '__globals__'"),
        (with_default, "has to take one thing"),
        (with_keyword, "has to take one thing"),
        (with_rest, "has to take one thing"),
        (lambda frame=EXACT: frame, "'<lambda>' has default values"),
        (closes_over(), "'draw' uses 'hidden' from around it"),
        (plt.plot, "has to take one thing"),
        (Figure, "give it a function of your own that takes one frame .* not a type"),
        (None, "not a NoneType"),
    ],
)
def test_what_a_function_uses_beside_its_frame_is_refused_by_name(function: Any, said: str) -> None:
    with pytest.raises(DisclosureError, match=said) as refused:
        safe_function(function)
    assert refused.value.exit_code == 6
    assert "0.123456" not in str(refused.value)


def test_libraries_and_helpers_may_be_used() -> None:
    assert safe_function(with_helper)(EXACT) is plt.gca()
    assert set(safe_function(with_helper).__globals__) == {"__builtins__", "__name__", "other"}
    assert safe_function(imports_a_library)(EXACT) is plt.gca()
    assert safe_function(with_helpers_of_each_other)(EXACT) is plt.gca()
    assert safe_function(bars)(pd.DataFrame({"estimate": [0.1], "label": ["a"], "group": ["b"]})) is plt.gca()


# -- what it may give back ----------------------------------------------------------------------------------------------


def nothing_drawn(frame):
    return plt.figure()


def pixels(frame):
    return plt.imshow(frame[["estimate", "n"]].to_numpy()).axes


def picture_of_the_figure(frame):
    figure = plt.figure()
    figure.add_subplot()
    figure.figimage(np.full((4, 4), frame["estimate"].iloc[0]))
    return figure


def shapes_as_pixels(frame):
    return plt.scatter(frame["estimate"], frame["n"], rasterized=True).axes


def a_number(frame):
    return float(frame["estimate"].iloc[0])


def first_figure(frame):
    return plt.figure(1)


def strange_letters(frame):
    plt.gca().set_title("\U0001f642")


@pytest.mark.parametrize(
    ("function", "error", "said"),
    [
        (nothing_drawn, AnalysisError, "'nothing_drawn' drew nothing"),
        (pixels, DisclosureError, "draws a picture of pixels"),
        (picture_of_the_figure, DisclosureError, "draws a picture of pixels"),
        (shapes_as_pixels, DisclosureError, "draws a picture of pixels"),
        (a_number, AnalysisError, r"'a_number' gave back no axes and no figure \(float\)"),
        (first_figure, DisclosureError, "gives back a figure that was there before"),
        (strange_letters, AnalysisError, "report.draw: a label or note holds letters"),
    ],
)
def test_what_comes_back_is_looked_at(report: Report, function: Any, error: Any, said: str) -> None:
    plt.figure(1).add_subplot().plot([0.123456])  # an exact plot of before
    with pytest.raises(error, match=said):
        report.draw(engaged(report), function)
    assert plt.get_fignums() == [1]
