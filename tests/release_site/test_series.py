"""Which numbers are followed over the releases, and how each is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evalkit.periods import Period
from evalkit.site import _series
from evalkit.site._gather import Place, Release, Stone, _Found, _sorted
from evalkit.site._series import Number, Question, Row, _limits, chart, questions
from evalkit.site._words import Reader, label_of, written
from release_site.published import resource

READER = Reader.of("en", {})
SPANISH = Reader.of("es", {"es": {"Pilot": "Piloto"}})


def place(folder: Path, period: str, **tables: tuple[str, str, str]) -> Place:
    """A release with data files: label, then estimate, analysis and the CSV's text."""
    data = folder / period / "data"
    data.mkdir(parents=True)
    resources = []
    for name, (estimate, analysis, text) in tables.items():
        label = name.replace("_", "-")
        (data / f"{label}.csv").write_text(text, encoding="utf-8")
        resources.append(resource(label, estimate, analysis, text.splitlines()[0], f"Caption of {label}"))
    (data / "datapackage.json").write_text(json.dumps({"resources": resources}), encoding="utf-8")
    outputs = {"data/datapackage.json": {}, **{f"data/{r['path']}": {} for r in resources}}
    manifest = {"report": "r", "period": period, "revision": 1, "outputs": outputs}
    return Place("r", Period.parse(period), (Release(data.parent, manifest, ""),))


def told(found: Question) -> list[tuple[str, str, dict[str, float | None]]]:
    return [(label_of(r, found, READER).text, r.group, {p: n.value for p, n in r.numbers.items()}) for r in found.rows]


SHARES = "group,term,label,n,n_event,estimate,conf_low,conf_high\n"


def test_rows_are_matched_by_what_they_are_about_not_by_wording_or_order(tmp_path: Path) -> None:
    new = place(
        tmp_path, "2001Q1", tbl_a=("e1", "funnel", SHARES + "A,x,Ex (new),10,5,0.5,0.2,0.8\nA,y,Why,10,2,0.2,0.1,0.5\n")
    )
    old = place(
        tmp_path, "2000Q4", tbl_b=("e1", "funnel", SHARES + "A,y,Why,9,3,0.3,0.1,0.6\nA,x,Ex,9,4,0.4,0.2,0.7\n")
    )
    (found,) = questions([new, old])
    assert (found.label, found.title, found.rows[0].scale, found.periods) == (
        "tbl-a",
        "Caption of tbl-a",
        "share",
        ("2000Q4", "2001Q1"),
    )
    assert told(found) == [
        ("Ex (new)", "A", {"2001Q1": 0.5, "2000Q4": 0.4}),
        ("Why", "A", {"2001Q1": 0.2, "2000Q4": 0.3}),
    ]  # fmt: skip


def test_another_estimate_is_another_question(tmp_path: Path) -> None:
    row = SHARES + "A,x,Ex,10,5,0.5,0.2,0.8\n"
    new = place(tmp_path, "2001Q1", tbl_a=("e2", "funnel", row))
    old = place(tmp_path, "2000Q4", tbl_a=("e1", "funnel", row))
    assert [(q.periods, len(q.rows)) for q in questions([new, old])] == [(("2001Q1",), 1), (("2000Q4",), 1)]


def test_of_a_drawn_line_only_the_days_with_numbers_at_risk_are_followed(tmp_path: Path) -> None:
    curve = (
        "group,cause,time,n_risk,estimate,conf_low,conf_high\n"
        "A,left,0,9,0,0,0\nA,left,4,,0.1,0,0.2\nA,left,90,5,0.4,0.1,0.7\nA,left,30,7,0.2,0.1,0.5\nA,done,30,7,0.3,0.1,0.5\n"
    )
    (found,) = questions([place(tmp_path, "2001Q1", fig_c=("e", "cumulative_incidence", curve))])
    assert told(found) == [
        ("Left, by day 30", "A", {"2001Q1": 0.2}),
        ("Left, by day 90", "A", {"2001Q1": 0.4}),
        ("Done, by day 30", "A", {"2001Q1": 0.3}),
    ]  # fmt: skip


PAGE_ONE = "term,label,measure,group,period,n,estimate,conf_low,conf_high,estimate_id\n"


