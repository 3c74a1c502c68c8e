"""Sentences, tables and figures from safe numbers."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from evalkit.analyses._analyses import ShareOf
from evalkit.counts import Tally
from evalkit.disclosure import Policy, make_safe
from evalkit.errors import DisclosureError
from evalkit.estimates import Estimates
from evalkit.markup import markdown
from evalkit.stats import Proportion, kaplan_meier
from evalkit.views import CurveText, Look, html_table, svg_of
from evalkit.views.curves import curves_figure
from evalkit.words import horizon
from views.drawn import at_risk, cells
from views.seen import draw, headline, safe_numbers, sentences, table_of

POLICY = Policy(noise_variance=0)
GROUPS = ("Pilot", "PAIP")
WORDS = CurveText("Not disengaged", "Days", "not disengaged")


@pytest.fixture(scope="module")
def curve() -> Estimates:
    rng = np.random.default_rng(1)
    n = 900
    event, censor = rng.exponential(250, n), rng.uniform(100, 700, n)
    group = np.where(np.arange(n) < 300, "Pilot", "PAIP")
    data = pd.DataFrame({"time": np.floor(np.minimum(event, censor)), "event": event <= censor, "group": group})
    return kaplan_meier(data, "time", "event", by="group")


def test_sentence_figure_and_table_agree(curve: Estimates) -> None:
    safe = make_safe(curve, POLICY)
    text = markdown(sentences(safe, GROUPS, "fig-x", "not disengaged"))
    when, first, second = re.match(
        r"At (.+?), (\d+)% in the pilot .*? and (\d+)% in PAIP .*? were not disengaged\. See @fig-x\.$",
        text,
    ).groups()
    day = {"six months": "182", "one year": "365"}[when]
    rows = safe.at([int(day)]).set_index("group")["estimate"]
    assert (round(100 * rows["Pilot"]), round(100 * rows["PAIP"])) == (int(first), int(second))
    lines = {(line[0], line[1].lower()): line[3] for line in cells(table_of(safe))[1:]}
    assert (lines["Pilot", when], lines["PAIP", when]) == (f"{first}%", f"{second}%")


def test_figure_says_what_it_shows_and_is_the_same_bytes_again(curve: Estimates) -> None:
    safe = make_safe(curve, POLICY)
    figure, alt = curves_figure(safe, GROUPS, 365, WORDS)
    again, _ = curves_figure(safe, GROUPS, 365, WORDS)
    assert svg_of(figure) == svg_of(again)
    days = [0, 91, 182, 273, 364]
    read = safe.drawn(days).set_index(["group", "time"])
    assert alt == " ".join(
        f"{group}, not disengaged: "
        + ", ".join(f"{100 * read['estimate'][group, day]:.0f}% at {horizon(day)}" for day in days[1:])
        + "."
        for group in GROUPS
    )
    (axes,) = figure.axes
    assert list(at_risk(axes)) == ["Pilot (focus)", "PAIP (other)"]
    for group, row in zip(GROUPS, at_risk(axes).values(), strict=True):
        assert row == {day: f"{read['n_risk'][group, day]:.0f}" for day in days}


def test_numbers_at_risk_never_grow(curve: Estimates) -> None:
    read = make_safe(curve, POLICY).at(range(0, 400, 10))
    for _, own in read.groupby("group"):
        assert (own["n_risk"].dropna().diff().dropna() <= 0).all()
        assert (own["estimate"].dropna().diff().dropna() <= 1e-12).all()


@pytest.mark.parametrize(
    ("x", "n", "words"),
    [
        (60, 100, "t: 60% in the pilot (50% to 69%; 60 of 100 people)."),
        (63, 102, "t: 62% in the pilot (52% to 71%; 63 of 102 people)."),
        (0, 100, "t: 0% in the pilot (0% to 4%; 0 of 100 people)."),
        (100, 100, "t: 100% in the pilot (96% to 100%; 100 of 100 people)."),
        (
            3,
            100,
            "Withheld to protect people: fewer than 11 people or events would be described. Withheld is not zero.",
        ),
    ],
)
def test_shares_in_words(x: int, n: int, words: str) -> None:
    tally = Tally(pd.DataFrame({"group": ["Pilot"], "term": ["t"], "n_event": [x], "n": [n]}))
    assert sentences(make_safe(Proportion().estimate(tally), POLICY), GROUPS) == words


def test_table_is_lean_html_with_escaped_text() -> None:
    html = html_table(pd.DataFrame({"a": ["<b>x</b>"], "n": ["1"]}), {"a": "A", "n": "N"}, numbers=["n"], note="a & b")
    assert "&lt;b&gt;" in html
    assert "<style" not in html
    assert "<div" not in html
    assert "text-align: right" in html
    assert html == html_table(
        pd.DataFrame({"a": ["<b>x</b>"], "n": ["1"]}), {"a": "A", "n": "N"}, numbers=["n"], note="a & b"
    )


def test_an_analysis_of_no_family_has_a_plain_table_and_no_figure() -> None:
    made = Estimates(
        data=pd.DataFrame({"term": ["x"], "estimate": [1.0]}),
        kind="mine",
        estimand="e",
        counts=Tally(pd.DataFrame({"group": ["a"], "term": ["model"], "n_event": [40], "n": [90]})),
    )
    safe = make_safe(made, POLICY)
    assert cells(table_of(safe, "A note.")) == [["Term", "Estimate"], ["x", "1.000"], ["A note."]]
    assert safe_numbers(safe).to_dict("list") == {"term": ["x"], "estimate": [1.0]}
    # Words stand at the left, numbers at the right.
    assert re.findall(r"<t[hd][^>]*text-align: (\w+)", table_of(safe)) == ["left", "right"] * 2
    with pytest.raises(DisclosureError, match="'mine' has no figure; show it as a table"):
        draw(safe, GROUPS, Look())


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((30, 40), "Engagement in the pilot does not clearly differ by area: A 30% to B 40%"),
        ((40, 75), "Engagement in the pilot differs by area: A 40% to B 75%"),
    ],
)
def test_a_headline_speaks_of_a_range_only_where_it_is_more_than_chance(events: tuple[int, int], said: str) -> None:
    rows = [("Pilot", name, name, "Area", x, 100) for name, x in zip("AB", events, strict=True)]
    rows += [
        ("Pilot", name, name, "Gender", x, 100) for name, x in zip("CD", (80, 85), strict=True)
    ]  # not beside areas
    frame = pd.DataFrame(rows, columns=["group", "term", "label", "variable", "n_event", "n"])
    shares = ShareOf(kind="engaged_across", estimand="e", view="across").estimate(Tally(frame))
    assert headline(make_safe(shares, POLICY), GROUPS) == said


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((100,), "Everybody in the pilot came from A: 100 people"),
        ((60, 40), "The largest share of the people in the pilot came from A: 60 people, or 60%"),
        ((50, 50), "The largest shares of the people in the pilot came from A and B: 50 people, or 50%, from each"),
        (
            (50, 45),
            "People in the pilot came in similar numbers from A and B: 45% to 50%",
        ),  # the lead may be one person
    ],
)
def test_where_people_came_from_in_one_line(events: tuple[int, ...], said: str) -> None:
    rows = [("Pilot", name, name, "Area", x, 100) for name, x in zip("AB", events, strict=False)]
    frame = pd.DataFrame(rows, columns=["group", "term", "label", "variable", "n_event", "n"])
    shares = ShareOf(kind="reach", estimand="e", view="reach").estimate(Tally(frame))
    assert headline(make_safe(shares, POLICY), GROUPS, "tiles") == said


def test_levels_are_compared_only_where_all_of_a_characteristic_are_shown() -> None:
    rows = [("Pilot", name, name, "Area", x, n) for name, x, n in (("A", 30, 100), ("B", 40, 100), ("C", 4, 90))]
    frame = pd.DataFrame(rows, columns=["group", "term", "label", "variable", "n_event", "n"])
    shares = ShareOf(kind="engaged_across", estimand="e", view="across").estimate(Tally(frame))
    said = "Too few kinds of people in the pilot can be shown to say whether some engage better"
    assert headline(make_safe(shares, POLICY), GROUPS) == said


def test_not_everybody_came_from_one_place_where_rounding_hides_the_others() -> None:
    frame = pd.DataFrame({"group": "Pilot", "term": ["a", "b"], "label": ["A", "B"], "variable": "Area"})
    shares = ShareOf(kind="reach", estimand="e", view="reach").estimate(Tally(frame.assign(n_event=[489, 11], n=500)))
    coarse = make_safe(shares, Policy(noise_variance=0, round_for_display=50))
    assert coarse.estimates.tidy()["estimate"].tolist() == [1.0, 0.1]  # never to nobody
    said = "The largest share of the people in the pilot came from A: 500 people, or 100%"
    assert headline(coarse, GROUPS, "tiles") == said
