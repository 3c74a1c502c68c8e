"""Sentences, tables and figures from safe numbers."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from evalkit.compare import Proportion
from evalkit.counts import Tally
from evalkit.disclosure import Policy, make_safe
from evalkit.display import CurveText, curves_figure, headline, html_table, sentences, svg_of, table_of
from evalkit.engagement._analyses import ShareOf
from evalkit.errors import DisclosureError
from evalkit.estimates import Estimates
from evalkit.markup import markdown
from evalkit.survival import kaplan_meier

POLICY = Policy()
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
    day, first, second = re.match(
        r"At day (\d+), (\d+)% in Pilot .*? and (\d+)% in PAIP .*? were not disengaged\. See @fig-x\.$",
        text,
    ).groups()
    rows = safe.at([int(day)]).set_index("group")["estimate"]
    assert (round(100 * rows["Pilot"]), round(100 * rows["PAIP"])) == (int(first), int(second))
    table = re.sub(r"<[^>]+>", " ", table_of(safe))
    assert f"{first}%" in table
    assert f"{second}%" in table


def test_figure_says_what_it_shows_and_is_the_same_bytes_again(curve: Estimates) -> None:
    safe = make_safe(curve, POLICY)
    figure, alt = curves_figure(safe, GROUPS, 365, WORDS)
    again, _ = curves_figure(safe, GROUPS, 365, WORDS)
    assert svg_of(figure) == svg_of(again)
    assert re.search(r"Pilot, not disengaged: \d+% at day 91", alt)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "Number at risk" in texts
    assert [t for t in texts if re.fullmatch(r"\d+", t) and int(t) % 5] == []  # rounded numbers only


def test_numbers_at_risk_never_grow(curve: Estimates) -> None:
    read = make_safe(curve, POLICY).at(range(0, 400, 10))
    for _, own in read.groupby("group"):
        assert (own["n_risk"].dropna().diff().dropna() <= 0).all()
        assert (own["estimate"].dropna().diff().dropna() <= 1e-12).all()


@pytest.mark.parametrize(
    ("x", "n", "words"),
    [
        (60, 100, "t: 60% in Pilot (50% to 69%; 60 of 100 people)."),
        (0, 100, "0% in Pilot"),
        (100, 100, "100% in Pilot"),
        (3, 100, "Not shown: fewer than 11 people or events would be described."),
    ],
)
def test_shares_in_words(x: int, n: int, words: str) -> None:
    tally = Tally(pd.DataFrame({"group": ["Pilot"], "term": ["t"], "n_event": [x], "n": [n]}))
    assert words in sentences(make_safe(Proportion().estimate(tally), POLICY), GROUPS)


def test_table_is_lean_html_with_escaped_text() -> None:
    html = html_table(pd.DataFrame({"a": ["<b>x</b>"], "n": ["1"]}), {"a": "A", "n": "N"}, numbers=["n"], note="a & b")
    assert "&lt;b&gt;" in html
    assert "<style" not in html
    assert "<div" not in html
    assert "text-align: right" in html
    assert html == html_table(
        pd.DataFrame({"a": ["<b>x</b>"], "n": ["1"]}), {"a": "A", "n": "N"}, numbers=["n"], note="a & b"
    )


def test_an_unknown_analysis_has_no_table() -> None:
    made = Estimates(
        data=pd.DataFrame({"term": ["x"], "estimate": [1.0]}),
        kind="mine",
        estimand="e",
        counts=Tally(pd.DataFrame({"group": ["a"], "term": ["model"], "n_event": [40], "n": [90]})),
    )
    with pytest.raises(DisclosureError, match="no table layout for 'mine'"):
        table_of(make_safe(made, POLICY))


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((30, 40), "Engagement in the Pilot does not clearly differ by area: 30% (A) to 40% (B)"),
        ((40, 75), "Engagement in the Pilot differs by area: 40% (A) to 75% (B)"),
    ],
)
def test_a_headline_speaks_of_a_range_only_where_it_is_more_than_chance(events: tuple[int, int], said: str) -> None:
    rows = [("Pilot", name, name, "Area", x, 100) for name, x in zip("AB", events, strict=True)]
    rows += [
        ("Pilot", name, name, "Gender", x, 100) for name, x in zip("CD", (80, 85), strict=True)
    ]  # not beside areas
    frame = pd.DataFrame(rows, columns=["group", "term", "label", "variable", "n_event", "n"])
    shares = ShareOf(kind="engaged_across", estimand="e").estimate(Tally(frame))
    assert said in headline(make_safe(shares, POLICY), GROUPS)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((100,), "Everybody in the Pilot came from A: 100 people"),
        ((60, 40), "The largest share of the Pilot came from A: 60 people, or 60%"),
        ((50, 50), "The largest shares of the Pilot came from A and B: 50 people, or 50%, from each"),
        (
            (50, 45),
            "People of the Pilot came in similar numbers from A and B: 45% to 50%",
        ),  # the lead may be one person
    ],
)
def test_where_people_came_from_in_one_line(events: tuple[int, ...], said: str) -> None:
    rows = [("Pilot", name, name, "Area", x, 100) for name, x in zip("AB", events, strict=False)]
    frame = pd.DataFrame(rows, columns=["group", "term", "label", "variable", "n_event", "n"])
    shares = ShareOf(kind="reach", estimand="e").estimate(Tally(frame))
    assert headline(make_safe(shares, POLICY), GROUPS, "tiles") == said


def test_levels_are_compared_only_where_all_of_a_characteristic_are_shown() -> None:
    rows = [("Pilot", name, name, "Area", x, n) for name, x, n in (("A", 30, 100), ("B", 40, 100), ("C", 4, 90))]
    frame = pd.DataFrame(rows, columns=["group", "term", "label", "variable", "n_event", "n"])
    shares = ShareOf(kind="engaged_across", estimand="e").estimate(Tally(frame))
    said = "Too few groups of the Pilot can be shown to say whether it engages some people better"
    assert headline(make_safe(shares, POLICY), GROUPS) == said


def test_not_everybody_came_from_one_place_where_rounding_hides_the_others() -> None:
    frame = pd.DataFrame({"group": "Pilot", "term": ["a", "b"], "label": ["A", "B"], "variable": "Area"})
    shares = ShareOf(kind="reach", estimand="e").estimate(Tally(frame.assign(n_event=[489, 11], n=500)))
    coarse = make_safe(shares, Policy(rounding_base=50))
    assert coarse.estimates.tidy()["estimate"].tolist() == [1.0, 0.0]
    assert headline(coarse, GROUPS, "tiles").startswith("The largest share of the Pilot came from A")