def test_page_one_is_followed_row_by_row_and_goes_first(tmp_path: Path) -> None:
    row = SHARES + "A,x,Ex,10,5,0.5,0.2,0.8\n"
    now = PAGE_ONE + (
        "referred,People,people,A,,82,,,,\nleft,Left by June,share,A,,9,0.3,0.1,0.6,c\nengaged,Engaged,share,A,,63,0.68,0.5,0.8,f2\n"
        "engaged,Engaged,a quarter ago,A,,,0.69,,,f2\nengaged 2000Q4,Engaged,quarter of referral,A,2000Q4,12,0.5,,,f2\n"
    )
    then = PAGE_ONE + (
        "referred,People,people,A,,66,,,,\nleft,Left by May,share,A,,9,0.2,0.1,0.6,c\nengaged,Engaged,share,A,,39,0.7,0.5,0.8,f1\n"
    )
    new = place(tmp_path, "2001Q1", tbl_a=("e", "funnel", row), tbl_one=("now", "findings", now))
    old = place(tmp_path, "2000Q4", tbl_a=("e", "funnel", row), tbl_one=("then", "findings", then))
    first, second = questions([new, old])
    assert (first.label, first.headline, first.releases, second.headline) == ("tbl-one", True, 2, False)
    assert [row.scale for row in first.rows] == ["number", "share", "share", "share", "share"]
    assert told(first) == [
        ("People", "A", {"2001Q1": 82.0, "2000Q4": 66.0}),
        ("Left by June", "A", {"2001Q1": 0.3}),  # of another day
        ("Engaged", "A", {"2001Q1": 0.68}),  # by another rule, as the other name says
        ("Left by May", "A", {"2000Q4": 0.2}),
        ("Engaged", "A", {"2000Q4": 0.7}),
    ]  # fmt: skip


def test_a_table_of_the_same_estimate_goes_before_its_figure(tmp_path: Path) -> None:
    shown = place(
        tmp_path,
        "2001Q1",
        fig_a=("e", "funnel", SHARES + "A,x,Drawn,,,,,\n"),
        tbl_a=("e", "funnel", SHARES + "A,x,Told,,,,,\n"),
    )
    assert [label_of(q.rows[0], q, READER).text for q in questions([shown])] == ["Told"]


def test_series_and_figures_of_others_are_not_followed(tmp_path: Path) -> None:
    trend = "group,term,label,period,n,n_event,estimate,conf_low,conf_high\nA,x,Ex,2000Q1,9,3,0.3,0.1,0.6\n"
    beside = "label,group,measure,n,estimate,conf_low,conf_high\nHere,A,here,9,0.5,0.2,0.8\nCook,published,published,,0.7,,\n"
    nothing = "label,group,sentence\na,b,c\n"
    shown = place(tmp_path, "2001Q1", fig_t=("t", "trend", trend), fig_b=("b", "benchmark", beside), tbl_n=("n", "notes", nothing), tbl_0=("", "x", nothing))  # fmt: skip
    assert [told(q) for q in questions([shown])] == [[("Here", "A", {"2001Q1": 0.5})]]


def test_a_period_whose_release_was_withdrawn_leaves_a_gap(tmp_path: Path) -> None:
    row = SHARES + "A,x,Ex,10,5,0.5,0.2,0.8\n"
    new, old = (place(tmp_path, p, tbl_a=("e", "funnel", row)) for p in ("2001Q1", "2000Q3"))
    older = Place("r", Period.parse("2000Q2"))
    (found,) = questions([new, Place("r", Period.parse("2000Q4")), old, older])
    assert found.periods == ("2000Q3", "2000Q4", "2001Q1")


def test_two_variables_with_the_same_level_are_told_apart(tmp_path: Path) -> None:
    text = (
        "group,variable,term,label,n,n_event,estimate,conf_low,conf_high\nA,Gender,g: other,Other,9,3,0.3,0.1,0.6\n"
        "A,Area,a: other,Other,9,2,0.2,0.1,0.6\nA,Area,a: north,North,9,2,0.2,0.1,0.6\n"
    )
    (found,) = questions([place(tmp_path, "2001Q1", tbl_a=("e", "funnel", text))])
    assert [label_of(r, found, READER).text for r in found.rows] == ["Gender: Other", "Area: Other", "North"]


ROW = Row({"term": "x"}, "Pilot", {})


