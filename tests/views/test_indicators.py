"""Page one's grid from hand-made lines: which number stands in its file under which name, what is drawn of whom, how."""

from __future__ import annotations

import html
import re

import pandas as pd
import pytest

from evalkit.views import Gap, Indicator, indicator_numbers, indicator_table
from evalkit.views.indicators import _gap_bar, _line
from evalkit.views.style import COMPARISON, FOCUS
from evalkit.views.trend import _years
from views.made import GROUPS, HIGHER, LOWER, NONE

READ = "Rows share people: do not add rows. Dots: shares, from none to all; thick lines: 95% limits."
ESTIMATED = "Do not multiply estimates: some were followed less long."
OF_GAPS = "Dashed: no gap; to its right, more in the pilot; ticks: ten points."


def share(n: float, estimate: float, low: float, high: float) -> pd.Series:
    return pd.Series({"n": n, "estimate": estimate, "conf_low": low, "conf_high": high})


OWN, OTHER = share(120, 0.75, 0.67, 0.82), share(300, 0.5, 0.44, 0.56)
QUARTERS = pd.DataFrame(
    {
        "period": ["2022Q1", "2022Q2", "2022Q3", "2022Q4"],
        "n": [40.0, float("nan"), 20.0, 60.0],
        "estimate": [0.5, float("nan"), 0.25, 0.8],
    }
)


def line(term: str = "engaged", **more: object) -> Indicator:
    return Indicator(term, term.capitalize(), "of whom", "What may be said.", "Verdict.", **more)  # type: ignore[arg-type]


def test_the_numbers_of_a_line_stand_under_their_own_names() -> None:
    one = line(sides=(OWN, OTHER), gap=HIGHER, series=QUARTERS, before=0.41, estimate_id="abc")
    people = line("referred", sides=(pd.Series({"n": 1240.0}), None), series=QUARTERS)
    found = indicator_numbers([one, people], GROUPS).astype(object)
    quarter = "quarter of referral"
    expected = [
        ["engaged", "share", "Pilot", None, 120, 0.75, 0.67, 0.82, "abc"],
        ["engaged", "share", "PAIP", None, 300, 0.5, 0.44, 0.56, "abc"],
        ["engaged", "difference", "Pilot - PAIP", None, None, 0.2, 0.08, 0.32, "abc"],
        ["engaged", "a quarter ago", "Pilot", None, None, 0.41, None, None, "abc"],
        *(
            [f"engaged {period}", quarter, "Pilot", period, None, value, None, None, "abc"]
            for period, value in [("2022Q1", 0.5), ("2022Q2", None), ("2022Q3", 0.25), ("2022Q4", 0.8)]
        ),
        ["referred", "people", "Pilot", None, 1240, None, None, None, ""],
        *(
            [f"referred {period}", quarter, "Pilot", period, n, None, None, None, ""]
            for period, n in [("2022Q1", 40), ("2022Q2", None), ("2022Q3", 20), ("2022Q4", 60)]
        ),
    ]
    told = found.drop(columns="label").where(found.notna(), None)
    assert told.to_numpy().tolist() == expected
    assert found["label"].tolist() == ["Engaged"] * 8 + ["Referred"] * 5