@pytest.mark.parametrize(
    ("number", "scale", "measure", "english", "spanish"),
    [
        (
            Number(0.5, 0.2, 0.8, "10", "5"),
            "share",
            "",
            ("50% (20% to 80%)", "5 of 10"),
            ("50% (20% a 80%)", "5 de 10"),
        ),
        (Number(0.004, 0.0, 0.02, "", ""), "share", "", ("under 1% (0% to 2%)", ""), ("menos del 1% (0% a 2%)", "")),
        (Number(0.5, None, None, "1200", ""), "share", "", ("50%", "of 1,200"), ("50%", "de 1,200")),
        (
            Number(1.16284, 1.08, 1.25, "89", ""),
            "number",
            "",
            ("1.16 (1.08 to 1.25)", "of 89"),
            ("1.16 (1.08 a 1.25)", "de 89"),
        ),
        (Number(-0.5, None, None), "number", "", ("−0.5", ""), ("−0.5", "")),
        (Number(1060.4, 999.6, 12345.0), "number", "", ("1,060 (1,000 to 12,345)", ""), ("1,060 (1,000 a 12,345)", "")),
        (Number(0.00001234), "number", "", ("0.0000123", ""), ("0.0000123", "")),
        (
            Number(0.04, -0.071, 0.152),
            "share",
            "difference",
            ("+4 points (−7 to +15)", ""),
            ("+4 puntos (−7 a +15)", ""),
        ),
        (Number(0.001, -0.004, 0.1), "share", "difference", ("0 points (0 to +10)", ""), ("0 puntos (0 a +10)", "")),
        (Number(None), "share", "", ("not shown", ""), ("no se muestra", "")),
        (None, "share", "", ("–", ""), ("–", "")),
    ],
)
def test_how_a_number_is_written(
    number: Number | None, scale: str, measure: str, english: tuple[str, str], spanish: tuple[str, str]
) -> None:
    row = replace(ROW, about={"measure": measure}, scale=scale)
    assert written(number, row, READER) == english
    assert written(number, row, SPANISH) == spanish


def test_axes_are_the_same_for_all_small_charts_and_begin_at_zero() -> None:
    rows = [replace(ROW, numbers={"2001Q1": Number(0.2, 0.1, 0.4)}), replace(ROW, numbers={"2001Q1": Number(0.02)})]
    assert _limits(rows, "share") == pytest.approx((0.0, 0.44))
    assert _limits([replace(ROW, numbers={"2001Q1": Number(0.98, 0.9, 1.0)})], "share") == (0.0, 1.03)
    assert _limits([replace(ROW, numbers={"2001Q1": Number(-0.1, -0.2, 0.1)})], "share") == pytest.approx((-0.22, 0.11))
    below = [replace(ROW, numbers={"2001Q1": Number(-0.1, -0.2, -0.05)})]
    assert _limits(below, "share") == pytest.approx((-0.22, 0.0))  # where nothing differs is to be seen
    assert _limits([replace(ROW, numbers={"2001Q1": Number(None)})], "number") == pytest.approx((0.0, 1.1))


def test_a_chart_is_the_same_bytes_and_draws_each_group() -> None:
    numbers = {"2000Q4": Number(0.2, 0.1, 0.4), "2001Q1": Number(0.3, 0.2, 0.5)}
    rows = [Row({"label": "x"}, group, numbers) for group in ("Pilot", "PAIP")]
    question = Question("tbl-a", "T", tuple(rows), ("2000Q4", "2001Q1"), 2)
    names = {"Pilot": "Pilot", "PAIP": "PAIP"}
    one = chart(question, [("x", rows)], names)
    assert one == chart(question, [("x", rows)], names)
    assert ("#0b5a7a" in one, "#b35612" in one) == (True, True)
    assert "#b35612" not in chart(question, [("x", rows[:1])], names)


def test_small_charts_stand_in_frames_of_one_size_each_from_first_to_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_series, "svg_of", lambda figure: figure)
    row = replace(ROW, numbers={"2000Q4": Number(0.2), "2001Q1": Number(0.3)})
    question = Question("tbl-a", "T", (row,), ("2000Q4", "2001Q1"), 2)
    figure: Any = chart(question, [("x", [row])] * 4, {"Pilot": "Pilot"})
    width, height = figure.get_size_inches()
    frames = [place.get_position().bounds * np.array([width, height] * 2) for place in figure.axes[:4]]
    size = (width - 0.42 - 2 * 0.5 - 0.1) / 3, 1.03  # inches
    assert frames == [
        pytest.approx((0.42 + across * (size[0] + 0.5), height - 1.75 - down * 1.75, *size))
        for down, across in ((0, 0), (0, 1), (0, 2), (1, 0))
    ]
    assert [place.get_xlim() for place in figure.axes[:4]] == [(-0.3, 1.3)] * 4
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["2000Q4", "2001Q1"]
    assert [place.get_title(loc="left") for place in figure.axes[:4]] == ["x"] * 4


def test_a_legend_only_where_there_are_groups_to_tell_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_series, "svg_of", lambda figure: figure)
    numbers = {"2000Q4": Number(0.2, 0.1, 0.4), "2001Q1": Number(0.3)}
    rows = [Row({"label": "x"}, group, numbers) for group in ("a", "b")]
    question = Question("tbl-a", "T", tuple(rows), ("2000Q4", "2001Q1"), 2)
    two: Any = chart(question, [("x", rows)], {"b": "Bee", "a": "Ay"})
    assert [text.get_text() for text in two.legends[0].get_texts()] == ["Bee", "Ay"]
    one: Any = chart(question, [("x", rows[:1])], {"a": "Ay"})
    assert one.legends == []
    (limits,) = one.axes[0].collections
    assert limits.get_visible()
    assert [path.vertices.tolist() for path in limits.get_paths()] == [[[0, 0.1], [0, 0.4]]]