def legend(*lines: Indicator) -> str:
    found = re.search(r'<span class="legend">(.*?)</span>', indicator_table(lines, GROUPS, "A note."))
    return html.unescape(found[1]) if found else ""


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (line("referred", sides=(pd.Series({"n": 40.0}), None)), "A note."),
        (line(sides=(None, OTHER)), f"A note. {READ}"),
        (line(sides=(OWN, OTHER), gap=NONE), f"A note. {READ} {OF_GAPS}"),
        (line(sides=(OWN, OTHER), series=QUARTERS), f"A note. {READ}"),
        (line(sides=(OWN, None), estimated=True), f"A note. {READ} {ESTIMATED}"),
        (line(sides=(OWN, OTHER), gap=NONE, estimated=True), f"A note. {READ} {ESTIMATED} {OF_GAPS}"),
        (line(sides=(None, None), estimated=True), "A note."),
        (line(sides=(OWN, OTHER), series=QUARTERS[:3], gap=NONE), f"A note. {READ} {OF_GAPS}"),
        (line(sides=(None, OTHER), series=QUARTERS[:3]), f"A note. {READ}"),
        (line("referred", sides=(pd.Series({"n": 40.0}), None), series=QUARTERS[:3]), "A note."),
    ],
)
def test_below_the_grid_stands_how_that_is_read_which_is_drawn(one: Indicator, said: str) -> None:
    assert legend(one) == said
    assert legend(line("referred", sides=(None, None)), one) == said


def cells(one: Indicator) -> list[str]:
    return re.findall(r"<td\b.*?</td>", indicator_table([one], GROUPS, ""))[:4]


def test_the_focus_has_a_full_dot_and_the_comparison_an_open_one() -> None:
    own, other, *_ = cells(line(sides=(OWN, OTHER)))
    assert 'viewBox="-5 0 110 14" width="74" height="9"' in own
    assert '<span class="big">75%</span> <span class="small">(67%\xa0to\xa082%)</span><br>' in own
    assert own.endswith('<br><span class="small">of 120 people</span></td>')
    assert f'<circle cx="75" cy="7" r="4" fill="{FOCUS}"/>' in own and COMPARISON not in own
    assert f'<circle cx="50" cy="7" r="4" fill="#ffffff" stroke="{COMPARISON}" stroke-width="2.5"/>' in other
    assert FOCUS not in other
    assert f'd="M67 7H82" fill="none" stroke="{FOCUS}"' in own
    assert f'd="M44 7H56" fill="none" stroke="{COMPARISON}"' in other
    assert 'aria-label="Pilot: 75%, range 67%\xa0to\xa082%"' in own
    assert 'aria-label="PAIP: 50%, range 44%\xa0to\xa056%"' in other


def test_a_share_of_a_curve_is_no_part_of_people_counted() -> None:
    own, other, *_ = cells(line(sides=(OWN, OTHER), estimated=True))
    assert own.endswith('<br><span class="small">estimate from\xa0120</span></td>')
    assert other.endswith('<br><span class="small">estimate from\xa0300</span></td>')
    assert " of " not in re.sub("<[^>]*>", "", own + other)


@pytest.mark.parametrize(
    ("gaps", "scale"),
    [([HIGHER], 40), ([NONE], 20), ([Gap(0.1, 0.05, 0.2)], 20), ([Gap(0.1, 0.05, 0.204)], 20), ([Gap(0.1, 0.05, 0.21)], 30),
     ([NONE, LOWER], 30), ([Gap(-0.5, -0.72, -0.1), HIGHER], 80)],
)  # fmt: skip
def test_gaps_of_one_grid_have_one_scale_that_holds_the_widest(gaps: list[Gap], scale: int) -> None:
    table = indicator_table([line(sides=(OWN, OTHER), gap=gap) for gap in gaps], GROUPS, "")
    drawn = re.findall(r'<path d="((?:M[\d.]+ 7V11)+)"', table)
    marks = [50 + 50 * points / scale for points in range(-scale, scale + 1, 10) if points]
    assert [[float(x) for x in re.findall(r"M([\d.]+) 7V11", one)] for one in drawn] == [pytest.approx(marks, rel=1e-5)] * len(gaps)  # fmt: skip


def test_a_gap_is_said_aloud_from_its_lower_limit_to_its_upper_one() -> None:
    *_, gap, verdict = cells(line(sides=(OWN, OTHER), gap=NONE))
    assert 'aria-label="Gap in points: from −12 to +6"' in gap and gap.endswith("−12\xa0to\xa0+6</td>")
    assert '<span class="verdict">Verdict.</span><br>What may be said.' in verdict