@pytest.mark.parametrize(("panels", "across"), [(12, 3), (13, 4)])
def test_so_many_small_charts_stand_beside_one_another(
    panels: int, across: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_series, "svg_of", lambda figure: figure)
    row = replace(ROW, numbers={"2000Q4": Number(0.2)})
    figure: Any = chart(Question("tbl-a", "T", (row,), ("2000Q4",), 1), [("x", [row])] * panels, {"Pilot": "Pilot"})
    assert figure.axes[0].get_gridspec().ncols == across
    assert [place.axison for place in figure.axes] == [True] * panels + [False] * (len(figure.axes) - panels)


@pytest.mark.parametrize(
    ("scale", "measure", "said"), [("share", "", "10%"), ("share", "difference", "+10"), ("number", "", "0.1")]
)
def test_an_axis_says_percent_points_or_a_number(
    scale: str, measure: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_series, "svg_of", lambda figure: figure)
    row = replace(ROW, about={"measure": measure}, scale=scale, numbers={"2000Q4": Number(0.1)})
    figure: Any = chart(Question("tbl-a", "T", (row,), ("2000Q4",), 1), [("x", [row])], {"Pilot": "Pilot"})
    form = figure.axes[0].yaxis.get_major_formatter()
    form.set_locs([0.0, 0.1])
    assert form(0.1, 0) == said
    assert (form(-0.1, 0) == "−10") is (measure == "difference")


def test_charts_of_one_kind_share_an_axis_and_those_of_another_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_series, "svg_of", lambda figure: figure)
    small, large, people = (
        replace(ROW, scale=scale, numbers={"2000Q4": Number(value), "2001Q1": Number(value)})
        for scale, value in (("share", 0.2), ("share", 0.6), ("number", 50))
    )
    question = Question("tbl-a", "T", (small, large, people), ("2000Q4", "2001Q1"), 2)
    panels = [("a", [small]), ("b", [large]), ("c", [people])]
    figure: Any = chart(question, panels, {"Pilot": "Pilot"})
    assert [place.get_ylim() for place in figure.axes[:3]] == [
        pytest.approx(ends) for ends in ((0, 0.66), (0, 0.66), (0, 55))
    ]


def test_rows_of_several_methods_and_means_beside_shares_are_told_apart(tmp_path: Path) -> None:
    text = (
        "group,variable,term,label,method,n,n_event,estimate,mean\nA,Age,age,Age,,9,,,41.5\nA,Work,work,Work,,9,3,0.3,\n"
        "A,Work,work,Work,weighted,9,3,0.4,\n"
    )
    (found,) = questions([place(tmp_path, "2001Q1", tbl_a=("e", "baseline", text))])
    said = [(label_of(r, found, READER).text, r.scale, written(r.numbers["2001Q1"], r, READER)) for r in found.rows]
    assert said == [
        ("Age", "number", ("41.5", "of 9")),
        ("Work", "share", ("30%", "3 of 9")),
        ("Work, weighted", "share", ("40%", "3 of 9")),
    ]


def test_rows_that_only_groups_tell_apart_are_named_by_the_question(tmp_path: Path) -> None:
    text = "group,n,median,lower_quartile,upper_quartile\nsessions,12303,1,0,3\nexits,481,5,2,10\n"
    (found,) = questions([place(tmp_path, "2001Q1", tbl_late=("e", "late_entry", text))])
    said = [(label_of(r, found, READER).text, r.group, written(r.numbers["2001Q1"], r, READER)) for r in found.rows]
    assert said == [
        ("Caption of tbl-late", "sessions", ("1 (0 to 3)", "of 12,303")),
        ("Caption of tbl-late", "exits", ("5 (2 to 10)", "of 481")),
    ]


def test_revisions_stand_newest_first_and_reports_by_their_last_day() -> None:
    revisions = (2, 3, 1)
    found = _Found([SimpleNamespace(revision=n) for n in revisions], {n: Stone(n) for n in revisions})  # type: ignore[misc]
    order = _sorted({("r", "2000Q1"): found, ("r", "2000Q2"): _Found(), ("r", "2000-02-01..2000-03-31"): _Found()}, 1)
    assert [place.period.name for place in order["r"]] == ["2000Q2", "2000-02-01..2000-03-31", "2000Q1"]
    assert [release.revision for release in order["r"][2].releases] == [3, 2, 1]
    assert [stone.revision for stone in order["r"][2].stones] == [3, 2, 1]