@pytest.mark.parametrize(
    ("periods", "said"),
    [
        ("2022Q1 2022Q2 2022Q3 2022Q4", {0: "2022\nQ1", 1: "2022\nQ2", 2: "2022\nQ3", 3: "2022\nQ4"}),
        ("2021Q2 2021Q3 2021Q4 2022Q1 2022Q2", {0: "2021", 3: "2022"}),
        ("2021Q3 2021Q4 2022Q1 2022Q2 2022Q3", {2: "2022"}),  # the first year's name would stand in the second's
        ("2021Q3 2021Q4 2022Q1 2022Q2 2022Q3 2022Q4 2023Q1", {2: "2022", 6: "2023"}),
        (
            " ".join(f"{year}Q{q}" for year in range(2020, 2027) for q in (1, 2, 3, 4)),
            {0: "2020", 8: "2022", 16: "2024", 24: "2026"},  # seven would touch one another
        ),
        ("a b c d e", {0: "a", 1: "b", 2: "c", 3: "d", 4: "e"}),
    ],
)
def test_where_an_axis_of_quarters_names_a_year(periods: str, said: dict[int, str]) -> None:
    assert _years(periods.split()) == said


def test_a_gap_lies_left_of_the_middle_where_it_is_fewer() -> None:
    fewer, more = _gap_bar(LOWER, 40, ""), _gap_bar(HIGHER, 40, "")
    assert 'd="M13.8 9H36.2"' in fewer and 'd="M25.0 5L29.0 9L25.0 13L21.0 9Z"' in fewer
    assert 'd="M60.0 9H90.0"' in more and 'd="M75.0 5L79.0 9L75.0 13L71.0 9Z"' in more


def test_a_line_over_time_is_of_shares_of_everybody_or_of_the_most_people_and_broken_where_nothing_is_shown() -> None:
    of_shares = _line(line(sides=(OWN, OTHER), series=QUARTERS), "")
    of_people = _line(line(sides=(pd.Series({"n": 120.0}), None), series=QUARTERS), "")
    assert 'd="M0.0 9.0M29.3 12.5L44.0 4.8"' in of_shares
    assert 'd="M0.0 6.7M29.3 11.3L44.0 2.0"' in of_people
    assert [one.count("<circle") for one in (of_shares, of_people)] == [3, 3]
    nobody = QUARTERS.assign(n=0.0)
    assert 'd="M0.0 16.0L14.7 16.0L29.3 16.0L44.0 16.0"' in _line(line(sides=(pd.Series({"n": 0.0}), None), series=nobody), "")  # fmt: skip


def test_what_a_line_over_time_says_aloud() -> None:
    own, other, *_ = cells(line(sides=(OWN, OTHER), series=QUARTERS))
    assert 'aria-label="By quarter of referral: 50% in 2022Q1, 25% in 2022Q3 and 80% in 2022Q4"' in own
    assert "By quarter" not in other
    assert '<span class="small">25% to 80% each quarter</span>' in own.replace("\xa0", " ")
    (people, *_) = cells(line(sides=(pd.Series({"n": 120.0}), None), series=QUARTERS))
    assert 'aria-label="By quarter of referral: 40 in 2022Q1, 20 in 2022Q3 and 60 in 2022Q4"' in people
    assert '<span class="small">20 to 60 each quarter</span>' in people.replace("\xa0", " ")


def test_quarters_that_can_only_show_nobody_make_no_line() -> None:
    few = QUARTERS.assign(n=[0.0, 0.0, float("nan"), 0.0])
    people, *_ = cells(line(sides=(pd.Series({"n": 28.0}), None), series=few))
    assert "each quarter" not in people.lower()
    (same, *_) = cells(line(sides=(pd.Series({"n": 120.0}), None), series=QUARTERS.assign(n=40.0)))
    assert '<span class="small">40 each quarter</span>' in same
